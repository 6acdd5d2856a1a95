/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An upload's bytes: where a part lies in the file, how much memory they may take, which of them
 * workers may read, and how they are read for a digest or a request. */
#include "upload/state.h"

#include <string.h>

/* Memory before the session's part size is known, if the settings name no bound: a few seconds of
 * any recording, and not more than the parts take soon. Bytes. */
#define MEMORY_BEFORE_OPEN (32u << 20)

/* Size of the pieces in which a file is read for the digest. Bytes. */
#define READ_RUN (64u << 10)

guint64
box_upload_part_offset (const BoxUpload *upload, guint i)
{
  return (guint64) i * upload->session->part_size;
}

guint64
box_upload_part_size (const BoxUpload *upload, guint i)
{
  return MIN (upload->session->part_size, upload->size - box_upload_part_offset (upload, i));
}

/* Those in flight, and the one that is being filled. If a flow decides, only an eighth of that: the
 * rest is filled when a part is done, which takes some milliseconds. With a file behind there is
 * none of it, and all is only a share of what such uploads have together: parts that were sent give
 * up their memory, and what is missing is read from the file. More would be of use to a source that
 * is faster than the network only while it pauses (docs/performance.md). A part that begins within
 * a block touches one more. */
static guint64
usual_memory (const BoxUpload *upload)
{
  guint64 part_size = upload->session->part_size, more = part_size / 8;
  guint parts = upload->parallel;

  if (parts == 0)
    parts = BOX_FLOW_FIRST;
  else
    more = part_size;
  if (upload->file_behind.read != NULL)
    more = 0;
  return parts * part_size + more + (part_size % BOX_BLOCK_SIZE != 0 ? BOX_BLOCK_SIZE : 0);
}

/* Parts in flight where the flow decides: with a file they need no memory of their own. */
static guint
most_in_flight (const BoxUpload *upload)
{
  guint64 parts = upload->max_memory / upload->session->part_size;

  if (upload->file_behind.read != NULL)
    return BOX_FLOW_MOST;
  if (upload->max_memory == 0)
    return BOX_FLOW_FIRST;
  return (guint) CLAMP (parts, 2, BOX_FLOW_MOST + 1) - 1;
}

void
box_upload_set_memory_locked (BoxUpload *upload)
{
  gboolean behind = upload->file_behind.read != NULL;
  guint64 part, limit, shared = 0;

  if (behind && upload->max_memory == 0)
    shared = upload->grows ? BOX_BLOCKS_SHARED_GROWING : BOX_BLOCKS_SHARED;
  box_blocks_set_sharing_locked (upload->store, shared);
  if (upload->session == NULL)
    {
      guint64 before = upload->max_memory != 0 ? upload->max_memory : MEMORY_BEFORE_OPEN;
      gboolean whole = upload->size < BOX_SESSION_MIN_SIZE
                       && upload->destination->kind != BOX_DESTINATION_SESSION;

      limit = whole ? MAX (upload->size, 1) : before;
      if (behind)
        limit = MIN (limit, before);
      box_blocks_set_limit_locked (upload->store, limit, whole && !behind ? limit : BOX_BLOCK_SIZE);
      return;
    }
  if (upload->parallel == 0)
    box_plan_set_parallel (&upload->plan, most_in_flight (upload));
  part = upload->session->part_size + BOX_BLOCK_SIZE;
  limit = upload->max_memory != 0 ? upload->max_memory : usual_memory (upload);
  if (behind)
    box_blocks_set_limit_locked (upload->store, limit, BOX_BLOCK_SIZE);
  else
    box_blocks_set_limit_locked (upload->store, MAX (limit, 2 * part), part);
}

/* The bytes of part @i are not needed in memory: Box has them, or the file behind does. */
static void
drop_part_locked (BoxUpload *upload, guint i)
{
  if (upload->dropped->data[i] != 0)
    return;
  upload->dropped->data[i] = 1;
  box_blocks_drop_locked (upload->store, box_upload_part_offset (upload, i),
                          box_upload_part_size (upload, i));
  g_cond_broadcast (&upload->changed);
}

void
box_upload_release_locked (BoxUpload *upload, guint i)
{
  upload->bytes_acked += box_upload_part_size (upload, i);
  drop_part_locked (upload, i);
}

void
box_upload_publish_locked (BoxUpload *upload, guint64 end)
{
  guint n_before = upload->plan.n_sealed, n;
  BoxBlocksPadding padding;
  guint64 part_size;

  if (upload->session == NULL)
    return;
  part_size = upload->session->part_size;
  padding = box_blocks_get_padding_locked (upload->store);
  if (padding.offset != G_MAXUINT64)
    box_plan_pad (&upload->plan, (guint) ((padding.offset + part_size - 1) / part_size));
  n = end == upload->size ? upload->plan.parts->len : (guint) (end / part_size);
  box_plan_seal (&upload->plan, n, g_get_monotonic_time ());
  /* Of a session that is continued, some are there already. */
  for (guint i = n_before; i < n; i++)
    if (g_array_index (upload->plan.parts, BoxPlanPart, i).state == BOX_PART_DONE)
      box_upload_release_locked (upload, i);
  if (n > n_before)
    box_workers_wake_locked (&upload->task);
}

void
box_upload_bytes_init (BoxUploadBytes *bytes, BoxUpload *upload, guint64 offset, guint64 size)
{
  *bytes = (BoxUploadBytes){ .upload = upload, .size = size };
  g_mutex_lock (box_workers_lock ());
  box_blocks_pin_locked (upload->store, offset, size, &bytes->range);
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_bytes_init_file (BoxUploadBytes *bytes, BoxUpload *upload, guint64 offset, guint64 size)
{
  *bytes = (BoxUploadBytes){ .upload = upload, .size = size };
  g_mutex_lock (box_workers_lock ());
  box_blocks_pin_file_locked (upload->store, offset, size, &bytes->range);
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_bytes_clear (BoxUploadBytes *bytes)
{
  if (bytes->upload == NULL)
    return;
  __atomic_sub_fetch (&bytes->upload->under_way, bytes->sent, __ATOMIC_RELAXED);
  g_mutex_lock (box_workers_lock ());
  box_blocks_unpin_locked (bytes->upload->store, &bytes->range);
  g_mutex_unlock (box_workers_lock ());
}

static gboolean
read_bytes (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  const BoxUploadBytes *bytes = user_data;

  return box_blocks_read (&bytes->range, offset, buffer, length, error);
}

static const guint8 *
peek_bytes (gpointer user_data, guint64 offset, gsize *length)
{
  const BoxUploadBytes *bytes = user_data;

  return box_blocks_peek (&bytes->range, offset, length);
}

static void
note_progress (gpointer user_data, guint64 position)
{
  BoxUploadBytes *bytes = user_data;
  guint64 change = position - bytes->sent; /* may wrap, and so does what it is added to */
  BoxHost *host = bytes->upload->host;

  if (host != NULL && bytes->flow != NULL && position > bytes->sent)
    box_flow_moved (&host->flow, change);
  bytes->sent = position;
  __atomic_add_fetch (&bytes->upload->sent, change, __ATOMIC_RELAXED);
  __atomic_add_fetch (&bytes->upload->under_way, change, __ATOMIC_RELAXED);
}

/* Another part may begin. This request reads its bytes no more: a body that has left whole is not
 * sent again by it (http/exchange.c). Another request reads them from the file behind. */
static void
note_sent (gpointer user_data)
{
  BoxUploadBytes *bytes = user_data;
  BoxUpload *upload = bytes->upload;

  if (bytes->flow == NULL)
    return;
  g_mutex_lock (box_workers_lock ());
  if (bytes->flow->sent == 0)
    upload->n_waiting++;
  if (upload->host != NULL)
    box_flow_sent (&upload->host->flow, bytes->flow, g_get_monotonic_time ());
  else
    bytes->flow->sent = g_get_monotonic_time ();
  box_plan_left (&upload->plan, bytes->part);
  if (upload->file_behind.read != NULL)
    {
      box_blocks_unpin_locked (upload->store, &bytes->range);
      drop_part_locked (upload, bytes->part);
    }
  box_workers_continue_locked ();
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_bytes_to_body (BoxUploadBytes *bytes, BoxBody *body)
{
  *body = (BoxBody){
    .size = bytes->size,
    .read = read_bytes,
    .peek = bytes->range.in_memory ? peek_bytes : NULL,
    .progress = note_progress,
    .sent = note_sent,
    .user_data = bytes,
    .pace = bytes->upload->pace,
  };
}

/* The digests that are wanted of some bytes; NULL: not wanted. */
typedef struct
{
  BoxDigest *sha1;
  BoxDigest *sha512;
} Digests;

static void
update (const Digests *digests, const guint8 *data, gsize n)
{
  if (digests->sha1 != NULL)
    box_digest_update (digests->sha1, data, n);
  if (digests->sha512 != NULL)
    box_digest_update (digests->sha512, data, n);
}

static void
digest_memory (const BoxUploadBytes *bytes, const Digests *digests)
{
  for (guint64 done = 0; done < bytes->size;)
    {
      gsize n = (gsize) MIN (READ_RUN, bytes->size - done);
      const guint8 *data = box_blocks_peek (&bytes->range, done, &n);

      update (digests, data, n);
      done += n;
    }
}

static gboolean
digest_file (const BoxUploadBytes *bytes, const Digests *digests, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (READ_RUN);

  for (guint64 done = 0; done < bytes->size;)
    {
      gsize n = (gsize) MIN (READ_RUN, bytes->size - done);

      if (!box_blocks_read (&bytes->range, done, buffer, n, error))
        return FALSE;
      update (digests, buffer, n);
      done += n;
    }
  return TRUE;
}

gboolean
box_upload_bytes_digest (const BoxUploadBytes *bytes, BoxSha1 *sha1, BoxSha512 *sha512,
                         GError **error)
{
  g_autoptr (BoxDigest) first = sha1 != NULL ? box_digest_new (bytes->upload->digest_engine) : NULL;
  g_autoptr (BoxDigest) second = sha512 != NULL ? box_digest_new_sha512 () : NULL;
  const Digests digests = { .sha1 = first, .sha512 = second };

  if (bytes->range.in_memory)
    digest_memory (bytes, &digests);
  else if (!digest_file (bytes, &digests, error))
    return FALSE;
  if (sha1 != NULL)
    box_digest_finish (first, sha1);
  if (sha512 != NULL)
    box_digest_finish_sha512 (second, sha512);
  return TRUE;
}

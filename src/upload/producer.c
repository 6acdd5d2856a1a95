/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The producer's side of an upload: writing, waiting for room, and the end of the stream. The
 * SHA-1 of the file is taken here, and nowhere else: in order, from the bytes that are written and
 * from the padding behind them. */
#include "upload/state.h"

#include <string.h>

/* The file's digest is taken in runs of this size: still in the second-level cache, and large
 * enough that the digest's cost per call does not show with buffers of 188 bytes. */
#define HASH_RUN (64u << 10)

/* Padding is made for the digest in pieces of this size. Bytes. */
#define PADDING_RUN (64u << 10)

static void
hash_run (BoxUpload *upload)
{
  if (upload->unhashed > 0)
    box_digest_update (upload->digest, upload->cursor - upload->unhashed, upload->unhashed);
  upload->unhashed = 0;
}

/* The bytes from @position to the next point at which the producer must report: the end of its
 * block, of the part, or of the file. */
static gsize
room_locked (const BoxUpload *upload, guint64 position)
{
  guint64 room = BOX_BLOCK_SIZE - position % BOX_BLOCK_SIZE;

  if (upload->session != NULL)
    room = MIN (room, upload->session->part_size - position % upload->session->part_size);
  return (gsize) MIN (room, upload->size - position);
}

/* @exhausted: the system has no memory for it. */
static gboolean
next_room_locked (BoxUpload *upload, gboolean *exhausted)
{
  gboolean may_wait = upload->file_behind.read == NULL;

  box_upload_publish_locked (upload, upload->position);
  if (box_upload_has_ended_locked (upload) || upload->position == upload->size)
    return FALSE;
  if (upload->position % BOX_BLOCK_SIZE == 0)
    upload->cursor = box_blocks_extend_locked (upload->store, upload->position);
  if (upload->cursor == NULL)
    {
      *exhausted = !may_wait || box_blocks_has_room_locked (upload->store);
      return FALSE;
    }
  upload->room = room_locked (upload, upload->position);
  return TRUE;
}

static void
fail_memory (BoxUpload *upload)
{
  box_upload_fail (upload,
                   g_error_new (BOX_ERROR, BOX_ERROR_SPACE,
                                "The system has no memory left for the parts: lower max-memory or "
                                "the environment's BOXUPLOAD_MEMORY, or record to a spool"));
}

static gboolean
next_room (BoxUpload *upload)
{
  gboolean found, exhausted = FALSE;

  hash_run (upload);
  g_mutex_lock (box_workers_lock ());
  found = next_room_locked (upload, &exhausted);
  g_mutex_unlock (box_workers_lock ());
  if (exhausted)
    fail_memory (upload);
  return found;
}

/* A session was opened since: what is there of its parts can leave, and from now on the producer
 * stops at the end of each. */
static void
notice_session (BoxUpload *upload)
{
  guint n_opened = __atomic_load_n (&upload->n_opened, __ATOMIC_SEQ_CST);

  if (n_opened == upload->n_noticed)
    return;
  upload->n_noticed = n_opened;
  hash_run (upload);
  g_mutex_lock (box_workers_lock ());
  box_upload_publish_locked (upload, upload->position);
  upload->room = MIN (upload->room, room_locked (upload, upload->position));
  g_mutex_unlock (box_workers_lock ());
}

static void
fail_overflow (BoxUpload *upload)
{
  box_upload_fail (upload, g_error_new (BOX_ERROR, BOX_ERROR_SIZE,
                                        "The stream is longer than the %" G_GUINT64_FORMAT
                                        " bytes that were declared for it: declare "
                                        "the right size, or use unknown-size=spool",
                                        upload->size));
}

/* The next @length bytes are in the file behind the blocks, and nowhere else. */
static gsize
skip (BoxUpload *upload, gsize length)
{
  gsize n = (gsize) MIN (length, upload->size - upload->position);
  gboolean ended;

  g_mutex_lock (box_workers_lock ());
  ended = box_upload_has_ended_locked (upload);
  if (!ended)
    {
      upload->position += n;
      __atomic_store_n (&upload->received, upload->position, __ATOMIC_RELEASE);
      box_upload_publish_locked (upload, upload->position);
    }
  g_mutex_unlock (box_workers_lock ());
  if (n < length)
    fail_overflow (upload);
  return ended ? 0 : n;
}

gsize
box_upload_write (BoxUpload *upload, const guint8 *data, gsize length)
{
  gsize done = 0;

  if (data == NULL)
    return skip (upload, length);
  notice_session (upload);
  while (done < length && (upload->room > 0 || next_room (upload)))
    {
      gsize n = MIN (upload->room, length - done);

      memcpy (upload->cursor, data + done, n);
      upload->cursor += n;
      upload->room -= n;
      upload->unhashed += n;
      upload->position += n;
      done += n;
      if (upload->unhashed >= HASH_RUN)
        hash_run (upload);
    }
  __atomic_store_n (&upload->received, upload->position, __ATOMIC_SEQ_CST);
  /* It may have been opened during this very write, after which the stream may rest. */
  notice_session (upload);
  if (upload->room == 0 && done > 0)
    {
      hash_run (upload);
      g_mutex_lock (box_workers_lock ());
      box_upload_publish_locked (upload, upload->position);
      g_mutex_unlock (box_workers_lock ());
    }
  if (done < length && upload->position == upload->size)
    fail_overflow (upload);
  return done;
}

/* Whether the next byte needs a block, and memory is full. With a file behind that is worth a wait
 * only before the session is open and while a part is ready that was not begun: the next one is
 * made as soon as none is, because the parts in flight need no memory of their own. */
static gboolean
lacks_room_locked (const BoxUpload *upload)
{
  const BoxPlan *plan = &upload->plan;

  if (upload->room > 0 || upload->position % BOX_BLOCK_SIZE != 0
      || box_blocks_has_room_locked (upload->store))
    return FALSE;
  if (upload->file_behind.read == NULL || !plan->opened)
    return TRUE;
  return plan->n_done < plan->n_sealed && plan->next_new < plan->n_sealed;
}

BoxWait
box_upload_wait_room (BoxUpload *upload)
{
  BoxWait result = BOX_WAIT_READY;

  g_mutex_lock (box_workers_lock ());
  box_blocks_set_waiter_locked (upload->store, &upload->changed);
  while (TRUE)
    {
      gboolean failing = upload->error != NULL;

      if (box_upload_is_over_locked (upload))
        result = BOX_WAIT_FAILED;
      else if (upload->interrupted)
        result = BOX_WAIT_INTERRUPTED;
      else if (failing || lacks_room_locked (upload))
        {
          g_cond_wait (&upload->changed, box_workers_lock ());
          continue;
        }
      break;
    }
  box_blocks_set_waiter_locked (upload->store, NULL);
  g_mutex_unlock (box_workers_lock ());
  return result;
}

/* Digests the padding behind the stream, in any thread, and ends the file's digest. */
static gboolean
end_digest (BoxUpload *upload, BoxPaddingKind padding, BoxSha1 *sha1, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (PADDING_RUN);
  guint64 offset = upload->position, gap = upload->size - offset;

  for (guint64 done = 0; done < gap;)
    {
      gsize n = (gsize) MIN (PADDING_RUN, gap - done);

      if (g_cancellable_set_error_if_cancelled (upload->transfers, error))
        return FALSE;
      box_padding_read (padding, offset, gap, done, buffer, n);
      box_digest_update (upload->digest, buffer, n);
      done += n;
    }
  box_digest_finish (upload->digest, sha1);
  return TRUE;
}

gboolean
box_upload_digest (BoxUpload *upload, BoxPaddingKind padding, BoxSha1 *sha1, GError **error)
{
  hash_run (upload);
  if (!end_digest (upload, padding, sha1, error))
    return FALSE;
  upload->digested = TRUE;
  g_mutex_lock (box_workers_lock ());
  upload->sha1 = *sha1;
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

void
box_upload_set_digest (BoxUpload *upload, const BoxSha1 *sha1)
{
  upload->digested = TRUE;
  g_mutex_lock (box_workers_lock ());
  upload->sha1 = *sha1;
  g_mutex_unlock (box_workers_lock ());
}

gboolean
box_upload_digest_padding (BoxUpload *upload, GError **error)
{
  BoxPaddingKind padding;
  BoxSha1 sha1;

  g_mutex_lock (box_workers_lock ());
  padding = box_blocks_get_padding_locked (upload->store).kind;
  g_mutex_unlock (box_workers_lock ());
  if (!end_digest (upload, padding, &sha1, error))
    return FALSE;
  g_mutex_lock (box_workers_lock ());
  upload->sha1 = sha1;
  box_plan_digested (&upload->plan, g_get_monotonic_time ());
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

static void
finish_locked (BoxUpload *upload)
{
  if (upload->plan.finished || box_upload_has_ended_locked (upload))
    return;
  box_upload_publish_locked (upload, upload->size);
  box_blocks_end_locked (upload->store, upload->position);
  upload->finished_at = g_get_monotonic_time ();
  box_plan_finish (&upload->plan, upload->finished_at);
  box_workers_wake_locked (&upload->task);
}

static void
fail_short (BoxUpload *upload, guint64 received)
{
  box_upload_fail (upload,
                   g_error_new (BOX_ERROR, BOX_ERROR_SIZE,
                                "The stream ended after %" G_GUINT64_FORMAT
                                " of the %" G_GUINT64_FORMAT " bytes that were declared for it; "
                                "nothing was committed",
                                received, upload->size));
}

void
box_upload_finish (BoxUpload *upload)
{
  box_upload_finish_padded (upload, BOX_PADDING_NONE);
}

void
box_upload_finish_padded (BoxUpload *upload, BoxPaddingKind padding)
{
  guint64 gap = upload->size - upload->position;

  if (gap > 0 && padding == BOX_PADDING_NONE)
    {
      fail_short (upload, upload->position);
      return;
    }
  hash_run (upload);
  g_mutex_lock (box_workers_lock ());
  if (!upload->plan.finished)
    {
      if (gap > 0)
        box_blocks_pad_locked (upload->store, padding, upload->position, gap);
      if (!upload->digested && gap > 0)
        box_plan_leave_digest (&upload->plan);
      else if (!upload->digested)
        box_digest_finish (upload->digest, &upload->sha1);
      __atomic_store_n (&upload->received, upload->size, __ATOMIC_RELEASE);
      finish_locked (upload);
    }
  g_mutex_unlock (box_workers_lock ());
}

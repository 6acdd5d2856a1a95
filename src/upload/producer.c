/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The producer's side of an upload: writing, waiting for room, and the end of the stream. */
#include "upload/state.h"

#include <string.h>

/* The file's digest is taken in runs of this size: still in the second-level cache, and large
 * enough that the digest's cost per call does not show with buffers of 188 bytes. */
#define HASH_RUN (64u << 10)

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

static gboolean
next_room_locked (BoxUpload *upload)
{
  box_upload_publish_locked (upload, upload->position);
  if (box_upload_has_ended_locked (upload) || upload->position == upload->size)
    return FALSE;
  if (upload->position % BOX_BLOCK_SIZE == 0)
    upload->cursor = box_blocks_extend_locked (upload->store, upload->position);
  if (upload->cursor == NULL)
    return FALSE;
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
  gboolean found, exhausted;

  hash_run (upload);
  g_mutex_lock (box_workers_lock ());
  found = next_room_locked (upload);
  exhausted = !found && upload->position < upload->size && upload->cursor == NULL
              && box_blocks_has_room_locked (upload->store);
  g_mutex_unlock (box_workers_lock ());
  if (exhausted)
    fail_memory (upload);
  return found;
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

gsize
box_upload_write (BoxUpload *upload, const guint8 *data, gsize length)
{
  gsize done = 0;

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
  __atomic_store_n (&upload->received, upload->position, __ATOMIC_RELAXED);
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
      else if (failing
               || (upload->room == 0 && upload->position % BOX_BLOCK_SIZE == 0
                   && !box_blocks_has_room_locked (upload->store)))
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

static void
finish_locked (BoxUpload *upload, guint64 stream_size)
{
  if (upload->plan.finished || box_upload_has_ended_locked (upload))
    return;
  box_upload_publish_locked (upload, upload->size);
  box_blocks_end_locked (upload->store, stream_size);
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
  if (!upload->plan.finished && gap == 0)
    box_digest_finish (upload->digest, &upload->sha1);
  else if (!upload->plan.finished)
    {
      box_blocks_pad_locked (upload->store, padding, upload->position, gap);
      box_plan_leave_digest (&upload->plan);
    }
  finish_locked (upload, upload->position);
  g_mutex_unlock (box_workers_lock ());
  __atomic_store_n (&upload->received, upload->size, __ATOMIC_RELAXED);
}

void
box_upload_advance (BoxUpload *upload, guint64 available)
{
  __atomic_store_n (&upload->received, available, __ATOMIC_RELAXED);
  if (available > upload->size)
    {
      fail_overflow (upload);
      return;
    }
  g_mutex_lock (box_workers_lock ());
  if (!box_upload_has_ended_locked (upload))
    box_upload_publish_locked (upload, available);
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_finish_digest (BoxUpload *upload, const BoxSha1 *sha1)
{
  g_mutex_lock (box_workers_lock ());
  upload->sha1 = *sha1;
  finish_locked (upload, upload->size);
  g_mutex_unlock (box_workers_lock ());
  __atomic_store_n (&upload->received, upload->size, __ATOMIC_RELAXED);
}

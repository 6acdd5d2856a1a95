/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The producer's and the application's side of an upload. */
#include "box-upload-private.h"

#include <string.h>

#define DEFAULT_PARALLEL 4
#define MAX_PARALLEL     16

/* Memory before the session tells its part size, where the settings name no bound: a few seconds of
 * any recording, and not more than the parts take soon. Bytes. */
#define MEMORY_BEFORE_OPEN (32u << 20)

/* The file's digest is taken in runs of this size: still in the second-level cache, and large
 * enough that the digest's cost per call does not show with buffers of 188 bytes. */
#define HASH_RUN (64u << 10)

static gboolean
check_settings (const BoxUploadSettings *settings, GError **error)
{
  if (settings->client == NULL || settings->destination == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS, "An upload needs a destination");
      return FALSE;
    }
  if (settings->parallel > MAX_PARALLEL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "%u parts in flight are too many: at most %d are allowed", settings->parallel,
                   MAX_PARALLEL);
      return FALSE;
    }
  if (settings->destination->kind == BOX_DESTINATION_SESSION && settings->size == 0)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "An upload session takes no empty file");
      return FALSE;
    }
  return TRUE;
}

static void
copy_settings (BoxUpload *upload, const BoxUploadSettings *settings)
{
  upload->client = box_client_ref (settings->client);
  upload->destination = box_destination_copy (settings->destination);
  if (settings->session_target != NULL)
    upload->session_target = box_destination_copy (settings->session_target);
  if (settings->session != NULL)
    upload->given_session = box_session_copy (settings->session);
  upload->size = settings->size;
  upload->if_exists = settings->if_exists;
  upload->commit = settings->commit;
  upload->parallel = settings->parallel != 0 ? settings->parallel : DEFAULT_PARALLEL;
  upload->max_memory = settings->max_memory;
  upload->retry_timeout = (gint64) settings->retry_timeout * G_USEC_PER_SEC;
  upload->digest_engine = settings->digest_engine;
  upload->attributes.description = g_strdup (settings->attributes.description);
  upload->attributes.content_created_at = g_strdup (settings->attributes.content_created_at);
  upload->attributes.content_modified_at = g_strdup (settings->attributes.content_modified_at);
  if (settings->source != NULL)
    upload->source = *settings->source;
}

BoxUpload *
box_upload_new (const BoxUploadSettings *settings, const BoxUploadEvents *events,
                gpointer user_data, GDestroyNotify destroy, GError **error)
{
  BoxUpload *upload;
  gboolean abort_on_failure;

  if (!check_settings (settings, error))
    return NULL;

  upload = g_new0 (BoxUpload, 1);
  upload->task.klass = &box_upload_task_class;
  g_atomic_ref_count_init (&upload->refs);
  copy_settings (upload, settings);
  upload->events = *events;
  upload->user_data = user_data;
  upload->destroy = destroy;
  upload->pace = box_pace_new (settings->upload_rate);
  upload->transfers = g_cancellable_new ();
  upload->cleanup = g_cancellable_new ();
  if (upload->source.read == NULL)
    upload->digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  upload->store = box_store_new ();
  g_cond_init (&upload->changed);
  abort_on_failure = settings->on_error == BOX_ON_ERROR_ABORT
                     && settings->destination->kind != BOX_DESTINATION_SESSION;
  box_plan_init (&upload->plan, upload->parallel, upload->commit, abort_on_failure,
                 g_get_monotonic_time ());
  upload->plan.unsure = upload->commit_repeated = settings->commit_unsure;

  g_mutex_lock (box_workers_lock ());
  box_upload_set_memory_locked (upload);
  g_mutex_unlock (box_workers_lock ());
  return upload;
}

BoxUpload *
box_upload_ref (BoxUpload *upload)
{
  g_atomic_ref_count_inc (&upload->refs);
  return upload;
}

static void
free_copies (BoxUpload *upload)
{
  box_client_unref (upload->client);
  box_destination_free (upload->destination);
  g_clear_pointer (&upload->session_target, box_destination_free);
  g_clear_pointer (&upload->given_session, box_session_free);
  g_free ((char *) upload->attributes.description);
  g_free ((char *) upload->attributes.content_created_at);
  g_free ((char *) upload->attributes.content_modified_at);
}

void
box_upload_unref (BoxUpload *upload)
{
  if (!g_atomic_ref_count_dec (&upload->refs))
    return;

  g_mutex_lock (box_workers_lock ());
  box_store_free_locked (upload->store);
  g_mutex_unlock (box_workers_lock ());
  if (upload->destroy != NULL)
    upload->destroy (upload->user_data);
  free_copies (upload);
  box_plan_clear (&upload->plan);
  g_cond_clear (&upload->changed);
  box_pace_unref (upload->pace);
  g_object_unref (upload->transfers);
  g_object_unref (upload->cleanup);
  g_clear_pointer (&upload->digest, box_digest_free);
  g_clear_error (&upload->error);
  g_clear_pointer (&upload->file, box_file_free);
  g_clear_pointer (&upload->session, box_session_free);
  g_clear_pointer (&upload->target, box_destination_free);
  g_clear_pointer (&upload->parts, g_ptr_array_unref);
  g_free (upload->etag_before);
  g_free (upload->version_before);
  g_free (upload);
}

void
box_upload_start (BoxUpload *upload)
{
  g_mutex_lock (box_workers_lock ());
  if (!upload->started && !upload->cancelled)
    {
      upload->started = TRUE;
      box_workers_add_locked (&upload->task);
    }
  g_mutex_unlock (box_workers_lock ());
}

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

void
box_upload_set_memory_locked (BoxUpload *upload)
{
  guint64 part, limit;

  if (upload->session == NULL)
    {
      guint64 before = upload->max_memory != 0 ? upload->max_memory : MEMORY_BEFORE_OPEN;
      gboolean whole = upload->size < BOX_SESSION_MIN_SIZE
                       && upload->destination->kind != BOX_DESTINATION_SESSION;

      limit = whole ? MAX (upload->size, 1) : before;
      box_store_set_limit_locked (upload->store, limit, whole ? limit : BOX_STORE_BLOCK);
      return;
    }
  /* A part that begins within a block touches one block more than its size says. */
  part = upload->session->part_size + BOX_STORE_BLOCK;
  limit = upload->max_memory != 0 ? upload->max_memory
                                  : (upload->parallel + 2) * upload->session->part_size;
  box_store_set_limit_locked (upload->store, MAX (limit, 2 * part), part);
}

void
box_upload_release_locked (BoxUpload *upload, guint64 offset, guint64 length)
{
  upload->bytes_acked += length;
  if (upload->source.read == NULL)
    box_store_drop_locked (upload->store, offset, length);
  g_cond_broadcast (&upload->changed);
}

void
box_upload_publish_locked (BoxUpload *upload, guint64 end)
{
  guint n_before = upload->plan.n_sealed, n;

  upload->published = end;
  if (upload->session == NULL)
    return;
  n = end == upload->size ? upload->plan.parts->len : (guint) (end / upload->session->part_size);
  box_plan_seal (&upload->plan, n, g_get_monotonic_time ());
  /* Of a session that is continued, some are there already. */
  for (guint i = n_before; i < n; i++)
    if (g_array_index (upload->plan.parts, BoxPlanPart, i).state == BOX_PART_DONE)
      box_upload_release_locked (upload, box_upload_part_offset (upload, i),
                                 box_upload_part_size (upload, i));
  if (n > n_before)
    box_workers_wake_locked (&upload->task);
}

static void
hash_run (BoxUpload *upload)
{
  if (upload->unhashed > 0)
    box_digest_update (upload->digest, upload->cursor - upload->unhashed, upload->unhashed);
  upload->unhashed = 0;
}

static gboolean
ended_locked (const BoxUpload *upload)
{
  return upload->cancelled || upload->done || upload->error != NULL;
}

/* The bytes from @position to the next place where the producer must stop and tell: the end of its
 * block, of the part, of the file. */
static gsize
room_locked (const BoxUpload *upload, guint64 position)
{
  guint64 room = BOX_STORE_BLOCK - position % BOX_STORE_BLOCK;

  if (upload->session != NULL)
    room = MIN (room, upload->session->part_size - position % upload->session->part_size);
  return (gsize) MIN (room, upload->size - position);
}

static gboolean
next_room_locked (BoxUpload *upload)
{
  box_upload_publish_locked (upload, upload->position);
  if (ended_locked (upload) || upload->position == upload->size)
    return FALSE;
  if (upload->position % BOX_STORE_BLOCK == 0)
    upload->cursor = box_store_extend_locked (upload->store, upload->position);
  if (upload->cursor == NULL)
    return FALSE;
  upload->room = room_locked (upload, upload->position);
  return TRUE;
}

static gboolean
next_room (BoxUpload *upload)
{
  gboolean found;

  hash_run (upload);
  g_mutex_lock (box_workers_lock ());
  found = next_room_locked (upload);
  g_mutex_unlock (box_workers_lock ());
  return found;
}

static void
fail_overflow (BoxUpload *upload)
{
  box_upload_fail (upload, g_error_new (BOX_ERROR, BOX_ERROR_SIZE,
                                        "The stream is longer than the %" G_GUINT64_FORMAT
                                        " bytes that were declared for it",
                                        upload->size));
}

gsize
box_upload_write (BoxUpload *upload, const guint8 *data, gsize length)
{
  gsize done = 0;

  g_return_val_if_fail (upload->source.read == NULL, 0);
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

/* Waits under the lock; @until: monotonic, -1 for ever. FALSE: the time is over. */
static gboolean
wait_locked (BoxUpload *upload, gint64 until)
{
  if (until < 0)
    {
      g_cond_wait (&upload->changed, box_workers_lock ());
      return TRUE;
    }
  return g_cond_wait_until (&upload->changed, box_workers_lock (), until);
}

static gboolean
is_over_locked (const BoxUpload *upload)
{
  return upload->cancelled || (upload->error != NULL && upload->error_told);
}

BoxWait
box_upload_wait_room (BoxUpload *upload)
{
  BoxWait result = BOX_WAIT_READY;

  g_mutex_lock (box_workers_lock ());
  box_store_set_waiter_locked (upload->store, &upload->changed);
  while (TRUE)
    {
      gboolean failing = upload->error != NULL;

      if (is_over_locked (upload))
        result = BOX_WAIT_FAILED;
      else if (upload->interrupted)
        result = BOX_WAIT_INTERRUPTED;
      else if (failing
               || (upload->room == 0 && upload->position % BOX_STORE_BLOCK == 0
                   && !box_store_has_room_locked (upload->store)))
        {
          wait_locked (upload, -1);
          continue;
        }
      break;
    }
  box_store_set_waiter_locked (upload->store, NULL);
  g_mutex_unlock (box_workers_lock ());
  return result;
}

static void
finish_locked (BoxUpload *upload)
{
  if (upload->plan.finished || ended_locked (upload))
    return;
  box_upload_publish_locked (upload, upload->size);
  if (upload->source.read == NULL)
    box_store_end_locked (upload->store, upload->size);
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
  g_return_if_fail (upload->source.read == NULL);
  if (upload->position != upload->size)
    {
      fail_short (upload, upload->position);
      return;
    }
  hash_run (upload);
  g_mutex_lock (box_workers_lock ());
  if (!upload->plan.finished)
    box_digest_finish (upload->digest, &upload->sha1);
  finish_locked (upload);
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_advance (BoxUpload *upload, guint64 available)
{
  g_return_if_fail (upload->source.read != NULL);
  __atomic_store_n (&upload->received, available, __ATOMIC_RELAXED);
  if (available > upload->size)
    {
      fail_overflow (upload);
      return;
    }
  g_mutex_lock (box_workers_lock ());
  if (!ended_locked (upload))
    box_upload_publish_locked (upload, available);
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_finish_digest (BoxUpload *upload, const BoxSha1 *sha1)
{
  g_return_if_fail (upload->source.read != NULL);
  g_mutex_lock (box_workers_lock ());
  upload->sha1 = *sha1;
  finish_locked (upload);
  g_mutex_unlock (box_workers_lock ());
  __atomic_store_n (&upload->received, upload->size, __ATOMIC_RELAXED);
}

BoxWait
box_upload_wait_done (BoxUpload *upload, gint64 timeout)
{
  gint64 until = timeout < 0 ? -1 : g_get_monotonic_time () + timeout;
  BoxWait result = BOX_WAIT_READY;

  g_mutex_lock (box_workers_lock ());
  while (!upload->done)
    {
      if (is_over_locked (upload))
        result = BOX_WAIT_FAILED;
      else if (upload->interrupted)
        result = BOX_WAIT_INTERRUPTED;
      else if (wait_locked (upload, until))
        continue;
      else
        result = BOX_WAIT_TIMEOUT;
      break;
    }
  g_mutex_unlock (box_workers_lock ());
  return result;
}

void
box_upload_interrupt (BoxUpload *upload, gboolean interrupted)
{
  g_mutex_lock (box_workers_lock ());
  upload->interrupted = interrupted;
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
}

gboolean
box_upload_may_tell (BoxUpload *upload)
{
  gboolean may;

  g_mutex_lock (box_workers_lock ());
  may = !upload->cancelled;
  g_mutex_unlock (box_workers_lock ());
  return may;
}

/* The first failure ends the upload: transfers are cut, it is told, and only then do the waits
 * return. */
void
box_upload_fail (BoxUpload *upload, GError *error)
{
  gboolean first, tell;

  g_mutex_lock (box_workers_lock ());
  first = !ended_locked (upload);
  tell = first && upload->events.failed != NULL;
  if (first)
    {
      upload->error = g_error_copy (error);
      box_plan_fail (&upload->plan);
    }
  g_mutex_unlock (box_workers_lock ());

  if (first)
    g_cancellable_cancel (upload->transfers);
  if (tell)
    upload->events.failed (error, upload->user_data);
  g_error_free (error);

  g_mutex_lock (box_workers_lock ());
  upload->error_told |= first;
  box_workers_wake_locked (&upload->task);
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_cancel (BoxUpload *upload)
{
  g_mutex_lock (box_workers_lock ());
  upload->cancelled = TRUE;
  box_plan_cancel (&upload->plan);
  box_workers_wake_locked (&upload->task);
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
  g_cancellable_cancel (upload->transfers);
  g_cancellable_cancel (upload->cleanup);
}

gboolean
box_upload_wait_settled (BoxUpload *upload, gint64 timeout)
{
  gint64 until = g_get_monotonic_time () + timeout;
  gboolean settled = FALSE, in_time = TRUE;

  g_mutex_lock (box_workers_lock ());
  while (in_time && !settled)
    {
      settled = !upload->started
                || box_plan_next (&upload->plan, g_get_monotonic_time ()).kind == BOX_STEP_DONE;
      if (!settled)
        in_time = wait_locked (upload, until);
    }
  g_mutex_unlock (box_workers_lock ());
  return settled;
}

GError *
box_upload_get_error (BoxUpload *upload)
{
  GError *error;

  g_mutex_lock (box_workers_lock ());
  error = upload->error != NULL ? g_error_copy (upload->error) : NULL;
  g_mutex_unlock (box_workers_lock ());
  return error;
}

BoxFile *
box_upload_get_file (BoxUpload *upload)
{
  BoxFile *file;

  g_mutex_lock (box_workers_lock ());
  file = upload->file != NULL ? box_file_copy (upload->file) : NULL;
  g_mutex_unlock (box_workers_lock ());
  return file;
}

BoxSession *
box_upload_get_session (BoxUpload *upload)
{
  BoxSession *session;

  g_mutex_lock (box_workers_lock ());
  session = upload->session != NULL ? box_session_copy (upload->session) : NULL;
  g_mutex_unlock (box_workers_lock ());
  return session;
}

gboolean
box_upload_get_sha1 (BoxUpload *upload, BoxSha1 *sha1)
{
  gboolean finished;

  g_mutex_lock (box_workers_lock ());
  finished = upload->plan.finished;
  if (finished)
    *sha1 = upload->sha1;
  g_mutex_unlock (box_workers_lock ());
  return finished;
}

void
box_upload_set_rate (BoxUpload *upload, guint64 bytes_per_second)
{
  box_pace_set_rate (upload->pace, bytes_per_second);
}

/* The rate is that of the time since the last sample, where that was a while ago; asking often does
 * not make it jump. */
static guint64
sample_rate_locked (BoxUpload *upload)
{
  guint64 sent = __atomic_load_n (&upload->sent, __ATOMIC_RELAXED);
  gint64 now = g_get_monotonic_time (), passed = now - upload->rate_time;

  if (passed < G_USEC_PER_SEC / 2)
    return upload->rate;
  if (upload->rate_time != 0)
    upload->rate =
        sent > upload->rate_sent
            ? (guint64) ((double) (sent - upload->rate_sent) * G_USEC_PER_SEC / (double) passed)
            : 0;
  upload->rate_time = now;
  upload->rate_sent = sent;
  return upload->rate;
}

void
box_upload_get_stats (BoxUpload *upload, BoxUploadStats *stats)
{
  g_mutex_lock (box_workers_lock ());
  *stats = (BoxUploadStats){
    .bytes_received = __atomic_load_n (&upload->received, __ATOMIC_RELAXED),
    .bytes_uploaded = upload->bytes_acked,
    .bytes_under_way = __atomic_load_n (&upload->under_way, __ATOMIC_RELAXED),
    .bytes_sent = __atomic_load_n (&upload->sent, __ATOMIC_RELAXED),
    .bytes_total = upload->size,
    .parts_uploaded = upload->plan.n_done,
    .parts_total = upload->plan.parts->len,
    .parts_in_flight = upload->plan.n_in_flight,
    .retries = upload->retries,
    .memory = box_store_get_memory_locked (upload->store),
    .rate = sample_rate_locked (upload),
  };
  g_mutex_unlock (box_workers_lock ());
}

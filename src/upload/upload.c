/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The application's side of an upload: its life, its end, and what can be asked of it. */
#include "base/process.h"
#include "http/pace.h"
#include "upload/state.h"

static gboolean
check_settings (const BoxUploadSettings *settings, GError **error)
{
  if (settings->client == NULL || settings->destination == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS, "An upload needs a destination");
      return FALSE;
    }
  if (settings->parallel > BOX_FLOW_MOST)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "%u parts in flight are too many: at most %d are allowed", settings->parallel,
                   BOX_FLOW_MOST);
      return FALSE;
    }
  if (settings->size > G_MAXINT64)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "A file of %" G_GUINT64_FORMAT " bytes is larger than any at Box",
                   settings->size);
      return FALSE;
    }
  if (settings->destination->kind == BOX_DESTINATION_SESSION && settings->size == 0)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "An upload session takes no empty file");
      return FALSE;
    }
  if (!settings->commit && settings->destination->kind != BOX_DESTINATION_SESSION
      && settings->size < BOX_SESSION_MIN_SIZE)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "A file of %" G_GUINT64_FORMAT
                   " bytes has no upload session that could be left uncommitted (Box has them from "
                   "%u bytes on): upload it with a commit",
                   settings->size, (guint) BOX_SESSION_MIN_SIZE);
      return FALSE;
    }
  return TRUE;
}

static GPtrArray *
copy_parts (GPtrArray *parts)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);

  for (guint i = 0; i < parts->len; i++)
    g_ptr_array_add (copy, box_part_copy (g_ptr_array_index (parts, i)));
  return copy;
}

static void
copy_settings (BoxUpload *upload, const BoxUploadSettings *settings)
{
  upload->client = box_client_ref (settings->client);
  upload->destination = box_destination_copy (settings->destination);
  upload->given_folder = g_strdup (settings->folder_id);
  if (settings->session_target != NULL)
    upload->session_target = box_destination_copy (settings->session_target);
  if (settings->session != NULL)
    upload->given_session = box_session_copy (settings->session);
  if (settings->known_parts != NULL)
    upload->known_parts = copy_parts (settings->known_parts);
  if (settings->earlier != NULL)
    upload->earlier = copy_parts (settings->earlier);
  upload->sha512 = settings->sha512;
  upload->size = settings->size;
  upload->if_exists = settings->if_exists;
  upload->parallel = settings->parallel;
  upload->max_memory = settings->max_memory;
  upload->begun = settings->begun != 0 ? settings->begun : g_get_real_time () / G_USEC_PER_SEC;
  /* Whole seconds do not tell which of two uploads that begin together is the older one. */
  upload->born = g_get_monotonic_time ();
  if (settings->begun != 0)
    upload->born += settings->begun * G_USEC_PER_SEC - g_get_real_time ();
  upload->complete = settings->begun != 0;
  upload->resumed = settings->commit_unsure;
  upload->retry_timeout = (gint64) settings->retry_timeout * G_USEC_PER_SEC;
  upload->digest_engine = settings->digest_engine;
  box_attributes_copy (&upload->attributes, &settings->attributes);
  if (settings->file != NULL)
    upload->file_behind = *settings->file;
  upload->grows = settings->file != NULL && settings->file_grows;
}

static gboolean
read_file_behind (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error);

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
  upload->digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  upload->store = box_blocks_new (
      settings->file != NULL ? &(BoxBlocksFile){ .read = read_file_behind, .user_data = upload }
                             : NULL);
  g_cond_init (&upload->changed);
  abort_on_failure = settings->on_error == BOX_ON_ERROR_ABORT
                     && settings->destination->kind != BOX_DESTINATION_SESSION;
  box_plan_init (&upload->plan, upload->parallel != 0 ? upload->parallel : BOX_FLOW_FIRST,
                 settings->commit, abort_on_failure, g_get_monotonic_time ());
  upload->plan.unsure = upload->commit_repeated = settings->commit_unsure;

  g_mutex_lock (box_workers_lock ());
  if (upload->parallel == 0)
    upload->host = box_host_take_locked (box_client_get_endpoint (upload->client));
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
  g_clear_pointer (&upload->place, box_destination_free);
  g_free (upload->given_folder);
  g_clear_pointer (&upload->session_target, box_destination_free);
  g_clear_pointer (&upload->given_session, box_session_free);
  g_clear_pointer (&upload->known_parts, g_ptr_array_unref);
  g_clear_pointer (&upload->earlier, g_ptr_array_unref);
  box_attributes_clear (&upload->attributes);
}

void
box_upload_unref (BoxUpload *upload)
{
  if (!g_atomic_ref_count_dec (&upload->refs))
    return;

  g_mutex_lock (box_workers_lock ());
  box_blocks_free_locked (upload->store);
  if (upload->host != NULL)
    box_host_give_back_locked (upload->host);
  g_mutex_unlock (box_workers_lock ());
  if (upload->file_behind.destroy != NULL)
    upload->file_behind.destroy (upload->file_behind.user_data);
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
  g_clear_pointer (&upload->other_name, box_destination_free);
  g_clear_pointer (&upload->other_conflict, box_file_free);
  g_clear_pointer (&upload->parts, g_ptr_array_unref);
  g_clear_pointer (&upload->dropped, g_byte_array_unref);
  g_free (upload->etag_before);
  g_free (upload->version_before);
  g_free (upload);
}

void
box_upload_start (BoxUpload *upload)
{
  GError *error = NULL;

  g_mutex_lock (box_workers_lock ());
  if (!upload->started && !upload->plan.cancelled)
    upload->started = box_workers_add_locked (&upload->task, &error);
  g_mutex_unlock (box_workers_lock ());
  if (error != NULL)
    box_upload_fail (upload, error);
}

gboolean
box_upload_has_ended_locked (const BoxUpload *upload)
{
  return upload->plan.cancelled || upload->told || upload->error != NULL;
}

/* Waits under the lock; @until: monotonic, -1 forever. FALSE: the time is over. */
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

gboolean
box_upload_is_over_locked (const BoxUpload *upload)
{
  return upload->plan.cancelled || (upload->error != NULL && upload->told);
}

/* Whether the file is committed, and that was told. */
static gboolean
is_done_locked (const BoxUpload *upload)
{
  return upload->told && upload->error == NULL;
}

BoxWait
box_upload_wait_done (BoxUpload *upload, gint64 timeout)
{
  gint64 until = timeout < 0 ? -1 : g_get_monotonic_time () + timeout;
  BoxWait result = BOX_WAIT_READY;

  g_mutex_lock (box_workers_lock ());
  while (!is_done_locked (upload))
    {
      if (box_upload_is_over_locked (upload))
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
box_upload_call_begins (BoxUpload *upload, BoxCall call)
{
  gboolean may;

  g_mutex_lock (box_workers_lock ());
  may = !upload->plan.cancelled && !upload->closed && !upload->last_begun;
  upload->last_begun |= call == BOX_CALL_LAST_EVENT;
  upload->n_calls += may ? 1 : 0;
  g_mutex_unlock (box_workers_lock ());
  if (may)
    box_process_enter_event (upload);
  return may;
}

void
box_upload_call_ends (BoxUpload *upload)
{
  box_process_leave_event ();
  g_mutex_lock (box_workers_lock ());
  upload->n_calls--;
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_tell_over (BoxUpload *upload)
{
  void (*over) (gpointer user_data) = NULL;
  gpointer data;

  g_mutex_lock (box_workers_lock ());
  data = upload->over_data;
  if (!upload->closed && (box_upload_is_over_locked (upload) || is_done_locked (upload)))
    {
      over = upload->over;
      upload->over = NULL;
    }
  upload->n_calls += over != NULL ? 1 : 0;
  g_mutex_unlock (box_workers_lock ());
  if (over == NULL)
    return;
  box_process_enter_event (upload);
  over (data);
  box_upload_call_ends (upload);
}

void
box_upload_call_when_over (BoxUpload *upload, void (*over) (gpointer user_data), gpointer user_data)
{
  g_mutex_lock (box_workers_lock ());
  upload->over = over;
  upload->over_data = user_data;
  g_mutex_unlock (box_workers_lock ());
  box_upload_tell_over (upload);
}

/* The file behind the blocks, as the workers see it. */
static gboolean
read_file_behind (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  BoxUpload *upload = user_data;
  gboolean ok;

  if (!box_upload_call_begins (upload, BOX_CALL_READ))
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Stopped");
      return FALSE;
    }
  ok = upload->file_behind.read (upload->file_behind.user_data, offset, buffer, length, error);
  box_upload_call_ends (upload);
  return ok;
}

/* The first failure ends the upload: transfers are cut, the failure is reported, and only then do
 * the waits return. */
/* Whether a session is left at Box: nobody aborts it, and it was not this that ended it. */
static gboolean
leaves_session_locked (const BoxUpload *upload, const GError *error)
{
  return upload->session != NULL && (upload->plan.unsure || !upload->plan.abort_on_failure)
         && !g_error_matches (error, BOX_ERROR, BOX_ERROR_SESSION_GONE)
         && !g_error_matches (error, BOX_ERROR, BOX_ERROR_CANCELLED);
}

/* Names the session that is left at Box. It also says how to go on, unless a file behind the blocks
 * lets the owner do so by itself. Takes @error. */
static GError *
name_session_locked (const BoxUpload *upload, GError *error)
{
  g_autoptr (GError) owned = error;
  g_autofree char *left = NULL, *advice = NULL;

  if (error->domain != BOX_ERROR || !leaves_session_locked (upload, error))
    return g_steal_pointer (&owned);
  left = g_strdup_printf ("upload session %s keeps %u of %u parts", upload->session->id,
                          upload->plan.n_done, upload->plan.parts->len);
  if (upload->file_behind.read == NULL)
    advice =
        g_strdup_printf ("; \"boxupload put --session %s FILE\" goes on with a copy of the same "
                         "bytes, \"boxupload abort %s\" discards it",
                         upload->session->id, upload->session->id);
  return box_error_new_with_details ((BoxErrorCode) error->code, box_error_get_details (error),
                                     "%s; %s%s", error->message, left,
                                     advice != NULL ? advice : "");
}

void
box_upload_fail (BoxUpload *upload, GError *error)
{
  gboolean first;

  g_mutex_lock (box_workers_lock ());
  error = name_session_locked (upload, error);
  first = !box_upload_has_ended_locked (upload);
  if (first)
    {
      upload->error = g_error_copy (error);
      box_plan_fail (&upload->plan);
    }
  g_mutex_unlock (box_workers_lock ());

  if (first)
    g_cancellable_cancel (upload->transfers);
  if (first && box_upload_call_begins (upload, BOX_CALL_LAST_EVENT))
    {
      if (upload->events.failed != NULL)
        upload->events.failed (error, upload->user_data);
      box_upload_call_ends (upload);
    }
  g_error_free (error);

  g_mutex_lock (box_workers_lock ());
  upload->told |= first;
  box_workers_wake_locked (&upload->task);
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
  box_upload_tell_over (upload);
}

void
box_upload_cancel (BoxUpload *upload)
{
  g_mutex_lock (box_workers_lock ());
  box_plan_cancel (&upload->plan);
  box_workers_wake_locked (&upload->task);
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
  g_cancellable_cancel (upload->transfers);
  g_cancellable_cancel (upload->cleanup);
  box_upload_tell_over (upload);
}

void
box_upload_close (BoxUpload *upload)
{
  guint own = box_process_count_events (upload);
  gboolean failed;

  g_mutex_lock (box_workers_lock ());
  upload->closed = TRUE;
  failed = upload->error != NULL;
  g_mutex_unlock (box_workers_lock ());
  if (!failed)
    box_upload_cancel (upload);
  g_mutex_lock (box_workers_lock ());
  while (upload->n_calls > own)
    g_cond_wait (&upload->changed, box_workers_lock ());
  g_mutex_unlock (box_workers_lock ());
}

void
box_upload_drain (BoxUpload *upload)
{
  g_mutex_lock (box_workers_lock ());
  box_plan_drain (&upload->plan);
  while ((upload->plan.n_in_flight > 0 || upload->plan.control == BOX_PLAN_CONTROL_BUSY)
         && !box_upload_has_ended_locked (upload))
    g_cond_wait (&upload->changed, box_workers_lock ());
  g_mutex_unlock (box_workers_lock ());
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

gboolean
box_upload_set_process_rate (const char *text, const char *what, GError **error)
{
  return box_process_rate_set (text, what, error);
}

/* The rate is measured since the last sample if that is old enough, so that frequent calls do not
 * make it jump. */
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

static guint64
count_in_order_locked (BoxUpload *upload)
{
  const BoxPlan *plan = &upload->plan;

  if (upload->file != NULL)
    return upload->size;
  if (!plan->opened || plan->whole)
    return 0;
  while (upload->n_in_order < plan->n_sealed
         && g_array_index (plan->parts, BoxPlanPart, upload->n_in_order).state == BOX_PART_DONE)
    upload->n_in_order++;
  return MIN (upload->n_in_order * upload->session->part_size, upload->size);
}

void
box_upload_get_stats (BoxUpload *upload, BoxUploadStats *stats)
{
  BoxBlocksPadding padding;

  g_mutex_lock (box_workers_lock ());
  padding = box_blocks_get_padding_locked (upload->store);
  *stats = (BoxUploadStats){
    .bytes_received = __atomic_load_n (&upload->received, __ATOMIC_RELAXED),
    .bytes_padding = padding.offset != G_MAXUINT64 ? padding.gap : 0,
    .bytes_uploaded = upload->bytes_acked,
    .bytes_under_way = __atomic_load_n (&upload->under_way, __ATOMIC_RELAXED),
    .bytes_sent = __atomic_load_n (&upload->sent, __ATOMIC_RELAXED),
    .bytes_total = upload->size,
    .bytes_in_order = count_in_order_locked (upload),
    .in_doubt = upload->file == NULL
                && (!upload->plan.opened || upload->plan.list_first || upload->plan.n_held > 0),
    .parts_uploaded = upload->plan.n_done,
    .parts_total = upload->plan.parts->len,
    .parts_in_flight = upload->plan.n_in_flight,
    .parts_waiting = upload->n_waiting,
    .parallel = upload->host != NULL ? MIN (upload->host->flow.aim, upload->plan.parallel)
                                     : upload->parallel,
    .parts_asked = upload->parts_asked,
    .parts_hit = upload->parts_hit,
    .hits_refused = upload->hits_refused,
    .retries = upload->retries,
    .parts_adopted = upload->n_adopted,
    .part_fails = upload->part_fails,
    .failing_offset = upload->failing_offset,
    .memory = box_blocks_get_memory_locked (upload->store),
    .rate = sample_rate_locked (upload),
  };
  g_mutex_unlock (box_workers_lock ());
}

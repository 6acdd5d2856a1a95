/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a delivery, and its waits. */
#include "delivery/delivery.h"

#include "base/process.h"
#include "delivery/state.h"

/* --- Life ----------------------------------------------------------------------------------- */

static BoxDelivery *
new_delivery (const BoxDeliveryEvents *events, gpointer user_data)
{
  BoxDelivery *delivery = g_new0 (BoxDelivery, 1);

  g_atomic_ref_count_init (&delivery->refs);
  g_mutex_init (&delivery->lock);
  g_cond_init (&delivery->changed);
  delivery->events = *events;
  delivery->user_data = user_data;
  delivery->fd = -1;
  delivery->full_in = -1;
  delivery->running_time = -1;
  delivery->cancellable = g_cancellable_new ();
  return delivery;
}

BoxDelivery *
box_delivery_ref (BoxDelivery *delivery)
{
  g_atomic_ref_count_inc (&delivery->refs);
  return delivery;
}

void
box_delivery_unref (gpointer data)
{
  BoxDelivery *delivery = data;

  if (!g_atomic_ref_count_dec (&delivery->refs))
    return;
  if (delivery->destroy != NULL)
    delivery->destroy (delivery->user_data);
  g_clear_pointer (&delivery->recovery.client, box_client_unref);
  g_clear_pointer (&delivery->spool, box_spool_unref);
  g_object_unref (delivery->cancellable);
  g_clear_object (&delivery->outer);
  g_clear_pointer (&delivery->file, box_file_free);
  g_clear_error (&delivery->error);
  g_clear_error (&delivery->unsettled);
  g_clear_pointer (&delivery->metadata, box_metadata_unref);
  g_clear_error (&delivery->no_padding);
  g_clear_pointer (&delivery->marks, box_watermark_free);
  g_mutex_clear (&delivery->lock);
  g_cond_clear (&delivery->changed);
  box_destination_free ((BoxDestination *) delivery->settings.upload.destination);
  box_attributes_clear (&delivery->settings.upload.attributes);
  g_free ((char *) delivery->settings.account_file);
  g_free (delivery);
}

static void
take_metadata (BoxDelivery *delivery, BoxMetadata *metadata)
{
  delivery->metadata = metadata != NULL ? box_metadata_ref (metadata) : NULL;
  delivery->facts.to_settle = metadata != NULL;
}

/* The caller's strings may go while threads of a delivery that was freed in an event still run. */
static void
take_settings (BoxDelivery *delivery, const BoxDeliverySettings *settings)
{
  BoxUploadSettings *upload = &delivery->settings.upload;

  delivery->settings = *settings;
  delivery->settings.account_file = g_strdup (settings->account_file);
  upload->destination = box_destination_copy (settings->upload.destination);
  box_attributes_copy (&upload->attributes, &settings->upload.attributes);
}

BoxDelivery *
box_delivery_new_stream (const BoxDeliverySettings *settings, BoxSpool *spool,
                         const BoxDeliveryEvents *events, gpointer user_data,
                         GDestroyNotify destroy, GError **error)
{
  const BoxUploadSettings *upload = &settings->upload;
  BoxDelivery *delivery = new_delivery (events, user_data);

  take_settings (delivery, settings);
  delivery->terms = (BoxTerms){
    .given_session = upload->destination->kind == BOX_DESTINATION_SESSION,
    .if_exists = upload->if_exists,
    .left_to_others = settings->left_to_others,
  };
  delivery->recovery = (BoxRecoverySettings){
    .client = box_client_ref (upload->client),
    .parallel = upload->parallel,
    .upload_rate = upload->upload_rate,
    .retry_timeout = upload->retry_timeout,
    .digest_engine = upload->digest_engine,
    .account_file = delivery->settings.account_file,
  };
  delivery->rate = upload->upload_rate;
  delivery->spool = spool != NULL ? box_spool_ref (spool) : NULL;
  delivery->facts.spooled = spool != NULL;
  delivery->facts.left_to_others = settings->left_to_others;
  take_metadata (delivery, upload->metadata);
  delivery->marks = box_watermark_new ();
  if (!box_delivery_open_stream (delivery, error))
    {
      g_clear_pointer (&delivery->digest, box_digest_free);
      g_clear_pointer (&delivery->recording, box_recording_unref);
      box_delivery_unref (delivery);
      return NULL;
    }
  delivery->destroy = destroy;
  return delivery;
}

BoxDelivery *
box_delivery_new_file (const BoxUploadSettings *settings, int fd, const BoxDeliveryEvents *events,
                       gpointer user_data, GDestroyNotify destroy, GError **error)
{
  BoxDelivery *delivery = new_delivery (events, user_data);

  delivery->fd = fd;
  delivery->settings.upload.size = settings->size;
  delivery->settings.upload.on_error = settings->on_error;
  delivery->rate = settings->upload_rate;
  delivery->facts.phase = BOX_DELIVERY_ENDING;
  delivery->facts.finished = TRUE;
  delivery->recovery.client = box_client_ref (settings->client);
  delivery->recovery.retry_timeout = settings->retry_timeout;
  take_metadata (delivery, settings->metadata);
  if (!box_delivery_open_memory (delivery, settings, error))
    {
      box_delivery_unref (delivery);
      return NULL;
    }
  delivery->destroy = destroy;
  return delivery;
}

static void
on_outer_cancelled (GCancellable *outer, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

BoxDelivery *
box_delivery_new_recording (BoxRecording *recording, const BoxRecoverySettings *settings,
                            const BoxDeliveryEvents *events, gpointer user_data,
                            GCancellable *cancellable)
{
  BoxDelivery *delivery = new_delivery (events, user_data);

  delivery->recording = box_recording_ref (recording);
  delivery->kept_told = TRUE;
  delivery->recovery = *settings;
  box_client_ref (delivery->recovery.client);
  delivery->rate = settings->upload_rate;
  delivery->facts = (BoxDeliveryFacts){
    .spooled = TRUE,
    .phase = BOX_DELIVERY_UPLOADING,
    .finished = TRUE,
    .closed = TRUE,
  };
  if (cancellable != NULL)
    {
      delivery->outer = g_object_ref (cancellable);
      delivery->outer_id = g_cancellable_connect (cancellable, G_CALLBACK (on_outer_cancelled),
                                                  delivery->cancellable, NULL);
    }
  return delivery;
}

/* The owner lets go of it: nothing is reported from now on. */
static void
close_events (BoxDelivery *delivery)
{
  g_mutex_lock (&delivery->lock);
  delivery->closed = TRUE;
  g_cond_broadcast (&delivery->changed);
  g_mutex_unlock (&delivery->lock);
  g_cancellable_cancel (delivery->cancellable);
  g_mutex_lock (&delivery->lock);
  if (delivery->ahead != NULL)
    box_ahead_cancel (delivery->ahead);
  g_mutex_unlock (&delivery->lock);
}

/* The same, and what runs is stopped. */
static void
close_delivery (BoxDelivery *delivery)
{
  close_events (delivery);
  box_delivery_stop_upload (delivery);
}

/* Waits until nothing of it runs. Not in the thread of its steps. */
static void
join (BoxDelivery *delivery)
{
  box_delivery_stop_ticking (delivery);
  box_delivery_end_steps (delivery);
  g_clear_pointer (&delivery->preflight, box_preflight_free);
  g_clear_pointer (&delivery->attempt, box_attempt_free);
  g_clear_pointer (&delivery->resending, box_recovery_free);
  if (delivery->upload != NULL)
    box_upload_close (delivery->upload);
  g_clear_pointer (&delivery->live, box_live_free);
  box_delivery_end_ahead (delivery);
}

gboolean
box_delivery_discard (BoxDelivery *delivery, GError **error)
{
  close_delivery (delivery);
  box_delivery_drop_ahead (delivery);
  join (delivery);
  return delivery->recording == NULL || box_recording_truncate (delivery->recording, 0, error);
}

void
box_delivery_dispose (BoxDelivery *delivery)
{
  gboolean failed = box_delivery_get_phase (delivery) == BOX_DELIVERY_FAILED;

  join (delivery);
  g_clear_pointer (&delivery->digest, box_digest_free);
  if (delivery->recording != NULL)
    box_delivery_tell_kept (delivery, failed ? "error" : "stop");
  /* An empty recording holds nothing. If this removal fails, "boxupload resume" removes it. */
  if (delivery->spool != NULL && delivery->recording != NULL
      && box_recording_get_size (delivery->recording) == 0)
    box_recording_remove (delivery->recording, NULL);
  g_clear_pointer (&delivery->recording, box_recording_unref);
  g_clear_pointer (&delivery->upload, box_upload_unref);
  box_delivery_unref (delivery);
}

static gpointer
stop_and_dispose (gpointer delivery)
{
  box_delivery_stop_upload (delivery);
  box_delivery_dispose (delivery);
  return NULL;
}

/* The caller is in an event that disposing would wait for. If no thread can be started, the
 * recording stays with the process until its end. */
static void
dispose_in_a_thread (BoxDelivery *delivery)
{
  g_autoptr (GError) error = NULL;
  GThread *thread;

  if (!delivery->threaded && delivery->recording != NULL)
    box_delivery_tell_kept (delivery, "stop");
  thread =
      box_process_start_thread ("box-dispose", "to stop with", stop_and_dispose, delivery, &error);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    g_info ("%s", error->message);
}

void
box_delivery_free (BoxDelivery *delivery)
{
  if (delivery == NULL)
    return;
  g_cancellable_disconnect (delivery->outer, delivery->outer_id);
  close_events (delivery);
  if (box_delivery_leave_to_thread (delivery))
    return;
  if (box_delivery_in_event ())
    dispose_in_a_thread (delivery);
  else
    stop_and_dispose (delivery);
}

void
box_delivery_start (BoxDelivery *delivery)
{
  delivery->begun = g_get_monotonic_time ();
  if (delivery->upload != NULL)
    box_upload_start (delivery->upload);
  if (delivery->facts.finished)
    box_delivery_begin_steps (delivery);
  else if (delivery->live != NULL)
    box_delivery_start_live (delivery);
  /* An upload of a known size needs no preflight: its session is refused at once. */
  if (!delivery->facts.finished && delivery->upload == NULL)
    box_delivery_start_preflight (delivery);
}

void
box_delivery_finish (BoxDelivery *delivery, const char *reason, BoxPaddingKind padding, guint64 gap,
                     GError *no_padding)
{
  gboolean ended;

  if (delivery->facts.finished)
    {
      g_clear_error (&no_padding);
      return;
    }
  delivery->reason = reason;
  delivery->padding = padding;
  delivery->gap = gap;
  delivery->no_padding = no_padding;
  /* Asked later than this, Box would find our own file in its way. */
  g_clear_pointer (&delivery->preflight, box_preflight_free);
  g_mutex_lock (&delivery->lock);
  ended = delivery->ending;
  delivery->facts.finished = TRUE;
  delivery->facts.empty =
      delivery->position == 0 && delivery->settings.sizing != BOX_SIZING_EXACT
      && (delivery->recording == NULL || box_recording_get_size (delivery->recording) == 0);
  /* Its waits are the thread's from now on. */
  if (delivery->upload != NULL)
    box_upload_interrupt (delivery->upload, FALSE);
  g_mutex_unlock (&delivery->lock);
  if (!ended)
    box_delivery_begin_steps (delivery);
  else if (delivery->recording != NULL)
    box_delivery_tell_kept (delivery, "error");
}

void
box_delivery_fail (BoxDelivery *delivery, GError *error)
{
  if (delivery->recording != NULL)
    {
      box_delivery_tell_kept (delivery, "error");
      box_recording_note_failure (delivery->recording, error);
    }
  box_delivery_break (delivery, error);
}

/* --- Waits ---------------------------------------------------------------------------------- */

static gboolean
wait_locked (BoxDelivery *delivery, gint64 until)
{
  if (until >= 0)
    return g_cond_wait_until (&delivery->changed, &delivery->lock, until);
  g_cond_wait (&delivery->changed, &delivery->lock);
  return TRUE;
}

BoxWait
box_delivery_wait (BoxDelivery *delivery, gint64 timeout)
{
  gint64 until = timeout < 0 ? -1 : g_get_monotonic_time () + timeout;
  BoxWait wait = BOX_WAIT_READY;

  g_mutex_lock (&delivery->lock);
  while (!delivery->told && wait == BOX_WAIT_READY)
    if (delivery->interrupted)
      wait = BOX_WAIT_INTERRUPTED;
    else if (!wait_locked (delivery, until))
      wait = BOX_WAIT_TIMEOUT;
  if (delivery->told && delivery->facts.phase == BOX_DELIVERY_FAILED)
    wait = BOX_WAIT_FAILED;
  g_mutex_unlock (&delivery->lock);
  return wait;
}

BoxWait
box_delivery_wait_room (BoxDelivery *delivery)
{
  BoxWait wait = BOX_WAIT_READY;

  if (!delivery->facts.spooled)
    wait = box_upload_wait_room (delivery->upload);
  if (wait == BOX_WAIT_INTERRUPTED)
    return wait;
  g_mutex_lock (&delivery->lock);
  while (delivery->ending && !delivery->told && !delivery->interrupted)
    g_cond_wait (&delivery->changed, &delivery->lock);
  if (delivery->told)
    wait = BOX_WAIT_FAILED;
  else if (delivery->ending)
    wait = BOX_WAIT_INTERRUPTED;
  g_mutex_unlock (&delivery->lock);
  return wait;
}

/* --- Any thread ----------------------------------------------------------------------------- */

void
box_delivery_interrupt (BoxDelivery *delivery, gboolean interrupted)
{
  g_mutex_lock (&delivery->lock);
  delivery->interrupted = interrupted;
  if (delivery->upload != NULL && !delivery->facts.finished)
    box_upload_interrupt (delivery->upload, interrupted);
  g_cond_broadcast (&delivery->changed);
  g_mutex_unlock (&delivery->lock);
}

void
box_delivery_set_rate (BoxDelivery *delivery, guint64 rate)
{
  g_mutex_lock (&delivery->lock);
  delivery->rate = rate;
  if (delivery->upload != NULL)
    box_upload_set_rate (delivery->upload, rate);
  if (delivery->live != NULL)
    box_live_set_rate (delivery->live, rate);
  if (delivery->ahead != NULL)
    box_ahead_set_rate (delivery->ahead, rate);
  g_mutex_unlock (&delivery->lock);
}

void
box_delivery_flush_soon (BoxDelivery *delivery)
{
  g_mutex_lock (&delivery->lock);
  if (delivery->recording != NULL)
    box_recording_flush_soon (delivery->recording);
  g_mutex_unlock (&delivery->lock);
}

BoxDeliveryPhase
box_delivery_get_phase (BoxDelivery *delivery)
{
  BoxDeliveryPhase phase;

  g_mutex_lock (&delivery->lock);
  phase = delivery->facts.phase;
  g_mutex_unlock (&delivery->lock);
  return phase;
}

BoxUpload *
box_delivery_dup_upload (BoxDelivery *delivery)
{
  BoxUpload *upload;

  g_mutex_lock (&delivery->lock);
  upload = delivery->upload != NULL ? box_upload_ref (delivery->upload) : NULL;
  g_mutex_unlock (&delivery->lock);
  return upload;
}

gboolean
box_delivery_get_stats (BoxDelivery *delivery, BoxUploadStats *stats)
{
  gboolean carried;

  *stats = (BoxUploadStats){ 0 };
  g_mutex_lock (&delivery->lock);
  carried = delivery->upload != NULL || delivery->live != NULL;
  if (delivery->upload != NULL)
    box_upload_get_stats (delivery->upload, stats);
  else if (carried)
    box_live_get_stats (delivery->live, stats);
  g_mutex_unlock (&delivery->lock);
  return carried;
}

guint64
box_delivery_get_spooled (BoxDelivery *delivery)
{
  guint64 size;

  g_mutex_lock (&delivery->lock);
  size = delivery->recording != NULL ? box_recording_get_size (delivery->recording)
                                     : delivery->left_size;
  g_mutex_unlock (&delivery->lock);
  return size;
}

guint64
box_delivery_get_ahead (BoxDelivery *delivery)
{
  guint64 bytes;

  g_mutex_lock (&delivery->lock);
  bytes =
      delivery->ahead != NULL ? box_ahead_get_bytes (delivery->ahead, NULL) : delivery->sent_ahead;
  g_mutex_unlock (&delivery->lock);
  return bytes;
}

const char *
box_delivery_get_path (BoxDelivery *delivery)
{
  return delivery->recording != NULL && !delivery->displaced
             ? box_recording_get_path (delivery->recording)
             : NULL;
}

GError *
box_delivery_dup_error (BoxDelivery *delivery)
{
  GError *error;

  g_mutex_lock (&delivery->lock);
  error = delivery->error != NULL ? g_error_copy (delivery->error) : NULL;
  g_mutex_unlock (&delivery->lock);
  return error;
}

void
box_delivery_stop_settling (BoxDelivery *delivery)
{
  g_cancellable_cancel (delivery->cancellable);
}

GError *
box_delivery_dup_unsettled (BoxDelivery *delivery)
{
  GError *reason;

  g_mutex_lock (&delivery->lock);
  reason = delivery->unsettled != NULL ? g_error_copy (delivery->unsettled) : NULL;
  g_mutex_unlock (&delivery->lock);
  return reason;
}

BoxFile *
box_delivery_dup_file (BoxDelivery *delivery, BoxRecovered *how)
{
  BoxFile *file;

  g_mutex_lock (&delivery->lock);
  *how = delivery->how;
  file = delivery->file != NULL ? box_file_copy (delivery->file) : NULL;
  g_mutex_unlock (&delivery->lock);
  return file;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a delivery, and its end, which is reported once. */
#include "delivery/state.h"
#include "spool/note.h"

/* Longest time the owner waits for the abort of a failed upload's session (microseconds):
 * long enough for a request over the internet, short enough for a user. */
#define ABORT_TIME (700 * 1000)

/* --- The end -------------------------------------------------------------------------------- */

/* A second caller waits until the first has reported. Once the steps have begun only they report,
 * after what they do now: the events come in order. */
static void
report_end (BoxDelivery *delivery, BoxDeliveryPhase phase, gboolean in_thread)
{
  gboolean ours, tell;

  g_mutex_lock (&delivery->lock);
  /* None of its events is still on its way when the end is reported, unless it is in one. */
  while (delivery->positioner != NULL && delivery->positioner != g_thread_self ()
         && !delivery->interrupted && !delivery->closed)
    g_cond_wait (&delivery->changed, &delivery->lock);
  ours = !delivery->ending && (in_thread || !delivery->threaded);
  while (!ours && !delivery->threaded && !delivery->told && !delivery->interrupted)
    g_cond_wait (&delivery->changed, &delivery->lock);
  if (ours)
    {
      if (phase == BOX_DELIVERY_FAILED && delivery->error == NULL)
        delivery->error = g_error_new_literal (BOX_ERROR, BOX_ERROR_CANCELLED, "Stopped");
      delivery->ending = TRUE;
      delivery->facts.phase = phase;
    }
  tell = ours && !delivery->closed && delivery->events.ended != NULL;
  g_mutex_unlock (&delivery->lock);
  if (!ours)
    return;

  if (tell)
    delivery->events.ended (delivery, phase, delivery->file,
                            phase == BOX_DELIVERY_FAILED ? delivery->error : NULL,
                            delivery->user_data);
  g_mutex_lock (&delivery->lock);
  delivery->told = TRUE;
  g_cond_broadcast (&delivery->changed);
  g_mutex_unlock (&delivery->lock);
}

void
box_delivery_settle (BoxDelivery *delivery)
{
  BoxDeliveryStep step;

  g_mutex_lock (&delivery->lock);
  step = box_delivery_next (&delivery->facts);
  g_mutex_unlock (&delivery->lock);
  if (step.kind == BOX_DELIVERY_ENTER && box_delivery_phase_is_end (step.phase))
    report_end (delivery, step.phase, FALSE);
}

void
box_delivery_set_error_locked (BoxDelivery *delivery, GError *error)
{
  if (delivery->ending || delivery->facts.broken)
    {
      g_clear_error (&error);
      return;
    }
  g_clear_error (&delivery->error);
  delivery->error = error;
}

/* Ends whatever carries the bytes, before the end is reported: none of its events follows that. */
static void
stop_carriers (BoxDelivery *delivery, GError *error)
{
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (delivery);

  if (delivery->ahead != NULL)
    box_ahead_cancel (delivery->ahead);
  if (delivery->live != NULL)
    box_live_cancel (delivery->live);
  if (upload != NULL)
    box_upload_fail (upload, error);
  else
    g_error_free (error);
}

void
box_delivery_break (BoxDelivery *delivery, GError *error)
{
  GError *copy = g_error_copy (error);

  g_mutex_lock (&delivery->lock);
  box_delivery_set_error_locked (delivery, error);
  delivery->facts.broken = TRUE;
  g_mutex_unlock (&delivery->lock);
  stop_carriers (delivery, copy);
  box_delivery_settle (delivery);
}

/* --- Steps ---------------------------------------------------------------------------------- */

gboolean
box_delivery_is_closed (BoxDelivery *delivery)
{
  gboolean closed;

  g_mutex_lock (&delivery->lock);
  closed = delivery->closed;
  g_mutex_unlock (&delivery->lock);
  return closed;
}

void
box_delivery_stop_upload (BoxDelivery *delivery)
{
  g_autoptr (BoxUpload) upload = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&delivery->lock);
  if (delivery->upload != NULL && !delivery->resent)
    upload = box_upload_ref (delivery->upload);
  g_mutex_unlock (&delivery->lock);
  if (delivery->live != NULL)
    box_live_cancel (delivery->live);
  error = upload != NULL ? box_upload_get_error (upload) : NULL;
  if (error != NULL && delivery->settings.upload.on_error == BOX_ON_ERROR_ABORT)
    box_upload_wait_settled (upload, ABORT_TIME);
  else if (upload != NULL && error == NULL)
    box_upload_cancel (upload);
}

void
box_delivery_abandon (BoxDelivery *delivery)
{
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (delivery);

  g_mutex_lock (&delivery->lock);
  delivery->abandoned = TRUE;
  delivery->facts.carrier = BOX_CARRIER_NONE;
  g_mutex_unlock (&delivery->lock);
  if (upload != NULL)
    box_upload_cancel (upload);
  if (delivery->live != NULL)
    box_live_cancel (delivery->live);
}

/* @file: (nullable): taken. */
static void
take_file_locked (BoxDelivery *delivery, BoxFile *file)
{
  if (file != NULL)
    box_client_add_link (delivery->recovery.client, file);
  delivery->file = file;
}

static void
await_live (BoxDelivery *delivery)
{
  BoxWait wait = box_live_wait (delivery->live);

  g_mutex_lock (&delivery->lock);
  delivery->facts.carrier = wait == BOX_WAIT_READY ? BOX_CARRIER_DONE : BOX_CARRIER_FAILED;
  take_file_locked (delivery, box_live_get_file (delivery->live));
  delivery->facts.committed = delivery->file != NULL;
  g_mutex_unlock (&delivery->lock);
}

/* TRUE: it rests until the upload is over. */
static gboolean
await_carrier (BoxDelivery *delivery)
{
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (delivery);
  BoxWait wait = box_upload_wait_done (upload, 0);

  if (wait == BOX_WAIT_TIMEOUT)
    {
      box_upload_call_when_over (upload, box_delivery_wake, delivery);
      return TRUE;
    }
  g_mutex_lock (&delivery->lock);
  if (wait == BOX_WAIT_READY)
    {
      take_file_locked (delivery, box_upload_get_file (upload));
      delivery->facts.carrier = BOX_CARRIER_DONE;
      delivery->facts.committed = delivery->file != NULL;
    }
  else if (wait == BOX_WAIT_FAILED)
    delivery->facts.carrier = BOX_CARRIER_FAILED;
  g_mutex_unlock (&delivery->lock);
  return FALSE;
}

static void
on_uploading (BoxUpload *upload, gpointer user_data)
{
  BoxDelivery *delivery = user_data;
  BoxUpload *previous;

  g_mutex_lock (&delivery->lock);
  previous = delivery->upload;
  delivery->upload = box_upload_ref (upload);
  delivery->resent = TRUE;
  box_upload_set_rate (upload, delivery->rate);
  g_mutex_unlock (&delivery->lock);
  g_clear_pointer (&previous, box_upload_unref);
}

/* --- What the file gets after its commit --- */

/* Any thread of the delivery's. */
static void
leave_unsettled (BoxDelivery *delivery, const BoxRecording *recording, const GError *reason)
{
  const char *path = recording != NULL ? box_recording_get_path ((BoxRecording *) recording) : NULL;

  g_mutex_lock (&delivery->lock);
  g_clear_error (&delivery->unsettled);
  delivery->unsettled = g_error_copy (reason);
  g_mutex_unlock (&delivery->lock);
  if (delivery->events.unsettled != NULL)
    delivery->events.unsettled (path, reason, delivery->user_data);
}

static void
tell_retrying (guint number, gint64 delay, const GError *reason, gpointer user_data)
{
  box_delivery_upload_events.retrying ("metadata", G_MAXUINT64, number, delay, reason, user_data);
}

/* The journal that notes what is left to do: the recording's; or an errand's, if the bytes are not
 * in the spool. NULL: it cannot be made. */
static BoxRecording *
open_errand (BoxDelivery *delivery)
{
  g_autoptr (GError) error = NULL;
  BoxRecording *errand;

  if (delivery->recording != NULL)
    return box_recording_ref (delivery->recording);
  errand = box_settle_new_errand (NULL, delivery->file, delivery->metadata, &error);
  if (errand == NULL)
    g_info ("Whether the file has its metadata is not noted: %s", error->message);
  return errand;
}

/* An errand that is done is removed; a recording is cleared by the next step. */
static void
close_errand (BoxDelivery *delivery, BoxRecording *errand, const GError *failure)
{
  g_autoptr (GError) error = NULL;

  if (failure != NULL)
    leave_unsettled (delivery, errand, failure);
  if (errand == NULL)
    return;
  if (failure == NULL && errand != delivery->recording)
    box_recording_remove (errand, &error);
  else if (failure != NULL && !g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
    box_recording_remove_data (errand, &error);
  if (error != NULL)
    g_info ("%s", error->message);
}

static void
settle (BoxDelivery *delivery)
{
  const BoxSettleSettings settings = {
    .client = delivery->recovery.client,
    .metadata = delivery->metadata,
    .retry_timeout = delivery->recovery.retry_timeout,
    .retrying = tell_retrying,
    .user_data = delivery,
  };
  g_autoptr (BoxRecording) errand = open_errand (delivery);
  g_autoptr (GError) failure = NULL;

  box_settle_run (&settings, delivery->file->id, errand, delivery->cancellable, &failure);
  close_errand (delivery, errand, failure);
  g_mutex_lock (&delivery->lock);
  delivery->facts.settled = TRUE;
  delivery->facts.cleared |= failure != NULL;
  g_mutex_unlock (&delivery->lock);
}

static void
on_unsettled (const GError *reason, gpointer user_data)
{
  BoxDelivery *delivery = user_data;

  leave_unsettled (delivery, delivery->recording, reason);
}

static void
tell_anew (BoxDelivery *delivery)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) reason = NULL;

  if (delivery->live == NULL)
    return;
  (void) box_live_wait (delivery->live);
  error = box_delivery_dup_error (delivery);
  if (error == NULL || delivery->events.anew == NULL)
    return;
  reason = box_delivery_explain (delivery, error);
  delivery->events.anew (delivery, reason, delivery->live_told, delivery->user_data);
}

static void
resend (BoxDelivery *delivery)
{
  const BoxRecoveryEvents events = {
    .uploading = on_uploading,
    .unsettled = on_unsettled,
    .uploading_data = delivery,
    .upload = box_delivery_upload_events,
  };

  box_delivery_stop_upload (delivery);
  g_clear_pointer (&delivery->attempt, box_attempt_free);
  box_delivery_end_ahead (delivery);
  tell_anew (delivery);
  delivery->resending = box_recovery_new (delivery->recording, &delivery->recovery, &events,
                                          delivery, delivery->cancellable);
  g_mutex_lock (&delivery->lock);
  delivery->facts.carrier = BOX_CARRIER_RUNNING;
  delivery->facts.again = TRUE;
  g_mutex_unlock (&delivery->lock);
}

/* TRUE: it rests until the upload of the recording is over. */
static gboolean
await_resent (BoxDelivery *delivery)
{
  g_autoptr (BoxFile) file = NULL;
  GError *error = NULL;
  BoxRecoveryState state = box_recovery_go_on (delivery->resending, &error);
  BoxRecovered how = BOX_RECOVERED_EMPTY;
  gboolean done = state == BOX_RECOVERY_DONE;

  if (state == BOX_RECOVERY_WAITS)
    {
      box_upload_call_when_over (box_recovery_get_upload (delivery->resending), box_delivery_wake,
                                 delivery);
      return TRUE;
    }
  if (done)
    how = box_recovery_steal_result (delivery->resending, &file);
  g_mutex_lock (&delivery->lock);
  box_delivery_set_error_locked (delivery, error);
  delivery->how = how;
  delivery->facts.carrier = done ? BOX_CARRIER_DONE : BOX_CARRIER_FAILED;
  delivery->facts.committed = file != NULL;
  delivery->facts.empty = done && how == BOX_RECOVERED_EMPTY;
  delivery->facts.settled = delivery->facts.cleared = TRUE;
  take_file_locked (delivery, g_steal_pointer (&file));
  g_mutex_unlock (&delivery->lock);
  return FALSE;
}

/* A live request has a thread of its own as well. */
static gboolean
await (BoxDelivery *delivery)
{
  if (delivery->resending != NULL)
    return await_resent (delivery);
  if (delivery->live == NULL)
    return await_carrier (delivery);
  await_live (delivery);
  return FALSE;
}

/* Box has the file. That it cannot be removed from the spool changes nothing about that, and
 * "boxupload resume" tries again. */
static void
clear (BoxDelivery *delivery)
{
  g_autoptr (GError) error = NULL;

  if (!box_recording_remove (delivery->recording, &error))
    g_info ("%s", error->message);
  g_mutex_lock (&delivery->lock);
  delivery->facts.cleared = TRUE;
  g_mutex_unlock (&delivery->lock);
}

/* The recording is free for others: its lock is given up. */
static void
let_go (BoxDelivery *delivery)
{
  BoxRecording *recording;

  box_delivery_stop_upload (delivery);
  g_clear_pointer (&delivery->attempt, box_attempt_free);
  box_delivery_end_ahead (delivery);
  g_mutex_lock (&delivery->lock);
  delivery->left_size = box_recording_get_size (delivery->recording);
  recording = g_steal_pointer (&delivery->recording);
  g_mutex_unlock (&delivery->lock);
  box_recording_unref (recording);
}

static void
enter (BoxDelivery *delivery, BoxDeliveryPhase phase)
{
  const BoxDestination *destination = delivery->settings.upload.destination;

  if (!box_delivery_phase_is_end (phase))
    {
      g_mutex_lock (&delivery->lock);
      delivery->facts.phase = phase;
      g_mutex_unlock (&delivery->lock);
      if (phase == BOX_DELIVERY_ENDING && delivery->events.ending != NULL)
        delivery->events.ending (delivery->user_data);
      return;
    }
  /* Its events end before that is reported. */
  g_clear_pointer (&delivery->resending, box_recovery_free);
  if (phase == BOX_DELIVERY_EMPTY)
    box_delivery_abandon (delivery);
  /* Its error says that it is kept. */
  if (phase == BOX_DELIVERY_FAILED && delivery->spool != NULL && delivery->recording != NULL)
    (void) box_delivery_restore (delivery, NULL);
  if (phase == BOX_DELIVERY_SPOOLED)
    let_go (delivery);
  if (phase == BOX_DELIVERY_COMMITTED && destination != NULL
      && destination->kind == BOX_DESTINATION_SESSION)
    box_note_remove (destination->session_id);
  report_end (delivery, phase, TRUE);
}

/* TRUE: it rests. */
static gboolean
execute (BoxDelivery *delivery, const BoxDeliveryStep *step)
{
  switch (step->kind)
    {
    case BOX_DELIVERY_CLOSE:
      box_delivery_close_stream (delivery);
      break;
    case BOX_DELIVERY_AWAIT:
      return await (delivery);
    case BOX_DELIVERY_RESEND:
      resend (delivery);
      break;
    case BOX_DELIVERY_SETTLE:
      settle (delivery);
      break;
    case BOX_DELIVERY_CLEAR:
      clear (delivery);
      break;
    case BOX_DELIVERY_ENTER:
      enter (delivery, step->phase);
      break;
    case BOX_DELIVERY_WAIT:
    case BOX_DELIVERY_STOP:
      break;
    }
  return FALSE;
}

BoxDeliveryShift
box_delivery_do_steps (BoxDelivery *delivery)
{
  BoxDeliveryStep step;
  gboolean closed, rests = FALSE, orphaned;

  g_mutex_lock (&delivery->lock);
  delivery->self = g_thread_self ();
  g_mutex_unlock (&delivery->lock);
  do
    {
      g_mutex_lock (&delivery->lock);
      step = box_delivery_next (&delivery->facts);
      closed = delivery->closed;
      g_mutex_unlock (&delivery->lock);
      if (!closed)
        rests = execute (delivery, &step);
    }
  while (!closed && !rests && step.kind != BOX_DELIVERY_STOP);

  /* The thread may do the steps of another delivery next. */
  g_mutex_lock (&delivery->lock);
  delivery->self = NULL;
  orphaned = delivery->orphaned;
  g_mutex_unlock (&delivery->lock);
  if (orphaned)
    return BOX_DELIVERY_ORPHANED;
  return rests ? BOX_DELIVERY_RESTS : BOX_DELIVERY_OVER;
}

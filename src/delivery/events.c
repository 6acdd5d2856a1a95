/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Receives the events of a delivery's uploads and passes on those that its owner needs. */
#include "base/process.h"
#include "delivery/state.h"

/* An answer of Box that comes later than this (microseconds) finds a recording that has begun, and
 * does not end it. Longer than an answer takes on a slow line, short enough that little is recorded
 * in vain. */
#define BEGINNING (30 * G_USEC_PER_SEC)

/* Consequence of a refusal while bytes still arrive. */
typedef enum
{
  WEIGHT_NONE,    /* for the steps to come */
  WEIGHT_GOES_ON, /* the recording goes on without its upload */
  WEIGHT_END,     /* it would be recorded in vain */
} Weight;

static Weight
weigh_locked (const BoxDelivery *delivery, const GError *error)
{
  if (!delivery->facts.spooled || delivery->facts.finished || delivery->facts.broken)
    return WEIGHT_NONE;
  if (delivery->settings.stop_if_refused && !delivery->opened
      && g_get_monotonic_time () < delivery->begun + BEGINNING
      && box_policy_refuses_settings (&delivery->terms, error))
    return WEIGHT_END;
  return WEIGHT_GOES_ON;
}

/* The owner of the events of all deliveries: none is to be waited for in an event of another one.
 */
static const char deliveries;

gboolean
box_delivery_in_event (void)
{
  return box_process_count_events (&deliveries) > 0;
}

void
box_delivery_tell_position (BoxDelivery *delivery, const BoxPosition *position)
{
  box_process_enter_event (&deliveries);
  delivery->events.position (delivery, position, delivery->user_data);
  box_process_leave_event ();
}

GError *
box_delivery_explain (BoxDelivery *delivery, const GError *error)
{
  if (!box_policy_has_way (&delivery->terms, error))
    return g_error_copy (error);
  return box_error_new_with_details (BOX_ERROR_NAME_IN_USE, box_error_get_details (error),
                                     "Somebody took the name, and if-exists says what follows");
}

static void
tell_goes_on (BoxDelivery *delivery, const GError *error, gboolean matters)
{
  g_autoptr (GError) reason = box_delivery_explain (delivery, error);

  box_process_enter_event (&deliveries);
  delivery->events.goes_on (delivery, reason, matters, delivery->user_data);
  box_process_leave_event ();
}

void
box_delivery_tell_room (BoxDelivery *delivery, const char *text, guint64 limit)
{
  if (delivery->events.room == NULL)
    return;
  box_process_enter_event (&deliveries);
  delivery->events.room (text, limit, delivery->user_data);
  box_process_leave_event ();
}

/* The end is reported in this thread, which is not the delivery's own. The journal has the reason
 * for those who look into the spool later. */
static void
tell_end (BoxDelivery *delivery, const GError *error)
{
  if (delivery->recording != NULL)
    box_recording_note_failure (delivery->recording, error);
  box_process_enter_event (&deliveries);
  box_delivery_break (delivery, g_error_copy (error));
  box_process_leave_event ();
}

void
box_delivery_refused (const GError *error, gpointer user_data)
{
  BoxDelivery *delivery = user_data;
  Weight weight;

  g_mutex_lock (&delivery->lock);
  weight = weigh_locked (delivery, error);
  g_mutex_unlock (&delivery->lock);
  if (weight == WEIGHT_END)
    tell_end (delivery, error);
  else if (weight == WEIGHT_GOES_ON && delivery->events.goes_on != NULL)
    tell_goes_on (delivery, error, !box_policy_is_for_others (&delivery->terms, error));
}

static void
on_failed (const GError *error, gpointer user_data)
{
  BoxDelivery *delivery = user_data;
  gboolean wanted;

  g_mutex_lock (&delivery->lock);
  wanted = !delivery->abandoned && !delivery->facts.broken;
  if (wanted)
    {
      delivery->facts.carrier = BOX_CARRIER_FAILED;
      delivery->facts.mendable = box_policy_another_upload_can_mend (error);
      box_delivery_set_error_locked (delivery, g_error_copy (error));
    }
  g_mutex_unlock (&delivery->lock);
  if (wanted)
    box_delivery_refused (error, delivery);
  if (!delivery->facts.spooled)
    box_delivery_settle (delivery);
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  BoxDelivery *delivery = user_data;

  g_mutex_lock (&delivery->lock);
  delivery->opened = TRUE;
  g_mutex_unlock (&delivery->lock);
  if (delivery->events.upload.session_opened != NULL)
    {
      box_process_enter_event (&deliveries);
      delivery->events.upload.session_opened (session, size, delivery->user_data);
      box_process_leave_event ();
    }
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  BoxDelivery *delivery = user_data;

  if (delivery->events.upload.part_done != NULL)
    {
      box_process_enter_event (&deliveries);
      delivery->events.upload.part_done (part, attempts, adopted, delivery->user_data);
      box_process_leave_event ();
    }
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  BoxDelivery *delivery = user_data;

  if (delivery->events.upload.retrying != NULL)
    {
      box_process_enter_event (&deliveries);
      delivery->events.upload.retrying (request, offset, attempt, delay, reason,
                                        delivery->user_data);
      box_process_leave_event ();
    }
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  BoxDelivery *delivery = user_data;

  if (delivery->events.upload.outage != NULL)
    {
      box_process_enter_event (&deliveries);
      delivery->events.upload.outage (reason, delivery->user_data);
      box_process_leave_event ();
    }
}

static void
on_committing (gpointer user_data)
{
  BoxDelivery *delivery = user_data;

  if (delivery->events.upload.committing != NULL)
    {
      box_process_enter_event (&deliveries);
      delivery->events.upload.committing (delivery->user_data);
      box_process_leave_event ();
    }
}

/* Not completed: the step that waits for the upload sees that. */
const BoxUploadEvents box_delivery_upload_events = {
  .session_opened = on_session_opened,
  .part_done = on_part_done,
  .retrying = on_retrying,
  .outage = on_outage,
  .committing = on_committing,
  .failed = on_failed,
};

/* The recording goes on, and is uploaded at its end: nothing that can happen to a request that Box
 * would have taken makes that useless. When the stream is over the step that sends the recording
 * again tells it. */
static void
on_live_failed (const GError *error, gboolean begun, gpointer user_data)
{
  BoxDelivery *delivery = user_data;
  gboolean wanted;
  Weight weight;

  g_mutex_lock (&delivery->lock);
  wanted = !delivery->abandoned && !delivery->facts.broken;
  weight = weigh_locked (delivery, error);
  if (wanted)
    {
      delivery->facts.carrier = BOX_CARRIER_FAILED;
      delivery->facts.mendable = TRUE;
      delivery->live_told = weight != WEIGHT_NONE;
      box_delivery_set_error_locked (delivery, g_error_copy (error));
    }
  g_mutex_unlock (&delivery->lock);
  if (wanted && !begun && weight == WEIGHT_END)
    tell_end (delivery, error);
  else if (wanted && weight != WEIGHT_NONE && delivery->events.goes_on != NULL)
    tell_goes_on (delivery, error, TRUE);
}

/* Not completed: the step that waits for it sees that. */
const BoxLiveEvents box_delivery_live_events = { .failed = on_live_failed };

static void
tell_displaced (BoxDelivery *delivery, const char *text)
{
  if (delivery->events.displaced == NULL)
    return;
  box_process_enter_event (&deliveries);
  delivery->events.displaced (text, delivery->user_data);
  box_process_leave_event ();
}

void
box_delivery_check_place (BoxDelivery *delivery)
{
  g_autoptr (BoxRecording) recording = NULL;
  g_autofree char *what = NULL;
  gboolean tell;

  g_mutex_lock (&delivery->lock);
  if (delivery->recording != NULL && !delivery->facts.finished && !delivery->ending)
    recording = box_recording_ref (delivery->recording);
  g_mutex_unlock (&delivery->lock);
  if (recording == NULL || box_recording_is_in_place (recording, &what))
    return;
  g_mutex_lock (&delivery->lock);
  tell = !delivery->displaced_told && !delivery->closed && !delivery->ending;
  delivery->displaced_told |= tell;
  g_mutex_unlock (&delivery->lock);
  if (tell)
    tell_displaced (delivery, what);
}

gboolean
box_delivery_restore (BoxDelivery *delivery, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;

  if (delivery->displaced)
    return FALSE;
  if (!box_recording_restore (delivery->recording, &text, &failure))
    {
      delivery->displaced = TRUE;
      text = g_strdup (failure->message);
      g_propagate_error (error, g_steal_pointer (&failure));
    }
  if (text != NULL && (!delivery->displaced || error == NULL))
    tell_displaced (delivery, text);
  return !delivery->displaced;
}

void
box_delivery_tell_kept (BoxDelivery *delivery, const char *reason)
{
  g_autoptr (BoxJournalState) state = NULL;
  g_autoptr (GError) lost = NULL;
  guint64 size = box_recording_get_size (delivery->recording);

  if (delivery->kept_told || size == 0)
    return;
  delivery->kept_told = TRUE;
  if (!box_delivery_restore (delivery, NULL))
    return;
  box_recording_flush (delivery->recording, &lost);
  state = box_recording_get_state (delivery->recording);
  if (delivery->events.kept != NULL)
    delivery->events.kept (box_recording_get_path (delivery->recording), size, reason,
                           box_recording_is_interrupted (state, size), lost, delivery->user_data);
}

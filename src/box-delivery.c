/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box-delivery.h"

/* All immutable. */
typedef struct
{
  BoxRecording *recording;
  BoxUploadEvents events; /* the caller's */
  gpointer user_data;
  GDestroyNotify destroy;
} Delivery;

static void
delivery_free (gpointer data)
{
  Delivery *delivery = data;

  if (delivery->destroy != NULL)
    delivery->destroy (delivery->user_data);
  box_recording_unref (delivery->recording);
  g_free (delivery);
}

static gboolean
read_recording (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  Delivery *delivery = user_data;

  return box_recording_read (delivery->recording, offset, buffer, length, error);
}

/* Takes @error. */
static void
note_failure (Delivery *delivery, GError *error)
{
  g_info ("The journal of %s misses a line, which is found out from Box if needed: %s",
          box_recording_get_path (delivery->recording), error->message);
  g_error_free (error);
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  Delivery *delivery = user_data;
  GError *error = NULL;

  if (!box_recording_set_session (delivery->recording, session, size, &error))
    note_failure (delivery, error);
  if (delivery->events.session_opened != NULL)
    delivery->events.session_opened (session, size, delivery->user_data);
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  Delivery *delivery = user_data;
  GError *error = NULL;

  if (!box_recording_add_part (delivery->recording, part, &error))
    note_failure (delivery, error);
  if (delivery->events.part_done != NULL)
    delivery->events.part_done (part, attempts, adopted, delivery->user_data);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  Delivery *delivery = user_data;

  if (delivery->events.retrying != NULL)
    delivery->events.retrying (request, offset, attempt, delay, reason, delivery->user_data);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  Delivery *delivery = user_data;

  if (delivery->events.outage != NULL)
    delivery->events.outage (reason, delivery->user_data);
}

static void
on_committing (gpointer user_data)
{
  Delivery *delivery = user_data;
  GError *error = NULL;

  if (!box_recording_set_committing (delivery->recording, &error))
    note_failure (delivery, error);
  if (delivery->events.committing != NULL)
    delivery->events.committing (delivery->user_data);
}

static void
on_completed (const BoxFile *file, gpointer user_data)
{
  Delivery *delivery = user_data;
  GError *error = NULL;

  if (file != NULL && !box_recording_set_committed (delivery->recording, file, &error))
    note_failure (delivery, error);
  if (delivery->events.completed != NULL)
    delivery->events.completed (file, delivery->user_data);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  Delivery *delivery = user_data;

  if (delivery->events.failed != NULL)
    delivery->events.failed (error, delivery->user_data);
}

BoxUpload *
box_delivery_new (BoxRecording *recording, const BoxUploadSettings *settings,
                  const BoxUploadEvents *events, gpointer user_data, GDestroyNotify destroy,
                  GError **error)
{
  static const BoxUploadEvents own = {
    .session_opened = on_session_opened,
    .part_done = on_part_done,
    .retrying = on_retrying,
    .outage = on_outage,
    .committing = on_committing,
    .completed = on_completed,
    .failed = on_failed,
  };
  Delivery *delivery = g_new0 (Delivery, 1);
  BoxUploadSource source = { .read = read_recording, .user_data = delivery };
  BoxUploadSettings with_source = *settings;
  BoxUpload *upload;

  delivery->recording = box_recording_ref (recording);
  if (events != NULL)
    delivery->events = *events;
  delivery->user_data = user_data;
  delivery->destroy = destroy;
  with_source.source = &source;
  upload = box_upload_new (&with_source, &own, delivery, delivery_free, error);
  if (upload == NULL)
    {
      delivery->destroy = NULL;
      delivery_free (delivery);
    }
  return upload;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an application reaches of the element beside its properties and messages: the signal that
 * asks it for a token, the URI, and the statistics.
 */
#include "gstboxuploadsink.h"

/* --- The signal "request-token" ------------------------------------------------------------- */

/* The first handler that returns a token has answered. */
static gboolean
take_first_token (GSignalInvocationHint *hint, GValue *result, const GValue *answer, gpointer data)
{
  if (g_value_get_string (answer) == NULL)
    return TRUE;
  g_value_copy (answer, result);
  return FALSE;
}

guint
sink_install_request_token (GObjectClass *klass)
{
  /**
   * GstBoxUploadSink::request-token:
   *
   * Asks for an access token if none is set or Box has refused the current one. Emitted in a
   * separate thread. The upload does not wait for an answer that takes too long.
   *
   * Returns: (transfer full) (nullable): a new access token, or %NULL if the application has none.
   *
   * Since: 0.1
   */
  return g_signal_new ("request-token", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                       take_first_token, NULL, NULL, G_TYPE_STRING, 0);
}

static char *
request_token (gpointer user_data)
{
  g_autoptr (GstElement) element = g_weak_ref_get (user_data);
  char *token = NULL;

  if (element != NULL)
    g_signal_emit_by_name (element, "request-token", &token);
  return token;
}

static void
free_weak_ref (gpointer user_data)
{
  g_weak_ref_clear (user_data);
  g_free (user_data);
}

void
sink_answer_token_requests (GstElement *element, BoxClient *client)
{
  guint id = g_signal_lookup ("request-token", G_OBJECT_TYPE (element));
  GWeakRef *weak_ref;

  if (!g_signal_has_handler_pending (element, id, 0, FALSE))
    return;
  weak_ref = g_new0 (GWeakRef, 1);
  g_weak_ref_init (weak_ref, element);
  box_credentials_set_request (box_client_get_credentials (client), request_token, weak_ref,
                               free_weak_ref);
}

/* --- The URI -------------------------------------------------------------------------------- */

static GstURIType
get_type (GType type)
{
  return GST_URI_SINK;
}

static const char *const *
get_protocols (GType type)
{
  static const char *const protocols[] = { "box", NULL };

  return protocols;
}

char *
sink_uri_from_properties (SinkProperties *properties)
{
  g_auto (SinkValues) values = { 0 };
  g_autoptr (BoxDestination) destination = NULL;

  sink_properties_copy (properties, &values);
  if (values.location != NULL || values.file_name != NULL)
    destination = sink_config_new_destination (&values, NULL);
  return destination != NULL ? box_destination_to_uri (destination) : NULL;
}

static char *
get_uri (GstURIHandler *handler)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (handler);

  return sink_uri_from_properties (&self->properties);
}

static gboolean
set_uri (GstURIHandler *handler, const char *uri, GError **error)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (handler);
  g_autoptr (BoxDestination) destination = NULL;
  g_autoptr (GError) local_error = NULL;

  destination = box_destination_new_from_uri (uri, &local_error);
  if (destination == NULL)
    {
      g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, local_error->message);
      return FALSE;
    }
  if (!sink_properties_set_location (&self->properties, uri))
    {
      g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                           "The URI can only be changed in the states NULL and READY");
      return FALSE;
    }
  return TRUE;
}

void
sink_uri_handler_init (gpointer iface, gpointer iface_data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = get_type;
  handler->get_protocols = get_protocols;
  handler->get_uri = get_uri;
  handler->set_uri = set_uri;
}

/* What carries the stream, and where it stands. */
typedef struct
{
  BoxUpload *upload; /* NULL: none, or a live request */
  BoxUploadStats stats;
  guint64 spooled;
  guint64 ahead;
  BoxPosition position;
} Carrier;

static void
look_at_carrier (GstBoxUploadSink *self, Carrier *carrier)
{
  *carrier = (Carrier){ .position = { .safe_time = -1, .full_in = -1 } };
  g_mutex_lock (&self->lock);
  if (self->stream.delivery != NULL)
    {
      carrier->upload = box_delivery_dup_upload (self->stream.delivery);
      box_delivery_get_stats (self->stream.delivery, &carrier->stats);
      carrier->spooled = box_delivery_get_spooled (self->stream.delivery);
      carrier->ahead = box_delivery_get_ahead (self->stream.delivery);
      box_delivery_get_position (self->stream.delivery, &carrier->position);
    }
  g_mutex_unlock (&self->lock);
}

static GstStructure *
make (const Carrier *carrier)
{
  BoxUploadStats stats = carrier->stats;
  guint64 spooled = carrier->spooled;
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (BoxFile) file = NULL;
  GstStructure *made;

  if (carrier->upload != NULL)
    {
      session = box_upload_get_session (carrier->upload);
      file = box_upload_get_file (carrier->upload);
    }
  stats.bytes_received = MAX (stats.bytes_received, spooled);
  made = gst_structure_new (
      "application/x-boxuploadsink-stats", "bytes-received", G_TYPE_UINT64, stats.bytes_received,
      "bytes-uploaded", G_TYPE_UINT64, stats.bytes_uploaded, "bytes-total", G_TYPE_UINT64,
      stats.bytes_total, "parts-uploaded", G_TYPE_UINT, stats.parts_uploaded, "parts-total",
      G_TYPE_UINT, stats.parts_total, "parts-in-flight", G_TYPE_UINT, stats.parts_in_flight,
      "parts-waiting", G_TYPE_UINT, stats.parts_waiting, "parallel", G_TYPE_UINT, stats.parallel,
      "parts-adopted", G_TYPE_UINT, stats.parts_adopted, "retries", G_TYPE_UINT, stats.retries,
      "memory", G_TYPE_UINT64, stats.memory, "spooled", G_TYPE_UINT64, spooled, "bytes-ahead",
      G_TYPE_UINT64, carrier->ahead, "rate", G_TYPE_UINT64, stats.rate, "session-id", G_TYPE_STRING,
      session != NULL ? session->id : NULL, "file-id", G_TYPE_STRING,
      file != NULL ? file->id : NULL, NULL);
  sink_add_position (made, &carrier->position);
  return made;
}

static GstStructure *
make_now (GstBoxUploadSink *self)
{
  GstStructure *stats;
  Carrier carrier;

  look_at_carrier (self, &carrier);
  stats = make (&carrier);
  g_clear_pointer (&carrier.upload, box_upload_unref);
  return stats;
}

GstStructure *
sink_stats_dup (GstBoxUploadSink *self)
{
  GstStructure *stats = NULL;

  g_mutex_lock (&self->lock);
  if (self->stream.last_stats != NULL)
    stats = gst_structure_copy (self->stream.last_stats);
  g_mutex_unlock (&self->lock);
  return stats != NULL ? stats : make_now (self);
}

void
sink_stats_keep (GstBoxUploadSink *self)
{
  GstStructure *stats = make_now (self);

  g_mutex_lock (&self->lock);
  if (self->stream.last_stats == NULL)
    self->stream.last_stats = g_steal_pointer (&stats);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&stats, gst_structure_free);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uri.h"

#include "config.h"
#include "instance.h"

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

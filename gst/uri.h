/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element as a GstURIHandler for box://: the URI is the property "location".
 */
#pragma once

#include <gst/gst.h>

#include "properties.h"

G_BEGIN_DECLS

/* For G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, …). */
void sink_uri_handler_init (gpointer iface, gpointer iface_data);

/* The URI that the properties name: location, or folder-id and file-name; NULL if they name no URI.
 * g_free(). */
char *sink_uri_from_properties (SinkProperties *properties);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The property metadata, a GstStructure, as what Box takes. */
#pragma once

#include <gst/gst.h>

#include "api/metadata.h"

G_BEGIN_DECLS

/* @structure: its fields are the keys: strings, numbers, booleans and times (as strings), and lists
 * of strings; its name does not count. @name: (nullable): the template. BOX_ERROR_SETTINGS. */
BoxMetadata *sink_metadata_new (const GstStructure *structure, const char *name, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The structure of the property "upload-stats".
 */
#pragma once

#include "gstboxuploadsinkreporter.h"

G_BEGIN_DECLS

/* How @upload stands (NULL: all zero), with @spooled bytes in the spool. Free with
 * gst_structure_free(). */
GstStructure *gst_box_upload_sink_stats_new (BoxUpload *upload, GstBoxUploadSinkReporter *reporter,
                                             guint64 spooled);

G_END_DECLS

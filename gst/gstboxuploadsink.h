/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSink: the element "boxuploadsink", a thin adapter of GstBaseSink to BoxUpload.
 */
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_BOX_UPLOAD_SINK (gst_box_upload_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstBoxUploadSink, gst_box_upload_sink, GST, BOX_UPLOAD_SINK, GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE (boxuploadsink);

G_END_DECLS

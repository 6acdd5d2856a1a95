/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The enumerations of the uploader as GTypes, with the nicknames that launch lines use.
 */
#pragma once

#include <gst/gst.h>

#include "base/padding.h"
#include "upload/upload.h"

G_BEGIN_DECLS

typedef enum
{
  SINK_UNKNOWN_SIZE_SPOOL,
  SINK_UNKNOWN_SIZE_LIVE,
  SINK_UNKNOWN_SIZE_RESERVE,
  SINK_UNKNOWN_SIZE_ERROR,
} SinkUnknownSize;

typedef enum
{
  SINK_EOS_MODE_COMMIT,
  SINK_EOS_MODE_SPOOL,
} SinkEosMode;

#define GST_TYPE_BOX_UPLOAD_SINK_IF_EXISTS (gst_box_upload_sink_if_exists_get_type ())
GType gst_box_upload_sink_if_exists_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_ON_ERROR (gst_box_upload_sink_on_error_get_type ())
GType gst_box_upload_sink_on_error_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_DIGEST_ENGINE (gst_box_upload_sink_digest_engine_get_type ())
GType gst_box_upload_sink_digest_engine_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_PADDING (gst_box_upload_sink_padding_get_type ())
GType gst_box_upload_sink_padding_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_UNKNOWN_SIZE (gst_box_upload_sink_unknown_size_get_type ())
GType gst_box_upload_sink_unknown_size_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_EOS_MODE (gst_box_upload_sink_eos_mode_get_type ())
GType gst_box_upload_sink_eos_mode_get_type (void);

G_END_DECLS

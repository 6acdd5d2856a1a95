/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSinkRecorder: one stream on its way into the spool. Behaves like a file: bytes can be
 * written anywhere in what is there, or behind it. The streaming thread's.
 */
#pragma once

#include "size.h"
#include "spool/spool.h"

G_BEGIN_DECLS

typedef struct _GstBoxUploadSinkRecorder GstBoxUploadSinkRecorder;

/* Opens the spool that @plan names. BOX_ERROR_STORAGE. */
BoxSpool *
gst_box_upload_sink_recorder_open_spool (const GstBoxUploadSinkPlan *plan, GError **error);

/* A new recording in @spool. @padding: what will fill a reserve, never AUTO. */
GstBoxUploadSinkRecorder *
gst_box_upload_sink_recorder_new (BoxSpool *spool, const GstBoxUploadSinkPlan *plan,
                                  const GstBoxUploadSinkSize *size, BoxPaddingKind padding,
                                  GError **error);

/* Lets the recording go: it stays in the spool, unless nothing was recorded. */
void gst_box_upload_sink_recorder_free (GstBoxUploadSinkRecorder *self);

/* Owned by @self. */
BoxRecording *gst_box_upload_sink_recorder_get_recording (GstBoxUploadSinkRecorder *self);

/* BOX_ERROR_SPACE, BOX_ERROR_STORAGE. */
gboolean gst_box_upload_sink_recorder_write (GstBoxUploadSinkRecorder *self, guint64 offset,
                                             const guint8 *data, gsize length, GError **error);

/* Begins anew with an empty file. */
gboolean gst_box_upload_sink_recorder_restart (GstBoxUploadSinkRecorder *self, GError **error);

/* The stream is over: takes the next piece of the @gap bytes of @padding behind it into the digest.
 * FALSE: that was the last. To be called until then before an end with a digest. */
gboolean gst_box_upload_sink_recorder_pad (GstBoxUploadSinkRecorder *self, BoxPaddingKind padding,
                                           guint64 gap);

/**
 * gst_box_upload_sink_recorder_end:
 * @total: bytes of the file at Box; what lies behind the recorded ones is @padding.
 * @sha1: (out) (nullable): of the file; NULL: not needed.
 *
 * The stream is over, durably. With @sha1, nothing may have been written out of order.
 */
gboolean gst_box_upload_sink_recorder_end (GstBoxUploadSinkRecorder *self, guint64 total,
                                           BoxPaddingKind padding, BoxSha1 *sha1, GError **error);

G_END_DECLS

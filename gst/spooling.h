/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of a stream through the spool: recorded, uploaded beside that where its size is known,
 * and finished at EOS by an upload of the recording where it is not, or where the other one could
 * not. As in upload.h, GST_FLOW_ERROR means that the error has been told; same
 * threads.
 */
#pragma once

#include "instance.h"

G_BEGIN_DECLS

/* Begins to record; the size is decided. Begins to upload beside it where the size is known. */
GstFlowReturn sink_spooling_begin (GstBoxUploadSink *self);
GstFlowReturn sink_spooling_write (GstBoxUploadSink *self, const guint8 *data, gsize length);

/* @reason: see sink_post_spooled(). */
GstFlowReturn sink_spooling_finish (GstBoxUploadSink *self, const char *reason);

/* Empties the recording: the stream begins anew. */
gboolean sink_spooling_restart (GstBoxUploadSink *self);

/* Stops what runs and lets the recording go. @reason: why, if the stream is not over. */
void sink_spooling_end (GstBoxUploadSink *self, const char *reason);

G_END_DECLS

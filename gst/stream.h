/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One stream of the element on its way into one upload, through the spool or directly: from the
 * first byte to the commit. Called by the streaming thread, and by the thread that changes the
 * state while no data flows.
 *
 * Functions that return GST_FLOW_ERROR have reported the error. Waits give way to a pause and
 * continue after it. With errors-fatal=false a reported failure is GST_FLOW_OK, and the rest
 * of the stream is dropped.
 */
#pragma once

#include "instance.h"

G_BEGIN_DECLS

/* Where in the file the next byte goes. */
void sink_stream_set_position (GstBoxUploadSink *self, guint64 position);

/* A stream begins: nothing has been taken from it yet. The plan is there. */
void sink_stream_begin (GstBoxUploadSink *self);

/* Stops the upload at once. If its end was not reported yet, it is reported as cancelled. */
void sink_stream_end (GstBoxUploadSink *self);

/* Begins the upload or the recording, unless it has begun. Asks upstream if the size is not
 * known. */
GstFlowReturn sink_stream_ensure_begun (GstBoxUploadSink *self);

/* Gives the delivery, if there is one, the property's current rate; takes the lock. Any thread. */
void sink_stream_apply_rate (GstBoxUploadSink *self);

/* Takes the bytes of @buffer. */
GstFlowReturn sink_stream_write (GstBoxUploadSink *self, GstBuffer *buffer);

/* The stream is over: pads it if needed, and waits until the promise of eos-mode is kept.
 * @reason: see sink_post_spooled(). */
GstFlowReturn sink_stream_finish (GstBoxUploadSink *self, const char *reason);

/* A SEGMENT: FALSE if it goes to a byte that cannot be written. */
gboolean sink_stream_segment (GstBoxUploadSink *self, GstEvent *event);

/* The stream begins again: allowed if nothing of it was sent yet, else an error. */
void sink_stream_flush (GstBoxUploadSink *self);

G_END_DECLS

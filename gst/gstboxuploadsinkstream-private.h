/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of a stream share: gstboxuploadsinkstream.c (which way it goes, and the direct
 * way) and gstboxuploadsinkspooling.c (the way through the spool). GST_FLOW_ERROR always means
 * here that the error has been told and the stream has failed.
 */
#pragma once

#include "gstboxuploadsinkstream.h"

G_BEGIN_DECLS

/* Tells @error (taken) and ends the upload, if there is one. */
GstFlowReturn gst_box_upload_sink_stream_fail (GstBoxUploadSink *self, GError *error);

/* The upload has failed by itself: its error has been told when this returns. */
GstFlowReturn gst_box_upload_sink_stream_upload_failed (GstBoxUploadSink *self);

/* @upload (nullable) has ended well, with @file, or NULL where the application commits it. */
GstFlowReturn gst_box_upload_sink_stream_completed (GstBoxUploadSink *self, BoxUpload *upload,
                                                    const BoxFile *file);

/* Starts @upload (taken). */
void gst_box_upload_sink_stream_start_upload (GstBoxUploadSink *self, BoxUpload *upload);

/* Whether self->upload has failed, told or not. */
gboolean gst_box_upload_sink_stream_upload_has_failed (GstBoxUploadSink *self);

/* Cancels self->upload. One that has failed ends by itself, in the background, but may still have
 * its session to abort: it gets a moment for that. Many applications end as soon as they are told
 * of a failure, and their process with them; and what comes next would cancel it. */
void gst_box_upload_sink_stream_stop_upload (GstBoxUploadSink *self);

/* Keeps the statistics as they are: what they are of is about to go. Those that are kept already
 * stay. */
void gst_box_upload_sink_stream_keep_stats (GstBoxUploadSink *self);

/* Waits for self->upload; *@done is FALSE where it failed with what another upload of the recording
 * can mend. */
GstFlowReturn gst_box_upload_sink_stream_wait_upload (GstBoxUploadSink *self, gboolean *done);

/* The stream has ended without a byte: warns, and makes nothing of it. */
GstFlowReturn gst_box_upload_sink_stream_finish_empty (GstBoxUploadSink *self);

/* Begins to record; the size is decided. Begins to upload beside it where the size is known. */
GstFlowReturn gst_box_upload_sink_spooling_begin (GstBoxUploadSink *self);
GstFlowReturn
gst_box_upload_sink_spooling_write (GstBoxUploadSink *self, const guint8 *data, gsize length);
GstFlowReturn gst_box_upload_sink_spooling_finish (GstBoxUploadSink *self);

/* Empties the recording: the stream begins anew. */
gboolean gst_box_upload_sink_spooling_restart (GstBoxUploadSink *self);

/* Stops what runs and lets the recording go. */
void gst_box_upload_sink_spooling_end (GstBoxUploadSink *self);

/* Between the pieces of what takes long: as gst_box_upload_sink_stream_wait_playing() where there
 * is an interruption, else GST_FLOW_OK. */
GstFlowReturn gst_box_upload_sink_stream_give_way (GstBoxUploadSink *self);

/* After an interruption: waits until the pipeline plays. A PLAYING that was taken back before this
 * thread woke is none. */
GstFlowReturn gst_box_upload_sink_stream_wait_playing (GstBoxUploadSink *self);

G_END_DECLS

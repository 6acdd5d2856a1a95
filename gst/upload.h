/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The upload of a stream, if it has one: started, stopped, waited for, and its end told; below
 * stream.c (which way the stream goes, and the direct way) and
 * spooling.c (the way through the spool). Where the stream has no upload, its end
 * is told all the same.
 *
 * GST_FLOW_ERROR always means that the error has been told and the stream has failed. The streaming
 * thread, and the one that changes the state while no data flows.
 */
#pragma once

#include "instance.h"

G_BEGIN_DECLS

/* Tells @error (taken) and ends the upload, if there is one. */
GstFlowReturn sink_upload_fail (GstBoxUploadSink *self, GError *error);

/* The upload has failed by itself: its error has been told when this returns. */
GstFlowReturn sink_upload_failed (GstBoxUploadSink *self);

/* Whether self->upload has failed, told or not. */
gboolean sink_upload_has_failed (GstBoxUploadSink *self);

/* Starts @upload (taken). */
void sink_upload_start (GstBoxUploadSink *self, BoxUpload *upload);

/* Gives the upload that runs, if any, the property's current value; takes the lock. Whoever
 * publishes an upload calls it afterwards, and so does whoever changes the property: the last one
 * is right. Any thread. */
void sink_upload_apply_rate (GstBoxUploadSink *self);

/* Cancels self->upload. One that has failed ends by itself, in the background, but may still have
 * its session to abort: it gets a moment for that. Many applications end as soon as they are told
 * of a failure, and their process with them; and what comes next would cancel it. */
void sink_upload_stop (GstBoxUploadSink *self);

/* @upload (nullable) has ended well, with @file, or NULL where the application commits it. */
GstFlowReturn
sink_upload_completed (GstBoxUploadSink *self, BoxUpload *upload, const BoxFile *file);

/* The stream has ended without a byte: warns, and makes nothing of it. */
GstFlowReturn sink_upload_end_empty (GstBoxUploadSink *self);

/* Waits for self->upload; *@done is FALSE if it failed with what another upload of the recording
 * can mend. */
GstFlowReturn sink_upload_wait (GstBoxUploadSink *self, gboolean *done);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSinkReporter: tells the application what becomes of one upload: turns the uploader's
 * events, which come from worker threads, into messages, and sees to it that the end is told
 * exactly once, whichever thread learns of it first. It does not keep the element alive. Any
 * thread.
 */
#pragma once

#include "messages.h"
#include "terms.h"

G_BEGIN_DECLS

typedef struct _GstBoxUploadSinkReporter GstBoxUploadSinkReporter;

/* @fatal: whether a failure is an ERROR on the bus, not a WARNING. */
GstBoxUploadSinkReporter *
gst_box_upload_sink_reporter_new (GstElement *element, const char *destination, gboolean fatal);
GstBoxUploadSinkReporter *gst_box_upload_sink_reporter_ref (GstBoxUploadSinkReporter *self);
void gst_box_upload_sink_reporter_unref (gpointer self);

/* For box_upload_new(), with a reference as user data. */
extern const BoxUploadEvents gst_box_upload_sink_reporter_events;

/* What is told from now on is kept in the recording at @path, too: a failure says so, and one that
 * by @terms (copied) only ends the upload that runs beside the recording is not told. */
void gst_box_upload_sink_reporter_set_spool (GstBoxUploadSinkReporter *self, const char *path,
                                             const GstBoxUploadSinkTerms *terms);

/* Whether there is a spool from which another upload can do what one that ended with @error could
 * not. */
gboolean
gst_box_upload_sink_reporter_is_replaceable (GstBoxUploadSinkReporter *self, const GError *error);

/* Whether a failure has been told; while one is being told, waits for that, unless interrupted. */
gboolean gst_box_upload_sink_reporter_has_failed (GstBoxUploadSinkReporter *self);

/* Opening the session begins. @session_id: one that is known already, or NULL. */
void
gst_box_upload_sink_reporter_begin_session (GstBoxUploadSinkReporter *self, const char *session_id);

/* EOS came: what follows is told as the progress of "commit". */
void gst_box_upload_sink_reporter_begin_commit (GstBoxUploadSinkReporter *self);
void gst_box_upload_sink_reporter_commit_goes_on (GstBoxUploadSinkReporter *self,
                                                  const BoxUploadStats *stats);

/* The ends. When one returns, the end has been told, by this call or another; only
 * gst_box_upload_sink_reporter_interrupt() makes it return before. @file may be NULL (not committed
 * by us). */
void gst_box_upload_sink_reporter_completed (GstBoxUploadSinkReporter *self, const BoxFile *file);

/* Likewise, where nothing was uploaded and nothing failed. @text says why. */
void gst_box_upload_sink_reporter_ended (GstBoxUploadSinkReporter *self, const char *text);
void gst_box_upload_sink_reporter_failed (GstBoxUploadSinkReporter *self, GstResourceError code,
                                          const GError *error);
void gst_box_upload_sink_reporter_interrupt (GstBoxUploadSinkReporter *self, gboolean interrupted);

/* The third end: stopped by the application. Nothing is told after it. */
void gst_box_upload_sink_reporter_close (GstBoxUploadSinkReporter *self);

/* How many parts were there already and have been adopted. */
guint gst_box_upload_sink_reporter_get_adopted (GstBoxUploadSinkReporter *self);

G_END_DECLS

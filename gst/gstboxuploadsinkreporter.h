/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSinkReporter: tells the application what becomes of one upload: turns the uploader's
 * events, which come from worker threads, into messages, and sees to it that the end is told
 * exactly once, whichever thread learns of it first. It does not keep the element alive. Any
 * thread.
 */
#pragma once

#include "gstboxuploadsinkmessages.h"

G_BEGIN_DECLS

typedef struct _GstBoxUploadSinkReporter GstBoxUploadSinkReporter;

GstBoxUploadSinkReporter *gst_box_upload_sink_reporter_new (GstElement *element);
GstBoxUploadSinkReporter *gst_box_upload_sink_reporter_ref (GstBoxUploadSinkReporter *self);
void gst_box_upload_sink_reporter_unref (gpointer self);

/* For box_upload_new(), with a reference as user data. */
extern const BoxUploadEvents gst_box_upload_sink_reporter_events;

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
void gst_box_upload_sink_reporter_failed (GstBoxUploadSinkReporter *self, GstResourceError code,
                                          const GError *error);
void gst_box_upload_sink_reporter_interrupt (GstBoxUploadSinkReporter *self, gboolean interrupted);

/* The third end: stopped by the application. Nothing is told after it. */
void gst_box_upload_sink_reporter_close (GstBoxUploadSinkReporter *self);

/* How many parts were there already and have been adopted. */
guint gst_box_upload_sink_reporter_get_adopted (GstBoxUploadSinkReporter *self);

G_END_DECLS

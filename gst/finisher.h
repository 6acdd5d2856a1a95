/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSinkFinisher: uploads a recording whose stream is over, by the element's settings,
 * and has a reporter tell of it. A BoxRecoveryJob does it in a thread of its own, so that the
 * streaming thread can give way to a pause meanwhile.
 */
#pragma once

#include "config.h"
#include "delivery/recovery.h"
#include "reporter.h"

G_BEGIN_DECLS

typedef struct _GstBoxUploadSinkFinisher GstBoxUploadSinkFinisher;

/* Begins. Keeps @recording and @reporter, which is told everything but the end. */
GstBoxUploadSinkFinisher *
gst_box_upload_sink_finisher_new (const GstBoxUploadSinkPlan *plan, BoxRecording *recording,
                                  GstBoxUploadSinkReporter *reporter);

/* Stops it, at once, if it is not done. */
void gst_box_upload_sink_finisher_free (GstBoxUploadSinkFinisher *self);

/* READY: done; FAILED: see gst_box_upload_sink_finisher_get_error(). @timeout in microseconds. */
BoxWait gst_box_upload_sink_finisher_wait (GstBoxUploadSinkFinisher *self, gint64 timeout);

/* TRUE makes the wait return at once until FALSE is set. Any thread. */
void gst_box_upload_sink_finisher_interrupt (GstBoxUploadSinkFinisher *self, gboolean interrupted);

/* Bytes per second of the upload that runs and of those to come. Any thread. */
void gst_box_upload_sink_finisher_set_rate (GstBoxUploadSinkFinisher *self, guint64 rate);

/* The upload that runs, or ran last; NULL: none yet. Any thread. */
BoxUpload *gst_box_upload_sink_finisher_dup_upload (GstBoxUploadSinkFinisher *self);

/* After FAILED. Owned by @self. */
const GError *gst_box_upload_sink_finisher_get_error (GstBoxUploadSinkFinisher *self);

/* After READY: the file, NULL where it is not ours to commit or @how is EMPTY. Owned by @self. */
const BoxFile *
gst_box_upload_sink_finisher_get_file (GstBoxUploadSinkFinisher *self, BoxRecovered *how);

G_END_DECLS

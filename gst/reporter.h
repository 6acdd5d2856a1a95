/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkReporter: tells the application what becomes of one upload: turns the uploader's
 * events, which come from worker threads, into messages, and sees to it that the end is told
 * exactly once, whichever thread learns of it first. It does not keep the element alive. Any
 * thread.
 */
#pragma once

#include "delivery/policy.h"
#include "messages.h"

G_BEGIN_DECLS

typedef struct _SinkReporter SinkReporter;

/* @fatal: whether a failure is an ERROR on the bus, not a WARNING. */
SinkReporter *sink_reporter_new (GstElement *element, const char *destination, gboolean fatal);
SinkReporter *sink_reporter_ref (SinkReporter *self);
void sink_reporter_unref (gpointer self);

/* For box_upload_new(), with a reference as user data. */
extern const BoxUploadEvents sink_reporter_events;

/* A recording begins at @path: a failure of its upload is weighed by @terms (copied), and says
 * where the recording is. */
void sink_reporter_set_spool (SinkReporter *self, const char *path, const BoxTerms *terms);

/* The upload failed with @error, or Box is known to refuse it. Without a spool that is the end.
 * With one it is the end only where Box refuses what the user has set, and the recording has just
 * begun; otherwise the recording goes on, and a WARNING says so. After EOS nothing is posted:
 * whoever waits for the upload decides. */
void sink_reporter_upload_failed (SinkReporter *self, const GError *error);

/* Whether the end was a failure; while one is being posted, waits for that, unless interrupted. */
gboolean sink_reporter_has_failed (SinkReporter *self);

/* Opening the session begins. @session_id: one that is known already, or NULL. */
void sink_reporter_begin_session (SinkReporter *self, const char *session_id);

/* EOS came: what follows is told as the progress of "commit". */
void sink_reporter_begin_commit (SinkReporter *self);
void sink_reporter_commit_goes_on (SinkReporter *self, const BoxUploadStats *stats);

/* The ends. When one returns, the end has been told, by this call or another; only
 * sink_reporter_interrupt() makes it return before. @file may be NULL (not committed
 * by us). */
void sink_reporter_completed (SinkReporter *self, const BoxFile *file);

/* Likewise, where nothing was uploaded and nothing failed. @text says why. */
void sink_reporter_ended (SinkReporter *self, const char *text);
void sink_reporter_failed (SinkReporter *self, GstResourceError code, const GError *error);
void sink_reporter_interrupt (SinkReporter *self, gboolean interrupted);

/* The third end: stopped by the application. Nothing is told after it. Whether the end had been a
 * failure. */
gboolean sink_reporter_close (SinkReporter *self);

/* How many parts were there already and have been adopted. */
guint sink_reporter_get_adopted (SinkReporter *self);

G_END_DECLS

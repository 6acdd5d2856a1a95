/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkReporter: reports one stream to the application. It turns the events of the delivery,
 * which come from many threads, into messages, and makes sure that every begun progress is
 * ended. It does not keep the element alive. Any thread.
 */
#pragma once

#include "delivery/delivery.h"
#include "messages.h"

G_BEGIN_DECLS

typedef struct _SinkReporter SinkReporter;

/* @fatal: whether a failure is an ERROR on the bus, not a WARNING. */
SinkReporter *sink_reporter_new (GstElement *element, const char *destination, gboolean fatal);
SinkReporter *sink_reporter_ref (SinkReporter *self);
void sink_reporter_unref (gpointer self);

/* For box_delivery_new_stream(), with a reference as user data. */
extern const BoxDeliveryEvents sink_reporter_events;

/* The stream is recorded at @path: a failure says so. @is_for_others: they upload it. */
void sink_reporter_set_spool (SinkReporter *self, const char *path, gboolean is_for_others);

/* Opening the session begins. @session_id: one that is known already, or NULL. */
void sink_reporter_begin_session (SinkReporter *self, const char *session_id);

/* EOS has arrived: from now on the progress is that of "commit". */
void sink_reporter_begin_commit (SinkReporter *self);
void sink_reporter_commit_goes_on (SinkReporter *self, const BoxUploadStats *stats);

/* The end of a stream that has no delivery. */
void sink_reporter_failed (SinkReporter *self, const GError *error);

/* TRUE: waits for a beginning to be posted end at once. */
void sink_reporter_interrupt (SinkReporter *self, gboolean interrupted);

/* The application has stopped the stream, unless it ended before. Nothing is reported after this.
 */
void sink_reporter_close (SinkReporter *self);

/* How many parts were there already and have been adopted. */
guint sink_reporter_get_adopted (SinkReporter *self);

G_END_DECLS

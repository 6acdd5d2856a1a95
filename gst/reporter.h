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

typedef struct
{
  const char *destination; /* for people */
  const char *session_id;  /* that is known before it is opened; nullable */
  gboolean fatal;          /* a failure is an ERROR on the bus, not a WARNING */
  gboolean is_for_others;  /* others upload the recording */
} SinkReporterSettings;

SinkReporter *sink_reporter_new (GstElement *element, const SinkReporterSettings *settings);
SinkReporter *sink_reporter_ref (SinkReporter *self);
void sink_reporter_unref (gpointer self);

/* For box_delivery_new_stream(), with a reference as user data. */
extern const BoxDeliveryEvents sink_reporter_events;

/* Opening the session begins. Before the delivery does. */
void sink_reporter_begin_session (SinkReporter *self);

/* The progress of "commit", between the events ending and ended. */
void sink_reporter_commit_goes_on (SinkReporter *self, const BoxUploadStats *stats);

/* The end of a stream that has no delivery. */
void sink_reporter_failed (SinkReporter *self, const GError *error);

/* The application has stopped the stream, and its delivery is gone: ends the progress that is open.
 */
void sink_reporter_stopped (SinkReporter *self);

G_END_DECLS

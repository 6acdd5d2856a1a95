/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element's messages on the bus: only this file knows their names and fields, and maps an error
 * of the uploader to one of GStreamer. Any thread; no lock may be held, because applications may
 * handle messages in the posting thread. SinkReporter (reporter.c) says which of them a stream
 * posts.
 */
#pragma once

#include <gst/gst.h>

#include "delivery/delivery.h"

G_BEGIN_DECLS

/* boxuploadsink-session: session-id, size, part-size, parts, expires-at. */
void sink_post_session (GstElement *element, const BoxSession *session, guint64 size);

/* boxuploadsink-part: offset, size, sha1, part-id, attempts, adopted. */
void sink_post_part (GstElement *element, const BoxPart *part, guint attempts, gboolean adopted);

/* boxuploadsink-retry: request, attempt, delay (nanoseconds), reason, and offset of a part. @delay
 * in microseconds. */
void sink_post_retry (GstElement *element, const char *request, guint64 offset, guint attempt,
                      gint64 delay, const GError *reason);

/* A WARNING when an outage begins (@reason), an INFO when it is over (NULL). */
void sink_post_outage (GstElement *element, const GError *reason);

/* An INFO that a live stream has no spool. */
void sink_post_memory (GstElement *element);

/* boxuploadsink-complete: file-id, version-id, name, size, sha1, etag, link. */
void sink_post_complete (GstElement *element, const BoxFile *file);

/* boxuploadsink-filled: session-id, size, sha1: what the application needs to commit the session
 * itself. */
void
sink_post_filled (GstElement *element, const char *session_id, guint64 size, const BoxSha1 *sha1);

/* boxuploadsink-spooled: path, size, reason, interrupted. The recording has ended and is in the
 * spool. @reason: "eos", "segment-done", "size" (it is not as long as was declared), "stop",
 * "error". @interrupted: it was cut short. */
void sink_post_spooled (GstElement *element, const char *path, guint64 size, const char *reason,
                        gboolean interrupted);

/* boxuploadsink-reserve: position, size. The reserve is nearly full. */
void sink_post_reserve (GstElement *element, guint64 position, guint64 size);

/* The details of an error on the bus, beside Box's answer. */
typedef struct
{
  const char *destination; /* what the text begins with; nullable */
  const char *session_id;  /* nullable */
  guint64 offset;          /* of the part that failed; G_MAXUINT64: none in particular */
  const char *spool;       /* the recording that is kept; nullable */
  gboolean is_warning;     /* the application wants to go on */
  gboolean is_for_others;  /* the recording is uploaded by another process */
} SinkContext;

/* The code of GST_RESOURCE_ERROR for @error. */
GstResourceError sink_resource_error (const GError *error);

/* boxuploadsink-failed, then the ERROR (or WARNING), with the same details: http-status-code,
 * box-error-code, request-id, session-id, offset, spool; each only if it is known. */
void sink_post_error (GstElement *element, GstResourceError code, const GError *error,
                      const SinkContext *context);

/* A WARNING that the recording may be too much for the account, with details: limit, the bytes that
 * it takes. @text says why. */
void sink_post_room (GstElement *element, const char *destination, const char *text, guint64 limit);

/* A WARNING: Box has the file, but has refused its metadata. @path: (nullable): in the spool, where
 * that is noted. */
void sink_post_unsettled (GstElement *element, const char *destination, const char *path,
                          const GError *reason);

/* A WARNING that the upload has ended with @error, with the same details, while the recording goes
 * on. */
void sink_post_goes_on (GstElement *element, const GError *error, const SinkContext *context);

/* An INFO, or a WARNING if it is @news, that the recording is uploaded from the spool because of
 * @error, with the same details. */
void sink_post_anew (GstElement *element, const GError *error, gboolean news,
                     const SinkContext *context);

/* GST_MESSAGE_PROGRESS with @code "session" or "commit". */
void
sink_post_progress (GstElement *element, GstProgressType type, const char *code, const char *text);

/* Adds to @structure how far the stream is safe: bytes-safe, running-time-safe, backlog-bytes,
 * oldest-unsafe-age, fill-rate, drain-rate, full-in. Times are nanoseconds, GST_CLOCK_TIME_NONE if
 * they are not known. */
void sink_add_position (GstStructure *structure, const BoxPosition *position);

/* boxuploadsink-position: bytes-received and the same. */
void sink_post_position (GstElement *element, const BoxPosition *position);

/* The progress of "commit": text, and the fields percent, rate (bytes per second) and time-left
 * (nanoseconds, or GST_CLOCK_TIME_NONE). @wait: what the text says it waits for; (nullable). */
void sink_post_commit_progress (GstElement *element, const BoxUploadStats *stats, const char *wait);

/* Name, ID, size and link of the file that was made, for the end of that progress. Free the result.
 */
char *sink_format_committed (const BoxFile *file);

/*
 * SinkReporter: reports one stream to the application. It turns the events of the delivery,
 * which come from many threads, into messages, and makes sure that every begun progress is
 * ended. It does not keep the element alive. Any thread.
 */

typedef struct _SinkReporter SinkReporter;

typedef struct
{
  const char *destination; /* for people */
  const char *session_id;  /* that is known before it is opened; nullable */
  gboolean fatal;          /* a failure is an ERROR on the bus, not a WARNING */
  gboolean is_for_others;  /* others upload the recording */
  guint retry_timeout;     /* seconds without progress after which it is given up; 0: no limit */
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkRecorder: one stream on its way into the spool. Behaves like a file: bytes can be
 * written anywhere in what is there, or behind it. The streaming thread's.
 */
#pragma once

#include "size.h"
#include "spool/spool.h"

G_BEGIN_DECLS

typedef struct _SinkRecorder SinkRecorder;

/* Opens the spool that @plan names. BOX_ERROR_STORAGE. */
BoxSpool *sink_recorder_open_spool (const SinkConfig *plan, GError **error);

/* A new recording in @spool. @padding: what will fill a reserve, never AUTO. */
SinkRecorder *sink_recorder_new (BoxSpool *spool, const SinkConfig *plan, const SinkSize *size,
                                 BoxPaddingKind padding, GError **error);

/* Posts once that the recording has ended and stays in the spool, and why; see sink_post_spooled().
 * Nothing is posted for a recording without a byte. */
void sink_recorder_announce (SinkRecorder *self, GstElement *element, const char *reason);

/* Lets the recording go: it stays in the spool, unless nothing was recorded. */
void sink_recorder_free (SinkRecorder *self);

/* Owned by @self. */
BoxRecording *sink_recorder_get_recording (SinkRecorder *self);

/* BOX_ERROR_SPACE, BOX_ERROR_STORAGE. */
gboolean sink_recorder_write (SinkRecorder *self, guint64 offset, const guint8 *data, gsize length,
                              GError **error);

/* What was written belongs to stream time @time (GST_CLOCK_TIME_NONE: not known): more than 100 ms
 * of a stream do not wait in memory, however fast it comes. */
gboolean sink_recorder_reach (SinkRecorder *self, GstClockTime time, GError **error);

/* Begins anew with an empty file. */
gboolean sink_recorder_restart (SinkRecorder *self, GError **error);

/* The stream is over: takes the next piece of the @gap bytes of @padding behind it into the digest.
 * FALSE: that was the last. To be called until then before an end with a digest. */
gboolean sink_recorder_pad (SinkRecorder *self, BoxPaddingKind padding, guint64 gap);

/**
 * sink_recorder_end:
 * @total: bytes of the file at Box; what lies behind the recorded ones is @padding.
 * @sha1: (out) (nullable): of the file; NULL: not needed.
 *
 * The stream is over, durably. With @sha1, nothing may have been written out of order.
 */
gboolean sink_recorder_end (SinkRecorder *self, guint64 total, BoxPaddingKind padding,
                            BoxSha1 *sha1, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxAhead: sends parts of a recording while it is made, although the size of its file is not
 * known. They go to a session of a size that was guessed (the seed), which is never committed. At
 * the end the recovery opens a session of the right size and asks Box for the parts by their
 * SHA-512 (upload/ask.c). The journal has all that this needs.
 *
 *   box_ahead_touch (ahead, offset, length);   // before bytes are written
 *   box_ahead_reach (ahead, size, time);       // after that
 *   box_ahead_finish (ahead);                  // the stream is over
 *
 * A part that is written again after it could leave is left out: it is sent with the rest at the
 * end. A muxer that comes back to what it wrote shortly before (the length of a cluster) makes
 * parts wait until it is further away than it ever came back. Failures cost time, not the
 * recording: they end the sending, and are not reported.
 *
 * Threads: touch, reach belong to the thread that writes the recording; the others to any.
 */
#pragma once

#include "spool/recording.h"
#include "upload/upload.h"

G_BEGIN_DECLS

typedef struct _BoxAhead BoxAhead;

/* Begins to send. @settings: of the file that is to be; what is not known yet of it is ignored.
 * @size: of the seed, at least BOX_SESSION_MIN_SIZE. */
BoxAhead *box_ahead_new (BoxRecording *recording, const BoxUploadSettings *settings, guint64 size,
                         GError **error);

/* Bytes [@offset, @offset + @length) are about to be written. */
void box_ahead_touch (BoxAhead *ahead, guint64 offset, guint64 length);

/* The recording has @size bytes, which belong to @time of the stream (microseconds, -1: not known).
 */
void box_ahead_reach (BoxAhead *ahead, guint64 size, gint64 time);

/* Waits for the parts that are on their way, begins no others, and notes which are of no use. */
void box_ahead_finish (BoxAhead *ahead);

/* Stops it at once. */
void box_ahead_cancel (BoxAhead *ahead);

/* Bytes per second; 0: no limit. */
void box_ahead_set_rate (BoxAhead *ahead, guint64 rate);

/* Bytes that Box has in the seed, and that were not rewritten. */
guint64 box_ahead_get_bytes (BoxAhead *ahead);

/* The seed; NULL: it is not open. Free with box_session_free(). */
BoxSession *box_ahead_dup_session (BoxAhead *ahead);

/* Stops it; the seed stays. */
void box_ahead_free (BoxAhead *ahead);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxAhead, box_ahead_free)

G_END_DECLS

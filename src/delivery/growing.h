/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Three ways to send a file whose size is not known while it grows. BoxLive: a recording, in one
 * request. BoxAhead: a recording, in parts of a session that is never committed. BoxFollow: the
 * same for a local file that another program writes.
 */
#pragma once

#include "spool/recording.h"
#include "upload/upload.h"

#include <sys/stat.h>

G_BEGIN_DECLS

/*
 * BoxLive: one request that carries a recording to Box while it is made, from the spool's file, in
 * its own thread. There is one attempt: a failure is reported at once, and the recording goes on
 * without it. The failed request may have made the file. The journal says so, and the next upload
 * of the recording looks the file up first.
 *
 *   live = box_live_new (recording, &settings, &events, data, &error);
 *   box_live_start (live);
 *   box_live_advance (live, size);         // whenever the recording has grown
 *   box_live_finish (live, size, &sha1);   // the body ends, and Box's answer is compared
 *   box_live_wait (live);
 *   box_live_free (live);
 *
 * Threads: one thread, the producer's, starts, advances, finishes and frees it; the rest may be
 * called from any.
 */

typedef struct _BoxLive BoxLive;

/* From the live thread, without a lock held. Each at most once, and one of them, unless the request
 * was cancelled; both may be NULL. */
typedef struct
{
  /* The request was broken or refused, or the file at Box is not the stream. @begun: Box would have
   * taken the file, before. */
  void (*failed) (const GError *error, gboolean begun, gpointer user_data);
  /* Box has the file, verified by size and SHA-1. */
  void (*completed) (const BoxFile *file, gpointer user_data);
} BoxLiveEvents;

/* @recording is kept. Of @settings counts where the file goes, its attributes and the rate; what
 * they point to has to live until box_live_free() has returned. BOX_ERROR_SPACE. */
BoxLive *box_live_new (BoxRecording *recording, const BoxUploadSettings *settings,
                       const BoxLiveEvents *events, gpointer user_data, GError **error);

/* Asks Box whether it would take the file. The request begins with the first byte. BOX_ERROR_SPACE:
 * there is no thread for it. */
gboolean box_live_start (BoxLive *live, GError **error);

/* The first @available bytes of the recording can be read, and will not be written again. */
void box_live_advance (BoxLive *live, guint64 available);

/* The recording has @size bytes, and this SHA-1. */
void box_live_finish (BoxLive *live, guint64 size, const BoxSha1 *sha1);

/* Fails it with @error (taken), unless it is over. */
void box_live_break (BoxLive *live, GError *error);

/* Waits for the end: READY, or FAILED (cancelled, too). */
BoxWait box_live_wait (BoxLive *live);

/* Cuts the connection; Box drops what is not complete. Does not wait. */
void box_live_cancel (BoxLive *live);

/* After READY. Free with box_file_free(). */
BoxFile *box_live_get_file (BoxLive *live);

/* Bytes per second; 0: no limit. */
void box_live_set_rate (BoxLive *live, guint64 bytes_per_second);

/* Only the fields about bytes have values; none is acknowledged before the end. */
void box_live_get_stats (BoxLive *live, BoxUploadStats *stats);

/* Cancels it, and waits until no event runs. Not to be called by an event. */
void box_live_free (BoxLive *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxLive, box_live_free)

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

/* Bytes that Box has in the seed, and that were not rewritten; and (@in_order, nullable) those of
 * them from the start and without a gap. */
guint64 box_ahead_get_bytes (BoxAhead *ahead, guint64 *in_order);

/* The seed; NULL: it is not open. Free with box_session_free(). */
BoxSession *box_ahead_dup_session (BoxAhead *ahead);

/* Stops it; the seed stays. */
void box_ahead_free (BoxAhead *ahead);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxAhead, box_ahead_free)

/*
 * BoxFollow: sends parts of a local file while another program writes it, although its size is not
 * known yet. They go to a session of a guessed size (a seed, as BoxAhead's), which is never
 * committed. The upload of the finished file asks Box for these parts (settings.earlier), with the
 * digests of the bytes that they have then: a part that was written again is another part, and is
 * sent again.
 *
 *   follow = box_follow_new (fd, &settings, size);
 *   while (…)                                  // ten times a second
 *     box_follow_look (follow, &status, &error);
 *   box_follow_finish (follow);
 *   settings.earlier = box_follow_get_parts (follow);
 *
 * Failures cost time, not the file: they end the sending. One thread.
 */

typedef struct _BoxFollow BoxFollow;

/**
 * box_follow_new:
 * @fd: a regular file; to be kept open until box_follow_free() has returned.
 * @settings: (nullable): of the file that is to be; its size is not known and ignored. What it
 *   points to has to live as long. NULL: nothing is sent.
 * @expected_size: of the seed; 0: 1 GiB.
 * @account_file: (nullable): where it is known whether sending ahead is of use (BoxAccount).
 *
 * Sends nothing yet.
 */
BoxFollow *box_follow_new (int fd, const BoxUploadSettings *settings, guint64 expected_size,
                           const char *account_file);

/* Looks how far the file has grown, and has the parts sent that rest. @status: (out): of the file.
 * BOX_ERROR_STORAGE: it cannot be looked at. Any other error is Box's refusal of the destination,
 * which the user can correct. */
gboolean box_follow_look (BoxFollow *follow, struct stat *status, GError **error);

/* Waits for the parts that are on their way, and begins no others. */
void box_follow_finish (BoxFollow *follow);

/* After finish: (element-type BoxPart): the parts that Box has, by offset. Owned by @follow. */
GPtrArray *box_follow_get_parts (BoxFollow *follow);

/* Bytes in parts that Box has, those that were sent twice twice. */
guint64 box_follow_get_bytes (BoxFollow *follow);

/* After the file's own upload, with its @stats: notes for the account if all was in vain, and
 * aborts the seeds; with NULL there was no upload. Waits for the network until @until (monotonic,
 * microseconds): a seed that cannot be aborted by then is left to expire. */
void box_follow_settle (BoxFollow *follow, const BoxUploadStats *stats, gint64 until);

/* Stops it; a seed that was not aborted stays. */
void box_follow_free (BoxFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxFollow, box_follow_free)

G_END_DECLS

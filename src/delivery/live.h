/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
#pragma once

#include "spool/recording.h"
#include "upload/upload.h"

G_BEGIN_DECLS

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

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxDelivery: one file on its way to Box, from its first byte to Box's confirmed answer. Its bytes
 * come as a stream, through memory or through a recording in the spool; or they are a recording, or
 * a file on disk, already. It begins, ends and replaces the uploads that this takes, and reports
 * one end, once.
 *
 *   delivery = box_delivery_new_stream (&settings, spool, &events, data, destroy, &error);
 *   box_delivery_start (delivery);
 *   while (…)
 *     {
 *       n = box_delivery_write (delivery, offset, bytes, length); // what had room
 *       if (n < length)
 *         switch (box_delivery_wait_room (delivery)) …
 *     }
 *   box_delivery_finish (delivery, …);
 *   box_delivery_wait (delivery, -1);
 *   box_delivery_free (delivery);
 *
 * box_delivery_next() (delivery/policy.h) decides the next step. While bytes arrive there is
 * nothing to do for it. After that a thread of the crew (delivery/crew.c) carries out the steps, so
 * that the caller can do something else meanwhile. While only Box can end its upload there is no
 * thread.
 *
 * Threads: one thread, the producer's, makes, writes, finishes and frees it. Functions for other
 * threads are marked.
 */
#pragma once

#include "delivery/policy.h"
#include "delivery/recovery.h"
#include "spool/spool.h"

G_BEGIN_DECLS

typedef struct _BoxDelivery BoxDelivery;

/* How far a file is safe at Box. Times are microseconds, rates bytes per second. */
typedef struct
{
  guint64 bytes;        /* that there are */
  guint64 safe;         /* of them, from the start and without a gap, acknowledged by Box */
  gint64 safe_time;     /* of the stream, up to which these reach; -1: not known */
  guint64 backlog;      /* bytes that Box has not acknowledged, wherever they are */
  gint64 oldest_unsafe; /* age of the first byte that is not safe; 0: all are, but for padding */
  guint64 fill_rate;    /* bytes that come */
  guint64 drain_rate;   /* bytes that Box acknowledges */
  gint64 full_in;       /* until the spool is full; -1: never, not known, or no spool */
} BoxPosition;

/**
 * BoxDeliveryEvents:
 * @upload: of every upload that is made, except completed and failed, which the delivery reports.
 * @goes_on: (nullable): the upload ended with @reason, or Box is known to refuse it; the recording
 *   continues, and another upload is tried at its end.
 * @anew: (nullable): the stream is over, and the recording is uploaded from the spool, because the
 *   live request failed with @reason. @told: goes_on has said so before.
 * @room: (nullable): a recording that still goes on may be too much for the account, which takes
 *   @limit more bytes in one file: @text says why, as a sentence without its full stop. At its
 *   beginning, if it is likely to be as long as that; else when it has three quarters of it. Once.
 * @ending: (nullable): the stream is over, and it has bytes: the rest is done now.
 * @kept: (nullable): the recording has ended and is in the spool, from which it may still be
 *   uploaded. @reason: "eos", "segment-done", "size" (it is not as long as was declared), "stop",
 *   "error". @interrupted: it was cut short. @lost: (nullable): why its last bytes could not be
 *   written. Once, unless it has no byte.
 * @displaced: (nullable): somebody has removed, moved or replaced the files of the recording: @text
 *   says so, as a sentence without its full stop. When it is seen while the recording goes on, and
 *   again at its end, when what was removed has been written anew, or could not.
 * @unsettled: (nullable): Box has the file, but not its metadata, because of @reason. @path: of the
 *   recording or errand in the spool, with which it can be tried again; NULL: nothing is noted.
 * Before the end.
 * @position: (nullable): of a stream, once a second while a byte of it is not safe at Box, and once
 *   more when all are.
 * @ended: (nullable): the end, once. @file: COMMITTED, or FILLED if it was found to be committed;
 *   else NULL. @error: FAILED, else NULL. When box_delivery_wait() returns the end, this has
 *   returned.
 *
 * Events, from any thread, without a lock held. ended is the last, but for kept.
 */
typedef struct
{
  BoxUploadEvents upload;
  void (*goes_on) (BoxDelivery *delivery, const GError *reason, gboolean matters,
                   gpointer user_data);
  void (*anew) (BoxDelivery *delivery, const GError *reason, gboolean told, gpointer user_data);
  void (*room) (const char *text, guint64 limit, gpointer user_data);
  void (*ending) (gpointer user_data);
  void (*kept) (const char *path, guint64 size, const char *reason, gboolean interrupted,
                const GError *lost, gpointer user_data);
  void (*displaced) (const char *text, gpointer user_data);
  void (*unsettled) (const char *path, const GError *reason, gpointer user_data);
  void (*position) (BoxDelivery *delivery, const BoxPosition *position, gpointer user_data);
  void (*ended) (BoxDelivery *delivery, BoxDeliveryPhase phase, const BoxFile *file,
                 const GError *error, gpointer user_data);
} BoxDeliveryEvents;

/**
 * BoxDeliverySettings:
 * @upload: of the uploads; size is 0 if @sizing is SPOOL. Its pointers are valid as long as the
 *   delivery.
 * @padding: what will fill a reserve; never AUTO.
 * @stop_if_refused: a recording that Box refuses at its beginning, for a setting that the user can
 *   correct, fails at once.
 * @ahead: with a spool and sizing SPOOL: parts are sent before the size is known (BoxAhead), unless
 *   it is known to be of no use.
 * @expected_size: of that; 0: the last recording's to the same folder, else 1 GiB.
 * @account_file: (nullable): where it is known (BoxAccount).
 * @left_to_others: the end is a recording in the spool, which others upload.
 * @live: one request carries the recording while it is made (BoxLive); with a spool and @sizing
 *   SPOOL only.
 */
typedef struct
{
  BoxUploadSettings upload;
  BoxSizing sizing;
  BoxPaddingKind padding;
  gboolean stop_if_refused;
  gboolean ahead;
  guint64 expected_size;
  const char *account_file;
  gboolean left_to_others;
  gboolean live;
} BoxDeliverySettings;

/* A stream that will be written. @spool: (nullable): records it; NULL: it is held in memory, and
 * its size has to be known. @settings are not needed any more when this returns. @user_data is
 * released with @destroy (nullable) when no event can come any more. Errors are box_upload_new()'s
 * and the spool's; @user_data is not released then. */
BoxDelivery *box_delivery_new_stream (const BoxDeliverySettings *settings, BoxSpool *spool,
                                      const BoxDeliveryEvents *events, gpointer user_data,
                                      GDestroyNotify destroy, GError **error);

/* A file on disk of settings->size bytes: @fd is a regular file, read from its start. @settings are
 * not needed any more when this returns, @fd is until box_delivery_free() has. Else as for a stream
 * in memory; box_feed_fd() says what happens if the file changes. */
BoxDelivery *
box_delivery_new_file (const BoxUploadSettings *settings, int fd, const BoxDeliveryEvents *events,
                       gpointer user_data, GDestroyNotify destroy, GError **error);

/* A recording that is in the spool: finished by what its journal says. @recording is kept until the
 * delivery is freed, and its lock with it. @cancellable: (nullable): stops it, too; several may
 * share it. @user_data has to live until box_delivery_free() has returned. */
BoxDelivery *
box_delivery_new_recording (BoxRecording *recording, const BoxRecoverySettings *settings,
                            const BoxDeliveryEvents *events, gpointer user_data,
                            GCancellable *cancellable);

/* Stops it at once, unless it has ended: the session stays, and an unfinished recording is kept
 * (see the event). After this returns no event runs. Events may call it. Then they and others that
 * have begun may still run, and the recording is let go of soon after. */
void box_delivery_free (BoxDelivery *delivery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxDelivery, box_delivery_free)

/* Begins. The stream may be written before. */
void box_delivery_start (BoxDelivery *delivery);

/* Takes @length bytes for the file's @offset and returns how many had room; less: wait for room. In
 * memory, and beside an upload, @offset must be the end of the last write. A live request ends
 * where it is not. */
gsize box_delivery_write (BoxDelivery *delivery, guint64 offset, const guint8 *data, gsize length);

/* The written bytes belong to @time of the stream (microseconds, -1: not known). At most 100 ms
 * of a recording wait in memory, however fast it arrives. FALSE: they cannot be written, and
 * the delivery has failed. */
gboolean box_delivery_reach (BoxDelivery *delivery, gint64 time);

/* The bytes that are written from now on belong to @time of the stream, for BoxPosition:
 * microseconds; -1: not known. */
void box_delivery_set_time (BoxDelivery *delivery, gint64 time);

/* READY: something can be written; FAILED: it has ended. */
BoxWait box_delivery_wait_room (BoxDelivery *delivery);

/* Stops it and forgets what was written, to begin anew with another delivery: a recording is
 * removed when this one is freed. */
gboolean box_delivery_discard (BoxDelivery *delivery, GError **error);

/**
 * box_delivery_finish:
 * @reason: as in the event kept.
 * @padding: what fills the @gap bytes between the stream and a reserve.
 * @no_padding: (nullable) (transfer full): why nothing fills it. It is the failure, unless the
 *   recording can be uploaded in its own size.
 *
 * The stream is over; only the first time counts. Does not wait.
 */
void box_delivery_finish (BoxDelivery *delivery, const char *reason, BoxPaddingKind padding,
                          guint64 gap, GError *no_padding);

/* Waits for the end: READY, or FAILED; see box_delivery_dup_error(). @timeout in microseconds, -1:
 * forever. */
BoxWait box_delivery_wait (BoxDelivery *delivery, gint64 timeout);

/* The stream is not good: it fails with @error (taken). When this returns the end has been
 * reported, unless interrupted. */
void box_delivery_fail (BoxDelivery *delivery, GError *error);

/* --- Any thread ------------------------------------------------------------------------------- */

/* TRUE makes the waits return at once until FALSE is set; transfers go on. */
void box_delivery_interrupt (BoxDelivery *delivery, gboolean interrupted);

/* Bytes per second of the upload that runs and of those to come; 0: no limit. */
void box_delivery_set_rate (BoxDelivery *delivery, guint64 rate);

/* Writes to disk what was recorded, in the background, at once. */
void box_delivery_flush_soon (BoxDelivery *delivery);

/* How far it is. */
BoxDeliveryPhase box_delivery_get_phase (BoxDelivery *delivery);

/* The upload that runs, or ran last; NULL: none yet. Free with box_upload_unref(). */
BoxUpload *box_delivery_dup_upload (BoxDelivery *delivery);

/* How far that is, or the live request. FALSE, and all zero: there is neither. */
gboolean box_delivery_get_stats (BoxDelivery *delivery, BoxUploadStats *stats);

/* How far it is safe. Never waits for the disk. */
void box_delivery_get_position (BoxDelivery *delivery, BoxPosition *position);

/* Bytes in the spool; 0 without a spool. */
guint64 box_delivery_get_spooled (BoxDelivery *delivery);

/* Bytes that were sent before the size was known, and are of use; 0 without BoxAhead. */
guint64 box_delivery_get_ahead (BoxDelivery *delivery);

/* The path of the recording; NULL without a recording, or if it is not there. Owned by @delivery.
 */
const char *box_delivery_get_path (BoxDelivery *delivery);

/* After FAILED. Free with g_error_free(). */
GError *box_delivery_dup_error (BoxDelivery *delivery);

/* What Box has not done for the file after its commit is left for another try. */
void box_delivery_stop_settling (BoxDelivery *delivery);

/* Why the file has not got its metadata; NULL: it has, or gets none. Free with g_error_free(). */
GError *box_delivery_dup_unsettled (BoxDelivery *delivery);

/* After the end of a recording: its result, and the file, NULL without a file. Free with
 * box_file_free(). */
BoxFile *box_delivery_dup_file (BoxDelivery *delivery, BoxRecovered *how);

G_END_DECLS

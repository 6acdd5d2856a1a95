/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of BoxDelivery, shared by its files: delivery/delivery.c (its life, its waits),
 * delivery/steps.c (its steps, its end), delivery/crew.c (the threads that do them),
 * delivery/events.c (what its uploads tell),
 * delivery/position.c (how far it is), delivery/ticker.c (when that is told), delivery/stream.c
 * (the bytes of a stream), delivery/stream-ahead.c (those that leave before their number is known)
 * and delivery/stream-room.c (whether the account has room for them).
 */
#pragma once

#include "base/watermark.h"
#include "delivery/attempt.h"
#include "delivery/delivery.h"
#include "delivery/growing.h"

G_BEGIN_DECLS

struct _BoxDelivery
{
  gatomicrefcount refs; /* an upload of a stream in memory holds one: its events may come late */

  /* immutable */
  BoxDeliverySettings settings; /* of a stream; its strings and its destination are owned */
  BoxTerms terms;               /* likewise */
  BoxRecoverySettings recovery;
  BoxDeliveryEvents events;
  gpointer user_data;
  GDestroyNotify destroy;
  BoxSpool *spool;       /* of a stream that is recorded, else NULL */
  int fd;                /* of a file on disk; -1: no file */
  BoxMetadata *metadata; /* of the file, given to it after the commit; nullable */
  GCancellable *cancellable;
  GCancellable *outer; /* nullable */
  gulong outer_id;

  /* The producer's thread; from finish on that of the steps, until these have ended. */
  BoxRecording *recording; /* changes with lock. NULL: the bytes are in memory, or others have it */
  BoxAttempt *attempt;     /* the upload beside the recording; nullable */
  BoxLive *live;           /* the request that carries the recording; nullable */
  BoxAhead *ahead;         /* of a recording without an upload; nullable; changes with lock */
  BoxPreflight *preflight; /* of a recording without an upload; nullable */
  BoxRecovery *resending;  /* the recording, in another upload; nullable */
  BoxDigest *digest;       /* of the bytes, if no upload takes it; NULL: they were not in order */
  guint64 position;        /* where in the file the next byte goes */
  gint64 time;             /* of the stream, up to which it was written out; -1: none */
  gint64 running_time;     /* of the next byte, microseconds; -1: not known */
  gint64 marked_at;        /* monotonic: the last of the marks; 0: none */
  gint64 marked_time;      /* running_time then */
  gboolean overrun;        /* the stream is longer than was declared, and its upload abandoned */
  gboolean kept_told;
  gboolean displaced; /* its files are not in the spool, and cannot be written there */
  const char *reason; /* of the end of the stream */
  BoxPaddingKind padding;
  guint64 gap;
  GError *no_padding;

  /* with the crew's lock */
  gboolean enlisted; /* its steps have begun, and not ended */
  gboolean awake;    /* a thread does them, or will */
  gboolean due;      /* what it rests for has come */

  gboolean armed; /* atomic: the ticker will look at it */
  /* with the workers' lock */
  gboolean ticks;  /* the ticker knows it */
  gboolean ticked; /* a worker looks at it now */
  GThread *ticker; /* which may be in the event position; nullable */

  GMutex lock;
  GCond changed; /* reported, or interrupted */
  /* with lock */
  GThread *self;     /* that does the steps now; nullable */
  gboolean threaded; /* from finish on: the steps report the end */
  gboolean orphaned; /* its owner, called by self, has freed the delivery: that does the rest */
  BoxDeliveryFacts facts;
  BoxUpload *upload;   /* the carrier; NULL: none yet */
  gboolean resent;     /* it is the recovery's, which ends it when cancelled */
  guint64 sent_ahead;  /* bytes, when BoxAhead had ended */
  guint64 left_size;   /* bytes of a recording that was left to others */
  gboolean room_known; /* the next three count: nothing was told of them yet */
  BoxRoom room;        /* of the account */
  guint64 room_limit;  /* bytes of it for this file */
  guint64 expected;    /* size of the recording; 0: not known */
  guint64 rate;        /* bytes per second, 0: no limit */
  gint64 begun;        /* monotonic, microseconds */
  BoxWatermark *marks; /* when the bytes of a stream came; else NULL */
  BoxRates rates;
  struct
  {
    guint64 total;
    guint64 acked;
    guint64 in_order;
    guint64 padding;
  } reached;               /* at the last look: bytes that there are, and that Box has */
  gint64 full_in;          /* the spool, at the last tick: microseconds; -1: never, or not known */
  gboolean displaced_told; /* that its files were, while it went on */
  gboolean unsafe_told;    /* the last event position said that something is unsafe */
  GThread *positioner;     /* is in that event; nullable */
  gboolean opened;         /* Box has opened a session */
  gboolean live_told;      /* that the live request failed */
  gboolean abandoned;      /* the first upload: what it tells does not count any more */
  gboolean interrupted;
  gboolean closed;   /* no event comes any more */
  gboolean ending;   /* one thread is reporting the end, or has; phase is the end */
  gboolean told;     /* that has returned */
  GError *unsettled; /* why the file has not got its metadata; nullable */
  BoxFile *file;     /* nullable; this and error: immutable from ending on */
  GError *error;     /* what it has failed with, or its last upload */
  BoxRecovered how;  /* of a recording */
};

/* --- delivery/delivery.c --- */

/* Frees what is left after everything has stopped. */
void box_delivery_dispose (BoxDelivery *delivery);

BoxDelivery *box_delivery_ref (BoxDelivery *delivery);
void box_delivery_unref (gpointer delivery);

/* --- delivery/events.c --- */

/* For the uploads of the delivery. */
extern const BoxUploadEvents box_delivery_upload_events;

/* For the request that carries the recording. */
extern const BoxLiveEvents box_delivery_live_events;

/* Box, or somebody in its place, has @error against the file. Any thread. */
void box_delivery_refused (const GError *error, gpointer delivery);

/* A copy of @error for people: without the advice to set if-exists, if it is set. */
GError *box_delivery_explain (BoxDelivery *delivery, const GError *error);

/* Reports that the recording may be too much. The owner may free the delivery meanwhile. */
void box_delivery_tell_room (BoxDelivery *delivery, const char *text, guint64 limit);

/* Whether the files of the recording still have their names: reports it once if not. Any thread. */
void box_delivery_check_place (BoxDelivery *delivery);

/* What was removed of the recording is written anew, before somebody relies on it; that is
 * reported. FALSE: it is not where it should be, and cannot be. Nobody writes it any more. */
gboolean box_delivery_restore (BoxDelivery *delivery, GError **error);

/* Reports that the recording is kept, unless that was done, or there is nothing in it. */
void box_delivery_tell_kept (BoxDelivery *delivery, const char *reason);

/* The event position. */
void box_delivery_tell_position (BoxDelivery *delivery, const BoxPosition *position);

/* --- delivery/position.c --- */

/* The byte at @offset comes now. The producer's thread. */
void box_delivery_mark (BoxDelivery *delivery, guint64 offset);

/* Finds out when the spool will be full. It asks the disk: no lock is held, and nobody waits. */
void box_delivery_look_ahead (BoxDelivery *delivery);

/* Reports how far it is, while something is unsafe, and once when nothing is any more. Returns
 * whether something is unsafe. */
gboolean box_delivery_tell_how_far (BoxDelivery *delivery);

/* --- delivery/ticker.c --- */

/* Bytes have come, which are not safe yet. The producer's thread. */
void box_delivery_wake_ticker (BoxDelivery *delivery);

/* Afterwards no event position runs, unless it is this thread that is in it. */
void box_delivery_stop_ticking (BoxDelivery *delivery);

/* For tests: how many rounds the process's ticker has begun. */
guint box_delivery_count_rounds (void);

/* --- delivery/steps.c --- */

/* Something else than an upload failed, with @error (taken): the next step is the end, and it is
 * reported when this returns. */
void box_delivery_break (BoxDelivery *delivery, GError *error);

/* An end that is due is reported by the one who made it so. */
void box_delivery_settle (BoxDelivery *delivery);

/* Notes a failure, for the case that the delivery fails. The first one that is not an upload's
 * stays. Takes @error (nullable). */
void box_delivery_set_error_locked (BoxDelivery *delivery, GError *error);

/* Whether the thread has to stop at once. */
gboolean box_delivery_is_closed (BoxDelivery *delivery);

/* Ends the upload that came with the stream, at once, without waiting for it: what it would have
 * done, another one does. Any thread. */
void box_delivery_abandon (BoxDelivery *delivery);

/* Stops the upload that came with the stream. One that has failed ends by itself, in the
 * background, but may still have its session to abort: it gets a moment for that. Many applications
 * end as soon as they hear of a failure, and what comes next would cancel it. */
void box_delivery_stop_upload (BoxDelivery *delivery);

/* Whether the caller is in an event of some delivery's upload, preflight or live request: these
 * threads cannot wait for the event's end. */
gboolean box_delivery_in_event (void);

/* Where the steps stand when their thread has no more to do. */
typedef enum
{
  BOX_DELIVERY_RESTS, /* box_delivery_wake() is called when there is more */
  BOX_DELIVERY_OVER,
  BOX_DELIVERY_ORPHANED, /* the same, and it is to be disposed of */
} BoxDeliveryShift;

/* Does the steps that can be done now. A thread of the crew. */
BoxDeliveryShift box_delivery_do_steps (BoxDelivery *delivery);

/* --- delivery/crew.c --- */

/* The steps begin, in a thread of the crew. If the system has no thread the delivery fails. */
void box_delivery_begin_steps (BoxDelivery *delivery);

/* What the @delivery rests for has come. Any thread; does not wait. */
void box_delivery_wake (gpointer delivery);

/* Whether the caller is the thread of the steps, in an event: it disposes of the delivery when it
 * has returned from there. */
gboolean box_delivery_leave_to_thread (BoxDelivery *delivery);

/* Waits until no thread does a step; none will. Not in the thread of the steps. */
void box_delivery_end_steps (BoxDelivery *delivery);

/* --- delivery/stream-ahead.c --- */

/* The size that the recording is likely to have: as the settings say, or that of the last one to
 * the same folder; 0: not known. */
guint64 box_delivery_expect_size (BoxDelivery *delivery);

/* Begins to send the recording ahead, if that is wanted and of use. */
void box_delivery_open_ahead (BoxDelivery *delivery);

/* Ends it, if it runs. The recovery needs the seed. */
void box_delivery_end_ahead (BoxDelivery *delivery);

/* Ends it, if it runs. Nobody needs the seed: it is aborted in the background. */
void box_delivery_drop_ahead (BoxDelivery *delivery);

/* --- delivery/stream-room.c --- */

/* Asks whether Box will take the file. */
void box_delivery_start_preflight (BoxDelivery *delivery);

/* The stream has come to the position that it has now. The producer's thread. */
void box_delivery_check_room (BoxDelivery *delivery);

/* --- delivery/stream.c --- */

/* Opens the recording, or the upload in memory, or both. */
gboolean box_delivery_open_stream (BoxDelivery *delivery, GError **error);

/* Begins the request that carries the recording; without it the recording is uploaded at its end.
 */
void box_delivery_start_live (BoxDelivery *delivery);

/* Opens the upload in memory. */
gboolean
box_delivery_open_memory (BoxDelivery *delivery, const BoxUploadSettings *settings, GError **error);

/* The step CLOSE: of a file on disk, all of it. */
void box_delivery_close_stream (BoxDelivery *delivery);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of BoxUpload, shared by its files: upload/upload.c (the application's side),
 * upload/producer.c (the producer's), upload/bytes.c (where the bytes are), upload/work.c (the
 * workers' side: which step runs), the steps themselves (upload/open.c, upload/parts.c,
 * upload/commit.c, upload/lookup.c), and upload/trouble.c (what a failed one means).
 */
#pragma once

#include "upload/blocks.h"
#include "upload/flow.h"
#include "upload/plan.h"
#include "upload/upload.h"
#include "upload/workers.h"

G_BEGIN_DECLS

struct _BoxUpload
{
  BoxTask task; /* first: a task is its upload */
  gatomicrefcount refs;

  /* immutable */
  BoxClient *client;
  BoxDestination *destination;
  BoxDestination *session_target; /* nullable */
  BoxSession *given_session;      /* nullable */
  GPtrArray *known_parts;         /* of that; nullable */
  GPtrArray *earlier;             /* parts of other sessions; nullable */
  gboolean sha512;                /* computed for the parts that are sent */
  guint64 size;
  BoxIfExists if_exists;
  guint parallel; /* 0: as the host's flow says */
  guint64 max_memory;
  gint64 retry_timeout; /* microseconds, 0: the session's life */
  gint64 begun;         /* Unix time, seconds */
  gint64 born;          /* the same, monotonic, microseconds */
  gboolean complete;    /* all its bytes were there when it began */
  gboolean resumed;     /* an earlier attempt may have committed */
  BoxDigestEngine digest_engine;
  BoxAttributes attributes;  /* strings owned */
  BoxBlocksFile file_behind; /* the blocks; read is NULL without a file */
  gboolean grows;            /* that, until the stream ends */
  BoxUploadEvents events;
  gpointer user_data;
  GDestroyNotify destroy;
  BoxPace *pace;
  GCancellable *transfers; /* cancelled by the end, good or bad */
  GCancellable *cleanup;   /* for the abort: cancelled by box_upload_cancel() only */

  /* producer thread */
  BoxDigest *digest; /* of what was written; the DIGEST step's after the end */
  guint8 *cursor;    /* where the next byte goes */
  gsize room;        /* bytes that fit there */
  gsize unhashed;    /* bytes before cursor that the digest has not seen */
  guint64 position;  /* bytes written */
  guint n_noticed;   /* of n_opened: room knows of those */
  gboolean digested; /* sha1 is known before the end: box_upload_digest() was called */

  /* with the lock */
  BoxPlan plan;
  BoxHost *host;   /* whose flow says when parts are sent; NULL: `parallel` does */
  guint n_waiting; /* parts in flight that were sent whole */
  GCond changed;   /* room, an end, an interruption: wakes all waits */
  BoxBlocks *store;
  gboolean started;
  gboolean interrupted;
  guint n_calls;       /* events and reads of the file behind that have not returned */
  gboolean closed;     /* no call begins any more */
  gboolean last_begun; /* neither does another event: completed or failed has begun */
  gboolean told;       /* that has returned */
  void (*over) (gpointer user_data); /* to be called when it is over; nullable */
  gpointer over_data;
  GError *error;            /* first failure */
  gboolean commit_repeated; /* an earlier commit or whole upload may have worked */
  BoxSha1 sha1;             /* of the whole file, once the plan is finished */
  BoxFile *file;
  guint sessions_replaced;
  gint64 trouble_since;  /* first failure after the last progress, 0: none */
  gint64 trouble_last;   /* the last of its failures */
  guint64 trouble_reach; /* bytes at Box or on their way when that was dated */
  guint trouble_count;   /* passing failures in a row, of any request */
  gboolean last_called;  /* the last try before it is given up has begun */
  gint64 finished_at;
  gboolean outage;
  guint retries;
  guint n_adopted;        /* parts, as reported */
  gboolean part_fails;    /* the last request that failed was the part's at failing_offset, */
  guint64 failing_offset; /* which is not done */
  guint n_hits;           /* parts that this session has from elsewhere */
  gboolean hits_refused;  /* a commit did not take such parts: they are sent */
  guint parts_asked;      /* in all sessions */
  guint parts_hit;
  guint64 bytes_acked;
  guint n_in_order; /* parts that are there without a gap, when last looked at */
  gint64 rate_time; /* of the last sample of the rate */
  guint64 rate_sent;
  guint64 rate;

  /* with the lock while the plan is not open; immutable while it is */
  BoxSession *session;    /* NULL for whole uploads */
  BoxDestination *target; /* the real destination, by if_exists; NULL: not known */
  GPtrArray *parts;       /* BoxPart by index; NULL: not acknowledged (entries with the lock) */
  GByteArray *dropped;    /* by index: 1 if its bytes were given back (entries with the lock) */

  /* the worker in the OPEN, COMMIT, WHOLE or LOOKUP step, of which one runs at a time, or in the
   * first LIST, before which nothing else does */
  BoxDestination *place; /* where destination's path leads to; NULL: not found yet, or no path */
  gboolean place_is_old; /* nobody was asked whether it is still there */
  char *given_folder;    /* the id of the place in an earlier attempt; nullable */
  gint64 pending_since;  /* monotonic: when a commit was first answered with 202; 0: never */
  BoxDestination *other_name; /* to be opened, as one was taken; NULL: none was */
  BoxFile *other_conflict;    /* what has that one; nullable */
  guint n_names;              /* tried so far */
  gboolean has_other;         /* other_name has not been tried yet */
  char *etag_before;          /* of the file that gets a version, for If-Match; NULL: not known */
  char *version_before;       /* likewise */

  /* atomic */
  guint64 received;  /* by the producer; what it says can be read */
  guint n_opened;    /* sessions, so far */
  guint64 sent;      /* to the network */
  guint64 under_way; /* the same, of bodies that have not ended */
};

/* Box has part @i. */
void box_upload_release_locked (BoxUpload *upload, guint i);

/* The range of part @i. */
guint64 box_upload_part_offset (const BoxUpload *upload, guint i);
guint64 box_upload_part_size (const BoxUpload *upload, guint i);

/* Makes bytes [0, @end) available to the workers. */
void box_upload_publish_locked (BoxUpload *upload, guint64 end);

/* The session is known: memory is bounded by its parts, and parts in flight by the memory. */
void box_upload_set_memory_locked (BoxUpload *upload);

/* No byte is taken any more: it failed, was cancelled, or is done. */
gboolean box_upload_has_ended_locked (const BoxUpload *upload);

/* It failed and this was reported, or it was cancelled: waiting is over. */
gboolean box_upload_is_over_locked (const BoxUpload *upload);

extern const BoxTaskClass box_upload_task_class;

/* Around each call out: an event, the last event (completed, failed), a read of the file behind.
 * FALSE: none may begin, because the upload was cancelled or closed, or has reported its end. Only
 * here is decided whether an event is wanted. */
typedef enum
{
  BOX_CALL_EVENT,
  BOX_CALL_LAST_EVENT,
  BOX_CALL_READ,
} BoxCall;
gboolean box_upload_call_begins (BoxUpload *upload, BoxCall call);
void box_upload_call_ends (BoxUpload *upload);

/* It may be over now: calls the one that box_upload_call_when_over() has named. Without the lock.
 */
void box_upload_tell_over (BoxUpload *upload);

/* Steps: each is called without the lock in a worker, reports its events, changes the plan, and
 * returns TRUE; or changes nothing and returns FALSE with @error set. */
gboolean box_upload_open (BoxUpload *upload, BoxTransport *transport, GError **error);
gboolean box_upload_send_part (BoxUpload *upload, BoxTransport *transport, guint i,
                               BoxFlowPart *flow, GError **error);
gboolean box_upload_verify_part (BoxUpload *upload, guint i, GError **error);
gboolean box_upload_list (BoxUpload *upload, BoxTransport *transport, GError **error);
gboolean box_upload_ask (BoxUpload *upload, BoxTransport *transport, GError **error);
gboolean box_upload_digest_padding (BoxUpload *upload, GError **error);
gboolean box_upload_send_whole (BoxUpload *upload, BoxTransport *transport, GError **error);
gboolean box_upload_commit (BoxUpload *upload, BoxTransport *transport, GError **error);
gboolean box_upload_lookup (BoxUpload *upload, BoxTransport *transport, GError **error);
gboolean box_upload_abort (BoxUpload *upload, BoxTransport *transport, GError **error);

/* The session is open: parts that Box may have from elsewhere are held until it was asked. */
void box_upload_hold_locked (BoxUpload *upload);

/* Box has @part, which is part @i, although it was not sent there by this upload. @verify: its
 * SHA-1 is compared with the bytes first. Reports it, unless it has to be compared. FALSE: it is
 * under way, or done. Only the one LIST or ASK that runs calls this. */
gboolean box_upload_adopt (BoxUpload *upload, guint i, const BoxPart *part, gboolean verify);

/* A request succeeded. Reports the end of an outage, if there was one. */
void box_upload_reached (BoxUpload *upload);

/* The same, and the upload made progress: retry_timeout begins again. Listing parts or looking up a
 * file is not progress. */
void box_upload_progressed (BoxUpload *upload);

/* A request has failed now. The trouble keeps the date of its first failure, unless more bytes were
 * sent since. Call it while the failed request's bytes still count. */
void box_upload_date_trouble (BoxUpload *upload);

/* The running @step has failed with @error (taken): it is tried again later, or the upload
 * fails. Reports this. */
void box_upload_step_failed (BoxUpload *upload, const BoxStep *step, GError *error);

/* When an upload that only waits for failed steps is given up: monotonic; G_MAXINT64: not in
 * trouble, or a step runs. Then each of the steps is tried once more
 * (box_upload_call_last_locked()). */
gint64 box_upload_get_deadline_locked (const BoxUpload *upload, gint64 now);
void box_upload_call_last_locked (BoxUpload *upload, gint64 now);

/* The consequence of a failed step. Pure. */
typedef enum
{
  BOX_VERDICT_FATAL,
  BOX_VERDICT_AGAIN,  /* the same step later */
  BOX_VERDICT_UNSURE, /* it may have taken effect: list or look up first */
} BoxVerdict;

/* @refusals: how often the step was refused, this time included; failures of the network do not
 * count. @repeated: an earlier try may have worked. */
BoxVerdict
box_upload_judge (BoxStepKind kind, const GError *error, guint refusals, gboolean repeated);

/* The end. It is reported before a wait for it returns. Takes @file. */
void box_upload_committed (BoxUpload *upload, BoxFile *file);

/* If a commit or whole upload worked and its answer was lost, the name is taken by the file itself.
 * In this case clears *@error (a failure) and returns the file. NULL: *@error is another failure,
 * or says why this is not known. */
BoxFile *box_upload_find_in_conflict (BoxUpload *upload, BoxTransport *transport, GError **error);

/* The destination, without its path once that was resolved. */
const BoxDestination *box_upload_get_place (const BoxUpload *upload);

/* Part of the steps OPEN and LOOKUP: finds the folder, or makes it. */
gboolean box_upload_find_place (BoxUpload *upload, BoxTransport *transport, GError **error);

/* Whether @failure says that the folder of an earlier time is gone: then it is to be found anew. */
gboolean box_upload_leave_place (BoxUpload *upload, const GError *failure);

/* The destination of the file. An upload that continues an earlier attempt has it only from its
 * settings. NULL: not known. */
const BoxDestination *box_upload_lookup_target (const BoxUpload *upload);

/* The bytes of a request body. They stay in place until the request is over. */
typedef struct
{
  BoxUpload *upload;
  guint part;        /* its index */
  BoxFlowPart *flow; /* of the part; NULL: of a whole file */
  BoxBlocksRange range;
  guint64 size;
  guint64 sent; /* of it, so far */
} BoxUploadBytes;

/* Memory stays pinned until clear. */
void box_upload_bytes_init (BoxUploadBytes *bytes, BoxUpload *upload, guint64 offset, guint64 size);

/* The same from the file behind alone: of a part that may not be sealed yet. */
void
box_upload_bytes_init_file (BoxUploadBytes *bytes, BoxUpload *upload, guint64 offset, guint64 size);
void box_upload_bytes_clear (BoxUploadBytes *bytes);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoxUploadBytes, box_upload_bytes_clear)

/* Factor for the time of the reply to a body that was @slow times too slow; @slow is read with the
 * lock. */
guint box_upload_slack (const guint *slow);

/* The digests of the bytes, each nullable; and the bytes as a body, which borrows @bytes. */
gboolean box_upload_bytes_digest (const BoxUploadBytes *bytes, BoxSha1 *sha1, BoxSha512 *sha512,
                                  GError **error);
void box_upload_bytes_to_body (BoxUploadBytes *bytes, BoxBody *body);

G_END_DECLS

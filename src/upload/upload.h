/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxUpload: one file on its way to Box. A producer thread writes the bytes in order; the process's
 * shared workers open the session, send parts as they fill, and commit when the producer has said
 * that it is finished. The producer waits only for room.
 *
 *   upload = box_upload_new (&settings, &events, data, destroy, &error);
 *   box_upload_start (upload);
 *   while (…)
 *     {
 *       n = box_upload_write (upload, bytes, length);       // what had room
 *       if (n < length)
 *         switch (box_upload_wait_room (upload)) …
 *     }
 *   box_upload_finish (upload);
 *   box_upload_wait_done (upload, -1);
 *   box_upload_cancel (upload);
 *   box_upload_unref (upload);
 *
 * Threads: write and finish belong to one producer thread; everything else may be called from any.
 */
#pragma once

#include "api/client.h"
#include "api/metadata.h"
#include "upload/blocks.h"

#include <sys/stat.h>

G_BEGIN_DECLS

typedef enum
{
  BOX_ON_ERROR_KEEP,
  BOX_ON_ERROR_ABORT,
} BoxOnError;

/**
 * BoxUploadSettings:
 * @destination: copied.
 * @folder_id: (nullable): copied. The folder that an earlier attempt found at the end of
 * @destination's path; if it is gone, the path is followed anew.
 * @size: bytes of the whole file. With a SESSION destination it must fit the session's grid.
 * @if_exists: what to do if the name exists.
 * @on_error: whether the session is aborted on a fatal error; a given session never is.
 * @commit: FALSE: fill the session and leave the commit to the caller.
 * @parallel: parts in flight, 1 to 16; 0: as many as make the upload fastest (upload/flow.h), but
 * without @file not more than @max_memory has room for.
 * @max_memory: bytes of parts in memory; 0: (@parallel + 1) parts, or four and an eighth for
 * @parallel 0; with @file a share of BOX_BLOCKS_SHARED, or of BOX_BLOCKS_SHARED_GROWING if
 * @file_grows. Without @file at least two parts are always allowed, and a file below
 * BOX_SESSION_MIN_SIZE is held whole.
 * @upload_rate: bytes per second; 0: no limit.
 * @retry_timeout: seconds a transient failure is retried without any progress; 0: until the session
 * expires.
 * @digest_engine: for the parts.
 * @attributes: copied.
 * @metadata: (nullable): of the file, for the delivery: the upload itself does nothing about it.
 * @file: (nullable): copied; destroyed when the upload and its workers are done with it. It has
 * the bytes before they are written here, and keeps them until the file is committed (the spool, a
 * file that is uploaded). They can be read again for another session, and a full memory drops some
 * instead of making the producer wait.
 * @file_grows: @retry_timeout counts from the end of the stream only: no outage ends a running
 * recording.
 * @session_target: (nullable): copied. The destination of the file of a SESSION, if it is known
 * (BoxNote): a commit whose answer was lost can then be looked up.
 * @session: (nullable): copied. The session of an earlier attempt, of @size bytes, to continue
 * instead of opening one. If it is gone, the upload fails with BOX_ERROR_SESSION_GONE, and the
 * owner of the bytes starts another upload without it.
 * @known_parts: (nullable) (element-type BoxPart): copied. Parts of @session that Box has
 * acknowledged, for those that Box does not list.
 * @earlier: (nullable) (element-type BoxPart): copied, sorted by offset. Parts of these bytes that
 * Box has acknowledged in other sessions. A session with a "plan" is asked for those on its grid
 * before they are sent. One without SHA-512 gets it from the bytes.
 * @sha512: compute the SHA-512 of parts that are sent, too, for part_done.
 * @commit_unsure: the earlier attempt may have committed @session: look for the file before
 * committing again.
 * @begun: Unix time at which the bytes began to be made; 0: now. With @commit_unsure, a version of
 * the same content that is older is not this upload's.
 *
 * The source, the destination and the manner of an upload.
 */
typedef struct
{
  BoxClient *client;
  const BoxDestination *destination;
  const char *folder_id;
  guint64 size;
  BoxIfExists if_exists;
  BoxOnError on_error;
  gboolean commit;
  guint parallel;
  guint64 max_memory;
  guint64 upload_rate;
  guint retry_timeout;
  BoxDigestEngine digest_engine;
  BoxAttributes attributes;
  BoxMetadata *metadata;
  const BoxBlocksFile *file;
  gboolean file_grows;
  const BoxDestination *session_target;
  const BoxSession *session;
  GPtrArray *known_parts;
  GPtrArray *earlier;
  gboolean sha512;
  gboolean commit_unsure;
  gint64 begun;
} BoxUploadSettings;

typedef struct _BoxUpload BoxUpload;

/**
 * BoxUploadEvents:
 *
 * Events, reported at once from worker threads, without any lock held. completed or failed is the
 * last to begin. No event begins after box_upload_cancel() has returned, and no event runs after
 * box_upload_close() has. Each may be NULL.
 */
typedef struct
{
  /* The folder at the end of the destination's path. */
  void (*folder_found) (const char *folder_id, gpointer user_data);
  /* The session is open; part_done reports adopted parts next. Not called for direct uploads.
   */
  void (*session_opened) (const BoxSession *session, guint64 size, gpointer user_data);
  /* A part is about to be sent, and none of it has left yet; or it was refused. FALSE: it is of no
   * use any more, and is left out: an upload that is not committed can do without. NULL: every part
   * is wanted. */
  gboolean (*part_wanted) (guint64 offset, guint64 size, gpointer user_data);
  /* Box has the part. attempts: requests it took, 0 if it was adopted. */
  void (*part_done) (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data);
  /* "part", "open", "list", "commit", … failed and is tried again after delay microseconds. offset:
   * of the part, else G_MAXUINT64. */
  void (*retrying) (const char *request, guint64 offset, guint attempt, gint64 delay,
                    const GError *reason, gpointer user_data);
  /* The network is gone (reason) or back (NULL). */
  void (*outage) (const GError *reason, gpointer user_data);
  /* Box has all parts; the commit is sent when this has returned. Direct uploads report it before
   * their request. */
  void (*committing) (gpointer user_data);
  /* The end: the file, verified by size and SHA-1. file is NULL if settings.commit was FALSE,
   * unless it was found to be committed. */
  void (*completed) (const BoxFile *file, gpointer user_data);
  /* The other end. */
  void (*failed) (const GError *error, gpointer user_data);
} BoxUploadEvents;

/* Checks the settings (BOX_ERROR_SETTINGS). @user_data is given to every event and released with
 * @destroy when the upload and its workers are done with it. */
BoxUpload *box_upload_new (const BoxUploadSettings *settings, const BoxUploadEvents *events,
                           gpointer user_data, GDestroyNotify destroy, GError **error);
BoxUpload *box_upload_ref (BoxUpload *upload);
void box_upload_unref (BoxUpload *upload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxUpload, box_upload_unref)

/* Begins the work over the network, in the background. If the system has no thread and no
 * descriptors for it the upload fails (BOX_ERROR_SPACE), as it would later. */
void box_upload_start (BoxUpload *upload);

/**
 * box_upload_write:
 *
 * Copies as much of @data as there is room for, and returns the number of bytes; less than @length:
 * wait for room. With settings.file there always is, and @data may be NULL: then the bytes are read
 * from the file when they are sent, and the upload can only be cancelled, unless the caller knows
 * the digest of the file (box_upload_set_digest()). After a failure it returns 0, and the wait
 * returns FAILED. Writing beyond the declared size fails the upload with BOX_ERROR_SIZE.
 */
gsize box_upload_write (BoxUpload *upload, const guint8 *data, gsize length);

typedef enum
{
  BOX_WAIT_READY,
  BOX_WAIT_INTERRUPTED, /* box_upload_interrupt() is on */
  BOX_WAIT_TIMEOUT,
  BOX_WAIT_FAILED, /* see box_upload_get_error() */
} BoxWait;

/* Waits until something can be written; with settings.file, until that makes nothing be read from
 * the file again. */
BoxWait box_upload_wait_room (BoxUpload *upload);

/* The SHA-1 of the file, before its end: of what was written, and of @padding from there up to the
 * declared size. It may take long; what ends the upload ends it. Afterwards only
 * box_upload_finish_padded() may follow, with the same padding. */
gboolean
box_upload_digest (BoxUpload *upload, BoxPaddingKind padding, BoxSha1 *sha1, GError **error);

/* The same if the caller knows it: the bytes may have been written as NULL. */
void box_upload_set_digest (BoxUpload *upload, const BoxSha1 *sha1);

/* No more bytes will come. A stream shorter than its declared size is BOX_ERROR_SIZE. Does not
 * wait. */
void box_upload_finish (BoxUpload *upload);

/* The same, with @padding up to the declared size. Padding takes no memory and never waits.
 * It must be able to fill the gap (box_padding_min_size()). NONE: as box_upload_finish(). */
void box_upload_finish_padded (BoxUpload *upload, BoxPaddingKind padding);

/* Waits until the file is committed; @timeout in microseconds, -1: forever. */
BoxWait box_upload_wait_done (BoxUpload *upload, gint64 timeout);

/* Calls @over once, as soon as box_upload_wait_done() would return at once, but for an
 * interruption: from any thread, without a lock; from this one if that is so already. One @over at
 * a time; none begins after box_upload_close() was called, which waits for one that runs. @over
 * must not wait. */
void box_upload_call_when_over (BoxUpload *upload, void (*over) (gpointer user_data),
                                gpointer user_data);

/* TRUE makes the waits above return at once until FALSE is set; transfers go on. */
void box_upload_interrupt (BoxUpload *upload, gboolean interrupted);

/* Fails the upload with @error (taken): the producer found that its bytes are not good. */
void box_upload_fail (BoxUpload *upload, GError *error);

/* Stops everything now, leaving the session as it is; transfers in flight are cut within
 * milliseconds, in the background. Does nothing after the end. */
void box_upload_cancel (BoxUpload *upload);

/* Stops it, unless it has ended; a session that is being aborted still is, in the background. Waits
 * until no event and no read of settings.file runs, but for the event that calls this. None begins
 * after it has returned, so that their data can be freed. */
void box_upload_close (BoxUpload *upload);

/* Begins no more parts and no session, and waits until none is in flight: a session that is being
 * opened would be left behind. Returns at once after the end. */
void box_upload_drain (BoxUpload *upload);

/* After a failure: waits until the last request is done, such as the one that aborts the
 * session; @timeout in microseconds. Not interrupted by box_upload_interrupt(). FALSE: the time was
 * over. */
gboolean box_upload_wait_settled (BoxUpload *upload, gint64 timeout);

/* A copy of the error; NULL without an error. */
GError *box_upload_get_error (BoxUpload *upload);

/* The committed file, NULL before. Free with box_file_free(). */
BoxFile *box_upload_get_file (BoxUpload *upload);

/* The open session, NULL before and for direct uploads. Free with box_session_free(). */
BoxSession *box_upload_get_session (BoxUpload *upload);

/* The digest of the whole file, for an upload that the caller commits. FALSE before the producer
 * has finished. */
gboolean box_upload_get_sha1 (BoxUpload *upload, BoxSha1 *sha1);

/* These take effect at once. */
void box_upload_set_rate (BoxUpload *upload, guint64 bytes_per_second);

/* The rate of all uploads of this process together, besides their own; it takes effect at once. As
 * box_process_rate_set() of http/pace.h: a rate, a timetable or "@FILE"; NULL: no limit. */
gboolean box_upload_set_process_rate (const char *text, const char *what, GError **error);

typedef struct
{
  guint64 bytes_received;  /* written by the producer, and the padding behind them */
  guint64 bytes_padding;   /* of them */
  guint64 bytes_uploaded;  /* acknowledged by Box, adopted ones included */
  guint64 bytes_under_way; /* of the parts in flight, sent by their current requests */
  guint64 bytes_sent;      /* handed to the network, repeated ones included */
  guint64 bytes_total;     /* 0: unknown */
  guint64 bytes_in_order; /* of those that Box has acknowledged, from the start and without a gap */
  gboolean in_doubt;      /* Box may have more: it is still asked, or no session is open */
  guint parts_uploaded;   /* acknowledged, adopted ones included */
  guint parts_total;      /* 0 before the session is open, and for direct uploads */
  guint parts_in_flight;
  guint parts_waiting;    /* of them: sent whole, and not answered yet */
  guint parallel;         /* parts that may be sent at a time now */
  guint parts_adopted;    /* were there already */
  gboolean part_fails;    /* the last request that failed was a part's, and it is not done */
  guint64 failing_offset; /* of that part */
  guint parts_asked;      /* that Box was asked for, because it may have them from elsewhere */
  guint parts_hit;        /* that it had */
  gboolean hits_refused;  /* a commit did not take these, and they were sent */
  guint retries;
  guint64 memory; /* bytes of parts held */
  guint64 rate;   /* bytes per second acknowledged lately */
} BoxUploadStats;

/* A snapshot: its numbers belong together. */
void box_upload_get_stats (BoxUpload *upload, BoxUploadStats *stats);

/*
 * BoxFeed: gives the bytes of a finished local file to a BoxUpload. It is the producer's loop.
 */

/**
 * box_feed_fd:
 * @fd: a regular file, read from its start with pread(): its position stays.
 * @size: bytes, as declared for the upload.
 *
 * Writes the file into @upload, and finishes it. Blocks until the last byte was written. Call it
 * in the producer's thread, and wait for the upload itself elsewhere. To end it early, cancel
 * @upload.
 *
 * FALSE with @error set if not all bytes are good. @upload has then failed, with the same error if
 * the file is the reason: BOX_ERROR_STORAGE (it cannot be read), BOX_ERROR_SIZE (it does not have
 * @size bytes, or it changed while it was read, so that the written bytes are a mixture of
 * versions).
 */
gboolean box_feed_fd (BoxUpload *upload, int fd, guint64 size, GError **error);

/* The file behind the blocks of an upload of @fd, which is duplicated. @error: BOX_ERROR_STORAGE.
 */
gboolean box_feed_keep_file (int fd, BoxBlocksFile *file, GError **error);

/* Whether a file was written to between two calls of fstat(): size or time of change differ. */
gboolean box_feed_has_changed (const struct stat *before, const struct stat *after);

G_END_DECLS

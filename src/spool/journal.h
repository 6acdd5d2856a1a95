/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxJournal: the history of a recording as lines of JSON, which are only appended, and the state
 * that they add up to. Pure: no file is touched here (spool/recording.h does this). Every line has
 * a checksum that detects a torn or damaged line. A journal never has credentials.
 */
#pragma once

#include "api/destination.h"
#include "api/file.h"
#include "api/metadata.h"
#include "api/session.h"
#include "base/padding.h"

G_BEGIN_DECLS

/* What was known of a recording's size when it began. */
typedef enum
{
  BOX_SIZING_SPOOL,   /* not at all: it is known at the end of the stream */
  BOX_SIZING_EXACT,   /* the stream will have exactly intent.size bytes */
  BOX_SIZING_RESERVE, /* the stream will have at most intent.size bytes and is padded */
} BoxSizing;

/* The settings of a recording: everything that is needed to finish it without its recorder. */
typedef struct
{
  BoxDestination *destination;
  BoxSizing sizing;
  guint64 size;           /* bytes; 0 with BOX_SIZING_SPOOL */
  BoxPaddingKind padding; /* what fills a reserve; never AUTO */
  BoxIfExists if_exists;
  gboolean commit;           /* FALSE: only fill the session */
  char *description;         /* these three: nullable */
  char *content_created_at;  /* RFC 3339 */
  char *content_modified_at; /* RFC 3339 */
  BoxMetadata *metadata;     /* nullable: what the file gets after the commit */
  gint64 created;            /* Unix time, seconds */
} BoxRecordingIntent;

BoxRecordingIntent *box_recording_intent_copy (const BoxRecordingIntent *intent);
void box_recording_intent_free (BoxRecordingIntent *intent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxRecordingIntent, box_recording_intent_free)

/* The end of a recording's stream. */
typedef struct
{
  guint64 size;           /* bytes of the data file */
  guint64 total;          /* bytes of the file at Box: @size and the padding */
  BoxPaddingKind padding; /* NONE if @total is @size */
  gboolean has_sha1;
  BoxSha1 sha1; /* of all @total bytes */
} BoxRecordingEnd;

/* Each returns one line with its newline; free with g_free(). */
char *box_journal_format_intent (const BoxRecordingIntent *intent);
/* The folder at the end of the destination's path. */
char *box_journal_format_folder (const char *folder_id);
/* @size: what the session was created with, @session fits it. Forgets an earlier session and its
 * parts. */
char *box_journal_format_session (const BoxSession *session, guint64 size);
char *box_journal_format_part (const char *session_id, const BoxPart *part);
/* The session into which parts leave before the size is known, and such a part. Its SHA-512 counts
 * once the stream has ended, unless it was rewritten. @time: of the stream, microseconds; -1: not
 * known. */
char *box_journal_format_seed (const BoxSession *session, guint64 size);
char *box_journal_format_ahead (const char *session_id, const BoxPart *part, gint64 time);
/* The bytes that were in the part at @offset of the seed are others now. */
char *box_journal_format_rewritten (guint64 offset);
/* The seed is not there any more. */
char *box_journal_format_seed_aborted (void);
char *box_journal_format_end (const BoxRecordingEnd *end);
/* A live request (BoxLive) for @target may be sent from now on: as committing, too. */
char *box_journal_format_live (const BoxDestination *target);
/* To be written before the commit (or the direct upload) is sent. */
char *box_journal_format_committing (void);
char *box_journal_format_committed (const BoxFile *file);
/* The recording stays although Box has it. */
char *box_journal_format_kept (void);
/* What the file gets after the commit was done. */
char *box_journal_format_settled (void);
/* The file has another destination than the intent. Forgets the session and its parts. */
char *box_journal_format_redirected (const BoxDestination *destination, BoxIfExists if_exists);
/* @message: why it is not at Box yet; @time: Unix time, seconds. */
char *box_journal_format_failed (const char *message, gint64 time);

/**
 * BoxJournalState:
 * @intent: with the last destination. NULL if the journal does not have it, or was written by a
 * version that this one cannot read.
 * @folder_id: of the folder that the destination's path led to; NULL: not found yet, or no path.
 * @session: the last session, of @session_size bytes; NULL: none.
 * @parts: (element-type BoxPart): parts that Box has acknowledged in it, on its grid, sorted by
 * offset, without duplicates.
 * @seed: the session that was filled before the size was known, and was not aborted; NULL: none.
 * @seed_size: bytes that it was opened for.
 * @seed_spoiled: it has a part whose bytes were written again since.
 * @ahead: (element-type BoxPart): its parts that were not rewritten.
 * @elsewhere: (element-type BoxPart): parts of these bytes in other sessions than @session: of
 * @seed, or of one that was lost. Sorted by offset, without duplicates. One without SHA-512 may
 * have been rewritten since.
 * @ended: the stream came to its end, as @end says. Otherwise its writer died (or is still at it).
 * @commit_begun: a commit may have been sent.
 * @live: what a live request was for, which may have made a file, or a piece of one, before the
 * destination was last changed; NULL: there was none.
 * @file: Box's answer to the commit, NULL: none.
 * @kept: with @file: the recording stays.
 * @settled: the file has got its metadata.
 * @earlier: (element-type BoxDestination): former destinations. It may have been committed there.
 * @left: (element-type BoxSession): sessions of these, which nobody has aborted.
 * @failure: what went wrong last, at @failed_at (Unix time); NULL: nothing.
 * @valid_length: bytes up to and including the last whole line; cut off the rest before anything is
 * appended.
 * @torn: there is a rest.
 * @damaged: a line was damaged: anything may be missing here, even a commit. All other lines
 * passed their checksum.
 * @foreign_version: the journal's format if this version does not know it; else 0.
 */
typedef struct
{
  BoxRecordingIntent *intent;
  char *folder_id;
  BoxSession *session;
  guint64 session_size;
  GPtrArray *parts;
  BoxSession *seed;
  guint64 seed_size;
  gboolean seed_spoiled;
  GPtrArray *ahead;
  GPtrArray *elsewhere;
  gboolean ended;
  BoxRecordingEnd end;
  gboolean commit_begun;
  BoxDestination *live;
  BoxFile *file;
  gboolean kept;
  gboolean settled;
  GPtrArray *earlier;
  GPtrArray *left;
  char *failure;
  gint64 failed_at;
  gsize valid_length;
  gboolean torn;
  gboolean damaged;
  guint64 foreign_version;
} BoxJournalState;

/* Whether Box has the file, but not all that it gets after the commit. */
gboolean box_journal_is_unsettled (const BoxJournalState *state);

/* Whether what is left to do takes bytes of the recording. */
gboolean box_journal_needs_data (const BoxJournalState *state);

/* The state that @data (of @length bytes, any content) adds up to. Never fails; the fields say what
 * is trusted. */
BoxJournalState *box_journal_replay (const char *data, gsize length);
BoxJournalState *box_journal_state_copy (const BoxJournalState *state);
void box_journal_state_free (BoxJournalState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxJournalState, box_journal_state_free)

G_END_DECLS

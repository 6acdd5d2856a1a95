/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of BoxRecovery, shared by its files: delivery/recovery.c (what is left to do),
 * delivery/recovery-upload.c (its uploads) and delivery/settle.c (what follows when the file is
 * there).
 */
#pragma once

#include "delivery/attempt.h"
#include "delivery/recovery.h"

#include "spool/note.h"

G_BEGIN_DECLS

/* One thread at a time. */
struct _BoxRecovery
{
  /* immutable */
  BoxRecording *recording;
  const BoxRecoverySettings *settings;
  BoxRecoveryEvents events;
  gpointer user_data;
  GCancellable *cancellable; /* nullable */
  BoxNote *note;             /* of a session that was given; nullable */

  BoxJournalState *state; /* owned; as of the start, or of a change of the destination since */
  BoxRecordingEnd end;    /* of the file that is to be at Box */
  BoxRecovered how;
  BoxFile *file; /* nullable */

  /* its uploads; delivery/recovery-upload.c */
  BoxAttempt *attempt;       /* that runs; nullable */
  gulong cancel_id;          /* of its cancel; 0: not connected */
  GError *unfed;             /* why it did not get all bytes; nullable */
  const BoxSession *session; /* with which it goes on; of state; nullable */
  guint n_attempts;
  gboolean unsure;   /* the file may be there already */
  gboolean replaced; /* the session of state is of no use any more */
  BoxElsewhere elsewhere;
};

/* --- delivery/recovery-upload.c --- */

/* Whether the application has given its session. */
gboolean box_recovery_is_given (const BoxRecovery *recovery);

/* The command that sends the recording elsewhere. Free with g_free(). */
char *box_recovery_name_way_out (const BoxRecovery *recovery);

/* The digest of the file, to look for it at Box. */
gboolean box_recovery_digest (const BoxRecovery *recovery, BoxSha1 *sha1, GError **error);

/* The same of its first @size bytes, fewer than the file has. */
gboolean box_recovery_digest_beginning (const BoxRecovery *recovery, guint64 size, BoxSha1 *sha1);

/* Begins the first upload. */
void box_recovery_begin_uploads (BoxRecovery *recovery);

/* Waits for the end of the upload that runs. WAITS: another one has begun in its place. DONE: Box
 * has all parts, and file is what it made of them. */
BoxRecoveryState box_recovery_end_upload (BoxRecovery *recovery, GError **error);

/* Stops the upload that runs, if one does. */
void box_recovery_stop_upload (BoxRecovery *recovery);

/* --- delivery/settle.c --- */

/* The session to which parts were sent ahead has done its work. */
void box_recovery_abort_seed (const BoxRecovery *recovery);

/* The next recording to this place may have the same size. */
void box_recovery_remember_size (const BoxRecovery *recovery);

/* Box has @file: gives it what it gets after its commit, and removes the recording, or what of it
 * is not needed any more. FALSE: stopped. */
gboolean box_recovery_conclude (const BoxRecovery *recovery, const BoxFile *file, BoxRecovered *how,
                                GError **error);

G_END_DECLS

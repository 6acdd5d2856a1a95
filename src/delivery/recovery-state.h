/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of BoxRecovery, shared by its files: delivery/recovery.c (how the file comes to Box)
 * and delivery/settle.c (what follows when it is there).
 */
#pragma once

#include "delivery/recovery.h"

#include "spool/note.h"

G_BEGIN_DECLS

typedef struct
{
  BoxRecording *recording;
  const BoxRecoverySettings *settings;
  const BoxRecoveryEvents *events;
  gpointer user_data;
  GCancellable *cancellable;
  BoxJournalState *state; /* owned; as of the start, or of a change of the destination since */
  BoxNote *note;          /* of a session that was given; nullable */
  BoxRecordingEnd end;    /* of the file that is to be at Box */
} BoxRecoveryRun;

/* The session to which parts were sent ahead has done its work. */
void box_recovery_abort_seed (const BoxRecoveryRun *recovery);

/* The next recording to this place may have the same size. */
void box_recovery_remember_size (const BoxRecoveryRun *recovery);

/* Box has @file: gives it what it gets after its commit, and removes the recording, or what of it
 * is not needed any more. FALSE: stopped. */
gboolean box_recovery_conclude (const BoxRecoveryRun *recovery, const BoxFile *file,
                                BoxRecovered *how, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxRecovery: finishes one recording of the spool. It decides from the journal, the data and Box
 * what is left to do, does it, and removes the recording when Box has confirmed its size and SHA-1.
 * The stream may have ended, or its writer may have died. It is safe to repeat after any failure,
 * kill or power cut.
 */
#pragma once

#include "spool/recording.h"
#include "upload/upload.h"

G_BEGIN_DECLS

/* Which recordings that were cut short stay in the spool although Box has their file. */
typedef enum
{
  BOX_KEEP_NONE,
  BOX_KEEP_UNPLAYABLE, /* those whose container does not play without its end (BoxCut) */
  BOX_KEEP_CUT,        /* all */
} BoxKeep;

/* As in BoxUploadSettings; what is not here is in the recording's journal. */
typedef struct
{
  BoxClient *client;
  guint parallel;
  guint64 upload_rate;
  guint retry_timeout;
  BoxDigestEngine digest_engine;
  BoxKeep keep;
  const char *account_file; /* nullable: where it is noted that parts are sent ahead in vain */
} BoxRecoverySettings;

typedef struct
{
  /* An upload begins, for its statistics; take a reference to keep it. There may be another one
   * after it if a session was gone. */
  void (*uploading) (BoxUpload *upload, gpointer uploading_data);
  /* Box has the file, but has refused what it gets after the commit, or could not do it in time:
   * the journal stays for another try. */
  void (*unsettled) (const GError *reason, gpointer uploading_data);
  gpointer uploading_data;
  BoxUploadEvents upload; /* with the run's user_data; but failed, which is what the run returns */
} BoxRecoveryEvents;

typedef enum
{
  BOX_RECOVERED_COMMITTED, /* Box has the file; the recording was removed */
  BOX_RECOVERED_FILLED, /* the session has all parts and the application commits it; the recording
                           stays */
  BOX_RECOVERED_EMPTY,  /* it had no bytes; it was removed without making a file */
  BOX_RECOVERED_KEPT,   /* Box has the file; the recording stays, as settings.keep wants */
  BOX_RECOVERED_UNSETTLED, /* Box has the file without its metadata; the journal stays */
  BOX_RECOVERED_LEFT,      /* Box has the file; the recording could not be removed: its journal's
                              failure says why */
} BoxRecovered;

typedef struct _BoxRecovery BoxRecovery;

/* @recording and @cancellable (nullable) are kept; @settings and what they point to have to live as
 * long as this. @events: (nullable). Does nothing yet. */
BoxRecovery *
box_recovery_new (BoxRecording *recording, const BoxRecoverySettings *settings,
                  const BoxRecoveryEvents *events, gpointer user_data, GCancellable *cancellable);

/* Stops it, unless it is done. */
void box_recovery_free (BoxRecovery *recovery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxRecovery, box_recovery_free)

typedef enum
{
  BOX_RECOVERY_WAITS, /* for an upload that has all bytes */
  BOX_RECOVERY_DONE,
  BOX_RECOVERY_FAILED,
} BoxRecoveryState;

/**
 * box_recovery_go_on:
 *
 * Does what comes next, up to an upload that only Box can end, or up to the end. After WAITS, call
 * it again: it waits for that upload first, which box_upload_call_when_over() tells without a
 * wait.
 *
 * After any failure the recording stays, with the failure in its journal. Errors are the upload's,
 * and: BOX_ERROR_STORAGE if journal or data are damaged, BOX_ERROR_SIZE if a session given by its
 * id does not fit the recording, BOX_ERROR_INTEGRITY if the data has changed since it was recorded,
 * BOX_ERROR_CANCELLED.
 */
BoxRecoveryState box_recovery_go_on (BoxRecovery *recovery, GError **error);

/* After WAITS: the upload. */
BoxUpload *box_recovery_get_upload (BoxRecovery *recovery);

/* After DONE. @file: (out) (nullable) (transfer full): the file; NULL unless COMMITTED, KEPT,
 * UNSETTLED or LEFT. */
BoxRecovered box_recovery_steal_result (BoxRecovery *recovery, BoxFile **file);

/* All of it, in the calling thread. @how and @file are set if it is done. */
gboolean
box_recovery_run (BoxRecording *recording, const BoxRecoverySettings *settings,
                  const BoxRecoveryEvents *events, gpointer user_data, GCancellable *cancellable,
                  BoxRecovered *how, BoxFile **file, GError **error);

G_END_DECLS

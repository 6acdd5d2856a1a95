/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one attempt to bring a recording to Box consists of: the question before it (BoxPreflight),
 * the upload with its journal (BoxAttempt), the parts that Box has elsewhere (BoxElsewhere), and
 * what the file gets after its commit (BoxSettle).
 */
#pragma once

#include "api/metadata.h"
#include "api/account.h"
#include "spool/spool.h"
#include "upload/upload.h"

G_BEGIN_DECLS

/*
 * BoxAttempt: an upload whose bytes are a recording's, and whose steps are written to the
 * recording's journal as they happen. A line that cannot be written does not end the upload: what
 * the journal does not have is found out from Box when it matters (parts are listed, a file is
 * looked up before it is committed again).
 */

typedef struct _BoxAttempt BoxAttempt;

/* Like box_upload_new(), with @recording (kept) as settings.file; not started. @user_data has to
 * live until box_attempt_free() has returned. */
BoxAttempt *box_attempt_new (BoxRecording *recording, const BoxUploadSettings *settings,
                             const BoxUploadEvents *events, gpointer user_data, GError **error);

/* Owned by @self. */
BoxUpload *box_attempt_get_upload (BoxAttempt *self);

/* Cancels the upload, if it is not over. When this returns no event runs any more, and none will
 * come. Not to be called by an event. */
void box_attempt_free (BoxAttempt *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxAttempt, box_attempt_free)

/* Aborts @session, of which nothing is wanted any more; if that cannot be, Box does when it
 * expires. Waits for the network. */
void box_attempt_abort (BoxClient *client, const BoxSession *session, GCancellable *cancellable);

/*
 * BoxElsewhere: the parts of a recording that Box may have in another session than the one that is
 * filled: in the seed (BoxAhead), or in a session that was lost. Which these are, what became of
 * them in the uploads of one run, and what that says about the account.
 */

/* All zero in the beginning. */
typedef struct
{
  guint asked;
  guint hit;
  gboolean refused; /* a commit did not take what was found: it is not asked for again */
} BoxElsewhere;

/* (element-type BoxPart): for settings.earlier of an upload that continues @session (nullable). Of
 * @session itself there are parts that it has from elsewhere, too: Box does not list these. */
GPtrArray *box_elsewhere_find_parts (const BoxElsewhere *elsewhere, BoxRecording *recording,
                                     const BoxSession *session);

/* @upload has ended. */
void box_elsewhere_add (BoxElsewhere *elsewhere, BoxUpload *upload);

/* Parts were sent ahead, and the file is at Box: notes in @account_file if that was of no use. */
void
box_elsewhere_note (const BoxElsewhere *elsewhere, const char *account_file, BoxClient *client);

/*
 * BoxPreflight: asks Box at the beginning of a recording whether it would accept the file, and how
 * large the file may be. The recordings of a process share a few threads for it, and wait for one
 * of them in order. Transient failures are not reported.
 */

typedef struct _BoxPreflight BoxPreflight;

/**
 * BoxPreflightEvents:
 * @refused: (nullable): Box, or somebody in its place, refuses the file; NULL: this is not asked.
 *   Returns FALSE if the settings have an answer to that: then @room is asked all the same.
 * @room: (nullable): what the account takes, if it is known; NULL: this is not asked.
 *
 * Each is called at most once, from another thread.
 */
typedef struct
{
  gboolean (*refused) (const GError *error, gpointer user_data);
  void (*room) (const BoxRoom *room, gpointer user_data);
} BoxPreflightEvents;

/* Begins. @client and @destination are borrowed. */
BoxPreflight *box_preflight_new (BoxClient *client, const BoxDestination *destination,
                                 const BoxPreflightEvents *events, gpointer user_data);

/* Stops it. When this returns the events have returned, and will not be called. */
void box_preflight_free (BoxPreflight *preflight);

/*
 * BoxSettle: what a file gets at Box after its commit: its metadata. Each step may be repeated, so
 * that it is done exactly once whenever the process ends. What is left to do is in a journal: that
 * of the recording, or, for a file whose bytes were in memory or are the user's, a journal without
 * data (an errand).
 */

/**
 * BoxSettleSettings:
 * @metadata: not NULL.
 * @retry_timeout: seconds that passing failures are retried; 0: forever.
 * @retrying: (nullable): before each wait; @delay in microseconds.
 */
typedef struct
{
  BoxClient *client;
  BoxMetadata *metadata;
  guint retry_timeout;
  void (*retrying) (guint attempt, gint64 delay, const GError *reason, gpointer user_data);
  gpointer user_data;
} BoxSettleSettings;

/* Does the steps for the file @file_id, and notes in @recording (nullable) that they are done, or
 * why not. FALSE: Box has refused one, or it could not be done in time. */
gboolean box_settle_run (const BoxSettleSettings *settings, const char *file_id,
                         BoxRecording *recording, GCancellable *cancellable, GError **error);

/* An errand for @file in the spool @directory (nullable: the default one). */
BoxRecording *box_settle_new_errand (const char *directory, const BoxFile *file,
                                     BoxMetadata *metadata, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The uploads of a recovery: each gets the bytes of the recording, and is then waited for. If its
 * session is of no use, another one follows.
 */
#include "delivery/recovery-state.h"

#include "delivery/policy.h"
#include "spool/spool.h"

/* Sessions that one run opens in place of one that is gone; more than one gone in a row means that
 * something else is wrong. */
#define SESSIONS_MAX 3

gboolean
box_recovery_is_given (const BoxRecovery *recovery)
{
  return recovery->state->intent->destination->kind == BOX_DESTINATION_SESSION;
}

/* --- The bytes ------------------------------------------------------------------------------ */

static BoxUploadSettings
settings_of (const BoxRecovery *recovery, const BoxSession *session, gboolean unsure)
{
  const BoxRecordingIntent *intent = recovery->state->intent;

  return (BoxUploadSettings){
    .client = recovery->settings->client,
    .destination = intent->destination,
    .folder_id = recovery->state->folder_id,
    .size = recovery->end.total,
    .if_exists = intent->if_exists,
    .on_error = BOX_ON_ERROR_KEEP,
    .commit = intent->commit,
    .parallel = recovery->settings->parallel,
    .max_memory = BOX_BLOCK_SIZE, /* the bytes are on disk */
    .upload_rate = recovery->settings->upload_rate,
    .retry_timeout = recovery->settings->retry_timeout,
    .digest_engine = recovery->settings->digest_engine,
    .attributes = { .description = intent->description,
                    .content_created_at = intent->content_created_at,
                    .content_modified_at = intent->content_modified_at },
    .session_target = recovery->note != NULL ? recovery->note->destination : NULL,
    .session = session,
    .known_parts = session != NULL ? recovery->state->parts : NULL,
    .commit_unsure = unsure,
    .begun = intent->created,
  };
}

/* An upload of @settings that has not begun. */
static BoxAttempt *
new_attempt (const BoxRecovery *recovery, const BoxUploadSettings *settings, GError **error)
{
  BoxUploadEvents events = recovery->events.upload;

  /* A failure may be followed by another upload; the one that counts is returned. */
  events.failed = NULL;
  return box_attempt_new (recovery->recording, settings, &events, recovery->user_data, error);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  box_upload_cancel (user_data);
}

static gulong
connect_cancel (const BoxRecovery *recovery, BoxUpload *upload)
{
  return recovery->cancellable != NULL ? g_cancellable_connect (
             recovery->cancellable, G_CALLBACK (on_cancelled), upload, NULL)
                                       : 0;
}

/* Why @upload has ended without a file: always FALSE. */
static gboolean
propagate_end (BoxUpload *upload, GError **error)
{
  GError *failure = box_upload_get_error (upload);

  if (failure == NULL)
    failure = g_error_new_literal (BOX_ERROR, BOX_ERROR_CANCELLED,
                                   "Stopped; the recording stays in the spool");
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
write_recording (const BoxRecovery *recovery, BoxUpload *upload, guint64 size, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (BOX_BLOCK_SIZE);

  for (guint64 done = 0; done < size;)
    {
      gsize n = (gsize) MIN (size - done, BOX_BLOCK_SIZE);

      if (!box_recording_read (recovery->recording, done, buffer, n, error))
        return FALSE;
      if (box_upload_write (upload, buffer, n) < n)
        return propagate_end (upload, error);
      done += n;
    }
  return TRUE;
}

/* Writes the first @size bytes of the recording into @upload, and takes the digest of these and of
 * @padding. */
static gboolean
feed (const BoxRecovery *recovery, BoxUpload *upload, guint64 size, BoxPaddingKind padding,
      BoxSha1 *sha1, GError **error)
{
  gulong id = connect_cancel (recovery, upload);
  gboolean fed = write_recording (recovery, upload, size, error);

  fed = fed && (box_upload_digest (upload, padding, sha1, NULL) || propagate_end (upload, error));
  g_cancellable_disconnect (recovery->cancellable, id);
  return fed;
}

/* The same with all of it; the digest must be the one that was recorded. */
static gboolean
feed_checked (const BoxRecovery *recovery, BoxUpload *upload, BoxSha1 *sha1, GError **error)
{
  if (!feed (recovery, upload, recovery->end.size, recovery->end.padding, sha1, error))
    return FALSE;
  if (!recovery->end.has_sha1 || box_sha1_equal (sha1, &recovery->end.sha1))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY,
               "%s is not what was recorded: its SHA-1 differs; check the disk, and upload it with "
               "\"boxupload put\" if it is of use all the same",
               box_recording_get_path (recovery->recording));
  return FALSE;
}

/* A recording that was just made, and sent ahead as it came, is not read again for its digest. */
static gboolean
has_fresh_digest (const BoxRecovery *recovery)
{
  return recovery->end.has_sha1 && recovery->end.total == recovery->end.size
         && recovery->state->seed != NULL && box_recording_is_new (recovery->recording);
}

static gboolean
feed_nothing (const BoxRecovery *recovery, BoxUpload *upload, GError **error)
{
  if (box_upload_write (upload, NULL, recovery->end.size) < recovery->end.size)
    return propagate_end (upload, error);
  box_upload_set_digest (upload, &recovery->end.sha1);
  return TRUE;
}

/* An upload takes it, and never begins. */
gboolean
box_recovery_digest (const BoxRecovery *recovery, BoxSha1 *sha1, GError **error)
{
  BoxUploadSettings settings = settings_of (recovery, NULL, FALSE);
  g_autoptr (BoxAttempt) attempt = new_attempt (recovery, &settings, error);

  return attempt != NULL && feed_checked (recovery, box_attempt_get_upload (attempt), sha1, error);
}

gboolean
box_recovery_digest_beginning (const BoxRecovery *recovery, guint64 size, BoxSha1 *sha1)
{
  BoxUploadSettings settings = settings_of (recovery, NULL, FALSE);
  g_autoptr (BoxAttempt) attempt = NULL;

  settings.size = size;
  attempt = new_attempt (recovery, &settings, NULL);
  return attempt != NULL
         && feed (recovery, box_attempt_get_upload (attempt), size, BOX_PADDING_NONE, sha1, NULL);
}

/* --- One upload ----------------------------------------------------------------------------- */

/* Of @recovery->session, if that is known. The digest is taken while parts leave; with unsure
 * nothing leaves before it. */
static void
begin_upload (BoxRecovery *recovery)
{
  BoxUploadSettings settings = settings_of (recovery, recovery->session, recovery->unsure);
  g_autoptr (GPtrArray) earlier =
      box_elsewhere_find_parts (&recovery->elsewhere, recovery->recording, recovery->session);
  GError **error = &recovery->unfed;
  BoxUpload *upload;
  BoxSha1 sha1;

  recovery->n_attempts++;
  settings.earlier = earlier;
  recovery->attempt = new_attempt (recovery, &settings, error);
  if (recovery->attempt == NULL)
    return;
  upload = box_attempt_get_upload (recovery->attempt);
  if (recovery->events.uploading != NULL)
    recovery->events.uploading (upload, recovery->events.uploading_data);
  box_upload_start (upload);
  if (has_fresh_digest (recovery) ? !feed_nothing (recovery, upload, error)
                                  : !feed_checked (recovery, upload, &sha1, error))
    return;
  box_upload_finish_padded (upload, recovery->end.padding);
  recovery->cancel_id = connect_cancel (recovery, upload);
}

/* A cancel ends it at once. */
static gboolean
wait_for (BoxRecovery *recovery, BoxUpload *upload, GError **error)
{
  if (recovery->unfed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&recovery->unfed));
      return FALSE;
    }
  return box_upload_wait_done (upload, -1) == BOX_WAIT_READY || propagate_end (upload, error);
}

static void
disconnect_cancel (BoxRecovery *recovery)
{
  g_cancellable_disconnect (recovery->cancellable, recovery->cancel_id);
  recovery->cancel_id = 0;
}

/* @used: (out): after a failure, the session it had, if any. */
static gboolean
end_upload (BoxRecovery *recovery, BoxSession **used, GError **error)
{
  g_autoptr (BoxAttempt) attempt = g_steal_pointer (&recovery->attempt);
  g_autoptr (GError) failure = NULL;
  BoxUpload *upload;
  gboolean ok;

  if (attempt == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&recovery->unfed));
      return FALSE;
    }
  upload = box_attempt_get_upload (attempt);
  ok = wait_for (recovery, upload, error);
  disconnect_cancel (recovery);
  box_elsewhere_add (&recovery->elsewhere, upload);
  if (ok)
    {
      recovery->file = box_upload_get_file (upload);
      return TRUE;
    }
  /* It has failed by itself, not for bytes that cannot be read. */
  failure = box_upload_get_error (upload);
  if (failure != NULL)
    *used = box_upload_get_session (upload);
  return FALSE;
}

void
box_recovery_stop_upload (BoxRecovery *recovery)
{
  disconnect_cancel (recovery);
  g_clear_pointer (&recovery->attempt, box_attempt_free);
  g_clear_error (&recovery->unfed);
}

/* --- Its session ---------------------------------------------------------------------------- */

/* Whether the seed happens to be a session of the right size. */
static gboolean
is_seed_exact (const BoxRecovery *recovery)
{
  const BoxJournalState *state = recovery->state;

  return state->seed != NULL && state->seed_size == recovery->end.total
         && box_session_fits (state->seed, recovery->end.total);
}

/* The session that can go on. The journal is a file: its URLs get the token only if Box's own reply
 * would get it. */
static const BoxSession *
usable_session (const BoxRecovery *recovery)
{
  const BoxJournalState *state = recovery->state;
  const char *endpoint = box_client_get_endpoint (recovery->settings->client);
  const BoxSession *session = state->session;

  if (session == NULL && is_seed_exact (recovery) && state->ended && !state->seed_spoiled)
    session = state->seed;
  else if (state->session_size != recovery->end.total)
    session = NULL;
  if (session == NULL || box_recovery_is_given (recovery)
      || !box_session_check_endpoints (session, endpoint, NULL))
    return NULL;
  return session;
}

/* @used: the session with which the last upload failed; NULL if it opened none. */
static BoxSessionFacts
facts_of (const BoxRecovery *recovery, const BoxSession *used)
{
  g_autoptr (BoxJournalState) now = box_recording_get_state (recovery->recording);

  return (BoxSessionFacts){
    .given = box_recovery_is_given (recovery),
    .opened = used != NULL,
    .continued = recovery->session != NULL,
    .another = recovery->n_attempts > 1,
    .commit_begun = now->commit_begun,
    .if_exists = recovery->state->intent->if_exists,
  };
}

/* Whether the file may be at Box already: an earlier process may have reached the commit, whatever
 * is left of the journal. Only a recording that was made here, and had no upload yet, is known not
 * to. */
static gboolean
is_unsure (const BoxRecovery *recovery)
{
  const BoxJournalState *state = recovery->state;

  return !box_recording_is_new (recovery->recording) || state->session != NULL
         || state->commit_begun || state->damaged || state->torn;
}

char *
box_recovery_name_way_out (const BoxRecovery *recovery)
{
  const char *path = box_recording_get_path (recovery->recording);
  g_autofree char *name = box_recording_dup_name (path);
  g_autofree char *spool = box_spool_format_option_for (path);

  return g_strdup_printf ("upload it elsewhere with \"boxupload resume%s --only %s "
                          "--folder ID --name NAME\"",
                          spool, name);
}

/* Names the way out where a session that was given is gone, or has other bytes than the recording:
 * it may have been committed, but nothing that is known here tells as what. @used: (nullable): the
 * session, if the upload came so far. Takes @failure. */
static GError *
explain_given (const BoxRecovery *recovery, const BoxSession *used, GError *failure)
{
  g_autoptr (GError) owned = failure;
  g_autofree char *way_out = box_recovery_name_way_out (recovery);

  if (box_recovery_is_given (recovery) && used != NULL
      && g_error_matches (failure, BOX_ERROR, BOX_ERROR_INTEGRITY))
    return box_error_new_with_details (BOX_ERROR_INTEGRITY, box_error_get_details (failure),
                                       "%s; it cannot take %s any more: %s", failure->message,
                                       box_recording_get_path (recovery->recording), way_out);
  if (!box_recovery_is_given (recovery)
      || !(g_error_matches (failure, BOX_ERROR, BOX_ERROR_SESSION_GONE)
           || g_error_matches (failure, BOX_ERROR, BOX_ERROR_NOT_FOUND)))
    return g_steal_pointer (&owned);
  return box_error_new_with_details (
      (BoxErrorCode) failure->code, box_error_get_details (failure),
      "%s; if the session was committed, remove %s and its journal; if not, upload it with "
      "\"boxupload put\" first",
      failure->message, box_recording_get_path (recovery->recording));
}

/* --- One after the other -------------------------------------------------------------------- */

/* Of former destinations: their parts may be found while the recording is uploaded, but not be of
 * use after it. */
static void
abort_left (const BoxRecovery *recovery)
{
  GPtrArray *left = recovery->state->left;

  for (guint i = 0; i < left->len; i++)
    box_attempt_abort (recovery->settings->client, left->pdata[i], recovery->cancellable);
  g_ptr_array_set_size (left, 0);
}

/* Whether a session of this recording stood in the way, and no longer does. */
static gboolean
makes_way (const BoxRecovery *recovery, const GError *error)
{
  if (recovery->state->left->len == 0
      || g_strcmp0 (box_error_get_details (error)->box_code, "session_conflict") != 0)
    return FALSE;
  abort_left (recovery);
  return TRUE;
}

void
box_recovery_begin_uploads (BoxRecovery *recovery)
{
  recovery->session = usable_session (recovery);
  recovery->unsure = is_unsure (recovery);
  recovery->replaced = recovery->session == NULL;
  /* It could stand in the way of a session of the same size. */
  if (recovery->session == NULL && is_seed_exact (recovery))
    box_recovery_abort_seed (recovery);
  begin_upload (recovery);
}

/* Box has all parts: what its sessions have left behind. */
static void
clean_up (const BoxRecovery *recovery)
{
  const BoxRecoverySettings *settings = recovery->settings;
  const BoxJournalState *state = recovery->state;

  /* What a killed muxer had written again is another part than the journal says: no fault of the
   * account's. */
  if (state->seed != NULL && state->ended && settings->account_file != NULL)
    box_elsewhere_note (&recovery->elsewhere, settings->account_file, settings->client);
  if (recovery->replaced && state->session != NULL && !box_recovery_is_given (recovery))
    box_attempt_abort (settings->client, state->session, recovery->cancellable);
  abort_left (recovery);
}

BoxRecoveryState
box_recovery_end_upload (BoxRecovery *recovery, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (BoxSession) used = NULL;
  BoxSessionFacts facts;

  if (end_upload (recovery, &used, &failure))
    {
      clean_up (recovery);
      return BOX_RECOVERY_DONE;
    }
  facts = facts_of (recovery, used);
  if (recovery->n_attempts == SESSIONS_MAX
      || (!makes_way (recovery, failure) && !box_policy_another_session_can_mend (&facts, failure)))
    {
      g_propagate_error (error, explain_given (recovery, used, g_steal_pointer (&failure)));
      return BOX_RECOVERY_FAILED;
    }
  /* Ours, and of no more use; it could stand in the way of one of the same name and size. */
  if (used != NULL)
    box_attempt_abort (recovery->settings->client, used, recovery->cancellable);
  recovery->session = NULL;
  recovery->replaced = recovery->unsure = TRUE;
  begin_upload (recovery);
  return BOX_RECOVERY_WAITS;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run is a row of decisions, each from what the one before it found: is it in order, has Box
 * got it already, what size will the file have, which session can go on; then uploads until one
 * ends.
 */
#include "delivery/recovery-state.h"

#include "api/folder.h"
#include "delivery/attempt.h"
#include "delivery/policy.h"

#include <string.h>

/* Sessions that one run opens in place of one that is gone; more than one gone in a row means that
 * something else is wrong. */
#define SESSIONS_MAX 3

static gboolean
is_given_session (const BoxRecoveryRun *recovery)
{
  return recovery->state->intent->destination->kind == BOX_DESTINATION_SESSION;
}

static gboolean
check_journal (const BoxRecoveryRun *recovery, GError **error)
{
  const char *path = box_recording_get_path (recovery->recording);

  if (recovery->state->foreign_version != 0)
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                 "The journal of %s is of format %" G_GUINT64_FORMAT
                 ", which this version cannot read: use a newer one",
                 path, recovery->state->foreign_version);
  else if (recovery->state->intent == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                 "The journal of %s is damaged and does not say where it goes: upload it with "
                 "\"boxupload put\", then remove it",
                 path);
  else
    return TRUE;
  return FALSE;
}

/* A reserve was to be padded, but no session of its size is there: one of the right size can be
 * opened. */
static gboolean
is_padding_needless (const BoxRecoveryRun *recovery)
{
  const BoxJournalState *state = recovery->state;

  return state->intent->sizing == BOX_SIZING_RESERVE && !is_given_session (recovery)
         && (state->session == NULL || state->session_size != state->end.total)
         && !state->commit_begun && state->file == NULL && !state->damaged && !state->torn;
}

/* The future file: the stream as it ended, or what its writer had written when it died. */
static gboolean
decide_end (BoxRecoveryRun *recovery, GError **error)
{
  const BoxJournalState *state = recovery->state;
  const BoxRecordingIntent *intent = state->intent;
  guint64 size = box_recording_get_size (recovery->recording);

  if (state->ended && state->end.size != size)
    {
      g_set_error (
          error, BOX_ERROR, BOX_ERROR_STORAGE,
          "%s has %" G_GUINT64_FORMAT " bytes, but %" G_GUINT64_FORMAT
          " were recorded: it was changed since, or the disk has lost some; upload what is "
          "left of it with \"boxupload put\" if it is of use",
          box_recording_get_path (recovery->recording), size, state->end.size);
      return FALSE;
    }
  if (state->ended && !is_padding_needless (recovery))
    {
      recovery->end = state->end;
      return TRUE;
    }
  recovery->end = (BoxRecordingEnd){ .size = size, .total = size, .padding = BOX_PADDING_NONE };
  /* A session that was given cannot be replaced by one of the right size, but it can be filled. */
  if (is_given_session (recovery) && intent->sizing == BOX_SIZING_RESERVE && size > 0
      && intent->padding != BOX_PADDING_NONE
      && size + box_padding_min_size (intent->padding) <= intent->size)
    {
      recovery->end.total = intent->size;
      recovery->end.padding = intent->padding;
    }
  return TRUE;
}

/* The journal has the end, so that the padding can be read and a later run need not decide again.
 */
static gboolean
note_end (BoxRecoveryRun *recovery, GError **error)
{
  if (recovery->state->ended || recovery->end.total == recovery->end.size)
    return TRUE;
  return box_recording_set_end (recovery->recording, &recovery->end, error);
}

static BoxUploadSettings
settings_of (const BoxRecoveryRun *recovery, const BoxSession *session, gboolean unsure)
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
new_attempt (const BoxRecoveryRun *recovery, const BoxUploadSettings *settings, GError **error)
{
  BoxUploadEvents events = { NULL };

  if (recovery->events != NULL)
    events = recovery->events->upload;
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
connect_cancel (const BoxRecoveryRun *recovery, BoxUpload *upload)
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
write_recording (const BoxRecoveryRun *recovery, BoxUpload *upload, guint64 size, GError **error)
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
feed (const BoxRecoveryRun *recovery, BoxUpload *upload, guint64 size, BoxPaddingKind padding,
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
feed_checked (const BoxRecoveryRun *recovery, BoxUpload *upload, BoxSha1 *sha1, GError **error)
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
has_fresh_digest (const BoxRecoveryRun *recovery)
{
  return recovery->end.has_sha1 && recovery->end.total == recovery->end.size
         && recovery->state->seed != NULL && box_recording_is_new (recovery->recording);
}

static gboolean
feed_nothing (const BoxRecoveryRun *recovery, BoxUpload *upload, GError **error)
{
  if (box_upload_write (upload, NULL, recovery->end.size) < recovery->end.size)
    return propagate_end (upload, error);
  box_upload_set_digest (upload, &recovery->end.sha1);
  return TRUE;
}

/* The digest of the file, to look for it at Box: an upload takes it, and never begins. */
static gboolean
compute_digest (const BoxRecoveryRun *recovery, BoxSha1 *sha1, GError **error)
{
  BoxUploadSettings settings = settings_of (recovery, NULL, FALSE);
  g_autoptr (BoxAttempt) attempt = new_attempt (recovery, &settings, error);

  return attempt != NULL && feed_checked (recovery, box_attempt_get_upload (attempt), sha1, error);
}

/* The same of its first @size bytes, fewer than the file has. */
static gboolean
compute_beginning (const BoxRecoveryRun *recovery, guint64 size, BoxSha1 *sha1)
{
  BoxUploadSettings settings = settings_of (recovery, NULL, FALSE);
  g_autoptr (BoxAttempt) attempt = NULL;

  settings.size = size;
  attempt = new_attempt (recovery, &settings, NULL);
  return attempt != NULL
         && feed (recovery, box_attempt_get_upload (attempt), size, BOX_PADDING_NONE, sha1, NULL);
}

/* The data file went, and then the power: only the journal is left to remove. */
static gboolean
is_half_removed (const BoxRecoveryRun *recovery)
{
  return recovery->state->file != NULL && !box_recording_has_data (recovery->recording);
}

/* Whether @file has the recording as a version that others have followed with theirs. */
static gboolean
has_as_version (const BoxRecoveryRun *recovery, BoxTransport *transport, const BoxFile *file,
                const BoxSha1 *sha1)
{
  BoxVersionQuery query = { .size = recovery->end.total, .sha1 = sha1 };
  g_autoptr (BoxFile) version = box_client_find_version (recovery->settings->client, transport,
                                                         file, &query, recovery->cancellable, NULL);

  return version != NULL;
}

/* The journal says that Box has the file: the recording goes only if Box says so, too. */
static gboolean
confirm_committed (const BoxRecoveryRun *recovery, BoxFile **file, GError **error)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxFile) there = NULL;
  BoxSha1 sha1;

  if (!compute_digest (recovery, &sha1, error))
    return FALSE;
  there = box_client_get_file (recovery->settings->client, transport, recovery->state->file->id,
                               recovery->cancellable, error);
  if (there == NULL)
    {
      g_prefix_error (error, "%s was committed as file %s, but this cannot be confirmed: ",
                      box_recording_get_path (recovery->recording), recovery->state->file->id);
      return FALSE;
    }
  if ((!there->has_size || !box_file_has_content (there, recovery->end.total, &sha1))
      && !has_as_version (recovery, transport, there, &sha1))
    {
      g_set_error (
          error, BOX_ERROR, BOX_ERROR_INTEGRITY,
          "%s was committed as file %s, but that has other content now: if it was replaced "
          "on purpose, remove the recording, otherwise upload it with \"boxupload put\"",
          box_recording_get_path (recovery->recording), there->id);
      return FALSE;
    }
  *file = g_steal_pointer (&there);
  return TRUE;
}

/* Waits for the end of @upload; a cancel ends it at once. */
static gboolean
wait_for (const BoxRecoveryRun *recovery, BoxUpload *upload, GError **error)
{
  gulong id = connect_cancel (recovery, upload);
  BoxWait wait;

  do
    wait = box_upload_wait_done (upload, -1);
  while (wait == BOX_WAIT_TIMEOUT);
  g_cancellable_disconnect (recovery->cancellable, id);
  return wait == BOX_WAIT_READY || propagate_end (upload, error);
}

/* One upload from beginning to end. @session: (nullable): to go on with. @unsure: the file may be
 * there already. @used: (out): after a failure, the session it had, if any. The digest is taken
 * while parts leave; with @unsure nothing leaves before it. */
static gboolean
upload_once (const BoxRecoveryRun *recovery, const BoxSession *session, gboolean unsure,
             BoxElsewhere *elsewhere, BoxFile **file, BoxSession **used, GError **error)
{
  BoxUploadSettings settings = settings_of (recovery, session, unsure);
  g_autoptr (GPtrArray) earlier =
      box_elsewhere_find_parts (elsewhere, recovery->recording, session);
  g_autoptr (BoxAttempt) attempt = NULL;
  g_autoptr (GError) failure = NULL;
  BoxUpload *upload;
  BoxSha1 sha1;
  gboolean fed, ok;

  settings.earlier = earlier;
  attempt = new_attempt (recovery, &settings, error);
  if (attempt == NULL)
    return FALSE;
  upload = box_attempt_get_upload (attempt);
  if (recovery->events != NULL && recovery->events->uploading != NULL)
    recovery->events->uploading (upload, recovery->events->uploading_data);
  box_upload_start (upload);
  fed = has_fresh_digest (recovery) ? feed_nothing (recovery, upload, error)
                                    : feed_checked (recovery, upload, &sha1, error);
  if (fed)
    box_upload_finish_padded (upload, recovery->end.padding);
  ok = fed && wait_for (recovery, upload, error);
  box_elsewhere_add (elsewhere, upload);
  if (ok)
    {
      *file = box_upload_get_file (upload);
      return TRUE;
    }
  /* It has failed by itself, not for bytes that cannot be read. */
  failure = box_upload_get_error (upload);
  if (failure != NULL)
    *used = box_upload_get_session (upload);
  return FALSE;
}

/* Whether the seed happens to be a session of the right size. */
static gboolean
is_seed_exact (const BoxRecoveryRun *recovery)
{
  const BoxJournalState *state = recovery->state;

  return state->seed != NULL && state->seed_size == recovery->end.total
         && box_session_fits (state->seed, recovery->end.total);
}

/* The session that can go on. The journal is a file: its URLs get the token only if Box's own reply
 * would get it. */
static const BoxSession *
usable_session (const BoxRecoveryRun *recovery)
{
  const BoxJournalState *state = recovery->state;
  const char *endpoint = box_client_get_endpoint (recovery->settings->client);
  const BoxSession *session = state->session;

  if (session == NULL && is_seed_exact (recovery) && state->ended && !state->seed_spoiled)
    session = state->seed;
  else if (state->session_size != recovery->end.total)
    session = NULL;
  if (session == NULL || is_given_session (recovery)
      || !box_session_check_endpoints (session, endpoint, NULL))
    return NULL;
  return session;
}

/* The session with which the upload number @attempt of this run failed; NULL if it opened none.
 * @continued: it is of an earlier run. */
static BoxSessionFacts
facts_of (const BoxRecoveryRun *recovery, const BoxSession *used, guint attempt, gboolean continued)
{
  g_autoptr (BoxJournalState) now = box_recording_get_state (recovery->recording);

  return (BoxSessionFacts){
    .given = is_given_session (recovery),
    .opened = used != NULL,
    .continued = continued,
    .another = attempt > 1,
    .commit_begun = now->commit_begun,
    .if_exists = recovery->state->intent->if_exists,
  };
}

/* Whether the file may be at Box already: an earlier process may have reached the commit, whatever
 * is left of the journal. Only a recording that was made here, and had no upload yet, is known not
 * to. */
static gboolean
is_unsure (const BoxRecoveryRun *recovery)
{
  const BoxJournalState *state = recovery->state;

  return !box_recording_is_new (recovery->recording) || state->session != NULL
         || state->commit_begun || state->damaged || state->torn;
}

/* The command that sends the recording elsewhere. Free with g_free(). */
static char *
name_way_out (const BoxRecoveryRun *recovery)
{
  g_autofree char *name = g_path_get_basename (box_recording_get_path (recovery->recording));

  return g_strdup_printf ("upload it elsewhere with \"boxupload resume --only %.*s "
                          "--folder ID --name NAME\"",
                          (int) (strlen (name) - strlen (BOX_RECORDING_DATA_SUFFIX)), name);
}

/* Names the way out where a session that was given is gone, or has other bytes than the recording:
 * it may have been committed, but nothing that is known here tells as what. @used: (nullable): the
 * session, if the upload came so far. Takes @failure. */
static GError *
explain_given (const BoxRecoveryRun *recovery, const BoxSession *used, GError *failure)
{
  g_autoptr (GError) owned = failure;
  g_autofree char *way_out = name_way_out (recovery);

  if (is_given_session (recovery) && used != NULL
      && g_error_matches (failure, BOX_ERROR, BOX_ERROR_INTEGRITY))
    return box_error_new_with_details (BOX_ERROR_INTEGRITY, box_error_get_details (failure),
                                       "%s; it cannot take %s any more: %s", failure->message,
                                       box_recording_get_path (recovery->recording), way_out);
  if (!is_given_session (recovery)
      || !(g_error_matches (failure, BOX_ERROR, BOX_ERROR_SESSION_GONE)
           || g_error_matches (failure, BOX_ERROR, BOX_ERROR_NOT_FOUND)))
    return g_steal_pointer (&owned);
  return box_error_new_with_details (
      (BoxErrorCode) failure->code, box_error_get_details (failure),
      "%s; if the session was committed, remove %s and its journal; if not, upload it with "
      "\"boxupload put\" first",
      failure->message, box_recording_get_path (recovery->recording));
}

/* Of former destinations: their parts may be found while the recording is uploaded, but not be of
 * use after it. */
static void
abort_left (const BoxRecoveryRun *recovery)
{
  GPtrArray *left = recovery->state->left;

  for (guint i = 0; i < left->len; i++)
    box_attempt_abort (recovery->settings->client, left->pdata[i], recovery->cancellable);
  g_ptr_array_set_size (left, 0);
}

/* Whether a session of this recording stood in the way, and no longer does. */
static gboolean
makes_way (const BoxRecoveryRun *recovery, const GError *error)
{
  if (recovery->state->left->len == 0
      || g_strcmp0 (box_error_get_details (error)->box_code, "session_conflict") != 0)
    return FALSE;
  abort_left (recovery);
  return TRUE;
}

static gboolean
upload (const BoxRecoveryRun *recovery, BoxFile **file, GError **error)
{
  const BoxSession *session = usable_session (recovery);
  gboolean unsure = is_unsure (recovery);
  gboolean replaced = session == NULL;
  BoxElsewhere elsewhere = { 0 };

  /* It could stand in the way of a session of the same size. */
  if (session == NULL && is_seed_exact (recovery))
    box_recovery_abort_seed (recovery);
  for (guint attempt = 1;; attempt++)
    {
      g_autoptr (GError) local = NULL;
      g_autoptr (BoxSession) used = NULL;
      BoxSessionFacts facts;

      if (upload_once (recovery, session, unsure, &elsewhere, file, &used, &local))
        break;
      facts = facts_of (recovery, used, attempt, session != NULL);
      if (attempt == SESSIONS_MAX
          || (!makes_way (recovery, local) && !box_policy_another_session_can_mend (&facts, local)))
        {
          g_propagate_error (error, explain_given (recovery, used, g_steal_pointer (&local)));
          return FALSE;
        }
      /* Ours, and of no more use; it could stand in the way of one of the same name and size. */
      if (used != NULL)
        box_attempt_abort (recovery->settings->client, used, recovery->cancellable);
      session = NULL;
      replaced = unsure = TRUE;
    }
  /* What a killed muxer had written again is another part than the journal says: no fault of the
   * account's. */
  if (recovery->state->seed != NULL && recovery->state->ended
      && recovery->settings->account_file != NULL)
    box_elsewhere_note (&elsewhere, recovery->settings->account_file, recovery->settings->client);
  if (replaced && recovery->state->session != NULL && !is_given_session (recovery))
    box_attempt_abort (recovery->settings->client, recovery->state->session, recovery->cancellable);
  abort_left (recovery);
  return TRUE;
}

/* The file that is at @destination. NULL without error: none is there. */
static BoxFile *
get_file_at (const BoxRecoveryRun *recovery, BoxTransport *transport,
             const BoxDestination *destination, GError **error)
{
  BoxClient *client = recovery->settings->client;
  g_autoptr (BoxDestination) place = NULL;
  g_autoptr (BoxFile) conflict = NULL;
  g_autoptr (GError) local = NULL;

  if (destination->kind == BOX_DESTINATION_FILE)
    return box_client_get_file (client, transport, destination->file_id, recovery->cancellable,
                                error);
  place = box_folder_path_resolve_destination (client, transport, destination, FALSE,
                                               recovery->cancellable, &local);
  if (place == NULL && box_folder_path_is_missing (local))
    return NULL;
  if (place != NULL
      && box_client_preflight (client, transport, place, 0, recovery->cancellable, &local))
    return NULL;
  conflict = box_file_from_conflict (local);
  if (conflict != NULL)
    return box_client_get_file (client, transport, conflict->id, recovery->cancellable, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

/* The file that an earlier commit made at @destination, the recording's former destination. NULL
 * without error: there is no such file. */
static BoxFile *
find_at (const BoxRecoveryRun *recovery, const BoxDestination *destination, const BoxSha1 *sha1,
         GError **error)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GError) local = NULL;
  g_autoptr (BoxFile) file = get_file_at (recovery, transport, destination, &local);

  /* A file that may not be looked at, or that is gone, is not waited for. */
  if (local != NULL && box_error_is_transient (local))
    g_propagate_prefixed_error (error, g_steal_pointer (&local),
                                "The file may be there already under its earlier name, but this "
                                "cannot be confirmed: ");
  return box_file_has_content (file, recovery->end.total, sha1) ? g_steal_pointer (&file) : NULL;
}

/* Whether a commit to an earlier destination was looked for; then @file is what was found. */
static gboolean
find_earlier (const BoxRecoveryRun *recovery, BoxFile **file, GError **error)
{
  const GPtrArray *earlier = recovery->state->earlier;
  g_autoptr (GError) local = NULL;
  BoxSha1 sha1;

  if (earlier->len == 0)
    return TRUE;
  if (!compute_digest (recovery, &sha1, error))
    return FALSE;
  for (guint i = 0; i < earlier->len && *file == NULL; i++)
    {
      *file = find_at (recovery, earlier->pdata[i], &sha1, &local);
      if (local != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
    }
  return *file == NULL || box_recording_set_committed (recovery->recording, *file, error);
}

static gboolean
is_piece (const BoxRecoveryRun *recovery, const BoxFile *file)
{
  BoxSha1 sha1;

  return file->has_size && file->has_sha1 && file->size > 0 && file->size < recovery->end.total
         && compute_beginning (recovery, file->size, &sha1) && box_sha1_equal (&file->sha1, &sha1);
}

/* A request that was cut, and taken for complete by Box or a proxy on the way, has made a file of
 * the beginning. The name was free before, so the file is ours: the recording becomes its next
 * version. */
static gboolean
replace_piece (BoxRecoveryRun *recovery, const BoxFile *piece, GError **error)
{
  g_autoptr (BoxDestination) file = box_destination_new_file (piece->id, error);

  g_info ("A piece of %s is file %s: it gets another version",
          box_recording_get_path (recovery->recording), piece->id);
  if (file == NULL
      || !box_recording_redirect (recovery->recording, file, recovery->state->intent->if_exists,
                                  error))
    return FALSE;
  box_journal_state_free (recovery->state);
  recovery->state = box_recording_get_state (recovery->recording);
  return TRUE;
}

/* The file that a live request for a new one has made. */
static gboolean
find_live (BoxRecoveryRun *recovery, BoxFile **file, GError **error)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxFile) there = NULL;
  g_autoptr (GError) local = NULL;
  const BoxDestination *live = recovery->state->live;
  BoxSha1 sha1;

  if (*file != NULL || live == NULL || live->kind != BOX_DESTINATION_FOLDER)
    return TRUE;
  /* If it cannot be looked at now, the upload looks again, and waits. */
  there = get_file_at (recovery, transport, live, &local);
  if (there == NULL)
    return TRUE;
  if (!compute_digest (recovery, &sha1, error))
    return FALSE;
  if (!box_file_has_content (there, recovery->end.total, &sha1))
    return !is_piece (recovery, there) || replace_piece (recovery, there, error);
  *file = g_steal_pointer (&there);
  return box_recording_set_committed (recovery->recording, *file, error);
}

/* Box has no session for a small file that its application could commit. */
static gboolean
check_commit (const BoxRecoveryRun *recovery, GError **error)
{
  if (recovery->state->intent->commit || is_given_session (recovery)
      || recovery->end.total >= BOX_SESSION_MIN_SIZE)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "%s has %" G_GUINT64_FORMAT
               " bytes, too few for an upload session that could be left uncommitted: upload it "
               "with \"boxupload put\", then remove it and its journal",
               box_recording_get_path (recovery->recording), recovery->end.total);
  return FALSE;
}

/* A given session takes the size that it was created for, and nobody here knows for what name that
 * was. */
static gboolean
check_given_size (const BoxRecoveryRun *recovery, GError **error)
{
  const BoxRecordingIntent *intent = recovery->state->intent;
  g_autofree char *way_out = name_way_out (recovery);

  if (!is_given_session (recovery) || intent->sizing != BOX_SIZING_EXACT
      || recovery->end.total == intent->size || recovery->state->commit_begun
      || recovery->state->file != NULL)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "%s was cut short: it has %" G_GUINT64_FORMAT " bytes, and upload session %s takes "
               "%" G_GUINT64_FORMAT "; %s",
               box_recording_get_path (recovery->recording), recovery->end.total,
               intent->destination->session_id, intent->size, way_out);
  return FALSE;
}

static gboolean
run (BoxRecoveryRun *recovery, BoxRecovered *how, BoxFile **file, GError **error)
{
  if (!check_journal (recovery, error))
    return FALSE;
  if (recovery->state->kept || is_half_removed (recovery))
    {
      *file = box_file_copy (recovery->state->file);
      return box_recovery_conclude (recovery, *file, how, error);
    }
  if (!decide_end (recovery, error))
    return FALSE;
  if (recovery->end.size == 0)
    {
      *how = BOX_RECOVERED_EMPTY;
      box_recovery_abort_seed (recovery);
      return box_recording_remove (recovery->recording, error);
    }
  if (!check_given_size (recovery, error) || !check_commit (recovery, error)
      || !note_end (recovery, error)
      || !(recovery->state->file != NULL ? confirm_committed (recovery, file, error)
                                         : find_earlier (recovery, file, error))
      || !find_live (recovery, file, error))
    return FALSE;
  if (*file == NULL && !upload (recovery, file, error))
    return FALSE;
  if (*file == NULL)
    {
      *how = BOX_RECOVERED_FILLED;
      return TRUE;
    }
  box_recovery_remember_size (recovery);
  return box_recovery_conclude (recovery, *file, how, error);
}

gboolean
box_recovery_run (BoxRecording *recording, const BoxRecoverySettings *settings,
                  const BoxRecoveryEvents *events, gpointer user_data, GCancellable *cancellable,
                  BoxRecovered *how, BoxFile **file, GError **error)
{
  BoxJournalState *state = box_recording_get_state (recording);
  BoxRecoveryRun recovery = {
    .recording = recording,
    .settings = settings,
    .events = events,
    .user_data = user_data,
    .cancellable = cancellable,
    .state = state,
  };
  g_autoptr (BoxNote) note = NULL;
  g_autoptr (GError) failure = NULL;
  gboolean done;

  *file = NULL;
  if (state->intent != NULL && is_given_session (&recovery))
    recovery.note = note = box_note_load (state->intent->destination->session_id, NULL);
  done = run (&recovery, how, file, &failure);
  if (!done)
    g_clear_pointer (file, box_file_free);
  box_journal_state_free (recovery.state);
  if (done)
    return TRUE;
  if (!g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
    box_recording_note_failure (recording, failure);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run is a row of decisions, each from what the one before it found: is it in order, has Box
 * got it already, what size will the file have, which session can go on; then uploads until one
 * ends.
 */
#include "delivery/recovery-state.h"

#include "api/folder.h"

static gboolean
check_journal (const BoxRecovery *recovery, GError **error)
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
is_padding_needless (const BoxRecovery *recovery)
{
  const BoxJournalState *state = recovery->state;

  return state->intent->sizing == BOX_SIZING_RESERVE && !box_recovery_is_given (recovery)
         && (state->session == NULL || state->session_size != state->end.total)
         && !state->commit_begun && state->file == NULL && !state->damaged && !state->torn;
}

/* The future file: the stream as it ended, or what its writer had written when it died. */
static gboolean
decide_end (BoxRecovery *recovery, GError **error)
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
  if (box_recovery_is_given (recovery) && intent->sizing == BOX_SIZING_RESERVE && size > 0
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
note_end (BoxRecovery *recovery, GError **error)
{
  if (recovery->state->ended || recovery->end.total == recovery->end.size)
    return TRUE;
  return box_recording_set_end (recovery->recording, &recovery->end, error);
}

/* The data file went, and then the power: only the journal is left to remove. */
static gboolean
is_half_removed (const BoxRecovery *recovery)
{
  return recovery->state->file != NULL && !box_recording_has_data (recovery->recording);
}

/* Whether @file has the recording as a version that others have followed with theirs. */
static gboolean
has_as_version (const BoxRecovery *recovery, BoxTransport *transport, const BoxFile *file,
                const BoxSha1 *sha1)
{
  BoxVersionQuery query = { .size = recovery->end.total, .sha1 = sha1 };
  g_autoptr (BoxFile) version = box_client_find_version (recovery->settings->client, transport,
                                                         file, &query, recovery->cancellable, NULL);

  return version != NULL;
}

/* The journal says that Box has the file: the recording goes only if Box says so, too. */
static gboolean
confirm_committed (const BoxRecovery *recovery, BoxFile **file, GError **error)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxFile) there = NULL;
  BoxSha1 sha1;

  if (!box_recovery_digest (recovery, &sha1, error))
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

/* The file that is at @destination. NULL without error: none is there. */
static BoxFile *
get_file_at (const BoxRecovery *recovery, BoxTransport *transport,
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
find_at (const BoxRecovery *recovery, const BoxDestination *destination, const BoxSha1 *sha1,
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
find_earlier (const BoxRecovery *recovery, BoxFile **file, GError **error)
{
  const GPtrArray *earlier = recovery->state->earlier;
  g_autoptr (GError) local = NULL;
  BoxSha1 sha1;

  if (earlier->len == 0)
    return TRUE;
  if (!box_recovery_digest (recovery, &sha1, error))
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
is_piece (const BoxRecovery *recovery, const BoxFile *file)
{
  BoxSha1 sha1;

  return file->has_size && file->has_sha1 && file->size > 0 && file->size < recovery->end.total
         && box_recovery_digest_beginning (recovery, file->size, &sha1)
         && box_sha1_equal (&file->sha1, &sha1);
}

/* A request that was cut, and taken for complete by Box or a proxy on the way, has made a file of
 * the beginning. The name was free before, so the file is ours: the recording becomes its next
 * version. */
static gboolean
replace_piece (BoxRecovery *recovery, const BoxFile *piece, GError **error)
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
find_live (BoxRecovery *recovery, BoxFile **file, GError **error)
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
  if (!box_recovery_digest (recovery, &sha1, error))
    return FALSE;
  if (!box_file_has_content (there, recovery->end.total, &sha1))
    return !is_piece (recovery, there) || replace_piece (recovery, there, error);
  *file = g_steal_pointer (&there);
  return box_recording_set_committed (recovery->recording, *file, error);
}

/* Box has no session for a small file that its application could commit. */
static gboolean
check_commit (const BoxRecovery *recovery, GError **error)
{
  if (recovery->state->intent->commit || box_recovery_is_given (recovery)
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
check_given_size (const BoxRecovery *recovery, GError **error)
{
  const BoxRecordingIntent *intent = recovery->state->intent;
  g_autofree char *way_out = box_recovery_name_way_out (recovery);

  if (!box_recovery_is_given (recovery) || intent->sizing != BOX_SIZING_EXACT
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

/* --- One run -------------------------------------------------------------------------------- */

static BoxRecoveryState
conclude (BoxRecovery *recovery, GError **error)
{
  return box_recovery_conclude (recovery, recovery->file, &recovery->how, error)
             ? BOX_RECOVERY_DONE
             : BOX_RECOVERY_FAILED;
}

/* Box has all of it. */
static BoxRecoveryState
arrive (BoxRecovery *recovery, GError **error)
{
  if (recovery->file == NULL)
    {
      recovery->how = BOX_RECOVERED_FILLED;
      return BOX_RECOVERY_DONE;
    }
  box_recovery_remember_size (recovery);
  return conclude (recovery, error);
}

static BoxRecoveryState
remove_empty (BoxRecovery *recovery, GError **error)
{
  recovery->how = BOX_RECOVERED_EMPTY;
  box_recovery_abort_seed (recovery);
  return box_recording_remove (recovery->recording, error) ? BOX_RECOVERY_DONE
                                                           : BOX_RECOVERY_FAILED;
}

static BoxRecoveryState
begin (BoxRecovery *recovery, GError **error)
{
  BoxFile **file = &recovery->file;

  if (!check_journal (recovery, error))
    return BOX_RECOVERY_FAILED;
  if (recovery->state->kept || is_half_removed (recovery))
    {
      *file = box_file_copy (recovery->state->file);
      return conclude (recovery, error);
    }
  if (!decide_end (recovery, error))
    return BOX_RECOVERY_FAILED;
  if (recovery->end.size == 0)
    return remove_empty (recovery, error);
  if (!check_given_size (recovery, error) || !check_commit (recovery, error)
      || !note_end (recovery, error)
      || !(recovery->state->file != NULL ? confirm_committed (recovery, file, error)
                                         : find_earlier (recovery, file, error))
      || !find_live (recovery, file, error))
    return BOX_RECOVERY_FAILED;
  if (*file != NULL)
    return arrive (recovery, error);
  box_recovery_begin_uploads (recovery);
  return BOX_RECOVERY_WAITS;
}

static BoxRecoveryState
end_upload (BoxRecovery *recovery, GError **error)
{
  BoxRecoveryState state = box_recovery_end_upload (recovery, error);

  return state == BOX_RECOVERY_DONE ? arrive (recovery, error) : state;
}

BoxRecoveryState
box_recovery_go_on (BoxRecovery *recovery, GError **error)
{
  g_autoptr (GError) failure = NULL;
  BoxRecoveryState state =
      recovery->n_attempts == 0 ? begin (recovery, &failure) : end_upload (recovery, &failure);

  while (state == BOX_RECOVERY_WAITS && recovery->unfed != NULL)
    state = end_upload (recovery, &failure);
  if (state != BOX_RECOVERY_FAILED)
    return state;
  g_clear_pointer (&recovery->file, box_file_free);
  if (!g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
    box_recording_note_failure (recovery->recording, failure);
  g_propagate_error (error, g_steal_pointer (&failure));
  return state;
}

BoxUpload *
box_recovery_get_upload (BoxRecovery *recovery)
{
  return box_attempt_get_upload (recovery->attempt);
}

BoxRecovered
box_recovery_steal_result (BoxRecovery *recovery, BoxFile **file)
{
  *file = g_steal_pointer (&recovery->file);
  return recovery->how;
}

BoxRecovery *
box_recovery_new (BoxRecording *recording, const BoxRecoverySettings *settings,
                  const BoxRecoveryEvents *events, gpointer user_data, GCancellable *cancellable)
{
  BoxRecovery *recovery = g_new0 (BoxRecovery, 1);

  recovery->recording = box_recording_ref (recording);
  recovery->settings = settings;
  if (events != NULL)
    recovery->events = *events;
  recovery->user_data = user_data;
  recovery->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  recovery->state = box_recording_get_state (recording);
  if (recovery->state->intent != NULL && box_recovery_is_given (recovery))
    recovery->note = box_note_load (recovery->state->intent->destination->session_id, NULL);
  return recovery;
}

void
box_recovery_free (BoxRecovery *recovery)
{
  if (recovery == NULL)
    return;
  box_recovery_stop_upload (recovery);
  g_clear_pointer (&recovery->note, box_note_free);
  g_clear_pointer (&recovery->file, box_file_free);
  box_journal_state_free (recovery->state);
  g_clear_object (&recovery->cancellable);
  box_recording_unref (recovery->recording);
  g_free (recovery);
}

gboolean
box_recovery_run (BoxRecording *recording, const BoxRecoverySettings *settings,
                  const BoxRecoveryEvents *events, gpointer user_data, GCancellable *cancellable,
                  BoxRecovered *how, BoxFile **file, GError **error)
{
  g_autoptr (BoxRecovery) recovery =
      box_recovery_new (recording, settings, events, user_data, cancellable);
  BoxRecoveryState state;

  *file = NULL;
  do
    state = box_recovery_go_on (recovery, error);
  while (state == BOX_RECOVERY_WAITS);
  if (state == BOX_RECOVERY_DONE)
    *how = box_recovery_steal_result (recovery, file);
  return state == BOX_RECOVERY_DONE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "cli/job.h"

#include "cli/output.h"
#include "spool/recording.h"
#include "spool/note.h"

typedef struct
{
  CliJob base;
  char *journal_path;
  char *problem;           /* why it is unreadable; NULL: it is not */
  BoxRecording *recording; /* these two: while it runs */
  gboolean interrupted;    /* its stream was cut short */
  BoxCut cut;              /* whether such a stream plays */
  BoxRecovered recovered;
  BoxFile *file; /* that Box has; nullable */
} RecordingJob;

static void
clear_recording (CliJob *base)
{
  RecordingJob *job = (RecordingJob *) base;

  g_clear_pointer (&job->base.delivery, box_delivery_free);
  g_clear_pointer (&job->file, box_file_free);
  g_clear_pointer (&job->recording, box_recording_unref);
  g_free (job->journal_path);
  g_free (job->problem);
}

/* The file in a folder that the journal's destination (a file or a session) stands for; NULL if
 * unknown. */
static BoxDestination *
find_folder (const BoxDestination *destination)
{
  g_autoptr (BoxNote) note = NULL;

  if (destination->kind == BOX_DESTINATION_FOLDER)
    return box_destination_copy (destination);
  if (destination->kind == BOX_DESTINATION_SESSION)
    note = box_note_load (destination->session_id, NULL);
  return note != NULL && note->destination->kind == BOX_DESTINATION_FOLDER
             ? box_destination_copy (note->destination)
             : NULL;
}

/* The new destination; NULL without error: it stays as it is. */
static BoxDestination *
get_new_destination (const BoxRecordingIntent *intent, const CliRedirect *redirect, GError **error)
{
  g_autoptr (BoxDestination) old = find_folder (intent->destination);
  const char *name = redirect->name;
  const char *folder = redirect->folder;

  /* A policy alone applies only to a name that can be taken. */
  if (name == NULL && folder == NULL && intent->destination->kind != BOX_DESTINATION_FOLDER)
    return NULL;
  if (name == NULL && old != NULL)
    name = old->name;
  if (name != NULL && folder == NULL && old != NULL)
    return box_destination_new_in_path (old->folder_id, (const char *const *) old->path,
                                        !old->no_create, name, error);
  if (name != NULL)
    return box_destination_new_folder (folder, name, error);
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "The recording has no name of its own: give one with --name");
  return NULL;
}

static gboolean
redirect_recording (BoxRecording *recording, const BoxJournalState *state,
                    const CliRedirect *redirect, GError **error)
{
  const BoxRecordingIntent *intent = state->intent;
  g_autoptr (BoxDestination) destination = NULL;
  g_autoptr (GError) local = NULL;
  BoxIfExists if_exists;

  /* Box has it, or nothing says what is to be changed. */
  if (state->file != NULL || intent == NULL)
    return TRUE;
  if_exists = intent->if_exists;
  if (redirect->if_exists != NULL
      && !cli_options_parse_if_exists (redirect->if_exists, &if_exists, error))
    return FALSE;
  destination = get_new_destination (intent, redirect, &local);
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (destination == NULL
      || (if_exists == intent->if_exists && intent->destination->kind == BOX_DESTINATION_FOLDER
          && box_destination_is_same_name (destination, intent->destination)))
    return TRUE;
  return box_recording_redirect (recording, destination, if_exists, error);
}

/* Kept for the report: the file may be gone from the disk by then. */
static void
judge (RecordingJob *job, const BoxJournalState *state)
{
  const BoxDestination *destination = state->intent != NULL ? state->intent->destination : NULL;
  const char *path = box_recording_get_path (job->recording);

  job->interrupted =
      box_recording_has_data (job->recording)
      && box_recording_is_interrupted (state, box_recording_get_size (job->recording));
  if (job->interrupted)
    job->cut = box_container_judge (path, destination != NULL ? destination->name : NULL);
}

gboolean
cli_job_start_recording (CliJob *base, const BoxRecoverySettings *settings,
                         const CliRedirect *redirect, GCancellable *cancellable, GError **error)
{
  const BoxDeliveryEvents events = { .upload = cli_reporter_events };
  RecordingJob *job = (RecordingJob *) base;
  g_autoptr (BoxJournalState) state = NULL;

  if (job->problem != NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE, job->problem);
      return FALSE;
    }
  job->recording = box_recording_open (job->journal_path, error);
  if (job->recording == NULL)
    return FALSE;
  state = box_recording_get_state (job->recording);
  if (redirect != NULL && !redirect_recording (job->recording, state, redirect, error))
    return FALSE;
  judge (job, state);
  job->base.delivery =
      box_delivery_new_recording (job->recording, settings, &events, base->reporter, cancellable);
  box_delivery_start (job->base.delivery);
  return TRUE;
}

static void
tell_success (RecordingJob *job, const BoxFile *file)
{
  CliReporter *reporter = job->base.reporter;
  const CliCut cut = {
    .may_not_play = job->cut != BOX_CUT_PLAYS,
    .kept = job->recovered == BOX_RECOVERED_KEPT,
  };

  if (file != NULL)
    cli_reporter_tell_file (reporter, job->base.name, file, job->interrupted ? &cut : NULL);
  else if (job->recovered == BOX_RECOVERED_FILLED)
    cli_reporter_tell_end (reporter, job->base.name, "filled",
                           "all parts are in the session; its application commits it");
  else
    cli_reporter_tell_end (reporter, job->base.name, "empty", "nothing was recorded; removed");
}

/* Box has the file, so this is no failure; but somebody has to make room for another try. */
static void
complain_of_remains (const RecordingJob *job)
{
  g_autoptr (BoxJournalState) state = box_recording_get_state (job->recording);

  cli_complain ("%s: Box has it, but the recording stays in the spool: %s", job->base.name,
                state->failure != NULL ? state->failure : "it cannot be removed");
}

static gboolean
finish_recording (CliJob *base, GError **error)
{
  RecordingJob *job = (RecordingJob *) base;
  g_autoptr (GError) failure = box_delivery_dup_error (job->base.delivery);
  g_autoptr (GError) unsettled = box_delivery_dup_unsettled (job->base.delivery);

  job->file = box_delivery_dup_file (job->base.delivery, &job->recovered);
  /* Released now, so that the next process to read the spool finds the recording free. */
  g_clear_pointer (&job->base.delivery, box_delivery_free);
  if (failure == NULL && job->recovered == BOX_RECOVERED_LEFT)
    complain_of_remains (job);
  g_clear_pointer (&job->recording, box_recording_unref);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (unsettled != NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&unsettled),
                                  "Box has it as file %s, but not its metadata: ", job->file->id);
      return FALSE;
    }
  tell_success (job, job->file);
  return TRUE;
}

BoxRecovered
cli_job_get_recovered (CliJob *job)
{
  return ((RecordingJob *) job)->recovered;
}

const BoxFile *
cli_job_get_recovered_file (CliJob *job)
{
  return ((RecordingJob *) job)->file;
}

static const CliJobKind recording_kind = {
  .finish = finish_recording,
  .clear = clear_recording,
};

CliJob *
cli_job_new_recording (const BoxSpoolEntry *entry, CliTell tell)
{
  RecordingJob *job = g_new0 (RecordingJob, 1);

  job->base.kind = &recording_kind;
  job->base.reporter = cli_reporter_new (entry->data_path, tell);
  job->base.name = box_text_escape (entry->name);
  job->base.size = entry->size;
  job->journal_path = g_strdup (entry->journal_path);
  if (entry->status == BOX_SPOOL_UNREADABLE)
    job->problem = g_strdup (entry->problem);
  return &job->base;
}

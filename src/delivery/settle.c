/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows when Box has the file: its metadata, and the end of its recording. */
#include "delivery/recovery-state.h"

#include "base/retry.h"
#include "delivery/attempt.h"
#include "spool/recording.h"
#include "spool/note.h"

void
box_recovery_abort_seed (const BoxRecovery *recovery)
{
  g_autoptr (BoxJournalState) now = box_recording_get_state (recovery->recording);
  g_autoptr (GError) error = NULL;

  if (now->seed == NULL || (now->session != NULL && g_str_equal (now->session->id, now->seed->id)))
    return;
  box_attempt_abort (recovery->settings->client, now->seed, recovery->cancellable);
  if (!box_recording_set_seed_aborted (recovery->recording, &error))
    g_info ("%s", error->message);
}

/* Whether the recording is kept although Box has @file. */
static gboolean
is_to_stay (const BoxRecovery *recovery, const BoxFile *file)
{
  BoxRecording *recording = recovery->recording;

  if (recovery->settings->keep == BOX_KEEP_NONE || !box_recording_has_data (recording)
      || !box_recording_is_interrupted (recovery->state, box_recording_get_size (recording)))
    return FALSE;
  return recovery->settings->keep == BOX_KEEP_CUT
         || box_container_judge (box_recording_get_path (recording), file->name)
                == BOX_CUT_MAY_NOT_PLAY;
}

void
box_recovery_remember_size (const BoxRecovery *recovery)
{
  g_autofree char *directory = g_path_get_dirname (box_recording_get_path (recovery->recording));

  if (recovery->state->intent->sizing == BOX_SIZING_SPOOL)
    box_history_set_size (directory, recovery->state->intent->destination, recovery->end.total);
}

static void
tell_retrying (guint number, gint64 delay, const GError *reason, gpointer user_data)
{
  const BoxRecovery *recovery = user_data;

  if (recovery->events.upload.retrying != NULL)
    recovery->events.upload.retrying ("metadata", G_MAXUINT64, number, delay, reason,
                                      recovery->user_data);
}

/* Leaves the rest to another try. Box has the file, so that the data is not needed for it. */
static void
leave_unsettled (const BoxRecovery *recovery, const BoxFile *file, const GError *reason)
{
  g_autoptr (GError) error = NULL;

  if (!is_to_stay (recovery, file) && !box_recording_remove_data (recovery->recording, &error))
    g_info ("%s", error->message);
  if (recovery->events.unsettled != NULL)
    recovery->events.unsettled (reason, recovery->events.uploading_data);
}

/* Gives the file its metadata. @settled: (out): FALSE: Box has refused them, or it took too long.
 * FALSE: stopped. */
static gboolean
give_metadata (const BoxRecovery *recovery, const BoxFile *file, gboolean *settled, GError **error)
{
  const BoxSettleSettings settings = {
    .client = recovery->settings->client,
    .metadata = recovery->state->intent->metadata,
    .retry_timeout = recovery->settings->retry_timeout,
    .retrying = tell_retrying,
    .user_data = (gpointer) recovery,
  };
  g_autoptr (GError) failure = NULL;

  *settled =
      settings.metadata == NULL || recovery->state->settled
      || box_settle_run (&settings, file->id, recovery->recording, recovery->cancellable, &failure);
  if (*settled)
    return TRUE;
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  leave_unsettled (recovery, file, failure);
  return TRUE;
}

/* Box has @file: removes or keeps the recording. A failure to remove it does not fail the delivery.
 */
static BoxRecovered
settle (const BoxRecovery *recovery, const BoxFile *file)
{
  g_autoptr (GError) error = NULL;

  box_recovery_abort_seed (recovery);
  if (is_to_stay (recovery, file) && box_recording_set_kept (recovery->recording, &error))
    return BOX_RECOVERED_KEPT;
  if (error == NULL && box_recording_remove (recovery->recording, &error))
    return BOX_RECOVERED_COMMITTED;
  box_recording_note_failure (recovery->recording, error);
  return BOX_RECOVERED_LEFT;
}

gboolean
box_recovery_conclude (const BoxRecovery *recovery, const BoxFile *file, BoxRecovered *how,
                       GError **error)
{
  gboolean settled;

  if (!give_metadata (recovery, file, &settled, error))
    return FALSE;
  if (!settled)
    *how = BOX_RECOVERED_UNSETTLED;
  else
    *how = recovery->state->kept ? BOX_RECOVERED_KEPT : settle (recovery, file);
  return TRUE;
}

typedef struct
{
  const BoxSettleSettings *settings;
  BoxTransport *transport;
  const char *file_id;
} Settling;

static gboolean
set_metadata (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Settling *settling = user_data;

  return box_client_set_metadata (settling->settings->client, settling->transport,
                                  settling->file_id, settling->settings->metadata, cancellable,
                                  error);
}

gboolean
box_settle_run (const BoxSettleSettings *settings, const char *file_id, BoxRecording *recording,
                GCancellable *cancellable, GError **error)
{
  const BoxCallPolicy policy = {
    .timeout = settings->retry_timeout,
    .retrying = settings->retrying,
    .user_data = settings->user_data,
  };
  g_autoptr (BoxTransport) transport = box_transport_new ();
  Settling settling = { .settings = settings, .transport = transport, .file_id = file_id };
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) unnoted = NULL;

  if (!box_call (&policy, set_metadata, &settling, cancellable, &failure))
    {
      if (recording != NULL && !g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
        box_recording_note_failure (recording, failure);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  /* Without the line the step is repeated, which is harmless. */
  if (recording != NULL && !box_recording_set_settled (recording, &unnoted))
    g_info ("%s", unnoted->message);
  return TRUE;
}

BoxRecording *
box_settle_new_errand (const char *directory, const BoxFile *file, BoxMetadata *metadata,
                       GError **error)
{
  g_autoptr (BoxSpool) spool = box_spool_open (directory, 0, error);
  g_autoptr (BoxDestination) destination =
      box_destination_new_file (file->id, spool != NULL ? error : NULL);
  BoxRecordingIntent intent = {
    .destination = destination,
    .padding = BOX_PADDING_NONE,
    .commit = TRUE,
    .metadata = metadata,
    .created = g_get_real_time () / G_USEC_PER_SEC,
  };

  return spool != NULL && destination != NULL ? box_spool_note (spool, &intent, file, error) : NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/settle.h"

#include "base/retry.h"

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

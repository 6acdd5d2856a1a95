/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rescue.h"

#include "cli/output.h"

struct _CliRescue
{
  char *name;
  char *journal_path;
  char *problem; /* why it is unreadable; NULL: it is not */
  guint64 size;
  CliTell tell;
  CliReporter *teller;
  BoxRecoveryJob *job; /* while it runs */
};

CliRescue *
cli_rescue_new (const BoxSpoolEntry *spooled, CliTell tell)
{
  CliRescue *rescue = g_new0 (CliRescue, 1);

  rescue->name = g_strdup (spooled->name);
  rescue->journal_path = g_strdup (spooled->journal_path);
  if (spooled->status == BOX_SPOOL_UNREADABLE)
    rescue->problem = g_strdup (spooled->problem);
  rescue->size = spooled->size;
  rescue->tell = tell;
  rescue->teller = cli_reporter_new (spooled->data_path, tell);
  return rescue;
}

void
cli_rescue_free (CliRescue *rescue)
{
  if (rescue == NULL)
    return;
  g_clear_pointer (&rescue->job, box_recovery_job_free);
  cli_reporter_unref (rescue->teller);
  g_free (rescue->name);
  g_free (rescue->journal_path);
  g_free (rescue->problem);
  g_free (rescue);
}

gboolean
cli_rescue_start (CliRescue *rescue, const BoxRecoverySettings *settings, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (BoxRecording) recording = NULL;

  if (rescue->problem != NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE, rescue->problem);
      return FALSE;
    }
  recording = box_recording_open (rescue->journal_path, error);
  if (recording == NULL)
    return FALSE;
  rescue->job =
      box_recovery_job_new (recording, settings, &cli_reporter_events, rescue->teller, cancellable);
  return TRUE;
}

gboolean
cli_rescue_poll (CliRescue *rescue, gint64 timeout)
{
  return box_recovery_job_wait (rescue->job, timeout) != BOX_WAIT_TIMEOUT;
}

static void
tell_success (CliRescue *rescue, BoxRecovered how, const BoxFile *file)
{
  static const char *const events[] = {
    [BOX_RECOVERED_COMMITTED] = "complete", [BOX_RECOVERED_FILLED] = "filled",
    [BOX_RECOVERED_EMPTY] = "empty",        [BOX_RECOVERED_KEPT] = "complete",
    [BOX_RECOVERED_LEFT] = "complete",
  };
  g_autofree char *text = NULL;

  if (rescue->tell == CLI_TELL_JSON)
    {
      cli_reporter_tell_end (rescue->teller, events[how], file, NULL);
      return;
    }
  if (file != NULL)
    text = cli_format_file (file);
  else if (how == BOX_RECOVERED_FILLED)
    text = g_strdup ("all parts are in the session; its application commits it");
  else
    text = g_strdup ("nothing was recorded; removed");
  cli_print ("%s: %s", rescue->name, text);
}

gboolean
cli_rescue_finish (CliRescue *rescue, BoxRecovered *how, GError **error)
{
  const GError *failure = box_recovery_job_get_error (rescue->job);
  const BoxFile *file = box_recovery_job_get_file (rescue->job, how);
  g_autoptr (GError) own_failure = failure != NULL ? g_error_copy (failure) : NULL;
  g_autoptr (BoxFile) own_file = file != NULL ? box_file_copy (file) : NULL;

  /* Now, so that whoever looks at the spool next finds the recording free. */
  g_clear_pointer (&rescue->job, box_recovery_job_free);
  if (own_failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&own_failure));
      return FALSE;
    }
  tell_success (rescue, *how, own_file);
  return TRUE;
}

gboolean
cli_rescue_is_elsewhere (const GError *error)
{
  return g_error_matches (error, BOX_ERROR, BOX_ERROR_BUSY);
}

const char *
cli_rescue_get_name (CliRescue *rescue)
{
  return rescue->name;
}

void
cli_rescue_tell_failure (CliRescue *rescue, const GError *error, guint wait)
{
  if (rescue->tell == CLI_TELL_JSON)
    cli_reporter_tell_end (rescue->teller, "failed", NULL, error);
  else if (wait > 0)
    cli_complain ("%s: %s; trying again in %u s", rescue->name, error->message, wait);
  else
    cli_complain ("%s: %s", rescue->name, error->message);
}

void
cli_rescue_get_progress (CliRescue *rescue, CliProgressLine *line, char **notice)
{
  g_autoptr (BoxUpload) upload = box_recovery_job_dup_upload (rescue->job);

  cli_reporter_get_progress (rescue->teller, upload, rescue->size, line, notice);
  if (upload == NULL)
    line->notice = "reading";
}

void
cli_rescue_tell_progress (CliRescue *rescue)
{
  g_autoptr (BoxUpload) upload = box_recovery_job_dup_upload (rescue->job);

  if (upload != NULL)
    cli_reporter_tell_progress (rescue->teller, upload);
}

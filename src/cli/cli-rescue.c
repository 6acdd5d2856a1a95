/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-rescue.h"

#include "cli-output.h"

struct _CliRescue
{
  /* immutable once it has been started */
  char *name;
  char *journal_path;
  char *problem; /* why it is unreadable; NULL: it is not */
  guint64 size;
  CliTell tell;
  CliTeller *teller;
  BoxRecording *recording;
  BoxRecoverySettings settings;
  GCancellable *cancellable;
  GThread *thread;

  GMutex lock;
  GCond ended_changed;
  /* with lock */
  BoxUpload *upload; /* the one that runs; NULL: none yet */
  gboolean ended;

  /* the thread's, until it has ended */
  BoxRecovered how;
  BoxFile *file;
  GError *failure;
};

CliRescue *
cli_rescue_new (const BoxSpooled *spooled, CliTell tell)
{
  CliRescue *rescue = g_new0 (CliRescue, 1);

  rescue->name = g_strdup (spooled->name);
  rescue->journal_path = g_strdup (spooled->journal_path);
  if (spooled->status == BOX_SPOOLED_UNREADABLE)
    rescue->problem = g_strdup (spooled->problem);
  rescue->size = spooled->size;
  rescue->tell = tell;
  rescue->teller = cli_teller_new (spooled->data_path, tell);
  g_mutex_init (&rescue->lock);
  g_cond_init (&rescue->ended_changed);
  return rescue;
}

void
cli_rescue_free (CliRescue *rescue)
{
  if (rescue == NULL)
    return;
  if (rescue->thread != NULL)
    g_thread_join (rescue->thread);
  g_clear_pointer (&rescue->recording, box_recording_unref);
  g_clear_pointer (&rescue->upload, box_upload_unref);
  g_clear_pointer (&rescue->file, box_file_free);
  g_clear_error (&rescue->failure);
  g_clear_object (&rescue->cancellable);
  cli_teller_unref (rescue->teller);
  g_cond_clear (&rescue->ended_changed);
  g_mutex_clear (&rescue->lock);
  g_free (rescue->name);
  g_free (rescue->journal_path);
  g_free (rescue->problem);
  g_free (rescue);
}

/* The teller's events get the rescue as their data. */
static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  cli_teller_events.session_opened (session, size, ((CliRescue *) user_data)->teller);
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  cli_teller_events.part_done (part, attempts, adopted, ((CliRescue *) user_data)->teller);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  cli_teller_events.retrying (request, offset, attempt, delay, reason,
                              ((CliRescue *) user_data)->teller);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  cli_teller_events.outage (reason, ((CliRescue *) user_data)->teller);
}

static void
on_committing (gpointer user_data)
{
  cli_teller_events.committing (((CliRescue *) user_data)->teller);
}

static void
on_uploading (BoxUpload *upload, gpointer user_data)
{
  CliRescue *rescue = user_data;
  BoxUpload *old;

  g_mutex_lock (&rescue->lock);
  old = rescue->upload;
  rescue->upload = box_upload_ref (upload);
  g_mutex_unlock (&rescue->lock);
  g_clear_pointer (&old, box_upload_unref);
}

static gpointer
run_recovery (gpointer user_data)
{
  static const BoxRecoveryEvents events = {
    .uploading = on_uploading,
    .upload = {
      .session_opened = on_session_opened,
      .part_done = on_part_done,
      .retrying = on_retrying,
      .outage = on_outage,
      .committing = on_committing,
    },
  };
  CliRescue *rescue = user_data;

  box_recovery_run (rescue->recording, &rescue->settings, &events, rescue, rescue->cancellable,
                    &rescue->how, &rescue->file, &rescue->failure);
  g_mutex_lock (&rescue->lock);
  rescue->ended = TRUE;
  g_cond_signal (&rescue->ended_changed);
  g_mutex_unlock (&rescue->lock);
  return NULL;
}

gboolean
cli_rescue_start (CliRescue *rescue, const BoxRecoverySettings *settings, GCancellable *cancellable,
                  GError **error)
{
  if (rescue->problem != NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE, rescue->problem);
      return FALSE;
    }
  rescue->recording = box_recording_open (rescue->journal_path, error);
  if (rescue->recording == NULL)
    return FALSE;
  rescue->settings = *settings;
  rescue->cancellable = g_object_ref (cancellable);
  rescue->thread = g_thread_new ("rescue", run_recovery, rescue);
  return TRUE;
}

gboolean
cli_rescue_poll (CliRescue *rescue, gint64 timeout)
{
  gint64 until = g_get_monotonic_time () + timeout;
  gboolean ended;

  g_mutex_lock (&rescue->lock);
  while (!rescue->ended && g_cond_wait_until (&rescue->ended_changed, &rescue->lock, until))
    continue;
  ended = rescue->ended;
  g_mutex_unlock (&rescue->lock);
  return ended;
}

static void
tell_success (CliRescue *rescue)
{
  static const char *const events[] = {
    [BOX_RECOVERED_COMMITTED] = "complete",
    [BOX_RECOVERED_FILLED] = "filled",
    [BOX_RECOVERED_EMPTY] = "empty",
  };
  g_autofree char *text = NULL;

  if (rescue->tell == CLI_TELL_JSON)
    {
      cli_teller_tell_end (rescue->teller, events[rescue->how], rescue->file, NULL);
      return;
    }
  if (rescue->how == BOX_RECOVERED_COMMITTED)
    text = cli_format_file (rescue->file);
  else if (rescue->how == BOX_RECOVERED_FILLED)
    text = g_strdup ("all parts are in the session; its application commits it");
  else
    text = g_strdup ("nothing was recorded; removed");
  cli_print ("%s: %s", rescue->name, text);
}

gboolean
cli_rescue_finish (CliRescue *rescue, BoxRecovered *how, GError **error)
{
  g_thread_join (g_steal_pointer (&rescue->thread));
  /* So that whoever looks at the spool next finds it free. */
  g_clear_pointer (&rescue->upload, box_upload_unref);
  g_clear_pointer (&rescue->recording, box_recording_unref);
  *how = rescue->how;
  if (rescue->failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&rescue->failure));
      return FALSE;
    }
  tell_success (rescue);
  return TRUE;
}

gboolean
cli_rescue_is_elsewhere (const GError *error)
{
  return (g_error_matches (error, BOX_ERROR, BOX_ERROR_NOT_FOUND)
          || g_error_matches (error, BOX_ERROR, BOX_ERROR_CONFLICT))
         && box_error_get_details (error)->http_status == 0;
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
    cli_teller_tell_end (rescue->teller, "failed", NULL, error);
  else if (wait > 0)
    cli_complain ("%s: %s; trying again in %u s", rescue->name, error->message, wait);
  else
    cli_complain ("%s: %s", rescue->name, error->message);
}

/* With a reference, or NULL. */
static BoxUpload *
ref_upload (CliRescue *rescue)
{
  BoxUpload *upload;

  g_mutex_lock (&rescue->lock);
  upload = rescue->upload != NULL ? box_upload_ref (rescue->upload) : NULL;
  g_mutex_unlock (&rescue->lock);
  return upload;
}

void
cli_rescue_get_progress (CliRescue *rescue, CliProgressLine *line, char **notice)
{
  g_autoptr (BoxUpload) upload = ref_upload (rescue);

  cli_teller_get_progress (rescue->teller, upload, rescue->size, line, notice);
  if (upload == NULL)
    line->notice = "reading";
}

void
cli_rescue_tell_progress (CliRescue *rescue)
{
  g_autoptr (BoxUpload) upload = ref_upload (rescue);

  if (upload != NULL)
    cli_teller_tell_progress (rescue->teller, upload);
}

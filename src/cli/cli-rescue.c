/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-rescue.h"

#include "cli-output.h"

#define DRAW_INTERVAL (G_USEC_PER_SEC / 10)
#define TELL_INTERVAL G_USEC_PER_SEC

/* One recording being finished by a thread of its own. */
typedef struct
{
  /* immutable */
  BoxRecording *recording;
  BoxRecoverySettings settings;
  GCancellable *cancellable;
  CliTeller *teller;

  GMutex lock;
  GCond ended_changed;
  /* with lock */
  BoxUpload *upload; /* the one that runs; NULL: none yet */
  gboolean ended;

  /* the thread's, until it has ended */
  BoxRecovered how;
  BoxFile *file;
  GError *failure;
} Run;

gboolean
cli_rescue_open_spool (const char *dir, gboolean create, BoxSpool **spool, GError **error)
{
  g_autofree char *path = dir != NULL ? g_strdup (dir) : box_spool_default_path ();

  *spool = NULL;
  if (create || g_file_test (path, G_FILE_TEST_EXISTS))
    {
      *spool = box_spool_open (path, 0, error);
      return *spool != NULL;
    }
  if (dir == NULL)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "There is no directory “%s”", dir);
  return FALSE;
}

gboolean
cli_rescue_is_wanted (const BoxSpooled *spooled)
{
  return spooled->status != BOX_SPOOLED_BUSY;
}

gboolean
cli_rescue_is_elsewhere (const GError *error)
{
  return (g_error_matches (error, BOX_ERROR, BOX_ERROR_NOT_FOUND)
          || g_error_matches (error, BOX_ERROR, BOX_ERROR_CONFLICT))
         && box_error_get_details (error)->http_status == 0;
}

/* The teller's events get the run as their data. */
static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  cli_teller_events.session_opened (session, size, ((Run *) user_data)->teller);
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  cli_teller_events.part_done (part, attempts, adopted, ((Run *) user_data)->teller);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  cli_teller_events.retrying (request, offset, attempt, delay, reason, ((Run *) user_data)->teller);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  cli_teller_events.outage (reason, ((Run *) user_data)->teller);
}

static void
on_committing (gpointer user_data)
{
  cli_teller_events.committing (((Run *) user_data)->teller);
}

static void
on_uploading (BoxUpload *upload, gpointer user_data)
{
  Run *run = user_data;
  BoxUpload *old;

  g_mutex_lock (&run->lock);
  old = run->upload;
  run->upload = box_upload_ref (upload);
  g_mutex_unlock (&run->lock);
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
  Run *run = user_data;

  box_recovery_run (run->recording, &run->settings, &events, run, run->cancellable, &run->how,
                    &run->file, &run->failure);
  g_mutex_lock (&run->lock);
  run->ended = TRUE;
  g_cond_signal (&run->ended_changed);
  g_mutex_unlock (&run->lock);
  return NULL;
}

/* TRUE: it has ended, and what it answers can be looked at. @upload: (out): with a reference, or
 * NULL. */
static gboolean
wait_for_end (Run *run, BoxUpload **upload)
{
  gint64 until = g_get_monotonic_time () + DRAW_INTERVAL;
  gboolean ended;

  g_mutex_lock (&run->lock);
  while (!run->ended && g_cond_wait_until (&run->ended_changed, &run->lock, until))
    continue;
  ended = run->ended;
  *upload = run->upload != NULL ? box_upload_ref (run->upload) : NULL;
  g_mutex_unlock (&run->lock);
  return ended;
}

static void
show (CliRescue *rescue, Run *run, BoxUpload *upload, guint64 size, gint64 *told_at)
{
  gint64 now = g_get_monotonic_time ();

  if (cli_progress_is_shown (rescue->progress))
    {
      g_autofree char *notice = NULL;
      CliProgressLine line;

      cli_teller_get_progress (run->teller, upload, size, &line, &notice);
      if (upload == NULL)
        line.notice = "reading";
      cli_progress_draw (rescue->progress, &line, 1);
    }
  if (rescue->tell == CLI_TELL_JSON && upload != NULL && now >= *told_at + TELL_INTERVAL)
    {
      cli_teller_tell_progress (run->teller, upload);
      *told_at = now;
    }
}

static void
tell_end (CliRescue *rescue, const Run *run, const BoxSpooled *spooled)
{
  static const char *const events[] = {
    [BOX_RECOVERED_COMMITTED] = "complete",
    [BOX_RECOVERED_FILLED] = "filled",
    [BOX_RECOVERED_EMPTY] = "empty",
  };
  g_autofree char *text = NULL;

  if (rescue->tell == CLI_TELL_JSON)
    {
      cli_teller_tell_end (run->teller, events[run->how], run->file, NULL);
      return;
    }
  if (run->how == BOX_RECOVERED_COMMITTED)
    text = cli_format_file (run->file);
  else if (run->how == BOX_RECOVERED_FILLED)
    text = g_strdup ("all parts are in the session; its application commits it");
  else
    text = g_strdup ("nothing was recorded; removed");
  cli_progress_clear (rescue->progress);
  cli_print ("%s: %s", spooled->name, text);
}

static void
run_clear (Run *run)
{
  g_clear_pointer (&run->upload, box_upload_unref);
  g_clear_pointer (&run->file, box_file_free);
  g_clear_error (&run->failure);
  cli_teller_unref (run->teller);
  g_cond_clear (&run->ended_changed);
  g_mutex_clear (&run->lock);
}

static gboolean
rescue_opened (CliRescue *rescue, BoxRecording *recording, const BoxUploadSettings *settings,
               const BoxSpooled *spooled, BoxRecovered *how, GError **error)
{
  Run run = {
    .recording = recording,
    .settings = {
      .client = rescue->cli->client,
      .parallel = settings->parallel,
      .upload_rate = settings->upload_rate,
      .retry_timeout = rescue->retry_timeout,
      .digest_engine = settings->digest_engine,
    },
    .cancellable = rescue->cli->cancellable,
    .teller = cli_teller_new (spooled->data_path, rescue->tell),
  };
  gboolean ended = FALSE, done;
  gint64 told_at = g_get_monotonic_time ();
  GThread *thread;

  g_mutex_init (&run.lock);
  g_cond_init (&run.ended_changed);
  thread = g_thread_new ("rescue", run_recovery, &run);
  while (!ended)
    {
      BoxUpload *upload = NULL;

      ended = wait_for_end (&run, &upload);
      if (!ended)
        show (rescue, &run, upload, spooled->size, &told_at);
      g_clear_pointer (&upload, box_upload_unref);
    }
  g_thread_join (thread);

  cli_progress_clear (rescue->progress);
  *how = run.how;
  done = run.failure == NULL;
  if (done)
    tell_end (rescue, &run, spooled);
  else
    g_propagate_error (error, g_steal_pointer (&run.failure));
  run_clear (&run);
  return done;
}

gboolean
cli_rescue_run (CliRescue *rescue, const BoxSpooled *spooled, BoxRecovered *how, GError **error)
{
  g_autoptr (BoxRecording) recording = NULL;
  BoxUploadSettings settings;

  if (!cli_options_get_upload_settings (rescue->cli->options, &settings, error))
    return FALSE;
  if (spooled->status == BOX_SPOOLED_UNREADABLE)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "%s", spooled->problem);
      return FALSE;
    }
  recording = box_recording_open (spooled->journal_path, error);
  return recording != NULL && rescue_opened (rescue, recording, &settings, spooled, how, error);
}

void
cli_rescue_tell_failure (CliRescue *rescue, const BoxSpooled *spooled, const GError *error,
                         guint wait)
{
  if (rescue->tell == CLI_TELL_JSON)
    {
      g_autoptr (CliTeller) teller = cli_teller_new (spooled->data_path, rescue->tell);

      cli_teller_tell_end (teller, "failed", NULL, error);
    }
  else if (wait > 0)
    cli_complain ("%s: %s; trying again in %u s", spooled->name, error->message, wait);
  else
    cli_complain ("%s: %s", spooled->name, error->message);
}

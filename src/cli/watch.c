/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload watch: finishes the recordings of the spool continuously, a few at a time, the oldest
 * first. One that fails waits, each time longer, while others go on.
 */
#include "base/retry.h"
#include "base/text.h"
#include "cli/job.h"
#include "cli/outside.h"
#include "cli/output.h"

/* A recording that is refused is tried again after this, doubled each time: somebody may have
 * mended it (a token, a folder, the quota). One that failed for the network's sake always waits
 * this long, or until another one got through. Up to a half is taken off, at random: the daemons of
 * many hosts that lost Box at the same moment do not come back at the same moment. Seconds. */
#define FIRST_WAIT   30
#define LONGEST_WAIT 900

/* A session that is full is looked at again after this: its application may have committed it.
 * Seconds. */
#define FILLED_WAIT 3600

/* Shortest time between two tries of a recording that another process has: the list and the lock
 * might disagree forever. Seconds. */
#define ELSEWHERE_WAIT 1

/* The directory is read no more often: a recorder at work, and each upload that ends, tell of many
 * changes, and a long backlog makes reading expensive. Seconds. */
#define LIST_INTERVAL 1

/* Some file systems do not tell of changes. Seconds. */
#define LOOK_INTERVAL 30

static struct
{
  int files;
  int first_wait;
  CliOutsideOptions outside;
} options = { .files = CLI_JOBS_DEFAULT, .first_wait = FIRST_WAIT };

static const GOptionEntry entries[] = {
  { "files", 0, 0, G_OPTION_ARG_INT, &options.files, "Recordings at the same time (default: 2)",
    "N" },
  { "first-wait", 0, 0, G_OPTION_ARG_INT, &options.first_wait,
    "Longest first wait of a failed recording, 1 to 900 (default: 30)", "SECONDS" },
  { "http", 0, 0, G_OPTION_ARG_STRING, &options.outside.http,
    "Show the status at this address: a page, JSON and metrics", "ADDRESS:PORT" },
  { "http-token-file", 0, 0, G_OPTION_ARG_FILENAME, &options.outside.http_token_file,
    "File with the token that readers of the status need", "FILE" },
  { "hook", 0, 0, G_OPTION_ARG_FILENAME, &options.outside.hook,
    "Run this after a commit, a refusal, or before the disk is full", "PROGRAM" },
  { NULL },
};

/* State kept for a recording that is not finished. */
typedef struct
{
  guint failures;
  gboolean by_network; /* the last failure was a passing one */
  gint64 due;          /* monotonic */
} Delay;

typedef struct
{
  Cli *cli;
  BoxRecoverySettings settings;
  CliJobs *jobs;
  CliService *service;
  CliOutside *outside;
  BoxSpool *spool;
  GHashTable *delays; /* name of a recording → Delay */
  GPtrArray *names;   /* of the recordings, when last listed; NULL: never */
  gint64 list_at;     /* monotonic: they are listed no sooner */
  guint list_timer;   /* wakes then; 0: nothing has changed */
  gboolean woken;     /* there is a reason to look for what is due */
} Watch;

/* Microseconds to wait after a recording has been refused @failures times in a row. */
static gint64
get_wait (guint failures)
{
  guint doublings = MIN (failures, 17) - 1;
  gint64 longest = MIN ((gint64) options.first_wait << doublings, LONGEST_WAIT);

  return box_retry_spread (longest * G_USEC_PER_SEC, g_random_int ());
}

static Delay *
get_delay (Watch *watch, const char *name)
{
  Delay *delay = g_hash_table_lookup (watch->delays, name);

  if (delay == NULL)
    {
      delay = g_new0 (Delay, 1);
      g_hash_table_insert (watch->delays, g_strdup (name), delay);
    }
  return delay;
}

/* The network is back: who waited for it need not any longer. */
static void
end_waits_for_network (Watch *watch)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, watch->delays);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Delay *) value)->by_network)
      ((Delay *) value)->due = 0;
}

static void
on_failed (Watch *watch, CliJob *job, const GError *failure)
{
  Delay *delay;
  gboolean again;
  gint64 wait;
  guint seconds;

  if (g_cancellable_is_cancelled (watch->cli->cancellable))
    return;
  delay = get_delay (watch, job->name);
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_BUSY))
    {
      delay->due = g_get_monotonic_time () + ELSEWHERE_WAIT * G_USEC_PER_SEC;
      cli_outside_tell_done (watch->outside, job->name, NULL);
      return;
    }
  again = delay->failures > 0 || box_error_is_transient (failure);
  delay->by_network = box_error_is_transient (failure);
  delay->failures = delay->by_network ? 1 : delay->failures + 1;
  wait = get_wait (delay->failures);
  delay->due = g_get_monotonic_time () + wait;
  seconds = (guint) ((wait + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  cli_job_tell_failure (job, failure, seconds);
  cli_outside_tell_failed (watch->outside, job->name, failure, seconds, again);
}

static void
on_ended (CliJob *job, const GError *failure, gpointer user_data)
{
  Watch *watch = user_data;
  BoxRecovered how;

  watch->woken = TRUE;
  if (failure != NULL)
    {
      on_failed (watch, job, failure);
      return;
    }
  how = cli_job_get_recovered (job);
  cli_outside_tell_done (watch->outside, job->name, cli_job_get_recovered_file (job));
  g_hash_table_remove (watch->delays, job->name);
  end_waits_for_network (watch);
  /* It stays until its application has committed the session, or it can be removed. */
  if (how == BOX_RECOVERED_FILLED || how == BOX_RECOVERED_LEFT)
    get_delay (watch, job->name)->due =
        g_get_monotonic_time () + (gint64) FILLED_WAIT * G_USEC_PER_SEC;
}

/* Forgets recordings that are gone, so that the table does not grow forever. */
static void
forget_gone (Watch *watch)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer name;

  for (guint i = 0; i < watch->names->len; i++)
    g_hash_table_add (names, g_ptr_array_index (watch->names, i));
  g_hash_table_iter_init (&iter, watch->delays);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_hash_table_contains (names, name))
      g_hash_table_iter_remove (&iter);
}

/* Lists the recordings, unless that was done just now: those that went since are found to be gone
 * when they are looked at. */
static gboolean
list_names (Watch *watch, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  GPtrArray *names;

  if (watch->names != NULL && now < watch->list_at)
    return TRUE;
  names = box_spool_list_names (watch->spool, error);
  if (names == NULL)
    return FALSE;
  g_clear_pointer (&watch->names, g_ptr_array_unref);
  watch->names = names;
  watch->list_at = now + LIST_INTERVAL * G_USEC_PER_SEC;
  forget_gone (watch);
  return TRUE;
}

static void
begin (Watch *watch, const BoxSpoolEntry *entry)
{
  CliJob *job = cli_job_new_recording (entry, cli_jobs_get_tell (watch->jobs));
  GError *error = NULL;

  cli_outside_tell_begun (watch->outside, job->name);
  cli_job_start_recording (job, &watch->settings, NULL, watch->cli->cancellable, &error);
  cli_jobs_add (watch->jobs, job, error);
}

/* Starts the oldest that are due, as far as there is room. Only their journals are read. Returns
 * when the next one is due (monotonic). */
static gint64
begin_due (Watch *watch)
{
  gint64 now = g_get_monotonic_time (), next = G_MAXINT64;

  for (guint i = 0; i < watch->names->len && cli_jobs_has_room (watch->jobs); i++)
    {
      const char *name = g_ptr_array_index (watch->names, i);
      const Delay *delay = g_hash_table_lookup (watch->delays, name);
      g_autoptr (BoxSpoolEntry) spooled = NULL;

      if (delay != NULL && delay->due > now)
        {
          next = MIN (next, delay->due);
          continue;
        }
      spooled = box_spool_look (watch->spool, name);
      if (spooled != NULL && spooled->status != BOX_SPOOL_BUSY && spooled->status != BOX_SPOOL_KEPT)
        begin (watch, spooled);
    }
  return next;
}

static gboolean
wake (gpointer user_data)
{
  ((Watch *) user_data)->woken = TRUE;
  return G_SOURCE_CONTINUE;
}

static gboolean
wake_cancelled (GCancellable *cancellable, gpointer user_data)
{
  return wake (user_data);
}

static gboolean
wake_to_list (gpointer user_data)
{
  Watch *watch = user_data;

  watch->list_timer = 0;
  watch->woken = TRUE;
  return G_SOURCE_REMOVE;
}

/* Bytes that a recorder writes are no reason to look; that it stopped writing is. Changes that come
 * together are one reason. */
static void
on_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event,
            gpointer user_data)
{
  Watch *watch = user_data;
  gint64 left = MAX (watch->list_at - g_get_monotonic_time (), 0);

  if (event != G_FILE_MONITOR_EVENT_CHANGED && event != G_FILE_MONITOR_EVENT_ATTRIBUTE_CHANGED
      && watch->list_timer == 0)
    watch->list_timer = g_timeout_add ((guint) (left / 1000 + 1), wake_to_list, watch);
}

/* Until there is a reason to look, or until @next (monotonic). Those that run are looked after
 * meanwhile. */
static void
wait_for_reason (Watch *watch, gint64 next)
{
  gint64 until = MIN (next, g_get_monotonic_time () + LOOK_INTERVAL * G_USEC_PER_SEC);
  gint64 left = MAX (until - g_get_monotonic_time (), 0);
  GSource *timer = g_timeout_source_new ((guint) (left / 1000 + 1));
  GSource *cancelled = g_cancellable_source_new (watch->cli->cancellable);

  g_source_set_callback (timer, wake, watch, NULL);
  g_source_set_callback (cancelled, G_SOURCE_FUNC (wake_cancelled), watch, NULL);
  g_source_attach (timer, NULL);
  g_source_attach (cancelled, NULL);
  while (!watch->woken)
    if (cli_jobs_count_running (watch->jobs) == 0)
      g_main_context_iteration (NULL, TRUE);
    else
      {
        cli_jobs_attend (watch->jobs);
        while (g_main_context_iteration (NULL, FALSE))
          continue;
      }
  g_source_destroy (timer);
  g_source_unref (timer);
  g_source_destroy (cancelled);
  g_source_unref (cancelled);
}

static gboolean
watch_spool (Watch *watch, GError **error)
{
  gint64 next;

  cli_service_tell_ready (watch->service);
  while (!g_cancellable_is_cancelled (watch->cli->cancellable))
    {
      watch->woken = FALSE;
      if (!list_names (watch, error))
        return FALSE;
      next = begin_due (watch);
      cli_service_tell_status (watch->service, "%u recordings, %u of them at work",
                               watch->names->len, cli_jobs_count_running (watch->jobs));
      wait_for_reason (watch, next);
    }
  cli_service_tell_stopping (watch->service);
  cli_jobs_wait (watch->jobs);
  return TRUE;
}

/* Names the watched spool at the start, so that a wrong path is seen at once. */
static void
tell_start (Cli *cli, const char *dir, guint n_recordings, gboolean made)
{
  g_autofree char *path = g_filename_display_name (dir);
  g_autofree char *shown = box_text_escape (path);

  if (cli->options->json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_string (builder, "event", "watching");
      cli_json_add_string (builder, "path", path);
      cli_json_add_uint (builder, "recordings", n_recordings);
      cli_json_add_bool (builder, "made", made);
      cli_json_print (builder);
    }
  else
    cli_complain ("watching %s%s: %u recordings", shown,
                  made ? ", which was not there and was made" : "", n_recordings);
}

/* Opens the spool, and makes it if it is missing: a recorder may come later. */
static BoxSpool *
open_spool (Cli *cli, const char *argument, GError **error)
{
  g_autofree char *dir = cli_options_get_spool_dir (cli->options, argument, error);
  gboolean there = dir != NULL && g_file_test (dir, G_FILE_TEST_EXISTS);
  g_autoptr (BoxSpool) spool = dir != NULL ? box_spool_open (dir, 0, error) : NULL;
  g_autoptr (GPtrArray) names = spool != NULL ? box_spool_list_names (spool, error) : NULL;

  if (names == NULL)
    return NULL;
  tell_start (cli, dir, names->len, !there);
  return g_steal_pointer (&spool);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (GHashTable) delays = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GFileMonitor) monitor = NULL;
  g_autoptr (BoxSpool) spool = NULL;
  g_autoptr (CliJobs) jobs = NULL;
  g_autoptr (CliService) service = NULL;
  g_autoptr (CliOutside) outside = NULL;
  g_autofree char *dir = NULL;
  Watch watch = { .cli = cli, .delays = delays };
  gboolean done;

  if (options.first_wait < 1 || options.first_wait > LONGEST_WAIT)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "--first-wait takes 1 to %d seconds, not %d", LONGEST_WAIT, options.first_wait);
      return FALSE;
    }
  jobs = cli_jobs_new (cli, options.files, on_ended, &watch, error);
  if (jobs == NULL
      || !cli_options_get_recovery_settings (cli->options, cli->client, &watch.settings, error))
    return FALSE;
  spool = open_spool (cli, arguments[0], error);
  if (spool == NULL)
    return FALSE;
  dir = cli_options_get_spool_dir (cli->options, arguments[0], error);
  outside = dir != NULL ? cli_outside_new (cli, &options.outside, spool, dir, error) : NULL;
  if (outside == NULL)
    return FALSE;
  service = cli_service_new ();
  watch.outside = outside;
  watch.jobs = jobs;
  watch.service = service;
  watch.spool = spool;
  monitor = box_spool_monitor (spool, NULL);
  if (monitor != NULL)
    g_signal_connect (monitor, "changed", G_CALLBACK (on_changed), &watch);
  done = watch_spool (&watch, error);
  g_clear_handle_id (&watch.list_timer, g_source_remove);
  g_clear_pointer (&watch.names, g_ptr_array_unref);
  return done;
}

const CliCommand cli_command_watch = {
  .name = "watch",
  .arguments = "[DIR]",
  .summary = "Upload pending recordings continuously",
  .description = "Runs “boxupload resume” continuously, for a host that records. It finds new\n"
                 "recordings in DIR (default: $XDG_STATE_HOME/boxupload/spool) by itself, uploads\n"
                 "the oldest first, and prints a line for each. A recording that fails is tried\n"
                 "again while others continue. SIGTERM and SIGINT end it in order, with exit code\n"
                 "0; the next start continues the uploads.\n"
                 "\n"
                 "--http shows on a page whether anything is unsafe, since when, and what to do;\n"
                 "/api/status has the same as JSON, /metrics for Prometheus. An address that is\n"
                 "not a loopback one needs --http-token-file. --hook runs a program with JSON on\n"
                 "its standard input: committed, failed (a new refusal), pressure (the disk will\n"
                 "be full within an hour).\n"
                 "\n"
                 "It prints the directory at the start, on standard error. “boxupload resume\n"
                 "--help” explains recordings that were cut short.\n"
                 "\n"
                 "With --json: JSON Lines as “boxupload resume --help” has them, also\n"
                 "  watching  at the start: path (of the directory), recordings, made\n"
                 "“failed” also has retry_in: seconds until the next attempt.\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload watch --http 127.0.0.1:8080\n"
                 "  boxupload watch /var/spool/recordings --auth-config /etc/boxupload/box.json "
                 "--upload-rate 5MB\n",
  .flags = CLI_COMMAND_SPOOLS | CLI_COMMAND_CONNECTS | CLI_COMMAND_TRANSFERS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = 1,
  .run = run,
};

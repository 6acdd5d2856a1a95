/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload watch: finishes the recordings of the spool for ever, one at a time, the oldest first.
 * One that fails waits, each time longer, while others go on.
 */
#include "cli-output.h"
#include "cli-rescue.h"

#include <unistd.h>

/* A recording that fails because of the network is tried again as soon as this, doubled each time;
 * a definite refusal, too, because somebody may have mended it (a token, a folder, the quota).
 * Seconds. */
#define FIRST_WAIT   30
#define LONGEST_WAIT 900

/* Some file systems do not tell of changes. Seconds. */
#define LOOK_INTERVAL 30

static struct
{
  int first_wait;
} options = { .first_wait = FIRST_WAIT };

static const GOptionEntry entries[] = {
  { "first-wait", 0, 0, G_OPTION_ARG_INT, &options.first_wait,
    "Wait this long before a recording that failed is tried again, then twice as long, up to 15 "
    "minutes (default: 30)",
    "SECONDS" },
  { NULL },
};

/* What is remembered of a recording that is not finished. */
typedef struct
{
  guint failures;
  gint64 due; /* monotonic; G_MAXINT64: nothing to do */
} Delay;

typedef struct
{
  CliRescue rescue;
  BoxSpool *spool;
  GHashTable *delays; /* name of a recording → Delay */
} Watch;

/* Seconds to wait after a recording has failed so often. */
static guint
get_wait (guint failures)
{
  guint doublings = MIN (failures - 1, 16);

  return (guint) MIN ((guint64) options.first_wait << doublings, LONGEST_WAIT);
}

static gint64
get_due (Watch *watch, const BoxSpooled *spooled)
{
  const Delay *delay = g_hash_table_lookup (watch->delays, spooled->name);

  return delay != NULL ? delay->due : 0;
}

static Delay *
get_delay (Watch *watch, const BoxSpooled *spooled)
{
  Delay *delay = g_hash_table_lookup (watch->delays, spooled->name);

  if (delay == NULL)
    {
      delay = g_new0 (Delay, 1);
      g_hash_table_insert (watch->delays, g_strdup (spooled->name), delay);
    }
  return delay;
}

/* The oldest recording that is due at @now, or NULL; *@next: when the next one is. */
static const BoxSpooled *
choose (Watch *watch, GPtrArray *recordings, gint64 now, gint64 *next)
{
  *next = G_MAXINT64;
  for (guint i = 0; i < recordings->len; i++)
    {
      const BoxSpooled *spooled = g_ptr_array_index (recordings, i);
      gint64 due;

      if (!cli_rescue_is_wanted (spooled))
        continue;
      due = get_due (watch, spooled);
      if (due <= now)
        return spooled;
      *next = MIN (*next, due);
    }
  return NULL;
}

/* Forgets recordings that are gone, so that the table does not grow for ever. */
static void
forget_gone (Watch *watch, GPtrArray *recordings)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer name;

  for (guint i = 0; i < recordings->len; i++)
    g_hash_table_add (names, ((BoxSpooled *) g_ptr_array_index (recordings, i))->name);
  g_hash_table_iter_init (&iter, watch->delays);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_hash_table_contains (names, name))
      g_hash_table_iter_remove (&iter);
}

static void
rescue_one (Watch *watch, const BoxSpooled *spooled)
{
  g_autoptr (GError) error = NULL;
  BoxRecovered how;
  guint wait;
  Delay *delay;

  if (cli_rescue_run (&watch->rescue, spooled, &how, &error))
    {
      g_hash_table_remove (watch->delays, spooled->name);
      /* It stays until its application has committed the session. */
      if (how == BOX_RECOVERED_FILLED)
        get_delay (watch, spooled)->due = G_MAXINT64;
      return;
    }
  if (g_cancellable_is_cancelled (watch->rescue.cli->cancellable)
      || cli_rescue_is_elsewhere (error))
    return;
  delay = get_delay (watch, spooled);
  delay->failures++;
  wait = get_wait (delay->failures);
  delay->due = g_get_monotonic_time () + (gint64) wait * G_USEC_PER_SEC;
  cli_rescue_tell_failure (&watch->rescue, spooled, error, wait);
}

static gboolean
wake (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_CONTINUE;
}

static gboolean
wake_cancelled (GCancellable *cancellable, gpointer user_data)
{
  return wake (user_data);
}

/* Bytes that a recorder writes are no reason to look; that it stopped writing is. */
static void
wake_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event,
              gpointer user_data)
{
  if (event != G_FILE_MONITOR_EVENT_CHANGED && event != G_FILE_MONITOR_EVENT_ATTRIBUTE_CHANGED)
    wake (user_data);
}

/* Until the spool changes, @until (monotonic), half a minute has passed, or the user interrupts. */
static void
wait_for_change (Watch *watch, GFileMonitor *monitor, gint64 until)
{
  gint64 left = MAX (until - g_get_monotonic_time (), 0);
  guint milliseconds = (guint) MIN (left / 1000 + 1, LOOK_INTERVAL * 1000);
  GSource *timer = g_timeout_source_new (milliseconds);
  GSource *cancelled = g_cancellable_source_new (watch->rescue.cli->cancellable);
  gulong id = 0;
  gboolean woken = FALSE;

  g_source_set_callback (timer, wake, &woken, NULL);
  g_source_set_callback (cancelled, G_SOURCE_FUNC (wake_cancelled), &woken, NULL);
  g_source_attach (timer, NULL);
  g_source_attach (cancelled, NULL);
  if (monitor != NULL)
    id = g_signal_connect (monitor, "changed", G_CALLBACK (wake_changed), &woken);

  while (!woken)
    g_main_context_iteration (NULL, TRUE);

  if (monitor != NULL)
    g_signal_handler_disconnect (monitor, id);
  g_source_destroy (timer);
  g_source_unref (timer);
  g_source_destroy (cancelled);
  g_source_unref (cancelled);
}

static gboolean
watch_spool (Watch *watch, GFileMonitor *monitor, GError **error)
{
  while (!g_cancellable_is_cancelled (watch->rescue.cli->cancellable))
    {
      g_autoptr (GPtrArray) recordings = box_spool_list (watch->spool, error);
      const BoxSpooled *spooled;
      gint64 next;

      if (recordings == NULL)
        return FALSE;
      forget_gone (watch, recordings);
      spooled = choose (watch, recordings, g_get_monotonic_time (), &next);
      if (spooled != NULL)
        rescue_one (watch, spooled);
      else
        wait_for_change (watch, monitor, next);
    }
  return TRUE;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (CliProgress) progress = cli_progress_new (cli->options->json ? -1 : STDERR_FILENO);
  g_autoptr (GHashTable) delays = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GFileMonitor) monitor = NULL;
  g_autoptr (BoxSpool) spool = NULL;
  Watch watch = {
    .rescue = {
      .cli = cli,
      .tell = cli_teller_choose (cli->options->json, progress),
      .progress = progress,
      .retry_timeout = cli_options_get_retry_timeout (cli->options, 600),
    },
    .delays = delays,
  };

  if (options.first_wait < 1)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "--first-wait takes a number of seconds from 1 on");
      return FALSE;
    }
  if (!cli_rescue_open_spool (arguments[0], TRUE, &spool, error))
    return FALSE;
  watch.spool = spool;
  monitor = box_spool_monitor (spool, NULL);
  return watch_spool (&watch, monitor, error);
}

const CliCommand cli_command_watch = {
  .name = "watch",
  .arguments = "[DIR]",
  .summary = "Finish the recordings that Box does not have yet, for ever",
  .description =
      "Does for ever what “boxupload resume” does once, for a host that records: sees new "
      "recordings in DIR\n"
      "(default: $XDG_STATE_HOME/boxupload/spool) by itself, uploads the oldest first, and prints "
      "a line for\n"
      "each. A recording that fails is tried again, later each time, while others go on. SIGTERM "
      "and SIGINT\n"
      "end it in order, with exit code 0; what it was uploading goes on at the next start.\n"
      "\n"
      "With --json: JSON Lines as “boxupload resume --help” has them.\n"
      "\n"
      "Examples:\n"
      "  boxupload watch\n"
      "  boxupload watch /var/spool/recordings --auth-config /etc/boxupload/box.json --upload-rate "
      "5MB\n",
  .flags = CLI_COMMAND_CONNECTS | CLI_COMMAND_TRANSFERS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = 1,
  .run = run,
};

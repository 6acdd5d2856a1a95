/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload resume: finishes every recording of the spool that no living process has, once.
 */
#include "cli/crew.h"

static struct
{
  int files;
} options = { .files = CLI_CREW_DEFAULT };

static const GOptionEntry entries[] = {
  { "files", 0, 0, G_OPTION_ARG_INT, &options.files, "Recordings at the same time (default: 2)",
    "N" },
  { NULL },
};

typedef struct
{
  guint n_left;         /* not begun, or failed */
  gboolean interrupted; /* and that is why */
  GError *first;        /* failure */
} Outcome;

static void
on_ended (CliRescue *rescue, BoxRecovered how, const GError *failure, gpointer user_data)
{
  Outcome *outcome = user_data;

  if (failure == NULL || cli_rescue_is_elsewhere (failure))
    return;
  outcome->n_left++;
  outcome->interrupted |= g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED);
  cli_rescue_tell_failure (rescue, failure, 0);
  if (outcome->first == NULL)
    outcome->first = g_error_copy (failure);
}

static void
rescue_all (Cli *cli, CliCrew *crew, GPtrArray *recordings, Outcome *outcome)
{
  for (guint i = 0; i < recordings->len; i++)
    {
      const BoxSpoolEntry *spooled = g_ptr_array_index (recordings, i);

      if (spooled->status == BOX_SPOOL_BUSY || spooled->status == BOX_SPOOL_KEPT)
        continue;
      while (!cli_crew_has_room (crew))
        cli_crew_attend (crew);
      if (!g_cancellable_is_cancelled (cli->cancellable))
        cli_crew_begin (crew, spooled);
      else
        {
          outcome->n_left++;
          outcome->interrupted = TRUE;
        }
    }
  while (cli_crew_count_running (crew) > 0)
    cli_crew_attend (crew);
}

/* The command's error. That it was interrupted counts more than what failed before: there is more
 * to do than that. */
static gboolean
conclude (const Outcome *outcome, guint n, GError **error)
{
  if (outcome->n_left == 0)
    return TRUE;
  if (outcome->interrupted)
    g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED,
                 "Interrupted; %u of %u recordings are not finished", outcome->n_left, n);
  else
    g_propagate_error (error, box_error_new_with_details ((BoxErrorCode) outcome->first->code,
                                                          box_error_get_details (outcome->first),
                                                          "%u of %u recordings are not finished",
                                                          outcome->n_left, n));
  return FALSE;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (GPtrArray) recordings = NULL;
  g_autoptr (BoxSpool) spool = NULL;
  Outcome outcome = { 0 };
  g_autoptr (CliCrew) crew = cli_crew_new (cli, options.files, on_ended, &outcome, error);
  const char *dir;
  gboolean done;

  if (crew == NULL || !cli_options_get_spool_dir (cli->options, arguments[0], &dir, error)
      || !cli_crew_open_spool (dir, FALSE, &spool, error))
    return FALSE;
  if (spool == NULL)
    return TRUE;
  recordings = box_spool_list (spool, error);
  if (recordings == NULL)
    return FALSE;
  rescue_all (cli, crew, recordings, &outcome);
  done = conclude (&outcome, recordings->len, error);
  g_clear_error (&outcome.first);
  return done;
}

const CliCommand cli_command_resume = {
  .name = "resume",
  .arguments = "[DIR]",
  .summary = "Upload pending recordings once",
  .description = "Finishes every recording in DIR (default: $XDG_STATE_HOME/boxupload/spool),\n"
                 "oldest first: those whose upload was interrupted or failed, and those whose\n"
                 "recorder died, with the bytes that reached the disk. Parts that Box has are not\n"
                 "sent again. A recording that a living process has is left alone. A recording is\n"
                 "removed only when Box has confirmed its size and SHA-1; whatever fails, it\n"
                 "stays, and the next resume goes on.\n"
                 "\n"
                 "With --json: JSON Lines, each with event and path (of the recording's data):\n"
                 "session, part, progress, retry, outage, commit, complete and failed as\n"
                 "“boxupload put --help” has them, also\n"
                 "  empty     nothing was recorded; removed\n"
                 "  filled    all parts are in the session, and its application commits it\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload resume\n"
                 "  boxupload resume /var/spool/recordings --auth-config /etc/boxupload/box.json\n",
  .flags = CLI_COMMAND_SPOOLS | CLI_COMMAND_CONNECTS | CLI_COMMAND_TRANSFERS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = 1,
  .run = run,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload resume: finishes every recording of the spool that no living process has, once.
 */
#include "cli-output.h"
#include "cli-rescue.h"

#include <unistd.h>

/* Nobody may be there to try again: long enough for most outages. Seconds. */
#define RESUME_RETRY_TIMEOUT 600

/* Returns how many failed; @first: (out): the first failure. */
static guint
rescue_all (CliRescue *rescue, GPtrArray *recordings, GError **first)
{
  guint n_failed = 0;

  for (guint i = 0; i < recordings->len; i++)
    {
      const BoxSpooled *spooled = g_ptr_array_index (recordings, i);
      g_autoptr (GError) error = NULL;
      BoxRecovered how;

      if (!cli_rescue_is_wanted (spooled) || cli_rescue_run (rescue, spooled, &how, &error)
          || cli_rescue_is_elsewhere (error))
        continue;
      n_failed++;
      cli_rescue_tell_failure (rescue, spooled, error, 0);
      if (*first == NULL)
        *first = g_steal_pointer (&error);
      if (g_cancellable_is_cancelled (rescue->cli->cancellable))
        break;
    }
  return n_failed;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (CliProgress) progress = cli_progress_new (cli->options->json ? -1 : STDERR_FILENO);
  g_autoptr (GPtrArray) recordings = NULL;
  g_autoptr (BoxSpool) spool = NULL;
  g_autoptr (GError) first = NULL;
  CliRescue rescue = {
    .cli = cli,
    .tell = cli_teller_choose (cli->options->json, progress),
    .progress = progress,
    .retry_timeout = cli_options_get_retry_timeout (cli->options, RESUME_RETRY_TIMEOUT),
  };
  guint n_failed;

  if (!cli_rescue_open_spool (arguments[0], FALSE, &spool, error))
    return FALSE;
  if (spool == NULL)
    return TRUE;
  recordings = box_spool_list (spool, error);
  if (recordings == NULL)
    return FALSE;
  n_failed = rescue_all (&rescue, recordings, &first);
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, box_error_new_with_details (
                                (BoxErrorCode) first->code, box_error_get_details (first),
                                "%u of %u recordings are not finished", n_failed, recordings->len));
  return FALSE;
}

const CliCommand cli_command_resume = {
  .name = "resume",
  .arguments = "[DIR]",
  .summary = "Finish the recordings that Box does not have yet, once",
  .description = "Finishes every recording in DIR (default: $XDG_STATE_HOME/boxupload/spool), "
                 "oldest first: those\n"
                 "whose upload was interrupted or failed, and those whose recorder died, with the "
                 "bytes that reached\n"
                 "the disk. Parts that Box has are not sent again. A recording that a living "
                 "process has is left\n"
                 "alone. A recording is removed only when Box has confirmed its size and SHA-1; "
                 "whatever fails, it\n"
                 "stays, and the next resume goes on.\n"
                 "\n"
                 "With --json: JSON Lines, each with event and path (of the recording's data): "
                 "session, part,\n"
                 "progress, retry, outage, commit, complete and failed as “boxupload put --help” "
                 "has them, also\n"
                 "  empty     nothing was recorded; removed\n"
                 "  filled    all parts are in the session, and its application commits it\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload resume\n"
                 "  boxupload resume /var/spool/recordings --auth-config /etc/boxupload/box.json\n",
  .flags = CLI_COMMAND_CONNECTS | CLI_COMMAND_TRANSFERS,
  .min_arguments = 0,
  .max_arguments = 1,
  .run = run,
};

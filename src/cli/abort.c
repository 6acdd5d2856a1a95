/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload abort: discards an upload session and its parts.
 */
#include "cli/command.h"
#include "cli/output.h"

typedef struct
{
  Cli *cli;
  const BoxSession *session;
} Abortion;

static gboolean
abort_session (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Abortion *abortion = user_data;

  return box_client_abort (abortion->cli->client, abortion->cli->transport, abortion->session,
                           cancellable, error);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (BoxSession) session = cli_call_get_session (cli, arguments[0], error);
  Abortion abortion = { .cli = cli, .session = session };

  if (session == NULL || !cli_call (cli, abort_session, &abortion, CLI_CALL_RETRY_TIMEOUT, error))
    return FALSE;
  box_note_remove (session->id);
  if (cli->options->json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_string (builder, "session_id", session->id);
      cli_json_add_bool (builder, "aborted", TRUE);
      cli_json_print (builder);
    }
  return TRUE;
}

const CliCommand cli_command_abort = {
  .name = "abort",
  .arguments = "SESSION",
  .summary = "Discard an upload session and the parts in it",
  .description = "Says nothing when it is done. A file that was committed from the session stays.\n"
                 "\n"
                 "With --json: one object with session_id and aborted (true).\n"
                 "\n"
                 "Example:\n"
                 "  boxupload abort F971964745A5CD0C001BBE4E58196BFD\n",
  .flags = CLI_COMMAND_CONNECTS,
  .min_arguments = 1,
  .max_arguments = 1,
  .run = run,
};

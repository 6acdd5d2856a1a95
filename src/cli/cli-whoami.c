/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload whoami: checks the credentials by asking Box whose they are.
 */
#include "cli-call.h"
#include "cli-output.h"

typedef struct
{
  Cli *cli;
  BoxUser *user; /* result */
} Question;

static gboolean
get_user (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Question *question = user_data;

  question->user =
      box_client_get_user (question->cli->client, question->cli->transport, cancellable, error);
  return question->user != NULL;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  Question question = { .cli = cli };
  g_autoptr (BoxUser) user = NULL;

  if (!cli_call (cli, get_user, &question, CLI_CALL_RETRY_TIMEOUT, error))
    return FALSE;
  user = question.user;
  if (cli->options->json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_string (builder, "user_id", user->id);
      cli_json_add_string (builder, "name", user->name);
      cli_json_add_string (builder, "login", user->login);
      cli_json_print (builder);
    }
  else
    {
      g_autofree char *name = cli_format_text (user->name != NULL ? user->name : "");
      g_autofree char *login = cli_format_text (user->login != NULL ? user->login : "");

      cli_print ("user       %s <%s>, ID %s", name, login, user->id);
    }
  return TRUE;
}

const CliCommand cli_command_whoami = {
  .name = "whoami",
  .arguments = "",
  .summary = "Check the credentials: say whose they are",
  .description = "With --json: one object with user_id, name and login.\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload whoami --auth-config /etc/boxupload/box.json\n"
                 "  BOX_TOKEN_FILE=/run/box-token boxupload whoami\n",
  .flags = CLI_COMMAND_CONNECTS,
  .min_arguments = 0,
  .max_arguments = 0,
  .run = run,
};

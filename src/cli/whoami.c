/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload whoami: checks the credentials by asking Box whose they are, and says which kind they
 * are.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"

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

/* The name of a grant in prose. */
static const char *
describe_grant (const char *grant)
{
  static const struct
  {
    const char *grant;
    const char *words;
  } grants[] = {
    { "access-token", "an access token; it cannot be renewed" },
    { "token-file", "an access token from a file, which somebody else renews" },
    { "jwt", "a Box app with a key pair (JWT); renewed by itself" },
    { "client-credentials", "client credentials; renewed by itself" },
    { "refresh-token", "a refresh token; renewed by itself, the file is rewritten each time" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (grants); i++)
    if (g_str_equal (grants[i].grant, grant))
      return grants[i].words;
  return grant;
}

static void
print_text (const BoxUser *user, const BoxCredentialsInfo *info, GDateTime *expires)
{
  g_autofree char *name = box_text_escape (user->name != NULL ? user->name : "");
  g_autofree char *login = box_text_escape (user->login != NULL ? user->login : "");

  cli_print ("user         %s <%s>, ID %s", name, login, user->id);
  cli_print ("credentials  %s", describe_grant (info->grant));
  if (info->path != NULL)
    {
      g_autofree char *path = g_filename_display_name (info->path);

      cli_print ("from         %s (%s)", path, info->origin);
    }
  else if (info->origin != NULL)
    cli_print ("from         %s", info->origin);
  if (info->subject != NULL)
    cli_print ("acts for     %s", info->subject);
  if (expires != NULL)
    {
      g_autofree char *when = g_date_time_format_iso8601 (expires);

      cli_print ("token until  %s", when);
    }
  /* That everybody can read the file was said when it was opened. */
  if (info->warning != NULL && g_str_equal (info->grant, "auth-config"))
    cli_complain ("%s", info->warning);
}

static void
print_json (const BoxUser *user, const BoxCredentialsInfo *info, GDateTime *expires)
{
  g_autoptr (JsonBuilder) builder = cli_json_new ();
  g_autofree char *path = info->path != NULL ? g_filename_display_name (info->path) : NULL;

  cli_json_add_string (builder, "user_id", user->id);
  cli_json_add_string (builder, "name", user->name);
  cli_json_add_string (builder, "login", user->login);
  cli_json_add_string (builder, "grant", info->grant);
  cli_json_add_string (builder, "origin", info->origin);
  cli_json_add_string (builder, "path", path);
  cli_json_add_string (builder, "subject", info->subject);
  cli_json_add_time (builder, "expires_at", expires);
  cli_json_add_string (builder, "warning", info->warning);
  cli_json_print (builder);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  Question question = { .cli = cli };
  g_autoptr (BoxCredentialsInfo) info = NULL;
  g_autoptr (GDateTime) expires = NULL;
  g_autoptr (BoxUser) user = NULL;

  if (!cli_call (cli, get_user, &question, CLI_CALL_RETRY_TIMEOUT, error))
    return FALSE;
  user = question.user;
  info = box_credentials_describe (box_client_get_credentials (cli->client));
  if (info->expires > 0)
    expires = g_date_time_new_from_unix_utc (info->expires);
  if (cli->options->json)
    print_json (user, info, expires);
  else
    print_text (user, info, expires);
  return TRUE;
}

const CliCommand cli_command_whoami = {
  .name = "whoami",
  .arguments = "",
  .summary = "Check the credentials: show their user, kind and expiry",
  .description = "Asks Box for the user of the credentials. Shows their kind, the setting that\n"
                 "named them, and the time when the present token expires. If they do not work,\n"
                 "shows what to correct.\n"
                 "\n"
                 "With --json: one object with user_id, name, login, grant (access-token,\n"
                 "token-file, jwt, client-credentials, refresh-token), origin, path, subject,\n"
                 "expires_at and warning.\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload whoami --auth-config /etc/boxupload/box.json\n"
                 "  BOX_TOKEN_FILE=/run/box-token boxupload whoami\n",
  .flags = CLI_COMMAND_CONNECTS,
  .min_arguments = 0,
  .max_arguments = 0,
  .run = run,
};

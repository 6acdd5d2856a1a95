/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload token: an access token that can do nothing but upload into one folder.
 */
#include "base/fileio.h"
#include "cli/command.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

static struct
{
  char *folder;
  char *out;
} options;

static const GOptionEntry entries[] = {
  { "folder", 'f', 0, G_OPTION_ARG_STRING, &options.folder, "Folder to upload into", "ID" },
  { "out", 'o', 0, G_OPTION_ARG_FILENAME, &options.out,
    "Write the token to this file, readable by its owner only", "FILE" },
  { NULL },
};

typedef struct
{
  BoxCredentials *credentials;
  gint64 expires_in; /* result; seconds, 0: not known */
  char *token;       /* result */
} Exchange;

static gboolean
downscope (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Exchange *exchange = user_data;

  exchange->token = box_credentials_downscope (exchange->credentials, options.folder,
                                               &exchange->expires_in, cancellable, error);
  return exchange->token != NULL;
}

static gboolean
write_file (const char *token, GError **error)
{
  char *line = g_strconcat (token, "\n", NULL);
  gboolean written = box_fileio_replace (options.out, line, strlen (line), 0600, error);

  box_credentials_free_token (line);
  if (!written)
    g_prefix_error (error, "The token cannot be written: ");
  return written;
}

static void
print_json (const Exchange *exchange)
{
  g_autoptr (JsonBuilder) builder = cli_json_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) expires = g_date_time_add_seconds (now, (gdouble) exchange->expires_in);

  if (options.out == NULL)
    cli_json_add_string (builder, "access_token", exchange->token);
  else
    {
      g_autofree char *shown = g_filename_display_name (options.out);

      cli_json_add_string (builder, "path", shown);
    }
  cli_json_add_string (builder, "folder_id", options.folder);
  cli_json_add_time (builder, "expires_at", exchange->expires_in > 0 ? expires : NULL);
  cli_json_print (builder);
}

static gboolean
deliver (Cli *cli, const Exchange *exchange, GError **error)
{
  if (options.out != NULL && !write_file (exchange->token, error))
    return FALSE;
  if (cli->options->json)
    print_json (exchange);
  else if (options.out == NULL)
    {
      fputs (exchange->token, stdout);
      fputc ('\n', stdout);
    }
  return TRUE;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  Exchange exchange = { .credentials = box_client_get_credentials (cli->client) };
  gboolean done;

  if (options.folder == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "Give --folder ID, the folder that the token is for");
      return FALSE;
    }
  if (options.out != NULL && !box_fileio_check_replaceable (options.out, error))
    return FALSE;
  done = cli_call (cli, downscope, &exchange, CLI_CALL_RETRY_TIMEOUT, error)
         && deliver (cli, &exchange, error);
  box_credentials_free_token (exchange.token);
  return done;
}

const CliCommand cli_command_token = {
  .name = "token",
  .arguments = "--folder ID",
  .summary = "Get a token that can only upload into one folder",
  .description = "The token can only upload into the folder (and the folders below it). It lasts\n"
                 "about an hour and cannot be renewed. Use it for recorders that need no other\n"
                 "rights. --out replaces the file in one step; recorders that use it as their\n"
                 "token-file read it again when it changes.\n"
                 "\n"
                 "With --json: one object with access_token (or path, with --out), folder_id and\n"
                 "expires_at.\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload token --folder 1234 --auth-config box.json --out /run/token\n"
                 "  boxupload token --folder 1234 | ssh recorder 'umask 077; cat > token'\n",
  .flags = CLI_COMMAND_CONNECTS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = 0,
  .run = run,
};

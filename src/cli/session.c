/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload parts and abort: the parts of an upload session that are at Box, and its end.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/reporter.h"

#include <unistd.h>

/* The largest map, which leaves room for other lines; larger sessions share cells. */
#define MAP_MAX_ROWS    16
#define MAP_MAX_COLUMNS 100

static struct
{
  gboolean table;
} options;

static const GOptionEntry entries[] = {
  { "table", 0, 0, G_OPTION_ARG_NONE, &options.table, "Print a table on a terminal, too", NULL },
  { NULL },
};

static void
print_json (const BoxSession *session, const CliGrid *grid, GPtrArray *parts)
{
  g_autoptr (JsonBuilder) builder = cli_json_new ();

  cli_json_add_session (builder, session);
  cli_json_add_uint (builder, "parts_stored", grid->n_stored);
  cli_json_add_uint (builder, "bytes_stored", grid->bytes);
  cli_json_add_uint (builder, "parts_unlisted", grid->n - grid->n_listed);
  json_builder_set_member_name (builder, "parts");
  json_builder_begin_array (builder);
  for (guint i = 0; i < parts->len; i++)
    {
      json_builder_begin_object (builder);
      cli_json_add_part (builder, g_ptr_array_index (parts, i));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  cli_json_print (builder);
}

static void
print_table (GPtrArray *parts)
{
  cli_print ("%16s %12s  %-40s  %s", "OFFSET", "SIZE", "SHA-1", "PART");
  for (guint i = 0; i < parts->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (parts, i);
      g_autofree char *sha1 = part->has_sha1 ? box_sha1_to_hex (&part->sha1) : g_strdup ("-");
      g_autofree char *id = box_text_escape (part->id);

      cli_print ("%16" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT "  %-40s  %s", part->offset,
                 part->size, sha1, id);
    }
}

static void
print_map (const CliGrid *grid)
{
  guint columns = MIN (cli_terminal_get_columns (STDOUT_FILENO), MAP_MAX_COLUMNS);
  g_autofree char *map = cli_grid_draw (grid, columns, MAP_MAX_ROWS, cli_terminal_has_utf8 ());
  g_autofree char *missing = cli_grid_format_missing (grid, 10);
  g_autofree char *bytes = cli_format_bytes (grid->bytes);

  g_print ("%s\n", map);
  cli_print ("%u of %u parts at Box, %s", grid->n_stored, grid->n, bytes);
  if (*missing != '\0')
    cli_print ("missing: %s", missing);
}

static gboolean
run_parts (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (BoxSession) session = cli_call_get_session (cli, arguments[0], error);
  g_autoptr (GPtrArray) parts = NULL;
  g_autoptr (CliGrid) grid = NULL;
  guint n_listed;

  if (session == NULL)
    return FALSE;
  parts = cli_call_list_parts (cli, session, &n_listed, error);
  if (parts == NULL)
    return FALSE;
  grid = cli_grid_new (session, parts, n_listed);
  if (grid->n_listed < grid->n)
    cli_complain (
        "Box lists only the first %u of the %u parts of a session; whether the others are "
        "there is not known",
        grid->n_listed, grid->n);
  if (cli->options->json)
    print_json (session, grid, parts);
  else if (options.table || !cli_terminal_is (STDOUT_FILENO))
    print_table (parts);
  else
    print_map (grid);
  return TRUE;
}

const CliCommand cli_command_parts = {
  .name = "parts",
  .arguments = "SESSION",
  .summary = "Show the parts of an upload session that are at Box",
  .description = "On a terminal: a map, one cell a part (or several, in large sessions), with the\n"
                 "numbers of the missing parts. Otherwise, or with --table: offset, size, SHA-1\n"
                 "(- if Box does not report it) and ID of each part.\n"
                 "\n"
                 "With --json: one object with session_id, part_size, total_parts,\n"
                 "parts_processed, expires_at, parts_stored, bytes_stored, parts_unlisted (behind\n"
                 "those that Box lists, at most the first 11000), and parts: an array of objects\n"
                 "with part_id, offset, size and sha1 (or null).\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload parts $SESSION\n"
                 "  watch -n 5 boxupload parts $SESSION --table\n",
  .flags = CLI_COMMAND_CONNECTS,
  .entries = entries,
  .min_arguments = 1,
  .max_arguments = 1,
  .run = run_parts,
};

/* --- abort: discards an upload session and its parts ---------------------------------------- */

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
run_abort (Cli *cli, char **arguments, GError **error)
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
  .run = run_abort,
};

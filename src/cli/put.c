/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload put: uploads finished recordings, a few at a time; a file that fails does not stop the
 * others.
 */
#include "cli/output.h"
#include "cli/transfer.h"

#include <unistd.h>

/* Often enough for a bar that moves; nothing else depends on it. Microseconds. */
#define DRAW_INTERVAL (G_USEC_PER_SEC / 10)

/* Between two "progress" lines of JSON. Microseconds. */
#define TELL_INTERVAL G_USEC_PER_SEC

/* While one file is committed the next one's bytes can leave. */
#define DEFAULT_FILES 2
#define MAX_FILES     16

static struct
{
  char *folder;
  char *name;
  char *file;
  char *session;
  int files;
} options = { .files = DEFAULT_FILES };

static const GOptionEntry entries[] = {
  { "folder", 'f', 0, G_OPTION_ARG_STRING, &options.folder,
    "Folder to upload into (default: 0, the root)", "ID" },
  { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
    "Name at Box (default: as the local file; for one FILE)", "NAME" },
  { "file", 0, 0, G_OPTION_ARG_STRING, &options.file,
    "Make a new version of this file (for one FILE)", "ID" },
  { "session", 0, 0, G_OPTION_ARG_STRING, &options.session,
    "Go on with this session; parts it has stay (for one FILE)", "ID" },
  { "files", 0, 0, G_OPTION_ARG_INT, &options.files, "Files at the same time (default: 2)", "N" },
  { NULL },
};

/* One FILE of the command line. */
typedef struct
{
  const char *path;
  CliTransfer *transfer; /* while it runs */
  GError *failure;       /* NULL: not ended, or done */
} Item;

/* The whole command. */
typedef struct
{
  Cli *cli;
  BoxUploadSettings settings;
  CliTell tell;
  CliProgress *progress;
  Item *items;
  guint n_items;
  guint n_begun;
  guint n_ended;
  gint64 told_at; /* monotonic, of the last "progress" lines */
} Put;

static BoxDestination *
get_destination (const char *path, GError **error)
{
  g_autofree char *base = g_path_get_basename (path);

  if (options.session != NULL)
    return box_destination_new_session (options.session, error);
  if (options.file != NULL)
    return box_destination_new_file (options.file, error);
  if (options.name != NULL)
    return box_destination_new_folder (options.folder, options.name, error);
  if (g_utf8_validate (base, -1, NULL))
    return box_destination_new_folder (options.folder, base, error);
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "The file's name is not UTF-8; give the name at Box with --name");
  return NULL;
}

/* How to go on, where the session can. */
static void
hint_session (const Item *item, const char *session_id)
{
  g_autofree char *path = g_shell_quote (item->path);
  g_autofree char *shown = g_filename_display_name (path);

  if (session_id == NULL
      || !(g_error_matches (item->failure, BOX_ERROR, BOX_ERROR_CANCELLED)
           || g_error_matches (item->failure, BOX_ERROR, BOX_ERROR_STORAGE)
           || g_error_matches (item->failure, BOX_ERROR, BOX_ERROR_CREDENTIALS)
           || box_error_is_transient (item->failure)))
    return;
  cli_complain ("The parts that are at Box stay there. To go on:  boxupload put --session %s %s%s",
                session_id, item->path[0] == '-' ? "-- " : "", shown);
  cli_complain ("To discard them:  boxupload abort %s", session_id);
}

/* Takes @failure. Said now only where others follow: the last word of the program is main()'s. */
static void
fail_item (Put *put, Item *item, GError *failure)
{
  g_autofree char *shown = g_filename_display_name (item->path);
  g_autofree char *session_id =
      item->transfer != NULL
          ? cli_reporter_dup_session_id (cli_transfer_get_teller (item->transfer))
          : NULL;

  item->failure = failure;
  put->n_ended++;
  if (put->tell == CLI_TELL_JSON)
    {
      g_autoptr (CliReporter) teller =
          item->transfer != NULL ? cli_reporter_ref (cli_transfer_get_teller (item->transfer))
                                 : cli_reporter_new (item->path, put->tell);

      cli_reporter_tell_end (teller, "failed", NULL, failure);
      return;
    }
  cli_progress_clear (put->progress);
  if (put->n_items > 1)
    cli_complain ("%s: %s", shown, failure->message);
  hint_session (item, session_id);
}

static void
begin_item (Put *put, Item *item)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) destination = get_destination (item->path, &error);
  g_autoptr (CliTransfer) transfer = cli_transfer_new (item->path, put->tell);

  if (destination != NULL
      && cli_transfer_start (transfer, put->cli->client, destination, &put->settings, &error))
    item->transfer = g_steal_pointer (&transfer);
  else
    fail_item (put, item, g_steal_pointer (&error));
}

static void
end_item (Put *put, Item *item)
{
  g_autoptr (CliTransfer) transfer = NULL;
  g_autoptr (BoxFile) file = NULL;
  GError *error = NULL;

  file = cli_transfer_finish (item->transfer, &error);
  if (file == NULL)
    fail_item (put, item, error);
  transfer = g_steal_pointer (&item->transfer);
  if (file == NULL)
    return;

  put->n_ended++;
  if (put->tell == CLI_TELL_JSON)
    cli_reporter_tell_end (cli_transfer_get_teller (transfer), "complete", file, NULL);
  else
    {
      g_autofree char *text = cli_format_file (file);

      cli_progress_clear (put->progress);
      cli_print ("%s: %s", cli_reporter_get_name (cli_transfer_get_teller (transfer)), text);
    }
}

static void
begin_some (Put *put)
{
  while (put->n_begun < put->n_items && (int) (put->n_begun - put->n_ended) < options.files
         && !g_cancellable_is_cancelled (put->cli->cancellable))
    begin_item (put, &put->items[put->n_begun++]);
}

/* Waits a moment for the first that runs, and looks at all. */
static void
poll_items (Put *put)
{
  gint64 timeout = DRAW_INTERVAL;

  for (guint i = 0; i < put->n_begun; i++)
    {
      if (put->items[i].transfer == NULL)
        continue;
      if (cli_transfer_poll (put->items[i].transfer, timeout))
        end_item (put, &put->items[i]);
      timeout = 0;
    }
}

static void
draw (Put *put)
{
  CliProgressLine lines[MAX_FILES];
  char *notices[MAX_FILES];
  guint n = 0;

  if (!cli_progress_is_shown (put->progress))
    return;
  for (guint i = 0; i < put->n_begun; i++)
    if (put->items[i].transfer != NULL)
      {
        cli_transfer_get_progress (put->items[i].transfer, &lines[n], &notices[n]);
        n++;
      }
  cli_progress_draw (put->progress, lines, n);
  for (guint i = 0; i < n; i++)
    g_free (notices[i]);
}

static void
tell_progress (Put *put)
{
  gint64 now = g_get_monotonic_time ();

  if (put->tell != CLI_TELL_JSON || now < put->told_at + TELL_INTERVAL)
    return;
  put->told_at = now;
  for (guint i = 0; i < put->n_begun; i++)
    if (put->items[i].transfer != NULL)
      cli_transfer_tell_progress (put->items[i].transfer);
}

static void
cancel_items (Put *put)
{
  for (guint i = 0; i < put->n_begun; i++)
    if (put->items[i].transfer != NULL)
      cli_transfer_cancel (put->items[i].transfer);
}

static void
upload_items (Put *put)
{
  begin_some (put);
  while (put->n_ended < put->n_begun)
    {
      if (g_cancellable_is_cancelled (put->cli->cancellable))
        cancel_items (put);
      poll_items (put);
      begin_some (put);
      draw (put);
      tell_progress (put);
    }
  cli_progress_clear (put->progress);
}

/* The command's error: the first failure in the order of the command line. */
static gboolean
conclude (Put *put, GError **error)
{
  const Item *first = NULL;
  guint n_failed = put->n_items - put->n_begun;

  for (guint i = 0; i < put->n_begun; i++)
    if (put->items[i].failure != NULL)
      {
        first = first != NULL ? first : &put->items[i];
        n_failed++;
      }
  if (first == NULL && n_failed == 0)
    return TRUE;
  if (first == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Interrupted; %u of %u files not uploaded",
                 n_failed, put->n_items);
  else if (put->n_items == 1)
    {
      g_autofree char *shown = g_filename_display_name (first->path);

      g_propagate_prefixed_error (error, g_error_copy (first->failure), "%s: ", shown);
    }
  else
    g_propagate_error (error, box_error_new_with_details ((BoxErrorCode) first->failure->code,
                                                          box_error_get_details (first->failure),
                                                          "%u of %u files not uploaded", n_failed,
                                                          put->n_items));
  return FALSE;
}

static gboolean
check_options (guint n_files, GError **error)
{
  guint destinations = (options.session != NULL) + (options.file != NULL)
                       + (options.name != NULL || options.folder != NULL);

  if (destinations > 1)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Give one of --folder and --name, --file, or --session");
  else if (n_files > 1 && (options.session != NULL || options.file != NULL || options.name != NULL))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "--name, --file and --session go with one FILE");
  else if (options.files < 1 || options.files > MAX_FILES)
    g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "--files takes 1 to %d, not %d", MAX_FILES,
                 options.files);
  else
    return TRUE;
  return FALSE;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  Put put = { .cli = cli, .n_items = g_strv_length (arguments) };
  g_autoptr (CliProgress) progress = NULL;
  gboolean done;

  if (!check_options (put.n_items, error)
      || !cli_options_get_upload_settings (cli->options, &put.settings, error))
    return FALSE;
  progress = cli_progress_new (cli->options->json ? -1 : STDERR_FILENO);
  put.progress = progress;
  put.tell = cli_reporter_choose (cli->options->json, progress);
  put.items = g_new0 (Item, put.n_items);
  for (guint i = 0; i < put.n_items; i++)
    put.items[i].path = arguments[i];

  upload_items (&put);
  done = conclude (&put, error);
  for (guint i = 0; i < put.n_items; i++)
    g_clear_error (&put.items[i].failure);
  g_free (put.items);
  return done;
}

const CliCommand cli_command_put = {
  .name = "put",
  .arguments = "FILE…",
  .summary = "Upload finished recordings",
  .description = "Uploads each FILE in parts (below 20,000,000 bytes in one request), verifies\n"
                 "size and SHA-1 of what Box has, and prints a line for each. A file that fails\n"
                 "does not stop the others. On a terminal a bar for each file shows how far it\n"
                 "is.\n"
                 "\n"
                 "An upload that is interrupted keeps its session, and the command to go on with\n"
                 "it is printed.\n"
                 "\n"
                 "With --json: JSON Lines, each with event and path:\n"
                 "  session   session_id, part_size, total_parts, parts_processed, expires_at,\n"
                 "            size\n"
                 "  part      part_id, offset, size, sha1, attempts, adopted\n"
                 "  progress  bytes_uploaded, bytes_sent, bytes_total, parts_uploaded,\n"
                 "            parts_total, parts_in_flight, retries, rate (bytes a second);\n"
                 "            every second\n"
                 "  retry     request, offset, attempt, delay_ms, reason\n"
                 "  outage    over, reason\n"
                 "  commit    nothing more\n"
                 "  complete  session_id, file_id, version_id, name, size, sha1, etag\n"
                 "  failed    session_id, error\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload put recording.mp4\n"
                 "  boxupload put --folder 1234 --if-exists rename *.mp4\n"
                 "  boxupload put --file 5678 talk.mkv\n"
                 "  boxupload put --session $SESSION recording.mp4\n",
  .flags = CLI_COMMAND_CONNECTS | CLI_COMMAND_TRANSFERS | CLI_COMMAND_UPLOADS,
  .entries = entries,
  .min_arguments = 1,
  .max_arguments = G_MAXUINT,
  .run = run,
};

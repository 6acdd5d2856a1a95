/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload put: uploads finished recordings, a few at a time; a file that fails does not stop the
 * others. Standard input is recorded in the spool first.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/job.h"
#include "cli/output.h"

#include <sys/stat.h>
#include <unistd.h>

#include "spool/recording.h"
#include "spool/spool.h"

static struct
{
  CliPlace place;
  char *name;
  char *file;
  char *session;
  char *spool_dir;
  char *total_size;
  char *unknown_size;
  gboolean recursive;
  int files;
} options = { .files = CLI_JOBS_DEFAULT };

static const GOptionEntry entries[] = {
  CLI_PLACE_ENTRIES (options.place),
  { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
    "Name at Box (default: as the local file; for one FILE)", "NAME" },
  { "file", 0, 0, G_OPTION_ARG_STRING, &options.file,
    "Make a new version of this file (for one FILE)", "ID" },
  { "session", 0, 0, G_OPTION_ARG_STRING, &options.session,
    "Continue this session and keep its parts (for one FILE)", "ID" },
  { "recursive", 'r', 0, G_OPTION_ARG_NONE, &options.recursive,
    "Upload directories: FILE may be one, and becomes a folder", NULL },
  { "spool-dir", 0, 0, G_OPTION_ARG_FILENAME, &options.spool_dir,
    "Spool that standard input is recorded in (default: as of boxupload spool)", "DIR" },
  { "total-size", 0, 0, G_OPTION_ARG_STRING, &options.total_size,
    "Size of standard input: it is sent while it is read, without the spool", "SIZE" },
  { "unknown-size", 0, 0, G_OPTION_ARG_STRING, &options.unknown_size,
    "Way of standard input: spool (default: sent at its end), live, ahead (while it comes)",
    "HOW" },
  { "files", 0, 0, G_OPTION_ARG_INT, &options.files, "Files at the same time (default: 2)", "N" },
  { NULL },
};

/* One FILE of the command line, or of a directory there. */
typedef struct
{
  char *path;
  char **folders;     /* nullable: names of the folders below the destination's that it goes to */
  GError *unreadable; /* nullable: why it is not uploaded at all */
  gboolean input;     /* standard input, */
  gboolean stream;    /* which is no regular file */
  gboolean ended;
  GError *failure; /* NULL: not ended, or done */
} Item;

/* The whole command. */
typedef struct
{
  Cli *cli;
  BoxUploadSettings settings;
  CliJobs *jobs;
  GPtrArray *items; /* of Item */
} Put;

static void
item_free (Item *item)
{
  g_free (item->path);
  g_strfreev (item->folders);
  g_clear_error (&item->unreadable);
  g_clear_error (&item->failure);
  g_free (item);
}

static BoxDestination *
get_destination (const Item *item, GError **error)
{
  g_autofree char *base = g_path_get_basename (item->path);

  if (options.session != NULL)
    return box_destination_new_session (options.session, error);
  if (options.file != NULL)
    return box_destination_new_file (options.file, error);
  if (options.name != NULL)
    return cli_options_new_destination (&options.place, options.name, error);
  if (g_utf8_validate (base, -1, NULL))
    return cli_options_new_destination_below (&options.place, item->folders, base, error);
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "The file's name is not UTF-8; give the name at Box with --name");
  return NULL;
}

/* Its name in the output. */
static const char *
get_label (const Item *item)
{
  return item->input && options.name != NULL ? options.name : item->path;
}

/* Whether the parts at Box can still be used. */
static gboolean
can_go_on (const GError *failure)
{
  return !g_error_matches (failure, BOX_ERROR, BOX_ERROR_INTEGRITY)
         && !g_error_matches (failure, BOX_ERROR, BOX_ERROR_SIZE)
         && !g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE);
}

/* How to go on, where a session is left: with the options that were given, as it can be pasted. */
static void
hint_session (const Put *put, const Item *item, const char *session_id)
{
  g_autofree char *path = g_shell_quote (item->path);
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *connection = cli_options_format_connection (put->cli->options);
  g_autofree char *transfer = cli_options_format_transfer (put->cli->options);

  if (session_id == NULL || g_error_matches (item->failure, BOX_ERROR, BOX_ERROR_SESSION_GONE)
      || (options.session == NULL && put->settings.on_error == BOX_ON_ERROR_ABORT
          && !g_error_matches (item->failure, BOX_ERROR, BOX_ERROR_CANCELLED)))
    return;
  if (can_go_on (item->failure))
    cli_complain ("The parts that are at Box stay there. To go on:  "
                  "boxupload put --session %s%s%s %s%s",
                  session_id, connection, transfer, item->path[0] == '-' ? "-- " : "", shown);
  cli_complain ("To discard them:  boxupload abort %s%s", session_id, connection);
}

/* What was read of standard input can be uploaded later. */
static void
hint_recording (const Put *put, const char *path)
{
  g_autofree char *connection = cli_options_format_connection (put->cli->options);
  g_autofree char *name = box_recording_dup_name (path);
  g_autofree char *spool = box_spool_format_option_for (path);

  cli_complain ("What was read is in the spool. To upload it:  boxupload resume%s --only %s%s",
                spool, name, connection);
}

/* Printed now only if other files follow: main() prints the program's last error. */
static void
on_ended (CliJob *job, const GError *failure, gpointer user_data)
{
  Put *put = user_data;
  Item *item = job->owner;
  g_autofree char *session_id = cli_reporter_dup_session_id (job->reporter);

  item->ended = TRUE;
  if (failure == NULL)
    return;
  item->failure = g_error_copy (failure);
  if (put->cli->options->json || put->items->len > 1)
    cli_job_tell_failure (job, failure, 0);
  if (put->cli->options->json)
    put->cli->told = TRUE;
  else if (item->stream && cli_job_get_kept (job) != NULL)
    hint_recording (put, cli_job_get_kept (job));
  else
    hint_session (put, item, session_id);
}

/* With a known size it is sent as it comes, unless a spool was asked for. */
static void
start_stream (Put *put, CliJob *job, const BoxDestination *destination, GError **error)
{
  const char *dir = options.spool_dir;
  BoxUploadSettings settings = put->settings;
  g_autoptr (BoxSpool) spool = NULL;
  CliUnknownSize how;

  if (!cli_options_parse_unknown_size (options.unknown_size, &how, error)
      || !cli_options_parse_size (options.total_size, "--total-size", &settings.size, error))
    return;
  if (options.total_size != NULL && settings.size == 0)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "--total-size is at least 1; leave it out if the size is not known");
      return;
    }
  if (settings.size == 0 || dir != NULL)
    {
      spool = box_spool_open (dir, 0, error);
      if (spool == NULL)
        return;
    }
  cli_job_start_stream (job, put->cli, spool, how, destination, &settings, error);
}

static void
begin_item (Put *put, Item *item)
{
  GError *error = g_steal_pointer (&item->unreadable);
  g_autoptr (BoxDestination) destination = error == NULL ? get_destination (item, &error) : NULL;
  CliTell tell = cli_jobs_get_tell (put->jobs);
  CliJob *job = item->stream ? cli_job_new_stream (STDIN_FILENO, get_label (item), tell)
                             : cli_job_new_file (item->path, tell);

  job->owner = item;
  if (item->input)
    {
      g_free (job->name);
      job->name = box_text_escape (get_label (item));
    }
  if (destination != NULL && item->stream)
    start_stream (put, job, destination, &error);
  else if (destination != NULL)
    cli_job_start_file (job, put->cli, destination, &put->settings,
                        cli_options_skips_same (put->cli->options), &error);
  cli_jobs_add (put->jobs, job, error);
}

static void
upload_items (Put *put)
{
  for (guint i = 0; i < put->items->len; i++)
    {
      while (!cli_jobs_has_room (put->jobs))
        cli_jobs_attend (put->jobs);
      if (g_cancellable_is_cancelled (put->cli->cancellable))
        break;
      begin_item (put, g_ptr_array_index (put->items, i));
    }
  cli_jobs_wait (put->jobs);
}

/* The command's error: the first failure in the order of the command line. */
static gboolean
conclude (Put *put, GError **error)
{
  const Item *first = NULL;
  guint n_failed = 0;

  for (guint i = 0; i < put->items->len; i++)
    {
      const Item *item = g_ptr_array_index (put->items, i);

      if (first == NULL && item->failure != NULL)
        first = item;
      n_failed += !item->ended || item->failure != NULL ? 1 : 0;
    }
  if (first == NULL && n_failed == 0)
    return TRUE;
  if (first == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Interrupted; %u of %u files not uploaded",
                 n_failed, put->items->len);
  else if (put->items->len == 1)
    {
      g_autofree char *shown = g_filename_display_name (get_label (first));

      g_propagate_prefixed_error (error, g_error_copy (first->failure), "%s: ", shown);
    }
  else
    g_propagate_error (error, box_error_new_with_details ((BoxErrorCode) first->failure->code,
                                                          box_error_get_details (first->failure),
                                                          "%u of %u files not uploaded", n_failed,
                                                          put->items->len));
  return FALSE;
}

static gboolean
check_options (guint n_files, gboolean skip, GError **error)
{
  guint destinations = (options.session != NULL) + (options.file != NULL)
                       + (options.name != NULL || cli_options_has_place (&options.place));

  if (destinations > 1)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Give one of --folder, --folder-path and --name, --file, or --session");
  else if (skip && (options.session != NULL || options.file != NULL))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "--if-exists skip is about names; it goes without --file and --session");
  else if ((n_files > 1 || options.recursive)
           && (options.session != NULL || options.file != NULL || options.name != NULL))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "--name, --file and --session go with one FILE, which is no directory");
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_input (char **arguments, gboolean skip, GError **error)
{
  gboolean has_input = g_strv_contains ((const char *const *) arguments, CLI_INPUT_ARGUMENT);

  if (!has_input
      && (options.total_size != NULL || options.spool_dir != NULL || options.unknown_size != NULL))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "--total-size, --unknown-size and --spool-dir are for standard input (-)");
  else if (options.total_size != NULL && options.unknown_size != NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Give one of --total-size and --unknown-size");
  else if (has_input && arguments[1] != NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Standard input (-) goes without other files");
  else if (has_input && options.name == NULL && options.file == NULL && options.session == NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Standard input has no name: give --name NAME, or --file ID");
  else if (has_input && options.session != NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Standard input does not continue a session; send its parts with "
                         "boxupload part");
  else if (has_input && skip)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Standard input cannot be compared: --if-exists skip is for files");
  else if (has_input && isatty (STDIN_FILENO))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Standard input is a terminal; connect it to a file or a program");
  else
    return TRUE;
  return FALSE;
}

/* Standard input that is a whole regular file is uploaded as one. An empty one is read like a pipe,
 * and makes no file either. */
static void
init_input (Item *item)
{
  struct stat status;

  item->input = TRUE;
  if (options.total_size == NULL && options.unknown_size == NULL
      && fstat (STDIN_FILENO, &status) == 0 && S_ISREG (status.st_mode) && status.st_size > 0
      && lseek (STDIN_FILENO, 0, SEEK_CUR) == 0)
    {
      g_free (item->path);
      item->path = g_strdup ("/dev/stdin");
    }
  else
    item->stream = TRUE;
}

/* What an argument stands for: a file, or the files of a directory. */
static void
add_argument (Put *put, const char *argument)
{
  g_autoptr (GPtrArray) files = NULL;
  Item *item;

  if (options.recursive && g_file_test (argument, G_FILE_TEST_IS_DIR))
    files = cli_tree_list (argument);
  for (guint i = 0; files != NULL && i < files->len; i++)
    {
      CliTreeFile *file = g_ptr_array_index (files, i);

      item = g_new0 (Item, 1);
      item->path = g_steal_pointer (&file->path);
      item->folders = g_steal_pointer (&file->folders);
      item->unreadable = g_steal_pointer (&file->failure);
      g_ptr_array_add (put->items, item);
    }
  if (files != NULL)
    return;
  item = g_new0 (Item, 1);
  item->path = g_strdup (argument);
  if (g_str_equal (argument, CLI_INPUT_ARGUMENT))
    init_input (item);
  else if (g_file_test (argument, G_FILE_TEST_IS_DIR))
    item->unreadable =
        g_error_new_literal (BOX_ERROR, BOX_ERROR_STORAGE,
                             "This is a directory; name the files in it, or use --recursive");
  g_ptr_array_add (put->items, item);
}

/* Before anything is sent. */
static void
warn_of_room (const Put *put)
{
  guint64 largest = 0, total = 0;

  for (guint i = 0; i < put->items->len; i++)
    {
      const Item *item = g_ptr_array_index (put->items, i);
      struct stat status;

      if (stat (item->path, &status) != 0 || !S_ISREG (status.st_mode))
        continue;
      largest = MAX (largest, (guint64) status.st_size);
      total += (guint64) status.st_size;
    }
  cli_place_warn_of_room (put->cli, largest, total);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  Put put = { .cli = cli };
  g_autoptr (CliJobs) jobs = NULL;
  g_autoptr (GPtrArray) items = NULL;
  gboolean skip = cli_options_skips_same (cli->options);

  if (!check_options (g_strv_length (arguments), skip, error)
      || !check_input (arguments, skip, error)
      || !cli_options_get_upload_settings (cli->options, &put.settings, error))
    return FALSE;
  put.items = items = g_ptr_array_new_with_free_func ((GDestroyNotify) item_free);
  jobs = put.jobs = cli_jobs_new (cli, options.files, on_ended, &put, error);
  if (jobs == NULL)
    return FALSE;
  for (char **argument = arguments; *argument != NULL; argument++)
    add_argument (&put, *argument);
  warn_of_room (&put);
  upload_items (&put);
  return conclude (&put, error);
}

const CliCommand cli_command_put = {
  .name = "put",
  .arguments = "FILE…",
  .summary = "Upload finished recordings",
  .description =
      "Uploads each FILE in parts (below 20,000,000 bytes in one request), verifies\n"
      "size and SHA-1 of the file at Box, and prints a line for each. A file that\n"
      "fails does not stop the others. On a terminal, a bar shows the progress of\n"
      "each file.\n"
      "\n"
      "FILE may be -, standard input: it needs --name, is recorded in the spool while\n"
      "it comes, and uploaded at its end. If that fails, it stays in the spool, and\n"
      "boxupload resume uploads it. With --total-size it is sent while it is read. The\n"
      "first Ctrl-C ends the reading: what the program in front still writes (for at\n"
      "most 10 s) is taken, and uploaded. With --unknown-size live, one request carries it\n"
      "while it comes; if that breaks, it is uploaded at its end. With ahead, parts leave\n"
      "while it comes, if Box finds them again (docs/ahead.md).\n"
      "\n"
      "An interrupted upload keeps its session and prints the command that continues\n"
      "it.\n"
      "\n"
      "With --json: JSON Lines, each with event and path:\n"
      "  session   session_id, part_size, total_parts, parts_processed, expires_at,\n"
      "            size\n"
      "  part      part_id, offset, size, sha1, attempts, adopted\n"
      "  progress  bytes_uploaded, bytes_sent, bytes_total, parts_uploaded,\n"
      "            parts_total, parts_in_flight, parts_waiting (for their answer),\n"
      "            parallel (parts that may be sent at a time now), retries,\n"
      "            rate (bytes a second); every second\n"
      "  retry     request, offset, attempt, delay_ms, reason\n"
      "  outage    over, reason\n"
      "  commit    nothing more\n"
      "  spooled   recording, size, reason, interrupted: standard input is in the spool\n"
      "  room      limit, reason: it may be too much for the account\n"
      "  complete  session_id, file_id, version_id, name, size, sha1, etag, link\n"
      "  failed    session_id, error\n"
      "\n"
      "Examples:\n"
      "  boxupload put recording.mp4\n"
      "  boxupload put --folder 1234 --if-exists rename *.mp4\n"
      "  boxupload put --folder-path 'Archive/2026/Camera 3' clip.mp4\n"
      "  boxupload put --file 5678 talk.mkv\n"
      "  boxupload put --session $SESSION recording.mp4\n"
      "  ffmpeg -re -i … -f mpegts - | boxupload put - --name live.ts\n",
  .flags = CLI_COMMAND_CONNECTS | CLI_COMMAND_TRANSFERS | CLI_COMMAND_UPLOADS,
  .entries = entries,
  .min_arguments = 1,
  .max_arguments = G_MAXUINT,
  .run = run,
};

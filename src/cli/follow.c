/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload follow: uploads a file while another program writes it, or each file that comes into a
 * directory.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/account.h"
#include "cli/job.h"

/* A directory is read this often. Microseconds. */
#define SCAN_INTERVAL G_USEC_PER_SEC

static struct
{
  CliPlace place;
  char *name;
  char *file;
  char *until_file;
  char *expected_size;
  int until_idle;
  gboolean existing;
  gboolean no_ahead;
  int files;
} options = { .files = CLI_JOBS_MAX };

static const GOptionEntry entries[] = {
  CLI_PLACE_ENTRIES (options.place),
  { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
    "Name at Box (default: that of the finished file)", "NAME" },
  { "file", 0, 0, G_OPTION_ARG_STRING, &options.file, "Make a new version of this file", "ID" },
  { "until-idle", 0, 0, G_OPTION_ARG_INT, &options.until_idle,
    "A file is finished when it has not changed for this time", "SECONDS" },
  { "until-file", 0, 0, G_OPTION_ARG_FILENAME, &options.until_file,
    "Files are finished, and the command ends, when this file exists", "PATH" },
  { "expected-size", 0, 0, G_OPTION_ARG_STRING, &options.expected_size,
    "Size that a file may reach, for parts that leave early (default: 1 GiB)", "SIZE" },
  { "no-ahead", 0, 0, G_OPTION_ARG_NONE, &options.no_ahead,
    "Send nothing before a file is finished", NULL },
  { "existing", 0, 0, G_OPTION_ARG_NONE, &options.existing,
    "Also upload the files that are in the directory already", NULL },
  { "files", 0, 0, G_OPTION_ARG_INT, &options.files, "Files at the same time (default: 16)", "N" },
  { NULL },
};

/* A file of the directory, by its inode. */
typedef struct
{
  struct stat last; /* when it was looked at, or uploaded */
  gboolean running;
} Seen;

typedef struct
{
  Cli *cli;
  BoxUploadSettings settings;
  CliFollowRules rules;
  CliJobs *jobs;
  const char *dir;  /* NULL: one file */
  GHashTable *seen; /* inode → Seen */
  gint64 scan_at;   /* monotonic */
  guint n_done;
  guint n_failed;
  GError *failure; /* the first; nullable */
} Follow;

static BoxDestination *
find_destination (const char *path, GError **error)
{
  g_autofree char *base = g_path_get_basename (path);

  if (options.file != NULL)
    return box_destination_new_file (options.file, error);
  if (options.name != NULL || g_utf8_validate (base, -1, NULL))
    return cli_options_new_destination (&options.place, options.name != NULL ? options.name : base,
                                        error);
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "The file's name is not UTF-8; give the name at Box with --name");
  return NULL;
}

/* ---- jobs ---- */

static void
on_ended (CliJob *job, const GError *failure, gpointer user_data)
{
  Follow *follow = user_data;
  Seen *seen = job->owner;

  if (seen != NULL)
    seen->running = FALSE;
  if (failure == NULL)
    {
      follow->n_done++;
      return;
    }
  follow->n_failed++;
  if (follow->failure == NULL)
    follow->failure = g_error_copy (failure);
  if (follow->cli->options->json || follow->dir != NULL)
    cli_job_tell_failure (job, failure, 0);
  follow->cli->told |= follow->cli->options->json;
}

static void
begin_file (Follow *follow, const char *path, Seen *seen)
{
  CliJob *job = cli_job_new_file (path, cli_jobs_get_tell (follow->jobs));
  GError *error = NULL;

  job->owner = seen;
  if (seen != NULL)
    seen->running = TRUE;
  cli_job_start_follow (job, follow->cli, &follow->rules, find_destination, &follow->settings,
                        cli_options_skips_same (follow->cli->options), &error);
  cli_jobs_add (follow->jobs, job, error);
}

/* ---- a directory ---- */

static gboolean
is_over (void)
{
  return options.until_file != NULL && g_file_test (options.until_file, G_FILE_TEST_EXISTS);
}

/* Whether somebody still writes @path; if that cannot be known, whether it has changed lately. */
static gboolean
is_being_written (const char *path, const struct stat *status)
{
  int fd = TEMP_FAILURE_RETRY (open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  gboolean known = FALSE, written = FALSE;

  if (fd >= 0)
    {
      written = cli_follower_has_writer (fd, &known);
      close (fd);
    }
  return known ? written
               : g_get_real_time () / G_USEC_PER_SEC - status->st_mtim.tv_sec
                     < MAX (options.until_idle, 10);
}

static gint64 *
key_new (guint64 inode)
{
  return g_memdup2 (&inode, sizeof inode);
}

/* What is new in @status since it was seen; NULL: nothing. @first: what is there has been there
 * before the command began. */
static Seen *
find_news (Follow *follow, const char *path, const struct stat *status, gboolean first)
{
  guint64 inode = status->st_ino;
  Seen *seen = g_hash_table_lookup (follow->seen, &inode);
  gboolean changed = seen == NULL || seen->last.st_size != status->st_size
                     || seen->last.st_mtim.tv_sec != status->st_mtim.tv_sec
                     || seen->last.st_mtim.tv_nsec != status->st_mtim.tv_nsec;

  if (seen == NULL)
    {
      seen = g_new0 (Seen, 1);
      g_hash_table_insert (follow->seen, key_new (inode), seen);
    }
  seen->last = *status;
  if (!changed || seen->running)
    return NULL;
  if (first && !options.existing && !is_being_written (path, status))
    return NULL;
  return seen;
}

/* Hidden files are those that programs have not made ready. */
static void
look_at (Follow *follow, const char *name, gboolean first)
{
  g_autofree char *path = g_build_filename (follow->dir, name, NULL);
  struct stat status;
  Seen *seen;

  if (name[0] == '.' || lstat (path, &status) < 0 || !S_ISREG (status.st_mode)
      || !cli_jobs_has_room (follow->jobs)
      || (options.until_file != NULL && g_str_equal (path, options.until_file)))
    return;
  seen = find_news (follow, path, &status, first);
  if (seen != NULL)
    begin_file (follow, path, seen);
}

static gboolean
scan (Follow *follow, gboolean first, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GDir) dir = g_dir_open (follow->dir, 0, &local);
  const char *name;

  if (dir == NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The directory cannot be read: %s",
                   local->message);
      return FALSE;
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    look_at (follow, name, first);
  return TRUE;
}

static gboolean
follow_directory (Follow *follow, GError **error)
{
  gboolean first = TRUE, over = FALSE, good = TRUE;

  while (good && !over && !g_cancellable_is_cancelled (follow->cli->cancellable))
    {
      if (g_get_monotonic_time () >= follow->scan_at)
        {
          over = is_over ();
          good = scan (follow, first, error);
          first = FALSE;
          follow->scan_at = g_get_monotonic_time () + SCAN_INTERVAL;
        }
      if (cli_jobs_count_running (follow->jobs) > 0)
        cli_jobs_attend (follow->jobs);
      else
        g_usleep (SCAN_INTERVAL / 10);
    }
  cli_jobs_wait (follow->jobs);
  return good;
}

/* ---- the command ---- */

static gboolean
check_options (gboolean is_dir, GError **error)
{
  if (options.file != NULL && (options.name != NULL || cli_options_has_place (&options.place)))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Give one of --folder, --folder-path and --name, or --file");
  else if (is_dir && (options.file != NULL || options.name != NULL))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "--name and --file go with a FILE, not with a directory");
  else if (!is_dir && options.existing)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS, "--existing goes with a directory");
  else if (options.until_idle < 0)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "--until-idle takes seconds, which are not negative");
  else
    return TRUE;
  return FALSE;
}

static gboolean
conclude (Follow *follow, const char *path, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);

  if (follow->failure == NULL)
    return TRUE;
  if (follow->dir == NULL)
    g_propagate_prefixed_error (error, g_steal_pointer (&follow->failure), "%s: ", shown);
  else
    g_propagate_error (error,
                       box_error_new_with_details ((BoxErrorCode) follow->failure->code,
                                                   box_error_get_details (follow->failure),
                                                   "%u of %u files not uploaded", follow->n_failed,
                                                   follow->n_failed + follow->n_done));
  return FALSE;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  const char *path = arguments[0];
  gboolean is_dir = g_file_test (path, G_FILE_TEST_IS_DIR);
  Follow follow = { .cli = cli, .dir = is_dir ? path : NULL };
  g_autofree char *account_file = box_account_default_path ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  g_autoptr (CliJobs) jobs = NULL;
  gboolean good = TRUE;

  if (!check_options (is_dir, error)
      || !cli_options_get_upload_settings (cli->options, &follow.settings, error)
      || !cli_options_parse_size (options.expected_size, "--expected-size",
                                  &follow.rules.expected_size, error))
    return FALSE;
  follow.rules.until_idle = (guint) options.until_idle;
  follow.rules.until_file = options.until_file;
  follow.rules.account_file = account_file;
  follow.rules.no_ahead = options.no_ahead;
  follow.seen = seen;
  jobs = follow.jobs = cli_jobs_new (cli, options.files, on_ended, &follow, error);
  if (jobs == NULL)
    return FALSE;
  /* What the kernel sends when somebody opens a file for which a lease is held. */
  signal (SIGIO, SIG_IGN);
  if (is_dir)
    good = follow_directory (&follow, error);
  else
    {
      begin_file (&follow, path, NULL);
      cli_jobs_wait (jobs);
    }
  if (good)
    good = conclude (&follow, path, error);
  g_clear_error (&follow.failure);
  return good;
}

const CliCommand cli_command_follow = {
  .name = "follow",
  .arguments = "FILE|DIR",
  .summary = "Upload a file while another program writes it",
  .description =
      "Follows FILE, which may not be there yet, until no program has it open for\n"
      "writing, and uploads it. Full parts leave while it grows, if Box finds them\n"
      "again afterwards (docs/ahead.md). Parts that are written again, such as a header\n"
      "at the end, are sent again: the file at Box is the file on disk. A file that is\n"
      "renamed has its last name.\n"
      "\n"
      "In a directory, each new file is followed, and each that is being written; other\n"
      "files, hidden ones and directories are not. It ends by a signal or --until-file.\n"
      "\n"
      "With --json: as put, and\n"
      "  finished  size, bytes_ahead: no more is written\n"
      "  ahead     bytes_ahead, bytes_again: sent before its end, and again after it\n"
      "\n"
      "Examples:\n"
      "  boxupload follow recording.mkv\n"
      "  boxupload follow recording.mxf --until-idle 30 --folder-path Archive/2026\n"
      "  boxupload follow /var/recordings --folder 1234 --if-exists rename\n",
  .flags = CLI_COMMAND_CONNECTS | CLI_COMMAND_TRANSFERS | CLI_COMMAND_UPLOADS,
  .entries = entries,
  .min_arguments = 1,
  .max_arguments = 1,
  .run = run,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload spool: the recordings that Box does not have yet: their list, a copy, their removal.
 */
#include "base/fileio.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "spool/recording.h"

#include <stdio.h>
#include <unistd.h>

static struct
{
  gboolean force;
} options;

static const GOptionEntry entries[] = {
  { "force", 0, 0, G_OPTION_ARG_NONE, &options.force,
    "rm: do not ask; export: replace an existing file", NULL },
  { NULL },
};

/* Bytes that Box has acknowledged of it. */
static guint64
count_bytes_at_box (const BoxSpoolEntry *spooled)
{
  if (spooled->state->file != NULL)
    return spooled->size;
  return MIN (box_part_sum (spooled->state->parts), spooled->size);
}

/* Where it goes, for people; free with g_free(). */
static char *
format_destination (const BoxSpoolEntry *spooled)
{
  const BoxDestination *destination;
  g_autofree char *name = NULL, *folder = NULL, *shown = NULL;

  if (spooled->state->intent == NULL)
    return g_strdup ("-");
  destination = spooled->state->intent->destination;
  switch (destination->kind)
    {
    case BOX_DESTINATION_SESSION:
      return g_strdup_printf ("session %s", destination->session_id);
    case BOX_DESTINATION_FILE:
      return g_strdup_printf ("file %s", destination->file_id);
    case BOX_DESTINATION_FOLDER:
    default:
      name = box_text_escape (destination->name);
      folder = box_destination_describe_folder (destination);
      shown = box_text_escape (folder);
      return g_strdup_printf ("folder %s, “%s”", shown, name);
    }
}

static BoxCut
judge (const BoxSpoolEntry *spooled)
{
  const BoxRecordingIntent *intent = spooled->state->intent;

  return box_container_judge (spooled->data_path,
                              intent != NULL ? intent->destination->name : NULL);
}

static void
print_kept (const BoxSpoolEntry *spooled)
{
  g_autofree char *file = cli_format_file (spooled->state->file);

  cli_print ("  at Box as %s; it was cut short%s", file,
             judge (spooled) != BOX_CUT_PLAYS ? ", and may not play" : "");
}

/* Why it is not at Box yet. */
static void
print_failure (const BoxJournalState *state)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (state->failed_at);
  g_autofree char *when = time != NULL ? g_date_time_format (time, "%F %T") : NULL;
  g_autofree char *failure = box_text_escape (state->failure);

  cli_print ("  %s: %s", when, failure);
}

static void
print_text (const BoxSpoolEntry *spooled)
{
  g_autofree char *size = cli_format_bytes (spooled->size);
  g_autofree char *at_box = cli_format_bytes (count_bytes_at_box (spooled));
  g_autofree char *destination = format_destination (spooled);

  cli_print ("%s: %s, %s (%s at Box), to %s", spooled->name,
             box_spool_status_to_string (spooled->status), size, at_box, destination);
  if (spooled->problem != NULL)
    cli_print ("  %s", spooled->problem);
  if (spooled->status == BOX_SPOOL_KEPT)
    print_kept (spooled);
  else if (spooled->status == BOX_SPOOL_INTERRUPTED && judge (spooled) != BOX_CUT_PLAYS)
    cli_print ("  it was cut short, and may not play");
  if (spooled->status != BOX_SPOOL_KEPT && spooled->state->failure != NULL)
    print_failure (spooled->state);
}

static const char *
get_nick (BoxSpoolStatus status)
{
  static const char *const nicks[] = {
    [BOX_SPOOL_BUSY] = "busy",
    [BOX_SPOOL_COMPLETE] = "complete",
    [BOX_SPOOL_INTERRUPTED] = "interrupted",
    [BOX_SPOOL_COMMITTED] = "committed",
    [BOX_SPOOL_UNSETTLED] = "unsettled",
    [BOX_SPOOL_KEPT] = "kept",
    [BOX_SPOOL_UNREADABLE] = "unreadable",
  };

  return nicks[status];
}

static void
add_json (JsonBuilder *builder, const BoxSpoolEntry *spooled)
{
  g_autofree char *path = g_filename_display_name (spooled->data_path);
  const BoxRecordingIntent *intent = spooled->state->intent;

  json_builder_begin_object (builder);
  cli_json_add_string (builder, "name", spooled->name);
  cli_json_add_string (builder, "path", path);
  cli_json_add_string (builder, "status", get_nick (spooled->status));
  cli_json_add_uint (builder, "size", spooled->size);
  cli_json_add_uint (builder, "bytes_uploaded", count_bytes_at_box (spooled));
  if (intent != NULL)
    {
      const BoxDestination *destination = intent->destination;

      json_builder_set_member_name (builder, "destination");
      json_builder_begin_object (builder);
      cli_json_add_string (builder, "session_id", destination->session_id);
      cli_json_add_string (builder, "folder_id", destination->folder_id);
      cli_json_add_path (builder, destination->path);
      cli_json_add_string (builder, "name", destination->name);
      cli_json_add_string (builder, "file_id", destination->file_id);
      json_builder_end_object (builder);
    }
  if (spooled->status == BOX_SPOOL_INTERRUPTED || spooled->status == BOX_SPOOL_KEPT)
    cli_json_add_bool (builder, "may_not_play", judge (spooled) != BOX_CUT_PLAYS);
  if (spooled->state->file != NULL)
    cli_json_add_string (builder, "file_id", spooled->state->file->id);
  if (spooled->state->failure != NULL)
    cli_json_add_string (builder, "failure", spooled->state->failure);
  if (spooled->problem != NULL)
    cli_json_add_string (builder, "problem", spooled->problem);
  json_builder_end_object (builder);
}

static void
print_json (const char *path, guint64 used, GPtrArray *recordings)
{
  g_autoptr (JsonBuilder) builder = cli_json_new ();
  g_autofree char *shown = g_filename_display_name (path);

  cli_json_add_string (builder, "path", shown);
  cli_json_add_uint (builder, "bytes", used);
  json_builder_set_member_name (builder, "recordings");
  json_builder_begin_array (builder);
  for (guint i = 0; i < recordings->len; i++)
    add_json (builder, g_ptr_array_index (recordings, i));
  json_builder_end_array (builder);
  cli_json_print (builder);
}

static void
print_nothing (const char *path, gboolean there)
{
  g_autofree char *display = g_filename_display_name (path);
  g_autofree char *shown = box_text_escape (display);

  cli_print ("No recordings: %s %s", shown, there ? "is empty" : "is not there");
}

static gboolean
list (Cli *cli, BoxSpool *spool, const char *path, GError **error)
{
  g_autoptr (GPtrArray) recordings =
      spool != NULL ? box_spool_list (spool, error) : g_ptr_array_new ();

  if (recordings == NULL)
    return FALSE;
  if (cli->options->json)
    print_json (path, spool != NULL ? box_spool_get_used (spool) : 0, recordings);
  else if (recordings->len == 0)
    print_nothing (path, spool != NULL);
  else
    for (guint i = 0; i < recordings->len; i++)
      print_text (g_ptr_array_index (recordings, i));
  return TRUE;
}

/* --- export and rm: the owner takes a recording out of the spool, or removes it ------------- */

/* The recording @name in @spool (nullable: no spool exists). */
static BoxSpoolEntry *
find_entry (BoxSpool *spool, const char *name, GError **error)
{
  BoxSpoolEntry *entry = NULL;

  if (spool != NULL && strchr (name, '/') == NULL)
    entry = box_spool_look (spool, name);
  if (entry == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_NOT_FOUND,
                 "There is no recording %s; “boxupload spool” lists them", name);
  return entry;
}

/* The name of the file at Box, present or future; else the data file's name. Free with g_free(). */
static char *
get_file_name (const BoxSpoolEntry *entry)
{
  const BoxJournalState *state = entry->state;

  if (state->file != NULL && state->file->name != NULL)
    return g_path_get_basename (state->file->name);
  if (state->intent != NULL && state->intent->destination->name != NULL)
    return g_path_get_basename (state->intent->destination->name);
  return g_path_get_basename (entry->data_path);
}

/* Where the copy goes: @file, in @file if that is a directory, or here. */
static char *
get_target (const BoxSpoolEntry *entry, const char *file)
{
  g_autofree char *name = get_file_name (entry);

  if (file == NULL)
    return g_steal_pointer (&name);
  return g_file_test (file, G_FILE_TEST_IS_DIR) ? g_build_filename (file, name, NULL)
                                                : g_strdup (file);
}

/* Keeps others from finishing and removing it meanwhile. One that cannot be opened is not finished
 * by anybody. */
static gboolean
hold (const BoxSpoolEntry *entry, BoxRecording **recording, GError **error)
{
  g_autoptr (GError) local = NULL;

  *recording = box_recording_open (entry->journal_path, &local);
  if (*recording != NULL || entry->status == BOX_SPOOL_UNREADABLE)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* Copies the data of a recording, the first of @arguments, to the file or directory that follows,
 * or to the working directory. @spool: (nullable): there is no spool. @force: replaces an existing
 * file. */
static gboolean
export_data (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error)
{
  g_autoptr (BoxSpoolEntry) entry = find_entry (spool, arguments[0], error);
  g_autoptr (BoxRecording) recording = NULL;
  g_autofree char *target = NULL;
  g_autofree char *display = NULL;
  g_autofree char *shown = NULL;
  g_autofree char *bytes = NULL, *option = NULL;

  if (entry == NULL || !hold (entry, &recording, error))
    return FALSE;
  target = get_target (entry, arguments[1]);
  if (!box_fileio_copy (entry->data_path, target, force, error))
    return FALSE;
  display = g_filename_display_name (target);
  if (cli->options->json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_string (builder, "name", entry->name);
      cli_json_add_string (builder, "path", display);
      cli_json_add_uint (builder, "size", entry->size);
      cli_json_print (builder);
      return TRUE;
    }
  shown = box_text_escape (display);
  bytes = cli_format_bytes (entry->size);
  option = box_spool_format_option (box_spool_get_path (spool));
  cli_print ("%s: %s; the recording stays in the spool: “boxupload spool rm%s %s” removes it",
             shown, bytes, option, entry->name);
  return TRUE;
}

/* Until there is something to read at the terminal. FALSE: interrupted. */
static gboolean
wait_for_answer (GCancellable *cancellable, GError **error)
{
  GPollFD fds[] = { { .fd = STDIN_FILENO, .events = G_IO_IN }, { .fd = -1 } };
  guint n_fds = g_cancellable_make_pollfd (cancellable, &fds[1]) ? 2 : 1;

  while (g_poll (fds, n_fds, -1) < 0 && !g_cancellable_is_cancelled (cancellable))
    continue;
  if (n_fds == 2)
    g_cancellable_release_fd (cancellable);
  if (!g_cancellable_is_cancelled (cancellable))
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Interrupted; it was not removed");
  return FALSE;
}

/* @wanted: (out): whether the user, who is at a terminal, wants it gone. */
static gboolean
ask (Cli *cli, const BoxSpoolEntry *entry, gboolean *wanted, GError **error)
{
  g_autofree char *bytes = cli_format_bytes (entry->size);
  char answer[16] = "";

  fprintf (stderr, "Remove %s, %s, %s? [y/N] ", entry->name, bytes,
           entry->state->file != NULL ? "which Box has" : "which Box does not have");
  fflush (stderr);
  if (!wait_for_answer (cli->cancellable, error))
    return FALSE;
  *wanted = fgets (answer, sizeof answer, stdin) != NULL && g_ascii_tolower (answer[0]) == 'y';
  return TRUE;
}

static gboolean
remove_one (Cli *cli, BoxSpool *spool, const char *name, gboolean force, GError **error)
{
  g_autoptr (BoxSpoolEntry) entry = find_entry (spool, name, error);
  gboolean wanted = force;

  if (entry == NULL || (!force && !ask (cli, entry, &wanted, error))
      || (wanted && !box_spool_remove (spool, name, error)))
    return FALSE;
  if (cli->options->json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_string (builder, "name", name);
      cli_json_add_bool (builder, "removed", wanted);
      cli_json_print (builder);
    }
  else
    cli_print ("%s: %s", name, wanted ? "removed" : "not removed");
  return TRUE;
}

/* Removes the recordings @arguments, after a question. @force: without a question. */
static gboolean
remove_all (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error)
{
  if (!force && !isatty (STDIN_FILENO))
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "Nobody is here to be asked: to remove recordings say --force");
      return FALSE;
    }
  for (guint i = 0; arguments[i] != NULL; i++)
    if (!remove_one (cli, spool, arguments[i], force, error))
      return FALSE;
  return TRUE;
}

/* --- The command ---------------------------------------------------------------------------- */

/* The operation on the named recordings. */
static const struct
{
  const char *name;
  guint max_arguments;
  gboolean (*run) (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error);
} actions[] = {
  { "export", 2, export_data },
  { "rm", G_MAXUINT, remove_all },
};

/* The action that @arguments begin with, -1: none. */
static int
find_action (char **arguments)
{
  for (guint i = 0; arguments[0] != NULL && i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (arguments[0], actions[i].name))
      return (int) i;
  return -1;
}

static gboolean
check_arguments (int action, char **arguments, GError **error)
{
  guint n = g_strv_length (arguments);
  gboolean ok = action < 0 ? n <= 1 : n >= 2 && n - 1 <= actions[action].max_arguments;

  if (!ok)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Give boxupload spool [DIR], spool export RECORDING [FILE], or spool rm "
                         "RECORDING…; a directory of such a name is ./rm");
  return ok;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  int action = find_action (arguments);
  const char *dir = action < 0 ? arguments[0] : NULL;
  g_autoptr (BoxSpool) spool = NULL;
  g_autofree char *path = NULL;

  if (!check_arguments (action, arguments, error))
    return FALSE;
  path = cli_options_get_spool_dir (cli->options, dir, error);
  if (path == NULL || !cli_options_open_spool (cli->options, dir, path, &spool, error))
    return FALSE;
  return action < 0 ? list (cli, spool, path, error)
                    : actions[action].run (cli, spool, arguments + 1, options.force, error);
}

const CliCommand cli_command_spool = {
  .name = "spool",
  .arguments = "[DIR] | export RECORDING [FILE] | rm RECORDING…",
  .summary = "List the recordings that are not at Box yet",
  .description = "Lists the recordings in DIR (default: $XDG_STATE_HOME/boxupload/spool), oldest\n"
                 "first, each as\n"
                 "  in use       a running process writes or uploads it\n"
                 "  complete     its stream has ended\n"
                 "  interrupted  its recorder died\n"
                 "  committed    Box has it; it can be removed\n"
                 "  unsettled    Box has it; its metadata is missing there\n"
                 "  kept         Box has it; it was cut short, and stays\n"
                 "  unreadable   its journal is missing or damaged, or its data is missing\n"
                 "\n"
                 "export copies the data of a recording to FILE, into the directory FILE, or into\n"
                 "the current one under its name at Box; the recording stays. rm removes\n"
                 "recordings after a question; bytes that Box does not have are lost.\n"
                 "\n"
                 "With --json: one object with path, bytes and recordings: an array of objects\n"
                 "with name, path, status (busy, complete, interrupted, committed,\n"
                 "unsettled, kept, unreadable), size, bytes_uploaded, destination, may_not_play, "
                 "file_id, failure\n"
                 "(the last one) and problem; export: name, path, size; rm: an object for each\n"
                 "with name, removed.\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload spool\n"
                 "  boxupload spool /var/spool/recordings --json\n"
                 "  boxupload spool export 20260131-235959-0123abcd lost.mp4\n"
                 "  boxupload spool rm 20260131-235959-0123abcd\n",
  .flags = CLI_COMMAND_SPOOLS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = G_MAXUINT,
  .run = run,
};

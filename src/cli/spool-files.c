/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload spool export and rm: the owner takes a recording out of the spool, or removes it.
 */
#include "cli/spool-files.h"

#include "cli/output.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fileio.h"

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

gboolean
cli_spool_export (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error)
{
  g_autoptr (BoxSpoolEntry) entry = find_entry (spool, arguments[0], error);
  g_autoptr (BoxRecording) recording = NULL;
  g_autofree char *target = NULL;
  g_autofree char *display = NULL;
  g_autofree char *shown = NULL;
  g_autofree char *bytes = NULL;

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
  shown = cli_format_text (display);
  bytes = cli_format_bytes (entry->size);
  cli_print ("%s: %s; the recording stays in the spool: “boxupload spool rm %s” removes it", shown,
             bytes, entry->name);
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

gboolean
cli_spool_remove (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error)
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload create: opens an upload session and notes its size, so that "boxuploadsink session=ID"
 * needs no more.
 */
#include "cli/command.h"
#include "cli/output.h"

static struct
{
  char *size;
  char *name;
  char *folder;
  char *file;
  gboolean no_note;
} options;

static const GOptionEntry entries[] = {
  { "size", 's', 0, G_OPTION_ARG_STRING, &options.size,
    "Size of the file; a shorter stream is padded", "SIZE" },
  { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name, "Name of the new file", "NAME" },
  { "folder", 'f', 0, G_OPTION_ARG_STRING, &options.folder,
    "Folder of the new file (default: 0, the root)", "ID" },
  { "file", 0, 0, G_OPTION_ARG_STRING, &options.file,
    "Make a new version of this file instead of a new file", "ID" },
  { "no-note", 0, 0, G_OPTION_ARG_NONE, &options.no_note,
    "Do not save the size; the sink then needs total-size", NULL },
  { NULL },
};

typedef struct
{
  Cli *cli;
  const BoxDestination *destination;
  guint64 size;
  BoxSession *session; /* result */
} Creation;

static gboolean
create_session (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Creation *creation = user_data;

  creation->session =
      box_client_create_session (creation->cli->client, creation->cli->transport,
                                 creation->destination, creation->size, cancellable, error);
  return creation->session != NULL;
}

static BoxDestination *
get_destination (GError **error)
{
  if (options.file != NULL && (options.name != NULL || options.folder != NULL))
    g_set_error_literal (
        error, BOX_ERROR, BOX_ERROR_SETTINGS,
        "--file makes a new version of a file; it goes without --name and --folder");
  else if (options.file != NULL)
    return box_destination_new_file (options.file, error);
  else if (options.name == NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Give --name NAME for a new file, or --file ID for a new version of one");
  else
    return box_destination_new_folder (options.folder, options.name, error);
  return NULL;
}

/* A session that could not be noted is taken back: nobody would know of it. */
static gboolean
note_or_abort (Creation *creation, GError **error)
{
  if (options.no_note
      || box_note_save (creation->session, creation->size, creation->destination, error))
    return TRUE;
  g_prefix_error (error, "The session was given up (--no-note does without a note). ");
  box_client_abort (creation->cli->client, creation->cli->transport, creation->session,
                    creation->cli->cancellable, NULL);
  return FALSE;
}

/* Takes @failure; says how the file that has the name gets a new version. */
static void
propagate_with_hint (GError **error, GError *failure)
{
  g_autoptr (BoxFile) conflict = box_file_from_conflict (failure);

  if (conflict == NULL)
    {
      g_propagate_error (error, failure);
      return;
    }
  g_propagate_error (error, box_error_new_with_details (
                                (BoxErrorCode) failure->code, box_error_get_details (failure),
                                "Folder %s has a file named “%s”; choose another name, or make a "
                                "new version of that file with --file %s",
                                options.folder != NULL ? options.folder : "0", options.name,
                                conflict->id));
  g_error_free (failure);
}

static void
print_session (const Creation *creation)
{
  g_autoptr (JsonBuilder) builder = NULL;
  const BoxNote note = {
    .size = creation->size,
    .destination = (BoxDestination *) creation->destination,
  };

  if (!creation->cli->options->json)
    {
      cli_print ("%s", creation->session->id);
      return;
    }
  builder = cli_json_new ();
  cli_json_add_session (builder, creation->session);
  cli_json_add_note (builder, &note);
  cli_json_print (builder);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  Creation creation = { .cli = cli };
  g_autoptr (BoxDestination) destination = get_destination (error);
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (GError) local = NULL;

  if (destination == NULL
      || !cli_options_parse_size (options.size, "--size", &creation.size, error))
    return FALSE;
  if (creation.size == 0)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "Give --size SIZE, the bytes that the file may have");
      return FALSE;
    }
  creation.destination = destination;
  if (!cli_call (cli, create_session, &creation, CLI_CALL_RETRY_TIMEOUT, &local))
    {
      propagate_with_hint (error, g_steal_pointer (&local));
      return FALSE;
    }
  session = creation.session;
  if (!note_or_abort (&creation, error))
    return FALSE;
  print_session (&creation);
  return TRUE;
}

const CliCommand cli_command_create = {
  .name = "create",
  .arguments = "--size SIZE {--name NAME [--folder ID] | --file ID}",
  .summary = "Open an upload session for a file of at most SIZE bytes",
  .description =
      "Prints the session's ID, alone on a line, and saves the size in\n"
      "$XDG_STATE_HOME/boxupload/sessions/, where boxuploadsink finds it. The sink pads\n"
      "a stream that is shorter than SIZE, if its container allows it. A session lasts\n"
      "about 7 days; an unused session costs nothing. Box accepts sessions from\n"
      "20,000,000 bytes on.\n"
      "\n"
      "SIZE is a number of bytes, or has a unit: kB, MB, GB, TB (1000) or KiB, MiB,\n"
      "GiB, TiB, K, M, G, T (1024).\n"
      "\n"
      "With --json: one object with session_id, part_size, total_parts,\n"
      "parts_processed, expires_at, size, and folder_id and name, or file_id.\n"
      "\n"
      "Examples:\n"
      "  boxupload create --size 104857600 --name clip.mp4\n"
      "  boxupload create --size 4GiB --name live.mkv --folder 1234\n"
      "  boxupload create --size 4GiB --file 5678\n"
      "  gst-launch-1.0 … ! matroskamux ! boxuploadsink \\\n"
      "    session=$(boxupload create --size 4GiB --name live.mkv)\n",
  .flags = CLI_COMMAND_CONNECTS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = 0,
  .run = run,
};

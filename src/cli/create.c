/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload create: opens an upload session and notes its size, so that "boxuploadsink session=ID"
 * needs no more.
 */
#include "api/folder.h"
#include "cli/command.h"
#include "cli/output.h"

static struct
{
  char *size;
  char *name;
  CliPlace place;
  char *file;
  gboolean no_note;
} options;

static const GOptionEntry entries[] = {
  { "size", 's', 0, G_OPTION_ARG_STRING, &options.size,
    "Size of the file; a shorter stream is padded", "SIZE" },
  { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name, "Name of the new file", "NAME" },
  CLI_PLACE_ENTRIES (options.place),
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
  BoxDestination *place; /* where its path leads to; result */
  guint64 size;
  BoxSession *session; /* result */
} Creation;

static gboolean
create_session (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Creation *creation = user_data;
  Cli *cli = creation->cli;

  if (creation->place == NULL)
    creation->place =
        box_folder_path_resolve_destination (cli->client, cli->transport, creation->destination,
                                             !creation->destination->no_create, cancellable, error);
  if (creation->place == NULL)
    return FALSE;
  creation->session = box_client_create_session (cli->client, cli->transport, creation->place,
                                                 creation->size, cancellable, error);
  return creation->session != NULL;
}

static BoxDestination *
get_destination (GError **error)
{
  if (options.file != NULL && (options.name != NULL || cli_options_has_place (&options.place)))
    g_set_error_literal (
        error, BOX_ERROR, BOX_ERROR_SETTINGS,
        "--file makes a new version of a file; it goes without --name, --folder and --folder-path");
  else if (options.file != NULL)
    return box_destination_new_file (options.file, error);
  else if (options.name == NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                         "Give --name NAME for a new file, or --file ID for a new version of one");
  else
    return cli_options_new_destination (&options.place, options.name, error);
  return NULL;
}

/* A session that could not be noted is taken back: nobody would know of it. */
static gboolean
note_or_abort (Creation *creation, GError **error)
{
  if (options.no_note || box_note_save (creation->session, creation->size, creation->place, error))
    return TRUE;
  g_prefix_error (error, "The session was given up (--no-note does without a note). ");
  box_client_abort (creation->cli->client, creation->cli->transport, creation->session,
                    creation->cli->cancellable, NULL);
  return FALSE;
}

/* Takes @failure; says how the file that has the name gets a new version. */
static void
propagate_with_hint (GError **error, const BoxDestination *destination, GError *failure)
{
  g_autoptr (BoxFile) conflict = box_file_from_conflict (failure);
  g_autofree char *folder = NULL;

  if (conflict == NULL)
    {
      g_propagate_error (error, failure);
      return;
    }
  folder = box_destination_describe_folder (destination);
  g_propagate_error (error, box_error_new_with_details (
                                (BoxErrorCode) failure->code, box_error_get_details (failure),
                                "Folder %s has a file named “%s”; choose another name, or make a "
                                "new version of that file with --file %s",
                                folder, options.name, conflict->id));
  g_error_free (failure);
}

static void
print_session (const Creation *creation)
{
  g_autoptr (JsonBuilder) builder = NULL;
  const BoxNote note = {
    .size = creation->size,
    .destination = creation->place,
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
  g_autoptr (BoxDestination) place = NULL;
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
  cli_place_warn_of_room (cli, creation.size, creation.size);
  if (!cli_call (cli, create_session, &creation, CLI_CALL_RETRY_TIMEOUT, &local))
    {
      propagate_with_hint (error, destination, g_steal_pointer (&local));
      box_destination_free (creation.place);
      return FALSE;
    }
  session = creation.session;
  place = creation.place;
  if (!note_or_abort (&creation, error))
    return FALSE;
  print_session (&creation);
  return TRUE;
}

const CliCommand cli_command_create = {
  .name = "create",
  .arguments = "--size SIZE {--name NAME [--folder ID] [--folder-path PATH] | --file ID}",
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
      "  boxupload create --size 4GiB --name live.mkv --folder-path Archive/2026\n"
      "  boxupload create --size 4GiB --file 5678\n"
      "  gst-launch-1.0 … ! matroskamux ! boxuploadsink \\\n"
      "    session=$(boxupload create --size 4GiB --name live.mkv)\n",
  .flags = CLI_COMMAND_CONNECTS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = 0,
  .run = run,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload status: what Box and the note say of an upload session.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"

static void
print_expiry (GDateTime *expires_at)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *when = g_date_time_format_iso8601 (expires_at);
  gint64 left = g_date_time_difference (expires_at, now) / G_TIME_SPAN_SECOND;
  g_autofree char *in = cli_format_seconds ((guint64) MAX (left, 0));

  if (left > 0)
    cli_print ("expires    %s, in %s", when, in);
  else
    cli_print ("expires    %s, which is past", when);
}

static void
print_note (const BoxNote *note)
{
  const BoxDestination *destination = note->destination;
  g_autofree char *bytes = cli_format_bytes (note->size);

  if (destination->kind == BOX_DESTINATION_FILE)
    cli_print ("file       a new version of file %s", destination->file_id);
  else
    {
      g_autofree char *name = box_text_escape (destination->name);

      cli_print ("file       “%s” in folder %s", name, destination->folder_id);
    }
  cli_print ("size       %" G_GUINT64_FORMAT " bytes (%s)", note->size, bytes);
}

static void
print_text (const BoxSession *session, const BoxNote *note)
{
  cli_print ("session    %s", session->id);
  if (note != NULL)
    print_note (note);
  cli_print ("parts      %u of %u processed, %" G_GUINT64_FORMAT " bytes each",
             session->parts_processed, session->total_parts, session->part_size);
  if (session->expires_at != NULL)
    print_expiry (session->expires_at);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (BoxSession) session = cli_call_get_session (cli, arguments[0], error);
  g_autoptr (JsonBuilder) builder = NULL;
  g_autoptr (GError) note_error = NULL;
  g_autoptr (BoxNote) note = NULL;

  if (session == NULL)
    return FALSE;
  note = box_note_load (session->id, &note_error);
  if (note_error != NULL)
    cli_complain ("%s", note_error->message);
  if (!cli->options->json)
    {
      print_text (session, note);
      return TRUE;
    }
  builder = cli_json_new ();
  cli_json_add_session (builder, session);
  if (note != NULL)
    cli_json_add_note (builder, note);
  cli_json_print (builder);
  return TRUE;
}

const CliCommand cli_command_status = {
  .name = "status",
  .arguments = "SESSION",
  .summary = "Show an upload session",
  .description = "Shows the size of the session's parts, the number that Box has processed, and\n"
                 "the time when it expires. If this user created it with boxupload on this\n"
                 "machine, also shows its size and destination (Box does not report them).\n"
                 "\n"
                 "With --json: one object with session_id, part_size, total_parts,\n"
                 "parts_processed, expires_at, and, if they are known, size, folder_id and name,\n"
                 "or file_id.\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload status F971964745A5CD0C001BBE4E58196BFD\n"
                 "  boxupload status $SESSION --json | jq .parts_processed\n",
  .flags = CLI_COMMAND_CONNECTS,
  .min_arguments = 1,
  .max_arguments = 1,
  .run = run,
};

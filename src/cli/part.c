/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload part: sends one part to an upload session. Several processes and hosts may fill one
 * session this way. A part that Box has already is adopted if it has the same bytes.
 */
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"

/* Default --retry-timeout of a part, as of an upload. Seconds. */
#define PART_RETRY_TIMEOUT 600

static struct
{
  char *offset;
  char *total;
} options;

static const GOptionEntry entries[] = {
  { "offset", 'o', 0, G_OPTION_ARG_STRING, &options.offset,
    "Where in the file the part begins: a multiple of the session's part size", "N" },
  { "total", 't', 0, G_OPTION_ARG_STRING, &options.total,
    "Size of the whole file (default: as create saved it)", "SIZE" },
  { NULL },
};

/* One part on its way. */
typedef struct
{
  Cli *cli;
  const BoxSession *session;
  guint64 offset, total;
  guint64 length;
  guint8 *bytes; /* length */
  BoxSha1 sha1;
  gboolean unsure;       /* an attempt may have stored it */
  gboolean was_unsure;   /* or an earlier one */
  gboolean adopted;      /* it was at Box already */
  gboolean has_verified; /* its SHA-1 at Box is known to be ours */
  BoxPart *part;         /* result */
} Sending;

/* ---- what the part is ---- */

static gboolean
read_total (const char *session_id, guint64 *total, GError **error)
{
  g_autoptr (BoxNote) note = box_note_load (session_id, NULL);

  if (!cli_options_parse_size (options.total, "--total", total, error))
    return FALSE;
  if (options.total == NULL && note == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "Give --total SIZE, the size of the whole file: Box does not report it, "
                           "and the session was not created by this user on this machine");
      return FALSE;
    }
  if (options.total == NULL)
    *total = note->size;
  if (note == NULL || *total == note->size)
    return TRUE;
  g_set_error (error, CLI_PART_ERROR, CLI_EXIT_OTHER_TOTAL,
               "The session was created for a file of %" G_GUINT64_FORMAT
               " bytes, not of %" G_GUINT64_FORMAT,
               note->size, *total);
  return FALSE;
}

static gboolean
check_place (const BoxSession *session, guint64 offset, guint64 total, GError **error)
{
  guint64 before = offset - offset % session->part_size;

  if (total == 0 || !box_session_fits (session, total))
    g_set_error (error, CLI_PART_ERROR, CLI_EXIT_OTHER_TOTAL,
                 "A file of %" G_GUINT64_FORMAT " bytes does not make the session's %u parts "
                 "of %" G_GUINT64_FORMAT " bytes; give --total the size that the session was "
                 "created for",
                 total, session->total_parts, session->part_size);
  else if (offset >= total)
    g_set_error (error, CLI_PART_ERROR, CLI_EXIT_BEYOND_END,
                 "Offset %" G_GUINT64_FORMAT " is behind the end of a file of %" G_GUINT64_FORMAT
                 " bytes; its last part begins at %" G_GUINT64_FORMAT,
                 offset, total, (session->total_parts - 1) * session->part_size);
  else if (offset != before)
    g_set_error (error, CLI_PART_ERROR, CLI_EXIT_UNALIGNED,
                 "No part begins at %" G_GUINT64_FORMAT ": the session's parts begin at multiples "
                 "of %" G_GUINT64_FORMAT ", the one with this byte at %" G_GUINT64_FORMAT,
                 offset, session->part_size, before);
  else
    return TRUE;
  return FALSE;
}

/* ---- its bytes ---- */

/* The next bytes of @fd, and no more: a loop in a shell takes part after part. */
static gboolean
read_next (Sending *sending, int fd, const char *name, GError **error)
{
  guint64 got = 0;
  gsize n;

  while (got < sending->length)
    {
      if (!cli_input_read (fd, name, sending->bytes + got, sending->length - got, &n,
                           sending->cli->cancellable, error))
        return FALSE;
      if (n == 0)
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
                       "%s ends after %" G_GUINT64_FORMAT " bytes; the part at %" G_GUINT64_FORMAT
                       " has %" G_GUINT64_FORMAT,
                       name, got, sending->offset, sending->length);
          return FALSE;
        }
      got += n;
    }
  return TRUE;
}

/* From a file that is the part, or the whole file that the part belongs to. */
static gboolean
read_regular (Sending *sending, int fd, const char *name, guint64 size, GError **error)
{
  if (size == sending->length)
    return box_fileio_read (fd, name, 0, sending->bytes, sending->length, error);
  if (size == sending->total)
    return box_fileio_read (fd, name, sending->offset, sending->bytes, sending->length, error);
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "%s has %" G_GUINT64_FORMAT " bytes; the part at %" G_GUINT64_FORMAT
               " has %" G_GUINT64_FORMAT ", and the whole file %" G_GUINT64_FORMAT,
               name, size, sending->offset, sending->length, sending->total);
  return FALSE;
}

static gboolean
read_file (Sending *sending, const char *path, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  struct stat status;
  gboolean good;
  /* Non-blocking: opening a FIFO waits for its writer otherwise, and no signal ends that. */
  int fd = TEMP_FAILURE_RETRY (open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));

  if (fd < 0 || fstat (fd, &status) < 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "%s cannot be read: %s", shown,
                   g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return FALSE;
    }
  if (S_ISREG (status.st_mode))
    good = read_regular (sending, fd, shown, (guint64) status.st_size, error);
  else
    good = read_next (sending, fd, shown, error);
  close (fd);
  return good;
}

/* @path: nullable. */
static gboolean
read_bytes (Sending *sending, const char *path, GError **error)
{
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);

  sending->bytes = g_try_malloc (sending->length);
  if (sending->bytes == NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                   "There is no memory for a part of %" G_GUINT64_FORMAT " bytes", sending->length);
      return FALSE;
    }
  if (path != NULL && !g_str_equal (path, CLI_INPUT_ARGUMENT))
    {
      if (!read_file (sending, path, error))
        return FALSE;
    }
  else if (isatty (STDIN_FILENO))
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "Give FILE, or the part's bytes on standard input");
      return FALSE;
    }
  else if (!read_next (sending, STDIN_FILENO, CLI_INPUT_NAME, error))
    return FALSE;
  box_digest_update (digest, sending->bytes, sending->length);
  box_digest_finish (digest, &sending->sha1);
  return TRUE;
}

/* ---- sending it ---- */

/* The part in @sending's range among @parts; NULL: none. */
static BoxPart *
find_listed (const Sending *sending, GPtrArray *parts)
{
  for (guint i = 0; i < parts->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (parts, i);

      if (part->offset < sending->offset + sending->length
          && sending->offset < part->offset + part->size)
        return box_part_copy (part);
    }
  return NULL;
}

static BoxPart *
list_and_find (Sending *sending, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) parts = box_client_list_parts (
      sending->cli->client, sending->cli->transport, sending->session, NULL, cancellable, error);

  return parts != NULL ? find_listed (sending, parts) : NULL;
}

/* Box's lists and refusals name a part without its SHA-1. Then this machine may know it. */
static gboolean
find_sha1 (const Sending *sending, const BoxPart *stored, BoxSha1 *sha1)
{
  if (stored->has_sha1)
    *sha1 = stored->sha1;
  return stored->has_sha1 || box_note_find_part (sending->session->id, stored, sha1);
}

static gboolean
refuse_stored (const Sending *sending, const BoxPart *stored, const BoxSha1 *sha1, GError **error)
{
  g_autofree char *theirs = box_sha1_to_hex (sha1);
  g_autofree char *ours = box_sha1_to_hex (&sending->sha1);

  g_set_error (error, BOX_ERROR, BOX_ERROR_CONFLICT,
               "Box has other bytes at %" G_GUINT64_FORMAT
               ": part %s with SHA-1 %s, and this part has SHA-1 %s; a part cannot be replaced: "
               "if this one is right, abort the session and fill another",
               stored->offset, stored->id, theirs, ours);
  return FALSE;
}

/* Takes @stored, which is in our range, as the result if it may be ours. */
static gboolean
adopt (Sending *sending, BoxPart *stored, GError **error)
{
  g_autoptr (BoxPart) taken = stored;
  BoxSha1 sha1;

  if (taken->offset != sending->offset || taken->size != sending->length)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CONFLICT,
                   "The part at %" G_GUINT64_FORMAT " overlaps part %s, %" G_GUINT64_FORMAT
                   " bytes at %" G_GUINT64_FORMAT,
                   sending->offset, taken->id, taken->size, taken->offset);
      return FALSE;
    }
  sending->has_verified = find_sha1 (sending, taken, &sha1);
  if (sending->has_verified && !box_sha1_equal (&sha1, &sending->sha1))
    return refuse_stored (sending, taken, &sha1, error);
  sending->adopted = TRUE;
  sending->part = g_steal_pointer (&taken);
  return TRUE;
}

/* Box has refused the part because of what it has there, or because of the range. */
static gboolean
judge_conflict (Sending *sending, GError *refusal, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) taken = refusal;
  g_autoptr (GError) failure = NULL;
  BoxPart *stored = box_part_from_conflict (taken);

  if (stored == NULL)
    stored = list_and_find (sending, cancellable, &failure);
  if (stored != NULL)
    return adopt (sending, stored, error);
  g_propagate_error (error,
                     failure != NULL ? g_steal_pointer (&failure) : g_steal_pointer (&taken));
  return FALSE;
}

static BoxPart *
send_part (Sending *sending, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (sending->bytes, sending->length);
  BoxBody body;

  box_body_init_bytes (&body, bytes);
  return box_client_upload_part (sending->cli->client, sending->cli->transport, sending->session,
                                 sending->offset, sending->total, &sending->sha1, &body,
                                 cancellable, error);
}

/* One attempt, for cli_call(). */
static gboolean
attempt (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Sending *sending = user_data;
  g_autoptr (GError) failure = NULL;
  BoxPart *stored = NULL;

  if (sending->unsure)
    {
      stored = list_and_find (sending, cancellable, &failure);
      if (failure != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      sending->unsure = FALSE;
    }
  if (stored != NULL)
    return adopt (sending, stored, error);
  sending->part = send_part (sending, cancellable, &failure);
  if (sending->part != NULL)
    return TRUE;
  sending->unsure = box_error_get_details (failure)->unsure;
  sending->was_unsure |= sending->unsure;
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_CONFLICT))
    return judge_conflict (sending, g_steal_pointer (&failure), cancellable, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* ---- the command ---- */

/* Says what a refusal means here. Takes @failure. */
static void
propagate_refusal (const Sending *sending, GError **error, GError *failure)
{
  /* The offset and the length are those of a part: it must be the total. */
  if (box_error_get_details (failure)->http_status != 416
      || !g_error_matches (failure, BOX_ERROR, BOX_ERROR_SIZE))
    {
      g_propagate_error (error, failure);
      return;
    }
  g_set_error (error, CLI_PART_ERROR, CLI_EXIT_OTHER_TOTAL,
               "The session does not seem to be for a file of %" G_GUINT64_FORMAT " bytes: %s",
               sending->total, failure->message);
  g_error_free (failure);
}

/* Box forgets a session that was aborted. Elsewhere that is an ID which does not exist; here it is
 * a session that takes no more parts. */
static BoxSession *
get_session (Cli *cli, const char *session_id, GError **error)
{
  g_autoptr (GError) failure = NULL;
  BoxSession *session = cli_call_get_session (cli, session_id, &failure);

  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_NOT_FOUND)
      && box_error_get_details (failure)->http_status == 404)
    g_propagate_error (
        error, box_error_new_with_details (
                   BOX_ERROR_SESSION_GONE, box_error_get_details (failure),
                   "Box has no upload session %s: it was aborted, or the ID is wrong", session_id));
  else if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return session;
}

static void
print_part (const Sending *sending)
{
  g_autofree char *sha1 = box_sha1_to_hex (&sending->sha1);
  BoxPart part = *sending->part;

  /* A part that was adopted without knowing its SHA-1 is assumed to be this one, not known to. */
  part.has_sha1 = !sending->adopted || sending->has_verified;
  part.sha1 = sending->sha1;
  if (sending->cli->options->json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_part (builder, &part);
      cli_json_add_bool (builder, "adopted", sending->adopted);
      cli_json_print (builder);
      return;
    }
  cli_print ("part %s, %" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT ", sha1 %s%s", part.id,
             part.size, part.offset, part.has_sha1 ? sha1 : "-",
             sending->adopted ? ", was there already" : "");
}

static void
conclude (const Sending *sending)
{
  BoxPart part = *sending->part;

  part.has_sha1 = TRUE;
  part.sha1 = sending->sha1;
  if (!sending->adopted || sending->was_unsure)
    box_note_add_part (sending->session->id, &part);
  else if (!sending->has_verified)
    cli_complain ("Box has a part in this range already, and does not report its SHA-1: if its "
                  "bytes are others, the commit will fail");
  print_part (sending);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  Sending sending = { .cli = cli };
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (BoxPart) part = NULL;
  g_autofree guint8 *bytes = NULL;
  GError *failure = NULL;
  gboolean done;

  if (options.offset == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "Give --offset N, where in the file the part begins");
      return FALSE;
    }
  if (!cli_options_parse_size (options.offset, "--offset", &sending.offset, error)
      || !read_total (arguments[0], &sending.total, error))
    return FALSE;
  sending.session = session = get_session (cli, arguments[0], error);
  if (session == NULL || !check_place (session, sending.offset, sending.total, error))
    return FALSE;
  sending.length = MIN (session->part_size, sending.total - sending.offset);
  done = read_bytes (&sending, arguments[1], error);
  bytes = sending.bytes;
  if (!done)
    return FALSE;
  done = cli_call (cli, attempt, &sending, PART_RETRY_TIMEOUT, &failure);
  part = sending.part;
  if (done)
    conclude (&sending);
  else
    propagate_refusal (&sending, error, failure);
  return done;
}

const CliCommand cli_command_part = {
  .name = "part",
  .arguments = "SESSION --offset N --total SIZE [FILE]",
  .summary = "Send one part to an upload session",
  .description =
      "Sends the part of the file that begins at byte N, with its SHA-1 and range, and\n"
      "prints its record. FILE is the part, or the whole file of SIZE bytes, of which\n"
      "the part is taken. Without FILE, or with -, the part is the next bytes of\n"
      "standard input; no more are read, so that a loop can take part after part.\n"
      "\n"
      "Processes on several machines may fill one session, in any order; commit ends\n"
      "it. A part that Box has already is taken for this one if it has the same range\n"
      "and, as far as that is known, the same bytes.\n"
      "\n"
      "With --json: one object with part_id, offset, size, sha1 (null: a part was there\n"
      "whose SHA-1 is not known) and adopted (whether it was there).\n"
      "\n"
      "Exit codes of this command:\n"
      "  8  FILE or standard input is not as long as the part\n"
      "  10 the session was aborted, or expired\n"
      "  11 Box has other bytes in this range\n"
      "  15 no part begins at N   16 N is behind the end   17 SIZE is not the session's\n"
      "\n"
      "Examples:\n"
      "  boxupload part $SESSION --offset 8388608 --total 445856194 videopartab\n"
      "  boxupload part $SESSION --offset 8388608 --total 445856194 video.mp4\n"
      "  boxupload commit $SESSION --sha1-of video.mp4\n",
  .flags = CLI_COMMAND_CONNECTS,
  .entries = entries,
  .min_arguments = 1,
  .max_arguments = 2,
  .run = run,
};

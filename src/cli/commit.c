/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload commit: makes the file of an upload session that is full. A commit is not idempotent:
 * another one of the same version session makes another version. So a commit whose answer was lost
 * is looked up before it is repeated, if the note says what to look for.
 */
#include "api/error.h"
#include "cli/command.h"
#include "cli/output.h"

/* Box processes the parts of a large file for minutes before it commits. Seconds. */
#define COMMIT_RETRY_TIMEOUT 600

/* Poll interval while parts are processed and Box sends no Retry-After. Seconds. */
#define COMMIT_POLL_INTERVAL 3

static struct
{
  char *sha1;
  char *sha1_of;
  char *if_match;
  char *description;
  char *content_created_at;
  char *content_modified_at;
} options;

static const GOptionEntry entries[] = {
  { "sha1", 's', 0, G_OPTION_ARG_STRING, &options.sha1,
    "SHA-1 of the whole file, 40 hexadecimal digits", "HEX" },
  { "sha1-of", 0, 0, G_OPTION_ARG_FILENAME, &options.sha1_of,
    "Compute the SHA-1 from this file, which has all parts", "FILE" },
  { "if-match", 0, 0, G_OPTION_ARG_STRING, &options.if_match,
    "For a new version: only if the file's etag is still this", "ETAG" },
  { "description", 0, 0, G_OPTION_ARG_STRING, &options.description,
    "Description of the file at Box", "TEXT" },
  { "content-created-at", 0, 0, G_OPTION_ARG_STRING, &options.content_created_at,
    "Creation time of the content (RFC 3339)", "TIME" },
  { "content-modified-at", 0, 0, G_OPTION_ARG_STRING, &options.content_modified_at,
    "Modification time of the content (RFC 3339)", "TIME" },
  { NULL },
};

typedef struct
{
  Cli *cli;
  const BoxSession *session;
  const BoxNote *note; /* nullable */
  GPtrArray *parts;
  BoxSha1 sha1;
  char *etag; /* of the version before ours, and the version: nullable */
  char *version_id;
  gboolean unsure; /* the last attempt may have worked */
  BoxFile *file;   /* result */
} Commit;

/* Takes @file as the result if it is the one that was to be made. */
static void
take_if_ours (Commit *commit, BoxFile *file)
{
  g_autoptr (BoxFile) found = file;

  if (found == NULL || !found->has_sha1 || !box_sha1_equal (&found->sha1, &commit->sha1))
    return;
  if (commit->version_id != NULL && g_strcmp0 (commit->version_id, found->version_id) == 0)
    return;
  commit->file = g_steal_pointer (&found);
}

static void
remember (Commit *commit, const BoxFile *file)
{
  g_free (commit->etag);
  g_free (commit->version_id);
  commit->etag = g_strdup (file->etag);
  commit->version_id = g_strdup (file->version_id);
}

/* Takes the wanted version of @file if others have made a version after it. */
static gboolean
take_version (Commit *commit, const BoxFile *file, GCancellable *cancellable, GError **error)
{
  BoxVersionQuery query = {
    .sha1 = &commit->sha1,
    .after = commit->version_id,
    .size = box_part_sum (commit->parts),
  };
  g_autoptr (GError) failure = NULL;

  commit->file = box_client_find_version (commit->cli->client, commit->cli->transport, file, &query,
                                          cancellable, &failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* The file with all it has, in place of the few members that a conflict carries. */
static BoxFile *
complete (Commit *commit, BoxFile *conflict, GCancellable *cancellable)
{
  BoxFile *file;

  if (conflict == NULL)
    return NULL;
  file = box_client_get_file (commit->cli->client, commit->cli->transport, conflict->id,
                              cancellable, NULL);
  if (file == NULL)
    return conflict;
  box_file_free (conflict);
  return file;
}

/* Whether the attempt whose answer was lost had made the file: then commit->file is it. */
static gboolean
look_up (Commit *commit, GCancellable *cancellable, GError **error)
{
  Cli *cli = commit->cli;
  g_autoptr (GError) conflict = NULL;

  if (commit->note == NULL)
    return TRUE;
  if (commit->note->destination->kind == BOX_DESTINATION_FILE)
    {
      g_autoptr (BoxFile) file = box_client_get_file (
          cli->client, cli->transport, commit->note->destination->file_id, cancellable, error);

      if (file == NULL)
        return FALSE;
      take_if_ours (commit, box_file_copy (file));
      if (commit->file == NULL && g_strcmp0 (commit->version_id, file->version_id) != 0
          && !take_version (commit, file, cancellable, error))
        return FALSE;
      remember (commit, file);
      return TRUE;
    }
  if (box_client_preflight (cli->client, cli->transport, commit->note->destination,
                            commit->note->size, cancellable, &conflict))
    return TRUE;
  if (!g_error_matches (conflict, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    {
      g_propagate_error (error, g_steal_pointer (&conflict));
      return FALSE;
    }
  take_if_ours (commit, complete (commit, box_file_from_conflict (conflict), cancellable));
  return TRUE;
}

/* The strings stay the options'. */
static BoxAttributes
get_attributes (void)
{
  return (BoxAttributes){
    .description = options.description,
    .content_created_at = options.content_created_at,
    .content_modified_at = options.content_modified_at,
  };
}

static gboolean
send_commit (Commit *commit, GCancellable *cancellable, GError **error)
{
  const BoxAttributes attributes = get_attributes ();
  const char *if_match = options.if_match != NULL ? options.if_match : commit->etag;
  BoxErrorDetails details = { .http_status = 202 };
  gint retry_after = -1;

  if (!box_client_commit (commit->cli->client, commit->cli->transport, commit->session,
                          commit->parts, &commit->sha1, &attributes, if_match, &commit->file,
                          &retry_after, cancellable, error))
    return FALSE;
  if (commit->file != NULL)
    return TRUE;
  details.retry_after = retry_after >= 1 ? retry_after : COMMIT_POLL_INTERVAL;
  g_propagate_error (error, box_error_new_with_details (BOX_ERROR_TRANSIENT, &details,
                                                        "Box is still processing the parts"));
  return FALSE;
}

/* Others have changed the file since it was remembered, or our commit has. What others did is no
 * reason to refuse the file, unless the user said so. */
static gboolean
is_changed_meanwhile (const Commit *commit, const GError *failure)
{
  return options.if_match == NULL && commit->etag != NULL
         && box_error_get_details (failure)->http_status == 412;
}

/* One attempt, for cli_call(). */
static gboolean
attempt (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Commit *commit = user_data;
  g_autoptr (GError) failure = NULL;

  if (commit->unsure && !look_up (commit, cancellable, error))
    return FALSE;
  commit->unsure = FALSE;
  if (commit->file != NULL || send_commit (commit, cancellable, &failure))
    return TRUE;
  if (is_changed_meanwhile (commit, failure))
    {
      g_clear_error (&failure);
      if (!look_up (commit, cancellable, error))
        return FALSE;
      if (commit->file != NULL || send_commit (commit, cancellable, &failure))
        return TRUE;
    }

  commit->unsure = box_api_may_work_late (failure);
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    take_if_ours (commit, complete (commit, box_file_from_conflict (failure), cancellable));
  if (commit->file != NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
check_complete (const BoxSession *session, GPtrArray *parts, guint n_listed, GError **error)
{
  g_autoptr (CliGrid) grid = cli_grid_new (session, parts, n_listed);
  g_autofree char *missing = cli_grid_format_missing (grid, 10);

  if (grid->n_stored == grid->n)
    return TRUE;
  if (grid->n_listed < grid->n)
    {
      g_set_error (
          error, BOX_ERROR, BOX_ERROR_SETTINGS,
          "Box lists only the first %u of the %u parts of this session, and a commit names "
          "all: make the file with “boxupload put FILE --session %s”, which finds the "
          "others as it sends them",
          grid->n_listed, grid->n, session->id);
      return FALSE;
    }
  g_set_error (
      error, BOX_ERROR, BOX_ERROR_SIZE,
      "%u of %u parts are missing (%s); upload them first, for example with “boxupload put "
      "FILE --session %s”",
      grid->n - grid->n_stored, grid->n, missing, session->id);
  return FALSE;
}

/* The state before the first attempt, so that a second one sees whether the first worked. */
static gboolean
remember_etag (Commit *commit, GError **error)
{
  g_autoptr (BoxFile) file = NULL;

  if (commit->note == NULL || commit->note->destination->kind != BOX_DESTINATION_FILE)
    return TRUE;
  file = cli_call_get_file (commit->cli, commit->note->destination->file_id, error);
  if (file == NULL)
    return FALSE;
  remember (commit, file);
  return TRUE;
}

/* @size: (out): of --sha1-of's file; G_MAXUINT64: the digest was given. */
static gboolean
find_sha1 (Cli *cli, BoxSha1 *sha1, guint64 *size, GError **error)
{
  *size = G_MAXUINT64;
  if ((options.sha1 != NULL) + (options.sha1_of != NULL) == 1
      && (options.sha1_of != NULL || box_sha1_from_hex (options.sha1, sha1)))
    return options.sha1_of == NULL
           || cli_input_digest (options.sha1_of, sha1, size, cli->cancellable, error);
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "Give --sha1 HEX, the 40 hexadecimal digits that sha1sum prints for the "
                       "file, or --sha1-of FILE");
  return FALSE;
}

/* A digest that cannot be right is not worth a request. */
static gboolean
check_size (GPtrArray *parts, guint64 size, GError **error)
{
  guint64 total = box_part_sum (parts);

  if (size == G_MAXUINT64 || size == total)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "The file of --sha1-of has %" G_GUINT64_FORMAT
               " bytes, the session's parts have %" G_GUINT64_FORMAT,
               size, total);
  return FALSE;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  Commit commit = { .cli = cli };
  const BoxAttributes attributes = get_attributes ();
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (GPtrArray) parts = NULL;
  g_autoptr (BoxNote) note = NULL;
  g_autoptr (BoxFile) file = NULL;
  gboolean done;
  guint64 size;
  guint n_listed;

  if (!cli_options_check_attributes (&attributes, error)
      || !find_sha1 (cli, &commit.sha1, &size, error))
    return FALSE;
  session = cli_call_get_session (cli, arguments[0], error);
  if (session == NULL)
    return FALSE;
  parts = cli_call_list_parts (cli, session, &n_listed, error);
  if (parts == NULL || !check_complete (session, parts, n_listed, error)
      || !check_size (parts, size, error))
    return FALSE;

  note = box_note_load (session->id, NULL);
  commit.session = session;
  commit.parts = parts;
  commit.note = note;
  done = remember_etag (&commit, error)
         && cli_call (cli, attempt, &commit, COMMIT_RETRY_TIMEOUT, error);
  g_free (commit.etag);
  g_free (commit.version_id);
  file = commit.file;
  if (!done)
    return FALSE;
  /* The note stays until it expires: a recording that was spooled for this session leaves the spool
   * only when its file is found at Box. */
  box_client_add_link (cli->client, file);
  cli_output_file (cli->options->json, file);
  return TRUE;
}

const CliCommand cli_command_commit = {
  .name = "commit",
  .arguments = "SESSION {--sha1 HEX | --sha1-of FILE}",
  .summary = "Make the file of an upload session whose parts are all at Box",
  .description = "Lists the parts, checks that Box has all of them, and commits. Waits while Box\n"
                 "is still processing them. Box compares the digest with its bytes. Prints the\n"
                 "file.\n"
                 "\n"
                 "With --json: one object with file_id, version_id, name, size, sha1, etag\n"
                 "and link.\n"
                 "\n"
                 "Examples (sessions that boxupload part, or boxuploadsink with commit=false,\n"
                 "have filled):\n"
                 "  boxupload commit $SESSION --sha1-of clip.mp4\n"
                 "  boxupload commit $SESSION --sha1 $(sha1sum < clip.mp4 | cut -c 1-40)\n",
  .flags = CLI_COMMAND_CONNECTS,
  .entries = entries,
  .min_arguments = 1,
  .max_arguments = 1,
  .run = run,
};

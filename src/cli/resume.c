/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload resume: finishes every recording of the spool that no living process has, once.
 */
#include "base/text.h"
#include "cli/job.h"
#include "cli/output.h"

static struct
{
  int files;
  char **only;
  char *name;
  char *folder;
  char *if_exists;
} options = { .files = CLI_JOBS_DEFAULT };

static const GOptionEntry entries[] = {
  { "files", 0, 0, G_OPTION_ARG_INT, &options.files, "Recordings at the same time (default: 2)",
    "N" },
  { "only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.only,
    "Only this recording, as “boxupload spool” names it; may be repeated", "RECORDING" },
  { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
    "Give it another name at Box (for one recording)", "NAME" },
  { "folder", 'f', 0, G_OPTION_ARG_STRING, &options.folder, "Upload into another folder", "ID" },
  { "if-exists", 0, 0, G_OPTION_ARG_STRING, &options.if_exists,
    "If the name exists: error, version, rename (default: as recorded)", "POLICY" },
  { NULL },
};

typedef struct
{
  Cli *cli;
  const char *spool;    /* the directory */
  guint n_left;         /* not begun, or failed */
  guint n_in_use;       /* of those that were asked for by their names */
  gboolean interrupted; /* and that is why */
  GError *first;        /* failure */
} Outcome;

/* The ways out that are this command's own, for what time does not heal. */
static void
hint_elsewhere (const CliJob *job, const char *spool, const GError *failure)
{
  g_autofree char *option = box_spool_format_option (spool);

  if (cli_job_get_recovered ((CliJob *) job) == BOX_RECOVERED_UNSETTLED)
    return;
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE)
      || g_error_matches (failure, BOX_ERROR, BOX_ERROR_NOT_FOUND)
      || g_error_matches (failure, BOX_ERROR, BOX_ERROR_FORBIDDEN)
      || g_error_matches (failure, BOX_ERROR, BOX_ERROR_SESSION_GONE)
      || g_error_matches (failure, BOX_ERROR, BOX_ERROR_SIZE))
    cli_complain (
        "To send it elsewhere:  boxupload resume%s --only %s, with --name NAME, --folder ID "
        "or --if-exists rename",
        option, job->name);
}

static void
on_ended (CliJob *job, const GError *failure, gpointer user_data)
{
  Outcome *outcome = user_data;

  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_BUSY))
    outcome->n_in_use += options.only != NULL ? 1 : 0;
  if (failure == NULL || g_error_matches (failure, BOX_ERROR, BOX_ERROR_BUSY))
    return;
  outcome->n_left++;
  outcome->interrupted |= g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED);
  cli_job_tell_failure (job, failure, 0);
  if (!outcome->cli->options->json)
    hint_elsewhere (job, outcome->spool, failure);
  outcome->cli->told |= outcome->cli->options->json;
  if (outcome->first == NULL)
    outcome->first = g_error_copy (failure);
}

static gboolean
is_chosen (const BoxSpoolEntry *entry)
{
  return options.only == NULL || g_strv_contains ((const char *const *) options.only, entry->name);
}

/* The recordings to finish. NULL with @error if a named one does not exist. */
static GPtrArray *
choose (GPtrArray *recordings, GError **error)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();

  for (guint i = 0; options.only != NULL && options.only[i] != NULL; i++)
    {
      gboolean found = FALSE;

      for (guint k = 0; k < recordings->len; k++)
        found |= g_str_equal (((BoxSpoolEntry *) recordings->pdata[k])->name, options.only[i]);
      if (!found)
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_NOT_FOUND,
                       "There is no recording %s; “boxupload spool” lists them", options.only[i]);
          return NULL;
        }
    }
  for (guint i = 0; i < recordings->len; i++)
    {
      BoxSpoolEntry *entry = g_ptr_array_index (recordings, i);

      if (is_chosen (entry) && entry->status != BOX_SPOOL_BUSY && entry->status != BOX_SPOOL_KEPT)
        g_ptr_array_add (chosen, entry);
    }
  return g_steal_pointer (&chosen);
}

static gboolean
check_redirect (guint n_recordings, GError **error)
{
  BoxIfExists ignored;

  if (options.name != NULL && n_recordings > 1)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "--name goes with one recording, and %u are to be finished: choose one with "
                   "--only",
                   n_recordings);
      return FALSE;
    }
  return cli_options_parse_if_exists (options.if_exists, &ignored, error);
}

static void
finish_all (CliJobs *jobs, const BoxRecoverySettings *settings, GPtrArray *recordings,
            Outcome *outcome)
{
  const CliRedirect redirect = { options.folder, options.name, options.if_exists };
  gboolean redirected =
      redirect.folder != NULL || redirect.name != NULL || redirect.if_exists != NULL;
  GCancellable *cancellable = outcome->cli->cancellable;

  for (guint i = 0; i < recordings->len; i++)
    {
      CliJob *job;
      GError *error = NULL;

      while (!cli_jobs_has_room (jobs))
        cli_jobs_attend (jobs);
      if (g_cancellable_is_cancelled (cancellable))
        {
          outcome->n_left += recordings->len - i;
          outcome->interrupted = TRUE;
          break;
        }
      job = cli_job_new_recording (g_ptr_array_index (recordings, i), cli_jobs_get_tell (jobs));
      cli_job_start_recording (job, settings, redirected ? &redirect : NULL, cancellable, &error);
      cli_jobs_add (jobs, job, error);
    }
  cli_jobs_wait (jobs);
}

/* Of @recordings (nullable), those that were chosen and stand at @status. */
static guint
count_chosen (GPtrArray *recordings, BoxSpoolStatus status)
{
  guint n = 0;

  for (guint i = 0; recordings != NULL && i < recordings->len; i++)
    {
      const BoxSpoolEntry *entry = g_ptr_array_index (recordings, i);

      n += is_chosen (entry) && entry->status == status ? 1 : 0;
    }
  return n;
}

/* The command's error. That it was interrupted counts more than what failed before: there is more
 * to do than that. */
static gboolean
conclude (const Outcome *outcome, guint n, GError **error)
{
  if (outcome->n_left == 0 && outcome->n_in_use == 0)
    return TRUE;
  if (outcome->n_left == 0)
    g_set_error (
        error, BOX_ERROR, BOX_ERROR_BUSY,
        "Nothing was changed: of the recordings asked for, %u %s being written or uploaded "
        "by another process",
        outcome->n_in_use, outcome->n_in_use == 1 ? "is" : "are");
  else if (outcome->interrupted)
    g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED,
                 "Interrupted; %u of %u recordings are not finished", outcome->n_left, n);
  else
    g_propagate_error (error, box_error_new_with_details ((BoxErrorCode) outcome->first->code,
                                                          box_error_get_details (outcome->first),
                                                          "%u of %u recordings are not finished",
                                                          outcome->n_left, n));
  return FALSE;
}

/* That there is nothing to do, and why, so that nobody wonders. @recordings: (nullable): those that
 * are there all the same. */
static void
tell_nothing (Cli *cli, const char *dir, GPtrArray *recordings)
{
  g_autofree char *path = g_filename_display_name (dir);
  g_autofree char *shown = box_text_escape (path);
  guint n_busy = count_chosen (recordings, BOX_SPOOL_BUSY);
  guint n_kept = count_chosen (recordings, BOX_SPOOL_KEPT);

  if (cli->options->json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_string (builder, "event", "nothing");
      cli_json_add_string (builder, "path", path);
      cli_json_add_uint (builder, "busy", n_busy);
      cli_json_add_uint (builder, "kept", n_kept);
      cli_json_print (builder);
    }
  else if (n_busy + n_kept > 0)
    cli_print ("Nothing to finish in %s: %u in use, %u kept", shown, n_busy, n_kept);
  else
    cli_print ("Nothing to finish: %s %s", shown, recordings != NULL ? "is empty" : "is not there");
}

/* Whether a recording in the spool is to fill session @id, or has it. */
static gboolean
is_of_a_recording (const char *id, GPtrArray *recordings)
{
  for (guint i = 0; recordings != NULL && i < recordings->len; i++)
    {
      const BoxJournalState *state = ((BoxSpoolEntry *) recordings->pdata[i])->state;

      if ((state->session != NULL && g_str_equal (state->session->id, id))
          || (state->intent != NULL && g_strcmp0 (state->intent->destination->session_id, id) == 0))
        return TRUE;
    }
  return FALSE;
}

static void
tell_session (Cli *cli, const BoxNote *note, const BoxSession *session)
{
  g_autofree char *name =
      note->destination->name != NULL ? box_text_escape (note->destination->name) : NULL;

  if (cli->options->json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_string (builder, "event", "session_left");
      cli_json_add_string (builder, "path", NULL);
      cli_json_add_session (builder, session);
      cli_json_add_note (builder, note);
      cli_json_print (builder);
      return;
    }
  cli_complain ("session %s%s%s%s holds %u of %u parts, and no recording here belongs to it. If "
                "its recorder is gone: boxupload put --session %s FILE, or boxupload abort %s",
                session->id, name != NULL ? " (“" : "", name != NULL ? name : "",
                name != NULL ? "”)" : "", session->parts_processed, session->total_parts,
                session->id, session->id);
}

/* A recorder without a spool that dies leaves parts in a session that was noted here. Box is asked
 * once; the command does not fail if it does not answer. */
static void
tell_sessions_left (Cli *cli, GPtrArray *recordings)
{
  g_autoptr (GPtrArray) notes = box_note_list ();

  for (guint i = 0; i < notes->len && !g_cancellable_is_cancelled (cli->cancellable); i++)
    {
      const BoxNote *note = g_ptr_array_index (notes, i);
      g_autoptr (BoxSession) session = NULL;

      if (is_of_a_recording (note->session_id, recordings))
        continue;
      session = box_client_get_session (cli->client, cli->transport, note->session_id,
                                        cli->cancellable, NULL);
      if (session != NULL && session->parts_processed > 0)
        tell_session (cli, note, session);
    }
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (GPtrArray) recordings = NULL;
  g_autoptr (GPtrArray) chosen = NULL;
  g_autoptr (BoxSpool) spool = NULL;
  g_autofree char *dir = NULL;
  Outcome outcome = { .cli = cli };
  g_autoptr (CliJobs) jobs = cli_jobs_new (cli, options.files, on_ended, &outcome, error);
  BoxRecoverySettings settings;
  gboolean done;

  if (jobs == NULL
      || !cli_options_get_recovery_settings (cli->options, cli->client, &settings, error))
    return FALSE;
  dir = cli_options_get_spool_dir (cli->options, arguments[0], error);
  if (dir == NULL || !cli_options_open_spool (cli->options, arguments[0], dir, &spool, error))
    return FALSE;
  outcome.spool = dir;
  recordings = spool != NULL ? box_spool_list (spool, error) : NULL;
  if (spool != NULL && recordings == NULL)
    return FALSE;
  chosen = recordings != NULL ? choose (recordings, error) : g_ptr_array_new ();
  if (chosen == NULL || !check_redirect (chosen->len, error))
    return FALSE;
  if (chosen->len == 0)
    tell_nothing (cli, dir, recordings);
  /* Those that are in use are left to who uses them, unless they were asked for. */
  if (options.only != NULL)
    outcome.n_in_use = count_chosen (recordings, BOX_SPOOL_BUSY);
  finish_all (jobs, &settings, chosen, &outcome);
  if (options.only == NULL)
    tell_sessions_left (cli, recordings);
  done = conclude (&outcome, chosen->len, error);
  g_clear_error (&outcome.first);
  return done;
}

const CliCommand cli_command_resume = {
  .name = "resume",
  .arguments = "[DIR]",
  .summary = "Upload pending recordings once",
  .description = "Finishes every recording in DIR (default: $XDG_STATE_HOME/boxupload/spool),\n"
                 "oldest first. If a recorder died, the bytes that reached the disk are uploaded.\n"
                 "Parts that Box has are not sent again. Recordings of running processes are not\n"
                 "touched (with --only that is exit code 14). A recording is removed only when\n"
                 "Box has confirmed its size and SHA-1. After any failure it stays, and the next\n"
                 "resume continues it.\n"
                 "\n"
                 "If a recording was cut short (its recorder died, the disk was full, it is\n"
                 "shorter than its known size), its existing bytes are uploaded, and it is\n"
                 "reported as interrupted. Some containers do not play without their end (MP4 and\n"
                 "MOV without fragments, WAV, AVI). Such a recording stays in the spool as\n"
                 "“kept”, so that it can be repaired. --keep-interrupted=none removes it;\n"
                 "--keep-interrupted keeps every recording that was cut short.\n"
                 "\n"
                 "--name, --folder and --if-exists send a recording elsewhere, for example if its\n"
                 "name already exists. The spool remembers them.\n"
                 "\n"
                 "With --json: JSON Lines, each with event and path (of the recording's data):\n"
                 "session, part, progress, retry, outage, commit, complete and failed as\n"
                 "“boxupload put --help” has them, also\n"
                 "  empty     nothing was recorded; removed\n"
                 "  filled    all parts are in the session, and its application commits it\n"
                 "  session_left  an upload session that was saved here has parts, and no\n"
                 "            recording belongs to it: session_id and more, as of status\n"
                 "  nothing   there is no recording to finish; path is the spool's; busy, kept\n"
                 "“complete” also has interrupted, may_not_play and kept, if the recording was\n"
                 "cut short.\n"
                 "\n"
                 "Examples:\n"
                 "  boxupload resume\n"
                 "  boxupload resume --only 20260131-235959-0123abcd --name other.mp4\n"
                 "  boxupload resume /var/spool/recordings --auth-config /etc/boxupload/box.json\n",
  .flags = CLI_COMMAND_SPOOLS | CLI_COMMAND_CONNECTS | CLI_COMMAND_TRANSFERS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = 1,
  .run = run,
};

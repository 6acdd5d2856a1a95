/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include "base/fileio.h"
#include "delivery/recovery.h"
#include "kit/emulator.h"
#include "kit/patience.h"
#include "kit/pattern.h"
#include "kit/places.h"
#include "spool/spool.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PART_SIZE 16384

/* What victim.c makes a reserve larger. */
#define GAP 5000

/* Seconds. */
#define TIMEOUT       60
#define RETRY_TIMEOUT 120

void
rig_set_up (Rig *rig)
{
  BoxEmulatorOptions options = { .part_size = PART_SIZE, .min_size = 1 };

  rig->emulator = kit_emulator_new (&options);
  rig->client = kit_client_new (rig->emulator, FALSE,
                                &(BoxClientSettings){ .access_token = "rig", .timeout = TIMEOUT });
  rig->dir = kit_new_directory ();
}

void
rig_tear_down (Rig *rig)
{
  kit_remove_tree (rig->dir);
  g_free (rig->dir);
  box_client_unref (rig->client);
  box_emulator_free (rig->emulator);
}

gboolean
rig_way_has_spool (const char *way)
{
  return !g_str_equal (way, "memory") && !g_str_equal (way, "put") && !g_str_equal (way, "rotate");
}

static gboolean
is_reserve (const RigRun *run)
{
  return g_str_equal (run->way, "reserve");
}

static gboolean
needs_session (const char *way)
{
  return g_str_equal (way, "memory") || g_str_equal (way, "exact") || g_str_equal (way, "reserve")
         || g_str_equal (way, "resume");
}

/* A child that another thread has just forked has the lock, too, until it executes its program. */
static void
wait_for_lock (const char *data_path)
{
  g_autofree char *stem = g_strndup (data_path, strlen (data_path) - strlen (".data"));
  g_autofree char *journal = g_strconcat (stem, ".journal", NULL);
  int fd = g_open (journal, O_RDWR | O_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  KIT_AWAIT (!box_fileio_is_locked (fd));
  close (fd);
}

/* A recording whose stream has ended, and that nobody has. */
static void
leave_recording (RigRun *run)
{
  g_autoptr (BoxSpool) spool = box_spool_open (run->spool, 0, NULL);
  g_autoptr (BoxDestination) destination = box_destination_new_session (run->session, NULL);
  BoxRecordingIntent intent = {
    .destination = destination,
    .sizing = BOX_SIZING_EXACT,
    .size = RIG_SIZE,
    .commit = TRUE,
    .padding = BOX_PADDING_NONE,
    .created = g_get_real_time () / G_USEC_PER_SEC,
  };
  BoxRecordingEnd end = { .size = RIG_SIZE, .total = RIG_SIZE, .padding = BOX_PADDING_NONE };
  g_autoptr (BoxRecording) recording = box_spool_record (spool, &intent, NULL);
  g_autofree guint8 *bytes = g_malloc (RIG_SIZE);
  g_autofree char *data = NULL;

  kit_pattern_fill (0, bytes, RIG_SIZE);
  g_assert_nonnull (recording);
  g_assert_true (box_recording_write (recording, 0, bytes, RIG_SIZE, NULL));
  g_assert_true (box_recording_set_end (recording, &end, NULL));
  data = g_strdup (box_recording_get_path (recording));
  g_clear_pointer (&recording, box_recording_unref);
  wait_for_lock (data);
}

static void
write_config (RigRun *run)
{
  g_autofree char *accounts = g_strdup_printf (
      "{\"clients\": [{\"client_id\": \"app\", \"client_secret\": \"s3cret\"}],"
      " \"refresh_tokens\": [{\"token\": \"first-of-%s\", \"client_id\": \"app\"}]}",
      run->name);
  g_autofree char *config =
      g_strdup_printf ("{\"client_id\": \"app\", \"client_secret\": \"s3cret\","
                       " \"refresh_token\": \"first-of-%s\"}",
                       run->name);

  kit_load_accounts (run->rig->emulator, accounts);
  run->file = g_build_filename (run->spool, "box.json", NULL);
  kit_write_text (run->file, config);
}

RigRun *
rig_prepare (Rig *rig, const char *way, guint number)
{
  RigRun *run = g_new0 (RigRun, 1);
  g_autofree char *dir = g_strdup_printf ("spool-%u", number);

  run->rig = rig;
  run->way = way;
  run->name = g_strdup_printf ("run-%u.ts", number);
  run->spool = g_build_filename (rig->dir, dir, NULL);
  g_assert_cmpint (g_mkdir (run->spool, 0700), ==, 0);
  run->session = needs_session (way) ? box_emulator_add_session (
                     rig->emulator, "0", run->name, NULL, RIG_SIZE + (is_reserve (run) ? GAP : 0))
                                     : g_strdup ("-");
  if (g_str_equal (way, "resume"))
    leave_recording (run);
  if (g_str_equal (way, "rotate"))
    write_config (run);
  if (g_str_equal (way, "put"))
    {
      run->file = g_build_filename (run->spool, run->name, NULL);
      kit_pattern_write_file (run->file, RIG_SIZE);
    }
  return run;
}

void
rig_run_free (RigRun *run)
{
  g_free (run->name);
  g_free (run->spool);
  g_free (run->session);
  g_free (run->file);
  g_free (run->out);
  g_free (run->err);
  g_free (run);
}

/* --- The program ------------------------------------------------------------------------------ */

static char **
make_environment (const Rig *rig, const char *const *variables)
{
  char **environment = g_get_environ ();

  environment = g_environ_setenv (environment, "BOX_ENDPOINT",
                                  box_emulator_get_endpoint (rig->emulator, FALSE), TRUE);
  environment = g_environ_setenv (environment, "BOX_API_ENDPOINT",
                                  box_emulator_get_api_endpoint (rig->emulator, FALSE), TRUE);
  environment = g_environ_setenv (environment, "BOX_ACCESS_TOKEN", "victim", TRUE);
  /* glib-networking 2.80 warns of trust that it cannot read, and the call fails, too. */
  environment = g_environ_setenv (environment, "G_DEBUG", "fatal-criticals", TRUE);
  environment = g_environ_setenv (environment, "HOME", rig->dir, TRUE);
  environment = g_environ_setenv (environment, "XDG_STATE_HOME", rig->dir, TRUE);
  environment =
      g_environ_setenv (environment, "LD_PRELOAD", g_getenv ("BOXUPLOAD_TEST_SHIM"), TRUE);
  for (guint i = 0; variables != NULL && variables[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (variables[i], "=", 2);

      environment = g_environ_setenv (environment, pair[0], pair[1], TRUE);
    }
  return environment;
}

static void
spawn (RigRun *run, const char *const *argv, const char *const *variables)
{
  char **environment = make_environment (run->rig, variables);
  g_auto (GStrv) owned = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (g_str_equal (run->way, "rotate"))
    environment = g_environ_setenv (environment, "BOX_ACCESS_TOKEN", "", TRUE);
  owned = environment;
  g_clear_pointer (&run->out, g_free);
  g_clear_pointer (&run->err, g_free);
  g_spawn_sync (NULL, (char **) argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &run->out,
                &run->err, &status, &error);
  g_assert_no_error (error);
  run->signal = WIFSIGNALED (status) ? WTERMSIG (status) : 0;
  run->code = WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

void
rig_play (RigRun *run, const char *const *variables)
{
  const char *program = g_getenv ("BOXUPLOAD");
  const char *put[] = {
    program, "put", run->file, "--name", run->name, "--retry-timeout", "2", NULL
  };
  const char *rotate[] = { program, "whoami", "--auth-config", run->file, "--retry-timeout",
                           "2",     NULL };
  const char *resume[] = { program, "resume", run->spool, "--retry-timeout", "2", NULL };
  g_autofree char *size = g_strdup_printf ("%d", RIG_SIZE);
  const char *record[] = { g_getenv ("BOXUPLOAD_TEST_VICTIM"),
                           run->way,
                           run->spool,
                           box_emulator_get_origin (run->rig->emulator, FALSE),
                           run->name,
                           run->session,
                           size,
                           NULL };

  if (g_str_equal (run->way, "put"))
    spawn (run, put, variables);
  else if (g_str_equal (run->way, "rotate"))
    spawn (run, rotate, variables);
  else
    spawn (run, g_str_equal (run->way, "resume") ? resume : record, variables);
}

guint64
rig_find_number (const RigRun *run, const char *word)
{
  g_auto (GStrv) lines = g_strsplit (run->out, "\n", -1);
  guint64 number = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], word) && lines[i][strlen (word)] == ' ')
      number = g_ascii_strtoull (lines[i] + strlen (word) + 1, NULL, 10);
  return number;
}

char *
rig_rotate_again (RigRun *run)
{
  g_autofree char *told = g_strdup (run->err);

  rig_play (run, NULL);
  return run->code != 0 ? g_strdup_printf ("the token is lost: %s; before: %s", run->err, told)
                        : NULL;
}

/* --- What is left ----------------------------------------------------------------------------- */

static gboolean
recover (RigRun *run, BoxRecording *recording, GError **error)
{
  BoxRecoverySettings settings = { .client = run->rig->client, .retry_timeout = RETRY_TIMEOUT };
  g_autoptr (BoxFile) file = NULL;
  BoxRecovered how;

  return box_recovery_run (recording, &settings, NULL, NULL, NULL, &how, &file, error);
}

/* A given session takes nothing shorter than it was created for: the recording has to be sent
 * elsewhere. */
static gboolean
recover_elsewhere (RigRun *run, BoxRecording *recording, GError **error)
{
  g_autoptr (BoxDestination) elsewhere = box_destination_new_folder ("0", run->name, NULL);

  g_clear_error (error);
  return box_recording_redirect (recording, elsewhere, BOX_IF_EXISTS_ERROR, error)
         && recover (run, recording, error);
}

static char *
finish_recording (RigRun *run, const BoxSpoolEntry *entry)
{
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (GError) error = NULL;

  if (entry->status == BOX_SPOOL_UNREADABLE)
    return g_strdup_printf ("left in the spool: %s", entry->problem);
  recording = box_recording_open (entry->journal_path, &error);
  if (recording != NULL && !recover (run, recording, &error)
      && g_error_matches (error, BOX_ERROR, BOX_ERROR_SIZE)
      && strstr (error->message, "was cut short") != NULL)
    recover_elsewhere (run, recording, &error);
  return error != NULL ? g_strdup_printf ("resume: %s", error->message) : NULL;
}

char *
rig_finish (RigRun *run, const char *dir)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, &error);
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GPtrArray) rest = NULL;
  char *problem = NULL;

  g_assert_no_error (error);
  list = box_spool_list (spool, NULL);
  for (guint i = 0; i < list->len && problem == NULL; i++)
    problem = finish_recording (run, list->pdata[i]);
  rest = box_spool_list (spool, NULL);
  if (problem == NULL && rest->len > 0)
    problem = g_strdup ("a recording stays in the spool");
  return problem;
}

static char *
judge_bytes (const BoxEmulatorFile *file, guint64 at_least)
{
  g_autofree char *content = NULL;
  g_autofree guint8 *pattern = NULL;
  gsize length;

  if (!g_file_get_contents (file->path, &content, &length, NULL))
    return g_strdup ("its bytes cannot be read");
  if (length < at_least)
    return g_strdup_printf ("%" G_GSIZE_FORMAT " bytes, %" G_GUINT64_FORMAT " were safe", length,
                            at_least);
  pattern = g_malloc (length + 1);
  kit_pattern_fill (0, pattern, length);
  for (gsize i = 0; i < length; i++)
    if ((guint8) content[i] != pattern[i] && (content[i] != 0 || (i < at_least && i < RIG_SIZE)))
      return g_strdup_printf ("byte %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " is wrong", i,
                              length);
  return NULL;
}

char *
rig_judge (RigRun *run, guint64 at_least, gboolean whole)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (run->rig->emulator, "0", run->name);

  if (file == NULL)
    return at_least > 0 || whole ? g_strdup ("there is no file") : NULL;
  if (file->n_versions != 1)
    return g_strdup_printf ("%u versions", file->n_versions);
  if (file->size > RIG_SIZE && !(is_reserve (run) && file->size == RIG_SIZE + GAP))
    return g_strdup_printf ("%" G_GUINT64_FORMAT " bytes", file->size);
  return judge_bytes (file, whole ? RIG_SIZE : at_least);
}

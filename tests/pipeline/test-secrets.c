/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * No secret that was given by file or environment shows: gst-launch-1.0 runs with everything that
 * can be logged, and what it leaves is searched for it.
 */
#include "../element/sink-fixture.h"

#include <string.h>

#define TOKEN "S3CR3T-T0KEN-5e1f0c9b"

#define SIZE 20500000

static void
assert_no_secret (const char *what, const char *text, gsize length)
{
  if (memmem (text, length, TOKEN, strlen (TOKEN)) != NULL)
    g_error ("the token is in %s", what);
}

static void
search_dir (const char *path, const char *except, guint *n_files)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      g_autofree char *text = NULL;
      gsize length;

      if (g_strcmp0 (name, except) == 0)
        continue;
      g_assert_true (g_file_get_contents (file, &text, &length, NULL));
      assert_no_secret (name, text, length);
      (*n_files)++;
    }
}

/* What gst-launch-1.0 has to load before the plugin: the sanitizer that this program is built with
 * and it is not, and what the build adds to that. NULL: nothing. */
static char *
find_sanitizer (void)
{
  const char *more = g_getenv ("BOXUPLOAD_TEST_PRELOAD");
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *path = strchr (lines[i], '/');

      if (path != NULL
          && (strstr (path, "/libasan.so") != NULL || strstr (path, "/libtsan.so") != NULL))
        return g_strconcat (path, more != NULL ? ":" : NULL, more, NULL);
    }
  return NULL;
}

/* Runs gst-launch-1.0 with @arguments; its output goes to files in @logs. */
static gboolean
launch (SinkFixture *fixture, const char *logs, gboolean by_environment, const char *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autofree char *output = g_build_filename (logs, "stdout", NULL);
  g_autofree char *debug = g_build_filename (logs, "debug", NULL);
  g_autofree char *errors = g_build_filename (logs, "stderr", NULL);
  g_autofree char *line =
      g_strdup_printf ("gst-launch-1.0 -v %s endpoint=%s api-endpoint=%s ca-file=%s", arguments,
                       box_emulator_get_endpoint (fixture->emulator, TRUE),
                       box_emulator_get_api_endpoint (fixture->emulator, TRUE),
                       box_emulator_get_ca_file (fixture->emulator));
  g_autofree char *sanitizer = find_sanitizer ();
  g_auto (GStrv) argv = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_shell_parse_argv (line, NULL, &argv, &error));
  g_subprocess_launcher_set_stdout_file_path (launcher, output);
  g_subprocess_launcher_set_stderr_file_path (launcher, errors);
  g_subprocess_launcher_setenv (launcher, "GST_DEBUG", "*:9", TRUE);
  g_subprocess_launcher_setenv (launcher, "GST_DEBUG_FILE", debug, TRUE);
  g_subprocess_launcher_setenv (launcher, "GST_DEBUG_DUMP_DOT_DIR", logs, TRUE);
  g_subprocess_launcher_setenv (launcher, "G_MESSAGES_DEBUG", "all", TRUE);
  g_subprocess_launcher_setenv (launcher, "GNUTLS_DEBUG_LEVEL", "4", TRUE);
  if (sanitizer != NULL)
    g_subprocess_launcher_setenv (launcher, "LD_PRELOAD", sanitizer, TRUE);
  if (by_environment)
    g_subprocess_launcher_setenv (launcher, "BOX_ACCESS_TOKEN", TOKEN, TRUE);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) argv, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait (process, NULL, &error));
  return g_subprocess_get_successful (process);
}

static void
test_secrets (gconstpointer data)
{
  gboolean by_environment = GPOINTER_TO_INT (data);
  BoxEmulatorOptions options = { .part_size = 4000000 };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autofree char *logs = g_build_filename (fixture->dir, "logs", NULL);
  g_autofree char *token_file = g_build_filename (fixture->dir, "token", NULL);
  g_autofree char *arguments = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;
  guint n_files = 0;

  g_assert_cmpint (g_mkdir_with_parents (logs, 0700), ==, 0);
  g_assert_true (g_file_set_contents_full (token_file, TOKEN "\n", -1,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
  arguments =
      g_strdup_printf ("filesrc location=%s blocksize=1000000 ! boxuploadsink "
                       "location=box://0/a %s%s",
                       path, by_environment ? "" : "token-file=", by_environment ? "" : token_file);
  g_assert_true (launch (fixture, logs, by_environment, arguments));
  file = box_emulator_find_file (fixture->emulator, "0", "a");
  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, SIZE);

  search_dir (logs, NULL, &n_files);
  g_assert_cmpuint (n_files, >, 4); /* output, errors, debug log, and graphs */
}

/* A refused token is not in the error, either. */
static void
test_secrets_when_refused (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autofree char *logs = g_build_filename (fixture->dir, "logs", NULL);
  g_autofree char *arguments = NULL;
  g_autofree char *errors = g_build_filename (logs, "stderr", NULL);
  g_autofree char *text = NULL;
  guint n_files = 0;

  g_assert_cmpint (g_mkdir_with_parents (logs, 0700), ==, 0);
  box_emulator_revoke_token (fixture->emulator, TOKEN);
  arguments = g_strdup_printf ("filesrc location=%s ! boxuploadsink location=box://0/a", path);
  g_assert_false (launch (fixture, logs, TRUE, arguments));
  g_assert_true (g_file_get_contents (errors, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "ERROR"));
  search_dir (logs, NULL, &n_files);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_data_func ("/secrets/from-the-environment-do-not-show", GINT_TO_POINTER (TRUE),
                        test_secrets);
  g_test_add_data_func ("/secrets/from-a-file-do-not-show", GINT_TO_POINTER (FALSE), test_secrets);
  g_test_add_func ("/secrets/do-not-show-when-refused", test_secrets_when_refused);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * put and resume killed between the commit and each step after it, and at random moments: the file
 * is there once, with exactly one instance of its metadata.
 */
#include "cli-recordings.h"

#include "kit/patience.h"
#include "kit/places.h"

#define SIZE 100000

/* Writes the file @name into the program's input, to its end. */
static void
feed (Fixture *f, const char *name, GSubprocess *process)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  g_output_stream_write_all (g_object_get_data (G_OBJECT (process), "input"), data, length, NULL,
                             NULL, &error);
  g_assert_no_error (error);
}

/* boxupload put of the file @name with metadata: by way of the spool (a pipe), or from the file
 * itself. */
static GSubprocess *
start_put (Fixture *f, const char *name, gboolean input)
{
  GSubprocess *process = fixture_start_with_input (
      f, (const char *const[]){ "put", input ? "-" : name, "--name", name, "--metadata", "camera=3",
                                "--metadata", "scene=one", NULL });

  if (input)
    feed (f, name, process);
  g_object_set_data (G_OBJECT (process), "input", NULL);
  return process;
}

static void
kill_it (GSubprocess *process)
{
  g_subprocess_force_exit (process);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_object_unref (process);
}

static void
assert_one (Fixture *f, const char *name)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (f->emulator, "0", name);
  g_autoptr (JsonObject) instance = NULL;

  g_assert_nonnull (file);
  g_assert_cmpuint (file->n_versions, ==, 1);
  fixture_assert_at_box (f, name, name);
  instance = box_emulator_get_metadata (f->emulator, file->id, "global/properties");
  g_assert_nonnull (instance);
  g_assert_cmpstr (json_object_get_string_member (instance, "camera"), ==, "3");
  g_assert_cmpstr (json_object_get_string_member (instance, "scene"), ==, "one");
  g_assert_cmpint (json_object_get_int_member (instance, "$version"), ==, 0);
}

/* ---- between two steps ---- */

#define HOLD(where) "[{\"route\": [" where ", \"times\": 1, \"do\": \"hold\", \"name\": \"gate\"}]"

static const struct
{
  const char *path;
  gboolean input;
  const char *rules;
} moments[] = {
  { "/cli/kill-metadata/input/committed", TRUE, HOLD ("\"upload_file\"], \"at\": \"stored\"") },
  { "/cli/kill-metadata/input/begun", TRUE, HOLD ("\"create_metadata\"], \"at\": \"end\"") },
  { "/cli/kill-metadata/input/given", TRUE, HOLD ("\"create_metadata\"], \"at\": \"stored\"") },
  { "/cli/kill-metadata/file/committed", FALSE, HOLD ("\"upload_file\"], \"at\": \"stored\"") },
  { "/cli/kill-metadata/file/begun", FALSE, HOLD ("\"create_metadata\"], \"at\": \"end\"") },
  { "/cli/kill-metadata/file/given", FALSE, HOLD ("\"create_metadata\"], \"at\": \"stored\"") },
};

static void
test_a_kill_leaves_one_instance (Fixture *f, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_load (f, moments[i].rules);
  fixture_write_file (f, "a", SIZE, 1);
  process = start_put (f, "a", moments[i].input);
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  kill_it (process);
  box_emulator_release (f->emulator, "gate");
  /* What put has in the spool resume finishes; its own file the same command goes on with. */
  answer = RUN (f, "resume");
  g_assert_cmpint (answer.code, ==, 0);
  if (!moments[i].input)
    {
      g_auto (Answer) again = fixture_finish (start_put (f, "a", FALSE));

      g_test_message ("%s", again.err);
      g_assert_cmpint (again.code, ==, 0);
    }
  assert_one (f, "a");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
}

/* ---- at random ---- */

/* A moment around the commit and what follows it. FALSE: it did not come. */
static gboolean
wait_for_a_moment (Fixture *f, guint timeout_ms)
{
  static const char *const routes[] = { "upload_file", "create_metadata" };
  const char *route = routes[g_test_rand_int_range (0, 2)];
  guint n = box_emulator_count (f->emulator, route) + 1;

  if (g_test_rand_int_range (0, 2) == 0)
    return box_emulator_wait_seen (f->emulator, route, n, timeout_ms);
  return box_emulator_wait_done (f->emulator, route, n, timeout_ms);
}

static void
test_kills_at_random_leave_one_instance_each (Fixture *f, gconstpointer data)
{
  guint n_kills = kit_get_kills (8);
  g_auto (Answer) answer = { 0 };

  for (guint i = 0; i < n_kills; i++)
    {
      g_autofree char *name = g_strdup_printf ("recording-%u", i);
      GSubprocess *process;

      fixture_write_file (f, name, SIZE + i, i);
      process = start_put (f, name, TRUE);
      g_assert_true (wait_for_a_moment (f, KIT_PATIENCE_MS));
      kill_it (process);
      if (i % 2 == 0)
        {
          process = START (f, "resume");
          /* There may be nothing left to do. */
          wait_for_a_moment (f, 1000);
          kill_it (process);
        }
    }
  answer = RUN (f, "resume");
  g_test_message ("%s", answer.err);
  g_assert_cmpint (answer.code, ==, 0);
  for (guint i = 0; i < n_kills; i++)
    {
      g_autofree char *name = g_strdup_printf ("recording-%u", i);

      assert_one (f, name);
    }
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, n_kills);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (moments); i++)
    g_test_add (moments[i].path, Fixture, GUINT_TO_POINTER (i), fixture_set_up,
                test_a_kill_leaves_one_instance, fixture_tear_down);
  ADD_TEST ("/cli/kill-metadata/at-random", test_kills_at_random_leave_one_instance_each);
  return g_test_run ();
}

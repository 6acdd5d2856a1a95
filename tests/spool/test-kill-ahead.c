/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kill -9 of a recorder that sends its parts ahead, at every step of the seed and of the settle,
 * and at random moments (BOXUPLOAD_TEST_KILLS of them, default 5): what reached the file is
 * committed, once, and no session is left at Box.
 */
#include <signal.h>
#include <sys/wait.h>

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "kit/places.h"
#include "kit/spool-kit.h"

#define PART 524288
#define SIZE (G_GUINT64_CONSTANT (48) * PART + 4321)

/* The longest that a victim lives; about what a recording takes. Microseconds. */
#define LIFE 900000

static const char *worker;

typedef struct
{
  const char *name;
  const char *rules;  /* hold a request; its name is "here" */
  gboolean unnoticed; /* Box has made a session of which nobody heard */
} Step;

#define HOLD(which) "[{" which ",\"do\":\"hold\",\"name\":\"here\"}]"

static const Step steps[] = {
  { "before-the-seed", HOLD ("\"route\":\"create_session\",\"nth\":1"), FALSE },
  { "seed-made", HOLD ("\"route\":\"create_session\",\"nth\":1,\"at\":\"stored\""), TRUE },
  { "first-part", HOLD ("\"route\":\"upload_part\",\"nth\":1"), FALSE },
  { "first-part-stored", HOLD ("\"route\":\"upload_part\",\"nth\":1,\"at\":\"stored\""), FALSE },
  { "a-part-of-the-seed", HOLD ("\"route\":\"upload_part\",\"nth\":20"), FALSE },
  { "a-part-of-the-seed-stored", HOLD ("\"route\":\"upload_part\",\"nth\":30,\"at\":\"stored\""),
    FALSE },
  { "before-the-session", HOLD ("\"route\":\"create_session\",\"nth\":2"), FALSE },
  { "session-made", HOLD ("\"route\":\"create_session\",\"nth\":2,\"at\":\"stored\""), TRUE },
  { "before-the-plan", HOLD ("\"route\":\"plan\""), FALSE },
  { "plan-made", HOLD ("\"route\":\"plan\",\"at\":\"stored\""), FALSE },
  { "first-part-again", HOLD ("\"route\":\"upload_part\",\"offset\":0,\"nth\":2"), FALSE },
  { "first-part-stored-again",
    HOLD ("\"route\":\"upload_part\",\"offset\":0,\"nth\":2,\"at\":\"stored\""), FALSE },
  { "before-the-commit", HOLD ("\"route\":\"commit\""), FALSE },
  { "committed", HOLD ("\"route\":\"commit\",\"at\":\"stored\""), FALSE },
  { "before-the-abort", HOLD ("\"route\":\"abort\""), FALSE },
  { "aborted", HOLD ("\"route\":\"abort\",\"at\":\"stored\""), FALSE },
};

static void
set_up (SpoolKit *kit, gconstpointer data)
{
  spool_kit_set_up_with (kit, PART);
  box_emulator_set_plan (kit->emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
}

static void
tear_down (SpoolKit *kit, gconstpointer data)
{
  spool_kit_tear_down (kit);
}

static GPid
start (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

static GPid
start_recorder (SpoolKit *kit)
{
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, SIZE);
  const char *argv[] = { worker, "ahead", kit->dir, box_emulator_get_origin (kit->emulator, FALSE),
                         "clip", size,    NULL };

  return start (argv);
}

static GPid
start_recoverer (SpoolKit *kit)
{
  const char *argv[] = { worker, "recover", kit->dir,
                         box_emulator_get_origin (kit->emulator, FALSE), NULL };

  return start (argv);
}

static void
kill_victim (GPid pid)
{
  kill (pid, SIGKILL);
  waitpid (pid, NULL, 0);
  g_spawn_close_pid (pid);
}

/* The SHA-1 of what the recorder has left, in hex; NULL: nothing. */
static char *
digest_left (SpoolKit *kit)
{
  g_autoptr (GPtrArray) list = box_spool_list (kit->spool, NULL);
  g_autofree char *bytes = NULL;
  gsize length;

  g_assert_cmpuint (list->len, <=, 1);
  if (list->len == 0)
    return NULL;
  if (!g_file_get_contents (((BoxSpoolEntry *) list->pdata[0])->data_path, &bytes, &length, NULL)
      || length == 0)
    return NULL;
  return g_compute_checksum_for_data (G_CHECKSUM_SHA1, (const guchar *) bytes, length);
}

/* What was left is at Box, once. */
static void
assert_right (SpoolKit *kit, const char *left)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (kit->emulator, "0", "clip");
  g_autofree char *pattern = kit_pattern_sha1 (SIZE, 0);

  if (file == NULL)
    {
      g_assert_null (left);
      return;
    }
  g_assert_cmpstr (file->sha1, ==, left != NULL ? left : pattern);
  g_assert_cmpuint (file->n_versions, ==, 1);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 1);
}

static void
test_killed_at_a_step (SpoolKit *kit, gconstpointer data)
{
  const Step *step = data;
  g_autofree char *left = NULL;
  GPid pid;

  kit_load_rules (kit->emulator, step->rules);
  pid = start_recorder (kit);
  g_assert_true (box_emulator_wait_held (kit->emulator, "here", KIT_PATIENCE * 1000));
  kill_victim (pid);
  left = digest_left (kit);
  box_emulator_clear_scenario (kit->emulator);
  spool_kit_finish_all (kit);
  assert_right (kit, left);
  g_assert_cmpuint (kit_count_open_sessions (kit->emulator), <=, step->unnoticed ? 1 : 0);
}

/* The process that finishes the recording is killed, too. A session of which nobody heard may be
 * left each time. */
static void
test_killed_at_random (void)
{
  guint n = kit_get_kills (5);

  for (guint i = 0; i < n; i++)
    {
      SpoolKit kit;
      g_autofree char *left = NULL;
      GPid pid;

      set_up (&kit, NULL);
      pid = start_recorder (&kit);
      g_usleep ((gulong) g_test_rand_int_range (0, LIFE));
      kill_victim (pid);
      left = digest_left (&kit);
      for (gint k = g_test_rand_int_range (0, 3); k > 0; k--)
        {
          pid = start_recoverer (&kit);
          g_usleep ((gulong) g_test_rand_int_range (0, LIFE / 3));
          kill_victim (pid);
        }
      spool_kit_finish_all (&kit);
      assert_right (&kit, left);
      g_assert_cmpuint (kit_count_open_sessions (kit.emulator), <=, 3);
      tear_down (&kit, NULL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  worker = g_getenv ("BOXUPLOAD_TEST_SPOOL_WORKER");
  g_assert_nonnull (worker);
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autofree char *path = g_strconcat ("/kill-ahead/", steps[i].name, NULL);

      g_test_add (path, SpoolKit, &steps[i], set_up, test_killed_at_a_step, tear_down);
    }
  g_test_add_func ("/kill-ahead/at-random", test_killed_at_random);
  return g_test_run ();
}

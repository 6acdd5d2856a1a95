/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recordings of which Box has parts elsewhere: in a session that was lost. The next session is
 * asked for them by their SHA-512. Whatever it answers, the file is right, and is there once.
 */
#include "kit/spool-kit.h"

#include "kit/emulator.h"

#define PART    524288
#define N_PARTS 50
#define SIZE    (G_GUINT64_CONSTANT (50) * PART - 1000)

typedef struct
{
  SpoolKit kit;
  char *path;      /* of the journal */
  GThread *thread; /* a recovery that runs */
  GError *error;   /* of that */
  GCancellable *cancellable;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording;

  spool_kit_set_up_with (&fixture->kit, PART);
  recording = spool_kit_record (&fixture->kit, intent, SIZE);
  spool_kit_end (recording);
  fixture->path = spool_kit_leave (recording);
  fixture->cancellable = g_cancellable_new ();
  box_emulator_set_plan (fixture->kit.emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_error (&fixture->error);
  g_object_unref (fixture->cancellable);
  g_free (fixture->path);
  spool_kit_tear_down (&fixture->kit);
}

static gpointer
recover (gpointer data)
{
  Fixture *fixture = data;
  /* One part at a time: when the next one is on its way, the journal has the one before. */
  BoxRecoverySettings settings = { .client = fixture->kit.client,
                                   .parallel = 1,
                                   .retry_timeout = 60 };
  g_autoptr (BoxRecording) recording = box_recording_open (fixture->path, &fixture->error);
  g_autoptr (BoxFile) file = NULL;
  BoxRecovered how;

  if (recording != NULL)
    box_recovery_run (recording, &settings, NULL, NULL, fixture->cancellable, &how, &file,
                      &fixture->error);
  return NULL;
}

static void
begin (Fixture *fixture)
{
  g_clear_error (&fixture->error);
  fixture->thread = g_thread_new ("recovery", recover, fixture);
}

static void
end (Fixture *fixture)
{
  g_thread_join (g_steal_pointer (&fixture->thread));
}

/* The file is at Box once, and nothing is left here. */
static void
assert_right (Fixture *fixture)
{
  g_assert_no_error (fixture->error);
  spool_kit_assert_stored (&fixture->kit, "clip.mp4", SIZE);
  g_assert_cmpuint (box_emulator_count_files (fixture->kit.emulator), ==, 1);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
}

static guint
count_stored (Fixture *fixture)
{
  return box_emulator_count_status (fixture->kit.emulator, "upload_part", 200);
}

/* Runs a recovery until the part in the middle is on its way, and Box has some of the others. The
 * session then ends by @lose. How many parts it has. */
static guint
lose_session (Fixture *fixture, void (*lose) (BoxEmulator *emulator, const char *id))
{
  BoxEmulator *emulator = fixture->kit.emulator;
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;

  kit_load_rules (emulator,
                  RULE ({
                    "route": "upload_part", "from": 26, "do": "hold", "name": "middle"}));
  begin (fixture);
  g_assert_true (box_emulator_wait_held (emulator, "middle", KIT_PATIENCE * 1000));
  g_assert_true (box_emulator_wait_done (emulator, "upload_part", 25, KIT_PATIENCE * 1000));
  ids = box_emulator_get_session_ids (emulator);
  session = box_emulator_get_session (emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpuint (session->n_stored, ==, 25);
  lose (emulator, session->id);
  return session->n_stored;
}

static void
test_an_expired_session_costs_no_part_that_box_had (Fixture *fixture, gconstpointer data)
{
  guint before = lose_session (fixture, box_emulator_expire_session);

  box_emulator_release (fixture->kit.emulator, "middle");
  end (fixture);
  assert_right (fixture);
  g_assert_cmpuint (before, ==, 25);
  g_assert_cmpuint (count_stored (fixture), ==, N_PARTS);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "plan"), >=, 1);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "plan"), <=, 2);
}

/* A run that ends, and the next one: the journal has what both have to know. */
static void
test_the_next_run_asks_for_what_the_lost_session_had (Fixture *fixture, gconstpointer data)
{
  lose_session (fixture, box_emulator_expire_session);
  g_cancellable_cancel (fixture->cancellable);
  end (fixture);
  g_assert_error (fixture->error, BOX_ERROR, BOX_ERROR_CANCELLED);
  box_emulator_clear_scenario (fixture->kit.emulator);
  g_cancellable_reset (fixture->cancellable);
  begin (fixture);
  end (fixture);
  assert_right (fixture);
  g_assert_cmpuint (count_stored (fixture), ==, N_PARTS);
}

/* What a session has from elsewhere is not in its list: the run that goes on asks again. */
static void
test_a_session_that_is_continued_is_asked_again (Fixture *fixture, gconstpointer data)
{
  BoxEmulator *emulator = fixture->kit.emulator;

  lose_session (fixture, box_emulator_expire_session);
  box_emulator_clear_scenario (emulator);
  kit_load_rules (emulator, RULE ({ "route": "commit", "do": "hold", "name": "commit"}));
  g_assert_true (box_emulator_wait_held (emulator, "commit", KIT_PATIENCE * 1000));
  g_cancellable_cancel (fixture->cancellable);
  end (fixture);
  g_assert_error (fixture->error, BOX_ERROR, BOX_ERROR_CANCELLED);
  box_emulator_clear_scenario (emulator);
  g_cancellable_reset (fixture->cancellable);
  begin (fixture);
  end (fixture);
  assert_right (fixture);
  g_assert_cmpuint (count_stored (fixture), ==, N_PARTS);
  g_assert_cmpuint (box_emulator_count (emulator, "create_session"), ==, 2);
}

/* A way in which the plan is of no use. */
typedef struct
{
  const char *name;
  const char *rules;
  BoxEmulatorPlan scope;
  guint n_sessions; /* that are opened */
  guint n_asked;    /* at most */
} Useless;

#define ANSWER(what) "[{\"route\":\"plan\",\"do\":\"reply\"," what "}]"
#define CHANGE(what) "[{\"route\":\"plan\",\"do\":\"change\",\"change\":{\"hits\":[" what "]}}]"
#define HEX                                                                                        \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                               \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const Useless useless[] = {
  { "none", NULL, BOX_EMULATOR_PLAN_NONE, 2, 2 },
  { "absent", NULL, BOX_EMULATOR_PLAN_ABSENT, 2, 0 },
  { "lying", NULL, BOX_EMULATOR_PLAN_LYING, 3, 2 },
  { "wrong", NULL, BOX_EMULATOR_PLAN_WRONG, 3, 2 },
  { "404", ANSWER ("\"status\":404,\"json\":{\"code\":\"not_found\"}"), BOX_EMULATOR_PLAN_ACCOUNT,
    2, 1 },
  { "404-of-a-gateway", ANSWER ("\"status\":404"), BOX_EMULATOR_PLAN_ACCOUNT, 2, 3 },
  { "403", ANSWER ("\"status\":403,\"json\":{\"code\":\"insufficient_scope\"}"),
    BOX_EMULATOR_PLAN_ACCOUNT, 2, 1 },
  { "503", ANSWER ("\"status\":503"), BOX_EMULATOR_PLAN_ACCOUNT, 2, 3 },
  { "429", ANSWER ("\"status\":429,\"headers\":{\"Retry-After\":\"1\"}"), BOX_EMULATOR_PLAN_ACCOUNT,
    2, 3 },
  { "html", ANSWER ("\"status\":200,\"body\":\"<html>\""), BOX_EMULATOR_PLAN_ACCOUNT, 2, 3 },
  { "no-hits", ANSWER ("\"status\":200,\"json\":{\"hits\":7}"), BOX_EMULATOR_PLAN_ACCOUNT, 2, 3 },
  { "reset", "[{\"route\":\"plan\",\"do\":\"reset\",\"at\":\"stored\"}]", BOX_EMULATOR_PLAN_ACCOUNT,
    2, 3 },
  { "hits-of-others",
    CHANGE ("{\"part_id\":\"0A\",\"offset\":0,\"size\":524288,\"sha512\":\"" HEX "\"},"
            "{\"part_id\":\"0B\",\"offset\":524288,\"size\":3,\"sha512\":\"" HEX "\"},"
            "{\"part_id\":\"\",\"offset\":1048576,\"size\":524288,\"sha512\":\"" HEX "\"},"
            "{\"part_id\":\"0C\",\"offset\":7,\"size\":524288,\"sha512\":\"" HEX "\"},"
            "{\"offset\":0},7,null"),
    BOX_EMULATOR_PLAN_ACCOUNT, 2, 2 },
};

static void
test_a_plan_that_does_not_help_costs_only_time (Fixture *fixture, gconstpointer data)
{
  const Useless *one = data;
  BoxEmulator *emulator = fixture->kit.emulator;
  g_autoptr (GPtrArray) ids = NULL;

  box_emulator_set_plan (emulator, one->scope, 0);
  lose_session (fixture, box_emulator_expire_session);
  if (one->rules != NULL)
    kit_load_rules (emulator, one->rules);
  box_emulator_release (emulator, "middle");
  end (fixture);
  assert_right (fixture);
  ids = box_emulator_get_session_ids (emulator);
  g_assert_cmpuint (ids->len, ==, one->n_sessions);
  g_assert_cmpuint (box_emulator_count (emulator, "plan"), <=, one->n_asked);
  g_assert_cmpuint (count_stored (fixture), <=, 25 + N_PARTS + (one->n_sessions == 3 ? 25 : 0));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "an-expired-session-costs-no-part-that-box-had",
      test_an_expired_session_costs_no_part_that_box_had },
    { "the-next-run-asks-for-what-the-lost-session-had",
      test_the_next_run_asks_for_what_the_lost_session_had },
    { "a-session-that-is-continued-is-asked-again",
      test_a_session_that_is_continued_is_asked_again },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strconcat ("/elsewhere/", tests[i].path, NULL);

      g_test_add (path, Fixture, NULL, set_up, tests[i].test, tear_down);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (useless); i++)
    {
      g_autofree char *path = g_strconcat ("/elsewhere/a-plan-that-does-not-help-costs-only-time/",
                                           useless[i].name, NULL);

      g_test_add (path, Fixture, &useless[i], set_up,
                  test_a_plan_that_does_not_help_costs_only_time, tear_down);
    }
  return g_test_run ();
}

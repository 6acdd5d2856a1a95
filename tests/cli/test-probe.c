/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload probe against accounts of every kind: what it says is true, and nothing that it made
 * stays.
 */
#include <signal.h>
#include <string.h>

#include "cli-fixture.h"
#include "kit/emulator.h"
#include "kit/places.h"

/* Fast: no rest, no speed, and a plan that finds a part late has found it within a second. */
#define QUICK "probe", "--folder", "0", "--json", "--quick", "--wait", "3"

/* Everything is removed: no folder, no file, no session that could go on. */
static void
assert_nothing_is_left (Fixture *f)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (f->emulator);

  g_assert_cmpuint (box_emulator_count_folders (f->emulator), ==, 0);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (BoxEmulatorSession) session =
          box_emulator_get_session (f->emulator, ids->pdata[i]);

      g_assert_true (session == NULL || session->state != BOX_EMULATOR_SESSION_OPEN);
    }
}

typedef struct
{
  const char *name;
  BoxEmulatorPlan scope;
  guint late_requests;
  const char *plan; /* of the profile */
} Account;

static const Account accounts[] = {
  { "no-plan", BOX_EMULATOR_PLAN_ABSENT, 0, "none" },
  { "finds-nothing", BOX_EMULATOR_PLAN_NONE, 0, "none" },
  { "finds-its-own", BOX_EMULATOR_PLAN_SESSION, 0, "session" },
  { "finds-versions", BOX_EMULATOR_PLAN_FILE, 0, "file" },
  { "finds-all", BOX_EMULATOR_PLAN_ACCOUNT, 0, "account" },
  { "finds-late", BOX_EMULATOR_PLAN_ACCOUNT, 2, "account" },
  { "lies", BOX_EMULATOR_PLAN_LYING, 0, "none" },
  { "finds-other-bytes", BOX_EMULATOR_PLAN_WRONG, 0, "none" },
};

static void
test_account (Fixture *f, gconstpointer data)
{
  const Account *account = data;
  g_auto (Answer) answer = { 0 };
  g_autoptr (JsonObject) profile = NULL;
  JsonObject *answers;

  box_emulator_set_plan (f->emulator, account->scope, account->late_requests);
  answer = RUN (f, QUICK);
  g_assert_cmpint (answer.code, ==, 0);
  profile = parse_document (answer.out);
  g_assert_cmpstr (json_object_get_string_member (profile, "plan"), ==, account->plan);
  answers = json_object_get_object_member (profile, "answers");
  g_assert_cmpint (
      json_object_get_int_member (json_object_get_object_member (answers, "wrong_total"), "status"),
      ==, 416);
  g_assert_null (strstr (answer.out, TOKEN));
  assert_nothing_is_left (f);
}

/* The state that the sink reads. */
static void
test_recorders_are_told (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->state, "boxupload", "account.json", NULL);
  g_autofree char *text = NULL;
  g_auto (Answer) answer = { 0 };

  box_emulator_set_plan (f->emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
  answer = RUN (f, QUICK);
  g_assert_cmpint (answer.code, ==, 0);
  text = kit_read_text (path);
  g_assert_nonnull (strstr (text, "\"probe\""));
  g_assert_nonnull (strstr (text, "\"account\""));
  g_assert_null (strstr (text, TOKEN));
}

/* An emulator with the profile answers as the account did. */
static void
test_the_profile_can_be_played (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "profile", NULL);
  g_autofree char *text = NULL;
  g_auto (Answer) first = { 0 }, second = { 0 };
  g_autoptr (JsonObject) profile = NULL, again = NULL;
  BoxEmulatorOptions options = { 0 };

  box_emulator_set_plan (f->emulator, BOX_EMULATOR_PLAN_FILE, 0);
  fixture_load (f, "[{\"route\":\"commit\",\"nth\":4,\"do\":\"reply\",\"status\":410,\"json\":"
                   "{\"type\":\"error\",\"status\":410,\"code\":\"session_is_over\"}}]");
  first = RUN (f, QUICK, "--profile", "profile");
  g_assert_cmpint (first.code, ==, 0);
  text = kit_read_text (path);
  options.profile = text;
  g_clear_pointer (&f->emulator, box_emulator_free);
  f->emulator = kit_emulator_new (&options);
  second = RUN (f, QUICK);
  g_assert_cmpint (second.code, ==, 0);
  profile = parse_document (first.out);
  again = parse_document (second.out);
  json_object_set_int_member (again, "time", json_object_get_int_member (profile, "time"));
  g_assert_true (json_object_equal (profile, again));
}

static void
test_a_request_may_rest (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer =
      RUN (f, "probe", "--folder", "0", "--json", "--wait", "0", "--rest", "1");
  g_autoptr (JsonObject) profile = NULL;

  g_assert_cmpint (answer.code, ==, 0);
  profile = parse_document (answer.out);
  g_assert_cmpint (json_object_get_int_member (profile, "longest_rest"), ==, 1);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (profile, "speed")), ==, 4);
  assert_nothing_is_left (f);
}

static void
test_what_a_killed_probe_left_is_removed (Fixture *f, gconstpointer data)
{
  GSubprocess *process;
  g_auto (Answer) killed = { 0 }, answer = { 0 };

  fixture_load (f, "[{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"part\"}]");
  process = START (f, QUICK);
  g_assert_true (box_emulator_wait_held (f->emulator, "part", KIT_PATIENCE_MS));
  g_subprocess_force_exit (process);
  killed = fixture_finish (process);
  g_assert_cmpint (killed.code, ==, -SIGKILL);
  g_assert_cmpuint (box_emulator_count_folders (f->emulator), ==, 1);
  box_emulator_clear_scenario (f->emulator);
  answer = RUN (f, QUICK);
  g_assert_cmpint (answer.code, ==, 0);
  assert_nothing_is_left (f);
}

static void
test_an_interrupted_probe_removes_what_it_made (Fixture *f, gconstpointer data)
{
  GSubprocess *process;
  g_auto (Answer) answer = { 0 };

  fixture_load (f, "[{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"part\"}]");
  process = START (f, QUICK);
  g_assert_true (box_emulator_wait_held (f->emulator, "part", KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGINT);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, !=, 0);
  assert_nothing_is_left (f);
}

static void
test_a_server_that_refuses_everything_is_reported (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_load (f, "[{\"route\":\"*\",\"do\":\"reply\",\"status\":403,\"json\":{\"type\":\"error\","
                   "\"status\":403,\"code\":\"access_denied_insufficient_permissions\"}}]");
  answer = RUN (f, QUICK);
  g_assert_cmpint (answer.code, ==, 5);
  g_assert_nonnull (strstr (answer.err, "make the folder"));
}

/* Sessions are refused, folders are not: the report says so for each experiment. */
static void
test_an_experiment_that_is_refused_is_an_answer (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_load (f, "[{\"route\":\"create_session\",\"do\":\"reply\",\"status\":403,\"json\":"
                   "{\"type\":\"error\",\"status\":403,\"code\":\"storage_limit_exceeded\"}}]");
  answer = RUN (f, "probe", "--folder", "0", "--quick");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.out, "not found out"));
  g_assert_nonnull (strstr (answer.out, "storage_limit_exceeded"));
  assert_nothing_is_left (f);
}

static void
test_a_folder_is_needed (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = RUN (f, "probe");

  g_assert_cmpint (answer.code, ==, 2);
  g_assert_nonnull (strstr (answer.err, "--folder"));
  g_assert_cmpuint (box_emulator_count (f->emulator, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (accounts); i++)
    {
      g_autofree char *path = g_strconcat ("/cli/probe/account/", accounts[i].name, NULL);

      g_test_add (path, Fixture, &accounts[i], fixture_set_up, test_account, fixture_tear_down);
    }
  ADD_TEST ("/cli/probe/recorders-are-told", test_recorders_are_told);
  ADD_TEST ("/cli/probe/profile-can-be-played", test_the_profile_can_be_played);
  ADD_TEST ("/cli/probe/a-request-may-rest", test_a_request_may_rest);
  ADD_TEST ("/cli/probe/what-a-killed-probe-left-is-removed",
            test_what_a_killed_probe_left_is_removed);
  ADD_TEST ("/cli/probe/an-interrupted-probe-removes-what-it-made",
            test_an_interrupted_probe_removes_what_it_made);
  ADD_TEST ("/cli/probe/refusals-of-everything-are-reported",
            test_a_server_that_refuses_everything_is_reported);
  ADD_TEST ("/cli/probe/a-refused-experiment-is-an-answer",
            test_an_experiment_that_is_refused_is_an_answer);
  ADD_TEST ("/cli/probe/folder-is-needed", test_a_folder_is_needed);
  return g_test_run ();
}

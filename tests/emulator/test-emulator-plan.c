/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan of a session: where it finds parts, and what a commit makes of what it found. */
#include "emulator/emu-test.h"

#include <string.h>

#define SESSIONS "/files/upload_sessions"
#define SIZE     2000

static const BoxEmulatorOptions late = { .part_size = PART, .min_size = 1, .plan_delay = 60 };

/* A body that asks for all parts of @data. */
static char *
plan_body (GBytes *data)
{
  GString *body = g_string_new ("{\"parts\":[");
  gsize size;
  const guchar *bytes = g_bytes_get_data (data, &size);

  for (gsize at = 0; at < size; at += PART)
    {
      gsize n = MIN (PART, size - at);
      g_autofree char *hex = g_compute_checksum_for_data (G_CHECKSUM_SHA512, bytes + at, n);

      g_string_append_printf (body, "%s{\"offset\":%zu,\"size\":%zu,\"sha512\":\"%s\"}",
                              at > 0 ? "," : "", at, n, hex);
    }
  g_string_append (body, "]}");
  return g_string_free (body, FALSE);
}

static Answer *
ask_plan (Fixture *fixture, const char *session, GBytes *data)
{
  g_autofree char *path = g_strconcat (SESSIONS "/", session, "/plan", NULL);
  g_autofree char *body = plan_body (data);

  return ask (fixture, "POST", path, body, NULL);
}

static guint
count_hits (Fixture *fixture, const char *session, GBytes *data)
{
  g_autoptr (Answer) answer = ask_plan (fixture, session, data);
  guint hits, misses;

  g_assert_cmpuint (answer->status, ==, 200);
  g_assert_cmpstr (get_string (answer, "upload_session_id", NULL), ==, session);
  hits = json_array_get_length (json_object_get_array_member (answer->json, "hits"));
  misses = json_array_get_length (json_object_get_array_member (answer->json, "misses"));
  g_assert_cmpuint (hits + misses, ==, SIZE / PART);
  return hits;
}

/* Uploads @data and commits it. The file's id. */
static char *
store_file (Fixture *fixture, const char *name, GBytes *data)
{
  g_autofree char *session = create_session (fixture, name, SIZE);
  g_autofree char *body = put_all (fixture, session, data);
  g_autoptr (Answer) answer = commit (fixture, session, data, body);
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_cmpuint (answer->status, ==, 201);
  file = box_emulator_find_file (fixture->emulator, "0", name);
  return g_strdup (file->id);
}

static char *
create_version_session (Fixture *fixture, const char *file_id)
{
  g_autofree char *path = g_strconcat ("/files/", file_id, "/upload_sessions", NULL);
  g_autoptr (Answer) answer = ask (fixture, "POST", path, "{\"file_size\":2000}", NULL);

  g_assert_cmpuint (answer->status, ==, 201);
  return g_strdup (get_string (answer, "id", NULL));
}

/* What a scope finds: of two parts each, in the same session, in the same file, in another session
 * that is not committed. */
typedef struct
{
  BoxEmulatorPlan scope;
  guint own, file, other;
} Scope;

static const Scope scopes[] = {
  { BOX_EMULATOR_PLAN_NONE, 0, 0, 0 },  { BOX_EMULATOR_PLAN_SESSION, 2, 0, 0 },
  { BOX_EMULATOR_PLAN_FILE, 2, 2, 0 },  { BOX_EMULATOR_PLAN_ACCOUNT, 2, 2, 2 },
  { BOX_EMULATOR_PLAN_LYING, 2, 2, 2 }, { BOX_EMULATOR_PLAN_WRONG, 2, 2, 2 },
};

static void
test_each_scope_finds_what_it_says (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) stored = kit_pattern_bytes (0, SIZE), open = kit_pattern_bytes (SIZE, SIZE);
  g_autofree char *file = store_file (fixture, "a", stored);
  g_autofree char *version = create_version_session (fixture, file);
  g_autofree char *own = create_session (fixture, "b", SIZE);
  g_autofree char *other = create_session (fixture, "c", SIZE);
  g_autofree char *body = put_all (fixture, own, open);

  for (gsize i = 0; i < G_N_ELEMENTS (scopes); i++)
    {
      box_emulator_set_plan (fixture->emulator, scopes[i].scope, 0);
      g_assert_cmpuint (count_hits (fixture, own, open), ==, scopes[i].own);
      g_assert_cmpuint (count_hits (fixture, version, stored), ==, scopes[i].file);
      g_assert_cmpuint (count_hits (fixture, other, open), ==, scopes[i].other);
      g_assert_cmpuint (count_hits (fixture, other, stored), ==, scopes[i].other);
    }
}

static void
test_without_a_plan_there_is_no_endpoint (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, SIZE);
  g_autofree char *session = create_session (fixture, "a", SIZE);
  g_autofree char *path = g_strconcat (SESSIONS "/", session, NULL);
  g_autoptr (Answer) before = ask (fixture, "GET", path, NULL, NULL);
  g_autoptr (Answer) refusal = ask_plan (fixture, session, data);
  g_autoptr (Answer) after = NULL;
  g_autofree char *url = g_strconcat (box_emulator_get_endpoint (fixture->emulator, FALSE),
                                      SESSIONS "/", session, "/plan", NULL);

  g_assert_false (json_object_has_member (
      json_object_get_object_member (before->json, "session_endpoints"), "plan"));
  assert_refused (refusal, 404, "not_found");
  box_emulator_set_plan (fixture->emulator, BOX_EMULATOR_PLAN_NONE, 0);
  after = ask (fixture, "GET", path, NULL, NULL);
  g_assert_cmpstr (get_string (after, "session_endpoints", "plan", NULL), ==, url);
}

static void
test_a_late_part_is_found_when_it_is_old_enough (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, SIZE);
  g_autofree char *file = store_file (fixture, "a", data);
  g_autofree char *session = create_session (fixture, "b", SIZE);

  box_emulator_set_plan (fixture->emulator, BOX_EMULATOR_PLAN_LATE, 0);
  g_assert_cmpuint (count_hits (fixture, session, data), ==, 0);
  box_emulator_advance_clock (fixture->emulator, 61);
  g_assert_cmpuint (count_hits (fixture, session, data), ==, 2);
}

static void
test_the_first_questions_may_find_nothing (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, SIZE);
  g_autofree char *file = store_file (fixture, "a", data);
  g_autofree char *session = create_session (fixture, "b", SIZE);

  box_emulator_set_plan (fixture->emulator, BOX_EMULATOR_PLAN_ACCOUNT, 2);
  g_assert_cmpuint (count_hits (fixture, session, data), ==, 0);
  g_assert_cmpuint (count_hits (fixture, session, data), ==, 0);
  g_assert_cmpuint (count_hits (fixture, session, data), ==, 2);
}

/* A commit with the ids of hits; their source is gone by then. */
static Answer *
commit_hits (Fixture *fixture, BoxEmulatorPlan scope, const char *name, GBytes *data)
{
  g_autofree char *source = create_session (fixture, "source", SIZE);
  g_autofree char *session = create_session (fixture, name, SIZE);
  g_autofree char *all = put_all (fixture, source, data);
  g_autofree char *path = g_strconcat (SESSIONS "/", source, NULL);
  g_autoptr (Answer) plan = NULL;
  g_autoptr (Answer) aborted = NULL;
  g_autoptr (JsonNode) hits = NULL;
  g_autofree char *text = NULL, *body = NULL;

  box_emulator_set_plan (fixture->emulator, scope, 0);
  plan = ask_plan (fixture, session, data);
  aborted = ask (fixture, "DELETE", path, NULL, NULL);
  g_assert_cmpuint (aborted->status, ==, 204);
  hits = json_node_copy (json_object_get_member (plan->json, "hits"));
  text = json_to_string (hits, FALSE);
  body = g_strdup_printf ("{\"parts\":%s}", text);
  return commit (fixture, session, data, body);
}

static void
test_a_commit_takes_hits (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, SIZE);
  g_autofree char *sha1 = sha1_hex (data);
  g_autoptr (Answer) answer = commit_hits (fixture, BOX_EMULATOR_PLAN_ACCOUNT, "a", data);
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", "a");

  g_assert_cmpuint (answer->status, ==, 201);
  g_assert_cmpstr (file->sha1, ==, sha1);
}

static void
test_a_commit_refuses_false_hits (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, SIZE);
  g_autoptr (Answer) lying = commit_hits (fixture, BOX_EMULATOR_PLAN_LYING, "a", data);
  g_autoptr (Answer) wrong = commit_hits (fixture, BOX_EMULATOR_PLAN_WRONG, "b", data);

  assert_upload_refused (lying, 400, "parts_mismatch");
  assert_upload_refused (wrong, 400, "digest_mismatch");
}

static void
test_a_part_without_what_it_needs_is_refused (Fixture *fixture, gconstpointer options)
{
  static const char *const bodies[] = {
    "{}",
    "{\"parts\":[]}",
    "{\"parts\":[7]}",
    "{\"parts\":[{\"offset\":0,\"size\":1000}]}",
    "{\"parts\":[{\"offset\":0,\"size\":1000,\"sha512\":\"00\"}]}",
    "{\"parts\":[{\"offset\":-1,\"size\":1000,\"sha512\":\"00\"}]}",
  };
  g_autofree char *session = create_session (fixture, "a", SIZE);
  g_autofree char *path = g_strconcat (SESSIONS "/", session, "/plan", NULL);

  box_emulator_set_plan (fixture->emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (Answer) answer = ask (fixture, "POST", path, bodies[i], NULL);

      assert_refused (answer, 400, "bad_request");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/plan/each-scope-finds-what-it-says", test_each_scope_finds_what_it_says, NULL);
  ADD_TEST ("/plan/without-a-plan-there-is-no-endpoint", test_without_a_plan_there_is_no_endpoint,
            NULL);
  ADD_TEST ("/plan/a-late-part-is-found-when-it-is-old-enough",
            test_a_late_part_is_found_when_it_is_old_enough, &late);
  ADD_TEST ("/plan/the-first-questions-may-find-nothing", test_the_first_questions_may_find_nothing,
            NULL);
  ADD_TEST ("/plan/a-commit-takes-hits", test_a_commit_takes_hits, NULL);
  ADD_TEST ("/plan/a-commit-refuses-false-hits", test_a_commit_refuses_false_hits, NULL);
  ADD_TEST ("/plan/a-part-without-what-it-needs-is-refused",
            test_a_part_without_what_it_needs_is_refused, NULL);
  return g_test_run ();
}

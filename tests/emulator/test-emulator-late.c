/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests that are answered before they are done, and done later.
 */
#include "emulator/emu-test.h"

#include <string.h>

#define CREATE "{\"folder_id\":\"0\",\"file_size\":2500,\"file_name\":\"later\"}"

/* A file with one version, and a session for another, all parts of which are there; the result is
 * the body of the commit. */
static char *
prepare_version (Fixture *fixture, GBytes *data, char **file, char **session)
{
  g_autofree char *path = NULL;
  g_autoptr (Answer) answer = NULL;

  *file = box_emulator_add_file (fixture->emulator, "0", "versions", "first", 5);
  path = g_strdup_printf ("/files/%s/upload_sessions", *file);
  answer = ask (fixture, "POST", path, "{\"file_size\":2500}", NULL);
  g_assert_cmpuint (answer->status, ==, 201);
  *session = g_strdup (get_string (answer, "id", NULL));
  return put_all (fixture, *session, data);
}

static guint
count_versions (Fixture *fixture, const char *file)
{
  g_autoptr (BoxEmulatorFile) view = box_emulator_get_file (fixture->emulator, file);

  return view->n_versions;
}

static guint
get_late_status (Fixture *fixture, const char *route)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (fixture->emulator, route);

  return ((BoxEmulatorRequest *) g_ptr_array_index (requests, 0))->late_status;
}

static void
test_commit_counts_when_the_test_says_so (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autofree char *file = NULL, *session = NULL;
  g_autofree char *body = prepare_version (fixture, data, &file, &session);
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"route": "commit", "nth": 1, "do": "reply", "status": 503,
                                 "later": {"name": "then"}}));
  answer = commit (fixture, session, data, body);
  g_assert_cmpuint (answer->status, ==, 503);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "then", KIT_PATIENCE_MS));
  g_assert_cmpuint (count_versions (fixture, file), ==, 1);
  g_assert_cmpuint (get_late_status (fixture, "commit"), ==, 0);
  box_emulator_release (fixture->emulator, "then");
  g_assert_cmpuint (count_versions (fixture, file), ==, 2);
  g_assert_cmpuint (get_late_status (fixture, "commit"), ==, 201);
}

static void
test_released_beforehand_it_is_done_at_once (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"route": "create_session", "do": "reply", "status": 504,
                                 "later": {"name": "then"}}));
  box_emulator_release (fixture->emulator, "then");
  answer = ask (fixture, "POST", "/files/upload_sessions", CREATE, NULL);
  g_assert_cmpuint (answer->status, ==, 504);
  g_assert_cmpuint (get_late_status (fixture, "create_session"), ==, 201);
}

static void
test_done_between_the_next_request_and_its_answer (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autofree char *file = NULL, *session = NULL;
  g_autofree char *body = prepare_version (fixture, data, &file, &session);
  g_autofree char *path = g_strconcat ("/files/", file, NULL);
  g_autoptr (Answer) answer = NULL, unrelated = NULL, before = NULL, after = NULL;
  g_autofree char *sha1 = sha1_hex (data);

  load_scenario (fixture, RULE ({"route": "commit", "nth": 1, "do": "reply", "status": 408,
                                 "later": {"requests": 1, "route": "get_file"}}));
  answer = commit (fixture, session, data, body);
  g_assert_cmpuint (answer->status, ==, 408);
  unrelated = ask (fixture, "GET", "/users/me", NULL, NULL);
  g_assert_cmpuint (count_versions (fixture, file), ==, 1);
  before = ask (fixture, "GET", path, NULL, NULL);
  g_assert_cmpstr (get_string (before, "sha1", NULL), !=, sha1);
  after = ask (fixture, "GET", path, NULL, NULL);
  g_assert_cmpstr (get_string (after, "sha1", NULL), ==, sha1);
}

static void
test_done_after_some_time (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;
  g_autoptr (GPtrArray) ids = NULL;

  load_scenario (fixture, RULE ({"route": "create_session", "do": "reply", "status": 429,
                                 "later": {"ms": 20}}));
  answer = ask (fixture, "POST", "/files/upload_sessions", CREATE, NULL);
  g_assert_cmpuint (answer->status, ==, 429);
  g_assert_true (box_emulator_wait_late (fixture->emulator, 1, KIT_PATIENCE_MS));
  ids = box_emulator_get_session_ids (fixture->emulator);
  g_assert_cmpuint (ids->len, ==, 1);
}

/* Whatever the client gets to see, the part is stored once the rule says so. */
static void
put_with_rule (Fixture *fixture, const char *rule, guint status)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1000);
  g_autofree char *id = create_session (fixture, "a", 1000);
  g_autoptr (BoxEmulatorSession) before = NULL, after = NULL;
  g_autoptr (Answer) answer = NULL;

  box_emulator_clear_scenario (fixture->emulator);
  load_scenario (fixture, rule);
  answer = put_part (fixture, id, data, 0);
  g_assert_cmpuint (answer->status, ==, status);
  before = box_emulator_get_session (fixture->emulator, id);
  g_assert_cmpuint (before->n_stored, ==, 0);
  box_emulator_release (fixture->emulator, "then");
  after = box_emulator_get_session (fixture->emulator, id);
  g_assert_cmpuint (after->n_stored, ==, 1);
}

static void
test_any_answer_may_come_before (Fixture *fixture, gconstpointer options)
{
  put_with_rule (fixture, RULE ({"route": "upload_part", "do": "reply", "status": 500,
                                 "later": {"name": "then"}}),
                                 500);
  put_with_rule (
      fixture, RULE ({"route": "upload_part", "nth": 1, "do": "reset",
                                 "later": {"name": "then"}}),
                      0);
  put_with_rule (
      fixture, RULE ({"route": "upload_part", "nth": 1, "do": "close",
                                 "later": {"name": "then"}}),
                      0);
  put_with_rule (
      fixture,
      RULE ({"route": "upload_part", "nth": 1, "do": "garbage",
                                 "later": {"name": "then"}}), 0);
}

static void
test_done_although_the_client_left (Fixture *fixture, gconstpointer options)
{
  g_autofree char *request =
      g_strdup_printf ("POST /api/2.0/files/upload_sessions HTTP/1.1\r\nAuthorization: Bearer t\r\n"
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n" CREATE,
                       strlen (CREATE));
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GPtrArray) ids = NULL;

  load_scenario (fixture, RULE ({"route": "create_session", "do": "hold", "name": "silence",
                                 "later": {"requests": 0}}));
  connection = connect_and_say (fixture, request);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "silence", KIT_PATIENCE_MS));
  g_assert_true (g_io_stream_close (G_IO_STREAM (connection), NULL, NULL));
  g_assert_true (box_emulator_wait_late (fixture->emulator, 1, KIT_PATIENCE_MS));
  ids = box_emulator_get_session_ids (fixture->emulator);
  g_assert_cmpuint (ids->len, ==, 1);
}

static void
test_late_commit_with_an_old_etag_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autofree char *sha1 = sha1_base64 (data);
  g_autofree char *digest = g_strconcat ("Digest: sha=", sha1, NULL);
  g_autofree char *file = NULL, *session = NULL;
  g_autofree char *body = prepare_version (fixture, data, &file, &session);
  g_autofree char *path = g_strdup_printf ("/files/upload_sessions/%s/commit", session);
  g_autoptr (Answer) first = NULL, second = NULL;

  load_scenario (fixture, RULE ({"route": "commit", "nth": 1, "do": "reply", "status": 503,
                                 "later": {"name": "then"}}));
  first = ask (fixture, "POST", path, body, digest, "If-Match: 0", NULL);
  second = ask (fixture, "POST", path, body, digest, "If-Match: 0", NULL);
  g_assert_cmpuint (first->status, ==, 503);
  g_assert_cmpuint (second->status, ==, 201);
  box_emulator_release (fixture->emulator, "then");
  g_assert_cmpuint (get_late_status (fixture, "commit"), ==, 412);
  g_assert_cmpuint (count_versions (fixture, file), ==, 2);
}

static void
test_direct_upload_may_be_late (Fixture *fixture, gconstpointer options)
{
  static const char body[] = "--x\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n"
                             "{\"name\":\"late.bin\",\"parent\":{\"id\":\"0\"}}\r\n"
                             "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\""
                             "\r\n\r\nbytes\r\n--x--\r\n";
  g_autoptr (Answer) answer = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;

  load_scenario (fixture, RULE ({"route": "upload_file", "do": "reply", "status": 503,
                                 "later": {"name": "then"}}));
  answer = ask (fixture, "POST", "/files/content", body,
                "Content-Type: multipart/form-data; boundary=x", NULL);
  g_assert_cmpuint (answer->status, ==, 503);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
  box_emulator_release (fixture->emulator, "then");
  file = box_emulator_find_file (fixture->emulator, "0", "late.bin");
  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, 5);
}

static void
test_what_is_never_due_is_forgotten (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"route": "create_session", "nth": 1, "do": "reply", "status": 503,
                                 "later": {"name": "never"}},
                               {"route": "create_session", "nth": 2, "do": "reply", "status": 503,
                                "later": {"ms": 3600000}}));
  for (guint i = 0; i < 2; i++)
    {
      g_clear_pointer (&answer, answer_free);
      answer = ask (fixture, "POST", "/files/upload_sessions", CREATE, NULL);
      g_assert_cmpuint (answer->status, ==, 503);
    }
}

static void
assert_nonsense (Fixture *fixture, const char *json)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (box_emulator_load_scenario (fixture->emulator, json, &error));
  g_assert_nonnull (error);
}

static void
test_nonsense_is_refused (Fixture *fixture, gconstpointer options)
{
  assert_nonsense (fixture, RULE ({"do": "reset", "later": true}));
  assert_nonsense (fixture, RULE ({"do": "reset", "later": {}}));
  assert_nonsense (fixture, RULE ({"do": "reset", "at": "head", "later": {"ms": 1}}));
  assert_nonsense (fixture, RULE ({"do": "delay", "later": {"ms": 1}}));
  assert_nonsense (fixture, RULE ({"do": "change", "later": {"ms": 1}}));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/late/commit-counts-when-the-test-says-so", test_commit_counts_when_the_test_says_so,
            NULL);
  ADD_TEST ("/late/released-beforehand-it-is-done-at-once",
            test_released_beforehand_it_is_done_at_once, NULL);
  ADD_TEST ("/late/done-between-the-next-request-and-its-answer",
            test_done_between_the_next_request_and_its_answer, NULL);
  ADD_TEST ("/late/done-after-some-time", test_done_after_some_time, NULL);
  ADD_TEST ("/late/any-answer-may-come-before", test_any_answer_may_come_before, NULL);
  ADD_TEST ("/late/done-although-the-client-left", test_done_although_the_client_left, NULL);
  ADD_TEST ("/late/commit-with-an-old-etag-is-refused",
            test_late_commit_with_an_old_etag_is_refused, NULL);
  ADD_TEST ("/late/direct-upload-may-be-late", test_direct_upload_may_be_late, NULL);
  ADD_TEST ("/late/what-is-never-due-is-forgotten", test_what_is_never_due_is_forgotten, NULL);
  ADD_TEST ("/late/nonsense-is-refused", test_nonsense_is_refused, NULL);
  return g_test_run ();
}

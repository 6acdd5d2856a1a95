/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenarios that change replies on their way, and changes by others meanwhile.
 */
#include "emulator/emu-test.h"

#include <string.h>

#define ME "/users/me"

/* Everything that comes for one GET on a connection of its own, until the emulator ends it. */
static char *
read_raw (Fixture *fixture, const char *path)
{
  g_autofree char *request = g_strdup_printf (
      "GET /2.0%s HTTP/1.1\r\nAuthorization: Bearer t\r\nConnection: close\r\n\r\n", path);
  g_autoptr (GSocketConnection) connection = connect_and_say (fixture, request);
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GString *text = g_string_new (NULL);
  char buffer[4096];
  gssize n = 1;

  while (n > 0)
    {
      n = g_input_stream_read (in, buffer, sizeof buffer, NULL, NULL);
      g_string_append_len (text, buffer, MAX (n, 0));
    }
  return g_string_free (text, FALSE);
}

static void
test_head_is_cut_at_a_byte (Fixture *fixture, gconstpointer options)
{
  g_autofree char *text = NULL;

  load_scenario (fixture, RULE ({"do": "close", "at": "reply-head", "bytes": 11}));
  text = read_raw (fixture, ME);
  g_assert_cmpstr (text, ==, "HTTP/1.1 20");
}

static void
test_head_is_whole_and_the_body_absent (Fixture *fixture, gconstpointer options)
{
  g_autofree char *text = NULL;

  load_scenario (fixture, RULE ({"do": "close", "at": "reply", "bytes": 0}));
  text = read_raw (fixture, ME);
  g_assert_true (g_str_has_suffix (text, "\r\n\r\n"));
}

static void
test_delayed_reply_comes_whole (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"do": "delay", "at": "reply-head", "bytes": 5, "ms": 1},
                                {"do": "delay", "at": "reply", "bytes": 10, "ms": 1}));
  answer = ask (fixture, "GET", ME, NULL, NULL);
  g_assert_cmpuint (answer->status, ==, 200);
  g_assert_nonnull (answer->json);
}

static void
test_dripping_reply_comes_whole (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"do": "drip", "at": "reply-head", "ms": 0}));
  answer = ask (fixture, "GET", ME, NULL, NULL);
  g_assert_cmpuint (answer->status, ==, 200);
  g_assert_nonnull (answer->json);
}

static gpointer
ask_for_user (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (SoupSession) http = soup_session_new ();
  Fixture other = { fixture->emulator, http };

  return ask (&other, "GET", ME, NULL, NULL);
}

static void
test_reply_stalls_until_it_is_released (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;
  GThread *thread;

  load_scenario (fixture, RULE ({"do": "hold", "name": "half", "at": "reply", "bytes": 10}));
  thread = g_thread_new ("ask", ask_for_user, fixture);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "half", KIT_PATIENCE_MS));
  box_emulator_release (fixture->emulator, "half");
  answer = g_thread_join (thread);
  g_assert_cmpuint (answer->status, ==, 200);
  g_assert_nonnull (answer->json);
}

static void
test_interim_replies_come_first (Fixture *fixture, gconstpointer options)
{
  g_autofree char *text = NULL;
  const char *rest;

  load_scenario (fixture, RULE ({"do": "interim", "count": 3}));
  text = read_raw (fixture, ME);
  rest = text;
  for (guint i = 0; i < 3; i++)
    {
      g_assert_true (g_str_has_prefix (rest, "HTTP/1.1 102 Processing\r\n\r\n"));
      rest += strlen ("HTTP/1.1 102 Processing\r\n\r\n");
    }
  g_assert_true (g_str_has_prefix (rest, "HTTP/1.1 200 OK\r\n"));
}

static void
test_interim_replies_go_on_until_the_client_goes (Fixture *fixture, gconstpointer options)
{
  static const char request[] = "GET /2.0/users/me HTTP/1.1\r\nAuthorization: Bearer t\r\n\r\n";
  g_autoptr (GSocketConnection) connection = NULL;
  GInputStream *in;
  char buffer[4096];
  gsize n;

  load_scenario (fixture, RULE ({"do": "interim", "status": 100}));
  connection = connect_and_say (fixture, request);
  in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  g_assert_true (g_input_stream_read_all (in, buffer, sizeof buffer, &n, NULL, NULL));
  g_assert_cmpuint (n, ==, sizeof buffer);
  g_assert_cmpmem (buffer, 21, "HTTP/1.1 100 Continue", 21);
  g_assert_true (g_io_stream_close (G_IO_STREAM (connection), NULL, NULL));
  g_assert_true (box_emulator_wait_done (fixture->emulator, "get_user", 1, KIT_PATIENCE_MS));
}

static void
test_stages_of_the_reply_take_what_can_be_done_there (Fixture *fixture, gconstpointer options)
{
  static const char *const scenarios[] = {
    "[{'do': 'drip', 'at': 'head'}]",
    "[{'do': 'change', 'at': 'reply'}]",
    "[{'do': 'reply', 'status': 500, 'at': 'reply'}]",
    "[{'do': 'others'}]",
    "[{'do': 'endless', 'at': 'reply-head'}]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", scenarios[i]);
      g_assert_false (box_emulator_load_scenario (fixture->emulator, scenarios[i], &error));
      g_assert_nonnull (error);
    }
}

/* --- others ------------------------------------------------------------------------------------
 */

/* Uploads "mine" with a commit that meets @rule. */
static guint
upload (Fixture *fixture, const char *rule)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autofree char *id = create_session (fixture, "mine", 2500);
  g_autofree char *body = put_all (fixture, id, data);
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, rule);
  answer = commit (fixture, id, data, body);
  return answer->status;
}

static void
test_others_rename_what_was_committed (Fixture *fixture, gconstpointer options)
{
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_cmpuint (
      upload (fixture, RULE ({"route": "commit", "do": "others",
                                            "others": {"name": "theirs"}},
                                           {"route": "commit", "do": "reset", "at": "stored"})),
                             ==, 0);
  file = box_emulator_find_file (fixture->emulator, "0", "theirs");
  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, 2500);
}

static void
test_others_move_what_was_committed (Fixture *fixture, gconstpointer options)
{
  g_autofree char *folder = box_emulator_add_folder (fixture->emulator, "0", "theirs");
  g_autofree char *rule = g_strdup_printf (
      RULE ({"route": "commit", "do": "others",
                                                  "others": {"parent": {"id": "%s"}}}), folder);
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_cmpuint (upload (fixture, rule), ==, 201);
  file = box_emulator_find_file (fixture->emulator, folder, "mine");
  g_assert_nonnull (file);
}

static void
test_others_add_a_version (Fixture *fixture, gconstpointer options)
{
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_autofree char *path = NULL;
  g_autoptr (Answer) versions = NULL;

  g_assert_cmpuint (
      upload (fixture, RULE ({"route": "commit", "do": "others",
                                            "others": {"version": "theirs"}})),
              ==, 201);
  file = box_emulator_find_file (fixture->emulator, "0", "mine");
  g_assert_cmpuint (file->n_versions, ==, 2);
  g_assert_cmpuint (file->size, ==, 6);
  path = g_strdup_printf ("/files/%s/versions", file->id);
  versions = ask (fixture, "GET", path, NULL, NULL);
  g_assert_cmpint (get_int (versions, "total_count"), ==, 1);
}

static void
test_others_take_the_name (Fixture *fixture, gconstpointer options)
{
  g_assert_cmpuint (upload (
      fixture, RULE ({"route": "commit", "at": "end", "do": "others",
                                            "others": {"file": {}}})), ==,
                     409);
}

static void
test_others_delete_what_was_committed (Fixture *fixture, gconstpointer options)
{
  g_assert_cmpuint (upload (
      fixture, RULE ({"route": "commit", "do": "others",
                                            "others": {"delete": true}})), ==, 201);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_others_act_from_the_test (Fixture *fixture, gconstpointer options)
{
  BoxEmulator *emulator = fixture->emulator;
  g_autofree char *id = box_emulator_add_file (emulator, "0", "a", "1", 1);
  g_autofree char *other = box_emulator_add_file (emulator, "0", "b", "1", 1);
  g_autofree char *folder = box_emulator_add_folder (emulator, "0", "f");
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_true (box_emulator_add_version (emulator, id, "22", 2));
  g_assert_false (box_emulator_move_file (emulator, id, NULL, "b"));
  g_assert_true (box_emulator_move_file (emulator, id, folder, "c"));
  file = box_emulator_find_file (emulator, folder, "c");
  g_assert_nonnull (file);
  g_assert_cmpuint (file->n_versions, ==, 2);
  g_assert_true (box_emulator_delete_file (emulator, id));
  g_assert_false (box_emulator_delete_file (emulator, id));
}

/* --- sessions ----------------------------------------------------------------------------------
 */

#define CREATE "{\"folder_id\":\"0\",\"file_size\":2500,\"file_name\":\"again\"}"

static void
test_conflict_names_the_session_that_is_there (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) first = NULL, second = NULL, other = NULL;

  first = ask (fixture, "POST", "/files/upload_sessions", CREATE, NULL);
  second = ask (fixture, "POST", "/files/upload_sessions", CREATE, NULL);
  other = ask (fixture, "POST", "/files/upload_sessions",
               "{\"folder_id\":\"0\",\"file_size\":2501,\"file_name\":\"again\"}", NULL);
  assert_refused (second, 409, "session_conflict");
  g_assert_cmpstr (get_string (second, "context_info", "session", "id", NULL), ==,
                   get_string (first, "id", NULL));
  g_assert_cmpuint (other->status, ==, 201);
}

static void
test_scenario_plays_a_conflict (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;
  g_autoptr (GPtrArray) ids = NULL;

  load_scenario (fixture, RULE ({"route": "create_session", "do": "conflict"}));
  answer = ask (fixture, "POST", "/files/upload_sessions", CREATE, NULL);
  assert_refused (answer, 409, "session_conflict");
  ids = box_emulator_get_session_ids (fixture->emulator);
  g_assert_cmpstr (get_string (answer, "context_info", "session", "id", NULL), ==,
                   g_ptr_array_index (ids, 0));
}

int
main (int argc, char **argv)
{
  static const BoxEmulatorOptions conflicts = { .part_size = PART,
                                                .min_size = 1,
                                                .session_conflicts = TRUE };

  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/reply/head-is-cut-at-a-byte", test_head_is_cut_at_a_byte, NULL);
  ADD_TEST ("/reply/head-is-whole-and-the-body-absent", test_head_is_whole_and_the_body_absent,
            NULL);
  ADD_TEST ("/reply/delayed-it-comes-whole", test_delayed_reply_comes_whole, NULL);
  ADD_TEST ("/reply/dripping-it-comes-whole", test_dripping_reply_comes_whole, NULL);
  ADD_TEST ("/reply/stalls-until-it-is-released", test_reply_stalls_until_it_is_released, NULL);
  ADD_TEST ("/interim/replies-come-first", test_interim_replies_come_first, NULL);
  ADD_TEST ("/interim/replies-go-on-until-the-client-goes",
            test_interim_replies_go_on_until_the_client_goes, NULL);
  ADD_TEST ("/reply/stages-take-what-can-be-done-there",
            test_stages_of_the_reply_take_what_can_be_done_there, NULL);
  ADD_TEST ("/others/rename-what-was-committed", test_others_rename_what_was_committed, NULL);
  ADD_TEST ("/others/move-what-was-committed", test_others_move_what_was_committed, NULL);
  ADD_TEST ("/others/add-a-version", test_others_add_a_version, NULL);
  ADD_TEST ("/others/take-the-name", test_others_take_the_name, NULL);
  ADD_TEST ("/others/delete-what-was-committed", test_others_delete_what_was_committed, NULL);
  ADD_TEST ("/others/act-from-the-test", test_others_act_from_the_test, NULL);
  ADD_TEST ("/conflict/names-the-session-that-is-there",
            test_conflict_names_the_session_that_is_there, &conflicts);
  ADD_TEST ("/conflict/scenario-plays-one", test_scenario_plays_a_conflict, NULL);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/emu-test.h"

#include <string.h>

#define ME "/users/me"

static guint
get_status (Fixture *fixture, const char *path)
{
  g_autoptr (Answer) answer = ask (fixture, "GET", path, NULL, NULL);

  return answer->status;
}

/* The statuses of @n requests for @path, as text. */
static char *
get_statuses (Fixture *fixture, const char *path, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? " " : "", get_status (fixture, path));
  return g_string_free (text, FALSE);
}

/* --- which requests ----------------------------------------------------------------------------
 */

static void
test_rule_strikes_the_occurrences_it_names (Fixture *fixture, gconstpointer options)
{
  static const struct
  {
    const char *rule;
    const char *statuses;
  } cases[] = {
    { "", "503 503 503 503 503 503" },
    { "'times': 2,", "503 503 200 200 200 200" },
    { "'from': 3,", "200 200 503 503 503 503" },
    { "'from': 2, 'times': 2,", "200 503 503 200 200 200" },
    { "'every': 2,", "503 200 503 200 503 200" },
    { "'from': 2, 'every': 2, 'times': 2,", "200 503 200 503 200 200" },
    { "'nth': 3,", "200 200 503 200 200 200" },
    { "'nth': [1, 4],", "503 200 200 503 200 200" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *json = g_strdup_printf (
          "[{'route': 'get_user', %s 'do': 'reply', 'status': 503}]", cases[i].rule);
      g_autofree char *statuses = NULL;

      box_emulator_clear_scenario (fixture->emulator);
      load_scenario (fixture, json);
      statuses = get_statuses (fixture, ME, 6);
      g_assert_cmpstr (statuses, ==, cases[i].statuses);
    }
}

static void
test_rule_strikes_only_what_it_matches (Fixture *fixture, gconstpointer options)
{
  static const char *const rules[] = {
    "'route': 'get_user'",
    "'route': ['get_file', 'get_user']",
    "'path': '*/me*'",
    "'method': 'GET', 'path': '/api/2.0/users/*'",
    "'token': 't', 'route': 'get_user'",
  };

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      g_autofree char *json = g_strdup_printf ("[{%s, 'do': 'reply', 'status': 503}]", rules[i]);

      box_emulator_clear_scenario (fixture->emulator);
      load_scenario (fixture, json);
      g_assert_cmpuint (get_status (fixture, ME), ==, 503);
      g_assert_cmpuint (get_status (fixture, "/folders/0"), ==, 200);
    }
}

static void
test_rule_finds_a_part_by_index_or_offset (Fixture *fixture, gconstpointer options)
{
  static const char *const rules[] = { "'part': 1", "'offset': 1000" };
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 3000);

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      g_autofree char *id = create_session (fixture, "a", 3000);
      g_autofree char *json = g_strdup_printf ("[{%s, 'do': 'reply', 'status': 500}]", rules[i]);
      g_autoptr (Answer) first = NULL, second = NULL;

      box_emulator_clear_scenario (fixture->emulator);
      load_scenario (fixture, json);
      first = put_part (fixture, id, data, 0);
      second = put_part (fixture, id, data, 1000);
      g_assert_cmpuint (first->status, ==, 200);
      g_assert_cmpuint (second->status, ==, 500);
    }
}

static void
test_nonsense_is_refused (Fixture *fixture, gconstpointer options)
{
  static const char *const scenarios[] = {
    "{",
    "{}",
    "3",
    "[3]",
    "[{}]",
    "[{'do': 'explode'}]",
    "[{'do': 'reply'}]",
    "[{'do': 'reply', 'status': 9}]",
    "[{'do': 'reset', 'at': 'noon'}]",
    "[{'do': 'reset', 'whence': 1}]",
    "[{'do': 'reset', 'times': -1}]",
    "[{'do': 'reset', 'every': 0}]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (box_emulator_load_scenario (fixture->emulator, scenarios[i], &error));
      g_assert_nonnull (error);
    }
  g_assert_cmpuint (get_status (fixture, ME), ==, 200);
}

/* --- what happens ------------------------------------------------------------------------------
 */

static void
test_reply_has_status_headers_and_body (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) json = NULL, html = NULL, redirect = NULL;

  load_scenario (fixture,
                 RULE ({"nth": 1, "do": "reply", "status": 429, "json": {"code": "x"},
                        "headers": {"Retry-After": "7"}},
                       {"nth": 2, "do": "reply", "status": 502, "body": "<html>"},
                       {"nth": 3, "do": "reply", "status": 307,
                        "headers": {"Location": "http://127.0.0.1:1/"}}));
  json = ask (fixture, "GET", ME, NULL, NULL);
  html = ask (fixture, "GET", ME, NULL, NULL);
  redirect = ask (fixture, "GET", ME, NULL, NULL);
  g_assert_cmpuint (json->status, ==, 429);
  g_assert_cmpstr (get_string (json, "code", NULL), ==, "x");
  g_assert_cmpstr (soup_message_headers_get_one (json->headers, "Retry-After"), ==, "7");
  g_assert_cmpuint (html->status, ==, 502);
  g_assert_cmpmem (g_bytes_get_data (html->body, NULL), g_bytes_get_size (html->body), "<html>", 6);
  g_assert_cmpuint (redirect->status, ==, 307);
}

/* Whether a part whose upload meets @rule is stored, and the status that the client gets (0: none).
 */
static guint
put_with_rule (Fixture *fixture, const char *rule, guint *stored)
{
  g_autofree char *id = create_session (fixture, "a", 1000);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1000);
  g_autofree char *json = g_strdup_printf ("[{'route': 'upload_part', 'nth': 1, %s}]", rule);
  g_autoptr (BoxEmulatorSession) session = NULL;
  g_autoptr (Answer) answer = NULL;

  box_emulator_clear_scenario (fixture->emulator);
  load_scenario (fixture, json);
  answer = put_part (fixture, id, data, 0);
  session = box_emulator_get_session (fixture->emulator, id);
  *stored = session->n_stored;
  return answer->status;
}

/* The fate of a part whose upload meets a rule: the status that the client gets (0: none), and
 * whether the part is stored. */
typedef struct
{
  const char *name;
  const char *rule;
  guint status;
  guint stored;
} Strike;

static const Strike strikes[] = {
  { "reset-at-head", "'do': 'reset'", 0, 0 },
  { "reset-in-body", "'do': 'reset', 'bytes': 500", 0, 0 },
  { "reset-at-end", "'do': 'reset', 'at': 'end'", 0, 0 },
  { "reset-when-stored", "'do': 'reset', 'at': 'stored'", 0, 1 },
  { "close-at-head", "'do': 'close'", 0, 0 },
  { "close-in-body", "'do': 'close', 'bytes': 500", 0, 0 },
  { "close-when-stored", "'do': 'close', 'at': 'stored'", 0, 1 },
  { "garbage", "'do': 'garbage'", 0, 0 },
  { "garbage-when-stored", "'do': 'garbage', 'at': 'stored'", 0, 1 },
  { "reply", "'do': 'reply', 'status': 500", 500, 0 },
  { "reply-when-stored", "'do': 'reply', 'status': 500, 'at': 'stored'", 500, 1 },
  { "reply-at-head", "'do': 'reply', 'status': 429, 'at': 'head'", 429, 0 },
  { "reply-in-body", "'do': 'reply', 'status': 429, 'bytes': 10, 'at': 'body'", 429, 0 },
  { "delay", "'do': 'delay', 'ms': 20", 200, 1 },
  { "change", "'do': 'change', 'status': 203", 203, 1 },
  { "reset-in-reply", "'do': 'reset', 'at': 'reply', 'bytes': 5", 0, 1 },
  { "close-in-reply", "'do': 'close', 'at': 'reply', 'bytes': 5", 0, 1 },
};

static void
set_up_strike (Fixture *fixture, gconstpointer strike)
{
  fixture_set_up (fixture, &small);
}

static void
test_rule_strikes_before_within_or_after_storing (Fixture *fixture, gconstpointer data)
{
  const Strike *strike = data;
  guint stored;

  g_assert_cmpuint (put_with_rule (fixture, strike->rule, &stored), ==, strike->status);
  g_assert_cmpuint (stored, ==, strike->stored);
}

static void
add_strikes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (strikes); i++)
    {
      g_autofree char *path = g_strdup_printf ("/rule/strikes/%s", strikes[i].name);

      g_test_add (path, Fixture, &strikes[i], set_up_strike,
                  test_rule_strikes_before_within_or_after_storing, fixture_tear_down);
    }
}

static void
test_rules_in_the_body_wait_for_their_bytes (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1000);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1000);
  g_autoptr (GPtrArray) requests = NULL;
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"route": "upload_part", "do": "reset", "bytes": 900},
                                {"route": "upload_part", "do": "delay", "ms": 1, "bytes": 10}));
  answer = put_part (fixture, id, data, 0);
  g_assert_cmpuint (answer->status, ==, 0);
  requests = box_emulator_get_requests (fixture->emulator, "upload_part");
  g_assert_cmpuint (((BoxEmulatorRequest *) g_ptr_array_index (requests, 0))->body_bytes, ==, 900);
}

static void
test_rule_at_the_end_strikes_also_what_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1000);
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"route": "upload_part", "do": "reply", "status": 503}));
  answer = put_part (fixture, "00000000000000000000000000000000", data, 0);
  g_assert_cmpuint (answer->status, ==, 503);
}

static void
test_change_is_merged_into_the_reply (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture,
                 RULE ({"route": "create_session", "do": "change",
                        "change": {"part_size": 0, "total_parts": null,
                                   "session_endpoints": {"commit": "https://example.com/"}}}));
  answer = ask (fixture, "POST", "/files/upload_sessions",
                "{\"folder_id\":\"0\",\"file_size\":2001,\"file_name\":\"a\"}", NULL);
  g_assert_cmpuint (answer->status, ==, 201);
  g_assert_cmpint (get_int (answer, "part_size"), ==, 0);
  g_assert_false (json_object_has_member (answer->json, "total_parts"));
  g_assert_cmpstr (get_string (answer, "session_endpoints", "commit", NULL), ==,
                   "https://example.com/");
  g_assert_true (
      g_str_has_prefix (get_string (answer, "session_endpoints", "abort", NULL), "http://127"));
}

static void
test_endless_body_does_not_end (Fixture *fixture, gconstpointer options)
{
  g_autofree char *url =
      g_strconcat (box_emulator_get_endpoint (fixture->emulator, FALSE), ME, NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
  g_autoptr (GInputStream) stream = NULL;
  g_autofree char *buffer = g_malloc (1 << 20);
  gsize n = 0;

  load_scenario (fixture, RULE ({"do": "endless"}));
  stream = soup_session_send (fixture->http, message, NULL, NULL);
  g_assert_nonnull (stream);
  for (guint i = 0; i < 8; i++)
    {
      g_assert_true (g_input_stream_read_all (stream, buffer, 1 << 20, &n, NULL, NULL));
      g_assert_cmpuint (n, ==, 1 << 20);
    }
  g_input_stream_close (stream, NULL, NULL);
}

static void
test_fill_makes_a_large_body (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"do": "reply", "status": 200, "fill": 3000000}));
  answer = ask (fixture, "GET", ME, NULL, NULL);
  g_assert_cmpuint (g_bytes_get_size (answer->body), ==, 3000000);
}

/* --- holds -------------------------------------------------------------------------------------
 */

static gpointer
ask_for_user (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (SoupSession) http = soup_session_new ();
  Fixture other = { fixture->emulator, http };

  return GUINT_TO_POINTER (get_status (&other, ME));
}

static void
test_hold_ends_when_it_is_released (Fixture *fixture, gconstpointer options)
{
  GThread *thread;

  load_scenario (fixture, RULE ({"route": "get_user", "do": "hold", "name": "gate"}));
  g_assert_false (box_emulator_wait_held (fixture->emulator, "gate", 1));
  thread = g_thread_new ("ask", ask_for_user, fixture);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  g_assert_false (box_emulator_wait_done (fixture->emulator, "get_user", 1, 30));
  box_emulator_release (fixture->emulator, "gate");
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 200);
  g_assert_cmpuint (get_status (fixture, ME), ==, 200);
}

static void
test_hold_notices_that_the_client_went (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GPtrArray) requests = NULL;
  const BoxEmulatorRequest *request;

  load_scenario (fixture, RULE ({"route": "get_user", "do": "hold"}));
  connection = connect_and_say (fixture, "GET /2.0/users/me HTTP/1.1\r\n\r\n");
  g_assert_true (box_emulator_wait_held (fixture->emulator, "", KIT_PATIENCE_MS));
  g_assert_true (g_io_stream_close (G_IO_STREAM (connection), NULL, NULL));
  g_assert_true (box_emulator_wait_done (fixture->emulator, "get_user", 1, KIT_PATIENCE_MS));
  requests = box_emulator_get_requests (fixture->emulator, "get_user");
  request = g_ptr_array_index (requests, 0);
  g_assert_true (request->aborted);
  g_assert_cmpuint (request->status, ==, 0);
  g_assert_cmpstr (request->fault, ==, "hold");
}

static void
test_hold_does_not_keep_the_emulator_alive (Fixture *fixture, gconstpointer options)
{
  GThread *thread;

  load_scenario (fixture, RULE ({"route": "get_user", "do": "hold", "name": "gate"}));
  thread = g_thread_new ("ask", ask_for_user, fixture);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  box_emulator_set_down (fixture->emulator, TRUE);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 0);
}

static void
test_clearing_lets_all_go_on (Fixture *fixture, gconstpointer options)
{
  GThread *thread;

  load_scenario (fixture, RULE ({"route": "get_user", "do": "hold", "name": "gate"}));
  thread = g_thread_new ("ask", ask_for_user, fixture);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  box_emulator_clear_scenario (fixture->emulator);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/rule/strikes-the-occurrences-it-names", test_rule_strikes_the_occurrences_it_names,
            NULL);
  ADD_TEST ("/rule/strikes-only-what-it-matches", test_rule_strikes_only_what_it_matches, NULL);
  ADD_TEST ("/rule/finds-a-part-by-index-or-offset", test_rule_finds_a_part_by_index_or_offset,
            NULL);
  ADD_TEST ("/rule/nonsense-is-refused", test_nonsense_is_refused, NULL);
  ADD_TEST ("/reply/has-status-headers-and-body", test_reply_has_status_headers_and_body, NULL);
  add_strikes ();
  ADD_TEST ("/rule/in-the-body-waits-for-its-bytes", test_rules_in_the_body_wait_for_their_bytes,
            NULL);
  ADD_TEST ("/rule/at-the-end-strikes-also-what-is-refused",
            test_rule_at_the_end_strikes_also_what_is_refused, NULL);
  ADD_TEST ("/change/is-merged-into-the-reply", test_change_is_merged_into_the_reply, NULL);
  ADD_TEST ("/endless/does-not-end", test_endless_body_does_not_end, NULL);
  ADD_TEST ("/reply/fill-makes-a-large-body", test_fill_makes_a_large_body, NULL);
  ADD_TEST ("/hold/ends-when-it-is-released", test_hold_ends_when_it_is_released, NULL);
  ADD_TEST ("/hold/notices-that-the-client-went", test_hold_notices_that_the_client_went, NULL);
  ADD_TEST ("/hold/does-not-keep-the-emulator-alive", test_hold_does_not_keep_the_emulator_alive,
            NULL);
  ADD_TEST ("/hold/clearing-lets-all-go-on", test_clearing_lets_all_go_on, NULL);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/error.h"

#include <string.h>

static const struct
{
  guint status;
  const char *code;
  BoxSubject subject;
  BoxErrorCode error;
} rows[] = {
  { 400, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_PROTOCOL },
  { 400, "bad_request", BOX_SUBJECT_SESSION, BOX_ERROR_PROTOCOL },
  { 400, "item_name_invalid", BOX_SUBJECT_ITEM, BOX_ERROR_SETTINGS },
  { 400, "item_name_too_long", BOX_SUBJECT_ITEM, BOX_ERROR_SETTINGS },
  { 400, "invalid_folder_id", BOX_SUBJECT_ITEM, BOX_ERROR_SETTINGS },
  { 400, "file_size_too_small", BOX_SUBJECT_ITEM, BOX_ERROR_SIZE },
  { 400, "digest_mismatch", BOX_SUBJECT_SESSION, BOX_ERROR_INTEGRITY },
  { 400, "bad_digest", BOX_SUBJECT_ITEM, BOX_ERROR_INTEGRITY },
  { 400, "parts_mismatch", BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
  { 400, "invalid_upload_session_id", BOX_SUBJECT_LOOKUP, BOX_ERROR_NOT_FOUND },
  { 400, "invalid_upload_session_id", BOX_SUBJECT_SESSION, BOX_ERROR_SESSION_GONE },
  { 401, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_CREDENTIALS },
  { 401, "unauthorized", BOX_SUBJECT_SESSION, BOX_ERROR_CREDENTIALS },
  { 403, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_FORBIDDEN },
  { 403, "forbidden", BOX_SUBJECT_SESSION, BOX_ERROR_FORBIDDEN },
  { 403, "access_denied_insufficient_permissions", BOX_SUBJECT_ITEM, BOX_ERROR_FORBIDDEN },
  { 403, "insufficient_scope", BOX_SUBJECT_ITEM, BOX_ERROR_FORBIDDEN },
  { 403, "storage_limit_exceeded", BOX_SUBJECT_ITEM, BOX_ERROR_SPACE },
  { 403, "file_size_limit_exceeded", BOX_SUBJECT_ITEM, BOX_ERROR_SIZE },
  { 404, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_NOT_FOUND },
  { 404, "invalid_parameter", BOX_SUBJECT_ITEM, BOX_ERROR_NOT_FOUND },
  { 404, "not_found", BOX_SUBJECT_LOOKUP, BOX_ERROR_NOT_FOUND },
  { 404, "not_found", BOX_SUBJECT_SESSION, BOX_ERROR_SESSION_GONE },
  { 405, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_PROTOCOL },
  { 407, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_SETTINGS },
  { 408, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
  { 409, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_CONFLICT },
  { 409, "item_name_in_use", BOX_SUBJECT_ITEM, BOX_ERROR_NAME_IN_USE },
  { 409, "item_name_in_use", BOX_SUBJECT_SESSION, BOX_ERROR_NAME_IN_USE },
  { 409, "session_conflict", BOX_SUBJECT_ITEM, BOX_ERROR_CONFLICT },
  { 409, "name_temporarily_reserved", BOX_SUBJECT_ITEM, BOX_ERROR_TRANSIENT },
  { 409, "operation_blocked_temporary", BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
  { 409, "range_overlaps_existing_part", BOX_SUBJECT_SESSION, BOX_ERROR_CONFLICT },
  { 410, NULL, BOX_SUBJECT_LOOKUP, BOX_ERROR_SESSION_GONE },
  { 410, "session_expired", BOX_SUBJECT_SESSION, BOX_ERROR_SESSION_GONE },
  { 410, "upload_failed", BOX_SUBJECT_SESSION, BOX_ERROR_SESSION_GONE },
  { 411, "length_required", BOX_SUBJECT_SESSION, BOX_ERROR_PROTOCOL },
  { 412, "precondition_failed", BOX_SUBJECT_SESSION, BOX_ERROR_CONFLICT },
  { 413, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_SIZE },
  { 416, "range_overlaps_existing_part", BOX_SUBJECT_SESSION, BOX_ERROR_CONFLICT },
  { 416, "invalid_range", BOX_SUBJECT_SESSION, BOX_ERROR_SIZE },
  { 416, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_CONFLICT },
  { 425, "internal_server_error", BOX_SUBJECT_ITEM, BOX_ERROR_TRANSIENT },
  { 429, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_TRANSIENT },
  { 429, "rate_limit_exceeded", BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
  { 500, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
  { 501, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_PROTOCOL },
  { 502, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
  { 503, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
  { 504, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
  { 507, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_SPACE },
  { 509, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_TRANSIENT },
  { 302, NULL, BOX_SUBJECT_ITEM, BOX_ERROR_PROTOCOL },
  { 204, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_PROTOCOL },
};

static void
test_each_refusal_says_who_must_act (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      BoxErrorCode code = box_api_classify (rows[i].status, rows[i].code, rows[i].subject);

      if (code != rows[i].error)
        g_error ("%u %s: %d, not %d", rows[i].status, rows[i].code, (int) code,
                 (int) rows[i].error);
    }
}

static GError *
error_of (guint status, const char *body, const char *location)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (body, strlen (body));
  BoxReply reply = {
    .status = status,
    .body = bytes,
    .retry_after = 9,
    .request_id = (char *) "from-the-header",
    .location = (char *) location,
  };

  return box_api_error_from_reply (&reply, BOX_SUBJECT_SESSION, "do it");
}

static void
test_messages_say_what_box_said_and_what_to_do (void)
{
  g_autoptr (GError) error = error_of (
      409,
      "{\"type\":\"error\",\"status\":409,\"code\":\"item_name_in_use\",\"message\":\"Item "
      "with the same name already exists\",\"request_id\":\"from-the-body\","
      "\"context_info\":{\"conflicts\":{\"id\":\"5\"}}}",
      NULL);
  const BoxErrorDetails *details = box_error_get_details (error);

  g_assert_error (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE);
  g_assert_cmpstr (error->message, ==,
                   "could not do it: Box answered \"Item with the same name already exists\" "
                   "(item_name_in_use, HTTP 409); choose another name, or set if-exists");
  g_assert_cmpuint (details->http_status, ==, 409);
  g_assert_cmpint (details->retry_after, ==, 9);
  g_assert_false (details->unsure);
  g_assert_cmpstr (details->box_code, ==, "item_name_in_use");
  g_assert_cmpstr (details->request_id, ==, "from-the-header");
  g_assert_true (JSON_NODE_HOLDS_OBJECT (details->context));
}

static void
test_bodies_that_are_no_json_are_not_quoted (void)
{
  static const char *const bodies[] = { "", "<html>\n<b>504</b>", "[1]", "{\"code\":7}",
                                        "{\"code\":null,\"message\":[],\"context_info\":3}" };

  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (GError) error = error_of (504, bodies[i], NULL);

      g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
      g_assert_true (box_error_get_details (error)->unsure);
      g_assert_cmpstr (
          error->message, ==,
          "could not do it: Box answered HTTP 504 Gateway Timeout; this can work later");
    }
}

static void
test_quotes_are_one_short_line (void)
{
  g_autofree char *filler = g_strnfill (100000, 'x');
  g_autofree char *body = g_strdup_printf (
      "{\"message\":\"a\\nb\\u001b[31m\\u0000%s\",\"code\":\"%s\"}", filler, filler);
  g_autoptr (GError) error = error_of (400, body, NULL);
  g_autoptr (GError) redirect = error_of (302, "", "https://%1b%5b31melsewhere%07%0a.example/");

  g_assert_cmpuint (strlen (error->message), <, 500);
  g_assert_nonnull (strstr (redirect->message, "elsewhere"));
  for (const char *p = error->message; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
  for (const char *p = redirect->message; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
}

static void
test_redirects_name_only_the_host (void)
{
  g_autoptr (GError) error = error_of (302, "", "https://elsewhere.example/path?token=secret");
  g_autoptr (GError) nowhere = error_of (302, "", NULL);

  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_nonnull (strstr (error->message, "elsewhere.example"));
  g_assert_null (strstr (error->message, "secret"));
  g_assert_error (nowhere, BOX_ERROR, BOX_ERROR_TRANSIENT);
}

static void
test_a_request_cut_behind_the_front_is_transient (void)
{
  g_autoptr (GError) error =
      error_of (400, "{\"code\":\"bad_request\",\"message\":\"Stream ended unexpectedly\"}", NULL);

  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
}

/* Whatever a gateway, a proxy or a login page says, the next answer may be Box's. */
static void
test_what_is_not_in_boxs_words_is_not_believed_for_good (void)
{
  static const char *const bodies[] = { "", "<html>No</html>", "{\"message\":\"Forbidden\"}",
                                        "{\"code\":\"forbidd" };
  static const guint statuses[] = { 204, 300, 302, 400, 403, 404, 405, 409, 410, 411,
                                    412, 413, 415, 416, 421, 422, 451, 501, 505, 507 };

  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (bodies); k++)
      {
        g_autoptr (GError) error = error_of (statuses[i], bodies[k], NULL);

        g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
        g_assert_true (box_error_get_details (error)->unsure);
        g_assert_nonnull (strstr (error->message, "instead of Box"));
      }
}

static void
test_nonsense_after_an_effect_is_unsure (void)
{
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BoxReply reply = { .status = 201, .body = body, .retry_after = -1 };
  g_autoptr (GError) effect = box_api_error_from_nonsense (
      &reply, TRUE, "do it", g_error_new_literal (BOX_ERROR, BOX_ERROR_PROTOCOL, "why"));
  g_autoptr (GError) none = box_api_error_from_nonsense (
      &reply, FALSE, "do it", g_error_new_literal (BOX_ERROR, BOX_ERROR_PROTOCOL, "why"));

  g_assert_error (effect, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_true (box_error_get_details (effect)->unsure);
  g_assert_error (none, BOX_ERROR, BOX_ERROR_PROTOCOL);
  g_assert_cmpstr (none->message, ==, "could not do it: Box answered with nonsense (why)");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/answer/each-refusal-says-who-must-act", test_each_refusal_says_who_must_act);
  g_test_add_func ("/answer/messages-say-what-box-said-and-what-to-do",
                   test_messages_say_what_box_said_and_what_to_do);
  g_test_add_func ("/answer/bodies-that-are-no-json-are-not-quoted",
                   test_bodies_that_are_no_json_are_not_quoted);
  g_test_add_func ("/answer/quotes-are-one-short-line", test_quotes_are_one_short_line);
  g_test_add_func ("/answer/redirects-name-only-the-host", test_redirects_name_only_the_host);
  g_test_add_func ("/answer/a-request-cut-behind-the-front-is-transient",
                   test_a_request_cut_behind_the_front_is_transient);
  g_test_add_func ("/answer/what-is-not-in-boxs-words-is-not-believed-for-good",
                   test_what_is_not_in_boxs_words_is_not_believed_for_good);
  g_test_add_func ("/answer/nonsense-after-an-effect-is-unsure",
                   test_nonsense_after_an_effect_is_unsure);
  return g_test_run ();
}

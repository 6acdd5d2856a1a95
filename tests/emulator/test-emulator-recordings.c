/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The forms of Box's answers, as they were recorded in public (docs/box-protocol.md).
 */
#include "emulator/emu-test.h"

#include "kit/emulator.h"

#include <string.h>

#define SESSIONS "/files/upload_sessions"
#define NEW      "{\"folder_id\":\"0\",\"file_size\":2500,\"file_name\":\"new\"}"

/* The names of an object's members, in their order. */
static char *
get_names (JsonObject *object)
{
  g_autoptr (GList) names = json_object_get_members (object);
  GString *text = g_string_new (NULL);

  for (GList *l = names; l != NULL; l = l->next)
    g_string_append_printf (text, "%s%s", l == names ? "" : " ", (const char *) l->data);
  return g_string_free (text, FALSE);
}

static void
assert_names (JsonObject *object, const char *wanted)
{
  g_autofree char *names = get_names (object);

  g_assert_cmpstr (names, ==, wanted);
}

static void
assert_unknown (Answer *answer, const char *name, const char *value)
{
  assert_refused (answer, 404, "not_found");
  g_assert_cmpstr (get_string (answer, "context_info", "errors", "reason", NULL), ==,
                   "invalid_parameter");
  g_assert_cmpstr (get_string (answer, "context_info", "errors", "name", NULL), ==, name);
  g_assert_true (
      g_str_has_prefix (get_string (answer, "context_info", "errors", "message", NULL), value));
}

static void
test_unknown_items_are_named (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) content = ask (fixture, "OPTIONS", "/files/content",
                                    "{\"name\":\"a\",\"size\":1,\"parent\":{\"id\":\"7\"}}", NULL);
  g_autoptr (Answer) make =
      ask (fixture, "POST", "/folders", "{\"name\":\"a\",\"parent\":{\"id\":\"7\"}}", NULL);
  g_autoptr (Answer) folder = ask (fixture, "GET", "/folders/7", NULL, NULL);
  g_autoptr (Answer) list = ask (fixture, "GET", "/folders/7/items", NULL, NULL);
  g_autoptr (Answer) file = ask (fixture, "GET", "/files/7", NULL, NULL);

  assert_unknown (content, "parent", "Invalid value 'd_7'.");
  assert_unknown (make, "parent", "Invalid value 'd_7'.");
  assert_unknown (folder, "folder", "Invalid value 'd_7'.");
  assert_unknown (list, "folder", "Invalid value 'd_7'.");
  assert_unknown (file, "item", "Invalid value 'f_7'.");
}

static void
test_replies_are_json_without_a_charset (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = ask (fixture, "GET", "/folders/7", NULL, NULL);
  g_autofree char *text =
      g_strndup (g_bytes_get_data (answer->body, NULL), g_bytes_get_size (answer->body));

  g_assert_cmpstr (soup_message_headers_get_one (answer->headers, "Content-Type"), ==,
                   "application/json");
  g_assert_cmpstr (soup_message_headers_get_one (answer->headers, "Cache-Control"), ==,
                   "no-cache, no-store");
  g_assert_nonnull (strstr (text, "http:\\/\\/developers.box.com\\/docs\\/#errors"));
}

static void
test_taken_name_says_what_has_it (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
  g_autofree char *folder = box_emulator_add_folder (fixture->emulator, "0", "f");
  g_autoptr (Answer) file = ask (fixture, "OPTIONS", "/files/content",
                                 "{\"name\":\"A\",\"size\":1,\"parent\":{\"id\":\"0\"}}", NULL);
  g_autoptr (Answer) again =
      ask (fixture, "POST", "/folders", "{\"name\":\"F\",\"parent\":{\"id\":\"0\"}}", NULL);
  JsonObject *context;

  assert_refused (file, 409, "item_name_in_use");
  context = json_object_get_object_member (file->json, "context_info");
  assert_names (json_object_get_object_member (context, "conflicts"),
                "type id file_version sequence_id etag sha1 name");
  assert_refused (again, 409, "item_name_in_use");
  context = json_object_get_object_member (again->json, "context_info");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (context, "conflicts")), ==,
                    1);
  g_assert_cmpstr (get_string (again, "context_info", "conflicts", "id", NULL), ==, folder);
}

static void
test_preflight_gives_an_address_with_a_query (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
  g_autofree char *path = g_strdup_printf ("/files/%s/content", id);
  g_autoptr (Answer) file = ask (fixture, "OPTIONS", "/files/content",
                                 "{\"name\":\"b\",\"size\":1,\"parent\":{\"id\":\"0\"}}", NULL);
  g_autoptr (Answer) version = ask (fixture, "OPTIONS", path, "{\"size\":1}", NULL);

  g_assert_nonnull (strstr (get_string (file, "upload_url", NULL), "?upload_session_id="));
  assert_names (file->json, "upload_url upload_token");
  assert_names (version->json, "upload_url upload_token download_url");
}

static void
test_session_has_its_members_in_order (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = ask (fixture, "POST", SESSIONS, NEW, NULL);

  assert_names (answer->json, "total_parts part_size session_endpoints session_expires_at id type "
                              "num_parts_processed");
  assert_names (json_object_get_object_member (answer->json, "session_endpoints"),
                "list_parts commit log_event upload_part status abort");
}

static void
test_session_of_a_form_has_the_wrong_size (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) form = ask (fixture, "POST", SESSIONS, "folder_id=0&file_size=2500",
                                 "Content-Type: application/x-www-form-urlencoded", NULL);
  g_autoptr (Answer) text = ask (fixture, "POST", SESSIONS, NEW, "Content-Type: text/plain", NULL);

  assert_upload_refused (form, 400, "request_size_mismatch");
  assert_upload_refused (text, 400, "request_size_mismatch");
}

static void
test_part_is_octets (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 3);
  g_autofree char *path = g_strconcat (SESSIONS "/", id, NULL);
  g_autoptr (Answer) answer =
      ask (fixture, "PUT", path, "abc", "Content-Range: bytes 0-2/3",
           "Digest: sha=qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "Content-Type: text/plain", NULL);

  assert_refused (answer, 415, "unsupported_media_type");
}

static void
test_overlap_names_the_part_that_is_there (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 2500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autoptr (Answer) first = put_part (fixture, id, data, 1000);
  g_autoptr (Answer) second = put_part (fixture, id, data, 1000);
  JsonObject *part;

  assert_refused (second, 416, "range_overlaps_existing_part");
  part = json_object_get_object_member (
      json_object_get_object_member (second->json, "context_info"), "conflicting_part");
  assert_names (part, "part_id offset size");
  g_assert_cmpstr (json_object_get_string_member (part, "part_id"), ==,
                   get_string (first, "part", "part_id", NULL));
  g_assert_cmpint (json_object_get_int_member (part, "offset"), ==, 1000);
  g_assert_cmpint (json_object_get_int_member (part, "size"), ==, 1000);
}

static void
test_parts_are_listed_without_an_order (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 2500);
  g_autofree char *path = g_strdup_printf (SESSIONS "/%s/parts", id);
  g_autoptr (Answer) answer = ask (fixture, "GET", path, NULL, NULL);

  assert_names (answer->json, "entries offset total_count limit");
}

/* The number of parts that the session says were processed. */
static gint64
count_processed (Fixture *fixture, const char *id)
{
  g_autofree char *path = g_strconcat (SESSIONS "/", id, NULL);
  g_autoptr (Answer) answer = ask (fixture, "GET", path, NULL, NULL);

  return get_int (answer, "num_parts_processed");
}

static void
test_parts_are_processed_bit_by_bit (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 2500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autofree char *body = put_all (fixture, id, data);

  for (gint64 processed = 1; processed < 3; processed++)
    {
      g_autoptr (Answer) wait = NULL;

      g_assert_cmpint (count_processed (fixture, id), ==, processed);
      wait = commit (fixture, id, data, body);
      g_assert_cmpuint (wait->status, ==, 202);
      g_assert_cmpuint (g_bytes_get_size (wait->body), ==, 0);
      g_assert_nonnull (soup_message_headers_get_one (wait->headers, "Retry-After"));
    }
  g_assert_cmpint (count_processed (fixture, id), ==, 3);
}

static void
test_bad_bearers_are_challenged (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) empty =
      ask (fixture, "GET", "/folders/0", NULL, "Authorization: Bearer ", NULL);
  g_autoptr (Answer) bad = NULL;

  box_emulator_revoke_token (fixture->emulator, "t");
  bad = ask (fixture, "GET", "/folders/0", NULL, NULL);
  assert_challenged (empty, 400, "invalid_request");
  assert_challenged (bad, 401, "invalid_token");
  g_assert_cmpstr (soup_message_headers_get_one (bad->headers, "WWW-Authenticate"), ==,
                   "Bearer realm=\"Service\", error=\"invalid_token\", error_description=\"The "
                   "access token provided is invalid.\"");
}

static void
test_downscoped_token_may_not_ask_who_it_is (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  kit_load_accounts (fixture->emulator, "{\"tokens\":[{\"token\":\"t\",\"folder\":\"0\"}]}");
  answer = ask (fixture, "GET", "/users/me", NULL, NULL);
  assert_challenged (answer, 403, "insufficient_scope");
}

static void
test_name_that_is_invalid_is_explained_by_a_text (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer =
      ask (fixture, "POST", "/folders", "{\"name\":\"a/b\",\"parent\":{\"id\":\"0\"}}", NULL);

  assert_refused (answer, 400, "item_name_invalid");
  g_assert_nonnull (get_string (answer, "context_info", NULL));
}

static void
test_folder_of_nothing_lacks_parameters (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = ask (fixture, "POST", "/folders", "{}", NULL);

  assert_refused (answer, 400, "bad_request");
  g_assert_cmpstr (get_string (answer, "context_info", "errors", "reason", NULL), ==,
                   "missing_parameter");
}

static void
test_folder_lists_mini_items (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
  g_autoptr (Answer) mini = ask (fixture, "GET", "/folders/0/items", NULL, NULL);
  g_autoptr (Answer) more = ask (fixture, "GET", "/folders/0/items?fields=size", NULL, NULL);

  assert_names (
      json_array_get_object_element (json_object_get_array_member (mini->json, "entries"), 0),
      "type id file_version sequence_id etag sha1 name");
  g_assert_cmpstr (get_string (mini, "order", "by", NULL), ==, "type");
  assert_names (
      json_array_get_object_element (json_object_get_array_member (more->json, "entries"), 0),
      "type id etag size");
}

static void
test_links_and_tags_are_kept (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
  g_autofree char *path = g_strdup_printf ("/files/%s?fields=tags,shared_link", id);
  g_autoptr (Answer) set =
      ask (fixture, "PUT", path,
           "{\"tags\":[\"one\",\"two\"],\"shared_link\":{\"access\":\"open\"}}", NULL);
  g_autoptr (Answer) got = ask (fixture, "GET", path, NULL, NULL);
  g_autoptr (Answer) gone = ask (fixture, "PUT", path, "{\"shared_link\":null}", NULL);

  g_assert_cmpuint (set->status, ==, 200);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (got->json, "tags")), ==,
                    2);
  g_assert_cmpstr (get_string (got, "shared_link", "access", NULL), ==, "open");
  g_assert_nonnull (get_string (got, "shared_link", "url", NULL));
  g_assert_true (json_object_get_null_member (gone->json, "shared_link"));
}

static void
test_large_numbers_are_floats (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = ask (fixture, "GET", "/users/me", NULL, NULL);
  JsonNode *amount = json_object_get_member (answer->json, "space_amount");

  g_assert_true (json_node_get_value_type (amount) == G_TYPE_DOUBLE);
}

static void
assert_token_refused (Fixture *fixture, const char *form)
{
  g_autofree char *url =
      g_strconcat (box_emulator_get_origin (fixture->emulator, FALSE), "/oauth2/token", NULL);
  g_autoptr (Answer) answer =
      ask (fixture, "POST", url, form, "Content-Type: application/x-www-form-urlencoded", NULL);

  g_assert_cmpuint (answer->status, ==, 400);
  g_assert_cmpstr (get_string (answer, "error", NULL), ==, "invalid_request");
  g_assert_nonnull (soup_message_headers_get_one (answer->headers, "Set-Cookie"));
}

static void
test_token_without_its_parameters_is_an_invalid_request (Fixture *fixture, gconstpointer options)
{
  assert_token_refused (fixture, "client_id=c&client_secret=s");
  assert_token_refused (fixture, "client_id=c&client_secret=s&grant_type=refresh_token");
  assert_token_refused (fixture, "client_id=c&client_secret=s&grant_type=client_credentials");
  assert_token_refused (fixture, "client_id=c&client_secret=s&grant_type="
                                 "urn:ietf:params:oauth:grant-type:jwt-bearer");
}

/* --- as scenarios ------------------------------------------------------------------------------
 */

static void
test_front_answers_in_html (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  load_scenario (fixture, RULE ({"route": "get_user", "do": "front", "status": 404}));
  answer = ask (fixture, "GET", "/users/me", NULL, NULL);
  g_assert_cmpuint (answer->status, ==, 404);
  g_assert_null (answer->json);
  g_assert_cmpmem (g_bytes_get_data (answer->body, NULL), 6, "<html>", 6);
  g_assert_cmpstr (soup_message_headers_get_one (answer->headers, "Via"), ==, "1.1 google");
  g_assert_cmpstr (soup_message_headers_get_one (answer->headers, "Content-Type"), ==,
                   "text/html; charset=UTF-8");
  g_assert_null (soup_message_headers_get_one (answer->headers, "box-request-id"));
}

static void
test_name_of_a_version_may_be_in_use_by_itself (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
  g_autofree char *session = g_strdup_printf ("/files/%s/upload_sessions", id);
  g_autofree char *content = g_strdup_printf ("/files/%s/content", id);
  g_autoptr (Answer) create = NULL, preflight = NULL;

  load_scenario (fixture,
                 RULE ({"route": ["create_version_session", "preflight_version"],
                                 "do": "in-use"}));
  create = ask (fixture, "POST", session, "{\"file_size\":2500}", NULL);
  preflight = ask (fixture, "OPTIONS", content, "{\"size\":2500}", NULL);
  assert_refused (create, 409, "item_name_in_use");
  assert_refused (preflight, 409, "item_name_in_use");
  g_assert_cmpstr (get_string (create, "context_info", "conflicts", "id", NULL), ==, id);
}

int
main (int argc, char **argv)
{
  static const BoxEmulatorOptions processing = { .part_size = PART,
                                                 .min_size = 1,
                                                 .processing = 2 };

  static const BoxEmulatorOptions large = { .quota = G_GUINT64_CONSTANT (1000000000000000) };

  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/recorded/unknown-items-are-named", test_unknown_items_are_named, NULL);
  ADD_TEST ("/recorded/replies-are-json-without-a-charset", test_replies_are_json_without_a_charset,
            NULL);
  ADD_TEST ("/recorded/taken-name-says-what-has-it", test_taken_name_says_what_has_it, NULL);
  ADD_TEST ("/recorded/preflight-gives-an-address-with-a-query",
            test_preflight_gives_an_address_with_a_query, NULL);
  ADD_TEST ("/recorded/session-has-its-members-in-order", test_session_has_its_members_in_order,
            NULL);
  ADD_TEST ("/recorded/session-of-a-form-has-the-wrong-size",
            test_session_of_a_form_has_the_wrong_size, NULL);
  ADD_TEST ("/recorded/part-is-octets", test_part_is_octets, NULL);
  ADD_TEST ("/recorded/overlap-names-the-part-that-is-there",
            test_overlap_names_the_part_that_is_there, NULL);
  ADD_TEST ("/recorded/parts-are-listed-without-an-order", test_parts_are_listed_without_an_order,
            NULL);
  ADD_TEST ("/recorded/parts-are-processed-bit-by-bit", test_parts_are_processed_bit_by_bit,
            &processing);
  ADD_TEST ("/recorded/bad-bearers-are-challenged", test_bad_bearers_are_challenged, NULL);
  ADD_TEST ("/recorded/downscoped-token-may-not-ask-who-it-is",
            test_downscoped_token_may_not_ask_who_it_is, NULL);
  ADD_TEST ("/recorded/name-that-is-invalid-is-explained-by-a-text",
            test_name_that_is_invalid_is_explained_by_a_text, NULL);
  ADD_TEST ("/recorded/folder-of-nothing-lacks-parameters", test_folder_of_nothing_lacks_parameters,
            NULL);
  ADD_TEST ("/recorded/folder-lists-mini-items", test_folder_lists_mini_items, NULL);
  ADD_TEST ("/recorded/links-and-tags-are-kept", test_links_and_tags_are_kept, NULL);
  ADD_TEST ("/recorded/large-numbers-are-floats", test_large_numbers_are_floats, &large);
  ADD_TEST ("/recorded/token-without-its-parameters-is-an-invalid-request",
            test_token_without_its_parameters_is_an_invalid_request, NULL);
  ADD_TEST ("/scenario/front-answers-in-html", test_front_answers_in_html, NULL);
  ADD_TEST ("/scenario/name-of-a-version-may-be-in-use-by-itself",
            test_name_of_a_version_may_be_in_use_by_itself, NULL);
  return g_test_run ();
}

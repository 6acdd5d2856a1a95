/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/emu-test.h"

#include "kit/places.h"

#include <string.h>

/* A multipart body: pairs of a name and its content, up to NULL. */
static GBytes *
make_form (const char *name, ...)
{
  GString *form = g_string_new (NULL);
  va_list args;

  va_start (args, name);
  for (; name != NULL; name = va_arg (args, const char *))
    g_string_append_printf (
        form, "--xyz\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n%s\r\n", name,
        strcmp (name, "file") == 0 ? "; filename=\"f\"" : "", va_arg (args, const char *));
  va_end (args);
  g_string_append (form, "--xyz--\r\n");
  return g_string_free_to_bytes (form);
}

static Answer *
post_form (Fixture *fixture, const char *path, GBytes *form, const char *header)
{
  const char *headers[] = { "Content-Type: multipart/form-data; boundary=xyz", header, NULL };

  return ask_bytes (fixture, "POST", path, form, headers);
}

static Answer *
upload (Fixture *fixture, const char *name, const char *content, const char *header)
{
  g_autofree char *attributes =
      g_strdup_printf ("{\"name\":\"%s\",\"parent\":{\"id\":\"0\"}}", name);
  g_autoptr (GBytes) form = make_form ("attributes", attributes, "file", content, NULL);

  return post_form (fixture, "/files/content", form, header);
}

/* --- direct upload -----------------------------------------------------------------------------
 */

static void
test_upload_stores_the_bytes (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = upload (fixture, "a", "hello\r\n--xy\r\n", NULL);
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", "a");
  g_autofree char *content = NULL;

  g_assert_cmpuint (answer->status, ==, 201);
  g_assert_cmpstr (get_string (answer, "entries", "name", NULL), ==, "a");
  g_assert_true (g_file_get_contents (file->path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "hello\r\n--xy\r\n");
}

static void
test_upload_checks_the_hash_it_is_given (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) bad =
      upload (fixture, "a", "abc", "Content-MD5: 0000000000000000000000000000000000000000");
  g_autoptr (Answer) good =
      upload (fixture, "a", "abc", "Content-MD5: a9993e364706816aba3e25717850c26c9cd0d89d");

  assert_refused (bad, 400, "bad_digest");
  g_assert_cmpuint (good->status, ==, 201);
}

static void
test_upload_wants_attributes_first (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) form =
      make_form ("file", "abc", "attributes", "{\"name\":\"a\",\"parent\":{\"id\":\"0\"}}", NULL);
  g_autoptr (Answer) answer = post_form (fixture, "/files/content", form, NULL);

  assert_refused (answer, 400, "metadata_after_file_contents");
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_upload_without_its_end_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) whole =
      make_form ("attributes", "{\"name\":\"a\",\"parent\":{\"id\":\"0\"}}", "file", "abc", NULL);

  for (gsize missing = 3; missing < 13; missing++)
    {
      g_autoptr (GBytes) cut =
          g_bytes_new_from_bytes (whole, 0, g_bytes_get_size (whole) - missing);
      g_autoptr (Answer) answer = post_form (fixture, "/files/content", cut, NULL);

      assert_upload_refused (answer, 400, "bad_request");
    }
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_upload_of_a_large_file_is_whole (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) random = kit_pattern_bytes (0, 3000000);
  g_autofree char *text = g_base64_encode (g_bytes_get_data (random, NULL), 3000000);
  g_autofree char *sha1 = g_compute_checksum_for_string (G_CHECKSUM_SHA1, text, -1);
  g_autoptr (Answer) answer = upload (fixture, "a", text, NULL);

  g_assert_cmpuint (answer->status, ==, 201);
  g_assert_cmpstr (get_string (answer, "entries", "sha1", NULL), ==, sha1);
}

static void
test_upload_of_a_version_needs_its_etag_to_match (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "a", "one", 3);
  g_autofree char *path = g_strdup_printf ("/files/%s/content", id);
  g_autoptr (GBytes) form = make_form ("file", "two", NULL);
  g_autoptr (Answer) good = post_form (fixture, path, form, "If-Match: 0");
  g_autoptr (Answer) bad = post_form (fixture, path, form, "If-Match: 0");
  g_autoptr (BoxEmulatorFile) file = box_emulator_get_file (fixture->emulator, id);

  g_assert_cmpuint (good->status, ==, 201);
  assert_refused (bad, 412, "precondition_failed");
  g_assert_cmpuint (file->n_versions, ==, 2);
}

/* --- names and preflight -----------------------------------------------------------------------
 */

static void
test_preflight_refuses_what_an_upload_would (Fixture *fixture, gconstpointer options)
{
  static const struct
  {
    const char *body;
    guint status;
    const char *code;
  } cases[] = {
    { "{\"name\":\"FILE\",\"size\":1,\"parent\":{\"id\":\"0\"}}", 409, "item_name_in_use" },
    { "{\"name\":\"folder\",\"size\":1,\"parent\":{\"id\":\"0\"}}", 409, "item_name_in_use" },
    { "{\"name\":\"a/b\",\"size\":1,\"parent\":{\"id\":\"0\"}}", 400, "item_name_invalid" },
    { "{\"name\":\"a\\\\b\",\"size\":1,\"parent\":{\"id\":\"0\"}}", 400, "item_name_invalid" },
    { "{\"name\":\".\",\"size\":1,\"parent\":{\"id\":\"0\"}}", 400, "item_name_invalid" },
    { "{\"name\":\"a\\u0007\",\"size\":1,\"parent\":{\"id\":\"0\"}}", 400, "item_name_invalid" },
    { "{\"name\":\"a\",\"size\":1,\"parent\":{\"id\":\"99\"}}", 404, "not_found" },
    { "{\"name\":\"a\"}", 400, "bad_request" },
  };

  g_free (box_emulator_add_file (fixture->emulator, "0", "file", "x", 1));
  g_free (box_emulator_add_folder (fixture->emulator, "0", "folder"));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Answer) answer = ask (fixture, "OPTIONS", "/files/content", cases[i].body, NULL);

      assert_refused (answer, cases[i].status, cases[i].code);
    }
}

static void
test_preflight_of_a_free_name_gives_the_address (Fixture *fixture, gconstpointer options)
{
  g_autofree char *url = g_strconcat (box_emulator_get_endpoint (fixture->emulator, FALSE),
                                      "/files/content?upload_session_id=", NULL);
  g_autoptr (Answer) answer =
      ask (fixture, "OPTIONS", "/files/content",
           "{\"name\":\"a\",\"size\":99999999999,\"parent\":{\"id\":\"0\"}}", NULL);

  g_assert_cmpuint (answer->status, ==, 200);
  g_assert_true (g_str_has_prefix (get_string (answer, "upload_url", NULL), url));
  g_assert_cmpuint (strlen (get_string (answer, "upload_url", NULL)), ==, strlen (url) + 32);
  g_assert_null (get_string (answer, "upload_token", NULL));
}

static void
test_name_has_255_characters_at_most (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GString) name = g_string_new (NULL);
  g_autoptr (Answer) good = NULL, bad = NULL;

  for (guint i = 0; i < 255; i++)
    g_string_append (name, "ä");
  good = upload (fixture, name->str, "x", NULL);
  g_string_append (name, "ä");
  bad = upload (fixture, name->str, "x", NULL);
  g_assert_cmpuint (good->status, ==, 201);
  assert_refused (bad, 400, "item_name_too_long");
}

static void
test_folder_in_the_way_is_listed_as_a_conflict (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_folder (fixture->emulator, "0", "a");
  g_autoptr (Answer) answer = upload (fixture, "A", "x", NULL);
  JsonNode *conflicts;

  assert_refused (answer, 409, "item_name_in_use");
  conflicts = json_object_get_member (json_object_get_object_member (answer->json, "context_info"),
                                      "conflicts");
  g_assert_true (JSON_NODE_HOLDS_ARRAY (conflicts));
  g_assert_cmpstr (get_string (answer, "context_info", "conflicts", "id", NULL), ==, id);
}

/* --- download ----------------------------------------------------------------------------------
 */

/* The address that Box redirects a download to. */
static char *
get_address (Fixture *fixture, const char *id)
{
  g_autofree char *path = g_strdup_printf ("/files/%s/content", id);
  g_autoptr (Answer) answer = ask (fixture, "GET", path, NULL, NULL);

  g_assert_cmpuint (answer->status, ==, 302);
  return g_strdup (soup_message_headers_get_one (answer->headers, "Location"));
}

static void
test_download_is_elsewhere_and_needs_no_token (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "a", "0123456789", 10);
  g_autofree char *address = get_address (fixture, id);
  g_autofree char *guess = g_strndup (address, strlen (address) - 1);
  g_autoptr (Answer) answer = ask (fixture, "GET", address, NULL, "Authorization: none", NULL);
  g_autoptr (Answer) guessed = ask (fixture, "GET", guess, NULL, NULL);

  g_assert_cmpuint (answer->status, ==, 200);
  g_assert_cmpmem (g_bytes_get_data (answer->body, NULL), g_bytes_get_size (answer->body),
                   "0123456789", 10);
  assert_refused (guessed, 403, "forbidden");
}

static void
test_download_gives_ranges (Fixture *fixture, gconstpointer options)
{
  static const struct
  {
    const char *range;
    guint status;
    const char *content;
  } cases[] = {
    { "Range: bytes=2-4", 206, "234" },
    { "Range: bytes=7-", 206, "789" },
    { "Range: bytes=-2", 206, "89" },
    { "Range: bytes=4-99", 206, "456789" },
  };
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "a", "0123456789", 10);
  g_autofree char *address = get_address (fixture, id);
  g_autoptr (Answer) beyond = ask (fixture, "GET", address, NULL, "Range: bytes=10-", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Answer) answer = ask (fixture, "GET", address, NULL, cases[i].range, NULL);

      g_assert_cmpuint (answer->status, ==, cases[i].status);
      g_assert_cmpmem (g_bytes_get_data (answer->body, NULL), g_bytes_get_size (answer->body),
                       cases[i].content, strlen (cases[i].content));
    }
  g_assert_cmpuint (beyond->status, ==, 416);
}

/* --- items -------------------------------------------------------------------------------------
 */

static void
test_folder_lists_what_it_has_in_pages (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) first = NULL, second = NULL;
  g_autofree char *path = NULL;

  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *name = g_strdup_printf ("file%u", i);

      g_free (box_emulator_add_file (fixture->emulator, "0", name, name, 5));
    }
  first = ask (fixture, "GET", "/folders/0/items?limit=3&usemarker=true&fields=name", NULL, NULL);
  path = g_strdup_printf ("/folders/0/items?limit=3&usemarker=true&marker=%s",
                          get_string (first, "next_marker", NULL));
  second = ask (fixture, "GET", path, NULL, NULL);
  g_assert_cmpstr (get_string (first, "entries", "name", NULL), ==, "file0");
  g_assert_false (json_object_has_member (
      json_array_get_object_element (json_object_get_array_member (first->json, "entries"), 0),
      "sha1"));
  g_assert_cmpstr (get_string (second, "entries", "name", NULL), ==, "file3");
  g_assert_false (json_object_has_member (second->json, "next_marker"));
}

static void
test_items_are_renamed_moved_and_deleted (Fixture *fixture, gconstpointer options)
{
  g_autofree char *folder = box_emulator_add_folder (fixture->emulator, "0", "folder");
  g_autofree char *file = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
  g_autofree char *path = g_strdup_printf ("/files/%s", file);
  g_autofree char *folder_path = g_strdup_printf ("/folders/%s", folder);
  g_autofree char *recursive = g_strconcat (folder_path, "?recursive=true", NULL);
  g_autofree char *body = g_strdup_printf ("{\"name\":\"b\",\"parent\":{\"id\":\"%s\"}}", folder);
  g_autoptr (Answer) moved = ask (fixture, "PUT", path, body, NULL);
  g_autoptr (BoxEmulatorFile) found = box_emulator_find_file (fixture->emulator, folder, "b");
  g_autoptr (Answer) full = ask (fixture, "DELETE", folder_path, NULL, NULL);
  g_autoptr (Answer) gone = ask (fixture, "DELETE", recursive, NULL, NULL);

  g_assert_cmpuint (moved->status, ==, 200);
  g_assert_cmpstr (found->id, ==, file);
  assert_refused (full, 400, "folder_not_empty");
  g_assert_cmpuint (gone->status, ==, 204);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
  g_assert_false (g_file_test (found->path, G_FILE_TEST_EXISTS));
}

/* --- restart -----------------------------------------------------------------------------------
 */

static void
test_restart_finds_everything_again (void)
{
  g_autofree char *dir = g_dir_make_tmp ("emulator-test-XXXXXX", NULL);
  const BoxEmulatorOptions options = { .dir = dir, .part_size = PART, .min_size = 1 };
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  const char *bytes = g_bytes_get_data (data, NULL);
  g_autofree char *ca = NULL, *ca_again = NULL, *file = NULL, *session = NULL, *body = NULL;
  g_autoptr (Answer) answer = NULL;
  Fixture fixture;

  fixture_set_up (&fixture, &options);
  file = box_emulator_add_file (fixture.emulator, "0", "a", "one", 3);
  session = box_emulator_add_session (fixture.emulator, NULL, NULL, file, 2500);
  g_assert_true (box_emulator_add_part (fixture.emulator, session, 1000, bytes + 1000, 1000));
  g_file_get_contents (box_emulator_get_ca_file (fixture.emulator), &ca, NULL, NULL);
  fixture_tear_down (&fixture, NULL);

  fixture_set_up (&fixture, &options);
  g_file_get_contents (box_emulator_get_ca_file (fixture.emulator), &ca_again, NULL, NULL);
  g_assert_cmpstr (ca, ==, ca_again);
  g_assert_false (box_emulator_add_part (fixture.emulator, session, 1000, bytes + 1000, 1000));
  g_assert_true (box_emulator_add_part (fixture.emulator, session, 0, bytes, 1000));
  g_assert_true (box_emulator_add_part (fixture.emulator, session, 2000, bytes + 2000, 500));
  {
    g_autofree char *path = g_strdup_printf ("/files/upload_sessions/%s/parts", session);
    g_autoptr (Answer) list = ask (&fixture, "GET", path, NULL, NULL);
    g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), list->json);
    g_autofree char *entries =
        json_to_string (json_object_get_member (list->json, "entries"), FALSE);

    body = g_strdup_printf ("{\"parts\":%s}", entries);
  }
  answer = commit (&fixture, session, data, body);
  g_assert_cmpuint (answer->status, ==, 201);
  g_assert_cmpstr (get_string (answer, "entries", "id", NULL), ==, file);
  fixture_tear_down (&fixture, NULL);
  kit_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/upload/stores-the-bytes", test_upload_stores_the_bytes, NULL);
  ADD_TEST ("/upload/checks-the-hash-it-is-given", test_upload_checks_the_hash_it_is_given, NULL);
  ADD_TEST ("/upload/wants-attributes-first", test_upload_wants_attributes_first, NULL);
  ADD_TEST ("/upload/without-its-end-is-refused", test_upload_without_its_end_is_refused, NULL);
  ADD_TEST ("/upload/of-a-large-file-is-whole", test_upload_of_a_large_file_is_whole, NULL);
  ADD_TEST ("/upload/of-a-version-needs-its-etag-to-match",
            test_upload_of_a_version_needs_its_etag_to_match, NULL);
  ADD_TEST ("/preflight/refuses-what-an-upload-would", test_preflight_refuses_what_an_upload_would,
            NULL);
  ADD_TEST ("/preflight/of-a-free-name-gives-the-address",
            test_preflight_of_a_free_name_gives_the_address, NULL);
  ADD_TEST ("/name/has-255-characters-at-most", test_name_has_255_characters_at_most, NULL);
  ADD_TEST ("/name/folder-in-the-way-is-listed", test_folder_in_the_way_is_listed_as_a_conflict,
            NULL);
  ADD_TEST ("/download/is-elsewhere-and-needs-no-token",
            test_download_is_elsewhere_and_needs_no_token, NULL);
  ADD_TEST ("/download/gives-ranges", test_download_gives_ranges, NULL);
  ADD_TEST ("/items/folder-lists-what-it-has-in-pages", test_folder_lists_what_it_has_in_pages,
            NULL);
  ADD_TEST ("/items/are-renamed-moved-and-deleted", test_items_are_renamed_moved_and_deleted, NULL);
  g_test_add_func ("/restart/finds-everything-again", test_restart_finds_everything_again);
  return g_test_run ();
}

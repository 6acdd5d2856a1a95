/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Folders and metadata, and what a token that may only upload may not do with them.
 */
#include "emulator/emu-test.h"

#include "kit/emulator.h"

#define FORM_OF_PATCH "Content-Type: application/json-patch+json"

static Answer *
make_folder (Fixture *fixture, const char *parent, const char *name)
{
  g_autofree char *body =
      g_strdup_printf ("{\"name\":\"%s\",\"parent\":{\"id\":\"%s\"}}", name, parent);

  return ask (fixture, "POST", "/folders", body, NULL);
}

static JsonObject *
first_of (JsonObject *object, const char *name)
{
  return json_array_get_object_element (json_object_get_array_member (object, name), 0);
}

static void
test_a_name_is_taken_without_regard_to_case (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) made = make_folder (fixture, "0", "Kamera Ä");
  g_autoptr (Answer) again = make_folder (fixture, "0", "kamera ä");
  JsonObject *context;

  g_assert_cmpuint (made->status, ==, 201);
  assert_refused (again, 409, "item_name_in_use");
  context = json_object_get_object_member (again->json, "context_info");
  g_assert_cmpstr (json_object_get_string_member (first_of (context, "conflicts"), "id"), ==,
                   get_string (made, "id", NULL));
  g_assert_cmpstr (json_object_get_string_member (first_of (context, "conflicts"), "type"), ==,
                   "folder");
  g_assert_cmpuint (box_emulator_count_folders (fixture->emulator), ==, 1);
}

static void
test_a_file_takes_the_name_of_a_folder (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "A", "x", 1);
  g_autoptr (Answer) answer = make_folder (fixture, "0", "a");

  assert_refused (answer, 409, "item_name_in_use");
}

static void
test_pages_by_marker_have_everything_once (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *marker = g_strdup ("");
  guint pages = 0;

  for (guint i = 0; i < 23; i++)
    {
      g_autofree char *name = g_strdup_printf ("folder %u", i);

      g_free (box_emulator_add_folder (fixture->emulator, "0", name));
    }
  while (marker != NULL)
    {
      g_autofree char *path =
          g_strdup_printf ("/folders/0/items?fields=id,type,name&usemarker=true&limit=10%s%s",
                           *marker != '\0' ? "&marker=" : "", marker);
      g_autoptr (Answer) answer = ask (fixture, "GET", path, NULL, NULL);
      JsonArray *entries = json_object_get_array_member (answer->json, "entries");

      for (guint i = 0; i < json_array_get_length (entries); i++)
        {
          JsonObject *entry = json_array_get_object_element (entries, i);

          g_assert_true (
              g_hash_table_add (seen, g_strdup (json_object_get_string_member (entry, "id"))));
        }
      g_free (marker);
      marker = json_object_has_member (answer->json, "next_marker")
                   ? g_strdup (json_object_get_string_member (answer->json, "next_marker"))
                   : NULL;
      pages++;
    }
  g_assert_cmpuint (pages, ==, 3);
  g_assert_cmpuint (g_hash_table_size (seen), ==, 23);
}

static void
test_metadata_is_made_once_and_changed_by_a_patch (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "A", "x", 1);
  g_autofree char *path = g_strdup_printf ("/files/%s/metadata/global/properties", id);
  g_autoptr (Answer) none = ask (fixture, "GET", path, NULL, NULL);
  g_autoptr (Answer) made = ask (fixture, "POST", path, "{\"a/b\":\"1\"}", NULL);
  g_autoptr (Answer) again = ask (fixture, "POST", path, "{\"a/b\":\"1\"}", NULL);
  g_autoptr (Answer) changed = ask (fixture, "PUT", path,
                                    "[{\"op\":\"test\",\"path\":\"/a~1b\",\"value\":\"1\"},"
                                    "{\"op\":\"replace\",\"path\":\"/a~1b\",\"value\":\"2\"},"
                                    "{\"op\":\"add\",\"path\":\"/c\",\"value\":\"3\"}]",
                                    FORM_OF_PATCH, NULL);
  g_autoptr (Answer) now = ask (fixture, "GET", path, NULL, NULL);

  assert_upload_refused (none, 404, "instance_tuple_not_found");
  g_assert_cmpuint (made->status, ==, 201);
  g_assert_cmpstr (get_string (made, "$template", NULL), ==, "properties");
  assert_upload_refused (again, 409, "conflict");
  g_assert_cmpuint (changed->status, ==, 200);
  g_assert_cmpstr (get_string (now, "a/b", NULL), ==, "2");
  g_assert_cmpstr (get_string (now, "c", NULL), ==, "3");
  g_assert_cmpint (get_int (now, "$version"), ==, 1);
}

static void
test_a_patch_is_taken_whole_or_not_at_all (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "A", "x", 1);
  g_autofree char *path = g_strdup_printf ("/files/%s/metadata/enterprise/scene", id);
  g_autoptr (Answer) made = ask (fixture, "POST", path, "{\"take\":1,\"tags\":[\"x\"]}", NULL);
  g_autoptr (Answer) half = ask (fixture, "PUT", path,
                                 "[{\"op\":\"add\",\"path\":\"/c\",\"value\":\"3\"},"
                                 "{\"op\":\"replace\",\"path\":\"/not there\",\"value\":\"3\"}]",
                                 FORM_OF_PATCH, NULL);
  g_autoptr (Answer) plain = ask (fixture, "PUT", path, "[]", NULL);
  g_autoptr (JsonObject) instance =
      box_emulator_get_metadata (fixture->emulator, id, "enterprise/scene");

  g_assert_cmpuint (made->status, ==, 201);
  assert_upload_refused (half, 400, "bad_request");
  assert_refused (plain, 415, "unsupported_media_type");
  g_assert_false (json_object_has_member (instance, "c"));
}

static void
test_metadata_has_what_the_template_allows (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "A", "x", 1);
  g_autofree char *global = g_strdup_printf ("/files/%s/metadata/global/properties", id);
  g_autofree char *other = g_strdup_printf ("/files/%s/metadata/global/scene", id);
  g_autoptr (Answer) number = ask (fixture, "POST", global, "{\"a\":1}", NULL);
  g_autoptr (Answer) unknown = ask (fixture, "POST", other, "{\"a\":\"1\"}", NULL);
  g_autoptr (Answer) nowhere =
      ask (fixture, "POST", "/files/77/metadata/global/properties", "{\"a\":\"1\"}", NULL);

  assert_upload_refused (number, 400, "bad_request");
  assert_upload_refused (unknown, 404, "not_found");
  assert_refused (nowhere, 404, "not_found");
}

static void
test_metadata_survives_a_change_of_the_file (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "A", "x", 1);
  g_autofree char *path = g_strdup_printf ("/files/%s/metadata/global/properties", id);
  g_autoptr (Answer) made = ask (fixture, "POST", path, "{\"a\":\"1\"}", NULL);
  g_autoptr (JsonObject) instance = NULL;

  g_assert_cmpuint (made->status, ==, 201);
  g_assert_true (box_emulator_add_version (fixture->emulator, id, "yy", 2));
  instance = box_emulator_get_metadata (fixture->emulator, id, "global/properties");
  g_assert_cmpstr (json_object_get_string_member (instance, "a"), ==, "1");
}

/* A token that may only upload below @folder. */
static void
limit_token (Fixture *fixture, const char *folder)
{
  g_autofree char *accounts =
      g_strdup_printf ("{\"tokens\":[{\"token\":\"t\",\"folder\":\"%s\"}]}", folder);

  kit_load_accounts (fixture->emulator, accounts);
}

static void
test_a_downscoped_token_makes_no_folder_and_no_metadata (Fixture *fixture, gconstpointer options)
{
  g_autofree char *folder = box_emulator_add_folder (fixture->emulator, "0", "mine");
  g_autofree char *id = box_emulator_add_file (fixture->emulator, folder, "A", "x", 1);
  g_autofree char *path = g_strdup_printf ("/files/%s/metadata/global/properties", id);
  g_autofree char *list = g_strdup_printf ("/folders/%s/items", folder);
  g_autoptr (Answer) made = NULL, set = NULL, seen = NULL, outside = NULL;

  limit_token (fixture, folder);
  made = make_folder (fixture, folder, "sub");
  set = ask (fixture, "POST", path, "{\"a\":\"1\"}", NULL);
  seen = ask (fixture, "GET", list, NULL, NULL);
  outside = ask (fixture, "GET", "/folders/0/items", NULL, NULL);
  assert_challenged (made, 403, "insufficient_scope");
  assert_challenged (set, 403, "insufficient_scope");
  g_assert_cmpuint (seen->status, ==, 200);
  assert_challenged (outside, 403, "insufficient_scope");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD_TEST ("/emulator/folders/case", test_a_name_is_taken_without_regard_to_case, NULL);
  ADD_TEST ("/emulator/folders/file", test_a_file_takes_the_name_of_a_folder, NULL);
  ADD_TEST ("/emulator/folders/marker", test_pages_by_marker_have_everything_once, NULL);
  ADD_TEST ("/emulator/metadata/once", test_metadata_is_made_once_and_changed_by_a_patch, NULL);
  ADD_TEST ("/emulator/metadata/whole", test_a_patch_is_taken_whole_or_not_at_all, NULL);
  ADD_TEST ("/emulator/metadata/values", test_metadata_has_what_the_template_allows, NULL);
  ADD_TEST ("/emulator/metadata/version", test_metadata_survives_a_change_of_the_file, NULL);
  ADD_TEST ("/emulator/scope", test_a_downscoped_token_makes_no_folder_and_no_metadata, NULL);
  return g_test_run ();
}

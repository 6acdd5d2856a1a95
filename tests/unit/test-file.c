/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/file.h"
#include "base/error.h"

#define SHA1 "5fde1cce603e6566d20da811c9c8bcccb044d4ae"
#define FILE_OBJECT                                                                                \
  "{\"type\":\"file\",\"id\":\"12\",\"name\":\"a.mp4\",\"etag\":3,\"size\":7,\"sha1\":\"" SHA1     \
  "\",\"file_version\":{\"type\":\"file_version\",\"id\":\"34\",\"sha1\":\"" SHA1 "\"}}"

static BoxFile *
parse (const char *text, GError **error)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);

  return box_file_parse (node, error);
}

static void
assert_file (const BoxFile *parsed)
{
  g_autoptr (BoxFile) file = box_file_copy (parsed);

  g_assert_cmpstr (file->id, ==, "12");
  g_assert_cmpstr (file->version_id, ==, "34");
  g_assert_cmpstr (file->name, ==, "a.mp4");
  g_assert_cmpstr (file->etag, ==, "3");
  g_assert_true (file->has_size);
  g_assert_cmpuint (file->size, ==, 7);
  g_assert_true (file->has_sha1);
}

static void
test_bare_and_listed_files_are_understood (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxFile) bare = parse (FILE_OBJECT, &error);
  g_autoptr (BoxFile) listed = NULL, minimal = NULL;

  g_assert_no_error (error);
  assert_file (bare);
  listed = parse ("{\"total_count\":1,\"entries\":[" FILE_OBJECT "]}", &error);
  g_assert_no_error (error);
  assert_file (listed);
  minimal = parse ("{\"id\":12,\"etag\":null,\"sha1\":\"\"}", &error);
  g_assert_no_error (error);
  g_assert_null (minimal->etag);
  g_assert_false (minimal->has_sha1);
}

static void
test_nonsense_is_refused (void)
{
  static const char *const texts[] = {
    "[]",
    "{}",
    "{\"entries\":[]}",
    "{\"entries\":[" FILE_OBJECT "," FILE_OBJECT "]}",
    "{\"entries\":[5]}",
    "{\"entries\":5}",
    "{\"id\":\"\"}",
    "{\"id\":\"../12\"}",
    "{\"id\":\"12\",\"size\":-1}",
    "{\"id\":\"12\",\"size\":\"7\"}",
    "{\"id\":\"12\",\"sha1\":\"short\"}",
    "{\"id\":\"12\",\"name\":[]}",
    "{\"id\":\"12\",\"etag\":\"1\\r\\nX: y\"}",
    "{\"id\":\"12\",\"etag\":\"a b\"}",
    "{\"id\":\"12\",\"file_version\":{}}",
    "{\"id\":\"12\",\"file_version\":7}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxFile) file = parse (texts[i], &error);

      if (file != NULL)
        g_error ("%s was taken", texts[i]);
      g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
    }
}

static BoxFile *
conflict_of (const char *context)
{
  g_autoptr (JsonNode) node = context != NULL ? json_from_string (context, NULL) : NULL;
  BoxErrorDetails details = { .retry_after = -1, .context = node };
  g_autoptr (GError) error = box_error_new_with_details (BOX_ERROR_NAME_IN_USE, &details, "taken");

  return box_file_from_conflict (error);
}

static void
test_conflicts_are_objects_or_arrays (void)
{
  g_autoptr (BoxFile) object = conflict_of ("{\"conflicts\":" FILE_OBJECT "}");
  g_autoptr (BoxFile) array = conflict_of ("{\"conflicts\":[" FILE_OBJECT "]}");

  assert_file (object);
  assert_file (array);
}

static void
test_what_is_no_conflicting_file_is_none (void)
{
  static const char *const contexts[] = {
    NULL,
    "[]",
    "{}",
    "{\"conflicts\":[]}",
    "{\"conflicts\":7}",
    "{\"conflicts\":[7]}",
    "{\"conflicts\":{\"type\":\"folder\",\"id\":\"12\"}}",
    "{\"conflicts\":{\"type\":\"file\"}}",
    "{\"conflicts\":{\"type\":7,\"id\":\"12\"}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (contexts); i++)
    g_assert_null (conflict_of (contexts[i]));
  g_assert_null (box_file_from_conflict (NULL));
}

#define ENTRY(type, sha1, etag, time)                                                              \
  "{\"type\":\"" type "\",\"id\":\"12\",\"name\":\"b.mp4\",\"etag\":\"" etag                       \
  "\",\"size\":7,\"sha1\":\"" sha1 "\",\"created_at\":\"" time "\"}"
#define FOLDER(entry) "{\"total_count\":2,\"entries\":[7," entry "]}"
#define OTHER         "0000000000000000000000000000000000000001"

/* 2024-05-01T12:00:00-07:00 */
#define NOON G_GINT64_CONSTANT (1714590000)

static void
test_renamed_files_are_told_from_others (void)
{
  static const struct
  {
    const char *list;
    gboolean found;
  } cases[] = {
    { FOLDER (ENTRY ("file", SHA1, "1", "2024-05-01T12:00:00-07:00")), TRUE },
    { FOLDER (ENTRY ("file", SHA1, "0", "2024-05-01T12:00:00-07:00")), FALSE },
    { FOLDER (ENTRY ("file", OTHER, "1", "2024-05-01T12:00:00-07:00")), FALSE },
    { FOLDER (ENTRY ("file", SHA1, "1", "2024-05-01T11:59:59-07:00")), FALSE },
    { FOLDER (ENTRY ("folder", SHA1, "1", "2024-05-01T12:00:00-07:00")), FALSE },
    { "{\"entries\":{}}", FALSE },
    { "[]", FALSE },
  };
  BoxSha1 sha1;

  g_assert_true (box_sha1_from_hex (SHA1, &sha1));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonNode) node = json_from_string (cases[i].list, NULL);
      BoxVersionQuery query = { .size = 7, .sha1 = &sha1, .since = NOON };
      g_autoptr (BoxFile) file = box_file_find_renamed (node, &query);

      g_assert_true ((file != NULL) == cases[i].found);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/file/renamed-ones-are-told-from-others",
                   test_renamed_files_are_told_from_others);
  g_test_add_func ("/file/bare-and-listed-files-are-understood",
                   test_bare_and_listed_files_are_understood);
  g_test_add_func ("/file/nonsense-is-refused", test_nonsense_is_refused);
  g_test_add_func ("/file/conflicts-are-objects-or-arrays", test_conflicts_are_objects_or_arrays);
  g_test_add_func ("/file/what-is-no-conflicting-file-is-none",
                   test_what_is_no_conflicting_file_is_none);
  return g_test_run ();
}

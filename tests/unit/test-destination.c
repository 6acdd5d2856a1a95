/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/destination.h"
#include "base/error.h"
#include "base/text.h"

static const struct
{
  const char *uri;
  const char *folder_id;
  const char *name; /* NULL: refused */
  const char *back; /* NULL: the same */
} uris[] = {
  { "box://0/name.mp4", "0", "name.mp4" },
  { "BOX://0/name.mp4", "0", "name.mp4", "box://0/name.mp4" },
  { "box://123456/rec%20one.mp4", "123456", "rec one.mp4" },
  { "box://0/rec one.mp4", "0", "rec one.mp4", "box://0/rec%20one.mp4" },
  { "box://0/100%25.mp4", "0", "100%.mp4" },
  { "box://0/%C3%A4.mp4", "0", "ä.mp4" },
  { "box://0/ä.mp4", "0", "ä.mp4", "box://0/%C3%A4.mp4" },
  { "box://0/a%3Fb%23c.mp4", "0", "a?b#c.mp4" },
  { "box://0/.hidden", "0", ".hidden" },
  { "box://0/...", "0", "..." },
  { NULL },
  { "" },
  { "http://0/name" },
  { "box:0/name" },
  { "box://" },
  { "box://0" },
  { "box://0/" },
  { "box:///name" },
  { "box://folder/name" },
  { "box://-1/name" },
  { "box://0/a//b" },
  { "box://0//a" },
  { "box://0/a/" },
  { "box://0/a/../b" },
  { "box://0/%20a/b" },
  { "box://0/a/b?c" },
  { "box://0/a%2Fb" },
  { "box://0/a%5Cb" },
  { "box://0/a?b" },
  { "box://0/a#b" },
  { "box://0/100%" },
  { "box://0/a%00b" },
  { "box://0/a%0Ab" },
  { "box://0/a%7F" },
  { "box://0/%FF" },
  { "box://0/." },
  { "box://0/%2E%2E" },
  { "box://0/%20a" },
  { "box://0/a%20" },
};

static void
test_uris_name_a_folder_and_a_file (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (uris); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxDestination) parsed = box_destination_new_from_uri (uris[i].uri, &error);
      g_autoptr (BoxDestination) destination = NULL;
      g_autofree char *back = NULL;

      if (uris[i].name == NULL)
        {
          if (parsed != NULL)
            g_error ("%s was taken", uris[i].uri);
          g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
          continue;
        }
      g_assert_no_error (error);
      destination = box_destination_copy (parsed);
      g_assert_cmpint (destination->kind, ==, BOX_DESTINATION_FOLDER);
      g_assert_cmpstr (destination->folder_id, ==, uris[i].folder_id);
      g_assert_cmpstr (destination->name, ==, uris[i].name);
      back = box_destination_to_uri (destination);
      g_assert_cmpstr (back, ==, uris[i].back != NULL ? uris[i].back : uris[i].uri);
    }
}

static void
test_uris_name_folders_below_the_folder (void)
{
  static const char *const folders[] = { "Archive", "2026", "Kamera 3 ä", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) parsed =
      box_destination_new_from_uri ("box://7/Archive/2026/Kamera%203%20ä/a%2520.mp4", &error);
  g_autoptr (BoxDestination) destination = NULL, numbered = NULL, resolved = NULL;
  g_autofree char *uri = NULL, *folder = NULL;

  g_assert_no_error (error);
  destination = box_destination_copy (parsed);
  uri = box_destination_to_uri (destination);
  folder = box_destination_describe_folder (destination);
  numbered = box_destination_new_numbered (destination, 1);
  resolved = box_destination_new_resolved (destination, "12");
  g_assert_true (g_strv_equal ((const char *const *) destination->path, folders));
  g_assert_cmpstr (destination->folder_id, ==, "7");
  g_assert_cmpstr (destination->name, ==, "a%20.mp4");
  g_assert_false (destination->no_create);
  g_assert_cmpstr (uri, ==, "box://7/Archive/2026/Kamera%203%20%C3%A4/a%2520.mp4");
  g_assert_cmpstr (folder, ==, "7/Archive/2026/Kamera 3 ä");
  g_assert_true (g_strv_equal ((const char *const *) numbered->path, folders));
  g_assert_cmpstr (numbered->name, ==, "a%20 (1).mp4");
  g_assert_null (resolved->path);
  g_assert_cmpstr (resolved->folder_id, ==, "12");
  g_assert_false (box_destination_is_same_name (destination, resolved));
  g_assert_true (box_destination_is_same_name (destination, parsed));
}

static void
test_paths_are_names_between_slashes (void)
{
  static const struct
  {
    const char *path;
    const char *names[4];
  } paths[] = {
    { "Archive", { "Archive" } },
    { "/Archive/2026/", { "Archive", "2026" } },
    { "a%20/ä", { "a%20", "ä" } },
    { "" },
    { "/" },
    { "a//b" },
    { "//a" },
    { "../a" },
    { "a/ b" },
    { "a\\b" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) names = box_destination_parse_path (paths[i].path, &error);

      if (paths[i].names[0] == NULL)
        g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
      else
        g_assert_true (g_strv_equal ((const char *const *) names, paths[i].names));
    }
}

static void
test_a_place_is_an_id_or_a_path (void)
{
  static const struct
  {
    const char *place, *folder_id, *names;
  } places[] = {
    { "0", "0", "" },
    { "1234", "1234", "" },
    { "box://0", "0", "" },
    { "box://0/", "0", "" },
    { "BOX://5/a%20b/c", "5", "a b|c" },
    { "box://5/a/", "5", "a" },
    { "Archive" },
    { "0/a" },
    { "" },
    { "box://a/b" },
    { "box://0//a" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *folder_id = NULL, *joined = NULL;
      g_auto (GStrv) names = NULL;
      g_autoptr (GError) error = NULL;

      if (!box_destination_parse_place (places[i].place, &folder_id, &names, &error))
        {
          g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
          g_assert_null (places[i].folder_id);
          continue;
        }
      joined = g_strjoinv ("|", names);
      g_assert_cmpstr (folder_id, ==, places[i].folder_id);
      g_assert_cmpstr (joined, ==, places[i].names);
    }
}

static void
test_names_are_at_most_255_characters (void)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (guint i = 0; i < 255; i++)
    g_string_append (name, "ä");
  g_assert_true (box_destination_check_name (name->str, NULL));
  g_string_append (name, "b");
  g_assert_false (box_destination_check_name (name->str, NULL));
  g_assert_false (box_destination_check_name (NULL, NULL));
}

static void
test_ids_are_checked (void)
{
  g_autofree char *long_id = g_strnfill (65, '1');
  g_autoptr (BoxDestination) session = box_destination_new_session ("F97-a_1", NULL);
  g_autoptr (BoxDestination) file = box_destination_new_file ("12", NULL);
  g_autoptr (BoxDestination) root = box_destination_new_folder (NULL, "a", NULL);
  const char *const bad[] = { NULL, "", "../1", "1/2", "1 ", "ä", long_id };

  g_assert_cmpstr (session->session_id, ==, "F97-a_1");
  g_assert_cmpstr (file->file_id, ==, "12");
  g_assert_cmpstr (root->folder_id, ==, "0");
  g_assert_null (box_destination_to_uri (session));
  g_assert_null (box_destination_to_uri (file));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_null (box_destination_new_session (bad[i], NULL));
      g_assert_null (box_destination_new_file (bad[i], NULL));
      if (bad[i] != NULL)
        g_assert_null (box_destination_new_folder (bad[i], "a", NULL));
    }
}

static void
assert_numbered (const char *name, guint n, const char *expected)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("7", name, NULL);
  g_autoptr (BoxDestination) numbered = box_destination_new_numbered (destination, n);

  g_assert_cmpstr (numbered->folder_id, ==, "7");
  g_assert_cmpstr (numbered->name, ==, expected);
}

static void
test_a_number_goes_before_the_extension (void)
{
  assert_numbered ("clip.mp4", 2, "clip (2).mp4");
  assert_numbered ("a.tar.gz", 1, "a.tar (1).gz");
  assert_numbered (".hidden", 1, ".hidden (1)");
  assert_numbered ("none", 100, "none (100)");
}

/* @n times @character. */
static char *
repeat (const char *character, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);

  while (n-- > 0)
    g_string_append (text, character);
  return g_strdup (text->str);
}

static void
test_a_long_name_is_shortened_before_the_number (void)
{
  g_autofree char *full = repeat ("ä", 251), *cut = repeat ("ä", 247);
  g_autofree char *name = g_strconcat (full, ".mp4", NULL);
  g_autofree char *expected = g_strconcat (cut, " (1).mp4", NULL);
  g_autofree char *end = repeat ("ö", 253), *cut_end = repeat ("ö", 248);
  g_autofree char *all_extension = g_strconcat ("a.", end, NULL);
  g_autofree char *expected_end = g_strconcat ("a.", cut_end, " (10)", NULL);

  assert_numbered (name, 1, expected);
  assert_numbered (all_extension, 10, expected_end);
}

/* GStreamer users know "%05d" from filesink's cousins; here it is a control character and a "d". */
static void
test_patterns_for_numbers_are_explained (void)
{
  static const char *const locations[] = { "box://0/rec-%05d.mp4", "box://0/a%20dog-%02d.mp4",
                                           "box://0/rec-%d.mp4", "box://0/rec-%10i.mp4" };

  for (gsize i = 0; i < G_N_ELEMENTS (locations); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (box_destination_new_from_uri (locations[i], &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
      g_assert_nonnull (strstr (error->message, "splitmuxsink"));
      g_assert_nonnull (strstr (error->message, "%25"));
      g_assert_null (strstr (error->message, "%20d"));
    }
}

/* Not raw in any message: a terminal would obey. */
static void
test_names_are_escaped_for_messages (void)
{
  g_autofree char *escaped = box_text_escape ("a\033[31m\nb\xff\xe2\x80\xae"
                                              "c\xc3\xa4");

  g_assert_cmpstr (escaped, ==, "a\\x1b[31m\\nb\\xff\\u202ec\xc3\xa4");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/destination/uris-name-a-folder-and-a-file",
                   test_uris_name_a_folder_and_a_file);
  g_test_add_func ("/destination/uris-name-folders-below-the-folder",
                   test_uris_name_folders_below_the_folder);
  g_test_add_func ("/destination/paths-are-names-between-slashes",
                   test_paths_are_names_between_slashes);
  g_test_add_func ("/destination/place-is-an-id-or-a-path", test_a_place_is_an_id_or_a_path);
  g_test_add_func ("/destination/names-are-at-most-255-characters",
                   test_names_are_at_most_255_characters);
  g_test_add_func ("/destination/number-goes-before-the-extension",
                   test_a_number_goes_before_the_extension);
  g_test_add_func ("/destination/long-name-is-shortened-before-the-number",
                   test_a_long_name_is_shortened_before_the_number);
  g_test_add_func ("/destination/ids-are-checked", test_ids_are_checked);
  g_test_add_func ("/destination/patterns-for-numbers-are-explained",
                   test_patterns_for_numbers_are_explained);
  g_test_add_func ("/destination/names-are-escaped-for-messages",
                   test_names_are_escaped_for_messages);
  return g_test_run ();
}

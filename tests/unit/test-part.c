/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/session.h"
#include "base/error.h"

#define SHA1 "5fde1cce603e6566d20da811c9c8bcccb044d4ae"

static BoxPart *
parse (const char *text, GError **error)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);

  return box_part_parse (node, error);
}

static void
test_wrapped_and_bare_parts_are_understood (void)
{
  static const char *const texts[] = {
    "{\"part\":{\"part_id\":\"CFEB4BA9\",\"offset\":8388608,\"size\":5,\"sha1\":\"" SHA1 "\"}}",
    "{\"part_id\":\"CFEB4BA9\",\"offset\":8388608.0,\"size\":5,\"sha1\":\"" SHA1 "\"}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxPart) parsed = parse (texts[i], &error);
      g_autoptr (BoxPart) part = NULL;
      g_autofree char *hex = NULL;

      g_assert_no_error (error);
      part = box_part_copy (parsed);
      g_assert_cmpstr (part->id, ==, "CFEB4BA9");
      g_assert_cmpuint (part->offset, ==, 8388608);
      g_assert_cmpuint (part->size, ==, 5);
      g_assert_true (part->has_sha1);
      hex = box_sha1_to_hex (&part->sha1);
      g_assert_cmpstr (hex, ==, SHA1);
    }
}

static void
test_nonsense_is_refused (void)
{
  static const char *const texts[] = {
    "[]",
    "{}",
    "{\"part\":[]}",
    "{\"part\":{}}",
    "{\"part_id\":\"\",\"offset\":0,\"size\":5}",
    "{\"part_id\":5,\"offset\":0,\"size\":5}",
    "{\"part_id\":\"A\",\"size\":5}",
    "{\"part_id\":\"A\",\"offset\":-1,\"size\":5}",
    "{\"part_id\":\"A\",\"offset\":0}",
    "{\"part_id\":\"A\",\"offset\":0,\"size\":0}",
    "{\"part_id\":\"A\",\"offset\":0,\"size\":1e12}",
    "{\"part_id\":\"A\",\"offset\":0,\"size\":5,\"sha1\":\"xyz\"}",
    "{\"part_id\":\"A\",\"offset\":0,\"size\":5,\"sha1\":7}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxPart) part = parse (texts[i], &error);

      if (part != NULL)
        g_error ("%s was taken", texts[i]);
      g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
    }
}

static void
test_pages_leave_placeholders_out_but_count_them (void)
{
  g_autoptr (JsonNode) node = json_from_string (
      "{\"entries\":[{\"part_id\":\"A\",\"offset\":0,\"size\":5,\"sha1\":null},{\"part_id\":null},"
      "{\"offset\":5},{\"part_id\":\"\"},{\"part_id\":\"B\",\"offset\":15,\"size\":5}],"
      "\"total_count\":3,\"limit\":1000,\"offset\":0}",
      NULL);
  g_autoptr (GError) error = NULL;
  guint n_entries = 0;
  g_autoptr (GPtrArray) parts = box_part_parse_page (node, &n_entries, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (n_entries, ==, 5);
  g_assert_cmpuint (parts->len, ==, 2);
  g_assert_cmpstr (((BoxPart *) parts->pdata[1])->id, ==, "B");
  g_assert_false (((BoxPart *) parts->pdata[1])->has_sha1);
}

static void
test_pages_of_nonsense_are_refused (void)
{
  static const char *const texts[] = { "[]", "{}", "{\"entries\":{}}", "{\"entries\":[5]}",
                                       "{\"entries\":[{\"part_id\":\"A\"}]}" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (JsonNode) node = json_from_string (texts[i], NULL);
      g_autoptr (GError) error = NULL;

      g_assert_null (box_part_parse_page (node, NULL, &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/part/wrapped-and-bare-parts-are-understood",
                   test_wrapped_and_bare_parts_are_understood);
  g_test_add_func ("/part/nonsense-is-refused", test_nonsense_is_refused);
  g_test_add_func ("/part/pages-leave-placeholders-out-but-count-them",
                   test_pages_leave_placeholders_out_but_count_them);
  g_test_add_func ("/part/pages-of-nonsense-are-refused", test_pages_of_nonsense_are_refused);
  return g_test_run ();
}

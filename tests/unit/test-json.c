/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"

#include <string.h>

static JsonNode *
parse (const char *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));

  return box_json_parse (bytes, error);
}

static void
test_what_is_not_json_is_refused (void)
{
  static const char *const texts[] = {
    "",
    " ",
    "\"a",
    "<html>504</html>",
    "{",
    "[1,",
    "[1,]",
    "{\"a\":}",
    "{\"a\" 1}",
    "{\"a\":\"\xff\"}",
    "{'a':1}",
    "[1]]",
    "{}{}",
    "{}x",
    "[01]",
    "[1.]",
    "[.5]",
    "[1e]",
    "[+1]",
    "[--1]",
    "[nul]",
    "[NaN]",
    "[\"\\x\"]",
    "[\"\\u12\"]",
    "[\"\\u0000\"]",
    "[\"\\ud800\"]",
    "[\"\\udc00\"]",
    "[\"\\ud800\\u0041\"]",
    "[\"\n\"]",
    "{1:2}",
    "/* */ {}",
    "{/* \" */\"a\":1}",
    "// {\n{}",
    "{,}",
    "[,]",
    "\xef\xbb\xbf{}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = parse (texts[i], &error);

      if (node != NULL)
        g_error ("\"%s\" was taken", texts[i]);
      g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
    }
}

static void
test_all_that_is_json_is_taken (void)
{
  static const char *const texts[] = {
    "{}",
    "[]",
    " [ ] ",
    "[1,2]",
    "[-0,0.5,1e9,1E-9,1.5e+9]",
    "[true,false,null]",
    "{\"a\":{\"b\":[{}]},\"c\":\"\"}",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83c\\udfac\"]",
    "[\"\xc3\xa4\x7f\"]",
    "\t\r\n{ \"a\" : 1 , \"b\" : 2 }\n",
    "\"a\"",
    "1",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = parse (texts[i], &error);

      g_assert_no_error (error);
      g_assert_nonnull (node);
    }
}

static void
test_deep_nesting_is_refused (void)
{
  g_autofree char *deep = g_strnfill (1 << 20, '[');
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) brackets = NULL;

  g_assert_null (parse (deep, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
  brackets =
      parse ("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]", NULL);
  g_assert_nonnull (brackets);
}

typedef struct
{
  const char *value;
  gboolean good;
  gboolean found;
  guint64 number;
} NumberCase;

static const NumberCase numbers[] = {
  { "5", TRUE, TRUE, 5 },
  { "5.0", TRUE, TRUE, 5 },
  { "8.388608e6", TRUE, TRUE, 8388608 },
  { "9007199254740992", TRUE, TRUE, G_GUINT64_CONSTANT (9007199254740992) },
  { "8388608", TRUE, TRUE, 8388608 },
  { "838860.8E+1", TRUE, TRUE, 8388608 },
  { "null", TRUE, FALSE, 0 },
  { "5.5", FALSE },
  { "-1", FALSE },
  { "-1.0", FALSE },
  { "4", FALSE },
  { "9007199254740993", FALSE },
  { "1e300", FALSE },
  { "99999999999999999999999", FALSE },
  { "\"5\"", FALSE },
  { "true", FALSE },
  { "[5]", FALSE },
  { "{}", FALSE },
};

static void
test_numbers_are_whole_and_bounded (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"size\":%s}", numbers[i].value);
      g_autoptr (JsonNode) node = parse (text, NULL);
      g_autoptr (GError) error = NULL;
      gboolean found, good;
      guint64 number = 0;

      g_test_message ("%s", text);
      if (node == NULL)
        {
          g_assert_false (numbers[i].good);
          continue;
        }
      good = box_json_find_uint64 (json_node_get_object (node), "size", 5,
                                   G_GUINT64_CONSTANT (9007199254740992), &found, &number, &error);
      g_assert_cmpint (good, ==, numbers[i].good);
      g_assert_cmpint (found, ==, numbers[i].found);
      g_assert_cmpuint (number, ==, numbers[i].number);
      if (!good)
        {
          g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
          g_assert_nonnull (strstr (error->message, "\"size\""));
        }
    }
}

/* The same with every json-glib, as far as a gint64 goes. */
static const NumberCase large_numbers[] = {
  { "9223372036854775807", TRUE, TRUE, G_MAXINT64 },
  { "9000000000000000000", TRUE, TRUE, G_GUINT64_CONSTANT (9000000000000000000) },
  { "9e18", TRUE, TRUE, G_GUINT64_CONSTANT (9000000000000000000) },
  { "9223372036854775808", FALSE },
  { "18446744073709551615", FALSE },
  { "18446744073709551617", FALSE },
  { "99999999999999999999", FALSE },
  { "-9223372036854775808", FALSE },
  { "-9223372036854775809", FALSE },
  { "-18446744073709551615", FALSE },
  { "1e22", FALSE },
  { "1E+22", FALSE },
  { "1e400", FALSE },
  { "-1e22", FALSE },
};

static void
test_large_numbers_are_told_from_others (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (large_numbers); i++)
    {
      const NumberCase *c = &large_numbers[i];
      g_autofree char *text =
          g_strdup_printf ("{\"s\":\"\\\"%s\",\"a\":[%s],\"n\":%s}", c->value, c->value, c->value);
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = parse (text, &error);
      g_autofree char *string = NULL;
      guint64 number = 0;

      g_assert_no_error (error);
      if (box_json_get_uint64 (json_node_get_object (node), "n", 0, G_MAXINT64, &number, NULL)
          != c->good)
        g_error ("\"%s\": %" G_GUINT64_FORMAT, c->value, number);
      g_assert_cmpuint (number, ==, c->number);
      /* A string that looks like one stays as it is. */
      g_assert_true (box_json_get_string (json_node_get_object (node), "s", 100, &string, NULL));
      g_assert_cmpstr (string + 1, ==, c->value);
    }
}

static void
test_text_may_be_a_number (void)
{
  g_autoptr (JsonNode) node =
      parse ("{\"a\":\"3\",\"b\":3,\"c\":null,\"d\":[],\"e\":\"long\"}", NULL);
  JsonObject *object = json_node_get_object (node);
  g_autofree char *a = NULL, *b = NULL, *c = NULL, *d = NULL, *e = NULL;

  g_assert_true (box_json_find_text (object, "a", 3, &a, NULL));
  g_assert_cmpstr (a, ==, "3");
  g_assert_true (box_json_find_text (object, "b", 3, &b, NULL));
  g_assert_cmpstr (b, ==, "3");
  g_assert_true (box_json_find_text (object, "c", 3, &c, NULL));
  g_assert_null (c);
  g_assert_false (box_json_find_text (object, "d", 3, &d, NULL));
  g_assert_false (box_json_find_text (object, "e", 3, &e, NULL));
}

static void
test_missing_members_are_named (void)
{
  g_autoptr (JsonNode) node = parse ("{}", NULL);
  JsonObject *object = json_node_get_object (node);
  g_autoptr (GError) number_error = NULL, string_error = NULL;
  g_autofree char *text = NULL;
  guint64 number;

  g_assert_false (box_json_get_uint64 (object, "part_size", 0, 1, &number, &number_error));
  g_assert_cmpstr (number_error->message, ==, "the reply's \"part_size\" is missing");
  g_assert_false (box_json_get_string (object, "id", 1, &text, &string_error));
  g_assert_cmpstr (string_error->message, ==, "the reply's \"id\" is missing");
}

/* Secrets are read as other JSON is; how they differ is in memory, where /cli/secrets looks. */
static void
test_secrets_are_read_as_other_json_is (void)
{
  static const char *const texts[] = {
    "{}",
    " \n{ \"a\" : \"b\" } ",
    "{\"a\":{\"b\":{\"c\":\"d\"}},\"e\":[\"f\",{\"g\":1}],\"h\":null,\"i\":true,\"j\":1.5,\"k\":-"
    "7}",
    "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\n\":\"\"}",
    "{\"\\u0061\":\"\\u00e9\\ud83d\\ude00\",\"\303\251\":\"\303\251\"}",
    "{\"a\":\"one\",\"a\":\"two\",\"b\":1,\"b\":{\"c\":\"d\"}}",
    "{\"a\":9223372036854775808}",
  };
  static const char *const others[] = { "", "[]", "\"a\"", "{", "{\"a\":\"\\x\"}", "{}x" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (JsonNode) expected = parse (texts[i], NULL);
      g_autoptr (BoxSecretJson) node = box_json_parse_secret (texts[i], strlen (texts[i]));

      g_assert_nonnull (expected);
      g_assert_nonnull (node);
      g_assert_true (json_node_equal (node, expected));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_null (box_json_parse_secret (others[i], strlen (others[i])));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/what-is-not-json-is-refused", test_what_is_not_json_is_refused);
  g_test_add_func ("/json/all-that-is-json-is-taken", test_all_that_is_json_is_taken);
  g_test_add_func ("/json/deep-nesting-is-refused", test_deep_nesting_is_refused);
  g_test_add_func ("/json/numbers-are-whole-and-bounded", test_numbers_are_whole_and_bounded);
  g_test_add_func ("/json/large-numbers-are-told-from-others",
                   test_large_numbers_are_told_from_others);
  g_test_add_func ("/json/text-may-be-a-number", test_text_may_be_a_number);
  g_test_add_func ("/json/missing-members-are-named", test_missing_members_are_named);
  g_test_add_func ("/json/secrets-are-read-as-other-json-is",
                   test_secrets_are_read_as_other_json_is);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON with secrets: what is taken is an object, and the same one that json-glib reads; what is
 * refused, json-glib would not get to see either.
 */
#include "fuzz.h"

#include "base/json.h"

#include <string.h>

static void
count_member (const BoxJsonMember *member, gpointer user_data)
{
  guint *n = user_data;

  g_assert_cmpint (member->name[0], ==, '"');
  g_assert_cmpuint (member->name_length, >=, 2);
  g_assert_true (box_json_is_valid (member->name, member->name_length));
  g_assert_true (box_json_is_valid (member->value, member->value_length));
  (*n)++;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize mark = box_json_mark_length ((const char *) data, size);
  g_autoptr (GBytes) bytes = g_bytes_new (data + mark, size - mark);
  g_autoptr (JsonNode) node = box_json_parse (bytes, NULL);
  /* A caller ends the text with a null byte. */
  g_autofree char *text = g_malloc0 (size - mark + 1);
  g_autoptr (BoxSecretJson) secret = NULL;
  guint n = 0;

  memcpy (text, data + mark, size - mark);
  secret = box_json_parse_secret (text, size - mark);
  if (secret == NULL)
    {
      g_assert_true (node == NULL || !JSON_NODE_HOLDS_OBJECT (node));
      return 0;
    }
  g_assert_nonnull (node);
  g_assert_true (json_node_equal (secret, node));
  box_json_visit_members (text, size - mark, count_member, &n);
  g_assert_cmpuint (n, >=, json_object_get_size (json_node_get_object (node)));
  return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON with secrets in it. json-glib frees the strings that it reads without overwriting them, so
 * it gets to see only numbers, arrays, and strings with \u in them. */
#include "base/json.h"

#include "base/error.h"
#include "base/secret.h"

#include <string.h>

static JsonNode *read_value (const char *text, gsize length);

/* By json-glib. */
static JsonNode *
read_by_library (const char *text, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, length);

  return box_json_parse (bytes, NULL);
}

/* The valid string that is written between quotes; NULL if it has escapes for code points. */
static char *
read_string (const char *text, gsize length)
{
  static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  g_autoptr (BoxSecret) string = g_malloc0 (length);
  char *end = string;

  for (gsize i = 1; i + 1 < length; i++)
    {
      const char *escape;

      if (text[i] != '\\')
        {
          *end++ = text[i];
          continue;
        }
      escape = strchr (escapes, text[++i]);
      if (escape == NULL)
        return NULL;
      *end++ = meanings[escape - escapes];
    }
  return g_steal_pointer (&string);
}

static void
wipe_member (JsonObject *object, const char *name, JsonNode *node, gpointer user_data)
{
  const char *string;

  if (JSON_NODE_HOLDS_OBJECT (node))
    json_object_foreach_member (json_node_get_object (node), wipe_member, NULL);
  else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      string = json_node_get_string (node);
      explicit_bzero ((char *) string, strlen (string));
    }
}

static void
add_member (const BoxJsonMember *member, gpointer user_data)
{
  JsonObject *object = user_data;
  g_autofree char *name = read_string (member->name, member->name_length);
  JsonNode *value = read_value (member->value, member->value_length);

  if (name == NULL)
    {
      g_autoptr (JsonNode) node = read_by_library (member->name, member->name_length);

      name = json_node_dup_string (node);
    }
  if (json_object_has_member (object, name))
    wipe_member (object, name, json_object_get_member (object, name), NULL);
  json_object_set_member (object, name, value);
}

/* @text is valid. */
static JsonNode *
read_value (const char *text, gsize length)
{
  g_autoptr (BoxSecret) string = NULL;

  if (*text == '{')
    {
      JsonNode *node = json_node_new (JSON_NODE_OBJECT);

      json_node_take_object (node, json_object_new ());
      box_json_visit_members (text, length, add_member, json_node_get_object (node));
      return node;
    }
  if (*text == '"')
    string = read_string (text, length);
  return string != NULL ? json_node_init_string (json_node_alloc (), string)
                        : read_by_library (text, length);
}

JsonNode *
box_json_parse_secret (const char *text, gsize length)
{
  if (!box_json_is_valid (text, length))
    return NULL;
  while (strchr (" \t\r\n", *text) != NULL)
    {
      text++;
      length--;
    }
  return *text == '{' ? read_value (text, length) : NULL;
}

void
box_json_free_secret (JsonNode *node)
{
  if (node == NULL)
    return;
  wipe_member (NULL, NULL, node, NULL);
  json_node_unref (node);
}

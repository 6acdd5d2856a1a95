/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/base/json.h"

JsonObject *
emu_json_parse (const char *text, gssize length)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode *root;

  if (!json_parser_load_from_data (parser, text, length, NULL))
    return NULL;
  root = json_parser_get_root (parser);
  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_dup_object (root) : NULL;
}

static JsonNode *
get_member (JsonObject *object, const char *name)
{
  return object != NULL ? json_object_get_member (object, name) : NULL;
}

const char *
emu_json_string (JsonObject *object, const char *name)
{
  JsonNode *node = get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

JsonObject *
emu_json_object (JsonObject *object, const char *name)
{
  JsonNode *node = get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
emu_json_array (JsonObject *object, const char *name)
{
  JsonNode *node = get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

gint64
emu_json_int (JsonObject *object, const char *name, gint64 fallback)
{
  JsonNode *node = get_member (object, name);
  const char *text = emu_json_string (object, name);
  gint64 value = fallback;

  if (text != NULL)
    return g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &value, NULL) ? value
                                                                                     : fallback;
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return fallback;
  if (json_node_get_value_type (node) == G_TYPE_INT64)
    return json_node_get_int (node);
  if (json_node_get_value_type (node) == G_TYPE_DOUBLE
      && json_node_get_double (node) == (gdouble) (gint64) json_node_get_double (node))
    return (gint64) json_node_get_double (node);
  return fallback;
}

gboolean
emu_json_boolean (JsonObject *object, const char *name, gboolean fallback)
{
  JsonNode *node = get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN
             ? json_node_get_boolean (node)
             : fallback;
}

void
emu_json_set_string (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
  else
    json_object_set_null_member (object, name);
}

char *
emu_json_to_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  return json_to_string (node, FALSE);
}

void
emu_json_merge (JsonObject *target, JsonObject *patch)
{
  g_autoptr (GList) names = json_object_get_members (patch);

  for (GList *l = names; l != NULL; l = l->next)
    {
      const char *name = l->data;
      JsonNode *value = json_object_get_member (patch, name);
      JsonObject *inner = emu_json_object (target, name);

      if (JSON_NODE_HOLDS_OBJECT (value) && inner != NULL)
        emu_json_merge (inner, json_node_get_object (value));
      else if (JSON_NODE_HOLDS_NULL (value))
        json_object_remove_member (target, name);
      else
        json_object_set_member (target, name, json_node_copy (value));
    }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* Of an id. Bytes. */
#define MAX_ID 64

static gboolean
set_field_error (GError **error, const char *name, const char *problem)
{
  g_set_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "the reply's \"%s\" %s", name, problem);
  return FALSE;
}

JsonNode *
box_json_parse (GBytes *bytes, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) reason = NULL;
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);
  g_autoptr (GString) spelt = NULL;
  JsonNode *root;

  if (length == 0 || !box_json_is_valid (text, length))
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "the reply is not JSON");
      return NULL;
    }
  spelt = box_json_spell_out_floats (text, length);
  if (spelt != NULL)
    {
      text = spelt->str;
      length = spelt->len;
    }
  if (!json_parser_load_from_data (parser, text, (gssize) length, &reason)
      || (root = json_parser_get_root (parser)) == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "the reply is not valid JSON");
      return NULL;
    }
  return json_node_ref (root);
}

JsonObject *
box_json_object (JsonNode *node, const char *what, GError **error)
{
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return json_node_get_object (node);
  g_set_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "%s is not an object", what);
  return NULL;
}

/* The member, or NULL if it is absent or null. */
static JsonNode *
find_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node == NULL || JSON_NODE_HOLDS_NULL (node) ? NULL : node;
}

gboolean
box_json_find_object (JsonObject *object, const char *name, JsonObject **value, GError **error)
{
  JsonNode *node = find_member (object, name);

  *value = NULL;
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return set_field_error (error, name, "is not an object");
  *value = json_node_get_object (node);
  return TRUE;
}

gboolean
box_json_find_array (JsonObject *object, const char *name, JsonArray **value, GError **error)
{
  JsonNode *node = find_member (object, name);

  *value = NULL;
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return set_field_error (error, name, "is not an array");
  *value = json_node_get_array (node);
  return TRUE;
}

/* Box's documentation: large numbers can come as IEEE 754 floats. Those above 2^53 may be rounded
 * already, which the bounds do not tell; sizes of files are far below. */
static gboolean
read_uint64 (JsonNode *node, guint64 *value)
{
  GType type;

  if (!JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  type = json_node_get_value_type (node);
  if (type == G_TYPE_INT64)
    {
      gint64 number = json_node_get_int (node);

      *value = (guint64) number;
      return number >= 0;
    }
  if (type == G_TYPE_DOUBLE)
    {
      double number = json_node_get_double (node);

      if (!isfinite (number) || number < 0 || number > 9e18 || number != floor (number))
        return FALSE;
      *value = (guint64) number;
      return TRUE;
    }
  return FALSE;
}

gboolean
box_json_find_uint64 (JsonObject *object, const char *name, guint64 min, guint64 max,
                      gboolean *found, guint64 *value, GError **error)
{
  JsonNode *node = find_member (object, name);
  guint64 number;

  *found = FALSE;
  if (node == NULL)
    return TRUE;
  if (!read_uint64 (node, &number))
    return set_field_error (error, name, "is not a whole number");
  if (number < min || number > max)
    return set_field_error (error, name, "is out of range");
  *found = TRUE;
  *value = number;
  return TRUE;
}

gboolean
box_json_get_uint64 (JsonObject *object, const char *name, guint64 min, guint64 max, guint64 *value,
                     GError **error)
{
  gboolean found;

  if (!box_json_find_uint64 (object, name, min, max, &found, value, error))
    return FALSE;
  return found || set_field_error (error, name, "is missing");
}

static gboolean
holds (JsonNode *node, GType type)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type;
}

const char *
box_json_peek_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return holds (node, G_TYPE_STRING) ? json_node_get_string (node) : NULL;
}

gboolean
box_json_get_boolean (JsonObject *object, const char *name, gboolean *value)
{
  JsonNode *node = json_object_get_member (object, name);

  if (!holds (node, G_TYPE_BOOLEAN))
    return FALSE;
  *value = json_node_get_boolean (node);
  return TRUE;
}

gboolean
box_json_find_string (JsonObject *object, const char *name, gsize max_bytes, char **value,
                      GError **error)
{
  JsonNode *node = find_member (object, name);
  const char *text;

  *value = NULL;
  if (node == NULL)
    return TRUE;
  if (!holds (node, G_TYPE_STRING))
    return set_field_error (error, name, "is not a string");
  text = json_node_get_string (node);
  if (strlen (text) > max_bytes)
    return set_field_error (error, name, "is too long");
  *value = g_strdup (text);
  return TRUE;
}

gboolean
box_json_get_string (JsonObject *object, const char *name, gsize max_bytes, char **value,
                     GError **error)
{
  if (!box_json_find_string (object, name, max_bytes, value, error))
    return FALSE;
  return *value != NULL || set_field_error (error, name, "is missing");
}

gboolean
box_json_find_text (JsonObject *object, const char *name, gsize max_bytes, char **value,
                    GError **error)
{
  JsonNode *node = find_member (object, name);
  guint64 number;

  *value = NULL;
  if (node == NULL || !read_uint64 (node, &number))
    return box_json_find_string (object, name, max_bytes, value, error);
  *value = g_strdup_printf ("%" G_GUINT64_FORMAT, number);
  return TRUE;
}

gboolean
box_json_get_id (JsonObject *object, const char *what, char **id, GError **error)
{
  g_autofree char *text = NULL;

  if (!box_json_find_text (object, "id", MAX_ID, &text, error))
    return FALSE;
  if (text == NULL || *text == '\0' || strspn (text, "0123456789") != strlen (text))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "%s's \"id\" is %s", what,
                   text == NULL ? "missing" : "not a number");
      return FALSE;
    }
  *id = g_steal_pointer (&text);
  return TRUE;
}

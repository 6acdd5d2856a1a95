/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

static JsonNode *
new_string (const char *text)
{
  return json_node_init_string (json_node_alloc (), text);
}

/* Integers of all sizes. */
static gboolean
get_whole (const GValue *value, gint64 *number)
{
  g_auto (GValue) whole = G_VALUE_INIT;

  if (!G_VALUE_HOLDS_INT (value) && !G_VALUE_HOLDS_UINT (value) && !G_VALUE_HOLDS_INT64 (value)
      && !G_VALUE_HOLDS_UINT64 (value))
    return FALSE;
  g_value_init (&whole, G_TYPE_INT64);
  if (!g_value_transform (value, &whole))
    return FALSE;
  *number = g_value_get_int64 (&whole);
  return TRUE;
}

/* A number that has a fraction. */
static gboolean
get_real (const GValue *value, gdouble *number)
{
  if (G_VALUE_HOLDS_DOUBLE (value))
    *number = g_value_get_double (value);
  else if (G_VALUE_HOLDS_FLOAT (value))
    *number = g_value_get_float (value);
  else
    return FALSE;
  return TRUE;
}

/* What is text to Box; NULL: it is not. */
static char *
dup_text (const GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return g_strdup (g_value_get_boolean (value) ? "true" : "false");
  if (G_VALUE_HOLDS (value, GST_TYPE_DATE_TIME) && g_value_get_boxed (value) != NULL)
    return gst_date_time_to_iso8601_string (g_value_get_boxed (value));
  if (G_VALUE_HOLDS (value, G_TYPE_DATE) || GST_VALUE_HOLDS_FRACTION (value)
      || G_VALUE_HOLDS_ENUM (value))
    return gst_value_serialize (value);
  return NULL;
}

/* A list or an array of what is text. */
static JsonNode *
new_list (const GValue *value)
{
  gboolean is_list = GST_VALUE_HOLDS_LIST (value);
  guint n = is_list ? gst_value_list_get_size (value) : gst_value_array_get_size (value);
  g_autoptr (JsonArray) array = json_array_new ();
  JsonNode *node;

  for (guint i = 0; i < n; i++)
    {
      const GValue *element =
          is_list ? gst_value_list_get_value (value, i) : gst_value_array_get_value (value, i);
      g_autofree char *text = dup_text (element);

      if (text == NULL)
        return NULL;
      json_array_add_string_element (array, text);
    }
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (node, g_steal_pointer (&array));
  return node;
}

static JsonNode *
new_value (const GValue *value)
{
  g_autofree char *text = dup_text (value);
  gint64 whole;
  gdouble real;

  if (text != NULL)
    return new_string (text);
  if (get_whole (value, &whole))
    return json_node_init_int (json_node_alloc (), whole);
  if (get_real (value, &real))
    return json_node_init_double (json_node_alloc (), real);
  if (GST_VALUE_HOLDS_LIST (value) || GST_VALUE_HOLDS_ARRAY (value))
    return new_list (value);
  return NULL;
}

BoxMetadata *
sink_metadata_new (const GstStructure *structure, const char *name, GError **error)
{
  g_autoptr (JsonObject) values = json_object_new ();

  for (gint i = 0; i < gst_structure_n_fields (structure); i++)
    {
      const char *key = gst_structure_nth_field_name (structure, (guint) i);
      JsonNode *value = new_value (gst_structure_get_value (structure, key));

      if (value == NULL)
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "The field %s of the property metadata is of the type %s, which Box has no "
                       "place for: use strings, numbers and lists of strings",
                       key, G_VALUE_TYPE_NAME (gst_structure_get_value (structure, key)));
          return NULL;
        }
      json_object_set_member (values, key, value);
    }
  return box_metadata_new (name, values, error);
}

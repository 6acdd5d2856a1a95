/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/metadata.h"

#include "emulator/base/json.h"

#include <string.h>

#define GLOBAL  "global/properties"
#define VERSION "$version"

static gboolean
is_template (const char *name)
{
  const char *slash = strchr (name, '/');

  if (g_str_equal (name, GLOBAL))
    return TRUE;
  return g_str_has_prefix (name, "enterprise") && (name[10] == '/' || name[10] == '_')
         && slash != NULL && slash[1] != '\0' && strchr (slash + 1, '/') == NULL;
}

static gboolean
has_no_instance (EmuProblem *problem)
{
  return emu_problem_set_upload (problem, 404, "instance_tuple_not_found",
                                 "Instance of the template not found on the file");
}

/* Strings, and in a template of an enterprise numbers and lists of strings. */
static gboolean
check_value (const char *name, const char *key, JsonNode *value, EmuProblem *problem)
{
  GType type = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_value_type (value) : G_TYPE_NONE;
  gboolean ok = type == G_TYPE_STRING;

  if (!g_str_equal (name, GLOBAL))
    ok = ok || type == G_TYPE_INT64 || type == G_TYPE_DOUBLE || JSON_NODE_HOLDS_ARRAY (value);
  if (ok && *key != '$')
    return TRUE;
  return emu_problem_set_upload (problem, 400, "bad_request", "Value of '%s' is not valid", key);
}

static gboolean
check_values (const char *name, JsonObject *values, EmuProblem *problem)
{
  g_autoptr (GList) keys = json_object_get_members (values);

  for (GList *l = keys; l != NULL; l = l->next)
    if (!check_value (name, l->data, json_object_get_member (values, l->data), problem))
      return FALSE;
  return TRUE;
}

static JsonObject *
copy (JsonObject *object)
{
  g_autofree char *text = emu_json_to_text (object);

  return emu_json_parse (text, -1);
}

static JsonObject *
show (JsonObject *instance, const char *file, const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", 2);
  g_autofree char *parent = g_strconcat ("file_", file, NULL);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_MD5, parent, -1);
  JsonObject *object = copy (instance);

  json_object_set_string_member (object, "$id", hash);
  json_object_set_string_member (object, "$type", parts[1]);
  json_object_set_string_member (object, "$parent", parent);
  json_object_set_string_member (object, "$scope", parts[0]);
  json_object_set_string_member (object, "$template", parts[1]);
  json_object_set_int_member (object, "$typeVersion", 0);
  json_object_set_boolean_member (object, "$canEdit", TRUE);
  return object;
}

JsonObject *
emu_metadata_create (EmuMetadata *metadata, const char *file, const char *name, JsonObject *values,
                     EmuProblem *problem)
{
  JsonObject *instance;

  if (!is_template (name))
    {
      emu_problem_set_upload (problem, 404, "not_found", "Template not found");
      return NULL;
    }
  if (!check_values (name, values, problem))
    return NULL;
  if (json_object_has_member (metadata, name))
    {
      emu_problem_set_upload (problem, 409, "conflict", "Conflict on Metadata Instance.");
      return NULL;
    }
  instance = copy (values);
  json_object_set_int_member (instance, VERSION, 0);
  json_object_set_object_member (metadata, name, instance);
  return show (instance, file, name);
}

JsonObject *
emu_metadata_get (EmuMetadata *metadata, const char *file, const char *name, EmuProblem *problem)
{
  JsonObject *instance = emu_json_object (metadata, name);

  if (instance == NULL)
    {
      has_no_instance (problem);
      return NULL;
    }
  return show (instance, file, name);
}

/* The key that a JSON pointer names; NULL: it is not one of a member. */
static char *
key_of (const char *pointer)
{
  GString *key;

  if (pointer == NULL || *pointer != '/' || strchr (pointer + 1, '/') != NULL)
    return NULL;
  key = g_string_new (pointer + 1);
  g_string_replace (key, "~1", "/", 0);
  g_string_replace (key, "~0", "~", 0);
  return g_string_free (key, FALSE);
}

static gboolean
apply (JsonObject *instance, const char *name, JsonObject *operation, EmuProblem *problem)
{
  const char *op = emu_json_string (operation, "op");
  g_autofree char *key = key_of (emu_json_string (operation, "path"));
  JsonNode *value = json_object_get_member (operation, "value");
  gboolean there = key != NULL && json_object_has_member (instance, key);
  gboolean adds = g_strcmp0 (op, "add") == 0;

  if (key == NULL || op == NULL || (!there && !adds))
    return emu_problem_set_upload (problem, 400, "bad_request", "Invalid JSON patch");
  if (g_str_equal (op, "remove"))
    {
      json_object_remove_member (instance, key);
      return TRUE;
    }
  if (value == NULL || !check_value (name, key, value, problem))
    return value == NULL
               ? emu_problem_set_upload (problem, 400, "bad_request", "Invalid JSON patch")
               : FALSE;
  if (g_str_equal (op, "test"))
    return json_node_equal (value, json_object_get_member (instance, key))
           || emu_problem_set_upload (problem, 400, "test_failed", "Test operation failed");
  json_object_set_member (instance, key, json_node_copy (value));
  return TRUE;
}

JsonObject *
emu_metadata_patch (EmuMetadata *metadata, const char *file, const char *name,
                    JsonArray *operations, EmuProblem *problem)
{
  JsonObject *instance = emu_json_object (metadata, name);
  g_autoptr (JsonObject) changed = NULL;

  if (instance == NULL)
    {
      has_no_instance (problem);
      return NULL;
    }
  changed = copy (instance);
  for (guint i = 0; i < json_array_get_length (operations); i++)
    {
      JsonNode *operation = json_array_get_element (operations, i);

      if (!JSON_NODE_HOLDS_OBJECT (operation)
          || !apply (changed, name, json_node_get_object (operation), problem))
        {
          if (problem->status == 0)
            emu_problem_set_upload (problem, 400, "bad_request", "Invalid JSON patch");
          return NULL;
        }
    }
  json_object_set_int_member (changed, VERSION, emu_json_int (changed, VERSION, 0) + 1);
  json_object_set_object_member (metadata, name, json_object_ref (changed));
  return show (changed, file, name);
}

gboolean
emu_metadata_remove (EmuMetadata *metadata, const char *name, EmuProblem *problem)
{
  if (!json_object_has_member (metadata, name))
    return has_no_instance (problem);
  json_object_remove_member (metadata, name);
  return TRUE;
}

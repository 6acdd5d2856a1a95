/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/file.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

#define MAX_ID   64
#define MAX_NAME 4096

static gboolean
parse_id (JsonObject *object, const char *what, char **id, GError **error)
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

static gboolean
parse_sha1 (JsonObject *object, BoxFile *file, GError **error)
{
  g_autofree char *hex = NULL;

  if (!box_json_find_string (object, "sha1", 64, &hex, error))
    return FALSE;
  if (hex == NULL || *hex == '\0')
    return TRUE;
  file->has_sha1 = box_sha1_from_hex (hex, &file->sha1);
  if (file->has_sha1)
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                       "the file's \"sha1\" is not a hexadecimal SHA-1");
  return FALSE;
}

/* It goes back to Box in a header. */
static gboolean
parse_etag (JsonObject *object, BoxFile *file, GError **error)
{
  if (!box_json_find_text (object, "etag", MAX_ID, &file->etag, error))
    return FALSE;
  for (const char *p = file->etag; p != NULL && *p != '\0'; p++)
    if (!g_ascii_isgraph (*p))
      {
        g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                             "the file's \"etag\" is not an etag");
        return FALSE;
      }
  return TRUE;
}

static BoxFile *
parse_object (JsonObject *object, GError **error)
{
  g_autoptr (BoxFile) file = g_new0 (BoxFile, 1);
  JsonObject *version;

  if (!parse_id (object, "the file", &file->id, error)
      || !box_json_find_string (object, "name", MAX_NAME, &file->name, error)
      || !parse_etag (object, file, error)
      || !box_json_find_uint64 (object, "size", 0, G_MAXINT64, &file->has_size, &file->size, error)
      || !parse_sha1 (object, file, error)
      || !box_json_find_object (object, "file_version", &version, error)
      || (version != NULL && !parse_id (version, "the file version", &file->version_id, error)))
    return NULL;
  return g_steal_pointer (&file);
}

BoxFile *
box_file_parse (JsonNode *node, GError **error)
{
  JsonObject *object = box_json_object (node, "the file", error);
  JsonArray *entries;

  if (object == NULL || !box_json_find_array (object, "entries", &entries, error))
    return NULL;
  if (entries == NULL)
    return parse_object (object, error);
  if (json_array_get_length (entries) != 1)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                           "the reply's \"entries\" is not one file");
      return NULL;
    }
  object = box_json_object (json_array_get_element (entries, 0), "the file", error);
  return object != NULL ? parse_object (object, error) : NULL;
}

static JsonObject *
first_conflict (JsonNode *context)
{
  JsonNode *conflicts;

  if (context == NULL || !JSON_NODE_HOLDS_OBJECT (context))
    return NULL;
  conflicts = json_object_get_member (json_node_get_object (context), "conflicts");
  if (conflicts != NULL && JSON_NODE_HOLDS_ARRAY (conflicts))
    {
      JsonArray *array = json_node_get_array (conflicts);

      conflicts = json_array_get_length (array) > 0 ? json_array_get_element (array, 0) : NULL;
    }
  if (conflicts == NULL || !JSON_NODE_HOLDS_OBJECT (conflicts))
    return NULL;
  return json_node_get_object (conflicts);
}

BoxFile *
box_file_from_conflict (const GError *error)
{
  JsonObject *conflict = first_conflict (box_error_get_details (error)->context);
  g_autofree char *type = NULL;

  if (conflict == NULL || !box_json_find_string (conflict, "type", 32, &type, NULL))
    return NULL;
  if (type != NULL && !g_str_equal (type, "file"))
    return NULL;
  return parse_object (conflict, NULL);
}

gboolean
box_file_has_content (const BoxFile *file, guint64 size, const BoxSha1 *sha1)
{
  return file != NULL && file->has_sha1 && box_sha1_equal (&file->sha1, sha1)
         && (!file->has_size || file->size == size);
}

BoxFile *
box_file_copy (const BoxFile *file)
{
  BoxFile *copy = g_new (BoxFile, 1);

  *copy = *file;
  copy->id = g_strdup (file->id);
  copy->version_id = g_strdup (file->version_id);
  copy->name = g_strdup (file->name);
  copy->etag = g_strdup (file->etag);
  return copy;
}

void
box_file_free (BoxFile *file)
{
  if (file == NULL)
    return;
  g_free (file->id);
  g_free (file->version_id);
  g_free (file->name);
  g_free (file->etag);
  g_free (file);
}

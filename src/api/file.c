/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/file.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

#define MAX_ID   64
#define MAX_NAME 4096
#define MAX_TIME 64

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

  if (!box_json_get_id (object, "the file", &file->id, error)
      || !box_json_find_string (object, "name", MAX_NAME, &file->name, error)
      || !parse_etag (object, file, error)
      || !box_json_find_uint64 (object, "size", 0, G_MAXINT64, &file->has_size, &file->size, error)
      || !parse_sha1 (object, file, error)
      || !box_json_find_object (object, "file_version", &version, error)
      || (version != NULL
          && !box_json_get_id (version, "the file version", &file->version_id, error)))
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
  copy->link = g_strdup (file->link);
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
  g_free (file->link);
  g_free (file);
}

void
box_version_free (BoxVersion *version)
{
  if (version == NULL)
    return;
  g_free (version->id);
  g_free (version);
}

static gboolean
parse_created (JsonObject *object, gint64 *created, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = NULL;

  if (!box_json_find_string (object, "created_at", MAX_TIME, &text, error))
    return FALSE;
  if (text != NULL)
    time = g_date_time_new_from_iso8601 (text, utc);
  if (time != NULL)
    *created = g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time);
  return TRUE;
}

static BoxVersion *
parse_version (JsonNode *node, GError **error)
{
  g_autoptr (BoxVersion) version = g_new0 (BoxVersion, 1);
  JsonObject *object = box_json_object (node, "the file version", error);
  g_autofree char *hex = NULL;

  if (object == NULL || !box_json_find_text (object, "id", MAX_ID, &version->id, error)
      || !box_json_find_uint64 (object, "size", 0, G_MAXINT64, &version->has_size, &version->size,
                                error)
      || !box_json_find_string (object, "sha1", 64, &hex, error)
      || !parse_created (object, &version->created, error))
    return NULL;
  version->has_sha1 = hex != NULL && box_sha1_from_hex (hex, &version->sha1);
  if (version->id != NULL)
    return g_steal_pointer (&version);
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "the file version has no \"id\"");
  return NULL;
}

GPtrArray *
box_version_parse_list (JsonNode *node, GError **error)
{
  g_autoptr (GPtrArray) versions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) box_version_free);
  JsonObject *object = box_json_object (node, "the list of versions", error);
  JsonArray *entries;

  if (object == NULL || !box_json_find_array (object, "entries", &entries, error))
    return NULL;
  for (guint i = 0; entries != NULL && i < json_array_get_length (entries); i++)
    {
      BoxVersion *version = parse_version (json_array_get_element (entries, i), error);

      if (version == NULL)
        return NULL;
      g_ptr_array_add (versions, version);
    }
  return g_steal_pointer (&versions);
}

static const BoxVersion *
find_by_id (GPtrArray *versions, const char *id)
{
  for (guint i = 0; id != NULL && i < versions->len; i++)
    {
      const BoxVersion *version = g_ptr_array_index (versions, i);

      if (g_str_equal (version->id, id))
        return version;
    }
  return NULL;
}

/* Box's ids are decimal numbers that grow; its times are of whole seconds. */
static gboolean
is_newer (const BoxVersion *version, const BoxVersion *other)
{
  gsize length = strlen (version->id), other_length = strlen (other->id);

  if (version->created != other->created)
    return version->created > other->created;
  if (length != other_length)
    return length > other_length;
  return strcmp (version->id, other->id) > 0;
}

const BoxVersion *
box_version_find (GPtrArray *versions, const BoxVersionQuery *query)
{
  const BoxVersion *older = find_by_id (versions, query->after);

  for (guint i = 0; i < versions->len; i++)
    {
      const BoxVersion *version = g_ptr_array_index (versions, i);

      if (version->has_sha1 && box_sha1_equal (&version->sha1, query->sha1)
          && (!version->has_size || version->size == query->size)
          && (older == NULL || is_newer (version, older))
          && (query->since == 0 || version->created / G_USEC_PER_SEC >= query->since))
        return version;
    }
  return NULL;
}

/* Box counts an item's changes in its etag. */
static gboolean
is_renamed (JsonNode *node, const BoxVersionQuery *query)
{
  JsonObject *object = json_node_get_object (node);
  g_autofree char *type = NULL;
  g_autofree char *etag = NULL;
  gint64 created = 0;

  return box_json_find_string (object, "type", 32, &type, NULL) && g_strcmp0 (type, "file") == 0
         && box_json_find_text (object, "etag", MAX_ID, &etag, NULL) && etag != NULL
         && !g_str_equal (etag, "0") && parse_created (object, &created, NULL)
         && created / G_USEC_PER_SEC >= query->since;
}

BoxFile *
box_file_find_renamed (JsonNode *list, const BoxVersionQuery *query)
{
  JsonObject *object = box_json_object (list, "the folder", NULL);
  JsonArray *entries = NULL;

  if (object == NULL || !box_json_find_array (object, "entries", &entries, NULL))
    return NULL;
  for (guint i = 0; entries != NULL && i < json_array_get_length (entries); i++)
    {
      JsonNode *node = json_array_get_element (entries, i);
      g_autoptr (BoxFile) file = NULL;

      if (!JSON_NODE_HOLDS_OBJECT (node) || !is_renamed (node, query))
        continue;
      file = box_file_parse (node, NULL);
      if (box_file_has_content (file, query->size, query->sha1))
        return g_steal_pointer (&file);
    }
  return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/version.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

#define MAX_ID   64
#define MAX_TIME 64

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

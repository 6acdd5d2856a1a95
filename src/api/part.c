/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/part.h"

#include "api/session.h"
#include "base/error.h"
#include "base/json.h"

#define MAX_PART_ID 64

/* One page holds at most 1000; a server that sends more is still believed up to here. */
#define MAX_PAGE_ENTRIES 20000

static gboolean
parse_sha1 (JsonObject *object, BoxPart *part, GError **error)
{
  g_autofree char *hex = NULL;

  if (!box_json_find_string (object, "sha1", 64, &hex, error))
    return FALSE;
  if (hex == NULL)
    return TRUE;
  part->has_sha1 = box_sha1_from_hex (hex, &part->sha1);
  if (part->has_sha1)
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                       "the part's \"sha1\" is not a hexadecimal SHA-1");
  return FALSE;
}

/* @part stays without an id where the entry is a placeholder. */
static gboolean
parse_object (JsonObject *object, BoxPart *part, GError **error)
{
  if (!box_json_find_string (object, "part_id", MAX_PART_ID, &part->id, error))
    return FALSE;
  if (part->id == NULL || *part->id == '\0')
    {
      g_clear_pointer (&part->id, g_free);
      return TRUE;
    }
  return box_json_get_uint64 (object, "offset", 0, G_MAXINT64, &part->offset, error)
         && box_json_get_uint64 (object, "size", 1, BOX_SESSION_MAX_PART_SIZE, &part->size, error)
         && parse_sha1 (object, part, error);
}

BoxPart *
box_part_parse (JsonNode *node, GError **error)
{
  g_autoptr (BoxPart) part = g_new0 (BoxPart, 1);
  JsonObject *object = box_json_object (node, "the part", error);
  JsonObject *wrapped;

  if (object == NULL || !box_json_find_object (object, "part", &wrapped, error)
      || !parse_object (wrapped != NULL ? wrapped : object, part, error))
    return NULL;
  if (part->id == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                           "the part's \"part_id\" is missing");
      return NULL;
    }
  return g_steal_pointer (&part);
}

GPtrArray *
box_part_parse_page (JsonNode *node, guint *n_entries, GError **error)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  JsonObject *object = box_json_object (node, "the list of parts", error);
  JsonArray *entries;
  guint n;

  if (object == NULL || !box_json_find_array (object, "entries", &entries, error))
    return NULL;
  n = entries != NULL ? json_array_get_length (entries) : 0;
  if (entries == NULL || n > MAX_PAGE_ENTRIES)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "the list's \"entries\" is %s",
                   entries == NULL ? "missing" : "too long");
      return NULL;
    }

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (BoxPart) part = g_new0 (BoxPart, 1);
      JsonObject *entry = box_json_object (json_array_get_element (entries, i), "a part", error);

      if (entry == NULL || !parse_object (entry, part, error))
        return NULL;
      if (part->id != NULL)
        g_ptr_array_add (parts, g_steal_pointer (&part));
    }
  if (n_entries != NULL)
    *n_entries = n;
  return g_steal_pointer (&parts);
}

BoxPart *
box_part_from_conflict (const GError *error)
{
  JsonNode *context = box_error_get_details (error)->context;
  g_autoptr (BoxPart) part = g_new0 (BoxPart, 1);
  JsonObject *object = context != NULL ? box_json_object (context, "context_info", NULL) : NULL;
  JsonObject *conflict = NULL;

  if (object == NULL || !box_json_find_object (object, "conflicting_part", &conflict, NULL)
      || conflict == NULL || !parse_object (conflict, part, NULL) || part->id == NULL)
    return NULL;
  return g_steal_pointer (&part);
}

BoxPart *
box_part_copy (const BoxPart *part)
{
  BoxPart *copy = g_new (BoxPart, 1);

  *copy = *part;
  copy->id = g_strdup (part->id);
  return copy;
}

void
box_part_free (BoxPart *part)
{
  if (part == NULL)
    return;
  g_free (part->id);
  g_free (part);
}

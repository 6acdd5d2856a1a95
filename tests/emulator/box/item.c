/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/item.h"

#include "emulator/base/clock.h"
#include "emulator/base/json.h"

#include <string.h>

#define NAME_LIMIT        255 /* characters */
#define DESCRIPTION_LIMIT 255 /* characters; the rest is cut */

static void
version_free (EmuVersion *version)
{
  g_free (version->id);
  g_free (version->sha1);
  g_free (version);
}

EmuItem *
emu_item_new (const char *id, const char *parent, const char *name, gboolean folder)
{
  EmuItem *item = g_new0 (EmuItem, 1);

  item->id = g_strdup (id);
  item->parent = g_strdup (parent);
  item->name = g_strdup (name);
  item->folder = folder;
  item->metadata = json_object_new ();
  item->versions = g_ptr_array_new_with_free_func ((GDestroyNotify) version_free);
  return item;
}

void
emu_item_free (EmuItem *item)
{
  g_free (item->id);
  g_free (item->parent);
  g_free (item->name);
  g_ptr_array_unref (item->versions);
  g_free (item->description);
  g_free (item->content_created_at);
  g_free (item->content_modified_at);
  g_free (item->shared_link);
  g_clear_pointer (&item->tags, json_array_unref);
  json_object_unref (item->metadata);
  g_free (item);
}

void
emu_item_add_version (EmuItem *item, const char *id, const char *sha1, guint64 size, gint64 created)
{
  EmuVersion *version = g_new0 (EmuVersion, 1);

  version->id = g_strdup (id);
  version->sha1 = g_strdup (sha1);
  version->size = size;
  version->created = created;
  g_ptr_array_add (item->versions, version);
}

EmuVersion *
emu_item_get_version (EmuItem *item)
{
  return g_ptr_array_index (item->versions, item->versions->len - 1);
}

/* --- attributes and names ----------------------------------------------------------------------
 */

static gboolean
set_time (char **field, JsonObject *attributes, const char *name, EmuProblem *problem)
{
  const char *text = emu_json_string (attributes, name);
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = NULL;
  g_autoptr (GDateTime) in_utc = NULL;

  if (text == NULL)
    return TRUE;
  time = g_date_time_new_from_iso8601 (text, NULL);
  if (time == NULL)
    return emu_problem_set (problem, 400, "bad_request", "%s is not an RFC 3339 time with a zone",
                            name);
  in_utc = g_date_time_to_timezone (time, utc);
  g_free (*field);
  *field = g_date_time_format (in_utc, "%Y-%m-%dT%H:%M:%SZ");
  return TRUE;
}

gboolean
emu_item_set_attributes (EmuItem *item, JsonObject *attributes, EmuProblem *problem)
{
  const char *description = emu_json_string (attributes, "description");

  if (!set_time (&item->content_created_at, attributes, "content_created_at", problem)
      || !set_time (&item->content_modified_at, attributes, "content_modified_at", problem))
    return FALSE;
  if (description != NULL)
    {
      g_free (item->description);
      item->description = g_utf8_substring (
          description, 0, MIN (DESCRIPTION_LIMIT, g_utf8_strlen (description, -1)));
    }
  return TRUE;
}

void
emu_item_set_extras (EmuItem *item, JsonObject *changes)
{
  const char *access = emu_json_string (emu_json_object (changes, "shared_link"), "access");
  JsonArray *tags = emu_json_array (changes, "tags");

  if (json_object_has_member (changes, "shared_link"))
    {
      g_clear_pointer (&item->shared_link, g_free);
      if (emu_json_object (changes, "shared_link") != NULL)
        item->shared_link = g_strdup (access != NULL ? access : "collaborators");
    }
  if (tags != NULL)
    {
      g_clear_pointer (&item->tags, json_array_unref);
      item->tags = json_array_ref (tags);
    }
}

static gboolean
name_invalid (EmuProblem *problem)
{
  emu_problem_set (problem, 400, "item_name_invalid", "Item name invalid");
  problem->context = json_node_init_string (json_node_alloc (), problem->message);
  return FALSE;
}

gboolean
emu_item_check_name (const char *name, EmuProblem *problem)
{
  if (name == NULL || *name == '\0' || g_str_equal (name, ".") || g_str_equal (name, ".."))
    return name_invalid (problem);
  if (!g_utf8_validate (name, -1, NULL) || strpbrk (name, "/\\") != NULL
      || g_str_has_suffix (name, " "))
    return name_invalid (problem);
  for (const char *c = name; *c != '\0'; c++)
    if ((guchar) *c < 0x20 || *c == 0x7f)
      return name_invalid (problem);
  if (g_utf8_strlen (name, -1) > NAME_LIMIT)
    return emu_problem_set (problem, 400, "item_name_too_long", "Item name too long");
  return TRUE;
}

char *
emu_item_fold_name (const char *name)
{
  g_autofree char *normal = g_utf8_normalize (name, -1, G_NORMALIZE_NFC);

  return g_utf8_casefold (normal != NULL ? normal : name, -1);
}

gboolean
emu_item_check_etag (EmuItem *item, const char *if_match, EmuProblem *problem)
{
  g_autofree char *etag = g_strdup_printf ("%u", item->etag);
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", etag);

  if (if_match == NULL || g_str_equal (if_match, "*") || g_str_equal (if_match, etag)
      || g_str_equal (if_match, quoted))
    return TRUE;
  return emu_problem_set (problem, 412, "precondition_failed",
                          "The resource has been modified. Please retrieve the resource again and "
                          "retry");
}

/* --- as clients see it -------------------------------------------------------------------------
 */

static JsonObject *
owner_to_json (void)
{
  JsonObject *user = json_object_new ();

  json_object_set_string_member (user, "type", "user");
  json_object_set_string_member (user, "id", "1001");
  json_object_set_string_member (user, "name", "Emulator");
  json_object_set_string_member (user, "login", "emulator@example.com");
  return user;
}

static void
set_mini_version (JsonObject *object, const EmuVersion *version)
{
  JsonObject *mini = json_object_new ();

  json_object_set_string_member (mini, "type", "file_version");
  json_object_set_string_member (mini, "id", version->id);
  json_object_set_string_member (mini, "sha1", version->sha1);
  json_object_set_object_member (object, "file_version", mini);
}

/* With the members of files in the order in which Box has them. */
static JsonObject *
describe (EmuItem *item, gboolean file)
{
  JsonObject *object = json_object_new ();
  g_autofree char *etag = g_strdup_printf ("%u", item->etag);
  gboolean root = item->parent == NULL;

  json_object_set_string_member (object, "type", item->folder ? "folder" : "file");
  json_object_set_string_member (object, "id", item->id);
  if (file)
    set_mini_version (object, emu_item_get_version (item));
  emu_json_set_string (object, "sequence_id", root ? NULL : etag);
  emu_json_set_string (object, "etag", root ? NULL : etag);
  if (file)
    json_object_set_string_member (object, "sha1", emu_item_get_version (item)->sha1);
  json_object_set_string_member (object, "name", item->name);
  return object;
}

JsonObject *
emu_item_to_entry (EmuItem *item)
{
  return describe (item, FALSE);
}

JsonObject *
emu_item_to_mini (EmuItem *item)
{
  return describe (item, !item->folder);
}

static void
set_time_member (JsonObject *object, const char *name, gint64 time)
{
  g_autofree char *text = emu_time_to_string (time);

  json_object_set_string_member (object, name, text);
}

static void
set_extras (EmuItem *item, JsonObject *object)
{
  if (item->shared_link != NULL)
    {
      JsonObject *link = json_object_new ();
      g_autofree char *url = g_strconcat ("https://app.box.com/s/", item->id, NULL);

      json_object_set_string_member (link, "url", url);
      json_object_set_string_member (link, "access", item->shared_link);
      json_object_set_string_member (link, "effective_access", item->shared_link);
      json_object_set_object_member (object, "shared_link", link);
    }
  else
    json_object_set_null_member (object, "shared_link");
  if (item->tags != NULL)
    json_object_set_array_member (object, "tags", json_array_ref (item->tags));
  else
    json_object_set_array_member (object, "tags", json_array_new ());
}

JsonObject *
emu_item_to_json (EmuItem *item)
{
  JsonObject *object = emu_item_to_mini (item);
  g_autofree char *created = emu_time_to_string (item->created);
  g_autofree char *modified = emu_time_to_string (item->modified);

  if (!item->folder)
    json_object_set_int_member (object, "size", emu_item_get_version (item)->size);
  json_object_set_string_member (object, "description",
                                 item->description != NULL ? item->description : "");
  json_object_set_string_member (object, "created_at", created);
  json_object_set_string_member (object, "modified_at", modified);
  json_object_set_string_member (object, "content_created_at",
                                 item->content_created_at != NULL ? item->content_created_at
                                                                  : created);
  json_object_set_string_member (object, "content_modified_at",
                                 item->content_modified_at != NULL ? item->content_modified_at
                                                                   : modified);
  json_object_set_null_member (object, "trashed_at");
  json_object_set_null_member (object, "purged_at");
  json_object_set_object_member (object, "created_by", owner_to_json ());
  json_object_set_object_member (object, "modified_by", owner_to_json ());
  json_object_set_object_member (object, "owned_by", owner_to_json ());
  set_extras (item, object);
  json_object_set_string_member (object, "item_status", "active");
  return object;
}

JsonObject *
emu_version_to_json (const EmuVersion *version, const char *name)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "type", "file_version");
  json_object_set_string_member (object, "id", version->id);
  json_object_set_string_member (object, "sha1", version->sha1);
  json_object_set_string_member (object, "name", name);
  json_object_set_int_member (object, "size", version->size);
  set_time_member (object, "created_at", version->created);
  set_time_member (object, "modified_at", version->created);
  json_object_set_object_member (object, "modified_by", owner_to_json ());
  json_object_set_null_member (object, "trashed_at");
  return object;
}

/* --- on disk -----------------------------------------------------------------------------------
 */

char *
emu_item_serialise (EmuItem *item)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *versions = json_array_new ();

  json_object_set_string_member (object, "id", item->id);
  emu_json_set_string (object, "parent", item->parent);
  json_object_set_string_member (object, "name", item->name);
  json_object_set_boolean_member (object, "folder", item->folder);
  json_object_set_int_member (object, "etag", item->etag);
  json_object_set_int_member (object, "created", item->created);
  json_object_set_int_member (object, "modified", item->modified);
  emu_json_set_string (object, "description", item->description);
  emu_json_set_string (object, "content_created_at", item->content_created_at);
  emu_json_set_string (object, "content_modified_at", item->content_modified_at);
  set_extras (item, object);
  json_object_set_object_member (object, "metadata", json_object_ref (item->metadata));
  for (guint i = 0; i < item->versions->len; i++)
    {
      const EmuVersion *version = g_ptr_array_index (item->versions, i);
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "id", version->id);
      json_object_set_string_member (entry, "sha1", version->sha1);
      json_object_set_int_member (entry, "size", version->size);
      json_object_set_int_member (entry, "created", version->created);
      json_array_add_object_element (versions, entry);
    }
  json_object_set_array_member (object, "versions", versions);
  return emu_json_to_text (object);
}

EmuItem *
emu_item_parse (const char *text)
{
  g_autoptr (JsonObject) object = emu_json_parse (text, -1);
  const char *id = emu_json_string (object, "id");
  const char *name = emu_json_string (object, "name");
  JsonArray *versions = emu_json_array (object, "versions");
  EmuItem *item;

  if (id == NULL || name == NULL || versions == NULL)
    return NULL;
  item = emu_item_new (id, emu_json_string (object, "parent"), name,
                       emu_json_boolean (object, "folder", FALSE));
  item->etag = emu_json_int (object, "etag", 0);
  item->created = emu_json_int (object, "created", 0);
  item->modified = emu_json_int (object, "modified", 0);
  item->description = g_strdup (emu_json_string (object, "description"));
  item->content_created_at = g_strdup (emu_json_string (object, "content_created_at"));
  item->content_modified_at = g_strdup (emu_json_string (object, "content_modified_at"));
  emu_item_set_extras (item, object);
  if (emu_json_object (object, "metadata") != NULL)
    {
      json_object_unref (item->metadata);
      item->metadata = json_object_ref (emu_json_object (object, "metadata"));
    }
  for (guint i = 0; i < json_array_get_length (versions); i++)
    {
      JsonObject *version = json_array_get_object_element (versions, i);

      emu_item_add_version (item, emu_json_string (version, "id"),
                            emu_json_string (version, "sha1"), emu_json_int (version, "size", 0),
                            emu_json_int (version, "created", 0));
    }
  if (!item->folder && item->versions->len == 0)
    g_clear_pointer (&item, emu_item_free);
  return item;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Folders that are made, items that are renamed, moved, copied and deleted.
 */
#include "emulator/box/store-state.h"

#include "emulator/base/json.h"

#include <glib/gstdio.h>

JsonObject *
emu_store_add_folder (EmuStore *store, const char *parent_id, const char *name, EmuProblem *problem)
{
  JsonObject *result = NULL;

  g_mutex_lock (&store->lock);
  if (emu_store_get_locked (store, parent_id, TRUE, "parent", problem) != NULL
      && emu_store_check_name_locked (store, parent_id, name, NULL, problem))
    {
      g_autofree char *id = emu_store_next_id_locked (store);
      EmuItem *item = emu_item_new (id, parent_id, name, TRUE);

      item->created = item->modified = emu_clock_now (store->clock);
      emu_store_add_locked (store, item);
      emu_store_save_locked (store, item);
      result = emu_store_describe_locked (store, item);
    }
  g_mutex_unlock (&store->lock);
  return result;
}

static JsonObject *
update_locked (EmuStore *store, EmuItem *item, JsonObject *changes, const char *if_match,
               EmuProblem *problem)
{
  const char *name = emu_json_string (changes, "name");
  const char *parent = emu_json_string (emu_json_object (changes, "parent"), "id");

  if (item->parent == NULL)
    {
      emu_problem_set (problem, 403, "access_denied_insufficient_permissions",
                       "The root folder cannot be changed");
      return NULL;
    }
  name = name != NULL ? name : item->name;
  parent = parent != NULL ? parent : item->parent;
  if (!emu_item_check_etag (item, if_match, problem)
      || emu_store_get_locked (store, parent, TRUE, "parent", problem) == NULL
      || !emu_store_check_name_locked (store, parent, name, item, problem)
      || !emu_item_set_attributes (item, changes, problem))
    return NULL;
  if (item->folder && emu_store_is_within_locked (store, parent, item->id))
    {
      emu_problem_set (problem, 400, "cyclical_folder_structure",
                       "A folder cannot be moved into itself");
      return NULL;
    }
  emu_item_set_extras (item, changes);
  emu_store_rename_locked (store, item, parent, name);
  item->etag++;
  item->modified = emu_clock_now (store->clock);
  emu_store_save_locked (store, item);
  return emu_store_describe_locked (store, item);
}

JsonObject *
emu_store_update (EmuStore *store, const char *id, gboolean folder, JsonObject *changes,
                  const char *if_match, EmuProblem *problem)
{
  JsonObject *result = NULL;
  EmuItem *item;

  g_mutex_lock (&store->lock);
  item = emu_store_get_locked (store, id, folder, folder ? "folder" : "item", problem);
  if (item != NULL)
    result = update_locked (store, item, changes, if_match, problem);
  g_mutex_unlock (&store->lock);
  return result;
}

JsonObject *
emu_store_copy (EmuStore *store, const char *id, const char *parent_id, const char *name,
                EmuProblem *problem)
{
  JsonObject *result = NULL;
  EmuItem *item;

  g_mutex_lock (&store->lock);
  item = emu_store_get_locked (store, id, FALSE, "item", problem);
  if (item != NULL)
    {
      const EmuVersion *version = emu_item_get_version (item);
      g_autofree char *content = emu_store_get_content_path (store, version->id);
      EmuPut put = { .folder_id = parent_id,
                     .name = name != NULL ? name : item->name,
                     .content = content,
                     .keep = TRUE,
                     .size = version->size,
                     .sha1 = version->sha1 };

      result = emu_store_put_locked (store, &put, problem);
    }
  g_mutex_unlock (&store->lock);
  return result;
}

static void
remove_locked (EmuStore *store, EmuItem *item)
{
  g_autoptr (GPtrArray) children = emu_store_get_children_locked (store, item->id);
  g_autofree char *name = g_strconcat (item->id, ".json", NULL);
  g_autofree char *path = g_build_filename (store->items_dir, name, NULL);

  for (guint i = 0; i < children->len; i++)
    remove_locked (store, g_ptr_array_index (children, i));
  for (guint i = 0; i < item->versions->len; i++)
    {
      const EmuVersion *version = g_ptr_array_index (item->versions, i);
      g_autofree char *content = emu_store_get_content_path (store, version->id);

      store->used -= version->size;
      g_unlink (content);
    }
  g_unlink (path);
  emu_store_unindex_locked (store, item);
  g_hash_table_remove (store->items, item->id);
}

static gboolean
delete_locked (EmuStore *store, EmuItem *item, gboolean recursive, const char *if_match,
               EmuProblem *problem)
{
  g_autoptr (GPtrArray) children = emu_store_get_children_locked (store, item->id);

  if (item->parent == NULL)
    return emu_problem_set (problem, 403, "access_denied_insufficient_permissions",
                            "The root folder cannot be deleted");
  if (!emu_item_check_etag (item, if_match, problem))
    return FALSE;
  if (children->len > 0 && !recursive)
    return emu_problem_set (problem, 400, "folder_not_empty", "Cannot delete - folder not empty");
  remove_locked (store, item);
  return TRUE;
}

gboolean
emu_store_delete (EmuStore *store, const char *id, gboolean folder, gboolean recursive,
                  const char *if_match, EmuProblem *problem)
{
  EmuItem *item;
  gboolean ok;

  g_mutex_lock (&store->lock);
  item = emu_store_get_locked (store, id, folder, folder ? "folder" : "item", problem);
  ok = item != NULL && delete_locked (store, item, recursive, if_match, problem);
  g_mutex_unlock (&store->lock);
  return ok;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files and folders as clients see them.
 */
#include "emulator/box/store-state.h"

static JsonObject *
path_to_json_locked (EmuStore *store, EmuItem *item)
{
  JsonObject *path = json_object_new ();
  JsonArray *entries = json_array_new ();
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();

  for (EmuItem *up = item; up->parent != NULL; g_ptr_array_insert (chain, 0, up))
    up = g_hash_table_lookup (store->items, up->parent);
  for (guint i = 0; i < chain->len; i++)
    json_array_add_object_element (entries, emu_item_to_entry (g_ptr_array_index (chain, i)));
  json_object_set_int_member (path, "total_count", chain->len);
  json_object_set_array_member (path, "entries", entries);
  return path;
}

static guint64
folder_size_locked (EmuStore *store, EmuItem *folder)
{
  GHashTableIter iter;
  gpointer value;
  guint64 size = 0;

  g_hash_table_iter_init (&iter, store->items);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      EmuItem *item = value;

      if (g_strcmp0 (item->parent, folder->id) == 0)
        size += item->folder ? folder_size_locked (store, item) : emu_item_get_version (item)->size;
    }
  return size;
}

JsonObject *
emu_store_describe_locked (EmuStore *store, EmuItem *item)
{
  JsonObject *object = emu_item_to_json (item);

  if (item->folder)
    json_object_set_int_member (object, "size", folder_size_locked (store, item));
  json_object_set_object_member (object, "path_collection", path_to_json_locked (store, item));
  if (item->parent != NULL)
    json_object_set_object_member (
        object, "parent", emu_item_to_entry (g_hash_table_lookup (store->items, item->parent)));
  else
    json_object_set_null_member (object, "parent");
  return object;
}

static JsonObject *
get_item (EmuStore *store, const char *id, gboolean folder, EmuProblem *problem)
{
  JsonObject *result = NULL;
  EmuItem *item;

  g_mutex_lock (&store->lock);
  item = emu_store_get_locked (store, id, folder, folder ? "folder" : "item", problem);
  if (item != NULL)
    result = emu_store_describe_locked (store, item);
  g_mutex_unlock (&store->lock);
  return result;
}

JsonObject *
emu_store_get_file (EmuStore *store, const char *id, EmuProblem *problem)
{
  return get_item (store, id, FALSE, problem);
}

JsonObject *
emu_store_get_folder (EmuStore *store, const char *id, EmuProblem *problem)
{
  return get_item (store, id, TRUE, problem);
}

char *
emu_store_get_content (EmuStore *store, const char *id, const char *version, EmuProblem *problem)
{
  char *path = NULL;
  EmuItem *item;

  g_mutex_lock (&store->lock);
  item = emu_store_get_locked (store, id, FALSE, "item", problem);
  for (guint i = item != NULL ? item->versions->len : 0; i > 0 && path == NULL; i--)
    {
      const EmuVersion *candidate = g_ptr_array_index (item->versions, i - 1);

      if (version == NULL || g_str_equal (version, candidate->id))
        path = emu_store_get_content_path (store, candidate->id);
    }
  g_mutex_unlock (&store->lock);
  if (path == NULL && problem->status == 0)
    emu_problem_set (problem, 404, "not_found", "Not Found");
  return path;
}

JsonArray *
emu_store_get_versions (EmuStore *store, const char *id, EmuProblem *problem)
{
  JsonArray *result = NULL;
  EmuItem *item;

  g_mutex_lock (&store->lock);
  item = emu_store_get_locked (store, id, FALSE, "item", problem);
  if (item != NULL)
    result = json_array_new ();
  for (guint i = item != NULL ? item->versions->len - 1 : 0; i > 0; i--)
    json_array_add_object_element (
        result, emu_version_to_json (g_ptr_array_index (item->versions, i - 1), item->name));
  g_mutex_unlock (&store->lock);
  return result;
}

static gint
compare_items (gconstpointer a, gconstpointer b)
{
  const EmuItem *left = *(const EmuItem *const *) a;
  const EmuItem *right = *(const EmuItem *const *) b;

  if (left->folder != right->folder)
    return left->folder ? -1 : 1;
  return g_utf8_collate (left->name, right->name);
}

GPtrArray *
emu_store_get_children_locked (EmuStore *store, const char *folder_id)
{
  GPtrArray *children = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, store->items);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (g_strcmp0 (((EmuItem *) value)->parent, folder_id) == 0)
      g_ptr_array_add (children, value);
  g_ptr_array_sort (children, compare_items);
  return children;
}

JsonArray *
emu_store_list (EmuStore *store, const char *folder_id, gboolean whole, EmuProblem *problem)
{
  JsonArray *result = NULL;

  g_mutex_lock (&store->lock);
  if (emu_store_get_locked (store, folder_id, TRUE, "folder", problem) != NULL)
    {
      g_autoptr (GPtrArray) children = emu_store_get_children_locked (store, folder_id);

      result = json_array_new ();
      for (guint i = 0; i < children->len; i++)
        {
          EmuItem *item = g_ptr_array_index (children, i);

          json_array_add_object_element (result, whole ? emu_store_describe_locked (store, item)
                                                       : emu_item_to_mini (item));
        }
    }
  g_mutex_unlock (&store->lock);
  return result;
}

static char *
find (EmuStore *store, const char *parent_id, const char *name, gboolean folder)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  EmuItem *item = emu_store_find_locked (store, parent_id, name);

  return item != NULL && item->folder == folder ? g_strdup (item->id) : NULL;
}

char *
emu_store_find (EmuStore *store, const char *folder_id, const char *name)
{
  return find (store, folder_id, name, FALSE);
}

char *
emu_store_find_folder (EmuStore *store, const char *parent_id, const char *name)
{
  return find (store, parent_id, name, TRUE);
}

static guint
count (EmuStore *store, gboolean folders)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  g_hash_table_iter_init (&iter, store->items);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += ((EmuItem *) value)->folder == folders && ((EmuItem *) value)->parent != NULL;
  return n;
}

guint
emu_store_count_files (EmuStore *store)
{
  return count (store, FALSE);
}

guint
emu_store_count_folders (EmuStore *store)
{
  return count (store, TRUE);
}

guint64
emu_store_get_used (EmuStore *store)
{
  guint64 used;

  g_mutex_lock (&store->lock);
  used = store->used;
  g_mutex_unlock (&store->lock);
  return used;
}

gboolean
emu_store_is_within_locked (EmuStore *store, const char *folder_id, const char *ancestor_id)
{
  const char *id = folder_id;

  while (id != NULL && !g_str_equal (id, ancestor_id))
    {
      EmuItem *item = g_hash_table_lookup (store->items, id);

      id = item != NULL ? item->parent : NULL;
    }
  return id != NULL;
}

gboolean
emu_store_is_within (EmuStore *store, const char *folder_id, const char *ancestor_id)
{
  gboolean within;

  g_mutex_lock (&store->lock);
  within = emu_store_is_within_locked (store, folder_id, ancestor_id);
  g_mutex_unlock (&store->lock);
  return within;
}

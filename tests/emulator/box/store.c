/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/store.h"

#include "emulator/base/json.h"
#include "emulator/box/item.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define FIRST_ID 1000000000

struct _EmuStore
{
  /* immutable */
  char *items_dir;
  char *content_dir;
  EmuClock *clock;
  guint64 max_size;
  guint64 quota;

  GMutex lock;

  /* with lock */
  GHashTable *items;   /* id to EmuItem */
  GHashTable *by_name; /* "PARENT/folded name" to EmuItem */
  guint64 last_id;
  guint64 used; /* bytes of all versions */
};

/* --- bookkeeping -------------------------------------------------------------------------------
 */

static char *
name_key (const char *parent, const char *name)
{
  g_autofree char *folded = emu_item_fold_name (name);

  return g_strdup_printf ("%s/%s", parent, folded);
}

static void
index_locked (EmuStore *store, EmuItem *item)
{
  if (item->parent != NULL)
    g_hash_table_insert (store->by_name, name_key (item->parent, item->name), item);
}

static void
unindex_locked (EmuStore *store, EmuItem *item)
{
  g_autofree char *key = name_key (item->parent, item->name);

  g_hash_table_remove (store->by_name, key);
}

static EmuItem *
find_locked (EmuStore *store, const char *parent, const char *name)
{
  g_autofree char *key = name_key (parent, name);

  return g_hash_table_lookup (store->by_name, key);
}

static void
add_locked (EmuStore *store, EmuItem *item)
{
  g_hash_table_insert (store->items, item->id, item);
  index_locked (store, item);
}

static char *
next_id_locked (EmuStore *store)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, ++store->last_id);
}

static void
save_locked (EmuStore *store, EmuItem *item)
{
  g_autofree char *name = g_strconcat (item->id, ".json", NULL);
  g_autofree char *path = g_build_filename (store->items_dir, name, NULL);
  g_autofree char *text = emu_item_serialise (item);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    g_printerr ("box-emulator: %s\n", error->message);
}

static char *
content_path (EmuStore *store, const char *version)
{
  return g_build_filename (store->content_dir, version, NULL);
}

static EmuItem *
get_locked (EmuStore *store, const char *id, gboolean folder, EmuProblem *problem)
{
  EmuItem *item = id != NULL ? g_hash_table_lookup (store->items, id) : NULL;

  if (item != NULL && item->folder == folder)
    return item;
  emu_problem_set (problem, 404, "not_found", "Not Found");
  return NULL;
}

/* --- loading -----------------------------------------------------------------------------------
 */

static void
note_id (EmuStore *store, const char *id)
{
  store->last_id = MAX (store->last_id, g_ascii_strtoull (id, NULL, 10));
}

static void
load_item (EmuStore *store, const char *name)
{
  g_autofree char *path = g_build_filename (store->items_dir, name, NULL);
  g_autofree char *text = NULL;
  EmuItem *item = NULL;

  if (g_str_has_suffix (name, ".json") && g_file_get_contents (path, &text, NULL, NULL))
    item = emu_item_parse (text);
  if (item == NULL)
    return;
  note_id (store, item->id);
  for (guint i = 0; i < item->versions->len; i++)
    {
      const EmuVersion *version = g_ptr_array_index (item->versions, i);

      note_id (store, version->id);
      store->used += version->size;
    }
  add_locked (store, item);
}

EmuStore *
emu_store_new (const char *dir, EmuClock *clock, guint64 max_size, guint64 quota, GError **error)
{
  g_autoptr (EmuStore) store = g_new0 (EmuStore, 1);
  g_autoptr (GDir) items = NULL;
  const char *name;

  g_mutex_init (&store->lock);
  store->items_dir = g_build_filename (dir, "items", NULL);
  store->content_dir = g_build_filename (dir, "content", NULL);
  store->clock = clock;
  store->max_size = max_size;
  store->quota = quota;
  store->items =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) emu_item_free);
  store->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  store->last_id = FIRST_ID;
  add_locked (store, emu_item_new (EMU_ROOT_FOLDER, NULL, "All Files", TRUE));
  if (g_mkdir_with_parents (store->items_dir, 0700) != 0
      || g_mkdir_with_parents (store->content_dir, 0700) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot store files in %s: %s",
                   dir, g_strerror (errno));
      return NULL;
    }
  items = g_dir_open (store->items_dir, 0, error);
  if (items == NULL)
    return NULL;
  while ((name = g_dir_read_name (items)) != NULL)
    load_item (store, name);
  return g_steal_pointer (&store);
}

void
emu_store_free (EmuStore *store)
{
  g_free (store->items_dir);
  g_free (store->content_dir);
  g_hash_table_unref (store->by_name);
  g_hash_table_unref (store->items);
  g_mutex_clear (&store->lock);
  g_free (store);
}

/* --- storing files -----------------------------------------------------------------------------
 */

static gboolean
name_in_use (EmuItem *item, EmuProblem *problem)
{
  emu_problem_set (problem, 409, "item_name_in_use", "Item with the same name already exists");
  problem->context = json_object_new ();
  if (item->folder)
    {
      JsonArray *conflicts = json_array_new ();

      json_array_add_object_element (conflicts, emu_item_to_conflict (item));
      json_object_set_array_member (problem->context, "conflicts", conflicts);
    }
  else
    json_object_set_object_member (problem->context, "conflicts", emu_item_to_conflict (item));
  return FALSE;
}

static gboolean
check_etag (EmuItem *item, const char *if_match, EmuProblem *problem)
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

/* Whether @name is free in @parent, but for @self. */
static gboolean
check_name_locked (EmuStore *store, const char *parent, const char *name, EmuItem *self,
                   EmuProblem *problem)
{
  EmuItem *other;

  if (!emu_item_check_name (name, problem))
    return FALSE;
  other = find_locked (store, parent, name);
  return other == NULL || other == self || name_in_use (other, problem);
}

static gboolean
check_size_locked (EmuStore *store, guint64 size, EmuProblem *problem)
{
  if (store->max_size != 0 && size > store->max_size)
    return emu_problem_set (problem, 403, "file_size_limit_exceeded",
                            "File size exceeds the folder owner's file size limit");
  if (store->quota != 0 && (size > store->quota || store->used > store->quota - size))
    return emu_problem_set (problem, 403, "storage_limit_exceeded",
                            "Account storage limit reached");
  return TRUE;
}

/* The file that @put makes a version of comes in @item; NULL: a new file. */
static gboolean
check_put_locked (EmuStore *store, const EmuPut *put, EmuItem **item, EmuProblem *problem)
{
  *item = NULL;
  if (put->file_id == NULL && get_locked (store, put->folder_id, TRUE, problem) == NULL)
    return emu_problem_set (problem, 404, "invalid_parameter",
                            "Invalid value '%s'. The folder does not exist or is not yours",
                            put->folder_id);
  if (put->file_id == NULL)
    return check_name_locked (store, put->folder_id, put->name, NULL, problem)
           && check_size_locked (store, put->size, problem);
  *item = get_locked (store, put->file_id, FALSE, problem);
  if (*item == NULL || !check_etag (*item, put->if_match, problem))
    return FALSE;
  return (put->name == NULL
          || check_name_locked (store, (*item)->parent, put->name, *item, problem))
         && check_size_locked (store, put->size, problem);
}

gboolean
emu_store_check (EmuStore *store, const EmuPut *put, EmuProblem *problem)
{
  EmuItem *item;
  gboolean ok;

  g_mutex_lock (&store->lock);
  ok = check_put_locked (store, put, &item, problem);
  g_mutex_unlock (&store->lock);
  return ok;
}

static gboolean
take_content (EmuStore *store, const EmuPut *put, const char *version, EmuProblem *problem)
{
  g_autofree char *path = content_path (store, version);
  int result = put->keep ? link (put->content, path) : g_rename (put->content, path);

  return result == 0
         || emu_problem_set (problem, 500, "internal_server_error", "Cannot keep the content: %s",
                             g_strerror (errno));
}

static void
rename_locked (EmuStore *store, EmuItem *item, const char *parent, const char *name)
{
  unindex_locked (store, item);
  if (parent != item->parent)
    {
      g_free (item->parent);
      item->parent = g_strdup (parent);
    }
  if (name != item->name)
    {
      g_free (item->name);
      item->name = g_strdup (name);
    }
  index_locked (store, item);
}

static JsonObject *describe_locked (EmuStore *store, EmuItem *item);

static JsonObject *
put_locked (EmuStore *store, const EmuPut *put, EmuProblem *problem)
{
  g_autofree char *version = NULL;
  g_autoptr (EmuItem) fresh = NULL;
  EmuItem *item;

  if (!check_put_locked (store, put, &item, problem))
    return NULL;
  if (item == NULL)
    {
      g_autofree char *id = next_id_locked (store);

      item = fresh = emu_item_new (id, put->folder_id, put->name, FALSE);
      item->created = emu_clock_now (store->clock);
    }
  version = next_id_locked (store);
  if (!emu_item_set_attributes (item, put->attributes, problem)
      || !take_content (store, put, version, problem))
    return NULL;
  item->modified = emu_clock_now (store->clock);
  emu_item_add_version (item, version, put->sha1, put->size, item->modified);
  store->used += put->size;
  if (fresh != NULL)
    add_locked (store, g_steal_pointer (&fresh));
  else
    {
      item->etag++;
      if (put->name != NULL)
        rename_locked (store, item, item->parent, put->name);
    }
  save_locked (store, item);
  return describe_locked (store, item);
}

JsonObject *
emu_store_put (EmuStore *store, const EmuPut *put, EmuProblem *problem)
{
  JsonObject *result;

  g_mutex_lock (&store->lock);
  result = put_locked (store, put, problem);
  g_mutex_unlock (&store->lock);
  return result;
}

JsonObject *
emu_store_put_data (EmuStore *store, const EmuPut *put, gconstpointer data, gsize size,
                    EmuProblem *problem)
{
  g_autofree char *path = g_strdup_printf ("%s/added-%08x", store->content_dir, g_random_int ());
  g_autofree char *sha1 = g_compute_checksum_for_data (G_CHECKSUM_SHA1, data, size);
  EmuPut whole = *put;
  JsonObject *result = NULL;

  whole.content = path;
  whole.sha1 = sha1;
  whole.size = size;
  if (g_file_set_contents (path, data, size, NULL))
    result = emu_store_put (store, &whole, problem);
  else
    emu_problem_set (problem, 500, "internal_server_error", "Cannot keep the content");
  g_unlink (path);
  return result;
}

/* --- looking -----------------------------------------------------------------------------------
 */

static JsonObject *
path_to_json_locked (EmuStore *store, EmuItem *item)
{
  JsonObject *path = json_object_new ();
  JsonArray *entries = json_array_new ();
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();

  for (EmuItem *up = item; up->parent != NULL; g_ptr_array_insert (chain, 0, up))
    up = g_hash_table_lookup (store->items, up->parent);
  for (guint i = 0; i < chain->len; i++)
    json_array_add_object_element (entries, emu_item_to_mini (g_ptr_array_index (chain, i)));
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

static JsonObject *
describe_locked (EmuStore *store, EmuItem *item)
{
  JsonObject *object = emu_item_to_json (item);

  if (item->folder)
    json_object_set_int_member (object, "size", folder_size_locked (store, item));
  json_object_set_object_member (object, "path_collection", path_to_json_locked (store, item));
  if (item->parent != NULL)
    json_object_set_object_member (
        object, "parent", emu_item_to_mini (g_hash_table_lookup (store->items, item->parent)));
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
  item = get_locked (store, id, folder, problem);
  if (item != NULL)
    result = describe_locked (store, item);
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
  item = get_locked (store, id, FALSE, problem);
  for (guint i = item != NULL ? item->versions->len : 0; i > 0 && path == NULL; i--)
    {
      const EmuVersion *candidate = g_ptr_array_index (item->versions, i - 1);

      if (version == NULL || g_str_equal (version, candidate->id))
        path = content_path (store, candidate->id);
    }
  g_mutex_unlock (&store->lock);
  if (path == NULL)
    emu_problem_set (problem, 404, "not_found", "Not Found");
  return path;
}

JsonArray *
emu_store_get_versions (EmuStore *store, const char *id, EmuProblem *problem)
{
  JsonArray *result = NULL;
  EmuItem *item;

  g_mutex_lock (&store->lock);
  item = get_locked (store, id, FALSE, problem);
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

static GPtrArray *
children_locked (EmuStore *store, const char *folder_id)
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
emu_store_list (EmuStore *store, const char *folder_id, EmuProblem *problem)
{
  JsonArray *result = NULL;

  g_mutex_lock (&store->lock);
  if (get_locked (store, folder_id, TRUE, problem) != NULL)
    {
      g_autoptr (GPtrArray) children = children_locked (store, folder_id);

      result = json_array_new ();
      for (guint i = 0; i < children->len; i++)
        json_array_add_object_element (result,
                                       describe_locked (store, g_ptr_array_index (children, i)));
    }
  g_mutex_unlock (&store->lock);
  return result;
}

char *
emu_store_find (EmuStore *store, const char *folder_id, const char *name)
{
  EmuItem *item;
  char *id = NULL;

  g_mutex_lock (&store->lock);
  item = find_locked (store, folder_id, name);
  if (item != NULL && !item->folder)
    id = g_strdup (item->id);
  g_mutex_unlock (&store->lock);
  return id;
}

guint
emu_store_count_files (EmuStore *store)
{
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  g_mutex_lock (&store->lock);
  g_hash_table_iter_init (&iter, store->items);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += !((EmuItem *) value)->folder;
  g_mutex_unlock (&store->lock);
  return n;
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

static gboolean
is_within_locked (EmuStore *store, const char *folder_id, const char *ancestor_id)
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
  within = is_within_locked (store, folder_id, ancestor_id);
  g_mutex_unlock (&store->lock);
  return within;
}

/* --- changing ----------------------------------------------------------------------------------
 */

JsonObject *
emu_store_add_folder (EmuStore *store, const char *parent_id, const char *name, EmuProblem *problem)
{
  JsonObject *result = NULL;

  g_mutex_lock (&store->lock);
  if (get_locked (store, parent_id, TRUE, problem) != NULL
      && check_name_locked (store, parent_id, name, NULL, problem))
    {
      g_autofree char *id = next_id_locked (store);
      EmuItem *item = emu_item_new (id, parent_id, name, TRUE);

      item->created = item->modified = emu_clock_now (store->clock);
      add_locked (store, item);
      save_locked (store, item);
      result = describe_locked (store, item);
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
  if (!check_etag (item, if_match, problem) || get_locked (store, parent, TRUE, problem) == NULL
      || !check_name_locked (store, parent, name, item, problem)
      || !emu_item_set_attributes (item, changes, problem))
    return NULL;
  if (item->folder && is_within_locked (store, parent, item->id))
    {
      emu_problem_set (problem, 400, "cyclical_folder_structure",
                       "A folder cannot be moved into itself");
      return NULL;
    }
  rename_locked (store, item, parent, name);
  item->etag++;
  item->modified = emu_clock_now (store->clock);
  save_locked (store, item);
  return describe_locked (store, item);
}

JsonObject *
emu_store_update (EmuStore *store, const char *id, gboolean folder, JsonObject *changes,
                  const char *if_match, EmuProblem *problem)
{
  JsonObject *result = NULL;
  EmuItem *item;

  g_mutex_lock (&store->lock);
  item = get_locked (store, id, folder, problem);
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
  item = get_locked (store, id, FALSE, problem);
  if (item != NULL)
    {
      const EmuVersion *version = emu_item_get_version (item);
      g_autofree char *content = content_path (store, version->id);
      EmuPut put = { .folder_id = parent_id,
                     .name = name != NULL ? name : item->name,
                     .content = content,
                     .keep = TRUE,
                     .size = version->size,
                     .sha1 = version->sha1 };

      result = put_locked (store, &put, problem);
    }
  g_mutex_unlock (&store->lock);
  return result;
}

static void
remove_locked (EmuStore *store, EmuItem *item)
{
  g_autoptr (GPtrArray) children = children_locked (store, item->id);
  g_autofree char *name = g_strconcat (item->id, ".json", NULL);
  g_autofree char *path = g_build_filename (store->items_dir, name, NULL);

  for (guint i = 0; i < children->len; i++)
    remove_locked (store, g_ptr_array_index (children, i));
  for (guint i = 0; i < item->versions->len; i++)
    {
      const EmuVersion *version = g_ptr_array_index (item->versions, i);
      g_autofree char *content = content_path (store, version->id);

      store->used -= version->size;
      g_unlink (content);
    }
  g_unlink (path);
  unindex_locked (store, item);
  g_hash_table_remove (store->items, item->id);
}

static gboolean
delete_locked (EmuStore *store, EmuItem *item, gboolean recursive, const char *if_match,
               EmuProblem *problem)
{
  g_autoptr (GPtrArray) children = children_locked (store, item->id);

  if (item->parent == NULL)
    return emu_problem_set (problem, 403, "access_denied_insufficient_permissions",
                            "The root folder cannot be deleted");
  if (!check_etag (item, if_match, problem))
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
  item = get_locked (store, id, folder, problem);
  ok = item != NULL && delete_locked (store, item, recursive, if_match, problem);
  g_mutex_unlock (&store->lock);
  return ok;
}

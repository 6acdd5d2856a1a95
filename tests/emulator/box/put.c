/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The storing of files: whether one may be stored, and its versions.
 */
#include "emulator/box/store-state.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

static gboolean
name_in_use (EmuItem *item, EmuProblem *problem)
{
  JsonObject *context;

  emu_problem_set (problem, 409, "item_name_in_use", "Item with the same name already exists");
  context = emu_problem_get_context (problem);
  if (item->folder)
    {
      JsonArray *conflicts = json_array_new ();

      json_array_add_object_element (conflicts, emu_item_to_mini (item));
      json_object_set_array_member (context, "conflicts", conflicts);
    }
  else
    json_object_set_object_member (context, "conflicts", emu_item_to_mini (item));
  return FALSE;
}

gboolean
emu_store_check_name_locked (EmuStore *store, const char *parent, const char *name, EmuItem *self,
                             EmuProblem *problem)
{
  EmuItem *other;

  if (!emu_item_check_name (name, problem))
    return FALSE;
  other = emu_store_find_locked (store, parent, name);
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
  if (put->file_id == NULL
      && emu_store_get_locked (store, put->folder_id, TRUE, "parent", problem) == NULL)
    return FALSE;
  if (put->file_id == NULL)
    return emu_store_check_name_locked (store, put->folder_id, put->name, NULL, problem)
           && check_size_locked (store, put->size, problem);
  *item = emu_store_get_locked (store, put->file_id, FALSE, "item", problem);
  if (*item == NULL || !emu_item_check_etag (*item, put->if_match, problem))
    return FALSE;
  return (put->name == NULL
          || emu_store_check_name_locked (store, (*item)->parent, put->name, *item, problem))
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

gboolean
emu_store_keep_name (EmuStore *store, const char *id, EmuProblem *problem)
{
  EmuItem *item;

  g_mutex_lock (&store->lock);
  item = emu_store_get_locked (store, id, FALSE, "item", problem);
  if (item != NULL)
    name_in_use (item, problem);
  g_mutex_unlock (&store->lock);
  return FALSE;
}

static gboolean
take_content (EmuStore *store, const EmuPut *put, const char *version, EmuProblem *problem)
{
  g_autofree char *path = emu_store_get_content_path (store, version);
  int result = put->keep ? link (put->content, path) : g_rename (put->content, path);

  return result == 0
         || emu_problem_set (problem, 500, "internal_server_error", "Cannot keep the content: %s",
                             g_strerror (errno));
}

void
emu_store_rename_locked (EmuStore *store, EmuItem *item, const char *parent, const char *name)
{
  emu_store_unindex_locked (store, item);
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
  emu_store_index_locked (store, item);
}

JsonObject *
emu_store_put_locked (EmuStore *store, const EmuPut *put, EmuProblem *problem)
{
  g_autofree char *version = NULL;
  g_autoptr (EmuItem) fresh = NULL;
  EmuItem *item;

  if (!check_put_locked (store, put, &item, problem))
    return NULL;
  if (item == NULL)
    {
      g_autofree char *id = emu_store_next_id_locked (store);

      item = fresh = emu_item_new (id, put->folder_id, put->name, FALSE);
      item->created = emu_clock_now (store->clock);
    }
  version = emu_store_next_id_locked (store);
  if (!emu_item_set_attributes (item, put->attributes, problem)
      || !take_content (store, put, version, problem))
    return NULL;
  item->modified = emu_clock_now (store->clock);
  emu_item_add_version (item, version, put->sha1, put->size, item->modified);
  store->used += put->size;
  if (fresh != NULL)
    emu_store_add_locked (store, g_steal_pointer (&fresh));
  else
    {
      item->etag++;
      if (put->name != NULL)
        emu_store_rename_locked (store, item, item->parent, put->name);
    }
  emu_store_save_locked (store, item);
  return emu_store_describe_locked (store, item);
}

JsonObject *
emu_store_put (EmuStore *store, const EmuPut *put, EmuProblem *problem)
{
  JsonObject *result;

  g_mutex_lock (&store->lock);
  result = emu_store_put_locked (store, put, problem);
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

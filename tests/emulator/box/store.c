/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/store-state.h"

#include <errno.h>
#include <gio/gio.h>

#define FIRST_ID 1000000000

/* --- bookkeeping -------------------------------------------------------------------------------
 */

static char *
name_key (const char *parent, const char *name)
{
  g_autofree char *folded = emu_item_fold_name (name);

  return g_strdup_printf ("%s/%s", parent, folded);
}

void
emu_store_index_locked (EmuStore *store, EmuItem *item)
{
  if (item->parent != NULL)
    g_hash_table_insert (store->by_name, name_key (item->parent, item->name), item);
}

void
emu_store_unindex_locked (EmuStore *store, EmuItem *item)
{
  g_autofree char *key = name_key (item->parent, item->name);

  g_hash_table_remove (store->by_name, key);
}

EmuItem *
emu_store_find_locked (EmuStore *store, const char *parent, const char *name)
{
  g_autofree char *key = name_key (parent, name);

  return g_hash_table_lookup (store->by_name, key);
}

void
emu_store_add_locked (EmuStore *store, EmuItem *item)
{
  g_hash_table_insert (store->items, item->id, item);
  emu_store_index_locked (store, item);
}

char *
emu_store_next_id_locked (EmuStore *store)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, ++store->last_id);
}

void
emu_store_save_locked (EmuStore *store, EmuItem *item)
{
  g_autofree char *name = g_strconcat (item->id, ".json", NULL);
  g_autofree char *path = g_build_filename (store->items_dir, name, NULL);
  g_autofree char *text = emu_item_serialise (item);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    g_printerr ("box-emulator: %s\n", error->message);
}

char *
emu_store_get_content_path (EmuStore *store, const char *version)
{
  return g_build_filename (store->content_dir, version, NULL);
}

EmuItem *
emu_store_get_locked (EmuStore *store, const char *id, gboolean folder, const char *name,
                      EmuProblem *problem)
{
  EmuItem *item = id != NULL ? g_hash_table_lookup (store->items, id) : NULL;

  if (item != NULL && item->folder == folder)
    return item;
  emu_problem_set_unknown (problem, name, id);
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
  emu_store_add_locked (store, item);
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
  emu_store_add_locked (store, emu_item_new (EMU_ROOT_FOLDER, NULL, "All Files", TRUE));
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

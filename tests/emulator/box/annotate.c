/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The metadata of the store's files.
 */
#include "emulator/box/metadata.h"
#include "emulator/box/store-state.h"

static EmuItem *
find_locked (EmuStore *store, const char *id, EmuProblem *problem)
{
  return emu_store_get_locked (store, id, FALSE, "item", problem);
}

JsonObject *
emu_store_create_metadata (EmuStore *store, const char *id, const char *name, JsonObject *values,
                           EmuProblem *problem)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  EmuItem *item = find_locked (store, id, problem);
  JsonObject *instance = NULL;

  if (item != NULL)
    instance = emu_metadata_create (item->metadata, id, name, values, problem);
  if (instance != NULL)
    emu_store_save_locked (store, item);
  return instance;
}

JsonObject *
emu_store_get_metadata (EmuStore *store, const char *id, const char *name, EmuProblem *problem)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  EmuItem *item = find_locked (store, id, problem);

  return item != NULL ? emu_metadata_get (item->metadata, id, name, problem) : NULL;
}

JsonObject *
emu_store_patch_metadata (EmuStore *store, const char *id, const char *name, JsonArray *operations,
                          EmuProblem *problem)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  EmuItem *item = find_locked (store, id, problem);
  JsonObject *instance = NULL;

  if (item != NULL)
    instance = emu_metadata_patch (item->metadata, id, name, operations, problem);
  if (instance != NULL)
    emu_store_save_locked (store, item);
  return instance;
}

gboolean
emu_store_delete_metadata (EmuStore *store, const char *id, const char *name, EmuProblem *problem)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  EmuItem *item = find_locked (store, id, problem);

  if (item == NULL || !emu_metadata_remove (item->metadata, name, problem))
    return FALSE;
  emu_store_save_locked (store, item);
  return TRUE;
}

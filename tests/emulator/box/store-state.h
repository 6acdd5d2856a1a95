/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the files of EmuStore: the set of items (box/store.c), the storing of files
 * (box/put.c), the clients' view (box/look.c), and all other changes (box/change.c).
 */
#pragma once

#include "emulator/box/item.h"
#include "emulator/box/store.h"

G_BEGIN_DECLS

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

/* The item of this id; else NULL and 404, @name being the parameter that had it. */
EmuItem *emu_store_get_locked (EmuStore *store, const char *id, gboolean folder, const char *name,
                               EmuProblem *problem);

/* The item of this name, or NULL. */
EmuItem *emu_store_find_locked (EmuStore *store, const char *parent, const char *name);

/* Adds an item (and takes it); enters its name into the index, and takes it out again. */
void emu_store_add_locked (EmuStore *store, EmuItem *item);
void emu_store_index_locked (EmuStore *store, EmuItem *item);
void emu_store_unindex_locked (EmuStore *store, EmuItem *item);

/* Writes the item to the disk. */
void emu_store_save_locked (EmuStore *store, EmuItem *item);
char *emu_store_next_id_locked (EmuStore *store);

/* Where the bytes of a version are; free with g_free(). */
char *emu_store_get_content_path (EmuStore *store, const char *version);

/* Whether @name is good, and free in @parent but for @self. */
gboolean emu_store_check_name_locked (EmuStore *store, const char *parent, const char *name,
                                      EmuItem *self, EmuProblem *problem);
void emu_store_rename_locked (EmuStore *store, EmuItem *item, const char *parent, const char *name);
JsonObject *emu_store_put_locked (EmuStore *store, const EmuPut *put, EmuProblem *problem);

/* A whole representation. */
JsonObject *emu_store_describe_locked (EmuStore *store, EmuItem *item);

/* Of EmuItem, folders first, by name; the array alone is the caller's. */
GPtrArray *emu_store_get_children_locked (EmuStore *store, const char *folder_id);
gboolean
emu_store_is_within_locked (EmuStore *store, const char *folder_id, const char *ancestor_id);

G_END_DECLS

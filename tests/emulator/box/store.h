/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuStore: the account's files, versions and folders, kept under a directory so that they survive
 * a restart: items/ID.json describes one file or folder, content/VERSION has the bytes of one
 * version.
 *
 * Functions are atomic, may be called from any thread, and take ids as Box writes them ("0" is the
 * root folder).
 */
#pragma once

#include "emulator/base/clock.h"
#include "emulator/box/problem.h"

G_BEGIN_DECLS

#define EMU_ROOT_FOLDER "0"

typedef struct _EmuStore EmuStore;

/* Limits in bytes, 0: none. @clock outlives the store. */
EmuStore *
emu_store_new (const char *dir, EmuClock *clock, guint64 max_size, guint64 quota, GError **error);
void emu_store_free (EmuStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuStore, emu_store_free)

/* A file that is to be stored, new (@folder_id and @name) or as a version (@file_id, with @name to
 * rename, and @if_match). */
typedef struct
{
  const char *folder_id;
  const char *file_id;
  const char *name;
  const char *if_match;
  const char *content; /* path of the bytes */
  gboolean keep;       /* link @content instead of moving it */
  guint64 size;
  const char *sha1;       /* hex */
  JsonObject *attributes; /* description, content_created_at, content_modified_at; or NULL */
} EmuPut;

/* Stores a file; the result describes it. Problems: those of emu_store_check(), and 412. */
JsonObject *emu_store_put (EmuStore *store, const EmuPut *put, EmuProblem *problem);

/* The same for bytes in memory; the path, size and hash of @put are not looked at. */
JsonObject *emu_store_put_data (EmuStore *store, const EmuPut *put, gconstpointer data, gsize size,
                                EmuProblem *problem);

/* Whether a file of @size bytes could be stored; the path and hash of @put are not looked at. */
gboolean emu_store_check (EmuStore *store, const EmuPut *put, EmuProblem *problem);

/* Refuses as if the name of this file were wanted by another: 409. Always FALSE. */
gboolean emu_store_keep_name (EmuStore *store, const char *id, EmuProblem *problem);

/* A whole representation of a file or folder; 404 if there is no such item. */
JsonObject *emu_store_get_file (EmuStore *store, const char *id, EmuProblem *problem);
JsonObject *emu_store_get_folder (EmuStore *store, const char *id, EmuProblem *problem);

/* The newest content (@version NULL) of a file: its path, or NULL. */
char *
emu_store_get_content (EmuStore *store, const char *id, const char *version, EmuProblem *problem);

/* All older versions, newest first, as representations. */
JsonArray *emu_store_get_versions (EmuStore *store, const char *id, EmuProblem *problem);

/* Representations (whole, or as in lists) of what is in a folder: folders, then files, by name. */
JsonArray *
emu_store_list (EmuStore *store, const char *folder_id, gboolean whole, EmuProblem *problem);

/* The id of a file (or a folder) of this name, without regard to case, or NULL. */
char *emu_store_find (EmuStore *store, const char *folder_id, const char *name);
char *emu_store_find_folder (EmuStore *store, const char *parent_id, const char *name);
guint emu_store_count_files (EmuStore *store);
guint emu_store_count_folders (EmuStore *store); /* without the root */
guint64 emu_store_get_used (EmuStore *store);

JsonObject *emu_store_add_folder (EmuStore *store, const char *parent_id, const char *name,
                                  EmuProblem *problem);

/* Renames, moves and describes a file or folder by what @changes has of "name", "parent",
 * "description" and times. */
JsonObject *emu_store_update (EmuStore *store, const char *id, gboolean folder, JsonObject *changes,
                              const char *if_match, EmuProblem *problem);

/* A copy of a file in another folder or by another name (NULL: its own). */
JsonObject *emu_store_copy (EmuStore *store, const char *id, const char *parent_id,
                            const char *name, EmuProblem *problem);

gboolean emu_store_delete (EmuStore *store, const char *id, gboolean folder, gboolean recursive,
                           const char *if_match, EmuProblem *problem);

/* The metadata of a file; @name: "SCOPE/TEMPLATE" (box/metadata.h). */
JsonObject *emu_store_create_metadata (EmuStore *store, const char *id, const char *name,
                                       JsonObject *values, EmuProblem *problem);
JsonObject *
emu_store_get_metadata (EmuStore *store, const char *id, const char *name, EmuProblem *problem);
JsonObject *emu_store_patch_metadata (EmuStore *store, const char *id, const char *name,
                                      JsonArray *operations, EmuProblem *problem);
gboolean
emu_store_delete_metadata (EmuStore *store, const char *id, const char *name, EmuProblem *problem);

/* Whether @folder_id is @ancestor_id or somewhere below it. */
gboolean emu_store_is_within (EmuStore *store, const char *folder_id, const char *ancestor_id);

G_END_DECLS

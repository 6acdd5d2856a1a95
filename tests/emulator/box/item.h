/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuItem: one file (with its versions) or folder: how it looks to clients and on disk, and which
 * names Box accepts.
 */
#pragma once

#include "emulator/box/problem.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  char *sha1; /* hex */
  guint64 size;
  gint64 created; /* µs since 1970 */
} EmuVersion;

typedef struct
{
  char *id;
  char *parent; /* NULL: the root */
  char *name;
  gboolean folder;
  guint etag;
  gint64 created; /* µs since 1970 */
  gint64 modified;
  GPtrArray *versions; /* of EmuVersion, oldest first; of a file, never empty once stored */
  char *description;
  char *content_created_at;
  char *content_modified_at;
  char *shared_link;    /* its access; NULL: none */
  JsonArray *tags;      /* or NULL */
  JsonObject *metadata; /* EmuMetadata */
} EmuItem;

EmuItem *emu_item_new (const char *id, const char *parent, const char *name, gboolean folder);
void emu_item_free (EmuItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuItem, emu_item_free)

void emu_item_add_version (EmuItem *item, const char *id, const char *sha1, guint64 size,
                           gint64 created);

/* The newest. */
EmuVersion *emu_item_get_version (EmuItem *item);

/* Takes over what of a description and times @attributes (may be NULL) has; times must be RFC 3339.
 */
gboolean emu_item_set_attributes (EmuItem *item, JsonObject *attributes, EmuProblem *problem);

/* As Box shows it, without "parent" and "path_collection", which need other items. */
JsonObject *emu_item_to_json (EmuItem *item);
JsonObject *emu_version_to_json (const EmuVersion *version, const char *name);

/* {"type","id","sequence_id","etag","name"}, as paths and parents have it. */
JsonObject *emu_item_to_entry (EmuItem *item);

/* The same, with the hash of a file: as lists and conflicts have it. */
JsonObject *emu_item_to_mini (EmuItem *item);

/* Takes over what @changes has of "shared_link" and "tags". */
void emu_item_set_extras (EmuItem *item, JsonObject *changes);

/* For the disk. NULL: not an item. */
char *emu_item_serialise (EmuItem *item);
EmuItem *emu_item_parse (const char *text);

/* @if_match NULL: anything goes. 412 if it is of another state of the item. */
gboolean emu_item_check_etag (EmuItem *item, const char *if_match, EmuProblem *problem);
gboolean emu_item_check_name (const char *name, EmuProblem *problem);

/* Names that are equal by this are the same to Box; free with g_free(). */
char *emu_item_fold_name (const char *name);

G_END_DECLS

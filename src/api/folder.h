/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxItem: what is in a folder; and BoxClient's calls about folders. As in api/client.h, each makes
 * one attempt, and errors are of BOX_ERROR with what Box said in the details. BoxFolderPath is
 * built on them.
 */
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

typedef enum
{
  BOX_ITEM_FILE,
  BOX_ITEM_FOLDER,
  BOX_ITEM_OTHER, /* a web link */
} BoxItemKind;

typedef struct
{
  BoxItemKind kind;
  char *id;
  char *name; /* NULL: Box did not say; not of those that are visited */
  gboolean has_size;
  guint64 size;
  gboolean has_sha1;
  BoxSha1 sha1;
  char *modified_at; /* as Box writes it, or NULL */
} BoxItem;

void box_item_free (BoxItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxItem, box_item_free)

/* Parses one item. BOX_ERROR_PROTOCOL. */
BoxItem *box_item_parse (JsonNode *node, GError **error);

/* The item that has the name, from the details of a BOX_ERROR_NAME_IN_USE error; NULL: Box did not
 * name it. */
BoxItem *box_item_from_conflict (const GError *error);

/* @name as it is compared: Box, which ignores case, takes two names for the same if these are
 * equal. Free with g_free(). */
char *box_item_fold_name (const char *name);

/* An item of a folder. FALSE: no more are wanted. */
typedef gboolean (*BoxItemVisitor) (const BoxItem *item, gpointer user_data);

/* GET …/folders/ID/items: calls @visit for each item, page by page, in Box's order. */
gboolean box_client_visit_folder (BoxClient *client, BoxTransport *transport, const char *folder_id,
                                  BoxItemVisitor visit, gpointer user_data,
                                  GCancellable *cancellable, GError **error);

/* POST …/folders: makes the folder @name in @parent_id and returns its id. NAME_IN_USE carries what
 * has the name. A repeated call is harmless. */
char *box_client_create_folder (BoxClient *client, BoxTransport *transport, const char *parent_id,
                                const char *name, GCancellable *cancellable, GError **error);

/* DELETE …/folders/ID with all that is in it. */
gboolean
box_client_delete_folder (BoxClient *client, BoxTransport *transport, const char *folder_id,
                          GCancellable *cancellable, GError **error);

/* The item of the folder @parent_id that has @name for Box; NULL without @error if no item has it.
 */
BoxItem *box_client_find_item (BoxClient *client, BoxTransport *transport, const char *parent_id,
                               const char *name, GCancellable *cancellable, GError **error);

/*
 * BoxFolderPath: the folder that a path of names leads to. One table for the process remembers what
 * was found, and lets one thread ask while others wait for its answer, so that a folder is made
 * once, however many uploads want it. Between processes Box decides: the second one gets the folder
 * of the first.
 *
 * What is remembered belongs to the token it was found with, since the root is another one for each
 * user. A folder that is renamed or moved stays the one that is used; one that is gone has to be
 * forgotten (box_folder_path_forget()).
 */

/**
 * box_folder_path_resolve:
 * @names: names of folders below @folder_id, outermost first.
 * @create: whether missing ones are made.
 * @cached: (out) (optional): whether nobody was asked about any of them, so that they may be gone.
 *
 * The id of the last one; free with g_free(). One attempt of each request. NOT_FOUND: a folder is
 * missing, and @create is FALSE; the message names the first one. NAME_IN_USE: a file has the name
 * of one. FORBIDDEN: one is missing, or cannot be seen, and these credentials may not make it.
 */
char *box_folder_path_resolve (BoxClient *client, BoxTransport *transport, const char *folder_id,
                               const char *const *names, gboolean create, gboolean *cached,
                               GCancellable *cancellable, GError **error);

/* Whether a folder of the path is missing, by @error of a call with @create FALSE. */
gboolean box_folder_path_is_missing (const GError *error);

/* The folders of the path are looked for anew the next time. */
void box_folder_path_forget (BoxClient *client, const char *folder_id, const char *const *names);

/* The file that @destination, a FOLDER, means: a copy, or one without a path, as
 * box_folder_path_resolve() finds it. */
BoxDestination *
box_folder_path_resolve_destination (BoxClient *client, BoxTransport *transport,
                                     const BoxDestination *destination, gboolean create,
                                     GCancellable *cancellable, GError **error);

G_END_DECLS

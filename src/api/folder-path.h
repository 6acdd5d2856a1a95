/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

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

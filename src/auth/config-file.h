/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxAuthStore: a configuration that is rewritten at each use, by several processes: lock it, make
 * sure that it can be written, use what is in it, replace it. At every moment the file is whole;
 * what replaces it is on the disk before it takes its place, and is found by the next to lock it
 * where the writer died in between.
 *
 *   store = box_auth_store_lock (origin, path, cancellable, &error);
 *   config = box_auth_store_get_config (store);
 *   box_auth_store_prepare (store, &error);
 *   …use config->refresh_token…
 *   box_auth_store_replace (store, text, &error);
 *   box_auth_store_unlock (store);
 */
#pragma once

#include <gio/gio.h>

#include "auth/config.h"

G_BEGIN_DECLS

typedef struct _BoxAuthStore BoxAuthStore;

/* Waits for other processes and threads; reads the file under the lock. BOX_ERROR_CANCELLED, or as
 * box_auth_config_load(); the configuration must be one with a refresh token. */
BoxAuthStore *box_auth_store_lock (const char *origin, const char *path, GCancellable *cancellable,
                                   GError **error);
void box_auth_store_unlock (BoxAuthStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxAuthStore, box_auth_store_unlock)

/* Owned by @store. */
const BoxAuthConfig *box_auth_store_get_config (BoxAuthStore *store);

/* Opens what will replace the file and reserves its space. BOX_ERROR_STORAGE, BOX_ERROR_SPACE:
 * nothing has been used up yet. */
gboolean box_auth_store_prepare (BoxAuthStore *store, GError **error);

/* Puts @text in the file's place, durably; its mode and owner are kept. Where that fails halfway
 * the next to lock the file completes it, if it can be. */
gboolean box_auth_store_replace (BoxAuthStore *store, const char *text, GError **error);

G_END_DECLS

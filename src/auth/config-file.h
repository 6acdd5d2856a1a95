/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxConfigFile: a configuration that is rewritten at each use, by several processes: lock it, make
 * sure that it can be written, use what is in it, replace it. At every moment the file is whole;
 * what replaces it is on the disk before it takes its place, and is found by the next to lock it
 * where the writer died in between.
 *
 *   store = box_config_file_lock (origin, path, cancellable, &error);
 *   config = box_config_file_get_config (store);
 *   box_config_file_prepare (store, &error);
 *   …use config->refresh_token…
 *   box_config_file_replace (store, text, &error);
 *   box_config_file_unlock (store);
 */
#pragma once

#include <gio/gio.h>

#include "auth/config.h"

G_BEGIN_DECLS

typedef struct _BoxConfigFile BoxConfigFile;

/* Waits for other processes and threads; reads the file under the lock. BOX_ERROR_CANCELLED, or as
 * box_auth_config_load() at a renewal; the configuration must be one with a refresh token. */
BoxConfigFile *box_config_file_lock (const char *origin, const char *path,
                                     GCancellable *cancellable, GError **error);
void box_config_file_unlock (BoxConfigFile *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxConfigFile, box_config_file_unlock)

/* Owned by @store. */
const BoxAuthConfig *box_config_file_get_config (BoxConfigFile *store);

/* Opens what will replace the file and reserves its space. BOX_ERROR_STORAGE, BOX_ERROR_SPACE:
 * nothing has been used up yet. */
gboolean box_config_file_prepare (BoxConfigFile *store, GError **error);

/* Puts @text in the file's place, durably; its mode and owner are kept. If that fails, @text is
 * kept in memory: to this process it is the file's content, and the next lock tries to write it
 * again. What had reached the disk is completed by any process that locks the file. */
gboolean box_config_file_replace (BoxConfigFile *store, const char *text, GError **error);

G_END_DECLS

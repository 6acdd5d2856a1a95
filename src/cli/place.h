/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an argument of ls and get names at Box: an ID, or box://FOLDER_ID/PATH; and whether there is
 * room for what put and create want to send. */
#pragma once

#include "api/folder.h"
#include "cli/command.h"

G_BEGIN_DECLS

/* The item at box://FOLDER_ID/PATH; for FOLDER_ID alone the folder, of which only kind and id are
 * set. NOT_FOUND names the first name that is missing. */
BoxItem *cli_place_find (Cli *cli, const char *place, GError **error);

/* Whether @text is a path, and not an ID. */
gboolean cli_place_is_path (const char *text);

/* Warns if a file of @largest bytes, or @total bytes together, are too much for the account. Box
 * decides. What any account takes is not asked about. */
void cli_place_warn_of_room (Cli *cli, guint64 largest, guint64 total);

G_END_DECLS

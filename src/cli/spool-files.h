/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload spool export and rm.
 */
#pragma once

#include "cli/command.h"

G_BEGIN_DECLS

/* Copies the data of a recording, the first of @arguments, to the file or directory that follows,
 * or to the working directory. @spool: (nullable): there is no spool. @force: replaces an existing
 * file. */
gboolean
cli_spool_export (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error);

/* Removes the recordings @arguments, after a question. @force: without a question. */
gboolean
cli_spool_remove (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error);

G_END_DECLS

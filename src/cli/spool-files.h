/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload spool export and rm.
 */
#pragma once

#include "cli/command.h"

G_BEGIN_DECLS

/* Copies the data of the recording that @arguments begins with to the file or directory behind it,
 * or to the working directory. @spool: (nullable): there is none. @force: a file that is there is
 * replaced. */
gboolean
cli_spool_export (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error);

/* Removes the recordings @arguments, after a question. @force: without one. */
gboolean
cli_spool_remove (Cli *cli, BoxSpool *spool, char **arguments, gboolean force, GError **error);

G_END_DECLS

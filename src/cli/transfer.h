/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliTransfer: one local file on its way to Box: the open file, its upload, and the thread that
 * feeds it. One thread.
 */
#pragma once

#include "cli/command.h"
#include "cli/reporter.h"

G_BEGIN_DECLS

typedef struct _CliTransfer CliTransfer;

/* @path: in the file system's encoding. */
CliTransfer *cli_transfer_new (const char *path, CliTell tell);

/* Ends it first, if it still runs. */
void cli_transfer_free (CliTransfer *transfer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTransfer, cli_transfer_free)

/* Opens the file and begins to send it to @destination by @settings, of which the client,
 * destination, size and what the file system says are filled in here. */
gboolean
cli_transfer_start (CliTransfer *transfer, BoxClient *client, const BoxDestination *destination,
                    const BoxUploadSettings *settings, GError **error);

/* Whether it has ended; waits up to @timeout microseconds. */
gboolean cli_transfer_poll (CliTransfer *transfer, gint64 timeout);

/* Stops it now; the session stays. It ends as cancelled. */
void cli_transfer_cancel (CliTransfer *transfer);

/* After the end: the file at Box, or NULL with @error: BOX_ERROR_SIZE also where Box has the file
 * as it was, and it has changed since. */
BoxFile *cli_transfer_finish (CliTransfer *transfer, GError **error);

/* What tells of it; owned by @transfer. */
CliReporter *cli_transfer_get_teller (CliTransfer *transfer);

/* The figures of now. @notice: (out): what @line's notice is; free with g_free(). */
void cli_transfer_get_progress (CliTransfer *transfer, CliProgressLine *line, char **notice);

/* Prints the figures of now as a JSON line. */
void cli_transfer_tell_progress (CliTransfer *transfer);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliTransfer: one local file on its way to Box: the open file, its upload, the thread that feeds
 * it, and what is told meanwhile (JSON Lines, lines on stderr, or a progress bar's figures). The
 * functions belong to one thread.
 */
#pragma once

#include "cli-command.h"
#include "cli-progress.h"

G_BEGIN_DECLS

typedef enum
{
  CLI_TELL_NOTHING, /* somebody shows the figures */
  CLI_TELL_TEXT,    /* repeated requests and outages, on stderr */
  CLI_TELL_JSON,    /* everything, on stdout */
} CliTell;

typedef struct _CliTransfer CliTransfer;

/* @path: in the file system's encoding. */
CliTransfer *cli_transfer_new (const char *path, CliTell tell);
CliTransfer *cli_transfer_ref (CliTransfer *transfer);
void cli_transfer_unref (CliTransfer *transfer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTransfer, cli_transfer_unref)

/* Opens the file and begins to send it to @destination by @settings, of which the client,
 * destination, size and what the file system says are filled in here. */
gboolean
cli_transfer_start (CliTransfer *transfer, BoxClient *client, const BoxDestination *destination,
                    const BoxUploadSettings *settings, GError **error);

/* Whether it has ended; waits up to @timeout microseconds. */
gboolean cli_transfer_poll (CliTransfer *transfer, gint64 timeout);

/* Stops it now; the session stays. It ends as cancelled. */
void cli_transfer_cancel (CliTransfer *transfer);

/* After the end: the file at Box, or NULL with @error. */
BoxFile *cli_transfer_finish (CliTransfer *transfer, GError **error);

/* The path for people, printable; owned by @transfer. */
const char *cli_transfer_get_name (CliTransfer *transfer);

/* The session, if there is one that can go on; free with g_free(). */
char *cli_transfer_dup_session_id (CliTransfer *transfer);

/* The figures of now. @notice: (out): what @line's notice is; free with g_free(). */
void cli_transfer_get_progress (CliTransfer *transfer, CliProgressLine *line, char **notice);

/* Prints the figures of now as a JSON line. */
void cli_transfer_tell_progress (CliTransfer *transfer);

/* Prints the end as a JSON line: @file, or @error. */
void cli_transfer_tell_end (CliTransfer *transfer, const BoxFile *file, const GError *error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls to Box that several commands make, repeated while they fail in passing; each repetition
 * is told on stderr, so that nobody wonders why nothing happens.
 */
#pragma once

#include "base/retry.h"
#include "cli/command.h"

G_BEGIN_DECLS

/* Somebody waits for the answer of such a call. Seconds. */
#define CLI_CALL_RETRY_TIMEOUT 60

/* box_call() for as long as --retry-timeout says, or @retry_timeout seconds. */
gboolean
cli_call (Cli *cli, BoxCallFunc function, gpointer user_data, guint retry_timeout, GError **error);

/* Refuses what cannot be the ID of a session before it asks. */
BoxSession *cli_call_get_session (Cli *cli, const char *session_id, GError **error);

/* BoxPart entries by offset, with free function. */
GPtrArray *cli_call_list_parts (Cli *cli, const BoxSession *session, GError **error);

/* The file as it is now. */
BoxFile *cli_call_get_file (Cli *cli, const char *file_id, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliRescue: one recording of the spool being finished (delivery/job.h), and what is told of
 * it. One thread.
 */
#pragma once

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/reporter.h"
#include "delivery/job.h"
#include "spool/spool.h"

G_BEGIN_DECLS

typedef struct _CliRescue CliRescue;

CliRescue *cli_rescue_new (const BoxSpoolEntry *spooled, CliTell tell);

/* Stops it first, if it still runs; the recording stays then. */
void cli_rescue_free (CliRescue *rescue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliRescue, cli_rescue_free)

/* Takes the recording and begins to finish it. @cancellable ends it early; the recording stays
 * then. */
gboolean cli_rescue_start (CliRescue *rescue, const BoxRecoverySettings *settings,
                           GCancellable *cancellable, GError **error);

/* Whether it has ended; waits up to @timeout microseconds. */
gboolean cli_rescue_poll (CliRescue *rescue, gint64 timeout);

/* After the end, once: what became of the recording, which is told on stdout; or the failure, which
 * is not told yet. */
gboolean cli_rescue_finish (CliRescue *rescue, BoxRecovered *how, GError **error);

/* Whether @error says that another process has finished the recording, or has it now: no failure.
 */
gboolean cli_rescue_is_elsewhere (const GError *error);

/* The recording's name in the spool; owned by @rescue. */
const char *cli_rescue_get_name (CliRescue *rescue);

/* @wait: seconds until the next attempt, 0: there is none. */
void cli_rescue_tell_failure (CliRescue *rescue, const GError *error, guint wait);

/* The figures of now, while it runs. @notice: (out): what @line's notice is; free with g_free(). */
void cli_rescue_get_progress (CliRescue *rescue, CliProgressLine *line, char **notice);

/* Prints the figures of now as a JSON line, if it has got to uploading. */
void cli_rescue_tell_progress (CliRescue *rescue);

G_END_DECLS

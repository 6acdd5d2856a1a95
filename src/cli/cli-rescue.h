/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliRescue: finishes one recording of the spool (box-recovery.h) and shows how it goes: a bar,
 * lines, or JSON Lines.
 */
#pragma once

#include "box-recovery.h"
#include "box-spool.h"
#include "cli-command.h"
#include "cli-progress.h"
#include "cli-teller.h"

G_BEGIN_DECLS

/* How the recordings of one command are finished and told of. */
typedef struct
{
  Cli *cli;
  CliTell tell;
  CliProgress *progress;
  guint retry_timeout; /* seconds */
} CliRescue;

/* The directory of recordings: @dir, or the default one. TRUE with *@spool NULL where the default
 * one is not there and not to be made (@create); a directory that was named has to be there then.
 */
gboolean cli_rescue_open_spool (const char *dir, gboolean create, BoxSpool **spool, GError **error);

/* Whether there is anything to do for @spooled now. */
gboolean cli_rescue_is_wanted (const BoxSpooled *spooled);

/* Whether @error of cli_rescue_run() says that another process has finished the recording, or has
 * it now: no failure. */
gboolean cli_rescue_is_elsewhere (const GError *error);

/**
 * cli_rescue_run:
 * @how: (out): what became of the recording.
 *
 * Finishes @spooled and says so; blocks, and ends at once when the command is interrupted. A
 * failure is left to the caller to tell: cli_rescue_tell_failure().
 */
gboolean
cli_rescue_run (CliRescue *rescue, const BoxSpooled *spooled, BoxRecovered *how, GError **error);

/* @wait: seconds until the next attempt, 0: there is none. */
void cli_rescue_tell_failure (CliRescue *rescue, const BoxSpooled *spooled, const GError *error,
                              guint wait);

G_END_DECLS

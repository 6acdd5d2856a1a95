/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliCrew: finishes a few recordings of a spool at the same time, and shows how that goes. One
 * thread.
 */
#pragma once

#include "cli/rescue.h"

G_BEGIN_DECLS

typedef struct _CliCrew CliCrew;

/**
 * CliCrewEnded:
 * @failure: (nullable): why not; it has not been told.
 *
 * A recording has ended: finished, as @how says, or not.
 */
typedef void (*CliCrewEnded) (CliRescue *rescue, BoxRecovered how, const GError *failure,
                              gpointer user_data);

/* @files: at the same time, 1 to CLI_CREW_MAX. NULL with @error where the options are wrong. */
CliCrew *cli_crew_new (Cli *cli, int files, CliCrewEnded ended, gpointer user_data, GError **error);
#define CLI_CREW_MAX     16
#define CLI_CREW_DEFAULT 2

/* Stops those that run. */
void cli_crew_free (CliCrew *crew);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliCrew, cli_crew_free)

/* How many are being finished now. */
guint cli_crew_count_running (CliCrew *crew);

/* Whether another one may begin. */
gboolean cli_crew_has_room (CliCrew *crew);

/* Begins to finish @spooled, where there is room. */
void cli_crew_begin (CliCrew *crew, const BoxSpoolEntry *spooled);

/* Looks after those that run for a moment, a tenth of a second at most. */
void cli_crew_attend (CliCrew *crew);

/* The directory of recordings: @dir, or the default one. TRUE with *@spool NULL where the default
 * one is not there and not to be made (@create); a directory that was named has to be there then.
 */
gboolean cli_crew_open_spool (const char *dir, gboolean create, BoxSpool **spool, GError **error);

G_END_DECLS

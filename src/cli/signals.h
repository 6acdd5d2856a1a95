/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliSignal: turns SIGINT and SIGTERM into a cancelled GCancellable, so that every wait ends and
 * the program ends in order. A second signal has its default effect and ends the program at once.
 * One per process.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _CliSignal CliSignal;

CliSignal *cli_signal_new (void);
void cli_signal_free (CliSignal *signals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliSignal, cli_signal_free)

/* Owned by @signals. */
GCancellable *cli_signal_get_cancellable (CliSignal *signals);

/* The signal that has arrived; 0: no signal yet. */
int cli_signal_get_number (CliSignal *signals);

G_END_DECLS

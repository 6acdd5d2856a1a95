/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliHook: runs the user's program for events of the daemon, with one JSON object on its standard
 * input. One at a time, for 30 seconds at most; up to 64 events wait for their turn, and then the
 * oldest is dropped. It never holds up an upload, and what it does with an event changes nothing.
 * One thread, which runs the default main context.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _CliHook CliHook;

/* @program: one word, no shell. Its environment has no credentials. */
CliHook *cli_hook_new (const char *program);

/* Kills the one that runs, and forgets those that wait. */
void cli_hook_free (CliHook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliHook, cli_hook_free)

/* Takes @event, whose object is open. */
void cli_hook_send (CliHook *hook, JsonBuilder *event);

/* Runs the default main context until no event is left, for @timeout microseconds at most. */
void cli_hook_wait (CliHook *hook, gint64 timeout);

G_END_DECLS

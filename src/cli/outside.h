/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon shows and tells besides its output. CliOutside: the status over HTTP
 * (BoxStatusServer) and the hook; each is there only if it was asked for. CliHook: the user's
 * program. CliService: the service manager.
 */
#pragma once

#include "api/file.h"
#include "cli/command.h"
#include "spool/spool.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* As the command line gave them; NULL: not given. */
typedef struct
{
  char *http;
  char *http_token_file;
  char *hook;
} CliOutsideOptions;

typedef struct _CliOutside CliOutside;

/* @dir: of @spool. BOX_ERROR_SETTINGS; BOX_ERROR_CREDENTIALS: the token's file cannot be read. */
CliOutside *cli_outside_new (Cli *cli, const CliOutsideOptions *options, BoxSpool *spool,
                             const char *dir, GError **error);
void cli_outside_free (CliOutside *outside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliOutside, cli_outside_free)

/* The recording @name is at work now. */
void cli_outside_tell_begun (CliOutside *outside, const char *name);

/* It is not any more: Box has @file (nullable: no file was made). */
void cli_outside_tell_done (CliOutside *outside, const char *name, const BoxFile *file);

/* It failed; @wait: seconds until the next attempt. @again: the last attempt failed likewise, or
 * the network did: the hook is told only of a new refusal. */
void cli_outside_tell_failed (CliOutside *outside, const char *name, const GError *failure,
                              guint wait, gboolean again);

/*
 * CliHook: runs the user's program for events of the daemon, with one JSON object on its standard
 * input. One at a time, for 30 seconds at most; up to 64 events wait for their turn, and then the
 * oldest is dropped. It never holds up an upload, and what it does with an event changes nothing.
 * One thread, which runs the default main context.
 */

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

/*
 * CliService: tells the service manager how the daemon stands (sd_notify(3): systemd's Type=notify,
 * WatchdogSec=). Without a service manager every function does nothing. One thread, which runs the
 * default main context: the watchdog is fed from there, so that a daemon that hangs is restarted.
 *
 * It speaks the protocol itself: three datagrams of text, whose form systemd promises to keep.
 * libsystemd would be one more library in each process that uploads.
 */

typedef struct _CliService CliService;

/* By the environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. A socket that cannot be used is
 * complained of, once. */
CliService *cli_service_new (void);

/* Does not say that the daemon stops: it may end by a failure. */
void cli_service_free (CliService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliService, cli_service_free)

/* The daemon has begun its work: units that are ordered after it may start. */
void cli_service_tell_ready (CliService *service);

/* The daemon ends in order. */
void cli_service_tell_stopping (CliService *service);

/* One line for "systemctl status", sent if it differs from the last one. */
void cli_service_tell_status (CliService *service, const char *format, ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS

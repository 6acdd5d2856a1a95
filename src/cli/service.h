/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliService: tells the service manager how the daemon stands (sd_notify(3): systemd's Type=notify,
 * WatchdogSec=). Without a service manager every function does nothing. One thread, which runs the
 * default main context: the watchdog is fed from there, so that a daemon that hangs is restarted.
 *
 * It speaks the protocol itself: three datagrams of text, whose form systemd promises to keep.
 * libsystemd would be one more library in each process that uploads.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

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

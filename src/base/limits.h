/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Free descriptors and threads. GLib ends the whole process if it finds no descriptor for a
 * GMainContext or a GCancellable, or no thread for g_thread_new(). Ask here before any call that
 * makes GLib take one, so that only one recording fails, not
 * all.
 */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

/* A recording needs this many free descriptors: for the workers of the process that serve it
 * (a connection, its event, a cancellable each), and a margin for the application. */
#define BOX_LIMITS_DESCRIPTORS_TO_BEGIN 64

/* A worker needs this many free descriptors: its context, a connection, the look-up of a name.
 */
#define BOX_LIMITS_DESCRIPTORS_OF_WORKER 16

/* Whether @n more descriptors can be opened now; else BOX_ERROR_SPACE. Another thread may take
 * them before the caller does: ask for a margin. */
gboolean box_limits_check_descriptors (guint n, GError **error);

/* g_thread_try_new() with BOX_ERROR_SPACE if the system has no thread left. @what names the
 * thread's purpose in the error. GLib's own threads (below) are there before the first one. */
GThread *box_limits_start_thread (const char *name, const char *what, GThreadFunc function,
                                  gpointer data, GError **error);

/* GLib has a thread for signals, tasks and file monitors, and one that starts others. It makes them
 * when it needs them first, and ends the process if it cannot. Makes them now, or sets
 * BOX_ERROR_SPACE. @what: as above. */
gboolean box_limits_ensure_workers (const char *what, GError **error);

G_END_DECLS

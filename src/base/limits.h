/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the process may still take of the system: descriptors and threads. GLib ends the whole
 * process if it finds no descriptor for a GMainContext or a GCancellable, or no thread for
 * g_thread_new(): whoever is about to make GLib need one asks here first, so that one recording
 * fails and not all.
 */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

/* Free descriptors without which no recording begins: what the workers of the process open while
 * they serve it (a connection, its event, a cancellable each), and a margin for the application. */
#define BOX_LIMITS_DESCRIPTORS_TO_BEGIN 64

/* Free descriptors without which no worker starts: its context, a connection, the name's look-up.
 */
#define BOX_LIMITS_DESCRIPTORS_OF_WORKER 16

/* Whether @n more descriptors could be opened now; else BOX_ERROR_SPACE. Another thread may take
 * them before the caller does: ask for a margin. */
gboolean box_limits_check_descriptors (guint n, GError **error);

/* g_thread_try_new() with BOX_ERROR_SPACE where the system has no thread left. @what names the
 * thread's purpose in the error. */
GThread *box_limits_start_thread (const char *name, const char *what, GThreadFunc function,
                                  gpointer data, GError **error);

G_END_DECLS

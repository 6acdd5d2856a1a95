/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxWatchdog: ends a request that has run out of patience (http/patience.h), wherever libsoup or
 * GIO block in it. One thread looks at the connections of all requests under way, once a second at
 * most often, and cancels; it exists while there are requests, and some seconds longer.
 *
 *   if (!box_watchdog_begin (&dog, cancellable, timeout, body_size, slack, &error)) ...
 *   box_watchdog_set_socket (&dog, socket); box_watchdog_enter (&dog, BOX_PHASE_SENDING); ...
 *   if (failed && box_watchdog_get_verdict (&dog, &patience) != BOX_PATIENCE_HELD) ...
 *   box_watchdog_end (&dog);
 */
#pragma once

#include <gio/gio.h>

#include "http/patience.h"

G_BEGIN_DECLS

typedef struct
{
  GCancellable *cancellable; /* immutable, borrowed */

  /* with the watchdog's lock */
  BoxPatience patience;
  BoxPatienceVerdict verdict;
  GSocket *socket; /* owned; NULL before there is a connection */
} BoxWatchdog;

/* BOX_ERROR_TRANSIENT: no thread could be started. */
gboolean box_watchdog_begin (BoxWatchdog *self, GCancellable *cancellable, guint timeout,
                             guint64 body_size, guint slack, GError **error);
void box_watchdog_end (BoxWatchdog *self);

/* The connection to look at. NULL: there is none. */
void box_watchdog_set_socket (BoxWatchdog *self, GSocket *socket);

/* As box_patience_enter(), box_patience_written() and box_patience_rest(). */
void box_watchdog_enter (BoxWatchdog *self, BoxPhase phase);
void box_watchdog_written (BoxWatchdog *self);
void box_watchdog_rest (BoxWatchdog *self, gint64 duration);

/* Why it has cancelled, and what was waited for then. */
BoxPatienceVerdict box_watchdog_get_verdict (BoxWatchdog *self, BoxPatience *patience);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxWakeup: lets a GCancellable wake a thread that waits on a condition. Connect and disconnect
 * without the lock:
 *
 *   box_wakeup_connect (&wakeup, cancellable, &lock, &cond);
 *   g_mutex_lock (&lock);
 *   while (!done && !g_cancellable_is_cancelled (cancellable))
 *     g_cond_wait (&cond, &lock);
 *   g_mutex_unlock (&lock);
 *   box_wakeup_disconnect (&wakeup);
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  GCancellable *cancellable; /* nullable */
  GMutex *lock;
  GCond *cond;
  gulong id;
} BoxWakeup;

/* Between the two calls, cancelling @cancellable (nullable) signals @cond under @lock. Call both
 * without the lock. */
void box_wakeup_connect (BoxWakeup *wakeup, GCancellable *cancellable, GMutex *lock, GCond *cond);
void box_wakeup_disconnect (BoxWakeup *wakeup);

G_END_DECLS

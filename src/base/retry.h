/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The retry policy: how long to wait before a request that failed is tried again (pure: no clock,
 * no socket); and the waiting, which a GCancellable ends.
 */
#pragma once

#include <gio/gio.h>

#include "base/error.h"

G_BEGIN_DECLS

/* Longest Retry-After that is respected: more is a mistake. A caller that gives up earlier makes
 * one last attempt then. Seconds. */
#define BOX_RETRY_AFTER_MAX G_GINT64_CONSTANT (86400)

/**
 * box_retry_delay:
 * @attempt: number of failures of the request, from 1.
 * @error: its last failure; its Retry-After is respected.
 * @random: any number; spreads the delays of many clients.
 *
 * Microseconds to wait: Retry-After if given, and up to a quarter more, at random (up to 0.5 s at
 * least, and a minute at most; never more than BOX_RETRY_AFTER_MAX in all); else 0.5 s doubled with
 * each attempt up to 30 s, of which up to a half is taken off, at random.
 */
gint64 box_retry_delay (guint attempt, const GError *error, guint32 random);

/* @delay, of which up to a half is taken off by @random (any number): for a wait that many clients
 * begin at the same moment. */
gint64 box_retry_spread (gint64 delay, guint32 random);

/* Whether the server asked for the wait (429, Retry-After). Such a wait must not be cut short when
 * the network is back. */
gboolean box_retry_is_asked (const GError *error);

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

/* One attempt: FALSE exactly when @error is set, in the domain BOX_ERROR. */
typedef gboolean (*BoxCallFunc) (gpointer user_data, GCancellable *cancellable, GError **error);

/**
 * BoxCallPolicy:
 * @timeout: seconds after the first failure in which new attempts begin; 0: forever.
 * @retrying: (nullable): called before each wait; @delay in microseconds.
 * @user_data: for @retrying.
 */
typedef struct
{
  guint timeout;
  void (*retrying) (guint attempt, gint64 delay, const GError *reason, gpointer user_data);
  gpointer user_data;
} BoxCallPolicy;

/* Calls @function until it succeeds, fails for good, or @policy ends it; @error is the last
 * attempt's, or CANCELLED. For callers that wait in their own thread: the command line, recovery.
 * The upload engine schedules its retries instead of waiting. */
gboolean box_call (const BoxCallPolicy *policy, BoxCallFunc function, gpointer user_data,
                   GCancellable *cancellable, GError **error);

/* Waits @delay microseconds, without a file descriptor; FALSE with BOX_ERROR_CANCELLED as soon as
 * @cancellable (nullable) is cancelled. */
gboolean box_call_sleep (gint64 delay, GCancellable *cancellable, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/retry.h"

/* The first retry comes soon, because most failures are one lost connection; 30 s is long enough to
 * be no load on a server that is down, and short enough to notice its return. */
#define FIRST_DELAY   (G_USEC_PER_SEC / 2)
#define LONGEST_DELAY (30 * G_USEC_PER_SEC)

/* What random takes off a delay, as a divisor. Of a hundred clients that failed together, 54 came
 * back within one second after an outage of 10 s with a quarter, 31 with a half, 18 with all of it.
 * All of it would make the first retry no wait at all, and double the requests to a server that is
 * down. */
#define RANDOM_SHARE 2

/* The most that is added to a Retry-After. */
#define LONGEST_SPREAD (60 * G_USEC_PER_SEC)

/* A part of @width, by @random. */
static gint64
spread (gint64 width, guint32 random)
{
  return (gint64) (((guint64) width * random) >> 32);
}

gint64
box_retry_spread (gint64 delay, guint32 random)
{
  return delay - spread (delay / RANDOM_SHARE, random);
}

gint64
box_retry_delay (guint attempt, const GError *error, guint32 random)
{
  gint retry_after = box_error_get_details (error)->retry_after;
  guint doublings = attempt > 1 ? MIN (attempt - 1, 16) : 0;
  gint64 delay = MIN ((gint64) FIRST_DELAY << doublings, LONGEST_DELAY);

  /* "Retry-After: 0" says nothing about when; without this it would be a busy loop. */
  if (retry_after <= 0)
    return box_retry_spread (delay, random);
  /* All clients of an account are told the same moment. */
  delay = (gint64) MIN (retry_after, BOX_RETRY_AFTER_MAX) * G_USEC_PER_SEC;
  return MIN (delay + spread (CLAMP (delay / 4, FIRST_DELAY, LONGEST_SPREAD), random),
              (gint64) BOX_RETRY_AFTER_MAX * G_USEC_PER_SEC);
}

gboolean
box_retry_is_asked (const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);

  return details->retry_after > 0 || details->http_status == 429;
}

/* Takes the lock, so that the signal cannot fall between a waiter's check and its wait. */
static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  BoxWakeup *wakeup = user_data;

  g_mutex_lock (wakeup->lock);
  g_cond_broadcast (wakeup->cond);
  g_mutex_unlock (wakeup->lock);
}

void
box_wakeup_connect (BoxWakeup *wakeup, GCancellable *cancellable, GMutex *lock, GCond *cond)
{
  wakeup->cancellable = cancellable;
  wakeup->lock = lock;
  wakeup->cond = cond;
  wakeup->id = 0;
  if (cancellable != NULL)
    wakeup->id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), wakeup, NULL);
}

void
box_wakeup_disconnect (BoxWakeup *wakeup)
{
  if (wakeup->cancellable != NULL)
    g_cancellable_disconnect (wakeup->cancellable, wakeup->id);
}

gboolean
box_call_sleep (gint64 delay, GCancellable *cancellable, GError **error)
{
  gint64 until = g_get_monotonic_time () + delay;
  gboolean over = delay <= 0;
  BoxWakeup wakeup;
  GMutex lock;
  GCond cond;

  g_mutex_init (&lock);
  g_cond_init (&cond);
  box_wakeup_connect (&wakeup, cancellable, &lock, &cond);
  g_mutex_lock (&lock);
  while (!over && !g_cancellable_is_cancelled (cancellable))
    over = !g_cond_wait_until (&cond, &lock, until);
  g_mutex_unlock (&lock);
  box_wakeup_disconnect (&wakeup);
  g_mutex_clear (&lock);
  g_cond_clear (&cond);

  if (!g_cancellable_is_cancelled (cancellable))
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Interrupted");
  return FALSE;
}

/* Whether @failure ends the call, @elapsed microseconds after the first one. */
static gboolean
is_final (const BoxCallPolicy *policy, const GError *failure, gint64 elapsed)
{
  if (!box_error_is_transient (failure))
    return TRUE;
  return policy->timeout > 0 && elapsed >= (gint64) policy->timeout * G_USEC_PER_SEC;
}

gboolean
box_call (const BoxCallPolicy *policy, BoxCallFunc function, gpointer user_data,
          GCancellable *cancellable, GError **error)
{
  gint64 first_failure = 0;

  for (guint attempt = 1;; attempt++)
    {
      g_autoptr (GError) failure = NULL;
      gint64 now, delay;

      if (function (user_data, cancellable, &failure))
        return TRUE;
      now = g_get_monotonic_time ();
      if (first_failure == 0)
        first_failure = now;
      delay = box_retry_delay (attempt, failure, g_random_int ());
      if (is_final (policy, failure, now + delay - first_failure))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      if (policy->retrying != NULL)
        policy->retrying (attempt, delay, failure, policy->user_data);
      if (!box_call_sleep (delay, cancellable, error))
        return FALSE;
    }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/call.h"

#include "base/retry.h"

/* g_poll() takes milliseconds in an int; a longer wait is several. */
#define SLEEP_STEP_MS G_TIME_SPAN_HOUR / 1000

gboolean
box_call_sleep (gint64 delay, GCancellable *cancellable, GError **error)
{
  gint64 until = g_get_monotonic_time () + delay;
  gint64 left = delay;
  GPollFD fd;
  gboolean has_fd = cancellable != NULL && g_cancellable_make_pollfd (cancellable, &fd);

  while (left > 0 && !g_cancellable_is_cancelled (cancellable))
    {
      g_poll (has_fd ? &fd : NULL, has_fd ? 1 : 0, (gint) MIN (left / 1000 + 1, SLEEP_STEP_MS));
      left = until - g_get_monotonic_time ();
    }
  if (has_fd)
    g_cancellable_release_fd (cancellable);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/retry.h"

#include "base/error.h"

/* The first retry comes soon, because most failures are one lost connection; 30 s is long enough to
 * be no load on a server that is down, and short enough to notice its return. */
#define FIRST_DELAY   (G_USEC_PER_SEC / 2)
#define LONGEST_DELAY (30 * G_USEC_PER_SEC)

gint64
box_retry_delay (guint attempt, const GError *error, guint32 random)
{
  gint retry_after = box_error_get_details (error)->retry_after;
  guint doublings = attempt > 1 ? MIN (attempt - 1, 16) : 0;
  gint64 delay = MIN ((gint64) FIRST_DELAY << doublings, LONGEST_DELAY);

  /* "Retry-After: 0" says nothing about when; without this it would be a busy loop. */
  if (retry_after > 0)
    return (gint64) MIN (retry_after, BOX_RETRY_AFTER_MAX) * G_USEC_PER_SEC;
  return delay - (gint64) (((guint64) (delay / 4) * random) >> 32);
}

gboolean
box_retry_is_asked (const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);

  return details->retry_after > 0 || details->http_status == 429;
}

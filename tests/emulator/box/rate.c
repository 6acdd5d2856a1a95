/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/rate.h"

void
emu_rate_init (EmuRate *rate, guint64 bytes_per_second)
{
  g_mutex_init (&rate->lock);
  rate->rate = bytes_per_second;
  rate->free_at = 0;
}

void
emu_rate_clear (EmuRate *rate)
{
  g_mutex_clear (&rate->lock);
}

void
emu_rate_set (EmuRate *rate, guint64 bytes_per_second)
{
  g_mutex_lock (&rate->lock);
  rate->rate = bytes_per_second;
  rate->free_at = 0;
  g_mutex_unlock (&rate->lock);
}

gint64
emu_rate_take (EmuRate *rate, gsize bytes)
{
  gint64 now = g_get_monotonic_time ();
  gint64 wait = 0;

  g_mutex_lock (&rate->lock);
  if (rate->rate > 0)
    {
      rate->free_at =
          MAX (rate->free_at, now) + (gint64) (bytes * (gdouble) G_USEC_PER_SEC / rate->rate);
      wait = rate->free_at - now;
    }
  g_mutex_unlock (&rate->lock);
  return wait;
}

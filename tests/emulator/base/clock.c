/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/base/clock.h"

void
emu_clock_init (EmuClock *clock, gint64 offset_seconds)
{
  g_mutex_init (&clock->lock);
  clock->offset = offset_seconds * G_USEC_PER_SEC;
}

void
emu_clock_clear (EmuClock *clock)
{
  g_mutex_clear (&clock->lock);
}

gint64
emu_clock_now (EmuClock *clock)
{
  gint64 offset;

  g_mutex_lock (&clock->lock);
  offset = clock->offset;
  g_mutex_unlock (&clock->lock);
  return g_get_real_time () + offset;
}

void
emu_clock_advance (EmuClock *clock, gint64 seconds)
{
  g_mutex_lock (&clock->lock);
  clock->offset += seconds * G_USEC_PER_SEC;
  g_mutex_unlock (&clock->lock);
}

char *
emu_time_to_string (gint64 time)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);

  return g_date_time_format (when, "%Y-%m-%dT%H:%M:%SZ");
}

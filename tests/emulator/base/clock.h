/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuClock: the emulator's idea of the time, which tests can move, and how Box writes times. Times
 * are µs since 1970.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;
  gint64 offset; /* with lock; µs against the machine's clock */
} EmuClock;

void emu_clock_init (EmuClock *clock, gint64 offset_seconds);
void emu_clock_clear (EmuClock *clock);

gint64 emu_clock_now (EmuClock *clock);
void emu_clock_advance (EmuClock *clock, gint64 seconds);

/* RFC 3339 in UTC, to the second; free with g_free(). */
char *emu_time_to_string (gint64 time);

G_END_DECLS

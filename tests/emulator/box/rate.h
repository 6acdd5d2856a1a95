/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuRate: one uplink for all connections: bytes take turns at so many a second.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;

  /* with lock */
  guint64 rate;   /* bytes a second, 0: no limit */
  gint64 free_at; /* monotonic µs when the line has sent all that was taken */
} EmuRate;

void emu_rate_init (EmuRate *rate, guint64 bytes_per_second);
void emu_rate_clear (EmuRate *rate);
void emu_rate_set (EmuRate *rate, guint64 bytes_per_second);

/* Takes @bytes; the result is how long to wait, in µs, until they are through. */
gint64 emu_rate_take (EmuRate *rate, gsize bytes);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuLimits: how many calls and uploads each user has in a minute. Pure but for its lock: the
 * caller gives the time (µs).
 *
 * Box documents the numbers, and not how it counts. Here a user's minute begins with the first call
 * after the last minute ended. All who are refused are told the same moment, which tests clients
 * hardest: they would return together. A call that is refused is not counted.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  /* immutable; a minute, 0: no limit */
  guint calls;
  guint uploads;

  GMutex lock;

  /* with lock */
  GHashTable *minutes; /* of the user's id and what it has used */
} EmuLimits;

void emu_limits_init (EmuLimits *limits, guint calls, guint uploads);
void emu_limits_clear (EmuLimits *limits);

/* Counts a call of @user, and with @upload also an upload. Nonzero: it is too many; so many seconds
 * are left of the minute, rounded up. */
guint emu_limits_take (EmuLimits *limits, const char *user, gboolean upload, gint64 now);

G_END_DECLS

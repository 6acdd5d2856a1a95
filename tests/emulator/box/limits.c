/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/limits.h"

#define MINUTE (60 * G_USEC_PER_SEC)

/* What a user has used of a minute. */
typedef struct
{
  gint64 end;
  guint calls;
  guint uploads;
} Minute;

void
emu_limits_init (EmuLimits *limits, guint calls, guint uploads)
{
  limits->calls = calls;
  limits->uploads = uploads;
  g_mutex_init (&limits->lock);
  limits->minutes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

void
emu_limits_clear (EmuLimits *limits)
{
  g_mutex_clear (&limits->lock);
  g_clear_pointer (&limits->minutes, g_hash_table_unref);
}

/* The minute of @user that is running, or a new one. */
static Minute *
get_minute_locked (EmuLimits *limits, const char *user, gint64 now)
{
  Minute *minute = g_hash_table_lookup (limits->minutes, user);

  if (minute == NULL)
    {
      minute = g_new0 (Minute, 1);
      g_hash_table_insert (limits->minutes, g_strdup (user), minute);
    }
  if (minute->end <= now)
    *minute = (Minute){ .end = now + MINUTE };
  return minute;
}

static gboolean
is_used_up (guint limit, guint used)
{
  return limit != 0 && used >= limit;
}

guint
emu_limits_take (EmuLimits *limits, const char *user, gboolean upload, gint64 now)
{
  guint left = 0;
  Minute *minute;

  if (limits->calls == 0 && limits->uploads == 0)
    return 0;
  g_mutex_lock (&limits->lock);
  minute = get_minute_locked (limits, user, now);
  if (is_used_up (limits->calls, minute->calls)
      || (upload && is_used_up (limits->uploads, minute->uploads)))
    left = (guint) ((minute->end - now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  else
    {
      minute->calls++;
      minute->uploads += upload ? 1 : 0;
    }
  g_mutex_unlock (&limits->lock);
  return left;
}

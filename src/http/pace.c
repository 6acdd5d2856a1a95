/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/pace.h"

/* Time that passed unused is credited up to this: it evens out late wake-ups. Longer would be
 * bursts that a shaped uplink drops, shorter would lose rate on a busy machine. */
#define CREDIT_NS (G_GINT64_CONSTANT (50) * 1000 * 1000)

/* Bytes are taken in slices of about this much time, so that a new rate takes effect soon. */
#define SLICE_NS       (G_GINT64_CONSTANT (100) * 1000 * 1000)
#define SMALLEST_SLICE 512

#define NS_PER_SEC (G_GINT64_CONSTANT (1000) * 1000 * 1000)

struct _BoxPace
{
  gatomicrefcount ref_count;
  gboolean alone; /* immutable: it does not keep to the rate of the process */

  /* with lock */
  GMutex lock;
  guint64 rate;   /* bytes per second, 0: no limit */
  gint64 free_at; /* monotonic, nanoseconds: when all bytes taken so far have left */
};

BoxPace *
box_pace_new (guint64 rate)
{
  BoxPace *pace = box_pace_new_alone (rate);

  pace->alone = FALSE;
  return pace;
}

BoxPace *
box_pace_new_alone (guint64 rate)
{
  BoxPace *pace = g_new0 (BoxPace, 1);

  g_atomic_ref_count_init (&pace->ref_count);
  g_mutex_init (&pace->lock);
  pace->rate = rate;
  pace->alone = TRUE;
  return pace;
}

BoxPace *
box_pace_ref (BoxPace *pace)
{
  g_atomic_ref_count_inc (&pace->ref_count);
  return pace;
}

void
box_pace_unref (BoxPace *pace)
{
  if (!g_atomic_ref_count_dec (&pace->ref_count))
    return;
  g_mutex_clear (&pace->lock);
  g_free (pace);
}

void
box_pace_set_rate (BoxPace *pace, guint64 rate)
{
  g_mutex_lock (&pace->lock);
  pace->rate = rate;
  pace->free_at = 0;
  g_mutex_unlock (&pace->lock);
}

static gint64
take_own (BoxPace *pace, gsize n, gint64 now)
{
  gint64 now_ns = now * 1000;
  gint64 wait = 0;

  g_mutex_lock (&pace->lock);
  if (pace->rate > 0)
    {
      double duration = (double) n * (double) NS_PER_SEC / (double) pace->rate;

      pace->free_at = MAX (pace->free_at, now_ns - CREDIT_NS);
      wait = MAX (pace->free_at - now_ns, 0) / 1000;
      pace->free_at += (gint64) MIN (duration, (double) (3600 * NS_PER_SEC));
    }
  g_mutex_unlock (&pace->lock);
  return wait;
}

gint64
box_pace_take (BoxPace *pace, gsize n, gint64 now)
{
  g_autoptr (BoxPace) process = pace->alone ? NULL : box_process_rate_get (now);
  gint64 own = take_own (pace, n, now);
  gint64 common = process != NULL ? take_own (process, n, now) : 0;

  return MAX (own, common);
}

static gsize
slice_own (BoxPace *pace, gsize n)
{
  guint64 rate;

  g_mutex_lock (&pace->lock);
  rate = pace->rate;
  g_mutex_unlock (&pace->lock);

  if (rate == 0 || rate >= (guint64) n * (NS_PER_SEC / SLICE_NS))
    return n;
  return MIN (n, MAX ((gsize) (rate / (NS_PER_SEC / SLICE_NS)), SMALLEST_SLICE));
}

gsize
box_pace_slice (BoxPace *pace, gsize n)
{
  g_autoptr (BoxPace) process = pace->alone ? NULL : box_process_rate_get (g_get_monotonic_time ());

  n = slice_own (pace, n);
  return process != NULL ? slice_own (process, n) : n;
}

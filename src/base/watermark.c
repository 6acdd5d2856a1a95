/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/watermark.h"

/* Marks that are kept. At this number those that say little are removed; a few hundred stay. */
#define MOST_MARKS 1024

/* The distance of old marks, as a part of their age. */
#define FINENESS 20

/* Rates are means over about this time, seconds. */
#define RATE_TIME 15.0

/* Looks closer than this are one. Microseconds. */
#define LOOK_INTERVAL (G_USEC_PER_SEC / 2)

/* Rates over less than this say nothing about what will be: a burst, as the start of a recording
 * is, would be taken for the rule. Microseconds. */
#define LEAST_HISTORY ((gint64) RATE_TIME * G_USEC_PER_SEC)

/* Less than this (bytes per second) fills nothing. */
#define LEAST_RATE 1.0

/* Longer than this is never: a year, in seconds. */
#define LONGEST (365.0 * 86400.0)

typedef struct
{
  guint64 offset;
  gint64 time; /* of the stream; -1: not known */
  gint64 at;
} Mark;

struct _BoxWatermark
{
  GArray *marks; /* of Mark, by offset */
};

BoxWatermark *
box_watermark_new (void)
{
  BoxWatermark *watermark = g_new0 (BoxWatermark, 1);

  watermark->marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  return watermark;
}

void
box_watermark_free (BoxWatermark *watermark)
{
  g_array_unref (watermark->marks);
  g_free (watermark);
}

static Mark *
mark_at (const BoxWatermark *watermark, guint i)
{
  return &g_array_index (watermark->marks, Mark, i);
}

/* A mark goes if those around it are still close enough for their age: what is left has geometric
 * distances, some fourteen for each doubling of the age. */
static void
thin (BoxWatermark *watermark, gint64 now)
{
  GArray *marks = watermark->marks;
  guint kept = 1;

  for (guint i = 1; i < marks->len; i++)
    {
      const Mark *last = mark_at (watermark, kept - 1), *next = mark_at (watermark, i + 1);

      if (i + 1 == marks->len || next->at - last->at > (now - next->at) / FINENESS)
        *mark_at (watermark, kept++) = *mark_at (watermark, i);
    }
  g_array_set_size (marks, kept);
}

void
box_watermark_mark (BoxWatermark *watermark, guint64 offset, gint64 time, gint64 now)
{
  GArray *marks = watermark->marks;
  Mark mark = { .offset = offset, .time = time, .at = now };

  if (marks->len > 0 && offset <= mark_at (watermark, marks->len - 1)->offset)
    return;
  if (marks->len == MOST_MARKS)
    thin (watermark, now);
  g_array_append_val (marks, mark);
}

/* The last mark that is not behind @offset; NULL: no mark is. */
static const Mark *
find (const BoxWatermark *watermark, guint64 offset)
{
  guint low = 0, high = watermark->marks->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (mark_at (watermark, middle)->offset <= offset)
        low = middle + 1;
      else
        high = middle;
    }
  return low > 0 ? mark_at (watermark, low - 1) : NULL;
}

gint64
box_watermark_get_since (const BoxWatermark *watermark, guint64 offset)
{
  const Mark *mark = find (watermark, offset);

  return mark != NULL ? mark->at : 0;
}

gint64
box_watermark_get_time (const BoxWatermark *watermark, guint64 offset)
{
  const Mark *mark = find (watermark, offset);

  return mark != NULL ? mark->time : -1;
}

static void
mix (double *rate, guint64 bytes, double seconds, double share)
{
  *rate = *rate * (1 - share) + (double) bytes / seconds * share;
}

void
box_rates_look (BoxRates *rates, gint64 now)
{
  double seconds = (double) (now - rates->at) / G_USEC_PER_SEC;
  double age = (double) (now - rates->began) / G_USEC_PER_SEC, share;

  if (rates->at != 0 && now - rates->at < LOOK_INTERVAL)
    return;
  if (rates->at == 0)
    rates->began = now;
  else
    {
      /* The plain mean, as long as that is over less. */
      share = MIN (seconds / MIN (RATE_TIME, age), 1.0);
      mix (&rates->fill, rates->filled, seconds, share);
      mix (&rates->drain, rates->drained, seconds, share);
      mix (&rates->release, rates->released, seconds, share);
    }
  rates->at = now;
  rates->filled = rates->drained = rates->released = 0;
}

gint64
box_rates_get_full_in (const BoxRates *rates, guint64 room)
{
  double rate = rates->fill - rates->release;

  if (rates->at - rates->began < LEAST_HISTORY || rate < LEAST_RATE
      || (double) room / rate > LONGEST)
    return -1;
  return (gint64) ((double) room / rate * G_USEC_PER_SEC);
}

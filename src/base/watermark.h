/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxWatermark: remembers when the bytes of a stream came, so that it can be said how old the
 * first byte is that is not safe yet, and up to which time the stream is safe.
 *
 *   bytes  0 ──────────────────┬───────────────────────► end of the stream
 *          safe, without a gap │ not safe, or not known
 *                              └ came at box_watermark_get_since(), belongs to get_time()
 *
 * BoxRates: how fast bytes come and leave, and when what holds them is full.
 *
 * Pure: the caller gives the time (monotonic, microseconds) and guards the object. Both err on the
 * safe side: a byte is rather too old than too young, and rather too little of the stream is safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Marks closer than this to the one before are of no use. Microseconds. */
#define BOX_WATERMARK_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)

typedef struct _BoxWatermark BoxWatermark;

BoxWatermark *box_watermark_new (void);
void box_watermark_free (BoxWatermark *watermark);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxWatermark, box_watermark_free)

/* The byte at @offset comes at @now, and belongs to @time of the stream (microseconds; -1: not
 * known). Ignored unless it is behind all that are marked. Memory is bounded: of old marks fewer
 * are kept than of young ones. */
void box_watermark_mark (BoxWatermark *watermark, guint64 offset, gint64 time, gint64 now);

/* When the byte at @offset came; 0: nothing has come. */
gint64 box_watermark_get_since (const BoxWatermark *watermark, guint64 offset);

/* The time of the stream up to which its first @offset bytes reach; -1: not known. */
gint64 box_watermark_get_time (const BoxWatermark *watermark, guint64 offset);

/* Means over about 15 s, bytes per second. All zero at the beginning. */
typedef struct
{
  double fill;    /* bytes that came */
  double drain;   /* bytes that became safe */
  double release; /* of them, bytes whose room is free again soon, because their file is whole */
  gint64 began;   /* the first look */
  gint64 at;      /* the last one; 0: none yet */
  guint64 filled; /* since then, as the next two */
  guint64 drained;
  guint64 released;
} BoxRates;

/* Mixes what was added to filled, drained and released since the last look into the rates. Looks in
 * quick succession are one. */
void box_rates_look (BoxRates *rates, gint64 now);

/* Microseconds until @room bytes are used up at these rates; -1: never, or not known yet: the rates
 * have to be as old as the time that they are means of. */
gint64 box_rates_get_full_in (const BoxRates *rates, guint64 room);

G_END_DECLS

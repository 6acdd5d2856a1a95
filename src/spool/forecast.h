/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxForecast: when a spool will be full. All who record to the same directory in this process
 * share one, because they fill the same disk.
 *
 *   forecast = box_forecast_take (path);
 *   box_forecast_note (forecast, filled, drained, released);   // since the last time
 *   left = box_forecast_look (forecast, room, now);
 *   box_forecast_give_back (forecast);
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _BoxForecast BoxForecast;

/* The one of the directory @path. */
BoxForecast *box_forecast_take (const char *path);
void box_forecast_give_back (BoxForecast *forecast);

/* Bytes that came, that became safe at Box, and that became so of recordings whose stream is over:
 * only their room is free again soon. */
void box_forecast_note (BoxForecast *forecast, guint64 filled, guint64 drained, guint64 released);

/* Microseconds until @room bytes are used up; -1: never, at the rates of today. @now: monotonic. */
gint64 box_forecast_look (BoxForecast *forecast, guint64 room, gint64 now);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a delivery's bytes are safe at Box, and the event that says so while some are not.
 * delivery/ticker.c keeps the time for it. */
#include "delivery/state.h"

/* --- How far ---------------------------------------------------------------------------------- */

/* What Box has acknowledged. */
typedef struct
{
  guint64 total; /* bytes that there are */
  guint64 acked;
  guint64 in_order; /* of those, from the start and without a gap */
  guint64 padding;  /* at the end of the total */
} Reach;

/* While it is not known what Box has, it has what it had. */
static Reach
reach_locked (BoxDelivery *delivery)
{
  BoxUploadStats stats = { .in_doubt = TRUE };
  Reach reach = { .total = delivery->left_size, .padding = delivery->reached.padding };

  if (delivery->recording != NULL)
    reach.total = box_recording_get_size (delivery->recording);
  if (delivery->upload != NULL)
    box_upload_get_stats (delivery->upload, &stats);
  else if (delivery->live != NULL)
    box_live_get_stats (delivery->live, &stats);
  else if (delivery->ahead != NULL)
    reach.acked = box_ahead_get_bytes (delivery->ahead, &reach.in_order);
  reach.total = MAX (MAX (reach.total, stats.bytes_received), delivery->reached.total);
  reach.padding = MAX (reach.padding, stats.bytes_padding);
  if (delivery->facts.committed)
    reach.acked = reach.in_order = reach.total;
  else if (delivery->upload != NULL || delivery->ahead == NULL)
    {
      reach.acked = stats.in_doubt ? delivery->reached.acked : stats.bytes_uploaded;
      reach.in_order = stats.in_doubt ? delivery->reached.in_order : stats.bytes_in_order;
    }
  reach.acked = MIN (MAX (reach.acked, reach.in_order), reach.total);
  reach.in_order = MIN (reach.in_order, reach.total);
  return reach;
}

static guint64
growth (guint64 before, guint64 now)
{
  return now > before ? now - before : 0;
}

/* Adds the bytes that came and left since the last look to the rates. */
static void
count_locked (BoxDelivery *delivery, const Reach *reach, gint64 now)
{
  guint64 filled = growth (delivery->reached.total, reach->total);
  guint64 drained = growth (delivery->reached.acked, reach->acked);

  delivery->rates.filled += filled;
  delivery->rates.drained += drained;
  box_rates_look (&delivery->rates, now);
  if (delivery->spool != NULL)
    box_forecast_note (box_spool_get_forecast (delivery->spool), filled, drained,
                       delivery->facts.finished ? drained : 0);
  delivery->reached.total = reach->total;
  delivery->reached.acked = reach->acked;
  delivery->reached.in_order = reach->in_order;
  delivery->reached.padding = reach->padding;
}

static void
look_locked (BoxDelivery *delivery, BoxPosition *position)
{
  gint64 now = g_get_monotonic_time (), since = 0;
  Reach reach = reach_locked (delivery);

  count_locked (delivery, &reach, now);
  *position = (BoxPosition){
    .bytes = reach.total,
    .safe = reach.in_order,
    .safe_time = -1,
    .backlog = reach.total - reach.acked,
    .fill_rate = (guint64) delivery->rates.fill,
    .drain_rate = (guint64) delivery->rates.drain,
    .full_in = delivery->full_in,
  };
  if (delivery->marks != NULL)
    {
      since = box_watermark_get_since (delivery->marks, reach.in_order);
      position->safe_time = box_watermark_get_time (delivery->marks, reach.in_order);
    }
  if (reach.in_order + reach.padding < reach.total)
    position->oldest_unsafe = MAX (now - (since != 0 ? since : delivery->begun), 1);
}

void
box_delivery_get_position (BoxDelivery *delivery, BoxPosition *position)
{
  g_mutex_lock (&delivery->lock);
  look_locked (delivery, position);
  g_mutex_unlock (&delivery->lock);
}

void
box_delivery_look_ahead (BoxDelivery *delivery)
{
  gint64 full_in;

  if (delivery->spool == NULL)
    return;
  box_delivery_check_place (delivery);
  full_in = box_forecast_look (box_spool_get_forecast (delivery->spool),
                               box_spool_get_room (delivery->spool), g_get_monotonic_time ());
  g_mutex_lock (&delivery->lock);
  delivery->full_in = full_in;
  g_mutex_unlock (&delivery->lock);
}

/* --- The event -------------------------------------------------------------------------------- */

gboolean
box_delivery_tell_how_far (BoxDelivery *delivery)
{
  BoxPosition position;
  gboolean unsafe, tell;

  g_mutex_lock (&delivery->lock);
  look_locked (delivery, &position);
  unsafe = position.backlog > 0 && !delivery->closed && !delivery->ending;
  tell = unsafe || (delivery->unsafe_told && !delivery->closed && !delivery->ending);
  delivery->unsafe_told = unsafe;
  delivery->positioner = tell ? g_thread_self () : NULL;
  g_mutex_unlock (&delivery->lock);
  if (!tell)
    return unsafe;
  box_delivery_tell_position (delivery, &position);
  g_mutex_lock (&delivery->lock);
  delivery->positioner = NULL;
  g_cond_broadcast (&delivery->changed);
  g_mutex_unlock (&delivery->lock);
  return unsafe;
}

/* --- The producer ----------------------------------------------------------------------------- */

void
box_delivery_set_time (BoxDelivery *delivery, gint64 time)
{
  delivery->running_time = time;
}

void
box_delivery_mark (BoxDelivery *delivery, guint64 offset)
{
  gint64 now = g_get_monotonic_time ();
  gint64 advanced = ABS (delivery->running_time - delivery->marked_time);

  if (delivery->marks == NULL
      || (delivery->marked_at != 0 && now - delivery->marked_at < BOX_WATERMARK_INTERVAL
          && advanced < BOX_WATERMARK_INTERVAL))
    return;
  g_mutex_lock (&delivery->lock);
  if (delivery->marked_at == 0)
    box_rates_look (&delivery->rates, now);
  box_watermark_mark (delivery->marks, offset, delivery->running_time, now);
  g_mutex_unlock (&delivery->lock);
  delivery->marked_at = now;
  delivery->marked_time = delivery->running_time;
}

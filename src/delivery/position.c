/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a delivery's bytes are safe at Box, and the event that says so once a second while some
 * are not. The workers keep the time for it, as for the steps of uploads: there is no thread and,
 * while nothing is unsafe, no timer. */
#include "delivery/state.h"
#include "upload/workers.h"

#define INTERVAL G_USEC_PER_SEC

/* Ticks of the process in a second, at most. Each is a step that the workers choose among all, so
 * that one a second for each of thousands that wait for their upload would leave no time for it. */
#define TICKS 100

struct _BoxTicker
{
  BoxTask task; /* first: a task is its ticker */
  gatomicrefcount refs;

  /* with the workers' lock */
  BoxDelivery *delivery; /* NULL: closed */
  gint64 due;            /* monotonic; G_MAXINT64: it rests */
  GThread *runner;       /* is in the tick; nullable */
  GCond changed;

  /* atomic */
  gboolean armed; /* a tick will come */
};

static guint n_tickers; /* with the workers' lock */

/* --- How far ---------------------------------------------------------------------------------- */

/* What Box has acknowledged. */
typedef struct
{
  guint64 total; /* bytes that there are */
  guint64 acked;
  guint64 in_order; /* of those, from the start and without a gap */
} Reach;

/* While it is not known what Box has, it has what it had. */
static Reach
reach_locked (BoxDelivery *delivery)
{
  BoxUploadStats stats = { .in_doubt = TRUE };
  Reach reach = { .total = delivery->left_size };

  if (delivery->recording != NULL)
    reach.total = box_recording_get_size (delivery->recording);
  if (delivery->upload != NULL)
    box_upload_get_stats (delivery->upload, &stats);
  else if (delivery->live != NULL)
    box_live_get_stats (delivery->live, &stats);
  else if (delivery->ahead != NULL)
    reach.acked = box_ahead_get_bytes (delivery->ahead, &reach.in_order);
  reach.total = MAX (MAX (reach.total, stats.bytes_received), delivery->reached.total);
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

/* What came and left since the last look goes into the rates. */
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
  if (reach.in_order < reach.total)
    position->oldest_unsafe = MAX (now - (since != 0 ? since : delivery->begun), 1);
}

void
box_delivery_get_position (BoxDelivery *delivery, BoxPosition *position)
{
  g_mutex_lock (&delivery->lock);
  look_locked (delivery, position);
  g_mutex_unlock (&delivery->lock);
}

/* The disk is asked by a worker, without a lock; nobody waits for it. */
static void
forecast (BoxDelivery *delivery)
{
  gint64 full_in;

  if (delivery->spool == NULL)
    return;
  full_in = box_forecast_look (box_spool_get_forecast (delivery->spool),
                               box_spool_get_room (delivery->spool), g_get_monotonic_time ());
  g_mutex_lock (&delivery->lock);
  delivery->full_in = full_in;
  g_mutex_unlock (&delivery->lock);
}

/* --- The event -------------------------------------------------------------------------------- */

/* Whether something is unsafe. Told while it is, and once when it is not any more. */
static gboolean
tick (BoxDelivery *delivery)
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

/* --- The task --------------------------------------------------------------------------------- */

static void
arm_locked (BoxTicker *ticker, gint64 now)
{
  g_atomic_int_set (&ticker->armed, TRUE);
  ticker->due = MIN (ticker->due, now + MAX (INTERVAL, n_tickers * (INTERVAL / TICKS)));
}

static gboolean
task_ready_locked (BoxTask *task, gint64 now, BoxTurn *turn, gint64 *wake_at)
{
  BoxTicker *ticker = (BoxTicker *) task;
  gint64 due = ticker->delivery != NULL ? ticker->due : 0;

  *turn = (BoxTurn){ .rank = BOX_RANK_CONTROL, .since = due };
  *wake_at = due;
  return due <= now;
}

static gboolean
task_run_locked (BoxTask *task, BoxTransport *transport, gint64 now)
{
  BoxTicker *ticker = (BoxTicker *) task;
  BoxDelivery *delivery = ticker->delivery;
  gboolean unsafe = FALSE;

  if (delivery == NULL)
    return FALSE;
  box_delivery_ref (delivery);
  ticker->due = G_MAXINT64;
  box_workers_continue_locked ();
  g_mutex_unlock (box_workers_lock ());
  forecast (delivery);
  g_mutex_lock (box_workers_lock ());
  if (ticker->delivery != NULL)
    {
      ticker->runner = g_thread_self ();
      /* Bytes that come from now on may not be seen by this tick. */
      g_atomic_int_set (&ticker->armed, FALSE);
      g_mutex_unlock (box_workers_lock ());
      unsafe = tick (delivery);
      g_mutex_lock (box_workers_lock ());
      ticker->runner = NULL;
      g_cond_broadcast (&ticker->changed);
    }
  if (unsafe)
    arm_locked (ticker, now);
  g_mutex_unlock (box_workers_lock ());
  box_delivery_unref (delivery);
  g_mutex_lock (box_workers_lock ());
  return ticker->delivery != NULL;
}

static void
task_ref (BoxTask *task)
{
  g_atomic_ref_count_inc (&((BoxTicker *) task)->refs);
}

static void
task_unref (BoxTask *task)
{
  BoxTicker *ticker = (BoxTicker *) task;

  if (!g_atomic_ref_count_dec (&ticker->refs))
    return;
  g_cond_clear (&ticker->changed);
  g_free (ticker);
}

static const BoxTaskClass task_class = {
  .ready_locked = task_ready_locked,
  .run_locked = task_run_locked,
  .ref = task_ref,
  .unref = task_unref,
};

/* Without a worker to be had there is nobody to tell the time. */
static void
begin_to_tick (BoxDelivery *delivery)
{
  BoxTicker *ticker = g_new0 (BoxTicker, 1);
  g_autoptr (GError) error = NULL;

  ticker->task.klass = &task_class;
  g_atomic_ref_count_init (&ticker->refs);
  g_cond_init (&ticker->changed);
  ticker->delivery = delivery;
  ticker->due = G_MAXINT64;
  delivery->ticker = ticker;
  g_mutex_lock (box_workers_lock ());
  n_tickers++;
  arm_locked (ticker, g_get_monotonic_time ());
  if (!box_workers_add_locked (&ticker->task, &error))
    g_info ("How far it is will not be reported: %s", error->message);
  g_mutex_unlock (box_workers_lock ());
}

void
box_delivery_stop_ticking (BoxDelivery *delivery)
{
  BoxTicker *ticker = g_steal_pointer (&delivery->ticker);

  if (ticker == NULL)
    return;
  g_mutex_lock (box_workers_lock ());
  ticker->delivery = NULL;
  n_tickers--;
  box_workers_wake_locked (&ticker->task);
  while (ticker->runner != NULL && ticker->runner != g_thread_self ())
    g_cond_wait (&ticker->changed, box_workers_lock ());
  g_mutex_unlock (box_workers_lock ());
  task_unref (&ticker->task);
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

void
box_delivery_wake_ticker (BoxDelivery *delivery)
{
  BoxTicker *ticker = delivery->ticker;

  if (delivery->events.position == NULL)
    return;
  if (ticker == NULL)
    begin_to_tick (delivery);
  else if (!g_atomic_int_get (&ticker->armed))
    {
      g_mutex_lock (box_workers_lock ());
      arm_locked (ticker, g_get_monotonic_time ());
      box_workers_wake_locked (&ticker->task);
      g_mutex_unlock (box_workers_lock ());
    }
}

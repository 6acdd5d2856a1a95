/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process's ticker: once a second it goes round all deliveries that have unsafe bytes, and each
 * reports how far it is. It is one task of the workers: there is no thread for it, one timer
 * whatever the number of deliveries, and no timer while nothing is unsafe.
 *
 * One worker goes round. If it takes longer than until the next round, because an event does not
 * return, or a disk does not answer, another worker takes over the rest of the round, and the
 * delivery that is waited for is left out until then.
 */
#include "delivery/state.h"
#include "upload/workers.h"

#define INTERVAL G_USEC_PER_SEC

/* Events of the process in a second, at most: thousands of recordings that wait for their upload
 * would leave a worker no time for anything else. */
#define TICKS 100

/* with the workers' lock */
static struct
{
  BoxTask task;
  GPtrArray *deliveries; /* whose bytes were unsafe at some time; not owned */
  gboolean goes_round;
  guint next;      /* of them, in the round */
  guint n_rounds;  /* begun */
  guint n_workers; /* that have begun a round, or taken one over: the last one goes round */
  gint64 due;      /* when one does it again, monotonic; G_MAXINT64: none */
  GCond changed;   /* a worker has left a delivery's event */
} ticker = { .due = G_MAXINT64 };

/* --- A round ---------------------------------------------------------------------------------- */

static gint64
get_interval_locked (void)
{
  return MAX (INTERVAL, (gint64) ticker.deliveries->len * (INTERVAL / TICKS));
}

static void
arm_locked (BoxDelivery *delivery)
{
  g_atomic_int_set (&delivery->armed, TRUE);
  ticker.due = MIN (ticker.due, g_get_monotonic_time () + get_interval_locked ());
}

/* Closing the delivery waits for its event, but not for the disk. */
static void
look_at_locked (BoxDelivery *delivery)
{
  gboolean unsafe = FALSE;

  box_delivery_ref (delivery);
  delivery->ticked = TRUE;
  g_mutex_unlock (box_workers_lock ());
  box_delivery_look_ahead (delivery);
  g_mutex_lock (box_workers_lock ());
  if (delivery->ticks)
    {
      delivery->ticker = g_thread_self ();
      /* Bytes that come from now on may not be seen by this look. */
      g_atomic_int_set (&delivery->armed, FALSE);
      g_mutex_unlock (box_workers_lock ());
      unsafe = box_delivery_tell_how_far (delivery);
      g_mutex_lock (box_workers_lock ());
      delivery->ticker = NULL;
      g_cond_broadcast (&ticker.changed);
    }
  delivery->ticked = FALSE;
  if (unsafe && delivery->ticks)
    arm_locked (delivery);
  g_mutex_unlock (box_workers_lock ());
  box_delivery_unref (delivery);
  g_mutex_lock (box_workers_lock ());
}

/* The next delivery of the round; NULL: there is no other. */
static BoxDelivery *
take_next_locked (void)
{
  while (ticker.next < ticker.deliveries->len)
    {
      BoxDelivery *delivery = g_ptr_array_index (ticker.deliveries, ticker.next++);

      if (g_atomic_int_get (&delivery->armed) && !delivery->ticked)
        return delivery;
    }
  return NULL;
}

static gboolean
is_armed_locked (void)
{
  for (guint i = 0; i < ticker.deliveries->len; i++)
    {
      BoxDelivery *delivery = g_ptr_array_index (ticker.deliveries, i);

      if (g_atomic_int_get (&delivery->armed))
        return TRUE;
    }
  return FALSE;
}

static void
begin_round_locked (void)
{
  ticker.goes_round = TRUE;
  ticker.next = 0;
  ticker.n_rounds++;
}

/* Without unsafe bytes there is no other. */
static void
end_round_locked (void)
{
  ticker.goes_round = FALSE;
  if (!is_armed_locked ())
    ticker.due = G_MAXINT64;
}

/* --- The task --------------------------------------------------------------------------------- */

/* Without deliveries it is there to be dropped. */
static gboolean
task_ready_locked (BoxTask *task, gint64 now, BoxTurn *turn, gint64 *wake_at)
{
  gint64 due = ticker.deliveries->len > 0 ? ticker.due : 0;

  *turn = (BoxTurn){ .rank = BOX_RANK_CONTROL, .since = due };
  *wake_at = due;
  return due <= now;
}

static gboolean
task_run_locked (BoxTask *task, BoxTransport *transport, gint64 now)
{
  BoxDelivery *delivery;
  guint self;

  if (ticker.deliveries->len == 0)
    return FALSE;
  if (!ticker.goes_round)
    begin_round_locked ();
  self = ++ticker.n_workers;
  ticker.due = now + get_interval_locked ();
  box_workers_continue_locked ();
  while (ticker.n_workers == self && (delivery = take_next_locked ()) != NULL)
    look_at_locked (delivery);
  if (ticker.n_workers == self)
    end_round_locked ();
  return ticker.deliveries->len > 0;
}

/* It is the process's. */
static void
task_keep (BoxTask *task)
{
}

static const BoxTaskClass task_class = {
  .ready_locked = task_ready_locked,
  .run_locked = task_run_locked,
  .ref = task_keep,
  .unref = task_keep,
};

/* --- The deliveries --------------------------------------------------------------------------- */

static void
add_locked (BoxDelivery *delivery)
{
  if (ticker.deliveries == NULL)
    ticker.deliveries = g_ptr_array_new ();
  g_ptr_array_add (ticker.deliveries, delivery);
  delivery->ticks = TRUE;
}

/* If no worker can be started, no position is reported. */
static void
call_locked (void)
{
  g_autoptr (GError) error = NULL;

  ticker.task.klass = &task_class;
  if (ticker.task.listed)
    box_workers_wake_locked (&ticker.task);
  else if (!box_workers_add_locked (&ticker.task, &error))
    g_info ("How far it is will not be reported: %s", error->message);
}

void
box_delivery_wake_ticker (BoxDelivery *delivery)
{
  if (delivery->events.position == NULL || g_atomic_int_get (&delivery->armed))
    return;
  g_mutex_lock (box_workers_lock ());
  if (!delivery->ticks)
    add_locked (delivery);
  arm_locked (delivery);
  call_locked ();
  g_mutex_unlock (box_workers_lock ());
}

void
box_delivery_stop_ticking (BoxDelivery *delivery)
{
  guint index = 0;

  g_mutex_lock (box_workers_lock ());
  if (delivery->ticks && g_ptr_array_find (ticker.deliveries, delivery, &index))
    {
      g_ptr_array_remove_index (ticker.deliveries, index);
      ticker.next -= index < ticker.next ? 1 : 0;
      delivery->ticks = FALSE;
      g_atomic_int_set (&delivery->armed, FALSE);
    }
  if (ticker.task.listed && ticker.deliveries->len == 0)
    {
      ticker.due = G_MAXINT64;
      box_workers_wake_locked (&ticker.task);
    }
  while (delivery->ticker != NULL && delivery->ticker != g_thread_self ())
    g_cond_wait (&ticker.changed, box_workers_lock ());
  g_mutex_unlock (box_workers_lock ());
}

guint
box_delivery_count_rounds (void)
{
  guint n;

  g_mutex_lock (box_workers_lock ());
  n = ticker.n_rounds;
  g_mutex_unlock (box_workers_lock ());
  return n;
}

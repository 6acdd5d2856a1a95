/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The crew: the threads that do the steps of the process's deliveries. A delivery is awake while it
 * has something to do, and has one of the threads then. While only Box can end its upload it rests,
 * without a thread: an outage of hours leaves as many recordings waiting as end meanwhile.
 *
 * Steps wait for disks, for requests and for events that the application handles. So there are as
 * many threads as deliveries that are awake, and none of these waits for another one. One more
 * thread stays while any delivery rests: that one can go on when the system has no thread to give.
 */
#include "base/process.h"
#include "delivery/state.h"

static struct
{
  GMutex lock;
  GCond called; /* the spare thread is */
  GCond left;   /* a thread has left a delivery */
  /* with lock */
  GQueue waiting;   /* deliveries that are awake, and that no thread has taken yet; not owned */
  GThread *spare;   /* that has nothing to do; NULL: all are busy */
  guint n_enlisted; /* deliveries that are awake, or rest */
} crew = { .waiting = G_QUEUE_INIT };

/* --- The threads ---------------------------------------------------------------------------- */

static void
discharge_locked (BoxDelivery *delivery)
{
  if (!delivery->enlisted)
    return;
  delivery->enlisted = FALSE;
  if (--crew.n_enlisted == 0)
    g_cond_broadcast (&crew.called);
}

/* Waits for a delivery, if one may come that has no other thread. NULL: the thread ends. */
static BoxDelivery *
take_locked (void)
{
  GThread *self = g_thread_self ();

  while (crew.waiting.length == 0 && crew.n_enlisted > 0 && crew.spare == NULL)
    {
      crew.spare = self;
      while (crew.spare == self && crew.n_enlisted > 0)
        g_cond_wait (&crew.called, &crew.lock);
      if (crew.spare == self)
        crew.spare = NULL;
    }
  return g_queue_pop_head (&crew.waiting);
}

/* What has come while the thread was at its steps is done at once. When the delivery is not awake
 * any more another thread may free it. */
static void
serve_locked (BoxDelivery *delivery)
{
  BoxDeliveryShift shift;

  do
    {
      delivery->due = FALSE;
      g_mutex_unlock (&crew.lock);
      shift = box_delivery_do_steps (delivery);
      g_mutex_lock (&crew.lock);
    }
  while (shift == BOX_DELIVERY_RESTS && delivery->due);
  if (shift != BOX_DELIVERY_RESTS)
    discharge_locked (delivery);
  delivery->awake = FALSE;
  g_cond_broadcast (&crew.left);
  if (shift != BOX_DELIVERY_ORPHANED)
    return;
  g_mutex_unlock (&crew.lock);
  box_delivery_stop_upload (delivery);
  box_delivery_dispose (delivery);
  g_mutex_lock (&crew.lock);
}

static gpointer
work (gpointer unused)
{
  BoxDelivery *delivery;

  g_mutex_lock (&crew.lock);
  while ((delivery = take_locked ()) != NULL)
    serve_locked (delivery);
  g_mutex_unlock (&crew.lock);
  return NULL;
}

static gboolean
start_thread (GError **error)
{
  GThread *thread = box_process_start_thread ("box-delivery", "to upload with", work, NULL, error);

  if (thread != NULL)
    g_thread_unref (thread);
  return thread != NULL;
}

/* FALSE: the delivery waits until one of the threads is free. */
static gboolean
wake_locked (BoxDelivery *delivery, GError **error)
{
  delivery->awake = TRUE;
  g_queue_push_tail (&crew.waiting, delivery);
  if (crew.spare == NULL)
    return start_thread (error);
  crew.spare = NULL;
  g_cond_broadcast (&crew.called);
  return TRUE;
}

/* --- The deliveries ------------------------------------------------------------------------- */

static gboolean
enlist (BoxDelivery *delivery, GError **error)
{
  gboolean woken;

  g_mutex_lock (&crew.lock);
  delivery->enlisted = TRUE;
  crew.n_enlisted++;
  woken = wake_locked (delivery, error);
  if (!woken)
    {
      g_queue_remove (&crew.waiting, delivery);
      delivery->awake = FALSE;
      discharge_locked (delivery);
    }
  g_mutex_unlock (&crew.lock);
  return woken;
}

void
box_delivery_begin_steps (BoxDelivery *delivery)
{
  GError *error = NULL;

  g_mutex_lock (&delivery->lock);
  delivery->threaded = TRUE;
  g_mutex_unlock (&delivery->lock);
  if (enlist (delivery, &error))
    return;
  g_mutex_lock (&delivery->lock);
  delivery->threaded = FALSE;
  g_mutex_unlock (&delivery->lock);
  box_delivery_break (delivery, error);
}

void
box_delivery_wake (gpointer data)
{
  BoxDelivery *delivery = data;

  g_mutex_lock (&crew.lock);
  delivery->due = TRUE;
  if (delivery->enlisted && !delivery->awake)
    wake_locked (delivery, NULL);
  g_mutex_unlock (&crew.lock);
}

gboolean
box_delivery_leave_to_thread (BoxDelivery *delivery)
{
  g_mutex_lock (&delivery->lock);
  delivery->orphaned = delivery->self == g_thread_self ();
  g_mutex_unlock (&delivery->lock);
  return delivery->orphaned;
}

void
box_delivery_end_steps (BoxDelivery *delivery)
{
  g_mutex_lock (&crew.lock);
  if (g_queue_remove (&crew.waiting, delivery))
    delivery->awake = FALSE;
  while (delivery->awake)
    g_cond_wait (&crew.left, &crew.lock);
  discharge_locked (delivery);
  g_mutex_unlock (&crew.lock);
}

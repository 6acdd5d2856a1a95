/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload/workers.h"

#include "base/process.h"

#define DEFAULT_WORKERS 32

/* A worker that finds nothing to do for this long ends. Shorter, and a slow producer pays for a
 * thread and a TLS handshake with each part; longer, and finished uploads leave threads and
 * connections behind. Microseconds. */
#define IDLE_TIME (15 * G_USEC_PER_SEC)

/* Files that began within one such interval count as of the same age: the smaller one goes first,
 * because it is safe sooner. Microseconds. */
#define SAME_AGE (10 * G_USEC_PER_SEC)

static GMutex the_lock;

/* with the lock */
static struct
{
  GPtrArray *tasks;
  GPtrArray *idle;   /* GCond of workers that were not called yet, the one that rested least last */
  gint64 kept_until; /* when the worker that keeps the time looks again; G_MAXINT64: none does */
  guint n_threads;
  guint max_threads;
  gint64 idle_time;
} pool = { .kept_until = G_MAXINT64, .idle_time = IDLE_TIME };

GMutex *
box_workers_lock (void)
{
  return &the_lock;
}

static void
ensure_pool_locked (void)
{
  const char *text;
  guint64 n = 0;

  if (pool.tasks != NULL)
    return;
  text = g_getenv ("BOXUPLOAD_WORKERS");
  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 1, 256, &n, NULL))
    n = DEFAULT_WORKERS;
  pool.max_threads = (guint) n;
  pool.tasks = g_ptr_array_new ();
  pool.idle = g_ptr_array_new ();
}

gboolean
box_turn_precedes (const BoxTurn *a, const BoxTurn *b)
{
  gint64 age_a = a->since / SAME_AGE, age_b = b->since / SAME_AGE;

  if (a->rank != b->rank)
    return a->rank < b->rank;
  if (age_a != age_b)
    return age_a < age_b;
  if (a->size != b->size)
    return a->size < b->size;
  return a->since < b->since;
}

/* The task whose step goes first, or NULL with the time when to look again. */
static BoxTask *
choose_locked (gint64 now, gint64 *wake_at)
{
  BoxTask *chosen = NULL;
  BoxTurn first = { 0 };

  *wake_at = G_MAXINT64;
  for (guint i = 0; i < pool.tasks->len; i++)
    {
      BoxTask *task = g_ptr_array_index (pool.tasks, i);
      BoxTurn turn = { 0 };
      gint64 wake = G_MAXINT64;

      if (!task->klass->ready_locked (task, now, &turn, &wake))
        *wake_at = MIN (*wake_at, wake);
      else if (chosen == NULL || box_turn_precedes (&turn, &first))
        {
          chosen = task;
          first = turn;
        }
    }
  return chosen;
}

static gpointer work (gpointer unused);

static gboolean
start_worker_locked (GError **error)
{
  GThread *thread;

  thread = box_process_start_thread ("boxupload", "to upload with", work, NULL, error);
  if (thread == NULL)
    return FALSE;
  pool.n_threads++;
  g_thread_unref (thread);
  return TRUE;
}

guint
box_workers_get_max_locked (void)
{
  ensure_pool_locked ();
  return pool.max_threads;
}

/* Calls the one that rested least: its connection is the fastest (TCP begins anew after a rest),
 * and the others can end. */
static void
call_idle_locked (void)
{
  g_cond_signal (g_ptr_array_steal_index (pool.idle, pool.idle->len - 1));
}

/* A worker has to look at the tasks: an idle one, or a new one if the limit allows it. If no
 * thread can be made, the present workers do the task: while there are tasks there is at least one.
 */
static void
call_worker_locked (void)
{
  if (pool.idle->len > 0)
    call_idle_locked ();
  else if (pool.n_threads < pool.max_threads
           && box_process_check_descriptors (BOX_PROCESS_DESCRIPTORS_OF_WORKER,
                                             "for another recording", NULL))
    start_worker_locked (NULL);
}

static void
unref_locked (BoxTask *task)
{
  g_mutex_unlock (&the_lock);
  task->klass->unref (task);
  g_mutex_lock (&the_lock);
}

static void
drop_locked (BoxTask *task)
{
  task->listed = FALSE;
  g_ptr_array_remove_fast (pool.tasks, task);
  while (pool.tasks->len == 0 && pool.idle->len > 0)
    call_idle_locked (); /* the last worker may end now */
  unref_locked (task);
}

/* While one worker is in the last step of @task, another may find that there is nothing left to do
 * and drop it: the step has a reference of its own. */
static void
run_locked (BoxTask *task, BoxTransport *transport, gint64 now)
{
  task->klass->ref (task);
  if (!task->klass->run_locked (task, transport, now) && task->listed)
    drop_locked (task);
  unref_locked (task);
}

/* Whether a worker that has found nothing to do since @idle_since may end. The last one stays while
 * there are tasks: it keeps the time for their steps, and there may be no room for another thread
 * when they need one. */
static gboolean
may_end_locked (gint64 now, gint64 idle_since)
{
  return now - idle_since >= pool.idle_time && (pool.tasks->len == 0 || pool.idle->len > 0);
}

/* Until the worker is called, or @end. One of the idle keeps the time for the step that is due at
 * @wake_at: did all of them, each step would wake all. It is the last to be called for anything
 * else. */
static void
idle_locked (gint64 wake_at, gint64 end)
{
  gboolean keeps = wake_at < pool.kept_until;
  GCond called;

  if (keeps)
    pool.kept_until = wake_at;
  g_cond_init (&called);
  g_ptr_array_insert (pool.idle, keeps ? 0 : -1, &called);
  if (!keeps && end == G_MAXINT64)
    g_cond_wait (&called, &the_lock);
  else
    g_cond_wait_until (&called, &the_lock, keeps ? MIN (wake_at, end) : end);
  g_ptr_array_remove (pool.idle, &called);
  g_cond_clear (&called);
  if (keeps && pool.kept_until == wake_at)
    pool.kept_until = G_MAXINT64;
}

/* This worker is busy from now on: another one keeps the time for the step that is due at
 * @wake_at. */
static void
leave_time_locked (gint64 wake_at)
{
  if (wake_at < pool.kept_until && pool.idle->len > 0)
    call_idle_locked ();
}

/* A worker looks at the tasks after each wait, also after one that nobody ended, and ends itself
 * only under the same lock: who called it while its time was over has called nobody else. */
static gpointer
work (gpointer unused)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  gint64 idle_since = 0;

  g_mutex_lock (&the_lock);
  while (TRUE)
    {
      gint64 now = g_get_monotonic_time (), wake_at;
      BoxTask *task = choose_locked (now, &wake_at);

      if (task != NULL)
        {
          idle_since = 0;
          leave_time_locked (wake_at);
          run_locked (task, transport, now);
          continue;
        }
      if (idle_since == 0)
        idle_since = now;
      if (may_end_locked (now, idle_since))
        {
          /* This one may be the only one that knew when the next step is due. */
          if (pool.idle->len > 0)
            call_idle_locked ();
          break;
        }
      idle_locked (wake_at,
                   now - idle_since < pool.idle_time ? idle_since + pool.idle_time : G_MAXINT64);
    }
  pool.n_threads--;
  g_mutex_unlock (&the_lock);
  return NULL;
}

gboolean
box_workers_add_locked (BoxTask *task, GError **error)
{
  g_return_val_if_fail (!task->listed, FALSE);
  ensure_pool_locked ();
  if (!box_process_check_descriptors (BOX_PROCESS_DESCRIPTORS_OF_WORKER, "for another recording",
                                      error)
      || (pool.n_threads == 0 && !start_worker_locked (error)))
    return FALSE;
  task->klass->ref (task);
  task->listed = TRUE;
  g_ptr_array_add (pool.tasks, task);
  box_workers_wake_locked (task);
  return TRUE;
}

void
box_workers_wake_locked (BoxTask *task)
{
  gint64 wake_at = G_MAXINT64;
  BoxTurn turn;

  if (task->listed
      && (task->klass->ready_locked (task, g_get_monotonic_time (), &turn, &wake_at)
          || wake_at < pool.kept_until))
    call_worker_locked ();
}

void
box_workers_continue_locked (void)
{
  gint64 wake_at;

  if (choose_locked (g_get_monotonic_time (), &wake_at) != NULL || wake_at < pool.kept_until)
    call_worker_locked ();
}

guint
box_workers_count (void)
{
  guint n;

  g_mutex_lock (&the_lock);
  n = pool.n_threads;
  g_mutex_unlock (&the_lock);
  return n;
}

void
box_workers_set_idle_time (gint64 idle_time)
{
  g_mutex_lock (&the_lock);
  pool.idle_time = idle_time;
  g_mutex_unlock (&the_lock);
}

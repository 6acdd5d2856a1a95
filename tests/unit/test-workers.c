/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload/workers.h"

/* A task with a number of equal steps; each runs until it is let go. */
typedef struct
{
  BoxTask task;
  BoxRank rank;
  gint64 since;
  guint left; /* steps not begun */
  guint running;
  guint most_running;
  guint parallel;
  gboolean hold; /* steps wait until this is FALSE */
  gint64 not_before;
  gint64 interval; /* from one step to the next */
  guint looks;     /* how often workers have looked at it */
  GArray *log;     /* nullable: of guint, shared by tasks: who began a step */
  guint number;
  guint refs;
  GCond changed;
} Steps;

static gboolean
steps_ready_locked (BoxTask *task, gint64 now, BoxTurn *turn, gint64 *wake_at)
{
  Steps *s = (Steps *) task;

  *turn = (BoxTurn){ .rank = s->rank, .since = s->since };
  *wake_at = G_MAXINT64;
  s->looks++;
  if (s->left == 0)
    return s->running == 0;
  if (s->not_before > now)
    {
      *wake_at = s->not_before;
      return FALSE;
    }
  return s->running < s->parallel;
}

static gboolean
steps_run_locked (BoxTask *task, BoxTransport *transport, gint64 now)
{
  Steps *s = (Steps *) task;

  if (s->left == 0)
    return FALSE;
  s->left--;
  s->running++;
  s->not_before = s->interval > 0 ? now + s->interval : s->not_before;
  s->most_running = MAX (s->most_running, s->running);
  if (s->log != NULL)
    g_array_append_val (s->log, s->number);
  g_cond_broadcast (&s->changed);
  box_workers_continue_locked ();
  while (s->hold)
    g_cond_wait (&s->changed, box_workers_lock ());
  s->running--;
  g_cond_broadcast (&s->changed);
  return TRUE;
}

static void
steps_ref (BoxTask *task)
{
  ((Steps *) task)->refs++;
}

static void
steps_unref (BoxTask *task)
{
  Steps *s = (Steps *) task;

  g_mutex_lock (box_workers_lock ());
  s->refs--;
  g_cond_broadcast (&s->changed);
  g_mutex_unlock (box_workers_lock ());
}

static const BoxTaskClass steps_class = {
  .ready_locked = steps_ready_locked,
  .run_locked = steps_run_locked,
  .ref = steps_ref,
  .unref = steps_unref,
};

static void
steps_init (Steps *s, guint n, guint parallel)
{
  *s = (Steps){ .task = { .klass = &steps_class }, .left = n, .parallel = parallel };
  g_cond_init (&s->changed);
}

static void
wait_for_end_locked (Steps *s)
{
  while (s->refs > 0)
    g_cond_wait (&s->changed, box_workers_lock ());
}

static void
test_steps_of_one_task_run_beside_each_other (void)
{
  Steps s;

  steps_init (&s, 8, 3);
  s.hold = TRUE;
  g_mutex_lock (box_workers_lock ());
  g_assert_true (box_workers_add_locked (&s.task, NULL));
  while (s.running < 3)
    g_cond_wait (&s.changed, box_workers_lock ());
  s.hold = FALSE;
  g_cond_broadcast (&s.changed);
  wait_for_end_locked (&s);
  g_mutex_unlock (box_workers_lock ());
  g_assert_cmpuint (s.most_running, ==, 3);
}

static void
test_no_more_workers_than_allowed_serve_many_tasks (void)
{
  Steps s[10];
  guint running = 0;

  g_mutex_lock (box_workers_lock ());
  for (guint i = 0; i < G_N_ELEMENTS (s); i++)
    {
      steps_init (&s[i], 2, 2);
      s[i].hold = TRUE;
      g_assert_true (box_workers_add_locked (&s[i].task, NULL));
    }
  while (running < 4)
    {
      running = 0;
      for (guint i = 0; i < G_N_ELEMENTS (s); i++)
        running += s[i].running;
      if (running < 4)
        {
          g_mutex_unlock (box_workers_lock ());
          g_thread_yield ();
          g_mutex_lock (box_workers_lock ());
        }
    }
  g_mutex_unlock (box_workers_lock ());
  g_assert_cmpuint (box_workers_count (), ==, 4);

  g_mutex_lock (box_workers_lock ());
  for (guint i = 0; i < G_N_ELEMENTS (s); i++)
    {
      s[i].hold = FALSE;
      g_cond_broadcast (&s[i].changed);
    }
  for (guint i = 0; i < G_N_ELEMENTS (s); i++)
    wait_for_end_locked (&s[i]);
  g_mutex_unlock (box_workers_lock ());
}

static void
test_the_step_that_has_waited_longest_goes_first (void)
{
  GArray *log = g_array_new (FALSE, FALSE, sizeof (guint));
  Steps blockers, late, early;

  g_mutex_lock (box_workers_lock ());
  steps_init (&blockers, 4, 4);
  blockers.hold = TRUE;
  g_assert_true (box_workers_add_locked (&blockers.task, NULL));
  while (blockers.running < 4)
    g_cond_wait (&blockers.changed, box_workers_lock ());

  steps_init (&late, 1, 1);
  late.since = 200;
  late.number = 2;
  late.log = log;
  g_assert_true (box_workers_add_locked (&late.task, NULL));
  steps_init (&early, 1, 1);
  early.since = 100;
  early.number = 1;
  early.log = log;
  g_assert_true (box_workers_add_locked (&early.task, NULL));

  blockers.hold = FALSE;
  g_cond_broadcast (&blockers.changed);
  wait_for_end_locked (&late);
  wait_for_end_locked (&early);
  wait_for_end_locked (&blockers);
  g_mutex_unlock (box_workers_lock ());
  g_assert_cmpuint (log->len, ==, 2);
  g_assert_cmpuint (g_array_index (log, guint, 0), ==, 1);
  g_array_unref (log);
}

/* From the first to the last; each precedes all that follow, and none that precede it. */
static void
test_turns_go_by_rank_then_age_then_size (void)
{
  const gint64 minute = 60 * G_USEC_PER_SEC;
  const BoxTurn turns[] = {
    { BOX_RANK_CONTROL, 9 * minute, 1000 }, /* a commit, however late */
    { BOX_RANK_LIVE, 7 * minute, 500 },       { BOX_RANK_LIVE, 8 * minute, 1 },
    { BOX_RANK_PADDING, 2 * minute, 1 },      /* of an older recording */
    { BOX_RANK_BACKLOG, 1 * minute, 2000 },   /* the oldest file, however large */
    { BOX_RANK_BACKLOG, 5 * minute + 2, 10 }, /* of two that came together the smaller one */
    { BOX_RANK_BACKLOG, 5 * minute + 1, 20 }, { BOX_RANK_BACKLOG, 5 * minute + 3, 20 },
    { BOX_RANK_BACKLOG, 6 * minute, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (turns); i++)
    for (guint k = 0; k < G_N_ELEMENTS (turns); k++)
      g_assert_true (box_turn_precedes (&turns[i], &turns[k]) == (i < k));
}

static void
test_a_live_recording_goes_before_an_older_backlog (void)
{
  GArray *log = g_array_new (FALSE, FALSE, sizeof (guint));
  Steps blockers, backlog, live;

  g_mutex_lock (box_workers_lock ());
  steps_init (&blockers, 4, 4);
  blockers.hold = TRUE;
  g_assert_true (box_workers_add_locked (&blockers.task, NULL));
  while (blockers.running < 4)
    g_cond_wait (&blockers.changed, box_workers_lock ());

  steps_init (&backlog, 3, 1);
  backlog.rank = BOX_RANK_BACKLOG;
  backlog.number = 2;
  backlog.log = log;
  g_assert_true (box_workers_add_locked (&backlog.task, NULL));
  steps_init (&live, 3, 1);
  live.rank = BOX_RANK_LIVE;
  live.since = G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC;
  live.number = 1;
  live.log = log;
  g_assert_true (box_workers_add_locked (&live.task, NULL));

  blockers.hold = FALSE;
  g_cond_broadcast (&blockers.changed);
  wait_for_end_locked (&live);
  wait_for_end_locked (&backlog);
  wait_for_end_locked (&blockers);
  g_mutex_unlock (box_workers_lock ());
  g_assert_cmpuint (g_array_index (log, guint, 0), ==, 1);
  g_array_unref (log);
}

static void
test_a_step_that_is_due_later_runs_then_without_being_called (void)
{
  Steps s;

  steps_init (&s, 1, 1);
  s.not_before = g_get_monotonic_time () + 30000;
  g_mutex_lock (box_workers_lock ());
  g_assert_true (box_workers_add_locked (&s.task, NULL));
  wait_for_end_locked (&s);
  g_mutex_unlock (box_workers_lock ());
  g_assert_cmpuint (s.most_running, ==, 1);
  g_assert_cmpint (g_get_monotonic_time (), >=, s.not_before);
}

static void
spin_until (gint64 time)
{
  while (g_get_monotonic_time () < time)
    continue;
}

/* A worker whose time is over still counts as idle until it has the lock: who adds a task just then
 * must be heard all the same. */
/* Of the workers that have nothing to do one keeps the time. */
static void
test_a_step_that_is_due_wakes_one_idle_worker (void)
{
  Steps crowd, clock;

  steps_init (&clock, 20, 1);
  clock.interval = 20 * G_TIME_SPAN_MILLISECOND;
  clock.not_before = g_get_monotonic_time () + clock.interval;
  clock.hold = TRUE;
  steps_init (&crowd, 3, 3);
  crowd.hold = TRUE;
  g_mutex_lock (box_workers_lock ());
  g_assert_true (box_workers_add_locked (&clock.task, NULL));
  g_assert_true (box_workers_add_locked (&crowd.task, NULL));
  while (crowd.running < 3)
    g_cond_wait (&crowd.changed, box_workers_lock ());
  while (clock.running < 1)
    g_cond_wait (&clock.changed, box_workers_lock ());
  crowd.hold = clock.hold = FALSE;
  g_cond_broadcast (&crowd.changed);
  g_cond_broadcast (&clock.changed);
  wait_for_end_locked (&crowd);
  clock.looks = 0;
  wait_for_end_locked (&clock);
  g_assert_cmpuint (clock.looks, <=, 5 * 20);
  g_mutex_unlock (box_workers_lock ());
}

static void
test_a_task_that_comes_while_a_worker_ends_is_run (void)
{
  box_workers_set_idle_time (200);
  for (guint i = 0; i < 100; i++)
    {
      Steps s;

      steps_init (&s, 1, 1);
      spin_until (g_get_monotonic_time () + 50);
      g_mutex_lock (box_workers_lock ());
      spin_until (g_get_monotonic_time () + 400);
      g_assert_true (box_workers_add_locked (&s.task, NULL));
      wait_for_end_locked (&s);
      g_mutex_unlock (box_workers_lock ());
    }
  box_workers_set_idle_time (15 * G_USEC_PER_SEC);
}

/* Two workers rest, and one of them is called, learns of the time, and ends: the other one has to
 * know it then. */
static void
test_a_time_that_a_worker_learns_before_it_ends_is_kept (void)
{
  Steps pair, later;

  steps_init (&pair, 2, 2);
  steps_init (&later, 1, 1);
  later.not_before = G_MAXINT64;
  g_mutex_lock (box_workers_lock ());
  pair.hold = TRUE;
  g_assert_true (box_workers_add_locked (&later.task, NULL));
  g_assert_true (box_workers_add_locked (&pair.task, NULL));
  while (pair.running < 2)
    g_cond_wait (&pair.changed, box_workers_lock ());
  pair.hold = FALSE;
  g_cond_broadcast (&pair.changed);
  wait_for_end_locked (&pair);
  g_mutex_unlock (box_workers_lock ());
  box_workers_set_idle_time (1);
  g_mutex_lock (box_workers_lock ());
  later.not_before = g_get_monotonic_time () + 50000;
  box_workers_wake_locked (&later.task);
  wait_for_end_locked (&later);
  g_mutex_unlock (box_workers_lock ());
  box_workers_set_idle_time (15 * G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  g_setenv ("BOXUPLOAD_WORKERS", "4", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/workers/steps-of-one-task-run-beside-each-other",
                   test_steps_of_one_task_run_beside_each_other);
  g_test_add_func ("/workers/a-time-that-a-worker-learns-before-it-ends-is-kept",
                   test_a_time_that_a_worker_learns_before_it_ends_is_kept);
  g_test_add_func ("/workers/turns-go-by-rank-then-age-then-size",
                   test_turns_go_by_rank_then_age_then_size);
  g_test_add_func ("/workers/a-live-recording-goes-before-an-older-backlog",
                   test_a_live_recording_goes_before_an_older_backlog);
  g_test_add_func ("/workers/no-more-workers-than-allowed-serve-many-tasks",
                   test_no_more_workers_than_allowed_serve_many_tasks);
  g_test_add_func ("/workers/the-step-that-has-waited-longest-goes-first",
                   test_the_step_that_has_waited_longest_goes_first);
  g_test_add_func ("/workers/a-step-that-is-due-later-runs-then-without-being-called",
                   test_a_step_that_is_due_later_runs_then_without_being_called);
  g_test_add_func ("/workers/a-step-that-is-due-wakes-one-idle-worker",
                   test_a_step_that_is_due_wakes_one_idle_worker);
  g_test_add_func ("/workers/a-task-that-comes-while-a-worker-ends-is-run",
                   test_a_task_that_comes_while_a_worker_ends_is_run);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A network that is gone for ten minutes while a recording goes on, in compressed time: the plan
 * and the retry policy on a clock that jumps from one thing that happens to the next.
 */
#include "upload/plan.h"

#include "base/error.h"
#include "base/retry.h"

#define PARALLEL  4
#define PART_TIME (5 * G_USEC_PER_SEC) /* the producer fills a part this often */
#define OUTAGE    (600 * G_USEC_PER_SEC)
#define N_PARTS   ((guint) (OUTAGE / PART_TIME) + 10)

typedef struct
{
  BoxPlan plan;
  gint64 now;
  gint64 next_part; /* when the producer has filled another one */
  guint sealed;
  guint requests;
} World;

static void
set_up (World *w, gconstpointer data)
{
  BoxStep step;

  box_plan_init (&w->plan, PARALLEL, TRUE, FALSE, 0);
  step = box_plan_next (&w->plan, 0);
  box_plan_begin (&w->plan, &step);
  box_plan_opened (&w->plan, N_PARTS, FALSE, 0);
  w->next_part = PART_TIME;
}

static void
tear_down (World *w, gconstpointer data)
{
  box_plan_clear (&w->plan);
}

static void
pass_time (World *w, gint64 wake_at)
{
  w->now = MIN (wake_at, w->next_part);
  if (w->now < w->next_part)
    return;
  box_plan_seal (&w->plan, ++w->sealed, w->now);
  w->next_part += PART_TIME;
}

/* No request gets through. If a part may have left, the plan learns that it is unsure. */
static void
fail (World *w, const BoxStep *step, gboolean unsure)
{
  g_autoptr (GError) gone = g_error_new_literal (BOX_ERROR, BOX_ERROR_TRANSIENT, "no network");
  guint attempt;

  box_plan_begin (&w->plan, step);
  w->requests++;
  attempt = step->kind == BOX_STEP_SEND
                ? g_array_index (w->plan.parts, BoxPlanPart, step->part).attempts
                : w->plan.control_attempts;
  if (step->kind == BOX_STEP_SEND)
    box_plan_send_failed (&w->plan, step->part, unsure,
                          w->now + box_retry_delay (attempt, gone, w->requests), FALSE);
  else
    box_plan_control_failed (&w->plan, FALSE, w->now + box_retry_delay (attempt, gone, w->requests),
                             FALSE);
}

static void
endure (World *w, gboolean unsure)
{
  while (w->now < OUTAGE)
    {
      BoxStep step = box_plan_next (&w->plan, w->now);

      if (step.kind == BOX_STEP_WAIT)
        pass_time (w, step.wake_at);
      else
        fail (w, &step, unsure);
    }
}

static void
test_few_requests_are_made_while_nothing_gets_through (World *w, gconstpointer unsure)
{
  endure (w, GPOINTER_TO_INT (unsure));
  g_assert_cmpuint (w->sealed, >=, OUTAGE / PART_TIME - 1);
  /* Each of the four parts once in 22 s or more, when the delay has grown; some on the way there.
   */
  g_assert_cmpuint (w->requests, <=, PARALLEL * (OUTAGE / (22 * G_USEC_PER_SEC) + 8));
  g_assert_cmpuint (w->requests, >=, PARALLEL);
}

static gboolean
is_over (const BoxStep *step)
{
  return step->kind == BOX_STEP_WAIT;
}

/* The first request that works ends all waits; from then on nothing waits for a clock. */
static void
test_the_backlog_leaves_at_once_and_in_order (World *w, gconstpointer unsure)
{
  gint64 back;
  guint last = 0, n_sent = 0;
  BoxStep step;

  endure (w, GPOINTER_TO_INT (unsure));
  while (step = box_plan_next (&w->plan, w->now), is_over (&step))
    pass_time (w, step.wake_at);
  back = w->now;
  for (; !is_over (&step); step = box_plan_next (&w->plan, w->now))
    {
      box_plan_begin (&w->plan, &step);
      if (step.kind == BOX_STEP_LIST)
        box_plan_listed (&w->plan, w->now);
      else
        {
          g_assert_cmpint (step.kind, ==, BOX_STEP_SEND);
          g_assert_true (n_sent < PARALLEL || step.part > last);
          last = step.part;
          n_sent++;
          box_plan_sent (&w->plan, step.part);
        }
      box_plan_hurry (&w->plan, w->now);
    }
  g_assert_cmpuint (n_sent, ==, w->sealed);
  g_assert_cmpint (w->now, ==, back);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gint unsure = 0; unsure < 2; unsure++)
    {
      const char *kind = unsure ? "answers-lost" : "no-connection";
      g_autofree char *few =
          g_strdup_printf ("/outage/%s/few-requests-are-made-while-nothing-gets-through", kind);
      g_autofree char *backlog =
          g_strdup_printf ("/outage/%s/the-backlog-leaves-at-once-and-in-order", kind);

      g_test_add (few, World, GINT_TO_POINTER (unsure), set_up,
                  test_few_requests_are_made_while_nothing_gets_through, tear_down);
      g_test_add (backlog, World, GINT_TO_POINTER (unsure), set_up,
                  test_the_backlog_leaves_at_once_and_in_order, tear_down);
    }
  return g_test_run ();
}

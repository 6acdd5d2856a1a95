/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts that are nothing but padding: they make way for the bytes of the stream, and are as fast as
 * any others when all of those have left. */
#include "upload/plan.h"

#define N_STREAM 3
#define N_PARTS  7
#define PARALLEL 4

/* A plan whose stream has ended: its first parts have bytes of the stream. */
static void
begin (BoxPlan *plan, guint n_stream, guint n_parts)
{
  box_plan_init (plan, PARALLEL, TRUE, FALSE, 0);
  box_plan_begin (plan, &(BoxStep){ .kind = BOX_STEP_OPEN });
  box_plan_opened (plan, n_parts, FALSE, 0);
  box_plan_pad (plan, n_stream);
  box_plan_seal (plan, n_parts, 0);
  box_plan_finish (plan, 0);
}

static void
expect_send (BoxPlan *plan, guint part)
{
  BoxStep step = box_plan_next (plan, 0);

  g_assert_cmpint (step.kind, ==, BOX_STEP_SEND);
  g_assert_cmpuint (step.part, ==, part);
  box_plan_begin (plan, &step);
}

static void
expect_wait (const BoxPlan *plan, gint64 wake_at)
{
  BoxStep step = box_plan_next (plan, 0);

  g_assert_cmpint (step.kind, ==, BOX_STEP_WAIT);
  g_assert_cmpint (step.wake_at, ==, wake_at);
}

static void
test_padding_waits_until_the_stream_has_left (void)
{
  BoxPlan plan;

  begin (&plan, 2, 6);
  expect_send (&plan, 0);
  expect_send (&plan, 1);
  expect_wait (&plan, G_MAXINT64);
  box_plan_left (&plan, 0);
  box_plan_sent (&plan, 0);
  expect_wait (&plan, G_MAXINT64);
  box_plan_left (&plan, 1);
  expect_send (&plan, 2);
  box_plan_clear (&plan);
}

static void
test_padding_alone_is_sent_with_all_that_may_be_in_flight (void)
{
  BoxPlan plan;

  begin (&plan, 1, 6);
  expect_send (&plan, 0);
  box_plan_left (&plan, 0);
  box_plan_sent (&plan, 0);
  for (guint i = 1; i <= PARALLEL; i++)
    expect_send (&plan, i);
  expect_wait (&plan, G_MAXINT64);
  box_plan_clear (&plan);
}

static void
test_padding_is_not_held_up_by_an_answer (void)
{
  BoxPlan plan;

  begin (&plan, 1, 4);
  expect_send (&plan, 0);
  box_plan_left (&plan, 0);
  for (guint i = 1; i < 4; i++)
    expect_send (&plan, i);
  box_plan_clear (&plan);
}

/* The link would be idle, but has room for the part of the stream when that is due. */
static void
test_padding_goes_one_by_one_while_the_stream_waits_for_another_try (void)
{
  BoxPlan plan;

  begin (&plan, 1, 4);
  expect_send (&plan, 0);
  box_plan_send_failed (&plan, 0, FALSE, 1000, TRUE);
  expect_send (&plan, 1);
  expect_wait (&plan, 1000);
  box_plan_left (&plan, 1);
  expect_send (&plan, 2);
  box_plan_call_last (&plan, 0);
  expect_send (&plan, 0);
  box_plan_left (&plan, 2);
  expect_wait (&plan, G_MAXINT64);
  box_plan_left (&plan, 0);
  expect_send (&plan, 3);
  box_plan_clear (&plan);
}

static void
test_padding_that_failed_makes_way_as_well (void)
{
  BoxPlan plan;

  begin (&plan, 1, 3);
  expect_send (&plan, 0);
  box_plan_left (&plan, 0);
  expect_send (&plan, 1);
  box_plan_send_failed (&plan, 0, FALSE, 0, FALSE);
  expect_send (&plan, 0);
  box_plan_send_failed (&plan, 1, FALSE, 0, FALSE);
  expect_wait (&plan, G_MAXINT64);
  box_plan_left (&plan, 0);
  expect_send (&plan, 1);
  box_plan_clear (&plan);
}

/* The name was taken, and the next session has other parts. */
static void
test_another_session_has_its_own_padding (void)
{
  BoxPlan plan;

  begin (&plan, 1, 1);
  expect_send (&plan, 0);
  box_plan_sent (&plan, 0);
  box_plan_begin (&plan, &(BoxStep){ .kind = BOX_STEP_COMMIT });
  box_plan_reopen (&plan, 0);
  box_plan_opened (&plan, 4, FALSE, 0);
  box_plan_pad (&plan, 2);
  box_plan_seal (&plan, 4, 0);
  expect_send (&plan, 0);
  expect_send (&plan, 1);
  expect_wait (&plan, G_MAXINT64);
  box_plan_clear (&plan);
}

/* --- Any order -------------------------------------------------------------------------------- */

static void
check (const BoxPlan *plan)
{
  guint leaving[2] = { 0, 0 };

  for (guint i = 0; i < plan->parts->len; i++)
    {
      const BoxPlanPart *part = &g_array_index (plan->parts, BoxPlanPart, i);

      leaving[i >= N_STREAM] += part->state == BOX_PART_IN_FLIGHT && !part->left;
    }
  g_assert_cmpuint (plan->n_leaving, ==, leaving[0]);
  g_assert_cmpuint (plan->n_leaving_padding, ==, leaving[1]);
}

/* Ends the request of part @i, in one of the ways in which it can. */
static void
end (BoxPlan *plan, GRand *rand, guint i, guint *trouble)
{
  gint way = *trouble > 0 ? g_rand_int_range (rand, 0, 4) : 0;

  if (way < 2)
    {
      box_plan_sent (plan, i);
      return;
    }
  (*trouble)--;
  box_plan_send_failed (plan, i, way == 3, 0, FALSE);
}

static void
go_on (BoxPlan *plan, GRand *rand, guint *trouble)
{
  guint i = (guint) g_rand_int_range (rand, 0, N_PARTS);
  BoxPlanPart *part = &g_array_index (plan->parts, BoxPlanPart, i);

  if (part->state != BOX_PART_IN_FLIGHT)
    return;
  if (!part->left && g_rand_boolean (rand))
    box_plan_left (plan, i);
  else
    end (plan, rand, i, trouble);
}

/* Whether there was a step to begin. */
static gboolean
begin_next (BoxPlan *plan)
{
  BoxStep step = box_plan_next (plan, 0);

  if (step.kind == BOX_STEP_SEND && step.part >= N_STREAM)
    g_assert_cmpuint (plan->n_leaving, ==, 0);
  g_assert_true (step.kind != BOX_STEP_WAIT || plan->n_in_flight > 0);
  if (step.kind == BOX_STEP_WAIT || step.kind == BOX_STEP_COMMIT)
    return FALSE;
  box_plan_begin (plan, &step);
  if (step.kind == BOX_STEP_LIST)
    box_plan_listed (plan, 0);
  return TRUE;
}

static void
test_in_any_order_padding_makes_way_and_the_end_comes (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (12);

  for (guint n = 0; n < 500; n++)
    {
      guint trouble = 5;
      BoxPlan plan;

      begin (&plan, N_STREAM, N_PARTS);
      while (box_plan_next (&plan, 0).kind != BOX_STEP_COMMIT)
        {
          if (g_rand_boolean (rand) || !begin_next (&plan))
            go_on (&plan, rand, &trouble);
          check (&plan);
        }
      box_plan_clear (&plan);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan-padding/padding-waits-until-the-stream-has-left",
                   test_padding_waits_until_the_stream_has_left);
  g_test_add_func ("/plan-padding/padding-alone-is-sent-with-all-that-may-be-in-flight",
                   test_padding_alone_is_sent_with_all_that_may_be_in_flight);
  g_test_add_func ("/plan-padding/padding-is-not-held-up-by-an-answer",
                   test_padding_is_not_held_up_by_an_answer);
  g_test_add_func ("/plan-padding/padding-goes-one-by-one-while-the-stream-waits-for-another-try",
                   test_padding_goes_one_by_one_while_the_stream_waits_for_another_try);
  g_test_add_func ("/plan-padding/padding-that-failed-makes-way-as-well",
                   test_padding_that_failed_makes_way_as_well);
  g_test_add_func ("/plan-padding/another-session-has-its-own-padding",
                   test_another_session_has_its_own_padding);
  g_test_add_func ("/plan-padding/in-any-order-padding-makes-way-and-the-end-comes",
                   test_in_any_order_padding_makes_way_and_the_end_comes);
  return g_test_run ();
}

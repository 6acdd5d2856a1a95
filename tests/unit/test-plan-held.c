/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts that Box may have from elsewhere, and plans that begin no more parts or have failed;
 * test-plan.c explores what can happen to them. */
#include "upload/plan.h"

/* A plan of three parts, of which the first and the last are held. */
static void
begin (BoxPlan *plan, guint n_sealed)
{
  box_plan_init (plan, 2, TRUE, FALSE, 0);
  box_plan_begin (plan, &(BoxStep){ .kind = BOX_STEP_OPEN });
  box_plan_opened (plan, 3, FALSE, 0);
  box_plan_hold (plan, 0);
  box_plan_hold (plan, 2);
  box_plan_seal (plan, n_sealed, 0);
}

/* Begins the next step, which is to be @kind. */
static guint
expect (BoxPlan *plan, BoxStepKind kind)
{
  BoxStep step = box_plan_next (plan, 0);

  g_assert_cmpint (step.kind, ==, kind);
  box_plan_begin (plan, &step);
  return step.part;
}

static void
test_a_held_part_waits_for_the_answer_and_others_do_not (void)
{
  BoxPlan plan;

  begin (&plan, 3);
  expect (&plan, BOX_STEP_ASK);
  g_assert_cmpuint (expect (&plan, BOX_STEP_SEND), ==, 1);
  expect (&plan, BOX_STEP_WAIT);
  g_assert_true (box_plan_adopt (&plan, 0, FALSE));
  box_plan_missed (&plan, 2);
  box_plan_asked (&plan, 0);
  g_assert_cmpuint (expect (&plan, BOX_STEP_SEND), ==, 2);
  box_plan_clear (&plan);
}

static void
test_parts_are_asked_for_before_their_bytes_are_complete (void)
{
  BoxPlan plan;

  begin (&plan, 0);
  expect (&plan, BOX_STEP_ASK);
  g_assert_true (box_plan_adopt (&plan, 0, FALSE));
  box_plan_missed (&plan, 2);
  box_plan_asked (&plan, 0);
  expect (&plan, BOX_STEP_WAIT);
  box_plan_seal (&plan, 3, 0);
  g_assert_cmpuint (plan.n_done, ==, 1);
  g_assert_cmpuint (expect (&plan, BOX_STEP_SEND), ==, 1);
  g_assert_cmpuint (expect (&plan, BOX_STEP_SEND), ==, 2);
  box_plan_clear (&plan);
}

static void
test_a_question_that_is_given_up_leaves_parts_to_send (void)
{
  BoxPlan plan;

  begin (&plan, 2);
  expect (&plan, BOX_STEP_ASK);
  box_plan_stop_asking (&plan);
  box_plan_asked (&plan, 0);
  g_assert_cmpuint (expect (&plan, BOX_STEP_SEND), ==, 0);
  g_assert_cmpuint (expect (&plan, BOX_STEP_SEND), ==, 1);
  box_plan_clear (&plan);
}

static void
test_a_question_that_fails_waits_and_parts_are_sent_meanwhile (void)
{
  BoxPlan plan;
  BoxStep step;

  begin (&plan, 3);
  expect (&plan, BOX_STEP_ASK);
  box_plan_control_failed (&plan, FALSE, 1000, FALSE);
  g_assert_cmpuint (expect (&plan, BOX_STEP_SEND), ==, 1);
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_WAIT);
  g_assert_cmpint (step.wake_at, ==, 1000);
  g_assert_cmpint (box_plan_next (&plan, 1000).kind, ==, BOX_STEP_ASK);
  box_plan_clear (&plan);
}

static void
test_a_drained_plan_begins_no_part (void)
{
  BoxPlan plan;

  begin (&plan, 3);
  expect (&plan, BOX_STEP_ASK);
  box_plan_stop_asking (&plan);
  box_plan_asked (&plan, 0);
  g_assert_cmpuint (expect (&plan, BOX_STEP_SEND), ==, 0);
  box_plan_drain (&plan);
  expect (&plan, BOX_STEP_WAIT);
  box_plan_send_failed (&plan, 0, FALSE, 0, FALSE);
  expect (&plan, BOX_STEP_WAIT);
  box_plan_clear (&plan);
}

static void
test_a_drained_plan_opens_no_session (void)
{
  BoxPlan plan;

  box_plan_init (&plan, 1, TRUE, TRUE, 0);
  g_assert_cmpint (box_plan_next (&plan, 0).kind, ==, BOX_STEP_OPEN);
  box_plan_drain (&plan);
  g_assert_cmpint (box_plan_next (&plan, 0).kind, ==, BOX_STEP_WAIT);
  box_plan_clear (&plan);
}

/* The stream failed while the commit was under way, and the commit worked. */
static void
test_a_committed_session_is_not_aborted (void)
{
  BoxPlan plan;

  box_plan_init (&plan, 1, TRUE, TRUE, 0);
  box_plan_begin (&plan, &(BoxStep){ .kind = BOX_STEP_OPEN });
  box_plan_opened (&plan, 1, FALSE, 0);
  box_plan_seal (&plan, 1, 0);
  box_plan_finish (&plan, 0);
  box_plan_sent (&plan, expect (&plan, BOX_STEP_SEND));
  expect (&plan, BOX_STEP_COMMIT);
  box_plan_fail (&plan);
  box_plan_committed (&plan);
  g_assert_cmpint (box_plan_next (&plan, 0).kind, ==, BOX_STEP_DONE);
  box_plan_clear (&plan);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan-held/a-held-part-waits-for-the-answer-and-others-do-not",
                   test_a_held_part_waits_for_the_answer_and_others_do_not);
  g_test_add_func ("/plan-held/parts-are-asked-for-before-their-bytes-are-complete",
                   test_parts_are_asked_for_before_their_bytes_are_complete);
  g_test_add_func ("/plan-held/a-question-that-is-given-up-leaves-parts-to-send",
                   test_a_question_that_is_given_up_leaves_parts_to_send);
  g_test_add_func ("/plan-held/a-question-that-fails-waits-and-parts-are-sent-meanwhile",
                   test_a_question_that_fails_waits_and_parts_are_sent_meanwhile);
  g_test_add_func ("/plan-held/a-committed-session-is-not-aborted",
                   test_a_committed_session_is_not_aborted);
  g_test_add_func ("/plan-held/a-drained-plan-begins-no-part", test_a_drained_plan_begins_no_part);
  g_test_add_func ("/plan-held/a-drained-plan-opens-no-session",
                   test_a_drained_plan_opens_no_session);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of live recordings and of files that can wait, over one host's flow: which may begin. */
#include "upload/flow.h"

#define MOST 24

typedef struct
{
  BoxFlow flow;
  BoxFlowPart parts[MOST];
  guint n_parts;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  box_flow_init (&f->flow, MOST);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  box_flow_clear (&f->flow);
}

static BoxFlowPart *
begin (Fixture *f, gboolean yields)
{
  BoxFlowPart *part = &f->parts[f->n_parts++];

  box_flow_begin (&f->flow, part, 1);
  part->yields = yields;
  return part;
}

/* Parts that yield begin until they have to wait; how many. */
static guint
begin_all (Fixture *f)
{
  gint64 wake_at;
  guint n = 0;

  while (box_flow_may_start (&f->flow, 1, &wake_at) && !box_flow_makes_way (&f->flow))
    {
      begin (f, TRUE);
      n++;
    }
  return n;
}

static void
test_alone_they_are_as_many_as_may_be_sent (Fixture *f, gconstpointer data)
{
  g_assert_cmpuint (begin_all (f), ==, BOX_FLOW_FIRST);
}

static void
test_one_is_sent_beside_a_live_part (Fixture *f, gconstpointer data)
{
  begin (f, FALSE);
  g_assert_cmpuint (begin_all (f), ==, 1);
}

static void
test_one_that_ends_beside_a_live_part_is_not_followed_while_others_are_sent (Fixture *f,
                                                                             gconstpointer data)
{
  BoxFlowPart *first = begin (f, TRUE), *second = begin (f, TRUE);

  begin (f, FALSE);
  box_flow_end (&f->flow, first, BOX_FLOW_ANSWERED, 0, 1);
  g_assert_cmpuint (begin_all (f), ==, 0);
  box_flow_end (&f->flow, second, BOX_FLOW_ANSWERED, 0, 1);
  g_assert_cmpuint (begin_all (f), ==, 1);
}

static void
test_a_live_part_that_waits_for_its_answer_is_in_nobodys_way (Fixture *f, gconstpointer data)
{
  BoxFlowPart *live = begin (f, FALSE);

  box_flow_sent (&f->flow, live, 1);
  g_assert_cmpuint (begin_all (f), ==, BOX_FLOW_FIRST);
}

/* One connection cannot fill the link there. */
static void
test_more_are_sent_where_more_are_needed (Fixture *f, gconstpointer data)
{
  f->flow.aim = BOX_FLOW_MOST;
  begin (f, FALSE);
  g_assert_cmpuint (begin_all (f), ==, BOX_FLOW_MOST / 4);
}

static void
test_live_parts_do_not_make_way (Fixture *f, gconstpointer data)
{
  gint64 wake_at;

  for (guint i = 1; i < BOX_FLOW_FIRST; i++)
    begin (f, TRUE);
  g_assert_false (box_flow_makes_way (&f->flow));
  g_assert_true (box_flow_may_start (&f->flow, 1, &wake_at));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add ("/flow-ways/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("alone-they-are-as-many-as-may-be-sent", test_alone_they_are_as_many_as_may_be_sent);
  ADD ("one-is-sent-beside-a-live-part", test_one_is_sent_beside_a_live_part);
  ADD ("one-that-ends-beside-a-live-part-is-not-followed-while-others-are-sent",
       test_one_that_ends_beside_a_live_part_is_not_followed_while_others_are_sent);
  ADD ("a-live-part-that-waits-for-its-answer-is-in-nobodys-way",
       test_a_live_part_that_waits_for_its_answer_is_in_nobodys_way);
  ADD ("more-are-sent-where-more-are-needed", test_more_are_sent_where_more_are_needed);
  ADD ("live-parts-do-not-make-way", test_live_parts_do_not_make_way);
  return g_test_run ();
}

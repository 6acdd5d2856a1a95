/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPlan, explored: from the beginning, every step it may give is begun in every order and ended
 * in every way it can end, with the producer's and the application's doings in between; each state
 * that is reached is held against the invariants. The model of Box beside it knows what is really
 * stored.
 */
#include "upload/plan.h"

#include <string.h>

#define N_PARTS     3
#define MAX_TROUBLE 2 /* failures of any kind on one path, so that the exploration ends */

typedef struct
{
  BoxPlan plan;
  /* Box, as it really is */
  gboolean stored[N_PARTS];
  guint times_stored[N_PARTS];
  guint commits;
  /* the producer */
  guint sealed;
  /* steps that have begun */
  BoxStep running[8];
  guint n_running;
  guint trouble;
} World;

typedef struct
{
  guint parallel;
  gboolean commit;
  gboolean abort_on_failure;
  gboolean list;
  gboolean whole;
  gboolean undigested;
  guint held;      /* bit mask of parts that Box may have from elsewhere */
  guint preloaded; /* bit mask of parts that Box holds at the start */
  GHashTable *seen;
  guint states;
  guint ends;
} Exploration;

static World
world_copy (const World *world)
{
  World copy = *world;

  copy.plan.parts = g_array_copy (world->plan.parts);
  copy.plan.troubled = g_array_copy (world->plan.troubled);
  return copy;
}

/* Everything of @world that decides what can happen; times are left out, for every wait may be over
 * at once. */
static char *
world_key (const World *w)
{
  GString *key = g_string_new (NULL);
  const BoxPlan *p = &w->plan;

  g_string_append_printf (key, "%d%d%d%d%d%d%d%d%d%d%d%u/%u/%u/%u/%u/", p->opened, p->whole,
                          p->list_first, p->finished, p->undigested, p->unsure, p->committed,
                          p->failed, p->cancelled, p->aborted, (int) p->control, p->n_unsure,
                          p->next_new, w->sealed, w->commits, w->trouble);
  for (guint i = 0; i < p->parts->len; i++)
    {
      const BoxPlanPart *part = &g_array_index (p->parts, BoxPlanPart, i);

      g_string_append_printf (key, "%d%d%d%d%d%d%d%u,", (int) part->state, part->adopted,
                              part->verify, part->sealed, part->hold, part->listed, w->stored[i],
                              MIN (part->attempts, 3));
    }
  for (guint k = 0; k < p->troubled->len; k++)
    g_string_append_printf (key, "t%u", g_array_index (p->troubled, guint, k));
  for (guint k = 0; k < w->n_running; k++)
    g_string_append_printf (key, "r%d.%u", (int) w->running[k].kind, w->running[k].part);
  return g_string_free (key, FALSE);
}

static void
check_counts (const World *w)
{
  const BoxPlan *p = &w->plan;
  guint in_flight = 0, unsure = 0, troubled = 0, done = 0, held = 0;

  for (guint i = 0; i < p->parts->len; i++)
    {
      const BoxPlanPart *part = &g_array_index (p->parts, BoxPlanPart, i);

      in_flight += part->state == BOX_PART_IN_FLIGHT;
      unsure += part->state == BOX_PART_UNSURE;
      held += part->hold;
      g_assert_true (part->state != BOX_PART_HELD || (part->hold && part->sealed));
      troubled += part->state == BOX_PART_UNSURE || part->state == BOX_PART_FAILED;
      done += part->state == BOX_PART_DONE && part->sealed;
      if (part->state == BOX_PART_READY)
        g_assert_cmpuint (p->next_new, <=, i);
    }
  g_assert_cmpuint (p->n_in_flight, ==, in_flight);
  g_assert_cmpuint (p->n_unsure, ==, unsure);
  g_assert_cmpuint (p->n_held, ==, held);
  g_assert_cmpuint (p->troubled->len, ==, troubled);
  g_assert_cmpuint (p->n_done, ==, done);
  g_assert_cmpuint (in_flight + troubled, <=, p->parallel);
}

static void
check_step (const World *w, const BoxStep *step)
{
  const BoxPlan *p = &w->plan;
  gboolean stopped = p->failed || p->cancelled;
  const BoxPlanPart *part;

  switch (step->kind)
    {
    case BOX_STEP_SEND:
      g_assert_false (stopped);
      g_assert_cmpuint (step->part, <, w->sealed);
      part = &g_array_index (p->parts, BoxPlanPart, step->part);
      g_assert_true (part->state == BOX_PART_READY || part->state == BOX_PART_FAILED);
      /* Never sends a part that Box is known to have. */
      g_assert_false (w->stored[step->part] && part->attempts > 0
                      && part->state != BOX_PART_FAILED);
      break;
    case BOX_STEP_ASK:
      g_assert_false (stopped);
      g_assert_cmpuint (p->n_held, >, 0);
      break;
    case BOX_STEP_COMMIT:
      g_assert_false (stopped);
      g_assert_cmpuint (p->n_held, ==, 0);
      g_assert_true (p->commit && p->finished && !p->unsure && w->n_running == 0);
      g_assert_false (p->undigested);
      for (guint i = 0; i < N_PARTS; i++)
        g_assert_true (w->stored[i]);
      g_assert_cmpuint (w->commits, ==, 0);
      break;
    case BOX_STEP_WHOLE:
      g_assert_true (p->finished && !p->undigested && !p->unsure && !stopped);
      g_assert_cmpuint (w->commits, ==, 0);
      break;
    case BOX_STEP_LOOKUP:
      g_assert_true (p->unsure && !p->undigested && !stopped);
      break;
    case BOX_STEP_ABORT:
      g_assert_true (p->failed && p->abort_on_failure && !p->cancelled && w->n_running == 0);
      g_assert_cmpuint (w->commits, ==, 0);
      break;
    case BOX_STEP_DONE:
      g_assert_cmpuint (w->n_running, ==, 0);
      if (!stopped && p->commit)
        g_assert_cmpuint (w->commits, ==, 1);
      break;
    case BOX_STEP_WAIT:
      /* Somebody must be able to end it: a running step, the producer, or time. */
      g_assert_true (w->n_running > 0 || step->wake_at != G_MAXINT64 || !p->finished);
      break;
    default:
      g_assert_false (stopped);
    }
}

static void explore (Exploration *x, const World *world);

/* Follows a copy of @world in which @change has been made by the caller. */
static void
follow (Exploration *x, World *world)
{
  explore (x, world);
  box_plan_clear (&world->plan);
}

static World
without_running (const World *world, guint k)
{
  World w = world_copy (world);

  memmove (&w.running[k], &w.running[k + 1], (w.n_running - k - 1) * sizeof (BoxStep));
  w.n_running--;
  return w;
}

static void
store (World *w, guint part)
{
  w->stored[part] = TRUE;
  w->times_stored[part]++;
  g_assert_cmpuint (w->times_stored[part], ==, 1);
}

static void
end_send (Exploration *x, const World *world, guint k)
{
  guint part = world->running[k].part;
  World ok = without_running (world, k);

  /* A part that is there is refused as an overlap, which leaves it unsure. */
  if (ok.stored[part])
    box_plan_send_failed (&ok.plan, part, TRUE, 0, FALSE);
  else
    {
      store (&ok, part);
      box_plan_sent (&ok.plan, part);
    }
  follow (x, &ok);

  if (world->trouble >= MAX_TROUBLE)
    return;
  for (guint way = 0; way < 3; way++)
    {
      World bad = without_running (world, k);

      bad.trouble++;
      if (way == 2 && !bad.stored[part])
        store (&bad, part); /* the answer was lost */
      box_plan_send_failed (&bad.plan, part, way > 0, 0, FALSE);
      follow (x, &bad);
    }
}

static void
end_list (Exploration *x, const World *world, guint k)
{
  World ok = without_running (world, k);

  for (guint i = 0; i < N_PARTS; i++)
    if (ok.stored[i])
      box_plan_adopt (&ok.plan, i, i == 1);
  box_plan_listed (&ok.plan, 1);
  follow (x, &ok);
}

/* Box answers for all parts that are held now: one is there by each bit of @hits. */
static World
answer_ask (const World *world, guint k, guint hits)
{
  World w = without_running (world, k);

  for (guint i = 0; i < w.plan.parts->len; i++)
    {
      if (!g_array_index (w.plan.parts, BoxPlanPart, i).hold)
        continue;
      if ((hits & (1u << i)) != 0)
        {
          store (&w, i);
          g_assert_true (box_plan_adopt (&w.plan, i, FALSE));
        }
      else
        box_plan_missed (&w.plan, i);
    }
  box_plan_asked (&w.plan, 1);
  return w;
}

static void
end_ask (Exploration *x, const World *world, guint k)
{
  for (guint hits = 0; hits < 1u << N_PARTS; hits++)
    {
      World w = answer_ask (world, k, hits);

      follow (x, &w);
    }
}

static void
end_commit (Exploration *x, const World *world, guint k)
{
  World ok = without_running (world, k);

  ok.commits++;
  box_plan_committed (&ok.plan);
  follow (x, &ok);
  if (world->trouble >= MAX_TROUBLE)
    return;
  for (guint lost = 0; lost < 2; lost++)
    {
      World bad = without_running (world, k);

      bad.trouble++;
      bad.commits += lost;
      box_plan_control_failed (&bad.plan, TRUE, 0, FALSE);
      follow (x, &bad);
    }
}

/* Somebody took the name: another session, or the one request again. */
static void
end_by_conflict (Exploration *x, const World *world, guint k)
{
  World w = without_running (world, k);

  w.trouble++;
  memset (w.stored, 0, sizeof w.stored);
  memset (w.times_stored, 0, sizeof w.times_stored);
  box_plan_reopen (&w.plan, 0);
  follow (x, &w);
}

static void
end_lookup (Exploration *x, const World *world, guint k)
{
  World w = without_running (world, k);

  if (w.commits > 0)
    box_plan_committed (&w.plan);
  else
    box_plan_not_committed (&w.plan, 0);
  follow (x, &w);
}

static void
end_open (Exploration *x, const World *world, guint k)
{
  World w = without_running (world, k);

  box_plan_opened (&w.plan, x->whole ? 0 : N_PARTS, x->list, 0);
  for (guint i = 0; !x->whole && i < N_PARTS; i++)
    if (x->held & (1u << i))
      box_plan_hold (&w.plan, i);
  if (!x->whole)
    box_plan_seal (&w.plan, w.sealed, 0);
  follow (x, &w);
}

static void
end_other_ways (Exploration *x, const World *world, guint k)
{
  BoxStepKind kind = world->running[k].kind;
  gboolean control = kind == BOX_STEP_OPEN || kind == BOX_STEP_LIST || kind == BOX_STEP_LOOKUP
                     || kind == BOX_STEP_ASK || kind == BOX_STEP_COMMIT || kind == BOX_STEP_WHOLE;

  if (control && world->trouble < MAX_TROUBLE)
    {
      World again = without_running (world, k);

      again.trouble++;
      box_plan_control_failed (&again.plan, FALSE, 0, FALSE);
      follow (x, &again);
    }
  if (kind != BOX_STEP_ABORT)
    {
      World fatal = without_running (world, k);

      box_plan_dropped (&fatal.plan, &world->running[k]);
      box_plan_fail (&fatal.plan);
      follow (x, &fatal);
    }
}

static void
end_step (Exploration *x, const World *world, guint k)
{
  World w;

  switch (world->running[k].kind)
    {
    case BOX_STEP_SEND:
      end_send (x, world, k);
      break;
    case BOX_STEP_DIGEST:
      w = without_running (world, k);
      box_plan_digested (&w.plan, 0);
      follow (x, &w);
      break;
    case BOX_STEP_VERIFY:
      w = without_running (world, k);
      box_plan_sent (&w.plan, world->running[k].part);
      follow (x, &w);
      break;
    case BOX_STEP_LIST:
      end_list (x, world, k);
      break;
    case BOX_STEP_ASK:
      end_ask (x, world, k);
      break;
    case BOX_STEP_OPEN:
      end_open (x, world, k);
      break;
    case BOX_STEP_COMMIT:
    case BOX_STEP_WHOLE:
      end_commit (x, world, k);
      if (world->trouble < MAX_TROUBLE)
        end_by_conflict (x, world, k);
      break;
    case BOX_STEP_LOOKUP:
      end_lookup (x, world, k);
      break;
    case BOX_STEP_ABORT:
      w = without_running (world, k);
      box_plan_aborted (&w.plan);
      follow (x, &w);
      break;
    default:
      g_assert_not_reached ();
    }
  if (world->plan.failed || world->plan.cancelled)
    {
      w = without_running (world, k);
      box_plan_dropped (&w.plan, &world->running[k]);
      if (world->running[k].kind == BOX_STEP_ABORT)
        box_plan_aborted (&w.plan);
      follow (x, &w);
    }
  else
    end_other_ways (x, world, k);
}

static void
produce (Exploration *x, const World *world)
{
  World w;

  if (world->plan.finished || world->plan.failed || world->plan.cancelled)
    return;
  w = world_copy (world);
  if (w.sealed < N_PARTS)
    {
      w.sealed++;
      if (w.plan.opened && !w.plan.whole)
        box_plan_seal (&w.plan, w.sealed, 0);
    }
  else if (w.plan.opened)
    {
      if (x->undigested)
        box_plan_leave_digest (&w.plan);
      box_plan_finish (&w.plan, 0);
    }
  follow (x, &w);
}

static void
cancel (Exploration *x, const World *world)
{
  World w;

  if (world->plan.cancelled)
    return;
  w = world_copy (world);
  box_plan_cancel (&w.plan);
  follow (x, &w);
}

static void
explore (Exploration *x, const World *world)
{
  BoxStep step;
  char *key = world_key (world);

  check_counts (world);
  if (!g_hash_table_add (x->seen, key))
    return;
  x->states++;
  step = box_plan_next (&world->plan, 0);
  check_step (world, &step);
  if (step.kind == BOX_STEP_DONE)
    {
      x->ends++;
      return;
    }
  if (step.kind != BOX_STEP_WAIT)
    {
      World w = world_copy (world);

      box_plan_begin (&w.plan, &step);
      w.running[w.n_running++] = step;
      follow (x, &w);
    }
  for (guint k = 0; k < world->n_running; k++)
    end_step (x, world, k);
  produce (x, world);
  cancel (x, world);
}

static void
run_exploration (Exploration *x)
{
  World start = { 0 };

  x->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  box_plan_init (&start.plan, x->parallel, x->commit, x->abort_on_failure, 0);
  for (guint i = 0; i < N_PARTS; i++)
    if (x->preloaded & (1u << i))
      store (&start, i);
  explore (x, &start);
  box_plan_clear (&start.plan);
  g_hash_table_unref (x->seen);
  g_test_message ("%u states, %u ends", x->states, x->ends);
  g_assert_cmpuint (x->ends, >, 0);
}

static void
test_every_interleaving_keeps_the_invariants (void)
{
  for (guint parallel = 1; parallel <= 3; parallel++)
    for (guint flags = 0; flags < 4; flags++)
      {
        Exploration x = { .parallel = parallel,
                          .commit = flags & 1,
                          .abort_on_failure = flags & 2 };

        run_exploration (&x);
        g_assert_cmpuint (x.states, >, 500);
      }
}

static void
test_a_session_that_holds_parts_is_continued_in_every_interleaving (void)
{
  for (guint preloaded = 0; preloaded < 8; preloaded++)
    {
      Exploration x = { .parallel = 2, .commit = TRUE, .list = TRUE, .preloaded = preloaded };

      run_exploration (&x);
    }
}

/* In a session that is new, and in one that holds a part that may be held, too. */
static void
test_parts_from_elsewhere_are_asked_for_in_every_interleaving (void)
{
  for (guint held = 1; held < 1u << N_PARTS; held++)
    for (guint list = 0; list < 2; list++)
      {
        Exploration x = {
          .parallel = 2, .commit = TRUE, .held = held, .list = list, .preloaded = list ? 2 : 0
        };

        run_exploration (&x);
        g_assert_cmpuint (x.states, >, 500);
      }
}

static void
test_a_whole_upload_is_never_repeated_blindly (void)
{
  Exploration x = { .parallel = 2, .commit = TRUE, .whole = TRUE };

  run_exploration (&x);
}

/* Nothing is committed, and no file looked for, by a digest that is not whole. */
static void
test_a_digest_is_whole_before_it_is_used (void)
{
  for (guint whole = 0; whole < 2; whole++)
    for (guint commit = whole; commit < 2; commit++)
      {
        Exploration x = { .parallel = 2, .commit = commit, .whole = whole, .undigested = TRUE };

        run_exploration (&x);
      }
}

static BoxPlan
opened_plan (guint parallel, guint n_parts)
{
  BoxPlan plan;
  BoxStep step;

  box_plan_init (&plan, parallel, TRUE, FALSE, 0);
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_OPEN);
  box_plan_begin (&plan, &step);
  box_plan_opened (&plan, n_parts, FALSE, 0);
  return plan;
}

static guint
send_next (BoxPlan *plan, gint64 now)
{
  BoxStep step = box_plan_next (plan, now);

  g_assert_cmpint (step.kind, ==, BOX_STEP_SEND);
  box_plan_begin (plan, &step);
  return step.part;
}

static void
test_parts_leave_in_order_and_a_failed_one_before_any_new_one (void)
{
  BoxPlan plan = opened_plan (2, 4);

  box_plan_seal (&plan, 4, 0);
  g_assert_cmpuint (send_next (&plan, 0), ==, 0);
  g_assert_cmpuint (send_next (&plan, 0), ==, 1);
  box_plan_send_failed (&plan, 0, FALSE, 0, FALSE);
  g_assert_cmpuint (send_next (&plan, 0), ==, 0);
  box_plan_sent (&plan, 1);
  g_assert_cmpuint (send_next (&plan, 0), ==, 2);
  box_plan_clear (&plan);
}

static void
test_parts_that_wait_to_be_sent_again_keep_their_share (void)
{
  BoxPlan plan = opened_plan (2, 4);
  BoxStep step;

  box_plan_seal (&plan, 4, 0);
  send_next (&plan, 0);
  send_next (&plan, 0);
  box_plan_send_failed (&plan, 0, FALSE, 100, FALSE);
  box_plan_send_failed (&plan, 1, FALSE, 50, FALSE);
  step = box_plan_next (&plan, 10);
  g_assert_cmpint (step.kind, ==, BOX_STEP_WAIT);
  g_assert_cmpint (step.wake_at, ==, 50);
  box_plan_clear (&plan);
}

static void
test_the_network_coming_back_ends_waits_but_not_those_asked_for (void)
{
  BoxPlan plan = opened_plan (2, 4);
  BoxStep step;

  box_plan_seal (&plan, 4, 0);
  send_next (&plan, 0);
  send_next (&plan, 0);
  box_plan_send_failed (&plan, 0, FALSE, 100, TRUE);
  box_plan_send_failed (&plan, 1, FALSE, 200, FALSE);
  box_plan_hurry (&plan, 10);
  g_assert_cmpuint (send_next (&plan, 10), ==, 1);
  box_plan_sent (&plan, 1);
  g_assert_cmpuint (send_next (&plan, 10), ==, 2);
  step = box_plan_next (&plan, 10);
  g_assert_cmpint (step.kind, ==, BOX_STEP_WAIT);
  box_plan_clear (&plan);
}

static void
test_a_list_does_not_end_the_waits_that_the_server_asked_for (void)
{
  BoxPlan plan = opened_plan (2, 2);
  BoxStep step;

  box_plan_seal (&plan, 2, 0);
  send_next (&plan, 0);
  send_next (&plan, 0);
  box_plan_send_failed (&plan, 0, TRUE, 100, TRUE);
  box_plan_send_failed (&plan, 1, TRUE, 5, FALSE);
  step = box_plan_next (&plan, 5);
  g_assert_cmpint (step.kind, ==, BOX_STEP_LIST);
  box_plan_begin (&plan, &step);
  box_plan_listed (&plan, 6);
  g_assert_cmpuint (send_next (&plan, 6), ==, 1);
  step = box_plan_next (&plan, 6);
  g_assert_cmpint (step.kind, ==, BOX_STEP_WAIT);
  g_assert_cmpint (step.wake_at, ==, 100);
  box_plan_clear (&plan);
}

static void
test_a_part_that_fails_while_a_list_runs_waits_for_the_next_list (void)
{
  BoxPlan plan = opened_plan (2, 2);
  BoxStep step;

  box_plan_seal (&plan, 2, 0);
  send_next (&plan, 0);
  send_next (&plan, 0);
  box_plan_send_failed (&plan, 0, TRUE, 0, FALSE);
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_LIST);
  box_plan_begin (&plan, &step);
  box_plan_send_failed (&plan, 1, TRUE, 0, FALSE);
  box_plan_listed (&plan, 0);
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_LIST);
  box_plan_clear (&plan);
}

static void
test_what_an_earlier_attempt_may_have_committed_is_looked_up_before_anything_else (void)
{
  BoxPlan plan;
  BoxStep step;

  box_plan_init (&plan, 2, TRUE, FALSE, 0);
  plan.unsure = TRUE;
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_WAIT);
  box_plan_finish (&plan, 0);
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_LOOKUP);
  box_plan_begin (&plan, &step);
  box_plan_not_committed (&plan, 0);
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_OPEN);
  box_plan_clear (&plan);
}

static void
test_a_sealed_part_that_is_adopted_is_not_sent (void)
{
  BoxPlan plan;
  BoxStep step;

  box_plan_init (&plan, 2, TRUE, FALSE, 0);
  box_plan_opened (&plan, 3, TRUE, 0);
  box_plan_seal (&plan, 3, 0);
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_LIST);
  box_plan_begin (&plan, &step);
  g_assert_true (box_plan_adopt (&plan, 0, FALSE));
  g_assert_true (box_plan_adopt (&plan, 2, FALSE));
  box_plan_listed (&plan, 0);
  g_assert_cmpuint (send_next (&plan, 0), ==, 1);
  step = box_plan_next (&plan, 0);
  g_assert_cmpint (step.kind, ==, BOX_STEP_WAIT);
  box_plan_clear (&plan);
}

static void
test_slow_parts_have_less_company_for_a_while (void)
{
  BoxPlan plan = opened_plan (4, 40);

  box_plan_seal (&plan, 40, 0);
  for (guint i = 0; i < 4; i++)
    send_next (&plan, 0);
  /* All four share the link, and are late together. */
  for (guint i = 0; i < 4; i++)
    {
      box_plan_send_was_slow (&plan, i);
      box_plan_send_failed (&plan, i, FALSE, 0, FALSE);
      g_assert_cmpuint (g_array_index (plan.parts, BoxPlanPart, i).slow, ==, 1);
    }
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (send_next (&plan, 0), ==, i);
  g_assert_cmpint (box_plan_next (&plan, 0).kind, ==, BOX_STEP_WAIT);

  box_plan_send_was_slow (&plan, 0);
  box_plan_send_failed (&plan, 0, FALSE, 0, FALSE);
  g_assert_cmpuint (plan.allowed, ==, 1);
  box_plan_sent (&plan, 1);
  g_assert_cmpuint (plan.allowed, ==, 2);
  g_assert_cmpuint (send_next (&plan, 0), ==, 0);
  g_assert_cmpuint (send_next (&plan, 0), ==, 2);
  box_plan_sent (&plan, 0);
  g_assert_cmpuint (plan.allowed, ==, 2);
  box_plan_sent (&plan, 2);
  g_assert_cmpuint (plan.allowed, ==, 3);
  box_plan_clear (&plan);
}

static void
test_one_part_is_always_sent (void)
{
  BoxPlan plan = opened_plan (2, 2);

  box_plan_seal (&plan, 2, 0);
  for (guint i = 0; i < 5; i++)
    {
      g_assert_cmpuint (send_next (&plan, 0), ==, 0);
      box_plan_send_was_slow (&plan, 0);
      box_plan_send_failed (&plan, 0, FALSE, 0, FALSE);
    }
  g_assert_cmpuint (plan.allowed, ==, 1);
  box_plan_clear (&plan);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/a-digest-is-whole-before-it-is-used",
                   test_a_digest_is_whole_before_it_is_used);
  g_test_add_func ("/plan/parts-from-elsewhere-are-asked-for-in-every-interleaving",
                   test_parts_from_elsewhere_are_asked_for_in_every_interleaving);
  g_test_add_func ("/plan/every-interleaving-keeps-the-invariants",
                   test_every_interleaving_keeps_the_invariants);
  g_test_add_func ("/plan/a-session-that-holds-parts-is-continued-in-every-interleaving",
                   test_a_session_that_holds_parts_is_continued_in_every_interleaving);
  g_test_add_func ("/plan/a-whole-upload-is-never-repeated-blindly",
                   test_a_whole_upload_is_never_repeated_blindly);
  g_test_add_func ("/plan/parts-leave-in-order-and-a-failed-one-before-any-new-one",
                   test_parts_leave_in_order_and_a_failed_one_before_any_new_one);
  g_test_add_func ("/plan/parts-that-wait-to-be-sent-again-keep-their-share",
                   test_parts_that_wait_to_be_sent_again_keep_their_share);
  g_test_add_func ("/plan/slow-parts-have-less-company-for-a-while",
                   test_slow_parts_have_less_company_for_a_while);
  g_test_add_func ("/plan/one-part-is-always-sent", test_one_part_is_always_sent);
  g_test_add_func ("/plan/the-network-coming-back-ends-waits-but-not-those-asked-for",
                   test_the_network_coming_back_ends_waits_but_not_those_asked_for);
  g_test_add_func ("/plan/a-list-does-not-end-the-waits-that-the-server-asked-for",
                   test_a_list_does_not_end_the_waits_that_the_server_asked_for);
  g_test_add_func ("/plan/a-part-that-fails-while-a-list-runs-waits-for-the-next-list",
                   test_a_part_that_fails_while_a_list_runs_waits_for_the_next_list);
  g_test_add_func (
      "/plan/what-an-earlier-attempt-may-have-committed-is-looked-up-before-anything-else",
      test_what_an_earlier_attempt_may_have_committed_is_looked_up_before_anything_else);
  g_test_add_func ("/plan/a-sealed-part-that-is-adopted-is-not-sent",
                   test_a_sealed_part_that_is_adopted_is_not_sent);
  return g_test_run ();
}

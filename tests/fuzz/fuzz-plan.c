/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPlan under any order of events: the first bytes choose the upload, and the others what happens
 * next. A model of Box knows what is really stored. Whatever happens, the counts are right, nothing
 * is stored or committed twice, and once nothing fails any more the upload ends.
 */
#include "fuzz.h"

#include "upload/plan.h"

#include <string.h>

#define MOST_PARTS   12
#define MOST_RUNNING 16
#define MANY         2000

typedef struct
{
  BoxPlan plan;
  gint64 now;
  guint n_parts; /* 0: one request */
  guint held;    /* bit mask: Box may have them from elsewhere */
  gboolean undigested;
  guint sealed; /* by the producer */

  gboolean stored[MOST_PARTS]; /* at Box */
  guint commits;

  BoxStep running[MOST_RUNNING];
  guint n_running;
} World;

static const BoxPlanPart *
part_of (const World *w, guint i)
{
  return &g_array_index (w->plan.parts, BoxPlanPart, i);
}

static void
check_counts (const World *w)
{
  const BoxPlan *p = &w->plan;
  guint in_flight = 0, unsure = 0, failed = 0, done = 0, held = 0;

  for (guint i = 0; i < p->parts->len; i++)
    {
      in_flight += part_of (w, i)->state == BOX_PART_IN_FLIGHT;
      unsure += part_of (w, i)->state == BOX_PART_UNSURE;
      failed += part_of (w, i)->state == BOX_PART_FAILED;
      held += part_of (w, i)->hold;
      done += part_of (w, i)->state == BOX_PART_DONE && part_of (w, i)->sealed;
      g_assert_true (part_of (w, i)->state != BOX_PART_READY || p->next_new <= i);
    }
  g_assert_cmpuint (p->n_in_flight, ==, in_flight);
  g_assert_cmpuint (p->n_unsure, ==, unsure);
  g_assert_cmpuint (p->troubled->len, ==, unsure + failed);
  g_assert_cmpuint (p->n_held, ==, held);
  g_assert_cmpuint (p->n_done, ==, done);
  g_assert_cmpuint (p->allowed, >=, 1);
  g_assert_cmpuint (p->allowed, <=, p->parallel);
}

static gboolean
has_all (const World *w)
{
  for (guint i = 0; i < w->n_parts; i++)
    if (!w->stored[i])
      return FALSE;
  return TRUE;
}

static void
check_step (const World *w, const BoxStep *step)
{
  const BoxPlan *p = &w->plan;
  gboolean stopped = p->failed || p->cancelled;

  g_assert_true (!stopped || step->kind == BOX_STEP_WAIT || step->kind == BOX_STEP_DONE
                 || step->kind == BOX_STEP_ABORT);
  if (step->kind == BOX_STEP_SEND)
    g_assert_cmpuint (step->part, <, w->sealed);
  if (step->kind == BOX_STEP_COMMIT)
    g_assert_true (has_all (w) && w->commits == 0 && !p->unsure && w->n_running == 0);
  if (step->kind == BOX_STEP_WHOLE)
    g_assert_true (w->commits == 0 && !p->unsure && p->finished);
  if (step->kind == BOX_STEP_ABORT)
    g_assert_true (p->abort_on_failure && w->commits == 0 && w->n_running == 0);
  if (step->kind == BOX_STEP_DONE)
    g_assert_cmpuint (w->n_running, ==, 0);
  if (step->kind == BOX_STEP_DONE && !stopped)
    g_assert_cmpuint (w->commits, ==, p->commit ? 1 : 0);
}

/* FALSE: there is nothing to begin. */
static gboolean
begin_step (World *w)
{
  BoxStep step = box_plan_next (&w->plan, w->now);

  check_step (w, &step);
  if (step.kind == BOX_STEP_WAIT || step.kind == BOX_STEP_DONE)
    return FALSE;
  g_assert_cmpuint (w->n_running, <, MOST_RUNNING);
  box_plan_begin (&w->plan, &step);
  w->running[w->n_running++] = step;
  return TRUE;
}

/* 0: it works. */
static void
end_send (World *w, guint part, guint8 how)
{
  if (how % 4 == 0 && !w->stored[part])
    {
      w->stored[part] = TRUE;
      box_plan_sent (&w->plan, part);
      return;
    }
  if ((how & 64) != 0)
    box_plan_send_was_slow (&w->plan, part);
  if (how % 4 == 3)
    w->stored[part] = TRUE;
  /* A part that is there is refused for its overlap. */
  box_plan_send_failed (&w->plan, part, how % 4 > 1 || w->stored[part], w->now + how,
                        (how & 128) != 0);
}

static void
end_open (World *w)
{
  gboolean earlier = FALSE;

  for (guint i = 0; i < w->n_parts; i++)
    earlier |= w->stored[i];
  box_plan_opened (&w->plan, w->n_parts, earlier, w->now);
  for (guint i = 0; i < w->n_parts; i++)
    if ((w->held & 1u << i) != 0)
      box_plan_hold (&w->plan, i);
  if (w->n_parts > 0)
    box_plan_seal (&w->plan, w->sealed, w->now);
}

static void
end_list (World *w, guint8 how)
{
  for (guint i = 0; i < w->n_parts; i++)
    if (w->stored[i])
      box_plan_adopt (&w->plan, i, (how >> i % 8 & 1) != 0);
  box_plan_listed (&w->plan, w->now);
}

static void
end_ask (World *w, guint8 how)
{
  for (guint i = 0; i < w->n_parts; i++)
    {
      if (!part_of (w, i)->hold)
        continue;
      if ((how >> i % 8 & 1) != 0)
        w->stored[i] |= box_plan_adopt (&w->plan, i, FALSE);
      else
        box_plan_missed (&w->plan, i);
    }
  box_plan_asked (&w->plan, w->now);
}

static void
end_commit (World *w, const BoxStep *step, guint8 how)
{
  switch (how % 8)
    {
    case 1: /* the answer was lost */
      w->commits++;
      box_plan_control_failed (&w->plan, TRUE, w->now + how, FALSE);
      break;
    case 2:
      box_plan_control_failed (&w->plan, TRUE, w->now + how, TRUE);
      break;
    case 3: /* somebody took the name */
      memset (w->stored, 0, sizeof w->stored);
      box_plan_reopen (&w->plan, w->now + how);
      break;
    case 4:
      if (step->kind == BOX_STEP_COMMIT)
        box_plan_commit_pending (&w->plan, w->now + how);
      else
        box_plan_control_failed (&w->plan, FALSE, w->now + how, FALSE);
      break;
    default:
      w->commits++;
      box_plan_committed (&w->plan);
    }
}

static void
succeed (World *w, const BoxStep *step, guint8 how)
{
  switch (step->kind)
    {
    case BOX_STEP_OPEN:
      end_open (w);
      break;
    case BOX_STEP_LIST:
      end_list (w, how);
      break;
    case BOX_STEP_ASK:
      end_ask (w, how);
      break;
    case BOX_STEP_VERIFY:
      box_plan_sent (&w->plan, step->part);
      break;
    case BOX_STEP_DIGEST:
      box_plan_digested (&w->plan, w->now);
      break;
    case BOX_STEP_LOOKUP:
      if (w->commits > 0)
        box_plan_committed (&w->plan);
      else
        box_plan_not_committed (&w->plan, w->now);
      break;
    default:
      box_plan_aborted (&w->plan);
    }
}

static void
end_step (World *w, guint k, guint8 how)
{
  BoxStep step = w->running[k];
  gboolean control = step.kind == BOX_STEP_OPEN || step.kind == BOX_STEP_LIST
                     || step.kind == BOX_STEP_ASK || step.kind == BOX_STEP_LOOKUP;

  w->n_running--;
  memmove (&w->running[k], &w->running[k + 1], (w->n_running - k) * sizeof step);
  if (step.kind == BOX_STEP_ABORT)
    box_plan_aborted (&w->plan);
  else if (w->plan.failed || w->plan.cancelled)
    box_plan_dropped (&w->plan, &step);
  else if (step.kind == BOX_STEP_SEND)
    end_send (w, step.part, how);
  else if (step.kind == BOX_STEP_COMMIT || step.kind == BOX_STEP_WHOLE)
    end_commit (w, &step, how);
  else if (control && how % 4 == 3)
    box_plan_control_failed (&w->plan, FALSE, w->now + how, (how & 128) != 0);
  else
    succeed (w, &step, how);
}

static void
produce (World *w)
{
  if (w->plan.finished || w->plan.failed || w->plan.cancelled)
    return;
  if (w->sealed < w->n_parts)
    {
      w->sealed++;
      if (w->plan.opened)
        box_plan_seal (&w->plan, w->sealed, w->now);
      return;
    }
  if (w->undigested)
    box_plan_leave_digest (&w->plan);
  box_plan_finish (&w->plan, w->now);
}

static void
interfere (World *w, guint8 how)
{
  if (how < 80)
    box_plan_hurry (&w->plan, w->now);
  else if (how < 160)
    box_plan_call_last (&w->plan, w->now);
  else if (how < 250)
    box_plan_set_gate (&w->plan, w->now + how - 160, 1 + how % w->plan.parallel);
  else if (how < 253)
    box_plan_fail (&w->plan);
  else
    box_plan_cancel (&w->plan);
}

static void
happen (World *w, guint8 what, guint8 how)
{
  switch (what % 8)
    {
    case 0:
    case 1:
    case 2:
      begin_step (w);
      break;
    case 3:
    case 4:
      if (w->n_running > 0)
        end_step (w, (what / 8) % w->n_running, how);
      break;
    case 5:
      produce (w);
      break;
    case 6:
      w->now += how;
      break;
    default:
      interfere (w, how);
    }
  check_counts (w);
}

/* Nothing fails from now on. */
static void
run_to_the_end (World *w)
{
  box_plan_set_gate (&w->plan, 0, w->plan.parallel);
  for (guint i = 0; i < MANY; i++)
    {
      produce (w);
      while (begin_step (w))
        check_counts (w);
      if (box_plan_next (&w->plan, w->now).kind == BOX_STEP_DONE)
        return;
      if (w->n_running > 0)
        end_step (w, 0, 0);
      w->now += 1000;
      check_counts (w);
    }
  g_assert_not_reached ();
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  World w = { 0 };

  if (size < 4)
    return 0;
  w.n_parts = data[0] % (MOST_PARTS + 1);
  w.undigested = (data[1] & 8) != 0;
  w.held = (data[1] & 16) != 0 ? data[2] | data[3] << 8 : 0;
  box_plan_init (&w.plan, 1 + data[1] % 4, (data[1] & 32) != 0 || w.n_parts == 0,
                 (data[1] & 64) != 0, 0);
  for (gsize i = 4; i + 1 < size; i += 2)
    happen (&w, data[i], data[i + 1]);
  run_to_the_end (&w);
  box_plan_clear (&w.plan);
  return 0;
}

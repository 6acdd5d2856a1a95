/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload/plan.h"

/* Invariants: troubled holds exactly the FAILED and UNSURE parts, with those in flight never more
 * than `parallel`; next_new is never above a READY part. */

void
box_plan_init (BoxPlan *plan, guint parallel, gboolean commit, gboolean abort_on_failure,
               gint64 now)
{
  *plan = (BoxPlan){
    .parallel = parallel,
    .allowed = parallel,
    .share = parallel,
    .commit = commit,
    .abort_on_failure = abort_on_failure,
    .control_since = now,
    .parts = g_array_new (FALSE, TRUE, sizeof (BoxPlanPart)),
    .troubled = g_array_new (FALSE, FALSE, sizeof (guint)),
    .n_stream = G_MAXUINT,
  };
}

void
box_plan_clear (BoxPlan *plan)
{
  g_clear_pointer (&plan->parts, g_array_unref);
  g_clear_pointer (&plan->troubled, g_array_unref);
}

void
box_plan_set_parallel (BoxPlan *plan, guint parallel)
{
  plan->parallel = plan->allowed = plan->share = parallel;
}

void
box_plan_set_gate (BoxPlan *plan, gint64 gate, guint share)
{
  plan->gate = gate;
  plan->share = share;
}

static BoxPlanPart *
part_at (const BoxPlan *plan, guint i)
{
  return &g_array_index (plan->parts, BoxPlanPart, i);
}

static guint
troubled_at (const BoxPlan *plan, guint k)
{
  return g_array_index (plan->troubled, guint, k);
}

static BoxStep
wait_until (gint64 wake_at)
{
  return (BoxStep){ .kind = BOX_STEP_WAIT, .wake_at = wake_at };
}

static BoxStep
control_step (const BoxPlan *plan, BoxStepKind kind, gint64 now)
{
  if (plan->control_not_before > now)
    return wait_until (plan->control_not_before);
  return (BoxStep){ .kind = kind, .since = MAX (plan->control_since, plan->control_not_before) };
}

static BoxStep
after_failure (const BoxPlan *plan)
{
  if (plan->n_in_flight > 0 || plan->control != BOX_PLAN_CONTROL_NONE)
    return wait_until (G_MAXINT64);
  /* A session that is or may be committed is not aborted. */
  if (plan->failed && !plan->cancelled && plan->abort_on_failure && plan->opened && !plan->whole
      && !plan->unsure && !plan->committed && !plan->aborted)
    return (BoxStep){ .kind = BOX_STEP_ABORT };
  return (BoxStep){ .kind = BOX_STEP_DONE };
}

static BoxStep
send_step (const BoxPlan *plan, guint i, gint64 now)
{
  const BoxPlanPart *part = part_at (plan, i);

  if (!part->verify && plan->gate > now)
    return wait_until (plan->gate);
  return (BoxStep){
    .kind = part->verify ? BOX_STEP_VERIFY : BOX_STEP_SEND,
    .part = i,
    .since = MAX (part->since, part->not_before),
  };
}

/* Padding for which it is not the time yet: box_plan_pad(). */
static gboolean
makes_way (const BoxPlan *plan, guint i)
{
  gboolean waits =
      plan->n_held > 0 || (plan->troubled->len > 0 && troubled_at (plan, 0) < plan->n_stream);

  return i >= plan->n_stream && (plan->n_leaving > 0 || (waits && plan->n_leaving_padding > 0));
}

/* The first part that failed and is due; else the first that was never sent, where a share is left:
 * a failed part keeps its own, so that an outage is met with `parallel` requests and no more. */
static BoxStep
next_transfer (const BoxPlan *plan, gint64 now)
{
  gint64 wake_at = G_MAXINT64;

  if (plan->n_in_flight >= plan->allowed || plan->draining)
    return wait_until (G_MAXINT64);
  for (guint k = 0; k < plan->troubled->len; k++)
    {
      const BoxPlanPart *part = part_at (plan, troubled_at (plan, k));

      if (part->state == BOX_PART_UNSURE || makes_way (plan, troubled_at (plan, k)))
        continue;
      if (part->not_before <= now)
        return send_step (plan, troubled_at (plan, k), now);
      wake_at = MIN (wake_at, part->not_before);
    }
  if (plan->n_in_flight + plan->troubled->len < MIN (plan->allowed, plan->share)
      && plan->next_new < plan->n_sealed && !makes_way (plan, plan->next_new))
    return send_step (plan, plan->next_new, now);
  return wait_until (wake_at);
}

/* The time from which unsure parts may be listed: when the first of them has waited. */
static gint64
list_not_before (const BoxPlan *plan)
{
  gint64 not_before = G_MAXINT64;

  for (guint k = 0; k < plan->troubled->len; k++)
    {
      const BoxPlanPart *part = part_at (plan, troubled_at (plan, k));

      if (part->state == BOX_PART_UNSURE)
        not_before = MIN (not_before, part->not_before);
    }
  return MAX (not_before, plan->control_not_before);
}

static BoxStep
next_with_parts (const BoxPlan *plan, gint64 now)
{
  BoxStep transfer;

  if (plan->list_first)
    return plan->control == BOX_PLAN_CONTROL_NONE ? control_step (plan, BOX_STEP_LIST, now)
                                                  : wait_until (G_MAXINT64);
  if (plan->control == BOX_PLAN_CONTROL_NONE && plan->n_unsure > 0 && list_not_before (plan) <= now)
    return (BoxStep){ .kind = BOX_STEP_LIST, .since = list_not_before (plan) };
  if (plan->control == BOX_PLAN_CONTROL_NONE && plan->n_held > 0 && plan->control_not_before <= now)
    return control_step (plan, BOX_STEP_ASK, now);

  transfer = next_transfer (plan, now);
  if (transfer.kind == BOX_STEP_WAIT && plan->control == BOX_PLAN_CONTROL_NONE && plan->n_held > 0)
    transfer.wake_at = MIN (transfer.wake_at, plan->control_not_before);
  if (transfer.kind == BOX_STEP_WAIT && plan->control == BOX_PLAN_CONTROL_NONE
      && plan->n_unsure > 0)
    transfer.wake_at = MIN (transfer.wake_at, list_not_before (plan));
  return transfer;
}

static gboolean
all_parts_done (const BoxPlan *plan)
{
  return plan->finished && !plan->undigested && plan->n_done == plan->parts->len
         && plan->control != BOX_PLAN_CONTROL_LIST;
}

static BoxStep
digest_step (const BoxPlan *plan)
{
  if (plan->control != BOX_PLAN_CONTROL_NONE)
    return wait_until (G_MAXINT64);
  return (BoxStep){ .kind = BOX_STEP_DIGEST, .since = plan->control_since };
}

/* An earlier attempt may have committed already, and its session may be gone for that: look first.
 */
static BoxStep
next_before_opening (const BoxPlan *plan, gint64 now)
{
  if (plan->draining)
    return wait_until (G_MAXINT64);
  if (!plan->unsure)
    return control_step (plan, BOX_STEP_OPEN, now);
  if (!plan->finished)
    return wait_until (G_MAXINT64);
  if (plan->undigested)
    return digest_step (plan);
  return control_step (plan, BOX_STEP_LOOKUP, now);
}

BoxStep
box_plan_next (const BoxPlan *plan, gint64 now)
{
  if (plan->failed || plan->cancelled)
    return after_failure (plan);
  if (plan->committed)
    return (BoxStep){ .kind = BOX_STEP_DONE };
  if (plan->control == BOX_PLAN_CONTROL_BUSY)
    return wait_until (G_MAXINT64);
  if (!plan->opened)
    return next_before_opening (plan, now);
  if (plan->finished && plan->undigested && plan->control == BOX_PLAN_CONTROL_NONE)
    return digest_step (plan);
  if (plan->whole)
    {
      if (!plan->finished || plan->undigested)
        return wait_until (G_MAXINT64);
      return control_step (plan, plan->unsure ? BOX_STEP_LOOKUP : BOX_STEP_WHOLE, now);
    }
  if (!all_parts_done (plan))
    return next_with_parts (plan, now);
  if (!plan->commit)
    return (BoxStep){ .kind = BOX_STEP_DONE };
  return control_step (plan, plan->unsure ? BOX_STEP_LOOKUP : BOX_STEP_COMMIT, now);
}

static void
untrouble (BoxPlan *plan, guint i)
{
  for (guint k = 0; k < plan->troubled->len; k++)
    if (troubled_at (plan, k) == i)
      {
        g_array_remove_index (plan->troubled, k);
        return;
      }
}

static void
trouble (BoxPlan *plan, guint i)
{
  guint k = 0;

  while (k < plan->troubled->len && troubled_at (plan, k) < i)
    k++;
  g_array_insert_val (plan->troubled, k, i);
}

static void
skip_begun_parts (BoxPlan *plan)
{
  while (plan->next_new < plan->n_sealed && part_at (plan, plan->next_new)->state != BOX_PART_READY)
    plan->next_new++;
}

/* A list says nothing of a part whose request ends only after the list was asked for. */
static void
mark_listed (BoxPlan *plan)
{
  for (guint k = 0; k < plan->troubled->len; k++)
    {
      BoxPlanPart *part = part_at (plan, troubled_at (plan, k));

      part->listed = part->state == BOX_PART_UNSURE;
    }
}

static guint *
leaving_with (BoxPlan *plan, guint i)
{
  return i < plan->n_stream ? &plan->n_leaving : &plan->n_leaving_padding;
}

static void
begin_leaving (BoxPlan *plan, const BoxStep *step)
{
  BoxPlanPart *part = part_at (plan, step->part);

  part->left = step->kind != BOX_STEP_SEND;
  *leaving_with (plan, step->part) += part->left ? 0 : 1;
}

void
box_plan_left (BoxPlan *plan, guint i)
{
  BoxPlanPart *part = part_at (plan, i);

  *leaving_with (plan, i) -= part->left ? 0 : 1;
  part->left = TRUE;
}

/* Part @i is in flight no more. */
static void
land (BoxPlan *plan, guint i)
{
  box_plan_left (plan, i);
  plan->n_in_flight--;
}

void
box_plan_begin (BoxPlan *plan, const BoxStep *step)
{
  BoxPlanPart *part;

  switch (step->kind)
    {
    case BOX_STEP_LIST:
      plan->control = BOX_PLAN_CONTROL_LIST;
      plan->control_attempts++;
      mark_listed (plan);
      return;
    case BOX_STEP_ASK:
      plan->control = BOX_PLAN_CONTROL_LIST;
      plan->control_attempts++;
      return;
    case BOX_STEP_DIGEST:
      plan->control = BOX_PLAN_CONTROL_LIST;
      return;
    case BOX_STEP_SEND:
    case BOX_STEP_VERIFY:
      part = part_at (plan, step->part);
      untrouble (plan, step->part);
      part->state = BOX_PART_IN_FLIGHT;
      part->attempts += step->kind == BOX_STEP_SEND ? 1 : 0;
      part->ease = plan->ease;
      plan->n_in_flight++;
      begin_leaving (plan, step);
      skip_begun_parts (plan);
      return;
    case BOX_STEP_WHOLE:
    case BOX_STEP_COMMIT:
      plan->control = BOX_PLAN_CONTROL_BUSY;
      plan->commit_attempts++;
      return;
    case BOX_STEP_OPEN:
    case BOX_STEP_LOOKUP:
    case BOX_STEP_ABORT:
      plan->control = BOX_PLAN_CONTROL_BUSY;
      plan->control_attempts++;
      return;
    case BOX_STEP_WAIT:
    case BOX_STEP_DONE:
      return;
    }
}

static void
end_control (BoxPlan *plan)
{
  plan->control = BOX_PLAN_CONTROL_NONE;
  plan->control_attempts = plan->control_refusals = 0;
  plan->control_not_before = 0;
  plan->control_asked = FALSE;
}

void
box_plan_opened (BoxPlan *plan, guint n_parts, gboolean list, gint64 now)
{
  end_control (plan);
  plan->opened = TRUE;
  plan->whole = n_parts == 0;
  plan->control_since = now;
  plan->list_first = list && n_parts > 0;
  g_array_set_size (plan->parts, n_parts);
}

/* An adopted part that has to be compared is not held. */
static gboolean
can_be_held (const BoxPlanPart *part)
{
  return (part->state == BOX_PART_EMPTY || part->state == BOX_PART_READY) && !part->adopted
         && !part->hold;
}

void
box_plan_hold (BoxPlan *plan, guint i)
{
  BoxPlanPart *part = part_at (plan, i);

  if (!can_be_held (part))
    return;
  part->hold = TRUE;
  plan->n_held++;
  if (part->state == BOX_PART_READY)
    part->state = BOX_PART_HELD;
  skip_begun_parts (plan);
}

static void
let_go (BoxPlan *plan, BoxPlanPart *part)
{
  plan->n_held -= part->hold ? 1 : 0;
  part->hold = FALSE;
}

void
box_plan_seal (BoxPlan *plan, guint n, gint64 now)
{
  for (; plan->n_sealed < n; plan->n_sealed++)
    {
      BoxPlanPart *part = part_at (plan, plan->n_sealed);

      part->sealed = TRUE;
      part->since = now;
      if (part->state == BOX_PART_DONE)
        plan->n_done++;
      else if (part->state == BOX_PART_EMPTY)
        part->state = part->hold ? BOX_PART_HELD : BOX_PART_READY;
    }
  skip_begun_parts (plan);
}

void
box_plan_pad (BoxPlan *plan, guint n_stream)
{
  plan->n_stream = n_stream;
}

void
box_plan_leave_digest (BoxPlan *plan)
{
  plan->undigested = TRUE;
}

void
box_plan_digested (BoxPlan *plan, gint64 now)
{
  plan->undigested = FALSE;
  plan->control = BOX_PLAN_CONTROL_NONE;
  plan->control_since = now;
}

void
box_plan_finish (BoxPlan *plan, gint64 now)
{
  plan->finished = TRUE;
  plan->control_since = now;
}

void
box_plan_sent (BoxPlan *plan, guint i)
{
  part_at (plan, i)->state = BOX_PART_DONE;
  land (plan, i);
  plan->n_done++;
  if (plan->allowed == plan->parallel || ++plan->prompt < plan->allowed)
    return;
  plan->allowed++;
  plan->prompt = 0;
}

void
box_plan_send_was_slow (BoxPlan *plan, guint i)
{
  BoxPlanPart *part = part_at (plan, i);

  part->slow++;
  /* Those that were slow beside each other are one reason. */
  if (part->ease != plan->ease)
    return;
  plan->ease++;
  plan->allowed = MAX (plan->allowed / 2, 1);
  plan->prompt = 0;
}

void
box_plan_send_failed (BoxPlan *plan, guint i, gboolean unsure, gint64 not_before, gboolean asked)
{
  BoxPlanPart *part = part_at (plan, i);

  part->state = unsure ? BOX_PART_UNSURE : BOX_PART_FAILED;
  part->listed = FALSE;
  part->not_before = not_before;
  part->asked = asked;
  land (plan, i);
  plan->n_unsure += unsure ? 1 : 0;
  trouble (plan, i);
}

gboolean
box_plan_adopt (BoxPlan *plan, guint i, gboolean verify)
{
  BoxPlanPart *part = part_at (plan, i);

  if (part->state == BOX_PART_IN_FLIGHT || part->state == BOX_PART_DONE || part->adopted)
    return FALSE;
  if (part->state == BOX_PART_UNSURE)
    plan->n_unsure--;
  let_go (plan, part);
  untrouble (plan, i);
  part->adopted = TRUE;
  part->verify = verify;
  part->not_before = 0;
  if (!verify)
    {
      part->state = BOX_PART_DONE;
      plan->n_done += part->sealed ? 1 : 0;
      skip_begun_parts (plan);
      return TRUE;
    }
  part->state = part->sealed ? BOX_PART_READY : BOX_PART_EMPTY;
  plan->next_new = MIN (plan->next_new, i);
  skip_begun_parts (plan);
  return TRUE;
}

void
box_plan_missed (BoxPlan *plan, guint i)
{
  BoxPlanPart *part = part_at (plan, i);

  let_go (plan, part);
  if (part->state != BOX_PART_HELD)
    return;
  part->state = BOX_PART_READY;
  plan->next_new = MIN (plan->next_new, i);
}

void
box_plan_asked (BoxPlan *plan, gint64 now)
{
  end_control (plan);
  plan->control_since = now;
}

void
box_plan_stop_asking (BoxPlan *plan)
{
  for (guint i = 0; i < plan->parts->len; i++)
    box_plan_missed (plan, i);
}

void
box_plan_listed (BoxPlan *plan, gint64 now)
{
  end_control (plan);
  plan->control_since = now;
  plan->list_first = FALSE;
  for (guint k = 0; k < plan->troubled->len; k++)
    {
      BoxPlanPart *part = part_at (plan, troubled_at (plan, k));

      if (part->state != BOX_PART_UNSURE || !part->listed)
        continue;
      part->state = BOX_PART_FAILED;
      part->not_before = part->asked ? MAX (part->not_before, now) : now;
      plan->n_unsure--;
    }
}

void
box_plan_control_failed (BoxPlan *plan, gboolean unsure, gint64 not_before, gboolean asked)
{
  plan->unsure |= unsure;
  plan->control = BOX_PLAN_CONTROL_NONE;
  plan->control_not_before = not_before;
  plan->control_asked = asked;
}

void
box_plan_commit_pending (BoxPlan *plan, gint64 not_before)
{
  end_control (plan);
  plan->commit_attempts = plan->commit_refusals = 0;
  plan->control_not_before = not_before;
  plan->control_asked = TRUE;
}

void
box_plan_reopen (BoxPlan *plan, gint64 not_before)
{
  end_control (plan);
  plan->opened = plan->whole = FALSE;
  g_array_set_size (plan->parts, 0);
  g_array_set_size (plan->troubled, 0);
  plan->n_sealed = plan->n_done = plan->n_unsure = plan->n_held = plan->next_new = 0;
  plan->control_not_before = not_before;
}

void
box_plan_not_committed (BoxPlan *plan, gint64 now)
{
  end_control (plan);
  plan->unsure = FALSE;
  plan->control_since = now;
}

void
box_plan_committed (BoxPlan *plan)
{
  end_control (plan);
  plan->unsure = FALSE;
  plan->committed = TRUE;
}

void
box_plan_aborted (BoxPlan *plan)
{
  end_control (plan);
  plan->aborted = TRUE;
}

void
box_plan_dropped (BoxPlan *plan, const BoxStep *step)
{
  if (step->kind != BOX_STEP_SEND && step->kind != BOX_STEP_VERIFY)
    {
      plan->control = BOX_PLAN_CONTROL_NONE;
      return;
    }
  part_at (plan, step->part)->state = BOX_PART_FAILED;
  trouble (plan, step->part);
  land (plan, step->part);
}

void
box_plan_fail (BoxPlan *plan)
{
  plan->failed = TRUE;
}

void
box_plan_cancel (BoxPlan *plan)
{
  plan->cancelled = TRUE;
}

void
box_plan_drain (BoxPlan *plan)
{
  plan->draining = TRUE;
}

/* @asked: also the waits that the server asked for. */
static void
end_waits (BoxPlan *plan, gboolean asked, gint64 now)
{
  for (guint k = 0; k < plan->troubled->len; k++)
    {
      BoxPlanPart *part = part_at (plan, troubled_at (plan, k));

      if (asked || !part->asked)
        part->not_before = MIN (part->not_before, now);
    }
  if (asked || !plan->control_asked)
    plan->control_not_before = MIN (plan->control_not_before, now);
}

void
box_plan_hurry (BoxPlan *plan, gint64 now)
{
  end_waits (plan, FALSE, now);
}

void
box_plan_call_last (BoxPlan *plan, gint64 now)
{
  end_waits (plan, TRUE, now);
}

gboolean
box_plan_only_waits (const BoxPlan *plan, gint64 now)
{
  BoxStep step = box_plan_next (plan, now);

  return step.kind == BOX_STEP_WAIT && step.wake_at != G_MAXINT64 && plan->n_in_flight == 0
         && plan->control == BOX_PLAN_CONTROL_NONE;
}

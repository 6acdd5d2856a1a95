/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers' side of an upload: which step runs. */
#include "base/retry.h"
#include "upload/state.h"

static gboolean
perform (BoxUpload *upload, BoxTransport *transport, const BoxStep *step, BoxFlowPart *flow,
         GError **error)
{
  switch (step->kind)
    {
    case BOX_STEP_OPEN:
      return box_upload_open (upload, transport, error);
    case BOX_STEP_LIST:
      return box_upload_list (upload, transport, error);
    case BOX_STEP_ASK:
      return box_upload_ask (upload, transport, error);
    case BOX_STEP_VERIFY:
      return box_upload_verify_part (upload, step->part, error);
    case BOX_STEP_SEND:
      return box_upload_send_part (upload, transport, step->part, flow, error);
    case BOX_STEP_DIGEST:
      return box_upload_digest_padding (upload, error);
    case BOX_STEP_WHOLE:
      return box_upload_send_whole (upload, transport, error);
    case BOX_STEP_COMMIT:
      return box_upload_commit (upload, transport, error);
    case BOX_STEP_LOOKUP:
      return box_upload_lookup (upload, transport, error);
    case BOX_STEP_ABORT:
      return box_upload_abort (upload, transport, error);
    default:
      g_return_val_if_reached (TRUE);
    }
}

/* A recording that is being made, or one that is nowhere but in memory, is more urgent than a file
 * that is complete on a disk here. */
static gboolean
is_live_locked (const BoxUpload *upload)
{
  return upload->file_behind.read == NULL
         || (upload->grows && !upload->complete && !upload->plan.finished);
}

/* As the plan says, and the host's flow. In trouble, an upload keeps to few requests. */
static BoxStep
next_step_locked (BoxUpload *upload, gint64 now)
{
  gint64 gate = 0, wake_at;
  BoxFlow *flow;

  if (upload->host != NULL && upload->session != NULL)
    {
      flow = &upload->host->flow;
      if (!box_flow_may_start (flow, now, &wake_at))
        gate = wake_at;
      else if (!is_live_locked (upload) && box_flow_makes_way (flow))
        gate = G_MAXINT64;
      box_plan_set_gate (&upload->plan, gate,
                         upload->trouble_count > 0 ? flow->aim : upload->plan.parallel);
    }
  return box_plan_next (&upload->plan, now);
}

static void
begin_part_locked (BoxUpload *upload, BoxFlowPart *part, gint64 now)
{
  *part = (BoxFlowPart){ .begun = now };
  if (upload->host != NULL)
    box_flow_begin (&upload->host->flow, part, now);
  part->yields = !is_live_locked (upload);
  if (upload->file_behind.read != NULL)
    g_cond_broadcast (&upload->changed); /* the producer may make the next one */
}

static BoxFlowEnd
flow_end_of (const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);

  if (error == NULL)
    return BOX_FLOW_ANSWERED;
  if (details->http_status == 429)
    return BOX_FLOW_LIMITED;
  if (details->slow)
    return BOX_FLOW_SLOW;
  return details->http_status != 0 ? BOX_FLOW_ANSWERED : BOX_FLOW_LOST;
}

static void
end_part (BoxUpload *upload, BoxFlowPart *part, const GError *error)
{
  gint64 pause = 0;

  if (error != NULL && box_error_get_details (error)->retry_after > 0)
    pause = box_retry_delay (1, error, g_random_int ());
  g_mutex_lock (box_workers_lock ());
  upload->n_waiting -= part->sent != 0 ? 1 : 0;
  if (upload->host != NULL)
    box_flow_end (&upload->host->flow, part, flow_end_of (error), pause, g_get_monotonic_time ());
  g_mutex_unlock (box_workers_lock ());
}

/* The age of a file that is complete on a disk here is the file's. Mere padding cannot be lost, but
 * a recording waits for it. */
static BoxTurn
turn_of_locked (const BoxUpload *upload, const BoxStep *step)
{
  gboolean sends =
      step->kind == BOX_STEP_SEND || step->kind == BOX_STEP_VERIFY || step->kind == BOX_STEP_WHOLE;
  gboolean live = is_live_locked (upload);
  gboolean pads = step->kind == BOX_STEP_SEND && step->part >= upload->plan.n_stream;

  return (BoxTurn){
    .rank = !sends  ? BOX_RANK_CONTROL
            : !live ? BOX_RANK_BACKLOG
            : pads  ? BOX_RANK_PADDING
                    : BOX_RANK_LIVE,
    .since = sends && !live ? upload->born : step->since,
    .size = upload->size,
  };
}

static gboolean
task_ready_locked (BoxTask *task, gint64 now, BoxTurn *turn, gint64 *wake_at)
{
  BoxUpload *upload = (BoxUpload *) task;
  BoxStep step = next_step_locked (upload, now);
  gint64 deadline;

  if (step.kind != BOX_STEP_WAIT)
    {
      *turn = turn_of_locked (upload, &step);
      return TRUE;
    }
  deadline = box_upload_get_deadline_locked (upload, now);
  *turn = (BoxTurn){ .since = deadline };
  *wake_at = MIN (step.wake_at, deadline);
  return deadline <= now;
}

/* Without a commit the upload ends when every part is there. Report that end now. */
static void
end_without_commit_locked (BoxUpload *upload)
{
  if (upload->last_begun || upload->plan.commit || upload->plan.cancelled || upload->error != NULL)
    return;
  g_mutex_unlock (box_workers_lock ());
  if (box_upload_call_begins (upload, BOX_CALL_LAST_EVENT))
    {
      if (upload->events.completed != NULL)
        upload->events.completed (NULL, upload->user_data);
      box_upload_call_ends (upload);
    }
  g_mutex_lock (box_workers_lock ());
  upload->told = TRUE;
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
  box_upload_tell_over (upload);
  g_mutex_lock (box_workers_lock ());
}

static gboolean
task_run_locked (BoxTask *task, BoxTransport *transport, gint64 now)
{
  BoxUpload *upload = (BoxUpload *) task;
  BoxStep step = next_step_locked (upload, now);
  BoxFlowPart part;
  GError *error = NULL;
  gboolean done;

  if (step.kind == BOX_STEP_DONE)
    {
      end_without_commit_locked (upload);
      return FALSE;
    }
  if (step.kind == BOX_STEP_WAIT)
    {
      box_upload_call_last_locked (upload, now);
      return TRUE;
    }
  box_plan_begin (&upload->plan, &step);
  if (step.kind == BOX_STEP_SEND)
    begin_part_locked (upload, &part, now);
  box_workers_continue_locked ();
  g_mutex_unlock (box_workers_lock ());

  done = perform (upload, transport, &step, &part, &error);
  if (step.kind == BOX_STEP_SEND)
    end_part (upload, &part, error);
  if (!done)
    box_upload_step_failed (upload, &step, error);

  g_mutex_lock (box_workers_lock ());
  g_cond_broadcast (&upload->changed);
  return TRUE;
}

static void
task_ref (BoxTask *task)
{
  box_upload_ref ((BoxUpload *) task);
}

static void
task_unref (BoxTask *task)
{
  box_upload_unref ((BoxUpload *) task);
}

const BoxTaskClass box_upload_task_class = {
  .ready_locked = task_ready_locked,
  .run_locked = task_run_locked,
  .ref = task_ref,
  .unref = task_unref,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers' side of an upload: which step runs. */
#include "upload/state.h"

static gboolean
perform (BoxUpload *upload, BoxTransport *transport, const BoxStep *step, GError **error)
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
      return box_upload_send_part (upload, transport, step->part, error);
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

static gboolean
task_ready_locked (BoxTask *task, gint64 now, gint64 *since, gint64 *wake_at)
{
  const BoxUpload *upload = (BoxUpload *) task;
  BoxStep step = box_plan_next (&upload->plan, now);
  gint64 deadline;

  if (step.kind != BOX_STEP_WAIT)
    {
      *since = step.since;
      return TRUE;
    }
  deadline = box_upload_get_deadline_locked (upload, now);
  *since = deadline;
  *wake_at = MIN (step.wake_at, deadline);
  return deadline <= now;
}

/* Without a commit the upload ends when every part is there. Report that end now. */
static void
end_without_commit_locked (BoxUpload *upload)
{
  if (upload->done || upload->ending || upload->commit || upload->cancelled
      || upload->error != NULL)
    return;
  upload->ending = TRUE;
  g_mutex_unlock (box_workers_lock ());
  if (upload->events.completed != NULL && box_upload_call_begins (upload))
    {
      upload->events.completed (NULL, upload->user_data);
      box_upload_call_ends (upload);
    }
  g_mutex_lock (box_workers_lock ());
  upload->done = TRUE;
  g_cond_broadcast (&upload->changed);
}

static gboolean
task_run_locked (BoxTask *task, BoxTransport *transport, gint64 now)
{
  BoxUpload *upload = (BoxUpload *) task;
  BoxStep step = box_plan_next (&upload->plan, now);
  GError *error = NULL;

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
  box_workers_continue_locked ();
  g_mutex_unlock (box_workers_lock ());

  if (!perform (upload, transport, &step, &error))
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

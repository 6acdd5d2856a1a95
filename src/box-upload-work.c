/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers' side of an upload: which step runs, and what a failed one means. */
#include "box-retry.h"
#include "box-upload-private.h"

/* A part that is refused as overlapping, yet in no list, or as damaged on the way: so often it is
 * sent before the upload fails. Only what keeps failing for that part alone comes so far; an outage
 * is bounded by time instead. */
#define MAX_CONFLICTS 10
#define MAX_DAMAGED   3

/* So many failures in a row, with no success between them, are an outage worth a warning; a single
 * reset is not. */
#define OUTAGE_FAILURES 3

BoxVerdict
box_upload_judge (BoxStepKind kind, const GError *error, guint attempts)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  gboolean writes = kind == BOX_STEP_SEND || kind == BOX_STEP_WHOLE || kind == BOX_STEP_COMMIT;

  if (g_error_matches (error, BOX_ERROR, BOX_ERROR_TRANSIENT))
    return writes && details->unsure ? BOX_VERDICT_UNSURE : BOX_VERDICT_AGAIN;
  if (g_error_matches (error, BOX_ERROR, BOX_ERROR_CONFLICT) && writes && attempts < MAX_CONFLICTS)
    return BOX_VERDICT_UNSURE;
  if (g_error_matches (error, BOX_ERROR, BOX_ERROR_INTEGRITY) && kind == BOX_STEP_SEND
      && details->http_status == 400 && attempts < MAX_DAMAGED)
    return BOX_VERDICT_AGAIN;
  return BOX_VERDICT_FATAL;
}

static const char *
step_name (BoxStepKind kind)
{
  switch (kind)
    {
    case BOX_STEP_OPEN:
      return "open";
    case BOX_STEP_LIST:
      return "list";
    case BOX_STEP_VERIFY:
      return "verify";
    case BOX_STEP_SEND:
      return "part";
    case BOX_STEP_WHOLE:
      return "upload";
    case BOX_STEP_COMMIT:
      return "commit";
    case BOX_STEP_LOOKUP:
      return "look-up";
    case BOX_STEP_ABORT:
      return "abort";
    default:
      return "wait";
    }
}

static gboolean
perform (BoxUpload *upload, BoxTransport *transport, const BoxStep *step, GError **error)
{
  switch (step->kind)
    {
    case BOX_STEP_OPEN:
      return box_upload_open (upload, transport, error);
    case BOX_STEP_LIST:
      return box_upload_list (upload, transport, error);
    case BOX_STEP_VERIFY:
      return box_upload_verify_part (upload, step->part, error);
    case BOX_STEP_SEND:
      return box_upload_send_part (upload, transport, step->part, error);
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

void
box_upload_succeeded (BoxUpload *upload)
{
  gboolean was_outage;

  g_mutex_lock (box_workers_lock ());
  was_outage = upload->outage;
  upload->outage = FALSE;
  upload->trouble_count = 0;
  if (upload->trouble_since != 0)
    {
      upload->trouble_since = 0;
      box_plan_hurry (&upload->plan, g_get_monotonic_time ());
    }
  g_mutex_unlock (box_workers_lock ());
  if (was_outage && upload->events.outage != NULL && box_upload_may_tell (upload))
    upload->events.outage (NULL, upload->user_data);
}

/* When the upload gives up at the latest, if nothing succeeds before: monotonic. While a source is
 * still being written, no outage is too long. */
static gint64
deadline_locked (const BoxUpload *upload, gint64 now)
{
  gint64 expires_in;

  if (upload->source.read != NULL && !upload->plan.finished)
    return G_MAXINT64;
  if (upload->retry_timeout > 0)
    return MAX (upload->trouble_since, upload->source.read != NULL ? upload->finished_at : 0)
           + upload->retry_timeout;
  if (upload->session == NULL || upload->session->expires_at == NULL)
    return G_MAXINT64;
  expires_in =
      g_date_time_to_unix (upload->session->expires_at) - g_get_real_time () / G_USEC_PER_SEC;
  return now + MAX (expires_in, 0) * G_USEC_PER_SEC;
}

static guint
attempts_locked (const BoxUpload *upload, const BoxStep *step)
{
  if (step->kind == BOX_STEP_SEND)
    return g_array_index (upload->plan.parts, BoxPlanPart, step->part).attempts;
  return upload->plan.control_attempts;
}

/* What a failure that is tried again leads to. */
typedef struct
{
  guint attempt;
  gint64 delay;
  gboolean given_up;
  gboolean outage_begins;
} Trouble;

static Trouble
note_trouble_locked (BoxUpload *upload, const BoxStep *step, const GError *error,
                     BoxVerdict verdict)
{
  gint64 now = g_get_monotonic_time ();
  gboolean asked = box_retry_is_asked (error);
  Trouble trouble = { .attempt = attempts_locked (upload, step) };

  trouble.delay = box_retry_delay (trouble.attempt, error, g_random_int ());
  if (upload->trouble_since == 0)
    upload->trouble_since = now;
  if (now + trouble.delay > deadline_locked (upload, now))
    {
      trouble.given_up = TRUE;
      return trouble;
    }
  upload->retries++;
  upload->trouble_count++;
  trouble.outage_begins = upload->trouble_count == OUTAGE_FAILURES && !upload->outage;
  upload->outage |= trouble.outage_begins;
  if (step->kind == BOX_STEP_SEND)
    box_plan_send_failed (&upload->plan, step->part, verdict == BOX_VERDICT_UNSURE,
                          now + trouble.delay, asked);
  else
    {
      upload->commit_repeated |= step->kind == BOX_STEP_COMMIT || step->kind == BOX_STEP_WHOLE;
      box_plan_control_failed (&upload->plan, verdict == BOX_VERDICT_UNSURE, now + trouble.delay,
                               asked);
    }
  return trouble;
}

static void
tell_trouble (BoxUpload *upload, const BoxStep *step, const Trouble *trouble, const GError *error)
{
  guint64 offset = G_MAXUINT64;

  if (!box_upload_may_tell (upload))
    return;
  if (step->kind == BOX_STEP_SEND)
    offset = box_upload_part_offset (upload, step->part);
  if (upload->events.retrying != NULL)
    upload->events.retrying (step_name (step->kind), offset, trouble->attempt, trouble->delay,
                             error, upload->user_data);
  if (trouble->outage_begins && upload->events.outage != NULL)
    upload->events.outage (error, upload->user_data);
}

static void
give_up (BoxUpload *upload, GError *error, gboolean tried)
{
  if (tried && upload->retry_timeout > 0)
    g_prefix_error (&error, "Gave up after %" G_GINT64_FORMAT " s without progress: ",
                    upload->retry_timeout / G_USEC_PER_SEC);
  else if (tried)
    g_prefix_error (&error, "Gave up as the upload session expires: ");
  box_upload_fail (upload, error);
}

static gboolean
drop_if_over (BoxUpload *upload, const BoxStep *step)
{
  gboolean over;

  g_mutex_lock (box_workers_lock ());
  over = upload->cancelled || upload->plan.failed;
  if (over && step->kind == BOX_STEP_ABORT)
    box_plan_aborted (&upload->plan);
  else if (over)
    box_plan_dropped (&upload->plan, step);
  g_mutex_unlock (box_workers_lock ());
  return over;
}

static void
step_failed (BoxUpload *upload, const BoxStep *step, GError *error)
{
  Trouble trouble = { 0 };
  BoxVerdict verdict;

  if (drop_if_over (upload, step))
    {
      g_error_free (error);
      return;
    }
  g_mutex_lock (box_workers_lock ());
  verdict = box_upload_judge (step->kind, error, attempts_locked (upload, step));
  if (verdict != BOX_VERDICT_FATAL)
    trouble = note_trouble_locked (upload, step, error, verdict);
  if (verdict == BOX_VERDICT_FATAL || trouble.given_up)
    box_plan_dropped (&upload->plan, step);
  g_mutex_unlock (box_workers_lock ());

  if (verdict == BOX_VERDICT_FATAL || trouble.given_up)
    {
      give_up (upload, error, trouble.given_up);
      return;
    }
  tell_trouble (upload, step, &trouble, error);
  g_error_free (error);
}

static gboolean
task_ready_locked (BoxTask *task, gint64 now, gint64 *since, gint64 *wake_at)
{
  BoxStep step = box_plan_next (&((BoxUpload *) task)->plan, now);

  if (step.kind == BOX_STEP_WAIT)
    {
      *wake_at = step.wake_at;
      return FALSE;
    }
  *since = step.since;
  return TRUE;
}

/* Without a commit, the end is that every part is there: nobody has told it yet. */
static void
end_without_commit_locked (BoxUpload *upload)
{
  if (upload->done || upload->commit || upload->cancelled || upload->error != NULL)
    return;
  g_mutex_unlock (box_workers_lock ());
  if (upload->events.completed != NULL)
    upload->events.completed (NULL, upload->user_data);
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
  box_plan_begin (&upload->plan, &step);
  box_workers_continue_locked ();
  g_mutex_unlock (box_workers_lock ());

  if (!perform (upload, transport, &step, &error))
    step_failed (upload, &step, error);

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

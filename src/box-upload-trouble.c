/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a failed step of an upload means: again later, look first, or the end; and when trouble is
 * over. */
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

void
box_upload_step_failed (BoxUpload *upload, const BoxStep *step, GError *error)
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

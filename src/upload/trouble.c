/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides what follows a failed step of an upload: retry, look first, or end; and when trouble is
 * over. */
#include "api/error.h"
#include "base/retry.h"
#include "upload/state.h"

/* Times that a small file is opened again because its name was taken meanwhile. */
#define MAX_REOPENED 10

/* Sessions that are filled for a file whose name somebody else takes each time. */
#define MAX_REPLACED 5

/* Commits that miss a part before the parts from elsewhere are doubted. */
#define HITS_MISSED 3

/* The shortest pause before the last try. Microseconds. */
#define LAST_PAUSE (G_USEC_PER_SEC / 4)

/* Pause before the next name is tried after a taken one. Microseconds. */
#define NAME_PAUSE (G_USEC_PER_SEC / 20)

/* Passing failures in a row, with no success between them, that are an outage worth a warning: a
 * single reset is not. */
#define OUTAGE_FAILURES 3

/* More bytes than this have left since trouble was dated: what has failed since is new trouble. A
 * request that is cut again and again at the same place gets no further than it was; this allows
 * for places that differ a little. Bytes. */
#define FURTHER (1u << 20)

/* A proxy or router with a large buffer says that it has a body long before Box does. Four times
 * the timeout, four minutes: a server that is really dead costs no more than that an attempt. */
#define MOST_SLACK 4

static gboolean
is_commit (BoxStepKind kind)
{
  return kind == BOX_STEP_COMMIT || kind == BOX_STEP_WHOLE;
}

/* No answer, or not that of Box: of a server that fails, a gateway, a login page, a proxy,
 * somebody with another certificate. A refusal, or the wish for a pause, is an answer of Box. */
static gboolean
is_out_of_reach (const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  guint status = details->http_status;

  if (g_error_matches (error, BOX_ERROR, BOX_ERROR_TRUST) || status == 407)
    return TRUE;
  return box_error_is_transient (error)
         && (status == 408 || status >= 500 || (status != 429 && details->box_code == NULL));
}

/* ---- how often what may be repeated ---- */

#define OPENS     (1 << BOX_STEP_OPEN)
#define SENDS     (1 << BOX_STEP_SEND)
#define COMMITS   (1 << BOX_STEP_COMMIT | 1 << BOX_STEP_WHOLE)
#define ASKS      (1 << BOX_STEP_LIST | 1 << BOX_STEP_ASK | 1 << BOX_STEP_LOOKUP)
#define ANY_STEP  (OPENS | SENDS | COMMITS | ASKS)
#define UNDER_WAY (ANY_STEP & ~OPENS)
#define FOREVER   G_MAXUINT

/* What a failed step leads to, unless it was refused more than @times in a row. The first row that
 * fits decides; if none fits, the failure is final. Every repetition waits before, longer each time
 * (base/retry.h), and is also limited in time (retry_timeout). */
static const struct
{
  guint steps;
  gint code;
  guint status; /* 0: any */
  guint times;
  gboolean look; /* before it is repeated: list the parts, look for the file */
} allowances[] = {
  /* A session was made, and Box did not say which: each try may make another one. */
  { OPENS, BOX_ERROR_TRANSIENT, 201, 4, FALSE },
  { ANY_STEP, BOX_ERROR_TRANSIENT, 0, FOREVER, FALSE },
  /* A part that overlaps, yet is in no list; a file that others change. */
  { SENDS | COMMITS, BOX_ERROR_CONFLICT, 0, 9, TRUE },
  /* A part that was damaged on the way, or that Box says is another than was sent. */
  { SENDS, BOX_ERROR_INTEGRITY, 400, 2, FALSE },
  { SENDS, BOX_ERROR_INTEGRITY, 0, 2, TRUE },
  /* The network that was trusted at first, or its proxy, is another one for a while. */
  { UNDER_WAY, BOX_ERROR_TRUST, 0, FOREVER, FALSE },
  { UNDER_WAY, BOX_ERROR_SETTINGS, 407, FOREVER, FALSE },
  /* A commit that worked but cannot be looked up is reported as such, and not repeated. */
  { COMMITS, BOX_ERROR_PROTOCOL, 200, 0, FALSE },
  { COMMITS, BOX_ERROR_PROTOCOL, 201, 0, FALSE },
  /* Box's words, and yet none that say what is wrong. */
  { SENDS | COMMITS, BOX_ERROR_PROTOCOL, 0, 4, TRUE },
  { ASKS, BOX_ERROR_PROTOCOL, 0, 4, FALSE },
};

/* A commit before this one may have worked, and the session have ended with it: so often that is
 * looked into. */
#define MAX_GONE 2

BoxVerdict
box_upload_judge (BoxStepKind kind, const GError *error, guint refusals, gboolean repeated)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  gboolean writes = kind == BOX_STEP_SEND || is_commit (kind);

  if (g_error_matches (error, BOX_ERROR, BOX_ERROR_SESSION_GONE) && is_commit (kind) && repeated
      && refusals <= MAX_GONE)
    return BOX_VERDICT_UNSURE;
  for (gsize i = 0; i < G_N_ELEMENTS (allowances); i++)
    if ((allowances[i].steps & (1u << kind)) != 0
        && g_error_matches (error, BOX_ERROR, allowances[i].code)
        && (allowances[i].status == 0 || allowances[i].status == details->http_status))
      {
        if (refusals > allowances[i].times)
          return BOX_VERDICT_FATAL;
        return allowances[i].look || (writes && details->unsure)
                       || (is_commit (kind) && box_api_may_work_late (error))
                   ? BOX_VERDICT_UNSURE
                   : BOX_VERDICT_AGAIN;
      }
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
    case BOX_STEP_ASK:
      return "plan";
    case BOX_STEP_VERIFY:
      return "verify";
    case BOX_STEP_SEND:
      return "part";
    case BOX_STEP_DIGEST:
      return "digest";
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
box_upload_reached (BoxUpload *upload)
{
  gboolean was_outage;

  g_mutex_lock (box_workers_lock ());
  was_outage = upload->outage;
  upload->outage = FALSE;
  if (upload->trouble_count > 0)
    box_plan_hurry (&upload->plan, g_get_monotonic_time ());
  upload->trouble_count = 0;
  g_mutex_unlock (box_workers_lock ());
  if (was_outage && upload->events.outage != NULL
      && box_upload_call_begins (upload, BOX_CALL_EVENT))
    {
      upload->events.outage (NULL, upload->user_data);
      box_upload_call_ends (upload);
    }
}

void
box_upload_progressed (BoxUpload *upload)
{
  g_mutex_lock (box_workers_lock ());
  upload->trouble_since = 0;
  upload->last_called = FALSE;
  g_mutex_unlock (box_workers_lock ());
  box_upload_reached (upload);
}

static void
date_trouble_locked (BoxUpload *upload, gint64 now)
{
  guint64 reach = upload->bytes_acked + __atomic_load_n (&upload->under_way, __ATOMIC_RELAXED);

  if (upload->trouble_since != 0 && reach < upload->trouble_reach + FURTHER)
    return;
  upload->trouble_since = now;
  upload->trouble_reach = reach;
  upload->last_called = FALSE;
}

void
box_upload_date_trouble (BoxUpload *upload)
{
  g_mutex_lock (box_workers_lock ());
  date_trouble_locked (upload, g_get_monotonic_time ());
  g_mutex_unlock (box_workers_lock ());
}

/* When the session ends, monotonic, by Box's clock; G_MAXINT64 if unknown. */
static gint64
session_end_locked (const BoxUpload *upload, gint64 now)
{
  gint64 box_time;

  if (upload->session == NULL || upload->session->expires_at == NULL
      || !box_client_get_time (upload->client, &box_time))
    return G_MAXINT64;
  return now + (g_date_time_to_unix (upload->session->expires_at) * G_USEC_PER_SEC - box_time);
}

/* When the upload gives up at the latest, if nothing succeeds before: monotonic. While the file is
 * still being written, no outage is too long. */
static gint64
deadline_locked (const BoxUpload *upload, gint64 now)
{
  if (upload->grows && !upload->plan.finished)
    return G_MAXINT64;
  if (upload->retry_timeout > 0)
    return MAX (upload->trouble_since, upload->grows ? upload->finished_at : 0)
           + upload->retry_timeout;
  return session_end_locked (upload, now);
}

gint64
box_upload_get_deadline_locked (const BoxUpload *upload, gint64 now)
{
  if (upload->trouble_since == 0 || upload->last_called || upload->plan.failed
      || upload->plan.cancelled || !box_plan_only_waits (&upload->plan, now))
    return G_MAXINT64;
  return MAX (deadline_locked (upload, now), upload->trouble_last + LAST_PAUSE);
}

void
box_upload_call_last_locked (BoxUpload *upload, gint64 now)
{
  upload->last_called = TRUE;
  box_plan_call_last (&upload->plan, now);
}

static guint
attempts_locked (const BoxUpload *upload, const BoxStep *step)
{
  if (step->kind == BOX_STEP_SEND)
    return g_array_index (upload->plan.parts, BoxPlanPart, step->part).attempts;
  return is_commit (step->kind) ? upload->plan.commit_attempts : upload->plan.control_attempts;
}

/* Failures of the network and of a proxy do not count as refusals; a session that was made and not
 * named does. */
static gboolean
is_refusal (BoxStepKind kind, const GError *error)
{
  guint status = box_error_get_details (error)->http_status;

  if (box_error_is_transient (error))
    return kind == BOX_STEP_OPEN && status == 201;
  return !g_error_matches (error, BOX_ERROR, BOX_ERROR_TRUST) && status != 407;
}

/* How often the step was refused by now, not counting what the network did to it. */
static guint
count_refusal_locked (BoxUpload *upload, const BoxStep *step, const GError *error)
{
  guint *refusals = &upload->plan.control_refusals;

  if (step->kind == BOX_STEP_SEND)
    refusals = &g_array_index (upload->plan.parts, BoxPlanPart, step->part).refusals;
  else if (is_commit (step->kind))
    refusals = &upload->plan.commit_refusals;
  *refusals += is_refusal (step->kind, error) ? 1 : 0;
  return *refusals;
}

/* The name was taken, and the settings give another one (upload/open.c says how many). */
static gboolean
has_other_name_locked (const BoxUpload *upload, const BoxStep *step, const GError *error)
{
  return step->kind == BOX_STEP_OPEN && upload->has_other
         && (g_error_matches (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE)
             || g_error_matches (error, BOX_ERROR, BOX_ERROR_NOT_FOUND));
}

/* Somebody took the name after the upload was opened. */
static gboolean
is_taken_meanwhile (const BoxStep *step, const GError *error)
{
  return is_commit (step->kind) && g_error_matches (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE);
}

/* The upload is opened again, and if_exists decides. The bytes of a replaced session are sent
 * again. */
static gboolean
can_reopen_locked (const BoxUpload *upload, const BoxStep *step, const GError *error)
{
  if (!is_taken_meanwhile (step, error) || upload->if_exists == BOX_IF_EXISTS_ERROR
      || upload->destination->kind != BOX_DESTINATION_FOLDER)
    return FALSE;
  if (step->kind == BOX_STEP_WHOLE)
    return upload->plan.commit_refusals < MAX_REOPENED;
  return upload->file_behind.read != NULL && upload->given_session == NULL
         && upload->sessions_replaced < MAX_REPLACED;
}

/* Whether the commit was refused for parts that Box said it had from elsewhere. That it does not
 * find a part passes when the part is new, so it is asked a few times. */
static gboolean
refuses_hits_locked (const BoxUpload *upload, const BoxStep *step, const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);

  if (step->kind != BOX_STEP_COMMIT || upload->n_hits == 0)
    return FALSE;
  if (g_strcmp0 (details->box_code, "parts_mismatch") == 0)
    return upload->plan.commit_attempts >= HITS_MISSED;
  return g_error_matches (error, BOX_ERROR, BOX_ERROR_INTEGRITY) && details->http_status >= 400;
}

/* Another session gets all parts from here. Of a session that was given, its owner opens another
 * one. */
static gboolean
can_send_hits_locked (const BoxUpload *upload, const BoxStep *step, const GError *error)
{
  return refuses_hits_locked (upload, step, error) && upload->file_behind.read != NULL
         && upload->given_session == NULL;
}

/* The next action after a failure that is retried. */
typedef struct
{
  BoxVerdict verdict;
  guint attempt;
  gint64 delay;
  gboolean other_name; /* no trouble at all */
  gboolean given_up;
  gint64 lasted; /* microseconds */
  gboolean outage_begins;
} Trouble;

/* The step is to be tried again at @not_before. */
static void
put_off_locked (BoxUpload *upload, const BoxStep *step, const GError *error, BoxVerdict verdict,
                gint64 not_before)
{
  gboolean unsure = verdict == BOX_VERDICT_UNSURE;
  gboolean asked = box_retry_is_asked (error);

  if (step->kind == BOX_STEP_SEND && box_error_get_details (error)->slow)
    box_plan_send_was_slow (&upload->plan, step->part);
  if (step->kind == BOX_STEP_WHOLE && box_error_get_details (error)->slow)
    upload->plan.whole_slow++;
  if (step->kind == BOX_STEP_SEND)
    box_plan_send_failed (&upload->plan, step->part, unsure, not_before, asked);
  else if (can_send_hits_locked (upload, step, error))
    box_plan_reopen (&upload->plan, g_get_monotonic_time ());
  else if (can_reopen_locked (upload, step, error))
    {
      upload->sessions_replaced += step->kind == BOX_STEP_COMMIT ? 1 : 0;
      box_plan_reopen (&upload->plan, not_before);
    }
  else
    box_plan_control_failed (&upload->plan, unsure, not_before, asked);
}

static BoxVerdict
judge_locked (BoxUpload *upload, const BoxStep *step, const GError *error)
{
  guint refusals = count_refusal_locked (upload, step, error);
  BoxVerdict verdict = box_upload_judge (step->kind, error, refusals, upload->commit_repeated);

  if (refuses_hits_locked (upload, step, error))
    {
      upload->hits_refused = TRUE;
      return can_send_hits_locked (upload, step, error) ? BOX_VERDICT_AGAIN : BOX_VERDICT_FATAL;
    }
  if (verdict == BOX_VERDICT_FATAL && can_reopen_locked (upload, step, error))
    verdict = BOX_VERDICT_AGAIN;
  if (verdict == BOX_VERDICT_FATAL && has_other_name_locked (upload, step, error))
    verdict = BOX_VERDICT_AGAIN;
  /* Also at the end of the upload: a session that may be committed is not aborted. */
  if (is_commit (step->kind)
      && (verdict == BOX_VERDICT_UNSURE || box_error_get_details (error)->unsure))
    upload->plan.unsure = upload->commit_repeated = TRUE;
  return verdict;
}

static Trouble
note_trouble_locked (BoxUpload *upload, const BoxStep *step, const GError *error)
{
  gint64 now = g_get_monotonic_time ();
  Trouble trouble = {
    .verdict = judge_locked (upload, step, error),
    .attempt = attempts_locked (upload, step),
    .other_name = has_other_name_locked (upload, step, error),
  };

  if (trouble.verdict == BOX_VERDICT_FATAL)
    return trouble;
  if (trouble.other_name)
    {
      put_off_locked (upload, step, error, trouble.verdict, now + NAME_PAUSE);
      return trouble;
    }
  trouble.delay = box_retry_delay (trouble.attempt, error, g_random_int ());
  date_trouble_locked (upload, now);
  upload->trouble_last = now;
  trouble.lasted = now - upload->trouble_since;
  trouble.given_up = now >= deadline_locked (upload, now);
  if (trouble.given_up)
    return trouble;
  upload->retries++;
  upload->trouble_count += is_out_of_reach (error) ? 1 : 0;
  trouble.outage_begins = upload->trouble_count == OUTAGE_FAILURES && !upload->outage;
  upload->outage |= trouble.outage_begins;
  put_off_locked (upload, step, error, trouble.verdict, now + trouble.delay);
  return trouble;
}

static void
tell_trouble (BoxUpload *upload, const BoxStep *step, const Trouble *trouble, const GError *error)
{
  gboolean is_part = step->kind == BOX_STEP_SEND;
  guint64 offset = is_part ? box_upload_part_offset (upload, step->part) : G_MAXUINT64;

  if (trouble->other_name)
    return;
  g_mutex_lock (box_workers_lock ());
  upload->part_fails = is_part;
  upload->failing_offset = offset;
  g_mutex_unlock (box_workers_lock ());
  if (!box_upload_call_begins (upload, BOX_CALL_EVENT))
    return;
  if (upload->events.retrying != NULL)
    upload->events.retrying (step_name (step->kind), offset, trouble->attempt, trouble->delay,
                             error, upload->user_data);
  if (trouble->outage_begins && upload->events.outage != NULL)
    upload->events.outage (error, upload->user_data);
  box_upload_call_ends (upload);
}

/* The advice for a taken name is a setting. If that is set already, or can no longer be set, the
 * advice is replaced. @again: that does not end the upload. Takes @error. */
static GError *
explain_taken_name (const BoxUpload *upload, const BoxStep *step, GError *error, gboolean again)
{
  g_autoptr (GError) owned = error;
  const char *why = NULL;

  if (!is_taken_meanwhile (step, error))
    return g_steal_pointer (&owned);
  if (again)
    why = "it is uploaded as if-exists says";
  else if (upload->destination->kind == BOX_DESTINATION_SESSION)
    why = "a session cannot be given another one: upload the file anew, without this session";
  else if (upload->if_exists != BOX_IF_EXISTS_ERROR && upload->file_behind.read != NULL)
    why = "so were those of the sessions after it: try again later";
  else if (upload->if_exists != BOX_IF_EXISTS_ERROR)
    why =
        "what was sent is kept nowhere else, so that if-exists cannot be kept to: upload the file "
        "anew, or record it to a spool";
  if (why == NULL)
    return g_steal_pointer (&owned);
  return box_error_new_with_details (BOX_ERROR_NAME_IN_USE, box_error_get_details (error),
                                     "Somebody took the name while the file was sent, and %s", why);
}

static void
give_up (BoxUpload *upload, GError *error, const Trouble *trouble)
{
  if (trouble->given_up && upload->retry_timeout > 0)
    g_prefix_error (&error, "Gave up after %" G_GINT64_FORMAT " s without progress: ",
                    (trouble->lasted + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC);
  else if (trouble->given_up)
    g_prefix_error (&error, "Gave up as the upload session expires: ");
  box_upload_fail (upload, error);
}

static gboolean
drop_if_over (BoxUpload *upload, const BoxStep *step)
{
  gboolean over;

  g_mutex_lock (box_workers_lock ());
  over = upload->plan.cancelled || upload->plan.failed;
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
  Trouble trouble;
  gboolean ends;

  if (drop_if_over (upload, step))
    {
      g_error_free (error);
      return;
    }
  g_mutex_lock (box_workers_lock ());
  trouble = note_trouble_locked (upload, step, error);
  ends = trouble.verdict == BOX_VERDICT_FATAL || trouble.given_up;
  if (ends)
    box_plan_dropped (&upload->plan, step);
  g_mutex_unlock (box_workers_lock ());

  if (ends)
    {
      give_up (upload, explain_taken_name (upload, step, error, FALSE), &trouble);
      return;
    }
  error = explain_taken_name (upload, step, error, TRUE);
  tell_trouble (upload, step, &trouble, error);
  g_error_free (error);
}

guint
box_upload_slack (const guint *slow)
{
  guint slack;

  g_mutex_lock (box_workers_lock ());
  slack = MIN (1u << MIN (*slow, 8), MOST_SLACK);
  g_mutex_unlock (box_workers_lock ());
  return slack;
}

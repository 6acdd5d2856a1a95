/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last steps: the commit or the one request of a small file; the abort. */
#include "upload/state.h"

/* Poll interval while Box answers 202 and sends no Retry-After, and the longest that Retry-After
 * gives: what is ready is not left waiting. Seconds. */
#define COMMIT_POLL  3
#define LONGEST_POLL 300

/* Microseconds. */
#define LONGEST_PENDING (7 * G_TIME_SPAN_DAY)

void
box_upload_committed (BoxUpload *upload, BoxFile *file)
{
  if (box_upload_call_begins (upload, BOX_CALL_LAST_EVENT))
    {
      if (upload->events.completed != NULL)
        upload->events.completed (file, upload->user_data);
      box_upload_call_ends (upload);
    }

  g_mutex_lock (box_workers_lock ());
  upload->file = file;
  if (upload->session == NULL && !upload->plan.committed)
    {
      upload->bytes_acked += upload->size;
      box_blocks_drop_locked (upload->store, 0, upload->size);
    }
  box_plan_committed (&upload->plan);
  upload->told = TRUE;
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
  box_upload_tell_over (upload);
}

static void
tell_committing (BoxUpload *upload)
{
  if (upload->events.committing != NULL && box_upload_call_begins (upload, BOX_CALL_EVENT))
    {
      upload->events.committing (upload->user_data);
      box_upload_call_ends (upload);
    }
}

/* Box is still processing the commit. "Retry-After: 0" does not say for how long. @error: it has
 * not finished in the longest life of a session; if Box names the end of that life, the error comes
 * at that end. */
static gboolean
commit_pending (BoxUpload *upload, gint retry_after, GError **error)
{
  gint64 delay = retry_after > 0 ? MIN (retry_after, LONGEST_POLL) : COMMIT_POLL;
  gint64 now = g_get_monotonic_time ();

  if (upload->pending_since == 0)
    upload->pending_since = now;
  if (now - upload->pending_since > LONGEST_PENDING)
    {
      g_set_error (
          error, BOX_ERROR, BOX_ERROR_SESSION_GONE,
          "Box has been processing the parts of upload session %s for a week; the file has "
          "to be uploaded anew",
          upload->session->id);
      return FALSE;
    }
  g_mutex_lock (box_workers_lock ());
  upload->commit_repeated = TRUE;
  box_plan_commit_pending (&upload->plan, now + delay * G_USEC_PER_SEC);
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

/* Box made the file, in a reply that does not describe it. If it cannot be looked up, another
 * commit could make another version: such an error becomes final. */
static void
forbid_blind_repeat (const BoxUpload *upload, GError **error)
{
  guint status = box_error_get_details (*error)->http_status;

  if (box_upload_lookup_target (upload) == NULL && (status == 200 || status == 201)
      && g_error_matches (*error, BOX_ERROR, BOX_ERROR_TRANSIENT))
    {
      g_autoptr (GError) reason = g_steal_pointer (error);

      *error = box_error_new_with_details (BOX_ERROR_PROTOCOL, box_error_get_details (reason),
                                           "the session was committed, but this cannot be "
                                           "confirmed: look for the file in Box before "
                                           "uploading it anew (%s)",
                                           reason->message);
    }
}

/* TRUE: the file is there, or is still being processed (@file NULL). */
static gboolean
request_commit (BoxUpload *upload, BoxTransport *transport, BoxFile **file, gint *retry_after,
                GError **error)
{
  if (box_client_commit (upload->client, transport, upload->session, upload->parts, &upload->sha1,
                         &upload->attributes, upload->etag_before, file, retry_after,
                         upload->transfers, error))
    return TRUE;
  *file = box_upload_find_in_conflict (upload, transport, error);
  return *file != NULL;
}

gboolean
box_upload_commit (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  g_autoptr (BoxFile) file = NULL;
  gint retry_after = -1;

  tell_committing (upload);
  if (!request_commit (upload, transport, &file, &retry_after, error))
    {
      forbid_blind_repeat (upload, error);
      return FALSE;
    }
  box_upload_progressed (upload);
  if (file == NULL)
    return commit_pending (upload, retry_after, error);
  box_upload_committed (upload, g_steal_pointer (&file));
  return TRUE;
}

gboolean
box_upload_send_whole (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  g_auto (BoxUploadBytes) bytes = { 0 };
  g_autoptr (BoxFile) file = NULL;
  BoxBody body;

  tell_committing (upload);
  box_upload_bytes_init (&bytes, upload, 0, upload->size);
  box_upload_bytes_to_body (&bytes, &body);
  body.slack = box_upload_slack (&upload->plan.whole_slow);
  file =
      box_client_upload_file (upload->client, transport, upload->target, &upload->sha1, &body,
                              &upload->attributes, upload->etag_before, upload->transfers, error);
  if (file == NULL)
    file = box_upload_find_in_conflict (upload, transport, error);
  if (file == NULL)
    {
      box_upload_date_trouble (upload);
      return FALSE;
    }
  box_upload_progressed (upload);
  box_upload_committed (upload, g_steal_pointer (&file));
  return TRUE;
}

gboolean
box_upload_abort (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  /* It has one chance: the session expires by itself. */
  box_client_abort (upload->client, transport, upload->session, upload->cleanup, NULL);
  g_mutex_lock (box_workers_lock ());
  box_plan_aborted (&upload->plan);
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

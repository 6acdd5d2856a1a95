/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last steps: the commit or the one request of a small file, finding out whether one took
 * effect, the abort. */
#include "base/retry.h"
#include "upload/state.h"

/* Box answers 202 while it still processes parts; so long is waited where it does not say how long.
 * Seconds. */
#define COMMIT_POLL 3

void
box_upload_committed (BoxUpload *upload, BoxFile *file)
{
  if (upload->events.completed != NULL && box_upload_may_tell (upload))
    upload->events.completed (file, upload->user_data);

  g_mutex_lock (box_workers_lock ());
  upload->file = file;
  if (upload->session == NULL && !upload->plan.committed)
    box_upload_release_locked (upload, 0, upload->size);
  box_plan_committed (&upload->plan);
  upload->done = TRUE;
  g_cond_broadcast (&upload->changed);
  g_mutex_unlock (box_workers_lock ());
}

static gboolean
is_ours (const BoxUpload *upload, const BoxFile *file)
{
  return box_file_has_content (file, upload->size, &upload->sha1);
}

static void
tell_committing (BoxUpload *upload)
{
  if (upload->events.committing != NULL && box_upload_may_tell (upload))
    upload->events.committing (upload->user_data);
}

/* The etag that a version must still have: only when the request may already have worked, for then
 * a second one would make a second version. The first time, whatever others did to the file
 * meanwhile is no reason to refuse a recording. */
static const char *
if_match (const BoxUpload *upload)
{
  return upload->commit_repeated ? upload->etag_before : NULL;
}

/* Box works on it, and may have finished when it is asked again. "Retry-After: 0" says nothing
 * about when, and a bogus value must not end the upload's life. */
static void
commit_pending (BoxUpload *upload, gint retry_after)
{
  gint64 delay = retry_after > 0 ? MIN (retry_after, BOX_RETRY_AFTER_MAX) : COMMIT_POLL;

  g_mutex_lock (box_workers_lock ());
  upload->commit_repeated = TRUE;
  box_plan_commit_pending (&upload->plan, g_get_monotonic_time () + delay * G_USEC_PER_SEC);
  g_mutex_unlock (box_workers_lock ());
}

BoxFile *
box_upload_conflict_is_success (BoxUpload *upload, BoxTransport *transport, const GError *error)
{
  g_autoptr (BoxFile) conflict = NULL;
  BoxFile *file;

  if (!upload->commit_repeated || !g_error_matches (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    return NULL;
  conflict = box_file_from_conflict (error);
  if (!is_ours (upload, conflict))
    return NULL;
  file = box_client_get_file (upload->client, transport, conflict->id, upload->transfers, NULL);
  if (is_ours (upload, file))
    return file;
  g_clear_pointer (&file, box_file_free);
  return g_steal_pointer (&conflict);
}

/* Where an earlier attempt opened the session, the settings are all that is known of where its file
 * went. */
static const BoxDestination *
lookup_target (const BoxUpload *upload)
{
  if (upload->target != NULL)
    return upload->target;
  if (upload->session_target != NULL)
    return upload->session_target;
  return upload->destination->kind != BOX_DESTINATION_SESSION ? upload->destination : NULL;
}

/* Box has said that it made the file, in a reply that says no more: where it cannot be looked up,
 * another commit could make another version. Makes such an error one that is final. */
static void
forbid_blind_repeat (const BoxUpload *upload, GError **error)
{
  guint status = box_error_get_details (*error)->http_status;

  if (lookup_target (upload) == NULL && (status == 200 || status == 201)
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
  GError *failure = NULL;

  if (box_client_commit (upload->client, transport, upload->session, upload->parts, &upload->sha1,
                         &upload->attributes, if_match (upload), file, retry_after,
                         upload->transfers, &failure))
    return TRUE;
  *file = box_upload_conflict_is_success (upload, transport, failure);
  if (*file == NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_error_free (failure);
  return TRUE;
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
    {
      commit_pending (upload, retry_after);
      return TRUE;
    }
  box_upload_committed (upload, g_steal_pointer (&file));
  return TRUE;
}

gboolean
box_upload_send_whole (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  g_auto (BoxUploadBytes) bytes = { 0 };
  g_autoptr (BoxFile) file = NULL;
  GError *failure = NULL;
  BoxBody body;

  tell_committing (upload);
  box_upload_bytes_init (&bytes, upload, 0, upload->size);
  box_upload_bytes_to_body (&bytes, &body);
  file =
      box_client_upload_file (upload->client, transport, upload->target, &upload->sha1, &body,
                              &upload->attributes, if_match (upload), upload->transfers, &failure);
  if (file == NULL)
    file = box_upload_conflict_is_success (upload, transport, failure);
  if (file == NULL)
    {
      box_upload_date_trouble (upload);
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_clear_error (&failure);
  box_upload_progressed (upload);
  box_upload_committed (upload, g_steal_pointer (&file));
  return TRUE;
}

static BoxFile *
look_at (BoxUpload *upload, BoxTransport *transport, const char *file_id, GError **error)
{
  BoxFile *file =
      box_client_get_file (upload->client, transport, file_id, upload->transfers, error);

  if (file == NULL)
    g_prefix_error (error, "The file may be there already, but this cannot be confirmed: ");
  return file;
}

/* The file that bears the target's name, if any. NULL without error: the name is free, or a
 * folder's. */
static BoxFile *
find_by_name (BoxUpload *upload, BoxTransport *transport, const BoxDestination *target,
              GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (BoxFile) conflict = NULL;
  BoxFile *file;

  /* Without a size: an account that the file itself has filled would refuse it. */
  if (box_client_preflight (upload->client, transport, target, 0, upload->transfers, &failure))
    return NULL;
  if (!g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  conflict = box_file_from_conflict (failure);
  if (conflict == NULL || (conflict->has_sha1 && !is_ours (upload, conflict)))
    return g_steal_pointer (&conflict);
  g_clear_error (&failure);
  file = look_at (upload, transport, conflict->id, &failure);
  /* Credentials that may only upload: the conflict says enough. */
  if (conflict->has_sha1 && g_error_matches (failure, BOX_ERROR, BOX_ERROR_FORBIDDEN))
    return g_steal_pointer (&conflict);
  if (file == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return file;
}

/* A version took effect if the file has our content and is not the version that was there before
 * (which may have had the same content). */
static gboolean
took_effect (const BoxUpload *upload, const BoxDestination *target, const BoxFile *file)
{
  if (!is_ours (upload, file))
    return FALSE;
  return target->kind != BOX_DESTINATION_FILE || upload->version_before == NULL
         || g_strcmp0 (file->version_id, upload->version_before) != 0;
}

/* Others may have changed the file since it was remembered; as our commit is not what did, that is
 * no reason to refuse a recording. */
static void
remember_others_change (BoxUpload *upload, const BoxDestination *target, const BoxFile *file)
{
  if (file == NULL || target->kind != BOX_DESTINATION_FILE)
    return;
  g_free (upload->etag_before);
  g_free (upload->version_before);
  upload->etag_before = g_strdup (file->etag);
  upload->version_before = g_strdup (file->version_id);
}

gboolean
box_upload_lookup (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  const BoxDestination *target = lookup_target (upload);
  g_autoptr (BoxFile) file = NULL;
  GError *failure = NULL;

  if (target != NULL)
    file = target->kind == BOX_DESTINATION_FILE
               ? look_at (upload, transport, target->file_id, &failure)
               : find_by_name (upload, transport, target, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  box_upload_reached (upload);
  if (took_effect (upload, target, file))
    {
      box_upload_committed (upload, g_steal_pointer (&file));
      return TRUE;
    }
  remember_others_change (upload, target, file);
  g_mutex_lock (box_workers_lock ());
  box_plan_not_committed (&upload->plan, g_get_monotonic_time ());
  g_mutex_unlock (box_workers_lock ());
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

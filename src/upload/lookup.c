/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds out whether a commit, or the one request of a small file, took effect: it looks at the
 * file, and at the versions that others have made since.
 */
#include "upload/state.h"

/* How much the clock here may be ahead of Box's. Seconds. */
#define CLOCK_SKEW 600

static gboolean
is_ours (const BoxUpload *upload, const BoxFile *file)
{
  return box_file_has_content (file, upload->size, &upload->sha1);
}

/* Lists are a second source: one that these credentials may not have, or that makes no sense, is
 * done without. */
static gboolean
can_do_without (const GError *error)
{
  return !box_error_is_transient (error)
         && !g_error_matches (error, BOX_ERROR, BOX_ERROR_CREDENTIALS)
         && !g_error_matches (error, BOX_ERROR, BOX_ERROR_CANCELLED);
}

const BoxDestination *
box_upload_lookup_target (const BoxUpload *upload)
{
  if (upload->target != NULL)
    return upload->target;
  if (upload->session_target != NULL)
    return upload->session_target;
  return upload->destination->kind != BOX_DESTINATION_SESSION ? box_upload_get_place (upload)
                                                              : NULL;
}

/* Our version of @there, if others made a version after it. A name that was free when this upload
 * opened has only versions that came since. If the upload began in another process, or the file is
 * older, content alone does not distinguish our version from an earlier equal one. */
static BoxFile *
find_version (BoxUpload *upload, BoxTransport *transport, const BoxFile *there, GError **error)
{
  const BoxDestination *target = upload->target;
  gboolean was_free = target != NULL && target->kind == BOX_DESTINATION_FOLDER && !upload->resumed;
  BoxVersionQuery query = { .size = upload->size, .sha1 = &upload->sha1 };
  g_autoptr (GError) failure = NULL;
  BoxFile *found;

  if (upload->version_before != NULL)
    query.after = upload->version_before;
  else if (!was_free)
    query.since = upload->begun - CLOCK_SKEW;
  found = box_client_find_version (upload->client, transport, there, &query, upload->transfers,
                                   &failure);
  if (failure != NULL && !can_do_without (failure))
    g_propagate_error (error, g_steal_pointer (&failure));
  return found;
}

BoxFile *
box_upload_find_in_conflict (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  g_autoptr (BoxFile) conflict = NULL;
  g_autoptr (BoxFile) found = NULL;
  GError *failure = NULL;

  if (!upload->commit_repeated || !g_error_matches (*error, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    return NULL;
  conflict = box_file_from_conflict (*error);
  if (conflict == NULL)
    return NULL;
  if (is_ours (upload, conflict))
    {
      found =
          box_client_get_file (upload->client, transport, conflict->id, upload->transfers, NULL);
      if (!is_ours (upload, found))
        {
          g_clear_pointer (&found, box_file_free);
          found = g_steal_pointer (&conflict);
        }
    }
  else
    found = find_version (upload, transport, conflict, &failure);
  if (found != NULL || failure != NULL)
    {
      g_error_free (*error);
      *error = failure;
    }
  return g_steal_pointer (&found);
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

/* The file that gets a version. Credentials that may only upload see it by its name, if it was
 * found by name. */
static BoxFile *
find_by_id (BoxUpload *upload, BoxTransport *transport, const BoxDestination *target,
            GError **error)
{
  g_autoptr (GError) failure = NULL;
  BoxFile *file = look_at (upload, transport, target->file_id, &failure);

  if (file == NULL && g_error_matches (failure, BOX_ERROR, BOX_ERROR_FORBIDDEN)
      && upload->destination->kind == BOX_DESTINATION_FOLDER)
    {
      file = find_by_name (upload, transport, box_upload_get_place (upload), NULL);
      if (file != NULL && g_strcmp0 (file->id, target->file_id) != 0)
        g_clear_pointer (&file, box_file_free);
    }
  if (file == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return file;
}

/* The name is free: somebody may have renamed what the request made. */
static BoxFile *
find_renamed (BoxUpload *upload, BoxTransport *transport, const BoxDestination *target,
              GError **error)
{
  BoxVersionQuery query = { .size = upload->size,
                            .sha1 = &upload->sha1,
                            .since = upload->begun - CLOCK_SKEW };
  g_autoptr (GError) failure = NULL;
  BoxFile *found = box_client_find_renamed (upload->client, transport, target->folder_id, &query,
                                            upload->transfers, &failure);

  if (failure != NULL && !can_do_without (failure))
    g_propagate_error (error, g_steal_pointer (&failure));
  return found;
}

/* The result of the request: @there (nullable), if it has our content and is not the version that
 * was there before, which may have had the same; or a version that others have followed with
 * theirs. NULL without error: the request had no effect. */
static BoxFile *
find_effect (BoxUpload *upload, BoxTransport *transport, const BoxDestination *target,
             const BoxFile *there, GError **error)
{
  gboolean versions = target != NULL && target->kind == BOX_DESTINATION_FILE;
  gboolean changed = there != NULL
                     && (!versions || upload->version_before == NULL
                         || g_strcmp0 (there->version_id, upload->version_before) != 0);

  if (there == NULL && target != NULL && target->kind == BOX_DESTINATION_FOLDER)
    return find_renamed (upload, transport, target, error);
  if (!changed)
    return NULL;
  if (is_ours (upload, there))
    return box_file_copy (there);
  return find_version (upload, transport, there, error);
}

/* Others may have changed the file since it was remembered; as our commit is not what did, that is
 * no reason to refuse a recording, however often they do. */
static void
remember_others_change (BoxUpload *upload, const BoxDestination *target, const BoxFile *file)
{
  if (file == NULL || target->kind != BOX_DESTINATION_FILE)
    return;
  if (g_strcmp0 (upload->etag_before, file->etag) != 0)
    {
      g_mutex_lock (box_workers_lock ());
      upload->plan.commit_refusals = 0;
      g_mutex_unlock (box_workers_lock ());
    }
  g_free (upload->etag_before);
  g_free (upload->version_before);
  upload->etag_before = g_strdup (file->etag);
  upload->version_before = g_strdup (file->version_id);
}

/* What is at the target: @there, NULL: nothing. */
static gboolean
find_there (BoxUpload *upload, BoxTransport *transport, BoxFile **there, GError **error)
{
  const BoxDestination *target;
  GError *failure = NULL;

  if (!box_upload_find_place (upload, transport, error))
    return FALSE;
  target = box_upload_lookup_target (upload);
  if (target != NULL)
    *there = target->kind == BOX_DESTINATION_FILE
                 ? find_by_id (upload, transport, target, &failure)
                 : find_by_name (upload, transport, target, &failure);
  if (failure == NULL)
    return TRUE;
  if (upload->target == NULL && box_upload_leave_place (upload, failure))
    {
      g_error_free (failure);
      return find_there (upload, transport, there, error);
    }
  g_propagate_error (error, failure);
  return FALSE;
}

gboolean
box_upload_lookup (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  const BoxDestination *target;
  g_autoptr (BoxFile) there = NULL;
  g_autoptr (BoxFile) effect = NULL;
  GError *failure = NULL;

  if (!find_there (upload, transport, &there, error))
    return FALSE;
  target = box_upload_lookup_target (upload);
  effect = find_effect (upload, transport, target, there, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  box_upload_reached (upload);
  if (effect != NULL)
    {
      box_upload_committed (upload, g_steal_pointer (&effect));
      return TRUE;
    }
  remember_others_change (upload, target, there);
  g_mutex_lock (box_workers_lock ());
  box_plan_not_committed (&upload->plan, g_get_monotonic_time ());
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first step: a session for the file, or, for a small one, the assurance that Box would take
 * it. And where the file goes: its folder is found, or made, when it is needed first. */
#include "api/folder.h"
#include "upload/state.h"

/* Result of opening. */
typedef struct
{
  BoxSession *session;
  BoxDestination *target;
  char *etag;
  char *version_id;
  BoxFile *conflict; /* what has the name, and gets the version */
  BoxFile *file;     /* an earlier attempt had stored it: there is nothing left to do */
} Opened;

static void
opened_clear (Opened *opened)
{
  g_clear_pointer (&opened->session, box_session_free);
  g_clear_pointer (&opened->target, box_destination_free);
  g_clear_pointer (&opened->etag, g_free);
  g_clear_pointer (&opened->version_id, g_free);
  g_clear_pointer (&opened->conflict, box_file_free);
  g_clear_pointer (&opened->file, box_file_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Opened, opened_clear)

/* An earlier attempt may take effect between its look-up and this one: then nothing is left to do,
 * and its version is not the one before ours. */
static gboolean
is_done_meanwhile (BoxUpload *upload, const BoxFile *file)
{
  gboolean digested;

  g_mutex_lock (box_workers_lock ());
  digested = upload->plan.finished && !upload->plan.undigested;
  g_mutex_unlock (box_workers_lock ());
  return upload->resumed && digested && box_file_has_content (file, upload->size, &upload->sha1);
}

/* A version: what the file is before keeps two commits from making two, and tells, after a lost
 * answer, whether the commit took effect. Credentials that may only upload have it from the
 * conflict of names, or do without. */
static gboolean
remember_version (BoxUpload *upload, BoxTransport *transport, Opened *opened, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (BoxFile) file = NULL;

  if (opened->target == NULL || opened->target->kind != BOX_DESTINATION_FILE)
    return TRUE;
  file = box_client_get_file (upload->client, transport, opened->target->file_id, upload->transfers,
                              &reason);
  if (file == NULL && g_error_matches (reason, BOX_ERROR, BOX_ERROR_FORBIDDEN))
    {
      if (opened->conflict == NULL)
        return TRUE;
      file = box_file_copy (opened->conflict);
    }
  if (file == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  opened->etag = g_strdup (file->etag);
  opened->version_id = g_strdup (file->version_id);
  if (is_done_meanwhile (upload, file))
    opened->file = g_steal_pointer (&file);
  return TRUE;
}

/* The file is remembered before its session is made: a session that is made and then not used would
 * be left behind. */
static gboolean
try_target (BoxUpload *upload, BoxTransport *transport, Opened *opened, GError **error)
{
  if (!remember_version (upload, transport, opened, error))
    return FALSE;
  if (opened->file != NULL)
    return TRUE;
  if (upload->size < BOX_SESSION_MIN_SIZE)
    return box_client_preflight (upload->client, transport, opened->target, upload->size,
                                 upload->transfers, error);
  opened->session = box_client_create_session (upload->client, transport, opened->target,
                                               upload->size, upload->transfers, error);
  return opened->session != NULL;
}

/* Tries one name. If it is taken, the failure of this step leads to the next one
 * (upload/trouble.c). */
static gboolean
open_target (BoxUpload *upload, BoxTransport *transport, Opened *opened, GError **error)
{
  GError *failure = NULL;
  BoxDestination *other;

  upload->has_other = FALSE;
  opened->target = box_destination_copy (
      upload->other_name != NULL ? upload->other_name : box_upload_get_place (upload));
  if (upload->other_conflict != NULL)
    opened->conflict = box_file_copy (upload->other_conflict);
  if (try_target (upload, transport, opened, &failure))
    return TRUE;
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    opened->file = box_upload_find_in_conflict (upload, transport, &failure);
  if (opened->file != NULL)
    return TRUE;
  other = box_destination_choose_other (box_upload_get_place (upload), opened->target,
                                        upload->if_exists, upload->n_names, failure);
  if (other != NULL)
    {
      upload->has_other = TRUE;
      upload->n_names++;
      g_clear_pointer (&upload->other_name, box_destination_free);
      upload->other_name = other;
      g_clear_pointer (&upload->other_conflict, box_file_free);
      upload->other_conflict = box_file_from_conflict (failure);
    }
  g_propagate_error (error, failure);
  return FALSE;
}

/* At the place; where that was found earlier, it may be gone. */
static gboolean
open_at_place (BoxUpload *upload, BoxTransport *transport, Opened *opened, GError **error)
{
  GError *failure = NULL;

  if (!box_upload_find_place (upload, transport, error))
    return FALSE;
  if (open_target (upload, transport, opened, &failure))
    return TRUE;
  if (!upload->has_other && box_upload_leave_place (upload, failure))
    {
      g_error_free (failure);
      opened_clear (opened);
      g_clear_pointer (&upload->other_name, box_destination_free);
      return box_upload_find_place (upload, transport, error)
             && open_target (upload, transport, opened, error);
    }
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
check_grid (const BoxUpload *upload, const BoxSession *session, GError **error)
{
  if (box_session_fits (session, upload->size))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "Upload session %s takes %u parts of %" G_GUINT64_FORMAT
               " bytes, which a stream of %" G_GUINT64_FORMAT
               " bytes does not fill: declare the size that the session was created with",
               session->id, session->total_parts, session->part_size, upload->size);
  return FALSE;
}

static gboolean
open_given (BoxUpload *upload, BoxTransport *transport, Opened *opened, GError **error)
{
  const BoxDestination *target = upload->session_target;

  if (upload->given_session != NULL)
    {
      opened->session = box_session_copy (upload->given_session);
      if (!box_upload_find_place (upload, transport, error))
        return FALSE;
      target = target != NULL ? target : box_upload_get_place (upload);
    }
  else
    opened->session = box_client_get_session (
        upload->client, transport, upload->destination->session_id, upload->transfers, error);
  if (opened->session == NULL || !check_grid (upload, opened->session, error))
    return FALSE;
  if (target != NULL && target->kind != BOX_DESTINATION_SESSION)
    opened->target = box_destination_copy (target);
  return remember_version (upload, transport, opened, error);
}

/* The session of a name that somebody took is of no more use, and could stand in the way of another
 * one. It expires by itself. */
static void
abort_replaced (BoxUpload *upload, BoxTransport *transport)
{
  if (upload->session != NULL)
    box_client_abort (upload->client, transport, upload->session, upload->transfers, NULL);
  g_mutex_lock (box_workers_lock ());
  g_clear_pointer (&upload->session, box_session_free);
  g_mutex_unlock (box_workers_lock ());
}

static void
adopt_opened_locked (BoxUpload *upload, Opened *opened, gboolean given)
{
  guint n_parts = opened->session != NULL ? opened->session->total_parts : 0;

  upload->session = g_steal_pointer (&opened->session);
  upload->bytes_acked = 0;
  upload->n_in_order = 0;
  g_clear_pointer (&upload->target, box_destination_free);
  upload->target = g_steal_pointer (&opened->target);
  g_free (upload->etag_before);
  upload->etag_before = g_steal_pointer (&opened->etag);
  g_free (upload->version_before);
  upload->version_before = g_steal_pointer (&opened->version_id);
  g_clear_pointer (&upload->other_name, box_destination_free);
  g_clear_pointer (&upload->other_conflict, box_file_free);
  upload->n_names = 0;
  g_clear_pointer (&upload->parts, g_ptr_array_unref);
  upload->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  g_ptr_array_set_size (upload->parts, (gint) n_parts);
  g_clear_pointer (&upload->dropped, g_byte_array_unref);
  upload->dropped = g_byte_array_new_take (g_malloc0 (n_parts), n_parts);
  box_upload_set_memory_locked (upload);
  box_plan_opened (&upload->plan, n_parts, given, g_get_monotonic_time ());
  box_upload_hold_locked (upload);
  /* First told, then looked: a producer that has not been told yet has its bytes seen here. */
  __atomic_add_fetch (&upload->n_opened, 1, __ATOMIC_SEQ_CST);
  box_upload_publish_locked (upload, __atomic_load_n (&upload->received, __ATOMIC_SEQ_CST));
  g_cond_broadcast (&upload->changed);
}

gboolean
box_upload_open (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  g_auto (Opened) opened = { 0 };
  gboolean given =
      upload->given_session != NULL || upload->destination->kind == BOX_DESTINATION_SESSION;

  abort_replaced (upload, transport);
  if (given ? !open_given (upload, transport, &opened, error)
            : !open_at_place (upload, transport, &opened, error))
    return FALSE;
  if (opened.session != NULL && !check_grid (upload, opened.session, error))
    return FALSE;
  box_upload_progressed (upload);
  if (opened.file != NULL)
    {
      box_upload_committed (upload, g_steal_pointer (&opened.file));
      return TRUE;
    }
  if (opened.session != NULL && upload->events.session_opened != NULL
      && box_upload_call_begins (upload, BOX_CALL_EVENT))
    {
      upload->events.session_opened (opened.session, upload->size, upload->user_data);
      box_upload_call_ends (upload);
    }

  g_mutex_lock (box_workers_lock ());
  adopt_opened_locked (upload, &opened, given);
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

/* --- Where the file goes: the folder at the end of a destination's path --------------------- */

const BoxDestination *
box_upload_get_place (const BoxUpload *upload)
{
  return upload->place != NULL ? upload->place : upload->destination;
}

static gboolean
has_path (const BoxUpload *upload)
{
  return upload->destination->kind == BOX_DESTINATION_FOLDER && upload->destination->path != NULL;
}

static void
tell_folder (BoxUpload *upload, const char *folder_id)
{
  if (upload->events.folder_found != NULL && box_upload_call_begins (upload, BOX_CALL_EVENT))
    {
      upload->events.folder_found (folder_id, upload->user_data);
      box_upload_call_ends (upload);
    }
}

gboolean
box_upload_find_place (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  const BoxDestination *destination = upload->destination;
  g_autofree char *folder_id = NULL;

  if (!has_path (upload) || upload->place != NULL)
    return TRUE;
  if (upload->given_folder != NULL)
    {
      upload->place = box_destination_new_resolved (destination, upload->given_folder);
      upload->place_is_old = upload->place != NULL;
    }
  if (upload->place != NULL)
    return TRUE;
  folder_id = box_folder_path_resolve (
      upload->client, transport, destination->folder_id, (const char *const *) destination->path,
      !destination->no_create, &upload->place_is_old, upload->transfers, error);
  if (folder_id == NULL)
    return FALSE;
  tell_folder (upload, folder_id);
  upload->place = box_destination_new_resolved (destination, folder_id);
  return TRUE;
}

gboolean
box_upload_leave_place (BoxUpload *upload, const GError *failure)
{
  if (!upload->place_is_old || !g_error_matches (failure, BOX_ERROR, BOX_ERROR_NOT_FOUND))
    return FALSE;
  box_folder_path_forget (upload->client, upload->destination->folder_id,
                          (const char *const *) upload->destination->path);
  g_clear_pointer (&upload->place, box_destination_free);
  g_clear_pointer (&upload->given_folder, g_free);
  upload->place_is_old = FALSE;
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the file goes: the folder at the end of a destination's path, found or made when it is
 * needed first. */
#include "api/folder-path.h"
#include "upload/state.h"

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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/attempt.h"

#include "api/account.h"

/* Its upload's user_data: no event uses it once the upload is closed. */
struct _BoxAttempt
{
  BoxUpload *upload;
  BoxRecording *recording;
  BoxUploadEvents events; /* the caller's */
  gpointer user_data;
};

static gboolean
read_recording (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  BoxAttempt *self = user_data;

  return box_recording_read (self->recording, offset, buffer, length, error);
}

/* Takes @error. */
static void
note_failure (BoxAttempt *self, GError *error)
{
  g_info ("The journal of %s misses a line, which is found out from Box if needed: %s",
          box_recording_get_path (self->recording), error->message);
  g_error_free (error);
}

static void
on_folder_found (const char *folder_id, gpointer user_data)
{
  BoxAttempt *self = user_data;
  GError *error = NULL;

  if (!box_recording_set_folder (self->recording, folder_id, &error))
    note_failure (self, error);
  if (self->events.folder_found != NULL)
    self->events.folder_found (folder_id, self->user_data);
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  BoxAttempt *self = user_data;
  GError *error = NULL;

  if (!box_recording_set_session (self->recording, session, size, &error))
    note_failure (self, error);
  if (self->events.session_opened != NULL)
    self->events.session_opened (session, size, self->user_data);
}

/* Box gets no byte that a power cut could still take from the disk. Its list of parts says nothing
 * of their content: a part that is there is taken for what the disk has. If the disk refuses, the
 * upload ends before the part leaves: it could not be committed either. */
static gboolean
on_part_wanted (guint64 offset, guint64 size, gpointer user_data)
{
  BoxAttempt *self = user_data;
  GError *error = NULL;

  if (!box_recording_sync (self->recording, offset + size, &error))
    box_upload_fail (self->upload, error);
  return TRUE;
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  BoxAttempt *self = user_data;
  GError *error = NULL;

  if (!box_recording_add_part (self->recording, part, &error))
    note_failure (self, error);
  if (self->events.part_done != NULL)
    self->events.part_done (part, attempts, adopted, self->user_data);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  BoxAttempt *self = user_data;

  if (self->events.retrying != NULL)
    self->events.retrying (request, offset, attempt, delay, reason, self->user_data);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  BoxAttempt *self = user_data;

  if (self->events.outage != NULL)
    self->events.outage (reason, self->user_data);
}

static void
on_committing (gpointer user_data)
{
  BoxAttempt *self = user_data;
  GError *error = NULL;

  if (!box_recording_set_committing (self->recording, &error))
    note_failure (self, error);
  if (self->events.committing != NULL)
    self->events.committing (self->user_data);
}

static void
on_completed (const BoxFile *file, gpointer user_data)
{
  BoxAttempt *self = user_data;
  GError *error = NULL;

  if (file != NULL && !box_recording_set_committed (self->recording, file, &error))
    note_failure (self, error);
  if (self->events.completed != NULL)
    self->events.completed (file, self->user_data);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  BoxAttempt *self = user_data;

  if (self->events.failed != NULL)
    self->events.failed (error, self->user_data);
}

static const BoxUploadEvents attempt_events = {
  .folder_found = on_folder_found,
  .session_opened = on_session_opened,
  .part_wanted = on_part_wanted,
  .part_done = on_part_done,
  .retrying = on_retrying,
  .outage = on_outage,
  .committing = on_committing,
  .completed = on_completed,
  .failed = on_failed,
};

BoxAttempt *
box_attempt_new (BoxRecording *recording, const BoxUploadSettings *settings,
                 const BoxUploadEvents *events, gpointer user_data, GError **error)
{
  BoxAttempt *self = g_new0 (BoxAttempt, 1);
  BoxBlocksFile file = { .read = read_recording, .user_data = self };
  BoxUploadSettings with_file = *settings;

  self->recording = box_recording_ref (recording);
  self->events = *events;
  self->user_data = user_data;
  with_file.file = &file;
  with_file.file_grows = TRUE;
  self->upload = box_upload_new (&with_file, &attempt_events, self, NULL, error);
  if (self->upload == NULL)
    g_clear_pointer (&self, box_attempt_free);
  return self;
}

BoxUpload *
box_attempt_get_upload (BoxAttempt *self)
{
  return self->upload;
}

void
box_attempt_free (BoxAttempt *self)
{
  if (self == NULL)
    return;
  if (self->upload != NULL)
    box_upload_close (self->upload);
  g_clear_pointer (&self->upload, box_upload_unref);
  box_recording_unref (self->recording);
  g_free (self);
}

void
box_attempt_abort (BoxClient *client, const BoxSession *session, GCancellable *cancellable)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GError) error = NULL;

  if (!box_session_check_endpoints (session, box_client_get_endpoint (client), &error)
      || !box_client_abort (client, transport, session, cancellable, &error))
    g_info ("Upload session %s is left to expire: %s", session->id, error->message);
}

/* --- BoxElsewhere --------------------------------------------------------------------------- */

static gpointer
copy_part (gconstpointer part, gpointer user_data)
{
  return box_part_copy (part);
}

/* By offset; of two that are the same, the one whose SHA-512 is known. */
static gint
compare_parts (gconstpointer a, gconstpointer b)
{
  const BoxPart *left = *(BoxPart *const *) a, *right = *(BoxPart *const *) b;

  if (left->offset != right->offset)
    return left->offset < right->offset ? -1 : 1;
  return (right->has_sha512 ? 1 : 0) - (left->has_sha512 ? 1 : 0);
}

GPtrArray *
box_elsewhere_find_parts (const BoxElsewhere *elsewhere, BoxRecording *recording,
                          const BoxSession *session)
{
  g_autoptr (BoxJournalState) now = box_recording_get_state (recording);
  GPtrArray *parts;

  if (elsewhere->refused)
    return g_ptr_array_new ();
  parts = g_ptr_array_copy (now->elsewhere, copy_part, NULL);
  for (guint i = 0; i < now->parts->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (now->parts, i);

      if (session == NULL || part->has_sha512)
        g_ptr_array_add (parts, box_part_copy (part));
    }
  g_ptr_array_sort (parts, compare_parts);
  return parts;
}

void
box_elsewhere_add (BoxElsewhere *elsewhere, BoxUpload *upload)
{
  BoxUploadStats stats;

  box_upload_get_stats (upload, &stats);
  elsewhere->asked += stats.parts_asked;
  elsewhere->hit += stats.parts_hit;
  elsewhere->refused |= stats.hits_refused;
}

void
box_elsewhere_note (const BoxElsewhere *elsewhere, const char *account_file, BoxClient *client)
{
  const char *reason = elsewhere->refused ? "a commit did not take the parts that its session's "
                                            "plan had found"
                                          : "no part that was sent ahead was found";
  g_autoptr (GError) error = NULL;

  if (elsewhere->asked == 0 || (elsewhere->hit > 0 && !elsewhere->refused))
    return;
  if (!box_account_set_plan (account_file, client, BOX_PLAN_SCOPE_NONE, "settle", reason, &error))
    g_info ("%s", error->message);
}

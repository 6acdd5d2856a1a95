/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps that concern parts: sending one, listing what Box has, and comparing what was there
 * before. */
#include "upload/state.h"

static void
tell_part (BoxUpload *upload, const BoxPart *part, guint attempts, gboolean adopted)
{
  g_mutex_lock (box_workers_lock ());
  upload->n_adopted += adopted ? 1 : 0;
  upload->part_fails &= upload->failing_offset != part->offset;
  g_mutex_unlock (box_workers_lock ());
  if (upload->events.part_done == NULL || !box_upload_call_begins (upload, BOX_CALL_EVENT))
    return;
  upload->events.part_done (part, attempts, adopted, upload->user_data);
  box_upload_call_ends (upload);
}

/* Tells of part @i and makes it a done one. */
static void
part_done (BoxUpload *upload, guint i, BoxPart *part, gboolean adopted)
{
  guint attempts = 0;

  if (!adopted)
    {
      g_mutex_lock (box_workers_lock ());
      attempts = g_array_index (upload->plan.parts, BoxPlanPart, i).attempts;
      g_mutex_unlock (box_workers_lock ());
    }
  tell_part (upload, part, attempts, adopted);

  g_mutex_lock (box_workers_lock ());
  if (g_ptr_array_index (upload->parts, i) != part)
    g_ptr_array_index (upload->parts, i) = part;
  box_plan_sent (&upload->plan, i);
  box_upload_release_locked (upload, i);
  g_mutex_unlock (box_workers_lock ());
}

/* Whether somebody still wants part @i at Box. */
static gboolean
is_wanted (BoxUpload *upload, guint i)
{
  gboolean wanted = TRUE;

  if (upload->events.part_wanted == NULL || !box_upload_call_begins (upload, BOX_CALL_EVENT))
    return TRUE;
  wanted = upload->events.part_wanted (box_upload_part_offset (upload, i),
                                       box_upload_part_size (upload, i), upload->user_data);
  box_upload_call_ends (upload);
  return wanted;
}

static gboolean
leave_out (BoxUpload *upload, guint i)
{
  g_mutex_lock (box_workers_lock ());
  box_plan_sent (&upload->plan, i);
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

/* The part that Box names as being there, if it is the very part that was refused: an earlier
 * attempt had stored it. Box names it even if no list does (not yet, or beyond offset 10,000).
 * NULL: it is another part. */
static BoxPart *
find_stored (const BoxUpload *upload, guint i, const BoxSha1 *sha1, const GError *error)
{
  g_autoptr (BoxPart) part = NULL;

  if (!g_error_matches (error, BOX_ERROR, BOX_ERROR_CONFLICT))
    return NULL;
  part = box_part_from_conflict (error);
  if (part == NULL || part->offset != box_upload_part_offset (upload, i)
      || part->size != box_upload_part_size (upload, i)
      || (part->has_sha1 && !box_sha1_equal (&part->sha1, sha1)))
    return NULL;
  return g_steal_pointer (&part);
}

gboolean
box_upload_send_part (BoxUpload *upload, BoxTransport *transport, guint i, BoxFlowPart *flow,
                      GError **error)
{
  g_auto (BoxUploadBytes) bytes = { 0 };
  guint64 offset = box_upload_part_offset (upload, i);
  GError *failure = NULL;
  gboolean adopted = FALSE;
  BoxBody body;
  BoxSha1 sha1;
  BoxSha512 sha512;
  BoxPart *part;

  if (!is_wanted (upload, i))
    return leave_out (upload, i);
  box_upload_bytes_init (&bytes, upload, offset, box_upload_part_size (upload, i));
  bytes.part = i;
  bytes.flow = flow;
  if (!box_upload_bytes_digest (&bytes, &sha1, upload->sha512 ? &sha512 : NULL, error))
    return FALSE;
  box_upload_bytes_to_body (&bytes, &body);
  body.slack = box_upload_slack (&g_array_index (upload->plan.parts, BoxPlanPart, i).slow);
  part = box_client_upload_part (upload->client, transport, upload->session, offset, upload->size,
                                 &sha1, &body, upload->transfers, &failure);
  if (part == NULL)
    {
      part = find_stored (upload, i, &sha1, failure);
      adopted = part != NULL;
    }
  if (part == NULL && !is_wanted (upload, i))
    {
      g_error_free (failure);
      return leave_out (upload, i);
    }
  if (part == NULL)
    {
      box_upload_date_trouble (upload);
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_clear_error (&failure);
  part->has_sha512 = upload->sha512;
  if (upload->sha512)
    part->sha512 = sha512;
  box_upload_progressed (upload);
  part_done (upload, i, part, adopted);
  return TRUE;
}

gboolean
box_upload_verify_part (BoxUpload *upload, guint i, GError **error)
{
  g_auto (BoxUploadBytes) bytes = { 0 };
  guint64 offset = box_upload_part_offset (upload, i);
  BoxPart *part;
  BoxSha1 sha1;

  g_mutex_lock (box_workers_lock ());
  part = g_ptr_array_index (upload->parts, i);
  g_mutex_unlock (box_workers_lock ());
  box_upload_bytes_init (&bytes, upload, offset, box_upload_part_size (upload, i));
  if (!box_upload_bytes_digest (&bytes, &sha1, NULL, error))
    return FALSE;
  if (!box_sha1_equal (&sha1, &part->sha1))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY,
                   "The upload session already holds other bytes at offset %" G_GUINT64_FORMAT
                   " than the stream has there: it belongs to another recording; use a new session",
                   offset);
      return FALSE;
    }
  part_done (upload, i, part, TRUE);
  return TRUE;
}

/* The index of a listed part; FALSE if it is not on the session's grid. */
static gboolean
locate (const BoxUpload *upload, const BoxPart *part, guint *i, GError **error)
{
  guint64 index = part->offset / upload->session->part_size;

  if (part->offset % upload->session->part_size == 0 && index < upload->parts->len
      && part->size == box_upload_part_size (upload, (guint) index))
    {
      *i = (guint) index;
      return TRUE;
    }
  g_set_error (
      error, BOX_ERROR, BOX_ERROR_SIZE,
      "The upload session holds a part of %" G_GUINT64_FORMAT " bytes at offset %" G_GUINT64_FORMAT
      ", which is none of a file of %" G_GUINT64_FORMAT
      " bytes: the declared size is not the session's, or the session is another recording's",
      part->size, part->offset, upload->size);
  return FALSE;
}

static gboolean
may_adopt (BoxUpload *upload, guint i)
{
  BoxPlanPart part;

  g_mutex_lock (box_workers_lock ());
  part = g_array_index (upload->plan.parts, BoxPlanPart, i);
  g_mutex_unlock (box_workers_lock ());
  return part.state != BOX_PART_IN_FLIGHT && part.state != BOX_PART_DONE && !part.adopted;
}

gboolean
box_upload_adopt (BoxUpload *upload, guint i, const BoxPart *part, gboolean verify)
{
  gboolean adopted;

  /* Nobody else can adopt it meanwhile: there is one list or question at a time, and a part that
   * begins to be sent now is found to be there by its overlap. */
  if (!may_adopt (upload, i))
    return FALSE;
  if (!verify)
    tell_part (upload, part, 0, TRUE);

  g_mutex_lock (box_workers_lock ());
  adopted = box_plan_adopt (&upload->plan, i, verify);
  if (adopted)
    {
      const BoxPlanPart *planned = &g_array_index (upload->plan.parts, BoxPlanPart, i);

      g_ptr_array_index (upload->parts, i) = box_part_copy (part);
      if (planned->sealed && planned->state == BOX_PART_DONE)
        box_upload_release_locked (upload, i);
    }
  g_mutex_unlock (box_workers_lock ());
  return adopted;
}

/* A session that was full before anything was sent may have been committed: by an earlier attempt
 * whose end nobody saw. What a version's file is now is not what it was before that. */
static void
note_full_session_locked (BoxUpload *upload, guint n_adopted)
{
  if (!upload->plan.list_first || n_adopted < upload->parts->len)
    return;
  upload->plan.unsure = upload->commit_repeated = TRUE;
  g_clear_pointer (&upload->version_before, g_free);
}

/* Behind the first @n_listed parts, which Box lists, what it has acknowledged before is all that is
 * known. How many were adopted. */
static guint
adopt_unlisted (BoxUpload *upload, guint n_listed)
{
  guint i = 0, n_adopted = 0;

  for (guint k = 0; upload->known_parts != NULL && k < upload->known_parts->len; k++)
    {
      const BoxPart *part = g_ptr_array_index (upload->known_parts, k);

      if (locate (upload, part, &i, NULL) && i >= n_listed
          && box_upload_adopt (upload, i, part, part->has_sha1))
        n_adopted++;
    }
  return n_adopted;
}

gboolean
box_upload_list (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  guint i = 0, n_listed = 0, n_adopted = 0;
  g_autoptr (GPtrArray) listed = box_client_list_parts (upload->client, transport, upload->session,
                                                        &n_listed, upload->transfers, error);

  if (listed == NULL)
    return FALSE;
  box_upload_reached (upload);
  for (guint k = 0; k < listed->len; k++)
    if (!locate (upload, g_ptr_array_index (listed, k), &i, error))
      return FALSE;
  for (guint k = 0; k < listed->len; k++)
    {
      const BoxPart *part = g_ptr_array_index (listed, k);

      if (locate (upload, part, &i, NULL) && box_upload_adopt (upload, i, part, part->has_sha1))
        n_adopted++;
    }
  if (upload->plan.list_first)
    n_adopted += adopt_unlisted (upload, n_listed);
  if (n_adopted > 0)
    box_upload_progressed (upload);

  g_mutex_lock (box_workers_lock ());
  note_full_session_locked (upload, n_adopted);
  box_plan_listed (&upload->plan, g_get_monotonic_time ());
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

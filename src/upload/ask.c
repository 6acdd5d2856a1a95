/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The step that asks which parts Box has from elsewhere (Box calls it "plan"): from a session that
 * was lost, or one that was filled before the file's size was known. Hits are adopted and misses
 * sent. Nothing of this is needed: what Box does not answer well is sent.
 */
#include "upload/state.h"

/* Parts whose SHA-512 has to be computed first are asked for in smaller groups, so that the first
 * misses can leave soon. Bytes. */
#define HASHED_AT_ONCE (G_GUINT64_CONSTANT (256) << 20)

/* Tries of a request that may have reached Box; after them the parts are sent. */
#define MAX_ATTEMPTS 3

/* The index of a part of another session, if it is one of this session's grid, too. */
static gboolean
find_index (const BoxUpload *upload, const BoxPart *part, guint *i)
{
  guint64 index = part->offset / upload->session->part_size;

  if (part->offset % upload->session->part_size != 0 || index >= upload->parts->len
      || part->size != box_upload_part_size (upload, (guint) index))
    return FALSE;
  *i = (guint) index;
  return TRUE;
}

void
box_upload_hold_locked (BoxUpload *upload)
{
  guint i;

  upload->n_hits = 0;
  if (upload->session == NULL || upload->session->plan_url == NULL || upload->earlier == NULL
      || upload->hits_refused)
    return;
  for (guint k = 0; k < upload->earlier->len; k++)
    if (find_index (upload, g_ptr_array_index (upload->earlier, k), &i))
      box_plan_hold (&upload->plan, i);
}

static gboolean
is_held (BoxUpload *upload, guint i)
{
  gboolean held;

  g_mutex_lock (box_workers_lock ());
  held = g_array_index (upload->plan.parts, BoxPlanPart, i).hold;
  g_mutex_unlock (box_workers_lock ());
  return held;
}

/* A copy of @earlier with its SHA-512. */
static BoxPart *
complete (BoxUpload *upload, const BoxPart *earlier, GError **error)
{
  g_autoptr (BoxPart) part = box_part_copy (earlier);
  g_auto (BoxUploadBytes) bytes = { 0 };

  if (part->has_sha512)
    return g_steal_pointer (&part);
  if (g_cancellable_set_error_if_cancelled (upload->transfers, error))
    return NULL;
  /* The producer may be filling the block in memory just now. */
  if (upload->file_behind.read != NULL)
    box_upload_bytes_init_file (&bytes, upload, part->offset, part->size);
  else
    box_upload_bytes_init (&bytes, upload, part->offset, part->size);
  part->has_sha512 = TRUE;
  if (!box_upload_bytes_digest (&bytes, NULL, &part->sha512, error))
    return NULL;
  return g_steal_pointer (&part);
}

/* The next parts to ask for. NULL: @error. */
static GPtrArray *
gather (BoxUpload *upload, GError **error)
{
  g_autoptr (GPtrArray) group = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  guint64 hashed = 0;
  guint i, last = G_MAXUINT;

  for (guint k = 0; k < upload->earlier->len; k++)
    {
      const BoxPart *earlier = g_ptr_array_index (upload->earlier, k);
      BoxPart *part;

      if (group->len == BOX_PLAN_PARTS_MAX || hashed >= HASHED_AT_ONCE)
        break;
      if (!find_index (upload, earlier, &i) || i == last || !is_held (upload, i))
        continue;
      part = complete (upload, earlier, error);
      if (part == NULL)
        return NULL;
      hashed += earlier->has_sha512 ? 0 : part->size;
      g_ptr_array_add (group, part);
      last = i;
    }
  return g_steal_pointer (&group);
}

/* Whether the request is tried again by the rules for all requests. */
static gboolean
is_worth_another (BoxUpload *upload, const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  guint attempts;

  if (g_error_matches (error, BOX_ERROR, BOX_ERROR_CREDENTIALS)
      || g_error_matches (error, BOX_ERROR, BOX_ERROR_CANCELLED))
    return TRUE;
  if (!box_error_is_transient (error))
    return FALSE;
  g_mutex_lock (box_workers_lock ());
  attempts = upload->plan.control_attempts;
  g_mutex_unlock (box_workers_lock ());
  return attempts < MAX_ATTEMPTS || (details->http_status == 0 && !details->unsure);
}

static gboolean
give_up_asking (BoxUpload *upload, GError *failure)
{
  g_info ("Box is not asked any more which parts it has; they are sent: %s", failure->message);
  g_error_free (failure);
  g_mutex_lock (box_workers_lock ());
  box_plan_stop_asking (&upload->plan);
  box_plan_asked (&upload->plan, g_get_monotonic_time ());
  g_mutex_unlock (box_workers_lock ());
  return TRUE;
}

/* Adopts @hits of @group; the rest is sent. */
static void
use_answer (BoxUpload *upload, GPtrArray *group, GPtrArray *hits)
{
  guint i = 0, n_hits = 0;

  for (guint k = 0; k < hits->len; k++)
    if (find_index (upload, g_ptr_array_index (hits, k), &i)
        && box_upload_adopt (upload, i, g_ptr_array_index (hits, k), FALSE))
      n_hits++;

  g_mutex_lock (box_workers_lock ());
  upload->n_hits += n_hits;
  upload->parts_asked += group->len;
  upload->parts_hit += n_hits;
  for (guint k = 0; k < group->len; k++)
    if (find_index (upload, g_ptr_array_index (group, k), &i))
      box_plan_missed (&upload->plan, i);
  box_plan_asked (&upload->plan, g_get_monotonic_time ());
  g_mutex_unlock (box_workers_lock ());
}

gboolean
box_upload_ask (BoxUpload *upload, BoxTransport *transport, GError **error)
{
  g_autoptr (GPtrArray) group = gather (upload, error);
  g_autoptr (GPtrArray) hits = NULL;
  GError *failure = NULL;

  if (group == NULL)
    return FALSE;
  hits = group->len > 0 ? box_client_plan (upload->client, transport, upload->session, group,
                                           upload->transfers, &failure)
                        : g_ptr_array_new ();
  if (hits == NULL && is_worth_another (upload, failure))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (hits == NULL)
    return give_up_asking (upload, failure);
  box_upload_reached (upload);
  if (hits->len > 0)
    box_upload_progressed (upload);
  use_answer (upload, group, hits);
  return TRUE;
}

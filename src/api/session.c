/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/session.h"

#include "api/destination.h"
#include "base/error.h"
#include "base/json.h"
#include "http/trust.h"

#define MAX_URL     4096
#define MAX_PART_ID 64

/* One page holds at most 1000; a server that sends more is still believed up to here. */
#define MAX_PAGE_ENTRIES 20000

static gboolean
parse_expiry (JsonObject *object, BoxSession *session, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();

  if (!box_json_find_string (object, "session_expires_at", 64, &text, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  session->expires_at = g_date_time_new_from_iso8601 (text, utc);
  if (session->expires_at != NULL)
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                       "the session's \"session_expires_at\" is not a time");
  return FALSE;
}

static gboolean
parse_url (JsonObject *endpoints, const char *name, char **url, GError **error)
{
  g_autofree char *origin = NULL;

  if (!box_json_get_string (endpoints, name, MAX_URL, url, error))
    return FALSE;
  origin = box_url_policy_origin_of (*url);
  if (origin != NULL)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "the session's \"%s\" is not a URL", name);
  return FALSE;
}

/* A "plan" that is no URL is done without. */
static void
find_plan (JsonObject *endpoints, BoxSession *session)
{
  if (json_object_has_member (endpoints, "plan")
      && !parse_url (endpoints, "plan", &session->plan_url, NULL))
    g_clear_pointer (&session->plan_url, g_free);
}

static gboolean
parse_endpoints (JsonObject *object, BoxSession *session, GError **error)
{
  JsonObject *endpoints;

  if (!box_json_find_object (object, "session_endpoints", &endpoints, error))
    return FALSE;
  if (endpoints == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                           "the session's \"session_endpoints\" is missing");
      return FALSE;
    }
  find_plan (endpoints, session);
  return parse_url (endpoints, "upload_part", &session->upload_part_url, error)
         && parse_url (endpoints, "commit", &session->commit_url, error)
         && parse_url (endpoints, "abort", &session->abort_url, error)
         && parse_url (endpoints, "list_parts", &session->list_parts_url, error)
         && parse_url (endpoints, "status", &session->status_url, error);
}

static gboolean
parse_id (JsonObject *object, BoxSession *session, GError **error)
{
  g_autoptr (BoxDestination) destination = NULL;

  if (!box_json_get_string (object, "id", 64, &session->id, error))
    return FALSE;
  destination = box_destination_new_session (session->id, NULL);
  if (destination != NULL)
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "the session's \"id\" is not an id");
  return FALSE;
}

BoxSession *
box_session_parse (JsonNode *node, GError **error)
{
  g_autoptr (BoxSession) session = g_new0 (BoxSession, 1);
  JsonObject *object = box_json_object (node, "the session", error);
  guint64 total_parts, parts_processed = 0;
  gboolean found;

  if (object == NULL || !parse_id (object, session, error)
      || !box_json_get_uint64 (object, "part_size", 1, BOX_SESSION_MAX_PART_SIZE,
                               &session->part_size, error)
      || !box_json_get_uint64 (object, "total_parts", 1, BOX_SESSION_MAX_PARTS, &total_parts, error)
      || !box_json_find_uint64 (object, "num_parts_processed", 0, G_MAXINT32, &found,
                                &parts_processed, error)
      || !parse_expiry (object, session, error) || !parse_endpoints (object, session, error))
    return NULL;

  session->total_parts = (guint) total_parts;
  session->parts_processed = (guint) parts_processed;
  return g_steal_pointer (&session);
}

BoxSession *
box_session_copy (const BoxSession *session)
{
  BoxSession *copy = g_new0 (BoxSession, 1);

  copy->id = g_strdup (session->id);
  copy->part_size = session->part_size;
  copy->total_parts = session->total_parts;
  copy->parts_processed = session->parts_processed;
  copy->expires_at = session->expires_at != NULL ? g_date_time_ref (session->expires_at) : NULL;
  copy->upload_part_url = g_strdup (session->upload_part_url);
  copy->commit_url = g_strdup (session->commit_url);
  copy->abort_url = g_strdup (session->abort_url);
  copy->list_parts_url = g_strdup (session->list_parts_url);
  copy->status_url = g_strdup (session->status_url);
  copy->plan_url = g_strdup (session->plan_url);
  return copy;
}

void
box_session_free (BoxSession *session)
{
  if (session == NULL)
    return;
  g_free (session->id);
  g_clear_pointer (&session->expires_at, g_date_time_unref);
  g_free (session->upload_part_url);
  g_free (session->commit_url);
  g_free (session->abort_url);
  g_free (session->list_parts_url);
  g_free (session->status_url);
  g_free (session->plan_url);
  g_free (session);
}

gboolean
box_session_check_endpoints (const BoxSession *session, const char *endpoint, GError **error)
{
  return box_url_policy_check (session->upload_part_url, endpoint, error)
         && box_url_policy_check (session->commit_url, endpoint, error)
         && box_url_policy_check (session->abort_url, endpoint, error)
         && box_url_policy_check (session->list_parts_url, endpoint, error)
         && box_url_policy_check (session->status_url, endpoint, error)
         && (session->plan_url == NULL
             || box_url_policy_check (session->plan_url, endpoint, error));
}

gboolean
box_session_fits (const BoxSession *session, guint64 size)
{
  if (size == 0)
    return FALSE;
  return (size - 1) / session->part_size + 1 == session->total_parts;
}

static gboolean
parse_sha1 (JsonObject *object, BoxPart *part, GError **error)
{
  g_autofree char *hex = NULL;

  if (!box_json_find_string (object, "sha1", 64, &hex, error))
    return FALSE;
  if (hex == NULL)
    return TRUE;
  part->has_sha1 = box_sha1_from_hex (hex, &part->sha1);
  if (part->has_sha1)
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                       "the part's \"sha1\" is not a hexadecimal SHA-1");
  return FALSE;
}

/* @part stays without an id if the entry is a placeholder. */
static gboolean
parse_object (JsonObject *object, BoxPart *part, GError **error)
{
  if (!box_json_find_string (object, "part_id", MAX_PART_ID, &part->id, error))
    return FALSE;
  if (part->id == NULL || *part->id == '\0')
    {
      g_clear_pointer (&part->id, g_free);
      return TRUE;
    }
  return box_json_get_uint64 (object, "offset", 0, G_MAXINT64, &part->offset, error)
         && box_json_get_uint64 (object, "size", 1, BOX_SESSION_MAX_PART_SIZE, &part->size, error)
         && parse_sha1 (object, part, error);
}

BoxPart *
box_part_parse (JsonNode *node, GError **error)
{
  g_autoptr (BoxPart) part = g_new0 (BoxPart, 1);
  JsonObject *object = box_json_object (node, "the part", error);
  JsonObject *wrapped;

  if (object == NULL || !box_json_find_object (object, "part", &wrapped, error)
      || !parse_object (wrapped != NULL ? wrapped : object, part, error))
    return NULL;
  if (part->id == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
                           "the part's \"part_id\" is missing");
      return NULL;
    }
  return g_steal_pointer (&part);
}

GPtrArray *
box_part_parse_page (JsonNode *node, guint *n_entries, GError **error)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  JsonObject *object = box_json_object (node, "the list of parts", error);
  JsonArray *entries;
  guint n;

  if (object == NULL || !box_json_find_array (object, "entries", &entries, error))
    return NULL;
  n = entries != NULL ? json_array_get_length (entries) : 0;
  if (entries == NULL || n > MAX_PAGE_ENTRIES)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "the list's \"entries\" is %s",
                   entries == NULL ? "missing" : "too long");
      return NULL;
    }

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (BoxPart) part = g_new0 (BoxPart, 1);
      JsonObject *entry = box_json_object (json_array_get_element (entries, i), "a part", error);

      if (entry == NULL || !parse_object (entry, part, error))
        return NULL;
      if (part->id != NULL)
        g_ptr_array_add (parts, g_steal_pointer (&part));
    }
  if (n_entries != NULL)
    *n_entries = n;
  return g_steal_pointer (&parts);
}

BoxPart *
box_part_from_conflict (const GError *error)
{
  JsonNode *context = box_error_get_details (error)->context;
  g_autoptr (BoxPart) part = g_new0 (BoxPart, 1);
  JsonObject *object = context != NULL ? box_json_object (context, "context_info", NULL) : NULL;
  JsonObject *conflict = NULL;

  if (object == NULL || !box_json_find_object (object, "conflicting_part", &conflict, NULL)
      || conflict == NULL || !parse_object (conflict, part, NULL) || part->id == NULL)
    return NULL;
  return g_steal_pointer (&part);
}

BoxPart *
box_part_copy (const BoxPart *part)
{
  BoxPart *copy = g_new (BoxPart, 1);

  *copy = *part;
  copy->id = g_strdup (part->id);
  return copy;
}

guint64
box_part_sum (const GPtrArray *parts)
{
  guint64 bytes = 0;

  for (guint i = 0; parts != NULL && i < parts->len; i++)
    bytes += ((const BoxPart *) parts->pdata[i])->size;
  return bytes;
}

void
box_part_free (BoxPart *part)
{
  if (part == NULL)
    return;
  g_free (part->id);
  g_free (part);
}

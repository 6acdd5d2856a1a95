/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/session.h"

#include "api/destination.h"
#include "base/error.h"
#include "base/json.h"
#include "http/url-policy.h"

#define MAX_URL 4096

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
  g_free (session);
}

gboolean
box_session_check_endpoints (const BoxSession *session, const char *endpoint, GError **error)
{
  return box_url_policy_check (session->upload_part_url, endpoint, error)
         && box_url_policy_check (session->commit_url, endpoint, error)
         && box_url_policy_check (session->abort_url, endpoint, error)
         && box_url_policy_check (session->list_parts_url, endpoint, error)
         && box_url_policy_check (session->status_url, endpoint, error);
}

gboolean
box_session_fits (const BoxSession *session, guint64 size)
{
  if (size == 0)
    return FALSE;
  return (size - 1) / session->part_size + 1 == session->total_parts;
}

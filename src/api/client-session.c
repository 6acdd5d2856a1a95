/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BoxClient's calls about upload sessions and their parts. */
#include "api/calls.h"

#include "base/json.h"

/* Box: "limit" is at most 1000, and an "offset" above 10000 is refused. Whether 10000 itself is has
 * not been seen: it is asked for, and its refusal is the end of the list. */
#define PAGE_LIMIT       1000
#define LAST_PAGE_OFFSET (BOX_LISTED_PARTS_MAX - PAGE_LIMIT)

/* Pages of one list that are read. A server may make them shorter than asked for, but one that
 * gives ten parts at a time has something else in mind. */
#define MAX_PAGES 1000

/* Parses a session out of @node and checks that its URLs may be used. */
static BoxSession *
parse_session (BoxClient *client, JsonNode *node, GError **error)
{
  g_autoptr (BoxSession) session = box_session_parse (node, error);

  if (session == NULL || !box_session_check_endpoints (session, client->endpoint, error))
    return NULL;
  return g_steal_pointer (&session);
}

static BoxSession *
parse_session_reply (BoxClient *client, const BoxReply *reply, const char *attempt, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) node = box_json_parse (reply->body, &reason);
  BoxSession *session = node != NULL ? parse_session (client, node, &reason) : NULL;

  if (session != NULL)
    return session;
  if (g_error_matches (reason, BOX_ERROR, BOX_ERROR_TRUST))
    g_propagate_error (error, g_steal_pointer (&reason));
  else
    g_propagate_error (
        error, box_api_error_from_nonsense (reply, FALSE, attempt, g_steal_pointer (&reason)));
  return NULL;
}

/* ---- create and get ---- */

static JsonNode *
build_session_request (const BoxDestination *destination, guint64 size)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  if (destination->kind == BOX_DESTINATION_FOLDER)
    {
      json_builder_set_member_name (builder, "folder_id");
      json_builder_add_string_value (builder, destination->folder_id);
      json_builder_set_member_name (builder, "file_name");
      json_builder_add_string_value (builder, destination->name);
    }
  json_builder_set_member_name (builder, "file_size");
  json_builder_add_int_value (builder, (gint64) size);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* 409 session_conflict: an equal session is open already, and comes with the refusal. */
static BoxSession *
adopt_conflict (BoxClient *client, const GError *refusal, guint64 size)
{
  const BoxErrorDetails *details = box_error_get_details (refusal);
  g_autoptr (BoxSession) session = NULL;
  JsonNode *node;

  if (g_strcmp0 (details->box_code, "session_conflict") != 0 || details->context == NULL)
    return NULL;
  node = json_object_get_member (json_node_get_object (details->context), "session");
  session = node != NULL ? parse_session (client, node, NULL) : NULL;
  return session != NULL && box_session_fits (session, size) ? g_steal_pointer (&session) : NULL;
}

static gboolean
check_fit (const BoxSession *session, const BoxReply *reply, guint64 size, const char *attempt,
           GError **error)
{
  if (box_session_fits (session, size))
    return TRUE;
  g_propagate_error (error, box_api_error_from_nonsense (
                                reply, FALSE, attempt,
                                g_error_new (BOX_ERROR, BOX_ERROR_PROTOCOL,
                                             "%u parts of %" G_GUINT64_FORMAT
                                             " bytes for a file of %" G_GUINT64_FORMAT " bytes",
                                             session->total_parts, session->part_size, size)));
  return FALSE;
}

/* Its parts may be another recording's: with equal sizes and no digests in the list they look like
 * ours. Takes @session, which came with @refusal. */
static BoxSession *
take_if_empty (BoxClient *client, BoxTransport *transport, BoxSession *session,
               const GError *refusal, GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxSession) taken = session;
  g_autoptr (GPtrArray) parts =
      box_client_list_parts (client, transport, session, NULL, cancellable, error);

  if (parts == NULL)
    return NULL;
  if (parts->len == 0)
    return g_steal_pointer (&taken);
  g_propagate_error (
      error, box_error_new_with_details (
                 BOX_ERROR_CONFLICT, box_error_get_details (refusal),
                 "another upload of this name and size is under way, or was left: its session %s "
                 "holds %u of %u parts; wait for it, finish it with \"boxupload put --session\" or "
                 "\"boxupload resume\", or abort it with \"boxupload abort %s\"",
                 session->id, parts->len, session->total_parts, session->id));
  return NULL;
}

/* A useless session would stand in the way of the next one of that name. Best effort; if the reply
 * does not even name it, the next try finds it as a conflict. */
static void
abandon (BoxClient *client, BoxTransport *transport, const BoxReply *reply,
         GCancellable *cancellable)
{
  g_autoptr (JsonNode) node = box_json_parse (reply->body, NULL);
  JsonObject *object = node != NULL ? box_json_object (node, "the session", NULL) : NULL;
  g_autoptr (BoxDestination) named = NULL;
  g_autoptr (BoxReply) done = NULL;
  g_autofree char *id = NULL, *url = NULL;

  if (object == NULL || !box_json_get_string (object, "id", 64, &id, NULL))
    return;
  named = box_destination_new_session (id, NULL);
  if (named == NULL)
    return;
  url = g_strdup_printf ("%s/files/upload_sessions/%s", client->endpoint, named->session_id);
  done = box_client_send (client, transport, &(BoxClientCall){ .method = "DELETE", .url = url },
                          cancellable, NULL);
}

BoxSession *
box_client_create_session (BoxClient *client, BoxTransport *transport,
                           const BoxDestination *destination, guint64 size,
                           GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "create an upload session";
  g_autoptr (JsonNode) body = build_session_request (destination, size);
  g_autofree char *url = NULL;
  g_autoptr (BoxReply) reply = NULL;
  g_autoptr (BoxSession) session = NULL;

  g_return_val_if_fail (destination->kind != BOX_DESTINATION_SESSION, NULL);
  if (!box_client_check_size (size, error))
    return NULL;
  if (destination->kind == BOX_DESTINATION_FILE)
    url = g_strdup_printf ("%s/files/%s/upload_sessions", client->endpoint, destination->file_id);
  else
    url = g_strdup_printf ("%s/files/upload_sessions", client->endpoint);

  reply = box_client_send_json (client, transport, &(BoxClientCall){ .method = "POST", .url = url },
                                body, cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status != 201 && reply->status != 200)
    {
      g_autoptr (GError) refusal = box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt);

      session = adopt_conflict (client, refusal, size);
      if (session != NULL)
        return take_if_empty (client, transport, g_steal_pointer (&session), refusal, cancellable,
                              error);
      g_propagate_error (error, g_steal_pointer (&refusal));
      return NULL;
    }
  session = parse_session_reply (client, reply, attempt, error);
  if (session != NULL && check_fit (session, reply, size, attempt, error))
    return g_steal_pointer (&session);
  abandon (client, transport, reply, cancellable);
  return NULL;
}

BoxSession *
box_client_get_session (BoxClient *client, BoxTransport *transport, const char *session_id,
                        GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "look up the upload session";
  g_autoptr (BoxDestination) checked = box_destination_new_session (session_id, error);
  g_autofree char *url = NULL;
  g_autoptr (BoxReply) reply = NULL;

  if (checked == NULL)
    return NULL;
  url = g_strdup_printf ("%s/files/upload_sessions/%s", client->endpoint, session_id);
  reply = box_client_send (client, transport, &(BoxClientCall){ .method = "GET", .url = url },
                           cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status != 200)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_LOOKUP, attempt));
      return NULL;
    }
  return parse_session_reply (client, reply, attempt, error);
}

/* ---- parts ---- */

static gboolean
check_part (const BoxPart *part, guint64 offset, guint64 size, const BoxSha1 *sha1, GError **error)
{
  if (part->offset == offset && part->size == size
      && (!part->has_sha1 || box_sha1_equal (&part->sha1, sha1)))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY,
               "the part at %" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT
               " bytes) is not what Box says it stored: %" G_GUINT64_FORMAT
               " bytes at %" G_GUINT64_FORMAT "%s",
               offset, size, part->size, part->offset,
               part->has_sha1 && !box_sha1_equal (&part->sha1, sha1) ? ", another SHA-1" : "");
  return FALSE;
}

BoxPart *
box_client_upload_part (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                        guint64 offset, guint64 total, const BoxSha1 *sha1, const BoxBody *body,
                        GCancellable *cancellable, GError **error)
{
  g_autofree char *attempt = g_strdup_printf ("upload the part at %" G_GUINT64_FORMAT, offset);
  g_autofree char *base64 = box_sha1_to_base64 (sha1);
  g_autofree char *digest = g_strconcat ("sha=", base64, NULL);
  g_autofree char *range =
      g_strdup_printf ("bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                       offset, offset + body->size - 1, total);
  const char *headers[] = { "Digest", digest, "Content-Range", range, NULL };
  g_autoptr (GError) reason = NULL;
  g_autoptr (BoxReply) reply = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (BoxPart) part = NULL;

  reply = box_client_send (client, transport,
                           &(BoxClientCall){
                               .method = "PUT",
                               .url = session->upload_part_url,
                               .headers = headers,
                               .content_type = "application/octet-stream",
                               .body = body,
                           },
                           cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status != 200 && reply->status != 201)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_SESSION, attempt));
      return NULL;
    }
  node = box_json_parse (reply->body, &reason);
  part = node != NULL ? box_part_parse (node, &reason) : NULL;
  if (part == NULL)
    {
      g_propagate_error (
          error, box_api_error_from_nonsense (reply, TRUE, attempt, g_steal_pointer (&reason)));
      return NULL;
    }
  if (!check_part (part, offset, body->size, sha1, error))
    return NULL;
  return g_steal_pointer (&part);
}

static gint
compare_parts (gconstpointer a, gconstpointer b)
{
  const BoxPart *first = *(BoxPart *const *) a;
  const BoxPart *second = *(BoxPart *const *) b;

  return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/* Appends one page to @parts. @is_last: nothing can come after it. "total_count" does not tell,
 * because it is the number of parts expected, nor by the limit asked for, which the server may
 * lower. */
static gboolean
parse_page (const BoxReply *reply, GPtrArray *parts, guint *n_entries, gboolean *is_last,
            GError **error)
{
  g_autoptr (JsonNode) node = box_json_parse (reply->body, error);
  g_autoptr (GPtrArray) page = NULL;
  guint64 limit = 0;
  gboolean has_limit;

  if (node == NULL || (page = box_part_parse_page (node, n_entries, error)) == NULL
      || !box_json_find_uint64 (json_node_get_object (node), "limit", 0, G_MAXINT32, &has_limit,
                                &limit, error))
    return FALSE;
  *is_last = *n_entries == 0 || (has_limit && *n_entries < limit);
  g_ptr_array_extend_and_steal (parts, g_steal_pointer (&page));
  return TRUE;
}

static gboolean
is_end_of_list (const BoxReply *reply, guint offset)
{
  return offset >= LAST_PAGE_OFFSET && (reply->status == 400 || reply->status == 416);
}

GPtrArray *
box_client_list_parts (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                       guint *n_listed, GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "list the session's parts";
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  const char *separator = strchr (session->list_parts_url, '?') != NULL ? "&" : "?";
  guint offset = 0, n_entries, n_pages = 0;
  gboolean is_last = FALSE;

  while (!is_last && offset < session->total_parts && offset <= LAST_PAGE_OFFSET
         && n_pages++ < MAX_PAGES)
    {
      g_autofree char *url = g_strdup_printf ("%s%soffset=%u&limit=%u", session->list_parts_url,
                                              separator, offset, PAGE_LIMIT);
      g_autoptr (GError) reason = NULL;
      g_autoptr (BoxReply) reply = box_client_send (
          client, transport, &(BoxClientCall){ .method = "GET", .url = url }, cancellable, error);

      if (reply == NULL)
        return NULL;
      if (is_end_of_list (reply, offset))
        break;
      if (reply->status != 200)
        {
          g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_SESSION, attempt));
          return NULL;
        }
      if (!parse_page (reply, parts, &n_entries, &is_last, &reason))
        {
          g_propagate_error (error, box_api_error_from_nonsense (reply, FALSE, attempt,
                                                                 g_steal_pointer (&reason)));
          return NULL;
        }
      offset += n_entries;
    }
  if (n_listed != NULL)
    *n_listed = MIN (session->total_parts, is_last ? BOX_LISTED_PARTS_MAX : offset);
  g_ptr_array_sort (parts, compare_parts);
  return g_steal_pointer (&parts);
}

/* ---- the end ---- */

static JsonNode *
build_commit (GPtrArray *parts, const BoxAttributes *attributes, guint64 *size)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  *size = box_part_sum (parts);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "parts");
  json_builder_begin_array (builder);
  for (guint i = 0; i < parts->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (parts, i);

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "part_id");
      json_builder_add_string_value (builder, part->id);
      json_builder_set_member_name (builder, "offset");
      json_builder_add_int_value (builder, (gint64) part->offset);
      json_builder_set_member_name (builder, "size");
      json_builder_add_int_value (builder, (gint64) part->size);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  if (attributes != NULL)
    {
      json_builder_set_member_name (builder, "attributes");
      json_builder_begin_object (builder);
      box_client_build_attributes (builder, attributes);
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* Box says with each 202 that it works on the commit. By its own clock that cannot be so any more
 * once the session has expired: what became of it has to be looked up. */
static gboolean
check_pending (const BoxSession *session, const BoxReply *reply, GError **error)
{
  g_autoptr (GDateTime) now =
      reply->date != NULL ? g_date_time_ref (reply->date) : g_date_time_new_now_utc ();
  BoxErrorDetails details = { .http_status = 202, .retry_after = -1, .unsure = TRUE };

  if (session->expires_at == NULL || g_date_time_compare (now, session->expires_at) <= 0)
    return TRUE;
  g_propagate_error (error, box_error_new_with_details (
                                BOX_ERROR_SESSION_GONE, &details,
                                "Box is still processing the commit (202) of an upload session "
                                "that has expired meanwhile"));
  return FALSE;
}

gboolean
box_client_commit (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                   GPtrArray *parts, const BoxSha1 *sha1, const BoxAttributes *attributes,
                   const char *if_match, BoxFile **file, gint *retry_after,
                   GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "commit the upload session";
  guint64 size;
  g_autoptr (JsonNode) body = build_commit (parts, attributes, &size);
  g_autofree char *base64 = box_sha1_to_base64 (sha1);
  g_autofree char *digest = g_strconcat ("sha=", base64, NULL);
  const char *headers[] = { "Digest", digest, if_match != NULL ? "If-Match" : NULL, if_match,
                            NULL };
  g_autoptr (BoxReply) reply = NULL;

  *file = NULL;
  *retry_after = -1;
  reply = box_client_send_json (client, transport,
                                &(BoxClientCall){
                                    .method = "POST",
                                    .url = session->commit_url,
                                    .headers = headers,
                                },
                                body, cancellable, error);
  if (reply == NULL)
    return FALSE;
  if (reply->status == 202)
    {
      *retry_after = reply->retry_after;
      return check_pending (session, reply, error);
    }
  if (reply->status != 201 && reply->status != 200)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_SESSION, attempt));
      return FALSE;
    }
  *file =
      box_client_verify_file (client, transport, reply, sha1, size, attempt, cancellable, error);
  return *file != NULL;
}

gboolean
box_client_abort (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxReply) reply = box_client_send (
      client, transport, &(BoxClientCall){ .method = "DELETE", .url = session->abort_url },
      cancellable, error);

  if (reply == NULL)
    return FALSE;
  if (reply->status == 204 || reply->status == 200 || reply->status == 404 || reply->status == 410)
    return TRUE;
  g_propagate_error (
      error, box_api_error_from_reply (reply, BOX_SUBJECT_SESSION, "abort the upload session"));
  return FALSE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/error.h"

#include "base/json.h"

#include <libsoup/soup.h>

#define MAX_QUOTE   300
#define MAX_CODE    64
#define ANY_STATUS  0
#define ANY_SUBJECT -1

/* The first row that fits decides. Sources: Box's API reference and guides, and what its clients
 * have met; see docs/box-protocol.md. */
static const struct
{
  guint status;
  const char *box_code; /* NULL: any */
  int subject;
  BoxErrorCode error;
} rows[] = {
  { 401, NULL, ANY_SUBJECT, BOX_ERROR_CREDENTIALS },
  { 407, NULL, ANY_SUBJECT, BOX_ERROR_SETTINGS },
  { 408, NULL, ANY_SUBJECT, BOX_ERROR_TRANSIENT },
  { 429, NULL, ANY_SUBJECT, BOX_ERROR_TRANSIENT },
  { 501, NULL, ANY_SUBJECT, BOX_ERROR_PROTOCOL },
  { 505, NULL, ANY_SUBJECT, BOX_ERROR_PROTOCOL },
  { 507, NULL, ANY_SUBJECT, BOX_ERROR_SPACE },
  { 410, NULL, ANY_SUBJECT, BOX_ERROR_SESSION_GONE },
  { 412, NULL, ANY_SUBJECT, BOX_ERROR_CONFLICT },
  { 413, NULL, ANY_SUBJECT, BOX_ERROR_SIZE },
  { 416, "invalid_range", ANY_SUBJECT, BOX_ERROR_SIZE },
  { 416, NULL, ANY_SUBJECT, BOX_ERROR_CONFLICT },
  { ANY_STATUS, "rate_limit_exceeded", ANY_SUBJECT, BOX_ERROR_TRANSIENT },
  { ANY_STATUS, "name_temporarily_reserved", ANY_SUBJECT, BOX_ERROR_TRANSIENT },
  { ANY_STATUS, "operation_blocked_temporary", ANY_SUBJECT, BOX_ERROR_TRANSIENT },
  { ANY_STATUS, "parts_mismatch", ANY_SUBJECT, BOX_ERROR_TRANSIENT },
  { ANY_STATUS, "item_name_in_use", ANY_SUBJECT, BOX_ERROR_NAME_IN_USE },
  { ANY_STATUS, "storage_limit_exceeded", ANY_SUBJECT, BOX_ERROR_SPACE },
  { ANY_STATUS, "file_size_limit_exceeded", ANY_SUBJECT, BOX_ERROR_SIZE },
  { ANY_STATUS, "file_size_too_small", ANY_SUBJECT, BOX_ERROR_SIZE },
  { ANY_STATUS, "invalid_file_size", ANY_SUBJECT, BOX_ERROR_SIZE },
  { ANY_STATUS, "range_overlaps_existing_part", ANY_SUBJECT, BOX_ERROR_CONFLICT },
  { ANY_STATUS, "session_conflict", ANY_SUBJECT, BOX_ERROR_CONFLICT },
  { ANY_STATUS, "bad_digest", ANY_SUBJECT, BOX_ERROR_INTEGRITY },
  { ANY_STATUS, "digest_mismatch", ANY_SUBJECT, BOX_ERROR_INTEGRITY },
  { ANY_STATUS, "session_expired", ANY_SUBJECT, BOX_ERROR_SESSION_GONE },
  { ANY_STATUS, "upload_failed", ANY_SUBJECT, BOX_ERROR_SESSION_GONE },
  { ANY_STATUS, "invalid_upload_session_id", BOX_SUBJECT_SESSION, BOX_ERROR_SESSION_GONE },
  { ANY_STATUS, "invalid_upload_session_id", ANY_SUBJECT, BOX_ERROR_NOT_FOUND },
  { 404, NULL, BOX_SUBJECT_SESSION, BOX_ERROR_SESSION_GONE },
  { 404, NULL, ANY_SUBJECT, BOX_ERROR_NOT_FOUND },
  { 403, NULL, ANY_SUBJECT, BOX_ERROR_FORBIDDEN },
  { 409, NULL, ANY_SUBJECT, BOX_ERROR_CONFLICT },
  { 400, "invalid_folder_id", ANY_SUBJECT, BOX_ERROR_SETTINGS },
  { 400, "item_name_invalid", ANY_SUBJECT, BOX_ERROR_SETTINGS },
  { 400, "item_name_too_long", ANY_SUBJECT, BOX_ERROR_SETTINGS },
  { 400, "invalid_parameter", ANY_SUBJECT, BOX_ERROR_SETTINGS },
  { 400, "request_size_mismatch", BOX_SUBJECT_SESSION, BOX_ERROR_TRANSIENT },
};

BoxErrorCode
box_api_classify (guint status, const char *box_code, BoxSubject subject)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if ((rows[i].status == ANY_STATUS || rows[i].status == status)
        && (rows[i].box_code == NULL || g_strcmp0 (rows[i].box_code, box_code) == 0)
        && (rows[i].subject == ANY_SUBJECT || rows[i].subject == (int) subject))
      return rows[i].error;
  return status >= 500 ? BOX_ERROR_TRANSIENT : BOX_ERROR_PROTOCOL;
}

/* A reply's error object, as far as there is one. Owned strings, all may be NULL. */
typedef struct
{
  char *code;
  char *message;
  char *request_id;
  JsonNode *context;
} ErrorBody;

static void
error_body_clear (ErrorBody *body)
{
  g_free (body->code);
  g_free (body->message);
  g_free (body->request_id);
  g_clear_pointer (&body->context, json_node_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ErrorBody, error_body_clear)

/* One line of printable text, shortened. */
static char *
tidy (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *line = g_string_new (NULL);

  for (const char *p = valid; *p != '\0' && line->len < MAX_QUOTE; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      g_string_append_unichar (line, g_unichar_isprint (c) ? c : ' ');
    }
  if (line->len >= MAX_QUOTE)
    g_string_append (line, "…");
  g_strstrip (line->str);
  return g_string_free (line, FALSE);
}

static char *
find_tidy (JsonObject *object, const char *name)
{
  g_autofree char *text = NULL;

  if (!box_json_find_string (object, name, BOX_TRANSPORT_MAX_REPLY, &text, NULL) || text == NULL
      || *text == '\0')
    return NULL;
  return tidy (text);
}

/* Tolerant: gateways answer with HTML, the token endpoint with {"error","error_description"}. */
static void
error_body_parse (ErrorBody *body, const BoxReply *reply)
{
  g_autoptr (JsonNode) node = box_json_parse (reply->body, NULL);
  JsonObject *object, *context;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return;
  object = json_node_get_object (node);
  body->code = find_tidy (object, "code");
  if (body->code == NULL)
    body->code = find_tidy (object, "error");
  body->message = find_tidy (object, "message");
  if (body->message == NULL)
    body->message = find_tidy (object, "error_description");
  body->request_id = find_tidy (object, "request_id");
  if (box_json_find_object (object, "context_info", &context, NULL) && context != NULL)
    body->context = json_node_copy (json_object_get_member (object, "context_info"));
  if (body->code != NULL && strlen (body->code) > MAX_CODE)
    g_clear_pointer (&body->code, g_free);
}

static const char *
advise (BoxErrorCode code, guint status)
{
  switch (code)
    {
    case BOX_ERROR_CREDENTIALS:
      return "renew or replace the access token";
    case BOX_ERROR_FORBIDDEN:
      return "ask the folder's owner for the right to upload, or use other credentials";
    case BOX_ERROR_NOT_FOUND:
      return "check the id, and that these credentials can see it";
    case BOX_ERROR_NAME_IN_USE:
      return "choose another name, or set if-exists";
    case BOX_ERROR_SETTINGS:
      return status == 407 ? "give the proxy's user and password in its URI" : "check the settings";
    case BOX_ERROR_SIZE:
      return status == 416 ? "the declared size is not the one that the session was created for"
                           : "the file's size is not within what Box allows here";
    case BOX_ERROR_SPACE:
      return "free space in the Box account or raise its quota";
    case BOX_ERROR_SESSION_GONE:
      return "the file has to be uploaded anew";
    case BOX_ERROR_INTEGRITY:
      return "upload the file anew";
    case BOX_ERROR_TRANSIENT:
      return "this can work later";
    default:
      return NULL;
    }
}

/* Not implemented, HTTP version, no space: nothing was done. Any other failure of a server or of
 * what stands before it (Cloudflare's 520 to 527) may have come after the work. */
static gboolean
is_unsure (guint status)
{
  return status >= 500 && status != 501 && status != 505 && status != 507;
}

/* Only the host: the rest of a redirect may carry secrets. */
static char *
describe_redirect (const BoxReply *reply)
{
  g_autoptr (GUri) uri = NULL;

  if (reply->location != NULL)
    uri = g_uri_parse (reply->location, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return g_strdup ("a redirect, which is not followed");
  return g_strdup_printf ("a redirect to the host %s, which is not followed", g_uri_get_host (uri));
}

static char *
describe (const BoxReply *reply, const ErrorBody *body)
{
  if (reply->status >= 300 && reply->status < 400 && reply->status != 304)
    return describe_redirect (reply);
  if (body->message != NULL && body->code != NULL)
    return g_strdup_printf ("\"%s\" (%s, HTTP %u)", body->message, body->code, reply->status);
  if (body->message != NULL || body->code != NULL)
    return g_strdup_printf ("\"%s\" (HTTP %u)", body->message != NULL ? body->message : body->code,
                            reply->status);
  return g_strdup_printf ("HTTP %u %s", reply->status, soup_status_get_phrase (reply->status));
}

GError *
box_api_error_from_reply (const BoxReply *reply, BoxSubject subject, const char *attempt)
{
  g_auto (ErrorBody) body = { 0 };
  g_autofree char *said = NULL;
  g_autofree char *request_id = NULL;
  BoxErrorDetails details;
  BoxErrorCode code;
  const char *advice;

  error_body_parse (&body, reply);
  code = box_api_classify (reply->status, body.code, subject);
  /* What Box says where the connection was cut behind its front. */
  if (reply->status == 400 && body.message != NULL
      && strstr (body.message, "Stream ended unexpectedly") != NULL)
    code = BOX_ERROR_TRANSIENT;
  said = describe (reply, &body);
  request_id = reply->request_id != NULL ? tidy (reply->request_id) : NULL;
  details = (BoxErrorDetails){
    .http_status = reply->status,
    .retry_after = reply->retry_after,
    .unsure = is_unsure (reply->status),
    .box_code = body.code,
    .request_id = request_id != NULL ? request_id : body.request_id,
    .context = body.context,
  };
  advice = advise (code, reply->status);
  return box_error_new_with_details (code, &details, "could not %s: Box answered %s%s%s", attempt,
                                     said, advice != NULL ? "; " : "",
                                     advice != NULL ? advice : "");
}

GError *
box_api_error_from_nonsense (const BoxReply *reply, gboolean took_effect, const char *attempt,
                             GError *reason)
{
  g_autoptr (GError) taken = reason;
  BoxErrorDetails details = {
    .http_status = reply->status,
    .retry_after = reply->retry_after,
    .unsure = took_effect,
    .request_id = reply->request_id,
  };

  return box_error_new_with_details (took_effect ? BOX_ERROR_TRANSIENT : BOX_ERROR_PROTOCOL,
                                     &details, "could not %s: Box answered with nonsense (%s)",
                                     attempt, taken->message);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/error.h"

#include "base/json.h"
#include "base/text.h"

#include <libsoup/soup.h>
#include <string.h>

#define MAX_REQUEST_ID 300

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
  { 425, NULL, ANY_SUBJECT, BOX_ERROR_TRANSIENT },
  { 429, NULL, ANY_SUBJECT, BOX_ERROR_TRANSIENT },
  { 501, NULL, ANY_SUBJECT, BOX_ERROR_PROTOCOL },
  { 505, NULL, ANY_SUBJECT, BOX_ERROR_PROTOCOL },
  { 507, NULL, ANY_SUBJECT, BOX_ERROR_SPACE },
  { 410, NULL, ANY_SUBJECT, BOX_ERROR_SESSION_GONE },
  { 412, NULL, ANY_SUBJECT, BOX_ERROR_CONFLICT },
  { 413, NULL, ANY_SUBJECT, BOX_ERROR_SIZE },
  { 416, "invalid_range", ANY_SUBJECT, BOX_ERROR_SIZE },
  { 416, NULL, ANY_SUBJECT, BOX_ERROR_CONFLICT },
  { ANY_STATUS, "insufficient_scope", ANY_SUBJECT, BOX_ERROR_FORBIDDEN },
  { ANY_STATUS, "invalid_token", ANY_SUBJECT, BOX_ERROR_CREDENTIALS },
  /* Of the token's header, which Box could not read. */
  { 400, "invalid_request", ANY_SUBJECT, BOX_ERROR_CREDENTIALS },
  { 400, "password_reset_required", ANY_SUBJECT, BOX_ERROR_FORBIDDEN },
  { 400, "terms_of_service_required", ANY_SUBJECT, BOX_ERROR_FORBIDDEN },
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

/* ---- whom to believe ---- */

/* A gateway, a proxy or a login page may have answered, and the next answer be Box's. The client
 * itself doubts a 401 before it comes here, and a 407 is the proxy's own word. */
static gboolean
is_hearsay (const BoxReply *reply, const BoxRefusal *refusal)
{
  return !refusal->is_box && reply->status != SOUP_STATUS_UNAUTHORIZED
         && reply->status != SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED;
}

/* The same, but for a server that fails or wants a pause: there it does not matter whose it is. */
static gboolean
is_somebody_elses (const BoxReply *reply, const BoxRefusal *refusal)
{
  return is_hearsay (reply, refusal)
         && box_api_classify (reply->status, NULL, BOX_SUBJECT_ITEM) != BOX_ERROR_TRANSIENT;
}

/* As-User is a setting; its refusal comes as "not found" whatever the request was about. */
static gboolean
is_about_as_user (const BoxReply *reply, const BoxRefusal *refusal)
{
  return reply->status == SOUP_STATUS_NOT_FOUND
         && (box_refusal_context_has (refusal->context, "invalid_user_id", NULL)
             || (refusal->message != NULL && strstr (refusal->message, "On-Behalf-Of") != NULL));
}

/* Box's message for a connection that was cut behind its front end. */
static gboolean
was_cut_behind_front (const BoxReply *reply, const BoxRefusal *refusal)
{
  return reply->status == SOUP_STATUS_BAD_REQUEST && refusal->message != NULL
         && strstr (refusal->message, "Stream ended unexpectedly") != NULL;
}

/* A value that was given to us; one that is missing would be our fault. */
static gboolean
is_about_a_value (const BoxRefusal *refusal)
{
  return g_strcmp0 (refusal->code, "bad_request") == 0
         && g_strcmp0 (refusal->reason, "invalid_parameter") == 0;
}

static BoxErrorCode
judge (const BoxReply *reply, const BoxRefusal *refusal, BoxSubject subject)
{
  BoxErrorCode code = box_api_classify (reply->status, refusal->code, subject);

  if (is_hearsay (reply, refusal) || was_cut_behind_front (reply, refusal))
    return BOX_ERROR_TRANSIENT;
  if (is_about_as_user (reply, refusal))
    return BOX_ERROR_SETTINGS;
  /* A limit of rate, at times. */
  if (code == BOX_ERROR_FORBIDDEN && reply->retry_after > 0)
    return BOX_ERROR_TRANSIENT;
  if (code == BOX_ERROR_PROTOCOL && is_about_a_value (refusal))
    return BOX_ERROR_SETTINGS;
  return code;
}

/* ---- what to do ---- */

#define ADVICE_SCOPE                                                                               \
  "give the application the scope \"Write all files and folders\" and have it authorized again; "  \
  "a "                                                                                             \
  "downscoped token needs base_upload and item_upload"

/* Advice by Box's code, if the code says more than its class. */
static const struct
{
  const char *box_code;
  const char *text;
} advices[] = {
  { "insufficient_scope", ADVICE_SCOPE },
  { "access_denied_item_locked",
    "the file is locked: have it unlocked, or upload to another name" },
  { "access_from_location_blocked",
    "the administrator of the Box account has to allow access from this network" },
  { "forbidden", "only the user who created an upload session may use it: take the credentials "
                 "that it was created with, or a new session" },
  { "forbidden_by_policy",
    "a policy of the Box account forbids it: ask its administrator, or choose another folder" },
  { "instance_tuple_not_found",
    "the account has no such metadata template, or these credentials may not use it" },
  { "invalid_request", "the access token is empty or has characters that do not belong there" },
  { "password_reset_required", "the user has to log in to Box once and set a password" },
  { "terms_of_service_required",
    "the user has to log in to Box once and accept the terms of service" },
  { "user_email_confirmation_required", "the user has to confirm the e-mail address at Box" },
};

static const char *
advise_on_code (const char *box_code, BoxSubject subject)
{
  /* Elsewhere it is nothing but the status in letters. */
  if (subject == BOX_SUBJECT_ITEM && g_strcmp0 (box_code, "forbidden") == 0)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (advices); i++)
    if (g_strcmp0 (advices[i].box_code, box_code) == 0)
      return advices[i].text;
  return NULL;
}

static const char *
advise_on_name (const BoxRefusal *refusal)
{
  g_autofree char *type = box_refusal_dup_conflict_type (refusal->context);

  if (g_strcmp0 (type, "folder") == 0)
    return "the name is that of a folder, which cannot become a version: choose another name, or "
           "if-exists=rename";
  return "choose another name, or set if-exists";
}

static const char *
advise_on_class (BoxErrorCode code, guint status)
{
  switch (code)
    {
    case BOX_ERROR_CREDENTIALS:
      return "renew or replace the access token";
    case BOX_ERROR_FORBIDDEN:
      return "ask the folder's owner for the right to upload, or use other credentials";
    case BOX_ERROR_NOT_FOUND:
      return "check the id, and that these credentials can see it";
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

/* NULL if there is nothing to advise. */
static const char *
advise (BoxErrorCode code, BoxSubject subject, const BoxReply *reply, const BoxRefusal *refusal)
{
  const char *text = code != BOX_ERROR_TRANSIENT ? advise_on_code (refusal->code, subject) : NULL;

  if (text != NULL)
    return text;
  if (code == BOX_ERROR_NAME_IN_USE)
    return advise_on_name (refusal);
  if (code == BOX_ERROR_FORBIDDEN && subject != BOX_SUBJECT_ITEM)
    return "take the credentials that the upload session was created with, which must still have "
           "the right to write to its folder, or a new session";
  if (code == BOX_ERROR_SETTINGS && is_about_as_user (reply, refusal))
    return "as-user is not the id of a user whom these credentials may act for";
  return advise_on_class (code, reply->status);
}

/* ---- the error ---- */

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
  g_autofree char *host = NULL;

  if (reply->location != NULL)
    uri = g_uri_parse (reply->location, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return g_strdup ("a redirect, which is not followed");
  host = box_text_tidy (g_uri_get_host (uri), BOX_HOST_MAX);
  return g_strdup_printf ("a redirect to the host %s, which is not followed", host);
}

/* Those that libsoup does not know. */
static const char *
get_phrase (guint status)
{
  switch (status)
    {
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 511:
      return "Network Authentication Required";
    default:
      return soup_status_get_phrase (status);
    }
}

/* After "Box answered", or what stands in for that. */
static char *
quote (const BoxReply *reply, const BoxRefusal *refusal)
{
  const char *text = refusal->message != NULL ? refusal->message : refusal->code;

  if (reply->status >= 300 && reply->status < 400 && reply->status != 304)
    return describe_redirect (reply);
  if (text == NULL)
    return g_strdup_printf ("HTTP %u %s", reply->status, get_phrase (reply->status));
  if (refusal->message != NULL && refusal->code != NULL)
    return g_strdup_printf ("\"%s\" (%s, HTTP %u)%s%s", text, refusal->code, reply->status,
                            refusal->reasons != NULL ? ": " : "",
                            refusal->reasons != NULL ? refusal->reasons : "");
  return g_strdup_printf ("\"%s\" (HTTP %u)%s%s", text, reply->status,
                          refusal->reasons != NULL ? ": " : "",
                          refusal->reasons != NULL ? refusal->reasons : "");
}

/* @refused: (nullable): how the text begins if Box itself refuses for good. */
static char *
describe (const BoxReply *reply, const BoxRefusal *refusal, BoxErrorCode code, BoxSubject subject,
          const char *attempt, const char *refused)
{
  g_autofree char *said = quote (reply, refusal);
  const char *advice = advise (code, subject, reply, refusal);

  if (is_somebody_elses (reply, refusal))
    return g_strdup_printf ("could not %s: the answer seems to come from a gateway, a proxy or a "
                            "network's login page instead of Box: %s; this can work later",
                            attempt, said);
  if (refused != NULL && refusal->is_box && code != BOX_ERROR_TRANSIENT)
    return g_strdup_printf ("%s: it answered %s%s%s", refused, said, advice != NULL ? "; " : "",
                            advice != NULL ? advice : "");
  return g_strdup_printf ("could not %s: Box answered %s%s%s", attempt, said,
                          advice != NULL ? "; " : "", advice != NULL ? advice : "");
}

static GError *
new_from_reply (const BoxReply *reply, BoxSubject subject, const char *attempt, const char *refused)
{
  g_auto (BoxRefusal) refusal = { 0 };
  g_autofree char *request_id = NULL, *text = NULL;
  BoxErrorDetails details;
  BoxErrorCode code;

  box_refusal_parse (&refusal, reply);
  code = judge (reply, &refusal, subject);
  text = describe (reply, &refusal, code, subject, attempt, refused);
  if (reply->request_id != NULL)
    request_id = box_text_tidy (reply->request_id, MAX_REQUEST_ID);
  details = (BoxErrorDetails){
    .http_status = reply->status,
    .retry_after = reply->retry_after,
    .unsure = is_unsure (reply->status) || is_somebody_elses (reply, &refusal),
    .box_code = refusal.code,
    .request_id = request_id != NULL ? request_id : refusal.request_id,
    .context = refusal.context,
  };
  return box_error_new_with_details (code, &details, "%s", text);
}

GError *
box_api_error_from_reply (const BoxReply *reply, BoxSubject subject, const char *attempt)
{
  return new_from_reply (reply, subject, attempt, NULL);
}

GError *
box_api_error_from_preflight (const BoxReply *reply, const char *attempt)
{
  return new_from_reply (reply, BOX_SUBJECT_ITEM, attempt, "Box refuses this upload");
}

gboolean
box_api_may_work_late (const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);

  return box_error_is_transient (error)
         && (details->unsure
             || (details->http_status != 0
                 && g_strcmp0 (details->box_code, "parts_mismatch") != 0));
}

GError *
box_api_error_from_nonsense (const BoxReply *reply, gboolean took_effect, const char *attempt,
                             GError *reason)
{
  g_autoptr (GError) taken = reason;
  g_autoptr (JsonNode) node = box_json_parse (reply->body, NULL);
  /* A login page says "200 OK", too. */
  gboolean is_transient = took_effect || node == NULL;
  BoxErrorDetails details = {
    .http_status = reply->status,
    .retry_after = reply->retry_after,
    .unsure = took_effect,
    .request_id = reply->request_id,
  };

  return box_error_new_with_details (is_transient ? BOX_ERROR_TRANSIENT : BOX_ERROR_PROTOCOL,
                                     &details, "could not %s: Box answered with nonsense (%s)",
                                     attempt, taken->message);
}

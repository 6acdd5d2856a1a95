/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Upload sessions: create, look, parts, commit, abort.
 */
#include "emulator/base/json.h"
#include "emulator/routes/routes.h"

#define BUFFER_SIZE 262144

static char *
get_base (EmuCall *call)
{
  g_autofree char *origin = emu_call_get_upload_origin (call);

  return g_strconcat (origin, "/api/2.0", NULL);
}

static EmuSession *
get_session (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  EmuSession *session =
      emu_sessions_get (call->world->sessions, call->id, call->identity.user, &problem);

  if (session == NULL)
    emu_call_reply_problem (call, &problem);
  return session;
}

static void
reply_session (EmuCall *call, guint status, EmuSession *session)
{
  g_autofree char *base = get_base (call);

  emu_call_reply_json (call, status, emu_sessions_describe (call->world->sessions, session, base));
}

static void
reply_conflict (EmuCall *call, EmuSession *session)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autofree char *base = get_base (call);

  emu_problem_set_conflict (&problem, emu_sessions_describe (call->world->sessions, session, base));
  emu_call_reply_problem (call, &problem);
}

static gint64
get_size (JsonObject *body)
{
  if (!json_object_has_member (body, "file_size"))
    return -1;
  return emu_json_int (body, "file_size", -2);
}

static void
create (EmuCall *call, const char *folder_id, const char *file_id)
{
  g_auto (EmuProblem) problem = { 0 };
  const char *name = emu_json_string (call->json, "file_name");
  const char *user = call->identity.user;
  g_autoptr (EmuSession) session = NULL;

  if (call->world->session_conflicts)
    session = emu_sessions_find_open (call->world->sessions, user, folder_id, file_id, name,
                                      get_size (call->json));
  if (session != NULL)
    {
      reply_conflict (call, session);
      return;
    }
  session = emu_sessions_create (call->world->sessions, user, folder_id, file_id, name,
                                 get_size (call->json), &problem);
  if (session == NULL)
    emu_call_reply_problem (call, &problem);
  else
    reply_session (call, 201, session);
}

/* Box takes the length of a form for a wrong one. */
static gboolean
check_json (EmuCall *call)
{
  const char *type = soup_message_headers_get_content_type (call->headers, NULL);
  g_auto (EmuProblem) problem = { 0 };

  if (call->json != NULL && g_strcmp0 (type, "application/json") == 0)
    return TRUE;
  if (call->json != NULL || g_strcmp0 (type, "application/x-www-form-urlencoded") == 0)
    emu_problem_set_upload (&problem, 400, "request_size_mismatch",
                            "Request body size didn't match Content-Length %u", call->body->len);
  else
    emu_problem_set (&problem, 400, "bad_request", "The body is not a JSON object");
  emu_call_reply_problem (call, &problem);
  return FALSE;
}

void
emu_route_create_session (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  const char *folder = emu_json_string (call->json, "folder_id");

  if (!check_json (call))
    return;
  if (folder != NULL && !emu_call_check_scope (call, folder, &problem))
    emu_call_reply_problem (call, &problem);
  else
    create (call, folder, NULL);
}

void
emu_route_create_version_session (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (JsonObject) file = NULL;
  const char *folder;

  if (!check_json (call))
    return;
  file = emu_store_get_file (call->world->store, call->id, &problem);
  folder = emu_json_string (emu_json_object (file, "parent"), "id");
  if (file == NULL || !emu_call_check_scope (call, folder, &problem))
    emu_call_reply_problem (call, &problem);
  else
    create (call, NULL, call->id);
}

void
emu_route_get_session (EmuCall *call)
{
  g_autoptr (EmuSession) session = get_session (call);

  if (session != NULL)
    reply_session (call, 200, session);
}

void
emu_route_list_parts (EmuCall *call)
{
  g_autoptr (EmuSession) session = get_session (call);
  g_auto (EmuProblem) problem = { 0 };
  JsonObject *page;

  if (session == NULL)
    return;
  page = emu_sessions_list_parts (call->world->sessions, session,
                                  emu_call_get_query_int (call, "offset", 0),
                                  emu_call_get_query_int (call, "limit", 0), &problem);
  if (page != NULL)
    emu_call_reply_json (call, 200, page);
  else
    emu_call_reply_problem (call, &problem);
}

void
emu_route_abort (EmuCall *call)
{
  g_autoptr (EmuSession) session = get_session (call);

  if (session == NULL)
    return;
  emu_sessions_abort (call->world->sessions, session);
  emu_call_reply (call, 204);
}

void
emu_route_plan (EmuCall *call)
{
  g_autoptr (EmuSession) session = get_session (call);
  g_auto (EmuProblem) problem = { 0 };
  JsonObject *answer;

  if (session == NULL || !check_json (call))
    return;
  answer = emu_sessions_plan (call->world->sessions, session, emu_json_array (call->json, "parts"),
                              &problem);
  if (answer != NULL)
    emu_call_reply_json (call, 200, answer);
  else
    emu_call_reply_problem (call, &problem);
}

void
emu_route_log_event (EmuCall *call)
{
  g_autoptr (EmuSession) session = get_session (call);

  if (session != NULL)
    emu_call_reply (call, 204);
}

/* --- parts -------------------------------------------------------------------------------------
 */

/* The Base64 of "Digest: sha=…"; NULL: absent or of another kind. */
static const char *
get_digest (EmuCall *call)
{
  const char *digest = emu_call_get_header (call, "Digest");

  return digest != NULL && g_ascii_strncasecmp (digest, "sha=", 4) == 0 ? digest + 4 : NULL;
}

/* The range, checked against the length of the body. */
static gboolean
get_range (EmuCall *call, goffset *first, goffset *last, goffset *total, EmuProblem *problem)
{
  if (soup_message_headers_get_encoding (call->headers) != SOUP_ENCODING_CONTENT_LENGTH)
    return emu_problem_set (problem, 411, "length_required", "Content-Length is required");
  if (!soup_message_headers_get_content_range (call->headers, first, last, total) || *total < 0)
    return emu_problem_set (problem, 400, "bad_request",
                            "Content-Range must be bytes FIRST-LAST/TOTAL");
  if (*first < 0 || *last < *first)
    return emu_problem_set (problem, 416, "invalid_range", "Content-Range is empty");
  if (soup_message_headers_get_content_length (call->headers) != *last - *first + 1)
    return emu_problem_set_upload (problem, 400, "request_size_mismatch",
                                   "Request body size didn't match Content-Range");
  if (get_digest (call) == NULL)
    return emu_problem_set (problem, 400, "bad_request", "Digest must be sha=BASE64");
  return TRUE;
}

/* FALSE: the call was taken away. */
static gboolean
receive (EmuCall *call, EmuPartWriter *writer)
{
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  gssize n;

  while ((n = emu_call_read (call, buffer, BUFFER_SIZE)) > 0)
    emu_part_writer_write (writer, buffer, n);
  return n == 0;
}

void
emu_route_upload_part (EmuCall *call)
{
  g_autoptr (EmuSession) session = get_session (call);
  g_autoptr (EmuPartWriter) writer = NULL;
  g_auto (EmuProblem) problem = { 0 };
  goffset first, last, total;
  JsonObject *part;

  if (session == NULL || !emu_call_check_type (call, "application/octet-stream"))
    return;
  if (get_range (call, &first, &last, &total, &problem))
    writer = emu_sessions_begin_part (call->world->sessions, session, first, last, total, &problem);
  if (writer == NULL)
    {
      emu_call_reply_problem (call, &problem);
      return;
    }
  if (!receive (call, writer))
    return;
  part = emu_part_writer_finish (writer, get_digest (call), &problem);
  if (part != NULL)
    {
      JsonObject *wrapper = json_object_new ();

      json_object_set_object_member (wrapper, "part", part);
      emu_call_reply_json (call, 200, wrapper);
    }
  else
    emu_call_reply_problem (call, &problem);
}

/* --- commit ------------------------------------------------------------------------------------
 */

static void
reply_processing (EmuCall *call)
{
  g_autofree char *seconds = g_strdup_printf ("%u", call->world->retry_after);

  soup_message_headers_replace (call->reply_headers, "Retry-After", seconds);
  emu_call_reply (call, 202);
}

void
emu_route_commit (EmuCall *call)
{
  g_autoptr (EmuSession) session = get_session (call);
  g_auto (EmuProblem) problem = { 0 };
  JsonArray *parts = emu_json_array (call->json, "parts");
  gboolean processing = FALSE;
  JsonObject *file;

  if (session == NULL || !check_json (call))
    return;
  if (parts == NULL || get_digest (call) == NULL)
    {
      emu_call_refuse (call, 400, "bad_request",
                       parts == NULL ? "The list of parts is missing"
                                     : "Digest must be sha=BASE64");
      return;
    }
  file = emu_sessions_commit (call->world->sessions, session, parts, get_digest (call),
                              emu_json_object (call->json, "attributes"),
                              emu_call_get_header (call, "If-Match"), &processing, &problem);
  if (file != NULL)
    emu_call_reply_file (call, file);
  else if (processing)
    reply_processing (call);
  else
    emu_call_reply_problem (call, &problem);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/call.h"

#include "emulator/routes/faults.h"

#include <string.h>

EmuCall *
emu_call_new (EmuWorld *world, EmuConnection *connection)
{
  EmuCall *call = g_new0 (EmuCall, 1);

  call->world = world;
  call->connection = connection;
  call->tls = connection != NULL && emu_connection_is_tls (connection);
  call->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  call->reply_headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  call->offset = -1;
  return call;
}

void
emu_call_free (EmuCall *call)
{
  g_free (call->method);
  g_free (call->path);
  soup_message_headers_unref (call->headers);
  g_free (call->id);
  g_free (call->tail);
  g_clear_pointer (&call->query, g_hash_table_unref);
  g_free (call->token);
  emu_identity_clear (&call->identity);
  g_clear_pointer (&call->body, g_byte_array_unref);
  g_clear_pointer (&call->json, json_object_unref);
  g_clear_pointer (&call->rules, g_ptr_array_unref);
  emu_call_reply (call, 0);
  soup_message_headers_unref (call->reply_headers);
  g_free (call);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Waits until the line is free again after @n bytes. */
static gboolean
pace (EmuCall *call, gssize n)
{
  gint64 wait = emu_rate_take (&call->world->rate, n);

  return wait < G_TIME_SPAN_MILLISECOND
         || emu_connection_wait (call->connection, NULL, wait) != EMU_WAIT_LOST;
}

/* How much may be read before a rule strikes in the body; 0: one does now. */
static gsize
get_room (EmuCall *call, gsize size)
{
  guint64 left = emu_faults_get_room (call, EMU_AT_BODY, call->body_read);

  return MIN (size, left);
}

gboolean
emu_call_check_token (EmuCall *call, EmuIdentity *identity)
{
  EmuTokenState state = EMU_TOKEN_INVALID;
  g_auto (EmuProblem) problem = { 0 };

  if (call->token != NULL && *call->token != '\0')
    state = emu_tokens_check (call->world->tokens, call->token, identity);
  if (state == EMU_TOKEN_GOOD)
    return TRUE;
  if (call->token == NULL)
    emu_problem_set_challenge (&problem, 401, NULL, NULL);
  else if (*call->token == '\0')
    emu_problem_set_challenge (&problem, 400, "invalid_request", "Malformed auth header");
  else if (state == EMU_TOKEN_EXPIRED)
    emu_problem_set_challenge (&problem, 401, "invalid_token",
                               "The access token provided has expired. expired_token");
  else
    emu_problem_set_challenge (&problem, 401, "invalid_token",
                               "The access token provided is invalid.");
  emu_call_reply_problem (call, &problem);
  return FALSE;
}

static void
refuse_user (EmuCall *call, const char *user)
{
  g_auto (EmuProblem) problem = { 0 };

  emu_problem_set (&problem, 404, "not_found", "On-Behalf-Of User not found");
  json_object_set_string_member (emu_problem_get_context (&problem), "invalid_user_id", user);
  emu_call_reply_problem (call, &problem);
}

gboolean
emu_call_authorise (EmuCall *call)
{
  const char *as_user = emu_call_get_header (call, "As-User");

  if (call->route->open)
    return TRUE;
  if (!emu_call_check_token (call, &call->identity))
    return FALSE;
  if (as_user != NULL)
    {
      g_autoptr (JsonObject) user = emu_tokens_get_user (call->world->tokens, as_user);

      if (user == NULL)
        {
          refuse_user (call, as_user);
          return FALSE;
        }
      g_free (call->identity.user);
      call->identity.user = g_strdup (as_user);
    }
  return TRUE;
}

gboolean
emu_call_check_limits (EmuCall *call)
{
  g_autofree char *seconds = NULL;
  guint wait;

  if (call->route->open)
    return TRUE;
  wait = emu_limits_take (&call->world->limits, call->identity.user, call->route->streams,
                          emu_clock_now (&call->world->clock));
  if (wait == 0)
    return TRUE;
  seconds = g_strdup_printf ("%u", wait);
  emu_call_refuse (call, 429, "rate_limit_exceeded",
                   "Request rate limit exceeded, please try again later");
  soup_message_headers_replace (call->reply_headers, "Retry-After", seconds);
  return FALSE;
}

/* Where it is wanted, a token that was good at the head of an upload must still be so at its end.
 */
static void
check_token_again (EmuCall *call)
{
  if (call->world->late_expiry && call->route->streams && call->identity.user != NULL
      && !emu_call_check_token (call, NULL))
    call->verdict = EMU_VERDICT_REPLY;
}

/* The body of a late call was read before it was answered. */
static gssize
read_kept (EmuCall *call, gpointer data, gsize size)
{
  gsize n = MIN (size, call->body->len - call->body_read);

  memcpy (data, call->body->data + call->body_read, n);
  call->body_read += n;
  return n;
}

gssize
emu_call_read (EmuCall *call, gpointer data, gsize size)
{
  gssize n = 0;
  gsize room;

  if (call->verdict != EMU_VERDICT_NONE)
    return -1;
  if (call->connection == NULL)
    return read_kept (call, data, size);
  while ((room = get_room (call, size)) == 0)
    {
      emu_faults_strike (call, EMU_AT_BODY);
      if (call->verdict != EMU_VERDICT_NONE)
        return -1;
    }
  n = emu_connection_read_body (call->connection, data, room);
  if (n > 0)
    {
      call->body_read += n;
      emu_request_log_add_body (call->world->log, call->number, n);
      if (!pace (call, n))
        n = -1;
    }
  if (n < 0)
    call->verdict = EMU_VERDICT_LOST;
  if (n == 0)
    emu_faults_strike (call, EMU_AT_END);
  if (n == 0 && call->verdict == EMU_VERDICT_NONE)
    check_token_again (call);
  return call->verdict != EMU_VERDICT_NONE ? -1 : n;
}

const char *
emu_call_get_header (EmuCall *call, const char *name)
{
  return soup_message_headers_get_one (call->headers, name);
}

const char *
emu_call_get_query (EmuCall *call, const char *name)
{
  return g_hash_table_lookup (call->query, name);
}

gint64
emu_call_get_query_int (EmuCall *call, const char *name, gint64 fallback)
{
  const char *text = emu_call_get_query (call, name);
  gint64 value;

  return text != NULL && g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &value, NULL)
             ? value
             : fallback;
}

char *
emu_call_get_origin (EmuCall *call)
{
  const char *host = emu_call_get_header (call, "Host");

  return g_strdup_printf ("%s://%s", call->tls ? "https" : "http",
                          host != NULL ? host : "localhost");
}

char *
emu_call_get_upload_origin (EmuCall *call)
{
  return call->world->upload_host != NULL ? g_strconcat ("https://", call->world->upload_host, NULL)
                                          : emu_call_get_origin (call);
}

/* --- replies -----------------------------------------------------------------------------------
 */

void
emu_call_reply (EmuCall *call, guint status)
{
  call->status = status;
  g_clear_pointer (&call->reply_body, g_bytes_unref);
  g_clear_pointer (&call->reply_json, json_object_unref);
  g_clear_pointer (&call->reply_file, g_free);
}

void
emu_call_reply_json (EmuCall *call, guint status, JsonObject *object)
{
  emu_call_reply (call, status);
  call->reply_json = object;
}

void
emu_call_reply_problem (EmuCall *call, const EmuProblem *problem)
{
  g_autofree char *request_id = g_strdup_printf ("emulator%08x", call->number);
  gboolean api = problem->form == EMU_FORM_API;
  guint status = problem->status;
  const char *code = problem->code;
  JsonObject *object;

  if (problem->form == EMU_FORM_CHALLENGE)
    {
      emu_call_reply (call, problem->status);
      soup_message_headers_replace (call->reply_headers, "WWW-Authenticate", problem->message);
      return;
    }
  if (call->route != NULL)
    emu_profile_translate (call->world->profile, call->route->name, &status, &code);
  object = json_object_new ();
  if (api)
    {
      json_object_set_string_member (object, "type", "error");
      json_object_set_int_member (object, "status", status);
    }
  json_object_set_string_member (object, "code", code);
  if (problem->context != NULL)
    json_object_set_member (object, "context_info", json_node_copy (problem->context));
  if (api)
    json_object_set_string_member (object, "help_url", "http://developers.box.com/docs/#errors");
  json_object_set_string_member (object, "message", problem->message);
  json_object_set_string_member (object, "request_id", request_id);
  emu_call_reply_json (call, status, object);
}

void
emu_call_refuse (EmuCall *call, guint status, const char *code, const char *message)
{
  g_auto (EmuProblem) problem = { 0 };

  emu_problem_set (&problem, status, code, "%s", message);
  emu_call_reply_problem (call, &problem);
}

JsonObject *
emu_call_select (EmuCall *call, JsonObject *object)
{
  static const char *const always[] = { "type", "id", "etag", NULL };
  const char *fields = emu_call_get_query (call, "fields");
  g_auto (GStrv) wanted = fields != NULL ? g_strsplit (fields, ",", -1) : NULL;
  g_autoptr (GList) names = json_object_get_members (object);

  if (wanted == NULL || *wanted == NULL)
    {
      if (json_object_has_member (object, "tags")) /* comes only to who asks for it */
        json_object_remove_member (object, "tags");
      return object;
    }
  for (GList *l = names; l != NULL; l = l->next)
    if (!g_strv_contains (always, l->data)
        && !g_strv_contains ((const char *const *) wanted, l->data))
      json_object_remove_member (object, l->data);
  return object;
}

void
emu_call_reply_file (EmuCall *call, JsonObject *file)
{
  JsonObject *object = json_object_new ();
  JsonArray *entries = json_array_new ();

  json_array_add_object_element (entries, emu_call_select (call, file));
  json_object_set_int_member (object, "total_count", 1);
  json_object_set_array_member (object, "entries", entries);
  emu_call_reply_json (call, 201, object);
}

gboolean
emu_call_check_scope (EmuCall *call, const char *folder, EmuProblem *problem)
{
  const char *scope = call->identity.folder;

  if (scope == NULL || (folder != NULL && emu_store_is_within (call->world->store, folder, scope)))
    return TRUE;
  return emu_problem_set_scope (problem);
}

gboolean
emu_call_check_full (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };

  if (call->identity.folder == NULL)
    return TRUE;
  emu_problem_set_scope (&problem);
  emu_call_reply_problem (call, &problem);
  return FALSE;
}

gboolean
emu_call_check_type (EmuCall *call, const char *type)
{
  const char *given = soup_message_headers_get_content_type (call->headers, NULL);
  g_auto (EmuProblem) problem = { 0 };

  if (given != NULL && g_ascii_strcasecmp (given, type) == 0)
    return TRUE;
  emu_problem_set (&problem, 415, "unsupported_media_type", "Content-Type must be %s", type);
  emu_call_reply_problem (call, &problem);
  return FALSE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/exchange.h"

#include "emulator/base/json.h"
#include "emulator/http/certificate.h"
#include "emulator/routes/faults.h"
#include "emulator/routes/late.h"
#include "emulator/routes/routes.h"
#include "emulator/routes/send.h"

#include <string.h>

#define BODY_LIMIT  (16 << 20) /* of a request that is not streamed */
#define BUFFER_SIZE 65536

/* --- the call ----------------------------------------------------------------------------------
 */

static char *
get_bearer (SoupMessageHeaders *headers)
{
  const char *value = soup_message_headers_get_one (headers, "Authorization");

  if (value == NULL || g_ascii_strncasecmp (value, "Bearer", 6) != 0
      || (value[6] != ' ' && value[6] != '\0'))
    return NULL;
  return g_strstrip (g_strdup (value + 6));
}

static void
note_in_log (EmuCall *call)
{
  BoxEmulatorRequest *request = g_new0 (BoxEmulatorRequest, 1);

  request->connection = emu_connection_get_number (call->connection);
  request->tls = call->tls;
  request->route = call->route->name;
  request->method = g_strdup (call->method);
  request->path = g_strdup (call->path);
  request->headers = call->headers;
  request->token = g_strdup (call->token);
  request->offset = call->offset;
  call->number = emu_request_log_begin (call->world->log, request);
}

static void
choose_rules (EmuCall *call)
{
  EmuMatch match = { .route = call->route->name,
                     .method = call->method,
                     .path = call->path,
                     .token = call->token,
                     .offset = call->offset,
                     .part = -1 };

  if (call->offset >= 0)
    match.part = call->offset / call->world->part_size;
  call->rules = emu_scenario_choose (call->world->scenario, &match);
}

/* A client that takes this for its proxy asks for whole URLs. */
static const char *
skip_origin (const char *path)
{
  const char *rest = g_str_has_prefix (path, "http://") ? strchr (path + 7, '/') : NULL;

  return rest != NULL ? rest : path;
}

static void
understand (EmuCall *call)
{
  g_auto (GStrv) parts = g_strsplit (skip_origin (call->path), "?", 2);
  goffset first, last, total;

  call->query = soup_form_decode (parts[0] != NULL && parts[1] != NULL ? parts[1] : "");
  call->token = get_bearer (call->headers);
  if (soup_message_headers_get_content_range (call->headers, &first, &last, &total))
    call->offset = first;
  call->route =
      emu_routes_find (call->method, parts[0] != NULL ? parts[0] : "", &call->id, &call->tail);
}

/* --- the handling ------------------------------------------------------------------------------
 */

static void
read_body (EmuCall *call)
{
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  gssize n;

  call->body = g_byte_array_new ();
  while ((n = emu_call_read (call, buffer, BUFFER_SIZE)) > 0)
    if (call->route->streams || call->body->len + n <= BODY_LIMIT)
      g_byte_array_append (call->body, (const guint8 *) buffer, n);
  if (call->body->len > 0)
    call->json = emu_json_parse ((const char *) call->body->data, call->body->len);
}

/* Reads the rest of the body, so that rules about its end always strike. */
static void
read_rest (EmuCall *call)
{
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);

  while (emu_call_read (call, buffer, BUFFER_SIZE) > 0)
    continue;
}

static void
handle (EmuCall *call)
{
  emu_faults_strike (call, EMU_AT_HEAD);
  if (call->verdict != EMU_VERDICT_NONE)
    return;
  if (!call->route->streams || emu_faults_is_late (call))
    read_body (call);
  if (call->verdict == EMU_VERDICT_NONE && emu_call_authorise (call)
      && emu_call_check_limits (call))
    call->route->handler (call);
  if (call->verdict == EMU_VERDICT_NONE)
    read_rest (call);
  if (call->verdict == EMU_VERDICT_NONE)
    emu_faults_strike (call, EMU_AT_STORED);
}

static gboolean
wants_close (EmuCall *call)
{
  const char *connection = emu_call_get_header (call, "Connection");

  return (!call->read_on && !emu_connection_body_ended (call->connection))
         || (connection != NULL && g_ascii_strcasecmp (connection, "close") == 0)
         || (call->version == SOUP_HTTP_1_0
             && (connection == NULL || g_ascii_strcasecmp (connection, "keep-alive") != 0));
}

/* --- the connection ----------------------------------------------------------------------------
 */

/* After a reply to a body that was not read whole. */
static void
end_early (EmuCall *call, gboolean linger)
{
  if (linger)
    emu_connection_linger (call->connection);
  else
    emu_connection_close (call->connection);
}

static gboolean
should_linger (EmuCall *call, GPtrArray *rules)
{
  for (guint i = 0; i < rules->len; i++)
    if (!((const EmuRule *) g_ptr_array_index (rules, i))->linger)
      return FALSE;
  return TRUE;
}

/* The rest of a body that was answered before its end. */
static void
read_on (EmuConnection *connection)
{
  g_autofree char *waste = g_malloc (BUFFER_SIZE);

  while (emu_connection_read_body (connection, waste, BUFFER_SIZE) > 0)
    continue;
}

/* Tells the client what became of its request. FALSE: the connection has ended, or shall. */
static gboolean
conclude (EmuCall *call)
{
  gboolean lost;

  call->close = wants_close (call);
  if (call->verdict != EMU_VERDICT_LOST)
    emu_send_reply (call);
  lost = call->verdict == EMU_VERDICT_LOST || emu_connection_is_lost (call->connection);
  emu_request_log_end (call->world->log, call->number, lost);
  return !lost;
}

/* "CONNECT HOST:PORT": this proxy leads nowhere but to the emulator itself, with TLS. Rules that
 * name the route "connect" strike it. */
static gboolean
open_tunnel (EmuCall *call)
{
  static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
  g_auto (GStrv) address = g_strsplit (call->path, ":", 2);
  gboolean ok;

  emu_faults_strike (call, EMU_AT_HEAD);
  if (call->verdict == EMU_VERDICT_NONE)
    emu_faults_strike (call, EMU_AT_END);
  if (call->verdict == EMU_VERDICT_NONE
      && !emu_certificate_covers (address[0] != NULL ? address[0] : ""))
    {
      emu_call_reply (call, 403);
      call->verdict = EMU_VERDICT_REPLY;
    }
  if (call->verdict != EMU_VERDICT_NONE)
    return conclude (call) && !call->close;
  emu_request_log_answer (call->world->log, call->number, 200);
  ok = emu_connection_write (call->connection, yes, strlen (yes));
  emu_request_log_end (call->world->log, call->number, !ok);
  return ok && emu_connection_upgrade (call->connection);
}

/* FALSE: the connection has ended, or shall. */
static gboolean
exchange (EmuCall *call)
{
  g_autoptr (GPtrArray) rules = NULL;
  gboolean more;

  understand (call);
  note_in_log (call);
  choose_rules (call);
  if (g_str_equal (call->method, "CONNECT"))
    return open_tunnel (call);
  rules = g_ptr_array_copy (call->rules, NULL, NULL);
  handle (call);
  emu_late_calls_note_handled (call->world->late, call->number, call->route->name);
  more = conclude (call);
  emu_late_calls_note_ended (call->world->late, call->number);
  if (more && call->read_on)
    read_on (call->connection);
  if (more && !emu_connection_body_ended (call->connection))
    end_early (call, should_linger (call, rules));
  return more && !call->close;
}

void
emu_exchange_serve (EmuWorld *world, EmuConnection *connection)
{
  static const char bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                            "Connection: close\r\n\r\n";
  gboolean more = TRUE;

  while (more)
    {
      g_autoptr (EmuCall) call = emu_call_new (world, connection);
      EmuHead head = emu_connection_read_head (connection, call->headers, &call->method,
                                               &call->path, &call->version);

      if (head == EMU_HEAD_BAD)
        emu_connection_write (connection, bad, strlen (bad));
      more = head == EMU_HEAD_OK && exchange (call);
    }
}

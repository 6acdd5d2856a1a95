/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/exchange.h"

#include "emulator/base/json.h"
#include "emulator/http/certificate.h"
#include "emulator/routes/faults.h"
#include "emulator/routes/routes.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BODY_LIMIT    (16 << 20) /* of a request that is not streamed */
#define BUFFER_SIZE   65536
#define ENDLESS_CHUNK 65536

/* --- the call ----------------------------------------------------------------------------------
 */

static EmuCall *
call_new (EmuWorld *world, EmuConnection *connection)
{
  EmuCall *call = g_new0 (EmuCall, 1);

  call->world = world;
  call->connection = connection;
  call->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  call->reply_headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  call->offset = -1;
  return call;
}

static void
call_free (EmuCall *call)
{
  g_free (call->method);
  g_free (call->path);
  soup_message_headers_unref (call->headers);
  g_free (call->id);
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

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuCall, call_free)

static char *
get_bearer (SoupMessageHeaders *headers)
{
  const char *value = soup_message_headers_get_one (headers, "Authorization");

  return value != NULL && g_ascii_strncasecmp (value, "Bearer ", 7) == 0
             ? g_strstrip (g_strdup (value + 7))
             : NULL;
}

static void
note_in_journal (EmuCall *call)
{
  BoxEmulatorRequest *request = g_new0 (BoxEmulatorRequest, 1);

  request->connection = emu_connection_get_number (call->connection);
  request->tls = emu_connection_is_tls (call->connection);
  request->route = call->route->name;
  request->method = g_strdup (call->method);
  request->path = g_strdup (call->path);
  request->headers = call->headers;
  request->token = g_strdup (call->token);
  request->offset = call->offset;
  call->number = emu_request_log_begin (call->world->journal, request);
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
  call->route = emu_routes_find (call->method, parts[0] != NULL ? parts[0] : "", &call->id);
}

/* --- the handling ------------------------------------------------------------------------------
 */

static gboolean
authorise (EmuCall *call)
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
          emu_call_refuse (call, 403, "access_denied_insufficient_permissions",
                           "As-User names a user that this token may not act for");
          return FALSE;
        }
      g_free (call->identity.user);
      call->identity.user = g_strdup (as_user);
    }
  return TRUE;
}

static void
read_body (EmuCall *call)
{
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  gssize n;

  call->body = g_byte_array_new ();
  while ((n = emu_call_read (call, buffer, BUFFER_SIZE)) > 0)
    if (call->body->len + n <= BODY_LIMIT)
      g_byte_array_append (call->body, (const guint8 *) buffer, n);
  if (call->body->len > 0)
    call->json = emu_json_parse ((const char *) call->body->data, call->body->len);
}

/* What the handler left of the body, to its end, so that rules about the end strike in any case. */
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
  if (!call->route->streams)
    read_body (call);
  if (call->verdict == EMU_VERDICT_NONE && authorise (call))
    call->route->handler (call);
  if (call->verdict == EMU_VERDICT_NONE)
    read_rest (call);
  if (call->verdict == EMU_VERDICT_NONE)
    emu_faults_strike (call, EMU_AT_STORED);
}

/* --- the reply ---------------------------------------------------------------------------------
 */

static void
append_header (const char *name, const char *value, gpointer text)
{
  g_string_append_printf (text, "%s: %s\r\n", name, value);
}

static void
prepare_body (EmuCall *call)
{
  if (call->reply_json == NULL)
    return;
  else
    {
      char *text = emu_json_to_text (call->reply_json);

      call->reply_body = g_bytes_new_take (text, strlen (text));
      soup_message_headers_replace (call->reply_headers, "Content-Type", "application/json");
    }
}

static gboolean
send_head (EmuCall *call, guint64 length)
{
  g_autoptr (GString) head = g_string_new (NULL);
  g_autoptr (GDateTime) now =
      g_date_time_new_from_unix_utc (emu_clock_now (&call->world->clock) / G_USEC_PER_SEC);
  g_autofree char *date = soup_date_time_to_string (now, SOUP_DATE_HTTP);

  g_string_printf (head, "HTTP/1.1 %u %s\r\nDate: %s\r\nbox-request-id: emulator%08x\r\n",
                   call->status, soup_status_get_phrase (call->status), date, call->number);
  soup_message_headers_foreach (call->reply_headers, append_header, head);
  if (call->endless)
    g_string_append (head, "Transfer-Encoding: chunked\r\n");
  else if (call->status != 204
           && soup_message_headers_get_one (call->reply_headers, "Content-Length") == NULL)
    g_string_append_printf (head, "Content-Length: %" G_GUINT64_FORMAT "\r\n", length);
  if (call->close)
    g_string_append (head, "Connection: close\r\n");
  g_string_append (head, "\r\n");
  return emu_connection_write (call->connection, head->str, head->len);
}

static void
send_file (EmuCall *call, guint64 length)
{
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  int fd = open (call->reply_file, O_RDONLY | O_CLOEXEC);
  guint64 offset = call->file_offset;
  gssize n = 1;

  while (length > 0 && n > 0)
    {
      n = pread (fd, buffer, MIN (length, BUFFER_SIZE), offset);
      if (n > 0 && !emu_connection_write (call->connection, buffer, n))
        n = -1;
      length -= MAX (n, 0);
      offset += MAX (n, 0);
    }
  if (fd >= 0)
    close (fd);
  if (length > 0)
    emu_connection_reset (call->connection);
}

static void
send_endlessly (EmuCall *call)
{
  g_autofree char *spaces = g_strnfill (ENDLESS_CHUNK, ' ');
  g_autofree char *chunk = g_strdup_printf ("%x\r\n%s\r\n", ENDLESS_CHUNK, spaces);

  while (emu_connection_write (call->connection, chunk, strlen (chunk)))
    continue;
}

static void
send_reply (EmuCall *call)
{
  const EmuRule *cut = emu_faults_get_cut (call);
  gsize size = 0;
  gconstpointer data = NULL;
  guint64 length;

  prepare_body (call);
  if (call->reply_body != NULL)
    data = g_bytes_get_data (call->reply_body, &size);
  length = call->reply_file != NULL ? call->file_length : size;
  emu_request_log_answer (call->world->journal, call->number, call->status);
  if (!send_head (call, length) || g_str_equal (call->method, "HEAD"))
    return;
  if (call->endless)
    {
      send_endlessly (call);
      return;
    }
  if (cut != NULL)
    {
      emu_request_log_set_fault (call->world->journal, call->number, cut->action_name);
      length = MIN (length, cut->bytes);
    }
  if (call->reply_file != NULL)
    send_file (call, length);
  else if (length > 0)
    emu_connection_write (call->connection, data, length);
  if (cut != NULL && cut->action == EMU_DO_DELAY)
    emu_connection_wait (call->connection, NULL, cut->delay_ms * (gint64) 1000);
  else if (cut != NULL)
    emu_faults_end_connection (call, cut);
}

static gboolean
wants_close (EmuCall *call)
{
  const char *connection = emu_call_get_header (call, "Connection");

  return !emu_connection_body_ended (call->connection)
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

/* "CONNECT HOST:PORT": this proxy leads nowhere but to the emulator itself, with TLS. */
static gboolean
open_tunnel (EmuCall *call)
{
  static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
  static const char no[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
  g_auto (GStrv) address = g_strsplit (call->path, ":", 2);
  gboolean known = emu_certificate_covers (address[0] != NULL ? address[0] : "");
  const char *reply = known ? yes : no;
  gboolean ok;

  emu_request_log_answer (call->world->journal, call->number, known ? 200 : 403);
  ok = emu_connection_write (call->connection, reply, strlen (reply));
  emu_request_log_end (call->world->journal, call->number, !ok);
  return ok && known && emu_connection_upgrade (call->connection);
}

/* FALSE: the connection has ended, or shall. */
static gboolean
exchange (EmuCall *call)
{
  g_autoptr (GPtrArray) rules = NULL;
  gboolean lost;

  understand (call);
  note_in_journal (call);
  if (g_str_equal (call->method, "CONNECT"))
    return open_tunnel (call);
  choose_rules (call);
  rules = g_ptr_array_copy (call->rules, NULL, NULL);
  handle (call);
  call->close = wants_close (call);
  if (call->verdict != EMU_VERDICT_LOST)
    send_reply (call);
  lost = call->verdict == EMU_VERDICT_LOST || emu_connection_is_lost (call->connection);
  emu_request_log_end (call->world->journal, call->number, lost);
  if (!lost && !emu_connection_body_ended (call->connection))
    end_early (call, should_linger (call, rules));
  return !lost && !call->close;
}

void
emu_exchange_serve (EmuWorld *world, EmuConnection *connection)
{
  static const char bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                            "Connection: close\r\n\r\n";
  gboolean more = TRUE;

  while (more)
    {
      g_autoptr (EmuCall) call = call_new (world, connection);
      EmuHead head = emu_connection_read_head (connection, call->headers, &call->method,
                                               &call->path, &call->version);

      if (head == EMU_HEAD_BAD)
        emu_connection_write (connection, bad, strlen (bad));
      more = head == EMU_HEAD_OK && exchange (call);
    }
}

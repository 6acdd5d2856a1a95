/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/send.h"

#include "emulator/base/json.h"
#include "emulator/routes/faults.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE   65536
#define ENDLESS_CHUNK 65536

/* --- bytes and rules ---------------------------------------------------------------------------
 */

/* One stretch of the reply, its head or its body, that is being sent. */
typedef struct
{
  EmuCall *call;
  EmuStage stage;
  guint64 position;
} Stretch;

static gboolean
wait_ms (EmuCall *call, guint ms)
{
  gint64 wait = ms * (gint64) G_TIME_SPAN_MILLISECOND;

  return emu_connection_wait (call->connection, NULL, wait) != EMU_WAIT_LOST;
}

/* A byte at a time once a rule wants that. */
static gboolean
put_plain (Stretch *stretch, const guint8 *data, gsize size)
{
  EmuCall *call = stretch->call;

  stretch->position += size;
  if (call->drip == NULL)
    return emu_connection_write (call->connection, data, size);
  for (gsize i = 0; i < size; i++)
    if (!wait_ms (call, call->drip->delay_ms)
        || !emu_connection_write (call->connection, data + i, 1))
      return FALSE;
  return TRUE;
}

/* FALSE: the connection is lost. */
static gboolean
put (Stretch *stretch, gconstpointer data, gsize size)
{
  const guint8 *next = data;
  guint64 room;

  while ((room = emu_faults_get_room (stretch->call, stretch->stage, stretch->position)) < size)
    {
      if (!put_plain (stretch, next, room))
        return FALSE;
      next += room;
      size -= room;
      emu_faults_strike_reply (stretch->call, stretch->stage, stretch->position);
      if (stretch->call->verdict == EMU_VERDICT_LOST)
        return FALSE;
    }
  return put_plain (stretch, next, size);
}

/* Rules for a position beyond the end strike at the end. */
static gboolean
end_stretch (Stretch *stretch)
{
  emu_faults_strike_reply (stretch->call, stretch->stage, G_MAXUINT64);
  return stretch->call->verdict != EMU_VERDICT_LOST;
}

/* --- head and body -----------------------------------------------------------------------------
 */

static void
append_header (const char *name, const char *value, gpointer text)
{
  g_string_append_printf (text, "%s: %s\r\n", name, value);
}

/* Box writes "\\/" for a slash. Takes @text. */
static char *
escape_slashes (char *text)
{
  g_autofree char *plain = text;
  g_auto (GStrv) parts = g_strsplit (plain, "/", -1);

  return g_strjoinv ("\\/", parts);
}

static void
prepare_body (EmuCall *call)
{
  char *text;

  if (call->reply_json == NULL)
    return;
  text = escape_slashes (emu_json_to_text (call->reply_json));
  call->reply_body = g_bytes_new_take (text, strlen (text));
  soup_message_headers_replace (call->reply_headers, "Content-Type", "application/json");
  if (soup_message_headers_get_one (call->reply_headers, "Cache-Control") == NULL)
    soup_message_headers_replace (call->reply_headers, "Cache-Control", "no-cache, no-store");
}

static gboolean
send_head (EmuCall *call, guint64 length)
{
  Stretch stretch = { call, EMU_AT_REPLY_HEAD, 0 };
  g_autoptr (GString) head = g_string_new (NULL);
  g_autoptr (GDateTime) now =
      g_date_time_new_from_unix_utc (emu_clock_now (&call->world->clock) / G_USEC_PER_SEC);
  g_autofree char *date = soup_date_time_to_string (now, SOUP_DATE_HTTP);

  g_string_printf (head, "HTTP/1.1 %u %s\r\nDate: %s\r\n", call->status,
                   soup_status_get_phrase (call->status), date);
  if (!call->foreign)
    g_string_append_printf (head,
                            "box-request-id: emulator%08x\r\n"
                            "Strict-Transport-Security: max-age=31536000\r\n",
                            call->number);
  soup_message_headers_foreach (call->reply_headers, append_header, head);
  if (call->endless)
    g_string_append (head, "Transfer-Encoding: chunked\r\n");
  else if (call->status != 204
           && soup_message_headers_get_one (call->reply_headers, "Content-Length") == NULL)
    g_string_append_printf (head, "Content-Length: %" G_GUINT64_FORMAT "\r\n", length);
  if (call->close)
    g_string_append (head, "Connection: close\r\n");
  g_string_append (head, "\r\n");
  return put (&stretch, head->str, head->len) && end_stretch (&stretch);
}

static gboolean
send_file (Stretch *stretch)
{
  EmuCall *call = stretch->call;
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  int fd = open (call->reply_file, O_RDONLY | O_CLOEXEC);
  guint64 left = call->file_length;
  guint64 offset = call->file_offset;
  gssize n = 1;

  while (left > 0 && n > 0)
    {
      n = pread (fd, buffer, MIN (left, BUFFER_SIZE), offset);
      if (n > 0 && !put (stretch, buffer, n))
        n = -1;
      left -= MAX (n, 0);
      offset += MAX (n, 0);
    }
  if (fd >= 0)
    close (fd);
  if (left > 0)
    emu_connection_reset (call->connection);
  return left == 0;
}

static gboolean
send_endlessly (Stretch *stretch)
{
  g_autofree char *spaces = g_strnfill (ENDLESS_CHUNK, ' ');
  g_autofree char *chunk = g_strdup_printf ("%x\r\n%s\r\n", ENDLESS_CHUNK, spaces);

  while (put (stretch, chunk, strlen (chunk)))
    continue;
  return FALSE;
}

static gboolean
send_body (EmuCall *call, GBytes *body)
{
  Stretch stretch = { call, EMU_AT_REPLY, 0 };
  gboolean ok = TRUE;
  gsize size = 0;
  gconstpointer data = body != NULL ? g_bytes_get_data (body, &size) : NULL;

  if (call->endless)
    return send_endlessly (&stretch);
  if (call->reply_file != NULL)
    ok = send_file (&stretch);
  else if (size > 0)
    ok = put (&stretch, data, size);
  return ok && end_stretch (&stretch);
}

void
emu_send_reply (EmuCall *call)
{
  guint64 length;

  prepare_body (call);
  length = call->reply_body != NULL ? g_bytes_get_size (call->reply_body) : 0;
  if (call->reply_file != NULL)
    length = call->file_length;
  emu_request_log_answer (call->world->log, call->number, call->status);
  if (send_head (call, length) && !g_str_equal (call->method, "HEAD"))
    send_body (call, call->reply_body);
}

void
emu_send_interim (EmuCall *call, const EmuRule *rule)
{
  guint status = rule->status != 0 ? rule->status : SOUP_STATUS_PROCESSING;
  g_autofree char *text =
      g_strdup_printf ("HTTP/1.1 %u %s\r\n\r\n", status, soup_status_get_phrase (status));
  gboolean ok = TRUE;

  for (guint i = 0; ok && (rule->count == 0 || i < rule->count); i++)
    ok = emu_connection_write (call->connection, text, strlen (text))
         && wait_ms (call, rule->delay_ms);
  if (!ok)
    call->verdict = EMU_VERDICT_LOST;
}

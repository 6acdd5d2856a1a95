/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/http/connection.h"

#include "emulator/http/handshake.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD_LIMIT 65536

/* How long a client may take to notice that its request was answered before it was sent. */
#define LINGER_US (10 * G_USEC_PER_SEC)

struct _EmuConnection
{
  /* immutable */
  guint number;
  GSocketConnection *socket;
  GTlsCertificate *certificate;
  GCancellable *killed;

  /* the connection's thread */
  GIOStream *stream; /* @socket, or TLS on it */
  GInputStream *in;  /* owned by stream */
  GOutputStream *out;
  guint8 buffer[HEAD_LIMIT];
  gsize start; /* bytes read ahead are start..end */
  gsize end;
  EmuBodyFraming framing;
  guint64 left; /* of the body, or of the chunk being read */
  gboolean first_chunk;
  gboolean ended;
  gboolean expects_continue;
  gboolean lost;
};

/* Reads and writes @stream, or TLS on it, from now on. */
static void
use_stream (EmuConnection *connection, GIOStream *stream, gboolean tls)
{
  static const char *const protocols[] = { "http/1.1", NULL };
  g_autoptr (GIOStream) old = g_steal_pointer (&connection->stream);

  if (tls)
    connection->stream = emu_tls_server_new (stream, connection->certificate);
  if (connection->stream != NULL)
    {
      g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (connection->stream),
                                                 (const char **) protocols);
      g_tls_connection_set_require_close_notify (G_TLS_CONNECTION (connection->stream), FALSE);
    }
  else
    connection->stream = g_object_ref (stream);
  connection->in = g_io_stream_get_input_stream (connection->stream);
  connection->out = g_io_stream_get_output_stream (connection->stream);
}

EmuConnection *
emu_connection_new (GSocketConnection *socket, GTlsCertificate *certificate, gboolean tls,
                    guint number)
{
  EmuConnection *connection = g_new0 (EmuConnection, 1);

  connection->number = number;
  connection->socket = g_object_ref (socket);
  connection->certificate = g_object_ref (certificate);
  connection->killed = g_cancellable_new ();
  connection->ended = TRUE;
  use_stream (connection, G_IO_STREAM (socket), tls);
  return connection;
}

gboolean
emu_connection_upgrade (EmuConnection *connection)
{
  if (emu_connection_is_tls (connection) || connection->start != connection->end)
    return FALSE;
  use_stream (connection, G_IO_STREAM (connection->socket), TRUE);
  return emu_connection_handshake (connection);
}

void
emu_connection_free (EmuConnection *connection)
{
  emu_connection_close (connection);
  g_object_unref (connection->stream);
  g_object_unref (connection->socket);
  g_object_unref (connection->certificate);
  g_object_unref (connection->killed);
  g_free (connection);
}

guint
emu_connection_get_number (EmuConnection *connection)
{
  return connection->number;
}

gboolean
emu_connection_is_tls (EmuConnection *connection)
{
  return G_IS_TLS_CONNECTION (connection->stream);
}

void
emu_connection_kill (EmuConnection *connection)
{
  g_cancellable_cancel (connection->killed);
}

gboolean
emu_connection_is_lost (EmuConnection *connection)
{
  return connection->lost || g_cancellable_is_cancelled (connection->killed);
}

gboolean
emu_connection_handshake (EmuConnection *connection)
{
  if (!emu_connection_is_tls (connection))
    return TRUE;
  if (!emu_handshake (G_TLS_CONNECTION (connection->stream), connection->killed))
    connection->lost = TRUE;
  return !connection->lost;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static gssize
read_some (EmuConnection *connection, gpointer data, gsize size)
{
  gssize n = -1;

  if (!connection->lost)
    n = g_input_stream_read (connection->in, data, size, connection->killed, NULL);
  if (n < 0)
    connection->lost = TRUE;
  return n;
}

/* Reads more into the buffer; 0 at the end of the stream, -1 also if the buffer is full. */
static gssize
fill (EmuConnection *connection)
{
  gssize n;

  if (connection->start > 0)
    {
      memmove (connection->buffer, connection->buffer + connection->start,
               connection->end - connection->start);
      connection->end -= connection->start;
      connection->start = 0;
    }
  if (connection->end == HEAD_LIMIT)
    return -1;
  n = read_some (connection, connection->buffer + connection->end, HEAD_LIMIT - connection->end);
  if (n > 0)
    connection->end += n;
  return n;
}

static void
begin_body (EmuConnection *connection, SoupMessageHeaders *headers)
{
  const char *expect = soup_message_headers_get_one (headers, "Expect");

  connection->left = 0;
  connection->first_chunk = TRUE;
  connection->expects_continue = expect != NULL && g_ascii_strcasecmp (expect, "100-continue") == 0;
  switch (soup_message_headers_get_encoding (headers))
    {
    case SOUP_ENCODING_CHUNKED:
      connection->framing = EMU_BODY_CHUNKED;
      break;
    case SOUP_ENCODING_CONTENT_LENGTH:
      connection->framing = EMU_BODY_LENGTH;
      connection->left = soup_message_headers_get_content_length (headers);
      break;
    default:
      connection->framing = EMU_BODY_NONE;
    }
  connection->ended = connection->framing != EMU_BODY_CHUNKED && connection->left == 0;
}

EmuHead
emu_connection_read_head (EmuConnection *connection, SoupMessageHeaders *headers, char **method,
                          char **path, SoupHTTPVersion *version)
{
  const guint8 *stop = NULL;
  gsize length;

  while (stop == NULL)
    {
      gsize have = connection->end - connection->start;

      while (have > 0 && g_ascii_isspace (connection->buffer[connection->start]))
        {
          connection->start++;
          have--;
        }
      stop = memmem (connection->buffer + connection->start, have, "\r\n\r\n", 4);
      if (stop == NULL && fill (connection) <= 0)
        return have == 0 ? EMU_HEAD_END : EMU_HEAD_BAD;
    }
  length = stop + 2 - (connection->buffer + connection->start);
  if (soup_headers_parse_request ((const char *) connection->buffer + connection->start, length,
                                  headers, method, path, version)
      != SOUP_STATUS_OK)
    return EMU_HEAD_BAD;
  connection->start += length + 2;
  begin_body (connection, headers);
  return EMU_HEAD_OK;
}

/* One line of the chunked framing into @line (of @size), without its end. */
static gboolean
read_line (EmuConnection *connection, char *line, gsize size)
{
  const guint8 *stop = NULL;
  gsize length;

  while (stop == NULL)
    {
      stop = memchr (connection->buffer + connection->start, '\n',
                     connection->end - connection->start);
      if (stop == NULL && fill (connection) <= 0)
        return FALSE;
    }
  length = stop - (connection->buffer + connection->start);
  if (length >= size)
    return FALSE;
  memcpy (line, connection->buffer + connection->start, length);
  line[length] = '\0';
  g_strchomp (line);
  connection->start += length + 1;
  return TRUE;
}

/* Reads the size of the next chunk, and the trailer after the last. */
static gboolean
next_chunk (EmuConnection *connection)
{
  char line[1024];
  char *stop;

  if (!connection->first_chunk && (!read_line (connection, line, sizeof line) || *line != '\0'))
    return FALSE;
  connection->first_chunk = FALSE;
  if (!read_line (connection, line, sizeof line) || !g_ascii_isxdigit (*line))
    return FALSE;
  connection->left = g_ascii_strtoull (line, &stop, 16);
  if (*stop != '\0' && *stop != ';' && *stop != ' ')
    return FALSE;
  while (connection->left == 0 && !connection->ended)
    {
      if (!read_line (connection, line, sizeof line))
        return FALSE;
      connection->ended = *line == '\0';
    }
  return TRUE;
}

static gboolean
send_continue (EmuConnection *connection)
{
  static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

  if (!connection->expects_continue)
    return TRUE;
  connection->expects_continue = FALSE;
  return emu_connection_write (connection, line, strlen (line));
}

gssize
emu_connection_read_body (EmuConnection *connection, gpointer data, gsize size)
{
  gsize ahead = connection->end - connection->start;
  gssize n;

  if (connection->ended)
    return 0;
  if (!send_continue (connection))
    return -1;
  if (connection->framing == EMU_BODY_CHUNKED && connection->left == 0)
    {
      if (!next_chunk (connection))
        {
          connection->lost = TRUE;
          return -1;
        }
      return emu_connection_read_body (connection, data, size);
    }
  n = MIN (size, connection->left);
  if (ahead > 0)
    {
      n = MIN ((gsize) n, ahead);
      memcpy (data, connection->buffer + connection->start, n);
      connection->start += n;
    }
  else
    n = read_some (connection, data, n);
  if (n <= 0)
    {
      connection->lost = TRUE;
      return -1;
    }
  connection->left -= n;
  if (connection->framing == EMU_BODY_LENGTH)
    connection->ended = connection->left == 0;
  return n;
}

gboolean
emu_connection_body_ended (EmuConnection *connection)
{
  return connection->ended;
}

gboolean
emu_connection_write (EmuConnection *connection, gconstpointer data, gsize size)
{
  if (connection->lost
      || !g_output_stream_write_all (connection->out, data, size, NULL, connection->killed, NULL))
    connection->lost = TRUE;
  return !connection->lost;
}

/* --- waiting and ending ------------------------------------------------------------------------
 */

EmuWait
emu_connection_wait (EmuConnection *connection, GCancellable *released, gint64 timeout_us)
{
  GSocket *socket = g_socket_connection_get_socket (connection->socket);
  GPollFD fds[3] = { { g_socket_get_fd (socket), POLLRDHUP, 0 }, { -1 }, { -1 } };
  gint timeout_ms = timeout_us < 0 ? -1 : (gint) MIN ((timeout_us + 999) / 1000, G_MAXINT);
  EmuWait result;

  if (emu_connection_is_lost (connection))
    return EMU_WAIT_LOST;
  g_cancellable_make_pollfd (connection->killed, &fds[1]);
  if (released != NULL)
    g_cancellable_make_pollfd (released, &fds[2]);
  while (g_poll (fds, released != NULL ? 3 : 2, timeout_ms) < 0 && errno == EINTR)
    continue;
  if (fds[0].revents != 0 || fds[1].revents != 0)
    result = EMU_WAIT_LOST;
  else
    result = fds[2].revents != 0 ? EMU_WAIT_RELEASED : EMU_WAIT_TIMEOUT;
  if (result == EMU_WAIT_LOST)
    connection->lost = TRUE;
  g_cancellable_release_fd (connection->killed);
  if (released != NULL)
    g_cancellable_release_fd (released);
  return result;
}

void
emu_connection_reset (EmuConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection->socket);
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };

  if (!g_socket_is_closed (socket))
    setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  g_socket_close (socket, NULL);
  connection->lost = TRUE;
}

void
emu_connection_close (EmuConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection->socket);

  if (g_cancellable_is_cancelled (connection->killed))
    emu_connection_reset (connection);
  else if (!g_socket_is_closed (socket))
    {
      if (!connection->lost)
        g_io_stream_close (connection->stream, connection->killed, NULL);
      g_socket_close (socket, NULL);
    }
  connection->lost = TRUE;
}

void
emu_connection_linger (EmuConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection->socket);
  gint64 until = g_get_monotonic_time () + LINGER_US;
  g_autofree char *waste = g_malloc (HEAD_LIMIT);
  gssize n = 1;

  if (!connection->lost && emu_connection_is_tls (connection))
    g_output_stream_close (connection->out, connection->killed, NULL);
  if (!connection->lost)
    g_socket_shutdown (socket, FALSE, TRUE, NULL);
  while (!connection->lost && n > 0 && g_get_monotonic_time () < until)
    {
      gint64 left = MAX (until - g_get_monotonic_time (), 0);

      n = -1;
      if (g_socket_condition_timed_wait (socket, G_IO_IN, left, connection->killed, NULL))
        n = g_socket_receive (socket, waste, HEAD_LIMIT, connection->killed, NULL);
    }
  connection->lost = TRUE;
  emu_connection_close (connection);
}

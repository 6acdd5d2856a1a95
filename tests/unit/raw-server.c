/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "raw-server.h"

#include "emulator/http/handshake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct _RawServer
{
  /* immutable */
  RawServe serve;
  gpointer user_data;
  GTlsCertificate *certificate;
  GSocket *listener;
  guint16 port;
  GThread *acceptor;
  GCancellable *stop;

  /* with lock */
  GMutex lock;
  GCond changed;
  guint connections;
  guint signals;
  GPtrArray *threads;
};

struct _RawPeer
{
  RawServer *server;
  guint index;
  GSocket *socket;
  GIOStream *stream;
  GByteArray *buffer; /* read, not yet taken */
};

static void
drop_stream (RawPeer *peer)
{
  if (peer->stream != NULL)
    g_io_stream_close (peer->stream, NULL, NULL);
  g_clear_object (&peer->stream);
}

static gpointer
serve_thread (gpointer data)
{
  RawPeer *peer = data;
  g_autoptr (GSocketConnection) connection =
      g_socket_connection_factory_create_connection (peer->socket);

  peer->stream = G_IO_STREAM (g_object_ref (connection));
  if (peer->server->certificate != NULL)
    raw_peer_start_tls (peer, peer->server->certificate);
  peer->server->serve (peer, peer->server->user_data);
  drop_stream (peer);
  g_object_unref (peer->socket);
  g_byte_array_unref (peer->buffer);
  g_free (peer);
  return NULL;
}

static gpointer
accept_thread (gpointer data)
{
  RawServer *server = data;
  GSocket *socket;

  while ((socket = g_socket_accept (server->listener, server->stop, NULL)) != NULL)
    {
      RawPeer *peer = g_new0 (RawPeer, 1);

      peer->server = server;
      peer->socket = socket;
      peer->buffer = g_byte_array_new ();
      g_mutex_lock (&server->lock);
      peer->index = server->connections++;
      g_ptr_array_add (server->threads, g_thread_new ("raw-peer", serve_thread, peer));
      g_mutex_unlock (&server->lock);
    }
  return NULL;
}

RawServer *
raw_server_new (RawServe serve, gpointer user_data, GTlsCertificate *certificate)
{
  RawServer *server = g_new0 (RawServer, 1);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_init (&server->lock);
  g_cond_init (&server->changed);
  server->serve = serve;
  server->user_data = user_data;
  server->certificate = certificate != NULL ? g_object_ref (certificate) : NULL;
  server->stop = g_cancellable_new ();
  server->threads = g_ptr_array_new ();
  server->listener =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_bind (server->listener, address, FALSE, NULL));
  g_assert_true (g_socket_listen (server->listener, NULL));
  bound = g_socket_get_local_address (server->listener, NULL);
  server->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  server->acceptor = g_thread_new ("raw-accept", accept_thread, server);
  return server;
}

void
raw_server_free (RawServer *server)
{
  g_cancellable_cancel (server->stop);
  g_thread_join (server->acceptor);
  for (guint i = 0; i < server->threads->len; i++)
    g_thread_join (g_ptr_array_index (server->threads, i));
  g_ptr_array_unref (server->threads);
  g_object_unref (server->listener);
  g_object_unref (server->stop);
  g_clear_object (&server->certificate);
  g_mutex_clear (&server->lock);
  g_cond_clear (&server->changed);
  g_free (server);
}

guint16
raw_server_get_port (RawServer *server)
{
  return server->port;
}

char *
raw_server_get_url (RawServer *server, const char *path)
{
  return g_strdup_printf ("%s://127.0.0.1:%u/%s", server->certificate != NULL ? "https" : "http",
                          server->port, path);
}

void
raw_server_set_receive_buffer (RawServer *server, int size)
{
  g_assert_true (g_socket_set_option (server->listener, SOL_SOCKET, SO_RCVBUF, size, NULL));
}

guint
raw_server_get_connections (RawServer *server)
{
  guint n;

  g_mutex_lock (&server->lock);
  n = server->connections;
  g_mutex_unlock (&server->lock);
  return n;
}

void
raw_server_wait_signals (RawServer *server, guint n)
{
  g_mutex_lock (&server->lock);
  while (server->signals < n)
    g_cond_wait (&server->changed, &server->lock);
  g_mutex_unlock (&server->lock);
}

void
raw_peer_signal (RawPeer *peer)
{
  g_mutex_lock (&peer->server->lock);
  peer->server->signals++;
  g_cond_broadcast (&peer->server->changed);
  g_mutex_unlock (&peer->server->lock);
}

guint
raw_peer_get_index (RawPeer *peer)
{
  return peer->index;
}

GIOStream *
raw_peer_get_stream (RawPeer *peer)
{
  return peer->stream;
}

void
raw_peer_start_tls (RawPeer *peer, GTlsCertificate *certificate)
{
  static const char *const protocols[] = { "h2", "http/1.1", NULL };
  g_autoptr (GIOStream) base = peer->stream;

  peer->stream = emu_tls_server_new (base, certificate);
  g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (peer->stream), protocols);
  emu_handshake (G_TLS_CONNECTION (peer->stream), peer->server->stop);
}

const char *
raw_peer_get_protocol (RawPeer *peer)
{
  return G_IS_TLS_CONNECTION (peer->stream)
             ? g_tls_connection_get_negotiated_protocol (G_TLS_CONNECTION (peer->stream))
             : NULL;
}

static gboolean
fill (RawPeer *peer)
{
  guint8 data[65536];
  gssize n = -1;

  if (peer->stream != NULL)
    n = g_input_stream_read (g_io_stream_get_input_stream (peer->stream), data, sizeof data,
                             peer->server->stop, NULL);
  if (n <= 0)
    return FALSE;
  g_byte_array_append (peer->buffer, data, (guint) n);
  return TRUE;
}

char *
raw_peer_read_head (RawPeer *peer)
{
  for (;;)
    {
      const char *end = peer->buffer->len == 0
                            ? NULL
                            : g_strstr_len ((const char *) peer->buffer->data,
                                            (gssize) peer->buffer->len, "\r\n\r\n");
      gsize length;
      char *head;

      if (end != NULL)
        {
          length = (gsize) (end + 4 - (const char *) peer->buffer->data);
          head = g_strndup ((const char *) peer->buffer->data, length);
          g_byte_array_remove_range (peer->buffer, 0, (guint) length);
          return head;
        }
      if (!fill (peer))
        return NULL;
    }
}

gsize
raw_peer_read (RawPeer *peer, gsize n)
{
  gsize taken = 0;

  while (taken < n)
    {
      gsize step;

      if (peer->buffer->len == 0 && !fill (peer))
        break;
      step = MIN (peer->buffer->len, n - taken);
      g_byte_array_remove_range (peer->buffer, 0, (guint) step);
      taken += step;
    }
  return taken;
}

GBytes *
raw_peer_read_some (RawPeer *peer)
{
  GBytes *bytes;

  if (peer->buffer->len == 0 && !fill (peer))
    return NULL;
  bytes = g_bytes_new (peer->buffer->data, peer->buffer->len);
  g_byte_array_set_size (peer->buffer, 0);
  return bytes;
}

gboolean
raw_peer_read_request (RawPeer *peer, char **head, GBytes **body)
{
  g_autofree char *text = raw_peer_read_head (peer);
  const char *field = text != NULL ? strstr (text, "\r\nContent-Length: ") : NULL;
  gsize length = field != NULL ? strtoul (field + strlen ("\r\nContent-Length: "), NULL, 10) : 0;

  if (text == NULL)
    return FALSE;
  while (peer->buffer->len < length)
    if (!fill (peer))
      return FALSE;
  if (body != NULL)
    *body = g_bytes_new (peer->buffer->data, length);
  g_byte_array_remove_range (peer->buffer, 0, (guint) length);
  if (head != NULL)
    *head = g_steal_pointer (&text);
  return TRUE;
}

void
raw_peer_say (RawPeer *peer, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  raw_peer_say_bytes (peer, text, strlen (text));
}

void
raw_peer_say_bytes (RawPeer *peer, gconstpointer bytes, gsize length)
{
  g_output_stream_write_all (g_io_stream_get_output_stream (peer->stream), bytes, length, NULL,
                             peer->server->stop, NULL);
}

void
raw_peer_reply (RawPeer *peer, const char *body)
{
  raw_peer_say (peer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen (body), body);
}

void
raw_peer_linger (RawPeer *peer)
{
  g_socket_condition_wait (peer->socket, G_IO_HUP, peer->server->stop, NULL);
}

void
raw_peer_reset (RawPeer *peer)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };

  setsockopt (g_socket_get_fd (peer->socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  g_socket_close (peer->socket, NULL);
  drop_stream (peer);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define BACKLOG     512
#define SLOW_BUFFER 32768
#define PORT_TRIES  256

typedef struct
{
  EmuServer *server;
  gboolean tls;
  guint16 port;

  /* Holds the port while nobody listens on it. */
  GSocket *guard;

  /* with the server's lock */
  GSocket *socket; /* NULL while down */
  GCancellable *stop;
  GThread *thread;
} Listener;

struct _EmuServer
{
  /* immutable */
  GTlsCertificate *certificate;
  EmuServe serve;
  gpointer user_data;

  GPtrArray *listeners; /* changed before anybody connects */

  GMutex lock;
  GCond ended; /* a connection's thread is about to end */

  /* with lock */
  GSList *finished;        /* threads that wait to be joined */
  GHashTable *connections; /* of EmuConnection, each owned by its thread */
  guint n_threads;
  guint n_connections;
  gboolean slow;
};

typedef struct
{
  EmuServer *server;
  GSocket *socket;
  gboolean tls;
  guint number;
} Arrival;

/* --- connections -------------------------------------------------------------------------------
 */

static gpointer
serve_connection (gpointer data)
{
  g_autofree Arrival *arrival = data;
  EmuServer *server = arrival->server;
  g_autoptr (GSocketConnection) socket =
      g_socket_connection_factory_create_connection (arrival->socket);
  EmuConnection *connection =
      emu_connection_new (socket, server->certificate, arrival->tls, arrival->number);

  g_mutex_lock (&server->lock);
  g_hash_table_add (server->connections, connection);
  g_mutex_unlock (&server->lock);
  if (emu_connection_handshake (connection))
    server->serve (connection, server->user_data);
  g_mutex_lock (&server->lock);
  g_hash_table_remove (server->connections, connection);
  g_mutex_unlock (&server->lock);
  emu_connection_free (connection);
  g_object_unref (arrival->socket);

  g_mutex_lock (&server->lock);
  server->n_threads--;
  server->finished = g_slist_prepend (server->finished, g_thread_ref (g_thread_self ()));
  g_cond_broadcast (&server->ended);
  g_mutex_unlock (&server->lock);
  return NULL;
}

static void
join_finished (EmuServer *server)
{
  GSList *finished;

  g_mutex_lock (&server->lock);
  finished = g_steal_pointer (&server->finished);
  g_mutex_unlock (&server->lock);
  for (GSList *l = finished; l != NULL; l = l->next)
    g_thread_join (l->data);
  g_slist_free (finished);
}

static void
accept_one (Listener *listener, GSocket *socket)
{
  EmuServer *server = listener->server;
  Arrival *arrival = g_new0 (Arrival, 1);
  gboolean slow;

  arrival->server = server;
  arrival->socket = socket;
  arrival->tls = listener->tls;
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  g_mutex_lock (&server->lock);
  arrival->number = ++server->n_connections;
  server->n_threads++;
  slow = server->slow;
  g_mutex_unlock (&server->lock);
  if (slow)
    g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUF, SLOW_BUFFER, NULL);
  g_thread_unref (g_thread_new ("emu-connection", serve_connection, arrival));
  join_finished (server);
}

/* Out of descriptors, or the client went: neither may make the loop spin. */
static void
pause_accepting (GCancellable *stop)
{
  GPollFD fd;

  if (g_cancellable_make_pollfd (stop, &fd))
    {
      g_poll (&fd, 1, 5);
      g_cancellable_release_fd (stop);
    }
}

static gpointer
accept_connections (gpointer data)
{
  Listener *listener = data;
  g_autoptr (GSocket) listening = g_object_ref (listener->socket);
  g_autoptr (GCancellable) stop = g_object_ref (listener->stop);

  while (!g_cancellable_is_cancelled (stop))
    {
      g_autoptr (GError) error = NULL;
      GSocket *socket = g_socket_accept (listening, stop, &error);

      if (socket != NULL)
        accept_one (listener, socket);
      else
        pause_accepting (stop);
    }
  return NULL;
}

/* --- listeners ---------------------------------------------------------------------------------
 */

/* A socket bound to loopback; @port is updated. */
static GSocket *
bind_socket (guint16 *port, GError **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, *port);
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocket) socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  if (socket == NULL || !g_socket_bind (socket, address, TRUE, error))
    return NULL;
  local = g_socket_get_local_address (socket, error);
  if (local == NULL)
    return NULL;
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));
  return g_steal_pointer (&socket);
}

static gboolean
is_new_port (guint16 port)
{
  static gboolean used[G_MAXUINT16 + 1];
  static GMutex lock;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  gboolean result = !used[port];

  used[port] = TRUE;
  return result;
}

/* A socket at a port that no server of this process had. The system gives ports again, and clients
 * in this process remember what they learned of the folders there. */
static GSocket *
bind_new_port (guint16 *port, GError **error)
{
  g_autoptr (GPtrArray) passed = g_ptr_array_new_with_free_func (g_object_unref);

  while (passed->len < PORT_TRIES)
    {
      GSocket *socket;

      *port = 0;
      socket = bind_socket (port, error);
      if (socket == NULL || is_new_port (*port))
        return socket;
      g_ptr_array_add (passed, socket);
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE, "every free port was used before");
  return NULL;
}

static gboolean
listener_start (Listener *listener, GError **error)
{
  g_autoptr (GSocket) socket = listener->port == 0 ? bind_new_port (&listener->port, error)
                                                   : bind_socket (&listener->port, error);

  if (socket == NULL)
    return FALSE;
  if (listener->guard == NULL)
    {
      listener->guard = bind_socket (&listener->port, error);
      if (listener->guard == NULL)
        return FALSE;
    }
  g_socket_set_listen_backlog (socket, BACKLOG);
  if (!g_socket_listen (socket, error))
    return FALSE;
  listener->socket = g_steal_pointer (&socket);
  listener->stop = g_cancellable_new ();
  listener->thread = g_thread_new ("emu-listener", accept_connections, listener);
  return TRUE;
}

static void
listener_stop (Listener *listener)
{
  if (listener->socket == NULL)
    return;
  g_cancellable_cancel (listener->stop);
  g_thread_join (g_steal_pointer (&listener->thread));
  g_socket_close (listener->socket, NULL);
  g_clear_object (&listener->socket);
  g_clear_object (&listener->stop);
}

static void
listener_free (Listener *listener)
{
  listener_stop (listener);
  if (listener->guard != NULL)
    g_socket_close (listener->guard, NULL);
  g_clear_object (&listener->guard);
  g_free (listener);
}

guint16
emu_server_listen (EmuServer *server, guint16 port, gboolean tls, GError **error)
{
  Listener *listener = g_new0 (Listener, 1);

  listener->server = server;
  listener->port = port;
  listener->tls = tls;
  if (!listener_start (listener, error))
    {
      g_prefix_error (error, "Cannot listen on port %u: ", port);
      listener_free (listener);
      return 0;
    }
  g_ptr_array_add (server->listeners, listener);
  return listener->port;
}

/* --- the server --------------------------------------------------------------------------------
 */

EmuServer *
emu_server_new (GTlsCertificate *certificate, EmuServe serve, gpointer user_data)
{
  EmuServer *server = g_new0 (EmuServer, 1);

  server->certificate = g_object_ref (certificate);
  server->serve = serve;
  server->user_data = user_data;
  g_mutex_init (&server->lock);
  g_cond_init (&server->ended);
  server->listeners = g_ptr_array_new_with_free_func ((GDestroyNotify) listener_free);
  server->connections = g_hash_table_new (NULL, NULL);
  return server;
}

/* Kills connections until none is left: one may just be about to register. */
static void
kill_connections (EmuServer *server)
{
  g_mutex_lock (&server->lock);
  while (server->n_threads > 0)
    {
      gint64 soon = g_get_monotonic_time () + 10 * G_TIME_SPAN_MILLISECOND;
      GHashTableIter iter;
      gpointer connection;

      g_hash_table_iter_init (&iter, server->connections);
      while (g_hash_table_iter_next (&iter, &connection, NULL))
        emu_connection_kill (connection);
      g_cond_wait_until (&server->ended, &server->lock, soon);
    }
  g_mutex_unlock (&server->lock);
  join_finished (server);
}

void
emu_server_free (EmuServer *server)
{
  for (guint i = 0; i < server->listeners->len; i++)
    listener_stop (g_ptr_array_index (server->listeners, i));
  kill_connections (server);
  g_ptr_array_unref (server->listeners);
  g_hash_table_unref (server->connections);
  g_object_unref (server->certificate);
  g_mutex_clear (&server->lock);
  g_cond_clear (&server->ended);
  g_free (server);
}

gboolean
emu_server_set_down (EmuServer *server, gboolean down, GError **error)
{
  for (guint i = 0; i < server->listeners->len; i++)
    {
      Listener *listener = g_ptr_array_index (server->listeners, i);

      if (down)
        listener_stop (listener);
      else if (listener->socket == NULL && !listener_start (listener, error))
        return FALSE;
    }
  if (down)
    kill_connections (server);
  return TRUE;
}

void
emu_server_set_slow (EmuServer *server, gboolean slow)
{
  g_mutex_lock (&server->lock);
  server->slow = slow;
  g_mutex_unlock (&server->lock);
}

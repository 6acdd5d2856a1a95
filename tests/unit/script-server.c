/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "script-server.h"

#include "raw-server.h"

struct _ScriptServer
{
  /* immutable */
  const ScriptReply *replies;
  guint n;
  RawServer *server;
  char *base;

  /* with lock */
  GMutex lock;
  GPtrArray *heads;
  GPtrArray *bodies;
};

static void
serve (RawPeer *peer, gpointer user_data)
{
  ScriptServer *server = user_data;

  for (;;)
    {
      char *head = NULL;
      GBytes *body = NULL;
      const ScriptReply *reply;
      g_auto (GStrv) pieces = NULL;
      g_autofree char *text = NULL;

      if (!raw_peer_read_request (peer, &head, &body))
        return;
      g_mutex_lock (&server->lock);
      reply = &server->replies[MIN (server->heads->len, server->n - 1)];
      g_ptr_array_add (server->heads, head);
      g_ptr_array_add (server->bodies, body);
      g_mutex_unlock (&server->lock);

      pieces = g_strsplit (reply->body, "%s", -1);
      text = g_strjoinv (server->base, pieces);
      raw_peer_say (peer, "HTTP/1.1 %u X\r\n%sContent-Length: %zu\r\n\r\n%s", reply->status,
                    reply->headers != NULL ? reply->headers : "", strlen (text), text);
    }
}

ScriptServer *
script_server_new (const ScriptReply *replies, guint n)
{
  ScriptServer *server = g_new0 (ScriptServer, 1);

  server->replies = replies;
  server->n = n;
  g_mutex_init (&server->lock);
  server->heads = g_ptr_array_new_with_free_func (g_free);
  server->bodies = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  server->server = raw_server_new (serve, server, NULL);
  server->base = g_strdup_printf ("http://127.0.0.1:%u", raw_server_get_port (server->server));
  return server;
}

void
script_server_free (ScriptServer *server)
{
  raw_server_free (server->server);
  g_ptr_array_unref (server->heads);
  g_ptr_array_unref (server->bodies);
  g_mutex_clear (&server->lock);
  g_free (server->base);
  g_free (server);
}

const char *
script_server_get_base (ScriptServer *server)
{
  return server->base;
}

guint
script_server_get_requests (ScriptServer *server)
{
  guint n;

  g_mutex_lock (&server->lock);
  n = server->heads->len;
  g_mutex_unlock (&server->lock);
  return n;
}

static gpointer
element (ScriptServer *server, GPtrArray *array, guint i)
{
  gpointer found;

  g_mutex_lock (&server->lock);
  g_assert_cmpuint (i, <, array->len);
  found = g_ptr_array_index (array, i);
  g_mutex_unlock (&server->lock);
  return found;
}

const char *
script_server_get_head (ScriptServer *server, guint i)
{
  return element (server, server->heads, i);
}

GBytes *
script_server_get_body (ScriptServer *server, guint i)
{
  return element (server, server->bodies, i);
}

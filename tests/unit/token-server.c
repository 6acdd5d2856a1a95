/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-server.h"

#include <libsoup/soup.h>

struct _TokenServer
{
  /* immutable */
  TokenAnswer *answers;
  guint n_answers;
  char *url;
  GMainContext *context;
  GThread *thread;

  /* server's thread */
  GMainLoop *loop;
  SoupServer *soup;
  GPtrArray *held; /* SoupServerMessage */

  GMutex lock;
  GCond cond;
  /* with lock */
  GPtrArray *forms; /* GHashTable */
  gboolean released;
};

static void
answer (SoupServerMessage *message, const TokenAnswer *a, guint number)
{
  g_autofree char *body = NULL;
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  if (a->body != NULL || a->status != 0)
    body = g_strdup (a->body != NULL ? a->body : "");
  else
    body = g_strdup_printf ("{\"access_token\":\"access-%u\",\"expires_in\":%u,\"token_type\":"
                            "\"bearer\",\"refresh_token\":\"refresh-%u\"}",
                            number, a->expires_in != 0 ? a->expires_in : 3600, number);
  soup_server_message_set_status (message, a->status != 0 ? a->status : 200, NULL);
  if (a->retry_after != NULL)
    soup_message_headers_replace (headers, "Retry-After", a->retry_after);
  if (a->location != NULL)
    soup_message_headers_replace (headers, "Location", a->location);
  if (a->date != NULL)
    soup_message_headers_replace (headers, "Date", a->date);
  if (a->set_cookie != NULL)
    soup_message_headers_replace (headers, "Set-Cookie", a->set_cookie);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_COPY, body,
                                    strlen (body));
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer user_data)
{
  TokenServer *server = user_data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) bytes = soup_message_body_flatten (body);
  g_autofree char *form = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  const TokenAnswer *a;
  gboolean hold;
  guint number;

  g_assert_null (
      soup_message_headers_get_list (soup_server_message_get_request_headers (message), "Cookie"));
  g_mutex_lock (&server->lock);
  g_ptr_array_add (server->forms, soup_form_decode (form));
  number = server->forms->len;
  a = &server->answers[MIN (number, server->n_answers) - 1];
  hold = a->hold && !server->released;
  g_cond_broadcast (&server->cond);
  g_mutex_unlock (&server->lock);

  answer (message, a, number);
  if (hold)
    {
      soup_server_message_pause (message);
      g_ptr_array_add (server->held, g_object_ref (message));
    }
}

static gpointer
serve (gpointer user_data)
{
  TokenServer *server = user_data;

  g_main_context_push_thread_default (server->context);
  g_main_loop_run (server->loop);
  g_main_context_pop_thread_default (server->context);
  return NULL;
}

TokenServer *
token_server_new (const TokenAnswer *answers, guint n_answers)
{
  TokenServer *server = g_new0 (TokenServer, 1);
  g_autoptr (GError) error = NULL;
  GSList *uris;

  server->answers = g_memdup2 (answers, n_answers * sizeof *answers);
  server->n_answers = n_answers;
  server->forms = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  server->held = g_ptr_array_new_with_free_func (g_object_unref);
  g_mutex_init (&server->lock);
  g_cond_init (&server->cond);

  server->context = g_main_context_new ();
  server->loop = g_main_loop_new (server->context, FALSE);
  g_main_context_push_thread_default (server->context);
  server->soup = soup_server_new (NULL, NULL);
  soup_server_add_handler (server->soup, "/oauth2/token", on_request, server, NULL);
  soup_server_listen_local (server->soup, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  g_assert_no_error (error);
  g_main_context_pop_thread_default (server->context);

  uris = soup_server_get_uris (server->soup);
  server->url = g_strdup_printf ("http://127.0.0.1:%d/oauth2/token", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  server->thread = g_thread_new ("token-server", serve, server);
  return server;
}

static gboolean
quit (gpointer user_data)
{
  TokenServer *server = user_data;

  g_ptr_array_set_size (server->held, 0);
  soup_server_disconnect (server->soup);
  g_clear_object (&server->soup);
  g_main_loop_quit (server->loop);
  return G_SOURCE_REMOVE;
}

void
token_server_free (TokenServer *server)
{
  g_main_context_invoke (server->context, quit, server);
  g_thread_join (server->thread);
  /* Connections that libsoup still had to close. */
  while (g_main_context_iteration (server->context, FALSE))
    ;
  g_ptr_array_unref (server->held);
  g_ptr_array_unref (server->forms);
  g_main_loop_unref (server->loop);
  g_main_context_unref (server->context);
  g_mutex_clear (&server->lock);
  g_cond_clear (&server->cond);
  g_free (server->answers);
  g_free (server->url);
  g_free (server);
}

const char *
token_server_get_url (TokenServer *server)
{
  return server->url;
}

guint
token_server_count (TokenServer *server)
{
  guint n;

  g_mutex_lock (&server->lock);
  n = server->forms->len;
  g_mutex_unlock (&server->lock);
  return n;
}

void
token_server_wait (TokenServer *server, guint n)
{
  g_mutex_lock (&server->lock);
  while (server->forms->len < n)
    g_cond_wait (&server->cond, &server->lock);
  g_mutex_unlock (&server->lock);
}

char *
token_server_get_field (TokenServer *server, guint number, const char *name)
{
  char *value;

  g_mutex_lock (&server->lock);
  g_assert_cmpuint (number, <=, server->forms->len);
  value = g_strdup (g_hash_table_lookup (server->forms->pdata[number - 1], name));
  g_mutex_unlock (&server->lock);
  return value;
}

static gboolean
let_go (gpointer user_data)
{
  TokenServer *server = user_data;

  for (guint i = 0; i < server->held->len; i++)
    soup_server_message_unpause (server->held->pdata[i]);
  g_ptr_array_set_size (server->held, 0);
  return G_SOURCE_REMOVE;
}

void
token_server_release (TokenServer *server)
{
  g_mutex_lock (&server->lock);
  server->released = TRUE;
  g_mutex_unlock (&server->lock);
  g_main_context_invoke (server->context, let_go, server);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/secret.h"
#include "status/status.h"
#include "status-resources.h"

#include <libsoup/soup.h>
#include <string.h>

/* Open streams of events; more are refused. */
#define MAX_STREAMS 32

/* Between two events, and how long one that is the same is left out. Seconds. */
#define EVENT_INTERVAL 1
#define KEEP_ALIVE     15

/* Everything that the page needs comes from here. */
#define PAGE_POLICY                                                                                \
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "   \
  "data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct _BoxStatusServer
{
  BoxStatusView *view;
  char *token;
  char *url;
  gboolean loopback;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;

  /* the server's thread */
  SoupServer *server;
  GPtrArray *streams; /* SoupServerMessage: those of /api/events */
  guint quiet;        /* seconds since something was sent to them */
  guint sent;         /* version of the view that they were sent */
};

/* What is to be done about @status: browsers and proxies show it. */
static const char *
explain (guint status)
{
  switch (status)
    {
    case SOUP_STATUS_FORBIDDEN:
      return "This address answers to 127.0.0.1 and localhost only. A web server in front of it "
             "has to send that name as Host, and to ask its own visitors for a password.\n";
    case SOUP_STATUS_UNAUTHORIZED:
      return "The token of --http-token-file is needed: as a bearer token, or as the password of "
             "any user name.\n";
    case SOUP_STATUS_METHOD_NOT_ALLOWED:
      return "Nothing can be changed here: only GET and HEAD are answered.\n";
    case SOUP_STATUS_SERVICE_UNAVAILABLE:
      return "Too many pages are open: /api/status has the same.\n";
    default:
      return "There are /, /api/status, /api/events and /metrics.\n";
    }
}

static void
refuse (SoupServerMessage *message, guint status)
{
  const char *text = explain (status);

  soup_message_headers_replace (soup_server_message_get_response_headers (message),
                                "X-Content-Type-Options", "nosniff");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, "text/plain; charset=utf-8", SOUP_MEMORY_STATIC, text,
                                    strlen (text));
}

/* Refuses what may not be asked; TRUE: it may. */
static gboolean
admit (BoxStatusServer *server, SoupServerMessage *message)
{
  SoupMessageHeaders *reply = soup_server_message_get_response_headers (message);
  guint status =
      box_status_admit (soup_server_message_get_request_headers (message),
                        soup_server_message_get_method (message), server->loopback, server->token);

  if (status == SOUP_STATUS_OK)
    return TRUE;
  if (status == SOUP_STATUS_UNAUTHORIZED)
    soup_message_headers_replace (reply, "WWW-Authenticate", "Basic realm=\"boxupload\"");
  if (status == SOUP_STATUS_METHOD_NOT_ALLOWED)
    soup_message_headers_replace (reply, "Allow", "GET, HEAD");
  refuse (message, status);
  return FALSE;
}

/* --- What is answered ------------------------------------------------------------------------- */

static void
answer (SoupServerMessage *message, const char *type, char *text)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Content-Security-Policy", PAGE_POLICY);
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (headers, "Referrer-Policy", "no-referrer");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_TAKE, text, strlen (text));
}

static char *
format_status (BoxStatusServer *server)
{
  g_autoptr (JsonNode) node = box_status_view_to_json (server->view);

  return json_to_string (node, FALSE);
}

static void
answer_resource (SoupServerMessage *message, const char *name, const char *type)
{
  g_autofree char *path = g_strconcat ("/boxupload/status/", name, NULL);
  g_autoptr (GBytes) bytes =
      g_resource_lookup_data (box_status_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  answer (message, type, g_strndup (data, size));
}

/* --- Events ----------------------------------------------------------------------------------- */

static void
send_to (SoupServerMessage *message, const char *text)
{
  soup_message_body_append (soup_server_message_get_response_body (message), SOUP_MEMORY_COPY, text,
                            strlen (text));
  soup_server_message_unpause (message);
}

static void
on_stream_finished (SoupServerMessage *message, gpointer user_data)
{
  BoxStatusServer *server = user_data;

  g_ptr_array_remove_fast (server->streams, message);
}

static void
open_stream (BoxStatusServer *server, SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autofree char *json = NULL, *event = NULL;

  if (server->streams->len == MAX_STREAMS)
    {
      refuse (message, SOUP_STATUS_SERVICE_UNAVAILABLE);
      return;
    }
  json = format_status (server);
  event = g_strdup_printf ("retry: 2000\ndata: %s\n\n", json);
  soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  soup_message_headers_replace (headers, "Content-Type", "text/event-stream");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  /* nginx would keep events until its buffer is full. */
  soup_message_headers_replace (headers, "X-Accel-Buffering", "no");
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
  g_ptr_array_add (server->streams, message);
  g_signal_connect (message, "finished", G_CALLBACK (on_stream_finished), server);
  send_to (message, event);
}

static gboolean
on_tick (gpointer user_data)
{
  BoxStatusServer *server = user_data;
  g_autofree char *json = NULL, *event = NULL;
  guint version;

  if (server->streams->len == 0)
    return G_SOURCE_CONTINUE;
  version = box_status_view_get_version (server->view);
  server->quiet += EVENT_INTERVAL;
  if (version != server->sent)
    {
      json = format_status (server);
      event = g_strdup_printf ("data: %s\n\n", json);
    }
  else if (server->quiet >= KEEP_ALIVE)
    event = g_strdup ("event: alive\ndata:\n\n");
  if (event == NULL)
    return G_SOURCE_CONTINUE;
  server->quiet = 0;
  server->sent = version;
  for (guint i = 0; i < server->streams->len; i++)
    send_to (server->streams->pdata[i], event);
  return G_SOURCE_CONTINUE;
}

/* --- The server ------------------------------------------------------------------------------- */

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer user_data)
{
  BoxStatusServer *server = user_data;

  if (!admit (server, message))
    return;
  if (g_str_equal (path, "/"))
    answer_resource (message, "page.html", "text/html; charset=utf-8");
  else if (g_str_equal (path, "/page.css"))
    answer_resource (message, "page.css", "text/css; charset=utf-8");
  else if (g_str_equal (path, "/page.js"))
    answer_resource (message, "page.js", "text/javascript; charset=utf-8");
  else if (g_str_equal (path, "/api/status"))
    answer (message, "application/json", format_status (server));
  else if (g_str_equal (path, "/api/events"))
    open_stream (server, message);
  else if (g_str_equal (path, "/metrics"))
    answer (message, "text/plain; version=0.0.4; charset=utf-8",
            box_status_metrics_format (server->view));
  else
    refuse (message, SOUP_STATUS_NOT_FOUND);
}

static gpointer
serve (gpointer data)
{
  BoxStatusServer *server = data;
  g_autoptr (GSource) timer = g_timeout_source_new_seconds (EVENT_INTERVAL);

  g_main_context_push_thread_default (server->context);
  g_source_set_callback (timer, on_tick, server, NULL);
  g_source_attach (timer, server->context);
  g_main_loop_run (server->loop);
  g_source_destroy (timer);
  soup_server_disconnect (server->server);
  g_main_context_pop_thread_default (server->context);
  return NULL;
}

/* @text is ADDRESS:PORT; NULL with @error set if it is not. */
static GSocketAddress *
parse_address (const char *text, GError **error)
{
  const char *colon = strrchr (text, ':');
  g_autofree char *host =
      colon == NULL ? g_strdup ("127.0.0.1") : g_strndup (text, (gsize) (colon - text));
  const char *digits = colon == NULL ? text : colon + 1;
  gsize length = strlen (host);
  GSocketAddress *address = NULL;
  guint64 port;

  if (length > 2 && host[0] == '[' && host[length - 1] == ']')
    {
      host[length - 1] = '\0';
      memmove (host, host + 1, length - 1);
    }
  if (g_str_equal (host, "localhost"))
    {
      g_free (host);
      host = g_strdup ("127.0.0.1");
    }
  if (g_ascii_string_to_unsigned (digits, 10, 0, G_MAXUINT16, &port, NULL))
    address = g_inet_socket_address_new_from_string (host, (guint) port);
  if (address == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                 "\"%s\" is not ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080", text);
  return address;
}

static gboolean
listen_at (BoxStatusServer *server, GSocketAddress *address, const char *text, GError **error)
{
  g_autoptr (GError) reason = NULL;
  GSList *uris;

  g_main_context_push_thread_default (server->context);
  server->server = soup_server_new ("server-header", "boxupload ", NULL);
  soup_server_add_handler (server->server, NULL, on_request, server, NULL);
  soup_server_listen (server->server, address, (SoupServerListenOptions) 0, &reason);
  g_main_context_pop_thread_default (server->context);
  if (reason != NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "cannot listen at %s: %s", text,
                   reason->message);
      return FALSE;
    }
  uris = soup_server_get_uris (server->server);
  server->url = uris != NULL ? g_uri_to_string (uris->data) : g_strdup (text);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return TRUE;
}

BoxStatusServer *
box_status_server_new (BoxStatusView *view, const char *text, const char *token, GError **error)
{
  g_autoptr (BoxStatusServer) server = g_new0 (BoxStatusServer, 1);
  g_autoptr (GSocketAddress) address = parse_address (text, error);

  if (address == NULL)
    return NULL;
  server->loopback = g_inet_address_get_is_loopback (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
  if (!server->loopback && token == NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "%s can be reached from other machines: give --http-token-file FILE, or listen "
                   "at 127.0.0.1",
                   text);
      return NULL;
    }
  server->view = box_status_view_ref (view);
  server->token = g_strdup (token);
  server->streams = g_ptr_array_new ();
  server->context = g_main_context_new ();
  server->loop = g_main_loop_new (server->context, FALSE);
  if (!listen_at (server, address, text, error))
    return NULL;
  server->thread = g_thread_try_new ("box-status", serve, server, error);
  return server->thread != NULL ? g_steal_pointer (&server) : NULL;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
box_status_server_free (BoxStatusServer *server)
{
  if (server->thread != NULL)
    {
      /* In its thread: a loop that has not begun to run would miss it. */
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_callback (source, quit, server->loop, NULL);
      g_source_attach (source, server->context);
      g_thread_join (server->thread);
    }
  g_clear_object (&server->server);
  g_clear_pointer (&server->streams, g_ptr_array_unref);
  g_clear_pointer (&server->loop, g_main_loop_unref);
  g_clear_pointer (&server->context, g_main_context_unref);
  g_clear_pointer (&server->view, box_status_view_unref);
  g_clear_pointer (&server->token, box_secret_free);
  g_free (server->url);
  g_free (server);
}

const char *
box_status_server_get_url (BoxStatusServer *server)
{
  return server->url;
}

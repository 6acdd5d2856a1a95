/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/proxy.h"

#include "base/error.h"
#include "http/trust.h"

#include <string.h>

/* Longer heads are no HTTP; longer bodies are not worth reading to keep a connection. Bytes. */
#define MAX_HEAD 16384
#define MAX_BODY 65536

void
box_proxy_answer_clear (BoxProxyAnswer *answer)
{
  g_clear_pointer (&answer->headers, soup_message_headers_unref);
}

void
box_proxy_link_clear (BoxProxyLink *self)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->problems, g_free);
}

static gboolean
fail (BoxProxyLink *self, const GError *reason, GError **error)
{
  /* The caller distinguishes both. */
  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    g_propagate_error (error, g_error_copy (reason));
  else
    g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "the proxy %s failed: %s",
                 g_uri_get_host (self->way->uri), reason->message);
  return FALSE;
}

/* ---- the connection to the proxy ---- */

static gboolean
on_accept_certificate (GTlsConnection *tls, GTlsCertificate *certificate,
                       GTlsCertificateFlags problems, gpointer user_data)
{
  BoxProxyLink *self = user_data;

  g_free (self->problems);
  self->problems = box_trust_describe (problems, certificate);
  return FALSE;
}

static gboolean
start_tls (BoxProxyLink *self, GError **error)
{
  g_autoptr (GSocketConnectable) identity =
      g_network_address_new (g_uri_get_host (self->way->uri), 443);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GIOStream) tls =
      g_tls_client_connection_new (G_IO_STREAM (self->connection), identity, &reason);

  if (tls == NULL)
    return fail (self, reason, error);
  if (self->way->trust != NULL)
    g_tls_connection_set_database (G_TLS_CONNECTION (tls), self->way->trust);
  g_signal_connect (tls, "accept-certificate", G_CALLBACK (on_accept_certificate), self);
  if (!g_tls_connection_handshake (G_TLS_CONNECTION (tls), self->cancellable, &reason))
    {
      if (self->problems == NULL)
        fail (self, reason, error);
      else
        g_set_error (error, BOX_ERROR, BOX_ERROR_TRUST,
                     "the certificate of the proxy %s is not trusted: %s",
                     g_uri_get_host (self->way->uri), self->problems);
      g_signal_handlers_disconnect_by_data (tls, self);
      return FALSE;
    }
  g_signal_handlers_disconnect_by_data (tls, self);
  if (!box_trust_is_modern (G_TLS_CONNECTION (tls)))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_TRUST,
                   "the proxy %s speaks no TLS later than 1.1, which is not safe",
                   g_uri_get_host (self->way->uri));
      return FALSE;
    }
  g_set_object (&self->stream, tls);
  return TRUE;
}

/* Takes @connection. */
static gboolean
use_connection (BoxProxyLink *self, GSocketConnection *connection, GError **error)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->connection);
  self->connection = connection;
  self->reused = FALSE;
  if (g_str_equal (g_uri_get_scheme (self->way->uri), "https"))
    return start_tls (self, error);
  self->stream = G_IO_STREAM (g_object_ref (connection));
  return TRUE;
}

gboolean
box_proxy_link_reconnect (BoxProxyLink *self, GError **error)
{
  GInetSocketAddress *proxy = G_INET_SOCKET_ADDRESS (self->address);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (
      g_inet_socket_address_get_address (proxy), g_inet_socket_address_get_port (proxy));
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) reason = NULL;
  GSocketConnection *connection;

  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, self->timeout);
  connection =
      g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), self->cancellable, &reason);
  if (connection == NULL)
    return fail (self, reason, error);
  return use_connection (self, connection, error);
}

static gboolean
send_question (BoxProxyLink *self, const char *target, const char *authorization, GError **error)
{
  g_autofree char *text = g_strdup_printf (
      "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: boxuploadsink/" BOX_VERSION "\r\n%s%s%s\r\n",
      target, target, authorization != NULL ? "Proxy-Authorization: " : "",
      authorization != NULL ? authorization : "", authorization != NULL ? "\r\n" : "");

  return g_output_stream_write_all (g_io_stream_get_output_stream (self->stream), text,
                                    strlen (text), NULL, self->cancellable, error);
}

/* Reads up to the empty line and not a byte more: what follows belongs to the tunnel. FALSE without
 * @error set: the proxy has closed without a word. */
static gboolean
read_head (BoxProxyLink *self, GString *head, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (self->stream);

  while (head->len < MAX_HEAD)
    {
      char byte;
      gssize n = g_input_stream_read (input, &byte, 1, self->cancellable, error);

      if (n < 0)
        return FALSE;
      if (n == 0)
        break;
      g_string_append_c (head, byte);
      if (g_str_has_suffix (head->str, "\n\r\n") || g_str_has_suffix (head->str, "\n\n"))
        return TRUE;
    }
  if (head->len > 0)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         head->len < MAX_HEAD ? "it closed the connection in its answer"
                                              : "its answer is not HTTP");
  return FALSE;
}

static gboolean
header_says (SoupMessageHeaders *headers, const char *name, const char *token)
{
  return soup_message_headers_header_contains (headers, name, token);
}

static gboolean
keeps_connection (SoupMessageHeaders *headers, SoupHTTPVersion version)
{
  if (header_says (headers, "Connection", "close")
      || header_says (headers, "Proxy-Connection", "close"))
    return FALSE;
  return version == SOUP_HTTP_1_1 || header_says (headers, "Connection", "keep-alive")
         || header_says (headers, "Proxy-Connection", "keep-alive");
}

/* Reads the body of a refusal, so that the connection can be used again. FALSE: it cannot. */
static gboolean
skip_body (BoxProxyLink *self, SoupMessageHeaders *headers)
{
  g_autofree char *body = NULL;
  goffset length;
  gsize n = 0;

  if (soup_message_headers_get_encoding (headers) != SOUP_ENCODING_CONTENT_LENGTH)
    return FALSE;
  length = soup_message_headers_get_content_length (headers);
  if (length < 0 || length > MAX_BODY)
    return FALSE;
  body = g_malloc ((gsize) length + 1);
  return g_input_stream_read_all (g_io_stream_get_input_stream (self->stream), body, (gsize) length,
                                  &n, self->cancellable, NULL)
         && n == (gsize) length;
}

/* FALSE without @error set: the proxy has closed without a word. */
static gboolean
read_answer (BoxProxyLink *self, BoxProxyAnswer *answer, GError **error)
{
  do
    {
      g_autoptr (GString) head = g_string_new (NULL);
      SoupHTTPVersion version;

      if (!read_head (self, head, error))
        return FALSE;
      g_clear_pointer (&answer->headers, soup_message_headers_unref);
      answer->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
      g_string_truncate (head, head->len - (head->str[head->len - 2] == '\r' ? 2 : 1));
      if (!soup_headers_parse_response (head->str, (int) head->len, answer->headers, &version,
                                        &answer->status, NULL))
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                               "its answer is not HTTP");
          return FALSE;
        }
      answer->keeps = keeps_connection (answer->headers, version);
    }
  while (answer->status < 200);
  self->reused = TRUE;
  if (answer->status >= 300 && answer->keeps)
    answer->keeps = skip_body (self, answer->headers);
  return TRUE;
}

gboolean
box_proxy_link_ask (BoxProxyLink *self, const char *target, const char *authorization,
                    BoxProxyAnswer *answer, GError **error)
{
  g_autoptr (GError) reason = NULL;

  self->was_reused = self->reused;
  if (send_question (self, target, authorization, &reason) && read_answer (self, answer, &reason))
    return TRUE;
  if (reason == NULL)
    g_set_error_literal (&reason, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                         "it closed the connection");
  return fail (self, reason, error);
}

gboolean
box_proxy_link_was_stale (BoxProxyLink *self, const GError *reason)
{
  return self->was_reused && reason->domain == BOX_ERROR;
}

gboolean
box_proxy_link_init (BoxProxyLink *self, const BoxProxyWay *way, GSocketConnection *connection,
                     GProxyAddress *address, GCancellable *cancellable, GError **error)
{
  *self = (BoxProxyLink){
    .way = way,
    .address = address,
    .cancellable = cancellable,
    .timeout = g_socket_get_timeout (g_socket_connection_get_socket (connection)),
  };
  return use_connection (self, g_object_ref (connection), error);
}

/* GSocketClient must know the socket below TLS. */
GIOStream *
box_proxy_link_take_stream (BoxProxyLink *self)
{
  GSocketConnection *connection;

  if (self->stream == G_IO_STREAM (self->connection))
    return g_steal_pointer (&self->stream);
  connection = g_tcp_wrapper_connection_new (self->stream,
                                             g_socket_connection_get_socket (self->connection));
  return G_IO_STREAM (connection);
}

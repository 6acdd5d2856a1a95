/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exchange.h"

#include "base/error.h"
#include "http/proxy.h"
#include "http/trust.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define READ_SIZE 16384

/* Bytes in the kernel that have not left; fewer, and the sender is woken for every packet; more,
 * and it does not know how far it is. */
#define NOTSENT (128 << 10)

/* For one request: addresses that take a connection and drop it, and kept connections that were
 * closed. */
#define MAX_CONNECTIONS 4

typedef struct
{
  /* immutable */
  const BoxExchangeSettings *settings;
  const BoxRequest *request;
  GCancellable *user;  /* nullable; the caller's */
  GCancellable *inner; /* follows it; libsoup cancels this one when it gives up connecting */
  gulong follow_id;
  SoupMessage *message;

  /* the sending thread */
  BoxFailure facts;    /* for the words of the error */
  BoxEarlyReply watch; /* its cancellable is @inner */
  BoxWatchdog dog;     /* so is its */
  guint connections;   /* made for this request */
  BoxBodyStream *body; /* owned; NULL without a body */
  gboolean has_turn;   /* to make a TLS connection */
} Exchange;

/* ---- the connection ---- */

static const char *
host_of (Exchange *self)
{
  return g_uri_get_host (soup_message_get_uri (self->message));
}

static gboolean
is_closed (gpointer id, gpointer stream, gpointer user_data)
{
  return g_io_stream_is_closed (stream);
}

/* While glib-networking 2.74 makes a TLS connection it reads the system's authorities, and drops
 * them when libsoup gives it ours: 4 MB that would stay with the arena of the thread, and some ten
 * milliseconds. One connection at a time does it, so that the workers of a process do not do it all
 * at once, just when the first parts have filled the memory. Held from the event that comes before
 * to the next one, which comes after; nothing between the two waits for the network. */
static GMutex turn_lock;
static GCond turn_is_free;
static gboolean turn_taken;     /* turn_lock */
static gint64 trim_rests_until; /* whose turn it is */

static void
wake_for_cancellable (GCancellable *cancellable, gpointer user_data)
{
  g_mutex_lock (&turn_lock);
  g_cond_broadcast (&turn_is_free);
  g_mutex_unlock (&turn_lock);
}

/* Waiting for it is no silence of the peer. Without a turn if the request is cancelled meanwhile:
 * nothing more comes of it. */
static void
take_turn (Exchange *self)
{
  gulong id = g_cancellable_connect (self->inner, G_CALLBACK (wake_for_cancellable), NULL, NULL);

  box_watchdog_enter (&self->dog, BOX_PHASE_CONNECTING);
  g_mutex_lock (&turn_lock);
  while (turn_taken && !g_cancellable_is_cancelled (self->inner))
    g_cond_wait (&turn_is_free, &turn_lock);
  if (!turn_taken)
    turn_taken = self->has_turn = TRUE;
  g_mutex_unlock (&turn_lock);
  g_cancellable_disconnect (self->inner, id);
  box_watchdog_enter (&self->dog, BOX_PHASE_TALKING);
}

/* Gives what was freed back to the system. In a large process that takes long, while nobody can
 * connect or allocate: at most a quarter of the time. */
static void
trim_memory (void)
{
#ifdef __GLIBC__
  gint64 begin = g_get_monotonic_time ();
  gint64 end;

  if (begin < trim_rests_until)
    return;
  malloc_trim (0);
  end = g_get_monotonic_time ();
  trim_rests_until = end + 3 * (end - begin);
#endif
}

static void
give_turn_back (Exchange *self)
{
  if (!self->has_turn)
    return;
  trim_memory ();
  self->has_turn = FALSE;
  g_mutex_lock (&turn_lock);
  turn_taken = FALSE;
  g_cond_signal (&turn_is_free);
  g_mutex_unlock (&turn_lock);
}

/* The kernel's buffer holds little that has not left, so that "sent" means sent. Timeouts are the
 * watchdog's: GIO's count what the kernel took as progress, and the rest of it as silence. */
static void
tune_socket (GSocket *socket)
{
#ifdef TCP_NOTSENT_LOWAT
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT, NULL);
#endif
  g_socket_set_timeout (socket, 0);
}

static void
watch_stream (Exchange *self, GIOStream *stream)
{
  GSocket *socket = stream != NULL ? box_early_reply_find_socket (stream) : NULL;

  if (socket != NULL)
    tune_socket (socket);
  box_watchdog_set_socket (&self->dog, socket);
}

/* A host or proxy that accepts connections and drops them is not asked forever. */
static void
count_connection (Exchange *self)
{
  if (++self->connections <= MAX_CONNECTIONS)
    return;
  box_early_reply_fail (&self->watch, g_error_new (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                                                   "%u connections were lost", MAX_CONNECTIONS));
  g_cancellable_cancel (self->inner);
}

/* GIO has no setting for the oldest version of TLS that is spoken. Nothing of the request has left
 * yet, and nothing will. */
static void
refuse_old_tls (Exchange *self, GIOStream *stream)
{
  GSocket *socket = box_early_reply_find_socket (stream);

  if (!G_IS_TLS_CONNECTION (stream) || box_trust_is_modern (G_TLS_CONNECTION (stream)))
    return;
  box_early_reply_fail (
      &self->watch,
      g_error_new (BOX_ERROR, BOX_ERROR_TRUST,
                   "%s speaks no TLS later than 1.1, which is not safe; it has to be updated",
                   host_of (self)));
  if (socket != NULL)
    g_socket_shutdown (socket, TRUE, TRUE, NULL);
  g_cancellable_cancel (self->inner);
}

static void
on_network_event (SoupMessage *message, GSocketClientEvent event, GIOStream *stream,
                  gpointer user_data)
{
  Exchange *self = user_data;

  give_turn_back (self);
  switch (event)
    {
    case G_SOCKET_CLIENT_RESOLVED:
    case G_SOCKET_CLIENT_CONNECTING:
      self->facts.stage = BOX_STAGE_CONNECTING;
      break;
    case G_SOCKET_CLIENT_CONNECTED:
      count_connection (self);
      watch_stream (self, stream);
      take_turn (self);
      break;
    case G_SOCKET_CLIENT_PROXY_NEGOTIATING:
      self->facts.stage = BOX_STAGE_TUNNELLING;
      break;
    case G_SOCKET_CLIENT_PROXY_NEGOTIATED:
      box_proxy_note_socks (TRUE);
      watch_stream (self, stream);
      take_turn (self);
      break;
    case G_SOCKET_CLIENT_TLS_HANDSHAKING:
      {
#if !SOUP_CHECK_VERSION(3, 4, 0)
        static const char *const protocols[] = { "http/1.1", NULL };

        g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (stream), protocols);
#endif
        watch_stream (self, stream);
        self->facts.stage = BOX_STAGE_HANDSHAKING;
        break;
      }
    case G_SOCKET_CLIENT_TLS_HANDSHAKED:
      refuse_old_tls (self, stream);
      break;
    case G_SOCKET_CLIENT_COMPLETE:
      g_hash_table_foreach_remove (self->settings->streams, is_closed, NULL);
      g_hash_table_insert (self->settings->streams,
                           GUINT_TO_POINTER (soup_message_get_connection_id (message)),
                           g_object_ref (stream));
      break;
    default:
      break;
    }
}

static gboolean
on_accept_certificate (SoupMessage *message, GTlsCertificate *certificate,
                       GTlsCertificateFlags problems, gpointer user_data)
{
  Exchange *self = user_data;

  self->facts.certificate_problems = problems;
  g_free (self->facts.certificate_words);
  self->facts.certificate_words = box_trust_describe (problems, certificate);
  return FALSE;
}

static void
on_starting (SoupMessage *message, gpointer user_data)
{
  Exchange *self = user_data;
  guint64 id = soup_message_get_connection_id (message);
  GIOStream *stream = g_hash_table_lookup (self->settings->streams, GUINT_TO_POINTER (id));

  self->facts.started = TRUE;
  self->facts.stage = BOX_STAGE_SENDING;
  box_early_reply_set_stream (&self->watch, stream);
  box_watchdog_enter (&self->dog, BOX_PHASE_SENDING);
  watch_stream (self, stream);
}

static void
on_wrote_body (SoupMessage *message, gpointer user_data)
{
  Exchange *self = user_data;

  const BoxBody *body = self->request->body;

  self->facts.stage = BOX_STAGE_WAITING;
  box_watchdog_written (&self->dog);
  if (self->body != NULL && body->sent != NULL
      && box_body_stream_get_position (self->body) == body->size)
    body->sent (body->user_data);
}

/* libsoup reads the body of this one itself, without a limit. It is not wanted: the status says it
 * all. */
static void
on_got_headers (SoupMessage *message, gpointer user_data)
{
  Exchange *self = user_data;
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);

  if (soup_message_get_status (message) != SOUP_STATUS_MISDIRECTED_REQUEST)
    return;
  self->watch.reply = box_reply_new (SOUP_STATUS_MISDIRECTED_REQUEST,
                                     soup_message_get_response_headers (message), nothing);
  g_cancellable_cancel (self->inner);
}

/* Emitted before the connection is given up. */
static void
on_finished (SoupMessage *message, gpointer user_data)
{
  Exchange *self = user_data;

  if (soup_message_get_status (message) == SOUP_STATUS_NONE)
    box_early_reply_cut (&self->watch);
}

/* ---- the message ---- */

static void
set_body (Exchange *self)
{
  const BoxRequest *request = self->request;

  if (request->body == NULL || request->body->size == 0)
    return;
  self->body = box_body_stream_new (request->body, &self->watch);
  soup_message_set_request_body (self->message, request->content_type, G_INPUT_STREAM (self->body),
                                 request->body->source != NULL ? -1 : (gssize) request->body->size);
}

/* libsoup found a kept-alive connection closed and sends the request again on another one. That is
 * allowed only if the body had not left whole: otherwise the server may have acted on it, and the
 * caller has to look first. A body with a source cannot be sent twice. */
static void
on_restarted (SoupMessage *message, gpointer user_data)
{
  Exchange *self = user_data;
  const BoxBody *body = self->request->body;

  box_early_reply_set_stream (&self->watch, NULL);
  box_watchdog_set_socket (&self->dog, NULL);
  box_watchdog_enter (&self->dog, BOX_PHASE_CONNECTING);
  if (self->body != NULL
      && (body->source != NULL || box_body_stream_get_position (self->body) == body->size))
    {
      box_early_reply_fail (&self->watch,
                            g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                                                 "the connection was lost"));
      g_cancellable_cancel (self->inner);
      return;
    }
  self->facts.stage = BOX_STAGE_RESOLVING;
  if (self->body == NULL)
    return;
  if (body->progress != NULL)
    body->progress (body->user_data, 0);
  box_body_stream_detach (self->body);
  g_clear_object (&self->body);
  set_body (self);
}

static SoupMessage *
new_message (const BoxRequest *request, GError **error)
{
  g_autoptr (SoupMessage) message = soup_message_new (request->method, request->url);
  SoupMessageHeaders *headers;

  if (message == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "the request's address is not a valid URL");
      return NULL;
    }
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  /* A 401 is the caller's to answer, and a proxy's 407 the tunnel's. The session keeps the feature:
   * without it libsoup reads the body of either itself. */
  soup_message_disable_feature (message, SOUP_TYPE_AUTH_MANAGER);
#if SOUP_CHECK_VERSION(3, 4, 0)
  soup_message_set_force_http1 (message, TRUE);
#endif
  headers = soup_message_get_request_headers (message);
  for (const char *const *h = request->headers; h != NULL && h[0] != NULL; h += 2)
    {
      /* A line break would begin another header. */
      if (strpbrk (h[1], "\r\n") != NULL)
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "the value for the request's %s has a line break in it", h[0]);
          return NULL;
        }
      soup_message_headers_replace (headers, h[0], h[1]);
    }
  return g_steal_pointer (&message);
}

static void
on_user_cancelled (GCancellable *user, GCancellable *inner)
{
  g_cancellable_cancel (inner);
}

static gboolean
exchange_begin (Exchange *self, GError **error)
{
  const BoxBody *body = self->request->body;

  self->message = new_message (self->request, error);
  if (self->message == NULL)
    return FALSE;
  self->inner = g_cancellable_new ();
  box_early_reply_init (&self->watch, self->inner, &self->dog);
  if (!box_watchdog_begin (&self->dog, self->inner, self->settings->timeout,
                           body != NULL ? body->size : 0, body != NULL ? body->slack : 0, error))
    return FALSE;
  if (self->user != NULL)
    self->follow_id =
        g_cancellable_connect (self->user, G_CALLBACK (on_user_cancelled), self->inner, NULL);
  g_signal_connect (self->message, "network-event", G_CALLBACK (on_network_event), self);
  g_signal_connect (self->message, "accept-certificate", G_CALLBACK (on_accept_certificate), self);
  g_signal_connect (self->message, "starting", G_CALLBACK (on_starting), self);
  g_signal_connect (self->message, "wrote-body", G_CALLBACK (on_wrote_body), self);
  g_signal_connect (self->message, "got-headers", G_CALLBACK (on_got_headers), self);
  g_signal_connect (self->message, "restarted", G_CALLBACK (on_restarted), self);
  g_signal_connect (self->message, "finished", G_CALLBACK (on_finished), self);
  set_body (self);
  return TRUE;
}

static void
exchange_end (Exchange *self)
{
  box_watchdog_end (&self->dog);
  if (self->user != NULL)
    g_cancellable_disconnect (self->user, self->follow_id);
  if (self->body != NULL)
    box_body_stream_detach (self->body);
  g_clear_object (&self->body);
  if (self->message != NULL)
    g_signal_handlers_disconnect_by_data (self->message, self);
  g_clear_object (&self->message);
  if (self->inner != NULL)
    box_early_reply_clear (&self->watch);
  g_clear_object (&self->inner);
  g_free (self->facts.certificate_words);
}

/* ---- the reply ---- */

/* If the server says that it closes the connection, libsoup takes an early end for the end. */
static gboolean
is_short (SoupMessage *message, gsize length)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  guint status = soup_message_get_status (message);

  return status != SOUP_STATUS_NO_CONTENT && status != SOUP_STATUS_NOT_MODIFIED
         && soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH
         && (goffset) length < soup_message_headers_get_content_length (headers);
}

static GError *
new_long_reply (Exchange *self)
{
  BoxErrorDetails details = { .retry_after = -1, .unsure = TRUE };

  return box_error_new_with_details (BOX_ERROR_TRANSIENT, &details,
                                     "%s sent a reply longer than %u bytes", host_of (self),
                                     BOX_TRANSPORT_MAX_REPLY);
}

/* The whole body; of a refusal, as much as arrived. */
static GBytes *
read_body (Exchange *self, GInputStream *stream, GError **error)
{
  /* Growing would leave copies of a short reply behind, which may be a token. */
  g_autoptr (GByteArray) body = g_byte_array_sized_new (READ_SIZE);
  g_autoptr (GError) reason = NULL;
  guint8 buffer[READ_SIZE];
  gssize n;

  self->facts.stage = BOX_STAGE_READING;
  while ((n = g_input_stream_read (stream, buffer, sizeof buffer, self->inner, &reason)) > 0)
    {
      if (body->len + (gsize) n > BOX_TRANSPORT_MAX_REPLY)
        {
          reason = new_long_reply (self);
          break;
        }
      g_byte_array_append (body, buffer, (guint) n);
    }
  explicit_bzero (buffer, sizeof buffer);
  if (n == 0 && is_short (self->message, body->len))
    g_set_error_literal (&reason, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "the reply was cut short");
  if (reason == NULL)
    return g_byte_array_free_to_bytes (g_steal_pointer (&body));

  box_early_reply_cut (&self->watch);
  if (soup_message_get_status (self->message) >= 300 && !g_cancellable_is_cancelled (self->inner))
    return g_byte_array_free_to_bytes (g_steal_pointer (&body));
  g_propagate_error (error, g_steal_pointer (&reason));
  return NULL;
}

static BoxReply *
read_reply (Exchange *self, GInputStream *stream, GError **error)
{
  g_autoptr (GBytes) body = NULL;

  body = read_body (self, stream, error);
  if (body == NULL)
    return NULL;
  return box_reply_new (soup_message_get_status (self->message),
                        soup_message_get_response_headers (self->message), body);
}

/* ---- the error ---- */

static GError *
describe_failure (Exchange *self, const GError *reason)
{
  BoxErrorDetails details = { .retry_after = -1, .unsure = self->facts.started };
  BoxPatience patience;
  BoxPatienceVerdict verdict = box_watchdog_get_verdict (&self->dog, &patience);

  if (self->user != NULL && g_cancellable_is_cancelled (self->user))
    return box_error_new_with_details (BOX_ERROR_CANCELLED, &details, "cancelled");
  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED))
    box_proxy_note_socks (FALSE);
  self->facts.uri = soup_message_get_uri (self->message);
  if (verdict != BOX_PATIENCE_HELD)
    return box_failure_describe_verdict (&self->facts, verdict, &patience);
  return box_failure_describe (&self->facts, reason);
}

BoxReply *
box_exchange_run (const BoxExchangeSettings *settings, const BoxRequest *request,
                  GCancellable *cancellable, GError **error)
{
  Exchange self = {
    .settings = settings,
    .request = request,
    .user = cancellable,
    .facts = { .timeout = settings->timeout },
  };
  g_autoptr (GInputStream) stream = NULL;
  g_autoptr (GError) reason = NULL;
  BoxReply *reply = NULL;

  if (exchange_begin (&self, error))
    {
      stream = soup_session_send (settings->session, self.message, self.inner, &reason);
      give_turn_back (&self);
      if (self.watch.reply != NULL)
        reply = g_steal_pointer (&self.watch.reply);
      else if (stream != NULL && self.watch.failure == NULL)
        reply = read_reply (&self, stream, &reason);
      if (reply == NULL)
        g_propagate_error (
            error,
            describe_failure (&self, self.watch.failure != NULL ? self.watch.failure : reason));
      g_clear_object (&stream);
    }
  exchange_end (&self);
  return reply;
}

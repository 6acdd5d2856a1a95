/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/proxy.h"

#include "base/error.h"
#include "base/process.h"
#include "http/message.h"

#include <libsoup/soup.h>
#include <string.h>

/* ---- one tunnel ---- */

typedef struct
{
  char *target; /* HOST:PORT; immutable */

  BoxProxyLink link;
  BoxChallenge challenge; /* the last */
  guint offers;           /* of the password */
} Tunnel;

static void
tunnel_clear (Tunnel *self)
{
  box_proxy_link_clear (&self->link);
  box_challenge_clear (&self->challenge);
  g_free (self->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tunnel, tunnel_clear)

static const char *
host_of (Tunnel *self)
{
  return g_uri_get_host (self->link.way->uri);
}

static const char *
user_of (Tunnel *self)
{
  return g_uri_get_user (self->link.way->uri);
}

/* ---- question and answer ---- */

/* NULL: the password is not offered now. */
static char *
next_authorization (Tunnel *self)
{
  g_autofree char *cnonce = NULL;
  const char *password = g_uri_get_password (self->link.way->uri);

  if (user_of (self) == NULL || self->challenge.kind == BOX_CHALLENGE_NONE
      || self->challenge.kind == BOX_CHALLENGE_UNSUPPORTED)
    return NULL;
  self->offers++;
  cnonce = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
  return box_challenge_answer (&self->challenge, user_of (self), password != NULL ? password : "",
                               "CONNECT", self->target, cnonce);
}

/* One question and its answer; a kept connection that was closed meanwhile is replaced once. */
static gboolean
ask (Tunnel *self, BoxProxyAnswer *answer, GError **error)
{
  for (;;)
    {
      g_autofree char *authorization = next_authorization (self);
      g_autoptr (GError) reason = NULL;

      if (box_proxy_link_ask (&self->link, self->target, authorization, answer, &reason))
        return TRUE;
      if (!box_proxy_link_was_stale (&self->link, reason) || self->offers >= BOX_PROXY_MAX_OFFERS)
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          return FALSE;
        }
      if (!box_proxy_link_reconnect (&self->link, error))
        return FALSE;
    }
}

/* ---- refusals ---- */

static gboolean
wants_password (guint status)
{
  /* 401 is wrong, and said by some that want the password at once. */
  return status == 407 || status == 401;
}

static void
refuse_password (Tunnel *self, const BoxErrorDetails *details, GError **error)
{
  GError *refusal;

  if (self->challenge.kind == BOX_CHALLENGE_UNSUPPORTED)
    refusal = box_error_new_with_details (
        BOX_ERROR_SETTINGS, details,
        "the proxy %s asks for %s, which is not supported; supported are Basic and Digest, with a "
        "user and password in the proxy's URI. A local proxy that speaks it (such as cntlm or px) "
        "can be put between",
        host_of (self), self->challenge.schemes);
  else if (user_of (self) == NULL)
    refusal = box_error_new_with_details (
        BOX_ERROR_SETTINGS, details,
        "the proxy %s refused the connection (%u): it wants a user and password, which go into the "
        "proxy's URI (http://USER:PASSWORD@%s:%d)",
        host_of (self), details->http_status, host_of (self),
        MAX (g_uri_get_port (self->link.way->uri), 80));
  else
    refusal = box_error_new_with_details (
        BOX_ERROR_SETTINGS, details,
        "the proxy %s refused the user and password in its URI; correct them", host_of (self));
  g_propagate_error (error, refusal);
}

static gboolean
refuse (Tunnel *self, BoxProxyAnswer *answer, GError **error)
{
  const char *retry_after = soup_message_headers_get_one (answer->headers, "Retry-After");
  BoxErrorDetails details = {
    .http_status = answer->status,
    .retry_after = retry_after != NULL ? box_reply_parse_retry_after (retry_after, NULL) : -1,
  };

  if (wants_password (answer->status))
    {
      if (self->offers > 0)
        box_proxy_memory_refused (self->link.way->uri);
      refuse_password (self, &details, error);
    }
  else if (answer->status >= 500 || answer->status == 408 || answer->status == 429)
    g_propagate_error (error,
                       box_error_new_with_details (BOX_ERROR_TRANSIENT, &details,
                                                   "the proxy %s refused the connection to %s (%u)",
                                                   host_of (self), self->target, answer->status));
  else
    g_propagate_error (error,
                       box_error_new_with_details (
                           BOX_ERROR_SETTINGS, &details,
                           "the proxy %s refused the connection to %s (%u): its administrator has "
                           "to allow CONNECT to it",
                           host_of (self), self->target, answer->status));
  return FALSE;
}

/* Reads what a proxy that wants a password would take. */
static void
take_challenge (Tunnel *self, BoxProxyAnswer *answer)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter, answer->headers);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    if (g_ascii_strcasecmp (name, "Proxy-Authenticate") == 0)
      g_ptr_array_add (values, (gpointer) value);
  g_ptr_array_add (values, NULL);
  box_challenge_clear (&self->challenge);
  box_challenge_init (&self->challenge, (const char *const *) values->pdata);
  if (self->challenge.kind == BOX_CHALLENGE_NONE)
    self->challenge.kind = BOX_CHALLENGE_BASIC;
}

/* Whether the refusal just read may be answered with the password: not the same one again that was
 * refused. */
static gboolean
may_answer (Tunnel *self, BoxChallengeKind offered)
{
  if (user_of (self) == NULL || self->challenge.kind == BOX_CHALLENGE_UNSUPPORTED
      || self->offers >= BOX_PROXY_MAX_OFFERS)
    return FALSE;
  return self->offers == 0 || self->challenge.kind != offered || self->challenge.stale;
}

/* ---- the whole ---- */

static gboolean
negotiate (Tunnel *self, GError **error)
{
  for (;;)
    {
      g_auto (BoxProxyAnswer) answer = { 0 };
      BoxChallengeKind offered;

      if (!ask (self, &answer, error))
        return FALSE;
      offered = self->offers > 0 ? self->challenge.kind : BOX_CHALLENGE_NONE;
      if (!wants_password (answer.status) && user_of (self) != NULL)
        box_proxy_memory_accepted (self->link.way->uri, offered == BOX_CHALLENGE_BASIC);
      if (answer.status < 300)
        return TRUE;
      if (!wants_password (answer.status))
        return refuse (self, &answer, error);
      take_challenge (self, &answer);
      if (!may_answer (self, offered))
        return refuse (self, &answer, error);
      if (!answer.keeps && !box_proxy_link_reconnect (&self->link, error))
        return FALSE;
    }
}

/* Whether the password may be offered at all, by what is known of the proxy. */
static gboolean
begin (Tunnel *self, GError **error)
{
  if (user_of (self) != NULL && box_proxy_memory_wants_basic (self->link.way->uri))
    self->challenge.kind = BOX_CHALLENGE_BASIC;
  return box_proxy_memory_check (self->link.way->uri, error);
}

static char *
name_target (GProxyAddress *address)
{
  const char *host = g_proxy_address_get_destination_hostname (address);
  guint16 port = g_proxy_address_get_destination_port (address);

  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

static GIOStream *
box_tunnel_connect (GProxy *proxy, GIOStream *stream, GProxyAddress *address,
                    GCancellable *cancellable, GError **error)
{
  const BoxProxyWay *way = box_proxy_find (g_proxy_address_get_uri (address));
  g_auto (Tunnel) tunnel = { .target = name_target (address), .link = { .way = way } };

  if (way == NULL || !G_IS_SOCKET_CONNECTION (stream))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "the proxy is not known");
      return NULL;
    }
  if (!begin (&tunnel, error)
      || !box_proxy_link_init (&tunnel.link, way, G_SOCKET_CONNECTION (stream), address,
                               cancellable, error)
      || !negotiate (&tunnel, error))
    return NULL;
  return box_proxy_link_take_stream (&tunnel.link);
}

/* ---- the type ---- */

/* Only the synchronous call is used. */
static void
box_tunnel_connect_async (GProxy *proxy, GIOStream *stream, GProxyAddress *address,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_task_report_new_error (proxy, callback, user_data, NULL, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "not supported");
}

static GIOStream *
box_tunnel_connect_finish (GProxy *proxy, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* The proxy looks the host up. */
static gboolean
box_tunnel_supports_hostname (GProxy *proxy)
{
  return TRUE;
}

typedef struct
{
  GObject parent;
} BoxTunnel;

typedef struct
{
  GObjectClass parent_class;
} BoxTunnelClass;

static GType box_tunnel_get_type (void);
static GType box_tunnel_tls_get_type (void);
static void box_tunnel_proxy_init (GProxyInterface *interface);

BOX_DEFINE_TYPE (BoxTunnel, box_tunnel, G_TYPE_OBJECT,
                 G_IMPLEMENT_INTERFACE (G_TYPE_PROXY, box_tunnel_proxy_init))

static void
box_tunnel_proxy_init (GProxyInterface *interface)
{
  interface->connect = box_tunnel_connect;
  interface->connect_async = box_tunnel_connect_async;
  interface->connect_finish = box_tunnel_connect_finish;
  interface->supports_hostname = box_tunnel_supports_hostname;
}

static void
box_tunnel_class_init (BoxTunnelClass *klass)
{
}

static void
box_tunnel_init (BoxTunnel *self)
{
}

/* The same by another name: GIO knows an extension by its type. */
typedef BoxTunnel BoxTunnelTls;
typedef BoxTunnelClass BoxTunnelTlsClass;

BOX_DEFINE_TYPE (BoxTunnelTls, box_tunnel_tls, box_tunnel_get_type (), {})

static void
box_tunnel_tls_class_init (BoxTunnelTlsClass *klass)
{
}

static void
box_tunnel_tls_init (BoxTunnelTls *self)
{
}

void
box_tunnel_register (void)
{
  static gsize once;

  if (!g_once_init_enter (&once))
    return;
  /* Makes GIO's own proxies known, and with them the extension point. */
  g_object_unref (g_proxy_get_default_for_protocol ("http"));
  g_io_extension_point_implement (G_PROXY_EXTENSION_POINT_NAME, box_tunnel_get_type (),
                                  BOX_PROXY_HTTP, 0);
  g_io_extension_point_implement (G_PROXY_EXTENSION_POINT_NAME, box_tunnel_tls_get_type (),
                                  BOX_PROXY_HTTPS, 0);
  g_once_init_leave (&once, 1);
}

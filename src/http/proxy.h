/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxProxy: a GProxyResolver that sends clear text to loopback addresses directly, whatever proxy
 * is set: http is allowed there only because nobody else can read it, and a proxy could. Everything
 * else goes as another resolver says; HTTP proxies are given the protocol of http/tunnel.h, and
 * their user and password are kept back for it.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BOX_TYPE_PROXY (box_proxy_get_type ())
G_DECLARE_FINAL_TYPE (BoxProxy, box_proxy, BOX, PROXY, GObject)

/* The protocols of http/tunnel.h: an HTTP proxy, and one that is reached over TLS. */
#define BOX_PROXY_HTTP  "box-http"
#define BOX_PROXY_HTTPS "box-https"

/* @proxy: (nullable): URI of the proxy for the rest; NULL: as the environment says. @trust:
 * (nullable): for proxies that are reached over TLS. */
GProxyResolver *box_proxy_new (const char *proxy, GTlsDatabase *trust);

/* A proxy URI, parsed; NULL: it is none. Free with g_uri_unref(). */
GUri *box_proxy_parse (const char *proxy);

/* One way that a resolver has named. */
typedef struct
{
  GUri *uri;           /* of the proxy, with its user and password */
  GTlsDatabase *trust; /* nullable */
} BoxProxyWay;

/* The way that the last lookup in this thread has named @uri, or NULL. GSocketClient asks its
 * resolver and its proxy in one thread. Valid until the next lookup in this thread. */
const BoxProxyWay *box_proxy_find (const char *uri);

G_END_DECLS

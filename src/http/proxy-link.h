/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxProxyLink: a connection to an HTTP proxy, in the clear or over TLS, on which CONNECT is asked
 * for until the proxy lets through. Belongs to one thread, whose calls block. Its errors are
 * BOX_ERROR, or G_IO_ERROR's CANCELLED and TIMED_OUT.
 */
#pragma once

#include <libsoup/soup.h>

#include "http/proxy.h"

G_BEGIN_DECLS

typedef struct
{
  /* immutable, borrowed */
  const BoxProxyWay *way;
  GProxyAddress *address;
  GCancellable *cancellable;
  guint timeout; /* seconds, of the socket */

  GSocketConnection *connection; /* to the proxy */
  GIOStream *stream;             /* the same, or TLS over it */
  gboolean reused;               /* an answer has come on it */
  gboolean was_reused;           /* when the last question was asked */
  char *problems;                /* of the proxy's certificate, in words; else NULL */
} BoxProxyLink;

typedef struct
{
  guint status;
  SoupMessageHeaders *headers; /* owned */
  gboolean keeps;              /* the connection can be used for another question */
} BoxProxyAnswer;

void box_proxy_answer_clear (BoxProxyAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoxProxyAnswer, box_proxy_answer_clear)

/* @connection: to @address. Sets TLS up if the proxy is reached over it. */
gboolean
box_proxy_link_init (BoxProxyLink *self, const BoxProxyWay *way, GSocketConnection *connection,
                     GProxyAddress *address, GCancellable *cancellable, GError **error);
void box_proxy_link_clear (BoxProxyLink *self);

/* Goes on with another connection to the same address. */
gboolean box_proxy_link_reconnect (BoxProxyLink *self, GError **error);

/* Asks for a tunnel to @target (HOST:PORT) and reads the answer, with the body of a refusal. Not a
 * byte more is read: what follows belongs to the tunnel. @authorization: (nullable): value of
 * Proxy-Authorization. */
gboolean box_proxy_link_ask (BoxProxyLink *self, const char *target, const char *authorization,
                             BoxProxyAnswer *answer, GError **error);

/* Whether the last question failed (@reason) because the proxy had closed a kept connection. */
gboolean box_proxy_link_was_stale (BoxProxyLink *self, const GError *reason);

/* The stream to use from here on. */
GIOStream *box_proxy_link_take_stream (BoxProxyLink *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTunnel: the GProxy that GSocketClient uses for BOX_PROXY_HTTP and BOX_PROXY_HTTPS. It asks an
 * HTTP proxy for a tunnel (CONNECT) in the calling thread and answers its wish for a user and
 * password, instead of libsoup: libsoup 3.2 offers a refused password without end, leaves the body
 * of a 407 in the connection, and would answer a 407 that comes through the tunnel.
 * How often a password is offered: http/proxy-memory.h.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Makes the protocols known to GIO. To be called before the first lookup. */
void box_tunnel_register (void);

G_END_DECLS

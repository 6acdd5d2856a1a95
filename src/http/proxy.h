/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxProxy: a GProxyResolver that sends clear text to loopback addresses directly, whatever proxy
 * is set: http is allowed there only because nobody else can read it, and a proxy could. Everything
 * else goes as another resolver says.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BOX_TYPE_PROXY (box_proxy_get_type ())
G_DECLARE_FINAL_TYPE (BoxProxy, box_proxy, BOX, PROXY, GObject)

/* @proxy: (nullable): URI of the proxy for the rest; NULL: as the environment says. */
GProxyResolver *box_proxy_new (const char *proxy);

G_END_DECLS

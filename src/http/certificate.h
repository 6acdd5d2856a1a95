/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxCertificate: what is asked of a server's certificate beside a trusted signature, which
 * glib-networking does not ask: that its purpose is a server's, and that no key of its chain is
 * weak. Pure.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether the certificate's extended key usage allows it to say who a server is. */
gboolean box_certificate_is_for_servers (GTlsCertificate *certificate);

/* Whether every key of @chain is strong enough: RSA from 2048 bits, elliptic curves from 224. */
gboolean box_certificate_is_strong (GTlsCertificate *chain);

G_END_DECLS

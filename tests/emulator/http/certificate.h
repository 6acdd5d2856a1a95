/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The emulator's own certificate authority, and a certificate for this machine and for Box's host
 * names.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Makes DIR/ca.pem, DIR/server.pem and DIR/server-key.pem, unless they are there. */
GTlsCertificate *emu_certificate_make (const char *dir, GError **error);

/* Whether the certificate is for @host, a name or address. */
gboolean emu_certificate_covers (const char *host);

G_END_DECLS

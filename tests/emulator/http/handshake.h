/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections of TLS whose handshakes do not wait for each other.
 *
 * glib-networking does every synchronous handshake in a thread of the pool that all GTasks of a
 * process share. The pool has ten threads. GLib adds to them while all are taken, but forgets to
 * when one was given back meanwhile. Then ten handshakes that rest keep all others waiting: those
 * of other clients of the emulator, and those of the clients in the same process that the resting
 * ones wait for. A program with the emulator in it has a thread for each such task instead.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* As g_tls_server_connection_new(), which reads the system's authorities for every connection,
 * though nobody asks clients for a certificate. Here the connection trusts no client. */
GIOStream *emu_tls_server_new (GIOStream *stream, GTlsCertificate *certificate);

/* As g_tls_connection_handshake(). */
gboolean emu_handshake (GTlsConnection *connection, GCancellable *cancellable);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RawServer: a server on a loopback port that says exactly what a test wants said, byte by byte,
 * when it wants it: what no HTTP server can be brought to do. Each connection is served in a thread
 * of its own by the test's function; freeing the server ends whatever its functions wait for.
 */
#pragma once

#include <gio/gio.h>

typedef struct _RawServer RawServer;
typedef struct _RawPeer RawPeer;

/* Serves one connection, which is closed when it returns. */
typedef void (*RawServe) (RawPeer *peer, gpointer user_data);

/* @certificate: (nullable): speak TLS with it. */
RawServer *raw_server_new (RawServe serve, gpointer user_data, GTlsCertificate *certificate);
void raw_server_free (RawServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawServer, raw_server_free)

guint16 raw_server_get_port (RawServer *server);

/* "http://127.0.0.1:PORT/PATH", or https; free with g_free(). */
char *raw_server_get_url (RawServer *server, const char *path);

/* Bytes that the kernel takes in for a connection before they are read; for those that come. */
void raw_server_set_receive_buffer (RawServer *server, int size);

/* Connections accepted so far. */
guint raw_server_get_connections (RawServer *server);

/* Blocks until a peer has called raw_peer_signal() @n times in all. */
void raw_server_wait_signals (RawServer *server, guint n);
void raw_peer_signal (RawPeer *peer);

/* From 0, in the order of acceptance. */
guint raw_peer_get_index (RawPeer *peer);

/* The negotiated ALPN protocol, or NULL. */
const char *raw_peer_get_protocol (RawPeer *peer);

/* Reads a request's head. NULL if the client is gone. Free with g_free(). */
char *raw_peer_read_head (RawPeer *peer);

/* Reads @n bytes and returns how many came before the end. */
gsize raw_peer_read (RawPeer *peer, gsize n);

/* The bytes that have come, at least one; NULL if the client is gone. */
GBytes *raw_peer_read_some (RawPeer *peer);

/* Reads head and body (by its Content-Length), FALSE if the client is gone. @head, @body: (out)
 * (nullable). */
gboolean raw_peer_read_request (RawPeer *peer, char **head, GBytes **body);

void raw_peer_say (RawPeer *peer, const char *format, ...) G_GNUC_PRINTF (2, 3);

void raw_peer_say_bytes (RawPeer *peer, gconstpointer bytes, gsize length);

/* Says @body with a 200 and its Content-Length. */
void raw_peer_reply (RawPeer *peer, const char *body);

/* Waits, reading nothing, until the client or the server goes. */
void raw_peer_linger (RawPeer *peer);

/* Ends the connection with a TCP reset, whatever is under way. */
void raw_peer_reset (RawPeer *peer);

/* The connection itself, to do other things with. */
GIOStream *raw_peer_get_stream (RawPeer *peer);

/* Begins TLS in the middle of a connection, as after a proxy's CONNECT. */
void raw_peer_start_tls (RawPeer *peer, GTlsCertificate *certificate);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuConnection: one client's connection, with or without TLS, for blocking use by one thread. It
 * reads request heads and bodies (Content-Length, chunked, Expect: 100-continue), writes bytes, and
 * can end in all the ways in which networks end connections. Other threads may only call
 * emu_connection_kill().
 *
 * SoupServer has no say over unread bodies, resets and half-written replies, and runs all
 * connections of a server in one thread; libsoup's header parser is used, its server is not.
 */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _EmuConnection EmuConnection;

/* How the body of the request now being read is framed, and what is left of it. */
typedef enum
{
  EMU_BODY_NONE,
  EMU_BODY_LENGTH,
  EMU_BODY_CHUNKED,
} EmuBodyFraming;

typedef enum
{
  EMU_HEAD_OK,
  EMU_HEAD_END, /* the client closed between requests */
  EMU_HEAD_BAD, /* not HTTP, or larger than a head may be */
} EmuHead;

typedef enum
{
  EMU_WAIT_TIMEOUT,
  EMU_WAIT_RELEASED,
  EMU_WAIT_LOST, /* the client has gone, or emu_connection_kill() was called */
} EmuWait;

/* @tls: TLS from the first byte; else the client may ask for it (emu_connection_upgrade()). */
EmuConnection *emu_connection_new (GSocketConnection *socket, GTlsCertificate *certificate,
                                   gboolean tls, guint number);
void emu_connection_free (EmuConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuConnection, emu_connection_free)

guint emu_connection_get_number (EmuConnection *connection);
gboolean emu_connection_is_tls (EmuConnection *connection);

/* From any thread: ends the connection with a reset, whatever it is doing. */
void emu_connection_kill (EmuConnection *connection);

gboolean emu_connection_handshake (EmuConnection *connection);

/* From here on TLS, as after an HTTP CONNECT. */
gboolean emu_connection_upgrade (EmuConnection *connection);

/* Reads a request's head; @method and @path (with query) are to be freed. */
EmuHead emu_connection_read_head (EmuConnection *connection, SoupMessageHeaders *headers,
                                  char **method, char **path, SoupHTTPVersion *version);

/* Up to @size bytes of the body. 0: it has ended; -1: the connection was lost or the framing is
 * broken. */
gssize emu_connection_read_body (EmuConnection *connection, gpointer data, gsize size);
gboolean emu_connection_body_ended (EmuConnection *connection);

gboolean emu_connection_write (EmuConnection *connection, gconstpointer data, gsize size);

/* Waits (@timeout_us < 0: forever) for @released (nullable) to be cancelled, or the client to go.
 */
EmuWait emu_connection_wait (EmuConnection *connection, GCancellable *released, gint64 timeout_us);

/* Whether the connection was killed or lost; nothing can be read or written any more. */
gboolean emu_connection_is_lost (EmuConnection *connection);

/* Ends it with a TCP reset; in the ordinary way; or, after a reply to a request that was not read,
 * by closing this side and reading on for a moment so that the client gets to see the reply. */
void emu_connection_reset (EmuConnection *connection);
void emu_connection_close (EmuConnection *connection);
void emu_connection_linger (EmuConnection *connection);

G_END_DECLS

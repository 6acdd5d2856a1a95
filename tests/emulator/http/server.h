/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuServer: the listeners, one thread each, and one thread for every connection, which calls back
 * to serve it. It can go down (reset what is open, refuse what comes) and come up again on the same
 * ports.
 */
#pragma once

#include "emulator/http/connection.h"

G_BEGIN_DECLS

typedef struct _EmuServer EmuServer;

/* Called in the connection's thread; the connection ends when it returns. */
typedef void (*EmuServe) (EmuConnection *connection, gpointer user_data);

EmuServer *emu_server_new (GTlsCertificate *certificate, EmuServe serve, gpointer user_data);

/* Ends all connections and waits for all threads. */
void emu_server_free (EmuServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuServer, emu_server_free)

/* Listens on loopback; @port 0: any. Returns the port, 0 with @error set. */
guint16 emu_server_listen (EmuServer *server, guint16 port, gboolean tls, GError **error);

gboolean emu_server_set_down (EmuServer *server, gboolean down, GError **error);

/* Small receive buffers from now on, so that a slow rate is felt by the client at once. */
void emu_server_set_slow (EmuServer *server, gboolean slow);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BenchConnection: one accepted connection of the benchmarks' server, plain or TLS. Bodies are
 * thrown away as cheaply as the kernel and GnuTLS allow, so that the server costs little of the
 * machine that it shares with the client being measured. One thread.
 */
#pragma once

#include <glib.h>
#include <gnutls/gnutls.h>

G_BEGIN_DECLS

typedef struct _BenchConnection BenchConnection;

/* How fast bodies are taken, by all connections together. */
typedef struct
{
  guint64 rate; /* bytes a second, 0: no limit; immutable */
  GMutex lock;
  gint64 next;   /* with lock: monotonic time at which the link is free again */
  guint64 total; /* with lock: bytes of bodies so far */
} BenchLink;

/* Takes @fd. @credentials: NULL for a plain connection. NULL if the handshake fails. */
BenchConnection *bench_connection_new (int fd, gnutls_certificate_credentials_t credentials,
                                       const char *priority, BenchLink *link);
void bench_connection_free (BenchConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchConnection, bench_connection_free)

/* Up to and including the empty line; NULL at the end of the connection. */
char *bench_connection_read_head (BenchConnection *connection);

/* The next @length bytes, NUL-terminated; NULL if they do not arrive. */
char *bench_connection_read_body (BenchConnection *connection, gsize length);

/* The next @length bytes come and go. */
gboolean bench_connection_discard (BenchConnection *connection, guint64 length);

gboolean bench_connection_write (BenchConnection *connection, const char *data, gsize length);

gboolean bench_connection_is_tls (const BenchConnection *connection);

G_END_DECLS

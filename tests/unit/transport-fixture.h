/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the tests of the transport: a RawServer, over HTTP or TLS, with a transport that
 * trusts it, and a body with contents that can be checked.
 */
#pragma once

#include "base/error.h"
#include "http/transport.h"
#include "kit/watchdog.h"

#include "raw-certificate.h"
#include "raw-server.h"

#include <string.h>

#define BODY_SIZE (8u << 20)

typedef struct
{
  gboolean tls;
} Mode;

extern const Mode fixture_plain, fixture_tls;

typedef struct
{
  RawServer *server;
  BoxTransportConfig *config;
  BoxTransport *transport;
  GCancellable *cancellable;
} Fixture;

/* Around the tests of a program: makes the certificate. The program's argument "http" or "tls"
 * leaves out the tests of the other; those that run over neither belong to HTTP. */
void fixture_init_program (int *argc, char ***argv);
int fixture_run_program (void);

/* The server's, and the file with the authority that signed it. Owned by the program. */
GTlsCertificate *fixture_get_certificate (void);
const char *fixture_get_ca_file (void);

/* Whether tests of this mode are run. */
gboolean fixture_takes (const Mode *mode);

/* Adds a test over HTTP and over TLS; the Mode is its data. */
void fixture_add_both (const char *name, GTestDataFunc function);

/* A timeout, seconds, in which a handshake with both ends in this process fits. */
#define FIXTURE_STALL (KIT_SANITIZED ? 10u : 3u)

/* One that no test reaches which does not wait for it. */
#define FIXTURE_TIMEOUT 60

/* @timeout: seconds. */
void
fixture_init (Fixture *fixture, const Mode *mode, RawServe serve, gpointer data, guint timeout);
void fixture_clear (Fixture *fixture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

/* Sends a request for "/path?query=1" with a token. @body: (nullable). */
BoxReply *fixture_send (Fixture *fixture, const char *method, const BoxBody *body, GError **error);

void fixture_assert_body (const BoxReply *reply, const char *text);

/* A body whose byte at i is i mod 251, and the progress reported of it. */
typedef struct
{
  BoxBody body;
  gint64 sent;
  guint64 fail_at; /* reading beyond this fails with BOX_ERROR_STORAGE */
} Pattern;

void pattern_init (Pattern *pattern, guint64 size);
void pattern_assert (GBytes *bytes, gsize size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTransport: sends one HTTP request and returns its reply, with libsoup's synchronous calls. One
 * per thread, used by that thread only: it keeps a SoupSession (and its idle connections) for each
 * BoxTransportConfig it has served. Knows nothing of Box's API, of retrying or of credentials.
 * HTTP/1.1 only; redirects are never followed.
 */
#pragma once

#include <gio/gio.h>

#include "http/message.h"

G_BEGIN_DECLS

/* Immutable, reference-counted, shared by threads. */
typedef struct _BoxTransportConfig BoxTransportConfig;

/**
 * box_transport_config_new:
 * @ca_file: (nullable): PEM file of trust anchors, in addition to the system's.
 * @proxy: (nullable): proxy URI; NULL: as the environment says.
 * @timeout: seconds without progress after which a connection has failed; 0: 60.
 *
 * The file is read here, and parsed by the first request: BOX_ERROR_SETTINGS names it if it cannot
 * be used. If an equal configuration exists, the result is a reference to it.
 */
BoxTransportConfig *
box_transport_config_new (const char *ca_file, const char *proxy, guint timeout, GError **error);
BoxTransportConfig *box_transport_config_ref (BoxTransportConfig *config);
void box_transport_config_unref (BoxTransportConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTransportConfig, box_transport_config_unref)

/* Seconds. */
guint box_transport_config_get_timeout (const BoxTransportConfig *config);

typedef struct _BoxTransport BoxTransport;

BoxTransport *box_transport_new (void);
void box_transport_free (BoxTransport *transport);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTransport, box_transport_free)

/**
 * box_transport_send:
 *
 * Sends @request and waits for the whole reply. A reply that arrives before the body was sent ends
 * the sending and is returned, even if the server then closes the connection. Errors
 * (BOX_ERROR): TRANSIENT (no connection, lost, no progress for the config's timeout, a reply that
 * is not HTTP or too long; "unsure" if any part of the request was sent), TRUST (certificate),
 * CANCELLED, or an error of @request's body.
 */
BoxReply *box_transport_send (BoxTransport *transport, BoxTransportConfig *config,
                              const BoxRequest *request, GCancellable *cancellable, GError **error);

G_END_DECLS

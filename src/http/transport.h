/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTransport: sends one HTTP request and returns its reply, with libsoup's synchronous calls. One
 * per thread, used by that thread only: it keeps a SoupSession (and its idle connections) for each
 * BoxTransportConfig it has served. Knows nothing of Box's API, of retrying or of credentials.
 * HTTP/1.1 only; redirects are never followed.
 */
#pragma once

#include <gio/gio.h>

#include "http/pace.h"

G_BEGIN_DECLS

/* A reply body longer than this is an error (BOX_ERROR_PROTOCOL): a page of 1000 parts is about 200
 * kB. */
#define BOX_TRANSPORT_MAX_REPLY (4u << 20)

/* Immutable, reference-counted, shared by threads. */
typedef struct _BoxTransportConfig BoxTransportConfig;

/**
 * box_transport_config_new:
 * @ca_file: (nullable): PEM file of trust anchors, in addition to the system's.
 * @proxy: (nullable): proxy URI; NULL: as the environment says.
 * @timeout: seconds without progress after which a connection has failed; 0: 60.
 *
 * The files are read here: BOX_ERROR_SETTINGS names the one that cannot be used. Where there is one
 * already that says the same, the result is a reference to it.
 */
BoxTransportConfig *
box_transport_config_new (const char *ca_file, const char *proxy, guint timeout, GError **error);
BoxTransportConfig *box_transport_config_ref (BoxTransportConfig *config);
void box_transport_config_unref (BoxTransportConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTransportConfig, box_transport_config_unref)

/**
 * BoxBody:
 * @size: bytes.
 * @read: copies @length bytes at @offset of the body to @buffer. Called in the sending thread, from
 * the start again where a request is repeated. FALSE with @error set where they cannot be had.
 * @peek: (nullable): the bytes at @offset where they lie, instead of a copy: of @length (in:
 * wanted, out: at least 1, at most that) a run that stays there until the request is over.
 * @sent: (nullable): @n more bytes were handed to the network; a repeated request starts with @n ==
 * -(what was counted).
 * @pace: (nullable): limits the rate, shared with other bodies.
 *
 * The body of a request, read while it is sent.
 */
typedef struct
{
  guint64 size;
  gboolean (*read) (gpointer user_data, guint64 offset, guint8 *buffer, gsize length,
                    GError **error);
  const guint8 *(*peek) (gpointer user_data, guint64 offset, gsize *length);
  void (*sent) (gpointer user_data, gint64 n);
  gpointer user_data;
  BoxPace *pace;
} BoxBody;

/* A body of @bytes, which must outlive it. */
void box_body_init_bytes (BoxBody *body, GBytes *bytes);

/* headers: name, value, name, value, NULL; NULL for none. content_type and body: NULL for none. */
typedef struct
{
  const char *method;
  const char *url;
  const char *const *headers;
  const char *content_type;
  const BoxBody *body;
} BoxRequest;

/* A complete reply, whatever its status. */
typedef struct
{
  guint status;
  GBytes *body;           /* never NULL */
  gint retry_after;       /* seconds, from delta-seconds or a date; -1: none */
  char *request_id;       /* box-request-id, or NULL */
  char *www_authenticate; /* or NULL */
  char *etag;             /* or NULL */
  char *location;         /* where a redirect points, or NULL */
  GDateTime *date;        /* or NULL */
} BoxReply;

void box_reply_free (BoxReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxReply, box_reply_free)

typedef struct _BoxTransport BoxTransport;

BoxTransport *box_transport_new (void);
void box_transport_free (BoxTransport *transport);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTransport, box_transport_free)

/**
 * box_transport_send:
 *
 * Sends @request and waits for the whole reply. A reply that comes before the body has left ends
 * the sending and is returned, also where the server closes the connection then. Errors
 * (BOX_ERROR): TRANSIENT (no connection, lost, no progress for the config's timeout; "unsure" where
 * any of the request had left), TRUST (certificate), CANCELLED, PROTOCOL (reply too long or not
 * HTTP), or what @request's body answered to read.
 */
BoxReply *box_transport_send (BoxTransport *transport, BoxTransportConfig *config,
                              const BoxRequest *request, GCancellable *cancellable, GError **error);

G_END_DECLS

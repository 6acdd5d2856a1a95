/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxExchange: one request and its reply on a SoupSession, from the first byte to the error's
 * words. What libsoup's synchronous path lacks is here: it watches the connection for an early
 * reply while the body leaves, cuts a failed connection so that closing it cannot block, and knows
 * how far things had come when they failed.
 */
#pragma once

#include <libsoup/soup.h>

#include "http/message.h"

G_BEGIN_DECLS

typedef struct
{
  SoupSession *session;
  GHashTable *streams; /* connection id to its GIOStream, for connections that are kept alive */
  guint timeout;       /* seconds */
} BoxExchangeSettings;

/* Everything box_transport_send() promises. @streams is kept up to date. */
BoxReply *box_exchange_run (const BoxExchangeSettings *settings, const BoxRequest *request,
                            GCancellable *cancellable, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxStatusServer: shows a BoxStatusView over HTTP: a page for people ("/"), the same as JSON
 * ("/api/status"), live ("/api/events", server-sent events), and for Prometheus ("/metrics"). It
 * only reads. It has a thread of its own, so that no upload waits for a browser.
 *
 * Any web page in a browser on this machine can send requests to a loopback address. So a request
 * must name that address (or "localhost") as its host, which a foreign name that points here does
 * not. At any other address a token is needed.
 */
#pragma once

#include "status/view.h"

G_BEGIN_DECLS

typedef struct _BoxStatusServer BoxStatusServer;

/**
 * box_status_server_new:
 * @address: ADDRESS:PORT, "[::1]:8080", or PORT alone: of 127.0.0.1. Port 0: the system picks one.
 * @token: (nullable): needed for every request, as a bearer token or the password of HTTP's Basic.
 *
 * BOX_ERROR_SETTINGS: the address makes no sense, cannot be listened at, or is not a loopback one
 * and there is no token.
 */
BoxStatusServer *
box_status_server_new (BoxStatusView *view, const char *address, const char *token, GError **error);
void box_status_server_free (BoxStatusServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxStatusServer, box_status_server_free)

/* "http://127.0.0.1:8080/"; owned by @server. */
const char *box_status_server_get_url (BoxStatusServer *server);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which URLs a credential may be sent to: https (http to a loopback address only), and of the
 * endpoint that the user named: its host, or one under the same registrable domain, on the same
 * port.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether a request may go to this URL at all. BOX_ERROR_SETTINGS: it is not an http or https URL
 * with a host, or has a user, a query or a fragment. BOX_ERROR_TRUST: it is http to a host that
 * is not loopback. @what names it in the error. */
gboolean box_url_policy_check_endpoint (const char *url, const char *what, GError **error);

/* Whether @url may be sent the token meant for @endpoint; else BOX_ERROR_TRUST, which names the
 * host and never the rest. */
gboolean box_url_policy_check (const char *url, const char *endpoint, GError **error);

/* "https://host:port" of @url, without the scheme's default port; NULL if it is not a URL.
 */
char *box_url_policy_origin_of (const char *url);

/* Whether @host is 127.0.0.0/8, ::1 or localhost. */
gboolean box_url_policy_is_loopback (const char *host);

/* Whether the host of @url is one of these; FALSE if it is not a URL. */
gboolean box_url_policy_is_local (const char *url);

G_END_DECLS

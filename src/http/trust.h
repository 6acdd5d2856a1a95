/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is trusted: BoxTrust and BoxCertificate say whether a server is who it says it is, the policy
 * of URLs which server may be sent a credential.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * BoxTrust: a GTlsDatabase that trusts the certificates of two databases (a user's own authority
 * beside the system's), if BoxCertificate accepts them. Thread-safe, if the two databases are.
 */

#define BOX_TYPE_TRUST (box_trust_get_type ())
G_DECLARE_FINAL_TYPE (BoxTrust, box_trust, BOX, TRUST, GTlsDatabase)

/* Whether @pem, the content of @ca_file, may be one; BOX_ERROR_SETTINGS names the file. Cheap: TLS
 * is not loaded for it. */
gboolean box_trust_check_file (const char *ca_file, const char *pem, GError **error);

/* Trusts the certificates in the PEM file @ca_file (nullable), and what the system trusts.
 * BOX_ERROR_SETTINGS names the file. Also without a file it is better than the system's database
 * itself, which glib-networking would read once more for each connection. */
GTlsDatabase *box_trust_new (const char *ca_file, GError **error);

/* For a program, before its first connection: from the first BoxTrust on, all TLS connections of
 * the process begin with one as their database. glib-networking before 2.78.1 spares each the
 * reading of the system's authorities then: 13 ms, and 3.7 MB for that time. Not for a library:
 * other connections of its process would no longer have their OCSP answers checked. */
void box_trust_own_process (void);

/* Trusts what either of @own (nullable) and @system does; takes references. @system: NULL is the
 * system's, as soon as it can be read. */
GTlsDatabase *box_trust_new_of (GTlsDatabase *own, GTlsDatabase *system);

/* The problems of @certificate (nullable: not known), in words; free with g_free(). */
char *box_trust_describe (GTlsCertificateFlags flags, GTlsCertificate *certificate);

/* Whether @tls speaks TLS 1.2 or later. */
gboolean box_trust_is_modern (GTlsConnection *tls);

/*
 * BoxCertificate: checks of a server's certificate that glib-networking does not make: its purpose
 * must be a server's, and no key of its chain may be weak. Pure.
 */
/* Whether the certificate's extended key usage allows it to say who a server is. */
gboolean box_certificate_is_for_servers (GTlsCertificate *certificate);

/* Whether every key of @chain is strong enough: RSA from 2048 bits, elliptic curves from 224. */
gboolean box_certificate_is_strong (GTlsCertificate *chain);

/*
 * Which URLs a credential may be sent to: https (http to a loopback address only), and of the
 * endpoint that the user named: its host, or one under the same registrable domain, on the same
 * port.
 */

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

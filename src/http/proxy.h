/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxProxy: a GProxyResolver that sends clear text to loopback addresses directly, even if a proxy
 * is set. http is allowed there because nobody else can read it, but a proxy could. Another
 * resolver decides about all other addresses. HTTP proxies get the protocol of BoxTunnel, which
 * receives their user and password. BoxTunnel speaks to the proxy on a BoxProxyLink, answers a
 * BoxChallenge, and asks BoxProxyMemory first.
 */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define BOX_TYPE_PROXY (box_proxy_get_type ())
G_DECLARE_FINAL_TYPE (BoxProxy, box_proxy, BOX, PROXY, GObject)

/* The protocols of BoxTunnel: an HTTP proxy, and one that is reached over TLS. */
#define BOX_PROXY_HTTP  "box-http"
#define BOX_PROXY_HTTPS "box-https"

/* Makes the environment's resolver (libproxy, dconf), which libsoup does for a session as well. It
 * starts threads of its own, and ends the process if it cannot. BOX_ERROR_TRANSIENT: there are too
 * few. */
gboolean box_proxy_ensure_resolver (GError **error);

/* @proxy: (nullable): URI of the proxy for the rest; NULL: as the environment says. @trust:
 * (nullable): for proxies that are reached over TLS. */
GProxyResolver *box_proxy_new (const char *proxy, GTlsDatabase *trust);

/* A parsed proxy URI; NULL: it is not valid. Free with g_uri_unref(). */
GUri *box_proxy_parse (const char *proxy);

/* One way that a resolver has named. */
typedef struct
{
  GUri *uri;           /* of the proxy, with its user and password */
  GTlsDatabase *trust; /* nullable */
} BoxProxyWay;

/* The way that the last lookup in this thread has named @uri, or NULL. GSocketClient asks its
 * resolver and its proxy in one thread. Valid until the next lookup in this thread. */
const BoxProxyWay *box_proxy_find (const char *uri);

/* Remembers whether the SOCKS proxies of the last lookup in this thread accepted their user and
 * password; GIO speaks to SOCKS proxies. */
void box_proxy_note_socks (gboolean accepted);

/*
 * BoxTunnel: the GProxy that GSocketClient uses for BOX_PROXY_HTTP and BOX_PROXY_HTTPS. It asks an
 * HTTP proxy for a tunnel (CONNECT) in the calling thread and answers its wish for a user and
 * password, instead of libsoup: libsoup 3.2 offers a refused password without end, leaves the body
 * of a 407 in the connection, and would answer a 407 that comes through the tunnel.
 * How often a password is offered: BoxProxyMemory.
 */
/* Makes the protocols known to GIO. To be called before the first lookup. */
void box_tunnel_register (void);

/*
 * BoxProxyMemory: remembers, for each proxy with its user and password, whether the proxy accepts
 * them at once, and how often it refused them. A password that was refused twice in a row is not
 * offered for ten minutes: directories lock an account after a few wrong ones. Thread-safe.
 */
/* Maximum number of offers of a password: a second one if a nonce was stale, the scheme changed, or
 * the connection was lost. */
#define BOX_PROXY_MAX_OFFERS 2

/* @uri, in all of them: of the proxy, with its user and password. */
void box_proxy_memory_refused (GUri *uri);
void box_proxy_memory_accepted (GUri *uri, gboolean as_basic);

/* Whether the proxy accepted Basic before, so that the password can be offered at once. */
gboolean box_proxy_memory_wants_basic (GUri *uri);

/* Whether user and password, if there are any, may be offered now; else BOX_ERROR_SETTINGS. */
gboolean box_proxy_memory_check (GUri *uri, GError **error);

/* For tests: forgets everything. */
void box_proxy_memory_forget (void);

/*
 * BoxChallenge: a proxy's Proxy-Authenticate, and the Proxy-Authorization that answers it: Basic
 * (RFC 7617) and Digest (RFC 7616, MD5 and SHA-256). Digest takes precedence, because it does not
 * send the password. Pure.
 */
typedef enum
{
  BOX_CHALLENGE_NONE, /* nothing was asked for */
  BOX_CHALLENGE_BASIC,
  BOX_CHALLENGE_DIGEST,
  BOX_CHALLENGE_UNSUPPORTED, /* NTLM, Negotiate and the like, and nothing else */
} BoxChallengeKind;

typedef struct
{
  BoxChallengeKind kind;
  gboolean stale;     /* DIGEST: the password was right, only the nonce was old */
  GHashTable *params; /* DIGEST: name to value; else NULL */
  char *schemes;      /* all that were offered, for messages ("NTLM, Negotiate") */
} BoxChallenge;

/* @values: of all Proxy-Authenticate headers, NULL-terminated. */
void box_challenge_init (BoxChallenge *challenge, const char *const *values);
void box_challenge_clear (BoxChallenge *challenge);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoxChallenge, box_challenge_clear)

/* The value of Proxy-Authorization for a request of @method for @target; free with g_free(). Only
 * for BASIC and DIGEST. @cnonce: any random text; unused for BASIC. */
char *box_challenge_answer (const BoxChallenge *challenge, const char *user, const char *password,
                            const char *method, const char *target, const char *cnonce);

/*
 * BoxProxyLink: a connection to an HTTP proxy, in the clear or over TLS, on which CONNECT is asked
 * for until the proxy lets through. Belongs to one thread, whose calls block. Its errors are
 * BOX_ERROR, or G_IO_ERROR's CANCELLED and TIMED_OUT.
 */
typedef struct
{
  /* immutable, borrowed */
  const BoxProxyWay *way;
  GProxyAddress *address;
  GCancellable *cancellable;
  guint timeout; /* seconds, of the socket */

  GSocketConnection *connection; /* to the proxy */
  GIOStream *stream;             /* the same, or TLS over it */
  gboolean reused;               /* an answer has come on it */
  gboolean was_reused;           /* when the last question was asked */
  char *problems;                /* of the proxy's certificate, in words; else NULL */
} BoxProxyLink;

typedef struct
{
  guint status;
  SoupMessageHeaders *headers; /* owned */
  gboolean keeps;              /* the connection can be used for another question */
} BoxProxyAnswer;

void box_proxy_answer_clear (BoxProxyAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoxProxyAnswer, box_proxy_answer_clear)

/* @connection: to @address. Sets TLS up if the proxy is reached over it. */
gboolean
box_proxy_link_init (BoxProxyLink *self, const BoxProxyWay *way, GSocketConnection *connection,
                     GProxyAddress *address, GCancellable *cancellable, GError **error);
void box_proxy_link_clear (BoxProxyLink *self);

/* Continues with another connection to the same address. */
gboolean box_proxy_link_reconnect (BoxProxyLink *self, GError **error);

/* Asks for a tunnel to @target (HOST:PORT) and reads the answer, with the body of a refusal. Not a
 * byte more is read: what follows belongs to the tunnel. @authorization: (nullable): value of
 * Proxy-Authorization. */
gboolean box_proxy_link_ask (BoxProxyLink *self, const char *target, const char *authorization,
                             BoxProxyAnswer *answer, GError **error);

/* Whether the last question failed (@reason) because the proxy had closed a kept connection. */
gboolean box_proxy_link_was_stale (BoxProxyLink *self, const GError *reason);

/* The stream to use from here on. */
GIOStream *box_proxy_link_take_stream (BoxProxyLink *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTokenProvider: one way to get an access token: a file, a key pair (JWT), client credentials, a
 * refresh token, the application. A BoxTokenSource says which one the settings name. BoxTokenCache
 * keeps the token of a provider, and calls the provider from one thread at a time.
 */
#pragma once

#include "auth/config.h"
#include "auth/credentials.h"

G_BEGIN_DECLS

/* Where tokens are issued. */
typedef struct
{
  char *url;
  BoxTransportConfig *transport_config; /* nullable */
} BoxTokenEndpoint;

typedef enum
{
  BOX_TOKEN_SOURCE_NONE,
  BOX_TOKEN_SOURCE_TOKEN,
  BOX_TOKEN_SOURCE_FILE,
  BOX_TOKEN_SOURCE_CONFIG,
} BoxTokenSourceKind;

/* The source that the settings name. Immutable. */
typedef struct
{
  BoxTokenSourceKind kind;
  char *origin; /* the setting or variable that named it; NULL for NONE */
  char *path;   /* FILE, CONFIG */
  char *token;  /* TOKEN */
  BoxTokenEndpoint endpoint;
} BoxTokenSource;

/* The first of @settings that is set, except access_token. Reads no file. */
BoxTokenSource *
box_token_source_new (const BoxCredentialsSettings *settings, BoxTransportConfig *config);
void box_token_source_free (BoxTokenSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTokenSource, box_token_source_free)

/* A request to a provider: for another token than those @refused, and for a later one than @present
 * if possible. */
typedef struct
{
  const char *const *refused; /* NULL-terminated */
  const char *present;        /* nullable */
  GCancellable *cancellable;  /* nullable */
} BoxTokenWish;

/* The result of looking for a token without the network. */
typedef struct
{
  BoxToken *token;     /* NULL: one must be asked for */
  gboolean single_use; /* the grant is single-use, so that a request is not cut short */
} BoxTokenOutlook;

typedef struct _BoxTokenProvider BoxTokenProvider;

typedef struct
{
  /* Examines the source without the network. @outlook is zeroed. */
  gboolean (*check) (BoxTokenProvider *provider, BoxTokenOutlook *outlook, GError **error);
  /* May take long. A file that is missing, empty or incomplete is BOX_ERROR_TRANSIENT.
   */
  BoxToken *(*obtain) (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error);
  void (*free) (BoxTokenProvider *provider);
} BoxTokenProviderClass;

struct _BoxTokenProvider
{
  /* immutable */
  const BoxTokenProviderClass *class;
  gboolean deaf; /* obtaining cannot be cancelled; a late answer is for the next who ask */
};

/* For a @source (taken) of kind FILE or CONFIG. */
BoxTokenProvider *box_token_provider_new (BoxTokenSource *source);

/* For the application's function; see box_credentials_set_request(). */
BoxTokenProvider *box_token_provider_new_application (BoxTokenRequest request, gpointer user_data,
                                                      GDestroyNotify destroy);

/* Calls check() of its class. */
gboolean
box_token_provider_check (BoxTokenProvider *provider, BoxTokenOutlook *outlook, GError **error);

/* Calls obtain() of its class. */
BoxToken *
box_token_provider_obtain (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error);
void box_token_provider_free (BoxTokenProvider *provider);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTokenProvider, box_token_provider_free)

/* A provider by a configuration; @source and @config outlive it. */
typedef struct
{
  BoxTokenProvider parent;
  const BoxTokenSource *source;
  const BoxAuthConfig *config;
  gint64 *clock_skew; /* server's clock less ours, as far as known; seconds; kept between calls */
} BoxGrantProvider;

extern const BoxTokenProviderClass box_provider_jwt;
extern const BoxTokenProviderClass box_provider_client;
extern const BoxTokenProviderClass box_provider_refresh;

/* Their check: the endpoint must be safe for secrets (https, or a loopback address). */
gboolean box_grant_check (BoxTokenProvider *provider, BoxTokenOutlook *outlook, GError **error);

/* A form (application/x-www-form-urlencoded) of name, value, name, value, NULL. Free with
 * box_secret_free(). */
char *box_grant_form (const char *name, ...) G_GNUC_NULL_TERMINATED;

/* The form for an application with @key. @id: see box_jwt_new_id(); @now: Unix time, seconds. */
char *box_grant_jwt_form (const BoxAuthConfig *config, BoxKey *key, const char *id, gint64 now,
                          GError **error);

/* Sends @form (taken, overwritten) to the token endpoint, over a connection of its own. */
BoxReply *box_grant_send (const BoxTokenEndpoint *endpoint, char *form, GCancellable *cancellable,
                          GError **error);

/*
 * BoxTokenCache: the token of one provider, and its renewal. Only one renewal runs at a time, for
 * any number of threads. It has its own thread, so that no caller's cancellation ends it. Callers
 * whose token is still valid do not wait for it; the others share the result. The cache of a file
 * or a configuration is shared by all users of the process with the same file, token endpoint and
 * transport.
 */
typedef struct _BoxTokenCache BoxTokenCache;

/* The existing or a new cache for @source (taken; FILE or CONFIG). Reads no file. An unused cache
 * is kept for the next caller while its token is valid. */
BoxTokenCache *box_token_cache_get (BoxTokenSource *source);

/* A cache that is not shared. @provider is taken; @limit: its time for an answer (microseconds).
 */
BoxTokenCache *box_token_cache_new (BoxTokenProvider *provider, gint64 limit);
BoxTokenCache *box_token_cache_ref (BoxTokenCache *cache);
void box_token_cache_unref (BoxTokenCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTokenCache, box_token_cache_unref)

/* Makes all checks that need no network; see box_credentials_new(). */
gboolean box_token_cache_open (BoxTokenCache *cache, GError **error);

/* As box_credentials_get_token(). @lasting: microseconds. */
char *box_token_cache_take (BoxTokenCache *cache, const char *refused, gint64 lasting,
                            GCancellable *cancellable, GError **error);

/* The present token, if it is valid and not @refused (nullable); else NULL. Never waits. Free with
 * box_secret_free(). */
char *box_token_cache_peek (BoxTokenCache *cache, const char *refused);

/* Drops the present token, and ends all waits for another: BOX_ERROR_CANCELLED. */
void box_token_cache_forget (BoxTokenCache *cache);

/* Time limit of later renewals; microseconds. */
void box_token_cache_set_limit (BoxTokenCache *cache, gint64 limit);

/* When the present token expires (monotonic, microseconds); G_MAXINT64: not known. */
gint64 box_token_cache_get_expiry (BoxTokenCache *cache);

G_END_DECLS

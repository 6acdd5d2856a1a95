/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTokenCache: the token of one provider, and its renewal. However many threads want another
 * token, one renewal goes out, in a thread of its own, so that no caller's cancellation ends it;
 * callers whose token is still good do not wait for it, the others share the outcome. The cache of
 * a file or a configuration is shared by all of the process that name the same file, token endpoint
 * and transport.
 */
#pragma once

#include "auth/provider.h"

G_BEGIN_DECLS

typedef struct _BoxTokenCache BoxTokenCache;

/* The cache for what @source (taken; FILE or CONFIG) says: one that is there, or a new one. Nothing
 * is read. One whose token is still good is kept for the next that asks also when nobody uses it.
 */
BoxTokenCache *box_token_cache_get (BoxTokenSource *source);

/* One that is not shared. @provider is taken; @limit: how long it has for an answer (microseconds).
 */
BoxTokenCache *box_token_cache_new (BoxTokenProvider *provider, gint64 limit);
BoxTokenCache *box_token_cache_ref (BoxTokenCache *cache);
void box_token_cache_unref (BoxTokenCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTokenCache, box_token_cache_unref)

/* Checks what can be checked without the network; see box_credentials_new(). */
gboolean box_token_cache_open (BoxTokenCache *cache, GError **error);

/* As box_credentials_get_token(). @lasting: microseconds. */
char *box_token_cache_take (BoxTokenCache *cache, const char *refused, gint64 lasting,
                            GCancellable *cancellable, GError **error);

/* The token that is there, where it is good and not @refused (nullable); NULL else. Waits for
 * nobody. Free with box_secret_free(). */
char *box_token_cache_peek (BoxTokenCache *cache, const char *refused);

/* Drops the token that is there, and ends all waiting for another: BOX_ERROR_CANCELLED. */
void box_token_cache_forget (BoxTokenCache *cache);

/* How long the next renewals may take; microseconds. */
void box_token_cache_set_limit (BoxTokenCache *cache, gint64 limit);

/* When the present token expires (monotonic, microseconds); G_MAXINT64: not known. */
gint64 box_token_cache_get_expiry (BoxTokenCache *cache);

G_END_DECLS

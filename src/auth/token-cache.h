/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTokenCache: the token of one source, and its renewal: shared by all of the process that name
 * the same file, token endpoint and transport. However many threads want another token, one renewal
 * goes out, in a thread of its own, so that no caller's cancellation ends it; callers whose token
 * is still good do not wait for it, the others share the outcome.
 */
#pragma once

#include "auth/token-source.h"

G_BEGIN_DECLS

typedef struct _BoxTokenCache BoxTokenCache;

/* The keeper for what @source (taken; FILE or CONFIG) says: one that is there, or a new one.
 * Nothing is read. One whose token is still good is kept for the next that asks also when nobody
 * uses it. */
BoxTokenCache *box_token_cache_get (BoxTokenSource *source);
void box_token_cache_unref (BoxTokenCache *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTokenCache, box_token_cache_unref)

/* Checks what can be checked without the network; see box_credentials_new(). */
gboolean box_token_cache_open (BoxTokenCache *keeper, GError **error);

/* As box_credentials_get_token(). @lasting: microseconds. */
char *box_token_cache_take (BoxTokenCache *keeper, const char *refused, gint64 lasting,
                            GCancellable *cancellable, GError **error);

/* When the present token expires (monotonic, microseconds); G_MAXINT64: not known. */
gint64 box_token_cache_get_expiry (BoxTokenCache *keeper);

G_END_DECLS

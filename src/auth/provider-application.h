/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTokenHook: the application's function that returns a token, called in a thread of its own
 * because nobody knows how long it takes. An answer that comes after the asker has given up is kept
 * for the next one; while the function has not returned it is not called again.
 */
#pragma once

#include "auth/credentials.h"

G_BEGIN_DECLS

typedef struct _BoxTokenHook BoxTokenHook;

/* @destroy is called when the last reference is gone and no call is under way. */
BoxTokenHook *
box_token_hook_new (BoxTokenRequest request, gpointer user_data, GDestroyNotify destroy);
BoxTokenHook *box_token_hook_ref (BoxTokenHook *hook);
void box_token_hook_unref (BoxTokenHook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTokenHook, box_token_hook_unref)

/* Asks and waits at most @limit microseconds: BOX_ERROR_CREDENTIALS where the answer is NULL, no
 * token, or did not come in time; BOX_ERROR_CANCELLED. Free with box_secret_free(). */
char *
box_token_hook_ask (BoxTokenHook *hook, gint64 limit, GCancellable *cancellable, GError **error);

G_END_DECLS

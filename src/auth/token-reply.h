/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a token endpoint's reply says: a token, come again later, or no and why. Pure.
 */
#pragma once

#include "auth/token.h"
#include "http/message.h"

G_BEGIN_DECLS

/**
 * box_token_reply_parse:
 * @label: the configuration that was used; begins messages of refusals.
 * @advice: what to mend where the grant itself was refused (invalid_grant).
 * @issued: when the token was asked for (monotonic, microseconds).
 *
 * BOX_ERROR_CREDENTIALS: a refusal, which will not change by itself; the details carry its OAuth
 * name. BOX_ERROR_TRANSIENT: 429, 5xx and whatever is not an answer of a token endpoint at all,
 * such as a portal's page or redirect. BOX_ERROR_SETTINGS: 404 and 405, which a front may give too.
 */
BoxToken *box_token_reply_parse (const BoxReply *reply, const char *label, const char *advice,
                                 gint64 issued, GError **error);

/* The refresh token that @reply brings, whatever else is in it, or NULL. The one that was sent is
 * used up then, although box_token_reply_parse() may fail. Free with box_secret_free(). */
char *box_token_reply_get_refresh (const BoxReply *reply);

/* Whether @reply refuses an assertion for its times or its identifier: the clocks differ, so that
 * one made by the server's clock (the reply's date) may be accepted. */
gboolean box_token_reply_is_about_time (const BoxReply *reply);

/* Whether @reply refuses the token that was shown with the request, so that a newer one may be
 * accepted. */
gboolean box_token_reply_is_about_token (const BoxReply *reply);

G_END_DECLS

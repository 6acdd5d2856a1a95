/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxToken: an access token with its life, and the replies of a token endpoint. Pure:
 * the caller gives the time.
 */
#pragma once

#include "http/message.h"

G_BEGIN_DECLS

/* Real tokens have 32 to about 2000 characters. */
#define BOX_TOKEN_MAX_LENGTH 16384

/* A token is renewed this long before it expires (microseconds), or at half its life if its life is
 * shorter than twice this. A shorter time would not survive a short outage of the token endpoint; a
 * longer time would cause needless requests. */
#define BOX_TOKEN_EARLY (300 * G_USEC_PER_SEC)

/* Immutable. Times are monotonic microseconds. */
typedef struct
{
  char *access;
  char *refresh;  /* the next refresh token, or NULL */
  gint64 expires; /* G_MAXINT64: not known */
  gint64 life;    /* from when it was issued to @expires */
} BoxToken;

/* Takes @access. @life in seconds; 0: not known. @issued: when it was asked for. */
BoxToken *box_token_new (char *access, gint64 life, gint64 issued);
void box_token_free (BoxToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxToken, box_token_free)

typedef enum
{
  BOX_TOKEN_GOOD,
  BOX_TOKEN_DUE,     /* still valid; renew it in the background */
  BOX_TOKEN_SHORT,   /* too short for the time asked for: renew it first, use it if that fails */
  BOX_TOKEN_EXPIRED, /* or there is no token */
} BoxTokenState;

/* @lasting: how long it is needed (microseconds), limited to half the token's life. */
BoxTokenState box_token_state (const BoxToken *token, gint64 now, gint64 lasting);

/* Whether @string could be a token: printable ASCII without spaces. Anything else has no place in a
 * header. BOX_ERROR_CREDENTIALS begins with @label. */
gboolean box_token_check (const char *label, const char *string, GError **error);

/**
 * box_token_reply_parse:
 * @label: the configuration that was used; begins messages of refusals.
 * @advice: for the user, if the grant itself was refused (invalid_grant).
 * @issued: when the token was asked for (monotonic, microseconds).
 *
 * BOX_ERROR_CREDENTIALS: a permanent refusal; the details carry its OAuth name.
 * BOX_ERROR_TRANSIENT: 429, 5xx and any answer that no token endpoint gives, such as a portal's
 * page or redirect. BOX_ERROR_SETTINGS: 404 and 405; a gateway may send them, too.
 */
BoxToken *box_token_reply_parse (const BoxReply *reply, const char *label, const char *advice,
                                 gint64 issued, GError **error);

/**
 * box_token_reply_doubt:
 * @error: of the last request; NULL: it succeeded.
 * @strays: number of replies in a row with 404 or 405; updated.
 *
 * A failing gateway or proxy sends 404 or 405, too. The first two in a row are made
 * BOX_ERROR_TRANSIENT.
 */
void box_token_reply_doubt (GError *error, guint *strays);

/* The refresh token in @reply, or NULL; other members are ignored. If there is one, the old refresh
 * token is used up, even if box_token_reply_parse() fails. Free with box_secret_free(). */
char *box_token_reply_get_refresh (const BoxReply *reply);

/* Whether @reply refuses an assertion for its times or its identifier. The clocks may differ:
 * an assertion by the server's clock (the reply's date) may be accepted. */
gboolean box_token_reply_is_about_time (const BoxReply *reply);

/* Whether @reply refuses the token of the request, so that a newer token may be accepted. */
gboolean box_token_reply_is_about_token (const BoxReply *reply);

G_END_DECLS

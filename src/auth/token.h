/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxToken: an access token and how long it lasts, and what a token endpoint's reply says. Pure:
 * the time is given.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Real tokens have 32 to about 2000 characters. */
#define BOX_TOKEN_MAX_LENGTH 16384

/* A token is renewed this long before it expires (microseconds), or at half its life where that is
 * shorter than twice as much: long enough to outlast a short outage of the token endpoint, short
 * enough not to ask without need. */
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
  BOX_TOKEN_DUE,     /* good still; renew it in the background */
  BOX_TOKEN_SHORT,   /* would expire within the time asked for: renew it first, use it if that fails
                      */
  BOX_TOKEN_EXPIRED, /* or there is none */
} BoxTokenState;

/* @lasting: how long it is needed (microseconds); at most half the token's life is asked of it. */
BoxTokenState box_token_state (const BoxToken *token, gint64 now, gint64 lasting);

/* Whether @string could be a token: printable ASCII without spaces. Anything else has no place in a
 * header. BOX_ERROR_CREDENTIALS begins with @label. */
gboolean box_token_check (const char *label, const char *string, GError **error);

G_END_DECLS

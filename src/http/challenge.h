/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxChallenge: what a proxy's Proxy-Authenticate asks for, and the Proxy-Authorization that
 * answers it: Basic (RFC 7617) and Digest (RFC 7616, MD5 and SHA-256). Digest is preferred, because
 * the password does not travel with it. Pure.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

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

G_END_DECLS

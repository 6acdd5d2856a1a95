/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxJwt: the assertion that an application with a key pair shows to Box's token endpoint: claims,
 * signed with RSA. Pure: the time and the identifier are given.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Box compares it with its own address, wherever the request is sent. */
#define BOX_JWT_AUDIENCE "https://api.box.com/oauth2/token"

/* Box refuses assertions that expire more than 60 s ahead; half of it leaves as much for either
 * clock's error. Seconds. */
#define BOX_JWT_LIFE 30

typedef enum
{
  BOX_JWT_RS256,
  BOX_JWT_RS384,
  BOX_JWT_RS512,
} BoxJwtAlgorithm;

/* FALSE unless @name is RS256, RS384 or RS512. */
gboolean box_jwt_algorithm_from_name (const char *name, BoxJwtAlgorithm *algorithm);

/* A private RSA key; immutable. */
typedef struct _BoxKey BoxKey;

/**
 * box_key_new:
 * @pem: PKCS#8 (plain or encrypted) or the traditional format of OpenSSL, likewise.
 * @passphrase: (nullable): of an encrypted key.
 * @label: what the key is called in messages ("auth-config “FILE”: privateKey").
 *
 * BOX_ERROR_CREDENTIALS says what is wrong with the key, but never shows it.
 */
BoxKey *box_key_new (const char *pem, const char *passphrase, const char *label, GError **error);
void box_key_free (BoxKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxKey, box_key_free)

typedef struct
{
  const char *key_id;
  const char *issuer; /* client id */
  const char *subject;
  const char *subject_type; /* "enterprise" or "user" */
  const char *id;           /* 16 to 128 characters, used once */
  gint64 expires;           /* Unix time, seconds */
} BoxJwtClaims;

/* header.claims.signature, in base64url; free with box_secret_free(). */
char *
box_jwt_sign (const BoxJwtClaims *claims, BoxJwtAlgorithm algorithm, BoxKey *key, GError **error);

/* 64 random hexadecimal digits; free with g_free(). */
char *box_jwt_new_id (void);

G_END_DECLS

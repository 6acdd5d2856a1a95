/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxDigest: incremental SHA-1, by GLib's GChecksum or by GnuTLS (which uses the processor's SHA
 * instructions), or SHA-512. BoxSha1 is a finished digest: Box wants Base64 in request headers and
 * answers in hex. BoxSha512 is hex everywhere.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BOX_SHA1_SIZE 20

typedef struct
{
  guint8 bytes[BOX_SHA1_SIZE];
} BoxSha1;

#define BOX_SHA512_SIZE 64

typedef struct
{
  guint8 bytes[BOX_SHA512_SIZE];
} BoxSha512;

typedef enum
{
  BOX_DIGEST_ENGINE_GLIB,
  BOX_DIGEST_ENGINE_GNUTLS,
} BoxDigestEngine;

typedef struct _BoxDigest BoxDigest;

BoxDigest *box_digest_new (BoxDigestEngine engine);

/* One that computes SHA-512; it ends with box_digest_finish_sha512(). */
BoxDigest *box_digest_new_sha512 (void);
void box_digest_free (BoxDigest *digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxDigest, box_digest_free)

/* @length may be 0. */
void box_digest_update (BoxDigest *digest, gconstpointer data, gsize length);

/* Writes the digest of all bytes so far to @sha1; @digest is then ready for a new message. */
void box_digest_finish (BoxDigest *digest, BoxSha1 *sha1);

/* The same for a SHA-512. */
void box_digest_finish_sha512 (BoxDigest *digest, BoxSha512 *sha512);

/* The digest of @secret, in hex, with no copy of it left in freed memory; free with g_free(). */
char *box_digest_secret (GChecksumType type, const char *secret);

gboolean box_sha1_equal (const BoxSha1 *a, const BoxSha1 *b);

/* 40 lower-case hexadecimal digits; free with g_free(). */
char *box_sha1_to_hex (const BoxSha1 *sha1);

/* Padded Base64 without a newline, as the Digest header wants it; free with g_free(). */
char *box_sha1_to_base64 (const BoxSha1 *sha1);

/* FALSE, with @sha1 untouched, unless @hex is exactly 40 hexadecimal digits of either case. */
gboolean box_sha1_from_hex (const char *hex, BoxSha1 *sha1);

/* The same for a SHA-512, with 128 digits. */
gboolean box_sha512_equal (const BoxSha512 *a, const BoxSha512 *b);
char *box_sha512_to_hex (const BoxSha512 *sha512);
gboolean box_sha512_from_hex (const char *hex, BoxSha512 *sha512);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/digest.h"

#include <gnutls/crypto.h>
#include <string.h>

struct _BoxDigest
{
  BoxDigestEngine engine;
  GChecksum *checksum;     /* engine GLIB */
  gnutls_hash_hd_t gnutls; /* engine GNUTLS */
};

BoxDigest *
box_digest_new (BoxDigestEngine engine)
{
  BoxDigest *digest = g_new0 (BoxDigest, 1);

  digest->engine = engine;
  if (engine == BOX_DIGEST_ENGINE_GLIB)
    digest->checksum = g_checksum_new (G_CHECKSUM_SHA1);
  else if (gnutls_hash_init (&digest->gnutls, GNUTLS_DIG_SHA1) < 0)
    g_error ("GnuTLS cannot compute SHA-1: check the system's crypto policy");
  return digest;
}

BoxDigest *
box_digest_new_sha512 (void)
{
  BoxDigest *digest = g_new0 (BoxDigest, 1);

  digest->engine = BOX_DIGEST_ENGINE_GNUTLS;
  if (gnutls_hash_init (&digest->gnutls, GNUTLS_DIG_SHA512) < 0)
    g_error ("GnuTLS cannot compute SHA-512: check the system's crypto policy");
  return digest;
}

void
box_digest_free (BoxDigest *digest)
{
  if (digest == NULL)
    return;
  g_clear_pointer (&digest->checksum, g_checksum_free);
  if (digest->gnutls != NULL)
    gnutls_hash_deinit (digest->gnutls, NULL);
  g_free (digest);
}

void
box_digest_update (BoxDigest *digest, gconstpointer data, gsize length)
{
  if (digest->engine == BOX_DIGEST_ENGINE_GNUTLS)
    {
      gnutls_hash (digest->gnutls, data, length);
      return;
    }
  for (gsize done = 0; done < length;)
    {
      /* GChecksum takes a signed length. */
      gsize n = MIN (length - done, (gsize) 1 << 30);

      g_checksum_update (digest->checksum, (const guchar *) data + done, (gssize) n);
      done += n;
    }
}

void
box_digest_finish (BoxDigest *digest, BoxSha1 *sha1)
{
  gsize length = BOX_SHA1_SIZE;

  if (digest->engine == BOX_DIGEST_ENGINE_GNUTLS)
    {
      /* Reading the output also resets the state. */
      gnutls_hash_output (digest->gnutls, sha1->bytes);
      return;
    }
  g_checksum_get_digest (digest->checksum, sha1->bytes, &length);
  g_checksum_reset (digest->checksum);
}

void
box_digest_finish_sha512 (BoxDigest *digest, BoxSha512 *sha512)
{
  gnutls_hash_output (digest->gnutls, sha512->bytes);
}

/* A GChecksum keeps the last block that it got, and is not overwritten when it is freed. */
char *
box_digest_secret (GChecksumType type, const char *secret)
{
  static const guchar block[127] = { 0 }; /* one less than SHA-512's, more than the others' */
  g_autoptr (GChecksum) checksum = g_checksum_new (type);
  char *hex;

  g_checksum_update (checksum, (const guchar *) secret, -1);
  hex = g_strdup (g_checksum_get_string (checksum));
  g_checksum_reset (checksum);
  g_checksum_update (checksum, block, sizeof block);
  return hex;
}

gboolean
box_sha1_equal (const BoxSha1 *a, const BoxSha1 *b)
{
  return memcmp (a->bytes, b->bytes, BOX_SHA1_SIZE) == 0;
}

gboolean
box_sha512_equal (const BoxSha512 *a, const BoxSha512 *b)
{
  return memcmp (a->bytes, b->bytes, BOX_SHA512_SIZE) == 0;
}

static char *
to_hex (const guint8 *bytes, gsize n)
{
  char *hex = g_malloc (2 * n + 1);

  for (gsize i = 0; i < n; i++)
    g_snprintf (hex + 2 * i, 3, "%02x", bytes[i]);
  return hex;
}

char *
box_sha1_to_hex (const BoxSha1 *sha1)
{
  return to_hex (sha1->bytes, BOX_SHA1_SIZE);
}

char *
box_sha512_to_hex (const BoxSha512 *sha512)
{
  return to_hex (sha512->bytes, BOX_SHA512_SIZE);
}

char *
box_sha1_to_base64 (const BoxSha1 *sha1)
{
  return g_base64_encode (sha1->bytes, BOX_SHA1_SIZE);
}

static gboolean
from_hex (const char *hex, guint8 *bytes, gsize n)
{
  if (hex == NULL || strlen (hex) != 2 * n)
    return FALSE;
  for (gsize i = 0; i < 2 * n; i++)
    if (!g_ascii_isxdigit (hex[i]))
      return FALSE;
  for (gsize i = 0; i < n; i++)
    bytes[i] =
        (guint8) (g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  return TRUE;
}

gboolean
box_sha1_from_hex (const char *hex, BoxSha1 *sha1)
{
  return from_hex (hex, sha1->bytes, BOX_SHA1_SIZE);
}

gboolean
box_sha512_from_hex (const char *hex, BoxSha512 *sha512)
{
  return from_hex (hex, sha512->bytes, BOX_SHA512_SIZE);
}

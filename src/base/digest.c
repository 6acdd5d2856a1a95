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

gboolean
box_sha1_equal (const BoxSha1 *a, const BoxSha1 *b)
{
  return memcmp (a->bytes, b->bytes, BOX_SHA1_SIZE) == 0;
}

char *
box_sha1_to_hex (const BoxSha1 *sha1)
{
  char *hex = g_malloc (2 * BOX_SHA1_SIZE + 1);

  for (gsize i = 0; i < BOX_SHA1_SIZE; i++)
    g_snprintf (hex + 2 * i, 3, "%02x", sha1->bytes[i]);
  return hex;
}

char *
box_sha1_to_base64 (const BoxSha1 *sha1)
{
  return g_base64_encode (sha1->bytes, BOX_SHA1_SIZE);
}

gboolean
box_sha1_from_hex (const char *hex, BoxSha1 *sha1)
{
  if (hex == NULL || strlen (hex) != 2 * BOX_SHA1_SIZE)
    return FALSE;
  for (gsize i = 0; i < 2 * BOX_SHA1_SIZE; i++)
    if (!g_ascii_isxdigit (hex[i]))
      return FALSE;
  for (gsize i = 0; i < BOX_SHA1_SIZE; i++)
    sha1->bytes[i] =
        (guint8) (g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  return TRUE;
}

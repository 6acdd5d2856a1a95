/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/pattern.h"

#include "base/digest.h"

#include <glib/gstdio.h>
#include <string.h>

#define CHUNK 65536

void
kit_pattern_fill (guint64 offset, guint8 *buffer, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      guint64 at = offset + i;

      buffer[i] = (guint8) (at ^ (at >> 8) * 7 ^ (at >> 16) * 31 ^ (at >> 24) * 101);
    }
}

GBytes *
kit_pattern_bytes (guint64 offset, gsize length)
{
  guint8 *data = g_malloc (length);

  kit_pattern_fill (offset, data, length);
  return g_bytes_new_take (data, length);
}

gboolean
kit_pattern_read (gpointer unused, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  kit_pattern_fill (offset, buffer, length);
  return TRUE;
}

char *
kit_pattern_sha1 (guint64 size, guint64 zeros)
{
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  guint8 buffer[CHUNK];
  BoxSha1 sha1;

  for (guint64 at = 0; at < size + zeros; at += CHUNK)
    {
      gsize length = (gsize) MIN (size + zeros - at, CHUNK);
      gsize filled = at < size ? (gsize) MIN (size - at, length) : 0;

      kit_pattern_fill (at, buffer, filled);
      memset (buffer + filled, 0, length - filled);
      box_digest_update (digest, buffer, length);
    }
  box_digest_finish (digest, &sha1);
  return box_sha1_to_hex (&sha1);
}

void
kit_pattern_write_file (const char *path, guint64 size)
{
  FILE *file = g_fopen (path, "wbe");
  guint8 buffer[CHUNK];

  g_assert_nonnull (file);
  for (guint64 at = 0; at < size; at += CHUNK)
    {
      gsize length = (gsize) MIN (size - at, CHUNK);

      kit_pattern_fill (at, buffer, length);
      g_assert_cmpuint (fwrite (buffer, 1, length, file), ==, length);
    }
  g_assert_cmpint (fclose (file), ==, 0);
}

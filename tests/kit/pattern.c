/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/pattern.h"

#include "base/digest.h"

#include <glib/gstdio.h>
#include <string.h>

#define CHUNK 65536

/* A run is the bytes whose offsets differ in the lowest byte only: 0 to 255, each XOR what the rest
 * of the offset makes. All there can be are made once: tests fill gigabytes. */
#define RUN 0x100

typedef guint8 Run[RUN];

static const Run *
get_runs (void)
{
  static Run runs[0x100];
  static gsize made;

  if (g_once_init_enter (&made))
    {
      for (guint rest = 0; rest < G_N_ELEMENTS (runs); rest++)
        for (guint i = 0; i < RUN; i++)
          runs[rest][i] = (guint8) (rest ^ i);
      g_once_init_leave (&made, 1);
    }
  return (const Run *) runs;
}

void
kit_pattern_fill (guint64 offset, guint8 *buffer, gsize length)
{
  const Run *runs = get_runs ();

  for (gsize done = 0, n; done < length; done += n)
    {
      guint64 at = offset + done;
      gsize begin = (gsize) (at % RUN);
      guint8 rest = (guint8) ((at >> 8) * 7 ^ (at >> 16) * 31 ^ (at >> 24) * 101);

      n = MIN (length - done, RUN - begin);
      memcpy (buffer + done, runs[rest] + begin, n);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Padding: a kind, the size of the stream, a gap and a cut are chosen by the input. Any cut of it
 * gives the same bytes, and they are what the container's players skip.
 */
#include "fuzz.h"

#include "base/padding.h"

#include <string.h>

#define MOST 100000

/* The next number of @n bytes. */
static guint64
take (const guint8 **data, gsize *size, guint n)
{
  guint64 number = 0;

  for (; n > 0; n--)
    {
      number = number << 8 | (*size > 0 ? **data : 0);
      *data += *size > 0 ? 1 : 0;
      *size -= *size > 0 ? 1 : 0;
    }
  return number;
}

static void
check_mp4 (const guint8 *bytes, guint64 gap)
{
  guint32 size;

  memcpy (&size, bytes, 4);
  g_assert_cmpuint (GUINT32_FROM_BE (size), ==, gap);
  g_assert_cmpint (memcmp (bytes + 4, "free", 4), ==, 0);
}

/* A Void element whose size, with the bytes that say it, is the gap. */
static void
check_matroska (const guint8 *bytes, guint64 gap)
{
  guint length = 1;
  guint64 size;

  g_assert_cmpuint (bytes[0], ==, 0xec);
  while (length <= 8 && (bytes[1] & (0x100 >> length)) == 0)
    length++;
  g_assert_cmpuint (length, <=, 8);
  size = bytes[1] & (0xff >> length);
  for (guint i = 1; i < length; i++)
    size = size << 8 | bytes[1 + i];
  g_assert_cmpuint (size, ==, gap - 1 - length);
}

/* Whole null packets, on the grid that the stream began. */
static void
check_mpegts (const guint8 *bytes, guint64 stream, guint64 gap)
{
  for (guint64 at = (188 - stream % 188) % 188; at + 188 <= gap; at += 188)
    g_assert_true (bytes[at] == 0x47 && bytes[at + 1] == 0x1f && bytes[at + 2] == 0xff);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  BoxPaddingKind kind = BOX_PADDING_ZERO + take (&data, &size, 1) % 4;
  guint64 stream = take (&data, &size, 8) >> 1;
  guint64 gap = box_padding_min_size (kind) + take (&data, &size, 3) % MOST;
  g_autofree guint8 *whole = g_malloc (gap), *cut = g_malloc (gap);

  box_padding_read (kind, stream, gap, 0, whole, gap);
  for (guint64 at = 0; at < gap;)
    {
      gsize run = size > 0 ? 1 + take (&data, &size, 2) : gap, n = MIN (gap - at, run);

      box_padding_read (kind, stream, gap, at, cut + at, n);
      at += n;
    }
  g_assert_cmpmem (whole, gap, cut, gap);
  if (kind == BOX_PADDING_MP4)
    check_mp4 (whole, gap);
  if (kind == BOX_PADDING_MATROSKA)
    check_matroska (whole, gap);
  if (kind == BOX_PADDING_MPEGTS)
    check_mpegts (whole, stream, gap);
  return 0;
}

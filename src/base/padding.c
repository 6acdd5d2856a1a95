/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/padding.h"

#include <string.h>

#define TS_PACKET  188
#define MP4_LARGE  (G_GUINT64_CONSTANT (1) << 32)
#define HEADER_MAX 16

BoxPaddingKind
box_padding_for_media_type (const char *media_type)
{
  static const struct
  {
    const char *media_type;
    BoxPaddingKind kind;
  } kinds[] = {
    { "video/mpegts", BOX_PADDING_MPEGTS },
    { "video/quicktime", BOX_PADDING_MP4 },
    { "audio/x-m4a", BOX_PADDING_MP4 },
    { "application/x-3gp", BOX_PADDING_MP4 },
    { "video/mj2", BOX_PADDING_MP4 },
    { "video/x-matroska", BOX_PADDING_MATROSKA },
    { "audio/x-matroska", BOX_PADDING_MATROSKA },
    { "video/x-matroska-3d", BOX_PADDING_MATROSKA },
    { "video/webm", BOX_PADDING_MATROSKA },
    { "audio/webm", BOX_PADDING_MATROSKA },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (media_type, kinds[i].media_type) == 0)
      return kinds[i].kind;
  return BOX_PADDING_NONE;
}

guint64
box_padding_min_size (BoxPaddingKind kind)
{
  switch (kind)
    {
    case BOX_PADDING_MP4:
      return 8; /* size and type of a box */
    case BOX_PADDING_MATROSKA:
      return 2; /* element id and a size of one byte */
    default:
      return 1;
    }
}

/* A free box (ISO/IEC 14496-12, 4.2 and 8.1.2); its size takes 64 bits from 4 GiB on. */
static gsize
write_mp4_header (guint64 gap, guint8 header[HEADER_MAX])
{
  gboolean large = gap >= MP4_LARGE;
  guint32 size = GUINT32_TO_BE (large ? 1u : (guint32) gap);
  guint64 large_size = GUINT64_TO_BE (gap);

  memcpy (header, &size, 4);
  memcpy (header + 4, "free", 4);
  memcpy (header + 8, &large_size, 8);
  return large ? 16 : 8;
}

/* A Void element (RFC 8794, 11.3.2). Its size is written with as many bytes as make the whole come
 * out at @gap: where a longer form is needed than the number itself asks for (gap 129), that is
 * valid EBML. All ones are reserved. */
static gsize
write_matroska_header (guint64 gap, guint8 header[HEADER_MAX])
{
  guint width = 1;
  guint64 size;

  while (width < 8 && gap - 1 - width > (G_GUINT64_CONSTANT (1) << (7 * width)) - 2)
    width++;
  size = gap - 1 - width;
  header[0] = 0xEC;
  for (guint i = 0; i < width; i++)
    header[width - i] = (guint8) (size >> (8 * i));
  header[1] |= (guint8) (0x80 >> (width - 1));
  return 1 + width;
}

/* One header at the start, zeros behind it. */
static void
read_element (const guint8 *header, gsize header_size, guint64 offset, guint8 *buffer, gsize length)
{
  memset (buffer, 0, length);
  if (offset < header_size)
    memcpy (buffer, header + offset, MIN (header_size - (gsize) offset, length));
}

/* Null packets on the grid that the stream began: whatever completes a packet that was cut off, and
 * what is left at the end, is stuffing. */
static void
read_mpegts (guint64 stream_size, guint64 gap, guint64 offset, guint8 *buffer, gsize length)
{
  guint64 lead = (TS_PACKET - stream_size % TS_PACKET) % TS_PACKET;
  guint64 packets = gap > lead ? (gap - lead) / TS_PACKET : 0;
  guint64 first = offset > lead ? (offset - lead) / TS_PACKET : 0;

  memset (buffer, 0xFF, length);
  for (guint64 i = first; i < packets && lead + i * TS_PACKET < offset + length; i++)
    {
      guint8 header[4] = { 0x47, 0x1F, 0xFF, (guint8) (0x10 | (i & 0x0F)) };
      guint64 start = lead + i * TS_PACKET;

      for (guint j = 0; j < 4; j++)
        if (start + j >= offset && start + j - offset < length)
          buffer[start + j - offset] = header[j];
    }
}

void
box_padding_read (BoxPaddingKind kind, guint64 stream_size, guint64 gap, guint64 offset,
                  guint8 *buffer, gsize length)
{
  guint8 header[HEADER_MAX] = { 0 };

  g_return_if_fail (kind != BOX_PADDING_AUTO && kind != BOX_PADDING_NONE);
  g_return_if_fail (gap >= box_padding_min_size (kind));
  g_return_if_fail (offset <= gap && length <= gap - offset);

  switch (kind)
    {
    case BOX_PADDING_MPEGTS:
      read_mpegts (stream_size, gap, offset, buffer, length);
      break;
    case BOX_PADDING_MP4:
      read_element (header, write_mp4_header (gap, header), offset, buffer, length);
      break;
    case BOX_PADDING_MATROSKA:
      read_element (header, write_matroska_header (gap, header), offset, buffer, length);
      break;
    default:
      memset (buffer, 0, length);
    }
}

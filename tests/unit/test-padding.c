/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/padding.h"

#include <string.h>

#define MANY  70000
#define GIB_4 (G_GUINT64_CONSTANT (1) << 32)

/* Gaps around every boundary that a size field has. */
static const guint64 large_gaps[] = {
  (1 << 21) - 2, (1 << 21) - 1, 1 << 21,       (1 << 21) + 1, (1 << 21) + 2, (1 << 21) + 3,
  (1 << 28) - 2, (1 << 28),     (1 << 28) + 3, (1 << 28) + 4, (1 << 28) + 5, GIB_4 - 2,
  GIB_4 - 1,     GIB_4,         GIB_4 + 1,     GIB_4 + 16,    GIB_4 * 8,     GIB_4 * 8 + 4,
  GIB_4 * 8 + 5, GIB_4 * 8 + 6, GIB_4 * 8 + 7, GIB_4 * 1000,
};

/* The length of the box at the start of a gap, as a player reads it. */
static guint64
parse_mp4_size (guint64 gap)
{
  guint8 header[16] = { 0 };
  guint32 size;
  guint64 large;

  box_padding_read (BOX_PADDING_MP4, 1234, gap, 0, header, (gsize) MIN (gap, sizeof header));
  g_assert_cmpmem (header + 4, 4, "free", 4);
  memcpy (&size, header, 4);
  memcpy (&large, header + 8, 8);
  return size == GUINT32_TO_BE (1) ? GUINT64_FROM_BE (large) : GUINT32_FROM_BE (size);
}

/* The length of the element at the start of a gap, likewise. */
static guint64
parse_matroska_size (guint64 gap)
{
  guint8 header[9] = { 0 };
  guint width = 1;
  guint64 size;

  box_padding_read (BOX_PADDING_MATROSKA, 1234, gap, 0, header, (gsize) MIN (gap, sizeof header));
  g_assert_cmphex (header[0], ==, 0xEC);
  while ((header[1] & (0x80 >> (width - 1))) == 0)
    width++;
  g_assert_cmpuint (width, <=, 8);
  size = header[1] & (0x7F >> (width - 1));
  for (guint i = 1; i < width; i++)
    size = size << 8 | header[1 + i];
  g_assert_cmpuint (size, !=, (G_GUINT64_CONSTANT (1) << (7 * width)) - 1);
  return 1 + width + size;
}

static void
test_mp4_box_covers_the_gap_exactly (void)
{
  for (guint64 gap = box_padding_min_size (BOX_PADDING_MP4); gap <= MANY; gap++)
    g_assert_cmpuint (parse_mp4_size (gap), ==, gap);
  for (gsize i = 0; i < G_N_ELEMENTS (large_gaps); i++)
    g_assert_cmpuint (parse_mp4_size (large_gaps[i]), ==, large_gaps[i]);
}

static void
test_matroska_void_covers_the_gap_exactly (void)
{
  for (guint64 gap = box_padding_min_size (BOX_PADDING_MATROSKA); gap <= MANY; gap++)
    g_assert_cmpuint (parse_matroska_size (gap), ==, gap);
  for (gsize i = 0; i < G_N_ELEMENTS (large_gaps); i++)
    g_assert_cmpuint (parse_matroska_size (large_gaps[i]), ==, large_gaps[i]);
}

/* Whether @data is stuffing, null packets with a running counter, and stuffing again. */
static void
check_mpegts (guint64 stream_size, const guint8 *data, gsize gap)
{
  gsize at = (188 - stream_size % 188) % 188;
  guint counter = 0;

  for (gsize i = 0; i < MIN (at, gap); i++)
    g_assert_cmphex (data[i], ==, 0xFF);
  for (; at + 188 <= gap; at += 188)
    {
      guint8 header[4] = { 0x47, 0x1F, 0xFF, (guint8) (0x10 | counter) };

      g_assert_true (memcmp (data + at, header, 4) == 0);
      g_assert_true (data[at + 4] == 0xFF && memcmp (data + at + 4, data + at + 5, 183) == 0);
      counter = (counter + 1) % 16;
    }
  for (; at < gap; at++)
    g_assert_cmphex (data[at], ==, 0xFF);
}

static void
test_mpegts_gap_is_null_packets_on_the_streams_grid (void)
{
  g_autofree guint8 *data = g_malloc (MANY);

  for (gsize gap = 1; gap <= MANY; gap += gap < 2000 ? 1 : 61)
    {
      guint64 stream_size = gap % 3 == 0 ? GIB_4 * 188 + gap : 188 * 1000;

      box_padding_read (BOX_PADDING_MPEGTS, stream_size, gap, 0, data, gap);
      check_mpegts (stream_size, data, gap);
    }
}

static void
test_reading_anywhere_equals_reading_in_order (gconstpointer data)
{
  BoxPaddingKind kind = (BoxPaddingKind) GPOINTER_TO_INT (data);
  g_autofree guint8 *whole = g_malloc (MANY);
  g_autofree guint8 *piece = g_malloc (MANY);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint round = 0; round < 3000; round++)
    {
      guint64 stream_size = (guint64) g_rand_int (random) << 3;
      gsize gap = (gsize) g_rand_int_range (random, 8, round % 2 == 0 ? 600 : MANY);
      gsize offset = (gsize) g_rand_int_range (random, 0, (gint32) gap);
      gsize length = (gsize) g_rand_int_range (random, 0, (gint32) (gap - offset) + 1);

      box_padding_read (kind, stream_size, gap, 0, whole, gap);
      box_padding_read (kind, stream_size, gap, offset, piece, length);
      g_assert_cmpmem (whole + offset, length, piece, length);
    }
}

static void
test_media_types_choose_what_their_players_ignore (void)
{
  static const struct
  {
    const char *media_type;
    BoxPaddingKind kind;
  } table[] = {
    { "video/mpegts", BOX_PADDING_MPEGTS },
    { "video/quicktime", BOX_PADDING_MP4 },
    { "audio/x-m4a", BOX_PADDING_MP4 },
    { "application/x-3gp", BOX_PADDING_MP4 },
    { "video/x-matroska", BOX_PADDING_MATROSKA },
    { "audio/x-matroska", BOX_PADDING_MATROSKA },
    { "video/webm", BOX_PADDING_MATROSKA },
    { "audio/webm", BOX_PADDING_MATROSKA },
    { "video/x-matroska-3d", BOX_PADDING_MATROSKA },
    { "video/x-flv", BOX_PADDING_NONE },
    { "audio/x-wav", BOX_PADDING_NONE },
    { "application/ogg", BOX_PADDING_NONE },
    { "", BOX_PADDING_NONE },
    { NULL, BOX_PADDING_NONE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    g_assert_cmpint (box_padding_for_media_type (table[i].media_type), ==, table[i].kind);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/padding/mp4-box-covers-the-gap-exactly", test_mp4_box_covers_the_gap_exactly);
  g_test_add_func ("/padding/matroska-void-covers-the-gap-exactly",
                   test_matroska_void_covers_the_gap_exactly);
  g_test_add_func ("/padding/mpegts-gap-is-null-packets-on-the-streams-grid",
                   test_mpegts_gap_is_null_packets_on_the_streams_grid);
  g_test_add_data_func ("/padding/mpegts/reading-anywhere-equals-reading-in-order",
                        GINT_TO_POINTER (BOX_PADDING_MPEGTS),
                        test_reading_anywhere_equals_reading_in_order);
  g_test_add_data_func ("/padding/mp4/reading-anywhere-equals-reading-in-order",
                        GINT_TO_POINTER (BOX_PADDING_MP4),
                        test_reading_anywhere_equals_reading_in_order);
  g_test_add_data_func ("/padding/matroska/reading-anywhere-equals-reading-in-order",
                        GINT_TO_POINTER (BOX_PADDING_MATROSKA),
                        test_reading_anywhere_equals_reading_in_order);
  g_test_add_func ("/padding/media-types-choose-what-their-players-ignore",
                   test_media_types_choose_what_their_players_ignore);
  return g_test_run ();
}

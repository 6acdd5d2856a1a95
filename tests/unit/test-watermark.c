/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How old the first unsafe byte is, how far the stream is safe, and when the room is used up, on a
 * simulated clock. */
#include "base/watermark.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

/* A clock that began long ago. */
#define BEGIN (1000 * SECOND)

/* Bytes per mark where a stream runs. */
#define PIECE 1000u

/* A stream of @n marks, ten a second, whose own time began an hour earlier. */
static BoxWatermark *
new_stream (guint n)
{
  BoxWatermark *watermark = box_watermark_new ();

  for (guint i = 0; i < n; i++)
    box_watermark_mark (watermark, (guint64) i * PIECE, 3600 * SECOND + i * SECOND / 10,
                        BEGIN + i * SECOND / 10);
  return watermark;
}

static void
test_nothing_is_known_of_nothing (void)
{
  g_autoptr (BoxWatermark) watermark = box_watermark_new ();

  g_assert_cmpint (box_watermark_get_since (watermark, 0), ==, 0);
  g_assert_cmpint (box_watermark_get_time (watermark, 100), ==, -1);
}

static void
test_a_byte_is_as_old_as_its_mark (void)
{
  g_autoptr (BoxWatermark) watermark = new_stream (100);

  g_assert_cmpint (box_watermark_get_since (watermark, 0), ==, BEGIN);
  g_assert_cmpint (box_watermark_get_since (watermark, 50 * PIECE), ==, BEGIN + 5 * SECOND);
  g_assert_cmpint (box_watermark_get_since (watermark, 50 * PIECE + 1), ==, BEGIN + 5 * SECOND);
  g_assert_cmpint (box_watermark_get_since (watermark, 51 * PIECE - 1), ==, BEGIN + 5 * SECOND);
  g_assert_cmpint (box_watermark_get_since (watermark, 1000 * PIECE), ==, BEGIN + 99 * SECOND / 10);
}

static void
test_what_is_safe_ends_at_a_time_of_the_stream (void)
{
  g_autoptr (BoxWatermark) watermark = new_stream (100);

  g_assert_cmpint (box_watermark_get_time (watermark, 0), ==, 3600 * SECOND);
  g_assert_cmpint (box_watermark_get_time (watermark, 50 * PIECE), ==, 3605 * SECOND);
  g_assert_cmpint (box_watermark_get_time (watermark, 51 * PIECE - 1), ==, 3605 * SECOND);
}

/* The bytes before the rest are old, those after it are young. */
static void
test_a_rest_makes_no_byte_older (void)
{
  g_autoptr (BoxWatermark) watermark = new_stream (10);

  box_watermark_mark (watermark, 10 * PIECE, -1, BEGIN + 3600 * SECOND);
  g_assert_cmpint (box_watermark_get_since (watermark, 10 * PIECE - 1), ==,
                   BEGIN + 9 * SECOND / 10);
  g_assert_cmpint (box_watermark_get_since (watermark, 10 * PIECE), ==, BEGIN + 3600 * SECOND);
  g_assert_cmpint (box_watermark_get_time (watermark, 10 * PIECE), ==, -1);
}

/* A muxer that rewrites its head, and a producer that asks for room again. */
static void
test_a_byte_comes_once (void)
{
  g_autoptr (BoxWatermark) watermark = new_stream (10);

  box_watermark_mark (watermark, 0, 0, BEGIN + 50 * SECOND);
  box_watermark_mark (watermark, 9 * PIECE, 0, BEGIN + 50 * SECOND);
  g_assert_cmpint (box_watermark_get_since (watermark, 0), ==, BEGIN);
  g_assert_cmpint (box_watermark_get_since (watermark, 20 * PIECE), ==, BEGIN + 9 * SECOND / 10);
}

/* A day of recording: never too young, and not much too old. */
static void
test_old_marks_get_fewer_but_never_wrong (void)
{
  const guint n = 864000;
  g_autoptr (BoxWatermark) watermark = new_stream (n);
  const gint64 now = BEGIN + (gint64) n * SECOND / 10;

  for (guint i = 0; i < n; i += 997)
    {
      gint64 came = BEGIN + (gint64) i * SECOND / 10;
      gint64 since = box_watermark_get_since (watermark, (guint64) i * PIECE);

      g_assert_cmpint (since, <=, came);
      g_assert_cmpint (came - since, <=, SECOND + (now - came) / 20);
      g_assert_cmpint (box_watermark_get_time (watermark, (guint64) i * PIECE), ==,
                       3600 * SECOND + since - BEGIN);
    }
}

/* --- Rates ---------------------------------------------------------------------------------- */

/* @seconds of a recording, one look a second. */
static void
run (BoxRates *rates, gint64 *now, guint seconds, guint64 filled, guint64 drained, guint64 released)
{
  for (guint i = 0; i < seconds; i++)
    {
      *now += SECOND;
      rates->filled += filled;
      rates->drained += drained;
      rates->released += released;
      box_rates_look (rates, *now);
    }
}

static void
test_rates_are_right_from_the_second_look_on (void)
{
  BoxRates rates = { 0 };
  gint64 now = BEGIN;

  box_rates_look (&rates, now);
  g_assert_cmpint (box_rates_get_full_in (&rates, 1000), ==, -1);
  for (guint i = 0; i < 100; i++)
    {
      run (&rates, &now, 1, 4000000, 3000000, 1000000);
      g_assert_cmpfloat_with_epsilon (rates.fill, 4000000, 1);
      g_assert_cmpfloat_with_epsilon (rates.drain, 3000000, 1);
    }
  g_assert_cmpint (box_rates_get_full_in (&rates, 3000000000), ==, 1000 * SECOND);
}

static void
test_rates_follow_a_change_within_a_minute (void)
{
  BoxRates rates = { 0 };
  gint64 now = BEGIN;

  box_rates_look (&rates, now);
  run (&rates, &now, 100, 4000000, 4000000, 0);
  run (&rates, &now, 60, 4000000, 0, 0);
  g_assert_cmpfloat (rates.drain, <, 80000);
  run (&rates, &now, 60, 0, 8000000, 0);
  g_assert_cmpfloat (rates.fill, <, 80000);
  g_assert_cmpfloat (rates.drain, >, 7800000);
}

static void
test_looks_in_quick_succession_are_one (void)
{
  BoxRates rates = { 0 };
  gint64 now = BEGIN;

  box_rates_look (&rates, now);
  run (&rates, &now, 30, 1000, 0, 0);
  for (guint i = 0; i < 1000; i++)
    {
      now += SECOND / 1000;
      rates.filled += 1;
      box_rates_look (&rates, now);
    }
  g_assert_cmpfloat_with_epsilon (rates.fill, 1000, 5);
}

/* Bytes that have left stay on the disk until their recording ends. */
static void
test_only_what_gives_room_back_keeps_the_room (void)
{
  BoxRates rates = { 0 };
  gint64 now = BEGIN;

  box_rates_look (&rates, now);
  run (&rates, &now, 30, 1000, 1000, 0);
  g_assert_cmpint (box_rates_get_full_in (&rates, 60000) / SECOND, ==, 60);
  run (&rates, &now, 300, 1000, 1000, 1000);
  g_assert_cmpint (box_rates_get_full_in (&rates, 60000), ==, -1);
}

/* The first second of a recording brings its head, and what its source had gathered. */
static void
test_a_burst_at_the_start_foretells_nothing (void)
{
  BoxRates rates = { 0 };
  gint64 now = BEGIN;

  box_rates_look (&rates, now);
  run (&rates, &now, 1, 500000000, 0, 0);
  for (guint i = 1; i < 15; i++)
    {
      g_assert_cmpint (box_rates_get_full_in (&rates, 60000000000), ==, -1);
      run (&rates, &now, 1, 1000, 1000, 1000);
    }
  run (&rates, &now, 300, 1000, 1000, 1000);
  g_assert_cmpint (box_rates_get_full_in (&rates, 60000000000), ==, -1);
  run (&rates, &now, 300, 1000000, 0, 0);
  g_assert_cmpint (box_rates_get_full_in (&rates, 60000000000) / SECOND / 600, ==, 100);
}

static void
test_a_full_room_is_full_now (void)
{
  BoxRates rates = { .fill = 1000, .at = 60 * SECOND };

  g_assert_cmpint (box_rates_get_full_in (&rates, 0), ==, 0);
  g_assert_cmpint (box_rates_get_full_in (&rates, G_MAXUINT64), ==, -1);
  rates.fill = 0;
  g_assert_cmpint (box_rates_get_full_in (&rates, 0), ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/watermark/nothing", test_nothing_is_known_of_nothing);
  g_test_add_func ("/watermark/age", test_a_byte_is_as_old_as_its_mark);
  g_test_add_func ("/watermark/time", test_what_is_safe_ends_at_a_time_of_the_stream);
  g_test_add_func ("/watermark/rest", test_a_rest_makes_no_byte_older);
  g_test_add_func ("/watermark/once", test_a_byte_comes_once);
  g_test_add_func ("/watermark/day", test_old_marks_get_fewer_but_never_wrong);
  g_test_add_func ("/rates/from-the-second-look", test_rates_are_right_from_the_second_look_on);
  g_test_add_func ("/rates/change", test_rates_follow_a_change_within_a_minute);
  g_test_add_func ("/rates/quick-looks", test_looks_in_quick_succession_are_one);
  g_test_add_func ("/rates/release", test_only_what_gives_room_back_keeps_the_room);
  g_test_add_func ("/rates/burst", test_a_burst_at_the_start_foretells_nothing);
  g_test_add_func ("/rates/full", test_a_full_room_is_full_now);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of boxupload that are pure: exit codes, sizes, maps and bars. */
#include <locale.h>
#include <string.h>

#include "base/error.h"
#include "cli/exit.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/reporter.h"

static void
test_every_error_code_has_an_exit_code_of_its_own (void)
{
  gboolean seen[256] = { FALSE };

  for (int code = BOX_ERROR_TRANSIENT; code <= BOX_ERROR_CANCELLED; code++)
    {
      g_autoptr (GError) error = g_error_new_literal (BOX_ERROR, code, "No.");
      CliExit exit_code = cli_exit_from_error (error);

      g_assert_cmpint (exit_code, >, 0);
      g_assert_cmpint (exit_code, <, 256);
      g_assert_false (seen[exit_code]);
      g_assert_nonnull (cli_exit_get_nick (error));
      seen[exit_code] = TRUE;
    }
}

static void
test_no_error_is_success_and_a_strange_one_a_bug (void)
{
  g_autoptr (GError) strange = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "No.");
  g_autoptr (GError) usage = g_error_new_literal (G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "No.");

  g_assert_cmpint (cli_exit_from_error (NULL), ==, CLI_EXIT_OK);
  g_assert_cmpint (cli_exit_from_error (strange), ==, CLI_EXIT_BUG);
  g_assert_cmpint (cli_exit_from_error (usage), ==, CLI_EXIT_USAGE);
}

static void
test_sizes_take_the_units_people_write (void)
{
  static const struct
  {
    const char *text;
    guint64 size;
  } cases[] = {
    { "0", 0 },
    { "1", 1 },
    { "104857600", 104857600 },
    { "5B", 5 },
    { "1kB", 1000 },
    { "1KB", 1000 },
    { "20MB", 20000000 },
    { "1MiB", 1048576 },
    { "1M", 1048576 },
    { "2GiB", G_GUINT64_CONSTANT (2147483648) },
    { "3g", G_GUINT64_CONSTANT (3221225472) },
    { "4gb", G_GUINT64_CONSTANT (4000000000) },
    { "4gib", G_GUINT64_CONSTANT (4294967296) },
    { "1TB", G_GUINT64_CONSTANT (1000000000000) },
    { "9223372036854775807", G_MAXINT64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 size = 77;

      g_assert_true (cli_options_parse_size (cases[i].text, "--size", &size, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (size, ==, cases[i].size);
    }
}

static void
test_sizes_that_make_no_sense_are_refused (void)
{
  static const char *const cases[] = {
    "",
    "x",
    "-1",
    "+1",
    " 1",
    "1 MB",
    "1.5GB",
    "1XB",
    "1MBB",
    "1Mb ",
    "0x10",
    "9223372036854775808",
    "18446744073709551616",
    "10000000T",
    "MB",
    "1iB",
    "1BB",
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 size;

      g_assert_false (cli_options_parse_size (cases[i], "--size", &size, &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
      g_assert_nonnull (strstr (error->message, "--size"));
    }
}

static CliGrid *
new_grid (guint total_parts, const char *stored)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  const BoxSession session = { .part_size = 100, .total_parts = total_parts };

  for (guint i = 0; stored[i] != '\0'; i++)
    if (stored[i] == '#')
      {
        BoxPart *part = g_new0 (BoxPart, 1);

        part->offset = (guint64) i * 100;
        part->size = i + 1 == total_parts ? 7 : 100;
        g_ptr_array_add (parts, part);
      }
  return cli_grid_new (&session, parts, total_parts);
}

static void
test_missing_parts_are_listed_as_ranges (void)
{
  g_autoptr (CliGrid) grid = new_grid (9, "##.#...#.");
  g_autofree char *missing = cli_grid_format_missing (grid, 10);
  g_autofree char *shortened = cli_grid_format_missing (grid, 2);

  g_assert_cmpuint (grid->n_stored, ==, 4);
  g_assert_cmpuint (grid->bytes, ==, 400);
  g_assert_cmpstr (missing, ==, "3, 5-7, 9");
  g_assert_cmpstr (shortened, ==, "3, 5-7, …");
}

static void
test_a_full_grid_misses_nothing_and_counts_the_short_last_part (void)
{
  g_autoptr (CliGrid) grid = new_grid (3, "###");
  g_autofree char *missing = cli_grid_format_missing (grid, 10);

  g_assert_cmpuint (grid->n_stored, ==, 3);
  g_assert_cmpuint (grid->bytes, ==, 207);
  g_assert_cmpstr (missing, ==, "");
}

static void
test_parts_off_the_grid_do_not_count (void)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new ();
  const BoxSession session = { .part_size = 100, .total_parts = 2 };
  BoxPart between = { .offset = 50, .size = 100 };
  BoxPart short_one = { .offset = 0, .size = 99 };
  BoxPart beyond = { .offset = 200, .size = 100 };
  BoxPart empty = { .offset = 100, .size = 0 };
  BoxPart twice = { .offset = 100, .size = 1 };
  g_autoptr (CliGrid) grid = NULL;

  g_ptr_array_add (parts, &between);
  g_ptr_array_add (parts, &short_one);
  g_ptr_array_add (parts, &beyond);
  g_ptr_array_add (parts, &empty);
  g_ptr_array_add (parts, &twice);
  g_ptr_array_add (parts, &twice);
  grid = cli_grid_new (&session, parts, 2);
  g_assert_cmpuint (grid->n_stored, ==, 1);
  g_assert_cmpuint (grid->bytes, ==, 1);
}

static void
test_a_map_has_a_cell_for_each_part (void)
{
  g_autoptr (CliGrid) grid = new_grid (9, "##.#...#.");
  g_autofree char *ascii = cli_grid_draw (grid, 4, 10, FALSE);
  g_autofree char *blocks = cli_grid_draw (grid, 9, 10, TRUE);

  g_assert_cmpstr (ascii, ==, "##.#\n...#\n.");
  g_assert_cmpstr (blocks, ==, "██░█░░░█░");
}

static void
test_parts_share_cells_where_a_map_is_too_small (void)
{
  g_autoptr (CliGrid) grid = new_grid (9, "##.#...#.");
  g_autofree char *map = cli_grid_draw (grid, 5, 1, FALSE);

  g_assert_cmpstr (map, ==, "#+.+.");
}

static void
test_a_bar_fits_its_line_whatever_the_width (void)
{
  const CliProgressLine line = {
    .label = "Aufnahme-äöü-録画.mp4",
    .done = 630000000,
    .total = 1000000000,
    .rate = 34000000,
  };

  for (guint columns = 0; columns <= 200; columns++)
    for (int utf8 = 0; utf8 < 2; utf8++)
      {
        g_autofree char *text = cli_progress_render (&line, columns, utf8 != 0);
        guint width = 0;

        for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
          width += g_unichar_iswide (g_utf8_get_char (p)) ? 2 : 1;
        g_assert_cmpuint (width, ==, columns);
      }
}

static void
test_a_bar_shows_how_far_and_how_long (void)
{
  const CliProgressLine line = {
    .label = "a.mp4", .done = 500000000, .total = 1000000000, .rate = 10000000
  };
  g_autofree char *text = cli_progress_render (&line, 72, FALSE);

  g_assert_cmpstr (text, ==,
                   "a.mp4 #########..........  50%  500.0 MB of 1.0 GB  10.0 MB/s  0:50 left");
}

static void
test_a_notice_takes_the_place_of_the_rate (void)
{
  const CliProgressLine line = { .label = "a.mp4", .done = 5, .total = 10, .notice = "committing" };
  g_autofree char *text = cli_progress_render (&line, 40, FALSE);

  g_assert_true (g_str_has_suffix (text, " 50%  committing"));
}

static void
test_an_empty_file_has_a_bar_too (void)
{
  const CliProgressLine line = { .label = "empty", .done = 0, .total = 0 };
  g_autofree char *text = cli_progress_render (&line, 60, FALSE);

  g_assert_nonnull (strstr (text, "  0%"));
}

static void
test_text_from_elsewhere_cannot_steer_a_terminal (void)
{
  BoxFile file = { .id = (char *) "7", .name = (char *) "a\033[2Jb\r\nc\u2028d\u202ee👩‍🚀" };
  g_autofree char *text = cli_format_file (&file);

  g_assert_cmpstr (text, ==, "file 7 “a\\x1b[2Jb\\r\\nc\\u2028d\\u202ee👩‍🚀”");
}

static void
test_figures_are_readable (void)
{
  static const struct
  {
    guint64 value;
    const char *bytes;
    const char *seconds;
  } cases[] = {
    { 0, "0 B", "0:00" },
    { 59, "59 B", "0:59" },
    { 999, "999 B", "16:39" },
    { 3600, "3.6 kB", "1:00:00" },
    { 604799, "604.8 kB", "7 days" },
    { 999950, "1.0 MB", "12 days" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *bytes = cli_format_bytes (cases[i].value);
      g_autofree char *seconds = cli_format_seconds (cases[i].value);

      g_assert_cmpstr (bytes, ==, cases[i].bytes);
      g_assert_cmpstr (seconds, ==, cases[i].seconds);
    }
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "C.UTF-8");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/exit/every-error-code-has-one-of-its-own",
                   test_every_error_code_has_an_exit_code_of_its_own);
  g_test_add_func ("/cli/exit/no-error-is-success-and-a-strange-one-a-bug",
                   test_no_error_is_success_and_a_strange_one_a_bug);
  g_test_add_func ("/cli/size/takes-the-units-people-write",
                   test_sizes_take_the_units_people_write);
  g_test_add_func ("/cli/size/that-makes-no-sense-is-refused",
                   test_sizes_that_make_no_sense_are_refused);
  g_test_add_func ("/cli/grid/missing-parts-are-listed-as-ranges",
                   test_missing_parts_are_listed_as_ranges);
  g_test_add_func ("/cli/grid/full-misses-nothing-and-counts-the-short-last-part",
                   test_a_full_grid_misses_nothing_and_counts_the_short_last_part);
  g_test_add_func ("/cli/grid/parts-off-it-do-not-count", test_parts_off_the_grid_do_not_count);
  g_test_add_func ("/cli/grid/map-has-a-cell-for-each-part", test_a_map_has_a_cell_for_each_part);
  g_test_add_func ("/cli/grid/parts-share-cells-where-a-map-is-too-small",
                   test_parts_share_cells_where_a_map_is_too_small);
  g_test_add_func ("/cli/progress/bar-fits-its-line-whatever-the-width",
                   test_a_bar_fits_its_line_whatever_the_width);
  g_test_add_func ("/cli/progress/bar-shows-how-far-and-how-long",
                   test_a_bar_shows_how_far_and_how_long);
  g_test_add_func ("/cli/progress/notice-takes-the-place-of-the-rate",
                   test_a_notice_takes_the_place_of_the_rate);
  g_test_add_func ("/cli/progress/empty-file-has-a-bar-too", test_an_empty_file_has_a_bar_too);
  g_test_add_func ("/cli/output/text-from-elsewhere-cannot-steer-a-terminal",
                   test_text_from_elsewhere_cannot_steer_a_terminal);
  g_test_add_func ("/cli/output/figures-are-readable", test_figures_are_readable);
  return g_test_run ();
}

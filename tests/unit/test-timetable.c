/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/timetable.h"

#define AT(hour, minute) ((hour) *60 + (minute))

static guint64
rate_of (const char *text, guint minute)
{
  GError *error = NULL;
  g_autoptr (BoxTimetable) timetable = box_timetable_parse (text, "--upload-rate", &error);

  g_assert_no_error (error);
  return box_timetable_get_rate (timetable, minute);
}

static void
test_one_rate_is_for_all_day (void)
{
  for (guint minute = 0; minute < BOX_MINUTES_OF_DAY; minute++)
    {
      g_assert_cmpuint (rate_of ("20MB", minute), ==, 20000000);
      g_assert_cmpuint (rate_of ("off", minute), ==, 0);
      g_assert_cmpuint (rate_of (" 0 ", minute), ==, 0);
    }
}

static void
test_hours_begin_and_end_on_the_minute (void)
{
  const char *text = "08:00-18:00 2MB, off";

  g_assert_cmpuint (rate_of (text, AT (7, 59)), ==, 0);
  g_assert_cmpuint (rate_of (text, AT (8, 0)), ==, 2000000);
  g_assert_cmpuint (rate_of (text, AT (17, 59)), ==, 2000000);
  g_assert_cmpuint (rate_of (text, AT (18, 0)), ==, 0);
}

static void
test_hours_go_over_midnight (void)
{
  const char *text = "22:00-06:00 off, 1MiB";

  g_assert_cmpuint (rate_of (text, AT (21, 59)), ==, 1048576);
  g_assert_cmpuint (rate_of (text, AT (22, 0)), ==, 0);
  g_assert_cmpuint (rate_of (text, AT (0, 0)), ==, 0);
  g_assert_cmpuint (rate_of (text, AT (5, 59)), ==, 0);
  g_assert_cmpuint (rate_of (text, AT (6, 0)), ==, 1048576);
}

static void
test_the_first_entry_that_fits_counts (void)
{
  const char *text = "12:00-13:00 8MB,08:00-18:00  2MB,20:00-24:00 3MB";

  g_assert_cmpuint (rate_of (text, AT (12, 30)), ==, 8000000);
  g_assert_cmpuint (rate_of (text, AT (13, 0)), ==, 2000000);
  g_assert_cmpuint (rate_of (text, AT (23, 59)), ==, 3000000);
  /* Hours that nobody names. */
  g_assert_cmpuint (rate_of (text, AT (19, 0)), ==, 0);
}

static void
test_what_is_no_timetable_is_refused (void)
{
  static const char *const texts[] = {
    "",
    "fast",
    "08:00-18:00",
    "8:00-18:00 2MB",
    "08:00-18:00 2MB,",
    "08:00 2MB",
    "25:00-26:00 1",
    "08:60-09:00 2MB",
    "08:00-08:00 2MB",
    "08:00-18:002MB",
    "-5MB",
    "08:00-24:01 1M",
    "08:00-18:00 2 MB",
    "0800-1800 2MB",
    "08:00-18:00 off off",
    "50,5MB",
    "off, 08:00-18:00 2MB",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (box_timetable_parse (texts[i], "--upload-rate", &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
      g_assert_true (g_str_has_prefix (error->message, "--upload-rate takes "));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) g_test_add_func ("/timetable/" path, test)
  ADD ("one-rate-is-for-all-day", test_one_rate_is_for_all_day);
  ADD ("hours-begin-and-end-on-the-minute", test_hours_begin_and_end_on_the_minute);
  ADD ("hours-go-over-midnight", test_hours_go_over_midnight);
  ADD ("the-first-entry-that-fits-counts", test_the_first_entry_that_fits_counts);
  ADD ("what-is-no-timetable-is-refused", test_what_is_no_timetable_is_refused);
  return g_test_run ();
}

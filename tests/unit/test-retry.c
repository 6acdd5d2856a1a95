/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/retry.h"

static GError *
new_failure (guint status, gint retry_after)
{
  BoxErrorDetails details = { .http_status = status, .retry_after = retry_after };

  return box_error_new_with_details (BOX_ERROR_TRANSIENT, &details, "failed");
}

static void
test_delays_double_up_to_half_a_minute (void)
{
  static const gint64 longest[] = { 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
  g_autoptr (GError) failure = new_failure (503, -1);

  for (guint i = 0; i < G_N_ELEMENTS (longest); i++)
    {
      g_assert_cmpint (box_retry_delay (i + 1, failure, 0), ==, longest[i] * 1000);
      g_assert_cmpint (box_retry_delay (i + 1, failure, G_MAXUINT32), >=, longest[i] * 500);
      g_assert_cmpint (box_retry_delay (i + 1, failure, G_MAXUINT32), <=, longest[i] * 501);
    }
  g_assert_cmpint (box_retry_delay (G_MAXUINT, failure, 0), ==, 30 * G_USEC_PER_SEC);
}

static void
test_retry_after_is_kept_to_within_reason (void)
{
  g_autoptr (GError) asked = new_failure (429, 7);
  g_autoptr (GError) bogus = new_failure (503, G_MAXINT);
  g_autoptr (GError) zero = new_failure (429, 0);

  g_assert_cmpint (box_retry_delay (1, asked, 0), ==, 7 * G_USEC_PER_SEC);
  g_assert_cmpint (box_retry_delay (9, asked, 0), ==, 7 * G_USEC_PER_SEC);
  g_assert_cmpint (box_retry_delay (1, asked, G_MAXUINT32), <=, 7 * G_USEC_PER_SEC * 5 / 4);
  g_assert_cmpint (box_retry_delay (9, asked, G_MAXUINT32), <=, 7 * G_USEC_PER_SEC * 5 / 4);
  g_assert_cmpint (box_retry_delay (1, bogus, 0), ==, BOX_RETRY_AFTER_MAX * G_USEC_PER_SEC);
  g_assert_cmpint (box_retry_delay (1, zero, 0), ==, G_USEC_PER_SEC / 2);
}

/* A hundred clients of one account, told the same second. */
static void
test_those_who_were_told_the_same_moment_return_one_after_another (void)
{
  static const gint asked[] = { 8, 40, 57, 3600 };
  const guint n = 100;

  for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
    {
      g_autoptr (GError) failure = new_failure (429, asked[i]);
      gint64 least = asked[i] * (gint64) G_USEC_PER_SEC, last = 0;
      gint64 width = MIN (least / 4, 60 * G_USEC_PER_SEC);

      for (guint k = 0; k < n; k++)
        {
          gint64 delay = box_retry_delay (1, failure, G_MAXUINT32 / n * k);

          g_assert_cmpint (delay, >=, least);
          g_assert_cmpint (delay, <, least + width);
          g_assert_true (k == 0 || delay - last >= width / n - 1);
          last = delay;
        }
    }
}

/* When a client whose requests fail from now on has its first one after @outage. */
static gint64
return_after (gint64 outage, GRand *rand)
{
  g_autoptr (GError) lost = new_failure (0, -1);
  gint64 now = 0;

  for (guint attempt = 1; now < outage; attempt++)
    now += box_retry_delay (attempt, lost, g_rand_int (rand));
  return now;
}

/* A hundred clients that lost the network together. The random numbers are the same in each run. */
static void
test_those_who_failed_together_do_not_return_together (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (14);
  guint in_bin[600] = { 0 }, most = 0;

  for (guint k = 0; k < 100; k++)
    in_bin[return_after (10 * G_USEC_PER_SEC, rand) / (G_USEC_PER_SEC / 10)]++;
  for (guint i = 0; i + 10 <= G_N_ELEMENTS (in_bin); i++)
    {
      guint in_a_second = 0;

      for (guint k = i; k < i + 10; k++)
        in_a_second += in_bin[k];
      most = MAX (most, in_a_second);
    }
  g_assert_cmpuint (most, <, 40);
}

/* A quarter of a second would be no difference. */
static void
test_a_short_wait_is_spread_as_well (void)
{
  g_autoptr (GError) failure = new_failure (429, 1);

  g_assert_cmpint (box_retry_delay (1, failure, 0), ==, G_USEC_PER_SEC);
  g_assert_cmpint (box_retry_delay (1, failure, G_MAXUINT32), >=, G_USEC_PER_SEC * 149 / 100);
  g_assert_cmpint (box_retry_delay (1, failure, G_MAXUINT32), <=, G_USEC_PER_SEC * 3 / 2);
}

static void
test_a_wait_is_asked_for_by_429_or_retry_after (void)
{
  g_autoptr (GError) limited = new_failure (429, -1);
  g_autoptr (GError) asked = new_failure (503, 3);
  g_autoptr (GError) down = new_failure (503, -1);
  g_autoptr (GError) lost = new_failure (0, -1);

  g_assert_true (box_retry_is_asked (limited));
  g_assert_true (box_retry_is_asked (asked));
  g_assert_false (box_retry_is_asked (down));
  g_assert_false (box_retry_is_asked (lost));
  g_assert_false (box_retry_is_asked (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/retry/delays-double-up-to-half-a-minute",
                   test_delays_double_up_to_half_a_minute);
  g_test_add_func ("/retry/retry-after-is-kept-to-within-reason",
                   test_retry_after_is_kept_to_within_reason);
  g_test_add_func ("/retry/those-who-were-told-the-same-moment-return-one-after-another",
                   test_those_who_were_told_the_same_moment_return_one_after_another);
  g_test_add_func ("/retry/those-who-failed-together-do-not-return-together",
                   test_those_who_failed_together_do_not_return_together);
  g_test_add_func ("/retry/a-short-wait-is-spread-as-well", test_a_short_wait_is_spread_as_well);
  g_test_add_func ("/retry/a-wait-is-asked-for-by-429-or-retry-after",
                   test_a_wait_is_asked_for_by_429_or_retry_after);
  return g_test_run ();
}

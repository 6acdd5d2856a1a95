/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "http/pace.h"
#include "kit/places.h"

/* Takes @n bytes at a virtual @now and moves it by the wait, as one sender would. */
static void
take (BoxPace *pace, gsize n, gint64 *now)
{
  *now += box_pace_take (pace, n, *now);
}

static void
test_no_rate_is_no_wait (void)
{
  g_autoptr (BoxPace) pace = box_pace_new (0);
  gint64 now = G_USEC_PER_SEC;

  for (guint i = 0; i < 1000; i++)
    g_assert_cmpint (box_pace_take (pace, 1 << 30, now), ==, 0);
}

static void
test_the_rate_holds_over_time (void)
{
  static const guint64 rates[] = { 1000, 125000, 20000000, G_GUINT64_CONSTANT (10000000000) };

  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      g_autoptr (BoxPace) pace = box_pace_new (rates[i]);
      gint64 begin = 100 * G_USEC_PER_SEC, now = begin;
      guint64 sent = 0;

      while (now < begin + 10 * G_USEC_PER_SEC)
        {
          gsize n = box_pace_slice (pace, 8192);

          take (pace, n, &now);
          sent += n;
        }
      g_assert_cmpfloat ((double) sent, >, 10.0 * (double) rates[i] * 0.98);
      g_assert_cmpfloat ((double) sent, <, 10.0 * (double) rates[i] * 1.02 + 8192);
    }
}

static void
test_idle_time_is_no_credit_for_a_burst (void)
{
  g_autoptr (BoxPace) pace = box_pace_new (1000000);
  gint64 now = 1000 * G_USEC_PER_SEC;
  guint64 at_once = 0;

  while (box_pace_take (pace, 1000, now) == 0)
    at_once += 1000;
  g_assert_cmpuint (at_once, <=, 60000);
}

static void
test_senders_share_the_rate (void)
{
  g_autoptr (BoxPace) pace = box_pace_new (1000000);
  gint64 now[4] = { G_USEC_PER_SEC, G_USEC_PER_SEC, G_USEC_PER_SEC, G_USEC_PER_SEC };
  guint64 sent = 0;

  for (guint i = 0; now[i % 4] < 11 * G_USEC_PER_SEC; i++, sent += 8192)
    take (pace, 8192, &now[i % 4]);
  g_assert_cmpuint (sent, >, 9800000);
  g_assert_cmpuint (sent, <, 10300000);
}

static void
test_a_new_rate_takes_effect_soon (void)
{
  g_autoptr (BoxPace) pace = box_pace_new (1000);
  gint64 now = G_USEC_PER_SEC;

  take (pace, box_pace_slice (pace, 8192), &now);
  g_assert_cmpint (box_pace_take (pace, box_pace_slice (pace, 8192), now), <=, G_USEC_PER_SEC);
  box_pace_set_rate (pace, 1000000);
  g_assert_cmpint (box_pace_take (pace, 8192, now), ==, 0);
  box_pace_set_rate (pace, 0);
  g_assert_cmpint (box_pace_take (pace, 1 << 30, now), ==, 0);
  g_assert_cmpuint (box_pace_slice (pace, 8192), ==, 8192);
}

static void
set_process_rate (const char *text)
{
  GError *error = NULL;

  g_assert_true (box_process_rate_set (text, "--upload-rate", &error));
  g_assert_no_error (error);
}

/* Bytes that two paces let pass in ten seconds. Without a rate of its own, none takes more than the
 * other (mirall's pull request 55). */
static guint64
send_with_two (BoxPace *a, BoxPace *b, gboolean alike, gint64 begin)
{
  gint64 now[2] = { begin, begin };
  guint64 sent[2] = { 0, 0 };

  while (MIN (now[0], now[1]) < begin + 10 * G_USEC_PER_SEC)
    {
      guint i = now[0] <= now[1] ? 0 : 1;
      BoxPace *pace = i == 0 ? a : b;
      gsize n = box_pace_slice (pace, 8192);

      take (pace, n, &now[i]);
      sent[i] += n;
    }
  if (alike)
    g_assert_cmpfloat ((double) MAX (sent[0], sent[1]), <, 1.1 * (double) MIN (sent[0], sent[1]));
  return sent[0] + sent[1];
}

static void
test_all_uploads_of_a_process_share_its_rate (void)
{
  g_autoptr (BoxPace) a = box_pace_new (0), b = box_pace_new (300000), c = box_pace_new (0);
  gint64 begin = g_get_monotonic_time () + 1000 * (gint64) G_USEC_PER_SEC;
  double sent;

  set_process_rate ("500kB");
  sent = (double) send_with_two (a, b, FALSE, begin);
  g_assert_cmpfloat (sent, >, 4900000);
  g_assert_cmpfloat (sent, <, 5120000);
  /* While the process runs. */
  set_process_rate ("00:00-24:00 2MB, off");
  sent = (double) send_with_two (a, b, FALSE, begin + 100 * G_USEC_PER_SEC);
  g_assert_cmpfloat (sent, >, 19600000);
  g_assert_cmpfloat (sent, <, 20400000);
  send_with_two (a, c, TRUE, begin + 200 * G_USEC_PER_SEC);
  set_process_rate (NULL);
  g_assert_cmpint (box_pace_take (a, 1 << 30, begin + 1000 * G_USEC_PER_SEC), ==, 0);
}

static void
test_a_file_with_the_rate_is_looked_at_again (void)
{
  g_autoptr (BoxPace) pace = box_pace_new (0);
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "rate", NULL);
  g_autofree char *name = g_strconcat ("@", path, NULL);
  gint64 now = g_get_monotonic_time () + 5000 * (gint64) G_USEC_PER_SEC;
  g_autoptr (GError) error = NULL;

  g_assert_false (box_process_rate_set (name, "--upload-rate", &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_true (g_file_set_contents (path, "off\n", -1, NULL));
  set_process_rate (name);
  g_assert_cmpint (box_pace_take (pace, 1 << 30, now), ==, 0);
  g_assert_true (g_file_set_contents (path, "1000\n", -1, NULL));
  now += 10 * G_USEC_PER_SEC;
  box_pace_take (pace, 1000, now);
  g_assert_cmpint (box_pace_take (pace, 1000, now), >, G_USEC_PER_SEC / 2);
  /* Nonsense, or no file: it stays. */
  g_assert_true (g_file_set_contents (path, "slow", -1, NULL));
  now += 10 * G_USEC_PER_SEC;
  box_pace_take (pace, 1000, now);
  g_assert_cmpint (box_pace_take (pace, 1000, now), >, G_USEC_PER_SEC / 2);
  set_process_rate (NULL);
  kit_remove_directory (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pace/no-rate-is-no-wait", test_no_rate_is_no_wait);
  g_test_add_func ("/pace/the-rate-holds-over-time", test_the_rate_holds_over_time);
  g_test_add_func ("/pace/idle-time-is-no-credit-for-a-burst",
                   test_idle_time_is_no_credit_for_a_burst);
  g_test_add_func ("/pace/senders-share-the-rate", test_senders_share_the_rate);
  g_test_add_func ("/pace/a-new-rate-takes-effect-soon", test_a_new_rate_takes_effect_soon);
  g_test_add_func ("/pace/all-uploads-of-a-process-share-its-rate",
                   test_all_uploads_of_a_process_share_its_rate);
  g_test_add_func ("/pace/a-file-with-the-rate-is-looked-at-again",
                   test_a_file_with_the_rate_is_looked_at_again);
  return g_test_run ();
}

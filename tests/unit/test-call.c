/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/retry.h"

#include <sys/resource.h>

/* Answers with the failures of a script, then with success. */
typedef struct
{
  const BoxErrorCode *codes; /* n of them, then success */
  guint n;
  gint retry_after;
  GCancellable *cancel_on; /* nullable: cancelled by the first attempt */
  guint attempts;
  guint told;
} Script;

static gboolean
attempt (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Script *script = user_data;
  BoxErrorDetails details = { .retry_after = script->retry_after };

  if (script->cancel_on != NULL)
    g_cancellable_cancel (script->cancel_on);
  if (script->attempts == script->n)
    return TRUE;
  g_propagate_error (
      error, box_error_new_with_details (script->codes[script->attempts++], &details, "No."));
  return FALSE;
}

static void
count_told (guint n, gint64 delay, const GError *reason, gpointer user_data)
{
  Script *script = user_data;

  g_assert_cmpuint (n, ==, script->attempts);
  g_assert_cmpint (delay, >=, 0);
  g_assert_nonnull (reason);
  script->told++;
}

static void
test_a_passing_failure_is_repeated_until_it_works (void)
{
  const BoxErrorCode codes[] = { BOX_ERROR_TRANSIENT, BOX_ERROR_TRANSIENT };
  Script script = { .codes = codes, .n = 2, .retry_after = 0 };
  BoxCallPolicy policy = { .timeout = 60, .retrying = count_told, .user_data = &script };
  g_autoptr (GError) error = NULL;

  g_assert_true (box_call (&policy, attempt, &script, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (script.attempts, ==, 2);
  g_assert_cmpuint (script.told, ==, 2);
}

static void
test_a_definite_failure_is_not_repeated (void)
{
  const BoxErrorCode codes[] = { BOX_ERROR_TRANSIENT, BOX_ERROR_FORBIDDEN, BOX_ERROR_TRANSIENT };
  Script script = { .codes = codes, .n = 3, .retry_after = 0 };
  BoxCallPolicy policy = { .timeout = 60 };
  g_autoptr (GError) error = NULL;

  g_assert_false (box_call (&policy, attempt, &script, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_FORBIDDEN);
  g_assert_cmpuint (script.attempts, ==, 2);
}

static void
test_a_wait_beyond_the_limit_is_not_begun (void)
{
  const BoxErrorCode codes[] = { BOX_ERROR_TRANSIENT };
  Script script = { .codes = codes, .n = 1, .retry_after = 200 };
  BoxCallPolicy policy = { .timeout = 60 };
  g_autoptr (GError) error = NULL;

  g_assert_false (box_call (&policy, attempt, &script, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_cmpuint (script.attempts, ==, 1);
}

static void
test_a_wait_ends_when_it_is_cancelled (void)
{
  const BoxErrorCode codes[] = { BOX_ERROR_TRANSIENT };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Script script = { .codes = codes, .n = 1, .retry_after = 250, .cancel_on = cancellable };
  BoxCallPolicy policy = { .timeout = 0 };
  g_autoptr (GError) error = NULL;
  gint64 began = g_get_monotonic_time ();

  g_assert_false (box_call (&policy, attempt, &script, cancellable, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 100 * G_USEC_PER_SEC);
}

/* GLib ends the process if it cannot make the descriptors that it waits with. */
static void
test_a_wait_needs_no_descriptor (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  struct rlimit before, none;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  none = before;
  none.rlim_cur = 0;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_true (box_call_sleep (1000, cancellable, &error));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/call/passing-failure-is-repeated-until-it-works",
                   test_a_passing_failure_is_repeated_until_it_works);
  g_test_add_func ("/call/definite-failure-is-not-repeated",
                   test_a_definite_failure_is_not_repeated);
  g_test_add_func ("/call/wait-beyond-the-limit-is-not-begun",
                   test_a_wait_beyond_the_limit_is_not_begun);
  g_test_add_func ("/call/wait-needs-no-descriptor", test_a_wait_needs_no_descriptor);
  g_test_add_func ("/call/wait-ends-when-it-is-cancelled", test_a_wait_ends_when_it_is_cancelled);
  return g_test_run ();
}

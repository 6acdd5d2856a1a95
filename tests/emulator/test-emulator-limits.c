/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls and uploads a minute of a user. The minute is the emulator's, which the tests move on; the
 * machine takes far less than one for a test.
 */
#include "emulator/emu-test.h"

#include "kit/emulator.h"

#define ME      "/users/me"
#define UPLOADS 2
#define CALLS   4

static gint64
get_retry_after (Answer *answer)
{
  const char *value = soup_message_headers_get_one (answer->headers, "Retry-After");

  g_assert_nonnull (value);
  return g_ascii_strtoll (value, NULL, 10);
}

static void
assert_limited (Answer *answer)
{
  assert_refused (answer, 429, "rate_limit_exceeded");
  g_assert_cmpint (get_retry_after (answer), >=, 1);
  g_assert_cmpint (get_retry_after (answer), <=, 60);
}

/* The status of a call with the headers of @who. */
static guint
call_as (Fixture *fixture, const char *token, const char *as_user)
{
  g_autofree char *bearer = g_strconcat ("Authorization: Bearer ", token, NULL);
  g_autofree char *user = as_user != NULL ? g_strconcat ("As-User: ", as_user, NULL) : NULL;
  g_autoptr (Answer) answer = ask (fixture, "GET", ME, NULL, bearer, user, NULL);

  return answer->status;
}

static void
use_up_calls (Fixture *fixture)
{
  for (guint i = 0; i < CALLS; i++)
    g_assert_cmpuint (call_as (fixture, "t", NULL), ==, 200);
}

static void
test_call_beyond_the_limit_is_refused_for_the_minute (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) refused = NULL, later = NULL;

  use_up_calls (fixture);
  refused = ask (fixture, "GET", ME, NULL, NULL);
  assert_limited (refused);
  box_emulator_advance_clock (fixture->emulator, 20);
  later = ask (fixture, "GET", ME, NULL, NULL);
  assert_limited (later);
  g_assert_cmpint (get_retry_after (later), <=, get_retry_after (refused) - 20 + 1);
}

/* Also if it was refused meanwhile: refused calls are not counted. */
static void
test_next_minute_has_as_many (Fixture *fixture, gconstpointer options)
{
  for (guint minute = 0; minute < 3; minute++)
    {
      use_up_calls (fixture);
      for (guint i = 0; i < CALLS + 1; i++)
        g_assert_cmpuint (call_as (fixture, "t", NULL), ==, 429);
      box_emulator_advance_clock (fixture->emulator, 60);
    }
}

static void
test_minute_ends_when_retry_after_says (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) refused = NULL;

  use_up_calls (fixture);
  refused = ask (fixture, "GET", ME, NULL, NULL);
  box_emulator_advance_clock (fixture->emulator, get_retry_after (refused));
  g_assert_cmpuint (call_as (fixture, "t", NULL), ==, 200);
}

static void
test_part_beyond_the_limit_is_refused_and_not_stored (Fixture *fixture, gconstpointer options)
{
  g_autofree char *session = create_session (fixture, "a", 4 * PART);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 4 * PART);
  g_autoptr (BoxEmulatorSession) stored = NULL;
  g_autoptr (Answer) refused = NULL, again = NULL;

  for (guint i = 0; i < UPLOADS; i++)
    {
      g_autoptr (Answer) part = put_part (fixture, session, data, i * PART);

      g_assert_cmpuint (part->status, ==, 200);
    }
  refused = put_part (fixture, session, data, UPLOADS * PART);
  assert_limited (refused);
  g_assert_cmpuint (call_as (fixture, "t", NULL), ==, 200);
  stored = box_emulator_get_session (fixture->emulator, session);
  g_assert_cmpuint (stored->n_stored, ==, UPLOADS);
  box_emulator_advance_clock (fixture->emulator, get_retry_after (refused));
  again = put_part (fixture, session, data, UPLOADS * PART);
  g_assert_cmpuint (again->status, ==, 200);
}

/* Box refuses these for another reason; they count all the same. */
static void
test_file_in_one_request_is_an_upload (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, PART);
  const char *const headers[] = { NULL };
  const guint expected[UPLOADS + 1] = { 400, 400, 429 };

  for (guint i = 0; i < UPLOADS + 1; i++)
    {
      g_autoptr (Answer) answer = ask_bytes (fixture, "POST", "/files/content", data, headers);

      g_assert_cmpuint (answer->status, ==, expected[i]);
    }
}

/* The limit is the user's, whatever token comes with it. */
static void
test_users_have_a_limit_each (Fixture *fixture, gconstpointer options)
{
  kit_load_accounts (fixture->emulator, "{\"users\": [{\"id\": \"2001\", \"name\": \"a\"},"
                                        "             {\"id\": \"2002\", \"name\": \"b\"}],"
                                        " \"tokens\": [{\"token\": \"A\", \"user\": \"2001\"},"
                                        "              {\"token\": \"B\", \"user\": \"2001\"}]}");
  for (guint i = 0; i < CALLS; i++)
    g_assert_cmpuint (call_as (fixture, i % 2 == 0 ? "A" : "B", NULL), ==, 200);
  g_assert_cmpuint (call_as (fixture, "A", NULL), ==, 429);
  g_assert_cmpuint (call_as (fixture, "B", NULL), ==, 429);
  g_assert_cmpuint (call_as (fixture, "A", "2002"), ==, 200);
}

static void
test_bad_tokens_take_nothing (Fixture *fixture, gconstpointer options)
{
  box_emulator_revoke_token (fixture->emulator, "bad");
  for (guint i = 0; i < CALLS + 1; i++)
    g_assert_cmpuint (call_as (fixture, "bad", NULL), ==, 401);
  use_up_calls (fixture);
  g_assert_cmpuint (call_as (fixture, "bad", NULL), ==, 401);
}

static void
test_without_limits_nothing_is_refused (Fixture *fixture, gconstpointer options)
{
  for (guint i = 0; i < 3 * CALLS; i++)
    g_assert_cmpuint (call_as (fixture, "t", NULL), ==, 200);
}

int
main (int argc, char **argv)
{
  static const BoxEmulatorOptions calls = { .part_size = PART,
                                            .min_size = 1,
                                            .calls_per_minute = CALLS };
  static const BoxEmulatorOptions uploads = { .part_size = PART,
                                              .min_size = 1,
                                              .uploads_per_minute = UPLOADS };

  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/limits/call-beyond-them-is-refused-for-the-minute",
            test_call_beyond_the_limit_is_refused_for_the_minute, &calls);
  ADD_TEST ("/limits/next-minute-has-as-many", test_next_minute_has_as_many, &calls);
  ADD_TEST ("/limits/minute-ends-when-retry-after-says", test_minute_ends_when_retry_after_says,
            &calls);
  ADD_TEST ("/limits/part-beyond-them-is-refused-and-not-stored",
            test_part_beyond_the_limit_is_refused_and_not_stored, &uploads);
  ADD_TEST ("/limits/file-in-one-request-is-an-upload", test_file_in_one_request_is_an_upload,
            &uploads);
  ADD_TEST ("/limits/users-have-one-each", test_users_have_a_limit_each, &calls);
  ADD_TEST ("/limits/bad-tokens-take-nothing", test_bad_tokens_take_nothing, &calls);
  ADD_TEST ("/limits/without-them-nothing-is-refused", test_without_limits_nothing_is_refused,
            NULL);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread asks, the others wait: by counting who asked, and what each was answered. */
#include "base/single-flight.h"
#include "kit/patience.h"

#define THREADS 20

/* An answer: the number of the question that found it. */
typedef struct
{
  guint number;
} Answer;

static guint n_cleared; /* atomic */

static void
answer_clear (gpointer data)
{
  g_atomic_int_inc (&n_cleared);
}

typedef struct
{
  BoxSingleFlight flight;
  BoxQuestion question;
  guint n_asked;    /* atomic */
  guint n_asking;   /* atomic; at this moment */
  gboolean overlap; /* atomic; more than one at a time */
  gboolean keep;
  guint accepted; /* the first number that is good enough */
  GMutex gate;    /* held by a test that does not want answers yet */
} Fixture;

static gpointer
ask (gboolean *keep, gpointer user_data)
{
  Fixture *fixture = user_data;
  Answer *answer = g_atomic_rc_box_new0 (Answer);

  answer->number = (guint) g_atomic_int_add (&fixture->n_asked, 1) + 1;
  if (g_atomic_int_add (&fixture->n_asking, 1) > 0)
    g_atomic_int_set (&fixture->overlap, TRUE);
  g_mutex_lock (&fixture->gate);
  g_mutex_unlock (&fixture->gate);
  g_atomic_int_add (&fixture->n_asking, -1);
  *keep = fixture->keep;
  return answer;
}

static gboolean
accepts (gconstpointer answer, gpointer user_data)
{
  const Fixture *fixture = user_data;

  return ((const Answer *) answer)->number >= fixture->accepted;
}

static void
fixture_init (Fixture *fixture, gboolean keep)
{
  *fixture = (Fixture){ .keep = keep };
  fixture->flight = (BoxSingleFlight){ .max_kept = 2, .clear_answer = answer_clear };
  fixture->question = (BoxQuestion){ .ask = ask, .accepts = accepts, .user_data = fixture };
  g_atomic_int_set (&n_cleared, 0);
}

/* Whatever was found is freed once, and nobody is left waiting. */
static void
fixture_clear (Fixture *fixture)
{
  g_assert_cmpuint (fixture->flight.n_waiting, ==, 0);
  g_clear_pointer (&fixture->flight.table, g_hash_table_unref);
  g_assert_cmpuint (g_atomic_int_get (&n_cleared), ==, g_atomic_int_get (&fixture->n_asked));
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

/* The number of the answer; 0: cancelled. */
static guint
ask_for (Fixture *fixture, const char *key, gboolean *kept, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  Answer *answer =
      box_single_flight_ask (&fixture->flight, key, &fixture->question, kept, cancellable, &error);
  guint number = answer != NULL ? answer->number : 0;

  if (answer == NULL)
    g_assert_error (error, BOX_ERROR, BOX_ERROR_CANCELLED);
  else
    g_assert_no_error (error);
  box_single_flight_unref (&fixture->flight, answer);
  return number;
}

/* ---- threads ---- */

typedef struct
{
  Fixture *fixture;
  GCancellable *cancellable; /* nullable */
  gboolean kept;
  GThread *thread;
} Asker;

static gpointer
run_asker (gpointer data)
{
  Asker *asker = data;

  return GUINT_TO_POINTER (ask_for (asker->fixture, "key", &asker->kept, asker->cancellable));
}

static void
start (Asker *asker, Fixture *fixture, GCancellable *cancellable)
{
  *asker = (Asker){ .fixture = fixture, .cancellable = cancellable };
  asker->thread = g_thread_new ("asker", run_asker, asker);
}

static guint
join (Asker *asker)
{
  return GPOINTER_TO_UINT (g_thread_join (asker->thread));
}

static gboolean
are_there (Fixture *fixture, guint n_asking, guint n_waiting)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&fixture->flight.lock);

  return fixture->flight.n_waiting == n_waiting
         && (guint) g_atomic_int_get (&fixture->n_asking) == n_asking;
}

/* Until so many threads ask, and so many wait for them. */
static void
await_askers (Fixture *fixture, guint n_asking, guint n_waiting)
{
  KIT_AWAIT (are_there (fixture, n_asking, n_waiting));
}

static void
test_many_threads_ask_once (void)
{
  g_auto (Fixture) fixture = { 0 };
  Asker askers[THREADS];
  gboolean kept = FALSE;

  fixture_init (&fixture, TRUE);
  g_mutex_lock (&fixture.gate);
  for (guint i = 0; i < THREADS; i++)
    start (&askers[i], &fixture, NULL);
  await_askers (&fixture, 1, THREADS - 1);
  g_mutex_unlock (&fixture.gate);
  for (guint i = 0; i < THREADS; i++)
    {
      g_assert_cmpuint (join (&askers[i]), ==, 1);
      g_assert_false (askers[i].kept);
    }
  g_assert_cmpuint (ask_for (&fixture, "key", &kept, NULL), ==, 1);
  g_assert_true (kept);
  g_assert_cmpuint (ask_for (&fixture, "another", &kept, NULL), ==, 2);
  g_assert_false (kept);
}

/* A failure is for those who wait for it, not for those who come later. */
static void
test_an_answer_that_is_not_kept_is_for_those_who_wait (void)
{
  g_auto (Fixture) fixture = { 0 };
  Asker askers[THREADS];
  gboolean kept = TRUE;

  fixture_init (&fixture, FALSE);
  g_mutex_lock (&fixture.gate);
  for (guint i = 0; i < THREADS; i++)
    start (&askers[i], &fixture, NULL);
  await_askers (&fixture, 1, THREADS - 1);
  g_mutex_unlock (&fixture.gate);
  for (guint i = 0; i < THREADS; i++)
    g_assert_cmpuint (join (&askers[i]), ==, 1);
  g_assert_cmpuint (ask_for (&fixture, "key", &kept, NULL), ==, 2);
  g_assert_false (kept);
}

static void
test_who_does_not_accept_the_answer_asks_next (void)
{
  g_auto (Fixture) fixture = { 0 };
  Asker askers[THREADS];
  guint n_first = 0;

  fixture_init (&fixture, FALSE);
  fixture.accepted = THREADS / 2;
  g_mutex_lock (&fixture.gate);
  for (guint i = 0; i < THREADS; i++)
    start (&askers[i], &fixture, NULL);
  await_askers (&fixture, 1, THREADS - 1);
  g_mutex_unlock (&fixture.gate);
  for (guint i = 0; i < THREADS; i++)
    n_first += join (&askers[i]) < fixture.accepted ? 1 : 0;
  /* Those who asked got what they found; the rest got what was good enough. */
  g_assert_cmpuint (n_first, ==, fixture.accepted - 1);
  g_assert_cmpuint (g_atomic_int_get (&fixture.n_asked), >=, fixture.accepted);
  g_assert_false (g_atomic_int_get (&fixture.overlap));
}

static void
test_a_wait_is_cancelled_but_not_the_question (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Asker first, second, third;

  fixture_init (&fixture, TRUE);
  g_mutex_lock (&fixture.gate);
  start (&first, &fixture, NULL);
  await_askers (&fixture, 1, 0);
  start (&second, &fixture, cancellable);
  start (&third, &fixture, NULL);
  await_askers (&fixture, 1, 2);
  g_cancellable_cancel (cancellable);
  g_assert_cmpuint (join (&second), ==, 0);
  g_mutex_unlock (&fixture.gate);
  g_assert_cmpuint (join (&first), ==, 1);
  g_assert_cmpuint (join (&third), ==, 1);
}

/* ---- memory ---- */

static void
test_a_kept_answer_that_is_not_accepted_is_asked_for_again (void)
{
  g_auto (Fixture) fixture = { 0 };
  gboolean kept;

  fixture_init (&fixture, TRUE);
  g_assert_cmpuint (ask_for (&fixture, "key", NULL, NULL), ==, 1);
  fixture.accepted = 2;
  g_assert_cmpuint (ask_for (&fixture, "key", &kept, NULL), ==, 2);
  g_assert_false (kept);
  g_assert_cmpuint (ask_for (&fixture, "key", &kept, NULL), ==, 2);
  g_assert_true (kept);
}

static void
test_what_is_forgotten_is_returned_once (void)
{
  g_auto (Fixture) fixture = { 0 };
  Answer *answer;

  fixture_init (&fixture, TRUE);
  g_assert_null (box_single_flight_forget (&fixture.flight, "key"));
  ask_for (&fixture, "key", NULL, NULL);
  answer = box_single_flight_forget (&fixture.flight, "key");
  g_assert_cmpuint (answer->number, ==, 1);
  box_single_flight_unref (&fixture.flight, answer);
  g_assert_null (box_single_flight_forget (&fixture.flight, "key"));
  g_assert_cmpuint (ask_for (&fixture, "key", NULL, NULL), ==, 2);
}

/* Neither by name nor to make room. */
static void
test_a_question_under_way_is_not_forgotten (void)
{
  g_auto (Fixture) fixture = { 0 };
  Fixture quick;
  Asker first, second;

  fixture_init (&fixture, TRUE);
  g_mutex_lock (&fixture.gate);
  start (&first, &fixture, NULL);
  await_askers (&fixture, 1, 0);
  g_assert_null (box_single_flight_forget (&fixture.flight, "key"));
  fixture_init (&quick, TRUE);
  for (guint i = 0; i < 2 * fixture.flight.max_kept; i++)
    {
      g_autofree char *key = g_strdup_printf ("other-%u", i);

      box_single_flight_unref (
          &fixture.flight,
          box_single_flight_ask (&fixture.flight, key, &quick.question, NULL, NULL, NULL));
    }
  start (&second, &fixture, NULL);
  await_askers (&fixture, 1, 1);
  g_mutex_unlock (&fixture.gate);
  g_assert_cmpuint (join (&first), ==, 1);
  g_assert_cmpuint (join (&second), ==, 1);
  g_atomic_int_add (&fixture.n_asked, (gint) quick.n_asked);
}

static void
test_memory_has_a_limit (void)
{
  g_auto (Fixture) fixture = { 0 };
  gboolean kept;

  fixture_init (&fixture, TRUE);
  ask_for (&fixture, "a", NULL, NULL);
  ask_for (&fixture, "b", NULL, NULL);
  ask_for (&fixture, "a", &kept, NULL);
  g_assert_true (kept);
  ask_for (&fixture, "c", NULL, NULL);
  g_assert_cmpuint (g_hash_table_size (fixture.flight.table), ==, 1);
  ask_for (&fixture, "a", &kept, NULL);
  g_assert_false (kept);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/single-flight/many-threads-ask-once", test_many_threads_ask_once);
  g_test_add_func ("/single-flight/an-answer-that-is-not-kept-is-for-those-who-wait",
                   test_an_answer_that_is_not_kept_is_for_those_who_wait);
  g_test_add_func ("/single-flight/who-does-not-accept-the-answer-asks-next",
                   test_who_does_not_accept_the_answer_asks_next);
  g_test_add_func ("/single-flight/a-wait-is-cancelled-but-not-the-question",
                   test_a_wait_is_cancelled_but_not_the_question);
  g_test_add_func ("/single-flight/a-kept-answer-that-is-not-accepted-is-asked-for-again",
                   test_a_kept_answer_that_is_not_accepted_is_asked_for_again);
  g_test_add_func ("/single-flight/what-is-forgotten-is-returned-once",
                   test_what_is_forgotten_is_returned_once);
  g_test_add_func ("/single-flight/a-question-under-way-is-not-forgotten",
                   test_a_question_under_way_is_not_forgotten);
  g_test_add_func ("/single-flight/memory-has-a-limit", test_memory_has_a_limit);
  return g_test_run ();
}

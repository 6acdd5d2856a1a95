/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/patience.h"

#define SECOND ((gint64) G_USEC_PER_SEC)
#define T      60
#define MIB    (1u << 20)

/* One step of a story: at @at seconds, something is seen or done. */
typedef struct
{
  guint at;
  enum
  {
    ENTER, /* @value: the phase */
    LOOK,  /* @value: bytes acknowledged; @queued */
    WRITTEN,
    REST, /* @value: seconds */
  } what;
  guint64 value;
  guint64 queued;
} Event;

typedef struct
{
  const char *name;
  guint64 body_size;
  guint slack;
  Event events[6];
  guint end; /* seconds: the verdict comes now, and not a second before */
  BoxPatienceVerdict verdict;
} Story;

static const Story stories[] = {
  { "connecting-has-no-silence", 0, 0, { { 0 } }, 5 * T, BOX_PATIENCE_TOO_LONG },
  { "a-proxy-says-nothing",
    0,
    0,
    { { 10, ENTER, BOX_PHASE_TALKING } },
    10 + T,
    BOX_PATIENCE_SILENCE },
  { "nothing-is-acknowledged",
    MIB,
    0,
    { { 10, ENTER, BOX_PHASE_SENDING }, { 11, LOOK, 100, 900 }, { 40, LOOK, 100, 900 } },
    11 + T,
    BOX_PATIENCE_SILENCE },
  { "what-the-kernel-took-is-no-progress-yet-what-left-is",
    MIB,
    0,
    { { 0, ENTER, BOX_PHASE_SENDING },
      { 1, WRITTEN },
      { 59, LOOK, 100, 900 },
      { 100, LOOK, 200, 800 } },
    100 + T,
    BOX_PATIENCE_SILENCE },
  { "the-reply-is-waited-for-when-all-was-acknowledged",
    MIB,
    0,
    { { 0, ENTER, BOX_PHASE_SENDING }, { 1, WRITTEN }, { 50, LOOK, 1000, 0 } },
    50 + T,
    BOX_PATIENCE_SILENCE },
  { "a-part-that-timed-out-while-it-moved-has-more-time",
    MIB,
    4,
    { { 0, ENTER, BOX_PHASE_SENDING }, { 1, WRITTEN }, { 50, LOOK, 1000, 0 } },
    50 + 4 * T,
    BOX_PATIENCE_SILENCE },
  { "a-body-that-is-not-there-yet-is-not-the-peers-fault",
    MIB,
    0,
    { { 0, ENTER, BOX_PHASE_SENDING }, { 50, LOOK, 1000, 0 }, { 100, LOOK, 1000, 0 } },
    100 + T,
    BOX_PATIENCE_SILENCE },
  { "a-rest-is-not-silence",
    MIB,
    0,
    { { 0, ENTER, BOX_PHASE_SENDING }, { 10, REST, 100 }, { 10, LOOK, 1000, 10 } },
    110 + T,
    BOX_PATIENCE_SILENCE },
};

static void
play (BoxPatience *patience, const Event *event)
{
  gint64 now = (gint64) event->at * SECOND;

  switch (event->what)
    {
    case ENTER:
      box_patience_enter (patience, (BoxPhase) event->value, now);
      break;
    case LOOK:
      box_patience_look (patience, event->value, 0, event->queued, 0, now);
      break;
    case WRITTEN:
      box_patience_written (patience);
      break;
    case REST:
      box_patience_rest (patience, (gint64) event->value * SECOND, now);
      break;
    }
}

static void
test_patience_ends (gconstpointer data)
{
  const Story *story = data;
  BoxPatience patience;

  box_patience_init (&patience, T, story->body_size, story->slack, 0);
  for (guint i = 0; i < G_N_ELEMENTS (story->events); i++)
    if (story->events[i].at > 0 || story->events[i].value > 0)
      play (&patience, &story->events[i]);
  g_assert_cmpint (box_patience_judge (&patience, ((gint64) story->end - 1) * SECOND), ==,
                   BOX_PATIENCE_HELD);
  g_assert_cmpint (box_patience_judge (&patience, (gint64) story->end * SECOND), ==,
                   story->verdict);
}

/* The second at which a request that moves with each look ends. */
static guint
drip (BoxPatience *patience, guint queued)
{
  for (guint second = 0; second < 100000; second++)
    {
      box_patience_look (patience, second + 1, 0, queued, 0, (gint64) second * SECOND);
      if (box_patience_judge (patience, (gint64) second * SECOND) != BOX_PATIENCE_HELD)
        return second;
    }
  return 0;
}

static void
test_what_drips_ends_too (void)
{
  BoxPatience patience;

  box_patience_init (&patience, T, 8 * MIB, 0, 0);
  box_patience_enter (&patience, BOX_PHASE_SENDING, 0);
  g_assert_cmpuint (drip (&patience, 1000), ==, 5 * T + 8192);
  g_assert_cmpint (box_patience_judge (&patience, 100000 * SECOND), !=, BOX_PATIENCE_HELD);

  box_patience_init (&patience, T, 8 * MIB, 0, 0);
  box_patience_enter (&patience, BOX_PHASE_SENDING, 0);
  box_patience_written (&patience);
  g_assert_cmpuint (drip (&patience, 0), ==, 5 * T);

  box_patience_init (&patience, T, 8 * MIB, 2, 0);
  box_patience_enter (&patience, BOX_PHASE_REPLY, 0);
  g_assert_cmpuint (drip (&patience, 0), ==, 10 * T);
}

/* A peer that talks and does not listen. */
static void
test_words_do_not_move_the_body (void)
{
  BoxPatience patience;

  box_patience_init (&patience, T, 8 * MIB, 0, 0);
  box_patience_enter (&patience, BOX_PHASE_SENDING, 0);
  for (guint second = 0; second < T; second++)
    {
      g_assert_cmpint (box_patience_judge (&patience, second * SECOND), ==, BOX_PATIENCE_HELD);
      box_patience_look (&patience, 0, second, 1000, 0, second * SECOND);
    }
  g_assert_cmpint (box_patience_judge (&patience, T * SECOND), ==, BOX_PATIENCE_SILENCE);
}

/* Five timeouts are the end of any reply. */
static void
test_a_peer_that_is_not_listened_to_is_not_silent_but_has_an_end (void)
{
  BoxPatience patience;

  box_patience_init (&patience, T, 0, 0, 0);
  box_patience_enter (&patience, BOX_PHASE_REPLY, 0);
  for (guint second = 0; second < 5 * T; second++)
    {
      g_assert_cmpint (box_patience_judge (&patience, second * SECOND), ==, BOX_PATIENCE_HELD);
      box_patience_look (&patience, 0, 1000, 0, 1000, second * SECOND);
    }
  g_assert_cmpint (box_patience_judge (&patience, 5 * T * SECOND), ==, BOX_PATIENCE_TOO_LONG);
}

/* The slowest link that a part is waited for on: 8 MiB at 100 kB/s, shared by sixteen. */
static void
test_a_slow_link_is_not_cut (void)
{
  const guint64 size = 8 * MIB, rate = 100000 / 16;
  BoxPatience patience;
  guint second = 0;

  box_patience_init (&patience, T, size, 0, 0);
  box_patience_enter (&patience, BOX_PHASE_SENDING, 0);
  box_patience_written (&patience);
  for (; second * rate < size; second++)
    {
      box_patience_look (&patience, second * rate, 0, size - second * rate, 0, second * SECOND);
      g_assert_cmpint (box_patience_judge (&patience, second * SECOND), ==, BOX_PATIENCE_HELD);
    }
  g_assert_cmpuint (second, >, 20 * T);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (stories); i++)
    {
      g_autofree char *path = g_strconcat ("/patience/ends/", stories[i].name, NULL);

      g_test_add_data_func (path, &stories[i], test_patience_ends);
    }
  g_test_add_func ("/patience/what-drips-ends-too", test_what_drips_ends_too);
  g_test_add_func ("/patience/words-do-not-move-the-body", test_words_do_not_move_the_body);
  g_test_add_func ("/patience/a-peer-that-is-not-listened-to-is-not-silent-but-has-an-end",
                   test_a_peer_that_is_not_listened_to_is_not_silent_but_has_an_end);
  g_test_add_func ("/patience/a-slow-link-is-not-cut", test_a_slow_link_is_not_cut);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every way that a file can take to its end: whatever may happen at each step is tried, from every
 * state that can be reached, and the rules of the house are checked at each.
 */
#include "delivery/policy.h"

#include <string.h>

/* No way is longer: each fact changes at most a few times. */
#define LONGEST 40

typedef struct
{
  GHashTable *seen; /* BoxDeliveryFacts */
  guint ends[BOX_DELIVERY_FAILED + 1];
  guint resent; /* on the way that is being explored */
  guint depth;
} Explorer;

static guint
hash (gconstpointer data)
{
  const guint8 *bytes = data;
  guint value = 5381;

  for (gsize i = 0; i < sizeof (BoxDeliveryFacts); i++)
    value = value * 33 + bytes[i];
  return value;
}

static gboolean
equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (BoxDeliveryFacts)) == 0;
}

static void
check_end (const BoxDeliveryFacts *facts, BoxDeliveryPhase phase)
{
  switch (phase)
    {
    case BOX_DELIVERY_SPOOLED:
      g_assert_true (facts->spooled && facts->left_to_others && facts->closed);
      break;
    case BOX_DELIVERY_COMMITTED:
      g_assert_true (facts->committed && facts->carrier == BOX_CARRIER_DONE);
      g_assert_true (facts->cleared || !facts->spooled);
      g_assert_true (facts->settled || !facts->to_settle);
      break;
    case BOX_DELIVERY_FILLED:
      g_assert_true (!facts->committed && facts->carrier == BOX_CARRIER_DONE);
      break;
    case BOX_DELIVERY_EMPTY:
      g_assert_true (facts->empty);
      break;
    case BOX_DELIVERY_FAILED:
      /* A file that Box has is no failure. */
      g_assert_false (facts->committed && facts->carrier == BOX_CARRIER_DONE);
      g_assert_true (facts->broken || facts->carrier == BOX_CARRIER_FAILED);
      /* Nothing that another upload can mend is the end of a recording. */
      g_assert_true (facts->broken || !facts->spooled || !facts->mendable || facts->again);
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
check_step (const Explorer *explorer, const BoxDeliveryFacts *facts, const BoxDeliveryStep *step)
{
  /* No upload's failure ends a recording that goes on. */
  if (facts->spooled && !facts->finished && !facts->broken && facts->phase < BOX_DELIVERY_ENDING)
    g_assert_cmpint (step->kind, ==, BOX_DELIVERY_WAIT);
  switch (step->kind)
    {
    case BOX_DELIVERY_WAIT:
      g_assert_false (facts->finished);
      break;
    case BOX_DELIVERY_CLOSE:
      g_assert_true (facts->finished && !facts->closed && !facts->empty);
      break;
    case BOX_DELIVERY_AWAIT:
      g_assert_true (facts->closed && facts->carrier == BOX_CARRIER_RUNNING);
      g_assert_false (facts->left_to_others);
      break;
    case BOX_DELIVERY_RESEND:
      g_assert_true (facts->closed && facts->spooled && !facts->left_to_others);
      g_assert_cmpuint (explorer->resent, ==, 0);
      break;
    case BOX_DELIVERY_SETTLE:
      g_assert_true (facts->committed && facts->to_settle && !facts->settled);
      break;
    case BOX_DELIVERY_CLEAR:
      /* The recording has what is left to do. */
      g_assert_true (facts->settled || !facts->to_settle);
      g_assert_true (facts->spooled && facts->committed && !facts->cleared);
      break;
    case BOX_DELIVERY_ENTER:
      g_assert_cmpint (step->phase, >, facts->phase);
      if (box_delivery_phase_is_end (step->phase))
        check_end (facts, step->phase);
      break;
    case BOX_DELIVERY_STOP:
      g_assert_true (box_delivery_phase_is_end (facts->phase));
      break;
    }
}

static void explore (Explorer *explorer, const BoxDeliveryFacts *facts);

static void
explore_failures (Explorer *explorer, BoxDeliveryFacts facts)
{
  facts.carrier = BOX_CARRIER_FAILED;
  for (guint mendable = 0; mendable < 2; mendable++)
    {
      facts.mendable = mendable != 0;
      explore (explorer, &facts);
    }
}

/* Events between two steps, or during one. */
static void
explore_events (Explorer *explorer, const BoxDeliveryFacts *facts)
{
  BoxDeliveryFacts next = *facts;

  if (facts->carrier == BOX_CARRIER_RUNNING)
    explore_failures (explorer, *facts);
  next.broken = TRUE;
  explore (explorer, &next);
  /* A stream that outgrows what was declared leaves its upload behind. */
  next = *facts;
  next.carrier = BOX_CARRIER_NONE;
  if (facts->spooled && facts->carrier != BOX_CARRIER_DONE && !facts->again)
    explore (explorer, &next);
}

static void
explore_done (Explorer *explorer, BoxDeliveryFacts facts)
{
  facts.carrier = BOX_CARRIER_DONE;
  for (guint committed = 0; committed < 2; committed++)
    {
      facts.committed = committed != 0;
      explore (explorer, &facts);
    }
}

static void
explore_step (Explorer *explorer, const BoxDeliveryFacts *facts, const BoxDeliveryStep *step)
{
  BoxDeliveryFacts next = *facts;

  switch (step->kind)
    {
    case BOX_DELIVERY_WAIT:
      explore_events (explorer, facts);
      next.finished = TRUE;
      explore (explorer, &next);
      next.empty = TRUE;
      explore (explorer, &next);
      break;
    case BOX_DELIVERY_CLOSE:
      explore_events (explorer, facts);
      next.closed = TRUE;
      explore (explorer, &next);
      break;
    case BOX_DELIVERY_AWAIT:
      explore_failures (explorer, *facts);
      explore_done (explorer, *facts);
      break;
    case BOX_DELIVERY_RESEND:
      next.again = next.settled = next.cleared = TRUE;
      explorer->resent++;
      explore_failures (explorer, next);
      explore_done (explorer, next);
      next.carrier = BOX_CARRIER_DONE;
      next.empty = TRUE;
      explore (explorer, &next);
      explorer->resent--;
      break;
    case BOX_DELIVERY_SETTLE:
      next.broken = TRUE; /* meanwhile */
      explore (explorer, &next);
      next.broken = facts->broken;
      next.settled = TRUE;
      explore (explorer, &next);
      /* Refused: what is left of the recording stays. */
      next.cleared = TRUE;
      explore (explorer, &next);
      break;
    case BOX_DELIVERY_CLEAR:
      next.cleared = TRUE;
      explore (explorer, &next);
      break;
    case BOX_DELIVERY_ENTER:
      next.phase = step->phase;
      if (box_delivery_phase_is_end (step->phase))
        explorer->ends[step->phase]++;
      explore (explorer, &next);
      break;
    case BOX_DELIVERY_STOP:
      break;
    }
}

static void
explore (Explorer *explorer, const BoxDeliveryFacts *facts)
{
  BoxDeliveryStep step = box_delivery_next (facts);

  check_step (explorer, facts, &step);
  if (!g_hash_table_add (explorer->seen, g_memdup2 (facts, sizeof *facts)))
    return;
  g_assert_cmpuint (++explorer->depth, <, LONGEST);
  explore_step (explorer, facts, &step);
  explorer->depth--;
}

static void
explorer_init (Explorer *explorer)
{
  memset (explorer, 0, sizeof *explorer);
  explorer->seen = g_hash_table_new_full (hash, equal, g_free, NULL);
}

/* Streams into memory and into the spool, with and without an upload beside it, for us and for
 * others. */
static void
test_streams (void)
{
  Explorer explorer;

  explorer_init (&explorer);
  for (guint i = 0; i < 16; i++)
    {
      BoxDeliveryFacts facts = { 0 };

      facts.spooled = (i & 1) != 0;
      facts.left_to_others = (i & 2) != 0;
      facts.to_settle = (i & 8) != 0;
      facts.carrier = (i & 4) != 0 ? BOX_CARRIER_NONE : BOX_CARRIER_RUNNING;
      /* In memory there is always an upload, and nothing could be left to others. */
      if (facts.spooled || (!facts.left_to_others && facts.carrier == BOX_CARRIER_RUNNING))
        explore (&explorer, &facts);
    }
  for (guint end = BOX_DELIVERY_SPOOLED; end <= BOX_DELIVERY_FAILED; end++)
    g_assert_cmpuint (explorer.ends[end], >, 0);
  g_test_message ("%u states", g_hash_table_size (explorer.seen));
  g_hash_table_unref (explorer.seen);
}

static void
test_recordings (void)
{
  BoxDeliveryFacts facts = { 0 };
  Explorer explorer;

  facts.spooled = facts.finished = facts.closed = TRUE;
  facts.phase = BOX_DELIVERY_UPLOADING;
  explorer_init (&explorer);
  explore (&explorer, &facts);
  g_assert_cmpuint (explorer.ends[BOX_DELIVERY_COMMITTED], >, 0);
  g_assert_cmpuint (explorer.ends[BOX_DELIVERY_FILLED], >, 0);
  g_assert_cmpuint (explorer.ends[BOX_DELIVERY_EMPTY], >, 0);
  g_assert_cmpuint (explorer.ends[BOX_DELIVERY_FAILED], >, 0);
  g_assert_cmpuint (explorer.ends[BOX_DELIVERY_SPOOLED], ==, 0);
  g_hash_table_unref (explorer.seen);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/phases/streams", test_streams);
  g_test_add_func ("/phases/recordings", test_recordings);
  return g_test_run ();
}

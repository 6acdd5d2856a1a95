/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One file on its way to Box under any order of events: its phase only moves forward, each step
 * makes sense where it is taken, and an end is reached once and stays.
 */
#include "fuzz.h"

#include "delivery/policy.h"

/* More steps than any file takes. */
#define MANY 100

typedef struct
{
  BoxDeliveryFacts facts;
  gboolean resent;
  guint closes;
  guint ends;
} File;

static void
end_carrier (File *file, guint8 how)
{
  BoxDeliveryFacts *facts = &file->facts;

  if (facts->carrier != BOX_CARRIER_RUNNING)
    return;
  facts->carrier = how % 2 == 0 ? BOX_CARRIER_DONE : BOX_CARRIER_FAILED;
  facts->committed = facts->carrier == BOX_CARRIER_DONE && how % 4 < 2;
  facts->mendable = facts->carrier == BOX_CARRIER_FAILED && how % 8 < 4;
}

/* From outside: the stream, the carrier, the disk. */
static void
happen (File *file, guint8 what)
{
  BoxDeliveryFacts *facts = &file->facts;

  switch (what % 4)
    {
    case 0:
      facts->empty = !facts->finished && what > 200;
      facts->finished = TRUE;
      break;
    case 1:
      end_carrier (file, what / 4);
      break;
    case 2:
      facts->broken |= what > 230;
      break;
    default:
      break;
    }
}

static void
enter (File *file, BoxDeliveryPhase phase)
{
  const BoxDeliveryFacts *facts = &file->facts;

  g_assert_cmpint (phase, >, facts->phase);
  g_assert_true (phase != BOX_DELIVERY_COMMITTED || facts->committed);
  g_assert_true (phase != BOX_DELIVERY_COMMITTED || !facts->spooled || facts->cleared);
  g_assert_true (phase != BOX_DELIVERY_COMMITTED || !facts->to_settle || facts->settled);
  g_assert_true (phase != BOX_DELIVERY_SPOOLED || (facts->closed && facts->left_to_others));
  g_assert_true (phase != BOX_DELIVERY_EMPTY || facts->empty);
  g_assert_true (phase != BOX_DELIVERY_ENDING || facts->finished);
  file->ends += box_delivery_phase_is_end (phase) ? 1 : 0;
  file->facts.phase = phase;
}

static void
act (File *file, const BoxDeliveryStep *step, guint8 how)
{
  BoxDeliveryFacts *facts = &file->facts;

  switch (step->kind)
    {
    case BOX_DELIVERY_CLOSE:
      g_assert_true (facts->finished);
      g_assert_cmpuint (++file->closes, ==, 1);
      facts->closed = TRUE;
      break;
    case BOX_DELIVERY_AWAIT:
      end_carrier (file, how);
      break;
    case BOX_DELIVERY_RESEND:
      g_assert_true (facts->spooled && facts->closed && !file->resent);
      file->resent = facts->again = facts->settled = facts->cleared = TRUE;
      facts->carrier = BOX_CARRIER_RUNNING;
      end_carrier (file, how);
      break;
    case BOX_DELIVERY_SETTLE:
      g_assert_true (facts->committed && facts->to_settle && !facts->settled);
      facts->settled = TRUE;
      break;
    case BOX_DELIVERY_CLEAR:
      g_assert_true (facts->committed && facts->spooled && !facts->cleared);
      facts->cleared = TRUE;
      break;
    case BOX_DELIVERY_ENTER:
      enter (file, step->phase);
      break;
    case BOX_DELIVERY_WAIT:
      g_assert_false (facts->finished);
      break;
    case BOX_DELIVERY_STOP:
      g_assert_true (box_delivery_phase_is_end (facts->phase));
      break;
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 kind = size > 0 ? data[0] : 0;
  File file = { .facts = { .spooled = kind & 1, .to_settle = (kind & 4) != 0 } };
  BoxDeliveryStep step = { 0 };

  file.facts.left_to_others = file.facts.spooled && (kind & 2) != 0;
  file.facts.carrier =
      file.facts.spooled && (kind & 8) != 0 ? BOX_CARRIER_NONE : BOX_CARRIER_RUNNING;
  for (gsize i = 1; i < size && file.ends == 0; i++)
    {
      happen (&file, data[i]);
      step = box_delivery_next (&file.facts);
      act (&file, &step, data[i] / 8);
    }
  file.facts.finished = TRUE;
  for (guint i = 0; i < MANY && step.kind != BOX_DELIVERY_STOP; i++)
    {
      step = box_delivery_next (&file.facts);
      act (&file, &step, (guint8) i);
    }
  g_assert_cmpint (step.kind, ==, BOX_DELIVERY_STOP);
  g_assert_cmpuint (file.ends, ==, 1);
  return 0;
}

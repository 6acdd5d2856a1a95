/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reply to a plan: whatever it says, only parts that were asked for are there, each once, with
 * the bytes that were asked for.
 */
#include "fuzz.h"

#include "api/calls.h"

#define N_PARTS   4
#define PART_SIZE 8388608

static GPtrArray *
make_asked (void)
{
  GPtrArray *asked = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);

  for (guint i = 0; i < N_PARTS; i++)
    {
      BoxPart part = { .id = (char *) "", .offset = (guint64) i * PART_SIZE, .size = PART_SIZE };

      part.has_sha512 = TRUE;
      part.sha512.bytes[0] = (guint8) i;
      g_ptr_array_add (asked, box_part_copy (&part));
    }
  return asked;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GPtrArray) asked = make_asked ();
  g_autoptr (GBytes) reply = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) hits = box_plan_parse_hits (reply, asked, &error);
  guint seen = 0;

  g_assert_true ((hits == NULL) == (error != NULL));
  for (guint i = 0; hits != NULL && i < hits->len; i++)
    {
      const BoxPart *hit = g_ptr_array_index (hits, i);
      guint index = (guint) (hit->offset / PART_SIZE);

      g_assert_cmpuint (index, <, N_PARTS);
      g_assert_cmpuint (hit->offset % PART_SIZE, ==, 0);
      g_assert_cmpuint (hit->size, ==, PART_SIZE);
      g_assert_cmpuint (hit->sha512.bytes[0], ==, index);
      g_assert_cmpstr (hit->id, !=, "");
      g_assert_cmpuint (seen & 1u << index, ==, 0);
      seen |= 1u << index;
    }
  return 0;
}

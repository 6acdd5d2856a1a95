/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * parallel=16 means sixteen requests under way at the same time, neither fewer nor more.
 */
#include "parts-fixture.h"

static void
test_sixteen_parts_are_in_flight (gconstpointer data)
{
  g_autoptr (SinkFixture) fixture =
      parts_fixture_new (RULE ({"route": "upload_part", "do": "hold", "name": "gate"}));
  g_autofree char *path = NULL;

  fixture->tls = GPOINTER_TO_INT (data);
  path = parts_fixture_launch (fixture, "parallel=16");
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_seen (fixture->emulator, "upload_part", 16, KIT_PATIENCE_MS));
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "parts-in-flight"), ==, 16);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "parts-uploaded"), ==, 0);
  box_emulator_release (fixture->emulator, "gate");

  parts_fixture_play_to_the_end (fixture, path);
  g_assert_cmpuint (box_emulator_count_parallel (fixture->emulator, "upload_part"), ==, 16);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_data_func ("/parallel/sixteen-parts-are-in-flight/http", GINT_TO_POINTER (FALSE),
                        test_sixteen_parts_are_in_flight);
  g_test_add_data_func ("/parallel/sixteen-parts-are-in-flight/tls", GINT_TO_POINTER (TRUE),
                        test_sixteen_parts_are_in_flight);
  return g_test_run ();
}

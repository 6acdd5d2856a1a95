/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * parallel=16 means sixteen requests under way at the same time, neither fewer nor more.
 */
#include "../element/sink-fixture.h"

#define PART 1000000
#define SIZE 24500000

static void
test_sixteen_parts_are_in_flight (gconstpointer data)
{
  BoxEmulatorOptions options = { .part_size = PART };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autoptr (GError) error = NULL;

  fixture->tls = GPOINTER_TO_INT (data);
  box_emulator_load_scenario (
      fixture->emulator, "[{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"gate\"}]", &error);
  g_assert_no_error (error);
  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink location=box://0/a "
                       "parallel=16",
                       path);

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_seen (fixture->emulator, "upload_part", 16, 60000));
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "parts-in-flight"), ==, 16);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "parts-uploaded"), ==, 0);
  box_emulator_release (fixture->emulator, "gate");

  g_assert_true (sink_fixture_run (fixture));
  g_assert_cmpuint (box_emulator_count_parallel (fixture->emulator, "upload_part"), ==, 16);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_part"), ==, 25);
  sink_fixture_assert_stored (fixture, "0", "a", path);
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

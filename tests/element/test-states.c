/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * State changes without and around data: none hangs, none fails silently, and nothing is left
 * behind.
 */
#include "kit/leaks.h"
#include "kit/places.h"
#include "sink-fixture.h"

static void
set_destination (SinkFixture *fixture)
{
  g_object_set (fixture->sink, "location", "box://0/state.bin", "total-size",
                G_GUINT64_CONSTANT (1000), NULL);
}

static void
test_up_and_down (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);

  sink_fixture_make_sink (fixture);
  set_destination (fixture);
  for (guint i = 0; i < 20; i++)
    {
      g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_READY), ==,
                       GST_STATE_CHANGE_SUCCESS);
      g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_PLAYING), ==,
                       GST_STATE_CHANGE_ASYNC);
      g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_READY), ==,
                       GST_STATE_CHANGE_SUCCESS);
      g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_PAUSED), ==,
                       GST_STATE_CHANGE_ASYNC);
      g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_NULL), ==,
                       GST_STATE_CHANGE_SUCCESS);
    }
  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_ERROR), ==, 0);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_missing_destination_fails_ready (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);

  sink_fixture_make_sink (fixture);
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_READY), ==,
                   GST_STATE_CHANGE_FAILURE);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SETTINGS, "session, location");
}

static void
test_ready_needs_no_network (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);

  sink_fixture_make_sink (fixture);
  set_destination (fixture);
  g_object_set (fixture->sink, "total-size", G_GUINT64_CONSTANT (30000000), NULL);
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_READY), ==,
                   GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, NULL), ==, 0);
}

static void
test_uploads_again_from_ready (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, 12345);
  static const char *const names[] = { "first", "second", "third" };

  sink_fixture_launch (fixture, "filesrc location=%s ! boxuploadsink name=sink", path);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_object_set (fixture->sink, "file-name", names[i], NULL);
      g_assert_true (sink_fixture_run (fixture));
      sink_fixture_assert_stored (fixture, "0", names[i], path);
      g_ptr_array_set_size (fixture->messages, 0);
      gst_element_set_state (fixture->pipeline, GST_STATE_READY);
    }
}

static void
test_uploads_without_preroll (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, 12345);

  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink async=false "
                       "location=box://0/a",
                       path);
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", path);
}

static void
test_eos_in_paused_commits_when_played (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, 1);

  sink_fixture_launch (fixture, "filesrc location=%s ! boxuploadsink name=sink location=box://0/a",
                       path);
  gst_element_set_state (fixture->pipeline, GST_STATE_PAUSED);
  sink_fixture_wait (fixture, GST_MESSAGE_ASYNC_DONE);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", path);
}

/* In a process of its own: nothing else may have loaded TLS. */
static void
test_ready_does_not_load_tls (void)
{
  g_autoptr (GstElement) sink = NULL;
  g_autofree char *maps = NULL;
  char *ca_file;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  ca_file = kit_new_file ("-----BEGIN CERTIFICATE-----\n");
  sink = gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  g_object_set (sink, "location", "box://0/a", "access-token", "t", "ca-file", ca_file, NULL);
  g_assert_cmpint (gst_element_set_state (sink, GST_STATE_READY), ==, GST_STATE_CHANGE_SUCCESS);
  maps = kit_read_text ("/proc/self/maps");
  g_assert_null (strstr (maps, "libgiognutls"));
  gst_element_set_state (sink, GST_STATE_NULL);
  kit_remove_file (ca_file);
}

/* Threads belong to the process, not to an upload: a hundred uploads need no more than a few.
 * Without those of the emulator, which has one for each connection until it sees its end. */
static guint
count_threads (void)
{
  return kit_count_threads ("") - kit_count_threads ("emu-");
}

static void
upload_once (SinkFixture *fixture, const char *path, guint i)
{
  g_autofree char *name = g_strdup_printf ("%u.bin", i);

  g_object_set (fixture->sink, "file-name", name, NULL);
  g_assert_true (sink_fixture_run (fixture));
  gst_element_set_state (fixture->pipeline, GST_STATE_NULL);
  g_ptr_array_set_size (fixture->messages, 0);
}

static void
test_threads_do_not_pile_up (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, 1000);
  guint before;

  sink_fixture_launch (fixture, "filesrc location=%s ! boxuploadsink name=sink", path);
  for (guint i = 0; i < 5; i++)
    upload_once (fixture, path, i);
  before = count_threads ();
  for (guint i = 5; i < 100; i++)
    upload_once (fixture, path, i);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 100);
  g_assert_cmpuint (count_threads (), <=, before + 40);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/states/up-and-down-without-data", test_up_and_down);
  g_test_add_func ("/states/ready-does-not-load-tls", test_ready_does_not_load_tls);
  g_test_add_func ("/states/a-missing-destination-fails-ready",
                   test_missing_destination_fails_ready);
  g_test_add_func ("/states/ready-needs-no-network", test_ready_needs_no_network);
  g_test_add_func ("/states/uploads-again-from-ready", test_uploads_again_from_ready);
  g_test_add_func ("/states/uploads-without-preroll", test_uploads_without_preroll);
  g_test_add_func ("/states/eos-in-paused-commits-when-played",
                   test_eos_in_paused_commits_when_played);
  g_test_add_func ("/states/threads-do-not-pile-up", test_threads_do_not_pile_up);
  return g_test_run ();
}

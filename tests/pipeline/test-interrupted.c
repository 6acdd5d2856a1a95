/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pauses, stops, flushes and outages at every stage: nothing is lost, nothing is sent twice, and
 * nobody waits who wants to stop.
 */
#include "kit/pattern.h"
#include "parts-fixture.h"

#include <string.h>

static void
set_state_at_once (SinkFixture *fixture, GstState state)
{
  gint64 begin = g_get_monotonic_time ();

  gst_element_set_state (fixture->pipeline, state);
  g_assert_cmpint (gst_element_get_state (fixture->pipeline, NULL, NULL, SINK_FIXTURE_PATIENCE), ==,
                   GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, AT_ONCE);
}

/* The stream waits for room when the pause comes; transfers go on meanwhile. */
static void
test_pause_while_waiting_for_room (void)
{
  g_autoptr (SinkFixture) fixture =
      parts_fixture_new (RULE ({"route": "upload_part", "part": 0, "do": "hold", "name": "gate"}));
  g_autofree char *path = parts_fixture_launch (fixture, "parallel=1 max-memory=2000000");

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  set_state_at_once (fixture, GST_STATE_PAUSED);
  box_emulator_release (fixture->emulator, "gate");
  sink_fixture_wait_element (fixture, "boxuploadsink-part");
  parts_fixture_play_to_the_end (fixture, path);
}

static void
test_pause_while_waiting_for_the_commit (void)
{
  g_autoptr (SinkFixture) fixture =
      parts_fixture_new (RULE ({"route": "commit", "do": "hold", "name": "gate"}));
  g_autofree char *path = parts_fixture_launch (fixture, "");

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  set_state_at_once (fixture, GST_STATE_PAUSED);
  box_emulator_release (fixture->emulator, "gate");
  sink_fixture_wait_element (fixture, "boxuploadsink-complete");
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_EOS), ==, 0);
  parts_fixture_play_to_the_end (fixture, path);
}

static void
test_many_pauses (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autofree char *path = parts_fixture_launch (fixture, "parallel=2 max-memory=2000000");

  box_emulator_set_rate (fixture->emulator, 20000000);
  for (guint i = 0; i < 30; i++)
    {
      set_state_at_once (fixture, GST_STATE_PLAYING);
      set_state_at_once (fixture, GST_STATE_PAUSED);
    }
  parts_fixture_play_to_the_end (fixture, path);
}

/* The request that was held is cut off, not left to itself. A server that does not read a body
 * cannot see that. */
static void
assert_cut_off (SinkFixture *fixture, const char *route)
{
  g_autoptr (GPtrArray) requests = NULL;
  const BoxEmulatorRequest *request;

  if (g_str_equal (route, "upload_part"))
    return;
  g_assert_true (box_emulator_wait_done (fixture->emulator, route, 1, KIT_PATIENCE_MS));
  requests = box_emulator_get_requests (fixture->emulator, route);
  request = g_ptr_array_index (requests, 0);
  g_assert_true (request->aborted);
}

/* Where the upload stands when the pipeline is stopped: a request of this route is held. */
static void
test_stop (gconstpointer data)
{
  const char *route = data;
  g_autofree char *scenario =
      g_strdup_printf (RULE ({"route": "%s", "do": "hold", "name": "gate"}), route);
  g_autoptr (SinkFixture) fixture = parts_fixture_new (scenario);
  g_autofree char *path = parts_fixture_launch (fixture, "parallel=2 max-memory=2000000");

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  set_state_at_once (fixture, GST_STATE_READY);
  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_ERROR), ==, 0);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_EOS), ==, 0);
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
  set_state_at_once (fixture, GST_STATE_NULL);
  assert_cut_off (fixture, route);
}

/* A recording that READY cut short can be made again, whole. */
static void
test_stop_and_begin_again (void)
{
  g_autoptr (SinkFixture) fixture =
      parts_fixture_new (RULE ({"route": "upload_part", "times": 3, "do": "hold", "name": "gate"}));
  g_autofree char *path = parts_fixture_launch (fixture, "parallel=2");

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  set_state_at_once (fixture, GST_STATE_READY);
  box_emulator_release (fixture->emulator, "gate");
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", path);
}

/* --- Flushes -------------------------------------------------------------------------------- */

static void
push_flush (SinkFixture *fixture)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE)));
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
}

static void
start_harness (SinkFixture *fixture)
{
  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", "total-size", (guint64) SIZE, NULL);
  sink_fixture_start_harness (fixture);
}

static void
test_flush_before_the_first_part (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (GBytes) other = g_bytes_new_from_bytes (bytes, 7, PART / 2);

  start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, other, 0, PART / 2), ==, GST_FLOW_OK);
  push_flush (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_stored_bytes (fixture, "0", "a", bytes);
  sink_fixture_assert_progress_balanced (fixture);
}

static void
test_flush_before_any_data_changes_nothing (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (GPtrArray) ids = NULL;

  start_harness (fixture);
  push_flush (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_stored_bytes (fixture, "0", "a", bytes);
  ids = box_emulator_get_session_ids (fixture->emulator);
  g_assert_cmpuint (ids->len, ==, 1);
}

static void
test_flush_after_the_first_part (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 2 * PART), ==, GST_FLOW_OK);
  sink_fixture_wait_element (fixture, "boxuploadsink-part");
  push_flush (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_ERROR);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SEEK, "flushed");
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_flush_after_the_commit (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
  push_flush (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_ERROR);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SEEK, "committed");
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 1);
}

static void
test_segment_elsewhere (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  GstSegment segment;

  start_harness (fixture);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment)));
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 100), ==, GST_FLOW_OK);
  segment.start = 100;
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment)));
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 100, 100), ==, GST_FLOW_OK);
  segment.start = 32;
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 32, 100), ==, GST_FLOW_ERROR);
  g_assert_false (sink_fixture_push_eos (fixture));
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SEEK, "byte 32 after byte 200");
}

/* --- Outages -------------------------------------------------------------------------------- */

/* Until the progress of the commit has both words. */
static void
wait_for_progress (SinkFixture *fixture, const char *first, const char *second)
{
  gboolean found = FALSE;

  while (!found)
    {
      g_autofree char *text = NULL;

      gst_message_parse_progress (sink_fixture_wait (fixture, GST_MESSAGE_PROGRESS), NULL, NULL,
                                  &text);
      found = strstr (text, first) != NULL && strstr (text, second) != NULL;
    }
}

/* What it waits for, and how long, is in its progress; gst-launch-1.0 prints the debug text of an
 * INFO only. */
static void
test_eos_during_an_outage (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (
      RULE ({"route": "upload_part", "part": 3, "times": 1, "do": "hold", "name": "gate"}));
  g_autofree char *path = parts_fixture_launch (fixture, "max-memory=60000000");
  g_autoptr (GError) info = NULL;
  g_autofree char *debug = NULL;
  GstMessage *message;

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  box_emulator_set_down (fixture->emulator, TRUE);
  box_emulator_release (fixture->emulator, "gate");
  message = sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  g_assert_true (GST_MESSAGE_SRC (message) == GST_OBJECT (fixture->sink));
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_EOS), ==, 0);
  wait_for_progress (fixture, "waiting for Box for ", "gives up after 600 s without progress");

  box_emulator_set_down (fixture->emulator, FALSE);
  gst_message_parse_info (sink_fixture_wait (fixture, GST_MESSAGE_INFO), &info, &debug);
  g_assert_nonnull (strstr (debug, info->message));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_stored (fixture, "0", "a", path);
  g_assert_nonnull (sink_fixture_find (fixture, "boxuploadsink-retry"));
}

static void
test_stop_during_an_outage (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autofree char *path = parts_fixture_launch (fixture, "max-memory=60000000");

  box_emulator_set_down (fixture->emulator, TRUE);
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  set_state_at_once (fixture, GST_STATE_NULL);
  box_emulator_set_down (fixture->emulator, FALSE);
}

/* --- Two at once ---------------------------------------------------------------------------- */

static void
test_two_sinks_in_one_pipeline (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autoptr (BoxEmulatorFile) a = NULL;
  g_autoptr (BoxEmulatorFile) b = NULL;
  g_autoptr (GstElement) other = NULL;

  sink_fixture_launch (fixture,
                       "filesrc location=%s ! tee name=t ! queue ! boxuploadsink name=sink "
                       "location=box://0/a total-size=%u t. ! queue ! boxuploadsink name=other "
                       "location=box://0/b total-size=%u parallel=1",
                       path, SIZE, SIZE);
  other = gst_bin_get_by_name (GST_BIN (fixture->pipeline), "other");
  sink_fixture_configure (fixture, other);
  g_assert_true (sink_fixture_run (fixture));
  a = box_emulator_find_file (fixture->emulator, "0", "a");
  b = box_emulator_find_file (fixture->emulator, "0", "b");
  g_assert_nonnull (a);
  g_assert_nonnull (b);
  g_assert_cmpstr (a->sha1, ==, b->sha1);
  g_assert_cmpuint (a->size, ==, SIZE);
}

int
main (int argc, char **argv)
{
  static const char *const routes[] = { "create_session", "upload_part", "commit" };

  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/pause/while-waiting-for-room", test_pause_while_waiting_for_room);
  g_test_add_func ("/pause/while-waiting-for-the-commit", test_pause_while_waiting_for_the_commit);
  g_test_add_func ("/pause/many-times", test_many_pauses);
  for (guint i = 0; i < G_N_ELEMENTS (routes); i++)
    {
      g_autofree char *path = g_strdup_printf ("/stop/during-%s", routes[i]);

      g_test_add_data_func (path, routes[i], test_stop);
    }
  g_test_add_func ("/stop/and-begin-again", test_stop_and_begin_again);
  g_test_add_func ("/flush/before-any-data-changes-nothing",
                   test_flush_before_any_data_changes_nothing);
  g_test_add_func ("/flush/before-the-first-part-begins-anew", test_flush_before_the_first_part);
  g_test_add_func ("/flush/after-the-first-part-is-an-error", test_flush_after_the_first_part);
  g_test_add_func ("/flush/after-the-commit-is-an-error", test_flush_after_the_commit);
  g_test_add_func ("/flush/a-segment-elsewhere-is-an-error", test_segment_elsewhere);
  g_test_add_func ("/outage/eos-waits-for-its-end", test_eos_during_an_outage);
  g_test_add_func ("/outage/does-not-keep-from-stopping", test_stop_during_an_outage);
  g_test_add_func ("/two-sinks-in-one-pipeline", test_two_sinks_in_one_pipeline);
  return g_test_run ();
}

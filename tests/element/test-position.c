/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxuploadsink-position and its fields in upload-stats: how far a recording is safe at Box, with
 * its bytes in memory, in a reserve, in the spool, live and ahead.
 */
#include <string.h>

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "sink-fixture.h"

#define PART 1000000
#define SIZE 25000000

/* Of each buffer, which is half a part. */
#define DURATION (10 * GST_SECOND)

#define HOLD_SECOND RULE ({"route": "upload_part", "part": 1, "do": "hold", "name": "gate"})

/* A sink of its own spool, if it has @spool; with @properties, "name=value …". */
static SinkFixture *
begin (gboolean spool, const char *properties)
{
  BoxEmulatorOptions options = { .part_size = PART, .plan = BOX_EMULATOR_PLAN_ACCOUNT };
  SinkFixture *fixture = sink_fixture_new (&options);
  g_auto (GStrv) words = g_strsplit (properties, " ", -1);

  sink_fixture_make_sink (fixture);
  if (spool)
    {
      g_autofree char *dir = g_build_filename (fixture->dir, "spool", NULL);

      g_object_set (fixture->sink, "spool-dir", dir, NULL);
    }
  g_object_set (fixture->sink, "location", "box://0/p.bin", NULL);
  for (char **word = words; *word != NULL; word++)
    {
      g_auto (GStrv) pair = g_strsplit (*word, "=", 2);

      gst_util_set_object_arg (G_OBJECT (fixture->sink), pair[0], pair[1]);
    }
  sink_fixture_start_harness (fixture);
  return fixture;
}

/* Times begin at an hour, and the segment half an hour before. */
static void
begin_segment (SinkFixture *fixture)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 1800 * GST_SECOND;
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment)));
}

/* Buffers @first to @last, without the last, of half a part each. */
static void
push (SinkFixture *fixture, GBytes *bytes, guint first, guint last)
{
  for (guint i = first; i < last; i++)
    {
      gsize offset = (gsize) i * PART / 2;
      g_autoptr (GBytes) slice =
          g_bytes_new_from_bytes (bytes, offset, MIN (PART / 2, SIZE - offset));
      GstBuffer *buffer = gst_buffer_new_wrapped_bytes (slice);

      GST_BUFFER_PTS (buffer) = 3600 * GST_SECOND + i * DURATION;
      g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
    }
}

static guint64
get (const GstStructure *structure, const char *field)
{
  guint64 value = 0;

  g_assert_true (gst_structure_get_uint64 (structure, field, &value));
  return value;
}

/* The first position from now on in which @field is @value. */
static const GstStructure *
wait_for (SinkFixture *fixture, const char *field, guint64 value)
{
  const GstStructure *position;

  do
    position = sink_fixture_wait_element (fixture, "boxuploadsink-position");
  while (get (position, field) != value);
  return position;
}

/* The stream is over; all of it is safe, and that is the last word. */
static void
finish (SinkFixture *fixture, guint64 size)
{
  gboolean complete = FALSE;
  g_autoptr (GstStructure) stats = NULL;

  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_drain (fixture);
  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = g_ptr_array_index (fixture->messages, i);

      g_assert_false (complete && gst_message_has_name (message, "boxuploadsink-position"));
      complete |= gst_message_has_name (message, "boxuploadsink-complete");
    }
  g_assert_true (complete);
  g_object_get (fixture->sink, "upload-stats", &stats, NULL);
  g_assert_cmpuint (get (stats, "bytes-safe"), ==, size);
  g_assert_cmpuint (get (stats, "backlog-bytes"), ==, 0);
  g_assert_cmpuint (get (stats, "oldest-unsafe-age"), ==, 0);
}

static void
test_a_part_that_is_missing_holds_the_mark (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE, "total-size=25000000 parallel=4");
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  const GstStructure *position;

  kit_load_rules (fixture->emulator, HOLD_SECOND);
  begin_segment (fixture);
  push (fixture, bytes, 0, 7);
  position = wait_for (fixture, "backlog-bytes", PART + PART / 2);
  g_assert_cmpuint (get (position, "bytes-received"), ==, 7 * PART / 2);
  g_assert_cmpuint (get (position, "bytes-safe"), ==, PART);
  g_assert_cmpuint (get (position, "running-time-safe"), ==, 1800 * GST_SECOND + 2 * DURATION);
  g_assert_cmpuint (get (position, "oldest-unsafe-age"), >, 0);
  g_assert_cmpuint (get (position, "full-in"), ==, GST_CLOCK_TIME_NONE);
  box_emulator_release (fixture->emulator, "gate");
  position = wait_for (fixture, "bytes-safe", 3 * PART);
  g_assert_cmpuint (get (position, "running-time-safe"), ==, 1800 * GST_SECOND + 6 * DURATION);
  g_assert_cmpuint (get (position, "drain-rate"), >, 0);
  push (fixture, bytes, 7, 50);
  finish (fixture, SIZE);
}

/* Nothing more is said when everything is safe, until there are other bytes. */
static void
test_all_safe_is_said_once (void)
{
  g_autoptr (SinkFixture) fixture = begin (TRUE, "total-size=25000000");
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  const GstStructure *position;
  guint n = 0;

  kit_load_rules (fixture->emulator, HOLD_SECOND);
  push (fixture, bytes, 0, 4);
  wait_for (fixture, "bytes-safe", PART);
  box_emulator_release (fixture->emulator, "gate");
  position = wait_for (fixture, "backlog-bytes", 0);
  g_assert_cmpuint (get (position, "bytes-safe"), ==, 2 * PART);
  g_assert_cmpuint (get (position, "oldest-unsafe-age"), ==, 0);
  push (fixture, bytes, 4, 5);
  position = wait_for (fixture, "backlog-bytes", PART / 2);
  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = g_ptr_array_index (fixture->messages, i);

      n += gst_message_has_name (message, "boxuploadsink-position")
                   && get (gst_message_get_structure (message), "backlog-bytes") == 0
               ? 1
               : 0;
    }
  g_assert_cmpuint (n, ==, 1);
  push (fixture, bytes, 5, 50);
  finish (fixture, SIZE);
}

/* In the spool, and in a live request, nothing is at Box before its answer. */
static void
test_nothing_is_safe_before_the_answer (gconstpointer properties)
{
  g_autoptr (SinkFixture) fixture = begin (TRUE, properties);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  const GstStructure *position;

  push (fixture, bytes, 0, 4);
  position = wait_for (fixture, "bytes-received", 2 * PART);
  g_assert_cmpuint (get (position, "bytes-safe"), ==, 0);
  g_assert_cmpuint (get (position, "backlog-bytes"), ==, 2 * PART);
  g_assert_cmpuint (get (position, "running-time-safe"), ==, 3600 * GST_SECOND);
  g_assert_cmpuint (get (position, "oldest-unsafe-age"), >=, GST_SECOND);
  g_assert_cmpuint (get (position, "fill-rate"), >, 0);
  push (fixture, bytes, 4, 50);
  finish (fixture, SIZE);
}

/* What is written again is not safe any more. */
static void
test_what_is_written_again_is_not_safe (void)
{
  g_autoptr (SinkFixture) fixture = begin (TRUE, "ahead=true expected-size=25000000");
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  GstSegment segment;

  fixture->has_state = TRUE;
  push (fixture, bytes, 0, 7);
  wait_for (fixture, "bytes-safe", 3 * PART);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = PART + PART / 2;
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment)));
  push (fixture, bytes, 3, 4);
  wait_for (fixture, "bytes-safe", PART);
  segment.start = segment.time = 7 * PART / 2;
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment)));
  push (fixture, bytes, 7, 50);
  finish (fixture, SIZE);
}

static void
test_a_reserve_is_safe_with_its_padding (void)
{
  g_autoptr (SinkFixture) fixture =
      begin (FALSE, "unknown-size=reserve reserve-size=25000000 padding=zero");
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  push (fixture, bytes, 0, 7);
  wait_for (fixture, "bytes-safe", 3 * PART);
  finish (fixture, SIZE);
}

static gpointer
push_eos (gpointer data)
{
  g_assert_true (sink_fixture_push_eos (data));
  return NULL;
}

/* It came from nobody, so that it has no age. */
static void
test_padding_is_no_byte_that_could_be_lost (void)
{
  g_autoptr (SinkFixture) fixture =
      begin (FALSE, "unknown-size=reserve reserve-size=25000000 padding=zero");
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  const GstStructure *position;
  GThread *streaming;

  kit_load_rules (fixture->emulator,
                  RULE ({ "route" : "upload_part", "part" : 10, "do" : "hold", "name" : "gate" }));
  push (fixture, bytes, 0, 7);
  streaming = g_thread_new ("streaming", push_eos, fixture);
  position = wait_for (fixture, "bytes-safe", 10 * PART);
  g_assert_cmpuint (get (position, "backlog-bytes"), >, 0);
  g_assert_cmpuint (get (position, "oldest-unsafe-age"), ==, 0);
  box_emulator_release (fixture->emulator, "gate");
  g_thread_join (streaming);
}

/* Its own disk is as large as max-spool. */
static void
test_a_spool_is_full_at_a_time (void)
{
  g_autoptr (SinkFixture) fixture = begin (TRUE, "max-spool=30000000");
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  const GstStructure *position;
  guint n = 4;

  push (fixture, bytes, 0, n);
  /* The rate is believed when it is some fifteen seconds old. */
  do
    {
      position = sink_fixture_wait_element (fixture, "boxuploadsink-position");
      push (fixture, bytes, n, n + 1);
      n++;
    }
  while (get (position, "full-in") == GST_CLOCK_TIME_NONE && n < 40);
  g_assert_cmpuint (get (position, "full-in"), <, 3600 * GST_SECOND);
  push (fixture, bytes, n, 50);
  finish (fixture, SIZE);
}

/* As much as Box had when the upload failed; also after the sink was stopped. */
static void
test_a_failure_leaves_the_mark (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE, "total-size=25000000");
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (GstStructure) stats = NULL;

  push (fixture, bytes, 0, 5);
  wait_for (fixture, "bytes-safe", 2 * PART);
  kit_load_rules (fixture->emulator,
                  RULE ({
        "route": "upload_part",
        "do": "reply",
        "status": 403,
        "json": { "type": "error", "status": 403, "code": "access_denied_insufficient_permissions" }
      }));
  sink_fixture_push (fixture, bytes, 5 * PART / 2, PART / 2);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  gst_element_set_state (fixture->sink, GST_STATE_READY);
  g_object_get (fixture->sink, "upload-stats", &stats, NULL);
  g_assert_cmpuint (get (stats, "bytes-received"), ==, 3 * PART);
  g_assert_cmpuint (get (stats, "bytes-safe"), ==, 2 * PART);
  g_assert_cmpuint (get (stats, "backlog-bytes"), ==, PART);
}

/* Before the first byte there is nothing to say, and all of it is zero or unknown. */
static void
test_statistics_before_the_stream (void)
{
  g_autoptr (SinkFixture) fixture = begin (TRUE, "unknown-size=spool");
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (fixture->sink, "upload-stats", &stats, NULL);
  g_assert_cmpuint (get (stats, "bytes-safe"), ==, 0);
  g_assert_cmpuint (get (stats, "oldest-unsafe-age"), ==, 0);
  g_assert_cmpuint (get (stats, "running-time-safe"), ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (get (stats, "full-in"), ==, GST_CLOCK_TIME_NONE);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/position/statistics-before-the-stream", test_statistics_before_the_stream);
  g_test_add_func ("/position/missing-part", test_a_part_that_is_missing_holds_the_mark);
  g_test_add_func ("/position/all-safe-once", test_all_safe_is_said_once);
  g_test_add_data_func ("/position/spool", "unknown-size=spool",
                        test_nothing_is_safe_before_the_answer);
  g_test_add_data_func ("/position/live", "unknown-size=live",
                        test_nothing_is_safe_before_the_answer);
  g_test_add_func ("/position/ahead", test_what_is_written_again_is_not_safe);
  g_test_add_func ("/position/reserve", test_a_reserve_is_safe_with_its_padding);
  g_test_add_func ("/position/padding", test_padding_is_no_byte_that_could_be_lost);
  g_test_add_func ("/position/failure", test_a_failure_leaves_the_mark);
  g_test_add_func ("/position/full-spool", test_a_spool_is_full_at_a_time);
  return g_test_run ();
}

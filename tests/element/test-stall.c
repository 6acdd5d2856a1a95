/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream that is to be uploaded while it runs: what is said if the muxer holds it back, and if it
 * is live and in memory only.
 */
#include "kit/pattern.h"
#include "sink-fixture.h"

#include <string.h>

#define PART 1000000

/* A source: how far it gets from one look at it to the next, and how often that was looked at. */
typedef struct
{
  GMutex lock;
  GCond asked;
  GstClockTime step;
  GstClockTime position;
  guint n;
  gboolean live;
} Source;

static Source source;

static gboolean
answer_position (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    {
      gst_query_set_latency (query, source.live, 0, GST_CLOCK_TIME_NONE);
      return TRUE;
    }
  if (GST_QUERY_TYPE (query) != GST_QUERY_POSITION)
    return gst_pad_query_default (pad, parent, query);
  g_mutex_lock (&source.lock);
  gst_query_set_position (query, GST_FORMAT_TIME, (gint64) source.position);
  source.position += source.step;
  source.n++;
  g_cond_broadcast (&source.asked);
  g_mutex_unlock (&source.lock);
  return TRUE;
}

static void
wait_until_asked (guint n)
{
  gint64 deadline = g_get_monotonic_time () + KIT_PATIENCE_US;

  g_mutex_lock (&source.lock);
  while (source.n < n)
    g_assert_true (g_cond_wait_until (&source.asked, &source.lock, deadline));
  g_mutex_unlock (&source.lock);
}

static SinkFixture *
begin (const char *unknown_size, GstClockTime step)
{
  BoxEmulatorOptions options = { .part_size = PART };
  SinkFixture *fixture = sink_fixture_new (&options);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 100);

  source.step = step;
  source.position = 0;
  source.n = 0;
  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", "reserve-size",
                G_GUINT64_CONSTANT (30000000), NULL);
  gst_util_set_object_arg (G_OBJECT (fixture->sink), "padding", "zero");
  gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", unknown_size);
  sink_fixture_start_harness (fixture);
  gst_pad_set_query_function (fixture->harness->srcpad, answer_position);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 100), ==, GST_FLOW_OK);
  return fixture;
}

static void
assert_warned (SinkFixture *fixture, GstMessage *message)
{
  g_autoptr (GError) warning = NULL;

  gst_message_parse_warning (message, &warning, NULL);
  g_assert_error (warning, GST_STREAM_ERROR, GST_STREAM_ERROR_MUX);
  g_assert_nonnull (strstr (warning->message, "fragment-duration=1000"));
}

static void
test_a_stream_that_is_held_back_is_warned_of (void)
{
  g_autoptr (SinkFixture) fixture = begin ("reserve", 6 * GST_SECOND);

  assert_warned (fixture, sink_fixture_wait (fixture, GST_MESSAGE_WARNING));
}

static void
test_a_source_that_stands_still_is_not (void)
{
  g_autoptr (SinkFixture) fixture = begin ("reserve", 0);

  wait_until_asked (3);
  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_WARNING), ==, 0);
}

/* A pipeline that rests is hardly woken: with one look a second, the fourth question comes after
 * five seconds. */
static void
test_a_source_that_stands_still_is_asked_less_and_less (void)
{
  gint64 begun = g_get_monotonic_time ();
  g_autoptr (SinkFixture) fixture = begin ("reserve", 0);

  wait_until_asked (4);
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, 8 * G_USEC_PER_SEC);
}

/* A recording that is uploaded at EOS is not watched for stalls. */
static void
test_a_recording_is_not (void)
{
  g_autoptr (SinkFixture) fixture = begin ("spool", 6 * GST_SECOND);

  fixture->has_state = TRUE;
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  g_assert_cmpuint (source.n, ==, 0);
}

/* Data: further properties of mp4mux. */
static void
test_mp4mux (gconstpointer properties)
{
  BoxEmulatorOptions options = { .part_size = PART };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  GstMessage *message;

  sink_fixture_launch (fixture,
                       "videotestsrc ! video/x-raw,width=64,height=64 ! x264enc "
                       "tune=zerolatency speed-preset=ultrafast ! mp4mux %s ! boxuploadsink "
                       "name=sink location=box://0/a unknown-size=reserve reserve-size=500000000",
                       (const char *) properties);
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  message = sink_fixture_wait (fixture, GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT);
  while (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT
         && !gst_message_has_name (message, "boxuploadsink-part"))
    message = sink_fixture_wait (fixture, GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT);
  if (((const char *) properties)[0] == '\0')
    assert_warned (fixture, message);
  else
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ELEMENT);
}

static const struct
{
  const char *name;
  const char *unknown_size;
  gboolean live;
  guint n_infos;
} memory_cases[] = {
  { "/memory/a-live-stream-in-memory-only-is-told", "reserve", TRUE, 1 },
  { "/memory/one-that-comes-from-a-file-is-not", "reserve", FALSE, 0 },
  { "/memory/one-in-the-spool-is-not", "spool", TRUE, 0 },
};

static void
test_memory (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (SinkFixture) fixture = NULL;

  source.live = memory_cases[i].live;
  fixture = begin (memory_cases[i].unknown_size, 0);
  fixture->has_state = TRUE;
  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_INFO), ==, memory_cases[i].n_infos);
  source.live = FALSE;
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/stall/a-stream-that-is-held-back-is-warned-of",
                   test_a_stream_that_is_held_back_is_warned_of);
  g_test_add_func ("/stall/a-source-that-stands-still-is-not",
                   test_a_source_that_stands_still_is_not);
  g_test_add_func ("/stall/a-source-that-stands-still-is-asked-less-and-less",
                   test_a_source_that_stands_still_is_asked_less_and_less);
  g_test_add_func ("/stall/a-recording-is-not", test_a_recording_is_not);
  g_test_add_data_func ("/stall/mp4mux", "", test_mp4mux);
  g_test_add_data_func ("/stall/mp4mux-with-fragments", "fragment-duration=1000", test_mp4mux);
  for (gsize i = 0; i < G_N_ELEMENTS (memory_cases); i++)
    g_test_add_data_func (memory_cases[i].name, GSIZE_TO_POINTER (i), test_memory);
  return g_test_run ();
}

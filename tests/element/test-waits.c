/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events while the streaming thread waits for Box: state changes of other threads return at once,
 * also with async=false (splitmuxsink's setting), and EOS is posted once.
 *
 * With async=false the streaming thread reaches PLAYING by itself, while the thread that changes
 * the state may still be on its way there. A handler on the bus holds the latter back between READY
 * and PLAYING, until the streaming thread has reached the point that the test needs.
 */
#include "kit/emulator.h"
#include "kit/pattern.h"
#include "sink-fixture.h"

#include <string.h>

#define PART  1000000
#define PARTS 25
#define SIZE  (PARTS * PART)

/* Reason for which the streaming thread waits. */
typedef struct
{
  const char *name;
  const char *properties;
  const char *route; /* that is held */
  guint64 size;
  gboolean spools;
} Way;

static const Way ways[] = {
  { "room", "total-size=25000000 max-memory=2000000 parallel=1", "upload_part", SIZE, FALSE },
  { "a-commit", "total-size=25000000 max-memory=60000000", "commit", SIZE, FALSE },
  { "a-small-file", "total-size=1000", "upload_file", 1000, FALSE },
  { "a-reserve", "unknown-size=reserve reserve-size=30000000 padding=zero", "commit", 20000000,
    FALSE },
  { "a-recording", "unknown-size=spool", "upload_file", 1000, TRUE },
  { "a-recording-uploaded-meanwhile", "total-size=25000000", "commit", SIZE, TRUE },
};

typedef struct
{
  SinkFixture *fixture;
  GstPad *pad;
  GstFormat format; /* of the stream's segment */
  GBytes *bytes;
  GThread *streaming;
  GstState late_for; /* with lock, as all below; PLAYING: until a request is held, else until EOS */
  GMutex lock;
  GCond changed;
  GstState wanted;
  gboolean done;
  guint eos;
} Waiter;

/* --- The streaming thread ------------------------------------------------------------------- */

static gpointer
stream (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/quicktime");
  gsize size = g_bytes_get_size (waiter->bytes);
  GstFlowReturn flow = GST_FLOW_OK;
  GstSegment segment;

  gst_segment_init (&segment, waiter->format);
  gst_pad_push_event (waiter->pad, gst_event_new_stream_start ("waits"));
  gst_pad_push_event (waiter->pad, gst_event_new_caps (caps));
  gst_pad_push_event (waiter->pad, gst_event_new_segment (&segment));
  for (gsize done = 0; flow == GST_FLOW_OK && done < size; done += PART)
    {
      g_autoptr (GBytes) slice =
          g_bytes_new_from_bytes (waiter->bytes, done, MIN (PART, size - done));

      flow = gst_pad_push (waiter->pad, gst_buffer_new_wrapped_bytes (slice));
    }
  if (flow == GST_FLOW_OK)
    gst_pad_push_event (waiter->pad, gst_event_new_eos ());
  return NULL;
}

/* --- The state ------------------------------------------------------------------------------ */

static void
hold_back (Waiter *waiter)
{
  if (waiter->late_for == GST_STATE_PLAYING)
    {
      g_assert_true (box_emulator_wait_held (waiter->fixture->emulator, "gate", KIT_PATIENCE_MS));
      return;
    }
  g_mutex_lock (&waiter->lock);
  while (waiter->eos == 0)
    g_cond_wait (&waiter->changed, &waiter->lock);
  g_mutex_unlock (&waiter->lock);
}

/* Called in the thread that posts @message. */
static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Waiter *waiter = data;
  GstState from, to;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    {
      g_mutex_lock (&waiter->lock);
      waiter->eos++;
      g_cond_broadcast (&waiter->changed);
      g_mutex_unlock (&waiter->lock);
    }
  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_STATE_CHANGED)
    return GST_BUS_PASS;
  gst_message_parse_state_changed (message, &from, &to, NULL);
  if (from == GST_STATE_READY && to == GST_STATE_PAUSED && waiter->streaming == NULL)
    {
      waiter->streaming = g_thread_new ("streaming", stream, waiter);
      hold_back (waiter);
    }
  return GST_BUS_PASS;
}

static gpointer
change_state (gpointer data)
{
  Waiter *waiter = data;

  gst_element_set_state (waiter->fixture->sink, waiter->wanted);
  g_mutex_lock (&waiter->lock);
  waiter->done = TRUE;
  g_cond_broadcast (&waiter->changed);
  g_mutex_unlock (&waiter->lock);
  return NULL;
}

/* The answer stays held meanwhile: a change that waits for it never returns. */
static void
set_state (Waiter *waiter, GstState state)
{
  gint64 deadline = g_get_monotonic_time () + KIT_PATIENCE_US;
  GThread *thread;

  waiter->wanted = state;
  waiter->done = FALSE;
  thread = g_thread_new ("state", change_state, waiter);
  g_mutex_lock (&waiter->lock);
  while (!waiter->done)
    if (!g_cond_wait_until (&waiter->changed, &waiter->lock, deadline))
      g_error ("the change to %s waits for Box", gst_element_state_get_name (state));
  g_mutex_unlock (&waiter->lock);
  g_thread_join (thread);
}

/* --- Set-up --------------------------------------------------------------------------------- */

static void
set_properties (SinkFixture *fixture, const char *properties)
{
  g_auto (GStrv) all = g_strsplit (properties, " ", -1);

  for (guint i = 0; all[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (all[i], "=", 2);

      gst_util_set_object_arg (G_OBJECT (fixture->sink), pair[0], pair[1]);
    }
}

static void
link_pad (Waiter *waiter)
{
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (waiter->fixture->sink, "sink");

  waiter->pad = gst_pad_new ("src", GST_PAD_SRC);
  gst_pad_set_active (waiter->pad, TRUE);
  g_assert_cmpint (gst_pad_link (waiter->pad, sink_pad), ==, GST_PAD_LINK_OK);
}

static void
waiter_init (Waiter *waiter, const Way *way, GstState late_for)
{
  BoxEmulatorOptions options = { .part_size = PART };
  g_autofree char *scenario = g_strdup_printf (
      RULE ({"route": "%s", "do": "hold", "at": "stored", "name": "gate"}), way->route);

  *waiter = (Waiter){ .late_for = late_for, .format = GST_FORMAT_BYTES };
  waiter->fixture = sink_fixture_new (&options);
  g_mutex_init (&waiter->lock);
  g_cond_init (&waiter->changed);
  waiter->bytes = kit_pattern_bytes (0, way->size);
  kit_load_rules (waiter->fixture->emulator, scenario);

  sink_fixture_make_sink (waiter->fixture);
  set_properties (waiter->fixture, way->properties);
  g_object_set (waiter->fixture->sink, "location", "box://0/a", "async", FALSE, NULL);
  if (way->spools)
    g_object_set (waiter->fixture->sink, "spool-dir", waiter->fixture->dir, NULL);
  gst_bus_set_sync_handler (waiter->fixture->bus, on_message, waiter, NULL);
  link_pad (waiter);
}

/* The streaming thread has nothing to wait for any more. */
static void
waiter_clear (Waiter *waiter)
{
  g_thread_join (waiter->streaming);
  gst_element_set_state (waiter->fixture->sink, GST_STATE_NULL);
  gst_bus_set_sync_handler (waiter->fixture->bus, NULL, NULL, NULL);
  gst_object_unref (waiter->pad);
  sink_fixture_free (waiter->fixture);
  g_bytes_unref (waiter->bytes);
  g_mutex_clear (&waiter->lock);
  g_cond_clear (&waiter->changed);
}

/* The file is there, whole, and the stream's end was reported once. */
static void
assert_ended_once (Waiter *waiter, const Way *way)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (waiter->fixture->emulator, "0", "a");

  sink_fixture_drain (waiter->fixture);
  g_assert_cmpuint (sink_fixture_count (waiter->fixture, GST_MESSAGE_EOS), ==, 1);
  g_assert_cmpuint (sink_fixture_count (waiter->fixture, GST_MESSAGE_ERROR), ==, 0);
  g_assert_cmpuint (sink_fixture_count_element (waiter->fixture, "boxuploadsink-complete"), ==, 1);
  sink_fixture_assert_progress_balanced (waiter->fixture);
  g_assert_nonnull (file);
  if (strstr (way->properties, "reserve") == NULL)
    sink_fixture_assert_stored_bytes (waiter->fixture, "0", "a", waiter->bytes);
}

/* --- Tests ---------------------------------------------------------------------------------- */

static void
test_state_changes_return (gconstpointer data)
{
  const Way *way = data;
  Waiter waiter;

  waiter_init (&waiter, way, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_PAUSED);
  set_state (&waiter, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_NULL);
  sink_fixture_drain (waiter.fixture);
  g_assert_cmpuint (sink_fixture_count (waiter.fixture, GST_MESSAGE_EOS), ==, 0);
  g_assert_cmpuint (sink_fixture_count (waiter.fixture, GST_MESSAGE_ERROR), ==, 0);
  waiter_clear (&waiter);
}

static void
test_eos_is_posted_once (gconstpointer data)
{
  const Way *way = data;
  Waiter waiter;

  waiter_init (&waiter, way, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_PLAYING);
  box_emulator_release (waiter.fixture->emulator, "gate");
  sink_fixture_wait (waiter.fixture, GST_MESSAGE_EOS);
  assert_ended_once (&waiter, way);
  waiter_clear (&waiter);
}

/* The streaming thread was at EOS before the thread that changes the state was in PLAYING. */
static void
test_eos_before_playing (gconstpointer data)
{
  const Way *way = data;
  Waiter waiter;

  waiter_init (&waiter, way, GST_STATE_PAUSED);
  box_emulator_release (waiter.fixture->emulator, "gate");
  set_state (&waiter, GST_STATE_PLAYING);
  sink_fixture_wait (waiter.fixture, GST_MESSAGE_EOS);
  assert_ended_once (&waiter, way);

  /* After a pause GstBaseSink tells the end again, as with every other sink. */
  set_state (&waiter, GST_STATE_PAUSED);
  set_state (&waiter, GST_STATE_PLAYING);
  sink_fixture_drain (waiter.fixture);
  g_assert_cmpuint (sink_fixture_count (waiter.fixture, GST_MESSAGE_EOS), ==, 2);
  waiter_clear (&waiter);
}

static void
test_eos_waits_for_playing (gconstpointer data)
{
  const Way *way = data;
  Waiter waiter;

  waiter_init (&waiter, way, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_PAUSED);
  box_emulator_release (waiter.fixture->emulator, "gate");
  g_assert_true (box_emulator_wait_done (waiter.fixture->emulator, way->route, 1, KIT_PATIENCE_MS));
  sink_fixture_drain (waiter.fixture);
  g_assert_cmpuint (sink_fixture_count (waiter.fixture, GST_MESSAGE_EOS), ==, 0);
  set_state (&waiter, GST_STATE_PLAYING);
  sink_fixture_wait (waiter.fixture, GST_MESSAGE_EOS);
  assert_ended_once (&waiter, way);
  waiter_clear (&waiter);
}

/* Whichever of the two threads is first, time and again: no interruption is lost, and none stays.
 */
static void
test_pauses_that_are_taken_back (gconstpointer data)
{
  const Way *way = data;
  Waiter waiter;

  waiter_init (&waiter, way, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_PLAYING);
  for (guint i = 0; i < 200; i++)
    {
      set_state (&waiter, GST_STATE_PAUSED);
      set_state (&waiter, GST_STATE_PLAYING);
    }
  box_emulator_release (waiter.fixture->emulator, "gate");
  sink_fixture_wait (waiter.fixture, GST_MESSAGE_EOS);
  assert_ended_once (&waiter, way);
  waiter_clear (&waiter);
}

/* FLUSH_STOP waits for the streaming thread to leave. */
static void
test_a_flush_ends_the_wait (gconstpointer data)
{
  const Way *way = data;
  Waiter waiter;
  g_autoptr (GstPad) pad = NULL;

  waiter_init (&waiter, way, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_PLAYING);
  pad = gst_element_get_static_pad (waiter.fixture->sink, "sink");
  g_assert_true (gst_pad_send_event (pad, gst_event_new_flush_start ()));
  gst_pad_send_event (pad, gst_event_new_flush_stop (TRUE));
  sink_fixture_drain (waiter.fixture);
  g_assert_cmpuint (sink_fixture_count (waiter.fixture, GST_MESSAGE_EOS), ==, 0);
  set_state (&waiter, GST_STATE_NULL);
  waiter_clear (&waiter);
}

/* A step drops buffers, in any sink; one in the middle of a buffer makes GstBaseSink render this
 * one again if render says so. */
static void
test_a_step_writes_nothing_twice (void)
{
  Waiter waiter;

  waiter_init (&waiter, &ways[0], GST_STATE_PLAYING);
  waiter.format = GST_FORMAT_TIME; /* GstBaseSink steps in no other */
  set_state (&waiter, GST_STATE_PLAYING);
  set_state (&waiter, GST_STATE_PAUSED);
  for (guint i = 0; i < 3; i++)
    gst_element_send_event (waiter.fixture->sink,
                            gst_event_new_step (GST_FORMAT_BUFFERS, 1, 1.0, TRUE, FALSE));
  set_state (&waiter, GST_STATE_PLAYING);
  box_emulator_release (waiter.fixture->emulator, "gate");
  sink_fixture_wait (waiter.fixture, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (waiter.fixture, GST_RESOURCE_ERROR_WRITE, "The stream ended after");
  g_assert_cmpuint (sink_fixture_get_stat (waiter.fixture, "bytes-received") % PART, ==, 0);
  waiter_clear (&waiter);
}

static void
add (const char *test, const Way *way, GTestDataFunc function)
{
  g_autofree char *path = g_strdup_printf ("/waits/%s/%s", way->name, test);

  g_test_add_data_func (path, way, function);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      add ("state-changes-return", &ways[i], test_state_changes_return);
      add ("eos-is-posted-once", &ways[i], test_eos_is_posted_once);
      add ("eos-before-playing", &ways[i], test_eos_before_playing);
      add ("eos-waits-for-playing", &ways[i], test_eos_waits_for_playing);
      add ("pauses-that-are-taken-back", &ways[i], test_pauses_that_are_taken_back);
      add ("a-flush-ends-the-wait", &ways[i], test_a_flush_ends_the_wait);
    }
  g_test_add_func ("/waits/room/a-step-writes-nothing-twice", test_a_step_writes_nothing_twice);
  return g_test_run ();
}

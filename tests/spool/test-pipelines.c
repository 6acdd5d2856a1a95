/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Live and endless recordings: outages in the middle of them, fragments of splitmuxsink, and what
 * each muxer makes of an upload that begins before its stream has ended. Frames are counted as they
 * leave the container.
 *
 * BOXUPLOAD_TEST_OUTAGE: seconds that the network is gone in the live pipeline, default 7.
 */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "kit/emulator.h"
#include "kit/places.h"
#include "kit/spool-kit.h"

#define PATIENCE (KIT_PATIENCE * GST_SECOND)

#define VIDEO(frames, properties)                                                                  \
  "videotestsrc " properties " num-buffers=" #frames                                               \
  " ! video/x-raw,format=I420,width=160,height=120,framerate=30/1 ! "
#define H264 "x264enc key-int-max=15 tune=zerolatency speed-preset=ultrafast ! h264parse ! "

static void
set_up (SpoolKit *kit, gconstpointer data)
{
  spool_kit_set_up (kit);
}

static void
tear_down (SpoolKit *kit, gconstpointer data)
{
  spool_kit_tear_down (kit);
}

/* Sets the sink up for the emulator and the spool. */
static void
configure (SpoolKit *kit, GstElement *sink)
{
  g_object_set (sink, "endpoint", box_emulator_get_endpoint (kit->emulator, FALSE), "api-endpoint",
                box_emulator_get_api_endpoint (kit->emulator, FALSE), "access-token", "kit-token",
                "spool-dir", kit->dir, NULL);
}

static GstElement *
launch (SpoolKit *kit, const char *line)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) sink = NULL;

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  if (sink != NULL)
    configure (kit, sink);
  return pipeline;
}

/* Waits for the end of @pipeline and stops it. The text of the error, NULL: EOS. */
static char *
play_to_end (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return error != NULL ? g_strdup (error->message) : NULL;
}

static void
count_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer n)
{
  if (gst_buffer_get_size (buffer) > 0)
    ++*(guint *) n;
}

/* The frames that @demuxer ("qtdemux ! h264parse") finds in @path. */
static guint
count_frames (const char *path, const char *demuxer)
{
  g_autofree char *line = g_strdup_printf (
      "filesrc location=\"%s\" ! %s ! fakesink name=out signal-handoffs=true sync=false", path,
      demuxer);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_autofree char *failure = NULL;
  guint n = 0;

  g_assert_no_error (error);
  g_signal_connect (out, "handoff", G_CALLBACK (count_frame), &n);
  failure = play_to_end (pipeline);
  g_assert_cmpstr (failure, ==, NULL);
  return n;
}

static guint
count_stored_frames (SpoolKit *kit, const char *name, const char *demuxer)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (kit->emulator, "0", name);

  g_assert_nonnull (file);
  g_assert_cmpuint (file->n_versions, ==, 1);
  return count_frames (file->path, demuxer);
}

/* Seconds of the stream that the sink takes while there is no network. */
#define OUTAGE 7

static GstClockTime
outage_length (void)
{
  const char *seconds = g_getenv ("BOXUPLOAD_TEST_OUTAGE");

  return (seconds != NULL ? g_ascii_strtoull (seconds, NULL, 10) : OUTAGE) * GST_SECOND;
}

typedef struct
{
  SpoolKit *kit;
  GstElement *source;
  guint frames;    /* that the camera made; atomic */
  guint64 reached; /* the last timestamp that the sink was given; under lock */
  GMutex lock;
  GCond changed;
} Outage;

static GstPadProbeReturn
count_made (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Outage *outage = data;

  g_atomic_int_inc (&outage->frames);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
note_reached (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Outage *outage = data;
  GstBuffer *buffer = (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0
                          ? gst_buffer_list_get (GST_PAD_PROBE_INFO_BUFFER_LIST (info), 0)
                          : GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&outage->lock);

  if (GST_BUFFER_PTS_IS_VALID (buffer))
    outage->reached = MAX (outage->reached, GST_BUFFER_PTS (buffer));
  g_cond_broadcast (&outage->changed);
  return GST_PAD_PROBE_OK;
}

/* The sink goes on taking the stream, whatever is at its other end. */
static void
await_stream (Outage *outage, GstClockTime length)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&outage->lock);
  gint64 deadline = g_get_monotonic_time () + KIT_PATIENCE_US + (gint64) (length / 1000);
  guint64 until = outage->reached + length;

  while (outage->reached < until)
    g_assert_true (g_cond_wait_until (&outage->changed, &outage->lock, deadline));
}

static gpointer
make_outage (gpointer data)
{
  Outage *outage = data;
  BoxEmulator *emulator = outage->kit->emulator;

  g_assert_true (box_emulator_wait_done (emulator, "upload_part", 1, KIT_PATIENCE_MS));
  box_emulator_set_down (emulator, TRUE);
  await_stream (outage, outage_length ());
  box_emulator_set_down (emulator, FALSE);
  await_stream (outage, GST_SECOND);
  gst_element_send_event (outage->source, gst_event_new_eos ());
  return NULL;
}

static void
add_probe (GstElement *pipeline, const char *name, const char *pad_name, GstPadProbeCallback probe,
           Outage *outage)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, probe, outage,
                     NULL);
}

/* The sink takes the stream while the network is gone, and every frame that the camera makes is in
 * the file. The queue has no limit: on a busy machine a sink may be late for reasons of its own. */
static void
test_outage_costs_a_live_recording_no_frame (SpoolKit *kit, gconstpointer data)
{
  g_autoptr (GstElement) pipeline =
      launch (kit, "videotestsrc name=camera is-live=true pattern=snow ! "
                   "video/x-raw,format=I420,width=640,height=480,framerate=30/1 ! "
                   "x264enc key-int-max=15 tune=zerolatency speed-preset=ultrafast bitrate=40000 ! "
                   "h264parse ! mpegtsmux ! "
                   "queue max-size-bytes=0 max-size-time=0 max-size-buffers=0 ! "
                   "boxuploadsink name=sink location=box://0/live.ts unknown-size=reserve "
                   "reserve-size=400000000");
  g_autoptr (GstElement) camera = gst_bin_get_by_name (GST_BIN (pipeline), "camera");
  g_autofree char *failure = NULL;
  Outage outage = { .kit = kit, .source = camera };
  GThread *thread;

  g_mutex_init (&outage.lock);
  g_cond_init (&outage.changed);
  add_probe (pipeline, "camera", "src", count_made, &outage);
  add_probe (pipeline, "sink", "sink", note_reached, &outage);
  thread = g_thread_new ("outage", make_outage, &outage);
  failure = play_to_end (pipeline);
  g_thread_join (thread);
  g_assert_cmpstr (failure, ==, NULL);
  g_assert_cmpuint (count_stored_frames (kit, "live.ts", "tsdemux ! h264parse"), ==, outage.frames);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
  g_cond_clear (&outage.changed);
  g_mutex_clear (&outage.lock);
}

/* --- Fragments ------------------------------------------------------------------------------ */

static GstElement *
launch_fragments (SpoolKit *kit, gboolean async, const char *extra)
{
  g_autoptr (GstElement) split = NULL;
  g_autoptr (GstStructure) properties = NULL;
  g_autofree char *line =
      g_strdup_printf (VIDEO (450, "") H264
                       "splitmuxsink name=split muxer-factory=mp4mux sink-factory=boxuploadsink "
                       "max-size-time=500000000 location=box://0/rec-%%05d.mp4 %s",
                       async ? "async-finalize=true" : "");
  GstElement *pipeline = launch (kit, line);

  split = gst_bin_get_by_name (GST_BIN (pipeline), "split");
  properties = gst_structure_new (
      "properties", "endpoint", G_TYPE_STRING, box_emulator_get_endpoint (kit->emulator, FALSE),
      "api-endpoint", G_TYPE_STRING, box_emulator_get_api_endpoint (kit->emulator, FALSE),
      "access-token", G_TYPE_STRING, "kit-token", "spool-dir", G_TYPE_STRING, kit->dir,
      "errors-fatal", G_TYPE_BOOLEAN, extra == NULL, NULL);
  if (async)
    g_object_set (split, "sink-properties", properties, NULL);
  else
    {
      GstElement *sink = gst_element_factory_make ("boxuploadsink", NULL);

      configure (kit, sink);
      g_object_set (split, "sink", sink, NULL);
    }
  return pipeline;
}

/* @skipped: a fragment that has no file of ours; -1: none. */
static void
assert_fragments (SpoolKit *kit, guint n, gint skipped)
{
  guint frames = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("rec-%05u.mp4", i);

      if ((gint) i != skipped)
        frames += count_stored_frames (kit, name, "qtdemux ! h264parse");
    }
  g_assert_cmpuint (frames, ==, skipped >= 0 ? 450 - 15 : 450);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, n);
}

/* Data: whether fragments are finished beside the recording of the next ones. */
static void
test_all_fragments_are_committed (SpoolKit *kit, gconstpointer async)
{
  g_autoptr (GstElement) pipeline = launch_fragments (kit, async != NULL, NULL);
  g_autofree char *failure = NULL;

  if (async != NULL)
    box_emulator_set_rate (kit->emulator, 300000);
  failure = play_to_end (pipeline);
  g_assert_cmpstr (failure, ==, NULL);
  assert_fragments (kit, 30, -1);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
test_one_fragments_failure_does_not_stop_the_others (SpoolKit *kit, gconstpointer data)
{
  g_autofree char *id = box_emulator_add_file (kit->emulator, "0", "rec-00007.mp4", "x", 1);
  g_autoptr (GstElement) pipeline = launch_fragments (kit, TRUE, "go on");
  g_autofree char *failure = play_to_end (pipeline);

  g_assert_cmpstr (failure, ==, NULL);
  assert_fragments (kit, 30, 7);
  g_assert_cmpuint (spool_kit_count (kit), ==, 1);
}

/* How often splitmuxsink says that a fragment is closed; its sink's second EOS is one more. */
static guint
count_closed_fragments (GstElement *sink, const char *location)
{
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("splitmuxsink name=split muxer=matroskamux max-size-time=1000000000 "
                        "audiotestsrc num-buffers=40 ! audio/x-raw,rate=8000 ! split.audio_0",
                        NULL);
  g_autoptr (GstElement) split = gst_bin_get_by_name (GST_BIN (pipeline), "split");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  guint n = 0;

  g_object_set (split, "sink", sink, "location", location, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (TRUE)
    {
      g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
          bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);

      g_assert_nonnull (message);
      if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
        g_error ("%s", gst_structure_to_string (gst_message_get_structure (message)));
      if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
        break;
      n += gst_message_has_name (message, "splitmuxsink-fragment-closed");
    }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return n;
}

static void
test_fragments_are_closed_once (SpoolKit *kit, gconstpointer data)
{
  char *dir = kit_new_directory ();
  g_autofree char *location = g_build_filename (dir, "%05d.mkv", NULL);
  guint n = count_closed_fragments (gst_element_factory_make ("filesink", NULL), location);

  g_assert_cmpuint (n, >=, 5);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%05u.mkv", dir, i);

      g_assert_cmpint (g_remove (path), ==, 0);
    }
  kit_remove_empty_directory (dir);
  for (guint i = 0; i < 10; i++)
    {
      GstElement *sink = gst_element_factory_make ("boxuploadsink", NULL);

      configure (kit, sink);
      g_object_set (sink, "if-exists", BOX_IF_EXISTS_VERSION, NULL);
      g_assert_cmpuint (count_closed_fragments (sink, "box://0/%05d.mkv"), ==, n);
      g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, n);
    }
}

/* splitmuxsink's other threads wait for the fragment's EOS meanwhile. */
static void
test_stop_while_a_fragment_waits_for_box (SpoolKit *kit, gconstpointer data)
{
  GstElement *sink = gst_element_factory_make ("boxuploadsink", NULL);
  g_autoptr (GstElement) split = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "splitmuxsink name=split muxer=matroskamux max-size-time=1000000000 "
      "location=box://0/%05d.mkv audiotestsrc ! audio/x-raw,rate=8000 ! split.audio_0",
      NULL);

  kit_load_rules (
      kit->emulator,
      "[{\"route\":\"upload_file\",\"do\":\"hold\",\"at\":\"stored\",\"name\":\"gate\"}]");
  configure (kit, sink);
  split = gst_bin_get_by_name (GST_BIN (pipeline), "split");
  g_object_set (split, "sink", sink, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (kit->emulator, "gate", KIT_PATIENCE_MS));
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_PAUSED), !=,
                   GST_STATE_CHANGE_FAILURE);
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  box_emulator_release (kit->emulator, "gate");
}

/* --- Uploaded while it is recorded ---------------------------------------------------------- */

typedef struct
{
  const char *name;
  const char *line;    /* with a muxer at its end */
  const char *demuxer; /* NULL: refused */
} Live;

static const Live lives[] = {
  { "mp4mux", VIDEO (60, "") H264 "mp4mux", "qtdemux ! h264parse" },
  { "mp4mux-fragmented", VIDEO (60, "") H264 "mp4mux fragment-duration=500",
    "qtdemux ! h264parse" },
  { "mp4mux-faststart", VIDEO (60, "") H264 "mp4mux faststart=true", "qtdemux ! h264parse" },
  { "mp4mux-finalised",
    VIDEO (60, "") H264 "mp4mux fragment-duration=500 fragment-mode=first-moov-then-finalise",
    NULL },
  { "matroskamux", VIDEO (60, "") H264 "matroskamux", "matroskademux ! h264parse" },
  { "webmmux", VIDEO (60, "") "vp8enc deadline=1 ! webmmux", "matroskademux ! identity" },
  { "mpegtsmux", VIDEO (60, "") H264 "mpegtsmux", "tsdemux ! h264parse" },
  { "flvmux", VIDEO (60, "") H264 "flvmux", NULL },
  { "avimux", VIDEO (60, "") H264 "avimux", NULL },
  { "oggmux", VIDEO (60, "") "theoraenc ! oggmux", NULL },
  { "mxfmux", VIDEO (60, "") H264 "mxfmux", NULL },
};

static void
test_live_upload_is_whole_or_names_the_way_out (SpoolKit *kit, gconstpointer data)
{
  const Live *live = data;
  g_autofree char *line = g_strdup_printf ("%s ! boxuploadsink name=sink location=box://0/clip "
                                           "unknown-size=reserve reserve-size=20000000",
                                           live->line);
  g_autoptr (GstElement) pipeline = launch (kit, line);
  g_autofree char *failure = play_to_end (pipeline);

  if (live->demuxer == NULL)
    {
      g_assert_nonnull (failure);
      g_test_message ("%s", failure);
      g_assert_nonnull (strstr (failure, "unknown-size=spool"));
      g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 0);
      return;
    }
  g_assert_cmpstr (failure, ==, NULL);
  g_assert_cmpuint (count_stored_frames (kit, "clip", live->demuxer), ==, 60);
}

#define ADD(name, function, data)                                                                  \
  g_test_add ("/pipelines/" name, SpoolKit, data, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  ADD ("outage-costs-a-live-recording-no-frame", test_outage_costs_a_live_recording_no_frame, NULL);
  ADD ("all-fragments-are-committed/one-by-one", test_all_fragments_are_committed, NULL);
  ADD ("all-fragments-are-committed/slow-uplink-async", test_all_fragments_are_committed, "async");
  ADD ("one-fragments-failure-does-not-stop-the-others",
       test_one_fragments_failure_does_not_stop_the_others, NULL);
  ADD ("fragments-are-closed-once", test_fragments_are_closed_once, NULL);
  ADD ("stop-while-a-fragment-waits-for-box", test_stop_while_a_fragment_waits_for_box, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (lives); i++)
    {
      g_autofree char *path = g_strdup_printf ("/pipelines/live/%s", lives[i].name);

      g_test_add (path, SpoolKit, &lives[i], set_up, test_live_upload_is_whole_or_names_the_way_out,
                  tear_down);
    }
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recordings of unknown size whose parts leave while they are made. Whatever Box's plan finds, the
 * file is what filesink writes, once, and no seed is left. Where the plan finds the parts, hardly a
 * byte is sent twice; where it does not, the next recording sends nothing ahead.
 */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "api/account.h"
#include "kit/emulator.h"
#include "kit/patience.h"
#include "kit/places.h"
#include "mirror.h"
#include "kit/spool-kit.h"

#define PART 131072

/* Noise, which no encoder makes small: more than the 20 MB from which Box has sessions. */
#define VIDEO(frames)                                                                              \
  "videotestsrc pattern=snow num-buffers=" #frames                                                 \
  " ! video/x-raw,format=I420,width=640,height=480,framerate=30/1 ! "
#define H264                                                                                       \
  VIDEO (60)                                                                                       \
  "x264enc speed-preset=ultrafast tune=zerolatency key-int-max=15 bitrate=150000 ! "               \
  "h264parse ! queue ! m. "
#define NOISE(buffers)                                                                             \
  "audiotestsrc wave=white-noise num-buffers=" #buffers " samplesperbuffer=44100 ! "               \
  "audio/x-raw,format=S16LE,rate=44100,channels=2 ! "

/* Samples whose colours are not in planes of their own, as those of a picture without colours are
 * the same everywhere: no two parts may be the same. A session that has got one of them would have
 * the other, too, and a plan that looks no further would find it. */
#define AVI                                                                                        \
  "videotestsrc pattern=snow num-buffers=45 ! "                                                    \
  "video/x-raw,format=YUY2,width=640,height=480,framerate=30/1 ! queue ! m. avimux name=m"

typedef struct
{
  const char *name;
  const char *line; /* with a muxer named m */
} Muxer;

static const Muxer muxers[] = {
  { "mp4mux", H264 "mp4mux name=m" },
  { "mp4mux-fragmented", H264 "mp4mux name=m fragment-duration=500" },
  { "mp4mux-robust",
    H264 "mp4mux name=m reserved-max-duration=20000000000 reserved-moov-update-period=500000000" },
  { "matroskamux", H264 "matroskamux name=m" },
  { "webmmux", VIDEO (90) "vp8enc deadline=1 cpu-used=16 min-quantizer=0 max-quantizer=1 "
                          "target-bitrate=200000000 ! queue ! webmmux name=m" },
  { "mpegtsmux", H264 "mpegtsmux name=m" },
  { "flvmux", H264 "flvmux name=m" },
  { "avimux", AVI },
  { "wavenc", NOISE (150) "wavenc name=m" },
};

typedef struct
{
  SpoolKit kit;
  char *account_file;
  guint64 streamed; /* bytes that the sink got */
  guint wait_for;   /* parts that have to be at Box before the stream comes to its end */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  spool_kit_set_up_with (&fixture->kit, PART);
  fixture->account_file = box_account_default_path ();
  g_unlink (fixture->account_file);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_free (fixture->account_file);
  spool_kit_tear_down (&fixture->kit);
}

/* The network may be slow here: before the muxer goes back to the head or ends, there are parts to
 * which that matters. */
static GstPadProbeReturn
on_data (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Fixture *fixture = user_data;
  GstEvent *event;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    fixture->streamed += gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info));
  else if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    fixture->streamed += gst_buffer_list_calculate_size (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
  else
    {
      event = GST_PAD_PROBE_INFO_EVENT (info);
      if (fixture->streamed > BOX_SESSION_MIN_SIZE
          && (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT
              || GST_EVENT_TYPE (event) == GST_EVENT_EOS))
        g_assert_true (box_emulator_wait_done (fixture->kit.emulator, "upload_part",
                                               fixture->wait_for, KIT_PATIENCE * 1000));
    }
  return GST_PAD_PROBE_OK;
}

/* Records @line as @name; the path of what filesink made of it is returned. */
static char *
record (Fixture *fixture, const char *line, const char *name)
{
  SpoolKit *kit = &fixture->kit;
  g_autofree char *whole = g_strdup_printf ("%s ! boxuploadsink name=sink", line);
  g_autofree char *location = g_strdup_printf ("box://0/%s", name);
  char *reference = g_build_filename (kit->dir, name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (whole, &error);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstPad) pad = NULL;
  Mirror *mirror;

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (sink, "location", location, "spool-dir", kit->dir, "endpoint",
                box_emulator_get_endpoint (kit->emulator, FALSE), "api-endpoint",
                box_emulator_get_api_endpoint (kit->emulator, FALSE), "access-token", "x", "ahead",
                TRUE, "expected-size", G_GUINT64_CONSTANT (50000000), NULL);
  pad = gst_element_get_static_pad (sink, "sink");
  fixture->streamed = 0;
  gst_pad_add_probe (pad,
                     GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER
                         | GST_PAD_PROBE_TYPE_BUFFER_LIST,
                     on_data, fixture, NULL);
  mirror = mirror_new (pad, reference);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  mirror_assert_eos (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  mirror_free (mirror);
  return reference;
}

/* The bytes of all parts that were sent, however it ended. */
static guint64
count_sent (Fixture *fixture)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (fixture->kit.emulator, "upload_part");
  guint64 sent = 0;

  for (guint i = 0; i < requests->len; i++)
    sent += ((BoxEmulatorRequest *) g_ptr_array_index (requests, i))->body_bytes;
  return sent;
}

static void
assert_no_session_is_open (Fixture *fixture)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (fixture->kit.emulator);

  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (BoxEmulatorSession) session =
          box_emulator_get_session (fixture->kit.emulator, g_ptr_array_index (ids, i));

      g_assert_cmpint (session->state, !=, BOX_EMULATOR_SESSION_OPEN);
    }
}

/* @name is at Box once, as filesink writes it, and nothing else is left. Its size. */
static guint64
assert_right (Fixture *fixture, const char *name, const char *reference)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->kit.emulator, "0", name);

  g_assert_nonnull (file);
  g_assert_cmpuint (file->n_versions, ==, 1);
  mirror_assert_equal (reference, file->path);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
  assert_no_session_is_open (fixture);
  g_assert_cmpuint (file->size, >, BOX_SESSION_MIN_SIZE);
  return file->size;
}

static void
test_hardly_a_byte_is_sent_twice (Fixture *fixture, gconstpointer data)
{
  const Muxer *muxer = data;
  g_autofree char *reference = NULL;
  guint64 size, sent;

  box_emulator_set_plan (fixture->kit.emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
  fixture->wait_for = 20;
  reference = record (fixture, muxer->line, "clip");
  size = assert_right (fixture, "clip", reference);
  sent = count_sent (fixture);
  g_test_message ("%" G_GUINT64_FORMAT " bytes recorded, %" G_GINT64_FORMAT " more sent", size,
                  (gint64) (sent - size));
  g_assert_cmpuint (sent, <=, size + 2 * PART);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "create_session"), ==, 2);
  g_assert_false (g_file_test (fixture->account_file, G_FILE_TEST_EXISTS));
}

/* A way of Box not to play along. */
typedef struct
{
  const char *name;
  BoxEmulatorPlan scope;
  const char *reason; /* in the note */
} Refusal;

static const Refusal refusals[] = {
  { "none", BOX_EMULATOR_PLAN_NONE, "was found" },
  { "session", BOX_EMULATOR_PLAN_SESSION, "was found" },
  { "file", BOX_EMULATOR_PLAN_FILE, "was found" },
  { "late", BOX_EMULATOR_PLAN_LATE, "was found" },
  { "lying", BOX_EMULATOR_PLAN_LYING, "did not take" },
  { "wrong", BOX_EMULATOR_PLAN_WRONG, "did not take" },
};

/* The account's note says that sending ahead is of no use, and why. */
static void
assert_noted (Fixture *fixture, const char *reason)
{
  g_autofree char *text = NULL;

  text = kit_read_text (fixture->account_file);
  g_assert_nonnull (strstr (text, "\"none\""));
  g_assert_nonnull (strstr (text, reason));
}

static void
test_where_box_does_not_play_along (Fixture *fixture, gconstpointer data)
{
  const Refusal *refusal = data;
  BoxEmulator *emulator = fixture->kit.emulator;
  g_autofree char *first = NULL, *second = NULL;
  guint64 size, sent;

  box_emulator_set_plan (emulator, refusal->scope, 0);
  fixture->wait_for = 5;
  first = record (fixture, AVI, "first");
  assert_right (fixture, "first", first);
  assert_noted (fixture, refusal->reason);

  sent = count_sent (fixture);
  fixture->wait_for = 0;
  second = record (fixture, AVI, "second");
  size = assert_right (fixture, "second", second);
  g_assert_cmpuint (count_sent (fixture) - sent, ==, size);
}

static void
test_without_a_plan_nothing_is_sent_ahead (Fixture *fixture, gconstpointer data)
{
  g_autofree char *reference = record (fixture, AVI, "clip");
  guint64 size = assert_right (fixture, "clip", reference);

  g_assert_cmpuint (count_sent (fixture), ==, size);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "plan"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_autofree char *state = kit_new_directory ();
  int result;

  g_setenv ("XDG_STATE_HOME", state, TRUE);
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (muxers); i++)
    {
      g_autofree char *path = g_strdup_printf ("/ahead/hardly-a-byte-twice/%s", muxers[i].name);

      g_test_add (path, Fixture, &muxers[i], set_up, test_hardly_a_byte_is_sent_twice, tear_down);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/ahead/box-does-not-play-along/%s", refusals[i].name);

      g_test_add (path, Fixture, &refusals[i], set_up, test_where_box_does_not_play_along,
                  tear_down);
    }
  g_test_add ("/ahead/without-a-plan-nothing-is-sent-ahead", Fixture, NULL, set_up,
              test_without_a_plan_nothing_is_sent_ahead, tear_down);
  result = g_test_run ();
  kit_remove_tree (state);
  return result;
}

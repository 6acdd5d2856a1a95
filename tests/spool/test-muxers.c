/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever a muxer does with a file, the spool's data is what filesink makes of the same buffers,
 * segments and events. Needs no network: eos-mode=spool ends with the recording.
 */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "kit/places.h"
#include "mirror.h"
#include "spool/recording.h"

#define VIDEO                                                                                      \
  "videotestsrc num-buffers=60 ! video/x-raw,format=I420,width=160,height=120,framerate=30/1 ! "
#define AUDIO                                                                                      \
  "audiotestsrc num-buffers=80 samplesperbuffer=1024 ! audio/x-raw,rate=44100,channels=1 ! "
#define H264 VIDEO "x264enc key-int-max=15 speed-preset=ultrafast ! h264parse ! queue ! m. "
#define AAC  AUDIO "voaacenc ! aacparse ! queue ! m. "

typedef struct
{
  const char *name;
  const char *line;  /* with a muxer named m */
  gboolean rewrites; /* the muxer goes back in the file */
} Muxer;

static const Muxer muxers[] = {
  { "mp4mux", H264 AAC "mp4mux name=m", TRUE },
  { "mp4mux-fragmented", H264 AAC "mp4mux name=m fragment-duration=500", TRUE },
  { "mp4mux-finalised",
    H264 AAC "mp4mux name=m fragment-duration=500 fragment-mode=first-moov-then-finalise", TRUE },
  { "mp4mux-faststart", H264 AAC "mp4mux name=m faststart=true", FALSE },
  { "mp4mux-robust",
    H264 "mp4mux name=m reserved-max-duration=20000000000 reserved-moov-update-period=500000000",
    TRUE },
  { "matroskamux", H264 AAC "matroskamux name=m", TRUE },
  { "webmmux", VIDEO "vp8enc deadline=1 ! queue ! webmmux name=m", TRUE },
  { "mpegtsmux", H264 AAC "mpegtsmux name=m", FALSE },
  { "flvmux", H264 AAC "flvmux name=m", TRUE },
  { "avimux", H264 "avimux name=m", TRUE },
  { "wavenc", AUDIO "wavenc name=m", TRUE },
  { "oggmux", AUDIO "vorbisenc ! oggmux name=m", FALSE },
  { "mxfmux", VIDEO "x264enc key-int-max=15 speed-preset=ultrafast ! h264parse ! mxfmux name=m",
    TRUE },
};

typedef struct
{
  char *dir;
  guint n_rewrites; /* segments that did not continue at the stream's position */
} Fixture;

static void
run (Fixture *fixture, const char *line, const char *reference)
{
  g_autofree char *whole = g_strdup_printf ("%s ! boxuploadsink name=sink", line);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (whole, &error);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstPad) pad = NULL;
  Mirror *mirror;

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  /* Nothing listens on port 9: there is no network, and that is no reason not to record. */
  g_object_set (sink, "location", "box://0/clip", "eos-mode", 1, "spool-dir", fixture->dir,
                "endpoint", "http://127.0.0.1:9/api/2.0", "api-endpoint", "http://127.0.0.1:9/2.0",
                "access-token", "x", NULL);
  pad = gst_element_get_static_pad (sink, "sink");
  mirror = mirror_new (pad, reference);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  mirror_assert_eos (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fixture->n_rewrites = mirror_get_rewrites (mirror);
  mirror_free (mirror);
}

/* The one recording in the spool, and removes its journal. */
static char *
find_data (Fixture *fixture)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->dir, 0, NULL);
  const char *name;
  char *data = NULL;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->dir, name, NULL);

      if (g_str_has_suffix (name, BOX_RECORDING_DATA_SUFFIX))
        {
          g_assert_null (data);
          data = g_steal_pointer (&path);
        }
      else if (g_str_has_suffix (name, BOX_RECORDING_JOURNAL_SUFFIX))
        g_unlink (path);
    }
  g_assert_nonnull (data);
  return data;
}

static void
test_spool_has_what_filesink_writes (gconstpointer data)
{
  const Muxer *muxer = data;
  Fixture fixture = { .dir = kit_new_directory () };
  g_autofree char *reference = g_build_filename (fixture.dir, "reference", NULL);
  g_autofree char *path = NULL, *expected = NULL, *actual = NULL;
  gsize expected_size, actual_size;

  run (&fixture, muxer->line, reference);
  path = find_data (&fixture);
  g_assert_true (g_file_get_contents (reference, &expected, &expected_size, NULL));
  g_assert_true (g_file_get_contents (path, &actual, &actual_size, NULL));
  g_assert_cmpuint (expected_size, >, 1000);
  g_assert_true (expected_size == actual_size && memcmp (expected, actual, actual_size) == 0);
  g_assert_cmpint (fixture.n_rewrites > 0, ==, muxer->rewrites);

  g_unlink (reference);
  g_unlink (path);
  kit_remove_empty_directory (fixture.dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (muxers); i++)
    {
      g_autofree char *path = g_strdup_printf ("/muxers/%s", muxers[i].name);

      g_test_add_data_func (path, &muxers[i], test_spool_has_what_filesink_writes);
    }
  return g_test_run ();
}

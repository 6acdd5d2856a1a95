/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose answer to "how many bytes?" is believed. Nearly every element passes the question on to the
 * file source, and most of them change the bytes. Each line here ends in filesink and boxuploadsink
 * at once, and both must have the same file.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../element/sink-fixture.h"
#include "../unit/raw-server.h"

/* Of the pattern that is read where a line needs no media. */
#define SIZE 300000

#define AUDIO "audiotestsrc num-buffers=50 ! audio/x-raw,rate=44100,channels=2 ! "
#define VIDEO "videotestsrc num-buffers=20 ! video/x-raw,width=160,height=120,framerate=25/1 ! "
#define H264  VIDEO "x264enc speed-preset=ultrafast ! video/x-h264,stream-format=byte-stream"
#define AAC   AUDIO "voaacenc ! audio/mpeg,stream-format=adts"
#define MP3   AUDIO "lamemp3enc"
#define FILE  "filesrc name=src location=%s ! "
#define AES   "aesenc key=1f9423681beb9a79215820f6bda73d0f iv=e9aa8e834d8d70b7e0d254ff670dd718"

typedef struct _Line Line;

struct _Line
{
  const char *name;
  const char *line;  /* %s: the input */
  const char *media; /* that makes the input; NULL: the pattern */
  void (*prepare) (SinkFixture *fixture, const char *input);
  gboolean believed;
  gboolean fails; /* unless the way is set: nobody can tell before it is too late */
};

/* --- Sources ---------------------------------------------------------------------------------- */

static GstElement *
get_source (SinkFixture *fixture)
{
  return gst_bin_get_by_name (GST_BIN (fixture->pipeline), "src");
}

static void
close_file (gpointer fd)
{
  g_close (GPOINTER_TO_INT (fd), NULL);
}

static void
open_at (SinkFixture *fixture, const char *input, gint64 offset)
{
  g_autoptr (GstElement) source = get_source (fixture);
  int fd = g_open (input, O_RDONLY | O_CLOEXEC, 0);

  g_assert_cmpint (lseek (fd, offset, SEEK_SET), ==, offset);
  g_object_set (source, "fd", fd, NULL);
  g_object_set_data_full (G_OBJECT (source), "fd", GINT_TO_POINTER (fd), close_file);
}

static void
open_at_the_beginning (SinkFixture *fixture, const char *input)
{
  open_at (fixture, input, 0);
}

static void
open_elsewhere (SinkFixture *fixture, const char *input)
{
  open_at (fixture, input, 12345);
}

/* Whether the next look at a file finds it a block ahead of what its source counted. */
static gint is_ahead;

off_t lseek (int fd, off_t offset, int whence);

/* Takes the place of the C library's. */
off_t
lseek (int fd, off_t offset, int whence)
{
  off_t position = syscall (SYS_lseek, fd, offset, whence);
  gboolean is_look = offset == 0 && whence == SEEK_CUR;

  if (is_look && g_atomic_int_compare_and_exchange (&is_ahead, TRUE, FALSE))
    position += 4096;
  return position;
}

static GstPadProbeReturn
be_ahead (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_set (&is_ahead, TRUE);
  return GST_PAD_PROBE_REMOVE;
}

/* The sink asks while the source reads its next block. */
static void
open_and_read_on (SinkFixture *fixture, const char *input)
{
  g_autoptr (GstElement) source = get_source (fixture);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");

  open_at_the_beginning (fixture, input);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, be_ahead, NULL, NULL);
}

static void
seek_to (SinkFixture *fixture, gint64 start, gint64 stop)
{
  gst_element_set_state (fixture->pipeline, GST_STATE_PAUSED);
  g_assert_cmpint (gst_element_get_state (fixture->pipeline, NULL, NULL, SINK_FIXTURE_PATIENCE), ==,
                   GST_STATE_CHANGE_SUCCESS);
  g_assert_true (gst_element_seek (fixture->pipeline, 1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
                                   GST_SEEK_TYPE_SET, start,
                                   stop > 0 ? GST_SEEK_TYPE_SET : GST_SEEK_TYPE_NONE, stop));
}

static void
seek_to_a_start (SinkFixture *fixture, const char *input)
{
  seek_to (fixture, 54321, 0);
}

static void
seek_to_a_stop (SinkFixture *fixture, const char *input)
{
  seek_to (fixture, 0, 54321);
}

static GstPadProbeReturn
grow (GstPad *pad, GstPadProbeInfo *info, gpointer input)
{
  g_autofree char *more = g_strnfill (20000, 'x');
  int fd;

  if (GST_BUFFER_OFFSET (GST_PAD_PROBE_INFO_BUFFER (info)) == 0)
    return GST_PAD_PROBE_OK;
  fd = g_open (input, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
  g_assert_cmpint (write (fd, more, 20000), ==, 20000);
  g_close (fd, NULL);
  return GST_PAD_PROBE_REMOVE;
}

/* The source itself would wait for more at the end of the file. */
static GstPadProbeReturn
end_in_the_middle (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  if (GST_BUFFER_OFFSET (GST_PAD_PROBE_INFO_BUFFER (info)) < SIZE / 2)
    return GST_PAD_PROBE_OK;
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

/* When the sink has asked for the size, which it does with the first buffer. */
static void
grow_meanwhile (SinkFixture *fixture, const char *input)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (fixture->sink, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, grow, g_strdup (input), g_free);
}

static void
push_from_the_application (SinkFixture *fixture, const char *input)
{
  g_autoptr (GstElement) source = get_source (fixture);

  for (guint i = 0; i < 10; i++)
    {
      GstBuffer *buffer = gst_buffer_new_wrapped (g_strnfill (1000, 'a'), 1000);
      GstFlowReturn flow;

      g_signal_emit_by_name (source, "push-buffer", buffer, &flow);
      gst_buffer_unref (buffer);
    }
  gst_element_send_event (source, gst_event_new_eos ());
}

/* "GET" is answered with 5000 bytes, gzip-coded if that is accepted. */
static void
serve (RawPeer *peer, gpointer data)
{
  g_autofree char *body = g_strnfill (5000, 'w');
  g_autofree char *head = NULL;
  g_autoptr (GZlibCompressor) gzip = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  guint8 small[1000];
  gsize n_read, n;

  g_converter_convert (G_CONVERTER (gzip), body, 5000, small, sizeof small,
                       G_CONVERTER_INPUT_AT_END, &n_read, &n, NULL);
  while ((head = raw_peer_read_head (peer)) != NULL)
    {
      gboolean accepted = strstr (head, "gzip") != NULL;

      raw_peer_say (peer, "HTTP/1.1 200 OK\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n%s\r\n",
                    accepted ? n : 5000, accepted ? "Content-Encoding: gzip\r\n" : "");
      raw_peer_say_bytes (peer, accepted ? (const char *) small : body, accepted ? n : 5000);
      g_clear_pointer (&head, g_free);
    }
}

static void
read_from_a_server (SinkFixture *fixture, const char *input)
{
  g_autoptr (GstElement) source = get_source (fixture);
  RawServer *server = raw_server_new (serve, NULL, NULL);
  g_autofree char *url = raw_server_get_url (server, "x");

  g_object_set (source, "location", url, NULL);
  g_object_set_data_full (G_OBJECT (source), "server", server, (GDestroyNotify) raw_server_free);
}

static void
read_gio (SinkFixture *fixture, const char *input)
{
  g_autoptr (GstElement) source = get_source (fixture);
  g_autofree char *uri = g_filename_to_uri (input, NULL, NULL);

  g_object_set (source, "location", uri, NULL);
}

/* Its size is that of a moment. */
static void
read_gio_that_grows (SinkFixture *fixture, const char *input)
{
  g_autoptr (GstElement) source = get_source (fixture);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");

  read_gio (fixture, input);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, end_in_the_middle, NULL, NULL);
}

static const Line lines[] = {
  { "filesrc", FILE "tee name=t", NULL, NULL, TRUE },
  { "queue", FILE "queue ! tee name=t", NULL, NULL, TRUE },
  { "queue2", FILE "queue2 ! tee name=t", NULL, NULL, TRUE },
  { "multiqueue", FILE "multiqueue ! tee name=t", NULL, NULL, TRUE },
  { "typefind", FILE "typefind ! tee name=t", AAC, NULL, TRUE },
  { "capsfilter", FILE "application/octet-stream ! tee name=t", NULL, NULL, TRUE },
  { "identity", FILE "identity ! tee name=t", NULL, NULL, TRUE },
  { "bins",
    "( " FILE "identity name=a ) ( queue name=b ! identity name=c ) a. ! b. c. ! tee name=t", NULL,
    NULL, TRUE },
  { "giosrc", "giosrc name=src ! tee name=t", NULL, read_gio, TRUE },
  { "fdsrc", "fdsrc name=src ! tee name=t", NULL, open_at_the_beginning, TRUE },
  { "fdsrc-that-reads-on", "fdsrc name=src ! tee name=t", NULL, open_and_read_on, TRUE },
  { "souphttpsrc", "souphttpsrc name=src ! tee name=t", NULL, read_from_a_server, TRUE },

  { "aacparse", FILE "aacparse ! mpegtsmux ! tee name=t", AAC },
  { "mpegaudioparse", FILE "mpegaudioparse ! mp4mux ! tee name=t", MP3 },
  { "h264parse", FILE "h264parse ! mpegtsmux ! tee name=t", H264 },
  { "h265parse", FILE "h265parse ! mpegtsmux ! tee name=t",
    VIDEO "x265enc speed-preset=ultrafast ! video/x-h265,stream-format=byte-stream" },
  { "ac3parse", FILE "ac3parse ! mpegtsmux ! tee name=t", AUDIO "audioconvert ! avenc_ac3" },
  { "mpegvideoparse", FILE "mpegvideoparse ! mpegtsmux ! tee name=t", VIDEO "mpeg2enc" },
  { "rawaudioparse", FILE "rawaudioparse ! wavenc ! tee name=t",
    AUDIO "audioconvert ! audio/x-raw,format=S16LE" },
  { "encoder", FILE "decodebin ! audioconvert ! voaacenc ! mp4mux ! tee name=t", MP3 },
  { "id3v2mux", FILE "mpegaudioparse ! id3v2mux ! tee name=t", MP3 },
  { "xingmux", FILE "mpegaudioparse ! xingmux ! tee name=t", MP3 },
  { "bz2enc", FILE "bz2enc ! tee name=t", NULL },
  { "bz2dec", FILE "bz2dec ! tee name=t", AUDIO "bz2enc" },
  { "aesenc", FILE AES " ! tee name=t", NULL },
  { "identity-that-drops", FILE "identity drop-probability=0.5 ! tee name=t", NULL },
  { "identity-that-ends", FILE "identity eos-after=3 ! tee name=t", NULL },
  { "queue-that-drops", FILE "queue leaky=downstream max-size-buffers=1 ! tee name=t", NULL },
  { "queue-that-flushes", FILE "queue flush-on-eos=true max-size-buffers=1 ! tee name=t", NULL },
  { "queue2-with-a-file", FILE "queue2 temp-template=%s-XXXXXX ! tee name=t", NULL },
  { "concat", "concat name=c ! tee name=t " FILE "c. filesrc location=%s ! c.", NULL },
  { "filesrc-num-buffers", "filesrc location=%s num-buffers=2 ! tee name=t", NULL },
  { "seek-to-a-start", FILE "tee name=t", NULL, seek_to_a_start },
  { "seek-to-a-stop", FILE "tee name=t", NULL, seek_to_a_stop },
  { "fdsrc-at-an-offset", "fdsrc name=src ! tee name=t", NULL, open_elsewhere },
  { "file-that-grows", FILE "tee name=t", NULL, grow_meanwhile, TRUE, TRUE },
  { "giosrc-that-grows", "giosrc name=src is-growing=true ! tee name=t", NULL,
    read_gio_that_grows },
  { "souphttpsrc-gzip", "souphttpsrc name=src compress=true ! tee name=t", NULL,
    read_from_a_server },
  { "appsrc", "appsrc name=src size=123456 format=bytes ! tee name=t", NULL,
    push_from_the_application },
};

/* --- Tests ------------------------------------------------------------------------------------ */

/* How the sink is set up; the size is believed with the first alone. */
static const char *const settings[] = { "", "unknown-size=spool", "spool-dir=%s-spool" };

static char *
fill_in (const char *line, const char *input)
{
  GString *filled = g_string_new (line);

  g_string_replace (filled, "%s", input, 0);
  return g_string_free (filled, FALSE);
}

static void
make_media (const char *media, const char *path)
{
  g_autofree char *line = g_strdup_printf ("%s ! filesink location=%s", media, path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) end = NULL;

  g_assert_no_error (error);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  end =
      gst_bus_timed_pop_filtered (bus, SINK_FIXTURE_PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (end);
  g_assert_cmpint (GST_MESSAGE_TYPE (end), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static char *
make_input (SinkFixture *fixture, const Line *line)
{
  char *input;

  if (line->media == NULL)
    return sink_fixture_make_file (fixture, SIZE);
  input = g_build_filename (fixture->dir, "media", NULL);
  make_media (line->media, input);
  return input;
}

/* The queues hold one buffer, so that the source is not far ahead of the sinks. */
static void
launch (SinkFixture *fixture, const Line *line, const char *setting, const char *input)
{
  g_autofree char *source = fill_in (line->line, input);
  g_autofree char *property = fill_in (setting, input);

  sink_fixture_launch (fixture,
                       "%s t. ! queue max-size-buffers=1 ! filesink location=%s-copy "
                       "t. ! queue max-size-buffers=1 ! boxuploadsink name=sink "
                       "location=box://0/a %s",
                       source, input, property);
  if (line->prepare != NULL)
    line->prepare (fixture, input);
}

static void
run (const Line *line, const char *setting)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *input = make_input (fixture, line);
  g_autofree char *copy = g_strconcat (input, "-copy", NULL);
  gboolean is_set = setting[0] != '\0';

  fixture->has_state = setting != settings[2];
  launch (fixture, line, setting, input);
  if (line->fails && !is_set)
    {
      g_assert_false (sink_fixture_run (fixture));
      sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "unknown-size");
      return;
    }
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", copy);
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-spooled"), ==,
                    line->believed && !is_set ? 0 : 1);
}

static void
test_same_as_filesink (gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    {
      g_test_message ("with \"%s\"", settings[i]);
      run (data, settings[i]);
    }
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *path = g_strdup_printf ("/upstream/%s", lines[i].name);

      g_test_add_data_func (path, &lines[i], test_same_as_filesink);
    }
  return g_test_run ();
}

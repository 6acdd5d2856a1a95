/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pipeline that runs all the time, here into a fakesink that stands for a display, and a
 * recording branch that is added to it and taken away again. Each line on standard input begins a
 * recording, or ends the one that runs; the end of standard input ends the program, when the last
 * recording has ended.
 *
 *   on-demand FOLDER_ID
 *
 * Exit code: 0 if every recording is at Box, else 1.
 */
#include <gst/gst.h>
#include <stdio.h>

/* A fixed format: a branch that joins must not make the source choose another one. */
#define SOURCE                                                                                     \
  "videotestsrc is-live=true ! video/x-raw,format=I420,width=640,height=480,framerate=30/1"

/* A branch of its own encoder: it begins with a key frame, whenever it begins. */
#define BRANCH                                                                                     \
  "queue name=head ! videoconvert ! x264enc tune=zerolatency ! h264parse ! "                       \
  "matroskamux offset-to-zero=true ! boxuploadsink name=box errors-fatal=false"

typedef struct
{
  GstElement *pipeline;
  GstElement *tee;
  GMainLoop *loop;
  GIOChannel *input;
  const char *folder;
  gboolean listening; /* for lines on standard input */

  struct Recording *current; /* the one that is recorded; NULL */
  guint begun;               /* recordings so far */
  guint open;                /* recordings that have not ended */
  gboolean leaving;
  gboolean failed;
} Monitor;

/* A branch. It is removed when its stream has been cut off and its sink has said how it ended, in
 * either order. */
typedef struct Recording
{
  Monitor *monitor;
  GstElement *branch;
  GstPad *tee_pad;
  gboolean cutting, cut, told;
} Recording;

static void
begin_recording (Monitor *monitor)
{
  Recording *recording = g_new0 (Recording, 1);
  g_autofree char *location =
      g_strdup_printf ("box://%s/on-demand-%u.mkv", monitor->folder, ++monitor->begun);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstPad) head = NULL;

  recording->monitor = monitor;
  recording->branch = gst_parse_bin_from_description (BRANCH, TRUE, NULL);
  g_object_set_data (G_OBJECT (recording->branch), "recording", recording);
  sink = gst_bin_get_by_name (GST_BIN (recording->branch), "box");
  g_object_set (sink, "location", location, NULL);
  gst_bin_add (GST_BIN (monitor->pipeline), recording->branch);
  gst_element_sync_state_with_parent (recording->branch);
  head = gst_element_get_static_pad (recording->branch, "sink");
  recording->tee_pad = gst_element_request_pad_simple (monitor->tee, "src_%u");
  gst_pad_link (recording->tee_pad, head);
  monitor->current = recording;
  monitor->open++;
  g_print ("recording %s\n", location);
}

static void
leave_if_done (Monitor *monitor)
{
  if (monitor->leaving && monitor->open == 0)
    g_main_loop_quit (monitor->loop);
}

static void
remove_if_ended (Recording *recording)
{
  Monitor *monitor = recording->monitor;

  if (!recording->cut || !recording->told)
    return;
  gst_element_set_state (recording->branch, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (monitor->pipeline), recording->branch);
  gst_object_unref (recording->tee_pad);
  g_free (recording);
  monitor->open--;
  leave_if_done (monitor);
}

static gboolean
on_cut (gpointer user_data)
{
  ((Recording *) user_data)->cut = TRUE;
  remove_if_ended (user_data);
  return G_SOURCE_REMOVE;
}

/* Between two buffers: the branch gets its end, the others go on. */
static GstPadProbeReturn
cut (GstPad *tee_pad, GstPadProbeInfo *info, gpointer user_data)
{
  Recording *recording = user_data;
  g_autoptr (GstPad) head = gst_pad_get_peer (tee_pad);

  gst_pad_unlink (tee_pad, head);
  gst_pad_send_event (head, gst_event_new_eos ());
  gst_element_release_request_pad (recording->monitor->tee, tee_pad);
  g_idle_add (on_cut, recording);
  return GST_PAD_PROBE_REMOVE;
}

/* The upload goes on. */
static void
end_recording (Recording *recording)
{
  if (recording->cutting)
    return;
  recording->cutting = TRUE;
  recording->monitor->current = NULL;
  gst_pad_add_probe (recording->tee_pad, GST_PAD_PROBE_TYPE_IDLE, cut, recording, NULL);
}

/* The recording whose sink posted @message. */
static Recording *
recording_of (GstMessage *message)
{
  return g_object_get_data (G_OBJECT (GST_OBJECT_PARENT (GST_MESSAGE_SRC (message))), "recording");
}

/* @failed: it stays in the spool, if anything was recorded. */
static void
note_end (GstMessage *message, gboolean failed)
{
  const GstStructure *fields = gst_message_get_structure (message);
  Recording *recording = recording_of (message);

  if (failed)
    g_printerr ("%s\n", gst_structure_get_string (fields, "message"));
  else
    g_print ("%s is at Box\n", gst_structure_get_string (fields, "name"));
  recording->monitor->failed |= failed;
  recording->told = TRUE;
  end_recording (recording);
  remove_if_ended (recording);
}

static gboolean on_line (GIOChannel *channel, GIOCondition condition, gpointer user_data);

/* A branch takes over the state that the pipeline has when it joins. One that joined while the
 * pipeline is still on its way to PLAYING would stay in PAUSED, and record nothing. */
static void
listen_once_playing (Monitor *monitor)
{
  if (monitor->listening || GST_STATE (monitor->pipeline) != GST_STATE_PLAYING)
    return;
  monitor->listening = TRUE;
  g_io_add_watch (monitor->input, G_IO_IN | G_IO_HUP, on_line, monitor);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Monitor *monitor = user_data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_STATE_CHANGED)
    listen_once_playing (monitor);

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    {
      g_autoptr (GError) error = NULL;

      gst_message_parse_error (message, &error, NULL);
      g_printerr ("%s\n", error->message);
      monitor->failed = TRUE;
      g_main_loop_quit (monitor->loop);
    }
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    {
      g_autoptr (GError) warning = NULL;

      gst_message_parse_warning (message, &warning, NULL);
      g_printerr ("%s\n", warning->message);
    }
  else if (gst_message_has_name (message, "boxuploadsink-complete"))
    note_end (message, FALSE);
  else if (gst_message_has_name (message, "boxuploadsink-failed"))
    note_end (message, TRUE);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_line (GIOChannel *channel, GIOCondition condition, gpointer user_data)
{
  Monitor *monitor = user_data;
  g_autofree char *line = NULL;

  if (g_io_channel_read_line (channel, &line, NULL, NULL, NULL) == G_IO_STATUS_NORMAL)
    {
      if (monitor->current == NULL)
        begin_recording (monitor);
      else
        end_recording (monitor->current);
      return G_SOURCE_CONTINUE;
    }
  if (monitor->current != NULL)
    end_recording (monitor->current);
  monitor->leaving = TRUE;
  leave_if_done (monitor);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GIOChannel) input = NULL;
  g_autoptr (GstBus) bus = NULL;
  Monitor monitor = { NULL };

  gst_init (&argc, &argv);
  if (argc != 2)
    {
      g_printerr ("usage: on-demand FOLDER_ID\n");
      return 2;
    }
  setvbuf (stdout, NULL, _IOLBF, 0);
  monitor.folder = argv[1];
  monitor.pipeline = gst_parse_launch (SOURCE " ! tee name=tee ! queue ! "
                                              "fakesink sync=true",
                                       NULL);
  monitor.tee = gst_bin_get_by_name (GST_BIN (monitor.pipeline), "tee");
  monitor.loop = g_main_loop_new (NULL, FALSE);
  bus = gst_element_get_bus (monitor.pipeline);
  gst_bus_add_watch (bus, on_message, &monitor);
  input = monitor.input = g_io_channel_unix_new (0);

  gst_element_set_state (monitor.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (monitor.loop);
  gst_element_set_state (monitor.pipeline, GST_STATE_NULL);

  gst_bus_remove_watch (bus);
  gst_object_unref (monitor.tee);
  gst_object_unref (monitor.pipeline);
  g_main_loop_unref (monitor.loop);
  return monitor.failed ? 1 : 0;
}

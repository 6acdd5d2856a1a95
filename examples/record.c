/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records a test picture to Box until Ctrl-C, or for some seconds, and shows the progress of the
 * upload. When Box wants a token, a command is asked for one.
 *
 *   record box://FOLDER_ID/NAME.mkv TOKEN_COMMAND [SECONDS]
 *
 * Exit code: 0 if the file is at Box, else 1.
 */
#include <glib-unix.h>
#include <gst/gst.h>
#include <stdlib.h>

#define FRAMES_PER_SECOND 30

typedef struct
{
  GstElement *pipeline;
  GMainLoop *loop;
  const char *token_command;
  gboolean complete;
} Recorder;

/* In a thread of its own, so it may take its time. NULL: there is no token. */
static char *
on_request_token (GstElement *sink, gpointer user_data)
{
  Recorder *recorder = user_data;
  g_autoptr (GError) error = NULL;
  char *token = NULL;

  if (!g_spawn_command_line_sync (recorder->token_command, &token, NULL, NULL, &error))
    g_printerr ("%s\n", error->message);
  return token != NULL ? g_strstrip (token) : NULL;
}

static void
show_progress (GstMessage *message)
{
  const GstStructure *details = gst_message_get_structure (message);
  g_autofree char *text = NULL;
  gint percent;

  gst_message_parse_progress (message, NULL, NULL, &text);
  if (gst_structure_get_int (details, "percent", &percent))
    g_print ("%3d %% uploaded\n", percent);
  else
    g_print ("%s\n", text);
}

/* What the sink alone tells: see "Messages" in docs/element.md. */
static void
on_element_message (Recorder *recorder, GstMessage *message)
{
  const GstStructure *fields = gst_message_get_structure (message);

  if (!gst_structure_has_name (fields, "boxuploadsink-complete"))
    return;
  recorder->complete = TRUE;
  g_print ("file %s, SHA-1 %s\n", gst_structure_get_string (fields, "file-id"),
           gst_structure_get_string (fields, "sha1"));
}

static void
show_problem (GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  g_printerr ("%s: %s\n", GST_MESSAGE_TYPE_NAME (message), error->message);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Recorder *recorder = user_data;

  switch (GST_MESSAGE_TYPE (message))
    {
    case GST_MESSAGE_PROGRESS:
      show_progress (message);
      break;
    case GST_MESSAGE_ELEMENT:
      on_element_message (recorder, message);
      break;
    case GST_MESSAGE_WARNING:
      show_problem (message);
      break;
    case GST_MESSAGE_ERROR:
      show_problem (message);
      g_main_loop_quit (recorder->loop);
      break;
    case GST_MESSAGE_EOS: /* comes when the file is committed */
      g_main_loop_quit (recorder->loop);
      break;
    default:
      break;
    }
  return G_SOURCE_CONTINUE;
}

/* The end of the stream, in order: the container is finished, and the rest is uploaded. */
static gboolean
on_interrupt (gpointer user_data)
{
  gst_element_send_event (((Recorder *) user_data)->pipeline, gst_event_new_eos ());
  return G_SOURCE_REMOVE;
}

static GstElement *
make_pipeline (Recorder *recorder, const char *location, int seconds)
{
  g_autofree char *description = g_strdup_printf (
      "videotestsrc is-live=true num-buffers=%d ! video/x-raw,framerate=%d/1 ! "
      "x264enc tune=zerolatency ! h264parse ! matroskamux ! boxuploadsink name=box",
      seconds > 0 ? seconds * FRAMES_PER_SECOND : -1, FRAMES_PER_SECOND);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) sink = NULL;
  GstElement *pipeline = gst_parse_launch (description, &error);

  if (pipeline == NULL)
    {
      g_printerr ("%s\n", error->message);
      return NULL;
    }
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "box");
  g_object_set (sink, "location", location, NULL);
  /* Before PAUSED. */
  g_signal_connect (sink, "request-token", G_CALLBACK (on_request_token), recorder);
  return pipeline;
}

int
main (int argc, char **argv)
{
  Recorder recorder = { NULL };
  g_autoptr (GstBus) bus = NULL;
  guint interrupt;

  gst_init (&argc, &argv);
  if (argc < 3)
    {
      g_printerr ("usage: record LOCATION TOKEN_COMMAND [SECONDS]\n");
      return 2;
    }
  recorder.token_command = argv[2];
  recorder.pipeline = make_pipeline (&recorder, argv[1], argc > 3 ? atoi (argv[3]) : 0);
  if (recorder.pipeline == NULL)
    return 1;
  recorder.loop = g_main_loop_new (NULL, FALSE);
  bus = gst_element_get_bus (recorder.pipeline);
  gst_bus_add_watch (bus, on_message, &recorder);
  interrupt = g_unix_signal_add (SIGINT, on_interrupt, &recorder);

  gst_element_set_state (recorder.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (recorder.loop);
  gst_element_set_state (recorder.pipeline, GST_STATE_NULL);

  if (g_main_context_find_source_by_id (NULL, interrupt) != NULL)
    g_source_remove (interrupt);
  gst_bus_remove_watch (bus);
  gst_object_unref (recorder.pipeline);
  g_main_loop_unref (recorder.loop);
  return recorder.complete ? 0 : 1;
}

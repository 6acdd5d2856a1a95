/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many recordings in one process: pipelines that deliver bytes at a rate into a sink each. Tells
 * what the process uses once all run.
 *
 *   bench-sinks SINKS BYTES-PER-SECOND SECONDS ELEMENT [PROPERTY=VALUE…]
 *
 * "%d" in a value becomes the sink's number. Prints JSON: CPU seconds within SECONDS, threads,
 * threads of the pipelines' own (one a source), resident memory and its peak (KiB).
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Until sessions are open and parts go round. */
#define WARM_UP 12

/* Ten packets of a transport stream's usual buffer. */
#define BUFFER_SIZE 13160

static double
get_cpu (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* A number of /proc/self/status. */
static long
get_status (const char *key)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return -1;
  line = strstr (text, key);
  return line != NULL ? strtol (line + strlen (key) + 1, NULL, 10) : -1;
}

static char *
describe_pipeline (char **description, guint number, guint64 rate)
{
  g_autofree char *text = g_strdup_printf ("%u", number);
  g_autofree char *sink = g_strjoinv (" ", description);
  g_auto (GStrv) pieces = g_strsplit (sink, "%d", -1);
  g_autofree char *numbered = g_strjoinv (text, pieces);

  return g_strdup_printf (
      "fakesrc format=time sizetype=fixed sizemax=%d filltype=zero ! identity sync=true "
      "single-segment=true datarate=%" G_GUINT64_FORMAT " ! %s",
      BUFFER_SIZE, rate, numbered);
}

static GPtrArray *
start_pipelines (guint n, guint64 rate, char **description)
{
  GPtrArray *pipelines = g_ptr_array_new_with_free_func (gst_object_unref);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = describe_pipeline (description, i, rate);
      g_autoptr (GError) error = NULL;
      GstElement *pipeline = gst_parse_launch (text, &error);

      if (error != NULL)
        {
          fprintf (stderr, "bench-sinks: %s\n", error->message);
          exit (1);
        }
      g_ptr_array_add (pipelines, pipeline);
      gst_element_set_state (pipeline, GST_STATE_PLAYING);
    }
  return pipelines;
}

static guint
count_errors (GPtrArray *pipelines)
{
  guint n = 0;

  for (guint i = 0; i < pipelines->len; i++)
    {
      g_autoptr (GstBus) bus = gst_element_get_bus (g_ptr_array_index (pipelines, i));
      GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

      if (message == NULL)
        continue;
      n++;
      gst_message_unref (message);
    }
  return n;
}

int
main (int argc, char **argv)
{
  guint n = argc > 4 ? (guint) strtoul (argv[1], NULL, 10) : 0;
  guint seconds = argc > 4 ? (guint) strtoul (argv[3], NULL, 10) : 0;
  g_autoptr (GPtrArray) pipelines = NULL;
  guint errors;
  double begin;

  if (n == 0 || seconds == 0)
    {
      fprintf (stderr, "usage: bench-sinks SINKS BYTES-PER-SECOND SECONDS ELEMENT "
                       "[PROPERTY=VALUE...]\n");
      return 2;
    }
  gst_init (NULL, NULL);
  pipelines = start_pipelines (n, strtoull (argv[2], NULL, 10), argv + 4);
  g_usleep (WARM_UP * G_USEC_PER_SEC);
  begin = get_cpu ();
  g_usleep (seconds * G_USEC_PER_SEC);
  printf ("{\"cpu\": %.3f, \"threads\": %ld, \"own\": %u, \"rss\": %ld, \"peak\": %ld, ",
          get_cpu () - begin, get_status ("Threads:"), n, get_status ("VmRSS:"),
          get_status ("VmHWM:"));
  errors = count_errors (pipelines);
  printf ("\"errors\": %u}\n", errors);
  for (guint i = 0; i < pipelines->len; i++)
    gst_element_set_state (g_ptr_array_index (pipelines, i), GST_STATE_NULL);
  return errors > 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many recordings in one process: pipelines that deliver bytes at a rate into a sink each. Tells
 * what the process uses once all run, then while all streams rest, and until all have ended.
 *
 *   bench-sinks [--end] SINKS BYTES-PER-SECOND SECONDS ELEMENT [PROPERTY=VALUE…]
 *
 * "%d" in a value becomes the sink's number. --end: ends the streams with EOS at last, and waits
 * for that. Prints JSON: CPU seconds and wake-ups (voluntary context switches) within SECONDS;
 * threads, threads of the pipelines' own (one a source), descriptors, resident memory and its peak
 * (KiB); wake-ups a second at rest; and the most threads and descriptors until the end.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Until sessions are open and parts go round. Seconds. */
#define WARM_UP 12

/* Until what was still under way has ended, and how long the rest is then looked at. Seconds. */
#define SETTLE 6
#define REST   10

/* Until all have ended. Seconds. */
#define LONGEST_END 300

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

/* Wake-ups of all threads, those that have ended included. */
static long
get_wakeups (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_nvcsw;
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

static long
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  long n = -1; /* the directory's own */

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* The most that was seen of what comes and goes. */
typedef struct
{
  long threads;
  long descriptors;
} Most;

static void
look (Most *most)
{
  most->threads = MAX (most->threads, get_status ("Threads:"));
  most->descriptors = MAX (most->descriptors, count_descriptors ());
}

static char *
describe_pipeline (char **description, guint number, guint64 rate)
{
  g_autofree char *text = g_strdup_printf ("%u", number);
  g_autofree char *sink = g_strjoinv (" ", description);
  g_auto (GStrv) pieces = g_strsplit (sink, "%d", -1);
  g_autofree char *numbered = g_strjoinv (text, pieces);

  return g_strdup_printf ("fakesrc name=source format=time sizetype=fixed sizemax=%d filltype=zero "
                          "! identity sync=true "
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

/* Says so on standard error, too. */
static gboolean
is_error (GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return FALSE;
  gst_message_parse_error (message, &error, NULL);
  fprintf (stderr, "bench-sinks: %s\n", error->message);
  return TRUE;
}

/* Posted errors. With @ended also counts what has ended, which it is then told no more. */
static guint
count_messages (GPtrArray *pipelines, guint *ended)
{
  guint n = 0;

  for (guint i = 0; i < pipelines->len; i++)
    {
      g_autoptr (GstBus) bus = gst_element_get_bus (g_ptr_array_index (pipelines, i));
      GstMessage *message;

      while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_EOS)) != NULL)
        {
          n += is_error (message);
          if (ended != NULL)
            (*ended)++;
          gst_message_unref (message);
        }
    }
  return n;
}

static GstPadProbeReturn
hold (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return GST_PAD_PROBE_OK;
}

/* Holds the streams of all pipelines at their sources, or lets them go on. */
static void
hold_streams (GPtrArray *pipelines, gulong *probes, gboolean holds)
{
  for (guint i = 0; i < pipelines->len; i++)
    {
      g_autoptr (GstElement) source =
          gst_bin_get_by_name (g_ptr_array_index (pipelines, i), "source");
      g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");

      if (holds)
        probes[i] = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, hold, NULL, NULL);
      else
        gst_pad_remove_probe (pad, probes[i]);
    }
}

/* Wake-ups a second of all pipelines together while their streams rest. */
static double
measure_rest (GPtrArray *pipelines)
{
  g_autofree gulong *probes = g_new0 (gulong, pipelines->len);
  long begin;

  hold_streams (pipelines, probes, TRUE);
  g_usleep (SETTLE * G_USEC_PER_SEC);
  begin = get_wakeups ();
  g_usleep (REST * G_USEC_PER_SEC);
  begin = get_wakeups () - begin;
  hold_streams (pipelines, probes, FALSE);
  return (double) begin / REST;
}

/* How many ended with an error, or not at all. */
static guint
end_all (GPtrArray *pipelines, Most *most)
{
  gint64 deadline = g_get_monotonic_time () + LONGEST_END * G_USEC_PER_SEC;
  guint errors = 0, ended = 0;

  for (guint i = 0; i < pipelines->len; i++)
    gst_element_send_event (g_ptr_array_index (pipelines, i), gst_event_new_eos ());
  while (ended < pipelines->len && g_get_monotonic_time () < deadline)
    {
      look (most);
      g_usleep (G_USEC_PER_SEC / 5);
      errors += count_messages (pipelines, &ended);
    }
  return errors + (pipelines->len - MIN (ended, pipelines->len));
}

/* Until all sessions are open and parts go round. */
static void
warm_up (Most *most)
{
  for (guint i = 0; i < WARM_UP * 5; i++)
    {
      g_usleep (G_USEC_PER_SEC / 5);
      look (most);
    }
}

static void
measure (GPtrArray *pipelines, guint seconds, Most *most)
{
  double cpu = get_cpu ();
  long wakeups = get_wakeups ();

  g_usleep (seconds * G_USEC_PER_SEC);
  printf ("{\"cpu\": %.3f, \"wakeups\": %ld, \"threads\": %ld, \"own\": %u, \"descriptors\": %ld, "
          "\"rss\": %ld, ",
          get_cpu () - cpu, get_wakeups () - wakeups, get_status ("Threads:"), pipelines->len,
          count_descriptors (), get_status ("VmRSS:"));
  look (most);
}

int
main (int argc, char **argv)
{
  gboolean ends = argc > 1 && g_str_equal (argv[1], "--end");
  guint n, seconds, errors;
  g_autoptr (GPtrArray) pipelines = NULL;
  Most most = { 0 };

  argc -= ends;
  argv += ends;
  n = argc > 4 ? (guint) strtoul (argv[1], NULL, 10) : 0;
  seconds = argc > 4 ? (guint) strtoul (argv[3], NULL, 10) : 0;
  if (n == 0 || seconds == 0)
    {
      fprintf (stderr, "usage: bench-sinks [--end] SINKS BYTES-PER-SECOND SECONDS ELEMENT "
                       "[PROPERTY=VALUE...]\n");
      return 2;
    }
  gst_init (NULL, NULL);
  pipelines = start_pipelines (n, strtoull (argv[2], NULL, 10), argv + 4);
  warm_up (&most);
  measure (pipelines, seconds, &most);
  printf ("\"rest\": %.2f, ", measure_rest (pipelines));
  errors = ends ? end_all (pipelines, &most) : count_messages (pipelines, NULL);
  printf ("\"most_threads\": %ld, \"most_descriptors\": %ld, \"peak\": %ld, \"errors\": %u}\n",
          most.threads, most.descriptors, get_status ("VmHWM:"), errors);
  for (guint i = 0; i < pipelines->len; i++)
    gst_element_set_state (g_ptr_array_index (pipelines, i), GST_STATE_NULL);
  return errors > 0;
}

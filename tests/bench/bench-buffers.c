/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Measures what a buffer costs the streaming thread in a sink: pushes buffers into it, one by one
 * or in lists, and prints the CPU time of the pushing thread alone.
 *
 *   bench-buffers SIZE LIST BYTES ELEMENT [PROPERTY=VALUE…]
 *
 * LIST: buffers a list, 0: no lists. Prints nanoseconds of CPU a buffer.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The buffers cycle through so much memory: as a live source's do, they come from the cache. */
#define POOL_SIZE (1u << 20)

static gint64
get_thread_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static void
start_stream (GstPad *source)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_set_active (source, TRUE);
  gst_pad_push_event (source, gst_event_new_stream_start ("bench"));
  gst_pad_push_event (source, gst_event_new_segment (&segment));
}

static GPtrArray *
make_buffers (gsize size)
{
  GPtrArray *buffers = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  guint n = MAX (POOL_SIZE / (guint) size, 1);

  for (guint i = 0; i < n; i++)
    {
      GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

      gst_buffer_memset (buffer, 0, (guint8) i, size);
      g_ptr_array_add (buffers, buffer);
    }
  return buffers;
}

static GstBufferList *
make_list (GPtrArray *buffers, guint n, guint64 from)
{
  GstBufferList *list = gst_buffer_list_new_sized (n);

  for (guint i = 0; i < n; i++)
    gst_buffer_list_add (
        list, gst_buffer_ref (g_ptr_array_index (buffers, (guint) ((from + i) % buffers->len))));
  return list;
}

/* Nanoseconds of CPU for @count buffers. A list is made before its push is timed. */
static gint64
push (GstPad *source, GPtrArray *buffers, guint n_list, guint64 count)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gint64 spent = 0;

  for (guint64 done = 0; done < count && flow == GST_FLOW_OK;)
    {
      GstBufferList *list = n_list > 0 ? make_list (buffers, n_list, done) : NULL;
      gint64 begin = get_thread_time ();
      guint n = n_list > 0 ? n_list : 64;

      if (list != NULL)
        flow = gst_pad_push_list (source, list);
      for (guint i = 0; list == NULL && i < n && flow == GST_FLOW_OK; i++)
        flow = gst_pad_push (source, gst_buffer_ref (g_ptr_array_index (
                                         buffers, (guint) ((done + i) % buffers->len))));
      spent += get_thread_time () - begin;
      done += n;
    }
  return flow == GST_FLOW_OK ? spent : -1;
}

static GstElement *
make_sink (char **description)
{
  GstElement *sink = gst_element_factory_make (description[0], NULL);

  if (sink == NULL)
    return NULL;
  for (char **setting = description + 1; *setting != NULL; setting++)
    {
      g_auto (GStrv) pair = g_strsplit (*setting, "=", 2);

      gst_util_set_object_arg (G_OBJECT (sink), pair[0], pair[1]);
    }
  return gst_object_ref_sink (sink);
}

int
main (int argc, char **argv)
{
  gsize size = argc > 4 ? (gsize) strtoull (argv[1], NULL, 10) : 0;
  guint n_list = argc > 4 ? (guint) strtoul (argv[2], NULL, 10) : 0;
  guint64 count = size > 0 ? strtoull (argv[3], NULL, 10) / size : 0;
  g_autoptr (GPtrArray) buffers = NULL;
  GstElement *sink;
  GstPad *source, *pad;
  gint64 spent;

  if (count == 0)
    {
      fprintf (stderr, "usage: bench-buffers SIZE LIST BYTES ELEMENT [PROPERTY=VALUE...]\n");
      return 2;
    }
  gst_init (NULL, NULL);
  sink = make_sink (argv + 4);
  if (sink == NULL)
    {
      fprintf (stderr, "bench-buffers: there is no element %s\n", argv[4]);
      return 1;
    }
  pad = gst_element_get_static_pad (sink, "sink");
  source = gst_pad_new ("src", GST_PAD_SRC);
  gst_pad_link (source, pad);
  gst_element_set_state (sink, GST_STATE_PLAYING);
  start_stream (source);
  buffers = make_buffers (size);
  spent = push (source, buffers, n_list, count);
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (source);
  gst_object_unref (sink);
  if (spent < 0)
    {
      fprintf (stderr, "bench-buffers: the sink refused a buffer\n");
      return 1;
    }
  printf ("%.1f\n", (double) spent / (double) count);
  return 0;
}

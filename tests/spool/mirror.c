/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mirror.h"

#include <string.h>

#include "kit/patience.h"

struct _Mirror
{
  GstPad *source; /* feeds the filesink */
  GstElement *filesink;
  guint n_rewrites;
  guint64 position;
};

static void
push_event (Mirror *mirror, GstEvent *event)
{
  const GstSegment *segment;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    {
      gst_event_parse_segment (event, &segment);
      if (segment->format == GST_FORMAT_BYTES && segment->start != mirror->position)
        {
          mirror->n_rewrites++;
          mirror->position = segment->start;
        }
    }
  gst_pad_push_event (mirror->source, gst_event_ref (event));
}

static GstPadProbeReturn
on_data (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Mirror *mirror = user_data;

  if (info->type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM)
    push_event (mirror, GST_PAD_PROBE_INFO_EVENT (info));
  else if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    {
      GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);

      mirror->position += gst_buffer_list_calculate_size (list);
      gst_pad_push_list (mirror->source, gst_buffer_list_ref (list));
    }
  else
    {
      mirror->position += gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info));
      gst_pad_push (mirror->source, gst_buffer_ref (GST_PAD_PROBE_INFO_BUFFER (info)));
    }
  return GST_PAD_PROBE_OK;
}

Mirror *
mirror_new (GstPad *pad, const char *location)
{
  Mirror *mirror = g_new0 (Mirror, 1);
  g_autoptr (GstPad) sink_pad = NULL;

  mirror->filesink = gst_object_ref_sink (gst_element_factory_make ("filesink", NULL));
  g_object_set (mirror->filesink, "location", location, "async", FALSE, NULL);
  mirror->source = gst_object_ref_sink (gst_pad_new ("src", GST_PAD_SRC));
  sink_pad = gst_element_get_static_pad (mirror->filesink, "sink");
  gst_pad_set_active (mirror->source, TRUE);
  g_assert_cmpint (gst_pad_link (mirror->source, sink_pad), ==, GST_PAD_LINK_OK);
  g_assert_cmpint (gst_element_set_state (mirror->filesink, GST_STATE_PLAYING), !=,
                   GST_STATE_CHANGE_FAILURE);
  gst_pad_add_probe (pad,
                     GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER
                         | GST_PAD_PROBE_TYPE_BUFFER_LIST,
                     on_data, mirror, NULL);
  return mirror;
}

guint
mirror_get_rewrites (Mirror *mirror)
{
  return mirror->n_rewrites;
}

void
mirror_free (Mirror *mirror)
{
  gst_element_set_state (mirror->filesink, GST_STATE_NULL);
  gst_pad_set_active (mirror->source, FALSE);
  gst_object_unref (mirror->source);
  gst_object_unref (mirror->filesink);
  g_free (mirror);
}

void
mirror_assert_eos (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, KIT_PATIENCE * GST_SECOND,
                                                               GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    {
      g_autoptr (GError) error = NULL;

      gst_message_parse_error (message, &error, NULL);
      g_error ("%s", error->message);
    }
}

void
mirror_assert_equal (const char *expected, const char *actual)
{
  g_autoptr (GMappedFile) first = g_mapped_file_new (expected, FALSE, NULL);
  g_autoptr (GMappedFile) second = g_mapped_file_new (actual, FALSE, NULL);

  g_assert_nonnull (first);
  g_assert_nonnull (second);
  g_assert_cmpuint (g_mapped_file_get_length (first), ==, g_mapped_file_get_length (second));
  g_assert_cmpint (memcmp (g_mapped_file_get_contents (first), g_mapped_file_get_contents (second),
                           g_mapped_file_get_length (first)),
                   ==, 0);
}

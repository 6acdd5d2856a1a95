/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstboxuploadsink.h"

/* Of the stream, by the source's position. Encoders look ahead for two or three seconds. */
#define LIMIT (10 * GST_SECOND)

/* Of the clock: how often the bytes are looked at. */
#define TICK GST_SECOND

static void
warn (GstBoxUploadSink *self)
{
  GST_ELEMENT_WARNING (
      self, STREAM, MUX,
      ("Nothing to upload has arrived for %u seconds of the stream: the muxer holds it back. With "
       "mp4mux set fragment-duration=1000, or use matroskamux or mpegtsmux.",
       (guint) (LIMIT / GST_SECOND)),
      (NULL));
}

/* Whether bytes have arrived since the last tick, or nobody watches any more. */
static gboolean
has_moved (GstBoxUploadSink *self)
{
  gboolean moved;

  g_mutex_lock (&self->lock);
  moved = self->stall.timer == NULL || self->stall.bytes != self->stream.position;
  self->stall.bytes = self->stream.position;
  if (moved)
    self->stall.source = GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&self->lock);
  return moved;
}

/* The clock's thread. */
static gboolean
on_tick (GstClock *clock, GstClockTime time, GstClockID id, gpointer data)
{
  GstBoxUploadSink *self = data;
  gboolean is_stalled;
  gint64 source;

  if (has_moved (self)
      || !gst_pad_peer_query_position (GST_BASE_SINK_PAD (self), GST_FORMAT_TIME, &source))
    return TRUE;
  g_mutex_lock (&self->lock);
  if (self->stall.source == GST_CLOCK_TIME_NONE)
    self->stall.source = (GstClockTime) source;
  is_stalled = self->stall.timer == id && (GstClockTime) source >= self->stall.source + LIMIT;
  g_mutex_unlock (&self->lock);
  if (is_stalled)
    {
      warn (self);
      sink_stall_end (self);
    }
  return TRUE;
}

void
sink_stall_begin (GstBoxUploadSink *self)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  GstClockID timer = gst_clock_new_periodic_id (clock, gst_clock_get_time (clock) + TICK, TICK);

  sink_stall_end (self);
  g_mutex_lock (&self->lock);
  self->stall = (SinkStall){ timer, self->stream.position, GST_CLOCK_TIME_NONE };
  g_mutex_unlock (&self->lock);
  gst_clock_id_wait_async (timer, on_tick, gst_object_ref (self), gst_object_unref);
}

void
sink_stall_end (GstBoxUploadSink *self)
{
  GstClockID timer;

  g_mutex_lock (&self->lock);
  timer = g_steal_pointer (&self->stall.timer);
  g_mutex_unlock (&self->lock);
  if (timer == NULL)
    return;
  gst_clock_id_unschedule (timer);
  gst_clock_id_unref (timer);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstboxuploadsink.h"

/* Of the stream, by the source's position. Encoders look ahead for two or three seconds. */
#define LIMIT (10 * GST_SECOND)

/* Of the clock: how often the bytes are looked at. At first and while the source gets on without
 * any; half as often with each look, down to these, while bytes come and while the stream rests. */
#define TICK      GST_SECOND
#define BUSY_TICK (8 * GST_SECOND)
#define REST_TICK (64 * GST_SECOND)

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

/* Whether bytes have arrived since the last tick. */
static gboolean
has_moved_locked (GstBoxUploadSink *self)
{
  SinkStall *stall = &self->stall;
  gboolean moved = stall->bytes != self->stream.position;

  stall->bytes = self->stream.position;
  if (moved)
    {
      stall->source = stall->last = GST_CLOCK_TIME_NONE;
      stall->interval = MIN (2 * stall->interval, BUSY_TICK);
    }
  return moved;
}

/* No bytes have arrived, and the source is at @source. Whether that is too far. */
static gboolean
is_stalled_locked (SinkStall *stall, GstClockTime source)
{
  if (stall->source == GST_CLOCK_TIME_NONE)
    stall->source = source;
  if (source != GST_CLOCK_TIME_NONE && source != stall->last)
    stall->interval = TICK;
  else
    stall->interval = MIN (2 * stall->interval, REST_TICK);
  stall->last = source;
  return source != GST_CLOCK_TIME_NONE && source >= stall->source + LIMIT;
}

static gboolean on_tick (GstClock *clock, GstClockTime time, GstClockID id, gpointer data);

/* The id is made and waited for under the lock, so that sink_stall_end() always finds it. */
static void
arm_locked (GstBoxUploadSink *self)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();

  self->stall.timer =
      gst_clock_new_single_shot_id (clock, gst_clock_get_time (clock) + self->stall.interval);
  gst_clock_id_wait_async (self->stall.timer, on_tick, gst_object_ref (self), gst_object_unref);
}

/* The clock's thread. */
static gboolean
on_tick (GstClock *clock, GstClockTime time, GstClockID id, gpointer data)
{
  GstBoxUploadSink *self = data;
  gboolean watched, moved, stalled = FALSE;
  gint64 position = -1;

  g_mutex_lock (&self->lock);
  watched = self->stall.timer == id;
  moved = watched && has_moved_locked (self);
  g_mutex_unlock (&self->lock);
  if (watched && !moved
      && !gst_pad_peer_query_position (GST_BASE_SINK_PAD (self), GST_FORMAT_TIME, &position))
    position = -1;
  g_mutex_lock (&self->lock);
  watched = self->stall.timer == id;
  if (watched && !moved)
    stalled = is_stalled_locked (&self->stall,
                                 position < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime) position);
  if (watched)
    {
      gst_clock_id_unref (g_steal_pointer (&self->stall.timer));
      if (!stalled)
        arm_locked (self);
    }
  g_mutex_unlock (&self->lock);
  if (stalled)
    warn (self);
  return TRUE;
}

void
sink_stall_begin (GstBoxUploadSink *self)
{
  sink_stall_end (self);
  g_mutex_lock (&self->lock);
  self->stall = (SinkStall){
    .bytes = self->stream.position,
    .source = GST_CLOCK_TIME_NONE,
    .last = GST_CLOCK_TIME_NONE,
    .interval = TICK,
  };
  arm_locked (self);
  g_mutex_unlock (&self->lock);
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

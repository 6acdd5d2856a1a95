/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstboxuploadsink.h"

/* --- Any thread ----------------------------------------------------------------------------- */

/* Whatever a wait may be in. They take locks of their own and call nobody back. */
static void
set_interrupted_locked (GstBoxUploadSink *self, gboolean interrupted)
{
  self->wait.interrupted = interrupted;
  if (self->stream.delivery != NULL)
    box_delivery_interrupt (self->stream.delivery, interrupted);
}

void
sink_wait_unlock (GstBoxUploadSink *self)
{
  g_mutex_lock (&self->lock);
  self->wait.unlocking++;
  self->wait.paused |= self->wait.pausing;
  set_interrupted_locked (self, TRUE);
  g_mutex_unlock (&self->lock);
}

void
sink_wait_unlock_stop (GstBoxUploadSink *self)
{
  g_mutex_lock (&self->lock);
  self->wait.unlocking--;
  g_mutex_unlock (&self->lock);
}

void
sink_wait_before_transition (GstBoxUploadSink *self, GstStateChange transition)
{
  g_mutex_lock (&self->lock);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    self->wait.pausing = TRUE;
  /* Before GstBaseSink signals: a waiter that it wakes must find this. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    self->wait.paused = FALSE;
  g_mutex_unlock (&self->lock);
}

void
sink_wait_after_transition (GstBoxUploadSink *self, GstStateChange transition)
{
  if (transition != GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    return;
  g_mutex_lock (&self->lock);
  self->wait.pausing = FALSE;
  g_mutex_unlock (&self->lock);
}

/* --- The streaming thread ------------------------------------------------------------------- */

/* Goes on after an interruption, unless its thread has not taken the preroll lock yet. */
static gboolean
clear_interruption (GstBoxUploadSink *self)
{
  gboolean cleared;

  g_mutex_lock (&self->lock);
  cleared = self->wait.unlocking == 0;
  if (cleared)
    {
      self->wait.paused = FALSE;
      set_interrupted_locked (self, FALSE);
    }
  g_mutex_unlock (&self->lock);
  return cleared;
}

static gboolean
is_paused (GstBoxUploadSink *self)
{
  gboolean paused;

  g_mutex_lock (&self->lock);
  paused = self->wait.paused;
  g_mutex_unlock (&self->lock);
  return paused;
}

/* Whether to interrupt a long operation now and resume it after sink_wait_until_playing(). */
static gboolean
is_interrupted (GstBoxUploadSink *self)
{
  gboolean interrupted;

  g_mutex_lock (&self->lock);
  interrupted = self->wait.interrupted;
  g_mutex_unlock (&self->lock);
  return interrupted;
}

void
sink_wait_arrive (GstBoxUploadSink *self)
{
  if (is_interrupted (self))
    clear_interruption (self);
}

void
sink_wait_begin (GstBoxUploadSink *self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);

  /* As in GstBaseSink's own wait for PLAYING: a state change then completes without this thread. */
  sink->have_preroll = TRUE;
  GST_BASE_SINK_PREROLL_UNLOCK (sink);
}

void
sink_wait_end (GstBoxUploadSink *self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);

  GST_BASE_SINK_PREROLL_LOCK (sink);
  sink->have_preroll = FALSE;
}

/*
 * The other thread holds the preroll lock for its whole turn, between unlock_stop() and the signal
 * for the one that waits for PLAYING. So it is in one of these places when this thread looks:
 *
 *   before its turn       unlocking > 0: wait for PLAYING, which lets it have its turn
 *   after a flush         flushing, until this thread has left
 *   after a pause         paused: wait for PLAYING
 *   after a PLAYING       nothing is set: go on; it has signalled nobody
 *   after a step          likewise
 *
 * GstBaseSink's own wait cannot tell these apart: the signal of a PLAYING that came before it is
 * lost, and need_preroll is not set after EOS has arrived.
 */
GstFlowReturn
sink_wait_until_playing (GstBoxUploadSink *self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);
  GstFlowReturn flow = GST_FLOW_OK;

  if (!is_interrupted (self))
    return GST_FLOW_OK;
  while (!sink->flushing)
    {
      /* Neither OK nor FLUSHING is a step. It begins with the next buffer: returned from render, it
       * would make GstBaseSink render this one again, and its bytes be written twice. */
      if ((flow != GST_FLOW_OK || !is_paused (self)) && clear_interruption (self))
        return GST_FLOW_OK;
      flow = gst_base_sink_wait_preroll (sink);
    }
  return GST_FLOW_FLUSHING;
}

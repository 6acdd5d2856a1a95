/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The streaming thread's waits, and how other threads interrupt them.
 *
 * GstBaseSink holds its preroll lock while it calls render and wait_event, and every state change
 * takes that lock. So a wait gives it back:
 *
 *   do
 *     {
 *       sink_wait_begin (self);
 *       wait = box_upload_wait_room (self->upload); // returns early when interrupted
 *       sink_wait_end (self);
 *       flow = sink_wait_until_playing (self);      // OK at once when not interrupted
 *     }
 *   while (flow == GST_FLOW_OK && wait == BOX_WAIT_INTERRUPTED);
 *
 * An interruption is latched: unlock() sets it, and only the streaming thread clears it, with the
 * preroll lock held. unlock_stop() cannot be what clears it, because it may run before the waiter
 * wakes. The streaming thread cannot clear it between unlock() and unlock_stop() either, because
 * the other thread has not taken the preroll lock yet, and what it will do there (set flushing,
 * pause) wakes no wait of ours.
 */
#pragma once

#include "gstboxuploadsink.h"

G_BEGIN_DECLS

/* Part of the instance; with its lock. */
typedef struct
{
  guint unlocking;      /* calls of unlock() whose unlock_stop() is yet to come */
  gboolean interrupted; /* what waits shall return; latched */
  gboolean pausing;     /* PLAYING to PAUSED has begun, and unlock() may not have been called */
  gboolean paused;      /* by an unlock() of PLAYING to PAUSED; PLAYING was not asked for since */
} SinkWait;

/* --- Any thread --- */

/* GstBaseSink's unlock() and unlock_stop(). */
void sink_wait_unlock (GstBoxUploadSink *self);
void sink_wait_unlock_stop (GstBoxUploadSink *self);

/* Around the parent's change_state(). */
void sink_wait_before_transition (GstBoxUploadSink *self, GstStateChange transition);
void sink_wait_after_transition (GstBoxUploadSink *self, GstStateChange transition);

/* --- The streaming thread, with the preroll lock --- */

/* GstBaseSink has called us: what interrupted us before is over, because it has looked at flushing
 * and waited for PLAYING since. */
void sink_wait_arrive (GstBoxUploadSink *self);

/* Gives the preroll lock back, for anything that may take long. Between begin and end other threads
 * can change the state to PLAYING and PAUSED, and back; they cannot go to READY. */
void sink_wait_begin (GstBoxUploadSink *self);

/* Takes the preroll lock again. */
void sink_wait_end (GstBoxUploadSink *self);

/* After an interruption: waits until the pipeline plays. FLUSHING: the stream is over. */
GstFlowReturn sink_wait_until_playing (GstBoxUploadSink *self);

/* Whether to interrupt a long operation now and resume it after sink_wait_until_playing(). */
gboolean sink_wait_is_interrupted (GstBoxUploadSink *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSink: the element "boxuploadsink", a thin adapter of GstBaseSink to BoxDelivery: its
 * instance, and what its files do with it: wait.c, stall.c, stream.c, interface.c.
 */
#pragma once

#include "config.h"
#include "delivery/delivery.h"
#include "messages.h"
#include "properties.h"

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_BOX_UPLOAD_SINK (gst_box_upload_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstBoxUploadSink, gst_box_upload_sink, GST, BOX_UPLOAD_SINK, GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE (boxuploadsink);

/* See wait.c, below. Part of the instance; with its lock. */
typedef struct
{
  guint unlocking;      /* calls of unlock() whose unlock_stop() is yet to come */
  gboolean interrupted; /* what waits shall return; latched */
  gboolean pausing;     /* PLAYING to PAUSED has begun, and unlock() may not have been called */
  gboolean paused;      /* by an unlock() of PLAYING to PAUSED; PLAYING was not asked for since */
} SinkWait;

/* See stall.c, below. Part of the instance; with its lock. */
typedef struct
{
  GstClockID timer;      /* NULL: not watched */
  GstClockTime interval; /* to the next tick */
  guint64 bytes;         /* the sink's position at the last tick */
  GstClockTime source;   /* the source's position when the last bytes arrived; NONE: not known */
  GstClockTime last;     /* the source's position at the last tick; NONE: not asked, or not known */
} SinkStall;

/* The EOS that was posted last, so that it is posted once. Part of the instance; with its lock. */
typedef struct
{
  gboolean posted; /* with seqnum, and no pause or flush came since */
  guint32 seqnum;
} SinkEos;

/* One stream on its way. Part of the instance; see stream.c, below. */
typedef struct
{
  /* With lock from other threads than the streaming thread, which alone changes them while data
   * flows; without data, the thread that changes the state does. NULL outside PAUSED and PLAYING.
   */
  BoxDelivery *delivery; /* NULL before the first buffer, too */
  SinkReporter *reporter;

  /* with lock */
  gboolean seekable; /* it goes to the spool before any of it is uploaded */
  guint64 position;  /* where in the file the next byte goes; changed by the streaming thread */
  GstStructure *last_stats; /* of a stream that is over, else NULL */

  /* The streaming thread; without data, the thread that changes the state. */
  SinkSize size;
  gboolean failed; /* it has ended, and the end was reported */
  char *begun_at;  /* wall clock at the first buffer, RFC 3339; the delivery's, too */
} SinkStream;

struct _GstBoxUploadSink
{
  GstBaseSink parent;

  SinkProperties properties; /* any thread, has its own lock */

  GMutex lock;

  /* with lock */
  BoxClient *client; /* NULL outside PAUSED and PLAYING */
  SinkWait wait;
  SinkStall stall;
  SinkEos eos;

  SinkStream stream; /* see there */

  /* The streaming thread; without data, the thread that changes the state. */
  SinkConfig *config;
  BoxSpool *spool;  /* nullable */
  char *media_type; /* of the caps, or NULL */
};

/* --- wait.c --- */

/*
 * The streaming thread's waits, and how other threads interrupt them.
 *
 * GstBaseSink holds its preroll lock while it calls render and wait_event, and every state change
 * takes that lock. So a wait gives it back:
 *
 *   do
 *     {
 *       sink_wait_begin (self);
 *       wait = box_delivery_wait_room (delivery); // returns early when interrupted
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

/* Any thread. GstBaseSink's unlock() and unlock_stop(). */
void sink_wait_unlock (GstBoxUploadSink *self);
void sink_wait_unlock_stop (GstBoxUploadSink *self);

/* Any thread. Around the parent's change_state(). */
void sink_wait_before_transition (GstBoxUploadSink *self, GstStateChange transition);
void sink_wait_after_transition (GstBoxUploadSink *self, GstStateChange transition);

/* The rest is for the streaming thread, with the preroll lock. */

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

/* --- stall.c --- */

/*
 * SinkStall: warns if a stream that is uploaded while it runs does not arrive.
 *
 * If plain mp4mux cannot seek, it passes nothing on before EOS: everything is uploaded at the end,
 * and memory grows. One WARNING is posted when the source has advanced for some time of the stream
 * and no byte has reached the sink. A source that does not advance is ignored.
 */

/* The stream begins, and ends. Any thread; without the lock. Ending may be repeated. */
void sink_stall_begin (GstBoxUploadSink *self);
void sink_stall_end (GstBoxUploadSink *self);

/* --- stream.c --- */

/*
 * One stream of the element on its way into one upload, through the spool or directly: from the
 * first byte to the commit. Called by the streaming thread, and by the thread that changes the
 * state while no data flows.
 *
 * Functions that return GST_FLOW_ERROR have reported the error. Waits give way to a pause and
 * continue after it. With errors-fatal=false a reported failure is GST_FLOW_OK, and the rest of the
 * stream is dropped.
 */

/* A stream begins: nothing has been taken from it yet. The configuration is there. */
void sink_stream_begin (GstBoxUploadSink *self);

/* Stops the upload at once. If its end was not reported yet, it is reported as cancelled. */
void sink_stream_end (GstBoxUploadSink *self);

/* Begins the upload or the recording, unless it has begun. Asks upstream if the size is not
 * known. */
GstFlowReturn sink_stream_ensure_begun (GstBoxUploadSink *self);

/* Gives the delivery, if there is one, the property's current rate; takes the lock. Any thread. */
void sink_stream_apply_rate (GstBoxUploadSink *self);

/* Takes the bytes of @buffer. */
GstFlowReturn sink_stream_write (GstBoxUploadSink *self, GstBuffer *buffer);

/* The stream is over: pads it if needed, and waits until the promise of eos-mode is kept.
 * @reason: see sink_post_spooled(). */
GstFlowReturn sink_stream_finish (GstBoxUploadSink *self, const char *reason);

/* A SEGMENT: FALSE if it goes to a byte that cannot be written. */
gboolean sink_stream_segment (GstBoxUploadSink *self, GstEvent *event);

/* The stream begins again: allowed if nothing of it was sent yet, else an error. */
void sink_stream_flush (GstBoxUploadSink *self);

/* --- interface.c: what an application reaches beside properties and messages --- */

/* The structure of the property "upload-stats": how a stream stands, or stood at its end. Any
 * thread; the lock is taken. Free with gst_structure_free(). */
GstStructure *sink_stats_dup (GstBoxUploadSink *self);

/* Keeps the statistics as they are: what they are of is about to go. Those that are kept already
 * stay. */
void sink_stats_keep (GstBoxUploadSink *self);

/* Adds the signal "request-token", which asks the application for a token before a refusal becomes
 * an error, to the element's class; returns its id. */
guint sink_install_request_token (GObjectClass *klass);

/* Makes @client ask @element's signal handlers for tokens, if there are any. Does not keep @element
 * alive. */
void sink_answer_token_requests (GstElement *element, BoxClient *client);

/* The element as a GstURIHandler for box://, whose URI is the property "location". For
 * G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, …). */
void sink_uri_handler_init (gpointer iface, gpointer iface_data);

/* The URI that the properties name: location, or folder-id and file-name; NULL if they name no URI.
 * g_free(). */
char *sink_uri_from_properties (SinkProperties *properties);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstboxuploadsink.h"

GST_DEBUG_CATEGORY_EXTERN (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

/* Interval of progress messages while the rest is uploaded after EOS, and the longest while nothing
 * moves (microseconds). */
#define PROGRESS_INTERVAL G_USEC_PER_SEC
#define REST_INTERVAL     (10 * PROGRESS_INTERVAL)

/* --- Failing -------------------------------------------------------------------------------- */

/* Ends the stream with @error (taken). */
static GstFlowReturn
fail (GstBoxUploadSink *self, GError *error)
{
  sink_stall_end (self);
  self->stream.failed = TRUE;
  if (self->stream.delivery != NULL)
    box_delivery_fail (self->stream.delivery, error);
  else
    {
      sink_reporter_failed (self->stream.reporter, error);
      g_error_free (error);
    }
  return GST_FLOW_ERROR;
}

/* The delivery has failed by itself, and that is on the bus. */
static GstFlowReturn
has_failed (GstBoxUploadSink *self)
{
  sink_stall_end (self);
  self->stream.failed = TRUE;
  return GST_FLOW_ERROR;
}

static GstFlowReturn
fail_jump (GstBoxUploadSink *self, guint64 from, guint64 to)
{
  return fail (
      self, g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK,
                         "The stream goes to byte %" G_GUINT64_FORMAT " after byte "
                         "%" G_GUINT64_FORMAT
                         ", but what is uploaded cannot be written again: use unknown-size=spool "
                         "(and no total-size), or settings of the muxer that only append",
                         to, from));
}

/* The flow return for upstream: with errors-fatal=false the pipeline goes on without the sink. */
static GstFlowReturn
settle (GstBoxUploadSink *self, GstFlowReturn flow)
{
  if (flow != GST_FLOW_ERROR || !self->stream.failed || self->config == NULL
      || self->config->values.errors_fatal)
    return flow;
  return GST_FLOW_OK;
}

static void
set_position (GstBoxUploadSink *self, guint64 position)
{
  g_mutex_lock (&self->lock);
  self->stream.position = position;
  g_mutex_unlock (&self->lock);
}

/* --- Beginning and ending ------------------------------------------------------------------- */

static BoxSizing
sizing_of (const SinkSize *size)
{
  switch (size->kind)
    {
    case SINK_SIZE_EXACT:
      return BOX_SIZING_EXACT;
    case SINK_SIZE_RESERVE:
      return BOX_SIZING_RESERVE;
    case SINK_SIZE_UNKNOWN:
      break;
    }
  return BOX_SIZING_SPOOL;
}

/* One request carries the stream while it is recorded. */
static gboolean
is_live (GstBoxUploadSink *self)
{
  return self->stream.size.kind == SINK_SIZE_UNKNOWN
         && self->config->values.unknown_size == SINK_UNKNOWN_SIZE_LIVE;
}

/* The content is made from the first buffer on, unless the application knows better. */
static const char *
get_creation_time (GstBoxUploadSink *self)
{
  g_autoptr (GDateTime) now = NULL;

  if (self->config->values.content_created_at != NULL)
    return self->config->values.content_created_at;
  now = g_date_time_new_now_utc ();
  g_free (self->stream.begun_at);
  self->stream.begun_at = g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ");
  return self->stream.begun_at;
}

static BoxDelivery *
make_delivery (GstBoxUploadSink *self, GError **error)
{
  const SinkValues *values = &self->config->values;
  BoxDeliverySettings settings = {
    .upload = sink_config_get_upload (self->config, self->stream.size.bytes),
    .sizing = sizing_of (&self->stream.size),
    .padding =
        sink_size_get_padding (&self->stream.size, self->config->values.padding, self->media_type),
    .stop_if_refused = values->errors_fatal,
    .ahead = values->ahead,
    .expected_size = values->expected_size,
    .account_file = self->config->account_file,
    .left_to_others = values->eos_mode == SINK_EOS_MODE_SPOOL,
    .live = is_live (self),
  };
  BoxDelivery *delivery;

  if (self->spool == NULL && self->stream.size.kind == SINK_SIZE_UNKNOWN
      && (self->spool = sink_config_open_spool (self->config, error)) == NULL)
    return NULL;
  settings.upload.attributes.content_created_at = get_creation_time (self);
  delivery = box_delivery_new_stream (&settings, self->spool, &sink_reporter_events,
                                      sink_reporter_ref (self->stream.reporter),
                                      sink_reporter_unref, error);
  if (delivery == NULL)
    sink_reporter_unref (self->stream.reporter);
  return delivery;
}

/* Called after a delivery is published and after the property is changed: the last call applies. */
void
sink_stream_apply_rate (GstBoxUploadSink *self)
{
  g_mutex_lock (&self->lock);
  if (self->stream.delivery != NULL)
    box_delivery_set_rate (self->stream.delivery,
                           sink_properties_get_upload_rate (&self->properties));
  g_mutex_unlock (&self->lock);
}

/* Whether what is not recorded now is lost: upstream is live. */
static gboolean
comes_live (GstBoxUploadSink *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (GST_BASE_SINK_PAD (self), query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  return live;
}

static GstFlowReturn
begin_delivery (GstBoxUploadSink *self)
{
  GError *error = NULL;
  BoxDelivery *delivery = make_delivery (self, &error);
  const char *path;

  if (delivery == NULL)
    return fail (self, error);
  g_mutex_lock (&self->lock);
  self->stream.delivery = delivery;
  self->stream.seekable &= self->stream.size.kind == SINK_SIZE_UNKNOWN;
  box_delivery_interrupt (delivery, self->wait.interrupted);
  g_mutex_unlock (&self->lock);
  sink_stream_apply_rate (self);

  path = box_delivery_get_path (delivery);
  GST_INFO_OBJECT (self, "recording to %s", path != NULL ? path : "memory");
  if (path == NULL && comes_live (self))
    sink_post_memory (GST_ELEMENT (self));
  /* Applications wait in PAUSED for progress to end; a recording that has a spool waits for no
   * network. */
  if (path == NULL && sink_config_uses_session (self->config, self->stream.size.bytes))
    sink_reporter_begin_session (self->stream.reporter);
  box_delivery_start (delivery);
  if ((self->stream.size.kind != SINK_SIZE_UNKNOWN && !self->stream.size.from_source)
      || is_live (self))
    sink_stall_begin (self);
  return GST_FLOW_OK;
}

static SinkSize
ask_upstream (GstBoxUploadSink *self)
{
  return sink_size_from_upstream (self->config, GST_BASE_SINK_PAD (self),
                                  &GST_BASE_SINK (self)->segment);
}

/* Asks upstream for the size, then unknown-size for what to do. FALSE with @error set if refused.
 */
static gboolean
decide_size (GstBoxUploadSink *self, GError **error)
{
  if (self->stream.size.kind != SINK_SIZE_UNKNOWN)
    return TRUE;
  self->stream.size = ask_upstream (self);
  if (self->stream.size.kind != SINK_SIZE_UNKNOWN)
    return TRUE;
  if (self->config->values.unknown_size == SINK_UNKNOWN_SIZE_RESERVE)
    return sink_size_reserve (&self->stream.size, &self->config->values, self->media_type, error);
  if (self->config->values.unknown_size != SINK_UNKNOWN_SIZE_ERROR)
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "The size of the stream is not known: set the property total-size, use a "
                       "session made by \"boxupload create\", or allow unknown-size=spool");
  return FALSE;
}

static GstFlowReturn
refuse_beginning (GstBoxUploadSink *self, const char *reason)
{
  return fail (self, g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK,
                                  "The stream was flushed or began anew, but %s: seek before that, "
                                  "or make another recording",
                                  reason));
}

/* RECEIVING if there is no delivery yet. */
static BoxDeliveryPhase
phase_of (GstBoxUploadSink *self)
{
  return self->stream.delivery != NULL ? box_delivery_get_phase (self->stream.delivery)
                                       : BOX_DELIVERY_RECEIVING;
}

/* Something was made of the stream, and it is over. */
static gboolean
is_complete (GstBoxUploadSink *self)
{
  BoxDeliveryPhase phase = phase_of (self);

  return phase == BOX_DELIVERY_COMMITTED || phase == BOX_DELIVERY_FILLED
         || phase == BOX_DELIVERY_SPOOLED;
}

static gboolean
is_empty (GstBoxUploadSink *self)
{
  return phase_of (self) == BOX_DELIVERY_EMPTY;
}

/* Nothing was made of the stream until now. */
static void
begin_anew (GstBoxUploadSink *self)
{
  sink_stream_end (self);
  sink_stream_begin (self);
}

/* A seek before the first byte. */
static void
settle_doubt (GstBoxUploadSink *self)
{
  guint64 bytes = self->stream.size.bytes;

  self->stream.size.in_doubt = FALSE;
  if (ask_upstream (self).bytes != bytes)
    begin_anew (self);
}

/* The stream that has ended stays as it is; the one that wants to begin is refused: after a flush,
 * or (from GStreamer 1.24 on) after a STREAM_START. */
static GstFlowReturn
refuse_another_stream (GstBoxUploadSink *self)
{
  const char *reason = self->config->values.commit ? "its file is committed already"
                                                   : "its session is filled already";
  GstStructure *stats;

  if (phase_of (self) == BOX_DELIVERY_SPOOLED)
    reason = "its recording is in the spool already";
  sink_stream_end (self);
  g_mutex_lock (&self->lock);
  stats = g_steal_pointer (&self->stream.last_stats);
  g_mutex_unlock (&self->lock);
  sink_stream_begin (self);
  g_mutex_lock (&self->lock);
  self->stream.last_stats = stats;
  g_mutex_unlock (&self->lock);
  return refuse_beginning (self, reason);
}

static GstFlowReturn
begin (GstBoxUploadSink *self)
{
  GError *error = NULL;

  if (self->stream.failed)
    return GST_FLOW_ERROR;
  if (is_complete (self))
    return refuse_another_stream (self);
  if (is_empty (self))
    begin_anew (self);
  if (self->stream.size.in_doubt)
    settle_doubt (self);
  if (self->stream.delivery != NULL)
    return GST_FLOW_OK;
  if (!decide_size (self, &error))
    return fail (self, error);
  return begin_delivery (self);
}

GstFlowReturn
sink_stream_ensure_begun (GstBoxUploadSink *self)
{
  return settle (self, begin (self));
}

void
sink_stream_begin (GstBoxUploadSink *self)
{
  g_autofree char *destination = sink_config_describe_destination (self->config);
  const SinkReporterSettings settings = {
    .destination = destination,
    .session_id = self->config->destination->session_id,
    .fatal = self->config->values.errors_fatal,
    .is_for_others = self->config->values.eos_mode == SINK_EOS_MODE_SPOOL,
    .retry_timeout = self->config->values.retry_timeout,
  };
  SinkReporter *reporter = sink_reporter_new (GST_ELEMENT (self), &settings);

  set_position (self, 0);
  self->stream.failed = FALSE;
  self->stream.size = sink_size_from_config (self->config);
  g_mutex_lock (&self->lock);
  self->stream.seekable = self->stream.size.kind == SINK_SIZE_UNKNOWN
                          && self->config->values.unknown_size == SINK_UNKNOWN_SIZE_SPOOL;
  self->stream.reporter = reporter;
  g_clear_pointer (&self->stream.last_stats, gst_structure_free);
  g_mutex_unlock (&self->lock);
}

void
sink_stream_end (GstBoxUploadSink *self)
{
  SinkReporter *reporter = self->stream.reporter;
  BoxDelivery *delivery;

  if (reporter == NULL)
    return;
  sink_stall_end (self);
  sink_stats_keep (self);
  g_mutex_lock (&self->lock);
  delivery = g_steal_pointer (&self->stream.delivery);
  self->stream.reporter = NULL;
  self->stream.seekable = FALSE;
  g_mutex_unlock (&self->lock);
  box_delivery_free (delivery);
  sink_reporter_stopped (reporter);
  sink_reporter_unref (reporter);
}

/* --- Data ----------------------------------------------------------------------------------- */

static GstFlowReturn
wait_for_room (GstBoxUploadSink *self)
{
  GstFlowReturn flow;
  BoxWait wait;

  do
    {
      sink_wait_begin (self);
      wait = box_delivery_wait_room (self->stream.delivery);
      sink_wait_end (self);
      if (wait == BOX_WAIT_FAILED)
        return has_failed (self);
      flow = sink_wait_until_playing (self);
    }
  while (flow == GST_FLOW_OK && wait == BOX_WAIT_INTERRUPTED);
  return flow;
}

static GstFlowReturn
write_bytes (GstBoxUploadSink *self, const guint8 *data, gsize length)
{
  while (TRUE)
    {
      gsize n = box_delivery_write (self->stream.delivery, self->stream.position, data, length);
      GstFlowReturn flow;

      set_position (self, self->stream.position + n);
      data += n;
      length -= n;
      if (length == 0)
        return GST_FLOW_OK;
      flow = wait_for_room (self);
      if (flow != GST_FLOW_OK)
        return flow;
    }
}

/* A sink cannot end a recording at a good place, but the application can, if it knows. */
static void
watch_reserve (GstBoxUploadSink *self, guint64 before)
{
  const SinkSize *size = &self->stream.size;
  guint64 nearly = MAX (size->bytes / 10 * 9, 1);

  if (size->kind == SINK_SIZE_RESERVE && before < nearly && self->stream.position >= nearly)
    sink_post_reserve (GST_ELEMENT (self), self->stream.position, size->bytes);
}

/* The bytes of a buffer without a time belong to the last one's. Muxers whose segment counts bytes
 * give their buffers running times. */
static void
tell_time (GstBoxUploadSink *self, GstClockTime time)
{
  const GstSegment *segment = &GST_BASE_SINK (self)->segment;

  if (GST_CLOCK_TIME_IS_VALID (time) && segment->format == GST_FORMAT_TIME)
    time = gst_segment_to_running_time (segment, GST_FORMAT_TIME, time);
  if (GST_CLOCK_TIME_IS_VALID (time))
    box_delivery_set_time (self->stream.delivery, (gint64) GST_TIME_AS_USECONDS (time));
}

/* The memories are written one by one: mapping the buffer would merge them by copying. */
static GstFlowReturn
write_buffer (GstBoxUploadSink *self, GstBuffer *buffer)
{
  GstClockTime time = GST_BUFFER_DTS_OR_PTS (buffer);
  guint n = gst_buffer_n_memory (buffer);
  guint64 before = self->stream.position;

  tell_time (self, time);
  for (guint i = 0; i < n; i++)
    {
      GstMemory *memory = gst_buffer_peek_memory (buffer, i);
      GstMapInfo map;
      GstFlowReturn flow = GST_FLOW_OK;

      if (!gst_memory_map (memory, &map, GST_MAP_READ))
        return fail (self, g_error_new_literal (BOX_ERROR, BOX_ERROR_STORAGE,
                                                "A buffer of the stream cannot be read"));
      if (map.size > 0)
        flow = write_bytes (self, map.data, map.size);
      gst_memory_unmap (memory, &map);
      if (flow != GST_FLOW_OK)
        return flow;
    }
  watch_reserve (self, before);
  if (GST_CLOCK_TIME_IS_VALID (time)
      && !box_delivery_reach (self->stream.delivery, (gint64) GST_TIME_AS_USECONDS (time)))
    return has_failed (self);
  return GST_FLOW_OK;
}

GstFlowReturn
sink_stream_write (GstBoxUploadSink *self, GstBuffer *buffer)
{
  return settle (self, self->stream.failed ? GST_FLOW_ERROR : write_buffer (self, buffer));
}

/* --- EOS ------------------------------------------------------------------------------------ */

/* Returns the time until the next message. A thousand recordings that wait for an outage to end
 * would keep a process busy with messages that say the same. @gone: bytes that had left at the
 * message before. */
static gint64
tell_progress (GstBoxUploadSink *self, gint64 interval, guint64 *gone)
{
  BoxUploadStats stats;
  guint64 before = *gone;

  if (!box_delivery_get_stats (self->stream.delivery, &stats))
    return PROGRESS_INTERVAL;
  sink_reporter_commit_goes_on (self->stream.reporter, &stats);
  *gone = stats.bytes_sent;
  return *gone != before ? PROGRESS_INTERVAL : MIN (2 * interval, REST_INTERVAL);
}

/* The wait at EOS. */
static GstFlowReturn
wait_for_end (GstBoxUploadSink *self)
{
  gint64 interval = PROGRESS_INTERVAL;
  guint64 gone = 0;

  while (TRUE)
    {
      GstFlowReturn flow;
      BoxWait wait;

      sink_wait_begin (self);
      wait = box_delivery_wait (self->stream.delivery, interval);
      sink_wait_end (self);
      switch (wait)
        {
        case BOX_WAIT_READY:
          sink_stats_keep (self);
          return GST_FLOW_OK;
        case BOX_WAIT_FAILED:
          return has_failed (self);
        case BOX_WAIT_TIMEOUT:
          interval = tell_progress (self, interval, &gone);
          break;
        case BOX_WAIT_INTERRUPTED:
          break;
        }
      flow = sink_wait_until_playing (self);
      if (flow != GST_FLOW_OK)
        return flow;
    }
}

/* Fills what the stream left of a reserve, and lets the delivery end it. */
static void
finish_delivery (GstBoxUploadSink *self, const char *reason)
{
  guint64 size = MAX (self->stream.position, box_delivery_get_spooled (self->stream.delivery)),
          gap = 0;
  BoxPaddingKind padding = BOX_PADDING_NONE;
  GError *no_padding = NULL;

  sink_size_get_gap (&self->stream.size, size, self->config->values.padding, self->media_type,
                     &padding, &gap, &no_padding);
  box_delivery_finish (self->stream.delivery, reason, padding, gap, no_padding);
}

static GstFlowReturn
finish (GstBoxUploadSink *self, const char *reason)
{
  GstFlowReturn flow;

  /* A second EOS, with nothing between. */
  if (is_complete (self) || is_empty (self))
    return GST_FLOW_OK;
  flow = begin (self);
  if (flow != GST_FLOW_OK)
    return flow;
  finish_delivery (self, reason);
  return wait_for_end (self);
}

GstFlowReturn
sink_stream_finish (GstBoxUploadSink *self, const char *reason)
{
  sink_stall_end (self);
  return settle (self, finish (self, reason));
}

/* --- Jumps ---------------------------------------------------------------------------------- */

/* Like a file, a recording that is not uploaded yet can be written anywhere; so can one that a live
 * request carries, which ends with that. */
gboolean
sink_stream_segment (GstBoxUploadSink *self, GstEvent *event)
{
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  if (is_empty (self))
    begin_anew (self);
  /* A failure after the end is reported with the data. */
  if (is_complete (self))
    return TRUE;
  if (segment->format != GST_FORMAT_BYTES || segment->start == self->stream.position)
    return TRUE;
  if (self->stream.size.in_doubt)
    begin_anew (self);
  if (self->stream.seekable || is_live (self))
    {
      set_position (self, segment->start);
      return TRUE;
    }
  if (!self->stream.failed)
    fail_jump (self, self->stream.position, segment->start);
  return settle (self, GST_FLOW_ERROR) == GST_FLOW_OK;
}

static gboolean
has_sent (GstBoxUploadSink *self)
{
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (self->stream.delivery);
  BoxUploadStats stats = { 0 };

  if (upload != NULL)
    box_upload_get_stats (upload, &stats);
  return stats.bytes_sent > 0;
}

void
sink_stream_flush (GstBoxUploadSink *self)
{
  GError *error = NULL;

  if (self->stream.reporter == NULL || self->stream.failed)
    return;
  if (is_complete (self))
    {
      refuse_another_stream (self);
      return;
    }
  if (is_empty (self))
    begin_anew (self);
  if (self->stream.delivery == NULL)
    return;
  if (self->stream.position == 0 && box_delivery_get_path (self->stream.delivery) == NULL)
    {
      self->stream.size.in_doubt = self->stream.size.from_source;
      return;
    }
  if (has_sent (self)
      || (self->stream.size.kind == SINK_SIZE_UNKNOWN && phase_of (self) != BOX_DELIVERY_RECEIVING))
    {
      refuse_beginning (self, "some of it is uploaded already");
      return;
    }
  GST_INFO_OBJECT (self, "flushed after %" G_GUINT64_FORMAT " bytes: beginning anew",
                   self->stream.position);
  if (!box_delivery_discard (self->stream.delivery, &error))
    {
      fail (self, error);
      return;
    }
  sink_stream_end (self);
  sink_stream_begin (self);
}

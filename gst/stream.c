/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include "spooling.h"
#include "stats.h"
#include "upload.h"

GST_DEBUG_CATEGORY_EXTERN (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

/* Padding is written in pieces of this size (bytes). */
#define PADDING_PIECE 65536

/* --- Failing -------------------------------------------------------------------------------- */

/* The stream cannot go where upstream wants it. */
static GstFlowReturn
fail_seek (GstBoxUploadSink *self, GError *error)
{
  sink_reporter_failed (self->reporter, GST_RESOURCE_ERROR_SEEK, error);
  return sink_upload_fail (self, error);
}

static GstFlowReturn
fail_jump (GstBoxUploadSink *self, guint64 from, guint64 to)
{
  return fail_seek (
      self,
      g_error_new (BOX_ERROR, BOX_ERROR_SETTINGS,
                   "The stream goes to byte %" G_GUINT64_FORMAT " after byte %" G_GUINT64_FORMAT
                   ", but what is uploaded cannot be written again: use unknown-size=spool "
                   "(and no total-size), or settings of the muxer that only append",
                   to, from));
}

/* What upstream gets to know: with errors-fatal=false the pipeline goes on without us. */
static GstFlowReturn
settle (GstBoxUploadSink *self, GstFlowReturn flow)
{
  if (flow != GST_FLOW_ERROR || !self->failed || self->plan == NULL
      || self->plan->values.errors_fatal)
    return flow;
  return GST_FLOW_OK;
}

void
sink_stream_set_position (GstBoxUploadSink *self, guint64 position)
{
  g_mutex_lock (&self->lock);
  self->position = position;
  g_mutex_unlock (&self->lock);
}

/* --- Beginning and ending ------------------------------------------------------------------- */

static GstFlowReturn
begin_upload (GstBoxUploadSink *self)
{
  GError *error = NULL;
  BoxUpload *upload =
      sink_config_make_upload (self->plan, self->size.bytes, &sink_reporter_events,
                               sink_reporter_ref (self->reporter), sink_reporter_unref, &error);

  if (upload == NULL)
    {
      sink_reporter_unref (self->reporter);
      return sink_upload_fail (self, error);
    }
  sink_upload_start (self, upload);
  return GST_FLOW_OK;
}

static SinkSize
ask_upstream (GstBoxUploadSink *self)
{
  return sink_size_from_upstream (self->plan, GST_BASE_SINK_PAD (self),
                                  &GST_BASE_SINK (self)->segment);
}

/* Upstream knows, or the property unknown-size does. FALSE with @error set where it says no. */
static gboolean
decide_size (GstBoxUploadSink *self, GError **error)
{
  if (self->size.kind != SINK_SIZE_UNKNOWN)
    return TRUE;
  self->size = ask_upstream (self);
  if (self->size.kind != SINK_SIZE_UNKNOWN)
    return TRUE;
  if (self->plan->values.unknown_size == SINK_UNKNOWN_SIZE_RESERVE)
    return sink_size_reserve (&self->size, &self->plan->values, self->media_type, error);
  if (self->plan->values.unknown_size == SINK_UNKNOWN_SIZE_SPOOL)
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "The size of the stream is not known: set the property total-size, use a "
                       "session made by \"boxupload create\", or allow unknown-size=spool");
  return FALSE;
}

static GstFlowReturn
refuse_beginning (GstBoxUploadSink *self, const char *reason)
{
  return fail_seek (self,
                    g_error_new (BOX_ERROR, BOX_ERROR_SETTINGS,
                                 "The stream was flushed or began anew, but %s: seek before that, "
                                 "or make another recording",
                                 reason));
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
  guint64 bytes = self->size.bytes;

  self->size_in_doubt = FALSE;
  if (ask_upstream (self).bytes != bytes)
    begin_anew (self);
}

/* The stream that has ended stays as it is; the one that wants to begin is refused: after a flush,
 * or (from GStreamer 1.24 on) after a STREAM_START. */
static GstFlowReturn
refuse_another_stream (GstBoxUploadSink *self)
{
  const char *reason =
      self->plan->values.commit ? "its file is committed already" : "its session is filled already";
  GstStructure *stats;

  if (self->plan->values.eos_mode == SINK_EOS_MODE_SPOOL)
    reason = "its recording is in the spool already";
  sink_stream_end (self);
  g_mutex_lock (&self->lock);
  stats = g_steal_pointer (&self->last_stats);
  g_mutex_unlock (&self->lock);
  sink_stream_begin (self);
  g_mutex_lock (&self->lock);
  self->last_stats = stats;
  g_mutex_unlock (&self->lock);
  return refuse_beginning (self, reason);
}

static GstFlowReturn
begin (GstBoxUploadSink *self)
{
  GError *error = NULL;

  if (self->failed)
    return GST_FLOW_ERROR;
  if (self->completed)
    return refuse_another_stream (self);
  if (self->empty)
    begin_anew (self);
  if (self->size_in_doubt)
    settle_doubt (self);
  if (self->upload != NULL || self->recorder != NULL)
    return GST_FLOW_OK;
  if (!decide_size (self, &error))
    return sink_upload_fail (self, error);
  if (self->spool != NULL || self->size.kind == SINK_SIZE_UNKNOWN)
    return sink_spooling_begin (self);
  return begin_upload (self);
}

GstFlowReturn
sink_stream_ensure_begun (GstBoxUploadSink *self)
{
  return settle (self, begin (self));
}

void
sink_stream_begin (GstBoxUploadSink *self)
{
  g_autofree char *destination = sink_config_describe_destination (self->plan);
  SinkReporter *reporter =
      sink_reporter_new (GST_ELEMENT (self), destination, self->plan->values.errors_fatal);

  sink_stream_set_position (self, 0);
  self->failed = FALSE;
  self->empty = FALSE;
  self->completed = FALSE;
  self->reserve_told = FALSE;
  self->size_in_doubt = FALSE;
  self->size = sink_size_from_plan (self->plan);
  g_mutex_lock (&self->lock);
  self->seekable = self->size.kind == SINK_SIZE_UNKNOWN
                   && self->plan->values.unknown_size == SINK_UNKNOWN_SIZE_SPOOL;
  self->reporter = reporter;
  sink_reporter_interrupt (reporter, self->wait.interrupted);
  g_clear_pointer (&self->last_stats, gst_structure_free);
  g_mutex_unlock (&self->lock);
}

void
sink_stream_end (GstBoxUploadSink *self)
{
  g_autoptr (BoxUpload) upload = NULL;
  SinkReporter *reporter = self->reporter;
  gboolean failed;

  if (reporter == NULL)
    return;
  if (self->upload != NULL)
    sink_upload_stop (self);
  failed = sink_reporter_close (reporter);
  sink_stats_keep (self);

  g_mutex_lock (&self->lock);
  upload = g_steal_pointer (&self->upload);
  self->reporter = NULL;
  self->seekable = FALSE;
  g_mutex_unlock (&self->lock);
  sink_spooling_end (self, failed ? "error" : "stop");
  sink_reporter_unref (reporter);
}

/* --- Data ----------------------------------------------------------------------------------- */

static GstFlowReturn
wait_for_room (GstBoxUploadSink *self)
{
  BoxWait wait;

  sink_wait_begin (self);
  wait = box_upload_wait_room (self->upload);
  sink_wait_end (self);
  if (wait == BOX_WAIT_FAILED)
    return sink_upload_failed (self);
  return sink_wait_until_playing (self);
}

static GstFlowReturn
upload_bytes (GstBoxUploadSink *self, const guint8 *data, gsize length)
{
  while (TRUE)
    {
      gsize n = box_upload_write (self->upload, data, length);
      GstFlowReturn flow;

      sink_stream_set_position (self, self->position + n);
      data += n;
      length -= n;
      if (length == 0)
        return GST_FLOW_OK;
      flow = wait_for_room (self);
      if (flow != GST_FLOW_OK)
        return flow;
    }
}

static GstFlowReturn
write_bytes (GstBoxUploadSink *self, const guint8 *data, gsize length)
{
  return self->recorder != NULL ? sink_spooling_write (self, data, length)
                                : upload_bytes (self, data, length);
}

/* A sink cannot end a recording at a good place, but the application can, if it knows. */
static void
watch_reserve (GstBoxUploadSink *self)
{
  if (self->size.kind != SINK_SIZE_RESERVE || self->reserve_told
      || self->position < self->size.bytes / 10 * 9)
    return;
  self->reserve_told = TRUE;
  sink_post_reserve (GST_ELEMENT (self), self->position, self->size.bytes);
}

/* The memories are written one by one: mapping the buffer would merge them by copying. */
static GstFlowReturn
write_buffer (GstBoxUploadSink *self, GstBuffer *buffer)
{
  guint n = gst_buffer_n_memory (buffer);
  GError *error = NULL;

  for (guint i = 0; i < n; i++)
    {
      GstMemory *memory = gst_buffer_peek_memory (buffer, i);
      GstMapInfo map;
      GstFlowReturn flow = GST_FLOW_OK;

      if (!gst_memory_map (memory, &map, GST_MAP_READ))
        return sink_upload_fail (self,
                                 g_error_new_literal (BOX_ERROR, BOX_ERROR_STORAGE,
                                                      "A buffer of the stream cannot be read"));
      if (map.size > 0)
        flow = write_bytes (self, map.data, map.size);
      gst_memory_unmap (memory, &map);
      if (flow != GST_FLOW_OK)
        return flow;
    }
  watch_reserve (self);
  if (self->recorder != NULL
      && !sink_recorder_reach (self->recorder, GST_BUFFER_DTS_OR_PTS (buffer), &error))
    return sink_upload_fail (self, error);
  return GST_FLOW_OK;
}

GstFlowReturn
sink_stream_write (GstBoxUploadSink *self, GstBuffer *buffer)
{
  return settle (self, self->failed ? GST_FLOW_ERROR : write_buffer (self, buffer));
}

/* --- EOS ------------------------------------------------------------------------------------ */

typedef struct
{
  BoxPaddingKind kind;
  guint64 stream_size;
  guint64 bytes;
  guint64 done;
} Gap;

/* Without the preroll lock. */
static BoxWait
fill_gap (GstBoxUploadSink *self, Gap *gap)
{
  g_autofree guint8 *piece = g_malloc (PADDING_PIECE);
  BoxWait wait = BOX_WAIT_READY;

  while (wait == BOX_WAIT_READY && gap->done < gap->bytes)
    {
      gsize length = (gsize) MIN (gap->bytes - gap->done, PADDING_PIECE);
      gsize n;

      box_padding_read (gap->kind, gap->stream_size, gap->bytes, gap->done, piece, length);
      n = box_upload_write (self->upload, piece, length);
      gap->done += n;
      sink_stream_set_position (self, self->position + n);
      if (n < length)
        wait = box_upload_wait_room (self->upload);
      else if (sink_wait_is_interrupted (self))
        wait = BOX_WAIT_INTERRUPTED;
    }
  return wait;
}

/* Fills what the stream left of a reserve. */
static GstFlowReturn
write_padding (GstBoxUploadSink *self)
{
  Gap gap = { .stream_size = self->position };
  GstFlowReturn flow = GST_FLOW_OK;
  GError *error = NULL;

  if (!sink_size_get_gap (&self->size, gap.stream_size, self->plan->values.padding,
                          self->media_type, &gap.kind, &gap.bytes, &error))
    return sink_upload_fail (self, error);
  if (gap.bytes > 0)
    GST_INFO_OBJECT (self, "padding %" G_GUINT64_FORMAT " bytes", gap.bytes);
  while (flow == GST_FLOW_OK && gap.done < gap.bytes)
    {
      BoxWait wait;

      sink_wait_begin (self);
      wait = fill_gap (self, &gap);
      sink_wait_end (self);
      flow = wait == BOX_WAIT_FAILED ? sink_upload_failed (self) : sink_wait_until_playing (self);
    }
  return flow;
}

static GstFlowReturn
finish (GstBoxUploadSink *self, const char *reason)
{
  GstFlowReturn flow;
  gboolean done;

  /* A second EOS, with nothing between. */
  if (self->completed || self->empty)
    return GST_FLOW_OK;
  flow = begin (self);
  if (flow != GST_FLOW_OK)
    return flow;
  if (self->recorder != NULL)
    return sink_spooling_finish (self, reason);
  if (sink_upload_has_failed (self))
    return sink_upload_failed (self);
  if (self->position == 0 && self->size.kind == SINK_SIZE_RESERVE)
    return sink_upload_end_empty (self);
  sink_reporter_begin_commit (self->reporter);
  flow = write_padding (self);
  if (flow != GST_FLOW_OK)
    return flow;
  box_upload_finish (self->upload);
  return sink_upload_wait (self, &done);
}

GstFlowReturn
sink_stream_finish (GstBoxUploadSink *self, const char *reason)
{
  return settle (self, finish (self, reason));
}

/* --- Jumps ---------------------------------------------------------------------------------- */

/* Like a file, a recording that is not uploaded yet can be written anywhere. */
gboolean
sink_stream_segment (GstBoxUploadSink *self, GstEvent *event)
{
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  if (self->empty)
    begin_anew (self);
  /* After the end, what is wrong is told with the data. */
  if (self->completed)
    return TRUE;
  if (segment->format != GST_FORMAT_BYTES || segment->start == self->position)
    return TRUE;
  if (self->size_in_doubt)
    begin_anew (self);
  if (self->seekable)
    {
      sink_stream_set_position (self, segment->start);
      return TRUE;
    }
  if (!self->failed)
    fail_jump (self, self->position, segment->start);
  return settle (self, GST_FLOW_ERROR) == GST_FLOW_OK;
}

static gboolean
has_sent (GstBoxUploadSink *self)
{
  BoxUploadStats stats = { 0 };

  if (self->upload != NULL)
    box_upload_get_stats (self->upload, &stats);
  return stats.bytes_sent > 0;
}

void
sink_stream_flush (GstBoxUploadSink *self)
{
  if (self->reporter == NULL || self->failed)
    return;
  if (self->completed)
    {
      refuse_another_stream (self);
      return;
    }
  if (self->empty)
    begin_anew (self);
  if (self->recorder == NULL && (self->upload == NULL || self->position == 0))
    {
      self->size_in_doubt = self->upload != NULL && self->size.from_source;
      return;
    }
  if (has_sent (self) || self->finisher != NULL)
    {
      refuse_beginning (self, "some of it is uploaded already");
      return;
    }
  GST_INFO_OBJECT (self, "flushed after %" G_GUINT64_FORMAT " bytes: beginning anew",
                   self->position);
  if (self->recorder != NULL && !sink_spooling_restart (self))
    return;
  sink_stream_end (self);
  sink_stream_begin (self);
}

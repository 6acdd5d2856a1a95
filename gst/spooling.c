/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spooling.h"

#include "stats.h"
#include "stream.h"
#include "upload.h"

GST_DEBUG_CATEGORY_EXTERN (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

/* Progress after EOS is told this often (microseconds). */
#define PROGRESS_INTERVAL G_USEC_PER_SEC

static BoxRecording *
get_recording (GstBoxUploadSink *self)
{
  return sink_recorder_get_recording (self->recorder);
}

static gboolean
is_given_session (GstBoxUploadSink *self)
{
  return self->plan->destination->kind == BOX_DESTINATION_SESSION;
}

/* --- Beginning ------------------------------------------------------------------------------ */

static BoxPaddingKind
padding_of (GstBoxUploadSink *self)
{
  BoxPaddingKind wanted = self->plan->values.padding;

  if (self->size.kind != SINK_SIZE_RESERVE)
    return BOX_PADDING_NONE;
  return wanted != BOX_PADDING_AUTO ? wanted : box_padding_for_media_type (self->media_type);
}

static gboolean
make_recorder (GstBoxUploadSink *self, GError **error)
{
  if (self->spool == NULL)
    self->spool = sink_recorder_open_spool (self->plan, error);
  if (self->spool == NULL)
    return FALSE;
  self->recorder =
      sink_recorder_new (self->spool, self->plan, &self->size, padding_of (self), error);
  return self->recorder != NULL;
}

/* The upload beside the recording. */
static gboolean
begin_upload (GstBoxUploadSink *self, GError **error)
{
  self->delivery = sink_config_make_delivery (self->plan, get_recording (self), self->size.bytes,
                                              &sink_reporter_events, self->reporter, error);
  if (self->delivery == NULL)
    return FALSE;
  sink_upload_start (self, box_upload_ref (box_attempt_get_upload (self->delivery)));
  return TRUE;
}

GstFlowReturn
sink_spooling_begin (GstBoxUploadSink *self)
{
  BoxTerms terms = sink_config_get_terms (self->plan);
  GError *error = NULL;
  const char *path;

  if (!make_recorder (self, &error))
    return sink_upload_fail (self, error);
  path = box_recording_get_path (get_recording (self));
  g_mutex_lock (&self->lock);
  self->recording = box_recording_ref (get_recording (self));
  g_mutex_unlock (&self->lock);
  GST_INFO_OBJECT (self, "recording to %s", path);
  sink_reporter_set_spool (self->reporter, path, &terms);
  if (self->size.kind == SINK_SIZE_UNKNOWN)
    self->preflight = sink_preflight_new (self->plan, self->reporter);
  else if (!begin_upload (self, &error))
    return sink_upload_fail (self, error);
  return GST_FLOW_OK;
}

/* --- Data ----------------------------------------------------------------------------------- */

/* Ends the upload beside the recording; the recording goes on without it. */
static void
leave_upload (GstBoxUploadSink *self)
{
  g_autoptr (BoxUpload) upload = NULL;

  if (self->upload != NULL)
    sink_upload_stop (self);
  g_mutex_lock (&self->lock);
  upload = g_steal_pointer (&self->upload);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&self->delivery, box_attempt_free);
}

/* The same for the streaming thread. */
static void
drop_upload (GstBoxUploadSink *self)
{
  sink_wait_begin (self);
  leave_upload (self);
  sink_wait_end (self);
}

/* Box has refused the file at its beginning, and the error is on the bus. */
static GstFlowReturn
refused (GstBoxUploadSink *self)
{
  self->failed = TRUE;
  sink_recorder_announce (self->recorder, GST_ELEMENT (self), "error");
  return GST_FLOW_ERROR;
}

/* Tells the upload beside the recording, if there is one, what it can read. */
static GstFlowReturn
announce (GstBoxUploadSink *self)
{
  if (sink_reporter_has_failed (self->reporter))
    return refused (self);
  if (self->delivery == NULL)
    return GST_FLOW_OK;
  if (self->position > self->size.bytes)
    {
      GST_WARNING_OBJECT (self,
                          "the stream is longer than the %" G_GUINT64_FORMAT
                          " bytes declared: it is recorded, and uploaded at EOS",
                          self->size.bytes);
      drop_upload (self);
    }
  else
    box_upload_advance (self->upload, self->position);
  return GST_FLOW_OK;
}

GstFlowReturn
sink_spooling_write (GstBoxUploadSink *self, const guint8 *data, gsize length)
{
  GError *error = NULL;

  if (!sink_recorder_write (self->recorder, self->position, data, length, &error))
    return sink_upload_fail (self, error);
  sink_stream_set_position (self, self->position + length);
  return announce (self);
}

gboolean
sink_spooling_restart (GstBoxUploadSink *self)
{
  GError *error = NULL;

  /* It would read what is cut off. */
  leave_upload (self);
  if (sink_recorder_restart (self->recorder, &error))
    return TRUE;
  sink_upload_fail (self, error);
  return FALSE;
}

/* --- EOS ------------------------------------------------------------------------------------ */

/* An exact size is how a truncated stream is told from a whole one. */
static gboolean
check_exact (GstBoxUploadSink *self, GError **error)
{
  if (self->size.kind != SINK_SIZE_EXACT || self->position == self->size.bytes)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "The stream ended after %" G_GUINT64_FORMAT " bytes, but %" G_GUINT64_FORMAT
               " were declared for it; nothing was committed",
               self->position, self->size.bytes);
  return FALSE;
}

/* What fills the rest of a reserve. Where nothing can, or its upload has failed, there will be
 * another upload, of the right size. */
static gboolean
decide_padding (GstBoxUploadSink *self, BoxPaddingKind *padding, guint64 *gap, GError **error)
{
  g_autoptr (GError) no_padding = NULL;
  guint64 size = box_recording_get_size (get_recording (self));

  if (self->size.kind == SINK_SIZE_RESERVE && !is_given_session (self) && self->upload != NULL
      && sink_upload_has_failed (self))
    drop_upload (self);
  if (!sink_size_get_gap (&self->size, size, self->plan->values.padding, self->media_type, padding,
                          gap, &no_padding))
    {
      if (is_given_session (self))
        {
          g_propagate_error (error, g_steal_pointer (&no_padding));
          return FALSE;
        }
      drop_upload (self);
    }
  if (self->delivery == NULL && !is_given_session (self))
    *gap = 0;
  if (*gap == 0)
    *padding = BOX_PADDING_NONE;
  return TRUE;
}

/* The digest of the whole file is what the upload beside the recording waits for. */
static GstFlowReturn
digest_padding (GstBoxUploadSink *self, BoxPaddingKind padding, guint64 gap)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gboolean more = TRUE;

  while (more && flow == GST_FLOW_OK)
    {
      sink_wait_begin (self);
      while (more && !sink_wait_is_interrupted (self))
        more = sink_recorder_pad (self->recorder, padding, gap);
      sink_wait_end (self);
      flow = sink_wait_until_playing (self);
    }
  return flow;
}

/* The recording is closed, durably, and announced. */
static GstFlowReturn
end_recording (GstBoxUploadSink *self, const char *reason)
{
  g_autoptr (GError) no_padding = NULL;
  GError *error = NULL;
  GstFlowReturn flow = GST_FLOW_OK;
  guint64 size = box_recording_get_size (get_recording (self)), gap = 0;
  BoxPaddingKind padding = BOX_PADDING_NONE;
  gboolean ended;
  BoxSha1 sha1;

  if (!check_exact (self, &error))
    {
      sink_recorder_announce (self->recorder, GST_ELEMENT (self), "size");
      return sink_upload_fail (self, error);
    }
  if (!decide_padding (self, &padding, &gap, &no_padding))
    gap = 0;
  if (self->delivery != NULL)
    flow = digest_padding (self, padding, gap);
  if (flow != GST_FLOW_OK)
    return flow;
  sink_wait_begin (self);
  ended = sink_recorder_end (self->recorder, size + gap, padding,
                             self->delivery != NULL ? &sha1 : NULL, &error);
  sink_wait_end (self);
  if (!ended)
    return sink_upload_fail (self, error);
  sink_recorder_announce (self->recorder, GST_ELEMENT (self), reason);
  if (no_padding != NULL)
    return sink_upload_fail (self, g_steal_pointer (&no_padding));
  if (self->delivery != NULL)
    box_upload_finish_digest (self->upload, &sha1);
  return GST_FLOW_OK;
}

/* Box has the file. That it cannot be removed from the spool changes nothing about that, and
 * "boxupload resume" tries again. */
static void
clear_up (GstBoxUploadSink *self)
{
  g_autoptr (GError) error = NULL;

  if (!box_recording_remove (get_recording (self), &error))
    GST_WARNING_OBJECT (self, "%s", error->message);
}

static GstFlowReturn
finisher_is_done (GstBoxUploadSink *self)
{
  BoxUpload *upload = sink_finisher_dup_upload (self->finisher);
  BoxRecovered how;
  const BoxFile *file = sink_finisher_get_file (self->finisher, &how);
  GstFlowReturn flow = sink_upload_completed (self, upload, file);

  g_clear_pointer (&upload, box_upload_unref);
  return flow;
}

static GstFlowReturn
finisher_failed (GstBoxUploadSink *self)
{
  return sink_upload_fail (self, g_error_copy (sink_finisher_get_error (self->finisher)));
}

static void
tell_progress (GstBoxUploadSink *self)
{
  BoxUpload *upload = sink_finisher_dup_upload (self->finisher);
  BoxUploadStats stats;

  if (upload == NULL)
    return;
  box_upload_get_stats (upload, &stats);
  sink_reporter_commit_goes_on (self->reporter, &stats);
  box_upload_unref (upload);
}

static GstFlowReturn
wait_finisher (GstBoxUploadSink *self)
{
  while (TRUE)
    {
      GstFlowReturn flow;
      BoxWait wait;

      sink_wait_begin (self);
      wait = sink_finisher_wait (self->finisher, PROGRESS_INTERVAL);
      sink_wait_end (self);
      switch (wait)
        {
        case BOX_WAIT_READY:
          return finisher_is_done (self);
        case BOX_WAIT_FAILED:
          return finisher_failed (self);
        case BOX_WAIT_INTERRUPTED:
          break;
        case BOX_WAIT_TIMEOUT:
          tell_progress (self);
          break;
        }
      flow = sink_wait_until_playing (self);
      if (flow != GST_FLOW_OK)
        return flow;
    }
}

static GstFlowReturn
upload_recording (GstBoxUploadSink *self)
{
  SinkFinisher *finisher = sink_finisher_new (self->plan, get_recording (self), self->reporter);

  g_mutex_lock (&self->lock);
  self->finisher = finisher;
  sink_finisher_interrupt (finisher, self->wait.interrupted);
  g_mutex_unlock (&self->lock);
  sink_upload_apply_rate (self);
  return wait_finisher (self);
}

/* Waits until Box has the file. */
static GstFlowReturn
finish_upload (GstBoxUploadSink *self)
{
  gboolean done = FALSE;
  GstFlowReturn flow;

  if (self->finisher != NULL)
    return wait_finisher (self);
  if (self->delivery != NULL)
    {
      flow = sink_upload_wait (self, &done);
      if (flow != GST_FLOW_OK)
        return flow;
    }
  if (!done)
    {
      drop_upload (self);
      return upload_recording (self);
    }
  if (self->plan->values.commit)
    clear_up (self);
  return GST_FLOW_OK;
}

GstFlowReturn
sink_spooling_finish (GstBoxUploadSink *self, const char *reason)
{
  BoxRecording *recording = get_recording (self);
  GstFlowReturn flow;
  gboolean uploads;

  /* Asked later than this, Box would find our own file in its way. */
  g_clear_pointer (&self->preflight, sink_preflight_free);
  flow = announce (self);
  if (flow != GST_FLOW_OK)
    return flow;
  if (box_recording_get_size (recording) == 0 && self->size.kind != SINK_SIZE_EXACT)
    return sink_upload_end_empty (self);
  uploads = self->plan->values.eos_mode == SINK_EOS_MODE_COMMIT;
  if (uploads)
    sink_reporter_begin_commit (self->reporter);
  flow = end_recording (self, reason);
  if (flow != GST_FLOW_OK)
    return flow;
  if (uploads)
    return finish_upload (self);
  self->completed = TRUE;
  sink_stats_keep (self);
  sink_spooling_end (self, reason);
  sink_reporter_ended (self->reporter, "The recording is in the spool");
  return GST_FLOW_OK;
}

void
sink_spooling_end (GstBoxUploadSink *self, const char *reason)
{
  g_autoptr (BoxRecording) recording = NULL;
  SinkFinisher *finisher;

  g_clear_pointer (&self->preflight, sink_preflight_free);
  leave_upload (self);
  g_mutex_lock (&self->lock);
  recording = g_steal_pointer (&self->recording);
  finisher = g_steal_pointer (&self->finisher);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&finisher, sink_finisher_free);
  if (self->recorder != NULL)
    sink_recorder_announce (self->recorder, GST_ELEMENT (self), reason);
  g_clear_pointer (&self->recorder, sink_recorder_free);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload.h"

GST_DEBUG_CATEGORY_EXTERN (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

/* While the rest is uploaded after EOS, progress is told this often (microseconds). */
#define PROGRESS_INTERVAL G_USEC_PER_SEC

/* What a state change waits for the session of a failed upload to be aborted, at most
 * (microseconds): long enough for a request over the internet, short enough for a user. */
#define ABORT_TIME (700 * 1000)

/* --- Failing -------------------------------------------------------------------------------- */

GstFlowReturn
sink_upload_fail (GstBoxUploadSink *self, GError *error)
{
  GstResourceError code = sink_resource_error (error);

  self->failed = TRUE;
  if (self->recorder != NULL)
    {
      sink_recorder_announce (self->recorder, GST_ELEMENT (self), "error");
      box_recording_note_failure (sink_recorder_get_recording (self->recorder), error);
    }
  sink_reporter_failed (self->reporter, code, error);
  if (self->upload != NULL)
    box_upload_fail (self->upload, error);
  else
    g_error_free (error);
  return GST_FLOW_ERROR;
}

GstFlowReturn
sink_upload_failed (GstBoxUploadSink *self)
{
  g_autoptr (GError) error = box_upload_get_error (self->upload);

  self->failed = TRUE;
  if (error != NULL)
    sink_reporter_failed (self->reporter, sink_resource_error (error), error);
  return GST_FLOW_ERROR;
}

gboolean
sink_upload_has_failed (GstBoxUploadSink *self)
{
  g_autoptr (GError) error = box_upload_get_error (self->upload);

  return error != NULL;
}

/* --- Starting and stopping ------------------------------------------------------------------ */

void
sink_upload_apply_rate (GstBoxUploadSink *self)
{
  guint64 rate;

  g_mutex_lock (&self->lock);
  rate = sink_properties_get_upload_rate (&self->properties);
  if (self->finisher != NULL)
    sink_finisher_set_rate (self->finisher, rate);
  else if (self->upload != NULL)
    box_upload_set_rate (self->upload, rate);
  g_mutex_unlock (&self->lock);
}

void
sink_upload_start (GstBoxUploadSink *self, BoxUpload *upload)
{
  g_mutex_lock (&self->lock);
  self->upload = upload;
  self->seekable = FALSE;
  box_upload_interrupt (upload, self->wait.interrupted);
  g_mutex_unlock (&self->lock);
  sink_upload_apply_rate (self);

  GST_INFO_OBJECT (self, "uploading %" G_GUINT64_FORMAT " bytes", self->size.bytes);
  /* Applications wait in PAUSED for progress to end; a recording that has a spool waits for no
   * network. */
  if (self->recorder == NULL && sink_config_uses_session (self->plan, self->size.bytes))
    sink_reporter_begin_session (self->reporter, self->plan->destination->session_id);
  box_upload_start (upload);
}

void
sink_upload_stop (GstBoxUploadSink *self)
{
  if (!sink_upload_has_failed (self))
    box_upload_cancel (self->upload);
  else if (self->plan->values.on_error == BOX_ON_ERROR_ABORT)
    box_upload_wait_settled (self->upload, ABORT_TIME);
}

/* --- Ending --------------------------------------------------------------------------------- */

/* Without a commit of ours, the application gets what it needs for its own. */
static void
tell_filled (GstBoxUploadSink *self, BoxUpload *upload)
{
  g_autoptr (BoxSession) session = box_upload_get_session (upload);
  BoxUploadStats stats;
  BoxSha1 sha1;

  box_upload_get_stats (upload, &stats);
  if (box_upload_get_sha1 (upload, &sha1))
    sink_post_filled (GST_ELEMENT (self), session != NULL ? session->id : NULL, stats.bytes_total,
                      &sha1);
}

GstFlowReturn
sink_upload_completed (GstBoxUploadSink *self, BoxUpload *upload, const BoxFile *file)
{
  self->completed = TRUE;
  if (file == NULL && upload != NULL)
    tell_filled (self, upload);
  if (file != NULL && self->plan->note != NULL)
    box_note_remove (self->plan->note->session_id);
  sink_reporter_completed (self->reporter, file);
  return GST_FLOW_OK;
}

GstFlowReturn
sink_upload_end_empty (GstBoxUploadSink *self)
{
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE, ("Nothing was recorded, so no file is made."),
                       (NULL));
  self->empty = TRUE;
  if (self->upload != NULL)
    sink_upload_stop (self);
  sink_reporter_ended (self->reporter, "Nothing was recorded");
  return GST_FLOW_OK;
}

/* --- Waiting -------------------------------------------------------------------------------- */

static GstFlowReturn
upload_has_completed (GstBoxUploadSink *self)
{
  g_autoptr (BoxFile) file = box_upload_get_file (self->upload);

  return sink_upload_completed (self, self->upload, file);
}

GstFlowReturn
sink_upload_wait (GstBoxUploadSink *self, gboolean *done)
{
  *done = TRUE;
  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      BoxUploadStats stats;
      GstFlowReturn flow;
      BoxWait wait;

      sink_wait_begin (self);
      wait = box_upload_wait_done (self->upload, PROGRESS_INTERVAL);
      sink_wait_end (self);
      switch (wait)
        {
        case BOX_WAIT_READY:
          return upload_has_completed (self);
        case BOX_WAIT_FAILED:
          error = box_upload_get_error (self->upload);
          *done = self->recorder == NULL || error == NULL
                  || !box_policy_another_upload_can_mend (error);
          return *done ? sink_upload_failed (self) : GST_FLOW_OK;
        case BOX_WAIT_INTERRUPTED:
          break;
        case BOX_WAIT_TIMEOUT:
          box_upload_get_stats (self->upload, &stats);
          sink_reporter_commit_goes_on (self->reporter, &stats);
          break;
        }
      flow = sink_wait_until_playing (self);
      if (flow != GST_FLOW_OK)
        return flow;
    }
}

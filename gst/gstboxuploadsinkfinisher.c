/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstboxuploadsinkfinisher.h"

struct _GstBoxUploadSinkFinisher
{
  /* immutable */
  BoxRecoverySettings settings;
  BoxRecording *recording;
  GstBoxUploadSinkReporter *reporter;
  GCancellable *cancellable;
  GThread *thread;

  GMutex lock;
  GCond changed; /* done or interrupted */
  /* with lock */
  BoxUpload *upload;
  gboolean done;
  gboolean interrupted;

  /* its own thread; immutable when done */
  BoxRecovered how;
  BoxFile *file;
  GError *error;
};

static void
on_uploading (BoxUpload *upload, gpointer user_data)
{
  GstBoxUploadSinkFinisher *self = user_data;
  BoxUpload *previous;

  g_mutex_lock (&self->lock);
  previous = self->upload;
  self->upload = box_upload_ref (upload);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&previous, box_upload_unref);
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  GstBoxUploadSinkFinisher *self = user_data;

  gst_box_upload_sink_reporter_events.session_opened (session, size, self->reporter);
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  GstBoxUploadSinkFinisher *self = user_data;

  gst_box_upload_sink_reporter_events.part_done (part, attempts, adopted, self->reporter);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  GstBoxUploadSinkFinisher *self = user_data;

  gst_box_upload_sink_reporter_events.retrying (request, offset, attempt, delay, reason,
                                                self->reporter);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  GstBoxUploadSinkFinisher *self = user_data;

  gst_box_upload_sink_reporter_events.outage (reason, self->reporter);
}

static const BoxRecoveryEvents events = {
  .uploading = on_uploading,
  .upload = {
    .session_opened = on_session_opened,
    .part_done = on_part_done,
    .retrying = on_retrying,
    .outage = on_outage,
  },
};

static gpointer
run (gpointer data)
{
  GstBoxUploadSinkFinisher *self = data;

  box_recovery_run (self->recording, &self->settings, &events, self, self->cancellable, &self->how,
                    &self->file, &self->error);
  g_mutex_lock (&self->lock);
  self->done = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

GstBoxUploadSinkFinisher *
gst_box_upload_sink_finisher_new (const GstBoxUploadSinkPlan *plan, BoxRecording *recording,
                                  GstBoxUploadSinkReporter *reporter)
{
  GstBoxUploadSinkFinisher *self = g_new0 (GstBoxUploadSinkFinisher, 1);

  self->settings = (BoxRecoverySettings){
    .client = box_client_ref (plan->client),
    .parallel = plan->values.parallel,
    .upload_rate = plan->values.upload_rate,
    .retry_timeout = plan->values.retry_timeout,
    .digest_engine = plan->values.digest_engine,
  };
  self->recording = box_recording_ref (recording);
  self->reporter = gst_box_upload_sink_reporter_ref (reporter);
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->thread = g_thread_new ("box-finisher", run, self);
  return self;
}

void
gst_box_upload_sink_finisher_free (GstBoxUploadSinkFinisher *self)
{
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->thread);
  g_clear_pointer (&self->upload, box_upload_unref);
  box_client_unref (self->settings.client);
  box_recording_unref (self->recording);
  gst_box_upload_sink_reporter_unref (self->reporter);
  g_object_unref (self->cancellable);
  g_clear_pointer (&self->file, box_file_free);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

BoxWait
gst_box_upload_sink_finisher_wait (GstBoxUploadSinkFinisher *self, gint64 timeout)
{
  gint64 until = g_get_monotonic_time () + timeout;
  BoxWait wait = BOX_WAIT_READY;

  g_mutex_lock (&self->lock);
  while (!self->done && wait == BOX_WAIT_READY)
    if (self->interrupted)
      wait = BOX_WAIT_INTERRUPTED;
    else if (!g_cond_wait_until (&self->changed, &self->lock, until))
      wait = BOX_WAIT_TIMEOUT;
  if (self->done)
    wait = self->error != NULL ? BOX_WAIT_FAILED : BOX_WAIT_READY;
  g_mutex_unlock (&self->lock);
  return wait;
}

void
gst_box_upload_sink_finisher_interrupt (GstBoxUploadSinkFinisher *self, gboolean interrupted)
{
  g_mutex_lock (&self->lock);
  self->interrupted = interrupted;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

BoxUpload *
gst_box_upload_sink_finisher_dup_upload (GstBoxUploadSinkFinisher *self)
{
  BoxUpload *upload;

  g_mutex_lock (&self->lock);
  upload = self->upload != NULL ? box_upload_ref (self->upload) : NULL;
  g_mutex_unlock (&self->lock);
  return upload;
}

const GError *
gst_box_upload_sink_finisher_get_error (GstBoxUploadSinkFinisher *self)
{
  return self->error;
}

const BoxFile *
gst_box_upload_sink_finisher_get_file (GstBoxUploadSinkFinisher *self, BoxRecovered *how)
{
  *how = self->how;
  return self->file;
}

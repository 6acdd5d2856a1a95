/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "finisher.h"

#include "delivery/job.h"

struct _GstBoxUploadSinkFinisher
{
  GstBoxUploadSinkReporter *reporter;
  BoxRecoveryJob *job;
};

GstBoxUploadSinkFinisher *
gst_box_upload_sink_finisher_new (const GstBoxUploadSinkPlan *plan, BoxRecording *recording,
                                  GstBoxUploadSinkReporter *reporter)
{
  GstBoxUploadSinkFinisher *self = g_new0 (GstBoxUploadSinkFinisher, 1);
  const BoxRecoverySettings settings = {
    .client = plan->client,
    .parallel = plan->values.parallel,
    .upload_rate = plan->values.upload_rate,
    .retry_timeout = plan->values.retry_timeout,
    .digest_engine = plan->values.digest_engine,
  };

  self->reporter = gst_box_upload_sink_reporter_ref (reporter);
  self->job = box_recovery_job_new (recording, &settings, &gst_box_upload_sink_reporter_events,
                                    self->reporter, NULL);
  return self;
}

void
gst_box_upload_sink_finisher_free (GstBoxUploadSinkFinisher *self)
{
  box_recovery_job_free (self->job);
  gst_box_upload_sink_reporter_unref (self->reporter);
  g_free (self);
}

BoxWait
gst_box_upload_sink_finisher_wait (GstBoxUploadSinkFinisher *self, gint64 timeout)
{
  return box_recovery_job_wait (self->job, timeout);
}

void
gst_box_upload_sink_finisher_interrupt (GstBoxUploadSinkFinisher *self, gboolean interrupted)
{
  box_recovery_job_interrupt (self->job, interrupted);
}

void
gst_box_upload_sink_finisher_set_rate (GstBoxUploadSinkFinisher *self, guint64 rate)
{
  box_recovery_job_set_rate (self->job, rate);
}

BoxUpload *
gst_box_upload_sink_finisher_dup_upload (GstBoxUploadSinkFinisher *self)
{
  return box_recovery_job_dup_upload (self->job);
}

const GError *
gst_box_upload_sink_finisher_get_error (GstBoxUploadSinkFinisher *self)
{
  return box_recovery_job_get_error (self->job);
}

const BoxFile *
gst_box_upload_sink_finisher_get_file (GstBoxUploadSinkFinisher *self, BoxRecovered *how)
{
  return box_recovery_job_get_file (self->job, how);
}

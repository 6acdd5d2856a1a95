/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "finisher.h"

#include "delivery/job.h"

struct _SinkFinisher
{
  SinkReporter *reporter;
  BoxRecoveryJob *job;
};

SinkFinisher *
sink_finisher_new (const SinkConfig *plan, BoxRecording *recording, SinkReporter *reporter)
{
  SinkFinisher *self = g_new0 (SinkFinisher, 1);
  const BoxRecoverySettings settings = {
    .client = plan->client,
    .parallel = plan->values.parallel,
    .upload_rate = plan->values.upload_rate,
    .retry_timeout = plan->values.retry_timeout,
    .digest_engine = plan->values.digest_engine,
  };

  self->reporter = sink_reporter_ref (reporter);
  self->job =
      box_recovery_job_new (recording, &settings, &sink_reporter_events, self->reporter, NULL);
  return self;
}

void
sink_finisher_free (SinkFinisher *self)
{
  box_recovery_job_free (self->job);
  sink_reporter_unref (self->reporter);
  g_free (self);
}

BoxWait
sink_finisher_wait (SinkFinisher *self, gint64 timeout)
{
  return box_recovery_job_wait (self->job, timeout);
}

void
sink_finisher_interrupt (SinkFinisher *self, gboolean interrupted)
{
  box_recovery_job_interrupt (self->job, interrupted);
}

void
sink_finisher_set_rate (SinkFinisher *self, guint64 rate)
{
  box_recovery_job_set_rate (self->job, rate);
}

BoxUpload *
sink_finisher_dup_upload (SinkFinisher *self)
{
  return box_recovery_job_dup_upload (self->job);
}

const GError *
sink_finisher_get_error (SinkFinisher *self)
{
  return box_recovery_job_get_error (self->job);
}

const BoxFile *
sink_finisher_get_file (SinkFinisher *self, BoxRecovered *how)
{
  return box_recovery_job_get_file (self->job, how);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/job.h"

#include "base/limits.h"

struct _BoxRecoveryJob
{
  /* immutable */
  BoxRecording *recording;
  BoxRecoverySettings settings;
  BoxRecoveryEvents events;
  gpointer user_data;
  GCancellable *cancellable; /* its own */
  GCancellable *outer;       /* nullable */
  gulong outer_id;
  GThread *thread;

  GMutex lock;
  GCond changed; /* done or interrupted */
  /* with lock */
  BoxUpload *upload;
  guint64 rate; /* bytes per second, 0: no limit */
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
  BoxRecoveryJob *job = user_data;
  BoxUpload *previous;

  g_mutex_lock (&job->lock);
  previous = job->upload;
  job->upload = box_upload_ref (upload);
  box_upload_set_rate (upload, job->rate);
  g_mutex_unlock (&job->lock);
  g_clear_pointer (&previous, box_upload_unref);
}

static void
on_outer_cancelled (GCancellable *outer, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

static gpointer
run (gpointer data)
{
  BoxRecoveryJob *job = data;

  box_recovery_run (job->recording, &job->settings, &job->events, job->user_data, job->cancellable,
                    &job->how, &job->file, &job->error);
  g_mutex_lock (&job->lock);
  job->done = TRUE;
  g_cond_broadcast (&job->changed);
  g_mutex_unlock (&job->lock);
  return NULL;
}

BoxRecoveryJob *
box_recovery_job_new (BoxRecording *recording, const BoxRecoverySettings *settings,
                      const BoxUploadEvents *events, gpointer user_data, GCancellable *cancellable)
{
  BoxRecoveryJob *job = g_new0 (BoxRecoveryJob, 1);

  g_mutex_init (&job->lock);
  g_cond_init (&job->changed);
  job->recording = box_recording_ref (recording);
  job->settings = *settings;
  job->rate = settings->upload_rate;
  box_client_ref (job->settings.client);
  if (events != NULL)
    job->events.upload = *events;
  job->events.upload.completed = NULL;
  job->events.uploading = on_uploading;
  job->events.uploading_data = job;
  job->user_data = user_data;
  job->cancellable = g_cancellable_new ();
  if (cancellable != NULL)
    {
      job->outer = g_object_ref (cancellable);
      job->outer_id = g_cancellable_connect (cancellable, G_CALLBACK (on_outer_cancelled),
                                             job->cancellable, NULL);
    }
  job->thread = box_limits_start_thread ("box-recovery", "to upload with", run, job, &job->error);
  job->done = job->thread == NULL;
  return job;
}

void
box_recovery_job_free (BoxRecoveryJob *job)
{
  if (job == NULL)
    return;
  g_cancellable_disconnect (job->outer, job->outer_id);
  g_cancellable_cancel (job->cancellable);
  if (job->thread != NULL)
    g_thread_join (job->thread);
  g_clear_pointer (&job->upload, box_upload_unref);
  box_client_unref (job->settings.client);
  box_recording_unref (job->recording);
  g_object_unref (job->cancellable);
  g_clear_object (&job->outer);
  g_clear_pointer (&job->file, box_file_free);
  g_clear_error (&job->error);
  g_mutex_clear (&job->lock);
  g_cond_clear (&job->changed);
  g_free (job);
}

BoxWait
box_recovery_job_wait (BoxRecoveryJob *job, gint64 timeout)
{
  gint64 until = g_get_monotonic_time () + timeout;
  BoxWait wait = BOX_WAIT_READY;

  g_mutex_lock (&job->lock);
  while (!job->done && wait == BOX_WAIT_READY)
    if (job->interrupted)
      wait = BOX_WAIT_INTERRUPTED;
    else if (!g_cond_wait_until (&job->changed, &job->lock, until))
      wait = BOX_WAIT_TIMEOUT;
  if (job->done)
    wait = job->error != NULL ? BOX_WAIT_FAILED : BOX_WAIT_READY;
  g_mutex_unlock (&job->lock);
  return wait;
}

void
box_recovery_job_interrupt (BoxRecoveryJob *job, gboolean interrupted)
{
  g_mutex_lock (&job->lock);
  job->interrupted = interrupted;
  g_cond_broadcast (&job->changed);
  g_mutex_unlock (&job->lock);
}

void
box_recovery_job_set_rate (BoxRecoveryJob *job, guint64 rate)
{
  g_mutex_lock (&job->lock);
  job->rate = rate;
  if (job->upload != NULL)
    box_upload_set_rate (job->upload, rate);
  g_mutex_unlock (&job->lock);
}

BoxUpload *
box_recovery_job_dup_upload (BoxRecoveryJob *job)
{
  BoxUpload *upload;

  g_mutex_lock (&job->lock);
  upload = job->upload != NULL ? box_upload_ref (job->upload) : NULL;
  g_mutex_unlock (&job->lock);
  return upload;
}

const GError *
box_recovery_job_get_error (BoxRecoveryJob *job)
{
  return job->error;
}

const BoxFile *
box_recovery_job_get_file (BoxRecoveryJob *job, BoxRecovered *how)
{
  *how = job->how;
  return job->file;
}

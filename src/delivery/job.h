/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxRecoveryJob: box_recovery_run() in a thread of its own, so that whoever began it can show how
 * far it is, give way to something else meanwhile, and stop it. One thread owns it; what others may
 * call says so.
 */
#pragma once

#include "delivery/recovery.h"

G_BEGIN_DECLS

typedef struct _BoxRecoveryJob BoxRecoveryJob;

/**
 * box_recovery_job_new:
 * @recording: kept until the job is freed, and its lock with it.
 * @settings: copied; the client is kept.
 * @events: (nullable): of each upload that it makes, from worker threads; not failed, and not
 * completed, which are the job's end.
 * @user_data: the events'; has to live until box_recovery_job_free() has returned.
 * @cancellable: (nullable): stops it, too; several jobs may share it.
 *
 * Begins.
 */
BoxRecoveryJob *
box_recovery_job_new (BoxRecording *recording, const BoxRecoverySettings *settings,
                      const BoxUploadEvents *events, gpointer user_data, GCancellable *cancellable);

/* Stops it, at once, if it is not done. When this returns no event runs any more, and the recording
 * is free for others. */
void box_recovery_job_free (BoxRecoveryJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxRecoveryJob, box_recovery_job_free)

/* READY: done; FAILED: see box_recovery_job_get_error(). @timeout in microseconds. */
BoxWait box_recovery_job_wait (BoxRecoveryJob *job, gint64 timeout);

/* TRUE makes the wait return at once until FALSE is set; the job goes on. Any thread. */
void box_recovery_job_interrupt (BoxRecoveryJob *job, gboolean interrupted);

/* Bytes per second of the upload that runs and of those to come; 0: no limit. Any thread. */
void box_recovery_job_set_rate (BoxRecoveryJob *job, guint64 rate);

/* The upload that runs, or ran last; NULL: none yet. Free with box_upload_unref(). Any thread. */
BoxUpload *box_recovery_job_dup_upload (BoxRecoveryJob *job);

/* After FAILED: what box_recovery_run() said. Owned by @job. */
const GError *box_recovery_job_get_error (BoxRecoveryJob *job);

/* After READY: what became of the recording; the file, NULL unless @how is COMMITTED. Owned by
 * @job. */
const BoxFile *box_recovery_job_get_file (BoxRecoveryJob *job, BoxRecovered *how);

G_END_DECLS

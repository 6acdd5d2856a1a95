/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliJobs: a few jobs at the same time, shown as bars or printed as JSON Lines. One thread.
 */
#pragma once

#include "cli/job.h"

G_BEGIN_DECLS

typedef struct _CliJobs CliJobs;

/* Jobs at the same time. */
#define CLI_JOBS_MAX     16
#define CLI_JOBS_DEFAULT 2

/**
 * CliJobsEnded:
 * @failure: (nullable): its failure, which has not been printed.
 *
 * @job has ended, or could not begin; it is freed afterwards.
 */
typedef void (*CliJobsEnded) (CliJob *job, const GError *failure, gpointer user_data);

/* @files: at the same time, 1 to CLI_JOBS_MAX; other numbers are an error. */
CliJobs *cli_jobs_new (Cli *cli, int files, CliJobsEnded ended, gpointer user_data, GError **error);

/* Stops those that run. */
void cli_jobs_free (CliJobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliJobs, cli_jobs_free)

/* The default output of a job. */
CliTell cli_jobs_get_tell (CliJobs *jobs);

/* How many have begun and not ended. */
guint cli_jobs_count_running (CliJobs *jobs);

/* Whether another one may begin. */
gboolean cli_jobs_has_room (CliJobs *jobs);

/* Takes @job, which has been started, or failed to with @failure (nullable; taken). */
void cli_jobs_add (CliJobs *jobs, CliJob *job, GError *failure);

/* Polls the running jobs, for a tenth of a second at most. */
void cli_jobs_attend (CliJobs *jobs);

/* Until all that run have ended. */
void cli_jobs_wait (CliJobs *jobs);

G_END_DECLS

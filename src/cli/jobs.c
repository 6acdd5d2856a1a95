/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/job.h"

#include <unistd.h>

#include "cli/output.h"

/* Often enough for bars that move. Microseconds. */
#define DRAW_INTERVAL (G_USEC_PER_SEC / 10)

/* Between two "progress" lines of JSON. Microseconds. */
#define TELL_INTERVAL G_USEC_PER_SEC

struct _CliJobs
{
  GCancellable *cancellable;
  guint limit;
  CliJobsEnded ended;
  gpointer user_data;

  CliProgress *progress;
  CliTell tell;
  gint64 told_at;     /* monotonic */
  GPtrArray *running; /* of CliJob, in the order in which they began */
};

/* common to all jobs */

void
cli_job_free (CliJob *job)
{
  if (job == NULL)
    return;
  job->kind->clear (job);
  cli_reporter_free (job->reporter);
  g_free (job->name);
  g_free (job);
}

void
cli_job_tell_failure (CliJob *job, const GError *error, guint wait)
{
  cli_reporter_tell_failure (job->reporter, job->name, error, wait);
}

void
cli_job_get_progress (CliJob *job, CliProgressLine *line, char **notice)
{
  BoxUploadStats stats = { 0 };
  char *words = NULL;
  guint64 spooled;
  gboolean sends;

  if (job->delivery == NULL)
    {
      job->kind->get_stats (job, &stats, &words);
      cli_reporter_get_progress (job->reporter, &stats, stats.bytes_total, line, notice);
      g_free (*notice);
      line->notice = *notice = words;
      return;
    }
  spooled = box_delivery_get_spooled (job->delivery);
  sends = box_delivery_get_stats (job->delivery, &stats);
  cli_reporter_get_progress (job->reporter, &stats, job->size, line, notice);
  if (job->size == 0 && spooled > 0)
    {
      g_autofree char *bytes = cli_format_bytes (spooled);

      g_free (*notice);
      line->notice = *notice = g_strdup_printf ("recording, %s", bytes);
    }
  else if (!sends)
    line->notice = "reading";
}

void
cli_job_tell_progress (CliJob *job)
{
  BoxUploadStats stats = { 0 };
  g_autofree char *notice = NULL;

  if (job->delivery == NULL)
    job->kind->get_stats (job, &stats, &notice);
  if (job->delivery == NULL || box_delivery_get_stats (job->delivery, &stats))
    cli_reporter_tell_progress (job->reporter, &stats);
}

/* Some of them at a time */

CliJobs *
cli_jobs_new (Cli *cli, int files, CliJobsEnded ended, gpointer user_data, GError **error)
{
  CliJobs *jobs;

  if (files < 1 || files > CLI_JOBS_MAX)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "--files takes 1 to %d, not %d",
                   CLI_JOBS_MAX, files);
      return NULL;
    }
  jobs = g_new0 (CliJobs, 1);
  jobs->cancellable = g_object_ref (cli->cancellable);
  jobs->limit = (guint) files;
  jobs->ended = ended;
  jobs->user_data = user_data;
  jobs->progress = cli_progress_new (cli->options->json ? -1 : STDERR_FILENO);
  jobs->tell = cli_reporter_choose (cli->options->json, jobs->progress);
  jobs->running = g_ptr_array_new_with_free_func ((GDestroyNotify) cli_job_free);
  return jobs;
}

void
cli_jobs_free (CliJobs *jobs)
{
  if (jobs == NULL)
    return;
  g_ptr_array_unref (jobs->running);
  cli_progress_free (jobs->progress);
  g_object_unref (jobs->cancellable);
  g_free (jobs);
}

CliTell
cli_jobs_get_tell (CliJobs *jobs)
{
  return jobs->tell;
}

guint
cli_jobs_count_running (CliJobs *jobs)
{
  return jobs->running->len;
}

gboolean
cli_jobs_has_room (CliJobs *jobs)
{
  return jobs->running->len < jobs->limit;
}

void
cli_jobs_add (CliJobs *jobs, CliJob *job, GError *failure)
{
  g_autoptr (GError) owned = failure;

  if (failure == NULL)
    {
      g_ptr_array_add (jobs->running, job);
      return;
    }
  cli_progress_clear (jobs->progress);
  jobs->ended (job, failure, jobs->user_data);
  cli_job_free (job);
}

static void
end_job (CliJobs *jobs, guint i)
{
  g_autoptr (CliJob) job = g_ptr_array_steal_index (jobs->running, i);
  g_autoptr (GError) error = NULL;

  cli_progress_clear (jobs->progress);
  job->kind->finish (job, &error);
  jobs->ended (job, error, jobs->user_data);
}

static void
draw (CliJobs *jobs)
{
  CliProgressLine lines[CLI_JOBS_MAX];
  char *notices[CLI_JOBS_MAX];

  if (!cli_progress_is_shown (jobs->progress))
    return;
  for (guint i = 0; i < jobs->running->len; i++)
    cli_job_get_progress (g_ptr_array_index (jobs->running, i), &lines[i], &notices[i]);
  cli_progress_draw (jobs->progress, lines, jobs->running->len);
  for (guint i = 0; i < jobs->running->len; i++)
    g_free (notices[i]);
}

static void
tell_progress (CliJobs *jobs)
{
  gint64 now = g_get_monotonic_time ();

  if (jobs->tell != CLI_TELL_JSON || now < jobs->told_at + TELL_INTERVAL)
    return;
  jobs->told_at = now;
  for (guint i = 0; i < jobs->running->len; i++)
    cli_job_tell_progress (g_ptr_array_index (jobs->running, i));
}

static void
cancel (CliJobs *jobs)
{
  for (guint i = 0; i < jobs->running->len; i++)
    {
      CliJob *job = g_ptr_array_index (jobs->running, i);

      if (job->kind->cancel != NULL)
        job->kind->cancel (job);
    }
}

static BoxWait
attend (CliJob *job, gint64 timeout)
{
  return job->kind->attend != NULL ? job->kind->attend (job, timeout)
                                   : box_delivery_wait (job->delivery, timeout);
}

void
cli_jobs_attend (CliJobs *jobs)
{
  gint64 timeout = DRAW_INTERVAL;

  if (g_cancellable_is_cancelled (jobs->cancellable))
    cancel (jobs);
  for (guint i = 0; i < jobs->running->len; timeout = 0)
    {
      CliJob *job = g_ptr_array_index (jobs->running, i);

      if (attend (job, timeout) != BOX_WAIT_TIMEOUT)
        end_job (jobs, i);
      else
        i++;
    }
  draw (jobs);
  tell_progress (jobs);
}

void
cli_jobs_wait (CliJobs *jobs)
{
  while (jobs->running->len > 0)
    cli_jobs_attend (jobs);
}

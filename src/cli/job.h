/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliJob: the upload of one file, and its output. The file is a local file or standard input (put),
 * or a recording of the spool (resume, watch). CliJobs runs a few jobs at a time. CliFollower is
 * what a job waits with for the end of a file that is still written. One thread.
 */
#pragma once

#include "cli/command.h"
#include "cli/reporter.h"
#include "delivery/delivery.h"
#include "delivery/growing.h"
#include "spool/spool.h"

G_BEGIN_DECLS

/*
 * CliFollower: waits for the end of a file that another program writes, while its parts leave
 * (BoxFollow). The file may still be missing, be cut, renamed or replaced meanwhile.
 */

/**
 * CliFollowRules:
 * @until_idle: seconds without a change after which the file is finished; 0: it is when no program
 *   has it open for writing any more.
 * @until_file: (nullable): it is finished when this file exists, and not before.
 * @no_ahead: nothing is sent before it is finished.
 * @expected_size: as for BoxFollow.
 * @account_file: likewise.
 */
typedef struct
{
  guint until_idle;
  const char *until_file;
  gboolean no_ahead;
  guint64 expected_size;
  const char *account_file;
} CliFollowRules;

typedef struct _CliFollower CliFollower;

/* @path: in the file system's encoding. @rules, and what they and @settings point to, have to live
 * as long. */
CliFollower *
cli_follower_new (const char *path, const CliFollowRules *rules, const BoxUploadSettings *settings);

typedef enum
{
  CLI_FOLLOW_WAITING, /* there is no such file yet */
  CLI_FOLLOW_GROWING,
  CLI_FOLLOW_FINISHED,
  CLI_FOLLOW_FAILED,
} CliFollowState;

/* Looks at the file; to be called about ten times a second until it is finished, or has failed with
 * @error: BOX_ERROR_STORAGE (it was removed, cannot be read), BOX_ERROR_SETTINGS (who has it open
 * is not known here), or Box's refusal. */
CliFollowState cli_follower_look (CliFollower *follower, GError **error);

/* Bytes of the file, and those of them that have left, when it was looked at last. */
guint64 cli_follower_get_size (CliFollower *follower);
guint64 cli_follower_get_sent (CliFollower *follower);

/* When it is finished: its path now, which may be another name in the same place. Free with
 * g_free(). */
char *cli_follower_dup_path (CliFollower *follower);

/* When it is finished: the file, which stays @follower's; and what has left of it. */
int cli_follower_get_fd (CliFollower *follower);
BoxFollow *cli_follower_get_follow (CliFollower *follower);

/* Aborts the sessions of what has left early; see box_follow_settle(). */
void cli_follower_settle (CliFollower *follower, const BoxUploadStats *stats, gint64 until);

void cli_follower_free (CliFollower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliFollower, cli_follower_free)

/* Whether a program has @fd, which was opened for reading, open for writing. FALSE with *@known
 * FALSE: this file system, or this user, does not get to know. SIGIO has to be ignored. */
gboolean cli_follower_has_writer (int fd, gboolean *known);

/* --- CliJob --------------------------------------------------------------------------------- */

typedef struct _CliJob CliJob;

/**
 * CliJobKind:
 * @attend: (nullable): does what is to be done in this thread, and waits for at most @timeout
 *   (microseconds) for the end, as box_delivery_wait() does. NULL: there is only the wait.
 * @cancel: (nullable): stops it now; it ends as cancelled. NULL: its cancellable does. Called again
 *   and again until it has ended.
 * @finish: after the end, once: prints the result. FALSE with the failure, which is not
 * printed.
 * @get_stats: (nullable): the figures of a job whose delivery is still NULL, for jobs that may be
 *   without one. @notice: (out): free with g_free().
 * @clear: stops it, if it still runs, and frees the fields of its kind.
 *
 * The functions of one kind of job, for a job that was started.
 */
typedef struct
{
  BoxWait (*attend) (CliJob *job, gint64 timeout);
  void (*cancel) (CliJob *job);
  gboolean (*finish) (CliJob *job, GError **error);
  void (*get_stats) (CliJob *job, BoxUploadStats *stats, char **notice);
  void (*clear) (CliJob *job);
} CliJobKind;

/* The fields of all jobs; the struct of each kind begins with it. */
struct _CliJob
{
  const CliJobKind *kind;
  CliReporter *reporter;
  BoxDelivery *delivery; /* while it runs; NULL before, and after its end */
  char *name;            /* prefix of its output; printable */
  guint64 size;          /* bytes */
  gpointer owner;        /* the command's own data */
};

void cli_job_free (CliJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliJob, cli_job_free)

/* A local file; @path in the file system's encoding. */
CliJob *cli_job_new_file (const char *path, CliTell tell);

/* Opens the file and begins to send it to @destination by @settings, of which the client,
 * destination, size and what the file system says are filled in here. The session of an earlier run
 * that sent this file there is continued (BoxReceipt). @skip_same: a name that is taken by a
 * file with the same bytes is a success. It ends with BOX_ERROR_SIZE also if Box has the file as it
 * was, and it has changed since. */
gboolean cli_job_start_file (CliJob *job, Cli *cli, const BoxDestination *destination,
                             const BoxUploadSettings *settings, gboolean skip_same, GError **error);

/**
 * CliFindDestination:
 * @path: of the finished file, which may have been renamed.
 *
 * Where it goes.
 */
typedef BoxDestination *(*CliFindDestination) (const char *path, GError **error);

/* The same for a file that another program may still write: it is followed until it is finished by
 * @rules, which have to live as long, and parts leave meanwhile. */
gboolean
cli_job_start_follow (CliJob *job, Cli *cli, const CliFollowRules *rules, CliFindDestination find,
                      const BoxUploadSettings *settings, gboolean skip_same, GError **error);

/* What @fd gives until its end: standard input, a FIFO. @name: for the output. */
CliJob *cli_job_new_stream (int fd, const char *name, CliTell tell);

/* Begins to read it, and sends it to @destination by @settings, of which the client and the
 * destination are filled in here. Its size is settings->size; 0: not known, then @spool records it,
 * and @how counts. @spool: (nullable): it is held in memory. SIGINT ends the reading: what is left
 * of the input is taken if it ends soon. Other signals, and a failure, leave what was read in the
 * spool. */
gboolean cli_job_start_stream (CliJob *job, Cli *cli, BoxSpool *spool, CliUnknownSize how,
                               const BoxDestination *destination, const BoxUploadSettings *settings,
                               GError **error);

/* The recording of a stream that has failed, if it is in the spool; NULL: nothing is. */
const char *cli_job_get_kept (CliJob *job);

/* A recording. */
CliJob *cli_job_new_recording (const BoxSpoolEntry *entry, CliTell tell);

/* A new destination of a recording, in place of the journal's. */
typedef struct
{
  const char *folder;    /* ID; NULL: the same */
  const char *name;      /* NULL: the same */
  const char *if_exists; /* as --if-exists takes it, and checked; NULL: the same */
} CliRedirect;

/* Takes the recording and begins to finish it. @redirect: (nullable). @cancellable ends it early,
 * and the recording then stays. BOX_ERROR_BUSY is not a failure: another process has the recording,
 * or has finished it. */
gboolean
cli_job_start_recording (CliJob *job, const BoxRecoverySettings *settings,
                         const CliRedirect *redirect, GCancellable *cancellable, GError **error);

/* The result, after an end without a failure. */
BoxRecovered cli_job_get_recovered (CliJob *job);

/* The file that Box has of it; NULL: none was made. Owned by @job. */
const BoxFile *cli_job_get_recovered_file (CliJob *job);

/* Prints its failure. @wait: seconds until the next attempt; 0: no other attempt. */
void cli_job_tell_failure (CliJob *job, const GError *error, guint wait);

/* The figures of now, while it runs. @notice: (out): what @line's notice is; free with g_free(). */
void cli_job_get_progress (CliJob *job, CliProgressLine *line, char **notice);

/* Prints the figures of now as a JSON line, if it has got to uploading. */
void cli_job_tell_progress (CliJob *job);

/*
 * CliJobs: a few jobs at the same time, shown as bars or printed as JSON Lines. One thread.
 */

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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/job.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fileio.h"
#include "cli/output.h"
#include "delivery/policy.h"
#include "spool/note.h"
#include "upload/upload.h"

/* Time limit of an abort. After it the session is left to expire at Box. Microseconds. */
#define CLEAN_UP_TIMEOUT (10 * G_USEC_PER_SEC)

/* Sessions that one file tries, as the recovery of a recording does. */
#define SESSIONS_MAX 3

/* The longest turn of one job that compares a file. Microseconds. */
#define TURN (G_USEC_PER_SEC / 10)

/* Bytes that are compared at a time. */
#define PIECE 262144

typedef struct
{
  CliJob base;
  Cli *cli;
  char *path;
  int fd;             /* the delivery's too, while it runs */
  struct stat opened; /* the file as it was then */
  gboolean cancelled;
  gint64 cancelled_at; /* monotonic; 0: not */

  BoxUploadSettings settings; /* of every upload; these three are its own */
  BoxDestination *destination;
  BoxNote *note;
  char *modified_at;
  BoxReceipt *receipt; /* the reporter's; NULL: none */
  gboolean continued;  /* the upload has the session of an earlier run */
  guint n_sessions;

  CliFollower *follower; /* of a file that is followed */
  CliFindDestination find;
  GError *failure; /* of following */

  gboolean skip_same;
  BoxFile *there;    /* what has the name and may have the same bytes; NULL: not compared */
  BoxDigest *digest; /* of the local file, up to hashed */
  guint64 hashed;
  gboolean is_same;
} FileJob;

static void
clear_file (CliJob *base)
{
  FileJob *job = (FileJob *) base;

  g_clear_pointer (&job->base.delivery, box_delivery_free);
  g_clear_pointer (&job->follower, cli_follower_free);
  g_clear_error (&job->failure);
  if (job->fd >= 0)
    close (job->fd);
  g_clear_pointer (&job->destination, box_destination_free);
  g_clear_pointer (&job->note, box_note_free);
  g_clear_pointer (&job->there, box_file_free);
  g_clear_pointer (&job->digest, box_digest_free);
  g_free (job->modified_at);
  g_free (job->path);
}

static gboolean
open_file (FileJob *job, GError **error)
{
  struct stat *status = &job->opened;

  /* Non-blocking: opening a FIFO waits for its writer otherwise. */
  job->fd = TEMP_FAILURE_RETRY (open (job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (job->fd < 0 || fstat (job->fd, status) < 0)
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The file cannot be read: %s",
                 g_strerror (errno));
  else if (!S_ISREG (status->st_mode))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE,
                         "This is no regular file, so its size is not known; upload what comes out "
                         "of it with boxupload put - --name NAME <FILE");
  else
    return TRUE;
  return FALSE;
}

static char *
format_time (const struct timespec *time)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time->tv_sec);

  return utc != NULL ? g_date_time_format (utc, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

/* ---- one upload after another ---- */

/* Replaces the delivery, if there is one. @session: (nullable): to go on with. */
static gboolean
start_upload (FileJob *job, const BoxSession *session, GError **error)
{
  const BoxDeliveryEvents events = { .upload = cli_reporter_events,
                                     .unsettled = cli_reporter_unsettled };
  BoxUploadSettings settings = job->settings;
  BoxBlocksFile file;
  BoxDelivery *delivery;

  settings.session = session;
  if (!box_feed_keep_file (job->fd, &file, error))
    return FALSE;
  settings.file = &file;
  delivery = box_delivery_new_file (&settings, job->fd, &events, job->base.reporter, NULL, error);
  if (delivery == NULL)
    {
      file.destroy (file.user_data);
      return FALSE;
    }
  g_clear_pointer (&job->base.delivery, box_delivery_free);
  job->base.delivery = delivery;
  job->continued = session != NULL;
  job->n_sessions++;
  box_delivery_start (delivery);
  return TRUE;
}

/* The session of an earlier run; NULL: none that can be used. A receipt is a file: its URLs get the
 * token only if Box's own reply would get it. */
static const BoxSession *
find_session (FileJob *job)
{
  const BoxJournalState *state = job->receipt != NULL ? box_receipt_get_state (job->receipt) : NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  if (state == NULL || state->session == NULL || state->session_size != job->settings.size
      || (state->session->expires_at != NULL
          && g_date_time_compare (now, state->session->expires_at) > 0)
      || !box_session_check_endpoints (state->session, box_client_get_endpoint (job->cli->client),
                                       NULL))
    return NULL;
  return state->session;
}

/* What an earlier run has left. */
static void
read_receipt (FileJob *job)
{
  const BoxJournalState *state;

  if (job->destination->kind == BOX_DESTINATION_SESSION)
    return;
  job->receipt = box_receipt_open (box_client_get_endpoint (job->cli->client), job->destination,
                                   job->settings.if_exists, &job->opened);
  cli_reporter_set_receipt (job->base.reporter, job->receipt);
  if (job->receipt == NULL)
    return;
  state = box_receipt_get_state (job->receipt);
  job->settings.known_parts = state->parts;
  job->settings.commit_unsure = state->commit_begun;
  if (state->intent != NULL)
    job->settings.begun = state->intent->created;
}

static void
init_settings (FileJob *job, const BoxUploadSettings *settings)
{
  job->settings = *settings;
  job->modified_at = format_time (&job->opened.st_mtim);
  if (job->settings.attributes.content_modified_at == NULL)
    job->settings.attributes.content_modified_at = job->modified_at;
  job->settings.client = job->cli->client;
  job->settings.destination = job->destination;
  job->settings.size = job->base.size;
  if (job->destination->kind == BOX_DESTINATION_SESSION)
    job->note = box_note_load (job->destination->session_id, NULL);
  job->settings.session_target = job->note != NULL ? job->note->destination : NULL;
}

/* Sends the file, which is open. */
static gboolean
begin (FileJob *job, const BoxUploadSettings *settings, GError **error)
{
  const BoxDestination *destination = job->destination;
  const BoxSession *session;

  job->base.size = (guint64) job->opened.st_size;
  init_settings (job, settings);

  /* With another policy, or a path, the file may end up elsewhere than the note would say. */
  if (destination->kind == BOX_DESTINATION_FILE
      || (destination->kind == BOX_DESTINATION_FOLDER && settings->if_exists == BOX_IF_EXISTS_ERROR
          && destination->path == NULL))
    cli_reporter_note_sessions (job->base.reporter, destination);
  read_receipt (job);
  session = find_session (job);
  if (session != NULL)
    cli_reporter_tell_continued (job->base.reporter, session->id);
  return start_upload (job, session, error);
}

gboolean
cli_job_start_file (CliJob *base, Cli *cli, const BoxDestination *destination,
                    const BoxUploadSettings *settings, gboolean skip_same, GError **error)
{
  FileJob *job = (FileJob *) base;

  if (!open_file (job, error))
    return FALSE;
  job->cli = cli;
  job->skip_same = skip_same;
  job->destination = box_destination_copy (destination);
  return begin (job, settings, error);
}

/* ---- a file that is followed first ---- */

gboolean
cli_job_start_follow (CliJob *base, Cli *cli, const CliFollowRules *rules, CliFindDestination find,
                      const BoxUploadSettings *settings, gboolean skip_same, GError **error)
{
  FileJob *job = (FileJob *) base;

  job->cli = cli;
  job->skip_same = skip_same;
  job->find = find;
  job->destination = find (job->path, error);
  if (job->destination == NULL)
    return FALSE;
  job->settings = *settings;
  job->settings.client = cli->client;
  job->settings.destination = job->destination;
  job->follower = cli_follower_new (job->path, rules, &job->settings);
  return TRUE;
}

/* The file itself, whatever its name has become. */
static gboolean
take_followed (FileJob *job, GError **error)
{
  job->fd = fcntl (cli_follower_get_fd (job->follower), F_DUPFD_CLOEXEC, 0);
  if (job->fd >= 0 && fstat (job->fd, &job->opened) == 0)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The file cannot be read: %s",
               g_strerror (errno));
  return FALSE;
}

/* The file is finished, perhaps under another name. */
static gboolean
begin_followed (FileJob *job, GError **error)
{
  g_autofree char *path = cli_follower_dup_path (job->follower);
  BoxUploadSettings settings = job->settings;
  BoxDestination *destination = job->find (path, error);

  if (destination == NULL)
    return FALSE;
  g_free (job->path);
  job->path = g_steal_pointer (&path);
  box_destination_free (job->destination);
  job->destination = destination;
  if (!take_followed (job, error))
    return FALSE;
  settings.earlier = box_follow_get_parts (cli_follower_get_follow (job->follower));
  cli_reporter_tell_finished (job->base.reporter, (guint64) job->opened.st_size,
                              cli_follower_get_sent (job->follower));
  return begin (job, &settings, error);
}

static BoxWait
attend_follower (FileJob *job, gint64 timeout)
{
  CliFollowState state;

  if (job->cancelled)
    return BOX_WAIT_FAILED;
  if (timeout > 0)
    g_usleep ((gulong) timeout);
  state = cli_follower_look (job->follower, &job->failure);
  if (state == CLI_FOLLOW_FAILED
      || (state == CLI_FOLLOW_FINISHED && !begin_followed (job, &job->failure)))
    return BOX_WAIT_FAILED;
  return BOX_WAIT_TIMEOUT;
}

/* All jobs of a command that was told to end have the same time to clean up. */
static gint64
get_clean_up_end (const FileJob *job)
{
  return (job->cancelled ? job->cancelled_at : g_get_monotonic_time ()) + CLEAN_UP_TIMEOUT;
}

/* Says how much left early, and how much of that was in vain; and cleans up. */
static void
settle_followed (FileJob *job)
{
  BoxUploadStats stats = { 0 };
  guint64 sent = cli_follower_get_sent (job->follower);
  guint64 used = 0;
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (job->base.delivery);
  g_autoptr (BoxSession) session = upload != NULL ? box_upload_get_session (upload) : NULL;

  box_delivery_get_stats (job->base.delivery, &stats);
  if (session != NULL)
    used = MIN ((guint64) stats.parts_hit * session->part_size, sent);
  cli_reporter_tell_ahead (job->base.reporter, job->base.name, sent, sent - used);
  cli_follower_settle (job->follower, &stats, get_clean_up_end (job));
}

static void
get_stats (CliJob *base, BoxUploadStats *stats, char **notice)
{
  FileJob *job = (FileJob *) base;
  guint64 size = cli_follower_get_size (job->follower);
  guint64 sent = cli_follower_get_sent (job->follower);
  g_autofree char *grown = cli_format_bytes (size);
  g_autofree char *left = cli_format_bytes (sent);

  *stats = (BoxUploadStats){ .bytes_sent = sent, .bytes_uploaded = sent, .bytes_total = size };
  *notice = g_strdup_printf ("growing, %s, %s of it at Box", grown, left);
}

/* Whether a session of its own can do what this one cannot. */
static gboolean
is_worth_another (FileJob *job, const GError *failure)
{
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (job->base.delivery);
  g_autoptr (BoxSession) used = upload != NULL ? box_upload_get_session (upload) : NULL;
  const BoxSessionFacts facts = {
    .given = job->destination->kind == BOX_DESTINATION_SESSION,
    .opened = used != NULL,
    .continued = job->continued,
    .another = job->n_sessions > 1,
    .commit_begun = job->receipt != NULL && box_receipt_is_commit_begun (job->receipt),
    .if_exists = job->settings.if_exists,
  };

  return job->n_sessions < SESSIONS_MAX && !job->cancelled
         && box_policy_another_session_can_mend (&facts, failure);
}

/* It could stand in the way of one of the same name and size. */
static void
abort_used (FileJob *job)
{
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (job->base.delivery);
  g_autoptr (BoxSession) used = upload != NULL ? box_upload_get_session (upload) : NULL;

  if (used != NULL)
    box_client_abort (job->cli->client, job->cli->transport, used, job->cli->cancellable, NULL);
}

/* Whether another upload has begun after @failure. */
static gboolean
begin_anew (FileJob *job, const GError *failure)
{
  g_autoptr (GError) error = NULL;

  if (!is_worth_another (job, failure))
    return FALSE;
  cli_reporter_tell_restart (job->base.reporter, failure);
  abort_used (job);
  job->settings.known_parts = NULL;
  job->settings.commit_unsure = TRUE;
  return start_upload (job, NULL, &error);
}

/* ---- the same file at Box ---- */

/* Whether the file that has the name may be this one; then it is compared. */
static gboolean
begin_comparing (FileJob *job, const GError *failure)
{
  g_autoptr (BoxFile) conflict = NULL;

  if (!job->skip_same || !g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    return FALSE;
  conflict = box_file_from_conflict (failure);
  if (conflict == NULL)
    return FALSE;
  /* Credentials that may only upload do without the size. */
  job->there = box_client_get_file (job->cli->client, job->cli->transport, conflict->id,
                                    job->cli->cancellable, NULL);
  if (job->there == NULL)
    job->there = g_steal_pointer (&conflict);
  if (!job->there->has_sha1 || (job->there->has_size && job->there->size != job->base.size))
    {
      g_clear_pointer (&job->there, box_file_free);
      return FALSE;
    }
  box_client_add_link (job->cli->client, job->there);
  job->digest = box_digest_new (job->settings.digest_engine);
  return TRUE;
}

/* Reads on for a turn. FALSE: it has come to the end, and is_same is known. */
static gboolean
compare (FileJob *job)
{
  gint64 until = g_get_monotonic_time () + TURN;
  g_autofree guint8 *buffer = g_malloc (PIECE);
  BoxSha1 sha1;

  while (job->hashed < job->base.size)
    {
      gsize length = (gsize) MIN (PIECE, job->base.size - job->hashed);

      if (job->cancelled
          || !box_fileio_read (job->fd, job->path, job->hashed, buffer, length, NULL))
        return FALSE;
      box_digest_update (job->digest, buffer, length);
      job->hashed += length;
      if (g_get_monotonic_time () > until)
        return TRUE;
    }
  box_digest_finish (job->digest, &sha1);
  job->is_same = box_sha1_equal (&sha1, &job->there->sha1);
  return FALSE;
}

static BoxWait
attend_file (CliJob *base, gint64 timeout)
{
  FileJob *job = (FileJob *) base;
  g_autoptr (GError) failure = NULL;
  BoxWait wait;

  if (base->delivery == NULL)
    return attend_follower (job, timeout);
  wait = box_delivery_wait (base->delivery, job->there != NULL ? 0 : timeout);
  if (wait != BOX_WAIT_FAILED)
    return wait;
  if (job->there != NULL)
    return compare (job) ? BOX_WAIT_TIMEOUT : BOX_WAIT_READY;
  failure = box_delivery_dup_error (base->delivery);
  return begin_comparing (job, failure) || begin_anew (job, failure) ? BOX_WAIT_TIMEOUT
                                                                     : BOX_WAIT_FAILED;
}

/* ---- the end ---- */

static void
cancel_file (CliJob *base)
{
  FileJob *job = (FileJob *) base;
  g_autoptr (BoxUpload) upload = NULL;

  job->cancelled = TRUE;
  if (job->cancelled_at == 0)
    job->cancelled_at = g_get_monotonic_time ();
  if (base->delivery == NULL)
    return;
  upload = box_delivery_dup_upload (base->delivery);
  box_upload_cancel (upload);
  box_delivery_stop_settling (job->base.delivery);
}

/* Box has the file as it was when it was read. Its writer has to know that this is not the last
 * version. */
static gboolean
check_unchanged (const FileJob *job, const BoxFile *file, GError **error)
{
  g_autofree char *text = NULL;
  struct stat now;

  if (fstat (job->fd, &now) == 0 && !box_feed_has_changed (&job->opened, &now))
    return TRUE;
  text = cli_format_file (file);
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "The file changed while it was uploaded: is it still being written? Box has what it "
               "was before, as %s; upload it again when it is finished",
               text);
  return FALSE;
}

/* Whether the session that failed is of no use to the next run. */
static gboolean
is_useless (const FileJob *job, const GError *failure)
{
  return g_error_matches (failure, BOX_ERROR, BOX_ERROR_INTEGRITY)
         || (failure != NULL && job->settings.on_error == BOX_ON_ERROR_ABORT);
}

/* The file at Box; NULL with @error. */
static BoxFile *
take_file (FileJob *job, GError **error)
{
  BoxRecovered how;
  g_autoptr (BoxFile) file = box_delivery_dup_file (job->base.delivery, &how);
  GError *failure = box_delivery_dup_error (job->base.delivery);
  g_autofree char *session_id = cli_reporter_dup_session_id (job->base.reporter);
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (job->base.delivery);

  if (upload != NULL)
    box_upload_wait_settled (upload, CLEAN_UP_TIMEOUT);
  /* At the latest when the read that it is in returns. */
  g_clear_pointer (&job->base.delivery, box_delivery_free);

  if (job->cancelled
      && (job->there != NULL || g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED)))
    g_clear_error (&failure);
  if (job->receipt != NULL && (file != NULL || is_useless (job, failure)))
    box_receipt_remove (job->receipt);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return NULL;
    }
  if (file == NULL)
    {
      g_set_error_literal (error, BOX_ERROR,
                           job->cancelled ? BOX_ERROR_CANCELLED : BOX_ERROR_PROTOCOL,
                           job->cancelled ? "Interrupted" : "The upload ended without a file");
      return NULL;
    }
  if (session_id != NULL)
    box_note_remove (session_id);
  return check_unchanged (job, file, error) ? g_steal_pointer (&file) : NULL;
}

static gboolean
finish_file (CliJob *base, GError **error)
{
  FileJob *job = (FileJob *) base;
  g_autoptr (BoxFile) file = NULL;

  if (base->delivery == NULL)
    {
      if (job->follower != NULL)
        cli_follower_settle (job->follower, NULL, get_clean_up_end (job));
      if (job->failure == NULL)
        job->failure = g_error_new_literal (BOX_ERROR, BOX_ERROR_CANCELLED,
                                            "Interrupted before the file was finished");
      g_propagate_error (error, g_steal_pointer (&job->failure));
      return FALSE;
    }
  if (job->follower != NULL)
    settle_followed (job);
  if (job->is_same)
    {
      if (job->receipt != NULL)
        box_receipt_remove (job->receipt);
      cli_reporter_tell_skipped (base->reporter, base->name, job->there);
      return TRUE;
    }
  file = take_file (job, error);
  if (file == NULL)
    return FALSE;
  cli_reporter_tell_file (base->reporter, base->name, file, NULL);
  return TRUE;
}

static const CliJobKind file_kind = {
  .attend = attend_file,
  .cancel = cancel_file,
  .finish = finish_file,
  .get_stats = get_stats,
  .clear = clear_file,
};

CliJob *
cli_job_new_file (const char *path, CliTell tell)
{
  FileJob *job = g_new0 (FileJob, 1);

  job->base.kind = &file_kind;
  job->base.reporter = cli_reporter_new (path, tell);
  job->base.name = g_strdup (cli_reporter_get_name (job->base.reporter));
  job->path = g_strdup (path);
  job->fd = -1;
  return &job->base;
}

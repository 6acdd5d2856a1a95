/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/job.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/output.h"
#include "spool/note.h"
#include "upload/feed.h"

/* Time limit of an abort. After it the session is left to expire at Box. Microseconds. */
#define CLEAN_UP_TIMEOUT (10 * G_USEC_PER_SEC)

typedef struct
{
  CliJob base;
  char *path;
  int fd;             /* the delivery's too, while it runs */
  struct stat opened; /* the file as it was then */
  gboolean cancelled;
} FileJob;

static void
clear_file (CliJob *base)
{
  FileJob *job = (FileJob *) base;

  g_clear_pointer (&job->base.delivery, box_delivery_free);
  if (job->fd >= 0)
    close (job->fd);
  g_free (job->path);
}

static gboolean
open_file (FileJob *job, GError **error)
{
  struct stat *status = &job->opened;

  /* Non-blocking: opening a FIFO waits for its writer otherwise. */
  job->fd = open (job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (job->fd < 0 || fstat (job->fd, status) < 0)
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The file cannot be read: %s",
                 g_strerror (errno));
  else if (S_ISDIR (status->st_mode))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE,
                         "This is a directory; name the files in it");
  else if (!S_ISREG (status->st_mode))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE,
                         "This is no regular file, so its size is not known; record it with "
                         "boxuploadsink");
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

gboolean
cli_job_start_file (CliJob *base, BoxClient *client, const BoxDestination *destination,
                    const BoxUploadSettings *settings, GError **error)
{
  const BoxDeliveryEvents events = { .upload = cli_reporter_events };
  FileJob *job = (FileJob *) base;
  BoxUploadSettings own = *settings;
  BoxBlocksFile file;
  g_autofree char *modified_at = NULL;
  g_autoptr (BoxNote) note = NULL;

  if (!open_file (job, error))
    return FALSE;
  job->base.size = (guint64) job->opened.st_size;
  modified_at = format_time (&job->opened.st_mtim);
  if (own.attributes.content_modified_at == NULL)
    own.attributes.content_modified_at = modified_at;
  own.client = client;
  own.destination = destination;
  own.size = job->base.size;
  if (destination->kind == BOX_DESTINATION_SESSION)
    note = box_note_load (destination->session_id, NULL);
  own.session_target = note != NULL ? note->destination : NULL;

  /* With another policy the file may end up elsewhere than the note would say. */
  if (destination->kind == BOX_DESTINATION_FILE
      || (destination->kind == BOX_DESTINATION_FOLDER && own.if_exists == BOX_IF_EXISTS_ERROR))
    cli_reporter_note_sessions (job->base.reporter, destination);
  if (!box_feed_keep_file (job->fd, &file, error))
    return FALSE;
  own.file = &file;
  job->base.delivery =
      box_delivery_new_file (&own, job->fd, &events, cli_reporter_ref (job->base.reporter),
                             cli_reporter_upload_gone, error);
  if (job->base.delivery == NULL)
    {
      file.destroy (file.user_data);
      cli_reporter_unref (job->base.reporter);
      return FALSE;
    }
  box_delivery_start (job->base.delivery);
  return TRUE;
}

static void
cancel_file (CliJob *base)
{
  FileJob *job = (FileJob *) base;
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (job->base.delivery);

  job->cancelled = TRUE;
  box_upload_cancel (upload);
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

/* The file at Box; NULL with @error. */
static BoxFile *
take_file (FileJob *job, GError **error)
{
  BoxRecovered how;
  g_autoptr (BoxFile) file = box_delivery_dup_file (job->base.delivery, &how);
  GError *failure = box_delivery_dup_error (job->base.delivery);
  g_autofree char *session_id = cli_reporter_dup_session_id (job->base.reporter);

  /* At the latest when the read that it is in returns. */
  g_clear_pointer (&job->base.delivery, box_delivery_free);
  cli_reporter_wait_gone (job->base.reporter, CLEAN_UP_TIMEOUT);

  if (job->cancelled && g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
    g_clear_error (&failure);
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
finish_file (CliJob *job, GError **error)
{
  g_autoptr (BoxFile) file = take_file ((FileJob *) job, error);

  if (file == NULL)
    return FALSE;
  cli_reporter_tell_file (job->reporter, job->name, file, NULL);
  return TRUE;
}

static const CliJobKind file_kind = {
  .cancel = cancel_file,
  .finish = finish_file,
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

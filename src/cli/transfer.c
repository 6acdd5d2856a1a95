/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/output.h"
#include "spool/note.h"
#include "upload/feed.h"

/* An abort that takes longer is left to Box, where the session expires. Microseconds. */
#define CLEAN_UP_TIMEOUT (10 * G_USEC_PER_SEC)

struct _CliTransfer
{
  char *path;
  CliReporter *teller;
  int fd; /* these two are the feeder's too while it runs */
  guint64 size;
  struct stat opened; /* the file as it was then */
  BoxUpload *upload;
  GThread *feeder;
  gboolean cancelled;
};

CliTransfer *
cli_transfer_new (const char *path, CliTell tell)
{
  CliTransfer *transfer = g_new0 (CliTransfer, 1);

  transfer->path = g_strdup (path);
  transfer->teller = cli_reporter_new (path, tell);
  transfer->fd = -1;
  return transfer;
}

void
cli_transfer_free (CliTransfer *transfer)
{
  if (transfer == NULL)
    return;
  if (transfer->upload != NULL)
    box_upload_cancel (transfer->upload);
  if (transfer->feeder != NULL)
    g_thread_join (transfer->feeder);
  g_clear_pointer (&transfer->upload, box_upload_unref);
  if (transfer->fd >= 0)
    close (transfer->fd);
  cli_reporter_unref (transfer->teller);
  g_free (transfer->path);
  g_free (transfer);
}

static gboolean
open_file (CliTransfer *transfer, GError **error)
{
  struct stat *status = &transfer->opened;

  /* Non-blocking: opening a FIFO waits for its writer otherwise. */
  transfer->fd = open (transfer->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (transfer->fd < 0 || fstat (transfer->fd, status) < 0)
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

/* The upload has failed with whatever this answers. */
static gpointer
run_feeder (gpointer user_data)
{
  CliTransfer *transfer = user_data;

  box_feed_fd (transfer->upload, transfer->fd, transfer->size, NULL);
  return NULL;
}

gboolean
cli_transfer_start (CliTransfer *transfer, BoxClient *client, const BoxDestination *destination,
                    const BoxUploadSettings *settings, GError **error)
{
  BoxUploadSettings own = *settings;
  g_autofree char *modified_at = NULL;
  g_autoptr (BoxNote) note = NULL;

  if (!open_file (transfer, error))
    return FALSE;
  transfer->size = (guint64) transfer->opened.st_size;
  modified_at = format_time (&transfer->opened.st_mtim);
  if (own.attributes.content_modified_at == NULL)
    own.attributes.content_modified_at = modified_at;
  own.client = client;
  own.destination = destination;
  own.size = transfer->size;
  if (destination->kind == BOX_DESTINATION_SESSION)
    note = box_note_load (destination->session_id, NULL);
  own.session_target = note != NULL ? note->destination : NULL;

  /* With another policy the file may end up elsewhere than the note would say. */
  if (destination->kind == BOX_DESTINATION_FILE
      || (destination->kind == BOX_DESTINATION_FOLDER && own.if_exists == BOX_IF_EXISTS_ERROR))
    cli_reporter_note_sessions (transfer->teller, destination);
  transfer->upload =
      box_upload_new (&own, &cli_reporter_events, cli_reporter_ref (transfer->teller),
                      cli_reporter_upload_gone, error);
  if (transfer->upload == NULL)
    {
      cli_reporter_unref (transfer->teller);
      return FALSE;
    }
  box_upload_start (transfer->upload);
  transfer->feeder =
      box_limits_start_thread ("feed", "to read the file", run_feeder, transfer, error);
  if (transfer->feeder != NULL)
    return TRUE;
  box_upload_cancel (transfer->upload);
  g_clear_pointer (&transfer->upload, box_upload_unref);
  return FALSE;
}

gboolean
cli_transfer_poll (CliTransfer *transfer, gint64 timeout)
{
  return box_upload_wait_done (transfer->upload, timeout) != BOX_WAIT_TIMEOUT;
}

void
cli_transfer_cancel (CliTransfer *transfer)
{
  transfer->cancelled = TRUE;
  box_upload_cancel (transfer->upload);
}

/* What Box has was a whole version of the file when it was read; who still writes to it has to know
 * that it is not the last one. */
static gboolean
check_unchanged (const CliTransfer *transfer, const BoxFile *file, GError **error)
{
  g_autofree char *text = NULL;
  struct stat now;

  if (fstat (transfer->fd, &now) == 0 && !box_feed_has_changed (&transfer->opened, &now))
    return TRUE;
  text = cli_format_file (file);
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "The file changed while it was uploaded: is it still being written? Box has what it "
               "was before, as %s; upload it again when it is finished",
               text);
  return FALSE;
}

BoxFile *
cli_transfer_finish (CliTransfer *transfer, GError **error)
{
  BoxFile *file = box_upload_get_file (transfer->upload);
  GError *failure = box_upload_get_error (transfer->upload);
  g_autofree char *session_id = cli_reporter_dup_session_id (transfer->teller);

  /* It ends with the upload, at the latest when the read it is in returns. */
  g_thread_join (g_steal_pointer (&transfer->feeder));
  g_clear_pointer (&transfer->upload, box_upload_unref);
  cli_reporter_wait_gone (transfer->teller, CLEAN_UP_TIMEOUT);

  if (failure != NULL)
    {
      g_clear_pointer (&file, box_file_free);
      g_propagate_error (error, failure);
    }
  else if (file == NULL && transfer->cancelled)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Interrupted");
  else if (file == NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "The upload ended without a file");
  else
    {
      if (session_id != NULL)
        box_note_remove (session_id);
      if (!check_unchanged (transfer, file, error))
        g_clear_pointer (&file, box_file_free);
    }
  return file;
}

CliReporter *
cli_transfer_get_teller (CliTransfer *transfer)
{
  return transfer->teller;
}

void
cli_transfer_get_progress (CliTransfer *transfer, CliProgressLine *line, char **notice)
{
  cli_reporter_get_progress (transfer->teller, transfer->upload, transfer->size, line, notice);
}

void
cli_transfer_tell_progress (CliTransfer *transfer)
{
  cli_reporter_tell_progress (transfer->teller, transfer->upload);
}

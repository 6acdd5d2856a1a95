/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box-feed.h"
#include "box-note.h"
#include "cli-output.h"

struct _CliTransfer
{
  /* immutable */
  char *path;
  char *shown; /* the path, printable */
  char *label; /* its last component */
  CliTell tell;

  /* the owner's thread; fd and size are the feeder's too while it runs */
  int fd;
  guint64 size;
  BoxDestination *noted; /* where a session of ours goes; NULL: not to be noted */
  BoxUpload *upload;
  GThread *feeder;
  gboolean cancelled;

  GMutex lock;
  /* with lock */
  char *session_id;
  char *notice;
};

CliTransfer *
cli_transfer_new (const char *path, CliTell tell)
{
  CliTransfer *transfer = g_atomic_rc_box_new0 (CliTransfer);
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *base = g_filename_display_basename (path);

  transfer->path = g_strdup (path);
  transfer->shown = cli_format_text (shown);
  transfer->label = cli_format_text (base);
  transfer->tell = tell;
  transfer->fd = -1;
  g_mutex_init (&transfer->lock);
  return transfer;
}

CliTransfer *
cli_transfer_ref (CliTransfer *transfer)
{
  return g_atomic_rc_box_acquire (transfer);
}

static void
transfer_clear (gpointer data)
{
  CliTransfer *transfer = data;

  if (transfer->fd >= 0)
    close (transfer->fd);
  g_clear_pointer (&transfer->noted, box_destination_free);
  g_free (transfer->session_id);
  g_free (transfer->notice);
  g_free (transfer->label);
  g_free (transfer->shown);
  g_free (transfer->path);
  g_mutex_clear (&transfer->lock);
}

void
cli_transfer_unref (CliTransfer *transfer)
{
  g_atomic_rc_box_release_full (transfer, transfer_clear);
}

/* Takes @notice. */
static void
set_notice (CliTransfer *transfer, char *notice)
{
  g_autofree char *old = NULL;

  g_mutex_lock (&transfer->lock);
  old = transfer->notice;
  transfer->notice = notice;
  g_mutex_unlock (&transfer->lock);
}

static JsonBuilder *
new_event (CliTransfer *transfer, const char *event)
{
  g_autofree char *shown = g_filename_display_name (transfer->path);
  JsonBuilder *builder = cli_json_new ();

  cli_json_add_string (builder, "event", event);
  cli_json_add_string (builder, "path", shown);
  return builder;
}

/* A note that cannot be written costs only comfort. */
static void
note_session (CliTransfer *transfer, const BoxSession *session, guint64 size)
{
  g_autoptr (GError) error = NULL;

  if (transfer->noted != NULL && !box_note_save (session, size, transfer->noted, &error)
      && transfer->tell == CLI_TELL_TEXT)
    cli_complain ("%s: %s", transfer->shown, error->message);
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  CliTransfer *transfer = user_data;
  g_autofree char *old = NULL;

  note_session (transfer, session, size);
  g_mutex_lock (&transfer->lock);
  old = transfer->session_id;
  transfer->session_id = g_strdup (session->id);
  g_mutex_unlock (&transfer->lock);
  if (transfer->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (transfer, "session");

      cli_json_add_session (builder, session);
      cli_json_add_uint (builder, "size", size);
      cli_json_print (builder);
    }
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  CliTransfer *transfer = user_data;

  set_notice (transfer, NULL);
  if (transfer->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (transfer, "part");

      cli_json_add_part (builder, part);
      cli_json_add_uint (builder, "attempts", attempts);
      cli_json_add_bool (builder, "adopted", adopted);
      cli_json_print (builder);
    }
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  CliTransfer *transfer = user_data;
  double seconds = (double) delay / G_USEC_PER_SEC;

  set_notice (transfer, g_strdup_printf ("retrying: %s", reason->message));
  if (transfer->tell == CLI_TELL_TEXT)
    cli_complain ("%s: %s; trying again in %.1f s", transfer->shown, reason->message, seconds);
  if (transfer->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (transfer, "retry");

      cli_json_add_string (builder, "request", request);
      if (offset != G_MAXUINT64)
        cli_json_add_uint (builder, "offset", offset);
      cli_json_add_uint (builder, "attempt", attempt);
      cli_json_add_uint (builder, "delay_ms", (guint64) MAX (delay, 0) / 1000);
      cli_json_add_string (builder, "reason", reason->message);
      cli_json_print (builder);
    }
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  CliTransfer *transfer = user_data;

  set_notice (transfer, reason != NULL ? g_strdup ("waiting for the network") : NULL);
  if (transfer->tell == CLI_TELL_TEXT)
    cli_complain ("%s: %s", transfer->shown,
                  reason != NULL ? "the network is gone; waiting for it" : "the network is back");
  if (transfer->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (transfer, "outage");

      cli_json_add_bool (builder, "over", reason == NULL);
      cli_json_add_string (builder, "reason", reason != NULL ? reason->message : NULL);
      cli_json_print (builder);
    }
}

static void
on_committing (gpointer user_data)
{
  CliTransfer *transfer = user_data;

  set_notice (transfer, g_strdup ("committing"));
  if (transfer->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (transfer, "commit");

      cli_json_print (builder);
    }
}

static gboolean
open_file (CliTransfer *transfer, struct stat *status, GError **error)
{
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
  static const BoxUploadEvents events = {
    .session_opened = on_session_opened,
    .part_done = on_part_done,
    .retrying = on_retrying,
    .outage = on_outage,
    .committing = on_committing,
  };
  BoxUploadSettings own = *settings;
  g_autofree char *modified_at = NULL;
  g_autoptr (BoxNote) note = NULL;
  struct stat status;

  if (!open_file (transfer, &status, error))
    return FALSE;
  transfer->size = (guint64) status.st_size;
  modified_at = format_time (&status.st_mtim);
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
    transfer->noted = box_destination_copy (destination);
  transfer->upload = box_upload_new (&own, &events, cli_transfer_ref (transfer),
                                     (GDestroyNotify) cli_transfer_unref, error);
  if (transfer->upload == NULL)
    return FALSE;
  box_upload_start (transfer->upload);
  transfer->feeder = g_thread_new ("feed", run_feeder, transfer);
  return TRUE;
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

BoxFile *
cli_transfer_finish (CliTransfer *transfer, GError **error)
{
  BoxFile *file = box_upload_get_file (transfer->upload);
  GError *failure = box_upload_get_error (transfer->upload);
  g_autofree char *session_id = cli_transfer_dup_session_id (transfer);

  /* It ends with the upload, at the latest when the read it is in returns. */
  g_thread_join (g_steal_pointer (&transfer->feeder));
  g_clear_pointer (&transfer->upload, box_upload_unref);

  if (failure != NULL)
    {
      g_clear_pointer (&file, box_file_free);
      g_propagate_error (error, failure);
    }
  else if (file == NULL && transfer->cancelled)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Interrupted");
  else if (file == NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "The upload ended without a file");
  else if (session_id != NULL)
    box_note_remove (session_id);
  return file;
}

const char *
cli_transfer_get_name (CliTransfer *transfer)
{
  return transfer->shown;
}

char *
cli_transfer_dup_session_id (CliTransfer *transfer)
{
  char *session_id;

  g_mutex_lock (&transfer->lock);
  session_id = g_strdup (transfer->session_id);
  g_mutex_unlock (&transfer->lock);
  return session_id;
}

/* Bytes to show: what left smoothly, but never less than what Box has, nor all of it before the
 * end. */
static guint64
get_done (const BoxUploadStats *stats, guint64 size)
{
  guint64 sent = stats->retries == 0 ? MIN (stats->bytes_sent, size) : 0;

  return MAX (stats->bytes_uploaded, sent);
}

void
cli_transfer_get_progress (CliTransfer *transfer, CliProgressLine *line, char **notice)
{
  BoxUploadStats stats;

  box_upload_get_stats (transfer->upload, &stats);
  g_mutex_lock (&transfer->lock);
  *notice = transfer->notice != NULL ? cli_format_text (transfer->notice) : NULL;
  g_mutex_unlock (&transfer->lock);
  *line = (CliProgressLine){
    .label = transfer->label,
    .done = get_done (&stats, transfer->size),
    .total = transfer->size,
    .rate = stats.rate,
    .notice = *notice,
  };
}

void
cli_transfer_tell_progress (CliTransfer *transfer)
{
  g_autoptr (JsonBuilder) builder = new_event (transfer, "progress");
  BoxUploadStats stats;

  box_upload_get_stats (transfer->upload, &stats);
  cli_json_add_uint (builder, "bytes_uploaded", stats.bytes_uploaded);
  cli_json_add_uint (builder, "bytes_sent", stats.bytes_sent);
  cli_json_add_uint (builder, "bytes_total", transfer->size);
  cli_json_add_uint (builder, "parts_uploaded", stats.parts_uploaded);
  cli_json_add_uint (builder, "parts_total", stats.parts_total);
  cli_json_add_uint (builder, "parts_in_flight", stats.parts_in_flight);
  cli_json_add_uint (builder, "retries", stats.retries);
  cli_json_add_uint (builder, "rate", stats.rate);
  cli_json_print (builder);
}

void
cli_transfer_tell_end (CliTransfer *transfer, const BoxFile *file, const GError *error)
{
  g_autoptr (JsonBuilder) builder = new_event (transfer, file != NULL ? "complete" : "failed");
  g_autofree char *session_id = cli_transfer_dup_session_id (transfer);

  if (session_id != NULL)
    cli_json_add_string (builder, "session_id", session_id);
  if (file != NULL)
    cli_json_add_file (builder, file);
  else
    cli_json_add_error (builder, error);
  cli_json_print (builder);
}

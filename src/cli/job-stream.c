/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard input, of known or unknown length, on its way to Box. */
#include "cli/job.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "api/account.h"
#include "cli/output.h"

/* Bytes that are read at a time: more than a pipe holds. */
#define PIECE ((gsize) 1 << 20)

/* The longest turn of one job, so that bars move and other jobs are served. Microseconds. */
#define TURN (G_USEC_PER_SEC / 10)

/* A look whether there is room in memory again: short against the time of a part. Microseconds. */
#define ROOM_INTERVAL (G_USEC_PER_SEC / 50)

/* After SIGINT, which the program that writes our input has got as well: the time that it has to
 * finish its file. Microseconds. */
#define DRAIN_TIME (10 * G_USEC_PER_SEC)

typedef struct
{
  CliJob base;
  CliSignal *signals; /* borrowed */
  int fd;             /* borrowed */
  char *recording;    /* path; NULL: in memory */
  guint8 *buffer;     /* PIECE */
  gsize filled;       /* bytes in it, */
  gsize taken;        /* of which the delivery has taken these */
  guint64 position;   /* in the file, of the first that it has not */
  gboolean reading;
  gint64 drain_until; /* monotonic; 0: no SIGINT */
  gboolean kept;      /* it failed, and the recording holds bytes */
} StreamJob;

static void
clear_stream (CliJob *base)
{
  StreamJob *job = (StreamJob *) base;

  g_clear_pointer (&job->base.delivery, box_delivery_free);
  g_free (job->recording);
  g_free (job->buffer);
}

/* ---- reading ---- */

static gboolean
has_input (const StreamJob *job, gint64 timeout)
{
  struct pollfd fd = { .fd = job->fd, .events = POLLIN };

  return job->taken < job->filled || poll (&fd, 1, (int) (timeout / 1000)) > 0;
}

static void
end_input (StreamJob *job)
{
  job->reading = FALSE;
  job->base.size = job->position;
  box_delivery_finish (job->base.delivery, "eos", BOX_PADDING_NONE, 0, NULL);
}

static void
fail (StreamJob *job, BoxErrorCode code, const char *message)
{
  job->reading = FALSE;
  box_delivery_fail (job->base.delivery, g_error_new_literal (BOX_ERROR, code, message));
}

/* Fills the buffer, which is empty. */
static void
read_piece (StreamJob *job)
{
  gssize n = read (job->fd, job->buffer, PIECE);

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (n < 0)
    {
      g_autofree char *message =
          g_strdup_printf ("%s cannot be read: %s", CLI_INPUT_NAME, g_strerror (errno));

      fail (job, BOX_ERROR_STORAGE, message);
      return;
    }
  job->filled = (gsize) n;
  job->taken = 0;
  if (n == 0)
    end_input (job);
}

static void
write_piece (StreamJob *job)
{
  gsize n = box_delivery_write (job->base.delivery, job->position, job->buffer + job->taken,
                                job->filled - job->taken);

  job->taken += n;
  job->position += n;
  if (job->taken < job->filled)
    box_delivery_wait (job->base.delivery, ROOM_INTERVAL);
}

static BoxWait
attend_stream (CliJob *base, gint64 timeout)
{
  StreamJob *job = (StreamJob *) base;
  gint64 until = g_get_monotonic_time () + TURN;

  while (job->reading && g_get_monotonic_time () < until && has_input (job, timeout))
    {
      timeout = 0;
      if (job->taken == job->filled)
        read_piece (job);
      if (job->taken < job->filled)
        write_piece (job);
      if (box_delivery_wait (base->delivery, 0) != BOX_WAIT_TIMEOUT)
        job->reading = FALSE;
    }
  if (job->reading && job->drain_until > 0 && g_get_monotonic_time () > job->drain_until)
    fail (job, BOX_ERROR_CANCELLED, "Interrupted; standard input did not end");
  return box_delivery_wait (base->delivery, job->reading ? 0 : timeout);
}

/* ---- life ---- */

gboolean
cli_job_start_stream (CliJob *base, Cli *cli, BoxSpool *spool, CliUnknownSize how,
                      const BoxDestination *destination, const BoxUploadSettings *settings,
                      GError **error)
{
  const BoxDeliveryEvents events = { .upload = cli_reporter_events,
                                     .goes_on = cli_reporter_goes_on,
                                     .room = cli_reporter_room,
                                     .displaced = cli_reporter_displaced,
                                     .kept = cli_reporter_kept,
                                     .unsettled = cli_reporter_unsettled };
  StreamJob *job = (StreamJob *) base;
  g_autofree char *account_file = box_account_default_path ();
  BoxDeliverySettings own = {
    .upload = *settings,
    .sizing = settings->size > 0 ? BOX_SIZING_EXACT : BOX_SIZING_SPOOL,
    .padding = BOX_PADDING_NONE,
    .stop_if_refused = TRUE,
    .live = settings->size == 0 && how == CLI_UNKNOWN_SIZE_LIVE,
    .ahead = settings->size == 0 && how == CLI_UNKNOWN_SIZE_AHEAD,
  };

  job->signals = cli->signals;
  own.account_file = account_file;
  own.upload.client = cli->client;
  own.upload.destination = destination;
  base->delivery = box_delivery_new_stream (&own, spool, &events, base->reporter, NULL, error);
  if (base->delivery == NULL)
    return FALSE;
  base->size = settings->size;
  job->recording = g_strdup (box_delivery_get_path (base->delivery));
  job->buffer = g_malloc (PIECE);
  job->reading = TRUE;
  box_delivery_start (base->delivery);
  return TRUE;
}

/* In a pipeline of a shell, Ctrl-C is for the program in front, too: it ends its file, and that end
 * belongs to the recording. */
static void
cancel_stream (CliJob *base)
{
  StreamJob *job = (StreamJob *) base;

  if (job->drain_until > 0)
    return;
  if (job->reading && cli_signal_get_number (job->signals) == SIGINT)
    {
      job->drain_until = g_get_monotonic_time () + DRAIN_TIME;
      cli_complain ("%s: interrupted; what is left of the input is read and uploaded. Another "
                    "interrupt ends the program at once",
                    base->name);
    }
  else if (box_delivery_wait (base->delivery, 0) == BOX_WAIT_TIMEOUT)
    fail (job, BOX_ERROR_CANCELLED, "Interrupted");
}

static gboolean
finish_stream (CliJob *base, GError **error)
{
  StreamJob *job = (StreamJob *) base;
  BoxRecovered how;
  g_autoptr (BoxFile) file = box_delivery_dup_file (base->delivery, &how);
  g_autoptr (GError) failure = NULL;

  if (box_delivery_get_phase (base->delivery) == BOX_DELIVERY_FAILED)
    failure = box_delivery_dup_error (base->delivery);
  g_clear_pointer (&base->delivery, box_delivery_free);
  if (failure == NULL && file == NULL)
    failure = g_error_new (BOX_ERROR, BOX_ERROR_SIZE, "%s ended without a byte; no file was made",
                           CLI_INPUT_NAME);
  if (failure != NULL)
    {
      job->kept = job->recording != NULL && job->position > 0;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  cli_reporter_tell_file (base->reporter, base->name, file, NULL);
  return TRUE;
}

const char *
cli_job_get_kept (CliJob *base)
{
  StreamJob *job = (StreamJob *) base;

  return job->kept ? job->recording : NULL;
}

static const CliJobKind stream_kind = {
  .attend = attend_stream,
  .cancel = cancel_stream,
  .finish = finish_stream,
  .clear = clear_stream,
};

CliJob *
cli_job_new_stream (int fd, const char *name, CliTell tell)
{
  StreamJob *job = g_new0 (StreamJob, 1);

  job->base.kind = &stream_kind;
  job->base.reporter = cli_reporter_new (name, tell);
  job->base.name = g_strdup (cli_reporter_get_name (job->base.reporter));
  job->fd = fd;
  return &job->base;
}

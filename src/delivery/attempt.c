/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/attempt.h"

/* What the upload's workers use. They may be at it when the delivery is freed: that is waited for,
 * and whoever comes later finds the line closed, so that the recording, and its lock, can be handed
 * on at once. */
typedef struct
{
  gatomicrefcount refs;

  /* immutable */
  BoxRecording *recording; /* until closed */
  BoxUploadEvents events;  /* the caller's */
  gpointer user_data;

  GMutex lock;
  GCond idle; /* n_uses is 0 */
  /* with lock */
  gboolean closed;
  guint n_uses; /* events and reads that have not returned */
} Line;

struct _BoxAttempt
{
  BoxUpload *upload;
  Line *line;
};

static void
line_unref (gpointer data)
{
  Line *line = data;

  if (!g_atomic_ref_count_dec (&line->refs))
    return;
  g_mutex_clear (&line->lock);
  g_cond_clear (&line->idle);
  g_free (line);
}

/* Whether the line is open; then use_ends() has to follow. */
static gboolean
use_begins (Line *line)
{
  gboolean open;

  g_mutex_lock (&line->lock);
  open = !line->closed;
  line->n_uses += open ? 1 : 0;
  g_mutex_unlock (&line->lock);
  return open;
}

static void
use_ends (Line *line)
{
  g_mutex_lock (&line->lock);
  if (--line->n_uses == 0)
    g_cond_broadcast (&line->idle);
  g_mutex_unlock (&line->lock);
}

static void
close_line (Line *line)
{
  g_mutex_lock (&line->lock);
  line->closed = TRUE;
  while (line->n_uses > 0)
    g_cond_wait (&line->idle, &line->lock);
  g_mutex_unlock (&line->lock);
  g_clear_pointer (&line->recording, box_recording_unref);
}

static gboolean
read_recording (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  Line *line = user_data;
  gboolean ok;

  if (!use_begins (line))
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Stopped");
      return FALSE;
    }
  ok = box_recording_read (line->recording, offset, buffer, length, error);
  use_ends (line);
  return ok;
}

/* Takes @error. */
static void
note_failure (Line *line, GError *error)
{
  g_info ("The journal of %s misses a line, which is found out from Box if needed: %s",
          box_recording_get_path (line->recording), error->message);
  g_error_free (error);
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  Line *line = user_data;
  GError *error = NULL;

  if (!use_begins (line))
    return;
  if (!box_recording_set_session (line->recording, session, size, &error))
    note_failure (line, error);
  if (line->events.session_opened != NULL)
    line->events.session_opened (session, size, line->user_data);
  use_ends (line);
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  Line *line = user_data;
  GError *error = NULL;

  if (!use_begins (line))
    return;
  if (!box_recording_add_part (line->recording, part, &error))
    note_failure (line, error);
  if (line->events.part_done != NULL)
    line->events.part_done (part, attempts, adopted, line->user_data);
  use_ends (line);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  Line *line = user_data;

  if (!use_begins (line))
    return;
  if (line->events.retrying != NULL)
    line->events.retrying (request, offset, attempt, delay, reason, line->user_data);
  use_ends (line);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  Line *line = user_data;

  if (!use_begins (line))
    return;
  if (line->events.outage != NULL)
    line->events.outage (reason, line->user_data);
  use_ends (line);
}

static void
on_committing (gpointer user_data)
{
  Line *line = user_data;
  GError *error = NULL;

  if (!use_begins (line))
    return;
  if (!box_recording_set_committing (line->recording, &error))
    note_failure (line, error);
  if (line->events.committing != NULL)
    line->events.committing (line->user_data);
  use_ends (line);
}

static void
on_completed (const BoxFile *file, gpointer user_data)
{
  Line *line = user_data;
  GError *error = NULL;

  if (!use_begins (line))
    return;
  if (file != NULL && !box_recording_set_committed (line->recording, file, &error))
    note_failure (line, error);
  if (line->events.completed != NULL)
    line->events.completed (file, line->user_data);
  use_ends (line);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  Line *line = user_data;

  if (!use_begins (line))
    return;
  if (line->events.failed != NULL)
    line->events.failed (error, line->user_data);
  use_ends (line);
}

static const BoxUploadEvents line_events = {
  .session_opened = on_session_opened,
  .part_done = on_part_done,
  .retrying = on_retrying,
  .outage = on_outage,
  .committing = on_committing,
  .completed = on_completed,
  .failed = on_failed,
};

static Line *
line_new (BoxRecording *recording, const BoxUploadEvents *events, gpointer user_data)
{
  Line *line = g_new0 (Line, 1);

  g_atomic_ref_count_init (&line->refs);
  g_mutex_init (&line->lock);
  g_cond_init (&line->idle);
  line->recording = box_recording_ref (recording);
  line->events = *events;
  line->user_data = user_data;
  return line;
}

BoxAttempt *
box_attempt_new (BoxRecording *recording, const BoxUploadSettings *settings,
                 const BoxUploadEvents *events, gpointer user_data, GError **error)
{
  Line *line = line_new (recording, events, user_data);
  BoxBlocksFile file = { .read = read_recording, .user_data = line };
  BoxUploadSettings with_file = *settings;
  BoxAttempt *delivery;
  BoxUpload *upload;

  with_file.file = &file;
  with_file.file_grows = TRUE;
  upload = box_upload_new (&with_file, &line_events, line, line_unref, error);
  if (upload == NULL)
    {
      close_line (line);
      line_unref (line);
      return NULL;
    }
  g_atomic_ref_count_inc (&line->refs);
  delivery = g_new0 (BoxAttempt, 1);
  delivery->upload = upload;
  delivery->line = line;
  return delivery;
}

BoxUpload *
box_attempt_get_upload (BoxAttempt *delivery)
{
  return delivery->upload;
}

void
box_attempt_free (BoxAttempt *delivery)
{
  if (delivery == NULL)
    return;
  box_upload_cancel (delivery->upload);
  close_line (delivery->line);
  box_upload_unref (delivery->upload);
  line_unref (delivery->line);
  g_free (delivery);
}

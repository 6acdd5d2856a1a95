/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reporter.h"

GST_DEBUG_CATEGORY_EXTERN (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

/* An answer of Box that comes later than this (microseconds) finds a recording that has begun, and
 * does not end it. Longer than an answer takes on a slow line, short enough that little is recorded
 * in vain. */
#define BEGINNING (30 * G_USEC_PER_SEC)

typedef enum
{
  END_OPEN,    /* none yet */
  END_TELLING, /* one thread is posting it */
  END_TOLD,
} End;

/* Progress that was begun must be ended: gst-launch-1.0 waits for it. */
typedef enum
{
  PROGRESS_SESSION = 1 << 0,
  PROGRESS_COMMIT = 1 << 1,
} Progress;

struct _SinkReporter
{
  gatomicrefcount ref_count;
  GWeakRef element;  /* thread-safe */
  char *destination; /* immutable */
  gboolean fatal;    /* immutable */
  GMutex lock;
  GCond told; /* end is END_TOLD, n_beginning is 0, or interrupted */

  /* with lock */
  End end;
  gboolean interrupted;
  Progress progress; /* begun and not ended */
  guint n_beginning; /* of these, whose beginning is being posted */
  gboolean failed;   /* that is the end */
  char *session_id;
  char *spool;           /* nullable */
  BoxTerms terms;        /* of the recording, where there is a spool */
  gint64 begun;          /* the recording; monotonic, microseconds */
  gboolean opened;       /* Box has opened a session */
  guint64 failed_offset; /* of the part that was retried last and is not done; G_MAXUINT64: none */
  guint adopted;
};

SinkReporter *
sink_reporter_new (GstElement *element, const char *destination, gboolean fatal)
{
  SinkReporter *self = g_new0 (SinkReporter, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_weak_ref_init (&self->element, element);
  self->destination = g_strdup (destination);
  self->fatal = fatal;
  g_mutex_init (&self->lock);
  g_cond_init (&self->told);
  self->failed_offset = G_MAXUINT64;
  return self;
}

SinkReporter *
sink_reporter_ref (SinkReporter *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
sink_reporter_unref (gpointer data)
{
  SinkReporter *self = data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_weak_ref_clear (&self->element);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->told);
  g_free (self->destination);
  g_free (self->session_id);
  g_free (self->spool);
  g_free (self);
}

void
sink_reporter_set_spool (SinkReporter *self, const char *path, const BoxTerms *terms)
{
  g_mutex_lock (&self->lock);
  g_free (self->spool);
  self->spool = g_strdup (path);
  self->terms = *terms;
  self->begun = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);
}

gboolean
sink_reporter_has_failed (SinkReporter *self)
{
  gboolean failed;

  g_mutex_lock (&self->lock);
  while (self->fatal && self->failed && self->end == END_TELLING && !self->interrupted)
    g_cond_wait (&self->told, &self->lock);
  failed = self->failed && self->end == END_TOLD;
  g_mutex_unlock (&self->lock);
  return failed;
}

/* The element while something is left to be told to it, else NULL. Unref. */
static GstElement *
dup_listener (SinkReporter *self)
{
  gboolean open;

  g_mutex_lock (&self->lock);
  open = self->end == END_OPEN;
  g_mutex_unlock (&self->lock);
  return open ? g_weak_ref_get (&self->element) : NULL;
}

/* Posts that @progress has begun, unless it has or the end came before; an end that comes meanwhile
 * waits for that. */
static void
begin_progress (SinkReporter *self, Progress progress, const char *code, const char *text)
{
  g_autoptr (GstElement) element = NULL;
  gboolean begins;

  g_mutex_lock (&self->lock);
  begins = self->end == END_OPEN && (self->progress & progress) == 0;
  if (begins)
    self->progress |= progress;
  self->n_beginning += begins ? 1 : 0;
  g_mutex_unlock (&self->lock);
  if (!begins)
    return;

  element = g_weak_ref_get (&self->element);
  if (element != NULL)
    sink_post_progress (element, GST_PROGRESS_TYPE_START, code, text);
  g_mutex_lock (&self->lock);
  self->n_beginning--;
  g_cond_broadcast (&self->told);
  g_mutex_unlock (&self->lock);
}

static gboolean
end_progress (SinkReporter *self, Progress progress)
{
  gboolean ended;

  g_mutex_lock (&self->lock);
  ended = (self->progress & progress) != 0;
  self->progress &= ~progress;
  g_mutex_unlock (&self->lock);
  return ended;
}

/* Ends whatever progress is open in the same way. */
static void
end_all_progress (SinkReporter *self, GstElement *element, GstProgressType type, const char *text)
{
  if (end_progress (self, PROGRESS_SESSION))
    sink_post_progress (element, type, "session", text);
  if (end_progress (self, PROGRESS_COMMIT))
    sink_post_progress (element, type, "commit", text);
}

void
sink_reporter_begin_session (SinkReporter *self, const char *session_id)
{
  g_mutex_lock (&self->lock);
  g_free (self->session_id);
  self->session_id = g_strdup (session_id);
  g_mutex_unlock (&self->lock);
  begin_progress (self, PROGRESS_SESSION, "session", "Opening the upload session");
}

void
sink_reporter_begin_commit (SinkReporter *self)
{
  begin_progress (self, PROGRESS_COMMIT, "commit", "Uploading the rest");
}

void
sink_reporter_commit_goes_on (SinkReporter *self, const BoxUploadStats *stats)
{
  g_autoptr (GstElement) element = dup_listener (self);

  if (element != NULL)
    sink_post_commit_progress (element, stats);
}

/* Whether the caller is the one to tell the end; otherwise it waits until the other has told it. */
static gboolean
claim_end (SinkReporter *self)
{
  gboolean ours;

  g_mutex_lock (&self->lock);
  ours = self->end == END_OPEN;
  if (ours)
    self->end = END_TELLING;
  while (ours && self->n_beginning > 0 && !self->interrupted)
    g_cond_wait (&self->told, &self->lock);
  while (!ours && self->end == END_TELLING && !self->interrupted)
    g_cond_wait (&self->told, &self->lock);
  g_mutex_unlock (&self->lock);
  return ours;
}

static void
end_is_told (SinkReporter *self)
{
  g_mutex_lock (&self->lock);
  self->end = END_TOLD;
  g_cond_broadcast (&self->told);
  g_mutex_unlock (&self->lock);
}

void
sink_reporter_completed (SinkReporter *self, const BoxFile *file)
{
  g_autoptr (GstElement) element = NULL;

  if (!claim_end (self))
    return;
  element = g_weak_ref_get (&self->element);
  if (element != NULL)
    {
      if (file != NULL)
        sink_post_complete (element, file);
      end_all_progress (self, element, GST_PROGRESS_TYPE_COMPLETE,
                        file != NULL ? "The file is committed"
                                     : "All parts are uploaded, not committed");
    }
  end_is_told (self);
}

void
sink_reporter_ended (SinkReporter *self, const char *text)
{
  g_autoptr (GstElement) element = NULL;

  if (!claim_end (self))
    return;
  element = g_weak_ref_get (&self->element);
  if (element != NULL)
    end_all_progress (self, element, GST_PROGRESS_TYPE_COMPLETE, text);
  end_is_told (self);
}

void
sink_reporter_failed (SinkReporter *self, GstResourceError code, const GError *error)
{
  g_autoptr (GstElement) element = NULL;
  g_autofree char *session_id = NULL, *spool = NULL;
  SinkContext context = {
    .destination = self->destination,
    .is_warning = !self->fatal,
  };

  if (!claim_end (self))
    return;

  g_mutex_lock (&self->lock);
  context.session_id = session_id = g_strdup (self->session_id);
  context.spool = spool = g_strdup (self->spool);
  context.offset = self->failed_offset;
  self->failed = TRUE;
  g_mutex_unlock (&self->lock);

  element = g_weak_ref_get (&self->element);
  if (element != NULL)
    {
      end_all_progress (self, element, GST_PROGRESS_TYPE_ERROR, error->message);
      sink_post_error (element, code, error, &context);
    }
  end_is_told (self);
}

/* What a failed upload means. */
typedef enum
{
  WEIGHT_END,     /* nothing is left that could be uploaded, or it would be in vain */
  WEIGHT_WARNING, /* the recording goes on without it */
  WEIGHT_NONE,    /* the same, and nobody here has to know */
} Weight;

static Weight
weigh_locked (const SinkReporter *self, const GError *error)
{
  if (self->spool == NULL)
    return WEIGHT_END;
  if (box_policy_is_for_others (&self->terms, error) || (self->progress & PROGRESS_COMMIT) != 0)
    return WEIGHT_NONE;
  if (self->fatal && !self->opened && g_get_monotonic_time () < self->begun + BEGINNING
      && box_policy_refuses_settings (&self->terms, error))
    return WEIGHT_END;
  return WEIGHT_WARNING;
}

void
sink_reporter_upload_failed (SinkReporter *self, const GError *error)
{
  g_autoptr (GstElement) element = dup_listener (self);
  g_autofree char *session_id = NULL, *spool = NULL;
  SinkContext context = { .destination = self->destination };
  Weight weight;

  g_mutex_lock (&self->lock);
  weight = weigh_locked (self, error);
  context.session_id = session_id = g_strdup (self->session_id);
  context.spool = spool = g_strdup (self->spool);
  context.offset = self->failed_offset;
  context.is_for_others = self->terms.left_to_others;
  g_mutex_unlock (&self->lock);

  if (weight == WEIGHT_END)
    {
      sink_reporter_failed (self, sink_resource_error (error), error);
      return;
    }
  GST_INFO ("the upload beside the recording ended: %s", error->message);
  if (weight == WEIGHT_WARNING && element != NULL)
    sink_post_goes_on (element, error, &context);
}

void
sink_reporter_interrupt (SinkReporter *self, gboolean interrupted)
{
  g_mutex_lock (&self->lock);
  self->interrupted = interrupted;
  g_cond_broadcast (&self->told);
  g_mutex_unlock (&self->lock);
}

gboolean
sink_reporter_close (SinkReporter *self)
{
  g_autoptr (GstElement) element = NULL;
  gboolean ours, failed;

  g_mutex_lock (&self->lock);
  ours = self->end == END_OPEN;
  self->end = ours ? END_TOLD : self->end;
  failed = self->failed;
  g_mutex_unlock (&self->lock);

  if (ours && (element = g_weak_ref_get (&self->element)) != NULL)
    end_all_progress (self, element, GST_PROGRESS_TYPE_CANCELED, "Stopped before the end");
  return failed;
}

guint
sink_reporter_get_adopted (SinkReporter *self)
{
  guint adopted;

  g_mutex_lock (&self->lock);
  adopted = self->adopted;
  g_mutex_unlock (&self->lock);
  return adopted;
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_listener (self);

  g_mutex_lock (&self->lock);
  g_free (self->session_id);
  self->session_id = g_strdup (session->id);
  self->opened = TRUE;
  g_mutex_unlock (&self->lock);

  if (element == NULL)
    return;
  GST_INFO_OBJECT (element, "session %s: %u parts of %" G_GUINT64_FORMAT " bytes", session->id,
                   session->total_parts, session->part_size);
  sink_post_session (element, session, size);
  if (end_progress (self, PROGRESS_SESSION))
    sink_post_progress (element, GST_PROGRESS_TYPE_COMPLETE, "session",
                        "The upload session is open");
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_listener (self);

  g_mutex_lock (&self->lock);
  self->adopted += adopted ? 1 : 0;
  if (self->failed_offset == part->offset)
    self->failed_offset = G_MAXUINT64;
  g_mutex_unlock (&self->lock);
  if (element != NULL)
    sink_post_part (element, part, attempts, adopted);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_listener (self);

  g_mutex_lock (&self->lock);
  self->failed_offset = offset;
  g_mutex_unlock (&self->lock);
  if (element != NULL)
    sink_post_retry (element, request, offset, attempt, delay, reason);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  g_autoptr (GstElement) element = dup_listener (user_data);

  if (element != NULL)
    sink_post_outage (element, reason);
}

static void
on_committing (gpointer user_data)
{
  g_autoptr (GstElement) element = dup_listener (user_data);

  if (element != NULL)
    GST_INFO_OBJECT (element, "all parts are there, committing");
}

static void
on_completed (const BoxFile *file, gpointer user_data)
{
  sink_reporter_completed (user_data, file);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  sink_reporter_upload_failed (user_data, error);
}

const BoxUploadEvents sink_reporter_events = {
  .session_opened = on_session_opened,
  .part_done = on_part_done,
  .retrying = on_retrying,
  .outage = on_outage,
  .committing = on_committing,
  .completed = on_completed,
  .failed = on_failed,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reporter.h"

GST_DEBUG_CATEGORY_EXTERN (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

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
  GCond changed; /* n_beginning is 0, or interrupted */

  /* with lock */
  gboolean ended; /* or being ended: nothing else is told from now on */
  gboolean interrupted;
  Progress progress; /* begun and not ended */
  guint n_beginning; /* of these, whose beginning is being posted */
  char *session_id;
  char *spool;            /* path of the recording; nullable */
  gboolean is_for_others; /* they upload it */
  guint64 failed_offset;  /* of the part that was retried last and is not done; G_MAXUINT64: none */
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
  g_cond_init (&self->changed);
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
  g_cond_clear (&self->changed);
  g_free (self->destination);
  g_free (self->session_id);
  g_free (self->spool);
  g_free (self);
}

void
sink_reporter_set_spool (SinkReporter *self, const char *path, gboolean is_for_others)
{
  g_mutex_lock (&self->lock);
  g_free (self->spool);
  self->spool = g_strdup (path);
  self->is_for_others = is_for_others;
  g_mutex_unlock (&self->lock);
}

/* The element while something is left to be told to it, else NULL. Unref. */
static GstElement *
dup_listener (SinkReporter *self)
{
  gboolean open;

  g_mutex_lock (&self->lock);
  open = !self->ended;
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
  begins = !self->ended && (self->progress & progress) == 0;
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
  g_cond_broadcast (&self->changed);
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

/* Nothing is told from now on but the end. Whether nobody had begun with that; then it has to be
 * told. */
static gboolean
begin_end (SinkReporter *self)
{
  gboolean ours;

  g_mutex_lock (&self->lock);
  ours = !self->ended;
  self->ended = TRUE;
  while (ours && self->n_beginning > 0 && !self->interrupted)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  return ours;
}

/* What is known of the upload; free the strings. */
static SinkContext
copy_context (SinkReporter *self)
{
  SinkContext context = { .destination = self->destination, .is_warning = !self->fatal };

  g_mutex_lock (&self->lock);
  context.session_id = g_strdup (self->session_id);
  context.spool = g_strdup (self->spool);
  context.offset = self->failed_offset;
  context.is_for_others = self->is_for_others;
  g_mutex_unlock (&self->lock);
  return context;
}

static void
clear_context (SinkContext *context)
{
  g_free ((char *) context->session_id);
  g_free ((char *) context->spool);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SinkContext, clear_context)

void
sink_reporter_failed (SinkReporter *self, const GError *error)
{
  g_autoptr (GstElement) element = NULL;
  g_auto (SinkContext) context = copy_context (self);

  if (!begin_end (self))
    return;
  element = g_weak_ref_get (&self->element);
  if (element == NULL)
    return;
  end_all_progress (self, element, GST_PROGRESS_TYPE_ERROR, error->message);
  sink_post_error (element, sink_resource_error (error), error, &context);
}

void
sink_reporter_interrupt (SinkReporter *self, gboolean interrupted)
{
  g_mutex_lock (&self->lock);
  self->interrupted = interrupted;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
sink_reporter_close (SinkReporter *self)
{
  g_autoptr (GstElement) element = NULL;
  gboolean ours;

  g_mutex_lock (&self->lock);
  ours = !self->ended;
  self->ended = TRUE;
  g_mutex_unlock (&self->lock);

  if (ours && (element = g_weak_ref_get (&self->element)) != NULL)
    end_all_progress (self, element, GST_PROGRESS_TYPE_CANCELED, "Stopped before the end");
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
on_unsettled (const char *path, const GError *reason, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = g_weak_ref_get (&self->element);

  if (element != NULL)
    sink_post_unsettled (element, self->destination, path, reason);
}

static void
on_goes_on (const GError *reason, gboolean matters, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_listener (self);
  g_auto (SinkContext) context = copy_context (self);

  GST_INFO ("the upload beside the recording ended: %s", reason->message);
  if (element != NULL && matters)
    sink_post_goes_on (element, reason, &context);
}

static void
on_anew (const GError *reason, gboolean told, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_listener (self);
  g_auto (SinkContext) context = copy_context (self);

  if (element != NULL)
    sink_post_anew (element, reason, !told, &context);
}

static void
on_kept (const char *path, guint64 size, const char *reason, gboolean interrupted,
         const GError *lost, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = g_weak_ref_get (&self->element);

  if (element != NULL && lost != NULL)
    GST_ELEMENT_WARNING (element, RESOURCE, WRITE, ("%s", lost->message), (NULL));
  if (element != NULL)
    sink_post_spooled (element, path, size, reason, interrupted);
}

/* Without a commit of ours, the application gets what it needs for its own. */
static void
tell_filled (GstElement *element, BoxDelivery *delivery)
{
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (delivery);
  g_autoptr (BoxSession) session = upload != NULL ? box_upload_get_session (upload) : NULL;
  BoxUploadStats stats;
  BoxSha1 sha1;

  if (upload == NULL || !box_upload_get_sha1 (upload, &sha1))
    return;
  box_upload_get_stats (upload, &stats);
  sink_post_filled (element, session != NULL ? session->id : NULL, stats.bytes_total, &sha1);
}

/* A good end; what the progress is told of it. */
static const char *
tell_end (GstElement *element, BoxDelivery *delivery, BoxDeliveryPhase phase, const BoxFile *file)
{
  switch (phase)
    {
    case BOX_DELIVERY_COMMITTED:
      sink_post_complete (element, file);
      return "The file is committed";
    case BOX_DELIVERY_FILLED:
      tell_filled (element, delivery);
      return "All parts are uploaded, not committed";
    case BOX_DELIVERY_EMPTY:
      GST_ELEMENT_WARNING (element, RESOURCE, WRITE, ("Nothing was recorded, so no file is made."),
                           (NULL));
      return "Nothing was recorded";
    default:
      return "The recording is in the spool";
    }
}

static void
on_ended (BoxDelivery *delivery, BoxDeliveryPhase phase, const BoxFile *file, const GError *error,
          gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = NULL;

  if (phase == BOX_DELIVERY_FAILED)
    {
      sink_reporter_failed (self, error);
      return;
    }
  if (!begin_end (self))
    return;
  element = g_weak_ref_get (&self->element);
  if (element != NULL)
    end_all_progress (self, element, GST_PROGRESS_TYPE_COMPLETE,
                      tell_end (element, delivery, phase, file));
}

const BoxDeliveryEvents sink_reporter_events = {
  .upload = {
    .session_opened = on_session_opened,
    .part_done = on_part_done,
    .retrying = on_retrying,
    .outage = on_outage,
    .committing = on_committing,
  },
  .unsettled = on_unsettled,
  .goes_on = on_goes_on,
  .anew = on_anew,
  .kept = on_kept,
  .ended = on_ended,
};

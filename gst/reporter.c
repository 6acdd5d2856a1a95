/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "messages.h"

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

  /* immutable once the delivery has begun */
  GWeakRef element; /* thread-safe */
  char *destination;
  gboolean fatal;
  gboolean is_for_others; /* they upload the recording */
  char *session_id;       /* that is known before it is opened; nullable */
  guint retry_timeout;    /* seconds; 0: no limit */

  /* atomic */
  guint outage_since; /* seconds, monotonic; 0: there is no outage */
  guint commit_since; /* the same of the progress of the commit */
  guint progress;     /* of Progress: begun and not ended */
};

SinkReporter *
sink_reporter_new (GstElement *element, const SinkReporterSettings *settings)
{
  SinkReporter *self = g_new0 (SinkReporter, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_weak_ref_init (&self->element, element);
  self->destination = g_strdup (settings->destination);
  self->session_id = g_strdup (settings->session_id);
  self->fatal = settings->fatal;
  self->is_for_others = settings->is_for_others;
  self->retry_timeout = settings->retry_timeout;
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
  g_free (self->destination);
  g_free (self->session_id);
  g_free (self);
}

/* NULL if the application has let go of the element. Unref. */
static GstElement *
dup_element (SinkReporter *self)
{
  return g_weak_ref_get (&self->element);
}

static void
begin_progress (SinkReporter *self, Progress progress, const char *code, const char *text)
{
  g_autoptr (GstElement) element = dup_element (self);

  g_atomic_int_or (&self->progress, progress);
  if (element != NULL)
    sink_post_progress (element, GST_PROGRESS_TYPE_START, code, text);
}

static gboolean
end_progress (SinkReporter *self, Progress progress)
{
  return (g_atomic_int_and (&self->progress, ~(guint) progress) & progress) != 0;
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
sink_reporter_begin_session (SinkReporter *self)
{
  begin_progress (self, PROGRESS_SESSION, "session", "Opening the upload session");
}

static guint
get_seconds (void)
{
  return (guint) (g_get_monotonic_time () / G_USEC_PER_SEC);
}

/* NULL if there is no outage. Free the result. */
static char *
describe_wait (SinkReporter *self)
{
  guint outage = (guint) g_atomic_int_get (&self->outage_since);
  guint commit = (guint) g_atomic_int_get (&self->commit_since);
  guint since = MAX (outage, commit);

  if (outage == 0)
    return NULL;
  if (self->retry_timeout == 0)
    return g_strdup_printf ("waiting for Box for %u s", get_seconds () - since);
  return g_strdup_printf ("waiting for Box for %u s (gives up after %u s without progress)",
                          get_seconds () - since, self->retry_timeout);
}

void
sink_reporter_commit_goes_on (SinkReporter *self, const BoxUploadStats *stats)
{
  g_autoptr (GstElement) element = dup_element (self);
  g_autofree char *wait = describe_wait (self);

  if (element != NULL && (g_atomic_int_get (&self->progress) & PROGRESS_COMMIT) != 0)
    sink_post_commit_progress (element, stats, wait);
}

/* What is known of the upload; free the strings. @delivery: (nullable). */
static SinkContext
copy_context (SinkReporter *self, BoxDelivery *delivery)
{
  g_autoptr (BoxUpload) upload = delivery != NULL ? box_delivery_dup_upload (delivery) : NULL;
  g_autoptr (BoxSession) session = upload != NULL ? box_upload_get_session (upload) : NULL;
  BoxUploadStats stats = { 0 };

  if (upload != NULL)
    box_upload_get_stats (upload, &stats);
  return (SinkContext){
    .destination = self->destination,
    .is_warning = !self->fatal,
    .is_for_others = self->is_for_others,
    .session_id = g_strdup (session != NULL ? session->id : self->session_id),
    .spool = g_strdup (delivery != NULL ? box_delivery_get_path (delivery) : NULL),
    .offset = stats.part_fails ? stats.failing_offset : G_MAXUINT64,
  };
}

static void
clear_context (SinkContext *context)
{
  g_free ((char *) context->session_id);
  g_free ((char *) context->spool);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SinkContext, clear_context)

static void
post_failure (SinkReporter *self, BoxDelivery *delivery, GstElement *element, const GError *error)
{
  g_auto (SinkContext) context = copy_context (self, delivery);

  /* A recording without a byte is removed. */
  if (delivery != NULL && box_delivery_get_spooled (delivery) == 0)
    g_clear_pointer ((char **) &context.spool, g_free);
  end_all_progress (self, element, GST_PROGRESS_TYPE_ERROR, error->message);
  sink_post_error (element, sink_resource_error (error), error, &context);
}

void
sink_reporter_failed (SinkReporter *self, const GError *error)
{
  g_autoptr (GstElement) element = dup_element (self);

  if (element != NULL)
    post_failure (self, NULL, element, error);
}

void
sink_reporter_stopped (SinkReporter *self)
{
  g_autoptr (GstElement) element = dup_element (self);

  if (element != NULL)
    end_all_progress (self, element, GST_PROGRESS_TYPE_CANCELED, "Stopped before the end");
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);
  gboolean ended;

  if (element == NULL)
    return;
  GST_INFO_OBJECT (element, "session %s: %u parts of %" G_GUINT64_FORMAT " bytes", session->id,
                   session->total_parts, session->part_size);
  /* Before a handler of a message can stop the stream. */
  ended = end_progress (self, PROGRESS_SESSION);
  sink_post_session (element, session, size);
  if (ended)
    sink_post_progress (element, GST_PROGRESS_TYPE_COMPLETE, "session",
                        "The upload session is open");
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);

  if (element != NULL)
    sink_post_part (element, part, attempts, adopted);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);

  if (element != NULL)
    sink_post_retry (element, request, offset, attempt, delay, reason);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);

  g_atomic_int_set (&self->outage_since, reason != NULL ? get_seconds () : 0);
  if (element != NULL)
    sink_post_outage (element, reason);
}

static void
on_committing (gpointer user_data)
{
  g_autoptr (GstElement) element = dup_element (user_data);

  if (element != NULL)
    GST_INFO_OBJECT (element, "all parts are there, committing");
}

static void
on_unsettled (const char *path, const GError *reason, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);

  if (element != NULL)
    sink_post_unsettled (element, self->destination, path, reason);
}

static void
on_room (const char *text, guint64 limit, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);

  if (element != NULL)
    sink_post_room (element, self->destination, text, limit);
}

static void
on_displaced (const char *text, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);

  if (element != NULL)
    GST_ELEMENT_WARNING (element, RESOURCE, WRITE, ("%s: %s", self->destination, text), (NULL));
}

static void
on_goes_on (BoxDelivery *delivery, const GError *reason, gboolean matters, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);
  g_auto (SinkContext) context = copy_context (self, delivery);

  GST_INFO ("the upload beside the recording ended: %s", reason->message);
  if (element != NULL && matters)
    sink_post_goes_on (element, reason, &context);
}

static void
on_anew (BoxDelivery *delivery, const GError *reason, gboolean told, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);
  g_auto (SinkContext) context = copy_context (self, delivery);

  if (element != NULL)
    sink_post_anew (element, reason, !told, &context);
}

static void
on_ending (gpointer user_data)
{
  SinkReporter *self = user_data;

  g_atomic_int_set (&self->commit_since, get_seconds ());
  if (!self->is_for_others)
    begin_progress (self, PROGRESS_COMMIT, "commit", "Uploading the rest");
}

static void
on_kept (const char *path, guint64 size, const char *reason, gboolean interrupted,
         const GError *lost, gpointer user_data)
{
  SinkReporter *self = user_data;
  g_autoptr (GstElement) element = dup_element (self);

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

/* A good end; what the progress says of it. Free the result. */
static char *
tell_end (GstElement *element, BoxDelivery *delivery, BoxDeliveryPhase phase, const BoxFile *file)
{
  switch (phase)
    {
    case BOX_DELIVERY_COMMITTED:
      sink_post_complete (element, file);
      return sink_format_committed (file);
    case BOX_DELIVERY_FILLED:
      tell_filled (element, delivery);
      return g_strdup ("All parts are uploaded, not committed");
    case BOX_DELIVERY_EMPTY:
      GST_ELEMENT_WARNING (element, RESOURCE, WRITE, ("Nothing was recorded, so no file is made."),
                           (NULL));
      return g_strdup ("Nothing was recorded");
    default:
      return g_strdup ("The recording is in the spool");
    }
}

static void
on_position (BoxDelivery *delivery, const BoxPosition *position, gpointer user_data)
{
  g_autoptr (GstElement) element = dup_element (user_data);

  if (element != NULL)
    sink_post_position (element, position);
}

static void
on_ended (BoxDelivery *delivery, BoxDeliveryPhase phase, const BoxFile *file, const GError *error,
          gpointer user_data)
{
  /* A handler of a message may stop the stream. */
  SinkReporter *self = sink_reporter_ref (user_data);
  g_autoptr (GstElement) element = dup_element (self);
  g_autofree char *text = NULL;

  if (element != NULL && phase == BOX_DELIVERY_FAILED)
    post_failure (self, delivery, element, error);
  else if (element != NULL)
    {
      text = tell_end (element, delivery, phase, file);
      end_all_progress (self, element, GST_PROGRESS_TYPE_COMPLETE, text);
    }
  sink_reporter_unref (self);
}

const BoxDeliveryEvents sink_reporter_events = {
  .upload = {
    .session_opened = on_session_opened,
    .part_done = on_part_done,
    .retrying = on_retrying,
    .outage = on_outage,
    .committing = on_committing,
  },
  .room = on_room,
  .displaced = on_displaced,
  .unsettled = on_unsettled,
  .goes_on = on_goes_on,
  .anew = on_anew,
  .ending = on_ending,
  .kept = on_kept,
  .position = on_position,
  .ended = on_ended,
};

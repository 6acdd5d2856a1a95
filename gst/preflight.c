/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preflight.h"

#include "base/limits.h"

GST_DEBUG_CATEGORY_EXTERN (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

/* All immutable. */
struct _SinkPreflight
{
  const SinkConfig *plan;
  SinkReporter *reporter;
  GCancellable *cancellable;
  GThread *thread;
};

static gboolean
ask (SinkPreflight *self, GError **error)
{
  const SinkConfig *plan = self->plan;
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxSession) session = NULL;

  /* The size is not known yet; that there is room for a byte is a beginning. */
  if (plan->destination->kind != BOX_DESTINATION_SESSION)
    return box_client_preflight (plan->client, transport, plan->destination, 1, self->cancellable,
                                 error);
  session = box_client_get_session (plan->client, transport, plan->destination->session_id,
                                    self->cancellable, error);
  return session != NULL;
}

/* No network is no reason to worry anybody; an answer that is not Box's is. */
static gboolean
is_no_answer (const GError *error)
{
  guint status = box_error_get_details (error)->http_status;

  return g_error_matches (error, BOX_ERROR, BOX_ERROR_CANCELLED)
         || (box_error_is_transient (error) && (status == 0 || status == 429));
}

static gpointer
run (gpointer data)
{
  SinkPreflight *self = data;
  g_autoptr (GError) error = NULL;

  if (ask (self, &error))
    return NULL;
  if (is_no_answer (error))
    GST_INFO ("not known yet whether Box takes the file: %s", error->message);
  else
    sink_reporter_upload_failed (self->reporter, error);
  return NULL;
}

SinkPreflight *
sink_preflight_new (const SinkConfig *plan, SinkReporter *reporter)
{
  SinkPreflight *self = g_new0 (SinkPreflight, 1);
  g_autoptr (GError) error = NULL;

  self->plan = plan;
  self->reporter = sink_reporter_ref (reporter);
  self->cancellable = g_cancellable_new ();
  /* Without it the same is found out at EOS. */
  self->thread = box_limits_start_thread ("box-preflight", "to ask Box with", run, self, &error);
  if (self->thread == NULL)
    GST_WARNING ("%s", error->message);
  return self;
}

void
sink_preflight_free (SinkPreflight *self)
{
  g_cancellable_cancel (self->cancellable);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  sink_reporter_unref (self->reporter);
  g_object_unref (self->cancellable);
  g_free (self);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preflight.h"

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

/* Whether @error says that the recording will not get to Box unless somebody does something. */
static gboolean
is_definite (const SinkConfig *plan, const GError *error)
{
  SinkTerms terms = sink_config_get_terms (plan);

  if (error->domain != BOX_ERROR || sink_terms_is_for_others (&terms, error))
    return FALSE;
  switch ((BoxErrorCode) error->code)
    {
    case BOX_ERROR_NAME_IN_USE:
      return plan->values.if_exists == BOX_IF_EXISTS_ERROR;
    case BOX_ERROR_CREDENTIALS:
    case BOX_ERROR_TRUST:
    case BOX_ERROR_FORBIDDEN:
    case BOX_ERROR_NOT_FOUND:
    case BOX_ERROR_SETTINGS:
    case BOX_ERROR_SPACE:
    case BOX_ERROR_SESSION_GONE:
      return TRUE;
    default:
      return FALSE;
    }
}

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

static gpointer
run (gpointer data)
{
  SinkPreflight *self = data;
  g_autoptr (GError) error = NULL;

  if (ask (self, &error))
    return NULL;
  if (is_definite (self->plan, error))
    sink_reporter_failed (self->reporter, sink_resource_error (error), error);
  else
    GST_INFO ("not known yet whether Box takes the file: %s", error->message);
  return NULL;
}

SinkPreflight *
sink_preflight_new (const SinkConfig *plan, SinkReporter *reporter)
{
  SinkPreflight *self = g_new0 (SinkPreflight, 1);

  self->plan = plan;
  self->reporter = sink_reporter_ref (reporter);
  self->cancellable = g_cancellable_new ();
  self->thread = g_thread_new ("box-preflight", run, self);
  return self;
}

void
sink_preflight_free (SinkPreflight *self)
{
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->thread);
  sink_reporter_unref (self->reporter);
  g_object_unref (self->cancellable);
  g_free (self);
}

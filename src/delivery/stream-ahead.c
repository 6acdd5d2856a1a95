/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A delivery whose recording is sent ahead: whether it is, how large the seed is, and what becomes
 * of a seed without a recording. */
#include "api/account.h"
#include "base/process.h"
#include "delivery/state.h"
#include "spool/note.h"

/* The seed's size where nothing is known. Bytes. */
#define USUAL_SIZE (G_GUINT64_CONSTANT (1) << 30)

static gboolean
is_of_use (const BoxDelivery *delivery)
{
  const BoxDeliverySettings *settings = &delivery->settings;
  BoxPlanScope scope;

  if (!settings->ahead || settings->sizing != BOX_SIZING_SPOOL || delivery->terms.given_session)
    return FALSE;
  if (settings->account_file == NULL)
    return TRUE;
  scope = box_account_get_plan (settings->account_file, settings->upload.client);
  if (scope == BOX_PLAN_SCOPE_UNKNOWN || scope == BOX_PLAN_SCOPE_ACCOUNT)
    return TRUE;
  g_info ("Nothing is sent ahead: by %s this account does not find it again (%s)",
          settings->account_file, box_plan_scope_to_string (scope));
  return FALSE;
}

guint64
box_delivery_expect_size (BoxDelivery *delivery)
{
  g_autofree char *directory = g_path_get_dirname (box_recording_get_path (delivery->recording));
  guint64 size = delivery->settings.expected_size;

  if (size == 0)
    size = box_history_get_size (directory, delivery->settings.upload.destination);
  return size;
}

static guint64
guess_size (BoxDelivery *delivery)
{
  guint64 size = box_delivery_expect_size (delivery);

  return MAX (size != 0 ? size : USUAL_SIZE, BOX_SESSION_MIN_SIZE);
}

/* Failures are logged only: bytes that cannot be sent ahead are sent at the end. */
void
box_delivery_open_ahead (BoxDelivery *delivery)
{
  g_autoptr (GError) error = NULL;

  if (!is_of_use (delivery))
    return;
  delivery->ahead = box_ahead_new (delivery->recording, &delivery->settings.upload,
                                   guess_size (delivery), &error);
  if (delivery->ahead == NULL)
    g_info ("Nothing is sent ahead: %s", error->message);
}

void
box_delivery_end_ahead (BoxDelivery *delivery)
{
  BoxAhead *ahead;

  g_mutex_lock (&delivery->lock);
  ahead = g_steal_pointer (&delivery->ahead);
  if (ahead != NULL)
    delivery->sent_ahead = delivery->reached.acked =
        box_ahead_get_bytes (ahead, &delivery->reached.in_order);
  g_mutex_unlock (&delivery->lock);
  box_ahead_free (ahead);
}

typedef struct
{
  BoxClient *client;
  BoxSession *session;
} Abort;

static gpointer
run_abort (gpointer data)
{
  Abort *job = data;

  box_attempt_abort (job->client, job->session, NULL);
  box_client_unref (job->client);
  box_session_free (job->session);
  g_free (job);
  return NULL;
}

void
box_delivery_drop_ahead (BoxDelivery *delivery)
{
  g_autoptr (BoxSession) session =
      delivery->ahead != NULL ? box_ahead_dup_session (delivery->ahead) : NULL;
  Abort *job;
  GThread *thread;

  box_delivery_end_ahead (delivery);
  if (session == NULL)
    return;
  job = g_new0 (Abort, 1);
  job->client = box_client_ref (delivery->settings.upload.client);
  job->session = g_steal_pointer (&session);
  thread = box_process_start_thread ("box-abort", "to abort a session with", run_abort, job, NULL);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return;
    }
  /* It expires by itself. */
  box_client_unref (job->client);
  box_session_free (job->session);
  g_free (job);
}

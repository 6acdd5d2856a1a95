/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/attempt.h"

#include "api/folder.h"
#include "base/process.h"

/* All immutable. */
struct _BoxPreflight
{
  BoxClient *client;
  const BoxDestination *destination;
  BoxPreflightEvents events;
  gpointer user_data;
  GCancellable *cancellable;
  GThread *thread; /* NULL: none could be started */
};

/* Nothing is made for a question: a folder that is missing is made when the upload opens. */
static gboolean
ask_about_name (BoxPreflight *preflight, BoxTransport *transport, GError **error)
{
  const BoxDestination *destination = preflight->destination;
  g_autoptr (GError) failure = NULL;
  g_autoptr (BoxDestination) place = box_folder_path_resolve_destination (
      preflight->client, transport, destination, FALSE, preflight->cancellable, &failure);

  if (place == NULL && !destination->no_create && box_folder_path_is_missing (failure))
    return TRUE;
  if (place == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  /* The size is not known yet; that there is room for a byte is a beginning. */
  return box_client_preflight (preflight->client, transport, place, 1, preflight->cancellable,
                               error);
}

static gboolean
ask (BoxPreflight *preflight, BoxTransport *transport, GError **error)
{
  const BoxDestination *destination = preflight->destination;
  g_autoptr (BoxSession) session = NULL;

  if (destination->kind != BOX_DESTINATION_SESSION)
    return ask_about_name (preflight, transport, error);
  session = box_client_get_session (preflight->client, transport, destination->session_id,
                                    preflight->cancellable, error);
  return session != NULL;
}

/* A missing network is not reported; an answer that is not Box's is. */
static gboolean
is_no_answer (const GError *error)
{
  guint status = box_error_get_details (error)->http_status;

  return g_error_matches (error, BOX_ERROR, BOX_ERROR_CANCELLED)
         || (box_error_is_transient (error) && (status == 0 || status == 429));
}

/* FALSE: Box refuses the file. */
static gboolean
check (BoxPreflight *preflight, BoxTransport *transport)
{
  g_autoptr (GError) error = NULL;

  if (ask (preflight, transport, &error))
    return TRUE;
  if (is_no_answer (error))
    {
      g_info ("Not known yet whether Box takes the file: %s", error->message);
      return TRUE;
    }
  preflight->events.refused (error, preflight->user_data);
  return FALSE;
}

static gpointer
run (gpointer data)
{
  BoxPreflight *preflight = data;
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GError) error = NULL;
  BoxRoom room;

  if ((preflight->events.refused != NULL && !check (preflight, transport))
      || preflight->events.room == NULL)
    return NULL;
  if (box_room_recall (preflight->client, transport, &room, preflight->cancellable, &error))
    preflight->events.room (&room, preflight->user_data);
  else
    g_info ("Not known whether the account has room for the file: %s", error->message);
  return NULL;
}

BoxPreflight *
box_preflight_new (BoxClient *client, const BoxDestination *destination,
                   const BoxPreflightEvents *events, gpointer user_data)
{
  BoxPreflight *preflight = g_new0 (BoxPreflight, 1);
  g_autoptr (GError) error = NULL;

  preflight->client = client;
  preflight->destination = destination;
  preflight->events = *events;
  preflight->user_data = user_data;
  preflight->cancellable = g_cancellable_new ();
  /* Without it the same is found out at the end. */
  preflight->thread =
      box_process_start_thread ("box-preflight", "to ask Box with", run, preflight, &error);
  if (preflight->thread == NULL)
    g_info ("%s", error->message);
  return preflight;
}

void
box_preflight_free (BoxPreflight *preflight)
{
  g_cancellable_cancel (preflight->cancellable);
  if (preflight->thread != NULL)
    g_thread_join (preflight->thread);
  g_object_unref (preflight->cancellable);
  g_free (preflight);
}

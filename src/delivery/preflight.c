/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/attempt.h"

#include "api/folder.h"
#include "base/process.h"

/* Threads that ask, of a process; a recording's question is short, and its answer is advice. */
#define MAX_ASKERS 4

/* How long one of them, and its connection, waits for the next question. Microseconds. */
#define IDLE_TIME (5 * G_TIME_SPAN_SECOND)

typedef enum
{
  PREFLIGHT_WAITING,
  PREFLIGHT_ASKED,
  PREFLIGHT_ANSWERED, /* or nobody could ask */
} PreflightState;

struct _BoxPreflight
{
  /* immutable */
  BoxClient *client;
  const BoxDestination *destination;
  BoxPreflightEvents events;
  gpointer user_data;
  GCancellable *cancellable;

  PreflightState state; /* with askers.lock */
};

static struct
{
  GMutex lock;
  GCond come;     /* a question came */
  GCond answered; /* one is answered */
  GQueue waiting; /* BoxPreflight, borrowed; the oldest first */
  guint n_threads;
  guint n_idle; /* of these, without a question */
} askers = { .waiting = G_QUEUE_INIT };

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
  return !preflight->events.refused (error, preflight->user_data);
}

static void
answer (BoxPreflight *preflight, BoxTransport *transport)
{
  g_autoptr (GError) error = NULL;
  BoxRoom room;

  if ((preflight->events.refused != NULL && !check (preflight, transport))
      || preflight->events.room == NULL)
    return;
  if (box_room_recall (preflight->client, transport, &room, preflight->cancellable, &error))
    preflight->events.room (&room, preflight->user_data);
  else
    g_info ("Not known whether the account has room for the file: %s", error->message);
}

/* The next question; NULL if none came for a while. */
static BoxPreflight *
wait_for_question_locked (void)
{
  gint64 until = g_get_monotonic_time () + IDLE_TIME;
  gboolean in_time = TRUE;

  askers.n_idle++;
  while (g_queue_is_empty (&askers.waiting) && in_time)
    in_time = g_cond_wait_until (&askers.come, &askers.lock, until);
  askers.n_idle--;
  return g_queue_pop_head (&askers.waiting);
}

/* One connection for many questions. */
static gpointer
ask_all (gpointer unused)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  BoxPreflight *preflight;

  g_mutex_lock (&askers.lock);
  while ((preflight = wait_for_question_locked ()) != NULL)
    {
      preflight->state = PREFLIGHT_ASKED;
      g_mutex_unlock (&askers.lock);
      answer (preflight, transport);
      g_mutex_lock (&askers.lock);
      preflight->state = PREFLIGHT_ANSWERED;
      g_cond_broadcast (&askers.answered);
    }
  askers.n_threads--;
  g_mutex_unlock (&askers.lock);
  return NULL;
}

/* FALSE: nobody can ask. */
static gboolean
call_asker_locked (GError **error)
{
  GThread *thread;

  if (askers.n_idle >= g_queue_get_length (&askers.waiting) || askers.n_threads >= MAX_ASKERS)
    {
      g_cond_signal (&askers.come);
      return TRUE;
    }
  thread = box_process_start_thread ("box-preflight", "to ask Box with", ask_all, NULL, error);
  if (thread == NULL)
    return askers.n_threads > 0;
  askers.n_threads++;
  g_thread_unref (thread);
  return TRUE;
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
  g_mutex_lock (&askers.lock);
  g_queue_push_tail (&askers.waiting, preflight);
  /* Without an answer the same is found out at the end. */
  if (!call_asker_locked (&error))
    {
      g_queue_remove (&askers.waiting, preflight);
      preflight->state = PREFLIGHT_ANSWERED;
    }
  g_mutex_unlock (&askers.lock);
  if (error != NULL)
    g_info ("%s", error->message);
  return preflight;
}

void
box_preflight_free (BoxPreflight *preflight)
{
  g_cancellable_cancel (preflight->cancellable);
  g_mutex_lock (&askers.lock);
  if (preflight->state == PREFLIGHT_WAITING)
    g_queue_remove (&askers.waiting, preflight);
  while (preflight->state == PREFLIGHT_ASKED)
    g_cond_wait (&askers.answered, &askers.lock);
  g_mutex_unlock (&askers.lock);
  g_object_unref (preflight->cancellable);
  g_free (preflight);
}

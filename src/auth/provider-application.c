/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/provider-application.h"
#include "auth/token.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/wakeup.h"

struct _BoxTokenHook
{
  gatomicrefcount refs;

  /* immutable */
  BoxTokenRequest request;
  gpointer user_data;
  GDestroyNotify destroy;

  GMutex lock;
  GCond answered_cond;
  /* with lock */
  gboolean asking;   /* the call has not returned */
  gboolean answered; /* it has, and nobody has taken the answer */
  char *answer;
};

BoxTokenHook *
box_token_hook_new (BoxTokenRequest request, gpointer user_data, GDestroyNotify destroy)
{
  BoxTokenHook *hook = g_new0 (BoxTokenHook, 1);

  g_atomic_ref_count_init (&hook->refs);
  hook->request = request;
  hook->user_data = user_data;
  hook->destroy = destroy;
  g_mutex_init (&hook->lock);
  g_cond_init (&hook->answered_cond);
  return hook;
}

BoxTokenHook *
box_token_hook_ref (BoxTokenHook *hook)
{
  g_atomic_ref_count_inc (&hook->refs);
  return hook;
}

void
box_token_hook_unref (BoxTokenHook *hook)
{
  if (!g_atomic_ref_count_dec (&hook->refs))
    return;
  if (hook->destroy != NULL)
    hook->destroy (hook->user_data);
  box_secret_free (hook->answer);
  g_mutex_clear (&hook->lock);
  g_cond_clear (&hook->answered_cond);
  g_free (hook);
}

static gpointer
call_application (gpointer user_data)
{
  BoxTokenHook *hook = user_data;
  char *answer = hook->request (hook->user_data);

  g_mutex_lock (&hook->lock);
  hook->asking = FALSE;
  hook->answered = TRUE;
  hook->answer = answer;
  g_cond_broadcast (&hook->answered_cond);
  g_mutex_unlock (&hook->lock);
  box_token_hook_unref (hook);
  return NULL;
}

static gboolean
begin_locked (BoxTokenHook *hook, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  GThread *thread;

  if (hook->asking || hook->answered)
    return TRUE;

  thread =
      g_thread_try_new ("box-request", call_application, box_token_hook_ref (hook), &local_error);
  if (thread == NULL)
    {
      /* Not the last reference: the caller has one. */
      box_token_hook_unref (hook);
      g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "No thread to ask for a token: %s",
                   local_error->message);
      return FALSE;
    }
  g_thread_unref (thread);
  hook->asking = TRUE;
  return TRUE;
}

static char *
wait_locked (BoxTokenHook *hook, gint64 limit, GCancellable *cancellable, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + limit;
  gboolean in_time = TRUE;

  while (!hook->answered && in_time && !g_cancellable_is_cancelled (cancellable))
    in_time = g_cond_wait_until (&hook->answered_cond, &hook->lock, deadline);

  if (hook->answered)
    {
      hook->answered = FALSE;
      if (hook->answer == NULL)
        g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                     "The application was asked for a token and has none");
      return g_steal_pointer (&hook->answer);
    }
  if (in_time)
    g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Cancelled");
  else
    g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                 "The application was asked for a token and did not answer within "
                 "%" G_GINT64_FORMAT " seconds",
                 limit / G_USEC_PER_SEC);
  return NULL;
}

char *
box_token_hook_ask (BoxTokenHook *hook, gint64 limit, GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxSecret) answer = NULL;
  BoxWakeup wakeup;

  box_wakeup_connect (&wakeup, cancellable, &hook->lock, &hook->answered_cond);
  g_mutex_lock (&hook->lock);
  if (begin_locked (hook, error))
    answer = wait_locked (hook, limit, cancellable, error);
  g_mutex_unlock (&hook->lock);
  box_wakeup_disconnect (&wakeup);

  if (answer == NULL)
    return NULL;
  answer = box_secret_trim (g_steal_pointer (&answer));
  if (!box_token_check ("The token that the application answered", answer, error))
    return NULL;
  return g_steal_pointer (&answer);
}

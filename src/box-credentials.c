/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One renewal at a time, in a thread of its own ("box-token"): no caller's cancellation ends it,
 * and callers whose token is still good do not wait for it. A thread that must wait does so on
 * @changed and shares the outcome.
 */
#define G_LOG_DOMAIN "boxupload"

#include "box-credentials-private.h"
#include "box-auth-config-private.h"
#include "box-error.h"
#include "box-secret-private.h"
#include "box-token-hook-private.h"
#include "box-token-private.h"
#include "box-wakeup-private.h"

/* Microseconds. */
#define REQUEST_LIMIT (30 * G_USEC_PER_SEC)

/* A renewal that takes longer than this (a token endpoint that sends a byte a minute) has failed.
 * Microseconds. */
#define RENEWAL_LIMIT (180 * G_USEC_PER_SEC)

/* After a failed renewal none is begun for this long, so that many threads that retry do not hammer
 * a token endpoint that is in trouble; they get the failure again. Longer only where the server
 * asked for it. Microseconds. */
#define RENEWAL_PAUSE (1 * G_USEC_PER_SEC)

/* A server that asks for more patience than this is asked again all the same. Microseconds. */
#define PAUSE_MAX (300 * G_USEC_PER_SEC)

struct _BoxCredentials
{
  gatomicrefcount users;

  /* immutable, but for what the renewing thread keeps there */
  BoxTokenSource *source;

  GMutex lock;
  GCond changed;
  /* with lock */
  gint64 request_limit;
  BoxTokenHook *hook; /* nullable */
  char *given;        /* by the application, goes before the source; nullable */
  gboolean given_refused;
  BoxToken *token; /* the source's, or what the application answered in its stead; nullable */
  gboolean token_refused;
  gboolean token_answered;
  char *source_refused;  /* the last of the source's tokens that Box refused; nullable */
  BoxFileStamp stamp;    /* the source's file as last seen */
  gboolean file_changed; /* it should be read again */
  gboolean renewing;     /* the thread is there */
  gboolean abandoned;    /* no users: the thread frees everything */
  guint rounds;          /* renewals that have ended, and tokens that were given */
  GCancellable *renewal; /* ends the present one */
  gint64 deadline;       /* of the present one */
  GError *failure;       /* of the last renewal; NULL: it succeeded */
  gint64 pause_until;    /* no renewal before, after a failure */
};

static void
free_credentials (BoxCredentials *credentials)
{
  box_token_source_free (credentials->source);
  g_clear_pointer (&credentials->hook, box_token_hook_unref);
  box_secret_free (credentials->given);
  box_token_free (credentials->token);
  box_secret_free (credentials->source_refused);
  g_clear_object (&credentials->renewal);
  g_clear_error (&credentials->failure);
  g_mutex_clear (&credentials->lock);
  g_cond_clear (&credentials->changed);
  g_free (credentials);
}

/* A warning where others may read the source's file; NULL else. */
static char *
exposure (const BoxTokenSource *source)
{
  if (source->path == NULL || !box_secret_file_is_exposed (source->path))
    return NULL;
  return g_strdup_printf ("%s “%s” can be read or written by everybody on this machine: chmod 600 "
                          "it, and replace the secrets in it",
                          source->origin, source->path);
}

/* Checks what the settings name, and says what is unwise about it. */
static gboolean
open_source (BoxCredentials *credentials, GError **error)
{
  g_autofree char *warning = NULL;

  if (credentials->source->path != NULL)
    box_file_stamp_take (credentials->source->path, &credentials->stamp);
  if (!box_token_source_open (credentials->source, &credentials->token, error))
    return FALSE;
  warning = exposure (credentials->source);
  if (warning != NULL)
    g_message ("%s", warning);
  return TRUE;
}

BoxCredentials *
box_credentials_new (const BoxCredentialsSettings *settings, BoxTransportConfig *config,
                     GError **error)
{
  g_autoptr (BoxCredentials) credentials = g_new0 (BoxCredentials, 1);

  g_atomic_ref_count_init (&credentials->users);
  g_mutex_init (&credentials->lock);
  g_cond_init (&credentials->changed);
  credentials->request_limit = REQUEST_LIMIT;
  credentials->source = box_token_source_new (settings, config);

  if (settings->access_token != NULL && *settings->access_token != '\0')
    {
      credentials->given = box_secret_trim (g_strdup (settings->access_token));
      if (!box_token_check ("access-token", credentials->given, error))
        return NULL;
    }
  else if (!open_source (credentials, error))
    return NULL;
  return g_steal_pointer (&credentials);
}

BoxCredentials *
box_credentials_ref (BoxCredentials *credentials)
{
  g_atomic_ref_count_inc (&credentials->users);
  return credentials;
}

void
box_credentials_unref (BoxCredentials *credentials)
{
  g_autoptr (GCancellable) renewal = NULL;
  gboolean renewing;

  if (!g_atomic_ref_count_dec (&credentials->users))
    return;

  g_mutex_lock (&credentials->lock);
  renewing = credentials->renewing;
  credentials->abandoned = TRUE;
  if (renewing && !credentials->source->rotates)
    renewal = g_object_ref (credentials->renewal);
  g_mutex_unlock (&credentials->lock);

  if (renewal != NULL)
    g_cancellable_cancel (renewal);
  if (!renewing)
    free_credentials (credentials);
}

void
box_credentials_set_access_token (BoxCredentials *credentials, const char *token)
{
  char *given = NULL;

  if (token != NULL && *token != '\0')
    given = box_secret_trim (g_strdup (token));

  g_mutex_lock (&credentials->lock);
  box_secret_free (credentials->given);
  credentials->given = given;
  credentials->given_refused = FALSE;
  g_clear_error (&credentials->failure);
  credentials->pause_until = 0;
  credentials->rounds++;
  g_cond_broadcast (&credentials->changed);
  g_mutex_unlock (&credentials->lock);
}

void
box_credentials_set_request (BoxCredentials *credentials, BoxTokenRequest request,
                             gpointer user_data, GDestroyNotify destroy)
{
  g_autoptr (BoxTokenHook) old = NULL;
  BoxTokenHook *hook = NULL;

  if (request != NULL)
    hook = box_token_hook_new (request, user_data, destroy);

  g_mutex_lock (&credentials->lock);
  old = credentials->hook;
  credentials->hook = hook;
  g_mutex_unlock (&credentials->lock);
}

void
box_credentials_set_request_limit (BoxCredentials *credentials, gint64 limit)
{
  g_mutex_lock (&credentials->lock);
  credentials->request_limit = limit > 0 ? limit : REQUEST_LIMIT;
  g_mutex_unlock (&credentials->lock);
}

const BoxTokenSource *
box_credentials_get_source (BoxCredentials *credentials)
{
  return credentials->source;
}

/* The present token; NULL where there is none, or Box refused it, or it has expired. */
static const char *
present_locked (BoxCredentials *credentials, gint64 lasting, BoxTokenState *state)
{
  *state = BOX_TOKEN_EXPIRED;
  if (credentials->given != NULL)
    {
      if (credentials->given_refused)
        return NULL;
      *state = BOX_TOKEN_GOOD;
      return credentials->given;
    }
  if (credentials->token == NULL || credentials->token_refused)
    return NULL;

  *state = box_token_state (credentials->token, g_get_monotonic_time (), lasting);
  if (*state == BOX_TOKEN_EXPIRED)
    return NULL;
  if (credentials->file_changed)
    *state = BOX_TOKEN_SHORT;
  return credentials->token->access;
}

static void
note_refused_locked (BoxCredentials *credentials, const char *refused)
{
  if (refused == NULL)
    return;
  if (g_strcmp0 (refused, credentials->given) == 0)
    credentials->given_refused = TRUE;
  if (credentials->token == NULL || !g_str_equal (refused, credentials->token->access))
    return;

  credentials->token_refused = TRUE;
  if (!credentials->token_answered)
    {
      box_secret_free (credentials->source_refused);
      credentials->source_refused = g_strdup (refused);
    }
}

/* Looks whether the source's file has changed. A failure before the change says nothing about what
 * comes after it. */
static void
watch_file (BoxCredentials *credentials)
{
  const BoxTokenSource *source = credentials->source;
  BoxFileStamp stamp;

  if (source->path == NULL || !box_file_stamp_take (source->path, &stamp))
    return;

  g_mutex_lock (&credentials->lock);
  if (!box_file_stamp_equal (&stamp, &credentials->stamp))
    {
      credentials->stamp = stamp;
      credentials->pause_until = 0;
      credentials->file_changed = source->kind == BOX_TOKEN_SOURCE_FILE;
    }
  g_mutex_unlock (&credentials->lock);
}

/* What one renewal works with: a copy of what it needs, taken under the lock. */
typedef struct
{
  BoxTokenSource *source;
  BoxTokenHook *hook;
  gint64 request_limit;
  GCancellable *cancellable;
  gboolean given; /* it is the application's own token that was refused: the source has no say */
  char *refused[3];
  char *present;   /* to be replaced, though not refused */
  BoxToken *token; /* the outcome */
  gboolean answered;
} Renewal;

static Renewal *
renewal_new_locked (BoxCredentials *credentials)
{
  Renewal *renewal = g_new0 (Renewal, 1);
  guint n = 0;

  renewal->source = credentials->source;
  renewal->hook = credentials->hook != NULL ? box_token_hook_ref (credentials->hook) : NULL;
  renewal->request_limit = credentials->request_limit;
  renewal->cancellable = g_object_ref (credentials->renewal);
  renewal->given = credentials->given != NULL;
  if (renewal->given)
    renewal->refused[n++] = g_strdup (credentials->given);
  else if (credentials->token_refused)
    {
      renewal->refused[n++] = g_strdup (credentials->token->access);
      renewal->refused[n++] = g_strdup (credentials->source_refused);
    }
  else if (credentials->token != NULL)
    renewal->present = g_strdup (credentials->token->access);
  return renewal;
}

static void
renewal_free (Renewal *renewal)
{
  g_clear_pointer (&renewal->hook, box_token_hook_unref);
  g_clear_object (&renewal->cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (renewal->refused); i++)
    box_secret_free (renewal->refused[i]);
  box_secret_free (renewal->present);
  box_token_free (renewal->token);
  g_free (renewal);
}

static char *
ask_application (Renewal *renewal, GError **error)
{
  g_autoptr (BoxSecret) answer = NULL;

  answer = box_token_hook_ask (renewal->hook, renewal->request_limit, renewal->cancellable, error);
  if (answer != NULL && g_strv_contains ((const char *const *) renewal->refused, answer))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "The application answered the token that Box had refused");
      return NULL;
    }
  return g_steal_pointer (&answer);
}

/* Another token by the source's means, or else by the application's. */
static gboolean
renewal_run (Renewal *renewal, GError **error)
{
  BoxTokenSource none = { BOX_TOKEN_SOURCE_NONE };
  g_autoptr (GError) local_error = NULL;
  char *answer;

  renewal->token = box_token_source_obtain (renewal->given ? &none : renewal->source,
                                            (const char *const *) renewal->refused,
                                            renewal->present, renewal->cancellable, &local_error);
  if (renewal->token != NULL)
    return TRUE;
  if (renewal->hook == NULL || box_error_is_transient (local_error)
      || g_error_matches (local_error, BOX_ERROR, BOX_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }

  answer = ask_application (renewal, error);
  if (answer == NULL)
    {
      g_prefix_error (error, "%s. ", local_error->message);
      return FALSE;
    }
  renewal->token = box_token_new (answer, 0, 0);
  renewal->answered = TRUE;
  return TRUE;
}

static void
install_locked (BoxCredentials *credentials, Renewal *renewal)
{
  if (!renewal->given)
    {
      box_token_free (credentials->token);
      credentials->token = g_steal_pointer (&renewal->token);
      credentials->token_refused = FALSE;
      credentials->token_answered = renewal->answered;
    }
  else if (credentials->given != NULL && credentials->given_refused)
    {
      box_secret_free (credentials->given);
      credentials->given = g_steal_pointer (&renewal->token->access);
      credentials->given_refused = FALSE;
    }
}

static void
note_failure_locked (BoxCredentials *credentials, GError *failure)
{
  gint64 pause =
      MAX (RENEWAL_PAUSE, box_error_get_details (failure)->retry_after * (gint64) G_USEC_PER_SEC);

  g_clear_error (&credentials->failure);
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
    {
      g_clear_error (&failure);
      failure = g_error_new (BOX_ERROR, BOX_ERROR_TRANSIENT,
                             "The token endpoint has not answered within %d seconds",
                             (gint) (RENEWAL_LIMIT / G_USEC_PER_SEC));
    }
  credentials->failure = failure;
  credentials->pause_until = g_get_monotonic_time () + MIN (pause, PAUSE_MAX);
}

static gpointer
renew_in_thread (gpointer user_data)
{
  BoxCredentials *credentials = user_data;
  Renewal *renewal;
  GError *failure = NULL;
  gboolean abandoned;

  g_mutex_lock (&credentials->lock);
  renewal = renewal_new_locked (credentials);
  credentials->file_changed = FALSE;
  g_mutex_unlock (&credentials->lock);

  renewal_run (renewal, &failure);

  g_mutex_lock (&credentials->lock);
  if (failure == NULL)
    {
      install_locked (credentials, renewal);
      g_clear_error (&credentials->failure);
    }
  else
    note_failure_locked (credentials, failure);
  credentials->renewing = FALSE;
  credentials->rounds++;
  abandoned = credentials->abandoned;
  g_cond_broadcast (&credentials->changed);
  g_mutex_unlock (&credentials->lock);

  renewal_free (renewal);
  if (abandoned)
    free_credentials (credentials);
  return NULL;
}

static void
begin_renewal_locked (BoxCredentials *credentials)
{
  g_autoptr (GError) local_error = NULL;
  GThread *thread;

  g_clear_object (&credentials->renewal);
  credentials->renewal = g_cancellable_new ();
  credentials->deadline = g_get_monotonic_time () + RENEWAL_LIMIT;
  credentials->renewing = TRUE;

  thread = g_thread_try_new ("box-token", renew_in_thread, credentials, &local_error);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return;
    }
  credentials->renewing = FALSE;
  credentials->rounds++;
  note_failure_locked (credentials, g_error_new (BOX_ERROR, BOX_ERROR_TRANSIENT,
                                                 "No thread to renew the access token: %s",
                                                 local_error->message));
}

/* Waits for the present renewal to end, be it by force. */
static void
await_renewal_locked (BoxCredentials *credentials, GCancellable *cancellable)
{
  guint round = credentials->rounds;

  while (credentials->rounds == round && credentials->renewing
         && !g_cancellable_is_cancelled (cancellable))
    {
      g_autoptr (GCancellable) renewal = NULL;

      if (g_cond_wait_until (&credentials->changed, &credentials->lock, credentials->deadline))
        continue;
      /* Once: cancelling is calling out, so the lock is released. */
      credentials->deadline = G_MAXINT64;
      renewal = g_object_ref (credentials->renewal);
      g_mutex_unlock (&credentials->lock);
      g_cancellable_cancel (renewal);
      g_mutex_lock (&credentials->lock);
    }
}

/* The failure that stands, its Retry-After counted from now. */
static GError *
failure_locked (BoxCredentials *credentials)
{
  const GError *failure = credentials->failure;
  BoxErrorDetails details = *box_error_get_details (failure);
  gint64 left = credentials->pause_until - g_get_monotonic_time ();

  if (details.retry_after >= 0)
    details.retry_after = (gint) (MAX (left, 0) / G_USEC_PER_SEC);
  return box_error_new_with_details ((BoxErrorCode) failure->code, &details, "%s",
                                     failure->message);
}

static char *
take_token_locked (BoxCredentials *credentials, gint64 lasting, GCancellable *cancellable,
                   GError **error)
{
  gboolean waited = FALSE;

  while (!g_cancellable_is_cancelled (cancellable))
    {
      BoxTokenState state;
      const char *present = present_locked (credentials, lasting, &state);
      gboolean paused = !credentials->renewing && credentials->failure != NULL
                        && g_get_monotonic_time () < credentials->pause_until;

      if (state == BOX_TOKEN_DUE && !credentials->renewing && !paused)
        begin_renewal_locked (credentials);
      if (state <= BOX_TOKEN_DUE || (present != NULL && (waited || paused)))
        return g_strdup (present);
      if (paused || (waited && credentials->failure != NULL))
        {
          g_propagate_error (error, failure_locked (credentials));
          return NULL;
        }
      if (!credentials->renewing)
        begin_renewal_locked (credentials);
      await_renewal_locked (credentials, cancellable);
      waited = TRUE;
    }
  g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Cancelled");
  return NULL;
}

char *
box_credentials_get_token (BoxCredentials *credentials, const char *refused, guint lasting,
                           GCancellable *cancellable, GError **error)
{
  BoxWakeup wakeup;
  char *token;

  watch_file (credentials);
  box_wakeup_connect (&wakeup, cancellable, &credentials->lock, &credentials->changed);
  g_mutex_lock (&credentials->lock);
  note_refused_locked (credentials, refused);
  token = take_token_locked (credentials, lasting * (gint64) G_USEC_PER_SEC, cancellable, error);
  g_mutex_unlock (&credentials->lock);
  box_wakeup_disconnect (&wakeup);
  return token;
}

void
box_credentials_free_token (char *token)
{
  box_secret_free (token);
}

/* The configuration is read for this: what it says may have changed since. */
static void
describe_config (BoxCredentialsInfo *info)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config = box_auth_config_load (info->origin, info->path, &error);

  info->grant = "auth-config";
  if (config == NULL)
    {
      info->warning = g_strdup (error->message);
      return;
    }
  info->grant = box_auth_kind_name (config->kind);
  if (config->subject_type != NULL)
    info->subject = g_strdup_printf ("%s %s", config->subject_type, config->subject_id);
}

static void
describe_source (BoxCredentialsInfo *info, const BoxTokenSource *source)
{
  info->origin = g_strdup (source->origin);
  info->path = g_strdup (source->path);
  switch (source->kind)
    {
    case BOX_TOKEN_SOURCE_NONE:
      info->grant = "none";
      break;
    case BOX_TOKEN_SOURCE_TOKEN:
      info->grant = "access-token";
      break;
    case BOX_TOKEN_SOURCE_FILE:
      info->grant = "token-file";
      break;
    case BOX_TOKEN_SOURCE_CONFIG:
      describe_config (info);
      break;
    }
  if (info->warning == NULL)
    info->warning = exposure (source);
}

BoxCredentialsInfo *
box_credentials_describe (BoxCredentials *credentials)
{
  BoxCredentialsInfo *info = g_new0 (BoxCredentialsInfo, 1);
  gint64 expires = G_MAXINT64;
  gboolean given, answered;

  g_mutex_lock (&credentials->lock);
  given = credentials->given != NULL;
  answered = credentials->token_answered;
  if (!given && credentials->token != NULL)
    expires = credentials->token->expires;
  g_mutex_unlock (&credentials->lock);

  if (given)
    {
      info->grant = "access-token";
      info->origin = g_strdup ("access-token");
    }
  else
    describe_source (info, credentials->source);
  if (!given && answered)
    info->grant = "application";
  if (expires != G_MAXINT64)
    info->expires =
        (g_get_real_time () + expires - g_get_monotonic_time ()) / (gint64) G_USEC_PER_SEC;
  return info;
}

void
box_credentials_info_free (BoxCredentialsInfo *info)
{
  if (info == NULL)
    return;
  g_free (info->origin);
  g_free (info->path);
  g_free (info->subject);
  g_free (info->warning);
  g_free (info);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What belongs to one user of credentials: the tokens that its application gave, and the function
 * that it gave to ask for more. Tokens of files and configurations are the keepers', shared with
 * others.
 */
#define G_LOG_DOMAIN "boxupload"

#include "auth/config.h"
#include "auth/credentials-internal.h"
#include "auth/provider-application.h"
#include "auth/token-cache.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/wakeup.h"

/* Microseconds. */
#define REQUEST_LIMIT (30 * G_USEC_PER_SEC)

/* Of credentials made from now on; only tests change it. Atomic. */
static gint64 default_request_limit = REQUEST_LIMIT;

struct _BoxCredentials
{
  gatomicrefcount users;

  /* immutable */
  BoxTokenSource *source;
  BoxTokenCache *keeper; /* of the source's tokens; NULL: it has none but what is given */

  GMutex lock;
  GCond changed;
  /* with lock */
  char *given; /* goes before the keeper's; nullable */
  const char *given_origin;
  gboolean given_refused;
  gboolean
      answered; /* @given is an answer of @hook: where it is refused, the keeper has another try */
  BoxTokenHook *hook; /* nullable */
  gint64 request_limit;
  gboolean asking;    /* some thread asks @hook */
  GCancellable *stop; /* ends its waiting; NULL: nobody asks */
  guint rounds;       /* how often that has ended */
  GError *unanswered; /* how it ended last; NULL: with a token */
};

static void
give_locked (BoxCredentials *credentials, char *token, const char *origin, gboolean answered)
{
  box_secret_free (credentials->given);
  credentials->given = token;
  credentials->given_origin = origin;
  credentials->given_refused = FALSE;
  credentials->answered = answered;
  g_clear_error (&credentials->unanswered);
  g_cond_broadcast (&credentials->changed);
}

/* What the settings or the environment give, or the application anew. */
static void
give_plain_locked (BoxCredentials *credentials, const char *token)
{
  const BoxTokenSource *source = credentials->source;

  if (token != NULL && *token != '\0')
    give_locked (credentials, box_secret_trim (g_strdup (token)), "access-token", FALSE);
  else if (source->kind == BOX_TOKEN_SOURCE_TOKEN)
    give_locked (credentials, g_strdup (source->token), source->origin, FALSE);
  else
    give_locked (credentials, NULL, NULL, FALSE);
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
check (BoxCredentials *credentials, GError **error)
{
  g_autofree char *warning = NULL;

  if (credentials->given != NULL)
    return box_token_check (credentials->given_origin, credentials->given, error);
  if (credentials->keeper == NULL)
    return TRUE;
  if (!box_token_cache_open (credentials->keeper, error))
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
  credentials->request_limit = __atomic_load_n (&default_request_limit, __ATOMIC_RELAXED);
  credentials->source = box_token_source_new (settings, config);
  if (credentials->source->path != NULL)
    credentials->keeper = box_token_cache_get (box_token_source_new (settings, config));
  give_plain_locked (credentials, settings->access_token);

  if (!check (credentials, error))
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
  if (!g_atomic_ref_count_dec (&credentials->users))
    return;
  g_clear_pointer (&credentials->keeper, box_token_cache_unref);
  g_clear_pointer (&credentials->hook, box_token_hook_unref);
  box_token_source_free (credentials->source);
  box_secret_free (credentials->given);
  g_clear_error (&credentials->unanswered);
  g_mutex_clear (&credentials->lock);
  g_cond_clear (&credentials->changed);
  g_free (credentials);
}

void
box_credentials_set_access_token (BoxCredentials *credentials, const char *token)
{
  g_autoptr (GCancellable) stop = NULL;

  g_mutex_lock (&credentials->lock);
  give_plain_locked (credentials, token);
  if (credentials->stop != NULL)
    stop = g_object_ref (credentials->stop);
  g_mutex_unlock (&credentials->lock);

  if (stop != NULL)
    g_cancellable_cancel (stop);
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

void
box_credentials_set_default_request_limit (gint64 limit)
{
  __atomic_store_n (&default_request_limit, limit > 0 ? limit : REQUEST_LIMIT, __ATOMIC_RELAXED);
}

const BoxTokenSource *
box_credentials_get_source (BoxCredentials *credentials)
{
  return credentials->source;
}

/* The given token, where Box has not refused it. */
static const char *
given_locked (BoxCredentials *credentials)
{
  return credentials->given_refused ? NULL : credentials->given;
}

/* Why a token that was given is of no use, or that none was. */
static GError *
explain_given_locked (BoxCredentials *credentials)
{
  if (credentials->given != NULL)
    return g_error_new (BOX_ERROR, BOX_ERROR_CREDENTIALS,
                        "Box refuses the token in %s (expired or revoked): give a new one; "
                        "token-file and auth-config renew themselves",
                        credentials->given_origin);
  return g_error_new (BOX_ERROR, BOX_ERROR_CREDENTIALS,
                      "No credentials: give access-token, token-file or auth-config, or set "
                      "BOX_ACCESS_TOKEN, BOX_TOKEN_FILE or BOX_AUTH_CONFIG");
}

/* By the means of the settings. Where they have none: NULL, with @reason set. */
static char *
take_token (BoxCredentials *credentials, const char *refused, guint lasting,
            GCancellable *cancellable, GError **reason)
{
  char *token;
  gboolean ask_keeper;

  g_mutex_lock (&credentials->lock);
  if (g_strcmp0 (refused, credentials->given) == 0 && refused != NULL)
    credentials->given_refused = TRUE;
  token = g_strdup (given_locked (credentials));
  ask_keeper = credentials->keeper != NULL && (credentials->given == NULL || credentials->answered);
  if (token == NULL && !ask_keeper)
    g_propagate_error (reason, explain_given_locked (credentials));
  g_mutex_unlock (&credentials->lock);

  if (token == NULL && ask_keeper)
    token = box_token_cache_take (credentials->keeper, refused, lasting * (gint64) G_USEC_PER_SEC,
                                  cancellable, reason);
  return token;
}

static GError *
new_unanswered (const GError *reason, const GError *answer)
{
  return g_error_new (BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s. %s", reason->message, answer->message);
}

static void
cancel_too (GCancellable *cancelled, gpointer other)
{
  g_cancellable_cancel (other);
}

/* @cancellable (nullable) and @stop each end the waiting. */
static char *
ask (BoxTokenHook *hook, gint64 limit, GCancellable *cancellable, GCancellable *stop,
     GError **error)
{
  gulong id = 0;
  char *answer;

  if (cancellable != NULL)
    id = g_cancellable_connect (cancellable, G_CALLBACK (cancel_too), g_object_ref (stop),
                                g_object_unref);
  answer = box_token_hook_ask (hook, limit, stop, error);
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, id);
  return answer;
}

/* One thread asks for all. The lock is released meanwhile. */
static void
ask_locked (BoxCredentials *credentials, const char *refused, GCancellable *cancellable)
{
  g_autoptr (BoxTokenHook) hook = box_token_hook_ref (credentials->hook);
  gint64 limit = credentials->request_limit;
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSecret) answer = NULL;
  g_autoptr (GCancellable) stop = g_cancellable_new ();

  credentials->asking = TRUE;
  credentials->stop = stop;
  g_mutex_unlock (&credentials->lock);
  answer = ask (hook, limit, cancellable, stop, &error);
  g_mutex_lock (&credentials->lock);
  credentials->stop = NULL;
  credentials->asking = FALSE;
  credentials->rounds++;
  g_cond_broadcast (&credentials->changed);

  if (answer != NULL
      && (g_strcmp0 (answer, refused) == 0
          || (credentials->given_refused && g_strcmp0 (answer, credentials->given) == 0)))
    g_set_error (&error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                 "The application answered the token that Box had refused");
  g_clear_error (&credentials->unanswered);
  if (error != NULL)
    credentials->unanswered = g_steal_pointer (&error);
  else if (given_locked (credentials) == NULL)
    give_locked (credentials, g_steal_pointer (&answer), "the application's answer", TRUE);
}

/* The application's last word, where it has given a function for that; @reason (taken) where not.
 */
static char *
ask_application_locked (BoxCredentials *credentials, const char *refused, GError *reason,
                        GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) why = reason;
  gboolean waited = FALSE;

  while (!g_cancellable_is_cancelled (cancellable))
    {
      guint round = credentials->rounds;

      if (given_locked (credentials) != NULL)
        return g_strdup (given_locked (credentials));
      if (credentials->hook == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&why));
          return NULL;
        }
      if (waited && credentials->unanswered != NULL
          && !g_error_matches (credentials->unanswered, BOX_ERROR, BOX_ERROR_CANCELLED))
        {
          g_propagate_error (error, new_unanswered (why, credentials->unanswered));
          return NULL;
        }
      if (!credentials->asking)
        ask_locked (credentials, refused, cancellable);
      while (credentials->asking && credentials->rounds == round
             && given_locked (credentials) == NULL && !g_cancellable_is_cancelled (cancellable))
        g_cond_wait (&credentials->changed, &credentials->lock);
      waited = TRUE;
    }
  g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Cancelled");
  return NULL;
}

char *
box_credentials_get_token (BoxCredentials *credentials, const char *refused, guint lasting,
                           GCancellable *cancellable, GError **error)
{
  GError *reason = NULL;
  char *token = take_token (credentials, refused, lasting, cancellable, &reason);
  BoxWakeup wakeup;

  if (token != NULL)
    return token;
  if (box_error_is_transient (reason) || g_error_matches (reason, BOX_ERROR, BOX_ERROR_CANCELLED))
    {
      g_propagate_error (error, reason);
      return NULL;
    }

  box_wakeup_connect (&wakeup, cancellable, &credentials->lock, &credentials->changed);
  g_mutex_lock (&credentials->lock);
  token = ask_application_locked (credentials, refused, reason, cancellable, error);
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
  g_autoptr (BoxAuthConfig) config =
      box_auth_config_load (info->origin, info->path, BOX_AUTH_CONFIG_BEGIN, &error);

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
  const char *origin = NULL;
  gboolean answered;

  g_mutex_lock (&credentials->lock);
  if (credentials->given != NULL && !(credentials->answered && credentials->given_refused))
    origin = credentials->given_origin;
  answered = credentials->answered;
  g_mutex_unlock (&credentials->lock);

  if (origin == NULL)
    describe_source (info, credentials->source);
  else
    {
      info->grant = answered ? "application" : "access-token";
      info->origin = g_strdup (origin);
    }
  if (origin == NULL && credentials->keeper != NULL)
    expires = box_token_cache_get_expiry (credentials->keeper);
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

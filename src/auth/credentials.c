/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials are a chain: the token that was given, what the settings name, the application's
 * function. The first that has a token is asked. The cache of what the settings name is shared with
 * others (see BoxTokenCache); the rest belongs to one user of credentials.
 */
#define G_LOG_DOMAIN "boxupload"

#include "auth/credentials.h"
#include "auth/provider.h"
#include "base/error.h"
#include "base/secret.h"
#include "http/trust.h"

#include <string.h>

/* Of the application, for an answer. Microseconds. */
#define REQUEST_LIMIT (30 * G_USEC_PER_SEC)

#define ONE_FOLDER "A token for one folder"
#define ADVICE     "the present token cannot be exchanged for one"

struct _BoxCredentials
{
  /* immutable */
  BoxTokenSource *source;
  BoxTokenCache *configured; /* NULL: the settings name nothing but a token, or nothing */

  GMutex lock;
  /* with lock */
  char *given; /* nullable */
  const char *given_origin;
  gboolean given_refused;
  BoxTokenCache *application; /* nullable */
  gint64 request_limit;
  guint strays; /* of exchanges; see box_token_reply_doubt() */
};

static void
give_locked (BoxCredentials *credentials, char *token, const char *origin)
{
  box_secret_free (credentials->given);
  credentials->given = token;
  credentials->given_origin = origin;
  credentials->given_refused = FALSE;
}

/* The token of the settings or the environment, or a new one of the application. */
static void
give_plain_locked (BoxCredentials *credentials, const char *token)
{
  const BoxTokenSource *source = credentials->source;

  if (token != NULL && *token != '\0')
    give_locked (credentials, box_secret_trim (g_strdup (token)), "access-token");
  else if (source->kind == BOX_TOKEN_SOURCE_TOKEN)
    give_locked (credentials, g_strdup (source->token), source->origin);
  else
    give_locked (credentials, NULL, NULL);
}

/* A warning if others may read the source's file, else NULL. */
static char *
exposure (const BoxTokenSource *source)
{
  if (source->path == NULL || !box_secret_file_is_exposed (source->path))
    return NULL;
  return g_strdup_printf ("%s “%s” can be read or written by everybody on this machine: chmod 600 "
                          "it, and replace the secrets in it",
                          source->origin, source->path);
}

/* Each file is named once in the life of the process, however many users it has. */
static gboolean
is_news (const char *path)
{
  static GMutex lock;
  static GHashTable *named; /* with lock */
  gboolean is_new;

  g_mutex_lock (&lock);
  if (named == NULL)
    named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  is_new = g_hash_table_add (named, g_strdup (path));
  g_mutex_unlock (&lock);
  return is_new;
}

/* Checks what the settings name, and says what is unwise about it. */
static gboolean
check (BoxCredentials *credentials, GError **error)
{
  g_autofree char *warning = NULL;

  if (credentials->given != NULL)
    return box_token_check (credentials->given_origin, credentials->given, error);
  if (credentials->configured == NULL)
    return TRUE;
  if (!box_token_cache_open (credentials->configured, error))
    return FALSE;
  warning = exposure (credentials->source);
  if (warning != NULL && is_news (credentials->source->path))
    g_message ("%s", warning);
  return TRUE;
}

BoxCredentials *
box_credentials_new (const BoxCredentialsSettings *settings, BoxTransportConfig *config,
                     GError **error)
{
  g_autoptr (BoxCredentials) credentials = g_new0 (BoxCredentials, 1);

  g_mutex_init (&credentials->lock);
  credentials->request_limit = REQUEST_LIMIT;
  credentials->source = box_token_source_new (settings, config);
  if (credentials->source->path != NULL)
    credentials->configured = box_token_cache_get (box_token_source_new (settings, config));
  give_plain_locked (credentials, settings->access_token);

  if (!check (credentials, error))
    return NULL;
  return g_steal_pointer (&credentials);
}

void
box_credentials_free (BoxCredentials *credentials)
{
  g_clear_pointer (&credentials->configured, box_token_cache_unref);
  g_clear_pointer (&credentials->application, box_token_cache_unref);
  box_token_source_free (credentials->source);
  box_secret_free (credentials->given);
  g_mutex_clear (&credentials->lock);
  g_free (credentials);
}

void
box_credentials_set_access_token (BoxCredentials *credentials, const char *token)
{
  g_mutex_lock (&credentials->lock);
  give_plain_locked (credentials, token);
  if (credentials->application != NULL)
    box_token_cache_forget (credentials->application);
  g_mutex_unlock (&credentials->lock);
}

void
box_credentials_set_request (BoxCredentials *credentials, BoxTokenRequest request,
                             gpointer user_data, GDestroyNotify destroy)
{
  BoxTokenCache *application = NULL, *old;

  g_mutex_lock (&credentials->lock);
  if (request != NULL)
    application =
        box_token_cache_new (box_token_provider_new_application (request, user_data, destroy),
                             credentials->request_limit);
  old = credentials->application;
  credentials->application = application;
  g_mutex_unlock (&credentials->lock);

  g_clear_pointer (&old, box_token_cache_unref);
}

void
box_credentials_set_request_limit (BoxCredentials *credentials, gint64 limit)
{
  g_mutex_lock (&credentials->lock);
  credentials->request_limit = limit > 0 ? limit : REQUEST_LIMIT;
  if (credentials->application != NULL)
    box_token_cache_set_limit (credentials->application, credentials->request_limit);
  g_mutex_unlock (&credentials->lock);
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

/* The token that was given or, later than that, answered; NULL if Box has refused both. */
static char *
given_locked (BoxCredentials *credentials, const char *refused)
{
  if (refused != NULL && g_strcmp0 (refused, credentials->given) == 0)
    credentials->given_refused = TRUE;
  if (credentials->given != NULL && !credentials->given_refused)
    return g_strdup (credentials->given);
  if (credentials->application != NULL)
    return box_token_cache_peek (credentials->application, refused);
  return NULL;
}

/* Without asking the application. NULL: with @reason set. A token that was given hides what the
 * settings name, even if Box refuses it. */
static char *
take_token (BoxCredentials *credentials, const char *refused, guint lasting,
            GCancellable *cancellable, GError **reason)
{
  char *token;
  gboolean configured;

  g_mutex_lock (&credentials->lock);
  token = given_locked (credentials, refused);
  configured = credentials->configured != NULL && credentials->given == NULL;
  if (token == NULL && !configured)
    g_propagate_error (reason, explain_given_locked (credentials));
  g_mutex_unlock (&credentials->lock);

  if (token == NULL && configured)
    token = box_token_cache_take (credentials->configured, refused,
                                  lasting * (gint64) G_USEC_PER_SEC, cancellable, reason);
  return token;
}

/* Asks the application, if it has given a function for that; else the error is @reason.
 * BOX_ERROR_CANCELLED also means that another token was given meanwhile. */
static char *
ask_application (BoxCredentials *credentials, const char *refused, const GError *reason,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxTokenCache) application = NULL;
  g_autoptr (GError) answer = NULL;
  char *token;

  g_mutex_lock (&credentials->lock);
  token = given_locked (credentials, refused);
  if (credentials->application != NULL)
    application = box_token_cache_ref (credentials->application);
  g_mutex_unlock (&credentials->lock);
  if (token != NULL)
    return token;
  if (application == NULL)
    {
      g_propagate_error (error, g_error_copy (reason));
      return NULL;
    }

  token = box_token_cache_take (application, refused, 0, cancellable, &answer);
  if (token == NULL && g_error_matches (answer, BOX_ERROR, BOX_ERROR_CANCELLED))
    g_propagate_error (error, g_steal_pointer (&answer));
  else if (token == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s. %s", reason->message,
                 answer->message);
  return token;
}

char *
box_credentials_get_token (BoxCredentials *credentials, const char *refused, guint lasting,
                           GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) reason = NULL;
  char *token = take_token (credentials, refused, lasting, cancellable, &reason);

  if (token != NULL)
    return token;
  if (box_error_is_transient (reason) || g_error_matches (reason, BOX_ERROR, BOX_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return NULL;
    }
  for (;;)
    {
      g_autoptr (GError) answer = NULL;

      token = ask_application (credentials, refused, reason, cancellable, &answer);
      if (token != NULL)
        return token;
      if (!g_error_matches (answer, BOX_ERROR, BOX_ERROR_CANCELLED)
          || g_cancellable_is_cancelled (cancellable))
        {
          g_propagate_error (error, g_steal_pointer (&answer));
          return NULL;
        }
    }
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

/* Describes the given token, or a later answer; FALSE if there is no token. */
static gboolean
describe_given (BoxCredentialsInfo *info, BoxCredentials *credentials)
{
  g_autoptr (BoxSecret) answered = NULL;

  g_mutex_lock (&credentials->lock);
  if (credentials->application != NULL)
    answered = box_token_cache_peek (credentials->application, NULL);
  if (answered != NULL && (credentials->given == NULL || credentials->given_refused))
    {
      info->grant = "application";
      info->origin = g_strdup ("the application's answer");
    }
  else if (credentials->given != NULL)
    {
      info->grant = "access-token";
      info->origin = g_strdup (credentials->given_origin);
    }
  g_mutex_unlock (&credentials->lock);
  return info->origin != NULL;
}

BoxCredentialsInfo *
box_credentials_describe (BoxCredentials *credentials)
{
  BoxCredentialsInfo *info = g_new0 (BoxCredentialsInfo, 1);
  gint64 expires = G_MAXINT64;

  if (describe_given (info, credentials))
    return info;
  describe_source (info, credentials->source);
  if (credentials->configured != NULL)
    expires = box_token_cache_get_expiry (credentials->configured);
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

static BoxReply *
exchange (const BoxTokenEndpoint *endpoint, const char *token, const char *folder_id,
          GCancellable *cancellable, GError **error)
{
  g_autofree char *resource = g_strdup_printf ("https://api.box.com/2.0/folders/%s", folder_id);
  char *form = box_grant_form ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange",
                               "subject_token", token, "subject_token_type",
                               "urn:ietf:params:oauth:token-type:access_token", "scope",
                               "base_upload item_upload", "resource", resource, NULL);

  return box_grant_send (endpoint, form, cancellable, error);
}

/* Once more with a newer token, if it is the token that was refused. */
static BoxReply *
exchange_with_renewal (BoxCredentials *credentials, const char *folder_id,
                       GCancellable *cancellable, GError **error)
{
  const BoxTokenEndpoint *endpoint = &credentials->source->endpoint;
  g_autoptr (BoxSecretReply) reply = NULL;
  g_autoptr (BoxSecret) token = NULL;
  g_autoptr (BoxSecret) newer = NULL;

  token = box_credentials_get_token (credentials, NULL, 0, cancellable, error);
  if (token == NULL)
    return NULL;
  reply = exchange (endpoint, token, folder_id, cancellable, error);
  if (reply == NULL || !box_token_reply_is_about_token (reply))
    return g_steal_pointer (&reply);

  newer = box_credentials_get_token (credentials, token, 0, cancellable, error);
  if (newer == NULL)
    return NULL;
  return exchange (endpoint, newer, folder_id, cancellable, error);
}

char *
box_credentials_downscope (BoxCredentials *credentials, const char *folder_id, gint64 *expires_in,
                           GCancellable *cancellable, GError **error)
{
  const BoxTokenEndpoint *endpoint = &credentials->source->endpoint;
  gint64 issued = g_get_monotonic_time ();
  g_autoptr (GError) local_error = NULL;
  g_autoptr (BoxSecretReply) reply = NULL;
  g_autoptr (BoxToken) token = NULL;

  if (*folder_id == '\0' || strspn (folder_id, "0123456789") != strlen (folder_id))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "“%s” is no folder ID (digits)",
                   folder_id);
      return NULL;
    }
  if (!box_url_policy_check_endpoint (endpoint->url, "The token endpoint's address", error))
    return NULL;
  reply = exchange_with_renewal (credentials, folder_id, cancellable, error);
  if (reply == NULL)
    return NULL;
  token = box_token_reply_parse (reply, ONE_FOLDER, ADVICE, issued, &local_error);
  g_mutex_lock (&credentials->lock);
  box_token_reply_doubt (local_error, &credentials->strays);
  g_mutex_unlock (&credentials->lock);
  if (token == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  if (expires_in != NULL)
    *expires_in = token->life / G_USEC_PER_SEC;
  return g_steal_pointer (&token->access);
}

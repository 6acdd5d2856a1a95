/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OAuth 2 refresh tokens: each can be used once, and its successor is in the file before the access
 * token that came with it is used. Processes that share the file share what is in it: the access
 * token is kept beside the refresh token.
 */
#define G_LOG_DOMAIN "boxupload"

#include "auth/config.h"
#include "auth/provider.h"
#include "base/error.h"
#include "base/secret.h"

#include <stdlib.h>

/* How long a process that ends waits for refresh tokens that are being replaced: their successors
 * would be lost. Microseconds. */
#define EXIT_LIMIT (5 * G_USEC_PER_SEC)

static GMutex rotations_lock;
static GCond rotations_over;
/* with rotations_lock */
static guint rotations;
static gboolean exit_waits;

#define ADVICE                                                                                     \
  "the refresh token is no longer valid (they last 60 days and are good for one use; another "     \
  "copy "                                                                                          \
  "of this file may have used it, or the answer to a renewal was lost): log in to Box once more "  \
  "and put the new refresh_token there"

static char *
make_form (const BoxAuthConfig *config)
{
  return box_grant_form ("grant_type", "refresh_token", "client_id", config->client_id,
                         "client_secret", config->client_secret, "refresh_token",
                         config->refresh_token, NULL);
}

/* The access token in the file, if it is good for a while and not one of those in @wish; else NULL.
 */
static BoxToken *
stored_token (const BoxAuthConfig *config, const BoxTokenWish *wish)
{
  g_autoptr (BoxToken) token = NULL;
  gint64 left = config->expires_at - g_get_real_time () / G_USEC_PER_SEC;

  if (config->access_token == NULL || g_strv_contains (wish->refused, config->access_token)
      || g_strcmp0 (wish->present, config->access_token) == 0 || config->expires_in <= 0
      || left <= 0 || left > config->expires_in)
    return NULL;
  token = box_token_new (g_strdup (config->access_token), config->expires_in,
                         g_get_monotonic_time () - (config->expires_in - left) * G_USEC_PER_SEC);
  if (box_token_state (token, g_get_monotonic_time (), 0) != BOX_TOKEN_GOOD)
    return NULL;
  return g_steal_pointer (&token);
}

static void
wait_for_rotations (void)
{
  gint64 deadline = g_get_monotonic_time () + EXIT_LIMIT;
  gboolean in_time = TRUE;

  g_mutex_lock (&rotations_lock);
  while (rotations > 0 && in_time)
    in_time = g_cond_wait_until (&rotations_over, &rotations_lock, deadline);
  g_mutex_unlock (&rotations_lock);
}

static void
begin_rotation (void)
{
  g_mutex_lock (&rotations_lock);
  rotations++;
  if (!exit_waits)
    exit_waits = atexit (wait_for_rotations) == 0;
  g_mutex_unlock (&rotations_lock);
}

static void
end_rotation (void)
{
  g_mutex_lock (&rotations_lock);
  rotations--;
  g_cond_broadcast (&rotations_over);
  g_mutex_unlock (&rotations_lock);
}

/* Writes the next content of the file. @token: NULL if the reply had no good one. */
static void
save (BoxConfigFile *file, const BoxToken *token, const char *successor)
{
  const BoxAuthConfig *config = box_config_file_get_config (file);
  BoxToken next = { .refresh = (char *) (successor != NULL ? successor : config->refresh_token) };
  g_autoptr (BoxSecret) text = NULL;
  g_autoptr (GError) error = NULL;

  if (token != NULL)
    {
      next.access = token->access;
      next.life = token->life;
    }
  text = box_auth_config_rewrite (config, &next, g_get_real_time () / G_USEC_PER_SEC);
  if (!box_config_file_replace (file, text, &error))
    g_message ("%s. The new refresh token is in this process alone until it can be written",
               error->message);
}

/* Whether something that does not take the lock has put another refresh token into the file. */
static gboolean
was_overtaken (const BoxAuthConfig *used, const BoxTokenSource *source)
{
  g_autoptr (BoxAuthConfig) config =
      box_auth_config_load (source->origin, source->path, BOX_AUTH_CONFIG_RENEW, NULL);

  return config == NULL || g_strcmp0 (config->refresh_token, used->refresh_token) != 0;
}

static BoxToken *
rotate (BoxConfigFile *file, const BoxTokenSource *source, GCancellable *cancellable,
        GError **error)
{
  const BoxAuthConfig *config = box_config_file_get_config (file);
  gint64 issued = g_get_monotonic_time ();
  g_autoptr (BoxSecretReply) reply = NULL;
  g_autoptr (BoxToken) token = NULL;
  g_autoptr (BoxSecret) successor = NULL;
  g_autoptr (GError) local_error = NULL;

  reply = box_grant_send (&source->endpoint, make_form (config), cancellable, error);
  if (reply == NULL)
    return NULL;
  successor = box_token_reply_get_refresh (reply);
  token = box_token_reply_parse (reply, config->label, ADVICE, issued, &local_error);
  if (token != NULL || successor != NULL)
    save (file, token, successor);
  if (token != NULL)
    g_clear_pointer (&token->refresh, box_secret_free); /* it is on disk */
  if (token != NULL)
    return g_steal_pointer (&token);

  if (box_token_reply_is_about_token (reply) && was_overtaken (config, source))
    g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "%s has just been changed", config->label);
  else
    g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}

static BoxToken *
obtain (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error)
{
  const BoxTokenSource *source = ((BoxGrantProvider *) provider)->source;
  g_autoptr (BoxConfigFile) file = NULL;
  BoxToken *token;

  file = box_config_file_lock (source->origin, source->path, wish->cancellable, error);
  if (file == NULL)
    return NULL;
  token = stored_token (box_config_file_get_config (file), wish);
  if (token != NULL)
    return token;
  if (!box_config_file_prepare (file, error))
    return NULL;

  begin_rotation ();
  token = rotate (file, source, wish->cancellable, error);
  end_rotation ();
  return token;
}

const BoxTokenProviderClass box_provider_refresh = {
  .check = box_grant_check,
  .obtain = obtain,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/grant.h"
#include "auth/token-source.h"
#include "base/error.h"
#include "http/url-policy.h"

#include <string.h>

/* Bytes: a token, and room for remarks in the lines below it. */
#define TOKEN_FILE_LIMIT 65536

static gboolean
take (BoxTokenSource *source, BoxTokenSourceKind kind, const char *origin, const char *value)
{
  if (value == NULL || *value == '\0')
    return FALSE;

  source->kind = kind;
  source->origin = g_strdup (origin);
  if (kind == BOX_TOKEN_SOURCE_TOKEN)
    source->token = box_secret_trim (g_strdup (value));
  else
    source->path = g_strdup (value);
  return TRUE;
}

static gboolean
take_from_environment (BoxTokenSource *source)
{
  return take (source, BOX_TOKEN_SOURCE_TOKEN, "BOX_ACCESS_TOKEN", g_getenv ("BOX_ACCESS_TOKEN"))
         || take (source, BOX_TOKEN_SOURCE_FILE, "BOX_TOKEN_FILE", g_getenv ("BOX_TOKEN_FILE"))
         || take (source, BOX_TOKEN_SOURCE_CONFIG, "BOX_AUTH_CONFIG", g_getenv ("BOX_AUTH_CONFIG"));
}

BoxTokenSource *
box_token_source_new (const BoxCredentialsSettings *settings, BoxTransportConfig *transport_config)
{
  BoxTokenSource *source = g_new0 (BoxTokenSource, 1);

  source->token_url = g_strdup (settings->token_url);
  if (transport_config != NULL)
    source->transport_config = box_transport_config_ref (transport_config);
  if (!take (source, BOX_TOKEN_SOURCE_FILE, "token-file", settings->token_file)
      && !take (source, BOX_TOKEN_SOURCE_CONFIG, "auth-config", settings->auth_config)
      && settings->use_environment)
    take_from_environment (source);
  return source;
}

void
box_token_source_free (BoxTokenSource *source)
{
  if (source == NULL)
    return;
  g_free (source->origin);
  g_free (source->path);
  box_secret_free (source->token);
  g_free (source->token_url);
  g_clear_pointer (&source->transport_config, box_transport_config_unref);
  g_free (source);
}

/* @absent: there is nothing to be read for the moment. */
static BoxToken *
read_token_file (const BoxTokenSource *source, gboolean *absent, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (BoxSecret) line = NULL;
  g_autofree char *label = g_strdup_printf ("%s “%s”", source->origin, source->path);
  gsize length;
  char *content =
      box_secret_read_file (source->origin, source->path, TOKEN_FILE_LIMIT, &length, &local_error);

  *absent = FALSE;
  if (content == NULL)
    {
      *absent = g_error_matches (local_error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  line = box_secret_trim (g_strndup (content, strcspn (content, "\r\n")));
  box_secret_clear (content, length);

  *absent = *line == '\0';
  if (!box_token_check (label, line, error))
    return NULL;
  return box_token_new (g_steal_pointer (&line), 0, 0);
}

/* The file is only checked: it is read again each time a token is wanted, so that its secrets stay
 * in memory no longer than they are used, and a changed one takes effect. */
static gboolean
open_config (const BoxTokenSource *source, gboolean *rotates, GError **error)
{
  g_autoptr (BoxAuthConfig) config =
      box_auth_config_load (source->origin, source->path, BOX_AUTH_CONFIG_BEGIN, error);

  if (config == NULL)
    return FALSE;
  *rotates = config->kind == BOX_AUTH_REFRESH_TOKEN;
  return box_url_policy_check_endpoint (source->token_url, "The token endpoint's address", error);
}

gboolean
box_token_source_open (const BoxTokenSource *source, BoxToken **token, gboolean *rotates,
                       GError **error)
{
  gboolean absent;

  g_return_val_if_fail (source->path != NULL, FALSE);

  *rotates = FALSE;
  if (source->kind == BOX_TOKEN_SOURCE_CONFIG)
    return open_config (source, rotates, error);
  *token = read_token_file (source, &absent, error);
  return *token != NULL;
}

static BoxToken *
obtain_from_file (const BoxTokenSource *source, const char *const *refused, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (BoxToken) token = NULL;
  gboolean absent;

  token = read_token_file (source, &absent, &local_error);
  if (token == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, absent ? BOX_ERROR_TRANSIENT : local_error->code,
                           local_error->message);
      return NULL;
    }
  if (g_strv_contains (refused, token->access))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "Box refuses the token in %s “%s” (expired or revoked): put a new one there",
                   source->origin, source->path);
      return NULL;
    }
  return g_steal_pointer (&token);
}

static BoxToken *
obtain_by_config (BoxTokenSource *source, const char *const *refused, const char *present,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxAuthConfig) config =
      box_auth_config_load (source->origin, source->path, BOX_AUTH_CONFIG_RENEW, error);
  BoxGrantContext context = {
    .origin = source->origin,
    .path = source->path,
    .token_url = source->token_url,
    .transport_config = source->transport_config,
    .refused = refused,
    .present = present,
    .clock_skew = &source->clock_skew,
    .cancellable = cancellable,
  };

  if (config == NULL
      || !box_url_policy_check_endpoint (source->token_url, "The token endpoint's address", error))
    return NULL;
  return box_grant_for (config->kind)->obtain (config, &context, error);
}

BoxToken *
box_token_source_obtain (BoxTokenSource *source, const char *const *refused, const char *present,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (source->path != NULL, NULL);

  if (source->kind == BOX_TOKEN_SOURCE_FILE)
    return obtain_from_file (source, refused, error);
  return obtain_by_config (source, refused, present, cancellable, error);
}

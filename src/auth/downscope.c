/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exchanges a token for one that reaches a single folder. */
#include "auth/credentials-internal.h"
#include "auth/grant.h"
#include "base/error.h"
#include "http/url-policy.h"

#include <string.h>

#define LABEL  "A token for one folder"
#define ADVICE "the present token cannot be exchanged for one"

static BoxReply *
exchange (const BoxTokenSource *source, const char *token, const char *folder_id,
          GCancellable *cancellable, GError **error)
{
  BoxGrantContext context = {
    .token_url = source->token_url,
    .transport_config = source->transport_config,
    .cancellable = cancellable,
  };

  return box_grant_send (&context, box_grant_exchange_form (token, folder_id), error);
}

/* With a newer token once more, where it is the token that was refused. */
static BoxReply *
exchange_with_renewal (BoxCredentials *credentials, const char *folder_id,
                       GCancellable *cancellable, GError **error)
{
  const BoxTokenSource *source = box_credentials_get_source (credentials);
  g_autoptr (BoxReply) reply = NULL;
  g_autoptr (BoxSecret) token = NULL;
  g_autoptr (BoxSecret) newer = NULL;

  token = box_credentials_get_token (credentials, NULL, 0, cancellable, error);
  if (token == NULL)
    return NULL;
  reply = exchange (source, token, folder_id, cancellable, error);
  if (reply == NULL || !box_token_reply_is_about_token (reply))
    return g_steal_pointer (&reply);

  newer = box_credentials_get_token (credentials, token, 0, cancellable, error);
  if (newer == NULL)
    return NULL;
  return exchange (source, newer, folder_id, cancellable, error);
}

char *
box_credentials_downscope (BoxCredentials *credentials, const char *folder_id, gint64 *expires_in,
                           GCancellable *cancellable, GError **error)
{
  const BoxTokenSource *source = box_credentials_get_source (credentials);
  gint64 issued = g_get_monotonic_time ();
  g_autoptr (BoxReply) reply = NULL;
  g_autoptr (BoxToken) token = NULL;

  if (*folder_id == '\0' || strspn (folder_id, "0123456789") != strlen (folder_id))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "“%s” is no folder ID (digits)",
                   folder_id);
      return NULL;
    }
  if (!box_url_policy_check_endpoint (source->token_url, "The token endpoint's address", error))
    return NULL;
  reply = exchange_with_renewal (credentials, folder_id, cancellable, error);
  if (reply == NULL)
    return NULL;
  token = box_token_reply_parse (reply, LABEL, ADVICE, issued, error);
  if (token == NULL)
    return NULL;
  if (expires_in != NULL)
    *expires_in = token->life / G_USEC_PER_SEC;
  return g_steal_pointer (&token->access);
}

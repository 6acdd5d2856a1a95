/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A signed assertion (JWT) of an application with a key pair. Its times are by Box's clock: where
 * ours is refused, the difference is taken from the reply and kept.
 */
#include "auth/grant.h"
#include "base/secret.h"

#define ADVICE                                                                                     \
  "the app's assertion is not accepted: check enterpriseID or userID and that the public key is "  \
  "still listed in the app's configuration, have an admin authorize the app in Box's Admin "       \
  "Console, and check this machine's clock"

char *
box_grant_jwt_form (const BoxAuthConfig *config, BoxKey *key, const char *id, gint64 now,
                    GError **error)
{
  BoxJwtClaims claims = {
    .key_id = config->key_id,
    .issuer = config->client_id,
    .subject = config->subject_id,
    .subject_type = config->subject_type,
    .id = id,
    .expires = now + BOX_JWT_LIFE,
  };
  g_autoptr (BoxSecret) assertion = box_jwt_sign (&claims, config->algorithm, key, error);

  if (assertion == NULL)
    return NULL;
  return box_grant_form ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id",
                         config->client_id, "client_secret", config->client_secret, "assertion",
                         assertion, NULL);
}

static gint64
unix_time (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static BoxReply *
ask (const BoxAuthConfig *config, const BoxGrantContext *context, BoxKey *key, GError **error)
{
  g_autofree char *id = box_jwt_new_id ();
  char *form = box_grant_jwt_form (config, key, id, unix_time () + *context->clock_skew, error);

  return form != NULL ? box_grant_send (context, form, error) : NULL;
}

static BoxToken *
obtain (const BoxAuthConfig *config, const BoxGrantContext *context, GError **error)
{
  g_autoptr (BoxKey) key = box_auth_config_open_key (config, error);
  g_autoptr (BoxReply) reply = NULL;
  gint64 issued = g_get_monotonic_time ();

  if (key == NULL)
    return NULL;
  reply = ask (config, context, key, error);
  if (reply != NULL && box_token_reply_is_about_time (reply))
    {
      *context->clock_skew =
          reply->date != NULL ? g_date_time_to_unix (reply->date) - unix_time () : 0;
      g_clear_pointer (&reply, box_reply_free);
      reply = ask (config, context, key, error);
    }
  if (reply == NULL)
    return NULL;
  return box_token_reply_parse (reply, config->label, ADVICE, issued, error);
}

const BoxGrant box_grant_jwt = { obtain };

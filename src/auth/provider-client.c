/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Client credentials: the application's ID and secret, for the enterprise's service account or a
 * user. */
#include "auth/grant.h"

#define ADVICE                                                                                     \
  "the app's credentials are not accepted for this enterprise_id or user_id: check them, and "     \
  "have "                                                                                          \
  "an admin authorize the app in Box's Admin Console"

char *
box_grant_client_form (const BoxAuthConfig *config)
{
  return box_grant_form ("grant_type", "client_credentials", "client_id", config->client_id,
                         "client_secret", config->client_secret, "box_subject_type",
                         config->subject_type, "box_subject_id", config->subject_id, NULL);
}

static BoxToken *
obtain (const BoxAuthConfig *config, const BoxGrantContext *context, GError **error)
{
  gint64 issued = g_get_monotonic_time ();
  g_autoptr (BoxReply) reply = box_grant_send (context, box_grant_client_form (config), error);

  if (reply == NULL)
    return NULL;
  return box_token_reply_parse (reply, config->label, ADVICE, issued, error);
}

const BoxGrant box_grant_client = { obtain };

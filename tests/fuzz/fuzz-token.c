/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A token endpoint's reply: its first byte chooses the status. A token that is taken is fit for a
 * header; a refresh token that comes with it is found by itself, too. */
#include "fuzz.h"

#include "auth/token.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint statuses[] = { 200, 400, 401, 429, 500, 302, 404, 204 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxToken) token = NULL;
  g_autofree char *refresh = NULL;
  g_autoptr (GBytes) body = NULL;
  BoxReply reply = { .retry_after = -1 };

  if (size == 0)
    return 0;
  reply.status = statuses[data[0] % G_N_ELEMENTS (statuses)];
  body = g_bytes_new (data + 1, size - 1);
  reply.body = body;
  token = box_token_reply_parse (&reply, "fuzz", "advice", 1000, &error);
  g_assert_true ((token == NULL) == (error != NULL));
  refresh = box_token_reply_get_refresh (&reply);
  g_assert_true (refresh == NULL || box_token_check ("token", refresh, NULL));
  if (token != NULL)
    {
      g_assert_cmpstr (token->refresh, ==, refresh);
      g_assert_true (box_token_check ("token", token->access, NULL));
      g_assert_cmpint (token->expires, >, 1000);
    }
  box_token_reply_is_about_time (&reply);
  box_token_reply_is_about_token (&reply);
  return 0;
}

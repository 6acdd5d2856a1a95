/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An auth-config file: refused with a message that names it, or good for what its grant needs, also
 * after it was rewritten. */
#include "fuzz.h"

#include "auth/config.h"

#include <string.h>

#define LABEL "auth-config “fuzz”"

static void
check_rewriting (const BoxAuthConfig *config)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxToken) token = box_token_new (g_strdup ("access"), 3600, 0);
  g_autoptr (BoxAuthConfig) again = NULL;
  g_autofree char *text = NULL;

  token->refresh = g_strdup ("successor");
  text = box_auth_config_rewrite (config, token, 1000);
  again = box_auth_config_parse (LABEL, text, strlen (text), &error);
  g_assert_no_error (error);
  g_assert_cmpint (again->kind, ==, BOX_AUTH_REFRESH_TOKEN);
  g_assert_cmpstr (again->refresh_token, ==, "successor");
  g_assert_cmpstr (again->client_id, ==, config->client_id);
  g_assert_cmpstr (again->client_secret, ==, config->client_secret);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config =
      box_auth_config_parse (LABEL, (const char *) data, size, &error);

  if (config == NULL)
    {
      g_assert_true (g_str_has_prefix (error->message, LABEL));
      return 0;
    }
  g_assert_nonnull (config->client_id);
  g_assert_nonnull (config->client_secret);
  if (config->kind == BOX_AUTH_REFRESH_TOKEN)
    check_rewriting (config);
  else
    g_assert_nonnull (config->subject_id);
  return 0;
}

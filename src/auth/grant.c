/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/grant.h"
#include "base/error.h"
#include "base/secret.h"

#include <string.h>

const BoxGrant *
box_grant_for (BoxAuthKind kind)
{
  switch (kind)
    {
    case BOX_AUTH_JWT:
      return &box_grant_jwt;
    case BOX_AUTH_CLIENT_CREDENTIALS:
      return &box_grant_client;
    case BOX_AUTH_REFRESH_TOKEN:
      return &box_grant_refresh;
    }
  g_assert_not_reached ();
}

static void
append_field (GString *form, const char *name, const char *value)
{
  char *escaped = g_uri_escape_string (value, NULL, FALSE);

  if (form->len > 0)
    g_string_append_c (form, '&');
  g_string_append (form, name);
  g_string_append_c (form, '=');
  g_string_append (form, escaped);
  box_secret_free (escaped);
}

char *
box_grant_form (const char *name, ...)
{
  /* Room for the longest, an assertion: growing would leave copies behind. */
  GString *form = g_string_sized_new (8192);
  va_list args;

  va_start (args, name);
  for (; name != NULL; name = va_arg (args, const char *))
    append_field (form, name, va_arg (args, const char *));
  va_end (args);
  return g_string_free (form, FALSE);
}

/* What is not HTTP at all is trouble of the endpoint, or of something before it: it may be over
 * soon. */
static void
soften (GError **error)
{
  GError *softer;

  if (!g_error_matches (*error, BOX_ERROR, BOX_ERROR_PROTOCOL))
    return;
  softer = box_error_new_with_details (BOX_ERROR_TRANSIENT, box_error_get_details (*error), "%s",
                                       (*error)->message);
  g_error_free (*error);
  *error = softer;
}

BoxReply *
box_grant_send (const BoxGrantContext *context, char *form, GError **error)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxSecret) text = form;
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  BoxBody body;
  BoxRequest request = {
    .method = "POST",
    .url = context->token_url,
    .content_type = "application/x-www-form-urlencoded",
    .body = &body,
  };
  g_autoptr (GError) local_error = NULL;
  BoxReply *reply;

  box_body_init_bytes (&body, bytes);
  reply = box_transport_send (transport, context->transport_config, &request, context->cancellable,
                              &local_error);
  if (reply == NULL)
    {
      soften (&local_error);
      g_propagate_prefixed_error (error, g_steal_pointer (&local_error), "No access token: ");
    }
  return reply;
}

char *
box_grant_exchange_form (const char *token, const char *folder_id)
{
  g_autofree char *resource = g_strdup_printf ("https://api.box.com/2.0/folders/%s", folder_id);

  return box_grant_form ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange",
                         "subject_token", token, "subject_token_type",
                         "urn:ietf:params:oauth:token-type:access_token", "scope",
                         "base_upload item_upload", "resource", resource, NULL);
}

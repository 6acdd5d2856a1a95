/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/token.h"
#include "base/error.h"
#include "base/secret.h"

#include <string.h>

BoxToken *
box_token_new (char *access, gint64 life, gint64 issued)
{
  BoxToken *token = g_new0 (BoxToken, 1);

  token->access = access;
  token->expires = G_MAXINT64;
  if (life > 0)
    {
      token->life = life * G_USEC_PER_SEC;
      token->expires = issued + token->life;
    }
  return token;
}

void
box_token_free (BoxToken *token)
{
  if (token == NULL)
    return;
  box_secret_free (token->access);
  box_secret_free (token->refresh);
  g_free (token);
}

BoxTokenState
box_token_state (const BoxToken *token, gint64 now, gint64 lasting)
{
  gint64 left;

  if (token == NULL || token->expires <= now)
    return BOX_TOKEN_EXPIRED;
  if (token->expires == G_MAXINT64)
    return BOX_TOKEN_GOOD;

  left = token->expires - now;
  if (left < MIN (lasting, token->life / 2))
    return BOX_TOKEN_SHORT;
  if (left < MIN (BOX_TOKEN_EARLY, token->life / 2))
    return BOX_TOKEN_DUE;
  return BOX_TOKEN_GOOD;
}

gboolean
box_token_check (const char *label, const char *string, GError **error)
{
  gsize length = strlen (string);

  if (length == 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s is empty", label);
      return FALSE;
    }
  if (length > BOX_TOKEN_MAX_LENGTH)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "%s is too long to be a token: %" G_GSIZE_FORMAT " characters", label, length);
      return FALSE;
    }
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isgraph (string[i]))
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                       "%s has a space or another character that no token has, at position "
                       "%" G_GSIZE_FORMAT "; give the token alone",
                       label, i + 1);
          return FALSE;
        }
    }
  return TRUE;
}

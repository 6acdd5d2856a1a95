/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replaces refresh tokens for test-rotation, which kills it.
 *
 *   rotator CONFIG TOKEN_URL N       N times, 0: forever
 *   rotator CONFIG TOKEN_URL leave   begins to, and ends the process when a line comes in
 */
#include "auth/credentials.h"

#include <stdio.h>

static char *
get_token (BoxCredentials *credentials, const char *refused, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  char *token = box_credentials_get_token (credentials, refused, 0, cancellable, &error);

  if (token == NULL && !g_cancellable_is_cancelled (cancellable))
    g_error ("%s", error->message);
  return token;
}

static void
rotate (BoxCredentials *credentials, guint64 times)
{
  char *token = NULL;

  for (guint64 i = 0; times == 0 || i < times; i++)
    {
      char *newer = get_token (credentials, token, NULL);

      box_credentials_free_token (token);
      token = newer;
    }
  box_credentials_free_token (token);
}

static gpointer
cancel_on_line (gpointer cancellable)
{
  getchar ();
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
leave (BoxCredentials *credentials)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("line", cancel_on_line, cancellable);

  box_credentials_free_token (get_token (credentials, NULL, cancellable));
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (NULL, NULL, 10, NULL);
  BoxCredentialsSettings settings = { .auth_config = argv[1], .token_url = argv[2] };
  g_autoptr (BoxCredentials) credentials = box_credentials_new (&settings, config, &error);

  if (credentials == NULL)
    g_error ("%s", error->message);
  if (g_str_equal (argv[3], "leave"))
    leave (credentials);
  else
    rotate (credentials, g_ascii_strtoull (argv[3], NULL, 10));
  return 0;
}

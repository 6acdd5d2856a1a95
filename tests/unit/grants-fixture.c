/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grants-fixture.h"

#include "kit/places.h"

#include <glib/gstdio.h>
#include <string.h>

void
grants_set_up (Fixture *f, gconstpointer data)
{
  f->dir = kit_new_directory ();
  f->path = g_build_filename (f->dir, "box.json", NULL);
  f->transport_config = box_transport_config_new (NULL, NULL, 10, NULL);
}

void
grants_tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->credentials, box_credentials_free);
  g_clear_pointer (&f->server, token_server_free);
  box_transport_config_unref (f->transport_config);
  g_unlink (f->path);
  /* Nothing was left beside it. */
  kit_remove_empty_directory (f->dir);
  g_free (f->path);
}

void
grants_write_config (Fixture *f, const char *json)
{
  kit_write_text (f->path, json);
}

BoxCredentials *
grants_open_with (Fixture *f, BoxTransportConfig *transport_config)
{
  g_autoptr (GError) error = NULL;
  BoxCredentialsSettings settings = {
    .auth_config = f->path,
    .token_url = token_server_get_url (f->server),
  };
  BoxCredentials *credentials = box_credentials_new (&settings, transport_config, &error);

  g_assert_no_error (error);
  return credentials;
}

BoxCredentials *
grants_open (Fixture *f)
{
  return grants_open_with (f, f->transport_config);
}

void
grants_start (Fixture *f, const char *json, const TokenAnswer *answers, guint n_answers)
{
  f->server = token_server_new (answers, n_answers);
  grants_write_config (f, json);
  f->credentials = grants_open (f);
}

void
grants_start_plain (Fixture *f, const char *json)
{
  TokenAnswer answer = { 0 };

  grants_start (f, json, &answer, 1);
}

void
grants_assert_token (BoxCredentials *credentials, const char *refused, const char *expected)
{
  g_autoptr (GError) error = NULL;
  char *token = box_credentials_get_token (credentials, refused, 0, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (token, ==, expected);
  box_credentials_free_token (token);
}

GError *
grants_assert_no_token (BoxCredentials *credentials, BoxErrorCode code)
{
  GError *error = NULL;
  char *token = box_credentials_get_token (credentials, NULL, 0, NULL, &error);

  g_assert_null (token);
  g_assert_error (error, BOX_ERROR, (gint) code);
  g_assert_null (strstr (error->message, "s3cret"));
  g_assert_null (strstr (error->message, "refresh-0"));
  return error;
}

void
grants_assert_field (Fixture *f, guint number, const char *name, const char *expected)
{
  g_autofree char *value = token_server_get_field (f->server, number, name);

  g_assert_cmpstr (value, ==, expected);
}

gpointer
grants_call (gpointer user_data)
{
  Caller *caller = user_data;

  caller->token =
      box_credentials_get_token (caller->credentials, NULL, 0, caller->cancellable, &caller->error);
  return NULL;
}

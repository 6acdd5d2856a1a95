/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload with every log switched on, by every grant, in good times and bad: no secret in what it
 * prints, nor in its arguments, nor in what it leaves on the disk.
 */
#include "fixture.h"
#include "kit/places.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *boxupload;

/* Everything that must not be seen in @text. */
static void
assert_no_secret (Fixture *f, const char *text)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (f->emulator, NULL);
  g_autofree char *config = NULL;
  g_auto (GStrv) lines = g_strsplit (fixture_key->pkcs8_encrypted, "\n", -1);

  g_assert_null (strstr (text, CLIENT_SECRET));
  g_assert_null (strstr (text, TEST_PASSPHRASE));
  g_assert_null (strstr (text, REFRESH_TOKEN));
  g_assert_null (strstr (text, "wr0ng-secret"));
  g_assert_null (strstr (text, lines[1]));
  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = requests->pdata[i];

      g_assert_true (request->token == NULL || strstr (text, request->token) == NULL);
    }
  /* The secrets of a rotation. */
  config = kit_read_text (f->config_path);
  if (strstr (config, "refresh_token") != NULL)
    {
      g_autoptr (JsonNode) root = json_from_string (config, NULL);

      g_assert_null (strstr (
          text, json_object_get_string_member (json_node_get_object (root), "refresh_token")));
    }
}

/* @arguments after the command's name; returns all output. */
static char *
run (Fixture *f, const char *const *arguments)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) environment = g_get_environ ();
  g_auto (GStrv) argv = NULL;
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;

  g_strv_builder_add (builder, boxupload);
  g_strv_builder_addv (builder, (const char **) arguments);
  g_strv_builder_add_many (builder, "--endpoint", box_emulator_get_endpoint (f->emulator, TRUE),
                           "--api-endpoint", box_emulator_get_api_endpoint (f->emulator, TRUE),
                           "--ca-file", box_emulator_get_ca_file (f->emulator), "--auth-config",
                           f->config_path, NULL);
  argv = g_strv_builder_end (builder);
  environment = g_environ_setenv (environment, "G_MESSAGES_DEBUG", "all", TRUE);
  environment = g_environ_setenv (environment, "GNUTLS_DEBUG_LEVEL", "99", TRUE);
  environment = g_environ_setenv (environment, "XDG_STATE_HOME", f->dir, TRUE);
  g_spawn_sync (NULL, argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, NULL, &error);
  g_assert_no_error (error);
  return g_strconcat (out, err, NULL);
}

static void
test_no_secret_shows (Fixture *f, gconstpointer data)
{
  static const char *const whoami[] = { "whoami", NULL };
  static const char *const whoami_json[] = { "whoami", "--json", NULL };
  g_autofree char *first = run (f, whoami);
  g_autofree char *second = NULL;
  const CredentialsCase *c = data;

  g_assert_true ((strstr (first, "emulator@example.com") != NULL)
                 == (c->secret == NULL && c->scenario == NULL));
  g_assert_cmpuint (box_emulator_count (f->emulator, "token"), >=, 1);
  assert_no_secret (f, first);
  /* After a refusal in the middle. */
  box_emulator_revoke_all_tokens (f->emulator);
  second = run (f, whoami_json);
  assert_no_secret (f, second);
}

static void
test_downscoped_token_shows_only_where_it_is_wanted (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "token", NULL);
  const char *const arguments[] = { "token", "--folder", "0", "--out", path, NULL };
  g_autofree char *output = run (f, arguments);
  g_autofree char *token = NULL;
  GStatBuf st;

  token = kit_read_text (path);
  g_strchomp (token);
  g_assert_cmpuint (strlen (token), >, 8);
  g_assert_null (strstr (output, token));
  g_assert_cmpint (g_stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0600);
  assert_no_secret (f, output);
  g_unlink (path);
}

static const CredentialsCase cases[] = {
  { .grant = "jwt" },
  { .grant = "client-credentials" },
  { .grant = "refresh-token" },
  { .grant = "client-credentials", .secret = "wr0ng-secret" },
  { .grant = "jwt", .clock_offset = 5000 },
  /* A server that answers with what it was sent, or part of it. */
  { .grant = "client-credentials",
    .scenario =
        "{\"rules\":[{\"route\":\"token\",\"do\":\"reply\",\"status\":400,\"json\":{"
        "\"error\":\"invalid_grant\",\"error_description\":\"you said " CLIENT_SECRET "\"}}]}" },
};

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  boxupload = g_getenv ("BOX_TEST_BOXUPLOAD");
  g_assert_nonnull (boxupload);
  fixture_key = test_key_new (GNUTLS_PK_RSA);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/secrets/none-shows/%s-%u", cases[i].grant, i);

      g_test_add (path, Fixture, &cases[i], fixture_set_up, test_no_secret_shows,
                  fixture_tear_down);
    }
  g_test_add ("/secrets/downscoped-token-shows-only-where-it-is-wanted", Fixture, &cases[1],
              fixture_set_up, test_downscoped_token_shows_only_where_it_is_wanted,
              fixture_tear_down);
  result = g_test_run ();
  test_key_free (fixture_key);
  return result;
}

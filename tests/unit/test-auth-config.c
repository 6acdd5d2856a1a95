/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/config.h"
#include "base/error.h"
#include "kit/keys.h"
#include "kit/places.h"

#include <string.h>
#include <unistd.h>

#define LABEL "auth-config “box.json”"

static BoxAuthConfig *
parse (const char *json, GError **error)
{
  return box_auth_config_parse (LABEL, json, strlen (json), error);
}

static void
test_app_configuration_of_box_is_understood (void)
{
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA);
  g_autofree char *json = test_app_config (key->pkcs8_encrypted, TEST_PASSPHRASE, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config = parse (json, &error);

  g_assert_no_error (error);
  g_assert_cmpint (config->kind, ==, BOX_AUTH_JWT);
  g_assert_cmpstr (config->client_id, ==, "client-1");
  g_assert_cmpstr (config->client_secret, ==, TEST_CLIENT_SECRET);
  g_assert_cmpstr (config->key_id, ==, "key-1");
  g_assert_cmpstr (config->subject_type, ==, "enterprise");
  g_assert_cmpstr (config->subject_id, ==, "4711");
  g_assert_cmpint (config->algorithm, ==, BOX_JWT_RS256);
}

static void
test_wrong_key_names_the_field_and_shows_nothing (void)
{
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA);
  const struct
  {
    const char *pem;
    const char *passphrase;
  } cases[] = {
    { key->certificate, NULL },
    { key->public_pem, NULL },
    { key->pkcs8_encrypted, "wr0ng-phrase" },
    { key->pkcs8_encrypted, NULL },
    { "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQ", NULL },
    { "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *json = test_app_config (cases[i].pem, cases[i].passphrase, NULL);
      g_autoptr (GError) error = NULL;

      g_assert_null (parse (json, &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
      g_assert_true (g_str_has_prefix (error->message, LABEL));
      g_assert_nonnull (strstr (error->message, "boxAppSettings.appAuth.privateKey"));
      g_assert_null (strstr (error->message, "wr0ng-phrase"));
      g_assert_null (strstr (error->message, "MII"));
      g_assert_null (strstr (error->message, "s3cret"));
    }
}

/* The fault of a file, and the words of its error. */
typedef struct
{
  const char *json;
  const char *problem;
} BadConfig;

static const BadConfig bad_configs[] = {
  { "", "is not a JSON object" },
  { "s3cret", "is not a JSON object" },
  { "[\"s3cret\"]", "is not a JSON object" },
  { "{\"client_id\": \"s3cret\"", "is not a JSON object" },
  { "{\"client_id\": \"s3cret\xff\"}", "is not a JSON object" },
  { "{}", "neither boxAppSettings" },
  { "{\"clientId\": \"s3cret\"}", "neither boxAppSettings" },
  { "{\"boxAppSettings\": \"s3cret\"}", "boxAppSettings is not an object" },
  { "{\"boxAppSettings\": {}}", "boxAppSettings.clientID is missing" },
  { "{\"boxAppSettings\": {\"clientID\": \"a\"}}", "boxAppSettings.clientSecret is missing" },
  { "{\"boxAppSettings\": {\"clientID\": \"a\", \"clientSecret\": \"s3cret\"}}",
    "boxAppSettings.appAuth is missing" },
  { "{\"boxAppSettings\": {\"clientID\": \"a\", \"clientSecret\": \"s3cret\", \"appAuth\": {}}}",
    "boxAppSettings.appAuth.publicKeyID is missing" },
  { "{\"boxAppSettings\": {\"clientID\": \"a\", \"clientSecret\": \"s3cret\", \"appAuth\": "
    "{\"publicKeyID\": \"k\", \"privateKey\": 5.5}}}",
    "boxAppSettings.appAuth.privateKey is not a string" },
  { "{\"boxAppSettings\": {\"clientID\": \"a\", \"clientSecret\": \"s3cret\", \"appAuth\": "
    "{\"publicKeyID\": \"k\", \"privateKey\": \"\"}}, \"enterpriseID\": \"1\"}",
    "boxAppSettings.appAuth.privateKey is missing" },
  { "{\"boxAppSettings\": {\"clientID\": \"a\", \"clientSecret\": \"s3cret\", \"appAuth\": "
    "{\"publicKeyID\": \"k\", \"privateKey\": \"x\"}}}",
    "enterpriseID is missing" },
  { "{\"boxAppSettings\": {\"clientID\": \"a\", \"clientSecret\": \"s3cret\", \"appAuth\": "
    "{\"publicKeyID\": \"k\", \"privateKey\": \"x\", \"algorithm\": \"none\"}}}",
    "boxAppSettings.appAuth.algorithm is not RS256, " },
  { "{\"client_id\": \"\", \"client_secret\": \"s3cret\"}", "client_id is missing" },
  { "{\"client_id\": \"a\"}", "client_secret is missing" },
  { "{\"client_id\": \"a\", \"client_secret\": [\"s3cret\"]}", "client_secret is not a string" },
  { "{\"client_id\": \"a\", \"client_secret\": \"s3cret \"}", "client_secret has a space" },
  { "{\"client_id\": \"a\", \"client_secret\": \"s3cret\\r\\nX: y\"}",
    "client_secret has a space" },
  { "{\"client_id\": \"a\", \"client_secret\": \"s3cret\"}", "enterprise_id is missing" },
  { "{\"client_id\": \"a\", \"client_secret\": \"s3cret\", \"user_id\": \"me\"}",
    "user_id is not an ID" },
  { "{\"client_id\": \"a\", \"client_secret\": \"s3cret\", \"user_id\": -5}",
    "user_id is not an ID" },
  { "{\"client_id\": \"a\", \"client_secret\": \"s3cret\", \"user_id\": 1, \"enterprise_id\": 2}",
    "user_id are both there" },
  { "{\"client_id\": \"a\", \"client_secret\": \"s3cret\", \"refresh_token\": \"\"}",
    "refresh_token is missing" },
  { "{\"client_id\": \"a\", \"client_secret\": \"s3cret\", \"refresh_token\": {}}",
    "refresh_token is not a string" },
};

static void
test_bad_configuration_names_the_field_and_shows_nothing (gconstpointer data)
{
  const BadConfig *bad = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (bad->json, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
  g_assert_true (g_str_has_prefix (error->message, LABEL));
  g_assert_nonnull (strstr (error->message, bad->problem));
  g_assert_null (strstr (error->message, "s3cret"));
}

static void
test_client_credentials_are_for_an_enterprise_or_a_user (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) enterprise =
      parse ("{\"client_id\":\"a\",\"client_secret\":\"b\",\"enterprise_id\":\"42\"}", &error);
  g_autoptr (BoxAuthConfig) user =
      parse ("{\"client_id\":\"a\",\"client_secret\":\"b\",\"user_id\":43}", &error);

  g_assert_no_error (error);
  g_assert_cmpint (enterprise->kind, ==, BOX_AUTH_CLIENT_CREDENTIALS);
  g_assert_cmpstr (enterprise->subject_type, ==, "enterprise");
  g_assert_cmpstr (enterprise->subject_id, ==, "42");
  g_assert_cmpstr (user->subject_type, ==, "user");
  g_assert_cmpstr (user->subject_id, ==, "43");
}

static void
test_rewriting_keeps_what_it_does_not_know (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config =
      parse ("{\"client_id\":\"a\",\"client_secret\":\"b\",\"refresh_token\":\"old\","
             "\"note\":{\"owner\":[\"studio 3\"]},\"access_token\":\"old\",\"expires_at\":1}",
             &error);
  g_autoptr (BoxToken) token = box_token_new (g_strdup ("access"), 3600, 0);
  g_autofree char *text = NULL;
  g_autoptr (BoxAuthConfig) again = NULL;

  g_assert_no_error (error);
  token->refresh = g_strdup ("new");
  text = box_auth_config_rewrite (config, token, 1000);
  again = parse (text, &error);
  g_assert_no_error (error);
  g_assert_cmpint (again->kind, ==, BOX_AUTH_REFRESH_TOKEN);
  g_assert_cmpstr (again->client_id, ==, "a");
  g_assert_cmpstr (again->client_secret, ==, "b");
  g_assert_cmpstr (again->refresh_token, ==, "new");
  g_assert_cmpstr (again->access_token, ==, "access");
  g_assert_cmpint (again->expires_at, ==, 4600);
  g_assert_cmpint (again->expires_in, ==, 3600);
  g_assert_nonnull (strstr (text, "studio 3"));
}

/* Values that json-glib writes in another form than it read. */
static void
test_rewriting_keeps_members_as_they_are_written (void)
{
  static const char *const members[] = {
    "\"n\" : 1e22",           "\"n\" : 18446744073709551616", "\"n\" : -0.0",
    "\"n\" : [1E+400, 1.10]", "\"\\u006e\" : \"\\u00e4\\/\"", "\"n\" : {\"refresh_token\":\"x\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autofree char *json = g_strdup_printf (
          "\357\273\277 {%s , "
          "\"client_id\":\"a\",\"client_secret\":\"b\",\"refresh\\u005ftoken\":\"old\"}\n",
          members[i]);
      g_autoptr (BoxToken) token = box_token_new (g_strdup ("acc\"\\ess"), 0, 0);
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxAuthConfig) config = parse (json, &error);
      g_autoptr (BoxAuthConfig) again = NULL;
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      g_assert_cmpstr (config->refresh_token, ==, "old");
      token->refresh = g_strdup ("new");
      text = box_auth_config_rewrite (config, token, 1000);
      g_assert_nonnull (strstr (text, members[i]));
      g_assert_null (strstr (text, "old"));
      again = parse (text, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (again->refresh_token, ==, "new");
      g_assert_cmpstr (again->access_token, ==, "acc\"\\ess");
    }
}

static void
test_longest_tokens_are_read_back (void)
{
  g_autofree char *longest = g_strnfill (BOX_TOKEN_MAX_LENGTH, '"');
  g_autofree char *padding = g_strnfill (60000, 'x');
  g_autofree char *json = g_strdup_printf (
      "{\"client_id\":\"a\",\"client_secret\":\"b\",\"refresh_token\":\"old\",\"note\":\"%s\"}",
      padding);
  g_autoptr (BoxToken) token = box_token_new (g_strdup (longest), 3600, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config = parse (json, &error);
  g_autofree char *text = NULL;
  g_autoptr (BoxAuthConfig) again = NULL;

  g_assert_no_error (error);
  token->refresh = g_strdup (longest);
  text = box_auth_config_rewrite (config, token, 1000);
  g_assert_cmpuint (strlen (text), <=, BOX_AUTH_CONFIG_LIMIT);
  again = parse (text, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again->refresh_token, ==, longest);
  g_assert_cmpstr (again->access_token, ==, longest);
}

static void
test_file_without_room_for_the_next_token_is_refused (void)
{
  g_autofree char *padding = g_strnfill (BOX_AUTH_CONFIG_LIMIT - 1000, 'x');
  g_autofree char *json = g_strdup_printf (
      "{\"client_id\":\"a\",\"client_secret\":\"b\",\"refresh_token\":\"old\",\"note\":\"%s\"}",
      padding);
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (json, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "too long to be rewritten"));
}

static void
test_file_that_is_not_whole_is_waited_for_at_a_renewal (void)
{
  static const char *const texts[] = { NULL, "", "{\"client_id\":\"a\",", "\357\273\277" };
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "box.json", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) first = NULL, later = NULL;

      if (texts[i] != NULL)
        g_assert_true (g_file_set_contents (path, texts[i], -1, NULL));
      g_assert_null (box_auth_config_load ("auth-config", path, BOX_AUTH_CONFIG_BEGIN, &first));
      g_assert_error (first, BOX_ERROR, BOX_ERROR_CREDENTIALS);
      g_assert_null (box_auth_config_load ("auth-config", path, BOX_AUTH_CONFIG_RENEW, &later));
      g_assert_error (later, BOX_ERROR, BOX_ERROR_TRANSIENT);
      g_assert_nonnull (strstr (later->message, path));
    }
  kit_remove_directory (dir);
}

static void
test_file_of_a_windows_editor_is_read (void)
{
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "box.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config = NULL;

  g_assert_true (g_file_set_contents (
      path, "\357\273\277{\"client_id\":\"a\",\r\n\"client_secret\":\"b\",\"user_id\":5}\r\n", -1,
      NULL));
  config = box_auth_config_load ("auth-config", path, BOX_AUTH_CONFIG_BEGIN, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (config->subject_id, ==, "5");

  g_assert_true (g_file_set_contents (path, "\377\376{\0\"\0", 6, NULL));
  g_assert_null (box_auth_config_load ("auth-config", path, BOX_AUTH_CONFIG_BEGIN, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "UTF-8"));
  kit_remove_directory (dir);
}

static void
test_stored_access_token_that_makes_no_sense_is_ignored (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config =
      parse ("{\"client_id\":\"a\",\"client_secret\":\"b\",\"refresh_token\":\"c\","
             "\"access_token\":[],\"expires_at\":{},\"expires_in\":\"x\"}",
             &error);

  g_assert_no_error (error);
  g_assert_null (config->access_token);
  g_assert_cmpint (config->expires_at, ==, 0);
}

static void
test_huge_file_is_refused_unread (void)
{
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "zeros", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_cmpint (truncate (path, 100000000), ==, 0);
  g_assert_null (box_auth_config_load ("auth-config", path, BOX_AUTH_CONFIG_BEGIN, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, path));
  kit_remove_directory (dir);
}

static void
test_zeros_are_not_json (void)
{
  static const char zeros[BOX_AUTH_CONFIG_LIMIT];
  g_autoptr (GError) error = NULL;

  g_assert_null (box_auth_config_parse (LABEL, zeros, sizeof zeros, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/auth-config/app-configuration-of-box-is-understood",
                   test_app_configuration_of_box_is_understood);
  g_test_add_func ("/auth-config/wrong-key-names-the-field-and-shows-nothing",
                   test_wrong_key_names_the_field_and_shows_nothing);
  for (guint i = 0; i < G_N_ELEMENTS (bad_configs); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/auth-config/bad-one-names-the-field-and-shows-nothing/%u", i);

      g_test_add_data_func (path, &bad_configs[i],
                            test_bad_configuration_names_the_field_and_shows_nothing);
    }
  g_test_add_func ("/auth-config/client-credentials-are-for-an-enterprise-or-a-user",
                   test_client_credentials_are_for_an_enterprise_or_a_user);
  g_test_add_func ("/auth-config/rewriting-keeps-what-it-does-not-know",
                   test_rewriting_keeps_what_it_does_not_know);
  g_test_add_func ("/auth-config/rewriting-keeps-members-as-they-are-written",
                   test_rewriting_keeps_members_as_they_are_written);
  g_test_add_func ("/auth-config/longest-tokens-are-read-back", test_longest_tokens_are_read_back);
  g_test_add_func ("/auth-config/file-without-room-for-the-next-token-is-refused",
                   test_file_without_room_for_the_next_token_is_refused);
  g_test_add_func ("/auth-config/file-that-is-not-whole-is-waited-for-at-a-renewal",
                   test_file_that_is_not_whole_is_waited_for_at_a_renewal);
  g_test_add_func ("/auth-config/file-of-a-windows-editor-is-read",
                   test_file_of_a_windows_editor_is_read);
  g_test_add_func ("/auth-config/stored-access-token-that-makes-no-sense-is-ignored",
                   test_stored_access_token_that_makes_no_sense_is_ignored);
  g_test_add_func ("/auth-config/huge-file-is-refused-unread", test_huge_file_is_refused_unread);
  g_test_add_func ("/auth-config/zeros-are-not-json", test_zeros_are_not_json);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/provider.h"
#include "auth/jwt.h"
#include "base/error.h"
#include "kit/keys.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define LABEL "auth-config “app.json”: privateKey"

static TestKey *rsa;

static guint8 *
from_base64url (const char *text, gsize *length)
{
  g_autoptr (GString) padded = g_string_new (text);

  g_assert_null (strpbrk (text, "+/="));
  g_strdelimit (padded->str, "-", '+');
  g_strdelimit (padded->str, "_", '/');
  while (padded->len % 4 != 0)
    g_string_append_c (padded, '=');
  return g_base64_decode (padded->str, length);
}

static JsonNode *
decode (const char *segment)
{
  gsize length;
  g_autofree guint8 *json = from_base64url (segment, &length);
  g_autofree char *text = g_strndup ((char *) json, length);
  JsonNode *node = json_from_string (text, NULL);

  g_assert_nonnull (node);
  return node;
}

static void
assert_signature (const char *jwt, gnutls_sign_algorithm_t algorithm)
{
  const char *dot = strrchr (jwt, '.');
  gsize length;
  g_autofree guint8 *bytes = from_base64url (dot + 1, &length);
  gnutls_datum_t data = { (unsigned char *) jwt, (unsigned int) (dot - jwt) };
  gnutls_datum_t signature = { bytes, (unsigned int) length };

  g_assert_cmpint (gnutls_pubkey_verify_data2 (rsa->public_key, algorithm, 0, &data, &signature),
                   >=, 0);
}

static char *
sign (BoxJwtAlgorithm algorithm)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxKey) key = box_key_new (rsa->pkcs8, NULL, LABEL, &error);
  BoxJwtClaims claims = { "key-1", "client-1", "4711", "enterprise", "0123456789abcdef", 1500 };
  char *jwt = box_jwt_sign (&claims, algorithm, key, &error);

  g_assert_no_error (error);
  return jwt;
}

static void
test_jwt_says_what_box_wants (void)
{
  g_autofree char *jwt = sign (BOX_JWT_RS256);
  g_auto (GStrv) segments = g_strsplit (jwt, ".", -1);
  g_autoptr (JsonNode) header = NULL;
  g_autoptr (JsonNode) claims = NULL;
  JsonObject *o;

  g_assert_cmpuint (g_strv_length (segments), ==, 3);
  header = decode (segments[0]);
  o = json_node_get_object (header);
  g_assert_cmpstr (json_object_get_string_member (o, "alg"), ==, "RS256");
  g_assert_cmpstr (json_object_get_string_member (o, "kid"), ==, "key-1");
  g_assert_cmpstr (json_object_get_string_member (o, "typ"), ==, "JWT");

  claims = decode (segments[1]);
  o = json_node_get_object (claims);
  g_assert_cmpstr (json_object_get_string_member (o, "iss"), ==, "client-1");
  g_assert_cmpstr (json_object_get_string_member (o, "sub"), ==, "4711");
  g_assert_cmpstr (json_object_get_string_member (o, "box_sub_type"), ==, "enterprise");
  g_assert_cmpstr (json_object_get_string_member (o, "aud"), ==,
                   "https://api.box.com/oauth2/token");
  g_assert_cmpstr (json_object_get_string_member (o, "jti"), ==, "0123456789abcdef");
  g_assert_cmpint (json_object_get_int_member (o, "exp"), ==, 1500);
}

static void
test_jwt_is_signed_with_the_algorithm_it_names (gconstpointer data)
{
  static const gnutls_sign_algorithm_t signs[] = { GNUTLS_SIGN_RSA_SHA256, GNUTLS_SIGN_RSA_SHA384,
                                                   GNUTLS_SIGN_RSA_SHA512 };
  BoxJwtAlgorithm algorithm;
  g_autofree char *jwt = NULL;
  g_auto (GStrv) segments = NULL;
  g_autoptr (JsonNode) header = NULL;

  g_assert_true (box_jwt_algorithm_from_name (data, &algorithm));
  jwt = sign (algorithm);
  segments = g_strsplit (jwt, ".", -1);
  header = decode (segments[0]);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (header), "alg"), ==, data);
  assert_signature (jwt, signs[algorithm]);
}

static void
test_jwt_algorithm_none_is_refused (void)
{
  BoxJwtAlgorithm algorithm;

  g_assert_false (box_jwt_algorithm_from_name ("none", &algorithm));
  g_assert_false (box_jwt_algorithm_from_name ("HS256", &algorithm));
  g_assert_false (box_jwt_algorithm_from_name ("rs256", &algorithm));
}

static void
test_jwt_ids_are_long_and_never_the_same (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < 1000; i++)
    {
      char *id = box_jwt_new_id ();

      g_assert_cmpuint (strlen (id), ==, 64);
      g_assert_true (g_hash_table_add (seen, id));
    }
}

typedef struct
{
  const char *name;
  gsize form; /* offset in TestKey */
  const char *passphrase;
  const char *problem; /* in the message; NULL: it is accepted */
} KeyCase;

static const KeyCase key_cases[] = {
  { "pkcs8", G_STRUCT_OFFSET (TestKey, pkcs8), NULL, NULL },
  { "pkcs8-with-a-needless-passphrase", G_STRUCT_OFFSET (TestKey, pkcs8), "needless", NULL },
  { "pkcs8-encrypted", G_STRUCT_OFFSET (TestKey, pkcs8_encrypted), TEST_PASSPHRASE, NULL },
  { "pkcs8-encrypted-wrong-passphrase", G_STRUCT_OFFSET (TestKey, pkcs8_encrypted), "wr0ng-phrase",
    "the passphrase is wrong" },
  { "pkcs8-encrypted-no-passphrase", G_STRUCT_OFFSET (TestKey, pkcs8_encrypted), NULL,
    "there is no passphrase" },
  { "traditional", G_STRUCT_OFFSET (TestKey, traditional), NULL, NULL },
  { "traditional-encrypted", G_STRUCT_OFFSET (TestKey, traditional_encrypted), TEST_PASSPHRASE,
    NULL },
  { "traditional-encrypted-wrong-passphrase", G_STRUCT_OFFSET (TestKey, traditional_encrypted),
    "wr0ng-phrase", "the passphrase is wrong" },
  { "traditional-encrypted-no-passphrase", G_STRUCT_OFFSET (TestKey, traditional_encrypted), NULL,
    "there is no passphrase" },
  { "public-key", G_STRUCT_OFFSET (TestKey, public_pem), NULL, "is a public key" },
  { "certificate", G_STRUCT_OFFSET (TestKey, certificate), NULL, "is a certificate" },
};

static void
test_key_in_each_form (gconstpointer data)
{
  const KeyCase *c = data;
  g_autoptr (GError) error = NULL;
  const char *pem = G_STRUCT_MEMBER (char *, rsa, c->form);
  g_autoptr (BoxKey) key = box_key_new (pem, c->passphrase, LABEL, &error);

  if (c->problem == NULL)
    {
      g_assert_no_error (error);
      g_assert_nonnull (key);
      return;
    }
  g_assert_null (key);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
  g_assert_true (g_str_has_prefix (error->message, LABEL));
  g_assert_nonnull (strstr (error->message, c->problem));
  g_assert_null (strstr (error->message, "wr0ng-phrase"));
}

static void
test_key_that_is_not_rsa_is_refused (void)
{
  g_autoptr (TestKey) ec = test_key_new (GNUTLS_PK_ECDSA);
  g_autoptr (GError) error = NULL;

  g_assert_null (box_key_new (ec->pkcs8, NULL, LABEL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "RSA"));
}

static void
test_key_that_is_cut_off_is_refused (void)
{
  const char *end = strstr (rsa->pkcs8, "-----END");

  for (gsize n = 0; n < (gsize) (end - rsa->pkcs8); n += 37)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *cut = g_strndup (rsa->pkcs8, n);

      g_assert_null (box_key_new (cut, NULL, LABEL, &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
    }
}

static void
test_form_carries_a_fresh_assertion (void)
{
  g_autofree char *json = test_app_config (rsa->pkcs8_encrypted, TEST_PASSPHRASE, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config = box_auth_config_parse ("x", json, strlen (json), &error);
  g_autoptr (BoxKey) key = NULL;
  g_autofree char *form = NULL;
  g_autoptr (GHashTable) fields = NULL;
  g_auto (GStrv) segments = NULL;
  g_autoptr (JsonNode) claims = NULL;

  g_assert_no_error (error);
  key = box_auth_config_open_key (config, &error);
  form = box_grant_jwt_form (config, key, "0123456789abcdef", 1000, &error);
  g_assert_no_error (error);

  fields = g_uri_parse_params (form, -1, "&", G_URI_PARAMS_NONE, NULL);
  g_assert_cmpstr (g_hash_table_lookup (fields, "grant_type"), ==,
                   "urn:ietf:params:oauth:grant-type:jwt-bearer");
  g_assert_cmpstr (g_hash_table_lookup (fields, "client_id"), ==, "client-1");
  g_assert_cmpstr (g_hash_table_lookup (fields, "client_secret"), ==, TEST_CLIENT_SECRET);
  assert_signature (g_hash_table_lookup (fields, "assertion"), GNUTLS_SIGN_RSA_SHA256);

  segments = g_strsplit (g_hash_table_lookup (fields, "assertion"), ".", -1);
  claims = decode (segments[1]);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (claims), "exp"), ==,
                   1000 + BOX_JWT_LIFE);
}

int
main (int argc, char **argv)
{
  static const char *const algorithms[] = { "RS256", "RS384", "RS512" };
  int result;

  g_test_init (&argc, &argv, NULL);
  rsa = test_key_new (GNUTLS_PK_RSA);
  g_test_add_func ("/jwt/says-what-box-wants", test_jwt_says_what_box_wants);
  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/jwt/is-signed-with-the-algorithm-it-names/%s", algorithms[i]);

      g_test_add_data_func (path, algorithms[i], test_jwt_is_signed_with_the_algorithm_it_names);
    }
  g_test_add_func ("/jwt/algorithm-none-is-refused", test_jwt_algorithm_none_is_refused);
  g_test_add_func ("/jwt/ids-are-long-and-never-the-same",
                   test_jwt_ids_are_long_and_never_the_same);
  for (guint i = 0; i < G_N_ELEMENTS (key_cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/key/in-each-form/%s", key_cases[i].name);

      g_test_add_data_func (path, &key_cases[i], test_key_in_each_form);
    }
  g_test_add_func ("/key/that-is-not-rsa-is-refused", test_key_that_is_not_rsa_is_refused);
  g_test_add_func ("/key/that-is-cut-off-is-refused", test_key_that_is_cut_off_is_refused);
  g_test_add_func ("/jwt/form-carries-a-fresh-assertion", test_form_carries_a_fresh_assertion);
  result = g_test_run ();
  test_key_free (rsa);
  return result;
}

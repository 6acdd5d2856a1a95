/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/keys.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <time.h>

static void
check (int code)
{
  if (code != GNUTLS_E_SUCCESS)
    g_error ("GnuTLS: %s", gnutls_strerror (code));
}

static char *
take_datum (gnutls_datum_t *datum)
{
  char *text = g_strndup ((const char *) datum->data, datum->size);

  gnutls_free (datum->data);
  return text;
}

static char *
export_pkcs8 (gnutls_x509_privkey_t key, const char *passphrase, guint flags)
{
  gnutls_datum_t out;

  check (gnutls_x509_privkey_export2_pkcs8 (key, GNUTLS_X509_FMT_PEM, passphrase, flags, &out));
  return take_datum (&out);
}

/* OpenSSL's old way, which GnuTLS only reads: AES-128-CBC, the key being MD5 of passphrase and
 * salt. */
static char *
encrypt_traditional (gnutls_x509_privkey_t key)
{
  g_autoptr (GChecksum) md5 = g_checksum_new (G_CHECKSUM_MD5);
  g_autofree char *base64 = NULL;
  GString *pem = g_string_new ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                               "DEK-Info: AES-128-CBC,");
  guint8 salt[16], secret[16];
  gsize secret_size = sizeof secret, padding;
  gnutls_datum_t der, iv = { salt, sizeof salt }, secret_datum = { secret, sizeof secret };
  gnutls_cipher_hd_t cipher;
  g_autofree guint8 *padded = NULL;

  check (gnutls_rnd (GNUTLS_RND_NONCE, salt, sizeof salt));
  g_checksum_update (md5, (const guchar *) TEST_PASSPHRASE, -1);
  g_checksum_update (md5, salt, 8);
  g_checksum_get_digest (md5, secret, &secret_size);

  check (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_DER, &der));
  padding = 16 - der.size % 16;
  padded = g_malloc (der.size + padding);
  memcpy (padded, der.data, der.size);
  memset (padded + der.size, (int) padding, padding);
  check (gnutls_cipher_init (&cipher, GNUTLS_CIPHER_AES_128_CBC, &secret_datum, &iv));
  check (gnutls_cipher_encrypt (cipher, padded, der.size + padding));
  gnutls_cipher_deinit (cipher);

  for (gsize i = 0; i < sizeof salt; i++)
    g_string_append_printf (pem, "%02X", salt[i]);
  g_string_append (pem, "\n\n");
  base64 = g_base64_encode (padded, der.size + padding);
  for (gsize i = 0; i < strlen (base64); i += 64)
    {
      g_string_append_len (pem, base64 + i, (gssize) MIN (64, strlen (base64) - i));
      g_string_append_c (pem, '\n');
    }
  g_string_append (pem, "-----END RSA PRIVATE KEY-----\n");
  gnutls_free (der.data);
  return g_string_free (pem, FALSE);
}

static char *
make_certificate (gnutls_x509_privkey_t key)
{
  gnutls_x509_crt_t certificate;
  gnutls_datum_t out;

  check (gnutls_x509_crt_init (&certificate));
  check (gnutls_x509_crt_set_version (certificate, 3));
  check (gnutls_x509_crt_set_key (certificate, key));
  check (gnutls_x509_crt_set_serial (certificate, "\001", 1));
  check (gnutls_x509_crt_set_activation_time (certificate, time (NULL)));
  check (gnutls_x509_crt_set_expiration_time (certificate, time (NULL) + 3600));
  check (gnutls_x509_crt_set_dn (certificate, "CN=test", NULL));
  check (gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0));
  check (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &out));
  gnutls_x509_crt_deinit (certificate);
  return take_datum (&out);
}

gnutls_privkey_t
test_key_read (const char *name)
{
  gnutls_privkey_t key;
  g_autofree char *path = g_build_filename (TEST_DATA, name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gnutls_datum_t pem;
  gsize size;

  if (!g_file_get_contents (path, &text, &size, &error))
    g_error ("%s", error->message);
  pem = (gnutls_datum_t){ (unsigned char *) text, (unsigned int) size };
  check (gnutls_privkey_init (&key));
  check (gnutls_privkey_import_x509_raw (key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0));
  return key;
}

TestKey *
test_key_new (gnutls_pk_algorithm_t algorithm)
{
  TestKey *key = g_new0 (TestKey, 1);
  gnutls_privkey_t abstract =
      test_key_read (algorithm == GNUTLS_PK_RSA ? "rsa-2048.pem" : "ec-256.pem");
  gnutls_x509_privkey_t private_key;
  gnutls_datum_t out;

  check (gnutls_privkey_export_x509 (abstract, &private_key));
  key->pkcs8 = export_pkcs8 (private_key, NULL, GNUTLS_PKCS_PLAIN);
  key->pkcs8_encrypted = export_pkcs8 (private_key, TEST_PASSPHRASE, GNUTLS_PKCS_PBES2_AES_256);
  check (gnutls_x509_privkey_export2 (private_key, GNUTLS_X509_FMT_PEM, &out));
  key->traditional = take_datum (&out);
  if (algorithm == GNUTLS_PK_RSA)
    key->traditional_encrypted = encrypt_traditional (private_key);
  key->certificate = make_certificate (private_key);

  check (gnutls_pubkey_init (&key->public_key));
  check (gnutls_pubkey_import_privkey (key->public_key, abstract, 0, 0));
  check (gnutls_pubkey_export2 (key->public_key, GNUTLS_X509_FMT_PEM, &out));
  key->public_pem = take_datum (&out);
  gnutls_privkey_deinit (abstract);
  gnutls_x509_privkey_deinit (private_key);
  return key;
}

void
test_key_free (TestKey *key)
{
  gnutls_pubkey_deinit (key->public_key);
  g_free (key->pkcs8);
  g_free (key->pkcs8_encrypted);
  g_free (key->traditional);
  g_free (key->traditional_encrypted);
  g_free (key->public_pem);
  g_free (key->certificate);
  g_free (key);
}

char *
test_app_config (const char *private_key, const char *passphrase, const char *algorithm)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (b);
  json_builder_set_member_name (b, "boxAppSettings");
  json_builder_begin_object (b);
  json_builder_set_member_name (b, "clientID");
  json_builder_add_string_value (b, "client-1");
  json_builder_set_member_name (b, "clientSecret");
  json_builder_add_string_value (b, TEST_CLIENT_SECRET);
  json_builder_set_member_name (b, "appAuth");
  json_builder_begin_object (b);
  json_builder_set_member_name (b, "publicKeyID");
  json_builder_add_string_value (b, "key-1");
  json_builder_set_member_name (b, "privateKey");
  json_builder_add_string_value (b, private_key);
  if (passphrase != NULL)
    {
      json_builder_set_member_name (b, "passphrase");
      json_builder_add_string_value (b, passphrase);
    }
  if (algorithm != NULL)
    {
      json_builder_set_member_name (b, "algorithm");
      json_builder_add_string_value (b, algorithm);
    }
  json_builder_end_object (b);
  json_builder_end_object (b);
  json_builder_set_member_name (b, "enterpriseID");
  json_builder_add_string_value (b, "4711");
  json_builder_end_object (b);
  root = json_builder_get_root (b);
  return json_to_string (root, TRUE);
}

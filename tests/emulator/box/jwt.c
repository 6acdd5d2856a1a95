/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/jwt.h"

#include "emulator/base/json.h"

#include <gnutls/abstract.h>
#include <string.h>

/* Base64url without padding; one byte more than @size is 0. */
static guchar *
decode (const char *text, gsize *size)
{
  GString *base64 = g_string_new (text);
  guchar *data;

  for (gsize i = 0; i < base64->len; i++)
    if (base64->str[i] == '-')
      base64->str[i] = '+';
    else if (base64->str[i] == '_')
      base64->str[i] = '/';
  while (base64->len % 4 != 0)
    g_string_append_c (base64, '=');
  data = g_base64_decode (base64->str, size);
  g_string_free (base64, TRUE);
  return data;
}

static JsonObject *
decode_object (const char *text)
{
  gsize size;
  g_autofree guchar *data = decode (text, &size);

  return emu_json_parse ((const char *) data, size);
}

void
emu_jwt_free (EmuJwt *jwt)
{
  g_clear_pointer (&jwt->header, json_object_unref);
  g_clear_pointer (&jwt->claims, json_object_unref);
  g_free (jwt->signed_part);
  g_free (jwt->signature);
  g_free (jwt);
}

EmuJwt *
emu_jwt_parse (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ".", 4);
  g_autoptr (EmuJwt) jwt = NULL;

  if (g_strv_length (parts) != 3)
    return NULL;
  jwt = g_new0 (EmuJwt, 1);
  jwt->header = decode_object (parts[0]);
  jwt->claims = decode_object (parts[1]);
  jwt->signature = decode (parts[2], &jwt->signature_size);
  jwt->signed_part = g_strconcat (parts[0], ".", parts[1], NULL);
  return jwt->header != NULL && jwt->claims != NULL ? g_steal_pointer (&jwt) : NULL;
}

static gnutls_sign_algorithm_t
get_algorithm (const EmuJwt *jwt)
{
  const char *name = emu_json_string (jwt->header, "alg");

  if (g_strcmp0 (name, "RS256") == 0)
    return GNUTLS_SIGN_RSA_SHA256;
  if (g_strcmp0 (name, "RS384") == 0)
    return GNUTLS_SIGN_RSA_SHA384;
  if (g_strcmp0 (name, "RS512") == 0)
    return GNUTLS_SIGN_RSA_SHA512;
  return GNUTLS_SIGN_UNKNOWN;
}

/* From a public key, or from a certificate. */
static gboolean
import_key (gnutls_pubkey_t key, const gnutls_datum_t *pem)
{
  gnutls_x509_crt_t certificate;
  gboolean ok;

  if (gnutls_pubkey_import (key, pem, GNUTLS_X509_FMT_PEM) >= 0)
    return TRUE;
  if (gnutls_x509_crt_init (&certificate) < 0)
    return FALSE;
  ok = gnutls_x509_crt_import (certificate, pem, GNUTLS_X509_FMT_PEM) >= 0
       && gnutls_pubkey_import_x509 (key, certificate, 0) >= 0;
  gnutls_x509_crt_deinit (certificate);
  return ok;
}

gboolean
emu_jwt_verify (const EmuJwt *jwt, const char *pem)
{
  gnutls_datum_t key_data = { (unsigned char *) pem, strlen (pem) };
  gnutls_datum_t data = { (unsigned char *) jwt->signed_part, strlen (jwt->signed_part) };
  gnutls_datum_t signature = { jwt->signature, jwt->signature_size };
  gnutls_sign_algorithm_t algorithm = get_algorithm (jwt);
  gnutls_pubkey_t key;
  gboolean ok;

  if (algorithm == GNUTLS_SIGN_UNKNOWN || gnutls_pubkey_init (&key) < 0)
    return FALSE;
  ok = import_key (key, &key_data)
       && gnutls_pubkey_verify_data2 (key, algorithm, 0, &data, &signature) >= 0;
  gnutls_pubkey_deinit (key);
  return ok;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signed assertions, and the provider that shows them to Box. Their times are by Box's clock: if
 * ours is refused, the difference is taken from the reply and kept. */
#include "auth/jwt.h"
#include "auth/provider.h"
#include "base/error.h"
#include "base/secret.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <json-glib/json-glib.h>
#include <string.h>

/* Box generates and wants 2048; what is below this can be broken. */
#define KEY_MIN_BITS 1024

#define ADVICE                                                                                     \
  "the app's assertion is not accepted: check enterpriseID or userID and that the public key is "  \
  "still listed in the app's configuration, have an admin authorize the app in Box's Admin "       \
  "Console, and check this machine's clock"

struct _BoxKey
{
  gnutls_privkey_t key;
};

static const struct
{
  const char *name;
  gnutls_sign_algorithm_t sign;
} algorithms[] = {
  [BOX_JWT_RS256] = { "RS256", GNUTLS_SIGN_RSA_SHA256 },
  [BOX_JWT_RS384] = { "RS384", GNUTLS_SIGN_RSA_SHA384 },
  [BOX_JWT_RS512] = { "RS512", GNUTLS_SIGN_RSA_SHA512 },
};

gboolean
box_jwt_algorithm_from_name (const char *name, BoxJwtAlgorithm *algorithm)
{
  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      if (g_str_equal (name, algorithms[i].name))
        {
          *algorithm = (BoxJwtAlgorithm) i;
          return TRUE;
        }
    }
  return FALSE;
}

static gboolean
has_line (const char *pem, const char *what)
{
  g_autofree char *line = g_strdup_printf ("-----BEGIN %s-----", what);

  return strstr (pem, line) != NULL;
}

static gboolean
is_encrypted (const char *pem)
{
  return has_line (pem, "ENCRYPTED PRIVATE KEY") || strstr (pem, "Proc-Type: 4,ENCRYPTED") != NULL;
}

/* Describes what @pem holds instead of a private key; NULL if it looks like a private key. */
static const char *
what_else (const char *pem)
{
  if (has_line (pem, "CERTIFICATE") || has_line (pem, "TRUSTED CERTIFICATE"))
    return "is a certificate";
  if (has_line (pem, "PUBLIC KEY") || has_line (pem, "RSA PUBLIC KEY"))
    return "is a public key";
  if (has_line (pem, "CERTIFICATE REQUEST") || has_line (pem, "NEW CERTIFICATE REQUEST"))
    return "is a certificate request";
  if (has_line (pem, "OPENSSH PRIVATE KEY"))
    return "is a key of OpenSSH's own format";
  if (strstr (pem, "PRIVATE KEY-----") == NULL)
    return "is not in PEM format";
  return NULL;
}

static gboolean
set_import_error (GError **error, const char *pem, const char *passphrase, const char *label,
                  int code)
{
  if (is_encrypted (pem) && passphrase == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                 "%s is encrypted and there is no passphrase", label);
  else if (is_encrypted (pem))
    g_set_error (
        error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
        "%s cannot be decrypted (%s): the passphrase is wrong, the key is damaged, or it is "
        "encrypted in an unusual way (openssl pkcs8 -topk8 -v2 aes256 makes it usual)",
        label, gnutls_strerror (code));
  else
    g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s is damaged (%s)", label,
                 gnutls_strerror (code));
  return FALSE;
}

static gboolean
check_algorithm (gnutls_privkey_t key, const char *label, GError **error)
{
  unsigned int bits = 0;
  int algorithm = gnutls_privkey_get_pk_algorithm (key, &bits);

  if (algorithm != GNUTLS_PK_RSA)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "%s is a key for %s; Box's application keys are RSA", label,
                   gnutls_pk_get_name ((gnutls_pk_algorithm_t) algorithm));
      return FALSE;
    }
  if (bits < KEY_MIN_BITS)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s has only %u bits; Box wants 2048",
                   label, bits);
      return FALSE;
    }
  return TRUE;
}

/* The bytes of a key that is not encrypted, which GnuTLS would not wipe if it read the text itself;
 * NULL: a key of another kind. Free with box_secret_clear(). */
static char *
decode_plain_key (const char *pem, gsize *length)
{
  const char *begin = strstr (pem, "PRIVATE KEY-----"), *end;
  gint state = 0;
  guint save = 0;
  char *bytes;

  if (is_encrypted (pem) || !(has_line (pem, "PRIVATE KEY") || has_line (pem, "RSA PRIVATE KEY")))
    return NULL;
  begin += strlen ("PRIVATE KEY-----");
  end = strstr (begin, "-----END");
  if (end == NULL)
    return NULL;
  bytes = g_malloc ((gsize) (end - begin) + 4);
  *length = g_base64_decode_step (begin, (gsize) (end - begin), (guchar *) bytes, &state, &save);
  return bytes;
}

/* A passphrase beside a plain key is ignored: configurations carry an empty one then. */
static int
import_key (gnutls_privkey_t key, const char *pem, const char *passphrase)
{
  gnutls_datum_t text = { (unsigned char *) pem, (unsigned int) strlen (pem) };
  gnutls_datum_t bytes = { NULL, 0 };
  gsize length = 0;
  char *plain = decode_plain_key (pem, &length);
  int code;

  if (plain == NULL)
    return gnutls_privkey_import_x509_raw (key, &text, GNUTLS_X509_FMT_PEM,
                                           is_encrypted (pem) ? passphrase : NULL, 0);
  bytes = (gnutls_datum_t){ (unsigned char *) plain, (unsigned int) length };
  code = gnutls_privkey_import_x509_raw (key, &bytes, GNUTLS_X509_FMT_DER, NULL, 0);
  box_secret_clear (plain, length);
  return code;
}

BoxKey *
box_key_new (const char *pem, const char *passphrase, const char *label, GError **error)
{
  g_autoptr (BoxKey) key = g_new0 (BoxKey, 1);
  const char *other = what_else (pem);
  int code;

  if (other != NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "%s %s; the private key of the pair is wanted, in PEM format", label, other);
      return NULL;
    }
  if (gnutls_privkey_init (&key->key) != GNUTLS_E_SUCCESS)
    g_error ("gnutls_privkey_init: out of memory");

  code = import_key (key->key, pem, passphrase);
  if (code != GNUTLS_E_SUCCESS)
    {
      set_import_error (error, pem, passphrase, label, code);
      return NULL;
    }
  if (!check_algorithm (key->key, label, error))
    return NULL;
  return g_steal_pointer (&key);
}

void
box_key_free (BoxKey *key)
{
  if (key == NULL)
    return;
  gnutls_privkey_deinit (key->key);
  g_free (key);
}

/* RFC 4648, section 5, without padding. */
static char *
base64url (gconstpointer data, gsize length)
{
  char *text = g_base64_encode (data, length);
  gsize end = strlen (text);

  while (end > 0 && text[end - 1] == '=')
    text[--end] = '\0';
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  return text;
}

static char *
to_base64url (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *json = json_to_string (root, FALSE);

  return base64url (json, strlen (json));
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static char *
encode_header (const BoxJwtClaims *claims, BoxJwtAlgorithm algorithm)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_string (builder, "alg", algorithms[algorithm].name);
  add_string (builder, "kid", claims->key_id);
  add_string (builder, "typ", "JWT");
  json_builder_end_object (builder);
  return to_base64url (builder);
}

static char *
encode_claims (const BoxJwtClaims *claims)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_string (builder, "iss", claims->issuer);
  add_string (builder, "sub", claims->subject);
  add_string (builder, "box_sub_type", claims->subject_type);
  add_string (builder, "aud", BOX_JWT_AUDIENCE);
  add_string (builder, "jti", claims->id);
  json_builder_set_member_name (builder, "exp");
  json_builder_add_int_value (builder, claims->expires);
  json_builder_end_object (builder);
  return to_base64url (builder);
}

char *
box_jwt_sign (const BoxJwtClaims *claims, BoxJwtAlgorithm algorithm, BoxKey *key, GError **error)
{
  g_autofree char *header = encode_header (claims, algorithm);
  g_autofree char *payload = encode_claims (claims);
  g_autoptr (BoxSecret) message = g_strconcat (header, ".", payload, NULL);
  g_autoptr (BoxSecret) encoded = NULL;
  gnutls_datum_t data = { (unsigned char *) message, (unsigned int) strlen (message) };
  gnutls_datum_t signature = { NULL, 0 };
  int code = gnutls_privkey_sign_data2 (key->key, algorithms[algorithm].sign, 0, &data, &signature);

  if (code != GNUTLS_E_SUCCESS)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "The private key cannot sign: %s",
                   gnutls_strerror (code));
      return NULL;
    }
  encoded = base64url (signature.data, signature.size);
  explicit_bzero (signature.data, signature.size);
  gnutls_free (signature.data);
  return g_strconcat (message, ".", encoded, NULL);
}

char *
box_jwt_new_id (void)
{
  guint8 bytes[32];
  GString *id = g_string_sized_new (2 * sizeof bytes);

  if (gnutls_rnd (GNUTLS_RND_KEY, bytes, sizeof bytes) != GNUTLS_E_SUCCESS)
    g_error ("gnutls_rnd: no random numbers");
  for (gsize i = 0; i < sizeof bytes; i++)
    g_string_append_printf (id, "%02x", bytes[i]);
  return g_string_free (id, FALSE);
}

char *
box_grant_jwt_form (const BoxAuthConfig *config, BoxKey *key, const char *id, gint64 now,
                    GError **error)
{
  BoxJwtClaims claims = {
    .key_id = config->key_id,
    .issuer = config->client_id,
    .subject = config->subject_id,
    .subject_type = config->subject_type,
    .id = id,
    .expires = now + BOX_JWT_LIFE,
  };
  g_autoptr (BoxSecret) assertion = box_jwt_sign (&claims, config->algorithm, key, error);

  if (assertion == NULL)
    return NULL;
  return box_grant_form ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id",
                         config->client_id, "client_secret", config->client_secret, "assertion",
                         assertion, NULL);
}

static gint64
unix_time (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static BoxReply *
ask (const BoxGrantProvider *grant, BoxKey *key, GCancellable *cancellable, GError **error)
{
  g_autofree char *id = box_jwt_new_id ();
  char *form =
      box_grant_jwt_form (grant->config, key, id, unix_time () + *grant->clock_skew, error);

  return form != NULL ? box_grant_send (&grant->source->endpoint, form, cancellable, error) : NULL;
}

static BoxToken *
obtain (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error)
{
  const BoxGrantProvider *grant = (BoxGrantProvider *) provider;
  g_autoptr (BoxKey) key = box_auth_config_open_key (grant->config, error);
  g_autoptr (BoxSecretReply) reply = NULL;
  gint64 issued = g_get_monotonic_time ();

  if (key == NULL)
    return NULL;
  reply = ask (grant, key, wish->cancellable, error);
  if (reply != NULL && box_token_reply_is_about_time (reply))
    {
      *grant->clock_skew =
          reply->date != NULL ? g_date_time_to_unix (reply->date) - unix_time () : 0;
      g_clear_pointer (&reply, box_reply_free_secret);
      reply = ask (grant, key, wish->cancellable, error);
    }
  if (reply == NULL)
    return NULL;
  return box_token_reply_parse (reply, grant->config->label, ADVICE, issued, error);
}

const BoxTokenProviderClass box_provider_jwt = {
  .check = box_grant_check,
  .obtain = obtain,
};

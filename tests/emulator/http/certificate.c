/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/http/certificate.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

#define LIFETIME (10 * 365 * 86400)

static const char *const names[] = {
  "localhost",   "api.box.com",     "upload.box.com", "upload.app.box.com", "account.box.com",
  "app.box.com", "dl.boxcloud.com", "*.app.box.com",  "*.box.com",          NULL
};

typedef struct
{
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t certificate;
} Identity;

static void
identity_clear (Identity *identity)
{
  if (identity->key != NULL)
    gnutls_x509_privkey_deinit (identity->key);
  if (identity->certificate != NULL)
    gnutls_x509_crt_deinit (identity->certificate);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Identity, identity_clear)

static gboolean
check (int result, GError **error)
{
  if (result >= 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot make a certificate: %s",
               gnutls_strerror (result));
  return FALSE;
}

/* The key, and what both certificates have in common. */
static gboolean
identity_begin (Identity *identity, const char *name, GError **error)
{
  guint32 serial = g_random_int () | 1;
  gnutls_x509_crt_t certificate;

  if (!check (gnutls_x509_privkey_init (&identity->key), error)
      || !check (gnutls_x509_privkey_generate (identity->key, GNUTLS_PK_ECDSA,
                                               GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1),
                                               0),
                 error)
      || !check (gnutls_x509_crt_init (&identity->certificate), error))
    return FALSE;
  certificate = identity->certificate;
  return check (gnutls_x509_crt_set_version (certificate, 3), error)
         && check (gnutls_x509_crt_set_serial (certificate, &serial, sizeof serial), error)
         && check (gnutls_x509_crt_set_activation_time (certificate, time (NULL) - 86400), error)
         && check (gnutls_x509_crt_set_expiration_time (certificate, time (NULL) + LIFETIME), error)
         && check (gnutls_x509_crt_set_key (certificate, identity->key), error)
         && check (gnutls_x509_crt_set_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                  strlen (name)),
                   error);
}

static gboolean
set_key_id (Identity *identity, GError **error)
{
  guint8 id[64];
  size_t size = sizeof id;

  return check (gnutls_x509_crt_get_key_id (identity->certificate, 0, id, &size), error)
         && check (gnutls_x509_crt_set_subject_key_id (identity->certificate, id, size), error);
}

static gboolean
make_authority (Identity *authority, GError **error)
{
  return identity_begin (authority, "box-emulator test authority", error)
         && check (gnutls_x509_crt_set_basic_constraints (authority->certificate, 1, 0), error)
         && check (gnutls_x509_crt_set_key_usage (authority->certificate,
                                                  GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN),
                   error)
         && set_key_id (authority, error)
         && check (gnutls_x509_crt_sign2 (authority->certificate, authority->certificate,
                                          authority->key, GNUTLS_DIG_SHA256, 0),
                   error);
}

static gboolean
add_names (gnutls_x509_crt_t certificate, GError **error)
{
  static const guint8 ipv4[] = { 127, 0, 0, 1 };
  static const guint8 ipv6[16] = { [15] = 1 };

  for (guint i = 0; names[i] != NULL; i++)
    if (!check (gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, names[i],
                                                      strlen (names[i]), GNUTLS_FSAN_APPEND),
                error))
      return FALSE;
  return check (gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS, ipv4,
                                                      sizeof ipv4, GNUTLS_FSAN_APPEND),
                error)
         && check (gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS, ipv6,
                                                         sizeof ipv6, GNUTLS_FSAN_APPEND),
                   error);
}

static gboolean
make_server (Identity *server, Identity *authority, GError **error)
{
  return identity_begin (server, "box-emulator", error)
         && check (gnutls_x509_crt_set_basic_constraints (server->certificate, 0, -1), error)
         && check (
             gnutls_x509_crt_set_key_usage (server->certificate, GNUTLS_KEY_DIGITAL_SIGNATURE),
             error)
         && check (
             gnutls_x509_crt_set_key_purpose_oid (server->certificate, GNUTLS_KP_TLS_WWW_SERVER, 0),
             error)
         && add_names (server->certificate, error) && set_key_id (server, error)
         && check (gnutls_x509_crt_sign2 (server->certificate, authority->certificate,
                                          authority->key, GNUTLS_DIG_SHA256, 0),
                   error);
}

/* Takes @data, which GnuTLS allocated. */
static gboolean
save (const char *path, gnutls_datum_t *data, GError **error)
{
  gboolean ok = g_file_set_contents_full (path, (const char *) data->data, data->size,
                                          G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);

  gnutls_free (data->data);
  return ok;
}

static gboolean
save_certificate (const char *path, gnutls_x509_crt_t certificate, GError **error)
{
  gnutls_datum_t data;

  return check (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &data), error)
         && save (path, &data, error);
}

static gboolean
save_key (const char *path, gnutls_x509_privkey_t key, GError **error)
{
  gnutls_datum_t data;

  return check (gnutls_x509_privkey_export2_pkcs8 (key, GNUTLS_X509_FMT_PEM, NULL,
                                                   GNUTLS_PKCS_PLAIN, &data),
                error)
         && save (path, &data, error);
}

gboolean
emu_certificate_covers (const char *host)
{
  const char *rest = strchr (host, '.');
  g_autofree char *pattern = rest != NULL ? g_strconcat ("*", rest, NULL) : NULL;

  return g_strv_contains (names, host) || g_str_equal (host, "127.0.0.1")
         || (pattern != NULL && g_strv_contains (names, pattern));
}

GTlsCertificate *
emu_certificate_make (const char *dir, GError **error)
{
  g_autofree char *ca_path = g_build_filename (dir, "ca.pem", NULL);
  g_autofree char *path = g_build_filename (dir, "server.pem", NULL);
  g_autofree char *key_path = g_build_filename (dir, "server-key.pem", NULL);
  g_auto (Identity) authority = { NULL, NULL };
  g_auto (Identity) server = { NULL, NULL };

  if (g_file_test (ca_path, G_FILE_TEST_EXISTS) && g_file_test (path, G_FILE_TEST_EXISTS)
      && g_file_test (key_path, G_FILE_TEST_EXISTS))
    return g_tls_certificate_new_from_files (path, key_path, error);
  if (!make_authority (&authority, error) || !make_server (&server, &authority, error)
      || !save_certificate (ca_path, authority.certificate, error)
      || !save_certificate (path, server.certificate, error)
      || !save_key (key_path, server.key, error))
    return NULL;
  return g_tls_certificate_new_from_files (path, key_path, error);
}

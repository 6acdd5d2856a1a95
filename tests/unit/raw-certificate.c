/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "raw-certificate.h"

#include <gnutls/x509.h>
#include <time.h>

static gnutls_x509_privkey_t
new_key (void)
{
  gnutls_x509_privkey_t key;

  g_assert_cmpint (gnutls_x509_privkey_init (&key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_generate (
                       key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0),
                   ==, 0);
  return key;
}

static gnutls_x509_crt_t
new_certificate (const char *name, gnutls_x509_privkey_t key, guint8 serial)
{
  gnutls_x509_crt_t certificate;

  g_assert_cmpint (gnutls_x509_crt_init (&certificate), ==, 0);
  gnutls_x509_crt_set_version (certificate, 3);
  gnutls_x509_crt_set_serial (certificate, &serial, 1);
  gnutls_x509_crt_set_activation_time (certificate, time (NULL) - 3600);
  gnutls_x509_crt_set_expiration_time (certificate, time (NULL) + 86400);
  gnutls_x509_crt_set_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                 (unsigned) strlen (name));
  g_assert_cmpint (gnutls_x509_crt_set_key (certificate, key), ==, 0);
  return certificate;
}

static void
set_host (gnutls_x509_crt_t certificate, const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  if (address != NULL)
    gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS,
                                          g_inet_address_to_bytes (address),
                                          (unsigned) g_inet_address_get_native_size (address), 0);
  else
    gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, host,
                                          (unsigned) strlen (host), 0);
}

static char *
take_pem (gnutls_datum_t *pem)
{
  char *text = g_strndup ((const char *) pem->data, pem->size);

  gnutls_free (pem->data);
  return text;
}

GTlsCertificate *
raw_certificate_new (const char *host, char **ca_pem)
{
  gnutls_x509_privkey_t ca_key = new_key (), key = new_key ();
  gnutls_x509_crt_t ca = new_certificate ("test authority", ca_key, 1);
  gnutls_x509_crt_t leaf = new_certificate (host, key, 2);
  g_autofree char *leaf_pem = NULL, *key_pem = NULL, *pem = NULL;
  g_autoptr (GError) error = NULL;
  gnutls_datum_t datum;
  GTlsCertificate *certificate;

  gnutls_x509_crt_set_basic_constraints (ca, 1, -1);
  gnutls_x509_crt_set_key_usage (ca, GNUTLS_KEY_KEY_CERT_SIGN);
  g_assert_cmpint (gnutls_x509_crt_sign2 (ca, ca, ca_key, GNUTLS_DIG_SHA256, 0), ==, 0);
  set_host (leaf, host);
  g_assert_cmpint (gnutls_x509_crt_sign2 (leaf, ca, ca_key, GNUTLS_DIG_SHA256, 0), ==, 0);

  gnutls_x509_crt_export2 (ca, GNUTLS_X509_FMT_PEM, &datum);
  *ca_pem = take_pem (&datum);
  gnutls_x509_crt_export2 (leaf, GNUTLS_X509_FMT_PEM, &datum);
  leaf_pem = take_pem (&datum);
  gnutls_x509_privkey_export2_pkcs8 (key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &datum);
  key_pem = take_pem (&datum);
  pem = g_strconcat (leaf_pem, key_pem, NULL);
  certificate = g_tls_certificate_new_from_pem (pem, -1, &error);
  g_assert_no_error (error);

  gnutls_x509_crt_deinit (ca);
  gnutls_x509_crt_deinit (leaf);
  gnutls_x509_privkey_deinit (ca_key);
  gnutls_x509_privkey_deinit (key);
  return certificate;
}

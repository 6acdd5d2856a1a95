/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "raw-certificate.h"

#include <gnutls/x509.h>
#include <time.h>

/* RSA, 1024 bits. Data, for making one takes long under a sanitizer. */
static const char weak_key[] = "-----BEGIN RSA PRIVATE KEY-----\n"
                               "MIICXAIBAAKBgQDYoWJWxdxO19SFI85H2Oi+HWw11JAf3NpuKmiiFBDFUQisq04o\n"
                               "kRN0Mx+1rHTv9FiDGEAD1jH9pTHd3Fir3tMkEiokrDtRmSxVltEyH3CZ6k9Hzd98\n"
                               "PyXGcM4v+t1jFcnbL+XxN/56Nq/rWrm/KbW76ADqWbPt195DMubhc3x5IwIDAQAB\n"
                               "AoGAQzafemjdmCDjMYQQhr5ISGR8pJ8VMK2noDLMUC2FnpMr69ci4vdQX+dU2Vtu\n"
                               "1Nytcc9eXVJiJF7TABFT+c+jFqXdItnK7t/GT6H/g5L/bCO59BK8IdSers9AIi0Z\n"
                               "3Qco+R8CPT6y4UFKWX0NhlDTMinFnsEltTEi7hhYKCJwEjECQQDvOFU0A5S7ifNd\n"
                               "ZJx/CkM3ruu531EwJOmOhuN97sep6eEoYXyt9dZBgCfGGl3vZhIhMHigwiJcBe7b\n"
                               "rKEH1DtNAkEA59No5tvzOCo1mjMhV1drB0DoHiur16CO9EUdibKT2spk8RcsSZKZ\n"
                               "ex8PZ0/Yf6lj94OdbKURkqf4JHzYa/TuLwJAPJA2ggSmExTJ2Eswk7k1a1ONunEf\n"
                               "TOELgFoGHkvloM7lgiOsPR6QL+USLMVgIsvkqyJqZ8i+ii22W0dJPYItwQJBALHq\n"
                               "vVKYMZTESDkczpTSoXCCruIg0BR/w9bSiHXaWMEMneWtzC521VX5o3+9dsGbRf56\n"
                               "w0HTeaYdRULzkcFgy78CQGSrRRNWe3W4KFV+w4ZoSKJh1G4XVQ/kD7mSzAPJYVgn\n"
                               "uLn+Z4YYlsyd+UZ6wdegJk3jm9WaUc2fKqNIciZjQpg=\n"
                               "-----END RSA PRIVATE KEY-----\n";

static gnutls_x509_privkey_t
load_weak_key (void)
{
  gnutls_datum_t pem = { .data = (unsigned char *) weak_key, .size = sizeof weak_key - 1 };
  gnutls_x509_privkey_t key;

  g_assert_cmpint (gnutls_x509_privkey_init (&key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_import (key, &pem, GNUTLS_X509_FMT_PEM), ==, 0);
  return key;
}

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
  return raw_certificate_new_faulty (host, RAW_CERTIFICATE_GOOD, ca_pem);
}

static void
add_fault (gnutls_x509_crt_t leaf, const char *host, RawCertificateFault fault)
{
  time_t now = time (NULL);

  if (fault != RAW_CERTIFICATE_WITHOUT_NAME)
    set_host (leaf, host);
  if (fault == RAW_CERTIFICATE_FOR_CLIENTS)
    gnutls_x509_crt_set_key_purpose_oid (leaf, GNUTLS_KP_TLS_WWW_CLIENT, 0);
  if (fault == RAW_CERTIFICATE_EXPIRED)
    gnutls_x509_crt_set_expiration_time (leaf, now - 60);
  if (fault == RAW_CERTIFICATE_NOT_YET_VALID)
    gnutls_x509_crt_set_activation_time (leaf, now + 3600);
}

/* Signs @leaf with a certificate that the authority has given to another server, and returns that;
 * free with g_free(). */
static char *
sign_by_a_server (gnutls_x509_crt_t leaf, gnutls_x509_crt_t ca, gnutls_x509_privkey_t ca_key)
{
  gnutls_x509_privkey_t key = new_key ();
  gnutls_x509_crt_t server = new_certificate ("evil.example.com", key, 3);
  gnutls_datum_t pem;

  gnutls_x509_crt_set_basic_constraints (server, 0, -1);
  set_host (server, "evil.example.com");
  g_assert_cmpint (gnutls_x509_crt_sign2 (server, ca, ca_key, GNUTLS_DIG_SHA256, 0), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_sign2 (leaf, server, key, GNUTLS_DIG_SHA256, 0), ==, 0);
  gnutls_x509_crt_export2 (server, GNUTLS_X509_FMT_PEM, &pem);
  gnutls_x509_crt_deinit (server);
  gnutls_x509_privkey_deinit (key);
  return take_pem (&pem);
}

GTlsCertificate *
raw_certificate_new_faulty (const char *host, RawCertificateFault fault, char **ca_pem)
{
  gnutls_x509_privkey_t ca_key = new_key ();
  gnutls_x509_privkey_t key = fault == RAW_CERTIFICATE_WEAK ? load_weak_key () : new_key ();
  gnutls_x509_crt_t ca = new_certificate ("test authority", ca_key, 1);
  gnutls_x509_crt_t leaf = new_certificate (host, key, 2);
  g_autofree char *leaf_pem = NULL, *between_pem = NULL, *key_pem = NULL, *pem = NULL;
  g_autoptr (GError) error = NULL;
  gnutls_datum_t datum;
  GTlsCertificate *certificate;

  gnutls_x509_crt_set_basic_constraints (ca, 1, -1);
  gnutls_x509_crt_set_key_usage (ca, GNUTLS_KEY_KEY_CERT_SIGN);
  g_assert_cmpint (gnutls_x509_crt_sign2 (ca, ca, ca_key, GNUTLS_DIG_SHA256, 0), ==, 0);
  add_fault (leaf, host, fault);
  if (fault == RAW_CERTIFICATE_BY_A_SERVER)
    between_pem = sign_by_a_server (leaf, ca, ca_key);
  else
    g_assert_cmpint (gnutls_x509_crt_sign2 (
                         leaf, ca, fault == RAW_CERTIFICATE_BY_ITSELF ? key : ca_key,
                         fault == RAW_CERTIFICATE_SHA1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256, 0),
                     ==, 0);

  gnutls_x509_crt_export2 (ca, GNUTLS_X509_FMT_PEM, &datum);
  *ca_pem = take_pem (&datum);
  gnutls_x509_crt_export2 (leaf, GNUTLS_X509_FMT_PEM, &datum);
  leaf_pem = take_pem (&datum);
  gnutls_x509_privkey_export2_pkcs8 (key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &datum);
  key_pem = take_pem (&datum);
  pem = g_strconcat (leaf_pem, key_pem, between_pem, NULL);
  certificate = g_tls_certificate_new_from_pem (pem, -1, &error);
  g_assert_no_error (error);

  gnutls_x509_crt_deinit (ca);
  gnutls_x509_crt_deinit (leaf);
  gnutls_x509_privkey_deinit (ca_key);
  gnutls_x509_privkey_deinit (key);
  return certificate;
}

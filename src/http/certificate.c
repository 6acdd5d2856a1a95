/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/certificate.h"

#include <gnutls/x509.h>

/* Bits. The second is what is held to be as strong as the first. */
#define LEAST_RSA   2048
#define LEAST_CURVE 224

/* NULL: it cannot be read. Free with gnutls_x509_crt_deinit(). */
static gnutls_x509_crt_t
parse (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;
  gnutls_x509_crt_t parsed;
  gnutls_datum_t datum;

  g_object_get (certificate, "certificate", &der, NULL);
  if (der == NULL || gnutls_x509_crt_init (&parsed) != GNUTLS_E_SUCCESS)
    return NULL;
  datum = (gnutls_datum_t){ .data = der->data, .size = der->len };
  if (gnutls_x509_crt_import (parsed, &datum, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS)
    return parsed;
  gnutls_x509_crt_deinit (parsed);
  return NULL;
}

gboolean
box_certificate_is_for_servers (GTlsCertificate *certificate)
{
  gnutls_x509_crt_t parsed = parse (certificate);
  gboolean suits;

  if (parsed == NULL)
    return FALSE;
  suits = gnutls_x509_crt_check_key_purpose (parsed, GNUTLS_KP_TLS_WWW_SERVER, 0) != 0;
  gnutls_x509_crt_deinit (parsed);
  return suits;
}

static gboolean
is_key_strong (GTlsCertificate *certificate)
{
  gnutls_x509_crt_t parsed = parse (certificate);
  unsigned bits = 0;
  int algorithm;

  if (parsed == NULL)
    return FALSE;
  algorithm = gnutls_x509_crt_get_pk_algorithm (parsed, &bits);
  gnutls_x509_crt_deinit (parsed);
  switch (algorithm)
    {
    case GNUTLS_PK_RSA:
    case GNUTLS_PK_RSA_PSS:
      return bits >= LEAST_RSA;
    case GNUTLS_PK_ECDSA:
    case GNUTLS_PK_EDDSA_ED25519:
    case GNUTLS_PK_EDDSA_ED448:
      return bits >= LEAST_CURVE;
    default:
      return FALSE;
    }
}

gboolean
box_certificate_is_strong (GTlsCertificate *chain)
{
  for (; chain != NULL; chain = g_tls_certificate_get_issuer (chain))
    if (!is_key_strong (chain))
      return FALSE;
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The key pairs of tests/data, and application configurations with them. */
#pragma once

#include <glib.h>
#include <gnutls/abstract.h>

/* A private key in each form that it can come in, PEM. */
typedef struct
{
  gnutls_pubkey_t public_key;
  char *pkcs8;
  char *pkcs8_encrypted;
  char *traditional;
  char *traditional_encrypted;
  char *public_pem;
  char *certificate; /* something signed by it, for one who gives the wrong file */
} TestKey;

#define TEST_PASSPHRASE    "op3n-sesame"
#define TEST_CLIENT_SECRET "client-s3cret-0123456789-qwertzuiop"

/* The private key in the file @name of tests/data. Free with gnutls_privkey_deinit(). */
gnutls_privkey_t test_key_read (const char *name);

/* @algorithm: GNUTLS_PK_RSA (2048 bits) or GNUTLS_PK_ECDSA (P-256). */
TestKey *test_key_new (gnutls_pk_algorithm_t algorithm);
void test_key_free (TestKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestKey, test_key_free)

/* The configuration file that Box's developer console offers, with this key. @passphrase and
 * @algorithm may be NULL. */
char *test_app_config (const char *private_key, const char *passphrase, const char *algorithm);

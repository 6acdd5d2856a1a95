/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/trust.h"

#include "base/error.h"
#include "base/process.h"

#include <gnutls/x509.h>
#include <string.h>

struct _BoxTrust
{
  GTlsDatabase parent;

  GTlsDatabase *own; /* nullable; immutable */
  GMutex lock;
  GTlsDatabase *system; /* with lock; nullable: it could not be read yet */
};

BOX_DEFINE_TYPE (BoxTrust, box_trust, G_TYPE_TLS_DATABASE, {})

/* glib-networking from 2.80 on has no database where it cannot read the system's certificates, or
 * finds none. It reads them again if it is asked again: later there may be a descriptor, or a file.
 * NULL: still none; else unref. */
static GTlsDatabase *
dup_system (BoxTrust *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->system == NULL)
    self->system = g_tls_backend_get_default_database (g_tls_backend_get_default ());
  return self->system != NULL ? g_object_ref (self->system) : NULL;
}

static GTlsCertificateFlags
ask_system (BoxTrust *self, GTlsCertificate *chain, const char *purpose,
            GSocketConnectable *identity, GTlsInteraction *interaction,
            GTlsDatabaseVerifyFlags flags, GCancellable *cancellable, GError **error)
{
  g_autoptr (GTlsDatabase) system = dup_system (self);

  if (system == NULL)
    return G_TLS_CERTIFICATE_UNKNOWN_CA;
  return g_tls_database_verify_chain (system, chain, purpose, identity, interaction, flags,
                                      cancellable, error);
}

static GTlsCertificateFlags
ask_databases (BoxTrust *self, GTlsCertificate *chain, const char *purpose,
               GSocketConnectable *identity, GTlsInteraction *interaction,
               GTlsDatabaseVerifyFlags flags, GCancellable *cancellable, GError **error)
{
  GTlsCertificateFlags own_problems, system_problems;

  if (self->own == NULL)
    return ask_system (self, chain, purpose, identity, interaction, flags, cancellable, error);
  own_problems = g_tls_database_verify_chain (self->own, chain, purpose, identity, interaction,
                                              flags, cancellable, error);
  if (own_problems == 0)
    return 0;
  g_clear_error (error);
  system_problems =
      ask_system (self, chain, purpose, identity, interaction, flags, cancellable, error);
  if (system_problems == 0 || (own_problems & G_TLS_CERTIFICATE_UNKNOWN_CA) != 0)
    return system_problems;
  /* The authority is our own: what it says is wrong with the certificate is nearer to the point. */
  g_clear_error (error);
  return own_problems;
}

static GTlsCertificateFlags
box_trust_verify_chain (GTlsDatabase *database, GTlsCertificate *chain, const char *purpose,
                        GSocketConnectable *identity, GTlsInteraction *interaction,
                        GTlsDatabaseVerifyFlags flags, GCancellable *cancellable, GError **error)
{
  GTlsCertificateFlags problems = ask_databases (BOX_TRUST (database), chain, purpose, identity,
                                                 interaction, flags, cancellable, error);

  if (!box_certificate_is_strong (chain))
    problems |= G_TLS_CERTIFICATE_INSECURE;
  if (g_strcmp0 (purpose, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER) == 0
      && !box_certificate_is_for_servers (chain))
    problems |= G_TLS_CERTIFICATE_GENERIC_ERROR;
  return problems;
}

static void
box_trust_finalize (GObject *object)
{
  BoxTrust *self = BOX_TRUST (object);

  g_clear_object (&self->own);
  g_clear_object (&self->system);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (box_trust_parent_class)->finalize (object);
}

static void
box_trust_class_init (BoxTrustClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = box_trust_finalize;
  G_TLS_DATABASE_CLASS (klass)->verify_chain = box_trust_verify_chain;
}

static void
box_trust_init (BoxTrust *self)
{
  g_mutex_init (&self->lock);
}

gboolean
box_trust_check_file (const char *ca_file, const char *pem, GError **error)
{
  if (strstr (pem, "-----BEGIN CERTIFICATE-----") != NULL
      || strstr (pem, "-----BEGIN X509 CERTIFICATE-----") != NULL
      || strstr (pem, "-----BEGIN TRUSTED CERTIFICATE-----") != NULL)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "ca-file \"%s\" cannot be used: there is no PEM certificate in it", ca_file);
  return FALSE;
}

/* A file database accepts a file without any certificate in it, which then trusts nothing. */
static GTlsDatabase *
load_file (const char *ca_file, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (ca_file, NULL);
  g_autoptr (GError) reason = NULL;
  GList *certificates = g_tls_certificate_list_new_from_file (path, &reason);
  GTlsDatabase *database = NULL;

  if (certificates != NULL)
    database = g_tls_file_database_new (path, &reason);
  g_list_free_full (certificates, g_object_unref);
  if (database == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "ca-file \"%s\" cannot be used: %s", ca_file,
                 reason != NULL ? reason->message : "there is no PEM certificate in it");
  return database;
}

GTlsDatabase *
box_trust_new_of (GTlsDatabase *own, GTlsDatabase *system)
{
  BoxTrust *self = g_object_new (BOX_TYPE_TRUST, NULL);

  g_set_object (&self->own, own);
  g_set_object (&self->system, system);
  return G_TLS_DATABASE (self);
}

static gint owns_process;

void
box_trust_own_process (void)
{
  g_atomic_int_set (&owns_process, TRUE);
}

/* glib-networking reads the authorities for each connection that begins with a database of its own,
 * as libsoup's do. They begin with ours instead. */
static void
share (GTlsDatabase *system)
{
  g_autoptr (GTlsDatabase) shared = NULL;

  if (!g_atomic_int_get (&owns_process) || system == NULL || BOX_IS_TRUST (system))
    return;
  shared = box_trust_new_of (NULL, system);
  g_tls_backend_set_default_database (g_tls_backend_get_default (), shared);
}

GTlsDatabase *
box_trust_new (const char *ca_file, GError **error)
{
  g_autoptr (GTlsDatabase) own = NULL;
  g_autoptr (GTlsDatabase) system = NULL;

  if (ca_file != NULL && (own = load_file (ca_file, error)) == NULL)
    return NULL;
  system = g_tls_backend_get_default_database (g_tls_backend_get_default ());
  share (system);
  return box_trust_new_of (own, system);
}

gboolean
box_trust_is_modern (GTlsConnection *tls)
{
  return g_tls_connection_get_protocol_version (tls) >= G_TLS_PROTOCOL_VERSION_TLS_1_2;
}

char *
box_trust_describe (GTlsCertificateFlags flags, GTlsCertificate *certificate)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new ();
  static const struct
  {
    GTlsCertificateFlags flag;
    const char *text;
  } texts[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "it is signed by an unknown authority" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "it is for another host" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet (is this machine's clock right?)" },
    { G_TLS_CERTIFICATE_EXPIRED, "it has expired (is this machine's clock right?)" },
    { G_TLS_CERTIFICATE_REVOKED, "it was revoked" },
    { G_TLS_CERTIFICATE_INSECURE,
      "its key or algorithm is too weak (RSA keys need 2048 bits, signatures SHA-256)" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (flags & texts[i].flag)
      g_ptr_array_add (problems, (gpointer) texts[i].text);
  if ((flags & G_TLS_CERTIFICATE_GENERIC_ERROR) != 0 && certificate != NULL
      && !box_certificate_is_for_servers (certificate))
    g_ptr_array_add (problems, (gpointer) "it is not for servers");
  if (problems->len == 0)
    g_ptr_array_add (problems, (gpointer) "it cannot be verified");
  g_ptr_array_add (problems, NULL);
  return g_strjoinv (", ", (char **) problems->pdata);
}

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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A certificate authority and a server's certificate, made anew for each test program. */
#pragma once

#include <gio/gio.h>

/* @host: an IP address or a name. @ca_pem (out): the authority's certificate. */
GTlsCertificate *raw_certificate_new (const char *host, char **ca_pem);

/* The fault of a certificate. */
typedef enum
{
  RAW_CERTIFICATE_GOOD,
  RAW_CERTIFICATE_WEAK,        /* an RSA key of 1024 bits */
  RAW_CERTIFICATE_FOR_CLIENTS, /* its purpose is to say who a client is */
  RAW_CERTIFICATE_EXPIRED,
  RAW_CERTIFICATE_NOT_YET_VALID,
  RAW_CERTIFICATE_SHA1,         /* what its signature was made of */
  RAW_CERTIFICATE_WITHOUT_NAME, /* but in its subject */
  RAW_CERTIFICATE_BY_A_SERVER,  /* signed by another server's, which is no authority */
  RAW_CERTIFICATE_BY_ITSELF,    /* signed with its own key, in the authority's name */
} RawCertificateFault;

GTlsCertificate *
raw_certificate_new_faulty (const char *host, RawCertificateFault fault, char **ca_pem);

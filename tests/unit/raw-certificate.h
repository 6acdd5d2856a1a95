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
  RAW_CERTIFICATE_WEAK,       /* an RSA key of 1024 bits */
  RAW_CERTIFICATE_FOR_CLIENTS /* its purpose is to say who a client is */
} RawCertificateFault;

GTlsCertificate *
raw_certificate_new_faulty (const char *host, RawCertificateFault fault, char **ca_pem);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A certificate authority and a server's certificate, made anew for each test program. */
#pragma once

#include <gio/gio.h>

/* @host: an IP address or a name. @ca_pem (out): the authority's certificate. */
GTlsCertificate *raw_certificate_new (const char *host, char **ca_pem);

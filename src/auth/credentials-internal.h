/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What unit tests and auth/downscope.c need of BoxCredentials beside its public header. */
#pragma once

#include "auth/credentials.h"
#include "auth/token-source.h"

G_BEGIN_DECLS

/* How long the application has to answer a request for a token; 0: 30 seconds, the default.
 * Microseconds. */
void box_credentials_set_request_limit (BoxCredentials *credentials, gint64 limit);

/* The same for all credentials that are made from now on; tests of the element find it in the
 * loaded plugin, whose credentials they cannot reach. */
void box_credentials_set_default_request_limit (gint64 limit);

/* Owned by @credentials. Its immutable fields may be read. */
const BoxTokenSource *box_credentials_get_source (BoxCredentials *credentials);

G_END_DECLS

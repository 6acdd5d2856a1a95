/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What unit tests need of BoxCredentials beside its public header. */
#pragma once

#include "box-credentials.h"

G_BEGIN_DECLS

/* How long the application has to answer a request for a token; 0: 30 seconds, the default.
 * Microseconds. */
void box_credentials_set_request_limit (BoxCredentials *credentials, gint64 limit);

G_END_DECLS

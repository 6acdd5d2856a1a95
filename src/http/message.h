/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a BoxReply (http/transport.h) is made of HTTP headers. Pure, but for the clock where a server
 * sends no Date. */
#pragma once

#include <libsoup/soup.h>

#include "http/transport.h"

G_BEGIN_DECLS

/* Takes a reference of @body. */
BoxReply *box_reply_new (guint status, SoupMessageHeaders *headers, GBytes *body);

/* Seconds that Retry-After's @value asks for: a number, or an HTTP date counted from @date
 * (nullable: from now); -1 where it makes no sense. */
gint box_reply_parse_retry_after (const char *value, GDateTime *date);

G_END_DECLS

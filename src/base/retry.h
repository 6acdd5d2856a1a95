/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The retry policy: how long to wait before a request that failed is tried again. Pure: no clock,
 * no socket.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the server may ask for in Retry-After is capped: a bogus value must not end an upload's
 * life. Seconds. */
#define BOX_RETRY_AFTER_MAX 300

/**
 * box_retry_delay:
 * @attempt: how often the request has failed, from 1.
 * @error: how it failed last; its Retry-After is kept to.
 * @random: any number; spreads the delays of many clients.
 *
 * Microseconds to wait: Retry-After where given, else 0.5 s doubled with each attempt up to 30 s,
 * of which a random quarter is taken off.
 */
gint64 box_retry_delay (guint attempt, const GError *error, guint32 random);

/* Whether waiting is the server's wish (429, Retry-After) and so must not be cut short when the
 * network comes back. */
gboolean box_retry_is_asked (const GError *error);

G_END_DECLS

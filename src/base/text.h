/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes untrusted text (names, a server's answer) safe for a message: one line, without control
 * sequences of a terminal. And reads numbers of bytes and times. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest name of a host (RFC 1035, section 2.3.4). */
#define BOX_HOST_MAX 253

/* A server's text as one printable line of at most @max bytes and an ellipsis. Other characters
 * become spaces. Free with g_free(). */
char *box_text_tidy (const char *text, gsize max);

/* A name or a message: the same text, with control characters, line separators, the marks that turn
 * the direction of writing, and bytes that are not UTF-8 written as \n, \t, \x1b or \u202e. Free
 * with g_free(). */
char *box_text_escape (const char *text);

/* A number of bytes such as 104857600, 100MB or 100MiB. */
gboolean box_text_parse_size (const char *text, guint64 *size);

/* Whether @text is a time with its zone (RFC 3339), such as 2024-05-01T12:00:00Z. */
gboolean box_text_is_time (const char *text);

G_END_DECLS

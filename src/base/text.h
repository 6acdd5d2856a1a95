/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of others (names, what a server said) made fit for a message: one line, nothing that a
 * terminal would obey. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The words of a server: one line of printable text of at most @max bytes and an ellipsis. What is
 * not printable becomes a space. Free with g_free(). */
char *box_text_tidy (const char *text, gsize max);

/* A name or a message: the same text, with control characters, line separators, the marks that turn
 * the direction of writing, and bytes that are not UTF-8 written as \n, \t, \x1b or \u202e. Free
 * with g_free(). */
char *box_text_escape (const char *text);

G_END_DECLS

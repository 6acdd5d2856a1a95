/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a file descriptor is connected to: whether escape codes make sense there, and how wide it
 * is.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A terminal that understands cursor movement: not where TERM is "dumb" or missing. */
gboolean cli_terminal_is (int fd);

/* Columns, as of now: it can change. 80 where the terminal does not say. */
guint cli_terminal_get_columns (int fd);

/* Whether the locale's character set can show block characters. */
gboolean cli_terminal_has_utf8 (void);

G_END_DECLS

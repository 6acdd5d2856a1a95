/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliProgress: bars at the bottom of a terminal, one a line, drawn again as they progress.
 * Without a terminal nothing is drawn and no escape code is written. One thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * CliProgressLine:
 * @label: for example a file's name; printable.
 * @done, @total: bytes.
 * @rate: bytes per second, 0: unknown.
 * @notice: (nullable): shown in place of rate and time left.
 */
typedef struct
{
  const char *label;
  guint64 done;
  guint64 total;
  guint64 rate;
  const char *notice;
} CliProgressLine;

/* One line of at most @columns columns: label, bar, percent, bytes, rate and time left, or as much
 * of that as fits. Pure. Free with g_free(). */
char *cli_progress_render (const CliProgressLine *line, guint columns, gboolean utf8);

typedef struct _CliProgress CliProgress;

/* Draws on @fd, if that is a terminal. */
CliProgress *cli_progress_new (int fd);

/* Clears the bars. */
void cli_progress_free (CliProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliProgress, cli_progress_free)

/* Whether there is a terminal. */
gboolean cli_progress_is_shown (CliProgress *progress);

/* Replaces the drawn lines by @n lines. */
void cli_progress_draw (CliProgress *progress, const CliProgressLine *lines, guint n);

/* Removes the bars, so that ordinary lines can be printed. */
void cli_progress_clear (CliProgress *progress);

/* Whether @fd is a terminal that understands cursor movement: not if TERM is "dumb" or missing.
 */
gboolean cli_terminal_is (int fd);

/* Its present number of columns, which can change; 80 if it is not known. */
guint cli_terminal_get_columns (int fd);

/* Whether the locale's character set can show block characters. */
gboolean cli_terminal_has_utf8 (void);

G_END_DECLS

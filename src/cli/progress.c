/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/reporter.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output.h"

/* A bar shorter than this says nothing. Columns. */
#define MIN_BAR 8

#define CURSOR_UP_FORMAT "\033[%uA"
#define CLEAR_TO_END     "\033[J"
#define CLEAR_LINE_END   "\033[K"

struct _CliProgress
{
  int fd;        /* -1: no terminal */
  guint n_drawn; /* lines above the cursor that are ours */
};

/* Columns that @c takes on a terminal. */
static guint
char_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

static guint
text_width (const char *text)
{
  guint width = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    width += char_width (g_utf8_get_char (p));
  return width;
}

/* @text in exactly @width columns: padded, or cut with a mark at its end. */
static void
append_fitted (GString *line, const char *text, guint width, gboolean utf8)
{
  gboolean fits = text_width (text) <= width;
  guint room = fits || width == 0 ? width : width - 1;
  guint used = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      guint w = char_width (g_utf8_get_char (p));

      if (used + w > room)
        break;
      g_string_append_unichar (line, g_utf8_get_char (p));
      used += w;
    }
  if (!fits && width > 0)
    {
      g_string_append (line, utf8 ? "…" : "~");
      used++;
    }
  while (used++ < width)
    g_string_append_c (line, ' ');
}

/* In eighths of a column if the character set has them. */
static void
append_bar (GString *line, double fraction, guint width, gboolean utf8)
{
  static const char *const eighths[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
  guint filled = (guint) (fraction * width * 8);

  for (guint i = 0; i < width; i++)
    if ((i + 1) * 8 <= filled)
      g_string_append (line, utf8 ? "█" : "#");
    else if (i * 8 < filled && utf8)
      g_string_append (line, eighths[filled % 8]);
    else
      g_string_append (line, utf8 ? " " : ".");
}

static double
get_fraction (const CliProgressLine *line)
{
  return line->total > 0 ? (double) MIN (line->done, line->total) / (double) line->total : 0;
}

/* The text right of the bar. */
static char *
format_figures (const CliProgressLine *line)
{
  g_autofree char *done = cli_format_bytes (line->done);
  g_autofree char *total = cli_format_bytes (line->total);
  g_autofree char *rate = cli_format_bytes (line->rate);
  g_autofree char *left = NULL;

  if (line->notice != NULL)
    return g_strdup_printf ("  %s", line->notice);
  if (line->rate == 0 || line->done >= line->total)
    return g_strdup_printf ("  %s of %s", done, total);
  left = cli_format_seconds ((line->total - line->done) / line->rate);
  return g_strdup_printf ("  %s of %s  %s/s  %s left", done, total, rate, left);
}

char *
cli_progress_render (const CliProgressLine *line, guint columns, gboolean utf8)
{
  GString *text = g_string_new (NULL);
  g_autofree char *figures = format_figures (line);
  double fraction = get_fraction (line);
  g_autofree char *percent = g_strdup_printf (" %3u%%", (guint) (fraction * 100));
  guint label_width = MIN (text_width (line->label), MAX (columns / 3, 1));
  guint fixed = label_width + 1 + (guint) strlen (percent);
  guint figures_width = text_width (figures);

  if (fixed >= columns)
    {
      append_fitted (text, line->label, columns, utf8);
      return g_string_free (text, FALSE);
    }
  if (figures_width + fixed + MIN_BAR > columns)
    figures_width = 0;
  append_fitted (text, line->label, label_width, utf8);
  g_string_append_c (text, ' ');
  append_bar (text, fraction, columns - fixed - figures_width, utf8);
  g_string_append (text, percent);
  if (figures_width > 0)
    g_string_append (text, figures);
  return g_string_free (text, FALSE);
}

CliProgress *
cli_progress_new (int fd)
{
  CliProgress *progress = g_new0 (CliProgress, 1);

  progress->fd = cli_terminal_is (fd) ? fd : -1;
  return progress;
}

void
cli_progress_free (CliProgress *progress)
{
  if (progress == NULL)
    return;
  cli_progress_clear (progress);
  g_free (progress);
}

gboolean
cli_progress_is_shown (CliProgress *progress)
{
  return progress->fd >= 0;
}

/* A terminal that does not take all of it is not worth an error: the next drawing mends it. */
static void
put_text (CliProgress *progress, const char *text)
{
  gsize length = strlen (text);

  while (length > 0)
    {
      gssize n = write (progress->fd, text, length);

      if (n <= 0)
        return;
      text += n;
      length -= (gsize) n;
    }
}

void
cli_progress_clear (CliProgress *progress)
{
  g_autofree char *text = NULL;

  if (progress->fd < 0 || progress->n_drawn == 0)
    return;
  text = g_strdup_printf (CURSOR_UP_FORMAT "\r" CLEAR_TO_END, progress->n_drawn);
  put_text (progress, text);
  progress->n_drawn = 0;
}

void
cli_progress_draw (CliProgress *progress, const CliProgressLine *lines, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint columns;

  if (progress->fd < 0)
    return;
  if (n == 0)
    {
      cli_progress_clear (progress);
      return;
    }
  columns = cli_terminal_get_columns (progress->fd);
  if (progress->n_drawn > 0)
    g_string_append_printf (text, CURSOR_UP_FORMAT, progress->n_drawn);
  g_string_append_c (text, '\r');
  for (guint i = 0; i < n; i++)
    {
      /* A full last column would wrap on some terminals. */
      g_autofree char *line =
          cli_progress_render (&lines[i], columns - 1, cli_terminal_has_utf8 ());

      g_string_append_printf (text, "%s" CLEAR_LINE_END "\n", line);
    }
  g_string_append (text, CLEAR_TO_END);
  put_text (progress, text->str);
  progress->n_drawn = n;
}

gboolean
cli_terminal_is (int fd)
{
  const char *term = g_getenv ("TERM");

  return isatty (fd) && term != NULL && *term != '\0' && !g_str_equal (term, "dumb");
}

guint
cli_terminal_get_columns (int fd)
{
  struct winsize size = { 0 };

  if (ioctl (fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

gboolean
cli_terminal_has_utf8 (void)
{
  return g_get_charset (NULL);
}

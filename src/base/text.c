/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <string.h>

char *
box_text_tidy (const char *text, gsize max)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *line = g_string_new (NULL);

  for (const char *p = valid; *p != '\0' && line->len < max; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      g_string_append_unichar (line, g_unichar_isprint (c) ? c : ' ');
    }
  if (line->len >= max)
    g_string_append (line, "…");
  g_strstrip (line->str);
  return g_string_free (line, FALSE);
}

static gboolean
is_harmless (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SURROGATE:
      return FALSE;
    default:
      return !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
    }
}

static void
append_escaped (GString *line, gunichar c)
{
  if (c == '\n')
    g_string_append (line, "\\n");
  else if (c == '\r')
    g_string_append (line, "\\r");
  else if (c == '\t')
    g_string_append (line, "\\t");
  else
    g_string_append_printf (line, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

char *
box_text_escape (const char *text)
{
  GString *line = g_string_new (NULL);

  for (const char *p = text; *p != '\0';)
    {
      gunichar c = g_utf8_get_char_validated (p, -1);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          append_escaped (line, (guchar) *p++);
          continue;
        }
      if (is_harmless (c))
        g_string_append_unichar (line, c);
      else
        append_escaped (line, c);
      p = g_utf8_next_char (p);
    }
  return g_string_free (line, FALSE);
}

/* 0 if @suffix is not a unit. */
static guint64
get_unit (const char *suffix)
{
  static const char letters[] = "KMGT";
  const char *letter;
  guint64 base, unit = 1;

  if (*suffix == '\0' || g_ascii_strcasecmp (suffix, "B") == 0)
    return 1;
  letter = strchr (letters, g_ascii_toupper (*suffix));
  if (letter == NULL)
    return 0;
  suffix++;
  if (*suffix == '\0' || g_ascii_strcasecmp (suffix, "iB") == 0
      || g_ascii_strcasecmp (suffix, "i") == 0)
    base = 1024;
  else if (g_ascii_strcasecmp (suffix, "B") == 0)
    base = 1000;
  else
    return 0;
  for (const char *l = letters; l <= letter; l++)
    unit *= base;
  return unit;
}

gboolean
box_text_parse_size (const char *text, guint64 *size)
{
  char *end = NULL;
  guint64 number = g_ascii_strtoull (text, &end, 10), unit = get_unit (end);

  if (!g_ascii_isdigit (*text) || unit == 0 || number > (guint64) G_MAXINT64 / unit)
    return FALSE;
  *size = number * unit;
  return TRUE;
}

gboolean
box_text_is_time (const char *text)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, NULL);

  return time != NULL;
}

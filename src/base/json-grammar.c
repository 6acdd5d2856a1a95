/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grammar of JSON (RFC 8259), to the letter. json-glib reads more than that (comments, single
 * quotes, several values in a row), recurses without a limit, and leaks memory on some of what it
 * refuses; so it is only shown what passes here.
 */
#include "base/json.h"

#include <string.h>

typedef struct
{
  const char *at;
  const char *end;
  guint depth;
} Cursor;

static void
skip_space (Cursor *cursor)
{
  while (cursor->at < cursor->end && strchr (" \t\r\n", *cursor->at) != NULL && *cursor->at != '\0')
    cursor->at++;
}

static gboolean
take (Cursor *cursor, char wanted)
{
  if (cursor->at == cursor->end || *cursor->at != wanted)
    return FALSE;
  cursor->at++;
  return TRUE;
}

static gboolean
take_word (Cursor *cursor, const char *word)
{
  gsize length = strlen (word);

  if ((gsize) (cursor->end - cursor->at) < length || memcmp (cursor->at, word, length) != 0)
    return FALSE;
  cursor->at += length;
  return TRUE;
}

static gboolean
take_digits (Cursor *cursor)
{
  const char *begin = cursor->at;

  while (cursor->at < cursor->end && g_ascii_isdigit (*cursor->at))
    cursor->at++;
  return cursor->at > begin;
}

static gboolean
take_number (Cursor *cursor)
{
  take (cursor, '-');
  if (!take (cursor, '0') && !take_digits (cursor))
    return FALSE;
  if (take (cursor, '.') && !take_digits (cursor))
    return FALSE;
  if (take (cursor, 'e') || take (cursor, 'E'))
    {
      if (!take (cursor, '+'))
        take (cursor, '-');
      return take_digits (cursor);
    }
  return TRUE;
}

/* Four hexadecimal digits. */
static gboolean
take_code_unit (Cursor *cursor, guint *unit)
{
  *unit = 0;
  for (guint i = 0; i < 4; i++)
    {
      if (cursor->at == cursor->end || !g_ascii_isxdigit (*cursor->at))
        return FALSE;
      *unit = *unit * 16 + (guint) g_ascii_xdigit_value (*cursor->at++);
    }
  return TRUE;
}

/* Reads an escape behind its backslash. U+0000 would end a C string early, a lone surrogate is not
 * a character. */
static gboolean
take_escape (Cursor *cursor)
{
  guint high, low;

  if (cursor->at == cursor->end)
    return FALSE;
  if (*cursor->at != 'u')
    return *cursor->at != '\0' && strchr ("\"\\/bfnrt", *cursor->at++) != NULL;
  cursor->at++;
  if (!take_code_unit (cursor, &high) || high == 0)
    return FALSE;
  if (high < 0xd800 || high > 0xdfff)
    return TRUE;
  return high < 0xdc00 && take_word (cursor, "\\u") && take_code_unit (cursor, &low)
         && low >= 0xdc00 && low <= 0xdfff;
}

static gboolean
take_string (Cursor *cursor)
{
  if (!take (cursor, '"'))
    return FALSE;
  while (cursor->at < cursor->end)
    {
      guint8 c = (guint8) *cursor->at++;

      if (c == '"')
        return TRUE;
      if (c < 0x20 || (c == '\\' && !take_escape (cursor)))
        return FALSE;
    }
  return FALSE;
}

static gboolean take_value (Cursor *cursor);

static gboolean
take_member (Cursor *cursor)
{
  skip_space (cursor);
  if (!take_string (cursor))
    return FALSE;
  skip_space (cursor);
  return take (cursor, ':') && take_value (cursor);
}

/* Reads from behind the opening bracket to the closing one. */
static gboolean
take_elements (Cursor *cursor, char close, gboolean (*take_element) (Cursor *cursor))
{
  if (++cursor->depth > BOX_JSON_MAX_DEPTH)
    return FALSE;
  skip_space (cursor);
  if (!take (cursor, close))
    {
      do
        if (!take_element (cursor))
          return FALSE;
      while (take (cursor, ','));
      if (!take (cursor, close))
        return FALSE;
    }
  cursor->depth--;
  return TRUE;
}

/* A value, and the space around it. */
static gboolean
take_value (Cursor *cursor)
{
  gboolean good;

  skip_space (cursor);
  if (take (cursor, '{'))
    good = take_elements (cursor, '}', take_member);
  else if (take (cursor, '['))
    good = take_elements (cursor, ']', take_value);
  else if (cursor->at < cursor->end && *cursor->at == '"')
    good = take_string (cursor);
  else
    good = take_word (cursor, "true") || take_word (cursor, "false") || take_word (cursor, "null")
           || take_number (cursor);
  skip_space (cursor);
  return good;
}

gsize
box_json_mark_length (const char *text, gsize length)
{
  static const char mark[] = { '\357', '\273', '\277' };

  return length >= sizeof mark && memcmp (text, mark, sizeof mark) == 0 ? sizeof mark : 0;
}

gboolean
box_json_is_valid (const char *text, gsize length)
{
  Cursor cursor = { .at = text, .end = text + length };

  return g_utf8_validate_len (text, length, NULL) && take_value (&cursor)
         && cursor.at == cursor.end;
}

/* Whether the number from @text to @end is an integer that does not fit in a gint64. */
static gboolean
is_oversized (const char *text, const char *end)
{
  const char *limit = *text == '-' ? "9223372036854775808" : "9223372036854775807";
  gsize length;

  text += *text == '-' ? 1 : 0;
  length = (gsize) (end - text);
  for (const char *c = text; c < end; c++)
    {
      if (!g_ascii_isdigit (*c))
        return FALSE;
    }
  return length > 19 || (length == 19 && memcmp (text, limit, 19) > 0);
}

GString *
box_json_spell_out_floats (const char *text, gsize length)
{
  Cursor cursor = { .at = text, .end = text + length };
  const char *copied = text;
  GString *spelt = NULL;

  while (cursor.at < cursor.end)
    {
      const char *begin = cursor.at;

      if (*begin == '"')
        take_string (&cursor);
      else if (*begin != '-' && !g_ascii_isdigit (*begin))
        cursor.at++;
      else if (take_number (&cursor) && is_oversized (begin, cursor.at))
        {
          if (spelt == NULL)
            spelt = g_string_sized_new (length + 64);
          g_string_append_len (spelt, copied, cursor.at - copied);
          g_string_append (spelt, ".0");
          copied = cursor.at;
        }
    }
  if (spelt != NULL)
    g_string_append_len (spelt, copied, cursor.end - copied);
  return spelt;
}

void
box_json_visit_members (const char *text, gsize length, BoxJsonVisitor visit, gpointer user_data)
{
  Cursor cursor = { .at = text, .end = text + length };

  skip_space (&cursor);
  if (!take (&cursor, '{'))
    return;
  do
    {
      BoxJsonMember member;

      skip_space (&cursor);
      member.name = cursor.at;
      if (!take_string (&cursor))
        return;
      member.name_length = (gsize) (cursor.at - member.name);
      skip_space (&cursor);
      take (&cursor, ':');
      skip_space (&cursor);
      member.value = cursor.at;
      take_value (&cursor);
      member.value_length = (gsize) (cursor.at - member.value);
      while (strchr (" \t\r\n", member.value[member.value_length - 1]) != NULL)
        member.value_length--;
      visit (&member, user_data);
    }
  while (take (&cursor, ','));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/http/multipart.h"

#include <string.h>

#define BUFFER_SIZE 262144

struct _EmuMultipart
{
  EmuMultipartSource source;
  gpointer user_data;
  char *delimiter; /* "\r\n--BOUNDARY" */
  gsize delimiter_length;
  char *buffer; /* bytes start..end are read ahead */
  gsize start;
  gsize end;
  gboolean ended;    /* the source gave 0 */
  gboolean lost;     /* the source gave -1 */
  gboolean complete; /* the closing delimiter was read */
};

EmuMultipart *
emu_multipart_new (const char *content_type, EmuMultipartSource source, gpointer user_data)
{
  g_autoptr (SoupMessageHeaders) headers =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_MULTIPART);
  g_autoptr (GHashTable) params = NULL;
  const char *type, *boundary = NULL;
  EmuMultipart *multipart;

  if (content_type == NULL)
    return NULL;
  soup_message_headers_append (headers, "Content-Type", content_type);
  type = soup_message_headers_get_content_type (headers, &params);
  if (type != NULL && g_str_has_prefix (type, "multipart/"))
    boundary = g_hash_table_lookup (params, "boundary");
  if (boundary == NULL || *boundary == '\0')
    return NULL;
  multipart = g_new0 (EmuMultipart, 1);
  multipart->source = source;
  multipart->user_data = user_data;
  multipart->delimiter = g_strconcat ("\r\n--", boundary, NULL);
  multipart->delimiter_length = strlen (multipart->delimiter);
  multipart->buffer = g_malloc (BUFFER_SIZE);
  memcpy (multipart->buffer, "\r\n", 2); /* the first delimiter has no line before it */
  multipart->end = 2;
  return multipart;
}

void
emu_multipart_free (EmuMultipart *multipart)
{
  g_free (multipart->delimiter);
  g_free (multipart->buffer);
  g_free (multipart);
}

gboolean
emu_multipart_is_complete (EmuMultipart *multipart)
{
  return multipart->complete;
}

/* Reads more into the buffer; FALSE: there is no more, or no room. */
static gboolean
fill (EmuMultipart *multipart)
{
  gssize n;

  if (multipart->start > 0)
    {
      memmove (multipart->buffer, multipart->buffer + multipart->start,
               multipart->end - multipart->start);
      multipart->end -= multipart->start;
      multipart->start = 0;
    }
  if (multipart->ended || multipart->lost || multipart->end == BUFFER_SIZE)
    return FALSE;
  n = multipart->source (multipart->user_data, multipart->buffer + multipart->end,
                         BUFFER_SIZE - multipart->end);
  multipart->ended = n == 0;
  multipart->lost = n < 0;
  multipart->end += MAX (n, 0);
  return n > 0;
}

static const char *
find (EmuMultipart *multipart, const char *what, gsize length)
{
  return memmem (multipart->buffer + multipart->start, multipart->end - multipart->start, what,
                 length);
}

gssize
emu_multipart_read (EmuMultipart *multipart, gpointer data, gsize size)
{
  const char *stop;
  gsize have;

  while (TRUE)
    {
      stop = find (multipart, multipart->delimiter, multipart->delimiter_length);
      have = multipart->end - multipart->start;
      if (stop != NULL)
        have = stop - (multipart->buffer + multipart->start);
      else if (have >= multipart->delimiter_length)
        have -= multipart->delimiter_length - 1;
      else
        have = 0;
      if (have > 0 || stop != NULL)
        break;
      if (!fill (multipart))
        return -1;
    }
  have = MIN (have, size);
  memcpy (data, multipart->buffer + multipart->start, have);
  multipart->start += have;
  return have;
}

gboolean
emu_multipart_next (EmuMultipart *multipart, SoupMessageHeaders *headers)
{
  g_autofree char *waste = g_malloc (BUFFER_SIZE);
  const char *stop = NULL;
  gssize n;
  gsize length;
  char *from;

  while ((n = emu_multipart_read (multipart, waste, BUFFER_SIZE)) > 0)
    continue;
  while (n == 0 && multipart->end - multipart->start < multipart->delimiter_length + 2
         && fill (multipart))
    continue;
  if (n < 0 || multipart->end - multipart->start < multipart->delimiter_length + 2)
    return FALSE;
  multipart->start += multipart->delimiter_length;
  multipart->complete = memcmp (multipart->buffer + multipart->start, "--", 2) == 0;
  if (multipart->complete)
    return FALSE;
  while ((stop = find (multipart, "\r\n\r\n", 4)) == NULL && fill (multipart))
    continue;
  from = multipart->buffer + multipart->start;
  if (stop == NULL)
    return FALSE;
  length = stop - from + 4;
  multipart->start += length;
  soup_message_headers_clear (headers);
  /* The parser wants a line to skip before the headers: what is left of the delimiter's is one. */
  return soup_headers_parse (from, length - 2, headers);
}

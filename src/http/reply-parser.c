/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exchange.h"

#include <libsoup/soup.h>
#include <string.h>

#define MAX_HEAD (64 * 1024)

struct _BoxReplyParser
{
  GByteArray *bytes;           /* what is not yet understood: a head, then a body as it came */
  gsize n_searched;            /* of them, from the first: the head does not end there */
  SoupMessageHeaders *headers; /* once the head is complete */
  guint status;
};

BoxReplyParser *
box_reply_parser_new (void)
{
  BoxReplyParser *parser = g_new0 (BoxReplyParser, 1);

  parser->bytes = g_byte_array_new ();
  return parser;
}

void
box_reply_parser_free (BoxReplyParser *parser)
{
  if (parser == NULL)
    return;
  g_byte_array_unref (parser->bytes);
  g_clear_pointer (&parser->headers, soup_message_headers_unref);
  g_free (parser);
}

/* The length of the head up to its empty line, which is not before @from. @body_start: (out):
 * offset of the body. FALSE: the head is not whole yet. */
static gboolean
find_head_end (const guint8 *data, gsize length, gsize from, gsize *head_length, gsize *body_start)
{
  for (gsize i = from; i + 1 < length; i++)
    {
      if (data[i] != '\n')
        continue;
      *head_length = i + 1;
      if (data[i + 1] == '\n')
        *body_start = i + 2;
      else if (i + 2 < length && data[i + 1] == '\r' && data[i + 2] == '\n')
        *body_start = i + 3;
      else
        continue;
      return TRUE;
    }
  return FALSE;
}

static gboolean
begins_like_http (const guint8 *data, gsize length)
{
  return memcmp (data, "HTTP/", MIN (length, 5)) == 0;
}

/* The first head in the bytes from @pos on. @body_start: (out): the bytes that it takes, 0 unless
 * it is whole. */
static BoxReplyParserState
take_head (BoxReplyParser *parser, gsize pos, gsize *body_start)
{
  const guint8 *data = parser->bytes->data + pos;
  gsize length = parser->bytes->len - pos, head_length;
  g_autoptr (SoupMessageHeaders) headers = NULL;
  SoupHTTPVersion version;

  *body_start = 0;
  if (length == 0)
    return BOX_REPLY_PARSER_NOTHING;
  if (!begins_like_http (data, length))
    return BOX_REPLY_PARSER_BAD;
  if (!find_head_end (data, length, parser->n_searched, &head_length, body_start))
    {
      parser->n_searched = length - MIN (length, 2);
      return length > MAX_HEAD ? BOX_REPLY_PARSER_BAD : BOX_REPLY_PARSER_MORE;
    }
  parser->n_searched = 0;
  if (*body_start > MAX_HEAD)
    return BOX_REPLY_PARSER_BAD;
  headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  if (!soup_headers_parse_response ((const char *) data, (int) head_length, headers, &version,
                                    &parser->status, NULL))
    return BOX_REPLY_PARSER_BAD;
  if (parser->status >= 200)
    parser->headers = g_steal_pointer (&headers);
  return BOX_REPLY_PARSER_MORE;
}

/* Leaves out interim replies, however many there are. */
static BoxReplyParserState
parse_head (BoxReplyParser *parser)
{
  BoxReplyParserState state;
  gsize pos = 0, head;

  do
    {
      state = take_head (parser, pos, &head);
      pos += head;
    }
  while (state == BOX_REPLY_PARSER_MORE && head > 0 && parser->headers == NULL);
  g_byte_array_remove_range (parser->bytes, 0, (guint) pos);
  return state;
}

gboolean
box_reply_parser_has_head (const BoxReplyParser *parser)
{
  return parser->headers != NULL;
}

/* One chunk at @in_out_pos, its data moved down to @in_out_length. FALSE: not complete, or the last
 * one (@ended). */
static gboolean
take_chunk (GByteArray *bytes, gsize *in_out_pos, gsize *in_out_length, gboolean *ended)
{
  const char *text = (const char *) bytes->data + *in_out_pos;
  const char *newline = memchr (text, '\n', bytes->len - *in_out_pos);
  gsize size, data_start;

  if (newline == NULL)
    return FALSE;
  /* Anything but a chunk ends the body. */
  if ((*ended = !g_ascii_isxdigit (*text)))
    return FALSE;
  size = (gsize) MIN (g_ascii_strtoull (text, NULL, 16), (guint64) BOX_TRANSPORT_MAX_REPLY + 1);
  *ended = size == 0;
  data_start = *in_out_pos + (gsize) (newline + 1 - text);
  if (*ended || bytes->len - data_start < size)
    return FALSE;
  memmove (bytes->data + *in_out_length, bytes->data + data_start, size);
  *in_out_length += size;
  *in_out_pos = data_start + size;
  while (*in_out_pos < bytes->len
         && (bytes->data[*in_out_pos] == '\r' || bytes->data[*in_out_pos] == '\n'))
    (*in_out_pos)++;
  return TRUE;
}

/* Decodes the chunks that are there, in a copy: more bytes may come. */
static GBytes *
decode_chunks (const GByteArray *coded, gboolean *ended)
{
  g_autoptr (GByteArray) bytes = g_byte_array_sized_new (coded->len + 1);
  gsize pos = 0, length = 0;

  g_byte_array_append (bytes, coded->data, coded->len);
  g_byte_array_append (bytes, (const guint8 *) "", 1); /* ends the last number */
  bytes->len--;
  *ended = FALSE;
  while (!*ended && pos < bytes->len && take_chunk (bytes, &pos, &length, ended))
    ;
  return g_bytes_new (bytes->data, length);
}

/* Bytes after such a reply are not its body. */
static gboolean
has_no_body (BoxReplyParser *parser)
{
  return parser->status == SOUP_STATUS_NO_CONTENT || parser->status == SOUP_STATUS_NOT_MODIFIED;
}

static gboolean
is_chunked (BoxReplyParser *parser)
{
  return soup_message_headers_get_encoding (parser->headers) == SOUP_ENCODING_CHUNKED;
}

static BoxReplyParserState
parse_body (BoxReplyParser *parser)
{
  SoupEncoding encoding = soup_message_headers_get_encoding (parser->headers);
  gboolean complete = parser->bytes->len > BOX_TRANSPORT_MAX_REPLY || has_no_body (parser);

  if (encoding == SOUP_ENCODING_CONTENT_LENGTH)
    {
      goffset length = soup_message_headers_get_content_length (parser->headers);

      complete = complete || (goffset) parser->bytes->len >= length;
    }
  else if (encoding == SOUP_ENCODING_CHUNKED && !complete)
    g_bytes_unref (decode_chunks (parser->bytes, &complete));
  return complete ? BOX_REPLY_PARSER_DONE : BOX_REPLY_PARSER_MORE;
}

BoxReplyParserState
box_reply_parser_feed (BoxReplyParser *parser, const guint8 *data, gsize length)
{
  g_byte_array_append (parser->bytes, data, (guint) length);
  if (parser->headers == NULL)
    {
      BoxReplyParserState state = parse_head (parser);

      if (parser->headers == NULL)
        return state;
    }
  return parse_body (parser);
}

BoxReplyParserState
box_reply_parser_end (BoxReplyParser *parser)
{
  SoupEncoding encoding;

  if (parser->headers == NULL && parser->bytes->len == 0)
    return BOX_REPLY_PARSER_NOTHING;
  if (parser->headers == NULL)
    return begins_like_http (parser->bytes->data, parser->bytes->len) ? BOX_REPLY_PARSER_MORE
                                                                      : BOX_REPLY_PARSER_BAD;
  encoding = soup_message_headers_get_encoding (parser->headers);
  if (parser->status < 400
      && (encoding == SOUP_ENCODING_CONTENT_LENGTH || encoding == SOUP_ENCODING_CHUNKED))
    return parse_body (parser);
  return BOX_REPLY_PARSER_DONE;
}

BoxReply *
box_reply_parser_take_reply (BoxReplyParser *parser)
{
  g_autoptr (GBytes) body = NULL;
  gsize length = MIN (parser->bytes->len, BOX_TRANSPORT_MAX_REPLY);
  gboolean ended;

  if (has_no_body (parser))
    body = g_bytes_new (NULL, 0);
  else if (is_chunked (parser))
    body = decode_chunks (parser->bytes, &ended);
  else
    {
      if (soup_message_headers_get_encoding (parser->headers) == SOUP_ENCODING_CONTENT_LENGTH)
        length = MIN (length,
                      (gsize) MAX (soup_message_headers_get_content_length (parser->headers), 0));
      body = g_bytes_new (parser->bytes->data, length);
    }
  return box_reply_new (parser->status, parser->headers, body);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exchange.h"

#include <libsoup/soup.h>
#include <string.h>

#define MAX_HEAD (64 * 1024)

struct _BoxReplyParser
{
  GByteArray *bytes;           /* what is not yet understood: a head, then a body as it came */
  SoupMessageHeaders *headers; /* once the head is complete */
  guint status;
};

BoxReplyParser *
box_reply_parser_new (void)
{
  BoxReplyParser *wire = g_new0 (BoxReplyParser, 1);

  wire->bytes = g_byte_array_new ();
  return wire;
}

void
box_reply_parser_free (BoxReplyParser *wire)
{
  if (wire == NULL)
    return;
  g_byte_array_unref (wire->bytes);
  g_clear_pointer (&wire->headers, soup_message_headers_unref);
  g_free (wire);
}

/* The length of the head up to its empty line. @body_start: (out): offset of the body. FALSE: the
 * head is not whole yet. */
static gboolean
find_head_end (const GByteArray *bytes, gsize *head_length, gsize *body_start)
{
  const guint8 *data = bytes->data;

  for (gsize i = 0; i + 1 < bytes->len; i++)
    {
      if (data[i] != '\n')
        continue;
      *head_length = i + 1;
      if (data[i + 1] == '\n')
        *body_start = i + 2;
      else if (i + 2 < bytes->len && data[i + 1] == '\r' && data[i + 2] == '\n')
        *body_start = i + 3;
      else
        continue;
      return TRUE;
    }
  return FALSE;
}

static gboolean
begins_like_http (const GByteArray *bytes)
{
  return memcmp (bytes->data, "HTTP/", MIN (bytes->len, 5)) == 0;
}

static BoxReplyParserState
parse_head (BoxReplyParser *wire)
{
  g_autoptr (SoupMessageHeaders) headers = NULL;
  SoupHTTPVersion version;
  gsize head_length, body_start;
  guint status;

  if (wire->bytes->len == 0)
    return BOX_REPLY_PARSER_NOTHING;
  if (!begins_like_http (wire->bytes))
    return BOX_REPLY_PARSER_BAD;
  if (!find_head_end (wire->bytes, &head_length, &body_start))
    return wire->bytes->len > MAX_HEAD ? BOX_REPLY_PARSER_BAD : BOX_REPLY_PARSER_MORE;
  if (body_start > MAX_HEAD)
    return BOX_REPLY_PARSER_BAD;

  headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  if (!soup_headers_parse_response ((const char *) wire->bytes->data, (int) head_length, headers,
                                    &version, &status, NULL))
    return BOX_REPLY_PARSER_BAD;
  g_byte_array_remove_range (wire->bytes, 0, (guint) body_start);
  if (status < 200)
    return parse_head (wire);
  wire->status = status;
  wire->headers = g_steal_pointer (&headers);
  return BOX_REPLY_PARSER_MORE;
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
has_no_body (BoxReplyParser *wire)
{
  return wire->status == SOUP_STATUS_NO_CONTENT || wire->status == SOUP_STATUS_NOT_MODIFIED;
}

static gboolean
is_chunked (BoxReplyParser *wire)
{
  return soup_message_headers_get_encoding (wire->headers) == SOUP_ENCODING_CHUNKED;
}

static BoxReplyParserState
parse_body (BoxReplyParser *wire)
{
  SoupEncoding encoding = soup_message_headers_get_encoding (wire->headers);
  gboolean complete = wire->bytes->len > BOX_TRANSPORT_MAX_REPLY || has_no_body (wire);

  if (encoding == SOUP_ENCODING_CONTENT_LENGTH)
    {
      goffset length = soup_message_headers_get_content_length (wire->headers);

      complete = complete || (goffset) wire->bytes->len >= length;
    }
  else if (encoding == SOUP_ENCODING_CHUNKED && !complete)
    g_bytes_unref (decode_chunks (wire->bytes, &complete));
  return complete ? BOX_REPLY_PARSER_DONE : BOX_REPLY_PARSER_MORE;
}

BoxReplyParserState
box_reply_parser_feed (BoxReplyParser *wire, const guint8 *data, gsize length)
{
  g_byte_array_append (wire->bytes, data, (guint) length);
  if (wire->headers == NULL)
    {
      BoxReplyParserState state = parse_head (wire);

      if (wire->headers == NULL)
        return state;
    }
  return parse_body (wire);
}

BoxReplyParserState
box_reply_parser_end (BoxReplyParser *wire)
{
  SoupEncoding encoding;

  if (wire->headers == NULL && wire->bytes->len == 0)
    return BOX_REPLY_PARSER_NOTHING;
  if (wire->headers == NULL)
    return begins_like_http (wire->bytes) ? BOX_REPLY_PARSER_MORE : BOX_REPLY_PARSER_BAD;
  encoding = soup_message_headers_get_encoding (wire->headers);
  if (wire->status < 400
      && (encoding == SOUP_ENCODING_CONTENT_LENGTH || encoding == SOUP_ENCODING_CHUNKED))
    return parse_body (wire);
  return BOX_REPLY_PARSER_DONE;
}

BoxReply *
box_reply_parser_take_reply (BoxReplyParser *wire)
{
  g_autoptr (GBytes) body = NULL;
  gsize length = MIN (wire->bytes->len, BOX_TRANSPORT_MAX_REPLY);
  gboolean ended;

  if (has_no_body (wire))
    body = g_bytes_new (NULL, 0);
  else if (is_chunked (wire))
    body = decode_chunks (wire->bytes, &ended);
  else
    {
      if (soup_message_headers_get_encoding (wire->headers) == SOUP_ENCODING_CONTENT_LENGTH)
        length =
            MIN (length, (gsize) MAX (soup_message_headers_get_content_length (wire->headers), 0));
      body = g_bytes_new (wire->bytes->data, length);
    }
  return box_reply_new (wire->status, wire->headers, body);
}

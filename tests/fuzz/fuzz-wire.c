/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of an early reply, cut in two at a place that the first byte chooses: the cut must not
 * matter. */
#include "fuzz.h"

#include "http/exchange.h"

static BoxReply *
read_reply (const guint8 *data, gsize size, gsize cut)
{
  g_autoptr (BoxReplyParser) wire = box_reply_parser_new ();
  BoxReplyParserState state = box_reply_parser_feed (wire, data, cut);

  if (state == BOX_REPLY_PARSER_NOTHING || state == BOX_REPLY_PARSER_MORE)
    state = box_reply_parser_feed (wire, data + cut, size - cut);
  if (state == BOX_REPLY_PARSER_NOTHING || state == BOX_REPLY_PARSER_MORE)
    state = box_reply_parser_end (wire);
  return state == BOX_REPLY_PARSER_DONE ? box_reply_parser_take_reply (wire) : NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (BoxReply) whole = NULL, in_two = NULL;

  if (size < 2)
    return 0;
  whole = read_reply (data + 1, size - 1, size - 1);
  in_two = read_reply (data + 1, size - 1, data[0] * (size - 1) / 256);
  g_assert_cmpint (whole != NULL, ==, in_two != NULL);
  if (whole == NULL)
    return 0;
  g_assert_cmpuint (whole->status, ==, in_two->status);
  g_assert_true (g_bytes_equal (whole->body, in_two->body));
  return 0;
}

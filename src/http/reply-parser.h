/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxReplyParser: reads one HTTP/1.1 reply out of the bytes of a connection. For replies that come
 * while the request is still being sent, which libsoup's synchronous calls do not look for. Pure:
 * bytes in, reply out.
 */
#pragma once

#include "http/message.h"

G_BEGIN_DECLS

typedef struct _BoxReplyParser BoxReplyParser;

typedef enum
{
  BOX_REPLY_PARSER_NOTHING, /* no byte of a reply yet; interim replies (1xx) were skipped */
  BOX_REPLY_PARSER_MORE,    /* a reply has begun */
  BOX_REPLY_PARSER_DONE,    /* take it */
  BOX_REPLY_PARSER_BAD,     /* this is not HTTP */
} BoxReplyParserState;

BoxReplyParser *box_reply_parser_new (void);
void box_reply_parser_free (BoxReplyParser *wire);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxReplyParser, box_reply_parser_free)

/* Takes the next @length bytes of the reply. BAD is final. */
BoxReplyParserState box_reply_parser_feed (BoxReplyParser *wire, const guint8 *data, gsize length);

/* The connection has ended: MORE where that cut the reply off. An error whose head is complete is
 * DONE all the same, for its status is worth more than its text. */
BoxReplyParserState box_reply_parser_end (BoxReplyParser *wire);

/* The reply, after DONE. */
BoxReply *box_reply_parser_take_reply (BoxReplyParser *wire);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxWire: reads one HTTP/1.1 reply out of the bytes of a connection. For replies that come while
 * the request is still being sent, which libsoup's synchronous calls do not look for. Pure: bytes
 * in, reply out.
 */
#pragma once

#include "http/transport.h"

G_BEGIN_DECLS

typedef struct _BoxWire BoxWire;

typedef enum
{
  BOX_WIRE_NOTHING, /* no byte of a reply yet; interim replies (1xx) were skipped */
  BOX_WIRE_MORE,    /* a reply has begun */
  BOX_WIRE_DONE,    /* take it */
  BOX_WIRE_BAD,     /* this is not HTTP */
} BoxWireState;

BoxWire *box_wire_new (void);
void box_wire_free (BoxWire *wire);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxWire, box_wire_free)

/* Takes the next @length bytes of the reply. BAD is final. */
BoxWireState box_wire_feed (BoxWire *wire, const guint8 *data, gsize length);

/* The connection has ended: MORE where that cut the reply off. An error whose head is complete is
 * DONE all the same, for its status is worth more than its text. */
BoxWireState box_wire_end (BoxWire *wire);

/* The reply, after DONE. */
BoxReply *box_wire_take_reply (BoxWire *wire);

G_END_DECLS

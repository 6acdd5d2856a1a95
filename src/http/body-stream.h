/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxBodyStream: a BoxBody as the stream that libsoup sends. libsoup's synchronous path would copy
 * it in pieces of 8 KiB, each a TLS record and a system call of its own. So the first read, which
 * comes when the head has been written, writes all of it to the connection in the largest pieces
 * there are, and then there is nothing left for libsoup. libsoup closes the stream when it is done
 * or the writing has failed, before it tears the connection down: the watch is told then.
 */
#pragma once

#include "http/early-reply.h"

G_BEGIN_DECLS

#define BOX_TYPE_BODY_STREAM (box_body_stream_get_type ())
G_DECLARE_FINAL_TYPE (BoxBodyStream, box_body_stream, BOX, BODY_STREAM, GInputStream)

/* @body and @watch must outlive the sending. */
BoxBodyStream *box_body_stream_new (const BoxBody *body, BoxEarlyReply *watch);

/* The stream will be asked for nothing more: forgets body and watch. */
void box_body_stream_detach (BoxBodyStream *stream);

/* Bytes written so far. */
guint64 box_body_stream_get_position (BoxBodyStream *stream);

G_END_DECLS

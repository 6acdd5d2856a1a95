/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxBodyStream: a BoxBody as the stream that libsoup sends. libsoup's synchronous path reads and
 * writes it in turn in the sending thread, and closes it when it is done or the writing has failed,
 * before it tears the connection down: the gate is told at both moments.
 */
#pragma once

#include "box-transport.h"

G_BEGIN_DECLS

typedef struct
{
  /* Before bytes leave, which @wait microseconds of pacing come before. FALSE with @error set ends
   * the sending. */
  gboolean (*open) (gpointer user_data, gint64 wait, GError **error);
  /* The body's read function has failed; @reason is taken. */
  void (*failed) (gpointer user_data, GError *reason);
  /* No more will be read. @complete: everything was, though the last bytes may not have been
   * written. */
  void (*closed) (gpointer user_data, gboolean complete);
  gpointer user_data;
} BoxBodyGate;

#define BOX_TYPE_BODY_STREAM (box_body_stream_get_type ())
G_DECLARE_FINAL_TYPE (BoxBodyStream, box_body_stream, BOX, BODY_STREAM, GInputStream)

/* @body and @gate must outlive the sending. */
BoxBodyStream *box_body_stream_new (const BoxBody *body, const BoxBodyGate *gate);

/* The stream will be asked for nothing more: forgets body and gate. */
void box_body_stream_detach (BoxBodyStream *stream);

/* Bytes given out so far. */
guint64 box_body_stream_get_position (BoxBodyStream *stream);

G_END_DECLS

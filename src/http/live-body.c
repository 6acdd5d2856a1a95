/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A body that is made while it is sent, in the chunks of HTTP/1.1. libsoup would write chunks of 8
 * KiB, with three TLS records and system calls each, and would not listen meanwhile: 2.9 CPU s a
 * GiB over TLS, against 0.8 with whole chunks of this size.
 */
#include "http/exchange.h"

#include <string.h>

/* Bytes of data in a chunk at most. */
#define RUN (128u << 10)

/* Room before the data for its length ("20000\r\n"), and behind it for the end of the line. */
#define HEAD 10
#define TAIL 2

typedef struct
{
  const BoxBody *body;
  BoxEarlyReply *watch;
  guint64 position;
  guint8 *buffer; /* HEAD + RUN + TAIL */
} Writer;

static gboolean
write_chunk (Writer *self, gsize length, GError **error)
{
  char head[HEAD + 1];
  gsize n = (gsize) g_snprintf (head, sizeof head, "%" G_GSIZE_MODIFIER "x\r\n", length);
  const guint8 *next = self->buffer + HEAD - n;
  gsize left = n + length + TAIL;

  memcpy (self->buffer + HEAD - n, head, n);
  memcpy (self->buffer + HEAD + length, "\r\n", TAIL);
  while (left > 0)
    {
      gssize written = box_early_reply_write (self->watch, next, left, error);

      if (written < 0)
        return FALSE;
      next += written;
      left -= (gsize) written;
    }
  self->position += length;
  if (self->body->progress != NULL)
    self->body->progress (self->body->user_data, self->position);
  return TRUE;
}

/* Writes the @length bytes that were taken, when the pace lets them leave. */
static gboolean
send_run (Writer *self, gsize length, GError **error)
{
  BoxPace *pace = self->body->pace;
  gint64 pause = pace != NULL ? box_pace_take (pace, length, g_get_monotonic_time ()) : 0;

  return box_early_reply_wait_writable (self->watch, pause, error)
         && write_chunk (self, length, error);
}

/* CANCELLED, so that libsoup does not try the request again by itself. */
static gboolean
fail (Writer *self, GError *reason, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, reason->message);
  box_early_reply_fail (self->watch, reason);
  return FALSE;
}

gboolean
box_live_body_write (const BoxBody *body, BoxEarlyReply *watch, guint64 *position, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (HEAD + RUN + TAIL);
  Writer self = { .body = body, .watch = watch, .position = *position, .buffer = buffer };
  gboolean ok = TRUE, ended = FALSE;

  /* A connection that cannot be watched cannot be cut either. */
  if (watch->socket == NULL)
    return fail (&self,
                 g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                                      "the connection is not one that can be watched"),
                 error);
  while (ok && !ended)
    {
      gsize length = body->pace != NULL ? box_pace_slice (body->pace, RUN) : RUN;
      gint64 rest = -1;
      GError *reason = NULL;

      switch (body->source->take (body->user_data, self.position, buffer + HEAD, &length, &rest,
                                  &reason))
        {
        case BOX_SOURCE_BYTES:
          ok = send_run (&self, length, error);
          break;
        case BOX_SOURCE_RESTS:
          ok = box_early_reply_rest (watch, body->source->fd, rest, error);
          break;
        case BOX_SOURCE_ENDED:
          ended = TRUE;
          break;
        case BOX_SOURCE_FAILED:
          ok = fail (&self, reason, error);
          break;
        }
      *position = self.position;
    }
  return ended;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exchange.h"

#include "base/process.h"

/* The connection is looked at for an early reply, and cancelling is heeded, between runs of this
 * size: small against what the kernel buffers anyway, large against the cost of looking (measured
 * over TLS: 16 KiB takes 5 % more CPU, 1 MiB as much as this). Bytes. */
#define RUN (128u << 10)

struct _BoxBodyStream
{
  GInputStream parent;

  /* the sending thread */
  const BoxBody *body; /* NULL when detached or closed */
  BoxEarlyReply *watch;
  guint64 position;
  gboolean ended; /* a body of unknown size was written whole */
  guint8 *buffer; /* RUN; NULL if the body's bytes are written in place */
};

BOX_DEFINE_TYPE (BoxBodyStream, box_body_stream, G_TYPE_INPUT_STREAM, {})

/* The next bytes, up to *@length, read into @buffer or left where they are. Waits until they may
 * leave. NULL with @error set if sending must end. */
static const guint8 *
take_run (BoxBodyStream *self, guint8 *buffer, gsize *length, GError **error)
{
  const BoxBody *body = self->body;
  g_autoptr (GError) reason = NULL;
  const guint8 *bytes = buffer;
  gint64 pause = 0;

  *length = (gsize) MIN (*length, body->size - self->position);
  if (body->peek != NULL && buffer == NULL)
    bytes = body->peek (body->user_data, self->position, length);
  if (body->pace != NULL)
    {
      *length = box_pace_slice (body->pace, *length);
      pause = box_pace_take (body->pace, *length, g_get_monotonic_time ());
    }
  if (!box_early_reply_wait_writable (self->watch, pause, error))
    return NULL;
  if (buffer == NULL || body->read (body->user_data, self->position, buffer, *length, &reason))
    return bytes;

  /* CANCELLED, so that libsoup does not try the request again by itself. */
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, reason->message);
  box_early_reply_fail (self->watch, g_steal_pointer (&reason));
  return NULL;
}

static void
count_written (BoxBodyStream *self, gsize n)
{
  self->position += n;
  if (self->body->progress != NULL)
    self->body->progress (self->body->user_data, self->position);
}

static gboolean
write_run (BoxBodyStream *self, const guint8 *bytes, gsize length, GError **error)
{
  while (length > 0)
    {
      gssize n = box_early_reply_write (self->watch, bytes, length, error);

      if (n < 0)
        return FALSE;
      count_written (self, (gsize) n);
      bytes += n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
write_body (BoxBodyStream *self, GError **error)
{
  if (self->body->peek == NULL && self->buffer == NULL)
    self->buffer = g_malloc (MIN (RUN, self->body->size));
  while (self->position < self->body->size)
    {
      gsize length = RUN;
      const guint8 *bytes = take_run (self, self->buffer, &length, error);

      if (bytes == NULL || !write_run (self, bytes, length, error))
        return FALSE;
    }
  return TRUE;
}

/* When a read fails libsoup disposes of its chunked stream, and thereby writes the end of the body:
 * what was cut short would be taken for complete. So the connection ends before that. */
static gboolean
write_source (BoxBodyStream *self, GError **error)
{
  self->ended = box_live_body_write (self->body, self->watch, &self->position, error);
  if (self->ended)
    return TRUE;
  box_early_reply_read_last_words (self->watch, FALSE);
  box_early_reply_cut (self->watch);
  return FALSE;
}

static gssize
box_body_stream_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
                      GError **error)
{
  BoxBodyStream *self = BOX_BODY_STREAM (stream);

  if (self->body == NULL || self->ended || self->position == self->body->size)
    return 0;
  if (self->body->source != NULL)
    return write_source (self, error) ? 0 : -1;
  if (self->watch->stream != NULL)
    return write_body (self, error) ? 0 : -1;

  /* A connection that could not be recognised: libsoup writes. */
  if (take_run (self, buffer, &count, error) == NULL)
    return -1;
  count_written (self, count);
  return (gssize) count;
}

static gboolean
box_body_stream_close (GInputStream *stream, GCancellable *cancellable, GError **error)
{
  BoxBodyStream *self = BOX_BODY_STREAM (stream);

  if (self->body != NULL)
    box_early_reply_read_last_words (self->watch,
                                     self->ended || self->position == self->body->size);
  self->body = NULL;
  return TRUE;
}

static void
box_body_stream_finalize (GObject *object)
{
  g_free (BOX_BODY_STREAM (object)->buffer);
  G_OBJECT_CLASS (box_body_stream_parent_class)->finalize (object);
}

static void
box_body_stream_class_init (BoxBodyStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = box_body_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = box_body_stream_read;
  G_INPUT_STREAM_CLASS (klass)->close_fn = box_body_stream_close;
}

static void
box_body_stream_init (BoxBodyStream *self)
{
}

BoxBodyStream *
box_body_stream_new (const BoxBody *body, BoxEarlyReply *watch)
{
  BoxBodyStream *self = g_object_new (BOX_TYPE_BODY_STREAM, NULL);

  self->body = body;
  self->watch = watch;
  return self;
}

void
box_body_stream_detach (BoxBodyStream *stream)
{
  stream->body = NULL;
}

guint64
box_body_stream_get_position (BoxBodyStream *stream)
{
  return stream->position;
}

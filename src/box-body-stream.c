/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box-body-stream-private.h"

struct _BoxBodyStream
{
  GInputStream parent;

  /* the sending thread */
  const BoxBody *body; /* NULL when detached or closed */
  BoxWatch *watch;
  guint64 position;
};

G_DEFINE_TYPE (BoxBodyStream, box_body_stream, G_TYPE_INPUT_STREAM)

static gssize
box_body_stream_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
                      GError **error)
{
  BoxBodyStream *self = BOX_BODY_STREAM (stream);
  const BoxBody *body = self->body;
  g_autoptr (GError) reason = NULL;
  gint64 wait = 0;

  if (body == NULL || self->position == body->size)
    return 0;
  count = MIN (count, body->size - self->position);
  if (body->pace != NULL)
    {
      count = box_pace_slice (body->pace, count);
      wait = box_pace_take (body->pace, count, g_get_monotonic_time ());
    }
  if (!box_watch_wait_writable (self->watch, wait, error))
    return -1;

  if (!body->read (body->user_data, self->position, buffer, count, &reason))
    {
      /* CANCELLED, so that libsoup does not try the request again by itself. */
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, reason->message);
      box_watch_fail (self->watch, g_steal_pointer (&reason));
      return -1;
    }
  self->position += count;
  if (body->sent != NULL)
    body->sent (body->user_data, (gint64) count);
  return (gssize) count;
}

static gboolean
box_body_stream_close (GInputStream *stream, GCancellable *cancellable, GError **error)
{
  BoxBodyStream *self = BOX_BODY_STREAM (stream);

  if (self->body != NULL)
    box_watch_read_last_words (self->watch, self->position == self->body->size);
  self->body = NULL;
  return TRUE;
}

static void
box_body_stream_class_init (BoxBodyStreamClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = box_body_stream_read;
  G_INPUT_STREAM_CLASS (klass)->close_fn = box_body_stream_close;
}

static void
box_body_stream_init (BoxBodyStream *self)
{
}

BoxBodyStream *
box_body_stream_new (const BoxBody *body, BoxWatch *watch)
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

static gboolean
read_bytes (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  const guint8 *data = g_bytes_get_data (user_data, NULL);

  memcpy (buffer, data + offset, length);
  return TRUE;
}

void
box_body_init_bytes (BoxBody *body, GBytes *bytes)
{
  *body = (BoxBody){
    .size = g_bytes_get_size (bytes),
    .read = read_bytes,
    .user_data = bytes,
  };
}

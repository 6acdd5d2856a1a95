/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/message.h"

#include <gnutls/crypto.h>
#include <string.h>

struct _BoxMultipart
{
  const BoxBody *content;
  BoxBody body;
  BoxBodySource source; /* of @body, where the content has one */
  guint64 content_size; /* of that content, once it has ended; else BOX_BODY_UNKNOWN_SIZE */
  char *content_type;
  char *prefix;
  gsize prefix_length;
  char *suffix;
  gsize suffix_length;
};

/* 128 random bits: that it occurs in a file is less likely than that the file is damaged on the
 * way. */
static char *
new_boundary (void)
{
  guint8 random[16];
  GString *boundary = g_string_new ("boxuploadsink-");

  if (gnutls_rnd (GNUTLS_RND_NONCE, random, sizeof random) < 0)
    for (gsize i = 0; i < sizeof random; i++)
      random[i] = (guint8) g_random_int ();
  for (gsize i = 0; i < sizeof random; i++)
    g_string_append_printf (boundary, "%02x", random[i]);
  return g_string_free (boundary, FALSE);
}

/* Copies what of [offset, offset + length) lies in the piece at [start, start + size), and returns
 * how much that was. */
static gsize
overlap (guint64 offset, gsize length, guint64 start, guint64 size, guint64 *within)
{
  if (offset < start || offset >= start + size)
    return 0;
  *within = offset - start;
  return (gsize) MIN ((guint64) length, size - *within);
}

static gboolean
read_multipart (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  BoxMultipart *self = user_data;
  guint64 content_end = self->prefix_length + self->content->size;

  while (length > 0)
    {
      guint64 within;
      gsize n;

      if ((n = overlap (offset, length, 0, self->prefix_length, &within)) > 0)
        memcpy (buffer, self->prefix + within, n);
      else if ((n = overlap (offset, length, self->prefix_length, self->content->size, &within))
               > 0)
        {
          if (!self->content->read (self->content->user_data, within, buffer, n, error))
            return FALSE;
        }
      else
        {
          n = length;
          memcpy (buffer, self->suffix + (offset - content_end), n);
        }
      offset += n;
      buffer += n;
      length -= n;
    }
  return TRUE;
}

/* The next bytes of @text, behind the first @within. */
static BoxSourceState
take_text (const char *text, gsize size, guint64 within, guint8 *buffer, gsize *length)
{
  *length = (gsize) MIN (*length, size - within);
  memcpy (buffer, text + within, *length);
  return BOX_SOURCE_BYTES;
}

static BoxSourceState
take_multipart (gpointer user_data, guint64 offset, guint8 *buffer, gsize *length, gint64 *rest,
                GError **error)
{
  BoxMultipart *self = user_data;
  const BoxBody *content = self->content;
  guint64 within;

  if (offset < self->prefix_length)
    return take_text (self->prefix, self->prefix_length, offset, buffer, length);
  within = offset - self->prefix_length;
  if (self->content_size == BOX_BODY_UNKNOWN_SIZE)
    {
      BoxSourceState state =
          content->source->take (content->user_data, within, buffer, length, rest, error);

      if (state != BOX_SOURCE_ENDED)
        return state;
      self->content_size = within;
    }
  within -= self->content_size;
  if (within == self->suffix_length)
    return BOX_SOURCE_ENDED;
  return take_text (self->suffix, self->suffix_length, within, buffer, length);
}

static guint64
content_before (BoxMultipart *self, guint64 position)
{
  guint64 size = self->content->source != NULL ? self->content_size : self->content->size;

  return position <= self->prefix_length ? 0 : MIN (position - self->prefix_length, size);
}

static void
progress_multipart (gpointer user_data, guint64 position)
{
  BoxMultipart *self = user_data;

  if (self->content->progress != NULL)
    self->content->progress (self->content->user_data, content_before (self, position));
}

BoxMultipart *
box_multipart_new (const char *attributes, const BoxBody *content)
{
  BoxMultipart *self = g_new0 (BoxMultipart, 1);
  g_autofree char *boundary = new_boundary ();

  self->content = content;
  self->content_type = g_strconcat ("multipart/form-data; boundary=", boundary, NULL);
  self->prefix = g_strdup_printf ("--%s\r\nContent-Disposition: form-data; name=\"attributes\"\r\n"
                                  "Content-Type: application/json\r\n\r\n%s\r\n"
                                  "--%s\r\nContent-Disposition: form-data; name=\"file\"; "
                                  "filename=\"file\"\r\n"
                                  "Content-Type: application/octet-stream\r\n\r\n",
                                  boundary, attributes, boundary);
  self->suffix = g_strdup_printf ("\r\n--%s--\r\n", boundary);
  self->prefix_length = strlen (self->prefix);
  self->suffix_length = strlen (self->suffix);
  self->body = (BoxBody){
    .size = self->prefix_length + content->size + self->suffix_length,
    .read = read_multipart,
    .progress = progress_multipart,
    .user_data = self,
    .pace = content->pace,
    .slack = content->slack,
  };
  if (content->source != NULL)
    {
      self->content_size = BOX_BODY_UNKNOWN_SIZE;
      self->source = (BoxBodySource){ .fd = content->source->fd, .take = take_multipart };
      self->body.source = &self->source;
      self->body.size = BOX_BODY_UNKNOWN_SIZE;
    }
  return self;
}

void
box_multipart_free (BoxMultipart *multipart)
{
  if (multipart == NULL)
    return;
  g_free (multipart->content_type);
  g_free (multipart->prefix);
  g_free (multipart->suffix);
  g_free (multipart);
}

const BoxBody *
box_multipart_get_body (BoxMultipart *multipart)
{
  return &multipart->body;
}

const char *
box_multipart_get_content_type (BoxMultipart *multipart)
{
  return multipart->content_type;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of a direct upload: the text before the first null byte is its attributes, the rest its
 * file. It has the size that it says, the same bytes wherever it is cut, and both texts unchanged.
 */
#include "fuzz.h"

#include "http/message.h"

#include <string.h>

static char *
read_whole (const BoxBody *body, gsize run)
{
  char *text = g_malloc (body->size + 1);

  for (guint64 at = 0; at < body->size;)
    {
      gsize n = MIN (run, body->size - at);

      g_assert_true (body->read (body->user_data, at, (guint8 *) text + at, n, NULL));
      at += n;
    }
  text[body->size] = '\0';
  return text;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *attributes = g_strndup ((const char *) data, size);
  gsize length = MIN (strlen (attributes) + 1, size);
  g_autoptr (GBytes) file = g_bytes_new_static (data + length, size - length);
  g_autoptr (BoxMultipart) multipart = NULL;
  g_autofree char *whole = NULL, *cut = NULL, *delimiter = NULL, *end = NULL;
  const BoxBody *body;
  const char *at;
  BoxBody content;

  box_body_init_bytes (&content, file);
  multipart = box_multipart_new (attributes, &content);
  body = box_multipart_get_body (multipart);
  whole = read_whole (body, body->size);
  cut = read_whole (body, 1 + (size > 0 ? data[0] : 0));
  g_assert_cmpmem (whole, body->size, cut, body->size);

  at = strstr (box_multipart_get_content_type (multipart), "boundary=");
  delimiter = g_strconcat ("--", at + strlen ("boundary="), "\r\n", NULL);
  end = g_strdup_printf ("\r\n--%s--\r\n", at + strlen ("boundary="));
  g_assert_true (g_str_has_prefix (whole, delimiter));
  at = strstr (whole, "\r\n\r\n") + 4;
  g_assert_true (strncmp (at, attributes, strlen (attributes)) == 0);
  at += strlen (attributes);
  g_assert_true (g_str_has_prefix (at, "\r\n"));
  g_assert_true (g_str_has_prefix (at + 2, delimiter));
  at = strstr (at + 4, "\r\n\r\n") + 4;
  g_assert_cmpmem (at, size - length, data + length, size - length);
  g_assert_cmpstr (at + size - length, ==, end);
  return 0;
}

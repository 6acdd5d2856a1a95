/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a proxy answers to CONNECT: refused in words, or a status, of whose reply not a byte too
 * many was read. What follows an answer that lets through belongs to the tunnel.
 */
#include "fuzz.h"

#include "base/error.h"
#include "http/proxy.h"

#include <string.h>

static gboolean
ends_head (const guint8 *data, goffset at)
{
  return (at >= 3 && memcmp (data + at - 3, "\n\r\n", 3) == 0)
         || (at >= 2 && memcmp (data + at - 2, "\n\n", 2) == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GUri) uri = g_uri_parse ("http://proxy:3128", G_URI_FLAGS_NONE, NULL);
  g_autoptr (GInputStream) input = g_memory_input_stream_new_from_data (data, (gssize) size, NULL);
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();
  const BoxProxyWay way = { .uri = uri };
  BoxProxyLink link = { .way = &way, .stream = g_simple_io_stream_new (input, output) };
  g_auto (BoxProxyAnswer) answer = { 0 };
  g_autoptr (GError) error = NULL;
  goffset at;

  if (box_proxy_link_ask (&link, "upload.box.com:443", NULL, &answer, &error))
    {
      at = g_seekable_tell (G_SEEKABLE (input));
      g_assert_cmpuint (answer.status, >=, 200);
      g_assert_nonnull (answer.headers);
      if (answer.status < 300)
        g_assert_true (ends_head (data, at));
    }
  else
    {
      g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
  box_proxy_link_clear (&link);
  return 0;
}

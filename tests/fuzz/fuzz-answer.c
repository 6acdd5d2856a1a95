/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reply that refuses: two bytes choose its status, what follows is its body, and what follows a
 * null byte the headers WWW-Authenticate and Location. */
#include "fuzz.h"

#include "api/error.h"
#include "api/file.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize begin = MIN (size, 2);
  const guint8 *null = memchr (data + begin, '\0', size - begin);
  gsize length = null != NULL ? (gsize) (null - data) - begin : size - begin;
  g_autofree char *header =
      null != NULL ? g_strndup ((const char *) null + 1, size - begin - length - 1) : NULL;
  g_autoptr (GBytes) body = g_bytes_new_static (data + begin, length);
  BoxReply reply = {
    .status = size >= 2 ? 300 + (data[0] * 256u + data[1]) % 300 : 400,
    .body = body,
    .retry_after = -1,
    .www_authenticate = header,
    .location = header,
  };
  g_autoptr (GError) error = box_api_error_from_reply (&reply, BOX_SUBJECT_SESSION, "try");
  g_autoptr (BoxFile) file = box_file_from_conflict (error);

  g_assert_error (error, BOX_ERROR, error->code);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpuint (strlen (error->message), <, 1000);
  for (const char *p = error->message; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
  return 0;
}

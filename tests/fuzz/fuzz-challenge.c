/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Challenges of a proxy, one header a line: an answer must not contain a line break. */
#include "fuzz.h"

#include "http/proxy.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) values = g_strsplit (text, "\n", -1);
  g_auto (BoxChallenge) challenge = { 0 };
  g_autofree char *answer = NULL;

  box_challenge_init (&challenge, (const char *const *) values);
  g_assert_true (challenge.schemes == NULL || g_utf8_validate (challenge.schemes, -1, NULL));
  if (challenge.kind != BOX_CHALLENGE_BASIC && challenge.kind != BOX_CHALLENGE_DIGEST)
    return 0;
  answer = box_challenge_answer (&challenge, "user", "secret", "CONNECT", "a:443", "c");
  g_assert_null (strpbrk (answer, "\r\n"));
  g_assert_true (strstr (text, "secret") != NULL || strstr (answer, "secret") == NULL);
  return 0;
}

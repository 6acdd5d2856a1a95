/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The private key of an application; what precedes the first null byte is its passphrase. */
#include "fuzz.h"

#include "auth/jwt.h"
#include "base/error.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *passphrase = g_strndup ((const char *) data, size);
  gsize length = MIN (strlen (passphrase) + 1, size);
  g_autofree char *pem = g_strndup ((const char *) data + length, size - length);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxKey) key =
      box_key_new (pem, *passphrase != '\0' ? passphrase : NULL, "a key", &error);

  g_assert_true ((key == NULL) == (error != NULL));
  if (error != NULL)
    g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
  return 0;
}

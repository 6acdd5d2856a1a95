/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reply that should be a file. */
#include "fuzz.h"

#include "api/destination.h"
#include "api/file.h"
#include "base/json.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (JsonNode) node = box_json_parse (bytes, NULL);
  g_autoptr (BoxFile) file = node != NULL ? box_file_parse (node, NULL) : NULL;
  g_autoptr (BoxDestination) destination = NULL;

  if (file == NULL)
    return 0;
  /* Its id goes into URLs. */
  destination = box_destination_new_file (file->id, NULL);
  g_assert_nonnull (destination);
  for (const char *p = file->etag; p != NULL && *p != '\0'; p++)
    g_assert_true (g_ascii_isgraph (*p));
  return 0;
}

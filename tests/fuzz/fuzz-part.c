/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reply that should be a part, or a page of parts. */
#include "fuzz.h"

#include "api/session.h"
#include "base/json.h"

static void
check (const BoxPart *part)
{
  g_assert_nonnull (part->id);
  g_assert_cmpuint (part->size, >=, 1);
  g_assert_cmpuint (part->size, <=, BOX_SESSION_MAX_PART_SIZE);
  g_assert_cmpuint (part->offset, <=, G_MAXINT64);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (JsonNode) node = box_json_parse (bytes, NULL);
  g_autoptr (BoxPart) part = node != NULL ? box_part_parse (node, NULL) : NULL;
  g_autoptr (GPtrArray) page = NULL;
  guint n_entries;

  if (part != NULL)
    check (part);
  page = node != NULL ? box_part_parse_page (node, &n_entries, NULL) : NULL;
  for (guint i = 0; page != NULL && i < page->len; i++)
    check (g_ptr_array_index (page, i));
  if (page != NULL)
    g_assert_cmpuint (page->len, <=, n_entries);
  return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A page of a folder, and the list of a file's versions. */
#include "fuzz.h"

#include "api/file.h"
#include "api/folder.h"
#include "base/json.h"

static void
check_item (JsonNode *node)
{
  g_autoptr (BoxItem) item = box_item_parse (node, NULL);
  g_autofree char *folded = NULL;

  if (item == NULL)
    return;
  /* It goes into URLs, and to terminals. */
  for (const char *p = item->id; *p != '\0'; p++)
    g_assert_true (g_ascii_isdigit (*p));
  if (item->name == NULL)
    return;
  folded = box_item_fold_name (item->name);
  g_assert_nonnull (folded);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (JsonNode) node = box_json_parse (bytes, NULL);
  g_autoptr (GPtrArray) versions = NULL;
  JsonArray *entries = NULL;

  if (node == NULL)
    return 0;
  check_item (node);
  if (JSON_NODE_HOLDS_OBJECT (node))
    box_json_find_array (json_node_get_object (node), "entries", &entries, NULL);
  for (guint i = 0; entries != NULL && i < json_array_get_length (entries); i++)
    check_item (json_array_get_element (entries, i));
  versions = box_version_parse_list (node, NULL);
  for (guint i = 0; versions != NULL && i < versions->len; i++)
    {
      const BoxVersion *version = g_ptr_array_index (versions, i);

      g_assert_true (!version->has_size || version->size <= G_MAXINT64);
    }
  return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/note.h"

#include "base/fileio.h"
#include "base/json.h"

#include <string.h>

#define FILE_NAME "sizes.json"
#define MAX_FILE  (1u << 20)

/* Places that are remembered; one more, and all are forgotten. */
#define MAX_PLACES 1000

/* One thread of the process changes a file at a time. */
static GMutex changing;

/* NULL: a session, of which nothing is known. */
static char *
name_place (const BoxDestination *destination)
{
  g_autofree char *folder = NULL;

  switch (destination->kind)
    {
    case BOX_DESTINATION_FOLDER:
      folder = box_destination_describe_folder (destination);
      return g_strconcat ("folder ", folder, NULL);
    case BOX_DESTINATION_FILE:
      return g_strconcat ("file ", destination->file_id, NULL);
    case BOX_DESTINATION_SESSION:
      break;
    }
  return NULL;
}

/* An empty object where the file cannot be read. */
static JsonNode *
load (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonNode *empty;
  gsize length;

  if (g_file_get_contents (path, &text, &length, NULL) && length <= MAX_FILE)
    {
      bytes = g_bytes_new_static (text, length);
      node = box_json_parse (bytes, NULL);
    }
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node)
      && json_object_get_size (json_node_get_object (node)) <= MAX_PLACES)
    return g_steal_pointer (&node);
  empty = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (empty, json_object_new ());
  return empty;
}

guint64
box_history_get_size (const char *directory, const BoxDestination *destination)
{
  g_autofree char *path = g_build_filename (directory, FILE_NAME, NULL);
  g_autofree char *place = name_place (destination);
  g_autoptr (JsonNode) node = load (path);
  guint64 size = 0;

  if (place == NULL
      || !box_json_get_uint64 (json_node_get_object (node), place, 1, G_MAXINT64, &size, NULL))
    return 0;
  return size;
}

void
box_history_set_size (const char *directory, const BoxDestination *destination, guint64 size)
{
  g_autofree char *path = g_build_filename (directory, FILE_NAME, NULL);
  g_autofree char *place = name_place (destination);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (place == NULL || size == 0)
    return;
  g_mutex_lock (&changing);
  node = load (path);
  json_object_set_int_member (json_node_get_object (node), place, (gint64) size);
  text = json_to_string (node, TRUE);
  if (!box_fileio_replace (path, text, strlen (text), 0600, &error))
    g_info ("%s", error->message);
  g_mutex_unlock (&changing);
}

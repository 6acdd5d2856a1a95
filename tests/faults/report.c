/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

static GMutex lock;
static GHashTable *known; /* of "MATRIX CELL"; with lock */

/* Takes nothing of a line that is not whole: the run was ended there. */
static void
remember_line (const char *line)
{
  g_autoptr (JsonNode) node = json_from_string (line, NULL);
  JsonObject *object =
      node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  if (object != NULL && json_object_has_member (object, "cell"))
    g_hash_table_add (known, g_strconcat (json_object_get_string_member (object, "matrix"), " ",
                                          json_object_get_string_member (object, "cell"), NULL));
}

static void
load_locked (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!g_file_get_contents (g_getenv ("BOXUPLOAD_FAULT_REPORT"), &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    remember_line (lines[i]);
}

gboolean
fault_report_has (const char *matrix, const char *cell)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  g_autofree char *name = g_strconcat (matrix, " ", cell, NULL);

  if (g_getenv ("BOXUPLOAD_FAULT_REPORT") == NULL)
    return FALSE;
  if (known == NULL)
    load_locked ();
  return g_hash_table_contains (known, name);
}

void
fault_report_add (const char *matrix, const char *cell, const char *outcome, const char *problem)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  const char *path = g_getenv ("BOXUPLOAD_FAULT_REPORT");
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  JsonObject *object = json_object_new ();
  FILE *file;

  json_object_set_string_member (object, "matrix", matrix);
  json_object_set_string_member (object, "cell", cell);
  json_object_set_string_member (object, "outcome", outcome);
  if (problem != NULL)
    json_object_set_string_member (object, "problem", problem);
  json_node_take_object (node, object);
  text = json_to_string (node, FALSE);
  if (problem != NULL)
    g_test_message ("WRONG %s: %s", cell, problem);
  if (path == NULL)
    return;
  file = fopen (path, "ae");
  g_assert_nonnull (file);
  fprintf (file, "%s\n", text);
  fclose (file);
}

guint
fault_report_get_seed (void)
{
  const char *seed = g_getenv ("BOXUPLOAD_FAULT_SEED");

  return seed != NULL ? (guint) atoi (seed) : 1;
}

double
fault_report_get_share (const char *variable, guint sample, guint n_all)
{
  const char *wanted = g_getenv (variable);

  if (g_strcmp0 (wanted, "all") == 0)
    return 1;
  return (double) (wanted != NULL ? (guint) atoi (wanted) : sample) / n_all;
}

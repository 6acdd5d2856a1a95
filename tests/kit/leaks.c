/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/leaks.h"

#include "kit/patience.h"

#include <gio/gio.h>

char *
kit_list_open_files (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  GString *files = g_string_new (NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (link, NULL);

      if (target != NULL && target[0] == '/' && !g_str_has_prefix (target, "/proc/")
          && !g_str_has_prefix (target, "/dev/"))
        g_string_append_printf (files, "%s\n", target);
    }
  return g_string_free (files, FALSE);
}

void
kit_assert_open_files (const char *expected)
{
  gint64 deadline = g_get_monotonic_time () + KIT_PATIENCE_US;
  g_autofree char *files = kit_list_open_files ();

  while (g_strcmp0 (files, expected) != 0 && g_get_monotonic_time () < deadline)
    {
      g_usleep (1000);
      g_free (files);
      files = kit_list_open_files ();
    }
  g_assert_cmpstr (files, ==, expected);
}

guint
kit_count_threads (const char *prefix)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  const char *id;
  guint n = 0;

  while ((id = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/task", id, "comm", NULL);
      g_autofree char *name = NULL;

      n += g_file_get_contents (path, &name, NULL, NULL) && g_str_has_prefix (name, prefix) ? 1 : 0;
    }
  return n;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Deeper than any tree is meant to be, and than the stack likes. */
#define MAX_DEPTH 256

void
cli_tree_file_free (CliTreeFile *file)
{
  if (file == NULL)
    return;
  g_free (file->path);
  g_strfreev (file->folders);
  g_clear_error (&file->failure);
  g_free (file);
}

/* A copy of @names, and @name. */
static char **
extend (char *const *names, const char *name)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_addv (builder, (const char **) names);
  g_strv_builder_add (builder, name);
  return g_strv_builder_end (builder);
}

static void
add (GPtrArray *files, const char *path, char *const *folders, GError *failure)
{
  CliTreeFile *file = g_new0 (CliTreeFile, 1);

  file->path = g_strdup (path);
  file->folders = g_strdupv ((char **) folders);
  file->failure = failure;
  g_ptr_array_add (files, file);
}

static void
add_failure (GPtrArray *files, const char *path, char *const *folders, const char *message)
{
  add (files, path, folders, g_error_new_literal (BOX_ERROR, BOX_ERROR_STORAGE, message));
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* (element-type filename): the names in @path, sorted. */
static GPtrArray *
list_names (const char *path, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (dir == NULL)
    return NULL;
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

/* What @name in @path is. @later: takes directories. */
static void
visit (GPtrArray *files, const char *path, const char *name, char *const *folders, GPtrArray *later)
{
  g_autofree char *full = g_build_filename (path, name, NULL);
  struct stat status;

  if (lstat (full, &status) < 0)
    {
      g_autofree char *message = g_strdup_printf ("It cannot be read: %s", g_strerror (errno));

      add_failure (files, full, folders, message);
    }
  else if (S_ISDIR (status.st_mode))
    g_ptr_array_add (later, g_strdup (name));
  else if (S_ISREG (status.st_mode))
    add (files, full, folders, NULL);
  else
    add_failure (files, full, folders,
                 S_ISLNK (status.st_mode) ? "This is a symbolic link, which is not followed"
                                          : "This is neither a file nor a directory");
}

static void
walk (GPtrArray *files, const char *path, char *const *folders, guint depth)
{
  g_autoptr (GPtrArray) directories = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = list_names (path, &error);

  if (names == NULL || depth > MAX_DEPTH)
    {
      add_failure (files, path, folders,
                   names == NULL ? error->message : "There are too many directories in each other");
      return;
    }
  for (guint i = 0; i < names->len; i++)
    visit (files, path, g_ptr_array_index (names, i), folders, directories);
  for (guint i = 0; i < directories->len; i++)
    {
      const char *name = g_ptr_array_index (directories, i);
      g_autofree char *below = g_build_filename (path, name, NULL);
      g_auto (GStrv) names_below = extend (folders, name);

      walk (files, below, names_below, depth + 1);
    }
}

GPtrArray *
cli_tree_list (const char *path)
{
  GPtrArray *files = g_ptr_array_new_with_free_func ((GDestroyNotify) cli_tree_file_free);
  char *none[] = { NULL };
  g_autofree char *base = g_path_get_basename (path);
  g_auto (GStrv) folders = NULL;

  if (g_str_has_suffix (path, "/") || g_str_equal (base, ".") || g_str_equal (base, ".."))
    folders = g_strdupv (none);
  else
    folders = extend (none, base);
  walk (files, path, folders, 0);
  return files;
}

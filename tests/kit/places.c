/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/places.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- directories ---- */

char *
kit_new_directory (void)
{
  g_autoptr (GError) error = NULL;
  char *path = g_dir_make_tmp ("boxupload-test-XXXXXX", &error);

  g_assert_no_error (error);
  return path;
}

void
kit_remove_directory (char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      g_assert_cmpint (g_remove (file), ==, 0);
    }
  kit_remove_empty_directory (path);
}

void
kit_remove_empty_directory (char *path)
{
  g_assert_cmpint (g_rmdir (path), ==, 0);
  g_free (path);
}

void
kit_remove_tree (const char *path)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    dir = g_dir_open (path, 0, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      kit_remove_tree (child);
    }
  g_remove (path);
}

void
kit_spoil_directory (const char *path)
{
  kit_remove_tree (path);
  kit_write_text (path, "no directory");
}

/* ---- files ---- */

char *
kit_new_file (const char *text)
{
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("boxupload-test-XXXXXX", &path, &error);

  g_assert_no_error (error);
  close (fd);
  kit_write_text (path, text);
  return path;
}

void
kit_remove_file (char *path)
{
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_free (path);
}

static void
write_file (const char *path, const char *data, gssize size)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents_full (path, data, size,
                            G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_ONLY_EXISTING,
                            0600, &error);
  g_assert_no_error (error);
}

void
kit_write_text (const char *path, const char *text)
{
  write_file (path, text, -1);
}

void
kit_write_bytes (const char *path, gconstpointer data, gsize size)
{
  write_file (path, data, (gssize) size);
}

/* @size: (nullable). */
static char *
read_file (const char *path, gsize *size)
{
  g_autoptr (GError) error = NULL;
  char *data = NULL;

  g_file_get_contents (path, &data, size, &error);
  g_assert_no_error (error);
  return data;
}

char *
kit_read_text (const char *path)
{
  return read_file (path, NULL);
}

GBytes *
kit_read_bytes (const char *path)
{
  gsize size;
  char *data = read_file (path, &size);

  return g_bytes_new_take (data, size);
}

void
kit_assert_content (const char *path, gconstpointer data, gsize size)
{
  gsize n;
  g_autofree char *content = read_file (path, &n);

  g_assert_cmpmem (content, n, data, size);
}

guint
kit_get_mode (const char *path)
{
  GStatBuf info;

  g_assert_cmpint (g_stat (path, &info), ==, 0);
  return info.st_mode & 07777;
}

/* ---- the environment ---- */

void
kit_clear_environment (void)
{
  static const char *const variables[] = {
    "BOX_ACCESS_TOKEN", "BOX_TOKEN_FILE", "BOX_AUTH_CONFIG",   "BOX_ENDPOINT",
    "BOX_API_ENDPOINT", "BOX_CA_FILE",    "BOXUPLOAD_WORKERS", "BOXUPLOAD_MEMORY",
    "BOXUPLOAD_RATE",   "http_proxy",     "https_proxy",       "all_proxy",
    "HTTP_PROXY",       "HTTPS_PROXY",    "ALL_PROXY",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
}

guint
kit_get_kills (guint otherwise)
{
  const char *wanted = g_getenv ("BOXUPLOAD_TEST_KILLS");

  return wanted != NULL ? (guint) MAX (atoi (wanted), 1) : otherwise;
}

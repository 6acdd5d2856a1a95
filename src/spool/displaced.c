/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/displaced.h"

#include "base/fileio.h"
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Follows the name that a file had taken, when it is put aside. */
#define REPLACED_SUFFIX ".replaced"
#define MAX_REPLACED    100

static gboolean
is_same (const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* What NFS calls a removed file until it is closed. */
static gboolean
is_silly_name (const char *path)
{
  const char *slash = strrchr (path, '/');

  return slash != NULL && g_str_has_prefix (slash, "/.nfs");
}

/* The name that the kernel knows; NULL: none that stays. */
static char *
find_name (int fd, const struct stat *file)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *name = g_file_read_link (link, NULL);
  struct stat found;

  if (name == NULL || is_silly_name (name) || lstat (name, &found) != 0 || !is_same (&found, file))
    return NULL;
  return g_steal_pointer (&name);
}

/* What cannot be asked is not believed to be wrong, nor is another number of a file that has a name
 * still: not every file system keeps them. */
BoxPlacing
box_displaced_look (int fd, const char *path, char **elsewhere)
{
  struct stat file, named;
  gboolean taken;

  *elsewhere = NULL;
  if (fstat (fd, &file) != 0)
    return BOX_PLACED_WELL;
  taken = lstat (path, &named) == 0;
  if (taken ? is_same (&file, &named) : errno != ENOENT && errno != ENOTDIR)
    return BOX_PLACED_WELL;
  *elsewhere = find_name (fd, &file);
  if (*elsewhere != NULL)
    return BOX_PLACED_MOVED;
  if (!taken)
    return BOX_PLACED_REMOVED;
  return file.st_nlink == 0 ? BOX_PLACED_REPLACED : BOX_PLACED_WELL;
}

/* @fd refers to the copy afterwards. */
static gboolean
copy_back (int fd, const char *path, const char *to, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (to);
  gboolean done;
  int copy;

  if (g_mkdir_with_parents (directory, 0700) != 0)
    {
      box_fileio_set_error (error, errno, "make", directory);
      return FALSE;
    }
  copy = box_fileio_copy_open (fd, path, to, error);
  if (copy < 0)
    return FALSE;
  done = TEMP_FAILURE_RETRY (dup3 (copy, fd, O_CLOEXEC)) >= 0;
  if (!done)
    box_fileio_set_error (error, errno, "open", to);
  close (copy);
  return done;
}

/* Whether a copy of @file in @directory leaves as much room as it takes. */
static gboolean
has_room (const char *directory, const struct stat *file)
{
  struct statvfs disk;

  return statvfs (directory, &disk) == 0
         && (guint64) file->st_size <= disk.f_bavail * disk.f_frsize / 2;
}

/* It may have happened before. */
static char *
find_free_name (const char *path)
{
  char *name = g_strconcat (path, REPLACED_SUFFIX, NULL);

  for (guint i = 2; i <= MAX_REPLACED && g_file_test (name, G_FILE_TEST_EXISTS); i++)
    {
      g_free (name);
      name = g_strdup_printf ("%s" REPLACED_SUFFIX "-%u", path, i);
    }
  return name;
}

static gboolean
put_aside (int fd, const char *path, char **done, GError **error)
{
  g_autofree char *beside = find_free_name (path);
  g_autofree char *spool = NULL;

  if (!copy_back (fd, path, beside, error))
    {
      g_prefix_error (error, "Another file has taken the place of %s during the recording: ", path);
      return FALSE;
    }
  if (box_fileio_exchange (beside, path))
    {
      *done = g_strdup_printf ("another file had taken the place of %s during the recording: it is "
                               "now %s, and what was recorded is in its place again",
                               path, beside);
      return TRUE;
    }
  spool = box_spool_format_option_for (path);
  g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
               "Another file has taken the place of %s during the recording; what was recorded is "
               "in %s: rename that back; then \"boxupload resume%s\" uploads it",
               path, beside, spool);
  return FALSE;
}

static gboolean
write_anew (int fd, const char *path, char **done, GError **error)
{
  if (!copy_back (fd, path, path, error))
    {
      g_prefix_error (error,
                      "%s was removed during the recording, and cannot be written anew: ", path);
      return FALSE;
    }
  *done = g_strdup_printf ("%s was removed from the spool during the recording, and has been "
                           "written anew",
                           path);
  return TRUE;
}

gboolean
box_displaced_restore (int fd, const char *path, char **done, GError **error)
{
  g_autofree char *elsewhere = NULL;

  *done = NULL;
  switch (box_displaced_look (fd, path, &elsewhere))
    {
    case BOX_PLACED_WELL:
      return TRUE;
    case BOX_PLACED_REMOVED:
      return write_anew (fd, path, done, error);
    case BOX_PLACED_MOVED:
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                   "%s was moved during the recording, to %s: move it back; then \"boxupload "
                   "resume\" uploads it",
                   path, elsewhere);
      return FALSE;
    case BOX_PLACED_REPLACED:
      return put_aside (fd, path, done, error);
    }
  return TRUE;
}

void
box_displaced_save (int fd, const char *path, GError **failure)
{
  const char *wanted = g_getenv ("TMPDIR");
  const char *directory = wanted != NULL && *wanted != '\0' ? wanted : "/var/tmp";
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *to = g_build_filename (directory, name, NULL);
  g_autofree char *elsewhere = NULL;
  g_autoptr (GError) before = NULL;
  BoxPlacing placing = box_displaced_look (fd, path, &elsewhere);
  struct stat file;
  int copy = -1;

  if (placing == BOX_PLACED_WELL || placing == BOX_PLACED_MOVED)
    return;
  if (fstat (fd, &file) == 0 && has_room (directory, &file))
    copy = box_fileio_copy_open (fd, path, to, NULL);
  if (copy < 0)
    return;
  close (copy);
  before = g_steal_pointer (failure);
  g_set_error (failure, before->domain, before->code,
               "%s; what was recorded is in %s: upload it with \"boxupload put\"", before->message,
               to);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* One write is cut to this many bytes: Linux takes no more than 2 GiB at once. */
#define CHUNK ((gsize) 1 << 30)

/* Bytes that are copied at a time. */
#define COPY_CHUNK ((gsize) 1 << 20)

void
box_fileio_set_error (GError **error, int number, const char *doing, const char *path)
{
  switch (number)
    {
    case ENOSPC:
      g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
                   "Cannot %s %s: the disk is full; make room on it or use another directory",
                   doing, path);
      break;
    case EDQUOT:
      g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
                   "Cannot %s %s: the disk quota is used up; make room, have it raised, or use "
                   "another directory",
                   doing, path);
      break;
    case EFBIG:
      g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
                   "Cannot %s %s: the largest size of a file is reached; raise the limit (ulimit "
                   "-f, LimitFSIZE=), use a directory on another file system, or record in "
                   "pieces",
                   doing, path);
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                   "Cannot %s %s: %s; give this user access or use another directory", doing, path,
                   g_strerror (number));
      break;
    case EIO:
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                   "Cannot %s %s: %s; check the disk, the system's log says more", doing, path,
                   g_strerror (number));
      break;
    case EMFILE:
    case ENFILE:
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                   "Cannot %s %s: %s; raise the limit of open files (ulimit -n)", doing, path,
                   g_strerror (number));
      break;
    default:
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "Cannot %s %s: %s", doing, path,
                   g_strerror (number));
    }
}

gboolean
box_fileio_write (int fd, const char *path, guint64 offset, gconstpointer data, gsize length,
                  GError **error)
{
  const guint8 *bytes = data;

  while (length > 0)
    {
      gssize n = pwrite (fd, bytes, MIN (length, CHUNK), (off_t) offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          box_fileio_set_error (error, errno, "write", path);
          return FALSE;
        }
      bytes += n;
      offset += (guint64) n;
      length -= (gsize) n;
    }
  return TRUE;
}

gboolean
box_fileio_read (int fd, const char *path, guint64 offset, guint8 *buffer, gsize length,
                 GError **error)
{
  while (length > 0)
    {
      gssize n = pread (fd, buffer, MIN (length, CHUNK), (off_t) offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          box_fileio_set_error (error, errno, "read", path);
          return FALSE;
        }
      if (n == 0)
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                       "Cannot read %s: it ends before byte %" G_GUINT64_FORMAT
                       "; something else has cut it off",
                       path, offset + length);
          return FALSE;
        }
      buffer += n;
      offset += (guint64) n;
      length -= (gsize) n;
    }
  return TRUE;
}

gboolean
box_fileio_sync (int fd, const char *path, GError **error)
{
  if (TEMP_FAILURE_RETRY (fdatasync (fd)) == 0)
    return TRUE;
  box_fileio_set_error (error, errno, "write", path);
  return FALSE;
}

/* TRUE also if the file system has no sync of directories; else errno is set. */
static gboolean
sync_directory (const char *path)
{
  int fd = TEMP_FAILURE_RETRY (open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  gboolean ok = fd >= 0 && (TEMP_FAILURE_RETRY (fsync (fd)) == 0 || errno == EINVAL);
  int saved_errno = errno;

  if (fd >= 0)
    close (fd);
  errno = saved_errno;
  return ok;
}

static gboolean
sync_parent (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);

  return sync_directory (directory);
}

gboolean
box_fileio_sync_directory (const char *path, GError **error)
{
  if (sync_directory (path))
    return TRUE;
  box_fileio_set_error (error, errno, "write to", path);
  return FALSE;
}

static gboolean
set_replace_error (GError **error, const char *path, int number)
{
  g_set_error (error, BOX_ERROR,
               number == ENOSPC || number == EDQUOT ? BOX_ERROR_SPACE : BOX_ERROR_STORAGE,
               "Cannot replace %s: %s", path, g_strerror (number));
  return FALSE;
}

static gboolean
write_all (int fd, const guint8 *bytes, gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, bytes, MIN (length, CHUNK));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      bytes += n;
      length -= (gsize) n;
    }
  return TRUE;
}

gboolean
box_fileio_check_replaceable (const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  struct stat target, own;
  gboolean is_other = stat (path, &target) == 0 && lstat (path, &own) == 0
                      && !S_ISREG (target.st_mode)
                      && !S_ISDIR (own.st_mode); /* rename() refuses a directory */

  if (!is_other
      && (!g_str_has_prefix (absolute, "/dev/") || g_str_has_prefix (absolute, "/dev/shm/")))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
               "Cannot replace %s: it is not a regular file; name another one", path);
  return FALSE;
}

gboolean
box_fileio_put_in_place (int fd, const char *temporary, const char *path, gconstpointer data,
                         gsize length, GError **error)
{
  if (!box_fileio_check_replaceable (path, error))
    return FALSE;
  if (!write_all (fd, data, length) || TEMP_FAILURE_RETRY (fsync (fd)) != 0
      || rename (temporary, path) != 0 || !sync_parent (path))
    return set_replace_error (error, path, errno);
  return TRUE;
}

/* A name beside @path, for g_mkstemp(). */
static char *
new_temporary (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);

  return g_strdup_printf ("%s/.%.200s.XXXXXX", directory, name);
}

gboolean
box_fileio_replace (const char *path, gconstpointer data, gsize length, mode_t mode, GError **error)
{
  g_autofree char *temporary = new_temporary (path);
  gboolean done;
  int fd;

  if (!box_fileio_check_replaceable (path, error))
    return FALSE;
  fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    return set_replace_error (error, path, errno);
  if (fchmod (fd, mode) != 0)
    done = set_replace_error (error, path, errno);
  else
    done = box_fileio_put_in_place (fd, temporary, path, data, length, error);
  close (fd);
  if (!done)
    unlink (temporary);
  return done;
}

static gboolean
copy_bytes (int from, const char *from_path, int to, const char *to_path, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (COPY_CHUNK);

  for (guint64 at = 0;;)
    {
      gssize n = pread (from, buffer, COPY_CHUNK, (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        box_fileio_set_error (error, errno, "read", from_path);
      if (n <= 0)
        return n == 0;
      if (!box_fileio_write (to, to_path, at, buffer, (gsize) n, error))
        return FALSE;
      at += (guint64) n;
    }
}

/* Gives @temporary the name @path. If nothing may be replaced, a taken name is an error. */
static gboolean
give_name (const char *temporary, const char *path, gboolean replace, GError **error)
{
  if (replace && !box_fileio_check_replaceable (path, error))
    return FALSE;
  if (replace ? rename (temporary, path) == 0 : link (temporary, path) == 0)
    {
      if (!replace)
        unlink (temporary);
      (void) sync_parent (path);
      return TRUE;
    }
  if (!replace && errno == EEXIST)
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "%s is there already", path);
  else
    box_fileio_set_error (error, errno, "create", path);
  return FALSE;
}

/* The copy, open; -1 on errors. @lock: it has its lock before it has its name. */
static int
copy_to (int from, const char *from_path, const char *path, gboolean replace, gboolean lock,
         GError **error)
{
  g_autofree char *temporary = new_temporary (path);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);

  if (fd < 0)
    {
      box_fileio_set_error (error, errno, "create", path);
      return -1;
    }
  if ((!lock || box_fileio_lock (fd, path, error)) && copy_bytes (from, from_path, fd, path, error)
      && box_fileio_sync (fd, path, error) && give_name (temporary, path, replace, error))
    return fd;
  close (fd);
  unlink (temporary);
  return -1;
}

gboolean
box_fileio_copy (const char *from, const char *to, gboolean replace, GError **error)
{
  int fd = TEMP_FAILURE_RETRY (open (from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  int copy;

  if (fd < 0)
    {
      box_fileio_set_error (error, errno, "read", from);
      return FALSE;
    }
  copy = copy_to (fd, from, to, replace, FALSE, error);
  close (fd);
  if (copy >= 0)
    close (copy);
  return copy >= 0;
}

int
box_fileio_copy_open (int from, const char *from_path, const char *to, GError **error)
{
  return copy_to (from, from_path, to, FALSE, TRUE, error);
}

gboolean
box_fileio_exchange (const char *a, const char *b)
{
  if (TEMP_FAILURE_RETRY (renameat2 (AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)) != 0)
    return FALSE;
  (void) sync_parent (a);
  return TRUE;
}

gboolean
box_fileio_lock (int fd, const char *path, GError **error)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

  if (TEMP_FAILURE_RETRY (fcntl (fd, F_OFD_SETLK, &lock)) == 0)
    return TRUE;
  if (errno == EAGAIN || errno == EACCES)
    g_set_error (error, BOX_ERROR, BOX_ERROR_BUSY,
                 "%s is being written or uploaded by another process", path);
  else
    box_fileio_set_error (error, errno, "lock", path);
  return FALSE;
}

gboolean
box_fileio_is_locked (int fd)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

  return fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Small enough to be in the cache still when the upload copies and digests it. Bytes. */
#define FEED_CHUNK (256 * 1024)

static gboolean
feed_bytes (BoxUpload *upload, const guint8 *data, gsize length)
{
  while (length > 0)
    {
      gsize n;

      switch (box_upload_wait_room (upload))
        {
        case BOX_WAIT_READY:
        case BOX_WAIT_TIMEOUT:
          break;
        case BOX_WAIT_INTERRUPTED:
        case BOX_WAIT_FAILED:
          return FALSE;
        }
      n = box_upload_write (upload, data, length);
      data += n;
      length -= n;
    }
  return TRUE;
}

/* Like pread(), of all that @length asks for; shorter only at the file's end. -1: errno says why.
 */
static gssize
read_all (int fd, guint8 *buffer, gsize length, guint64 offset)
{
  gsize got = 0;

  while (got < length)
    {
      ssize_t n = pread (fd, buffer + got, length - got, (off_t) (offset + got));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      if (n == 0)
        break;
      got += (gsize) n;
    }
  return (gssize) got;
}

static gboolean
read_again (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  gssize n = read_all (GPOINTER_TO_INT (user_data), buffer, length, offset);

  if (n == (gssize) length)
    return TRUE;
  g_set_error (error, BOX_ERROR, n < 0 ? BOX_ERROR_STORAGE : BOX_ERROR_SIZE,
               "The file cannot be read again at byte %" G_GUINT64_FORMAT ": %s", offset,
               n < 0 ? g_strerror (errno) : "it became shorter");
  return FALSE;
}

static void
close_file (gpointer user_data)
{
  close (GPOINTER_TO_INT (user_data));
}

gboolean
box_feed_keep_file (int fd, BoxBlocksFile *file, GError **error)
{
  int own = fcntl (fd, F_DUPFD_CLOEXEC, 0);

  if (own < 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The file cannot be opened again: %s",
                   g_strerror (errno));
      return FALSE;
    }
  *file = (BoxBlocksFile){
    .read = read_again,
    .user_data = GINT_TO_POINTER (own),
    .destroy = close_file,
  };
  return TRUE;
}

gboolean
box_feed_has_changed (const struct stat *before, const struct stat *after)
{
  return before->st_size != after->st_size || before->st_mtim.tv_sec != after->st_mtim.tv_sec
         || before->st_mtim.tv_nsec != after->st_mtim.tv_nsec;
}

static gboolean
get_status (int fd, struct stat *status, GError **error)
{
  if (fstat (fd, status) == 0)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The file cannot be examined: %s",
               g_strerror (errno));
  return FALSE;
}

/* Files of /proc and /sys have more bytes than their size, which may be 0. */
static gboolean
check_end (int fd, guint64 size, GError **error)
{
  guint8 byte;

  if (read_all (fd, &byte, 1, size) <= 0)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "The file has more bytes than the %" G_GUINT64_FORMAT
               " of its size: is it still being written? What has no true size, as in /proc, is "
               "uploaded with cat FILE | boxupload put - --name NAME",
               size);
  return FALSE;
}

/* FALSE without @error if the upload has ended by itself. */
static gboolean
feed (BoxUpload *upload, int fd, guint64 size, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (FEED_CHUNK);
  struct stat before, after;

  if (!get_status (fd, &before, error))
    return FALSE;
  if (before.st_size < 0 || (guint64) before.st_size != size)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
                   "The file has %" G_GINT64_FORMAT " bytes and not %" G_GUINT64_FORMAT
                   ": is it still being written?",
                   (gint64) before.st_size, size);
      return FALSE;
    }

  for (guint64 offset = 0; offset < size;)
    {
      gssize n = read_all (fd, buffer, MIN (FEED_CHUNK, size - offset), offset);

      if (n < 0)
        g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                     "The file cannot be read at byte %" G_GUINT64_FORMAT ": %s", offset,
                     g_strerror (errno));
      if (n == 0)
        g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
                     "The file became shorter while it was read: it ends at byte %" G_GUINT64_FORMAT
                     " of %" G_GUINT64_FORMAT,
                     offset, size);
      if (n <= 0 || !feed_bytes (upload, buffer, (gsize) n))
        return FALSE;
      offset += (guint64) n;
    }

  if (!get_status (fd, &after, error))
    return FALSE;
  if (!box_feed_has_changed (&before, &after))
    return check_end (fd, size, error);
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SIZE,
                       "The file changed while it was read: is it still being written?");
  return FALSE;
}

gboolean
box_feed_fd (BoxUpload *upload, int fd, guint64 size, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (feed (upload, fd, size, &local))
    {
      box_upload_finish (upload);
      return TRUE;
    }
  if (local != NULL)
    box_upload_fail (upload, g_error_copy (local));
  else
    local = box_upload_get_error (upload);
  if (local == NULL)
    g_set_error_literal (&local, BOX_ERROR, BOX_ERROR_CANCELLED, "Interrupted");
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

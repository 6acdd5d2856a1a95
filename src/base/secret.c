/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a URI's scheme (RFC 3986, section 3.1). */
#define SCHEME_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+-."

gboolean
box_file_stamp_take (const char *path, BoxFileStamp *stamp)
{
  struct stat st;

  if (stat (path, &st) != 0)
    return FALSE;
  stamp->device = st.st_dev;
  stamp->inode = st.st_ino;
  stamp->size = (guint64) st.st_size;
  stamp->mtime = st.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + st.st_mtim.tv_nsec;
  return TRUE;
}

gboolean
box_file_stamp_equal (const BoxFileStamp *a, const BoxFileStamp *b)
{
  return a->device == b->device && a->inode == b->inode && a->size == b->size
         && a->mtime == b->mtime;
}

static gboolean
set_file_error (GError **error, const char *label, const char *path, int saved_errno)
{
  g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s “%s” cannot be read: %s", label, path,
               g_strerror (saved_errno));
  return FALSE;
}

static gboolean
check_file (int fd, const char *label, const char *path, gsize limit, struct stat *st,
            GError **error)
{
  if (fstat (fd, st) != 0)
    return set_file_error (error, label, path, errno);

  if (!S_ISREG (st->st_mode))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "%s “%s” is not a regular file", label,
                   path);
      return FALSE;
    }
  if ((guint64) st->st_size > limit)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "%s “%s” is too long to be one: %" G_GUINT64_FORMAT
                   " bytes, at most %" G_GSIZE_FORMAT " are read",
                   label, path, (guint64) st->st_size, limit);
      return FALSE;
    }
  return TRUE;
}

/* Reads at most @limit bytes: a file that grows meanwhile is cut there. */
static gboolean
read_all (int fd, char *buffer, gsize limit, gsize *length)
{
  gsize n = 0;

  while (n < limit)
    {
      ssize_t got = read (fd, buffer + n, limit - n);

      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return FALSE;
      if (got == 0)
        break;
      n += (gsize) got;
    }
  *length = n;
  return TRUE;
}

/* Editors of Windows put one at the head of a file. No copy of the end is left. */
static gsize
drop_byte_order_mark (char *text, gsize length)
{
  gsize mark = box_json_mark_length (text, length);

  memmove (text, text + mark, length - mark);
  explicit_bzero (text + length - mark, mark);
  return length - mark;
}

char *
box_secret_read_file (const char *label, const char *path, gsize limit, gsize *length,
                      GError **error)
{
  /* Not blocking: a FIFO without a writer must not hang. */
  int fd = TEMP_FAILURE_RETRY (open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat st;
  gsize room, n = 0;
  char *buffer;
  int saved_errno;

  if (fd < 0)
    {
      set_file_error (error, label, path, errno);
      return NULL;
    }
  if (!check_file (fd, label, path, limit, &st, error))
    {
      close (fd);
      return NULL;
    }

  room = (gsize) st.st_size;
  buffer = g_malloc0 (room + 1);
  if (!read_all (fd, buffer, room, &n))
    {
      saved_errno = errno;
      close (fd);
      box_secret_clear (buffer, room);
      set_file_error (error, label, path, saved_errno);
      return NULL;
    }
  close (fd);
  n = drop_byte_order_mark (buffer, n);
  if (n >= 2 && (memcmp (buffer, "\377\376", 2) == 0 || memcmp (buffer, "\376\377", 2) == 0))
    {
      box_secret_clear (buffer, room);
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "%s “%s” is in UTF-16: save it as UTF-8", label, path);
      return NULL;
    }

  if (length != NULL)
    *length = n;
  return buffer;
}

gboolean
box_secret_file_is_exposed (const char *path)
{
  struct stat st;

  return stat (path, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

void
box_secret_clear (char *data, gsize length)
{
  if (data == NULL)
    return;
  explicit_bzero (data, length);
  g_free (data);
}

void
box_secret_free (char *string)
{
  if (string != NULL)
    box_secret_clear (string, strlen (string));
}

char *
box_secret_trim (char *secret)
{
  const char *start = secret + box_json_mark_length (secret, strlen (secret));
  gsize length;
  char *trimmed;

  while (g_ascii_isspace (*start))
    start++;
  length = strlen (start);
  while (length > 0 && g_ascii_isspace (start[length - 1]))
    length--;
  trimmed = g_strndup (start, length);
  box_secret_free (secret);
  return trimmed;
}

char *
box_secret_hide_password (const char *uri)
{
  /* A password may hold "://", too, and a scheme may be missing. */
  gsize scheme = strspn (uri, SCHEME_CHARACTERS);
  const char *user = g_str_has_prefix (uri + scheme, "://") ? uri + scheme + strlen ("://") : uri;
  /* The last: a password may hold one that was not encoded. */
  const char *at = strrchr (user, '@');
  gsize length;

  if (at == NULL)
    return g_strdup (uri);
  length = strcspn (user, ":@");
  return g_strdup_printf ("%.*s%.*s%s", (int) (user - uri), uri, (int) length, user, at);
}

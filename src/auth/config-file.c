/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock is on the file itself (flock): the one who gets it checks that the path still leads to
 * this file, because the holder before may have replaced it.
 *
 * The replacement is called .NAME.HASH.new, HASH being of the refresh token that it replaces: a
 * complete one that is there when the lock is taken was left by a writer that died before the
 * rename, and holds the only valid refresh token.
 */
#define G_LOG_DOMAIN "boxupload"

#include "auth/config.h"
#include "base/digest.h"
#include "base/fileio.h"
#include "base/retry.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a lock that another process holds is tried; it holds it for one request. Microseconds.
 */
#define LOCK_POLL (20 * 1000)

/* Contents that could not be written, by the path of the replacement: each holds the only valid
 * refresh token. */
static GMutex kept_lock;
static GHashTable *kept; /* with kept_lock; char * → secret */

struct _BoxConfigFile
{
  char *origin;
  char *path; /* without symbolic links */
  char *directory;
  char *base;
  int fd;         /* of the locked file */
  struct stat st; /* of the same */
  BoxAuthConfig *config;
  char *next_path;  /* of the replacement */
  int next_fd;      /* -1 before it is prepared */
  gboolean written; /* the replacement may be whole: it must not be removed */
};

static void
keep (BoxConfigFile *file, const char *text)
{
  g_mutex_lock (&kept_lock);
  if (kept == NULL)
    kept =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) box_secret_free);
  g_hash_table_insert (kept, g_strdup (file->next_path), g_strdup (text));
  g_mutex_unlock (&kept_lock);
}

static char *
dup_kept (BoxConfigFile *file)
{
  char *text = NULL;

  g_mutex_lock (&kept_lock);
  if (kept != NULL)
    text = g_strdup (g_hash_table_lookup (kept, file->next_path));
  g_mutex_unlock (&kept_lock);
  return text;
}

static void
forget_kept (const char *next_path)
{
  g_mutex_lock (&kept_lock);
  if (kept != NULL)
    g_hash_table_remove (kept, next_path);
  g_mutex_unlock (&kept_lock);
}

static gboolean
set_errno (GError **error, BoxConfigFile *file, const char *what, int saved_errno)
{
  g_set_error (error, BOX_ERROR,
               saved_errno == ENOSPC || saved_errno == EDQUOT ? BOX_ERROR_SPACE : BOX_ERROR_STORAGE,
               "%s “%s” holds a refresh token, which is replaced at every use, and %s: %s",
               file->origin, file->path, what, g_strerror (saved_errno));
  return FALSE;
}

/* It was there before. */
static gboolean
set_unreadable (GError **error, BoxConfigFile *file, const char *path, int saved_errno)
{
  g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "%s “%s” cannot be read: %s", file->origin,
               path, g_strerror (saved_errno));
  return FALSE;
}

static gboolean
resolve (BoxConfigFile *file, const char *path, GError **error)
{
  char *resolved = realpath (path, NULL);

  if (resolved == NULL)
    return set_unreadable (error, file, path, errno);
  file->path = g_strdup (resolved);
  free (resolved);
  file->directory = g_path_get_dirname (file->path);
  file->base = g_path_get_basename (file->path);
  return TRUE;
}

/* With write access if possible: locks over NFS need it. */
static int
open_for_lock (const char *path)
{
  const int flags = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  int fd = TEMP_FAILURE_RETRY (open (path, O_RDWR | flags));

  return fd >= 0 ? fd : TEMP_FAILURE_RETRY (open (path, O_RDONLY | flags));
}

static gboolean
is_still_there (BoxConfigFile *file)
{
  struct stat st;

  return fstat (file->fd, &file->st) == 0 && stat (file->path, &st) == 0
         && st.st_dev == file->st.st_dev && st.st_ino == file->st.st_ino;
}

static gboolean
acquire (BoxConfigFile *file, GCancellable *cancellable, GError **error)
{
  for (;;)
    {
      file->fd = open_for_lock (file->path);
      if (file->fd < 0)
        return set_unreadable (error, file, file->path, errno);
      while (flock (file->fd, LOCK_EX | LOCK_NB) != 0)
        {
          if (errno != EWOULDBLOCK && errno != EINTR)
            return set_errno (error, file, "it cannot be locked", errno);
          if (!box_call_sleep (LOCK_POLL, cancellable, error))
            return FALSE;
        }
      if (is_still_there (file))
        return TRUE;
      close (file->fd);
    }
}

static gboolean
load (BoxConfigFile *file, GError **error)
{
  g_autofree char *hash = NULL;

  g_clear_pointer (&file->config, box_auth_config_free);
  g_clear_pointer (&file->next_path, g_free);
  file->config = box_auth_config_load (file->origin, file->path, BOX_AUTH_CONFIG_RENEW, error);
  if (file->config == NULL)
    return FALSE;
  if (file->config->kind != BOX_AUTH_REFRESH_TOKEN)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "%s has just been changed",
                   file->config->label);
      return FALSE;
    }
  hash = box_digest_secret (G_CHECKSUM_SHA256, file->config->refresh_token);
  file->next_path = g_strdup_printf ("%s/.%s.%.16s.new", file->directory, file->base, hash);
  return TRUE;
}

/* Whether a writer that died has left a whole replacement, of the same owner. */
static gboolean
find_replacement (BoxConfigFile *file)
{
  g_autoptr (BoxAuthConfig) config = NULL;
  struct stat st;

  if (lstat (file->next_path, &st) != 0 || !S_ISREG (st.st_mode)
      || (st.st_uid != file->st.st_uid && st.st_uid != geteuid ()))
    return FALSE;
  config = box_auth_config_load (file->origin, file->next_path, BOX_AUTH_CONFIG_RENEW, NULL);
  return config != NULL && config->kind == BOX_AUTH_REFRESH_TOKEN;
}

static gboolean
put_in_place (BoxConfigFile *file, int fd, const char *text, GError **error)
{
  gsize length = text != NULL ? strlen (text) : 0;

  if (box_fileio_put_in_place (fd, file->next_path, file->path, text, length, error))
    return TRUE;
  g_prefix_error (error, "%s “%s” holds a refresh token, which is replaced at every use. ",
                  file->origin, file->path);
  return FALSE;
}

/* Replacements of tokens that are no longer in the file: somebody has put another configuration
 * there since. */
static void
remove_strays (BoxConfigFile *file)
{
  g_autofree char *prefix = g_strdup_printf (".%s.", file->base);
  g_autofree char *mine = g_path_get_basename (file->next_path);
  GDir *dir = g_dir_open (file->directory, 0, NULL);
  const char *name;

  if (dir == NULL)
    return;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (file->directory, name, NULL);

      if (strlen (name) == strlen (mine) && g_str_has_prefix (name, prefix)
          && g_str_has_suffix (name, ".new"))
        unlink (path);
    }
  g_dir_close (dir);
}

/* After a replacement took the file's place: the lock has to be on the new file. */
static gboolean
lock_anew (BoxConfigFile *file, GCancellable *cancellable, GError **error)
{
  forget_kept (file->next_path);
  close (file->fd);
  return acquire (file, cancellable, error) && load (file, error);
}

static gboolean
recover (BoxConfigFile *file, GCancellable *cancellable, GError **error)
{
  int fd = TEMP_FAILURE_RETRY (open (file->next_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  gboolean replaced;

  if (fd < 0)
    return set_errno (error, file, "its replacement cannot be opened", errno);
  replaced = put_in_place (file, fd, NULL, error);
  close (fd);
  return replaced && lock_anew (file, cancellable, error);
}

static void
close_replacement (BoxConfigFile *file)
{
  if (file->next_fd < 0)
    return;
  if (!file->written)
    unlink (file->next_path);
  close (file->next_fd);
  file->next_fd = -1;
  file->written = FALSE;
}

/* Writes what this process has in memory since it could not be written. If it still cannot, it is
 * what the file would say. */
static gboolean
take_up_kept (BoxConfigFile *file, GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxSecret) text = dup_kept (file);
  BoxAuthConfig *config;

  if (text == NULL)
    return TRUE;
  if (box_config_file_prepare (file, NULL) && box_config_file_replace (file, text, NULL))
    {
      close_replacement (file);
      return lock_anew (file, cancellable, error);
    }
  close_replacement (file);
  config = box_auth_config_parse (file->config->label, text, strlen (text), error);
  box_auth_config_free (file->config);
  file->config = config;
  return config != NULL;
}

BoxConfigFile *
box_config_file_lock (const char *origin, const char *path, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (BoxConfigFile) file = g_new0 (BoxConfigFile, 1);

  file->origin = g_strdup (origin);
  file->fd = -1;
  file->next_fd = -1;
  if (!resolve (file, path, error) || !acquire (file, cancellable, error) || !load (file, error))
    return NULL;
  if (find_replacement (file) && !recover (file, cancellable, error))
    return NULL;
  remove_strays (file);
  if (!take_up_kept (file, cancellable, error))
    return NULL;
  return g_steal_pointer (&file);
}

void
box_config_file_unlock (BoxConfigFile *file)
{
  if (file == NULL)
    return;
  close_replacement (file);
  /* Ends the lock, too. */
  if (file->fd >= 0)
    close (file->fd);
  box_auth_config_free (file->config);
  g_free (file->origin);
  g_free (file->path);
  g_free (file->directory);
  g_free (file->base);
  g_free (file->next_path);
  g_free (file);
}

const BoxAuthConfig *
box_config_file_get_config (BoxConfigFile *file)
{
  return file->config;
}

gboolean
box_config_file_prepare (BoxConfigFile *file, GError **error)
{
  int fd = TEMP_FAILURE_RETRY (
      open (file->next_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));

  if (fd < 0)
    return set_errno (error, file, "its directory does not take the replacement", errno);
  file->next_fd = fd;

  /* Only root can give files away; without that the file becomes the writer's. */
  if (fchown (fd, file->st.st_uid, file->st.st_gid) != 0 && errno != EPERM)
    return set_errno (error, file, "its owner cannot be kept", errno);
  if (fchmod (fd, file->st.st_mode & 0777) != 0)
    return set_errno (error, file, "its mode cannot be kept", errno);
  if (TEMP_FAILURE_RETRY (fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, BOX_AUTH_CONFIG_LIMIT)) != 0
      && errno != EOPNOTSUPP && errno != ENOSYS)
    return set_errno (error, file, "there is no room for the replacement", errno);
  return TRUE;
}

/* With a new file: a disk that failed once may take it, and this process may be about to end. */
static gboolean
replace_afresh (BoxConfigFile *file, const char *text)
{
  if (!box_fileio_replace (file->path, text, strlen (text), file->st.st_mode & 0777, NULL))
    return FALSE;
  if (chown (file->path, file->st.st_uid, file->st.st_gid) != 0)
    g_debug ("The owner of “%s” was not kept", file->path);
  unlink (file->next_path);
  return TRUE;
}

gboolean
box_config_file_replace (BoxConfigFile *file, const char *text, GError **error)
{
  gboolean replaced;

  /* Its content tells whether it is whole. */
  file->written = TRUE;
  replaced = put_in_place (file, file->next_fd, text, error);
  if (!replaced && replace_afresh (file, text))
    {
      g_clear_error (error);
      return TRUE;
    }
  /* Gives back what was reserved and not used; only room is lost if that fails. */
  if (!replaced)
    keep (file, text);
  else if (ftruncate (file->next_fd, (off_t) strlen (text)) != 0)
    g_debug ("The room reserved for “%s” was not given back", file->path);
  return replaced;
}

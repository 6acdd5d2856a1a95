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
keep (BoxConfigFile *store, const char *text)
{
  g_mutex_lock (&kept_lock);
  if (kept == NULL)
    kept =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) box_secret_free);
  g_hash_table_insert (kept, g_strdup (store->next_path), g_strdup (text));
  g_mutex_unlock (&kept_lock);
}

static char *
dup_kept (BoxConfigFile *store)
{
  char *text = NULL;

  g_mutex_lock (&kept_lock);
  if (kept != NULL)
    text = g_strdup (g_hash_table_lookup (kept, store->next_path));
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
set_errno (GError **error, BoxConfigFile *store, const char *what, int saved_errno)
{
  g_set_error (error, BOX_ERROR,
               saved_errno == ENOSPC || saved_errno == EDQUOT ? BOX_ERROR_SPACE : BOX_ERROR_STORAGE,
               "%s “%s” holds a refresh token, which is replaced at every use, and %s: %s",
               store->origin, store->path, what, g_strerror (saved_errno));
  return FALSE;
}

/* It was there before. */
static gboolean
set_unreadable (GError **error, BoxConfigFile *store, const char *path, int saved_errno)
{
  g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "%s “%s” cannot be read: %s", store->origin,
               path, g_strerror (saved_errno));
  return FALSE;
}

static gboolean
resolve (BoxConfigFile *store, const char *path, GError **error)
{
  char *resolved = realpath (path, NULL);

  if (resolved == NULL)
    return set_unreadable (error, store, path, errno);
  store->path = g_strdup (resolved);
  free (resolved);
  store->directory = g_path_get_dirname (store->path);
  store->base = g_path_get_basename (store->path);
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
is_still_there (BoxConfigFile *store)
{
  struct stat st;

  return fstat (store->fd, &store->st) == 0 && stat (store->path, &st) == 0
         && st.st_dev == store->st.st_dev && st.st_ino == store->st.st_ino;
}

static gboolean
acquire (BoxConfigFile *store, GCancellable *cancellable, GError **error)
{
  for (;;)
    {
      store->fd = open_for_lock (store->path);
      if (store->fd < 0)
        return set_unreadable (error, store, store->path, errno);
      while (flock (store->fd, LOCK_EX | LOCK_NB) != 0)
        {
          if (errno != EWOULDBLOCK && errno != EINTR)
            return set_errno (error, store, "it cannot be locked", errno);
          if (!box_call_sleep (LOCK_POLL, cancellable, error))
            return FALSE;
        }
      if (is_still_there (store))
        return TRUE;
      close (store->fd);
    }
}

static gboolean
load (BoxConfigFile *store, GError **error)
{
  g_autofree char *hash = NULL;

  g_clear_pointer (&store->config, box_auth_config_free);
  g_clear_pointer (&store->next_path, g_free);
  store->config = box_auth_config_load (store->origin, store->path, BOX_AUTH_CONFIG_RENEW, error);
  if (store->config == NULL)
    return FALSE;
  if (store->config->kind != BOX_AUTH_REFRESH_TOKEN)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "%s has just been changed",
                   store->config->label);
      return FALSE;
    }
  hash = box_digest_secret (G_CHECKSUM_SHA256, store->config->refresh_token);
  store->next_path = g_strdup_printf ("%s/.%s.%.16s.new", store->directory, store->base, hash);
  return TRUE;
}

/* Whether a writer that died has left a whole replacement, of the same owner. */
static gboolean
find_replacement (BoxConfigFile *store)
{
  g_autoptr (BoxAuthConfig) config = NULL;
  struct stat st;

  if (lstat (store->next_path, &st) != 0 || !S_ISREG (st.st_mode)
      || (st.st_uid != store->st.st_uid && st.st_uid != geteuid ()))
    return FALSE;
  config = box_auth_config_load (store->origin, store->next_path, BOX_AUTH_CONFIG_RENEW, NULL);
  return config != NULL && config->kind == BOX_AUTH_REFRESH_TOKEN;
}

static gboolean
put_in_place (BoxConfigFile *store, int fd, const char *text, GError **error)
{
  gsize length = text != NULL ? strlen (text) : 0;

  if (box_fileio_put_in_place (fd, store->next_path, store->path, text, length, error))
    return TRUE;
  g_prefix_error (error, "%s “%s” holds a refresh token, which is replaced at every use. ",
                  store->origin, store->path);
  return FALSE;
}

/* Replacements of tokens that are no longer in the file: somebody has put another configuration
 * there since. */
static void
remove_strays (BoxConfigFile *store)
{
  g_autofree char *prefix = g_strdup_printf (".%s.", store->base);
  g_autofree char *mine = g_path_get_basename (store->next_path);
  GDir *dir = g_dir_open (store->directory, 0, NULL);
  const char *name;

  if (dir == NULL)
    return;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (store->directory, name, NULL);

      if (strlen (name) == strlen (mine) && g_str_has_prefix (name, prefix)
          && g_str_has_suffix (name, ".new"))
        unlink (path);
    }
  g_dir_close (dir);
}

/* After a replacement took the file's place: the lock has to be on the new file. */
static gboolean
lock_anew (BoxConfigFile *store, GCancellable *cancellable, GError **error)
{
  forget_kept (store->next_path);
  close (store->fd);
  return acquire (store, cancellable, error) && load (store, error);
}

static gboolean
recover (BoxConfigFile *store, GCancellable *cancellable, GError **error)
{
  int fd = TEMP_FAILURE_RETRY (open (store->next_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  gboolean replaced;

  if (fd < 0)
    return set_errno (error, store, "its replacement cannot be opened", errno);
  replaced = put_in_place (store, fd, NULL, error);
  close (fd);
  return replaced && lock_anew (store, cancellable, error);
}

static void
close_replacement (BoxConfigFile *store)
{
  if (store->next_fd < 0)
    return;
  if (!store->written)
    unlink (store->next_path);
  close (store->next_fd);
  store->next_fd = -1;
  store->written = FALSE;
}

/* Writes what this process has in memory since it could not be written. If it still cannot, it is
 * what the file would say. */
static gboolean
take_up_kept (BoxConfigFile *store, GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxSecret) text = dup_kept (store);
  BoxAuthConfig *config;

  if (text == NULL)
    return TRUE;
  if (box_config_file_prepare (store, NULL) && box_config_file_replace (store, text, NULL))
    {
      close_replacement (store);
      return lock_anew (store, cancellable, error);
    }
  close_replacement (store);
  config = box_auth_config_parse (store->config->label, text, strlen (text), error);
  box_auth_config_free (store->config);
  store->config = config;
  return config != NULL;
}

BoxConfigFile *
box_config_file_lock (const char *origin, const char *path, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (BoxConfigFile) store = g_new0 (BoxConfigFile, 1);

  store->origin = g_strdup (origin);
  store->fd = -1;
  store->next_fd = -1;
  if (!resolve (store, path, error) || !acquire (store, cancellable, error) || !load (store, error))
    return NULL;
  if (find_replacement (store) && !recover (store, cancellable, error))
    return NULL;
  remove_strays (store);
  if (!take_up_kept (store, cancellable, error))
    return NULL;
  return g_steal_pointer (&store);
}

void
box_config_file_unlock (BoxConfigFile *store)
{
  if (store == NULL)
    return;
  close_replacement (store);
  /* Ends the lock, too. */
  if (store->fd >= 0)
    close (store->fd);
  box_auth_config_free (store->config);
  g_free (store->origin);
  g_free (store->path);
  g_free (store->directory);
  g_free (store->base);
  g_free (store->next_path);
  g_free (store);
}

const BoxAuthConfig *
box_config_file_get_config (BoxConfigFile *store)
{
  return store->config;
}

gboolean
box_config_file_prepare (BoxConfigFile *store, GError **error)
{
  int fd = TEMP_FAILURE_RETRY (
      open (store->next_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));

  if (fd < 0)
    return set_errno (error, store, "its directory does not take the replacement", errno);
  store->next_fd = fd;

  /* Only root can give files away; without that the file becomes the writer's. */
  if (fchown (fd, store->st.st_uid, store->st.st_gid) != 0 && errno != EPERM)
    return set_errno (error, store, "its owner cannot be kept", errno);
  if (fchmod (fd, store->st.st_mode & 0777) != 0)
    return set_errno (error, store, "its mode cannot be kept", errno);
  if (TEMP_FAILURE_RETRY (fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, BOX_AUTH_CONFIG_LIMIT)) != 0
      && errno != EOPNOTSUPP && errno != ENOSYS)
    return set_errno (error, store, "there is no room for the replacement", errno);
  return TRUE;
}

/* With a new file: a disk that failed once may take it, and this process may be about to end. */
static gboolean
replace_afresh (BoxConfigFile *store, const char *text)
{
  if (!box_fileio_replace (store->path, text, strlen (text), store->st.st_mode & 0777, NULL))
    return FALSE;
  if (chown (store->path, store->st.st_uid, store->st.st_gid) != 0)
    g_debug ("The owner of “%s” was not kept", store->path);
  unlink (store->next_path);
  return TRUE;
}

gboolean
box_config_file_replace (BoxConfigFile *store, const char *text, GError **error)
{
  gboolean replaced;

  /* Its content tells whether it is whole. */
  store->written = TRUE;
  replaced = put_in_place (store, store->next_fd, text, error);
  if (!replaced && replace_afresh (store, text))
    {
      g_clear_error (error);
      return TRUE;
    }
  /* Gives back what was reserved and not used; only room is lost if that fails. */
  if (!replaced)
    keep (store, text);
  else if (ftruncate (store->next_fd, (off_t) strlen (text)) != 0)
    g_debug ("The room reserved for “%s” was not given back", store->path);
  return replaced;
}

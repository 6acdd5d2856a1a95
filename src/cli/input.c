/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"

/* Bytes that are read at a time to be hashed. */
#define PIECE 262144

static gboolean
check_cancelled (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Interrupted");
  return FALSE;
}

/* Until @fd has something, or @cancellable is cancelled. */
static void
wait_for (int fd, GCancellable *cancellable)
{
  GPollFD fds[2] = { { .fd = fd, .events = G_IO_IN | G_IO_HUP | G_IO_ERR } };
  gboolean can_cancel = g_cancellable_make_pollfd (cancellable, &fds[1]);

  /* A signal ends the poll before it cancels: a FIFO without a writer would look ended. */
  while (g_poll (fds, can_cancel ? 2 : 1, -1) < 0 && errno == EINTR)
    continue;
  if (can_cancel)
    g_cancellable_release_fd (cancellable);
}

gboolean
cli_input_read (int fd, const char *name, guint8 *buffer, gsize length, gsize *n,
                GCancellable *cancellable, GError **error)
{
  gssize got;

  *n = 0;
  do
    {
      wait_for (fd, cancellable);
      if (!check_cancelled (cancellable, error))
        return FALSE;
      got = read (fd, buffer, length);
    }
  while (got < 0 && (errno == EINTR || errno == EAGAIN));
  if (got < 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "%s cannot be read: %s", name,
                   g_strerror (errno));
      return FALSE;
    }
  *n = (gsize) got;
  return TRUE;
}

static gboolean
digest_all (int fd, const char *name, BoxDigest *digest, guint64 *size, GCancellable *cancellable,
            GError **error)
{
  g_autofree guint8 *buffer = g_malloc (PIECE);
  gsize n;

  *size = 0;
  do
    {
      if (!cli_input_read (fd, name, buffer, PIECE, &n, cancellable, error))
        return FALSE;
      box_digest_update (digest, buffer, n);
      *size += n;
    }
  while (n > 0);
  return TRUE;
}

gboolean
cli_input_digest (const char *path, BoxSha1 *sha1, guint64 *size, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  g_autofree char *shown = g_filename_display_name (path);
  int fd = TEMP_FAILURE_RETRY (open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  gboolean done;

  if (fd < 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "%s cannot be read: %s", shown,
                   g_strerror (errno));
      return FALSE;
    }
  done = digest_all (fd, shown, digest, size, cancellable, error);
  close (fd);
  box_digest_finish (digest, sha1);
  return done;
}

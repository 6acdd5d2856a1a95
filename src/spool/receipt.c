/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/note.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fileio.h"

#define SUFFIX ".journal"

/* Longer than any session lasts. Seconds. */
#define LIFE (30 * 24 * 3600)

/* The journal of a session of BOX_SESSION_MAX_PARTS parts is below this; a larger file is not one
 * of ours. Bytes. */
#define MAX_SIZE (256 << 20)

struct _BoxReceipt
{
  /* immutable */
  char *path;
  int fd; /* locked */
  BoxRecordingIntent intent;
  BoxJournalState *state; /* at the beginning */

  GMutex lock;
  /* with lock */
  gboolean is_begun; /* it has the intent */
  gboolean commit_begun;
  char *session_id; /* the last one; nullable */
  gboolean removed;
  gboolean failed; /* it could not be written: it is left as it was */
};

/* ---- the file ---- */

static char *
receipts_dir (void)
{
  return g_build_filename (g_get_user_state_dir (), "boxupload", "uploads", NULL);
}

/* The name of the receipt: a digest of what it is about. */
static char *
find_path (const char *dir, const char *endpoint, const BoxRecordingIntent *intent,
           const struct stat *file)
{
  g_autofree char *uri = box_destination_to_uri (intent->destination);
  g_autofree char *key = g_strdup_printf (
      "1\n%s\n%s\n%s\n%u\n%" G_GUINT64_FORMAT "\n%" G_GUINT64_FORMAT "\n%" G_GINT64_FORMAT ".%09ld",
      endpoint, uri != NULL ? uri : "-",
      intent->destination->file_id != NULL ? intent->destination->file_id : "-", intent->if_exists,
      (guint64) file->st_ino, (guint64) file->st_size, (gint64) file->st_mtim.tv_sec,
      file->st_mtim.tv_nsec);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, key, -1);
  g_autofree char *name = g_strconcat (digest, SUFFIX, NULL);

  return g_build_filename (dir, name, NULL);
}

static void
forget_old (const char *dir)
{
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const char *name;

  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      GStatBuf status;

      if (g_str_has_suffix (name, SUFFIX) && g_stat (path, &status) == 0
          && now - status.st_mtime > LIFE)
        g_unlink (path);
    }
}

/* The locked file @path; -1: none. One that was removed while its lock was waited for is not the
 * file of that name any more. */
static int
open_locked (const char *path)
{
  for (guint i = 0; i < 3; i++)
    {
      struct stat status;
      int fd = TEMP_FAILURE_RETRY (
          open (path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));

      if (fd < 0)
        return -1;
      if (!box_fileio_lock (fd, path, NULL) || fstat (fd, &status) < 0 || !S_ISREG (status.st_mode))
        {
          close (fd);
          return -1;
        }
      if (status.st_nlink > 0)
        return fd;
      close (fd);
    }
  return -1;
}

/* What the file says; a torn last line is cut off. NULL: it cannot be read. */
static BoxJournalState *
read_state (int fd, const char *path)
{
  g_autoptr (BoxJournalState) state = NULL;
  g_autofree char *data = NULL;
  struct stat status;
  gsize size;

  if (fstat (fd, &status) < 0 || status.st_size > MAX_SIZE)
    return NULL;
  size = (gsize) status.st_size;
  data = g_malloc (size + 1);
  if (!box_fileio_read (fd, path, 0, (guint8 *) data, size, NULL))
    return NULL;
  state = box_journal_replay (data, size);
  /* Of a later version, or another's upload: it is left alone, or made anew. */
  if (state->foreign_version != 0)
    return NULL;
  if (state->valid_length < size && ftruncate (fd, (off_t) state->valid_length) < 0)
    return NULL;
  return g_steal_pointer (&state);
}

/* ---- life ---- */

BoxReceipt *
box_receipt_open (const char *endpoint, const BoxDestination *destination, BoxIfExists if_exists,
                  const struct stat *file)
{
  g_autoptr (BoxReceipt) receipt = NULL;
  g_autofree char *dir = receipts_dir ();

  g_return_val_if_fail (destination->kind != BOX_DESTINATION_SESSION, NULL);
  if (g_mkdir_with_parents (dir, 0700) < 0)
    return NULL;
  forget_old (dir);
  receipt = g_new0 (BoxReceipt, 1);
  receipt->fd = -1;
  g_mutex_init (&receipt->lock);
  receipt->intent = (BoxRecordingIntent){
    .destination = box_destination_copy (destination),
    .sizing = BOX_SIZING_EXACT,
    .size = (guint64) file->st_size,
    .padding = BOX_PADDING_NONE,
    .if_exists = if_exists,
    .commit = TRUE,
    .created = g_get_real_time () / G_USEC_PER_SEC,
  };
  receipt->path = find_path (dir, endpoint, &receipt->intent, file);
  receipt->fd = open_locked (receipt->path);
  if (receipt->fd >= 0)
    receipt->state = read_state (receipt->fd, receipt->path);
  if (receipt->state == NULL)
    return NULL;
  receipt->is_begun = receipt->state->intent != NULL;
  receipt->commit_begun = receipt->state->commit_begun;
  if (receipt->state->session != NULL)
    receipt->session_id = g_strdup (receipt->state->session->id);
  return g_steal_pointer (&receipt);
}

const BoxJournalState *
box_receipt_get_state (BoxReceipt *receipt)
{
  return receipt->state;
}

void
box_receipt_free (BoxReceipt *receipt)
{
  if (receipt == NULL)
    return;
  if (receipt->state != NULL && !receipt->is_begun && !receipt->removed)
    g_unlink (receipt->path);
  if (receipt->fd >= 0)
    close (receipt->fd);
  g_clear_pointer (&receipt->state, box_journal_state_free);
  box_destination_free (receipt->intent.destination);
  g_mutex_clear (&receipt->lock);
  g_free (receipt->session_id);
  g_free (receipt->path);
  g_free (receipt);
}

/* ---- appending ---- */

static void
append_locked (BoxReceipt *receipt, const char *line)
{
  gsize length = strlen (line);

  if (receipt->failed || receipt->removed)
    return;
  /* Appended in one write: a line that is cut is not believed. */
  if (write (receipt->fd, line, length) == (gssize) length)
    return;
  g_info ("The receipt “%s” cannot be written: %s", receipt->path, g_strerror (errno));
  receipt->failed = TRUE;
}

/* @line: taken. @durably: worth a sync: to know it saves more than a part. */
static void
append (BoxReceipt *receipt, char *line, gboolean durably)
{
  g_autofree char *taken = line;

  g_mutex_lock (&receipt->lock);
  if (!receipt->is_begun)
    {
      g_autofree char *first = box_journal_format_intent (&receipt->intent);

      append_locked (receipt, first);
      receipt->is_begun = TRUE;
    }
  append_locked (receipt, taken);
  g_mutex_unlock (&receipt->lock);
  if (durably)
    box_fileio_sync (receipt->fd, receipt->path, NULL);
}

void
box_receipt_set_session (BoxReceipt *receipt, const BoxSession *session, guint64 size)
{
  gboolean known;

  g_mutex_lock (&receipt->lock);
  known = g_strcmp0 (receipt->session_id, session->id) == 0;
  g_free (receipt->session_id);
  receipt->session_id = g_strdup (session->id);
  g_mutex_unlock (&receipt->lock);
  /* Its parts stay known. */
  if (!known)
    append (receipt, box_journal_format_session (session, size), TRUE);
}

void
box_receipt_add_part (BoxReceipt *receipt, const BoxPart *part)
{
  g_autofree char *session_id = NULL;

  g_mutex_lock (&receipt->lock);
  session_id = g_strdup (receipt->session_id);
  g_mutex_unlock (&receipt->lock);
  if (session_id != NULL && part->has_sha1)
    append (receipt, box_journal_format_part (session_id, part), FALSE);
}

void
box_receipt_set_committing (BoxReceipt *receipt)
{
  g_mutex_lock (&receipt->lock);
  receipt->commit_begun = TRUE;
  g_mutex_unlock (&receipt->lock);
  append (receipt, box_journal_format_committing (), TRUE);
}

gboolean
box_receipt_is_commit_begun (BoxReceipt *receipt)
{
  gboolean begun;

  g_mutex_lock (&receipt->lock);
  begun = receipt->commit_begun;
  g_mutex_unlock (&receipt->lock);
  return begun;
}

void
box_receipt_remove (BoxReceipt *receipt)
{
  g_mutex_lock (&receipt->lock);
  if (!receipt->removed)
    g_unlink (receipt->path);
  receipt->removed = TRUE;
  g_mutex_unlock (&receipt->lock);
}

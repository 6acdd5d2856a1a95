/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/data-file.h"

#include "base/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Bytes after which the kernel is asked to begin writing. A power cut then takes seconds, not the
 * half minute that dirty pages may stay, and the syncs at parts and at the end have little to do.
 */
#define WRITE_BEHIND (G_GUINT64_CONSTANT (8) << 20)

/* From this size on a write is cheaper without the copy into a run. Bytes. */
#define LARGE_WRITE (BOX_RUN_SIZE / 2)

/* The flusher writes runs that are so little younger than they may be together with the one that
 * is due: hundreds of recordings wake it no more than 40 times a second. Microseconds. */
#define SLACK (25 * G_TIME_SPAN_MILLISECOND)

struct _BoxDataFile
{
  /* immutable */
  int fd;
  char *path;

  /* the writing thread */
  guint64 written_behind;

  /* atomic, written with lock: reading it never waits for the disk */
  guint64 size;

  GMutex syncing; /* taken before lock */
  /* with syncing: the kernel reports a failure to write back once, to one caller */
  GError *sync_failure; /* of the first sync that failed; NULL: none has */

  GMutex lock;
  /* with lock */
  guint64 synced;     /* the first bytes that are known to be on disk */
  guint64 changed;    /* the first byte that was written or cut off since a sync began */
  guint8 *run;        /* BOX_RUN_SIZE bytes; NULL before the first small write */
  guint64 run_offset; /* in the file */
  gsize run_length;
  gint64 run_began;   /* monotonic */
  gboolean scheduled; /* the flusher will look at the run */

  /* with the flusher's lock */
  gint64 due;     /* monotonic */
  gboolean hurry; /* whatever its run's age */
};

static gboolean
flush_locked (BoxDataFile *file, GError **error)
{
  if (file->run_length > 0
      && !box_fileio_write (file->fd, file->path, file->run_offset, file->run, file->run_length,
                            error))
    return FALSE;
  file->run_length = 0;
  return TRUE;
}

/* --- The flusher ---------------------------------------------------------------------------- */

/* A thread that writes out what has waited, while there is any. Its lock may be taken with a
 * file's, never the other way round. */
static struct
{
  GMutex lock;
  GCond changed;
  /* with lock */
  GPtrArray *files; /* scheduled; not owned */
  BoxDataFile *at;  /* looked at now */
  gint64 until;     /* when it looks again, monotonic; 0: it looks now */
  gboolean runs;
} flusher;

/* Writes the run, unless it is younger than it may be. Returns when to look again, 0: not before
 * the next run is begun. After a run another is expected, so that a steady stream does not have to
 * call the flusher for each. After a failure the run stays, and the next write meets it again. */
static gint64
flush_if_due (BoxDataFile *file, gboolean hurry)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&file->lock);
  gint64 now = g_get_monotonic_time ();

  if (!hurry && file->run_length > 0 && file->run_began + BOX_RUN_AGE > now + SLACK)
    return file->run_began + BOX_RUN_AGE;
  if (file->run_length > 0 && flush_locked (file, NULL))
    return now + BOX_RUN_AGE;
  file->scheduled = FALSE;
  return 0;
}

/* The file that is due first; NULL: no file. */
static BoxDataFile *
find_first_locked (void)
{
  BoxDataFile *first = NULL;

  for (guint i = 0; i < flusher.files->len; i++)
    {
      BoxDataFile *file = g_ptr_array_index (flusher.files, i);

      if (first == NULL || file->due < first->due)
        first = file;
    }
  return first;
}

static gpointer
run_flusher (gpointer data)
{
  BoxDataFile *file;
  gint64 woken = 0;

  g_mutex_lock (&flusher.lock);
  while ((file = find_first_locked ()) != NULL)
    {
      gboolean hurry = file->hurry;
      gint64 again;

      if (file->due > woken + SLACK)
        {
          flusher.until = file->due;
          g_cond_wait_until (&flusher.changed, &flusher.lock, file->due);
          woken = g_get_monotonic_time ();
          flusher.until = 0;
          continue;
        }
      g_ptr_array_remove_fast (flusher.files, file);
      flusher.at = file;
      file->hurry = FALSE;
      g_mutex_unlock (&flusher.lock);
      again = flush_if_due (file, hurry);
      g_mutex_lock (&flusher.lock);
      flusher.at = NULL;
      file->due = file->hurry ? 0 : again;
      if (again != 0)
        g_ptr_array_add (flusher.files, file);
      g_cond_broadcast (&flusher.changed);
    }
  flusher.runs = FALSE;
  g_mutex_unlock (&flusher.lock);
  return NULL;
}

/* Whether the flusher will look at @file by its run's age. */
static gboolean
schedule (BoxDataFile *file)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&flusher.lock);

  if (!flusher.runs)
    {
      GThread *thread = g_thread_try_new ("box-flusher", run_flusher, NULL, NULL);

      if (thread == NULL)
        return FALSE;
      g_thread_unref (thread);
      flusher.runs = TRUE;
    }
  if (flusher.files == NULL)
    flusher.files = g_ptr_array_new ();
  file->due = file->run_began + BOX_RUN_AGE;
  file->hurry = FALSE;
  g_ptr_array_add (flusher.files, file);
  if (file->due < flusher.until)
    g_cond_broadcast (&flusher.changed);
  return TRUE;
}

static void
unschedule (BoxDataFile *file)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&flusher.lock);

  while (flusher.at == file)
    g_cond_wait (&flusher.changed, &flusher.lock);
  if (flusher.files != NULL)
    g_ptr_array_remove_fast (flusher.files, file);
  g_cond_broadcast (&flusher.changed);
}

/* --- The file ------------------------------------------------------------------------------- */

BoxDataFile *
box_data_file_new (int fd, const char *path, guint64 size)
{
  BoxDataFile *file = g_new0 (BoxDataFile, 1);

  file->fd = fd;
  file->path = g_strdup (path);
  file->size = size;
  g_mutex_init (&file->syncing);
  g_mutex_init (&file->lock);
  return file;
}

void
box_data_file_free (BoxDataFile *file)
{
  if (file == NULL)
    return;
  unschedule (file);
  (void) flush_locked (file, NULL);
  close (file->fd);
  g_clear_error (&file->sync_failure);
  g_mutex_clear (&file->syncing);
  g_mutex_clear (&file->lock);
  g_free (file->run);
  g_free (file->path);
  g_free (file);
}

guint64
box_data_file_get_size (BoxDataFile *file)
{
  return __atomic_load_n (&file->size, __ATOMIC_ACQUIRE);
}

static void
append_locked (BoxDataFile *file, gconstpointer data, gsize length)
{
  memcpy (file->run + file->run_length, data, length);
  file->run_length += length;
}

/* Writes bytes that do not continue the present run. */
static gboolean
begin_run_locked (BoxDataFile *file, guint64 offset, gconstpointer data, gsize length,
                  GError **error)
{
  if (!flush_locked (file, error))
    return FALSE;
  if (length >= LARGE_WRITE)
    return box_fileio_write (file->fd, file->path, offset, data, length, error);
  if (file->run == NULL)
    file->run = g_malloc (BOX_RUN_SIZE);
  file->run_offset = offset;
  file->run_began = g_get_monotonic_time ();
  append_locked (file, data, length);
  if (!file->scheduled)
    file->scheduled = schedule (file);
  return file->scheduled || flush_locked (file, error);
}

static gboolean
write_locked (BoxDataFile *file, guint64 offset, gconstpointer data, gsize length, GError **error)
{
  gboolean follows = file->run_length > 0 && offset == file->run_offset + file->run_length
                     && file->run_length + length <= BOX_RUN_SIZE;

  if (follows)
    append_locked (file, data, length);
  else if (!begin_run_locked (file, offset, data, length, error))
    return FALSE;
  file->synced = MIN (file->synced, offset);
  file->changed = MIN (file->changed, offset);
  __atomic_store_n (&file->size, MAX (file->size, offset + length), __ATOMIC_RELEASE);
  return TRUE;
}

gboolean
box_data_file_write (BoxDataFile *file, guint64 offset, gconstpointer data, gsize length,
                     GError **error)
{
  gboolean ok;

  g_mutex_lock (&file->lock);
  ok = write_locked (file, offset, data, length, error);
  g_mutex_unlock (&file->lock);
  if (ok && file->size >= file->written_behind + WRITE_BEHIND)
    {
      (void) sync_file_range (file->fd, (off_t) file->written_behind,
                              (off_t) (file->size - file->written_behind), SYNC_FILE_RANGE_WRITE);
      file->written_behind = file->size;
    }
  return ok;
}

gboolean
box_data_file_truncate (BoxDataFile *file, guint64 size, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&file->lock);

  file->run_length = (gsize) MIN (file->run_length, size - MIN (size, file->run_offset));
  if (TEMP_FAILURE_RETRY (ftruncate (file->fd, (off_t) size)) != 0)
    {
      box_fileio_set_error (error, errno, "write", file->path);
      return FALSE;
    }
  file->written_behind = MIN (file->written_behind, size);
  file->synced = MIN (file->synced, size);
  file->changed = MIN (file->changed, size);
  __atomic_store_n (&file->size, size, __ATOMIC_RELEASE);
  return TRUE;
}

gboolean
box_data_file_read (BoxDataFile *file, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  gboolean ok = TRUE;

  g_mutex_lock (&file->lock);
  if (offset + length > file->run_offset && offset < file->run_offset + file->run_length)
    ok = flush_locked (file, error);
  g_mutex_unlock (&file->lock);
  return ok && box_fileio_read (file->fd, file->path, offset, buffer, length, error);
}

gboolean
box_data_file_flush (BoxDataFile *file, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&file->lock);

  return flush_locked (file, error);
}

void
box_data_file_flush_soon (BoxDataFile *file)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&flusher.lock);

  file->due = 0;
  file->hurry = TRUE;
  g_cond_broadcast (&flusher.changed);
}

/* Hands the run to the kernel before a sync. @size: (out): what the sync will cover. @done: (out):
 * @needed bytes were synced before. */
static gboolean
prepare_sync (BoxDataFile *file, guint64 needed, guint64 *size, gboolean *done, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&file->lock);

  *size = file->size;
  *done = file->synced >= MIN (needed, *size);
  if (*done)
    return TRUE;
  file->changed = G_MAXUINT64;
  return flush_locked (file, error);
}

gboolean
box_data_file_sync (BoxDataFile *file, guint64 needed, GError **error)
{
  g_autoptr (GMutexLocker) syncing = g_mutex_locker_new (&file->syncing);
  gboolean done = FALSE;
  guint64 size;

  if (!prepare_sync (file, needed, &size, &done, error))
    return FALSE;
  if (done)
    return TRUE;
  if (file->sync_failure != NULL || !box_fileio_sync (file->fd, file->path, &file->sync_failure))
    {
      g_propagate_error (error, g_error_copy (file->sync_failure));
      return FALSE;
    }
  /* What a muxer wrote again meanwhile may not be there. */
  g_mutex_lock (&file->lock);
  file->synced = MIN (size, file->changed);
  g_mutex_unlock (&file->lock);
  return TRUE;
}

BoxPlacing
box_data_file_look (BoxDataFile *file, char **elsewhere)
{
  return box_displaced_look (file->fd, file->path, elsewhere);
}

gboolean
box_data_file_restore (BoxDataFile *file, char **done, GError **error)
{
  g_autoptr (GMutexLocker) syncing = g_mutex_locker_new (&file->syncing);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&file->lock);
  g_autoptr (GError) failure = NULL;

  if (box_displaced_restore (file->fd, file->path, done, &failure))
    return TRUE;
  (void) flush_locked (file, NULL);
  box_displaced_save (file->fd, file->path, &failure);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

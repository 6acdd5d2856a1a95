/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/spool.h"

#include "base/fileio.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* How many bytes may be written here before the directory is measured again: the most by which
 * another process's writing can be overlooked. Measuring is one stat() a recording. */
#define MEASURE_EVERY (G_GUINT64_CONSTANT (16) << 20)

/* A larger journal is not one of ours: 10,000 parts make 2 MB. */
#define JOURNAL_MAX (64 << 20)

#define UNNAMED_SUFFIX BOX_RECORDING_JOURNAL_SUFFIX BOX_RECORDING_UNNAMED_SUFFIX

/* Making a recording takes milliseconds: one that takes longer than this has lost its maker.
 * Seconds. */
#define UNNAMED_SECONDS 60

/* Looking leaves no trace: a descriptor that could have been written would tell everybody who
 * monitors the spool that its file has changed, in place of the recorder that really closes it. */
#define LOOK_FLAGS (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)

struct _BoxSpool
{
  gatomicrefcount ref_count;

  /* immutable */
  char *path;
  guint64 limit;
  BoxForecast *forecast;

  GMutex lock;
  /* with lock */
  guint64 used;       /* when last measured, and what was admitted since */
  guint64 unmeasured; /* admitted since */
};

char *
box_spool_default_path (void)
{
  return g_build_filename (g_get_user_state_dir (), "boxupload", "spool", NULL);
}

/* Nobody else may put a file there. Only the owner of the directory is told of chmod: in a
 * directory of another user, such as /tmp, it would lock others out. */
static gboolean
check_owner (const char *path, const struct stat *info, GError **error)
{
  gboolean shared = (info->st_mode & (S_IWGRP | S_IWOTH)) != 0;

  if (info->st_uid != geteuid () && info->st_uid != 0)
    g_set_error (
        error, BOX_ERROR, BOX_ERROR_STORAGE,
        "The spool %s belongs to user %u: run this as that user, or name another directory", path,
        (guint) info->st_uid);
  else if (shared && info->st_uid == geteuid ())
    g_set_error (
        error, BOX_ERROR, BOX_ERROR_STORAGE,
        "Others can write to the spool %s: if it is for recordings alone, chmod 700 %s; if "
        "not, name another directory",
        path, path);
  else if (shared)
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                 "Others can write to the spool %s: name a directory that is this user's own",
                 path);
  else
    return TRUE;
  return FALSE;
}

/* The spool holds what was recorded, and its journals say where it goes. */
static gboolean
check_directory (const char *path, GError **error)
{
  struct stat info;

  if (stat (path, &info) != 0)
    {
      box_fileio_set_error (error, errno, "use", path);
      return FALSE;
    }
  if (!S_ISDIR (info.st_mode))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                   "The spool %s is not a directory; name another one", path);
      return FALSE;
    }
  if (!check_owner (path, &info, error))
    return FALSE;
  if (access (path, R_OK | W_OK | X_OK) != 0)
    {
      box_fileio_set_error (error, errno, "write to the spool", path);
      return FALSE;
    }
  return TRUE;
}

/* Calls @visit with the path of each file in @path whose name ends in @suffix. */
static gboolean
for_each_file (const char *path, const char *suffix,
               void (*visit) (const char *path, gpointer user_data), gpointer user_data,
               GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &local);
  const char *name;

  if (dir == NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "Cannot read the spool: %s",
                   local->message);
      return FALSE;
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, suffix))
      {
        g_autofree char *file = g_build_filename (path, name, NULL);

        visit (file, user_data);
      }
  return TRUE;
}

static void
add_size (const char *path, gpointer user_data)
{
  guint64 *sum = user_data;
  struct stat info;

  if (stat (path, &info) == 0)
    *sum += (guint64) info.st_size;
}

static void
measure_locked (BoxSpool *spool)
{
  spool->used = 0;
  spool->unmeasured = 0;
  for_each_file (spool->path, BOX_RECORDING_DATA_SUFFIX, add_size, &spool->used, NULL);
}

/* The state that the journal at @path adds up to; @busy: somebody holds it. NULL without error: it
 * is missing. */
static BoxJournalState *
read_state (const char *path, gboolean *busy, GError **error)
{
  g_autofree char *text = NULL;
  struct stat info;
  int fd = TEMP_FAILURE_RETRY (open (path, LOOK_FLAGS));
  gboolean ok = fd >= 0 && fstat (fd, &info) == 0;

  if (fd < 0 && errno == ENOENT)
    return NULL;
  if (!ok)
    box_fileio_set_error (error, errno, "read", path);
  else if (!S_ISREG (info.st_mode) || info.st_size > JOURNAL_MAX)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "Cannot read %s: it is not a journal",
                   path);
      ok = FALSE;
    }
  if (ok)
    {
      text = g_malloc ((gsize) info.st_size + 1);
      *busy = box_fileio_is_locked (fd);
      ok = box_fileio_read (fd, path, 0, (guint8 *) text, (gsize) info.st_size, error);
    }
  if (fd >= 0)
    close (fd);
  return ok ? box_journal_replay (text, (gsize) info.st_size) : NULL;
}

/* Whether @path is a journal that its maker will not come to name any more: one that is just being
 * made is locked, or younger. */
static gboolean
is_abandoned (const char *path)
{
  int fd = TEMP_FAILURE_RETRY (open (path, LOOK_FLAGS));
  struct stat info;
  gboolean abandoned;

  if (fd < 0)
    return FALSE;
  abandoned = fstat (fd, &info) == 0 && !box_fileio_is_locked (fd)
              && info.st_mtime + UNNAMED_SECONDS < g_get_real_time () / G_USEC_PER_SEC;
  close (fd);
  return abandoned;
}

static gboolean
has_intent (const char *journal_path)
{
  gboolean busy;
  g_autoptr (BoxJournalState) state = read_state (journal_path, &busy, NULL);

  return state != NULL && state->intent != NULL;
}

/* A journal without its name is removed with its data file, in which nothing can be yet. Where
 * something is, the machine went down before the name was on disk: it gets it now. */
static void
sweep (const char *path, gpointer user_data)
{
  g_autofree char *stem = g_strndup (path, strlen (path) - strlen (UNNAMED_SUFFIX));
  g_autofree char *data_path = g_strconcat (stem, BOX_RECORDING_DATA_SUFFIX, NULL);
  g_autofree char *journal_path = g_strconcat (stem, BOX_RECORDING_JOURNAL_SUFFIX, NULL);
  struct stat info;

  if (!is_abandoned (path))
    return;
  if (stat (data_path, &info) == 0 && info.st_size > 0)
    {
      if (has_intent (path))
        g_rename (path, journal_path);
      return;
    }
  g_unlink (data_path);
  g_unlink (path);
}

BoxSpool *
box_spool_open (const char *path, guint64 limit, GError **error)
{
  g_autofree char *directory = path != NULL ? g_strdup (path) : box_spool_default_path ();
  BoxSpool *spool;

  if (g_mkdir_with_parents (directory, 0700) != 0)
    {
      box_fileio_set_error (error, errno, "create the spool", directory);
      return NULL;
    }
  if (!check_directory (directory, error))
    return NULL;

  spool = g_new0 (BoxSpool, 1);
  g_atomic_ref_count_init (&spool->ref_count);
  g_mutex_init (&spool->lock);
  spool->path = g_steal_pointer (&directory);
  spool->forecast = box_forecast_take (spool->path);
  spool->limit = limit;
  for_each_file (spool->path, UNNAMED_SUFFIX, sweep, NULL, NULL);
  g_mutex_lock (&spool->lock);
  measure_locked (spool);
  g_mutex_unlock (&spool->lock);
  return spool;
}

BoxSpool *
box_spool_ref (BoxSpool *spool)
{
  g_atomic_ref_count_inc (&spool->ref_count);
  return spool;
}

void
box_spool_unref (BoxSpool *spool)
{
  if (!g_atomic_ref_count_dec (&spool->ref_count))
    return;
  box_forecast_give_back (spool->forecast);
  g_mutex_clear (&spool->lock);
  g_free (spool->path);
  g_free (spool);
}

/* One recording begins at a time: each has opened its files before the next one counts what is
 * free. */
static GMutex beginning;

BoxRecording *
box_spool_record (BoxSpool *spool, const BoxRecordingIntent *intent, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&beginning);

  if (!box_process_check_descriptors (BOX_PROCESS_DESCRIPTORS_TO_BEGIN, "for another recording",
                                      error)
      || !box_spool_admit (spool, 0, error))
    return NULL;
  return box_recording_create (spool->path, intent, error);
}

const char *
box_spool_get_path (const BoxSpool *spool)
{
  return spool->path;
}

char *
box_spool_format_option (const char *path)
{
  g_autofree char *quoted = g_shell_quote (path);

  return g_strconcat (" --spool-dir ", quoted, NULL);
}

char *
box_spool_format_option_for (const char *path)
{
  g_autofree char *directory = path != NULL ? g_path_get_dirname (path) : NULL;

  return directory != NULL ? box_spool_format_option (directory) : NULL;
}

BoxRecording *
box_spool_note (BoxSpool *spool, const BoxRecordingIntent *intent, const BoxFile *file,
                GError **error)
{
  return box_recording_create_errand (spool->path, intent, file, error);
}

gboolean
box_spool_admit (BoxSpool *spool, guint64 bytes, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&spool->lock);

  if (spool->limit == 0)
    return TRUE;
  if (bytes == 0 || spool->unmeasured >= MEASURE_EVERY || spool->used + bytes >= spool->limit)
    measure_locked (spool);
  if (spool->used + bytes > spool->limit || (bytes == 0 && spool->used >= spool->limit))
    {
      g_autofree char *used = g_format_size (spool->used);
      g_autofree char *limit = g_format_size (spool->limit);
      g_autofree char *option = box_spool_format_option (spool->path);

      g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
                   "The spool %s holds %s of at most %s (max-spool): upload what is there with "
                   "\"boxupload resume%s\", or allow more",
                   spool->path, used, limit, option);
      return FALSE;
    }
  spool->used += bytes;
  spool->unmeasured += bytes;
  return TRUE;
}

guint64
box_spool_get_used (BoxSpool *spool)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&spool->lock);

  measure_locked (spool);
  return spool->used;
}

guint64
box_spool_get_room (BoxSpool *spool)
{
  guint64 room = G_MAXUINT64, used;
  struct statvfs disk;

  if (statvfs (spool->path, &disk) == 0)
    room = (guint64) disk.f_bavail * disk.f_frsize;
  if (spool->limit == 0)
    return room;
  used = box_spool_get_used (spool);
  return MIN (room, spool->limit - MIN (used, spool->limit));
}

BoxForecast *
box_spool_get_forecast (BoxSpool *spool)
{
  return spool->forecast;
}

/* Listing */

void
box_spool_entry_free (BoxSpoolEntry *spooled)
{
  g_free (spooled->name);
  g_free (spooled->journal_path);
  g_free (spooled->data_path);
  g_free (spooled->problem);
  box_journal_state_free (spooled->state);
  g_free (spooled);
}

const char *
box_spool_status_to_string (BoxSpoolStatus status)
{
  static const char *const names[] = {
    "in use", "complete", "interrupted", "committed", "unsettled", "kept", "unreadable",
  };

  return names[status];
}

static BoxSpoolStatus
status_of (const BoxSpoolEntry *spooled, gboolean busy)
{
  if (spooled->problem != NULL)
    return BOX_SPOOL_UNREADABLE;
  if (busy)
    return BOX_SPOOL_BUSY;
  if (box_journal_is_unsettled (spooled->state))
    return BOX_SPOOL_UNSETTLED;
  if (spooled->state->kept)
    return BOX_SPOOL_KEPT;
  if (spooled->state->file != NULL)
    return BOX_SPOOL_COMMITTED;
  return box_recording_is_interrupted (spooled->state, spooled->size) ? BOX_SPOOL_INTERRUPTED
                                                                      : BOX_SPOOL_COMPLETE;
}

/* Why the recording cannot be finished from its files; NULL: it can. @unread: (nullable): why its
 * journal could not be read. Free with g_free(). */
static char *
find_problem (const BoxSpoolEntry *spooled, const GError *unread)
{
  if (unread != NULL)
    return g_strdup (unread->message);
  if (spooled->state->foreign_version != 0)
    return g_strdup_printf ("%s is of format %" G_GUINT64_FORMAT
                            ", which this version cannot read: use a newer one",
                            spooled->journal_path, spooled->state->foreign_version);
  if (spooled->state->intent == NULL)
    return g_strdup_printf ("%s does not say where the recording goes: upload %s with "
                            "\"boxupload put\", then remove both",
                            spooled->journal_path, spooled->data_path);
  return NULL;
}

char *
box_spool_describe_loss (const char *data_path, const char *journal_path)
{
  g_autofree char *option = box_spool_format_option_for (data_path);
  g_autofree char *name = box_recording_dup_name (data_path);

  return g_strdup_printf ("The data of this recording is gone: there is no %s, only %s. Put it "
                          "back, or give the recording up with \"boxupload spool rm%s %s\"",
                          data_path, journal_path, option, name);
}

/* Data whose journal is gone. The order of the questions leaves out a recording that is being made
 * or removed: its data is made after the unnamed journal, and removed before the journal. */
static gboolean
is_lone_data (const BoxSpoolEntry *spooled)
{
  g_autofree char *unnamed =
      g_strconcat (spooled->journal_path, BOX_RECORDING_UNNAMED_SUFFIX, NULL);

  return !g_file_test (spooled->journal_path, G_FILE_TEST_EXISTS)
         && g_file_test (spooled->data_path, G_FILE_TEST_EXISTS)
         && (!g_file_test (unnamed, G_FILE_TEST_EXISTS) || is_abandoned (unnamed))
         && !g_file_test (spooled->journal_path, G_FILE_TEST_EXISTS);
}

static char *
describe_lone_data (const BoxSpool *spool, const BoxSpoolEntry *spooled)
{
  g_autofree char *option = box_spool_format_option (spool->path);

  return g_strdup_printf ("%s has no journal, so nothing says where it goes: upload it with "
                          "\"boxupload put\" if it is of use, then remove it with "
                          "\"boxupload spool rm%s %s\"",
                          spooled->data_path, option, spooled->name);
}

BoxSpoolEntry *
box_spool_look (BoxSpool *spool, const char *name)
{
  g_autofree char *stem = g_build_filename (spool->path, name, NULL);
  g_autoptr (BoxSpoolEntry) spooled = g_new0 (BoxSpoolEntry, 1);
  g_autoptr (GError) error = NULL;
  gboolean busy = FALSE, lone, gone;

  spooled->name = g_strdup (name);
  spooled->journal_path = g_strconcat (stem, BOX_RECORDING_JOURNAL_SUFFIX, NULL);
  spooled->data_path = g_strconcat (stem, BOX_RECORDING_DATA_SUFFIX, NULL);
  /* Before the one look at the journal, which may get its name, or go, at any moment. */
  lone = is_lone_data (spooled);
  /* Who removes it has the lock, or has written before that Box has it. */
  gone = !g_file_test (spooled->data_path, G_FILE_TEST_EXISTS);
  spooled->state = read_state (spooled->journal_path, &busy, &error);
  if (spooled->state == NULL && error == NULL && !lone)
    return NULL;
  if (spooled->state == NULL && error == NULL)
    spooled->problem = describe_lone_data (spool, spooled);
  if (spooled->state == NULL)
    spooled->state = box_journal_replay ("", 0);
  add_size (spooled->data_path, &spooled->size);
  if (spooled->problem == NULL)
    spooled->problem = find_problem (spooled, error);
  /* Twice: it may be a recording that was not there before. */
  if (spooled->problem == NULL && gone && !busy && box_journal_needs_data (spooled->state)
      && !g_file_test (spooled->data_path, G_FILE_TEST_EXISTS))
    spooled->problem = box_spool_describe_loss (spooled->data_path, spooled->journal_path);
  spooled->status = status_of (spooled, busy);
  return g_steal_pointer (&spooled);
}

/* Its name without the suffix that it ends in. */
static void
add_name (const char *path, gpointer user_data)
{
  g_autofree char *base = g_path_get_basename (path);

  *strrchr (base, '.') = '\0';
  g_hash_table_add (user_data, g_steal_pointer (&base));
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

GPtrArray *
box_spool_list_names (BoxSpool *spool, GError **error)
{
  g_autoptr (GHashTable) set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray *names;
  GHashTableIter iter;
  gpointer name;

  /* A recording that is made or removed meanwhile has one of them. */
  if (!for_each_file (spool->path, BOX_RECORDING_JOURNAL_SUFFIX, add_name, set, error)
      || !for_each_file (spool->path, BOX_RECORDING_DATA_SUFFIX, add_name, set, error))
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  g_hash_table_iter_init (&iter, set);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

GPtrArray *
box_spool_list (BoxSpool *spool, GError **error)
{
  g_autoptr (GPtrArray) names = box_spool_list_names (spool, error);
  GPtrArray *list;

  if (names == NULL)
    return NULL;
  list = g_ptr_array_new_with_free_func ((GDestroyNotify) box_spool_entry_free);
  for (guint i = 0; i < names->len; i++)
    {
      BoxSpoolEntry *spooled = box_spool_look (spool, g_ptr_array_index (names, i));

      if (spooled != NULL)
        g_ptr_array_add (list, spooled);
    }
  return list;
}

gboolean
box_spool_remove (BoxSpool *spool, const char *name, GError **error)
{
  g_autofree char *stem = g_build_filename (spool->path, name, NULL);
  g_autofree char *journal_path = g_strconcat (stem, BOX_RECORDING_JOURNAL_SUFFIX, NULL);
  g_autofree char *unnamed_path = g_strconcat (stem, UNNAMED_SUFFIX, NULL);
  g_autofree char *data_path = g_strconcat (stem, BOX_RECORDING_DATA_SUFFIX, NULL);
  const char *paths[] = { data_path, unnamed_path, journal_path };
  g_autoptr (GError) local = NULL;
  g_autoptr (BoxRecording) recording = NULL;

  if (g_file_test (journal_path, G_FILE_TEST_EXISTS))
    recording = box_recording_open (journal_path, &local);
  if (recording != NULL)
    return box_recording_remove (recording, error);
  if (g_error_matches (local, BOX_ERROR, BOX_ERROR_BUSY))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    if (g_unlink (paths[i]) != 0 && errno != ENOENT)
      {
        box_fileio_set_error (error, errno, "remove", paths[i]);
        return FALSE;
      }
  return TRUE;
}

GFileMonitor *
box_spool_monitor (BoxSpool *spool, GError **error)
{
  g_autoptr (GFile) directory = g_file_new_for_path (spool->path);
  g_autoptr (GError) local = NULL;
  GFileMonitor *monitor =
      g_file_monitor_directory (directory, G_FILE_MONITOR_WATCH_MOVES, NULL, &local);

  if (monitor == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "Cannot watch the spool %s: %s", spool->path,
                 local->message);
  return monitor;
}

gboolean
box_spool_admit_hole (BoxSpool *spool, guint64 size, guint64 offset, GError **error)
{
  guint64 room = box_spool_get_room (spool);
  g_autofree char *shown = NULL;

  if (offset - size <= room)
    return TRUE;
  shown = g_format_size (room);
  g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
               "The stream goes on at byte %" G_GUINT64_FORMAT " after %" G_GUINT64_FORMAT
               " bytes: the spool %s has room for %s, not for what is between; look for what seeks "
               "there, or use a larger disk",
               offset, size, spool->path, shown);
  return FALSE;
}

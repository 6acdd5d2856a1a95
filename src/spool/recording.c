/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/recording.h"

#include "base/fileio.h"
#include "spool/data-file.h"
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of disk kept for the journal from the start, so that a disk filled by recordings still
 * takes the lines that finish them: a part's line is about 200 bytes. */
#define JOURNAL_RESERVE 65536

struct _BoxRecording
{
  gatomicrefcount ref_count;

  /* immutable */
  char *directory;
  char *data_path;
  char *journal_path;
  BoxDataFile *data; /* NULL: committed, and the data file removed already */
  int journal_fd;    /* holds the lock */
  gboolean is_new;

  GMutex syncing; /* taken before lock */
  /* with syncing: the kernel reports a failure to write back once, to one caller */
  GError *journal_failure; /* of the first sync of the journal that failed; NULL: none has */

  GMutex lock;
  /* with lock */
  guint64 journal_size;
  char *folder_id; /* the last one in the journal; NULL: none */
  char *session_id;
  BoxSession *session;  /* the last one in the journal; NULL: none */
  guint64 session_size; /* that it was noted with */
  GHashTable *parts;    /* its parts in the journal: offset → BoxPart */
  gboolean committing;  /* that is in the journal, too */
  gboolean ended;
};

static BoxRecording *
recording_new (const char *journal_path)
{
  BoxRecording *recording = g_new0 (BoxRecording, 1);
  g_autofree char *stem =
      g_strndup (journal_path, strlen (journal_path) - strlen (BOX_RECORDING_JOURNAL_SUFFIX));

  g_atomic_ref_count_init (&recording->ref_count);
  g_mutex_init (&recording->syncing);
  g_mutex_init (&recording->lock);
  recording->directory = g_path_get_dirname (journal_path);
  recording->journal_path = g_strdup (journal_path);
  recording->data_path = g_strconcat (stem, BOX_RECORDING_DATA_SUFFIX, NULL);
  recording->journal_fd = -1;
  recording->parts =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) box_part_free);
  return recording;
}

BoxRecording *
box_recording_ref (BoxRecording *recording)
{
  g_atomic_ref_count_inc (&recording->ref_count);
  return recording;
}

void
box_recording_unref (BoxRecording *recording)
{
  if (!g_atomic_ref_count_dec (&recording->ref_count))
    return;
  box_data_file_free (recording->data);
  if (recording->journal_fd >= 0)
    close (recording->journal_fd);
  g_clear_error (&recording->journal_failure);
  g_mutex_clear (&recording->syncing);
  g_mutex_clear (&recording->lock);
  g_free (recording->directory);
  g_free (recording->data_path);
  g_free (recording->journal_path);
  g_free (recording->folder_id);
  g_free (recording->session_id);
  g_clear_pointer (&recording->session, box_session_free);
  g_hash_table_unref (recording->parts);
  g_free (recording);
}

/* Creating */

/* A name that sorts by time: 20260131-235959-0123abcd. */
static char *
new_journal_path (const char *dir)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%d-%H%M%S");

  return g_strdup_printf ("%s/%s-%08x" BOX_RECORDING_JOURNAL_SUFFIX, dir, time, g_random_int ());
}

char *
box_recording_dup_name (const char *path)
{
  char *name = g_path_get_basename (path);

  if (g_str_has_suffix (name, BOX_RECORDING_DATA_SUFFIX))
    name[strlen (name) - strlen (BOX_RECORDING_DATA_SUFFIX)] = '\0';
  return name;
}

gint64
box_recording_get_time_of_name (const char *name)
{
  g_autofree char *iso = NULL;
  g_autoptr (GDateTime) time = NULL;

  if (strlen (name) < strlen ("20260131-235959-") || name[8] != '-' || name[15] != '-')
    return 0;
  iso = g_strdup_printf ("%.8sT%.6sZ", name, name + 9);
  time = g_date_time_new_from_iso8601 (iso, NULL);
  return time != NULL ? g_date_time_to_unix (time) : 0;
}

static int
create_file (const char *path, GError **error)
{
  int fd =
      TEMP_FAILURE_RETRY (open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));

  if (fd < 0)
    box_fileio_set_error (error, errno, "create", path);
  return fd;
}

/* The journal gets its name only when it is locked and has its first @lines: others never see half
 * of one. */
static gboolean
create_files (BoxRecording *recording, const char *lines, gboolean with_data, GError **error)
{
  g_autofree char *temporary =
      g_strconcat (recording->journal_path, BOX_RECORDING_UNNAMED_SUFFIX, NULL);
  g_autoptr (GError) failure = NULL;
  int data_fd = -1;
  gboolean ok;

  recording->journal_fd = create_file (temporary, error);
  if (recording->journal_fd < 0)
    return FALSE;
  if (with_data)
    data_fd = create_file (recording->data_path, error);
  if (data_fd >= 0)
    recording->data = box_data_file_new (data_fd, recording->data_path, 0);
  ok = (data_fd >= 0 || !with_data) && box_fileio_lock (recording->journal_fd, temporary, error);
  if (ok)
    /* Where the file system cannot, the journal is merely not safe from a full disk. */
    (void) fallocate (recording->journal_fd, FALLOC_FL_KEEP_SIZE, 0, JOURNAL_RESERVE);
  if (ok
      && !box_fileio_put_in_place (recording->journal_fd, temporary, recording->journal_path, lines,
                                   strlen (lines), &failure))
    {
      /* With the way out, which a replacement does not know. */
      if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_SPACE))
        box_fileio_set_error (error, ENOSPC, "create", recording->journal_path);
      else
        g_propagate_error (error, g_steal_pointer (&failure));
      ok = FALSE;
    }
  if (!ok)
    {
      /* It has its name if only the sync of the directory has failed. */
      g_unlink (recording->journal_path);
      if (data_fd >= 0)
        g_unlink (recording->data_path);
      g_unlink (temporary);
      return FALSE;
    }
  recording->journal_size = strlen (lines);
  return TRUE;
}

BoxRecording *
box_recording_create (const char *dir, const BoxRecordingIntent *intent, GError **error)
{
  g_autofree char *path = new_journal_path (dir);
  g_autofree char *line = box_journal_format_intent (intent);
  g_autoptr (BoxRecording) recording = recording_new (path);

  if (!create_files (recording, line, TRUE, error))
    return NULL;
  recording->is_new = TRUE;
  if (intent->destination->kind == BOX_DESTINATION_SESSION)
    recording->session_id = g_strdup (intent->destination->session_id);
  return g_steal_pointer (&recording);
}

BoxRecording *
box_recording_create_errand (const char *dir, const BoxRecordingIntent *intent, const BoxFile *file,
                             GError **error)
{
  g_autofree char *path = new_journal_path (dir);
  g_autofree char *line = box_journal_format_intent (intent);
  g_autofree char *committed = box_journal_format_committed (file);
  g_autofree char *lines = g_strconcat (line, committed, NULL);
  g_autoptr (BoxRecording) recording = recording_new (path);

  return create_files (recording, lines, FALSE, error) ? g_steal_pointer (&recording) : NULL;
}

/* Opening */

static int
open_file (const char *path, GError **error)
{
  int fd = TEMP_FAILURE_RETRY (open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW));

  if (fd < 0 && errno == ENOENT)
    g_set_error (error, BOX_ERROR, BOX_ERROR_BUSY, "There is no recording %s any more", path);
  else if (fd < 0)
    box_fileio_set_error (error, errno, "open", path);
  return fd;
}

static char *
read_journal (BoxRecording *recording, gsize *length, GError **error)
{
  g_autofree char *text = NULL;
  struct stat info;

  if (fstat (recording->journal_fd, &info) != 0)
    {
      box_fileio_set_error (error, errno, "read", recording->journal_path);
      return NULL;
    }
  *length = (gsize) info.st_size;
  text = g_malloc (*length + 1);
  text[*length] = '\0';
  if (!box_fileio_read (recording->journal_fd, recording->journal_path, 0, (guint8 *) text, *length,
                        error))
    return NULL;
  return g_steal_pointer (&text);
}

/* Another process may have finished and removed the recording between our open and our lock. */
static gboolean
check_still_there (BoxRecording *recording, GError **error)
{
  struct stat info;

  if (fstat (recording->journal_fd, &info) == 0 && info.st_nlink > 0)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_BUSY, "There is no recording %s any more",
               recording->journal_path);
  return FALSE;
}

/* The data file is gone. That is in order if nothing needs it: a removal was cut short. Nobody else
 * can have finished the recording: we have the lock, and the journal has its name. */
static gboolean
check_half_removed (BoxRecording *recording, const BoxJournalState *state, GError **error)
{
  g_autofree char *loss = box_spool_describe_loss (recording->data_path, recording->journal_path);

  if (!box_journal_needs_data (state))
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE, loss);
  return FALSE;
}

static gboolean
open_data (BoxRecording *recording, const BoxJournalState *state, GError **error)
{
  g_autoptr (GError) local = NULL;
  struct stat info;
  int fd = open_file (recording->data_path, &local);

  if (fd < 0)
    {
      if (g_error_matches (local, BOX_ERROR, BOX_ERROR_BUSY))
        return check_half_removed (recording, state, error);
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode))
    {
      close (fd);
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "Cannot read %s: it is not a file",
                   recording->data_path);
      return FALSE;
    }
  recording->data = box_data_file_new (fd, recording->data_path, (guint64) info.st_size);
  return TRUE;
}

/* Takes @part. */
static void
remember_part_locked (BoxRecording *recording, BoxPart *part)
{
  g_hash_table_replace (recording->parts, &part->offset, part);
}

/* Remembers what the journal says, so that it is not written there again. */
static void
remember_lines (BoxRecording *recording, const BoxJournalState *state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&recording->lock);

  recording->committing = state->commit_begun;
  recording->folder_id = g_strdup (state->folder_id);
  if (state->session == NULL)
    return;
  recording->session_id = g_strdup (state->session->id);
  recording->session = box_session_copy (state->session);
  recording->session_size = state->session_size;
  for (guint i = 0; i < state->parts->len; i++)
    remember_part_locked (recording, box_part_copy (g_ptr_array_index (state->parts, i)));
}

static gboolean
load_state (BoxRecording *recording, GError **error)
{
  gsize length = 0;
  g_autofree char *text = read_journal (recording, &length, error);
  g_autoptr (BoxJournalState) state = NULL;

  if (text == NULL)
    return FALSE;
  state = box_journal_replay (text, length);
  if (!open_data (recording, state, error))
    return FALSE;
  recording->ended = state->ended;
  recording->journal_size = state->valid_length;
  remember_lines (recording, state);
  if (state->torn && state->foreign_version == 0
      && TEMP_FAILURE_RETRY (ftruncate (recording->journal_fd, (off_t) state->valid_length)) != 0)
    {
      box_fileio_set_error (error, errno, "write", recording->journal_path);
      return FALSE;
    }
  return TRUE;
}

BoxRecording *
box_recording_open (const char *journal_path, GError **error)
{
  g_autoptr (BoxRecording) recording = NULL;

  if (!g_str_has_suffix (journal_path, BOX_RECORDING_JOURNAL_SUFFIX))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "%s is not the journal of a recording (*" BOX_RECORDING_JOURNAL_SUFFIX ")",
                   journal_path);
      return NULL;
    }
  recording = recording_new (journal_path);
  recording->journal_fd = open_file (journal_path, error);
  if (recording->journal_fd < 0 || !box_fileio_lock (recording->journal_fd, journal_path, error)
      || !check_still_there (recording, error) || !load_state (recording, error))
    return NULL;
  return g_steal_pointer (&recording);
}

/* Reading */

gboolean
box_recording_is_new (BoxRecording *recording)
{
  return recording->is_new;
}

const char *
box_recording_get_path (BoxRecording *recording)
{
  return recording->data_path;
}

gboolean
box_recording_has_data (BoxRecording *recording)
{
  return recording->data != NULL;
}

guint64
box_recording_get_size (BoxRecording *recording)
{
  return recording->data != NULL ? box_data_file_get_size (recording->data) : 0;
}

BoxJournalState *
box_recording_get_state (BoxRecording *recording)
{
  gsize length = 0;
  g_autofree char *text = read_journal (recording, &length, NULL);

  return box_journal_replay (text != NULL ? text : "", text != NULL ? length : 0);
}

gboolean
box_recording_read (BoxRecording *recording, guint64 offset, guint8 *buffer, gsize length,
                    GError **error)
{
  return box_data_file_read (recording->data, offset, buffer, length, error);
}

/* Writing */

gboolean
box_recording_write (BoxRecording *recording, guint64 offset, gconstpointer data, gsize length,
                     GError **error)
{
  return box_data_file_write (recording->data, offset, data, length, error);
}

gboolean
box_recording_flush (BoxRecording *recording, GError **error)
{
  return box_data_file_flush (recording->data, error);
}

void
box_recording_flush_soon (BoxRecording *recording)
{
  box_data_file_flush_soon (recording->data);
}

gboolean
box_recording_truncate (BoxRecording *recording, guint64 size, GError **error)
{
  return box_data_file_truncate (recording->data, size, error);
}

gboolean
box_recording_sync (BoxRecording *recording, guint64 needed, GError **error)
{
  return recording->data == NULL || box_data_file_sync (recording->data, needed, error);
}

/* Appends @line, durably. One that could not be written whole is taken back, so that the next one
 * does not land behind its torn half; behind one that could not be synced nothing is written any
 * more. Takes @line. */
static gboolean
append (BoxRecording *recording, char *line, GError **error)
{
  g_autoptr (GMutexLocker) syncing = g_mutex_locker_new (&recording->syncing);
  g_autofree char *owned = line;
  gsize length = strlen (line);
  gboolean ok;

  if (recording->journal_failure != NULL)
    {
      g_propagate_error (error, g_error_copy (recording->journal_failure));
      return FALSE;
    }
  g_mutex_lock (&recording->lock);
  ok = box_fileio_write (recording->journal_fd, recording->journal_path, recording->journal_size,
                         line, length, error);
  if (ok)
    recording->journal_size += length;
  else
    (void) !TEMP_FAILURE_RETRY (ftruncate (recording->journal_fd, (off_t) recording->journal_size));
  g_mutex_unlock (&recording->lock);
  if (ok
      && box_fileio_sync (recording->journal_fd, recording->journal_path,
                          &recording->journal_failure))
    return TRUE;
  if (ok)
    g_propagate_error (error, g_error_copy (recording->journal_failure));
  return FALSE;
}

/* Whether the journal's last session is this one, in all that its line is read for: how many parts
 * are processed changes, and is asked anew. */
static gboolean
has_session_locked (BoxRecording *recording, const BoxSession *session, guint64 size)
{
  const BoxSession *noted = recording->session;

  return noted != NULL && recording->session_size == size && g_str_equal (noted->id, session->id)
         && noted->part_size == session->part_size && noted->total_parts == session->total_parts
         && g_strcmp0 (noted->upload_part_url, session->upload_part_url) == 0
         && g_strcmp0 (noted->commit_url, session->commit_url) == 0
         && g_strcmp0 (noted->abort_url, session->abort_url) == 0
         && g_strcmp0 (noted->list_parts_url, session->list_parts_url) == 0
         && g_strcmp0 (noted->status_url, session->status_url) == 0
         && g_strcmp0 (noted->plan_url, session->plan_url) == 0;
}

gboolean
box_recording_set_folder (BoxRecording *recording, const char *folder_id, GError **error)
{
  gboolean noted;

  g_mutex_lock (&recording->lock);
  noted = g_strcmp0 (recording->folder_id, folder_id) == 0;
  g_mutex_unlock (&recording->lock);
  if (noted)
    return TRUE;
  if (!append (recording, box_journal_format_folder (folder_id), error))
    return FALSE;
  g_mutex_lock (&recording->lock);
  g_free (recording->folder_id);
  recording->folder_id = g_strdup (folder_id);
  g_mutex_unlock (&recording->lock);
  return TRUE;
}

gboolean
box_recording_set_session (BoxRecording *recording, const BoxSession *session, guint64 size,
                           GError **error)
{
  gboolean noted;

  g_mutex_lock (&recording->lock);
  g_free (recording->session_id);
  recording->session_id = g_strdup (session->id);
  noted = has_session_locked (recording, session, size);
  if (!noted)
    {
      /* Not certain any more, even if the line below fails. */
      g_clear_pointer (&recording->session, box_session_free);
      g_hash_table_remove_all (recording->parts);
    }
  g_mutex_unlock (&recording->lock);
  if (noted)
    return TRUE;
  if (!append (recording, box_journal_format_session (session, size), error))
    return FALSE;
  g_mutex_lock (&recording->lock);
  g_clear_pointer (&recording->session, box_session_free);
  recording->session = box_session_copy (session);
  recording->session_size = size;
  g_mutex_unlock (&recording->lock);
  return TRUE;
}

/* Whether the journal's session has this part: one without a digest may have been listed before Box
 * had computed it. */
static gboolean
has_part_locked (BoxRecording *recording, const BoxPart *part)
{
  const BoxPart *noted = g_hash_table_lookup (recording->parts, &part->offset);

  return noted != NULL && noted->size == part->size && g_strcmp0 (noted->id, part->id) == 0
         && (!part->has_sha1 || (noted->has_sha1 && box_sha1_equal (&noted->sha1, &part->sha1)))
         && (!part->has_sha512 || noted->has_sha512);
}

gboolean
box_recording_add_part (BoxRecording *recording, const BoxPart *part, GError **error)
{
  g_autofree char *session_id = NULL;
  gboolean noted;

  g_mutex_lock (&recording->lock);
  session_id = g_strdup (recording->session_id);
  noted = has_part_locked (recording, part);
  g_mutex_unlock (&recording->lock);
  if (noted)
    return TRUE;
  if (!box_recording_sync (recording, part->offset + part->size, error)
      || !append (recording, box_journal_format_part (session_id, part), error))
    return FALSE;
  g_mutex_lock (&recording->lock);
  remember_part_locked (recording, box_part_copy (part));
  g_mutex_unlock (&recording->lock);
  return TRUE;
}

gboolean
box_recording_set_seed (BoxRecording *recording, const BoxSession *session, guint64 size,
                        GError **error)
{
  return append (recording, box_journal_format_seed (session, size), error);
}

gboolean
box_recording_add_ahead (BoxRecording *recording, const char *session_id, const BoxPart *part,
                         gint64 time, GError **error)
{
  return box_recording_sync (recording, part->offset + part->size, error)
         && append (recording, box_journal_format_ahead (session_id, part, time), error);
}

gboolean
box_recording_set_rewritten (BoxRecording *recording, guint64 offset, GError **error)
{
  return append (recording, box_journal_format_rewritten (offset), error);
}

gboolean
box_recording_set_seed_aborted (BoxRecording *recording, GError **error)
{
  return append (recording, box_journal_format_seed_aborted (), error);
}

gboolean
box_recording_set_end (BoxRecording *recording, const BoxRecordingEnd *end, GError **error)
{
  if (!box_recording_sync (recording, end->size, error)
      || !append (recording, box_journal_format_end (end), error))
    return FALSE;
  g_mutex_lock (&recording->lock);
  recording->ended = TRUE;
  g_mutex_unlock (&recording->lock);
  return TRUE;
}

gboolean
box_recording_set_committing (BoxRecording *recording, GError **error)
{
  gboolean noted;

  g_mutex_lock (&recording->lock);
  noted = recording->committing;
  g_mutex_unlock (&recording->lock);
  if (noted)
    return TRUE;
  if (!append (recording, box_journal_format_committing (), error))
    return FALSE;
  g_mutex_lock (&recording->lock);
  recording->committing = TRUE;
  g_mutex_unlock (&recording->lock);
  return TRUE;
}

/* The second line is for earlier versions, which know nothing of live requests. */
gboolean
box_recording_set_live (BoxRecording *recording, const BoxDestination *target, GError **error)
{
  return append (recording, box_journal_format_live (target), error)
         && box_recording_set_committing (recording, error);
}

gboolean
box_recording_set_committed (BoxRecording *recording, const BoxFile *file, GError **error)
{
  return append (recording, box_journal_format_committed (file), error);
}

gboolean
box_recording_set_kept (BoxRecording *recording, GError **error)
{
  return append (recording, box_journal_format_kept (), error);
}

gboolean
box_recording_set_settled (BoxRecording *recording, GError **error)
{
  return append (recording, box_journal_format_settled (), error);
}

gboolean
box_recording_remove_data (BoxRecording *recording, GError **error)
{
  if (g_unlink (recording->data_path) == 0 || errno == ENOENT)
    return TRUE;
  box_fileio_set_error (error, errno, "remove", recording->data_path);
  return FALSE;
}

gboolean
box_recording_redirect (BoxRecording *recording, const BoxDestination *destination,
                        BoxIfExists if_exists, GError **error)
{
  if (!append (recording, box_journal_format_redirected (destination, if_exists), error))
    return FALSE;
  g_mutex_lock (&recording->lock);
  g_clear_pointer (&recording->folder_id, g_free);
  g_clear_pointer (&recording->session_id, g_free);
  g_clear_pointer (&recording->session, box_session_free);
  g_hash_table_remove_all (recording->parts);
  recording->committing = FALSE;
  g_mutex_unlock (&recording->lock);
  return TRUE;
}

/* The file @path is placed so; it is now @elsewhere (taken, nullable). TRUE: well. */
static gboolean
describe_placing (BoxPlacing placing, const char *path, char *elsewhere, char **what)
{
  g_autofree char *name = elsewhere;

  switch (placing)
    {
    case BOX_PLACED_WELL:
      return TRUE;
    case BOX_PLACED_REMOVED:
      *what =
          g_strdup_printf ("%s was removed from the spool: it is written anew at the end of the "
                           "recording, but is lost if this process is killed",
                           path);
      break;
    case BOX_PLACED_MOVED:
      *what = g_strdup_printf ("%s was moved to %s: move it back", path, name);
      break;
    case BOX_PLACED_REPLACED:
      *what = g_strdup_printf ("another file has taken the place of %s: it is put aside at the end "
                               "of the recording, but what was recorded is lost if this process is "
                               "killed",
                               path);
      break;
    }
  return FALSE;
}

gboolean
box_recording_is_in_place (BoxRecording *recording, char **what)
{
  char *elsewhere = NULL;
  BoxPlacing placing;

  *what = NULL;
  if (recording->data == NULL)
    return TRUE;
  placing = box_data_file_look (recording->data, &elsewhere);
  if (!describe_placing (placing, recording->data_path, elsewhere, what))
    return FALSE;
  placing = box_displaced_look (recording->journal_fd, recording->journal_path, &elsewhere);
  return describe_placing (placing, recording->journal_path, elsewhere, what);
}

/* The data first: a journal without data is reported, data without a journal is hard to use. */
gboolean
box_recording_restore (BoxRecording *recording, char **done, GError **error)
{
  g_autoptr (GMutexLocker) syncing = NULL;
  g_autoptr (GMutexLocker) locker = NULL;
  g_autofree char *data = NULL, *journal = NULL;

  *done = NULL;
  if (recording->data == NULL)
    return TRUE;
  if (!box_data_file_restore (recording->data, &data, error))
    return FALSE;
  syncing = g_mutex_locker_new (&recording->syncing);
  locker = g_mutex_locker_new (&recording->lock);
  if (!box_displaced_restore (recording->journal_fd, recording->journal_path, &journal, error))
    return FALSE;
  *done = data != NULL ? g_steal_pointer (&data) : g_steal_pointer (&journal);
  return TRUE;
}

void
box_recording_note_failure (BoxRecording *recording, const GError *failure)
{
  g_autoptr (BoxJournalState) state = box_recording_get_state (recording);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  if (g_strcmp0 (state->failure, failure->message) != 0)
    (void) append (recording, box_journal_format_failed (failure->message, now), NULL);
}

gboolean
box_recording_is_interrupted (const BoxJournalState *state, guint64 size)
{
  if (state->intent != NULL && state->intent->sizing == BOX_SIZING_EXACT)
    return size < state->intent->size || (!state->ended && size != state->intent->size);
  return !state->ended;
}

/* The journal says that the recording is empty before its data file is removed. Otherwise a removal
 * that is cut short looks like lost bytes. A disk too full for that line does not stop the removal.
 */
static void
note_empty (BoxRecording *recording)
{
  const BoxRecordingEnd empty = { .padding = BOX_PADDING_NONE };
  gboolean known;

  g_mutex_lock (&recording->lock);
  known =
      recording->data == NULL || recording->ended || box_data_file_get_size (recording->data) > 0;
  g_mutex_unlock (&recording->lock);
  if (!known)
    (void) box_recording_set_end (recording, &empty, NULL);
}

/* The data file first: a journal without data is finished or reported, data without a journal would
 * never be found. */
gboolean
box_recording_remove (BoxRecording *recording, GError **error)
{
  const char *paths[] = { recording->data_path, recording->journal_path };

  note_empty (recording);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    if (g_unlink (paths[i]) != 0 && errno != ENOENT)
      {
        box_fileio_set_error (error, errno, "remove", paths[i]);
        return FALSE;
      }
  /* A power cut may bring a removed file back. Its journal says enough to remove it again. */
  (void) box_fileio_sync_directory (recording->directory, NULL);
  return TRUE;
}

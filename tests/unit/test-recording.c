/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "kit/places.h"
#include "kit/spool-kit.h"

typedef struct
{
  char *dir;
  BoxRecording *recording;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autoptr (GError) error = NULL;

  fixture->dir = kit_new_directory ();
  fixture->recording = box_recording_create (fixture->dir, intent, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->recording, box_recording_unref);
  kit_remove_directory (fixture->dir);
}

static void
write_text (BoxRecording *recording, guint64 offset, const char *text)
{
  g_autoptr (GError) error = NULL;

  box_recording_write (recording, offset, text, strlen (text), &error);
  g_assert_no_error (error);
}

static void
assert_contents (BoxRecording *recording, guint64 offset, const char *text)
{
  g_autoptr (GError) error = NULL;
  gsize length = strlen (text);
  g_autofree guint8 *buffer = g_malloc (length);

  box_recording_read (recording, offset, buffer, length, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (buffer, length, text, length);
}

/* Closes the recording as a process that ends does, and opens it again. */
static void
reopen (Fixture *fixture)
{
  g_autofree char *path = spool_kit_journal_path (fixture->recording);
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&fixture->recording, box_recording_unref);
  fixture->recording = box_recording_open (path, &error);
  g_assert_no_error (error);
}

static void
test_files_are_private (Fixture *fixture, gconstpointer data)
{
  g_autofree char *journal = spool_kit_journal_path (fixture->recording);

  g_assert_cmpuint (kit_get_mode (journal), ==, 0600);
  g_assert_cmpuint (kit_get_mode (box_recording_get_path (fixture->recording)), ==, 0600);
}

static void
test_rewritten_bytes_are_read_back (Fixture *fixture, gconstpointer data)
{
  write_text (fixture->recording, 0, "0123456789");
  write_text (fixture->recording, 2, "xy");
  g_assert_cmpuint (box_recording_get_size (fixture->recording), ==, 10);
  reopen (fixture);
  g_assert_cmpuint (box_recording_get_size (fixture->recording), ==, 10);
  assert_contents (fixture->recording, 0, "01xy456789");
}

static void
test_truncated_recording_starts_over (Fixture *fixture, gconstpointer data)
{
  write_text (fixture->recording, 0, "0123456789");
  g_assert_true (box_recording_truncate (fixture->recording, 0, NULL));
  write_text (fixture->recording, 0, "ab");
  g_assert_cmpuint (box_recording_get_size (fixture->recording), ==, 2);
  assert_contents (fixture->recording, 0, "ab");
}

static void
test_reading_beyond_the_data_is_an_error (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint8 buffer[8];

  write_text (fixture->recording, 0, "0123");
  g_assert_false (box_recording_read (fixture->recording, 0, buffer, 8, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, box_recording_get_path (fixture->recording)));
}

static void
test_second_opening_is_refused (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = spool_kit_journal_path (fixture->recording);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxRecording) second = box_recording_open (path, &error);

  g_assert_null (second);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_BUSY);
}

/* In a process of its own; the code of the error that it met, -1: none. */
static int
open_in_child (const char *path)
{
  pid_t child = fork ();
  int status = 0;

  if (child == 0)
    {
      GError *error = NULL;

      box_recording_open (path, &error);
      _exit (error != NULL ? error->code : 99);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status) == 99 ? -1 : WEXITSTATUS (status);
}

/* The lock is the open file's, so a forked child that still has it must not count as another
 * holder: it opens anew. */
static void
test_another_process_waits_its_turn (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = spool_kit_journal_path (fixture->recording);

  g_assert_cmpint (open_in_child (path), ==, BOX_ERROR_BUSY);
  g_clear_pointer (&fixture->recording, box_recording_unref);
  g_assert_cmpint (open_in_child (path), ==, -1);
}

static void
test_removed_recording_is_not_found (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = spool_kit_journal_path (fixture->recording);
  g_autoptr (GError) error = NULL;

  g_assert_true (box_recording_remove (fixture->recording, &error));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (box_recording_get_path (fixture->recording), G_FILE_TEST_EXISTS));
  g_assert_null (box_recording_open (path, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_BUSY);
}

/* The journal is there and unlocked, so it is not that another process has finished it. */
static void
test_data_that_is_gone_is_reported (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = spool_kit_journal_path (fixture->recording);
  g_autoptr (GError) error = NULL;

  write_text (fixture->recording, 0, "0123");
  g_assert_cmpint (g_unlink (box_recording_get_path (fixture->recording)), ==, 0);
  g_clear_pointer (&fixture->recording, box_recording_unref);
  g_assert_null (box_recording_open (path, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, path));
}

/* A kill between the two files' removals does not look like lost data. */
static void
test_half_removed_empty_recording_is_still_empty (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = spool_kit_journal_path (fixture->recording);
  g_autofree char *kept = g_strconcat (path, ".kept", NULL);

  g_assert_cmpint (link (path, kept), ==, 0);
  g_assert_true (box_recording_remove (fixture->recording, NULL));
  g_assert_cmpint (g_rename (kept, path), ==, 0);
  reopen (fixture);
  g_assert_false (box_recording_has_data (fixture->recording));
  g_assert_cmpuint (box_recording_get_size (fixture->recording), ==, 0);
}

static void
test_torn_line_is_cut_off_before_the_next (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = spool_kit_journal_path (fixture->recording);
  g_autoptr (BoxJournalState) state = NULL;
  int fd = g_open (path, O_WRONLY | O_APPEND, 0);

  g_assert_cmpint (write (fd, "{\"record\":\"par", 14), ==, 14);
  close (fd);
  reopen (fixture);
  g_assert_true (box_recording_set_committing (fixture->recording, NULL));
  state = box_recording_get_state (fixture->recording);
  g_assert_false (state->damaged || state->torn);
  g_assert_true (state->commit_begun);
}

static BoxSession *
new_session (const char *id)
{
  BoxSession *session = g_new0 (BoxSession, 1);

  session->id = g_strdup (id);
  session->part_size = 4;
  session->total_parts = 3;
  session->upload_part_url = g_strdup ("https://upload.box.com/s");
  session->commit_url = g_strdup ("https://upload.box.com/s");
  session->abort_url = g_strdup ("https://upload.box.com/s");
  session->list_parts_url = g_strdup ("https://upload.box.com/s");
  session->status_url = g_strdup ("https://upload.box.com/s");
  return session;
}

/* The suffix of the file whose next fdatasync() fails: once, as the kernel reports a failure to
 * write back. NULL: none. */
static const char *failing_sync;

/* In place of the C library's. */
int
fdatasync (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = g_file_read_link (link, NULL);

  if (failing_sync == NULL || path == NULL || !g_str_has_suffix (path, failing_sync))
    return fsync (fd);
  failing_sync = NULL;
  errno = EIO;
  return -1;
}

static const BoxPart first_part = { .id = (char *) "00", .offset = 0, .size = 4 };

static void
note_session (BoxRecording *recording)
{
  g_autoptr (BoxSession) session = new_session ("S1");
  g_autoptr (GError) error = NULL;

  box_recording_set_session (recording, session, 12, &error);
  g_assert_no_error (error);
}

/* Data that did not reach the disk is not there the next time that it is asked for either. */
static void
test_failed_sync_of_the_data_is_remembered (Fixture *fixture, gconstpointer data)
{
  const BoxRecordingEnd end = { .size = 8, .total = 8, .padding = BOX_PADDING_NONE };
  g_autoptr (BoxJournalState) state = NULL;

  write_text (fixture->recording, 0, "01234567");
  note_session (fixture->recording);
  failing_sync = BOX_RECORDING_DATA_SUFFIX;
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (box_recording_add_part (fixture->recording, &first_part, &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
    }
  g_assert_null (failing_sync);
  g_assert_false (box_recording_set_end (fixture->recording, &end, NULL));
  reopen (fixture);
  state = box_recording_get_state (fixture->recording);
  g_assert_cmpuint (state->parts->len, ==, 0);
  g_assert_false (state->ended);
}

static void
test_bytes_that_were_synced_before_are_still_good (Fixture *fixture, gconstpointer data)
{
  const BoxPart second_part = { .id = (char *) "04", .offset = 4, .size = 4 };
  g_autoptr (BoxJournalState) state = NULL;

  write_text (fixture->recording, 0, "0123");
  note_session (fixture->recording);
  g_assert_true (box_recording_add_part (fixture->recording, &first_part, NULL));
  write_text (fixture->recording, 4, "4567");
  failing_sync = BOX_RECORDING_DATA_SUFFIX;
  g_assert_false (box_recording_add_part (fixture->recording, &second_part, NULL));
  g_assert_true (box_recording_set_committing (fixture->recording, NULL));
  reopen (fixture);
  state = box_recording_get_state (fixture->recording);
  g_assert_cmpuint (state->parts->len, ==, 1);
  g_assert_true (state->commit_begun);
}

/* A line behind one that may be lost would be read as if nothing were missing. */
static void
test_failed_sync_of_the_journal_is_remembered (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSession) session = new_session ("S1");
  g_autoptr (GError) error = NULL;

  write_text (fixture->recording, 0, "01234567");
  failing_sync = BOX_RECORDING_JOURNAL_SUFFIX;
  g_assert_false (box_recording_set_session (fixture->recording, session, 8, NULL));
  g_assert_false (box_recording_set_session (fixture->recording, session, 8, NULL));
  g_assert_false (box_recording_set_committing (fixture->recording, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, BOX_RECORDING_JOURNAL_SUFFIX));
}

static void
test_journal_keeps_what_it_was_told (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSession) session = new_session ("S1");
  g_autoptr (BoxJournalState) state = NULL;
  BoxPart part = { .id = (char *) "AA", .offset = 0, .size = 4 };
  BoxFile file = { .id = (char *) "5" };

  write_text (fixture->recording, 0, "0123456789");
  g_assert_true (box_recording_set_session (fixture->recording, session, 10, NULL));
  g_assert_true (box_recording_add_part (fixture->recording, &part, NULL));
  g_assert_true (box_recording_set_committed (fixture->recording, &file, NULL));
  reopen (fixture);
  state = box_recording_get_state (fixture->recording);
  g_assert_cmpstr (state->intent->destination->name, ==, "clip.mp4");
  g_assert_cmpuint (state->parts->len, ==, 1);
  g_assert_cmpstr (state->file->id, ==, "5");
}

static goffset
journal_size_of (Fixture *fixture)
{
  g_autofree char *path = spool_kit_journal_path (fixture->recording);
  GStatBuf info;

  g_assert_cmpint (g_stat (path, &info), ==, 0);
  return info.st_size;
}

/* As a run does that goes on with a session, and adopts what Box has. */
static void
tell_session (Fixture *fixture, const BoxSession *session, const BoxPart *part)
{
  g_assert_true (box_recording_set_session (fixture->recording, session, 10, NULL));
  g_assert_true (box_recording_add_part (fixture->recording, part, NULL));
  g_assert_true (box_recording_set_committing (fixture->recording, NULL));
}

static void
test_journal_does_not_grow_by_what_it_has (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSession) session = new_session ("S1");
  BoxPart sent = { .id = (char *) "AA", .offset = 4, .size = 4, .has_sha1 = TRUE };
  BoxPart listed = { .id = (char *) "AA", .offset = 4, .size = 4 };
  goffset size;

  write_text (fixture->recording, 0, "0123456789");
  tell_session (fixture, session, &sent);
  size = journal_size_of (fixture);
  session->parts_processed = 1;
  tell_session (fixture, session, &listed);
  g_assert_cmpint (journal_size_of (fixture), ==, size);
  reopen (fixture);
  tell_session (fixture, session, &sent);
  g_assert_cmpint (journal_size_of (fixture), ==, size);
}

static void
test_another_session_begins_without_parts (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSession) first = new_session ("S1"), second = new_session ("S2");
  BoxPart part = { .id = (char *) "AA", .offset = 4, .size = 4 };
  g_autoptr (BoxJournalState) state = NULL;

  write_text (fixture->recording, 0, "0123456789");
  tell_session (fixture, first, &part);
  tell_session (fixture, second, &part);
  tell_session (fixture, first, &part);
  state = box_recording_get_state (fixture->recording);
  g_assert_cmpstr (state->session->id, ==, "S1");
  g_assert_cmpuint (state->parts->len, ==, 1);
}

/* Fills a disk of 1 MiB, in a mount namespace of its own; 0: all was as it should be. */
static int
fill_small_disk (const char *dir)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxRecording) recording = NULL;
  g_autofree guint8 *block = g_malloc0 (65536);
  g_autofree char *journal = NULL;
  g_autoptr (BoxJournalState) state = NULL;
  guint64 size = 0;

  if (mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
      || mount ("tmpfs", dir, "tmpfs", 0, "size=1m,mode=700") != 0)
    return 77;
  recording = box_recording_create (dir, intent, &error);
  g_assert_no_error (error);
  while (box_recording_write (recording, size, block, 65536, &error))
    size += 65536;
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_nonnull (strstr (error->message, box_recording_get_path (recording)));
  g_assert_cmpuint (size, >, 500000);

  /* The journal has room of its own: what is needed to finish can still be noted. */
  g_assert_true (box_recording_set_committing (recording, NULL));
  journal = spool_kit_journal_path (recording);
  g_clear_pointer (&recording, box_recording_unref);
  recording = box_recording_open (journal, NULL);
  g_assert_nonnull (recording);
  g_assert_cmpuint (box_recording_get_size (recording), >=, size);
  state = box_recording_get_state (recording);
  g_assert_true (state->commit_begun && !state->damaged);
  return 0;
}

static void
test_full_disk_keeps_what_was_recorded (Fixture *fixture, gconstpointer data)
{
  pid_t child = fork ();
  int status = 0;

  if (child == 0)
    {
      if (unshare (CLONE_NEWNS) != 0)
        _exit (77);
      _exit (fill_small_disk (fixture->dir));
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == 77)
    g_test_skip ("needs the right to mount");
  else
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
test_unwritable_directory_names_the_way_out (void)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autoptr (GError) error = NULL;

  g_assert_null (box_recording_create ("/proc/self", intent, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, "/proc/self/"));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/recording/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("failed-sync-of-the-data-is-remembered", test_failed_sync_of_the_data_is_remembered);
  ADD ("bytes-that-were-synced-before-are-still-good",
       test_bytes_that_were_synced_before_are_still_good);
  ADD ("failed-sync-of-the-journal-is-remembered", test_failed_sync_of_the_journal_is_remembered);
  ADD ("files-are-private", test_files_are_private);
  ADD ("rewritten-bytes-are-read-back", test_rewritten_bytes_are_read_back);
  ADD ("truncated-recording-starts-over", test_truncated_recording_starts_over);
  ADD ("reading-beyond-the-data-is-an-error", test_reading_beyond_the_data_is_an_error);
  ADD ("second-opening-is-refused", test_second_opening_is_refused);
  ADD ("another-process-waits-its-turn", test_another_process_waits_its_turn);
  ADD ("removed-recording-is-not-found", test_removed_recording_is_not_found);
  ADD ("data-that-is-gone-is-reported", test_data_that_is_gone_is_reported);
  ADD ("half-removed-empty-recording-is-still-empty",
       test_half_removed_empty_recording_is_still_empty);
  ADD ("torn-line-is-cut-off-before-the-next", test_torn_line_is_cut_off_before_the_next);
  ADD ("journal-keeps-what-it-was-told", test_journal_keeps_what_it_was_told);
  ADD ("journal-does-not-grow-by-what-it-has", test_journal_does_not_grow_by_what_it_has);
  ADD ("another-session-begins-without-parts", test_another_session_begins_without_parts);
  ADD ("full-disk-keeps-what-was-recorded", test_full_disk_keeps_what_was_recorded);
  g_test_add_func ("/recording/unwritable-directory-names-the-way-out",
                   test_unwritable_directory_names_the_way_out);
  return g_test_run ();
}

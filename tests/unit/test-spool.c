/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/spool.h"

#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

#include "base/error.h"
#include "kit/patience.h"
#include "kit/places.h"
#include "kit/spool-kit.h"

typedef struct
{
  char *dir;
  BoxSpool *spool;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer limit)
{
  g_autoptr (GError) error = NULL;

  fixture->dir = kit_new_directory ();
  fixture->spool = box_spool_open (fixture->dir, GPOINTER_TO_SIZE (limit), &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  box_spool_unref (fixture->spool);
  kit_remove_directory (fixture->dir);
}

static BoxRecording *
record (Fixture *fixture, gsize size)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree guint8 *data = g_malloc0 (size + 1);
  g_autoptr (GError) error = NULL;
  BoxRecording *recording = box_spool_record (fixture->spool, intent, &error);

  g_assert_no_error (error);
  box_recording_write (recording, 0, data, size, &error);
  g_assert_no_error (error);
  box_recording_flush (recording, &error);
  g_assert_no_error (error);
  return recording;
}

static GPtrArray *
list (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *entries = box_spool_list (fixture->spool, &error);

  g_assert_no_error (error);
  return entries;
}

/* Puts a file into the spool, as another version or another hand would. */
static void
put_file (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->dir, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_default_directory_is_under_the_state_directory (void)
{
  g_autofree char *path = box_spool_default_path ();
  g_autofree char *expected =
      g_build_filename (g_get_user_state_dir (), "boxupload", "spool", NULL);

  g_assert_cmpstr (path, ==, expected);
}

static void
test_advice_quotes_the_directory_for_a_shell (void)
{
  g_autofree char *option = box_spool_format_option ("/srv/it's here");

  g_assert_cmpstr (option, ==, " --spool-dir '/srv/it'\\''s here'");
}

static void
test_directory_is_made_private (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->dir, "a", NULL);
  g_autoptr (BoxSpool) spool = box_spool_open (path, 0, NULL);

  g_assert_nonnull (spool);
  g_assert_cmpuint (kit_get_mode (path), ==, 0700);
}

static void
test_directory_that_others_can_write_is_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_chmod (fixture->dir, 0777), ==, 0);
  g_assert_null (box_spool_open (fixture->dir, 0, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, "chmod 700"));
  g_assert_cmpint (g_chmod (fixture->dir, 0700), ==, 0);
}

static void
test_directory_of_another_user_is_left_to_that_user (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  if (chown (fixture->dir, 12345, (gid_t) -1) != 0)
    {
      g_test_skip ("needs the right to give a directory away");
      return;
    }
  g_assert_null (box_spool_open (fixture->dir, 0, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, "run this as that user"));
  g_assert_null (strstr (error->message, "chown"));
}

static void
test_file_in_place_of_the_directory_is_refused (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->dir, "f", NULL);
  g_autofree char *below = g_build_filename (path, "g", NULL);
  g_autoptr (GError) error = NULL;

  put_file (fixture, "f", "x");
  g_assert_null (box_spool_open (path, 0, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_clear_error (&error);
  g_assert_null (box_spool_open (below, 0, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
}

static void
test_list_tells_the_state_of_each (Fixture *fixture, gconstpointer data)
{
  static const BoxSpoolStatus expected[] = {
    BOX_SPOOL_UNREADABLE, BOX_SPOOL_UNREADABLE,  BOX_SPOOL_BUSY,
    BOX_SPOOL_COMPLETE,   BOX_SPOOL_INTERRUPTED, BOX_SPOOL_COMMITTED,
  };
  guint seen[BOX_SPOOL_UNREADABLE + 1] = { 0 };
  BoxRecordingEnd end = { .size = 3, .total = 3, .padding = BOX_PADDING_NONE };
  BoxFile file = { .id = (char *) "5" };
  g_autoptr (BoxRecording) busy = record (fixture, 1), complete = record (fixture, 3);
  g_autoptr (BoxRecording) interrupted = record (fixture, 4), committed = record (fixture, 5);
  g_autoptr (GPtrArray) entries = NULL;

  box_recording_set_end (complete, &end, NULL);
  box_recording_set_committed (committed, &file, NULL);
  g_clear_pointer (&complete, box_recording_unref);
  g_clear_pointer (&interrupted, box_recording_unref);
  g_clear_pointer (&committed, box_recording_unref);
  put_file (fixture, "00000000-empty.journal", "");
  put_file (fixture, "00000000-garbage.journal", "garbage\n");
  put_file (fixture, "unrelated.txt", "x");

  entries = list (fixture);
  g_assert_cmpuint (entries->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < entries->len; i++)
    {
      const BoxSpoolEntry *entry = entries->pdata[i];

      seen[entry->status]++;
      g_assert_true ((entry->problem != NULL) == (entry->status == BOX_SPOOL_UNREADABLE));
      g_assert_nonnull (entry->state);
    }
  g_assert_cmpuint (seen[BOX_SPOOL_UNREADABLE], ==, 2);
  g_assert_cmpuint (seen[BOX_SPOOL_BUSY], ==, 1);
  g_assert_cmpuint (seen[BOX_SPOOL_COMPLETE], ==, 1);
  g_assert_cmpuint (seen[BOX_SPOOL_INTERRUPTED], ==, 1);
  g_assert_cmpuint (seen[BOX_SPOOL_COMMITTED], ==, 1);
}

static void
test_list_begins_with_the_oldest (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;

  put_file (fixture, "20260131-100000-00000000.journal", "");
  put_file (fixture, "20251231-235959-ffffffff.journal", "");
  put_file (fixture, "20260131-095959-aaaaaaaa.journal", "");
  entries = list (fixture);
  g_assert_cmpuint (entries->len, ==, 3);
  g_assert_cmpstr (((BoxSpoolEntry *) entries->pdata[0])->name, ==, "20251231-235959-ffffffff");
  g_assert_cmpstr (((BoxSpoolEntry *) entries->pdata[2])->name, ==, "20260131-100000-00000000");
}

static void
test_names_are_listed_whatever_the_journals_say (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) names = NULL;

  put_file (fixture, "b.journal", "garbage");
  put_file (fixture, "a.journal", "");
  put_file (fixture, "a.data", "");
  names = box_spool_list_names (fixture->spool, NULL);
  g_assert_cmpuint (names->len, ==, 2);
  g_assert_cmpstr (names->pdata[0], ==, "a");
  g_assert_cmpstr (names->pdata[1], ==, "b");
}

static void
test_a_recording_that_went_is_not_seen_any_more (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxRecording) recording = record (fixture, 3);
  g_autoptr (GPtrArray) names = box_spool_list_names (fixture->spool, NULL);
  g_autoptr (BoxSpoolEntry) before = box_spool_look (fixture->spool, names->pdata[0]);

  g_assert_cmpuint (before->size, ==, 3);
  g_assert_true (box_recording_remove (recording, NULL));
  g_assert_null (box_spool_look (fixture->spool, names->pdata[0]));
}

static void
test_listing_does_not_disturb_the_writer (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxRecording) recording = record (fixture, 4);
  g_autofree char *path = spool_kit_journal_path (recording);
  g_autoptr (GPtrArray) first = list (fixture);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (((BoxSpoolEntry *) first->pdata[0])->status, ==, BOX_SPOOL_BUSY);
  g_assert_null (box_recording_open (path, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_BUSY);
}

static void
test_limit_counts_all_recordings (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSpool) other = box_spool_open (fixture->dir, 0, NULL);
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *block = g_malloc0 (600);
  g_autoptr (BoxRecording) theirs = box_spool_record (other, intent, NULL);

  /* The limit is 1000 bytes. */
  g_assert_true (box_spool_admit (fixture->spool, 400, NULL));
  g_assert_true (box_recording_write (theirs, 0, block, 600, NULL));
  g_assert_true (box_recording_flush (theirs, NULL));
  g_assert_cmpuint (box_spool_get_used (fixture->spool), ==, 600);
  g_assert_true (box_spool_admit (fixture->spool, 400, NULL));
  g_assert_false (box_spool_admit (fixture->spool, 401, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_nonnull (strstr (error->message, "max-spool"));
}

static void
test_room_that_was_made_is_used (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxRecording) recording = record (fixture, 1000);
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autoptr (GError) error = NULL;

  g_assert_null (box_spool_record (fixture->spool, intent, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_true (box_recording_remove (recording, NULL));
  g_assert_true (box_spool_admit (fixture->spool, 1000, NULL));
}

/* Makes a file that is an hour old. */
static void
put_old_file (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->dir, name, NULL);
  struct utimbuf old = { .modtime = g_get_real_time () / G_USEC_PER_SEC - 3600 };

  put_file (fixture, name, text);
  g_assert_cmpint (g_utime (path, &old), ==, 0);
}

static gboolean
has_file (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->dir, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
test_what_was_never_begun_is_swept (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSpool) again = NULL;

  put_old_file (fixture, "a.journal.new", "{");
  put_file (fixture, "a.data", "");
  put_old_file (fixture, "b.journal.new", "{");
  put_file (fixture, "b.data", "bytes");
  put_file (fixture, "c.journal.new", "{");
  again = box_spool_open (fixture->dir, 0, NULL);
  g_assert_false (has_file (fixture, "a.journal.new") || has_file (fixture, "a.data"));
  g_assert_true (has_file (fixture, "b.journal.new") && has_file (fixture, "b.data"));
  g_assert_true (has_file (fixture, "c.journal.new"));
}

/* Renames the recording's journal to its first, temporary name. */
static void
unname (Fixture *fixture, BoxRecording *recording)
{
  g_autofree char *named = spool_kit_journal_path (recording);
  g_autofree char *unnamed = g_strconcat (named, BOX_RECORDING_UNNAMED_SUFFIX, NULL);
  struct utimbuf old = { .modtime = g_get_real_time () / G_USEC_PER_SEC - 3600 };

  g_assert_cmpint (g_rename (named, unnamed), ==, 0);
  g_assert_cmpint (g_utime (unnamed, &old), ==, 0);
}

static void
test_recording_that_lost_its_name_gets_it_back (Fixture *fixture, gconstpointer data)
{
  BoxRecording *recording = record (fixture, 4);
  g_autoptr (BoxSpool) again = NULL;
  g_autoptr (GPtrArray) entries = NULL;

  unname (fixture, recording);
  box_recording_unref (recording);
  again = box_spool_open (fixture->dir, 0, NULL);
  entries = list (fixture);
  g_assert_cmpuint (entries->len, ==, 1);
  g_assert_cmpint (((BoxSpoolEntry *) entries->pdata[0])->status, ==, BOX_SPOOL_INTERRUPTED);
}

static void
test_data_without_a_journal_is_listed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;
  const BoxSpoolEntry *lone;

  put_file (fixture, "20260101-000000-00000000.data", "bytes");
  put_file (fixture, "20260102-000000-00000000.data", "bytes");
  put_old_file (fixture, "20260102-000000-00000000.journal.new", "{");
  entries = list (fixture);
  g_assert_cmpuint (entries->len, ==, 2);
  for (guint i = 0; i < entries->len; i++)
    {
      lone = entries->pdata[i];
      g_assert_cmpint (lone->status, ==, BOX_SPOOL_UNREADABLE);
      g_assert_cmpuint (lone->size, ==, 5);
      g_assert_nonnull (strstr (lone->problem, "boxupload put"));
    }
}

static void
test_data_that_is_just_being_made_is_not_listed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;

  put_file (fixture, "20260101-000000-00000000.journal.new", "{");
  put_file (fixture, "20260101-000000-00000000.data", "");
  entries = list (fixture);
  g_assert_cmpuint (entries->len, ==, 0);
}

static void
on_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event,
            gpointer user_data)
{
  g_main_loop_quit (user_data);
}

static gboolean
on_time_out (gpointer user_data)
{
  g_assert_not_reached ();
}

/* Runs until the monitor tells of a change that leaves recording 0 with @status. */
static void
wait_for_status (Fixture *fixture, GMainLoop *loop, BoxSpoolStatus status)
{
  guint guard = g_timeout_add_seconds (KIT_PATIENCE, on_time_out, NULL);

  while (TRUE)
    {
      g_autoptr (GPtrArray) entries = list (fixture);

      if (entries->len == 1 && ((BoxSpoolEntry *) entries->pdata[0])->status == status)
        break;
      g_main_loop_run (loop);
    }
  g_source_remove (guard);
}

static void
test_monitor_tells_of_recordings_and_of_lost_writers (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GFileMonitor) monitor = box_spool_monitor (fixture->spool, NULL);
  g_autoptr (BoxRecording) recording = NULL;

  g_signal_connect (monitor, "changed", G_CALLBACK (on_changed), loop);
  recording = record (fixture, 4);
  g_main_loop_run (loop);
  wait_for_status (fixture, loop, BOX_SPOOL_BUSY);
  g_clear_pointer (&recording, box_recording_unref);
  wait_for_status (fixture, loop, BOX_SPOOL_INTERRUPTED);
}

#define ADD(name, limit, function)                                                                 \
  g_test_add ("/spool/" name, Fixture, GSIZE_TO_POINTER (limit), set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spool/default-directory-is-under-the-state-directory",
                   test_default_directory_is_under_the_state_directory);
  g_test_add_func ("/spool/advice-quotes-the-directory-for-a-shell",
                   test_advice_quotes_the_directory_for_a_shell);
  ADD ("recording-that-lost-its-name-gets-it-back", 0,
       test_recording_that_lost_its_name_gets_it_back);
  ADD ("data-without-a-journal-is-listed", 0, test_data_without_a_journal_is_listed);
  ADD ("data-that-is-just-being-made-is-not-listed", 0,
       test_data_that_is_just_being_made_is_not_listed);
  ADD ("directory-is-made-private", 0, test_directory_is_made_private);
  ADD ("directory-that-others-can-write-is-refused", 0,
       test_directory_that_others_can_write_is_refused);
  ADD ("directory-of-another-user-is-left-to-that-user", 0,
       test_directory_of_another_user_is_left_to_that_user);
  ADD ("file-in-place-of-the-directory-is-refused", 0,
       test_file_in_place_of_the_directory_is_refused);
  ADD ("list-tells-the-state-of-each", 0, test_list_tells_the_state_of_each);
  ADD ("list-begins-with-the-oldest", 0, test_list_begins_with_the_oldest);
  ADD ("names-are-listed-whatever-the-journals-say", 0,
       test_names_are_listed_whatever_the_journals_say);
  ADD ("recording-that-went-is-not-seen-any-more", 0,
       test_a_recording_that_went_is_not_seen_any_more);
  ADD ("listing-does-not-disturb-the-writer", 0, test_listing_does_not_disturb_the_writer);
  ADD ("limit-counts-all-recordings", 1000, test_limit_counts_all_recordings);
  ADD ("room-that-was-made-is-used", 1000, test_room_that_was_made_is_used);
  ADD ("what-was-never-begun-is-swept", 0, test_what_was_never_begun_is_swept);
  ADD ("monitor-tells-of-recordings-and-of-lost-writers", 0,
       test_monitor_tells_of_recordings_and_of_lost_writers);
  return g_test_run ();
}

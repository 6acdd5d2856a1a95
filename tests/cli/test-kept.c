/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload resume and spool with recordings that were cut short, move elsewhere, or do not exist.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "cli-recordings.h"
#include "kit/places.h"

static guint
count_recordings (Fixture *f)
{
  g_autoptr (GPtrArray) recordings = recordings_list (f);

  return recordings->len;
}

static char *
get_recording_name (Fixture *f, guint i)
{
  g_autoptr (GPtrArray) recordings = recordings_list (f);

  g_assert_cmpuint (i, <, recordings->len);
  return g_strdup (((BoxSpoolEntry *) recordings->pdata[i])->name);
}

static void
test_cut_short_that_does_not_play_is_said_and_kept (Fixture *f, gconstpointer data)
{
  g_auto (Answer) resumed = { 0 };
  g_auto (Answer) again = { 0 };
  g_auto (Answer) listed = { 0 };

  fixture_write_file (f, "a.mp4", 1000, 1);
  recordings_leave_interrupted (f, "a.mp4");
  resumed = RUN (f, "resume");
  g_assert_cmpint (resumed.code, ==, 0);
  g_assert_nonnull (strstr (resumed.out, "was cut short and may not play: the recording stays"));
  fixture_assert_at_box (f, "a.mp4", "a.mp4");
  listed = RUN (f, "spool");
  g_assert_nonnull (strstr (listed.out, ": kept, 1.0 kB"));
  again = RUN (f, "resume");
  g_assert_cmpint (again.code, ==, 0);
  g_assert_nonnull (strstr (again.out, "Nothing to finish"));
  g_assert_nonnull (strstr (again.out, "1 kept"));
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_file"), ==, 1);
}

static void
assert_cut (const char *line, gboolean may_not_play, gboolean kept)
{
  g_autoptr (JsonObject) object = parse_line (line, -1);

  g_assert_cmpstr (json_object_get_string_member (object, "event"), ==, "complete");
  g_assert_true (json_object_get_boolean_member (object, "interrupted"));
  g_assert_cmpint (json_object_get_boolean_member (object, "may_not_play"), ==, may_not_play);
  g_assert_cmpint (json_object_get_boolean_member (object, "kept"), ==, kept);
}

static void
test_json_says_what_was_cut_short (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *name;
    const char *option;
    gboolean may_not_play;
    gboolean kept;
  } cases[] = {
    { "a.mp4", "--parallel=1", TRUE, TRUE },
    { "b.mp4", "--keep-interrupted=none", TRUE, FALSE },
    { "c.mkv", "--keep-interrupted=unplayable", FALSE, FALSE },
    { "d.mkv", "--keep-interrupted", FALSE, TRUE },
    { "e.unknown", "--parallel=1", TRUE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint before = count_recordings (f);
      g_auto (Answer) answer = { 0 };

      g_test_message ("%s", cases[i].name);
      fixture_write_file (f, cases[i].name, 1000, (guint32) i);
      recordings_leave_interrupted (f, cases[i].name);
      answer = RUN (f, "resume", "--json", cases[i].option);
      g_assert_cmpint (answer.code, ==, 0);
      assert_cut (answer.out, cases[i].may_not_play, cases[i].kept);
      g_assert_cmpuint (count_recordings (f), ==, before + (cases[i].kept ? 1 : 0));
    }
}

static void
test_a_whole_recording_is_not_said_to_be_cut_short (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a.mp4", 1000, 1);
  recordings_leave_complete (f, "a.mp4");
  answer = RUN (f, "resume");
  g_assert_null (strstr (answer.out, "cut short"));
  g_assert_cmpuint (count_recordings (f), ==, 0);
}

static void
test_which_to_keep_is_checked (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = RUN (f, "resume", "--keep-interrupted=some");

  g_assert_cmpint (answer.code, ==, 2);
}

/* A recording "a" whose name is taken, and "b". */
static void
leave_two (Fixture *f)
{
  g_autofree char *taken = box_emulator_add_file (f->emulator, "0", "a", "other", 5);

  g_assert_nonnull (taken);
  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_complete (f, "a");
  fixture_write_file (f, "b", 2000, 2);
}

static void
test_a_taken_name_is_no_dead_end (Fixture *f, gconstpointer data)
{
  g_auto (Answer) failed = { 0 };
  g_auto (Answer) listed = { 0 };
  g_auto (Answer) renamed = { 0 };

  leave_two (f);
  failed = RUN (f, "resume");
  g_assert_cmpint (failed.code, ==, 7);
  g_assert_nonnull (strstr (failed.err, "To send it elsewhere:  boxupload resume --spool-dir '"));
  listed = RUN (f, "spool");
  g_assert_nonnull (strstr (listed.out, "item_name_in_use"));
  renamed = RUN (f, "resume", "--name", "c");
  g_assert_cmpint (renamed.code, ==, 0);
  fixture_assert_at_box (f, "c", "a");
  g_assert_cmpuint (count_recordings (f), ==, 0);
}

static void
test_another_policy_is_another_way_out (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  leave_two (f);
  answer = RUN (f, "resume", "--if-exists", "rename");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a (1)", "a");
}

static void
test_another_name_is_for_one_recording (Fixture *f, gconstpointer data)
{
  g_autofree char *name = NULL;
  g_auto (Answer) refused = { 0 };
  g_auto (Answer) unknown = { 0 };
  g_auto (Answer) chosen = { 0 };

  leave_two (f);
  name = get_recording_name (f, 0);
  recordings_leave_complete (f, "b");
  refused = RUN (f, "resume", "--name", "c");
  g_assert_cmpint (refused.code, ==, 2);
  g_assert_nonnull (strstr (refused.err, "--only"));
  unknown = RUN (f, "resume", "--only", "nothing", "--name", "c");
  g_assert_cmpint (unknown.code, ==, 6);
  chosen = RUN (f, "resume", "--only", name, "--name", "c");
  g_assert_cmpint (chosen.code, ==, 0);
  fixture_assert_at_box (f, "c", "a");
  g_assert_cmpuint (count_recordings (f), ==, 1);
}

/* Another name for it would be forgotten otherwise, with exit code 0. */
static void
test_what_another_process_has_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxRecording) busy = NULL;
  g_autofree char *name = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "busy", 3000, 3);
  busy = recordings_begin (f, "busy");
  name = get_recording_name (f, 0);
  answer = RUN (f, "resume", "--only", name, "--name", "other");
  g_assert_cmpint (answer.code, ==, 14);
  g_assert_nonnull (strstr (answer.err, "another process"));
}

static void
test_where_it_goes_is_remembered (Fixture *f, gconstpointer data)
{
  g_auto (Answer) down = { 0 };
  g_auto (Answer) up = { 0 };

  leave_two (f);
  box_emulator_set_down (f->emulator, TRUE);
  down = RUN (f, "resume", "--name", "c", "--retry-timeout", "1");
  g_assert_cmpint (down.code, ==, 75);
  box_emulator_set_down (f->emulator, FALSE);
  up = RUN (f, "resume");
  g_assert_cmpint (up.code, ==, 0);
  fixture_assert_at_box (f, "c", "a");
}

static void
test_a_failure_is_one_object (Fixture *f, gconstpointer data)
{
  g_autoptr (JsonObject) failed = NULL;
  g_auto (Answer) answer = { 0 };

  leave_two (f);
  answer = RUN (f, "resume", "--json");
  g_assert_cmpint (answer.code, ==, 7);
  failed = parse_line (answer.out, -1);
  g_assert_true (strstr (answer.out, "\"error\":") == g_strrstr (answer.out, "\"error\":"));
  g_assert_cmpstr (json_object_get_string_member (failed, "event"), ==, "failed");
  g_assert_nonnull (json_object_get_string_member (failed, "path"));
  g_assert_nonnull (json_object_get_object_member (failed, "error"));
}

static void
test_nothing_to_do_is_said (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = recordings_dir (f);
  g_auto (Answer) missing = RUN (f, "resume");
  g_auto (Answer) no_spool = RUN (f, "spool");
  g_auto (Answer) empty = { 0 };
  g_auto (Answer) empty_spool = { 0 };
  g_auto (Answer) json = { 0 };

  g_assert_nonnull (strstr (missing.out, "is not there"));
  g_assert_nonnull (strstr (no_spool.out, "is not there"));
  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  empty = RUN (f, "resume");
  g_assert_cmpint (empty.code, ==, 0);
  g_assert_nonnull (strstr (empty.out, "is empty"));
  empty_spool = RUN (f, "spool");
  g_assert_nonnull (strstr (empty_spool.out, "is empty"));
  json = RUN (f, "resume", "--json");
  g_assert_nonnull (strstr (json.out, "{\"event\":\"nothing\",\"path\":"));
}

/* Its recorder had no spool. */
static void
test_a_session_that_was_left_is_named (Fixture *f, gconstpointer data)
{
  g_auto (Answer) created = RUN (f, "create", "--size", "20MiB", "--name", "left");
  g_auto (Answer) empty = RUN (f, "create", "--size", "20MiB", "--name", "empty");
  const char *id = g_strchomp (created.out);
  g_autofree guint8 *part = g_malloc0 (PART_SIZE);
  g_auto (Answer) answer = { 0 };

  g_assert_true (box_emulator_add_part (f->emulator, id, 0, part, PART_SIZE));
  answer = RUN (f, "resume");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.err, id));
  g_assert_nonnull (strstr (answer.err, "(“left”) holds 1 of 20 parts"));
  g_assert_null (strstr (answer.err, g_strchomp (empty.out)));
}

static void
test_data_without_a_journal_is_reported (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = recordings_dir (f);
  g_autofree char *path = g_build_filename (dir, "20200101-000000-00000000.data", NULL);
  g_auto (Answer) listed = { 0 };
  g_auto (Answer) resumed = { 0 };

  fixture_write_file (f, "b", 1000, 1);
  recordings_leave_complete (f, "b");
  g_assert_true (g_file_set_contents (path, "bytes", 5, NULL));
  listed = RUN (f, "spool");
  g_assert_nonnull (strstr (listed.out, "unreadable"));
  resumed = RUN (f, "resume");
  g_assert_cmpint (resumed.code, ==, 13);
  g_assert_nonnull (strstr (resumed.err, "has no journal"));
  fixture_assert_at_box (f, "b", "b");
}

static void
test_a_recording_is_exported_under_its_name (Fixture *f, gconstpointer data)
{
  g_autofree char *name = NULL;
  g_autofree char *sha1 = NULL;
  g_autofree char *exported_sha1 = NULL;
  g_autofree char *path = g_build_filename (f->dir, "out", "a.mp4", NULL);
  g_autofree char *out = g_path_get_dirname (path);
  g_auto (Answer) exported = { 0 };
  g_auto (Answer) refused = { 0 };
  g_auto (Answer) forced = { 0 };

  fixture_write_file (f, "a.mp4", 300000, 1);
  sha1 = fixture_sha1 (f, "a.mp4");
  recordings_leave_complete (f, "a.mp4");
  name = get_recording_name (f, 0);
  g_assert_cmpint (g_mkdir (out, 0700), ==, 0);
  exported = RUN (f, "spool", "export", name, "out");
  g_assert_cmpint (exported.code, ==, 0);
  exported_sha1 = fixture_sha1 (f, "out/a.mp4");
  g_assert_cmpstr (exported_sha1, ==, sha1);
  refused = RUN (f, "spool", "export", name, "out");
  g_assert_cmpint (refused.code, ==, 13);
  forced = RUN (f, "spool", "export", name, "out/a.mp4", "--force", "--json");
  g_assert_cmpint (forced.code, ==, 0);
  g_assert_nonnull (strstr (forced.out, "\"size\":300000"));
  g_assert_cmpuint (count_recordings (f), ==, 1);
  g_unlink (path);
  g_rmdir (out);
}

static void
test_removing_is_confirmed (Fixture *f, gconstpointer data)
{
  g_autofree char *name = NULL;
  g_auto (Answer) refused = { 0 };
  g_auto (Answer) unknown = RUN (f, "spool", "rm", "../nothing", "--force");
  g_auto (Answer) incomplete = RUN (f, "spool", "rm");
  g_auto (Answer) removed = { 0 };

  g_assert_cmpint (unknown.code, ==, 6);
  g_assert_cmpint (incomplete.code, ==, 2);
  fixture_write_file (f, "a.mp4", 1000, 1);
  recordings_leave_complete (f, "a.mp4");
  name = get_recording_name (f, 0);
  refused = RUN (f, "spool", "rm", name);
  g_assert_cmpint (refused.code, ==, 2);
  g_assert_nonnull (strstr (refused.err, "--force"));
  g_assert_cmpuint (count_recordings (f), ==, 1);
  removed = RUN (f, "spool", "rm", name, "--force");
  g_assert_cmpint (removed.code, ==, 0);
  g_assert_cmpuint (count_recordings (f), ==, 0);
}

static void
test_removing_is_asked_at_a_terminal (Fixture *f, gconstpointer data)
{
  g_autofree char *name = NULL;
  g_auto (Answer) no = { 0 };
  g_auto (Answer) yes = { 0 };

  fixture_write_file (f, "a.mp4", 1000, 1);
  recordings_leave_complete (f, "a.mp4");
  name = get_recording_name (f, 0);
  no = fixture_type_on_terminal (f, "\n", (const char *const[]){ "spool", "rm", name, NULL });
  g_assert_nonnull (strstr (no.out, "which Box does not have? [y/N]"));
  g_assert_nonnull (strstr (no.out, "not removed"));
  g_assert_cmpuint (count_recordings (f), ==, 1);
  yes = fixture_type_on_terminal (f, "y\n", (const char *const[]){ "spool", "rm", name, NULL });
  g_assert_cmpint (yes.code, ==, 0);
  g_assert_cmpuint (count_recordings (f), ==, 0);
}

static void
test_what_is_being_made_is_neither_exported_nor_removed (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxRecording) busy = NULL;
  g_autofree char *name = NULL;
  g_auto (Answer) exported = { 0 };
  g_auto (Answer) removed = { 0 };

  fixture_write_file (f, "a.mp4", 1000, 1);
  busy = recordings_begin (f, "a.mp4");
  name = get_recording_name (f, 0);
  exported = RUN (f, "spool", "export", name, "copy.mp4");
  g_assert_cmpint (exported.code, ==, 14);
  removed = RUN (f, "spool", "rm", name, "--force");
  g_assert_cmpint (removed.code, ==, 14);
  g_assert_cmpuint (count_recordings (f), ==, 1);
}

static void
test_data_without_a_journal_is_exported_and_removed (Fixture *f, gconstpointer data)
{
  static const char name[] = "20200101-000000-00000000";
  g_autofree char *dir = recordings_dir (f);
  g_autofree char *path = g_strdup_printf ("%s/%s.data", dir, name);
  g_autofree char *copy = g_build_filename (f->dir, "copy", NULL);
  g_autofree char *text = NULL;
  g_auto (Answer) exported = { 0 };
  g_auto (Answer) removed = { 0 };

  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, "bytes", 5, NULL));
  exported = RUN (f, "spool", "export", name, "copy");
  g_assert_cmpint (exported.code, ==, 0);
  text = kit_read_text (copy);
  g_assert_cmpstr (text, ==, "bytes");
  removed = RUN (f, "spool", "rm", name, "--force");
  g_assert_cmpint (removed.code, ==, 0);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_watch_says_what_it_watches (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = recordings_dir (f);
  g_autofree char *line = g_strdup_printf ("watching %s, which was not there and was made", dir);
  GSubprocess *process = START (f, "watch");
  g_auto (Answer) answer = { 0 };

  fixture_wait_for_complaint (process, line);
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/kept/cut-short-that-does-not-play",
            test_cut_short_that_does_not_play_is_said_and_kept);
  ADD_TEST ("/cli/kept/json-says-what-was-cut-short", test_json_says_what_was_cut_short);
  ADD_TEST ("/cli/kept/whole-is-not-said-to-be-cut-short",
            test_a_whole_recording_is_not_said_to_be_cut_short);
  ADD_TEST ("/cli/kept/which-is-checked", test_which_to_keep_is_checked);
  ADD_TEST ("/cli/redirect/taken-name-is-no-dead-end", test_a_taken_name_is_no_dead_end);
  ADD_TEST ("/cli/redirect/another-policy", test_another_policy_is_another_way_out);
  ADD_TEST ("/cli/redirect/name-is-for-one-recording", test_another_name_is_for_one_recording);
  ADD_TEST ("/cli/redirect/what-another-process-has-is-said",
            test_what_another_process_has_is_said);
  ADD_TEST ("/cli/redirect/is-remembered", test_where_it_goes_is_remembered);
  ADD_TEST ("/cli/resume/failure-is-one-object", test_a_failure_is_one_object);
  ADD_TEST ("/cli/resume/nothing-to-do-is-said", test_nothing_to_do_is_said);
  ADD_TEST ("/cli/resume/session-that-was-left-is-named", test_a_session_that_was_left_is_named);
  ADD_TEST ("/cli/resume/data-without-a-journal-is-reported",
            test_data_without_a_journal_is_reported);
  ADD_TEST ("/cli/spool/export-under-its-name", test_a_recording_is_exported_under_its_name);
  ADD_TEST ("/cli/spool/removing-is-confirmed", test_removing_is_confirmed);
  ADD_TEST ("/cli/spool/removing-is-asked-at-a-terminal", test_removing_is_asked_at_a_terminal);
  ADD_TEST ("/cli/spool/what-is-being-made-stays",
            test_what_is_being_made_is_neither_exported_nor_removed);
  ADD_TEST ("/cli/spool/data-without-a-journal-is-exported-and-removed",
            test_data_without_a_journal_is_exported_and_removed);
  ADD_TEST ("/cli/watch/says-what-it-watches", test_watch_says_what_it_watches);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload put --recursive: a directory and all that is in it. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli-fixture.h"
#include "kit/patience.h"

static void
make_dir (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
}

/* A tree of three files in two levels, one of them large. */
static void
make_tree (Fixture *f)
{
  make_dir (f, "show/day 1/cam");
  fixture_write_file (f, "show/notes", 100, 1);
  fixture_write_file (f, "show/day 1/a.mp4", SESSION_FILE_SIZE, 2);
  fixture_write_file (f, "show/day 1/cam/b.mp4", 0, 3);
}

static void
assert_in_folder (Fixture *f, const char *folder, const char *name, const char *local)
{
  g_autofree char *id =
      *folder != '\0' ? box_emulator_find_folder (f->emulator, folder) : g_strdup ("0");
  g_autofree char *sha1 = fixture_sha1 (f, local);
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_nonnull (id);
  file = box_emulator_find_file (f->emulator, id, name);
  g_assert_nonnull (file);
  g_assert_cmpstr (file->sha1, ==, sha1);
  g_assert_cmpuint (file->n_versions, ==, 1);
}

static void
test_a_directory_becomes_a_folder (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  make_tree (f);
  answer = RUN (f, "put", "--recursive", "show");
  g_assert_cmpint (answer.code, ==, 0);
  assert_in_folder (f, "show", "notes", "show/notes");
  assert_in_folder (f, "show/day 1", "a.mp4", "show/day 1/a.mp4");
  assert_in_folder (f, "show/day 1/cam", "b.mp4", "show/day 1/cam/b.mp4");
  g_assert_cmpuint (box_emulator_count_folders (f->emulator), ==, 3);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 3);
}

static void
test_a_slash_means_what_is_in_it (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  make_tree (f);
  answer = RUN (f, "put", "-r", "show/", "--folder-path", "Archive/2026");
  g_assert_cmpint (answer.code, ==, 0);
  assert_in_folder (f, "Archive/2026", "notes", "show/notes");
  assert_in_folder (f, "Archive/2026/day 1/cam", "b.mp4", "show/day 1/cam/b.mp4");
  g_assert_cmpuint (box_emulator_count_folders (f->emulator), ==, 4);
}

static void
test_a_tree_that_is_there_is_skipped (Fixture *f, gconstpointer data)
{
  g_auto (Answer) first = { 0 }, again = { 0 };
  guint n_parts;

  make_tree (f);
  first = RUN (f, "put", "-r", "show", "--if-exists", "skip");
  g_assert_cmpint (first.code, ==, 0);
  n_parts = box_emulator_count (f->emulator, "upload_part");
  fixture_write_file (f, "show/day 1/new", 1000, 4);
  again = RUN (f, "put", "-r", "show", "--if-exists", "skip");
  g_assert_cmpint (again.code, ==, 0);
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==, n_parts);
  assert_in_folder (f, "show/day 1", "new", "show/day 1/new");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 4);
  g_assert_cmpuint (box_emulator_count_folders (f->emulator), ==, 3);
}

static void
test_what_is_no_file_fails_alone (Fixture *f, gconstpointer data)
{
  g_autofree char *link = g_build_filename (f->dir, "show", "link", NULL);
  g_autofree char *loop = g_build_filename (f->dir, "show", "loop", NULL);
  g_autofree char *fifo = g_build_filename (f->dir, "show", "fifo", NULL);
  g_auto (Answer) answer = { 0 };

  make_tree (f);
  fixture_write_file (f, "elsewhere", 10, 5);
  g_assert_cmpint (symlink ("../elsewhere", link), ==, 0);
  g_assert_cmpint (symlink (".", loop), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  answer = RUN (f, "put", "-r", "show");
  g_assert_cmpint (answer.code, ==, 13);
  g_assert_nonnull (strstr (answer.err, "show/link: This is a symbolic link"));
  g_assert_nonnull (strstr (answer.err, "show/fifo: This is neither a file nor a directory"));
  g_assert_nonnull (strstr (answer.err, "3 of 6 files not uploaded"));
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 3);
}

static void
test_names_that_box_does_not_take_fail_alone (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  make_tree (f);
  fixture_write_file (f, "show/back\\slash", 10, 5);
  fixture_write_file (f, "show/\xff\xfe", 10, 5);
  answer = RUN (f, "put", "-r", "show");
  g_assert_cmpint (answer.code, ==, 2);
  g_assert_nonnull (strstr (answer.err, "2 of 5 files not uploaded"));
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 3);
}

static void
test_missing_folders_are_not_made_if_so_said (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  make_tree (f);
  answer = RUN (f, "put", "-r", "show", "--no-create-folders");
  g_assert_cmpint (answer.code, ==, 6);
  g_assert_cmpuint (box_emulator_count_folders (f->emulator), ==, 0);
}

static void
test_an_interrupted_tree_goes_on (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;
  GSubprocess *process;

  make_tree (f);
  fixture_load (f, RULE ({"route": "upload_part", "from": 8, "do": "hold"}));
  process = START (f, "put", "-r", "show", "--if-exists", "skip", "--parallel", "1");
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_part", 8, KIT_PATIENCE_MS));
  g_subprocess_force_exit (process);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_object_unref (process);
  box_emulator_clear_scenario (f->emulator);
  answer = RUN (f, "put", "-r", "show", "--if-exists", "skip");
  g_assert_cmpint (answer.code, ==, 0);
  ids = box_emulator_get_session_ids (f->emulator);
  g_assert_cmpuint (ids->len, ==, 1);
  session = box_emulator_get_session (f->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpuint (session->received[0], ==, 1);
  assert_in_folder (f, "show/day 1", "a.mp4", "show/day 1/a.mp4");
}

static void
test_options_for_one_file_are_refused (Fixture *f, gconstpointer data)
{
  g_auto (Answer) named = { 0 }, plain = { 0 };

  make_tree (f);
  named = RUN (f, "put", "-r", "show", "--name", "other");
  plain = RUN (f, "put", "show");
  g_assert_cmpint (named.code, ==, 2);
  g_assert_cmpint (plain.code, ==, 13);
  g_assert_nonnull (strstr (plain.err, "--recursive"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/tree/becomes-a-folder", test_a_directory_becomes_a_folder);
  ADD_TEST ("/cli/tree/slash-means-what-is-in-it", test_a_slash_means_what_is_in_it);
  ADD_TEST ("/cli/tree/that-is-there-is-skipped", test_a_tree_that_is_there_is_skipped);
  ADD_TEST ("/cli/tree/what-is-no-file-fails-alone", test_what_is_no_file_fails_alone);
  ADD_TEST ("/cli/tree/names-that-box-does-not-take-fail-alone",
            test_names_that_box_does_not_take_fail_alone);
  ADD_TEST ("/cli/tree/missing-folders-are-not-made-if-so-said",
            test_missing_folders_are_not_made_if_so_said);
  ADD_TEST ("/cli/tree/interrupted-goes-on", test_an_interrupted_tree_goes_on);
  ADD_TEST ("/cli/tree/options-for-one-file-are-refused", test_options_for_one_file_are_refused);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload put of a file that it has uploaded before, or has begun to. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cli-fixture.h"

/* Parts that Box has when the first run dies. */
#define N_BEFORE 7

static guint
count_receipts (Fixture *f)
{
  g_autofree char *path = g_build_filename (f->state, "boxupload", "uploads", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static char *
get_session_id (Fixture *f, guint i)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (f->emulator);

  g_assert_cmpuint (ids->len, >, i);
  return g_strdup (g_ptr_array_index (ids, i));
}

static guint
count_sessions (Fixture *f)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (f->emulator);

  return ids->len;
}

/* "put a", killed when Box has N_BEFORE of its parts, and has begun to receive another. */
static void
put_and_kill (Fixture *f, const char *option, const char *value)
{
  GSubprocess *process;

  fixture_load (f, RULE ({"route": "upload_part", "from": 8, "do": "hold"}));
  process = START (f, "put", "a", "--parallel", "1", option, value);
  g_assert_true (
      box_emulator_wait_seen (f->emulator, "upload_part", N_BEFORE + 1, KIT_PATIENCE_MS));
  g_subprocess_force_exit (process);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_object_unref (process);
  box_emulator_clear_scenario (f->emulator);
}

static void
test_what_was_begun_goes_on (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autofree char *id = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  put_and_kill (f, NULL, NULL);
  g_assert_cmpuint (count_receipts (f), ==, 1);
  answer = RUN (f, "put", "a");
  g_assert_cmpint (answer.code, ==, 0);
  id = get_session_id (f, 0);
  g_assert_nonnull (strstr (answer.err, id));
  session = box_emulator_get_session (f->emulator, id);
  for (guint i = 0; i < N_BEFORE; i++)
    g_assert_cmpuint (session->received[i], ==, 1);
  fixture_assert_at_box (f, "a", "a");
  g_assert_cmpuint (count_sessions (f), ==, 1);
  g_assert_cmpuint (count_receipts (f), ==, 0);
}

static void
test_another_name_is_another_upload (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  put_and_kill (f, NULL, NULL);
  answer = RUN (f, "put", "a", "--name", "b");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "b", "a");
  g_assert_cmpuint (count_sessions (f), ==, 2);
  g_assert_cmpuint (count_receipts (f), ==, 1);
}

static void
test_a_session_that_expired_is_replaced (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autofree char *id = NULL;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  put_and_kill (f, NULL, NULL);
  id = get_session_id (f, 0);
  box_emulator_expire_session (f->emulator, id);
  answer = RUN (f, "put", "a");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.err, "from its beginning"));
  fixture_assert_at_box (f, "a", "a");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
  g_assert_cmpuint (count_receipts (f), ==, 0);
}

static void
test_a_session_that_is_unknown_is_replaced (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autofree char *id = NULL;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  put_and_kill (f, "--if-exists", "rename");
  id = get_session_id (f, 0);
  box_emulator_drop_session (f->emulator, id);
  answer = RUN (f, "put", "a", "--if-exists", "rename");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
}

static void
test_a_session_that_expires_on_the_way_is_replaced (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "nth": 5, "do": "reply", "status": 410,
    "json": {"code": "session_expired", "message": "gone"}}));
  answer = RUN (f, "put", "a");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

/* Bytes that were changed behind the file system's back: the digest of the whole finds them. */
static void
test_a_session_with_other_bytes_is_replaced (Fixture *f, gconstpointer data)
{
  const struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  g_auto (Answer) answer = { 0 };
  int fd;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  put_and_kill (f, NULL, NULL);
  fd = open (path, O_WRONLY);
  g_assert_cmpint (pwrite (fd, "other", 5, 10), ==, 5);
  close (fd);
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  answer = RUN (f, "put", "a");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
  g_assert_cmpuint (count_sessions (f), ==, 2);
}

static void
test_a_file_that_changed_since_is_another_upload (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  put_and_kill (f, NULL, NULL);
  fixture_write_file (f, "a", SESSION_FILE_SIZE, 2);
  answer = RUN (f, "put", "a");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

/* The first run dies when Box has made the file, and before it hears of it. */
static void
test_a_file_that_was_committed_is_found (Fixture *f, gconstpointer data)
{
  static const gsize sizes[] = { 1000, SESSION_FILE_SIZE };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_auto (Answer) answer = { 0 };
      g_autoptr (BoxEmulatorFile) file = NULL;
      GSubprocess *process;

      fixture_write_file (f, name, sizes[i], i);
      fixture_load (f, RULE ({"route": ["commit", "upload_file"], "times": 1, "do": "hold",
        "at": "stored", "name": "gate"}));
      process = START (f, "put", name, "--if-exists", "version");
      g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
      g_subprocess_force_exit (process);
      g_assert_true (g_subprocess_wait (process, NULL, NULL));
      g_object_unref (process);
      box_emulator_release (f->emulator, "gate");
      answer = RUN (f, "put", name, "--if-exists", "version");
      g_assert_cmpint (answer.code, ==, 0);
      file = box_emulator_find_file (f->emulator, "0", name);
      g_assert_cmpuint (file->n_versions, ==, 1);
      fixture_assert_at_box (f, name, name);
      box_emulator_clear_scenario (f->emulator);
    }
  g_assert_cmpuint (count_receipts (f), ==, 0);
}

static void
test_a_damaged_receipt_costs_only_time (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->state, "boxupload", "uploads", NULL);
  g_autoptr (GDir) dir = NULL;
  g_autofree char *receipt = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  put_and_kill (f, NULL, NULL);
  dir = g_dir_open (path, 0, NULL);
  receipt = g_build_filename (path, g_dir_read_name (dir), NULL);
  g_assert_true (g_file_set_contents (receipt, "{\"record\":\"session\"}\nnonsense", -1, NULL));
  answer = RUN (f, "put", "a");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

static void
test_a_second_process_does_without_the_receipt (Fixture *f, gconstpointer data)
{
  g_auto (Answer) first = { 0 }, second = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "times": 1, "do": "hold", "name": "gate"}));
  process = START (f, "put", "a", "--if-exists", "rename");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  second = RUN (f, "put", "a", "--if-exists", "rename");
  g_assert_cmpint (second.code, ==, 0);
  box_emulator_release (f->emulator, "gate");
  first = fixture_finish (process);
  g_assert_cmpint (first.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  fixture_assert_at_box (f, "a (1)", "a");
}

/* ---- skip ---- */

static void
test_the_same_file_is_skipped (Fixture *f, gconstpointer data)
{
  static const gsize sizes[] = { 0, 1000, SESSION_FILE_SIZE };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_auto (Answer) first = { 0 }, again = { 0 }, json = { 0 };
      g_autoptr (JsonObject) object = NULL;
      guint n_parts, n_files;

      fixture_write_file (f, name, sizes[i], i);
      first = RUN (f, "put", name, "--if-exists", "skip");
      g_assert_cmpint (first.code, ==, 0);
      n_parts = box_emulator_count (f->emulator, "upload_part");
      n_files = box_emulator_count (f->emulator, "upload_file");
      again = RUN (f, "put", name, "--if-exists", "skip");
      json = RUN (f, "put", name, "--if-exists", "skip", "--json");
      g_assert_cmpint (again.code, ==, 0);
      g_assert_nonnull (strstr (again.out, "nothing was sent"));
      object = parse_line (json.out, -1);
      g_assert_cmpstr (json_object_get_string_member (object, "event"), ==, "skipped");
      g_assert_nonnull (json_object_get_string_member (object, "file_id"));
      g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==, n_parts);
      g_assert_cmpuint (box_emulator_count (f->emulator, "upload_file"), ==, n_files);
    }
  g_assert_cmpuint (count_receipts (f), ==, 0);
}

static void
test_another_file_of_the_name_is_not_skipped (Fixture *f, gconstpointer data)
{
  static const gsize sizes[] = { 999, 1000, 1001 };

  fixture_write_file (f, "a", 1000, 1);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *name = g_strdup_printf ("name-%u", i);
      g_auto (Answer) theirs = { 0 }, ours = { 0 };

      fixture_write_file (f, "other", sizes[i], 2);
      theirs = RUN (f, "put", "other", "--name", name);
      g_assert_cmpint (theirs.code, ==, 0);
      ours = RUN (f, "put", "a", "--name", name, "--if-exists", "skip");
      g_assert_cmpint (ours.code, ==, 7);
      fixture_assert_at_box (f, name, "other");
    }
}

static void
test_skip_is_about_names (Fixture *f, gconstpointer data)
{
  g_auto (Answer) file = RUN (f, "put", "a", "--file", "1", "--if-exists", "skip");
  g_auto (Answer) input = RUN (f, "put", "-", "--name", "a", "--if-exists", "skip");
  g_auto (Answer) resume = RUN (f, "resume", "--if-exists", "skip");

  g_assert_cmpint (file.code, ==, 2);
  g_assert_cmpint (input.code, ==, 2);
  g_assert_cmpint (resume.code, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/again/what-was-begun-goes-on", test_what_was_begun_goes_on);
  ADD_TEST ("/cli/again/another-name-is-another-upload", test_another_name_is_another_upload);
  ADD_TEST ("/cli/again/session-that-expired-is-replaced", test_a_session_that_expired_is_replaced);
  ADD_TEST ("/cli/again/session-that-is-unknown-is-replaced",
            test_a_session_that_is_unknown_is_replaced);
  ADD_TEST ("/cli/again/session-that-expires-on-the-way-is-replaced",
            test_a_session_that_expires_on_the_way_is_replaced);
  ADD_TEST ("/cli/again/session-with-other-bytes-is-replaced",
            test_a_session_with_other_bytes_is_replaced);
  ADD_TEST ("/cli/again/file-that-changed-since-is-another-upload",
            test_a_file_that_changed_since_is_another_upload);
  ADD_TEST ("/cli/again/file-that-was-committed-is-found", test_a_file_that_was_committed_is_found);
  ADD_TEST ("/cli/again/damaged-receipt-costs-only-time", test_a_damaged_receipt_costs_only_time);
  ADD_TEST ("/cli/again/second-process-does-without-the-receipt",
            test_a_second_process_does_without_the_receipt);
  ADD_TEST ("/cli/skip/same-file", test_the_same_file_is_skipped);
  ADD_TEST ("/cli/skip/another-file-of-the-name-is-not",
            test_another_file_of_the_name_is_not_skipped);
  ADD_TEST ("/cli/skip/is-about-names", test_skip_is_about_names);
  return g_test_run ();
}

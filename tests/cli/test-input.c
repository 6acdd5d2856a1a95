/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload put -: standard input, of known and unknown length. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "cli-recordings.h"

#define START_WITH_INPUT(f, ...)                                                                   \
  fixture_start_with_input (f, (const char *const[]){ __VA_ARGS__, NULL })

/* Writes @size bytes of the file @name, from @offset on, to the program's input. */
static void
feed (Fixture *f, GSubprocess *process, const char *name, gsize offset, gsize size)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  g_assert_cmpuint (offset + size, <=, length);
  g_output_stream_write_all (g_object_get_data (G_OBJECT (process), "input"), data + offset, size,
                             NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
end_input (GSubprocess *process)
{
  g_object_set_data (G_OBJECT (process), "input", NULL);
}

static void
assert_spool_is_empty (Fixture *f)
{
  g_autoptr (GPtrArray) recordings = recordings_list (f);

  g_assert_cmpuint (recordings->len, ==, 0);
}

/* Runs @script by a shell in which "$@" is the program with its @arguments. */
static Answer
run_by_shell (Fixture *f, const char *script, const char *const *arguments)
{
  g_auto (GStrv) command = fixture_command (f, arguments);
  g_auto (GStrv) environment = fixture_environment (f);
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GPtrArray) shell = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_ptr_array_add (shell, (char *) "sh");
  g_ptr_array_add (shell, (char *) "-c");
  g_ptr_array_add (shell, (char *) script);
  g_ptr_array_add (shell, (char *) "sh");
  for (guint i = 0; command[i] != NULL; i++)
    g_ptr_array_add (shell, command[i]);
  g_ptr_array_add (shell, NULL);
  g_subprocess_launcher_set_cwd (launcher, f->dir);
  g_subprocess_launcher_set_environ (launcher, environment);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) shell->pdata, &error);
  g_assert_no_error (error);
  return fixture_finish (process);
}
#define RUN_BY_SHELL(f, script, ...)                                                               \
  run_by_shell (f, script, (const char *const[]){ __VA_ARGS__, NULL })

/* Standard input as @redirection of a shell gives it. */
static Answer
run_redirected (Fixture *f, const char *redirection, const char *const *arguments)
{
  g_autofree char *script = g_strconcat ("exec \"$@\" ", redirection, NULL);

  return run_by_shell (f, script, arguments);
}
#define RUN_REDIRECTED(f, redirection, ...)                                                        \
  run_redirected (f, redirection, (const char *const[]){ __VA_ARGS__, NULL })

static void
test_input_of_any_length_arrives (Fixture *f, gconstpointer data)
{
  static const gsize sizes[] = { 1, 19999999, 20000000, SESSION_FILE_SIZE + 1 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_autofree char *sha1 = NULL;
      g_auto (Answer) answer = { 0 };
      GSubprocess *process;

      fixture_write_file (f, name, sizes[i], i);
      sha1 = fixture_sha1 (f, name);
      process = START_WITH_INPUT (f, "put", "-", "--name", name);
      feed (f, process, name, 0, sizes[i]);
      end_input (process);
      answer = fixture_finish (process);
      g_assert_cmpint (answer.code, ==, 0);
      g_assert_true (g_str_has_prefix (answer.out, name));
      g_assert_nonnull (strstr (answer.out, sha1));
      g_assert_cmpstr (answer.err, ==, "");
      fixture_assert_at_box (f, name, name);
    }
  assert_spool_is_empty (f);
}

static void
test_the_end_of_the_input_is_told_with_its_recording (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (JsonObject) spooled = NULL, complete = NULL;
  GSubprocess *process = START_WITH_INPUT (f, "put", "-", "--name", "a", "--json");

  fixture_write_file (f, "a", 1000, 1);
  feed (f, process, "a", 0, 1000);
  end_input (process);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  spooled = parse_line (answer.out, 0);
  complete = parse_line (answer.out, -1);
  g_assert_cmpstr (json_object_get_string_member (spooled, "event"), ==, "spooled");
  g_assert_cmpint (json_object_get_int_member (spooled, "size"), ==, 1000);
  g_assert_false (json_object_get_boolean_member (spooled, "interrupted"));
  g_assert_nonnull (strstr (json_object_get_string_member (spooled, "recording"), ".data"));
  g_assert_cmpstr (json_object_get_string_member (complete, "event"), ==, "complete");
}

static void
test_input_of_known_size_leaves_while_it_is_read (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autofree char *spool = recordings_dir (f);
  GSubprocess *process =
      START_WITH_INPUT (f, "put", "-", "--name", "a", "--total-size", "20971520");

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  feed (f, process, "a", 0, SESSION_FILE_SIZE / 2);
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 8, KIT_PATIENCE_MS));
  feed (f, process, "a", SESSION_FILE_SIZE / 2, SESSION_FILE_SIZE / 2);
  end_input (process);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  g_assert_false (g_file_test (spool, G_FILE_TEST_EXISTS));
}

static void
test_input_of_another_size_than_was_said_makes_no_file (Fixture *f, gconstpointer data)
{
  static const char *const said[] = { "20971519", "20971521" };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  for (guint i = 0; i < G_N_ELEMENTS (said); i++)
    {
      g_auto (Answer) answer = RUN_REDIRECTED (f, "< a", "put", "-", "--name", "a", "--total-size",
                                               said[i], "--on-error", "abort");

      g_assert_cmpint (answer.code, ==, 8);
    }
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
}

static void
test_a_whole_file_as_input_needs_no_spool (Fixture *f, gconstpointer data)
{
  g_autofree char *spool = recordings_dir (f);
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  answer = RUN_REDIRECTED (f, "< a", "put", "-", "--name", "b");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "b", "a");
  g_assert_false (g_file_test (spool, G_FILE_TEST_EXISTS));
}

static void
test_live_input_leaves_while_it_comes (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process = START_WITH_INPUT (f, "put", "-", "--name", "a", "--unknown-size", "live");

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  feed (f, process, "a", 0, SESSION_FILE_SIZE / 2);
  g_assert_true (box_emulator_wait_bytes (f->emulator, SESSION_FILE_SIZE / 4, KIT_PATIENCE_MS));
  feed (f, process, "a", SESSION_FILE_SIZE / 2, SESSION_FILE_SIZE / 2);
  end_input (process);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==, 0);
  assert_spool_is_empty (f);
}

static void
test_input_ahead_leaves_while_it_comes (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  box_emulator_set_plan (f->emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
  process = START_WITH_INPUT (f, "put", "-", "--name", "a", "--unknown-size", "ahead");
  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  feed (f, process, "a", 0, SESSION_FILE_SIZE / 2);
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 5, KIT_PATIENCE_MS));
  feed (f, process, "a", SESSION_FILE_SIZE / 2, SESSION_FILE_SIZE / 2);
  end_input (process);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
  assert_spool_is_empty (f);
}

static void
test_live_input_is_uploaded_at_its_end_if_its_request_breaks (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_file", "times": 1, "do": "reset", "bytes": 100000}));
  process = START_WITH_INPUT (f, "put", "-", "--name", "a", "--unknown-size", "live");
  feed (f, process, "a", 0, SESSION_FILE_SIZE / 2);
  fixture_wait_for_complaint (process, "it is recorded, and uploaded at its end");
  feed (f, process, "a", SESSION_FILE_SIZE / 2, SESSION_FILE_SIZE / 2);
  end_input (process);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  assert_spool_is_empty (f);
}

/* ---- what goes wrong ---- */

/* Said while it is read. */
static void
test_input_that_may_be_too_much_is_told (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_load (f, RULE ({
    "route": "get_user",
    "do": "change",
    "change": { "space_amount": 900000, "space_used": 890000 }
  }));
  fixture_write_file (f, "a", 8000, 1);
  process = START_WITH_INPUT (f, "put", "-", "--name", "a");
  feed (f, process, "a", 0, 8000);
  fixture_wait_for_complaint (process, "the account has room for 10.0");
  end_input (process);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

/* Gives the file "a" to put in an outage; the recording of it, for "b", stays in the spool. */
static void
put_in_an_outage (Fixture *f)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  box_emulator_set_down (f->emulator, TRUE);
  process = START_WITH_INPUT (f, "put", "-", "--name", "b", "--retry-timeout", "1");
  feed (f, process, "a", 0, SESSION_FILE_SIZE);
  end_input (process);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 75);
  g_assert_nonnull (strstr (answer.err, "boxupload resume "));
  box_emulator_set_down (f->emulator, FALSE);
}

static void
test_input_that_cannot_be_uploaded_is_kept (Fixture *f, gconstpointer data)
{
  g_auto (Answer) resumed = { 0 };

  put_in_an_outage (f);
  resumed = RUN (f, "resume");
  g_assert_cmpint (resumed.code, ==, 0);
  fixture_assert_at_box (f, "b", "a");
  assert_spool_is_empty (f);
}

/* A page of zeros in a file of the right size, as some disks leave it after a power cut. */
static void
test_what_the_disk_lost_of_the_input_is_not_uploaded (Fixture *f, gconstpointer data)
{
  static const guint8 zeros[4096];
  g_auto (Answer) resumed = { 0 };
  g_autoptr (GPtrArray) recordings = NULL;
  const BoxSpoolEntry *entry;
  int fd;

  put_in_an_outage (f);
  recordings = recordings_list (f);
  g_assert_cmpuint (recordings->len, ==, 1);
  entry = recordings->pdata[0];
  fd = open (entry->data_path, O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (pwrite (fd, zeros, sizeof zeros, SESSION_FILE_SIZE / 2), ==, sizeof zeros);
  close (fd);
  resumed = RUN (f, "resume");
  g_assert_cmpint (resumed.code, !=, 0);
  g_assert_nonnull (strstr (resumed.err, "is not what was recorded"));
  g_assert_null (box_emulator_find_file (f->emulator, "0", "b"));
  g_assert_true (g_file_test (entry->data_path, G_FILE_TEST_EXISTS));
}

static void
test_an_interrupt_takes_the_rest_of_the_input (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process = START_WITH_INPUT (f, "put", "-", "--name", "a");

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  feed (f, process, "a", 0, PART_SIZE);
  g_assert_true (box_emulator_wait_done (f->emulator, "preflight", 1, KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGINT);
  fixture_wait_for_complaint (process, "what is left of the input");
  feed (f, process, "a", PART_SIZE, SESSION_FILE_SIZE - PART_SIZE);
  end_input (process);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

/* Waits for ten seconds by its contract. */
static void
test_an_interrupt_ends_an_input_without_an_end (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) recordings = NULL;
  GSubprocess *process = START_WITH_INPUT (f, "put", "-", "--name", "a");

  fixture_write_file (f, "a", 1000, 1);
  feed (f, process, "a", 0, 1000);
  g_assert_true (box_emulator_wait_done (f->emulator, "preflight", 1, KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGINT);
  fixture_wait_for_complaint (process, "what is left of the input");
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 130);
  recordings = recordings_list (f);
  g_assert_cmpuint (recordings->len, ==, 1);
  g_object_unref (process);
}

/* That Box has the beginning of the file @name, at least @size bytes of it. */
static void
assert_beginning_at_box (Fixture *f, const char *name, gsize size)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (f->emulator, "0", name);
  g_autofree char *ours = NULL, *theirs = NULL;
  gsize our_length, their_length;

  g_assert_nonnull (file);
  g_assert_true (g_file_get_contents (path, &ours, &our_length, NULL));
  g_assert_true (g_file_get_contents (file->path, &theirs, &their_length, NULL));
  g_assert_cmpuint (their_length, >=, size);
  g_assert_cmpmem (ours, their_length, theirs, their_length);
}

/* No more than what a pipe holds is not read when all was written to it. */
#define PIPE_SIZE 65536

static void
test_what_was_read_before_a_termination_is_kept (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 }, resumed = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", 3 * PIPE_SIZE, 1);
  process = START_WITH_INPUT (f, "put", "-", "--name", "a");
  g_assert_true (box_emulator_wait_done (f->emulator, "preflight", 1, KIT_PATIENCE_MS));
  feed (f, process, "a", 0, 3 * PIPE_SIZE);
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 143);
  g_assert_nonnull (strstr (answer.err, "boxupload resume "));
  resumed = RUN (f, "resume");
  g_assert_cmpint (resumed.code, ==, 0);
  g_assert_nonnull (strstr (resumed.out, "cut short"));
  assert_beginning_at_box (f, "a", PIPE_SIZE);
}

static void
test_what_was_read_before_a_kill_is_kept (Fixture *f, gconstpointer data)
{
  g_auto (Answer) resumed = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", 4 * PIPE_SIZE, 1);
  process = START_WITH_INPUT (f, "put", "-", "--name", "a");
  feed (f, process, "a", 0, 4 * PIPE_SIZE);
  g_subprocess_force_exit (process);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_object_unref (process);
  resumed = RUN (f, "resume");
  g_assert_cmpint (resumed.code, ==, 0);
  assert_beginning_at_box (f, "a", PIPE_SIZE);
}

static void
test_a_refusal_at_the_beginning_ends_the_reading (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process = START_WITH_INPUT (f, "put", "-", "--name", "a", "--folder", "99999");

  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 6);
}

static void
test_input_without_a_byte_makes_no_file (Fixture *f, gconstpointer data)
{
  static const char *const inputs[] = { "< /dev/null", "< nothing" };

  fixture_write_file (f, "nothing", 0, 1);
  for (guint i = 0; i < G_N_ELEMENTS (inputs); i++)
    {
      g_auto (Answer) answer = RUN_REDIRECTED (f, inputs[i], "put", "-", "--name", "a");

      g_assert_cmpint (answer.code, ==, 8);
      g_assert_nonnull (strstr (answer.err, "without a byte"));
    }
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
  assert_spool_is_empty (f);
}

/* What a closed descriptor would be instead: any file that the program opens first. */
static void
test_closed_standard_descriptors_are_told (Fixture *f, gconstpointer data)
{
  g_auto (Answer) in = RUN_REDIRECTED (f, "<&-", "put", "-", "--name", "a");
  g_auto (Answer) out = RUN_REDIRECTED (f, "</dev/null >&-", "whoami");
  g_auto (Answer) all = RUN_REDIRECTED (f, "<&- >&- 2>&-", "put", "-", "--name", "b");

  g_assert_cmpint (in.code, ==, 13);
  g_assert_nonnull (strstr (in.err, "Standard input cannot be read: Bad file descriptor"));
  g_assert_cmpint (out.code, ==, 13);
  g_assert_nonnull (strstr (out.err, "Standard output cannot be written: Bad file descriptor"));
  g_assert_cmpint (all.code, ==, 13);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
  assert_spool_is_empty (f);
}

static void
test_a_limit_of_files_keeps_what_was_read (Fixture *f, gconstpointer data)
{
  g_auto (Answer) put = { 0 }, resume = { 0 };

  fixture_write_file (f, "a", 3 << 20, 1);
  put = RUN_BY_SHELL (f, "cat a | (ulimit -f 2048; exec \"$@\")", "put", "-", "--name", "a");
  g_assert_cmpint (put.code, ==, 9);
  g_assert_nonnull (strstr (put.err, "ulimit -f"));
  g_assert_nonnull (strstr (put.err, "boxupload resume "));
  resume = RUN (f, "resume");
  g_assert_cmpint (resume.code, ==, 0);
  assert_beginning_at_box (f, "a", 1 << 20);
}

/* Nothing in the process gives one back: no retry helps. */
static void
test_too_few_descriptors_are_told_at_once (Fixture *f, gconstpointer data)
{
  static const char *const commands[][4] = {
    { "whoami" }, { "ls", "0" }, { "get", "1", "-" }, { "token", "--folder", "0" }, { "watch" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_auto (Answer) answer = RUN_BY_SHELL (f, "ulimit -n 20; exec \"$@\"", commands[i][0],
                                             commands[i][1], commands[i][2]);

      g_assert_cmpint (answer.code, ==, 9);
      g_assert_nonnull (strstr (answer.err, "of its 20 file descriptors left, too few for this "
                                            "command: raise the limit (ulimit -n"));
      g_assert_null (strstr (answer.err, "trying again"));
    }
}

static void
test_options_that_do_not_go_with_input_are_refused (Fixture *f, gconstpointer data)
{
  static const char *const cases[][8] = {
    { "put", "-" },
    { "put", "-", "a", "--folder", "0" },
    { "put", "-", "--session", "DEADBEEF" },
    { "put", "a", "--total-size", "20MB" },
    { "put", "a", "--spool-dir", "spool" },
    { "put", "-", "--name", "a", "--total-size", "much" },
    { "put", "-", "--name", "a", "--total-size", "0" },
    { "put", "-", "--name", "a", "--unknown-size", "much" },
    { "put", "a", "--unknown-size", "live" },
  };

  fixture_write_file (f, "a", 10, 1);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Answer) answer = run_redirected (f, "< /dev/null", cases[i]);

      g_assert_cmpint (answer.code, ==, 2);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/input/of-any-length-arrives", test_input_of_any_length_arrives);
  ADD_TEST ("/cli/input/its-end-is-told-with-its-recording",
            test_the_end_of_the_input_is_told_with_its_recording);
  ADD_TEST ("/cli/input/of-known-size-leaves-while-it-is-read",
            test_input_of_known_size_leaves_while_it_is_read);
  ADD_TEST ("/cli/input/of-another-size-than-was-said-makes-no-file",
            test_input_of_another_size_than_was_said_makes_no_file);
  ADD_TEST ("/cli/input/whole-file-needs-no-spool", test_a_whole_file_as_input_needs_no_spool);
  ADD_TEST ("/cli/input/live-leaves-while-it-comes", test_live_input_leaves_while_it_comes);
  ADD_TEST ("/cli/input/ahead-leaves-while-it-comes", test_input_ahead_leaves_while_it_comes);
  ADD_TEST ("/cli/input/live-is-uploaded-at-its-end-if-its-request-breaks",
            test_live_input_is_uploaded_at_its_end_if_its_request_breaks);
  ADD_TEST ("/cli/input/that-may-be-too-much-is-told", test_input_that_may_be_too_much_is_told);
  ADD_TEST ("/cli/input/that-cannot-be-uploaded-is-kept",
            test_input_that_cannot_be_uploaded_is_kept);
  ADD_TEST ("/cli/input/interrupt-takes-the-rest", test_an_interrupt_takes_the_rest_of_the_input);
  ADD_TEST ("/cli/input/interrupt-ends-one-without-an-end",
            test_an_interrupt_ends_an_input_without_an_end);
  ADD_TEST ("/cli/input/what-the-disk-lost-is-not-uploaded",
            test_what_the_disk_lost_of_the_input_is_not_uploaded);
  ADD_TEST ("/cli/input/what-was-read-before-a-termination-is-kept",
            test_what_was_read_before_a_termination_is_kept);
  ADD_TEST ("/cli/input/what-was-read-before-a-kill-is-kept",
            test_what_was_read_before_a_kill_is_kept);
  ADD_TEST ("/cli/input/refusal-at-the-beginning-ends-the-reading",
            test_a_refusal_at_the_beginning_ends_the_reading);
  ADD_TEST ("/cli/input/without-a-byte-makes-no-file", test_input_without_a_byte_makes_no_file);
  ADD_TEST ("/cli/input/too-few-descriptors-are-told-at-once",
            test_too_few_descriptors_are_told_at_once);
  ADD_TEST ("/cli/input/closed-descriptors-are-told", test_closed_standard_descriptors_are_told);
  ADD_TEST ("/cli/input/limit-of-files-keeps-what-was-read",
            test_a_limit_of_files_keeps_what_was_read);
  ADD_TEST ("/cli/input/options-that-do-not-go-with-it-are-refused",
            test_options_that_do_not_go_with_input_are_refused);
  return g_test_run ();
}

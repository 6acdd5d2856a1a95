/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload put: files of all kinds, several at once, refused, interrupted and continued. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli-fixture.h"

static void
test_files_of_all_sizes_arrive (Fixture *f, gconstpointer data)
{
  static const gsize sizes[] = {
    0, 1, 19999999, 20000000, SESSION_FILE_SIZE, SESSION_FILE_SIZE + 1
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_autofree char *sha1 = NULL;
      g_auto (Answer) answer = { 0 };

      fixture_write_file (f, name, sizes[i], i);
      sha1 = fixture_sha1 (f, name);
      answer = RUN (f, "put", name);
      g_assert_cmpint (answer.code, ==, 0);
      g_assert_true (g_str_has_prefix (answer.out, name));
      g_assert_nonnull (strstr (answer.out, sha1));
      g_assert_cmpstr (answer.err, ==, "");
      fixture_assert_at_box (f, name, name);
    }
}

static void
test_a_file_keeps_its_time_and_takes_its_attributes (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  const struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
  g_autoptr (BoxEmulatorFile) file = NULL;

  fixture_write_file (f, "a", 100, 1);
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  answer = RUN (f, "put", "a", "--description", "a talk", "--name", "b");
  g_assert_cmpint (answer.code, ==, 0);
  file = box_emulator_find_file (f->emulator, "0", "b");
  g_assert_cmpstr (file->content_modified_at, ==, "2001-09-09T01:46:40Z");
  g_assert_cmpstr (file->description, ==, "a talk");
}

static void
test_several_files_go_and_a_bad_one_stops_none (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autofree char *fifo = g_build_filename (f->dir, "fifo", NULL);
  g_autofree char *folder = g_build_filename (f->dir, "folder", NULL);

  fixture_write_file (f, "a", 1000, 1);
  fixture_write_file (f, "b", SESSION_FILE_SIZE, 2);
  fixture_write_file (f, "c", 3000, 3);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (mkdir (folder, 0700), ==, 0);
  answer = RUN (f, "put", "a", "missing", "b", "folder", "fifo", "c");
  g_assert_cmpint (answer.code, ==, 13);
  fixture_assert_at_box (f, "a", "a");
  fixture_assert_at_box (f, "b", "b");
  fixture_assert_at_box (f, "c", "c");
  g_assert_nonnull (strstr (answer.err, "missing: The file cannot be read: No such file"));
  g_assert_nonnull (strstr (answer.err, "folder: This is a directory"));
  g_assert_nonnull (strstr (answer.err, "fifo: This is no regular file, so its size is not known; "
                                        "upload what comes out of it with boxupload put -"));
  g_assert_nonnull (strstr (answer.err, "3 of 6 files not uploaded"));
}

/* Files of /proc have bytes, but no size. */
static void
test_a_file_that_hides_its_size_is_not_taken_for_empty (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = RUN (f, "put", "/proc/version", "--name", "a");

  g_assert_cmpint (answer.code, ==, 8);
  g_assert_nonnull (strstr (answer.err, "more bytes than the 0 of its size"));
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
}

static void
test_the_first_failure_of_the_command_line_is_the_exit_code (Fixture *f, gconstpointer data)
{
  g_autofree char *taken = box_emulator_add_file (f->emulator, "0", "taken", "old", 3);
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "taken", 1000, 1);
  answer = RUN (f, "put", "--files", "4", "taken", "missing");
  g_assert_nonnull (taken);
  g_assert_cmpint (answer.code, ==, 7);
}

static void
test_a_name_that_is_taken_is_an_error_a_version_or_another_name (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "a.bin", "old", 3);
  g_auto (Answer) refused = { 0 };
  g_auto (Answer) renamed = { 0 };
  g_auto (Answer) versioned = { 0 };
  g_autoptr (BoxEmulatorFile) file = NULL;

  fixture_write_file (f, "a.bin", SESSION_FILE_SIZE, 1);
  refused = RUN (f, "put", "a.bin");
  g_assert_cmpint (refused.code, ==, 7);
  renamed = RUN (f, "put", "a.bin", "--if-exists", "rename");
  g_assert_cmpint (renamed.code, ==, 0);
  fixture_assert_at_box (f, "a (1).bin", "a.bin");
  versioned = RUN (f, "put", "a.bin", "--if-exists=version");
  g_assert_cmpint (versioned.code, ==, 0);
  fixture_assert_at_box (f, "a.bin", "a.bin");
  file = box_emulator_find_file (f->emulator, "0", "a.bin");
  g_assert_cmpstr (file->id, ==, file_id);
  g_assert_cmpuint (file->n_versions, ==, 2);
}

static void
test_a_file_becomes_a_new_version_by_id (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "old.bin", "old", 3);
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "new.bin", 5000, 1);
  answer = RUN (f, "put", "new.bin", "--file", file_id);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "old.bin", "new.bin");
}

static void
test_wrong_options_are_refused_before_anything_is_sent (Fixture *f, gconstpointer data)
{
  static const char *const cases[][6] = {
    { "put" },
    { "put", "a", "b", "--name", "c" },
    { "put", "a", "b", "--file", "1" },
    { "put", "a", "b", "--session", "X" },
    { "put", "a", "--folder=1", "--file=2" },
    { "put", "a", "--session=1", "--file=2" },
    { "put", "a", "--if-exists", "ask" },
    { "put", "a", "--parallel", "17" },
    { "put", "a", "--files", "0" },
    { "put", "a", "--upload-rate", "fast" },
    { "put", "a", "--upload-rate", "08:00-18:00" },
    { "put", "a", "--upload-rate", "@no-such-file" },
    { "put", "a", "--name", "x/y" },
    { "put", "a", "--folder", "root" },
    { "put", "a", "--timeout", "-1" },
    { "put", "a", "--content-created-at", "yesterday" },
    { "put", "a", "--content-modified-at", "2024-05-01" },
  };

  fixture_write_file (f, "a", 10, 1);
  fixture_write_file (f, "b", 10, 2);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Answer) answer = fixture_run_env (f, NULL, cases[i]);

      g_assert_cmpint (answer.code, ==, 2);
    }
  g_assert_cmpuint (box_emulator_count (f->emulator, NULL), ==, 0);
}

/* They are what an unset variable of a script leaves. */
static void
test_empty_values_are_refused_before_anything_is_sent (Fixture *f, gconstpointer data)
{
  static const char *const cases[][8] = {
    { "put", "" },
    { "put", "a", "" },
    { "put", "a", "--token-file", "" },
    { "put", "a", "--auth-config=" },
    { "put", "a", "--endpoint=" },
    { "put", "a", "--api-endpoint", "" },
    { "put", "a", "--ca-file=" },
    { "put", "a", "--metadata-template=" },
    { "put", "-n", "", "a" },
    { "put", "--", "a", "" },
    { "put", "-", "--name=b", "--spool-dir", "" },
    { "spool", "" },
    { "spool", "--spool-dir=" },
    { "resume", "--spool-dir", "" },
    { "resume", "" },
    { "resume", "--only=" },
    { "watch", "--spool-dir=" },
    { "watch", "" },
    { "follow", "a", "--until-file=" },
    { "commit", "DEADBEEF", "--sha1-of=" },
    { "commit", "DEADBEEF", "--sha1-of=a", "--if-match", "" },
    { "commit", "DEADBEEF", "--sha1-of=a", "--content-created-at=yesterday" },
    { "get", "1", "" },
    { "probe", "--folder=" },
    { "probe", "--folder=0", "--profile=" },
    { "token", "--folder=0", "--out=" },
  };
  g_auto (Answer) described = { 0 };

  fixture_write_file (f, "a", 10, 1);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Answer) answer = fixture_run_env (f, NULL, cases[i]);

      g_assert_cmpint (answer.code, ==, 2);
    }
  g_assert_cmpuint (box_emulator_count (f->emulator, NULL), ==, 0);
  described = RUN (f, "put", "a", "--description", "");
  g_assert_cmpint (described.code, ==, 0);
}

static void
test_a_name_that_is_not_utf8_needs_another (Fixture *f, gconstpointer data)
{
  g_auto (Answer) refused = { 0 };
  g_auto (Answer) named = { 0 };

  fixture_write_file (f, "caf\xe9", 10, 1);
  refused = RUN (f, "put", "caf\xe9", "--json");
  g_assert_cmpint (refused.code, ==, 2);
  g_assert_true (g_utf8_validate (refused.out, -1, NULL));
  g_assert_nonnull (strstr (refused.out, "--name"));
  named = RUN (f, "put", "caf\xe9", "--name", "café");
  g_assert_cmpint (named.code, ==, 0);
  fixture_assert_at_box (f, "café", "caf\xe9");
}

static void
test_what_follows_two_dashes_is_a_file (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "-x.mp4", 1000, 1);
  fixture_write_file (f, "--", 2000, 2);
  answer = RUN (f, "put", "--", "-x.mp4", "--");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "-x.mp4", "-x.mp4");
  fixture_assert_at_box (f, "--", "--");
}

static void
test_json_tells_every_part_and_the_end (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_auto (GStrv) lines = NULL;
  g_autoptr (JsonObject) last = NULL;
  guint n_parts = 0, n_sessions = 0, n_commits = 0;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  answer = RUN (f, "put", "a", "--json");
  g_assert_cmpint (answer.code, ==, 0);
  lines = g_strsplit (answer.out, "\n", -1);
  for (guint i = 0; lines[i][0] != '\0'; i++)
    {
      g_autoptr (JsonObject) object = parse_line (answer.out, (int) i);
      const char *event = json_object_get_string_member (object, "event");

      g_assert_cmpstr (json_object_get_string_member (object, "path"), ==, "a");
      n_parts += g_str_equal (event, "part");
      n_sessions += g_str_equal (event, "session");
      n_commits += g_str_equal (event, "commit");
    }
  g_assert_cmpuint (n_parts, ==, 20);
  g_assert_cmpuint (n_sessions, ==, 1);
  g_assert_cmpuint (n_commits, ==, 1);
  last = parse_line (answer.out, -1);
  g_assert_cmpstr (json_object_get_string_member (last, "event"), ==, "complete");
  g_assert_nonnull (json_object_get_string_member (last, "file_id"));
}

static void
test_json_tells_a_failure_last (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = RUN (f, "put", "missing", "--json");
  g_autoptr (JsonObject) failed = parse_line (answer.out, 0);
  g_autoptr (JsonObject) last = parse_line (answer.out, -1);
  JsonObject *error = json_object_get_object_member (last, "error");

  g_assert_cmpstr (json_object_get_string_member (last, "event"), ==, "failed");
  g_assert_nonnull (strstr (json_object_get_string_member (last, "path"), "missing"));
  g_assert_null (strchr (g_strchomp (answer.out), '\n'));
  g_assert_cmpstr (json_object_get_string_member (failed, "event"), ==, "failed");
  g_assert_cmpstr (json_object_get_string_member (error, "kind"), ==, "storage");
  g_assert_cmpint (json_object_get_int_member (error, "exit_code"), ==, answer.code);
}

/* Two puts of the same name at a time: both files are there, neither is refused. */
static void
test_a_name_taken_while_the_file_was_sent_is_changed (Fixture *f, gconstpointer data)
{
  g_auto (Answer) first = { 0 };
  g_auto (Answer) second = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_write_file (f, "b", SESSION_FILE_SIZE, 2);
  fixture_load (f, RULE ({"route": "commit", "nth": 1, "do": "hold", "name": "gate"}));
  process = START (f, "put", "a", "--name", "same.bin", "--if-exists", "rename");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  second = RUN (f, "put", "b", "--name", "same.bin", "--if-exists", "rename");
  g_assert_cmpint (second.code, ==, 0);
  box_emulator_release (f->emulator, "gate");
  first = fixture_finish (process);
  g_assert_cmpint (first.code, ==, 0);
  fixture_assert_at_box (f, "same.bin", "b");
  fixture_assert_at_box (f, "same (1).bin", "a");
}

/* The arguments that the hint in @text says to go on with, as a shell takes them. */
static char **
parse_hint (const char *text)
{
  static const char before[] = "To go on:  boxupload ";
  const char *start = strstr (text, before);
  g_autofree char *hint = NULL;
  g_autoptr (GError) error = NULL;
  char **arguments;

  g_assert_nonnull (start);
  start += strlen (before);
  hint = g_strndup (start, strcspn (start, "\n"));
  g_shell_parse_argv (hint, NULL, &arguments, &error);
  g_assert_no_error (error);
  return arguments;
}

/* An upload of the file @name that is stopped by @number after five parts; returns its session.
 * @hint: (out): the arguments to go on with. */
static char *
interrupt (Fixture *f, const char *name, int number, int code, char ***hint)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, name, SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "from": 6, "do": "hold", "name": "gate"}));
  process = START (f, "put", "--parallel", "1", "--description", "two words", "--", name);
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, number);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, code);
  ids = box_emulator_get_session_ids (f->emulator);
  g_assert_cmpuint (ids->len, ==, 1);
  *hint = parse_hint (answer.err);
  g_assert_cmpstr ((*hint)[0], ==, "put");
  g_assert_cmpstr ((*hint)[1], ==, "--session");
  g_assert_cmpstr ((*hint)[2], ==, ids->pdata[0]);
  g_assert_true (g_strv_contains ((const char *const *) *hint, "two words"));
  g_assert_cmpstr ((*hint)[g_strv_length (*hint) - 1], ==, name);
  box_emulator_clear_scenario (f->emulator);
  return g_strdup (g_ptr_array_index (ids, 0));
}

static void
test_an_interrupted_upload_goes_on_where_it_was (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) hint = NULL;
  g_autofree char *id = interrupt (f, "a", SIGINT, 130, &hint);
  g_autoptr (BoxEmulatorSession) session = NULL;
  g_auto (Answer) answer = fixture_run_as_typed (f, (const char *const *) hint);

  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  session = box_emulator_get_session (f->emulator, id);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (session->received[i], ==, 1);
}

static void
test_sigterm_has_its_own_exit_code (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) hint = NULL;
  g_autofree char *id = interrupt (f, "a", SIGTERM, 143, &hint);
  g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (f->emulator, id);

  g_assert_cmpint (session->state, ==, BOX_EMULATOR_SESSION_OPEN);
}

static void
test_how_to_go_on_holds_for_a_name_with_a_dash (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) hint = NULL;
  g_autofree char *id = interrupt (f, "-a", SIGINT, 130, &hint);
  g_auto (Answer) answer = fixture_run_as_typed (f, (const char *const *) hint);

  g_assert_nonnull (id);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "-a", "-a");
}

static void
test_a_continued_session_must_fit_the_file (Fixture *f, gconstpointer data)
{
  g_autofree char *id = fixture_add_session (f, "a", 2 * SESSION_FILE_SIZE, 0);
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  answer = RUN (f, "put", "--session", id, "a");
  g_assert_cmpint (answer.code, ==, 8);
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==, 0);
}

static void
test_a_refusal_names_the_session_that_it_leaves (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autofree char *way_on = NULL, *way_out = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "from": 3, "do": "reply", "status": 403,
                          "json": {"code": "storage_limit_exceeded", "message": "Full"}}));
  answer = RUN (f, "put", "a");
  g_assert_cmpint (answer.code, ==, 9);
  ids = box_emulator_get_session_ids (f->emulator);
  way_on = g_strdup_printf ("put --session %s", (char *) g_ptr_array_index (ids, 0));
  way_out = g_strdup_printf ("boxupload abort %s", (char *) g_ptr_array_index (ids, 0));
  g_assert_nonnull (strstr (answer.err, way_on));
  g_assert_nonnull (strstr (answer.err, way_out));
}

static void
test_arguments_that_are_not_text_are_wrong_usage (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", 1000, 1);
  answer = RUN (f, "put", "a", "--name", "\xff\xfe");
  g_assert_cmpint (answer.code, ==, 2);
}

static void
test_on_error_abort_leaves_no_session (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "from": 3, "do": "reply", "status": 403,
                          "json": {"code": "access_denied_insufficient_permissions"}}));
  answer = RUN (f, "put", "a", "--on-error", "abort");
  g_assert_cmpint (answer.code, ==, 5);
  ids = box_emulator_get_session_ids (f->emulator);
  session = box_emulator_get_session (f->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpint (session->state, ==, BOX_EMULATOR_SESSION_ABORTED);
}

static void
test_a_file_that_grows_while_it_is_read_is_not_committed (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;
  int fd;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "from": 3, "do": "hold", "name": "gate"}));
  process = START (f, "put", "a", "--parallel", "1", "--max-memory", "2MiB");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  fd = open (path, O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint (write (fd, "more", 4), ==, 4);
  close (fd);
  box_emulator_release (f->emulator, "gate");
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 8);
  g_assert_nonnull (strstr (answer.err, "changed while it was read"));
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
}

/* All was read, and what Box has is good: but it is not all that there will be. */
static void
test_a_file_that_grows_until_it_is_at_box_is_a_failure (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;
  int fd;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "commit", "do": "hold", "name": "gate"}));
  process = START (f, "put", "a");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  fd = open (path, O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint (write (fd, "more", 4), ==, 4);
  close (fd);
  box_emulator_release (f->emulator, "gate");
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 8);
  file = box_emulator_find_file (f->emulator, "0", "a");
  g_assert_nonnull (file);
  g_assert_nonnull (strstr (answer.err, "is it still being written?"));
  g_assert_nonnull (strstr (answer.err, file->id));
}

static void
test_a_file_that_shrinks_while_it_is_read_is_not_committed (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "from": 3, "do": "hold", "name": "gate"}));
  process = START (f, "put", "a", "--parallel", "1", "--max-memory", "2MiB");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  g_assert_cmpint (truncate (path, 1 << 20), ==, 0);
  box_emulator_release (f->emulator, "gate");
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 8);
  g_assert_nonnull (strstr (answer.err, "became shorter"));
}

static void
test_what_goes_wrong_meanwhile_is_told_and_survived (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "nth": [2, 5], "do": "reply", "status": 502,
                          "body": "<html>"},
                         {"route": "upload_part", "nth": 7, "at": "stored", "do": "reset"}));
  answer = RUN (f, "put", "a");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.err, "trying again in"));
  fixture_assert_at_box (f, "a", "a");
}

static void
test_an_outage_is_told_when_it_begins_and_when_it_ends (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "nth": 6, "do": "hold", "name": "gate"}));
  process = START (f, "put", "a", "--parallel", "1");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  box_emulator_set_down (f->emulator, TRUE);
  fixture_wait_for_complaint (process, "nothing gets through");
  box_emulator_release (f->emulator, "gate");
  box_emulator_set_down (f->emulator, FALSE);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.err, "it gets through again"));
  g_assert_null (strstr (answer.err, "trying again in"));
  fixture_assert_at_box (f, "a", "a");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/put/name-taken-while-the-file-was-sent-is-changed",
            test_a_name_taken_while_the_file_was_sent_is_changed);
  ADD_TEST ("/cli/put/files-of-all-sizes-arrive", test_files_of_all_sizes_arrive);
  ADD_TEST ("/cli/put/file-keeps-its-time-and-takes-its-attributes",
            test_a_file_keeps_its_time_and_takes_its_attributes);
  ADD_TEST ("/cli/put/several-go-and-a-bad-one-stops-none",
            test_several_files_go_and_a_bad_one_stops_none);
  ADD_TEST ("/cli/put/first-failure-of-the-command-line-is-the-exit-code",
            test_the_first_failure_of_the_command_line_is_the_exit_code);
  ADD_TEST ("/cli/put/taken-name-is-an-error-a-version-or-another-name",
            test_a_name_that_is_taken_is_an_error_a_version_or_another_name);
  ADD_TEST ("/cli/put/new-version-by-id", test_a_file_becomes_a_new_version_by_id);
  ADD_TEST ("/cli/put/wrong-options-are-refused-before-anything-is-sent",
            test_wrong_options_are_refused_before_anything_is_sent);
  ADD_TEST ("/cli/put/name-that-is-not-utf8-needs-another",
            test_a_name_that_is_not_utf8_needs_another);
  ADD_TEST ("/cli/put/what-follows-two-dashes-is-a-file", test_what_follows_two_dashes_is_a_file);
  ADD_TEST ("/cli/put/json-tells-every-part-and-the-end", test_json_tells_every_part_and_the_end);
  ADD_TEST ("/cli/put/json-tells-a-failure-last", test_json_tells_a_failure_last);
  ADD_TEST ("/cli/put/interrupted-goes-on-where-it-was",
            test_an_interrupted_upload_goes_on_where_it_was);
  ADD_TEST ("/cli/put/sigterm-has-its-own-exit-code", test_sigterm_has_its_own_exit_code);
  ADD_TEST ("/cli/put/how-to-go-on-holds-for-a-name-with-a-dash",
            test_how_to_go_on_holds_for_a_name_with_a_dash);
  ADD_TEST ("/cli/put/continued-session-must-fit-the-file",
            test_a_continued_session_must_fit_the_file);
  ADD_TEST ("/cli/put/a-refusal-names-the-session-that-it-leaves",
            test_a_refusal_names_the_session_that_it_leaves);
  ADD_TEST ("/cli/put/arguments-that-are-not-text-are-wrong-usage",
            test_arguments_that_are_not_text_are_wrong_usage);
  ADD_TEST ("/cli/put/empty-values-are-refused",
            test_empty_values_are_refused_before_anything_is_sent);
  ADD_TEST ("/cli/put/on-error-abort-leaves-no-session", test_on_error_abort_leaves_no_session);
  ADD_TEST ("/cli/put/file-that-grows-is-not-committed",
            test_a_file_that_grows_while_it_is_read_is_not_committed);
  ADD_TEST ("/cli/put/file-that-grows-until-it-is-at-box-is-a-failure",
            test_a_file_that_grows_until_it_is_at_box_is_a_failure);
  ADD_TEST ("/cli/put/file-that-hides-its-size-is-not-taken-for-empty",
            test_a_file_that_hides_its_size_is_not_taken_for_empty);
  ADD_TEST ("/cli/put/file-that-shrinks-is-not-committed",
            test_a_file_that_shrinks_while_it_is_read_is_not_committed);
  ADD_TEST ("/cli/put/outage-is-told-when-it-begins-and-when-it-ends",
            test_an_outage_is_told_when_it_begins_and_when_it_ends);
  ADD_TEST ("/cli/put/what-goes-wrong-meanwhile-is-told-and-survived",
            test_what_goes_wrong_meanwhile_is_told_and_survived);
  return g_test_run ();
}

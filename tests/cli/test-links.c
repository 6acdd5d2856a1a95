/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The link of a file that is at Box, wherever a user sees the file: with Box's own endpoints, whose
 * host names the emulator answers for as a proxy. Files at any other server have no link.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "cli-fixture.h"
#include "cli-recordings.h"
#include "kit/emulator.h"
#include "kit/places.h"

#define SIZE 1000

#define LINK "https://app.box.com/file/"

/* boxupload @arguments with Box's endpoints; NULL-terminated. */
static Answer
run_at_box (Fixture *f, const char *const *arguments)
{
  g_autoptr (GPtrArray) command = g_ptr_array_new ();

  for (; *arguments != NULL; arguments++)
    g_ptr_array_add (command, (gpointer) *arguments);
  g_ptr_array_add (command, (gpointer) "--proxy");
  g_ptr_array_add (command, (gpointer) box_emulator_get_origin (f->emulator, FALSE));
  g_ptr_array_add (command, (gpointer) "--ca-file");
  g_ptr_array_add (command, (gpointer) box_emulator_get_ca_file (f->emulator));
  g_ptr_array_add (command, NULL);
  return fixture_run_as_typed (f, (const char *const *) command->pdata);
}
#define AT_BOX(f, ...) run_at_box (f, (const char *const[]){ __VA_ARGS__, NULL })

/* Of the file @name in the root folder; free with g_free(). */
static char *
link_of (Fixture *f, const char *name)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (f->emulator, "0", name);

  g_assert_nonnull (file);
  return g_strconcat (LINK, file->id, NULL);
}

/* As the last word of its last line. */
static void
assert_text_ends_with_link (Fixture *f, const Answer *answer, const char *name)
{
  g_autofree char *link = link_of (f, name);
  g_autofree char *end = g_strdup_printf (", %s\n", link);

  g_assert_cmpint (answer->code, ==, 0);
  if (!g_str_has_suffix (answer->out, end))
    g_error ("no link of the file: %s", answer->out);
}

static void
assert_json_has_link (Fixture *f, const Answer *answer, const char *name)
{
  g_autofree char *link = link_of (f, name);
  g_autoptr (JsonObject) last = NULL;

  g_assert_cmpint (answer->code, ==, 0);
  last = parse_line (answer->out, -1);
  g_assert_cmpstr (json_object_get_string_member (last, "link"), ==, link);
}

static void
test_put_ends_with_it (Fixture *f, gconstpointer data)
{
  g_auto (Answer) text = { 0 }, json = { 0 }, skipped = { 0 };

  fixture_write_file (f, "a", SIZE, 1);
  text = AT_BOX (f, "put", "a");
  assert_text_ends_with_link (f, &text, "a");
  json = AT_BOX (f, "put", "a", "--name", "b", "--json");
  assert_json_has_link (f, &json, "b");
  skipped = AT_BOX (f, "put", "a", "--if-exists", "skip");
  assert_text_ends_with_link (f, &skipped, "a");
  g_assert_nonnull (strstr (skipped.out, "nothing was sent"));
}

static void
test_resume_ends_with_it (Fixture *f, gconstpointer data)
{
  g_auto (Answer) text = { 0 }, json = { 0 };

  fixture_write_file (f, "a", SIZE, 1);
  recordings_leave_complete (f, "a");
  text = AT_BOX (f, "resume");
  assert_text_ends_with_link (f, &text, "a");
  fixture_write_file (f, "b", SIZE, 2);
  recordings_leave_complete (f, "b");
  json = AT_BOX (f, "resume", "--json");
  assert_json_has_link (f, &json, "b");
}

static void
test_a_cut_is_told_before_it (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a.mkv", SIZE, 1);
  recordings_leave_interrupted (f, "a.mkv");
  answer = AT_BOX (f, "resume");
  assert_text_ends_with_link (f, &answer, "a.mkv");
  g_assert_nonnull (strstr (answer.out, "; it was cut short"));
}

static void
test_a_commit_and_a_look_end_with_it (Fixture *f, gconstpointer data)
{
  g_auto (Answer) commit = { 0 }, get = { 0 };
  g_autofree char *id = NULL;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, SESSION_FILE_SIZE / PART_SIZE);
  commit = AT_BOX (f, "commit", id, "--sha1-of", "a", "--json");
  assert_json_has_link (f, &commit, "a");
  get = AT_BOX (f, "get", "box://0/a", "copy");
  assert_text_ends_with_link (f, &get, "a");
}

/* The hook is told of it, too. */
static void
test_watch_tells_it (Fixture *f, gconstpointer data)
{
  g_autofree char *hook = g_build_filename (f->dir, "hook", NULL);
  g_autofree char *log = g_build_filename (f->dir, "hook.log", NULL);
  g_autofree char *text = NULL, *link = NULL, *member = NULL;
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  g_assert_true (g_file_set_contents (hook, "#!/bin/sh\ncat >h && mv h hook.log\n", -1, NULL));
  g_assert_cmpint (g_chmod (hook, 0700), ==, 0);
  fixture_write_file (f, "a", SIZE, 1);
  recordings_leave_complete (f, "a");
  process = START (f, "watch", "--hook", "./hook", "--endpoint", "https://upload.box.com/api/2.0",
                   "--api-endpoint", "https://api.box.com/2.0", "--proxy",
                   box_emulator_get_origin (f->emulator, FALSE), "--ca-file",
                   box_emulator_get_ca_file (f->emulator));
  KIT_AWAIT (g_file_test (log, G_FILE_TEST_EXISTS));
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  assert_text_ends_with_link (f, &answer, "a");
  text = kit_read_text (log);
  link = link_of (f, "a");
  member = g_strdup_printf ("\"link\":\"%s\"", link);
  g_assert_nonnull (strstr (text, member));
}

static void
test_another_server_has_none (Fixture *f, gconstpointer data)
{
  g_auto (Answer) text = { 0 }, json = { 0 };
  g_autoptr (JsonObject) last = NULL;

  fixture_write_file (f, "a", SIZE, 1);
  text = RUN (f, "put", "a");
  json = RUN (f, "put", "a", "--name", "b", "--json");
  g_assert_cmpint (text.code, ==, 0);
  g_assert_null (strstr (text.out, "://"));
  last = parse_line (json.out, -1);
  g_assert_true (json_object_get_null_member (last, "link"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/links/put-ends-with-it", test_put_ends_with_it);
  ADD_TEST ("/cli/links/resume-ends-with-it", test_resume_ends_with_it);
  ADD_TEST ("/cli/links/a-cut-is-told-before-it", test_a_cut_is_told_before_it);
  ADD_TEST ("/cli/links/a-commit-and-a-look-end-with-it", test_a_commit_and_a_look_end_with_it);
  ADD_TEST ("/cli/links/watch-tells-it", test_watch_tells_it);
  ADD_TEST ("/cli/links/another-server-has-none", test_another_server_has_none);
  return g_test_run ();
}

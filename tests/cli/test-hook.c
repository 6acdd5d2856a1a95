/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliHook with programs that do not read what they are given.
 */
#include <glib/gstdio.h>
#include <signal.h>

#include "cli/outside.h"

#include "kit/patience.h"
#include "kit/places.h"

/* More than a pipe holds: the writer still writes when the reader has gone. */
#define EVENT_SIZE (1024 * 1024)

static JsonBuilder *
new_event (void)
{
  JsonBuilder *event = json_builder_new ();
  g_autofree char *text = g_strnfill (EVENT_SIZE, 'x');

  json_builder_begin_object (event);
  json_builder_set_member_name (event, "message");
  json_builder_add_string_value (event, text);
  return event;
}

static void
write_program (const char *path, const char *script)
{
  g_assert_true (g_file_set_contents (path, script, -1, NULL));
  g_assert_cmpint (g_chmod (path, 0700), ==, 0);
}

/* Takes @hook. Each run of @program leaves a line. */
static void
assert_runs_twice (CliHook *hook, const char *program)
{
  g_autofree char *marks = g_strconcat (program, ".ran", NULL);
  g_autofree char *text = NULL;

  cli_hook_wait (hook, KIT_PATIENCE_US);
  cli_hook_free (hook);
  text = kit_read_text (marks);
  g_assert_cmpstr (text, ==, "ran\nran\n");
}

static void
test_a_hook_that_does_not_read_ends_nothing (void)
{
  static const char script[] = "#!/bin/sh\nexec 0<&-\necho ran >>\"$0.ran\"\n";
  g_autofree char *dir = kit_new_directory ();
  g_autofree char *program = g_build_filename (dir, "hook", NULL);
  CliHook *hook;

  signal (SIGPIPE, SIG_DFL);
  write_program (program, script);
  hook = cli_hook_new (program);
  cli_hook_send (hook, new_event ());
  cli_hook_send (hook, new_event ());
  assert_runs_twice (hook, program);
  kit_remove_tree (dir);
}

/* As when its file is replaced, or the system has no process left for it. */
static void
test_events_wait_for_a_hook_that_cannot_be_started (void)
{
  g_autofree char *dir = kit_new_directory ();
  g_autofree char *program = g_build_filename (dir, "hook", NULL);
  g_autofree char *marks = g_strconcat (program, ".ran", NULL);
  CliHook *hook;

  write_program (program, "#!/no/such/interpreter\n");
  hook = cli_hook_new (program);
  cli_hook_send (hook, new_event ());
  g_assert_false (g_file_test (marks, G_FILE_TEST_EXISTS));
  write_program (program, "#!/bin/sh\ncat >/dev/null\necho ran >>\"$0.ran\"\nexit 3\n");
  cli_hook_send (hook, new_event ());
  assert_runs_twice (hook, program);
  kit_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hook/one-that-does-not-read-ends-nothing",
                   test_a_hook_that_does_not_read_ends_nothing);
  g_test_add_func ("/hook/events-wait-for-one-that-cannot-be-started",
                   test_events_wait_for_a_hook_that_cannot_be_started);
  return g_test_run ();
}

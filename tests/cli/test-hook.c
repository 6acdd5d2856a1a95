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
test_a_hook_that_does_not_read_ends_nothing (void)
{
  static const char script[] = "#!/bin/sh\nexec 0<&-\necho ran >>\"$0.ran\"\n";
  g_autofree char *dir = kit_new_directory ();
  g_autofree char *program = g_build_filename (dir, "hook", NULL);
  g_autofree char *marks = g_strconcat (program, ".ran", NULL);
  g_autofree char *text = NULL;
  CliHook *hook;

  signal (SIGPIPE, SIG_DFL);
  g_assert_true (g_file_set_contents (program, script, -1, NULL));
  g_assert_cmpint (g_chmod (program, 0700), ==, 0);
  hook = cli_hook_new (program);
  cli_hook_send (hook, new_event ());
  cli_hook_send (hook, new_event ());
  cli_hook_wait (hook, KIT_PATIENCE_US);
  cli_hook_free (hook);
  text = kit_read_text (marks);
  g_assert_cmpstr (text, ==, "ran\nran\n");
  kit_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hook/one-that-does-not-read-ends-nothing",
                   test_a_hook_that_does_not_read_ends_nothing);
  return g_test_run ();
}

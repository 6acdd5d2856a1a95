/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload's output for people: help, and bars on a terminal only. */
#include <string.h>

#include "cli-fixture.h"

static const char *const command_names[] = { "put",    "create", "status", "parts",
                                             "commit", "abort",  "spool",  "resume",
                                             "watch",  "whoami", "token" };

static Answer
put_on_terminal (Fixture *f, guint columns, char **environment)
{
  fixture_write_file (f, "a.bin", SESSION_FILE_SIZE, 1);
  fixture_write_file (f, "b.bin", SESSION_FILE_SIZE, 2);
  /* Slow enough for bars to be drawn. */
  return fixture_run_on_terminal (
      f, columns, environment,
      (const char *const[]){ "put", "a.bin", "b.bin", "--upload-rate", "30MB", NULL });
}

static void
test_bars_are_drawn_on_a_terminal (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = put_on_terminal (f, 100, NULL);

  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.out, "a.bin █"));
  g_assert_nonnull (strstr (answer.out, "b.bin █"));
  g_assert_nonnull (strstr (answer.out, "of 21.0 MB"));
  g_assert_nonnull (strstr (answer.out, "a.bin: file "));
  fixture_assert_at_box (f, "b.bin", "b.bin");
}

static void
test_bars_fit_a_narrow_terminal (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = put_on_terminal (f, 24, NULL);
  g_auto (GStrv) lines = g_strsplit (answer.out, "\033[K", -1);

  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpuint (g_strv_length (lines), >, 2);
  for (guint i = 0; lines[i + 1] != NULL; i++)
    {
      const char *end_of_line = strrchr (lines[i], '\n');
      const char *bar = strrchr (lines[i], '\r');

      bar = MAX (MAX (end_of_line, bar), lines[i] - 1) + 1;
      g_assert_cmpint (g_utf8_strlen (bar, -1), <, 24);
    }
}

static void
test_a_terminal_without_utf8_gets_ascii_bars (Fixture *f, gconstpointer data)
{
  char **environment = g_environ_setenv (fixture_environment (f), "LC_ALL", "C", TRUE);
  g_auto (Answer) answer = put_on_terminal (f, 100, environment);

  g_assert_nonnull (strstr (answer.out, "a.bin #"));
  g_assert_true (g_str_is_ascii (answer.out));
}

static void
test_a_dumb_terminal_gets_no_escape_codes (Fixture *f, gconstpointer data)
{
  char **environment = g_environ_setenv (fixture_environment (f), "TERM", "dumb", TRUE);
  g_auto (Answer) answer = put_on_terminal (f, 100, environment);

  g_assert_cmpint (answer.code, ==, 0);
  g_assert_null (strchr (answer.out, '\033'));
}

static void
test_a_pipe_gets_a_line_a_file (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_auto (GStrv) lines = NULL;

  fixture_write_file (f, "a", 1000, 1);
  fixture_write_file (f, "b", 2000, 2);
  answer = RUN (f, "put", "a", "b");
  lines = g_strsplit (answer.out, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_null (strchr (answer.out, '\033'));
  g_assert_cmpstr (answer.err, ==, "");
}

static void
test_names_cannot_steer_the_terminal (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a\033[2J", 1000, 1);
  answer = RUN (f, "put", "a\033[2J", "--name", "b");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_null (strchr (answer.out, '\033'));
}

static void
test_every_command_has_help_with_examples (Fixture *f, gconstpointer data)
{
  g_auto (Answer) program = RUN (f, "--help");

  g_assert_cmpint (program.code, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (command_names); i++)
    {
      g_auto (Answer) option =
          fixture_run_env (f, NULL, (const char *const[]){ command_names[i], "--help", NULL });
      g_auto (Answer) command =
          fixture_run_env (f, NULL, (const char *const[]){ "help", command_names[i], NULL });

      g_assert_cmpint (option.code, ==, 0);
      g_assert_cmpint (command.code, ==, 0);
      g_assert_cmpstr (option.out, ==, command.out);
      g_assert_cmpstr (option.err, ==, "");
      g_assert_nonnull (strstr (option.out, "Example"));
      g_assert_nonnull (strstr (option.out, "With --json"));
      g_assert_nonnull (strstr (option.out, "Exit codes"));
      g_assert_nonnull (strstr (program.out, command_names[i]));
    }
}

static void
test_the_connection_has_help_of_its_own (Fixture *f, gconstpointer data)
{
  g_auto (Answer) common = RUN (f, "put", "--help");
  g_auto (Answer) connection = RUN (f, "put", "--help-connection");
  g_auto (Answer) all = RUN (f, "put", "--help-all");

  g_assert_cmpint (connection.code, ==, 0);
  g_assert_null (strstr (common.out, "--proxy"));
  g_assert_nonnull (strstr (common.out, "--help-connection"));
  g_assert_nonnull (strstr (connection.out, "--proxy"));
  g_assert_null (strstr (connection.out, "--folder"));
  g_assert_nonnull (strstr (all.out, "--proxy"));
  g_assert_nonnull (strstr (all.out, "--folder"));
  g_assert_nonnull (strstr (all.out, "\n  75 try again later"));
}

static void
test_what_was_mistyped_is_guessed (Fixture *f, gconstpointer data)
{
  g_auto (Answer) command = RUN (f, "resmue");
  g_auto (Answer) nothing = RUN (f, "dance");
  g_auto (Answer) option = RUN (f, "put", "a", "--fodler", "7");

  g_assert_cmpint (command.code, ==, 2);
  g_assert_nonnull (strstr (command.err, "did you mean “resume”?"));
  g_assert_cmpint (nothing.code, ==, 2);
  g_assert_null (strstr (nothing.err, "did you mean"));
  g_assert_cmpint (option.code, ==, 2);
  g_assert_nonnull (strstr (option.err, "--fodler; boxupload put --help-all lists the options"));
}

static void
test_the_version_is_the_projects (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = RUN (f, "--version");
  g_auto (Answer) abbreviated = RUN (f, "-V");

  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpstr (answer.out, ==, "boxupload " BOX_VERSION "\n");
  g_assert_cmpstr (abbreviated.out, ==, answer.out);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/terminal/bars-are-drawn", test_bars_are_drawn_on_a_terminal);
  ADD_TEST ("/cli/terminal/bars-fit-a-narrow-one", test_bars_fit_a_narrow_terminal);
  ADD_TEST ("/cli/terminal/without-utf8-gets-ascii-bars",
            test_a_terminal_without_utf8_gets_ascii_bars);
  ADD_TEST ("/cli/terminal/dumb-one-gets-no-escape-codes",
            test_a_dumb_terminal_gets_no_escape_codes);
  ADD_TEST ("/cli/terminal/pipe-gets-a-line-a-file", test_a_pipe_gets_a_line_a_file);
  ADD_TEST ("/cli/terminal/names-cannot-steer-it", test_names_cannot_steer_the_terminal);
  ADD_TEST ("/cli/help/every-command-has-examples", test_every_command_has_help_with_examples);
  ADD_TEST ("/cli/terminal/the-connection-has-help-of-its-own",
            test_the_connection_has_help_of_its_own);
  ADD_TEST ("/cli/terminal/what-was-mistyped-is-guessed", test_what_was_mistyped_is_guessed);
  ADD_TEST ("/cli/help/version-is-the-projects", test_the_version_is_the_projects);
  return g_test_run ();
}

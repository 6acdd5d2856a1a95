/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-fixture.h"

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "kit/places.h"
#include "kit/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
fixture_set_up (Fixture *f, gconstpointer data)
{
  const BoxEmulatorOptions options = { .part_size = PART_SIZE };

  kit_watchdog_start ();
  f->emulator = kit_emulator_new (&options);
  f->dir = kit_new_directory ();
  f->state = g_build_filename (f->dir, "state", NULL);
}

void
fixture_tear_down (Fixture *f, gconstpointer data)
{
  kit_remove_tree (f->dir);
  box_emulator_free (f->emulator);
  g_free (f->dir);
  g_free (f->state);
  kit_watchdog_stop ();
}

void
answer_clear (Answer *answer)
{
  g_free (answer->out);
  g_free (answer->err);
}

char **
fixture_environment (Fixture *f)
{
  static const char *const kept[] = {
    "PATH",         "G_DEBUG",      "ASAN_OPTIONS",      "UBSAN_OPTIONS",
    "LSAN_OPTIONS", "TSAN_OPTIONS", "BOXUPLOAD_TEST_RUN"
  };
  char **environment = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    if (g_getenv (kept[i]) != NULL)
      environment = g_environ_setenv (environment, kept[i], g_getenv (kept[i]), TRUE);
  environment = g_environ_setenv (environment, "HOME", f->dir, TRUE);
  environment = g_environ_setenv (environment, "XDG_STATE_HOME", f->state, TRUE);
  environment = g_environ_setenv (environment, "LC_ALL", "C.UTF-8", TRUE);
  environment = g_environ_setenv (environment, "TERM", "xterm", TRUE);
  return g_environ_setenv (environment, "BOX_ACCESS_TOKEN", TOKEN, TRUE);
}

/* Whether @name of the command line talks to Box: then it takes the endpoints. */
static gboolean
connects (const char *name)
{
  return name[0] != '-' && !g_str_equal (name, "help") && !g_str_equal (name, "spool");
}

char **
fixture_command (Fixture *f, const char *const *arguments)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_add (builder, g_getenv ("BOXUPLOAD"));
  g_strv_builder_add (builder, arguments[0]);
  if (connects (arguments[0]) && !g_strv_contains (arguments, "--endpoint"))
    {
      g_strv_builder_add_many (builder, "--endpoint",
                               box_emulator_get_endpoint (f->emulator, FALSE), "--api-endpoint",
                               box_emulator_get_api_endpoint (f->emulator, FALSE), NULL);
    }
  g_strv_builder_addv (builder, (const char **) arguments + 1);
  return g_strv_builder_end (builder);
}

/* @environment: (nullable) (transfer full). */
static GSubprocess *
start_command (Fixture *f, char **environment, const char *const *command)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_auto (GStrv) owned = environment != NULL ? environment : fixture_environment (f);
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_subprocess_launcher_set_cwd (launcher, f->dir);
  g_subprocess_launcher_set_environ (launcher, owned);
  process = g_subprocess_launcher_spawnv (launcher, command, &error);
  g_assert_no_error (error);
  return process;
}

static GSubprocess *
start (Fixture *f, char **environment, const char *const *arguments)
{
  g_auto (GStrv) command = fixture_command (f, arguments);

  return start_command (f, environment, (const char *const *) command);
}

static char *
dup_text (GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  return size > 0 ? g_strndup (data, size) : g_strdup ("");
}

Answer
fixture_finish (GSubprocess *process)
{
  g_autoptr (GSubprocess) owned = process;
  g_autoptr (GBytes) out = NULL, err = NULL;
  g_autoptr (GError) error = NULL;
  Answer answer = { 0 };

  g_subprocess_communicate (process, NULL, NULL, &out, &err, &error);
  g_assert_no_error (error);
  answer.code = g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process)
                                                     : -g_subprocess_get_term_sig (process);
  answer.out = dup_text (out);
  answer.err = dup_text (err);
  /* A line of more than 64 KiB is more than the reader of the log takes as one. */
  g_test_message ("exit code %d\n%.4000s%.4000s", answer.code, answer.out, answer.err);
  return answer;
}

Answer
fixture_run_env (Fixture *f, char **environment, const char *const *arguments)
{
  return fixture_finish (start (f, environment, arguments));
}

Answer
fixture_run_as_typed (Fixture *f, const char *const *arguments)
{
  g_autoptr (GPtrArray) command = g_ptr_array_new ();

  g_ptr_array_add (command, (char *) g_getenv ("BOXUPLOAD"));
  for (guint i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (command, (char *) arguments[i]);
  g_ptr_array_add (command, NULL);
  return fixture_finish (start_command (f, NULL, (const char *const *) command->pdata));
}

GSubprocess *
fixture_start (Fixture *f, const char *const *arguments)
{
  return start (f, NULL, arguments);
}

GSubprocess *
fixture_start_env (Fixture *f, char **environment, const char *const *arguments)
{
  return start (f, environment, arguments);
}

GSubprocess *
fixture_start_with_input (Fixture *f, const char *const *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_auto (GStrv) environment = fixture_environment (f);
  g_auto (GStrv) command = fixture_command (f, arguments);
  g_autoptr (GError) error = NULL;
  GSubprocess *process;
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_subprocess_launcher_take_stdin_fd (launcher, ends[0]);
  g_subprocess_launcher_set_cwd (launcher, f->dir);
  g_subprocess_launcher_set_environ (launcher, environment);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) command, &error);
  g_assert_no_error (error);
  g_object_set_data_full (G_OBJECT (process), "input", g_unix_output_stream_new (ends[1], TRUE),
                          g_object_unref);
  return process;
}

/* The line; free with g_free(). */
static char *
read_to_complaint (GSubprocess *process, const char *text)
{
  g_autoptr (GDataInputStream) lines =
      g_data_input_stream_new (g_subprocess_get_stderr_pipe (process));
  g_autofree char *line = NULL;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (lines), FALSE);
  g_buffered_input_stream_set_buffer_size (G_BUFFERED_INPUT_STREAM (lines), 1);
  while ((line = g_data_input_stream_read_line (lines, NULL, NULL, NULL)) != NULL
         && strstr (line, text) == NULL)
    g_clear_pointer (&line, g_free);
  g_assert_nonnull (line);
  return g_steal_pointer (&line);
}

void
fixture_wait_for_complaint (GSubprocess *process, const char *text)
{
  g_free (read_to_complaint (process, text));
}

guint
fixture_wait_for_wait (GSubprocess *process)
{
  const char *words = "trying again in ";

  while (TRUE)
    {
      g_autofree char *line = read_to_complaint (process, words);
      char *end;
      guint64 seconds = g_ascii_strtoull (strstr (line, words) + strlen (words), &end, 10);

      /* A request's retry is told with tenths of a second. */
      if (*end != '.')
        return (guint) seconds;
    }
}

/* All that comes until the other side is gone: EIO is how a terminal says so. */
static char *
read_terminal (int fd)
{
  GString *text = g_string_new (NULL);
  char buffer[4096];
  ssize_t n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0)
      g_string_append_len (text, buffer, n);
  return g_string_free (text, FALSE);
}

/* @input: what somebody types. @environment: (nullable) (transfer full). */
static Answer
run_on_terminal (Fixture *f, guint columns, const char *input, char **environment,
                 const char *const *arguments)
{
  const struct winsize size = { .ws_col = (unsigned short) columns, .ws_row = 24 };
  g_auto (GStrv) owned = environment != NULL ? environment : fixture_environment (f);
  g_auto (GStrv) command = fixture_command (f, arguments);
  Answer answer = { 0 };
  int terminal, status;
  pid_t child = forkpty (&terminal, NULL, NULL, &size);

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      if (chdir (f->dir) == 0)
        execve (command[0], command, owned);
      _exit (127);
    }
  g_assert_cmpint (write (terminal, input, strlen (input)), ==, strlen (input));
  answer.out = read_terminal (terminal);
  answer.err = g_strdup ("");
  close (terminal);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  answer.code = WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
  return answer;
}

Answer
fixture_run_on_terminal (Fixture *f, guint columns, char **environment,
                         const char *const *arguments)
{
  return run_on_terminal (f, columns, "", environment, arguments);
}

Answer
fixture_type_on_terminal (Fixture *f, const char *input, const char *const *arguments)
{
  return run_on_terminal (f, 80, input, NULL, arguments);
}

void
fixture_write_file (Fixture *f, const char *name, gsize size, guint32 seed)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes ((guint64) seed << 24, size);

  kit_write_bytes (path, g_bytes_get_data (bytes, NULL), size);
}

char *
fixture_sha1 (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autoptr (GBytes) bytes = kit_read_bytes (path);

  return g_compute_checksum_for_bytes (G_CHECKSUM_SHA1, bytes);
}

void
fixture_assert_at_box (Fixture *f, const char *box_name, const char *name)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (f->emulator, "0", box_name);
  g_autoptr (GBytes) ours = kit_read_bytes (path);
  g_autoptr (GBytes) theirs = NULL;

  g_assert_nonnull (file);
  theirs = kit_read_bytes (file->path);
  g_assert_true (g_bytes_equal (ours, theirs));
}

JsonObject *
parse_line (const char *text, int index)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  int n = (int) g_strv_length (lines) - 1; /* every line ends with a newline */
  int wanted = index < 0 ? n + index : index;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;

  g_assert_cmpint (wanted, >=, 0);
  g_assert_cmpint (wanted, <, n);
  node = json_from_string (lines[wanted], &error);
  g_assert_no_error (error);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (node));
  return json_node_dup_object (node);
}

JsonObject *
parse_document (const char *text)
{
  g_assert_nonnull (strchr (text, '\n'));
  g_assert_cmpstr (strchr (text, '\n'), ==, "\n");
  return parse_line (text, 0);
}

void
fixture_load (Fixture *f, const char *scenario)
{
  kit_load_rules (f->emulator, scenario);
}

char *
fixture_add_session (Fixture *f, const char *name, gsize size, guint n_parts)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  char *id = box_emulator_add_session (f->emulator, "0", name, NULL, size);
  g_autoptr (GBytes) bytes = NULL;

  g_assert_nonnull (id);
  if (n_parts == 0)
    return id;
  bytes = kit_read_bytes (path);
  for (guint i = 0; i < n_parts; i++)
    {
      gsize offset = (gsize) i * PART_SIZE;
      const guint8 *data = g_bytes_get_data (bytes, NULL);

      g_assert_true (box_emulator_add_part (f->emulator, id, offset, data + offset,
                                            MIN (PART_SIZE, g_bytes_get_size (bytes) - offset)));
    }
  return id;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the tests of boxupload: the real program in a private folder and state directory, an
 * emulator in this process, and the program's output.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "emulator/box-emulator.h"
#include "kit/patience.h"

/* Parts of the emulator's sessions, bytes. */
#define PART_SIZE (1u << 20)

/* The least that is uploaded in parts: 20 parts. */
#define SESSION_FILE_SIZE (20u << 20)

/* The token in the program's environment. */
#define TOKEN "token-of-the-test-94711"

typedef struct
{
  BoxEmulator *emulator;
  char *dir;   /* the program's working directory */
  char *state; /* XDG_STATE_HOME */
} Fixture;

void fixture_set_up (Fixture *f, gconstpointer data);
void fixture_tear_down (Fixture *f, gconstpointer data);

/* Adds a test with the fixture. */
#define ADD_TEST(path, function)                                                                   \
  g_test_add (path, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

/* A program that ended. */
typedef struct
{
  int code; /* -SIGNAL where a signal ended it */
  char *out;
  char *err;
} Answer;

void answer_clear (Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

/* The program's environment; to be changed before it is given to fixture_run_env(). Free with
 * g_strfreev(). */
char **fixture_environment (Fixture *f);

/* The command line, NULL-terminated, of boxupload with the emulator's endpoints; free with
 * g_strfreev(). */
char **fixture_command (Fixture *f, const char *const *arguments);

/* Runs boxupload to its end. @environment: (nullable) (transfer full). */
Answer fixture_run_env (Fixture *f, char **environment, const char *const *arguments);
#define RUN(f, ...) fixture_run_env (f, NULL, (const char *const[]){ __VA_ARGS__, NULL })

/* Runs it with no other options than these. */
Answer fixture_run_as_typed (Fixture *f, const char *const *arguments);

/* Starts boxupload with pipes for its output. */
GSubprocess *fixture_start (Fixture *f, const char *const *arguments);
#define START(f, ...) fixture_start (f, (const char *const[]){ __VA_ARGS__, NULL })

/* The same in @environment (transfer full). */
GSubprocess *fixture_start_env (Fixture *f, char **environment, const char *const *arguments);

/* The same with a pipe as its standard input, whose other end, a GOutputStream, is the process's
 * data "input". */
GSubprocess *fixture_start_with_input (Fixture *f, const char *const *arguments);

/* Reads what @process writes to stderr, up to a line with @text. */
void fixture_wait_for_complaint (GSubprocess *process, const char *text);

/* The same up to the next recording that waits: "trying again in N s"; returns N. */
guint fixture_wait_for_wait (GSubprocess *process);

/* Waits for the end of what fixture_start() gave; takes it. */
Answer fixture_finish (GSubprocess *process);

/* Runs boxupload on a terminal of @columns columns; what it wrote is in "out". @environment as
 * above. */
Answer fixture_run_on_terminal (Fixture *f, guint columns, char **environment,
                                const char *const *arguments);

/* Runs it on a terminal on which @input is typed. */
Answer fixture_type_on_terminal (Fixture *f, const char *input, const char *const *arguments);

/* Writes @size bytes of the kit's pattern to a file in the working directory; another @seed, below
 * 256, gives other bytes at every offset. */
void fixture_write_file (Fixture *f, const char *name, gsize size, guint32 seed);

/* The SHA-1 of a file in the working directory; free with g_free(). */
char *fixture_sha1 (Fixture *f, const char *name);

/* That Box has a file in the root folder with the bytes of @name of the working directory. */
void fixture_assert_at_box (Fixture *f, const char *box_name, const char *name);

/* The JSON object that is the only line of @text, or its line @index (negative: from the end). */
JsonObject *parse_document (const char *text);
JsonObject *parse_line (const char *text, int index);

/* That the emulator takes a scenario. */
void fixture_load (Fixture *f, const char *scenario);

/* A session of @size bytes for a new file @name, with its first @n_parts parts of the file of that
 * name in the working directory; free with g_free(). */
char *fixture_add_session (Fixture *f, const char *name, gsize size, guint n_parts);

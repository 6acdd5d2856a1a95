/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults at the requests that are no part of an upload: folders, metadata, lists, reading back, and
 * who one is. What passes is survived if it strikes once. What stays ends the command, with a
 * documented exit code and a last line that says why; and no folder is made twice.
 */
#include "cli-fixture.h"

#include <string.h>

#define SIZE 100000

/* @command: "%s" is a word of the case; "ID" a file that is there. @harmless: the command does its
 * work without this request. */
static const struct
{
  const char *route;
  const char *command;
  gboolean harmless;
} requests[] = {
  { "create_folder", "put a --folder-path Archive-%s/2026 --name folder", FALSE },
  { "list_folder", "ls", FALSE },
  { "create_metadata", "put a --name metadata-%s --metadata camera=3", TRUE },
  { "get_user", "whoami", FALSE },
  { "get_user", "create --size 200MB --name room-%s --no-note", TRUE },
  { "download", "get ID download-%s", FALSE },
  { "content", "get ID content-%s", FALSE },
};

/* @passes: one such answer is followed by another attempt. @ends: the credentials are of no use
 * for anything from then on. */
static const struct
{
  const char *name;
  gboolean passes;
  const char *rule;
  gboolean ends;
} faults[] = {
  { "reset", TRUE, "\"do\": \"reset\"" },
  { "reset-when-done", TRUE, "\"do\": \"reset\", \"at\": \"stored\"" },
  { "close-in-the-reply", TRUE, "\"do\": \"close\", \"at\": \"reply\", \"bytes\": 1" },
  { "stall", TRUE, "\"do\": \"hold\"" },
  { "stall-when-done", TRUE, "\"do\": \"hold\", \"at\": \"stored\"" },
  { "not-http", TRUE, "\"do\": \"garbage\"" },
  { "503", TRUE, "\"do\": \"reply\", \"status\": 503, \"headers\": { \"Retry-After\": \"1\" }" },
  { "done-but-500", TRUE, "\"do\": \"reply\", \"at\": \"stored\", \"status\": 500" },
  { "429", TRUE, "\"do\": \"reply\", \"status\": 429, \"headers\": { \"Retry-After\": \"1\" }" },
  { "blocked", TRUE,
    "\"do\": \"reply\", \"status\": 409, \"json\": { \"type\": \"error\", \"status\": 409,"
    " \"code\": \"operation_blocked_temporary\" }" },
  { "not-found", FALSE,
    "\"do\": \"reply\", \"status\": 404, \"json\": { \"type\": \"error\", \"status\": 404,"
    " \"code\": \"not_found\" }" },
  { "scope", FALSE,
    "\"do\": \"reply\", \"status\": 403, \"headers\": { \"WWW-Authenticate\":"
    " \"Bearer realm=\\\"S\\\", error=\\\"insufficient_scope\\\"\" }" },
  { "token", FALSE,
    "\"do\": \"reply\", \"status\": 401, \"headers\": { \"WWW-Authenticate\":"
    " \"Bearer realm=\\\"S\\\", error=\\\"invalid_token\\\"\" }",
    TRUE },
  { "portal", FALSE, "\"do\": \"reply\", \"status\": 200, \"body\": \"<html>Log in</html>\"" },
  { "redirect", TRUE,
    "\"do\": \"reply\", \"status\": 302, \"headers\": { \"Location\": \"https://127.0.0.1:1/\" }" },
  { "endless", FALSE, "\"do\": \"endless\"" },
};

/* Every request meets the fault; each command has one of its own. */
static void
load_fault (Fixture *f, guint fault, gboolean once)
{
  static const char *const routes[] = { "create_folder", "list_folder", "create_metadata",
                                        "get_user",      "download",    "content" };
  g_autoptr (GString) rules = g_string_new ("[");

  for (guint i = 0; i < G_N_ELEMENTS (routes); i++)
    g_string_append_printf (rules, "%s{ \"route\": \"%s\", %s%s }", i > 0 ? ", " : "", routes[i],
                            once ? "\"times\": 1, " : "", faults[fault].rule);
  g_string_append_c (rules, ']');
  fixture_load (f, rules->str);
}

static GSubprocess *
start (Fixture *f, const char *id, guint request, const char *word, gboolean once)
{
  g_auto (GStrv) parts = g_strsplit (requests[request].command, "%s", 2);
  g_autofree char *line = g_strjoinv (word, parts);
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();

  for (guint i = 0; words[i] != NULL; i++)
    g_ptr_array_add (arguments, (char *) (g_str_equal (words[i], "ID") ? id : words[i]));
  /* A fault that strikes once is survived however slow the machine is. */
  g_ptr_array_add (arguments, "--timeout");
  g_ptr_array_add (arguments, once ? "5" : "2");
  g_ptr_array_add (arguments, "--retry-timeout");
  g_ptr_array_add (arguments, once ? "300" : "2");
  g_ptr_array_add (arguments, NULL);
  return fixture_start (f, (const char *const *) arguments->pdata);
}

/* The last line of @text. */
static const char *
find_last_line (char *text)
{
  char *newline = strrchr (g_strchomp (text), '\n');

  return newline != NULL ? newline + 1 : text;
}

/* @must: it may not fail. */
static void
check_answer (Answer *answer, guint request, gboolean must)
{
  const char *last = find_last_line (answer->err);

  g_test_message ("%s: code %d: %s", requests[request].command, answer->code, last);
  if (must)
    g_assert_cmpint (answer->code, ==, 0);
  if (answer->code == 0)
    return;
  g_assert_cmpint (answer->code, >, 0);
  g_assert_true (answer->code <= 17 || answer->code == 75);
  g_assert_cmpint (answer->code, !=, 1);
  g_assert_true (g_str_has_prefix (last, "boxupload: "));
  g_assert_cmpuint (strlen (last), >, 40);
  g_assert_null (strstr (last, "(null)"));
}

static void
play (Fixture *f, guint fault, gboolean once)
{
  guint before = box_emulator_count_folders (f->emulator), made;
  g_autofree char *id = box_emulator_add_file (f->emulator, "0", once ? "1" : "2", "hello\n", 6);
  GSubprocess *processes[G_N_ELEMENTS (requests)];
  const char *word = once ? "once" : "always";

  load_fault (f, fault, once);
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    processes[i] = start (f, id, i, word, once);
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      g_auto (Answer) answer = fixture_finish (processes[i]);

      check_answer (&answer, i,
                    (once && faults[fault].passes)
                        || (requests[i].harmless && !faults[fault].ends));
    }
  box_emulator_clear_scenario (f->emulator);
  made = box_emulator_count_folders (f->emulator) - before;
  if (once && faults[fault].passes)
    g_assert_cmpuint (made, ==, 2);
  else
    g_assert_cmpuint (made, <=, 2);
}

static void
test_fault (Fixture *f, gconstpointer data)
{
  guint fault = GPOINTER_TO_UINT (data);

  fixture_write_file (f, "a", SIZE, 1);
  play (f, fault, TRUE);
  play (f, fault, FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/place-faults/%s", faults[i].name);

      g_test_add (path, Fixture, GUINT_TO_POINTER (i), fixture_set_up, test_fault,
                  fixture_tear_down);
    }
  return g_test_run ();
}

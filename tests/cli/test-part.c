/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload part: one part at one offset, and what can be wrong with it. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "cli-fixture.h"
#include "kit/emulator.h"

#define N_PARTS (SESSION_FILE_SIZE / PART_SIZE)

static const char total[] = "20971520"; /* SESSION_FILE_SIZE */

/* A session as other people made it: without a note on this machine. */
static char *
add_session (Fixture *f, guint n_parts)
{
  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  return fixture_add_session (f, "a", SESSION_FILE_SIZE, n_parts);
}

/* Writes part @index of the file "a" to a file of its own. */
static void
write_part (Fixture *f, guint index, const char *name)
{
  g_autofree char *from = g_build_filename (f->dir, "a", NULL);
  g_autofree char *to = g_build_filename (f->dir, name, NULL);
  g_autofree char *data = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (from, &data, &size, NULL));
  g_assert_true (g_file_set_contents (to, data + index * PART_SIZE, PART_SIZE, NULL));
}

static Answer
send_part (Fixture *f, const char *id, guint index, const char *file)
{
  g_autofree char *offset = g_strdup_printf ("%u", index * PART_SIZE);

  return RUN (f, "part", id, "--offset", offset, "--total", total, file, "--json");
}

/* Runs @script with bash; boxupload is "$@". */
static Answer
run_script (Fixture *f, const char *script)
{
  g_autoptr (GPtrArray) command = g_ptr_array_new ();
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_auto (GStrv) environment = fixture_environment (f);
  g_auto (GStrv) boxupload = fixture_command (f, (const char *const[]){ "part", NULL });
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_ptr_array_add (command, (char *) "bash");
  g_ptr_array_add (command, (char *) "-euc");
  g_ptr_array_add (command, (char *) script);
  g_ptr_array_add (command, (char *) "script");
  for (guint i = 0; boxupload[i] != NULL; i++)
    g_ptr_array_add (command, boxupload[i]);
  g_ptr_array_add (command, NULL);
  g_subprocess_launcher_set_cwd (launcher, f->dir);
  g_subprocess_launcher_set_environ (launcher, environment);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) command->pdata, &error);
  g_assert_no_error (error);
  return fixture_finish (process);
}

static const char *
get_kind (const Answer *answer)
{
  g_autoptr (JsonObject) object = parse_document (answer->out);
  JsonObject *error = json_object_get_object_member (object, "error");

  return g_intern_string (json_object_get_string_member (error, "kind"));
}

/* ---- where the bytes come from ---- */

static void
test_a_part_is_stored_and_its_record_printed (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_autofree char *sha1 = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_auto (Answer) answer = { 0 };

  write_part (f, 3, "part");
  sha1 = fixture_sha1 (f, "part");
  answer = send_part (f, id, 3, "part");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpstr (answer.err, ==, "");
  object = parse_document (answer.out);
  g_assert_nonnull (json_object_get_string_member (object, "part_id"));
  g_assert_cmpint (json_object_get_int_member (object, "offset"), ==, 3 * PART_SIZE);
  g_assert_cmpint (json_object_get_int_member (object, "size"), ==, PART_SIZE);
  g_assert_cmpstr (json_object_get_string_member (object, "sha1"), ==, sha1);
  g_assert_false (json_object_get_boolean_member (object, "adopted"));
  session = box_emulator_get_session (f->emulator, id);
  g_assert_cmpuint (session->received[3], ==, 1);
}

static void
test_parts_of_the_whole_file_are_taken_from_their_place (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_auto (Answer) committed = { 0 };

  for (guint i = 0; i < N_PARTS; i++)
    {
      g_auto (Answer) answer = send_part (f, id, N_PARTS - 1 - i, "a");

      g_assert_cmpint (answer.code, ==, 0);
    }
  committed = RUN (f, "commit", id, "--sha1-of", "a");
  g_assert_cmpint (committed.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

static void
test_a_loop_takes_part_after_part_from_standard_input (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_autofree char *file = g_strdup_printf (
      "for ((o = 0; o < %s; o += %u)); do \"$@\" %s --offset $o --total %s; done < a", total,
      PART_SIZE, id, total);
  g_autofree char *pipe =
      g_strdup_printf ("head -c %u a | \"$@\" %s --offset 0 --total %s -", PART_SIZE, id, total);
  g_auto (Answer) answer = run_script (f, pipe);
  g_auto (Answer) loop = run_script (f, file);
  g_auto (Answer) committed = RUN (f, "commit", id, "--sha1-of", "a");

  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpint (loop.code, ==, 0);
  g_assert_cmpint (committed.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

static void
test_the_total_is_known_where_the_session_was_created (Fixture *f, gconstpointer data)
{
  g_auto (Answer) created = RUN (f, "create", "--size", "20MiB", "--name", "a");
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "part", PART_SIZE, 1);
  answer = RUN (f, "part", g_strchomp (created.out), "--offset", "0", "part");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_true (g_str_has_prefix (answer.out, "part "));
}

static void
test_an_interrupt_ends_the_wait_for_bytes (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_autofree char *path = g_build_filename (f->dir, "pipe", NULL);
  GSubprocess *process;
  g_auto (Answer) answer = { 0 };

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  process = START (f, "part", id, "--offset", "0", "--total", total, "pipe");
  g_assert_true (box_emulator_wait_done (f->emulator, "get_session", 1, KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGINT);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 130);
}

/* ---- what is there already ---- */

static void
test_a_part_that_is_there_is_adopted (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_auto (Answer) first = send_part (f, id, 0, "a");
  g_auto (Answer) again = send_part (f, id, 0, "a");
  g_autoptr (JsonObject) one = parse_document (first.out);
  g_autoptr (JsonObject) two = parse_document (again.out);

  g_assert_cmpint (again.code, ==, 0);
  g_assert_cmpstr (again.err, ==, "");
  g_assert_true (json_object_get_boolean_member (two, "adopted"));
  g_assert_cmpstr (json_object_get_string_member (one, "part_id"), ==,
                   json_object_get_string_member (two, "part_id"));
  g_assert_cmpstr (json_object_get_string_member (one, "sha1"), ==,
                   json_object_get_string_member (two, "sha1"));
}

static void
test_a_part_of_others_is_adopted_with_a_word (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 1);
  g_auto (Answer) answer = send_part (f, id, 0, "a");
  g_autoptr (JsonObject) object = parse_document (answer.out);

  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.err, "does not report its SHA-1"));
  g_assert_true (json_object_get_boolean_member (object, "adopted"));
  g_assert_true (json_object_get_null_member (object, "sha1"));
}

static void
test_other_bytes_in_the_range_are_a_conflict (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_auto (Answer) first = send_part (f, id, 0, "a");
  g_auto (Answer) other = { 0 };

  g_assert_cmpint (first.code, ==, 0);
  fixture_write_file (f, "other", PART_SIZE, 2);
  other = send_part (f, id, 0, "other");
  g_assert_cmpint (other.code, ==, 11);
  g_assert_cmpstr (get_kind (&other), ==, "conflict");
  g_assert_nonnull (strstr (other.err, "other bytes"));
}

/* Where Box tells the SHA-1, this machine need not know the part. */
static void
test_other_bytes_of_others_are_a_conflict_where_box_tells (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 1);
  g_auto (Answer) other = { 0 };

  fixture_write_file (f, "other", PART_SIZE, 2);
  fixture_load (f, RULE ({"route": "upload_part", "do": "change", "change": {"context_info":
    {"conflicting_part": {"sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}}}}));
  other = send_part (f, id, 0, "other");
  g_assert_cmpint (other.code, ==, 11);
  g_assert_nonnull (strstr (other.err, "da39a3ee5e6b4b0d3255bfef95601890afd80709"));
}

static void
test_a_part_whose_answer_was_lost_is_sent_once (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_autoptr (BoxEmulatorSession) session = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_load (f, RULE ({"route": "upload_part", "times": 1, "do": "reset", "at": "stored"}));
  answer = send_part (f, id, 0, "a");
  g_assert_cmpint (answer.code, ==, 0);
  object = parse_document (answer.out);
  g_assert_true (json_object_get_boolean_member (object, "adopted"));
  session = box_emulator_get_session (f->emulator, id);
  g_assert_cmpuint (session->received[0], ==, 1);
  g_assert_cmpuint (box_emulator_count (f->emulator, "list_parts"), ==, 1);
}

/* ---- what can be wrong ---- */

static const struct
{
  const char *name;
  const char *offset;
  const char *total;
  const char *file;
  int code;
  const char *kind;
  const char *words;
  gboolean asks; /* sends the part to hear it */
} refusals[] = {
  { "unaligned", "1048577", total, "a", 15, "unaligned", "with this byte at 1048576", FALSE },
  { "beyond-the-end", "20971520", total, "a", 16, "beyond-end", "begins at 19922944", FALSE },
  { "total-of-other-parts", "0", "1GB", "a", 17, "other-total", "--total", FALSE },
  { "total-of-nothing", "0", "0", "a", 17, "other-total", "--total", FALSE },
  { "total-a-byte-less", "0", "20971519", "part", 17, "other-total", "20971519 bytes", TRUE },
  { "file-too-short", "0", total, "short", 8, "size", "has 5 bytes", FALSE },
  { "file-too-long", "0", total, "long", 8, "size", "1048577 bytes", FALSE },
  { "no-file", "0", total, "missing", 13, "storage", "cannot be read", FALSE },
  { "no-number", "here", total, "a", 2, "settings", "--offset", FALSE },
  { "no-total", "0", NULL, "a", 2, "settings", "--total", FALSE },
};

static void
test_refusal (Fixture *f, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autofree char *id = add_session (f, 0);
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "part", PART_SIZE, 1);
  fixture_write_file (f, "short", 5, 1);
  fixture_write_file (f, "long", PART_SIZE + 1, 1);
  if (refusals[i].total != NULL)
    answer = RUN (f, "part", id, "--json", "--offset", refusals[i].offset, "--total",
                  refusals[i].total, refusals[i].file);
  else
    answer = RUN (f, "part", id, "--json", "--offset", refusals[i].offset, refusals[i].file);
  g_assert_cmpint (answer.code, ==, refusals[i].code);
  g_assert_cmpstr (get_kind (&answer), ==, refusals[i].kind);
  g_assert_nonnull (strstr (answer.err, refusals[i].words));
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==, refusals[i].asks ? 1 : 0);
}

static void
test_another_total_than_was_created_needs_no_request (Fixture *f, gconstpointer data)
{
  g_auto (Answer) created = RUN (f, "create", "--size", "20971520", "--name", "a");
  guint n = box_emulator_count (f->emulator, NULL);
  g_auto (Answer) answer =
      RUN (f, "part", g_strchomp (created.out), "--offset", "0", "--total", "20971519", "a");

  g_assert_cmpint (answer.code, ==, 17);
  g_assert_nonnull (strstr (answer.err, "20971520"));
  g_assert_cmpuint (box_emulator_count (f->emulator, NULL), ==, n);
}

static void
test_standard_input_that_is_too_short_is_not_sent (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_autofree char *script =
      g_strdup_printf ("echo short | \"$@\" %s --offset 0 --total %s", id, total);
  g_auto (Answer) answer = run_script (f, script);

  g_assert_cmpint (answer.code, ==, 8);
  g_assert_nonnull (strstr (answer.err, "ends after 6 bytes"));
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==, 0);
}

static void
test_a_closed_session_takes_no_part (Fixture *f, gconstpointer data)
{
  g_autofree char *aborted = add_session (f, 0);
  g_autofree char *expired = fixture_add_session (f, "b", SESSION_FILE_SIZE, 0);
  g_auto (Answer) end = RUN (f, "abort", aborted);
  g_auto (Answer) first = { 0 }, second = { 0 };

  g_assert_cmpint (end.code, ==, 0);
  box_emulator_expire_session (f->emulator, expired);
  first = send_part (f, aborted, 0, "a");
  second = send_part (f, expired, 0, "a");
  g_assert_cmpint (first.code, ==, 10);
  g_assert_cmpint (second.code, ==, 10);
  g_assert_nonnull (strstr (first.err, "was aborted"));
  g_assert_nonnull (strstr (second.err, "expired"));
}

/* ---- several hosts ---- */

#define N_HOSTS 4
#define SHARE   (N_PARTS / N_HOSTS)

static void
shuffle (guint *numbers, guint n)
{
  for (guint i = n; i > 1; i--)
    {
      guint other = (guint) g_test_rand_int_range (0, (gint32) i);
      guint number = numbers[i - 1];

      numbers[i - 1] = numbers[other];
      numbers[other] = number;
    }
}

static GSubprocess *
start_host (Fixture *f, const char *id, guint part)
{
  g_autofree char *offset = g_strdup_printf ("%u", part * PART_SIZE);

  return START (f, "part", id, "--offset", offset, "--total", total, "a");
}

/* One of the hosts dies in the middle of its part in round @fatal; what it had is sent again. */
static void
fill_by_hosts (Fixture *f, const char *id, const guint *parts, guint fatal)
{
  for (guint round = 0; round < SHARE; round++)
    {
      GSubprocess *hosts[N_HOSTS] = { NULL };

      for (guint h = 0; h < N_HOSTS; h++)
        if (h > 0 || round <= fatal)
          hosts[h] = start_host (f, id, parts[h * SHARE + round]);
      if (round == fatal)
        {
          g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
          g_subprocess_force_exit (hosts[0]);
        }
      for (guint h = 0; h < N_HOSTS; h++)
        {
          g_auto (Answer) answer = { 0 };

          if (hosts[h] == NULL)
            continue;
          answer = fixture_finish (hosts[h]);
          g_assert_cmpint (answer.code, ==, h == 0 && round == fatal ? -9 : 0);
        }
    }
}

/* As a host does that knows nothing of the others. */
static Answer
send_from_elsewhere (Fixture *f, const char *id, guint part)
{
  g_autofree char *state = g_build_filename (f->dir, "elsewhere", NULL);
  g_autofree char *offset = g_strdup_printf ("%u", part * PART_SIZE);
  char **environment = g_environ_setenv (fixture_environment (f), "XDG_STATE_HOME", state, TRUE);

  return fixture_run_env (
      f, environment,
      (const char *const[]){ "part", id, "--offset", offset, "--total", total, "a", NULL });
}

static void
test_four_hosts_fill_one_session (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, 0);
  g_autofree char *rule = NULL;
  g_auto (Answer) early = { 0 }, committed = { 0 };
  guint parts[N_PARTS];

  for (guint i = 0; i < N_PARTS; i++)
    parts[i] = i;
  shuffle (parts, N_PARTS);
  rule = g_strdup_printf ("[{\"route\": \"upload_part\", \"part\": %u, \"times\": 1,"
                          " \"do\": \"hold\", \"bytes\": 100000, \"name\": \"gate\"}]",
                          parts[2]);
  fixture_load (f, rule);
  fill_by_hosts (f, id, parts, 2);
  box_emulator_release (f->emulator, "gate");
  early = RUN (f, "commit", id, "--sha1-of", "a");
  g_assert_cmpint (early.code, ==, 8);
  for (guint i = 0; i < SHARE; i++)
    {
      g_auto (Answer) answer = send_from_elsewhere (f, id, parts[i]);

      g_assert_cmpint (answer.code, ==, 0);
    }
  committed = RUN (f, "commit", id, "--sha1-of", "a");
  g_assert_cmpint (committed.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
}

static void
test_commit_compares_the_size_of_the_file (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_session (f, N_PARTS);
  g_auto (Answer) longer = { 0 }, both = { 0 }, missing = { 0 };

  fixture_write_file (f, "longer", SESSION_FILE_SIZE + 1, 1);
  longer = RUN (f, "commit", id, "--sha1-of", "longer");
  both =
      RUN (f, "commit", id, "--sha1-of", "a", "--sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  missing = RUN (f, "commit", id, "--sha1-of", "missing");
  g_assert_cmpint (longer.code, ==, 8);
  g_assert_cmpint (both.code, ==, 2);
  g_assert_cmpint (missing.code, ==, 13);
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/part/is-stored-and-its-record-printed",
            test_a_part_is_stored_and_its_record_printed);
  ADD_TEST ("/cli/part/of-the-whole-file-is-taken-from-its-place",
            test_parts_of_the_whole_file_are_taken_from_their_place);
  ADD_TEST ("/cli/part/loop-takes-part-after-part-from-standard-input",
            test_a_loop_takes_part_after_part_from_standard_input);
  ADD_TEST ("/cli/part/total-is-known-where-the-session-was-created",
            test_the_total_is_known_where_the_session_was_created);
  ADD_TEST ("/cli/part/interrupt-ends-the-wait-for-bytes",
            test_an_interrupt_ends_the_wait_for_bytes);
  ADD_TEST ("/cli/part/that-is-there-is-adopted", test_a_part_that_is_there_is_adopted);
  ADD_TEST ("/cli/part/of-others-is-adopted-with-a-word",
            test_a_part_of_others_is_adopted_with_a_word);
  ADD_TEST ("/cli/part/other-bytes-in-the-range-are-a-conflict",
            test_other_bytes_in_the_range_are_a_conflict);
  ADD_TEST ("/cli/part/other-bytes-of-others-are-a-conflict-where-box-tells",
            test_other_bytes_of_others_are_a_conflict_where_box_tells);
  ADD_TEST ("/cli/part/whose-answer-was-lost-is-sent-once",
            test_a_part_whose_answer_was_lost_is_sent_once);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *path = g_strconcat ("/cli/part/refusal/", refusals[i].name, NULL);

      g_test_add (path, Fixture, GUINT_TO_POINTER (i), fixture_set_up, test_refusal,
                  fixture_tear_down);
    }
  ADD_TEST ("/cli/part/another-total-than-was-created-needs-no-request",
            test_another_total_than_was_created_needs_no_request);
  ADD_TEST ("/cli/part/standard-input-that-is-too-short-is-not-sent",
            test_standard_input_that_is_too_short_is_not_sent);
  ADD_TEST ("/cli/part/closed-session-takes-none", test_a_closed_session_takes_no_part);
  ADD_TEST ("/cli/part/four-hosts-fill-one-session", test_four_hosts_fill_one_session);
  ADD_TEST ("/cli/commit/compares-the-size-of-the-file", test_commit_compares_the_size_of_the_file);
  return g_test_run ();
}

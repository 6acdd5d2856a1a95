/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload create, status, parts, commit and abort, as a script sees them. */
#include <string.h>

#include "cli-fixture.h"
#include "kit/emulator.h"
#include "kit/places.h"

static const char *
get_string (JsonObject *object, const char *member)
{
  return json_object_get_string_member (object, member);
}

static gint64
get_int (JsonObject *object, const char *member)
{
  return json_object_get_int_member (object, member);
}

static void
test_create_prints_the_id_alone (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = RUN (f, "create", "--size", "20MiB", "--name", "a.mp4");
  g_autoptr (BoxEmulatorSession) session = NULL;

  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpstr (answer.err, ==, "");
  g_assert_cmpint (answer.out[strlen (answer.out) - 1], ==, '\n');
  session = box_emulator_get_session (f->emulator, g_strchomp (answer.out));
  g_assert_nonnull (session);
  g_assert_cmpuint (session->size, ==, 20u << 20);
  g_assert_cmpstr (session->file_name, ==, "a.mp4");
  g_assert_cmpstr (session->folder_id, ==, "0");
}

static void
test_create_makes_a_version_of_a_file (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "old.mp4", "old", 3);
  g_auto (Answer) answer = RUN (f, "create", "--size", "20MB", "--file", file_id, "--json");
  g_autoptr (BoxEmulatorSession) session = NULL;
  g_autoptr (JsonObject) object = NULL;

  g_assert_cmpint (answer.code, ==, 0);
  object = parse_document (answer.out);
  session = box_emulator_get_session (f->emulator, get_string (object, "session_id"));
  g_assert_cmpstr (session->file_id, ==, file_id);
  g_assert_cmpstr (get_string (object, "file_id"), ==, file_id);
  g_assert_cmpint (get_int (object, "size"), ==, 20000000);
  g_assert_cmpint (get_int (object, "part_size"), ==, PART_SIZE);
  g_assert_cmpint (get_int (object, "total_parts"), ==, 20);
  g_assert_nonnull (get_string (object, "expires_at"));
}

static void
test_what_create_noted_is_in_the_status (Fixture *f, gconstpointer data)
{
  g_auto (Answer) created =
      RUN (f, "create", "--size", "20000001", "--name", "Ünïcode.mp4", "--folder", "0");
  const char *id = g_strchomp (created.out);
  g_auto (Answer) text = RUN (f, "status", id);
  g_auto (Answer) json = RUN (f, "status", id, "--json");
  g_autoptr (JsonObject) object = NULL;

  g_assert_cmpint (text.code, ==, 0);
  g_assert_nonnull (strstr (text.out, "20000001 bytes"));
  g_assert_nonnull (strstr (text.out, "“Ünïcode.mp4” in folder 0"));
  object = parse_document (json.out);
  g_assert_cmpint (get_int (object, "size"), ==, 20000001);
  g_assert_cmpint (get_int (object, "parts_processed"), ==, 0);
  g_assert_cmpstr (get_string (object, "name"), ==, "Ünïcode.mp4");
}

static void
test_create_without_note_leaves_none (Fixture *f, gconstpointer data)
{
  g_auto (Answer) created = RUN (f, "create", "--size", "20MB", "--name", "a", "--no-note");
  g_auto (Answer) status = RUN (f, "status", g_strchomp (created.out), "--json");
  g_autoptr (JsonObject) object = parse_document (status.out);

  g_assert_false (json_object_has_member (object, "size"));
  g_assert_false (g_file_test (f->state, G_FILE_TEST_EXISTS));
}

static void
test_a_session_that_cannot_be_noted_is_given_up (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;

  g_assert_true (g_file_set_contents (f->state, "in the way", -1, NULL));
  answer = RUN (f, "create", "--size", "20MB", "--name", "a");
  g_assert_cmpint (answer.code, ==, 13);
  g_assert_cmpstr (answer.out, ==, "");
  g_assert_nonnull (strstr (answer.err, "--no-note"));
  ids = box_emulator_get_session_ids (f->emulator);
  session = box_emulator_get_session (f->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpint (session->state, ==, BOX_EMULATOR_SESSION_ABORTED);
}

static void
test_create_says_which_file_has_the_name (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "a.mp4", "old", 3);
  g_auto (Answer) answer = RUN (f, "create", "--size", "20MB", "--name", "a.mp4", "--json");
  g_autoptr (JsonObject) object = parse_document (answer.out);
  JsonObject *error = json_object_get_object_member (object, "error");

  g_assert_cmpint (answer.code, ==, 7);
  g_assert_nonnull (strstr (answer.err, "--file "));
  g_assert_nonnull (strstr (answer.err, file_id));
  g_assert_cmpstr (get_string (error, "kind"), ==, "name-in-use");
  g_assert_cmpint (get_int (error, "exit_code"), ==, 7);
  g_assert_cmpint (get_int (error, "http_status"), ==, 409);
  g_assert_cmpstr (get_string (error, "box_error_code"), ==, "item_name_in_use");
  g_assert_cmpstr (get_string (json_object_get_object_member (error, "conflict"), "file_id"), ==,
                   file_id);
}

static void
test_refusals_have_their_exit_codes (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *arguments[8];
    int code;
  } cases[] = {
    { { "create", "--size", "20MB", "--name", "a", "--folder", "99999" }, 6 },
    { { "create", "--size", "20MB", "--file", "99999" }, 6 },
    { { "create", "--size", "20MB", "--name", "a/b" }, 2 },
    { { "create", "--size", "20MB" }, 2 },
    { { "create", "--name", "a" }, 2 },
    { { "create", "--size", "lots", "--name", "a" }, 2 },
    { { "create", "--size", "20MB", "--name", "a", "--file", "1" }, 2 },
    { { "create", "--size", "20MB", "--name", "a", "surplus" }, 2 },
    { { "create", "--size", "5", "--name", "a" }, 8 },
    { { "status" }, 2 },
    { { "status", "DEADBEEF" }, 6 },
    { { "status", "not/an/id" }, 2 },
    { { "parts", "DEADBEEF" }, 6 },
    { { "abort", "DEADBEEF" }, 6 },
    { { "commit", "DEADBEEF", "--sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709" }, 6 },
    { { "commit", "DEADBEEF", "--sha1", "da39" }, 2 },
    { { "commit", "DEADBEEF" }, 2 },
    { { "status", "DEADBEEF", "--access-token", TOKEN }, 2 },
    { { "nonsense" }, 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Answer) answer = fixture_run_env (f, NULL, cases[i].arguments);

      g_assert_cmpint (answer.code, ==, cases[i].code);
      g_assert_cmpstr (answer.out, ==, "");
      g_assert_true (g_str_has_prefix (answer.err, "boxupload: "));
    }
}

static void
test_an_expired_session_is_told_from_an_unknown_one (Fixture *f, gconstpointer data)
{
  g_autofree char *id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 0);
  g_auto (Answer) answer = { 0 };

  box_emulator_expire_session (f->emulator, id);
  answer = RUN (f, "status", id);
  g_assert_cmpint (answer.code, ==, 10);
}

static void
test_parts_is_a_table_where_there_is_no_terminal (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_auto (Answer) answer = { 0 };
  g_auto (GStrv) lines = NULL;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 3);
  answer = RUN (f, "parts", id);
  g_assert_cmpint (answer.code, ==, 0);
  lines = g_strsplit (answer.out, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 5);
  g_assert_nonnull (strstr (lines[3], "2097152"));
  g_assert_null (strchr (answer.out, '\033'));
}

static void
test_parts_are_an_array_in_json (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_auto (Answer) answer = { 0 };
  g_autoptr (JsonObject) object = NULL;
  JsonArray *parts;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 3);
  answer = RUN (f, "parts", id, "--json");
  object = parse_document (answer.out);
  g_assert_cmpint (get_int (object, "total_parts"), ==, 20);
  g_assert_cmpint (get_int (object, "parts_stored"), ==, 3);
  g_assert_cmpint (get_int (object, "bytes_stored"), ==, 3 * PART_SIZE);
  parts = json_object_get_array_member (object, "parts");
  g_assert_cmpuint (json_array_get_length (parts), ==, 3);
  g_assert_cmpint (get_int (json_array_get_object_element (parts, 2), "offset"), ==, 2 * PART_SIZE);
}

static void
test_parts_is_a_map_on_a_terminal (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 3);
  answer = fixture_run_on_terminal (f, 80, NULL, (const char *const[]){ "parts", id, NULL });
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_true (g_str_has_prefix (answer.out, "███░░░░░░░░░░░░░░░░░\r\n"));
  g_assert_nonnull (strstr (answer.out, "3 of 20 parts at Box, 3.1 MB"));
  g_assert_nonnull (strstr (answer.out, "missing: 4-20"));
}

/* A full session of more parts than Box lists. */
static char *
add_many_parts (Fixture *f, guint n_parts)
{
  const BoxEmulatorOptions options = { .part_size = 1000, .min_size = 1 };
  g_autofree char *id = NULL;
  g_autofree guint8 *part = g_malloc0 (1000);

  box_emulator_free (f->emulator);
  f->emulator = kit_emulator_new (&options);
  id = box_emulator_add_session (f->emulator, "0", "many", NULL, n_parts * 1000ul);
  for (guint i = 0; i < n_parts; i++)
    g_assert_true (box_emulator_add_part (f->emulator, id, i * 1000ul, part, 1000));
  return g_steal_pointer (&id);
}

static void
test_parts_says_how_many_box_lists (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_many_parts (f, 11002);
  g_auto (Answer) json = RUN (f, "parts", id, "--json");
  g_auto (Answer) map = { 0 };
  g_autoptr (JsonObject) object = parse_document (json.out);

  g_assert_nonnull (strstr (json.err, "only the first 11000 of the 11002 parts"));
  g_assert_cmpint (get_int (object, "parts_stored"), ==, 11000);
  g_assert_cmpint (get_int (object, "parts_unlisted"), ==, 2);
  map = fixture_run_on_terminal (f, 80, NULL, (const char *const[]){ "parts", id, NULL });
  g_assert_null (strstr (map.out, "missing"));
}

/* Where Box refuses the last page, the list ends before it. */
static void
test_parts_says_how_many_are_listed_if_the_last_page_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_many_parts (f, 10500);
  g_auto (Answer) json = { 0 }, commit = { 0 };
  g_autoptr (JsonObject) object = NULL;

  fixture_load (f, "[{'route':'list_parts','nth':[11,22],'do':'reply','status':400}]");
  json = RUN (f, "parts", id, "--json");
  g_assert_cmpint (json.code, ==, 0);
  object = parse_document (json.out);
  g_assert_nonnull (strstr (json.err, "only the first 10000 of the 10500 parts"));
  g_assert_cmpint (get_int (object, "parts_stored"), ==, 10000);
  g_assert_cmpint (get_int (object, "parts_unlisted"), ==, 500);
  commit = RUN (f, "commit", id, "--sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  g_assert_cmpint (commit.code, ==, 2);
  g_assert_nonnull (strstr (commit.err, "only the first 10000 of the 10500 parts"));
}

static void
test_commit_says_that_box_lists_too_few_parts (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add_many_parts (f, 11002);
  g_auto (Answer) answer =
      RUN (f, "commit", id, "--sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709");

  g_assert_cmpint (answer.code, ==, 2);
  g_assert_null (strstr (answer.err, "missing"));
  g_assert_nonnull (strstr (answer.err, "boxupload put FILE --session"));
}

static void
test_a_long_list_of_parts_comes_in_pages (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_auto (Answer) answer = { 0 };
  g_autoptr (JsonObject) object = NULL;
  const BoxEmulatorOptions options = { .part_size = PART_SIZE, .page_limit = 7 };

  box_emulator_free (f->emulator);
  f->emulator = kit_emulator_new (&options);
  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 20);
  answer = RUN (f, "parts", id, "--json");
  object = parse_document (answer.out);
  g_assert_cmpint (get_int (object, "parts_stored"), ==, 20);
  g_assert_cmpuint (box_emulator_count (f->emulator, "list_parts"), >=, 3);
}

static void
test_commit_makes_the_file_and_prints_it (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL, *sha1 = NULL;
  g_auto (Answer) answer = { 0 };
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 20);
  sha1 = fixture_sha1 (f, "a");
  answer = RUN (f, "commit", id, "--sha1", sha1, "--description", "by hand", "--json");
  g_assert_cmpint (answer.code, ==, 0);
  object = parse_document (answer.out);
  file = box_emulator_find_file (f->emulator, "0", "a");
  g_assert_cmpstr (get_string (object, "file_id"), ==, file->id);
  g_assert_cmpstr (get_string (object, "sha1"), ==, sha1);
  g_assert_cmpint (get_int (object, "size"), ==, SESSION_FILE_SIZE);
  g_assert_cmpstr (file->description, ==, "by hand");
  fixture_assert_at_box (f, "a", "a");
}

static void
test_commit_names_the_parts_that_are_missing (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL, *sha1 = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 18);
  sha1 = fixture_sha1 (f, "a");
  answer = RUN (f, "commit", id, "--sha1", sha1);
  g_assert_cmpint (answer.code, ==, 8);
  g_assert_nonnull (strstr (answer.err, "2 of 20 parts are missing (19-20)"));
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 0);
}

static void
test_commit_of_other_bytes_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 20);
  answer = RUN (f, "commit", id, "--sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  g_assert_cmpint (answer.code, ==, 12);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
}

static void
test_commit_waits_until_the_parts_are_processed (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL, *sha1 = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 20);
  sha1 = fixture_sha1 (f, "a");
  fixture_load (f, RULE ({"route": "commit", "times": 2, "do": "reply", "status": 202,
                          "headers": {"Retry-After": "1"}}));
  answer = RUN (f, "commit", id, "--sha1", sha1);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 3);
  g_assert_nonnull (strstr (answer.err, "still processing"));
}

/* The commit that worked although it was answered as @scenario says. */
static void
commit_with_other_answer (Fixture *f, const char *scenario, const char *id, const char *name,
                          guint n_versions)
{
  g_autofree char *sha1 = fixture_sha1 (f, "a");
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_load (f, scenario);
  answer = RUN (f, "commit", id, "--sha1", sha1);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 1);
  file = box_emulator_find_file (f->emulator, "0", name);
  g_assert_cmpuint (file->n_versions, ==, n_versions);
  g_assert_nonnull (strstr (answer.out, sha1));
}

static void
commit_with_lost_answer (Fixture *f, const char *id, const char *name, guint n_versions)
{
  commit_with_other_answer (f,
                            RULE ({"route": "commit", "times": 1, "at": "stored", "do": "reset"}),
                                  id, name, n_versions);
}

static void
store_parts (Fixture *f, const char *id)
{
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  g_autofree char *bytes = NULL;

  bytes = kit_read_text (path);
  for (guint i = 0; i < 20; i++)
    g_assert_true (box_emulator_add_part (f->emulator, id, (guint64) i * PART_SIZE,
                                          bytes + (gsize) i * PART_SIZE, PART_SIZE));
}

static void
test_a_new_file_whose_commit_lost_its_answer_is_found (Fixture *f, gconstpointer data)
{
  g_auto (Answer) created = RUN (f, "create", "--size", "20MiB", "--name", "a.bin");
  const char *id = g_strchomp (created.out);

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  store_parts (f, id);
  commit_with_lost_answer (f, id, "a.bin", 1);
}

static void
test_a_version_whose_commit_lost_its_answer_is_made_once (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "a.bin", "old", 3);
  g_auto (Answer) created = RUN (f, "create", "--size", "20MiB", "--file", file_id);
  const char *id = g_strchomp (created.out);

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  store_parts (f, id);
  commit_with_lost_answer (f, id, "a.bin", 2);
}

static void
test_a_version_whose_commit_was_too_many_is_made_once (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "a.bin", "old", 3);
  g_auto (Answer) created = RUN (f, "create", "--size", "20MiB", "--file", file_id);
  const char *id = g_strchomp (created.out);

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  store_parts (f, id);
  commit_with_other_answer (
      f, RULE ({"route": "commit", "times": 1, "at": "stored",
                "do": "reply", "status": 429}), id,
               "a.bin", 2);
}

static void
test_a_version_is_committed_whatever_others_did_meanwhile (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "a.bin", "old", 3);
  g_auto (Answer) created = RUN (f, "create", "--size", "20MiB", "--file", file_id);
  const char *id = g_strchomp (created.out);
  g_autofree char *sha1 = NULL;
  g_auto (Answer) theirs = { 0 };
  g_auto (Answer) answer = { 0 };
  g_autoptr (BoxEmulatorFile) file = NULL;
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_write_file (f, "theirs", 1000, 2);
  sha1 = fixture_sha1 (f, "a");
  store_parts (f, id);
  fixture_load (f, RULE ({"route": "commit", "times": 1, "do": "hold", "name": "gate"}));
  process = START (f, "commit", id, "--sha1", sha1);
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  theirs = RUN (f, "put", "--file", file_id, "theirs");
  g_assert_cmpint (theirs.code, ==, 0);
  box_emulator_release (f->emulator, "gate");
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  file = box_emulator_get_file (f->emulator, file_id);
  g_assert_cmpuint (file->n_versions, ==, 3);
  g_assert_cmpstr (file->sha1, ==, sha1);
}

static void
test_abort_discards_the_session_and_its_note (Fixture *f, gconstpointer data)
{
  g_auto (Answer) created = RUN (f, "create", "--size", "20MB", "--name", "a");
  const char *id = g_strchomp (created.out);
  g_auto (Answer) aborted = RUN (f, "abort", id, "--json");
  g_auto (Answer) again = RUN (f, "abort", id);
  g_autofree char *note_name = g_strconcat (id, ".json", NULL);
  g_autofree char *note = g_build_filename (f->state, "boxupload", "sessions", note_name, NULL);
  g_autoptr (JsonObject) object = parse_document (aborted.out);

  g_assert_cmpint (aborted.code, ==, 0);
  g_assert_true (json_object_get_boolean_member (object, "aborted"));
  g_assert_cmpint (again.code, ==, 6);
  g_assert_false (g_file_test (note, G_FILE_TEST_EXISTS));
}

static void
test_passing_failures_are_retried_and_told (Fixture *f, gconstpointer data)
{
  g_autofree char *id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 0);
  g_auto (Answer) answer = { 0 };

  fixture_load (f, RULE ({"route": "get_session", "times": 2, "do": "reply", "status": 503}));
  answer = RUN (f, "status", id);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpuint (box_emulator_count (f->emulator, "get_session"), ==, 3);
  g_assert_nonnull (strstr (answer.err, "trying again in"));
}

static void
test_an_outage_that_lasts_ends_as_try_again_later (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  box_emulator_set_down (f->emulator, TRUE);
  answer = RUN (f, "status", "DEADBEEF", "--retry-timeout", "1", "--json");
  g_assert_cmpint (answer.code, ==, 75);
}

static void
test_output_that_cannot_be_written_is_an_error (Fixture *f, gconstpointer data)
{
  g_autofree char *id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 0);
  g_auto (GStrv) command = fixture_command (f, (const char *const[]){ "status", id, NULL });
  g_auto (GStrv) environment = fixture_environment (f);
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;

  g_subprocess_launcher_set_environ (launcher, environment);
  g_subprocess_launcher_set_stdout_file_path (launcher, "/dev/full");
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) command, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 13);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/create/prints-the-id-alone", test_create_prints_the_id_alone);
  ADD_TEST ("/cli/create/makes-a-version-of-a-file", test_create_makes_a_version_of_a_file);
  ADD_TEST ("/cli/create/what-it-noted-is-in-the-status", test_what_create_noted_is_in_the_status);
  ADD_TEST ("/cli/create/without-note-leaves-none", test_create_without_note_leaves_none);
  ADD_TEST ("/cli/create/session-that-cannot-be-noted-is-given-up",
            test_a_session_that_cannot_be_noted_is_given_up);
  ADD_TEST ("/cli/create/says-which-file-has-the-name", test_create_says_which_file_has_the_name);
  ADD_TEST ("/cli/refusals-have-their-exit-codes", test_refusals_have_their_exit_codes);
  ADD_TEST ("/cli/status/expired-session-is-told-from-an-unknown-one",
            test_an_expired_session_is_told_from_an_unknown_one);
  ADD_TEST ("/cli/parts/table-where-there-is-no-terminal",
            test_parts_is_a_table_where_there_is_no_terminal);
  ADD_TEST ("/cli/parts/array-in-json", test_parts_are_an_array_in_json);
  ADD_TEST ("/cli/parts/map-on-a-terminal", test_parts_is_a_map_on_a_terminal);
  ADD_TEST ("/cli/parts/long-list-comes-in-pages", test_a_long_list_of_parts_comes_in_pages);
  ADD_TEST ("/cli/commit/makes-the-file-and-prints-it", test_commit_makes_the_file_and_prints_it);
  ADD_TEST ("/cli/parts/say-how-many-box-lists", test_parts_says_how_many_box_lists);
  ADD_TEST ("/cli/parts/say-how-many-are-listed-if-the-last-page-is-refused",
            test_parts_says_how_many_are_listed_if_the_last_page_is_refused);
  ADD_TEST ("/cli/commit/says-that-box-lists-too-few-parts",
            test_commit_says_that_box_lists_too_few_parts);
  ADD_TEST ("/cli/commit/names-the-parts-that-are-missing",
            test_commit_names_the_parts_that_are_missing);
  ADD_TEST ("/cli/commit/of-other-bytes-is-refused", test_commit_of_other_bytes_is_refused);
  ADD_TEST ("/cli/commit/waits-until-the-parts-are-processed",
            test_commit_waits_until_the_parts_are_processed);
  ADD_TEST ("/cli/commit/new-file-whose-answer-was-lost-is-found",
            test_a_new_file_whose_commit_lost_its_answer_is_found);
  ADD_TEST ("/cli/commit/version-whose-answer-was-lost-is-made-once",
            test_a_version_whose_commit_lost_its_answer_is_made_once);
  ADD_TEST ("/cli/commit/version-that-was-too-many-is-made-once",
            test_a_version_whose_commit_was_too_many_is_made_once);
  ADD_TEST ("/cli/commit/version-is-made-whatever-others-did-meanwhile",
            test_a_version_is_committed_whatever_others_did_meanwhile);
  ADD_TEST ("/cli/abort/discards-the-session-and-its-note",
            test_abort_discards_the_session_and_its_note);
  ADD_TEST ("/cli/passing-failures-are-retried-and-told",
            test_passing_failures_are_retried_and_told);
  ADD_TEST ("/cli/outage-that-lasts-ends-as-try-again-later",
            test_an_outage_that_lasts_ends_as_try_again_later);
  ADD_TEST ("/cli/output-that-cannot-be-written-is-an-error",
            test_output_that_cannot_be_written_is_an_error);
  return g_test_run ();
}

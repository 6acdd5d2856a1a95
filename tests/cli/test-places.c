/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* put --folder-path and --metadata, ls and get: where a file goes, what is there, and back. */
#include "cli-fixture.h"
#include "kit/places.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_RACERS 12

static void
test_put_ls_and_get_agree (Fixture *f, gconstpointer data)
{
  g_autofree char *before = NULL, *after = NULL;

  fixture_write_file (f, "a.bin", 5000000, 7);
  {
    g_auto (Answer) put = RUN (f, "put", "a.bin", "--folder-path", "Archive/Camera 3");
    g_auto (Answer) ls = RUN (f, "ls", "box://0/archive/Camera%203");
    g_auto (Answer) root = RUN (f, "ls", "--json");
    g_auto (Answer) get = RUN (f, "get", "box://0/Archive/camera%203/A.bin", "back.bin");
    g_auto (Answer) again = RUN (f, "get", "box://0/Archive/camera%203/A.bin", "back.bin");
    g_autoptr (JsonObject) folder = parse_line (root.out, 0);

    g_assert_cmpint (put.code, ==, 0);
    g_assert_cmpint (ls.code, ==, 0);
    g_assert_nonnull (strstr (ls.out, "a.bin"));
    g_assert_cmpstr (json_object_get_string_member (folder, "type"), ==, "folder");
    g_assert_cmpstr (json_object_get_string_member (folder, "name"), ==, "Archive");
    g_assert_cmpint (get.code, ==, 0);
    g_assert_cmpint (again.code, ==, 13);
  }
  before = fixture_sha1 (f, "a.bin");
  after = fixture_sha1 (f, "back.bin");
  g_assert_cmpstr (after, ==, before);
}

static void
test_get_goes_to_standard_output_and_by_id (Fixture *f, gconstpointer data)
{
  g_autofree char *id = box_emulator_add_file (f->emulator, "0", "hello.txt", "hello\n", 6);
  g_autofree char *path = g_build_filename (f->dir, "hello.txt", NULL);
  g_autofree char *content = NULL;
  g_auto (Answer) out = RUN (f, "get", id, "-");
  g_auto (Answer) named = RUN (f, "get", id, "--json");
  g_autoptr (JsonObject) object = parse_document (named.out);

  g_assert_cmpstr (out.out, ==, "hello\n");
  g_assert_cmpint (out.code, ==, 0);
  g_assert_cmpstr (json_object_get_string_member (object, "path"), ==, "hello.txt");
  content = kit_read_text (path);
  g_assert_cmpstr (content, ==, "hello\n");
}

/* --force is no way out, so that it is not named either. */
static void
test_get_takes_the_place_of_no_pipe (Fixture *f, gconstpointer data)
{
  static const char *const force[] = { NULL, "--force" };
  g_autofree char *id = box_emulator_add_file (f->emulator, "0", "hello.txt", "hello\n", 6);
  g_autofree char *path = g_build_filename (f->dir, "pipe", NULL);
  GStatBuf status;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (force); i++)
    {
      g_auto (Answer) get = RUN (f, "get", id, "pipe", force[i]);

      g_assert_cmpint (get.code, ==, 13);
      g_assert_nonnull (strstr (get.err, "not a regular file; name another one"));
      g_assert_null (strstr (get.err, "--force"));
    }
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_true (S_ISFIFO (status.st_mode));
}

static void
test_get_goes_on_after_failures (Fixture *f, gconstpointer data)
{
  g_autofree char *before = NULL, *after = NULL;
  g_autofree char *id = NULL;

  fixture_write_file (f, "a.bin", 9000000, 7);
  {
    g_auto (Answer) put = RUN (f, "put", "a.bin", "--json");
    g_autoptr (JsonObject) complete = parse_line (put.out, -1);

    id = g_strdup (json_object_get_string_member (complete, "file_id"));
  }
  fixture_load (f,
                RULE ({ "route": "content", "nth": 2, "do": "reset", "at": "reply", "bytes": 1000 },
                         { "route": "content", "nth": 4, "do": "reply", "status": 403 },
                         { "route": "download", "nth": 2, "do": "reply", "status": 503 }));
  {
    g_auto (Answer) get = RUN (f, "get", id, "back.bin");

    g_assert_cmpint (get.code, ==, 0);
  }
  before = fixture_sha1 (f, "a.bin");
  after = fixture_sha1 (f, "back.bin");
  g_assert_cmpstr (after, ==, before);
}

/* Nothing of a damaged file gets its name. */
static void
test_get_refuses_other_bytes (Fixture *f, gconstpointer data)
{
  g_autofree char *id = box_emulator_add_file (f->emulator, "0", "hello.txt", "hello\n", 6);

  fixture_load (f, RULE ({ "route": "content", "do": "reply", "status": 200, "body": "jello\n" }));
  {
    g_autofree char *path = g_build_filename (f->dir, "hello.txt", NULL);
    g_auto (Answer) get = RUN (f, "get", id);

    g_assert_cmpint (get.code, ==, 12);
    g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  }
}

static void
test_the_token_stays_with_box (Fixture *f, gconstpointer data)
{
  g_autofree char *id = box_emulator_add_file (f->emulator, "0", "hello.txt", "hello\n", 6);
  g_auto (Answer) get = RUN (f, "get", id, "-");
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (f->emulator, "content");

  g_assert_cmpint (get.code, ==, 0);
  g_assert_cmpuint (requests->len, ==, 1);
  g_assert_null (((BoxEmulatorRequest *) requests->pdata[0])->token);
}

static void
test_missing_places_have_their_exit_code (Fixture *f, gconstpointer data)
{
  g_auto (Answer) folder = RUN (f, "ls", "box://0/nowhere/x");
  g_auto (Answer) file = RUN (f, "get", "box://0/nothing.bin");
  g_auto (Answer) root = RUN (f, "get", "box://0/");
  g_auto (Answer) wrong = RUN (f, "ls", "Archive");

  fixture_write_file (f, "a.bin", 1000, 7);
  g_assert_cmpint (folder.code, ==, 6);
  g_assert_nonnull (strstr (folder.err, "nowhere"));
  g_assert_cmpint (file.code, ==, 6);
  g_assert_nonnull (strstr (file.err, "nothing.bin"));
  g_assert_cmpint (root.code, ==, 6);
  g_assert_cmpint (wrong.code, ==, 2);
  {
    g_auto (Answer) put =
        RUN (f, "put", "a.bin", "--folder-path", "no/such", "--no-create-folders");

    g_assert_cmpint (put.code, ==, 6);
    g_assert_nonnull (strstr (put.err, "“no”"));
    g_assert_cmpuint (box_emulator_count_folders (f->emulator), ==, 0);
  }
}

/* Processes race for one path, in spellings of their own. */
static void
test_processes_make_each_folder_once (Fixture *f, gconstpointer data)
{
  static const char *const spellings[] = { "Archive/2026/Camera 3/Takes",
                                           "ARCHIVE/2026/camera 3/takes",
                                           "archive/2026/CAMERA 3/TAKES" };
  GSubprocess *processes[N_RACERS];
  g_autofree char *folder = NULL;

  fixture_load (
      f,
      RULE ({
    "route": "create_folder",
    "every": 5,
    "times": 3,
    "do": "reply",
    "status": 409,
    "json": { "type": "error", "status": 409, "code": "operation_blocked_temporary" }
  }));
  fixture_write_file (f, "a.bin", 100000, 7);
  for (guint i = 0; i < N_RACERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("%02u.bin", i);

      processes[i] = START (f, "put", "a.bin", "--name", name, "--folder-path",
                            spellings[i % G_N_ELEMENTS (spellings)]);
    }
  for (guint i = 0; i < N_RACERS; i++)
    {
      g_auto (Answer) answer = fixture_finish (processes[i]);

      g_assert_cmpint (answer.code, ==, 0);
    }
  folder = box_emulator_find_folder (f->emulator, spellings[0]);
  for (guint i = 0; i < N_RACERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("%02u.bin", i);
      g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (f->emulator, folder, name);

      g_assert_nonnull (file);
    }
  g_assert_cmpuint (box_emulator_count_folders (f->emulator), ==, 4);
}

/* The file is there, put succeeds, and resume does the rest with another token. */
static void
test_refused_metadata_is_left_to_resume (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_autoptr (JsonObject) instance = NULL;

  fixture_write_file (f, "a.bin", 100000, 7);
  fixture_load (
      f, RULE ({
    "route": "create_metadata",
    "times": 2,
    "do": "reply",
    "status": 403,
    "headers": { "WWW-Authenticate": "Bearer realm=\"S\", error=\"insufficient_scope\"" }
  }));
  {
    g_auto (Answer) put = RUN (f, "put", "a.bin", "--metadata", "camera=3");
    g_auto (Answer) refused = RUN (f, "resume");
    g_auto (Answer) spool = RUN (f, "spool", "--json");
    g_auto (Answer) resumed = RUN (f, "resume");
    g_auto (Answer) empty = RUN (f, "spool");

    g_assert_cmpint (put.code, ==, 0);
    g_assert_nonnull (strstr (put.err, "metadata"));
    g_assert_cmpint (refused.code, ==, 5);
    g_assert_null (strstr (refused.err, "elsewhere"));
    g_assert_nonnull (strstr (spool.out, "\"unsettled\""));
    g_assert_cmpint (resumed.code, ==, 0);
    g_assert_nonnull (strstr (empty.out, "No recordings"));
  }
  file = box_emulator_find_file (f->emulator, "0", "a.bin");
  g_assert_cmpuint (file->n_versions, ==, 1);
  instance = box_emulator_get_metadata (f->emulator, file->id, "global/properties");
  g_assert_cmpstr (json_object_get_string_member (instance, "camera"), ==, "3");
  g_assert_cmpint (json_object_get_int_member (instance, "$version"), ==, 0);
}

/* The template is named, and what may be wrong with it. */
static void
test_a_missing_template_is_named (Fixture *f, gconstpointer data)
{
  fixture_write_file (f, "a.bin", 1000, 7);
  fixture_load (f, RULE ({
    "route": "create_metadata",
    "do": "reply",
    "status": 404,
    "json": { "code": "instance_tuple_not_found", "message": "Template not found" }
  }));
  {
    g_auto (Answer) put = RUN (f, "put", "a.bin", "--metadata-template", "enterprise.scene",
                               "--metadata", "camera=3");

    g_assert_cmpint (put.code, ==, 0);
    g_assert_nonnull (strstr (put.err, "template enterprise.scene"));
    g_assert_nonnull (strstr (put.err, "has no such metadata template"));
  }
}

/* Said before Box refuses it. */
static void
test_create_warns_of_the_accounts_limits (Fixture *f, gconstpointer data)
{
  g_auto (Answer) fits = RUN (f, "create", "--size", "200MB", "--name", "a");
  g_auto (Answer) small = { 0 };
  g_auto (Answer) large = { 0 };

  fixture_load (f, RULE ({
    "route": "get_user",
    "do": "change",
    "change": { "max_upload_size": 250000000, "space_amount": 900000000, "space_used": 800000000 }
  }));
  small = RUN (f, "create", "--size", "150MB", "--name", "b");
  large = RUN (f, "create", "--size", "300MB", "--name", "c");
  g_assert_null (strstr (fits.err, "too much"));
  g_assert_nonnull (strstr (small.err, "room for 100"));
  g_assert_nonnull (strstr (large.err, "at most 250"));
  g_assert_cmpint (large.code, ==, 0);
}

/* Before anything is sent: here the folder is not there either. */
static void
test_put_warns_of_the_accounts_limits (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "sparse.bin", NULL);

  fixture_write_file (f, "sparse.bin", 0, 7);
  g_assert_cmpint (truncate (path, 150000000), ==, 0);
  fixture_load (f, RULE ({
    "route": "get_user",
    "do": "change",
    "change": { "max_upload_size": 250000000, "space_amount": 900000000, "space_used": 800000000 }
  }));
  {
    g_auto (Answer) put = RUN (f, "put", "sparse.bin", "--folder", "99999");

    g_assert_nonnull (strstr (put.err, "room for 100"));
    g_assert_cmpint (put.code, ==, 6);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/places/agree", test_put_ls_and_get_agree);
  ADD_TEST ("/places/output", test_get_goes_to_standard_output_and_by_id);
  ADD_TEST ("/places/pipe", test_get_takes_the_place_of_no_pipe);
  ADD_TEST ("/places/failures", test_get_goes_on_after_failures);
  ADD_TEST ("/places/other-bytes", test_get_refuses_other_bytes);
  ADD_TEST ("/places/token", test_the_token_stays_with_box);
  ADD_TEST ("/places/missing", test_missing_places_have_their_exit_code);
  ADD_TEST ("/places/race", test_processes_make_each_folder_once);
  ADD_TEST ("/places/metadata", test_refused_metadata_is_left_to_resume);
  ADD_TEST ("/places/template", test_a_missing_template_is_named);
  ADD_TEST ("/places/room-of-put", test_put_warns_of_the_accounts_limits);
  ADD_TEST ("/places/room", test_create_warns_of_the_accounts_limits);
  return g_test_run ();
}

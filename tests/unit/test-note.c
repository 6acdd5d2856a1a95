/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/note.h"

#include <glib/gstdio.h>

#include "base/error.h"

/* Every test has a state directory of its own (see main). */
static char *
note_file (const char *session_id)
{
  g_autofree char *name = g_strconcat (session_id, ".json", NULL);

  return g_build_filename (g_get_user_state_dir (), "boxupload", "sessions", name, NULL);
}

static void
save (const char *session_id, guint64 size, const char *expires_at, BoxDestination *destination)
{
  g_autoptr (GError) error = NULL;
  BoxSession session = { .id = (char *) session_id };

  if (expires_at != NULL)
    session.expires_at = g_date_time_new_from_iso8601 (expires_at, NULL);
  g_assert_true (box_note_save (&session, size, destination, &error));
  g_assert_no_error (error);
  g_clear_pointer (&session.expires_at, g_date_time_unref);
  box_destination_free (destination);
}

static void
write_note (const char *session_id, const char *text)
{
  g_autofree char *path = note_file (session_id);
  g_autofree char *dir = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
test_a_note_of_a_new_file_is_read_as_it_was_saved (void)
{
  g_autoptr (GDateTime) expected = g_date_time_new_from_iso8601 ("2099-01-02T03:04:05Z", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxNote) note = NULL;

  save ("F971964745A5CD0C", G_GUINT64_CONSTANT (5000000000), "2099-01-01T19:04:05-08:00",
        box_destination_new_folder ("42", "Ärger \"1\".mp4", NULL));
  note = box_note_load ("F971964745A5CD0C", &error);
  g_assert_no_error (error);
  g_assert_nonnull (note);
  g_assert_cmpstr (note->session_id, ==, "F971964745A5CD0C");
  g_assert_cmpuint (note->size, ==, G_GUINT64_CONSTANT (5000000000));
  g_assert_cmpint (note->destination->kind, ==, BOX_DESTINATION_FOLDER);
  g_assert_cmpstr (note->destination->folder_id, ==, "42");
  g_assert_cmpstr (note->destination->name, ==, "Ärger \"1\".mp4");
  g_assert_true (g_date_time_equal (note->expires_at, expected));
}

static void
test_a_note_of_a_new_version_needs_no_expiry (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxNote) note = NULL;

  save ("AB", 20000000, NULL, box_destination_new_file ("123", NULL));
  note = box_note_load ("AB", &error);
  g_assert_no_error (error);
  g_assert_nonnull (note);
  g_assert_cmpint (note->destination->kind, ==, BOX_DESTINATION_FILE);
  g_assert_cmpstr (note->destination->file_id, ==, "123");
  g_assert_null (note->expires_at);
}

static void
test_a_session_without_note_is_no_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (box_note_load ("DEADBEEF", &error));
  g_assert_no_error (error);
}

static void
test_an_id_that_names_a_path_has_no_note (void)
{
  g_autoptr (GError) error = NULL;

  save ("AB", 20000000, NULL, box_destination_new_file ("123", NULL));
  g_assert_null (box_note_load ("../sessions/AB", &error));
  g_assert_no_error (error);
  g_assert_null (box_note_load ("", &error));
  g_assert_no_error (error);
}

static void
test_a_removed_note_is_gone_and_removing_twice_is_fine (void)
{
  g_autoptr (GError) error = NULL;

  save ("AB", 20000000, NULL, box_destination_new_file ("123", NULL));
  box_note_remove ("AB");
  box_note_remove ("AB");
  g_assert_null (box_note_load ("AB", &error));
  g_assert_no_error (error);
}

static void
test_a_note_is_readable_by_its_owner_only (void)
{
  g_autofree char *path = note_file ("AB");
  g_autofree char *dir = g_path_get_dirname (path);
  GStatBuf status;

  save ("AB", 20000000, NULL, box_destination_new_file ("123", NULL));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  g_assert_cmpint (g_stat (dir, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0700);
}

static void
test_saving_forgets_sessions_that_expired (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxNote) kept = NULL;

  save ("OLD", 20000000, "2001-01-01T00:00:00Z", box_destination_new_file ("1", NULL));
  save ("KEPT", 20000000, "2099-01-01T00:00:00Z", box_destination_new_file ("2", NULL));
  save ("NEW", 20000000, NULL, box_destination_new_file ("3", NULL));
  g_assert_null (box_note_load ("OLD", &error));
  g_assert_no_error (error);
  kept = box_note_load ("KEPT", &error);
  g_assert_nonnull (kept);
}

static void
test_nonsense_is_an_error_that_names_the_file (void)
{
  static const char *const nonsense[] = {
    "",
    "not JSON",
    "[]",
    "{}",
    "{\"version\":1,\"session\":\"AB\",\"size\":20000000}",
    "/* */ {\"version\":1,\"session\":\"AB\",\"size\":20000000,\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":20000000,\"file\":\"1\"} {}",
    "{'version':1,\"session\":\"AB\",\"size\":20000000,\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":-18446744073709551615,\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":1e22,\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":0,\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":-5,\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":\"20000000\",\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":{},\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":20000000,\"file\":1}",
    "{\"version\":1,\"session\":\"AB\",\"size\":20000000,\"file\":\"../x\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":20000000,\"folder\":\"0\",\"name\":\"a/b\"}",
    "{\"version\":1,\"session\":\"CD\",\"size\":20000000,\"file\":\"1\"}",
    "{\"version\":2,\"session\":\"AB\",\"size\":20000000,\"file\":\"1\"}",
    "{\"version\":1,\"session\":\"AB\",\"size\":20000000,\"file\":\"1\",\"expires_at\":\"soon\"}",
  };
  g_autofree char *path = note_file ("AB");

  for (guint i = 0; i < G_N_ELEMENTS (nonsense); i++)
    {
      g_autoptr (GError) error = NULL;

      write_note ("AB", nonsense[i]);
      g_assert_null (box_note_load ("AB", &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
      g_assert_nonnull (strstr (error->message, path));
    }
}

static void
test_a_huge_file_is_refused_without_reading_it (void)
{
  g_autofree char *path = note_file ("AB");
  g_autoptr (GError) error = NULL;

  write_note ("AB", "");
  g_assert_cmpint (truncate (path, G_GINT64_CONSTANT (1) << 40), ==, 0);
  g_assert_null (box_note_load ("AB", &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
}

static void
test_a_state_directory_that_cannot_be_made_is_an_error (void)
{
  g_autofree char *file = g_build_filename (g_get_user_state_dir (), "boxupload", NULL);
  g_autoptr (BoxDestination) destination = box_destination_new_file ("1", NULL);
  g_autoptr (GError) error = NULL;
  BoxSession session = { .id = (char *) "AB" };

  g_assert_cmpint (g_mkdir_with_parents (g_get_user_state_dir (), 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_false (box_note_save (&session, 20000000, destination, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/note/of-a-new-file-is-read-as-it-was-saved",
                   test_a_note_of_a_new_file_is_read_as_it_was_saved);
  g_test_add_func ("/note/of-a-new-version-needs-no-expiry",
                   test_a_note_of_a_new_version_needs_no_expiry);
  g_test_add_func ("/note/missing-is-no-error", test_a_session_without_note_is_no_error);
  g_test_add_func ("/note/id-that-names-a-path-has-none", test_an_id_that_names_a_path_has_no_note);
  g_test_add_func ("/note/removed-is-gone-and-removing-twice-is-fine",
                   test_a_removed_note_is_gone_and_removing_twice_is_fine);
  g_test_add_func ("/note/readable-by-its-owner-only", test_a_note_is_readable_by_its_owner_only);
  g_test_add_func ("/note/saving-forgets-sessions-that-expired",
                   test_saving_forgets_sessions_that_expired);
  g_test_add_func ("/note/nonsense-is-an-error-that-names-the-file",
                   test_nonsense_is_an_error_that_names_the_file);
  g_test_add_func ("/note/huge-file-is-refused-without-reading-it",
                   test_a_huge_file_is_refused_without_reading_it);
  g_test_add_func ("/note/state-directory-that-cannot-be-made-is-an-error",
                   test_a_state_directory_that_cannot_be_made_is_an_error);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fileio.h"
#include "kit/places.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = kit_new_directory ();
  f->path = g_build_filename (f->dir, "file", NULL);
}

/* Nothing but the file is left in the directory. */
static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unlink (f->path);
  kit_remove_empty_directory (f->dir);
  g_free (f->path);
}

static void
replace (Fixture *f, const char *text, mode_t mode)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (box_fileio_replace (f->path, text, strlen (text), mode, &error));
  g_assert_no_error (error);
}

static void
assert_file (Fixture *f, const char *expected, mode_t mode)
{
  g_autofree char *text = NULL;
  struct stat st;

  text = kit_read_text (f->path);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpint (lstat (f->path, &st), ==, 0);
  g_assert_true (S_ISREG (st.st_mode));
  g_assert_cmpint (st.st_mode & 07777, ==, mode);
}

static void
test_replacing_makes_a_file_that_was_not_there (Fixture *f, gconstpointer data)
{
  replace (f, "text", 0640);
  assert_file (f, "text", 0640);
}

static void
test_replacing_gives_an_existing_file_the_new_mode (Fixture *f, gconstpointer data)
{
  g_assert_true (g_file_set_contents (f->path, "an older one", -1, NULL));
  g_assert_cmpint (g_chmod (f->path, 0644), ==, 0);
  replace (f, "newer", 0600);
  assert_file (f, "newer", 0600);
}

/* Neither a reader of the old file nor another name of it sees the new content. */
static void
test_replacing_leaves_the_old_file_to_those_who_have_it (Fixture *f, gconstpointer data)
{
  g_autofree char *other = g_build_filename (f->dir, "other", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_set_contents (f->path, "old", -1, NULL));
  g_assert_cmpint (link (f->path, other), ==, 0);
  replace (f, "new", 0600);
  text = kit_read_text (other);
  g_assert_cmpstr (text, ==, "old");
  g_unlink (other);
}

static void
test_replacing_a_link_leaves_what_it_leads_to (Fixture *f, gconstpointer data)
{
  g_autofree char *target = g_build_filename (f->dir, "target", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_set_contents (target, "somebody's", -1, NULL));
  g_assert_cmpint (symlink ("target", f->path), ==, 0);
  replace (f, "new", 0600);
  assert_file (f, "new", 0600);
  text = kit_read_text (target);
  g_assert_cmpstr (text, ==, "somebody's");
  g_unlink (target);
}

static void
test_a_failed_replacement_leaves_nothing_behind (Fixture *f, gconstpointer data)
{
  g_autofree char *inner = g_build_filename (f->path, "inner", NULL);
  g_autoptr (GError) error = NULL;

  /* A directory that is not empty does not give way. */
  g_assert_cmpint (g_mkdir_with_parents (inner, 0700), ==, 0);
  g_assert_false (box_fileio_replace (f->path, "text", 4, 0600, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, f->path));
  g_rmdir (inner);
  g_rmdir (f->path);
}

static void
test_replacing_in_a_missing_directory_names_the_file (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->path, "file", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (box_fileio_replace (path, "text", 4, 0600, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, path));
}

static void
test_a_copy_replaces_only_if_it_is_to (Fixture *f, gconstpointer data)
{
  g_autofree char *from = g_build_filename (f->dir, "from", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (from, "new", -1, NULL));
  replace (f, "old", 0644);
  g_assert_false (box_fileio_copy (from, f->path, FALSE, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  assert_file (f, "old", 0644);
  g_assert_true (box_fileio_copy (from, f->path, TRUE, NULL));
  assert_file (f, "new", 0600);
  g_unlink (f->path);
  g_assert_true (box_fileio_copy (from, f->path, FALSE, NULL));
  assert_file (f, "new", 0600);
  g_unlink (from);
}

static void
test_only_a_regular_file_is_replaced (Fixture *f, gconstpointer data)
{
  g_autofree char *from = g_build_filename (f->dir, "from", NULL);
  g_autofree char *link = g_build_filename (f->dir, "link", NULL);
  const char *const others[] = { f->path, link };
  struct stat status;

  g_assert_true (g_file_set_contents (from, "text", 4, NULL));
  g_assert_cmpint (mkfifo (f->path, 0600), ==, 0);
  g_assert_cmpint (symlink ("/dev/null", link), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (GError) refused = NULL;

      g_assert_false (box_fileio_replace (others[i], "text", 4, 0600, &refused));
      g_assert_error (refused, BOX_ERROR, BOX_ERROR_STORAGE);
      g_assert_nonnull (strstr (refused->message, "not a regular file"));
      g_assert_false (box_fileio_copy (from, others[i], TRUE, NULL));
      g_assert_cmpint (lstat (others[i], &status), ==, 0);
      g_assert_false (S_ISREG (status.st_mode));
    }
  g_unlink (link);
  g_assert_cmpint (symlink (f->dir, link), ==, 0);
  g_assert_false (box_fileio_check_replaceable (link, NULL));
  g_assert_false (box_fileio_check_replaceable ("/dev/stdout", NULL));
  g_assert_true (box_fileio_check_replaceable ("/dev/shm/no-such-file", NULL));
  g_unlink (from);
  g_unlink (link);
}

static void
test_a_copy_of_nothing_leaves_nothing_behind (Fixture *f, gconstpointer data)
{
  g_autofree char *from = g_build_filename (f->dir, "from", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (box_fileio_copy (from, f->path, FALSE, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
}

#define ADD(path, function) g_test_add ("/fileio/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("replacing-makes-a-file-that-was-not-there", test_replacing_makes_a_file_that_was_not_there);
  ADD ("replacing-gives-an-existing-file-the-new-mode",
       test_replacing_gives_an_existing_file_the_new_mode);
  ADD ("replacing-leaves-the-old-file-to-those-who-have-it",
       test_replacing_leaves_the_old_file_to_those_who_have_it);
  ADD ("replacing-a-link-leaves-what-it-leads-to", test_replacing_a_link_leaves_what_it_leads_to);
  ADD ("failed-replacement-leaves-nothing-behind", test_a_failed_replacement_leaves_nothing_behind);
  ADD ("replacing-in-a-missing-directory-names-the-file",
       test_replacing_in_a_missing_directory_names_the_file);
  ADD ("copy-replaces-only-if-it-is-to", test_a_copy_replaces_only_if_it_is_to);
  ADD ("only-a-regular-file-is-replaced", test_only_a_regular_file_is_replaced);
  ADD ("copy-of-nothing-leaves-nothing-behind", test_a_copy_of_nothing_leaves_nothing_behind);
  return g_test_run ();
}

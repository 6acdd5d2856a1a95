/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/displaced.h"

#include "base/error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "kit/places.h"

/* What is done to the file "a" while it is open, as renames: "" removes. */
typedef struct
{
  const char *name;
  const char *first[2];
  const char *second[2];
  BoxPlacing placing;
  const char *elsewhere; /* NULL: nowhere */
} Case;

static const Case cases[] = {
  { "stays", { NULL }, { NULL }, BOX_PLACED_WELL, NULL },
  { "removed", { "a", "" }, { NULL }, BOX_PLACED_REMOVED, NULL },
  { "moved", { "a", "c" }, { NULL }, BOX_PLACED_MOVED, "c" },
  { "moved-and-replaced", { "a", "c" }, { "b", "a" }, BOX_PLACED_MOVED, "c" },
  { "replaced", { "b", "a" }, { NULL }, BOX_PLACED_REPLACED, NULL },
  { "removed-from-nfs", { "a", ".nfs0001" }, { NULL }, BOX_PLACED_REMOVED, NULL },
};

static void
move (const char *dir, const char *const names[2])
{
  g_autofree char *from = g_build_filename (dir, names[0], NULL);
  g_autofree char *to = NULL;

  if (names[0] == NULL)
    return;
  to = g_build_filename (dir, names[1], NULL);
  g_assert_cmpint (*names[1] != '\0' ? g_rename (from, to) : g_unlink (from), ==, 0);
}

static void
test_look (gconstpointer data)
{
  const Case *c = data;
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "a", NULL);
  g_autofree char *other = g_build_filename (dir, "b", NULL);
  g_autofree char *elsewhere = NULL, *expected = NULL;
  int fd;

  g_assert_true (g_file_set_contents (path, "recorded", -1, NULL));
  g_assert_true (g_file_set_contents (other, "another", -1, NULL));
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  move (dir, c->first);
  move (dir, c->second);
  g_assert_cmpint (box_displaced_look (fd, path, &elsewhere), ==, c->placing);
  if (c->elsewhere != NULL)
    expected = g_build_filename (dir, c->elsewhere, NULL);
  g_assert_cmpstr (elsewhere, ==, expected);
  close (fd);
  kit_remove_directory (dir);
}

/* A hard link keeps it, and so does a file system that gives files other numbers meanwhile. */
static void
test_a_file_with_a_name_is_not_replaced (void)
{
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "a", NULL);
  g_autofree char *beside = g_build_filename (dir, "c", NULL);
  g_autofree char *elsewhere = NULL;
  int fd;

  g_assert_true (g_file_set_contents (path, "recorded", -1, NULL));
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (link (path, beside), ==, 0);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_true (g_file_set_contents (path, "another", -1, NULL));
  g_assert_cmpint (box_displaced_look (fd, path, &elsewhere), ==, BOX_PLACED_WELL);
  g_assert_null (elsewhere);
  close (fd);
  kit_remove_directory (dir);
}

static void
test_what_took_its_place_again_is_put_aside_under_another_name (void)
{
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "a", NULL);
  g_autofree char *aside = g_build_filename (dir, "a.replaced", NULL);
  g_autofree char *second = g_build_filename (dir, "a.replaced-2", NULL);
  g_autofree char *done = NULL, *there = NULL, *before = NULL, *now = NULL;
  int fd;

  g_assert_true (g_file_set_contents (path, "recorded", -1, NULL));
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_file_set_contents (path, "another", -1, NULL));
  g_assert_true (g_file_set_contents (aside, "of before", -1, NULL));
  g_assert_true (box_displaced_restore (fd, path, &done, NULL));
  g_assert_nonnull (strstr (done, second));
  there = kit_read_text (path);
  g_assert_cmpstr (there, ==, "recorded");
  before = kit_read_text (aside);
  g_assert_cmpstr (before, ==, "of before");
  now = kit_read_text (second);
  g_assert_cmpstr (now, ==, "another");
  close (fd);
  kit_remove_directory (dir);
}

static void
test_what_cannot_be_put_back_is_saved_elsewhere (void)
{
  char *dir = kit_new_directory ();
  char *elsewhere = kit_new_directory ();
  g_autofree char *spool = g_build_filename (dir, "spool", NULL);
  g_autofree char *path = g_build_filename (spool, "a", NULL);
  g_autofree char *saved = g_build_filename (elsewhere, "a", NULL);
  g_autofree char *done = NULL, *text = NULL;
  g_autoptr (GError) error = NULL;
  int fd;

  g_setenv ("TMPDIR", elsewhere, TRUE);
  g_assert_cmpint (g_mkdir (spool, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, "recorded", -1, NULL));
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  kit_spoil_directory (spool);
  g_assert_false (box_displaced_restore (fd, path, &done, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  box_displaced_save (fd, path, &error);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, saved));
  text = kit_read_text (saved);
  g_assert_cmpstr (text, ==, "recorded");
  close (fd);
  kit_remove_directory (elsewhere);
  kit_remove_directory (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/displaced/look/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_look);
    }
  g_test_add_func ("/displaced/a-file-with-a-name-is-not-replaced",
                   test_a_file_with_a_name_is_not_replaced);
  g_test_add_func ("/displaced/what-took-its-place-again-is-put-aside-under-another-name",
                   test_what_took_its_place_again_is_put_aside_under_another_name);
  g_test_add_func ("/displaced/what-cannot-be-put-back-is-saved-elsewhere",
                   test_what_cannot_be_put_back_is_saved_elsewhere);
  return g_test_run ();
}

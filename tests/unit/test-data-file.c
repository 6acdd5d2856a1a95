/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of a recording: what small writes leave in memory, for how long, and who sees it. */
#include "kit/patience.h"
#include "kit/places.h"
#include "spool/data-file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MODEL_SIZE (1u << 20)

/* How often the file was synced, and what is written while it is: at its beginning; NULL: nothing.
 */
static guint n_syncs;
static const char *written_meanwhile;

typedef struct
{
  char *path;
  BoxDataFile *file;
} Fixture;

static Fixture *syncing;

/* In place of the C library's. */
int
fdatasync (int fd)
{
  const char *text = g_steal_pointer (&written_meanwhile);
  int result = fsync (fd);

  n_syncs++;
  if (text != NULL)
    g_assert_true (box_data_file_write (syncing->file, 0, text, strlen (text), NULL));
  return result;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  int fd;

  f->path = kit_new_file ("");
  fd = g_open (f->path, O_RDWR | O_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  f->file = box_data_file_new (fd, f->path, 0);
  syncing = f;
  n_syncs = 0;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->file, box_data_file_free);
  kit_remove_file (f->path);
}

static guint64
written (Fixture *f)
{
  GStatBuf info;

  g_assert_cmpint (g_stat (f->path, &info), ==, 0);
  return (guint64) info.st_size;
}

static void
write_text (Fixture *f, guint64 offset, const char *text)
{
  GError *error = NULL;

  box_data_file_write (f->file, offset, text, strlen (text), &error);
  g_assert_no_error (error);
}

static void
assert_content (Fixture *f, const char *expected)
{
  g_autofree char *content = kit_read_text (f->path);

  g_assert_cmpstr (content, ==, expected);
}

static void
test_small_writes_get_there_by_themselves (Fixture *f, gconstpointer data)
{
  write_text (f, 0, "one");
  write_text (f, 3, "two");
  KIT_AWAIT (written (f) >= 6);
  assert_content (f, "onetwo");
  /* And those that come when all was quiet. */
  write_text (f, 6, "three");
  KIT_AWAIT (written (f) >= 11);
  assert_content (f, "onetwothree");
}

static void
test_no_more_than_a_run_waits (Fixture *f, gconstpointer data)
{
  guint8 bytes[1316] = { 0 };

  for (guint i = 0; i < 500; i++)
    {
      g_assert_true (box_data_file_write (f->file, i * sizeof bytes, bytes, sizeof bytes, NULL));
      g_assert_cmpuint (box_data_file_get_size (f->file) - written (f), <=, BOX_RUN_SIZE);
    }
}

static void
test_what_waits_can_be_read (Fixture *f, gconstpointer data)
{
  char text[6] = "";

  write_text (f, 0, "hello");
  g_assert_true (box_data_file_read (f->file, 0, (guint8 *) text, 5, NULL));
  g_assert_cmpstr (text, ==, "hello");
}

static void
test_flush_and_sync_leave_nothing (Fixture *f, gconstpointer data)
{
  write_text (f, 0, "one");
  g_assert_true (box_data_file_flush (f->file, NULL));
  assert_content (f, "one");
  write_text (f, 3, "two");
  g_assert_true (box_data_file_sync (f->file, 6, NULL));
  assert_content (f, "onetwo");
}

static void
sync_file (Fixture *f, guint64 needed)
{
  GError *error = NULL;

  box_data_file_sync (f->file, needed, &error);
  g_assert_no_error (error);
}

static void
test_synced_bytes_are_not_synced_again (Fixture *f, gconstpointer data)
{
  write_text (f, 0, "one");
  sync_file (f, 3);
  write_text (f, 3, "two");
  sync_file (f, 3);
  g_assert_cmpuint (n_syncs, ==, 1);
  sync_file (f, 6);
  g_assert_cmpuint (n_syncs, ==, 2);
}

/* A muxer goes back to the head while a part is made durable: the head is not on disk for that. */
static void
test_what_is_written_during_a_sync_is_synced_again (Fixture *f, gconstpointer data)
{
  write_text (f, 0, "one");
  written_meanwhile = "two";
  sync_file (f, 3);
  sync_file (f, 3);
  g_assert_cmpuint (n_syncs, ==, 2);
  assert_content (f, "two");
}

static void
test_end_leaves_nothing (Fixture *f, gconstpointer data)
{
  write_text (f, 0, "one");
  g_clear_pointer (&f->file, box_data_file_free);
  assert_content (f, "one");
}

static void
test_hurry_is_in_the_background (Fixture *f, gconstpointer data)
{
  write_text (f, 0, "one");
  box_data_file_flush_soon (f->file);
  KIT_AWAIT (written (f) >= 3);
  assert_content (f, "one");
}

static void
test_what_is_cut_off_is_not_written (Fixture *f, gconstpointer data)
{
  write_text (f, 0, "onetwo");
  g_assert_true (box_data_file_truncate (f->file, 3, NULL));
  g_assert_cmpuint (box_data_file_get_size (f->file), ==, 3);
  write_text (f, 3, "three");
  g_assert_true (box_data_file_flush (f->file, NULL));
  assert_content (f, "onethree");
}

/* The bytes stay, and may find room later. */
static void
test_a_write_that_failed_is_told_to_the_next (void)
{
  int fd = open ("/dev/full", O_RDWR | O_CLOEXEC);
  BoxDataFile *file = box_data_file_new (fd, "/dev/full", 0);
  g_autofree guint8 *bytes = g_malloc0 (BOX_RUN_SIZE);
  GError *error = NULL;

  g_assert_true (box_data_file_write (file, 0, bytes, 1000, &error));
  g_assert_no_error (error);
  g_assert_false (box_data_file_write (file, 1000, bytes, BOX_RUN_SIZE, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_clear_error (&error);
  g_assert_false (box_data_file_flush (file, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_clear_error (&error);
  g_assert_false (box_data_file_sync (file, 1000, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_clear_error (&error);
  box_data_file_free (file);
}

/* Writes anywhere, of any size, as muxers do; what is read, and what is there in the end, is what a
 * plain file would have. */
static void
test_any_writes_make_the_same_file (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *model = g_malloc0 (MODEL_SIZE);
  g_autofree guint8 *bytes = g_malloc (MODEL_SIZE);
  g_autofree char *content = NULL;
  guint64 size = 0;
  gsize length;

  for (guint i = 0; i < 3000; i++)
    {
      gsize n = (gsize) g_test_rand_int_range (1, i % 10 == 0 ? 100000 : 3000);
      guint64 at = i % 7 == 0 ? (guint64) g_test_rand_int_range (0, (gint32) size + 1) : size;

      if (at + n > MODEL_SIZE)
        {
          size = (guint64) g_test_rand_int_range (0, 70000);
          g_assert_true (box_data_file_truncate (f->file, size, NULL));
          continue;
        }
      memset (bytes, (int) i, n);
      memcpy (model + at, bytes, n);
      size = MAX (size, at + n);
      g_assert_true (box_data_file_write (f->file, at, bytes, n, NULL));
      g_assert_cmpuint (box_data_file_get_size (f->file), ==, size);
      if (i % 13 != 0)
        continue;
      at = (guint64) g_test_rand_int_range (0, (gint32) size);
      n = (gsize) g_test_rand_int_range (1, (gint32) (size - at) + 1);
      g_assert_true (box_data_file_read (f->file, at, bytes, n, NULL));
      g_assert_cmpmem (bytes, n, model + at, n);
    }
  g_clear_pointer (&f->file, box_data_file_free);
  g_assert_true (g_file_get_contents (f->path, &content, &length, NULL));
  g_assert_cmpmem (content, length, model, size);
}

static gpointer
read_on (gpointer data)
{
  Fixture *f = data;
  guint64 seen = 0;

  while (seen < MODEL_SIZE)
    {
      guint64 size = box_data_file_get_size (f->file);
      guint8 byte;

      if (size == seen)
        continue;
      seen = size;
      g_assert_true (box_data_file_read (f->file, size - 1, &byte, 1, NULL));
      g_assert_cmpuint (byte, ==, ((size - 1) / 188) & 0xff);
    }
  return NULL;
}

static void
test_readers_see_what_was_written (Fixture *f, gconstpointer data)
{
  GThread *readers[3];

  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    readers[i] = g_thread_new ("reader", read_on, f);
  for (guint64 at = 0; at < MODEL_SIZE; at += 188)
    {
      guint8 packet[188];

      memset (packet, (int) (at / 188), sizeof packet);
      g_assert_true (
          box_data_file_write (f->file, at, packet, MIN (sizeof packet, MODEL_SIZE - at), NULL));
    }
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    g_thread_join (readers[i]);
}

/* Bytes in the file from here on. */
static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (size, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* The recording is where it was, without its last bytes. */
static void
test_what_cannot_be_written_is_not_displaced (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *done = NULL;

  signal (SIGXFSZ, SIG_IGN);
  limit_files (0);
  write_text (f, 0, "waits");
  g_assert_false (box_data_file_flush (f->file, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_true (box_data_file_restore (f->file, &done, NULL));
  g_assert_null (done);
  limit_files (RLIM_INFINITY);
}

static void
test_what_waits_goes_into_the_file_that_is_written_anew (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autofree char *done = NULL;

  write_text (f, 0, "written, ");
  box_data_file_flush (f->file, NULL);
  write_text (f, 9, "and waiting");
  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_assert_true (box_data_file_restore (f->file, &done, NULL));
  g_assert_nonnull (done);
  n_syncs = 0;
  g_assert_true (box_data_file_sync (f->file, 20, NULL));
  g_assert_cmpuint (n_syncs, ==, 1);
  text = kit_read_text (f->path);
  g_assert_cmpstr (text, ==, "written, and waiting");
}

static void
test_what_waits_is_saved_with_what_cannot_be_written_anew (Fixture *f, gconstpointer data)
{
  char *dir = kit_new_directory ();
  g_autofree char *spool = g_build_filename (dir, "spool", NULL);
  g_autofree char *path = g_build_filename (spool, "data", NULL);
  g_autofree char *saved = g_build_filename (dir, "data", NULL);
  g_autofree char *text = NULL, *done = NULL;
  g_autoptr (GError) error = NULL;

  g_setenv ("TMPDIR", dir, TRUE);
  g_assert_cmpint (g_mkdir (spool, 0700), ==, 0);
  box_data_file_free (f->file);
  f->file = box_data_file_new (g_open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), path, 0);
  write_text (f, 0, "written, ");
  box_data_file_flush (f->file, NULL);
  write_text (f, 9, "and waiting");
  kit_spoil_directory (spool);
  g_assert_false (box_data_file_restore (f->file, &done, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, saved));
  text = kit_read_text (saved);
  g_assert_cmpstr (text, ==, "written, and waiting");
  g_unsetenv ("TMPDIR");
  kit_remove_directory (dir);
}

#define ADD(path, func) g_test_add ("/data-file/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("small-writes-get-there-by-themselves", test_small_writes_get_there_by_themselves);
  ADD ("no-more-than-a-run-waits", test_no_more_than_a_run_waits);
  ADD ("what-waits-can-be-read", test_what_waits_can_be_read);
  ADD ("flush-and-sync-leave-nothing", test_flush_and_sync_leave_nothing);
  ADD ("synced-bytes-are-not-synced-again", test_synced_bytes_are_not_synced_again);
  ADD ("what-is-written-during-a-sync-is-synced-again",
       test_what_is_written_during_a_sync_is_synced_again);
  ADD ("end-leaves-nothing", test_end_leaves_nothing);
  ADD ("hurry-is-in-the-background", test_hurry_is_in_the_background);
  ADD ("what-is-cut-off-is-not-written", test_what_is_cut_off_is_not_written);
  ADD ("any-writes-make-the-same-file", test_any_writes_make_the_same_file);
  ADD ("readers-see-what-was-written", test_readers_see_what_was_written);
  ADD ("what-cannot-be-written-is-not-displaced", test_what_cannot_be_written_is_not_displaced);
  ADD ("what-waits-is-saved-with-what-cannot-be-written-anew",
       test_what_waits_is_saved_with_what_cannot_be_written_anew);
  ADD ("what-waits-goes-into-the-file-that-is-written-anew",
       test_what_waits_goes_into_the_file_that_is_written_anew);
  g_test_add_func ("/data-file/write-that-failed-is-told-to-the-next",
                   test_a_write_that_failed_is_told_to_the_next);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Journals, a note and a receipt that an earlier version wrote are finished by this one. They are
 * kept as they were written (tests/data/spool-0.1, by the version of the journal's first release);
 * their data is the pattern. Their sessions were on an emulator that is gone; for one that goes on,
 * its place and ID are put in, and the checksums of the lines are made anew.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "kit/spool-kit.h"

#include "kit/pattern.h"
#include "kit/places.h"
#include "spool/note.h"

/* Addresses of the emulator that they were written against. */
#define OLD_ORIGIN "http://127.0.0.1:40035"

typedef SpoolKit Fixture;

static void
set_up (Fixture *kit, gconstpointer data)
{
  spool_kit_set_up (kit);
}

static void
tear_down (Fixture *kit, gconstpointer data)
{
  spool_kit_tear_down (kit);
}

static char *
load (const char *name)
{
  g_autofree char *path = g_build_filename (TEST_DATA, "spool-0.1", name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* Puts a recording with @journal, and the first @size bytes of the pattern, into the spool. Returns
 * the journal's path. */
static char *
put_recording (Fixture *kit, const char *journal, guint64 size)
{
  g_autofree char *data_path = g_build_filename (kit->dir, "20261126-074937-00000000.data", NULL);
  char *path = g_build_filename (kit->dir, "20261126-074937-00000000.journal", NULL);
  g_autofree guint8 *bytes = g_malloc (size);

  kit_pattern_fill (0, bytes, (gsize) size);
  g_assert_true (g_file_set_contents (data_path, (const char *) bytes, (gssize) size, NULL));
  g_assert_true (g_file_set_contents (path, journal, -1, NULL));
  return path;
}

/* @journal with @old replaced by @new, and right checksums. */
static char *
rewrite (const char *journal, const char *old, const char *new)
{
  static const char check[] = ",\"check\":\"";
  g_auto (GStrv) pieces = g_strsplit (journal, old, -1);
  g_autofree char *text = g_strjoinv (new, pieces);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *rewritten = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL && lines[i][0] != '\0'; i++)
    {
      gsize length = (gsize) (strstr (lines[i], check) - lines[i]);
      g_autofree char *sum =
          g_compute_checksum_for_string (G_CHECKSUM_SHA1, lines[i], (gssize) length);

      g_string_append_printf (rewritten, "%.*s%s%.8s\"}\n", (int) length, lines[i], check, sum);
    }
  return g_string_free (rewritten, FALSE);
}

typedef struct
{
  const char *journal;
  guint64 size; /* of the data */
  const char *name;
  const char *sha1; /* NULL: the data's */
  guint64 total;    /* 0: the data's size */
} Earlier;

static const Earlier earlier[] = {
  { "complete.journal", 100000, "complete.mp4", NULL, 0 },
  { "interrupted.journal", 8192, "interrupted.ts", NULL, 0 },
  { "parts.journal", 10354688, "parts.mp4", NULL, 0 },
  { "committing.journal", SPOOL_KIT_SIZE, "committing.mp4", NULL, 0 },
  { "reserve.journal", 100000, "reserve.mkv", "708d15e9c07260350c98f3daa81c675dd9aeb4a2",
    SPOOL_KIT_SIZE },
};

static void
assert_stored (Fixture *kit, const Earlier *row)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (kit->emulator, "0", row->name);
  g_autofree char *sha1 = kit_pattern_sha1 (row->size, 0);

  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, row->total > 0 ? row->total : row->size);
  g_assert_cmpstr (file->sha1, ==, row->sha1 != NULL ? row->sha1 : sha1);
  g_assert_cmpuint (file->n_versions, ==, 1);
}

static void
test_earlier_recording_is_finished (Fixture *kit, gconstpointer data)
{
  const Earlier *row = data;
  g_autofree char *journal = load (row->journal);
  g_autofree char *path = put_recording (kit, journal, row->size);

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_stored (kit, row);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

/* Version 2: below folders of a path, and with metadata. */
static void
test_earlier_path_is_made (Fixture *kit, gconstpointer data)
{
  g_autofree char *journal = load ("path.journal");
  g_autofree char *path = put_recording (kit, journal, 100000);
  g_autofree char *folder = NULL;
  g_autoptr (JsonObject) metadata = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  folder = box_emulator_find_folder (kit->emulator, "Archive/2026");
  g_assert_nonnull (folder);
  file = box_emulator_find_file (kit->emulator, folder, "path.mkv");
  g_assert_nonnull (file);
  metadata = box_emulator_get_metadata (kit->emulator, file->id, "global/properties");
  g_assert_nonnull (metadata);
  g_assert_cmpstr (json_object_get_string_member (metadata, "camera"), ==, "hall");
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

/* Its commit had worked. */
static void
test_earlier_commit_is_not_repeated (Fixture *kit, gconstpointer data)
{
  g_autofree char *journal = load ("committing.journal");
  g_autofree char *path = put_recording (kit, journal, SPOOL_KIT_SIZE);
  g_autofree guint8 *bytes = g_malloc (SPOOL_KIT_SIZE);
  g_autofree char *id = NULL;

  kit_pattern_fill (0, bytes, SPOOL_KIT_SIZE);
  id = box_emulator_add_file (kit->emulator, "0", "committing.mp4", bytes, SPOOL_KIT_SIZE);
  g_assert_nonnull (id);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "committing.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 1);
}

static void
test_earlier_version_is_made (Fixture *kit, gconstpointer data)
{
  g_autofree char *id = box_emulator_add_file (kit->emulator, "0", "version.mkv", "old", 3);
  g_autofree char *journal = load ("version.journal");
  g_autofree char *rewritten = rewrite (journal, "1000000001", id);
  g_autofree char *path = put_recording (kit, rewritten, 100000);
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  file = box_emulator_find_file (kit->emulator, "0", "version.mkv");
  g_assert_cmpuint (file->n_versions, ==, 2);
  g_assert_cmpuint (file->size, ==, 100000);
}

/* The session of @journal, @old_id, with its first @n_parts parts at this emulator. */
static char *
continue_session (Fixture *kit, const char *journal, const char *old_id, const char *name,
                  guint n_parts)
{
  g_autofree char *id = box_emulator_add_session (kit->emulator, "0", name, NULL, SPOOL_KIT_SIZE);
  g_autofree char *text = load (journal);
  g_autofree char *moved =
      rewrite (text, OLD_ORIGIN, box_emulator_get_origin (kit->emulator, FALSE));
  g_autofree guint8 *bytes = g_malloc (SPOOL_KIT_PART);

  for (guint i = 0; i < n_parts; i++)
    {
      kit_pattern_fill (i * SPOOL_KIT_PART, bytes, SPOOL_KIT_PART);
      g_assert_true (
          box_emulator_add_part (kit->emulator, id, i * SPOOL_KIT_PART, bytes, SPOOL_KIT_PART));
    }
  return rewrite (moved, old_id, id);
}

static void
test_earlier_session_goes_on (Fixture *kit, gconstpointer data)
{
  g_autofree char *journal = continue_session (
      kit, "committing.journal", "B6B50E60AE4D007D5A150447393F4CED", "committing.mp4", 2);
  g_autofree char *path = put_recording (kit, journal, SPOOL_KIT_SIZE);

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "committing.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 0);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "upload_part"), ==, 1);
}

static void
test_earlier_given_session_is_filled (Fixture *kit, gconstpointer data)
{
  g_autofree char *journal =
      continue_session (kit, "given.journal", "582C44DDBDE8F6803A8244A5921E48D0", "given.mp4", 2);
  g_autofree char *path = put_recording (kit, journal, SPOOL_KIT_SIZE);

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "given.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 0);
}

static void
test_earlier_note_is_read (void)
{
  static const char id[] = "582C44DDBDE8F6803A8244A5921E48D0";
  g_autofree char *dir = g_build_filename (g_get_user_state_dir (), "boxupload", "sessions", NULL);
  g_autofree char *path = g_strdup_printf ("%s/%s.json", dir, id);
  g_autofree char *text = load ("given.json");
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxNote) note = NULL;

  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  note = box_note_load (id, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (note->size, ==, SPOOL_KIT_SIZE);
  g_assert_cmpstr (note->destination->folder_id, ==, "0");
  g_assert_cmpstr (note->destination->name, ==, "given.mp4");
  box_note_remove (id);
  g_rmdir (dir);
  *strrchr (dir, '/') = '\0';
  g_rmdir (dir);
}

/* The file that the receipt is about, as it was on the disk of then. */
static const struct stat put_file = {
  .st_ino = 1234567,
  .st_size = SPOOL_KIT_SIZE,
  .st_mtim = { .tv_sec = 1795679377, .tv_nsec = 123456789 },
};

/* The name of a receipt is made of what it is about: another one would not be found. */
static void
test_earlier_receipt_is_found_and_read (void)
{
  static const char name[] =
      "3745a565ac1d58c2957f8a5f5f486ba2ae386c40b2e1289c0fa605aab54c83bb.journal";
  g_autofree char *dir = g_build_filename (g_get_user_state_dir (), "boxupload", "uploads", NULL);
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *text = load ("put.receipt");
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "put.mp4", NULL);
  g_autoptr (BoxReceipt) receipt = NULL;
  const BoxJournalState *state;

  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  receipt = box_receipt_open ("https://upload.box.com/api/2.0", destination, BOX_IF_EXISTS_VERSION,
                              &put_file);
  g_assert_nonnull (receipt);
  state = box_receipt_get_state (receipt);
  g_assert_nonnull (state->session);
  g_assert_cmpstr (state->session->id, ==, "60241EA247F8A1F60647B348B85D31AD");
  g_assert_cmpuint (state->session_size, ==, SPOOL_KIT_SIZE);
  g_assert_cmpuint (state->parts->len, ==, 2);
  g_assert_false (box_receipt_is_commit_begun (receipt));
  box_receipt_remove (receipt);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_rmdir (dir);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/earlier/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  char *state = kit_new_directory ();
  int failed;

  g_setenv ("XDG_STATE_HOME", state, TRUE);
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (earlier); i++)
    {
      g_autofree char *path = g_strconcat ("/earlier/finished/", earlier[i].journal, NULL);

      g_test_add (path, Fixture, &earlier[i], set_up, test_earlier_recording_is_finished,
                  tear_down);
    }
  ADD ("commit-is-not-repeated", test_earlier_commit_is_not_repeated);
  ADD ("path-is-made", test_earlier_path_is_made);
  ADD ("version-is-made", test_earlier_version_is_made);
  ADD ("session-goes-on", test_earlier_session_goes_on);
  ADD ("given-session-is-filled", test_earlier_given_session_is_filled);
  g_test_add_func ("/earlier/receipt-is-found-and-read", test_earlier_receipt_is_found_and_read);
  g_test_add_func ("/earlier/note-is-read", test_earlier_note_is_read);
  failed = g_test_run ();
  kit_remove_empty_directory (state);
  return failed;
}

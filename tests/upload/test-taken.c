/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: somebody takes the name while a large file is sent. Where its
 * bytes can be read again, if-exists is kept to; elsewhere the error says what is true.
 */
#include "upload-fixture.h"

#include "kit/pattern.h"

#include <string.h>

#define SIZE 20000000

static gboolean
read_stream (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  kit_pattern_fill (offset, buffer, length);
  return TRUE;
}

static const BoxBlocksFile stream_file = { .read = read_stream };

/* The name goes to somebody else's file with the first @times commits. */
static void
upload_taken (Fixture *f, const BoxUploadSettings *settings, guint times)
{
  g_autofree char *rule = g_strdup_printf (
      "{'route':'commit','times':%u,'do':'others','at':'end','others':{'file':{}}}", times);

  load (f, rule);
  run_to_the_end (f, settings);
}

static void
test_renamed (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "t.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);
  g_autoptr (GPtrArray) sessions = NULL;
  g_autoptr (BoxEmulatorSession) first = NULL;

  settings.if_exists = BOX_IF_EXISTS_RENAME;
  settings.file = &stream_file;
  upload_taken (f, &settings, 1);
  assert_done (f);
  assert_stored (f, "t (1).bin", SIZE);
  /* What is set is not advised. */
  g_assert_null (strstr (f->last_reason, "set if-exists"));
  g_assert_nonnull (strstr (f->last_reason, "as if-exists says"));
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 2);
  sessions = box_emulator_get_session_ids (f->emulator);
  g_assert_cmpuint (sessions->len, ==, 2);
  first = box_emulator_get_session (f->emulator, g_ptr_array_index (sessions, 0));
  g_assert_cmpint (first->state, ==, BOX_EMULATOR_SESSION_ABORTED);
}

static void
test_made_a_version (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "t.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);
  g_autoptr (BoxEmulatorFile) file = NULL;

  settings.if_exists = BOX_IF_EXISTS_VERSION;
  settings.file = &stream_file;
  upload_taken (f, &settings, 1);
  assert_done (f);
  file = box_emulator_find_file (f->emulator, "0", "t.bin");
  g_assert_cmpuint (file->n_versions, ==, 2);
  g_assert_cmpuint (file->size, ==, SIZE);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
}

/* Memory has one block: the rest is in the file alone. */
static void
test_bytes_that_are_in_the_file_only_are_sent_again (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "t.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);

  settings.if_exists = BOX_IF_EXISTS_RENAME;
  settings.file = &stream_file;
  settings.max_memory = BOX_BLOCK_SIZE;
  load (f, "{'route':'commit','times':1,'do':'others','at':'end','others':{'file':{}}}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, SIZE));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "t (1).bin", SIZE);
}

/* Box takes nothing for now, and more than memory holds is written all the same. */
static void
test_with_a_file_a_full_memory_makes_nobody_wait (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "w.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);
  g_autofree guint8 *bytes = g_malloc (SIZE);
  BoxUploadStats stats;

  kit_pattern_fill (0, bytes, SIZE);
  settings.file = &stream_file;
  settings.max_memory = 4 * BOX_BLOCK_SIZE;
  load (f, "{'route':'upload_part','do':'hold','name':'gate'}");
  begin (f, &settings);
  g_assert_cmpuint (box_upload_write (f->upload, bytes, SIZE / 2), ==, SIZE / 2);
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  g_assert_cmpuint (box_upload_write (f->upload, bytes + SIZE / 2, SIZE / 2), ==, SIZE / 2);
  box_upload_finish (f->upload);
  box_upload_get_stats (f->upload, &stats);
  g_assert_cmpuint (stats.bytes_received, ==, SIZE);
  /* Its limit, and a block of each part that was begun while it was in memory. */
  g_assert_cmpuint (stats.memory, <=, 8 * BOX_BLOCK_SIZE);
  box_emulator_release (f->emulator, "gate");
  assert_done (f);
  assert_stored (f, "w.bin", SIZE);
}

static void
assert_failed_with (Fixture *f, const char *words)
{
  g_autoptr (GError) error = NULL;

  assert_failed (f, BOX_ERROR_NAME_IN_USE);
  error = box_upload_get_error (f->upload);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_null (strstr (error->message, "set if-exists"));
}

static void
test_bytes_that_are_gone_are_no_matter_of_settings (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "t.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);

  settings.if_exists = BOX_IF_EXISTS_RENAME;
  upload_taken (f, &settings, 1);
  assert_failed_with (f, "to a spool");
}

/* A recording's latest bytes are in the system's memory anyway. */
static void
test_a_file_that_grows_takes_little_memory (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "g.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);
  BoxUploadStats stats;

  settings.file = &stream_file;
  settings.file_grows = TRUE;
  settings.parallel = 16;
  box_emulator_set_down (f->emulator, TRUE);
  begin (f, &settings);
  g_assert_true (produce (f, 0, SIZE));
  box_upload_finish (f->upload);
  box_upload_get_stats (f->upload, &stats);
  g_assert_cmpuint (stats.memory, >, 0);
  g_assert_cmpuint (stats.memory, <, SIZE / 2);
  box_emulator_set_down (f->emulator, FALSE);
  assert_done (f);
  assert_stored (f, "g.bin", SIZE);
}

static void
test_a_session_keeps_its_name (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "t.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  settings.file = &stream_file;
  upload_taken (f, &settings, 1);
  assert_failed_with (f, "without this session");
}

/* Whatever answers, it ends. */
static void
test_a_name_that_is_always_taken_ends_it (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "t.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);

  settings.if_exists = BOX_IF_EXISTS_RENAME;
  settings.file = &stream_file;
  upload_taken (f, &settings, 100);
  assert_failed_with (f, "try again later");
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 6);
}

#define ADD(path, func) g_test_add ("/taken/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("name-is-changed", test_renamed);
  ADD ("name-gets-a-version", test_made_a_version);
  ADD ("with-a-file-nobody-waits", test_with_a_file_a_full_memory_makes_nobody_wait);
  ADD ("file-that-grows-takes-little-memory", test_a_file_that_grows_takes_little_memory);
  ADD ("bytes-in-the-file-only-are-sent-again",
       test_bytes_that_are_in_the_file_only_are_sent_again);
  ADD ("name-of-bytes-that-are-gone-is-no-matter-of-settings",
       test_bytes_that_are_gone_are_no_matter_of_settings);
  ADD ("name-of-a-session-stays", test_a_session_keeps_its_name);
  ADD ("name-always-ends-it", test_a_name_that_is_always_taken_ends_it);
  return g_test_run ();
}

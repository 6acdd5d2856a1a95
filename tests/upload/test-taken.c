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

/* The bytes were announced, and never in memory. */
static void
test_announced_bytes_are_sent_again (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "t.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GLIB);
  g_autofree guint8 *bytes = g_malloc (SIZE);
  BoxSha1 sha1;

  kit_pattern_fill (0, bytes, SIZE);
  box_digest_update (digest, bytes, SIZE);
  box_digest_finish (digest, &sha1);
  settings.if_exists = BOX_IF_EXISTS_RENAME;
  settings.file = &stream_file;
  load (f, "{'route':'commit','times':1,'do':'others','at':'end','others':{'file':{}}}");
  begin (f, &settings);
  box_upload_advance (f->upload, SIZE);
  box_upload_finish_digest (f->upload, &sha1);
  assert_done (f);
  assert_stored (f, "t (1).bin", SIZE);
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
  ADD ("name-of-announced-bytes-is-changed", test_announced_bytes_are_sent_again);
  ADD ("name-of-bytes-that-are-gone-is-no-matter-of-settings",
       test_bytes_that_are_gone_are_no_matter_of_settings);
  ADD ("name-of-a-session-stays", test_a_session_keeps_its_name);
  ADD ("name-always-ends-it", test_a_name_that_is_always_taken_ends_it);
  return g_test_run ();
}

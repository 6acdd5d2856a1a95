/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recording whose destination is a path of folders, finished by its journal. */
#include "kit/spool-kit.h"

#include "kit/emulator.h"
#include "kit/pattern.h"

#include <string.h>

#define SMALL 12345

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

static BoxRecordingIntent *
new_intent (const char *name)
{
  static const char *const path[] = { "Archive", "Camera 3", NULL };
  BoxRecordingIntent *intent = spool_kit_intent (name);

  box_destination_free (intent->destination);
  intent->destination = box_destination_new_in_path ("0", path, TRUE, name, NULL);
  return intent;
}

/* The emulator has @name with the first @size bytes of the pattern in @folder, a path. */
static void
assert_stored (Fixture *kit, const char *folder, const char *name, guint64 size)
{
  g_autofree char *id = box_emulator_find_folder (kit->emulator, folder);
  g_autofree char *sha1 = kit_pattern_sha1 (size, 0);
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_nonnull (id);
  file = box_emulator_find_file (kit->emulator, id, name);
  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, size);
  g_assert_cmpstr (file->sha1, ==, sha1);
  g_assert_cmpuint (file->n_versions, ==, 1);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 1);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

/* A recording that has come to its upload, which Box refused. @path: (out): its journal. */
static void
fail_once (Fixture *kit, guint64 size, const char *route, char **path)
{
  g_autoptr (BoxRecordingIntent) intent = new_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, size);
  g_autofree char *rules = g_strdup_printf (
      "[{\"route\":\"%s\",\"times\":1,\"do\":\"reply\",\"status\":403,\"json\":"
      "{\"type\":\"error\",\"status\":403,\"code\":\"access_denied_insufficient_permissions\"}}]",
      route);
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  spool_kit_end (recording);
  *path = spool_kit_leave (recording);
  kit_load_rules (kit->emulator, rules);
  error = spool_kit_recover (kit, *path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_FORBIDDEN);
}

static void
test_path_is_made_for_a_recording (Fixture *kit, gconstpointer data)
{
  guint64 size = GPOINTER_TO_SIZE (data);
  g_autoptr (BoxRecordingIntent) intent = new_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, size);
  g_autofree char *path = NULL;

  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_stored (kit, "Archive/Camera 3", "clip.mp4", size);
  g_assert_cmpuint (box_emulator_count_folders (kit->emulator), ==, 2);
}

/* Renames the folder as its owner would; @name NULL: deletes it. */
static void
rename_folder (Fixture *kit, const char *id, const char *name)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autofree char *url =
      g_strdup_printf ("%s/folders/%s", box_emulator_get_api_endpoint (kit->emulator, FALSE), id);
  g_autofree char *text = g_strdup_printf ("{\"name\":\"%s\"}", name != NULL ? name : "");
  g_autoptr (SoupMessage) message = soup_message_new (name != NULL ? "PUT" : "DELETE", url);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GBytes) body = NULL;

  soup_message_headers_append (soup_message_get_request_headers (message), "Authorization",
                               "Bearer x");
  if (name != NULL)
    soup_message_set_request_body_from_bytes (message, "application/json", bytes);
  body = soup_session_send_and_read (session, message, NULL, NULL);
  g_assert_cmpuint (soup_message_get_status (message), <, 300);
}

/* A folder that was renamed is the same folder. */
static void
test_resume_goes_to_the_folder_of_the_first_try (Fixture *kit, gconstpointer data)
{
  g_autofree char *path = NULL, *folder = NULL;

  fail_once (kit, SPOOL_KIT_SIZE, "create_session", &path);
  folder = box_emulator_find_folder (kit->emulator, "Archive/Camera 3");
  rename_folder (kit, folder, "Camera three");
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_stored (kit, "Archive/Camera three", "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count_folders (kit->emulator), ==, 2);
}

static void
test_resume_makes_a_folder_that_is_gone (Fixture *kit, gconstpointer data)
{
  guint64 size = GPOINTER_TO_SIZE (data);
  g_autofree char *path = NULL, *folder = NULL;

  fail_once (kit, size, size > SMALL ? "create_session" : "upload_file", &path);
  folder = box_emulator_find_folder (kit->emulator, "Archive/Camera 3");
  rename_folder (kit, folder, NULL);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_stored (kit, "Archive/Camera 3", "clip.mp4", size);
}

/* The commit worked, nobody heard of it, and the process ended: the file is found by its path. */
static void
test_lost_commit_is_found_below_the_path (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = new_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SMALL);
  g_autofree char *path = NULL, *archive = NULL, *camera = NULL, *id = NULL;
  g_autofree guint8 *bytes = g_malloc (SMALL);

  archive = box_emulator_add_folder (kit->emulator, "0", "archive");
  camera = box_emulator_add_folder (kit->emulator, archive, "camera 3");
  kit_pattern_fill (0, bytes, SMALL);
  id = box_emulator_add_file (kit->emulator, camera, "clip.mp4", bytes, SMALL);
  spool_kit_end (recording);
  g_assert_true (box_recording_set_committing (recording, NULL));
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_stored (kit, "Archive/Camera 3", "clip.mp4", SMALL);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "upload_file"), ==, 0);
}

/* Folders that are locked for a moment. */
static void
test_blocked_folder_is_waited_for (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = new_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SMALL);
  g_autofree char *path = NULL;

  kit_load_rules (
      kit->emulator,
      RULE ({
          "route": "create_folder",
          "times": 2,
          "do": "reply",
          "status": 409,
          "json": { "type": "error", "status": 409, "code": "operation_blocked_temporary" }
        }));
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_stored (kit, "Archive/Camera 3", "clip.mp4", SMALL);
}

/* Done, but answered with 503, and later than that. */
static void
test_folder_that_is_made_late_is_made_once (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = new_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SMALL);
  g_autofree char *path = NULL;

  kit_load_rules (kit->emulator, RULE ({ "route": "create_folder", "times": 1, "do": "reply", "at": "stored",
                     "status": 503 }));
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_stored (kit, "Archive/Camera 3", "clip.mp4", SMALL);
  g_assert_cmpuint (box_emulator_count_folders (kit->emulator), ==, 2);
}

static void
test_taken_name_is_changed_in_the_same_folder (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = new_intent ("clip.mp4");
  BoxRecording *recording;
  g_autofree char *path = NULL, *archive = NULL, *camera = NULL, *other = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;

  archive = box_emulator_add_folder (kit->emulator, "0", "Archive");
  camera = box_emulator_add_folder (kit->emulator, archive, "Camera 3");
  other = box_emulator_add_file (kit->emulator, camera, "CLIP.mp4", "x", 1);
  intent->if_exists = BOX_IF_EXISTS_RENAME;
  recording = spool_kit_record (kit, intent, SMALL);
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  file = box_emulator_find_file (kit->emulator, camera, "clip (1).mp4");
  g_assert_nonnull (file);
}

int
main (int argc, char **argv)
{
  gconstpointer small = GSIZE_TO_POINTER (SMALL), large = GSIZE_TO_POINTER (SPOOL_KIT_SIZE);

  g_test_init (&argc, &argv, NULL);
#define ADD(path, function, data) g_test_add (path, Fixture, data, set_up, function, tear_down)
  ADD ("/folders/made/small", test_path_is_made_for_a_recording, small);
  ADD ("/folders/made/large", test_path_is_made_for_a_recording, large);
  ADD ("/folders/resume/renamed", test_resume_goes_to_the_folder_of_the_first_try, NULL);
  ADD ("/folders/resume/gone/small", test_resume_makes_a_folder_that_is_gone, small);
  ADD ("/folders/resume/gone/large", test_resume_makes_a_folder_that_is_gone, large);
  ADD ("/folders/lost-commit", test_lost_commit_is_found_below_the_path, NULL);
  ADD ("/folders/blocked", test_blocked_folder_is_waited_for, NULL);
  ADD ("/folders/late", test_folder_that_is_made_late_is_made_once, NULL);
  ADD ("/folders/taken", test_taken_name_is_changed_in_the_same_folder, NULL);
#undef ADD
  return g_test_run ();
}

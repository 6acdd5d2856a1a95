/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recording whose file Box has, and one that is sent to another destination. */
#include <glib/gstdio.h>
#include <string.h>

#include "kit/spool-kit.h"

#include "kit/emulator.h"
#include "kit/pattern.h"

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

static BoxRecovered
recover_keeping (Fixture *kit, const char *path, BoxKeep keep)
{
  BoxRecoverySettings settings = { .client = kit->client, .retry_timeout = 20, .keep = keep };
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (BoxFile) file = NULL;
  g_autoptr (GError) error = NULL;
  BoxRecovered how = BOX_RECOVERED_EMPTY;

  recording = box_recording_open (path, &error);
  g_assert_no_error (error);
  box_recovery_run (recording, &settings, NULL, NULL, NULL, &how, &file, &error);
  g_assert_no_error (error);
  g_assert_nonnull (file);
  return how;
}

static BoxSpoolEntry *
look (Fixture *kit)
{
  g_autoptr (GPtrArray) list = box_spool_list (kit->spool, NULL);

  g_assert_cmpuint (list->len, ==, 1);
  return box_spool_look (kit->spool, ((BoxSpoolEntry *) list->pdata[0])->name);
}

static void
test_recording_that_was_cut_short_is_kept_if_its_container_does_not_play (Fixture *kit,
                                                                          gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree char *path = spool_kit_leave (spool_kit_record (kit, intent, 1000));
  g_autoptr (BoxSpoolEntry) kept = NULL;
  guint requests;

  g_assert_cmpint (recover_keeping (kit, path, BOX_KEEP_UNPLAYABLE), ==, BOX_RECOVERED_KEPT);
  spool_kit_assert_stored (kit, "clip.mp4", 1000);
  kept = look (kit);
  g_assert_cmpint (kept->status, ==, BOX_SPOOL_KEPT);
  g_assert_cmpuint (kept->size, ==, 1000);
  g_assert_nonnull (kept->state->file);
  requests = box_emulator_count (kit->emulator, NULL);
  g_assert_cmpint (recover_keeping (kit, path, BOX_KEEP_NONE), ==, BOX_RECOVERED_KEPT);
  g_assert_cmpuint (box_emulator_count (kit->emulator, NULL), ==, requests);
}

static void
test_recording_that_was_cut_short_goes_if_its_container_plays (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mkv");
  g_autofree char *path = spool_kit_leave (spool_kit_record (kit, intent, 1000));

  g_assert_cmpint (recover_keeping (kit, path, BOX_KEEP_UNPLAYABLE), ==, BOX_RECOVERED_COMMITTED);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
test_every_recording_that_was_cut_short_is_kept_if_wanted (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) cut = spool_kit_intent ("cut.mkv");
  g_autoptr (BoxRecordingIntent) whole = spool_kit_intent ("whole.mp4");
  g_autofree char *cut_path = spool_kit_leave (spool_kit_record (kit, cut, 1000));
  BoxRecording *recording = spool_kit_record (kit, whole, 1000);
  g_autofree char *whole_path = NULL;

  spool_kit_end (recording);
  whole_path = spool_kit_leave (recording);
  g_assert_cmpint (recover_keeping (kit, cut_path, BOX_KEEP_CUT), ==, BOX_RECOVERED_KEPT);
  g_assert_cmpint (recover_keeping (kit, whole_path, BOX_KEEP_CUT), ==, BOX_RECOVERED_COMMITTED);
}

/* The size is known: as many bytes are all of it, fewer are not, whatever the journal's end says.
 */
static void
test_recording_of_an_exact_size_is_whole_at_that_size_only (Fixture *kit, gconstpointer data)
{
  static const struct
  {
    guint64 size;
    gboolean ended;
    gboolean interrupted;
  } cases[] = { { 1000, FALSE, FALSE }, { 1000, TRUE, FALSE }, { 999, FALSE, TRUE },
                { 999, TRUE, TRUE },    { 1001, FALSE, TRUE }, { 1001, TRUE, FALSE } };
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxJournalState state = { .intent = intent };

  intent->sizing = BOX_SIZING_EXACT;
  intent->size = 1000;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      state.ended = cases[i].ended;
      g_assert_cmpint (box_recording_is_interrupted (&state, cases[i].size), ==,
                       cases[i].interrupted);
    }
}

/* The data file's name is taken by a directory: it cannot be removed. */
static void
test_recording_that_cannot_be_removed_is_done (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  BoxRecoverySettings settings = { .client = kit->client, .retry_timeout = 20 };
  g_autofree char *data_path = g_strdup (box_recording_get_path (recording));
  g_autoptr (BoxJournalState) state = NULL;
  g_autoptr (BoxFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  BoxRecovered how;

  spool_kit_end (recording);
  g_assert_cmpint (g_unlink (data_path), ==, 0);
  g_assert_cmpint (g_mkdir (data_path, 0700), ==, 0);
  box_recovery_run (recording, &settings, NULL, NULL, NULL, &how, &file, &error);
  g_assert_no_error (error);
  g_assert_cmpint (how, ==, BOX_RECOVERED_LEFT);
  spool_kit_assert_stored (kit, "clip.mp4", 1000);
  state = box_recording_get_state (recording);
  g_assert_nonnull (state->file);
  g_assert_nonnull (strstr (state->failure, "remove"));
  path = spool_kit_leave (recording);
  g_assert_cmpint (g_rmdir (data_path), ==, 0);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
redirect (const char *path, const char *name, BoxIfExists if_exists)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxRecording) recording = box_recording_open (path, &error);

  g_assert_no_error (error);
  box_recording_redirect (recording, destination, if_exists, &error);
  g_assert_no_error (error);
}

static void
assert_aborted (Fixture *kit, const char *session_id)
{
  g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (kit->emulator, session_id);

  g_assert_cmpint (session->state, ==, BOX_EMULATOR_SESSION_ABORTED);
}

static void
test_name_that_is_taken_is_noted_and_can_be_changed (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autofree char *id = box_emulator_add_file (kit->emulator, "0", "clip.mp4", "other", 5);
  g_autoptr (BoxSpoolEntry) failed = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  BoxRecovered how;

  g_assert_nonnull (id);
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  error = spool_kit_recover (kit, path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE);
  failed = look (kit);
  g_assert_cmpstr (failed->state->failure, ==, error->message);
  redirect (path, "other.mp4", BOX_IF_EXISTS_ERROR);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "other.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 2);
  assert_aborted (kit, session->id);
}

/* A small file needs no session, so that nothing replaces the one that there was. */
static void
test_session_of_another_name_does_not_stay (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mkv");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mkv", SPOOL_KIT_SIZE);
  g_autofree char *path = spool_kit_leave (recording);

  redirect (path, "clip.mkv", BOX_IF_EXISTS_RENAME);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mkv", 1000);
  assert_aborted (kit, session->id);
}

/* Box takes the recording's own session for another upload of the same file. */
static void
test_session_of_another_policy_makes_way (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mkv");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mkv", SPOOL_KIT_SIZE);
  g_autofree char *path = NULL;

  kit_load_rules (kit->emulator, RULE ({"route": "create_session", "nth": 1, "do": "reply",
                                         "status": 409, "json": {"code": "session_conflict"}}));
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  redirect (path, "clip.mkv", BOX_IF_EXISTS_VERSION);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mkv", SPOOL_KIT_SIZE);
  assert_aborted (kit, session->id);
}

/* Its commit had worked, and nobody heard of that. */
static void
test_another_name_makes_no_second_file (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  g_autofree guint8 *bytes = g_malloc (1000);
  g_autofree char *id = NULL, *path = NULL;

  kit_pattern_fill (0, bytes, 1000);
  id = box_emulator_add_file (kit->emulator, "0", "clip.mp4", bytes, 1000);
  spool_kit_end (recording);
  box_recording_set_committing (recording, NULL);
  path = spool_kit_leave (recording);
  redirect (path, "other.mp4", BOX_IF_EXISTS_ERROR);
  redirect (path, "third.mp4", BOX_IF_EXISTS_ERROR);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 1);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

#define ADD(name, function, data)                                                                  \
  g_test_add ("/settled/" name, Fixture, data, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("cut-short-is-kept-if-its-container-does-not-play",
       test_recording_that_was_cut_short_is_kept_if_its_container_does_not_play, NULL);
  ADD ("cut-short-goes-if-its-container-plays",
       test_recording_that_was_cut_short_goes_if_its_container_plays, NULL);
  ADD ("cut-short-is-kept-if-wanted", test_every_recording_that_was_cut_short_is_kept_if_wanted,
       NULL);
  ADD ("exact-size-is-whole-at-that-size-only",
       test_recording_of_an_exact_size_is_whole_at_that_size_only, NULL);
  ADD ("cannot-be-removed-is-done", test_recording_that_cannot_be_removed_is_done, NULL);
  ADD ("session-of-another-name-does-not-stay", test_session_of_another_name_does_not_stay, NULL);
  ADD ("session-of-another-policy-makes-way", test_session_of_another_policy_makes_way, NULL);
  ADD ("name-that-is-taken-is-noted-and-can-be-changed",
       test_name_that_is_taken_is_noted_and_can_be_changed, NULL);
  ADD ("another-name-makes-no-second-file", test_another_name_makes_no_second_file, NULL);
  return g_test_run ();
}

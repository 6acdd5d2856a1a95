/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

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

static void
test_complete_recording_is_committed_and_removed (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autofree char *path = NULL;

  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
test_interrupted_recording_gets_the_size_that_it_has (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", 4 * SPOOL_KIT_PART);
  g_autoptr (BoxEmulatorSession) old = NULL;
  g_autofree char *path = NULL;

  spool_kit_add_part (kit, recording, session, 0, 4 * SPOOL_KIT_PART);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  old = box_emulator_get_session (kit->emulator, session->id);
  g_assert_cmpint (old->state, ==, BOX_EMULATOR_SESSION_ABORTED);
}

static void
test_small_recording_is_one_request (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree char *path = spool_kit_leave (spool_kit_record (kit, intent, 12345));

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", 12345);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "upload_file"), ==, 1);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 0);
}

static void
test_empty_recording_is_removed_and_makes_no_file (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree char *path = spool_kit_leave (spool_kit_record (kit, intent, 0));

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_EMPTY);
  g_assert_cmpuint (box_emulator_count (kit->emulator, NULL), ==, 0);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

/* Another recorder was quicker with the same name. */
static void
test_name_taken_while_the_session_was_open_is_changed (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording;
  g_autoptr (BoxSession) session = NULL;
  g_autofree char *path = NULL, *other = NULL;

  intent->if_exists = BOX_IF_EXISTS_RENAME;
  recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  session = spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  other = box_emulator_add_file (kit->emulator, "0", "clip.mp4", "theirs", 6);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip (1).mp4", SPOOL_KIT_SIZE);
}

/* The network was away until after EOS: a session of the right size serves as well. */
static void
test_reserve_that_no_session_was_opened_for_is_not_padded (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording;
  BoxRecordingEnd end = { .size = SPOOL_KIT_SIZE,
                          .total = 10 * SPOOL_KIT_PART,
                          .padding = BOX_PADDING_ZERO };
  g_autofree char *path = NULL;

  intent->sizing = BOX_SIZING_RESERVE;
  intent->size = 10 * SPOOL_KIT_PART;
  intent->padding = BOX_PADDING_ZERO;
  recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_assert_true (box_recording_set_end (recording, &end, NULL));
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
}

static void
test_small_recording_that_is_not_to_be_committed_names_the_way_out (Fixture *kit,
                                                                    gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  intent->commit = FALSE;
  path = spool_kit_leave (spool_kit_record (kit, intent, 1000));
  error = spool_kit_recover (kit, path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "boxupload put"));
  g_assert_cmpuint (spool_kit_count (kit), ==, 1);
}

/* The session that the journal names holds something else's part. */
static void
test_session_that_holds_other_content_is_replaced (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autofree guint8 *zeros = g_malloc0 (SPOOL_KIT_PART);
  g_autofree char *path = NULL;

  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  g_assert_true (
      box_emulator_add_part (kit->emulator, session->id, 0, zeros, (gsize) SPOOL_KIT_PART));
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
}

static void
test_parts_that_box_has_are_not_sent_again (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autofree char *path = NULL;

  spool_kit_add_part (kit, recording, session, 0, SPOOL_KIT_SIZE);
  spool_kit_add_part (kit, recording, session, 2, SPOOL_KIT_SIZE);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "upload_part"), ==, 1);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 0);
}

/* Data: how the emulator forgets a session. */
typedef void (*Forget) (BoxEmulator *emulator, const char *id);

static void
test_session_that_is_gone_is_replaced (Fixture *kit, gconstpointer forget)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autofree char *path = NULL;

  spool_kit_add_part (kit, recording, session, 0, SPOOL_KIT_SIZE);
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  ((Forget) forget) (kit->emulator, session->id);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 1);
}

static void
test_given_session_that_is_gone_is_an_error (Fixture *kit, gconstpointer data)
{
  g_autofree char *id =
      box_emulator_add_session (kit->emulator, "0", "clip.mp4", NULL, SPOOL_KIT_SIZE);
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  box_destination_free (intent->destination);
  intent->destination = box_destination_new_session (id, NULL);
  path = spool_kit_leave (spool_kit_record (kit, intent, SPOOL_KIT_SIZE));
  box_emulator_expire_session (kit->emulator, id);
  error = spool_kit_recover (kit, path, &how);
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, "remove "));
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 0);
  g_assert_cmpuint (spool_kit_count (kit), ==, 1);
}

/* It cannot be replaced by one of the right size, but it can be filled. */
static void
test_given_reserve_of_a_dead_writer_is_padded (Fixture *kit, gconstpointer data)
{
  g_autofree char *id =
      box_emulator_add_session (kit->emulator, "0", "clip.mp4", NULL, 3 * SPOOL_KIT_PART);
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_autofree char *path = NULL,
                  *sha1 = kit_pattern_sha1 (SPOOL_KIT_SIZE, 3 * SPOOL_KIT_PART - SPOOL_KIT_SIZE);

  box_destination_free (intent->destination);
  intent->destination = box_destination_new_session (id, NULL);
  intent->sizing = BOX_SIZING_RESERVE;
  intent->size = 3 * SPOOL_KIT_PART;
  intent->padding = BOX_PADDING_ZERO;
  path = spool_kit_leave (spool_kit_record (kit, intent, SPOOL_KIT_SIZE));
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  file = box_emulator_find_file (kit->emulator, "0", "clip.mp4");
  g_assert_cmpuint (file->size, ==, 3 * SPOOL_KIT_PART);
  g_assert_cmpstr (file->sha1, ==, sha1);
}

/* Whatever of the journal is left, a file that Box has is not made a second time. */
static void
test_journal_cut_anywhere_commits_once (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording;
  g_autoptr (BoxSession) session = NULL;
  g_autofree char *path = NULL, *journal = NULL, *bytes = NULL, *data_path = NULL;
  g_auto (GStrv) lines = NULL;
  gsize size;

  intent->if_exists = BOX_IF_EXISTS_VERSION;
  recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  session = spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  for (guint i = 0; i < 3; i++)
    spool_kit_add_part (kit, recording, session, i, SPOOL_KIT_SIZE);
  spool_kit_end (recording);
  box_recording_set_committing (recording, NULL);
  data_path = g_strdup (box_recording_get_path (recording));
  path = spool_kit_leave (recording);
  g_file_get_contents (path, &journal, NULL, NULL);
  g_file_get_contents (data_path, &bytes, &size, NULL);
  lines = g_strsplit (journal, "\n", -1);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);

  for (guint n = 1; lines[n] != NULL; n++)
    {
      g_autoptr (GString) rest = g_string_new (NULL);

      for (guint i = 0; i < n; i++)
        g_string_append_printf (rest, "%s\n", lines[i]);
      g_assert_true (g_file_set_contents (path, rest->str, -1, NULL));
      g_assert_true (g_file_set_contents (data_path, bytes, (gssize) size, NULL));
      g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
      spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
      g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 1);
    }
}

static void
test_committed_recording_is_removed_when_box_confirms (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  g_autofree guint8 *bytes = g_malloc (1000);
  g_autofree char *id = NULL, *path = NULL;
  BoxFile file = { 0 };

  kit_pattern_fill (0, bytes, 1000);
  file.id = id = box_emulator_add_file (kit->emulator, "0", "clip.mp4", bytes, 1000);
  spool_kit_end (recording);
  box_recording_set_committed (recording, &file, NULL);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "upload_file"), ==, 0);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
add_version (Fixture *kit, const char *file_id, const char *text)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GLIB);
  g_autoptr (BoxFile) file = NULL;
  g_autoptr (GError) error = NULL;
  BoxSha1 sha1;
  BoxBody body;

  box_digest_update (digest, text, strlen (text));
  box_digest_finish (digest, &sha1);
  box_body_init_bytes (&body, bytes);
  file = box_client_upload_file (kit->client, transport, destination, &sha1, &body, NULL, NULL,
                                 NULL, &error);
  g_assert_no_error (error);
}

/* Somebody has made another version of the file since: the recording is the one before. */
static void
test_committed_recording_that_others_followed_is_removed (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  g_autofree guint8 *bytes = g_malloc (1000);
  g_autofree char *id = NULL, *path = NULL;
  BoxFile file = { 0 };

  kit_pattern_fill (0, bytes, 1000);
  file.id = id = box_emulator_add_file (kit->emulator, "0", "clip.mp4", bytes, 1000);
  add_version (kit, id, "theirs");
  spool_kit_end (recording);
  box_recording_set_committed (recording, &file, NULL);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
test_committed_recording_stays_when_box_says_otherwise (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  g_autofree char *id = box_emulator_add_file (kit->emulator, "0", "clip.mp4", "other", 5);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  BoxFile file = { .id = id };
  BoxRecovered how;

  box_recording_set_committed (recording, &file, NULL);
  path = spool_kit_leave (recording);
  error = spool_kit_recover (kit, path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY);
  g_assert_cmpuint (spool_kit_count (kit), ==, 1);
}

static void
test_removal_that_was_cut_short_is_completed (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  g_autofree char *path = NULL;
  BoxFile file = { .id = (char *) "77" };

  box_recording_set_committed (recording, &file, NULL);
  g_assert_cmpint (g_unlink (box_recording_get_path (recording)), ==, 0);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  g_assert_cmpuint (box_emulator_count (kit->emulator, NULL), ==, 0);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
test_removal_of_an_empty_one_that_was_cut_short_is_completed (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 0);
  g_autofree char *path = NULL;

  spool_kit_end (recording);
  g_assert_cmpint (g_unlink (box_recording_get_path (recording)), ==, 0);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_EMPTY);
  g_assert_cmpuint (box_emulator_count (kit->emulator, NULL), ==, 0);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
test_data_that_was_cut_off_is_reported (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  spool_kit_end (recording);
  g_assert_cmpint (truncate (box_recording_get_path (recording), 999), ==, 0);
  path = spool_kit_leave (recording);
  error = spool_kit_recover (kit, path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 0);
  g_assert_cmpuint (spool_kit_count (kit), ==, 1);
}

static void
test_data_that_changed_on_disk_is_reported (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, 1000);
  BoxRecordingEnd end = { .size = 1000, .total = 1000, .padding = BOX_PADDING_NONE };
  g_autofree char *path = NULL, *sha1 = kit_pattern_sha1 (1000, 0);
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  end.has_sha1 = box_sha1_from_hex (sha1, &end.sha1);
  g_assert_true (box_recording_set_end (recording, &end, NULL));
  g_assert_true (box_recording_write (recording, 500, "flip", 4, NULL));
  path = spool_kit_leave (recording);
  error = spool_kit_recover (kit, path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 0);
}

/* The token would go to the address in the journal. */
static void
test_session_elsewhere_is_not_used (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autoptr (BoxEmulator) other = kit_emulator_new (NULL);
  g_autofree char *url = NULL, *path = NULL;
  const char *port = strrchr (box_emulator_get_origin (other, FALSE), ':');
  char **urls[] = { &session->upload_part_url, &session->commit_url, &session->abort_url,
                    &session->list_parts_url, &session->status_url };

  url = g_strdup_printf ("http://localhost%s/api/2.0/files/upload_sessions/X", port);
  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      g_free (*urls[i]);
      *urls[i] = g_strdup (url);
    }
  g_assert_true (box_recording_set_session (recording, session, SPOOL_KIT_SIZE, NULL));
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count (other, NULL), ==, 0);
}

static void
test_damaged_head_is_reported_and_kept (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree char *path = spool_kit_leave (spool_kit_record (kit, intent, 1000));
  g_autoptr (GError) error = NULL;
  BoxRecovered how;
  int fd = g_open (path, O_WRONLY, 0);

  g_assert_cmpint (pwrite (fd, "X", 1, 40), ==, 1);
  close (fd);
  error = spool_kit_recover (kit, path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, "boxupload put"));
  g_assert_cmpuint (spool_kit_count (kit), ==, 1);
}

static void
test_name_that_is_taken_keeps_the_recording (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree char *path = spool_kit_leave (spool_kit_record (kit, intent, 1000));
  g_autofree char *id = box_emulator_add_file (kit->emulator, "0", "clip.mp4", "other", 5);
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  error = spool_kit_recover (kit, path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE);
  g_assert_cmpuint (spool_kit_count (kit), ==, 1);
}

typedef struct
{
  Fixture *kit;
  GCancellable *cancellable;
} Canceller;

static gpointer
cancel_when_held (gpointer data)
{
  Canceller *canceller = data;

  g_assert_true (box_emulator_wait_held (canceller->kit->emulator, "stop", KIT_PATIENCE_MS));
  g_cancellable_cancel (canceller->cancellable);
  return NULL;
}

static void
test_stopped_recovery_goes_on_where_it_was (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree char *path = spool_kit_leave (spool_kit_record (kit, intent, SPOOL_KIT_SIZE));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  BoxRecoverySettings settings = { .client = kit->client, .parallel = 1, .retry_timeout = 20 };
  Canceller canceller = { kit, cancellable };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxFile) file = NULL;
  BoxRecording *recording = box_recording_open (path, NULL);
  GThread *thread;
  BoxRecovered how;

  kit_load_rules (kit->emulator,
                  "{\"rules\":[{\"name\":\"stop\",\"route\":\"commit\",\"do\":\"hold\"}]}");
  thread = g_thread_new ("cancel", cancel_when_held, &canceller);
  g_assert_false (
      box_recovery_run (recording, &settings, NULL, NULL, cancellable, &how, &file, &error));
  g_thread_join (thread);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CANCELLED);
  box_recording_unref (recording);
  box_emulator_clear_scenario (kit->emulator);

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "upload_part"), ==, 3);
}

#define ADD(name, function, data)                                                                  \
  g_test_add ("/recovery/" name, Fixture, data, set_up, function, tear_down)

static void
test_recording_shorter_than_its_session_says_how_to_send_it_elsewhere (Fixture *kit,
                                                                       gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("short.ts");
  g_autofree char *id =
      box_emulator_add_session (kit->emulator, "0", "short.ts", NULL, SPOOL_KIT_SIZE);
  g_autofree char *path = NULL;
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (BoxDestination) elsewhere = box_destination_new_folder ("0", "short.ts", NULL);
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  box_destination_free (intent->destination);
  intent->destination = box_destination_new_session (id, NULL);
  intent->sizing = BOX_SIZING_EXACT;
  intent->size = SPOOL_KIT_SIZE;
  path = spool_kit_leave (spool_kit_record (kit, intent, 100000));

  error = spool_kit_recover (kit, path, &how);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SIZE);
  g_assert_nonnull (strstr (error->message, "boxupload resume --spool-dir '"));

  recording = box_recording_open (path, NULL);
  g_assert_true (box_recording_redirect (recording, elsewhere, BOX_IF_EXISTS_ERROR, NULL));
  g_clear_pointer (&recording, box_recording_unref);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "short.ts", 100000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("name-taken-while-the-session-was-open-is-changed",
       test_name_taken_while_the_session_was_open_is_changed, NULL);
  ADD ("reserve-that-no-session-was-opened-for-is-not-padded",
       test_reserve_that_no_session_was_opened_for_is_not_padded, NULL);
  ADD ("small-recording-that-is-not-to-be-committed-names-the-way-out",
       test_small_recording_that_is_not_to_be_committed_names_the_way_out, NULL);
  ADD ("session-that-holds-other-content-is-replaced",
       test_session_that_holds_other_content_is_replaced, NULL);
  ADD ("complete-recording-is-committed-and-removed",
       test_complete_recording_is_committed_and_removed, NULL);
  ADD ("interrupted-recording-gets-the-size-that-it-has",
       test_interrupted_recording_gets_the_size_that_it_has, NULL);
  ADD ("small-recording-is-one-request", test_small_recording_is_one_request, NULL);
  ADD ("empty-recording-is-removed-and-makes-no-file",
       test_empty_recording_is_removed_and_makes_no_file, NULL);
  ADD ("parts-that-box-has-are-not-sent-again", test_parts_that_box_has_are_not_sent_again, NULL);
  ADD ("session-that-expired-is-replaced", test_session_that_is_gone_is_replaced,
       box_emulator_expire_session);
  ADD ("session-that-vanished-is-replaced", test_session_that_is_gone_is_replaced,
       box_emulator_drop_session);
  ADD ("given-session-that-is-gone-is-an-error", test_given_session_that_is_gone_is_an_error, NULL);
  ADD ("recording-shorter-than-its-session-says-how-to-send-it-elsewhere",
       test_recording_shorter_than_its_session_says_how_to_send_it_elsewhere, NULL);
  ADD ("given-reserve-of-a-dead-writer-is-padded", test_given_reserve_of_a_dead_writer_is_padded,
       NULL);
  ADD ("journal-cut-anywhere-commits-once", test_journal_cut_anywhere_commits_once, NULL);
  ADD ("committed-recording-is-removed-when-box-confirms",
       test_committed_recording_is_removed_when_box_confirms, NULL);
  ADD ("committed-recording-that-others-followed-is-removed",
       test_committed_recording_that_others_followed_is_removed, NULL);
  ADD ("committed-recording-stays-when-box-says-otherwise",
       test_committed_recording_stays_when_box_says_otherwise, NULL);
  ADD ("removal-that-was-cut-short-is-completed", test_removal_that_was_cut_short_is_completed,
       NULL);
  ADD ("removal-of-an-empty-one-that-was-cut-short-is-completed",
       test_removal_of_an_empty_one_that_was_cut_short_is_completed, NULL);
  ADD ("data-that-was-cut-off-is-reported", test_data_that_was_cut_off_is_reported, NULL);
  ADD ("data-that-changed-on-disk-is-reported", test_data_that_changed_on_disk_is_reported, NULL);
  ADD ("session-elsewhere-is-not-used", test_session_elsewhere_is_not_used, NULL);
  ADD ("damaged-head-is-reported-and-kept", test_damaged_head_is_reported_and_kept, NULL);
  ADD ("name-that-is-taken-keeps-the-recording", test_name_that_is_taken_keeps_the_recording, NULL);
  ADD ("stopped-recovery-goes-on-where-it-was", test_stopped_recovery_goes_on_where_it_was, NULL);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A delivery of a recording that is in the spool.
 */
#include "delivery/delivery.h"

#include "kit/emulator.h"
#include "kit/spool-kit.h"

typedef struct
{
  SpoolKit kit;
  char *journal;
  GCancellable *outer;
  gint n_parts; /* atomic: reported */
  BoxDelivery *delivery;
} Fixture;

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  g_atomic_int_inc (&((Fixture *) user_data)->n_parts);
}

/* Begins with a recording whose commit is held until "gate" is released. */
static void
set_up (Fixture *fixture, gconstpointer data)
{
  static const BoxDeliveryEvents events = { .upload = { .part_done = on_part_done } };
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecoverySettings settings = { .retry_timeout = 20 };
  g_autoptr (BoxRecording) recording = NULL;

  spool_kit_set_up (&fixture->kit);
  settings.client = fixture->kit.client;
  recording = spool_kit_record (&fixture->kit, intent, SPOOL_KIT_SIZE);
  spool_kit_end (recording);
  fixture->journal = spool_kit_journal_path (recording);
  kit_load_rules (fixture->kit.emulator,
                  "{\"rules\":[{\"name\":\"gate\",\"route\":\"commit\",\"do\":\"hold\"}]}");
  fixture->outer = g_cancellable_new ();
  fixture->delivery =
      box_delivery_new_recording (recording, &settings, &events, fixture, fixture->outer);
  box_delivery_start (fixture->delivery);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->delivery, box_delivery_free);
  g_object_unref (fixture->outer);
  g_free (fixture->journal);
  spool_kit_tear_down (&fixture->kit);
}

static void
wait_held (Fixture *fixture)
{
  g_assert_true (box_emulator_wait_held (fixture->kit.emulator, "gate", KIT_PATIENCE_MS));
}

static void
test_the_end_tells_what_became_of_the_recording (Fixture *fixture, gconstpointer data)
{
  BoxRecovered how = BOX_RECOVERED_EMPTY;
  g_autoptr (BoxFile) file = NULL;

  wait_held (fixture);
  box_emulator_release (fixture->kit.emulator, "gate");
  g_assert_cmpint (box_delivery_wait (fixture->delivery, KIT_PATIENCE_US), ==, BOX_WAIT_READY);
  g_assert_null (box_delivery_dup_error (fixture->delivery));
  file = box_delivery_dup_file (fixture->delivery, &how);
  g_assert_cmpint (how, ==, BOX_RECOVERED_COMMITTED);
  g_assert_cmpuint (file->size, ==, SPOOL_KIT_SIZE);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
}

static void
test_the_upload_and_its_events_are_seen_meanwhile (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxUpload) upload = NULL;
  BoxUploadStats stats;

  wait_held (fixture);
  g_assert_cmpint (box_delivery_wait (fixture->delivery, 0), ==, BOX_WAIT_TIMEOUT);
  upload = box_delivery_dup_upload (fixture->delivery);
  box_upload_get_stats (upload, &stats);
  g_assert_cmpuint (stats.bytes_uploaded, ==, SPOOL_KIT_SIZE);
  g_assert_cmpint (g_atomic_int_get (&fixture->n_parts), ==, 3);
}

static void
test_an_interrupted_wait_does_not_stop_the_work (Fixture *fixture, gconstpointer data)
{
  wait_held (fixture);
  box_delivery_interrupt (fixture->delivery, TRUE);
  g_assert_cmpint (box_delivery_wait (fixture->delivery, KIT_PATIENCE_US), ==,
                   BOX_WAIT_INTERRUPTED);
  box_delivery_interrupt (fixture->delivery, FALSE);
  box_emulator_release (fixture->kit.emulator, "gate");
  g_assert_cmpint (box_delivery_wait (fixture->delivery, KIT_PATIENCE_US), ==, BOX_WAIT_READY);
}

static void
test_cancelling_from_outside_ends_it (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  wait_held (fixture);
  g_cancellable_cancel (fixture->outer);
  g_assert_cmpint (box_delivery_wait (fixture->delivery, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  error = box_delivery_dup_error (fixture->delivery);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CANCELLED);
}

static void
test_what_is_freed_early_leaves_the_recording_to_others (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (GError) error = NULL;

  wait_held (fixture);
  g_clear_pointer (&fixture->delivery, box_delivery_free);
  g_assert_false (g_cancellable_is_cancelled (fixture->outer));
  recording = box_recording_open (fixture->journal, &error);
  g_assert_no_error (error);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/delivery/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("end-tells-what-became-of-the-recording", test_the_end_tells_what_became_of_the_recording);
  ADD ("upload-and-its-events-are-seen-meanwhile",
       test_the_upload_and_its_events_are_seen_meanwhile);
  ADD ("interrupted-wait-does-not-stop-the-work", test_an_interrupted_wait_does_not_stop_the_work);
  ADD ("cancelling-from-outside-ends-it", test_cancelling_from_outside_ends_it);
  ADD ("freed-early-leaves-the-recording-to-others",
       test_what_is_freed_early_leaves_the_recording_to_others);
  return g_test_run ();
}

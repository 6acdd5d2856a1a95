/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: uploads that go well, are continued, interrupted and refused.
 */
#include "upload-fixture.h"

#include "kit/emulator.h"
#include "kit/pattern.h"

#include <string.h>

/* --- Going well --- */

static void
upload_session (Fixture *f, guint64 size, guint parallel)
{
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "a.bin", size, &id);
  BoxUploadSettings settings = settings_for (f, destination, size);

  settings.parallel = parallel;
  begin (f, &settings);
  g_assert_true (produce (f, 0, size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "a.bin", size);
  assert_sent_once (f, id);
  g_assert_cmpuint (f->opened, ==, 1);
  g_assert_cmpuint (f->committing, ==, 1);
}

static void
test_a_stream_of_exactly_k_parts_is_stored (Fixture *f, gconstpointer data)
{
  upload_session (f, 40 * PART, 4);
}

static void
test_a_stream_of_k_parts_and_a_byte_is_stored (Fixture *f, gconstpointer data)
{
  upload_session (f, 40 * PART + 1, 1);
}

static void
test_sixteen_parts_are_in_flight_at_once (Fixture *f, gconstpointer data)
{
  guint64 size = 160 * PART - 17;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "a.bin", size, &id);
  BoxUploadSettings settings = settings_for (f, destination, size);
  BoxUploadStats stats;

  settings.parallel = 16;
  kit_load_rules (f->emulator,
                  "{\"rules\":[{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"parts\"}]}");
  begin (f, &settings);
  /* An upload that fits into memory. */
  g_assert_true (produce (f, 0, 18 * PART));
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_part", 16, KIT_PATIENCE_MS));
  box_upload_get_stats (f->upload, &stats);
  g_assert_cmpuint (stats.parts_in_flight, ==, 16);
  box_emulator_release (f->emulator, "parts");
  g_assert_true (produce (f, 18 * PART, size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "a.bin", size);
  assert_sent_once (f, id);
  g_assert_cmpuint (box_emulator_count_parallel (f->emulator, "upload_part"), ==, 16);
}

static void
test_parts_whose_size_is_no_multiple_of_anything_are_stored (Fixture *f, gconstpointer data)
{
  BoxEmulatorOptions options = { .part_size = 100003, .min_size = 1 };
  BoxClientSettings settings = { .access_token = "a-token" };

  box_client_unref (f->client);
  box_emulator_free (f->emulator);
  f->emulator = kit_emulator_new (&options);
  f->client = kit_client_new (f->emulator, FALSE, &settings);
  upload_session (f, 5000000, 4);
}

static void
test_a_new_file_makes_its_own_session (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "n.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);
  g_autoptr (BoxFile) file = NULL;

  begin (f, &settings);
  g_assert_true (produce (f, 0, 20000000));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "n.bin", 20000000);
  file = box_upload_get_file (f->upload);
  g_assert_cmpstr (file->name, ==, "n.bin");
  g_assert_cmpuint (box_emulator_count (f->emulator, "create_session"), ==, 1);
}

static void
test_a_file_below_the_sessions_minimum_goes_in_one_request (Fixture *f, gconstpointer data)
{
  upload_small (f, 19999999);
}

static void
test_an_empty_file_is_stored (Fixture *f, gconstpointer data)
{
  upload_small (f, 0);
}

static void
test_memory_stays_within_its_bound (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "m.bin", 400 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 400 * PART);
  guint64 most = 0;

  settings.max_memory = 1 << 20;
  box_emulator_set_rate (f->emulator, 60 << 20);
  begin (f, &settings);
  for (guint64 at = 0; at < settings.size; at += PART)
    {
      BoxUploadStats stats;

      g_assert_true (produce (f, at, at + PART));
      box_upload_get_stats (f->upload, &stats);
      g_assert_cmpuint (stats.bytes_received, ==, at + PART);
      most = MAX (most, stats.memory);
    }
  box_upload_finish (f->upload);
  assert_done (f);
  g_assert_cmpuint (most, <=, 1 << 20);
  assert_stored (f, "m.bin", 400 * PART);
}

static void
test_without_a_commit_the_session_is_left_full (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "c.bin", 10 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 10 * PART);
  g_autoptr (BoxEmulatorSession) session = NULL;

  settings.commit = FALSE;
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  session = box_emulator_get_session (f->emulator, id);
  g_assert_cmpuint (session->n_stored, ==, 10);
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 0);
}

/* --- Continued --- */

static void
add_part (Fixture *f, const char *id, guint i)
{
  g_autofree guint8 *data = g_malloc (PART);

  kit_pattern_fill ((guint64) i * PART, data, PART);
  g_assert_true (box_emulator_add_part (f->emulator, id, (guint64) i * PART, data, PART));
}

static void
test_parts_that_a_session_holds_are_not_sent_again (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "p.bin", 30 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 30 * PART);

  add_part (f, id, 0);
  add_part (f, id, 7);
  add_part (f, id, 29);
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "p.bin", settings.size);
  g_assert_cmpuint (f->adopted, ==, 3);
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==, 27);
}

/* Box's lists rarely carry digests. If they do, they are compared. */
static void
continue_with_digest (Fixture *f, const char *sha1)
{
  g_autofree char *id = NULL, *scenario = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "d.bin", 4 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  add_part (f, id, 1);
  scenario = g_strdup_printf (
      "{\"rules\":[{\"route\":\"list_parts\",\"times\":1,\"do\":\"reply\",\"status\":200,\"json\":{"
      "\"entries\":[{\"part_id\":\"0000000A\",\"offset\":%d,\"size\":%d,\"sha1\":\"%s\"}],"
      "\"total_count\":4,\"limit\":1000,\"offset\":0}}]}",
      PART, PART, sha1);
  kit_load_rules (f->emulator, scenario);
  begin (f, &settings);
  produce (f, 0, settings.size);
  box_upload_finish (f->upload);
}

static void
test_a_part_of_other_content_is_an_error_before_anything_is_committed (Fixture *f,
                                                                       gconstpointer data)
{
  continue_with_digest (f, "00000000000000000000000000000000000000aa");
  assert_failed (f, BOX_ERROR_INTEGRITY);
}

/* --- Interrupted --- */

static void
test_an_interrupted_producer_goes_on_where_it_was (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "i.bin", 60 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 60 * PART);
  guint64 at = 0;
  guint8 buffer[PART];

  settings.max_memory = 1;
  kit_load_rules (f->emulator,
                  "{\"rules\":[{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"parts\"}]}");
  begin (f, &settings);
  /* Until memory is full. */
  while (TRUE)
    {
      gsize n;

      kit_pattern_fill (at, buffer, sizeof buffer);
      n = box_upload_write (f->upload, buffer, sizeof buffer);
      at += n;
      if (n == sizeof buffer)
        continue;
      box_upload_interrupt (f->upload, f->parts == 0 && f->opened > 0);
      if (box_upload_wait_room (f->upload) == BOX_WAIT_INTERRUPTED)
        break;
    }
  g_assert_cmpint (box_upload_wait_done (f->upload, -1), ==, BOX_WAIT_INTERRUPTED);
  box_upload_interrupt (f->upload, FALSE);
  box_emulator_release (f->emulator, "parts");
  g_assert_true (produce (f, at, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "i.bin", settings.size);
  assert_sent_once (f, id);
}

static void
test_a_cancel_cuts_transfers_and_tells_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "x.bin", 8 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 8 * PART);

  kit_load_rules (f->emulator,
                  "{\"rules\":[{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"parts\"}]}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_part", 3, KIT_PATIENCE_MS));
  box_upload_cancel (f->upload);
  g_assert_cmpint (box_upload_wait_room (f->upload), ==, BOX_WAIT_FAILED);
  g_assert_cmpint (box_upload_wait_done (f->upload, -1), ==, BOX_WAIT_FAILED);
  box_emulator_release (f->emulator, "parts");
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 3, KIT_PATIENCE_MS));
  g_assert_cmpuint (f->parts, ==, 0);
  g_assert_cmpuint (f->failed, ==, 0);
  g_assert_cmpuint (f->completed, ==, 0);
}

/* --- Refused --- */

static void
test_a_stream_longer_than_declared_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "l.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  begin (f, &settings);
  g_assert_false (produce (f, 0, settings.size + 1));
  assert_failed (f, BOX_ERROR_SIZE);
}

static void
test_a_stream_shorter_than_declared_is_never_committed (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "h.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size - 1));
  box_upload_finish (f->upload);
  assert_failed (f, BOX_ERROR_SIZE);
}

static void
test_a_size_that_does_not_fit_the_session_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "z.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART + 1);

  begin (f, &settings);
  assert_failed (f, BOX_ERROR_SIZE);
}

static void
test_an_unknown_session_is_not_found (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_session ("F00D", NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  begin (f, &settings);
  assert_failed (f, BOX_ERROR_NOT_FOUND);
}

static void
test_an_expired_session_is_gone (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "e.bin", 4 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  box_emulator_expire_session (f->emulator, id);
  begin (f, &settings);
  assert_failed (f, BOX_ERROR_SESSION_GONE);
}

static void
begin_over_taken_name (Fixture *f, BoxIfExists if_exists, guint64 size)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "Taken.mp4", NULL);
  g_autofree char *id = box_emulator_add_file (f->emulator, "0", "taken.mp4", "old", 3);
  BoxUploadSettings settings = settings_for (f, destination, size);

  settings.if_exists = if_exists;
  begin (f, &settings);
  produce (f, 0, size);
  box_upload_finish (f->upload);
}

static void
test_a_taken_name_is_an_error (Fixture *f, gconstpointer size)
{
  begin_over_taken_name (f, BOX_IF_EXISTS_ERROR, GPOINTER_TO_UINT (size));
  assert_failed (f, BOX_ERROR_NAME_IN_USE);
}

static void
test_a_taken_name_gets_a_version (Fixture *f, gconstpointer size)
{
  g_autoptr (BoxEmulatorFile) file = NULL;

  begin_over_taken_name (f, BOX_IF_EXISTS_VERSION, GPOINTER_TO_UINT (size));
  assert_done (f);
  file = box_emulator_find_file (f->emulator, "0", "taken.mp4");
  g_assert_cmpuint (file->n_versions, ==, 2);
  g_assert_cmpuint (file->size, ==, GPOINTER_TO_UINT (size));
}

static void
test_a_taken_name_is_changed (Fixture *f, gconstpointer size)
{
  g_autofree char *other = box_emulator_add_file (f->emulator, "0", "Taken (1).mp4", "old", 3);

  begin_over_taken_name (f, BOX_IF_EXISTS_RENAME, GPOINTER_TO_UINT (size));
  assert_done (f);
  assert_stored (f, "Taken (2).mp4", GPOINTER_TO_UINT (size));
}

static void
test_a_failed_upload_aborts_its_session_where_that_is_wanted (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "ab.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);

  settings.on_error = BOX_ON_ERROR_ABORT;
  begin (f, &settings);
  g_assert_true (produce (f, 0, 10 * PART));
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 1, KIT_PATIENCE_MS));
  box_upload_finish (f->upload);
  assert_failed (f, BOX_ERROR_SIZE);
  g_assert_true (box_emulator_wait_done (f->emulator, "abort", 1, KIT_PATIENCE_MS));
}

static void
test_a_given_session_is_never_aborted (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "ga.bin", 8 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 8 * PART);

  settings.on_error = BOX_ON_ERROR_ABORT;
  begin (f, &settings);
  g_assert_true (produce (f, 0, 4 * PART));
  box_upload_finish (f->upload);
  assert_failed (f, BOX_ERROR_SIZE);
  g_assert_cmpuint (box_emulator_count (f->emulator, "abort"), ==, 0);
}

static void
add_taken_names (void)
{
  static const guint sizes[] = { 1000, 20000000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      gpointer size = GUINT_TO_POINTER (sizes[i]);
      g_autofree char *error = g_strdup_printf ("/upload/%u/a-taken-name-is-an-error", sizes[i]);
      g_autofree char *version =
          g_strdup_printf ("/upload/%u/a-taken-name-gets-a-version", sizes[i]);
      g_autofree char *rename = g_strdup_printf ("/upload/%u/a-taken-name-is-changed", sizes[i]);

      g_test_add (error, Fixture, size, set_up, test_a_taken_name_is_an_error, tear_down);
      g_test_add (version, Fixture, size, set_up, test_a_taken_name_gets_a_version, tear_down);
      g_test_add (rename, Fixture, size, set_up, test_a_taken_name_is_changed, tear_down);
    }
}

/* --- Closing --- */

/* An event that takes its time. */
typedef struct
{
  BoxUpload *upload;
  GMutex mutex;
  GCond cond;
  /* with mutex */
  gboolean inside;
  gboolean may_go;
  gboolean closed;
} Slow;

static void
on_slow_part (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  Slow *slow = user_data;

  g_mutex_lock (&slow->mutex);
  slow->inside = TRUE;
  g_cond_broadcast (&slow->cond);
  while (!slow->may_go)
    g_cond_wait (&slow->cond, &slow->mutex);
  g_assert_false (slow->closed);
  g_mutex_unlock (&slow->mutex);
}

static gpointer
close_upload (gpointer user_data)
{
  Slow *slow = user_data;

  box_upload_close (slow->upload);
  g_mutex_lock (&slow->mutex);
  slow->closed = TRUE;
  g_mutex_unlock (&slow->mutex);
  return NULL;
}

/* Their resources can be freed then. */
static void
test_no_event_runs_once_it_is_closed (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "close.bin", 8 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 8 * PART);
  BoxUploadEvents events = { .part_done = on_slow_part };
  g_autofree guint8 *bytes = g_malloc0 (settings.size);
  Slow slow = { 0 };
  GThread *closer;

  g_mutex_init (&slow.mutex);
  g_cond_init (&slow.cond);
  settings.max_memory = 2 * settings.size;
  slow.upload = box_upload_new (&settings, &events, &slow, NULL, NULL);
  box_upload_start (slow.upload);
  g_assert_cmpuint (box_upload_write (slow.upload, bytes, settings.size), ==, settings.size);
  box_upload_finish (slow.upload);
  g_mutex_lock (&slow.mutex);
  while (!slow.inside)
    g_cond_wait (&slow.cond, &slow.mutex);
  g_mutex_unlock (&slow.mutex);

  closer = g_thread_new ("closer", close_upload, &slow);
  /* It has begun: the first that it does is to cancel. */
  g_assert_cmpint (box_upload_wait_done (slow.upload, -1), ==, BOX_WAIT_FAILED);
  g_mutex_lock (&slow.mutex);
  g_assert_false (slow.closed);
  slow.may_go = TRUE;
  g_cond_broadcast (&slow.cond);
  g_mutex_unlock (&slow.mutex);
  g_thread_join (closer);
  box_upload_unref (slow.upload);
  g_mutex_clear (&slow.mutex);
  g_cond_clear (&slow.cond);
}

static void
on_part_that_closes (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  close_upload (user_data);
}

static void
on_end_after_close (const GError *error, gpointer user_data)
{
  g_assert_not_reached ();
}

/* As a handler of a message does that stops its pipeline. */
static void
test_an_event_may_close_its_upload (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "close.bin", 8 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 8 * PART);
  BoxUploadEvents events = { .part_done = on_part_that_closes, .failed = on_end_after_close };
  g_autofree guint8 *bytes = g_malloc0 (settings.size);
  Slow slow = { 0 };

  g_mutex_init (&slow.mutex);
  settings.max_memory = 2 * settings.size;
  settings.parallel = 1;
  slow.upload = box_upload_new (&settings, &events, &slow, NULL, NULL);
  box_upload_start (slow.upload);
  g_assert_cmpuint (box_upload_write (slow.upload, bytes, settings.size), ==, settings.size);
  g_assert_cmpint (box_upload_wait_done (slow.upload, -1), ==, BOX_WAIT_FAILED);
  box_upload_close (slow.upload);
  g_assert_true (slow.closed);
  box_upload_fail (slow.upload, g_error_new_literal (BOX_ERROR, BOX_ERROR_SIZE, "late"));
  box_upload_unref (slow.upload);
  g_mutex_clear (&slow.mutex);
}

#define ADD(path, func) g_test_add ("/upload/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-stream-of-exactly-k-parts-is-stored", test_a_stream_of_exactly_k_parts_is_stored);
  ADD ("a-stream-of-k-parts-and-a-byte-is-stored", test_a_stream_of_k_parts_and_a_byte_is_stored);
  ADD ("sixteen-parts-are-in-flight-at-once", test_sixteen_parts_are_in_flight_at_once);
  ADD ("parts-whose-size-is-no-multiple-of-anything-are-stored",
       test_parts_whose_size_is_no_multiple_of_anything_are_stored);
  ADD ("a-new-file-makes-its-own-session", test_a_new_file_makes_its_own_session);
  ADD ("a-file-below-the-sessions-minimum-goes-in-one-request",
       test_a_file_below_the_sessions_minimum_goes_in_one_request);
  ADD ("an-empty-file-is-stored", test_an_empty_file_is_stored);
  ADD ("memory-stays-within-its-bound", test_memory_stays_within_its_bound);
  ADD ("without-a-commit-the-session-is-left-full", test_without_a_commit_the_session_is_left_full);
  ADD ("parts-that-a-session-holds-are-not-sent-again",
       test_parts_that_a_session_holds_are_not_sent_again);
  ADD ("a-part-of-other-content-is-an-error-before-anything-is-committed",
       test_a_part_of_other_content_is_an_error_before_anything_is_committed);
  ADD ("an-interrupted-producer-goes-on-where-it-was",
       test_an_interrupted_producer_goes_on_where_it_was);
  ADD ("a-cancel-cuts-transfers-and-tells-nothing", test_a_cancel_cuts_transfers_and_tells_nothing);
  ADD ("a-stream-longer-than-declared-is-an-error", test_a_stream_longer_than_declared_is_an_error);
  ADD ("a-stream-shorter-than-declared-is-never-committed",
       test_a_stream_shorter_than_declared_is_never_committed);
  ADD ("a-size-that-does-not-fit-the-session-is-an-error",
       test_a_size_that_does_not_fit_the_session_is_an_error);
  ADD ("an-unknown-session-is-not-found", test_an_unknown_session_is_not_found);
  ADD ("an-expired-session-is-gone", test_an_expired_session_is_gone);
  ADD ("a-failed-upload-aborts-its-session-where-that-is-wanted",
       test_a_failed_upload_aborts_its_session_where_that_is_wanted);
  ADD ("a-given-session-is-never-aborted", test_a_given_session_is_never_aborted);
  ADD ("no-event-runs-once-it-is-closed", test_no_event_runs_once_it_is_closed);
  ADD ("an-event-may-close-its-upload", test_an_event_may_close_its_upload);
  add_taken_names ();
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: for how long it waits for what passes, by whose clock, and what
 * it says about that.
 */
#include "upload-fixture.h"

#include "kit/pattern.h"

#include <string.h>

#define A_WEEK_AND_A_DAY (8 * 24 * 3600)

/* An upload of four parts into a session, given up after a second. */
static void
begin_impatient (Fixture *f, const char *rules)
{
  g_autoptr (BoxDestination) destination = new_session (f, "p.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  settings.retry_timeout = 1;
  load (f, rules);
  begin (f, &settings);
  produce (f, 0, 4 * PART);
  box_upload_finish (f->upload);
}

static void
test_a_longer_wait_than_the_timeout_ends_with_it (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  begin_impatient (f, "{'route':'upload_part','do':'reply','status':429,"
                      "'headers':{'Retry-After':'300'}}");
  g_assert_cmpint (box_upload_wait_done (f->upload, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  error = box_upload_get_error (f->upload);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_nonnull (strstr (error->message, " s without progress: "));
  g_assert_null (strstr (error->message, "after 0 s"));
  /* One at once, and one before it is given up. */
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), >, 3);
}

/* While it is recorded no outage is too long; what is waited for then is not waited for after. */
static void
test_the_end_of_the_recording_cuts_a_long_wait (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "s.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);
  BoxBlocksFile file = { .read = kit_pattern_read };
  g_autoptr (GError) error = NULL;

  settings.file = &file;
  settings.file_grows = TRUE;
  settings.retry_timeout = 1;
  load (f, "{'route':'upload_part','do':'reply','status':429,'headers':{'Retry-After':'300'}}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, 4 * PART));
  g_mutex_lock (&f->mutex);
  while (f->retries < 3)
    g_cond_wait (&f->cond, &f->mutex);
  g_mutex_unlock (&f->mutex);
  box_upload_finish (f->upload);
  g_assert_cmpint (box_upload_wait_done (f->upload, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  error = box_upload_get_error (f->upload);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
}

static void
test_a_part_may_wait_longer_than_the_timeout_while_others_leave (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "w.bin", 12 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 12 * PART);

  settings.retry_timeout = 1;
  settings.max_memory = 2 * settings.size;
  load (f, "{'route':'upload_part','part':0,'times':1,'do':'reply','status':429,"
           "'headers':{'Retry-After':'2'}},"
           "{'route':'upload_part','do':'delay','ms':50}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "w.bin", settings.size);
}

/* The session has expired by the clock here, and lives by Box's. */
static void
test_a_sessions_life_is_counted_by_boxs_clock (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = NULL;
  BoxUploadSettings settings;

  box_emulator_advance_clock (f->emulator, -A_WEEK_AND_A_DAY);
  destination = new_session (f, "c.bin", 4 * PART, NULL);
  settings = settings_for (f, destination, 4 * PART);
  settings.retry_timeout = 0;
  load (f, "{'route':'upload_part','nth':[1,2],'do':'reply','status':503}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "c.bin", settings.size);
}

static void
test_a_commit_that_is_never_ready_ends_with_its_session (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "n.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  load (f, "{'route':'commit','do':'reply','status':202,'headers':{'Retry-After':'1'}}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  g_assert_true (box_emulator_wait_done (f->emulator, "commit", 1, KIT_PATIENCE_MS));
  box_emulator_advance_clock (f->emulator, A_WEEK_AND_A_DAY);
  assert_failed (f, BOX_ERROR_SESSION_GONE);
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), <, 10);
}

/* A refused upload leaves its session, and names it and the way out. */
static void
test_a_session_that_is_left_is_named (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "l.bin", 4 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);
  g_autofree char *way_on = g_strdup_printf ("boxupload put --session %s FILE", id);
  g_autoptr (GError) error = NULL;

  settings.parallel = 1;
  load (f, "{'route':'upload_part','from':2,'do':'reply','status':403,"
           "'json':{'code':'storage_limit_exceeded','message':'Full'}}");
  begin (f, &settings);
  produce (f, 0, settings.size);
  box_upload_finish (f->upload);
  g_assert_cmpint (box_upload_wait_done (f->upload, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  error = box_upload_get_error (f->upload);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_nonnull (strstr (error->message, " keeps 1 of 4 parts"));
  g_assert_nonnull (strstr (error->message, way_on));
  g_assert_cmpuint (box_error_get_details (error)->http_status, ==, 403);
}

/* Nor is a size sent that would be negative. */
static void
test_a_size_that_is_no_number_of_boxs_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("0", "h.bin", NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  guint64 sizes[] = { (guint64) G_MAXINT64 + 1, G_MAXUINT64 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      BoxUploadSettings settings = settings_for (f, folder, sizes[i]);
      BoxUploadEvents events = { NULL };
      g_autoptr (GError) refused = NULL, session = NULL, preflight = NULL;

      g_assert_null (box_upload_new (&settings, &events, NULL, NULL, &refused));
      g_assert_error (refused, BOX_ERROR, BOX_ERROR_SETTINGS);
      g_assert_null (
          box_client_create_session (f->client, transport, folder, sizes[i], NULL, &session));
      g_assert_error (session, BOX_ERROR, BOX_ERROR_SIZE);
      g_assert_false (
          box_client_preflight (f->client, transport, folder, sizes[i], NULL, &preflight));
      g_assert_error (preflight, BOX_ERROR, BOX_ERROR_SIZE);
    }
}

#define ADD(path, func) g_test_add ("/patience/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-longer-wait-than-the-timeout-ends-with-it",
       test_a_longer_wait_than_the_timeout_ends_with_it);
  ADD ("the-end-of-the-recording-cuts-a-long-wait", test_the_end_of_the_recording_cuts_a_long_wait);
  ADD ("a-part-may-wait-longer-than-the-timeout-while-others-leave",
       test_a_part_may_wait_longer_than_the_timeout_while_others_leave);
  ADD ("a-sessions-life-is-counted-by-boxs-clock", test_a_sessions_life_is_counted_by_boxs_clock);
  ADD ("a-commit-that-is-never-ready-ends-with-its-session",
       test_a_commit_that_is_never_ready_ends_with_its_session);
  ADD ("a-session-that-is-left-is-named", test_a_session_that_is_left_is_named);
  ADD ("a-size-that-is-no-number-of-boxs-is-refused",
       test_a_size_that_is_no_number_of_boxs_is_refused);
  return g_test_run ();
}

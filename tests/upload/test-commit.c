/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: commits and one-request uploads that are refused, lost, or found
 * done already, and when the engine gives up.
 */
#include "upload-fixture.h"

#include "kit/pattern.h"

#include <libsoup/soup.h>
#include <string.h>

#define SMALL 1000

/* --- Giving up --- */

typedef struct
{
  const char *name;
  const char *rule;
  guint64 size;
} Hopeless;

/* Look-ups between the attempts succeed: that does not count as progress. */
static const Hopeless hopeless[] = {
  { "a-commit-that-always-fails", "{'route':'commit','do':'reply','status':500}", 20000000 },
  { "a-small-file-that-always-fails", "{'route':'upload_file','do':'reply','status':503}", SMALL },
  { "a-part-that-always-fails", "{'route':'upload_part','do':'reply','status':500}", 20000000 },
  { "a-part-that-is-always-cut", "{'route':'upload_part','do':'reset','at':'body','bytes':30000}",
    20000000 },
};

static void
test_hopeless (Fixture *f, gconstpointer data)
{
  const Hopeless *h = data;
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "g.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, h->size);

  settings.retry_timeout = 2;
  load (f, h->rule);
  run_to_the_end (f, &settings);
  assert_failed (f, BOX_ERROR_TRANSIENT);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
}

/* A slow link: between the two failures more time passes than failures may last, but bytes leave.
 */
static void
test_a_slow_upload_is_not_given_up_while_bytes_leave (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "slow.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, 19000000);

  settings.retry_timeout = 1;
  box_emulator_set_rate (f->emulator, 10 << 20);
  load (f, "{'route':'upload_file','nth':1,'do':'reset'},"
           "{'route':'upload_file','nth':2,'do':'reset','at':'body','bytes':15000000}");
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "slow.bin", settings.size);
}

static void
test_a_commit_that_may_have_worked_is_not_aborted (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "n.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);

  settings.retry_timeout = 1;
  settings.on_error = BOX_ON_ERROR_ABORT;
  load (f, "{'route':'commit','do':'reset','at':'end'}");
  run_to_the_end (f, &settings);
  assert_failed (f, BOX_ERROR_TRANSIENT);
  g_assert_true (box_upload_wait_settled (f->upload, KIT_PATIENCE_US));
  g_assert_cmpuint (box_emulator_count (f->emulator, "abort"), ==, 0);
}

/* --- Repeating --- */

/* The etag that keeps a repeated commit from making two versions is that of the last look. */
static void
test_what_others_did_to_the_file_meanwhile_does_not_stop_a_repeated_commit (Fixture *f,
                                                                            gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);
  g_autoptr (BoxEmulatorFile) file = NULL;

  load (f, "{'route':'commit','times':1,'do':'reset','at':'end'}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 1, KIT_PATIENCE_MS));
  add_version (f, file_id, "theirs");
  box_upload_finish (f->upload);
  assert_done (f);
  file = box_emulator_get_file (f->emulator, file_id);
  g_assert_cmpuint (file->n_versions, ==, 3);
  g_assert_cmpuint (file->size, ==, settings.size);
}

/* Its etag changes with it, its version does not. */
static void
describe_file (Fixture *f, const char *file_id)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autofree char *url =
      g_strdup_printf ("%s/files/%s", box_emulator_get_api_endpoint (f->emulator, FALSE), file_id);
  g_autoptr (SoupMessage) message = soup_message_new ("PUT", url);
  g_autoptr (GBytes) body = g_bytes_new_static ("{\"description\":\"theirs\"}", 24);
  g_autoptr (GBytes) reply = NULL;
  GError *error = NULL;

  soup_message_headers_append (soup_message_get_request_headers (message), "Authorization",
                               "Bearer a-token");
  soup_message_set_request_body_from_bytes (message, "application/json", body);
  reply = soup_session_send_and_read (session, message, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (soup_message_get_status (message), ==, 200);
}

static void
test_a_description_that_changed_does_not_stop_a_repeated_commit (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);

  load (f, "{'route':'commit','times':1,'do':'reset','at':'end'}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 1, KIT_PATIENCE_MS));
  describe_file (f, file_id);
  box_upload_finish (f->upload);
  assert_done (f);
  g_assert_cmpuint (box_emulator_count_status (f->emulator, "commit", 412), ==, 0);
}

/* Credentials that may upload and nothing else: the conflict has the file's SHA-1. */
static void
test_a_lost_answer_needs_no_right_to_read (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "u.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);

  load (f, "{'route':'commit','times':1,'do':'reset','at':'stored'},"
           "{'route':'get_file','do':'reply','status':403,"
           "'json':{'code':'access_denied_insufficient_permissions'}}");
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "u.bin", settings.size);
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 1);
}

/* A commit that was refused for parts that Box does not see yet has not worked: it is repeated as
 * it was. */
static void
test_a_commit_refused_in_passing_is_repeated_without_a_look (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);

  load (f,
        "{'route':'commit','times':1,'do':'reply','status':400,'json':{'code':'parts_mismatch'}}");
  run_to_the_end (f, &settings);
  assert_done (f);
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 2);
  g_assert_cmpuint (box_emulator_count (f->emulator, "get_file"), ==, 1);
}

static void
test_a_commit_whose_answer_says_no_more_than_success_is_not_repeated (Fixture *f,
                                                                      gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autofree char *id = box_emulator_add_session (f->emulator, NULL, NULL, file_id, 20000000);
  g_autoptr (BoxDestination) destination = box_destination_new_session (id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_autoptr (GError) error = NULL;

  load (f, "{'route':'commit','do':'reply','at':'stored','status':201,'body':'{'}");
  run_to_the_end (f, &settings);
  g_assert_cmpint (box_upload_wait_done (f->upload, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  error = box_upload_get_error (f->upload);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
  file = box_emulator_get_file (f->emulator, file_id);
  g_assert_cmpuint (file->n_versions, ==, 2);
}

static void
test_a_commit_told_to_wait_no_time_is_not_repeated_at_once (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "w.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);
  g_autoptr (GPtrArray) commits = NULL;
  const BoxEmulatorRequest *first, *second;

  load (f, "{'route':'commit','times':1,'do':'reply','status':202,'headers':{'Retry-After':'0'}}");
  run_to_the_end (f, &settings);
  assert_done (f);
  commits = box_emulator_get_requests (f->emulator, "commit");
  g_assert_cmpuint (commits->len, ==, 2);
  first = g_ptr_array_index (commits, 0);
  second = g_ptr_array_index (commits, 1);
  g_assert_cmpint (second->began - first->ended, >=, SECOND);
}

static void
test_a_commit_that_is_under_way_for_ever_ends_with_its_session (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "e.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);
  g_autoptr (GPtrArray) commits = NULL;
  g_autoptr (GError) error = NULL;

  load (f, "{'route':'commit','do':'reply','status':202,"
           "'headers':{'Date':'Fri, 01 Jan 2100 00:00:00 GMT'}}");
  run_to_the_end (f, &settings);
  g_assert_cmpint (box_upload_wait_done (f->upload, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  error = box_upload_get_error (f->upload);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SESSION_GONE);
  commits = box_emulator_get_requests (f->emulator, "commit");
  g_assert_cmpuint (commits->len, <=, 4);
}

/* --- Found done already --- */

static BoxDestination *
commit_version_session (Fixture *f, const char *file_id)
{
  g_autofree char *id = box_emulator_add_session (f->emulator, NULL, NULL, file_id, 20000000);
  BoxDestination *destination = box_destination_new_session (id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);

  run_to_the_end (f, &settings);
  assert_done (f);
  box_upload_unref (f->upload);
  f->completed = 0;
  return destination;
}

/* The program ended between the commit and its answer, and the user goes on with the session. */
static void
test_a_full_session_that_was_committed_before_makes_no_second_version (Fixture *f,
                                                                       gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) target = box_destination_new_file (file_id, NULL);
  g_autoptr (BoxDestination) destination = commit_version_session (f, file_id);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);
  g_autoptr (BoxEmulatorFile) file = NULL;

  settings.session_target = target;
  run_to_the_end (f, &settings);
  assert_done (f);
  file = box_emulator_get_file (f->emulator, file_id);
  g_assert_cmpuint (file->n_versions, ==, 2);
}

static void
test_a_full_session_that_was_not_committed_is (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree guint8 *part = g_malloc (PART);
  g_autoptr (BoxDestination) destination = new_session (f, "full.bin", 4 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  for (guint i = 0; i < 4; i++)
    {
      kit_pattern_fill (i * PART, part, PART);
      g_assert_true (box_emulator_add_part (f->emulator, id, i * PART, part, PART));
    }
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "full.bin", settings.size);
}

static void
set_up_taken_name (Fixture *f, BoxUploadSettings *settings)
{
  g_autofree char *other = box_emulator_add_file (f->emulator, "0", "taken.mp4", "old", 3);

  settings->if_exists = BOX_IF_EXISTS_RENAME;
}

/* An earlier attempt stored it under another name and ended before it could note so. */
static void
test_a_renamed_file_of_an_earlier_attempt_is_found (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "taken.mp4", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SMALL);
  guint8 bytes[SMALL];
  g_autofree char *id = NULL;
  g_autoptr (BoxFile) file = NULL;

  set_up_taken_name (f, &settings);
  kit_pattern_fill (0, bytes, SMALL);
  id = box_emulator_add_file (f->emulator, "0", "taken (1).mp4", bytes, SMALL);
  settings.commit_unsure = TRUE;
  run_to_the_end (f, &settings);
  assert_done (f);
  file = box_upload_get_file (f->upload);
  g_assert_cmpstr (file->id, ==, id);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 2);
}

/* Somebody took the name between the preflight and the upload. */
static void
test_a_name_taken_while_a_small_file_was_made_is_changed (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "taken.mp4", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SMALL);

  settings.if_exists = BOX_IF_EXISTS_RENAME;
  begin (f, &settings);
  g_assert_true (box_emulator_wait_done (f->emulator, "preflight", 1, KIT_PATIENCE_MS));
  set_up_taken_name (f, &settings);
  g_assert_true (produce (f, 0, SMALL));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "taken (1).mp4", SMALL);
}

static void
test_a_folder_that_has_the_name_is_no_file_of_ours (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = box_emulator_add_folder (f->emulator, "0", "taken.mp4");
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "taken.mp4", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SMALL);

  settings.if_exists = BOX_IF_EXISTS_RENAME;
  settings.commit_unsure = TRUE;
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "taken (1).mp4", SMALL);
}

static void
test_a_small_file_cannot_be_left_uncommitted (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "s.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SMALL);
  BoxUploadEvents events = { NULL };
  g_autoptr (GError) error = NULL;

  settings.commit = FALSE;
  g_assert_null (box_upload_new (&settings, &events, NULL, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
}

#define ADD(path, func) g_test_add ("/commit/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (hopeless); i++)
    {
      g_autofree char *path = g_strdup_printf ("/commit/%s-is-given-up-in-time", hopeless[i].name);

      g_test_add (path, Fixture, &hopeless[i], set_up, test_hopeless, tear_down);
    }
  ADD ("of-a-slow-upload-is-not-given-up-while-bytes-leave",
       test_a_slow_upload_is_not_given_up_while_bytes_leave);
  ADD ("that-may-have-worked-is-not-aborted", test_a_commit_that_may_have_worked_is_not_aborted);
  ADD ("repeated-is-not-stopped-by-what-others-did-meanwhile",
       test_what_others_did_to_the_file_meanwhile_does_not_stop_a_repeated_commit);
  ADD ("repeated-is-not-stopped-by-a-description-that-changed",
       test_a_description_that_changed_does_not_stop_a_repeated_commit);
  ADD ("whose-answer-was-lost-needs-no-right-to-read", test_a_lost_answer_needs_no_right_to_read);
  ADD ("refused-in-passing-is-repeated-without-a-look",
       test_a_commit_refused_in_passing_is_repeated_without_a_look);
  ADD ("whose-answer-says-no-more-than-success-is-not-repeated",
       test_a_commit_whose_answer_says_no_more_than_success_is_not_repeated);
  ADD ("told-to-wait-no-time-is-not-repeated-at-once",
       test_a_commit_told_to_wait_no_time_is_not_repeated_at_once);
  ADD ("under-way-for-ever-ends-with-its-session",
       test_a_commit_that_is_under_way_for_ever_ends_with_its_session);
  ADD ("of-a-full-session-that-was-committed-before-makes-no-second-version",
       test_a_full_session_that_was_committed_before_makes_no_second_version);
  ADD ("of-a-full-session-that-was-not-committed-is-made",
       test_a_full_session_that_was_not_committed_is);
  ADD ("under-another-name-by-an-earlier-attempt-is-found",
       test_a_renamed_file_of_an_earlier_attempt_is_found);
  ADD ("of-a-small-file-whose-name-was-taken-meanwhile-is-renamed",
       test_a_name_taken_while_a_small_file_was_made_is_changed);
  ADD ("is-not-found-in-a-folder-of-the-same-name",
       test_a_folder_that_has_the_name_is_no_file_of_ours);
  ADD ("cannot-be-left-out-for-a-small-file", test_a_small_file_cannot_be_left_uncommitted);
  return g_test_run ();
}

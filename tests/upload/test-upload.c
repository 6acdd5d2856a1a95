/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: uploads that go well, are continued, interrupted, refused, and
 * that survive what networks and servers do. Faults are a table of scenarios.
 */
#include "box-emulator.h"
#include "box-upload.h"

#include <string.h>

#define PART   65536
#define SECOND G_USEC_PER_SEC

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  BoxUpload *upload;
  GMutex mutex;
  GCond cond;
  /* with mutex: what the events told */
  guint opened, parts, adopted, retries, outages, recoveries, committing, completed, failed;
  char *last_retry;
} Fixture;

static void
on_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->opened++;
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->mutex);
}

static void
on_part (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true (adopted == (attempts == 0));
  g_mutex_lock (&f->mutex);
  f->parts++;
  f->adopted += adopted ? 1 : 0;
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->mutex);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->retries++;
  g_free (f->last_retry);
  f->last_retry = g_strdup (request);
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->mutex);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->outages += reason != NULL;
  f->recoveries += reason == NULL;
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->mutex);
}

static void
on_committing (gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->committing++;
  g_mutex_unlock (&f->mutex);
}

static void
on_completed (const BoxFile *file, gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->completed++;
  g_mutex_unlock (&f->mutex);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_nonnull (error);
  g_mutex_lock (&f->mutex);
  f->failed++;
  g_mutex_unlock (&f->mutex);
}

static const BoxUploadEvents events = {
  .session_opened = on_opened,
  .part_done = on_part,
  .retrying = on_retrying,
  .outage = on_outage,
  .committing = on_committing,
  .completed = on_completed,
  .failed = on_failed,
};

static char *
on_token_wanted (gpointer user_data)
{
  return g_strdup ("another-token");
}

static void
set_up (Fixture *f, gconstpointer data)
{
  BoxEmulatorOptions options = { .part_size = PART, .min_size = 1 };
  BoxClientSettings settings = { .access_token = "a-token", .timeout = 5 };
  GError *error = NULL;

  g_mutex_init (&f->mutex);
  g_cond_init (&f->cond);
  f->emulator = box_emulator_new (&options, &error);
  g_assert_no_error (error);
  settings.endpoint = box_emulator_get_endpoint (f->emulator, FALSE);
  settings.api_endpoint = box_emulator_get_api_endpoint (f->emulator, FALSE);
  f->client = box_client_new (&settings, &error);
  g_assert_no_error (error);
  box_credentials_set_request (box_client_get_credentials (f->client), on_token_wanted, NULL, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->upload != NULL)
    {
      box_upload_cancel (f->upload);
      box_upload_unref (f->upload);
    }
  box_client_unref (f->client);
  box_emulator_free (f->emulator);
  g_free (f->last_retry);
  g_mutex_clear (&f->mutex);
  g_cond_clear (&f->cond);
}

/* The test stream: byte i of every stream is the same, and no two parts are alike. */
static void
fill (guint8 *buffer, guint64 offset, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      guint64 x = offset + i;

      buffer[i] = (guint8) ((x * 2654435761u) >> 13 ^ x >> 16);
    }
}

static BoxUploadSettings
settings_for (Fixture *f, const BoxDestination *destination, guint64 size)
{
  return (BoxUploadSettings){
    .client = f->client,
    .destination = destination,
    .size = size,
    .commit = TRUE,
    .parallel = 3,
    .retry_timeout = 60,
  };
}

static void
begin (Fixture *f, const BoxUploadSettings *settings)
{
  GError *error = NULL;

  f->upload = box_upload_new (settings, &events, f, NULL, &error);
  g_assert_no_error (error);
  box_upload_start (f->upload);
}

/* A session of @size bytes at the emulator, and its destination. */
static BoxDestination *
new_session (Fixture *f, const char *name, guint64 size, char **id)
{
  g_autofree char *session = box_emulator_add_session (f->emulator, "0", name, NULL, size);
  BoxDestination *destination;

  g_assert_nonnull (session);
  destination = box_destination_new_session (session, NULL);
  g_assert_nonnull (destination);
  if (id != NULL)
    *id = g_steal_pointer (&session);
  return destination;
}

/* Writes bytes [@offset, @end); FALSE: the upload failed. */
static gboolean
produce (Fixture *f, guint64 offset, guint64 end)
{
  guint8 buffer[10000];

  while (offset < end)
    {
      gsize n = (gsize) MIN (sizeof buffer, end - offset), done = 0;

      fill (buffer, offset, n);
      while (done < n)
        {
          done += box_upload_write (f->upload, buffer + done, n - done);
          if (done < n && box_upload_wait_room (f->upload) == BOX_WAIT_FAILED)
            return FALSE;
        }
      offset += n;
    }
  return TRUE;
}

static void
digest_of (guint64 size, BoxSha1 *sha1)
{
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GLIB);
  guint8 buffer[10000];

  for (guint64 done = 0; done < size;)
    {
      gsize n = (gsize) MIN (sizeof buffer, size - done);

      fill (buffer, done, n);
      box_digest_update (digest, buffer, n);
      done += n;
    }
  box_digest_finish (digest, sha1);
}

static void
assert_stored (Fixture *f, const char *name, guint64 size)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (f->emulator, "0", name);
  g_autofree char *hex = NULL;
  BoxSha1 sha1;

  g_assert_nonnull (file);
  digest_of (size, &sha1);
  hex = box_sha1_to_hex (&sha1);
  g_assert_cmpuint (file->size, ==, size);
  g_assert_cmpstr (file->sha1, ==, hex);
  g_assert_cmpuint (file->n_versions, ==, 1);
}

static void
assert_done (Fixture *f)
{
  BoxWait wait = box_upload_wait_done (f->upload, 60 * SECOND);

  if (wait != BOX_WAIT_READY)
    {
      g_autoptr (GError) error = box_upload_get_error (f->upload);

      g_error ("wait %d: %s", (int) wait, error != NULL ? error->message : "no error");
    }
  g_assert_cmpuint (f->completed, ==, 1);
  g_assert_cmpuint (f->failed, ==, 0);
}

static void
assert_failed (Fixture *f, BoxErrorCode code)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (box_upload_wait_done (f->upload, 60 * SECOND), ==, BOX_WAIT_FAILED);
  error = box_upload_get_error (f->upload);
  g_assert_error (error, BOX_ERROR, (gint) code);
  g_assert_cmpuint (f->failed, ==, 1);
  g_assert_cmpuint (f->completed, ==, 0);
  g_assert_cmpuint (box_emulator_count_status (f->emulator, "commit", 201), ==, 0);
}

/* Every part of the session arrived whole once, and once only. */
static void
assert_sent_once (Fixture *f, const char *id)
{
  g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (f->emulator, id);

  for (guint i = 0; i < session->n_parts; i++)
    g_assert_cmpuint (session->received[i], ==, 1);
  g_assert_cmpuint (session->n_commits, ==, 1);
}

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
  upload_session (f, 160 * PART - 17, 16);
}

static void
test_parts_whose_size_is_no_multiple_of_anything_are_stored (Fixture *f, gconstpointer data)
{
  BoxEmulatorOptions options = { .part_size = 100003, .min_size = 1 };
  BoxClientSettings settings = { .access_token = "a-token" };
  GError *error = NULL;

  box_client_unref (f->client);
  box_emulator_free (f->emulator);
  f->emulator = box_emulator_new (&options, &error);
  g_assert_no_error (error);
  settings.endpoint = box_emulator_get_endpoint (f->emulator, FALSE);
  settings.api_endpoint = box_emulator_get_api_endpoint (f->emulator, FALSE);
  f->client = box_client_new (&settings, &error);
  g_assert_no_error (error);
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
upload_small (Fixture *f, guint64 size)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "s.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, size);

  begin (f, &settings);
  g_assert_true (produce (f, 0, size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "s.bin", size);
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_file"), ==, 1);
  g_assert_cmpuint (box_emulator_count (f->emulator, "create_session"), ==, 0);
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

  fill (data, (guint64) i * PART, PART);
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

/* Box's lists carry no digests, as a rule; where they do, they are compared. */
static void
continue_with_digest (Fixture *f, const char *sha1)
{
  g_autofree char *id = NULL, *scenario = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "d.bin", 4 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);
  GError *error = NULL;

  add_part (f, id, 1);
  scenario = g_strdup_printf (
      "{\"rules\":[{\"route\":\"list_parts\",\"times\":1,\"do\":\"reply\",\"status\":200,\"json\":{"
      "\"entries\":[{\"part_id\":\"0000000A\",\"offset\":%d,\"size\":%d,\"sha1\":\"%s\"}],"
      "\"total_count\":4,\"limit\":1000,\"offset\":0}}]}",
      PART, PART, sha1);
  g_assert_true (box_emulator_load_scenario (f->emulator, scenario, &error));
  g_assert_no_error (error);
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
  g_assert_true (box_emulator_load_scenario (
      f->emulator, "{\"rules\":[{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"parts\"}]}",
      NULL));
  begin (f, &settings);
  /* Until memory is full. */
  while (TRUE)
    {
      gsize n;

      fill (buffer, at, sizeof buffer);
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

  g_assert_true (box_emulator_load_scenario (
      f->emulator, "{\"rules\":[{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"parts\"}]}",
      NULL));
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_part", 3, 10000));
  box_upload_cancel (f->upload);
  g_assert_cmpint (box_upload_wait_room (f->upload), ==, BOX_WAIT_FAILED);
  g_assert_cmpint (box_upload_wait_done (f->upload, -1), ==, BOX_WAIT_FAILED);
  box_emulator_release (f->emulator, "parts");
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 3, 10000));
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
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 1, 10000));
  box_upload_finish (f->upload);
  assert_failed (f, BOX_ERROR_SIZE);
  g_assert_true (box_emulator_wait_done (f->emulator, "abort", 1, 10000));
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

/* --- Survived --- */

typedef struct
{
  const char *name;
  const char *rules;
  gboolean sent_once; /* no part's body may have arrived whole twice */
} Fault;

static const Fault faults[] = {
  { "a-token-refused", "{'route':'upload_part','nth':2,'do':'reply','at':'head','status':401}",
    TRUE },
  { "a-rate-limit",
    "{'route':'upload_part','nth':[1,2],'do':'reply','status':429,"
    "'headers':{'Retry-After':'1'}}",
    FALSE },
  { "a-rate-limit-before-the-body",
    "{'route':'upload_part','nth':[1,3],'do':'reply','at':'head','status':429,"
    "'headers':{'Retry-After':'1','Connection':'close'}}",
    TRUE },
  { "500", "{'route':'upload_part','nth':2,'do':'reply','status':500}", FALSE },
  { "500-though-stored", "{'route':'upload_part','nth':2,'do':'reply','at':'stored','status':500}",
    TRUE },
  { "502-with-html",
    "{'route':'upload_part','nth':3,'do':'reply','status':502,"
    "'body':'<html>Bad Gateway</html>'}",
    FALSE },
  { "503", "{'route':'upload_part','nth':[1,2,3],'do':'reply','status':503}", FALSE },
  { "a-reset-before-a-part", "{'route':'upload_part','nth':2,'do':'reset'}", TRUE },
  { "a-reset-within-a-part",
    "{'route':'upload_part','nth':2,'do':'reset','at':'body','bytes':30000}", TRUE },
  { "an-answer-lost-after-the-part-was-stored",
    "{'route':'upload_part','nth':2,'do':'reset','at':'stored'}", TRUE },
  { "all-answers-lost-once", "{'route':'upload_part','nth':[1,2,3],'do':'reset','at':'stored'}",
    TRUE },
  { "garbage-instead-of-http",
    "{'route':'list_parts','nth':1,'do':'reply','status':500},"
    "{'route':'upload_part','nth':2,'do':'close','at':'stored'}",
    TRUE },
  { "an-open-that-fails-at-first", "{'route':'get_session','times':2,'do':'reply','status':503}",
    TRUE },
  { "a-commit-that-is-still-processed",
    "{'route':'commit','times':3,'do':'reply','status':202,'headers':{'Retry-After':'0'}}", TRUE },
  { "a-parts-mismatch-once",
    "{'route':'commit','times':1,'do':'reply','status':400,'json':{"
    "'type':'error','status':400,'code':'parts_mismatch','message':'No'}}",
    TRUE },
  { "a-commit-refused-for-its-rate",
    "{'route':'commit','times':1,'do':'reply','status':429,"
    "'headers':{'Retry-After':'1'}}",
    TRUE },
  { "a-commit-whose-answer-was-lost", "{'route':'commit','times':1,'do':'reset','at':'stored'}",
    TRUE },
  { "a-commit-lost-before-it-worked", "{'route':'commit','times':1,'do':'reset','at':'end'}",
    TRUE },
};

static void
test_fault (Fixture *f, gconstpointer data)
{
  const Fault *fault = data;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "f.bin", 12 * PART + 5, &id);
  BoxUploadSettings settings = settings_for (f, destination, 12 * PART + 5);
  g_autoptr (GString) scenario = g_string_new (NULL);
  g_autoptr (BoxEmulatorSession) session = NULL;
  GError *error = NULL;

  g_string_printf (scenario, "{'rules':[%s]}", fault->rules);
  g_string_replace (scenario, "'", "\"", 0);
  g_assert_true (box_emulator_load_scenario (f->emulator, scenario->str, &error));
  g_assert_no_error (error);
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "f.bin", settings.size);
  session = box_emulator_get_session (f->emulator, id);
  g_assert_cmpuint (session->n_commits, ==, 1);
  if (fault->sent_once)
    assert_sent_once (f, id);
}

/* Of a version session every further commit makes another version. */
static void
test_a_versions_commit_whose_answer_was_lost_makes_one_version (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_assert_true (box_emulator_load_scenario (
      f->emulator,
      "{\"rules\":[{\"route\":\"commit\",\"times\":2,\"do\":\"reset\",\"at\":\"stored\"}]}", NULL));
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  file = box_emulator_get_file (f->emulator, file_id);
  g_assert_cmpuint (file->n_versions, ==, 2);
}

static void
test_a_small_file_whose_answer_was_lost_is_stored_once (Fixture *f, gconstpointer data)
{
  g_assert_true (box_emulator_load_scenario (
      f->emulator,
      "{\"rules\":[{\"route\":\"upload_file\",\"times\":1,\"do\":\"reset\",\"at\":\"stored\"}]}",
      NULL));
  upload_small (f, 100000);
}

static void
test_an_outage_is_told_when_it_begins_and_when_it_is_over (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "o.bin", 20 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 20 * PART);

  settings.max_memory = 2 * settings.size;
  begin (f, &settings);
  g_assert_true (produce (f, 0, 10 * PART));
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 4, 10000));
  box_emulator_set_down (f->emulator, TRUE);
  g_assert_true (produce (f, 10 * PART, settings.size));
  box_upload_finish (f->upload);
  g_mutex_lock (&f->mutex);
  while (f->outages == 0)
    g_cond_wait (&f->cond, &f->mutex);
  g_mutex_unlock (&f->mutex);
  box_emulator_set_down (f->emulator, FALSE);
  assert_done (f);
  assert_stored (f, "o.bin", settings.size);
  g_assert_cmpuint (f->recoveries, ==, f->outages);
}

static void
test_an_outage_beyond_the_retry_timeout_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "g.bin", 20 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20 * PART);

  settings.retry_timeout = 1;
  box_emulator_set_down (f->emulator, TRUE);
  begin (f, &settings);
  assert_failed (f, BOX_ERROR_TRANSIENT);
}

static void
add_table (void)
{
  static const guint sizes[] = { 1000, 20000000 };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *path = g_strconcat ("/upload/survives/", faults[i].name, NULL);

      g_test_add (path, Fixture, &faults[i], set_up, test_fault, tear_down);
    }
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
  ADD ("a-versions-commit-whose-answer-was-lost-makes-one-version",
       test_a_versions_commit_whose_answer_was_lost_makes_one_version);
  ADD ("a-small-file-whose-answer-was-lost-is-stored-once",
       test_a_small_file_whose_answer_was_lost_is_stored_once);
  ADD ("an-outage-is-told-when-it-begins-and-when-it-is-over",
       test_an_outage_is_told_when_it_begins_and_when_it_is_over);
  ADD ("an-outage-beyond-the-retry-timeout-is-an-error",
       test_an_outage_beyond_the_retry_timeout_is_an_error);
  add_table ();
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings whose effect is seen at the server: rate, digests, attributes, the user.
 */
#include "kit/emulator.h"
#include "sink-fixture.h"

#define PART 1000000
#define SIZE 20500000

/* Below the size of sessions. */
#define SMALL 300000

#define RATE 20000000

static SinkFixture *
begin (guint64 size, const char *properties, char **path)
{
  return sink_fixture_new_upload (size, FALSE, PART, properties, path);
}

static void
load_scenario (SinkFixture *fixture, const char *scenario)
{
  kit_load_rules (fixture->emulator, scenario);
}

/* --- Rate ----------------------------------------------------------------------------------- */

/* The parts from @first on took as long as their bytes may, less what the pace has in hand. */
static void
assert_not_faster (SinkFixture *fixture, guint first, guint64 rate)
{
  g_autoptr (GPtrArray) parts = box_emulator_get_requests (fixture->emulator, "upload_part");
  const BoxEmulatorRequest *from = g_ptr_array_index (parts, first);
  gint64 ended = 0;
  guint64 n = 0;

  for (guint i = first; i < parts->len; i++)
    {
      const BoxEmulatorRequest *part = g_ptr_array_index (parts, i);

      ended = MAX (ended, part->ended);
      n += part->body_bytes;
    }
  g_assert_cmpint (ended - from->began, >=, (gint64) (n * 3 / 4 * G_USEC_PER_SEC / rate));
}

static void
test_upload_rate (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = begin (SIZE, "upload-rate=20000000", &path);

  sink_fixture_play_upload (fixture, path);
  assert_not_faster (fixture, 0, RATE);
}

static void
test_upload_rate_of_one_request (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = begin (SMALL, "upload-rate=500000", &path);
  g_autoptr (GPtrArray) requests = NULL;
  const BoxEmulatorRequest *request;

  sink_fixture_play_upload (fixture, path);
  requests = box_emulator_get_requests (fixture->emulator, "upload_file");
  request = g_ptr_array_index (requests, 0);
  g_assert_cmpint (request->ended - request->began, >=,
                   SMALL * 3 / 4 * (gint64) G_USEC_PER_SEC / 500000);
}

static void
test_upload_rate_is_lowered_while_playing (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = begin (SIZE, "parallel=1", &path);

  load_scenario (fixture, RULE ({"route": "upload_part", "part": 8, "do": "hold", "at": "stored",
                                 "name": "gate"}));
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  g_object_set (fixture->sink, "upload-rate", (guint64) RATE, NULL);
  box_emulator_release (fixture->emulator, "gate");
  sink_fixture_play_upload (fixture, path);
  assert_not_faster (fixture, 9, RATE);
}

/* At 100,000 bytes a second it would take longer than the test may. */
static void
test_upload_rate_is_lifted_while_playing (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = begin (SIZE, "upload-rate=100000", &path);
  gint64 begin;

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_seen (fixture->emulator, "upload_part", 1, KIT_PATIENCE_MS));
  begin = g_get_monotonic_time ();
  g_object_set (fixture->sink, "upload-rate", G_GUINT64_CONSTANT (0), NULL);
  sink_fixture_play_upload (fixture, path);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 60 * G_USEC_PER_SEC);
}

/* --- What requests carry -------------------------------------------------------------------- */

/* The emulator compares the digests. */
static void
test_digests_by_gnutls (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = begin (SIZE, "digest-engine=gnutls", &path);
  gint engine = 0;

  g_object_get (fixture->sink, "digest-engine", &engine, NULL);
  g_assert_cmpint (engine, ==, 1);
  sink_fixture_play_upload (fixture, path);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_part"), ==, 21);
}

static void
test_attributes (gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture =
      begin (GPOINTER_TO_SIZE (data),
             "description=\"Board meeting, 2nd floor\" content-created-at=2024-05-01T12:00:00Z "
             "content-modified-at=2024-05-01T13:30:00+02:00",
             &path);
  g_autoptr (BoxEmulatorFile) file = NULL;

  sink_fixture_play_upload (fixture, path);
  file = box_emulator_find_file (fixture->emulator, "0", "a");
  g_assert_cmpstr (file->description, ==, "Board meeting, 2nd floor");
  g_assert_cmpstr (file->content_created_at, ==, "2024-05-01T12:00:00Z");
  /* The same time: Box tells times in UTC. */
  g_assert_cmpstr (file->content_modified_at, ==, "2024-05-01T11:30:00Z");
}

static void
test_as_user (gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = begin (GPOINTER_TO_SIZE (data), "as-user=2002", &path);
  g_autoptr (GPtrArray) requests = NULL;

  sink_fixture_play_upload (fixture, path);
  requests = box_emulator_get_requests (fixture->emulator, NULL);
  g_assert_cmpuint (requests->len, >=, 2);
  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = g_ptr_array_index (requests, i);

      g_assert_cmpstr (soup_message_headers_get_one (request->headers, "As-User"), ==, "2002");
    }
}

/* --- Limits --------------------------------------------------------------------------------- */

static void
test_retry_timeout (gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = begin (GPOINTER_TO_SIZE (data), "retry-timeout=1", &path);

  box_emulator_set_down (fixture->emulator, TRUE);
  g_assert_false (sink_fixture_run (fixture));
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "Gave up after 1 s");
  sink_fixture_assert_progress_balanced (fixture);
  box_emulator_set_down (fixture->emulator, FALSE);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_formats (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autoptr (GstQuery) query = gst_query_new_formats ();
  gboolean bytes = FALSE, time = FALSE;
  guint n = 0;

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", "total-size", G_GUINT64_CONSTANT (10),
                NULL);
  sink_fixture_start_harness (fixture);
  g_assert_true (gst_pad_peer_query (fixture->harness->srcpad, query));
  gst_query_parse_n_formats (query, &n);
  for (guint i = 0; i < n; i++)
    {
      GstFormat format;

      gst_query_parse_nth_format (query, i, &format);
      bytes |= format == GST_FORMAT_BYTES;
      time |= format == GST_FORMAT_TIME;
    }
  g_assert_true (bytes);
  g_assert_false (time);
}

/* For a session, and for a file that goes in one request. */
static void
add_for_both (const char *name, GTestDataFunc test)
{
  g_autofree char *session = g_strdup_printf ("/settings/%s/session", name);
  g_autofree char *request = g_strdup_printf ("/settings/%s/one-request", name);

  g_test_add_data_func (session, GSIZE_TO_POINTER (SIZE), test);
  g_test_add_data_func (request, GSIZE_TO_POINTER (SMALL), test);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/settings/upload-rate/session", test_upload_rate);
  g_test_add_func ("/settings/upload-rate/one-request", test_upload_rate_of_one_request);
  g_test_add_func ("/settings/upload-rate/lowered-while-playing",
                   test_upload_rate_is_lowered_while_playing);
  g_test_add_func ("/settings/upload-rate/lifted-while-playing",
                   test_upload_rate_is_lifted_while_playing);
  g_test_add_func ("/settings/digest-engine", test_digests_by_gnutls);
  add_for_both ("attributes", test_attributes);
  add_for_both ("as-user", test_as_user);
  add_for_both ("retry-timeout", test_retry_timeout);
  g_test_add_func ("/queries/formats", test_formats);
  return g_test_run ();
}

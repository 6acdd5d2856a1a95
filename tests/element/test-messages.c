/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages on the bus: every message with the fields and types that docs/element.md promises.
 */
#include "kit/emulator.h"
#include "sink-fixture.h"

#include <string.h>

#define PART 1000000
#define SIZE 20500000

static SinkFixture *
begin (const char *scenario)
{
  BoxEmulatorOptions options = { .part_size = PART };
  SinkFixture *fixture = sink_fixture_new (&options);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);

  if (scenario != NULL)
    kit_load_rules (fixture->emulator, scenario);
  sink_fixture_launch (
      fixture, "filesrc location=%s ! boxuploadsink name=sink location=box://0/m.bin", path);
  return fixture;
}

static void
assert_uint64 (const GstStructure *structure, const char *field, guint64 expected)
{
  guint64 value = 0;

  g_assert_true (gst_structure_get_uint64 (structure, field, &value));
  g_assert_cmpuint (value, ==, expected);
}

static void
assert_uint (const GstStructure *structure, const char *field, guint expected)
{
  guint value = 0;

  g_assert_true (gst_structure_get_uint (structure, field, &value));
  g_assert_cmpuint (value, ==, expected);
}

static void
test_session (void)
{
  g_autoptr (SinkFixture) fixture = begin (NULL);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GDateTime) expires_at = NULL;
  const GstStructure *message;

  g_assert_true (sink_fixture_run (fixture));
  message = sink_fixture_find (fixture, "boxuploadsink-session");
  g_assert_nonnull (message);
  ids = box_emulator_get_session_ids (fixture->emulator);
  g_assert_cmpstr (gst_structure_get_string (message, "session-id"), ==,
                   g_ptr_array_index (ids, 0));
  assert_uint64 (message, "size", SIZE);
  assert_uint64 (message, "part-size", PART);
  assert_uint (message, "parts", 21);
  expires_at =
      g_date_time_new_from_iso8601 (gst_structure_get_string (message, "expires-at"), NULL);
  g_assert_nonnull (expires_at);
}

static void
test_parts (void)
{
  g_autoptr (SinkFixture) fixture = begin (NULL);
  const GstStructure *message;
  gboolean adopted = TRUE;

  g_object_set (fixture->sink, "parallel", 1, NULL);
  g_assert_true (sink_fixture_run (fixture));
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-part"), ==, 21);
  message = sink_fixture_find (fixture, "boxuploadsink-part");
  assert_uint64 (message, "offset", 20 * PART);
  assert_uint64 (message, "size", SIZE - 20 * PART);
  assert_uint (message, "attempts", 1);
  g_assert_true (gst_structure_get_boolean (message, "adopted", &adopted));
  g_assert_false (adopted);
  g_assert_nonnull (gst_structure_get_string (message, "part-id"));
  g_assert_cmpuint (strlen (gst_structure_get_string (message, "sha1")), ==, 40);
}

static void
test_retry (void)
{
  g_autoptr (SinkFixture) fixture =
      begin (RULE ({"route": "upload_part", "part": 4, "times": 1, "do": "reply",
                    "status": 503, "headers": {"Retry-After": "1"}}));
  const GstStructure *message;
  guint64 delay = 0;

  g_assert_true (sink_fixture_run (fixture));
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-retry"), ==, 1);
  message = sink_fixture_find (fixture, "boxuploadsink-retry");
  g_assert_cmpstr (gst_structure_get_string (message, "request"), ==, "part");
  assert_uint64 (message, "offset", 4 * PART);
  assert_uint (message, "attempt", 1);
  g_assert_true (gst_structure_get_uint64 (message, "delay", &delay));
  g_assert_cmpuint (delay, >=, GST_SECOND);
  g_assert_cmpuint (delay, <=, GST_SECOND + GST_SECOND / 2);
  g_assert_nonnull (gst_structure_get_string (message, "reason"));
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "retries"), ==, 1);
}

static void
test_complete (void)
{
  g_autoptr (SinkFixture) fixture = begin (NULL);
  g_autoptr (BoxEmulatorFile) file = NULL;
  const GstStructure *message;

  g_assert_true (sink_fixture_run (fixture));
  file = box_emulator_find_file (fixture->emulator, "0", "m.bin");
  message = sink_fixture_find (fixture, "boxuploadsink-complete");
  g_assert_nonnull (message);
  g_assert_cmpstr (gst_structure_get_string (message, "file-id"), ==, file->id);
  g_assert_cmpstr (gst_structure_get_string (message, "version-id"), ==, file->version_id);
  g_assert_cmpstr (gst_structure_get_string (message, "name"), ==, "m.bin");
  g_assert_cmpstr (gst_structure_get_string (message, "etag"), ==, file->etag);
  g_assert_cmpstr (gst_structure_get_string (message, "sha1"), ==, file->sha1);
  assert_uint64 (message, "size", SIZE);
}

static void
assert_end_names_the_file (SinkFixture *fixture)
{
  const GstStructure *complete = sink_fixture_find (fixture, "boxuploadsink-complete");
  g_autofree char *expected =
      g_strdup_printf ("%s is at Box (file ID %s, ", gst_structure_get_string (complete, "name"),
                       gst_structure_get_string (complete, "file-id"));
  g_autofree char *text = NULL;

  for (guint i = 0; i < fixture->messages->len; i++)
    {
      g_autofree char *code = NULL, *last = NULL;

      if (GST_MESSAGE_TYPE (fixture->messages->pdata[i]) != GST_MESSAGE_PROGRESS)
        continue;
      gst_message_parse_progress (fixture->messages->pdata[i], NULL, &code, &last);
      if (g_str_equal (code, "commit"))
        {
          g_free (text);
          text = g_steal_pointer (&last);
        }
    }
  g_assert_nonnull (text);
  g_assert_true (g_str_has_prefix (text, expected));
}

/* Progress is reported with numbers while Box processes the commit. */
static void
test_commit_progress (void)
{
  g_autoptr (SinkFixture) fixture =
      begin (RULE ({"route": "commit", "do": "hold", "name": "gate"}));
  GstMessage *message;
  GstProgressType type;
  const GstStructure *structure;
  g_autofree char *code = NULL;
  gint percent = -1;
  guint64 value;

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  do
    {
      message = sink_fixture_wait (fixture, GST_MESSAGE_PROGRESS);
      g_clear_pointer (&code, g_free);
      gst_message_parse_progress (message, &type, &code, NULL);
    }
  while (type != GST_PROGRESS_TYPE_CONTINUE);
  g_assert_cmpstr (code, ==, "commit");
  structure = gst_message_get_structure (message);
  g_assert_true (gst_structure_get_int (structure, "percent", &percent));
  g_assert_cmpint (percent, ==, 100);
  g_assert_true (gst_structure_get_uint64 (structure, "rate", &value));
  assert_uint64 (structure, "time-left", 0);
  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_EOS), ==, 0);
  g_assert_null (sink_fixture_find (fixture, "boxuploadsink-complete"));

  box_emulator_release (fixture->emulator, "gate");
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_eos_is_last (fixture);
  sink_fixture_assert_progress_balanced (fixture);
  assert_end_names_the_file (fixture);
}

static void
wait_for_progress (SinkFixture *fixture)
{
  GstProgressType type;

  do
    gst_message_parse_progress (sink_fixture_wait (fixture, GST_MESSAGE_PROGRESS), &type, NULL,
                                NULL);
  while (type != GST_PROGRESS_TYPE_CONTINUE);
}

static void
test_commit_progress_rests_while_nothing_moves (void)
{
  g_autoptr (SinkFixture) fixture =
      begin (RULE ({"route": "commit", "do": "hold", "name": "gate"}));
  gint64 begin;

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  sink_fixture_drain (fixture);
  begin = g_get_monotonic_time ();
  for (guint i = 0; i < 4; i++)
    wait_for_progress (fixture);
  /* At least 1, 2 and 4 s between them. */
  g_assert_cmpint (g_get_monotonic_time () - begin, >, 5 * G_USEC_PER_SEC);

  box_emulator_release (fixture->emulator, "gate");
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
}

typedef struct
{
  BoxEmulator *emulator;
  GMutex lock;
  GCond failed;
  /* with lock */
  gboolean has_failed;
} Application;

/* Time in which a failure would be reported too early. */
#define CHANCE (100 * G_TIME_SPAN_MILLISECOND)

static gboolean
is_start_of_commit (GstMessage *message)
{
  g_autofree char *code = NULL;
  GstProgressType type;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_PROGRESS)
    return FALSE;
  gst_message_parse_progress (message, &type, &code, NULL);
  return type == GST_PROGRESS_TYPE_START && g_str_equal (code, "commit");
}

/* Lets a part fail just when the commit begins. */
static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Application *application = user_data;
  gint64 until = g_get_monotonic_time () + CHANCE;

  g_mutex_lock (&application->lock);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    {
      application->has_failed = TRUE;
      g_cond_broadcast (&application->failed);
    }
  else if (is_start_of_commit (message))
    {
      box_emulator_release (application->emulator, "gate");
      while (!application->has_failed
             && g_cond_wait_until (&application->failed, &application->lock, until))
        continue;
    }
  g_mutex_unlock (&application->lock);
  return GST_BUS_PASS;
}

static void
test_commit_begins_before_it_ends (void)
{
  g_autoptr (SinkFixture) fixture =
      begin (RULE ({"route": "upload_part", "part": 4, "do": "hold", "name": "gate"},
                   {"route": "upload_part", "part": 4, "do": "reply", "status": 403,
                    "json": {"code": "access_denied_insufficient_permissions"}}));
  Application application = { .emulator = fixture->emulator };
  gboolean begun = FALSE;

  g_object_set (fixture->sink, "max-memory", (guint64) 2 * SIZE, NULL);
  gst_bus_set_sync_handler (fixture->bus, on_message, &application, NULL);
  g_assert_false (sink_fixture_run (fixture));
  sink_fixture_assert_progress_balanced (fixture);
  for (guint i = 0; i < fixture->messages->len; i++)
    {
      begun |= is_start_of_commit (fixture->messages->pdata[i]);
      g_assert_true (begun || GST_MESSAGE_TYPE (fixture->messages->pdata[i]) != GST_MESSAGE_ERROR);
    }
  gst_bus_set_sync_handler (fixture->bus, NULL, NULL, NULL);
}

static void
assert_debug_has (SinkFixture *fixture, const char *words)
{
  g_autofree char *debug = NULL;

  for (guint i = 0; debug == NULL && i < fixture->messages->len; i++)
    if (GST_MESSAGE_TYPE (fixture->messages->pdata[i]) == GST_MESSAGE_ERROR)
      gst_message_parse_error (fixture->messages->pdata[i], NULL, &debug);
  g_assert_nonnull (debug);
  g_assert_nonnull (strstr (debug, words));
}

/* The error's details, and the same in boxuploadsink-failed before it; for people, its debug text.
 */
static void
test_failure (void)
{
  g_autoptr (SinkFixture) fixture =
      begin (RULE ({"route": "upload_part", "part": 2, "do": "reply", "status": 403,
                    "json": {"type": "error", "status": 403, "code": "storage_limit_exceeded",
                             "message": "Account storage limit reached", "request_id": "abcdef"}}));
  const GstStructure *details, *failed;
  g_autoptr (GPtrArray) ids = NULL;

  g_assert_false (sink_fixture_run (fixture));
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_NO_SPACE_LEFT, NULL);
  details = sink_fixture_get_error_details (fixture);
  failed = sink_fixture_find (fixture, "boxuploadsink-failed");
  ids = box_emulator_get_session_ids (fixture->emulator);
  g_assert_nonnull (failed);
  g_assert_nonnull (gst_structure_get_string (failed, "message"));
  assert_debug_has (fixture, "space, HTTP status 403, Box's code storage_limit_exceeded");
  for (guint i = 0; i < 2; i++)
    {
      const GstStructure *structure = i == 0 ? details : failed;

      assert_uint (structure, "http-status-code", 403);
      g_assert_cmpstr (gst_structure_get_string (structure, "box-error-code"), ==,
                       "storage_limit_exceeded");
      g_assert_nonnull (gst_structure_get_string (structure, "request-id"));
      g_assert_cmpstr (gst_structure_get_string (structure, "session-id"), ==,
                       g_ptr_array_index (ids, 0));
    }
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/messages/session", test_session);
  g_test_add_func ("/messages/part", test_parts);
  g_test_add_func ("/messages/retry", test_retry);
  g_test_add_func ("/messages/complete", test_complete);
  g_test_add_func ("/messages/commit-progress", test_commit_progress);
  g_test_add_func ("/messages/commit-progress-rests-while-nothing-moves",
                   test_commit_progress_rests_while_nothing_moves);
  g_test_add_func ("/messages/commit-begins-before-it-ends", test_commit_begins_before_it_ends);
  g_test_add_func ("/messages/failure", test_failure);
  return g_test_run ();
}

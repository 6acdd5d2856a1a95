/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams of a known size that are recorded to a spool and uploaded beside that: what ends the
 * recording, what only the upload, and what is left of both.
 */
#include "sink-fixture.h"

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "spool/spool.h"

#include <gst/base/gstbasesink.h>
#include <string.h>

#define PART 1000000
#define SIZE 25000000

/* Bytes that take long to read. */
#define LARGE_PART 100000000
#define LARGE      (LARGE_PART + 1)

/* A sink of a spool in the fixture's directory, for @size bytes; not started. */
static SinkFixture *
begin_with (const BoxEmulatorOptions *options, guint64 size)
{
  SinkFixture *fixture = sink_fixture_new (options);
  g_autofree char *dir = g_build_filename (fixture->dir, "spool", NULL);

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/s.bin", "spool-dir", dir, "total-size", size,
                NULL);
  return fixture;
}

static SinkFixture *
begin (guint64 part_size, guint64 size)
{
  BoxEmulatorOptions options = { .part_size = part_size };

  return begin_with (&options, size);
}

static void
set_option (SinkFixture *fixture, const char *property, const char *value)
{
  gst_util_set_object_arg (G_OBJECT (fixture->sink), property, value);
}

static void
finish (SinkFixture *fixture)
{
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
}

static void
assert_recorded (SinkFixture *fixture, BoxSpoolStatus status, guint64 size)
{
  g_autoptr (GPtrArray) list = NULL;
  BoxSpoolEntry *recording = sink_fixture_find_recording (fixture, &list);

  g_assert_nonnull (recording);
  g_assert_cmpint (recording->status, ==, status);
  g_assert_cmpuint (recording->size, ==, size);
}

/* --- Settings ------------------------------------------------------------------------------- */

/* Uploads of both kinds begin long after the settings were copied. */
static void
test_upload_rate_set_before_the_upload_holds (gconstpointer size)
{
  g_autoptr (SinkFixture) fixture = begin (PART, GPOINTER_TO_SIZE (size));
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, PART);
  gint64 began;

  g_object_set (fixture->sink, "upload-rate", G_GUINT64_CONSTANT (50000), NULL);
  sink_fixture_start_harness (fixture);
  g_object_set (fixture->sink, "upload-rate", G_GUINT64_CONSTANT (0), NULL);
  began = g_get_monotonic_time ();
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  finish (fixture);
  g_assert_cmpint (g_get_monotonic_time () - began, <, PART / 50000 * G_USEC_PER_SEC / 2);
  sink_fixture_assert_stored_bytes (fixture, "0", "s.bin", bytes);
}

/* --- Failures of the upload ----------------------------------------------------------------- */

/* An upload that ends beside its recording is only logged. */
typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean ended; /* with lock */
} Log;

static void
on_log (GstDebugCategory *category, GstDebugLevel level, const char *file, const char *function,
        gint line, GObject *object, GstDebugMessage *message, gpointer user_data)
{
  Log *log = user_data;

  if (strstr (gst_debug_message_get (message), "the upload beside the recording ended") == NULL)
    return;
  g_mutex_lock (&log->lock);
  log->ended = TRUE;
  g_cond_broadcast (&log->changed);
  g_mutex_unlock (&log->lock);
}

static void
watch_log (Log *log)
{
  log->ended = FALSE;
  gst_debug_set_threshold_for_name ("boxuploadsink", GST_LEVEL_INFO);
  gst_debug_add_log_function (on_log, log, NULL);
}

static void
wait_until_upload_ends (Log *log)
{
  g_mutex_lock (&log->lock);
  while (!log->ended)
    g_cond_wait (&log->changed, &log->lock);
  g_mutex_unlock (&log->lock);
  gst_debug_remove_log_function (on_log);
  gst_debug_unset_threshold_for_name ("boxuploadsink");
}

static void
test_recorder_needs_no_credentials (gconstpointer data)
{
  static Log log;
  const char *token = data;
  g_autoptr (SinkFixture) fixture = begin (PART, SIZE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  set_option (fixture, "eos-mode", "spool");
  g_object_set (fixture->sink, "access-token", token, NULL);
  if (token != NULL)
    box_emulator_revoke_token (fixture->emulator, token);
  watch_log (&log);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  wait_until_upload_ends (&log);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, SIZE - PART), ==, GST_FLOW_OK);
  finish (fixture);
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  assert_recorded (fixture, BOX_SPOOL_COMPLETE, SIZE);
}

/* A failure that is not fatal leaves the session to be aborted while the recording goes on. */
static void
test_abort_on_error_is_not_cut_off (void)
{
  g_autoptr (SinkFixture) fixture = begin (PART, SIZE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;

  kit_load_rules (fixture->emulator,
                  RULE ({"route": "upload_part", "do": "reply", "status": 403,
                                     "json": {"code": "access_denied_insufficient_permissions"}},
                                    {"route": "abort", "do": "delay", "ms": 100}));
  set_option (fixture, "on-error", "abort");
  g_object_set (fixture->sink, "errors-fatal", FALSE, "parallel", 1, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, SIZE - PART), ==, GST_FLOW_OK);
  finish (fixture);
  g_assert_true (box_emulator_wait_done (fixture->emulator, "abort", 1, KIT_PATIENCE_MS));
  ids = box_emulator_get_session_ids (fixture->emulator);
  session = box_emulator_get_session (fixture->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpint (session->state, ==, BOX_EMULATOR_SESSION_ABORTED);
}

/* No other session can take the place of one that was given: that is known at once, but an error at
 * EOS only. */
static void
test_given_session_that_expires_does_not_end_the_recording (void)
{
  g_autoptr (SinkFixture) fixture = begin (PART, SIZE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree char *id = box_emulator_add_session (fixture->emulator, "0", "s.bin", NULL, SIZE);

  g_object_set (fixture->sink, "location", NULL, "session", id, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  sink_fixture_wait_element (fixture, "boxuploadsink-part");
  box_emulator_expire_session (fixture->emulator, id);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, PART), ==, GST_FLOW_OK);
  sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 2 * PART, SIZE - 2 * PART), ==, GST_FLOW_OK);
  sink_fixture_push_eos (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_FAILED, "boxupload resume");
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  assert_recorded (fixture, BOX_SPOOL_COMPLETE, SIZE);
}

/* An exact size that Box does not take will not become another, but the limit may be raised. */
static void
test_exact_size_that_is_refused_does_not_end_the_recording (void)
{
  BoxEmulatorOptions options = { .max_size = SIZE - 1 };
  g_autoptr (SinkFixture) fixture = begin_with (&options, SIZE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, SIZE - PART), ==, GST_FLOW_OK);
  sink_fixture_push_eos (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "boxupload resume");
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  assert_recorded (fixture, BOX_SPOOL_COMPLETE, SIZE);
}

static void
test_reserve_that_is_refused_does_not_end_the_recording (void)
{
  static Log log;
  BoxEmulatorOptions options = { .max_size = SIZE };
  g_autoptr (SinkFixture) fixture = begin_with (&options, 0);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  set_option (fixture, "unknown-size", "reserve");
  set_option (fixture, "padding", "zero");
  g_object_set (fixture->sink, "reserve-size", (guint64) 2 * SIZE, NULL);
  watch_log (&log);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  wait_until_upload_ends (&log);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, SIZE - PART), ==, GST_FLOW_OK);
  finish (fixture);
  sink_fixture_assert_stored_bytes (fixture, "0", "s.bin", bytes);
}

/* An application that takes its time with the message before the ERROR. */
typedef struct
{
  SinkFixture *fixture;
  GBytes *bytes;
  GMutex lock;
  GCond changed;
  /* with lock */
  gboolean told;    /* the ERROR is on the bus */
  gboolean failing; /* the message before it is */
  gboolean ended;   /* the stream has got an error */
  gboolean ended_before_told;
} Application;

/* How long the stream gets to end too early. */
#define CHANCE (100 * G_TIME_SPAN_MILLISECOND)

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Application *application = user_data;
  gint64 until = g_get_monotonic_time () + CHANCE;

  g_mutex_lock (&application->lock);
  application->told |= GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
  if (gst_message_has_name (message, "boxuploadsink-failed"))
    {
      application->failing = TRUE;
      g_cond_broadcast (&application->changed);
      while (!application->ended
             && g_cond_wait_until (&application->changed, &application->lock, until))
        continue;
    }
  g_mutex_unlock (&application->lock);
  return GST_BUS_PASS;
}

static gpointer
push_until_it_fails (gpointer data)
{
  Application *application = data;

  g_mutex_lock (&application->lock);
  while (!application->failing)
    g_cond_wait (&application->changed, &application->lock);
  g_mutex_unlock (&application->lock);
  while (sink_fixture_push (application->fixture, application->bytes, 0, 1) == GST_FLOW_OK)
    continue;
  g_mutex_lock (&application->lock);
  application->ended = TRUE;
  application->ended_before_told = !application->told;
  g_cond_broadcast (&application->changed);
  g_mutex_unlock (&application->lock);
  return NULL;
}

static void
test_stream_fails_after_the_error_is_told (void)
{
  g_autoptr (SinkFixture) fixture = begin (PART, SIZE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, PART);
  Application application = { .fixture = fixture, .bytes = bytes };
  GThread *thread;

  g_object_set (fixture->sink, "location", "box://4711/s.bin", NULL);
  gst_bus_set_sync_handler (fixture->bus, on_message, &application, NULL);
  sink_fixture_start_harness (fixture);
  thread = g_thread_new ("stream", push_until_it_fails, &application);
  sink_fixture_push (fixture, bytes, 0, 1);
  g_thread_join (thread);
  g_assert_false (application.ended_before_told);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_NOT_FOUND, "4711");
}

/* The name is taken, and if-exists says what to do then: nothing to warn of. What the account takes
 * is asked after that. */
static void
test_taken_name_that_if_exists_answers_is_no_warning (gconstpointer policy)
{
  g_autoptr (SinkFixture) fixture = begin (PART, 0);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, PART);
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "s.bin", "before", 6);

  set_option (fixture, "if-exists", policy);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  g_assert_true (box_emulator_wait_seen (fixture->emulator, "get_user", 1, KIT_PATIENCE_MS));
  finish (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_WARNING), ==, 0);
  sink_fixture_assert_stored_bytes (fixture, "0",
                                    g_str_equal (policy, "rename") ? "s (1).bin" : "s.bin", bytes);
}

/* The same while a live request is under way: it is uploaded once more, and says why. */
static void
test_name_taken_while_it_is_sent_live_is_no_matter_of_settings (void)
{
  g_autoptr (SinkFixture) fixture = begin (PART, 0);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, PART);
  g_autofree char *text = NULL;
  g_autoptr (GError) reason = NULL;

  kit_load_rules (fixture->emulator,
                  RULE ({"route": "upload_file", "nth": 1, "do": "others", "at": "end",
                         "others": {"file": {"folder_id": "0", "name": "s.bin", "text": "x"}}}));
  set_option (fixture, "if-exists", "rename");
  set_option (fixture, "unknown-size", "live");
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
  gst_message_parse_warning (sink_fixture_wait (fixture, GST_MESSAGE_WARNING), &reason, &text);
  g_assert_nonnull (strstr (reason->message, "Somebody took the name"));
  g_assert_null (strstr (reason->message, "set if-exists"));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_stored_bytes (fixture, "0", "s (1).bin", bytes);
}

/* A folder cannot become a version: that is known at the beginning, not hours later. */
static void
test_folder_of_the_name_is_an_error_at_once (void)
{
  g_autoptr (SinkFixture) fixture = begin (PART, 0);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, PART);
  g_autofree char *id = box_emulator_add_folder (fixture->emulator, "0", "s.bin");

  set_option (fixture, "if-exists", "version");
  sink_fixture_start_harness (fixture);
  sink_fixture_push (fixture, bytes, 0, PART);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_BUSY, "the name is that of a folder");
}

/* --- Flushes -------------------------------------------------------------------------------- */

static void
push_segment (SinkFixture *fixture, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = start;
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
}

static void
push_flush (SinkFixture *fixture)
{
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE)));
  push_segment (fixture, 0);
}

/* A part that is large enough to be still read for its digest when the flush comes; none of it can
 * leave before that. */
static void
test_flush_while_a_part_is_read_is_no_error (void)
{
  g_autoptr (SinkFixture) fixture = begin (LARGE_PART, LARGE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, LARGE);

  g_object_set (fixture->sink, "max-memory", (guint64) 1, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 1000), ==, GST_FLOW_OK);
  sink_fixture_wait_element (fixture, "boxuploadsink-session");
  box_emulator_set_down (fixture->emulator, TRUE);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 1000, LARGE - 1001), ==, GST_FLOW_OK);
  push_flush (fixture);
  box_emulator_set_down (fixture->emulator, FALSE);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, LARGE), ==, GST_FLOW_OK);
  finish (fixture);
  sink_fixture_assert_stored_bytes (fixture, "0", "s.bin", bytes);
}

/* --- A long end ----------------------------------------------------------------------------- */

/* Its SHA-1 takes many minutes. */
#define HUGE G_GUINT64_CONSTANT (1000000000000)

/* "At once", on a machine that is busy with other things. */
#define AT_ONCE (60 * G_USEC_PER_SEC)

static gpointer
push_eos (gpointer data)
{
  sink_fixture_push_eos (data);
  return NULL;
}

static void
test_stop_while_padding_is_hashed (void)
{
  g_autoptr (SinkFixture) fixture = begin (LARGE_PART, 0);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, PART);
  gint64 began;
  GThread *thread;

  set_option (fixture, "unknown-size", "reserve");
  set_option (fixture, "padding", "zero");
  g_object_set (fixture->sink, "reserve-size", HUGE, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  sink_fixture_wait_element (fixture, "boxuploadsink-session");
  began = g_get_monotonic_time ();
  thread = g_thread_new ("stream", push_eos, fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_PROGRESS);
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  g_thread_join (thread);
  g_assert_cmpint (g_get_monotonic_time () - began, <, AT_ONCE);
  assert_recorded (fixture, BOX_SPOOL_INTERRUPTED, PART);
}

/* --- Jumps ---------------------------------------------------------------------------------- */

/* As filesrc answers. */
static gboolean
answer_duration (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFormat format;

  if (GST_QUERY_TYPE (query) != GST_QUERY_DURATION)
    return gst_pad_query_default (pad, parent, query);
  gst_query_parse_duration (query, &format, NULL);
  gst_query_set_duration (query, format, SIZE);
  return format == GST_FORMAT_BYTES;
}

/* A source of bytes that was sought before it began: as with filesink, nothing is in front of the
 * stream. What the source says of its size is that of something else. */
static void
test_stream_that_begins_elsewhere_is_recorded_like_a_file (gconstpointer spools)
{
  g_autoptr (SinkFixture) fixture = begin (PART, 0);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree guint8 *expected = g_malloc0 (SIZE);
  g_autoptr (GBytes) file = NULL;

  if (spools == NULL)
    g_object_set (fixture->sink, "spool-dir", NULL, NULL);
  fixture->has_state = spools == NULL;
  sink_fixture_start_harness (fixture);
  gst_pad_set_query_function (fixture->harness->srcpad, answer_duration);
  push_segment (fixture, PART);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, SIZE - PART), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  memcpy (expected + PART, (const guint8 *) g_bytes_get_data (bytes, NULL) + PART, SIZE - PART);
  file = g_bytes_new_take (g_steal_pointer (&expected), SIZE);
  sink_fixture_assert_stored_bytes (fixture, "0", "s.bin", file);
}

static void
assert_nothing_is_kept (SinkFixture *fixture)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = sink_fixture_get_error (fixture);

  g_assert_null (strstr (error->message, "kept"));
  g_assert_null (sink_fixture_find_recording (fixture, &list));
}

/* As a muxer that computes a wrong offset does, before the first byte or later. */
static void
test_jump_beyond_the_disk_is_refused (gconstpointer first)
{
  g_autoptr (SinkFixture) fixture = begin (PART, 0);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, PART);

  sink_fixture_start_harness (fixture);
  if (first == NULL)
    g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  push_segment (fixture, G_GUINT64_CONSTANT (1) << 62);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_ERROR);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                              "goes on at byte 4611686018427387904");
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  if (first == NULL)
    assert_recorded (fixture, BOX_SPOOL_INTERRUPTED, PART);
  else
    assert_nothing_is_kept (fixture);
}

/* --- After EOS ------------------------------------------------------------------------------ */

/* Records SIZE bytes to their end, without a network, to the spool alone. */
static SinkFixture *
record_to_the_end (GBytes *bytes)
{
  SinkFixture *fixture = begin (PART, SIZE);

  set_option (fixture, "eos-mode", "spool");
  box_emulator_set_down (fixture->emulator, TRUE);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  finish (fixture);
  return fixture;
}

static void
test_flush_after_eos_begins_no_second_recording (void)
{
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (SinkFixture) fixture = record_to_the_end (bytes);

  push_flush (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_ERROR);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SEEK, "in the spool already");
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  assert_recorded (fixture, BOX_SPOOL_COMPLETE, SIZE);
}

static void
test_statistics_after_eos (void)
{
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (SinkFixture) fixture = record_to_the_end (bytes);
  gint64 position = 0;

  g_assert_cmpuint (sink_fixture_get_stat (fixture, "bytes-received"), ==, SIZE);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "spooled"), ==, SIZE);
  g_assert_true (gst_element_query_position (fixture->sink, GST_FORMAT_BYTES, &position));
  g_assert_cmpint (position, ==, SIZE);
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "spooled"), ==, SIZE);
}

/* The upload has failed, and that was only a warning; what was recorded is all there is. */
static void
test_flush_after_eos_keeps_a_recording_that_was_not_uploaded (void)
{
  g_autoptr (SinkFixture) fixture = begin (PART, SIZE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  g_object_set (fixture->sink, "location", "box://4711/s.bin", "errors-fatal", FALSE, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, SIZE - PART), ==, GST_FLOW_OK);
  finish (fixture);
  push_flush (fixture);
  sink_fixture_push (fixture, bytes, 0, PART);
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  assert_recorded (fixture, BOX_SPOOL_COMPLETE, SIZE);
}

/* As the base class does it from GStreamer 1.24 on, where a STREAM_START ends its EOS. */
static GstFlowReturn
render (SinkFixture *fixture, GBytes *bytes)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (bytes);
  GstBaseSink *sink = GST_BASE_SINK (fixture->sink);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  GST_BASE_SINK_GET_CLASS (sink)->event (sink, gst_event_new_segment (&segment));
  return GST_BASE_SINK_GET_CLASS (sink)->render (sink, buffer);
}

static void
test_data_after_eos_is_refused (gconstpointer data)
{
  const char *eos_mode = data;
  gboolean commits = g_str_equal (eos_mode, "commit");
  g_autoptr (SinkFixture) fixture = begin (PART, SIZE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  set_option (fixture, "eos-mode", eos_mode);
  if (commits)
    g_object_set (fixture->sink, "spool-dir", NULL, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  finish (fixture);
  g_assert_cmpint (render (fixture, bytes), ==, GST_FLOW_ERROR);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SEEK,
                              commits ? "committed already" : "in the spool already");
  sink_fixture_assert_progress_balanced (fixture);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_data_func ("/spooling/upload-rate-set-before-the-upload-holds/known-size",
                        GSIZE_TO_POINTER (PART), test_upload_rate_set_before_the_upload_holds);
  g_test_add_data_func ("/spooling/upload-rate-set-before-the-upload-holds/unknown-size", NULL,
                        test_upload_rate_set_before_the_upload_holds);
  g_test_add_data_func ("/spooling/recorder-needs-no-credentials/refused", SINK_FIXTURE_TOKEN,
                        test_recorder_needs_no_credentials);
  g_test_add_data_func ("/spooling/recorder-needs-no-credentials/none", NULL,
                        test_recorder_needs_no_credentials);
  g_test_add_func ("/spooling/abort-on-error-is-not-cut-off", test_abort_on_error_is_not_cut_off);
  g_test_add_func ("/spooling/given-session-that-expires-does-not-end-the-recording",
                   test_given_session_that_expires_does_not_end_the_recording);
  g_test_add_func ("/spooling/exact-size-that-is-refused-does-not-end-the-recording",
                   test_exact_size_that_is_refused_does_not_end_the_recording);
  g_test_add_func ("/spooling/reserve-that-is-refused-does-not-end-the-recording",
                   test_reserve_that_is_refused_does_not_end_the_recording);
  g_test_add_func ("/spooling/stream-fails-after-the-error-is-told",
                   test_stream_fails_after_the_error_is_told);
  g_test_add_data_func ("/spooling/taken-name-that-if-exists-answers-is-no-warning/version",
                        "version", test_taken_name_that_if_exists_answers_is_no_warning);
  g_test_add_data_func ("/spooling/taken-name-that-if-exists-answers-is-no-warning/rename",
                        "rename", test_taken_name_that_if_exists_answers_is_no_warning);
  g_test_add_func ("/spooling/name-taken-while-it-is-sent-live-is-no-matter-of-settings",
                   test_name_taken_while_it_is_sent_live_is_no_matter_of_settings);
  g_test_add_func ("/spooling/folder-of-the-name-is-an-error-at-once",
                   test_folder_of_the_name_is_an_error_at_once);
  g_test_add_func ("/spooling/flush-while-a-part-is-read-is-no-error",
                   test_flush_while_a_part_is_read_is_no_error);
  g_test_add_func ("/spooling/stop-while-padding-is-hashed", test_stop_while_padding_is_hashed);
  g_test_add_data_func ("/spooling/stream-that-begins-elsewhere-is-recorded-like-a-file/spool",
                        "spool", test_stream_that_begins_elsewhere_is_recorded_like_a_file);
  g_test_add_data_func ("/spooling/stream-that-begins-elsewhere-is-recorded-like-a-file/memory",
                        NULL, test_stream_that_begins_elsewhere_is_recorded_like_a_file);
  g_test_add_data_func ("/spooling/jump-beyond-the-disk-is-refused/first", "first",
                        test_jump_beyond_the_disk_is_refused);
  g_test_add_data_func ("/spooling/jump-beyond-the-disk-is-refused/later", NULL,
                        test_jump_beyond_the_disk_is_refused);
  g_test_add_func ("/spooling/flush-after-eos-begins-no-second-recording",
                   test_flush_after_eos_begins_no_second_recording);
  g_test_add_func ("/spooling/flush-after-eos-keeps-a-recording-that-was-not-uploaded",
                   test_flush_after_eos_keeps_a_recording_that_was_not_uploaded);
  g_test_add_func ("/spooling/statistics-after-eos", test_statistics_after_eos);
  g_test_add_data_func ("/spooling/data-after-eos-is-refused/committed", "commit",
                        test_data_after_eos_is_refused);
  g_test_add_data_func ("/spooling/data-after-eos-is-refused/spooled", "spool",
                        test_data_after_eos_is_refused);
  return g_test_run ();
}

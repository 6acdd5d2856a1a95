/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a recording into a spool ends, and what is announced of it: a recording that stays in the
 * spool is never left there without a word.
 */
#include "sink-fixture.h"

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "spool/spool.h"

#include <string.h>

#define PART 1000000
#define SIZE 3000000

/* For a session. */
#define LARGE 25000000

static SinkFixture *
begin (void)
{
  SinkFixture *fixture = sink_fixture_new (NULL);
  g_autofree char *dir = g_build_filename (fixture->dir, "spool", NULL);

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/e.bin", "spool-dir", dir, NULL);
  return fixture;
}

/* It was announced once, as it is in the spool. */
static void
assert_announced (SinkFixture *fixture, guint64 size, const char *reason, gboolean interrupted)
{
  const GstStructure *spooled;
  g_autoptr (GPtrArray) list = NULL;
  const BoxSpoolEntry *entry = sink_fixture_find_recording (fixture, &list);
  guint64 announced = 0;
  gboolean was_interrupted;

  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-spooled"), ==, 1);
  spooled = sink_fixture_find (fixture, "boxuploadsink-spooled");
  g_assert_true (gst_structure_get_uint64 (spooled, "size", &announced));
  g_assert_cmpuint (announced, ==, size);
  g_assert_cmpstr (gst_structure_get_string (spooled, "reason"), ==, reason);
  g_assert_true (gst_structure_get_boolean (spooled, "interrupted", &was_interrupted));
  g_assert_cmpint (was_interrupted, ==, interrupted);
  g_assert_nonnull (entry);
  g_assert_cmpstr (gst_structure_get_string (spooled, "path"), ==, entry->data_path);
  g_assert_cmpuint (entry->size, ==, size);
  g_assert_cmpint (entry->status, ==, interrupted ? BOX_SPOOL_INTERRUPTED : BOX_SPOOL_COMPLETE);
}

/* @state: READY or NULL. */
static void
test_stop_before_eos_is_announced (gconstpointer state)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  gst_element_set_state (fixture->sink, (GstState) GPOINTER_TO_INT (state));
  assert_announced (fixture, PART, "stop", TRUE);
}

/* With an upload beside it, too. */
static void
test_stop_of_a_known_size_is_announced (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  g_object_set (fixture->sink, "total-size", (guint64) SIZE, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  gst_element_set_state (fixture->sink, GST_STATE_READY);
  assert_announced (fixture, PART, "stop", TRUE);
}

static void
test_stop_before_the_first_byte_announces_nothing (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GPtrArray) list = NULL;

  sink_fixture_start_harness (fixture);
  gst_element_set_state (fixture->sink, GST_STATE_READY);
  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-spooled"), ==, 0);
  g_assert_null (sink_fixture_find_recording (fixture, &list));
}

static void
test_eos_is_announced_once (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "eos-mode", "spool");
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  gst_element_set_state (fixture->sink, GST_STATE_READY);
  assert_announced (fixture, SIZE, "eos", FALSE);
}

/* The ERROR of the sink comes after what it says is kept. */
static void
test_full_spool_is_announced (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  g_object_set (fixture->sink, "max-spool", (guint64) 2 * PART, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, 2 * PART), ==, GST_FLOW_ERROR);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  g_assert_nonnull (sink_fixture_find (fixture, "boxuploadsink-spooled"));
  gst_element_set_state (fixture->sink, GST_STATE_READY);
  assert_announced (fixture, PART, "error", TRUE);
}

static void
test_refused_folder_is_announced (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  kit_load_rules (fixture->emulator, RULE ({"route": "preflight", "do": "hold", "name": "gate"}));
  g_object_set (fixture->sink, "location", "box://4711/e.bin", NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  box_emulator_release (fixture->emulator, "gate");
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  gst_element_set_state (fixture->sink, GST_STATE_READY);
  assert_announced (fixture, PART, "error", TRUE);
}

static void
test_short_stream_is_kept_and_announced (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  g_object_set (fixture->sink, "total-size", (guint64) SIZE, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  sink_fixture_push_eos (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "1000000 bytes");
  gst_element_set_state (fixture->sink, GST_STATE_READY);
  assert_announced (fixture, PART, "size", TRUE);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

/* A stream that is cut off by nobody is whole, whatever its session takes. */
static void
test_stream_that_cannot_be_padded_is_whole (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree char *id = box_emulator_add_session (fixture->emulator, "0", "e.bin", NULL, 25000000);

  g_object_set (fixture->sink, "location", NULL, "session", id, NULL);
  gst_util_set_object_arg (G_OBJECT (fixture->sink), "padding", "none");
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, PART), ==, GST_FLOW_OK);
  sink_fixture_push_eos (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  gst_element_set_state (fixture->sink, GST_STATE_READY);
  assert_announced (fixture, PART, "eos", FALSE);
}

/* --- Stopped by a handler ------------------------------------------------------------------- */

static GstBusSyncReply
stop_at (GstBus *bus, GstMessage *message, gpointer user_data)
{
  if (gst_message_has_name (message, "boxuploadsink-complete")
      || gst_message_has_name (message, "boxuploadsink-failed"))
    gst_element_set_state (((SinkFixture *) user_data)->sink, GST_STATE_NULL);
  return GST_BUS_PASS;
}

/* A handler that stops the sink in the message of its end, in the thread that posts it.
 * @properties: of the sink. */
static void
test_stop_by_the_handler_of_the_end (gconstpointer properties)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  gboolean fails = g_str_has_prefix (properties, "short");

  g_object_set (fixture->sink, "total-size", (guint64) SIZE, NULL);
  if (g_str_has_suffix (properties, "memory"))
    g_object_set (fixture->sink, "spool-dir", NULL, NULL);
  gst_bus_set_sync_handler (fixture->bus, stop_at, fixture, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, fails ? PART : SIZE), ==, GST_FLOW_OK);
  sink_fixture_push_eos (fixture);
  gst_bus_set_sync_handler (fixture->bus, NULL, NULL, NULL);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, fails ? 0 : 1);
}

/* A message in which a handler stops the sink, in the thread that posts it: a worker's. */
typedef struct
{
  const char *name;
  const char *message;
  const char *scenario; /* nullable */
  gboolean spool;
  const char *unknown_size; /* nullable: the size is known */
} Moment;

typedef struct
{
  SinkFixture *fixture;
  const Moment *moment;
  GMutex lock;
  GCond changed;
  gboolean stopped;        /* with lock */
  gint n_stops, n_spooled; /* atomic */
} Stopper;

static gboolean
is_moment (const Moment *moment, GstMessage *message)
{
  return g_str_equal (moment->message, "warning")
             ? GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING
             : gst_message_has_name (message, moment->message);
}

/* The sink was stopped by a thread that could not wait for its own end. */
static gboolean
is_released (SinkFixture *fixture)
{
  g_autoptr (GPtrArray) list = NULL;
  const BoxSpoolEntry *entry = sink_fixture_find_recording (fixture, &list);

  g_assert_nonnull (entry);
  return entry->status != BOX_SPOOL_BUSY;
}

static GstBusSyncReply
stop_in_the_middle (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Stopper *stopper = user_data;

  if (gst_message_has_name (message, "boxuploadsink-spooled"))
    g_atomic_int_inc (&stopper->n_spooled);
  if (!is_moment (stopper->moment, message) || g_atomic_int_add (&stopper->n_stops, 1) > 0)
    return GST_BUS_PASS;
  /* A session can be there before the first byte is; then there is no recording. */
  KIT_AWAIT (sink_fixture_get_stat (stopper->fixture, "bytes-received") > 0);
  gst_element_set_state (stopper->fixture->sink, GST_STATE_NULL);
  g_mutex_lock (&stopper->lock);
  stopper->stopped = TRUE;
  g_cond_broadcast (&stopper->changed);
  g_mutex_unlock (&stopper->lock);
  return GST_BUS_PASS;
}

static void
test_stop_by_a_handler_in_the_middle (gconstpointer data)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, LARGE);
  Stopper stopper = { .fixture = fixture, .moment = data };

  if (stopper.moment->unknown_size == NULL)
    g_object_set (fixture->sink, "total-size", (guint64) LARGE, NULL);
  else
    gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size",
                             stopper.moment->unknown_size);
  if (!stopper.moment->spool)
    g_object_set (fixture->sink, "spool-dir", NULL, NULL);
  if (stopper.moment->scenario != NULL)
    kit_load_rules (fixture->emulator, stopper.moment->scenario);
  gst_bus_set_sync_handler (fixture->bus, stop_in_the_middle, &stopper, NULL);
  sink_fixture_start_harness (fixture);
  sink_fixture_push (fixture, bytes, 0, LARGE - 1);
  g_mutex_lock (&stopper.lock);
  while (!stopper.stopped)
    g_cond_wait (&stopper.changed, &stopper.lock);
  g_mutex_unlock (&stopper.lock);
  gst_bus_set_sync_handler (fixture->bus, NULL, NULL, NULL);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
  if (stopper.moment->spool)
    {
      g_assert_cmpuint (stopper.n_spooled, ==, 1);
      KIT_AWAIT (is_released (fixture));
    }
}

/* --- Segment seeks -------------------------------------------------------------------------- */

/* @spool: whether there is one; with a size that is known without. */
static void
test_segment_seek_ends_like_eos (gconstpointer spool)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  const GstStructure *spooled;

  if (spool == NULL)
    g_object_set (fixture->sink, "spool-dir", NULL, "total-size", (guint64) SIZE, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  g_assert_true (gst_harness_push_event (fixture->harness,
                                         gst_event_new_segment_done (GST_FORMAT_BYTES, SIZE)));
  sink_fixture_drain (fixture);
  g_assert_nonnull (sink_fixture_find (fixture, "boxuploadsink-complete"));
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 1);
  if (spool != NULL)
    {
      spooled = sink_fixture_find (fixture, "boxuploadsink-spooled");
      g_assert_cmpstr (gst_structure_get_string (spooled, "reason"), ==, "segment-done");
    }
  /* An EOS that follows all the same is the same end. */
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_drain (fixture);
  sink_fixture_assert_stored_bytes (fixture, "0", "e.bin", bytes);
}

/* filesink has its file then, and so have we: the same pipeline for both. */
static void
test_segment_seek_of_a_pipeline_has_the_file_of_filesink (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_clear_object (&fixture->sink);
  gst_clear_object (&fixture->bus);
  sink_fixture_launch (fixture,
                       "filesrc location=%s ! identity ! boxuploadsink name=sink "
                       "location=box://0/e.bin spool-dir=%s/spool",
                       path, fixture->dir);
  gst_element_set_state (fixture->pipeline, GST_STATE_PAUSED);
  g_assert_cmpint (gst_element_get_state (fixture->pipeline, NULL, NULL, SINK_FIXTURE_PATIENCE), ==,
                   GST_STATE_CHANGE_SUCCESS);
  g_assert_true (gst_element_seek (fixture->sink, 1.0, GST_FORMAT_BYTES,
                                   GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_SEGMENT, GST_SEEK_TYPE_SET,
                                   0, GST_SEEK_TYPE_NONE, 0));
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  sink_fixture_wait_element (fixture, "boxuploadsink-complete");
  file = box_emulator_find_file (fixture->emulator, "0", "e.bin");
  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, SIZE);
}

#define REFUSED                                                                                    \
  RULE ({"route": "upload_part", "do": "reply", "status": 403,                                     \
         "json": {"code": "access_denied_insufficient_permissions"}})
#define PREFLIGHT_REFUSED RULE ({"route": "preflight", "do": "reply", "status": 507})
#define LIVE_BROKEN       RULE ({"route": "upload_file", "do": "reset", "at": "body", "bytes": 1000})
#define RETRIED           RULE ({"route": "upload_part", "nth": 2, "do": "reply", "status": 503})

static const Moment moments[] = {
  { "session-in-memory", "boxuploadsink-session", NULL, FALSE },
  { "session", "boxuploadsink-session", NULL, TRUE },
  { "part-in-memory", "boxuploadsink-part", NULL, FALSE },
  { "part", "boxuploadsink-part", NULL, TRUE },
  { "retry-in-memory", "boxuploadsink-retry", RETRIED, FALSE },
  { "retry", "boxuploadsink-retry", RETRIED, TRUE },
  { "refusal", "warning", REFUSED, TRUE },
  { "preflight", "warning", PREFLIGHT_REFUSED, TRUE, "spool" },
  { "live-request", "warning", LIVE_BROKEN, TRUE, "live" },
  { "position-in-memory", "boxuploadsink-position", NULL, FALSE },
  { "position", "boxuploadsink-position", NULL, TRUE, "spool" },
  { "position-live", "boxuploadsink-position", NULL, TRUE, "live" },
};

int
main (int argc, char **argv)
{
  static const char *const handled[] = { "whole-spool", "whole-memory", "short-spool",
                                         "short-memory" };

  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (moments); i++)
    {
      g_autofree char *path =
          g_strconcat ("/ends/stop-by-a-handler-in-the-middle/", moments[i].name, NULL);

      g_test_add_data_func (path, &moments[i], test_stop_by_a_handler_in_the_middle);
    }
  g_test_add_data_func ("/ends/stop-before-eos-is-announced/ready",
                        GINT_TO_POINTER (GST_STATE_READY), test_stop_before_eos_is_announced);
  g_test_add_data_func ("/ends/stop-before-eos-is-announced/null", GINT_TO_POINTER (GST_STATE_NULL),
                        test_stop_before_eos_is_announced);
  g_test_add_func ("/ends/stop-of-a-known-size-is-announced",
                   test_stop_of_a_known_size_is_announced);
  g_test_add_func ("/ends/stop-before-the-first-byte-announces-nothing",
                   test_stop_before_the_first_byte_announces_nothing);
  g_test_add_func ("/ends/eos-is-announced-once", test_eos_is_announced_once);
  g_test_add_func ("/ends/full-spool-is-announced", test_full_spool_is_announced);
  g_test_add_func ("/ends/refused-folder-is-announced", test_refused_folder_is_announced);
  g_test_add_func ("/ends/short-stream-is-kept-and-announced",
                   test_short_stream_is_kept_and_announced);
  g_test_add_func ("/ends/stream-that-cannot-be-padded-is-whole",
                   test_stream_that_cannot_be_padded_is_whole);
  for (guint i = 0; i < G_N_ELEMENTS (handled); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/ends/stop-by-the-handler-of-the-end/%s", handled[i]);

      g_test_add_data_func (path, handled[i], test_stop_by_the_handler_of_the_end);
    }
  g_test_add_data_func ("/ends/segment-seek-ends-like-eos/spool", "spool",
                        test_segment_seek_ends_like_eos);
  g_test_add_data_func ("/ends/segment-seek-ends-like-eos/memory", NULL,
                        test_segment_seek_ends_like_eos);
  g_test_add_func ("/ends/segment-seek-of-a-pipeline-has-the-file-of-filesink",
                   test_segment_seek_of_a_pipeline_has_the_file_of_filesink);
  return g_test_run ();
}

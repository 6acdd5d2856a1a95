/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element's way through the spool, with streams of the kit's pattern.
 */
#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kit/spool-kit.h"

#include "kit/emulator.h"
#include "kit/pattern.h"

/* Whether this process may mount what nobody else sees. */
static gboolean own_mounts;

#define CHUNK    (256u * 1024)
#define PATIENCE (KIT_PATIENCE * GST_SECOND)

typedef struct
{
  SpoolKit kit;
  GstElement *sink;
  GstBus *bus;
  GstHarness *harness;
  guint64 pushed;
  gboolean away; /* Box was, and a slow test may have been told */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  spool_kit_set_up (&fixture->kit);
  fixture->sink = gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  fixture->bus = gst_bus_new ();
  gst_element_set_bus (fixture->sink, fixture->bus);
  g_object_set (fixture->sink, "location", "box://0/clip.mp4", "spool-dir", fixture->kit.dir,
                "endpoint", box_emulator_get_endpoint (fixture->kit.emulator, FALSE),
                "api-endpoint", box_emulator_get_api_endpoint (fixture->kit.emulator, FALSE),
                "access-token", "kit-token", "timeout", 60, NULL);
}

/* Sets the sink to PLAYING and begins a stream of @media_type. */
static void
start (Fixture *fixture, const char *media_type)
{
  fixture->harness = gst_harness_new_with_element (fixture->sink, "sink", NULL);
  gst_harness_set_src_caps_str (fixture->harness, media_type);
}

static void
stop (Fixture *fixture)
{
  g_clear_pointer (&fixture->harness, gst_harness_teardown);
  if (fixture->sink == NULL)
    return;
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  gst_element_set_bus (fixture->sink, NULL);
  gst_clear_object (&fixture->sink);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  stop (fixture);
  gst_bus_set_flushing (fixture->bus, TRUE);
  gst_clear_object (&fixture->bus);
  spool_kit_tear_down (&fixture->kit);
}

/* Pushes the pattern up to @until; the first flow that is not OK. */
static GstFlowReturn
push (Fixture *fixture, guint64 until)
{
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK && fixture->pushed < until)
    {
      gsize length = (gsize) MIN (until - fixture->pushed, CHUNK);
      g_autofree guint8 *bytes = g_malloc (length);

      kit_pattern_fill (fixture->pushed, bytes, length);
      flow = gst_harness_push (fixture->harness,
                               gst_buffer_new_wrapped (g_steal_pointer (&bytes), length));
      fixture->pushed += flow == GST_FLOW_OK ? length : 0;
    }
  return flow;
}

/* The next message of @types. */
static GstMessage *
wait_for (Fixture *fixture, GstMessageType types)
{
  GstMessage *message = gst_bus_timed_pop_filtered (fixture->bus, PATIENCE, types);

  g_assert_nonnull (message);
  return message;
}

static gboolean
is_of_an_outage (GstMessage *message)
{
  g_autoptr (GError) warning = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_WARNING)
    return FALSE;
  gst_message_parse_warning (message, &warning, NULL);
  return g_str_has_prefix (warning->message, "Box is out of reach");
}

/* The text of the next ERROR or WARNING; none may come before but an outage's, if Box was away. */
static char *
wait_problem (Fixture *fixture, GstMessageType type, GQuark domain, gint code)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  do
    {
      g_clear_pointer (&message, gst_message_unref);
      message = wait_for (fixture, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS);
    }
  while (fixture->away && is_of_an_outage (message));
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, type);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_error (error, domain, code);
  return g_strdup (error->message);
}

/* Waits in the bus for EOS; an outage may be reported before. */
static void
assert_eos (Fixture *fixture)
{
  g_autoptr (GstMessage) message = wait_for (fixture, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    {
      g_autoptr (GError) error = NULL;

      gst_message_parse_error (message, &error, NULL);
      g_assert_no_error (error);
    }
}

static void
finish (Fixture *fixture)
{
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_eos ()));
  assert_eos (fixture);
}

static guint64
get_memory (Fixture *fixture)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 memory = 0;

  g_object_get (fixture->sink, "upload-stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "memory", &memory));
  return memory;
}

static BoxSpoolStatus
get_status (Fixture *fixture)
{
  g_autoptr (GPtrArray) list = box_spool_list (fixture->kit.spool, NULL);

  g_assert_cmpuint (list->len, ==, 1);
  return ((BoxSpoolEntry *) list->pdata[0])->status;
}

static void
assert_committed (Fixture *fixture, guint64 size)
{
  spool_kit_assert_stored (&fixture->kit, "clip.mp4", size);
  g_assert_cmpuint (box_emulator_count_files (fixture->kit.emulator), ==, 1);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
}

static void
test_unknown_size_is_uploaded_at_eos (Fixture *fixture, gconstpointer size)
{
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, GPOINTER_TO_SIZE (size)), ==, GST_FLOW_OK);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "upload_part"), ==, 0);
  finish (fixture);
  assert_committed (fixture, GPOINTER_TO_SIZE (size));
}

static void
test_known_size_is_uploaded_while_it_is_recorded (Fixture *fixture, gconstpointer data)
{
  g_object_set (fixture->sink, "total-size", SPOOL_KIT_SIZE, NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, SPOOL_KIT_PART), ==, GST_FLOW_OK);
  g_assert_true (box_emulator_wait_done (fixture->kit.emulator, "upload_part", 1, KIT_PATIENCE_MS));
  g_assert_cmpint (push (fixture, SPOOL_KIT_SIZE), ==, GST_FLOW_OK);
  finish (fixture);
  assert_committed (fixture, SPOOL_KIT_SIZE);
}

static void
test_reserve_is_uploaded_while_it_is_recorded_and_padded (Fixture *fixture, gconstpointer dir)
{
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_autofree char *sha1 = kit_pattern_sha1 (SPOOL_KIT_SIZE, 3 * SPOOL_KIT_PART - SPOOL_KIT_SIZE);

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", "reserve");
  gst_util_set_object_arg (G_OBJECT (fixture->sink), "padding", "zero");
  g_object_set (fixture->sink, "reserve-size", 3 * SPOOL_KIT_PART, NULL);
  if (dir == NULL)
    g_object_set (fixture->sink, "spool-dir", NULL, NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, SPOOL_KIT_PART), ==, GST_FLOW_OK);
  g_assert_true (box_emulator_wait_done (fixture->kit.emulator, "upload_part", 1, KIT_PATIENCE_MS));
  g_assert_cmpint (push (fixture, SPOOL_KIT_SIZE), ==, GST_FLOW_OK);
  finish (fixture);
  file = box_emulator_find_file (fixture->kit.emulator, "0", "clip.mp4");
  g_assert_cmpuint (file->size, ==, 3 * SPOOL_KIT_PART);
  g_assert_cmpstr (file->sha1, ==, sha1);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
}

static void
test_reserve_that_is_exceeded_loses_nothing (Fixture *fixture, gconstpointer data)
{
  gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", "reserve");
  gst_util_set_object_arg (G_OBJECT (fixture->sink), "padding", "zero");
  g_object_set (fixture->sink, "reserve-size", SPOOL_KIT_SIZE, NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, 3 * SPOOL_KIT_PART + 5), ==, GST_FLOW_OK);
  finish (fixture);
  assert_committed (fixture, 3 * SPOOL_KIT_PART + 5);
}

static void
test_reserve_that_cannot_be_padded_is_refused (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", "reserve");
  g_object_set (fixture->sink, "reserve-size", SPOOL_KIT_SIZE, NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, 1), ==, GST_FLOW_ERROR);
  text = wait_problem (fixture, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  g_assert_nonnull (strstr (text, "unknown-size=spool"));
}

/* Bytes after which the network goes: 0: before there is a session. */
static void
test_outage_does_not_hold_the_stream (Fixture *fixture, gconstpointer after)
{
  g_object_set (fixture->sink, "total-size", SPOOL_KIT_SIZE, "max-memory", 2 * SPOOL_KIT_PART,
                NULL);
  if (after == NULL)
    box_emulator_set_down (fixture->kit.emulator, TRUE);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, GPOINTER_TO_SIZE (after)), ==, GST_FLOW_OK);
  if (after != NULL)
    g_assert_true (
        box_emulator_wait_seen (fixture->kit.emulator, "upload_part", 1, KIT_PATIENCE_MS));
  box_emulator_set_down (fixture->kit.emulator, TRUE);
  g_assert_cmpint (push (fixture, SPOOL_KIT_SIZE), ==, GST_FLOW_OK);
  g_assert_cmpuint (get_memory (fixture), <=, 2 * SPOOL_KIT_PART);
  box_emulator_set_down (fixture->kit.emulator, FALSE);
  finish (fixture);
  assert_committed (fixture, SPOOL_KIT_SIZE);
}

/* The stream but for its EOS, whose commit will be held: "held". */
static void
push_to_a_held_commit (Fixture *fixture)
{
  kit_load_rules (fixture->kit.emulator,
                  "{\"rules\":[{\"name\":\"held\",\"route\":\"commit\",\"do\":\"hold\"}]}");
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, SPOOL_KIT_SIZE), ==, GST_FLOW_OK);
}

static gpointer
end_outage (gpointer data)
{
  Fixture *fixture = data;

  g_assert_true (box_emulator_wait_held (fixture->kit.emulator, "held", KIT_PATIENCE_MS));
  box_emulator_set_down (fixture->kit.emulator, TRUE);
  box_emulator_clear_scenario (fixture->kit.emulator);
  box_emulator_set_down (fixture->kit.emulator, FALSE);
  return NULL;
}

static void
test_outage_at_the_commit_is_waited_for (Fixture *fixture, gconstpointer data)
{
  GThread *thread;

  push_to_a_held_commit (fixture);
  thread = g_thread_new ("outage", end_outage, fixture);
  finish (fixture);
  g_thread_join (thread);
  assert_committed (fixture, SPOOL_KIT_SIZE);
}

static void
test_session_that_expires_is_replaced (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) ids = NULL;

  g_object_set (fixture->sink, "total-size", SPOOL_KIT_SIZE, NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, SPOOL_KIT_PART), ==, GST_FLOW_OK);
  g_assert_true (box_emulator_wait_done (fixture->kit.emulator, "upload_part", 1, KIT_PATIENCE_MS));
  ids = box_emulator_get_session_ids (fixture->kit.emulator);
  box_emulator_expire_session (fixture->kit.emulator, ids->pdata[0]);
  g_assert_cmpint (push (fixture, SPOOL_KIT_SIZE), ==, GST_FLOW_OK);
  finish (fixture);
  assert_committed (fixture, SPOOL_KIT_SIZE);
}

static void
test_eos_mode_spool_needs_no_network (Fixture *fixture, gconstpointer size)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "eos-mode", "spool");
  g_object_set (fixture->sink, "total-size", (guint64) GPOINTER_TO_SIZE (size), NULL);
  fixture->away = TRUE;
  box_emulator_set_down (fixture->kit.emulator, TRUE);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, SPOOL_KIT_SIZE), ==, GST_FLOW_OK);
  finish (fixture);
  g_assert_cmpint (get_status (fixture), ==, BOX_SPOOL_COMPLETE);
  box_emulator_set_down (fixture->kit.emulator, FALSE);
  list = box_spool_list (fixture->kit.spool, NULL);
  error = spool_kit_recover (&fixture->kit, ((BoxSpoolEntry *) list->pdata[0])->journal_path, &how);
  g_assert_no_error (error);
  assert_committed (fixture, SPOOL_KIT_SIZE);
}

/* What Box will refuse, and the option with which "boxupload resume" uploads the recording. */
typedef struct
{
  const char *location;
  gint code;
  const char *way_out;
} WrongPlace;

static const WrongPlace wrong_folder = { "box://4711/clip.mp4", GST_RESOURCE_ERROR_NOT_FOUND,
                                         "--folder ID\"" };
static const WrongPlace taken_name = { "box://0/taken.mp4", GST_RESOURCE_ERROR_BUSY,
                                       "--if-exists rename\"" };

/* The spool's only recording has a reason in its journal. */
static void
assert_reason_is_noted (Fixture *fixture, const char *text)
{
  g_autoptr (GPtrArray) list = box_spool_list (fixture->kit.spool, NULL);
  const BoxSpoolEntry *entry = list->pdata[0];

  g_assert_nonnull (entry->state->failure);
  g_assert_nonnull (strstr (text, entry->state->failure));
  g_assert_nonnull (strstr (text, entry->name));
}

static void
test_wrong_place_is_known_before_the_end (Fixture *fixture, gconstpointer data)
{
  const WrongPlace *place = data;
  g_autofree char *file =
      box_emulator_add_file (fixture->kit.emulator, "0", "taken.mp4", "another", 7);
  g_autofree char *text = NULL;

  kit_load_rules (fixture->kit.emulator,
                  RULE ({"route": "preflight", "do": "hold", "name": "held"}));
  g_object_set (fixture->sink, "location", place->location, NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, CHUNK), ==, GST_FLOW_OK);
  box_emulator_release (fixture->kit.emulator, "held");
  text = wait_problem (fixture, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, place->code);
  g_assert_nonnull (strstr (text, "boxupload resume --spool-dir '"));
  g_assert_nonnull (strstr (text, place->way_out));
  g_assert_cmpint (push (fixture, 2 * CHUNK), ==, GST_FLOW_ERROR);
  stop (fixture);
  g_assert_cmpint (get_status (fixture), ==, BOX_SPOOL_INTERRUPTED);
  assert_reason_is_noted (fixture, text);
}

static void
test_errors_that_are_not_fatal_keep_the_recording (Fixture *fixture, gconstpointer size)
{
  g_autofree char *text = NULL;

  g_object_set (fixture->sink, "location", "box://4711/clip.mp4", "errors-fatal", FALSE,
                "total-size", (guint64) GPOINTER_TO_SIZE (size), NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, CHUNK), ==, GST_FLOW_OK);
  text =
      wait_problem (fixture, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  g_assert_cmpint (push (fixture, SPOOL_KIT_SIZE), ==, GST_FLOW_OK);
  finish (fixture);
  stop (fixture);
  g_assert_cmpint (get_status (fixture), ==, BOX_SPOOL_COMPLETE);
}

static void
test_flush_begins_the_recording_anew (Fixture *fixture, gconstpointer data)
{
  GstSegment segment;

  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, SPOOL_KIT_PART), ==, GST_FLOW_OK);
  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  fixture->pushed = 0;
  g_assert_cmpint (push (fixture, 1000), ==, GST_FLOW_OK);
  finish (fixture);
  assert_committed (fixture, 1000);
}

static void
test_stopped_stream_stays_in_the_spool (Fixture *fixture, gconstpointer data)
{
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, 1000), ==, GST_FLOW_OK);
  stop (fixture);
  g_assert_cmpint (get_status (fixture), ==, BOX_SPOOL_INTERRUPTED);
}

static void
test_empty_stream_makes_no_file_and_says_so (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  start (fixture, "video/x-flv");
  gst_harness_push_event (fixture->harness, gst_event_new_eos ());
  text = wait_problem (fixture, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE);
  assert_eos (fixture);
  stop (fixture);
  g_assert_cmpuint (box_emulator_count_files (fixture->kit.emulator), ==, 0);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
}

static void
test_full_spool_keeps_what_was_recorded (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (GPtrArray) list = NULL;

  g_object_set (fixture->sink, "max-spool", (guint64) 4 * CHUNK, NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, 5 * CHUNK), ==, GST_FLOW_ERROR);
  text = wait_problem (fixture, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
                       GST_RESOURCE_ERROR_NO_SPACE_LEFT);
  stop (fixture);
  g_assert_cmpuint (box_spool_get_used (fixture->kit.spool), ==, 4 * CHUNK);
  g_assert_cmpint (get_status (fixture), ==, BOX_SPOOL_INTERRUPTED);
  list = box_spool_list (fixture->kit.spool, NULL);
  g_assert_nonnull (strstr (((BoxSpoolEntry *) list->pdata[0])->state->failure, "max-spool"));
}

static gboolean
mount_disk (Fixture *fixture, gulong flags, const char *options)
{
  return mount ("tmpfs", fixture->kit.dir, "tmpfs", flags, options) == 0;
}

/* A disk that is smaller than the recording, until somebody makes room. */
static void
test_full_disk_keeps_what_was_recorded (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = NULL;
  guint64 recorded;
  BoxRecovered how;

  if (!own_mounts || !mount_disk (fixture, 0, "size=22m,mode=700"))
    {
      g_test_skip ("needs the right to mount");
      return;
    }
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, 3 * SPOOL_KIT_PART), ==, GST_FLOW_ERROR);
  text = wait_problem (fixture, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
                       GST_RESOURCE_ERROR_NO_SPACE_LEFT);
  stop (fixture);
  list = box_spool_list (fixture->kit.spool, NULL);
  recorded = ((BoxSpoolEntry *) list->pdata[0])->size;
  g_assert_cmpuint (recorded, >=, fixture->pushed);
  g_assert_cmpuint (recorded, >, BOX_SESSION_MIN_SIZE);
  g_assert_true (mount_disk (fixture, MS_REMOUNT, "size=100m"));
  error = spool_kit_recover (&fixture->kit, ((BoxSpoolEntry *) list->pdata[0])->journal_path, &how);
  g_assert_no_error (error);
  assert_committed (fixture, recorded);
  g_assert_cmpint (umount (fixture->kit.dir), ==, 0);
}

/* Bytes in the recording's file. */
static guint64
get_written (Fixture *fixture)
{
  g_autoptr (GPtrArray) list = box_spool_list (fixture->kit.spool, NULL);

  return ((BoxSpoolEntry *) list->pdata[0])->size;
}

/* A buffer too small to be written by itself. */
static void
push_small (Fixture *fixture, GstClockTime time)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 188, NULL);

  gst_buffer_memset (buffer, 0, 0x47, 188);
  GST_BUFFER_PTS (buffer) = time;
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  fixture->pushed += 188;
}

/* However fast the stream comes. */
static void
test_a_tenth_of_a_second_of_stream_is_written (Fixture *fixture, gconstpointer data)
{
  start (fixture, "video/mpegts, systemstream=true");
  for (guint i = 0; i < 20; i++)
    {
      push_small (fixture, 100 * i * GST_MSECOND);
      g_assert_cmpuint (get_written (fixture), ==, fixture->pushed);
      push_small (fixture, (100 * i + 50) * GST_MSECOND);
    }
}

static void
test_a_pause_writes_what_waits (Fixture *fixture, gconstpointer data)
{
  start (fixture, "video/mpegts, systemstream=true");
  push_small (fixture, GST_CLOCK_TIME_NONE);
  gst_element_set_state (fixture->sink, GST_STATE_PAUSED);
  KIT_AWAIT (get_written (fixture) >= fixture->pushed);
}

static void
test_a_stop_writes_what_waits (Fixture *fixture, gconstpointer data)
{
  start (fixture, "video/mpegts, systemstream=true");
  for (guint i = 0; i < 10; i++)
    push_small (fixture, GST_CLOCK_TIME_NONE);
  stop (fixture);
  g_assert_cmpuint (get_written (fixture), ==, fixture->pushed);
}

static void
test_data_that_cannot_be_read_back_is_an_error (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autofree char *text = NULL;

  /* Little of it is in memory. */
  g_object_set (fixture->sink, "total-size", SPOOL_KIT_SIZE, "max-memory", (guint64) 1, NULL);
  box_emulator_set_down (fixture->kit.emulator, TRUE);
  start (fixture, "video/x-flv");
  g_assert_cmpint (push (fixture, SPOOL_KIT_SIZE), ==, GST_FLOW_OK);
  KIT_AWAIT (get_written (fixture) >= fixture->pushed);
  list = box_spool_list (fixture->kit.spool, NULL);
  g_assert_cmpint (truncate (((BoxSpoolEntry *) list->pdata[0])->data_path, 1000), ==, 0);
  box_emulator_set_down (fixture->kit.emulator, FALSE);
  gst_harness_push_event (fixture->harness, gst_event_new_eos ());
  text = wait_problem (fixture, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE);
  g_assert_nonnull (strstr (text, "cut it off"));
  g_assert_cmpuint (box_emulator_count_files (fixture->kit.emulator), ==, 0);
}

static void
test_unusable_spool_is_refused_before_recording (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  g_assert_cmpint (g_chmod (fixture->kit.dir, 0777), ==, 0);
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_FAILURE);
  text = wait_problem (fixture, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE);
  g_assert_cmpint (g_chmod (fixture->kit.dir, 0700), ==, 0);
}

static gpointer
push_eos (gpointer data)
{
  gst_harness_push_event (((Fixture *) data)->harness, gst_event_new_eos ());
  return NULL;
}

static void
test_pause_interrupts_the_wait_but_not_the_upload (Fixture *fixture, gconstpointer data)
{
  GThread *thread;

  push_to_a_held_commit (fixture);
  thread = g_thread_new ("eos", push_eos, fixture);
  g_assert_true (box_emulator_wait_held (fixture->kit.emulator, "held", KIT_PATIENCE_MS));
  gst_element_set_state (fixture->sink, GST_STATE_PAUSED);
  box_emulator_release (fixture->kit.emulator, "held");
  g_assert_true (box_emulator_wait_done (fixture->kit.emulator, "commit", 1, KIT_PATIENCE_MS));
  gst_element_set_state (fixture->sink, GST_STATE_PLAYING);
  assert_eos (fixture);
  g_thread_join (thread);
  assert_committed (fixture, SPOOL_KIT_SIZE);
}

static gboolean
is_seekable (Fixture *fixture)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  g_assert_true (gst_pad_peer_query (fixture->harness->srcpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  return seekable;
}

static void
test_only_what_is_spooled_first_can_be_rewritten (Fixture *fixture, gconstpointer size)
{
  g_object_set (fixture->sink, "total-size", (guint64) GPOINTER_TO_SIZE (size), NULL);
  start (fixture, "video/x-flv");
  g_assert_cmpint (is_seekable (fixture), ==, size == NULL);
}

#define ADD(name, function, data)                                                                  \
  g_test_add ("/element/" name, Fixture, data, set_up, function, tear_down)
#define SIZE(size) GSIZE_TO_POINTER (size)

/* --- Files that somebody else removes, moves or replaces -------------------------------------- */

/* What has just been recorded, as it lies in the spool. */
static BoxSpoolEntry *
take_entry (Fixture *fixture)
{
  g_autoptr (GPtrArray) list = box_spool_list (fixture->kit.spool, NULL);

  g_assert_cmpuint (list->len, ==, 1);
  return g_ptr_array_steal_index (list, 0);
}

static BoxSpoolEntry *
record_and_look (Fixture *fixture)
{
  gst_util_set_object_arg (G_OBJECT (fixture->sink), "eos-mode", "spool");
  start (fixture, "video/mpegts");
  g_assert_cmpint (push (fixture, 3 * CHUNK), ==, GST_FLOW_OK);
  return take_entry (fixture);
}

static void
assert_warned (Fixture *fixture, const char *words)
{
  g_autofree char *warning =
      wait_problem (fixture, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE);

  g_assert_nonnull (strstr (warning, words));
}

/* @data: what is removed: "d"ata, "j"ournal, and the directory ("/"). */
static void
test_what_was_removed_is_written_anew (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSpoolEntry) entry = record_and_look (fixture);

  if (strchr (data, 'd') != NULL)
    g_assert_cmpint (g_unlink (entry->data_path), ==, 0);
  if (strchr (data, 'j') != NULL)
    g_assert_cmpint (g_unlink (entry->journal_path), ==, 0);
  if (strchr (data, '/') != NULL)
    g_assert_cmpint (g_rmdir (fixture->kit.dir), ==, 0);
  assert_warned (fixture, "was removed from the spool: it is written anew at the end");
  g_assert_cmpint (push (fixture, 6 * CHUNK), ==, GST_FLOW_OK);
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_eos ()));
  assert_warned (fixture, "and has been written anew");
  assert_eos (fixture);
  stop (fixture);
  g_assert_cmpint (get_status (fixture), ==, BOX_SPOOL_COMPLETE);
  spool_kit_finish_all (&fixture->kit);
  assert_committed (fixture, 6 * CHUNK);
}

static void
test_a_spool_that_was_moved_is_an_error_that_says_where (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSpoolEntry) entry = record_and_look (fixture);
  g_autofree char *elsewhere = g_strconcat (fixture->kit.dir, ".moved", NULL);
  g_autofree char *text = NULL;

  g_assert_cmpint (g_rename (fixture->kit.dir, elsewhere), ==, 0);
  assert_warned (fixture, elsewhere);
  gst_harness_push_event (fixture->harness, gst_event_new_eos ());
  text = wait_problem (fixture, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE);
  g_assert_nonnull (strstr (text, elsewhere));
  g_assert_null (strstr (text, "is kept in"));
  stop (fixture);
  g_assert_cmpint (g_rename (elsewhere, fixture->kit.dir), ==, 0);
}

static void
test_what_took_its_place_is_put_aside (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxSpoolEntry) entry = record_and_look (fixture);
  const char *path = data != NULL ? entry->journal_path : entry->data_path;
  g_autofree char *aside = g_strconcat (path, ".replaced", NULL);
  g_autofree char *content = NULL;

  g_assert_true (g_file_set_contents (path, "another", -1, NULL));
  assert_warned (fixture, "another file has taken the place");
  g_assert_cmpint (push (fixture, 6 * CHUNK), ==, GST_FLOW_OK);
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_eos ()));
  assert_warned (fixture, aside);
  assert_eos (fixture);
  stop (fixture);
  g_assert_true (g_file_get_contents (aside, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "another");
  g_assert_cmpint (g_unlink (aside), ==, 0);
  spool_kit_finish_all (&fixture->kit);
  assert_committed (fixture, 6 * CHUNK);
}

int
main (int argc, char **argv)
{
  /* Before there is any other thread: they would keep the machine's mounts. */
  own_mounts =
      unshare (CLONE_NEWNS) == 0 && mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  ADD ("unknown-size-is-uploaded-at-eos", test_unknown_size_is_uploaded_at_eos,
       SIZE (SPOOL_KIT_SIZE));
  ADD ("small-unknown-size-is-uploaded-at-eos", test_unknown_size_is_uploaded_at_eos, SIZE (1));
  ADD ("known-size-is-uploaded-while-it-is-recorded",
       test_known_size_is_uploaded_while_it_is_recorded, NULL);
  ADD ("reserve-is-uploaded-while-it-is-recorded-and-padded/memory",
       test_reserve_is_uploaded_while_it_is_recorded_and_padded, NULL);
  ADD ("reserve-is-uploaded-while-it-is-recorded-and-padded/spool",
       test_reserve_is_uploaded_while_it_is_recorded_and_padded, "spool");
  ADD ("reserve-that-is-exceeded-loses-nothing", test_reserve_that_is_exceeded_loses_nothing, NULL);
  ADD ("reserve-that-cannot-be-padded-is-refused", test_reserve_that_cannot_be_padded_is_refused,
       NULL);
  ADD ("outage-does-not-hold-the-stream/before-the-session", test_outage_does_not_hold_the_stream,
       NULL);
  ADD ("outage-does-not-hold-the-stream/at-the-first-part", test_outage_does_not_hold_the_stream,
       SIZE (SPOOL_KIT_PART));
  ADD ("outage-does-not-hold-the-stream/between-parts", test_outage_does_not_hold_the_stream,
       SIZE (SPOOL_KIT_PART + SPOOL_KIT_PART / 2));
  ADD ("outage-at-the-commit-is-waited-for", test_outage_at_the_commit_is_waited_for, NULL);
  ADD ("session-that-expires-is-replaced", test_session_that_expires_is_replaced, NULL);
  ADD ("eos-mode-spool-needs-no-network/unknown-size", test_eos_mode_spool_needs_no_network, NULL);
  ADD ("eos-mode-spool-needs-no-network/known-size", test_eos_mode_spool_needs_no_network,
       SIZE (SPOOL_KIT_SIZE));
  ADD ("wrong-folder-is-known-before-the-end", test_wrong_place_is_known_before_the_end,
       &wrong_folder);
  ADD ("taken-name-is-known-before-the-end", test_wrong_place_is_known_before_the_end, &taken_name);
  ADD ("errors-that-are-not-fatal-keep-the-recording/unknown-size",
       test_errors_that_are_not_fatal_keep_the_recording, NULL);
  ADD ("errors-that-are-not-fatal-keep-the-recording/known-size",
       test_errors_that_are_not_fatal_keep_the_recording, SIZE (SPOOL_KIT_SIZE));
  ADD ("flush-begins-the-recording-anew", test_flush_begins_the_recording_anew, NULL);
  ADD ("stopped-stream-stays-in-the-spool", test_stopped_stream_stays_in_the_spool, NULL);
  ADD ("empty-stream-makes-no-file-and-says-so", test_empty_stream_makes_no_file_and_says_so, NULL);
  ADD ("full-spool-keeps-what-was-recorded", test_full_spool_keeps_what_was_recorded, NULL);
  ADD ("full-disk-keeps-what-was-recorded", test_full_disk_keeps_what_was_recorded, NULL);
  ADD ("tenth-of-a-second-of-stream-is-written", test_a_tenth_of_a_second_of_stream_is_written,
       NULL);
  ADD ("pause-writes-what-waits", test_a_pause_writes_what_waits, NULL);
  ADD ("stop-writes-what-waits", test_a_stop_writes_what_waits, NULL);
  ADD ("data-that-cannot-be-read-back-is-an-error", test_data_that_cannot_be_read_back_is_an_error,
       NULL);
  ADD ("removed/data", test_what_was_removed_is_written_anew, "d");
  ADD ("removed/journal", test_what_was_removed_is_written_anew, "j");
  ADD ("removed/both", test_what_was_removed_is_written_anew, "dj");
  ADD ("removed/directory", test_what_was_removed_is_written_anew, "dj/");
  ADD ("moved", test_a_spool_that_was_moved_is_an_error_that_says_where, NULL);
  ADD ("data-replaced", test_what_took_its_place_is_put_aside, NULL);
  ADD ("journal-replaced", test_what_took_its_place_is_put_aside, "journal");
  ADD ("unusable-spool-is-refused-before-recording",
       test_unusable_spool_is_refused_before_recording, NULL);
  ADD ("pause-interrupts-the-wait-but-not-the-upload",
       test_pause_interrupts_the_wait_but_not_the_upload, NULL);
  ADD ("only-what-is-spooled-first-can-be-rewritten/unknown-size",
       test_only_what_is_spooled_first_can_be_rewritten, NULL);
  ADD ("only-what-is-spooled-first-can-be-rewritten/known-size",
       test_only_what_is_spooled_first_can_be_rewritten, SIZE (SPOOL_KIT_SIZE));
  return g_test_run ();
}

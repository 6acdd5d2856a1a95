/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the account takes is looked at while a recording begins. */
#include "sink-fixture.h"

#include "kit/emulator.h"
#include "kit/patience.h"
#include "kit/pattern.h"

#include <string.h>

#define SIZE 100000

/* 80 kB are free. */
#define FREE_80_KB                                                                                 \
  RULE ({                                                                                          \
    "route": "get_user",                                                                           \
    "do": "change",                                                                                \
    "change": { "max_upload_size": 250000000, "space_amount": 900000, "space_used": 820000 }       \
  })

static SinkFixture *
begin (const char *rules)
{
  SinkFixture *fixture = sink_fixture_new (NULL);

  kit_load_rules (fixture->emulator, rules);
  fixture->has_state = TRUE;
  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a.bin", NULL);
  return fixture;
}

static void
push_and_end (SinkFixture *fixture)
{
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_stored_bytes (fixture, "0", "a.bin", bytes);
}

static void
assert_warned (GstMessage *message, const char *words)
{
  g_autoptr (GError) error = NULL;
  const GstStructure *details;
  guint64 limit = 0;

  gst_message_parse_warning (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_nonnull (strstr (error->message, "room for 80.0"));
  gst_message_parse_warning_details (message, &details);
  g_assert_true (gst_structure_get_uint64 (details, "limit", &limit));
  g_assert_cmpuint (limit, ==, 80000);
}

/* Before it has half of them, and the recording goes on. @way: of unknown-size. */
static void
test_expected_size_is_compared_at_the_beginning (gconstpointer way)
{
  g_autoptr (SinkFixture) fixture = begin (FREE_80_KB);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 10);

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", way);
  g_object_set (fixture->sink, "expected-size", (guint64) 90000, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 10), ==, GST_FLOW_OK);
  assert_warned (sink_fixture_wait (fixture, GST_MESSAGE_WARNING), "90.0");
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_WARNING), ==, 1);
}

/* Nothing was said of its size, but the last recording to the folder was as long. */
static void
test_last_recording_is_what_is_expected (void)
{
  g_autoptr (SinkFixture) fixture = begin (FREE_80_KB);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 10);

  sink_fixture_start_harness (fixture);
  push_and_end (fixture);
  sink_fixture_forget_messages (fixture);
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  g_object_set (fixture->sink, "location", "box://0/b.bin", NULL);
  gst_element_set_state (fixture->sink, GST_STATE_PLAYING);
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE)));
  gst_harness_set_src_caps_str (fixture->harness, "video/mpegts");
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 10), ==, GST_FLOW_OK);
  assert_warned (sink_fixture_wait (fixture, GST_MESSAGE_WARNING), "100.0");
}

static GstMessage *
find_warning (SinkFixture *fixture)
{
  sink_fixture_drain (fixture);
  for (guint i = 0; i < fixture->messages->len; i++)
    if (GST_MESSAGE_TYPE (fixture->messages->pdata[i]) == GST_MESSAGE_WARNING)
      return fixture->messages->pdata[i];
  return NULL;
}

/* Pushes until the warning is there: the answer comes when it comes. */
static void
test_long_recording_is_told_before_it_is_too_long (void)
{
  g_autoptr (SinkFixture) fixture = begin (FREE_80_KB);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  gint64 until = g_get_monotonic_time () + KIT_PATIENCE * G_USEC_PER_SEC;
  GstMessage *warning;

  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 59000), ==, GST_FLOW_OK);
  g_assert_true (box_emulator_wait_seen (fixture->emulator, "get_user", 1, KIT_PATIENCE_MS));
  for (gsize offset = 59000; (warning = find_warning (fixture)) == NULL;)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_assert_cmpint (sink_fixture_push (fixture, bytes, offset, 1), ==, GST_FLOW_OK);
      offset += offset < SIZE - 1 ? 1 : 0;
    }
  assert_warned (warning, "are recorded");
}

static void
test_nobody_waits_for_the_answer (gconstpointer rules)
{
  g_autoptr (SinkFixture) fixture = begin (rules);

  g_object_set (fixture->sink, "expected-size", (guint64) 90000, NULL);
  sink_fixture_start_harness (fixture);
  push_and_end (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_WARNING), ==, 0);
  box_emulator_release (fixture->emulator, "gate");
}

/* One recording after the other. */
static void
test_a_process_asks_once_for_an_account (void)
{
  g_autoptr (SinkFixture) fixture = begin (FREE_80_KB);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 10);

  g_object_set (fixture->sink, "expected-size", (guint64) 90000, "if-exists", 1, NULL);
  sink_fixture_start_harness (fixture);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 10), ==, GST_FLOW_OK);
      assert_warned (sink_fixture_wait (fixture, GST_MESSAGE_WARNING), "90.0");
      g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_READY), ==,
                       GST_STATE_CHANGE_SUCCESS);
      sink_fixture_forget_messages (fixture);
      g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_PLAYING), !=,
                       GST_STATE_CHANGE_FAILURE);
    }
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "get_user"), ==, 1);
}

/* Box says so when the session is opened: long before the end. */
static SinkFixture *
begin_too_large (const BoxEmulatorOptions *options, gboolean spool)
{
  SinkFixture *fixture = sink_fixture_new (options);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 10);
  g_autofree char *directory = g_build_filename (fixture->dir, "spool", NULL);

  fixture->has_state = TRUE;
  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a.bin", "total-size", (guint64) 60000000,
                "spool-dir", spool ? directory : NULL, NULL);
  sink_fixture_start_harness (fixture);
  sink_fixture_push (fixture, bytes, 0, 10);
  return fixture;
}

static void
test_a_known_size_that_is_too_large_ends_it (void)
{
  const BoxEmulatorOptions largest = { .max_size = 50000000 }, room = { .quota = 50000000 };
  g_autoptr (SinkFixture) large = begin_too_large (&largest, FALSE);
  g_autoptr (SinkFixture) full = begin_too_large (&room, FALSE);

  sink_fixture_wait (large, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (large, GST_RESOURCE_ERROR_WRITE, "size limit");
  sink_fixture_wait (full, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (full, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "free space");
}

/* Until its end the limit may be raised. */
static void
test_a_known_size_that_is_too_large_is_a_warning_with_a_spool (void)
{
  const BoxEmulatorOptions largest = { .max_size = 50000000 }, room = { .quota = 50000000 };
  g_autoptr (SinkFixture) large = begin_too_large (&largest, TRUE);
  g_autoptr (SinkFixture) full = begin_too_large (&room, TRUE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 10);

  sink_fixture_wait (large, GST_MESSAGE_WARNING);
  sink_fixture_wait (full, GST_MESSAGE_WARNING);
  g_assert_cmpint (sink_fixture_push (large, bytes, 0, 10), ==, GST_FLOW_OK);
  g_assert_cmpint (sink_fixture_push (full, bytes, 0, 10), ==, GST_FLOW_OK);
}

int
main (int argc, char **argv)
{
  static const char refused[] = RULE ({
    "route": "get_user",
    "do": "reply",
    "status": 403,
    "headers": { "WWW-Authenticate": "Bearer realm=\"S\", error=\"insufficient_scope\"" }
  });
  static const char held[] = RULE ({ "route": "get_user", "do": "hold", "name": "gate" });
  static const char nonsense[] =
      RULE ({
    "route": "get_user",
    "do": "change",
    "change": { "max_upload_size": "much", "space_amount": -1, "space_used": [] }
  });

  sink_fixture_init (&argc, &argv);
  g_test_add_data_func ("/room/expected/spool", "spool",
                        test_expected_size_is_compared_at_the_beginning);
  g_test_add_data_func ("/room/expected/live", "live",
                        test_expected_size_is_compared_at_the_beginning);
  g_test_add_func ("/room/expected/last", test_last_recording_is_what_is_expected);
  g_test_add_func ("/room/long", test_long_recording_is_told_before_it_is_too_long);
  g_test_add_data_func ("/room/refused", refused, test_nobody_waits_for_the_answer);
  g_test_add_data_func ("/room/held", held, test_nobody_waits_for_the_answer);
  g_test_add_data_func ("/room/nonsense", nonsense, test_nobody_waits_for_the_answer);
  g_test_add_func ("/room/once", test_a_process_asks_once_for_an_account);
  g_test_add_func ("/room/known/memory", test_a_known_size_that_is_too_large_ends_it);
  g_test_add_func ("/room/known/spool",
                   test_a_known_size_that_is_too_large_is_a_warning_with_a_spool);
  return g_test_run ();
}

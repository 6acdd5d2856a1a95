/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions whose size "boxupload create" noted: a stream that is shorter is padded so that players
 * ignore the rest.
 */
#include "sink-fixture.h"

#include "base/padding.h"
#include "kit/pattern.h"
#include "spool/note.h"

#include <string.h>

#define PART    1000000
#define RESERVE 20500000
#define STREAM  (5 * PART + 188 * 7)

/* A session of RESERVE bytes with its note; the sink is set to it. */
static SinkFixture *
begin (char **id)
{
  BoxEmulatorOptions options = { .part_size = PART };
  SinkFixture *fixture = sink_fixture_new (&options);
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "r.bin", NULL);
  g_autoptr (GError) error = NULL;
  BoxSession session = { .part_size = PART };

  session.id = *id = box_emulator_add_session (fixture->emulator, "0", "r.bin", NULL, RESERVE);
  fixture->has_state = TRUE;
  g_assert_true (box_note_save (&session, RESERVE, destination, &error));
  g_assert_no_error (error);
  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "session", session.id, NULL);
  return fixture;
}

static gboolean
stream (SinkFixture *fixture, const char *caps, GBytes *bytes)
{
  if (fixture->harness == NULL)
    sink_fixture_start_harness (fixture);
  gst_harness_set_src_caps_str (fixture->harness, caps);
  return sink_fixture_push (fixture, bytes, 0, g_bytes_get_size (bytes)) == GST_FLOW_OK
         && sink_fixture_push_eos (fixture);
}

static GBytes *
pad (GBytes *bytes, BoxPaddingKind kind)
{
  gsize size = g_bytes_get_size (bytes);
  guint8 *data = g_malloc (RESERVE);

  memcpy (data, g_bytes_get_data (bytes, NULL), size);
  box_padding_read (kind, size, RESERVE - size, 0, data + size, RESERVE - size);
  return g_bytes_new_take (data, RESERVE);
}

typedef struct
{
  const char *name;
  const char *caps;
  const char *padding; /* the property */
  BoxPaddingKind kind; /* what fills the rest; NONE: an error */
} Case;

static const Case cases[] = {
  { "mpegts", "video/mpegts,systemstream=true", "auto", BOX_PADDING_MPEGTS },
  { "mp4", "video/quicktime,variant=iso", "auto", BOX_PADDING_MP4 },
  { "matroska", "video/x-matroska", "auto", BOX_PADDING_MATROSKA },
  { "webm", "video/webm", "auto", BOX_PADDING_MATROSKA },
  { "zeros-by-name", "application/octet-stream", "zero", BOX_PADDING_ZERO },
  { "a-kind-by-name", "application/octet-stream", "mp4", BOX_PADDING_MP4 },
  { "unknown-format", "application/octet-stream", "auto", BOX_PADDING_NONE },
  { "none", "video/mpegts,systemstream=true", "none", BOX_PADDING_NONE },
};

static void
test_short_stream (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *id = NULL;
  g_autoptr (SinkFixture) fixture = begin (&id);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, STREAM);
  g_autoptr (GBytes) padded = NULL;
  g_autoptr (BoxNote) note = NULL;

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "padding", c->padding);
  if (c->kind == BOX_PADDING_NONE)
    {
      g_assert_false (stream (fixture, c->caps, bytes));
      sink_fixture_drain (fixture);
      sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "padding");
      g_assert_cmpuint (box_emulator_count (fixture->emulator, "commit"), ==, 0);
      return;
    }
  g_assert_true (stream (fixture, c->caps, bytes));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  padded = pad (bytes, c->kind);
  sink_fixture_assert_stored_bytes (fixture, "0", "r.bin", padded);
  note = box_note_load (id, NULL);
  g_assert_null (note);
}

static void
test_full_reserve_is_not_padded (void)
{
  g_autofree char *id = NULL;
  g_autoptr (SinkFixture) fixture = begin (&id);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, RESERVE);

  g_assert_true (stream (fixture, "application/octet-stream", bytes));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_stored_bytes (fixture, "0", "r.bin", bytes);
}

/* Padding alone is no recording. */
static void
test_empty_stream_makes_no_file (void)
{
  g_autofree char *id = NULL;
  g_autoptr (SinkFixture) fixture = begin (&id);

  sink_fixture_start_harness (fixture);
  gst_harness_set_src_caps_str (fixture->harness, "video/mpegts,systemstream=true");
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_part"), ==, 0);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_flush_after_an_empty_stream_begins_anew (void)
{
  g_autofree char *id = NULL;
  g_autoptr (SinkFixture) fixture = begin (&id);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, RESERVE);

  sink_fixture_start_harness (fixture);
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_forget_messages (fixture);
  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  g_assert_true (stream (fixture, "application/octet-stream", bytes));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_stored_bytes (fixture, "0", "r.bin", bytes);
}

static void
test_longer_stream_is_an_error (void)
{
  g_autofree char *id = NULL;
  g_autoptr (SinkFixture) fixture = begin (&id);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, RESERVE + 1);

  g_assert_false (stream (fixture, "video/mpegts,systemstream=true", bytes));
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "longer");
}

static void
test_gap_too_small_for_padding (void)
{
  g_autofree char *id = NULL;
  g_autoptr (SinkFixture) fixture = begin (&id);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, RESERVE - 7);

  g_assert_false (stream (fixture, "video/quicktime,variant=iso", bytes));
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "7 bytes short");
}

static void
test_another_total_size_is_refused (void)
{
  g_autofree char *id = NULL;
  g_autoptr (SinkFixture) fixture = begin (&id);

  g_object_set (fixture->sink, "total-size", (guint64) RESERVE - 1, NULL);
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_READY), ==,
                   GST_STATE_CHANGE_FAILURE);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SETTINGS, "total-size");
}

static void
test_upload_begins_before_any_data (void)
{
  g_autofree char *id = NULL;
  g_autoptr (SinkFixture) fixture = begin (&id);

  sink_fixture_start_harness (fixture);
  sink_fixture_wait_element (fixture, "boxuploadsink-session");
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/reserve/short-stream/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_short_stream);
    }
  g_test_add_func ("/reserve/full-one-is-not-padded", test_full_reserve_is_not_padded);
  g_test_add_func ("/reserve/empty-stream-makes-no-file", test_empty_stream_makes_no_file);
  g_test_add_func ("/reserve/flush-after-an-empty-stream-begins-anew",
                   test_flush_after_an_empty_stream_begins_anew);
  g_test_add_func ("/reserve/longer-stream-is-an-error", test_longer_stream_is_an_error);
  g_test_add_func ("/reserve/gap-too-small-for-padding", test_gap_too_small_for_padding);
  g_test_add_func ("/reserve/another-total-size-is-refused", test_another_total_size_is_refused);
  g_test_add_func ("/reserve/upload-begins-before-any-data", test_upload_begins_before_any_data);
  return g_test_run ();
}

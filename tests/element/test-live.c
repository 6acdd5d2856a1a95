/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unknown-size=live: one request carries the stream while it is recorded. Where nothing goes wrong
 * the file is there with the end of that request; whatever breaks it, in the table, leads to the
 * same file by another upload of the recording at EOS.
 */
#include "sink-fixture.h"

#include "spool/spool.h"

#include <string.h>

#define HALF 1500000
#define SIZE (2 * HALF)

static SinkFixture *
begin (gboolean tls)
{
  SinkFixture *fixture = sink_fixture_new (NULL);
  g_autofree char *dir = g_build_filename (fixture->dir, "spool", NULL);

  fixture->tls = tls;
  sink_fixture_make_sink (fixture);
  gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", "live");
  g_object_set (fixture->sink, "location", "box://0/l.bin", "spool-dir", dir, NULL);
  return fixture;
}

static void
push (SinkFixture *fixture, GBytes *bytes, gsize offset, gsize size)
{
  g_assert_cmpint (sink_fixture_push (fixture, bytes, offset, size), ==, GST_FLOW_OK);
}

static void
finish (SinkFixture *fixture)
{
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
}

static void
assert_spool_is_empty (SinkFixture *fixture)
{
  g_autofree char *dir = g_build_filename (fixture->dir, "spool", NULL);
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, NULL);
  g_autoptr (GPtrArray) list = box_spool_list (spool, NULL);

  g_assert_cmpuint (list->len, ==, 0);
}

/* The file is the stream, with so many versions, and nothing else is left anywhere. */
static void
assert_stored (SinkFixture *fixture, const char *name, GBytes *bytes, guint n_versions)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", name);

  sink_fixture_assert_stored_bytes (fixture, "0", name, bytes);
  g_assert_cmpuint (file->n_versions, ==, n_versions);
  sink_fixture_assert_progress_balanced (fixture);
  assert_spool_is_empty (fixture);
}

/* --- Nothing goes wrong --------------------------------------------------------------------- */

typedef struct
{
  const char *name;
  gsize size;
  gsize buffer;
  gboolean tls;
} Stream;

static const Stream streams[] = {
  { "one-byte", 1, 1, FALSE },
  { "one-byte-over-tls", 1, 1, TRUE },
  { "small-buffers", 1316 * 1000, 1316, FALSE },
  { "five-megabytes", 5000000, 65536, FALSE },
  { "five-megabytes-over-tls", 5000000, 65536, TRUE },
  { "more-than-a-session-needs", 25000001, 1000000, TRUE },
};

/* A request that is sent in chunks, and is the only one that carries bytes. */
static void
assert_one_request (SinkFixture *fixture, const char *route)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (fixture->emulator, route);
  const BoxEmulatorRequest *request;

  g_assert_cmpuint (requests->len, ==, 1);
  request = requests->pdata[0];
  g_assert_cmpstr (soup_message_headers_get_one (request->headers, "Transfer-Encoding"), ==,
                   "chunked");
  g_assert_null (soup_message_headers_get_one (request->headers, "Content-Length"));
  g_assert_null (soup_message_headers_get_one (request->headers, "Expect"));
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "create_session"), ==, 0);
}

static void
test_stream_is_the_file (gconstpointer data)
{
  const Stream *stream = data;
  g_autoptr (SinkFixture) fixture = begin (stream->tls);
  g_autoptr (GBytes) bytes = sink_fixture_make_bytes (stream->size);

  sink_fixture_start_harness (fixture);
  for (gsize offset = 0; offset < stream->size; offset += stream->buffer)
    push (fixture, bytes, offset, MIN (stream->buffer, stream->size - offset));
  finish (fixture);
  assert_stored (fixture, "l.bin", bytes, 1);
  assert_one_request (fixture, "upload_file");
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_WARNING), ==, 0);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "bytes-uploaded"), ==, stream->size);
}

static void
test_bytes_leave_while_it_is_recorded (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = sink_fixture_make_bytes (SIZE);

  sink_fixture_start_harness (fixture);
  push (fixture, bytes, 0, HALF);
  g_assert_true (box_emulator_wait_bytes (fixture->emulator, HALF, 60000));
  push (fixture, bytes, HALF, 100);
  g_assert_true (box_emulator_wait_bytes (fixture->emulator, HALF + 100, 60000));
  push (fixture, bytes, HALF + 100, HALF - 100);
  finish (fixture);
  assert_stored (fixture, "l.bin", bytes, 1);
  assert_one_request (fixture, "upload_file");
}

static void
test_nothing_makes_no_file (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);

  sink_fixture_start_harness (fixture);
  finish (fixture);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_file"), ==, 0);
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  assert_spool_is_empty (fixture);
}

static void
test_seeking_is_answered_with_no (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = TRUE;

  sink_fixture_start_harness (fixture);
  g_assert_true (gst_pad_peer_query (fixture->harness->srcpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  g_assert_false (seekable);
}

/* --- Where it goes -------------------------------------------------------------------------- */

static void
run (SinkFixture *fixture, GBytes *bytes)
{
  sink_fixture_start_harness (fixture);
  push (fixture, bytes, 0, HALF);
  push (fixture, bytes, HALF, HALF);
  finish (fixture);
}

static void
test_name_that_is_taken_gets_a_version (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = sink_fixture_make_bytes (SIZE);
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "l.bin", "old", 3);

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "if-exists", "version");
  run (fixture, bytes);
  assert_stored (fixture, "l.bin", bytes, 2);
  assert_one_request (fixture, "upload_version");
}

static void
test_file_gets_a_version (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = sink_fixture_make_bytes (SIZE);
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "l.bin", "old", 3);
  g_autoptr (GPtrArray) requests = NULL;

  g_object_set (fixture->sink, "location", NULL, "file-id", id, NULL);
  run (fixture, bytes);
  assert_stored (fixture, "l.bin", bytes, 2);
  assert_one_request (fixture, "upload_version");
  requests = box_emulator_get_requests (fixture->emulator, "upload_version");
  g_assert_cmpstr (soup_message_headers_get_one (
                       ((BoxEmulatorRequest *) requests->pdata[0])->headers, "If-Match"),
                   ==, "0");
}

static void
test_name_that_is_taken_is_numbered (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = sink_fixture_make_bytes (SIZE);
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "l.bin", "old", 3);

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "if-exists", "rename");
  run (fixture, bytes);
  assert_stored (fixture, "l (1).bin", bytes, 1);
  assert_one_request (fixture, "upload_file");
}

static void
test_name_that_is_taken_is_an_error_at_once (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = sink_fixture_make_bytes (SIZE);
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "l.bin", "old", 3);

  sink_fixture_start_harness (fixture);
  (void) sink_fixture_push (fixture, bytes, 0, SIZE);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_file"), ==, 0);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (streams); i++)
    {
      g_autofree char *path = g_strconcat ("/live/stream-is-the-file/", streams[i].name, NULL);

      g_test_add_data_func (path, &streams[i], test_stream_is_the_file);
    }
  g_test_add_func ("/live/bytes-leave-while-it-is-recorded", test_bytes_leave_while_it_is_recorded);
  g_test_add_func ("/live/nothing-makes-no-file", test_nothing_makes_no_file);
  g_test_add_func ("/live/seeking-is-answered-with-no", test_seeking_is_answered_with_no);
  g_test_add_func ("/live/name-that-is-taken/gets-a-version",
                   test_name_that_is_taken_gets_a_version);
  g_test_add_func ("/live/name-that-is-taken/is-numbered", test_name_that_is_taken_is_numbered);
  g_test_add_func ("/live/name-that-is-taken/is-an-error-at-once",
                   test_name_that_is_taken_is_an_error_at_once);
  g_test_add_func ("/live/file-gets-a-version", test_file_gets_a_version);
  return g_test_run ();
}

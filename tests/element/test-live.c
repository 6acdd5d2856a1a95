/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unknown-size=live: one request carries the stream while it is recorded. Where nothing goes wrong
 * the file is there with the end of that request; whatever breaks it, in the table, leads to the
 * same file by another upload of the recording at EOS.
 */
#include "sink-fixture.h"

#include "kit/emulator.h"
#include "kit/patience.h"
#include "kit/pattern.h"
#include "spool/spool.h"

#include <string.h>
#include <sys/resource.h>

#define HALF 1500000
#define SIZE (2 * HALF)

/* What a session can carry. */
#define LARGE 21000000

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
  if (!sink_fixture_push_eos (fixture))
    {
      g_autoptr (GError) error = NULL;

      sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
      error = sink_fixture_get_error (fixture);
      g_assert_no_error (error);
    }
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
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, stream->size);

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
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  sink_fixture_start_harness (fixture);
  push (fixture, bytes, 0, HALF);
  g_assert_true (box_emulator_wait_bytes (fixture->emulator, HALF, KIT_PATIENCE_MS));
  push (fixture, bytes, HALF, 100);
  g_assert_true (box_emulator_wait_bytes (fixture->emulator, HALF + 100, KIT_PATIENCE_MS));
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
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
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
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
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
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
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
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "l.bin", "old", 3);

  sink_fixture_start_harness (fixture);
  (void) sink_fixture_push (fixture, bytes, 0, SIZE);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_file"), ==, 0);
}

typedef struct
{
  SinkFixture *fixture;
  GMutex lock;
  GCond changed;
  gboolean stopped; /* with lock */
} Stopper;

static GstBusSyncReply
stop_at_failure (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Stopper *stopper = user_data;

  if (!gst_message_has_name (message, "boxuploadsink-failed"))
    return GST_BUS_PASS;
  gst_element_set_state (stopper->fixture->sink, GST_STATE_NULL);
  g_mutex_lock (&stopper->lock);
  stopper->stopped = TRUE;
  g_cond_broadcast (&stopper->changed);
  g_mutex_unlock (&stopper->lock);
  return GST_BUS_PASS;
}

/* In the thread that asked Box. */
static void
test_handler_of_the_refusal_stops_the_sink (gconstpointer unknown_size)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "l.bin", "old", 3);
  Stopper stopper = { .fixture = fixture };

  gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", unknown_size);
  gst_bus_set_sync_handler (fixture->bus, stop_at_failure, &stopper, NULL);
  sink_fixture_start_harness (fixture);
  (void) sink_fixture_push (fixture, bytes, 0, SIZE);
  g_mutex_lock (&stopper.lock);
  while (!stopper.stopped)
    g_cond_wait (&stopper.changed, &stopper.lock);
  g_mutex_unlock (&stopper.lock);
  gst_bus_set_sync_handler (fixture->bus, NULL, NULL, NULL);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 1);
}

/* --- What breaks it ------------------------------------------------------------------------- */

/* Where the recording goes: the route of the request, and the file. */
typedef struct
{
  const char *name;
  const char *if_exists; /* nullable */
  gboolean existing;     /* the name is taken */
  gboolean by_id;
  const char *stored_as;
  guint n_versions;
} Place;

static const Place places[] = {
  { "new-file", NULL, FALSE, FALSE, "l.bin", 1 },
  { "version-by-name", "version", TRUE, FALSE, "l.bin", 2 },
  { "version-by-id", NULL, TRUE, TRUE, "l.bin", 2 },
  { "other-name", "rename", TRUE, FALSE, "l (1).bin", 1 },
};

/* @rules: what happens to the request, of either route. */
typedef struct
{
  const char *name;
  const char *rules;
  gboolean is_silent; /* silence has to be a failure soon */
  const char *words;  /* in the WARNING; nullable */
  guint more;         /* versions beside the one that is wanted: Box made them of pieces */
} Fault;

/* The one request that carries the recording, not the one after it that may be of the same route.
 */
#define STRIKE(...) "{\"route\":[\"upload_file\",\"upload_version\"],\"times\":1," __VA_ARGS__ "}"
#define LIVE(...)   "[" STRIKE (__VA_ARGS__) "]"
#define JSON(status, code)                                                                         \
  "\"do\":\"reply\",\"status\":" status ",\"json\":{\"type\":\"error\",\"status\":" status         \
  ",\"code\":\"" code "\",\"message\":\"No\",\"request_id\":\"abcdef\"}"
#define HTML(status)                                                                               \
  "\"do\":\"reply\",\"status\":" status                                                            \
  ",\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html>Please sign in</html>\""
#define PORTAL                                                                                     \
  "\"do\":\"reply\",\"status\":302,\"headers\":{\"Location\":\"http://portal.invalid/\"}"
#define WITHIN "\"at\":\"body\",\"bytes\":1000000"
#define BEFORE "\"at\":\"head\""
#define STORED "\"at\":\"stored\""

/* The time after which silence is a failure, seconds. The requests that follow have no more, and on
 * a busy machine a handshake of TLS takes its time. */
#define SILENCE     3
#define SILENCE_TLS 10

static const Fault faults[] = {
  /* before the body */
  { "reset-before-the-body", LIVE ("\"do\":\"reset\"") },
  { "closed-before-the-body", LIVE ("\"do\":\"close\"") },
  { "403-before-the-body", LIVE (JSON ("403", "access_denied_insufficient_permissions") "," BEFORE),
    .words = "access_denied" },
  { "401-before-the-body", LIVE (JSON ("401", "unauthorized") "," BEFORE) },
  { "409-before-the-body", LIVE (JSON ("409", "operation_blocked_temporary") "," BEFORE) },
  { "429-before-the-body", LIVE (JSON ("429", "rate_limit_exceeded") "," BEFORE) },
  { "silent-before-the-body", LIVE ("\"do\":\"hold\""), TRUE },
  { "portal-before-the-body", LIVE (PORTAL "," BEFORE) },
  { "page-before-the-body", LIVE (HTML ("200") "," BEFORE) },
  { "not-http", LIVE ("\"do\":\"garbage\"," BEFORE) },
  /* within it */
  { "reset-within-the-body", LIVE ("\"do\":\"reset\"," WITHIN) },
  { "closed-within-the-body", LIVE ("\"do\":\"close\"," WITHIN) },
  { "stall-within-the-body", LIVE ("\"do\":\"hold\"," WITHIN), TRUE },
  { "413-and-close", LIVE (JSON ("413", "request_entity_too_large") "," WITHIN) },
  { "413-and-reset", LIVE (JSON ("413", "request_entity_too_large") ",\"linger\":false," WITHIN) },
  { "413-and-read-on",
    LIVE (JSON ("413", "request_entity_too_large") ",\"read-on\":true," WITHIN) },
  { "503-within-the-body", LIVE (JSON ("503", "unavailable") "," WITHIN) },
  { "page-within-the-body", LIVE (HTML ("200") "," WITHIN) },
  { "page-of-a-gateway-within-the-body", LIVE (HTML ("502") "," WITHIN) },
  /* after it */
  { "reset-after-the-body", LIVE ("\"do\":\"reset\",\"at\":\"end\"") },
  { "closed-after-the-body", LIVE ("\"do\":\"close\",\"at\":\"end\"") },
  { "403-after-the-body", LIVE (JSON ("403", "file_size_limit_exceeded")) },
  { "413-after-the-body", LIVE (JSON ("413", "request_entity_too_large")) },
  { "503-after-the-body", LIVE (JSON ("503", "unavailable")) },
  { "503-of-a-gateway", LIVE ("\"do\":\"front\",\"status\":503") },
  { "portal-after-the-body", LIVE (PORTAL) },
  { "page-after-the-body", LIVE (HTML ("200")) },
  { "silent-after-the-body", LIVE ("\"do\":\"hold\",\"at\":\"end\""), TRUE },
};

static const Fault effects[] = {
  /* done, and nobody hears of it */
  { "answer-lost", LIVE ("\"do\":\"reset\"," STORED) },
  { "answer-cut", LIVE ("\"do\":\"close\",\"at\":\"reply\",\"bytes\":20") },
  { "answer-never-comes", LIVE ("\"do\":\"hold\"," STORED), TRUE },
  { "done-and-503", LIVE (JSON ("503", "unavailable") "," STORED) },
  { "done-and-page", LIVE (HTML ("200") "," STORED) },
  { "done-and-portal", LIVE (PORTAL "," STORED) },
  /* done later, between any two of the requests that follow */
  { "done-when-it-is-cut", LIVE ("\"do\":\"reset\",\"later\":{\"requests\":0}") },
  { "done-at-the-next-request", LIVE ("\"do\":\"reset\",\"later\":{\"requests\":1}") },
  { "done-at-the-second", LIVE ("\"do\":\"reset\",\"later\":{\"requests\":2}") },
  { "done-at-the-third", LIVE ("\"do\":\"reset\",\"later\":{\"requests\":3}") },
  { "done-at-the-fourth", LIVE ("\"do\":\"reset\",\"later\":{\"requests\":4}") },
  { "503-and-done-at-the-second",
    LIVE (JSON ("503", "unavailable") ",\"later\":{\"requests\":2}") },
  { "answer-of-another-sha1",
    LIVE ("\"do\":\"change\",\"change\":{\"entries\":[{\"type\":\"file\",\"id\":\"1000000001\","
          "\"size\":3000000,\"sha1\":\"0000000000000000000000000000000000000000\"}]}"),
    .words = "is not what was sent" },
  /* what came of a body that was cut is taken for a file */
  { "piece-is-a-file", "[" STRIKE ("\"do\":\"keep\"") "," STRIKE ("\"do\":\"reset\"," WITHIN) "]",
    .more = 1 },
  { "large-piece-is-a-file",
    "[" STRIKE ("\"do\":\"keep\"") "," STRIKE (
        "\"do\":\"close\",\"at\":\"body\",\"bytes\":2999000") "]",
    .more = 1 },
  /* two things at a time */
  { "answer-lost-and-look-fails",
    "[" STRIKE (
        "\"do\":\"reset\"," STORED) ",{\"route\":[\"preflight\",\"get_file\"],\"nth\":[2,3],"
                                    "\"do\":\"reply\",\"status\":503}]" },
};

typedef struct
{
  const Fault *fault;
  const Place *place;
  gsize size;
  gboolean tls;
} Case;

/* Where a second of silence is a failure, a busy machine makes outages of its own. */
static gboolean
is_of_an_outage (const GError *said)
{
  return g_str_has_prefix (said->message, "Box is ");
}

static guint
count_infos (SinkFixture *fixture)
{
  guint n = 0;

  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = fixture->messages->pdata[i];
      g_autoptr (GError) info = NULL;

      if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_INFO)
        continue;
      gst_message_parse_info (message, &info, NULL);
      n += is_of_an_outage (info) ? 0 : 1;
    }
  return n;
}

/* Once, and with @words (nullable). */
static void
assert_warned (SinkFixture *fixture, const char *words)
{
  gboolean found = words == NULL;
  guint n = 0;

  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = fixture->messages->pdata[i];
      g_autoptr (GError) warning = NULL;

      if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_WARNING)
        continue;
      gst_message_parse_warning (message, &warning, NULL);
      g_test_message ("%s", warning->message);
      n += is_of_an_outage (warning) ? 0 : 1;
      found |= words != NULL && strstr (warning->message, words) != NULL;
    }
  g_assert_cmpuint (n, ==, 1);
  g_assert_true (found);
  g_assert_cmpuint (count_infos (fixture), <=, 1);
}

static void
go_to (SinkFixture *fixture, const Place *place)
{
  g_autofree char *id = NULL;

  if (place->existing)
    id = box_emulator_add_file (fixture->emulator, "0", "l.bin", "old", 3);
  if (place->if_exists != NULL)
    gst_util_set_object_arg (G_OBJECT (fixture->sink), "if-exists", place->if_exists);
  if (place->by_id)
    g_object_set (fixture->sink, "location", NULL, "file-id", id, NULL);
}

static void
test_fault (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (SinkFixture) fixture = begin (c->tls);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, c->size);

  go_to (fixture, c->place);
  if (c->fault->is_silent)
    g_object_set (fixture->sink, "timeout", c->tls ? SILENCE_TLS : SILENCE, NULL);
  kit_load_rules (fixture->emulator, c->fault->rules);
  sink_fixture_start_harness (fixture);
  for (gsize offset = 0; offset < c->size; offset += HALF)
    push (fixture, bytes, offset, MIN (HALF, c->size - offset));
  finish (fixture);
  assert_warned (fixture, c->fault->words);
  assert_stored (fixture, c->place->stored_as, bytes, c->place->n_versions + c->fault->more);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==,
                    c->place->existing && !g_str_equal (c->place->stored_as, "l.bin") ? 2 : 1);
}

static void
add_case (const Fault *fault, const Place *place, gsize size, gboolean tls)
{
  Case c = { fault, place, size, tls };
  g_autofree char *path = g_strdup_printf ("/live/fault/%s/%s%s%s", fault->name, place->name,
                                           size > SIZE ? "/session" : "", tls ? "/tls" : "");

  g_test_add_data_func_full (path, g_memdup2 (&c, sizeof c), test_fault, g_free);
}

/* Each meets a new file, over HTTP or over TLS. */
static void
add_cases (const Fault *all, gsize n)
{
  for (gsize i = 0; i < n; i++)
    add_case (&all[i], &places[0], SIZE, i % 2 == 0);
}

/* Each meets one other place or, if Box may have made a file, all of them; some meet a recording
 * that a session carries afterwards. */
static void
add_cases_elsewhere (const Fault *all, gsize n, gboolean everywhere)
{
  for (gsize i = 0; i < n; i++)
    {
      for (gsize k = 1; k < G_N_ELEMENTS (places); k++)
        if (everywhere || i % (G_N_ELEMENTS (places) - 1) + 1 == k)
          add_case (&all[i], &places[k], SIZE, FALSE);
      if (i % 5 == 0)
        add_case (&all[i], &places[i / 5 % G_N_ELEMENTS (places)], LARGE, FALSE);
    }
}

/* --- What the stream does -------------------------------------------------------------------- */

static void
push_segment (SinkFixture *fixture, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = start;
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment)));
}

static void
test_stream_goes_back (gconstpointer data)
{
  guint64 sent = GPOINTER_TO_SIZE (data);
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (GBytes) rewritten = NULL;
  g_autofree guint8 *expected = g_memdup2 (g_bytes_get_data (bytes, NULL), SIZE);

  memset (expected, 'x', 1000);
  rewritten = g_bytes_new (expected, SIZE);
  sink_fixture_start_harness (fixture);
  push (fixture, bytes, 0, SIZE);
  if (sent > 0)
    g_assert_true (box_emulator_wait_bytes (fixture->emulator, sent, KIT_PATIENCE_MS));
  push_segment (fixture, 0);
  push (fixture, rewritten, 0, 1000);
  finish (fixture);
  assert_warned (fixture, "went back to byte 0");
  assert_stored (fixture, "l.bin", rewritten, 1);
}

static void
test_stream_stands_still (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  g_object_set (fixture->sink, "timeout", SILENCE, NULL);
  sink_fixture_start_harness (fixture);
  push (fixture, bytes, 0, HALF);
  sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  g_assert_true (box_emulator_wait_done (fixture->emulator, "upload_file", 1, KIT_PATIENCE_MS));
  push (fixture, bytes, HALF, HALF);
  finish (fixture);
  assert_warned (fixture, "stood still for 3 s");
  g_assert_cmpuint (count_infos (fixture), ==, 1);
  assert_stored (fixture, "l.bin", bytes, 1);
}

static void
test_stream_begins_anew (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  sink_fixture_start_harness (fixture);
  push (fixture, bytes, HALF, HALF);
  g_assert_true (box_emulator_wait_bytes (fixture->emulator, HALF, KIT_PATIENCE_MS));
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE)));
  push_segment (fixture, 0);
  push (fixture, bytes, 0, SIZE);
  finish (fixture);
  assert_stored (fixture, "l.bin", bytes, 1);
  g_assert_cmpuint (box_emulator_count_status (fixture->emulator, "upload_file", 201), ==, 1);
}

/* The request is cut, not ended: what was stopped is no file. */
static void
test_stopped_stream_is_kept (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  const GstStructure *spooled;

  sink_fixture_start_harness (fixture);
  push (fixture, bytes, 0, HALF);
  g_assert_true (box_emulator_wait_bytes (fixture->emulator, HALF, KIT_PATIENCE_MS));
  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  sink_fixture_drain (fixture);
  spooled = sink_fixture_find (fixture, "boxuploadsink-spooled");
  g_assert_nonnull (spooled);
  g_assert_cmpstr (gst_structure_get_string (spooled, "reason"), ==, "stop");
  g_assert_true (box_emulator_wait_done (fixture->emulator, "upload_file", 1, KIT_PATIENCE_MS));
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

/* --- The network ----------------------------------------------------------------------------- */

static void
test_network_is_away (gconstpointer data)
{
  gboolean from_the_beginning = GPOINTER_TO_INT (data);
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  if (from_the_beginning)
    box_emulator_set_down (fixture->emulator, TRUE);
  sink_fixture_start_harness (fixture);
  push (fixture, bytes, 0, HALF);
  if (!from_the_beginning)
    {
      g_assert_true (box_emulator_wait_bytes (fixture->emulator, HALF, KIT_PATIENCE_MS));
      box_emulator_set_down (fixture->emulator, TRUE);
    }
  sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  box_emulator_set_down (fixture->emulator, FALSE);
  push (fixture, bytes, HALF, HALF);
  finish (fixture);
  assert_warned (fixture, NULL);
  assert_stored (fixture, "l.bin", bytes, 1);
}

static void
test_rate_holds (void)
{
  g_autoptr (SinkFixture) fixture = begin (FALSE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  gint64 began = g_get_monotonic_time ();

  g_object_set (fixture->sink, "upload-rate", (guint64) SIZE, NULL);
  run (fixture, bytes);
  assert_stored (fixture, "l.bin", bytes, 1);
  g_assert_cmpint (g_get_monotonic_time () - began, >, G_USEC_PER_SEC * 8 / 10);
  assert_one_request (fixture, "upload_file");
}

/* --- Many at a time -------------------------------------------------------------------------- */

#define MANY  100
#define SMALL 100000

/* With descriptors for both ends of so many connections, both of which are in this process. */
static void
raise_limit (void)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = MIN (limit.rlim_max, 4096);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static GstHarness *
start_another (SinkFixture *fixture, const char *name)
{
  GstElement *sink = gst_element_factory_make ("boxuploadsink", NULL);
  g_autofree char *dir = g_build_filename (fixture->dir, "spool", NULL);
  GstHarness *harness;

  sink_fixture_configure (fixture, sink);
  gst_util_set_object_arg (G_OBJECT (sink), "unknown-size", "live");
  g_object_set (sink, "file-name", name, "spool-dir", dir, NULL);
  harness = gst_harness_new_with_element (sink, "sink", NULL);
  gst_object_unref (sink);
  gst_harness_set_src_caps_str (harness, "application/octet-stream");
  return harness;
}

static void
push_to (GstHarness *harness, GBytes *bytes)
{
  g_assert_cmpint (gst_harness_push (harness, gst_buffer_new_wrapped_bytes (bytes)), ==,
                   GST_FLOW_OK);
}

/* Without TLS: both ends would shake hands in GIO's one pool of threads, and wait for each other.
 */
static void
test_hundred_at_a_time (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 2 * SMALL);
  g_autoptr (GBytes) first = g_bytes_new_from_bytes (bytes, 0, SMALL);
  g_autoptr (GBytes) second = g_bytes_new_from_bytes (bytes, SMALL, SMALL);
  g_autofree char *sha1 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA1, bytes);
  GstHarness *harnesses[MANY];

  raise_limit ();
  for (guint i = 0; i < MANY; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u.bin", i);

      harnesses[i] = start_another (fixture, name);
      push_to (harnesses[i], first);
    }
  g_assert_true (box_emulator_wait_bytes (fixture->emulator, MANY * SMALL, KIT_PATIENCE_MS));
  g_assert_cmpuint (box_emulator_count_parallel (fixture->emulator, "upload_file"), ==, MANY);
  for (guint i = 0; i < MANY; i++)
    {
      push_to (harnesses[i], second);
      g_assert_true (gst_harness_push_event (harnesses[i], gst_event_new_eos ()));
    }
  for (guint i = 0; i < MANY; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u.bin", i);

      gst_harness_teardown (harnesses[i]);
      kit_assert_stored (fixture->emulator, "0", name, 2 * SMALL, sha1);
    }
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_file"), ==, MANY);
  assert_spool_is_empty (fixture);
}

static void
add_streams (void)
{
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
  g_test_add_data_func ("/live/handler-of-the-refusal-stops-the-sink/live", "live",
                        test_handler_of_the_refusal_stops_the_sink);
  g_test_add_data_func ("/live/handler-of-the-refusal-stops-the-sink/spool", "spool",
                        test_handler_of_the_refusal_stops_the_sink);
  g_test_add_func ("/live/file-gets-a-version", test_file_gets_a_version);
  g_test_add_data_func ("/live/stream-goes-back/sent", GSIZE_TO_POINTER (SIZE),
                        test_stream_goes_back);
  g_test_add_data_func ("/live/stream-goes-back/at-once", NULL, test_stream_goes_back);
  g_test_add_func ("/live/stream-stands-still", test_stream_stands_still);
  g_test_add_func ("/live/stream-begins-anew", test_stream_begins_anew);
  g_test_add_func ("/live/stopped-stream-is-kept", test_stopped_stream_is_kept);
  g_test_add_data_func ("/live/network-is-away/from-the-beginning", GINT_TO_POINTER (TRUE),
                        test_network_is_away);
  g_test_add_data_func ("/live/network-is-away/suddenly", NULL, test_network_is_away);
  g_test_add_func ("/live/rate-holds", test_rate_holds);
  g_test_add_func ("/live/hundred-at-a-time", test_hundred_at_a_time);
}

/* usage: test-live [streams|faults|places]; without an argument, all of them. */
int
main (int argc, char **argv)
{
  const char *wanted;

  sink_fixture_init (&argc, &argv);
  wanted = argc > 1 ? argv[1] : NULL;
  if (wanted == NULL || g_str_equal (wanted, "streams"))
    add_streams ();
  if (wanted == NULL || g_str_equal (wanted, "faults"))
    {
      add_cases (faults, G_N_ELEMENTS (faults));
      add_cases (effects, G_N_ELEMENTS (effects));
    }
  if (wanted == NULL || g_str_equal (wanted, "places"))
    {
      add_cases_elsewhere (faults, G_N_ELEMENTS (faults), FALSE);
      add_cases_elsewhere (effects, G_N_ELEMENTS (effects), TRUE);
    }
  return g_test_run ();
}

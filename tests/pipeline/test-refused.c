/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Refused pipelines: one clear error on the bus, and no file. The table has the mistake of a
 * pipeline and the words of its error.
 */
#include "../element/sink-fixture.h"
#include "kit/emulator.h"

#define SIZE 25000000

typedef struct
{
  const char *name;
  const char *properties; /* of the sink */
  const char *source;     /* NULL: the file of SIZE bytes */
  void (*prepare) (SinkFixture *fixture);
  GstResourceError code;
  const char *words;       /* in the error's text */
  const char *http_status; /* expected in the details, or NULL */
  const char *scenario;    /* of the emulator, or NULL */
} Refusal;

static void
add_session_of (SinkFixture *fixture, guint64 size)
{
  g_autofree char *id =
      box_emulator_add_session (fixture->emulator, "0", "session.bin", NULL, size);

  g_object_set (fixture->sink, "session", id, NULL);
}

static void
with_expired_session (SinkFixture *fixture)
{
  g_autofree char *id = NULL;

  add_session_of (fixture, SIZE);
  g_object_get (fixture->sink, "session", &id, NULL);
  box_emulator_expire_session (fixture->emulator, id);
}

static void
with_session_of_another_size (SinkFixture *fixture)
{
  add_session_of (fixture, 2 * SIZE);
}

static void
with_taken_name (SinkFixture *fixture)
{
  g_autofree char *id = box_emulator_add_file (fixture->emulator, "0", "taken.bin", "old", 3);

  g_assert_nonnull (id);
}

static void
with_untrusted_certificate (SinkFixture *fixture)
{
  fixture->tls = TRUE;
  sink_fixture_configure (fixture, fixture->sink);
  g_object_set (fixture->sink, "ca-file", NULL, NULL);
}

static void
with_refused_token (SinkFixture *fixture)
{
  box_emulator_revoke_token (fixture->emulator, SINK_FIXTURE_TOKEN);
}

static void
without_token (SinkFixture *fixture)
{
  g_object_set (fixture->sink, "access-token", NULL, NULL);
}

static void
with_session_of_a_byte_more (SinkFixture *fixture)
{
  add_session_of (fixture, SIZE + 1);
}

static void
with_api_endpoint_in_clear (SinkFixture *fixture)
{
  g_object_set (fixture->sink, "api-endpoint", "http://box.invalid/2.0", NULL);
}

static void
with_endpoint_in_clear (SinkFixture *fixture)
{
  g_object_set (fixture->sink, "endpoint", "http://box.invalid/api/2.0", NULL);
}

/* Names that pass here and yet not at Box, whose rules may change. */
#define NAME_INVALID(route)                                                                        \
  "[{\"route\":\"" route "\",\"do\":\"reply\",\"status\":400,\"json\":{\"type\":\"error\","        \
  "\"status\":400,\"code\":\"item_name_invalid\",\"message\":\"Item name invalid\","               \
  "\"request_id\":\"abcdef\"}}]"

#define SETTINGS       GST_RESOURCE_ERROR_SETTINGS
#define NOT_AUTHORIZED GST_RESOURCE_ERROR_NOT_AUTHORIZED

/* A stream of 900 bytes. */
#define SHORT "fakesrc num-buffers=9 sizetype=fixed sizemax=100"

static const Refusal refusals[] = {
  { "no-destination", "", NULL, NULL, SETTINGS, "No destination", NULL },
  { "folder-without-name", "folder-id=12", NULL, NULL, SETTINGS, "file-name", NULL },
  { "session-and-location", "session=AB location=box://0/a", NULL, NULL, SETTINGS,
    "session and location", NULL },
  { "location-and-file-id", "location=box://0/a file-id=12", NULL, NULL, SETTINGS,
    "location and file-id", NULL },
  { "location-of-another-kind", "location=file:///a", NULL, NULL, SETTINGS, "box://", NULL },
  { "time-without-zone", "location=box://0/a content-created-at=2024-05-01", NULL, NULL, SETTINGS,
    "content-created-at", NULL },
  { "ca-file-that-is-not-there", "location=box://0/a ca-file=/nowhere/ca.pem", NULL, NULL, SETTINGS,
    "/nowhere/ca.pem", NULL },
  { "unknown-session", "session=F00DF00D", NULL, NULL, GST_RESOURCE_ERROR_NOT_FOUND, "F00DF00D",
    "400" },
  { "expired-session", "", NULL, with_expired_session, GST_RESOURCE_ERROR_FAILED, "expired", NULL },
  { "total-that-does-not-fit-the-session", "", NULL, with_session_of_another_size,
    GST_RESOURCE_ERROR_WRITE, "session", NULL },
  { "stream-longer-than-declared", "location=box://0/a total-size=24000000", NULL, NULL,
    GST_RESOURCE_ERROR_WRITE, "longer", NULL },
  { "stream-shorter-than-declared", "location=box://0/a total-size=26000000", NULL, NULL,
    GST_RESOURCE_ERROR_WRITE, "25000000 of the 26000000", NULL },
  { "short-stream-of-one-request", "location=box://0/a total-size=1000", SHORT, NULL,
    GST_RESOURCE_ERROR_WRITE, "900 of the 1000", NULL },
  { "total-above-all-sessions", "location=box://0/a total-size=1125899906842624001", NULL, NULL,
    SETTINGS, "total-size", NULL },
  { "total-that-would-be-negative", "location=box://0/a total-size=9223372036854775808", NULL, NULL,
    SETTINGS, "total-size", NULL },
  { "total-of-all-bits", "location=box://0/a total-size=18446744073709551615", NULL, NULL, SETTINGS,
    "total-size", NULL },
  { "reserve-of-all-bits",
    "location=box://0/a unknown-size=reserve reserve-size=18446744073709551615", NULL, NULL,
    SETTINGS, "reserve-size", NULL },
  { "reserve-that-would-be-negative",
    "location=box://0/a unknown-size=reserve reserve-size=9223372036854775808", NULL, NULL,
    SETTINGS, "reserve-size", NULL },
  { "empty-stream", "location=box://0/a total-size=1000", "fakesrc num-buffers=0", NULL,
    GST_RESOURCE_ERROR_WRITE, "0 of the 1000", NULL },
  { "unknown-size", "location=box://0/a unknown-size=error", SHORT, NULL, SETTINGS, "total-size",
    NULL },
  { "name-that-is-taken", "location=box://0/taken.bin", NULL, with_taken_name,
    GST_RESOURCE_ERROR_BUSY, "box://0/taken.bin: ", "409" },
  { "name-that-is-taken-of-one-request", "location=box://0/taken.bin total-size=900", SHORT,
    with_taken_name, GST_RESOURCE_ERROR_BUSY, "box://0/taken.bin: ", "409" },
  { "name-with-a-space-at-its-end", "location=box://0/a%20", NULL, NULL, SETTINGS, "name", NULL },
  { "name-with-a-slash", "file-name=a/b", NULL, NULL, SETTINGS, "name", NULL },
  { "folder-that-is-not-there", "location=box://4711/a", NULL, NULL, GST_RESOURCE_ERROR_NOT_FOUND,
    "4711", "404" },
  { "file-that-is-not-there", "file-id=4711", NULL, NULL, GST_RESOURCE_ERROR_NOT_FOUND, "4711",
    "404" },
  { "refused-token", "location=box://0/a", NULL, with_refused_token, NOT_AUTHORIZED, "token",
    "401" },
  { "no-token", "location=box://0/a", NULL, without_token, NOT_AUTHORIZED, "token-file", NULL },
  { "token-file-that-is-not-there", "location=box://0/a token-file=/nowhere/token", NULL,
    without_token, NOT_AUTHORIZED, "/nowhere/token", NULL },
  { "untrusted-certificate", "location=box://0/a", NULL, with_untrusted_certificate, NOT_AUTHORIZED,
    "ca-file", NULL },
  { "http-to-another-machine", "location=box://0/a", NULL, with_endpoint_in_clear, NOT_AUTHORIZED,
    "http", NULL },
  { "http-to-another-machine-for-the-rest-of-the-api", "location=box://0/a", NULL,
    with_api_endpoint_in_clear, NOT_AUTHORIZED, "http", NULL },
  /* As many parts of the same size: only Box can tell. */
  { "total-a-byte-below-the-sessions", "total-size=25000000", NULL, with_session_of_a_byte_more,
    GST_RESOURCE_ERROR_WRITE, "not the one that the session was created for", "416" },
  { "name-that-box-refuses", "location=box://0/a", NULL, NULL, SETTINGS, "name", "400",
    NAME_INVALID ("create_session") },
  { "name-that-box-refuses-of-one-request", "location=box://0/a total-size=900", SHORT, NULL,
    SETTINGS, "name", "400", NAME_INVALID ("upload_file") },
  { "name-that-box-refuses-in-advance", "location=box://0/a total-size=900", SHORT, NULL, SETTINGS,
    "name", "400", NAME_INVALID ("preflight") },
};

static void
assert_status (SinkFixture *fixture, const char *expected)
{
  const GstStructure *details = sink_fixture_get_error_details (fixture);
  guint status = 0;

  g_assert_nonnull (details);
  g_assert_true (gst_structure_get_uint (details, "http-status-code", &status));
  g_assert_cmpuint (status, ==, g_ascii_strtoull (expected, NULL, 10));
  g_assert_nonnull (gst_structure_get_string (details, "request-id"));
}

static void
test_refused (gconstpointer data)
{
  const Refusal *refusal = data;
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autofree char *file_source = g_strdup_printf ("filesrc location=%s", path);
  guint n_files;

  sink_fixture_launch (fixture, "%s ! boxuploadsink name=sink %s",
                       refusal->source != NULL ? refusal->source : file_source,
                       refusal->properties);
  if (refusal->prepare != NULL)
    refusal->prepare (fixture);
  if (refusal->scenario != NULL)
    kit_load_rules (fixture->emulator, refusal->scenario);
  n_files = box_emulator_count_files (fixture->emulator);

  g_assert_false (sink_fixture_run (fixture));
  gst_element_set_state (fixture->pipeline, GST_STATE_NULL);
  sink_fixture_assert_failed (fixture, refusal->code, refusal->words);
  if (refusal->http_status != NULL)
    assert_status (fixture, refusal->http_status);
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_null (sink_fixture_find (fixture, "boxuploadsink-complete"));
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, n_files);
}

/* The other two answers to a name that is taken. */
static void
test_taken_name_becomes_a_version (gconstpointer data)
{
  const char *size = data;
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, g_ascii_strtoull (size, NULL, 10));
  g_autoptr (BoxEmulatorFile) file = NULL;

  with_taken_name (fixture);
  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink location=box://0/taken.bin "
                       "if-exists=version",
                       path);
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "taken.bin", path);
  file = box_emulator_find_file (fixture->emulator, "0", "taken.bin");
  g_assert_cmpuint (file->n_versions, ==, 2);
}

static void
test_taken_name_is_changed (gconstpointer data)
{
  const char *size = data;
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, g_ascii_strtoull (size, NULL, 10));

  with_taken_name (fixture);
  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink location=box://0/taken.bin "
                       "if-exists=rename",
                       path);
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "taken (1).bin", path);
}

/* Upstream's failure ends the stream with EOS, too: what is short must not be committed. */
static void
test_upstream_error_commits_nothing (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);

  sink_fixture_launch (fixture,
                       "filesrc location=%s ! identity error-after=50 ! boxuploadsink name=sink "
                       "location=box://0/a",
                       path);
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  while (sink_fixture_count (fixture, GST_MESSAGE_ERROR) == 0)
    g_ptr_array_add (fixture->messages, gst_bus_timed_pop (fixture->bus, SINK_FIXTURE_PATIENCE));
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "of the 25000000");
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "commit"), ==, 0);
}

static void
test_rewriting_muxer_is_refused (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);

  sink_fixture_launch (fixture, "audiotestsrc num-buffers=10 ! audio/x-raw,format=S16LE,channels=1 "
                                "! wavenc ! boxuploadsink name=sink "
                                "location=box://0/a.wav total-size=100000");
  g_assert_false (sink_fixture_run (fixture));
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SEEK, "byte 0 after byte");
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

/* on-error=abort takes the session away that the sink made, keep leaves it. */
static void
test_on_error (gconstpointer data)
{
  gboolean aborts = GPOINTER_TO_INT (data);
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;

  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink location=box://0/a "
                       "total-size=26000000 on-error=%s",
                       path, aborts ? "abort" : "keep");
  g_assert_false (sink_fixture_run (fixture));
  gst_element_set_state (fixture->pipeline, GST_STATE_NULL);
  if (aborts)
    g_assert_true (box_emulator_wait_done (fixture->emulator, "abort", 1, KIT_PATIENCE_MS));
  ids = box_emulator_get_session_ids (fixture->emulator);
  g_assert_cmpuint (ids->len, ==, 1);
  session = box_emulator_get_session (fixture->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpint (session->state, ==,
                   aborts ? BOX_EMULATOR_SESSION_ABORTED : BOX_EMULATOR_SESSION_OPEN);
}

int
main (int argc, char **argv)
{
  static const char *const sizes[] = { "5000", "25000000" };

  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *path = g_strdup_printf ("/refused/%s", refusals[i].name);

      g_test_add_data_func (path, &refusals[i], test_refused);
    }
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *version = g_strdup_printf ("/if-exists/version/%s", sizes[i]);
      g_autofree char *renamed = g_strdup_printf ("/if-exists/rename/%s", sizes[i]);

      g_test_add_data_func (version, sizes[i], test_taken_name_becomes_a_version);
      g_test_add_data_func (renamed, sizes[i], test_taken_name_is_changed);
    }
  g_test_add_func ("/refused/eos-after-an-error-upstream", test_upstream_error_commits_nothing);
  g_test_add_func ("/refused/a-muxer-that-rewrites", test_rewriting_muxer_is_refused);
  g_test_add_data_func ("/on-error/abort", GINT_TO_POINTER (TRUE), test_on_error);
  g_test_add_data_func ("/on-error/keep", GINT_TO_POINTER (FALSE), test_on_error);
  return g_test_run ();
}

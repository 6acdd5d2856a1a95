/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Properties, the URI handler and queries: what an application sees of the element before any data.
 */
#include "kit/pattern.h"
#include "sink-fixture.h"

static void
test_access_token_is_never_readable (void)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (sink), "access-token");

  g_assert_cmpint (pspec->flags & G_PARAM_READABLE, ==, 0);
  g_assert_cmpint (pspec->flags & GST_PARAM_MUTABLE_PLAYING, !=, 0);
}

static const struct
{
  const char *set;
  const char *read;
} proxies[] = {
  { "http://u:s3cret@proxy.example.com:3128", "http://u@proxy.example.com:3128" },
  { "http://u:s3cret@@proxy.example.com", "http://u@proxy.example.com" },
  { "http://u:s3cret/@proxy.example.com", "http://u@proxy.example.com" },
  { "u:s3cret@proxy.example.com", "u@proxy.example.com" },
  { "u:s3cret://x@proxy.example.com", "u@proxy.example.com" },
  { "http://:s3cret@proxy.example.com/", "http://@proxy.example.com/" },
  { "http://u@proxy.example.com", "http://u@proxy.example.com" },
  { "socks5://proxy.example.com", "socks5://proxy.example.com" },
};

static void
test_the_proxys_password_is_never_readable (void)
{
  g_autoptr (GstElement) pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  GstElement *sink = gst_element_factory_make ("boxuploadsink", NULL);

  gst_bin_add (GST_BIN (pipeline), sink);
  for (guint i = 0; i < G_N_ELEMENTS (proxies); i++)
    {
      g_autofree char *read = NULL;
      g_autofree char *dot = NULL;

      g_object_set (sink, "proxy", proxies[i].set, NULL);
      g_object_get (sink, "proxy", &read, NULL);
      g_assert_cmpstr (read, ==, proxies[i].read);
      dot = gst_debug_bin_to_dot_data (GST_BIN (pipeline), GST_DEBUG_GRAPH_SHOW_ALL);
      g_assert_null (strstr (dot, "s3cret"));
    }
}

static void
test_every_property_is_described (void)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  g_autofree GParamSpec **specs = NULL;
  guint n, ours = 0;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (sink), &n);
  for (guint i = 0; i < n; i++)
    if (specs[i]->owner_type == G_OBJECT_TYPE (sink))
      {
        ours++;
        g_assert_cmpuint (strlen (g_param_spec_get_blurb (specs[i])), >, 10);
      }
  g_assert_cmpuint (ours, >=, 28);
}

static void
test_defaults (void)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  g_autofree char *folder_id = NULL;
  g_autofree char *endpoint = NULL;
  g_autofree char *session = NULL;
  guint parallel, retry_timeout, timeout;
  gboolean sync, commit, last_sample;

  g_object_get (sink, "folder-id", &folder_id, "endpoint", &endpoint, "session", &session,
                "parallel", &parallel, "retry-timeout", &retry_timeout, "timeout", &timeout, "sync",
                &sync, "commit", &commit, "enable-last-sample", &last_sample, NULL);
  g_assert_cmpstr (folder_id, ==, "0");
  g_assert_cmpstr (endpoint, ==, "https://upload.box.com/api/2.0");
  g_assert_null (session);
  g_assert_cmpuint (parallel, ==, 0);
  g_assert_cmpuint (retry_timeout, ==, 600);
  g_assert_cmpuint (timeout, ==, 60);
  g_assert_true (commit);
  g_assert_false (sync);
  g_assert_false (last_sample);
}

static void
test_fixed_while_running (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *location = NULL;

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", "total-size", G_GUINT64_CONSTANT (10),
                NULL);
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_ASYNC);
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "sink: the property 'location' can only*");
  g_object_set (fixture->sink, "location", "box://0/b", NULL);
  g_test_assert_expected_messages ();
  g_object_get (fixture->sink, "location", &location, NULL);
  g_assert_cmpstr (location, ==, "box://0/a");
  g_assert_false (gst_uri_handler_set_uri (GST_URI_HANDLER (fixture->sink), "box://0/b", NULL));

  gst_element_set_state (fixture->sink, GST_STATE_READY);
  g_object_set (fixture->sink, "location", "box://0/b", NULL);
  g_clear_pointer (&location, g_free);
  g_object_get (fixture->sink, "location", &location, NULL);
  g_assert_cmpstr (location, ==, "box://0/b");
}

/* filesink says so on standard error, too. */
static void
test_changes_while_running_are_warned_of (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree GParamSpec **all = NULL;
  guint n, n_warned = 0;

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", NULL);
  gst_element_set_state (fixture->sink, GST_STATE_PAUSED);
  all = g_object_class_list_properties (G_OBJECT_GET_CLASS (fixture->sink), &n);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *pattern = g_strdup_printf ("*'%s'*ignored", all[i]->name);

      if (all[i]->owner_type != G_OBJECT_TYPE (fixture->sink)
          || (all[i]->flags & G_PARAM_WRITABLE) == 0
          || (all[i]->flags & GST_PARAM_MUTABLE_PLAYING) != 0)
        continue;
      g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, pattern);
      g_object_set_property (G_OBJECT (fixture->sink), all[i]->name,
                             g_param_spec_get_default_value (all[i]));
      g_test_assert_expected_messages ();
      n_warned++;
    }
  g_assert_cmpuint (n_warned, >, 20);
}

static void
test_uri_is_valid_or_null (void)
{
  static const char *const invalid[] = { "", "a", "/a", "file:///a", "box://", "box://0/a%2Fb" };
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  g_autofree char *uri = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (invalid); i++)
    {
      g_object_set (sink, "location", invalid[i], NULL);
      g_assert_null (gst_uri_handler_get_uri (GST_URI_HANDLER (sink)));
    }
  g_object_set (sink, "location", "box://0/a b.mp4", NULL);
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (sink));
  g_assert_cmpstr (uri, ==, "box://0/a%20b.mp4");
}

static void
test_uri_is_the_location (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) sink =
      gst_element_make_from_uri (GST_URI_SINK, "box://12/a%20b.mp4", NULL, &error);
  g_autofree char *location = NULL;
  g_autofree char *uri = NULL;

  g_assert_no_error (error);
  gst_object_ref_sink (sink);
  g_assert_cmpstr (GST_OBJECT_NAME (gst_element_get_factory (sink)), ==, "boxuploadsink");
  g_object_get (sink, "location", &location, NULL);
  g_assert_cmpstr (location, ==, "box://12/a%20b.mp4");

  g_object_set (sink, "location", NULL, "folder-id", "34", "file-name", "ü?.mp4", NULL);
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (sink));
  g_assert_cmpstr (uri, ==, "box://34/%C3%BC%3F.mp4");
}

static void
test_bad_uris_are_refused (void)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  static const char *const uris[] = { "box://", "box://0", "box://0/", "box://x/a",
                                      "box://0/a//b" };

  for (guint i = 0; i < G_N_ELEMENTS (uris); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (gst_uri_handler_set_uri (GST_URI_HANDLER (sink), uris[i], &error));
      g_assert_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI);
    }
}

static void
test_seeking_is_answered_with_no (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = TRUE;

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", "total-size", G_GUINT64_CONSTANT (10),
                NULL);
  sink_fixture_start_harness (fixture);
  g_assert_true (gst_pad_peer_query (fixture->harness->srcpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  g_assert_false (seekable);
}

static void
test_position_is_in_bytes (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 10);
  gint64 position = -1;

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", "total-size", G_GUINT64_CONSTANT (10),
                NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 7), ==, GST_FLOW_OK);
  g_assert_true (gst_element_query_position (fixture->sink, GST_FORMAT_BYTES, &position));
  g_assert_cmpint (position, ==, 7);
}

static void
push_segment (GstHarness *harness, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = start;
  g_assert_true (gst_harness_push_event (harness, gst_event_new_segment (&segment)));
}

/* Where @sink is after each step of a stream that goes back. */
static void
follow_position (GstHarness *harness, gint64 positions[4])
{
  static const struct
  {
    guint64 start;
    gsize size;
  } steps[] = { { 0, 9150 }, { 8800, 0 }, { 8800, 100 }, { 9150, 50 } };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      push_segment (harness, steps[i].start);
      if (steps[i].size > 0)
        gst_harness_push (harness, gst_buffer_new_allocate (NULL, steps[i].size, NULL));
      g_assert_true (
          gst_pad_peer_query_position (harness->srcpad, GST_FORMAT_BYTES, &positions[i]));
    }
}

static void
test_position_follows_a_segment_that_goes_back (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *line = g_strdup_printf ("filesink location=%s/file", fixture->dir);
  GstHarness *other = gst_harness_new_parse (line);
  gint64 ours[4], filesinks[4];

  gst_harness_set_src_caps_str (other, "application/octet-stream");
  follow_position (other, filesinks);
  gst_harness_teardown (other);

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", "spool-dir", fixture->dir, NULL);
  sink_fixture_start_harness (fixture);
  follow_position (fixture->harness, ours);
  g_assert_cmpmem (ours, sizeof ours, filesinks, sizeof filesinks);
}

static void
test_uri_query (void)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  g_autoptr (GstQuery) query = gst_query_new_uri ();
  g_autofree char *uri = NULL;

  g_object_set (sink, "location", "box://0/a", NULL);
  g_assert_true (gst_element_query (sink, query));
  gst_query_parse_uri (query, &uri);
  g_assert_cmpstr (uri, ==, "box://0/a");
}

/* As splitmuxsink's sink-properties gives them. */
static void
test_enums_can_be_given_as_strings (void)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("boxuploadsink", NULL));
  g_auto (GValue) value = G_VALUE_INIT;
  gint mode = 0;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_static_string (&value, "spool");
  g_object_set_property (G_OBJECT (sink), "eos-mode", &value);
  g_object_get (sink, "eos-mode", &mode, NULL);
  g_assert_cmpint (mode, ==, 1);
}

static void
test_stats_outlive_the_upload (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 10);
  g_autoptr (GstStructure) stats = NULL;

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a", "total-size", G_GUINT64_CONSTANT (10),
                NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 10), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
  gst_element_set_state (fixture->sink, GST_STATE_NULL);

  g_assert_cmpuint (sink_fixture_get_stat (fixture, "bytes-uploaded"), ==, 10);
  g_object_get (fixture->sink, "upload-stats", &stats, NULL);
  g_assert_nonnull (gst_structure_get_string (stats, "file-id"));
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/element/the-proxys-password-is-never-readable",
                   test_the_proxys_password_is_never_readable);
  g_test_add_func ("/properties/access-token-is-never-readable",
                   test_access_token_is_never_readable);
  g_test_add_func ("/properties/every-one-is-described", test_every_property_is_described);
  g_test_add_func ("/properties/defaults", test_defaults);
  g_test_add_func ("/properties/the-destination-is-fixed-while-running", test_fixed_while_running);
  g_test_add_func ("/properties/changes-while-running-are-warned-of",
                   test_changes_while_running_are_warned_of);
  g_test_add_func ("/properties/enums-can-be-given-as-strings", test_enums_can_be_given_as_strings);
  g_test_add_func ("/properties/stats-outlive-the-upload", test_stats_outlive_the_upload);
  g_test_add_func ("/uri/is-the-location", test_uri_is_the_location);
  g_test_add_func ("/uri/is-valid-or-null", test_uri_is_valid_or_null);
  g_test_add_func ("/uri/bad-ones-are-refused", test_bad_uris_are_refused);
  g_test_add_func ("/queries/seeking-is-answered-with-no", test_seeking_is_answered_with_no);
  g_test_add_func ("/queries/position-is-in-bytes", test_position_is_in_bytes);
  g_test_add_func ("/queries/position-follows-a-segment-that-goes-back",
                   test_position_follows_a_segment_that_goes_back);
  g_test_add_func ("/queries/uri", test_uri_query);
  return g_test_run ();
}

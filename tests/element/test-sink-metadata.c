/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file gets after its commit, by the element. */
#include "sink-fixture.h"

#include "kit/emulator.h"
#include "kit/patience.h"
#include "kit/pattern.h"

#include <string.h>

#define SIZE 70000

static const char refusal[] = RULE ({
  "route": "create_metadata",
  "do": "reply",
  "status": 403,
  "headers": { "WWW-Authenticate": "Bearer realm=\"S\", error=\"insufficient_scope\"" }
});

/* @how: the size is known ("known"), or the way of unknown-size. */
static SinkFixture *
begin (const char *how)
{
  SinkFixture *fixture = sink_fixture_new (NULL);
  g_autoptr (GstStructure) metadata =
      gst_structure_new ("any", "camera", G_TYPE_INT, 3, "night", G_TYPE_BOOLEAN, TRUE, "scene",
                         G_TYPE_STRING, "Scene 1", NULL);

  fixture->has_state = TRUE;
  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/a.bin", "metadata", metadata, NULL);
  if (g_str_equal (how, "known"))
    g_object_set (fixture->sink, "total-size", (guint64) SIZE, NULL);
  else
    gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", how);
  return fixture;
}

static void
run (SinkFixture *fixture)
{
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
}

static JsonObject *
get_instance (SinkFixture *fixture, const char *name)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", "a.bin");

  g_assert_nonnull (file);
  return box_emulator_get_metadata (fixture->emulator, file->id, name);
}

static void
test_file_has_its_metadata_at_eos (gconstpointer how)
{
  g_autoptr (SinkFixture) fixture = begin (how);
  g_autoptr (JsonObject) instance = NULL;

  run (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  instance = get_instance (fixture, "global/properties");
  g_assert_nonnull (instance);
  g_assert_cmpstr (json_object_get_string_member (instance, "camera"), ==, "3");
  g_assert_cmpstr (json_object_get_string_member (instance, "night"), ==, "true");
  g_assert_cmpstr (json_object_get_string_member (instance, "scene"), ==, "Scene 1");
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_WARNING), ==, 0);
}

static void
test_template_takes_numbers (void)
{
  g_autoptr (SinkFixture) fixture = begin ("spool");
  g_autoptr (JsonObject) instance = NULL;

  g_object_set (fixture->sink, "metadata-template", "enterprise.scene", NULL);
  run (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  instance = get_instance (fixture, "enterprise/scene");
  g_assert_cmpint (json_object_get_int_member (instance, "camera"), ==, 3);
}

/* What an application may have at hand, and what Box gets of it. */
static void
test_template_takes_values_of_every_kind (void)
{
  g_autoptr (SinkFixture) fixture = begin ("spool");
  g_autoptr (GstStructure) metadata = gst_structure_from_string (
      "any, u=(uint)4000000000, long=(gint64)-5, real=1.5, "
      "fine=(float)0.25, list={ (string)a, (string)b }, array=< (string)c, true >, "
      "rate=(fraction)30/1, day=(GDate)2026-11-26, time=(GstDateTime)2026-11-26T13:48:16Z",
      NULL);
  g_autoptr (JsonObject) instance = NULL;
  JsonArray *list, *array;

  g_assert_nonnull (metadata);
  g_object_set (fixture->sink, "metadata", metadata, "metadata-template", "enterprise.scene", NULL);
  run (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  instance = get_instance (fixture, "enterprise/scene");
  g_assert_nonnull (instance);
  g_assert_cmpint (json_object_get_int_member (instance, "u"), ==, 4000000000);
  g_assert_cmpint (json_object_get_int_member (instance, "long"), ==, -5);
  g_assert_cmpfloat (json_object_get_double_member (instance, "real"), ==, 1.5);
  g_assert_cmpfloat (json_object_get_double_member (instance, "fine"), ==, 0.25);
  g_assert_cmpstr (json_object_get_string_member (instance, "rate"), ==, "30/1");
  g_assert_cmpstr (json_object_get_string_member (instance, "day"), ==, "2026-11-26");
  g_assert_cmpstr (json_object_get_string_member (instance, "time"), ==, "2026-11-26T13:48:16Z");
  list = json_object_get_array_member (instance, "list");
  g_assert_cmpuint (json_array_get_length (list), ==, 2);
  g_assert_cmpstr (json_array_get_string_element (list, 1), ==, "b");
  array = json_object_get_array_member (instance, "array");
  g_assert_cmpstr (json_array_get_string_element (array, 0), ==, "c");
  g_assert_cmpstr (json_array_get_string_element (array, 1), ==, "true");
}

/* The file is there, the bus has a WARNING that says what to do, and EOS comes. */
static void
test_refusal_is_a_warning (gconstpointer how)
{
  g_autoptr (SinkFixture) fixture = begin (how);
  g_autoptr (GError) warning = NULL;
  GstMessage *message;

  kit_load_rules (fixture->emulator, refusal);
  run (fixture);
  message = sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &warning, NULL);
  g_assert_error (warning, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED);
  g_assert_nonnull (strstr (warning->message, "metadata"));
  g_assert_nonnull (strstr (warning->message, "boxupload resume"));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  g_assert_nonnull (sink_fixture_find (fixture, "boxuploadsink-complete"));
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_ERROR), ==, 0);
  g_assert_null (get_instance (fixture, "global/properties"));
}

static void
test_what_box_has_no_place_for_is_an_error_of_settings (void)
{
  g_autoptr (SinkFixture) fixture = begin ("spool");
  g_autoptr (GstStructure) metadata =
      gst_structure_new ("any", "x", GST_TYPE_INT_RANGE, 1, 2, NULL);

  g_object_set (fixture->sink, "metadata", metadata, NULL);
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_FAILURE);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SETTINGS, "metadata");
}

static void
test_content_is_created_at_the_first_buffer (void)
{
  g_autoptr (SinkFixture) fixture = begin ("spool");
  gint64 before = g_get_real_time () / G_USEC_PER_SEC, after, created;
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_autoptr (GDateTime) time = NULL;

  run (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  after = g_get_real_time () / G_USEC_PER_SEC;
  file = box_emulator_find_file (fixture->emulator, "0", "a.bin");
  g_assert_nonnull (file->content_created_at);
  time = g_date_time_new_from_iso8601 (file->content_created_at, NULL);
  created = g_date_time_to_unix (time);
  g_assert_cmpint (created, >=, before);
  g_assert_cmpint (created, <=, after);
}

static void
test_creation_time_of_the_application_counts (void)
{
  g_autoptr (SinkFixture) fixture = begin ("spool");
  g_autoptr (BoxEmulatorFile) file = NULL;

  g_object_set (fixture->sink, "content-created-at", "2020-01-02T03:04:05Z", NULL);
  run (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  file = box_emulator_find_file (fixture->emulator, "0", "a.bin");
  g_assert_cmpstr (file->content_created_at, ==, "2020-01-02T03:04:05Z");
}

static gpointer
push_eos (gpointer fixture)
{
  sink_fixture_push_eos (fixture);
  return NULL;
}

/* Box does not answer; the application does not wait. */
static void
test_stop_does_not_wait_for_the_metadata (gconstpointer how)
{
  g_autoptr (SinkFixture) fixture = begin (how);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  GThread *streaming;

  kit_load_rules (fixture->emulator,
                  RULE ({"route": "create_metadata", "do": "hold", "name": "gate"}));
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  streaming = g_thread_new ("streaming", push_eos, fixture);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_NULL), ==,
                   GST_STATE_CHANGE_SUCCESS);
  g_thread_join (streaming);
  box_emulator_release (fixture->emulator, "gate");
}

int
main (int argc, char **argv)
{
  static const char *const ways[] = { "spool", "live", "known" };

  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *there = g_strconcat ("/metadata/at-eos/", ways[i], NULL);
      g_autofree char *refused = g_strconcat ("/metadata/refused/", ways[i], NULL);

      g_test_add_data_func (there, ways[i], test_file_has_its_metadata_at_eos);
      g_test_add_data_func (refused, ways[i], test_refusal_is_a_warning);
    }
  g_test_add_func ("/metadata/template", test_template_takes_numbers);
  g_test_add_func ("/metadata/values", test_template_takes_values_of_every_kind);
  g_test_add_func ("/metadata/settings", test_what_box_has_no_place_for_is_an_error_of_settings);
  g_test_add_func ("/metadata/created", test_content_is_created_at_the_first_buffer);
  g_test_add_func ("/metadata/created-before", test_creation_time_of_the_application_counts);
  g_test_add_data_func ("/metadata/stop/spool", "spool", test_stop_does_not_wait_for_the_metadata);
  g_test_add_data_func ("/metadata/stop/known", "known", test_stop_does_not_wait_for_the_metadata);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Destinations with a path of folders, by location and by folder-path. */
#include "sink-fixture.h"

#include "kit/emulator.h"
#include "kit/patience.h"
#include "kit/pattern.h"

#define SIZE 70000

static SinkFixture *
begin (void)
{
  SinkFixture *fixture = sink_fixture_new (NULL);

  fixture->has_state = TRUE;
  sink_fixture_make_sink (fixture);
  return fixture;
}

/* Pushes a stream of SIZE bytes to its end. */
static void
run (SinkFixture *fixture, GBytes *bytes)
{
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, SIZE), ==, GST_FLOW_OK);
  g_assert_true (sink_fixture_push_eos (fixture));
}

static void
assert_stored (SinkFixture *fixture, const char *path, const char *name, GBytes *bytes)
{
  g_autofree char *folder = box_emulator_find_folder (fixture->emulator, path);

  g_assert_nonnull (folder);
  sink_fixture_assert_stored_bytes (fixture, folder, name, bytes);
}

/* @how: the size is known ("known"), or the way of unknown-size. */
static void
test_location_names_folders (gconstpointer how)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  g_object_set (fixture->sink, "location", "box://0/Archive/Camera%203/a.bin", NULL);
  if (g_str_equal (how, "known"))
    g_object_set (fixture->sink, "total-size", (guint64) SIZE, NULL);
  else
    gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", how);
  run (fixture, bytes);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  assert_stored (fixture, "archive/camera 3", "a.bin", bytes);
  g_assert_cmpuint (box_emulator_count_folders (fixture->emulator), ==, 2);
}

static void
test_folder_path_is_without_escapes (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree char *folder = box_emulator_add_folder (fixture->emulator, "0", "base");
  g_autofree char *uri = NULL, *expected = NULL;

  g_object_set (fixture->sink, "folder-id", folder, "folder-path", "100%/Ä b", "file-name", "a.bin",
                NULL);
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (fixture->sink));
  expected = g_strdup_printf ("box://%s/100%%25/%%C3%%84%%20b/a.bin", folder);
  g_assert_cmpstr (uri, ==, expected);
  run (fixture, bytes);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  assert_stored (fixture, "base/100%/ä B", "a.bin", bytes);
}

/* Found out while the recording begins, and said in words that help. */
static void
test_missing_folder_is_an_error_without_create_folders (gconstpointer known)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  g_object_set (fixture->sink, "location", "box://0/Archive/2026/a.bin", "create-folders", FALSE,
                NULL);
  if (known != NULL)
    g_object_set (fixture->sink, "total-size", (guint64) SIZE, NULL);
  sink_fixture_start_harness (fixture);
  sink_fixture_push (fixture, bytes, 0, 1000);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_NOT_FOUND, "“Archive”");
  g_assert_cmpuint (box_emulator_count_folders (fixture->emulator), ==, 0);
}

static void
test_a_path_that_cannot_be_is_an_error_of_settings (void)
{
  g_autoptr (SinkFixture) fixture = begin ();

  g_object_set (fixture->sink, "folder-path", "Archive/../x", "file-name", "a.bin", NULL);
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_FAILURE);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_SETTINGS, "folder name");
}

/* Whatever Box takes to make a folder, the application does not wait for it. */
static void
test_no_state_change_waits_for_folders (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);

  kit_load_rules (fixture->emulator,
                  RULE ({"route": ["create_folder", "list_folder"], "do": "hold", "name": "gate"}));
  g_object_set (fixture->sink, "location", "box://0/Archive/2026/a.bin", "total-size",
                (guint64) SIZE, NULL);
  sink_fixture_start_harness (fixture);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 1000), ==, GST_FLOW_OK);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_PAUSED), !=,
                   GST_STATE_CHANGE_FAILURE);
  g_assert_cmpint (gst_element_set_state (fixture->sink, GST_STATE_NULL), ==,
                   GST_STATE_CHANGE_SUCCESS);
  box_emulator_release (fixture->emulator, "gate");
}

/* ---- many ---- */

static const char *const spellings[] = { "Archive/2026/Camera 3/Takes",
                                         "ARCHIVE/2026/camera 3/takes",
                                         "archive/2026/CAMERA 3/Takes" };

static const char *
spell (guint i)
{
  return spellings[i % G_N_ELEMENTS (spellings)];
}

static GstElement *
start_sink (SinkFixture *fixture, const char *file, guint i)
{
  g_autofree char *name = g_strdup_printf ("%02u.bin", i);
  GstElement *pipeline = gst_parse_launch ("filesrc name=src ! boxuploadsink name=sink", NULL);
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");

  g_object_set (source, "location", file, NULL);
  sink_fixture_configure (fixture, sink);
  g_object_set (sink, "folder-path", spell (i), "file-name", name, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  return pipeline;
}

static void
finish_sink (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, SINK_FIXTURE_PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static GSubprocess *
start_put (SinkFixture *fixture, const char *file, guint i)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_autofree char *name = g_strdup_printf ("%02u.bin", i);
  g_autofree char *state = g_build_filename (fixture->dir, "state", NULL);
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_subprocess_launcher_setenv (launcher, "BOX_ACCESS_TOKEN", SINK_FIXTURE_TOKEN, TRUE);
  g_subprocess_launcher_setenv (launcher, "XDG_STATE_HOME", state, TRUE);
  process = g_subprocess_launcher_spawn (
      launcher, &error, g_getenv ("BOXUPLOAD"), "put", file, "--folder-path", spell (i), "--name",
      name, "--endpoint", box_emulator_get_endpoint (fixture->emulator, FALSE), "--api-endpoint",
      box_emulator_get_api_endpoint (fixture->emulator, FALSE), NULL);
  g_assert_no_error (error);
  return process;
}

static void
finish_put (GSubprocess *process)
{
  g_autoptr (GError) error = NULL;

  g_subprocess_wait_check (process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (process);
}

/* @n_sinks of this process, and @n_puts others. */
static void
race (SinkFixture *fixture, guint n_sinks, guint n_puts)
{
  g_autofree char *file = sink_fixture_make_file (fixture, SIZE);
  g_autoptr (GPtrArray) pipelines = g_ptr_array_new_with_free_func (gst_object_unref);
  g_autoptr (GPtrArray) processes = g_ptr_array_new ();
  g_autofree char *folder = NULL;

  for (guint i = 0; i < n_sinks; i++)
    g_ptr_array_add (pipelines, start_sink (fixture, file, i));
  for (guint i = 0; i < n_puts; i++)
    g_ptr_array_add (processes, start_put (fixture, file, n_sinks + i));
  for (guint i = 0; i < n_sinks; i++)
    finish_sink (pipelines->pdata[i]);
  for (guint i = 0; i < n_puts; i++)
    finish_put (processes->pdata[i]);
  folder = box_emulator_find_folder (fixture->emulator, spellings[0]);
  g_assert_nonnull (folder);
  for (guint i = 0; i < n_sinks + n_puts; i++)
    {
      g_autofree char *name = g_strdup_printf ("%02u.bin", i);
      g_autoptr (BoxEmulatorFile) stored = box_emulator_find_file (fixture->emulator, folder, name);

      g_assert_nonnull (stored);
      g_assert_cmpuint (stored->size, ==, SIZE);
    }
  g_assert_cmpuint (box_emulator_count_folders (fixture->emulator), ==, 4);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, n_sinks + n_puts);
}

static void
test_sinks_of_a_process_make_each_folder_once (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);

  race (fixture, 20, 0);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "create_folder"), ==, 4);
}

/* A hundred, in processes that know nothing of each other, while folders are locked now and then.
 */
static void
test_sinks_and_programs_make_each_folder_once (void)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);

  fixture->has_state = TRUE;
  kit_load_rules (
      fixture->emulator,
      RULE ({
    "route": "create_folder",
    "every": 4,
    "times": 5,
    "do": "reply",
    "status": 409,
    "json": { "type": "error", "status": 409, "code": "operation_blocked_temporary" }
  }));
  race (fixture, 80, 20);
}

/* A token for one folder makes none: the error says which is missing, and why. */
static void
test_a_token_for_one_folder_makes_none (void)
{
  g_autoptr (SinkFixture) fixture = begin ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree char *mine = box_emulator_add_folder (fixture->emulator, "0", "mine");
  g_autofree char *accounts = g_strdup_printf (
      "{\"tokens\":[{\"token\":\"" SINK_FIXTURE_TOKEN "\",\"folder\":\"%s\"}]}", mine);

  kit_load_accounts (fixture->emulator, accounts);
  g_object_set (fixture->sink, "folder-id", mine, "folder-path", "Archive/2026", "file-name",
                "a.bin", NULL);
  sink_fixture_start_harness (fixture);
  sink_fixture_push (fixture, bytes, 0, SIZE);
  sink_fixture_push_eos (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_NOT_AUTHORIZED, "“Archive”");
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_NOT_AUTHORIZED, "scope");
  g_assert_cmpuint (box_emulator_count_folders (fixture->emulator), ==, 1);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_data_func ("/folders/location/spool", "spool", test_location_names_folders);
  g_test_add_data_func ("/folders/location/live", "live", test_location_names_folders);
  g_test_add_data_func ("/folders/location/known", "known", test_location_names_folders);
  g_test_add_func ("/folders/folder-path", test_folder_path_is_without_escapes);
  g_test_add_data_func ("/folders/missing/spool", NULL,
                        test_missing_folder_is_an_error_without_create_folders);
  g_test_add_data_func ("/folders/missing/known", "",
                        test_missing_folder_is_an_error_without_create_folders);
  g_test_add_func ("/folders/settings", test_a_path_that_cannot_be_is_an_error_of_settings);
  g_test_add_func ("/folders/states", test_no_state_change_waits_for_folders);
  g_test_add_func ("/folders/sinks", test_sinks_of_a_process_make_each_folder_once);
  g_test_add_func ("/folders/sinks-and-programs", test_sinks_and_programs_make_each_folder_once);
  g_test_add_func ("/folders/scope", test_a_token_for_one_folder_makes_none);
  return g_test_run ();
}

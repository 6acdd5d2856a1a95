/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sink-fixture.h"

#include "kit/emulator.h"
#include "kit/leaks.h"
#include "kit/pattern.h"
#include "kit/places.h"
#include "kit/watchdog.h"

#include <string.h>

void
sink_fixture_init (int *argc, char ***argv)
{
  g_test_init (argc, argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  gst_init (argc, argv);
}

SinkFixture *
sink_fixture_new (const BoxEmulatorOptions *options)
{
  SinkFixture *fixture = g_new0 (SinkFixture, 1);

  kit_watchdog_start ();
  fixture->files = kit_list_open_files ();
  fixture->dir = kit_new_directory ();
  fixture->emulator = kit_emulator_new (options);
  fixture->messages = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_message_unref);
  return fixture;
}

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean gone;
} Disposal;

static void
on_sink_gone (gpointer data, GObject *object)
{
  Disposal *disposal = data;

  g_mutex_lock (&disposal->lock);
  disposal->gone = TRUE;
  g_cond_signal (&disposal->cond);
  g_mutex_unlock (&disposal->lock);
}

/* Sets everything to NULL, drops it, and waits until the sink is gone: a worker may be about to
 * release it. */
static void
drop_elements (SinkFixture *fixture)
{
  Disposal disposal = { .gone = FALSE };
  gint64 deadline = g_get_monotonic_time () + KIT_PATIENCE_US;

  g_mutex_init (&disposal.lock);
  g_cond_init (&disposal.cond);
  g_object_weak_ref (G_OBJECT (fixture->sink), on_sink_gone, &disposal);

  gst_element_set_state (fixture->pipeline != NULL ? fixture->pipeline : fixture->sink,
                         GST_STATE_NULL);
  g_clear_pointer (&fixture->harness, gst_harness_teardown);
  gst_bus_set_flushing (fixture->bus, TRUE);
  g_clear_pointer (&fixture->messages, g_ptr_array_unref);
  gst_element_set_bus (fixture->sink, NULL);
  gst_clear_object (&fixture->sink);
  gst_clear_object (&fixture->pipeline);
  gst_clear_object (&fixture->bus);

  g_mutex_lock (&disposal.lock);
  while (!disposal.gone && g_cond_wait_until (&disposal.cond, &disposal.lock, deadline))
    continue;
  g_assert_true (disposal.gone);
  g_mutex_unlock (&disposal.lock);
  g_mutex_clear (&disposal.lock);
  g_cond_clear (&disposal.cond);
}

void
sink_fixture_free (SinkFixture *fixture)
{
  g_autofree char *state = g_build_filename (g_get_user_state_dir (), "boxupload", NULL);

  if (fixture->sink != NULL)
    drop_elements (fixture);
  g_clear_pointer (&fixture->messages, g_ptr_array_unref);
  box_emulator_free (fixture->emulator);
  kit_remove_tree (fixture->dir);
  g_free (fixture->dir);

  kit_assert_open_files (fixture->files);
  g_free (fixture->files);
  if (fixture->has_state)
    kit_remove_tree (state);
  else
    g_assert_false (g_file_test (state, G_FILE_TEST_EXISTS));
  g_free (fixture);
  kit_watchdog_stop ();
}

/* --- Content -------------------------------------------------------------------------------- */

char *
sink_fixture_make_file (SinkFixture *fixture, guint64 size)
{
  g_autofree char *name = g_strdup_printf ("%" G_GUINT64_FORMAT ".bin", size);
  char *path = g_build_filename (fixture->dir, name, NULL);

  kit_pattern_write_file (path, size);
  return path;
}

/* --- Elements ------------------------------------------------------------------------------- */

void
sink_fixture_configure (SinkFixture *fixture, GstElement *sink)
{
  g_object_set (sink, "endpoint", box_emulator_get_endpoint (fixture->emulator, fixture->tls),
                "api-endpoint", box_emulator_get_api_endpoint (fixture->emulator, fixture->tls),
                "access-token", SINK_FIXTURE_TOKEN, NULL);
  if (fixture->tls)
    g_object_set (sink, "ca-file", box_emulator_get_ca_file (fixture->emulator), NULL);
}

void
sink_fixture_launch (SinkFixture *fixture, const char *format, ...)
{
  g_autofree char *line = NULL;
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);

  fixture->pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  gst_object_ref_sink (fixture->pipeline);
  fixture->bus = gst_element_get_bus (fixture->pipeline);
  fixture->sink = gst_bin_get_by_name (GST_BIN (fixture->pipeline), "sink");
  g_assert_nonnull (fixture->sink);
  sink_fixture_configure (fixture, fixture->sink);
}

SinkFixture *
sink_fixture_new_upload (guint64 size, gboolean tls, guint64 part, const char *properties,
                         char **path)
{
  BoxEmulatorOptions options = { .part_size = part };
  SinkFixture *fixture = sink_fixture_new (&options);

  fixture->tls = tls;
  *path = sink_fixture_make_file (fixture, size);
  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink location=box://0/a %s", *path,
                       properties);
  return fixture;
}

void
sink_fixture_play_upload (SinkFixture *fixture, const char *path)
{
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", path);
  sink_fixture_assert_progress_balanced (fixture);
}

void
sink_fixture_make_sink (SinkFixture *fixture)
{
  fixture->sink = gst_element_factory_make ("boxuploadsink", "sink");
  g_assert_nonnull (fixture->sink);
  gst_object_ref_sink (fixture->sink);
  fixture->bus = gst_bus_new ();
  gst_element_set_bus (fixture->sink, fixture->bus);
  sink_fixture_configure (fixture, fixture->sink);
}

void
sink_fixture_start_harness (SinkFixture *fixture)
{
  fixture->harness = gst_harness_new_with_element (fixture->sink, "sink", NULL);
  gst_element_set_bus (fixture->sink, fixture->bus);
  gst_harness_set_src_caps_str (fixture->harness, "application/octet-stream");
}

GstFlowReturn
sink_fixture_push (SinkFixture *fixture, GBytes *bytes, gsize offset, gsize size)
{
  g_autoptr (GBytes) slice = g_bytes_new_from_bytes (bytes, offset, size);

  return gst_harness_push (fixture->harness, gst_buffer_new_wrapped_bytes (slice));
}

gboolean
sink_fixture_push_eos (SinkFixture *fixture)
{
  return gst_harness_push_event (fixture->harness, gst_event_new_eos ());
}

/* --- Messages ------------------------------------------------------------------------------- */

static gboolean
is_end_or_ours (SinkFixture *fixture, GstMessage *message)
{
  GstObject *source = GST_MESSAGE_SRC (message);

  return source == GST_OBJECT (fixture->sink) || source == GST_OBJECT (fixture->pipeline);
}

/* The next message, added to the list; NULL if none came in time. */
static GstMessage *
take_message (SinkFixture *fixture, GstClockTime timeout)
{
  GstMessage *message = gst_bus_timed_pop (fixture->bus, timeout);

  if (message != NULL)
    g_ptr_array_add (fixture->messages, message);
  return message;
}

GstMessage *
sink_fixture_wait (SinkFixture *fixture, GstMessageType types)
{
  while (TRUE)
    {
      GstMessage *message = take_message (fixture, SINK_FIXTURE_PATIENCE);

      g_assert_nonnull (message);
      if ((GST_MESSAGE_TYPE (message) & types) != 0 && is_end_or_ours (fixture, message))
        return message;
      if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR && (types & GST_MESSAGE_ERROR) == 0)
        g_error ("unexpected: %s", gst_structure_to_string (gst_message_get_structure (message)));
    }
}

const GstStructure *
sink_fixture_wait_element (SinkFixture *fixture, const char *name)
{
  while (TRUE)
    {
      GstMessage *message = sink_fixture_wait (fixture, GST_MESSAGE_ELEMENT);

      if (gst_message_has_name (message, name))
        return gst_message_get_structure (message);
    }
}

gboolean
sink_fixture_run (SinkFixture *fixture)
{
  GstMessage *end;

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  end = sink_fixture_wait (fixture, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  sink_fixture_drain (fixture);
  return GST_MESSAGE_TYPE (end) == GST_MESSAGE_EOS;
}

void
sink_fixture_drain (SinkFixture *fixture)
{
  while (take_message (fixture, 0) != NULL)
    continue;
}

guint
sink_fixture_count (SinkFixture *fixture, GstMessageType type)
{
  guint n = 0;

  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = g_ptr_array_index (fixture->messages, i);

      if (GST_MESSAGE_TYPE (message) == type && is_end_or_ours (fixture, message))
        n++;
    }
  return n;
}

const GstStructure *
sink_fixture_find (SinkFixture *fixture, const char *name)
{
  for (guint i = fixture->messages->len; i > 0; i--)
    {
      GstMessage *message = g_ptr_array_index (fixture->messages, i - 1);

      if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT && gst_message_has_name (message, name))
        return gst_message_get_structure (message);
    }
  return NULL;
}

guint
sink_fixture_count_element (SinkFixture *fixture, const char *name)
{
  guint n = 0;

  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = g_ptr_array_index (fixture->messages, i);

      if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT && gst_message_has_name (message, name))
        n++;
    }
  return n;
}

static GstMessage *
find_error (SinkFixture *fixture)
{
  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = g_ptr_array_index (fixture->messages, i);

      if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR
          && GST_MESSAGE_SRC (message) == (gpointer) fixture->sink)
        return message;
    }
  return NULL;
}

GError *
sink_fixture_get_error (SinkFixture *fixture)
{
  GstMessage *message = find_error (fixture);
  GError *error = NULL;

  if (message == NULL)
    return NULL;
  gst_message_parse_error (message, &error, NULL);
  g_assert_true (error->domain == GST_RESOURCE_ERROR);
  return error;
}

const GstStructure *
sink_fixture_get_error_details (SinkFixture *fixture)
{
  GstMessage *message = find_error (fixture);
  const GstStructure *details = NULL;

  g_assert_nonnull (message);
  gst_message_parse_error_details (message, &details);
  return details;
}

void
sink_fixture_assert_failed (SinkFixture *fixture, GstResourceError code, const char *words)
{
  g_autoptr (GError) error = sink_fixture_get_error (fixture);

  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_cmpint (error->code, ==, code);
  if (words != NULL && strstr (error->message, words) == NULL)
    g_error ("\"%s\" is not in \"%s\"", words, error->message);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_ERROR), ==, 1);
}

void
sink_fixture_assert_progress_balanced (SinkFixture *fixture)
{
  gint open = 0;

  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = g_ptr_array_index (fixture->messages, i);
      GstProgressType type;

      if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_PROGRESS)
        continue;
      gst_message_parse_progress (message, &type, NULL, NULL);
      if (type == GST_PROGRESS_TYPE_START)
        open++;
      else if (type != GST_PROGRESS_TYPE_CONTINUE)
        open--;
      g_assert_cmpint (open, >=, 0);
    }
  g_assert_cmpint (open, ==, 0);
}

/* The index of the first message of @type and (unless NULL) of this name among those taken; -1 if
 * there is no such message. */
static gint
index_of (SinkFixture *fixture, GstMessageType type, const char *name)
{
  for (guint i = 0; i < fixture->messages->len; i++)
    {
      GstMessage *message = g_ptr_array_index (fixture->messages, i);

      if (GST_MESSAGE_TYPE (message) == type
          && (name == NULL || gst_message_has_name (message, name)))
        return (gint) i;
    }
  return -1;
}

void
sink_fixture_forget_messages (SinkFixture *fixture)
{
  sink_fixture_drain (fixture);
  g_ptr_array_set_size (fixture->messages, 0);
}

void
sink_fixture_assert_eos_is_last (SinkFixture *fixture)
{
  gint eos = index_of (fixture, GST_MESSAGE_EOS, NULL);
  gint complete = index_of (fixture, GST_MESSAGE_ELEMENT, "boxuploadsink-complete");

  g_assert_cmpint (complete, >=, 0);
  g_assert_cmpint (eos, >, complete);
}

/* --- What is stored ------------------------------------------------------------------------- */

static void
assert_announced (SinkFixture *fixture, const BoxEmulatorFile *file)
{
  const GstStructure *complete = sink_fixture_find (fixture, "boxuploadsink-complete");
  guint64 size;

  g_assert_nonnull (complete);
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-complete"), ==, 1);
  g_assert_cmpstr (gst_structure_get_string (complete, "file-id"), ==, file->id);
  g_assert_cmpstr (gst_structure_get_string (complete, "sha1"), ==, file->sha1);
  g_assert_true (gst_structure_get_uint64 (complete, "size", &size));
  g_assert_cmpuint (size, ==, file->size);
  sink_fixture_assert_eos_is_last (fixture);
}

void
sink_fixture_assert_stored (SinkFixture *fixture, const char *folder, const char *name,
                            const char *path)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, folder, name);
  g_autoptr (GMappedFile) expected = g_mapped_file_new (path, FALSE, NULL);
  g_autoptr (GMappedFile) stored = NULL;
  gsize size = g_mapped_file_get_length (expected);

  g_assert_nonnull (file);
  assert_announced (fixture, file);
  g_assert_cmpuint (file->size, ==, size);
  stored = g_mapped_file_new (file->path, FALSE, NULL);
  g_assert_cmpuint (g_mapped_file_get_length (stored), ==, size);
  if (size > 0)
    g_assert_cmpint (
        memcmp (g_mapped_file_get_contents (stored), g_mapped_file_get_contents (expected), size),
        ==, 0);
}

void
sink_fixture_assert_stored_bytes (SinkFixture *fixture, const char *folder, const char *name,
                                  GBytes *bytes)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, folder, name);

  g_assert_nonnull (file);
  assert_announced (fixture, file);
  kit_assert_content (file->path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

BoxSpoolEntry *
sink_fixture_find_recording (SinkFixture *fixture, GPtrArray **list)
{
  g_autofree char *dir = g_build_filename (fixture->dir, "spool", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, &error);

  g_assert_no_error (error);
  *list = box_spool_list (spool, &error);
  g_assert_no_error (error);
  g_assert_cmpuint ((*list)->len, <=, 1);
  return (*list)->len == 1 ? (*list)->pdata[0] : NULL;
}

guint64
sink_fixture_get_stat (SinkFixture *fixture, const char *field)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;
  guint small = 0;

  g_object_get (fixture->sink, "upload-stats", &stats, NULL);
  if (gst_structure_get_uint64 (stats, field, &value))
    return value;
  g_assert_true (gst_structure_get_uint (stats, field, &small));
  return small;
}

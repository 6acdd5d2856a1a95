/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens that the application gives: set while playing, asked for by request-token, and asked for
 * in vain.
 */
#include "parts-fixture.h"

#include <glib/gstdio.h>

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean asked;
  gboolean answer;
} Application;

static char *
on_request_token (GstElement *sink, gpointer user_data)
{
  Application *application = user_data;

  g_mutex_lock (&application->lock);
  application->asked = TRUE;
  g_cond_broadcast (&application->cond);
  while (!application->answer)
    g_cond_wait (&application->cond, &application->lock);
  g_mutex_unlock (&application->lock);
  return NULL;
}

static void
wait_until_asked (Application *application)
{
  g_mutex_lock (&application->lock);
  while (!application->asked)
    g_cond_wait (&application->cond, &application->lock);
  g_mutex_unlock (&application->lock);
}

/* The application's thread ends, too. */
static void
let_answer (Application *application)
{
  g_mutex_lock (&application->lock);
  application->answer = TRUE;
  g_cond_broadcast (&application->cond);
  g_mutex_unlock (&application->lock);
}

/* A sink whose token is refused, and that asks an application that never answers. */
static void
play_until_asked (SinkFixture *fixture, Application *application)
{
  box_emulator_revoke_token (fixture->emulator, SINK_FIXTURE_TOKEN);
  g_signal_connect (fixture->sink, "request-token", G_CALLBACK (on_request_token), application);
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  wait_until_asked (application);
}

static void
test_request_never_answered_does_not_keep_from_stopping (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autofree char *path = parts_fixture_launch (fixture, "");
  static Application application;
  gint64 begin;

  play_until_asked (fixture, &application);
  begin = g_get_monotonic_time ();
  g_assert_cmpint (gst_element_set_state (fixture->pipeline, GST_STATE_NULL), ==,
                   GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, AT_ONCE);
  let_answer (&application);
}

/* Another sink in this process, with a token that is good, from beginning to end. */
static void
upload_beside (SinkFixture *fixture)
{
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE + 1);
  g_autofree char *line =
      g_strdup_printf ("filesrc location=%s ! boxuploadsink name=sink location=box://0/b", path);
  g_autoptr (GstElement) pipeline = gst_object_ref_sink (gst_parse_launch (line, NULL));
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) end = NULL;

  sink_fixture_configure (fixture, sink);
  g_object_set (sink, "access-token", "a-good-token", NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  end =
      gst_bus_timed_pop_filtered (bus, SINK_FIXTURE_PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (end);
  g_assert_cmpint (GST_MESSAGE_TYPE (end), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* After 30 seconds: the plugin lets nobody change that. */
static void
test_request_never_answered_ends_with_an_error (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autofree char *path = parts_fixture_launch (fixture, "");
  static Application application;

  play_until_asked (fixture, &application);
  upload_beside (fixture);
  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_ERROR), ==, 0);

  sink_fixture_wait (fixture, GST_MESSAGE_ERROR);
  sink_fixture_drain (fixture);
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_NOT_AUTHORIZED, "did not answer within");
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 1);
  let_answer (&application);
}

static char *
give_token (GstElement *sink, gpointer user_data)
{
  guint *n = user_data;

  g_atomic_int_inc (n);
  return g_strdup ("a-better-token");
}

static char *
give_nothing (GstElement *sink, gpointer user_data)
{
  return NULL;
}

static void
test_request_answered (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autofree char *path = parts_fixture_launch (fixture, "");
  guint n = 0;

  box_emulator_revoke_token (fixture->emulator, SINK_FIXTURE_TOKEN);
  g_signal_connect (fixture->sink, "request-token", G_CALLBACK (give_nothing), NULL);
  g_signal_connect (fixture->sink, "request-token", G_CALLBACK (give_token), &n);
  parts_fixture_play_to_the_end (fixture, path);
  g_assert_cmpuint (n, ==, 1);
}

static void
test_token_set_while_playing (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (
      RULE ({"route": "upload_part", "part": 9, "times": 1, "do": "hold", "name": "gate"}));
  g_autofree char *path = parts_fixture_launch (fixture, "parallel=1");

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  g_object_set (fixture->sink, "access-token", "the-next-token", NULL);
  box_emulator_release (fixture->emulator, "gate");
  g_assert_true (box_emulator_wait_done (fixture->emulator, "upload_part", 10, KIT_PATIENCE_MS));
  box_emulator_revoke_token (fixture->emulator, SINK_FIXTURE_TOKEN);
  parts_fixture_play_to_the_end (fixture, path);
}

typedef struct
{
  GstElement *sink;
  const char *second; /* a token file that has not been named */
  gboolean set;
} Planned;

/* A file that everybody can read is named once: the first while the settings are looked at, the
 * second while the plan is made. */
static void
set_token (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  Planned *planned = user_data;

  if (level != G_LOG_LEVEL_MESSAGE)
    return;
  if (strstr (message, planned->second) == NULL)
    g_object_set (planned->sink, "token-file", planned->second, NULL);
  else
    {
      planned->set = TRUE;
      g_object_set (planned->sink, "access-token", "the-next-token", NULL);
    }
}

static char *
write_open_token (SinkFixture *fixture, const char *name)
{
  char *path = g_build_filename (fixture->dir, name, NULL);

  g_assert_true (g_file_set_contents_full (path, SINK_FIXTURE_TOKEN, -1, G_FILE_SET_CONTENTS_NONE,
                                           0666, NULL));
  g_chmod (path, 0666);
  return path;
}

static void
test_token_set_while_the_upload_is_planned (void)
{
  g_autoptr (SinkFixture) fixture = parts_fixture_new (NULL);
  g_autofree char *path = parts_fixture_launch (fixture, "");
  g_autofree char *first = write_open_token (fixture, "first");
  g_autofree char *second = write_open_token (fixture, "second");
  Planned planned = { fixture->sink, second, FALSE };
  g_autoptr (GPtrArray) requests = NULL;

  g_object_set (fixture->sink, "token-file", first, "access-token", NULL, NULL);
  g_log_set_default_handler (set_token, &planned);
  parts_fixture_play_to_the_end (fixture, path);
  g_log_set_default_handler (g_log_default_handler, NULL);
  g_assert_true (planned.set);
  requests = box_emulator_get_requests (fixture->emulator, NULL);
  for (guint i = 0; i < requests->len; i++)
    g_assert_cmpstr (((BoxEmulatorRequest *) requests->pdata[i])->token, ==, "the-next-token");
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/tokens/request-never-answered-does-not-keep-from-stopping",
                   test_request_never_answered_does_not_keep_from_stopping);
  g_test_add_func ("/tokens/request-never-answered-ends-with-an-error",
                   test_request_never_answered_ends_with_an_error);
  g_test_add_func ("/tokens/request-answered", test_request_answered);
  g_test_add_func ("/tokens/set-while-the-upload-is-planned",
                   test_token_set_while_the_upload_is_planned);
  g_test_add_func ("/tokens/set-while-playing", test_token_set_while_playing);
  return g_test_run ();
}

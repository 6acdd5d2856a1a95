/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings of connections with TLS: the proxy, and who gives the tokens. They have a program of
 * their own because both ends of a handshake are in the process, and under a sanitizer with the
 * unwinder that leaks need one takes a second of a processor.
 */
#include "kit/places.h"
#include "sink-fixture.h"

#include <string.h>

#define PART 1000000
#define SIZE 20500000

/* Below the size of sessions. */
#define SMALL 300000

/* Whether some progress of the commit has @part in its text. */
static gboolean
tells (SinkFixture *fixture, const char *part)
{
  for (guint i = 0; i < fixture->messages->len; i++)
    {
      g_autofree char *code = NULL, *text = NULL;

      if (GST_MESSAGE_TYPE (fixture->messages->pdata[i]) != GST_MESSAGE_PROGRESS)
        continue;
      gst_message_parse_progress (fixture->messages->pdata[i], NULL, &code, &text);
      if (g_str_equal (code, "commit") && strstr (text, part) != NULL)
        return TRUE;
    }
  return FALSE;
}

static void
test_proxy (gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture =
      sink_fixture_new_upload (GPOINTER_TO_SIZE (data), TRUE, PART, "", &path);
  g_autoptr (GPtrArray) requests = NULL;

  g_object_set (fixture->sink, "proxy", box_emulator_get_origin (fixture->emulator, FALSE), NULL);
  sink_fixture_play_upload (fixture, path);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "connect"), >, 0);

  /* Requests to Box itself go through a tunnel: connections that began with CONNECT. */
  requests = box_emulator_get_requests (fixture->emulator, NULL);
  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = g_ptr_array_index (requests, i);

      g_assert_true (request->tls == !g_str_equal (request->route, "connect"));
    }
}

/* At Box's own hosts, which the proxy answers for. */
static void
test_the_file_has_a_link (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = sink_fixture_new_upload (SMALL, TRUE, PART, "", &path);
  g_autofree char *link = NULL, *end = NULL;
  const GstStructure *complete;

  g_object_set (fixture->sink, "proxy", box_emulator_get_origin (fixture->emulator, FALSE),
                "endpoint", "https://upload.box.com/api/2.0", "api-endpoint",
                "https://api.box.com/2.0", NULL);
  sink_fixture_play_upload (fixture, path);
  complete = sink_fixture_find (fixture, "boxuploadsink-complete");
  link = g_strconcat ("https://app.box.com/file/", gst_structure_get_string (complete, "file-id"),
                      NULL);
  g_assert_cmpstr (gst_structure_get_string (complete, "link"), ==, link);
  end = g_strconcat ("): ", link, NULL);
  g_assert_true (tells (fixture, end));
}

static void
test_a_file_elsewhere_has_none (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = sink_fixture_new_upload (SMALL, FALSE, PART, "", &path);

  sink_fixture_play_upload (fixture, path);
  g_assert_false (
      gst_structure_has_field (sink_fixture_find (fixture, "boxuploadsink-complete"), "link"));
  g_assert_false (tells (fixture, "//"));
}

/* One token serves all workers. */
static void
test_auth_config (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture =
      sink_fixture_new_upload (SIZE, TRUE, PART, "parallel=16", &path);
  g_autofree char *config = g_build_filename (fixture->dir, "box.json", NULL);
  g_autoptr (GPtrArray) requests = NULL;

  kit_write_text (config, "{\"client_id\": \"app\", \"client_secret\": "
                          "\"client-secret-1\", \"enterprise_id\": \"42\"}");
  g_object_set (fixture->sink, "access-token", NULL, "auth-config", config, NULL);
  sink_fixture_play_upload (fixture, path);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "token"), ==, 1);
  requests = box_emulator_get_requests (fixture->emulator, "upload_part");
  for (guint i = 1; i < requests->len; i++)
    g_assert_cmpstr (((BoxEmulatorRequest *) requests->pdata[i])->token, ==,
                     ((BoxEmulatorRequest *) requests->pdata[0])->token);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/settings/auth-config", test_auth_config);
  g_test_add_data_func ("/settings/proxy/session", GSIZE_TO_POINTER (SIZE), test_proxy);
  g_test_add_data_func ("/settings/proxy/one-request", GSIZE_TO_POINTER (SMALL), test_proxy);
  g_test_add_func ("/settings/link/of-a-file-at-box", test_the_file_has_a_link);
  g_test_add_func ("/settings/link/not-of-a-file-elsewhere", test_a_file_elsewhere_has_none);
  return g_test_run ();
}

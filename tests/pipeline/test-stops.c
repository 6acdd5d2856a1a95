/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a stop takes, whatever the upload waits for: ten stops at each stage, to READY and NULL
 * in turn.
 */
#include "../element/sink-fixture.h"
#include "kit/emulator.h"
#include "kit/places.h"

#include <string.h>

#define PART  1000000
#define SIZE  20500000
#define STOPS 10

/* Microseconds: the fastest stop to a state, and any stop. Load adds to most stops, but hardly to
 * the fastest; what waits for Box waits for ten times as long as any may, the timeout. */
#define FASTEST (G_USEC_PER_SEC / 2)
#define LONGEST (60 * G_USEC_PER_SEC)

/* Where the upload stands when it is stopped. */
typedef struct
{
  const char *name;
  const char
      *rule; /* what the emulator does; %s: the name of what is held, another for each stop */
  gboolean retries; /* nothing is held: a retry is waited for */
  gboolean commits; /* the server would go on with the commit if it did not see it cut off */
} Stage;

static const Stage stages[] = {
  { "opening-the-session",
    "{\"route\":\"create_session\",\"do\":\"hold\",\"at\":\"stored\",\"name\":\"%s\"}" },
  { "before-a-part-is-read", "{\"route\":\"upload_part\",\"do\":\"hold\",\"name\":\"%s\"}" },
  { "in-the-middle-of-a-part",
    "{\"route\":\"upload_part\",\"do\":\"hold\",\"at\":\"body\",\"bytes\":400000,"
    "\"name\":\"%s\"}" },
  { "before-a-part-is-answered",
    "{\"route\":\"upload_part\",\"do\":\"hold\",\"at\":\"stored\",\"name\":\"%s\"}" },
  { "committing", "{\"route\":\"commit\",\"do\":\"hold\",\"name\":\"%s\"}", FALSE, TRUE },
  { "waiting-as-long-as-retry-after-says",
    "{\"route\":\"upload_part\",\"do\":\"reply\",\"status\":429,"
    "\"headers\":{\"Retry-After\":\"100\"},\"body\":\"%s\"}",
    TRUE },
};

static void
load_rule (SinkFixture *fixture, const Stage *stage, const char *name)
{
  g_auto (GStrv) halves = g_strsplit (stage->rule, "%s", 2);
  g_autofree char *scenario = g_strconcat ("[", halves[0], name, halves[1], "]", NULL);

  box_emulator_clear_scenario (fixture->emulator);
  kit_load_rules (fixture->emulator, scenario);
}

/* Returns how long it took, in microseconds. */
static gint64
stop (SinkFixture *fixture, GstState state)
{
  gint64 begin = g_get_monotonic_time ();

  gst_element_set_state (fixture->pipeline, state);
  g_assert_cmpint (gst_element_get_state (fixture->pipeline, NULL, NULL, SINK_FIXTURE_PATIENCE), ==,
                   GST_STATE_CHANGE_SUCCESS);
  return g_get_monotonic_time () - begin;
}

/* The stops to READY, or those to NULL: every second one from @first. */
static void
assert_quick (const gint64 times[STOPS], guint first)
{
  gint64 fastest = times[first], longest = times[first];

  for (guint i = first; i < STOPS; i += 2)
    {
      fastest = MIN (fastest, times[i]);
      longest = MAX (longest, times[i]);
    }
  g_test_message ("fastest %" G_GINT64_FORMAT " µs, longest %" G_GINT64_FORMAT " µs", fastest,
                  longest);
  g_assert_cmpint (fastest, <, FASTEST);
  g_assert_cmpint (longest, <, LONGEST);
}

static void
assert_all_quick (const gint64 times[STOPS])
{
  assert_quick (times, 0);
  assert_quick (times, 1);
}

static void
assert_stopped_quietly (SinkFixture *fixture)
{
  sink_fixture_drain (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_ERROR), ==, 0);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_EOS), ==, 0);
  sink_fixture_assert_progress_balanced (fixture);
  g_ptr_array_set_size (fixture->messages, 0);
}

static void
launch_file (SinkFixture *fixture)
{
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);

  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink location=box://0/a "
                       "timeout=600 parallel=2",
                       path);
  /* Messages posted while it stops count, too. */
  g_object_set (fixture->pipeline, "auto-flush-bus", FALSE, NULL);
}

static void
stop_at_stage (const Stage *stage, gboolean tls)
{
  BoxEmulatorOptions options = { .part_size = PART };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  gint64 times[STOPS];

  fixture->tls = tls;
  launch_file (fixture);
  for (guint i = 0; i < STOPS; i++)
    {
      g_autofree char *name = g_strdup_printf ("gate-%u", i);

      load_rule (fixture, stage, name);
      gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
      if (stage->retries)
        sink_fixture_wait_element (fixture, "boxuploadsink-retry");
      else
        g_assert_true (box_emulator_wait_held (fixture->emulator, name, KIT_PATIENCE_MS));
      times[i] = stop (fixture, i % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL);
      assert_stopped_quietly (fixture);
      if (stage->commits)
        g_assert_true (
            box_emulator_wait_done (fixture->emulator, "commit", i + 1, KIT_PATIENCE_MS));
    }
  assert_all_quick (times);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_over_http (gconstpointer data)
{
  stop_at_stage (data, FALSE);
}

static void
test_over_tls (gconstpointer data)
{
  stop_at_stage (data, TRUE);
}

/* --- A server that never accepts ------------------------------------------------------------ */

/* It listens, and its queue of connections is full: the kernel leaves all others unanswered. */
typedef struct
{
  GSocket *listener;
  GSocket *only; /* the one that fits into the queue */
  guint16 port;
} Wall;

static GSocket *
socket_new (void)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_no_error (error);
  return socket;
}

static void
wall_init (Wall *wall)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  wall->listener = socket_new ();
  g_socket_set_listen_backlog (wall->listener, 0);
  g_assert_true (g_socket_bind (wall->listener, any, TRUE, &error));
  g_assert_true (g_socket_listen (wall->listener, &error));
  address = g_socket_get_local_address (wall->listener, &error);
  g_assert_no_error (error);
  wall->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  wall->only = socket_new ();
  g_assert_true (g_socket_connect (wall->only, address, NULL, &error));
}

static void
wall_clear (Wall *wall)
{
  g_object_unref (wall->only);
  g_object_unref (wall->listener);
}

/* How many connections to the port wait for an answer. */
static guint
count_knocking (guint16 port)
{
  g_autofree char *table = NULL;
  g_autofree char *pattern = g_strdup_printf (" 0100007F:%04X 02 ", port);
  guint n = 0;

  table = kit_read_text ("/proc/net/tcp");
  for (const char *p = strstr (table, pattern); p != NULL; p = strstr (p + 1, pattern))
    n++;
  return n;
}

static void
wait_for_knocking (guint16 port)
{
  /* The kernel's table may be read just when the entry is elsewhere. */
  KIT_AWAIT (count_knocking (port) > 0);
}

static void
test_a_server_that_never_accepts (gconstpointer data)
{
  const char *scheme = data;
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *endpoint = NULL;
  gint64 times[STOPS];
  Wall wall;

  wall_init (&wall);
  endpoint = g_strdup_printf ("%s://127.0.0.1:%u/api/2.0", scheme, wall.port);
  launch_file (fixture);
  g_object_set (fixture->sink, "endpoint", endpoint, NULL);
  for (guint i = 0; i < STOPS; i++)
    {
      gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
      wait_for_knocking (wall.port);
      times[i] = stop (fixture, i % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL);
      assert_stopped_quietly (fixture);
    }
  assert_all_quick (times);
  wall_clear (&wall);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (stages); i++)
    {
      g_autofree char *http = g_strdup_printf ("/stops/http/%s", stages[i].name);
      g_autofree char *tls = g_strdup_printf ("/stops/tls/%s", stages[i].name);

      g_test_add_data_func (http, &stages[i], test_over_http);
      g_test_add_data_func (tls, &stages[i], test_over_tls);
    }
  g_test_add_data_func ("/stops/http/connecting", "http", test_a_server_that_never_accepts);
  g_test_add_data_func ("/stops/tls/connecting", "https", test_a_server_that_never_accepts);
  return g_test_run ();
}

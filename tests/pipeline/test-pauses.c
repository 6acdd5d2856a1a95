/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pause never fails a recording, even if idle connections are closed meanwhile.
 */
#include "parts-fixture.h"

#include "kit/watchdog.h"

/* Seconds. */
#define TIMEOUT (KIT_SANITIZED ? 4 : 1)

#define PAUSE (TIMEOUT * GST_SECOND + GST_SECOND / 2)

/* Whether every part that is full was sent: nothing is left that could use a connection. */
static gboolean
is_idle (SinkFixture *fixture)
{
  guint64 received = sink_fixture_get_stat (fixture, "bytes-received");

  return sink_fixture_get_stat (fixture, "parts-in-flight") == 0
         && sink_fixture_get_stat (fixture, "bytes-uploaded") == received / PART * PART;
}

static void
wait_until_idle (SinkFixture *fixture)
{
  /* A part is reported before it is counted, so that no message has the count. */
  KIT_AWAIT (is_idle (fixture));
}

/* The server closes what is idle, and the time passes in which a connection must have made
 * progress; nothing may come of it. That bytes are not at Box yet is said all the time. */
static void
pause_for_long (SinkFixture *fixture)
{
  gint64 end = g_get_monotonic_time () + PAUSE / 1000;
  gint64 left = PAUSE / 1000;

  box_emulator_set_down (fixture->emulator, TRUE);
  box_emulator_set_down (fixture->emulator, FALSE);
  sink_fixture_drain (fixture);
  for (; left > 0; left = end - g_get_monotonic_time ())
    {
      g_autoptr (GstMessage) message = gst_bus_timed_pop (fixture->bus, left * 1000);

      g_assert_true (message == NULL || gst_message_has_name (message, "boxuploadsink-position"));
    }
}

static guint64
count_body_bytes (SinkFixture *fixture)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (fixture->emulator, "upload_part");
  guint64 n = 0;

  for (guint i = 0; i < requests->len; i++)
    n += ((const BoxEmulatorRequest *) requests->pdata[i])->body_bytes;
  return n;
}

static void
test_longer_than_the_timeout (gconstpointer data)
{
  g_autoptr (SinkFixture) fixture =
      parts_fixture_new (RULE ({"route": "upload_part", "part": 3, "do": "hold", "name": "gate"}));
  g_autofree char *properties =
      g_strdup_printf ("timeout=%d parallel=2 max-memory=2000000", TIMEOUT);
  g_autofree char *path = NULL;

  fixture->tls = GPOINTER_TO_INT (data);
  path = parts_fixture_launch (fixture, properties);
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  gst_element_set_state (fixture->pipeline, GST_STATE_PAUSED);
  gst_element_get_state (fixture->pipeline, NULL, NULL, SINK_FIXTURE_PATIENCE);
  box_emulator_release (fixture->emulator, "gate");
  wait_until_idle (fixture);
  pause_for_long (fixture);

  parts_fixture_play_to_the_end (fixture, path);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "retries"), ==, 0);
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-retry"), ==, 0);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_WARNING), ==, 0);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_part"), ==, PARTS);
  g_assert_cmpuint (count_body_bytes (fixture), ==, SIZE);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_data_func ("/pauses/longer-than-the-timeout/http", GINT_TO_POINTER (FALSE),
                        test_longer_than_the_timeout);
  g_test_add_data_func ("/pauses/longer-than-the-timeout/tls", GINT_TO_POINTER (TRUE),
                        test_longer_than_the_timeout);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every request ends, and a slow link is not silence. */
#include "transport-fixture.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- replies without an end ---- */

typedef struct
{
  const char *name;
  const char *head;   /* said at once */
  const char *drop;   /* repeated forever */
  gint64 pause;       /* between two of them, microseconds */
  gboolean in_tunnel; /* said by a proxy instead of a tunnel */
  const char *stage;
  gsize half; /* bytes of drop after which there is a pause, too */
} Drip;

/* The limit is five timeouts; a busy machine keeps a drip from falling for less than one of them.
 */
#define DRIP_TIMEOUT 4
#define DRIP_LIMIT   "20"

static const Drip drips[] = {
  { "interim-replies", "", "HTTP/1.1 102 Processing\r\n\r\n", 100000, FALSE, "waiting" },
  { "continue", "", "HTTP/1.1 100 Continue\r\n\r\n", 0, FALSE, "waiting" },
  { "halves-of-interim-replies", "", "HTTP/1.1 102 Processing\r\n\r\n", 100000, FALSE, "waiting",
    12 },
  { "header", "HTTP/1.1 200 OK\r\nX-Slow: ", "x", 100000, FALSE, "waiting" },
  { "body", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x", 100000, FALSE, "reading" },
  { "proxy", "HTTP/1.1 200 OK\r\nX-Slow: ", "x", 100000, TRUE, "asking the proxy" },
};

static void
serve_drip (RawPeer *peer, gpointer data)
{
  const Drip *drip = data;
  GOutputStream *output;
  g_autofree char *head = raw_peer_read_head (peer);

  if (head == NULL)
    return;
  raw_peer_say (peer, "%s", drip->head);
  output = g_io_stream_get_output_stream (raw_peer_get_stream (peer));
  for (gsize begin = 0, end;; begin = end % strlen (drip->drop))
    {
      end = begin < drip->half ? drip->half : strlen (drip->drop);
      if (!g_output_stream_write_all (output, drip->drop + begin, end - begin, NULL, NULL, NULL))
        return;
      g_usleep ((gulong) drip->pause);
    }
}

typedef struct
{
  const Drip *drip;
  gboolean with_body;
  GError *error;
} DripRun;

static gpointer
run_drip (gpointer data)
{
  DripRun *run = data;
  g_autoptr (RawServer) server = raw_server_new (serve_drip, (gpointer) run->drip, NULL);
  g_autofree char *url = raw_server_get_url (server, "");
  g_autofree char *proxy = g_strdup_printf ("http://127.0.0.1:%u", raw_server_get_port (server));
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (
      fixture_get_ca_file (), run->drip->in_tunnel ? proxy : NULL, DRIP_TIMEOUT, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  Pattern pattern;
  BoxRequest request = {
    .method = run->with_body ? "PUT" : "GET",
    .url = run->drip->in_tunnel ? "https://127.0.0.1:9999/" : url,
    .content_type = "text/plain",
    .body = run->with_body ? &pattern.body : NULL,
  };
  g_autoptr (BoxReply) reply = NULL;

  pattern_init (&pattern, 1 << 20);
  reply = box_transport_send (transport, config, &request, NULL, &run->error);
  g_assert_null (reply);
  return NULL;
}

/* Interim replies are no reply: what is waited for then is that the body leaves. */
static char *
expect (const Drip *drip, gboolean with_body)
{
  if (!with_body || drip->in_tunnel)
    return g_strdup_printf ("gave up after " DRIP_LIMIT " s while %s*(127.0.0.1)", drip->stage);
  return g_strdup (
      *drip->head == '\0' && drip->half == 0
          ? "no progress for " G_STRINGIFY (DRIP_TIMEOUT) " s while sending the request (127.0.0.1)"
          : "gave up after " DRIP_LIMIT " s while reading the reply (127.0.0.1)");
}

/* All at once, for each takes its time. */
static void
check_drips (gboolean with_body)
{
  DripRun runs[G_N_ELEMENTS (drips)] = { { 0 } };
  GThread *threads[G_N_ELEMENTS (drips)];

  for (guint i = 0; i < G_N_ELEMENTS (drips); i++)
    {
      runs[i] = (DripRun){ .drip = &drips[i], .with_body = with_body };
      threads[i] = g_thread_new ("drip", run_drip, &runs[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (drips); i++)
    {
      g_autofree char *pattern = expect (&drips[i], with_body);

      g_thread_join (threads[i]);
      g_test_message ("%s: %s", drips[i].name, runs[i].error->message);
      g_assert_error (runs[i].error, BOX_ERROR, BOX_ERROR_TRANSIENT);
      g_assert_true (g_pattern_match_simple (pattern, runs[i].error->message));
      g_assert_cmpint (box_error_get_details (runs[i].error)->unsure, ==, !drips[i].in_tunnel);
      g_error_free (runs[i].error);
    }
}

static void
test_replies_that_drip_have_an_end (void)
{
  check_drips (FALSE);
}

static void
test_early_replies_that_drip_have_an_end (void)
{
  check_drips (TRUE);
}

/* ---- a reply after a flood of interim replies ---- */

#define FLOOD_BODY (4u << 20)

typedef struct
{
  RawPeer *peer;
  gint has_ended; /* atomic */
} Flood;

static gpointer
say_without_a_pause (gpointer data)
{
  Flood *flood = data;

  while (!g_atomic_int_get (&flood->has_ended))
    raw_peer_say (flood->peer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
  return NULL;
}

static void
serve_flood (RawPeer *peer, gpointer data)
{
  Flood flood = { .peer = peer };
  g_autofree char *head = raw_peer_read_head (peer);
  GThread *thread = g_thread_new ("flood", say_without_a_pause, &flood);

  raw_peer_read (peer, FLOOD_BODY);
  g_atomic_int_set (&flood.has_ended, TRUE);
  g_thread_join (thread);
  raw_peer_reply (peer, "done");
}

static void
test_a_flood_of_interim_replies_does_not_hide_the_reply (void)
{
  g_autoptr (RawServer) server = raw_server_new (serve_flood, NULL, NULL);
  g_autofree char *url = raw_server_get_url (server, "");
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (NULL, NULL, 0, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  Pattern pattern;
  const BoxRequest request = {
    .method = "PUT", .url = url, .content_type = "text/plain", .body = &pattern.body
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;

  pattern_init (&pattern, FLOOD_BODY);
  reply = box_transport_send (transport, config, &request, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_cmpuint (raw_server_get_connections (server), ==, 1);
}

/* ---- slow links ---- */

#define SLOW_BODY (3u << 20)

/* Reads 50 kB a tenth of a second, with a small buffer: what the client's kernel holds takes
 * several timeouts to leave. */
static void
serve_slowly (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);
  gsize left = SLOW_BODY;

  while (left > 0)
    {
      gsize n = raw_peer_read (peer, MIN (left, 50000));

      if (n == 0)
        return;
      left -= n;
      g_usleep (100000);
    }
  raw_peer_reply (peer, "slow but sure");
}

static void
test_a_slow_link_is_not_silence (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  Pattern pattern;

  fixture_init (&fixture, mode, serve_slowly, NULL, FIXTURE_STALL);
  raw_server_set_receive_buffer (fixture.server, 8192);
  pattern_init (&pattern, SLOW_BODY);
  reply = fixture_send (&fixture, "PUT", &pattern.body, &error);
  g_assert_no_error (error);
  fixture_assert_body (reply, "slow but sure");
  g_assert_cmpint (pattern.sent, ==, SLOW_BODY);
}

/* Bytes reported as sent have left, but for a few: an application sees the true progress, and a
 * cancelled upload has not claimed megabytes that never left. */
static void
serve_a_little (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  raw_peer_read (peer, 100000);
  raw_peer_linger (peer);
}

static void
test_sent_means_sent (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  Pattern pattern;

  fixture_init (&fixture, mode, serve_a_little, NULL, FIXTURE_STALL);
  raw_server_set_receive_buffer (fixture.server, 8192);
  pattern_init (&pattern, 16u << 20);
  reply = fixture_send (&fixture, "PUT", &pattern.body, &error);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_true (g_pattern_match_simple (
      "no progress for * s while sending the request (127.0.0.1)", error->message));
  g_test_message ("%" G_GINT64_FORMAT " bytes were sent", pattern.sent);
  g_assert_cmpint (pattern.sent, <, 600000);
}

/* ---- descriptors ---- */

static void
serve_once (RawPeer *peer, gpointer data)
{
  if (raw_peer_read_request (peer, NULL, NULL))
    raw_peer_reply (peer, "here");
}

/* Leaves @n descriptors of the process free; @fds are those that were taken. */
static void
leave_free (GArray *fds, guint n)
{
  int fd;

  while ((fd = dup (STDERR_FILENO)) >= 0)
    g_array_append_val (fds, fd);
  for (; n > 0; n--)
    {
      close (g_array_index (fds, int, fds->len - 1));
      g_array_set_size (fds, fds->len - 1);
    }
}

static void
give_back (GArray *fds)
{
  for (guint i = 0; i < fds->len; i++)
    close (g_array_index (fds, int, i));
  g_array_set_size (fds, 0);
}

/* TRUE: there was a reply. */
static gboolean
send_with_descriptors (BoxTransportConfig *config, const char *url, guint n)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  BoxRequest request = { .method = "GET", .url = url };

  leave_free (fds, n);
  reply = box_transport_send (transport, config, &request, NULL, &error);
  give_back (fds);
  if (reply == NULL)
    {
      g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
      g_assert_nonnull (strstr (error->message, "file descriptors"));
    }
  return reply != NULL;
}

/* The client is in a process of its own: the server's GLib would be ended as well. */
static void
test_requests_without_descriptors_fail_alone (void)
{
  static const struct rlimit limit = { 256, 256 };
  g_autoptr (RawServer) server = NULL;
  g_autoptr (BoxTransportConfig) config = NULL;
  g_autofree char *url = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_test_subprocess ())
    {
      server = raw_server_new (serve_once, NULL, fixture_get_certificate ());
      url = raw_server_get_url (server, "");
      g_setenv ("BOX_TEST_URL", url, TRUE);
      g_setenv ("BOX_TEST_CA", fixture_get_ca_file (), TRUE);
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  config = box_transport_config_new (g_getenv ("BOX_TEST_CA"), NULL, 300, &error);
  g_assert_no_error (error);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_true (send_with_descriptors (config, g_getenv ("BOX_TEST_URL"), 100));
  for (guint n = 0; n < 30; n++)
    g_assert_cmpint (send_with_descriptors (config, g_getenv ("BOX_TEST_URL"), n), ==, n >= 16);
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  g_test_add_func ("/transport/replies-that-drip-have-an-end", test_replies_that_drip_have_an_end);
  g_test_add_func ("/transport/a-flood-of-interim-replies-does-not-hide-the-reply",
                   test_a_flood_of_interim_replies_does_not_hide_the_reply);
  g_test_add_func ("/transport/early-replies-that-drip-have-an-end",
                   test_early_replies_that_drip_have_an_end);
  fixture_add_both ("a-slow-link-is-not-silence", test_a_slow_link_is_not_silence);
  fixture_add_both ("sent-means-sent", test_sent_means_sent);
  g_test_add_func ("/transport/requests-without-descriptors-fail-alone",
                   test_requests_without_descriptors_fail_alone);
  return fixture_run_program ();
}

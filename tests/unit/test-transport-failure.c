/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exchanges that fail: what the error says, how soon, and what it is not sure of. */
#include "transport-fixture.h"

#include "kit/patience.h"

/* ---- failures ---- */

typedef struct
{
  const char *name;
  RawServe serve;
  const char *method;
  gsize body_size;
  gint code;
  gboolean unsure;
  const char *message; /* a pattern */
} Failure;

static void
serve_reset_in_body (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  raw_peer_read (peer, 1 << 20);
  raw_peer_reset (peer);
}

static void
serve_reset_after_body (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_reset (peer);
}

static void
serve_close_in_body (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);
}

static void
serve_nothing (RawPeer *peer, gpointer data)
{
  raw_peer_linger (peer);
}

static void
serve_silence (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_signal (peer);
  raw_peer_linger (peer);
}

static void
serve_half_a_reply (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  raw_peer_signal (peer);
  raw_peer_linger (peer);
}

static void
serve_cut_reply (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
}

static void
serve_cut_closing_reply (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nhalf");
}

static void
serve_cut_status (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "HTTP/1.1 20");
}

static void
serve_cut_header (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Le");
}

static void
serve_cut_early_header (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  raw_peer_say (peer, "HTTP/1.1 429 Too Many Requests\r\nRetry-Af");
}

static void
serve_endless_reply (RawPeer *peer, gpointer data)
{
  g_autofree char *block = g_strnfill (65536, 'x');

  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "HTTP/1.1 200 OK\r\n\r\n");
  for (guint i = 0; i < 1000; i++)
    raw_peer_say (peer, "%s", block);
}

static void
serve_garbage (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "\001\002garbage\r\n\r\nmore garbage\r\n\r\n");
}

static void
serve_early_garbage (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  raw_peer_say (peer, "SSH-2.0-OpenSSH_9.2\r\n");
  raw_peer_linger (peer);
}

static const Failure failures[] = {
  { "reset-in-body", serve_reset_in_body, "PUT", BODY_SIZE, BOX_ERROR_TRANSIENT, TRUE,
    "127.0.0.1 failed while sending the request: *" },
  { "reset-after-body", serve_reset_after_body, "PUT", BODY_SIZE, BOX_ERROR_TRANSIENT, TRUE, "*" },
  { "closed-in-body", serve_close_in_body, "POST", BODY_SIZE, BOX_ERROR_TRANSIENT, TRUE, "*" },
  { "reply-cut", serve_cut_reply, "GET", 0, BOX_ERROR_TRANSIENT, TRUE,
    "127.0.0.1 failed while reading the reply: *" },
  { "closing-reply-cut", serve_cut_closing_reply, "GET", 0, BOX_ERROR_TRANSIENT, TRUE,
    "127.0.0.1 failed while reading the reply: *" },
  { "status-cut", serve_cut_status, "GET", 0, BOX_ERROR_TRANSIENT, TRUE, "*" },
  { "status-of-a-post-cut", serve_cut_status, "POST", BODY_SIZE, BOX_ERROR_TRANSIENT, TRUE, "*" },
  { "header-cut", serve_cut_header, "GET", 0, BOX_ERROR_TRANSIENT, TRUE, "*" },
  { "header-of-a-post-cut", serve_cut_header, "POST", BODY_SIZE, BOX_ERROR_TRANSIENT, TRUE, "*" },
  { "early-header-cut", serve_cut_early_header, "PUT", BODY_SIZE, BOX_ERROR_TRANSIENT, TRUE, "*" },
  { "reply-endless", serve_endless_reply, "GET", 0, BOX_ERROR_TRANSIENT, TRUE,
    "127.0.0.1 sent a reply longer than *" },
  { "garbage", serve_garbage, "GET", 0, BOX_ERROR_TRANSIENT, TRUE,
    "127.0.0.1 answered with something that is not HTTP" },
  { "early-garbage", serve_early_garbage, "PUT", BODY_SIZE, BOX_ERROR_TRANSIENT, TRUE,
    "127.0.0.1 answered with something that is not HTTP" },
};

static const Failure timeouts[] = {
  { "body-stalls", serve_nothing, "PUT", 64u << 20, BOX_ERROR_TRANSIENT, TRUE,
    "no progress for * s while sending the request (127.0.0.1)" },
  { "reply-never-comes", serve_silence, "PUT", 1000, BOX_ERROR_TRANSIENT, TRUE,
    "no progress for * s while waiting for the reply (127.0.0.1)" },
  { "reply-stalls", serve_half_a_reply, "GET", 0, BOX_ERROR_TRANSIENT, TRUE,
    "no progress for * s while reading the reply (127.0.0.1)" },
};

static void
check_failure (const Failure *failure, const Mode *mode, guint timeout)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  Pattern pattern;

  fixture_init (&fixture, mode, failure->serve, NULL, timeout);
  pattern_init (&pattern, failure->body_size);
  reply = fixture_send (&fixture, failure->method, failure->body_size > 0 ? &pattern.body : NULL,
                        &error);
  g_assert_null (reply);
  g_test_message ("%s: %s", failure->name, error->message);
  g_assert_error (error, BOX_ERROR, failure->code);
  g_assert_cmpint (box_error_get_details (error)->unsure, ==, failure->unsure);
  g_assert_true (g_pattern_match_simple (failure->message, error->message));
}

/* One failure over HTTP or TLS. */
typedef struct
{
  const Failure *failure;
  const Mode *mode;
} Row;

static void
test_failure_says_what_happened (gconstpointer data)
{
  const Row *row = data;

  check_failure (row->failure, row->mode, KIT_PATIENCE);
}

/* The servers are silent until the client goes: nothing but the timeout, which the error names,
 * ends these. How long it really took depends on the machine. */
static void
test_stall_ends_by_the_timeout (gconstpointer data)
{
  const Row *row = data;
  gint64 begin = g_get_monotonic_time ();

  check_failure (row->failure, row->mode, FIXTURE_STALL);
  begin = g_get_monotonic_time () - begin;
  g_test_message ("%" G_GINT64_FORMAT " µs", begin);
  g_assert_cmpint (begin, >=, FIXTURE_STALL * G_USEC_PER_SEC / 2);
  g_assert_cmpint (begin, <, KIT_PATIENCE_US);
}

/* A case a row, over HTTP and over TLS. */
static void
add_rows (const char *name, const Failure *rows, gsize n, GTestDataFunc function)
{
  const Mode *const modes[] = { &fixture_plain, &fixture_tls };

  for (gsize i = 0; i < G_N_ELEMENTS (modes) * n; i++)
    {
      const Mode *mode = modes[i / n];
      g_autofree char *path = g_strdup_printf ("/transport/%s/%s/%s", mode->tls ? "tls" : "http",
                                               name, rows[i % n].name);
      Row *row;

      if (!fixture_takes (mode))
        continue;
      row = g_new (Row, 1);
      *row = (Row){ &rows[i % n], mode };
      g_test_add_data_func_full (path, row, function, g_free);
    }
}

static void
serve_cut_error (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nhalf");
}

static void
serve_misdirected (RawPeer *peer, gpointer data)
{
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_say (peer, "HTTP/1.1 421 Elsewhere\r\n\r\nendless");
  raw_peer_linger (peer);
}

static void
test_a_misdirected_request_is_a_status (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;

  fixture_init (&fixture, mode, serve_misdirected, NULL, 5);
  reply = fixture_send (&fixture, "GET", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 421);
}

static void
test_an_error_status_outlives_its_cut_body (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;

  fixture_init (&fixture, mode, serve_cut_error, NULL, 5);
  reply = fixture_send (&fixture, "GET", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 401);
}

static void
test_a_failing_body_is_the_error (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  Pattern pattern;

  fixture_init (&fixture, mode, serve_silence, NULL, 5);
  pattern_init (&pattern, BODY_SIZE);
  pattern.fail_at = 1 << 20;
  reply = fixture_send (&fixture, "PUT", &pattern.body, &error);
  g_assert_null (reply);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_cmpstr (error->message, ==, "the disk is on fire");
}

static void
test_a_refused_connection_is_transient_and_sure (void)
{
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (NULL, NULL, KIT_PATIENCE, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  RawServer *server = raw_server_new (serve_nothing, NULL, NULL);
  g_autofree char *url = raw_server_get_url (server, "");
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  BoxRequest request = { .method = "POST", .url = url };

  raw_server_free (server);
  reply = box_transport_send (transport, config, &request, NULL, &error);
  g_assert_null (reply);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_false (box_error_get_details (error)->unsure);
  g_assert_true (g_pattern_match_simple ("* failed while connecting to port *:*", error->message));
}

static void
test_a_header_with_a_line_break_is_not_sent (void)
{
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (NULL, NULL, KIT_PATIENCE, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  BoxRequest request = {
    .method = "GET",
    .url = "http://127.0.0.1:1/",
    .headers = (const char *const[]){ "If-Match", "secret\r\nX: y", NULL },
  };

  reply = box_transport_send (transport, config, &request, NULL, &error);
  g_assert_null (reply);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_null (strstr (error->message, "secret"));
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_failures_leave_no_descriptor_open (gconstpointer mode)
{
  guint before = 0;

  for (guint round = 0; round < 5; round++)
    {
      for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
        check_failure (&failures[i], mode, 5);
      /* The first round opens what the process keeps. */
      if (round == 0)
        before = count_descriptors ();
    }
  g_assert_cmpuint (count_descriptors (), ==, before);
}

/* A listener that accepts nobody and whose queue is full: a further connection is never set up. */
static void
test_a_connection_that_is_never_set_up_times_out (void)
{
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (NULL, NULL, 1, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GSocket) listener =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GPtrArray) queued = g_ptr_array_new_with_free_func (g_object_unref);
  g_autofree char *url = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_socket_bind (listener, any, FALSE, NULL));
  g_socket_set_listen_backlog (listener, 0);
  g_assert_true (g_socket_listen (listener, NULL));
  address = g_socket_get_local_address (listener, NULL);
  for (guint i = 0; i < 4; i++)
    {
      GSocket *filler =
          g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

      g_socket_set_blocking (filler, FALSE);
      g_socket_connect (filler, address, NULL, NULL);
      g_ptr_array_add (queued, filler);
    }
  url = g_strdup_printf ("http://127.0.0.1:%u/",
                         g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  g_assert_null (box_transport_send (transport, config,
                                     &(BoxRequest){ .method = "GET", .url = url }, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_cmpstr (error->message, ==, "no progress for 1 s while connecting (127.0.0.1)");
  g_assert_false (box_error_get_details (error)->unsure);
}

/* ---- cancelling ---- */

static gpointer
cancel_when_signalled (gpointer data)
{
  Fixture *fixture = data;
  gint64 *when = g_new (gint64, 1);

  raw_server_wait_signals (fixture->server, 1);
  *when = g_get_monotonic_time ();
  g_cancellable_cancel (fixture->cancellable);
  return when;
}

static void
serve_signal_and_nothing (RawPeer *peer, gpointer data)
{
  raw_peer_signal (peer);
  raw_peer_linger (peer);
}

static void
check_cancel (const Mode *mode, RawServe serve, gsize size, BoxPace *pace)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  g_autofree gint64 *when = NULL;
  GThread *canceller;
  Pattern pattern;
  gint64 took;

  fixture_init (&fixture, mode, serve, NULL, 2 * KIT_PATIENCE);
  pattern_init (&pattern, size);
  pattern.body.pace = pace;
  canceller = g_thread_new ("canceller", cancel_when_signalled, &fixture);
  reply = fixture_send (&fixture, "PUT", size > 0 ? &pattern.body : NULL, &error);
  took = g_get_monotonic_time ();
  when = g_thread_join (canceller);
  took -= *when;
  g_assert_null (reply);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_test_message ("%" G_GINT64_FORMAT " µs", took);
  g_assert_cmpint (took, <, KIT_PATIENCE_US);
}

static void
test_cancelling_takes_effect_at_once (gconstpointer mode)
{
  g_autoptr (BoxPace) pace = box_pace_new (1000);

  check_cancel (mode, serve_signal_and_nothing, 64u << 20, NULL); /* in the body */
  check_cancel (mode, serve_silence, 1000, NULL);                 /* waiting for the reply */
  check_cancel (mode, serve_half_a_reply, 0, NULL);               /* in the reply */
  check_cancel (mode, serve_signal_and_nothing, 1 << 20, pace);   /* in a pause for the rate */
}

static void
test_cancelling_ends_a_handshake (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *url = NULL;
  g_autofree gint64 *when = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  GThread *canceller;

  fixture_init (&fixture, &fixture_plain, serve_signal_and_nothing, NULL, 2 * KIT_PATIENCE);
  url = g_strdup_printf ("https://127.0.0.1:%u/", raw_server_get_port (fixture.server));
  canceller = g_thread_new ("canceller", cancel_when_signalled, &fixture);
  reply = box_transport_send (fixture.transport, fixture.config,
                              &(BoxRequest){ .method = "GET", .url = url }, fixture.cancellable,
                              &error);
  when = g_thread_join (canceller);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_assert_false (box_error_get_details (error)->unsure);
  g_assert_cmpint (g_get_monotonic_time () - *when, <, KIT_PATIENCE_US);
}

static void
add_those_over_http (void)
{
  g_test_add_func ("/transport/a-refused-connection-is-transient-and-sure",
                   test_a_refused_connection_is_transient_and_sure);
  g_test_add_func ("/transport/a-connection-that-is-never-set-up-times-out",
                   test_a_connection_that_is_never_set_up_times_out);
  g_test_add_func ("/transport/a-header-with-a-line-break-is-not-sent",
                   test_a_header_with_a_line_break_is_not_sent);
  g_test_add_func ("/transport/cancelling-ends-a-handshake", test_cancelling_ends_a_handshake);
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  add_rows ("failures-say-what-happened", failures, G_N_ELEMENTS (failures),
            test_failure_says_what_happened);
  add_rows ("stalls-end-by-the-timeout", timeouts, G_N_ELEMENTS (timeouts),
            test_stall_ends_by_the_timeout);
  fixture_add_both ("an-error-status-outlives-its-cut-body",
                    test_an_error_status_outlives_its_cut_body);
  fixture_add_both ("a-misdirected-request-is-a-status", test_a_misdirected_request_is_a_status);
  fixture_add_both ("a-failing-body-is-the-error", test_a_failing_body_is_the_error);
  fixture_add_both ("failures-leave-no-descriptor-open", test_failures_leave_no_descriptor_open);
  fixture_add_both ("cancelling-takes-effect-at-once", test_cancelling_takes_effect_at_once);
  if (fixture_takes (&fixture_plain))
    add_those_over_http ();
  return fixture_run_program ();
}

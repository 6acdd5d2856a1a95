/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box-error.h"
#include "box-transport.h"

#include "raw-certificate.h"
#include "raw-server.h"

#include <glib/gstdio.h>
#include <string.h>

#define BODY_SIZE (8u << 20)

/* Made once for all tests. */
static GTlsCertificate *certificate;
static char *ca_file;

typedef struct
{
  gboolean tls;
} Mode;

static const Mode plain = { FALSE }, tls = { TRUE };

typedef struct
{
  RawServer *server;
  BoxTransportConfig *config;
  BoxTransport *transport;
  GCancellable *cancellable;
} Fixture;

static void
fixture_init (Fixture *fixture, const Mode *mode, RawServe serve, gpointer data, guint timeout)
{
  g_autoptr (GError) error = NULL;

  fixture->server = raw_server_new (serve, data, mode->tls ? certificate : NULL);
  fixture->config = box_transport_config_new (ca_file, NULL, timeout, &error);
  g_assert_no_error (error);
  fixture->transport = box_transport_new ();
  fixture->cancellable = g_cancellable_new ();
}

static void
fixture_clear (Fixture *fixture)
{
  box_transport_free (fixture->transport);
  box_transport_config_unref (fixture->config);
  raw_server_free (fixture->server);
  g_object_unref (fixture->cancellable);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

/* A body whose byte at i is i mod 251, and what was told of it. */
typedef struct
{
  BoxBody body;
  gint64 sent;
  guint64 fail_at;
} Pattern;

static gboolean
pattern_read (gpointer data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  Pattern *pattern = data;

  if (offset + length > pattern->fail_at)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE, "the disk is on fire");
      return FALSE;
    }
  for (gsize i = 0; i < length; i++)
    buffer[i] = (guint8) ((offset + i) % 251);
  return TRUE;
}

static void
pattern_sent (gpointer data, gint64 n)
{
  ((Pattern *) data)->sent += n;
}

static void
pattern_init (Pattern *pattern, guint64 size)
{
  *pattern = (Pattern){
    .body = { .size = size, .read = pattern_read, .sent = pattern_sent, .user_data = pattern },
    .fail_at = G_MAXUINT64,
  };
}

static void
assert_pattern (GBytes *bytes, gsize size)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  g_assert_cmpuint (g_bytes_get_size (bytes), ==, size);
  for (gsize i = 0; i < size; i++)
    if (data[i] != i % 251)
      g_error ("byte %zu is wrong", i);
}

static BoxReply *
send_method (Fixture *fixture, const char *method, const BoxBody *body, GError **error)
{
  g_autofree char *url = raw_server_get_url (fixture->server, "path?query=1");
  BoxRequest request = {
    .method = method,
    .url = url,
    .headers = (const char *const[]){ "Authorization", "Bearer secret", NULL },
    .content_type = body != NULL ? "application/octet-stream" : NULL,
    .body = body,
  };

  return box_transport_send (fixture->transport, fixture->config, &request, fixture->cancellable,
                             error);
}

static void
assert_body (const BoxReply *reply, const char *text)
{
  gsize length;
  const char *data = g_bytes_get_data (reply->body, &length);
  g_autofree char *body = length > 0 ? g_strndup (data, length) : g_strdup ("");

  g_assert_cmpstr (body, ==, text);
}

/* ---- whole exchanges ---- */

static void
serve_whole (RawPeer *peer, gpointer data)
{
  g_autofree char *head = NULL;

  while (raw_peer_read_request (peer, &head, NULL))
    {
      g_assert_true (g_str_has_prefix (head, "GET /path?query=1 HTTP/1.1\r\n"));
      g_assert_nonnull (strstr (head, "\r\nUser-Agent: boxuploadsink/"));
      g_assert_nonnull (strstr (head, "\r\nAuthorization: Bearer secret\r\n"));
      g_assert_null (strstr (head, "Accept-Encoding"));
      if (G_IS_TLS_CONNECTION (raw_peer_get_stream (peer)))
        g_assert_cmpstr (raw_peer_get_protocol (peer), ==, "http/1.1");
      raw_peer_say (peer, "HTTP/1.1 418 Teapot\r\nContent-Length: 5\r\nRetry-After: 17\r\n"
                          "BOX-REQUEST-ID: abc\r\nWWW-Authenticate: Bearer error=\"expired\"\r\n"
                          "ETag: \"e1\"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nhello");
      g_clear_pointer (&head, g_free);
    }
}

static void
test_reply_carries_what_the_server_said (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;

  fixture_init (&fixture, mode, serve_whole, NULL, 5);
  reply = send_method (&fixture, "GET", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 418);
  assert_body (reply, "hello");
  g_assert_cmpint (reply->retry_after, ==, 17);
  g_assert_cmpstr (reply->request_id, ==, "abc");
  g_assert_cmpstr (reply->www_authenticate, ==, "Bearer error=\"expired\"");
  g_assert_cmpstr (reply->etag, ==, "\"e1\"");
  g_assert_cmpint (g_date_time_to_unix (reply->date), ==, 784111777);
}

static void
test_two_requests_share_a_connection (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, mode, serve_whole, NULL, 5);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (BoxReply) reply = send_method (&fixture, "GET", NULL, &error);

      g_assert_no_error (error);
    }
  g_assert_cmpuint (raw_server_get_connections (fixture.server), ==, 1);
}

static void
serve_upload (RawPeer *peer, gpointer data)
{
  g_autofree char *head = NULL;
  g_autoptr (GBytes) body = NULL;

  while (raw_peer_read_request (peer, &head, &body))
    {
      g_assert_nonnull (strstr (head, "\r\nContent-Length: 8388608\r\n"));
      g_assert_nonnull (strstr (head, "\r\nContent-Type: application/octet-stream\r\n"));
      assert_pattern (body, BODY_SIZE);
      raw_peer_reply (peer, "stored");
      g_clear_pointer (&head, g_free);
      g_clear_pointer (&body, g_bytes_unref);
    }
}

static void
test_bodies_arrive_whole_on_a_kept_connection (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, mode, serve_upload, NULL, 5);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (BoxReply) reply = NULL;
      Pattern pattern;

      pattern_init (&pattern, BODY_SIZE);
      reply = send_method (&fixture, "PUT", &pattern.body, &error);
      g_assert_no_error (error);
      assert_body (reply, "stored");
      g_assert_cmpint (pattern.sent, ==, BODY_SIZE);
    }
  g_assert_cmpuint (raw_server_get_connections (fixture.server), ==, 1);
}

static void
serve_redirect (RawPeer *peer, gpointer data)
{
  if (raw_peer_read_request (peer, NULL, NULL))
    raw_peer_say (peer, "HTTP/1.1 307 Away\r\nLocation: http://localhost:1/secret\r\n"
                        "Content-Length: 0\r\n\r\n");
  raw_peer_linger (peer);
}

static void
test_redirects_are_returned_not_followed (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;

  fixture_init (&fixture, mode, serve_redirect, NULL, 5);
  reply = send_method (&fixture, "GET", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 307);
  g_assert_cmpstr (reply->location, ==, "http://localhost:1/secret");
}

static void
serve_cookies (RawPeer *peer, gpointer data)
{
  g_autofree char *head = NULL;

  while (raw_peer_read_request (peer, &head, NULL))
    {
      g_assert_null (strstr (head, "Cookie"));
      raw_peer_say (peer, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
                          "Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n");
      g_clear_pointer (&head, g_free);
    }
}

static void
test_neither_cookies_nor_authentication_are_kept (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, mode, serve_cookies, NULL, 5);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (BoxReply) reply = send_method (&fixture, "GET", NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, 401);
    }
}

/* ---- early replies ---- */

/* What the server says when it has read this much of the body, and what it does then. */
typedef struct
{
  const char *reply;
  gsize read_first;
  enum
  {
    THEN_CLOSE,
    THEN_RESET_BY_CLOSING,
    THEN_LINGER,
  } then;
  guint status;
  const char *body;
  gint retry_after;
} Early;

static const Early early_cases[] = {
  { "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nwait", 0, THEN_CLOSE, 429,
    "wait", 7 },
  { "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nConnection: close\r\n\r\nwait", 0, THEN_CLOSE, 429,
    "wait", 7 },
  { "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 0, THEN_LINGER, 401, "", -1 },
  { "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlate\r\n1;x=y\r\nr\r\n0\r\n\r\n",
    0, THEN_LINGER, 503, "later", -1 },
  { "HTTP/1.1 413 Big\r\nContent-Length: 3\r\n\r\nbig", 1 << 20, THEN_CLOSE, 413, "big", -1 },
  { "HTTP/1.1 413 Big\r\nContent-Length: 3\r\n\r\nbig", (1 << 20) + 1, THEN_LINGER, 413, "big",
    -1 },
  { "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", 0, THEN_LINGER,
    500, "no", -1 },
  { "HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nshort", 0, THEN_CLOSE, 403, "short", -1 },
};

static void
serve_early (RawPeer *peer, gpointer data)
{
  const Early *early = data;
  g_autofree char *head = raw_peer_read_head (peer);

  if (head == NULL)
    return;
  raw_peer_read (peer, early->read_first);
  raw_peer_say (peer, "%s", early->reply);
  if (early->then == THEN_LINGER)
    raw_peer_linger (peer);
}

static void
test_early_replies_end_the_sending (gconstpointer mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (early_cases); i++)
    {
      const Early *early = &early_cases[i];
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxReply) reply = NULL;
      Pattern pattern;

      g_test_message ("case %zu", i);
      fixture_init (&fixture, mode, serve_early, (gpointer) early, 5);
      pattern_init (&pattern, BODY_SIZE);
      reply = send_method (&fixture, i % 2 == 0 ? "PUT" : "POST", &pattern.body, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, early->status);
      assert_body (reply, early->body);
      g_assert_cmpint (reply->retry_after, ==, early->retry_after);
      g_assert_cmpuint (raw_server_get_connections (fixture.server), ==, 1);
    }
}

static void
serve_early_second (RawPeer *peer, gpointer data)
{
  if (raw_peer_get_index (peer) == 0 && raw_peer_read_request (peer, NULL, NULL))
    {
      raw_peer_reply (peer, "first");
      serve_early (peer, data);
    }
  else if (raw_peer_read_request (peer, NULL, NULL))
    raw_peer_reply (peer, "third");
}

static void
test_early_replies_are_seen_on_a_kept_connection (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, mode, serve_early_second, (gpointer) &early_cases[0], 5);
  for (guint i = 0; i < 3; i++)
    {
      static const char *const bodies[] = { "first", "wait", "third" };
      g_autoptr (BoxReply) reply = NULL;
      Pattern pattern;

      pattern_init (&pattern, BODY_SIZE);
      reply = send_method (&fixture, "PUT", &pattern.body, &error);
      g_assert_no_error (error);
      assert_body (reply, bodies[i]);
    }
  g_assert_cmpuint (raw_server_get_connections (fixture.server), ==, 2);
}

static void
serve_interim (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  if (head == NULL)
    return;
  raw_peer_say (peer, "HTTP/1.1 100 Continue\r\n\r\n");
  g_assert_cmpuint (raw_peer_read (peer, BODY_SIZE), ==, BODY_SIZE);
  raw_peer_reply (peer, "stored");
  raw_peer_linger (peer);
}

static void
test_interim_replies_do_not_end_the_sending (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  Pattern pattern;

  fixture_init (&fixture, mode, serve_interim, NULL, 5);
  pattern_init (&pattern, BODY_SIZE);
  reply = send_method (&fixture, "PUT", &pattern.body, &error);
  g_assert_no_error (error);
  assert_body (reply, "stored");
}

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
  { "reply-endless", serve_endless_reply, "GET", 0, BOX_ERROR_PROTOCOL, FALSE,
    "127.0.0.1 sent a reply longer than *" },
  { "garbage", serve_garbage, "GET", 0, BOX_ERROR_PROTOCOL, TRUE,
    "127.0.0.1 answered with something that is not HTTP" },
  { "early-garbage", serve_early_garbage, "PUT", BODY_SIZE, BOX_ERROR_PROTOCOL, TRUE,
    "127.0.0.1 answered with something that is not HTTP" },
};

static const Failure timeouts[] = {
  { "body-stalls", serve_nothing, "PUT", 64u << 20, BOX_ERROR_TRANSIENT, TRUE,
    "no progress for 1 s while sending the request (127.0.0.1)" },
  { "reply-never-comes", serve_silence, "PUT", 1000, BOX_ERROR_TRANSIENT, TRUE,
    "no progress for 1 s while waiting for the reply (127.0.0.1)" },
  { "reply-stalls", serve_half_a_reply, "GET", 0, BOX_ERROR_TRANSIENT, TRUE,
    "no progress for 1 s while reading the reply (127.0.0.1)" },
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
  reply = send_method (&fixture, failure->method, failure->body_size > 0 ? &pattern.body : NULL,
                       &error);
  g_assert_null (reply);
  g_test_message ("%s: %s", failure->name, error->message);
  g_assert_error (error, BOX_ERROR, failure->code);
  g_assert_cmpint (box_error_get_details (error)->unsure, ==, failure->unsure);
  g_assert_true (g_pattern_match_simple (failure->message, error->message));
}

static void
test_failures_say_what_happened (gconstpointer mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
    check_failure (&failures[i], mode, 5);
}

static void
test_stalls_end_by_the_timeout (gconstpointer mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      gint64 begin = g_get_monotonic_time ();

      check_failure (&timeouts[i], mode, 1);
      g_assert_cmpint (g_get_monotonic_time () - begin, <, 3 * G_USEC_PER_SEC);
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
  reply = send_method (&fixture, "GET", NULL, &error);
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
  reply = send_method (&fixture, "GET", NULL, &error);
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

  fixture_init (&fixture, mode, serve_upload, NULL, 5);
  pattern_init (&pattern, BODY_SIZE);
  pattern.fail_at = 1 << 20;
  reply = send_method (&fixture, "PUT", &pattern.body, &error);
  g_assert_null (reply);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  g_assert_cmpstr (error->message, ==, "the disk is on fire");
}

static void
test_a_refused_connection_is_transient_and_sure (void)
{
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (NULL, NULL, 5, NULL);
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
}

/* ---- kept connections that are none any more ---- */

static void
serve_stale (RawPeer *peer, gpointer data)
{
  if (raw_peer_get_index (peer) == 0)
    {
      if (raw_peer_read_request (peer, NULL, NULL))
        raw_peer_reply (peer, "first");
      raw_peer_read (peer, 1);
      raw_peer_reset (peer);
    }
  else if (raw_peer_read_request (peer, NULL, NULL))
    {
      raw_peer_reply (peer, "second");
      raw_peer_linger (peer);
    }
}

static void
test_a_put_on_a_stale_connection_is_sent_again (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  static const char *const bodies[] = { "first", "second" };

  fixture_init (&fixture, mode, serve_stale, NULL, 5);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (BoxReply) reply = NULL;
      Pattern pattern;

      pattern_init (&pattern, BODY_SIZE);
      reply = send_method (&fixture, "PUT", &pattern.body, &error);
      if (((const Mode *) mode)->tls && error != NULL)
        {
          /* Where TLS reports the reset, libsoup leaves the repetition to us. */
          g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
          return;
        }
      g_assert_no_error (error);
      assert_body (reply, bodies[i]);
      g_assert_cmpint (pattern.sent, ==, BODY_SIZE);
    }
}

static void
test_a_post_takes_a_new_connection (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) first = NULL, second = NULL;

  fixture_init (&fixture, mode, serve_stale, NULL, 5);
  first = send_method (&fixture, "PUT", NULL, &error);
  g_assert_no_error (error);
  second = send_method (&fixture, "POST", NULL, &error);
  g_assert_no_error (error);
  assert_body (second, "second");
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

  fixture_init (&fixture, mode, serve, NULL, 60);
  pattern_init (&pattern, size);
  pattern.body.pace = pace;
  canceller = g_thread_new ("canceller", cancel_when_signalled, &fixture);
  reply = send_method (&fixture, "PUT", size > 0 ? &pattern.body : NULL, &error);
  took = g_get_monotonic_time ();
  when = g_thread_join (canceller);
  took -= *when;
  g_assert_null (reply);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_test_message ("%" G_GINT64_FORMAT " µs", took);
  g_assert_cmpint (took, <, G_USEC_PER_SEC);
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

  fixture_init (&fixture, &plain, serve_signal_and_nothing, NULL, 60);
  url = g_strdup_printf ("https://127.0.0.1:%u/", raw_server_get_port (fixture.server));
  canceller = g_thread_new ("canceller", cancel_when_signalled, &fixture);
  reply = box_transport_send (fixture.transport, fixture.config,
                              &(BoxRequest){ .method = "GET", .url = url }, fixture.cancellable,
                              &error);
  when = g_thread_join (canceller);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_assert_false (box_error_get_details (error)->unsure);
  g_assert_cmpint (g_get_monotonic_time () - *when, <, G_USEC_PER_SEC);
}

/* ---- pace ---- */

static void
test_pace_limits_the_rate (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxPace) pace = box_pace_new (20u << 20);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  gint64 begin = g_get_monotonic_time ();
  Pattern pattern;

  fixture_init (&fixture, mode, serve_upload, NULL, 5);
  pattern_init (&pattern, BODY_SIZE);
  pattern.body.pace = pace;
  reply = send_method (&fixture, "PUT", &pattern.body, &error);
  g_assert_no_error (error);
  /* 0.4 s less the credit. */
  g_assert_cmpint (g_get_monotonic_time () - begin, >, 340 * 1000);
}

/* ---- trust ---- */

static void
check_distrust (GTlsCertificate *server_certificate, const char *anchors, const char *message)
{
  g_autoptr (RawServer) server = raw_server_new (serve_whole, NULL, server_certificate);
  g_autoptr (BoxTransportConfig) config = NULL;
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autofree char *url = raw_server_get_url (server, "");
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  BoxRequest request = { .method = "GET", .url = url };

  config = box_transport_config_new (anchors, NULL, 5, &error);
  g_assert_no_error (error);
  reply = box_transport_send (transport, config, &request, NULL, &error);
  g_assert_null (reply);
  g_test_message ("%s", error->message);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRUST);
  g_assert_false (box_error_get_details (error)->unsure);
  g_assert_true (g_pattern_match_simple (message, error->message));
}

static void
test_unknown_authorities_are_refused (void)
{
  check_distrust (certificate, NULL, "*127.0.0.1*unknown authority*ca-file*");
}

static void
test_certificates_for_other_hosts_are_refused (void)
{
  g_autofree char *pem = NULL;
  g_autoptr (GTlsCertificate) other = raw_certificate_new ("other.example.com", &pem);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  gint fd = g_file_open_tmp ("ca-XXXXXX.pem", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_set_contents (path, pem, -1, &error);
  check_distrust (other, path, "*127.0.0.1*for another host");
  g_unlink (path);
}

static void
test_unusable_settings_are_named (void)
{
  g_autoptr (GError) missing = NULL, empty = NULL, proxy = NULL;

  g_assert_null (box_transport_config_new ("/nonexistent/ca.pem", NULL, 0, &missing));
  g_assert_error (missing, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_nonnull (strstr (missing->message, "/nonexistent/ca.pem"));
  g_assert_null (box_transport_config_new ("/dev/null", NULL, 0, &empty));
  g_assert_error (empty, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_null (box_transport_config_new (NULL, "proxy:3128", 0, &proxy));
  g_assert_error (proxy, BOX_ERROR, BOX_ERROR_SETTINGS);
}

/* ---- proxies ---- */

/* Plays proxy and server in one: "data" is what it answers to CONNECT, NULL: it lets through. */
static void
serve_proxy (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  if (head == NULL)
    return;
  g_assert_null (strstr (head, "secret"));
  if (g_str_has_prefix (head, "GET http://upload.box.test/path HTTP/1.1\r\n"))
    {
      raw_peer_reply (peer, "plain");
      return;
    }
  g_assert_true (g_str_has_prefix (head, "CONNECT 127.0.0.1:9999 "));
  if (data != NULL)
    {
      raw_peer_say (peer, "%s", (const char *) data);
      raw_peer_linger (peer);
      return;
    }
  raw_peer_say (peer, "HTTP/1.1 200 Go\r\n\r\n");
  raw_peer_start_tls (peer, certificate);
  if (raw_peer_read_request (peer, NULL, NULL))
    raw_peer_reply (peer, "tunnelled");
  serve_early (peer, (gpointer) &early_cases[0]);
}

static BoxReply *
send_through_proxy (const char *answer, const char *url, const char *const *headers, guint n,
                    GError **error)
{
  g_autoptr (RawServer) server = raw_server_new (serve_proxy, (gpointer) answer, NULL);
  g_autofree char *proxy = g_strdup_printf ("http://127.0.0.1:%u", raw_server_get_port (server));
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (ca_file, proxy, 5, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  BoxReply *reply = NULL;
  Pattern pattern;

  pattern_init (&pattern, BODY_SIZE);
  for (guint i = 0; i < n; i++)
    {
      BoxRequest request = { .method = "GET", .url = url, .headers = headers };

      if (i > 0)
        {
          request.method = "PUT";
          request.body = &pattern.body;
        }
      g_clear_pointer (&reply, box_reply_free);
      reply = box_transport_send (transport, config, &request, NULL, error);
    }
  return reply;
}

static const char *const secret_headers[] = { "Authorization", "Bearer secret", NULL };

static void
test_proxies_tunnel_tls_and_see_no_token (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) one =
      send_through_proxy (NULL, "https://127.0.0.1:9999/", secret_headers, 1, &error);
  g_autoptr (BoxReply) two = NULL;

  g_assert_no_error (error);
  assert_body (one, "tunnelled");
  two = send_through_proxy (NULL, "https://127.0.0.1:9999/", secret_headers, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (two->status, ==, 429);
}

static void
test_proxies_pass_clear_text (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply =
      send_through_proxy (NULL, "http://upload.box.test/path", NULL, 1, &error);

  g_assert_no_error (error);
  assert_body (reply, "plain");
}

static void
test_a_proxys_refusal_is_not_the_servers (void)
{
  g_autoptr (GError) auth = NULL, bad_gateway = NULL;

  g_assert_null (
      send_through_proxy ("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
                          "Content-Length: 0\r\n\r\n",
                          "https://127.0.0.1:9999/", secret_headers, 1, &auth));
  g_assert_error (auth, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_nonnull (strstr (auth->message, "user and password"));
  g_assert_null (send_through_proxy ("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n",
                                     "https://127.0.0.1:9999/", secret_headers, 1, &bad_gateway));
  g_assert_error (bad_gateway, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_false (box_error_get_details (bad_gateway)->unsure);
}

static void
add_both (const char *name, GTestDataFunc function)
{
  g_autofree char *over_plain = g_strconcat ("/transport/http/", name, NULL);
  g_autofree char *over_tls = g_strconcat ("/transport/tls/", name, NULL);

  g_test_add_data_func (over_plain, &plain, function);
  g_test_add_data_func (over_tls, &tls, function);
}

int
main (int argc, char **argv)
{
  g_autofree char *pem = NULL;
  gint fd, result;

  g_test_init (&argc, &argv, NULL);
  certificate = raw_certificate_new ("127.0.0.1", &pem);
  fd = g_file_open_tmp ("ca-XXXXXX.pem", &ca_file, NULL);
  g_close (fd, NULL);
  g_file_set_contents (ca_file, pem, -1, NULL);

  add_both ("reply-carries-what-the-server-said", test_reply_carries_what_the_server_said);
  add_both ("two-requests-share-a-connection", test_two_requests_share_a_connection);
  add_both ("bodies-arrive-whole-on-a-kept-connection",
            test_bodies_arrive_whole_on_a_kept_connection);
  add_both ("redirects-are-returned-not-followed", test_redirects_are_returned_not_followed);
  add_both ("neither-cookies-nor-authentication-are-kept",
            test_neither_cookies_nor_authentication_are_kept);
  add_both ("early-replies-end-the-sending", test_early_replies_end_the_sending);
  add_both ("early-replies-are-seen-on-a-kept-connection",
            test_early_replies_are_seen_on_a_kept_connection);
  add_both ("interim-replies-do-not-end-the-sending", test_interim_replies_do_not_end_the_sending);
  add_both ("failures-say-what-happened", test_failures_say_what_happened);
  add_both ("stalls-end-by-the-timeout", test_stalls_end_by_the_timeout);
  add_both ("an-error-status-outlives-its-cut-body", test_an_error_status_outlives_its_cut_body);
  add_both ("a-misdirected-request-is-a-status", test_a_misdirected_request_is_a_status);
  add_both ("a-failing-body-is-the-error", test_a_failing_body_is_the_error);
  g_test_add_func ("/transport/a-refused-connection-is-transient-and-sure",
                   test_a_refused_connection_is_transient_and_sure);
  add_both ("a-put-on-a-stale-connection-is-sent-again",
            test_a_put_on_a_stale_connection_is_sent_again);
  add_both ("a-post-takes-a-new-connection", test_a_post_takes_a_new_connection);
  add_both ("cancelling-takes-effect-at-once", test_cancelling_takes_effect_at_once);
  g_test_add_func ("/transport/cancelling-ends-a-handshake", test_cancelling_ends_a_handshake);
  add_both ("pace-limits-the-rate", test_pace_limits_the_rate);
  g_test_add_func ("/transport/unknown-authorities-are-refused",
                   test_unknown_authorities_are_refused);
  g_test_add_func ("/transport/certificates-for-other-hosts-are-refused",
                   test_certificates_for_other_hosts_are_refused);
  g_test_add_func ("/transport/unusable-settings-are-named", test_unusable_settings_are_named);
  g_test_add_func ("/transport/proxies-tunnel-tls-and-see-no-token",
                   test_proxies_tunnel_tls_and_see_no_token);
  g_test_add_func ("/transport/proxies-pass-clear-text", test_proxies_pass_clear_text);
  g_test_add_func ("/transport/a-proxys-refusal-is-not-the-servers",
                   test_a_proxys_refusal_is_not_the_servers);

  result = g_test_run ();
  g_unlink (ca_file);
  g_free (ca_file);
  g_object_unref (certificate);
  return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exchanges that succeed, early replies among them. */
#include "transport-fixture.h"

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

  fixture_init (&fixture, mode, serve_whole, NULL, FIXTURE_TIMEOUT);
  reply = fixture_send (&fixture, "GET", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 418);
  fixture_assert_body (reply, "hello");
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

  fixture_init (&fixture, mode, serve_whole, NULL, FIXTURE_TIMEOUT);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (BoxReply) reply = fixture_send (&fixture, "GET", NULL, &error);

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
      pattern_assert (body, BODY_SIZE);
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

  fixture_init (&fixture, mode, serve_upload, NULL, FIXTURE_TIMEOUT);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (BoxReply) reply = NULL;
      Pattern pattern;

      pattern_init (&pattern, BODY_SIZE);
      reply = fixture_send (&fixture, "PUT", &pattern.body, &error);
      g_assert_no_error (error);
      fixture_assert_body (reply, "stored");
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

  fixture_init (&fixture, mode, serve_redirect, NULL, FIXTURE_TIMEOUT);
  reply = fixture_send (&fixture, "GET", NULL, &error);
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

  fixture_init (&fixture, mode, serve_cookies, NULL, FIXTURE_TIMEOUT);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (BoxReply) reply = fixture_send (&fixture, "GET", NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, 401);
    }
}

/* ---- early replies ---- */

/* The server's reply after it has read this much of the body, and its next action. */
typedef struct
{
  const char *reply;
  gsize read_first;
  enum
  {
    THEN_CLOSE,
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
      fixture_init (&fixture, mode, serve_early, (gpointer) early, FIXTURE_TIMEOUT);
      pattern_init (&pattern, BODY_SIZE);
      reply = fixture_send (&fixture, i % 2 == 0 ? "PUT" : "POST", &pattern.body, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, early->status);
      fixture_assert_body (reply, early->body);
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

  fixture_init (&fixture, mode, serve_early_second, (gpointer) &early_cases[0], FIXTURE_TIMEOUT);
  for (guint i = 0; i < 3; i++)
    {
      static const char *const bodies[] = { "first", "wait", "third" };
      g_autoptr (BoxReply) reply = NULL;
      Pattern pattern;

      pattern_init (&pattern, BODY_SIZE);
      reply = fixture_send (&fixture, "PUT", &pattern.body, &error);
      g_assert_no_error (error);
      fixture_assert_body (reply, bodies[i]);
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

  fixture_init (&fixture, mode, serve_interim, NULL, FIXTURE_TIMEOUT);
  pattern_init (&pattern, BODY_SIZE);
  reply = fixture_send (&fixture, "PUT", &pattern.body, &error);
  g_assert_no_error (error);
  fixture_assert_body (reply, "stored");
}

/* ---- kept connections that are none any more ---- */

static void
serve_stale (RawPeer *peer, gpointer data)
{
  if (raw_peer_get_index (peer) == 0)
    {
      if (raw_peer_read_request (peer, NULL, NULL))
        raw_peer_reply (peer, "first");
      raw_peer_read (peer, 100000);
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

  fixture_init (&fixture, mode, serve_stale, NULL, FIXTURE_TIMEOUT);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (BoxReply) reply = NULL;
      Pattern pattern;

      pattern_init (&pattern, BODY_SIZE);
      reply = fixture_send (&fixture, "PUT", &pattern.body, &error);
      g_assert_no_error (error);
      fixture_assert_body (reply, bodies[i]);
      g_assert_cmpint (pattern.sent, ==, BODY_SIZE);
    }
}

static void
serve_stale_after_the_body (RawPeer *peer, gpointer data)
{
  if (raw_peer_read_request (peer, NULL, NULL))
    raw_peer_reply (peer, "first");
  raw_peer_read_request (peer, NULL, NULL);
  raw_peer_reset (peer);
}

static void
test_a_put_that_had_left_whole_is_not_repeated (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) first = NULL, second = NULL;
  Pattern pattern;

  fixture_init (&fixture, mode, serve_stale_after_the_body, NULL, FIXTURE_TIMEOUT);
  pattern_init (&pattern, BODY_SIZE);
  first = fixture_send (&fixture, "PUT", &pattern.body, &error);
  g_assert_no_error (error);
  second = fixture_send (&fixture, "PUT", &pattern.body, &error);
  g_assert_null (second);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_true (box_error_get_details (error)->unsure);
  g_assert_cmpuint (raw_server_get_connections (fixture.server), ==, 1);
}

static void
test_a_post_takes_a_new_connection (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) first = NULL, second = NULL;

  fixture_init (&fixture, mode, serve_stale, NULL, FIXTURE_TIMEOUT);
  first = fixture_send (&fixture, "PUT", NULL, &error);
  g_assert_no_error (error);
  second = fixture_send (&fixture, "POST", NULL, &error);
  g_assert_no_error (error);
  fixture_assert_body (second, "second");
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

  fixture_init (&fixture, mode, serve_upload, NULL, FIXTURE_TIMEOUT);
  pattern_init (&pattern, BODY_SIZE);
  pattern.body.pace = pace;
  reply = fixture_send (&fixture, "PUT", &pattern.body, &error);
  g_assert_no_error (error);
  /* 0.4 s less the credit. */
  g_assert_cmpint (g_get_monotonic_time () - begin, >, 340 * 1000);
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  fixture_add_both ("reply-carries-what-the-server-said", test_reply_carries_what_the_server_said);
  fixture_add_both ("two-requests-share-a-connection", test_two_requests_share_a_connection);
  fixture_add_both ("bodies-arrive-whole-on-a-kept-connection",
                    test_bodies_arrive_whole_on_a_kept_connection);
  fixture_add_both ("redirects-are-returned-not-followed",
                    test_redirects_are_returned_not_followed);
  fixture_add_both ("neither-cookies-nor-authentication-are-kept",
                    test_neither_cookies_nor_authentication_are_kept);
  fixture_add_both ("early-replies-end-the-sending", test_early_replies_end_the_sending);
  fixture_add_both ("early-replies-are-seen-on-a-kept-connection",
                    test_early_replies_are_seen_on_a_kept_connection);
  fixture_add_both ("interim-replies-do-not-end-the-sending",
                    test_interim_replies_do_not_end_the_sending);
  fixture_add_both ("a-put-on-a-stale-connection-is-sent-again",
                    test_a_put_on_a_stale_connection_is_sent_again);
  fixture_add_both ("a-put-that-had-left-whole-is-not-repeated",
                    test_a_put_that_had_left_whole_is_not_repeated);
  fixture_add_both ("a-post-takes-a-new-connection", test_a_post_takes_a_new_connection);
  fixture_add_both ("pace-limits-the-rate", test_pace_limits_the_rate);
  return fixture_run_program ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proxies that want a password, and those that say no. */
#include "transport-fixture.h"

#include "http/proxy.h"

#define REALM "Basic realm=\"p\""
#define PAGE  "<html>You have to log in.</html>"

/* A proxy and the server behind it. */
typedef struct
{
  /* immutable */
  const char *refusal; /* of a CONNECT that has not what is wanted */
  const char *wanted;  /* in the head of a CONNECT; NULL: nothing is ever enough */
  const char *before;  /* an interim answer; NULL: none */
  const char *inside;  /* what the server says, NULL: 200 */
  gboolean closes;     /* after a refusal */
  gboolean speaks_tls;

  /* atomic */
  gint connects;
  gint offers; /* of a password */
} Proxy;

static gboolean
is_let_through (Proxy *proxy, const char *head)
{
  g_atomic_int_inc (&proxy->connects);
  if (strstr (head, "\r\nProxy-Authorization: ") != NULL)
    g_atomic_int_inc (&proxy->offers);
  return proxy->wanted != NULL && strstr (head, proxy->wanted) != NULL;
}

static void
serve_proxy (RawPeer *peer, gpointer data)
{
  Proxy *proxy = data;
  g_autofree char *head = raw_peer_read_head (peer);

  while (head != NULL && !is_let_through (proxy, head))
    {
      raw_peer_say (peer, "%s", proxy->refusal);
      if (proxy->closes)
        return;
      g_free (head);
      head = raw_peer_read_head (peer);
    }
  if (head == NULL)
    return;
  g_assert_true (g_str_has_prefix (head, "CONNECT 127.0.0.1:9999 HTTP/1.1\r\n"));
  raw_peer_say (peer, "%sHTTP/1.1 200 Go\r\nContent-Length: 5\r\n\r\n",
                proxy->before != NULL ? proxy->before : "");
  raw_peer_start_tls (peer, fixture_get_certificate ());
  g_clear_pointer (&head, g_free);
  if (!raw_peer_read_request (peer, &head, NULL))
    return;
  g_assert_null (strstr (head, "Proxy-"));
  if (proxy->inside != NULL)
    raw_peer_say (peer, "%s", proxy->inside);
  else
    raw_peer_reply (peer, "tunnelled");
}

typedef struct
{
  RawServer *server;
  BoxTransportConfig *config;
  BoxTransport *transport;
} Client;

static void
client_init (Client *client, Proxy *proxy, const char *userinfo)
{
  GTlsCertificate *certificate = proxy->speaks_tls ? fixture_get_certificate () : NULL;
  g_autofree char *uri = NULL;
  g_autoptr (GError) error = NULL;

  box_proxy_memory_forget ();
  client->server = raw_server_new (serve_proxy, proxy, certificate);
  uri = g_strdup_printf ("%s://%s127.0.0.1:%u", proxy->speaks_tls ? "https" : "http", userinfo,
                         raw_server_get_port (client->server));
  client->config = box_transport_config_new (fixture_get_ca_file (), uri, FIXTURE_TIMEOUT, &error);
  g_assert_no_error (error);
  client->transport = box_transport_new ();
}

static void
client_clear (Client *client)
{
  box_transport_free (client->transport);
  box_transport_config_unref (client->config);
  raw_server_free (client->server);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Client, client_clear)

static BoxReply *
client_send (Client *client, GError **error)
{
  BoxRequest request = { .method = "GET", .url = "https://127.0.0.1:9999/" };

  return box_transport_send (client->transport, client->config, &request, NULL, error);
}

/* ---- the right password ---- */

typedef struct
{
  const char *name;
  Proxy proxy;
  gint connects;
  gint offers;
  guint connections;
} AcceptedCase;

#define REFUSAL(headers, body) "HTTP/1.1 407 Auth\r\n" headers "\r\n" body
#define ASKS                   "Proxy-Authenticate: " REALM "\r\n"
#define LENGTH                 "Content-Length: 32\r\n"
#define RIGHT                  "\r\nProxy-Authorization: Basic dTpwdw==\r\n"

static const AcceptedCase accepted[] = {
  { "kept-with-a-body", { REFUSAL (ASKS LENGTH, PAGE), RIGHT }, 2, 1, 1 },
  { "kept-without-a-body", { REFUSAL (ASKS "Content-Length: 0\r\n", ""), RIGHT }, 2, 1, 1 },
  { "closed", { REFUSAL (ASKS LENGTH, PAGE), RIGHT, .closes = TRUE }, 2, 1, 2 },
  { "closed-as-announced",
    { REFUSAL (ASKS LENGTH "Connection: close\r\n", PAGE), RIGHT, .closes = TRUE },
    2,
    1,
    2 },
  { "body-of-no-length", { REFUSAL (ASKS, PAGE), RIGHT, .closes = TRUE }, 2, 1, 2 },
  { "body-in-chunks",
    { REFUSAL (ASKS "Transfer-Encoding: chunked\r\n", "20\r\n" PAGE "\r\n0\r\n\r\n"), RIGHT },
    2,
    1,
    2 },
  { "http-1.0", { "HTTP/1.0 407 Auth\r\n" ASKS "\r\n" PAGE, RIGHT, .closes = TRUE }, 2, 1, 2 },
  { "asks-by-401-for-nothing",
    { "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", RIGHT },
    2,
    1,
    1 },
  { "says-hold-on-first",
    { REFUSAL (ASKS LENGTH, PAGE), RIGHT, "HTTP/1.1 102 Processing\r\n\r\n" },
    2,
    1,
    1 },
  { "digest",
    { REFUSAL ("Proxy-Authenticate: NTLM\r\nProxy-Authenticate: " REALM
               ", Digest realm=\"p\", nonce=\"abc\", qop=\"auth\"\r\n" LENGTH,
               PAGE),
      "\r\nProxy-Authorization: Digest username=\"u\", realm=\"p\", nonce=\"abc\", "
      "uri=\"127.0.0.1:9999\"" },
    2,
    1,
    1 },
  { "reached-over-tls", { REFUSAL (ASKS LENGTH, PAGE), RIGHT, .speaks_tls = TRUE }, 2, 1, 1 },
};

static void
test_the_first_request_gets_through (gconstpointer data)
{
  const AcceptedCase *c = data;
  Proxy proxy = c->proxy;
  g_auto (Client) client = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;

  client_init (&client, &proxy, "u:pw@");
  reply = client_send (&client, &error);
  g_assert_no_error (error);
  fixture_assert_body (reply, "tunnelled");
  g_assert_cmpint (g_atomic_int_get (&proxy.connects), ==, c->connects);
  g_assert_cmpint (g_atomic_int_get (&proxy.offers), ==, c->offers);
  g_assert_cmpuint (raw_server_get_connections (client.server), ==, c->connections);
}

static void
test_the_next_connection_offers_it_at_once (void)
{
  Proxy proxy = { REFUSAL (ASKS LENGTH, PAGE), RIGHT };
  g_auto (Client) client = { 0 };

  client_init (&client, &proxy, "u:pw@");
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxTransport) other = box_transport_new ();
      g_autoptr (BoxReply) reply = NULL;
      BoxRequest request = { .method = "GET", .url = "https://127.0.0.1:9999/" };

      reply = box_transport_send (other, client.config, &request, NULL, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpint (g_atomic_int_get (&proxy.connects), ==, 4);
  g_assert_cmpint (g_atomic_int_get (&proxy.offers), ==, 3);
}

/* ---- refusals ---- */

typedef struct
{
  const char *name;
  Proxy proxy;
  const char *userinfo;
  gint code;
  gint offers;
  const char *message; /* a pattern */
} RefusedCase;

static const RefusedCase refused[] = {
  { "wrong-password",
    { REFUSAL (ASKS LENGTH, PAGE) },
    "u:secret@",
    BOX_ERROR_SETTINGS,
    1,
    "the proxy 127.0.0.1 refused the user and password in its URI; correct them" },
  { "wrong-password-and-closed",
    { REFUSAL (ASKS LENGTH, PAGE), .closes = TRUE },
    "u:secret@",
    BOX_ERROR_SETTINGS,
    1,
    "the proxy 127.0.0.1 refused the user and password in its URI; correct them" },
  { "stale-for-ever",
    { REFUSAL ("Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\", stale=true\r\n" LENGTH,
               PAGE) },
    "u:secret@",
    BOX_ERROR_SETTINGS,
    2,
    "the proxy 127.0.0.1 refused the user and password in its URI; correct them" },
  { "no-password",
    { REFUSAL (ASKS LENGTH, PAGE) },
    "",
    BOX_ERROR_SETTINGS,
    0,
    "the proxy 127.0.0.1 refused the connection (407): it wants a user and password, which go into "
    "the proxy's URI (http://USER:PASSWORD@*)" },
  { "only-ntlm",
    { REFUSAL ("Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n" LENGTH, PAGE) },
    "u:secret@",
    BOX_ERROR_SETTINGS,
    0,
    "the proxy 127.0.0.1 asks for NTLM, Negotiate, which is not supported; supported are Basic and "
    "Digest, *" },
  { "forbidden",
    { "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" },
    "u:secret@",
    BOX_ERROR_SETTINGS,
    0,
    "the proxy 127.0.0.1 refused the connection to 127.0.0.1:9999 (403): its administrator has to "
    "allow CONNECT to it" },
  { "out-of-order",
    { "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" },
    "u:secret@",
    BOX_ERROR_TRANSIENT,
    0,
    "the proxy 127.0.0.1 refused the connection to 127.0.0.1:9999 (503)" },
  { "silent",
    { "", .closes = TRUE },
    "u:secret@",
    BOX_ERROR_TRANSIENT,
    0,
    "the proxy 127.0.0.1 failed: it closed the connection" },
  { "no-http",
    { "SSH-2.0-OpenSSH_9.2\r\n\r\n", .closes = TRUE },
    "u:secret@",
    BOX_ERROR_TRANSIENT,
    0,
    "the proxy 127.0.0.1 failed: its answer is not HTTP" },
};

static void
test_refusals_say_what_to_do (gconstpointer data)
{
  const RefusedCase *c = data;
  Proxy proxy = c->proxy;
  g_auto (Client) client = { 0 };
  g_autoptr (GError) error = NULL;

  client_init (&client, &proxy, c->userinfo);
  g_assert_null (client_send (&client, &error));
  g_test_message ("%s", error->message);
  g_assert_error (error, BOX_ERROR, c->code);
  g_assert_false (box_error_get_details (error)->unsure);
  g_assert_true (g_pattern_match_simple (c->message, error->message));
  g_assert_null (strstr (error->message, "secret"));
  g_assert_cmpint (g_atomic_int_get (&proxy.offers), ==, c->offers);
  g_assert_cmpuint (raw_server_get_connections (client.server), <=, 2);
}

static void
test_a_refused_password_rests (void)
{
  Proxy proxy = { REFUSAL (ASKS LENGTH, PAGE) };
  g_auto (Client) client = { 0 };

  client_init (&client, &proxy, "u:secret@");
  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (client_send (&client, &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
      g_assert_nonnull (strstr (error->message, "correct them"));
    }
  g_assert_cmpint (g_atomic_int_get (&proxy.offers), ==, BOX_PROXY_MAX_OFFERS);
}

/* SOCKS 5 with user and password (RFC 1929), which GIO speaks. */
static void
serve_socks (RawPeer *peer, gpointer offers)
{
  static const char methods[] = "\x05\x02??";
  static const char credentials[] = "\x01\x01u\x06secret";

  if (raw_peer_read (peer, sizeof methods - 1) < sizeof methods - 1)
    return;
  raw_peer_say (peer, "\x05\x02");
  if (raw_peer_read (peer, sizeof credentials - 1) < sizeof credentials - 1)
    return;
  g_atomic_int_inc ((gint *) offers);
  raw_peer_say (peer, "\x01\x01");
}

static void
test_a_password_that_socks_refused_rests_too (void)
{
  gint offers = 0;
  g_autoptr (RawServer) server = raw_server_new (serve_socks, &offers, NULL);
  g_autofree char *uri =
      g_strdup_printf ("socks5://u:secret@127.0.0.1:%u", raw_server_get_port (server));
  g_autoptr (BoxTransportConfig) config =
      box_transport_config_new (fixture_get_ca_file (), uri, FIXTURE_TIMEOUT, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  BoxRequest request = { .method = "GET", .url = "https://127.0.0.1:9999/" };

  box_proxy_memory_forget ();
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (box_transport_send (transport, config, &request, NULL, &error));
      g_test_message ("%s", error->message);
      g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
      g_assert_null (strstr (error->message, "secret"));
    }
  g_assert_cmpint (g_atomic_int_get (&offers), ==, BOX_PROXY_MAX_OFFERS);
}

/* A server behind the tunnel could ask for the proxy's password. */
static void
test_a_407_from_inside_is_a_status (void)
{
  Proxy proxy = { REFUSAL (ASKS LENGTH, PAGE), RIGHT,
                  .inside = "HTTP/1.1 407 Mine\r\nProxy-Authenticate: Digest realm=\"x\", "
                            "nonce=\"y\"\r\nContent-Length: 0\r\n\r\n" };
  g_auto (Client) client = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;

  client_init (&client, &proxy, "u:pw@");
  reply = client_send (&client, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 407);
  g_assert_cmpint (g_atomic_int_get (&proxy.offers), ==, 1);
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (accepted); i++)
    {
      g_autofree char *path =
          g_strconcat ("/tunnel/the-first-request-gets-through/", accepted[i].name, NULL);

      g_test_add_data_func (path, &accepted[i], test_the_first_request_gets_through);
    }
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autofree char *path =
          g_strconcat ("/tunnel/refusals-say-what-to-do/", refused[i].name, NULL);

      g_test_add_data_func (path, &refused[i], test_refusals_say_what_to_do);
    }
  g_test_add_func ("/tunnel/the-next-connection-offers-it-at-once",
                   test_the_next_connection_offers_it_at_once);
  g_test_add_func ("/tunnel/a-refused-password-rests", test_a_refused_password_rests);
  g_test_add_func ("/tunnel/a-password-that-socks-refused-rests-too",
                   test_a_password_that_socks_refused_rests_too);
  g_test_add_func ("/tunnel/a-407-from-inside-is-a-status", test_a_407_from_inside_is_a_status);
  return fixture_run_program ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates and proxies. */
#include "transport-fixture.h"

#include "http/trust.h"
#include "kit/patience.h"
#include "kit/places.h"

/* ---- trust ---- */

static void
serve_nobody (RawPeer *peer, gpointer data)
{
  g_assert_false (raw_peer_read_request (peer, NULL, NULL));
}

static void
check_distrust (GTlsCertificate *server_certificate, const char *anchors, const char *message)
{
  g_autoptr (RawServer) server = raw_server_new (serve_nobody, NULL, server_certificate);
  g_autoptr (BoxTransportConfig) config = NULL;
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autofree char *url = raw_server_get_url (server, "");
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  BoxRequest request = { .method = "GET", .url = url };

  config = box_transport_config_new (anchors, NULL, FIXTURE_TIMEOUT, &error);
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
  check_distrust (fixture_get_certificate (), NULL, "*127.0.0.1*unknown authority*ca-file*");
}

/* A certificate for @host whose authority is in a file of its own. */
static GTlsCertificate *
new_certificate (const char *host, char **path)
{
  g_autofree char *pem = NULL;
  GTlsCertificate *made = raw_certificate_new (host, &pem);

  *path = kit_new_file (pem);
  return made;
}

static void
test_certificates_for_other_hosts_are_refused (void)
{
  char *path = NULL;
  g_autoptr (GTlsCertificate) other = new_certificate ("other.example.com", &path);

  check_distrust (other, path, "*127.0.0.1*for another host");
  kit_remove_file (path);
}

static const struct
{
  RawCertificateFault fault;
  const char *message;
} faults[] = {
  { RAW_CERTIFICATE_WEAK, "*127.0.0.1 is not trusted: its key or algorithm is too weak *" },
  { RAW_CERTIFICATE_FOR_CLIENTS, "*127.0.0.1 is not trusted: it is not for servers" },
  { RAW_CERTIFICATE_EXPIRED, "*127.0.0.1 is not trusted: *expired (*clock right?)" },
  { RAW_CERTIFICATE_NOT_YET_VALID, "*127.0.0.1 is not trusted: *not valid yet (*clock right?)" },
  { RAW_CERTIFICATE_SHA1, "*127.0.0.1 is not trusted: its key or algorithm is too weak *" },
  { RAW_CERTIFICATE_WITHOUT_NAME, "*127.0.0.1 is not trusted: *for another host*" },
  { RAW_CERTIFICATE_BY_A_SERVER, "*127.0.0.1 is not trusted: *" },
  { RAW_CERTIFICATE_BY_ITSELF, "*127.0.0.1 is not trusted: *" },
};

static void
test_weak_keys_and_other_purposes_are_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *pem = NULL;
      g_autoptr (GTlsCertificate) certificate =
          raw_certificate_new_faulty ("127.0.0.1", faults[i].fault, &pem);
      char *path = kit_new_file (pem);

      check_distrust (certificate, path, faults[i].message);
      kit_remove_file (path);
    }
}

/* The priority is glib-networking's, for both ends, and read once a process. */
static void
test_old_tls_is_refused (void)
{
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  g_setenv ("G_TLS_GNUTLS_PRIORITY", "NORMAL:%COMPAT:-VERS-ALL:+VERS-TLS1.1:+SIGN-ECDSA-SHA1:+SHA1",
            TRUE);
  check_distrust (fixture_get_certificate (), fixture_get_ca_file (),
                  "127.0.0.1 speaks no TLS later than 1.1*");
}

static GTlsCertificateFlags
verify (GTlsDatabase *database, GTlsCertificate *chain, const char *host)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new (host, 443);

  return g_tls_database_verify_chain (database, chain, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER,
                                      identity, NULL, G_TLS_DATABASE_VERIFY_NONE, NULL, NULL);
}

static void
test_a_ca_file_adds_to_what_is_trusted (void)
{
  char *own_path = NULL, *system_path = NULL, *third_path = NULL;
  g_autoptr (GTlsCertificate) own = new_certificate ("own.example.com", &own_path);
  g_autoptr (GTlsCertificate) known = new_certificate ("known.example.com", &system_path);
  g_autoptr (GTlsCertificate) third = new_certificate ("third.example.com", &third_path);
  g_autoptr (GTlsDatabase) own_database = g_tls_file_database_new (own_path, NULL);
  g_autoptr (GTlsDatabase) system = g_tls_file_database_new (system_path, NULL);
  g_autoptr (GTlsDatabase) trust = box_trust_new_of (own_database, system);

  g_assert_cmpint (verify (trust, own, "own.example.com"), ==, 0);
  g_assert_cmpint (verify (trust, known, "known.example.com"), ==, 0);
  g_assert_cmpint (verify (trust, own, "known.example.com"), ==, G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_assert_cmpint (verify (trust, third, "third.example.com"), !=, 0);
  kit_remove_file (own_path);
  kit_remove_file (system_path);
  kit_remove_file (third_path);
}

/* As where the system has no authority at all: a small container. */
static void
test_a_ca_file_is_enough_where_the_system_trusts_nothing (void)
{
  char *own_path = NULL, *other_path = NULL;
  g_autoptr (GTlsCertificate) own = new_certificate ("own.example.com", &own_path);
  g_autoptr (GTlsCertificate) other = new_certificate ("other.example.com", &other_path);
  g_autoptr (GTlsDatabase) own_database = g_tls_file_database_new (own_path, NULL);
  g_autoptr (GTlsDatabase) trust = box_trust_new_of (own_database, NULL);
  g_autoptr (GTlsDatabase) nothing = box_trust_new_of (NULL, NULL);

  g_assert_cmpint (verify (trust, own, "own.example.com"), ==, 0);
  g_assert_cmpint (verify (trust, other, "other.example.com"), !=, 0);
  g_assert_cmpint (verify (nothing, own, "own.example.com"), !=, 0);
  kit_remove_file (own_path);
  kit_remove_file (other_path);
}

/* And trust no more and no less. */
static void
test_a_programs_connections_begin_with_its_trust (void)
{
  g_autoptr (GTlsDatabase) first = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  box_trust_own_process ();
  test_a_ca_file_adds_to_what_is_trusted ();
  test_unknown_authorities_are_refused ();
  first = g_tls_backend_get_default_database (g_tls_backend_get_default ());
  g_assert_true (BOX_IS_TRUST (first));
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

static void
test_equal_settings_share_a_configuration (void)
{
  const char *ca_file = fixture_get_ca_file ();
  g_autoptr (BoxTransportConfig) one = box_transport_config_new (ca_file, NULL, 0, NULL);
  g_autoptr (BoxTransportConfig) same = box_transport_config_new (ca_file, NULL, 60, NULL);
  g_autoptr (BoxTransportConfig) slower = box_transport_config_new (ca_file, NULL, 61, NULL);
  g_autoptr (BoxTransportConfig) system = box_transport_config_new (NULL, NULL, 0, NULL);

  g_assert_true (one == same);
  g_assert_true (one != slower);
  g_assert_true (one != system);
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
  raw_peer_start_tls (peer, fixture_get_certificate ());
  if (raw_peer_read_request (peer, NULL, NULL))
    raw_peer_reply (peer, "tunnelled");
  /* The second request is answered, and the tunnel closed, before its body was read. */
  g_clear_pointer (&head, g_free);
  head = raw_peer_read_head (peer);
  if (head != NULL)
    raw_peer_say (peer, "HTTP/1.1 429 Slow down\r\nContent-Length: 4\r\n\r\nwait");
}

static BoxReply *
send_through_proxy (const char *answer, const char *url, const char *const *headers, guint n,
                    GError **error)
{
  g_autoptr (RawServer) server = raw_server_new (serve_proxy, (gpointer) answer, NULL);
  g_autofree char *proxy = g_strdup_printf ("http://127.0.0.1:%u", raw_server_get_port (server));
  g_autoptr (BoxTransportConfig) config =
      box_transport_config_new (fixture_get_ca_file (), proxy, KIT_PATIENCE, NULL);
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
  fixture_assert_body (one, "tunnelled");
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
  fixture_assert_body (reply, "plain");
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
serve_proxy_with_password (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  while (head != NULL && strstr (head, "\r\nProxy-Authorization: Basic dTpwdw==\r\n") == NULL)
    {
      raw_peer_say (peer, "HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
                          "Content-Length: 0\r\n\r\n");
      g_free (head);
      head = raw_peer_read_head (peer);
    }
  if (head == NULL)
    return;
  raw_peer_say (peer, "HTTP/1.1 200 Go\r\n\r\n");
  raw_peer_start_tls (peer, fixture_get_certificate ());
  g_clear_pointer (&head, g_free);
  if (!raw_peer_read_request (peer, &head, NULL))
    return;
  g_assert_null (strstr (head, "Proxy-Authorization"));
  raw_peer_reply (peer, "tunnelled");
}

static void
test_a_password_in_the_proxys_uri_is_used (void)
{
  g_autoptr (RawServer) server = raw_server_new (serve_proxy_with_password, NULL, NULL);
  g_autofree char *good =
      g_strdup_printf ("http://u:pw@127.0.0.1:%u", raw_server_get_port (server));
  g_autoptr (BoxTransportConfig) config =
      box_transport_config_new (fixture_get_ca_file (), good, KIT_PATIENCE, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  BoxRequest request = { .method = "GET", .url = "https://127.0.0.1:9999/" };

  reply = box_transport_send (transport, config, &request, NULL, &error);
  g_assert_no_error (error);
  fixture_assert_body (reply, "tunnelled");
}

static void
test_a_proxys_password_is_in_no_error (void)
{
  g_autoptr (RawServer) server = raw_server_new (serve_proxy_with_password, NULL, NULL);
  g_autofree char *bad =
      g_strdup_printf ("http://u:secret@127.0.0.1:%u", raw_server_get_port (server));
  g_autoptr (BoxTransportConfig) config =
      box_transport_config_new (fixture_get_ca_file (), bad, KIT_PATIENCE, NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;
  BoxRequest request = { .method = "GET", .url = "https://127.0.0.1:9999/" };

  reply = box_transport_send (transport, config, &request, NULL, &error);
  g_assert_null (reply);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_null (strstr (error->message, "secret"));
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  g_test_add_func ("/transport/unknown-authorities-are-refused",
                   test_unknown_authorities_are_refused);
  g_test_add_func ("/transport/certificates-for-other-hosts-are-refused",
                   test_certificates_for_other_hosts_are_refused);
  g_test_add_func ("/transport/weak-keys-and-other-purposes-are-refused",
                   test_weak_keys_and_other_purposes_are_refused);
  g_test_add_func ("/transport/old-tls-is-refused", test_old_tls_is_refused);
  g_test_add_func ("/transport/a-ca-file-adds-to-what-is-trusted",
                   test_a_ca_file_adds_to_what_is_trusted);
  g_test_add_func ("/transport/a-ca-file-is-enough-where-the-system-trusts-nothing",
                   test_a_ca_file_is_enough_where_the_system_trusts_nothing);
  g_test_add_func ("/transport/a-programs-connections-begin-with-its-trust",
                   test_a_programs_connections_begin_with_its_trust);
  g_test_add_func ("/transport/unusable-settings-are-named", test_unusable_settings_are_named);
  g_test_add_func ("/transport/equal-settings-share-a-configuration",
                   test_equal_settings_share_a_configuration);
  g_test_add_func ("/transport/proxies-tunnel-tls-and-see-no-token",
                   test_proxies_tunnel_tls_and_see_no_token);
  g_test_add_func ("/transport/proxies-pass-clear-text", test_proxies_pass_clear_text);
  g_test_add_func ("/transport/a-proxys-refusal-is-not-the-servers",
                   test_a_proxys_refusal_is_not_the_servers);
  g_test_add_func ("/transport/a-password-in-the-proxys-uri-is-used",
                   test_a_password_in_the_proxys_uri_is_used);
  g_test_add_func ("/transport/a-proxys-password-is-in-no-error",
                   test_a_proxys_password_is_in_no_error);
  return fixture_run_program ();
}

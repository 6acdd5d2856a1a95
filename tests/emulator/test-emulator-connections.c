/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * HTTP as such, spoken by hand over a socket.
 */
#include "emulator/emu-test.h"

#include <string.h>

#define AUTH "Authorization: Bearer t\r\n"

static GSocketConnection *
connect_plain (Fixture *fixture, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  const char *origin = box_emulator_get_origin (fixture->emulator, FALSE);

  g_socket_client_set_timeout (client, KIT_PATIENCE);
  g_socket_client_set_enable_proxy (client, FALSE);
  return g_socket_client_connect_to_host (client, origin + strlen ("http://"), 80, NULL, error);
}

static void
say (GSocketConnection *connection, const char *text)
{
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  g_output_stream_write_all (out, text, strlen (text), NULL, NULL, NULL);
}

/* Everything until @stop was heard, or the end (@stop NULL). */
static char *
hear (GSocketConnection *connection, const char *stop)
{
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GString *heard = g_string_new (NULL);
  char buffer[4096];
  gssize n = 1;

  while (n > 0 && (stop == NULL || strstr (heard->str, stop) == NULL))
    {
      n = g_input_stream_read (in, buffer, sizeof buffer, NULL, NULL);
      g_string_append_len (heard, buffer, MAX (n, 0));
    }
  return g_string_free (heard, FALSE);
}

static void
test_connection_is_kept_for_the_next_request (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GSocketConnection) connection = connect_plain (fixture, NULL);
  g_autoptr (GPtrArray) requests = NULL;
  g_autofree char *first = NULL, *second = NULL;

  say (connection, "GET /2.0/users/me HTTP/1.1\r\nHost: x\r\n" AUTH "\r\n");
  first = hear (connection, "}");
  say (connection, "GET /2.0/folders/0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" AUTH "\r\n");
  second = hear (connection, NULL);
  g_assert_true (g_str_has_prefix (first, "HTTP/1.1 200 OK\r\n"));
  g_assert_true (g_str_has_prefix (second, "HTTP/1.1 200 OK\r\n"));
  requests = box_emulator_get_requests (fixture->emulator, NULL);
  g_assert_cmpuint (requests->len, ==, 2);
  g_assert_cmpuint (((BoxEmulatorRequest *) g_ptr_array_index (requests, 0))->connection, ==,
                    ((BoxEmulatorRequest *) g_ptr_array_index (requests, 1))->connection);
}

static void
test_expectation_is_met_before_the_body (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GSocketConnection) connection = connect_plain (fixture, NULL);
  g_autofree char *interim = NULL, *reply = NULL;

  say (connection, "OPTIONS /2.0/files/content HTTP/1.1\r\nHost: x\r\nContent-Length: 47\r\n"
                   "Expect: 100-continue\r\nConnection: close\r\n" AUTH "\r\n");
  interim = hear (connection, "\r\n\r\n");
  g_assert_cmpstr (interim, ==, "HTTP/1.1 100 Continue\r\n\r\n");
  say (connection, "{\"name\":\"x\",\"size\":1,    \"parent\":{\"id\":\"0\"}  }");
  reply = hear (connection, NULL);
  g_assert_true (g_str_has_prefix (reply, "HTTP/1.1 200 OK\r\n"));
}

static void
test_early_reply_comes_without_the_body (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GSocketConnection) connection = connect_plain (fixture, NULL);
  g_autofree char *reply = NULL;

  load_scenario (fixture, RULE ({"do": "reply", "at": "head", "status": 429}));
  say (connection, "PUT /api/2.0/files/upload_sessions/X HTTP/1.1\r\nHost: x\r\n"
                   "Content-Length: 8388608\r\n" AUTH "\r\n");
  reply = hear (connection, NULL);
  g_assert_true (g_str_has_prefix (reply, "HTTP/1.1 429 "));
  g_assert_nonnull (strstr (reply, "\r\nConnection: close\r\n"));
}

static void
test_chunks_are_put_together (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GSocketConnection) connection = connect_plain (fixture, NULL);
  g_autofree char *reply = NULL;

  say (connection, "OPTIONS /2.0/files/content HTTP/1.1\r\nHost: x\r\n"
                   "Transfer-Encoding: chunked\r\nConnection: close\r\n" AUTH "\r\n"
                   "5\r\n{\"nam\r\n1b;ext=1\r\ne\":\"x\",\"size\":1, \"parent\":{\r\n"
                   "A\r\n\"id\":\"0\"}}\r\n0\r\nTrailer: x\r\n\r\n");
  reply = hear (connection, NULL);
  g_assert_true (g_str_has_prefix (reply, "HTTP/1.1 200 OK\r\n"));
}

static void
test_part_in_chunks_lacks_its_length (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 5);
  g_autoptr (GSocketConnection) connection = connect_plain (fixture, NULL);
  g_autofree char *reply = NULL;
  g_autofree char *request =
      g_strdup_printf ("PUT /api/2.0/files/upload_sessions/%s HTTP/1.1\r\nHost: x\r\n" AUTH OCTETS
                       "\r\nContent-Range: bytes 0-4/5\r\nDigest: sha=x\r\nConnection: close\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                       id);

  say (connection, request);
  reply = hear (connection, NULL);
  g_assert_true (g_str_has_prefix (reply, "HTTP/1.1 411 "));
  g_assert_nonnull (strstr (reply, "length_required"));
}

static void
test_what_is_not_http_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GSocketConnection) connection = connect_plain (fixture, NULL);
  g_autofree char *reply = NULL;

  say (connection, "EHLO box\r\n\r\n");
  reply = hear (connection, NULL);
  g_assert_true (g_str_has_prefix (reply, "HTTP/1.1 400 "));
}

static void
test_lost_client_is_noted_as_aborted (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1000);
  GSocketConnection *connection = connect_plain (fixture, NULL);
  g_autoptr (GPtrArray) requests = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;
  const BoxEmulatorRequest *request;
  g_autofree char *text =
      g_strdup_printf ("PUT /api/2.0/files/upload_sessions/%s HTTP/1.1\r\nHost: x\r\n" AUTH
                       "Content-Range: bytes 0-999/1000\r\nDigest: sha=x\r\n"
                       "Content-Length: 1000\r\n\r\nhello",
                       id);

  say (connection, text);
  g_assert_true (box_emulator_wait_seen (fixture->emulator, "upload_part", 1, KIT_PATIENCE_MS));
  g_object_unref (connection);
  g_assert_true (box_emulator_wait_done (fixture->emulator, "upload_part", 1, KIT_PATIENCE_MS));
  requests = box_emulator_get_requests (fixture->emulator, "upload_part");
  request = g_ptr_array_index (requests, 0);
  g_assert_true (request->aborted);
  g_assert_cmpuint (request->body_bytes, ==, 5);
  g_assert_cmpint (request->offset, ==, 0);
  session = box_emulator_get_session (fixture->emulator, id);
  g_assert_cmpuint (session->n_stored, ==, 0);
}

static void
test_network_goes_down_and_comes_back_on_its_ports (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GSocketConnection) open = connect_plain (fixture, NULL);
  g_autoptr (GSocketConnection) refused = NULL;
  g_autoptr (GSocketConnection) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL, *nothing = NULL;

  say (open, "GET /2.0/users/me HTTP/1.1\r\nHost: x\r\n" AUTH "\r\n");
  first = hear (open, "}");
  box_emulator_set_down (fixture->emulator, TRUE);
  nothing = hear (open, NULL);
  g_assert_cmpstr (nothing, ==, "");
  refused = connect_plain (fixture, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  box_emulator_set_down (fixture->emulator, FALSE);
  again = connect_plain (fixture, NULL);
  g_assert_nonnull (again);
}

/* By chance, three times in four the system gives one of 200 ports twice. */
static void
test_no_port_is_used_twice_in_a_process (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GHashTable) ports = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (BoxEmulator) emulator = box_emulator_new (NULL, NULL);

      g_assert_nonnull (emulator);
      for (gboolean tls = FALSE; tls <= TRUE; tls++)
        g_assert_true (
            g_hash_table_add (ports, g_strdup (box_emulator_get_origin (emulator, tls))));
    }
}

static void
test_tls_is_trusted_by_its_authority_alone (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GTlsDatabase) trust =
      g_tls_file_database_new (box_emulator_get_ca_file (fixture->emulator), NULL);
  g_autofree char *url =
      g_strconcat (box_emulator_get_endpoint (fixture->emulator, TRUE), "/users/me", NULL);
  g_autoptr (Answer) stranger = ask (fixture, "GET", url, NULL, NULL);
  g_autoptr (Answer) friend = NULL;
  g_autoptr (GPtrArray) requests = NULL;

  g_assert_nonnull (trust);
  g_assert_cmpuint (stranger->status, ==, 0);
  g_object_unref (fixture->http);
  fixture->http = soup_session_new_with_options ("tls-database", trust, NULL);
  friend = ask (fixture, "GET", url, NULL, NULL);
  g_assert_cmpuint (friend->status, ==, 200);
  requests = box_emulator_get_requests (fixture->emulator, "get_user");
  g_assert_cmpuint (requests->len, ==, 1);
  g_assert_true (((BoxEmulatorRequest *) g_ptr_array_index (requests, 0))->tls);
}

/* How long GLib gets to give threads to handshakes, and to take them back. */
#define CHANCE (1500 * 1000)

static GPtrArray *
begin_handshakes (Fixture *fixture, guint n)
{
  GPtrArray *resting = g_ptr_array_new_with_free_func (g_object_unref);
  const char *origin = box_emulator_get_origin (fixture->emulator, TRUE);
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (resting, g_socket_client_connect_to_host (client, origin + strlen ("https://"),
                                                               443, NULL, NULL));
  return resting;
}

/* GLib has ten threads for the synchronous handshakes of a process. It adds to them while they are
 * all taken, but not after one was given back. */
static void
test_resting_handshakes_do_not_keep_others (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GTlsDatabase) trust =
      g_tls_file_database_new (box_emulator_get_ca_file (fixture->emulator), NULL);
  g_autofree char *url =
      g_strconcat (box_emulator_get_endpoint (fixture->emulator, TRUE), "/users/me", NULL);
  g_autoptr (GPtrArray) resting = begin_handshakes (fixture, 15);
  g_autoptr (Answer) answer = NULL;

  g_usleep (CHANCE);
  g_ptr_array_set_size (resting, 13);
  g_usleep (CHANCE);
  g_object_unref (fixture->http);
  fixture->http =
      soup_session_new_with_options ("tls-database", trust, "timeout", KIT_PATIENCE, NULL);
  answer = ask (fixture, "GET", url, NULL, NULL);
  g_assert_cmpuint (answer->status, ==, 200);
}

static void
test_proxy_leads_to_the_emulator_alone (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GTlsDatabase) trust =
      g_tls_file_database_new (box_emulator_get_ca_file (fixture->emulator), NULL);
  g_autoptr (GProxyResolver) proxy =
      g_simple_proxy_resolver_new (box_emulator_get_origin (fixture->emulator, FALSE), NULL);
  g_autoptr (Answer) box = NULL, other = NULL;

  g_object_unref (fixture->http);
  fixture->http =
      soup_session_new_with_options ("tls-database", trust, "proxy-resolver", proxy, NULL);
  box = ask (fixture, "GET", "https://api.box.com/2.0/users/me", NULL, NULL);
  other = ask (fixture, "GET", "https://www.example.com/2.0/users/me", NULL, NULL);
  g_assert_cmpuint (box->status, ==, 200);
  g_assert_cmpuint (other->status, !=, 200);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "connect"), ==, 2);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "get_user"), ==, 1);
}

/* From here on all requests go through the emulator as a proxy, to whatever host they name. */
static void
use_proxy (Fixture *fixture)
{
  g_autoptr (GTlsDatabase) trust =
      g_tls_file_database_new (box_emulator_get_ca_file (fixture->emulator), NULL);
  g_autoptr (GProxyResolver) proxy =
      g_simple_proxy_resolver_new (box_emulator_get_origin (fixture->emulator, FALSE), NULL);

  g_object_unref (fixture->http);
  fixture->http =
      soup_session_new_with_options ("tls-database", trust, "proxy-resolver", proxy, NULL);
}

static void
test_proxy_refuses_as_a_scenario_says (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  use_proxy (fixture);
  load_scenario (fixture, RULE ({"route": "connect", "do": "reply", "status": 407, "body": "<html>",
                                 "headers": {"Proxy-Authenticate": "Basic realm=\"emulator\""}}));
  answer = ask (fixture, "GET", "https://api.box.com/2.0/users/me", NULL, NULL);
  g_assert_cmpuint (answer->status, ==, 407);
  g_assert_cmpuint (box_emulator_count_status (fixture->emulator, "connect", 407), >=, 1);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "get_user"), ==, 0);
}

static void
test_rules_without_a_route_let_tunnels_through (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  use_proxy (fixture);
  load_scenario (fixture, RULE ({"do": "reply", "status": 503}));
  answer = ask (fixture, "GET", "https://api.box.com/2.0/users/me", NULL, NULL);
  g_assert_cmpuint (answer->status, ==, 503);
}

/* As Box's zones: sessions live on a host that is near, and every URL of theirs names it. */
static void
test_sessions_live_on_the_upload_host (Fixture *fixture, gconstpointer options)
{
  static const char create[] = "{\"folder_id\":\"0\",\"file_size\":1000,\"file_name\":\"z\"}";
  g_autoptr (Answer) session = NULL, status = NULL;
  g_autoptr (GPtrArray) requests = NULL;
  const BoxEmulatorRequest *request;

  use_proxy (fixture);
  session = ask (fixture, "POST", "https://upload.box.com/api/2.0/files/upload_sessions", create,
                 "Content-Type: application/json", NULL);
  g_assert_cmpuint (session->status, ==, 201);
  g_assert_true (g_str_has_prefix (get_string (session, "session_endpoints", "status", NULL),
                                   "https://upload-las.app.box.com/api/2.0/files/"));
  status =
      ask (fixture, "GET", get_string (session, "session_endpoints", "status", NULL), NULL, NULL);
  g_assert_cmpuint (status->status, ==, 200);
  requests = box_emulator_get_requests (fixture->emulator, "get_session");
  request = g_ptr_array_index (requests, 0);
  g_assert_cmpstr (soup_message_headers_get_one (request->headers, "Host"), ==,
                   "upload-las.app.box.com");
}

static void
test_rate_is_shared_by_all (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 300000);
  g_autoptr (GBytes) body = NULL;
  const char *const headers[] = { NULL };
  gint64 began = g_get_monotonic_time ();
  g_autoptr (Answer) answer = NULL;

  box_emulator_set_rate (fixture->emulator, 1000000);
  answer = ask_bytes (fixture, "POST", "/files/content", data, headers);
  g_assert_cmpuint (answer->status, ==, 400);
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 290000);
}

/* --- many at once ------------------------------------------------------------------------------
 */

typedef struct
{
  Fixture *fixture;
  const char *session;
  GBytes *data;
  guint first;
} Uploader;

static gpointer
put_every_eighth (gpointer user_data)
{
  const Uploader *uploader = user_data;
  g_autoptr (SoupSession) http = soup_session_new ();
  Fixture own = { uploader->fixture->emulator, http };

  for (gsize offset = uploader->first * PART; offset < g_bytes_get_size (uploader->data);
       offset += 8 * PART)
    {
      g_autoptr (Answer) answer = put_part (&own, uploader->session, uploader->data, offset);

      g_assert_cmpuint (answer->status, ==, 200);
    }
  return NULL;
}

static void
test_parts_come_in_parallel (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 200 * PART + 1);
  g_autofree char *id = create_session (fixture, "a", 200 * PART + 1);
  g_autoptr (BoxEmulatorSession) session = NULL;
  Uploader uploaders[8];
  GThread *threads[8];

  for (guint i = 0; i < 8; i++)
    {
      uploaders[i] = (Uploader){ fixture, id, data, i };
      threads[i] = g_thread_new ("put", put_every_eighth, &uploaders[i]);
    }
  for (guint i = 0; i < 8; i++)
    g_thread_join (threads[i]);
  session = box_emulator_get_session (fixture->emulator, id);
  g_assert_cmpuint (session->n_stored, ==, 201);
  for (guint i = 0; i < 201; i++)
    g_assert_cmpuint (session->received[i], ==, 1);
  g_assert_cmpuint (box_emulator_count_parallel (fixture->emulator, "upload_part"), <=, 8);
}

#define MULTIPART                                                                                  \
  "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n" AUTH "\r\n"
#define ATTRIBUTES                                                                                 \
  "--b\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n"                             \
  "{\"name\":\"f\",\"parent\":{\"id\":\"0\"}}\r\n"
#define FILE_PART "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"

static void
say_chunk (GSocketConnection *connection, const char *data)
{
  g_autofree char *chunk = g_strdup_printf ("%zx\r\n%s\r\n", strlen (data), data);

  say (connection, chunk);
}

static void
test_early_reply_and_the_rest_is_read (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GSocketConnection) connection = connect_plain (fixture, NULL);
  g_autofree char *first = NULL, *second = NULL;

  load_scenario (fixture, RULE ({"route": "upload_file", "do": "reply", "status": 413, "at": "body",
                                 "bytes": 10, "read-on": true}));
  say (connection, "POST /api/2.0/files/content HTTP/1.1\r\nHost: x\r\n" MULTIPART);
  say_chunk (connection, ATTRIBUTES);
  first = hear (connection, "\r\n\r\n");
  g_assert_true (g_str_has_prefix (first, "HTTP/1.1 413 "));
  g_assert_null (strstr (first, "Connection: close"));
  say_chunk (connection, FILE_PART);
  say (connection, "0\r\n\r\n");
  say (connection, "GET /2.0/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" AUTH "\r\n");
  second = hear (connection, NULL);
  g_assert_true (g_str_has_prefix (second, "HTTP/1.1 200 OK\r\n"));
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
cut_a_file (Fixture *fixture)
{
  g_autoptr (GSocketConnection) connection = connect_plain (fixture, NULL);

  say (connection, "POST /api/2.0/files/content HTTP/1.1\r\nHost: x\r\n" MULTIPART);
  say_chunk (connection, ATTRIBUTES FILE_PART "a piece of a file, and no end of it");
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
}

static void
test_piece_is_kept_if_a_rule_says_so (Fixture *fixture, gconstpointer options)
{
  g_autoptr (BoxEmulatorFile) file = NULL;

  cut_a_file (fixture);
  g_assert_true (box_emulator_wait_done (fixture->emulator, "upload_file", 1, KIT_PATIENCE_MS));
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
  load_scenario (fixture, RULE ({"route": "upload_file", "do": "keep"}));
  cut_a_file (fixture);
  g_assert_true (box_emulator_wait_done (fixture->emulator, "upload_file", 2, KIT_PATIENCE_MS));
  file = box_emulator_find_file (fixture->emulator, "0", "f");
  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, >, 0);
}

int
main (int argc, char **argv)
{
  static const BoxEmulatorOptions zone = { .part_size = PART,
                                           .min_size = 1,
                                           .upload_host = "upload-las.app.box.com" };

  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/http/connection-is-kept", test_connection_is_kept_for_the_next_request, NULL);
  ADD_TEST ("/http/expectation-is-met-before-the-body", test_expectation_is_met_before_the_body,
            NULL);
  ADD_TEST ("/http/early-reply-and-the-rest-is-read", test_early_reply_and_the_rest_is_read, NULL);
  ADD_TEST ("/http/piece-is-kept-if-a-rule-says-so", test_piece_is_kept_if_a_rule_says_so, NULL);
  ADD_TEST ("/http/early-reply-comes-without-the-body", test_early_reply_comes_without_the_body,
            NULL);
  ADD_TEST ("/http/chunks-are-put-together", test_chunks_are_put_together, NULL);
  ADD_TEST ("/http/part-in-chunks-lacks-its-length", test_part_in_chunks_lacks_its_length, NULL);
  ADD_TEST ("/http/what-is-not-http-is-refused", test_what_is_not_http_is_refused, NULL);
  ADD_TEST ("/http/lost-client-is-noted-as-aborted", test_lost_client_is_noted_as_aborted, NULL);
  ADD_TEST ("/network/goes-down-and-comes-back", test_network_goes_down_and_comes_back_on_its_ports,
            NULL);
  ADD_TEST ("/network/no-port-is-used-twice", test_no_port_is_used_twice_in_a_process, NULL);
  ADD_TEST ("/network/rate-is-shared-by-all", test_rate_is_shared_by_all, NULL);
  ADD_TEST ("/network/parts-come-in-parallel", test_parts_come_in_parallel, NULL);
  ADD_TEST ("/tls/is-trusted-by-its-authority-alone", test_tls_is_trusted_by_its_authority_alone,
            NULL);
  ADD_TEST ("/tls/resting-handshakes-do-not-keep-others",
            test_resting_handshakes_do_not_keep_others, NULL);
  ADD_TEST ("/proxy/leads-to-the-emulator-alone", test_proxy_leads_to_the_emulator_alone, NULL);
  ADD_TEST ("/proxy/refuses-as-a-scenario-says", test_proxy_refuses_as_a_scenario_says, NULL);
  ADD_TEST ("/proxy/rules-without-a-route-let-tunnels-through",
            test_rules_without_a_route_let_tunnels_through, NULL);
  ADD_TEST ("/proxy/sessions-live-on-the-upload-host", test_sessions_live_on_the_upload_host,
            &zone);
  return g_test_run ();
}

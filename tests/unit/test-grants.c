/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BoxCredentials with an auth-config: its requests, and the effect of the answers. */
#include "grants-fixture.h"
#include "kit/keys.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void
test_client_credentials_are_asked_with (Fixture *f, gconstpointer data)
{
  grants_start_plain (f, CLIENT);
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_field (f, 1, "grant_type", "client_credentials");
  grants_assert_field (f, 1, "client_id", "id");
  grants_assert_field (f, 1, "client_secret", "s3cret");
  grants_assert_field (f, 1, "box_subject_type", "enterprise");
  grants_assert_field (f, 1, "box_subject_id", "4711");
}

static void
test_token_is_kept_until_it_is_refused (Fixture *f, gconstpointer data)
{
  grants_start_plain (f, CLIENT);
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_token (f->credentials, "access-1", "access-2");
  /* A thread that is late with the same refusal. */
  grants_assert_token (f->credentials, "access-1", "access-2");
  g_assert_cmpuint (token_server_count (f->server), ==, 2);
}

static void
test_token_is_renewed_in_the_background_before_it_expires (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = { { .expires_in = 4 }, { .hold = TRUE } };

  grants_start (f, CLIENT, answers, 2);
  while (token_server_count (f->server) < 2)
    {
      grants_assert_token (f->credentials, NULL, "access-1");
      g_usleep (1000);
    }
  /* Nobody waits for it. */
  grants_assert_token (f->credentials, NULL, "access-1");
  token_server_release (f->server);
  grants_assert_token (f->credentials, "access-1", "access-2");
  g_assert_cmpuint (token_server_count (f->server), ==, 2);
}

/* As Box sets them (the server refuses to see one again). */
static void
test_cookies_are_not_sent_back (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = {
    { .status = 429,
      .body = "{\"error\":\"temporarily_unavailable\"}",
      .set_cookie = "z=4jvc2; path=/" },
    { .set_cookie = "box_visitor_id=5f; path=/; HttpOnly" },
  };
  g_autoptr (GError) error = NULL;

  grants_start (f, CLIENT, answers, 2);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  grants_write_config (f, CLIENT);
  grants_assert_token (f->credentials, NULL, "access-2");
  grants_assert_token (f->credentials, "access-2", "access-3");
}

static void
test_jwt_is_asked_with (Fixture *f, gconstpointer data)
{
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA);
  g_autofree char *json = test_app_config (key->pkcs8_encrypted, TEST_PASSPHRASE, NULL);

  grants_start_plain (f, json);
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_field (f, 1, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
  grants_assert_field (f, 1, "client_id", "client-1");
}

/* The claims of the assertion in a request. */
static JsonNode *
get_claims (Fixture *f, guint number)
{
  g_autofree char *assertion = token_server_get_field (f->server, number, "assertion");
  g_auto (GStrv) segments = g_strsplit (assertion, ".", -1);
  g_autoptr (GString) padded = g_string_new (segments[1]);
  g_autofree guint8 *json = NULL;
  g_autofree char *text = NULL;
  gsize length;

  g_strdelimit (padded->str, "-", '+');
  g_strdelimit (padded->str, "_", '/');
  while (padded->len % 4 != 0)
    g_string_append_c (padded, '=');
  json = g_base64_decode (padded->str, &length);
  text = g_strndup ((char *) json, length);
  return json_from_string (text, NULL);
}

#define EXP_REFUSED                                                                                \
  "{\"error\":\"invalid_grant\",\"error_description\":\"Please check the "                         \
  "'exp' claim.\"}"

static void
test_jwt_is_made_by_the_servers_clock_where_ours_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA);
  g_autofree char *json = test_app_config (key->pkcs8, NULL, NULL);
  TokenAnswer answers[] = {
    { .status = 400, .body = EXP_REFUSED, .date = "Sun, 01 Jan 2040 00:00:00 GMT" },
    { 0 },
  };
  g_autoptr (JsonNode) first = NULL, second = NULL, third = NULL;
  gint64 exp;

  grants_start (f, json, answers, 2);
  grants_assert_token (f->credentials, NULL, "access-2");
  first = get_claims (f, 1);
  second = get_claims (f, 2);
  exp = json_object_get_int_member (json_node_get_object (second), "exp");
  g_assert_cmpint (exp, >=, 2208988800 + BOX_JWT_LIFE);
  g_assert_cmpint (exp, <=, 2208988800 + BOX_JWT_LIFE + 30);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (first), "jti"), !=,
                   json_object_get_string_member (json_node_get_object (second), "jti"));

  /* It is remembered: the next needs one request. */
  grants_assert_token (f->credentials, "access-2", "access-3");
  third = get_claims (f, 3);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (third), "exp"), >=, exp);
}

static void
test_jwt_that_stays_refused_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA);
  g_autofree char *json = test_app_config (key->pkcs8, NULL, NULL);
  TokenAnswer answer = { .status = 400, .body = EXP_REFUSED };
  g_autoptr (GError) error = NULL;

  grants_start (f, json, &answer, 1);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "clock"));
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_cmpuint (token_server_count (f->server), ==, 2);
}

static void
test_definite_refusal_ends_at_once_and_says_what_to_mend (Fixture *f, gconstpointer data)
{
  TokenAnswer answer = { .status = 400, .body = "{\"error\":\"invalid_client\"}" };
  g_autoptr (GError) error = NULL, again = NULL;

  grants_start (f, CLIENT, &answer, 1);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "client secret"));
  g_assert_cmpstr (box_error_get_details (error)->box_code, ==, "invalid_client");
  /* Others who ask hear the same, without a request each. */
  again = grants_assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  g_assert_cmpstr (error->message, ==, again->message);
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
}

static void
test_mended_configuration_is_read_at_once (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = {
    { .status = 400, .body = "{\"error\":\"invalid_client\"}" },
    { 0 },
  };
  g_autoptr (GError) error = NULL;

  grants_start (f, CLIENT, answers, 2);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  grants_write_config (f, "{\"client_id\":\"id\",\"client_secret\":\"better\",\"user_id\":\"5\"}");
  grants_assert_token (f->credentials, NULL, "access-2");
  grants_assert_field (f, 2, "client_secret", "better");
}

static const TokenAnswer transient_answers[] = {
  { .status = 429, .body = "{\"error\":\"temporarily_unavailable\"}", .retry_after = "7" },
  { .status = 400, .body = "{\"error\":\"temporarily_unavailable\"}", .retry_after = "7" },
  { .status = 302, .location = "http://127.0.0.1:9/portal", .retry_after = "7" },
  { .status = 403, .body = "<html>blocked</html>", .retry_after = "7" },
  { .status = 503, .body = "<html>busy</html>", .retry_after = "7" },
  { .status = 502, .body = "<html>Bad gateway</html>", .retry_after = "7" },
  { .status = 200, .body = "<html>Welcome</html>", .retry_after = "7" },
  { .status = 200, .body = "\001\002", .retry_after = "7" },
};

static void
test_trouble_of_the_endpoint_is_transient (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  grants_start (f, CLIENT, data, 1);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  g_assert_cmpint (box_error_get_details (error)->retry_after, >=, 6);
  g_assert_cmpint (box_error_get_details (error)->retry_after, <=, 7);
}

static void
test_nobody_asks_before_retry_after_is_over (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) first = NULL, second = NULL;

  grants_start (f, CLIENT, transient_answers, 1);
  first = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  second = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
}

static void
test_no_endpoint_is_transient (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) mine = NULL;
  g_autofree char *url = NULL;
  BoxCredentialsSettings settings = { .auth_config = f->path };

  grants_start_plain (f, CLIENT);
  url = g_strdup (token_server_get_url (f->server));
  g_clear_pointer (&f->credentials, box_credentials_free);
  g_clear_pointer (&f->server, token_server_free);

  settings.token_url = url;
  f->credentials = box_credentials_new (&settings, f->transport_config, &error);
  g_assert_no_error (error);
  mine = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
}

static void
test_redirects_are_not_followed (Fixture *f, gconstpointer status)
{
  TokenAnswer elsewhere = { 0 };
  g_autoptr (TokenServer) other = token_server_new (&elsewhere, 1);
  TokenAnswer answer = {
    .status = GPOINTER_TO_UINT (status),
    .location = token_server_get_url (other),
  };
  g_autoptr (GError) error = NULL;

  grants_start (f, CLIENT, &answer, 1);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  g_assert_cmpuint (token_server_count (other), ==, 0);
}

/* A front that is in trouble may say so; nobody else says it three times. */
static void
test_missing_endpoint_is_believed_the_third_time (Fixture *f, gconstpointer data)
{
  TokenAnswer answer = { .status = 404, .body = "<html>via: 1.1 google</html>" };

  grants_start (f, CLIENT, &answer, 1);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error =
          grants_assert_no_token (f->credentials, i < 2 ? BOX_ERROR_TRANSIENT : BOX_ERROR_SETTINGS);

      g_assert_nonnull (strstr (error->message, "check api-endpoint"));
      g_assert_cmpuint (token_server_count (f->server), ==, i + 1);
      /* A configuration that has changed is a reason not to pause. */
      grants_write_config (f, CLIENT);
    }
}

static void
test_missing_endpoint_between_answers_passes (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = { { .status = 404 }, { .status = 405 }, { 0 }, { .status = 404 } };
  g_autoptr (GError) first = NULL, second = NULL, last = NULL;

  grants_start (f, CLIENT, answers, 4);
  first = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  grants_write_config (f, CLIENT);
  second = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  grants_write_config (f, CLIENT);
  grants_assert_token (f->credentials, NULL, "access-3");
  g_assert_null (box_credentials_get_token (f->credentials, "access-3", 0, NULL, &last));
  g_assert_error (last, BOX_ERROR, BOX_ERROR_TRANSIENT);
}

static void
test_configuration_gone_for_the_moment_is_waited_for (Fixture *f, gconstpointer content)
{
  g_autoptr (GError) error = NULL;

  grants_start_plain (f, CLIENT);
  if (content == NULL)
    g_assert_cmpint (g_unlink (f->path), ==, 0);
  else
    grants_write_config (f, content);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  g_assert_nonnull (strstr (error->message, f->path));
  grants_write_config (f, CLIENT);
  grants_assert_token (f->credentials, NULL, "access-1");
}

/* GLib ends the process if it finds none. */
static void
test_renewal_waits_for_descriptors (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct rlimit before, few;
  int lowest;

  grants_start_plain (f, CLIENT);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  lowest = dup (STDERR_FILENO);
  close (lowest);
  few = before;
  few.rlim_cur = (rlim_t) lowest + 1;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &few), ==, 0);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  g_assert_nonnull (strstr (error->message, "file descriptors"));
  grants_write_config (f, CLIENT);
  grants_assert_token (f->credentials, NULL, "access-1");
}

static void
test_configuration_with_a_wrong_field_is_not_waited_for (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  grants_start_plain (f, CLIENT);
  grants_write_config (f, "{\"client_id\":\"id\"}");
  error = grants_assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "client_secret is missing"));
}

static void
test_secrets_in_clear_text_pass_by_the_proxy (Fixture *f, gconstpointer data)
{
  TokenAnswer answer = { 0 };
  g_autoptr (TokenServer) proxy = token_server_new (&answer, 1);
  g_autofree char *proxy_uri =
      g_strndup (token_server_get_url (proxy),
                 strlen (token_server_get_url (proxy)) - strlen ("/oauth2/token"));

  box_transport_config_unref (f->transport_config);
  f->transport_config = box_transport_config_new (NULL, proxy_uri, 10, NULL);
  grants_start_plain (f, CLIENT);
  grants_assert_token (f->credentials, NULL, "access-1");
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
  g_assert_cmpuint (token_server_count (proxy), ==, 0);
}

static void
test_clear_text_endpoint_elsewhere_is_refused (Fixture *f, gconstpointer data)
{
  BoxCredentialsSettings settings = {
    .auth_config = f->path,
    .token_url = "http://api.example.com/oauth2/token",
  };
  g_autoptr (GError) error = NULL;

  grants_write_config (f, CLIENT);
  g_assert_null (box_credentials_new (&settings, f->transport_config, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRUST);
}

static void
test_sixteen_threads_send_one_request (Fixture *f, gconstpointer json)
{
  TokenAnswer answer = { .hold = TRUE };
  Caller callers[16];
  GThread *threads[16];

  grants_start (f, json, &answer, 1);
  for (guint i = 0; i < 16; i++)
    {
      callers[i] = (Caller){ .credentials = f->credentials };
      threads[i] = g_thread_new ("caller", grants_call, &callers[i]);
    }
  token_server_wait (f->server, 1);
  token_server_release (f->server);
  for (guint i = 0; i < 16; i++)
    {
      g_thread_join (threads[i]);
      g_assert_no_error (callers[i].error);
      g_assert_cmpstr (callers[i].token, ==, "access-1");
      box_credentials_free_token (callers[i].token);
    }
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
}

static void
test_sinks_of_a_process_share_a_token (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) other = NULL;

  grants_start_plain (f, CLIENT);
  other = grants_open (f);
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_token (other, NULL, "access-1");
  grants_assert_token (other, "access-1", "access-2");
  grants_assert_token (f->credentials, NULL, "access-2");

  /* A token that an application gives to one is not used by the other. */
  box_credentials_set_access_token (other, "mine");
  grants_assert_token (other, NULL, "mine");
  grants_assert_token (f->credentials, NULL, "access-2");
}

static void
test_next_sink_takes_up_the_token_of_the_last (Fixture *f, gconstpointer data)
{
  grants_start_plain (f, CLIENT);
  grants_assert_token (f->credentials, NULL, "access-1");
  g_clear_pointer (&f->credentials, box_credentials_free);
  f->credentials = grants_open (f);
  grants_assert_token (f->credentials, NULL, "access-1");
  g_assert_cmpuint (token_server_count (f->server), ==, 1);

  /* Unless it is no longer what the configuration says. */
  g_clear_pointer (&f->credentials, box_credentials_free);
  grants_write_config (f, "{\"client_id\":\"id\",\"client_secret\":\"b\",\"user_id\":\"5\"}");
  f->credentials = grants_open (f);
  grants_assert_token (f->credentials, NULL, "access-2");
}

static void
test_description_tells_grant_subject_and_expiry (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentialsInfo) before = NULL;
  g_autoptr (BoxCredentialsInfo) after = NULL;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  grants_start_plain (f, CLIENT);
  before = box_credentials_describe (f->credentials);
  g_assert_cmpstr (before->grant, ==, "client-credentials");
  g_assert_cmpstr (before->subject, ==, "enterprise 4711");
  g_assert_cmpint (before->expires, ==, 0);
  g_assert_null (before->warning);

  grants_assert_token (f->credentials, NULL, "access-1");
  after = box_credentials_describe (f->credentials);
  g_assert_cmpint (after->expires, >=, now + 3599);
  g_assert_cmpint (after->expires, <=, now + 3700);
}

static void
test_token_for_one_folder_is_asked_for (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 expires_in = 0;
  char *token;

  grants_start_plain (f, CLIENT);
  token = box_credentials_downscope (f->credentials, "815", &expires_in, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (token, ==, "access-2");
  g_assert_cmpint (expires_in, ==, 3600);
  box_credentials_free_token (token);
  grants_assert_field (f, 2, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
  grants_assert_field (f, 2, "subject_token", "access-1");
  grants_assert_field (f, 2, "subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
  grants_assert_field (f, 2, "resource", "https://api.box.com/2.0/folders/815");
  grants_assert_field (f, 2, "scope", "base_upload item_upload");
}

static void
test_exchange_believes_a_missing_endpoint_the_third_time (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = { { 0 }, { .status = 404 } };

  grants_start (f, CLIENT, answers, 2);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (box_credentials_downscope (f->credentials, "815", NULL, NULL, &error));
      g_assert_error (error, BOX_ERROR, (i < 2 ? BOX_ERROR_TRANSIENT : BOX_ERROR_SETTINGS));
    }
}

static void
test_token_for_no_folder_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  grants_start_plain (f, CLIENT);
  g_assert_null (box_credentials_downscope (f->credentials, "../1", NULL, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_cmpuint (token_server_count (f->server), ==, 0);
}

#define ADD(path, function) ADD_DATA (path, NULL, function)
#define ADD_DATA(path, data, function)                                                             \
  g_test_add ("/" path, Fixture, data, grants_set_up, function, grants_tear_down)

static void
add_endpoint_tests (void)
{
  static const guint redirects[] = { 301, 302, 303, 307, 308 };

  for (guint i = 0; i < G_N_ELEMENTS (transient_answers); i++)
    {
      g_autofree char *path = g_strdup_printf ("/endpoint/in-trouble-is-transient/%u", i);

      g_test_add (path, Fixture, &transient_answers[i], grants_set_up,
                  test_trouble_of_the_endpoint_is_transient, grants_tear_down);
    }
  for (guint i = 0; i < G_N_ELEMENTS (redirects); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/endpoint/redirects-are-not-followed/%u", redirects[i]);

      g_test_add (path, Fixture, GUINT_TO_POINTER (redirects[i]), grants_set_up,
                  test_redirects_are_not_followed, grants_tear_down);
    }
  ADD ("endpoint/nobody-asks-before-retry-after-is-over",
       test_nobody_asks_before_retry_after_is_over);
  ADD ("endpoint/missing-one-is-believed-the-third-time",
       test_missing_endpoint_is_believed_the_third_time);
  ADD ("endpoint/missing-between-answers-passes", test_missing_endpoint_between_answers_passes);
  ADD_DATA ("configuration/gone-for-the-moment-is-waited-for", NULL,
            test_configuration_gone_for_the_moment_is_waited_for);
  ADD_DATA ("configuration/empty-for-the-moment-is-waited-for", "",
            test_configuration_gone_for_the_moment_is_waited_for);
  ADD_DATA ("configuration/half-written-is-waited-for", "{\"client_id\":\"id\",\"client_sec",
            test_configuration_gone_for_the_moment_is_waited_for);
  ADD ("endpoint/renewal-waits-for-descriptors", test_renewal_waits_for_descriptors);
  ADD ("configuration/with-a-wrong-field-is-not-waited-for",
       test_configuration_with_a_wrong_field_is_not_waited_for);
  ADD ("endpoint/absent-is-transient", test_no_endpoint_is_transient);
  ADD ("endpoint/secrets-in-clear-text-pass-by-the-proxy",
       test_secrets_in_clear_text_pass_by_the_proxy);
  ADD ("endpoint/in-clear-text-elsewhere-is-refused",
       test_clear_text_endpoint_elsewhere_is_refused);
  ADD ("endpoint/definite-refusal-ends-at-once-and-says-what-to-mend",
       test_definite_refusal_ends_at_once_and_says_what_to_mend);
  ADD ("endpoint/mended-configuration-is-read-at-once", test_mended_configuration_is_read_at_once);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("client/credentials-are-asked-with", test_client_credentials_are_asked_with);
  ADD ("client/token-is-kept-until-it-is-refused", test_token_is_kept_until_it_is_refused);
  ADD ("client/token-is-renewed-in-the-background-before-it-expires",
       test_token_is_renewed_in_the_background_before_it_expires);
  ADD ("endpoint/cookies-are-not-sent-back", test_cookies_are_not_sent_back);
  ADD ("jwt/is-asked-with", test_jwt_is_asked_with);
  ADD ("jwt/is-made-by-the-servers-clock-where-ours-is-refused",
       test_jwt_is_made_by_the_servers_clock_where_ours_is_refused);
  ADD ("jwt/that-stays-refused-is-an-error", test_jwt_that_stays_refused_is_an_error);
  add_endpoint_tests ();
  ADD_DATA ("client/sixteen-threads-send-one-request", CLIENT,
            test_sixteen_threads_send_one_request);
  ADD_DATA ("refresh/sixteen-threads-send-one-request", REFRESH,
            test_sixteen_threads_send_one_request);
  ADD ("sharing/sinks-of-a-process-share-a-token", test_sinks_of_a_process_share_a_token);
  ADD ("sharing/next-sink-takes-up-the-token-of-the-last",
       test_next_sink_takes_up_the_token_of_the_last);
  ADD ("description/tells-grant-subject-and-expiry",
       test_description_tells_grant_subject_and_expiry);
  ADD ("downscope/token-for-one-folder-is-asked-for", test_token_for_one_folder_is_asked_for);
  ADD ("downscope/missing-endpoint-is-believed-the-third-time",
       test_exchange_believes_a_missing_endpoint_the_third_time);
  ADD ("downscope/token-for-no-folder-is-refused", test_token_for_no_folder_is_refused);
  return g_test_run ();
}

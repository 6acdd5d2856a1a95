/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BoxCredentials with an auth-config, against a token endpoint that answers what it is told. */
#include "box-auth-config-private.h"
#include "box-credentials.h"
#include "box-error.h"
#include "keys.h"
#include "token-server.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLIENT "{\"client_id\":\"id\",\"client_secret\":\"s3cret\",\"enterprise_id\":\"4711\"}"
#define REFRESH                                                                                    \
  "{\"client_id\":\"id\",\"client_secret\":\"s3cret\",\"refresh_token\":\"refresh-0\"}"

typedef struct
{
  char *dir;
  char *path; /* of the configuration */
  BoxTransportConfig *transport_config;
  TokenServer *server;
  BoxCredentials *credentials;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("box-grants-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "box.json", NULL);
  f->transport_config = box_transport_config_new (NULL, NULL, 10, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->credentials, box_credentials_unref);
  g_clear_pointer (&f->server, token_server_free);
  box_transport_config_unref (f->transport_config);
  g_unlink (f->path);
  /* Nothing was left beside it. */
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->dir);
  g_free (f->path);
}

static void
write_config (Fixture *f, const char *json)
{
  g_assert_true (g_file_set_contents (f->path, json, -1, NULL));
  g_assert_cmpint (g_chmod (f->path, 0600), ==, 0);
}

static BoxCredentials *
open_credentials (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  BoxCredentialsSettings settings = {
    .auth_config = f->path,
    .token_url = token_server_get_url (f->server),
  };
  BoxCredentials *credentials = box_credentials_new (&settings, f->transport_config, &error);

  g_assert_no_error (error);
  return credentials;
}

static void
start (Fixture *f, const char *json, const TokenAnswer *answers, guint n_answers)
{
  f->server = token_server_new (answers, n_answers);
  write_config (f, json);
  f->credentials = open_credentials (f);
}

static void
start_plain (Fixture *f, const char *json)
{
  TokenAnswer answer = { 0 };

  start (f, json, &answer, 1);
}

static void
assert_token (BoxCredentials *credentials, const char *refused, const char *expected)
{
  g_autoptr (GError) error = NULL;
  char *token = box_credentials_get_token (credentials, refused, 0, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (token, ==, expected);
  box_credentials_free_token (token);
}

static GError *
assert_no_token (BoxCredentials *credentials, BoxErrorCode code)
{
  GError *error = NULL;
  char *token = box_credentials_get_token (credentials, NULL, 0, NULL, &error);

  g_assert_null (token);
  g_assert_error (error, BOX_ERROR, (gint) code);
  g_assert_null (strstr (error->message, "s3cret"));
  g_assert_null (strstr (error->message, "refresh-0"));
  return error;
}

static void
assert_field (Fixture *f, guint number, const char *name, const char *expected)
{
  g_autofree char *value = token_server_get_field (f->server, number, name);

  g_assert_cmpstr (value, ==, expected);
}

static BoxAuthConfig *
read_config (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  BoxAuthConfig *config = box_auth_config_load ("auth-config", f->path, &error);

  g_assert_no_error (error);
  return config;
}

static void
assert_stored (Fixture *f, const char *refresh_token)
{
  g_autoptr (BoxAuthConfig) config = read_config (f);

  g_assert_cmpstr (config->refresh_token, ==, refresh_token);
}

static void
test_client_credentials_are_asked_with (Fixture *f, gconstpointer data)
{
  start_plain (f, CLIENT);
  assert_token (f->credentials, NULL, "access-1");
  assert_field (f, 1, "grant_type", "client_credentials");
  assert_field (f, 1, "client_id", "id");
  assert_field (f, 1, "client_secret", "s3cret");
  assert_field (f, 1, "box_subject_type", "enterprise");
  assert_field (f, 1, "box_subject_id", "4711");
}

static void
test_token_is_kept_until_it_is_refused (Fixture *f, gconstpointer data)
{
  start_plain (f, CLIENT);
  assert_token (f->credentials, NULL, "access-1");
  assert_token (f->credentials, NULL, "access-1");
  assert_token (f->credentials, "access-1", "access-2");
  /* A thread that is late with the same refusal. */
  assert_token (f->credentials, "access-1", "access-2");
  g_assert_cmpuint (token_server_count (f->server), ==, 2);
}

static void
test_token_is_renewed_in_the_background_before_it_expires (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = { { .expires_in = 4 }, { .hold = TRUE } };

  start (f, CLIENT, answers, 2);
  while (token_server_count (f->server) < 2)
    {
      assert_token (f->credentials, NULL, "access-1");
      g_usleep (1000);
    }
  /* Nobody waits for it. */
  assert_token (f->credentials, NULL, "access-1");
  token_server_release (f->server);
  assert_token (f->credentials, "access-1", "access-2");
  g_assert_cmpuint (token_server_count (f->server), ==, 2);
}

static void
test_jwt_is_asked_with (Fixture *f, gconstpointer data)
{
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA, 2048);
  g_autofree char *json = test_app_config (key->pkcs8_encrypted, TEST_PASSPHRASE, NULL);

  start_plain (f, json);
  assert_token (f->credentials, NULL, "access-1");
  assert_field (f, 1, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
  assert_field (f, 1, "client_id", "client-1");
}

/* A configuration with an access token that has so many seconds of its hour left. */
static char *
with_access_token (gint64 left)
{
  return g_strdup_printf ("{\"client_id\":\"id\",\"client_secret\":\"s3cret\","
                          "\"refresh_token\":\"refresh-0\",\"access_token\":\"stored\","
                          "\"expires_in\":3600,\"expires_at\":%" G_GINT64_FORMAT "}",
                          g_get_real_time () / G_USEC_PER_SEC + left);
}

static void
test_stored_access_token_is_used_while_it_is_good (Fixture *f, gconstpointer data)
{
  g_autofree char *json = with_access_token (1000);
  g_autoptr (GError) error = NULL;
  char *token;

  start_plain (f, json);
  assert_token (f->credentials, NULL, "stored");
  g_assert_cmpuint (token_server_count (f->server), ==, 0);

  /* A part that would outlive it starts with a new one. */
  token = box_credentials_get_token (f->credentials, NULL, 1500, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (token, ==, "access-1");
  box_credentials_free_token (token);
}

static void
test_stored_access_token_that_is_about_to_expire_is_not_used (Fixture *f, gconstpointer left)
{
  g_autofree char *json = with_access_token (GPOINTER_TO_INT (left));

  start_plain (f, json);
  assert_token (f->credentials, NULL, "access-1");
}

static void
test_good_token_outlives_a_failed_renewal (Fixture *f, gconstpointer data)
{
  g_autofree char *json = with_access_token (1000);
  TokenAnswer answer = { .status = 500 };
  g_autoptr (GError) error = NULL;
  char *token;

  start (f, json, &answer, 1);
  assert_token (f->credentials, NULL, "stored");
  token = box_credentials_get_token (f->credentials, NULL, 1500, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (token, ==, "stored");
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
  box_credentials_free_token (token);
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
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA, 2048);
  g_autofree char *json = test_app_config (key->pkcs8, NULL, NULL);
  TokenAnswer answers[] = {
    { .status = 400, .body = EXP_REFUSED, .date = "Sun, 01 Jan 2040 00:00:00 GMT" },
    { 0 },
  };
  g_autoptr (JsonNode) first = NULL, second = NULL, third = NULL;
  gint64 exp;

  start (f, json, answers, 2);
  assert_token (f->credentials, NULL, "access-2");
  first = get_claims (f, 1);
  second = get_claims (f, 2);
  exp = json_object_get_int_member (json_node_get_object (second), "exp");
  g_assert_cmpint (exp, >=, 2208988800 + BOX_JWT_LIFE);
  g_assert_cmpint (exp, <=, 2208988800 + BOX_JWT_LIFE + 30);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (first), "jti"), !=,
                   json_object_get_string_member (json_node_get_object (second), "jti"));

  /* It is remembered: the next needs one request. */
  assert_token (f->credentials, "access-2", "access-3");
  third = get_claims (f, 3);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (third), "exp"), >=, exp);
}

static void
test_jwt_that_stays_refused_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA, 2048);
  g_autofree char *json = test_app_config (key->pkcs8, NULL, NULL);
  TokenAnswer answer = { .status = 400, .body = EXP_REFUSED };
  g_autoptr (GError) error = NULL;

  start (f, json, &answer, 1);
  error = assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "clock"));
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_cmpuint (token_server_count (f->server), ==, 2);
}

static void
test_definite_refusal_ends_at_once_and_says_what_to_mend (Fixture *f, gconstpointer data)
{
  TokenAnswer answer = { .status = 400, .body = "{\"error\":\"invalid_client\"}" };
  g_autoptr (GError) error = NULL, again = NULL;

  start (f, CLIENT, &answer, 1);
  error = assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "client secret"));
  g_assert_cmpstr (box_error_get_details (error)->box_code, ==, "invalid_client");
  /* Others who ask hear the same, without a request each. */
  again = assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
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

  start (f, CLIENT, answers, 2);
  error = assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  write_config (f, "{\"client_id\":\"id\",\"client_secret\":\"better\",\"user_id\":\"5\"}");
  assert_token (f->credentials, NULL, "access-2");
  assert_field (f, 2, "client_secret", "better");
}

static const TokenAnswer transient_answers[] = {
  { .status = 429, .body = "{\"error\":\"temporarily_unavailable\"}", .retry_after = "7" },
  { .status = 503, .body = "<html>busy</html>", .retry_after = "7" },
  { .status = 502, .body = "<html>Bad gateway</html>", .retry_after = "7" },
  { .status = 200, .body = "<html>Welcome</html>", .retry_after = "7" },
  { .status = 200, .body = "\001\002", .retry_after = "7" },
};

static void
test_trouble_of_the_endpoint_is_transient (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f, CLIENT, data, 1);
  error = assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  g_assert_cmpint (box_error_get_details (error)->retry_after, >=, 6);
  g_assert_cmpint (box_error_get_details (error)->retry_after, <=, 7);
}

static void
test_nobody_asks_before_retry_after_is_over (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) first = NULL, second = NULL;

  start (f, CLIENT, transient_answers, 1);
  first = assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  second = assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
}

static void
test_no_endpoint_is_transient (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) mine = NULL;
  g_autofree char *url = NULL;
  BoxCredentialsSettings settings = { .auth_config = f->path };

  start_plain (f, CLIENT);
  url = g_strdup (token_server_get_url (f->server));
  g_clear_pointer (&f->credentials, box_credentials_unref);
  g_clear_pointer (&f->server, token_server_free);

  settings.token_url = url;
  f->credentials = box_credentials_new (&settings, f->transport_config, &error);
  g_assert_no_error (error);
  mine = assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
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

  start (f, CLIENT, &answer, 1);
  error = assert_no_token (f->credentials, BOX_ERROR_PROTOCOL);
  g_assert_cmpuint (token_server_count (other), ==, 0);
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
  start_plain (f, CLIENT);
  assert_token (f->credentials, NULL, "access-1");
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

  write_config (f, CLIENT);
  g_assert_null (box_credentials_new (&settings, f->transport_config, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRUST);
}

static void
test_refresh_token_is_replaced_in_the_file (Fixture *f, gconstpointer data)
{
  start_plain (f, REFRESH);
  assert_token (f->credentials, NULL, "access-1");
  assert_field (f, 1, "grant_type", "refresh_token");
  assert_field (f, 1, "refresh_token", "refresh-0");
  assert_field (f, 1, "client_secret", "s3cret");
  assert_stored (f, "refresh-1");
  assert_token (f->credentials, "access-1", "access-2");
  assert_field (f, 2, "refresh_token", "refresh-1");
  assert_stored (f, "refresh-2");
}

static void
test_file_keeps_its_mode_and_stays_a_link (Fixture *f, gconstpointer data)
{
  g_autofree char *real = g_build_filename (f->dir, "real.json", NULL);
  struct stat st;

  f->server = token_server_new (&(TokenAnswer){ 0 }, 1);
  write_config (f, REFRESH);
  g_assert_cmpint (g_rename (f->path, real), ==, 0);
  g_assert_cmpint (g_chmod (real, 0640), ==, 0);
  g_assert_cmpint (symlink ("real.json", f->path), ==, 0);
  f->credentials = open_credentials (f);

  assert_token (f->credentials, NULL, "access-1");
  assert_stored (f, "refresh-1");
  g_assert_cmpint (lstat (f->path, &st), ==, 0);
  g_assert_true (S_ISLNK (st.st_mode));
  g_assert_cmpint (stat (f->path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0640);
  g_unlink (real);
}

static void
test_processes_that_share_a_file_share_its_token (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) other = NULL;

  start_plain (f, REFRESH);
  other = open_credentials (f);
  assert_token (f->credentials, NULL, "access-1");
  assert_token (other, NULL, "access-1");
  /* Both see it refused; the one that is later takes what the other got. */
  assert_token (other, "access-1", "access-2");
  assert_token (f->credentials, "access-1", "access-2");
  g_assert_cmpuint (token_server_count (f->server), ==, 2);
  assert_stored (f, "refresh-2");
}

typedef struct
{
  BoxCredentials *credentials;
  GCancellable *cancellable;
  char *token;
  GError *error;
} Caller;

static gpointer
call (gpointer user_data)
{
  Caller *caller = user_data;

  caller->token =
      box_credentials_get_token (caller->credentials, NULL, 0, caller->cancellable, &caller->error);
  return NULL;
}

static void
test_locked_file_is_waited_for (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Caller caller = { .cancellable = cancellable };
  GThread *thread;
  int fd;

  start_plain (f, REFRESH);
  fd = g_open (f->path, O_RDWR, 0);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  caller.credentials = f->credentials;
  thread = g_thread_new ("caller", call, &caller);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_error (caller.error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_clear_error (&caller.error);
  g_assert_cmpuint (token_server_count (f->server), ==, 0);

  close (fd);
  assert_token (f->credentials, NULL, "access-1");
}

static void
test_cancelling_a_caller_does_not_lose_the_refresh_token (Fixture *f, gconstpointer data)
{
  TokenAnswer answer = { .hold = TRUE };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Caller caller = { .cancellable = cancellable };
  GThread *thread;

  start (f, REFRESH, &answer, 1);
  caller.credentials = f->credentials;
  thread = g_thread_new ("caller", call, &caller);
  token_server_wait (f->server, 1);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_error (caller.error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_clear_error (&caller.error);

  token_server_release (f->server);
  assert_token (f->credentials, NULL, "access-1");
  assert_stored (f, "refresh-1");
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
}

static void
test_refused_refresh_leaves_the_file_alone (Fixture *f, gconstpointer data)
{
  TokenAnswer answer = {
    .status = 400,
    .body = "{\"error\":\"invalid_grant\",\"error_description\":\"Refresh token has expired\"}",
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL;

  start (f, REFRESH, &answer, 1);
  error = assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "log in to Box once more"));
  g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, REFRESH);
}

/* What the next process finds: see box-auth-store.c. */
static char *
replacement_path (Fixture *f, const char *refresh_token)
{
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, refresh_token, -1);

  return g_strdup_printf ("%s/.box.json.%.16s.new", f->dir, hash);
}

static void
test_replacement_that_a_dead_process_left_is_taken (Fixture *f, gconstpointer data)
{
  g_autofree char *left = replacement_path (f, "refresh-0");

  start_plain (f, REFRESH);
  g_assert_true (g_file_set_contents (
      left, "{\"client_id\":\"id\",\"client_secret\":\"s3cret\",\"refresh_token\":\"left-over\"}",
      -1, NULL));
  assert_token (f->credentials, NULL, "access-1");
  assert_field (f, 1, "refresh_token", "left-over");
  assert_stored (f, "refresh-1");
}

static void
test_half_a_replacement_and_strays_are_removed (Fixture *f, gconstpointer data)
{
  g_autofree char *half = replacement_path (f, "refresh-0");
  g_autofree char *stray = replacement_path (f, "somebody-elses");

  start_plain (f, REFRESH);
  g_assert_true (g_file_set_contents (half, "{\"client_id\":\"id\",\"refresh_to", -1, NULL));
  g_assert_true (g_file_set_contents (stray, REFRESH, -1, NULL));
  assert_token (f->credentials, NULL, "access-1");
  assert_field (f, 1, "refresh_token", "refresh-0");
  assert_stored (f, "refresh-1");
}

static void
test_directory_that_cannot_be_written_is_found_before_anything_is_used_up (Fixture *f,
                                                                           gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *blocked = replacement_path (f, "refresh-0");
  g_autofree char *inner = g_build_filename (blocked, "x", NULL);

  start_plain (f, REFRESH);
  /* As good as a directory without permission, and works for root too. */
  g_assert_cmpint (g_mkdir_with_parents (inner, 0700), ==, 0);
  error = assert_no_token (f->credentials, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_cmpuint (token_server_count (f->server), ==, 0);
  g_rmdir (inner);
  g_rmdir (blocked);
}

static void
test_sixteen_threads_send_one_request (Fixture *f, gconstpointer json)
{
  TokenAnswer answer = { .hold = TRUE };
  Caller callers[16];
  GThread *threads[16];

  start (f, json, &answer, 1);
  for (guint i = 0; i < 16; i++)
    {
      callers[i] = (Caller){ .credentials = f->credentials };
      threads[i] = g_thread_new ("caller", call, &callers[i]);
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
test_description_tells_grant_subject_and_expiry (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentialsInfo) before = NULL;
  g_autoptr (BoxCredentialsInfo) after = NULL;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  start_plain (f, CLIENT);
  before = box_credentials_describe (f->credentials);
  g_assert_cmpstr (before->grant, ==, "client-credentials");
  g_assert_cmpstr (before->subject, ==, "enterprise 4711");
  g_assert_cmpint (before->expires, ==, 0);
  g_assert_null (before->warning);

  assert_token (f->credentials, NULL, "access-1");
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

  start_plain (f, CLIENT);
  token = box_credentials_downscope (f->credentials, "815", &expires_in, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (token, ==, "access-2");
  g_assert_cmpint (expires_in, ==, 3600);
  box_credentials_free_token (token);
  assert_field (f, 2, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
  assert_field (f, 2, "subject_token", "access-1");
  assert_field (f, 2, "subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
  assert_field (f, 2, "resource", "https://api.box.com/2.0/folders/815");
  assert_field (f, 2, "scope", "base_upload item_upload");
}

static void
test_token_for_no_folder_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_plain (f, CLIENT);
  g_assert_null (box_credentials_downscope (f->credentials, "../1", NULL, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_cmpuint (token_server_count (f->server), ==, 0);
}

#define ADD(path, function) ADD_DATA (path, NULL, function)
#define ADD_DATA(path, data, function)                                                             \
  g_test_add ("/" path, Fixture, data, set_up, function, tear_down)

static void
add_refresh_tests (void)
{
  ADD ("refresh/token-is-replaced-in-the-file", test_refresh_token_is_replaced_in_the_file);
  ADD ("refresh/stored-access-token-is-used-while-it-is-good",
       test_stored_access_token_is_used_while_it_is_good);
  ADD_DATA ("refresh/stored-access-token-that-is-due-is-not-used", GINT_TO_POINTER (200),
            test_stored_access_token_that_is_about_to_expire_is_not_used);
  ADD_DATA ("refresh/stored-access-token-that-has-expired-is-not-used", GINT_TO_POINTER (-1),
            test_stored_access_token_that_is_about_to_expire_is_not_used);
  ADD_DATA ("refresh/stored-access-token-of-an-impossible-life-is-not-used",
            GINT_TO_POINTER (999999), test_stored_access_token_that_is_about_to_expire_is_not_used);
  ADD ("refresh/good-token-outlives-a-failed-renewal", test_good_token_outlives_a_failed_renewal);
  ADD ("refresh/file-keeps-its-mode-and-stays-a-link", test_file_keeps_its_mode_and_stays_a_link);
  ADD ("refresh/processes-that-share-a-file-share-its-token",
       test_processes_that_share_a_file_share_its_token);
  ADD ("refresh/locked-file-is-waited-for", test_locked_file_is_waited_for);
  ADD ("refresh/cancelling-a-caller-does-not-lose-the-refresh-token",
       test_cancelling_a_caller_does_not_lose_the_refresh_token);
  ADD ("refresh/refused-one-leaves-the-file-alone", test_refused_refresh_leaves_the_file_alone);
  ADD ("refresh/replacement-that-a-dead-process-left-is-taken",
       test_replacement_that_a_dead_process_left_is_taken);
  ADD ("refresh/half-a-replacement-and-strays-are-removed",
       test_half_a_replacement_and_strays_are_removed);
  ADD ("refresh/directory-that-cannot-be-written-is-found-before-anything-is-used-up",
       test_directory_that_cannot_be_written_is_found_before_anything_is_used_up);
}

static void
add_endpoint_tests (void)
{
  static const guint redirects[] = { 301, 302, 303, 307, 308 };

  for (guint i = 0; i < G_N_ELEMENTS (transient_answers); i++)
    {
      g_autofree char *path = g_strdup_printf ("/endpoint/in-trouble-is-transient/%u", i);

      g_test_add (path, Fixture, &transient_answers[i], set_up,
                  test_trouble_of_the_endpoint_is_transient, tear_down);
    }
  for (guint i = 0; i < G_N_ELEMENTS (redirects); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/endpoint/redirects-are-not-followed/%u", redirects[i]);

      g_test_add (path, Fixture, GUINT_TO_POINTER (redirects[i]), set_up,
                  test_redirects_are_not_followed, tear_down);
    }
  ADD ("endpoint/nobody-asks-before-retry-after-is-over",
       test_nobody_asks_before_retry_after_is_over);
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
  ADD ("jwt/is-asked-with", test_jwt_is_asked_with);
  ADD ("jwt/is-made-by-the-servers-clock-where-ours-is-refused",
       test_jwt_is_made_by_the_servers_clock_where_ours_is_refused);
  ADD ("jwt/that-stays-refused-is-an-error", test_jwt_that_stays_refused_is_an_error);
  add_refresh_tests ();
  add_endpoint_tests ();
  ADD_DATA ("client/sixteen-threads-send-one-request", CLIENT,
            test_sixteen_threads_send_one_request);
  ADD_DATA ("refresh/sixteen-threads-send-one-request", REFRESH,
            test_sixteen_threads_send_one_request);
  ADD ("description/tells-grant-subject-and-expiry",
       test_description_tells_grant_subject_and_expiry);
  ADD ("downscope/token-for-one-folder-is-asked-for", test_token_for_one_folder_is_asked_for);
  ADD ("downscope/token-for-no-folder-is-refused", test_token_for_no_folder_is_refused);
  return g_test_run ();
}

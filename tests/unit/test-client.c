/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common to all calls: settings, origins, tokens. Also the calls about files and users. */
#include "client-fixture.h"

#include "kit/patience.h"

/* ---- settings ---- */

static const struct
{
  BoxClientSettings settings;
  gint code; /* -1: good */
} settings_cases[] = {
  { { NULL }, -1 },
  { { .endpoint = "https://upload.example.com/api/2.0/" }, -1 },
  { { .endpoint = "http://127.0.0.1:1/api/2.0", .api_endpoint = "http://localhost:1/2.0" }, -1 },
  { { .endpoint = "http://[::1]:1/api/2.0" }, -1 },
  { { .endpoint = "http://127.5.6.7/api/2.0" }, -1 },
  { { .endpoint = "http://upload.box.com/api/2.0" }, BOX_ERROR_TRUST },
  { { .api_endpoint = "http://api.box.com/2.0" }, BOX_ERROR_TRUST },
  { { .endpoint = "http://localhost.example.com/" }, BOX_ERROR_TRUST },
  { { .endpoint = "http://127.0.0.1.example.com/" }, BOX_ERROR_TRUST },
  { { .endpoint = "http://0.0.0.0/" }, BOX_ERROR_TRUST },
  { { .endpoint = "ftp://upload.box.com/" }, BOX_ERROR_SETTINGS },
  { { .endpoint = "upload.box.com" }, BOX_ERROR_SETTINGS },
  { { .endpoint = "https://" }, BOX_ERROR_SETTINGS },
  { { .endpoint = "https://user:secret@upload.box.com/" }, BOX_ERROR_SETTINGS },
  { { .endpoint = "https://upload.box.com/?token=secret" }, BOX_ERROR_SETTINGS },
  { { .as_user = "12345" }, -1 },
  { { .as_user = "" }, BOX_ERROR_SETTINGS },
  { { .as_user = "me\r\nX: y" }, BOX_ERROR_SETTINGS },
  { { .ca_file = "/nonexistent.pem" }, BOX_ERROR_SETTINGS },
  { { .proxy = "nonsense" }, BOX_ERROR_SETTINGS },
};

static void
test_settings_are_checked (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings_cases); i++)
    {
      BoxClientSettings settings = settings_cases[i].settings;
      g_autoptr (GError) error = NULL;
      BoxClient *client;

      g_test_message ("case %zu", i);
      settings.access_token = "secret-token";
      client = box_client_new (&settings, &error);
      if (settings_cases[i].code >= 0)
        {
          g_assert_null (client);
          fixture_assert_error (error, (BoxErrorCode) settings_cases[i].code);
          continue;
        }
      g_assert_no_error (error);
      g_assert_false (g_str_has_suffix (box_client_get_endpoint (client), "/"));
      box_client_unref (client);
    }
}

/* ---- the environment ---- */

/* The user is asked for at @server, whatever the other variables are. */
static void
assert_asks_at (ScriptServer *server, const BoxClientSettings *given)
{
  BoxClientSettings settings = *given;
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxClient) client = NULL;
  g_autoptr (BoxUser) user = NULL;
  g_autoptr (GError) error = NULL;

  settings.access_token = "secret-token";
  settings.timeout = KIT_PATIENCE;
  client = box_client_new (&settings, &error);
  g_assert_no_error (error);
  user = box_client_get_user (client, transport, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (script_server_get_head (server, 0), "GET /2.0/users/me HTTP/1.1\r\n"));
}

static const ScriptReply a_user[] = { { 200, "{\"id\":\"7\"}" } };

static void
test_the_environment_names_the_endpoints (void)
{
  ScriptServer *server = script_server_new (a_user, 1);
  g_autofree char *api = g_strconcat (script_server_get_base (server), "/2.0/", NULL);

  g_setenv ("BOX_ENDPOINT", "https://upload.example.com/api/2.0", TRUE);
  g_setenv ("BOX_API_ENDPOINT", api, TRUE);
  assert_asks_at (server, &(BoxClientSettings){ NULL });
  g_unsetenv ("BOX_ENDPOINT");
  g_unsetenv ("BOX_API_ENDPOINT");
  script_server_free (server);
}

static void
test_settings_win_over_the_environment (void)
{
  ScriptServer *server = script_server_new (a_user, 1);
  g_autofree char *api = g_strconcat (script_server_get_base (server), "/2.0", NULL);

  g_setenv ("BOX_ENDPOINT", "ftp://nonsense", TRUE);
  g_setenv ("BOX_API_ENDPOINT", "http://127.0.0.1:1/2.0", TRUE);
  assert_asks_at (server, &(BoxClientSettings){ .endpoint = "https://upload.example.com/api/2.0",
                                                .api_endpoint = api });
  g_unsetenv ("BOX_ENDPOINT");
  g_unsetenv ("BOX_API_ENDPOINT");
  script_server_free (server);
}

/* Otherwise a token that is meant for a stand-in would go to Box. */
static void
test_a_loopback_endpoint_alone_is_the_server_of_all_calls (void)
{
  ScriptServer *server = script_server_new (a_user, 1);
  g_autofree char *endpoint = g_strconcat (script_server_get_base (server), "/api/2.0", NULL);
  g_autofree char *api = g_strconcat (script_server_get_base (server), "/2.0", NULL);
  g_autoptr (BoxClient) client = NULL;

  assert_asks_at (server, &(BoxClientSettings){ .endpoint = endpoint });
  client = box_client_new (&(BoxClientSettings){ .api_endpoint = api, .access_token = "t" }, NULL);
  g_assert_cmpstr (box_client_get_endpoint (client), ==, endpoint);
  script_server_free (server);
}

static const struct
{
  const char *variable, *value;
  gint code; /* -1: good */
} environment_cases[] = {
  { "BOX_ENDPOINT", "", -1 },
  { "BOX_ENDPOINT", "http://upload.example.com/api/2.0", BOX_ERROR_TRUST },
  { "BOX_API_ENDPOINT", "http://api.example.com/2.0", BOX_ERROR_TRUST },
  { "BOX_API_ENDPOINT", "api.example.com", BOX_ERROR_SETTINGS },
  { "BOX_CA_FILE", "", -1 },
  { "BOX_CA_FILE", "/nonexistent.pem", BOX_ERROR_SETTINGS },
};

static void
test_the_environment_is_checked_as_settings_are (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (environment_cases); i++)
    {
      const char *variable = environment_cases[i].variable;
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxClient) client = NULL;

      g_test_message ("%s=%s", variable, environment_cases[i].value);
      g_setenv (variable, environment_cases[i].value, TRUE);
      client = box_client_new (&(BoxClientSettings){ .access_token = "secret-token" }, &error);
      g_unsetenv (variable);
      if (environment_cases[i].code < 0)
        {
          g_assert_no_error (error);
          continue;
        }
      fixture_assert_error (error, (BoxErrorCode) environment_cases[i].code);
      if (!g_str_equal (variable, "BOX_CA_FILE"))
        g_assert_nonnull (strstr (error->message, variable));
    }
}

/* ---- links ---- */

static const struct
{
  const char *api_endpoint; /* NULL: Box's */
  const char *link;
} link_cases[] = {
  { NULL, "https://app.box.com/file/4711" },
  { "https://api.box.com/2.0/", "https://app.box.com/file/4711" },
  { "https://API.Box.com:443/2.0", "https://app.box.com/file/4711" },
  { "https://box.com/2.0", "https://app.box.com/file/4711" },
  { "https://api.box-gov.com/2.0", "https://app.box-gov.com/file/4711" },
  { "https://127.0.0.1:8443/2.0", NULL },
  { "http://localhost:8080/2.0", NULL },
  { "https://[::1]/2.0", NULL },
  { "https://notbox.com/2.0", NULL },
  { "https://box.com.example/2.0", NULL },
  { "https://gateway.example.com/api.box.com/2.0", NULL },
};

static void
test_files_at_box_have_a_link (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (link_cases); i++)
    {
      const BoxClientSettings settings = { .access_token = "t",
                                           .api_endpoint = link_cases[i].api_endpoint };
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxClient) client = box_client_new (&settings, &error);
      g_autofree char *link = NULL;

      g_assert_no_error (error);
      g_test_message ("%s", link_cases[i].api_endpoint);
      link = box_client_format_link (client, "4711");
      g_assert_cmpstr (link, ==, link_cases[i].link);
    }
}

/* ---- tokens ---- */

static const char user_reply[] = "{\"id\":\"7\",\"name\":\"Recorder\",\"login\":\"r@example.com\"}";

static void
test_the_user_is_asked_with_token_and_as_user (void)
{
  static const ScriptReply replies[] = { { 200, user_reply } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxUser) user = NULL;

  fixture_init_as (&fixture, replies, 1, "99");
  user = box_client_get_user (fixture.client, fixture.transport, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (user->id, ==, "7");
  g_assert_cmpstr (user->name, ==, "Recorder");
  g_assert_cmpstr (user->login, ==, "r@example.com");
  fixture_assert_asked (&fixture, 0, "GET /2.0/users/me");
  g_assert_true (fixture_sent_header (&fixture, 0, "As-User", "99"));
}

#define REFUSED_TOKEN                                                                              \
  "WWW-Authenticate: Bearer realm=\"Service\", error=\"invalid_token\", "                          \
  "error_description=\"The access token provided is invalid.\"\r\n"

static char *
give_new_token (gpointer user_data)
{
  return g_strdup_printf ("new-token-%d", g_atomic_int_add ((gint *) user_data, 1));
}

static void
note_progress (gpointer user_data, guint64 position)
{
  *(guint64 *) user_data = position;
}

static gboolean
read_abc (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  memcpy (buffer, &"abc"[offset], length);
  return TRUE;
}

static void
test_a_refused_token_is_renewed_and_the_body_sent_whole (void)
{
  static const ScriptReply replies[] = {
    { 401, "", REFUSED_TOKEN },
    { 200,
      "{\"part\":{\"part_id\":\"A\",\"offset\":0,\"size\":3,\"sha1\":\"" SHA1_OF_ABC "\"}}" }
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (BoxPart) part = NULL;
  guint64 sent = 0;
  gint asked = 0;
  BoxBody body = { .size = 3, .read = read_abc, .progress = note_progress, .user_data = &sent };
  BoxSha1 sha1;

  fixture_init (&fixture, replies, 2);
  fixture_sha1_of_abc (&sha1);
  session = fixture_new_session (&fixture);
  box_credentials_set_request (box_client_get_credentials (fixture.client), give_new_token, &asked,
                               NULL);
  part = box_client_upload_part (fixture.client, fixture.transport, session, 0, 3, &sha1, &body,
                                 NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (asked, ==, 1);
  g_assert_cmpuint (script_server_get_requests (fixture.server), ==, 2);
  g_assert_true (fixture_sent_header (&fixture, 1, "Authorization", "Bearer new-token-0"));
  g_assert_cmpuint (g_bytes_get_size (script_server_get_body (fixture.server, 1)), ==, 3);
  g_assert_cmpuint (sent, ==, 3);
}

static void
test_a_token_refused_for_good_is_an_error_of_credentials (void)
{
  static const ScriptReply replies[] = { { 401, "", REFUSED_TOKEN } };

  for (guint i = 0; i < 2; i++)
    {
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;
      gint asked = 0;

      fixture_init (&fixture, replies, 1);
      if (i == 1)
        box_credentials_set_request (box_client_get_credentials (fixture.client), give_new_token,
                                     &asked, NULL);
      g_assert_null (box_client_get_user (fixture.client, fixture.transport, NULL, &error));
      fixture_assert_error (error, BOX_ERROR_CREDENTIALS);
      g_assert_null (strstr (error->message, "new-token"));
      g_assert_cmpuint (script_server_get_requests (fixture.server), ==, i + 1);
    }
}

/* A gateway's, for which no good token is given up; the second time it may be Box's. */
static void
test_a_401_without_boxs_words_is_believed_when_it_is_repeated (void)
{
  static const ScriptReply replies[] = {
    { 401, "<html>Log in</html>", "WWW-Authenticate: Basic realm=\"Guests\"\r\n" },
    { 200, "{\"id\":\"1\"}" },
    { 401, "" },
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) first = NULL, second = NULL, again = NULL;
  g_autoptr (BoxUser) user = NULL;

  fixture_init (&fixture, replies, G_N_ELEMENTS (replies));
  g_assert_null (box_client_get_user (fixture.client, fixture.transport, NULL, &first));
  fixture_assert_error (first, BOX_ERROR_TRANSIENT);
  user = box_client_get_user (fixture.client, fixture.transport, NULL, &second);
  g_assert_no_error (second);
  do
    {
      g_clear_error (&again);
      g_assert_null (box_client_get_user (fixture.client, fixture.transport, NULL, &again));
    }
  while (box_error_is_transient (again));
  fixture_assert_error (again, BOX_ERROR_CREDENTIALS);
  g_assert_cmpuint (script_server_get_requests (fixture.server), >, 3);
}

static void
test_redirects_are_refused (void)
{
  static const guint statuses[] = { 301, 302, 303, 307, 308 };

  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      ScriptReply reply = { statuses[i], "", "Location: http://localhost:1/2.0/x?secret\r\n" };
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;

      fixture_init (&fixture, &reply, 1);
      g_assert_null (box_client_get_user (fixture.client, fixture.transport, NULL, &error));
      fixture_assert_error (error, BOX_ERROR_TRANSIENT);
      g_assert_nonnull (strstr (error->message, "localhost"));
      g_assert_cmpuint (script_server_get_requests (fixture.server), ==, 1);
    }
}

static void
test_the_token_goes_to_no_foreign_host (void)
{
  static const ScriptReply replies[] = { { 200, "{}" } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSession) session = NULL;

  fixture_init (&fixture, replies, 1);
  session = fixture_new_session (&fixture);
  g_free (session->abort_url);
  session->abort_url = g_strdup ("http://localhost:1/s/5E55/secret");
  g_assert_false (box_client_abort (fixture.client, fixture.transport, session, NULL, &error));
  fixture_assert_error (error, BOX_ERROR_TRUST);
  g_assert_cmpuint (script_server_get_requests (fixture.server), ==, 0);
}

/* ---- preflight ---- */

static void
test_preflight_describes_the_file (void)
{
  static const ScriptReply replies[] = { { 200, "{\"upload_url\":\"https://x/\"}" } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "ä \"q\".mp4", NULL);
  g_autoptr (BoxDestination) file = box_destination_new_file ("12", NULL);

  fixture_init (&fixture, replies, 1);
  g_assert_true (box_client_preflight (fixture.client, fixture.transport, folder,
                                       G_GUINT64_CONSTANT (5000000000), NULL, &error));
  g_assert_no_error (error);
  fixture_assert_asked (&fixture, 0, "OPTIONS /2.0/files/content");
  fixture_assert_json (
      &fixture, 0, "{\"name\":\"ä \\\"q\\\".mp4\",\"parent\":{\"id\":\"5\"},\"size\":5000000000}");
  g_assert_true (box_client_preflight (fixture.client, fixture.transport, file, 7, NULL, &error));
  fixture_assert_asked (&fixture, 1, "OPTIONS /2.0/files/12/content");
  fixture_assert_json (&fixture, 1, "{\"size\":7}");
}

static void
test_a_taken_name_carries_the_file_that_is_there (void)
{
  static const ScriptReply replies[] = {
    { 409, "{\"code\":\"item_name_in_use\",\"message\":\"taken\",\"context_info\":{"
           "\"conflicts\":" STORED_FILE "}}" }
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "a.mp4", NULL);
  g_autoptr (BoxFile) file = NULL;

  fixture_init (&fixture, replies, 1);
  g_assert_false (
      box_client_preflight (fixture.client, fixture.transport, folder, 7, NULL, &error));
  fixture_assert_error (error, BOX_ERROR_NAME_IN_USE);
  g_assert_true (
      g_str_has_prefix (error->message, "Box refuses this upload: it answered \"taken\""));
  g_assert_nonnull (strstr (error->message, "choose another name"));
  file = box_file_from_conflict (error);
  g_assert_cmpstr (file->id, ==, "12");
}

/* ---- direct upload ---- */

static BoxFile *
upload_abc (Fixture *fixture, const BoxDestination *destination, const BoxAttributes *attributes,
            const char *if_match, guint64 *sent, GError **error)
{
  BoxBody body = { .size = 3, .read = read_abc, .progress = note_progress, .user_data = sent };
  BoxSha1 sha1;

  fixture_sha1_of_abc (&sha1);
  return box_client_upload_file (fixture->client, fixture->transport, destination, &sha1, &body,
                                 attributes, if_match, NULL, error);
}

static void
test_direct_uploads_are_multipart_with_a_known_length (void)
{
  static const ScriptReply replies[] = { { 201,
                                           "{\"total_count\":1,\"entries\":[" STORED_FILE "]}" } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "a.mp4", NULL);
  BoxAttributes attributes = { .content_created_at = "2026-01-02T03:04:05Z" };
  g_autoptr (BoxFile) file = NULL;
  g_autofree char *text = NULL, *boundary = NULL, *expected = NULL;
  const char *at;
  GBytes *body;
  guint64 sent = 0;

  fixture_init (&fixture, replies, 1);
  file = upload_abc (&fixture, folder, &attributes, NULL, &sent, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (file->version_id, ==, "34");
  g_assert_cmpuint (sent, ==, 3);
  fixture_assert_asked (&fixture, 0, "POST /api/2.0/files/content");
  g_assert_true (fixture_sent_header (&fixture, 0, "content-md5", SHA1_OF_ABC));
  at = strstr (script_server_get_head (fixture.server, 0), "multipart/form-data; boundary=");
  g_assert_nonnull (at);
  at += strlen ("multipart/form-data; boundary=");
  boundary = g_strndup (at, strcspn (at, "\r"));
  expected = g_strdup_printf (
      "--%s\r\nContent-Disposition: form-data; name=\"attributes\"\r\n"
      "Content-Type: application/json\r\n\r\n"
      "{\"name\":\"a.mp4\",\"parent\":{\"id\":\"5\"},\"content_created_at\":\"2026-01-02T03:04:"
      "05Z\"}"
      "\r\n--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\nabc\r\n--%s--\r\n",
      boundary, boundary, boundary);
  body = script_server_get_body (fixture.server, 0);
  text = g_strndup (g_bytes_get_data (body, NULL), g_bytes_get_size (body));
  g_assert_cmpstr (text, ==, expected);
}

static void
test_versions_are_uploaded_under_if_match (void)
{
  static const ScriptReply replies[] = { { 201, "{\"entries\":[" STORED_FILE "]}" },
                                         { 412, "{\"code\":\"precondition_failed\"}" } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) destination = box_destination_new_file ("12", NULL);
  g_autoptr (BoxFile) file = NULL;
  guint64 sent = 0;

  fixture_init (&fixture, replies, 2);
  file = upload_abc (&fixture, destination, NULL, "3", &sent, &error);
  g_assert_no_error (error);
  fixture_assert_asked (&fixture, 0, "POST /api/2.0/files/12/content");
  g_assert_true (fixture_sent_header (&fixture, 0, "If-Match", "3"));
  g_assert_null (upload_abc (&fixture, destination, NULL, "3", &sent, &error));
  fixture_assert_error (error, BOX_ERROR_CONFLICT);
}

static void
test_another_sha1_at_box_is_an_error_of_integrity (void)
{
  static const ScriptReply replies[] = {
    { 201, "{\"entries\":[{\"id\":\"12\",\"size\":3,\"sha1\":"
           "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"}]}" },
    { 201, "{\"entries\":[{\"id\":\"12\",\"size\":4,\"sha1\":\"" SHA1_OF_ABC "\"}]}" }
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "a.mp4", NULL);
  guint64 sent = 0;

  fixture_init (&fixture, replies, 2);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (upload_abc (&fixture, folder, NULL, NULL, &sent, &error));
      fixture_assert_error (error, BOX_ERROR_INTEGRITY);
    }
}

static void
test_a_success_without_sha1_is_looked_up (void)
{
  static const ScriptReply replies[] = { { 201, "{\"entries\":[{\"id\":\"12\"}]}" },
                                         { 200, STORED_FILE } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "a.mp4", NULL);
  g_autoptr (BoxFile) file = NULL;
  guint64 sent = 0;

  fixture_init (&fixture, replies, 2);
  file = upload_abc (&fixture, folder, NULL, NULL, &sent, &error);
  g_assert_no_error (error);
  g_assert_true (file->has_sha1);
  fixture_assert_asked (&fixture, 1,
                        "GET /2.0/files/12?fields=id,name,size,sha1,etag,file_version");
}

static void
test_a_success_of_nonsense_is_unsure (void)
{
  static const ScriptReply replies[] = { { 201, "<html>" } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "a.mp4", NULL);
  guint64 sent = 0;

  fixture_init (&fixture, replies, 1);
  g_assert_null (upload_abc (&fixture, folder, NULL, NULL, &sent, &error));
  fixture_assert_error (error, BOX_ERROR_TRANSIENT);
  g_assert_true (box_error_get_details (error)->unsure);
}

static void
test_files_are_looked_up (void)
{
  static const ScriptReply replies[] = {
    { 200, STORED_FILE }, { 404, "{\"code\":\"not_found\"}" }, { 200, "[]" }, { 200, STORED_FILE }
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL, missing = NULL, nonsense = NULL, refused = NULL, other = NULL;
  g_autoptr (BoxFile) file = NULL;

  fixture_init (&fixture, replies, 4);
  file = box_client_get_file (fixture.client, fixture.transport, "12", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (file->name, ==, "a.mp4");
  g_assert_null (box_client_get_file (fixture.client, fixture.transport, "12", NULL, &missing));
  fixture_assert_error (missing, BOX_ERROR_NOT_FOUND);
  g_assert_null (box_client_get_file (fixture.client, fixture.transport, "12", NULL, &nonsense));
  fixture_assert_error (nonsense, BOX_ERROR_PROTOCOL);
  g_assert_null (box_client_get_file (fixture.client, fixture.transport, "13", NULL, &other));
  fixture_assert_error (other, BOX_ERROR_PROTOCOL);
  g_assert_null (box_client_get_file (fixture.client, fixture.transport, "../12", NULL, &refused));
  fixture_assert_error (refused, BOX_ERROR_SETTINGS);
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  g_test_add_func ("/client/settings-are-checked", test_settings_are_checked);
  g_test_add_func ("/client/the-environment-names-the-endpoints",
                   test_the_environment_names_the_endpoints);
  g_test_add_func ("/client/settings-win-over-the-environment",
                   test_settings_win_over_the_environment);
  g_test_add_func ("/client/a-loopback-endpoint-alone-is-the-server-of-all-calls",
                   test_a_loopback_endpoint_alone_is_the_server_of_all_calls);
  g_test_add_func ("/client/files-at-box-have-a-link", test_files_at_box_have_a_link);
  g_test_add_func ("/client/the-environment-is-checked-as-settings-are",
                   test_the_environment_is_checked_as_settings_are);
  g_test_add_func ("/client/the-user-is-asked-with-token-and-as-user",
                   test_the_user_is_asked_with_token_and_as_user);
  g_test_add_func ("/client/a-refused-token-is-renewed-and-the-body-sent-whole",
                   test_a_refused_token_is_renewed_and_the_body_sent_whole);
  g_test_add_func ("/client/a-token-refused-for-good-is-an-error-of-credentials",
                   test_a_token_refused_for_good_is_an_error_of_credentials);
  g_test_add_func ("/client/a-401-without-boxs-words-is-believed-when-it-is-repeated",
                   test_a_401_without_boxs_words_is_believed_when_it_is_repeated);
  g_test_add_func ("/client/redirects-are-refused", test_redirects_are_refused);
  g_test_add_func ("/client/the-token-goes-to-no-foreign-host",
                   test_the_token_goes_to_no_foreign_host);
  g_test_add_func ("/client/preflight-describes-the-file", test_preflight_describes_the_file);
  g_test_add_func ("/client/a-taken-name-carries-the-file-that-is-there",
                   test_a_taken_name_carries_the_file_that_is_there);
  g_test_add_func ("/client/direct-uploads-are-multipart-with-a-known-length",
                   test_direct_uploads_are_multipart_with_a_known_length);
  g_test_add_func ("/client/versions-are-uploaded-under-if-match",
                   test_versions_are_uploaded_under_if_match);
  g_test_add_func ("/client/another-sha1-at-box-is-an-error-of-integrity",
                   test_another_sha1_at_box_is_an_error_of_integrity);
  g_test_add_func ("/client/a-success-without-sha1-is-looked-up",
                   test_a_success_without_sha1_is_looked_up);
  g_test_add_func ("/client/a-success-of-nonsense-is-unsure", test_a_success_of_nonsense_is_unsure);
  g_test_add_func ("/client/files-are-looked-up", test_files_are_looked_up);
  return g_test_run ();
}

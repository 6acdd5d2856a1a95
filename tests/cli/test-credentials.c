/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where boxupload takes credentials from, what it says of them, and that it does not show them. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli-fixture.h"
#include "kit/emulator.h"
#include "kit/places.h"

/* An emulator in place of the fixture's that accepts @token alone. */
static void
accept_only (Fixture *f, const char *token)
{
  const char *const tokens[] = { token, NULL };
  const BoxEmulatorOptions options = { .part_size = PART_SIZE, .tokens = tokens };

  box_emulator_free (f->emulator);
  f->emulator = kit_emulator_new (&options);
}

static void
write_secret (Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);

  kit_write_text (path, text);
}

static void
test_whoami_says_who_and_how (Fixture *f, gconstpointer data)
{
  g_auto (Answer) text = RUN (f, "whoami");
  g_auto (Answer) json = RUN (f, "whoami", "--json");
  g_autoptr (JsonObject) object = parse_document (json.out);

  g_assert_cmpint (text.code, ==, 0);
  g_assert_nonnull (strstr (text.out, "an access token; it cannot be renewed"));
  g_assert_nonnull (strstr (text.out, "BOX_ACCESS_TOKEN"));
  g_assert_cmpstr (json_object_get_string_member (object, "grant"), ==, "access-token");
  g_assert_nonnull (json_object_get_string_member (object, "user_id"));
  g_assert_nonnull (json_object_get_string_member (object, "login"));
}

static void
test_a_refused_token_has_its_exit_code_and_a_way_out (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  accept_only (f, "another");
  answer = RUN (f, "whoami");
  g_assert_cmpint (answer.code, ==, 3);
  g_assert_null (strstr (answer.err, TOKEN));
  g_assert_cmpstr (answer.out, ==, "");
}

static void
test_no_credentials_are_told_from_bad_ones (Fixture *f, gconstpointer data)
{
  char **environment = g_environ_unsetenv (fixture_environment (f), "BOX_ACCESS_TOKEN");
  g_auto (Answer) answer =
      fixture_run_env (f, environment, (const char *const[]){ "whoami", NULL });

  g_assert_cmpint (answer.code, ==, 3);
  g_assert_nonnull (strstr (answer.err, "BOX_TOKEN_FILE"));
  g_assert_cmpuint (box_emulator_count (f->emulator, NULL), ==, 0);
}

static void
test_a_token_file_goes_before_the_environment (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (JsonObject) object = NULL;

  accept_only (f, "from-the-file");
  write_secret (f, "token", "from-the-file\n");
  answer = RUN (f, "whoami", "--token-file", "token", "--json");
  g_assert_cmpint (answer.code, ==, 0);
  object = parse_document (answer.out);
  g_assert_cmpstr (json_object_get_string_member (object, "grant"), ==, "token-file");
}

static void
test_client_credentials_are_exchanged_for_a_token (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (JsonObject) object = NULL;

  write_secret (f, "box.json",
                "{\"client_id\":\"the-client\",\"client_secret\":\"the-secret-81\","
                "\"enterprise_id\":\"4711\"}");
  answer = RUN (f, "whoami", "--auth-config", "box.json", "--json");
  g_assert_cmpint (answer.code, ==, 0);
  object = parse_document (answer.out);
  g_assert_cmpstr (json_object_get_string_member (object, "grant"), ==, "client-credentials");
  g_assert_nonnull (json_object_get_string_member (object, "expires_at"));
  g_assert_cmpuint (box_emulator_count (f->emulator, "token"), ==, 1);
  g_assert_null (strstr (answer.out, "the-secret-81"));
}

static void
test_a_bad_configuration_is_named_but_not_shown (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  write_secret (f, "box.json", "{\"client_id\":\"the-client\",\"client_secret\":\"the-secret-81\"");
  answer = RUN (f, "whoami", "--auth-config", "box.json");
  g_assert_cmpint (answer.code, !=, 0);
  g_assert_nonnull (strstr (answer.err, "box.json"));
  g_assert_null (strstr (answer.err, "the-secret-81"));
}

static void
test_missing_and_unreadable_files_have_the_exit_code_of_credentials (Fixture *f, gconstpointer data)
{
  static const char *const options[] = { "--token-file", "--auth-config" };

  write_secret (f, "a-file", "not JSON, and no token");
  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      g_auto (Answer) missing = RUN (f, "whoami", options[i], "no-such-file");
      g_auto (Answer) unreadable = RUN (f, "whoami", options[i], "a-file/below");
      g_auto (Answer) nonsense = RUN (f, "whoami", options[i], "a-file");

      g_assert_cmpint (missing.code, ==, 3);
      g_assert_nonnull (strstr (missing.err, "no-such-file"));
      g_assert_cmpint (unreadable.code, ==, 3);
      g_assert_cmpint (nonsense.code, ==, 3);
    }
  g_assert_cmpuint (box_emulator_count (f->emulator, NULL), ==, 0);
}

static void
test_exposed_file_is_complained_of_once (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "token", NULL);
  g_auto (Answer) answer = { 0 };
  const char *complaint;

  write_secret (f, "token", TOKEN);
  g_assert_cmpint (chmod (path, 0644), ==, 0);
  answer = RUN (f, "whoami", "--token-file", "token");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_true (g_str_has_prefix (answer.err, "boxupload: token-file "));
  complaint = strstr (answer.err, "chmod 600");
  g_assert_nonnull (complaint);
  g_assert_null (strstr (complaint + 1, "chmod 600"));
}

static void
test_as_user_goes_with_every_request (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) requests = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  answer = RUN (f, "put", "a", "--as-user", "12345");
  requests = box_emulator_get_requests (f->emulator, NULL);
  g_assert_cmpuint (requests->len, >, 20);
  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = g_ptr_array_index (requests, i);

      g_assert_cmpstr (soup_message_headers_get_one (request->headers, "As-User"), ==, "12345");
    }
}

static void
test_a_narrow_token_goes_to_a_file_of_its_owner (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "narrow", NULL);
  g_autofree char *folder = box_emulator_add_folder (f->emulator, "0", "recordings");
  g_auto (Answer) made = { 0 };
  g_auto (Answer) allowed = { 0 };
  g_auto (Answer) refused = { 0 };
  struct stat status;

  fixture_write_file (f, "a", 1000, 1);
  g_assert_true (g_file_set_contents (path, "an older one, readable by all", -1, NULL));
  made = RUN (f, "token", "--folder", folder, "--out", path);
  g_assert_cmpint (made.code, ==, 0);
  g_assert_cmpstr (made.out, ==, "");
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  allowed = RUN (f, "put", "a", "--folder", folder, "--token-file", path);
  g_assert_cmpint (allowed.code, ==, 0);
  refused = RUN (f, "put", "a", "--token-file", path);
  g_assert_cmpint (refused.code, ==, 5);
}

/* A service's log outlives its command line. */
static void
test_a_token_in_an_unknown_option_is_not_repeated (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = RUN (f, "whoami", "--access-token=" TOKEN);

  g_assert_cmpint (answer.code, ==, 2);
  g_assert_nonnull (strstr (answer.err, "--access-token; "));
  g_assert_null (strstr (answer.err, TOKEN));
}

/* Nobody who can make a link can have the token written elsewhere. */
static void
test_a_narrow_token_takes_the_place_of_a_link (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "narrow", NULL);
  g_autofree char *to_directory = g_build_filename (f->dir, "lane", NULL);
  g_autofree char *target = g_build_filename (f->dir, "target", NULL);
  g_autofree char *text = NULL;
  g_auto (Answer) made = { 0 };
  g_auto (Answer) refused = { 0 };
  struct stat status;

  g_assert_true (g_file_set_contents (target, "somebody's", -1, NULL));
  g_assert_cmpint (symlink ("target", path), ==, 0);
  g_assert_cmpint (symlink (".", to_directory), ==, 0);
  made = RUN (f, "token", "--folder", "0", "--out", path);
  g_assert_cmpint (made.code, ==, 0);
  g_assert_cmpint (lstat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode, ==, S_IFREG | 0600);
  g_assert_true (g_file_get_contents (target, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "somebody's");
  refused = RUN (f, "token", "--folder", "0", "--out", to_directory);
  g_assert_cmpint (refused.code, ==, 13);
  g_assert_nonnull (strstr (refused.err, "lane: it is not a regular file"));
  g_assert_cmpint (lstat (to_directory, &status), ==, 0);
  g_assert_true (S_ISLNK (status.st_mode));
}

static void
test_a_narrow_token_is_alone_on_stdout (Fixture *f, gconstpointer data)
{
  g_auto (Answer) text = RUN (f, "token", "--folder", "0");
  g_auto (Answer) json = RUN (f, "token", "--folder", "0", "--json");
  g_auto (Answer) none = RUN (f, "token");
  g_autoptr (JsonObject) object = parse_document (json.out);

  g_assert_cmpint (text.code, ==, 0);
  g_assert_cmpstr (strchr (text.out, '\n'), ==, "\n");
  g_assert_null (strstr (text.out, TOKEN));
  g_assert_nonnull (json_object_get_string_member (object, "access_token"));
  g_assert_nonnull (json_object_get_string_member (object, "expires_at"));
  g_assert_cmpint (none.code, ==, 2);
}

static void
test_tls_is_trusted_by_ca_file_only (Fixture *f, gconstpointer data)
{
  const char *endpoint = box_emulator_get_endpoint (f->emulator, TRUE);
  const char *api = box_emulator_get_api_endpoint (f->emulator, TRUE);
  const char *ca = box_emulator_get_ca_file (f->emulator);
  g_auto (Answer) trusted =
      RUN (f, "whoami", "--endpoint", endpoint, "--api-endpoint", api, "--ca-file", ca);
  g_auto (Answer) untrusted = RUN (f, "whoami", "--endpoint", endpoint, "--api-endpoint", api);
  g_auto (Answer) clear = RUN (f, "whoami", "--endpoint", "http://192.0.2.1/api/2.0",
                               "--api-endpoint", "http://192.0.2.1/2.0");

  g_assert_cmpint (trusted.code, ==, 0);
  g_assert_cmpint (untrusted.code, ==, 4);
  g_assert_nonnull (strstr (untrusted.err, "ca-file"));
  g_assert_cmpint (clear.code, ==, 4);
}

static void
test_no_secret_is_shown_however_much_is_logged (Fixture *f, gconstpointer data)
{
  char **environment = fixture_environment (f);
  g_auto (Answer) answer = { 0 };

  write_secret (f, "box.json",
                "{\"client_id\":\"the-client\",\"client_secret\":\"the-secret-81\","
                "\"enterprise_id\":\"4711\"}");
  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  fixture_load (f, RULE ({"route": "upload_part", "nth": 3, "do": "reply", "status": 401}));
  environment = g_environ_setenv (environment, "G_MESSAGES_DEBUG", "all", TRUE);
  environment = g_environ_setenv (environment, "GNUTLS_DEBUG_LEVEL", "9", TRUE);
  answer = fixture_run_env (
      f, environment,
      (const char *const[]){ "put", "a", "--json", "--auth-config", "box.json", "--endpoint",
                             box_emulator_get_endpoint (f->emulator, TRUE), "--api-endpoint",
                             box_emulator_get_api_endpoint (f->emulator, TRUE), "--ca-file",
                             box_emulator_get_ca_file (f->emulator), NULL });
  g_assert_cmpint (answer.code, ==, 0);
  for (guint i = 0; i < 2; i++)
    {
      const char *text = i == 0 ? answer.out : answer.err;
      g_autoptr (GPtrArray) requests = box_emulator_get_requests (f->emulator, "upload_part");
      const BoxEmulatorRequest *request = g_ptr_array_index (requests, 0);

      g_assert_null (strstr (text, "the-secret-81"));
      g_assert_nonnull (request->token);
      g_assert_null (strstr (text, request->token));
    }
}

static void
test_no_secret_is_in_the_process_list (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL, *command_line = NULL;
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;
  gsize length;

  fixture_write_file (f, "a", 1000, 1);
  fixture_load (f, RULE ({"route": "upload_file", "do": "hold", "name": "gate"}));
  process = START (f, "put", "a");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  path = g_build_filename ("/proc", g_subprocess_get_identifier (process), "cmdline", NULL);
  g_assert_true (g_file_get_contents (path, &command_line, &length, NULL));
  g_assert_cmpuint (length, >, 10);
  g_assert_null (memmem (command_line, length, TOKEN, strlen (TOKEN)));
  box_emulator_release (f->emulator, "gate");
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/credentials/whoami-says-who-and-how", test_whoami_says_who_and_how);
  ADD_TEST ("/cli/credentials/refused-token-has-its-exit-code",
            test_a_refused_token_has_its_exit_code_and_a_way_out);
  ADD_TEST ("/cli/credentials/none-are-told-from-bad-ones",
            test_no_credentials_are_told_from_bad_ones);
  ADD_TEST ("/cli/credentials/token-file-goes-before-the-environment",
            test_a_token_file_goes_before_the_environment);
  ADD_TEST ("/cli/credentials/client-credentials-are-exchanged-for-a-token",
            test_client_credentials_are_exchanged_for_a_token);
  ADD_TEST ("/cli/credentials/bad-configuration-is-named-but-not-shown",
            test_a_bad_configuration_is_named_but_not_shown);
  ADD_TEST ("/cli/credentials/missing-and-unreadable-files-have-the-exit-code-of-credentials",
            test_missing_and_unreadable_files_have_the_exit_code_of_credentials);
  ADD_TEST ("/cli/credentials/exposed-file-is-complained-of-once",
            test_exposed_file_is_complained_of_once);
  ADD_TEST ("/cli/credentials/as-user-goes-with-every-request",
            test_as_user_goes_with_every_request);
  ADD_TEST ("/cli/token/goes-to-a-file-of-its-owner",
            test_a_narrow_token_goes_to_a_file_of_its_owner);
  ADD_TEST ("/cli/credentials/token-in-unknown-option-is-not-repeated",
            test_a_token_in_an_unknown_option_is_not_repeated);
  ADD_TEST ("/cli/token/takes-the-place-of-a-link", test_a_narrow_token_takes_the_place_of_a_link);
  ADD_TEST ("/cli/token/is-alone-on-stdout", test_a_narrow_token_is_alone_on_stdout);
  ADD_TEST ("/cli/tls/trusted-by-ca-file-only", test_tls_is_trusted_by_ca_file_only);
  ADD_TEST ("/cli/secrets/not-shown-however-much-is-logged",
            test_no_secret_is_shown_however_much_is_logged);
  ADD_TEST ("/cli/secrets/not-in-the-process-list", test_no_secret_is_in_the_process_list);
  return g_test_run ();
}

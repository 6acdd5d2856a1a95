/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refresh tokens: one use each, kept in a file that others may share. */
#include "auth/provider.h"
#include "grants-fixture.h"
#include "kit/places.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static BoxAuthConfig *
read_config (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  BoxAuthConfig *config =
      box_auth_config_load ("auth-config", f->path, BOX_AUTH_CONFIG_BEGIN, &error);

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
test_refresh_token_is_replaced_in_the_file (Fixture *f, gconstpointer data)
{
  grants_start_plain (f, REFRESH);
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_field (f, 1, "grant_type", "refresh_token");
  grants_assert_field (f, 1, "refresh_token", "refresh-0");
  grants_assert_field (f, 1, "client_secret", "s3cret");
  assert_stored (f, "refresh-1");
  grants_assert_token (f->credentials, "access-1", "access-2");
  grants_assert_field (f, 2, "refresh_token", "refresh-1");
  assert_stored (f, "refresh-2");
}

static void
test_file_keeps_its_mode_and_stays_a_link (Fixture *f, gconstpointer data)
{
  g_autofree char *real = g_build_filename (f->dir, "real.json", NULL);
  struct stat st;

  f->server = token_server_new (&(TokenAnswer){ 0 }, 1);
  grants_write_config (f, REFRESH);
  g_assert_cmpint (g_rename (f->path, real), ==, 0);
  g_assert_cmpint (g_chmod (real, 0640), ==, 0);
  g_assert_cmpint (symlink ("real.json", f->path), ==, 0);
  f->credentials = grants_open (f);

  grants_assert_token (f->credentials, NULL, "access-1");
  assert_stored (f, "refresh-1");
  g_assert_cmpint (lstat (f->path, &st), ==, 0);
  g_assert_true (S_ISLNK (st.st_mode));
  g_assert_cmpint (stat (f->path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0640);
  g_unlink (real);
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

  grants_start_plain (f, json);
  grants_assert_token (f->credentials, NULL, "stored");
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

  grants_start_plain (f, json);
  grants_assert_token (f->credentials, NULL, "access-1");
}

static void
test_good_token_outlives_a_failed_renewal (Fixture *f, gconstpointer data)
{
  g_autofree char *json = with_access_token (1000);
  TokenAnswer answer = { .status = 500 };
  g_autoptr (GError) error = NULL;
  char *token;

  grants_start (f, json, &answer, 1);
  grants_assert_token (f->credentials, NULL, "stored");
  token = box_credentials_get_token (f->credentials, NULL, 1500, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (token, ==, "stored");
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
  box_credentials_free_token (token);
}

static void
test_processes_that_share_a_file_share_its_token (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) other = NULL;
  g_autoptr (BoxTransportConfig) another = box_transport_config_new (NULL, NULL, 11, NULL);

  grants_start_plain (f, REFRESH);
  /* Within one process it would be one and the same. */
  other = grants_open_with (f, another);
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_token (other, NULL, "access-1");
  /* Both see it refused; the one that is later takes what the other got. */
  grants_assert_token (other, "access-1", "access-2");
  grants_assert_token (f->credentials, "access-1", "access-2");
  g_assert_cmpuint (token_server_count (f->server), ==, 2);
  assert_stored (f, "refresh-2");
}

static void
test_locked_file_is_waited_for (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Caller caller = { .cancellable = cancellable };
  GThread *thread;
  int fd;

  grants_start_plain (f, REFRESH);
  fd = g_open (f->path, O_RDWR, 0);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  caller.credentials = f->credentials;
  thread = g_thread_new ("caller", grants_call, &caller);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_error (caller.error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_clear_error (&caller.error);
  g_assert_cmpuint (token_server_count (f->server), ==, 0);

  close (fd);
  grants_assert_token (f->credentials, NULL, "access-1");
}

static void
test_cancelling_a_caller_does_not_lose_the_refresh_token (Fixture *f, gconstpointer data)
{
  TokenAnswer answer = { .hold = TRUE };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Caller caller = { .cancellable = cancellable };
  GThread *thread;

  grants_start (f, REFRESH, &answer, 1);
  caller.credentials = f->credentials;
  thread = g_thread_new ("caller", grants_call, &caller);
  token_server_wait (f->server, 1);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_error (caller.error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_clear_error (&caller.error);

  token_server_release (f->server);
  grants_assert_token (f->credentials, NULL, "access-1");
  assert_stored (f, "refresh-1");
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
}

static void
test_renewal_that_nobody_wants_any_more_is_finished (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = { { .hold = TRUE }, { 0 } };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Caller caller = { .cancellable = cancellable };
  GThread *thread;

  grants_start (f, REFRESH, answers, 2);
  caller.credentials = f->credentials;
  thread = g_thread_new ("caller", grants_call, &caller);
  token_server_wait (f->server, 1);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_clear_error (&caller.error);
  g_clear_pointer (&f->credentials, box_credentials_free);

  /* The file is locked until it is; then its token is as good as a new one. */
  token_server_release (f->server);
  f->credentials = grants_open (f);
  grants_assert_token (f->credentials, NULL, "access-1");
  assert_stored (f, "refresh-1");
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

  grants_start (f, REFRESH, &answer, 1);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, "log in to Box once more"));
  content = kit_read_text (f->path);
  g_assert_cmpstr (content, ==, REFRESH);
}

static const char *const odd_bodies[] = {
  "{\"access_token\":\"good\",\"refresh_token\":\"refresh-1\",\"expires_in\":\"3600\"}",
  "{\"access_token\":\"good\",\"refresh_token\":\"refresh-1\",\"token_type\":[]}",
};

static void
test_odd_member_costs_neither_token (Fixture *f, gconstpointer body)
{
  TokenAnswer answers[] = { { .body = body }, { 0 } };

  grants_start (f, REFRESH, answers, 2);
  grants_assert_token (f->credentials, NULL, "good");
  assert_stored (f, "refresh-1");
  grants_assert_token (f->credentials, "good", "access-2");
  grants_assert_field (f, 2, "refresh_token", "refresh-1");
}

static const char *const useless_bodies[] = {
  "{\"access_token\":\"a b\",\"refresh_token\":\"refresh-1\"}",
  "{\"refresh_token\":\"refresh-1\"}",
  "{\"refresh_token\":\"refresh-1\",\"access_token\":\"\\ud800\"}",
  "{\"refresh_token\":\"refresh-1\",\"access_to",
};

/* The one that was sent is used up. */
static void
test_refresh_token_is_kept_though_the_access_token_is_none (Fixture *f, gconstpointer body)
{
  TokenAnswer answers[] = { { .body = body }, { 0 } };
  g_autoptr (GError) error = NULL;

  grants_start (f, REFRESH, answers, 2);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  assert_stored (f, "refresh-1");
  grants_assert_token (f->credentials, NULL, "access-2");
  grants_assert_field (f, 2, "refresh_token", "refresh-1");
}

static void
test_refusal_after_somebody_else_changed_the_file_is_passing (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = {
    { .status = 400, .hold = TRUE, .body = "{\"error\":\"invalid_grant\"}" },
    { 0 },
  };
  Caller caller = { 0 };
  GThread *thread;

  grants_start (f, REFRESH, answers, 2);
  caller.credentials = f->credentials;
  thread = g_thread_new ("caller", grants_call, &caller);
  token_server_wait (f->server, 1);
  grants_write_config (f, "{\"client_id\":\"id\",\"client_secret\":\"s3cret\","
                          "\"refresh_token\":\"refresh-of-another\"}");
  token_server_release (f->server);
  g_thread_join (thread);
  g_assert_error (caller.error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_clear_error (&caller.error);
  grants_assert_token (f->credentials, NULL, "access-2");
  grants_assert_field (f, 2, "refresh_token", "refresh-of-another");
}

/* The answer of a slow endpoint holds the only refresh token that is left. */
static void
test_renewal_that_takes_too_long_is_not_cut_short (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = { { .hold = TRUE }, { 0 } };
  g_autoptr (BoxTokenCache) cache = NULL;
  g_autoptr (GError) error = NULL;
  BoxCredentialsSettings settings = { .auth_config = f->path };

  grants_start (f, REFRESH, answers, 2);
  settings.token_url = token_server_get_url (f->server);
  /* The one that the credentials have. */
  cache = box_token_cache_get (box_token_source_new (&settings, f->transport_config));
  box_token_cache_set_limit (cache, 1000);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_TRANSIENT);
  g_assert_nonnull (strstr (error->message, "has not answered within"));

  token_server_wait (f->server, 1);
  box_token_cache_set_limit (cache, 60 * G_USEC_PER_SEC);
  token_server_release (f->server);
  grants_assert_token (f->credentials, NULL, "access-1");
  assert_stored (f, "refresh-1");
  g_assert_cmpuint (token_server_count (f->server), ==, 1);
}

/* No file of this process may become longer; 0: as before. */
static void
limit_files (rlim_t bytes)
{
  static struct rlimit before;
  struct rlimit limit;

  if (before.rlim_max == 0)
    {
      signal (SIGXFSZ, SIG_IGN);
      g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
    }
  limit = before;
  if (bytes > 0)
    limit.rlim_cur = bytes;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
test_new_refresh_token_that_cannot_be_written_is_not_lost (Fixture *f, gconstpointer data)
{
  TokenAnswer answers[] = { { .hold = TRUE }, { 0 } };
  Caller caller = { 0 };
  GThread *thread;

  grants_start (f, REFRESH, answers, 2);
  caller.credentials = f->credentials;
  thread = g_thread_new ("caller", grants_call, &caller);
  token_server_wait (f->server, 1);
  limit_files (10);
  g_test_expect_message ("boxupload", G_LOG_LEVEL_MESSAGE, "*in this process alone*");
  token_server_release (f->server);
  g_thread_join (thread);
  limit_files (0);
  g_test_assert_expected_messages ();
  g_assert_no_error (caller.error);
  g_assert_cmpstr (caller.token, ==, "access-1");
  box_credentials_free_token (caller.token);
  assert_stored (f, "refresh-0");

  grants_assert_token (f->credentials, "access-1", "access-2");
  grants_assert_field (f, 2, "refresh_token", "refresh-1");
  assert_stored (f, "refresh-2");
}

/* The state that the next process finds: see auth/config-file.c. */
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

  grants_start_plain (f, REFRESH);
  g_assert_true (g_file_set_contents (
      left, "{\"client_id\":\"id\",\"client_secret\":\"s3cret\",\"refresh_token\":\"left-over\"}",
      -1, NULL));
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_field (f, 1, "refresh_token", "left-over");
  assert_stored (f, "refresh-1");
}

static void
test_half_a_replacement_and_strays_are_removed (Fixture *f, gconstpointer data)
{
  g_autofree char *half = replacement_path (f, "refresh-0");
  g_autofree char *stray = replacement_path (f, "somebody-elses");

  grants_start_plain (f, REFRESH);
  g_assert_true (g_file_set_contents (half, "{\"client_id\":\"id\",\"refresh_to", -1, NULL));
  g_assert_true (g_file_set_contents (stray, REFRESH, -1, NULL));
  grants_assert_token (f->credentials, NULL, "access-1");
  grants_assert_field (f, 1, "refresh_token", "refresh-0");
  assert_stored (f, "refresh-1");
}

static void
test_directory_that_cannot_be_written_is_found_before_anything_is_used_up (Fixture *f,
                                                                           gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *blocked = replacement_path (f, "refresh-0");
  g_autofree char *inner = g_build_filename (blocked, "x", NULL);

  grants_start_plain (f, REFRESH);
  /* As good as a directory without permission, and works for root too. */
  g_assert_cmpint (g_mkdir_with_parents (inner, 0700), ==, 0);
  error = grants_assert_no_token (f->credentials, BOX_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_cmpuint (token_server_count (f->server), ==, 0);
  g_rmdir (inner);
  g_rmdir (blocked);
}

static void
add (const char *name, gconstpointer data, void (*function) (Fixture *f, gconstpointer data))
{
  g_autofree char *path = g_strconcat ("/", name, NULL);

  g_test_add (path, Fixture, data, grants_set_up, function, grants_tear_down);
}

#define ADD(path, function) ADD_DATA (path, NULL, function)
#define ADD_DATA(path, data, function)                                                             \
  g_test_add ("/" path, Fixture, data, grants_set_up, function, grants_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
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
  ADD ("refresh/renewal-that-nobody-wants-any-more-is-finished",
       test_renewal_that_nobody_wants_any_more_is_finished);
  ADD ("refresh/refused-one-leaves-the-file-alone", test_refused_refresh_leaves_the_file_alone);
  for (guint i = 0; i < G_N_ELEMENTS (odd_bodies); i++)
    {
      g_autofree char *path = g_strdup_printf ("refresh/odd-member-costs-neither-token/%u", i);

      add (path, odd_bodies[i], test_odd_member_costs_neither_token);
    }
  for (guint i = 0; i < G_N_ELEMENTS (useless_bodies); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("refresh/token-is-kept-though-the-access-token-is-none/%u", i);

      add (path, useless_bodies[i], test_refresh_token_is_kept_though_the_access_token_is_none);
    }
  ADD ("refresh/refusal-after-somebody-else-changed-the-file-is-passing",
       test_refusal_after_somebody_else_changed_the_file_is_passing);
  ADD ("refresh/renewal-that-takes-too-long-is-not-cut-short",
       test_renewal_that_takes_too_long_is_not_cut_short);
  ADD ("refresh/new-token-that-cannot-be-written-is-not-lost",
       test_new_refresh_token_that_cannot_be_written_is_not_lost);
  ADD ("refresh/replacement-that-a-dead-process-left-is-taken",
       test_replacement_that_a_dead_process_left_is_taken);
  ADD ("refresh/half-a-replacement-and-strays-are-removed",
       test_half_a_replacement_and_strays_are_removed);
  ADD ("refresh/directory-that-cannot-be-written-is-found-before-anything-is-used-up",
       test_directory_that_cannot_be_written_is_found_before_anything_is_used_up);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BoxCredentials without a token endpoint: tokens given, in files, in the environment, and from the
 * application. */
#include "auth/credentials.h"
#include "base/error.h"
#include "kit/places.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  char *path; /* of a token file */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = kit_new_directory ();
  f->path = g_build_filename (f->dir, "token", NULL);
  kit_clear_environment ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unlink (f->path);
  kit_remove_empty_directory (f->dir);
  g_free (f->path);
}

/* As a careful supplier does: a new file in the old one's place. */
static void
write_token (Fixture *f, const char *content)
{
  g_assert_true (g_file_set_contents (f->path, content, -1, NULL));
  g_assert_cmpint (g_chmod (f->path, 0600), ==, 0);
}

static BoxCredentials *
new_credentials (const char *access_token, const char *token_file, GError **error)
{
  BoxCredentialsSettings settings = {
    .access_token = access_token,
    .token_file = token_file,
    .token_url = "http://127.0.0.1/oauth2/token",
    .use_environment = TRUE,
  };

  return box_credentials_new (&settings, NULL, error);
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

/* The message that came; free with g_free(). */
static char *
assert_no_token (BoxCredentials *credentials, const char *refused, BoxErrorCode code)
{
  g_autoptr (GError) error = NULL;
  char *token = box_credentials_get_token (credentials, refused, 0, NULL, &error);

  g_assert_null (token);
  g_assert_error (error, BOX_ERROR, (gint) code);
  return g_strdup (error->message);
}

static void
test_given_token_is_used_as_it_is (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxCredentials) credentials = new_credentials (" given \n", f->path, &error);

  g_assert_no_error (error);
  assert_token (credentials, NULL, "given");
}

static void
test_given_token_that_was_refused_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = new_credentials ("given", NULL, NULL);
  g_autofree char *first = assert_no_token (credentials, "given", BOX_ERROR_CREDENTIALS);
  g_autofree char *second = assert_no_token (credentials, NULL, BOX_ERROR_CREDENTIALS);

  g_assert_null (strstr (first, "given"));
  g_assert_cmpstr (first, ==, second);
}

static void
test_new_token_takes_effect_with_the_next_request (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = new_credentials ("first", NULL, NULL);
  g_autofree char *message = assert_no_token (credentials, "first", BOX_ERROR_CREDENTIALS);

  box_credentials_set_access_token (credentials, "second");
  assert_token (credentials, NULL, "second");
  assert_token (credentials, "first", "second");
}

static void
test_token_taken_away_uncovers_the_file (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = NULL;

  write_token (f, "from-file\n");
  credentials = new_credentials ("given", f->path, NULL);
  assert_token (credentials, NULL, "given");
  box_credentials_set_access_token (credentials, NULL);
  assert_token (credentials, NULL, "from-file");
}

static void
test_token_file_gives_its_first_line (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = NULL;

  write_token (f, "\t from-file \r\n# a remark\n");
  credentials = new_credentials (NULL, f->path, NULL);
  assert_token (credentials, NULL, "from-file");
}

/* As Windows' editors write it. */
static void
test_byte_order_mark_is_no_part_of_a_token (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) from_file = NULL;
  g_autoptr (BoxCredentials) from_environment = NULL;
  g_autoptr (BoxCredentials) given = new_credentials ("\357\273\277given", NULL, NULL);

  write_token (f, "\357\273\277from-file\r\n");
  from_file = new_credentials (NULL, f->path, NULL);
  assert_token (from_file, NULL, "from-file");
  g_setenv ("BOX_ACCESS_TOKEN", "\357\273\277from-environment\r", TRUE);
  from_environment = new_credentials (NULL, NULL, NULL);
  assert_token (from_environment, NULL, "from-environment");
  assert_token (given, NULL, "given");
}

static void
test_token_file_is_read_again_after_a_refusal (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = NULL;

  write_token (f, "first");
  credentials = new_credentials (NULL, f->path, NULL);
  write_token (f, "second");
  assert_token (credentials, "first", "second");
}

static void
test_token_file_is_read_again_when_it_has_changed (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = NULL;

  write_token (f, "first");
  credentials = new_credentials (NULL, f->path, NULL);
  assert_token (credentials, NULL, "first");
  write_token (f, "second");
  assert_token (credentials, NULL, "second");
}

static void
test_token_file_with_the_refused_token_is_an_error_that_names_it (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = NULL;
  g_autofree char *message = NULL;

  write_token (f, "t0ken-in-file");
  credentials = new_credentials (NULL, f->path, NULL);
  message = assert_no_token (credentials, "t0ken-in-file", BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (message, f->path));
  g_assert_null (strstr (message, "t0ken-in-file"));

  /* Mended: no pause stands in the way. */
  write_token (f, "another");
  assert_token (credentials, NULL, "another");
}

static void
test_token_file_gone_for_the_moment_is_transient (Fixture *f, gconstpointer content)
{
  g_autoptr (BoxCredentials) credentials = NULL;
  g_autofree char *message = NULL;

  write_token (f, "first");
  credentials = new_credentials (NULL, f->path, NULL);
  if (content == NULL)
    g_unlink (f->path);
  else
    write_token (f, content);
  assert_token (credentials, NULL, "first");
  message = assert_no_token (credentials, "first", BOX_ERROR_TRANSIENT);
  write_token (f, "second");
  assert_token (credentials, NULL, "second");
}

typedef struct
{
  const char *content;
  BoxErrorCode code;
} BadFile;

static const BadFile bad_files[] = {
  { "", BOX_ERROR_CREDENTIALS },
  { "\nsecond-line", BOX_ERROR_CREDENTIALS },
  { "Bearer s3cret", BOX_ERROR_CREDENTIALS },
  { "s3cret\001", BOX_ERROR_CREDENTIALS },
  { "s3cret\303\244", BOX_ERROR_CREDENTIALS },
  { NULL, BOX_ERROR_CREDENTIALS },
};

static void
test_bad_token_file_is_named_and_not_shown (Fixture *f, gconstpointer data)
{
  const BadFile *bad = data;
  g_autoptr (GError) error = NULL;

  if (bad->content != NULL)
    write_token (f, bad->content);
  g_assert_null (new_credentials (NULL, f->path, &error));
  g_assert_error (error, BOX_ERROR, (gint) bad->code);
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_nonnull (strstr (error->message, "token-file"));
  g_assert_null (strstr (error->message, "s3cret"));
}

static void
test_huge_token_file_is_refused_unread (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  write_token (f, "");
  g_assert_cmpint (truncate (f->path, 100000000), ==, 0);
  g_assert_null (new_credentials (NULL, f->path, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "100000000"));
}

static void
test_directory_as_token_file_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (new_credentials (NULL, f->dir, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
}

static void
test_environment_comes_last_and_in_order (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) by_token = NULL;
  g_autoptr (BoxCredentials) by_file = NULL;
  g_autoptr (BoxCredentials) by_setting = NULL;

  write_token (f, "from-file");
  g_setenv ("BOX_ACCESS_TOKEN", "from-environment", TRUE);
  by_setting = new_credentials (NULL, f->path, NULL);
  assert_token (by_setting, NULL, "from-file");

  g_setenv ("BOX_TOKEN_FILE", f->path, TRUE);
  by_token = new_credentials (NULL, "", NULL);
  assert_token (by_token, NULL, "from-environment");

  g_unsetenv ("BOX_ACCESS_TOKEN");
  by_file = new_credentials (NULL, NULL, NULL);
  assert_token (by_file, NULL, "from-file");
}

static void
test_no_credentials_is_an_error_that_says_what_to_set (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = new_credentials (NULL, NULL, NULL);
  g_autofree char *message = assert_no_token (credentials, NULL, BOX_ERROR_CREDENTIALS);

  g_assert_nonnull (strstr (message, "token-file"));
  g_assert_nonnull (strstr (message, "BOX_AUTH_CONFIG"));
}

/* An application: answers when it is let, counts how often it was asked. */
typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean let;
  guint asked;
  guint destroyed;
  const char *answer;
} Application;

static char *
answer_request (gpointer user_data)
{
  Application *application = user_data;
  char *answer;

  g_mutex_lock (&application->lock);
  application->asked++;
  g_cond_broadcast (&application->cond);
  while (!application->let)
    g_cond_wait (&application->cond, &application->lock);
  answer = g_strdup (application->answer);
  g_mutex_unlock (&application->lock);
  return answer;
}

static void
application_destroyed (gpointer user_data)
{
  Application *application = user_data;

  g_mutex_lock (&application->lock);
  application->destroyed++;
  g_cond_broadcast (&application->cond);
  g_mutex_unlock (&application->lock);
}

static void
application_let (Application *application)
{
  g_mutex_lock (&application->lock);
  application->let = TRUE;
  g_cond_broadcast (&application->cond);
  g_mutex_unlock (&application->lock);
}

static void
application_wait (Application *application, const guint *counter)
{
  g_mutex_lock (&application->lock);
  while (*counter == 0)
    g_cond_wait (&application->cond, &application->lock);
  g_mutex_unlock (&application->lock);
}

static void
test_application_is_asked_where_all_else_is_refused (Fixture *f, gconstpointer data)
{
  Application application = { .let = TRUE, .answer = "answered" };
  g_autoptr (BoxCredentials) credentials = NULL;
  g_autofree char *message = NULL;

  write_token (f, "from-file");
  credentials = new_credentials (NULL, f->path, NULL);
  box_credentials_set_request (credentials, answer_request, &application, application_destroyed);
  assert_token (credentials, NULL, "from-file");
  g_assert_cmpuint (application.asked, ==, 0);
  assert_token (credentials, "from-file", "answered");
  assert_token (credentials, "from-file", "answered");
  g_assert_cmpuint (application.asked, ==, 1);

  /* It has no other: neither its answer nor the file's token, both refused, are tried again. */
  message = assert_no_token (credentials, "answered", BOX_ERROR_CREDENTIALS);
  g_assert_cmpuint (application.asked, ==, 2);
  box_credentials_set_request (credentials, NULL, NULL, NULL);
  application_wait (&application, &application.destroyed);
}

static void
test_application_without_an_answer_is_an_error (Fixture *f, gconstpointer data)
{
  Application application = { .let = TRUE };
  g_autoptr (BoxCredentials) credentials = new_credentials (NULL, NULL, NULL);
  g_autofree char *message = NULL;

  box_credentials_set_request (credentials, answer_request, &application, application_destroyed);
  message = assert_no_token (credentials, NULL, BOX_ERROR_CREDENTIALS);
  g_assert_cmpuint (application.asked, ==, 1);
}

static void
test_application_that_never_answers_is_given_up (Fixture *f, gconstpointer data)
{
  Application application = { .answer = "late" };
  g_autoptr (BoxCredentials) credentials = new_credentials ("given", NULL, NULL);
  g_autofree char *message = NULL;

  box_credentials_set_request_limit (credentials, 1000);
  box_credentials_set_request (credentials, answer_request, &application, application_destroyed);
  message = assert_no_token (credentials, "given", BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (message, "did not answer"));

  /* The credentials can go while the application still thinks. */
  g_clear_pointer (&credentials, box_credentials_free);
  g_assert_cmpuint (application.destroyed, ==, 0);
  application_let (&application);
  application_wait (&application, &application.destroyed);
}

static void
cancelled_while_the_application_thinks (Application *application, BoxCredentials *credentials,
                                        GCancellable *cancellable)
{
  application_wait (application, &application->asked);
  g_cancellable_cancel (cancellable);
}

typedef struct
{
  BoxCredentials *credentials;
  GCancellable *cancellable;
  const char *refused;
  char *token;
  GError *error;
} Caller;

static gpointer
call (gpointer user_data)
{
  Caller *caller = user_data;

  caller->token = box_credentials_get_token (caller->credentials, caller->refused, 0,
                                             caller->cancellable, &caller->error);
  return NULL;
}

static void
test_cancel_does_not_wait_for_the_application (Fixture *f, gconstpointer data)
{
  Application application = { .answer = "answered" };
  g_autoptr (BoxCredentials) credentials = new_credentials (NULL, NULL, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Caller caller = { .credentials = credentials, .cancellable = cancellable };
  GThread *thread;

  box_credentials_set_request (credentials, answer_request, &application, application_destroyed);
  thread = g_thread_new ("caller", call, &caller);
  cancelled_while_the_application_thinks (&application, credentials, cancellable);
  g_thread_join (thread);
  g_assert_error (caller.error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_clear_error (&caller.error);

  /* Another upload, which goes on, gets the answer. */
  application_let (&application);
  assert_token (credentials, NULL, "answered");
  g_assert_cmpuint (application.asked, ==, 1);
  g_clear_pointer (&credentials, box_credentials_free);
  application_wait (&application, &application.destroyed);
}

static void
test_many_threads_share_one_renewal (Fixture *f, gconstpointer data)
{
  Application application = { .answer = "answered" };
  g_autoptr (BoxCredentials) credentials = new_credentials ("given", NULL, NULL);
  Caller callers[16];
  GThread *threads[16];

  box_credentials_set_request (credentials, answer_request, &application, application_destroyed);
  for (guint i = 0; i < 16; i++)
    {
      callers[i] = (Caller){ .credentials = credentials, .refused = "given" };
      threads[i] = g_thread_new ("caller", call, &callers[i]);
    }
  application_wait (&application, &application.asked);
  application_let (&application);
  for (guint i = 0; i < 16; i++)
    {
      g_thread_join (threads[i]);
      g_assert_no_error (callers[i].error);
      g_assert_cmpstr (callers[i].token, ==, "answered");
      box_credentials_free_token (callers[i].token);
    }
  g_assert_cmpuint (application.asked, ==, 1);
  g_clear_pointer (&credentials, box_credentials_free);
  application_wait (&application, &application.destroyed);
}

static void
test_token_given_meanwhile_ends_the_wait (Fixture *f, gconstpointer data)
{
  Application application = { .answer = "answered" };
  g_autoptr (BoxCredentials) credentials = new_credentials ("given", NULL, NULL);
  Caller caller = { .credentials = credentials, .refused = "given" };
  GThread *thread;

  box_credentials_set_request (credentials, answer_request, &application, application_destroyed);
  thread = g_thread_new ("caller", call, &caller);
  application_wait (&application, &application.asked);
  box_credentials_set_access_token (credentials, "newer");
  g_thread_join (thread);
  g_assert_cmpstr (caller.token, ==, "newer");
  box_credentials_free_token (caller.token);

  application_let (&application);
  g_clear_pointer (&credentials, box_credentials_free);
  application_wait (&application, &application.destroyed);
}

static void
test_description_warns_of_a_file_that_all_can_read (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = NULL;
  g_autoptr (BoxCredentialsInfo) good = NULL;
  g_autoptr (BoxCredentialsInfo) bad = NULL;

  write_token (f, "from-file");
  credentials = new_credentials (NULL, f->path, NULL);
  good = box_credentials_describe (credentials);
  g_assert_cmpstr (good->grant, ==, "token-file");
  g_assert_cmpstr (good->path, ==, f->path);
  g_assert_null (good->warning);

  g_chmod (f->path, 0644);
  bad = box_credentials_describe (credentials);
  g_assert_nonnull (strstr (bad->warning, f->path));
}

static void
count_warning (const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
  guint *count = data;

  g_assert_nonnull (strstr (text, "chmod 600"));
  (*count)++;
}

/* No more than that: it is the owner's to decide. The next user of the file says nothing. */
static void
test_file_that_all_can_read_is_warned_of (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxCredentials) credentials = NULL;
  g_autoptr (BoxCredentials) second = NULL;
  guint count = 0;
  guint handler = g_log_set_handler ("boxupload", G_LOG_LEVEL_MESSAGE, count_warning, &count);

  write_token (f, "from-file");
  g_chmod (f->path, 0644);
  credentials = new_credentials (NULL, f->path, NULL);
  second = new_credentials (NULL, f->path, NULL);
  g_log_remove_handler ("boxupload", handler);
  g_assert_cmpuint (count, ==, 1);
  assert_token (credentials, NULL, "from-file");
}

#define ADD(path, function) ADD_DATA (path, NULL, function)
#define ADD_DATA(path, data, function)                                                             \
  g_test_add ("/credentials/" path, Fixture, data, set_up, function, tear_down)

static void
add_file_tests (void)
{
  ADD ("token-file-gives-its-first-line", test_token_file_gives_its_first_line);
  ADD ("byte-order-mark-is-no-part-of-a-token", test_byte_order_mark_is_no_part_of_a_token);
  ADD ("token-file-is-read-again-after-a-refusal", test_token_file_is_read_again_after_a_refusal);
  ADD ("token-file-is-read-again-when-it-has-changed",
       test_token_file_is_read_again_when_it_has_changed);
  ADD ("token-file-with-the-refused-token-is-an-error-that-names-it",
       test_token_file_with_the_refused_token_is_an_error_that_names_it);
  ADD_DATA ("token-file-gone-for-the-moment-is-transient", NULL,
            test_token_file_gone_for_the_moment_is_transient);
  ADD_DATA ("token-file-empty-for-the-moment-is-transient", "",
            test_token_file_gone_for_the_moment_is_transient);
  for (guint i = 0; i < G_N_ELEMENTS (bad_files); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/credentials/bad-token-file-is-named-and-not-shown/%u", i);

      g_test_add (path, Fixture, &bad_files[i], set_up, test_bad_token_file_is_named_and_not_shown,
                  tear_down);
    }
  ADD ("huge-token-file-is-refused-unread", test_huge_token_file_is_refused_unread);
  ADD ("directory-as-token-file-is-refused", test_directory_as_token_file_is_refused);
  ADD ("file-that-all-can-read-is-warned-of", test_file_that_all_can_read_is_warned_of);
  ADD ("description-warns-of-a-file-that-all-can-read",
       test_description_warns_of_a_file_that_all_can_read);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("given-token-is-used-as-it-is", test_given_token_is_used_as_it_is);
  ADD ("given-token-that-was-refused-is-an-error", test_given_token_that_was_refused_is_an_error);
  ADD ("new-token-takes-effect-with-the-next-request",
       test_new_token_takes_effect_with_the_next_request);
  ADD ("token-taken-away-uncovers-the-file", test_token_taken_away_uncovers_the_file);
  add_file_tests ();
  ADD ("environment-comes-last-and-in-order", test_environment_comes_last_and_in_order);
  ADD ("no-credentials-is-an-error-that-says-what-to-set",
       test_no_credentials_is_an_error_that_says_what_to_set);
  ADD ("application-is-asked-where-all-else-is-refused",
       test_application_is_asked_where_all_else_is_refused);
  ADD ("application-without-an-answer-is-an-error", test_application_without_an_answer_is_an_error);
  ADD ("application-that-never-answers-is-given-up",
       test_application_that_never_answers_is_given_up);
  ADD ("cancel-does-not-wait-for-the-application", test_cancel_does_not_wait_for_the_application);
  ADD ("many-threads-share-one-renewal", test_many_threads_share_one_renewal);
  ADD ("token-given-meanwhile-ends-the-wait", test_token_given_meanwhile_ends_the_wait);
  return g_test_run ();
}

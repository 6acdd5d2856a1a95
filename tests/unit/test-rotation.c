/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Refresh tokens across processes that are killed or take turns. The endpoint gives "refresh-N" to
 * its Nth request, so the file tells which request it knows of. BOXUPLOAD_TEST_KILLS: how often a
 * process is killed (20).
 */
#include "auth/config.h"
#include "kit/places.h"
#include "token-server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONFIG "{\"client_id\":\"id\",\"client_secret\":\"s3cret\",\"refresh_token\":\"refresh-0\"}"

static const char *rotator;

typedef struct
{
  char *dir;
  char *path;
  TokenServer *server;
} Fixture;

static void
set_up (Fixture *f, gconstpointer answer)
{
  static const TokenAnswer plain;

  f->dir = kit_new_directory ();
  f->path = g_build_filename (f->dir, "box.json", NULL);
  f->server = token_server_new (answer != NULL ? answer : &plain, 1);
  kit_write_text (f->path, CONFIG);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  token_server_free (f->server);
  kit_remove_directory (f->dir);
  g_free (f->path);
}

static GPid
start_rotator (Fixture *f, const char *what, gint *in)
{
  g_autoptr (GError) error = NULL;
  const char *argv[] = { rotator, f->path, token_server_get_url (f->server), what, NULL };
  GPid pid;

  g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                            in, NULL, NULL, &error);
  g_assert_no_error (error);
  return pid;
}

static int
reap (GPid pid)
{
  int status;

  while (waitpid (pid, &status, 0) < 0)
    g_assert_cmpint (errno, ==, EINTR);
  return status;
}

static guint
number_of (const char *refresh_token)
{
  g_assert_nonnull (refresh_token);
  g_assert_true (g_str_has_prefix (refresh_token, "refresh-"));
  return (guint) g_ascii_strtoull (refresh_token + strlen ("refresh-"), NULL, 10);
}

/* The number of the refresh token in a file that must be whole. */
static guint
read_number (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxAuthConfig) config =
      box_auth_config_load ("auth-config", path, BOX_AUTH_CONFIG_BEGIN, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (config->client_secret, ==, "s3cret");
  return number_of (config->refresh_token);
}

static guint
get_number_used (Fixture *f, guint request)
{
  g_autofree char *token = token_server_get_field (f->server, request, "refresh_token");

  return number_of (token);
}

static void
test_killed_at_any_moment_the_file_has_the_newest_token_or_the_one_before (Fixture *f,
                                                                           gconstpointer data)
{
  guint kills = kit_get_kills (20);

  for (guint i = 0; i < kills; i++)
    {
      guint before = token_server_count (f->server), kept = read_number (f->path);
      GPid pid = start_rotator (f, "0", NULL);
      guint known, newest, used;

      token_server_wait (f->server, before + 1 + (guint) g_test_rand_int_range (0, 4));
      /* A rotation takes a few milliseconds: anywhere in it. */
      g_usleep ((gulong) g_test_rand_int_range (0, 5000));
      kill (pid, SIGKILL);
      reap (pid);

      known = read_number (f->path);
      newest = token_server_count (f->server);
      g_assert_true (known == newest || known == get_number_used (f, newest));
      /* It had gone on from what its predecessor left: the file, or a replacement as good as in
       * place. */
      used = get_number_used (f, before + 1);
      g_assert_true (used == kept || used == before);
    }
}

static void
test_processes_never_use_the_same_refresh_token (Fixture *f, gconstpointer data)
{
  g_autoptr (GHashTable) used = g_hash_table_new (NULL, NULL);
  GPid pids[3];

  for (guint i = 0; i < G_N_ELEMENTS (pids); i++)
    pids[i] = start_rotator (f, "40", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pids); i++)
    g_assert_cmpint (reap (pids[i]), ==, 0);

  for (guint i = 1; i <= token_server_count (f->server); i++)
    g_assert_true (g_hash_table_add (used, GUINT_TO_POINTER (get_number_used (f, i))));
  g_assert_cmpuint (read_number (f->path), ==, token_server_count (f->server));
}

static void
test_process_that_ends_waits_for_the_new_refresh_token (Fixture *f, gconstpointer data)
{
  gint in;
  GPid pid = start_rotator (f, "leave", &in);

  token_server_wait (f->server, 1);
  g_assert_cmpint (write (in, "\n", 1), ==, 1);
  close (in);
  token_server_release (f->server);
  g_assert_cmpint (reap (pid), ==, 0);
  g_assert_cmpuint (read_number (f->path), ==, 1);
}

int
main (int argc, char **argv)
{
  static const TokenAnswer held = { .hold = TRUE };

  g_test_init (&argc, &argv, NULL);
  rotator = g_getenv ("BOX_TEST_ROTATOR");
  g_assert_nonnull (rotator);
  g_test_add ("/rotation/killed-at-any-moment-the-file-has-the-newest-token-or-the-one-before",
              Fixture, NULL, set_up,
              test_killed_at_any_moment_the_file_has_the_newest_token_or_the_one_before, tear_down);
  g_test_add ("/rotation/processes-never-use-the-same-refresh-token", Fixture, NULL, set_up,
              test_processes_never_use_the_same_refresh_token, tear_down);
  g_test_add ("/rotation/process-that-ends-waits-for-the-new-refresh-token", Fixture, &held, set_up,
              test_process_that_ends_waits_for_the_new_refresh_token, tear_down);
  return g_test_run ();
}

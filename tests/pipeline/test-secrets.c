/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * No secret that was given by file or environment shows: gst-launch-1.0 runs with everything that
 * can be logged, and what it leaves is searched for it.
 */
#include "../element/sink-fixture.h"

#include "kit/emulator.h"
#include "kit/keys.h"
#include "kit/places.h"

#include <string.h>

#define SIZE 20500000

#define TOKEN          "S3CR3T-T0KEN-5e1f0c9b"
#define REFRESH_TOKEN  "first-refresh-t0ken-0123456789"
#define PROXY_USER     "recorder"
#define PROXY_PASSWORD "pr0xy-passw0rd-77c1"

typedef enum
{
  GIVEN_TOKEN,
  GIVEN_CLIENT_CREDENTIALS,
  GIVEN_KEY,
  GIVEN_REFRESH_TOKEN,
} Given;

/* The form of the secret, and the outcome of the upload. */
typedef struct
{
  const char *name;
  Given given;
  const char *property; /* that names the file with the secret, or NULL */
  const char *variable; /* of the environment, that does, or NULL */
  gboolean inline_;     /* the variable is the secret itself */
  gboolean proxy;       /* https_proxy is set, with a password */
  gboolean refused;     /* Box refuses the token; a recording is kept in the spool */
} Case;

static const Case cases[] = {
  { "token-in-the-environment", GIVEN_TOKEN, NULL, "BOX_ACCESS_TOKEN", TRUE, FALSE, FALSE },
  { "token-in-a-file", GIVEN_TOKEN, "token-file", NULL, FALSE, FALSE, FALSE },
  { "token-in-a-file-of-the-environment", GIVEN_TOKEN, NULL, "BOX_TOKEN_FILE", FALSE, FALSE,
    FALSE },
  { "client-secret", GIVEN_CLIENT_CREDENTIALS, "auth-config", NULL, FALSE, FALSE, FALSE },
  { "client-secret-of-the-environment", GIVEN_CLIENT_CREDENTIALS, NULL, "BOX_AUTH_CONFIG", FALSE,
    FALSE, FALSE },
  { "key-and-passphrase", GIVEN_KEY, "auth-config", NULL, FALSE, FALSE, FALSE },
  { "refresh-token", GIVEN_REFRESH_TOKEN, "auth-config", NULL, FALSE, FALSE, FALSE },
  { "password-of-the-proxy", GIVEN_TOKEN, "token-file", NULL, FALSE, TRUE, FALSE },
  { "token-that-is-refused", GIVEN_TOKEN, NULL, "BOX_ACCESS_TOKEN", TRUE, FALSE, TRUE },
  { "client-secret-whose-token-is-refused", GIVEN_CLIENT_CREDENTIALS, "auth-config", NULL, FALSE,
    FALSE, TRUE },
};

static TestKey *key;

/* --- The secrets ---------------------------------------------------------------------------- */

static char *
make_secret (const Case *c)
{
  switch (c->given)
    {
    case GIVEN_TOKEN:
      return g_strdup (TOKEN);
    case GIVEN_CLIENT_CREDENTIALS:
      return g_strdup ("{\"client_id\": \"client-1\", \"client_secret\": \"" TEST_CLIENT_SECRET
                       "\", \"enterprise_id\": \"4711\"}");
    case GIVEN_KEY:
      return test_app_config (key->pkcs8_encrypted, TEST_PASSPHRASE, NULL);
    case GIVEN_REFRESH_TOKEN:
      return g_strdup ("{\"client_id\": \"client-1\", \"client_secret\": \"" TEST_CLIENT_SECRET
                       "\", \"refresh_token\": \"" REFRESH_TOKEN "\"}");
    }
  g_assert_not_reached ();
}

static void
load_accounts (SinkFixture *fixture)
{
  g_autofree char *escaped = g_strescape (key->public_pem, NULL);
  g_autofree char *accounts = g_strdup_printf (
      "{\"clients\": [{\"client_id\": \"client-1\", \"client_secret\": \"" TEST_CLIENT_SECRET "\","
      " \"enterprise_id\": \"4711\", \"public_keys\": {\"key-1\": \"%s\"}}],"
      " \"tokens\": [{\"token\": \"" TOKEN "\"}],"
      " \"refresh_tokens\": [{\"token\": \"" REFRESH_TOKEN "\", \"client_id\": \"client-1\"}]}",
      escaped);

  kit_load_accounts (fixture->emulator, accounts);
}

/* Everything that must not show: what was given, and the tokens that came of it. */
static GPtrArray *
list_secrets (SinkFixture *fixture)
{
  GPtrArray *secrets = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (fixture->emulator, NULL);
  g_auto (GStrv) encrypted = g_strsplit (key->pkcs8_encrypted, "\n", -1);
  g_auto (GStrv) plain = g_strsplit (key->pkcs8, "\n", -1);
  const char *login = PROXY_USER ":" PROXY_PASSWORD;

  g_ptr_array_add (secrets, g_strdup (TOKEN));
  g_ptr_array_add (secrets, g_strdup (TEST_CLIENT_SECRET));
  g_ptr_array_add (secrets, g_strdup (TEST_PASSPHRASE));
  g_ptr_array_add (secrets, g_strdup (REFRESH_TOKEN));
  g_ptr_array_add (secrets, g_strdup (encrypted[1]));
  g_ptr_array_add (secrets, g_strdup (plain[1]));
  g_ptr_array_add (secrets, g_strdup (PROXY_PASSWORD));
  g_ptr_array_add (secrets, g_base64_encode ((const guchar *) login, strlen (login)));
  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = requests->pdata[i];

      if (request->token != NULL)
        g_ptr_array_add (secrets, g_strdup (request->token));
    }
  return secrets;
}

/* --- The search ----------------------------------------------------------------------------- */

static void
search_file (const char *path, GPtrArray *secrets)
{
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  for (guint i = 0; i < secrets->len; i++)
    {
      const char *secret = secrets->pdata[i];

      g_assert_cmpuint (strlen (secret), >, 8);
      if (memmem (text, length, secret, strlen (secret)) != NULL)
        g_error ("\"%s\" is in %s", secret, path);
    }
}

/* Returns the number of files in @path and below it; 0 if it does not exist. */
static guint
search_tree (const char *path, GPtrArray *secrets)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        n += search_tree (child, secrets);
      else
        {
          search_file (child, secrets);
          n++;
        }
    }
  return n;
}

/* --- gst-launch-1.0 ------------------------------------------------------------------------- */

/* Libraries that gst-launch-1.0 has to load before the plugin: the sanitizer of this build, and
 * what the build adds to it. NULL: none. */
static char *
find_sanitizer (void)
{
  const char *more = g_getenv ("BOXUPLOAD_TEST_PRELOAD");
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;

  maps = kit_read_text ("/proc/self/maps");
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *path = strchr (lines[i], '/');

      if (path != NULL
          && (strstr (path, "/libasan.so") != NULL || strstr (path, "/libtsan.so") != NULL))
        return g_strconcat (path, more != NULL ? ":" : NULL, more, NULL);
    }
  return NULL;
}

/* Environment of the program: everything that can be logged goes to files in @logs. */
static GSubprocessLauncher *
make_launcher (SinkFixture *fixture, const char *logs)
{
  GSubprocessLauncher *launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autofree char *output = g_build_filename (logs, "stdout", NULL);
  g_autofree char *debug = g_build_filename (logs, "debug", NULL);
  g_autofree char *errors = g_build_filename (logs, "stderr", NULL);
  g_autofree char *state = g_build_filename (fixture->dir, "state", NULL);
  g_autofree char *sanitizer = find_sanitizer ();

  g_subprocess_launcher_set_stdout_file_path (launcher, output);
  g_subprocess_launcher_set_stderr_file_path (launcher, errors);
  g_subprocess_launcher_setenv (launcher, "GST_DEBUG", "*:9", TRUE);
  g_subprocess_launcher_setenv (launcher, "GST_DEBUG_FILE", debug, TRUE);
  g_subprocess_launcher_setenv (launcher, "GST_DEBUG_DUMP_DOT_DIR", logs, TRUE);
  g_subprocess_launcher_setenv (launcher, "G_MESSAGES_DEBUG", "all", TRUE);
  g_subprocess_launcher_setenv (launcher, "GNUTLS_DEBUG_LEVEL", "4", TRUE);
  g_subprocess_launcher_setenv (launcher, "XDG_STATE_HOME", state, TRUE);
  if (sanitizer != NULL)
    g_subprocess_launcher_setenv (launcher, "LD_PRELOAD", sanitizer, TRUE);
  return launcher;
}

static void
set_proxy (SinkFixture *fixture, GSubprocessLauncher *launcher)
{
  const char *origin = box_emulator_get_origin (fixture->emulator, FALSE);
  g_autofree char *proxy =
      g_strdup_printf ("http://" PROXY_USER ":" PROXY_PASSWORD "@%s", origin + strlen ("http://"));

  g_subprocess_launcher_setenv (launcher, "https_proxy", proxy, TRUE);
  g_subprocess_launcher_unsetenv (launcher, "no_proxy");
  /* Debian 13's libproxy has debug messages of its own, with the password. */
  g_subprocess_launcher_setenv (
      launcher, "G_MESSAGES_DEBUG",
      "GLib GLib-GObject GLib-GIO GLib-Net GStreamer boxupload libsoup libsoup-http2", TRUE);
  /* The one that asks the environment. */
  g_subprocess_launcher_setenv (launcher, "GIO_USE_PROXY_RESOLVER", "libproxy", TRUE);
}

static char *
make_line (SinkFixture *fixture, const Case *c, const char *secret_file)
{
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autofree char *credentials =
      c->property != NULL ? g_strdup_printf ("%s=%s", c->property, secret_file) : g_strdup ("");

  return g_strdup_printf ("gst-launch-1.0 -v filesrc location=%s blocksize=1000000 ! boxuploadsink "
                          "location=box://0/a spool-dir=%s/spool %s "
                          "endpoint=%s api-endpoint=%s ca-file=%s",
                          path, fixture->dir, credentials,
                          box_emulator_get_endpoint (fixture->emulator, TRUE),
                          box_emulator_get_api_endpoint (fixture->emulator, TRUE),
                          box_emulator_get_ca_file (fixture->emulator));
}

/* Returns whether it succeeded. */
static gboolean
launch (SinkFixture *fixture, const Case *c, const char *logs)
{
  g_autoptr (GSubprocessLauncher) launcher = make_launcher (fixture, logs);
  g_autofree char *secret = make_secret (c);
  g_autofree char *secret_file = g_build_filename (fixture->dir, "secret", NULL);
  g_autofree char *line = make_line (fixture, c, secret_file);
  g_auto (GStrv) argv = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;

  kit_write_text (secret_file, secret);
  if (c->variable != NULL)
    g_subprocess_launcher_setenv (launcher, c->variable, c->inline_ ? secret : secret_file, TRUE);
  if (c->proxy)
    set_proxy (fixture, launcher);
  g_assert_true (g_shell_parse_argv (line, NULL, &argv, &error));
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) argv, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait (process, NULL, &error));
  return g_subprocess_get_successful (process);
}

/* --- The tests ------------------------------------------------------------------------------ */

static void
assert_file_contains (const char *dir, const char *name, const char *words)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_assert_nonnull (memmem (text, length, words, strlen (words)));
}

static void
assert_outcome (SinkFixture *fixture, const Case *c, const char *logs)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", "a");

  if (c->refused)
    {
      g_assert_null (file);
      assert_file_contains (logs, "stderr", "ERROR");
      return;
    }
  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, SIZE);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "token"), ==, c->given != GIVEN_TOKEN);
  if (c->proxy)
    g_assert_cmpuint (box_emulator_count (fixture->emulator, "connect"), >, 0);
}

static void
test_does_not_show (gconstpointer data)
{
  static const char refusal[] =
      RULE ({"route": ["create_session", "upload_part"], "do": "reply", "status": 401});
  const Case *c = data;
  BoxEmulatorOptions options = { .part_size = 4000000, .strict_clients = TRUE };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  g_autofree char *logs = g_build_filename (fixture->dir, "logs", NULL);
  g_autofree char *spool = g_build_filename (fixture->dir, "spool", NULL);
  g_autofree char *state = g_build_filename (fixture->dir, "state", NULL);
  g_autoptr (GPtrArray) secrets = NULL;

  load_accounts (fixture);
  g_assert_cmpint (g_mkdir_with_parents (logs, 0700), ==, 0);
  if (c->refused)
    kit_load_rules (fixture->emulator, refusal);
  g_assert_true (launch (fixture, c, logs) == !c->refused);
  assert_outcome (fixture, c, logs);

  secrets = list_secrets (fixture);
  /* Output, errors, the debug log, and graphs. */
  g_assert_cmpuint (search_tree (logs, secrets), >, 4);
  assert_file_contains (logs, "debug", "boxuploadsink");
  /* The recording and its journal. */
  g_assert_cmpuint (search_tree (spool, secrets), >=, c->refused ? 2 : 0);
  search_tree (state, secrets);
}

int
main (int argc, char **argv)
{
  int result;

  sink_fixture_init (&argc, &argv);
  key = test_key_new (GNUTLS_PK_RSA);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/secrets/do-not-show/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_does_not_show);
    }
  result = g_test_run ();
  test_key_free (key);
  return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets in the memory of boxupload, and in what a crash leaves of it. */
#include <fcntl.h>
#include <gnutls/x509.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli-fixture.h"
#include "kit/emulator.h"
#include "kit/keys.h"
#include "kit/places.h"
#include "kit/watchdog.h"

/* --- What a crash leaves -------------------------------------------------------------------- */

/* Whether a "put" that crashes while it sends leaves a core dump. */
static gboolean
dumps_core (Fixture *f, const char *allowed)
{
  char **environment = fixture_environment (f);
  g_autoptr (GSubprocess) process = NULL;
  gboolean dumped;

  if (allowed != NULL)
    environment = g_environ_setenv (environment, "BOXUPLOAD_CORE_DUMPS", allowed, TRUE);
  fixture_load (f, RULE ({"route": "upload_file", "do": "hold", "name": "gate"}));
  process = fixture_start_env (f, environment, (const char *const[]){ "put", "a", NULL });
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  /* SIGQUIT is ignored by what a script runs in the background. */
  g_subprocess_send_signal (process, SIGABRT);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  dumped = WCOREDUMP (g_subprocess_get_status (process));
  box_emulator_clear_scenario (f->emulator);
  return dumped;
}

static void
test_no_secret_is_in_a_core_dump (Fixture *f, gconstpointer data)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_CORE, &limit), ==, 0);
  limit.rlim_cur = limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_CORE, &limit), ==, 0);
  fixture_write_file (f, "a", 1000, 1);
  if (dumps_core (f, "1"))
    g_assert_false (dumps_core (f, NULL));
  else
    g_test_skip ("this system makes no core dumps, or the build needs them");
}

/* --- What stays in memory ------------------------------------------------------------------- */

/* What a renewal needs, and nothing after it: with no copy left in memory that was freed. */
typedef struct
{
  const char *name;
  const char *config; /* NULL: that of an application with a key */
  const char *secrets[3];
  gsize pem; /* offset of the key's form in TestKey */
} Renewal;

#define REFRESH_TOKEN "refresh-token-92-qwertzuiop-asdfghjkl-yxcvbnm-qwertzuiop-asdfghjkl-tail-58"

/* The end of an assertion's first part. */
#define ASSERTION_PART "IiwidHlwIjoiSldUIn0."

static const Renewal renewals[] = {
  { "client",
    "{\"client_id\":\"the-client\",\"client_secret\":\"" TEST_CLIENT_SECRET
    "\",\"enterprise_id\":\"42\"}",
    { TEST_CLIENT_SECRET } },
  { "refresh",
    "{\"client_id\":\"the-client\",\"client_secret\":\"" TEST_CLIENT_SECRET
    "\",\"refresh_token\":\"" REFRESH_TOKEN "\"}",
    { TEST_CLIENT_SECRET, REFRESH_TOKEN } },
  { "key", NULL, { TEST_CLIENT_SECRET, ASSERTION_PART }, G_STRUCT_OFFSET (TestKey, pkcs8) },
  { "traditional-key",
    NULL,
    { TEST_CLIENT_SECRET, ASSERTION_PART },
    G_STRUCT_OFFSET (TestKey, traditional) },
  { "encrypted-key",
    NULL,
    { TEST_CLIENT_SECRET, ASSERTION_PART, TEST_PASSPHRASE },
    G_STRUCT_OFFSET (TestKey, pkcs8_encrypted) },
};

/* Bytes of a secret by which a copy of it is recognised: at its end, because malloc writes over the
 * head of what is freed. */
#define TAIL 12

static void
add_text (GPtrArray *marks, const char *secret)
{
  gsize length = MIN (strlen (secret), TAIL);

  g_ptr_array_add (marks, g_bytes_new (secret + strlen (secret) - length, length));
}

/* A number of a key as DER has it, and as GMP has it in memory: the last byte first. */
static void
add_number (GPtrArray *marks, gnutls_datum_t number)
{
  g_autofree guint8 *reversed = g_malloc (number.size);

  for (guint i = 0; i < number.size; i++)
    reversed[i] = number.data[number.size - 1 - i];
  g_ptr_array_add (marks, g_bytes_new (number.data + number.size / 2, 16));
  g_ptr_array_add (marks, g_bytes_new (reversed + number.size / 2, 16));
  gnutls_free (number.data);
}

/* The text @pem, which the program reads, and the secret numbers of the key @plain. */
static void
add_key (GPtrArray *marks, const char *pem, const char *plain)
{
  gnutls_datum_t data = { (unsigned char *) plain, (unsigned int) strlen (plain) };
  gnutls_datum_t m, e, d, p, q, u;
  const char *line = strchr (pem + strlen (pem) / 2, '\n') + 1;
  gnutls_x509_privkey_t key;

  g_ptr_array_add (marks, g_bytes_new (line + 20, 24));
  g_assert_cmpint (gnutls_x509_privkey_init (&key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_import (key, &data, GNUTLS_X509_FMT_PEM), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_export_rsa_raw (key, &m, &e, &d, &p, &q, &u), ==, 0);
  add_number (marks, d);
  add_number (marks, p);
  add_number (marks, q);
  gnutls_free (m.data);
  gnutls_free (e.data);
  gnutls_free (u.data);
  gnutls_x509_privkey_deinit (key);
}

/* How many of @marks are in the memory of @process from @from to @to. */
static int
count_marks (int memory, guint64 from, guint64 to, GPtrArray *marks)
{
  g_autofree char *bytes = g_malloc (to - from);
  ssize_t length = pread (memory, bytes, to - from, (off_t) from);
  int n = 0;

  for (guint i = 0; length > 0 && i < marks->len; i++)
    {
      gsize size;
      gconstpointer mark = g_bytes_get_data (marks->pdata[i], &size);

      if (memmem (bytes, (gsize) length, mark, size) == NULL)
        continue;
      g_test_message ("mark %u is in memory", i);
      n++;
    }
  return n;
}

/* How many copies of @marks are in the mappings of @process that it can write to; -1: this system
 * does not let its memory be read. */
static int
count_copies (GSubprocess *process, GPtrArray *marks)
{
  const char *id = g_subprocess_get_identifier (process);
  g_autofree char *maps_path = g_build_filename ("/proc", id, "maps", NULL);
  g_autofree char *memory_path = g_build_filename ("/proc", id, "mem", NULL);
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  int memory = open (memory_path, O_RDONLY | O_CLOEXEC);
  int n = 0;

  if (memory < 0 || !g_file_get_contents (maps_path, &maps, NULL, NULL))
    return -1;
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      guint64 from, to;

      if (sscanf (lines[i], "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x rw", &from, &to) == 2
          && strstr (lines[i], " rw") != NULL)
        n += count_marks (memory, from, to, marks);
    }
  close (memory);
  return n;
}

/* The program's configuration goes into a file, its secrets into @marks, and the public key into
 * the emulator's accounts. */
static void
prepare_renewal (Fixture *f, const Renewal *renewal, GPtrArray *marks)
{
  g_autoptr (TestKey) key = test_key_new (GNUTLS_PK_RSA);
  const char *pem = renewal->config == NULL ? G_STRUCT_MEMBER (char *, key, renewal->pem) : "";
  g_autofree char *app =
      test_app_config (pem, renewal->secrets[2] != NULL ? TEST_PASSPHRASE : NULL, NULL);
  g_autofree char *escaped = g_strescape (key->public_pem, NULL);
  g_autofree char *path = g_build_filename (f->dir, "box.json", NULL);
  g_autofree char *accounts = g_strdup_printf (
      "{\"users\":[{\"id\":\"2001\",\"name\":\"a\",\"login\":\"a@example.com\"}],"
      "\"refresh_tokens\":[{\"token\":\"" REFRESH_TOKEN
      "\",\"client_id\":\"the-client\",\"user\":\"2001\"}],\"clients\":"
      "[{\"client_id\":\"the-client\",\"client_secret\":\"" TEST_CLIENT_SECRET
      "\",\"enterprise_id\":\"42\",\"user\":\"2001\"},"
      "{\"client_id\":\"client-1\",\"client_secret\":\"" TEST_CLIENT_SECRET
      "\",\"enterprise_id\":\"4711\",\"user\":\"2001\",\"public_keys\":{\"key-1\":\"%s\"}}]}",
      escaped);
  g_autoptr (GError) error = NULL;

  box_emulator_load_accounts (f->emulator, accounts, &error);
  g_assert_no_error (error);
  kit_write_text (path, renewal->config != NULL ? renewal->config : app);
  for (guint i = 0; i < G_N_ELEMENTS (renewal->secrets) && renewal->secrets[i] != NULL; i++)
    add_text (marks, renewal->secrets[i]);
  if (renewal->config == NULL)
    add_key (marks, pem, key->pkcs8);
}

static void
test_what_a_renewal_needs_is_not_in_memory_after_it (Fixture *f, gconstpointer data)
{
  const Renewal *renewal = data;
  g_autoptr (GPtrArray) marks = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  char **environment = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  int n;

  if (KIT_SANITIZED)
    {
      g_test_skip ("a sanitizer maps terabytes, and keeps what was freed");
      return;
    }
  prepare_renewal (f, renewal, marks);
  fixture_write_file (f, "a", 1000, 1);
  fixture_load (f, RULE ({"route": "upload_file", "do": "hold", "name": "gate"}));
  environment = g_environ_setenv (fixture_environment (f), "BOXUPLOAD_CORE_DUMPS", "1", TRUE);
  process = fixture_start_env (
      f, environment,
      (const char *const[]){ "put", "a", "--auth-config", "box.json", "--endpoint",
                             box_emulator_get_endpoint (f->emulator, TRUE), "--api-endpoint",
                             box_emulator_get_api_endpoint (f->emulator, TRUE), "--ca-file",
                             box_emulator_get_ca_file (f->emulator), NULL });
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  n = count_copies (process, marks);
  if (n < 0)
    g_test_skip ("the memory of another process cannot be read here");
  else
    g_assert_cmpint (n, ==, 0);
  box_emulator_clear_scenario (f->emulator);
  g_assert_true (g_subprocess_wait_check (process, NULL, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/secrets/not-in-a-core-dump", test_no_secret_is_in_a_core_dump);
  for (guint i = 0; i < G_N_ELEMENTS (renewals); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/cli/secrets/not-in-memory-after-a-renewal/%s", renewals[i].name);

      g_test_add (path, Fixture, &renewals[i], fixture_set_up,
                  test_what_a_renewal_needs_is_not_in_memory_after_it, fixture_tear_down);
    }
  return g_test_run ();
}

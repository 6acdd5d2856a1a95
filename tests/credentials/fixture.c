/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "kit/places.h"
#include "kit/watchdog.h"

TestKey *fixture_key;

static char *
make_accounts (void)
{
  g_autofree char *escaped = g_strescape (fixture_key->public_pem, NULL);

  return g_strdup_printf (
      "{\"clients\": [{\"client_id\": \"client-1\", \"client_secret\": \"" CLIENT_SECRET "\","
      " \"enterprise_id\": \"4711\", \"public_keys\": {\"key-1\": \"%s\"}}],"
      " \"refresh_tokens\": [{\"token\": \"" REFRESH_TOKEN "\", \"client_id\": \"client-1\"}]}",
      escaped);
}

static char *
make_config (const CredentialsCase *c)
{
  const char *secret = c->secret != NULL ? c->secret : CLIENT_SECRET;

  if (g_str_equal (c->grant, "jwt"))
    return test_app_config (fixture_key->pkcs8_encrypted, TEST_PASSPHRASE, c->algorithm);
  if (g_str_equal (c->grant, "client-credentials"))
    return g_strdup_printf ("{\"client_id\": \"client-1\", \"client_secret\": \"%s\","
                            " \"enterprise_id\": \"4711\"}",
                            secret);
  return g_strdup_printf ("{\"client_id\": \"client-1\", \"client_secret\": \"%s\","
                          " \"refresh_token\": \"" REFRESH_TOKEN "\"}",
                          secret);
}

static BoxClient *
new_client (Fixture *f, const char *access_token, const char *auth_config)
{
  BoxClientSettings settings = {
    .timeout = 60,
    .access_token = access_token,
    .auth_config = auth_config,
  };

  return kit_client_new (f->emulator, TRUE, &settings);
}

BoxClient *
fixture_new_client (Fixture *f, const char *access_token)
{
  return new_client (f, access_token, NULL);
}

void
fixture_set_up (Fixture *f, gconstpointer credentials_case)
{
  static const char *const none[] = { NULL };
  const CredentialsCase *c = credentials_case;
  g_autofree char *accounts = make_accounts ();
  g_autofree char *config = make_config (c);
  BoxEmulatorOptions options = {
    .part_size = FIXTURE_PART,
    .min_size = 1,
    .token_lifetime = c->token_lifetime,
    .clock_offset = c->clock_offset,
    .tokens = none,
    .strict_clients = TRUE,
  };

  kit_watchdog_start ();
  f->emulator = kit_emulator_new (&options);
  kit_load_accounts (f->emulator, accounts);
  if (c->scenario != NULL)
    kit_load_rules (f->emulator, c->scenario);

  f->dir = kit_new_directory ();
  f->config_path = g_build_filename (f->dir, "box.json", NULL);
  kit_write_text (f->config_path, config);
  f->client = new_client (f, NULL, f->config_path);
}

void
fixture_tear_down (Fixture *f, gconstpointer credentials_case)
{
  box_client_unref (f->client);
  box_emulator_free (f->emulator);
  kit_remove_file (f->config_path);
  kit_remove_empty_directory (f->dir);
  kit_watchdog_stop ();
}

static void
write_all (BoxUpload *upload, guint64 size)
{
  guint8 buffer[8192];

  for (guint64 offset = 0; offset < size; offset += sizeof buffer)
    {
      gsize done = 0;

      kit_pattern_fill (offset, buffer, sizeof buffer);
      while (done < sizeof buffer)
        {
          done += box_upload_write (upload, buffer + done, sizeof buffer - done);
          if (done < sizeof buffer && box_upload_wait_room (upload) == BOX_WAIT_FAILED)
            return;
        }
    }
  box_upload_finish (upload);
}

BoxUpload *
fixture_begin_upload (Fixture *f, BoxClient *client, guint parts, guint parallel, guint64 rate,
                      char **session_id)
{
  static const BoxUploadEvents events;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = NULL;
  guint64 size = (guint64) parts * FIXTURE_PART;
  BoxUploadSettings settings = {
    .client = client,
    .size = size,
    .commit = TRUE,
    .parallel = parallel,
    .max_memory = size,
    .upload_rate = rate,
    .retry_timeout = 60,
  };
  BoxUpload *upload;

  id = box_emulator_add_session (f->emulator, "0", "a.bin", NULL, size);
  destination = box_destination_new_session (id, &error);
  g_assert_no_error (error);
  settings.destination = destination;
  upload = box_upload_new (&settings, &events, NULL, NULL, &error);
  g_assert_no_error (error);
  box_upload_start (upload);
  write_all (upload, size);
  *session_id = g_steal_pointer (&id);
  return upload;
}

void
fixture_assert_complete (Fixture *f, BoxUpload *upload, const char *session_id)
{
  BoxWait wait = box_upload_wait_done (upload, KIT_PATIENCE_US);
  g_autoptr (GError) error = box_upload_get_error (upload);

  g_assert_no_error (error);
  g_assert_cmpint (wait, ==, BOX_WAIT_READY);
  kit_assert_sent_once (f->emulator, session_id);
}

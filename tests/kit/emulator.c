/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/emulator.h"

BoxEmulator *
kit_emulator_new (const BoxEmulatorOptions *options)
{
  g_autoptr (GError) error = NULL;
  BoxEmulator *emulator = box_emulator_new (options, &error);

  g_assert_no_error (error);
  return emulator;
}

BoxClient *
kit_client_new (BoxEmulator *emulator, gboolean tls, const BoxClientSettings *settings)
{
  BoxClientSettings ours = *settings;
  g_autoptr (GError) error = NULL;
  BoxClient *client;

  ours.endpoint = box_emulator_get_endpoint (emulator, tls);
  ours.api_endpoint = box_emulator_get_api_endpoint (emulator, tls);
  if (tls)
    ours.ca_file = box_emulator_get_ca_file (emulator);
  client = box_client_new (&ours, &error);
  g_assert_no_error (error);
  return client;
}

void
kit_load_rules (BoxEmulator *emulator, const char *rules)
{
  g_autoptr (GError) error = NULL;

  box_emulator_load_scenario (emulator, rules, &error);
  g_assert_no_error (error);
}

void
kit_load_accounts (BoxEmulator *emulator, const char *accounts)
{
  g_autoptr (GError) error = NULL;

  box_emulator_load_accounts (emulator, accounts, &error);
  g_assert_no_error (error);
}

void
kit_assert_stored (BoxEmulator *emulator, const char *folder, const char *name, guint64 size,
                   const char *sha1)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (emulator, folder, name);

  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, size);
  g_assert_cmpstr (file->sha1, ==, sha1);
  g_assert_cmpuint (file->n_versions, ==, 1);
}

guint
kit_count_open_sessions (BoxEmulator *emulator)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (emulator);
  guint n = 0;

  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (emulator, ids->pdata[i]);

      n += session->state == BOX_EMULATOR_SESSION_OPEN ? 1 : 0;
    }
  return n;
}

void
kit_assert_sent_once (BoxEmulator *emulator, const char *session_id)
{
  g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (emulator, session_id);

  g_assert_cmpuint (session->n_commits, ==, 1);
  for (guint i = 0; i < session->n_parts; i++)
    g_assert_cmpuint (session->received[i], ==, 1);
}

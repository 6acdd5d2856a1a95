/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/spool-kit.h"

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "kit/places.h"
#include "kit/watchdog.h"

#include <string.h>

#define CHUNK 65536

BoxClient *
spool_kit_new_client (const char *endpoint, const char *api_endpoint)
{
  BoxClientSettings settings = {
    .endpoint = endpoint,
    .api_endpoint = api_endpoint,
    .access_token = "kit-token",
    .timeout = 60,
  };
  g_autoptr (GError) error = NULL;
  BoxClient *client = box_client_new (&settings, &error);

  g_assert_no_error (error);
  return client;
}

void
spool_kit_set_up (SpoolKit *kit)
{
  spool_kit_set_up_with (kit, SPOOL_KIT_PART);
}

void
spool_kit_set_up_with (SpoolKit *kit, guint64 part_size)
{
  BoxEmulatorOptions options = { .part_size = part_size, .plan_delay = 3600 };
  g_autoptr (GError) error = NULL;

  kit_watchdog_start ();
  kit->emulator = kit_emulator_new (&options);
  kit->client = kit_client_new (kit->emulator, FALSE,
                                &(BoxClientSettings){ .access_token = "kit-token", .timeout = 60 });
  kit->dir = kit_new_directory ();
  kit->spool = box_spool_open (kit->dir, 0, &error);
  g_assert_no_error (error);
}

void
spool_kit_tear_down (SpoolKit *kit)
{
  kit_remove_tree (kit->dir);
  g_assert_false (g_file_test (kit->dir, G_FILE_TEST_EXISTS));
  g_free (kit->dir);
  box_spool_unref (kit->spool);
  box_client_unref (kit->client);
  box_emulator_free (kit->emulator);
  kit_watchdog_stop ();
}

BoxRecordingIntent *
spool_kit_intent (const char *name)
{
  BoxRecordingIntent *intent = g_new0 (BoxRecordingIntent, 1);

  intent->destination = box_destination_new_folder ("0", name, NULL);
  intent->padding = BOX_PADDING_NONE;
  intent->commit = TRUE;
  return intent;
}

BoxRecording *
spool_kit_record (SpoolKit *kit, const BoxRecordingIntent *intent, guint64 size)
{
  g_autoptr (GError) error = NULL;
  BoxRecording *recording = box_spool_record (kit->spool, intent, &error);
  guint8 buffer[CHUNK];

  g_assert_no_error (error);
  for (guint64 at = 0; at < size; at += CHUNK)
    {
      gsize length = (gsize) MIN (size - at, CHUNK);

      kit_pattern_fill (at, buffer, length);
      box_recording_write (recording, at, buffer, length, &error);
      g_assert_no_error (error);
    }
  return recording;
}

void
spool_kit_end (BoxRecording *recording)
{
  guint64 size = box_recording_get_size (recording);
  BoxRecordingEnd end = { .size = size, .total = size, .padding = BOX_PADDING_NONE };

  g_assert_true (box_recording_set_end (recording, &end, NULL));
}

char *
spool_kit_journal_path (BoxRecording *recording)
{
  const char *data = box_recording_get_path (recording);

  return g_strdup_printf ("%.*s" BOX_RECORDING_JOURNAL_SUFFIX,
                          (int) (strlen (data) - strlen (BOX_RECORDING_DATA_SUFFIX)), data);
}

GError *
spool_kit_recover (SpoolKit *kit, const char *journal_path, BoxRecovered *how)
{
  BoxRecoverySettings settings = { .client = kit->client, .retry_timeout = 20 };
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (BoxFile) file = NULL;
  GError *error = NULL;

  recording = box_recording_open (journal_path, &error);
  if (recording != NULL)
    box_recovery_run (recording, &settings, NULL, NULL, NULL, how, &file, &error);
  return error;
}

BoxRecovered
spool_kit_finish (SpoolKit *kit, const char *path)
{
  BoxRecovered how = BOX_RECOVERED_EMPTY;
  g_autoptr (GError) error = spool_kit_recover (kit, path, &how);

  g_assert_no_error (error);
  return how;
}

void
spool_kit_finish_all (SpoolKit *kit)
{
  g_autoptr (GPtrArray) list = box_spool_list (kit->spool, NULL);

  for (guint i = 0; i < list->len; i++)
    spool_kit_finish (kit, ((BoxSpoolEntry *) list->pdata[i])->journal_path);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

char *
spool_kit_leave (BoxRecording *recording)
{
  char *path = spool_kit_journal_path (recording);

  box_recording_unref (recording);
  return path;
}

BoxSession *
spool_kit_open_session (SpoolKit *kit, BoxRecording *recording, const char *name, guint64 size)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autofree char *id = box_emulator_add_session (kit->emulator, "0", name, NULL, size);
  g_autoptr (GError) error = NULL;
  BoxSession *session = box_client_get_session (kit->client, transport, id, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (box_recording_set_session (recording, session, size, NULL));
  return session;
}

void
spool_kit_add_part (SpoolKit *kit, BoxRecording *recording, const BoxSession *session, guint i,
                    guint64 size)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  guint64 offset = i * session->part_size;
  gsize length = (gsize) MIN (session->part_size, size - offset);
  g_autofree guint8 *bytes = g_malloc (length);
  g_autoptr (GPtrArray) parts = NULL;

  kit_pattern_fill (offset, bytes, length);
  g_assert_true (box_emulator_add_part (kit->emulator, session->id, offset, bytes, length));
  parts = box_client_list_parts (kit->client, transport, session, NULL, NULL, NULL);
  g_assert_nonnull (parts);
  for (guint k = 0; k < parts->len; k++)
    if (((BoxPart *) parts->pdata[k])->offset == offset)
      g_assert_true (box_recording_add_part (recording, parts->pdata[k], NULL));
}

guint
spool_kit_count (SpoolKit *kit)
{
  g_autoptr (GPtrArray) list = box_spool_list (kit->spool, NULL);

  return list->len;
}

void
spool_kit_assert_stored (SpoolKit *kit, const char *name, guint64 size)
{
  g_autofree char *sha1 = kit_pattern_sha1 (size, 0);

  kit_assert_stored (kit->emulator, "0", name, size, sha1);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The victim of the kill tests: "record DIR URL NAME SIZE" records the pattern, and uploads it
 * meanwhile; "live DIR URL NAME SIZE" does so in one request; "ahead DIR URL NAME SIZE" does so
 * with a size that is not known; "recover DIR URL" finishes what is in the spool. Prints the number
 * of bytes that have reached the data file, a line each time.
 */

#include "delivery/attempt.h"
#include "delivery/delivery.h"
#include "delivery/delivery.h"
#include "kit/spool-kit.h"

#include "kit/pattern.h"

#define CHUNK 65536

/* A live source's pace, microseconds a chunk: a recording takes a third of a second, so that a
 * random moment is often in the middle of it. */
#define PACE 1000

static const BoxUploadEvents no_events = { NULL };

static BoxClient *
new_client (const char *origin)
{
  g_autofree char *endpoint = g_strconcat (origin, "/api/2.0", NULL);
  g_autofree char *api_endpoint = g_strconcat (origin, "/2.0", NULL);

  return spool_kit_new_client (endpoint, api_endpoint);
}

static BoxAttempt *
new_delivery (BoxRecording *recording, BoxClient *client, const BoxRecordingIntent *intent)
{
  BoxUploadSettings settings = {
    .client = client,
    .destination = intent->destination,
    .size = intent->size,
    .commit = TRUE,
  };
  g_autoptr (GError) error = NULL;
  BoxAttempt *delivery = box_attempt_new (recording, &settings, &no_events, NULL, &error);

  g_assert_no_error (error);
  return delivery;
}

static void
record_bytes (BoxRecording *recording, BoxUpload *upload, guint64 size, BoxSha1 *sha1)
{
  guint8 buffer[CHUNK];

  for (guint64 at = 0; at < size; at += CHUNK)
    {
      gsize length = (gsize) MIN (size - at, CHUNK);

      kit_pattern_fill (at, buffer, length);
      g_assert_true (box_recording_write (recording, at, buffer, length, NULL));
      box_upload_write (upload, buffer, length);
      g_print ("%" G_GUINT64_FORMAT "\n", at + length);
      g_usleep (PACE);
    }
  g_assert_true (box_upload_digest (upload, BOX_PADDING_NONE, sha1, NULL));
}

static int
record (const char *dir, const char *origin, const char *name, guint64 size)
{
  g_autoptr (BoxClient) client = new_client (origin);
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, NULL);
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent (name);
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (BoxAttempt) delivery = NULL;
  BoxRecordingEnd end = { .size = size, .total = size, .padding = BOX_PADDING_NONE };
  BoxUpload *upload;

  intent->sizing = BOX_SIZING_EXACT;
  intent->size = size;
  recording = box_spool_record (spool, intent, NULL);
  delivery = new_delivery (recording, client, intent);
  upload = box_attempt_get_upload (delivery);
  box_upload_start (upload);
  record_bytes (recording, upload, size, &end.sha1);
  end.has_sha1 = TRUE;
  g_assert_true (box_recording_set_end (recording, &end, NULL));
  box_upload_finish (upload);
  if (box_upload_wait_done (upload, -1) == BOX_WAIT_READY)
    box_recording_remove (recording, NULL);
  return 0;
}

static void
write_live (BoxDelivery *delivery, guint64 size)
{
  guint8 buffer[CHUNK];

  for (guint64 at = 0; at < size; at += CHUNK)
    {
      gsize length = (gsize) MIN (size - at, CHUNK);

      kit_pattern_fill (at, buffer, length);
      g_assert_cmpuint (box_delivery_write (delivery, at, buffer, length), ==, length);
      g_print ("%" G_GUINT64_FORMAT "\n", at + length);
      g_usleep (PACE);
    }
}

static int
record_live (const char *dir, const char *origin, const char *name, guint64 size)
{
  g_autoptr (BoxClient) client = new_client (origin);
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, NULL);
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", name, NULL);
  BoxDeliverySettings settings = {
    .upload = { .client = client, .destination = destination, .commit = TRUE },
    .padding = BOX_PADDING_NONE,
    .live = TRUE,
  };
  BoxDeliveryEvents events = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDelivery) delivery =
      box_delivery_new_stream (&settings, spool, &events, NULL, NULL, &error);

  g_assert_no_error (error);
  box_delivery_start (delivery);
  write_live (delivery, size);
  box_delivery_finish (delivery, "eos", BOX_PADDING_NONE, 0, NULL);
  return box_delivery_wait (delivery, -1) == BOX_WAIT_READY ? 0 : 1;
}

/* Records the pattern as a stream of unknown size, and sends it ahead. As muxers do, the head is
 * written again at the end. */
static int
record_ahead (const char *dir, const char *origin, const char *name, guint64 size)
{
  g_autoptr (BoxClient) client = new_client (origin);
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, NULL);
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent (name);
  const BoxDeliverySettings settings = {
    .upload = { .client = client, .destination = intent->destination, .commit = TRUE },
    .sizing = BOX_SIZING_SPOOL,
    .padding = BOX_PADDING_NONE,
    .ahead = TRUE,
    .expected_size = 2 * size,
  };
  g_autoptr (BoxDelivery) delivery = NULL;
  guint8 buffer[CHUNK];

  delivery = box_delivery_new_stream (&settings, spool, &(BoxDeliveryEvents){ { NULL } }, NULL,
                                      NULL, NULL);
  box_delivery_start (delivery);
  for (guint64 at = 0; at < size; at += CHUNK)
    {
      kit_pattern_fill (at == 0 ? 1 : at, buffer, CHUNK);
      box_delivery_write (delivery, at, buffer, (gsize) MIN (size - at, CHUNK));
      g_usleep (PACE);
    }
  kit_pattern_fill (0, buffer, CHUNK);
  box_delivery_write (delivery, 0, buffer, CHUNK);
  box_delivery_finish (delivery, "eos", BOX_PADDING_NONE, 0, NULL);
  return box_delivery_wait (delivery, -1) == BOX_WAIT_READY ? 0 : 1;
}

static int
recover (const char *dir, const char *origin)
{
  g_autoptr (BoxClient) client = new_client (origin);
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, NULL);
  g_autoptr (GPtrArray) list = box_spool_list (spool, NULL);
  BoxRecoverySettings settings = { .client = client, .retry_timeout = 20 };

  for (guint i = 0; i < list->len; i++)
    {
      const BoxSpoolEntry *spooled = list->pdata[i];
      g_autoptr (BoxRecording) recording = box_recording_open (spooled->journal_path, NULL);
      g_autoptr (BoxFile) file = NULL;
      g_autoptr (GError) error = NULL;
      BoxRecovered how;

      if (recording != NULL
          && !box_recovery_run (recording, &settings, NULL, NULL, NULL, &how, &file, &error))
        g_printerr ("%s\n", error->message);
    }
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 6 && g_str_equal (argv[1], "record"))
    return record (argv[2], argv[3], argv[4], g_ascii_strtoull (argv[5], NULL, 10));
  if (argc == 6 && g_str_equal (argv[1], "live"))
    return record_live (argv[2], argv[3], argv[4], g_ascii_strtoull (argv[5], NULL, 10));
  if (argc == 6 && g_str_equal (argv[1], "ahead"))
    return record_ahead (argv[2], argv[3], argv[4], g_ascii_strtoull (argv[5], NULL, 10));
  if (argc == 4 && g_str_equal (argv[1], "recover"))
    return recover (argv[2], argv[3]);
  return 2;
}

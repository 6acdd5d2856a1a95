/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder whose system calls fail, or that a power cut ends:
 *
 *   victim WAY DIR ORIGIN NAME SESSION SIZE
 *
 * records SIZE bytes of the pattern, on the WAY exact, reserve (both into SESSION), unknown, live,
 * spooled (into the file NAME of folder 0; SESSION is "-"; spooled: others upload it) or memory
 * (exact, without the spool DIR). On exact and reserve all whole parts are at Box before the stream
 * ends. Prints "accepted N" whenever N bytes were taken, "kept REASON", and at the end "committed"
 * or "failed MESSAGE". The exit code is 0 after "committed", else 1.
 */
#include <stdio.h>

#include "delivery/delivery.h"
#include "kit/pattern.h"

#define CHUNK 16384

/* Of the emulator's sessions (rig.c). */
#define PART_SIZE 16384

/* Of a reserve. */
#define GAP 5000

/* Seconds. */
#define TIMEOUT       10
#define RETRY_TIMEOUT 2

static void say (const char *format, ...) G_GNUC_PRINTF (1, 2);

static void
say (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vfprintf (stdout, format, arguments);
  va_end (arguments);
  fputc ('\n', stdout);
  fflush (stdout);
}

static int
fail (const GError *error)
{
  say ("failed %s", error->message);
  return 1;
}

static void
on_kept (const char *path, guint64 size, const char *reason, gboolean interrupted,
         const GError *lost, gpointer user_data)
{
  say ("kept %s", reason);
}

static BoxClient *
new_client (const char *origin, GError **error)
{
  g_autofree char *endpoint = g_strconcat (origin, "/api/2.0", NULL);
  g_autofree char *api_endpoint = g_strconcat (origin, "/2.0", NULL);
  BoxClientSettings settings = {
    .endpoint = endpoint,
    .api_endpoint = api_endpoint,
    .access_token = "victim",
    .timeout = TIMEOUT,
  };

  return box_client_new (&settings, error);
}

static BoxDelivery *
new_delivery (const char *way, BoxClient *client, BoxDestination *destination,
              BoxDestination *target, BoxSpool *spool, guint64 size, GError **error)
{
  static const BoxDeliveryEvents events = { .kept = on_kept };
  gboolean spooled = g_str_equal (way, "spooled");
  gboolean unknown = spooled || g_str_equal (way, "unknown") || g_str_equal (way, "live");
  gboolean reserve = g_str_equal (way, "reserve");
  BoxDeliverySettings settings = {
    .upload = { .client = client,
                .destination = destination,
                .session_target = target,
                .size = unknown ? 0 : size + (reserve ? GAP : 0),
                .commit = TRUE,
                .parallel = 2,
                .max_memory = 1 << 20,
                .retry_timeout = RETRY_TIMEOUT },
    .sizing = unknown   ? BOX_SIZING_SPOOL
              : reserve ? BOX_SIZING_RESERVE
                        : BOX_SIZING_EXACT,
    .padding = reserve ? BOX_PADDING_ZERO : BOX_PADDING_NONE,
    .live = g_str_equal (way, "live"),
    .left_to_others = spooled,
  };

  return box_delivery_new_stream (&settings, spool, &events, NULL, NULL, error);
}

static void
write_all (BoxDelivery *delivery, guint64 size)
{
  guint8 buffer[CHUNK];

  for (guint64 at = 0; at < size;)
    {
      gsize length = (gsize) MIN (sizeof buffer, size - at), done;

      kit_pattern_fill (at, buffer, length);
      done = box_delivery_write (delivery, at, buffer, length);
      at += done;
      say ("accepted %" G_GUINT64_FORMAT, at);
      if (done < length && box_delivery_wait_room (delivery) == BOX_WAIT_FAILED)
        return;
    }
}

/* As of a stream that is slower than the network. In trouble nothing is waited for. */
static void
wait_for_whole_parts (BoxDelivery *delivery, guint64 size)
{
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (delivery);
  BoxUploadStats stats = { 0 };

  while (stats.bytes_uploaded < size - size % PART_SIZE && stats.retries == 0
         && box_upload_wait_done (upload, 1000) == BOX_WAIT_TIMEOUT)
    box_upload_get_stats (upload, &stats);
}

static int
record (const char *way, BoxDelivery *delivery, guint64 size)
{
  gboolean reserve = g_str_equal (way, "reserve");
  g_autoptr (GError) error = NULL;

  box_delivery_start (delivery);
  write_all (delivery, size);
  if (g_str_equal (way, "exact") || reserve)
    wait_for_whole_parts (delivery, size);
  box_delivery_finish (delivery, "eos", reserve ? BOX_PADDING_ZERO : BOX_PADDING_NONE,
                       reserve ? GAP : 0, NULL);
  if (box_delivery_wait (delivery, -1) == BOX_WAIT_READY)
    {
      say ("committed");
      return 0;
    }
  error = box_delivery_dup_error (delivery);
  return fail (error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxClient) client = NULL;
  g_autoptr (BoxSpool) spool = NULL;
  g_autoptr (BoxDestination) destination = NULL;
  g_autoptr (BoxDestination) target = NULL;
  g_autoptr (BoxDelivery) delivery = NULL;
  guint64 size;

  if (argc != 7)
    return 2;
  size = g_ascii_strtoull (argv[6], NULL, 10);
  client = new_client (argv[3], &error);
  if (client == NULL)
    return fail (error);
  if (!g_str_equal (argv[1], "memory"))
    spool = box_spool_open (argv[2], 0, &error);
  if (error != NULL)
    return fail (error);
  target = box_destination_new_folder ("0", argv[4], NULL);
  destination = g_str_equal (argv[5], "-") ? box_destination_copy (target)
                                           : box_destination_new_session (argv[5], NULL);
  delivery = new_delivery (argv[1], client, destination, target, spool, size, &error);
  if (delivery == NULL)
    return fail (error);
  return record (argv[1], delivery, size);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Experiments with the connection: how long a request of unknown length may rest, what a token for
 * uploads only may do, and how the speed of parts depends on how many are sent at a time.
 */
#include "probe/experiments.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* --- Resting ---------------------------------------------------------------------------------- */

#define REST_BYTES 65536

static const guint default_rests[] = { 30, 60, 120, 0 };

/* A body that gives REST_BYTES, rests, and gives as many again. */
typedef struct
{
  GBytes *bytes; /* 2 * REST_BYTES */
  gint64 rest;   /* microseconds */
  gint64 since;  /* monotonic: when it began to rest; 0: not yet */
  BoxSha1 sha1;
} Rest;

static BoxSourceState
take (gpointer user_data, guint64 offset, guint8 *buffer, gsize *length, gint64 *rest,
      GError **error)
{
  Rest *body = user_data;
  gint64 now = g_get_monotonic_time ();
  gsize size;
  const guint8 *data = g_bytes_get_data (body->bytes, &size);
  gsize end = offset < REST_BYTES ? REST_BYTES : size;

  if (offset == size)
    return BOX_SOURCE_ENDED;
  if (offset == REST_BYTES)
    {
      body->since = body->since != 0 ? body->since : now;
      *rest = body->since + body->rest - now;
      if (*rest > 0)
        return BOX_SOURCE_RESTS;
    }
  *length = MIN (*length, end - (gsize) offset);
  memcpy (buffer, data + offset, *length);
  return BOX_SOURCE_BYTES;
}

static void
get_sum (gpointer user_data, guint64 *size, BoxSha1 *sha1)
{
  Rest *rest = user_data;

  *size = g_bytes_get_size (rest->bytes);
  *sha1 = rest->sha1;
}

static gboolean
send_with_rest (BoxProbe *probe, guint seconds, GError **error)
{
  g_autofree char *name = g_strdup_printf ("rest-%u.bin", seconds);
  g_autoptr (BoxDestination) destination =
      box_destination_new_folder (box_scratch_get_folder (probe->scratch), name, error);
  g_autoptr (GBytes) bytes = box_probe_make_bytes (g_random_int (), 2 * REST_BYTES);
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GLIB);
  g_autoptr (BoxFile) file = NULL;
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  Rest rest = { .bytes = bytes, .rest = seconds * (gint64) G_USEC_PER_SEC };
  BoxBodySource source = { .fd = fd, .take = take };
  BoxBody body = { .size = BOX_BODY_UNKNOWN_SIZE, .user_data = &rest, .source = &source };
  BoxLiveSource live = { .body = &body, .sum = get_sum, .user_data = &rest };

  g_return_val_if_fail (destination != NULL && fd >= 0, FALSE);
  box_digest_update (digest, g_bytes_get_data (bytes, NULL), 2 * REST_BYTES);
  box_digest_finish (digest, &rest.sha1);
  file = box_client_upload_live (probe->settings->client, probe->transport, destination, &live,
                                 NULL, NULL, NULL, probe->cancellable, error);
  close (fd);
  return file != NULL;
}

gboolean
box_probe_rests (BoxProbe *probe, GError **error)
{
  const guint *rests = probe->settings->rests != NULL ? probe->settings->rests : default_rests;
  guint longest = 0;

  for (guint i = 0; rests[i] != 0; i++)
    {
      g_autofree char *question = g_strdup_printf ("a request that rests for %u s", rests[i]);
      g_autoptr (GError) reason = NULL;

      if (send_with_rest (probe, rests[i], &reason))
        {
          box_probe_tell (probe, question, "ends well");
          longest = rests[i];
          continue;
        }
      if (g_cancellable_is_cancelled (probe->cancellable))
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          return FALSE;
        }
      box_probe_tell (probe, question, "is cut: %s", reason->message);
      break;
    }
  json_object_set_int_member (probe->profile, "longest_rest", longest);
  return TRUE;
}

/* --- Rights ----------------------------------------------------------------------------------- */

static void
tell_right (BoxProbe *probe, JsonObject *rights, const char *what, const GError *reason)
{
  g_autofree char *question = g_strdup_printf ("a token for uploads only: %s", what);
  g_autofree char *answer = reason != NULL ? box_probe_describe (reason) : g_strdup ("allowed");

  json_object_set_boolean_member (rights, what, reason == NULL);
  box_probe_tell (probe, question, "%s", answer);
}

static void
try_rights (BoxProbe *probe, BoxClient *client, JsonObject *rights)
{
  const char *folder = box_scratch_get_folder (probe->scratch);
  g_autoptr (BoxDestination) destination = box_destination_new_folder (folder, "right.bin", NULL);
  g_autoptr (GError) create = NULL, get = NULL, list = NULL, file = NULL, abort_error = NULL;
  g_autoptr (BoxSession) session = NULL, same = NULL;
  g_autoptr (GPtrArray) parts = NULL;
  g_autoptr (BoxFile) found = NULL;

  session = box_client_create_session (client, probe->transport, destination, BOX_PROBE_SIZE,
                                       probe->cancellable, &create);
  tell_right (probe, rights, "create", create);
  if (probe->file != NULL)
    {
      found = box_client_get_file (client, probe->transport, probe->file->id, probe->cancellable,
                                   &file);
      tell_right (probe, rights, "look at a file", file);
    }
  if (session == NULL)
    return;
  same = box_client_get_session (client, probe->transport, session->id, probe->cancellable, &get);
  tell_right (probe, rights, "status", get);
  parts =
      box_client_list_parts (client, probe->transport, session, NULL, probe->cancellable, &list);
  tell_right (probe, rights, "list", list);
  box_client_abort (client, probe->transport, session, probe->cancellable, &abort_error);
  tell_right (probe, rights, "abort", abort_error);
  if (abort_error != NULL)
    box_client_abort (probe->settings->client, probe->transport, session, NULL, NULL);
}

gboolean
box_probe_rights (BoxProbe *probe, GError **error)
{
  BoxClientSettings settings = probe->settings->client_settings;
  g_autoptr (BoxClient) client = NULL;
  JsonObject *rights = json_object_new ();
  char *token = box_credentials_downscope (box_client_get_credentials (probe->settings->client),
                                           box_scratch_get_folder (probe->scratch), NULL,
                                           probe->cancellable, error);

  json_object_set_object_member (probe->profile, "base_upload", rights);
  if (token == NULL)
    return FALSE;
  settings.access_token = token;
  settings.token_file = settings.auth_config = NULL;
  client = box_client_new (&settings, error);
  if (client != NULL)
    try_rights (probe, client, rights);
  box_credentials_free_token (token);
  return client != NULL;
}

/* --- Speed ------------------------------------------------------------------------------------ */

#define SPEED_SIZE (G_GUINT64_CONSTANT (8) * (8 << 20))

#define MAX_PARALLEL 8

static const guint parallels[] = { 1, 2, 4, MAX_PARALLEL };

typedef struct
{
  BoxProbe *probe;
  const BoxSession *session;
  gint next;     /* atomic: the part to send */
  gint n_failed; /* atomic */
} Race;

static gpointer
send_parts (gpointer data)
{
  Race *race = data;
  g_autoptr (BoxTransport) transport = box_transport_new ();

  for (;;)
    {
      guint i = (guint) g_atomic_int_add (&race->next, 1);
      guint64 offset = i * race->session->part_size;
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (BoxPart) part = NULL;

      if (offset >= SPEED_SIZE)
        return NULL;
      bytes = box_probe_make_bytes (g_random_int (),
                                    (gsize) MIN (race->session->part_size, SPEED_SIZE - offset));
      part = box_probe_send_part (race->probe, transport, race->session, offset, SPEED_SIZE, bytes,
                                  NULL);
      if (part == NULL)
        g_atomic_int_inc (&race->n_failed);
    }
}

/* Seconds in which all parts were sent with @n at a time; negative: some failed. */
static double
race (BoxProbe *probe, const BoxSession *session, guint n)
{
  Race race = { .probe = probe, .session = session };
  gint64 begun = g_get_monotonic_time ();
  GThread *threads[MAX_PARALLEL] = { NULL };

  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_try_new ("box-probe", send_parts, &race, NULL);
  if (threads[0] == NULL)
    return -1;
  for (guint i = 0; i < n; i++)
    if (threads[i] != NULL)
      g_thread_join (threads[i]);
  return race.n_failed > 0 ? -1 : (double) (g_get_monotonic_time () - begun) / G_USEC_PER_SEC;
}

gboolean
box_probe_speed (BoxProbe *probe, GError **error)
{
  JsonArray *speeds = json_array_new ();

  json_object_set_array_member (probe->profile, "speed", speeds);
  for (guint i = 0; i < G_N_ELEMENTS (parallels); i++)
    {
      g_autofree char *question = g_strdup_printf ("%u parts at a time", parallels[i]);
      g_autoptr (BoxSession) session = box_scratch_create_session (
          probe->scratch, "speed.bin", NULL, SPEED_SIZE, probe->cancellable, error);
      JsonObject *row;
      double seconds;

      if (session == NULL)
        return FALSE;
      seconds = race (probe, session, parallels[i]);
      box_scratch_abort (probe->scratch, session);
      if (g_cancellable_set_error_if_cancelled (probe->cancellable, error))
        return FALSE;
      if (seconds < 0)
        {
          box_probe_tell (probe, question, "a part failed");
          continue;
        }
      row = json_object_new ();
      json_object_set_int_member (row, "parallel", parallels[i]);
      json_object_set_double_member (row, "bytes_per_second", SPEED_SIZE / seconds);
      json_array_add_object_element (speeds, row);
      box_probe_tell (probe, question, "%.1f MB/s, %.2f s a part", SPEED_SIZE / seconds / 1e6,
                      seconds * parallels[i] / 8);
    }
  return TRUE;
}

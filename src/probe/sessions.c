/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Experiments with sessions: the size of parts, wrong parts, and commits that should not work. */
#include "probe/experiments.h"

#define MB G_GUINT64_CONSTANT (1000000)

static const guint64 file_sizes[] = {
  20 * MB, 50 * MB, 100 * MB, 500 * MB, 1000 * MB, 5000 * MB, 15000 * MB, 50000 * MB,
};

gboolean
box_probe_part_sizes (BoxProbe *probe, GError **error)
{
  JsonArray *sizes = json_array_new ();

  json_object_set_array_member (probe->profile, "part_sizes", sizes);
  for (guint i = 0; i < G_N_ELEMENTS (file_sizes); i++)
    {
      g_autofree char *question =
          g_strdup_printf ("parts of a file of %u MB", (guint) (file_sizes[i] / MB));
      g_autoptr (GError) reason = NULL;
      g_autoptr (BoxSession) session = box_scratch_create_session (
          probe->scratch, "sizes.bin", NULL, file_sizes[i], probe->cancellable, &reason);
      JsonObject *row;

      /* Too large for the account, or for its free space: so are the rest. */
      if (session == NULL && i > 0 && box_error_get_details (reason)->http_status != 0)
        {
          g_autofree char *answer = box_probe_describe (reason);

          box_probe_tell (probe, question, "refused: %s", answer);
          return TRUE;
        }
      if (session == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          return FALSE;
        }
      row = json_object_new ();
      json_object_set_int_member (row, "file_size", (gint64) file_sizes[i]);
      json_object_set_int_member (row, "part_size", (gint64) session->part_size);
      json_array_add_object_element (sizes, row);
      box_probe_tell (probe, question, "%u of %" G_GUINT64_FORMAT " bytes", session->total_parts,
                      session->part_size);
      box_scratch_abort (probe->scratch, session);
    }
  return TRUE;
}

/* A part of @length bytes that is not what the request says. */
static GError *
send_wrongly (BoxProbe *probe, const BoxSession *session, guint64 total, const BoxSha1 *sha1)
{
  g_autoptr (GBytes) bytes =
      box_probe_make_bytes (g_random_int (), (gsize) MIN (session->part_size, total));
  g_autoptr (BoxPart) part = NULL;
  GError *reason = NULL;
  BoxBody body;

  box_body_init_bytes (&body, bytes);
  part = box_client_upload_part (probe->settings->client, probe->transport, session, 0, total, sha1,
                                 &body, probe->cancellable, &reason);
  return reason;
}

static void
tell_answer (BoxProbe *probe, const char *question, const char *name, const GError *reason)
{
  g_autofree char *answer = reason != NULL ? box_probe_describe (reason) : g_strdup ("taken");

  box_probe_note_answer (probe, name, reason);
  box_probe_tell (probe, question, "%s", answer);
}

gboolean
box_probe_wrong_parts (BoxProbe *probe, GError **error)
{
  g_autoptr (BoxSession) session = box_scratch_create_session (
      probe->scratch, "wrong.bin", NULL, BOX_PROBE_SIZE, probe->cancellable, error);
  g_autoptr (GError) digest = NULL, total = NULL;
  BoxSha1 wrong = { { 0 } };

  if (session == NULL)
    return FALSE;
  digest = send_wrongly (probe, session, BOX_PROBE_SIZE, &wrong);
  tell_answer (probe, "a part with a wrong SHA-1", "wrong_digest", digest);
  total = send_wrongly (probe, session, BOX_PROBE_SIZE + session->part_size, &wrong);
  tell_answer (probe, "a part of a file of another size", "wrong_total", total);
  box_scratch_abort (probe->scratch, session);
  return TRUE;
}

static void
commit_short (BoxProbe *probe, const BoxSession *session, GPtrArray *parts)
{
  g_autoptr (GPtrArray) fewer = g_ptr_array_new ();
  g_autoptr (BoxFile) file = NULL;
  g_autoptr (GError) reason = NULL;
  BoxSha1 none = { { 0 } };
  gint retry_after;

  g_ptr_array_add (fewer, parts->pdata[0]);
  box_client_commit (probe->settings->client, probe->transport, session, fewer, &none, NULL, NULL,
                     &file, &retry_after, probe->cancellable, &reason);
  tell_answer (probe, "a commit without all parts", "short_commit", reason);
}

static void
commit_wrongly (BoxProbe *probe, const BoxSession *session, GPtrArray *parts)
{
  g_autoptr (BoxFile) file = NULL;
  g_autoptr (GError) reason = NULL;
  BoxSha1 wrong = { { 0 } };
  gint retry_after;

  box_client_commit (probe->settings->client, probe->transport, session, parts, &wrong, NULL, NULL,
                     &file, &retry_after, probe->cancellable, &reason);
  tell_answer (probe, "a commit with a wrong SHA-1", "wrong_commit", reason);
}

gboolean
box_probe_commits (BoxProbe *probe, GError **error)
{
  g_autoptr (BoxSession) session = box_scratch_create_session (
      probe->scratch, "file.bin", NULL, BOX_PROBE_SIZE, probe->cancellable, error);
  g_autoptr (BoxFile) again = NULL;
  g_autoptr (GError) reason = NULL;
  gint64 begun;
  BoxSha1 sha1;
  gint retry_after;

  if (session == NULL)
    return FALSE;
  probe->parts = box_probe_fill (probe, session, BOX_PROBE_SIZE, &sha1, error);
  if (probe->parts == NULL)
    return FALSE;
  commit_short (probe, session, probe->parts);
  commit_wrongly (probe, session, probe->parts);
  begun = g_get_monotonic_time ();
  probe->file = box_probe_commit (probe, session, probe->parts, &sha1, error);
  if (probe->file == NULL)
    return FALSE;
  box_probe_tell (probe, "a commit", "%.1f s for 20 MB",
                  (double) (g_get_monotonic_time () - begun) / G_USEC_PER_SEC);
  box_client_commit (probe->settings->client, probe->transport, session, probe->parts, &sha1, NULL,
                     NULL, &again, &retry_after, probe->cancellable, &reason);
  tell_answer (probe, "a second commit of a new file's session", "second_commit", reason);
  return TRUE;
}

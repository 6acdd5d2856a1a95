/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The receiving of one part: straight into its range of the session's data, hashed on the way.
 */
#include "emulator/box/sessions-state.h"

#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Used by the one thread that receives the part. */
struct _EmuPartWriter
{
  EmuSessions *sessions;
  EmuSession *session;
  guint index;
  gboolean apart; /* writes to path, not to the session's data */
  char *path;
  int fd;
  guint64 position; /* of the next byte, in fd */
  guint64 left;
  BoxDigest *digest;
  gboolean failed; /* the disk did */
  gboolean stored;
};

static gboolean
overlaps (EmuSession *session, guint index, EmuProblem *problem)
{
  JsonObject *part = json_object_new ();

  emu_problem_set (problem, 416, "range_overlaps_existing_part",
                   "Part overlaps with previously uploaded part: {id: \"%s\", \"offset\": "
                   "%" G_GUINT64_FORMAT ", \"size\": %" G_GUINT64_FORMAT "}",
                   session->parts[index].id, index * session->part_size,
                   emu_session_get_part_length (session, index));
  json_object_set_string_member (part, "part_id", session->parts[index].id);
  json_object_set_int_member (part, "offset", index * session->part_size);
  json_object_set_int_member (part, "size", emu_session_get_part_length (session, index));
  json_object_set_object_member (emu_problem_get_context (problem), "conflicting_part", part);
  return FALSE;
}

EmuPartWriter *
emu_sessions_begin_part (EmuSessions *sessions, EmuSession *session, guint64 first, guint64 last,
                         guint64 total, EmuProblem *problem)
{
  static gint serial;
  gint index = emu_session_find_part (session, first, last, total, problem);
  EmuPartWriter *writer;
  EmuPart *part;

  if (index < 0)
    return NULL;
  writer = g_new0 (EmuPartWriter, 1);
  writer->sessions = sessions;
  writer->session = emu_session_ref (session);
  writer->index = index;
  writer->left = last - first + 1;
  writer->digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  part = &session->parts[index];
  g_mutex_lock (&sessions->lock);
  writer->apart = part->busy || part->id[0] != '\0';
  if (!writer->apart)
    part->busy = TRUE;
  g_mutex_unlock (&sessions->lock);
  if (writer->apart)
    writer->path = g_strdup_printf ("%s/incoming-%d", session->dir, g_atomic_int_add (&serial, 1));
  else
    {
      writer->path = g_strdup (session->data_path);
      writer->position = first;
    }
  writer->fd = open (writer->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  writer->failed = writer->fd < 0;
  return writer;
}

gboolean
emu_part_writer_write (EmuPartWriter *writer, gconstpointer data, gsize size)
{
  const char *next = data;

  if (size > writer->left)
    return FALSE;
  box_digest_update (writer->digest, data, size);
  writer->left -= size;
  while (size > 0 && !writer->failed)
    {
      gssize n = pwrite (writer->fd, next, size, writer->position);

      if (n < 0 && errno != EINTR)
        writer->failed = TRUE;
      else if (n > 0)
        {
          next += n;
          size -= n;
          writer->position += n;
        }
    }
  return TRUE;
}

static void
store_locked (EmuPartWriter *writer, const BoxSha1 *sha1)
{
  EmuPart *part = &writer->session->parts[writer->index];
  g_autofree char *hex = box_sha1_to_hex (sha1);

  g_snprintf (part->id, sizeof part->id, "%08X", g_random_int ());
  g_strlcpy (part->sha1, hex, sizeof part->sha1);
  part->apart = writer->apart;
  part->stored = emu_clock_now (writer->sessions->clock);
  g_clear_pointer (&part->sha512, g_free);
  g_clear_pointer (&writer->session->sha1, g_free);
  if (writer->apart)
    {
      g_autofree char *path = emu_session_get_part_path (writer->session, writer->index);

      g_rename (writer->path, path);
    }
  writer->session->n_stored++;
  writer->stored = TRUE;
  emu_session_save_part (writer->session, writer->index);
}

static gboolean
finish_locked (EmuPartWriter *writer, const char *expected, const BoxSha1 *actual,
               EmuProblem *problem)
{
  EmuPart *part = &writer->session->parts[writer->index];
  g_autofree char *base64 = box_sha1_to_base64 (actual);

  if (!emu_sessions_check_locked (writer->sessions, writer->session, problem))
    return FALSE;
  part->received++;
  if (part->id[0] != '\0')
    return overlaps (writer->session, writer->index, problem);
  if (!g_str_equal (base64, expected))
    return emu_problem_set_upload (problem, 400, "digest_mismatch",
                                   "Part digest was incorrect. Actual: %s Expected: %s", base64,
                                   expected);
  if (writer->failed)
    return emu_problem_set (problem, 500, "internal_server_error", "The disk refused the part");
  store_locked (writer, actual);
  return TRUE;
}

JsonObject *
emu_part_writer_finish (EmuPartWriter *writer, const char *sha1, EmuProblem *problem)
{
  JsonObject *object = NULL;
  BoxSha1 actual;

  if (writer->left > 0)
    {
      emu_problem_set_upload (problem, 400, "bad_request", "Stream ended unexpectedly");
      return NULL;
    }
  box_digest_finish (writer->digest, &actual);
  g_mutex_lock (&writer->sessions->lock);
  if (finish_locked (writer, sha1, &actual, problem))
    object = emu_session_part_to_json (writer->session, writer->index, TRUE);
  g_mutex_unlock (&writer->sessions->lock);
  return object;
}

void
emu_part_writer_free (EmuPartWriter *writer)
{
  if (writer->fd >= 0)
    close (writer->fd);
  if (writer->apart && !writer->stored)
    g_unlink (writer->path);
  g_mutex_lock (&writer->sessions->lock);
  if (!writer->apart)
    writer->session->parts[writer->index].busy = FALSE;
  g_mutex_unlock (&writer->sessions->lock);
  emu_session_unref (writer->session);
  box_digest_free (writer->digest);
  g_free (writer->path);
  g_free (writer);
}

/* --- for tests ---------------------------------------------------------------------------------
 */

gboolean
emu_sessions_add_part (EmuSessions *sessions, const char *id, guint64 offset, gconstpointer data,
                       gsize size)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (EmuSession) session = NULL;
  g_autoptr (EmuPartWriter) writer = NULL;
  g_autoptr (JsonObject) part = NULL;
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  g_autofree char *base64 = NULL;
  BoxSha1 sha1;

  g_mutex_lock (&sessions->lock);
  session = g_hash_table_lookup (sessions->by_id, id);
  if (session != NULL)
    emu_session_ref (session);
  g_mutex_unlock (&sessions->lock);
  if (session == NULL || size == 0)
    return FALSE;
  writer = emu_sessions_begin_part (sessions, session, offset, offset + size - 1, session->size,
                                    &problem);
  if (writer == NULL || !emu_part_writer_write (writer, data, size))
    return FALSE;
  box_digest_update (digest, data, size);
  box_digest_finish (digest, &sha1);
  base64 = box_sha1_to_base64 (&sha1);
  part = emu_part_writer_finish (writer, base64, &problem);
  return part != NULL;
}

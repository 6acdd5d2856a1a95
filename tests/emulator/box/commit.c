/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commit of a session: the client's list against what is stored, the digest of the whole, then
 * the file.
 */
#include "emulator/box/sessions-state.h"

#include "base/digest.h"
#include "emulator/base/json.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define BUFFER_SIZE 262144

/* Whether @entry names the part @index, which is stored, or was found elsewhere. */
static gboolean
matches_locked (EmuSession *session, guint index, JsonObject *entry)
{
  const EmuPart *part = &session->parts[index];
  const char *id = emu_json_string (entry, "part_id");
  const char *sha1 = emu_json_string (entry, "sha1");
  gboolean sent = part->id[0] != '\0' && g_strcmp0 (id, part->id) == 0;
  gboolean hit = part->hit[0] != '\0' && g_strcmp0 (id, part->hit) == 0;

  return (sent || hit) && (sha1 == NULL || !sent || g_ascii_strcasecmp (sha1, part->sha1) == 0)
         && emu_json_int (entry, "offset", -1) == (gint64) (index * session->part_size)
         && emu_json_int (entry, "size", -1)
                == (gint64) emu_session_get_part_length (session, index);
}

static gboolean
check_parts_locked (EmuSession *session, JsonArray *parts, EmuProblem *problem)
{
  for (guint i = 0; i < json_array_get_length (parts); i++)
    {
      JsonNode *node = json_array_get_element (parts, i);
      JsonObject *entry = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      g_autofree char *text = NULL;

      if (entry != NULL && i < session->n_parts && matches_locked (session, i, entry))
        continue;
      text = json_to_string (node, FALSE);
      return emu_problem_set_upload (problem, 400, "parts_mismatch",
                                     "No matching part found on server for %s", text);
    }
  if (json_array_get_length (parts) != session->n_parts)
    return emu_problem_set_upload (problem, 400, "parts_mismatch",
                                   "%u parts were given, the session has %u",
                                   json_array_get_length (parts), session->n_parts);
  return TRUE;
}

/* Whether a request is still writing where a part that is stored apart belongs. */
static gboolean
is_busy_locked (EmuSession *session)
{
  for (guint i = 0; i < session->n_parts; i++)
    if (session->parts[i].busy)
      return TRUE;
  return FALSE;
}

static gboolean
check_locked (EmuSessions *sessions, EmuSession *session, JsonArray *parts, gboolean *processing,
              EmuProblem *problem)
{
  if (!emu_sessions_check_locked (sessions, session, problem)
      || !check_parts_locked (session, parts, problem))
    return FALSE;
  *processing = session->n_asked < sessions->rules.processing || is_busy_locked (session);
  session->n_asked++;
  return TRUE;
}

/* Copies @from into @to at @offset. */
static gboolean
copy_into (const char *from, const char *to, guint64 offset)
{
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  int in = open (from, O_RDONLY | O_CLOEXEC);
  int out = open (to, O_WRONLY | O_CLOEXEC);
  gssize n = in >= 0 && out >= 0 ? 1 : -1;

  while (n > 0)
    {
      n = read (in, buffer, BUFFER_SIZE);
      if (n > 0 && pwrite (out, buffer, n, offset) != n)
        n = -1;
      offset += MAX (n, 0);
    }
  if (in >= 0)
    close (in);
  if (out >= 0)
    close (out);
  return n == 0;
}

static gboolean
bring_in_locked (EmuSession *session)
{
  for (guint i = 0; i < session->n_parts; i++)
    {
      g_autofree char *path = NULL;

      if (!session->parts[i].apart)
        continue;
      path = emu_session_get_part_path (session, i);
      if (!copy_into (path, session->data_path, i * session->part_size))
        return FALSE;
      g_unlink (path);
      session->parts[i].apart = FALSE;
    }
  return TRUE;
}

/* Base64 of the SHA-1 of @path; NULL: it cannot be read. */
static char *
hash_file (const char *path)
{
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gssize n = fd >= 0 ? 1 : -1;
  BoxSha1 sha1;

  while (n > 0)
    {
      n = read (fd, buffer, BUFFER_SIZE);
      if (n > 0)
        box_digest_update (digest, buffer, n);
    }
  if (fd >= 0)
    close (fd);
  box_digest_finish (digest, &sha1);
  return n == 0 ? box_sha1_to_base64 (&sha1) : NULL;
}

/* The data cannot change any more: all parts are stored. */
static gboolean
check_digest (EmuSessions *sessions, EmuSession *session, const char *expected, EmuProblem *problem)
{
  g_autofree char *actual = NULL;
  gboolean ok;

  g_mutex_lock (&sessions->lock);
  ok = bring_in_locked (session);
  actual = g_strdup (session->sha1);
  g_mutex_unlock (&sessions->lock);
  if (ok && actual == NULL)
    actual = hash_file (session->data_path);
  if (!ok || actual == NULL)
    return emu_problem_set (problem, 500, "internal_server_error", "The data cannot be read");
  g_mutex_lock (&sessions->lock);
  if (session->sha1 == NULL)
    session->sha1 = g_strdup (actual);
  g_mutex_unlock (&sessions->lock);
  return g_str_equal (actual, expected)
         || emu_problem_set_upload (problem, 400, "digest_mismatch",
                                    "File digest was incorrect. Actual: %s Expected: %s", actual,
                                    expected);
}

static char *
base64_to_hex (const char *base64)
{
  gsize size;
  g_autofree guchar *bytes = g_base64_decode (base64, &size);
  GString *hex = g_string_new (NULL);

  for (gsize i = 0; i < size; i++)
    g_string_append_printf (hex, "%02x", bytes[i]);
  return g_string_free (hex, FALSE);
}

static JsonObject *
make_file (EmuSessions *sessions, EmuSession *session, const char *sha1, JsonObject *attributes,
           const char *if_match, EmuProblem *problem)
{
  g_autofree char *hex = base64_to_hex (sha1);
  EmuPut put = { .folder_id = session->folder_id,
                 .file_id = session->file_id,
                 .name = session->name,
                 .if_match = if_match,
                 .content = session->data_path,
                 .keep = TRUE,
                 .size = session->size,
                 .sha1 = hex,
                 .attributes = attributes };
  JsonObject *file = emu_store_put (sessions->store, &put, problem);

  if (file == NULL)
    return NULL;
  g_mutex_lock (&sessions->lock);
  session->state = EMU_SESSION_COMMITTED;
  session->n_commits++;
  g_free (session->made_id);
  session->made_id = g_strdup (emu_json_string (file, "id"));
  emu_session_save (session, NULL);
  g_mutex_unlock (&sessions->lock);
  return file;
}

JsonObject *
emu_sessions_commit (EmuSessions *sessions, EmuSession *session, JsonArray *parts, const char *sha1,
                     JsonObject *attributes, const char *if_match, gboolean *processing,
                     EmuProblem *problem)
{
  gboolean ok;

  g_mutex_lock (&sessions->lock);
  ok = check_locked (sessions, session, parts, processing, problem);
  g_mutex_unlock (&sessions->lock);
  if (!ok || *processing)
    return NULL;
  if (!check_digest (sessions, session, sha1, problem))
    return NULL;
  return make_file (sessions, session, sha1, attributes, if_match, problem);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/session.h"

#include "emulator/base/clock.h"
#include "emulator/base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

EmuSession *
emu_session_new (const char *root, const char *id, const char *owner, const char *folder_id,
                 const char *file_id, const char *name, guint64 size, guint64 part_size)
{
  EmuSession *session = g_new0 (EmuSession, 1);

  g_atomic_ref_count_init (&session->refs);
  session->id = g_strdup (id);
  session->dir = g_build_filename (root, id, NULL);
  session->data_path = g_build_filename (session->dir, "data", NULL);
  session->owner = g_strdup (owner);
  session->folder_id = g_strdup (folder_id);
  session->file_id = g_strdup (file_id);
  session->name = g_strdup (name);
  session->size = size;
  session->part_size = part_size;
  session->n_parts = (size + part_size - 1) / part_size;
  session->parts = g_new0 (EmuPart, session->n_parts);
  return session;
}

EmuSession *
emu_session_ref (EmuSession *session)
{
  g_atomic_ref_count_inc (&session->refs);
  return session;
}

void
emu_session_unref (EmuSession *session)
{
  if (!g_atomic_ref_count_dec (&session->refs))
    return;
  g_free (session->id);
  g_free (session->dir);
  g_free (session->data_path);
  g_free (session->owner);
  g_free (session->folder_id);
  g_free (session->file_id);
  g_free (session->name);
  for (guint i = 0; i < session->n_parts; i++)
    g_free (session->parts[i].sha512);
  g_free (session->parts);
  g_free (session->made_id);
  g_free (session->sha1);
  g_free (session);
}

/* --- the grid ----------------------------------------------------------------------------------
 */

guint64
emu_session_get_part_length (EmuSession *session, guint index)
{
  return MIN (session->part_size, session->size - index * session->part_size);
}

gint
emu_session_find_part (EmuSession *session, guint64 first, guint64 last, guint64 total,
                       EmuProblem *problem)
{
  guint64 index = first / session->part_size;

  if (total == session->size && first % session->part_size == 0 && index < session->n_parts
      && last >= first && last - first + 1 == emu_session_get_part_length (session, index))
    return index;
  emu_problem_set (problem, 416, "invalid_range",
                   "Content range %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT
                   " does not match a specified range for the session",
                   first, last, total);
  return -1;
}

/* --- as clients see it -------------------------------------------------------------------------
 */

static JsonObject *
endpoints_to_json (EmuSession *session, const char *base, gboolean has_plan)
{
  static const struct
  {
    const char *name;
    const char *suffix;
  } endpoints[] = { { "list_parts", "/parts" }, { "commit", "/commit" }, { "log_event", "/log" },
                    { "upload_part", "" },      { "status", "" },        { "abort", "" },
                    { "plan", "/plan" } };
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (endpoints) - (has_plan ? 0 : 1); i++)
    {
      g_autofree char *url =
          g_strdup_printf ("%s/files/upload_sessions/%s%s", base, session->id, endpoints[i].suffix);

      json_object_set_string_member (object, endpoints[i].name, url);
    }
  return object;
}

JsonObject *
emu_session_to_json (EmuSession *session, const char *base, guint n_processed, gboolean has_plan)
{
  JsonObject *object = json_object_new ();
  g_autofree char *expires = emu_time_to_string (session->expires);

  json_object_set_int_member (object, "total_parts", session->n_parts);
  json_object_set_int_member (object, "part_size", session->part_size);
  json_object_set_object_member (object, "session_endpoints",
                                 endpoints_to_json (session, base, has_plan));
  json_object_set_string_member (object, "session_expires_at", expires);
  json_object_set_string_member (object, "id", session->id);
  json_object_set_string_member (object, "type", "upload_session");
  json_object_set_int_member (object, "num_parts_processed", n_processed);
  return object;
}

JsonObject *
emu_session_part_to_json (EmuSession *session, guint index, gboolean with_sha1)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "part_id", session->parts[index].id);
  json_object_set_int_member (object, "offset", index * session->part_size);
  json_object_set_int_member (object, "size", emu_session_get_part_length (session, index));
  emu_json_set_string (object, "sha1", with_sha1 ? session->parts[index].sha1 : NULL);
  return object;
}

char *
emu_session_get_part_path (EmuSession *session, guint index)
{
  return g_strdup_printf ("%s/part-%u", session->dir, index);
}

/* --- on disk -----------------------------------------------------------------------------------
 */

static char *
serialise (EmuSession *session)
{
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_string_member (object, "owner", session->owner);
  emu_json_set_string (object, "folder_id", session->folder_id);
  emu_json_set_string (object, "file_id", session->file_id);
  emu_json_set_string (object, "name", session->name);
  json_object_set_int_member (object, "size", session->size);
  json_object_set_int_member (object, "part_size", session->part_size);
  json_object_set_int_member (object, "created", session->created);
  json_object_set_int_member (object, "expires", session->expires);
  json_object_set_int_member (object, "commits", session->n_commits);
  emu_json_set_string (object, "made", session->made_id);
  json_object_set_int_member (object, "state", session->state);
  return emu_json_to_text (object);
}

gboolean
emu_session_save (EmuSession *session, GError **error)
{
  g_autofree char *path = g_build_filename (session->dir, "session.json", NULL);
  g_autofree char *text = serialise (session);
  int fd = -1;

  if (g_mkdir_with_parents (session->dir, 0700) == 0)
    fd = open (session->data_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot keep a session: %s",
                   g_strerror (errno));
      return FALSE;
    }
  close (fd);
  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

void
emu_session_save_part (EmuSession *session, guint index)
{
  g_autofree char *path = g_build_filename (session->dir, "parts", NULL);
  FILE *file = g_fopen (path, "ae");

  if (file == NULL)
    return;
  fprintf (file, "%u %s %s\n", index, session->parts[index].id, session->parts[index].sha1);
  fclose (file);
}

static void
load_part (EmuSession *session, const char *line)
{
  EmuPart part = { 0 };
  g_autofree char *path = NULL;
  guint index;

  if (sscanf (line, "%u %8s %40s", &index, part.id, part.sha1) != 3 || index >= session->n_parts
      || strlen (part.sha1) != 40)
    return;
  path = emu_session_get_part_path (session, index);
  part.apart = g_file_test (path, G_FILE_TEST_EXISTS);
  session->parts[index] = part;
  session->n_stored++;
}

static void
load_parts (EmuSession *session)
{
  g_autofree char *path = g_build_filename (session->dir, "parts", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    load_part (session, lines[i]);
}

EmuSession *
emu_session_load (const char *root, const char *id)
{
  g_autofree char *path = g_build_filename (root, id, "session.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (JsonObject) object = NULL;
  EmuSession *session;

  if (g_file_get_contents (path, &text, NULL, NULL))
    object = emu_json_parse (text, -1);
  if (emu_json_int (object, "part_size", 0) <= 0 || emu_json_int (object, "size", -1) < 0)
    return NULL;
  session = emu_session_new (
      root, id, emu_json_string (object, "owner"), emu_json_string (object, "folder_id"),
      emu_json_string (object, "file_id"), emu_json_string (object, "name"),
      emu_json_int (object, "size", 0), emu_json_int (object, "part_size", 0));
  session->created = emu_json_int (object, "created", 0);
  session->expires = emu_json_int (object, "expires", 0);
  session->n_commits = emu_json_int (object, "commits", 0);
  session->made_id = g_strdup (emu_json_string (object, "made"));
  session->state = emu_json_int (object, "state", 0);
  load_parts (session);
  return session;
}

void
emu_session_delete (EmuSession *session)
{
  g_autoptr (GDir) dir = g_dir_open (session->dir, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (session->dir, name, NULL);

      g_unlink (path);
    }
  g_rmdir (session->dir);
}

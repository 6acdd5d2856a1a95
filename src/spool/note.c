/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notes are small JSON objects named after their session, so that any process of the user finds
 * them:
 *
 *   {"version":1,"session":"F97…","size":104857600,"folder":"0","name":"a.mp4","expires_at":"2026-01-02T03:04:05Z"}
 *
 * with "file" in place of "folder" and "name" for a new version. Writers replace a note as a whole,
 * so readers need no lock. The parts of a session are lines of a file beside it, each appended in
 * one write:
 *
 *   {"part_id":"6F2D3486","offset":0,"size":8388608,"sha1":"5fde1cce603e6566d20da811c9c8bcccb044d4ae"}
 */
#include "spool/note.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/json.h"

#define NOTE_VERSION 1
#define NOTE_SUFFIX  ".json"
#define PARTS_SUFFIX ".parts"

/* Noted parts are forgotten this long after the last one: no session lasts longer. Seconds. */
#define PARTS_LIFE (30 * 24 * 3600)

/* A real note is below 2 kB; a larger file is not one of ours. Bytes. */
#define NOTE_MAX_SIZE 65536

/* Notes are forgotten this long after their session expired: the clocks of this machine and of Box
 * differ. */
#define NOTE_GRACE G_TIME_SPAN_DAY

void
box_note_free (BoxNote *note)
{
  if (note == NULL)
    return;
  g_free (note->session_id);
  g_clear_pointer (&note->destination, box_destination_free);
  g_clear_pointer (&note->expires_at, g_date_time_unref);
  g_free (note);
}

static BoxNote *
note_copy (const BoxNote *note)
{
  BoxNote *copy = g_new0 (BoxNote, 1);

  copy->session_id = g_strdup (note->session_id);
  copy->size = note->size;
  copy->destination = box_destination_copy (note->destination);
  copy->expires_at = note->expires_at != NULL ? g_date_time_ref (note->expires_at) : NULL;
  return copy;
}

static char *
note_dir (void)
{
  return g_build_filename (g_get_user_state_dir (), "boxupload", "sessions", NULL);
}

/* NULL if @session_id is not a session's: it must not contain a path. */
static char *
note_path (const char *session_id, const char *suffix)
{
  g_autoptr (BoxDestination) checked = box_destination_new_session (session_id, NULL);
  g_autofree char *dir = note_dir ();
  g_autofree char *name = NULL;

  if (checked == NULL)
    return NULL;
  name = g_strconcat (session_id, suffix, NULL);
  return g_build_filename (dir, name, NULL);
}

static void
add_string (JsonBuilder *builder, const char *member, const char *value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_string_value (builder, value);
}

static char *
note_format (const BoxSession *session, guint64 size, const BoxDestination *destination)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "version");
  json_builder_add_int_value (builder, NOTE_VERSION);
  add_string (builder, "session", session->id);
  json_builder_set_member_name (builder, "size");
  json_builder_add_int_value (builder, (gint64) size);
  if (destination->kind == BOX_DESTINATION_FILE)
    add_string (builder, "file", destination->file_id);
  else
    {
      add_string (builder, "folder", destination->folder_id);
      add_string (builder, "name", destination->name);
    }
  if (session->expires_at != NULL)
    {
      g_autofree char *expires_at = g_date_time_format_iso8601 (session->expires_at);

      add_string (builder, "expires_at", expires_at);
    }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

static BoxDestination *
parse_destination (JsonObject *object)
{
  const char *file_id = box_json_peek_string (object, "file");
  const char *name = box_json_peek_string (object, "name");

  if (file_id != NULL)
    return box_destination_new_file (file_id, NULL);
  if (name != NULL)
    return box_destination_new_folder (box_json_peek_string (object, "folder"), name, NULL);
  return NULL;
}

BoxNote *
box_note_parse (const char *text, gsize length, const char *session_id)
{
  g_autoptr (BoxNote) note = g_new0 (BoxNote, 1);
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, length);
  g_autoptr (JsonNode) root = box_json_parse (bytes, NULL);
  const char *expires_at;
  JsonObject *object;
  guint64 version;

  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return NULL;
  object = json_node_get_object (root);
  note->session_id = g_strdup (box_json_peek_string (object, "session"));
  note->destination = parse_destination (object);
  expires_at = box_json_peek_string (object, "expires_at");
  if (expires_at != NULL)
    note->expires_at = g_date_time_new_from_iso8601 (expires_at, NULL);

  if (!box_json_get_uint64 (object, "version", NOTE_VERSION, NOTE_VERSION, &version, NULL)
      || g_strcmp0 (note->session_id, session_id) != 0
      || !box_json_get_uint64 (object, "size", 1, G_MAXINT64, &note->size, NULL)
      || note->destination == NULL || (expires_at != NULL && note->expires_at == NULL))
    return NULL;
  return g_steal_pointer (&note);
}

static BoxNote *
read_note (const char *path, const char *session_id, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;
  BoxNote *note = NULL;
  GStatBuf status;
  gsize length;

  if (g_stat (path, &status) == 0 && (!S_ISREG (status.st_mode) || status.st_size > NOTE_MAX_SIZE))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                   "“%s” is not a note of an upload session; remove it", path);
      return NULL;
    }
  if (!g_file_get_contents (path, &text, &length, &local))
    {
      if (!g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT)
          && !g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOTDIR))
        g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                     "The note of upload session %s cannot be read: %s", session_id,
                     local->message);
      return NULL;
    }
  note = box_note_parse (text, length, session_id);
  if (note == NULL)
    g_set_error (
        error, BOX_ERROR, BOX_ERROR_STORAGE,
        "The note of upload session %s makes no sense; remove “%s” and give the size where "
        "the session is used",
        session_id, path);
  return note;
}

/* Calls @visit with each note in @dir that can be read, and its path. */
static void
for_each_note (const char *dir, void (*visit) (BoxNote *note, const char *path, gpointer user_data),
               gpointer user_data)
{
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  const char *name;

  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_autofree char *session_id = NULL;
      g_autoptr (BoxNote) note = NULL;

      if (!g_str_has_suffix (name, NOTE_SUFFIX))
        continue;
      session_id = g_strndup (name, strlen (name) - strlen (NOTE_SUFFIX));
      note = read_note (path, session_id, NULL);
      if (note != NULL)
        visit (note, path, user_data);
    }
}

static gboolean
has_expired (const BoxNote *note, GTimeSpan grace)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  return note->expires_at != NULL && g_date_time_difference (now, note->expires_at) > grace;
}

static void
forget_if_expired (BoxNote *note, const char *path, gpointer user_data)
{
  if (has_expired (note, NOTE_GRACE))
    g_unlink (path);
}

static void
add_if_alive (BoxNote *note, const char *path, gpointer user_data)
{
  if (!has_expired (note, 0))
    g_ptr_array_add (user_data, note_copy (note));
}

GPtrArray *
box_note_list (void)
{
  g_autofree char *dir = note_dir ();
  GPtrArray *notes = g_ptr_array_new_with_free_func ((GDestroyNotify) box_note_free);

  for_each_note (dir, add_if_alive, notes);
  return notes;
}

gboolean
box_note_save (const BoxSession *session, guint64 size, const BoxDestination *destination,
               GError **error)
{
  g_autofree char *dir = note_dir ();
  g_autofree char *path = note_path (session->id, NOTE_SUFFIX);
  g_autofree char *text = NULL;

  g_return_val_if_fail (path != NULL, FALSE);
  g_return_val_if_fail (destination->kind != BOX_DESTINATION_SESSION, FALSE);

  if (g_mkdir_with_parents (dir, 0700) < 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The directory “%s” cannot be made: %s",
                   dir, g_strerror (errno));
      return FALSE;
    }
  /* Those that cannot be read stay: somebody may want to look at them. */
  for_each_note (dir, forget_if_expired, NULL);
  text = note_format (session, size, destination);
  if (box_fileio_replace (path, text, strlen (text), 0600, error))
    return TRUE;
  g_prefix_error (error, "The session's size cannot be noted: ");
  return FALSE;
}

BoxNote *
box_note_load (const char *session_id, GError **error)
{
  g_autofree char *path = note_path (session_id, NOTE_SUFFIX);

  if (path == NULL)
    return NULL;
  return read_note (path, session_id, error);
}

void
box_note_remove (const char *session_id)
{
  g_autofree char *path = note_path (session_id, NOTE_SUFFIX);
  g_autofree char *parts = note_path (session_id, PARTS_SUFFIX);

  if (path == NULL)
    return;
  g_unlink (path);
  g_unlink (parts);
}

/* --- The parts of a session ------------------------------------------------------------------ */

static void
forget_old_parts (const char *dir)
{
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const char *name;

  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      GStatBuf status;

      if (g_str_has_suffix (name, PARTS_SUFFIX) && g_stat (path, &status) == 0
          && now - status.st_mtime > PARTS_LIFE)
        g_unlink (path);
    }
}

static char *
format_part (const BoxPart *part)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *sha1 = box_sha1_to_hex (&part->sha1);
  g_autofree char *text = NULL;

  json_builder_begin_object (builder);
  add_string (builder, "part_id", part->id);
  json_builder_set_member_name (builder, "offset");
  json_builder_add_int_value (builder, (gint64) part->offset);
  json_builder_set_member_name (builder, "size");
  json_builder_add_int_value (builder, (gint64) part->size);
  add_string (builder, "sha1", sha1);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  return g_strconcat (text, "\n", NULL);
}

void
box_note_add_part (const char *session_id, const BoxPart *part)
{
  g_autofree char *dir = note_dir ();
  g_autofree char *path = note_path (session_id, PARTS_SUFFIX);
  g_autofree char *line = format_part (part);
  int fd;

  if (path == NULL || !part->has_sha1 || g_mkdir_with_parents (dir, 0700) < 0)
    return;
  forget_old_parts (dir);
  fd = TEMP_FAILURE_RETRY (
      open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd < 0)
    return;
  if (write (fd, line, strlen (line)) < 0)
    g_info ("“%s” cannot be written: %s", path, g_strerror (errno));
  close (fd);
}

/* Whether @line is about @part. */
static gboolean
parse_part (const char *line, const BoxPart *part, BoxSha1 *sha1)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (line, strlen (line));
  g_autoptr (JsonNode) root = box_json_parse (bytes, NULL);
  g_autoptr (BoxPart) noted = root != NULL ? box_part_parse (root, NULL) : NULL;

  if (noted == NULL || !noted->has_sha1 || noted->offset != part->offset
      || noted->size != part->size || !g_str_equal (noted->id, part->id))
    return FALSE;
  *sha1 = noted->sha1;
  return TRUE;
}

gboolean
box_note_find_part (const char *session_id, const BoxPart *part, BoxSha1 *sha1)
{
  g_autofree char *path = note_path (session_id, PARTS_SUFFIX);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (path == NULL || !g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (parse_part (*line, part, sha1))
      return TRUE;
  return FALSE;
}

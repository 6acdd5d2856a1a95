/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of a journal as they are written. */
#include "spool/journal-ahead.h"

#include <string.h>

const char *const box_journal_sizing_names[] = { "spool", "exact", "reserve" };
const char *const box_journal_if_exists_names[] = { "error", "version", "rename" };
const char *const box_journal_padding_names[] = { "auto",   "none", "zero",
                                                  "mpegts", "mp4",  "matroska" };

BoxRecordingIntent *
box_recording_intent_copy (const BoxRecordingIntent *intent)
{
  BoxRecordingIntent *copy;

  if (intent == NULL)
    return NULL;
  copy = g_memdup2 (intent, sizeof *intent);
  copy->destination = box_destination_copy (intent->destination);
  copy->description = g_strdup (intent->description);
  copy->content_created_at = g_strdup (intent->content_created_at);
  copy->content_modified_at = g_strdup (intent->content_modified_at);
  copy->metadata = intent->metadata != NULL ? box_metadata_ref (intent->metadata) : NULL;
  return copy;
}

void
box_recording_intent_free (BoxRecordingIntent *intent)
{
  if (intent == NULL)
    return;
  box_destination_free (intent->destination);
  g_free (intent->description);
  g_free (intent->content_created_at);
  g_free (intent->content_modified_at);
  g_clear_pointer (&intent->metadata, box_metadata_unref);
  g_free (intent);
}

void
box_journal_check_of (const char *text, gsize length, char digits[CHECK_DIGITS + 1])
{
  g_autofree char *sum =
      g_compute_checksum_for_data (G_CHECKSUM_SHA1, (const guchar *) text, length);

  g_strlcpy (digits, sum, CHECK_DIGITS + 1);
}

/* Takes @object, which is not empty. */
static char *
to_line (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  char digits[CHECK_DIGITS + 1];
  gsize length;

  json_node_take_object (node, object);
  text = json_to_string (node, FALSE);
  length = strlen (text) - 1; /* its closing brace */
  box_journal_check_of (text, length, digits);
  return g_strdup_printf ("%.*s" CHECK_PREFIX "%s" CHECK_SUFFIX "\n", (int) length, text, digits);
}

static JsonObject *
new_record (const char *kind)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "record", kind);
  return object;
}

char *
box_journal_to_line (JsonObject *object)
{
  return to_line (object);
}

JsonObject *
box_journal_new_record (const char *kind)
{
  return new_record (kind);
}

static void
set_optional (JsonObject *object, const char *name, const char *value)
{
  g_autofree char *valid = NULL;

  if (value == NULL)
    return;
  valid = g_utf8_make_valid (value, -1);
  json_object_set_string_member (object, name, valid);
}

static void
set_sha1 (JsonObject *object, const BoxSha1 *sha1)
{
  g_autofree char *hex = box_sha1_to_hex (sha1);

  json_object_set_string_member (object, "sha1", hex);
}

static void
set_size (JsonObject *object, const char *name, guint64 value)
{
  json_object_set_int_member (object, name, (gint64) value);
}

static void
set_destination (JsonObject *object, const BoxDestination *destination)
{
  set_optional (object, "session", destination->session_id);
  set_optional (object, "folder", destination->folder_id);
  if (destination->path != NULL)
    {
      JsonArray *path = json_array_new ();

      for (guint i = 0; destination->path[i] != NULL; i++)
        json_array_add_string_element (path, destination->path[i]);
      json_object_set_array_member (object, "path", path);
      json_object_set_boolean_member (object, "create-folders", !destination->no_create);
    }
  set_optional (object, "name", destination->name);
  set_optional (object, "file", destination->file_id);
}

char *
box_journal_format_intent (const BoxRecordingIntent *intent)
{
  JsonObject *object = new_record ("recording");

  set_size (object, "version",
            intent->destination->path != NULL || intent->metadata != NULL ? BOX_JOURNAL_VERSION_PATH
                                                                          : BOX_JOURNAL_VERSION);
  json_object_set_int_member (object, "created", intent->created);
  set_destination (object, intent->destination);
  set_optional (object, "sizing", box_journal_sizing_names[intent->sizing]);
  set_size (object, "size", intent->size);
  set_optional (object, "padding", box_journal_padding_names[intent->padding]);
  set_optional (object, "if-exists", box_journal_if_exists_names[intent->if_exists]);
  json_object_set_boolean_member (object, "commit", intent->commit);
  set_optional (object, "description", intent->description);
  set_optional (object, "content-created-at", intent->content_created_at);
  set_optional (object, "content-modified-at", intent->content_modified_at);
  if (intent->metadata != NULL)
    {
      set_optional (object, "template", box_metadata_get_template (intent->metadata));
      json_object_set_object_member (object, "metadata",
                                     json_object_ref (box_metadata_get_values (intent->metadata)));
    }
  return to_line (object);
}

/* In Box's own form, so that one parser checks both. */
static JsonObject *
session_to_json (const BoxSession *session)
{
  JsonObject *object = json_object_new ();
  JsonObject *endpoints = json_object_new ();

  set_optional (object, "id", session->id);
  set_size (object, "part_size", session->part_size);
  set_size (object, "total_parts", session->total_parts);
  set_size (object, "num_parts_processed", session->parts_processed);
  if (session->expires_at != NULL)
    {
      g_autofree char *expires = g_date_time_format_iso8601 (session->expires_at);

      set_optional (object, "session_expires_at", expires);
    }
  set_optional (endpoints, "upload_part", session->upload_part_url);
  set_optional (endpoints, "commit", session->commit_url);
  set_optional (endpoints, "abort", session->abort_url);
  set_optional (endpoints, "list_parts", session->list_parts_url);
  set_optional (endpoints, "status", session->status_url);
  set_optional (endpoints, "plan", session->plan_url);
  json_object_set_object_member (object, "session_endpoints", endpoints);
  return object;
}

void
box_journal_write_session (JsonObject *object, const BoxSession *session, guint64 size)
{
  set_size (object, "size", size);
  json_object_set_object_member (object, "session", session_to_json (session));
}

char *
box_journal_format_folder (const char *folder_id)
{
  JsonObject *object = new_record ("folder");

  set_optional (object, "id", folder_id);
  return to_line (object);
}

char *
box_journal_format_session (const BoxSession *session, guint64 size)
{
  JsonObject *object = new_record ("session");

  box_journal_write_session (object, session, size);
  return to_line (object);
}

void
box_journal_write_part (JsonObject *object, const char *session_id, const BoxPart *part)
{
  set_optional (object, "session", session_id);
  set_optional (object, "id", part->id);
  set_size (object, "offset", part->offset);
  set_size (object, "size", part->size);
  if (part->has_sha1)
    set_sha1 (object, &part->sha1);
  if (part->has_sha512)
    {
      g_autofree char *hex = box_sha512_to_hex (&part->sha512);

      json_object_set_string_member (object, "sha512", hex);
    }
}

char *
box_journal_format_part (const char *session_id, const BoxPart *part)
{
  JsonObject *object = new_record ("part");

  box_journal_write_part (object, session_id, part);
  return to_line (object);
}

char *
box_journal_format_end (const BoxRecordingEnd *end)
{
  JsonObject *object = new_record ("end");

  set_size (object, "size", end->size);
  set_size (object, "total", end->total);
  set_optional (object, "padding", box_journal_padding_names[end->padding]);
  if (end->has_sha1)
    set_sha1 (object, &end->sha1);
  return to_line (object);
}

char *
box_journal_format_committing (void)
{
  return to_line (new_record ("committing"));
}

char *
box_journal_format_live (const BoxDestination *target)
{
  JsonObject *object = new_record ("live");

  set_destination (object, target);
  return to_line (object);
}

char *
box_journal_format_committed (const BoxFile *file)
{
  JsonObject *object = new_record ("committed");

  set_optional (object, "id", file->id);
  set_optional (object, "version", file->version_id);
  set_optional (object, "name", file->name);
  set_optional (object, "etag", file->etag);
  if (file->has_size)
    set_size (object, "size", file->size);
  if (file->has_sha1)
    set_sha1 (object, &file->sha1);
  return to_line (object);
}

char *
box_journal_format_kept (void)
{
  return to_line (new_record ("kept"));
}

char *
box_journal_format_settled (void)
{
  return box_journal_to_line (box_journal_new_record ("settled"));
}

char *
box_journal_format_redirected (const BoxDestination *destination, BoxIfExists if_exists)
{
  JsonObject *object = new_record ("redirected");

  set_destination (object, destination);
  set_optional (object, "if-exists", box_journal_if_exists_names[if_exists]);
  return to_line (object);
}

char *
box_journal_format_failed (const char *message, gint64 time)
{
  JsonObject *object = new_record ("failed");

  set_size (object, "time", (guint64) time);
  set_optional (object, "message", message);
  return to_line (object);
}

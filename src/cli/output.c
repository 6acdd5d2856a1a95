/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/client.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/exit.h"

JsonBuilder *
cli_json_new (void)
{
  return json_builder_begin_object (json_builder_new ());
}

void
cli_json_add_string (JsonBuilder *builder, const char *member, const char *value)
{
  json_builder_set_member_name (builder, member);
  if (value == NULL)
    json_builder_add_null_value (builder);
  else
    {
      g_autofree char *valid = g_utf8_make_valid (value, -1);

      json_builder_add_string_value (builder, valid);
    }
}

void
cli_json_add_uint (JsonBuilder *builder, const char *member, guint64 value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_int_value (builder, (gint64) MIN (value, (guint64) G_MAXINT64));
}

void
cli_json_add_bool (JsonBuilder *builder, const char *member, gboolean value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_boolean_value (builder, value);
}

void
cli_json_add_time (JsonBuilder *builder, const char *member, GDateTime *time)
{
  g_autofree char *text = time != NULL ? g_date_time_format_iso8601 (time) : NULL;

  cli_json_add_string (builder, member, text);
}

void
cli_json_add_sha1 (JsonBuilder *builder, const char *member, const BoxSha1 *sha1)
{
  g_autofree char *hex = sha1 != NULL ? box_sha1_to_hex (sha1) : NULL;

  cli_json_add_string (builder, member, hex);
}

void
cli_json_add_session (JsonBuilder *builder, const BoxSession *session)
{
  cli_json_add_string (builder, "session_id", session->id);
  cli_json_add_uint (builder, "part_size", session->part_size);
  cli_json_add_uint (builder, "total_parts", session->total_parts);
  cli_json_add_uint (builder, "parts_processed", session->parts_processed);
  cli_json_add_time (builder, "expires_at", session->expires_at);
}

void
cli_json_add_path (JsonBuilder *builder, char *const *path)
{
  if (path == NULL)
    return;
  json_builder_set_member_name (builder, "path");
  json_builder_begin_array (builder);
  for (guint i = 0; path[i] != NULL; i++)
    json_builder_add_string_value (builder, path[i]);
  json_builder_end_array (builder);
}

void
cli_json_add_note (JsonBuilder *builder, const BoxNote *note)
{
  const BoxDestination *destination = note->destination;

  cli_json_add_uint (builder, "size", note->size);
  if (destination->kind == BOX_DESTINATION_FILE)
    cli_json_add_string (builder, "file_id", destination->file_id);
  else
    {
      cli_json_add_string (builder, "folder_id", destination->folder_id);
      cli_json_add_string (builder, "name", destination->name);
    }
}

void
cli_json_add_part (JsonBuilder *builder, const BoxPart *part)
{
  cli_json_add_string (builder, "part_id", part->id);
  cli_json_add_uint (builder, "offset", part->offset);
  cli_json_add_uint (builder, "size", part->size);
  cli_json_add_sha1 (builder, "sha1", part->has_sha1 ? &part->sha1 : NULL);
}

static void
add_file (JsonBuilder *builder, const BoxFile *file)
{
  cli_json_add_string (builder, "file_id", file->id);
  cli_json_add_string (builder, "version_id", file->version_id);
  cli_json_add_string (builder, "name", file->name);
  if (file->has_size)
    cli_json_add_uint (builder, "size", file->size);
  cli_json_add_sha1 (builder, "sha1", file->has_sha1 ? &file->sha1 : NULL);
  cli_json_add_string (builder, "etag", file->etag);
}

void
cli_json_add_file (JsonBuilder *builder, const BoxFile *file)
{
  add_file (builder, file);
  cli_json_add_string (builder, "link", file->link);
}

void
cli_json_add_error (JsonBuilder *builder, const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  g_autoptr (BoxFile) conflict = box_file_from_conflict (error);

  json_builder_set_member_name (builder, "error");
  json_builder_begin_object (builder);
  cli_json_add_string (builder, "kind", cli_exit_get_nick (error));
  cli_json_add_string (builder, "message", error->message);
  cli_json_add_uint (builder, "exit_code", cli_exit_from_error (error));
  if (details->http_status != 0)
    cli_json_add_uint (builder, "http_status", details->http_status);
  if (details->box_code != NULL)
    cli_json_add_string (builder, "box_error_code", details->box_code);
  if (details->request_id != NULL)
    cli_json_add_string (builder, "request_id", details->request_id);
  if (conflict != NULL)
    {
      json_builder_set_member_name (builder, "conflict");
      json_builder_begin_object (builder);
      add_file (builder, conflict);
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
}

void
cli_json_print (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  line = g_strconcat (text, "\n", NULL);
  fputs (line, stdout);
  fflush (stdout);
}

void
cli_output_file (gboolean json, const BoxFile *file)
{
  if (json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      cli_json_add_file (builder, file);
      cli_json_print (builder);
    }
  else
    {
      g_autofree char *text = cli_format_made (file, "");

      cli_print ("%s", text);
    }
}

void
cli_print (const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *shown = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  shown = box_text_escape (text);
  g_print ("%s\n", shown);
}

void
cli_complain (const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *shown = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  shown = box_text_escape (text);
  g_printerr ("boxupload: %s\n", shown);
}

gboolean
cli_output_flush (GError **error)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "Standard output cannot be written: %s",
               g_strerror (errno));
  return FALSE;
}

char *
cli_format_file (const BoxFile *file)
{
  g_autofree char *name = box_text_escape (file->name != NULL ? file->name : "");
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "file %s “%s”", file->id, name);
  if (file->has_size)
    {
      g_autofree char *bytes = cli_format_bytes (file->size);

      g_string_append_printf (text, ", %s", bytes);
    }
  if (file->has_sha1)
    {
      g_autofree char *sha1 = box_sha1_to_hex (&file->sha1);

      g_string_append_printf (text, ", sha1 %s", sha1);
    }
  return g_string_free (text, FALSE);
}

char *
cli_format_made (const BoxFile *file, const char *remark)
{
  g_autofree char *text = cli_format_file (file);

  return g_strconcat (text, remark, file->link != NULL ? ", " : NULL, file->link, NULL);
}

char *
cli_format_bytes (guint64 bytes)
{
  static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
  double value = (double) bytes / 1000;
  guint unit = 0;

  if (bytes < 1000)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", bytes);
  while (value >= 999.95 && unit + 1 < G_N_ELEMENTS (units))
    {
      value /= 1000;
      unit++;
    }
  return g_strdup_printf ("%.1f %s", value, units[unit]);
}

char *
cli_format_seconds (guint64 seconds)
{
  guint64 hours = seconds / 3600;
  guint minutes = (guint) (seconds / 60 % 60), rest = (guint) (seconds % 60);

  if (hours >= 48)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " days", (hours + 12) / 24);
  if (hours > 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02u:%02u", hours, minutes, rest);
  return g_strdup_printf ("%u:%02u", minutes, rest);
}

/* The map of a session */

/* Whether @part is one of the session's; only the last may be shorter. */
static gboolean
is_on_grid (const BoxSession *session, const BoxPart *part)
{
  guint64 index = part->offset / session->part_size;

  if (part->offset % session->part_size != 0 || index >= session->total_parts)
    return FALSE;
  if (index + 1 == session->total_parts)
    return part->size >= 1 && part->size <= session->part_size;
  return part->size == session->part_size;
}

CliGrid *
cli_grid_new (const BoxSession *session, GPtrArray *parts, guint n_listed)
{
  CliGrid *grid = g_new0 (CliGrid, 1);

  grid->n = session->total_parts;
  grid->n_listed = MIN (grid->n, n_listed);
  grid->stored = g_new0 (gboolean, session->total_parts);
  for (guint i = 0; i < parts->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (parts, i);
      guint64 index = part->offset / session->part_size;

      if (!is_on_grid (session, part) || grid->stored[index])
        continue;
      grid->stored[index] = TRUE;
      grid->n_stored++;
      grid->bytes += part->size;
    }
  return grid;
}

void
cli_grid_free (CliGrid *grid)
{
  if (grid == NULL)
    return;
  g_free (grid->stored);
  g_free (grid);
}

char *
cli_grid_format_missing (const CliGrid *grid, guint max_ranges)
{
  GString *text = g_string_new (NULL);
  guint ranges = 0;

  for (guint i = 0; i < grid->n_listed; i++)
    {
      guint first = i;

      if (grid->stored[i])
        continue;
      while (i + 1 < grid->n_listed && !grid->stored[i + 1])
        i++;
      if (ranges++ > 0)
        g_string_append (text, ", ");
      if (ranges > max_ranges)
        {
          g_string_append (text, "…");
          break;
        }
      g_string_append_printf (text, "%u", first + 1);
      if (i > first)
        g_string_append_printf (text, "-%u", i + 1);
    }
  return g_string_free (text, FALSE);
}

static const char *
draw_cell (const CliGrid *grid, guint first, guint n, gboolean utf8)
{
  guint stored = 0;

  if (first >= grid->n_listed)
    return "?";
  for (guint i = first; i < first + n; i++)
    stored += grid->stored[i] ? 1 : 0;
  if (stored == n)
    return utf8 ? "█" : "#";
  if (stored == 0)
    return utf8 ? "░" : ".";
  return utf8 ? "▒" : "+";
}

char *
cli_grid_draw (const CliGrid *grid, guint columns, guint rows, gboolean utf8)
{
  GString *map = g_string_new (NULL);
  guint cells = MAX (columns, 1) * MAX (rows, 1);
  guint step = (grid->n - 1) / cells + 1;
  guint drawn = 0;

  for (guint i = 0; i < grid->n; i += step)
    {
      if (drawn > 0 && drawn % MAX (columns, 1) == 0)
        g_string_append_c (map, '\n');
      g_string_append (map, draw_cell (grid, i, MIN (step, grid->n - i), utf8));
      drawn++;
    }
  return g_string_free (map, FALSE);
}

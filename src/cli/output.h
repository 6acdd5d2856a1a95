/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The output of boxupload: JSON for machines (one object a line, UTF-8, on stdout), text for
 * people. Control characters in untrusted names and messages never reach a terminal.
 */
#pragma once

#include "api/file.h"
#include "api/session.h"
#include "spool/note.h"

G_BEGIN_DECLS

/* Begins an object that cli_json_print() will print. Free with g_object_unref(). */
JsonBuilder *cli_json_new (void);

/* Add a member; NULL strings and times become null. */
void cli_json_add_string (JsonBuilder *builder, const char *member, const char *value);
void cli_json_add_uint (JsonBuilder *builder, const char *member, guint64 value);
void cli_json_add_bool (JsonBuilder *builder, const char *member, gboolean value);
void cli_json_add_time (JsonBuilder *builder, const char *member, GDateTime *time);
void cli_json_add_sha1 (JsonBuilder *builder, const char *member, const BoxSha1 *sha1);

/* Add several members of the object that is open. */
void cli_json_add_session (JsonBuilder *builder, const BoxSession *session);
void cli_json_add_path (JsonBuilder *builder, char *const *path); /* "path", unless it is NULL */
void cli_json_add_note (JsonBuilder *builder, const BoxNote *note);
void cli_json_add_part (JsonBuilder *builder, const BoxPart *part);
void cli_json_add_file (JsonBuilder *builder, const BoxFile *file);

/* The member "error": an object with "kind", "message", "exit_code" and Box's answer. */
void cli_json_add_error (JsonBuilder *builder, const GError *error);

/* Ends the object and prints it as one line. Threads may do so at the same time. */
void cli_json_print (JsonBuilder *builder);

/* A file that was made: one object, or a line of text. */
void cli_output_file (gboolean json, const BoxFile *file);

/* One line of text on stdout; control characters in it are escaped. */
void cli_print (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* The same on stderr, with the program's name. */
void cli_complain (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Whether all output was written: FALSE with BOX_ERROR_STORAGE if stdout is full or closed.
 */
gboolean cli_output_flush (GError **error);

/* A file in words: "file 123 “a.mp4”, 1.9 GB, sha1 …"; free with g_free(). */
char *cli_format_file (const BoxFile *file);

/* The same with @remark, and the link of the file, if it is known, as the last word, so that a
 * terminal makes it one to click on; free with g_free(). */
char *cli_format_made (const BoxFile *file, const char *remark);

/* A number of bytes for people, "1.9 GB"; free with g_free(). */
char *cli_format_bytes (guint64 bytes);

/* Seconds for people, "0:07", "1:02:03", or "6 days"; free with g_free(). */
char *cli_format_seconds (guint64 seconds);

/* CliGrid: which parts of an upload session are at Box: counted, listed, and drawn as a map. Pure.
 */
typedef struct
{
  guint n;          /* parts that the session takes */
  guint n_listed;   /* the first of these, of which Box tells whether they are there */
  guint n_stored;   /* of these at Box */
  guint64 bytes;    /* in these */
  gboolean *stored; /* n */
} CliGrid;

/* @parts, @n_listed: of box_client_list_parts(); parts that are not on the session's grid do not
 * count. */
CliGrid *cli_grid_new (const BoxSession *session, GPtrArray *parts, guint n_listed);
void cli_grid_free (CliGrid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliGrid, cli_grid_free)

/* The missing parts, counted from 1: "3, 7-9, 12"; "…" ends a list of more than @max_ranges. Free
 * with g_free(). */
char *cli_grid_format_missing (const CliGrid *grid, guint max_ranges);

/* Lines of at most @columns cells, in at most @rows: full, empty, half full if a cell stands for
 * several parts and only some are there, or "?" if Box does not say. ASCII unless @utf8. Free with
 * g_free(). */
char *cli_grid_draw (const CliGrid *grid, guint columns, guint rows, gboolean utf8);

G_END_DECLS

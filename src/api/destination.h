/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxDestination: where a file goes: an upload session that exists, a name in a folder, or a new
 * version of a file. One of them; immutable.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What to do if the name of a new file is taken. */
typedef enum
{
  BOX_IF_EXISTS_ERROR,   /* the name is taken: BOX_ERROR_NAME_IN_USE */
  BOX_IF_EXISTS_VERSION, /* becomes a new version of the file that is there */
  BOX_IF_EXISTS_RENAME,  /* "name (1).ext", "name (2).ext", … */
} BoxIfExists;

typedef enum
{
  BOX_DESTINATION_SESSION,
  BOX_DESTINATION_FOLDER,
  BOX_DESTINATION_FILE,
} BoxDestinationKind;

typedef struct
{
  BoxDestinationKind kind;
  char *session_id;   /* SESSION */
  char *folder_id;    /* FOLDER; "0" is the root */
  char **path;        /* FOLDER: names of folders below folder_id, outermost first; NULL: none */
  gboolean no_create; /* FOLDER: a folder of the path that is missing is an error, not made */
  char *name;         /* FOLDER, UTF-8, not escaped */
  char *file_id;      /* FILE */
} BoxDestination;

/* Each checks its input (BOX_ERROR_SETTINGS): ids are 1 to 64 characters of [A-Za-z0-9_-] (folders
 * and files: digits); names by box_destination_check_name(). @folder_id NULL means "0". */
BoxDestination *box_destination_new_session (const char *session_id, GError **error);
BoxDestination *
box_destination_new_folder (const char *folder_id, const char *name, GError **error);
BoxDestination *box_destination_new_file (const char *file_id, GError **error);

/* The same below a path of folders. @path: (nullable): names, each as box_destination_check_name()
 * wants it; none is the same as NULL. @create: whether missing ones are made. */
BoxDestination *box_destination_new_in_path (const char *folder_id, const char *const *path,
                                             gboolean create, const char *name, GError **error);

/* A FOLDER destination's file in the folder @folder_id that its path leads to, without a path. */
BoxDestination *
box_destination_new_resolved (const BoxDestination *destination, const char *folder_id);

/* "Archive/2026/Camera 3" as the names of folders; a slash at either end does not count. Free with
 * g_strfreev(). BOX_ERROR_SETTINGS: a name is empty or not allowed. */
char **box_destination_parse_path (const char *path, GError **error);

/* For a FOLDER destination whose name is taken, the @n-th other one: "clip.mp4" → "clip (2).mp4";
 * the extension is what follows the last dot that does not begin the name. A long name is shortened
 * before the number, by whole characters. Never NULL. */
BoxDestination *box_destination_new_numbered (const BoxDestination *destination, guint n);

/* Where a file for @wanted goes by @if_exists, as Box has refused @tried with @failure, after @n
 * other places: another name where the name is taken, the file that has it, or @wanted again where
 * that file is gone. NULL: nowhere else. */
BoxDestination *
box_destination_choose_other (const BoxDestination *wanted, const BoxDestination *tried,
                              BoxIfExists if_exists, guint n, const GError *failure);

/* Parses box://FOLDER_ID/PATH: percent-encoded segments, of which the last is the file's name, and
 * those before it are folders, which are made if they are missing. */
BoxDestination *box_destination_new_from_uri (const char *uri, GError **error);

/* The same for anything there may be: box://FOLDER_ID[/PATH], and FOLDER_ID alone. @names: (out):
 * those of the path, none for the folder itself; free with g_strfreev(). */
gboolean
box_destination_parse_place (const char *place, char **folder_id, char ***names, GError **error);

/* The folder of a FOLDER destination for people: "0", "0/Archive/2026"; free with g_free(). */
char *box_destination_describe_folder (const BoxDestination *destination);

/* Whether two destinations of the same kind FOLDER are the same file. */
gboolean box_destination_is_same_name (const BoxDestination *a, const BoxDestination *b);

/* The box:// URI of a FOLDER destination, NULL for the others; free with g_free(). */
char *box_destination_to_uri (const BoxDestination *destination);

/* Refuses names that Box refuses: empty, over 255 characters, "/", "\\", control characters, "."
 * and "..", a space at either end, not UTF-8. The rest is Box's to decide. */
gboolean box_destination_check_name (const char *name, GError **error);

BoxDestination *box_destination_copy (const BoxDestination *destination);
void box_destination_free (BoxDestination *destination);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxDestination, box_destination_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/destination.h"

#include "api/file.h"
#include "base/error.h"

#include <string.h>

#define MAX_ID              64
#define MAX_NAME_CHARACTERS 255
#define DIGITS              "0123456789"
#define SCHEME              "box://"

/* "name (1).ext" to "name (100).ext". More files of one name are an error worth reporting. */
#define MAX_RENAMES 100

/* A name that is taken is that of a file, which gets the version; so often it may be gone, or be
 * another one, when it is to. */
#define MAX_VERSIONS 5

static gboolean
set_error (GError **error, const char *message)
{
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS, message);
  return FALSE;
}

static gboolean
is_id (const char *id, const char *characters)
{
  gsize length = id != NULL ? strlen (id) : 0;

  return length > 0 && length <= MAX_ID && strspn (id, characters) == length;
}

gboolean
box_destination_check_name (const char *name, GError **error)
{
  if (name == NULL || *name == '\0')
    return set_error (error, "the file name is empty");
  if (!g_utf8_validate (name, -1, NULL))
    return set_error (error, "the file name is not valid UTF-8");
  if (g_utf8_strlen (name, -1) > MAX_NAME_CHARACTERS)
    return set_error (error, "the file name is longer than the 255 characters that Box allows");
  if (strpbrk (name, "/\\") != NULL)
    return set_error (error, "the file name contains \"/\" or \"\\\", which Box refuses");
  if (g_str_equal (name, ".") || g_str_equal (name, ".."))
    return set_error (error, "Box refuses the file names \".\" and \"..\"");
  if (g_str_has_prefix (name, " ") || g_str_has_suffix (name, " "))
    return set_error (error, "the file name begins or ends with a space, which Box refuses");
  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return set_error (error, "the file name contains a control character, which Box refuses");
  return TRUE;
}

static BoxDestination *
new_of_kind (BoxDestinationKind kind)
{
  BoxDestination *destination = g_new0 (BoxDestination, 1);

  destination->kind = kind;
  return destination;
}

BoxDestination *
box_destination_new_session (const char *session_id, GError **error)
{
  BoxDestination *destination;

  if (!is_id (session_id, G_CSET_A_2_Z G_CSET_a_2_z DIGITS "_-"))
    {
      set_error (error, "a session id is 1 to 64 letters, digits, \"_\" and \"-\"");
      return NULL;
    }
  destination = new_of_kind (BOX_DESTINATION_SESSION);
  destination->session_id = g_strdup (session_id);
  return destination;
}

BoxDestination *
box_destination_new_folder (const char *folder_id, const char *name, GError **error)
{
  BoxDestination *destination;

  if (folder_id == NULL)
    folder_id = "0";
  if (!is_id (folder_id, DIGITS))
    {
      set_error (error, "a folder id is 1 to 64 digits; \"0\" is the root folder");
      return NULL;
    }
  if (!box_destination_check_name (name, error))
    return NULL;
  destination = new_of_kind (BOX_DESTINATION_FOLDER);
  destination->folder_id = g_strdup (folder_id);
  destination->name = g_strdup (name);
  return destination;
}

BoxDestination *
box_destination_new_numbered (const BoxDestination *destination, guint n)
{
  const char *name = destination->name, *dot = strrchr (name, '.');
  const char *extension = dot != NULL && dot != name ? dot : name + strlen (name);
  g_autofree char *number = g_strdup_printf (" (%u)", n);
  g_autofree char *stem = NULL, *numbered = NULL;
  glong room = MAX_NAME_CHARACTERS - (glong) strlen (number);

  /* Anything longer is not an extension. */
  if (g_utf8_strlen (extension, -1) >= room)
    extension = name + strlen (name);
  room -= g_utf8_strlen (extension, -1);
  stem = g_utf8_substring (name, 0, MIN (g_utf8_pointer_to_offset (name, extension), room));
  numbered = g_strconcat (stem, number, extension, NULL);
  return box_destination_new_folder (destination->folder_id, numbered, NULL);
}

BoxDestination *
box_destination_new_file (const char *file_id, GError **error)
{
  BoxDestination *destination;

  if (!is_id (file_id, DIGITS))
    {
      set_error (error, "a file id is 1 to 64 digits");
      return NULL;
    }
  destination = new_of_kind (BOX_DESTINATION_FILE);
  destination->file_id = g_strdup (file_id);
  return destination;
}

/* A pattern such as "%05d" in @path, which is not an escaped character; NULL if there is no
 * pattern.
 */
static char *
find_number_pattern (const char *path)
{
  for (const char *p = strchr (path, '%'); p != NULL; p = strchr (p + 1, '%'))
    {
      gsize digits = strspn (p + 1, DIGITS);
      gboolean is_name = digits > 1 && p[1] != '0' && p[1] != '1';

      if (!is_name && p[1 + digits] != '\0' && strchr ("diu", p[1 + digits]) != NULL)
        return g_strndup (p, digits + 2);
    }
  return NULL;
}

/* @failure (taken) of a location's name; where a pattern for numbers is what is wrong with it, that
 * is said instead. */
static void
propagate_bad_name (GError **error, GError *failure, const char *path)
{
  g_autoptr (GError) owned = failure;
  g_autofree char *pattern = find_number_pattern (path);

  if (pattern == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&owned));
      return;
    }
  g_set_error (
      error, BOX_ERROR, BOX_ERROR_SETTINGS,
      "the location's file name has \"%s\" in it: only splitmuxsink puts numbers there, in "
      "a location of its own; where a \"%%\" is meant, it is written %%25",
      pattern);
}

BoxDestination *
box_destination_choose_other (const BoxDestination *wanted, const BoxDestination *tried,
                              BoxIfExists if_exists, guint n, const GError *failure)
{
  g_autoptr (BoxFile) file = NULL;

  if (wanted->kind != BOX_DESTINATION_FOLDER)
    return NULL;
  if (if_exists == BOX_IF_EXISTS_RENAME && n < MAX_RENAMES
      && g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    return box_destination_new_numbered (wanted, n + 1);
  if (if_exists != BOX_IF_EXISTS_VERSION || n >= MAX_VERSIONS)
    return NULL;
  if (tried->kind == BOX_DESTINATION_FILE)
    return g_error_matches (failure, BOX_ERROR, BOX_ERROR_NOT_FOUND) ? box_destination_copy (wanted)
                                                                     : NULL;
  file = box_file_from_conflict (failure);
  return file != NULL ? box_destination_new_file (file->id, NULL) : NULL;
}

BoxDestination *
box_destination_new_from_uri (const char *uri, GError **error)
{
  g_autofree char *folder_id = NULL, *name = NULL;
  const char *path, *slash;
  GError *failure = NULL;

  if (uri == NULL || g_ascii_strncasecmp (uri, SCHEME, strlen (SCHEME)) != 0)
    {
      set_error (error, "a location is box://FOLDER_ID/FILE_NAME");
      return NULL;
    }
  path = uri + strlen (SCHEME);
  slash = strchr (path, '/');
  if (slash == NULL || slash[1] == '\0')
    {
      set_error (error, "the location names no file: it is box://FOLDER_ID/FILE_NAME");
      return NULL;
    }
  if (strpbrk (slash, "?#") != NULL)
    {
      set_error (error, "\"?\" and \"#\" in a location's file name are written %3F and %23");
      return NULL;
    }
  folder_id = g_strndup (path, (gsize) (slash - path));
  name = g_uri_unescape_string (slash + 1, NULL);
  if (name == NULL)
    set_error (&failure, "the location's file name is not percent-encoded (\"%\" is written %25)");
  if (name == NULL || !box_destination_check_name (name, &failure))
    {
      propagate_bad_name (error, failure, slash);
      return NULL;
    }
  return box_destination_new_folder (folder_id, name, error);
}

char *
box_destination_to_uri (const BoxDestination *destination)
{
  g_autofree char *name = NULL;

  if (destination->kind != BOX_DESTINATION_FOLDER)
    return NULL;
  name =
      g_uri_escape_string (destination->name, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH_ELEMENT, FALSE);
  return g_strconcat (SCHEME, destination->folder_id, "/", name, NULL);
}

BoxDestination *
box_destination_copy (const BoxDestination *destination)
{
  BoxDestination *copy = new_of_kind (destination->kind);

  copy->session_id = g_strdup (destination->session_id);
  copy->folder_id = g_strdup (destination->folder_id);
  copy->name = g_strdup (destination->name);
  copy->file_id = g_strdup (destination->file_id);
  return copy;
}

void
box_destination_free (BoxDestination *destination)
{
  if (destination == NULL)
    return;
  g_free (destination->session_id);
  g_free (destination->folder_id);
  g_free (destination->name);
  g_free (destination->file_id);
  g_free (destination);
}

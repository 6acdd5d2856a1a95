/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/destination.h"

#include "api/file.h"
#include "base/error.h"

#include <string.h>

#define MAX_ID              64
#define MAX_NAME_CHARACTERS 255
#define MAX_FOLDERS         64 /* of a path; more is a mistake */
#define DIGITS              "0123456789"
#define SCHEME              "box://"

/* "name (1).ext" to "name (100).ext". More files of one name are an error worth reporting. */
#define MAX_RENAMES 100

/* Tries to add a version to the file that has the name: it may be gone, or another one, each
 * time. */
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

/* @what: "file" or "folder". */
static gboolean
check_name (const char *name, const char *what, GError **error)
{
  const char *wrong = NULL;

  if (name == NULL || *name == '\0')
    wrong = "is empty";
  else if (!g_utf8_validate (name, -1, NULL))
    wrong = "is not valid UTF-8";
  else if (g_utf8_strlen (name, -1) > MAX_NAME_CHARACTERS)
    wrong = "is longer than the 255 characters that Box allows";
  else if (strpbrk (name, "/\\") != NULL)
    wrong = "contains \"/\" or \"\\\", which Box refuses";
  else if (g_str_equal (name, ".") || g_str_equal (name, ".."))
    wrong = "is \".\" or \"..\", which Box refuses";
  else if (g_str_has_prefix (name, " ") || g_str_has_suffix (name, " "))
    wrong = "begins or ends with a space, which Box refuses";
  for (const char *p = name; wrong == NULL && *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      wrong = "contains a control character, which Box refuses";
  if (wrong == NULL)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "the %s name %s", what, wrong);
  return FALSE;
}

gboolean
box_destination_check_name (const char *name, GError **error)
{
  return check_name (name, "file", error);
}

static gboolean
check_path (const char *const *path, GError **error)
{
  guint n = path != NULL ? g_strv_length ((char **) path) : 0;

  if (n > MAX_FOLDERS)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "the path has %u folders, more than %u", n,
                   MAX_FOLDERS);
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    if (!check_name (path[i], "folder", error))
      return FALSE;
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

static gboolean
check_folder_id (const char *folder_id, GError **error)
{
  return is_id (folder_id, DIGITS)
         || set_error (error, "a folder id is 1 to 64 digits; \"0\" is the root folder");
}

BoxDestination *
box_destination_new_in_path (const char *folder_id, const char *const *path, gboolean create,
                             const char *name, GError **error)
{
  BoxDestination *destination;

  if (folder_id == NULL)
    folder_id = "0";
  if (!check_folder_id (folder_id, error) || !check_path (path, error)
      || !box_destination_check_name (name, error))
    return NULL;
  destination = new_of_kind (BOX_DESTINATION_FOLDER);
  destination->folder_id = g_strdup (folder_id);
  destination->path = path != NULL && *path != NULL ? g_strdupv ((char **) path) : NULL;
  destination->no_create = destination->path != NULL && !create;
  destination->name = g_strdup (name);
  return destination;
}

BoxDestination *
box_destination_new_folder (const char *folder_id, const char *name, GError **error)
{
  return box_destination_new_in_path (folder_id, NULL, TRUE, name, error);
}

BoxDestination *
box_destination_new_resolved (const BoxDestination *destination, const char *folder_id)
{
  return box_destination_new_folder (folder_id, destination->name, NULL);
}

char **
box_destination_parse_path (const char *path, GError **error)
{
  g_auto (GStrv) names = NULL;
  g_autofree char *inner = NULL;
  gsize length;

  path += *path == '/' ? 1 : 0;
  length = strlen (path);
  inner = g_strndup (path, length > 0 && path[length - 1] == '/' ? length - 1 : length);
  names = g_strsplit (inner, "/", -1);
  if (*names == NULL)
    {
      set_error (error, "the folder path is empty");
      return NULL;
    }
  return check_path ((const char *const *) names, error) ? g_steal_pointer (&names) : NULL;
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
  return box_destination_new_in_path (destination->folder_id,
                                      (const char *const *) destination->path,
                                      !destination->no_create, numbered, NULL);
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
 * pattern. */
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

/* The segments of @path, which begins with a slash, without their escapes. */
static char **
unescape_path (const char *path, GError **error)
{
  g_auto (GStrv) segments = g_strsplit (path + 1, "/", -1);

  if (strpbrk (path, "?#") != NULL)
    {
      set_error (error, "\"?\" and \"#\" in a location's names are written %3F and %23");
      return NULL;
    }
  for (guint i = 0; segments[i] != NULL; i++)
    {
      char *name = g_uri_unescape_string (segments[i], NULL);

      if (name == NULL)
        {
          set_error (error, "the location's names are not percent-encoded (\"%\" is written %25)");
          return NULL;
        }
      g_free (segments[i]);
      segments[i] = name;
    }
  return g_steal_pointer (&segments);
}

/* @path: of a location, from its first slash on. */
static BoxDestination *
new_from_path (const char *folder_id, const char *path, GError **error)
{
  g_auto (GStrv) names = unescape_path (path, error);
  g_autofree char *name = NULL;
  guint last;

  if (names == NULL)
    return NULL;
  last = g_strv_length (names) - 1;
  name = g_steal_pointer (&names[last]);
  return box_destination_new_in_path (folder_id, (const char *const *) names, TRUE, name, error);
}

static gboolean
has_scheme (const char *uri)
{
  return uri != NULL && g_ascii_strncasecmp (uri, SCHEME, strlen (SCHEME)) == 0;
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
  BoxDestination *destination;
  g_autofree char *folder_id = NULL;
  const char *path, *slash;
  GError *failure = NULL;

  if (!has_scheme (uri))
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
  folder_id = g_strndup (path, (gsize) (slash - path));
  destination = new_from_path (folder_id, slash, &failure);
  if (destination == NULL)
    propagate_bad_name (error, failure, slash);
  return destination;
}

gboolean
box_destination_parse_place (const char *place, char **folder_id, char ***names, GError **error)
{
  const char *path = has_scheme (place) ? place + strlen (SCHEME) : place;
  const char *slash = strchr (path, '/');
  g_autofree char *id = slash != NULL ? g_strndup (path, (gsize) (slash - path)) : g_strdup (path);
  g_autofree char *rest = NULL;
  g_auto (GStrv) found = NULL;

  if (path == place && slash != NULL)
    return set_error (error, "a path at Box is box://FOLDER_ID/PATH");
  if (!check_folder_id (id, error))
    return FALSE;
  if (slash != NULL && slash[1] != '\0')
    {
      rest = g_strndup (slash, strlen (slash) - (g_str_has_suffix (slash, "/") ? 1 : 0));
      found = unescape_path (rest, error);
      if (found == NULL || !check_path ((const char *const *) found, error))
        return FALSE;
    }
  *names = found != NULL ? g_steal_pointer (&found) : g_new0 (char *, 1);
  *folder_id = g_steal_pointer (&id);
  return TRUE;
}

char *
box_destination_describe_folder (const BoxDestination *destination)
{
  g_autofree char *path = NULL;

  if (destination->path == NULL)
    return g_strdup (destination->folder_id);
  path = g_strjoinv ("/", destination->path);
  return g_strconcat (destination->folder_id, "/", path, NULL);
}

gboolean
box_destination_is_same_name (const BoxDestination *a, const BoxDestination *b)
{
  static const char *const none[] = { NULL };
  const char *const *left = a->path != NULL ? (const char *const *) a->path : none;
  const char *const *right = b->path != NULL ? (const char *const *) b->path : none;

  return g_str_equal (a->folder_id, b->folder_id) && g_str_equal (a->name, b->name)
         && g_strv_equal (left, right);
}

static void
append_segment (GString *uri, const char *name)
{
  g_string_append_c (uri, '/');
  g_string_append_uri_escaped (uri, name, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH_ELEMENT, FALSE);
}

char *
box_destination_to_uri (const BoxDestination *destination)
{
  GString *uri;

  if (destination->kind != BOX_DESTINATION_FOLDER)
    return NULL;
  uri = g_string_new (SCHEME);
  g_string_append (uri, destination->folder_id);
  for (guint i = 0; destination->path != NULL && destination->path[i] != NULL; i++)
    append_segment (uri, destination->path[i]);
  append_segment (uri, destination->name);
  return g_string_free (uri, FALSE);
}

BoxDestination *
box_destination_copy (const BoxDestination *destination)
{
  BoxDestination *copy = new_of_kind (destination->kind);

  copy->session_id = g_strdup (destination->session_id);
  copy->folder_id = g_strdup (destination->folder_id);
  copy->path = g_strdupv (destination->path);
  copy->no_create = destination->no_create;
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
  g_strfreev (destination->path);
  g_free (destination->name);
  g_free (destination->file_id);
  g_free (destination);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/routes.h"

#include <string.h>

static void
not_there (EmuCall *call)
{
  emu_call_refuse (call, 404, "not_found", "Not Found");
}

#define SESSION  "/files/upload_sessions/:id"
#define METADATA "/files/:id/metadata/*"

static const EmuRoute routes[] = {
  { "create_session", "POST", "/files/upload_sessions", .handler = emu_route_create_session },
  { "create_version_session", "POST", "/files/:id/upload_sessions",
    .handler = emu_route_create_version_session },
  { "get_session", "GET", SESSION, .handler = emu_route_get_session },
  { "upload_part", "PUT", SESSION, .streams = TRUE, .handler = emu_route_upload_part },
  { "abort", "DELETE", SESSION, .handler = emu_route_abort },
  { "list_parts", "GET", SESSION "/parts", .handler = emu_route_list_parts },
  { "commit", "POST", SESSION "/commit", .handler = emu_route_commit },
  { "plan", "POST", SESSION "/plan", .handler = emu_route_plan },
  { "log_event", "POST", SESSION "/log", .handler = emu_route_log_event },
  { "preflight", "OPTIONS", "/files/content", .handler = emu_route_preflight },
  { "preflight_version", "OPTIONS", "/files/:id/content", .handler = emu_route_preflight_version },
  { "upload_file", "POST", "/files/content", .streams = TRUE, .handler = emu_route_upload_file },
  { "upload_version", "POST", "/files/:id/content", .streams = TRUE,
    .handler = emu_route_upload_version },
  { "download", "GET", "/files/:id/content", .handler = emu_route_download },
  { "content", "GET", "/download/:id", .open = TRUE, .handler = emu_route_content },
  { "get_file", "GET", "/files/:id", .handler = emu_route_get_file },
  { "update_file", "PUT", "/files/:id", .handler = emu_route_update_file },
  { "delete_file", "DELETE", "/files/:id", .handler = emu_route_delete_file },
  { "copy_file", "POST", "/files/:id/copy", .handler = emu_route_copy_file },
  { "create_metadata", "POST", METADATA, .handler = emu_route_create_metadata },
  { "get_metadata", "GET", METADATA, .handler = emu_route_get_metadata },
  { "update_metadata", "PUT", METADATA, .handler = emu_route_update_metadata },
  { "delete_metadata", "DELETE", METADATA, .handler = emu_route_delete_metadata },
  { "list_versions", "GET", "/files/:id/versions", .handler = emu_route_list_versions },
  { "create_folder", "POST", "/folders", .handler = emu_route_create_folder },
  { "get_folder", "GET", "/folders/:id", .handler = emu_route_get_folder },
  { "list_folder", "GET", "/folders/:id/items", .handler = emu_route_list_folder },
  { "update_folder", "PUT", "/folders/:id", .handler = emu_route_update_folder },
  { "delete_folder", "DELETE", "/folders/:id", .handler = emu_route_delete_folder },
  { "get_user", "GET", "/users/me", .handler = emu_route_get_user },
  { "token", "POST", "/oauth2/token", .open = TRUE, .handler = emu_route_token },
  { "revoke", "POST", "/oauth2/revoke", .open = TRUE, .handler = emu_route_revoke },
};

/* Answered before routes are (routes/exchange.c). */
static const EmuRoute tunnel = { "connect", "CONNECT", "", .open = TRUE, .handler = not_there };
static const EmuRoute unknown = { "unknown", "", "", .open = TRUE, .handler = not_there };

/* Whether @path goes on as @pattern does; what stands for "*" is set. */
static gboolean
tail_matches (const char *pattern, const char *path, char **tail)
{
  gsize head = strcspn (pattern, "*");
  const char *slash;

  if (pattern[head] == '\0')
    return g_str_equal (pattern, path);
  if (strncmp (pattern, path, head) != 0)
    return FALSE;
  slash = strchr (path + head, '/');
  if (slash == NULL || strchr (slash + 1, '/') != NULL)
    return FALSE;
  *tail = g_uri_unescape_string (path + head, NULL);
  return TRUE;
}

/* Whether @path is @pattern; what stands for ":id" and "*" is set. */
static gboolean
path_matches (const char *pattern, const char *path, char **id, char **tail)
{
  const char *mark = strstr (pattern, ":id");
  gsize head = mark != NULL ? (gsize) (mark - pattern) : 0;
  gsize length;

  if (mark == NULL)
    return g_str_equal (pattern, path);
  if (strncmp (pattern, path, head) != 0)
    return FALSE;
  length = strcspn (path + head, "/");
  if (length == 0 || !tail_matches (mark + 3, path + head + length, tail))
    return FALSE;
  *id = g_strndup (path + head, length);
  return TRUE;
}

/* @path below the API's root, without the slash that some clients put at its end. */
static char *
strip (const char *path)
{
  static const char *const roots[] = { "/api/2.0", "/2.0", "/api" };

  for (guint i = 0; i < G_N_ELEMENTS (roots); i++)
    if (g_str_has_prefix (path, roots[i]) && path[strlen (roots[i])] == '/')
      {
        path += strlen (roots[i]);
        break;
      }
  return g_strndup (path, strlen (path) - (g_str_has_suffix (path, "/") ? 1 : 0));
}

const EmuRoute *
emu_routes_find (const char *method, const char *path, char **id, char **tail)
{
  g_autofree char *rest = strip (path);

  for (guint i = 0; i < G_N_ELEMENTS (routes); i++)
    if (g_str_equal (routes[i].method, method) && path_matches (routes[i].path, rest, id, tail))
      return &routes[i];
  return g_str_equal (method, "CONNECT") ? &tunnel : &unknown;
}

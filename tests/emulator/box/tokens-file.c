/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tokens that are kept for the next start: one JSON object a line, later lines overrule earlier
 * ones.
 */
#include "emulator/box/tokens-state.h"

#include "emulator/base/json.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Takes @line. */
static void
append (EmuTokens *tokens, JsonObject *line)
{
  g_autofree char *text = emu_json_to_text (line);
  g_autofree char *whole = g_strconcat (text, "\n", NULL);
  int fd = open (tokens->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

  if (fd < 0 || write (fd, whole, strlen (whole)) < 0)
    g_printerr ("box-emulator: cannot keep a token in %s\n", tokens->path);
  if (fd >= 0)
    close (fd);
  json_object_unref (line);
}

void
emu_tokens_keep_access_locked (EmuTokens *tokens, const char *token)
{
  const EmuAccess *access = g_hash_table_lookup (tokens->access, token);
  JsonObject *line;

  if (tokens->path == NULL)
    return;
  line = json_object_new ();
  json_object_set_string_member (line, "access", token);
  json_object_set_string_member (line, "user", access->identity.user);
  emu_json_set_string (line, "folder", access->identity.folder);
  json_object_set_int_member (line, "expires", access->expires);
  append (tokens, line);
}

void
emu_tokens_keep_refresh_locked (EmuTokens *tokens, const char *token)
{
  const EmuRefresh *refresh = g_hash_table_lookup (tokens->refresh, token);
  JsonObject *line;

  if (tokens->path == NULL)
    return;
  line = json_object_new ();
  json_object_set_string_member (line, "refresh", token);
  json_object_set_string_member (line, "user", refresh->user);
  emu_json_set_string (line, "client", refresh->client);
  append (tokens, line);
}

void
emu_tokens_keep_end_locked (EmuTokens *tokens, const char *token)
{
  JsonObject *line;

  if (tokens->path == NULL)
    return;
  line = json_object_new ();
  json_object_set_string_member (line, "ended", token);
  json_object_set_boolean_member (line, "refresh_token",
                                  g_hash_table_contains (tokens->refresh, token));
  append (tokens, line);
}

static void
end_locked (EmuTokens *tokens, const char *token, gboolean is_refresh)
{
  EmuRefresh *refresh = g_hash_table_lookup (tokens->refresh, token);
  EmuAccess *access = g_hash_table_lookup (tokens->access, token);

  if (is_refresh && refresh == NULL)
    refresh = emu_tokens_add_refresh_locked (tokens, token, EMU_DEFAULT_USER, NULL);
  if (!is_refresh && access == NULL)
    {
      emu_tokens_add_access_locked (tokens, token, EMU_DEFAULT_USER, NULL, 0);
      access = g_hash_table_lookup (tokens->access, token);
    }
  if (is_refresh)
    refresh->used = TRUE;
  else
    access->revoked = TRUE;
}

static void
read_line_locked (EmuTokens *tokens, const char *text)
{
  g_autoptr (JsonObject) line = emu_json_parse (text, -1);
  const char *user = emu_json_string (line, "user");
  const char *access = emu_json_string (line, "access");
  const char *refresh = emu_json_string (line, "refresh");
  const char *ended = emu_json_string (line, "ended");

  if (access != NULL && user != NULL)
    emu_tokens_add_access_locked (tokens, access, user, emu_json_string (line, "folder"),
                                  emu_json_int (line, "expires", 0));
  else if (refresh != NULL && user != NULL)
    emu_tokens_add_refresh_locked (tokens, refresh, user, emu_json_string (line, "client"));
  else if (ended != NULL)
    end_locked (tokens, ended, emu_json_boolean (line, "refresh_token", FALSE));
}

void
emu_tokens_read_locked (EmuTokens *tokens)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (tokens->path == NULL || !g_file_get_contents (tokens->path, &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      read_line_locked (tokens, lines[i]);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/tokens-state.h"

#include "emulator/base/json.h"

static void
client_free (EmuClient *client)
{
  g_free (client->id);
  g_free (client->secret);
  g_free (client->enterprise);
  g_free (client->user);
  g_hash_table_unref (client->keys);
  g_free (client);
}

static void
access_free (EmuAccess *access)
{
  emu_identity_clear (&access->identity);
  g_free (access);
}

static void
refresh_free (EmuRefresh *refresh)
{
  g_free (refresh->client);
  g_free (refresh->user);
  g_free (refresh);
}

void
emu_identity_clear (EmuIdentity *identity)
{
  g_clear_pointer (&identity->user, g_free);
  g_clear_pointer (&identity->folder, g_free);
}

EmuTokens *
emu_tokens_new (EmuClock *clock, const char *const *accepted, guint lifetime,
                gboolean strict_clients, const char *path)
{
  EmuTokens *tokens = g_new0 (EmuTokens, 1);

  g_mutex_init (&tokens->lock);
  tokens->clock = clock;
  tokens->any = accepted == NULL && !strict_clients;
  tokens->path = g_strdup (path);
  tokens->lifetime = lifetime;
  tokens->strict_clients = strict_clients;
  tokens->users =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) json_object_unref);
  tokens->clients =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) client_free);
  tokens->access =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) access_free);
  tokens->refresh =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) refresh_free);
  tokens->jtis = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; accepted != NULL && accepted[i] != NULL; i++)
    emu_tokens_set (tokens, accepted[i], 0);
  g_mutex_lock (&tokens->lock);
  emu_tokens_read_locked (tokens);
  g_mutex_unlock (&tokens->lock);
  return tokens;
}

void
emu_tokens_free (EmuTokens *tokens)
{
  g_hash_table_unref (tokens->users);
  g_hash_table_unref (tokens->clients);
  g_hash_table_unref (tokens->access);
  g_hash_table_unref (tokens->refresh);
  g_hash_table_unref (tokens->jtis);
  g_mutex_clear (&tokens->lock);
  g_free (tokens->path);
  g_free (tokens);
}

/* --- access tokens -----------------------------------------------------------------------------
 */

static gint64
expiry (EmuTokens *tokens, gint64 seconds)
{
  return seconds > 0 ? emu_clock_now (tokens->clock) + seconds * G_USEC_PER_SEC : 0;
}

void
emu_tokens_add_access_locked (EmuTokens *tokens, const char *token, const char *user,
                              const char *folder, gint64 expires)
{
  EmuAccess *access = g_new0 (EmuAccess, 1);

  access->identity.user = g_strdup (user);
  access->identity.folder = g_strdup (folder);
  access->expires = expires;
  g_hash_table_replace (tokens->access, g_strdup (token), access);
}

EmuTokenState
emu_tokens_check_locked (EmuTokens *tokens, const char *token, EmuIdentity *identity)
{
  const EmuAccess *access = g_hash_table_lookup (tokens->access, token);

  if ((access == NULL && !tokens->any) || (access != NULL && access->revoked))
    return EMU_TOKEN_INVALID;
  if (access != NULL && access->expires != 0 && access->expires <= emu_clock_now (tokens->clock))
    return EMU_TOKEN_EXPIRED;
  if (identity != NULL)
    {
      emu_identity_clear (identity);
      identity->user = g_strdup (access != NULL ? access->identity.user : EMU_DEFAULT_USER);
      identity->folder = access != NULL ? g_strdup (access->identity.folder) : NULL;
    }
  return EMU_TOKEN_GOOD;
}

EmuTokenState
emu_tokens_check (EmuTokens *tokens, const char *token, EmuIdentity *identity)
{
  EmuTokenState state;

  g_mutex_lock (&tokens->lock);
  state = emu_tokens_check_locked (tokens, token, identity);
  g_mutex_unlock (&tokens->lock);
  return state;
}

void
emu_tokens_set (EmuTokens *tokens, const char *token, guint expires_in)
{
  g_mutex_lock (&tokens->lock);
  emu_tokens_add_access_locked (tokens, token, EMU_DEFAULT_USER, NULL, expiry (tokens, expires_in));
  g_mutex_unlock (&tokens->lock);
}

void
emu_tokens_revoke_locked (EmuTokens *tokens, const char *token)
{
  EmuAccess *access = g_hash_table_lookup (tokens->access, token);
  EmuRefresh *refresh = g_hash_table_lookup (tokens->refresh, token);

  emu_tokens_keep_end_locked (tokens, token);
  if (refresh != NULL)
    refresh->used = TRUE;
  else if (access != NULL)
    access->revoked = TRUE;
  else
    {
      emu_tokens_add_access_locked (tokens, token, EMU_DEFAULT_USER, NULL, 0);
      access = g_hash_table_lookup (tokens->access, token);
      access->revoked = TRUE;
    }
}

void
emu_tokens_revoke (EmuTokens *tokens, const char *token)
{
  g_mutex_lock (&tokens->lock);
  emu_tokens_revoke_locked (tokens, token);
  g_mutex_unlock (&tokens->lock);
}

void
emu_tokens_revoke_all (EmuTokens *tokens)
{
  GHashTableIter iter;
  gpointer token, access;

  g_mutex_lock (&tokens->lock);
  g_hash_table_iter_init (&iter, tokens->access);
  while (g_hash_table_iter_next (&iter, &token, &access))
    {
      ((EmuAccess *) access)->revoked = TRUE;
      emu_tokens_keep_end_locked (tokens, token);
    }
  g_mutex_unlock (&tokens->lock);
}

static char *
make_token (void)
{
  GString *token = g_string_new (NULL);

  while (token->len < 32)
    g_string_append_printf (token, "%08x", g_random_int ());
  return g_string_free (token, FALSE);
}

const char *
emu_tokens_issue_locked (EmuTokens *tokens, const char *user, const char *folder)
{
  g_autofree char *token = make_token ();
  gpointer key;

  emu_tokens_add_access_locked (tokens, token, user, folder, expiry (tokens, tokens->lifetime));
  g_hash_table_lookup_extended (tokens->access, token, &key, NULL);
  emu_tokens_keep_access_locked (tokens, token);
  return key;
}

EmuRefresh *
emu_tokens_add_refresh_locked (EmuTokens *tokens, const char *token, const char *user,
                               const char *client)
{
  EmuRefresh *refresh = g_new0 (EmuRefresh, 1);

  refresh->user = g_strdup (user);
  refresh->client = g_strdup (client);
  g_hash_table_replace (tokens->refresh, g_strdup (token), refresh);
  return refresh;
}

const char *
emu_tokens_issue_refresh_locked (EmuTokens *tokens, const char *user, const char *client)
{
  g_autofree char *token = make_token ();
  gpointer key;

  emu_tokens_add_refresh_locked (tokens, token, user, client);
  g_hash_table_lookup_extended (tokens->refresh, token, &key, NULL);
  emu_tokens_keep_refresh_locked (tokens, token);
  return key;
}

/* --- users -------------------------------------------------------------------------------------
 */

static JsonObject *
make_user (const char *id, const char *name, const char *login)
{
  JsonObject *user = json_object_new ();

  json_object_set_string_member (user, "type", "user");
  json_object_set_string_member (user, "id", id);
  json_object_set_string_member (user, "name", name);
  json_object_set_string_member (user, "login", login);
  return user;
}

gboolean
emu_tokens_has_user_locked (EmuTokens *tokens, const char *id)
{
  return g_str_equal (id, EMU_DEFAULT_USER) || g_hash_table_size (tokens->users) == 0
         || g_hash_table_contains (tokens->users, id);
}

JsonObject *
emu_tokens_get_user (EmuTokens *tokens, const char *id)
{
  JsonObject *known, *user = NULL;

  g_mutex_lock (&tokens->lock);
  known = g_hash_table_lookup (tokens->users, id);
  if (known != NULL)
    user = make_user (id, emu_json_string (known, "name"), emu_json_string (known, "login"));
  else if (emu_tokens_has_user_locked (tokens, id))
    user = make_user (id, "Emulator", "emulator@example.com");
  g_mutex_unlock (&tokens->lock);
  return user;
}

/* --- accounts ----------------------------------------------------------------------------------
 */

static gboolean
lacks (const char *what, const char *member, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Accounts: a %s lacks \"%s\"", what,
               member);
  return FALSE;
}

static gboolean
load_user_locked (EmuTokens *tokens, JsonObject *object, GError **error)
{
  const char *id = emu_json_string (object, "id");
  const char *name = emu_json_string (object, "name");
  const char *login = emu_json_string (object, "login");

  if (id == NULL)
    return lacks ("user", "id", error);
  g_hash_table_replace (
      tokens->users, g_strdup (id),
      make_user (id, name != NULL ? name : "User", login != NULL ? login : "user@example.com"));
  return TRUE;
}

static gboolean
load_token_locked (EmuTokens *tokens, JsonObject *object, GError **error)
{
  const char *token = emu_json_string (object, "token");
  const char *user = emu_json_string (object, "user");

  if (token == NULL)
    return lacks ("token", "token", error);
  emu_tokens_add_access_locked (tokens, token, user != NULL ? user : EMU_DEFAULT_USER,
                                emu_json_string (object, "folder"),
                                expiry (tokens, emu_json_int (object, "expires_in", 0)));
  return TRUE;
}

static gboolean
load_refresh_locked (EmuTokens *tokens, JsonObject *object, GError **error)
{
  const char *token = emu_json_string (object, "token");
  const char *user = emu_json_string (object, "user");
  EmuRefresh *refresh;

  if (token == NULL)
    return lacks ("refresh token", "token", error);
  if (g_hash_table_contains (tokens->refresh, token))
    return TRUE; /* a restarted emulator remembers that it was used */
  refresh = emu_tokens_add_refresh_locked (tokens, token, user != NULL ? user : EMU_DEFAULT_USER,
                                           emu_json_string (object, "client_id"));
  refresh->expires = expiry (tokens, emu_json_int (object, "expires_in", 0));
  return TRUE;
}

static gboolean
load_client_locked (EmuTokens *tokens, JsonObject *object, GError **error)
{
  const char *id = emu_json_string (object, "client_id");
  const char *user = emu_json_string (object, "user");
  JsonObject *keys = emu_json_object (object, "public_keys");
  g_autoptr (GList) names = keys != NULL ? json_object_get_members (keys) : NULL;
  EmuClient *client;

  if (id == NULL)
    return lacks ("client", "client_id", error);
  client = g_new0 (EmuClient, 1);
  client->id = g_strdup (id);
  client->secret = g_strdup (emu_json_string (object, "client_secret"));
  client->enterprise = g_strdup (emu_json_string (object, "enterprise_id"));
  client->user = g_strdup (user != NULL ? user : EMU_DEFAULT_USER);
  client->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (GList *l = names; l != NULL; l = l->next)
    g_hash_table_replace (client->keys, g_strdup (l->data),
                          g_strdup (emu_json_string (keys, l->data)));
  g_hash_table_replace (tokens->clients, client->id, client);
  return TRUE;
}

typedef gboolean (*LoadLocked) (EmuTokens *tokens, JsonObject *object, GError **error);

gboolean
emu_tokens_load_accounts (EmuTokens *tokens, const char *json, GError **error)
{
  static const struct
  {
    const char *name;
    LoadLocked load;
  } kinds[] = { { "users", load_user_locked },
                { "tokens", load_token_locked },
                { "refresh_tokens", load_refresh_locked },
                { "clients", load_client_locked } };
  g_autoptr (JsonObject) object = emu_json_parse (json, -1);
  gboolean ok = TRUE;

  if (object == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Accounts are not a JSON object");
      return FALSE;
    }
  g_mutex_lock (&tokens->lock);
  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    {
      JsonArray *array = emu_json_array (object, kinds[kind].name);

      for (guint i = 0; ok && array != NULL && i < json_array_get_length (array); i++)
        {
          JsonNode *node = json_array_get_element (array, i);

          ok = kinds[kind].load (
              tokens, JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL, error);
        }
    }
  g_mutex_unlock (&tokens->lock);
  return ok;
}

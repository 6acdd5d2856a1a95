/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/oauth.h"

#include "emulator/base/json.h"
#include "emulator/box/jwt.h"
#include "emulator/box/tokens-state.h"

#include <string.h>

#define JWT_AUDIENCE "https://api.box.com/oauth2/token"
#define JWT_WINDOW   60 /* s: how far ahead exp may be */
#define JTI_MIN      16
#define JTI_MAX      128

/* One request to the endpoint; with the tokens' lock. */
typedef struct
{
  EmuTokens *tokens;
  GHashTable *form;
  JsonObject *reply;
} Request;

static const char *
get (Request *request, const char *name)
{
  return g_hash_table_lookup (request->form, name);
}

static guint
refuse (Request *request, const char *error, const char *description)
{
  json_object_set_string_member (request->reply, "error", error);
  json_object_set_string_member (request->reply, "error_description", description);
  return 400;
}

static guint
missing (Request *request, const char *parameter)
{
  g_autofree char *text = g_strdup_printf ("Missing parameter: %s", parameter);

  return refuse (request, "invalid_request", text);
}

static guint
grant (Request *request, const char *access)
{
  json_object_set_string_member (request->reply, "access_token", access);
  json_object_set_int_member (request->reply, "expires_in", request->tokens->lifetime);
  json_object_set_array_member (request->reply, "restricted_to", json_array_new ());
  json_object_set_string_member (request->reply, "token_type", "bearer");
  return 200;
}

/* Whether the client is who it says. @client: NULL for one that may be anybody. */
static gboolean
check_client_locked (Request *request, EmuClient **client)
{
  const char *id = get (request, "client_id");
  const char *secret = get (request, "client_secret");

  *client = id != NULL ? g_hash_table_lookup (request->tokens->clients, id) : NULL;
  if (id == NULL || (*client == NULL && request->tokens->strict_clients))
    return FALSE;
  return *client == NULL || (*client)->secret == NULL || g_strcmp0 ((*client)->secret, secret) == 0;
}

/* --- grants ------------------------------------------------------------------------------------
 */

static guint
grant_refresh_locked (Request *request)
{
  const char *token = get (request, "refresh_token");
  EmuRefresh *refresh;
  EmuClient *client;

  if (!check_client_locked (request, &client))
    return refuse (request, "invalid_client", "The client credentials are invalid");
  if (token == NULL)
    return missing (request, "refresh_token");
  refresh = token != NULL ? g_hash_table_lookup (request->tokens->refresh, token) : NULL;
  if (refresh == NULL || refresh->used
      || (refresh->client != NULL && g_strcmp0 (refresh->client, get (request, "client_id")) != 0))
    return refuse (request, "invalid_grant", "Invalid refresh token");
  if (refresh->expires != 0 && refresh->expires <= emu_clock_now (request->tokens->clock))
    return refuse (request, "invalid_grant", "Refresh token has expired");
  refresh->used = TRUE;
  emu_tokens_keep_end_locked (request->tokens, token);
  json_object_set_string_member (
      request->reply, "refresh_token",
      emu_tokens_issue_refresh_locked (request->tokens, refresh->user, refresh->client));
  return grant (request, emu_tokens_issue_locked (request->tokens, refresh->user, NULL));
}

/* The user that a grant for (@type, @id) acts as; NULL: it may not. */
static const char *
resolve_subject_locked (Request *request, EmuClient *client, const char *type, const char *id)
{
  if (type == NULL || id == NULL)
    return NULL;
  if (g_str_equal (type, "user"))
    return emu_tokens_has_user_locked (request->tokens, id) ? id : NULL;
  if (!g_str_equal (type, "enterprise"))
    return NULL;
  if (client == NULL)
    return EMU_DEFAULT_USER;
  return client->enterprise == NULL || g_str_equal (client->enterprise, id) ? client->user : NULL;
}

static guint
grant_credentials_locked (Request *request)
{
  const char *user = NULL;
  EmuClient *client;

  if (!check_client_locked (request, &client))
    return refuse (request, "invalid_client", "The client credentials are invalid");
  if (get (request, "box_subject_type") == NULL || get (request, "box_subject_id") == NULL)
    return missing (request, "box_subject_type and box_subject_id");
  user = resolve_subject_locked (request, client, get (request, "box_subject_type"),
                                 get (request, "box_subject_id"));
  if (user == NULL)
    return refuse (request, "invalid_grant", "Grant credentials are invalid");
  return grant (request, emu_tokens_issue_locked (request->tokens, user, NULL));
}

/* The fault of the claims, or NULL. */
static const char *
check_claims_locked (Request *request, const EmuJwt *jwt)
{
  gint64 now = emu_clock_now (request->tokens->clock) / G_USEC_PER_SEC;
  gint64 exp = emu_json_int (jwt->claims, "exp", 0);
  const char *jti = emu_json_string (jwt->claims, "jti");

  if (g_strcmp0 (emu_json_string (jwt->claims, "iss"), get (request, "client_id")) != 0)
    return "Please check the 'iss' claim. It must be the client ID.";
  if (g_strcmp0 (emu_json_string (jwt->claims, "aud"), JWT_AUDIENCE) != 0)
    return "Please check the 'aud' claim.";
  if (exp <= now || exp > now + JWT_WINDOW)
    return "Please check the 'exp' claim.";
  if (emu_json_int (jwt->claims, "nbf", 0) > now || emu_json_int (jwt->claims, "iat", 0) > now + 1)
    return "Please check the 'nbf' and 'iat' claims.";
  if (jti == NULL || strlen (jti) < JTI_MIN || strlen (jti) > JTI_MAX)
    return "Please check the 'jti' claim. It must have 16 to 128 characters.";
  if (g_hash_table_contains (request->tokens->jtis, jti))
    return "Please check the 'jti' claim. A unique 'jti' value is required.";
  return NULL;
}

static guint
grant_jwt_locked (Request *request)
{
  const char *assertion = get (request, "assertion");
  g_autoptr (EmuJwt) jwt = assertion != NULL ? emu_jwt_parse (assertion) : NULL;
  const char *kid, *pem, *wrong, *user;
  EmuClient *client;

  if (!check_client_locked (request, &client))
    return refuse (request, "invalid_client", "The client credentials are invalid");
  if (assertion == NULL)
    return missing (request, "assertion");
  if (jwt == NULL)
    return refuse (request, "invalid_grant", "The assertion is not a JSON Web Token");
  kid = emu_json_string (jwt->header, "kid");
  pem = client != NULL && kid != NULL ? g_hash_table_lookup (client->keys, kid) : NULL;
  if (pem == NULL)
    return refuse (request, "invalid_grant", "OAuth JWT key with this 'kid' was not found");
  if (!emu_jwt_verify (jwt, pem))
    return refuse (request, "invalid_grant", "OAuth JWT signature could not be verified");
  wrong = check_claims_locked (request, jwt);
  if (wrong != NULL)
    return refuse (request, "invalid_grant", wrong);
  user = resolve_subject_locked (request, client, emu_json_string (jwt->claims, "box_sub_type"),
                                 emu_json_string (jwt->claims, "sub"));
  if (user == NULL)
    return refuse (request, "invalid_grant", "Please check the 'sub' claim.");
  g_hash_table_add (request->tokens->jtis, g_strdup (emu_json_string (jwt->claims, "jti")));
  return grant (request, emu_tokens_issue_locked (request->tokens, user, NULL));
}

/* The id at the end of a resource like https://api.box.com/2.0/folders/ID; NULL: not a folder. */
static const char *
get_resource_folder (Request *request)
{
  const char *resource = get (request, "resource");
  const char *mark = resource != NULL ? strstr (resource, "/2.0/folders/") : NULL;

  return mark != NULL && mark[strlen ("/2.0/folders/")] != '\0' ? mark + strlen ("/2.0/folders/")
                                                                : NULL;
}

static guint
grant_exchange_locked (Request *request)
{
  const char *subject = get (request, "subject_token");
  const char *scope = get (request, "scope");
  g_auto (EmuIdentity) identity = { NULL, NULL };
  guint status;

  if (subject == NULL)
    return missing (request, "subject_token");
  if (g_strcmp0 (get (request, "subject_token_type"),
                 "urn:ietf:params:oauth:token-type:access_token")
          != 0
      || emu_tokens_check_locked (request->tokens, subject, &identity) != EMU_TOKEN_GOOD)
    return refuse (request, "invalid_grant", "Invalid subject_token");
  if (scope == NULL || strstr (scope, "_upload") == NULL)
    return refuse (request, "invalid_scope", "Only upload scopes are known to the emulator");
  if (get (request, "resource") != NULL && get_resource_folder (request) == NULL)
    return refuse (request, "invalid_resource", "The resource is not a folder");
  status = grant (request, emu_tokens_issue_locked (request->tokens, identity.user,
                                                    get_resource_folder (request)));
  json_object_set_string_member (request->reply, "issued_token_type",
                                 "urn:ietf:params:oauth:token-type:access_token");
  return status;
}

/* --- the endpoint ------------------------------------------------------------------------------
 */

guint
emu_oauth_token (EmuTokens *tokens, GHashTable *form, JsonObject *reply)
{
  static const struct
  {
    const char *type;
    guint (*grant_locked) (Request *request);
  } grants[] = {
    { "refresh_token", grant_refresh_locked },
    { "client_credentials", grant_credentials_locked },
    { "urn:ietf:params:oauth:grant-type:jwt-bearer", grant_jwt_locked },
    { "urn:ietf:params:oauth:grant-type:token-exchange", grant_exchange_locked },
  };
  Request request = { tokens, form, reply };
  const char *type = g_hash_table_lookup (form, "grant_type");
  guint status = 0;

  g_mutex_lock (&tokens->lock);
  for (guint i = 0; type != NULL && i < G_N_ELEMENTS (grants); i++)
    if (g_str_equal (type, grants[i].type))
      status = grants[i].grant_locked (&request);
  g_mutex_unlock (&tokens->lock);
  if (status != 0)
    return status;
  return refuse (&request, type == NULL ? "invalid_request" : "unsupported_grant_type",
                 "Invalid grant_type parameter or parameter missing");
}

guint
emu_oauth_revoke (EmuTokens *tokens, GHashTable *form, JsonObject *reply)
{
  Request request = { tokens, form, reply };
  const char *token = get (&request, "token");
  EmuClient *client;
  guint status = 200;

  g_mutex_lock (&tokens->lock);
  if (!check_client_locked (&request, &client))
    status = refuse (&request, "invalid_client", "The client credentials are invalid");
  else if (token == NULL)
    status = refuse (&request, "invalid_request", "The token is missing");
  else
    emu_tokens_revoke_locked (tokens, token);
  g_mutex_unlock (&tokens->lock);
  return status;
}

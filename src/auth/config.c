/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/secret.h"

#include <string.h>

/* Identifiers and secrets of Box have 32 characters or so. Bytes. */
#define FIELD_LIMIT 1024
#define KEY_LIMIT   32768

/* The object that fields are read from. */
typedef struct
{
  const char *label;
  const char *prefix; /* of the field's name in messages: "boxAppSettings." */
  JsonObject *object;
} Section;

static gboolean
set_field_error (GError **error, const Section *section, const char *name, const char *problem)
{
  g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s: %s%s %s", section->label,
               section->prefix, name, problem);
  return FALSE;
}

static JsonNode *
find_member (const Section *section, const char *name)
{
  JsonNode *node = json_object_get_member (section->object, name);

  return node != NULL && !JSON_NODE_HOLDS_NULL (node) ? node : NULL;
}

/* A string or a whole number; an empty or absent one is NULL. */
static gboolean
find_text (const Section *section, const char *name, gsize limit, char **value, GError **error)
{
  JsonNode *node = find_member (section, name);
  GType type = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node)
                                                            : G_TYPE_INVALID;

  if (node == NULL)
    return TRUE;
  if (type == G_TYPE_INT64)
    {
      *value = g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node));
      return TRUE;
    }
  if (type != G_TYPE_STRING)
    return set_field_error (error, section, name, "is not a string");
  if (strlen (json_node_get_string (node)) > limit)
    return set_field_error (error, section, name, "is too long");
  if (*json_node_get_string (node) != '\0')
    *value = g_strdup (json_node_get_string (node));
  return TRUE;
}

/* As above, and printable in one line. */
static gboolean
find_word (const Section *section, const char *name, gsize limit, char **value, GError **error)
{
  if (!find_text (section, name, limit, value, error))
    return FALSE;
  for (const char *c = *value; c != NULL && *c != '\0'; c++)
    {
      if (!g_ascii_isgraph (*c))
        return set_field_error (error, section, name, "has a space or another stray character");
    }
  return TRUE;
}

static gboolean
get_word (const Section *section, const char *name, char **value, GError **error)
{
  if (!find_word (section, name, FIELD_LIMIT, value, error))
    return FALSE;
  return *value != NULL || set_field_error (error, section, name, "is missing");
}

static gboolean
get_token (const Section *section, const char *name, char **value, GError **error)
{
  if (!find_word (section, name, BOX_TOKEN_MAX_LENGTH, value, error))
    return FALSE;
  return *value != NULL || set_field_error (error, section, name, "is missing");
}

static gboolean
get_section (const Section *outer, const char *name, const char *prefix, Section *section,
             GError **error)
{
  JsonNode *node = find_member (outer, name);

  if (node == NULL)
    return set_field_error (error, outer, name, "is missing");
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return set_field_error (error, outer, name, "is not an object");
  *section = (Section){ outer->label, prefix, json_node_get_object (node) };
  return TRUE;
}

static gboolean
is_id (const char *id)
{
  return strlen (id) <= 64 && strspn (id, "0123456789") == strlen (id);
}

static gboolean
take_subject (BoxAuthConfig *config, const Section *section, const char *type, const char *name,
              char **id, GError **error)
{
  if (!is_id (*id))
    return set_field_error (error, section, name, "is not an ID (digits)");
  config->subject_type = type;
  config->subject_id = g_steal_pointer (id);
  return TRUE;
}

static gboolean
parse_algorithm (BoxAuthConfig *config, const Section *section, GError **error)
{
  g_autofree char *name = NULL;

  if (!find_word (section, "algorithm", FIELD_LIMIT, &name, error))
    return FALSE;
  if (name != NULL && !box_jwt_algorithm_from_name (name, &config->algorithm))
    return set_field_error (error, section, "algorithm", "is not RS256, RS384 or RS512");
  return TRUE;
}

/* A user's ID takes precedence over the enterprise's, as in Box's own software: the file always
 * carries the latter. */
static gboolean
parse_app_subject (BoxAuthConfig *config, const Section *root, GError **error)
{
  g_autofree char *enterprise = NULL;
  g_autofree char *user = NULL;

  if (!find_word (root, "enterpriseID", FIELD_LIMIT, &enterprise, error)
      || !find_word (root, "userID", FIELD_LIMIT, &user, error))
    return FALSE;
  if (user != NULL)
    return take_subject (config, root, "user", "userID", &user, error);
  if (enterprise != NULL)
    return take_subject (config, root, "enterprise", "enterpriseID", &enterprise, error);
  return set_field_error (error, root, "enterpriseID", "is missing");
}

static gboolean
parse_app (BoxAuthConfig *config, const Section *root, GError **error)
{
  g_autoptr (BoxKey) key = NULL;
  Section settings, auth;

  config->kind = BOX_AUTH_JWT;
  if (!get_section (root, "boxAppSettings", "boxAppSettings.", &settings, error)
      || !get_word (&settings, "clientID", &config->client_id, error)
      || !get_word (&settings, "clientSecret", &config->client_secret, error)
      || !get_section (&settings, "appAuth", "boxAppSettings.appAuth.", &auth, error)
      || !get_word (&auth, "publicKeyID", &config->key_id, error)
      || !find_text (&auth, "privateKey", KEY_LIMIT, &config->private_key, error)
      || !find_text (&auth, "passphrase", FIELD_LIMIT, &config->passphrase, error)
      || !parse_algorithm (config, &auth, error) || !parse_app_subject (config, root, error))
    return FALSE;
  if (config->private_key == NULL)
    return set_field_error (error, &auth, "privateKey",
                            "is missing: generate a key pair on the app's Configuration page");

  key = box_auth_config_open_key (config, error);
  return key != NULL;
}

static gboolean
parse_client (BoxAuthConfig *config, const Section *root, GError **error)
{
  g_autofree char *enterprise = NULL;
  g_autofree char *user = NULL;

  config->kind = BOX_AUTH_CLIENT_CREDENTIALS;
  if (!find_word (root, "enterprise_id", FIELD_LIMIT, &enterprise, error)
      || !find_word (root, "user_id", FIELD_LIMIT, &user, error))
    return FALSE;
  if (enterprise != NULL && user != NULL)
    return set_field_error (error, root, "enterprise_id",
                            "and user_id are both there: keep the one to act as");
  if (user != NULL)
    return take_subject (config, root, "user", "user_id", &user, error);
  if (enterprise != NULL)
    return take_subject (config, root, "enterprise", "enterprise_id", &enterprise, error);
  return set_field_error (error, root, "enterprise_id",
                          "is missing: an enterprise_id, a user_id or a refresh_token is wanted");
}

/* The access token is optional: if its members make no sense, it is ignored. */
static void
parse_access_token (BoxAuthConfig *config, const Section *root)
{
  guint64 expires_at = 0, expires_in = 0;
  gboolean found;

  if (!find_word (root, "access_token", BOX_TOKEN_MAX_LENGTH, &config->access_token, NULL)
      || !box_json_find_uint64 (root->object, "expires_at", 0,
                                G_MAXINT32 * G_GUINT64_CONSTANT (100), &found, &expires_at, NULL)
      || !box_json_find_uint64 (root->object, "expires_in", 0, G_MAXINT32, &found, &expires_in,
                                NULL))
    {
      box_secret_free (config->access_token);
      config->access_token = NULL;
      return;
    }
  config->expires_at = (gint64) expires_at;
  config->expires_in = (gint64) expires_in;
}

static gboolean
parse_root (BoxAuthConfig *config, const Section *root, GError **error)
{
  if (json_object_has_member (root->object, "boxAppSettings"))
    return parse_app (config, root, error);

  if (!json_object_has_member (root->object, "client_id"))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "%s has neither boxAppSettings (the configuration that Box's developer console "
                   "offers for download) nor client_id",
                   root->label);
      return FALSE;
    }
  if (!get_word (root, "client_id", &config->client_id, error)
      || !get_word (root, "client_secret", &config->client_secret, error))
    return FALSE;
  if (!json_object_has_member (root->object, "refresh_token"))
    return parse_client (config, root, error);

  config->kind = BOX_AUTH_REFRESH_TOKEN;
  if (!get_token (root, "refresh_token", &config->refresh_token, error))
    return FALSE;
  parse_access_token (config, root);
  return TRUE;
}

/* Found before a refresh token is used up, not after. */
static gboolean
check_room (const BoxAuthConfig *config, GError **error)
{
  g_autoptr (BoxSecret) rest = box_auth_config_rewrite (config, &(BoxToken){ .refresh = "" }, 0);

  if (strlen (rest) <= BOX_AUTH_CONFIG_LIMIT - BOX_AUTH_CONFIG_ROOM)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
               "%s is too long to be rewritten, which happens at each use of its refresh_token",
               config->label);
  return FALSE;
}

BoxAuthConfig *
box_auth_config_parse (const char *label, const char *text, gsize length, GError **error)
{
  g_autoptr (BoxAuthConfig) config = g_new0 (BoxAuthConfig, 1);
  gsize mark = box_json_mark_length (text, length);
  g_autoptr (BoxSecretJson) node = box_json_parse_secret (text + mark, length - mark);
  Section root = { label, "", NULL };

  config->label = g_strdup (label);
  if (node == NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s is not a JSON object", label);
      return NULL;
    }
  root.object = json_node_get_object (node);
  if (!parse_root (config, &root, error))
    return NULL;
  if (config->kind == BOX_AUTH_REFRESH_TOKEN)
    {
      config->text = g_strndup (text + mark, length - mark);
      if (!check_room (config, error))
        return NULL;
    }
  return g_steal_pointer (&config);
}

/* As seen at a renewal: what is missing or not whole is being written. */
static BoxErrorCode
unfinished (BoxAuthConfigUse use)
{
  return use == BOX_AUTH_CONFIG_RENEW ? BOX_ERROR_TRANSIENT : BOX_ERROR_CREDENTIALS;
}

BoxAuthConfig *
box_auth_config_load (const char *origin, const char *path, BoxAuthConfigUse use, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autofree char *label = g_strdup_printf ("%s “%s”", origin, path);
  BoxAuthConfig *config;
  gsize length;
  char *text = box_secret_read_file (origin, path, BOX_AUTH_CONFIG_LIMIT, &length, &local_error);

  if (text == NULL)
    {
      if (g_error_matches (local_error, BOX_ERROR, BOX_ERROR_CREDENTIALS))
        local_error->code = (gint) unfinished (use);
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  config = box_auth_config_parse (label, text, length, &local_error);
  if (config == NULL)
    {
      if (!box_json_is_valid (text, length))
        local_error->code = (gint) unfinished (use);
      g_propagate_error (error, g_steal_pointer (&local_error));
    }
  box_secret_clear (text, length);
  return config;
}

void
box_auth_config_free (BoxAuthConfig *config)
{
  if (config == NULL)
    return;
  g_free (config->label);
  g_free (config->client_id);
  box_secret_free (config->client_secret);
  g_free (config->subject_id);
  g_free (config->key_id);
  box_secret_free (config->private_key);
  box_secret_free (config->passphrase);
  box_secret_free (config->refresh_token);
  box_secret_free (config->access_token);
  box_secret_free (config->text);
  g_free (config);
}

const char *
box_auth_kind_name (BoxAuthKind kind)
{
  switch (kind)
    {
    case BOX_AUTH_JWT:
      return "jwt";
    case BOX_AUTH_CLIENT_CREDENTIALS:
      return "client-credentials";
    case BOX_AUTH_REFRESH_TOKEN:
      return "refresh-token";
    }
  g_assert_not_reached ();
}

BoxKey *
box_auth_config_open_key (const BoxAuthConfig *config, GError **error)
{
  g_autofree char *label = g_strdup_printf ("%s: boxAppSettings.appAuth.privateKey", config->label);

  return box_key_new (config->private_key, config->passphrase, label, error);
}

/* The members that a renewal writes. */
static gboolean
is_renewed (const BoxJsonMember *member)
{
  static const char *const names[] = { "refresh_token", "access_token", "expires_in",
                                       "expires_at" };
  g_autofree char *quoted = g_strndup (member->name, member->name_length);
  g_autofree char *array = g_strdup_printf ("[%s]", quoted);
  g_autoptr (JsonNode) node = json_from_string (array, NULL);
  const char *name = json_array_get_string_element (json_node_get_array (node), 0);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      if (g_str_equal (name, names[i]))
        return TRUE;
    }
  return FALSE;
}

static void
keep_member (const BoxJsonMember *member, gpointer user_data)
{
  GString *text = user_data;

  if (is_renewed (member))
    return;
  g_string_append (text, "  ");
  g_string_append_len (text, member->name, (gssize) member->name_length);
  g_string_append (text, " : ");
  g_string_append_len (text, member->value, (gssize) member->value_length);
  g_string_append (text, ",\n");
}

static void
append_token (GString *text, const char *name, const char *token)
{
  g_string_append_printf (text, "  \"%s\" : \"", name);
  for (; *token != '\0'; token++)
    {
      if (*token == '"' || *token == '\\')
        g_string_append_c (text, '\\');
      g_string_append_c (text, *token);
    }
  g_string_append (text, "\",\n");
}

char *
box_auth_config_rewrite (const BoxAuthConfig *config, const BoxToken *token, gint64 now)
{
  gint64 life = token->life / G_USEC_PER_SEC;
  /* Growing would leave copies behind. */
  GString *text = g_string_sized_new (BOX_AUTH_CONFIG_LIMIT);

  g_string_append (text, "{\n");
  box_json_visit_members (config->text, strlen (config->text), keep_member, text);
  append_token (text, "refresh_token", token->refresh);
  if (token->access != NULL)
    append_token (text, "access_token", token->access);
  g_string_append_printf (text, "  \"expires_in\" : %" G_GINT64_FORMAT ",\n", life);
  g_string_append_printf (text, "  \"expires_at\" : %" G_GINT64_FORMAT "\n}\n",
                          life > 0 ? now + life : 0);
  return g_string_free (text, FALSE);
}

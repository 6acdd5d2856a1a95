/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/account.h"

#include "api/calls.h"
#include "base/fileio.h"
#include "base/json.h"
#include "base/text.h"

#include <errno.h>

#define FORMAT_VERSION 1
#define MAX_FILE       (1u << 20)
#define MAX_REASON     300

static const char *const scope_names[] = { "unknown", "none", "session", "file", "account" };

/* One thread of the process changes the file at a time. */
static GMutex changing;

const char *
box_plan_scope_to_string (BoxPlanScope scope)
{
  return scope_names[scope];
}

char *
box_account_default_path (void)
{
  return g_build_filename (g_get_user_state_dir (), "boxupload", "account.json", NULL);
}

/* Which account it is, as far as that is known without asking: the endpoint, and who acts there. */
static char *
name_account (BoxClient *client)
{
  g_autoptr (BoxCredentialsInfo) info = box_credentials_describe (client->credentials);
  const char *who = info->subject != NULL ? info->subject
                    : info->path != NULL  ? info->path
                                          : info->grant;

  if (client->as_user == NULL)
    return g_strdup_printf ("%s %s", client->endpoint, who);
  return g_strdup_printf ("%s %s as %s", client->endpoint, who, client->as_user);
}

/* The whole file; an empty object where it cannot be read or is another version's. */
static JsonNode *
load (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonNode *empty;
  gsize length;
  guint64 version;

  if (g_file_get_contents (path, &text, &length, NULL) && length <= MAX_FILE)
    {
      bytes = g_bytes_new_static (text, length);
      node = box_json_parse (bytes, NULL);
    }
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node)
      && box_json_get_uint64 (json_node_get_object (node), "version", FORMAT_VERSION,
                              FORMAT_VERSION, &version, NULL))
    return g_steal_pointer (&node);
  empty = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (empty, json_object_new ());
  return empty;
}

/* The object @name of @object, owned by it; made if it is not there. */
static JsonObject *
ensure_object (JsonObject *object, const char *name)
{
  JsonObject *member = NULL;

  if (!box_json_find_object (object, name, &member, NULL) || member == NULL)
    {
      member = json_object_new ();
      json_object_set_object_member (object, name, member);
    }
  return member;
}

BoxPlanScope
box_account_get_plan (const char *path, BoxClient *client)
{
  g_autoptr (JsonNode) node = load (path);
  g_autofree char *name = name_account (client);
  JsonObject *accounts = NULL, *account = NULL;
  const char *scope;

  if (!box_json_find_object (json_node_get_object (node), "accounts", &accounts, NULL)
      || accounts == NULL || !box_json_find_object (accounts, name, &account, NULL)
      || account == NULL)
    return BOX_PLAN_SCOPE_UNKNOWN;
  scope = box_json_peek_string (account, "plan");
  for (gsize i = 0; i < G_N_ELEMENTS (scope_names); i++)
    if (g_strcmp0 (scope, scope_names[i]) == 0)
      return (BoxPlanScope) i;
  return BOX_PLAN_SCOPE_UNKNOWN;
}

static gboolean
save (const char *path, JsonNode *node, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autofree char *text = NULL;
  gsize length;

  json_generator_set_pretty (generator, TRUE);
  json_generator_set_root (generator, node);
  text = json_generator_to_data (generator, &length);
  if (g_mkdir_with_parents (directory, 0700) != 0)
    {
      box_fileio_set_error (error, errno, "create", directory);
      return FALSE;
    }
  return box_fileio_replace (path, text, length, 0600, error);
}

gboolean
box_account_set_plan (const char *path, BoxClient *client, BoxPlanScope scope, const char *found_by,
                      const char *reason, GError **error)
{
  g_autofree char *name = name_account (client);
  g_autofree char *tidy = reason != NULL ? box_text_tidy (reason, MAX_REASON) : NULL;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&changing);
  g_autoptr (JsonNode) node = load (path);
  JsonObject *root = json_node_get_object (node);
  JsonObject *account = ensure_object (ensure_object (root, "accounts"), name);

  json_object_set_int_member (root, "version", FORMAT_VERSION);
  json_object_set_string_member (account, "plan", box_plan_scope_to_string (scope));
  json_object_set_string_member (account, "found_by", found_by);
  json_object_set_int_member (account, "time", g_get_real_time () / G_USEC_PER_SEC);
  if (tidy != NULL)
    json_object_set_string_member (account, "reason", tidy);
  else
    json_object_remove_member (account, "reason");
  return save (path, node, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/metadata.h"

#include "api/calls.h"
#include "base/json.h"
#include "base/text.h"

#include <string.h>

#define MAX_TEMPLATE 128

/* A line of a journal has to hold all of it. Bytes of JSON. */
#define MAX_VALUES 32768

struct _BoxMetadata
{
  gatomicrefcount refs;
  char *name;     /* SCOPE.TEMPLATE */
  char *path;     /* SCOPE/TEMPLATE */
  JsonNode *root; /* sealed; an object */
};

/* ---- what it may be ---- */

static gboolean
is_word (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && strchr ("_-", text[i]) == NULL)
      return FALSE;
  return length > 0;
}

static gboolean
check_template (const char *name, GError **error)
{
  const char *dot = strchr (name, '.');

  if (dot != NULL && strlen (name) <= MAX_TEMPLATE && is_word (name, (gsize) (dot - name))
      && is_word (dot + 1, strlen (dot + 1)))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "the metadata template is SCOPE.TEMPLATE, such as " BOX_METADATA_DEFAULT_TEMPLATE
               " or enterprise.scene, not “%s”",
               name);
  return FALSE;
}

static gboolean
refuse_value (const char *key, const char *problem, GError **error)
{
  g_autofree char *shown = box_text_escape (key);

  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "the metadata's “%s” %s", shown, problem);
  return FALSE;
}

static gboolean
is_list_of_strings (JsonNode *node)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    if (json_node_get_value_type (json_array_get_element (array, i)) != G_TYPE_STRING)
      return FALSE;
  return array != NULL;
}

static JsonNode *
number_to_string (JsonNode *node)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *whole = NULL;

  if (json_node_get_value_type (node) == G_TYPE_INT64)
    whole = g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node));
  else
    g_ascii_dtostr (text, sizeof text, json_node_get_double (node));
  return json_node_init_string (json_node_alloc (), whole != NULL ? whole : text);
}

/* The value as the template takes it; NULL with @error. */
static JsonNode *
convert (const char *key, JsonNode *node, gboolean strings_only, GError **error)
{
  GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_NONE;

  if (*key == '\0' || *key == '$' || !g_utf8_validate (key, -1, NULL))
    refuse_value (key, "is no name for a value: it is empty, begins with “$”, or is not UTF-8",
                  error);
  else if (type == G_TYPE_STRING || (is_list_of_strings (node) && !strings_only))
    return json_node_copy (node);
  else if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    return strings_only ? number_to_string (node) : json_node_copy (node);
  else
    refuse_value (key,
                  strings_only ? "is not a string, which is all that " BOX_METADATA_DEFAULT_TEMPLATE
                                 " takes"
                               : "is not a string, a number or a list of strings",
                  error);
  return NULL;
}

static JsonObject *
convert_all (JsonObject *values, gboolean strings_only, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (GList) keys = json_object_get_members (values);

  if (keys == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS, "the metadata has no values");
      return NULL;
    }
  for (GList *l = keys; l != NULL; l = l->next)
    {
      JsonNode *value =
          convert (l->data, json_object_get_member (values, l->data), strings_only, error);

      if (value == NULL)
        return NULL;
      json_object_set_member (object, l->data, value);
    }
  return g_steal_pointer (&object);
}

BoxMetadata *
box_metadata_new (const char *name, JsonObject *values, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  JsonObject *object;
  BoxMetadata *metadata;

  if (name == NULL || *name == '\0')
    name = BOX_METADATA_DEFAULT_TEMPLATE;
  if (!check_template (name, error))
    return NULL;
  object = convert_all (values, g_str_equal (name, BOX_METADATA_DEFAULT_TEMPLATE), error);
  if (object == NULL)
    return NULL;
  root = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (root, object);
  text = json_to_string (root, FALSE);
  if (strlen (text) > MAX_VALUES)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "the metadata has %" G_GSIZE_FORMAT " bytes, more than %d", strlen (text),
                   MAX_VALUES);
      return NULL;
    }
  json_node_seal (root);
  metadata = g_new0 (BoxMetadata, 1);
  g_atomic_ref_count_init (&metadata->refs);
  metadata->name = g_strdup (name);
  metadata->path = g_strdelimit (g_strdup (name), ".", '/');
  metadata->root = g_steal_pointer (&root);
  return metadata;
}

/* Adds "KEY=VALUE" or "KEY:=JSON". */
static gboolean
add_pair (JsonObject *values, const char *pair, GError **error)
{
  const char *equals = strchr (pair, '=');
  gboolean is_json = equals != NULL && equals > pair && equals[-1] == ':';
  g_autofree char *key = NULL;
  JsonNode *value = NULL;

  if (equals == NULL || equals == pair || !g_utf8_validate (pair, -1, NULL))
    {
      g_autofree char *shown = box_text_escape (pair);

      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "metadata is KEY=VALUE, or KEY:=JSON for a number or a list, not “%s”", shown);
      return FALSE;
    }
  key = g_strndup (pair, (gsize) (equals - pair) - (is_json ? 1 : 0));
  if (is_json)
    value = box_json_is_valid (equals + 1, strlen (equals + 1))
                ? json_from_string (equals + 1, NULL)
                : NULL;
  else
    value = json_node_init_string (json_node_alloc (), equals + 1);
  if (value == NULL)
    return refuse_value (key, "is not JSON", error);
  json_object_set_member (values, key, value);
  return TRUE;
}

BoxMetadata *
box_metadata_new_from_pairs (const char *name, const char *const *pairs, GError **error)
{
  g_autoptr (JsonObject) values = json_object_new ();

  for (guint i = 0; pairs[i] != NULL; i++)
    if (!add_pair (values, pairs[i], error))
      return NULL;
  return box_metadata_new (name, values, error);
}

BoxMetadata *
box_metadata_ref (BoxMetadata *metadata)
{
  g_atomic_ref_count_inc (&metadata->refs);
  return metadata;
}

void
box_metadata_unref (BoxMetadata *metadata)
{
  if (!g_atomic_ref_count_dec (&metadata->refs))
    return;
  g_free (metadata->name);
  g_free (metadata->path);
  json_node_unref (metadata->root);
  g_free (metadata);
}

const char *
box_metadata_get_template (const BoxMetadata *metadata)
{
  return metadata->name;
}

JsonObject *
box_metadata_get_values (const BoxMetadata *metadata)
{
  return json_node_get_object (metadata->root);
}

/* ---- giving it to a file ---- */

static const char attempt[] = "set the file's metadata";

static void
append_operation (JsonArray *patch, const char *op, const char *key, JsonNode *value)
{
  JsonObject *operation = json_object_new ();
  GString *pointer = g_string_new (key);

  g_string_replace (pointer, "~", "~0", 0);
  g_string_replace (pointer, "/", "~1", 0);
  g_string_prepend_c (pointer, '/');
  json_object_set_string_member (operation, "op", op);
  json_object_set_string_member (operation, "path", pointer->str);
  json_object_set_member (operation, "value", json_node_copy (value));
  json_array_add_object_element (patch, operation);
  g_string_free (pointer, TRUE);
}

/* Whether two values are the same: Box may write a whole number as a float. */
static gboolean
is_same (JsonNode *a, JsonNode *b)
{
  if (b == NULL)
    return FALSE;
  if (JSON_NODE_HOLDS_VALUE (a) && JSON_NODE_HOLDS_VALUE (b)
      && json_node_get_value_type (a) != G_TYPE_STRING
      && json_node_get_value_type (b) != G_TYPE_STRING)
    return json_node_get_double (a) == json_node_get_double (b);
  return json_node_equal (a, b);
}

/* What has to change in @instance; NULL: nothing. */
static JsonNode *
build_patch (JsonObject *values, JsonObject *instance)
{
  g_autoptr (GList) keys = json_object_get_members (values);
  g_autoptr (JsonArray) patch = json_array_new ();
  JsonNode *root;

  for (GList *l = keys; l != NULL; l = l->next)
    {
      JsonNode *value = json_object_get_member (values, l->data);
      JsonNode *there = json_object_get_member (instance, l->data);

      if (!is_same (value, there))
        append_operation (patch, there != NULL ? "replace" : "add", l->data, value);
    }
  if (json_array_get_length (patch) == 0)
    return NULL;
  root = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (root, g_steal_pointer (&patch));
  return root;
}

/* Whether the success is Box's: it answers with the instance, whose own members begin with a
 * dollar sign. A gateway's 200 is not one. */
static gboolean
has_instance (const BoxReply *reply)
{
  g_autoptr (JsonNode) node = box_json_parse (reply->body, NULL);
  JsonObject *instance = node != NULL ? box_json_object (node, "the metadata", NULL) : NULL;

  return instance != NULL
         && (json_object_has_member (instance, "$template")
             || json_object_has_member (instance, "$parent")
             || json_object_has_member (instance, "$id"));
}

static gboolean
is_success (const BoxReply *reply)
{
  return reply->status == 200 || reply->status == 201;
}

static gboolean
check_done (BoxReply *reply, GError **error)
{
  g_autoptr (BoxReply) owned = reply;

  if (reply == NULL)
    return FALSE;
  if (is_success (reply) && has_instance (reply))
    return TRUE;
  if (is_success (reply))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT,
                   "could not %s: the answer does not have it; this can work later", attempt);
      return FALSE;
    }
  g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt));
  return FALSE;
}

static BoxReply *
send_patch (BoxClient *client, BoxTransport *transport, const char *url, JsonNode *patch,
            GCancellable *cancellable, GError **error)
{
  g_autofree char *text = json_to_string (patch, FALSE);
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  BoxBody body;

  box_body_init_bytes (&body, bytes);
  return box_client_send (client, transport,
                          &(BoxClientCall){ .method = "PUT",
                                            .url = url,
                                            .content_type = "application/json-patch+json",
                                            .body = &body },
                          cancellable, error);
}

/* The file has an instance: of an earlier attempt, or of an earlier version. */
static gboolean
update (BoxClient *client, BoxTransport *transport, const char *url, const BoxMetadata *metadata,
        GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) node =
      box_client_get_json (client, transport, url, attempt, cancellable, &reason);
  JsonObject *instance = node != NULL ? box_json_object (node, "the metadata", &reason) : NULL;
  g_autoptr (JsonNode) patch = NULL;

  /* It went between two requests: the next attempt makes it. */
  if (g_error_matches (reason, BOX_ERROR, BOX_ERROR_NOT_FOUND))
    g_propagate_error (error, box_error_new_with_details (BOX_ERROR_TRANSIENT,
                                                          box_error_get_details (reason), "%s",
                                                          reason->message));
  else if (reason != NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  if (instance == NULL)
    return FALSE;
  patch = build_patch (box_metadata_get_values (metadata), instance);
  return patch == NULL
         || check_done (send_patch (client, transport, url, patch, cancellable, error), error);
}

static gboolean
is_there_already (const BoxReply *reply)
{
  g_auto (BoxRefusal) refusal = { 0 };

  if (reply->status != 409)
    return FALSE;
  box_refusal_parse (&refusal, reply);
  return g_strcmp0 (refusal.code, "conflict") == 0
         || g_strcmp0 (refusal.code, "tuple_already_exists") == 0;
}

gboolean
box_client_set_metadata (BoxClient *client, BoxTransport *transport, const char *file_id,
                         const BoxMetadata *metadata, GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxDestination) checked = box_destination_new_file (file_id, error);
  g_autofree char *url = NULL;
  BoxReply *reply;

  if (checked == NULL)
    return FALSE;
  url = g_strdup_printf ("%s/files/%s/metadata/%s", client->api_endpoint, file_id, metadata->path);
  reply = box_client_send_json (client, transport, &(BoxClientCall){ .method = "POST", .url = url },
                                metadata->root, cancellable, error);
  if (reply == NULL)
    return FALSE;
  if (is_there_already (reply) || (is_success (reply) && !has_instance (reply)))
    {
      box_reply_free (reply);
      return update (client, transport, url, metadata, cancellable, error);
    }
  if (check_done (reply, error))
    return TRUE;
  if (error != NULL && g_error_matches (*error, BOX_ERROR, BOX_ERROR_NOT_FOUND))
    {
      g_autofree char *template = g_strdelimit (g_strdup (metadata->path), "/", '.');

      g_prefix_error (error, "template %s: ", template);
    }
  return FALSE;
}

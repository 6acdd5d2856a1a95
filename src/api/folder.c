/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/folder.h"

#include "api/calls.h"
#include "base/json.h"

#define MAX_NAME   4096
#define MAX_MARKER 4096

/* Items of one page; Box allows no more. */
#define PAGE 1000

/* Pages of one list: ten million items. A server that gives more never ends. */
#define MAX_PAGES 10000

/* ---- items ---- */

void
box_item_free (BoxItem *item)
{
  if (item == NULL)
    return;
  g_free (item->id);
  g_free (item->name);
  g_free (item->modified_at);
  g_free (item);
}

static BoxItemKind
kind_of (const char *type)
{
  if (g_strcmp0 (type, "file") == 0)
    return BOX_ITEM_FILE;
  return g_strcmp0 (type, "folder") == 0 ? BOX_ITEM_FOLDER : BOX_ITEM_OTHER;
}

BoxItem *
box_item_parse (JsonNode *node, GError **error)
{
  g_autoptr (BoxItem) item = g_new0 (BoxItem, 1);
  JsonObject *object = box_json_object (node, "the item", error);
  g_autofree char *type = NULL, *sha1 = NULL;

  if (object == NULL || !box_json_get_id (object, "the item", &item->id, error)
      || !box_json_find_string (object, "type", 32, &type, error)
      || !box_json_find_string (object, "name", MAX_NAME, &item->name, error)
      || !box_json_find_uint64 (object, "size", 0, G_MAXINT64, &item->has_size, &item->size, error)
      || !box_json_find_string (object, "sha1", 64, &sha1, error)
      || !box_json_find_string (object, "modified_at", 64, &item->modified_at, error))
    return NULL;
  item->kind = kind_of (type);
  item->has_sha1 = sha1 != NULL && box_sha1_from_hex (sha1, &item->sha1);
  return g_steal_pointer (&item);
}

BoxItem *
box_item_from_conflict (const GError *error)
{
  JsonNode *context = box_error_get_details (error)->context;
  JsonNode *conflicts =
      context != NULL ? json_object_get_member (json_node_get_object (context), "conflicts") : NULL;

  if (conflicts != NULL && JSON_NODE_HOLDS_ARRAY (conflicts))
    {
      JsonArray *array = json_node_get_array (conflicts);

      conflicts = json_array_get_length (array) > 0 ? json_array_get_element (array, 0) : NULL;
    }
  return conflicts != NULL ? box_item_parse (conflicts, NULL) : NULL;
}

char *
box_item_fold_name (const char *name)
{
  g_autofree char *composed = g_utf8_normalize (name, -1, G_NORMALIZE_NFC);

  return g_utf8_casefold (composed != NULL ? composed : name, -1);
}

/* ---- lists ---- */

/* Takes @reason. */
static gboolean
refuse_page (GError **error, const char *attempt, GError *reason)
{
  g_set_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL, "could not %s: Box's list makes no sense (%s)",
               attempt, reason->message);
  g_error_free (reason);
  return FALSE;
}

/* Calls @visit; what it answered last comes in @more. */
static gboolean
visit_page (JsonNode *page, BoxItemVisitor visit, gpointer user_data, char **marker, gboolean *more,
            GError **error)
{
  JsonObject *object = box_json_object (page, "the list", error);
  JsonArray *entries;

  if (object == NULL || !box_json_find_array (object, "entries", &entries, error)
      || !box_json_find_string (object, "next_marker", MAX_MARKER, marker, error))
    return FALSE;
  for (guint i = 0; *more && entries != NULL && i < json_array_get_length (entries); i++)
    {
      g_autoptr (BoxItem) item = box_item_parse (json_array_get_element (entries, i), error);

      if (item == NULL)
        return FALSE;
      *more = item->name == NULL || visit (item, user_data);
    }
  if (*marker != NULL && **marker == '\0')
    g_clear_pointer (marker, g_free);
  return TRUE;
}

static char *
page_url (BoxClient *client, const char *folder_id, const char *marker)
{
  g_autofree char *escaped = marker != NULL ? g_uri_escape_string (marker, NULL, FALSE) : NULL;

  return g_strdup_printf ("%s/folders/%s/items?fields=type,id,name,size,sha1,modified_at"
                          "&usemarker=true&limit=%d%s%s",
                          client->api_endpoint, folder_id, PAGE, escaped != NULL ? "&marker=" : "",
                          escaped != NULL ? escaped : "");
}

gboolean
box_client_visit_folder (BoxClient *client, BoxTransport *transport, const char *folder_id,
                         BoxItemVisitor visit, gpointer user_data, GCancellable *cancellable,
                         GError **error)
{
  static const char attempt[] = "list the folder";
  g_autofree char *marker = NULL;
  gboolean more = TRUE;

  for (guint i = 0; more; i++)
    {
      g_autofree char *url = page_url (client, folder_id, marker);
      g_autofree char *next = NULL;
      g_autoptr (JsonNode) page =
          box_client_get_json (client, transport, url, attempt, cancellable, error);
      GError *reason = NULL;

      if (page == NULL)
        return FALSE;
      if (!visit_page (page, visit, user_data, &next, &more, &reason))
        return refuse_page (error, attempt, reason);
      if (i == MAX_PAGES || (next != NULL && g_strcmp0 (next, marker) == 0))
        return refuse_page (error, attempt, g_error_new (BOX_ERROR, BOX_ERROR_PROTOCOL, "no end"));
      more = more && next != NULL;
      g_free (marker);
      marker = g_steal_pointer (&next);
    }
  return TRUE;
}

typedef struct
{
  char *wanted; /* folded */
  BoxItem *found;
} Search;

static gboolean
compare (const BoxItem *item, gpointer user_data)
{
  Search *search = user_data;
  g_autofree char *folded = box_item_fold_name (item->name);

  if (!g_str_equal (folded, search->wanted))
    return TRUE;
  search->found = g_memdup2 (item, sizeof *item);
  search->found->id = g_strdup (item->id);
  search->found->name = g_strdup (item->name);
  search->found->modified_at = g_strdup (item->modified_at);
  return FALSE;
}

gboolean
box_client_delete_folder (BoxClient *client, BoxTransport *transport, const char *folder_id,
                          GCancellable *cancellable, GError **error)
{
  g_autofree char *url =
      g_strconcat (client->api_endpoint, "/folders/", folder_id, "?recursive=true", NULL);
  g_autoptr (BoxReply) reply = box_client_send (
      client, transport, &(BoxClientCall){ .method = "DELETE", .url = url }, cancellable, error);

  if (reply == NULL)
    return FALSE;
  if (reply->status == 204 || reply->status == 200)
    return TRUE;
  g_propagate_error (error,
                     box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, "remove the folder"));
  return FALSE;
}

BoxItem *
box_client_find_item (BoxClient *client, BoxTransport *transport, const char *parent_id,
                      const char *name, GCancellable *cancellable, GError **error)
{
  g_autofree char *wanted = box_item_fold_name (name);
  Search search = { .wanted = wanted };

  if (!box_client_visit_folder (client, transport, parent_id, compare, &search, cancellable, error))
    g_clear_pointer (&search.found, box_item_free);
  return search.found;
}

/* ---- making ---- */

static JsonNode *
build_folder (const char *parent_id, const char *name)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "name");
  json_builder_add_string_value (builder, name);
  json_builder_set_member_name (builder, "parent");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "id");
  json_builder_add_string_value (builder, parent_id);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

char *
box_client_create_folder (BoxClient *client, BoxTransport *transport, const char *parent_id,
                          const char *name, GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "make the folder";
  g_autoptr (JsonNode) body = build_folder (parent_id, name);
  g_autofree char *url = g_strconcat (client->api_endpoint, "/folders", NULL);
  g_autoptr (BoxReply) reply = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (BoxItem) folder = NULL;
  g_autoptr (GError) reason = NULL;

  reply = box_client_send_json (client, transport, &(BoxClientCall){ .method = "POST", .url = url },
                                body, cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status != 201 && reply->status != 200)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt));
      return NULL;
    }
  node = box_json_parse (reply->body, &reason);
  folder = node != NULL ? box_item_parse (node, &reason) : NULL;
  if (folder == NULL)
    {
      g_propagate_error (
          error, box_api_error_from_nonsense (reply, TRUE, attempt, g_steal_pointer (&reason)));
      return NULL;
    }
  return g_steal_pointer (&folder->id);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files and folders as items: look, rename, move, copy, list, delete.
 */
#include "emulator/base/json.h"
#include "emulator/routes/routes.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT     1000

/* Takes @object; NULL: the reply is @problem. */
static void
reply_item (EmuCall *call, guint status, JsonObject *object, const EmuProblem *problem)
{
  if (object != NULL)
    emu_call_reply_json (call, status, emu_call_select (call, object));
  else
    emu_call_reply_problem (call, problem);
}

static const char *
get_parent (EmuCall *call)
{
  return emu_json_string (emu_json_object (call->json, "parent"), "id");
}

void
emu_route_get_file (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  JsonObject *file = emu_store_get_file (call->world->store, call->id, &problem);
  const char *folder = emu_json_string (emu_json_object (file, "parent"), "id");

  if (file != NULL && !emu_call_check_scope (call, folder, &problem))
    g_clear_pointer (&file, json_object_unref);
  reply_item (call, 200, file, &problem);
}

static void
update (EmuCall *call, gboolean folder)
{
  g_auto (EmuProblem) problem = { 0 };

  if (!emu_call_check_full (call))
    return;
  if (call->json == NULL)
    {
      emu_call_refuse (call, 400, "bad_request", "The body is not a JSON object");
      return;
    }
  reply_item (call, 200,
              emu_store_update (call->world->store, call->id, folder, call->json,
                                emu_call_get_header (call, "If-Match"), &problem),
              &problem);
}

void
emu_route_update_file (EmuCall *call)
{
  update (call, FALSE);
}

void
emu_route_update_folder (EmuCall *call)
{
  update (call, TRUE);
}

static void
remove_item (EmuCall *call, gboolean folder)
{
  g_auto (EmuProblem) problem = { 0 };
  gboolean recursive = g_strcmp0 (emu_call_get_query (call, "recursive"), "true") == 0;

  if (!emu_call_check_full (call))
    return;
  if (emu_store_delete (call->world->store, call->id, folder, recursive,
                        emu_call_get_header (call, "If-Match"), &problem))
    emu_call_reply (call, 204);
  else
    emu_call_reply_problem (call, &problem);
}

void
emu_route_delete_file (EmuCall *call)
{
  remove_item (call, FALSE);
}

void
emu_route_delete_folder (EmuCall *call)
{
  remove_item (call, TRUE);
}

void
emu_route_copy_file (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };

  if (emu_call_check_full (call))
    reply_item (call, 201,
                emu_store_copy (call->world->store, call->id, get_parent (call),
                                emu_json_string (call->json, "name"), &problem),
                &problem);
}

static gboolean
check_folder (EmuCall *call, EmuProblem *problem)
{
  const char *const values[] = { emu_json_string (call->json, "name"), get_parent (call) };
  static const char *const names[] = { "name", "parent" };
  gboolean ok = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (values[i] == NULL)
      {
        g_autofree char *message = g_strdup_printf ("'%s' is required", names[i]);

        if (ok)
          emu_problem_set (problem, 400, "bad_request", "Bad Request");
        ok = emu_problem_add_error (problem, "missing_parameter", names[i], message);
      }
  return ok;
}

void
emu_route_create_folder (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  JsonObject *folder = NULL;

  if (!emu_call_check_full (call))
    return;
  if (check_folder (call, &problem))
    folder = emu_store_add_folder (call->world->store, get_parent (call),
                                   emu_json_string (call->json, "name"), &problem);
  reply_item (call, 201, folder, &problem);
}

/* --- lists -------------------------------------------------------------------------------------
 */

static gint64
get_limit (EmuCall *call)
{
  return CLAMP (emu_call_get_query_int (call, "limit", DEFAULT_LIMIT), 0, MAX_LIMIT);
}

/* A page of @all by the query's offset (or marker) and limit. */
static JsonObject *
make_page (EmuCall *call, JsonArray *all)
{
  gboolean by_marker = g_strcmp0 (emu_call_get_query (call, "usemarker"), "true") == 0;
  gint64 offset = MAX (emu_call_get_query_int (call, by_marker ? "marker" : "offset", 0), 0);
  gint64 limit = get_limit (call);
  gint64 total = json_array_get_length (all);
  JsonObject *page = json_object_new ();
  JsonArray *entries = json_array_new ();

  for (gint64 i = offset; i < total && i < offset + limit; i++)
    {
      JsonObject *entry = json_array_get_object_element (all, i);

      json_array_add_object_element (entries, emu_call_select (call, json_object_ref (entry)));
    }
  json_object_set_array_member (page, "entries", entries);
  json_object_set_int_member (page, "limit", limit);
  if (by_marker && offset + limit < total)
    {
      g_autofree char *marker = g_strdup_printf ("%" G_GINT64_FORMAT, offset + limit);

      json_object_set_string_member (page, "next_marker", marker);
    }
  if (!by_marker)
    {
      json_object_set_int_member (page, "total_count", total);
      json_object_set_int_member (page, "offset", offset);
    }
  return page;
}

/* A page of a folder, which says how it is sorted. */
static JsonObject *
make_ordered_page (EmuCall *call, JsonArray *items)
{
  static const char *const keys[] = { "type", "name" };
  JsonObject *page = make_page (call, items);
  JsonArray *order = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      JsonObject *by = json_object_new ();

      json_object_set_string_member (by, "by", keys[i]);
      json_object_set_string_member (by, "direction", "ASC");
      json_array_add_object_element (order, by);
    }
  json_object_set_array_member (page, "order", order);
  return page;
}

static JsonArray *
list (EmuCall *call, EmuProblem *problem)
{
  return emu_store_list (call->world->store, call->id, emu_call_get_query (call, "fields") != NULL,
                         problem);
}

void
emu_route_list_versions (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (JsonArray) versions = emu_store_get_versions (call->world->store, call->id, &problem);

  if (versions != NULL)
    emu_call_reply_json (call, 200, make_page (call, versions));
  else
    emu_call_reply_problem (call, &problem);
}

void
emu_route_list_folder (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (JsonArray) items = NULL;

  if (emu_call_check_scope (call, call->id, &problem))
    items = list (call, &problem);
  if (items != NULL)
    emu_call_reply_json (call, 200, make_ordered_page (call, items));
  else
    emu_call_reply_problem (call, &problem);
}

void
emu_route_get_folder (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  JsonObject *folder = NULL;
  g_autoptr (JsonArray) items = NULL;

  if (emu_call_check_scope (call, call->id, &problem))
    folder = emu_store_get_folder (call->world->store, call->id, &problem);
  if (folder != NULL)
    items = list (call, &problem);
  if (items != NULL && emu_call_get_query (call, "fields") == NULL)
    json_object_set_object_member (folder, "item_collection", make_ordered_page (call, items));
  reply_item (call, 200, folder, &problem);
}

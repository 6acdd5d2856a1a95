/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Metadata of files.
 */
#include "emulator/base/json.h"
#include "emulator/routes/routes.h"

/* Takes @instance; NULL: the reply is @problem. */
static void
reply (EmuCall *call, guint status, JsonObject *instance, const EmuProblem *problem)
{
  if (instance != NULL)
    emu_call_reply_json (call, status, instance);
  else
    emu_call_reply_problem (call, problem);
}

void
emu_route_create_metadata (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };

  if (!emu_call_check_full (call) || !emu_call_check_type (call, "application/json"))
    return;
  if (call->json == NULL)
    {
      emu_call_refuse (call, 400, "bad_request", "The body is not a JSON object");
      return;
    }
  reply (call, 201,
         emu_store_create_metadata (call->world->store, call->id, call->tail, call->json, &problem),
         &problem);
}

void
emu_route_get_metadata (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };

  if (emu_call_check_full (call))
    reply (call, 200, emu_store_get_metadata (call->world->store, call->id, call->tail, &problem),
           &problem);
}

void
emu_route_update_metadata (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (JsonNode) body = NULL;
  g_autofree char *text = g_strndup ((const char *) call->body->data, call->body->len);

  if (!emu_call_check_full (call) || !emu_call_check_type (call, "application/json-patch+json"))
    return;
  body = json_from_string (text != NULL ? text : "", NULL);
  if (body == NULL || !JSON_NODE_HOLDS_ARRAY (body))
    {
      emu_call_refuse (call, 400, "bad_request", "The body is not a JSON patch");
      return;
    }
  reply (call, 200,
         emu_store_patch_metadata (call->world->store, call->id, call->tail,
                                   json_node_get_array (body), &problem),
         &problem);
}

void
emu_route_delete_metadata (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };

  if (!emu_call_check_full (call))
    return;
  if (emu_store_delete_metadata (call->world->store, call->id, call->tail, &problem))
    emu_call_reply (call, 204);
  else
    emu_call_reply_problem (call, &problem);
}

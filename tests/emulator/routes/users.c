/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who one is, and the token endpoint.
 */
#include "emulator/base/json.h"
#include "emulator/routes/oauth.h"
#include "emulator/routes/routes.h"

#define UNLIMITED G_GINT64_CONSTANT (999999999999999)

/* Box writes very large numbers as floats. */
static void
set_limit (JsonObject *user, const char *name, guint64 limit)
{
  if (limit > UNLIMITED)
    json_object_set_double_member (user, name, limit);
  else
    json_object_set_int_member (user, name, limit != 0 ? (gint64) limit : UNLIMITED);
}

void
emu_route_get_user (EmuCall *call)
{
  EmuWorld *world = call->world;
  JsonObject *user;

  if (!emu_call_check_full (call))
    return;
  user = emu_tokens_get_user (call->world->tokens, call->identity.user);
  if (user == NULL)
    {
      emu_call_refuse (call, 404, "not_found", "Not Found");
      return;
    }
  json_object_set_string_member (user, "status", "active");
  set_limit (user, "space_amount", world->quota);
  json_object_set_int_member (user, "space_used", emu_store_get_used (world->store));
  set_limit (user, "max_upload_size", world->max_size);
  emu_call_reply_json (call, 200, emu_call_select (call, user));
}

/* The form of the body: name to value. */
static GHashTable *
get_form (EmuCall *call)
{
  g_autofree char *text = g_strndup ((const char *) call->body->data, call->body->len);

  return soup_form_decode (text != NULL ? text : "");
}

void
emu_route_token (EmuCall *call)
{
  g_autoptr (GHashTable) form = get_form (call);
  JsonObject *reply = json_object_new ();
  guint status = emu_oauth_token (call->world->tokens, form, reply);

  soup_message_headers_replace (call->reply_headers, "Cache-Control", "no-store");
  soup_message_headers_append (call->reply_headers, "Set-Cookie",
                               "box_visitor_id=emulator; path=/; domain=.box.com; secure");
  emu_call_reply_json (call, status, reply);
}

void
emu_route_revoke (EmuCall *call)
{
  g_autoptr (GHashTable) form = get_form (call);
  JsonObject *reply = json_object_new ();
  guint status = emu_oauth_revoke (call->world->tokens, form, reply);

  if (status != 200)
    {
      emu_call_reply_json (call, status, reply);
      return;
    }
  json_object_unref (reply);
  emu_call_reply (call, 200);
}

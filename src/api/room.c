/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/room.h"

#include "api/calls.h"
#include "base/json.h"

static gboolean
find (JsonObject *object, const char *name, guint64 *value)
{
  gboolean found = FALSE;

  /* What makes no sense is not known: Box writes large numbers in several ways. */
  return box_json_find_uint64 (object, name, 0, G_MAXINT64, &found, value, NULL) && found;
}

gboolean
box_client_get_room (BoxClient *client, BoxTransport *transport, BoxRoom *room,
                     GCancellable *cancellable, GError **error)
{
  g_autofree char *url = g_strconcat (
      client->api_endpoint, "/users/me?fields=space_amount,space_used,max_upload_size", NULL);
  g_autoptr (JsonNode) node = box_client_get_json (
      client, transport, url, "ask what the account takes", cancellable, error);
  JsonObject *object = node != NULL ? box_json_object (node, "the user", error) : NULL;

  *room = (BoxRoom){ 0 };
  if (object == NULL)
    return FALSE;
  room->has_space = find (object, "space_amount", &room->space_amount)
                    && find (object, "space_used", &room->space_used);
  if (!find (object, "max_upload_size", &room->max_upload_size))
    room->max_upload_size = 0;
  return TRUE;
}

char *
box_room_describe_lack (const BoxRoom *room, guint64 largest, guint64 total)
{
  guint64 left = room->space_used < room->space_amount ? room->space_amount - room->space_used : 0;
  g_autofree char *most = g_format_size (room->max_upload_size);
  g_autofree char *free_space = g_format_size (left);

  if (room->max_upload_size != 0 && largest > room->max_upload_size)
    return g_strdup_printf ("the account takes files of at most %s (%" G_GUINT64_FORMAT " bytes)",
                            most, room->max_upload_size);
  if (room->has_space && total > left)
    return g_strdup_printf ("the account has room for %s (%" G_GUINT64_FORMAT " bytes)", free_space,
                            left);
  return NULL;
}

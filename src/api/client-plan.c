/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxClient's call for Box's "plan": which parts of a file Box has already, by their SHA-512. What
 * the reply says is checked against what was asked. An entry that does not fit is left out, which
 * makes it a miss.
 */
#include "api/calls.h"

#include "base/json.h"

#define MAX_PART_ID 64

static JsonNode *
build_request (GPtrArray *parts)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "parts");
  json_builder_begin_array (builder);
  for (guint i = 0; i < parts->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (parts, i);
      g_autofree char *hex = box_sha512_to_hex (&part->sha512);

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "offset");
      json_builder_add_int_value (builder, (gint64) part->offset);
      json_builder_set_member_name (builder, "size");
      json_builder_add_int_value (builder, (gint64) part->size);
      json_builder_set_member_name (builder, "sha512");
      json_builder_add_string_value (builder, hex);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* The part of @asked at @offset; NULL: none. */
static const BoxPart *
find_asked (GPtrArray *asked, guint64 offset)
{
  for (guint i = 0; i < asked->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (asked, i);

      if (part->offset == offset)
        return part;
    }
  return NULL;
}

static gboolean
has_offset (GPtrArray *hits, guint64 offset)
{
  return find_asked (hits, offset) != NULL;
}

/* The part that @entry says is there; NULL: @asked does not have it. */
static BoxPart *
parse_hit (JsonObject *entry, GPtrArray *asked)
{
  g_autofree char *id = NULL, *hex = NULL;
  guint64 offset, size;
  const BoxPart *part;
  BoxSha512 sha512;
  BoxPart *hit;

  if (!box_json_get_string (entry, "part_id", MAX_PART_ID, &id, NULL) || *id == '\0'
      || !box_json_get_uint64 (entry, "offset", 0, G_MAXINT64, &offset, NULL)
      || !box_json_get_uint64 (entry, "size", 1, BOX_SESSION_MAX_PART_SIZE, &size, NULL)
      || !box_json_get_string (entry, "sha512", 2 * BOX_SHA512_SIZE, &hex, NULL)
      || !box_sha512_from_hex (hex, &sha512))
    return NULL;
  part = find_asked (asked, offset);
  if (part == NULL || part->size != size || !box_sha512_equal (&part->sha512, &sha512))
    return NULL;
  hit = box_part_copy (part);
  g_free (hit->id);
  hit->id = g_steal_pointer (&id);
  return hit;
}

GPtrArray *
box_plan_parse_hits (GBytes *reply, GPtrArray *asked, GError **error)
{
  g_autoptr (JsonNode) node = box_json_parse (reply, error);
  g_autoptr (GPtrArray) hits = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  JsonObject *object = node != NULL ? box_json_object (node, "the plan", error) : NULL;
  JsonArray *entries = NULL;
  guint n;

  if (object == NULL || !box_json_find_array (object, "hits", &entries, error))
    return NULL;
  n = entries != NULL ? MIN (json_array_get_length (entries), BOX_PLAN_PARTS_MAX) : 0;
  for (guint i = 0; i < n; i++)
    {
      JsonObject *entry = box_json_object (json_array_get_element (entries, i), "a hit", NULL);
      g_autoptr (BoxPart) hit = entry != NULL ? parse_hit (entry, asked) : NULL;

      if (hit != NULL && !has_offset (hits, hit->offset))
        g_ptr_array_add (hits, g_steal_pointer (&hit));
    }
  return g_steal_pointer (&hits);
}

GPtrArray *
box_client_plan (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                 GPtrArray *parts, GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "ask which parts Box has already";
  g_autoptr (JsonNode) body = NULL;
  g_autoptr (GError) reason = NULL;
  g_autoptr (BoxReply) reply = NULL;
  GPtrArray *hits;

  g_return_val_if_fail (session->plan_url != NULL, NULL);
  g_return_val_if_fail (parts->len > 0 && parts->len <= BOX_PLAN_PARTS_MAX, NULL);
  body = build_request (parts);
  reply = box_client_send_json (client, transport,
                                &(BoxClientCall){ .method = "POST", .url = session->plan_url },
                                body, cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status != 200 && reply->status != 201)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_SESSION, attempt));
      return NULL;
    }
  hits = box_plan_parse_hits (reply->body, parts, &reason);
  if (hits == NULL)
    g_propagate_error (
        error, box_api_error_from_nonsense (reply, FALSE, attempt, g_steal_pointer (&reason)));
  return hits;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/error.h"

#include "base/json.h"
#include "base/text.h"

#include <libsoup/soup.h>
#include <string.h>

#define MAX_QUOTE   300
#define MAX_CODE    64
#define MAX_REASONS 3

void
box_refusal_clear (BoxRefusal *refusal)
{
  g_clear_pointer (&refusal->code, g_free);
  g_clear_pointer (&refusal->message, g_free);
  g_clear_pointer (&refusal->reasons, g_free);
  g_clear_pointer (&refusal->reason, g_free);
  g_clear_pointer (&refusal->request_id, g_free);
  g_clear_pointer (&refusal->context, json_node_unref);
}

/* NULL if it is missing, empty or not a string. */
static char *
find_raw (JsonObject *object, const char *name)
{
  g_autofree char *text = NULL;

  if (!box_json_find_string (object, name, BOX_TRANSPORT_MAX_REPLY, &text, NULL) || text == NULL
      || *text == '\0')
    return NULL;
  return g_steal_pointer (&text);
}

static char *
find_tidy (JsonObject *object, const char *name)
{
  g_autofree char *text = find_raw (object, name);

  return text != NULL ? box_text_tidy (text, MAX_QUOTE) : NULL;
}

/* Box's API says "code" and "message", its token service "error" and "error_description". */
static char *
find_either (JsonObject *object, const char *name, const char *other)
{
  char *text = find_tidy (object, name);

  return text != NULL ? text : find_tidy (object, other);
}

/* ---- context_info ---- */

static void
add_reason (GString *reasons, JsonNode *node)
{
  JsonObject *object = box_json_object (node, "reason", NULL);
  g_autofree char *message = object != NULL ? find_tidy (object, "message") : NULL;
  g_autofree char *name = object != NULL ? find_tidy (object, "name") : NULL;
  g_autofree char *reason = object != NULL ? find_tidy (object, "reason") : NULL;

  if (message == NULL && reason == NULL)
    return;
  if (reasons->len > 0)
    g_string_append (reasons, "; ");
  if (name != NULL)
    g_string_append_printf (reasons, "%s: ", name);
  g_string_append (reasons, message != NULL ? message : reason);
}

/* A string, or {"errors": [{"reason", "name", "message"}]}. */
static void
parse_reasons (BoxRefusal *refusal, JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "context_info");
  g_autoptr (GString) reasons = g_string_new (NULL);
  JsonObject *context, *first;
  JsonArray *errors;

  refusal->reasons = find_tidy (object, "context_info");
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return;
  context = json_node_get_object (node);
  if (!box_json_find_array (context, "errors", &errors, NULL) || errors == NULL
      || json_array_get_length (errors) == 0)
    return;
  for (guint i = 0; i < MIN (json_array_get_length (errors), MAX_REASONS); i++)
    add_reason (reasons, json_array_get_element (errors, i));
  if (reasons->len > 0)
    refusal->reasons = box_text_tidy (reasons->str, MAX_QUOTE);
  first = box_json_object (json_array_get_element (errors, 0), "reason", NULL);
  if (first != NULL)
    refusal->reason = find_tidy (first, "reason");
}

gboolean
box_refusal_context_has (JsonNode *context, const char *name, const char *value)
{
  g_autofree char *text = NULL;

  if (context == NULL || !json_object_has_member (json_node_get_object (context), name))
    return FALSE;
  if (value == NULL)
    return TRUE;
  text = find_raw (json_node_get_object (context), name);
  return g_strcmp0 (text, value) == 0;
}

char *
box_refusal_dup_conflict_type (JsonNode *context)
{
  JsonNode *conflicts =
      context != NULL ? json_object_get_member (json_node_get_object (context), "conflicts") : NULL;
  JsonObject *first;

  if (conflicts != NULL && JSON_NODE_HOLDS_ARRAY (conflicts))
    {
      JsonArray *array = json_node_get_array (conflicts);

      conflicts = json_array_get_length (array) > 0 ? json_array_get_element (array, 0) : NULL;
    }
  first = conflicts != NULL ? box_json_object (conflicts, "conflict", NULL) : NULL;
  return first != NULL ? find_raw (first, "type") : NULL;
}

/* ---- the part that a refused one overlaps ---- */

/* "… overlaps with previously uploaded part: {id: "15AE83DA", "offset": 6106906624, "size":
 * 8388608}" is not JSON: the id's name may lack its quotes. NULL if @message names no part. */
static JsonNode *
find_part_in_text (const char *message)
{
  static const char pattern[] = "\\{\\s*\"?(?:part_)?id\"?\\s*:\\s*\"?([0-9A-Za-z]{1,64})\"?\\s*,"
                                "\\s*\"?offset\"?\\s*:\\s*([0-9]{1,18})\\s*,"
                                "\\s*\"?size\"?\\s*:\\s*([0-9]{1,18})\\s*\\}";
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autoptr (JsonBuilder) builder = NULL;
  g_autofree char *id = NULL, *offset = NULL, *size = NULL;

  if (!g_regex_match (regex, message, 0, &match))
    return NULL;
  id = g_match_info_fetch (match, 1);
  offset = g_match_info_fetch (match, 2);
  size = g_match_info_fetch (match, 3);
  builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "part_id");
  json_builder_add_string_value (builder, id);
  json_builder_set_member_name (builder, "offset");
  json_builder_add_int_value (builder, g_ascii_strtoll (offset, NULL, 10));
  json_builder_set_member_name (builder, "size");
  json_builder_add_int_value (builder, g_ascii_strtoll (size, NULL, 10));
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* A copy of @context (nullable) with one more member; takes @value. */
static JsonNode *
extend_context (JsonNode *context, const char *name, JsonNode *value)
{
  JsonNode *node = json_node_alloc ();
  JsonObject *object = json_object_new ();

  if (context != NULL)
    {
      g_autoptr (GList) members = json_object_get_members (json_node_get_object (context));

      for (GList *member = members; member != NULL; member = member->next)
        json_object_set_member (
            object, member->data,
            json_node_copy (json_object_get_member (json_node_get_object (context), member->data)));
    }
  json_object_set_member (object, name, value);
  json_node_init_object (node, object);
  json_object_unref (object);
  return node;
}

static void
note_conflicting_part (BoxRefusal *refusal, const char *message)
{
  g_autoptr (JsonNode) plain = NULL;
  JsonNode *part;

  if (message == NULL || box_refusal_context_has (refusal->context, "conflicting_part", NULL)
      || (part = find_part_in_text (message)) == NULL)
    return;
  plain = g_steal_pointer (&refusal->context);
  refusal->context = extend_context (plain, "conflicting_part", part);
}

/* ---- both forms ---- */

static void
parse_body (BoxRefusal *refusal, const BoxReply *reply)
{
  g_autoptr (JsonNode) node = box_json_parse (reply->body, NULL);
  g_autofree char *message = NULL;
  JsonObject *object, *context;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return;
  object = json_node_get_object (node);
  refusal->code = find_either (object, "code", "error");
  refusal->message = find_either (object, "message", "error_description");
  refusal->request_id = find_tidy (object, "request_id");
  parse_reasons (refusal, object);
  if (box_json_find_object (object, "context_info", &context, NULL) && context != NULL)
    refusal->context = json_node_copy (json_object_get_member (object, "context_info"));
  message = find_raw (object, "message");
  note_conflicting_part (refusal, message);
  refusal->is_box = refusal->code != NULL;
  if (refusal->code != NULL && strlen (refusal->code) > MAX_CODE)
    g_clear_pointer (&refusal->code, g_free);
}

/* Of RFC 6750: Bearer realm="Service", error="invalid_token", error_description="…". */
static void
parse_challenge (BoxRefusal *refusal, const char *challenge)
{
  g_autoptr (GHashTable) params = NULL;
  const char *code, *message;

  if (challenge == NULL || g_ascii_strncasecmp (challenge, "Bearer", 6) != 0
      || (challenge[6] != ' ' && challenge[6] != '\0'))
    return;
  refusal->is_box = TRUE;
  params = soup_header_parse_param_list (challenge + 6);
  code = g_hash_table_lookup (params, "error");
  message = g_hash_table_lookup (params, "error_description");
  if (refusal->code == NULL && code != NULL && strlen (code) <= MAX_CODE)
    refusal->code = box_text_tidy (code, MAX_QUOTE);
  if (refusal->message == NULL && message != NULL)
    refusal->message = box_text_tidy (message, MAX_QUOTE);
}

void
box_refusal_parse (BoxRefusal *refusal, const BoxReply *reply)
{
  *refusal = (BoxRefusal){ 0 };
  parse_body (refusal, reply);
  parse_challenge (refusal, reply->www_authenticate);
}

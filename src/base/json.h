/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Readers for untrusted JSON. They are bounded, accept known variations of Box (integers as
 * floats, null for absent), and are strict about the rest. Errors are BOX_ERROR_PROTOCOL and name
 * the field.
 *
 * get: the member must be there. find: an absent or null member is success, with @found FALSE or a
 * NULL string.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Deeper nesting than this is refused before json-glib, which recurses, sees it. */
#define BOX_JSON_MAX_DEPTH 64

/* Length of the byte order mark (of UTF-8) at the start of @text: 3 or 0 bytes. JSON must not
 * begin with one, but readers may ignore it (RFC 8259, section 8.1). */
gsize box_json_mark_length (const char *text, gsize length);

/* Whether @text is one JSON value and nothing else, nested no deeper than BOX_JSON_MAX_DEPTH. */
gboolean box_json_is_valid (const char *text, gsize length);

/* The valid JSON @text with ".0" after each integer that does not fit in a gint64; NULL if all of
 * them fit. Versions of json-glib read such an integer differently: as another number, or as the
 * nearest. */
GString *box_json_spell_out_floats (const char *text, gsize length);

/* A member of an object as it is written, quotes and escapes included. */
typedef struct
{
  const char *name;
  gsize name_length;
  const char *value;
  gsize value_length; /* without the white space after it */
} BoxJsonMember;

typedef void (*BoxJsonVisitor) (const BoxJsonMember *member, gpointer user_data);

/* Calls @visit for each member of the object that @text, which is valid, holds. */
void
box_json_visit_members (const char *text, gsize length, BoxJsonVisitor visit, gpointer user_data);

/* Free with json_node_unref(). */
JsonNode *box_json_parse (GBytes *bytes, GError **error);

/* The object that @text is, without copies of its strings left in memory that was freed, but for
 * those in arrays and those written with \u. NULL if it is not an object. Free with
 * box_json_free_secret(), which overwrites the strings. */
JsonNode *box_json_parse_secret (const char *text, gsize length);
void box_json_free_secret (JsonNode *node);

typedef JsonNode BoxSecretJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxSecretJson, box_json_free_secret)

/* The object that @node is, owned by it. @what names it in the error. */
JsonObject *box_json_object (JsonNode *node, const char *what, GError **error);

/* The object or array that is @object's member, owned by it; NULL without error if absent or
 * null. */
gboolean
box_json_find_object (JsonObject *object, const char *name, JsonObject **value, GError **error);
gboolean
box_json_find_array (JsonObject *object, const char *name, JsonArray **value, GError **error);

/* A number within [@min, @max]; a whole float is accepted, too. find: @found is FALSE, without
 * error, if the member is absent or null; get: that is an error. */
gboolean box_json_find_uint64 (JsonObject *object, const char *name, guint64 min, guint64 max,
                               gboolean *found, guint64 *value, GError **error);
gboolean box_json_get_uint64 (JsonObject *object, const char *name, guint64 min, guint64 max,
                              guint64 *value, GError **error);

/* The string that is @object's member, owned by it; NULL if it is anything else. */
const char *box_json_peek_string (JsonObject *object, const char *name);

/* FALSE unless the member is true or false. */
gboolean box_json_get_boolean (JsonObject *object, const char *name, gboolean *value);

/* A string of at most @max_bytes; free with g_free(). */
gboolean box_json_find_string (JsonObject *object, const char *name, gsize max_bytes, char **value,
                               GError **error);
gboolean box_json_get_string (JsonObject *object, const char *name, gsize max_bytes, char **value,
                              GError **error);

/* A string, or an integer as its decimal digits (Box sends etags as either). */
gboolean box_json_find_text (JsonObject *object, const char *name, gsize max_bytes, char **value,
                             GError **error);

/* The member "id" as Box numbers its files and folders: digits, which are safe in a URL and on a
 * terminal. @what begins the error. */
gboolean box_json_get_id (JsonObject *object, const char *what, char **id, GError **error);

G_END_DECLS

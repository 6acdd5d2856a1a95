/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Readers for JSON that others wrote: bounded, tolerant of what Box is known to vary (integers as
 * floats, null for absent), and strict about the rest. Errors are BOX_ERROR_PROTOCOL and name the
 * field.
 *
 * get: the member must be there. find: an absent or null member is success, with @found FALSE or a
 * NULL string.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Deeper nesting than this is refused before json-glib, which recurses, sees it. */
#define BOX_JSON_MAX_DEPTH 64

/* How long the byte order mark (of UTF-8) at the head of @text is: 3 or 0 bytes. JSON must not
 * begin with one, and may be read all the same (RFC 8259, section 8.1). */
gsize box_json_mark_length (const char *text, gsize length);

/* Whether @text is one JSON value and nothing else, nested no deeper than BOX_JSON_MAX_DEPTH. */
gboolean box_json_is_valid (const char *text, gsize length);

/* @text, which is valid, with ".0" after each integer that does not fit in a gint64; NULL if
 * there is none. Versions of json-glib differ in what they make of these: another number, or the
 * nearest.
 */
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

/* The object that @node is, owned by it. @what names it in the error. */
JsonObject *box_json_object (JsonNode *node, const char *what, GError **error);

/* The object or array that is @object's member, owned by it; NULL without error if absent or
 * null. */
gboolean
box_json_find_object (JsonObject *object, const char *name, JsonObject **value, GError **error);
gboolean
box_json_find_array (JsonObject *object, const char *name, JsonArray **value, GError **error);

/* A number within [@min, @max]; a whole IEEE-754 float is one too. find: @found is FALSE, without
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

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading JSON that clients or disks may have got wrong: absent, or of another type, gives the
 * default.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* NULL unless @text is one JSON object. */
JsonObject *emu_json_parse (const char *text, gssize length);

/* Owned by @object. @object may be NULL. */
const char *emu_json_string (JsonObject *object, const char *name);
JsonObject *emu_json_object (JsonObject *object, const char *name);
JsonArray *emu_json_array (JsonObject *object, const char *name);

/* Integers, floats without a fraction, and digits in a string are numbers. */
gint64 emu_json_int (JsonObject *object, const char *name, gint64 fallback);
gboolean emu_json_boolean (JsonObject *object, const char *name, gboolean fallback);

/* NULL is written as null. */
void emu_json_set_string (JsonObject *object, const char *name, const char *value);

char *emu_json_to_text (JsonObject *object);

/* RFC 7396: members of @patch replace those of @target, objects are merged, null removes. */
void emu_json_merge (JsonObject *target, JsonObject *patch);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxMetadata: keys and values that a file gets at Box, in one instance of a template; and the
 * calls that give it to the file. Immutable, reference-counted, shared by threads.
 */
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

/* The template that any account has: any keys, values that are strings. */
#define BOX_METADATA_DEFAULT_TEMPLATE "global.properties"

typedef struct _BoxMetadata BoxMetadata;

/**
 * box_metadata_new:
 * @name: (nullable): SCOPE.TEMPLATE; NULL: BOX_METADATA_DEFAULT_TEMPLATE.
 * @values: (transfer none): strings, numbers, and arrays of strings. In the default template
 * numbers become strings, and arrays are not allowed.
 *
 * BOX_ERROR_SETTINGS.
 */
BoxMetadata *box_metadata_new (const char *name, JsonObject *values, GError **error);

/* From the pairs of a command line: KEY=VALUE is a string, KEY:=JSON is what the JSON says. */
BoxMetadata *
box_metadata_new_from_pairs (const char *name, const char *const *pairs, GError **error);

BoxMetadata *box_metadata_ref (BoxMetadata *metadata);
void box_metadata_unref (BoxMetadata *metadata);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxMetadata, box_metadata_unref)

/* "SCOPE.TEMPLATE"; and the values, which are not to be changed. Owned by @metadata. */
const char *box_metadata_get_template (const BoxMetadata *metadata);
JsonObject *box_metadata_get_values (const BoxMetadata *metadata);

/* POST …/files/ID/metadata/SCOPE/TEMPLATE; if the file has an instance already, its keys that
 * differ are changed (PUT), and other keys stay. One attempt; repeating it is harmless. */
gboolean
box_client_set_metadata (BoxClient *client, BoxTransport *transport, const char *file_id,
                         const BoxMetadata *metadata, GCancellable *cancellable, GError **error);

G_END_DECLS

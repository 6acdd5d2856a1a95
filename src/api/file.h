/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxFile: a file at Box, as commits, direct uploads, look-ups and name conflicts describe it.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  char *version_id;  /* NULL where Box did not say */
  char *name;        /* likewise */
  char *etag;        /* likewise; Box sends it as a string or a number */
  gboolean has_size; /* a conflict does not carry the size */
  guint64 size;
  gboolean has_sha1;
  BoxSha1 sha1;
} BoxFile;

/* Parses a file object, or {"entries":[file]} with exactly one entry. */
BoxFile *box_file_parse (JsonNode *node, GError **error);

/* The file that stands in the way, from the details of a BOX_ERROR_NAME_IN_USE error
 * (context_info.conflicts is an object or an array); NULL where there is none. */
BoxFile *box_file_from_conflict (const GError *error);

/* Whether @file (nullable) has this content: its SHA-1 has to be known, its size is compared where
 * it is. */
gboolean box_file_has_content (const BoxFile *file, guint64 size, const BoxSha1 *sha1);

BoxFile *box_file_copy (const BoxFile *file);
void box_file_free (BoxFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxFile, box_file_free)

G_END_DECLS

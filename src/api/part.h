/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPart: a part that Box has acknowledged, as replies to an upload and entries of a list describe
 * it.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  guint64 offset;    /* bytes */
  guint64 size;      /* bytes */
  gboolean has_sha1; /* lists usually carry null instead */
  BoxSha1 sha1;
} BoxPart;

/* Parses {"part":{…}} or the bare object (Box's guide and its servers differ). */
BoxPart *box_part_parse (JsonNode *node, GError **error);

/* Parses one page of a list: an array of BoxPart with free function. Entries without a part_id are
 * placeholders and are left out of the array; @n_entries (nullable) counts them too, because paging
 * goes by the entries. */
GPtrArray *box_part_parse_page (JsonNode *node, guint *n_entries, GError **error);

/* The part that stands in the way of one that was refused as overlapping, as Box's error names it;
 * NULL where it names none. */
BoxPart *box_part_from_conflict (const GError *error);

BoxPart *box_part_copy (const BoxPart *part);
void box_part_free (BoxPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxPart, box_part_free)

G_END_DECLS

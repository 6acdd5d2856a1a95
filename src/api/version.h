/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxVersion: a past version of a file, as Box's list of versions describes it. The newest version
 * is not in that list: it is the file itself.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  gint64 created; /* Unix time, microseconds; 0 where Box did not say */
  gboolean has_size;
  guint64 size;
  gboolean has_sha1;
  BoxSha1 sha1;
} BoxVersion;

void box_version_free (BoxVersion *version);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxVersion, box_version_free)

/* Parses a list: an array of BoxVersion with free function. */
GPtrArray *box_version_parse_list (JsonNode *node, GError **error);

/**
 * BoxVersionQuery:
 * @size, @sha1: the content.
 * @after: (nullable): the id of a version that is older. Where the list does not have it, every
 * version in it is taken for newer: Box removes the oldest first.
 * @since: a Unix time in seconds before which it was not made; 0: any. A version without a time
 * does not match one.
 *
 * What is known of a version that is looked for.
 */
typedef struct
{
  guint64 size;
  const BoxSha1 *sha1;
  const char *after;
  gint64 since;
} BoxVersionQuery;

/* The version in the list that @query describes, owned by it; NULL: there is none. */
const BoxVersion *box_version_find (GPtrArray *versions, const BoxVersionQuery *query);

G_END_DECLS

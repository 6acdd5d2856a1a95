/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxFile: a file at Box, as commits, direct uploads, look-ups and name conflicts describe it.
 * BoxVersion: a past version of it.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  char *version_id;  /* NULL if Box did not say */
  char *name;        /* likewise */
  char *etag;        /* likewise; Box sends it as a string or a number */
  gboolean has_size; /* a conflict does not carry the size */
  guint64 size;
  gboolean has_sha1;
  BoxSha1 sha1;
  char *link; /* its page in Box's web app; NULL: not known (box_client_add_link()) */
} BoxFile;

/* Parses a file object, or {"entries":[file]} with exactly one entry. */
BoxFile *box_file_parse (JsonNode *node, GError **error);

/* The file that stands in the way, from the details of a BOX_ERROR_NAME_IN_USE error
 * (context_info.conflicts is an object or an array); NULL if it is not named. */
BoxFile *box_file_from_conflict (const GError *error);

/* Whether @file (nullable) has this content: its SHA-1 must be known, its size is compared if it is
 * known. */
gboolean box_file_has_content (const BoxFile *file, guint64 size, const BoxSha1 *sha1);

BoxFile *box_file_copy (const BoxFile *file);
void box_file_free (BoxFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxFile, box_file_free)

/* As Box's list of versions describes it. The newest version is not in that list: it is the file
 * itself. */
typedef struct
{
  char *id;
  gint64 created; /* Unix time, microseconds; 0 if Box did not say */
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

/* The version in the list that @query describes, owned by it; NULL if the list has no such version.
 */
const BoxVersion *box_version_find (GPtrArray *versions, const BoxVersionQuery *query);

/* In a folder's list: a file of the content that @query describes, made since, that was changed
 * after it was made, as renaming does. NULL if there is no such file. Entries that are not
 * files, or make no sense, are skipped. */
BoxFile *box_file_find_renamed (JsonNode *list, const BoxVersionQuery *query);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxSession: an upload session as Box describes it, parsed and checked against nonsense. The URLs
 * are the session's own endpoints: they are used as given, never built from the id (Box may name a
 * closer host). BoxPart: a part of it.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

/* Below this size Box refuses an upload session (file_size_too_small); such a file is uploaded in
 * one POST. Box: "minimum size of 20MB"; 20,000,000 itself is accepted. */
#define BOX_SESSION_MIN_SIZE G_GUINT64_CONSTANT (20000000)

/* A larger part than this is refused as nonsense: real ones are 8 to 64 MiB, and a part has to fit
 * in memory. */
#define BOX_SESSION_MAX_PART_SIZE (G_GUINT64_CONSTANT (1) << 30)

/* More parts than this are nonsense: with the 8 MiB of a small file's parts they would be 8 TiB,
 * and Box makes larger parts of larger files. The part table of such a session takes 100 MB. */
#define BOX_SESSION_MAX_PARTS 1000000

/* No session can be for more bytes. */
#define BOX_SESSION_MAX_SIZE (BOX_SESSION_MAX_PARTS * BOX_SESSION_MAX_PART_SIZE)

typedef struct
{
  char *id;
  guint64 part_size;     /* bytes, 1 to BOX_SESSION_MAX_PART_SIZE */
  guint total_parts;     /* at least 1 */
  guint parts_processed; /* how many of them Box has processed */
  GDateTime *expires_at; /* NULL if Box did not say */
  char *upload_part_url;
  char *commit_url;
  char *abort_url;
  char *list_parts_url;
  char *status_url;
  char *plan_url; /* NULL where the session has no "plan" */
} BoxSession;

/* Parses a session object. BOX_ERROR_PROTOCOL names the field that is missing or makes no sense. */
BoxSession *box_session_parse (JsonNode *node, GError **error);
BoxSession *box_session_copy (const BoxSession *session);
void box_session_free (BoxSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxSession, box_session_free)

/* Refuses (BOX_ERROR_TRUST) a session whose endpoints are not of @endpoint's scheme, or are on a
 * host that is neither @endpoint's own nor under its registrable domain: they would be sent the
 * token. */
gboolean
box_session_check_endpoints (const BoxSession *session, const char *endpoint, GError **error);

/* Whether a file of @size bytes gives exactly this session's number of parts of its part size. */
gboolean box_session_fits (const BoxSession *session, guint64 size);

/* A part that Box has acknowledged, as replies to an upload and entries of a list describe it. */
typedef struct
{
  char *id;
  guint64 offset;    /* bytes */
  guint64 size;      /* bytes */
  gboolean has_sha1; /* lists usually carry null instead */
  BoxSha1 sha1;
  gboolean has_sha512; /* Box never sends it: computed here, for box_client_plan() */
  BoxSha512 sha512;
} BoxPart;

/* Parses {"part":{…}} or the bare object (Box's guide and its servers differ). */
BoxPart *box_part_parse (JsonNode *node, GError **error);

/* Parses one page of a list: an array of BoxPart with free function. Entries without a part_id are
 * placeholders and are left out of the array; @n_entries (nullable) counts them too, because paging
 * goes by the entries. */
GPtrArray *box_part_parse_page (JsonNode *node, guint *n_entries, GError **error);

/* The part that stands in the way of one that was refused as overlapping, as Box's error names it;
 * NULL if it names no part. */
BoxPart *box_part_from_conflict (const GError *error);

/* Bytes of all @parts (nullable; element-type BoxPart). */
guint64 box_part_sum (const GPtrArray *parts);

BoxPart *box_part_copy (const BoxPart *part);
void box_part_free (BoxPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxPart, box_part_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxClient: Box's upload API. Each function makes one call, and one attempt; the caller decides
 * about retries (base/retry.h). After a 401 the call is sent once more with a renewed token.
 * Immutable and shared by threads; each thread uses its own BoxTransport.
 *
 * Every function returns FALSE or NULL exactly when @error is set, in the domain BOX_ERROR, with
 * what Box said in the details. Sizes and offsets are bytes.
 */
#pragma once

#include "api/destination.h"
#include "api/file.h"
#include "api/session.h"
#include "auth/credentials.h"
#include "base/error.h"

G_BEGIN_DECLS

#define BOX_DEFAULT_ENDPOINT     "https://upload.box.com/api/2.0"
#define BOX_DEFAULT_API_ENDPOINT "https://api.box.com/2.0"

/* NULL and 0 mean the defaults. An endpoint that is not given is that of the environment, or, if
 * the other one is a loopback address, on the same server, or Box's. */
typedef struct
{
  const char *endpoint;     /* uploads; then BOX_ENDPOINT */
  const char *api_endpoint; /* everything else; then BOX_API_ENDPOINT */
  const char *as_user;      /* user id sent as As-User with every call */
  const char *ca_file;      /* then BOX_CA_FILE */
  const char *proxy;
  guint timeout;            /* seconds */
  const char *access_token; /* these three, then the environment: see BoxCredentialsSettings */
  const char *token_file;
  const char *auth_config;
} BoxClientSettings;

/* For a program, before its first client: box_trust_own_process(). */
void box_client_own_process (void);

typedef struct _BoxClient BoxClient;

/* Checks the settings: endpoints must be https, or http to a loopback address (BOX_ERROR_TRUST). No
 * network. */
BoxClient *box_client_new (const BoxClientSettings *settings, GError **error);
BoxClient *box_client_ref (BoxClient *client);
void box_client_unref (BoxClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxClient, box_client_unref)

/* Owned by @client. */
BoxCredentials *box_client_get_credentials (BoxClient *client);
const char *box_client_get_endpoint (BoxClient *client);

/* The page of a file in Box's web app, by where the client's API is: at Box, or at Box for
 * governments. NULL for any other server, such as an emulated Box or a gateway, whose files no page
 * of Box shows. Pure. Free with g_free(). */
char *box_client_format_link (BoxClient *client, const char *file_id);

/* Sets the link of @file. */
void box_client_add_link (BoxClient *client, BoxFile *file);

/* Seconds without progress after which a request has failed. */
guint box_client_get_timeout (BoxClient *client);

/* Box's time now, Unix microseconds, by the Date of its replies: this machine's clock may be wrong.
 * FALSE before the first reply. */
gboolean box_client_get_time (BoxClient *client, gint64 *time);

/* File attributes for a commit or direct upload; NULL: not given. Times are RFC 3339. */
typedef struct
{
  const char *description;
  const char *content_created_at;
  const char *content_modified_at;
} BoxAttributes;

/* @to becomes a copy that owns its strings, until it is cleared. */
void box_attributes_copy (BoxAttributes *to, const BoxAttributes *from);
void box_attributes_clear (BoxAttributes *owned);

/* POST …/files/upload_sessions, or …/files/ID/upload_sessions for a version. @destination is a
 * FOLDER or FILE one. NAME_IN_USE carries the file that is there. 409 session_conflict yields that
 * session if it fits @size. */
BoxSession *box_client_create_session (BoxClient *client, BoxTransport *transport,
                                       const BoxDestination *destination, guint64 size,
                                       GCancellable *cancellable, GError **error);

/* GET of a session by its id; its endpoints are checked. NOT_FOUND, SESSION_GONE (expired). */
BoxSession *
box_client_get_session (BoxClient *client, BoxTransport *transport, const char *session_id,
                        GCancellable *cancellable, GError **error);

/* PUT of one part: @body at @offset of a file of @total bytes. The reply's offset, size and SHA-1
 * are checked (BOX_ERROR_INTEGRITY). CONFLICT: overlaps a part that is there: list. */
BoxPart *
box_client_upload_part (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                        guint64 offset, guint64 total, const BoxSha1 *sha1, const BoxBody *body,
                        GCancellable *cancellable, GError **error);

/* Maximum number of parts that Box lists for a session. If a part behind them is sent again, its
 * refusal names it (box_part_from_conflict()). */
#define BOX_LISTED_PARTS_MAX 11000

/* All pages of GET …/parts: BoxPart entries with free function, sorted by offset. @n_listed: (out)
 * (optional): the list tells of the first that many parts of the session, at most
 * BOX_LISTED_PARTS_MAX; of the parts behind these nothing is known. */
GPtrArray *
box_client_list_parts (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                       guint *n_listed, GCancellable *cancellable, GError **error);

/* Maximum number of parts that one request asks for: about 100 kB of JSON. Box names no limit. */
#define BOX_PLAN_PARTS_MAX 500

/* POST session_endpoints.plan, which @session must have: which of @parts (1 to BOX_PLAN_PARTS_MAX
 * of BoxPart with their SHA-512, sorted by offset) Box has already, in whatever session or file.
 * Copies of them with the part_id to commit them with, sorted or not, with free function. A hit is
 * Box's promise, which only a commit confirms. */
GPtrArray *box_client_plan (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                            GPtrArray *parts, GCancellable *cancellable, GError **error);

/**
 * box_client_commit:
 * @parts: all parts (BoxPart), in order of offset.
 * @sha1: of the whole file.
 * @attributes: (nullable):
 * @if_match: (nullable): etag that the file must still have (versions).
 * @file: (out) (transfer full) (nullable): the file; NULL with TRUE if Box answered 202: ask again
 * after @retry_after seconds.
 * @retry_after: (out): -1: Box did not say.
 *
 * parts_mismatch is TRANSIENT.
 */
gboolean box_client_commit (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                            GPtrArray *parts, const BoxSha1 *sha1, const BoxAttributes *attributes,
                            const char *if_match, BoxFile **file, gint *retry_after,
                            GCancellable *cancellable, GError **error);

/* DELETE; a session that is gone already is success. */
gboolean box_client_abort (BoxClient *client, BoxTransport *transport, const BoxSession *session,
                           GCancellable *cancellable, GError **error);

/* OPTIONS …/files/content (or …/files/ID/content): whether @destination would take a file of @size
 * bytes (0: of some size). NAME_IN_USE carries the file that is there. */
gboolean
box_client_preflight (BoxClient *client, BoxTransport *transport, const BoxDestination *destination,
                      guint64 size, GCancellable *cancellable, GError **error);

/* POST …/files/content (or …/files/ID/content): the whole file in one request, for files below
 * BOX_SESSION_MIN_SIZE. The reply's size and SHA-1 are checked. */
BoxFile *box_client_upload_file (BoxClient *client, BoxTransport *transport,
                                 const BoxDestination *destination, const BoxSha1 *sha1,
                                 const BoxBody *body, const BoxAttributes *attributes,
                                 const char *if_match, GCancellable *cancellable, GError **error);

/**
 * BoxLiveSource:
 * @body: the file's bytes, a body with a source; its progress counts them.
 * @sum: what was sent, after the body has ended.
 *
 * A file that is sent while it is made.
 */
typedef struct
{
  const BoxBody *body;
  void (*sum) (gpointer user_data, guint64 *size, BoxSha1 *sha1);
  gpointer user_data; /* of @sum */
} BoxLiveSource;

/* The same while the file is still being made, once: no 401 leads to another try. The reply's size
 * and SHA-1 are checked. INTEGRITY: what Box made of it, the file @wrong (out) (nullable) (transfer
 * full), is something else. */
BoxFile *box_client_upload_live (BoxClient *client, BoxTransport *transport,
                                 const BoxDestination *destination, const BoxLiveSource *source,
                                 const BoxAttributes *attributes, const char *if_match,
                                 char **wrong, GCancellable *cancellable, GError **error);

/* GET …/files/ID with id, name, size, sha1, etag and version. */
BoxFile *box_client_get_file (BoxClient *client, BoxTransport *transport, const char *file_id,
                              GCancellable *cancellable, GError **error);

/* GET …/files/ID/versions: the past version of @file that @query describes, with the file's id and
 * name; NULL without @error if there is no such version. */
BoxFile *
box_client_find_version (BoxClient *client, BoxTransport *transport, const BoxFile *file,
                         const BoxVersionQuery *query, GCancellable *cancellable, GError **error);

/* GET …/folders/ID/items, the newest thousand: the file that was made by @query's upload and
 * renamed since; NULL without @error if there is no such file. */
BoxFile *
box_client_find_renamed (BoxClient *client, BoxTransport *transport, const char *folder_id,
                         const BoxVersionQuery *query, GCancellable *cancellable, GError **error);

/* The user of the credentials: GET …/users/me. */
typedef struct
{
  char *id;
  char *name;
  char *login;
} BoxUser;
void box_user_free (BoxUser *user);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxUser, box_user_free)
BoxUser *box_client_get_user (BoxClient *client, BoxTransport *transport, GCancellable *cancellable,
                              GError **error);

/*
 * How often this process has asked Box for what, and how Box answered: counters for monitoring.
 * Any thread.
 */

/* A request to @url was answered with @status; 0: it got no answer. @cancelled: because nobody
 * waited for it any more. */
void box_traffic_count (const char *method, const char *url, guint status, gboolean cancelled);

/* Since when Box has answered no request, or only that it cannot serve (5xx); Unix time. 0: it
 * served the last one, or none was sent. */
gint64 box_traffic_get_outage (void);

/* @request: "part", "commit", …; @status_class: "2xx" to "5xx", or "none". */
typedef void (*BoxTrafficVisitor) (const char *request, const char *status_class, guint64 n,
                                   gpointer user_data);

/* Calls @visit for each counter that is not zero. */
void box_traffic_visit (BoxTrafficVisitor visit, gpointer user_data);

/*
 * Reading the bytes of a file at Box, a piece at a time: a piece that fails is asked for again, and
 * the ones before it stay.
 */

/* Bytes of a piece: a reply may not be longer. */
#define BOX_DOWNLOAD_PIECE (2u << 20)

/**
 * box_client_read_file:
 * @file: with its id and size; its version, if that is known.
 * @address: (inout): where Box lets the file be read without a token; NULL at first. Belongs to one
 * file. Free with g_free().
 * @length: at most BOX_DOWNLOAD_PIECE, and not beyond the file's end.
 *
 * GET …/files/ID/content, and what its redirect leads to, which gets no token: exactly @length
 * bytes at @offset. One attempt. Free with g_bytes_unref().
 */
GBytes *box_client_read_file (BoxClient *client, BoxTransport *transport, const BoxFile *file,
                              char **address, guint64 offset, gsize length,
                              GCancellable *cancellable, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxEmulator: a stand-in for Box's upload API in this process, over HTTP and TLS on loopback. It
 * runs in threads of its own, so that a test may block in the code under test. Faults are data
 * (scenarios, docs/emulator.md); its log has every request, and what it stored can be looked at
 * directly.
 *
 * Every function may be called from any thread. Strings in results belong to the result.
 *
 *   g_autoptr (BoxEmulator) emulator = box_emulator_new (NULL, &error);
 *   settings.endpoint = box_emulator_get_endpoint (emulator, FALSE);
 *   settings.api_endpoint = box_emulator_get_api_endpoint (emulator, FALSE);
 *   settings.access_token = "any";
 */
#pragma once

#include <json-glib/json-glib.h>

#include "emulator/base/views.h"

G_BEGIN_DECLS

/* A member that is 0 or NULL has its default. Sizes are bytes, times seconds. */
typedef struct
{
  const char *dir;  /* storage, kept; NULL: a temporary directory, removed by box_emulator_free() */
  guint16 port;     /* 0: the kernel picks one */
  guint16 tls_port; /* likewise */
  guint64 part_size;        /* of new sessions: 8388608 */
  guint64 min_size;         /* below it a session is refused: 20000000; 1: never */
  guint64 max_size;         /* above it a file is refused (file_size_limit_exceeded): no limit */
  guint64 quota;            /* of all stored files (storage_limit_exceeded): no limit */
  guint64 rate;             /* of all request bodies together, a second: no limit */
  guint calls_per_minute;   /* of each user, uploads among them (429): no limit */
  guint uploads_per_minute; /* of each user, each part among them (429): no limit */
  guint session_lifetime;   /* 7 days */
  guint token_lifetime;     /* expires_in of tokens that /oauth2/token issues: 3600 */
  guint page_limit;         /* the largest page of a list: 1000 */
  guint processing;  /* the first so many commits of a session are answered 202 with Retry-After */
  guint retry_after; /* the Retry-After of these, 0: 1 */
  gint64 clock_offset;        /* the emulator's clock against the machine's */
  const char *const *tokens;  /* accepted access tokens, never expiring; NULL: any is accepted */
  gboolean late_expiry;       /* a token that expires while a part or file is on its way: 401 */
  BoxEmulatorPlan plan;       /* how far it looks: ABSENT */
  guint plan_delay;           /* s; of LATE: 0 */
  const char *profile;        /* JSON that "boxupload probe" wrote: answers as that account's */
  gboolean session_conflicts; /* a session for what an open one is for: 409 session_conflict */
  const char *upload_host;    /* in URLs of sessions and preflights: the host that was called */
  gboolean strict_clients;    /* only clients and tokens of box_emulator_load_accounts() are good */
} BoxEmulatorOptions;

typedef struct _BoxEmulator BoxEmulator;

/* Creates the certificates and starts to listen. @options may be NULL. */
BoxEmulator *box_emulator_new (const BoxEmulatorOptions *options, GError **error);

/* Resets all connections and waits for its threads. */
void box_emulator_free (BoxEmulator *emulator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxEmulator, box_emulator_free)

/* Addresses. One origin answers for all of Box's hosts: for uploads
 * "http://127.0.0.1:PORT/api/2.0", for the rest of the API ".../2.0"; tokens are at /oauth2/token
 * of the origin. Owned by @emulator. */
const char *box_emulator_get_endpoint (BoxEmulator *emulator, gboolean tls);
const char *box_emulator_get_api_endpoint (BoxEmulator *emulator, gboolean tls);
const char *box_emulator_get_origin (BoxEmulator *emulator, gboolean tls);

/* PEM file with the authority that signed the certificate (127.0.0.1, ::1, localhost and Box's host
 * names). */
const char *box_emulator_get_ca_file (BoxEmulator *emulator);
const char *box_emulator_get_dir (BoxEmulator *emulator);

/* --- Faults ------------------------------------------------------------------------------------
 */

/* A scenario as it is written in a file: RULE ({"route": "commit", "do": "reset"}, {...}). In what
 * is a format, percent signs keep their meaning. */
#define RULE(...) "[" #__VA_ARGS__ "]"

/* Adds the rules of a scenario (JSON, docs/emulator.md) to those that are there. Counting starts
 * now. */
gboolean box_emulator_load_scenario (BoxEmulator *emulator, const char *json, GError **error);

/* Forgets all rules, and releases all that they hold. What is to be done later still is. */
void box_emulator_clear_scenario (BoxEmulator *emulator);

/* Lets requests go on that rules with this "name" hold, now and from now on. What a rule's "later"
 * put off until then is done when this returns. */
void box_emulator_release (BoxEmulator *emulator, const char *name);

/* TRUE: the network is down: connections are reset, new ones refused. FALSE: up again, on the same
 * ports. */
void box_emulator_set_down (BoxEmulator *emulator, gboolean down);

/* Bytes a second of all request bodies together; 0: no limit. */
void box_emulator_set_rate (BoxEmulator *emulator, guint64 rate);

/* Of sessions that are made from now on. */
void box_emulator_set_part_size (BoxEmulator *emulator, guint64 part_size);

/* How far plans look from now on, also those of sessions that are open. @late_requests: so many of
 * them find nothing before they do. */
void box_emulator_set_plan (BoxEmulator *emulator, BoxEmulatorPlan scope, guint late_requests);

/* Moves the emulator's clock: expiry of sessions and tokens, JWT times, the Date header. */
void box_emulator_advance_clock (BoxEmulator *emulator, gint64 seconds);

/* --- The log of requests -----------------------------------------------------------------------
 */

/* Copies of the requests of @route (%NULL: all) so far, in order, with free function. */
GPtrArray *box_emulator_get_requests (BoxEmulator *emulator, const char *route);

/* How many requests of @route (%NULL: all) have come; how many of these were answered with @status.
 */
guint box_emulator_count (BoxEmulator *emulator, const char *route);
guint box_emulator_count_status (BoxEmulator *emulator, const char *route, guint status);

/* The most requests of @route that were open at the same time. */
guint box_emulator_count_parallel (BoxEmulator *emulator, const char *route);

/* Waits until @n requests of @route have come (seen) or are done, counted from the emulator's
 * start. FALSE: not within
 * @timeout_ms. */
gboolean
box_emulator_wait_seen (BoxEmulator *emulator, const char *route, guint n, guint timeout_ms);
gboolean
box_emulator_wait_done (BoxEmulator *emulator, const char *route, guint n, guint timeout_ms);

/* Waits until a rule with this "name" holds a request, or puts one off (or has been released). */
gboolean box_emulator_wait_held (BoxEmulator *emulator, const char *name, guint timeout_ms);

/* Waits until @n requests have been done that rules with "later" put off. */
gboolean box_emulator_wait_late (BoxEmulator *emulator, guint n, guint timeout_ms);

/* Waits until @bytes bytes of request bodies have been read, counted from the emulator's start. */
gboolean box_emulator_wait_bytes (BoxEmulator *emulator, guint64 bytes, guint timeout_ms);

/* --- What is stored ----------------------------------------------------------------------------
 */

/* NULL if there is no such file. The name is compared as Box does, without regard to case. */
BoxEmulatorFile *
box_emulator_find_file (BoxEmulator *emulator, const char *folder_id, const char *name);
BoxEmulatorFile *box_emulator_get_file (BoxEmulator *emulator, const char *id);
guint box_emulator_count_files (BoxEmulator *emulator);

/* Adds a file or folder without a request; the result is its id, NULL if the name is refused or
 * taken. */
char *box_emulator_add_file (BoxEmulator *emulator, const char *folder_id, const char *name,
                             gconstpointer data, gsize size);
char *box_emulator_add_folder (BoxEmulator *emulator, const char *folder_id, const char *name);

/* The path of a folder by names, "A/b" for one in a folder of the root, without regard to case: its
 * id, or NULL. How many folders there are, without the root. */
char *box_emulator_find_folder (BoxEmulator *emulator, const char *path);
guint box_emulator_count_folders (BoxEmulator *emulator);

/* The metadata of a file as JSON, with "$version": how often it was changed; NULL: no instance of
 * @name ("global/properties"). Free with json_object_unref(). */
JsonObject *
box_emulator_get_metadata (BoxEmulator *emulator, const char *file_id, const char *name);

/* Changes by another user: one more version of a file; another name or folder (NULL: the present
 * one); its removal. FALSE: there is no such file, or the name is taken. */
gboolean box_emulator_add_version (BoxEmulator *emulator, const char *file_id, gconstpointer data,
                                   gsize size);
gboolean box_emulator_move_file (BoxEmulator *emulator, const char *file_id, const char *folder_id,
                                 const char *name);
gboolean box_emulator_delete_file (BoxEmulator *emulator, const char *file_id);

BoxEmulatorSession *box_emulator_get_session (BoxEmulator *emulator, const char *id);

/* Ids of all sessions in order of creation, with free function. */
GPtrArray *box_emulator_get_session_ids (BoxEmulator *emulator);

/* Adds a session without a request, for a new file or (@folder_id NULL) for a version of @file_id.
 * The result is its id. It belongs to the default user: any token that box_emulator_load_accounts()
 * gave no other. */
char *box_emulator_add_session (BoxEmulator *emulator, const char *folder_id, const char *name,
                                const char *file_id, guint64 size);

/* Stores a part of a session without a request. FALSE: refused, as the API would have. */
gboolean box_emulator_add_part (BoxEmulator *emulator, const char *session_id, guint64 offset,
                                gconstpointer data, gsize size);

/* From now on 410 session_expired; from now on 404. */
void box_emulator_expire_session (BoxEmulator *emulator, const char *id);
void box_emulator_drop_session (BoxEmulator *emulator, const char *id);

/* --- Tokens ------------------------------------------------------------------------------------
 */

/* Accepts @token for @expires_in seconds of the emulator's clock (0: forever). */
void box_emulator_set_token (BoxEmulator *emulator, const char *token, guint expires_in);

/* Refuses @token, also where any token is accepted. */
void box_emulator_revoke_token (BoxEmulator *emulator, const char *token);

/* Refuses all access tokens that were issued or set so far; refresh tokens stay. */
void box_emulator_revoke_all_tokens (BoxEmulator *emulator);

/* Users, clients, their keys and refresh tokens, as JSON (docs/emulator.md). */
gboolean box_emulator_load_accounts (BoxEmulator *emulator, const char *json, GError **error);

G_END_DECLS

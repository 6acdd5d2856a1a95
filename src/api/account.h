/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of an account beside its files: BoxAccount and BoxRoom.
 *
 * BoxAccount: what was found out about an account that no document of Box says, in
 * $XDG_STATE_HOME/boxupload/account.json (docs/ahead.md has its format). A settle that found no
 * part where it should have been writes it, and so does "boxupload probe". No secret is in it.
 */
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

/* How far Box looks when a session's "plan" is asked for parts. */
typedef enum
{
  BOX_PLAN_SCOPE_UNKNOWN, /* nobody has tried */
  BOX_PLAN_SCOPE_NONE,    /* no use: nothing was found, or a commit did not take it */
  BOX_PLAN_SCOPE_SESSION, /* parts of the same session */
  BOX_PLAN_SCOPE_FILE,    /* parts of committed versions of the same file */
  BOX_PLAN_SCOPE_ACCOUNT, /* parts of other sessions, committed or not */
} BoxPlanScope;

/* "unknown", "none", "session", "file", "account". */
const char *box_plan_scope_to_string (BoxPlanScope scope);

/* $XDG_STATE_HOME/boxupload/account.json; free with g_free(). */
char *box_account_default_path (void);

/* The scope that @path has for the account of @client. UNKNOWN if it has none, or cannot be read.
 */
BoxPlanScope box_account_get_plan (const char *path, BoxClient *client);

/**
 * box_account_set_plan:
 * @found_by: "settle" or "probe".
 * @reason: (nullable): one line for people.
 *
 * Writes the scope for the account of @client. What else the file has stays. BOX_ERROR_STORAGE,
 * BOX_ERROR_SPACE.
 */
gboolean box_account_set_plan (const char *path, BoxClient *client, BoxPlanScope scope,
                               const char *found_by, const char *reason, GError **error);

/*
 * BoxRoom: what the account of the credentials takes: its free space, and the largest file. In a
 * folder of somebody else that account's limits count, so that Box decides in the end.
 */

/* Bytes. */
typedef struct
{
  gboolean has_space; /* the next two are known */
  guint64 space_amount;
  guint64 space_used;
  guint64 max_upload_size; /* of one file; 0: not known */
} BoxRoom;

/* GET …/users/me. One attempt. */
gboolean box_client_get_room (BoxClient *client, BoxTransport *transport, BoxRoom *room,
                              GCancellable *cancellable, GError **error);

/* The same, but asked once in ten minutes for the process and the account: a thread that comes
 * while another one asks waits for its answer. A refusal is remembered, too. */
gboolean box_room_recall (BoxClient *client, BoxTransport *transport, BoxRoom *room,
                          GCancellable *cancellable, GError **error);

/* The most bytes that one more file may have; G_MAXUINT64: not known. */
guint64 box_room_get_limit (const BoxRoom *room);

/* Why a file of @largest bytes, or files of @total bytes, are too much, as the end of a sentence;
 * NULL: they are not, or this is not known. Free with g_free(). */
char *box_room_describe_lack (const BoxRoom *room, guint64 largest, guint64 total);

G_END_DECLS

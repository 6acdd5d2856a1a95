/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
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

G_END_DECLS

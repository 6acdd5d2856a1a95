/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which answers stop a recording at its beginning, which concern others, and after which another
 * upload is worth a try.
 */
#include "base/error.h"
#include "delivery/policy.h"

typedef struct
{
  const char *name;
  BoxTerms terms;
  BoxErrorCode code;
  guint http_status;
  const char *box_code;
  gboolean refuses_settings;
  gboolean for_others;
  gboolean another_can_mend;
} Case;

static const Case cases[] = {
  { "folder-not-found", { 0 }, BOX_ERROR_NOT_FOUND, 404, "not_found", TRUE, FALSE, TRUE },
  { "folder-not-found-for-others",
    { .left_to_others = TRUE },
    BOX_ERROR_NOT_FOUND,
    404,
    "not_found",
    TRUE,
    FALSE,
    TRUE },
  { "404-of-a-front", { 0 }, BOX_ERROR_NOT_FOUND, 404, NULL, FALSE, FALSE, TRUE },
  { "no-right-to-the-folder",
    { 0 },
    BOX_ERROR_FORBIDDEN,
    403,
    "access_denied_insufficient_permissions",
    TRUE,
    FALSE,
    TRUE },
  { "403-of-a-gateway", { 0 }, BOX_ERROR_FORBIDDEN, 403, NULL, FALSE, FALSE, TRUE },
  { "name-refused", { 0 }, BOX_ERROR_SETTINGS, 400, "item_name_invalid", TRUE, FALSE, TRUE },
  { "proxy-wants-a-password", { 0 }, BOX_ERROR_SETTINGS, 407, NULL, FALSE, FALSE, TRUE },
  { "name-taken",
    { .if_exists = BOX_IF_EXISTS_ERROR },
    BOX_ERROR_NAME_IN_USE,
    409,
    "item_name_in_use",
    TRUE,
    FALSE,
    TRUE },
  { "name-taken-for-a-version",
    { .if_exists = BOX_IF_EXISTS_VERSION },
    BOX_ERROR_NAME_IN_USE,
    409,
    "item_name_in_use",
    FALSE,
    FALSE,
    TRUE },
  { "name-taken-for-another-name",
    { .if_exists = BOX_IF_EXISTS_RENAME },
    BOX_ERROR_NAME_IN_USE,
    409,
    "item_name_in_use",
    FALSE,
    FALSE,
    TRUE },
  { "token-refused", { 0 }, BOX_ERROR_CREDENTIALS, 401, NULL, TRUE, FALSE, TRUE },
  { "no-token", { 0 }, BOX_ERROR_CREDENTIALS, 0, NULL, TRUE, FALSE, TRUE },
  { "token-of-others-needed",
    { .left_to_others = TRUE },
    BOX_ERROR_CREDENTIALS,
    401,
    NULL,
    FALSE,
    TRUE,
    TRUE },
  { "scope-of-others-needed",
    { .left_to_others = TRUE },
    BOX_ERROR_FORBIDDEN,
    403,
    "insufficient_scope",
    FALSE,
    TRUE,
    TRUE },
  { "scope-needed", { 0 }, BOX_ERROR_FORBIDDEN, 403, "insufficient_scope", TRUE, FALSE, TRUE },
  { "right-of-nobody",
    { .left_to_others = TRUE },
    BOX_ERROR_FORBIDDEN,
    403,
    "access_denied_insufficient_permissions",
    TRUE,
    FALSE,
    TRUE },
  { "session-gone", { 0 }, BOX_ERROR_SESSION_GONE, 404, "not_found", FALSE, FALSE, TRUE },
  { "given-session-gone",
    { .given_session = TRUE },
    BOX_ERROR_SESSION_GONE,
    404,
    "not_found",
    TRUE,
    FALSE,
    TRUE },
  { "size-refused", { 0 }, BOX_ERROR_SIZE, 400, "file_size_limit_exceeded", FALSE, FALSE, TRUE },
  { "size-is-not-the-given-sessions",
    { .given_session = TRUE },
    BOX_ERROR_SIZE,
    0,
    NULL,
    TRUE,
    FALSE,
    TRUE },
  { "account-full", { 0 }, BOX_ERROR_SPACE, 403, "storage_limit_exceeded", FALSE, FALSE, TRUE },
  { "untrusted-certificate", { 0 }, BOX_ERROR_TRUST, 0, NULL, FALSE, FALSE, TRUE },
  { "portal", { 0 }, BOX_ERROR_PROTOCOL, 302, NULL, FALSE, FALSE, TRUE },
  { "another-sha1", { 0 }, BOX_ERROR_INTEGRITY, 200, NULL, FALSE, FALSE, TRUE },
  { "given-up", { 0 }, BOX_ERROR_TRANSIENT, 503, NULL, FALSE, FALSE, FALSE },
  { "disk", { 0 }, BOX_ERROR_STORAGE, 0, NULL, FALSE, FALSE, FALSE },
  { "cancelled", { 0 }, BOX_ERROR_CANCELLED, 0, NULL, FALSE, FALSE, FALSE },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  BoxErrorDetails details = { .http_status = c->http_status, .box_code = (char *) c->box_code };
  g_autoptr (GError) error = box_error_new_with_details (c->code, &details, "Box said no");

  g_assert_cmpint (box_policy_refuses_settings (&c->terms, error), ==, c->refuses_settings);
  g_assert_cmpint (box_policy_is_for_others (&c->terms, error), ==, c->for_others);
  g_assert_cmpint (box_policy_another_upload_can_mend (error), ==, c->another_can_mend);
}

/* --- Sessions ------------------------------------------------------------------------------- */

#define GIVEN                                                                                      \
  {                                                                                                \
    .given = TRUE, .opened = TRUE, .continued = TRUE                                               \
  }
#define OURS                                                                                       \
  {                                                                                                \
    .opened = TRUE                                                                                 \
  }
#define OLD                                                                                        \
  {                                                                                                \
    .opened = TRUE, .continued = TRUE                                                              \
  }
#define COMMITTING                                                                                 \
  {                                                                                                \
    .opened = TRUE, .commit_begun = TRUE                                                           \
  }
#define RENAME                                                                                     \
  {                                                                                                \
    .opened = TRUE, .if_exists = BOX_IF_EXISTS_RENAME                                              \
  }

typedef struct
{
  const char *name;
  BoxSessionFacts facts;
  BoxErrorCode code;
  guint http_status;
  gboolean can_mend;
} SessionCase;

static const SessionCase session_cases[] = {
  { "gone", OURS, BOX_ERROR_SESSION_GONE, 410, TRUE },
  { "given-is-gone", GIVEN, BOX_ERROR_SESSION_GONE, 410, FALSE },
  { "name-taken-since", RENAME, BOX_ERROR_NAME_IN_USE, 409, TRUE },
  { "name-taken-before", { .if_exists = BOX_IF_EXISTS_RENAME }, BOX_ERROR_NAME_IN_USE, 409, FALSE },
  { "name-taken-and-that-is-an-error", OURS, BOX_ERROR_NAME_IN_USE, 409, FALSE },
  { "forbidden", OURS, BOX_ERROR_FORBIDDEN, 403, FALSE },
  { "forbidden-to-this-identity", OLD, BOX_ERROR_FORBIDDEN, 403, TRUE },
  { "given-and-forbidden", GIVEN, BOX_ERROR_FORBIDDEN, 403, FALSE },
  { "another-grid", OLD, BOX_ERROR_SIZE, 416, TRUE },
  { "redirect", OLD, BOX_ERROR_TRANSIENT, 302, TRUE },
  { "outage", OLD, BOX_ERROR_TRANSIENT, 503, FALSE },
  { "silence", OLD, BOX_ERROR_TRANSIENT, 0, FALSE },
  { "proxy", OLD, BOX_ERROR_SETTINGS, 407, FALSE },
  { "credentials", OLD, BOX_ERROR_CREDENTIALS, 401, FALSE },
  { "full-account", OLD, BOX_ERROR_SPACE, 403, FALSE },
  { "wrong-content", OLD, BOX_ERROR_INTEGRITY, 200, TRUE },
  { "wrong-content-perhaps-committed",
    { .opened = TRUE, .continued = TRUE, .commit_begun = TRUE },
    BOX_ERROR_INTEGRITY,
    200,
    FALSE },
  { "wrong-content-of-this-run", COMMITTING, BOX_ERROR_INTEGRITY, 400, TRUE },
  { "wrong-content-of-this-run-again",
    { .opened = TRUE, .another = TRUE, .commit_begun = TRUE },
    BOX_ERROR_INTEGRITY,
    400,
    FALSE },
  { "wrong-content-of-this-run-perhaps-committed", COMMITTING, BOX_ERROR_INTEGRITY, 200, FALSE },
  { "part-refused-before-the-commit", OURS, BOX_ERROR_INTEGRITY, 400, FALSE },
  { "wrong-content-of-a-given-session", GIVEN, BOX_ERROR_INTEGRITY, 400, FALSE },
  { "wrong-data-here", { .continued = TRUE }, BOX_ERROR_INTEGRITY, 0, FALSE },
  { "disk", OLD, BOX_ERROR_STORAGE, 0, FALSE },
};

static void
test_session (gconstpointer data)
{
  const SessionCase *c = data;
  BoxErrorDetails details = { .http_status = c->http_status };
  g_autoptr (GError) error = box_error_new_with_details (c->code, &details, "Box said no");

  g_assert_cmpint (box_policy_another_session_can_mend (&c->facts, error), ==, c->can_mend);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/policy/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  for (guint i = 0; i < G_N_ELEMENTS (session_cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/policy/session/%s", session_cases[i].name);

      g_test_add_data_func (path, &session_cases[i], test_session);
    }
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The meaning of a failed step: a table. */
#include "upload/state.h"

typedef struct
{
  const char *name;
  BoxStepKind kind;
  BoxErrorCode code;
  guint http_status;
  gboolean unsure;
  guint refusals;
  gboolean repeated;
  BoxVerdict verdict;
} Case;

static const Case cases[] = {
  { "a-part-refused-for-its-rate-is-sent-again", BOX_STEP_SEND, BOX_ERROR_TRANSIENT, 429, FALSE, 1,
    FALSE, BOX_VERDICT_AGAIN },
  { "a-part-whose-answer-was-lost-is-listed-first", BOX_STEP_SEND, BOX_ERROR_TRANSIENT, 0, TRUE, 1,
    FALSE, BOX_VERDICT_UNSURE },
  { "a-commit-whose-answer-was-lost-is-looked-up-first", BOX_STEP_COMMIT, BOX_ERROR_TRANSIENT, 0,
    TRUE, 50, FALSE, BOX_VERDICT_UNSURE },
  { "a-whole-upload-whose-answer-was-lost-is-looked-up-first", BOX_STEP_WHOLE, BOX_ERROR_TRANSIENT,
    502, TRUE, 1, FALSE, BOX_VERDICT_UNSURE },
  { "a-commit-that-was-too-many-may-work-late", BOX_STEP_COMMIT, BOX_ERROR_TRANSIENT, 429, FALSE, 1,
    FALSE, BOX_VERDICT_UNSURE },
  { "a-whole-upload-that-took-too-long-may-work-late", BOX_STEP_WHOLE, BOX_ERROR_TRANSIENT, 408,
    FALSE, 1, FALSE, BOX_VERDICT_UNSURE },
  { "a-commit-that-never-left-is-just-sent-again", BOX_STEP_COMMIT, BOX_ERROR_TRANSIENT, 0, FALSE,
    1, FALSE, BOX_VERDICT_AGAIN },
  { "a-list-that-broke-is-just-asked-again", BOX_STEP_LIST, BOX_ERROR_TRANSIENT, 0, TRUE, 1, FALSE,
    BOX_VERDICT_AGAIN },
  { "an-overlap-means-that-the-part-may-be-there", BOX_STEP_SEND, BOX_ERROR_CONFLICT, 416, FALSE, 1,
    FALSE, BOX_VERDICT_UNSURE },
  { "an-overlap-with-nothing-ends-some-time", BOX_STEP_SEND, BOX_ERROR_CONFLICT, 416, FALSE, 10,
    FALSE, BOX_VERDICT_FATAL },
  { "a-part-damaged-on-the-way-is-sent-again", BOX_STEP_SEND, BOX_ERROR_INTEGRITY, 400, FALSE, 1,
    FALSE, BOX_VERDICT_AGAIN },
  { "a-part-that-is-always-damaged-is-fatal", BOX_STEP_SEND, BOX_ERROR_INTEGRITY, 400, FALSE, 3,
    FALSE, BOX_VERDICT_FATAL },
  { "a-part-that-box-echoes-wrongly-is-looked-for", BOX_STEP_SEND, BOX_ERROR_INTEGRITY, 200, FALSE,
    1, FALSE, BOX_VERDICT_UNSURE },
  { "a-part-that-box-always-echoes-wrongly-is-fatal", BOX_STEP_SEND, BOX_ERROR_INTEGRITY, 200,
    FALSE, 3, FALSE, BOX_VERDICT_FATAL },
  { "a-part-refused-without-a-reason-is-sent-again", BOX_STEP_SEND, BOX_ERROR_PROTOCOL, 400, FALSE,
    1, FALSE, BOX_VERDICT_UNSURE },
  { "a-part-always-refused-without-a-reason-is-fatal", BOX_STEP_SEND, BOX_ERROR_PROTOCOL, 400,
    FALSE, 5, FALSE, BOX_VERDICT_FATAL },
  { "a-list-refused-without-a-reason-is-asked-again", BOX_STEP_LIST, BOX_ERROR_PROTOCOL, 400, FALSE,
    1, FALSE, BOX_VERDICT_AGAIN },
  { "an-untrusted-network-under-way-is-waited-for", BOX_STEP_SEND, BOX_ERROR_TRUST, 0, FALSE, 50,
    FALSE, BOX_VERDICT_AGAIN },
  { "an-untrusted-network-at-the-start-is-fatal", BOX_STEP_OPEN, BOX_ERROR_TRUST, 0, FALSE, 1,
    FALSE, BOX_VERDICT_FATAL },
  { "a-proxy-that-wants-a-password-under-way-is-waited-for", BOX_STEP_COMMIT, BOX_ERROR_SETTINGS,
    407, FALSE, 50, FALSE, BOX_VERDICT_AGAIN },
  { "a-session-made-and-not-named-is-made-again", BOX_STEP_OPEN, BOX_ERROR_TRANSIENT, 201, TRUE, 4,
    FALSE, BOX_VERDICT_AGAIN },
  { "sessions-made-and-never-named-are-fatal", BOX_STEP_OPEN, BOX_ERROR_TRANSIENT, 201, TRUE, 5,
    FALSE, BOX_VERDICT_FATAL },
  { "a-commit-that-cannot-be-confirmed-is-fatal", BOX_STEP_COMMIT, BOX_ERROR_PROTOCOL, 201, FALSE,
    1, FALSE, BOX_VERDICT_FATAL },
  { "a-name-that-is-refused-is-fatal", BOX_STEP_SEND, BOX_ERROR_SETTINGS, 400, FALSE, 1, FALSE,
    BOX_VERDICT_FATAL },
  { "a-wrong-digest-of-the-file-is-fatal", BOX_STEP_COMMIT, BOX_ERROR_INTEGRITY, 400, FALSE, 1,
    FALSE, BOX_VERDICT_FATAL },
  { "a-precondition-that-failed-at-the-commit-is-looked-up", BOX_STEP_COMMIT, BOX_ERROR_CONFLICT,
    412, FALSE, 1, FALSE, BOX_VERDICT_UNSURE },
  { "a-session-that-is-gone-is-fatal", BOX_STEP_SEND, BOX_ERROR_SESSION_GONE, 410, FALSE, 1, FALSE,
    BOX_VERDICT_FATAL },
  { "a-session-that-is-gone-at-a-first-commit-is-fatal", BOX_STEP_COMMIT, BOX_ERROR_SESSION_GONE,
    410, FALSE, 1, FALSE, BOX_VERDICT_FATAL },
  { "a-session-that-is-gone-at-a-repeated-commit-may-have-been-committed", BOX_STEP_COMMIT,
    BOX_ERROR_SESSION_GONE, 404, FALSE, 1, TRUE, BOX_VERDICT_UNSURE },
  { "refused-credentials-are-fatal", BOX_STEP_OPEN, BOX_ERROR_CREDENTIALS, 401, FALSE, 1, FALSE,
    BOX_VERDICT_FATAL },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  BoxErrorDetails details = { .http_status = c->http_status,
                              .unsure = c->unsure,
                              .retry_after = -1 };
  g_autoptr (GError) error = box_error_new_with_details (c->code, &details, "%s", c->name);

  g_assert_cmpint (box_upload_judge (c->kind, error, c->refusals, c->repeated), ==, c->verdict);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/judge/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  return g_test_run ();
}

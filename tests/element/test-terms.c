/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which failures of an upload only end the upload, and not the recording beside it.
 */
#include "terms.h"

typedef struct
{
  const char *name;
  SinkTerms terms;
  BoxErrorCode code;
  gboolean replaceable;
  gboolean for_others;
} Case;

static const Case cases[] = {
  { "session-gone", { .reserve = FALSE }, BOX_ERROR_SESSION_GONE, TRUE, FALSE },
  { "given-session-gone", { .given_session = TRUE }, BOX_ERROR_SESSION_GONE, FALSE, FALSE },
  { "reserve-refused", { .reserve = TRUE }, BOX_ERROR_SIZE, TRUE, FALSE },
  { "exact-size-refused", { .reserve = FALSE }, BOX_ERROR_SIZE, FALSE, FALSE },
  { "given-session-of-another-size",
    { .given_session = TRUE, .reserve = TRUE },
    BOX_ERROR_SIZE,
    FALSE,
    FALSE },
  { "name-taken", { .if_exists = BOX_IF_EXISTS_ERROR }, BOX_ERROR_NAME_IN_USE, FALSE, FALSE },
  { "name-taken-for-a-version",
    { .if_exists = BOX_IF_EXISTS_VERSION },
    BOX_ERROR_NAME_IN_USE,
    TRUE,
    FALSE },
  { "name-taken-for-another-name",
    { .if_exists = BOX_IF_EXISTS_RENAME },
    BOX_ERROR_NAME_IN_USE,
    TRUE,
    FALSE },
  { "name-taken-of-a-given-session",
    { .given_session = TRUE, .if_exists = BOX_IF_EXISTS_RENAME },
    BOX_ERROR_NAME_IN_USE,
    FALSE,
    FALSE },
  { "credentials-refused", { .reserve = TRUE }, BOX_ERROR_CREDENTIALS, FALSE, FALSE },
  { "credentials-of-others-needed",
    { .left_to_others = TRUE },
    BOX_ERROR_CREDENTIALS,
    FALSE,
    TRUE },
  { "folder-not-found", { .left_to_others = TRUE }, BOX_ERROR_NOT_FOUND, FALSE, FALSE },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GError) error = g_error_new_literal (BOX_ERROR, (gint) c->code, "Box said no");

  g_assert_cmpint (sink_terms_is_replaceable (&c->terms, error), ==, c->replaceable);
  g_assert_cmpint (sink_terms_is_for_others (&c->terms, error), ==, c->for_others);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/terms/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  return g_test_run ();
}

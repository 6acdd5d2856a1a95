/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credentials.h"

/* The first handler that returns a token has answered. */
static gboolean
take_first_token (GSignalInvocationHint *hint, GValue *result, const GValue *answer, gpointer data)
{
  if (g_value_get_string (answer) == NULL)
    return TRUE;
  g_value_copy (answer, result);
  return FALSE;
}

guint
sink_install_request_token (GObjectClass *klass)
{
  /**
   * GstBoxUploadSink::request-token:
   *
   * Asks for an access token if none is set or Box has refused the current one. Emitted in a
   * separate thread. The upload does not wait for an answer that takes too long.
   *
   * Returns: (transfer full) (nullable): a new access token, or %NULL if the application has none.
   */
  return g_signal_new ("request-token", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                       take_first_token, NULL, NULL, G_TYPE_STRING, 0);
}

static char *
request_token (gpointer user_data)
{
  g_autoptr (GstElement) element = g_weak_ref_get (user_data);
  char *token = NULL;

  if (element != NULL)
    g_signal_emit_by_name (element, "request-token", &token);
  return token;
}

static void
free_weak_ref (gpointer user_data)
{
  g_weak_ref_clear (user_data);
  g_free (user_data);
}

void
sink_answer_token_requests (GstElement *element, BoxClient *client)
{
  guint id = g_signal_lookup ("request-token", G_OBJECT_TYPE (element));
  GWeakRef *weak_ref;

  if (!g_signal_has_handler_pending (element, id, 0, FALSE))
    return;
  weak_ref = g_new0 (GWeakRef, 1);
  g_weak_ref_init (weak_ref, element);
  box_credentials_set_request (box_client_get_credentials (client), request_token, weak_ref,
                               free_weak_ref);
}

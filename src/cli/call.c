/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "cli/output.h"

static void
tell_retry (guint attempt, gint64 delay, const GError *reason, gpointer user_data)
{
  cli_complain ("%s; trying again in %.1f s", reason->message, (double) delay / G_USEC_PER_SEC);
}

gboolean
cli_call (Cli *cli, BoxCallFunc function, gpointer user_data, guint retry_timeout, GError **error)
{
  const BoxCallPolicy policy = {
    .timeout = cli_options_get_retry_timeout (cli->options, retry_timeout),
    .retrying = tell_retry,
  };

  return box_call (&policy, function, user_data, cli->cancellable, error);
}

/* Input and result of an attempt. */
typedef struct
{
  Cli *cli;
  gconstpointer input;
  gpointer result;
  guint n_listed; /* result */
} Call;

static gboolean
get_session (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Call *call = user_data;

  call->result = box_client_get_session (call->cli->client, call->cli->transport, call->input,
                                         cancellable, error);
  return call->result != NULL;
}

BoxSession *
cli_call_get_session (Cli *cli, const char *session_id, GError **error)
{
  Call call = { .cli = cli, .input = session_id };
  g_autoptr (BoxDestination) checked = box_destination_new_session (session_id, error);

  if (checked == NULL)
    return NULL;
  cli_call (cli, get_session, &call, CLI_CALL_RETRY_TIMEOUT, error);
  return call.result;
}

static gboolean
list_parts (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Call *call = user_data;

  call->result = box_client_list_parts (call->cli->client, call->cli->transport, call->input,
                                        &call->n_listed, cancellable, error);
  return call->result != NULL;
}

GPtrArray *
cli_call_list_parts (Cli *cli, const BoxSession *session, guint *n_listed, GError **error)
{
  Call call = { .cli = cli, .input = session };

  cli_call (cli, list_parts, &call, CLI_CALL_RETRY_TIMEOUT, error);
  *n_listed = call.n_listed;
  return call.result;
}

static gboolean
get_file (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Call *call = user_data;

  call->result = box_client_get_file (call->cli->client, call->cli->transport, call->input,
                                      cancellable, error);
  return call->result != NULL;
}

BoxFile *
cli_call_get_file (Cli *cli, const char *file_id, GError **error)
{
  Call call = { .cli = cli, .input = file_id };

  cli_call (cli, get_file, &call, CLI_CALL_RETRY_TIMEOUT, error);
  return call.result;
}

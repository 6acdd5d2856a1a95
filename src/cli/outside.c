/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/outside.h"

#include "base/secret.h"
#include "cli/output.h"
#include "status/status.h"

/* The hook is told that the disk will be full within this time, and again only after it was more
 * than twice as long. Seconds. */
#define PRESSURE_TIME 3600

/* Between two looks at that. Seconds. */
#define PRESSURE_INTERVAL 30

/* What a hook that still runs at the end of the daemon gets. Microseconds. */
#define LAST_HOOK_TIME (5 * G_USEC_PER_SEC)

#define MAX_TOKEN 4096

struct _CliOutside
{
  BoxStatusView *view;     /* NULL: nobody looks */
  BoxStatusServer *server; /* nullable */
  CliHook *hook;           /* nullable */
  guint timer;
  gboolean under_pressure; /* told */
};

static gboolean
look_at_pressure (gpointer user_data)
{
  CliOutside *outside = user_data;
  JsonBuilder *event;
  BoxStatusSums sums;
  gboolean pressed;

  box_status_view_get_sums (outside->view, &sums);
  pressed = sums.full_in >= 0 && sums.full_in < PRESSURE_TIME;
  if (sums.full_in < 0 || sums.full_in > 2 * PRESSURE_TIME)
    outside->under_pressure = FALSE;
  if (!pressed || outside->under_pressure)
    return G_SOURCE_CONTINUE;
  outside->under_pressure = TRUE;
  event = cli_json_new ();
  cli_json_add_string (event, "event", "pressure");
  cli_json_add_uint (event, "full_in", (guint64) sums.full_in);
  cli_json_add_uint (event, "free_bytes", sums.free_bytes);
  cli_json_add_uint (event, "backlog_bytes", sums.backlog);
  cli_hook_send (outside->hook, event);
  return G_SOURCE_CONTINUE;
}

static gboolean
start_server (CliOutside *outside, const CliOutsideOptions *options, GError **error)
{
  g_autoptr (BoxSecret) token = NULL;

  if (options->http_token_file != NULL)
    {
      token = box_secret_read_file ("http-token-file", options->http_token_file, MAX_TOKEN, NULL,
                                    error);
      if (token == NULL)
        return FALSE;
      token = box_secret_trim (g_steal_pointer (&token));
      if (*token == '\0')
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s is empty",
                       options->http_token_file);
          return FALSE;
        }
    }
  outside->server = box_status_server_new (outside->view, options->http, token, error);
  if (outside->server == NULL)
    return FALSE;
  cli_complain ("the status is at %s", box_status_server_get_url (outside->server));
  return TRUE;
}

CliOutside *
cli_outside_new (Cli *cli, const CliOutsideOptions *options, BoxSpool *spool, const char *dir,
                 GError **error)
{
  g_autoptr (CliOutside) outside = g_new0 (CliOutside, 1);

  if (options->http == NULL && options->http_token_file != NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "--http-token-file is of use only with --http ADDRESS:PORT");
      return NULL;
    }
  /* It would be missed at the first refusal only, perhaps after months. */
  if (options->hook != NULL)
    {
      g_autofree char *program = g_find_program_in_path (options->hook);

      if (program == NULL)
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "the hook %s is not there, or may not be executed", options->hook);
          return NULL;
        }
    }
  /* A view that nobody looks at would remember each recording for good. */
  if (options->http == NULL && options->hook == NULL)
    return g_steal_pointer (&outside);
  outside->view = box_status_view_new (spool, dir, cli->client);
  if (options->http != NULL && !start_server (outside, options, error))
    return NULL;
  if (options->hook == NULL)
    return g_steal_pointer (&outside);
  outside->hook = cli_hook_new (options->hook);
  outside->timer = g_timeout_add_seconds (PRESSURE_INTERVAL, look_at_pressure, outside);
  return g_steal_pointer (&outside);
}

void
cli_outside_free (CliOutside *outside)
{
  g_clear_handle_id (&outside->timer, g_source_remove);
  if (outside->hook != NULL)
    cli_hook_wait (outside->hook, LAST_HOOK_TIME);
  g_clear_pointer (&outside->hook, cli_hook_free);
  g_clear_pointer (&outside->server, box_status_server_free);
  g_clear_pointer (&outside->view, box_status_view_unref);
  g_free (outside);
}

void
cli_outside_tell_begun (CliOutside *outside, const char *name)
{
  if (outside->view != NULL)
    box_status_view_set_working (outside->view, name, TRUE);
}

void
cli_outside_tell_done (CliOutside *outside, const char *name, const BoxFile *file)
{
  JsonBuilder *event;

  if (outside->view == NULL)
    return;
  if (file != NULL)
    box_status_view_note_commit (outside->view, name, file);
  box_status_view_set_working (outside->view, name, FALSE);
  if (file == NULL || outside->hook == NULL)
    return;
  event = cli_json_new ();
  cli_json_add_string (event, "event", "committed");
  cli_json_add_string (event, "recording", name);
  cli_json_add_string (event, "file_id", file->id);
  cli_json_add_string (event, "name", file->name);
  cli_json_add_uint (event, "size", file->size);
  cli_json_add_sha1 (event, "sha1", &file->sha1);
  cli_json_add_string (event, "link", file->link);
  cli_hook_send (outside->hook, event);
}

void
cli_outside_tell_failed (CliOutside *outside, const char *name, const GError *failure, guint wait,
                         gboolean again)
{
  JsonBuilder *event;

  if (outside->view == NULL)
    return;
  box_status_view_set_working (outside->view, name, FALSE);
  box_status_view_note_failure (outside->view, name, failure->message, wait);
  if (outside->hook == NULL || again)
    return;
  event = cli_json_new ();
  cli_json_add_string (event, "event", "failed");
  cli_json_add_string (event, "recording", name);
  cli_json_add_string (event, "message", failure->message);
  cli_json_add_uint (event, "retry_in", wait);
  cli_hook_send (outside->hook, event);
}

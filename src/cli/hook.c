/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/outside.h"

#include "cli/output.h"

#include <gio/gio.h>
#include <signal.h>

#define TIME_LIMIT 30 /* seconds */
#define MAX_QUEUE  64

struct _CliHook
{
  char *program;
  GQueue waiting; /* of char *: JSON */
  GSubprocess *running;
  GCancellable *cancellable; /* of the one that runs */
  guint timer;
};

static void begin_next (CliHook *hook);

/* Ends the hook with all that it has started. */
static void
kill_running (CliHook *hook)
{
  const char *pid = g_subprocess_get_identifier (hook->running);

  if (pid != NULL)
    kill (-(pid_t) g_ascii_strtoll (pid, NULL, 10), SIGKILL);
  g_subprocess_force_exit (hook->running);
}

CliHook *
cli_hook_new (const char *program)
{
  CliHook *hook = g_new0 (CliHook, 1);

  /* A hook that ends without reading its input does not end this process. */
  signal (SIGPIPE, SIG_IGN);
  hook->program = g_strdup (program);
  g_queue_init (&hook->waiting);
  return hook;
}

void
cli_hook_free (CliHook *hook)
{
  g_clear_handle_id (&hook->timer, g_source_remove);
  if (hook->running != NULL)
    {
      kill_running (hook);
      g_cancellable_cancel (hook->cancellable);
    }
  while (hook->running != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_queue_clear_full (&hook->waiting, g_free);
  g_free (hook->program);
  g_free (hook);
}

static gboolean
on_time_limit (gpointer user_data)
{
  CliHook *hook = user_data;

  hook->timer = 0;
  cli_complain ("the hook %s ran for %d s and was ended", hook->program, TIME_LIMIT);
  kill_running (hook);
  return G_SOURCE_REMOVE;
}

static void
on_end (GObject *process, GAsyncResult *result, gpointer user_data)
{
  CliHook *hook = user_data;
  gboolean cancelled = g_cancellable_is_cancelled (hook->cancellable);

  g_subprocess_wait_finish (G_SUBPROCESS (process), result, NULL);
  if (!cancelled && g_subprocess_get_if_exited (hook->running)
      && g_subprocess_get_exit_status (hook->running) != 0)
    cli_complain ("the hook %s ended with code %d", hook->program,
                  g_subprocess_get_exit_status (hook->running));
  g_clear_handle_id (&hook->timer, g_source_remove);
  g_clear_object (&hook->running);
  g_clear_object (&hook->cancellable);
  if (!cancelled)
    begin_next (hook);
}

/* It may have ended without reading: that is no failure. */
static void
on_written (GObject *process, GAsyncResult *result, gpointer user_data)
{
  CliHook *hook = user_data;

  g_subprocess_communicate_utf8_finish (G_SUBPROCESS (process), result, NULL, NULL, NULL);
  g_subprocess_wait_async (G_SUBPROCESS (process), hook->cancellable, on_end, hook);
}

/* In the child: what it starts can be ended with it. */
static void
lead_group (gpointer unused)
{
  setpgid (0, 0);
  signal (SIGPIPE, SIG_DFL);
  signal (SIGXFSZ, SIG_DFL);
}

/* Credentials are not the hook's. */
static GSubprocessLauncher *
new_launcher (void)
{
  static const char *const secret[] = { "BOX_ACCESS_TOKEN", "BOX_TOKEN_FILE", "BOX_AUTH_CONFIG" };
  GSubprocessLauncher *launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE);

  g_subprocess_launcher_set_child_setup (launcher, lead_group, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (secret); i++)
    g_subprocess_launcher_unsetenv (launcher, secret[i]);
  return launcher;
}

static void
begin_next (CliHook *hook)
{
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autofree char *event = NULL;
  g_autoptr (GError) error = NULL;

  if (hook->running != NULL || g_queue_is_empty (&hook->waiting))
    return;
  launcher = new_launcher ();
  hook->running = g_subprocess_launcher_spawn (launcher, &error, hook->program, NULL);
  if (hook->running == NULL)
    {
      cli_complain ("the hook %s cannot be run: %s; its events wait for the next one",
                    hook->program, error->message);
      return;
    }
  event = g_queue_pop_head (&hook->waiting);
  hook->cancellable = g_cancellable_new ();
  hook->timer = g_timeout_add_seconds (TIME_LIMIT, on_time_limit, hook);
  g_subprocess_communicate_utf8_async (hook->running, event, hook->cancellable, on_written, hook);
}

void
cli_hook_send (CliHook *hook, JsonBuilder *event)
{
  g_autoptr (JsonBuilder) owned = event;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  json_builder_end_object (event);
  node = json_builder_get_root (event);
  text = json_to_string (node, FALSE);
  if (hook->waiting.length == MAX_QUEUE)
    {
      cli_complain ("the hook %s is too slow: an event is dropped", hook->program);
      g_free (g_queue_pop_head (&hook->waiting));
    }
  g_queue_push_tail (&hook->waiting, g_strconcat (text, "\n", NULL));
  begin_next (hook);
}

static gboolean
on_waited (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

void
cli_hook_wait (CliHook *hook, gint64 timeout)
{
  gboolean over = FALSE;
  guint timer = g_timeout_add ((guint) (timeout / 1000), on_waited, &over);

  /* The end of the child wakes the context, and so does the timer. */
  while (hook->running != NULL && !over)
    g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (timer);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exit.h"

#include "base/error.h"
#include "base/process.h"

#include <glib-unix.h>
#include <signal.h>

/* Indexed by BoxErrorCode. */
static const CliExit box_exits[] = {
  [BOX_ERROR_TRANSIENT] = CLI_EXIT_TRY_AGAIN,   [BOX_ERROR_CREDENTIALS] = CLI_EXIT_CREDENTIALS,
  [BOX_ERROR_TRUST] = CLI_EXIT_TRUST,           [BOX_ERROR_FORBIDDEN] = CLI_EXIT_FORBIDDEN,
  [BOX_ERROR_NOT_FOUND] = CLI_EXIT_NOT_FOUND,   [BOX_ERROR_NAME_IN_USE] = CLI_EXIT_NAME_IN_USE,
  [BOX_ERROR_SETTINGS] = CLI_EXIT_USAGE,        [BOX_ERROR_SIZE] = CLI_EXIT_SIZE,
  [BOX_ERROR_SPACE] = CLI_EXIT_SPACE,           [BOX_ERROR_SESSION_GONE] = CLI_EXIT_SESSION_GONE,
  [BOX_ERROR_CONFLICT] = CLI_EXIT_CONFLICT,     [BOX_ERROR_INTEGRITY] = CLI_EXIT_INTEGRITY,
  [BOX_ERROR_STORAGE] = CLI_EXIT_STORAGE,       [BOX_ERROR_PROTOCOL] = CLI_EXIT_BUG,
  [BOX_ERROR_CANCELLED] = CLI_EXIT_INTERRUPTED, [BOX_ERROR_BUSY] = CLI_EXIT_BUSY,
};

G_DEFINE_QUARK (cli - part - error - quark, cli_part_error)

typedef struct
{
  CliExit code;
  const char *nick;
} ExitEntry;

static const ExitEntry part_exits[] = {
  { CLI_EXIT_UNALIGNED, "unaligned" },
  { CLI_EXIT_BEYOND_END, "beyond-end" },
  { CLI_EXIT_OTHER_TOTAL, "other-total" },
};

static ExitEntry
find_exit (const GError *error)
{
  static const ExitEntry usage = { CLI_EXIT_USAGE, "usage" };
  static const ExitEntry bug = { CLI_EXIT_BUG, "bug" };

  /* GOption's own word for arguments that are not text. */
  if (error->domain == G_OPTION_ERROR || error->domain == G_CONVERT_ERROR)
    return usage;
  if (error->domain == BOX_ERROR && error->code >= 0
      && error->code < (gint) G_N_ELEMENTS (box_exits))
    return (ExitEntry){ box_exits[error->code], box_error_get_kind (error) };
  for (gsize i = 0; error->domain == CLI_PART_ERROR && i < G_N_ELEMENTS (part_exits); i++)
    if (part_exits[i].code == (CliExit) error->code)
      return part_exits[i];
  return bug;
}

CliExit
cli_exit_from_error (const GError *error)
{
  return error != NULL ? find_exit (error).code : CLI_EXIT_OK;
}

const char *
cli_exit_get_nick (const GError *error)
{
  return find_exit (error).nick;
}

/* --- CliSignal ------------------------------------------------------------------------------ */

/*
 * The commands are straight-line code that blocks, so the signals are served by a thread with a
 * main loop of its own.
 */
struct _CliSignal
{
  /* immutable */
  GCancellable *cancellable;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;

  gint number; /* atomic */
};

static gboolean
on_signal (CliSignal *signals, int number)
{
  if (!g_atomic_int_compare_and_exchange (&signals->number, 0, number))
    {
      signal (number, SIG_DFL);
      raise (number);
    }
  g_cancellable_cancel (signals->cancellable);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_sigint (gpointer user_data)
{
  return on_signal (user_data, SIGINT);
}

static gboolean
on_sigterm (gpointer user_data)
{
  return on_signal (user_data, SIGTERM);
}

static void
listen_for (CliSignal *signals, int number, GSourceFunc function)
{
  GSource *source = g_unix_signal_source_new (number);

  g_source_set_callback (source, function, signals, NULL);
  g_source_attach (source, signals->context);
  g_source_unref (source);
}

static gpointer
run_loop (gpointer user_data)
{
  CliSignal *signals = user_data;

  g_main_loop_run (signals->loop);
  return NULL;
}

CliSignal *
cli_signal_new (GError **error)
{
  CliSignal *signals;

  if (!box_process_ensure_glib_threads ("to wait for signals with", error))
    return NULL;
  signals = g_new0 (CliSignal, 1);
  signals->cancellable = g_cancellable_new ();
  signals->context = g_main_context_new ();
  signals->loop = g_main_loop_new (signals->context, FALSE);
  listen_for (signals, SIGINT, on_sigint);
  listen_for (signals, SIGTERM, on_sigterm);
  signals->thread =
      box_process_start_thread ("signals", "to wait for signals with", run_loop, signals, error);
  if (signals->thread == NULL)
    g_clear_pointer (&signals, cli_signal_free);
  return signals;
}

static gboolean
quit_loop (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

void
cli_signal_free (CliSignal *signals)
{
  GSource *source;

  if (signals == NULL)
    return;

  if (signals->thread != NULL)
    {
      /* From within the loop: a quit before the thread has begun to run it would be lost. */
      source = g_idle_source_new ();
      g_source_set_callback (source, quit_loop, signals->loop, NULL);
      g_source_attach (source, signals->context);
      g_source_unref (source);
      g_thread_join (signals->thread);
    }

  g_main_loop_unref (signals->loop);
  g_main_context_unref (signals->context);
  g_object_unref (signals->cancellable);
  g_free (signals);
}

GCancellable *
cli_signal_get_cancellable (CliSignal *signals)
{
  return signals->cancellable;
}

int
cli_signal_get_number (CliSignal *signals)
{
  return g_atomic_int_get (&signals->number);
}

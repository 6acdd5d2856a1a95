/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands are straight-line code that blocks, so the signals are served by a thread with a
 * main loop of its own.
 */
#include "cli/signals.h"

#include <glib-unix.h>
#include <signal.h>

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
cli_signal_new (void)
{
  CliSignal *signals = g_new0 (CliSignal, 1);

  signals->cancellable = g_cancellable_new ();
  signals->context = g_main_context_new ();
  signals->loop = g_main_loop_new (signals->context, FALSE);
  listen_for (signals, SIGINT, on_sigint);
  listen_for (signals, SIGTERM, on_sigterm);
  signals->thread = g_thread_new ("signals", run_loop, signals);
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

  /* From within the loop: a quit before the thread has begun to run it would be lost. */
  source = g_idle_source_new ();
  g_source_set_callback (source, quit_loop, signals->loop, NULL);
  g_source_attach (source, signals->context);
  g_source_unref (source);
  g_thread_join (signals->thread);

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

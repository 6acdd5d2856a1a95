/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the foreground of a terminal the command stays in the process group of the emulator, so that
 * Ctrl-C and Ctrl-Z reach both: what the terminal sends is not sent on, what a process sends is.
 * Elsewhere it gets a group of its own, to which every signal is sent on. Either way it gets a
 * signal once, although "timeout" and systemd send it to a whole group: two SIGINT mean more than
 * one.
 */
#include "emulator/run.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

typedef struct
{
  GMainLoop *loop;
  GPid pid;
  gboolean own_group;
  int status; /* of waitpid() */
} Run;

static void
fill_set (sigset_t *set)
{
  sigemptyset (set);
  for (gsize i = 0; i < G_N_ELEMENTS (forwarded); i++)
    sigaddset (set, forwarded[i]);
}

void
emu_run_block_signals (void)
{
  sigset_t set;

  fill_set (&set);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
}

static gboolean
is_in_foreground (void)
{
  return isatty (STDIN_FILENO) && tcgetpgrp (STDIN_FILENO) == getpgrp ();
}

/* In the child, before exec: nothing but what is safe after a fork. */
static void
prepare_child (gpointer user_data)
{
  const Run *run = user_data;
  sigset_t set;

  if (run->own_group)
    setpgid (0, 0);
  fill_set (&set);
  sigprocmask (SIG_UNBLOCK, &set, NULL);
  signal (SIGPIPE, SIG_DFL);
}

static gboolean
forward (int fd, GIOCondition condition, gpointer user_data)
{
  Run *run = user_data;
  struct signalfd_siginfo info;

  if (read (fd, &info, sizeof info) != sizeof info)
    return G_SOURCE_CONTINUE;
  if (run->own_group)
    kill (-run->pid, (int) info.ssi_signo);
  else if (info.ssi_code != SI_KERNEL)
    kill (run->pid, (int) info.ssi_signo);
  return G_SOURCE_CONTINUE;
}

static void
on_exit_of_command (GPid pid, int status, gpointer user_data)
{
  Run *run = user_data;

  run->status = status;
  g_main_loop_quit (run->loop);
}

/* What the proxy's exceptions are, with loopback before them. */
static char *
except_loopback (const char *exceptions)
{
  if (exceptions == NULL || *exceptions == '\0')
    return g_strdup ("127.0.0.1,localhost");
  return g_strconcat ("127.0.0.1,localhost,", exceptions, NULL);
}

static char **
make_environment (BoxEmulator *emulator, const char *token)
{
  static const char *const exceptions[] = { "no_proxy", "NO_PROXY" };
  g_autofree char *dir = g_canonicalize_filename (box_emulator_get_dir (emulator), NULL);
  g_autofree char *state = g_build_filename (dir, "state", NULL);
  g_autofree char *ca_file = g_canonicalize_filename (box_emulator_get_ca_file (emulator), NULL);
  char **environment = g_get_environ ();
  const struct
  {
    const char *name, *value;
  } variables[] = {
    { "BOX_ENDPOINT", box_emulator_get_endpoint (emulator, TRUE) },
    { "BOX_API_ENDPOINT", box_emulator_get_api_endpoint (emulator, TRUE) },
    { "BOX_CA_FILE", ca_file },
    /* Spool and sessions: nothing that was meant for the emulator may go to Box later. */
    { "XDG_STATE_HOME", state },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    environment = g_environ_setenv (environment, variables[i].name, variables[i].value, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (exceptions); i++)
    {
      g_autofree char *value = except_loopback (g_environ_getenv (environment, exceptions[i]));

      environment = g_environ_setenv (environment, exceptions[i], value, TRUE);
    }
  if (token == NULL)
    return environment;
  environment = g_environ_unsetenv (environment, "BOX_TOKEN_FILE");
  environment = g_environ_unsetenv (environment, "BOX_AUTH_CONFIG");
  return g_environ_setenv (environment, "BOX_ACCESS_TOKEN", token, TRUE);
}

/* 0, or the exit code for a command that cannot be executed. */
static int
start (Run *run, BoxEmulator *emulator, const char *token, char **command)
{
  const char *shell = g_getenv ("SHELL");
  char *interactive[] = { (char *) (shell != NULL && *shell != '\0' ? shell : "/bin/sh"), NULL };
  g_auto (GStrv) environment = make_environment (emulator, token);
  g_autoptr (GError) error = NULL;

  run->own_group = !is_in_foreground ();
  if (g_spawn_async (NULL, *command != NULL ? command : interactive, environment,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN
                         | G_SPAWN_LEAVE_DESCRIPTORS_OPEN,
                     prepare_child, run, &run->pid, &error))
    return 0;
  g_printerr ("box-emulator: %s\n", error->message);
  return g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT) ? EMU_RUN_NO_SUCH
                                                                     : EMU_RUN_CANNOT;
}

int
emu_run (BoxEmulator *emulator, const char *token, char **command)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Run run = { .loop = loop };
  int fd, code = start (&run, emulator, token, command);
  sigset_t set;
  guint source;

  if (code != 0)
    return code;
  fill_set (&set);
  fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  source = g_unix_fd_add (fd, G_IO_IN, forward, &run);
  g_child_watch_add (run.pid, on_exit_of_command, &run);
  g_main_loop_run (loop);
  g_source_remove (source);
  close (fd);

  /* What the command left in the background has no Box any more. */
  if (run.own_group)
    kill (-run.pid, SIGTERM);
  return WIFSIGNALED (run.status) ? 128 + WTERMSIG (run.status) : WEXITSTATUS (run.status);
}

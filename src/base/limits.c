/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/limits.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

static gboolean
fail (guint n, GError **error)
{
  struct rlimit limit = { 0 };

  getrlimit (RLIMIT_NOFILE, &limit);
  g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
               "This process has fewer than %u of its %" G_GUINT64_FORMAT " file descriptors left, "
               "too few for another recording: raise the limit (ulimit -n, LimitNOFILE=) or record "
               "fewer channels in one process",
               n, (guint64) limit.rlim_cur);
  return FALSE;
}

gboolean
box_limits_check_descriptors (guint n, GError **error)
{
  g_autofree int *fds = g_new (int, n);
  guint opened = 0;

  for (; opened < n; opened++)
    {
      fds[opened] = opened == 0 ? eventfd (0, EFD_CLOEXEC) : fcntl (fds[0], F_DUPFD_CLOEXEC, 0);
      if (fds[opened] < 0)
        break;
    }
  for (guint i = 0; i < opened; i++)
    close (fds[i]);
  return opened == n || fail (n, error);
}

GThread *
box_limits_start_thread (const char *name, const char *what, GThreadFunc function, gpointer data,
                         GError **error)
{
  g_autoptr (GError) reason = NULL;
  GThread *thread = g_thread_try_new (name, function, data, &reason);

  if (thread == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
                 "The system has no thread left %s (%s): raise the limit (ulimit -u, TasksMax=) or "
                 "record fewer channels in one process",
                 what, reason->message);
  return thread;
}

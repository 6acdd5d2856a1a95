/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/process.h"

#include <gio/gio.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

void
box_process_fill_standard_descriptors (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      return; /* nothing can be opened here: no recording gets it either */
}

static gboolean
fail_without_descriptors (guint n, const char *what, GError **error)
{
  struct rlimit limit = { 0 };

  getrlimit (RLIMIT_NOFILE, &limit);
  g_set_error (
      error, BOX_ERROR, BOX_ERROR_SPACE,
      "This process has fewer than %u of its %" G_GUINT64_FORMAT " file descriptors left, "
      "too few %s: raise the limit (ulimit -n, LimitNOFILE=) or record fewer channels in one "
      "process",
      n, (guint64) limit.rlim_cur, what);
  return FALSE;
}

gboolean
box_process_check_descriptors (guint n, const char *what, GError **error)
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
  return opened == n || fail_without_descriptors (n, what, error);
}

gboolean
box_process_check_memory (gsize n, const char *what, GError **error)
{
  void *data = mmap (NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (data != MAP_FAILED)
    return munmap (data, n) == 0;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
               "The system has no memory left %s (%s): raise the limit (ulimit -v, MemoryMax=) or "
               "record fewer channels in one process",
               what, g_strerror (errno));
  return FALSE;
}

/* A thread needs memory for its stack, and says EAGAIN for want of it, too. */
static gboolean
has_room_for_stack (const char *what, GError **error)
{
  pthread_attr_t attributes;
  gsize size = 0;

  if (pthread_attr_init (&attributes) != 0)
    return TRUE;
  pthread_attr_getstacksize (&attributes, &size);
  pthread_attr_destroy (&attributes);
  return size == 0 || box_process_check_memory (size, what, error);
}

static gboolean
fail_without_thread (const char *what, const GError *reason, GError **error)
{
  if (!has_room_for_stack (what, error))
    return FALSE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SPACE,
               "The system has no thread left %s (%s): raise the limit (ulimit -u, TasksMax=) or "
               "record fewer channels in one process",
               what, reason->message);
  return FALSE;
}

static GThread *
start (const char *name, const char *what, GThreadFunc function, gpointer data, GError **error)
{
  g_autoptr (GError) reason = NULL;
  GThread *thread = g_thread_try_new (name, function, data, &reason);

  if (thread == NULL)
    fail_without_thread (what, reason, error);
  return thread;
}

/* GLib's thread for signals and tasks, and that of its pools. */
#define N_WORKERS 2

/* A thread that only shows that there can be one. */
typedef struct
{
  GMutex *lock; /* ends it */
  GThread *thread;
  pid_t id;
} Trial;

static gpointer
try_thread (gpointer data)
{
  Trial *trial = data;

  trial->id = gettid ();
  g_mutex_lock (trial->lock);
  g_mutex_unlock (trial->lock);
  return NULL;
}

/* The system counts a thread for a moment after it was joined: the thread that the caller is about
 * to make would be one too many. */
static void
end_trial (Trial *trial)
{
  g_thread_join (trial->thread);
  for (guint i = 0; i < 1000 && tgkill (getpid (), trial->id, 0) == 0; i++)
    g_usleep (20);
}

gboolean
box_process_check_threads (guint n, const char *what, GError **error)
{
  g_autofree Trial *trials = g_new0 (Trial, n);
  guint started = 0;
  GMutex lock;

  g_mutex_init (&lock);
  g_mutex_lock (&lock);
  for (; started < n; started++)
    {
      trials[started].lock = &lock;
      trials[started].thread = start ("box-check", what, try_thread, &trials[started], error);
      if (trials[started].thread == NULL)
        break;
    }
  g_mutex_unlock (&lock);
  for (guint i = 0; i < started; i++)
    end_trial (&trials[i]);
  g_mutex_clear (&lock);
  return started == n;
}

static void
do_nothing (gpointer data G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED)
{
}

/* Later versions of GLib (2.84) have a thread that starts those of all shared pools. The first pool
 * makes it, and says if it cannot; the pool of tasks, in that place, would end the process. */
static gboolean
ensure_pools (const char *what, GError **error)
{
  g_autoptr (GError) reason = NULL;
  GThreadPool *pool = g_thread_pool_new (do_nothing, NULL, 1, FALSE, &reason);

  if (pool == NULL)
    return fail_without_thread (what, reason, error);
  g_thread_pool_free (pool, FALSE, TRUE);
  return TRUE;
}

gboolean
box_process_ensure_glib_threads (const char *what, GError **error)
{
  static gint there; /* atomic */
  static GMutex lock;
  g_autoptr (GMutexLocker) locker = NULL;

  if (g_atomic_int_get (&there))
    return TRUE;
  locker = g_mutex_locker_new (&lock);
  if (g_atomic_int_get (&there))
    return TRUE;
  if (!ensure_pools (what, error) || !box_process_check_threads (N_WORKERS, what, error))
    return FALSE;
  g_type_ensure (G_TYPE_TASK);
  g_atomic_int_set (&there, TRUE);
  return TRUE;
}

GThread *
box_process_start_thread (const char *name, const char *what, GThreadFunc function, gpointer data,
                          GError **error)
{
  return box_process_ensure_glib_threads (what, error) ? start (name, what, function, data, error)
                                                       : NULL;
}

/* The owners of the events that this thread is in, innermost first. */
static GPrivate the_events = G_PRIVATE_INIT ((GDestroyNotify) g_slist_free);

void
box_process_enter_event (gconstpointer owner)
{
  g_private_set (&the_events, g_slist_prepend (g_private_get (&the_events), (gpointer) owner));
}

void
box_process_leave_event (void)
{
  GSList *owners = g_private_get (&the_events);

  g_private_set (&the_events, g_slist_delete_link (owners, owners));
}

guint
box_process_count_events (gconstpointer owner)
{
  guint n = 0;

  for (GSList *i = g_private_get (&the_events); i != NULL; i = i->next)
    n += i->data == owner ? 1 : 0;
  return n;
}

/* Its address tells one copy of this code from another. */
static const char this_copy;

GType
box_type_register (GType parent, const char *name, gsize class_size, GClassInitFunc class_init,
                   gsize instance_size, GInstanceInitFunc instance_init)
{
  g_autofree char *own_name =
      g_strdup_printf ("%s-%" G_GINTPTR_MODIFIER "x", name, (guintptr) &this_copy);

  return g_type_register_static_simple (parent, g_intern_string (own_name), (guint) class_size,
                                        class_init, (guint) instance_size, instance_init, 0);
}

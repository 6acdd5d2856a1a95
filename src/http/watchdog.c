/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exchange.h"

#include "base/error.h"

#ifdef __linux__
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#endif

/* How often a connection is looked at: often enough to tell a timeout within a twentieth. */
#define SHORTEST_STEP (20 * G_TIME_SPAN_MILLISECOND)
#define LONGEST_STEP  G_USEC_PER_SEC
#define STEPS         20

/* The thread outlives the last request by this, so that requests in a row share one. Microseconds.
 */
#define LINGER (2 * G_USEC_PER_SEC)

static struct
{
  GMutex lock;
  GCond changed;

  /* with lock */
  GPtrArray *dogs; /* BoxWatchdog, not owned; NULL before the first */
  gboolean has_thread;
} the_watch;

/* ---- looking ---- */

#ifdef __linux__

static void
look_locked (BoxWatchdog *self, gint64 now)
{
  struct tcp_info info;
  socklen_t length = sizeof info;
  int fd, queued = 0, unread = 0;

  if (self->socket == NULL || g_socket_is_closed (self->socket))
    return;
  fd = g_socket_get_fd (self->socket);
  memset (&info, 0, sizeof info);
  if (fd < 0 || ioctl (fd, SIOCOUTQ, &queued) != 0 || ioctl (fd, SIOCINQ, &unread) != 0
      || getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
    return;
  box_patience_look (&self->patience, info.tcpi_bytes_acked, info.tcpi_bytes_received,
                     (guint64) queued, (guint64) unread, now);
}

#else

/* The acknowledged bytes are unknown here: a request counts as moving until its time is over. */
static void
look_locked (BoxWatchdog *self, gint64 now)
{
  box_patience_look (&self->patience, self->patience.acked + 1, 0, 0, 0, now);
}

#endif

static gint64
step_of (const BoxWatchdog *self)
{
  return CLAMP (self->patience.timeout / STEPS, SHORTEST_STEP, LONGEST_STEP);
}

/* Looks at all and takes a reference of the cancellable of one that is to end; else NULL, with the
 * time of the next look. */
static GCancellable *
look_at_all_locked (gint64 now, gint64 *next)
{
  *next = G_MAXINT64;
  for (guint i = 0; i < the_watch.dogs->len; i++)
    {
      BoxWatchdog *dog = g_ptr_array_index (the_watch.dogs, i);

      if (dog->verdict != BOX_PATIENCE_HELD)
        continue;
      look_locked (dog, now);
      dog->verdict = box_patience_judge (&dog->patience, now);
      if (dog->verdict != BOX_PATIENCE_HELD)
        return g_object_ref (dog->cancellable);
      *next = MIN (*next, now + step_of (dog));
    }
  return NULL;
}

static gpointer
watch (gpointer unused)
{
  gint64 idle_until = 0;

  g_mutex_lock (&the_watch.lock);
  while (TRUE)
    {
      gint64 now = g_get_monotonic_time (), next;
      GCancellable *over = look_at_all_locked (now, &next);

      if (over != NULL)
        {
          g_mutex_unlock (&the_watch.lock);
          g_cancellable_cancel (over);
          g_object_unref (over);
          g_mutex_lock (&the_watch.lock);
          continue;
        }
      if (the_watch.dogs->len > 0)
        idle_until = 0;
      else if (idle_until == 0)
        idle_until = now + LINGER;
      else if (now >= idle_until)
        break;
      g_cond_wait_until (&the_watch.changed, &the_watch.lock,
                         the_watch.dogs->len > 0 ? MIN (next, now + LONGEST_STEP) : idle_until);
    }
  the_watch.has_thread = FALSE;
  g_mutex_unlock (&the_watch.lock);
  return NULL;
}

/* ---- a request ---- */

static gboolean
ensure_thread_locked (GError **error)
{
  g_autoptr (GError) reason = NULL;
  GThread *thread;

  if (the_watch.dogs == NULL)
    the_watch.dogs = g_ptr_array_new ();
  if (the_watch.has_thread)
    return TRUE;
  thread = g_thread_try_new ("box-watchdog", watch, NULL, &reason);
  if (thread == NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT,
                   "the system has no thread left to watch requests with (%s): raise the limit "
                   "(ulimit -u, TasksMax=) if this does not pass",
                   reason->message);
      return FALSE;
    }
  g_thread_unref (thread);
  the_watch.has_thread = TRUE;
  return TRUE;
}

gboolean
box_watchdog_begin (BoxWatchdog *self, GCancellable *cancellable, guint timeout, guint64 body_size,
                    guint slack, GError **error)
{
  gboolean has_thread;

  *self = (BoxWatchdog){ .cancellable = cancellable };
  box_patience_init (&self->patience, timeout, body_size, slack, g_get_monotonic_time ());
  g_mutex_lock (&the_watch.lock);
  has_thread = ensure_thread_locked (error);
  if (has_thread)
    {
      g_ptr_array_add (the_watch.dogs, self);
      /* It may look less often for the others. */
      g_cond_signal (&the_watch.changed);
    }
  g_mutex_unlock (&the_watch.lock);
  return has_thread;
}

void
box_watchdog_end (BoxWatchdog *self)
{
  g_mutex_lock (&the_watch.lock);
  if (the_watch.dogs != NULL)
    g_ptr_array_remove_fast (the_watch.dogs, self);
  g_mutex_unlock (&the_watch.lock);
  g_clear_object (&self->socket);
}

void
box_watchdog_set_socket (BoxWatchdog *self, GSocket *socket)
{
  g_autoptr (GSocket) old = NULL;

  g_mutex_lock (&the_watch.lock);
  old = self->socket;
  self->socket = socket != NULL ? g_object_ref (socket) : NULL;
  g_mutex_unlock (&the_watch.lock);
}

void
box_watchdog_enter (BoxWatchdog *self, BoxPhase phase)
{
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&the_watch.lock);
  box_patience_enter (&self->patience, phase, now);
  g_mutex_unlock (&the_watch.lock);
}

void
box_watchdog_written (BoxWatchdog *self)
{
  g_mutex_lock (&the_watch.lock);
  box_patience_written (&self->patience);
  g_mutex_unlock (&the_watch.lock);
}

void
box_watchdog_rest (BoxWatchdog *self, gint64 duration)
{
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&the_watch.lock);
  box_patience_rest (&self->patience, duration, now);
  g_mutex_unlock (&the_watch.lock);
}

BoxPatienceVerdict
box_watchdog_get_verdict (BoxWatchdog *self, BoxPatience *patience)
{
  BoxPatienceVerdict verdict;

  g_mutex_lock (&the_watch.lock);
  verdict = self->verdict;
  *patience = self->patience;
  g_mutex_unlock (&the_watch.lock);
  return verdict;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells ThreadSanitizer what GLib's locks, conditions, queues and reference counts order: GLib is
 * not built with it and locks by futex, so that without this every access under a GMutex looks like
 * a race. Linked into the tests of a build with -Db_sanitize=thread, and preloaded into programs
 * that are not ours but load the plugin (tests/sanitizers/meson.build); each function calls the one
 * it stands in for.
 */
#include <dlfcn.h>
#include <glib-object.h>
#include <sanitizer/tsan_interface.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(function)                                                                             \
  static __typeof__ (&(function)) real;                                                            \
  if (real == NULL)                                                                                \
  real = (__typeof__ (&(function))) dlsym (RTLD_NEXT, #function)

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock);
  __tsan_mutex_pre_lock (mutex, 0);
  real (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked;

  REAL (g_mutex_trylock);
  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  locked = real (mutex);
  __tsan_mutex_post_lock (mutex,
                          __tsan_mutex_try_lock | (locked ? 0 : __tsan_mutex_try_lock_failed), 0);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  REAL (g_mutex_unlock);
  __tsan_mutex_pre_unlock (mutex, 0);
  real (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

/* The last of those that let go has seen what the others did. */
#define LETS_GO(address)                                                                           \
  __tsan_release ((void *) (address));                                                             \
  __tsan_acquire ((void *) (address))

/* Whether @address is in a library of the system. The reference counts of those are not seen here,
 * and so it is not seen either that they clear a lock when its last user is done: a GstClock's
 * timer has one. */
static gboolean
is_foreign (void *address)
{
  Dl_info info;

  return dladdr (address, &info) != 0
         && (g_str_has_prefix (info.dli_fname, "/lib/")
             || g_str_has_prefix (info.dli_fname, "/usr/lib/"));
}

void
g_mutex_clear (GMutex *mutex)
{
  REAL (g_mutex_clear);
  if (is_foreign (__builtin_return_address (0)))
    {
      LETS_GO (mutex);
    }
  __tsan_mutex_destroy (mutex, 0);
  real (mutex);
}

/* This project uses GMutexes only. These are GLib's and GStreamer's own locks. Their order among
 * themselves is not checked here, only the accesses that they order. */
void
g_rec_mutex_lock (GRecMutex *mutex)
{
  REAL (g_rec_mutex_lock);
  real (mutex);
  __tsan_acquire (mutex);
}

void
g_rec_mutex_unlock (GRecMutex *mutex)
{
  REAL (g_rec_mutex_unlock);
  __tsan_release (mutex);
  real (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (g_cond_wait);
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
  real (cond, mutex);
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  REAL (g_cond_wait_until);
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
  signalled = real (cond, mutex, end_time);
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
  return signalled;
}

gboolean (g_once_init_enter) (volatile void *location)
{
  gboolean first;

  REAL (g_once_init_enter);
  first = real (location);
  __tsan_acquire ((void *) location);
  return first;
}

void (g_once_init_leave) (volatile void *location, gsize result)
{
  REAL (g_once_init_leave);
  __tsan_release ((void *) location);
  real (location, result);
}

void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  REAL (g_async_queue_push);
  __tsan_release (queue);
  real (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data;

  REAL (g_async_queue_pop);
  data = real (queue);
  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data;

  REAL (g_async_queue_try_pop);
  data = real (queue);
  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  gpointer data;

  REAL (g_async_queue_timeout_pop);
  data = real (queue, timeout);
  __tsan_acquire (queue);
  return data;
}

gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  REAL (g_atomic_ref_count_dec);
  LETS_GO (count);
  return real (count);
}

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  REAL (g_atomic_rc_box_release_full);
  LETS_GO (box);
  real (box, clear);
}

void
g_object_unref (gpointer object)
{
  REAL (g_object_unref);
  LETS_GO (object);
  real (object);
}

void
g_bytes_unref (GBytes *bytes)
{
  REAL (g_bytes_unref);
  LETS_GO (bytes);
  real (bytes);
}

void
g_ptr_array_unref (GPtrArray *array)
{
  REAL (g_ptr_array_unref);
  LETS_GO (array);
  real (array);
}

void
g_hash_table_unref (GHashTable *table)
{
  REAL (g_hash_table_unref);
  LETS_GO (table);
  real (table);
}

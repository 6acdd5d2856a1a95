/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/http/request-log.h"

struct _EmuRequestLog
{
  GMutex lock;
  GCond changed;  /* requests */
  GCond received; /* bytes */

  /* with lock */
  GPtrArray *requests; /* of BoxEmulatorRequest, number 1 first */
  guint64 bytes;
};

static SoupMessageHeaders *
copy_headers (SoupMessageHeaders *headers)
{
  SoupMessageHeaders *copy = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    soup_message_headers_append (copy, name, value);
  return copy;
}

static BoxEmulatorRequest *
copy_request (const BoxEmulatorRequest *request)
{
  BoxEmulatorRequest *copy = g_memdup2 (request, sizeof *request);

  copy->method = g_strdup (request->method);
  copy->path = g_strdup (request->path);
  copy->headers = copy_headers (request->headers);
  copy->token = g_strdup (request->token);
  copy->fault = g_strdup (request->fault);
  return copy;
}

void
box_emulator_request_free (BoxEmulatorRequest *request)
{
  g_free (request->method);
  g_free (request->path);
  soup_message_headers_unref (request->headers);
  g_free (request->token);
  g_free (request->fault);
  g_free (request);
}

EmuRequestLog *
emu_request_log_new (void)
{
  EmuRequestLog *log = g_new0 (EmuRequestLog, 1);

  g_mutex_init (&log->lock);
  g_cond_init (&log->changed);
  g_cond_init (&log->received);
  log->requests = g_ptr_array_new_with_free_func ((GDestroyNotify) box_emulator_request_free);
  return log;
}

void
emu_request_log_free (EmuRequestLog *log)
{
  g_ptr_array_unref (log->requests);
  g_mutex_clear (&log->lock);
  g_cond_clear (&log->changed);
  g_cond_clear (&log->received);
  g_free (log);
}

static BoxEmulatorRequest *
get_locked (EmuRequestLog *log, guint number)
{
  return g_ptr_array_index (log->requests, number - 1);
}

guint
emu_request_log_begin (EmuRequestLog *log, BoxEmulatorRequest *request)
{
  guint number;

  request->headers = copy_headers (request->headers);
  g_mutex_lock (&log->lock);
  number = log->requests->len + 1;
  request->number = number;
  request->began = g_get_monotonic_time ();
  g_ptr_array_add (log->requests, request);
  g_cond_broadcast (&log->changed);
  g_mutex_unlock (&log->lock);
  return number;
}

void
emu_request_log_add_body (EmuRequestLog *log, guint number, gsize bytes)
{
  g_mutex_lock (&log->lock);
  get_locked (log, number)->body_bytes += bytes;
  log->bytes += bytes;
  g_cond_broadcast (&log->received);
  g_mutex_unlock (&log->lock);
}

void
emu_request_log_set_fault (EmuRequestLog *log, guint number, const char *fault)
{
  BoxEmulatorRequest *request;

  g_mutex_lock (&log->lock);
  request = get_locked (log, number);
  g_free (request->fault);
  request->fault = g_strdup (fault);
  g_mutex_unlock (&log->lock);
}

void
emu_request_log_answer (EmuRequestLog *log, guint number, guint status)
{
  BoxEmulatorRequest *request;

  g_mutex_lock (&log->lock);
  request = get_locked (log, number);
  request->status = status;
  request->ended = g_get_monotonic_time ();
  g_mutex_unlock (&log->lock);
}

void
emu_request_log_set_late (EmuRequestLog *log, guint number, guint status)
{
  g_mutex_lock (&log->lock);
  get_locked (log, number)->late_status = status;
  g_mutex_unlock (&log->lock);
}

void
emu_request_log_end (EmuRequestLog *log, guint number, gboolean aborted)
{
  BoxEmulatorRequest *request;

  g_mutex_lock (&log->lock);
  request = get_locked (log, number);
  request->aborted = aborted;
  request->done = TRUE;
  if (request->ended == 0)
    request->ended = g_get_monotonic_time ();
  g_cond_broadcast (&log->changed);
  g_mutex_unlock (&log->lock);
}

static gboolean
is_of_route (const BoxEmulatorRequest *request, const char *route)
{
  return route == NULL || g_str_equal (request->route, route);
}

GPtrArray *
emu_request_log_get (EmuRequestLog *log, const char *route)
{
  GPtrArray *result = g_ptr_array_new_with_free_func ((GDestroyNotify) box_emulator_request_free);

  g_mutex_lock (&log->lock);
  for (guint i = 1; i <= log->requests->len; i++)
    if (is_of_route (get_locked (log, i), route))
      g_ptr_array_add (result, copy_request (get_locked (log, i)));
  g_mutex_unlock (&log->lock);
  return result;
}

static guint
count_locked (EmuRequestLog *log, const char *route, guint status, gboolean done)
{
  guint n = 0;

  for (guint i = 1; i <= log->requests->len; i++)
    {
      const BoxEmulatorRequest *request = get_locked (log, i);

      n += is_of_route (request, route) && (!done || request->done)
           && (status == 0 || request->status == status);
    }
  return n;
}

guint
emu_request_log_count (EmuRequestLog *log, const char *route, guint status, gboolean done)
{
  guint n;

  g_mutex_lock (&log->lock);
  n = count_locked (log, route, status, done);
  g_mutex_unlock (&log->lock);
  return n;
}

guint
emu_request_log_count_parallel (EmuRequestLog *log, const char *route)
{
  g_autoptr (GPtrArray) requests = emu_request_log_get (log, route);
  guint most = 0;

  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = g_ptr_array_index (requests, i);
      guint open = 1;

      for (guint j = 0; j < i; j++)
        {
          const BoxEmulatorRequest *earlier = g_ptr_array_index (requests, j);

          open += earlier->ended == 0 || earlier->ended > request->began;
        }
      most = MAX (most, open);
    }
  return most;
}

gboolean
emu_request_log_wait (EmuRequestLog *log, const char *route, gboolean done, guint n,
                      guint timeout_ms)
{
  gint64 until = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&log->lock);
  while (in_time && count_locked (log, route, 0, done) < n)
    in_time = g_cond_wait_until (&log->changed, &log->lock, until);
  g_mutex_unlock (&log->lock);
  return in_time;
}

gboolean
emu_request_log_wait_bytes (EmuRequestLog *log, guint64 bytes, guint timeout_ms)
{
  gint64 until = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&log->lock);
  while (in_time && log->bytes < bytes)
    in_time = g_cond_wait_until (&log->received, &log->lock, until);
  g_mutex_unlock (&log->lock);
  return in_time;
}

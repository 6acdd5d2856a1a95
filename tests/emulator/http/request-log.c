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
  EmuRequestLog *journal = g_new0 (EmuRequestLog, 1);

  g_mutex_init (&journal->lock);
  g_cond_init (&journal->changed);
  g_cond_init (&journal->received);
  journal->requests = g_ptr_array_new_with_free_func ((GDestroyNotify) box_emulator_request_free);
  return journal;
}

void
emu_request_log_free (EmuRequestLog *journal)
{
  g_ptr_array_unref (journal->requests);
  g_mutex_clear (&journal->lock);
  g_cond_clear (&journal->changed);
  g_cond_clear (&journal->received);
  g_free (journal);
}

static BoxEmulatorRequest *
get_locked (EmuRequestLog *journal, guint number)
{
  return g_ptr_array_index (journal->requests, number - 1);
}

guint
emu_request_log_begin (EmuRequestLog *journal, BoxEmulatorRequest *request)
{
  guint number;

  request->headers = copy_headers (request->headers);
  g_mutex_lock (&journal->lock);
  number = journal->requests->len + 1;
  request->number = number;
  request->began = g_get_monotonic_time ();
  g_ptr_array_add (journal->requests, request);
  g_cond_broadcast (&journal->changed);
  g_mutex_unlock (&journal->lock);
  return number;
}

void
emu_request_log_add_body (EmuRequestLog *journal, guint number, gsize bytes)
{
  g_mutex_lock (&journal->lock);
  get_locked (journal, number)->body_bytes += bytes;
  journal->bytes += bytes;
  g_cond_broadcast (&journal->received);
  g_mutex_unlock (&journal->lock);
}

void
emu_request_log_set_fault (EmuRequestLog *journal, guint number, const char *fault)
{
  BoxEmulatorRequest *request;

  g_mutex_lock (&journal->lock);
  request = get_locked (journal, number);
  g_free (request->fault);
  request->fault = g_strdup (fault);
  g_mutex_unlock (&journal->lock);
}

void
emu_request_log_answer (EmuRequestLog *journal, guint number, guint status)
{
  BoxEmulatorRequest *request;

  g_mutex_lock (&journal->lock);
  request = get_locked (journal, number);
  request->status = status;
  request->ended = g_get_monotonic_time ();
  g_mutex_unlock (&journal->lock);
}

void
emu_request_log_set_late (EmuRequestLog *journal, guint number, guint status)
{
  g_mutex_lock (&journal->lock);
  get_locked (journal, number)->late_status = status;
  g_mutex_unlock (&journal->lock);
}

void
emu_request_log_end (EmuRequestLog *journal, guint number, gboolean aborted)
{
  BoxEmulatorRequest *request;

  g_mutex_lock (&journal->lock);
  request = get_locked (journal, number);
  request->aborted = aborted;
  request->done = TRUE;
  if (request->ended == 0)
    request->ended = g_get_monotonic_time ();
  g_cond_broadcast (&journal->changed);
  g_mutex_unlock (&journal->lock);
}

static gboolean
is_of_route (const BoxEmulatorRequest *request, const char *route)
{
  return route == NULL || g_str_equal (request->route, route);
}

GPtrArray *
emu_request_log_get (EmuRequestLog *journal, const char *route)
{
  GPtrArray *result = g_ptr_array_new_with_free_func ((GDestroyNotify) box_emulator_request_free);

  g_mutex_lock (&journal->lock);
  for (guint i = 1; i <= journal->requests->len; i++)
    if (is_of_route (get_locked (journal, i), route))
      g_ptr_array_add (result, copy_request (get_locked (journal, i)));
  g_mutex_unlock (&journal->lock);
  return result;
}

static guint
count_locked (EmuRequestLog *journal, const char *route, guint status, gboolean done)
{
  guint n = 0;

  for (guint i = 1; i <= journal->requests->len; i++)
    {
      const BoxEmulatorRequest *request = get_locked (journal, i);

      n += is_of_route (request, route) && (!done || request->done)
           && (status == 0 || request->status == status);
    }
  return n;
}

guint
emu_request_log_count (EmuRequestLog *journal, const char *route, guint status, gboolean done)
{
  guint n;

  g_mutex_lock (&journal->lock);
  n = count_locked (journal, route, status, done);
  g_mutex_unlock (&journal->lock);
  return n;
}

guint
emu_request_log_count_parallel (EmuRequestLog *journal, const char *route)
{
  g_autoptr (GPtrArray) requests = emu_request_log_get (journal, route);
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
emu_request_log_wait (EmuRequestLog *journal, const char *route, gboolean done, guint n,
                      guint timeout_ms)
{
  gint64 until = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&journal->lock);
  while (in_time && count_locked (journal, route, 0, done) < n)
    in_time = g_cond_wait_until (&journal->changed, &journal->lock, until);
  g_mutex_unlock (&journal->lock);
  return in_time;
}

gboolean
emu_request_log_wait_bytes (EmuRequestLog *journal, guint64 bytes, guint timeout_ms)
{
  gint64 until = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&journal->lock);
  while (in_time && journal->bytes < bytes)
    in_time = g_cond_wait_until (&journal->received, &journal->lock, until);
  g_mutex_unlock (&journal->lock);
  return in_time;
}

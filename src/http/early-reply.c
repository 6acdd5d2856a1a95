/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exchange.h"

#include <libsoup/soup.h>

#define READ_SIZE 16384

/* Bytes of interim replies that are read before the body goes on. */
#define MOST_INTERIM 65536

GSocket *
box_early_reply_find_socket (GIOStream *stream)
{
  g_autoptr (GIOStream) base = g_object_ref (stream);

  while (G_IS_TLS_CONNECTION (base))
    {
      GIOStream *next = NULL;

      g_object_get (base, "base-io-stream", &next, NULL);
      if (next == NULL)
        return NULL;
      g_set_object (&base, next);
      g_object_unref (next);
    }
  return G_IS_SOCKET_CONNECTION (base) ? g_socket_connection_get_socket (G_SOCKET_CONNECTION (base))
                                       : NULL;
}

void
box_early_reply_init (BoxEarlyReply *watch, GCancellable *cancellable, BoxWatchdog *dog)
{
  *watch = (BoxEarlyReply){ .cancellable = cancellable, .dog = dog };
  /* Held for as long as the watch: made for each wait, it would be two more system calls. */
  g_cancellable_make_pollfd (cancellable, &watch->cancel_fd);
}

void
box_early_reply_clear (BoxEarlyReply *watch)
{
  g_cancellable_release_fd (watch->cancellable);
  box_early_reply_set_stream (watch, NULL);
  g_clear_pointer (&watch->reply, box_reply_free);
  g_clear_error (&watch->failure);
}

void
box_early_reply_set_stream (BoxEarlyReply *watch, GIOStream *stream)
{
  GSocket *socket = stream != NULL ? box_early_reply_find_socket (stream) : NULL;

  g_clear_pointer (&watch->parser, box_reply_parser_free);
  watch->has_waited = FALSE;
  g_set_object (&watch->stream, stream);
  g_set_object (&watch->socket, socket);
}

void
box_early_reply_cut (BoxEarlyReply *watch)
{
  if (watch->socket != NULL)
    g_socket_shutdown (watch->socket, TRUE, TRUE, NULL);
}

void
box_early_reply_fail (BoxEarlyReply *watch, GError *reason)
{
  if (watch->failure == NULL)
    watch->failure = reason;
  else
    g_error_free (reason);
}

/* Waits for @events on the socket, for @timeout microseconds if that is not negative, and for @fd
 * (-1: none) to be readable: what came to the socket (0: @fd, or time is up), or -1 with @error set
 * if it was cancelled. */
static int
wait_socket_or (BoxEarlyReply *watch, GIOCondition events, int fd, gint64 timeout, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + timeout;
  GPollFD fds[3] = { { .fd = g_socket_get_fd (watch->socket), .events = events },
                     watch->cancel_fd,
                     { .fd = fd, .events = G_IO_IN } };

  for (;;)
    {
      gint64 left = MAX (deadline - g_get_monotonic_time (), 0);
      int n;

      fds[0].revents = fds[1].revents = fds[2].revents = 0;
      n = g_poll (fds, fd >= 0 ? 3 : 2,
                  timeout < 0 ? -1 : (gint) MIN ((left + 999) / 1000, G_MAXINT));
      if (g_cancellable_set_error_if_cancelled (watch->cancellable, error))
        return -1;
      if (n > 0 && fds[0].revents != 0)
        return fds[0].revents;
      if (n > 0 && fds[2].revents != 0)
        return 0;
      if (n == 0 && timeout >= 0 && left == 0)
        return 0;
    }
}

static int
wait_socket (BoxEarlyReply *watch, GIOCondition events, gint64 timeout, GError **error)
{
  return wait_socket_or (watch, events, -1, timeout, error);
}

typedef enum
{
  NEWS_NONE,
  NEWS_REPLY,  /* in watch->reply */
  NEWS_CLOSED, /* by the server, without a word */
  NEWS_FAILED, /* the reason is in watch->failure */
} News;

static News
take_state (BoxEarlyReply *watch, BoxReplyParserState state)
{
  switch (state)
    {
    case BOX_REPLY_PARSER_DONE:
      watch->reply = box_reply_parser_take_reply (watch->parser);
      return NEWS_REPLY;
    case BOX_REPLY_PARSER_BAD:
      box_early_reply_fail (
          watch, g_error_new_literal (SOUP_SESSION_ERROR, SOUP_SESSION_ERROR_PARSING, "no HTTP"));
      return NEWS_FAILED;
    case BOX_REPLY_PARSER_NOTHING:
    case BOX_REPLY_PARSER_MORE:
    default:
      return NEWS_NONE;
    }
}

/* Reads what the server has said so far; once a reply has begun, all of it. TLS may have had
 * nothing for us to read. A server that says interim replies without a pause is not listened to
 * without end: the body has to leave meanwhile, or the watchdog sees that it does not. */
static News
read_news (BoxEarlyReply *watch)
{
  GPollableInputStream *input =
      G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (watch->stream));
  BoxReplyParserState state = BOX_REPLY_PARSER_NOTHING;
  gsize n_read = 0;
  News news;

  if (watch->parser == NULL)
    watch->parser = box_reply_parser_new ();
  for (;;)
    {
      guint8 buffer[READ_SIZE];
      g_autoptr (GError) reason = NULL;
      /* libsoup reads on from where this ends, which must not be within a head. */
      gboolean has_enough = n_read >= MOST_INTERIM && !box_reply_parser_has_head (watch->parser);
      gssize n;

      if (has_enough && state == BOX_REPLY_PARSER_NOTHING)
        return NEWS_NONE;

      if (g_cancellable_set_error_if_cancelled (watch->cancellable, &reason))
        {
          box_early_reply_fail (watch, g_steal_pointer (&reason));
          return NEWS_FAILED;
        }
      n = g_pollable_input_stream_read_nonblocking (input, buffer, has_enough ? 1 : sizeof buffer,
                                                    NULL, &reason);
      if (n > 0)
        {
          state = box_reply_parser_feed (watch->parser, buffer, (gsize) n);
          if ((news = take_state (watch, state)) != NEWS_NONE)
            return news;
          n_read += (gsize) n;
          continue;
        }
      if (n == 0 || !g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          news = take_state (watch, box_reply_parser_end (watch->parser));
          return news == NEWS_NONE ? NEWS_CLOSED : news;
        }
      if (state == BOX_REPLY_PARSER_NOTHING)
        return NEWS_NONE;

      if (!watch->has_waited)
        box_watchdog_enter (watch->dog, BOX_PHASE_REPLY);
      watch->has_waited = TRUE;
      g_clear_error (&reason);
      if (wait_socket (watch, G_IO_IN, -1, &reason) < 0)
        {
          box_early_reply_fail (watch, g_steal_pointer (&reason));
          return NEWS_FAILED;
        }
    }
}

/* Whether sending may go on. Where it may not for a reason of ours, @error is CANCELLED, for which
 * libsoup does not try the request again. */
static gboolean
heed_news (BoxEarlyReply *watch, GError **error)
{
  switch (read_news (watch))
    {
    case NEWS_NONE:
      return TRUE;
    case NEWS_CLOSED:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                           "the server closed the connection");
      return FALSE;
    case NEWS_REPLY:
    case NEWS_FAILED:
    default:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "sending has ended");
      return FALSE;
    }
}

static gboolean
wait_pace (BoxEarlyReply *watch, gint64 wait, GError **error)
{
  gint64 until = g_get_monotonic_time () + wait;

  if (wait > 0)
    box_watchdog_rest (watch->dog, wait);
  while (wait > 0)
    {
      int ready = wait_socket (watch, G_IO_IN, wait, error);

      if (ready < 0 || (ready > 0 && !heed_news (watch, error)))
        return FALSE;
      wait = until - g_get_monotonic_time ();
    }
  return TRUE;
}

gboolean
box_early_reply_wait_writable (BoxEarlyReply *watch, gint64 pause, GError **error)
{
  if (watch->socket == NULL)
    return !g_cancellable_set_error_if_cancelled (watch->cancellable, error);
  if (!wait_pace (watch, pause, error))
    return FALSE;
  for (;;)
    {
      int ready = wait_socket (watch, G_IO_IN | G_IO_OUT, -1, error);

      if (ready < 0)
        return FALSE;
      if ((ready & ~G_IO_OUT) != 0 && !heed_news (watch, error))
        return FALSE;
      if ((ready & G_IO_OUT) != 0)
        return TRUE;
    }
}

gssize
box_early_reply_write (BoxEarlyReply *watch, const guint8 *bytes, gsize length, GError **error)
{
  GPollableOutputStream *output =
      G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (watch->stream));

  for (;;)
    {
      g_autoptr (GError) reason = NULL;
      gssize n = g_pollable_output_stream_write_nonblocking (output, bytes, length, NULL, &reason);

      if (n > 0)
        return n;
      if (!g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          return -1;
        }
      if (!box_early_reply_wait_writable (watch, 0, error))
        return -1;
    }
}

gboolean
box_early_reply_rest (BoxEarlyReply *watch, int fd, gint64 timeout, GError **error)
{
  int ready = wait_socket_or (watch, G_IO_IN, fd, timeout, error);

  return ready == 0 || (ready > 0 && heed_news (watch, error));
}

void
box_early_reply_read_last_words (BoxEarlyReply *watch, gboolean complete)
{
  GPollFD fd;

  if (watch->socket == NULL || watch->reply != NULL || watch->failure != NULL
      || g_cancellable_is_cancelled (watch->cancellable))
    return;
  fd = (GPollFD){ .fd = g_socket_get_fd (watch->socket) };
  if (complete && g_poll (&fd, 1, 0) <= 0)
    return;
  /* Cancelled, so that libsoup neither repeats the request nor waits for a reply that was read
   * here. */
  if (read_news (watch) == NEWS_REPLY)
    g_cancellable_cancel (watch->cancellable);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (256u << 10)
#define MAX_HEAD    (16u << 10)

/* Bytes read from the socket at once for GnuTLS, which by itself reads twice for each record. */
#define PULL_SIZE (128u << 10)

/* Time that an idle link is credited with, so that a limited rate is reached by short bursts. */
#define CREDIT (G_USEC_PER_SEC / 100)

/* With a limited rate, bytes wait at the sender and not in our kernel. */
#define LIMITED_RECEIVE_BUFFER (64 << 10)

struct _BenchConnection
{
  int fd;
  gnutls_session_t tls; /* NULL: plain */
  BenchLink *link;
  guint8 *buffer; /* BUFFER_SIZE: bytes of a head's surroundings, then of bodies */
  gsize start;
  gsize end;
  guint8 *pulled; /* PULL_SIZE, with tls */
  gsize pulled_start;
  gsize pulled_end;
};

static ssize_t
receive (int fd, void *data, size_t length, int flags)
{
  ssize_t n;

  do
    n = recv (fd, data, length, flags);
  while (n < 0 && errno == EINTR);
  return n;
}

static ssize_t
pull (gnutls_transport_ptr_t pointer, void *data, size_t length)
{
  BenchConnection *self = pointer;
  gsize n;

  if (self->pulled_start == self->pulled_end)
    {
      ssize_t got = receive (self->fd, self->pulled, PULL_SIZE, 0);

      if (got <= 0)
        return got;
      self->pulled_start = 0;
      self->pulled_end = (gsize) got;
    }
  n = MIN (length, self->pulled_end - self->pulled_start);
  memcpy (data, self->pulled + self->pulled_start, n);
  self->pulled_start += n;
  return (ssize_t) n;
}

static ssize_t
push (gnutls_transport_ptr_t pointer, const void *data, size_t length)
{
  BenchConnection *self = pointer;

  return send (self->fd, data, length, MSG_NOSIGNAL);
}

static gboolean
shake_hands (BenchConnection *self, gnutls_certificate_credentials_t credentials,
             const char *priority)
{
  static const gnutls_datum_t protocol = { (unsigned char *) "http/1.1", 8 };
  int result;

  if (gnutls_init (&self->tls, GNUTLS_SERVER) < 0
      || gnutls_priority_set_direct (self->tls, priority, NULL) < 0
      || gnutls_credentials_set (self->tls, GNUTLS_CRD_CERTIFICATE, credentials) < 0
      || gnutls_alpn_set_protocols (self->tls, &protocol, 1, 0) < 0)
    return FALSE;
  self->pulled = g_malloc (PULL_SIZE);
  gnutls_transport_set_ptr (self->tls, self);
  gnutls_transport_set_pull_function (self->tls, pull);
  gnutls_transport_set_push_function (self->tls, push);
  do
    result = gnutls_handshake (self->tls);
  while (result < 0 && !gnutls_error_is_fatal (result));
  return result == 0;
}

BenchConnection *
bench_connection_new (int fd, gnutls_certificate_credentials_t credentials, const char *priority,
                      BenchLink *link)
{
  g_autoptr (BenchConnection) self = g_new0 (BenchConnection, 1);

  self->fd = fd;
  self->link = link;
  self->buffer = g_malloc (BUFFER_SIZE);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof (int));
  if (credentials != NULL && !shake_hands (self, credentials, priority))
    return NULL;
  return g_steal_pointer (&self);
}

void
bench_connection_free (BenchConnection *self)
{
  if (self->tls != NULL)
    gnutls_deinit (self->tls);
  close (self->fd);
  g_free (self->pulled);
  g_free (self->buffer);
  g_free (self);
}

gboolean
bench_connection_is_tls (const BenchConnection *self)
{
  return self->tls != NULL;
}

static gssize
read_some (BenchConnection *self, guint8 *data, gsize length)
{
  ssize_t n;

  if (self->tls == NULL)
    return receive (self->fd, data, length, 0);
  do
    n = gnutls_record_recv (self->tls, data, length);
  while (n < 0 && !gnutls_error_is_fatal ((int) n));
  return n;
}

/* Adds to what is buffered; FALSE at the end of the connection. */
static gboolean
fill (BenchConnection *self)
{
  gssize n;

  if (self->start == self->end)
    self->start = self->end = 0;
  if (self->start > 0 && BUFFER_SIZE - self->end < MAX_HEAD)
    {
      memmove (self->buffer, self->buffer + self->start, self->end - self->start);
      self->end -= self->start;
      self->start = 0;
    }
  n = read_some (self, self->buffer + self->end, BUFFER_SIZE - self->end);
  if (n <= 0)
    return FALSE;
  self->end += (gsize) n;
  return TRUE;
}

char *
bench_connection_read_head (BenchConnection *self)
{
  while (TRUE)
    {
      const guint8 *begin = self->buffer + self->start;
      gsize have = self->end - self->start;
      const guint8 *end = memmem (begin, have, "\r\n\r\n", 4);

      if (end != NULL)
        {
          gsize length = (gsize) (end - begin) + 4;

          self->start += length;
          return g_strndup ((const char *) begin, length);
        }
      if (have > MAX_HEAD || !fill (self))
        return NULL;
    }
}

char *
bench_connection_read_body (BenchConnection *self, gsize length)
{
  g_autofree char *body = g_malloc (length + 1);
  gsize done = 0;

  while (done < length)
    {
      gsize n = MIN (length - done, self->end - self->start);

      if (n == 0 && !fill (self))
        return NULL;
      memcpy (body + done, self->buffer + self->start, n);
      self->start += n;
      done += n;
    }
  body[length] = '\0';
  return g_steal_pointer (&body);
}

/* Counts @n bytes, and waits while the link is busy with them. */
static void
pass_link (BenchLink *link, gsize n)
{
  gint64 now = g_get_monotonic_time (), until = 0;

  g_mutex_lock (&link->lock);
  link->total += n;
  if (link->rate > 0)
    {
      link->next = MAX (link->next, now - CREDIT);
      link->next += (gint64) (n * G_USEC_PER_SEC / link->rate);
      until = link->next;
    }
  g_mutex_unlock (&link->lock);
  if (until > now)
    g_usleep ((gulong) (until - now));
}

gboolean
bench_connection_discard (BenchConnection *self, guint64 length)
{
  gsize n = (gsize) MIN (length, self->end - self->start);
  /* The kernel drops what TCP received without copying it. */
  int flags = self->tls == NULL ? MSG_TRUNC : 0;

  self->start += n;
  length -= n;
  pass_link (self->link, n);
  if (self->link->rate > 0)
    setsockopt (self->fd, SOL_SOCKET, SO_RCVBUF, &(int){ LIMITED_RECEIVE_BUFFER }, sizeof (int));
  while (length > 0)
    {
      gsize wanted = (gsize) MIN (length, BUFFER_SIZE);
      gssize got = flags != 0 ? receive (self->fd, self->buffer, wanted, flags)
                              : read_some (self, self->buffer, wanted);

      if (got <= 0)
        return FALSE;
      length -= (gsize) got;
      pass_link (self->link, (gsize) got);
    }
  return TRUE;
}

gboolean
bench_connection_write (BenchConnection *self, const char *data, gsize length)
{
  while (length > 0)
    {
      ssize_t n = self->tls != NULL ? gnutls_record_send (self->tls, data, length)
                                    : send (self->fd, data, length, MSG_NOSIGNAL);

      if (n < 0 && self->tls != NULL && !gnutls_error_is_fatal ((int) n))
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/patience.h"

/* Timeouts that a phase may take: enough for a list of parts over a modem, and for a host with
 * several addresses of which only the last answers. */
#define LONGEST 5

/* Slower than this, a body is not waited for. A part of 8 MiB then takes two hours and a quarter;
 * lower, and a peer that takes a byte now and then keeps a worker for days. Bytes a second. */
#define SLOWEST_RATE 1024

/* Bytes assumed to be in buffers on the way. */
#define SOME 65536

void
box_patience_init (BoxPatience *self, guint timeout, guint64 body_size, guint slack, gint64 now)
{
  *self = (BoxPatience){
    .timeout = (gint64) timeout * G_USEC_PER_SEC,
    .body_size = body_size,
    .slack = MAX (slack, 1),
  };
  box_patience_enter (self, BOX_PHASE_CONNECTING, now);
}

void
box_patience_enter (BoxPatience *self, BoxPhase phase, gint64 now)
{
  self->phase = phase;
  self->since = self->moved_at = now;
  self->rested = 0;
  self->acked = self->received = 0;
  self->looked = FALSE;
  self->written = FALSE;
}

void
box_patience_written (BoxPatience *self)
{
  self->written = TRUE;
}

void
box_patience_rest (BoxPatience *self, gint64 duration, gint64 now)
{
  self->rested += duration;
  self->moved_at = MAX (self->moved_at, now + duration);
}

void
box_patience_look (BoxPatience *self, guint64 acked, guint64 received, guint64 queued,
                   guint64 unread, gint64 now)
{
  gboolean heard = received != self->received || unread > 0;
  gboolean moved = acked != self->acked || (self->phase != BOX_PHASE_SENDING && heard);

  if (!self->looked)
    self->acked_before = acked;
  self->looked = TRUE;
  self->acked = acked;
  self->received = received;
  if (self->phase == BOX_PHASE_SENDING && queued == 0)
    {
      if (self->written)
        {
          self->phase = BOX_PHASE_REPLY;
          self->since = now;
          self->rested = 0;
        }
      /* Else it is this side that has nothing to send yet. */
      moved = TRUE;
    }
  if (moved)
    self->moved_at = MAX (self->moved_at, now);
}

static gint64
silence_limit (const BoxPatience *self)
{
  if (self->phase == BOX_PHASE_CONNECTING)
    return G_MAXINT64;
  return self->phase == BOX_PHASE_REPLY ? self->timeout * self->slack : self->timeout;
}

static gint64
total_limit (const BoxPatience *self)
{
  gint64 limit = LONGEST * self->timeout;

  if (self->phase == BOX_PHASE_REPLY)
    return limit * self->slack;
  if (self->phase != BOX_PHASE_SENDING)
    return limit;
  return limit + self->rested
         + (gint64) MIN (self->body_size / SLOWEST_RATE, G_MAXINT32) * G_USEC_PER_SEC;
}

BoxPatienceVerdict
box_patience_judge (const BoxPatience *self, gint64 now)
{
  if (now - self->moved_at >= silence_limit (self))
    return BOX_PATIENCE_SILENCE;
  if (now - self->since >= total_limit (self))
    return BOX_PATIENCE_TOO_LONG;
  return BOX_PATIENCE_HELD;
}

gboolean
box_patience_has_moved (const BoxPatience *self)
{
  if (self->body_size < SOME)
    return FALSE;
  return self->phase == BOX_PHASE_REPLY
         || (self->phase == BOX_PHASE_SENDING && self->acked - self->acked_before >= SOME);
}

guint
box_patience_limit (const BoxPatience *self, BoxPatienceVerdict verdict)
{
  gint64 limit =
      verdict == BOX_PATIENCE_SILENCE ? silence_limit (self) : total_limit (self) - self->rested;

  return (guint) (limit / G_USEC_PER_SEC);
}

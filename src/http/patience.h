/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPatience: decides when a request fails for lack of progress, or has lasted too long. Bytes
 * that the peer has acknowledged or sent are progress, bytes that the kernel took are not. Pure:
 * the caller gives the time (monotonic microseconds) and its observations.
 *
 *   phase       silence   at most
 *   CONNECTING  -         5 timeouts                        (looking up, every address of the host)
 *   TALKING     timeout   5 timeouts                        (proxy, TLS)
 *   SENDING     timeout   5 timeouts + body / 1 KiB a second + rests
 *   REPLY       timeout   5 timeouts, both times `slack`    (from the last byte of the request on)
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  BOX_PHASE_CONNECTING,
  BOX_PHASE_TALKING,
  BOX_PHASE_SENDING,
  BOX_PHASE_REPLY,
} BoxPhase;

typedef enum
{
  BOX_PATIENCE_HELD,
  BOX_PATIENCE_SILENCE,  /* nothing moved for the timeout */
  BOX_PATIENCE_TOO_LONG, /* it moved, but not to an end */
} BoxPatienceVerdict;

typedef struct
{
  /* immutable */
  gint64 timeout;    /* microseconds */
  guint64 body_size; /* bytes */
  guint slack;       /* how many times the usual a reply may take */

  BoxPhase phase;
  gint64 since;         /* of the phase */
  gint64 moved_at;      /* last progress */
  guint64 acked;        /* bytes that the peer has, at the last look */
  guint64 acked_before; /* at the first look of the phase */
  gboolean looked;      /* in this phase */
  guint64 received;     /* bytes that it has sent, likewise */
  gint64 rested;        /* in this phase, on purpose */
  gboolean written;     /* the kernel has the whole request */
} BoxPatience;

/* @timeout: seconds. @slack: 0 is 1. */
void
box_patience_init (BoxPatience *self, guint timeout, guint64 body_size, guint slack, gint64 now);

/* Entering the phase it is in begins it anew. */
void box_patience_enter (BoxPatience *self, BoxPhase phase, gint64 now);

/* The kernel has the whole request; the reply is waited for once the peer has it, too. */
void box_patience_written (BoxPatience *self);

/* Nothing is sent on purpose for @duration microseconds. */
void box_patience_rest (BoxPatience *self, gint64 duration, gint64 now);

/* A look at the connection: the peer has acknowledged @acked bytes on it so far and sent @received,
 * @queued bytes wait to be acknowledged, and @unread to be read here: a peer is not silent whom
 * nobody listens to. While the request is sent, only that it leaves counts. */
void box_patience_look (BoxPatience *self, guint64 acked, guint64 received, guint64 queued,
                        guint64 unread, gint64 now);

/* Whether the request may go on. */
BoxPatienceVerdict box_patience_judge (const BoxPatience *self, gint64 now);

/* Whether a large body made progress, or was sent: another attempt with more time may succeed.
 */
gboolean box_patience_has_moved (const BoxPatience *self);

/* How long its phase may be silent or last, by @verdict. Seconds. */
guint box_patience_limit (const BoxPatience *self, BoxPatienceVerdict verdict);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxFlow: decides how many parts are sent to one host at the same time. Pure: no clock, no socket,
 * no lock; the caller gives the time (monotonic microseconds) and guards the flow.
 *
 * Box thinks about a part after its last byte has come, often for a second or more. A part that
 * waits for its answer takes nothing of the link, so the flow limits the parts that are being sent
 * (the aim) and lets others wait beside them. The aim goes up while that makes the uploads faster,
 * and back where it does not; it is halved when parts take too long, and when Box asks for fewer
 * requests. Such an answer (429) means a rate and not a number at a time: starts are then spaced.
 * The bytes of a live recording share the link with few others: see box_flow_makes_way().
 *
 *   if (box_flow_may_start (flow, now, &wake_at))
 *     box_flow_begin (flow, &part, now);
 *   box_flow_moved (flow, n);                            // while it is sent
 *   box_flow_sent (flow, &part, now);                    // its last byte has left
 *   box_flow_end (flow, &part, BOX_FLOW_ANSWERED, 0, now);
 *
 * The numbers are those that did best on the simulated links of tests/unit/test-flow.c: at least
 * 0.97 of four at a time and 0.90 of the best fixed number on each.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Parts of one upload in flight at most. */
#define BOX_FLOW_MOST 16

/* Parts being sent at the beginning: what other clients of Box use. */
#define BOX_FLOW_FIRST 4

/* A part in flight. The caller's, from begin to end. */
typedef struct
{
  gint64 begun;
  gint64 sent;     /* 0: it is being sent */
  gboolean yields; /* set by the caller after the beginning: to those that do not */
} BoxFlowPart;

/* How a part ended. */
typedef enum
{
  BOX_FLOW_ANSWERED, /* by Box, well or not */
  BOX_FLOW_LIMITED,  /* by Box, with 429 */
  BOX_FLOW_SLOW,     /* it moved, but not in time */
  BOX_FLOW_LOST,     /* in any other way */
} BoxFlowEnd;

typedef struct
{
  /* settings */
  guint most; /* parts in flight at most */

  /* how many */
  guint aim;       /* parts being sent, 1 to BOX_FLOW_MOST */
  guint patient;   /* parts that may wait for an answer without counting as being sent */
  guint aim_tried; /* the aim before the one that is being tried; 0: none is */
  double rate;     /* bytes a microsecond at that one, or in the last epoch */
  guint hold;      /* epochs before the next try */
  guint back;      /* hold after a try that did not help */
  gint64 changed;  /* when the aim changed last */
  gint64 duration; /* that the last part took to leave */

  /* the epoch: parts that were sent with this aim from beginning to end */
  gint64 epoch; /* its beginning; 0: none */
  guint n_sent;
  guint64 moved_before;
  gint64 idle;     /* time in which a part could have begun and none was there */
  gboolean spaced; /* a part could have begun, had Box not asked for fewer requests */

  /* what Box asked for */
  gint64 gate;     /* no part begins before */
  gint64 interval; /* between two beginnings; 0: none */
  gint64 last_begun;
  gint64 eased;   /* when the interval was made shorter last */
  gint64 limited; /* the last 429, or the first part */
  guint n_answers;

  gint64 queue_seen; /* when answers took too long last; 0: never */
  gint64 free_since; /* a part could have begun from then on; 0: not */
  guint64 moved;     /* bytes; atomic */
  GPtrArray *parts;  /* BoxFlowPart in flight, not owned */
} BoxFlow;

/* @most: parts in flight at most, of all uploads. */
void box_flow_init (BoxFlow *flow, guint most);
void box_flow_clear (BoxFlow *flow);

/* Whether a part may begin now. FALSE: @wake_at is when to ask again (G_MAXINT64: after the next
 * event). */
gboolean box_flow_may_start (BoxFlow *flow, gint64 now, gint64 *wake_at);

/* Whether a part that yields has to wait although one may begin: a part that does not is being
 * sent, and as many that do as may be sent beside it. Ask again after the next event. */
gboolean box_flow_makes_way (const BoxFlow *flow);

/* @part begins; it must stay until it has ended. */
void box_flow_begin (BoxFlow *flow, BoxFlowPart *part, gint64 now);

/* @n bytes more of parts have left. Any thread, without the lock. */
void box_flow_moved (BoxFlow *flow, guint64 n);

/* The last byte of @part has left this host. */
void box_flow_sent (BoxFlow *flow, BoxFlowPart *part, gint64 now);

/* @retry_after: microseconds that a 429 asked for. */
void
box_flow_end (BoxFlow *flow, BoxFlowPart *part, BoxFlowEnd how, gint64 retry_after, gint64 now);

/* Parts that are being sent; those that wait for their answer. */
guint box_flow_count_sending (const BoxFlow *flow);
guint box_flow_count_waiting (const BoxFlow *flow);

/*
 * BoxHost: what the uploads of this process share because they go to the same host: the number of
 * parts that are sent at a time. A host that nobody uploads to any more is remembered, so that the
 * next file begins with what the last one has learnt.
 *
 * Functions are called with the workers' lock held.
 */

typedef struct
{
  /* immutable */
  char *name;

  /* with the lock */
  guint n_users;
  gint64 used; /* monotonic, when the last user left */
  BoxFlow flow;
} BoxHost;

/* The host of @endpoint, a URL. */
BoxHost *box_host_take_locked (const char *endpoint);
void box_host_give_back_locked (BoxHost *host);

/* For tests: hosts that are known. */
guint box_host_count_locked (void);

G_END_DECLS

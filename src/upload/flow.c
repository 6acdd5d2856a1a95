/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload/flow.h"

/* A part that takes longer is too slow, if fewer at a time would be no less in all: others stand in
 * its way, and an interruption costs more. Shorter (10 s), and links of 5 to 10 Mbit/s lose 4 %. */
#define SLOW (20 * G_USEC_PER_SEC)

/* Parts that would take longer are not made slower to find out whether more of them help. */
#define SLOWEST (5 * 60 * G_USEC_PER_SEC)

/* An epoch lasts for as many parts as the aim, for EPOCH_PARTS and for EPOCH_TIME: less says
 * nothing about a rate. If parts are slow, it lasts for LONG_EPOCH, and begins when new connections
 * have had the time to get going. */
#define EPOCH_PARTS 4
#define EPOCH_TIME  (G_USEC_PER_SEC / 2)
#define LONG_EPOCH  (3 * G_USEC_PER_SEC)
#define GET_GOING   (2 * G_USEC_PER_SEC)

/* A larger aim has helped if the rate grew by this fraction of what the aim grew by. */
#define HELPS 0.15

/* A smaller one does no harm if this fraction of the rate is left. */
#define HARMLESS 0.9

/* The smallest aim after slow parts: one alone leaves the link idle between two. Behind a queue, it
 * includes those that wait for their answers. */
#define FEWEST        2
#define FEWEST_QUEUED 3

/* The rate of an epoch in hold against the one before, from which the link is another one. */
#define FASTER 1.4

/* Epochs of hold after a try that did not help: from the first to the longest, doubled each time;
 * and after something went wrong. */
#define FIRST_BACK    4
#define LONGEST_BACK  64
#define HOLD_TROUBLED 8

/* Parts that wait are not counted up to this number at first. Each answer in time adds one. */
#define FIRST_PATIENT 2

/* How long waiting parts count after an answer that took too long. */
#define QUEUE_TIME (60 * G_USEC_PER_SEC)

/* Starts are spaced by this fraction of the rate that Box took, and by less as time goes on, until
 * it says so again. Box counts by the minute: after LIMIT_EASE a third of the interval is left. A
 * shorter interval than the shortest counts as 0. */
#define LIMIT_SHARE       0.9
#define LIMIT_EASE        (125 * G_USEC_PER_SEC)
#define SHORTEST_INTERVAL (20 * 1000)
#define LONGEST_INTERVAL  (15 * G_USEC_PER_SEC)

/* Beside parts of live recordings, one of so many parts that may be sent is of another kind. With
 * four a live part has half of the link when the others have ended; the aim is higher where one
 * connection cannot fill the link, and then more of them take nothing of it. */
#define YIELDING 4

/* Time without a part that spoils an epoch, as a fraction of it. */
#define IDLE_SHARE 0.1

void
box_flow_init (BoxFlow *flow, guint most)
{
  *flow = (BoxFlow){
    .most = most,
    .aim = BOX_FLOW_FIRST,
    .patient = FIRST_PATIENT,
    .back = FIRST_BACK,
    .parts = g_ptr_array_new (),
  };
}

void
box_flow_clear (BoxFlow *flow)
{
  g_clear_pointer (&flow->parts, g_ptr_array_unref);
}

guint
box_flow_count_sending (const BoxFlow *flow)
{
  guint n = 0;

  for (guint i = 0; i < flow->parts->len; i++)
    n += ((const BoxFlowPart *) g_ptr_array_index (flow->parts, i))->sent == 0;
  return n;
}

guint
box_flow_count_waiting (const BoxFlow *flow)
{
  return flow->parts->len - box_flow_count_sending (flow);
}

/* Parts that count against the aim. One that waits too long may still be on its way: in the buffer
 * of a proxy, say. */
static guint
count_load (const BoxFlow *flow, gint64 now)
{
  guint sending = 0, waiting = 0;

  for (guint i = 0; i < flow->parts->len; i++)
    {
      const BoxFlowPart *part = g_ptr_array_index (flow->parts, i);

      if (part->sent == 0 || now - part->sent > SLOW)
        sending++;
      else
        waiting++;
    }
  return sending + (waiting > flow->patient ? waiting - flow->patient : 0);
}

/* There is a queue on the way: how fast bytes leave says nothing about how fast they arrive. */
static gboolean
is_queued (const BoxFlow *flow, gint64 now)
{
  return flow->queue_seen != 0 && now - flow->queue_seen < QUEUE_TIME;
}

static gint64
not_before (const BoxFlow *flow)
{
  return MAX (flow->gate, flow->interval != 0 ? flow->last_begun + flow->interval : 0);
}

static gboolean
has_room (const BoxFlow *flow, gint64 now)
{
  return flow->parts->len < flow->most && count_load (flow, now) < flow->aim;
}

/* After each event: notes since when a part could have begun, and whether Box's wish keeps it from
 * that. */
static void
note_room (BoxFlow *flow, gint64 now)
{
  gboolean room = has_room (flow, now), early = not_before (flow) > now;

  flow->spaced |= room && early;
  if (!room || early)
    flow->free_since = 0;
  else if (flow->free_since == 0)
    flow->free_since = now;
}

static guint64
get_moved (const BoxFlow *flow)
{
  return __atomic_load_n (&flow->moved, __ATOMIC_RELAXED);
}

static void
begin_epoch (BoxFlow *flow, gint64 now)
{
  flow->epoch = now;
  flow->n_sent = 0;
  flow->moved_before = get_moved (flow);
  flow->idle = 0;
  flow->spaced = FALSE;
}

static void
change_aim (BoxFlow *flow, guint aim, gint64 now)
{
  flow->aim = CLAMP (aim, 1, BOX_FLOW_MOST);
  flow->changed = now;
  flow->epoch = 0;
}

/* The aim was too high, for another reason than the rate. */
static void
lower_aim (BoxFlow *flow, guint least, gint64 now)
{
  change_aim (flow, MAX (flow->aim / 2, MIN (flow->aim, least)), now);
  flow->aim_tried = 0;
  flow->hold = HOLD_TROUBLED;
}

void
box_flow_begin (BoxFlow *flow, BoxFlowPart *part, gint64 now)
{
  if (flow->free_since != 0)
    flow->idle += now - flow->free_since;
  flow->free_since = 0;
  *part = (BoxFlowPart){ .begun = now };
  g_ptr_array_add (flow->parts, part);
  flow->last_begun = now;
  if (flow->limited == 0)
    flow->limited = flow->changed = now;
  note_room (flow, now);
}

void
box_flow_moved (BoxFlow *flow, guint64 n)
{
  __atomic_add_fetch (&flow->moved, n, __ATOMIC_RELAXED);
}

static void
try_aim (BoxFlow *flow, guint aim, guint before, gint64 now)
{
  flow->aim_tried = before;
  change_aim (flow, aim, now);
}

/* The first step up is half of the aim; those after a step that helped are all of it. */
static void
try_more (BoxFlow *flow, double rate, gboolean helped, gint64 now)
{
  flow->rate = rate;
  if (flow->aim < BOX_FLOW_MOST)
    try_aim (flow, flow->aim + (helped ? flow->aim : MAX (1, flow->aim / 2)), flow->aim, now);
  else
    flow->aim_tried = 0;
}

/* Neither more nor fewer are tried for a while, longer each time. */
static void
step_back (BoxFlow *flow, gint64 now)
{
  if (flow->aim != flow->aim_tried)
    change_aim (flow, flow->aim_tried, now);
  flow->aim_tried = 0;
  flow->hold = flow->back;
  flow->back = MIN (2 * flow->back, LONGEST_BACK);
}

/* More were tried. If that is of no use, the link is full, and slow parts can be fewer. */
static void
judge_more (BoxFlow *flow, double rate, gboolean slow, gint64 now)
{
  guint before = flow->aim_tried;
  double growth = (double) (flow->aim - before) / before;

  if (rate > flow->rate * (1 + HELPS * growth))
    {
      flow->back = FIRST_BACK;
      flow->hold = 0;
      try_more (flow, rate, TRUE, now);
    }
  else if (slow && before > FEWEST)
    try_aim (flow, MAX (before / 2, FEWEST), before, now);
  else
    step_back (flow, now);
}

static void
judge_fewer (BoxFlow *flow, double rate, gint64 now)
{
  if (rate >= flow->rate * HARMLESS)
    flow->aim_tried = flow->aim;
  step_back (flow, now);
}

/* How long parts take: the last one, or the oldest that is on its way. */
static gint64
get_duration (const BoxFlow *flow, gint64 now)
{
  gint64 duration = flow->duration;

  for (guint i = 0; i < flow->parts->len; i++)
    {
      const BoxFlowPart *part = g_ptr_array_index (flow->parts, i);

      if (part->sent == 0)
        duration = MAX (duration, now - part->begun);
    }
  return duration;
}

/* Whether the epoch that took @elapsed says something about the aim: nothing else kept more parts
 * from being sent. */
static gboolean
is_telling (const BoxFlow *flow, double elapsed, gint64 now)
{
  return (double) flow->idle <= elapsed * IDLE_SHARE && !flow->spaced
         && flow->parts->len < flow->most && !is_queued (flow, now);
}

static void
end_epoch (BoxFlow *flow, gint64 now)
{
  double elapsed = (double) (now - flow->epoch);
  double rate = (double) (get_moved (flow) - flow->moved_before) / elapsed;
  gboolean telling = is_telling (flow, elapsed, now);
  gint64 duration = get_duration (flow, now);

  begin_epoch (flow, now);
  if (!telling)
    flow->aim_tried = 0;
  else if (flow->aim_tried > flow->aim)
    judge_fewer (flow, rate, now);
  else if (flow->aim_tried != 0)
    judge_more (flow, rate, duration > SLOW, now);
  else if (flow->hold > 0)
    {
      flow->hold = rate > flow->rate * FASTER ? 0 : flow->hold - 1;
      flow->rate = rate;
    }
  else if (duration < SLOWEST)
    try_more (flow, rate, FALSE, now);
}

/* The epoch of slow parts. Returns when to look again. */
static gint64
review (BoxFlow *flow, gint64 now)
{
  if (box_flow_count_sending (flow) == 0)
    return G_MAXINT64;
  if (flow->epoch == 0 && box_flow_count_sending (flow) > flow->aim)
    return G_MAXINT64;
  if (flow->epoch == 0 && now - flow->changed < GET_GOING)
    return flow->changed + GET_GOING;
  if (flow->epoch == 0)
    begin_epoch (flow, now);
  if (now - flow->epoch >= LONG_EPOCH)
    end_epoch (flow, now);
  return (flow->epoch != 0 ? flow->epoch : now) + LONG_EPOCH;
}

gboolean
box_flow_may_start (BoxFlow *flow, gint64 now, gint64 *wake_at)
{
  gint64 next = review (flow, now);
  gboolean room;

  note_room (flow, now);
  room = has_room (flow, now);
  *wake_at = MIN (next, room ? not_before (flow) : G_MAXINT64);
  return room && not_before (flow) <= now;
}

gboolean
box_flow_makes_way (const BoxFlow *flow)
{
  guint n_yielding = 0, n_others = 0;

  for (guint i = 0; i < flow->parts->len; i++)
    {
      const BoxFlowPart *part = g_ptr_array_index (flow->parts, i);

      if (part->sent != 0)
        continue;
      n_yielding += part->yields ? 1 : 0;
      n_others += part->yields ? 0 : 1;
    }
  return n_others > 0 && n_yielding >= MAX (flow->aim / YIELDING, 1);
}

static void
count_sent (BoxFlow *flow, const BoxFlowPart *part, gint64 now)
{
  flow->duration = now - part->begun;
  if (flow->epoch == 0 || (part->begun < flow->changed && flow->epoch < flow->changed + GET_GOING))
    begin_epoch (flow, now);
  if (part->begun < flow->changed || flow->epoch == now)
    return;
  flow->n_sent++;
  if (flow->n_sent >= MAX (flow->aim, EPOCH_PARTS) && now - flow->epoch >= EPOCH_TIME)
    end_epoch (flow, now);
}

void
box_flow_sent (BoxFlow *flow, BoxFlowPart *part, gint64 now)
{
  if (part->sent != 0)
    return;
  part->sent = now;
  count_sent (flow, part, now);
  note_room (flow, now);
}

/* The pause that Box asked for does not count: nothing was sent in it. */
static void
ease_limit (BoxFlow *flow, gint64 now)
{
  double share = (double) CLAMP (now - flow->eased, 0, LIMIT_EASE) / LIMIT_EASE;

  flow->eased = MAX (flow->eased, now);
  flow->interval -= (gint64) ((double) flow->interval * share);
  if (flow->interval < SHORTEST_INTERVAL)
    flow->interval = 0;
}

/* An answer that took too long means a queue on the way, and no thinking. */
static void
count_answer (BoxFlow *flow, const BoxFlowPart *part, gint64 now)
{
  flow->n_answers++;
  ease_limit (flow, now);
  if (part->sent == 0 || is_queued (flow, now))
    return;
  if (now - part->sent <= SLOW)
    {
      flow->patient = MIN (flow->patient + 1, BOX_FLOW_MOST);
      return;
    }
  flow->queue_seen = now;
  flow->patient = 0;
  lower_aim (flow, FEWEST_QUEUED, now);
}

/* All that are refused until the pause is over are one reason. */
static void
limit (BoxFlow *flow, gint64 retry_after, gint64 now)
{
  double answers = (double) MAX (flow->n_answers, 1);
  double elapsed = (double) MAX (now - flow->limited, 1);

  if (now < flow->gate)
    return;
  flow->gate = now + MAX (retry_after, G_USEC_PER_SEC / 2);
  flow->interval = (gint64) CLAMP (elapsed / (answers * LIMIT_SHARE), 0, LONGEST_INTERVAL);
  flow->eased = flow->gate;
  flow->limited = now;
  flow->n_answers = 0;
  lower_aim (flow, 1, now);
}

void
box_flow_end (BoxFlow *flow, BoxFlowPart *part, BoxFlowEnd how, gint64 retry_after, gint64 now)
{
  g_ptr_array_remove_fast (flow->parts, part);
  switch (how)
    {
    case BOX_FLOW_ANSWERED:
      count_answer (flow, part, now);
      break;
    case BOX_FLOW_LIMITED:
      limit (flow, retry_after, now);
      break;
    case BOX_FLOW_SLOW:
      /* Those that were slow beside each other are one reason. */
      if (part->begun >= flow->changed)
        lower_aim (flow, 1, now);
      break;
    case BOX_FLOW_LOST:
    default:
      break;
    }
  note_room (flow, now);
}

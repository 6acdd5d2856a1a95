/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "links.h"

#include <math.h>

/* Of a connection: ten packets at first, and what the kernel's buffers let one have on its way. */
#define PACKET       1448.0
#define FIRST_WINDOW (10 * PACKET)
#define MOST_WINDOW  (4.0 * 1024 * 1024)

/* The window of a connection that rests is halved each time that this, and a round trip, has
 * passed. Seconds. */
#define FORGETS 0.2

/* The digest of a part before it leaves, and the shortest round trip. Seconds. */
#define DIGEST  0.015
#define NEAREST 0.0005

#define MAX_PARTS (LINK_UPLOADS_MAX * BOX_FLOW_MOST)

typedef enum
{
  PART_NONE,
  PART_DIGESTED, /* until `until` */
  PART_SENDING,
  PART_WAITING,  /* for its answer, which comes at `until` */
  PART_REFUSED,  /* with 429, which comes at `until` */
  PART_TROUBLED, /* begins again at `until` */
} State;

typedef struct
{
  State state;
  guint upload;
  double until;
  double begun;
  double taken;  /* bytes that left the host */
  double passed; /* bytes that passed the bottleneck */
  gboolean left; /* all of them left the host */
  double window, rested_at;
  double rate; /* of this step */
  BoxFlowPart part;
} Slot;

typedef struct
{
  const Link *link;
  const LinkUpload *uploads;
  guint n_uploads;
  double part_size;
  GRand *random;
  double now, seconds;
  Slot slots[MAX_PARTS];
  guint n_slots; /* the first of them are used */
  gint64 minute;
  guint n_in_minute;
  guint aim; /* the first upload's, at the last step */
  LinkResult result;
  double flight_sum;
  guint flight_n;
} World;

static gint64
in_usec (double seconds)
{
  return (gint64) (seconds * G_USEC_PER_SEC) + G_USEC_PER_SEC;
}

static double
get_capacity (const World *w)
{
  const Link *l = w->link;
  gboolean changed =
      l->change_at > 0 && w->now >= l->change_at && (l->back_at == 0 || w->now < l->back_at);

  return (changed ? l->changed_to : l->mbit) * 125000;
}

static double
get_rtt (const World *w)
{
  return MAX (w->link->rtt, NEAREST);
}

/* What a connection with loss reaches (Mathis et al.). */
static double
loss_ceiling (const World *w)
{
  return w->link->loss > 0 ? PACKET * 1.22 / (get_rtt (w) * sqrt (w->link->loss)) : INFINITY;
}

/* ---- beginnings ---- */

static guint
count (const World *w, guint upload, gboolean troubled)
{
  guint n = 0;

  for (guint i = 0; i < w->n_slots; i++)
    n += w->slots[i].upload == upload && w->slots[i].state != PART_NONE
         && (w->slots[i].state == PART_TROUBLED) == troubled;
  return n;
}

static gboolean
takes_request (World *w)
{
  gint64 minute = (gint64) (w->now / 60);

  if (w->link->per_minute == 0)
    return TRUE;
  if (minute != w->minute)
    w->n_in_minute = 0;
  w->minute = minute;
  return ++w->n_in_minute <= w->link->per_minute;
}

static void
begin (World *w, Slot *slot, guint upload)
{
  BoxFlow *flow = w->uploads[upload].flow;

  slot->upload = upload;
  slot->begun = w->now;
  slot->taken = slot->passed = 0;
  slot->left = FALSE;
  slot->window *= exp2 (-floor ((w->now - slot->rested_at) / (FORGETS + get_rtt (w))));
  slot->window = MAX (slot->window, FIRST_WINDOW);
  if (flow != NULL)
    box_flow_begin (flow, &slot->part, in_usec (w->now));
  slot->state = takes_request (w) ? PART_DIGESTED : PART_REFUSED;
  slot->until = w->now + DIGEST + (slot->state == PART_REFUSED ? get_rtt (w) : 0);
}

/* The slot for the next part of @upload: one that was refused and is due, or a free one. */
static Slot *
find_slot (World *w, guint upload, guint most)
{
  guint in_flight = count (w, upload, FALSE), troubled = count (w, upload, TRUE);
  Slot *found = NULL;

  for (guint i = 0; i < w->n_slots; i++)
    if (w->slots[i].state == PART_TROUBLED && w->slots[i].upload == upload
        && w->slots[i].until <= w->now)
      return in_flight < most ? &w->slots[i] : NULL;
  if (in_flight + troubled >= most)
    return NULL;
  for (guint i = 0; i < w->n_slots; i++)
    if (w->slots[i].state == PART_NONE
        && (found == NULL || w->slots[i].rested_at > found->rested_at))
      found = &w->slots[i];
  return found;
}

static void
begin_all (World *w)
{
  for (guint u = 0; u < w->n_uploads; u++)
    {
      BoxFlow *flow = w->uploads[u].flow;
      guint most = flow != NULL ? BOX_FLOW_MOST : w->uploads[u].fixed;
      gint64 wake_at;
      Slot *slot;

      while (w->now >= w->uploads[u].starts
             && (flow == NULL || box_flow_may_start (flow, in_usec (w->now), &wake_at))
             && (slot = find_slot (w, u, most)) != NULL)
        begin (w, slot, u);
    }
}

/* ---- bytes ---- */

/* Each connection gets the same share of what is left, unless its ceiling is lower. */
static void
share (World *w)
{
  double left = get_capacity (w), ceiling = loss_ceiling (w);
  guint n = 0, n_before;

  for (guint i = 0; i < w->n_slots; i++)
    {
      w->slots[i].rate = -1;
      n += w->slots[i].state == PART_SENDING;
    }
  do
    {
      double fair = left / MAX (n, 1);

      n_before = n;
      for (guint i = 0; i < w->n_slots; i++)
        {
          Slot *slot = &w->slots[i];
          double most = MIN (slot->window / get_rtt (w), ceiling);

          if (slot->state != PART_SENDING || slot->rate >= 0 || most > fair)
            continue;
          slot->rate = most;
          left -= most;
          n--;
        }
    }
  while (n != n_before && n > 0);
  for (guint i = 0; i < w->n_slots; i++)
    if (w->slots[i].state == PART_SENDING && w->slots[i].rate < 0)
      w->slots[i].rate = left / n;
}

static void
note_left (World *w, Slot *slot)
{
  slot->left = TRUE;
  w->result.longest = MAX (w->result.longest, w->now - slot->begun);
  if (w->uploads[slot->upload].flow != NULL)
    box_flow_sent (w->uploads[slot->upload].flow, &slot->part, in_usec (w->now));
}

static void
move_slot (World *w, Slot *slot, double dt)
{
  BoxFlow *flow = w->uploads[slot->upload].flow;
  double n = MIN (slot->rate * dt, w->part_size - slot->passed);
  double taken = MIN (slot->passed + n + w->link->buffer, w->part_size);
  double think = w->link->think * (1 + w->link->jitter * g_rand_double_range (w->random, -1, 1));

  if (slot->rate >= slot->window / get_rtt (w) * 0.99)
    slot->window = MIN (slot->window * exp2 (dt / get_rtt (w)), MOST_WINDOW);
  slot->passed += n;
  if (flow != NULL && taken > slot->taken)
    box_flow_moved (flow, (guint64) (taken - slot->taken));
  slot->taken = MAX (taken, slot->taken);
  if (w->now > w->seconds / 2)
    w->result.bytes[slot->upload] += n;
  w->result.total += n;
  if (!slot->left && slot->taken >= w->part_size)
    note_left (w, slot);
  if (slot->passed < w->part_size)
    return;
  slot->state = PART_WAITING;
  slot->until = w->now + get_rtt (w) + think;
  slot->rested_at = w->now;
}

/* ---- ends ---- */

static void
end (World *w, Slot *slot)
{
  BoxFlow *flow = w->uploads[slot->upload].flow;
  gboolean refused = slot->state == PART_REFUSED;
  double pause = refused ? ceil ((double) (w->minute + 1) * 60 - w->now) : 0;

  slot->state = refused ? PART_TROUBLED : PART_NONE;
  slot->until = w->now + MAX (pause, 1);
  w->result.n_refused += refused;
  if (flow != NULL)
    box_flow_end (flow, &slot->part, refused ? BOX_FLOW_LIMITED : BOX_FLOW_ANSWERED,
                  (gint64) (MAX (pause, 1) * G_USEC_PER_SEC), in_usec (w->now));
}

static void
end_all (World *w)
{
  for (guint i = 0; i < w->n_slots; i++)
    {
      Slot *slot = &w->slots[i];

      if (slot->state == PART_DIGESTED && slot->until <= w->now)
        slot->state = PART_SENDING;
      if ((slot->state == PART_WAITING || slot->state == PART_REFUSED) && slot->until <= w->now)
        end (w, slot);
    }
}

static void
note_step (World *w)
{
  guint aim = w->uploads[0].flow != NULL ? w->uploads[0].flow->aim : 0;

  if (w->now > w->seconds / 2)
    {
      w->result.n_changes += aim != w->aim;
      w->flight_sum += count (w, 0, FALSE);
      w->flight_n++;
    }
  w->aim = aim;
}

LinkResult
link_run (const Link *link, const LinkUpload *uploads, guint n_uploads, double seconds,
          double part_size, guint32 seed)
{
  World w = {
    .link = link,
    .uploads = uploads,
    .n_uploads = n_uploads,
    .n_slots = n_uploads * BOX_FLOW_MOST,
    .part_size = part_size,
    .random = g_rand_new_with_seed (seed),
    .seconds = seconds,
  };
  double dt = CLAMP (part_size / (MAX (link->mbit, link->changed_to) * 125000) / 20, 0.002, 0.05);

  for (guint i = 0; i < w.n_slots; i++)
    w.slots[i].rested_at = -10;
  for (; w.now < seconds; w.now += dt)
    {
      end_all (&w);
      begin_all (&w);
      share (&w);
      for (guint i = 0; i < w.n_slots; i++)
        if (w.slots[i].state == PART_SENDING)
          move_slot (&w, &w.slots[i], dt);
      note_step (&w);
    }
  w.result.in_flight = w.flight_n > 0 ? w.flight_sum / w.flight_n : 0;
  /* What is on its way belongs to this world. */
  for (guint u = 0; u < n_uploads; u++)
    if (uploads[u].flow != NULL)
      g_ptr_array_set_size (uploads[u].flow->parts, 0);
  g_rand_free (w.random);
  return w.result;
}

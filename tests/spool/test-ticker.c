/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far the recordings of a process are is told in rounds, by one timer.
 */
#include "delivery/state.h"

#include "kit/patience.h"
#include "kit/spool-kit.h"

typedef struct _Channel Channel;

/* Recordings while Box cannot be reached: nothing of them is safe. */
typedef struct
{
  SpoolKit kit;
  BoxDestination *destination;
  GPtrArray *channels; /* of Channel */
  guint rounds;        /* before the first */

  GMutex lock;
  GCond changed;
  /* with lock */
  guint n_told;
} Fixture;

struct _Channel
{
  Fixture *fixture;
  BoxDelivery *delivery;
  Channel *frees; /* in its next event */
  gulong takes;   /* its event: microseconds */
  /* with the fixture's lock */
  guint n_told;
  gboolean held; /* its event does not return */
};

static void
on_position (BoxDelivery *delivery, const BoxPosition *position, gpointer user_data)
{
  Channel *channel = user_data;
  Fixture *fixture = channel->fixture;
  Channel *frees;

  g_mutex_lock (&fixture->lock);
  fixture->n_told++;
  channel->n_told++;
  g_cond_broadcast (&fixture->changed);
  while (channel->held)
    g_cond_wait (&fixture->changed, &fixture->lock);
  frees = g_steal_pointer (&channel->frees);
  g_mutex_unlock (&fixture->lock);
  g_usleep (channel->takes);
  if (frees != NULL)
    g_clear_pointer (&frees->delivery, box_delivery_free);
}

static Channel *
begin (Fixture *fixture)
{
  static const BoxDeliveryEvents events = { .position = on_position };
  BoxDeliverySettings settings = {
    .upload = { .client = fixture->kit.client,
                .destination = fixture->destination,
                .commit = TRUE },
    .sizing = BOX_SIZING_SPOOL,
    .padding = BOX_PADDING_NONE,
  };
  Channel *channel = g_new0 (Channel, 1);
  g_autoptr (GError) error = NULL;

  channel->fixture = fixture;
  channel->delivery =
      box_delivery_new_stream (&settings, fixture->kit.spool, &events, channel, NULL, &error);
  g_assert_no_error (error);
  g_ptr_array_add (fixture->channels, channel);
  box_delivery_start (channel->delivery);
  return channel;
}

static void
write_byte (Channel *channel)
{
  g_assert_cmpuint (box_delivery_write (channel->delivery, 0, (const guint8 *) "b", 1), ==, 1);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  spool_kit_set_up (&fixture->kit);
  box_emulator_set_down (fixture->kit.emulator, TRUE);
  fixture->destination = box_destination_new_folder ("0", "many", NULL);
  fixture->channels = g_ptr_array_new_with_free_func (g_free);
  fixture->rounds = box_delivery_count_rounds ();
  g_mutex_init (&fixture->lock);
  g_cond_init (&fixture->changed);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < fixture->channels->len; i++)
    box_delivery_free (((Channel *) g_ptr_array_index (fixture->channels, i))->delivery);
  g_ptr_array_unref (fixture->channels);
  box_destination_free (fixture->destination);
  g_cond_clear (&fixture->changed);
  g_mutex_clear (&fixture->lock);
  spool_kit_tear_down (&fixture->kit);
}

/* Until all channels together, or the @channel (nullable), have told @n times. */
static void
wait_told (Fixture *fixture, Channel *channel, guint n)
{
  g_mutex_lock (&fixture->lock);
  while ((channel != NULL ? channel->n_told : fixture->n_told) < n)
    g_cond_wait (&fixture->changed, &fixture->lock);
  g_mutex_unlock (&fixture->lock);
}

static void
set_held (Channel *channel, gboolean held)
{
  g_mutex_lock (&channel->fixture->lock);
  channel->held = held;
  g_cond_broadcast (&channel->fixture->changed);
  g_mutex_unlock (&channel->fixture->lock);
}

/* Of so many recordings that wait for Box, each says how far it is every two seconds: three rounds
 * take no less than this. Microseconds. */
#define N_WAITING     200
#define ROUNDS        3
#define TOLD_AT_LEAST (4 * (gint64) G_USEC_PER_SEC)

/* However late some of them are found, a round tells many. */
static void
test_many_are_told_in_rounds (Fixture *fixture, gconstpointer data)
{
  gint64 begun = g_get_monotonic_time ();
  guint rounds;

  for (guint i = 0; i < N_WAITING; i++)
    write_byte (begin (fixture));
  wait_told (fixture, NULL, ROUNDS * N_WAITING);
  rounds = box_delivery_count_rounds () - fixture->rounds;
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, TOLD_AT_LEAST);
  g_assert_cmpuint (rounds, >=, ROUNDS);
  g_mutex_lock (&fixture->lock);
  g_assert_cmpuint (rounds, <=, fixture->n_told / 10);
  g_mutex_unlock (&fixture->lock);
}

/* The first one is held in its event: the next rounds are another worker's. */
static void
test_an_event_that_does_not_return_holds_no_other (Fixture *fixture, gconstpointer data)
{
  Channel *held = begin (fixture), *other = begin (fixture), *third = begin (fixture);

  set_held (held, TRUE);
  write_byte (held);
  wait_told (fixture, held, 1);
  write_byte (other);
  write_byte (third);
  wait_told (fixture, other, 1);
  g_clear_pointer (&other->delivery, box_delivery_free);
  wait_told (fixture, third, 2);
  g_mutex_lock (&fixture->lock);
  g_assert_cmpuint (held->n_told, ==, 1);
  g_mutex_unlock (&fixture->lock);
  set_held (held, FALSE);
  wait_told (fixture, held, 2);
}

/* The events of a round take longer than the time to the next one. */
static void
test_slow_events_leave_nobody_out (Fixture *fixture, gconstpointer data)
{
  Channel *channels[3];

  for (guint i = 0; i < G_N_ELEMENTS (channels); i++)
    {
      channels[i] = begin (fixture);
      channels[i]->takes = 6 * G_USEC_PER_SEC / 10;
    }
  for (guint i = 0; i < G_N_ELEMENTS (channels); i++)
    write_byte (channels[i]);
  wait_told (fixture, channels[2], 2);
}

/* Its neighbours in the round come before and behind it. */
static void
test_one_that_is_freed_in_the_round_leaves_it (Fixture *fixture, gconstpointer data)
{
  Channel *channels[5];

  for (guint i = 0; i < G_N_ELEMENTS (channels); i++)
    channels[i] = begin (fixture);
  channels[2]->frees = channels[0];
  channels[3]->frees = channels[4];
  for (guint i = 0; i < G_N_ELEMENTS (channels); i++)
    write_byte (channels[i]);
  for (guint i = 1; i < 4; i++)
    wait_told (fixture, channels[i], 2);
  g_assert_null (channels[0]->delivery);
  g_assert_null (channels[4]->delivery);
}

/* A round counts from its beginning, and its event comes later. */
static void
test_without_deliveries_there_are_no_rounds (Fixture *fixture, gconstpointer data)
{
  Channel *channel = begin (fixture), *later;
  guint rounds;

  write_byte (channel);
  wait_told (fixture, channel, 1);
  g_clear_pointer (&channel->delivery, box_delivery_free);
  rounds = box_delivery_count_rounds ();
  later = begin (fixture);
  g_assert_cmpuint (box_delivery_count_rounds (), ==, rounds);
  write_byte (later);
  wait_told (fixture, later, 2);
  rounds = box_delivery_count_rounds () - rounds;
  g_mutex_lock (&fixture->lock);
  g_assert_cmpuint (rounds, <=, later->n_told + 1);
  g_mutex_unlock (&fixture->lock);
}

#define ADD(name, function) g_test_add ("/ticker/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("many-are-told-in-rounds", test_many_are_told_in_rounds);
  ADD ("an-event-that-does-not-return-holds-no-other",
       test_an_event_that_does_not_return_holds_no_other);
  ADD ("slow-events-leave-nobody-out", test_slow_events_leave_nobody_out);
  ADD ("one-that-is-freed-in-the-round-leaves-it", test_one_that_is_freed_in_the_round_leaves_it);
  ADD ("without-deliveries-there-are-no-rounds", test_without_deliveries_there_are_no_rounds);
  return g_test_run ();
}

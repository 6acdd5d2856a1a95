/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The threads of deliveries whose stream is over. While Box cannot be reached such a delivery has
 * none, however many there are.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "delivery/delivery.h"

#include "kit/emulator.h"
#include "kit/leaks.h"
#include "kit/spool-kit.h"

/* Ended recordings of an outage, and threads, of which one more does not matter. */
#define MANY 40
#define FEW  3

#define PIECE_SIZE 1000

typedef struct _Piece Piece;

typedef struct
{
  SpoolKit kit;
  Piece *pieces;
  guint n_pieces;
} Fixture;

struct _Piece
{
  BoxDelivery *delivery;
  Piece *frees;  /* at its end; nullable */
  gint has_file; /* atomic: the end was reported, with a file */
};

/* --- The system without threads for the uploader ---------------------------------------------- */

static gint deny_threads; /* atomic */

typedef int (*CreateThread) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);

int pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*start) (void *),
                    void *data);

/* Stands before the system's. The emulator's threads are not the uploader's. */
int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*start) (void *),
                void *data)
{
  CreateThread create = (CreateThread) dlsym (RTLD_NEXT, "pthread_create");
  char caller[16] = "";

  pthread_getname_np (pthread_self (), caller, sizeof caller);
  if (g_atomic_int_get (&deny_threads) && g_str_has_prefix (caller, "box"))
    return EAGAIN;
  return create (thread, attributes, start, data);
}

/* --- Pieces ----------------------------------------------------------------------------------- */

static guint
count_threads (void)
{
  return kit_count_threads ("box-delivery");
}

static void
on_ended (BoxDelivery *delivery, BoxDeliveryPhase phase, const BoxFile *file, const GError *error,
          gpointer user_data)
{
  Piece *piece = user_data;

  if (piece->frees != NULL)
    g_clear_pointer (&piece->frees->delivery, box_delivery_free);
  g_atomic_int_set (&piece->has_file, file != NULL);
}

/* @spool: (nullable): without it the bytes are only in memory. */
static void
record (Fixture *fixture, Piece *piece, BoxSpool *spool)
{
  static const BoxDeliveryEvents events = { .ended = on_ended };
  static const guint8 bytes[PIECE_SIZE] = { 0 };
  g_autofree char *name = g_strdup_printf ("%u.ts", (guint) (piece - fixture->pieces));
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", name, NULL);
  g_autoptr (GError) error = NULL;
  const BoxDeliverySettings settings = {
    .upload = { .client = fixture->kit.client,
                .destination = destination,
                .commit = TRUE,
                .size = spool != NULL ? 0 : PIECE_SIZE },
    .sizing = spool != NULL ? BOX_SIZING_SPOOL : BOX_SIZING_EXACT,
    .padding = BOX_PADDING_NONE,
  };

  piece->delivery = box_delivery_new_stream (&settings, spool, &events, piece, NULL, &error);
  g_assert_no_error (error);
  box_delivery_start (piece->delivery);
  g_assert_cmpuint (box_delivery_write (piece->delivery, 0, bytes, sizeof bytes), ==, sizeof bytes);
  box_delivery_finish (piece->delivery, "eos", BOX_PADDING_NONE, 0, NULL);
}

static void
record_all (Fixture *fixture, guint n, gboolean spooled)
{
  fixture->pieces = g_new0 (Piece, n);
  fixture->n_pieces = n;
  for (guint i = 0; i < n; i++)
    record (fixture, &fixture->pieces[i], spooled ? fixture->kit.spool : NULL);
}

/* Box answers nobody until the gate is opened. */
static void
set_up (Fixture *fixture, gconstpointer data)
{
  spool_kit_set_up (&fixture->kit);
  kit_load_rules (fixture->kit.emulator,
                  "{\"rules\":[{\"name\":\"gate\",\"route\":\"*\",\"do\":\"hold\"}]}");
}

static void
free_all (Fixture *fixture)
{
  for (guint i = 0; i < fixture->n_pieces; i++)
    g_clear_pointer (&fixture->pieces[i].delivery, box_delivery_free);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  free_all (fixture);
  g_free (fixture->pieces);
  spool_kit_tear_down (&fixture->kit);
}

static void
open_gate (Fixture *fixture)
{
  box_emulator_release (fixture->kit.emulator, "gate");
}

static void
assert_at_box (Piece *piece)
{
  g_assert_cmpint (box_delivery_wait (piece->delivery, KIT_PATIENCE_US), ==, BOX_WAIT_READY);
  g_assert_true (g_atomic_int_get (&piece->has_file));
}

static void
assert_all_at_box (Fixture *fixture)
{
  for (guint i = 0; i < fixture->n_pieces; i++)
    assert_at_box (&fixture->pieces[i]);
  g_assert_cmpuint (box_emulator_count_files (fixture->kit.emulator), ==, fixture->n_pieces);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
}

static void
assert_none_has_ended (Fixture *fixture)
{
  for (guint i = 0; i < fixture->n_pieces; i++)
    g_assert_cmpint (box_delivery_wait (fixture->pieces[i].delivery, 0), ==, BOX_WAIT_TIMEOUT);
}

/* --- Tests ------------------------------------------------------------------------------------ */

static void
test_ended_recordings_of_an_outage_have_no_threads (Fixture *fixture, gconstpointer data)
{
  record_all (fixture, MANY, TRUE);
  KIT_AWAIT (count_threads () <= FEW);
  assert_none_has_ended (fixture);
  open_gate (fixture);
  assert_all_at_box (fixture);
}

static void
test_files_in_memory_have_no_threads_either (Fixture *fixture, gconstpointer data)
{
  record_all (fixture, FEW, FALSE);
  KIT_AWAIT (count_threads () == 1);
  assert_none_has_ended (fixture);
  open_gate (fixture);
  assert_all_at_box (fixture);
}

static void
test_those_that_rest_go_on_if_the_system_has_no_thread (Fixture *fixture, gconstpointer data)
{
  record_all (fixture, FEW, TRUE);
  KIT_AWAIT (count_threads () == 1);
  g_atomic_int_set (&deny_threads, TRUE);
  open_gate (fixture);
  assert_all_at_box (fixture);
  g_atomic_int_set (&deny_threads, FALSE);
}

static void
test_those_that_rest_can_be_freed (Fixture *fixture, gconstpointer data)
{
  record_all (fixture, FEW, TRUE);
  KIT_AWAIT (count_threads () == 1);
  free_all (fixture);
  KIT_AWAIT (count_threads () == 0);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, FEW);
  open_gate (fixture);
  spool_kit_finish_all (&fixture->kit);
  g_assert_cmpuint (box_emulator_count_files (fixture->kit.emulator), ==, FEW);
}

/* Or one whose steps another thread does. */
static void
test_an_end_may_free_one_that_rests (Fixture *fixture, gconstpointer data)
{
  record_all (fixture, 2, TRUE);
  fixture->pieces[0].frees = &fixture->pieces[1];
  KIT_AWAIT (count_threads () == 1);
  open_gate (fixture);
  assert_at_box (&fixture->pieces[0]);
  g_assert_null (fixture->pieces[1].delivery);
}

static void
test_threads_end_with_their_deliveries (Fixture *fixture, gconstpointer data)
{
  record_all (fixture, FEW, TRUE);
  open_gate (fixture);
  assert_all_at_box (fixture);
  KIT_AWAIT (count_threads () == 0);
}

#define ADD(name, function) g_test_add ("/crew/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_setenv ("BOXUPLOAD_WORKERS", "4", TRUE);
  g_test_init (&argc, &argv, NULL);
  ADD ("ended-recordings-of-an-outage-have-no-threads",
       test_ended_recordings_of_an_outage_have_no_threads);
  ADD ("files-in-memory-have-no-threads-either", test_files_in_memory_have_no_threads_either);
  ADD ("those-that-rest-go-on-if-the-system-has-no-thread",
       test_those_that_rest_go_on_if_the_system_has_no_thread);
  ADD ("those-that-rest-can-be-freed", test_those_that_rest_can_be_freed);
  ADD ("end-may-free-one-that-rests", test_an_end_may_free_one_that_rests);
  ADD ("threads-end-with-their-deliveries", test_threads_end_with_their_deliveries);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Order of a recorder's disk and network: Box has nothing that a power cut could still take from
 * the disk. Otherwise a session that goes on has parts that the recording does not have.
 */
#include "delivery/delivery.h"
#include "kit/emulator.h"
#include "kit/patience.h"
#include "kit/pattern.h"
#include "kit/places.h"
#include "spool/spool.h"

#include <sys/stat.h>
#include <unistd.h>

#define PART_SIZE 16384

/* Two whole parts, and a piece of the third. */
#define SIZE (2 * PART_SIZE + 1000)

/* What a reserve is larger. */
#define GAP (3 * PART_SIZE)

/* Seconds. */
#define TIMEOUT 60

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  char *dir;
  BoxSpool *spool;
} Fixture;

/* Of the recording, as fdatasync() sees it. */
static struct
{
  BoxEmulator *emulator; /* NULL: it does not look */
  char *session;

  /* with the lock */
  GMutex lock;
  guint64 synced;     /* bytes */
  guint n_syncs;      /* of the data */
  gboolean too_early; /* Box had more */
} disk;

/* With the lock. */
static void
look_at_box (void)
{
  g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (disk.emulator, disk.session);

  for (guint i = 0; i < session->n_parts; i++)
    disk.too_early |= session->stored[i] && MIN ((i + 1) * PART_SIZE, SIZE) > disk.synced;
}

/* In place of the C library's. */
int
fdatasync (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = g_file_read_link (link, NULL);
  g_autoptr (GMutexLocker) locker = NULL;
  struct stat info;

  if (disk.emulator == NULL || path == NULL || !g_str_has_suffix (path, BOX_RECORDING_DATA_SUFFIX))
    return fsync (fd);
  locker = g_mutex_locker_new (&disk.lock);
  look_at_box ();
  disk.n_syncs++;
  if (fsync (fd) != 0 || fstat (fd, &info) != 0)
    return -1;
  disk.synced = (guint64) info.st_size;
  return 0;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  BoxEmulatorOptions options = { .part_size = PART_SIZE, .min_size = 1 };

  f->emulator = kit_emulator_new (&options);
  f->client = kit_client_new (f->emulator, FALSE,
                              &(BoxClientSettings){ .access_token = "t", .timeout = TIMEOUT });
  f->dir = kit_new_directory ();
  f->spool = box_spool_open (f->dir, 0, NULL);
  disk.synced = disk.n_syncs = 0;
  disk.too_early = FALSE;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  disk.emulator = NULL;
  g_clear_pointer (&disk.session, g_free);
  box_spool_unref (f->spool);
  kit_remove_tree (f->dir);
  g_free (f->dir);
  box_client_unref (f->client);
  box_emulator_free (f->emulator);
}

/* A recorder into a session of its application's, of the size that it will have or of more. */
static BoxDelivery *
start (Fixture *f, BoxSizing sizing)
{
  static const BoxDeliveryEvents events = { NULL };
  gboolean reserve = sizing == BOX_SIZING_RESERVE;
  guint64 size = SIZE + (reserve ? GAP : 0);
  g_autofree char *id = box_emulator_add_session (f->emulator, "0", "clip.ts", NULL, size);
  g_autoptr (BoxDestination) destination = box_destination_new_session (id, NULL);
  BoxDeliverySettings settings = {
    .upload = { .client = f->client,
                .destination = destination,
                .size = size,
                .commit = TRUE,
                .parallel = 2,
                .retry_timeout = TIMEOUT },
    .sizing = sizing,
    .padding = reserve ? BOX_PADDING_ZERO : BOX_PADDING_NONE,
  };
  g_autoptr (GError) error = NULL;
  BoxDelivery *delivery =
      box_delivery_new_stream (&settings, f->spool, &events, NULL, NULL, &error);

  g_assert_no_error (error);
  disk.session = g_steal_pointer (&id);
  disk.emulator = f->emulator;
  box_delivery_start (delivery);
  return delivery;
}

static guint
count_stored (Fixture *f)
{
  g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (f->emulator, disk.session);

  return session->n_stored;
}

static void
test_no_part_leaves_before_it_is_on_disk (Fixture *f, gconstpointer data)
{
  BoxSizing sizing = (BoxSizing) GPOINTER_TO_INT (data);
  gboolean reserve = sizing == BOX_SIZING_RESERVE;
  g_autoptr (BoxDelivery) delivery = start (f, sizing);
  g_autofree guint8 *bytes = g_malloc (SIZE);

  kit_pattern_fill (0, bytes, SIZE);
  g_assert_cmpuint (box_delivery_write (delivery, 0, bytes, SIZE), ==, SIZE);
  KIT_AWAIT (count_stored (f) >= 2);
  box_delivery_finish (delivery, "eos", reserve ? BOX_PADDING_ZERO : BOX_PADDING_NONE,
                       reserve ? GAP : 0, NULL);
  g_assert_cmpint (box_delivery_wait (delivery, KIT_PATIENCE_US), ==, BOX_WAIT_READY);
  g_assert_cmpuint (disk.n_syncs, >, 0);
  g_assert_false (disk.too_early);
}

#define ADD(name, sizing)                                                                          \
  g_test_add ("/durable/no-part-leaves-before-it-is-on-disk/" name, Fixture,                       \
              GINT_TO_POINTER (sizing), set_up, test_no_part_leaves_before_it_is_on_disk,          \
              tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("exact", BOX_SIZING_EXACT);
  ADD ("reserve", BOX_SIZING_RESERVE);
  return g_test_run ();
}

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

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_SIZE 16384

/* Whole parts, and a piece of another one. What is sent ahead comes in steps of 256 KiB. */
#define SIZE (20 * PART_SIZE + 1000)

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
  gboolean refuses;      /* data */

  /* with the lock */
  GMutex lock;
  guint64 synced;     /* bytes */
  guint n_syncs;      /* of the data */
  gboolean too_early; /* Box had more */
} disk;

/* The parts of all sessions: how many, and where the last one ends. */
static guint
count_parts (guint64 *end)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (disk.emulator);
  guint n = 0;

  *end = 0;
  for (guint k = 0; k < ids->len; k++)
    {
      g_autoptr (BoxEmulatorSession) session =
          box_emulator_get_session (disk.emulator, ids->pdata[k]);

      n += session->n_stored;
      for (guint i = 0; i < session->n_parts; i++)
        if (session->stored != NULL && session->stored[i])
          *end = MAX (*end, MIN ((i + 1) * PART_SIZE, SIZE));
    }
  return n;
}

/* In place of the C library's. */
int
fdatasync (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = g_file_read_link (link, NULL);
  g_autoptr (GMutexLocker) locker = NULL;
  struct stat info;
  guint64 end;

  if (disk.emulator == NULL || path == NULL || !g_str_has_suffix (path, BOX_RECORDING_DATA_SUFFIX))
    return fsync (fd);
  locker = g_mutex_locker_new (&disk.lock);
  if (disk.refuses)
    {
      errno = EIO;
      return -1;
    }
  count_parts (&end);
  disk.too_early |= end > disk.synced;
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
  box_emulator_set_plan (f->emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
  f->dir = kit_new_directory ();
  f->spool = box_spool_open (f->dir, 0, NULL);
  disk.synced = disk.n_syncs = 0;
  disk.too_early = disk.refuses = FALSE;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  disk.emulator = NULL;
  box_spool_unref (f->spool);
  kit_remove_tree (f->dir);
  g_free (f->dir);
  box_client_unref (f->client);
  box_emulator_free (f->emulator);
}

/* Where a recorder sends what it has while it records. */
typedef struct
{
  const char *name;
  BoxSizing sizing;
  guint64 session; /* size of the one that its application gave; 0: none */
} Way;

static const Way ways[] = {
  { "exact", BOX_SIZING_EXACT, SIZE },
  { "reserve", BOX_SIZING_RESERVE, SIZE + GAP },
  { "ahead", BOX_SIZING_SPOOL, 0 },
};

static BoxDelivery *
start (Fixture *f, const Way *way)
{
  static const BoxDeliveryEvents events = { NULL };
  g_autofree char *id =
      way->session > 0 ? box_emulator_add_session (f->emulator, "0", "clip.ts", NULL, way->session)
                       : NULL;
  g_autoptr (BoxDestination) destination = id != NULL
                                               ? box_destination_new_session (id, NULL)
                                               : box_destination_new_folder ("0", "clip.ts", NULL);
  BoxDeliverySettings settings = {
    .upload = { .client = f->client,
                .destination = destination,
                .size = way->session,
                .commit = TRUE,
                .parallel = 2,
                .retry_timeout = TIMEOUT },
    .sizing = way->sizing,
    .padding = way->session > SIZE ? BOX_PADDING_ZERO : BOX_PADDING_NONE,
    .ahead = way->session == 0,
    .expected_size = SIZE + GAP,
  };
  g_autoptr (GError) error = NULL;
  BoxDelivery *delivery =
      box_delivery_new_stream (&settings, f->spool, &events, NULL, NULL, &error);

  g_assert_no_error (error);
  disk.emulator = f->emulator;
  box_delivery_start (delivery);
  return delivery;
}

static void
test_no_part_leaves_before_it_is_on_disk (Fixture *f, gconstpointer data)
{
  const Way *way = data;
  gboolean padded = way->session > SIZE;
  g_autoptr (BoxDelivery) delivery = start (f, way);
  g_autofree guint8 *bytes = g_malloc (SIZE);
  guint64 end;

  kit_pattern_fill (0, bytes, SIZE);
  g_assert_cmpuint (box_delivery_write (delivery, 0, bytes, SIZE), ==, SIZE);
  KIT_AWAIT (count_parts (&end) >= 2);
  box_delivery_finish (delivery, "eos", padded ? BOX_PADDING_ZERO : BOX_PADDING_NONE,
                       padded ? GAP : 0, NULL);
  g_assert_cmpint (box_delivery_wait (delivery, KIT_PATIENCE_US), ==, BOX_WAIT_READY);
  g_assert_cmpuint (disk.n_syncs, >, 0);
  g_assert_false (disk.too_early);
}

static gboolean
has_failed (BoxUpload *upload)
{
  g_autoptr (GError) error = box_upload_get_error (upload);

  return error != NULL;
}

/* A resume has what the disk has, and goes on with what Box has. */
static void
test_what_the_disk_refuses_does_not_leave (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDelivery) delivery = start (f, &ways[0]);
  g_autoptr (BoxUpload) upload = box_delivery_dup_upload (delivery);
  g_autofree guint8 *bytes = g_malloc0 (SIZE);
  guint64 end;

  disk.refuses = TRUE;
  g_assert_cmpuint (box_delivery_write (delivery, 0, bytes, SIZE), ==, SIZE);
  KIT_AWAIT (has_failed (upload) || count_parts (&end) > 0);
  box_delivery_finish (delivery, "eos", BOX_PADDING_NONE, 0, NULL);
  g_assert_cmpint (box_delivery_wait (delivery, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  g_assert_cmpuint (count_parts (&end), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path =
          g_strconcat ("/durable/no-part-leaves-before-it-is-on-disk/", ways[i].name, NULL);

      g_test_add (path, Fixture, &ways[i], set_up, test_no_part_leaves_before_it_is_on_disk,
                  tear_down);
    }
  g_test_add ("/durable/what-the-disk-refuses-does-not-leave", Fixture, NULL, set_up,
              test_what_the_disk_refuses_does_not_leave, tear_down);
  return g_test_run ();
}

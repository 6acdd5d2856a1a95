/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory is bounded by max-memory, not by the file: gst-launch-1.0 uploads files of 1 byte, 100 MB
 * and 1 GiB, and the peaks of its resident memory are compared.
 */
#include "../element/sink-fixture.h"

#include "kit/emulator.h"
#include "kit/places.h"
#include "kit/watchdog.h"

#include <string.h>
#include <unistd.h>

#define MIB G_GUINT64_CONSTANT (1048576)

#define PART (8 * MIB)

#define MIDDLE G_GUINT64_CONSTANT (100000000)
#define LARGE  (1024 * MIB)

/* Memory for connections, threads and the allocator, beside the parts. */
#define SLACK (16 * MIB)

/* For a live recording, whatever its size; a program of GStreamer with TLS takes some 25 MiB. */
#define LIVE (64 * MIB)

/* Additional memory for a file of ten times the size. */
#define GROWTH (8 * MIB)

/* Measurements of each size: threads that a busy machine holds up add to a peak, nothing takes from
 * it. */
#define TRIES 3

typedef struct
{
  const char *name;
  gboolean tls;
  guint64 max_memory;
  guint parallel;
  gboolean longer; /* only in longer runs (docs/testing.md) */
  gboolean live;   /* one request carries it, and no part is in memory */
} Case;

static const Case cases[] = {
  { "http/48-mib", FALSE, 48 * MIB, 16, FALSE },   { "http/16-mib", FALSE, 16 * MIB, 4, TRUE },
  { "tls/48-mib", TRUE, 48 * MIB, 16, TRUE },      { "tls/16-mib", TRUE, 16 * MIB, 4, FALSE },
  { "http/live", FALSE, 16 * MIB, 4, TRUE, TRUE }, { "tls/live", TRUE, 16 * MIB, 4, FALSE, TRUE },
};

/* A file without content: it costs no time to make, and filesrc reads it like any other. */
static char *
make_empty_file (SinkFixture *fixture, guint64 size)
{
  char *path = g_build_filename (fixture->dir, "file", NULL);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_cmpint (truncate (path, (off_t) size), ==, 0);
  return path;
}

static GSubprocess *
launch (SinkFixture *fixture, const Case *c, const char *path)
{
  g_autofree char *line = g_strdup_printf (
      "gst-launch-1.0 -q filesrc location=%s blocksize=65536 ! boxuploadsink location=box://0/a "
      "parallel=%u max-memory=%" G_GUINT64_FORMAT " endpoint=%s api-endpoint=%s ca-file=%s %s%s",
      path, c->parallel, c->max_memory, box_emulator_get_endpoint (fixture->emulator, c->tls),
      box_emulator_get_api_endpoint (fixture->emulator, c->tls),
      box_emulator_get_ca_file (fixture->emulator), c->live ? "unknown-size=live spool-dir=" : "",
      c->live ? fixture->dir : "");
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_subprocess_launcher_setenv (launcher, "BOX_ACCESS_TOKEN", SINK_FIXTURE_TOKEN, TRUE);
  g_assert_true (g_shell_parse_argv (line, NULL, &argv, &error));
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) argv, &error);
  g_assert_no_error (error);
  return process;
}

/* Bytes. The process must be running: what wait4() tells of a process includes the memory of the
 * one that started it, until it was replaced. */
static guint64
get_peak (GSubprocess *process)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%s/status", g_subprocess_get_identifier (process));
  g_autofree char *status = NULL;
  const char *line;

  status = kit_read_text (path);
  line = strstr (status, "VmHWM:");
  g_assert_nonnull (line);
  return g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) * 1024;
}

/* No part is answered before as many have come as fit: on some days the network would be so fast
 * that they were never there at the same time. */
static void
fill_memory (SinkFixture *fixture, const Case *c)
{
  guint n = (guint) (c->max_memory / PART);

  g_assert_cmpuint (n, <=, c->parallel);
  g_assert_true (box_emulator_wait_seen (fixture->emulator, "upload_part", n, KIT_PATIENCE_MS));
  box_emulator_release (fixture->emulator, "full");
}

/* The peak of a program that uploads @size bytes, when all is stored and it waits for the answer.
 */
static guint64
measure (const Case *c, guint64 size)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = make_empty_file (fixture, size);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint64 peak;

  kit_load_rules (fixture->emulator, RULE ({"route": "upload_part", "do": "hold", "name": "full"},
            {"route": ["commit", "upload_file"], "do": "hold",
             "at": "stored", "name": "end"}));
  process = launch (fixture, c, path);
  if (size > 1 && !c->live)
    fill_memory (fixture, c);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "end", KIT_PATIENCE_MS));
  peak = get_peak (process);
  box_emulator_release (fixture->emulator, "end");
  g_assert_true (g_subprocess_wait_check (process, NULL, &error));
  g_assert_no_error (error);

  file = box_emulator_find_file (fixture->emulator, "0", "a");
  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, size);
  g_test_message ("%" G_GUINT64_FORMAT " bytes: %" G_GUINT64_FORMAT " kB", size, peak / 1024);
  return peak;
}

static guint64
distance (guint64 a, guint64 b)
{
  return MAX (a, b) - MIN (a, b);
}

static void
test_memory_is_bounded (gconstpointer data)
{
  const Case *c = data;
  guint64 bound, middle, large;

  if (KIT_SANITIZED)
    {
      g_test_skip ("sanitizers take memory of their own");
      return;
    }
  bound = measure (c, 1) + c->max_memory + SLACK;
  middle = measure (c, MIDDLE);
  large = measure (c, LARGE);
  g_assert_cmpuint (middle, <=, bound);
  g_assert_cmpuint (large, <=, bound);
  for (guint i = 1; i < TRIES && distance (middle, large) >= GROWTH; i++)
    {
      middle = MIN (middle, measure (c, MIDDLE));
      large = MIN (large, measure (c, LARGE));
    }
  g_assert_cmpuint (distance (middle, large), <, GROWTH);
  if (c->live)
    g_assert_cmpuint (MAX (middle, large), <, LIVE);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/memory/is-bounded/%s", cases[i].name);

      if (!cases[i].longer || g_getenv ("BOXUPLOAD_TEST_LARGE") != NULL)
        g_test_add_data_func (path, &cases[i], test_memory_is_bounded);
    }
  return g_test_run ();
}

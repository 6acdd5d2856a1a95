/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of every size that matters, over HTTP and TLS, with 1, 4 and 16 parts in flight: what is
 * stored is what was read.
 */
#include "../element/sink-fixture.h"

#include "box-session.h"

#include <stdio.h>
#include <string.h>

#define PART G_GUINT64_CONSTANT (8388608)

/* What is held while the part size is not known yet, at most. */
#define BEFORE_OPEN G_GUINT64_CONSTANT (33554432)

typedef struct
{
  guint64 size;
  gboolean tls;
  guint parallel;
  gboolean session; /* into a session that exists, rather than to a location */
} Case;

typedef struct
{
  SinkFixture *fixture;
  guint64 peak; /* of the parts in memory; written by workers under lock */
  GMutex lock;
} MemoryWatch;

/* The parts in memory are looked at whenever one is done. */
static GstBusSyncReply
watch_memory (GstBus *bus, GstMessage *message, gpointer user_data)
{
  MemoryWatch *watch = user_data;

  if (gst_message_has_name (message, "boxuploadsink-part"))
    {
      guint64 memory = sink_fixture_get_stat (watch->fixture, "memory");

      g_mutex_lock (&watch->lock);
      watch->peak = MAX (watch->peak, memory);
      g_mutex_unlock (&watch->lock);
    }
  return GST_BUS_PASS;
}

static void
assert_every_part_sent_once (SinkFixture *fixture, guint64 size)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (fixture->emulator);
  g_autoptr (BoxEmulatorSession) session = NULL;

  g_assert_cmpuint (ids->len, ==, 1);
  session = box_emulator_get_session (fixture->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpuint (session->size, ==, size);
  g_assert_cmpuint (session->n_commits, ==, 1);
  for (guint i = 0; i < session->n_parts; i++)
    g_assert_cmpuint (session->received[i], ==, 1);
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-part"), ==,
                    session->n_parts);
}

/* kB */
static guint64
get_peak_rss (void)
{
  g_autofree char *status = NULL;
  const char *line;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  line = strstr (status, "VmHWM:");
  g_assert_nonnull (line);
  return g_ascii_strtoull (line + 6, NULL, 10);
}

static void
reset_peak_rss (void)
{
  FILE *file = fopen ("/proc/self/clear_refs", "w");

  g_assert_nonnull (file);
  g_assert_cmpint (fputs ("5", file), >=, 0);
  fclose (file);
}

/* Returns the peak of the process when the upload was done, in kB. */
static guint64
upload (const Case *c)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, c->size);
  MemoryWatch watch = { .fixture = fixture };
  guint64 peak_rss;

  fixture->tls = c->tls;
  g_mutex_init (&watch.lock);
  sink_fixture_launch (fixture,
                       "filesrc location=%s blocksize=65536 ! boxuploadsink name=sink "
                       "parallel=%u",
                       path, c->parallel);
  if (c->session)
    {
      g_autofree char *id =
          box_emulator_add_session (fixture->emulator, "0", "clip.bin", NULL, c->size);

      g_object_set (fixture->sink, "session", id, NULL);
    }
  else
    g_object_set (fixture->sink, "location", "box://0/clip.bin", NULL);

  gst_bus_set_sync_handler (fixture->bus, watch_memory, &watch, NULL);
  g_assert_true (sink_fixture_run (fixture));
  peak_rss = get_peak_rss ();

  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 1);
  sink_fixture_assert_stored (fixture, "0", "clip.bin", path);
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "bytes-uploaded"), ==, c->size);
  if (c->size >= BOX_SESSION_MIN_SIZE)
    assert_every_part_sent_once (fixture, c->size);
  g_assert_cmpuint (watch.peak, <=, MAX ((c->parallel + 2) * PART, BEFORE_OPEN));

  gst_element_set_state (fixture->pipeline, GST_STATE_NULL);
  gst_bus_set_sync_handler (fixture->bus, NULL, NULL, NULL);
  g_mutex_clear (&watch.lock);
  return peak_rss;
}

static void
test_upload (gconstpointer data)
{
  upload (data);
}

/* The emulator is in this process and keeps nothing in memory; so what the process takes is bounded
 * by the sink's parts, not by the file. */
static void
test_memory_of_a_large_file (void)
{
  static const Case large = { G_GUINT64_CONSTANT (1) << 30, TRUE, 4, FALSE };
  guint64 before, peak;

  reset_peak_rss ();
  before = get_peak_rss ();
  peak = upload (&large);
  if (!SINK_FIXTURE_SANITIZED)
    g_assert_cmpuint (peak - MIN (before, peak), <, 128 * 1024);
}

static void
add_case (guint64 size, gboolean tls, guint parallel, gboolean session)
{
  g_autofree char *path =
      g_strdup_printf ("/sizes/%s/%s/parallel-%u/%" G_GUINT64_FORMAT,
                       session ? "session" : "location", tls ? "tls" : "http", parallel, size);
  Case *c = g_new0 (Case, 1);

  *c = (Case){ size, tls, parallel, session };
  g_test_add_data_func_full (path, c, test_upload, g_free);
}

int
main (int argc, char **argv)
{
  static const guint64 sizes[] = {
    1, BOX_SESSION_MIN_SIZE - 1, BOX_SESSION_MIN_SIZE, 3 * PART, 3 * PART + 1, 12 * PART - 1,
  };
  static const guint parallel[] = { 1, 4, 16 };

  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint j = 0; j < G_N_ELEMENTS (parallel); j++)
      for (guint tls = 0; tls < 2; tls++)
        {
          add_case (sizes[i], tls, parallel[j], FALSE);
          if (sizes[i] >= BOX_SESSION_MIN_SIZE && parallel[j] == 4)
            add_case (sizes[i], tls, parallel[j], TRUE);
        }
  g_test_add_func ("/sizes/memory-does-not-grow-with-the-file", test_memory_of_a_large_file);
  return g_test_run ();
}

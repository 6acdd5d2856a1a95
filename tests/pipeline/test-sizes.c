/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of every size that matters, over HTTP and TLS, with 1, 4 and 16 parts in flight: what is
 * stored is what was read.
 */
#include "../element/sink-fixture.h"

#include "api/session.h"
#include "kit/emulator.h"
#include "kit/watchdog.h"

#define PART G_GUINT64_CONSTANT (8388608)

/* Of memory, in which parts lie. */
#define BLOCK G_GUINT64_CONSTANT (262144)

/* Most bytes held while the part size is not known yet. */
#define BEFORE_OPEN G_GUINT64_CONSTANT (33554432)

typedef struct
{
  guint64 size;
  gboolean tls;
  guint parallel;
  gboolean session;   /* into a session that exists, rather than to a location */
  guint64 max_memory; /* 0: what holds without */
} Case;

typedef struct
{
  SinkFixture *fixture;
  guint64 peak; /* of the parts in memory; streaming thread */
} MemoryWatch;

/* The parts in memory are looked at with every buffer: only the stream makes them more. */
static GstPadProbeReturn
watch_memory (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  MemoryWatch *watch = user_data;

  watch->peak = MAX (watch->peak, sink_fixture_get_stat (watch->fixture, "memory"));
  return GST_PAD_PROBE_OK;
}

static void
begin_to_watch (MemoryWatch *watch)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (watch->fixture->sink, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, watch_memory, watch, NULL);
}

/* Parts that begin and end within a block touch one block more. */
static guint64
memory_bound (const Case *c)
{
  if (c->max_memory > 0)
    return c->max_memory + 2 * BLOCK;
  return MAX ((c->parallel + 1) * PART, BEFORE_OPEN);
}

static void
assert_every_part_sent_once (SinkFixture *fixture, guint64 size)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (fixture->emulator);
  g_autoptr (BoxEmulatorSession) session = NULL;

  g_assert_cmpuint (ids->len, ==, 1);
  session = box_emulator_get_session (fixture->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpuint (session->size, ==, size);
  kit_assert_sent_once (fixture->emulator, session->id);
  g_assert_cmpuint (sink_fixture_count_element (fixture, "boxuploadsink-part"), ==,
                    session->n_parts);
}

static void
set_destination (SinkFixture *fixture, const Case *c)
{
  g_autofree char *id = NULL;

  if (!c->session)
    {
      g_object_set (fixture->sink, "location", "box://0/clip.bin", NULL);
      return;
    }
  id = box_emulator_add_session (fixture->emulator, "0", "clip.bin", NULL, c->size);
  g_object_set (fixture->sink, "session", id, NULL);
}

static void
test_upload (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autofree char *path = sink_fixture_make_file (fixture, c->size);
  MemoryWatch watch = { .fixture = fixture };

  fixture->tls = c->tls;
  sink_fixture_launch (fixture,
                       "filesrc location=%s blocksize=65536 ! boxuploadsink name=sink "
                       "parallel=%u max-memory=%" G_GUINT64_FORMAT,
                       path, c->parallel, c->max_memory);
  set_destination (fixture, c);
  begin_to_watch (&watch);
  g_assert_true (sink_fixture_run (fixture));

  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 1);
  sink_fixture_assert_stored (fixture, "0", "clip.bin", path);
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "bytes-uploaded"), ==, c->size);
  if (c->size >= BOX_SESSION_MIN_SIZE)
    {
      assert_every_part_sent_once (fixture, c->size);
      g_assert_cmpuint (watch.peak, >, 0);
    }
  g_assert_cmpuint (watch.peak, <=, memory_bound (c));
  gst_element_set_state (fixture->pipeline, GST_STATE_NULL);
}

static void
add_case (const char *group, Case c)
{
  g_autofree char *path = g_strdup_printf ("/sizes/%s/%s/%s/parallel-%u/%" G_GUINT64_FORMAT, group,
                                           c.session ? "session" : "location",
                                           c.tls ? "tls" : "http", c.parallel, c.size);

  g_test_add_data_func_full (path, g_memdup2 (&c, sizeof c), test_upload, g_free);
}

/* A session= of less than BOX_SESSION_MIN_SIZE cannot be: Box creates none. */
static void
add_sizes (guint parallel)
{
  static const guint64 sizes[] = {
    1, BOX_SESSION_MIN_SIZE - 1, BOX_SESSION_MIN_SIZE, 3 * PART, 3 * PART + 1, 12 * PART - 1,
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint tls = 0; tls < 2; tls++)
      {
        add_case ("all", (Case){ sizes[i], tls, parallel, FALSE });
        if (sizes[i] >= BOX_SESSION_MIN_SIZE)
          add_case ("all", (Case){ sizes[i], tls, parallel, TRUE });
      }
}

/* Two of them each time, all of them in longer runs (docs/testing.md). A sanitizer would see what
 * it sees in a file of twelve parts. */
static void
add_gibibytes (guint parallel)
{
  gboolean all = g_getenv ("BOXUPLOAD_TEST_LARGE") != NULL;

  for (guint tls = 0; tls < 2; tls++)
    for (guint session = 0; session < 2; session++)
      {
        gboolean often = (tls && !session && parallel == 4) || (!tls && session && parallel == 16);

        if (all || (often && !KIT_SANITIZED))
          add_case ("gibibyte", (Case){ G_GUINT64_CONSTANT (1) << 30, tls, parallel, session });
      }
}

int
main (int argc, char **argv)
{
  static const guint parallel[] = { 1, 4, 16 };

  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (parallel); i++)
    {
      add_sizes (parallel[i]);
      add_gibibytes (parallel[i]);
      for (guint tls = 0; tls < 2; tls++)
        add_case ("within-two-parts", (Case){ 12 * PART - 1, tls, parallel[i], FALSE, 2 * PART });
    }
  return g_test_run ();
}

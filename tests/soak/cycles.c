/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a sink, again and again in one process: NULL, PLAYING, a small recording, EOS or a
 * stop before it, NULL. Every way to Box meets every moment to stop. Nothing may fail, and memory,
 * descriptors and threads have to stay as they are. It runs alone, under ThreadSanitizer and under
 * valgrind, which report what is wrong meanwhile. Speaks TAP.
 *
 *   box-emulator --min-size=1 --part-size=16384 --run -- cycles N [FIGURES.json]
 */
#include <gst/gst.h>
#include <malloc.h>
#include <string.h>

#ifdef HAVE_VALGRIND
#include <valgrind/memcheck.h>
#endif

#include "api/client.h"
#include "kit/patience.h"
#include "kit/pattern.h"
#include "kit/places.h"

/* Bytes. Five parts of a session. */
#define SIZE   80000
#define BUFFER 8000

/* From so many cycles on a growth is one, and not what chance moves. */
#define LONG 300

/* What a figure may grow by from the second third of the cycles to the last one. */
#define MAY_GROW_KIB  64
#define MAY_GROW_MANY 16

/* What an open connection may take: about 85 KiB, with its TLS. */
#define CONNECTION_KIB 128

typedef enum
{
  TO_EOS,
  IN_PAUSED, /* before anything was played */
  IN_MIDDLE, /* half of the recording is with the sink */
  AFTER_EOS, /* it is with the sink, which may be about to commit it */
} Moment;

typedef struct
{
  const char *name;
  const char *properties;
  gboolean session;   /* its recordings go to sessions that exist */
  gboolean has_spool; /* a recording that is stopped stays in the spool */
  gboolean kept;      /* another one, too */
} Way;

static const Way ways[] = {
  { "memory", "total-size=80000", FALSE, FALSE, FALSE },
  { "session", "total-size=80000", TRUE, FALSE, FALSE },
  { "spool", "unknown-size=spool", FALSE, TRUE, FALSE },
  { "ahead", "ahead=true expected-size=30000000", FALSE, TRUE, FALSE },
  { "live", "unknown-size=live", FALSE, TRUE, FALSE },
  { "kept", "eos-mode=spool", FALSE, TRUE, TRUE },
};

static const Moment moments[] = { TO_EOS, IN_MIDDLE, TO_EOS, AFTER_EOS, TO_EOS, IN_PAUSED };

typedef struct
{
  guint64 memory;    /* bytes in use */
  guint descriptors; /* open */
  guint threads;
} Figures;

typedef struct
{
  char *spool;
  guint n; /* cycles so far */
  guint n_files;
  guint n_stopped;
  GArray *figures; /* Figures: after each round of the ways */
} Cycles;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
/* gcc has the function, and no header for it. */
size_t __sanitizer_get_current_allocated_bytes (void);
#endif

/* --- What the process has ------------------------------------------------------------------- */

static guint64
count_memory (void)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes ();
#else
  struct mallinfo2 info;

#ifdef HAVE_VALGRIND
  if (RUNNING_ON_VALGRIND)
    {
      unsigned long leaked = 0, dubious = 0, reachable = 0, suppressed = 0;

      VALGRIND_DO_QUICK_LEAK_CHECK;
      VALGRIND_COUNT_LEAKS (leaked, dubious, reachable, suppressed);
      return leaked + dubious + reachable + suppressed;
    }
#endif
  info = mallinfo2 ();
  return info.uordblks + info.hblkhd;
#endif
}

static guint
count_entries (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
look (Cycles *cycles)
{
  Figures figures = { .memory = count_memory (),
                      .descriptors = count_entries ("/proc/self/fd"),
                      .threads = count_entries ("/proc/self/task") };

  g_array_append_val (cycles->figures, figures);
}

/* --- One cycle ------------------------------------------------------------------------------ */

/* The id of a new session for a file of SIZE bytes. */
static char *
open_session (const char *name)
{
  static const BoxClientSettings settings = { .timeout = KIT_PATIENCE };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxClient) client = box_client_new (&settings, &error);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", name, NULL);
  g_autoptr (BoxSession) session = NULL;

  g_assert_no_error (error);
  session = box_client_create_session (client, transport, destination, SIZE, NULL, &error);
  g_assert_no_error (error);
  return g_strdup (session->id);
}

static GstElement *
make_pipeline (Cycles *cycles, const Way *way)
{
  g_autofree char *line = NULL;
  g_autofree char *name = g_strdup_printf ("%u.bin", cycles->n);
  g_autofree char *session = way->session ? open_session (name) : NULL;
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;
  GstElement *sink;

  line = g_strdup_printf ("appsrc name=source ! boxuploadsink name=sink %s", way->properties);
  pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  if (way->session)
    g_object_set (sink, "session", session, NULL);
  else
    g_object_set (sink, "file-name", name, NULL);
  if (way->has_spool)
    g_object_set (sink, "spool-dir", cycles->spool, NULL);
  gst_object_unref (sink);
  return gst_object_ref_sink (pipeline);
}

static void
push (GstElement *source, guint64 from, guint64 to)
{
  for (guint64 at = from; at < to; at += BUFFER)
    {
      guint8 *data = g_malloc (BUFFER);
      GstBuffer *buffer = gst_buffer_new_wrapped (data, BUFFER);
      GstFlowReturn flow;

      kit_pattern_fill (at, data, BUFFER);
      g_signal_emit_by_name (source, "push-buffer", buffer, &flow);
      gst_buffer_unref (buffer);
      g_assert_cmpint (flow, ==, GST_FLOW_OK);
    }
}

/* Streams up to @moment, and not beyond. */
static void
stream (GstElement *pipeline, Moment moment)
{
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  GstFlowReturn flow;

  push (source, 0, SIZE / 2);
  if (moment == IN_PAUSED || moment == IN_MIDDLE)
    return;
  push (source, SIZE / 2, SIZE);
  g_signal_emit_by_name (source, "end-of-stream", &flow);
  g_assert_cmpint (flow, ==, GST_FLOW_OK);
}

/* Takes messages until one of @until has come, or, if that is 0, those that are there. Nothing may
 * fail. How many files the sink said are committed. */
static guint
take_messages (GstElement *pipeline, GstMessageType until)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean over = FALSE;
  guint n_files = 0;

  while (!over)
    {
      g_autoptr (GstMessage) message =
          gst_bus_timed_pop (bus, until != 0 ? KIT_PATIENCE * GST_SECOND : 0);

      if (message == NULL && until == 0)
        break;
      g_assert_nonnull (message);
      if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))
        g_error ("%s", gst_structure_to_string (gst_message_get_structure (message)));
      n_files += gst_message_has_name (message, "boxuploadsink-complete");
      over = (GST_MESSAGE_TYPE (message) & until) != 0;
    }
  return n_files;
}

static guint
count_recordings (Cycles *cycles)
{
  g_autoptr (GDir) dir = g_dir_open (cycles->spool, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, ".data");
  return n;
}

static void
empty_spool (Cycles *cycles)
{
  g_autoptr (GDir) dir = g_dir_open (cycles->spool, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (cycles->spool, name, NULL);

      kit_remove_tree (path);
    }
}

static void
cycle (Cycles *cycles, const Way *way, Moment moment)
{
  g_autoptr (GstElement) pipeline = make_pipeline (cycles, way);
  guint n_files = 0;

  gst_element_set_state (pipeline, moment == IN_PAUSED ? GST_STATE_PAUSED : GST_STATE_PLAYING);
  stream (pipeline, moment);
  if (moment == TO_EOS)
    n_files = take_messages (pipeline, GST_MESSAGE_EOS);
  else if (moment == IN_PAUSED || moment == IN_MIDDLE)
    take_messages (pipeline, GST_MESSAGE_ASYNC_DONE);
  gst_element_set_state (pipeline, GST_STATE_READY);
  n_files += take_messages (pipeline, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);

  if (moment == TO_EOS)
    {
      g_assert_cmpuint (n_files, ==, way->kept ? 0 : 1);
      g_assert_cmpuint (count_recordings (cycles), ==, way->kept ? 1 : 0);
    }
  cycles->n_files += n_files;
  cycles->n_stopped += moment != TO_EOS;
  empty_spool (cycles);
  cycles->n++;
}

/* --- All of them ---------------------------------------------------------------------------- */

static void
run (Cycles *cycles, guint n)
{
  while (cycles->n < n)
    {
      guint round = cycles->n / G_N_ELEMENTS (ways);

      cycle (cycles, &ways[cycles->n % G_N_ELEMENTS (ways)],
             moments[round % G_N_ELEMENTS (moments)]);
      if (cycles->n % G_N_ELEMENTS (ways) == 0)
        look (cycles);
    }
  look (cycles);
}

/* The least and the most of what was seen in one third of the looks. */
static void
get_range (Cycles *cycles, guint third, Figures *least, Figures *most)
{
  guint n = cycles->figures->len;

  *least = *most = g_array_index (cycles->figures, Figures, third * n / 3);
  for (guint i = third * n / 3; i < (third + 1) * n / 3; i++)
    {
      const Figures *figures = &g_array_index (cycles->figures, Figures, i);

      least->memory = MIN (least->memory, figures->memory);
      least->descriptors = MIN (least->descriptors, figures->descriptors);
      least->threads = MIN (least->threads, figures->threads);
      most->memory = MAX (most->memory, figures->memory);
      most->descriptors = MAX (most->descriptors, figures->descriptors);
      most->threads = MAX (most->threads, figures->threads);
    }
}

static gboolean
tell (guint number, const char *name, guint64 before, guint64 after, guint64 may_grow)
{
  gboolean ok = after <= before + may_grow;

  g_print ("# %" G_GUINT64_FORMAT ", then %" G_GUINT64_FORMAT "\n", before, after);
  g_print ("%sok %u %s\n", ok ? "" : "not ", number, name);
  return ok;
}

/* By the least of each third: workers end, and connections close, a while after a cycle. How many
 * of them are kept depends on how fast the machine is just then. */
static gboolean
judge (Cycles *cycles)
{
  Figures before, after, most;
  guint64 connections;
  gboolean ok;

  g_print ("1..%u\nok 1 nothing-fails\n", cycles->n < LONG ? 1 : 4);
  if (cycles->n < LONG)
    return TRUE;
  get_range (cycles, 1, &before, &most);
  get_range (cycles, 2, &after, &most);
  connections = after.descriptors - MIN (before.descriptors, after.descriptors);
  ok = tell (2, "memory-stays", before.memory / 1024, after.memory / 1024,
             MAY_GROW_KIB + connections * CONNECTION_KIB);
  ok &= tell (3, "descriptors-stay", before.descriptors, after.descriptors, MAY_GROW_MANY);
  ok &= tell (4, "threads-stay", before.threads, after.threads, MAY_GROW_MANY);
  return ok;
}

static void
add_range (GString *text, const char *name, guint64 least, guint64 most)
{
  g_string_append_printf (text, "\"%s\": [%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT "]", name,
                          least, most);
}

static void
write_figures (Cycles *cycles, const char *path)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_string_append_printf (text, "{\"cycles\": %u, \"files\": %u, \"stopped\": %u, \"thirds\": [",
                          cycles->n, cycles->n_files, cycles->n_stopped);
  for (guint third = 0; third < 3; third++)
    {
      Figures least, most;

      get_range (cycles, third, &least, &most);
      g_string_append (text, third > 0 ? ", {" : "{");
      add_range (text, "memory", least.memory, most.memory);
      g_string_append (text, ", ");
      add_range (text, "descriptors", least.descriptors, most.descriptors);
      g_string_append (text, ", ");
      add_range (text, "threads", least.threads, most.threads);
      g_string_append_c (text, '}');
    }
  g_string_append (text, "]}\n");
  g_file_set_contents (path, text->str, -1, &error);
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_autofree char *home = kit_new_directory ();
  Cycles cycles = { .spool = g_build_filename (home, "spool", NULL) };
  guint64 n;
  gboolean ok;

  if (argc < 2 || argc > 3 || !g_ascii_string_to_unsigned (argv[1], 10, 1, G_MAXUINT, &n, NULL))
    {
      g_printerr ("usage: cycles N [FIGURES.json]\n");
      return 2;
    }
  g_setenv ("HOME", home, TRUE);
  g_setenv ("XDG_STATE_HOME", home, TRUE);
  gst_init (NULL, NULL);
  g_assert_cmpint (g_mkdir_with_parents (cycles.spool, 0700), ==, 0);
  cycles.figures = g_array_new (FALSE, FALSE, sizeof (Figures));
  run (&cycles, (guint) n);
  ok = judge (&cycles);
  if (argc == 3)
    write_figures (&cycles, argv[2]);
  g_array_unref (cycles.figures);
  g_free (cycles.spool);
  kit_remove_tree (home);
  gst_deinit ();
  return ok ? 0 : 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network's faults, at every request, on every way: network.json is the matrix, and what holds
 * for each of its cells is in cell.c. A sample is played, by chance, but always the same one.
 *
 *   BOXUPLOAD_FAULT_CELLS=N|all       how many cells are played (about)
 *   BOXUPLOAD_FAULT_SEED=N            another sample
 *   BOXUPLOAD_FAULT_PATTERN=PATTERN   those of this name, WAY/REQUEST/FAULT/WHEN
 *   BOXUPLOAD_FAULT_REPORT=FILE       a line a way: what came of the cells, as JSON
 */
#include <string.h>

#include "cell.h"

#include "kit/emulator.h"
#include "kit/leaks.h"
#include "kit/watchdog.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLE           1500
#define SANITIZED_SAMPLE 500

/* Cells at a time. Large ones have their bytes in memory and on disk. */
#define BATCH       160
#define LARGE_BATCH 24

static FaultMatrix *matrix;

typedef struct
{
  guint n[FAULT_WRONG + 1];
  guint total;
} Tally;

static guint
count_wanted (void)
{
  const char *cells = g_getenv ("BOXUPLOAD_FAULT_CELLS");

  if (cells == NULL)
    return KIT_SANITIZED ? SANITIZED_SAMPLE : SAMPLE;
  return g_str_equal (cells, "all") ? fault_matrix_count (matrix) : (guint) atoi (cells);
}

static void
play_batch (GPtrArray *cases, guint from, guint n, Tally *tally)
{
  const FaultWay *way = ((const FaultCase *) cases->pdata[from])->way;
  BoxEmulatorOptions options = { .part_size = fault_cell_part_size (way), .min_size = 1 };
  g_autoptr (BoxEmulator) emulator = kit_emulator_new (&options);
  g_autofree char *dir = g_dir_make_tmp ("boxupload-faults-XXXXXX", NULL);
  g_autofree FaultCell **cells = g_new (FaultCell *, n);

  for (guint i = 0; i < n; i++)
    {
      cells[i] = fault_cell_new (emulator, dir, cases->pdata[from + i], from + i);
      fault_cell_begin (cells[i]);
    }
  for (guint i = 0; i < n; i++)
    fault_cell_wait (cells[i]);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *problem = NULL;
      FaultOutcome outcome = fault_cell_judge (cells[i], &problem);

      tally->n[outcome]++;
      tally->total++;
      if (outcome == FAULT_WRONG)
        g_test_message ("WRONG %s: %s", ((FaultCase *) cases->pdata[from + i])->name, problem);
      fault_cell_free (cells[i]);
    }
  kit_remove_tree (dir);
}

static void
report (const FaultWay *way, const Tally *tally)
{
  const char *path = g_getenv ("BOXUPLOAD_FAULT_REPORT");
  FILE *file;

  g_test_message ("%u cells: %u right, %u right when resumed, %u refused, %u not met, %u wrong",
                  tally->total, tally->n[FAULT_RIGHT], tally->n[FAULT_RIGHT_AGAIN],
                  tally->n[FAULT_REFUSED], tally->n[FAULT_NOT_MET], tally->n[FAULT_WRONG]);
  if (path == NULL)
    return;
  file = fopen (path, "ae");
  g_assert_nonnull (file);
  fprintf (file,
           "{\"way\":\"%s\",\"cells\":%u,\"right\":%u,\"resumed\":%u,\"refused\":%u,"
           "\"not_met\":%u,\"wrong\":%u}\n",
           way->name, tally->total, tally->n[FAULT_RIGHT], tally->n[FAULT_RIGHT_AGAIN],
           tally->n[FAULT_REFUSED], tally->n[FAULT_NOT_MET], tally->n[FAULT_WRONG]);
  fclose (file);
}

static void
test_way (gconstpointer data)
{
  const FaultWay *way = data;
  const char *seed = g_getenv ("BOXUPLOAD_FAULT_SEED");
  g_autoptr (GPtrArray) cases =
      fault_matrix_choose (matrix, way, count_wanted (), seed != NULL ? (guint) atoi (seed) : 1,
                           g_getenv ("BOXUPLOAD_FAULT_PATTERN"));
  guint batch = way->large ? LARGE_BATCH : BATCH;
  Tally tally = { 0 };

  for (guint from = 0; from < cases->len; from += batch)
    play_batch (cases, from, MIN (batch, cases->len - from), &tally);
  report (way, &tally);
  if (tally.n[FAULT_WRONG] > 0)
    g_test_fail ();
}

/* To libsoup 3.6 a Content-Length below -1 is a critical warning of GObject's, and no failure. */
static gboolean
is_fatal (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer user_data)
{
  return g_strcmp0 (domain, "GLib-GObject") != 0
         || strstr (message, "property 'content-length'") == NULL;
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  /* libsoup warns of a Content-Length that makes no sense. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_log_set_fatal_handler (is_fatal, NULL);
  if (argc != 2)
    g_error ("usage: test-network network.json");
  matrix = fault_matrix_load (argv[1]);
  for (guint i = 0; i < fault_matrix_count_ways (matrix); i++)
    {
      const FaultWay *way = fault_matrix_get_way (matrix, i);
      g_autofree char *path = g_strconcat ("/network/", way->name, NULL);

      g_test_add_data_func (path, way, test_way);
    }
  status = g_test_run ();
  fault_matrix_free (matrix);
  return status;
}

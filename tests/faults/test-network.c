/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network's faults, at every request, on every way: network.json is the matrix, and what holds
 * for each of its cells is in cell.c. A sample is played, by chance, but always the same one.
 *
 *   BOXUPLOAD_FAULT_CELLS=N|all       how many cells are played (about)
 *   BOXUPLOAD_FAULT_SEED=N            another sample
 *   BOXUPLOAD_FAULT_PATTERN=PATTERN   those of this name, WAY/REQUEST/FAULT/WHEN
 *   BOXUPLOAD_FAULT_REPORT=FILE       what came of each (report.h)
 */
#include <string.h>

#include "cell.h"
#include "report.h"

#include "kit/emulator.h"
#include "kit/places.h"
#include "kit/watchdog.h"

#define SAMPLE           1680
#define SANITIZED_SAMPLE 560

/* Of a sample, large cells are played less: one costs as much as ten others. */
#define LARGE_SHARE 0.5

/* Cells at a time. Large ones have their bytes in memory and on disk. */
#define PLAYERS       160
#define LARGE_PLAYERS 16

/* Cells that share an emulator, at most. */
#define WAVE 80

static FaultMatrix *matrix;

typedef struct
{
  guint n[FAULT_WRONG + 1];
  guint total;
} Tally;

/* An emulator, and a directory, of some cells. */
typedef struct
{
  BoxEmulator *emulator;
  char *dir;
  GMutex lock; /* of emulator while it is made */
  gint n_left; /* atomic: cells that are not over */
} Wave;

typedef struct
{
  const FaultCase *c;
  Wave *wave;
  guint number;
  Tally *tally; /* of its way */
} Cell;

static const char *const outcome_names[] = {
  [FAULT_RIGHT] = "right",     [FAULT_RIGHT_AGAIN] = "resumed", [FAULT_REFUSED] = "refused",
  [FAULT_NOT_MET] = "not met", [FAULT_WRONG] = "wrong",
};

static Tally *tallies; /* of each way; with lock */
static GMutex tallies_lock;

static void
begin_wave (Wave *wave, const FaultWay *way)
{
  BoxEmulatorOptions options = { .part_size = fault_cell_part_size (way),
                                 .min_size = 1,
                                 .plan = fault_cell_plan (way) };

  g_mutex_lock (&wave->lock);
  if (wave->emulator == NULL)
    {
      wave->emulator = kit_emulator_new (&options);
      wave->dir = kit_new_directory ();
    }
  g_mutex_unlock (&wave->lock);
}

static void
end_wave (Wave *wave)
{
  if (!g_atomic_int_dec_and_test (&wave->n_left))
    return;
  box_emulator_free (wave->emulator);
  kit_remove_tree (wave->dir);
  g_free (wave->dir);
  g_mutex_clear (&wave->lock);
  g_free (wave);
}

/* Owns @data. */
static void
play_cell (gpointer data, gpointer user_data)
{
  g_autofree Cell *job = data;
  g_autofree char *problem = NULL;
  FaultOutcome outcome;
  FaultCell *cell;

  begin_wave (job->wave, job->c->way);
  cell = fault_cell_new (job->wave->emulator, job->wave->dir, job->c, job->number);
  fault_cell_begin (cell);
  fault_cell_wait (cell);
  outcome = fault_cell_judge (cell, &problem);
  fault_cell_free (cell);
  end_wave (job->wave);
  g_mutex_lock (&tallies_lock);
  job->tally->n[outcome]++;
  job->tally->total++;
  g_mutex_unlock (&tallies_lock);
  fault_report_add ("network", job->c->name, outcome_names[outcome], problem);
}

/* The cells of one way play in waves of their own: their emulators are alike. */
static void
push_cells (GThreadPool *pool, GPtrArray *cases, Tally *tally)
{
  const FaultWay *way = cases->len > 0 ? ((const FaultCase *) cases->pdata[0])->way : NULL;
  guint size = way != NULL && way->grant != NULL ? 1 : WAVE;
  Wave *wave = NULL;

  for (guint i = 0; i < cases->len; i++)
    {
      Cell *job = g_new (Cell, 1);

      if (i % size == 0)
        {
          wave = g_new0 (Wave, 1);
          g_mutex_init (&wave->lock);
          wave->n_left = (gint) MIN (size, cases->len - i);
        }
      *job = (Cell){ cases->pdata[i], wave, i, tally };
      g_thread_pool_push (pool, job, NULL);
    }
}

/* (element-type FaultCase): those that are not in the report. */
static GPtrArray *
choose_cases (const FaultWay *way)
{
  double share =
      fault_report_get_share ("BOXUPLOAD_FAULT_CELLS", KIT_SANITIZED ? SANITIZED_SAMPLE : SAMPLE,
                              fault_matrix_count (matrix));
  double weight = way->large && share < 1 ? LARGE_SHARE : 1;
  GPtrArray *cases = fault_matrix_choose (matrix, way, weight * share, fault_report_get_seed (),
                                          g_getenv ("BOXUPLOAD_FAULT_PATTERN"));

  for (guint i = cases->len; i > 0; i--)
    if (fault_report_has ("network", ((const FaultCase *) cases->pdata[i - 1])->name))
      g_ptr_array_remove_index (cases, i - 1);
  return cases;
}

/* All cells of all ways, side by side: most of them wait most of the time. */
static void
play_all (void)
{
  GThreadPool *pool = g_thread_pool_new (play_cell, NULL, PLAYERS, FALSE, NULL);
  GThreadPool *large = g_thread_pool_new (play_cell, NULL, LARGE_PLAYERS, FALSE, NULL);
  guint n = fault_matrix_count_ways (matrix);
  g_autoptr (GPtrArray) chosen =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);

  tallies = g_new0 (Tally, n);
  for (guint i = 0; i < n; i++)
    {
      const FaultWay *way = fault_matrix_get_way (matrix, i);
      GPtrArray *cases = choose_cases (way);

      g_ptr_array_add (chosen, cases);
      push_cells (way->large ? large : pool, cases, &tallies[i]);
    }
  g_thread_pool_free (large, FALSE, TRUE);
  g_thread_pool_free (pool, FALSE, TRUE);
}

static void
tell (const Tally *tally)
{
  g_test_message ("%u cells: %u right, %u right when resumed, %u refused, %u not met, %u wrong",
                  tally->total, tally->n[FAULT_RIGHT], tally->n[FAULT_RIGHT_AGAIN],
                  tally->n[FAULT_REFUSED], tally->n[FAULT_NOT_MET], tally->n[FAULT_WRONG]);
}

/* To libsoup 3.6 a Content-Length below -1 is a critical warning of GObject's, and no failure. */
static gboolean
is_fatal (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer user_data)
{
  return g_strcmp0 (domain, "GLib-GObject") != 0
         || strstr (message, "property 'content-length'") == NULL;
}

static void
test_way (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);

  /* It is forgotten after each test. */
  g_test_log_set_fatal_handler (is_fatal, NULL);
  if (tallies == NULL)
    play_all ();
  tell (&tallies[i]);
  if (tallies[i].n[FAULT_WRONG] > 0)
    g_test_fail ();
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  /* libsoup warns of a Content-Length that makes no sense. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  if (argc != 2)
    g_error ("usage: test-network network.json");
  matrix = fault_matrix_load (argv[1]);
  for (guint i = 0; i < fault_matrix_count_ways (matrix); i++)
    {
      const FaultWay *way = fault_matrix_get_way (matrix, i);
      g_autofree char *path = g_strconcat ("/network/", way->name, NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_way);
    }
  status = g_test_run ();
  g_free (tallies);
  fault_matrix_free (matrix);
  return status;
}

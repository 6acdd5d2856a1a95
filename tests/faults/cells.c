/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cells.h"

#include "report.h"

/* One test. */
typedef struct
{
  const FaultCells *cells;
  const char *way;
} Way;

/* BOXUPLOAD_FAULT_PATTERN names the cells, or the dice do. */
static gboolean
is_drawn (const FaultCells *cells, const FaultCellHead *cell, GRand *dice, double share)
{
  const char *pattern = g_getenv ("BOXUPLOAD_FAULT_PATTERN");
  g_autofree char *name = cells->name (cell);

  if (pattern != NULL)
    return g_pattern_match_simple (pattern, name);
  return g_rand_double (dice) < share && !fault_report_has (cells->matrix, name);
}

/* Leaves those that are played. */
static void
draw (const FaultCells *cells, GPtrArray *list, const char *way)
{
  g_autoptr (GRand) dice = g_rand_new_with_seed (fault_report_get_seed () ^ g_str_hash (way));
  double share = fault_report_get_share (cells->variable, cells->sample, list->len);

  for (guint i = 0; i < list->len;)
    if (is_drawn (cells, list->pdata[i], dice, share))
      i++;
    else
      g_free (g_ptr_array_remove_index (list, i));
}

static void
play (gpointer data, gpointer user_data)
{
  const FaultCells *cells = user_data;
  FaultCellHead *cell = data;

  cell->outcome = "right";
  cells->play (cell);
}

static void
play_all (const FaultCells *cells, GPtrArray *list)
{
  GThreadPool *pool =
      g_thread_pool_new (play, (gpointer) cells, (gint) cells->n_threads, FALSE, NULL);

  for (guint i = 0; i < list->len; i++)
    g_thread_pool_push (pool, list->pdata[i], NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
}

/* How many are wrong. Frees the cells. */
static guint
report (const FaultCells *cells, GPtrArray *list)
{
  guint n_right = 0, n_wrong = 0;

  for (guint i = 0; i < list->len; i++)
    {
      g_autofree FaultCellHead *cell = list->pdata[i];
      g_autofree char *name = cells->name (cell);
      g_autofree char *problem = cell->problem;

      fault_report_add (cells->matrix, name, problem != NULL ? "wrong" : cell->outcome, problem);
      n_right += problem == NULL && g_str_equal (cell->outcome, "right") ? 1 : 0;
      n_wrong += problem != NULL ? 1 : 0;
    }
  g_test_message ("%u %s, %u right, %u wrong", list->len, cells->matrix, n_right, n_wrong);
  return n_wrong;
}

static void
test_way (gconstpointer data)
{
  const Way *way = data;
  g_autoptr (GPtrArray) list = NULL;
  Rig rig;

  rig_set_up (&rig);
  list = way->cells->list (&rig, way->way);
  draw (way->cells, list, way->way);
  play_all (way->cells, list);
  if (report (way->cells, list) > 0)
    g_test_fail ();
  rig_tear_down (&rig);
}

int
fault_cells_run (const FaultCells *cells, const char *const *ways, guint n_ways)
{
  g_autofree Way *tests = g_new (Way, n_ways);

  for (guint i = 0; i < n_ways; i++)
    {
      g_autofree char *path = g_strdup_printf ("/%s/%s", cells->matrix, ways[i]);

      tests[i] = (Way){ cells, ways[i] };
      g_test_add_data_func (path, &tests[i], test_way);
    }
  return g_test_run ();
}

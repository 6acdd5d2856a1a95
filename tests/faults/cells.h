/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FaultCells: all that can go wrong in one way of a Rig, of which a sample is drawn, played on
 * several threads, and reported. A test program is a table of functions:
 *
 *   static const FaultCells cells = { "cuts", "BOXUPLOAD_FAULT_CUTS", SAMPLE, THREADS,
 *                                     list_cuts, name_cut, play_cut };
 *   return fault_cells_run (&cells, ways, G_N_ELEMENTS (ways));
 */
#pragma once

#include "rig.h"

G_BEGIN_DECLS

/* The beginning of what a program knows of one cell. */
typedef struct
{
  Rig *rig;
  const char *way;
  guint number; /* of the run, from 1 */

  /* after it was played */
  char *problem;       /* what is wrong; NULL: nothing */
  const char *outcome; /* if nothing is wrong: "right" unless play() says otherwise */
} FaultCellHead;

typedef struct
{
  const char *matrix;   /* in the report and the tests' paths */
  const char *variable; /* of the environment, with the size of the sample */
  guint sample;         /* without it: about so many cells of a way are played */
  guint n_threads;

  /* All cells of the way: blocks of g_malloc() that begin with a FaultCellHead, numbers set. */
  GPtrArray *(*list) (Rig *rig, const char *way);

  /* The name in the report, which is the same in every run; free with g_free(). */
  char *(*name) (const FaultCellHead *cell);

  /* Plays the cell and says what came of it. Any thread. */
  void (*play) (FaultCellHead *cell);
} FaultCells;

/* Runs a test for each of the ways, after g_test_init(). Returns the exit code. */
int fault_cells_run (const FaultCells *cells, const char *const *ways, guint n_ways);

G_END_DECLS

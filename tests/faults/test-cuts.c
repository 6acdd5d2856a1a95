/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power cuts. A program is killed before each of its changes of the spool directory in turn, so
 * that Box has what it had at that moment. The directory is then what a disk may have of it
 * (disk.h): all that was written, only what was synced, and something in between, by chance. What
 * is resumed from there has every synced byte, in one file, with one version; a recording that was
 * said to be in the spool has all of them.
 *
 *   BOXUPLOAD_FAULT_CUTS=N|all        how many cuts of each way (about)
 *   BOXUPLOAD_FAULT_SEED=N            another sample
 *   BOXUPLOAD_FAULT_PATTERN=PATTERN   those of this name, WAY/CHANGE/LOSS
 *   BOXUPLOAD_FAULT_REPORT=FILE       what came of each (report.h)
 */
#include "cells.h"
#include "disk.h"
#include "report.h"

#include "kit/places.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

/* Cuts of a way in the sample. */
#define SAMPLE 24

/* Different losses by chance at each change. */
#define LOTTERIES 6

#define THREADS 4

static const char *const ways[] = { "exact", "reserve", "unknown", "live", "spooled", "resume" };

typedef struct
{
  FaultCellHead head;
  guint change; /* 0: none is cut */
  guint loss;   /* ALL, SYNCED, and each SOME */
} Cut;

static char *
name_cut (const FaultCellHead *cell)
{
  const Cut *cut = (const Cut *) cell;

  return g_strdup_printf ("%s/%u/%u", cell->way, cut->change, cut->loss);
}

/* Ends the program before the change @number, 0: not at all. */
static void
play (RigRun *run, guint number, const char *log)
{
  g_autofree char *root = g_strconcat ("FAULT_SHIM_ROOT=", run->spool, NULL);
  g_autofree char *to = g_strconcat ("FAULT_SHIM_LOG=", log, NULL);
  g_autofree char *kill_at = g_strdup_printf ("FAULT_SHIM_KILL=%u", number);
  const char *variables[] = { root, to, kill_at, NULL };

  rig_play (run, variables);
}

static char *
judge (RigRun *run, const Disk *disk, const char *left)
{
  guint64 synced = disk_count_synced (disk, ".data");
  gboolean whole = run->code == 0 || strstr (run->out, "kept eos") != NULL;
  char *problem = rig_finish (run, left);

  return problem != NULL ? problem : rig_judge (run, synced, whole);
}

static void
play_cut (FaultCellHead *cell)
{
  const Cut *cut = (const Cut *) cell;
  g_autoptr (RigRun) run = rig_prepare (cell->rig, cell->way, cell->number);
  g_autoptr (Disk) disk = disk_new (run->spool);
  g_autofree char *log = g_strconcat (run->spool, ".log", NULL);
  g_autofree char *left = g_strconcat (run->spool, ".left", NULL);
  g_autofree char *name = name_cut (cell);
  g_autoptr (GRand) dice = g_rand_new_with_seed (fault_report_get_seed () ^ g_str_hash (name));

  play (run, cut->change, log);
  if (run->signal != 0 && run->signal != SIGKILL)
    cell->problem = g_strdup_printf ("it died of signal %d: %s", run->signal, run->err);
  disk_replay (disk, log, (DiskLoss) MIN (cut->loss, DISK_KEEPS_SOME), dice);
  disk_write (disk, left);
  if (cell->problem == NULL)
    cell->problem = judge (run, disk, left);
  kit_remove_tree (run->spool);
  kit_remove_tree (left);
  g_unlink (log);
}

static guint
count_changes (Rig *rig, const char *way)
{
  g_autoptr (RigRun) run = rig_prepare (rig, way, 0);
  g_autofree char *log = g_strconcat (run->spool, ".log", NULL);
  g_autoptr (Disk) disk = disk_new (run->spool);

  play (run, 0, log);
  g_assert_cmpint (run->code, ==, 0);
  disk_replay (disk, log, DISK_KEEPS_ALL, NULL);
  kit_remove_tree (run->spool);
  return disk_count_changes (disk);
}

/* All cuts of a way. One change later than the last one: the power is cut when it is over. */
static GPtrArray *
list_cuts (Rig *rig, const char *way)
{
  GPtrArray *cuts = g_ptr_array_new ();
  guint n_changes = count_changes (rig, way) + 1;

  for (guint change = 1; change <= n_changes; change++)
    for (guint loss = 0; loss < DISK_KEEPS_SOME + LOTTERIES; loss++)
      {
        Cut cut = { { rig, way, cuts->len + 1 }, change, loss };

        g_ptr_array_add (cuts, g_memdup2 (&cut, sizeof cut));
      }
  return cuts;
}

int
main (int argc, char **argv)
{
  static const FaultCells cells = {
    "cuts", "BOXUPLOAD_FAULT_CUTS", SAMPLE, THREADS, list_cuts, name_cut, play_cut
  };

  g_test_init (&argc, &argv, NULL);
  return fault_cells_run (&cells, ways, G_N_ELEMENTS (ways));
}

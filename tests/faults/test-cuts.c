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
#include "disk.h"
#include "kit/places.h"
#include "report.h"
#include "rig.h"

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
  Rig *rig;
  const char *way;
  guint number; /* of the run */
  guint change; /* 0: none is cut */
  guint loss;   /* ALL, SYNCED, and each SOME */
  char *problem;
} Cut;

static char *
name_cut (const Cut *cut)
{
  return g_strdup_printf ("%s/%u/%u", cut->way, cut->change, cut->loss);
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
play_cut (gpointer data, gpointer user_data)
{
  Cut *cut = data;
  g_autoptr (RigRun) run = rig_prepare (cut->rig, cut->way, cut->number);
  g_autoptr (Disk) disk = disk_new (run->spool);
  g_autofree char *log = g_strconcat (run->spool, ".log", NULL);
  g_autofree char *left = g_strconcat (run->spool, ".left", NULL);
  g_autofree char *name = name_cut (cut);
  g_autoptr (GRand) dice = g_rand_new_with_seed (fault_report_get_seed () ^ g_str_hash (name));

  play (run, cut->change, log);
  if (run->signal != 0 && run->signal != SIGKILL)
    cut->problem = g_strdup_printf ("it died of signal %d: %s", run->signal, run->err);
  disk_replay (disk, log, (DiskLoss) MIN (cut->loss, DISK_KEEPS_SOME), dice);
  disk_write (disk, left);
  if (cut->problem == NULL)
    cut->problem = judge (run, disk, left);
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

static gboolean
is_drawn (const Cut *cut, GRand *dice, double share)
{
  const char *pattern = g_getenv ("BOXUPLOAD_FAULT_PATTERN");
  g_autofree char *name = name_cut (cut);

  if (pattern != NULL)
    return g_pattern_match_simple (pattern, name);
  return g_rand_double (dice) < share && !fault_report_has ("cuts", name);
}

/* (element-type Cut). One change later than the last one: the power is cut when it is over. */
static GPtrArray *
choose_cuts (Rig *rig, const char *way)
{
  GPtrArray *cuts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GRand) dice = g_rand_new_with_seed (fault_report_get_seed () ^ g_str_hash (way));
  guint n_changes = count_changes (rig, way) + 1, n_losses = DISK_KEEPS_SOME + LOTTERIES;
  double share = fault_report_get_share ("BOXUPLOAD_FAULT_CUTS", SAMPLE, n_changes * n_losses);

  for (guint change = 1; change <= n_changes; change++)
    for (guint loss = 0; loss < n_losses; loss++)
      {
        Cut cut = { rig, way, cuts->len + 1, change, loss, NULL };

        if (is_drawn (&cut, dice, share))
          g_ptr_array_add (cuts, g_memdup2 (&cut, sizeof cut));
      }
  return cuts;
}

static void
test_way (gconstpointer way)
{
  Rig rig;
  g_autoptr (GPtrArray) cuts = NULL;
  GThreadPool *pool = g_thread_pool_new (play_cut, NULL, THREADS, FALSE, NULL);
  guint n_wrong = 0;

  rig_set_up (&rig);
  cuts = choose_cuts (&rig, way);
  for (guint i = 0; i < cuts->len; i++)
    g_thread_pool_push (pool, cuts->pdata[i], NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  for (guint i = 0; i < cuts->len; i++)
    {
      Cut *cut = cuts->pdata[i];
      g_autofree char *name = name_cut (cut);
      g_autofree char *problem = cut->problem;

      fault_report_add ("cuts", name, problem != NULL ? "wrong" : "right", problem);
      n_wrong += problem != NULL ? 1 : 0;
    }
  g_test_message ("%u cuts, %u wrong", cuts->len, n_wrong);
  rig_tear_down (&rig);
  if (n_wrong > 0)
    g_test_fail ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path = g_strconcat ("/cuts/", ways[i], NULL);

      g_test_add_data_func (path, ways[i], test_way);
    }
  return g_test_run ();
}

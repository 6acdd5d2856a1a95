/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls that fail. How many of each class a program makes is counted first; then the Nth
 * fails, for every N, once and from then on. The program has to live, and to end: with its file at
 * Box, or with an error in words. What a spool had taken is uploaded by the next resume, once.
 *
 *   BOXUPLOAD_FAULT_CALLS=N|all       how many failures of each way (about)
 *   BOXUPLOAD_FAULT_SEED=N            another sample
 *   BOXUPLOAD_FAULT_PATTERN=PATTERN   those of this name, WAY/CLASS/WHAT/N/WHEN
 *   BOXUPLOAD_FAULT_REPORT=FILE       what came of each (report.h)
 */
#include "cells.h"

#include "kit/places.h"
#include "spool/data-file.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Failures of a way in the sample. */
#define SAMPLE 40

#define THREADS 6

static const char *const ways[] = { "memory",  "exact", "reserve", "unknown", "live",
                                    "spooled", "put",   "resume",  "rotate" };

/* What can fail how. number 0: a short transfer. */
static const struct
{
  const char *class;
  const char *name;
  int number;
} failures[] = {
  { "open", "EMFILE", EMFILE },     { "open", "EINTR", EINTR },     { "open", "ENOSPC", ENOSPC },
  { "open", "EIO", EIO },           { "open", "ENOMEM", ENOMEM },   { "write", "ENOSPC", ENOSPC },
  { "write", "EIO", EIO },          { "write", "EINTR", EINTR },    { "write", "short", 0 },
  { "read", "EIO", EIO },           { "read", "EINTR", EINTR },     { "read", "short", 0 },
  { "sync", "EIO", EIO },           { "sync", "ENOSPC", ENOSPC },   { "sync", "EINTR", EINTR },
  { "size", "EIO", EIO },           { "size", "ENOSPC", ENOSPC },   { "size", "EINTR", EINTR },
  { "name", "EIO", EIO },           { "name", "ENOSPC", ENOSPC },   { "name", "EACCES", EACCES },
  { "lock", "ENOLCK", ENOLCK },     { "lock", "EINTR", EINTR },     { "socket", "EMFILE", EMFILE },
  { "socket", "ENOBUFS", ENOBUFS }, { "send", "EINTR", EINTR },     { "send", "ENOBUFS", ENOBUFS },
  { "send", "short", 0 },           { "receive", "EINTR", EINTR },  { "receive", "ENOMEM", ENOMEM },
  { "receive", "short", 0 },        { "thread", "EAGAIN", EAGAIN }, { "map", "ENOMEM", ENOMEM },
};

typedef struct
{
  FaultCellHead head;
  guint failure;
  guint at;
  gboolean always;
} Call;

static char *
name_call (const FaultCellHead *cell)
{
  const Call *call = (const Call *) cell;

  return g_strdup_printf ("%s/%s/%s/%u/%s", cell->way, failures[call->failure].class,
                          failures[call->failure].name, call->at, call->always ? "always" : "once");
}

/* Whether a library found our calls wrong. glib-networking from 2.80 on also warns of certificates
 * that it cannot read, which is what was wanted. */
static gboolean
has_complaint (const char *err)
{
  g_auto (GStrv) lines = g_strsplit (err, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], "CRITICAL") != NULL
        || (strstr (lines[i], "WARNING") != NULL && strstr (lines[i], "GLib-Net-WARNING") == NULL))
      return TRUE;
  return FALSE;
}

static char *
judge_end (RigRun *run)
{
  const char *words = run->code == 0 ? NULL : *run->err != '\0' ? run->err : run->out;

  if (run->signal != 0)
    return g_strdup_printf ("it died of signal %d: %s%s", run->signal, run->out, run->err);
  if (has_complaint (run->err))
    return g_strdup_printf ("it complains: %s", run->err);
  if (words != NULL && strlen (words) < 20)
    return g_strdup_printf ("exit code %d, without a word", run->code);
  return NULL;
}

/* Bytes that a resume has to bring to Box. A recorder takes bytes that wait in memory for a moment
 * (spool/data-file.h), and may find only at the next ones that they cannot be written. */
static guint64
count_safe (const RigRun *run)
{
  guint64 accepted = rig_find_number (run, "accepted");

  if (run->code == 0 || strstr (run->out, "kept eos") != NULL || g_str_equal (run->way, "resume"))
    return RIG_SIZE;
  return rig_way_has_spool (run->way) ? accepted - MIN (accepted, 2 * BOX_RUN_SIZE) : 0;
}

/* What Box answered to a refresh token, which is used up with that, did not come, or the disk takes
 * no file at all: no client can do better. */
static gboolean
may_lose_token (const Call *call)
{
  const char *class = failures[call->failure].class;

  return g_str_equal (class, "receive")
         || (call->always && (g_str_equal (class, "write") || g_str_equal (class, "open")));
}

static char *
judge (const Call *call, RigRun *run)
{
  char *problem = judge_end (run);
  g_autofree char *said = NULL;

  if (problem == NULL && rig_way_has_spool (run->way))
    problem = rig_finish (run, run->spool);
  if (problem == NULL && g_str_equal (run->way, "rotate"))
    problem = may_lose_token (call) ? NULL : rig_rotate_again (run);
  else if (problem == NULL)
    problem = rig_judge (run, count_safe (run), run->code == 0);
  said = problem;
  return problem != NULL ? g_strdup_printf ("%s (%d: %s%s)", problem, run->code, run->out, run->err)
                         : NULL;
}

static void
play_call (FaultCellHead *cell)
{
  const Call *call = (const Call *) cell;
  g_autoptr (RigRun) run = rig_prepare (cell->rig, cell->way, cell->number);
  g_autofree char *what = failures[call->failure].number == 0
                              ? g_strdup ("short")
                              : g_strdup_printf ("%d", failures[call->failure].number);
  g_autofree char *fault =
      g_strdup_printf ("FAULT_SHIM_FAIL=%s %s %u %s", failures[call->failure].class, what, call->at,
                       call->always ? "always" : "once");
  const char *variables[] = { fault, NULL };

  rig_play (run, variables);
  cell->outcome = run->code == 0 ? "right" : "failed";
  cell->problem = judge (call, run);
  kit_remove_tree (run->spool);
}

/* How many calls of each class a run makes: lines of "CLASS CALLS". */
static char *
count_calls (Rig *rig, const char *way)
{
  g_autoptr (RigRun) run = rig_prepare (rig, way, 0);
  g_autofree char *path = g_strconcat (run->spool, ".count", NULL);
  g_autofree char *variable = g_strconcat ("FAULT_SHIM_COUNT=", path, NULL);
  const char *variables[] = { variable, NULL };
  char *counts = NULL;

  rig_play (run, variables);
  if (run->code != 0)
    g_error ("%s: %s%s", way, run->out, run->err);
  counts = kit_read_text (path);
  kit_remove_tree (run->spool);
  kit_remove_tree (path);
  return counts;
}

static guint
count_of (const char *counts, const char *class)
{
  g_auto (GStrv) lines = g_strsplit (counts, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], class) && lines[i][strlen (class)] == ' ')
      return (guint) atoi (lines[i] + strlen (class));
  g_error ("no count of %s", class);
}

/* All failures of a way. */
static GPtrArray *
list_calls (Rig *rig, const char *way)
{
  GPtrArray *calls = g_ptr_array_new ();
  g_autofree char *counts = count_calls (rig, way);

  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    for (guint at = 1; at <= count_of (counts, failures[i].class); at++)
      for (guint always = 0; always < 2; always++)
        {
          Call call = { { rig, way, calls->len + 1 }, i, at, always == 1 };

          /* A call that is interrupted always is one that cannot be made. */
          if (!call.always || failures[i].number != EINTR)
            g_ptr_array_add (calls, g_memdup2 (&call, sizeof call));
        }
  return calls;
}

int
main (int argc, char **argv)
{
  static const FaultCells cells = {
    "calls", "BOXUPLOAD_FAULT_CALLS", SAMPLE, THREADS, list_calls, name_call, play_call
  };

  g_test_init (&argc, &argv, NULL);
  return fault_cells_run (&cells, ways, G_N_ELEMENTS (ways));
}

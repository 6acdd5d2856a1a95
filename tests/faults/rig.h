/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rig: programs that run with the preloaded library shim.c against an emulator, and what is left of
 * their recordings. Every run has a spool directory and a name at Box of its own.
 *
 *   run = rig_prepare (rig, "exact", number);
 *   rig_play (run, variables);
 *   problem = rig_finish (run, run->spool);
 *   problem = rig_judge (run, accepted, FALSE);
 *   rig_run_free (run);
 */
#pragma once

#include "api/client.h"
#include "kit/emulator.h"

G_BEGIN_DECLS

/* Of every recording. Seven parts of a session. */
#define RIG_SIZE 100000

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  char *dir;
} Rig;

/* Finds the programs by BOXUPLOAD_TEST_SHIM, BOXUPLOAD_TEST_VICTIM and BOXUPLOAD. */
void rig_set_up (Rig *rig);
void rig_tear_down (Rig *rig);

typedef struct
{
  Rig *rig;
  const char *way;
  char *name;    /* at Box */
  char *spool;   /* the directory, which exists */
  char *session; /* "-": none */
  char *file;    /* of put; the configuration of rotate */

  /* after rig_play() */
  int signal; /* 0: it ended by itself */
  int code;   /* its exit code */
  char *out;
  char *err;
} RigRun;

/* The ways of victim.c, and "put", "resume" and "rotate": the program boxupload. rotate gets a
 * token with one that is good once. Any thread. */
RigRun *rig_prepare (Rig *rig, const char *way, guint number);
void rig_run_free (RigRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RigRun, rig_run_free)

/* Whether a stream's bytes are kept if it does not reach Box. */
gboolean rig_way_has_spool (const char *way);

/* Runs the program to its end. @variables: (nullable): "NAME=VALUE" each, for the library. */
void rig_play (RigRun *run, const char *const *variables);

/* The number in the last line of its output that is "@word N"; 0 without one. */
guint64 rig_find_number (const RigRun *run, const char *word);

/* Whether the configuration of rotate still gets tokens. What is wrong with it; NULL: nothing. */
char *rig_rotate_again (RigRun *run);

/* Uploads all that is in the spool directory @dir, in this process, as another one would. What is
 * wrong with it; NULL: nothing. */
char *rig_finish (RigRun *run, const char *dir);

/**
 * rig_judge:
 * @at_least: the file at Box begins with so many bytes of the stream; 0: there may be no file.
 * @whole: it has all of them.
 *
 * What is wrong with what Box has; NULL: nothing. What follows the safe bytes are the stream's, or
 * zeros, which a disk has where a write was lost.
 */
char *rig_judge (RigRun *run, guint64 at_least, gboolean whole);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the files of EmuSessions: the set itself (box/sessions.c), the receiving of parts
 * (box/part-writer.c) and the commit (box/commit.c).
 */
#pragma once

#include "emulator/box/sessions.h"

typedef struct
{
  BoxEmulatorPlan scope;
  guint delay;         /* s; LATE */
  guint late_requests; /* so many requests find nothing */
  guint n_asked;
} EmuPlanRules;

struct _EmuSessions
{
  /* immutable */
  char *dir;
  EmuSessionRules rules;
  EmuStore *store;
  EmuClock *clock;

  GMutex lock;

  /* with lock */
  GHashTable *by_id; /* of EmuSession */
  GPtrArray *ids;    /* of char *, in order of creation, also of those that are gone */
  GHashTable *gone;  /* ids of aborted sessions */
  EmuPlanRules plan;
};

/* Refuses what is expired or aborted. */
gboolean
emu_sessions_check_locked (EmuSessions *sessions, EmuSession *session, EmuProblem *problem);

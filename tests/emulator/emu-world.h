/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuWorld: what all requests share. Its members lock themselves.
 */
#pragma once

#include "emu-clock.h"
#include "emu-journal.h"
#include "emu-rate.h"
#include "emu-scenario.h"
#include "emu-sessions.h"
#include "emu-store.h"
#include "emu-tokens.h"

G_BEGIN_DECLS

typedef struct
{
  char *dir;
  char *key; /* signs the addresses of downloads */
  guint64 part_size;
  guint64 max_size;
  guint64 quota;
  guint retry_after; /* s */
  gboolean late_expiry;
  EmuClock clock;
  EmuRate rate;
  EmuJournal *journal;
  EmuScenario *scenario;
  EmuStore *store;
  EmuSessions *sessions;
  EmuTokens *tokens;
} EmuWorld;

G_END_DECLS
